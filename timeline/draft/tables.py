"""Files of an extract that are not read: their columns, which of ours these may be, and how the text seems written.

A look at the first rows; knows no concept, and decides nothing.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import personal
from timeline.draft.alike import Known, concepts_like, plain
from timeline.draft.records import Candidate, Choice, ColumnDraft, TableDraft
from timeline.errors import ExtractError
from timeline.ingest import csvfile, records, tabular
from timeline.ingest.mapping import Mapping, Writing
from timeline.quote import literal, whole

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

ROWS = 1000
"""Rows that are looked at."""
SUFFIXES = (*csvfile.SUFFIXES, ".tsv", ".tsv.gz", ".txt", ".parquet")
NAMES = {
    "patient_id": (
        "patient id", "subject id", "person id", "usubjid", "subjid", "patient", "pid", "mrn", "pat id", "pat nr",
    ),
    "time": (
        "time", "charttime", "starttime", "timestamp", "datetime", "date time", "start", "start time", "start date",
        "date", "effective time", "result time", "dtc", "event time", "charted", "given at", "taken at", "stdtc",
    ),
    "end_time": ("end time", "endtime", "stop", "stop time", "end", "end date", "stoptime", "endtc"),
    "code": (
        "code", "item", "itemid", "item id", "test", "test code", "testcd", "concept", "concept id", "drug", "name",
        "analyte", "parameter", "lab name", "drug name", "trt", "product",
    ),
    "value": ("value", "result", "orres", "valuenum", "numeric value", "amount", "dose", "result value", "quantity"),
    "unit": ("unit", "units", "uom", "valueuom", "orresu", "unit of measure", "dose unit", "amount uom"),
    "text": ("text", "text value", "comment", "note", "value text", "description"),
    "route": ("route", "route of administration", "admin route"),
    "status": ("status", "state", "stat"),
    "sex": ("sex", "gender"),
    "birth_date": ("birth date", "date of birth", "dob", "born", "brthdtc", "birthdate"),
}  # fmt: skip
"""What such columns are often called, as words in lower case; SDTM's names without the two letters of their domain."""
FORMATS = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%b-%Y", "%Y/%m/%d", "%Y%m%d")
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p")
MOMENTS = tuple(f"{day} {clock}" for day in FORMATS for clock in CLOCKS)
MOST = 0.9
"""So many of a column's values at least are written in one way, where that is proposed in spite of the others."""
YEARS = (1800, 2999)
"""What is taken for a year: not every number of eight digits is a date, and years of shifted times lie ahead."""
TIMES = ("time", "end_time", "birth_date")


def _year(formats: Sequence[str]) -> str:
    """A condition: `v` is a date in one of the formats, of a year that may be."""
    return f"year(try_strptime(v, [{', '.join(map(literal, formats))}])) BETWEEN {YEARS[0]} AND {YEARS[1]}"


LAST_WORDS = {"code": ("code", "name", "item", "test"), "end_time": ("end", "stop")}
"""Words at an end of a column's name that say what it is, where no column has one of the names above."""
NUMBERS = ("BIGINT", "DOUBLE", "FLOAT", "INTEGER", "DECIMAL")
READS = {
    "BIGINT": r"regexp_full_match(v, '[+-]?\d+')",
    "DOUBLE": "TRY_CAST(v AS DOUBLE) IS NOT NULL",
    "TIMESTAMP": "TRY_CAST(v AS TIMESTAMP) IS NOT NULL",
    "DATE as text": f"coalesce({_year([*FORMATS, *MOMENTS])}, FALSE)",
}
"""What text may be read as, the narrowest first."""


def unread(
    con: "Connection", paths: Sequence[Path], mapping: Mapping | None, read: set[str], known: Known
) -> tuple[TableDraft, ...]:
    """One record for each file that is not in `read` and that the mapping does not name."""
    found = []
    for path in paths:
        files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if _is_table(one))
        for file in files:
            name = file.name if path.is_file() else file.relative_to(path).as_posix()
            skipped = name in read or (mapping is not None and read and mapping.table(file.name) is not None)
            if not skipped and not name.startswith("metadata/"):
                found.append(_table(con, file, name, mapping, f"draft_file_{len(found)}", known))
    return tuple(found)


def _is_table(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def _table(con: "Connection", file: Path, name: str, mapping: Mapping | None, scratch: str, known: Known) -> TableDraft:
    declared = mapping.read if mapping is not None else Writing()
    said = {} if file.suffix.lower() == ".parquet" else _writing(file)
    writing = declared.over(Writing.model_validate(said))
    try:
        rows = tabular.rows(con, file, name, writing, scratch)
    except ExtractError as error:
        return TableDraft(name, problem=str(error))
    if personal.is_row(rows.types):
        return TableDraft(name, problem=f"{name}: {personal.columns_told(rows.types)}; a table begins with their names")
    columns = [ColumnDraft(column, _type(con, rows, column)) for column in rows.types]
    ours = _ours(columns)
    people = next((column for column, role in ours.items() if role == "patient_id"), None)
    ours = {one: role for one, role in ours.items() if role != "code" or not _of_persons(con, rows, one, people)}
    formats = _formats(con, rows, [column for column, role in ours.items() if role in TIMES])
    wide = _wide(columns, ours, known)
    drafted = tuple(ColumnDraft(one.name, one.type, ours.get(one.name), wide.get(one.name)) for one in columns)
    return TableDraft(name, drafted, (*(Choice((one,)) for one in said.items()), *_decimal(con, rows), *formats))


def _writing(file: Path) -> dict[str, str]:
    """Delimiter and encoding, where they are not those of the native format."""
    if file.name.lower().endswith(".zst"):
        return {}
    with records.opened(file) as opened:
        head = opened.read(csvfile.HEAD)
    said = {}
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        said["encoding"] = "utf-16"
    else:
        try:
            head.rpartition(b"\n")[0].decode("utf-8")
        except UnicodeDecodeError:
            said["encoding"] = "cp1252"
    line = head.decode(said.get("encoding", "utf-8"), "ignore").partition("\n")[0]
    mark = max(",;\t|", key=line.count)
    return said | ({"delimiter": mark} if mark != "," and line.count(mark) else {})


def _type(con: "Connection", rows: tabular.Rows, column: str) -> str:
    """The column's type; of text what all its first values can be read as."""
    if rows.types[column] != "VARCHAR":
        return rows.types[column]
    asked = ", ".join(f"bool_and({condition})" for condition in READS.values())
    n, *holds = con.execute(f"""SELECT count(*), {asked} FROM (
        SELECT nullif(trim({whole(column)}), '') AS v FROM {rows.relation} LIMIT {ROWS})
        WHERE v IS NOT NULL""").fetchall()[0]
    return next((kind for kind, yes in zip(READS, holds, strict=True) if yes), "VARCHAR") if n else "empty"


def _ours(columns: Sequence[ColumnDraft]) -> dict[str, str]:
    """Which of ours each column may be, by its name; each of ours once, the likest name first."""
    found: dict[str, str] = {}
    for ours, names in NAMES.items():
        likely = [(place, one.name) for one in columns if (place := _place(one.name, names)) is not None]
        likely = [(place, name) for place, name in likely if name not in found]
        if likely:
            found[min(likely)[1]] = ours
    said = set(found.values())
    left = [one for one in columns if one.name not in found]
    times = [one.name for one in left if one.type.startswith(("TIMESTAMP", "DATE"))]
    ends = [name for name in times if set(plain(name).split()) & set(LAST_WORDS["end_time"])]
    codes = [
        one.name for one in left if plain(one.name).split()[-1:] and plain(one.name).split()[-1] in LAST_WORDS["code"]
    ]
    found |= {name: "end_time" for name in ends[:1] if "end_time" not in said}
    found |= {name: "time" for name in [one for one in times if one not in ends][:1] if "time" not in said}
    return found | {name: "code" for name in codes[:1] if not {"code", "sex", "birth_date"} & said}


def _of_persons(con: "Connection", rows: tabular.Rows, column: str, patient: str | None) -> bool:
    """Whether a column holds a word a patient, such as a name; where none is the patient's, whether a word a row."""
    word = f"nullif(trim(CAST({whole(column)} AS VARCHAR)), '')"
    who = f"CAST({whole(patient)} AS VARCHAR)" if patient is not None else "''"
    spoken = f"""SELECT 'file' AS source, 'code' AS "column", {word} AS word, min({who}) AS low, max({who}) AS high,
        count(*) AS rows FROM {rows.relation} GROUP BY word"""
    if patient is not None:
        own = f"SELECT *, low = high AND lower(low) = lower(word) AS itself FROM ({spoken})"
        return bool(con.execute(f"SELECT 1 FROM ({personal.select(own)}) LIMIT 1").fetchall())
    words, n = con.execute(f"SELECT count(word), coalesce(sum(rows), 0) FROM ({spoken}) WHERE word > ''").fetchall()[0]
    return words >= personal.NOTES and n <= personal.NEARLY * words


def _wide(columns: Sequence[ColumnDraft], ours: dict[str, str], known: Known) -> dict[str, Candidate]:
    """Of a table without codes: the concepts that its columns of numbers are called like."""
    if {"code", "value", "sex", "birth_date"} & set(ours.values()):
        return {}
    numbers = [one.name for one in columns if one.name not in ours and one.type.startswith(NUMBERS)]
    likely = {name: concepts_like(known, (), (name,), "", None) for name in numbers}
    return {name: found[0] for name, found in likely.items() if found}


def _place(column: str, names: Sequence[str]) -> int | None:
    """How early among `names` a column's is; SDTM's begin with the two letters of a domain."""
    spoken = plain(column)
    forms = (spoken, spoken[2:] if re.fullmatch(r"[A-Z]{4,8}", column) else spoken)
    return next((place for place, name in enumerate(names) if name in forms or name.replace(" ", "") in forms), None)


def _decimal(con: "Connection", rows: tabular.Rows) -> list[Choice]:
    """What a comma is, where a column of text holds nothing but whole numbers and numbers with a comma."""
    number, groups = literal(r"[<>]?=? *[+-]?\d+(,\d+)?"), literal(r"[<>]?=? *[+-]?[1-9]\d{0,2}(,\d{3})?")
    found = []
    for column in (name for name, kind in rows.types.items() if kind == "VARCHAR"):
        [(commas, thousands)] = con.execute(f"""SELECT
                bool_and(regexp_full_match(v, {number})) AND bool_or(contains(v, ',')),
                bool_and(regexp_full_match(v, {groups}) OR NOT contains(v, ','))
            FROM (SELECT nullif(trim({whole(column)}), '') AS v FROM {rows.relation}) WHERE v IS NOT NULL""").fetchall()
        if commas and not thousands:
            return [Choice((("decimal", ","),))]
        if commas:
            because = (
                f"in `{column}` three digits follow every comma: it may be a decimal mark or one between thousands"
            )
            found.append(Choice((("decimal", ","), ("thousands", ",")), because))
    return found[:1]


def _formats(con: "Connection", rows: tabular.Rows, columns: Sequence[str]) -> list[Choice]:
    """Formats of dates and times that read every value, where ISO 8601 does not; a file is taken to have one of each.

    A column of which several formats read every value has that of another column, if one of these is certain.
    """
    found: dict[str, list[tuple[str, list[str]]]] = {"dates": [], "times": []}
    for column in columns:
        if rows.types[column] != "VARCHAR" or _type(con, rows, column) in ("TIMESTAMP", "empty", "DOUBLE"):
            continue
        for key, formats in (("dates", FORMATS), ("times", MOMENTS)):
            if fit := [one for one in formats if _reads(con, rows, column, one)]:
                found[key].append((column, fit))
    chosen = [_choice(key, fits) for key, fits in found.items() if fits]
    return chosen or [one for column in columns if (one := _nearly(con, rows, column)) is not None][:1]


def _nearly(con: "Connection", rows: tabular.Rows, column: str) -> Choice | None:
    """The one format in which all but a few values of a column are written."""
    if rows.types[column] != "VARCHAR":
        return None
    counts = ", ".join(f"count(*) FILTER ({_year([one])})" for one in (*FORMATS, *MOMENTS))
    n, *read = con.execute(f"""SELECT count(*), {counts} FROM (
        SELECT nullif(trim({whole(column)}), '') AS v FROM {rows.relation}) WHERE v IS NOT NULL""").fetchall()[0]
    best = max(read)
    if read.count(best) > 1 or not MOST * n <= best < n:
        return None
    place = read.index(best)
    key, format = ("dates" if place < len(FORMATS) else "times"), (*FORMATS, *MOMENTS)[place]
    return Choice(((key, format),), f"all but {n - best:,} of {n:,} values of `{column}` are written as {format}")


def _choice(key: str, fits: Sequence[tuple[str, list[str]]]) -> Choice:
    certain = list(dict.fromkeys(fit[0] for _, fit in fits if len(fit) == 1))
    for column, fit in fits:
        if len(fit) > 1 and not set(fit) & set(certain):
            because = f"every value of `{column}` can be read as {' and as '.join(fit)}: no day above 12 is there"
            return Choice(tuple((key, (*certain, one) if certain else one) for one in fit), because)
    return Choice(((key, tuple(certain) if len(certain) > 1 else certain[0]),))


def _reads(con: "Connection", rows: tabular.Rows, column: str, format: str) -> bool:
    value = f"nullif(trim({whole(column)}), '')"
    answer = con.execute(f"""SELECT bool_and(coalesce({_year([format])}, FALSE)) FROM (
        SELECT {value} AS v FROM {rows.relation}) WHERE v IS NOT NULL""").fetchall()
    return answer[0][0] is True

"""A CSV or Parquet file, as a mapping file says its table is read -> staged rows; knows no concept and no unit."""

from collections.abc import Sequence
from dataclasses import replace as with_
from pathlib import Path

import duckdb

from timeline import fragment, personal
from timeline.errors import ExtractError
from timeline.ingest import anchor, beside, csvfile, parse, written
from timeline.ingest.anchor import Rows, Sheet
from timeline.ingest.mapping import Column, Mapping, Offset, Table, Writing, fitting, names_of
from timeline.ingest.mapping.model import GROUP
from timeline.ingest.parse import Source
from timeline.ingest.staged import EVENT_COLUMNS, PATIENT_COLUMNS, REQUIRED, Staged
from timeline.quote import literal, whole
from timeline.schema import Field

MARK = b"PAR1"
"""A Parquet file begins and ends with it."""
NUMBER = "file_row_number"
"""What the reader of Parquet calls the number of a row, from 0."""
KINDS = {"events": (*EVENT_COLUMNS, "status"), "patients": (*PATIENT_COLUMNS, "status")}
WIDE = ("patient_id", "time", "end_time")
"""What a wide table has by our own names; its other columns are values."""
MEANINGS = {
    "patient_id": ("VARCHAR", "whose row it is; empty: the row is rejected"),
    "time": ("TIMESTAMP", "when; empty: rejected, unless the code is a baseline fact"),
    "end_time": ("TIMESTAMP", "when it ended"),
    "code": ("VARCHAR", "the source's code; empty: the row is rejected"),
    "value": ("VARCHAR", "a number, a bounded number, or words"),
    "unit": ("VARCHAR", "the value's unit; empty: the concept's own, counted"),
    "text": ("VARCHAR", "the value's words"),
    "route": ("VARCHAR", "the route of administration"),
    "status": ("VARCHAR", "rows of a status that the mapping does not keep are rejected"),
    "sex": ("VARCHAR", "F or M, however it is spelled; another word stays as it is, counted"),
    "birth_date": ("DATE", "date of birth; unreadable: the row is rejected"),
    "birth_year": ("BIGINT", "year of birth, where the day is not known; unreadable: empty"),
}
"""Type and meaning of what our columns are read from."""
FILLED = ("patient_id", "code")
"""Columns that may not be empty."""


def rows(con: duckdb.DuckDBPyConnection, path: Path, name: str, writing: Writing, scratch: str) -> Rows:
    """Read a text file into the temporary table `scratch`, or say how a Parquet file is scanned."""
    if path.suffix.lower() == ".parquet":
        relation, types = parquet_rows(path, parquet_columns(con, path, name))
        return Rows(name, path, relation, types, None)
    delimiter = writing.delimiter or ","
    with csvfile.in_utf8(path, name, writing.encoding) as plain:
        names = list(beside.called(csvfile.header(con, plain, name, delimiter)).values())
        rejected = csvfile.read(con, plain, name, names, scratch, delimiter)
    return Rows(name, path, scratch, dict.fromkeys(names, "VARCHAR"), rejected)


def parquet_rows(path: Path, types: dict[str, str]) -> tuple[str, dict[str, str]]:
    """A FROM item: the rows of a Parquet file of these columns, with `source_row`; and its columns."""
    read = f"read_parquet({literal(str(path))}"
    if beside.has(types, NUMBER):  # which hides the reader's own; counting them anew takes one thread
        rows = f"SELECT {beside.columns([*types])}, CAST(row_number() OVER () AS UBIGINT) AS source_row FROM {read})"
    else:
        own = beside.columns([*types], NUMBER)
        rows = f"SELECT {own}, CAST({NUMBER} + 1 AS UBIGINT) AS source_row FROM {read}, {NUMBER} = true)"
    called = beside.called([*types])
    return f"({rows})", {called[name]: kind for name, kind in types.items()}


def parquet_columns(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> dict[str, str]:
    """The columns of a Parquet file with their types; raise ExtractError where it is none."""
    with file.open("rb") as opened:
        head = opened.read(4)
        opened.seek(max(0, file.stat().st_size - 4))
        tail = opened.read(4)
    if not head:
        raise ExtractError(f"{name}: the file is empty")
    if head != MARK:
        raise ExtractError(f"{name}: this is no Parquet file; an extract is CSV (also .gz, .zst) or Parquet")
    if tail != MARK:
        raise ExtractError(f"{name}: the file is damaged or cut short: its end is missing")
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(file))})").fetchall()
    except duckdb.Error:
        raise ExtractError(f"{name}: the file is damaged: it cannot be read as Parquet") from None
    return {column: kind for column, kind, *_ in described}


def sheet(read: Rows, table: Table, mapping: Mapping) -> Sheet:
    """The rows as a table that others may count their times from."""
    patient = table.columns.get("patient_id") or mapping.columns.get("patient_id") or "patient_id"
    return Sheet(read, patient, table.read.over(mapping.read))


def staged(read: Rows, kind: str, table: Table, mapping: Mapping | None, sheets: Sequence[Sheet] = ()) -> list[Staged]:
    """One record for the file, or one for each column that `values` names; raise ExtractError with every mistake."""
    given = mapping or Mapping(name="")
    writing = table.read.over(given.read)
    sources = _sources(read, kind, table, given)
    own, digest = tuple(read.types), anchor.digest(read, sources, sheets)
    unused, reads = _unused(read, sources, table, given), _reads(sources, writing)
    advice = {ours: said for ours in written.TIMES if (said := written.advice(sources.get(ours, ours), writing))}
    read, sources, without = anchor.joined(read, sources, writing, sheets)
    reasons = [*_reasons(read, sources, table, given, writing), *without]
    columns = {
        ours: written.column(ours, source, read.types, writing) for ours, source in sources.items() if ours != "status"
    }
    if table.code is not None:
        columns["code"] = written.template(table.code, read.types, writing)
    file = Staged(
        source_file=read.name,
        path=read.path,
        format="native",
        kind="patients" if kind == "patients" else "events",
        relation=read.relation,
        columns=columns,
        own=own,
        rejected=read.rejected,
        refused=_select(read.relation, [*reasons, *_written_otherwise(sources.get("value"), read, writing)]),
        mapping=mapping,
        notes=unused,
        advice=advice,
        digest=digest,
        reads=reads,
    )
    if not table.values:
        return [file]
    parts = [_part(file, read, name, table, reasons, writing) for name in table.values]
    # Lines that are no rows are of no column: they are counted under the file's own name.
    lines = with_(file, relation=f"(SELECT * FROM {read.relation} WHERE FALSE)", refused=None, columns={
        **columns, "code": literal(""),
    })  # fmt: skip
    return [lines, *parts] if read.rejected is not None else parts


def _part(file: Staged, read: Rows, name: str, table: Table, reasons: list[str], writing: Writing) -> Staged:
    """The cells of one column of a wide table that are not empty, as events."""
    cell = table.values[name]
    filled = parse.text(Source(written.cell(name, read.types, writing), read.types[name]))
    relation = f"(SELECT * FROM {read.relation} WHERE {filled} IS NOT NULL)"
    return with_(
        file,
        source_file=f"{read.name}#{name}",
        part=name,
        relation=relation,
        columns={
            **file.columns,
            "code": literal(cell.code),
            "value": written.column("value", name, read.types, writing),
            **({"unit": literal(cell.unit)} if cell.unit else {}),
        },
        rejected=None,
        refused=_select(relation, [*reasons, *_written_otherwise(name, read, writing)]),
        reads=(*file.reads, Field(name, *MEANINGS["value"])),
    )


def _sources(read: Rows, kind: str, table: Table, mapping: Mapping) -> dict[str, Column]:
    """Our column -> the source's; every missing or misspelt name at once."""
    wide = bool(table.values)
    named = ({} if wide else {o: c for o, c in mapping.columns.items() if o in KINDS[kind]}) | table.columns
    named |= {o: mapping.columns[o] for o in WIDE if wide and o in mapping.columns and o not in table.columns}
    ours_by_name = WIDE if wide else tuple(ours for ours in KINDS[kind] if ours != "status")
    asked = {ours: ours for ours in ours_by_name} | named
    if table.code is not None or wide:
        asked.pop("code", None)
    found = {ours: source for ours, source in asked.items() if all(name in read.types for name in names_of(source))}
    needed = [ours for ours in REQUIRED[kind] if not (ours == "code" and (table.code is not None or wide))]
    needed += [ours for ours in table.columns if ours not in needed]
    lacking = {
        name: ours in needed
        for ours, source in asked.items()
        if ours not in found
        for name in names_of(source)
        if name not in read.types
    }
    extra = [name for name in (*table.values, *GROUP.findall(table.code or "")) if name not in read.types]
    by_mapping = {name for source in named.values() for name in names_of(source)} | set(extra)
    said = _wrong(read, lacking | dict.fromkeys(extra, True), by_mapping)
    people = set(names_of(found["patient_id"])) if "patient_id" in found else set()
    shared = [ours for ours, source in found.items() if ours != "patient_id" and people & set(names_of(source))]
    if shared:
        said.append(f"the column of patient_id is also named for {', '.join(shared)}; name another one there")
    if said:
        raise ExtractError(f"{read.name}: {'; '.join(said)}")
    return found


def _wrong(read: Rows, lacking: dict[str, bool], by_mapping: set[str]) -> list[str]:
    """What is to be said about columns that are not there, and of which some are needed; who misspells them is told."""
    said, absent = [], []
    for name, needed in lacking.items():
        near = [theirs for theirs in read.types if theirs.strip().lower() == name.strip().lower()]
        for theirs in near:
            if name in by_mapping:
                said.append(f"the mapping says `{name}`; the file has `{theirs}`")
            else:
                said.append(f"column `{theirs}` must be written `{name}`")
        absent += [name] if not near and needed else []
    return said + ([_missing(absent, read)] if absent else [])


def _missing(names: list[str], read: Rows) -> str:
    listed = ", ".join(f"`{one}`" for one in names)
    return f"column{'s' if len(names) > 1 else ''} {listed} missing; {personal.columns_told(read.types)}"


def _reasons(read: Rows, sources: dict[str, Column], table: Table, mapping: Mapping, writing: Writing) -> list[str]:
    """WHEN ... THEN the reason why a row is not to be used: it is left out by `where`, or by its status."""
    reasons = []
    if table.where is not None:
        said = literal(f"left out by `where` of the mapping {mapping.name}")
        reasons.append(f"WHEN ({_where(read, table.where)}) IS NOT TRUE THEN {said}")
    kept = mapping.kept(read.path.name)
    if "status" not in sources:
        if mapping.idle([read.path.name], but="*") != mapping.idle([], but="*"):
            raise ExtractError(
                f"{read.name}: `statuses` of the mapping {mapping.name} say which of its rows are kept, and no column "
                "is its status; write `columns: {status: name}`"
            )
        return reasons
    if kept is None:
        raise ExtractError(
            f"{read.name}: the mapping {mapping.name} names a column for `status`, and not which are kept; "
            f"write `statuses: {{{read.path.name.partition('.')[0]}: [one, another]}}`"
        )
    status = written.column("status", sources["status"], read.types, writing)
    status = f"coalesce(trim(CAST({status} AS VARCHAR)), '')"
    folded = f"lower({status})" if mapping.ignore_case else status
    listed = ", ".join(literal(one.lower() if mapping.ignore_case else one) for one in kept)
    start, said = literal("status '"), literal(f"' is not kept by the mapping {mapping.name}")
    return [*reasons, f"WHEN {folded} NOT IN ({listed}) THEN {start} || {status} || {said}"]


def _written_otherwise(source: Column | None, read: Rows, writing: Writing) -> list[str]:
    """WHEN a value is a number, and not one as `read` declares them, such as 1.5 where the comma is the point."""
    if not isinstance(source, str):
        return []
    wrong = written.not_as_declared(written.cell(source, read.types, writing), read.types[source], writing)
    said = f"the value is a number that is not written as `read` says (decimal `{writing.decimal or '.'}`)"
    return [f"WHEN {wrong} THEN {literal(said)}"] if wrong is not None else []


def refused(read: Rows, sources: dict[str, Column], mapping: Mapping, first: Sequence[str] = ()) -> str | None:
    """SELECT source_row, reason: rows that `first`, the mapping's statuses and its writing of numbers leave out."""
    reasons = [*first, *_reasons(read, sources, Table(), mapping, mapping.read)]
    return _select(read.relation, [*reasons, *_written_otherwise(sources.get("value"), read, mapping.read)])


def _select(relation: str, reasons: list[str]) -> str | None:
    if not reasons:
        return None
    case = f"CASE {' '.join(reasons)} END"
    return (
        f"SELECT source_row, reason FROM (SELECT source_row, {case} AS reason FROM {relation}) WHERE reason IS NOT NULL"
    )


def _where(read: Rows, text: str) -> str:
    """The condition over the source's columns."""
    parsed = fragment.parse(text, {})
    unknown = [".".join(name) for name in sorted(parsed.names) if ".".join(name) not in read.types]
    if unknown:
        hint = f"a word to compare with stands in quotes: '{unknown[0]}'"
        raise ExtractError(f"{read.name}: `where`: {_missing(unknown, read)}; {hint}")
    return fragment.resolved(parsed.tree, lambda name: whole(".".join(name)))


def _unused(read: Rows, sources: dict[str, Column], table: Table, mapping: Mapping) -> tuple[str, ...]:
    counted = [one for other in mapping.tables.values() for one in other.columns.values() if isinstance(one, Offset)]
    anchors = {one.anchor for one in counted if one.table and fitting([one.table], read.path.name) is not None}
    used = anchors | {name for source in sources.values() for name in names_of(source)} | set(table.values)
    used |= set(GROUP.findall(table.code or ""))
    if table.where is not None:
        used |= {".".join(name) for name in fragment.parse(table.where, {}).names}
    unused = [name for name in read.types if name not in used]
    return (f"{read.name}: columns not used: {personal.listed(unused)}",) if unused else ()


def _reads(sources: dict[str, Column], writing: Writing) -> tuple[Field, ...]:
    """The source's columns that are used; a time that is written in another way, or counted, is text here."""
    found = {}
    for ours, source in sources.items():
        type, meaning = MEANINGS[ours]
        native = isinstance(source, str) and not (writing.dates or writing.times or writing.missing)
        for name in names_of(source):
            number = isinstance(source, Offset) and name == source.offset and not (writing.decimal or writing.thousands)
            kind = "DOUBLE" if number else type if native or type == "VARCHAR" else "VARCHAR"
            alone = isinstance(source, str) and ours in FILLED
            found.setdefault(name, Field(name, kind, meaning, nullable=not alone))
    return tuple(found.values())

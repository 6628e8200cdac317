"""Extracts of the Medical Event Data Standard (MEDS), and Parquet files like it -> staged rows; knows no medicine.

A conform folder has `data/**/*.parquet` (subject_id, time, code, numeric_value, text_value) and
`metadata/codes.parquet`, whose `parent_codes` say which codes of a vocabulary a local code stands for. Files that only
resemble it (another value column, units and statuses inside the code) come in through a mapping file.
"""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from timeline import personal
from timeline.errors import ExtractError
from timeline.ingest import leftover, parse, tabular, written
from timeline.ingest.mapping import Column, Mapping, Pattern, names_of
from timeline.ingest.parse import Source
from timeline.ingest.staged import Staged
from timeline.quote import literal, whole
from timeline.schema import Field

REQUIRED = {"patient_id": "subject_id", "time": "time", "code": "code"}
DATE_ONLY = "date_only"
"""A column beside those of the standard, whose times have no day precision: whether the time is a bare date."""
BIRTH = Pattern(match="MEDS_BIRTH", fact="birth_date")
"""The standard's own code of a birth; its code of a death, MEDS_DEATH, is in the value sets."""
SPLITS = ("train", "tuning", "held_out")
UNITS = ("ucum", "unit", "units")
"""Columns of metadata/codes.parquet that some makers of MEDS folders add: the unit of a code's values."""
CODES = "metadata/codes.parquet"
WHOLE = {"FLOAT": 2**24, "DOUBLE": 2**53}
"""From here on a floating-point number cannot tell a whole number from the next."""
TABLES = {
    "data": (
        Field("subject_id", "BIGINT", "whose event it is", nullable=False),
        Field(
            "time", "TIMESTAMP", "when; empty: rejected, unless the code is a baseline fact or one about the patient"
        ),
        Field("code", "VARCHAR", "the source's code", nullable=False),
        Field("numeric_value", "FLOAT", "the number, by its shortest decimal: 100.4, not 100.40000153"),
        Field("text_value", "VARCHAR", "the number's words; without a number, the value itself: `<0.5` is a bound"),
        Field("unit", "VARCHAR", "beside the standard: the value's unit, before that of its code"),
        Field("route", "VARCHAR", "beside the standard: the route of administration"),
        Field("end_time", "TIMESTAMP", "beside the standard: when it ended"),
        Field("date_only", "BOOLEAN", "beside the standard: whether the time is a bare date"),
    ),
    CODES: (
        Field("code", "VARCHAR", "the code that is told about", nullable=False),
        Field("description", "VARCHAR", "for `timeline map`: its name"),
        Field("parent_codes", "VARCHAR[]", "what it stands for: looked up among the value sets"),
        Field("unit", "VARCHAR", "also `ucum` or `units`, where there is one: the unit of the code's values"),
    ),
}
IGNORED = {
    "metadata/subject_splits.parquet": "which patients a model learns from: no event",
    "metadata/dataset.json": "name and version of the data set: no event",
}


def claims(path: Path) -> bool:
    """Whether `path` is a MEDS folder, a folder of MEDS-like Parquet files, or one such file."""
    files = shards(path)
    return bool(files) and {"subject_id", "code"} <= set(_header(files[0]))


def shards(path: Path) -> list[Path]:
    """The Parquet files that hold events, in the order of their names."""
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    inside = _inside(path / "data") or sorted(one for one in path.glob("*.parquet") if not one.name.startswith("."))
    return inside or sorted(file for split in SPLITS for file in _inside(path / split))


def _inside(folder: Path) -> list[Path]:
    """Its Parquet files, but those that are hidden or in a hidden folder, as writers leave them."""
    found = sorted(folder.rglob("*.parquet"))
    return [one for one in found if not any(part.startswith(".") for part in one.relative_to(folder).parts)]


def stage(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return one record a shard; raise ExtractError where a file is no Parquet or lacks a column."""
    files = shards(path)
    if not files:
        raise ExtractError(f"{path}: no Parquet file here; a MEDS extract has data/**/*.parquet")
    metadata = codes_file(path)
    told = _metadata(con, metadata) if metadata is not None else Metadata()
    known = (mapping or Mapping(name="MEDS")).extended(told.parents, BIRTH, units=told.units, ranked=False)
    staged = [_shard(con, file, _name(file, path), known, metadata) for file in files]
    notes = [*told.notes, *_not_read(path, files, known)]
    return [replace(staged[0], notes=(*staged[0].notes, *notes)), *staged[1:]]


def _not_read(path: Path, files: list[Path], mapping: Mapping) -> list[str]:
    left = leftover.beside(path, files, (CODES, *IGNORED, mapping.name)) if path.is_dir() else []
    return [f"files not read, since no events of MEDS are in them: {leftover.named(left)}"] if left else []


def codes_file(path: Path) -> Path | None:
    """The folder's own table of codes, also where `path` is its folder of data."""
    roots = (path, path.parent) if path.name == "data" else (path,)
    return next((root / CODES for root in roots if (root / CODES).is_file()), None)


def descriptions(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """What the extract's own metadata calls its codes."""
    metadata = codes_file(path)
    if metadata is None or not {"code", "description"} <= set(_columns(con, metadata, CODES)):
        return {}
    said = "trim(CAST(code AS VARCHAR)) AS code, CAST(description AS VARCHAR) AS description"
    return dict(
        con.execute(f"""SELECT code, min(description) FROM (SELECT {said} FROM {_scan(metadata)})
            WHERE code IS NOT NULL AND trim(description) <> '' GROUP BY code""").fetchall()
    )


def _shard(con: duckdb.DuckDBPyConnection, file: Path, name: str, mapping: Mapping, metadata: Path | None) -> Staged:
    relation, types = tabular.parquet_rows(file, _columns(con, file, name))
    columns = _staged_columns(types, name, mapping)
    rows = tabular.Rows(name, file, relation, types, None)
    subject, inexact = _subject(columns["patient_id"], {**REQUIRED, **mapping.columns}["patient_id"], types)
    refused = tabular.refused(rows, dict(mapping.columns), mapping, inexact)
    unused = [theirs for theirs in types if not any(whole(theirs) in sql for sql in columns.values())]
    columns.pop("status", None)
    columns["patient_id"] = subject
    return Staged(
        source_file=name,
        path=file,
        format="meds",
        kind="events",
        relation=relation,
        columns=columns,
        own=tuple(types),
        refused=refused,
        mapping=mapping,
        notes=(f"columns not used: {personal.listed(unused)}",) if unused else (),
        digest=_digest(file, metadata) if metadata is not None else None,
        reads=tuple(field for field in TABLES["data"] if field.name in types),
    )


def _subject(sql: str, source: Column, types: dict[str, str]) -> tuple[str, list[str]]:
    """Whose event it is, as a whole number; WHEN ... THEN why a floating-point number says nobody."""
    limit = WHOLE.get(types[source]) if isinstance(source, str) else None
    if limit is None:
        written = isinstance(source, str) and types[source].startswith(("VARCHAR", "DECIMAL"))
        return parse.whole(f"CAST({sql} AS VARCHAR)") if written else sql, []
    exact = f"(abs({sql}) < {limit} AND {sql} = trunc({sql}))"
    said = literal(f"{source} is a floating-point number that does not say which patient; write whole numbers or text")
    text = f"CASE WHEN {exact} THEN CAST(TRY_CAST({sql} AS BIGINT) AS VARCHAR) ELSE CAST({sql} AS VARCHAR) END"
    return text, [f"WHEN NOT {exact} THEN {said}"]


def _digest(*files: Path) -> str:
    """Of the rows and of what the metadata says of their codes: where either changes, the events do."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def _staged_columns(types: dict[str, str], name: str, mapping: Mapping) -> dict[str, str]:
    """The expression of each staged column: as the mapping renames it, else as MEDS or we ourselves call it."""
    asked: dict[str, Column] = {**REQUIRED, **mapping.columns}
    lacking = {theirs: ours for ours, source in asked.items() for theirs in names_of(source) if theirs not in types}
    if lacking:
        missing = ", ".join(f"`{theirs}` (for {ours})" for theirs, ours in lacking.items())
        raise ExtractError(
            f"{name}: no column {missing}; {personal.columns_told(types)}. "
            "Another name is given under `columns` of a mapping file (--mapping)"
        )
    asked = {ours: ours for ours in ("end_time", "unit", "route") if ours in types} | asked
    columns = {ours: written.column(ours, source, types, mapping.read) for ours, source in asked.items()}
    if DATE_ONLY in types:
        # As text a bare date stays one.
        text = f"CAST({columns['time']} AS VARCHAR)"
        columns["time"] = f"CASE WHEN TRY_CAST({whole(DATE_ONLY)} AS BOOLEAN) THEN left({text}, 10) ELSE {text} END"
    return _values(types, mapping) | columns


def _values(types: dict[str, str], mapping: Mapping) -> dict[str, str]:
    """Value and text: a number where there is one, else the words, which may be a bounded number (`<0.5`)."""
    if "value" in mapping.columns or "numeric_value" not in types:
        theirs = {"value": "value", "text": "text_value"}
        return {ours: whole(name) for ours, name in theirs.items() if name in types}
    number = whole("numeric_value")
    if "text_value" not in types:
        return {"value": number}
    # As text, whatever their types, so that one column can hold both. DuckDB writes the shortest decimal of a FLOAT:
    # 100.4, not 100.40000153.
    written, words = (parse.text(Source(whole(name), types[name])) for name in ("numeric_value", "text_value"))
    return {
        "value": f"coalesce({written}, {words})",
        "text": f"CASE WHEN {number} IS NOT NULL THEN {words} END",
    }


@dataclass(frozen=True)
class Metadata:
    """What the extract's own table says of its codes."""

    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _metadata(con: duckdb.DuckDBPyConnection, file: Path) -> Metadata:
    """The parents and units of codes; a code that is there twice stands for all that its rows say."""
    types = _columns(con, file, CODES)
    if "code" not in types:
        return Metadata(notes=(f"{CODES}: no column `code`, so that nothing of it is used",))
    rows = f"(SELECT * REPLACE (trim(CAST(code AS VARCHAR)) AS code) FROM {_scan(file)} WHERE code IS NOT NULL)"
    notes: list[str] = []
    parents: dict[str, tuple[str, ...]] = {}
    if types.get("parent_codes", "").endswith("[]"):
        said = con.execute(
            f"SELECT code, TRY_CAST(parent_codes AS VARCHAR[]) FROM {rows} WHERE len(parent_codes) > 0"
        ).fetchall()
        for code, codes in said:
            named = [*parents.get(code, ()), *(one for one in codes or () if one is not None)]
            parents[code] = tuple(dict.fromkeys(named))
    elif "parent_codes" in types:
        notes.append(f"{CODES}: `parent_codes` is no list, so that it is not used")
    there = [name for name in UNITS if name in types]
    unit = next((name for name in there if types[name] == "VARCHAR"), None)
    if unit is None:
        notes += [f"{CODES}: `{name}` is no text, so that it is not used" for name in there]
        return Metadata(parents, {}, tuple(notes))
    found = con.execute(f"""SELECT code, min({whole(unit)}), count(DISTINCT trim({whole(unit)})) FROM {rows}
        WHERE trim({whole(unit)}) <> '' GROUP BY code ORDER BY code""").fetchall()
    if several := sum(n > 1 for _, _, n in found):
        notes.append(f"{CODES}: codes with several units, of which none is used: {several}")
    return Metadata(parents, {code: one for code, one, n in found if n == 1}, tuple(notes))


def _scan(file: Path) -> str:
    return f"read_parquet({literal(str(file))})"


def _columns(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> dict[str, str]:
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {_scan(file)}").fetchall()
    except duckdb.Error:
        raise ExtractError(f"{name}: this is not a Parquet file, or it is damaged") from None
    return {column: kind for column, kind, *_ in described}


def _header(file: Path) -> list[str]:
    try:
        with duckdb.connect() as con:
            return list(_columns(con, file, file.name))
    except ExtractError:
        return []


def _name(file: Path, path: Path) -> str:
    return file.name if path.is_file() else file.relative_to(path).as_posix()

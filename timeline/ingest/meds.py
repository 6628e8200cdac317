"""Extracts of the Medical Event Data Standard (MEDS), and Parquet files like it -> staged rows; knows no medicine.

A conform folder has `data/**/*.parquet` (subject_id, time, code, numeric_value, text_value) and
`metadata/codes.parquet`, whose `parent_codes` say which codes of a vocabulary a local code stands for. Files that only
resemble it (another value column, units and statuses inside the code) come in through a mapping file.
"""

from dataclasses import replace
from pathlib import Path

import duckdb

from timeline.errors import ExtractError
from timeline.ingest.mapping import Mapping, Pattern
from timeline.ingest.staged import Staged
from timeline.quote import identifier, literal
from timeline.schema import Field

TABLES: dict[str, tuple[Field, ...]] = {
    "data": (
        Field("subject_id", "VARCHAR", "the patient", nullable=False),
        Field("time", "TIMESTAMP", "the time; empty is for baseline facts only"),
        Field("code", "VARCHAR", "the code; MEDS_BIRTH becomes the date of birth", nullable=False),
        Field("numeric_value", "DOUBLE", "the value, where there is a number"),
        Field("text_value", "VARCHAR", "else the value, which may be a number with `<`; beside a number, the text"),
        Field("end_time", "TIMESTAMP", "the end of what lasts"),
        Field("unit", "VARCHAR", "the unit; empty is the concept's own, and counted"),
        Field("route", "VARCHAR", "the route of administration"),
    ),
    "metadata/codes": (
        Field("code", "VARCHAR", "the code", nullable=False),
        Field("parent_codes", "VARCHAR[]", "codes of vocabularies that it also stands for"),
    ),
}
"""What is read of each table; a mapping may give a column another name."""
IGNORED: dict[str, str] = {
    "any other column": "named in the report of the ingest; a mapping renames columns",
    "metadata/dataset.json": "says who made the files, and nothing of patients",
    "metadata/subject_splits.parquet": "parts patients for machine learning",
    "description of metadata/codes.parquet": "titles are those of concepts",
}
REQUIRED = {"patient_id": "subject_id", "time": "time", "code": "code"}
BIRTH = Pattern(match="MEDS_BIRTH", fact="birth_date")
"""The standard's own code of a birth; its code of a death, MEDS_DEATH, is in the value sets."""


def claims(path: Path) -> bool:
    """Whether `path` is a MEDS folder, a folder of MEDS-like Parquet files, or one such file."""
    files = shards(path)
    return bool(files) and {"subject_id", "code"} <= set(_header(files[0]))


def shards(path: Path) -> list[Path]:
    """The Parquet files that hold events, in the order of their names."""
    if path.is_file():
        return [path] if path.suffix == ".parquet" else []
    inside = sorted((path / "data").rglob("*.parquet"))
    return inside or sorted(path.glob("*.parquet"))


def stage(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return one record a shard; raise ExtractError where a file is no Parquet or lacks a column."""
    files = shards(path)
    if not files:
        raise ExtractError(f"{path}: no Parquet file here; a MEDS extract has data/**/*.parquet")
    mapping = _with_parents(con, path, mapping)
    return [_shard(con, file, _name(file, path), mapping) for file in files]


def _shard(con: duckdb.DuckDBPyConnection, file: Path, name: str, mapping: Mapping) -> Staged:
    own = _columns(con, file, name)
    columns = _staged_columns(own, name, mapping)
    used = {theirs for theirs in own if any(identifier(theirs) in sql for sql in columns.values())}
    unused = [theirs for theirs in own if theirs not in used]
    return Staged(
        source_file=name,
        path=file,
        format="meds",
        kind="events",
        relation=f"(SELECT * EXCLUDE (file_row_number), CAST(file_row_number + 1 AS UBIGINT) AS source_row "
        f"FROM read_parquet({literal(str(file))}, file_row_number = true))",
        columns=columns,
        own=tuple(own),
        mapping=mapping,
        notes=(f"columns not used: {', '.join(unused)}",) if unused else (),
        reads=_reads(own, mapping),
    )


def _reads(own: list[str], mapping: Mapping) -> tuple[Field, ...]:
    """The fields of `TABLES` under the names that the file has for them."""
    ours = {theirs: ours for ours, theirs in REQUIRED.items()} | {"numeric_value": "value", "text_value": "text"}
    found = []
    for field in TABLES["data"]:
        named = mapping.columns.get(ours.get(field.name, field.name))
        # In a column of another name numbers and words stand together.
        type = "VARCHAR" if named and field.name == "numeric_value" else field.type
        found.append(replace(field, name=named or field.name, type=type))
    return tuple({field.name: field for field in found if field.name in own}.values())


def _staged_columns(own: list[str], name: str, mapping: Mapping) -> dict[str, str]:
    """The expression of each staged column: as the mapping renames it, else as MEDS or we ourselves call it."""
    lacking = {ours: theirs for ours, theirs in mapping.columns.items() if theirs not in own}
    lacking |= {o: t for o, t in REQUIRED.items() if o not in mapping.columns and t not in own}
    if lacking:
        missing = ", ".join(f"`{theirs}` (for {ours})" for ours, theirs in lacking.items())
        raise ExtractError(
            f"{name}: no column {missing}; the file has {', '.join(own)}. "
            "Another name is given under `columns` of a mapping file (--mapping)"
        )
    named = {ours: ours for ours in ("end_time", "unit", "route") if ours in own} | REQUIRED
    columns = {ours: identifier(theirs) for ours, theirs in (named | dict(mapping.columns)).items()}
    return _values(own, mapping) | columns


def _values(own: list[str], mapping: Mapping) -> dict[str, str]:
    """Value and text: a number where there is one, else the words, which may be a bounded number (`<0.5`)."""
    if "value" in mapping.columns or "numeric_value" not in own:
        theirs = {"value": "value", "text": "text_value"}
        return {ours: identifier(name) for ours, name in theirs.items() if name in own}
    number = identifier("numeric_value")
    if "text_value" not in own:
        return {"value": number}
    words = identifier("text_value")
    # As text, so that one column can hold both. DuckDB writes the shortest decimal of a FLOAT: 100.4, not 100.40000153.
    return {
        "value": f"coalesce(CAST(CASE WHEN NOT isnan({number}) THEN {number} END AS VARCHAR), {words})",
        "text": f"CASE WHEN {number} IS NOT NULL THEN {words} END",
    }


def _with_parents(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping | None) -> Mapping:
    """The mapping, knowing what the extract's own metadata says of its codes, and the standard's birth code."""
    given = mapping or Mapping(name="MEDS")
    metadata = path / "metadata" / "codes.parquet"
    parents: dict[str, tuple[str, ...]] = {}
    if metadata.is_file():
        own = _columns(con, metadata, "metadata/codes.parquet")
        if {"code", "parent_codes"} <= set(own):
            rows = con.execute(
                f"SELECT code, parent_codes FROM read_parquet({literal(str(metadata))}) WHERE len(parent_codes) > 0"
            ).fetchall()
            parents = {code: tuple(codes) for code, codes in rows}
    return given.extended(parents, BIRTH)


def _columns(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> list[str]:
    try:
        return [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(file))})").fetchall()]
    except duckdb.Error:
        raise ExtractError(f"{name}: this is not a Parquet file, or it is damaged") from None


def _header(file: Path) -> list[str]:
    try:
        with duckdb.connect() as con:
            return _columns(con, file, file.name)
    except ExtractError:
        return []


def _name(file: Path, path: Path) -> str:
    return file.name if path.is_file() else file.relative_to(path).as_posix()

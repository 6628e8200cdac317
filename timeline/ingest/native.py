"""The native format: events and patients as CSV (.gz, .zst) or Parquet -> staged rows; knows no concept and no unit."""

from dataclasses import replace
from pathlib import Path

import duckdb

from timeline.errors import ExtractError
from timeline.ingest import csvfile
from timeline.ingest.staged import EVENT_COLUMNS, PATIENT_COLUMNS, REQUIRED, CodeMapping, Staged
from timeline.quote import identifier, literal
from timeline.schema import Field

COLUMNS = {"events": EVENT_COLUMNS, "patients": PATIENT_COLUMNS}
TABLES: dict[str, tuple[Field, ...]] = {
    "events": (
        Field("patient_id", "VARCHAR", "the patient", nullable=False),
        Field("time", "TIMESTAMP", "the time; a bare date is midnight, and empty is for baseline facts only"),
        Field("end_time", "TIMESTAMP", "the end of what lasts"),
        Field("code", "VARCHAR", "the code, which value sets and mappings give a concept", nullable=False),
        Field("value", "VARCHAR", "the value: a number, a number with `<`, `<=`, `>` or `>=`, or words"),
        Field("unit", "VARCHAR", "the unit; empty is the concept's own, and counted"),
        Field("text", "VARCHAR", "the words of the event"),
        Field("route", "VARCHAR", "the route of administration"),
    ),
    "patients": (
        Field("patient_id", "VARCHAR", "the patient", nullable=False),
        Field("sex", "VARCHAR", "`sex` of the patient"),
        Field("birth_date", "DATE", "`birth_date` of the patient"),
    ),
}
"""What is read of each file; a mapping may give a column another name."""
IGNORED: dict[str, str] = {"any other column": "named in the report of the ingest; a mapping renames columns"}
MARK = b"PAR1"
"""A Parquet file begins and ends with it."""


def claims(path: Path) -> bool:
    """Whether `path` is a file or a folder of the native format."""
    return bool(files(path))


def files(path: Path) -> list[Path]:
    """The files of an extract, patients last: `events*` and `patients*` of a folder, or the one file."""
    if path.is_file():
        return [path] if _is_data(path) else []
    found = [one for one in sorted(path.glob("*")) if one.is_file() and _is_data(one)]
    named = [one for one in found if one.name.lower().startswith(("events", "patients"))]
    return sorted(named, key=lambda one: (_kind(one) == "patients", one.name))


def _is_data(path: Path) -> bool:
    return csvfile.is_csv(path) or path.suffix.lower() == ".parquet"


def _kind(path: Path) -> str:
    return "patients" if path.name.lower().startswith("patients") else "events"


def stage(con: duckdb.DuckDBPyConnection, path: Path, mapping: CodeMapping | None, scratch: str) -> list[Staged]:
    """Return one record a file; raise ExtractError where one cannot be read as events or patients."""
    found = files(path)
    if not found:
        raise ExtractError(
            f"{path}: no events here; an extract is a file or folder with events.csv (.gz, .zst) or .parquet"
        )
    return [_file(con, one, path, mapping, f"{scratch}_{number}") for number, one in enumerate(found)]


def _file(con: duckdb.DuckDBPyConnection, file: Path, root: Path, mapping: CodeMapping | None, table: str) -> Staged:
    name = file.name if root.is_file() else file.relative_to(root).as_posix()
    own = csvfile.header(con, file, name) if csvfile.is_csv(file) else parquet_columns(con, file, name)
    kind = _kind(file)
    if kind == "events" and "code" not in own and {"sex", "birth_date"} & set(own):
        kind = "patients"
    columns, notes = _columns(kind, own, name, mapping)
    rejected = None
    if csvfile.is_csv(file):
        rejected = csvfile.read(con, file, name, own, table)
        relation = table
    else:
        relation = (
            f"(SELECT * EXCLUDE (file_row_number), CAST(file_row_number + 1 AS UBIGINT) AS source_row "
            f"FROM read_parquet({literal(str(file))}, file_row_number = true))"
        )
    return Staged(
        source_file=name,
        path=file,
        format="native",
        kind="patients" if kind == "patients" else "events",
        relation=relation,
        columns={ours: identifier(theirs) for ours, theirs in columns.items()},
        own=tuple(own),
        rejected=rejected,
        mapping=mapping,
        notes=notes,
        reads=tuple(replace(field, name=columns[field.name]) for field in TABLES[kind] if field.name in columns),
    )


def parquet_columns(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> list[str]:
    """The column names of a Parquet file; raise ExtractError where it is none."""
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
        return [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(str(file))})").fetchall()]
    except duckdb.Error:
        raise ExtractError(f"{name}: the file is damaged: it cannot be read as Parquet") from None


def _columns(
    kind: str, own: list[str], name: str, mapping: CodeMapping | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Staged column -> the file's column; every missing or misspelt name at once."""
    renamed = {ours: theirs for ours, theirs in (mapping.columns if mapping else {}).items() if ours in COLUMNS[kind]}
    found = {ours: renamed.get(ours, ours) for ours in COLUMNS[kind] if renamed.get(ours, ours) in own}
    wrong_case = {
        ours: theirs
        for ours in COLUMNS[kind]
        if ours not in found
        for theirs in own
        if theirs.strip().lower() == renamed.get(ours, ours).lower()
    }
    said = [f"column `{theirs}` must be written `{renamed.get(ours, ours)}`" for ours, theirs in wrong_case.items()]
    missing = [renamed.get(ours, ours) for ours in REQUIRED[kind] if ours not in found and ours not in wrong_case]
    if missing:
        listed = ", ".join(f"`{one}`" for one in missing)
        said.append(f"column{'s' if len(missing) > 1 else ''} {listed} missing; the file has {', '.join(own)}")
    if said:
        raise ExtractError(f"{name}: {'; '.join(said)}")
    unused = [theirs for theirs in own if theirs not in found.values()]
    return found, (f"{name}: columns not used: {', '.join(unused)}",) if unused else ()

"""The native format, and what a mapping file makes like it: CSV (.gz, .zst) and Parquet -> staged rows.

Finds the files of an extract and the mapping's entry for each; knows no concept and no unit.
"""

from dataclasses import replace
from pathlib import Path

import duckdb

from timeline.errors import ExtractError
from timeline.ingest import csvfile, leftover, tabular
from timeline.ingest.mapping import Mapping, Table
from timeline.ingest.staged import EVENT_COLUMNS, PATIENT_COLUMNS, Staged
from timeline.schema import Field

TABLES = {
    kind: tuple(Field(name, *tabular.MEANINGS[name], nullable=name not in tabular.FILLED) for name in names)
    for kind, names in (("events", EVENT_COLUMNS), ("patients", PATIENT_COLUMNS))
}
"""What is read of an events and of a patients file; any other column is reported, and ignored."""
IGNORED: dict[str, str] = {"any other column": "named in the report of the ingest; a mapping may read it"}


def claims(path: Path) -> bool:
    """Whether `path` is a file or a folder of the native format."""
    return bool(files(path, None))


def files(path: Path, mapping: Mapping | None) -> list[Path]:
    """The files of an extract, patients last: `events*` and `patients*` of a folder, or the one file.

    With a mapping that has `tables`, all files that it names, wherever in the folder they are.
    """
    if path.is_file():
        return [path] if _is_data(path) or _table(path, mapping) is not None else []
    chosen = [one for one in _inside(path, mapping) if _is_read(one, path, mapping)]
    return sorted(chosen, key=lambda one: (_kind(one, mapping) == "patients", one.relative_to(path).as_posix()))


def _inside(path: Path, mapping: Mapping | None) -> list[Path]:
    found = path.rglob("*") if mapping is not None and mapping.tables else path.glob("*")
    return [one for one in sorted(found) if one.is_file()]


def _is_read(file: Path, root: Path, mapping: Mapping | None) -> bool:
    table = _table(file, mapping)
    if table is not None:
        return not table.ignore
    return file.parent == root and _is_data(file) and file.name.lower().startswith(("events", "patients"))


def _is_data(path: Path) -> bool:
    return csvfile.is_csv(path) or path.suffix.lower() == ".parquet"


def _table(file: Path, mapping: Mapping | None) -> Table | None:
    return mapping.table(file.name) if mapping is not None else None


def _kind(file: Path, mapping: Mapping | None) -> str:
    said = _table(file, mapping)
    if said is not None and said.kind is not None:
        return said.kind
    return "patients" if file.name.lower().startswith("patients") else "events"


def stage(con: duckdb.DuckDBPyConnection, path: Path, mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return one record a file or wide column; raise ExtractError where one cannot be read as events or patients."""
    found = files(path, mapping)
    if not found:
        raise ExtractError(
            f"{path}: no events here; an extract is a file or folder with events.csv (.gz, .zst) or .parquet"
            + ("" if mapping is None else f", or with the `tables` of the mapping {mapping.name}")
        )
    read = [_rows(con, file, path, mapping, f"{scratch}_{number}") for number, file in enumerate(found)]
    sheets = [tabular.sheet(rows, table, mapping or Mapping(name="")) for rows, table in read]
    staged = [
        one
        for rows, table in read
        for one in tabular.staged(rows, _kind_of(rows, table, mapping), table, mapping, sheets)
    ]
    notes = (*staged[0].notes, *_not_read(path, found, mapping))
    return [replace(staged[0], notes=notes), *staged[1:]]


def _rows(
    con: duckdb.DuckDBPyConnection, file: Path, root: Path, mapping: Mapping | None, scratch: str
) -> tuple[tabular.Rows, Table]:
    name = file.name if root.is_file() else file.relative_to(root).as_posix()
    table = _table(file, mapping) or Table()
    writing = table.read.over(mapping.read) if mapping is not None else table.read
    return tabular.rows(con, file, name, writing, scratch), table


def _kind_of(rows: tabular.Rows, table: Table, mapping: Mapping | None) -> str:
    if table.kind is None and table.code is None and not table.values and _has_patients_only(set(rows.types), table):
        return "patients"
    return _kind(rows.path, mapping)


def _has_patients_only(own: set[str], table: Table) -> bool:
    named = own | set(table.columns)
    return "code" not in named and bool({"sex", "birth_date", "birth_year"} & named)


def _not_read(path: Path, found: list[Path], mapping: Mapping | None) -> tuple[str, ...]:
    """What is in the folder and in no table, and which tables are in no file."""
    if path.is_file():
        return ()
    inside = _inside(path, mapping)
    left = leftover.beside(path, found, [mapping.name] if mapping is not None else [])
    left = [name for name in left if (table := _table(Path(name), mapping)) is None or not table.ignore]
    met = {mapping.entry(one.name) for one in inside} if mapping is not None else set()
    absent = [key for key in (mapping.tables if mapping is not None else ()) if key not in met]
    said = [f"files not read, since no table names them: {leftover.named(left)}"] if left else []
    if absent and mapping is not None:
        said.append(f"mapping {mapping.name}: tables that no file has: {', '.join(absent)}")
    return tuple(said)

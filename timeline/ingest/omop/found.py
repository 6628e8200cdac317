"""Where the tables of an extract are: files of a folder, shards, tables of a database; knows no column's meaning.

A table is found under its name in any case, with or without something before it (`2b_concept.csv`), as
CSV or Parquet, as one file or a folder of shards, or in any schema of a DuckDB file, be it a table or a view.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from timeline.errors import ExtractError
from timeline.ingest import beside, csvfile, leftover, tabular
from timeline.ingest.mapping import Writing
from timeline.ingest.omop.tables import EVENTS, IGNORED, TABLES, VOCABULARY
from timeline.quote import literal, whole

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection

SUFFIX = re.compile(r"\.(csv|csv\.gz|csv\.zst|parquet)$", re.IGNORECASE)
NAMES = sorted((*TABLES, *IGNORED), key=len, reverse=True)
"""The longest first: `concept_ancestor` before what its end may be."""


@dataclass(frozen=True)
class Found:
    """One table, or one shard of it, as SQL can read it."""

    table: str
    """As the Common Data Model calls it."""
    source_file: str
    path: Path
    relation: str
    """A FROM item with the table's own columns and `source_row`."""
    types: dict[str, str]
    """Own column -> DuckDB type, in the order of the table."""
    columns: dict[str, str]
    """Column in lower case -> own column."""
    rejected: str | None = None
    part: str = ""
    digest: str | None = None
    numbered: bool = True
    """False: its rows have no lasting numbers, and `relation` no `source_row`; such a table is to be copied."""


@dataclass(frozen=True)
class Extract:
    """All that was found, and what there is to say about the rest."""

    tables: tuple[Found, ...]
    notes: tuple[str, ...]

    def of(self, table: str) -> tuple[Found, ...]:
        return tuple(one for one in self.tables if one.table == table)


def table_of(name: str) -> str | None:
    """The table that a file or folder of this name holds: its own name, or one that ends with it."""
    stem = SUFFIX.sub("", name).lower()
    return next((table for table in NAMES if re.fullmatch(rf"(.*[_.-])?{table}", stem)), None)


def files(folder: Path) -> dict[str, list[Path]]:
    """Table -> its files. A name that is the table's wins over one that only ends so; raise ExtractError for two."""
    entries: dict[str, list[tuple[Path, list[Path]]]] = {}
    for entry in sorted(folder.iterdir()):
        shards = _shards(entry)
        table = table_of(entry.name) if shards else None
        if table is not None:
            entries.setdefault(table, []).append((entry, shards))
    return {table: _one(table, found) for table, found in entries.items()}


def _shards(entry: Path) -> list[Path]:
    if entry.is_dir():
        return [one for one in sorted(entry.rglob("*")) if one.is_file() and SUFFIX.search(one.name)]
    return [entry] if SUFFIX.search(entry.name) else []


def _one(table: str, found: Sequence[tuple[Path, list[Path]]]) -> list[Path]:
    exact = [one for one in found if SUFFIX.sub("", one[0].name).lower() == table] or list(found)
    if len(exact) > 1:
        named = " and ".join(entry.name for entry, _ in exact)
        raise ExtractError(f"{named}: both would be the table {table}; leave one of them in the folder")
    return exact[0][1]


def is_extract(con: "Connection", tables: Mapping[str, Sequence[Any]], catalog: str = "") -> bool:
    """Whether these files, or tables of a database, are an extract: persons and events, or unmistakable events."""
    events = [table for table in EVENTS if tables.get(table)]
    return bool(events) and ("person" in tables or any(_unmistakable(con, tables[one][0], catalog) for one in events))


def _unmistakable(con: "Connection", place: Any, catalog: str) -> bool:
    """Whether the columns are a person's and a concept's."""
    try:
        if catalog:
            schema, table = place
            relation = f"{catalog}.{whole(schema)}.{whole(table)}"
            columns = _headed(con, relation, _described(con, relation))
        else:
            columns = names_in(con, place) or ()
    except duckdb.Error:
        return False
    return "person_id" in columns and any(name.endswith("_concept_id") for name in columns)


def names_in(con: "Connection", file: Path) -> set[str] | None:
    """The names of a file's columns in lower case, whatever stands between them; None where it cannot be read.

    The rest of the file may be as it will: what is wrong with it, reading it says.
    """
    try:
        if not csvfile.is_csv(file):
            return set(named(_described(con, f"read_parquet({literal(str(file))})")))
        read = f"read_csv({literal(str(file))}, {csvfile.LINES}, encoding = 'latin-1', strict_mode = false)"
        rows = con.execute(f"SELECT line FROM {read} LIMIT 1").fetchall()
    except duckdb.Error:
        return None
    line = rows[0][0] if rows and rows[0][0] else ""
    plain = line.encode("latin-1", "replace").decode("utf-8-sig", "ignore").replace("\0", "")
    return {name.strip().strip('"').lower() for name in re.split(r"[,;\t|]", plain)}


def in_folder(con: "Connection", path: Path, writing: Writing, scratch: str) -> Extract:
    """The tables of a folder, or the one file, in this writing; empty files are named, not fatal."""
    held = files(path) if path.is_dir() else {table_of(path.name) or "": [path]}
    found, notes = [], []
    for table in TABLES:
        for number, file in enumerate(held.get(table, ())):
            name = file.name if path.is_file() else file.relative_to(path).as_posix()
            if _is_empty(con, file):
                notes.append(f"{name}: the file is empty")
                continue
            found.append(_file(con, table, file, name, writing, f"{scratch}_{table}_{number}"))
    used = [file for files in held.values() for file in files]
    if others := leftover.beside(path, used) if path.is_dir() else []:
        notes.append(f"no tables of the OMOP CDM, and not read: {leftover.named(others)}")
    return Extract(tuple(found), (*notes, *_not_read(held)))


def _not_read(tables: Iterable[str]) -> list[str]:
    left = sorted(set(tables) & set(IGNORED))
    return [f"OMOP tables that are not read: {', '.join(left)}"] if left else []


def _is_empty(con: "Connection", file: Path) -> bool:
    if file.stat().st_size == 0:
        return True
    if not csvfile.is_csv(file) or file.suffix.lower() == ".csv":
        return False
    try:
        return _first_line(con, file) is None
    except duckdb.Error:
        return False  # damaged: said where it is read


def _first_line(con: "Connection", file: Path) -> str | None:
    rows = con.execute(f"SELECT line FROM read_csv({literal(str(file))}, {csvfile.LINES}) LIMIT 1").fetchall()
    return rows[0][0] if rows else None


def _file(con: "Connection", table: str, file: Path, name: str, writing: Writing, scratch: str) -> Found:
    if table in VOCABULARY:
        return _dictionary(con, table, file, name)
    rows = tabular.rows(con, file, name, writing, scratch)
    return Found(table, name, file, rows.relation, rows.types, named(rows.types), rows.rejected)


def dictionaries(con: "Connection", folder: Path, table: str) -> tuple[Found, ...]:
    """The files of one vocabulary table of a folder."""
    return tuple(_dictionary(con, table, file, file.name) for file in files(folder).get(table, ()))


def _dictionary(con: "Connection", table: str, file: Path, name: str) -> Found:
    """A vocabulary table: looked things up in, so read where it lies; CSV also with tabs, as Athena writes it."""
    read = f"read_parquet({literal(str(file))})"
    try:
        if csvfile.is_csv(file):
            tabs = "\t" in (_first_line(con, file) or "")
            dialect = "delim = '\t', quote = '', escape = ''" if tabs else "delim = ',', quote = '\"', escape = '\"'"
            options = "header = true, all_varchar = true, ignore_errors = true"
            read = f"read_csv({literal(str(file))}, {dialect}, {options})"
        types = _described(con, read)
    except duckdb.Error:
        raise ExtractError(f"{name}: the file is damaged: it cannot be read") from None
    return Found(table, name, file, read, types, named(types))


def named(types: Iterable[str]) -> dict[str, str]:
    """Column in lower case -> own column."""
    return {name.strip().lower(): name for name in types}


def _headed(con: "Connection", place: str, types: dict[str, str]) -> dict[str, str]:
    """The columns of a table; one that was loaded without its names (`column0`) has them in its first row."""
    columns = named(types)
    if all(re.fullmatch(r"column\d+", name) for name in columns):
        for row in con.execute(f"SELECT * FROM {place} LIMIT 1").fetchall():
            columns |= {str(said).strip().lower(): name for said, name in zip(row, types, strict=True)}
    return columns


def _described(con: "Connection", relation: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def tables_of_database(con: "Connection", catalog: str) -> dict[str, list[tuple[str, str]]]:
    """Table of the Common Data Model -> (schema, table) under that name in any case, of an attached database."""
    rows = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? UNION SELECT schema_name, "
        "view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal ORDER BY ALL",
        [catalog, catalog],
    ).fetchall()
    held: dict[str, list[tuple[str, str]]] = {}
    for schema, table in rows:
        if table.lower() in TABLES or table.lower() in IGNORED:
            held.setdefault(table.lower(), []).append((schema, table))
    return held


def in_database(con: "Connection", path: Path, catalog: str, shown: str, numbered: bool = True) -> Extract:
    """The tables of an attached database, `shown` in names and messages; `numbered`: its rows have lasting numbers."""
    held = tables_of_database(con, catalog)
    views = set(
        con.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ?", [catalog]).fetchall()
    )
    if len(held.get("person", ())) > 1:
        schemas = " and ".join(schema for schema, _ in held["person"])
        raise ExtractError(f"{shown}: the schemas {schemas} both hold a table person; copy one into a file of its own")
    home = held["person"][0][0] if "person" in held else None
    found = []
    for name in TABLES:
        places = held.get(name, [])
        chosen = [one for one in places if one[0] == home] or places
        if len(chosen) > 1:
            schemas = " and ".join(schema for schema, _ in chosen)
            raise ExtractError(f"{shown}: {name} is in the schemas {schemas}, and person in neither")
        for schema, table in chosen:
            place = f"{catalog}.{whole(schema)}.{whole(table)}"
            lasting = numbered and (schema, table) not in views
            try:
                own = _described(con, place)
                rows, types = _beside(place, own, lasting)
                columns = _headed(con, place, types)
            except duckdb.Error:
                raise ExtractError(
                    f"{shown}: {name} cannot be read: is it a view of something that is not here?"
                ) from None
            found.append(Found(name, f"{shown}#{name}", path, rows, types, columns, part=name, numbered=lasting))
    return Extract(tuple(found), tuple(_not_read(held)))


def _beside(place: str, own: dict[str, str], numbered: bool) -> tuple[str, dict[str, str]]:
    """The rows of a table, `numbered` with `source_row`, and its columns, none of which has a name of ours."""
    number = "row_number() OVER ()" if beside.has(own, "rowid") else "rowid + 1"
    counted = f", CAST({number} AS UBIGINT) AS source_row" if numbered else ""
    called = beside.called([*own])
    rows = f"(SELECT {beside.columns([*own])}{counted} FROM {place})"
    return rows, {called[name]: kind for name, kind in own.items()}

"""Extracts of the OMOP Common Data Model 5.3 and 5.4 -> staged rows; knows no medicine.

The code of a row is `OMOP/` and its standard concept. What else that code stands for, the extract's
own vocabulary says: its code in a vocabulary such as LOINC, its ancestors. A drug of several
ingredients is also an exposure to each: `FILE#ingredient[1]`, `[2]`, … hold its rows once more.
"""

from collections.abc import Mapping as Named
from dataclasses import replace
from pathlib import Path

import duckdb

from timeline.errors import ExtractError
from timeline.ingest import address
from timeline.ingest.mapping import Mapping, Writing
from timeline.ingest.omop import found, rows, server, vocabulary
from timeline.ingest.omop.tables import EVENTS, IGNORED, TABLES
from timeline.ingest.staged import Staged
from timeline.quote import identifier, literal, whole

__all__ = ["IGNORED", "TABLES", "claims", "descriptions", "stage"]


def claims(path: Path) -> bool:
    """Whether `path` is a folder with persons and events, one file of a table, or a database that holds them."""
    if path.is_dir():
        return found.is_extract(found.files(path))
    if not path.is_file():
        return False
    if is_database(path):
        return found.is_extract(_tables_of(path))
    return (found.table_of(path.name) or "") in ("person", *EVENTS) and found.SUFFIX.sub(
        "", path.name
    ).lower() in TABLES


def is_database(path: Path) -> bool:
    """Whether the file is a DuckDB database."""
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def _tables_of(path: Path) -> Named[str, object]:
    try:
        with duckdb.connect() as con:
            con.execute(f"ATTACH {literal(str(path))} AS asked (READ_ONLY)")
            return found.tables_of_database(con, "asked")
    except duckdb.Error:
        return {}


def stage(con: duckdb.DuckDBPyConnection, path: Path | str, mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return one record a table, shard or ingredient; raise ExtractError where a table cannot be read as one.

    `path` is a folder, a file, or the address of a PostgreSQL server.
    """
    extract = _extract(con, path, mapping, scratch)
    tables = {one.table for one in extract.tables}
    if not tables & {"person", *EVENTS}:
        place = address.shown(path) if isinstance(path, str) else path
        raise ExtractError(f"{place}: no tables of the OMOP CDM here, such as person and drug_exposure")
    rows.check(extract.tables, mapping)
    try:
        return _staged(con, extract, mapping, scratch)
    except duckdb.Error as error:
        damaged = [one.source_file for one in extract.tables if str(one.path) in str(error)]
        if not damaged:
            raise
        raise ExtractError(f"{damaged[0]}: the file is damaged: it cannot be read to its end") from None


def descriptions(con: duckdb.DuckDBPyConnection, path: Path | str) -> dict[str, str]:
    """What the extract's own vocabulary calls the codes of the events that were just read of it."""
    if isinstance(path, Path) and not (path.is_file() and is_database(path)):
        return vocabulary.names(con, found.dictionaries(con, path, "concept") if path.is_dir() else ())
    named = _extract(con, path, None, "named").of("concept")
    try:
        return vocabulary.names(con, named)
    finally:
        con.execute("DETACH named")


def _staged(
    con: duckdb.DuckDBPyConnection, extract: found.Extract, mapping: Mapping | None, scratch: str
) -> list[Staged]:
    ingredients = _look_up(con, extract, mapping, scratch)
    given = (mapping or Mapping(name="OMOP")).extended(vocabulary.parents(con, scratch))
    staged = [rows.person(one, mapping, _births(con, one)) for one in extract.of("person")]
    for table in EVENTS:
        for one in extract.of(table):
            staged += rows.events(con, one, given, scratch, ingredients, _but_for_their_id(con, one))
    said = (*extract.notes, *_vocabulary_notes(con, {one.table for one in extract.tables}, scratch))
    return [replace(staged[0], notes=(*staged[0].notes, *said)), *staged[1:]]


def _extract(con: duckdb.DuckDBPyConnection, path: Path | str, mapping: Mapping | None, scratch: str) -> found.Extract:
    if isinstance(path, str):
        shown = address.shown(path)
        server.attach(con, path, scratch, shown)
        return server.copied(con, found.in_database(con, Path(shown), scratch, shown, numbered=False), scratch)
    if path.is_dir() or not is_database(path):
        return found.in_folder(con, path, mapping.read if mapping else Writing(), scratch)
    try:
        con.execute(f"ATTACH {literal(str(path))} AS {identifier(scratch)} (READ_ONLY)")
    except duckdb.Error:
        raise ExtractError(
            f"{path.name}: the database cannot be opened; is it the study itself, or open in another program?"
        ) from None
    return found.in_database(con, path, scratch, path.name)


def _look_up(con: duckdb.DuckDBPyConnection, extract: found.Extract, mapping: Mapping | None, scratch: str) -> int:
    """Make the tables of `vocabulary.look_up`; return how many ingredients the drug of most has, 0 for less than 2."""
    events = [one for one in extract.tables if one.table in EVENTS]
    coded = [rows.codes(one, mapping) for one in events if EVENTS[one.table].concept]
    none = "SELECT NULL::BIGINT AS id, NULL::BIGINT AS other, FALSE AS drug WHERE FALSE"
    con.execute(f"CREATE TEMP TABLE {scratch}_code AS SELECT DISTINCT * FROM ({' UNION ALL '.join([none, *coded])})")
    seen = ["SELECT NULL::BIGINT AS id WHERE FALSE", *(select for one in events for select in rows.seen(one))]
    con.execute(f"CREATE TEMP TABLE {scratch}_seen AS {' UNION '.join(seen)}")
    vocabulary.look_up(con, extract.of("concept"), extract.of("concept_ancestor"), scratch)
    return con.execute(f"SELECT coalesce(max(place), 0) FROM {scratch}_ingredient").fetchall()[0][0]


def _births(con: duckdb.DuckDBPyConnection, one: found.Found) -> tuple[str, ...]:
    n = rows.without_day(con, one)
    said = "persons have a year of birth without its day; birth_date stays empty, and birth_year holds it"
    return (f"{one.source_file}: {n} {said}",) if n else ()


def _but_for_their_id(con: duckdb.DuckDBPyConnection, one: found.Found) -> tuple[str, ...]:
    """Rows that say what another says, under another id: no duplicates, since their source tells them apart."""
    id = one.columns.get(f"{one.table}_id")
    others = ", ".join(whole(name) for name in one.types if name != id)
    if id is None or not others:
        return ()
    distinct = f"count(DISTINCT hash({whole(id)}, {others})) - count(DISTINCT hash({others}))"
    n = con.execute(f"SELECT {distinct} FROM {one.relation}").fetchall()[0][0]
    return (f"{one.source_file}: {n} rows equal others but for their id; each is an event",) if n else ()


def _vocabulary_notes(con: duckdb.DuckDBPyConnection, tables: set[str], scratch: str) -> list[str]:
    missing = [name for name in ("concept", "concept_ancestor") if name not in tables]
    notes = []
    if missing:
        notes.append(
            f"no table {' and no '.join(missing)}: value sets are asked for OMOP/ concept ids, "
            "not for the codes and ancestors that these tables would add"
        )
    codes, sources = vocabulary.ambiguous(con, scratch)
    if codes:
        notes.append(
            f"{codes} codes stand for several source concepts each ({sources} in all): value sets that hold codes of "
            "those do not reach them; a mapping file with, say, `columns: {code: condition_source_concept_id}` asks "
            "for the source's concept first"
        )
    return notes

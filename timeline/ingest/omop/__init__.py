"""Extracts of the OMOP Common Data Model 5.3 and 5.4 -> staged rows; knows no medicine.

The code of a row is `OMOP/` and its standard concept. What else that code stands for, the extract's
own vocabulary says: its code in a vocabulary such as LOINC, its ancestors. A drug of several
ingredients is also an exposure to each: `FILE#ingredient[1]`, `[2]`, … hold its rows once more.
"""

from dataclasses import replace
from hashlib import file_digest, sha256
from pathlib import Path

import duckdb

from timeline.errors import ExtractError
from timeline.ingest import address
from timeline.ingest.mapping import Mapping, Writing
from timeline.ingest.omop import doubts, found, rows, server, vocabulary
from timeline.ingest.omop.tables import EVENTS, IGNORED, TABLES
from timeline.ingest.staged import Staged
from timeline.quote import identifier, literal, whole

__all__ = ["IGNORED", "TABLES", "claims", "descriptions", "stage"]


def claims(path: Path) -> bool:
    """Whether `path` is a folder or database with persons and events, or with unmistakable events, or one table's file.

    Events are unmistakable whose columns are a person's and a concept's.
    """
    if path.is_file() and not is_database(path):
        return found.SUFFIX.sub("", path.name).lower() in ("person", *EVENTS)
    if not path.exists():
        return False
    with duckdb.connect() as con:
        return found.is_extract(con, found.files(path)) if path.is_dir() else _holds_extract(con, path)


def is_database(path: Path) -> bool:
    """Whether the file is a DuckDB database."""
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def hint(path: Path) -> str:
    """What there is to say of a path that no format claims, and that looks like the model; else empty."""
    held = found.files(path) if path.is_dir() else {found.table_of(path.name) or "": [path]}
    names = [table for table in TABLES if table in held]
    if not names:
        return ""
    start = f"its files have names of tables of the OMOP CDM, {', '.join(names)}"
    events = [one for one in names if one in EVENTS]
    if not events:
        return f"{start}, but none of events, such as drug_exposure"
    with duckdb.connect() as con:
        unread = [file.name for one in events for file in held[one][:1] if found.names_in(con, file) is None]
    if unread:
        return f"{start}, but {unread[0]} cannot be read; `--format omop` says why"
    return (
        f"{start}, but not the columns `person_id` and, say, `{EVENTS[events[0]].concept or 'drug_concept_id'}`; "
        "`--format omop` says what they lack, and `tables` of a mapping file read them as they are"
    )


def _holds_extract(con: duckdb.DuckDBPyConnection, path: Path) -> bool:
    try:
        con.execute(f"ATTACH {literal(str(path))} AS asked (READ_ONLY)")
        return found.is_extract(con, found.tables_of_database(con, "asked"), "asked")
    except duckdb.Error:
        return False


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
    parents, levels = vocabulary.parents(con, scratch)
    given = (mapping or Mapping(name="OMOP")).extended(parents, levels=levels)
    digests = vocabulary.digests(con, scratch)
    staged = [rows.person(one, mapping, doubts.of_persons(con, one, mapping)) for one in extract.of("person")]
    for place, one in enumerate(extract.tables):
        if one.table in EVENTS:
            known = replace(one, digest=_digest(one, digests.get(place)))
            notes = (*_but_for_their_id(con, one), *doubts.of_events(con, one, mapping, scratch))
            staged += rows.events(con, known, given, scratch, ingredients, notes)
    tables = {one.table for one in extract.tables}
    missing = (
        ()
        if "person" in tables
        else ("no table person: the patients are those of the rows, and their sex and date of birth are not known",)
    )
    said = (
        *extract.notes, *missing, *doubts.of_ids(con, extract, scratch), *_vocabulary_notes(con, tables, scratch)
    )  # fmt: skip
    return [replace(staged[0], notes=(*staged[0].notes, *said)), *staged[1:]]


def _digest(one: found.Found, said: str | None) -> str | None:
    """Of the rows and of what the vocabulary says of them: where either changes, the events do."""
    in_one_file = bool(one.part) and one.digest is None
    if said is None or in_one_file:
        return one.digest
    own = one.digest
    if own is None:
        with one.path.open("rb") as file:
            own = file_digest(file, "sha256").hexdigest()
    return sha256(f"{own}/{said}".encode()).hexdigest()


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
    return server.copied(con, found.in_database(con, path, scratch, path.name), scratch)


def _look_up(con: duckdb.DuckDBPyConnection, extract: found.Extract, mapping: Mapping | None, scratch: str) -> int:
    """Make the tables of `vocabulary.look_up`; return how many ingredients the drug of most has, 0 for less than 2."""
    con.execute(f"CREATE TEMP TABLE {scratch}_code (place INTEGER, id BIGINT, other BIGINT, drug BOOLEAN)")
    con.execute(f"CREATE TEMP TABLE {scratch}_seen (place INTEGER, id BIGINT)")
    for place, one in enumerate(extract.tables):
        if one.table not in EVENTS:
            continue
        if EVENTS[one.table].concept and not EVENTS[one.table].apart:
            con.execute(f"INSERT INTO {scratch}_code SELECT {place}, * FROM ({rows.codes(one, mapping)})")
        if seen := " UNION ".join(rows.seen(one)):
            con.execute(f"INSERT INTO {scratch}_seen SELECT {place}, id FROM ({seen})")
    vocabulary.look_up(con, extract, scratch)
    return con.execute(f"SELECT coalesce(max(place), 0) FROM {scratch}_ingredient").fetchall()[0][0]


def _but_for_their_id(con: duckdb.DuckDBPyConnection, one: found.Found) -> tuple[str, ...]:
    """Rows that say what another says, under another id: no duplicates, since their source tells them apart."""
    id = one.columns.get(f"{one.table}_id")
    others = ", ".join(whole(name) for name in one.types if name != id)
    if id is None or not others:
        return ()
    # By a sort, which goes to the disk where it is large, as sets of distinct rows do not.
    n = con.execute(f"""SELECT count(*) FROM (
            SELECT row, said, lag(row) OVER before AS row_before, lag(said) OVER before AS said_before
            FROM (SELECT hash({whole(id)}, {others}) AS row, hash({others}) AS said FROM {one.relation})
            WINDOW before AS (ORDER BY said, row))
        WHERE said = said_before AND row <> row_before""").fetchall()[0][0]
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

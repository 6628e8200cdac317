"""Staged rows as numbers: what repeats is put into small tables, and decided there once; knows no file format.

The staged contract is `staged.Staged`. Whatever is the same for many rows is decided once: patients,
pairs of code and unit, and triples of value, text and route are numbered in small tables; a row is
then ten numbers, and its words come back from the small tables when the event is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.ingest import codes, parse
from timeline.ingest.codes import Resolution
from timeline.ingest.parse import ABSENT, Source
from timeline.ingest.staged import EVENT_COLUMNS, CodeMapping, Staged
from timeline.quote import identifier, literal, whole
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

Files = Sequence[tuple[Staged, dict[str, Source]]]
"""Files with the types of their staged columns."""
ROW_HASH = "hash"
"""The function that makes a row's number; a test puts a poor one in its place to meet collisions."""


@dataclass(frozen=True)
class Batch:
    """Files that are read in one go: one, or those within one relation."""

    relation: str
    """With `ingest_file`, the number of a row's file, and `ingest_name`, its name."""
    own: tuple[str, ...]
    columns: dict[str, Source]


def batches(files: Files) -> list[Batch]:
    """The files by the relations that hold their rows, in the order of the first of each."""
    grouped: dict[object, list[int]] = {}
    for number, (staged, _) in enumerate(files):
        grouped.setdefault(staged.within[:2] if staged.within else number, []).append(number)
    return [_batch(files, numbers) for numbers in grouped.values()]


def _batch(files: Files, numbers: Sequence[int]) -> Batch:
    first, columns = files[numbers[0]]
    if first.within is None:
        name = literal(first.source_file)
        relation = f"(SELECT {numbers[0]} AS ingest_file, {name} AS ingest_name, * FROM {first.relation})"
        return Batch(relation, first.own, columns)
    shared, key, _ = first.within
    named = ", ".join(f"({files[n][0].within[2]}, {n}, {literal(files[n][0].source_file)})" for n in numbers)  # type: ignore
    relation = (
        f"(SELECT n.ingest_file, n.ingest_name, w.* FROM {shared} AS w "
        f"JOIN (VALUES {named}) AS n(ingest_key, ingest_file, ingest_name) ON n.ingest_key = {key})"
    )
    return Batch(relation, first.own, columns)


def typed(
    con: "Connection", staged: Sequence[Staged], names: Sequence[str] = EVENT_COLUMNS
) -> list[tuple[Staged, dict[str, Source]]]:
    """Files with the types of their staged columns; of files within one relation the first is asked."""
    known: dict[tuple[str, str], dict[str, Source]] = {}
    found = []
    for one in staged:
        columns = known.get(one.within[:2]) if one.within else None
        columns = columns or sources(con, one, names)
        if one.within:
            known[one.within[:2]] = columns
        found.append((one, columns))
    return found


def sources(con: "Connection", staged: Staged, names: Sequence[str] = EVENT_COLUMNS) -> dict[str, Source]:
    """The staged columns with their DuckDB types, ABSENT where the file has none."""
    given = [name for name in names if name in staged.columns]
    listed = ", ".join(f"{staged.columns[name]} AS {identifier(name)}" for name in given)
    described = con.execute(f"DESCRIBE SELECT {listed} FROM {staged.relation} AS r").fetchall()
    types = {name: kind for name, kind, *_ in described}
    return {name: Source(staged.columns[name], types[name]) if name in types else ABSENT for name in names}


def raw(source: Source) -> str:
    """The column as text, untouched: the key by which a row finds its entry in a small table."""
    return source.sql if source.type == "VARCHAR" else parse.text(source)


def number_what_repeats(con: "Connection", files: Files) -> None:
    """Fill the small tables: patients in order of their ids, pairs of code and unit, values with their words."""
    mappings = [staged.mapping for staged, _ in files]
    con.execute("CREATE TEMP TABLE ingest_seen_patient (raw VARCHAR)")
    con.execute("CREATE TEMP TABLE ingest_seen_pair (code VARCHAR, unit VARCHAR)")
    con.execute("CREATE TEMP TABLE ingest_seen_word (value VARCHAR, text VARCHAR, route VARCHAR)")
    for batch in batches(files):
        at = {name: raw(source) for name, source in batch.columns.items()}
        for table, names in (
            ("patient", ("patient_id",)),
            ("pair", ("code", "unit")),
            ("word", ("value", "text", "route")),
        ):
            listed = ", ".join(at[name] for name in names)
            con.execute(f"INSERT INTO ingest_seen_{table} SELECT DISTINCT {listed} FROM {batch.relation} AS r")
    con.execute("""CREATE TEMP TABLE ingest_patient AS
        SELECT raw, patient_id, CASE WHEN patient_id IS NOT NULL
            THEN CAST(dense_rank() OVER (ORDER BY patient_id NULLS LAST) AS UINTEGER) END AS patient
        FROM (SELECT DISTINCT raw, nullif(trim(raw), '') AS patient_id FROM ingest_seen_patient)""")
    con.execute("""CREATE TEMP TABLE ingest_pair AS
        SELECT code AS raw_code, unit AS raw_unit, trimmed_code AS code, trimmed_unit AS unit,
            CAST(dense_rank() OVER (ORDER BY trimmed_code, trimmed_unit) AS UINTEGER) AS id
        FROM (SELECT DISTINCT code, unit, coalesce(trim(code), '') AS trimmed_code,
            coalesce(trim(unit), '') AS trimmed_unit FROM ingest_seen_pair)""")
    written = "nullif(trim(value), '')"
    number = parse.number(written)
    con.execute(f"""CREATE TEMP TABLE ingest_word AS
        SELECT value AS raw_value, text AS raw_text, route AS raw_route,
            CAST(row_number() OVER (ORDER BY value, text, route) AS UINTEGER) AS id,
            {written} AS source_value, {number} AS number,
            CASE WHEN {number} IS NOT NULL THEN {parse.bound(written)} END AS bound,
            coalesce(nullif(trim(text), ''), CASE WHEN {number} IS NULL THEN {written} END) AS words,
            CASE WHEN {number} IS NOT NULL THEN {parse.numeral(written)} END AS numeral,
            {_route(mappings)} AS route
        FROM (SELECT DISTINCT value, text, route FROM ingest_seen_word)""")


def _route(mappings: Sequence[CodeMapping | None]) -> str:
    """The route in lower case, in our word where a mapping has one for it."""
    written = "lower(nullif(trim(route), ''))"
    ours = {theirs: word for one in reversed(mappings) if one is not None for theirs, word in one.routes.items()}
    said = " ".join(f"WHEN {literal(theirs)} THEN {literal(word)}" for theirs, word in ours.items())
    return f"CASE {written} {said} ELSE {written} END" if said else written


def resolve_codes(
    con: "Connection", concepts: Mapping[str, Concept], mappings: Sequence[CodeMapping | None], label: str
) -> list[Resolution]:
    """Fill the table of codes: what every pair of code and unit means."""
    pairs = con.execute("SELECT DISTINCT id, code, unit FROM ingest_pair ORDER BY id").fetchall()
    meanings = codes.Meanings.of(concepts)
    said = codes.decoded(dict.fromkeys(code for _, code, _ in pairs), mappings)
    units = {theirs: unit for one in reversed(mappings) if one is not None for theirs, unit in one.units.items()}
    found = [
        (number, codes.resolve(label, said[code], units.get(unit, unit) or "", meanings))
        for number, code, unit in pairs
    ]
    codes.create(con, "ingest_code")
    codes.insert(con, "ingest_code", found)
    return [one for _, one in found]


def stage_rows(con: "Connection", files: Files, zone: str | None) -> None:
    """Fill `ingest_row`: every row as numbers; by patient, so that a slice of patients is read without the rest."""
    rows = " UNION ALL ".join(_read(batch, zone) for batch in batches(files))
    con.execute(f"""CREATE TEMP TABLE ingest_row AS
        SELECT CAST(r.file AS UINTEGER) AS file, r.source_row, xor(r.content, r.file_content) AS event_id, p.patient,
            r."time", r.end_time, c.id AS code, w.id AS word,
            CAST(r.state AS UTINYINT) AS state, CAST(r.end_state AS UTINYINT) AS end_state
        FROM ({rows}) AS r
        JOIN ingest_patient AS p ON p.raw IS NOT DISTINCT FROM r.patient_id
        JOIN ingest_pair AS c ON c.raw_code IS NOT DISTINCT FROM r.code AND c.raw_unit IS NOT DISTINCT FROM r.unit
        JOIN ingest_word AS w ON w.raw_value IS NOT DISTINCT FROM r.value
            AND w.raw_text IS NOT DISTINCT FROM r.text AND w.raw_route IS NOT DISTINCT FROM r.route
        ORDER BY p.patient""")


def _read(batch: Batch, zone: str | None) -> str:
    """SELECT rows: times read, the numbers of file and content, the other columns as the small tables know them."""
    own = ", ".join(whole(name) for name in sorted(batch.own))
    time, state = parse.time(batch.columns["time"], zone)
    end_time, end_state = parse.time(batch.columns["end_time"], zone)
    keys = [
        f"{raw(batch.columns[name])} AS {name}" for name in ("patient_id", "code", "unit", "value", "text", "route")
    ]
    times = [f'{time} AS "time"', f"{state} AS state", f"{end_time} AS end_time", f"{end_state} AS end_state"]
    content = [f"{ROW_HASH}(ingest_name) AS file_content", f"{ROW_HASH}({own}) AS content"]
    listed = ", ".join(["ingest_file AS file", "source_row", *content, *keys, *times])
    return f"SELECT {listed} FROM {batch.relation} AS f"


def clear(con: "Connection") -> None:
    """Drop whatever an ingest keeps for itself, and let go of the databases that it read."""
    found = con.execute("""SELECT kind, name FROM (
            SELECT 'VIEW' AS kind, view_name AS name FROM duckdb_views() WHERE temporary
            UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary)
        WHERE starts_with(name, 'ingest_')""").fetchall()
    dropped = [f"DROP {kind} temp.{identifier(name)}" for kind, name in found]
    attached = con.execute("SELECT database_name FROM duckdb_databases() WHERE starts_with(database_name, 'ingest_')")
    dropped += [f"DETACH {identifier(name)}" for (name,) in attached.fetchall()]
    if dropped:
        con.execute("; ".join(dropped))

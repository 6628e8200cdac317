"""Derived spans as EPISODE, EPISODE_EVENT and COHORT of the OMOP Common Data Model 5.4, CSV; knows no rule by name.

Every table of spans is episodes and a cohort of the time that they last; a table with a truth `included` is a cohort
from day 0 to the last event. Concepts that nobody assigned are 0: what an episode is, its source value says. Rows
without what the model demands are left out, and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import cdm, engine
from timeline.export import Request, Written, persons
from timeline.export.dictionary import Table
from timeline.export.source_ids import FIELD_CONCEPTS, events_of_source
from timeline.quote import identifier, literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

SEXES = {"f": 8532, "female": 8532, "m": 8507, "male": 8507}
"""OMOP CDM 5.4, `person.gender_concept_id`, vocabulary Gender."""
LINKS = "episode_event_source.csv"
"""Not of the model: what each `event_id` of EPISODE_EVENT is, and where its row came from."""


def prepare(con: "Connection", request: Request, known: Mapping[str, Table]) -> None:
    """Find the ids that the extract has for its rows; raise UsageError where it is not the study's."""
    events_of_source(con, request.extract)


def write(
    con: "Connection", folder: Path, request: Request, known: Mapping[str, Table]
) -> tuple[tuple[Written, ...], tuple[str, ...]]:
    """Write a CSV file a table, with all columns of the model in its order."""
    kept = persons.number(con)
    notes = [] if kept else ["patient ids are no whole numbers: person.person_source_value says whose number is whose"]
    tables = [known[name] for name in request.tables]
    notes += _episodes(con, [one for one in tables if {"start_time", "end_time", "number"} <= set(one.columns)])
    notes += _events(con)
    notes += _cohorts(con, tables, known)
    written = [
        _copy(con, folder, "person", {
            "person_id": "p.number",
            "gender_concept_id": _cases("lower(t.sex)", SEXES),
            "year_of_birth": "t.birth_year",
            "month_of_birth": "month(t.birth_date)",
            "day_of_birth": "day(t.birth_date)",
            "race_concept_id": "0",
            "ethnicity_concept_id": "0",
            "person_source_value": "CAST(t.patient_id AS VARCHAR)",
            "gender_source_value": "t.sex",
        }, "patient AS t JOIN export_person AS p ON p.patient_id = t.patient_id"),
        _copy(con, folder, "episode", {
            **{f"episode_{which}_date": f"CAST(t.{which}_time AS DATE)" for which in ("start", "end")},
            **{f"episode_{which}_datetime": f"t.{which}_time" for which in ("start", "end")},
            "episode_id": "t.episode_id",
            "person_id": "t.person_id",
            "episode_number": "t.number",
            "episode_source_value": "t.rule",
            **dict.fromkeys(
                ("episode_concept_id", "episode_object_concept_id", "episode_type_concept_id",
                 "episode_source_concept_id"), "0"),
        }, "export_episode AS t"),
        _copy(con, folder, "episode_event", {
            "episode_id": "t.episode_id", "event_id": "t.event_id", "episode_event_field_concept_id": "t.field_id",
        }, "export_link AS t"),
        _copy(con, folder, "cohort_definition", {
            "cohort_definition_id": "t.id",
            "cohort_definition_name": "t.name",
            "cohort_definition_description": "t.about",
            "definition_type_concept_id": "0",
            "cohort_definition_syntax": "t.definition",
            "subject_concept_id": "0",
        }, "export_definition AS t"),
        _copy(con, folder, "cohort", {
            "cohort_definition_id": "t.id", "subject_id": "t.person_id",
            "cohort_start_date": "t.start_date", "cohort_end_date": "t.end_date",
        }, "export_cohort AS t"),
    ]  # fmt: skip
    columns = "event_id, field, timeline_event_id, source_file, source_row"
    links = f"SELECT DISTINCT {columns} FROM export_link ORDER BY {columns}"
    rows = con.execute(f"COPY ({links}) TO {literal(str(folder / LINKS))} (FORMAT csv, HEADER)").fetchall()[0][0]
    unborn = con.execute("SELECT count(*) FROM patient WHERE birth_year IS NULL").fetchall()[0][0]
    if unborn:
        notes.append(f"person: patients without a year of birth, which the model demands: {unborn}; it is empty")
    return (*written, Written(LINKS, rows)), tuple(notes)


def _cases(column: str, ids: Mapping[str, int]) -> str:
    whens = " ".join(f"WHEN {literal(word)} THEN {id}" for word, id in ids.items())
    return f"CASE {column} {whens} ELSE 0 END"


def _copy(con: "Connection", folder: Path, table: str, columns: Mapping[str, str], source: str) -> Written:
    fields = cdm.TABLES[table]
    listed = ", ".join(f"CAST({columns.get(f.name, 'NULL')} AS {f.type}) AS {f.name}" for f in fields)
    select = f"SELECT {listed} FROM {source} ORDER BY {', '.join(f.name for f in fields if not f.nullable)}"
    file = f"{table}.csv"
    return Written(
        file,
        con.execute(f"COPY ({select}) TO {literal(str(folder / file))} (FORMAT csv, HEADER)").fetchall()[0][0],
    )


def _episodes(con: "Connection", tables: Sequence[Table]) -> Iterator[str]:
    """Make `export_episode`: every span that has a start, numbered."""
    names = ("place", "rule", "patient_id", "number", "start_time", "end_time", "evidence")
    none = f"SELECT {', '.join(f'NULL AS {name}' for name in names)} WHERE FALSE"
    parts = [
        f"SELECT {place}, {literal(table.name)}, CAST(patient_id AS VARCHAR), number, start_time, end_time, "
        f"{'evidence' if 'evidence' in table.columns else 'NULL'} FROM {identifier(table.name)}"
        for place, table in enumerate(tables)
    ]
    con.execute(f"""CREATE OR REPLACE TEMP TABLE export_episode AS
        SELECT row_number() OVER (ORDER BY e.place, p.number, e.number) AS episode_id, p.number AS person_id,
            CAST(e.rule AS VARCHAR) AS rule, CAST(e.number AS BIGINT) AS number,
            CAST(e.start_time AS TIMESTAMP) AS start_time, CAST(e.end_time AS TIMESTAMP) AS end_time,
            CAST(e.evidence AS UBIGINT[]) AS evidence
        FROM ({" UNION ALL ".join([none, *parts])}) AS e
        JOIN export_person AS p ON CAST(p.patient_id AS VARCHAR) = e.patient_id
        WHERE e.start_time IS NOT NULL""")
    for table in tables:
        left = con.execute(f"SELECT count(*) FROM {identifier(table.name)} WHERE start_time IS NULL").fetchall()[0][0]
        if left:
            yield f"episode: rows of {table.name} without a start, left out: {left}"


def _events(con: "Connection") -> Iterator[str]:
    """Make `export_link`: the events that each episode rests on, with the id of the source's own row where it is known.

    Ids of ours are negative and below every id of the source, some of which are negative themselves.
    """
    found = con.execute("SELECT count(*) FROM export_source").fetchall()[0][0]
    con.execute(f"""CREATE OR REPLACE TEMP TABLE export_link AS
        WITH link AS (
            SELECT DISTINCT t.episode_id, e.event_id, e.source_file, e.source_row
            FROM (SELECT episode_id, unnest(evidence) AS event_id FROM export_episode) AS t
            JOIN meta.event AS e ON e.event_id = t.event_id)
        SELECT l.episode_id, coalesce(s.id, least(0, (SELECT min(id) FROM export_source))
                - dense_rank() OVER (ORDER BY l.event_id)) AS event_id, s.id IS NULL AS ours,
            {_cases("s.field", FIELD_CONCEPTS)} AS field_id, coalesce(s.field, 'timeline.event_id') AS field,
            l.event_id AS timeline_event_id, l.source_file, l.source_row
        FROM link AS l LEFT JOIN export_source AS s ON s.source_file = l.source_file AND s.source_row = l.source_row""")
    ours = con.execute("SELECT count(DISTINCT event_id) FROM export_link WHERE ours").fetchall()[0][0]
    if ours:
        why = "have no id in their source" if found else "are named by ids of this export (--extract: by the source's)"
        yield f"episode_event: {ours} events {why}: negative ids, see {LINKS}"
    if con.execute("SELECT 1 FROM export_link WHERE field_id = 0 AND NOT ours LIMIT 1").fetchall():
        yield f"episode_event: concepts of most id columns are not verified and are 0; {LINKS} names the column"


def _cohorts(con: "Connection", tables: Sequence[Table], known: Mapping[str, Table]) -> Iterator[str]:
    """Make `export_definition` and `export_cohort`."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE export_definition (id BIGINT, name VARCHAR, about VARCHAR, definition VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE export_cohort (id BIGINT, person_id BIGINT, start_date DATE, end_date DATE)"
    )
    index = known.get(engine.last_run(con)[0].index or "")
    definitions = dict(con.execute("SELECT rule, definition FROM meta.rule").fetchall())
    id = 0
    for table in tables:
        rows = _cohort(table, index)
        if rows is None:
            continue
        id += 1
        about = ". ".join(part for part in (table.title, f"Source: {table.source}" if table.source else "") if part)
        said = [id, table.name, about, definitions[table.name]]
        con.execute("INSERT INTO export_definition VALUES (?, ?, ?, ?)", said)
        whole = f"FROM ({rows}) AS c JOIN export_person AS p ON p.patient_id = c.patient_id"
        con.execute(f"""INSERT INTO export_cohort SELECT DISTINCT {id}, p.number, c.start_date, c.end_date {whole}
            WHERE c.start_date IS NOT NULL AND c.end_date IS NOT NULL""")
        left = con.execute(f"SELECT count(*) {whole} WHERE c.start_date IS NULL OR c.end_date IS NULL").fetchall()[0][0]
        if left:
            yield f"cohort: rows of {table.name} without a start or an end, left out: {left}"


def _cohort(table: Table, index: Table | None) -> str | None:
    """SELECT patient_id, start_date, end_date of the cohort that a table is; None where it is none."""
    if {"start_time", "end_time"} <= set(table.columns):
        days = ", ".join(f"CAST({name}_time AS DATE) AS {name}_date" for name in ("start", "end"))
        return f"SELECT patient_id, {days} FROM {identifier(table.name)}"
    if any(field.name == "included" and field.type == "BOOLEAN" for field in table.fields) and index is not None:
        zero = "time" if "time" in index.columns else "start_time"
        return f"""SELECT t.patient_id, CAST(i.{identifier(zero)} AS DATE) AS start_date,
                (SELECT CAST(max(greatest(e."time", coalesce(e.end_time, e."time"))) AS DATE) FROM meta.event AS e
                 WHERE e.patient_id = t.patient_id) AS end_date
            FROM {identifier(table.name)} AS t LEFT JOIN {identifier(index.name)} AS i ON i.patient_id = t.patient_id
            WHERE t.included"""
    return None

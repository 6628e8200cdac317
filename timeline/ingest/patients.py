"""Patients: what extracts say about them, the ENUM of their ids, and the event table with it; knows no code.

`meta.patient_fact` holds one row for each statement; `patient` is made of it anew at each ingest, so that
statements that contradict each other are seen wherever they come from, and neither is chosen.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from timeline import personal, schema, store
from timeline.ingest import memory, parse
from timeline.ingest.normalise import Batch, batches, raw, typed
from timeline.ingest.sexes import FORMS, SEX, one_form, said_by
from timeline.ingest.sift import as_written, told
from timeline.ingest.staged import PATIENT_COLUMNS, Staged
from timeline.printing import count
from timeline.quote import identifier, literal, whole

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

SLICE = 500_000
"""Events that are sorted at a time: a million do not fit beside the rows of 10 GB of FHIR, and are no faster."""
YEAR = r"^\s*([12]\d{3})(?:\.0*)?\s*$"
"""A year of birth; text that is none is no year, and no reason to refuse the row."""
ROWS_NAMED = 5
"""Rows that a warning names."""
USUAL = "write it as 1960-12-31"


def load_patients(con: "Connection", staged: Sequence[Staged]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Load patients files into meta.patient_fact and meta.rejected.

    Returns how many duplicates were folded, by file, and sentences about reasons that would have told patients.
    """
    folded: dict[str, int] = {}
    said: tuple[str, ...] = ()
    files = typed(con, staged, PATIENT_COLUMNS)
    for batch in batches(files):
        advice = {one.source_file: one.advice.get("birth_date", USUAL) for one, _ in files}
        _stage(con, batch, advice, said_by(one for one, _ in files))
        for one, _ in files:
            if one.refused is not None:
                with told(one):
                    con.execute(f"""UPDATE ingest_patient_row
                        SET reason = coalesce(ingest_patient_row.reason, n.reason) FROM ({one.refused}) AS n
                        WHERE file = {literal(one.source_file)} AND ingest_patient_row.source_row = n.source_row""")
        said += personal.blot(con, "ingest_patient_row", "file", "patient_id")
        _set_aside(con, {one.source_file: one for one, _ in files})
        con.execute("""INSERT INTO meta.patient_fact SELECT patient_id, sex, birth_date,
                coalesce(year(birth_date), birth_year), file, source_row
            FROM ingest_patient_row WHERE copy = 1 AND reason IS NULL ORDER BY file, source_row""")
        copies = "SELECT file, count(*) FROM ingest_patient_row WHERE copy > 1 GROUP BY file"
        folded |= dict(con.execute(copies).fetchall())
        con.execute("DROP TABLE ingest_patient_row")
    return folded, said


def _set_aside(con: "Connection", files: Mapping[str, Staged]) -> None:
    wrong = "copy = 1 AND reason IS NOT NULL"
    rejected = f"SELECT DISTINCT file FROM ingest_patient_row WHERE {wrong} ORDER BY file"
    for (name,) in con.execute(rejected).fetchall():
        rows, raw = as_written(files[name], "w")
        with memory.joined_as_written(con):
            con.execute(f"""INSERT INTO meta.rejected SELECT r.file, r.source_row, r.reason, {raw}
                FROM {rows} AS w JOIN ingest_patient_row AS r ON r.source_row = w.source_row
                WHERE r.file = {literal(name)} AND {wrong} ORDER BY r.source_row""")


def _stage(con: "Connection", batch: Batch, advice: Mapping[str, str], words: Mapping[str, str]) -> None:
    own = ", ".join(f"r.{whole(name)}" for name in batch.own)
    born = batch.columns["birth_date"]
    birth, state = parse.time(born, "UTC")
    if born.is_text:
        # A day of birth is the day as written, wherever that was: an offset from UTC moves no birthday.
        birth = f"CASE WHEN ({birth}) IS NOT NULL THEN TRY_CAST(left({parse.text(born)}, 10) AS DATE) END"
    year = f"regexp_extract({raw(batch.columns['birth_year'])}, {literal(YEAR)}, 1)"
    con.execute(f"""CREATE TEMP TABLE ingest_patient_row AS
        SELECT *, CASE WHEN patient_id IS NULL THEN 'patient_id is empty'
            WHEN state = {parse.UNREADABLE} THEN 'birth_date cannot be read; ' || {_told(advice)} END AS reason
        FROM (SELECT ingest_name AS file, r.source_row, {one_form(raw(batch.columns["sex"]), words)} AS sex,
                nullif(trim({raw(batch.columns["patient_id"])}), '') AS patient_id, CAST({birth} AS DATE) AS birth_date,
                TRY_CAST({year} AS BIGINT) AS birth_year,
                {state} AS state, row_number() OVER (PARTITION BY ingest_name, {own} ORDER BY r.source_row) AS copy
            FROM {batch.relation} AS r)""")


def _told(advice: Mapping[str, str]) -> str:
    """What a date of birth looks like, by file; one text where it is the same in all, as in a thousand Bundles."""
    if len(set(advice.values())) == 1:
        return literal(next(iter(advice.values())))
    said = " ".join(f"WHEN {literal(file)} THEN {literal(text)}" for file, text in advice.items())
    return f"CASE file {said} END"


STAGED = """SELECT DISTINCT patient_id AS name, patient FROM ingest_patient
    WHERE patient IN (SELECT DISTINCT patient FROM ingest_row)"""
"""The patients of staged rows, by their numbers."""


def write_events(con: "Connection", new_events: str | None, rows: str = "ingest_row", patients: str = STAGED) -> None:
    """Make the key, the patients and, sorted by patient, time and id, the events anew, with those of `new_events`.

    `new_events` selects from the `rows` of the patients in `ingest_slice`; `patients` selects the name and number of
    all of these. Slice by slice, because sorting a share of whole events at a time takes three quarters of the time
    and half the memory.
    """
    _number_patients(con, patients if new_events is not None else NOBODY)
    stored = con.execute("SELECT count(*) FROM meta.event").fetchall()[0][0]
    staged = con.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0] if new_events is not None else 0
    places = con.execute("SELECT count(*) FROM ingest_key").fetchall()[0][0]
    columns = ", ".join(f"e.{identifier(f.name)}" for f in schema.EVENT if f.name not in ("event_id", "patient_id"))
    old_events = f"""SELECT e.event_id, k.patient_id, {columns} FROM meta.event AS e
        JOIN ingest_slice AS k ON k.name = CAST(e.patient_id AS VARCHAR)"""
    parts = [part for part, n in ((old_events, stored), (new_events, staged)) if part is not None and n]
    con.execute(schema.ddl("meta.event").replace("meta.event", "meta.event_next", 1))
    slices = max(1, math.ceil((stored + staged) / SLICE))
    for number in range(slices if parts else 0):
        low, high = places * number // slices, places * (number + 1) // slices
        con.execute(f"""CREATE OR REPLACE TEMP TABLE ingest_slice AS SELECT * FROM ingest_key
            WHERE place > {low} AND place <= {high}""")
        con.execute(f"""INSERT INTO meta.event_next SELECT * FROM ({" UNION ALL ".join(parts)})
            ORDER BY patient_id, "time" NULLS FIRST, event_id""")
    con.execute("DROP TABLE meta.event")
    con.execute("ALTER TABLE meta.event_next RENAME TO event")
    _write_patients(con)


NOBODY = "SELECT CAST(NULL AS VARCHAR) AS name, NULL AS patient WHERE FALSE"


def _number_patients(con: "Connection", numbers: str) -> None:
    """Make the ENUM of all patients, and `ingest_key`: their place in it, and their number among the new rows."""
    known = f"""SELECT DISTINCT CAST(patient_id AS VARCHAR) AS name FROM meta.event
        UNION SELECT patient_id FROM meta.patient_fact UNION SELECT name FROM ({numbers})"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE ingest_id AS SELECT name FROM ({known}) ORDER BY name")
    con.execute(f"CREATE OR REPLACE TYPE {schema.PATIENT_KEY} AS ENUM (SELECT name FROM ingest_id ORDER BY name)")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE ingest_key AS
        SELECT i.name, CAST(i.name AS {schema.PATIENT_KEY}) AS patient_id, n.patient,
            row_number() OVER (ORDER BY i.name) AS place
        FROM ingest_id AS i LEFT JOIN ({numbers}) AS n ON n.name = i.name""")


def _write_patients(con: "Connection") -> None:
    con.execute("DROP TABLE patient")
    con.execute(schema.ddl("patient"))
    con.execute("""INSERT INTO patient
        SELECT k.patient_id, CASE WHEN count(DISTINCT lower(f.sex)) = 1 THEN min(f.sex) END,
            CASE WHEN count(DISTINCT f.birth_date) = 1 AND count(DISTINCT f.birth_year) = 1 THEN min(f.birth_date) END,
            CASE WHEN count(DISTINCT f.birth_year) = 1 THEN min(f.birth_year) END
        FROM ingest_key AS k LEFT JOIN meta.patient_fact AS f ON f.patient_id = k.name
        GROUP BY k.patient_id ORDER BY k.patient_id""")


def other_words(con: "Connection", files: Sequence[str]) -> list[str]:
    """One sentence for each of `files` whose words for a sex are not all known: they are kept as they stand."""
    rows = con.execute(f"""SELECT source_file, count(*) FROM meta.patient_fact
        WHERE sex NOT IN ({", ".join(literal(one) for one in sorted(set(FORMS.values())))})
        GROUP BY source_file ORDER BY source_file""").fetchall()
    known = f"a word for the sex that is none of {', '.join(FORMS)}"
    kept = f"it is kept as it stands; `words: {{{SEX}: {{their word: F}}}}` of a mapping says what it means"
    return [f"{file}: {count(n, 'row has', 'rows have')} {known}; {kept}" for file, n in rows if file in files]


def contradictions(con: "Connection") -> list[str]:
    """One sentence for each column about which extracts contradict themselves."""
    said = []
    for column, distinct in (("sex", "lower(sex)"), ("birth_date", "birth_date"), ("birth_year", "birth_year")):
        rows = con.execute(f"""SELECT source_file, list(source_row ORDER BY source_row), count(DISTINCT patient_id)
            FROM meta.patient_fact WHERE {column} IS NOT NULL AND patient_id IN (
                SELECT patient_id FROM meta.patient_fact GROUP BY patient_id HAVING count(DISTINCT {distinct}) > 1)
            GROUP BY source_file ORDER BY source_file""").fetchall()
        for file, numbers, patients in rows:
            named = ", ".join(str(number) for number in numbers[:ROWS_NAMED]) + (
                ", ..." if len(numbers) > ROWS_NAMED else ""
            )
            of = count(patients, "patient")
            said.append(f"{file}: rows {named} contradict others about the {column} of {of}; it stays empty")
    return said


def refresh(con: "Connection") -> None:
    """Write the meanings of columns and the views again, after the tables were made anew."""
    said = [
        f"COMMENT ON COLUMN {table}.{identifier(field.name)} IS {literal(field.meaning)}"
        for table in ("patient", "meta.event")
        for field in schema.TABLES[table]
    ]
    con.execute("; ".join(said))
    store.refresh_views(con)

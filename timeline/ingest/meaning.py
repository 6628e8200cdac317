"""From codes and words to concept, value, unit and text: the SQL of a new event; knows no file format."""

from typing import TYPE_CHECKING

from timeline.ingest import parse
from timeline.ingest.normalise import Files
from timeline.ingest.parse import DATE_ONLY
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


NUMBER = "CASE WHEN s.ours IS NULL OR coalesce(w.words, c.text) IS NOT NULL THEN w.number END"
"""A number that the mapping has a word for is none."""
VALUE = f"""CASE WHEN c.concept IS NULL OR (c.factor = 1 AND c."offset" = 0) THEN {NUMBER}
    ELSE round({NUMBER} * c.factor + c."offset", 9) END"""
IMPLAUSIBLE = f"coalesce({VALUE} < c.low OR {VALUE} > c.high, FALSE)"
SPOKEN = "coalesce(s.ours, w.words, c.text)"
TEXT = f"CASE WHEN c.words THEN lower({SPOKEN}) ELSE {SPOKEN} END"
SAID = """LEFT JOIN ingest_said AS s
    ON s.concept = coalesce(c.named, c.concept) AND s.theirs = lower(coalesce(w.words, c.text, w.numeral))"""
"""The mapping's word for it, by the concept that the mapping names, in force or not."""


def write_words(con: "Connection", files: Files) -> None:
    """Fill `ingest_said`: for each concept the source's words, in lower case, with ours."""
    said = {
        (concept, theirs): ours
        for staged, _ in reversed(files)
        if staged.mapping is not None
        for concept, vocabulary in staged.mapping.words.items()
        for theirs, ours in vocabulary.items()
    }
    con.execute("CREATE TEMP TABLE ingest_said (concept VARCHAR, theirs VARCHAR, ours VARCHAR)")
    if said:
        rows = [[*key, ours] for key, ours in said.items()]
        con.executemany(f"INSERT INTO ingest_said VALUES (?, {parse.numeral('?')}, ?)", rows)


def give_meaning(con: "Connection") -> None:
    """Fill `ingest_meaning`, for the counts: what each mapped code says with each of its values, and how often."""
    con.execute(f"""CREATE TEMP TABLE ingest_meaning AS
        SELECT m.n, c.concept, c.code, c.source_unit, c.unit, c."numeric", c.assumed, c.label, w.source_value,
            {NUMBER} AS number, {TEXT} AS text, coalesce(w.route, lower(c.route)) AS route, {IMPLAUSIBLE} AS implausible
        FROM (SELECT code, word, count(*) AS n FROM ingest_row
            WHERE code IN (SELECT id FROM ingest_code WHERE concept IS NOT NULL) GROUP BY code, word) AS m
        JOIN ingest_code AS c ON c.id = m.code JOIN ingest_word AS w ON w.id = m.word {SAID}""")


def keep_unfit(con: "Connection", files: Files) -> None:
    """Keep what another definition of its concept could hold; its number stays as it is written."""
    patients = "(SELECT DISTINCT patient, patient_id FROM ingest_patient)"
    con.execute(f"INSERT INTO meta.unfit {events(files, 'ingest_unfit', patients)}")


def events(files: Files, rows: str = "ingest_row", patients: str = "ingest_slice") -> str:
    """SELECT the new events, columns as in meta.event, of these rows and patients."""
    names = ", ".join(f"({number}, {literal(staged.source_file)})" for number, (staged, _) in enumerate(files))
    midnight = 'r."time" = CAST(CAST(r."time" AS DATE) AS TIMESTAMP)'
    return f"""SELECT r.event_id, k.patient_id, r."time", r.end_time, c.concept, {VALUE} AS value,
            CASE WHEN {NUMBER} IS NOT NULL THEN c.unit END AS unit,
            CASE WHEN {NUMBER} IS NOT NULL THEN w.bound END AS bound, {TEXT} AS text,
            coalesce(w.route, lower(c.route)) AS route, c.code, w.source_value,
            nullif(c.source_unit, '') AS source_unit, f.source_file, r.source_row,
            (r.state = {DATE_ONLY} OR (c.date_only AND {midnight})) IS TRUE AS date_only, {IMPLAUSIBLE} AS implausible
        FROM {rows} AS r
        JOIN ingest_code AS c ON c.id = r.code
        JOIN ingest_word AS w ON w.id = r.word
        {SAID}
        JOIN {patients} AS k ON k.patient = r.patient
        JOIN (VALUES {names}) AS f(number, source_file) ON f.number = r.file"""

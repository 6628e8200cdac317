"""From staged rows to events: ids, duplicates, times, numbers, units, concepts, rejections; knows no file format.

The staged contract is `staged.Staged`. Whatever is the same for many rows is decided once: patients,
pairs of code and unit, and triples of value, text and route are numbered in small tables; a row is
then eleven numbers, sorted as such, and its words come back from the small tables at the end.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from timeline.ingest import codes, parse
from timeline.ingest.codes import Resolution
from timeline.ingest.parse import ABSENT, DATE_ONLY, UNREADABLE, Source
from timeline.ingest.staged import EVENT_COLUMNS, CodeMapping, Staged
from timeline.quote import identifier, literal
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

ROW_HASH = "hash"
"""The function that makes a row's number; a test puts a poor one in its place to meet collisions."""


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


def number_what_repeats(con: "Connection", files: Sequence[tuple[Staged, dict[str, Source]]]) -> None:
    """Fill the small tables: patients in order of their ids, pairs of code and unit, values with their words."""
    con.execute("CREATE TEMP TABLE ingest_seen_patient (raw VARCHAR)")
    con.execute("CREATE TEMP TABLE ingest_seen_pair (code VARCHAR, unit VARCHAR)")
    con.execute("CREATE TEMP TABLE ingest_seen_word (value VARCHAR, text VARCHAR, route VARCHAR)")
    for staged, columns in files:
        at = {name: raw(source) for name, source in columns.items()}
        for table, names in (
            ("patient", ("patient_id",)),
            ("pair", ("code", "unit")),
            ("word", ("value", "text", "route")),
        ):
            listed = ", ".join(at[name] for name in names)
            con.execute(f"INSERT INTO ingest_seen_{table} SELECT DISTINCT {listed} FROM {staged.relation} AS r")
    con.execute("""CREATE TEMP TABLE ingest_patient AS
        SELECT raw, patient_id, CASE WHEN patient_id IS NOT NULL
            THEN CAST(dense_rank() OVER (ORDER BY patient_id NULLS LAST) AS UINTEGER) END AS patient
        FROM (SELECT DISTINCT raw, nullif(trim(raw), '') AS patient_id FROM ingest_seen_patient)""")
    con.execute("""CREATE TEMP TABLE ingest_pair AS
        SELECT code AS raw_code, unit AS raw_unit, trimmed_code AS code, trimmed_unit AS unit,
            CAST(dense_rank() OVER (ORDER BY trimmed_code, trimmed_unit) AS UINTEGER) AS id
        FROM (SELECT DISTINCT code, unit, coalesce(trim(code), '') AS trimmed_code, coalesce(trim(unit), '') AS trimmed_unit
            FROM ingest_seen_pair)""")
    written = "nullif(trim(value), '')"
    con.execute(f"""CREATE TEMP TABLE ingest_word AS
        SELECT value AS raw_value, text AS raw_text, route AS raw_route,
            CAST(row_number() OVER (ORDER BY value, text, route) AS UINTEGER) AS id,
            {written} AS source_value, {parse.number(written)} AS number,
            CASE WHEN {parse.number(written)} IS NOT NULL THEN {parse.bound(written)} END AS bound,
            coalesce(nullif(trim(text), ''), CASE WHEN {parse.number(written)} IS NULL THEN {written} END) AS words,
            lower(nullif(trim(route), '')) AS route
        FROM (SELECT DISTINCT value, text, route FROM ingest_seen_word)""")


def resolve_codes(
    con: "Connection", concepts: Mapping[str, Concept], mappings: Sequence[CodeMapping | None], label: str
) -> list[Resolution]:
    """Fill the table of codes: what every pair of code and unit means."""
    pairs = con.execute("SELECT DISTINCT id, code, unit FROM ingest_pair ORDER BY id").fetchall()
    meanings = codes.Meanings.of(concepts)
    said = codes.decoded(dict.fromkeys(code for _, code, _ in pairs), mappings)
    found = [(number, codes.resolve(label, said[code], unit, meanings)) for number, code, unit in pairs]
    codes.create(con, "ingest_code")
    codes.insert(con, "ingest_code", found)
    return [one for _, one in found]


def stage_rows(con: "Connection", files: Sequence[tuple[Staged, dict[str, Source]]], zone: str | None) -> None:
    """Fill `ingest_row`: every row as numbers."""
    rows = " UNION ALL ".join(
        f"SELECT {number} AS file, {ROW_HASH}({literal(staged.source_file)}) AS file_content, * FROM ({_read(staged, columns, zone)})"
        for number, (staged, columns) in enumerate(files)
    )
    con.execute(f"""CREATE TEMP TABLE ingest_row AS
        SELECT CAST(r.file AS UINTEGER) AS file, r.source_row, xor(r.content, r.file_content) AS event_id, p.patient,
            r."time", r.end_time, c.id AS code, w.id AS word,
            CAST(r.state AS UTINYINT) AS state, CAST(r.end_state AS UTINYINT) AS end_state
        FROM ({rows}) AS r
        JOIN ingest_patient AS p ON p.raw IS NOT DISTINCT FROM r.patient_id
        JOIN ingest_pair AS c ON c.raw_code IS NOT DISTINCT FROM r.code AND c.raw_unit IS NOT DISTINCT FROM r.unit
        JOIN ingest_word AS w ON w.raw_value IS NOT DISTINCT FROM r.value
            AND w.raw_text IS NOT DISTINCT FROM r.text AND w.raw_route IS NOT DISTINCT FROM r.route""")


def _read(staged: Staged, columns: Mapping[str, Source], zone: str | None) -> str:
    """SELECT a file's rows: times read, the number of its content, the other columns as their small tables know them."""
    own = ", ".join(identifier(name) for name in sorted(staged.own))
    time, state = parse.time(columns["time"], zone)
    end_time, end_state = parse.time(columns["end_time"], zone)
    keys = [f"{raw(columns[name])} AS {name}" for name in ("patient_id", "code", "unit", "value", "text", "route")]
    times = [f'{time} AS "time"', f"{state} AS state", f"{end_time} AS end_time", f"{end_state} AS end_state"]
    listed = ", ".join(["source_row", f"{ROW_HASH}({own}) AS content", *keys, *times])
    return f"SELECT {listed} FROM {staged.relation} AS f"


def fold_duplicates(con: "Connection", files: Sequence[tuple[Staged, dict[str, Source]]]) -> dict[int, int]:
    """Remove rows equal in every column to an earlier one of their file; return how many, by file.

    Rows that share a number are compared in full; different ones that share it by chance get another
    number, made of their content, so that it is the same in every run.
    """
    con.execute("""CREATE TEMP TABLE ingest_twin AS
        SELECT file, source_row, event_id FROM ingest_row
        WHERE event_id IN (SELECT event_id FROM (
            SELECT event_id, lag(event_id) OVER (ORDER BY event_id) AS before FROM ingest_row) WHERE event_id = before)""")
    con.execute(
        "CREATE TEMP TABLE ingest_fate (file UINTEGER, source_row UBIGINT, event_id UBIGINT, content VARCHAR, copy BIGINT)"
    )
    for (number,) in con.execute("SELECT DISTINCT file FROM ingest_twin ORDER BY file").fetchall():
        staged, _ = files[number]
        own = ", ".join(f"r.{identifier(name)}" for name in sorted(staged.own))
        con.execute(f"""INSERT INTO ingest_fate
            SELECT {number}, r.source_row, t.event_id, {literal(staged.source_file)} || to_json([{_texts(staged)}]),
                row_number() OVER (PARTITION BY t.event_id, {own} ORDER BY r.source_row)
            FROM {staged.relation} AS r JOIN ingest_twin AS t ON t.file = {number} AND t.source_row = r.source_row""")
    folded = dict(con.execute("SELECT file, count(*) FROM ingest_fate WHERE copy > 1 GROUP BY file").fetchall())
    con.execute("""DELETE FROM ingest_row USING ingest_fate AS d
        WHERE d.copy > 1 AND ingest_row.file = d.file AND ingest_row.source_row = d.source_row""")
    _part_collisions(con)
    con.execute("DROP TABLE ingest_fate")
    return folded


def _texts(staged: Staged) -> str:
    return ", ".join(f"CAST(r.{identifier(name)} AS VARCHAR)" for name in sorted(staged.own))


def _part_collisions(con: "Connection") -> None:
    con.execute("""CREATE TEMP TABLE ingest_apart AS
        SELECT file, source_row, md5_number_lower(content || chr(31) || place) AS event_id FROM (
            SELECT file, source_row, content, row_number() OVER (PARTITION BY event_id ORDER BY content) AS place
            FROM ingest_fate WHERE copy = 1)
        WHERE place > 1""")
    con.execute("""UPDATE ingest_row SET event_id = a.event_id FROM ingest_apart AS a
        WHERE ingest_row.file = a.file AND ingest_row.source_row = a.source_row""")
    con.execute("DROP TABLE ingest_apart")


REASON = f"""CASE
    WHEN r.patient IS NULL THEN 'patient_id is empty'
    WHEN c.code = '' THEN 'code is empty'
    WHEN c.fact IS NULL AND c.reject IS NOT NULL THEN c.reject
    WHEN r.state = {UNREADABLE} THEN 'time cannot be read; write it as 2024-01-31 13:45'
    WHEN r.end_state = {UNREADABLE} THEN 'end_time cannot be read; write it as 2024-01-31 13:45'
    WHEN c.fact = 'birth_date' AND r."time" IS NULL AND c.fact_value IS NULL THEN 'time is empty, and would be the date of birth'
    WHEN c.fact = 'sex' AND coalesce(c.fact_value, w.source_value, w.words) IS NULL THEN 'sex is empty'
    WHEN c.fact IS NULL AND r."time" IS NULL AND NOT c.static AND c.concept IS NULL
        THEN 'time is empty, and the code is mapped to no baseline fact'
    WHEN c.fact IS NULL AND r."time" IS NULL AND NOT c.static THEN 'time is empty, and ' || c.concept || ' is no baseline fact'
    END"""


def set_aside(con: "Connection", files: Sequence[tuple[Staged, dict[str, Source]]]) -> None:
    """Move what cannot be used to meta.rejected, and what is a fact about the patient to meta.patient_fact."""
    con.execute(f"""CREATE TEMP TABLE ingest_reject AS SELECT * FROM (
        SELECT r.file, r.source_row, {REASON} AS reason
        FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code JOIN ingest_word AS w ON w.id = r.word)
        WHERE reason IS NOT NULL""")
    for (number,) in con.execute("SELECT DISTINCT file FROM ingest_reject ORDER BY file").fetchall():
        staged, _ = files[number]
        con.execute(f"""INSERT INTO meta.rejected
            SELECT {literal(staged.source_file)}, r.source_row, j.reason, {raw_json(staged)}
            FROM {staged.relation} AS r JOIN ingest_reject AS j ON j.file = {number} AND j.source_row = r.source_row
            ORDER BY r.source_row""")
    con.execute("""DELETE FROM ingest_row USING ingest_reject AS j
        WHERE ingest_row.file = j.file AND ingest_row.source_row = j.source_row""")
    names = ", ".join(f"({number}, {literal(staged.source_file)})" for number, (staged, _) in enumerate(files))
    con.execute(f"""INSERT INTO meta.patient_fact
        SELECT p.patient_id, CASE WHEN c.fact = 'sex' THEN coalesce(c.fact_value, w.source_value, w.words) END,
            CASE WHEN c.fact = 'birth_date' THEN coalesce(TRY_CAST(c.fact_value AS DATE), CAST(r."time" AS DATE)) END,
            f.source_file, r.source_row
        FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code JOIN ingest_word AS w ON w.id = r.word
        JOIN (SELECT DISTINCT patient, patient_id FROM ingest_patient) AS p ON p.patient = r.patient
        JOIN (VALUES {names}) AS f(number, source_file) ON f.number = r.file
        WHERE c.fact IS NOT NULL""")
    con.execute("DELETE FROM ingest_row WHERE code IN (SELECT id FROM ingest_code WHERE fact IS NOT NULL)")


def raw_json(staged: Staged) -> str:
    """The row as read, as JSON text."""
    pairs = ", ".join(f"{identifier(name)} := r.{identifier(name)}" for name in staged.own)
    return f"CAST(to_json(struct_pack({pairs})) AS VARCHAR)"


VALUE = """CASE WHEN c.concept IS NULL OR (c.factor = 1 AND c."offset" = 0) THEN w.number
    ELSE round(w.number * c.factor + c."offset", 9) END"""
IMPLAUSIBLE = f"coalesce({VALUE} < c.low OR {VALUE} > c.high, FALSE)"
TEXT = "CASE WHEN c.words THEN lower(coalesce(w.words, c.text)) ELSE coalesce(w.words, c.text) END"


def give_meaning(con: "Connection") -> None:
    """Fill `ingest_meaning`: what each mapped code says with each value it occurs with, and how often; for the counts."""
    con.execute(f"""CREATE TEMP TABLE ingest_meaning AS
        SELECT m.n, c.concept, c.code, c.source_unit, c.unit, c."numeric", c.assumed, w.source_value, w.number,
            {TEXT} AS text, {IMPLAUSIBLE} AS implausible
        FROM (SELECT code, word, count(*) AS n FROM ingest_row
            WHERE code IN (SELECT id FROM ingest_code WHERE concept IS NOT NULL) GROUP BY code, word) AS m
        JOIN ingest_code AS c ON c.id = m.code JOIN ingest_word AS w ON w.id = m.word""")


def events(files: Sequence[tuple[Staged, dict[str, Source]]]) -> str:
    """SELECT the new events, columns as in meta.event."""
    names = ", ".join(f"({number}, {literal(staged.source_file)})" for number, (staged, _) in enumerate(files))
    midnight = 'r."time" = CAST(CAST(r."time" AS DATE) AS TIMESTAMP)'
    return f"""SELECT r.event_id, k.patient_id, r."time", r.end_time, c.concept, {VALUE} AS value,
            CASE WHEN w.number IS NOT NULL THEN c.unit END AS unit, w.bound, {TEXT} AS text,
            coalesce(w.route, lower(c.route)) AS route, c.code, w.source_value,
            nullif(c.source_unit, '') AS source_unit, f.source_file, r.source_row,
            (r.state = {DATE_ONLY} OR (c.date_only AND {midnight})) IS TRUE AS date_only, {IMPLAUSIBLE} AS implausible
        FROM ingest_row AS r
        JOIN ingest_code AS c ON c.id = r.code
        JOIN ingest_word AS w ON w.id = r.word
        JOIN ingest_key AS k ON k.patient = r.patient
        JOIN (VALUES {names}) AS f(number, source_file) ON f.number = r.file"""


def clear(con: "Connection") -> None:
    """Drop whatever an ingest keeps for itself."""
    found = con.execute("""SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND starts_with(view_name, 'ingest_')
        UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'ingest_')""")
    dropped = [f"DROP {kind} temp.{identifier(name)}" for kind, name in found.fetchall()]
    if dropped:
        con.execute("; ".join(dropped))

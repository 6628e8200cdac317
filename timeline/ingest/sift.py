"""Staged rows that become no event: duplicates, rows that are of no use, facts about patients; knows no file format."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from timeline import personal
from timeline.errors import ExtractError
from timeline.ingest import memory
from timeline.ingest.normalise import Files
from timeline.ingest.parse import UNREADABLE
from timeline.ingest.sexes import one_form, said_by
from timeline.ingest.staged import Staged
from timeline.printing import count
from timeline.quote import literal, whole

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


def fold_duplicates(con: "Connection", files: Files) -> dict[int, int]:
    """Remove rows equal in every column to an earlier one of their file; return how many, by file.

    Rows that share a number are compared in full; different ones that share it by chance get another
    number, made of their content, so that it is the same in every run.
    """
    con.execute("CREATE TEMP TABLE ingest_twin (file UINTEGER, source_row UBIGINT, event_id UBIGINT)")
    for share in memory.shares(con, "ingest_row", "event_id"):
        con.execute(f"""INSERT INTO ingest_twin SELECT file, source_row, event_id FROM ingest_row
            WHERE {share} AND event_id IN (
                SELECT event_id FROM ingest_row WHERE {share} GROUP BY event_id HAVING count(*) > 1)""")
    if not con.execute("SELECT 1 FROM ingest_twin LIMIT 1").fetchall():
        return {}
    con.execute("""CREATE TEMP TABLE ingest_fate
        (file UINTEGER, source_row UBIGINT, event_id UBIGINT, content VARCHAR, copy BIGINT)""")
    for (number,) in con.execute("SELECT DISTINCT file FROM ingest_twin ORDER BY file").fetchall():
        staged, _ = files[number]
        own = ", ".join(f"r.{whole(name)}" for name in sorted(staged.own))
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
    return ", ".join(f"CAST(r.{whole(name)} AS VARCHAR)" for name in sorted(staged.own))


def _part_collisions(con: "Connection") -> None:
    con.execute("""CREATE TEMP TABLE ingest_apart AS
        SELECT file, source_row, md5_number_lower(content || chr(31) || place) AS event_id FROM (
            SELECT file, source_row, content, row_number() OVER (PARTITION BY event_id ORDER BY content) AS place
            FROM ingest_fate WHERE copy = 1)
        WHERE place > 1""")
    con.execute("""UPDATE ingest_row SET event_id = a.event_id FROM ingest_apart AS a
        WHERE ingest_row.file = a.file AND ingest_row.source_row = a.source_row""")
    con.execute("DROP TABLE ingest_apart")


USUAL = "write it as 2024-01-31 13:45"
"""How a time is written that no mapping says anything of."""
TIMELESS = "(c.static AND c.fact IS NULL)"
"""A baseline fact holds without its time: a death on a day that cannot be read is a death."""
REASON = f"""CASE
    WHEN r.patient IS NULL THEN 'patient_id is empty'
    WHEN c.code = '' THEN 'code is empty'
    WHEN c.fact IS NULL AND c.reject IS NOT NULL THEN c.reject
    WHEN r.state = {UNREADABLE} AND NOT {TIMELESS} THEN 'time cannot be read; ' || a."time"
    WHEN r.end_state = {UNREADABLE} AND NOT {TIMELESS} THEN 'end_time cannot be read; ' || a.end_time
    WHEN c.fact = 'birth_date' AND r."time" IS NULL AND c.fact_value IS NULL
        THEN 'time is empty, and would be the date of birth'
    WHEN c.fact = 'sex' AND coalesce(c.fact_value, w.source_value, w.words) IS NULL THEN 'sex is empty'
    WHEN c.fact IS NULL AND r."time" IS NULL AND NOT c.static AND c.concept IS NULL
        THEN 'time is empty, and the code is mapped to no baseline fact'
    WHEN c.fact IS NULL AND r."time" IS NULL AND NOT c.static
        THEN 'time is empty, and ' || c.concept || ' is no baseline fact'
    END"""

UNFIT = f"""(r.patient IS NOT NULL AND c.code <> '' AND c.fact IS NULL AND (c.reject IS NULL OR c.unfit)
    AND (r.end_state = {UNREADABLE}) IS NOT TRUE)"""
"""Of what is rejected: another definition of the concept could hold it."""


@contextmanager
def told(staged: Staged) -> Iterator[None]:
    """Say that a condition of the mapping is what cannot be evaluated, and never the value that could not."""
    import duckdb

    try:
        yield
    except (duckdb.ProgrammingError, duckdb.DataError):
        raise ExtractError(
            f"{staged.whole}: `where` of the mapping cannot be evaluated: columns of a CSV file are text; compare a "
            "number with TRY_CAST(name AS DOUBLE) > 5, a word with name = 'word'"
        ) from None


def set_aside(con: "Connection", files: Files) -> tuple[str, ...]:
    """Move what cannot be used to meta.rejected, and what is a fact about the patient to meta.patient_fact.

    Returns sentences about reasons that would have told who a row is of.
    """
    con.execute("""CREATE TEMP TABLE ingest_reject
        (file UINTEGER, source_row UBIGINT, patient UINTEGER, reason VARCHAR, unfit BOOLEAN)""")
    # What a format refuses has its reason first: a dose that was held has no time because it was held.
    for number, (staged, _) in enumerate(files):
        if staged.refused is not None:
            refused = (
                f"SELECT r.file, r.source_row, r.patient, n.reason, FALSE FROM ingest_row AS r "
                f"JOIN ({staged.refused}) AS n"
            )
            with told(staged):
                con.execute(
                    f"INSERT INTO ingest_reject {refused} ON n.source_row = r.source_row WHERE r.file = {number}"
                )
    advice = ", ".join(f"({number}, {_advice(staged)})" for number, (staged, _) in enumerate(files))
    con.execute(f"""INSERT INTO ingest_reject SELECT * FROM (
        SELECT r.file, r.source_row, r.patient, {REASON} AS reason, {UNFIT} AS unfit
        FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code JOIN ingest_word AS w ON w.id = r.word
        JOIN (VALUES {advice}) AS a(file, "time", end_time) ON a.file = r.file) AS f
        WHERE reason IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM ingest_reject AS j WHERE j.file = f.file AND j.source_row = f.source_row)""")
    names = ", ".join(f"({number}, {literal(staged.source_file)})" for number, (staged, _) in enumerate(files))
    said = personal.blot(
        con,
        "ingest_reject",
        f"(SELECT name FROM (VALUES {names}) AS f(n, name) WHERE n = file)",
        "(SELECT any_value(p.patient_id) FROM ingest_patient AS p WHERE p.patient = ingest_reject.patient)",
    )
    for (number,) in con.execute("SELECT DISTINCT file FROM ingest_reject ORDER BY file").fetchall():
        staged, _ = files[number]
        rows, raw = as_written(staged, "r")
        with memory.joined_as_written(con):
            con.execute(f"""INSERT INTO meta.rejected
                SELECT {literal(staged.source_file)}, r.source_row, j.reason, {raw} FROM {rows} AS r
                JOIN ingest_reject AS j ON j.file = {number} AND j.source_row = r.source_row ORDER BY r.source_row""")
    con.execute("""CREATE TEMP TABLE ingest_unfit AS SELECT r.* FROM ingest_row AS r
        JOIN ingest_reject AS j ON j.file = r.file AND j.source_row = r.source_row WHERE j.unfit""")
    con.execute("""DELETE FROM ingest_row USING ingest_reject AS j
        WHERE ingest_row.file = j.file AND ingest_row.source_row = j.source_row""")
    sex = one_form("coalesce(c.fact_value, w.source_value, w.words)", said_by(staged for staged, _ in files))
    born = "CASE WHEN c.fact = 'birth_date' THEN coalesce(TRY_CAST(c.fact_value AS DATE), CAST(r.\"time\" AS DATE)) END"
    con.execute(f"""INSERT INTO meta.patient_fact
        SELECT p.patient_id, CASE WHEN c.fact = 'sex' THEN {sex} END, {born}, year({born}), f.source_file, r.source_row
        FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code JOIN ingest_word AS w ON w.id = r.word
        JOIN (SELECT DISTINCT patient, patient_id FROM ingest_patient) AS p ON p.patient = r.patient
        JOIN (VALUES {names}) AS f(number, source_file) ON f.number = r.file
        WHERE c.fact IS NOT NULL""")
    con.execute("DELETE FROM ingest_row WHERE code IN (SELECT id FROM ingest_code WHERE fact IS NOT NULL)")
    return (*said, *_without_time(con, advice))


def _without_time(con: "Connection", advice: str) -> Iterator[str]:
    """A sentence for each way to write times in which some could not be read, of rows that are kept all the same."""
    for kind, state in (("time", "state"), ("end_time", "end_state")):
        found = con.execute(f"""SELECT said, CAST(sum(n) AS BIGINT), list(concept || ' (' || n || ')' ORDER BY concept)
            FROM (SELECT a.{kind} AS said, c.concept, count(*) AS n
                FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code
                JOIN (VALUES {advice}) AS a(file, time, end_time) ON a.file = r.file
                WHERE r.{state} = {UNREADABLE} GROUP BY ALL)
            GROUP BY said ORDER BY said""").fetchall()
        for said, n, concepts in found:
            times = count(n, kind.replace("_", " "))
            yield f"{times} could not be read: kept without one: {', '.join(concepts)}; {said}"


def _advice(staged: Staged) -> str:
    return ", ".join(literal(staged.advice.get(name, USUAL)) for name in ("time", "end_time"))


def as_written(staged: Staged, alias: str) -> tuple[str, str]:
    """A FROM item of rows, and of each, under an alias, its text: as the source has it, else as read, as JSON.

    Apart, because the text of all rows is much to write where a few are asked for.
    """
    if staged.raw is not None:
        return f"({staged.raw})", f"{alias}.raw"
    pairs = ", ".join(f"{whole(name)} := {alias}.{whole(name)}" for name in staged.own)
    return staged.relation, f"CAST(to_json(struct_pack({pairs})) AS VARCHAR)"

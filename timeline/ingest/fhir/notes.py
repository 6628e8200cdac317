"""What the report of an ingest says about the resources of an extract, in numbers; never what is in one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.ingest.fhir.elements import DEFINITIONS, IGNORED, PARTIAL_DATE, RESOURCES
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

READ = (*RESOURCES, *DEFINITIONS, "Patient", "")
NAMED = 20
"""Names that a sentence lists."""


def notes(con: "Connection", scratch: str, others: Sequence[str]) -> tuple[str, ...]:
    """Sentences about what was not read, and about what only a person can settle."""
    said = [*_not_read(con, scratch)]
    if others:
        said.append(f"files without FHIR, not read: {_listed(others)}")
    for sentence, query in QUESTIONS.items():
        (numbers,) = con.execute(query.format(row=f"{scratch}_row", person=f"{scratch}_person")).fetchall()
        if numbers[0]:
            said.append(sentence.format(*numbers))
    return tuple(said)


def _not_read(con: "Connection", scratch: str) -> list[str]:
    listed = ", ".join(literal(one) for one in READ)
    rows = con.execute(f"""SELECT type, CAST(sum(n) AS BIGINT) AS n FROM {scratch}_seen WHERE type NOT IN ({listed})
        GROUP BY type ORDER BY n DESC, type""").fetchall()
    unread = con.execute(
        f"SELECT unread, count(*) AS n FROM {scratch}_row WHERE unread IS NOT NULL GROUP BY unread ORDER BY n DESC, unread"
    ).fetchall()
    said = []
    if rows:
        why = [f"{type_} ({n}; {IGNORED[type_]})" if type_ in IGNORED else f"{type_} ({n})" for type_, n in rows]
        said.append(f"resources not read: {_listed(why)}")
    return said + [f"{name} is not read: {n} rows have no value" for name, n in unread]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


QUESTIONS = {
    "{0} rows are of {1} patients of whom the extract has no Patient resource: kept, with the id of the reference": """
        SELECT count(*), count(DISTINCT patient_id) FROM {row}
        WHERE patient_id IS NOT NULL AND patient_id NOT IN (SELECT id FROM {person} WHERE id IS NOT NULL)""",
    "{0} resources are here in several versions (one type and id): every version is kept; export the newest only": """
        SELECT count(*) FROM (SELECT resource, id FROM {row} WHERE part = 0 AND id IS NOT NULL GROUP BY resource, id
            HAVING count(*) > 1 AND count(DISTINCT hash(status, subject, "time", end_time, code, value, unit, text,
                route)) > 1)""",
    "{0} rows have no status; they are used": """
        SELECT count(*) FROM {row} WHERE status IS NULL AND part = 0 AND resource NOT IN ('Patient', 'Condition')""",
    "{0} Patients have a year or a month for their date of birth: it stays empty": f"""
        SELECT count(*) FROM {{person}} WHERE regexp_full_match(birth_date, {literal(PARTIAL_DATE).replace("{", "{{").replace("}", "}}")})""",
    "{0} Patients are known to have died, but not on which day: Patient.deceasedBoolean, without a time": """
        SELECT count(*) FROM {person} WHERE died IS NOT NULL AND died_at IS NULL""",
    "{0} Patients are replaced by another (link): the events of both stay apart": """
        SELECT count(*) FROM {person} WHERE replaced""",
}
"""A sentence -> the query whose first number it needs, said where that is not 0."""

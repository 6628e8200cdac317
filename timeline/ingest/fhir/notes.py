"""What the report of an ingest says about the resources of an extract, in numbers; never what is in one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.ingest import leftover
from timeline.ingest.fhir.elements import IGNORED, PARTIAL_DATE, READ
from timeline.ingest.fhir.extract import is_ignored
from timeline.ingest.mapping import Mapping
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

TYPE = "[A-Z][A-Za-z]{2,40}"
"""What the name of a type looks like; other words in its place may be anybody's, and are only counted."""
NAMED = 20
"""Names that a sentence lists."""


def notes(
    con: "Connection",
    scratch: str,
    others: Sequence[str],
    beside: list[str],
    several: int,
    mapping: Mapping | None,
) -> tuple[str, ...]:
    """Sentences about what was not read (`others`, `beside`: files), and about what only a person can settle."""
    said = [*_left_out(con, scratch, mapping), *_not_read(con, scratch)]
    if others:
        said.append(f"files without FHIR, not read: {_listed(others)}")
    if beside:
        said.append(f"other files of the folder, not read: {leftover.named(beside)}")
    for sentence, (table, numbers, condition) in QUESTIONS.items():
        where = condition.replace("{scratch}", scratch)
        (found,) = con.execute(f"SELECT {numbers} FROM {scratch}_{table} WHERE {where}").fetchall()
        if found[0]:
            said.append(sentence.format(*found))
    if several:
        said.append(
            f"{several} ids are those of several resources of one type, which are of different patients or do not all "
            "say a version: each is kept; ingest sources that number theirs alike one by one"
        )
    return tuple(said)


def _left_out(con: "Connection", scratch: str, mapping: Mapping | None) -> list[str]:
    """Resources that the mapping ignores, and what it ignores in vain."""
    if mapping is None or not mapping.tables:
        return []
    rows = con.execute(f"""SELECT type, CAST(sum(n) AS BIGINT) AS n FROM {scratch}_seen
        GROUP BY type ORDER BY n DESC, type""").fetchall()
    left = [f"{type_} ({n})" for type_, n in rows if is_ignored(mapping, type_)]
    met = {mapping.entry(type_) for type_, _ in rows}
    idle = [key for key in mapping.tables if key not in met]
    said = [f"resources left out by the mapping {mapping.name}: {_listed(left)}"] if left else []
    return said + ([f"mapping {mapping.name}: `tables`: no resource here: {_listed(idle)}"] if idle else [])


def _not_read(con: "Connection", scratch: str) -> list[str]:
    listed = ", ".join(literal(one) for one in READ)
    rows = con.execute(f"""SELECT CASE WHEN regexp_full_match(type, {literal(TYPE)}) THEN type
            ELSE 'of a resourceType that is no name' END AS name, CAST(sum(n) AS BIGINT) AS n
        FROM {scratch}_seen WHERE type NOT IN ({listed}) GROUP BY name ORDER BY n DESC, name""").fetchall()
    unread = con.execute(f"""SELECT unread, count(*) AS n FROM {scratch}_row WHERE unread IS NOT NULL
        GROUP BY unread ORDER BY n DESC, unread""").fetchall()
    said = []
    if rows:
        why = [f"{type_} ({n}; {IGNORED[type_]})" if type_ in IGNORED else f"{type_} ({n})" for type_, n in rows]
        said.append(f"resources not read: {_listed(why)}")
    return said + [f"{name} is not read: {n} rows have no value" for name, n in unread]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


PARTIAL = literal(PARTIAL_DATE)
QUESTIONS = {
    "{0} rows are of {1} patients of whom the extract has no Patient resource: kept, with the id of the reference": (
        "row",
        "count(*), count(DISTINCT patient_id)",
        "patient_id IS NOT NULL AND patient_id NOT IN (SELECT id FROM {scratch}_person WHERE id IS NOT NULL)",
    ),
    "{0} rows have no status; they are used": (
        "row",
        "count(*)",
        "status IS NULL AND part = 0 AND resource NOT IN ('Patient', 'Condition')",
    ),
    "{0} rows have a year or a month for their end: it stays empty": (
        "row",
        f"count(*) FILTER (regexp_full_match(end_time, {PARTIAL}))",
        "TRUE",
    ),
    "{0} Patients have a year or a month for their date of birth: it stays empty, and birth_year holds the year": (
        "person",
        f"count(*) FILTER (regexp_full_match(birth_date, {PARTIAL}))",
        "TRUE",
    ),
    "{0} Patients are known to have died, but not on which day: Patient.deceasedBoolean, without a time": (
        "person",
        "count(*)",
        "died IS NOT NULL AND died_at IS NULL",
    ),
    "{0} Patients say in deceasedBoolean what is neither true nor false, or false beside a deceasedDateTime: it says "
    "nothing here": ("person", "count(*)", "deceased_otherwise"),
    "{0} Patients are here more than once, differ, and say no newer version: what they contradict of sex and birth "
    "stays empty, and each death is kept": ("before", "count(DISTINCT id)", "unsettled"),
    "{0} Patients are replaced by another (link): the events of both stay apart": ("person", "count(*)", "replaced"),
}
"""A sentence -> the table, the numbers and the condition that it is about; said where the first number is not 0."""

"""What rows of an extract leave open or say twice, counted for the report; changes no row and names no patient."""

from typing import TYPE_CHECKING

from timeline import units
from timeline.ingest.mapping import Mapping
from timeline.ingest.omop import rows
from timeline.ingest.omop.found import Extract, Found
from timeline.ingest.omop.tables import EVENTS
from timeline.ingest.omop.vocabulary import number, words

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

DAY = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}'"


def of_persons(con: "Connection", found: Found, mapping: Mapping | None) -> tuple[str, ...]:
    """Births without a day, and those of which two are said."""
    known = f"{words(found, 'birth_datetime')} IS NOT NULL OR ({number(found, 'month_of_birth')} IS NOT NULL " + (
        f"AND {number(found, 'day_of_birth')} IS NOT NULL)"
    )
    year, day = rows.two_births(found, mapping)
    [(dayless, years, days)] = con.execute(f"""
        SELECT count_if({number(found, "year_of_birth")} IS NOT NULL AND NOT ({known})),
            count_if({year}), count_if({day} AND NOT {year}) FROM {found.relation}""").fetchall()
    said = {
        "persons have a year of birth without its day; birth_date stays empty, and birth_year holds it": dayless,
        "persons have a birth_datetime of another year than year_of_birth; of birth_date and birth_year neither is "
        "taken": years,
        "persons have a birth_datetime of another day than month_of_birth and day_of_birth; birth_date stays empty, "
        "and birth_year holds the year": days,
    }
    return tuple(f"{found.source_file}: {n} {what}" for what, n in said.items() if n)


def of_events(con: "Connection", found: Found, mapping: Mapping | None, scratch: str) -> tuple[str, ...]:
    """Times and units that two columns say differently, times that none says, quantities that are no dose."""
    asked = {one for one in ("time", "end_time", "unit", "value", "text") if rows.asked_for(found, mapping, one)}
    table = EVENTS[found.table]
    counts: dict[str, str] = {}
    for ours, names in (("time", table.start), ("end_time", table.end)):
        if ours not in asked and len(names) > 1:
            what = f"rows have a {names[0]} of another day than {names[1]}; the {names[0]} is taken"
            counts[what] = _other_day(found, names[0], names[1])
    if "value_as_number" in found.columns and "value" not in asked:
        what = "rows have a value_source_value with a sign, such as <5, and no operator; the number alone is taken"
        counts[what] = rows.unsaid_bound(found)
    if found.table == "death" and "time" not in asked:
        counts["deaths have no date"] = " AND ".join(f"{words(found, name)} IS NULL" for name in table.start)
    said = []
    if counts:
        asked_of = ", ".join(f"count_if({condition})" for condition in counts.values())
        told = con.execute(f"SELECT {asked_of} FROM {found.relation}").fetchall()[0]
        said += [f"{n} {what}" for what, n in zip(counts, told, strict=True) if n]
    if "unit" not in asked and (n := _two_units(con, found, scratch)):
        said.append(f"{n} rows have a unit_concept_id of another unit than unit_source_value; the concept's is taken")
    if found.table == rows.DRUGS and not asked & {"value", "text"}:
        n = sum(n for _, n, is_mass in rows.quantities(con, found) if not is_mass)
        said += [f"{n} quantities are no dose, since no unit of mass that is known stands beside them"] if n else []
    return tuple(f"{found.source_file}: {one}" for one in said)


def _other_day(found: Found, exact: str, bare: str) -> str:
    """Whether both are written with a day, and not with the same."""
    both = [f"nullif(regexp_extract({words(found, name)}, {DAY}), '')" for name in (exact, bare)]
    return f"coalesce({both[0]} <> {both[1]}, FALSE)"


def _two_units(con: "Connection", found: Found, scratch: str) -> int:
    """Rows of which two units can be read, one by its concept, that are not the same."""
    if not {"unit_concept_id", "unit_source_value"} <= set(found.columns):
        return 0
    pairs = con.execute(f"""
        SELECT w.unit, p.said, p.n FROM (
            SELECT {number(found, "unit_concept_id")} AS id, {words(found, "unit_source_value")} AS said, count(*) AS n
            FROM {found.relation} GROUP BY ALL) AS p
        JOIN {scratch}_word AS w ON w.id = p.id WHERE w.unit IS NOT NULL AND p.said IS NOT NULL""").fetchall()
    return sum(n for unit, said, n in pairs if _differ(unit, said))


def _differ(unit: str, said: str) -> bool:
    if units.parse(unit) is None or units.parse(said) is None:
        return False
    factor = units.factor(said, unit)
    return factor is None or abs(factor[0] - 1) > 1e-9 or factor[1] != 0


def of_ids(con: "Connection", extract: Extract, scratch: str) -> list[str]:
    """Rows of persons that the person table lacks, and ids that would be one if they were read as numbers."""
    persons = extract.of("person")
    if not persons:
        return []
    con.execute(f"""CREATE TEMP TABLE {scratch}_person AS
        SELECT id, {WHOLE} AS number FROM ({" UNION ".join(_ids(one) for one in persons)}) WHERE id IS NOT NULL""")
    [(alike,)] = con.execute(f"""SELECT coalesce(sum(n), 0) FROM (
        SELECT count(*) AS n FROM {scratch}_person WHERE number IS NOT NULL GROUP BY number) WHERE n > 1""").fetchall()
    notes = [f"person: {alike} ids are one number in several writings, such as 3 and 03; {KEPT}"] if alike else []
    for one in extract.tables:
        if one.table in EVENTS:
            notes += _strangers(con, one, scratch)
    return notes


def _strangers(con: "Connection", one: Found, scratch: str) -> list[str]:
    known = f"number IN (SELECT number FROM {scratch}_person WHERE number IS NOT NULL)"
    [(n, written)] = con.execute(f"""
        SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (known), 0) FROM (
            SELECT n, {known} AS known FROM (
                SELECT {WHOLE} AS number, count(*) AS n FROM ({_ids(one)}) AS e
                ANTI JOIN {scratch}_person AS p ON p.id = e.id WHERE e.id IS NOT NULL GROUP BY e.id))""").fetchall()
    name = one.source_file
    notes = [f"{name}: {n} rows are of persons that the table person lacks; they are kept"] if n else []
    if written:
        notes.append(f"{name}: {written} of these rows have the number of a person in another writing; {KEPT}")
    return notes


KEPT = "ids are kept as they are written, since they may be of several patients; write each in one way"
WHOLE = "CASE WHEN regexp_full_match(id, '[+-]?[0-9]+') THEN TRY_CAST(id AS HUGEINT) END"
"""The number that an id is, where it is one."""


def _ids(found: Found) -> str:
    """SELECT id: of rows that are some; NULL of the others."""
    unusable = " OR ".join(rows.unusable_for(found)) or "FALSE"
    return f"SELECT CASE WHEN ({unusable}) IS NOT TRUE THEN {rows.person_id(found)} END AS id FROM {found.relation}"

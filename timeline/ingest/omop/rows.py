"""A table of the Common Data Model -> staged rows, column by column; knows no concept in force."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from timeline import units
from timeline.errors import ExtractError
from timeline.ingest import parse, written
from timeline.ingest.mapping import Column, Mapping, names_of
from timeline.ingest.omop.found import Found
from timeline.ingest.omop.known import OPERATORS, SEXES
from timeline.ingest.omop.tables import EVENTS, TABLES, VOCABULARY, Table
from timeline.ingest.omop.vocabulary import EXACT, INTEGERS, number, words
from timeline.ingest.staged import Staged
from timeline.quote import literal, whole

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

WORDS = {
    "unit_concept_id": "unit",
    "route_concept_id": "route",
    "value_as_concept_id": "name",
    "cause_concept_id": "name",
}
"""Columns of ids that stand for words, and which words."""
DRUGS = "drug_exposure"


def check(tables: Sequence[Found], mapping: Mapping | None) -> None:
    """Raise ExtractError where a table lacks what it cannot be read without, or a mapping's columns, all at once."""
    wrong = [
        f"{found.source_file}: no column {' or '.join(f'`{name}`' for name in anyof)}"
        for found in tables
        for anyof in _needed(found.table)
        if not set(anyof) & set(found.columns)
    ]
    if wrong:
        raise ExtractError(f"{'; '.join(wrong)}. A table of the OMOP CDM has these columns, in any case")
    if mapping is not None:
        _check_mapping(mapping, {name for found in tables for name in found.columns})


def _check_mapping(mapping: Mapping, known: set[str]) -> None:
    unknown = [
        f"`{theirs}` (for {ours})"
        for ours, column in mapping.columns.items()
        for theirs in names_of(column)
        if theirs.lower() not in known
    ]
    wrong = [f"`columns`: no table has the column {', '.join(unknown)}"] if unknown else []
    if "patient_id" in mapping.columns:
        wrong.append("`columns`: the patient is always `person_id`; leave `patient_id` out")
    if mapping.tables:
        wrong.append("`tables` are of files that are no OMOP; leave them out, or read the files with --format native")
    if mapping.statuses:
        wrong.append("`statuses`: tables of the OMOP CDM have none; leave them out")
    if wrong:
        raise ExtractError(f"mapping {mapping.name}: {'; '.join(wrong)}")


def _needed(table: str) -> list[tuple[str, ...]]:
    if table in VOCABULARY or table == "person":
        return [(field.name,) for field in TABLES[table] if not field.nullable]
    event = EVENTS[table]
    code = tuple(name for name in (event.concept, event.source_concept, event.source_value) if name)
    return [("person_id",), *([code] if code else []), event.start]


def codes(found: Found, mapping: Mapping | None) -> str:
    """SELECT id, other, drug: the distinct codes of a table, each with the other concepts of its rows."""
    first, second = _ids(found, mapping)
    return f"""SELECT DISTINCT coalesce({first}, {second}) AS id,
        CASE WHEN {first} IS NOT NULL THEN {second} END AS other,
        {"TRUE" if found.table == DRUGS else "FALSE"} AS drug FROM {found.relation}"""


def _ids(found: Found, mapping: Mapping | None) -> tuple[str, str]:
    """The concept of a row and, where that is 0, the other: standard and source, unless the mapping asks for source."""
    table = EVENTS[found.table]
    standard, source = number(found, table.concept), number(found, table.source_concept)
    return (source, standard) if _asks_for_source(found, mapping) else (standard, source)


def asked_for(found: Found, mapping: Mapping | None, ours: str = "code") -> Column | None:
    """The column that a mapping file names for one of ours, where this table has it."""
    column = mapping.columns.get(ours) if mapping else None
    return column if column is not None and {name.lower() for name in names_of(column)} <= set(found.columns) else None


def _asks_for_source(found: Found, mapping: Mapping | None) -> bool:
    asked = asked_for(found, mapping)
    return isinstance(asked, str) and asked.lower() == EVENTS[found.table].source_concept


def seen(found: Found) -> list[str]:
    """SELECT id: the distinct ids of units, routes and values of a table."""
    return [f"SELECT DISTINCT {number(found, name)} AS id FROM {found.relation}" for name in _looked_up(found)]


def _names(table: Table) -> set[str]:
    return {field.name for field in table.fields}


def _looked_up(found: Found) -> list[str]:
    return [name for name in WORDS if name in _names(EVENTS[found.table]) and name in found.columns]


def person(found: Found, mapping: Mapping | None, notes: tuple[str, ...]) -> Staged:
    """The patients: sex and date of birth, of which nothing that is not written is made up."""
    sex = " ".join(f"WHEN {id} THEN {literal(word)}" for id, word in SEXES.items())
    year, month, day = (number(found, f"{one}_of_birth") for one in ("year", "month", "day"))
    born = (
        f"CASE WHEN {month} IS NOT NULL AND {day} IS NOT NULL THEN printf('%04d-%02d-%02d', {year}, {month}, {day}) END"
    )
    other_year, other_day = two_births(found, mapping)
    columns = {
        "patient_id": person_id(found),
        "sex": f"coalesce(CASE {number(found, 'gender_concept_id')} {sex} END, {words(found, 'gender_source_value')})",
        "birth_date": f"CASE WHEN NOT {other_day} THEN coalesce({words(found, 'birth_datetime')}, {born}) END",
        "birth_year": f"CASE WHEN NOT {other_year} THEN {year} END",
        **_renamed(found, mapping, ("sex", "birth_date", "birth_year")),
    }
    return _staged(found, "patients", columns, "", notes)


def two_births(found: Found, mapping: Mapping | None) -> tuple[str, str]:
    """Whether a birth_datetime is of another year than year_of_birth, and of another day than what is said beside it.

    Never where a mapping file says which column to take.
    """
    if asked_for(found, mapping, "birth_date") is not None or asked_for(found, mapping, "birth_year") is not None:
        return "FALSE", "FALSE"
    when = words(found, "birth_datetime")
    day = f"regexp_extract({when}, '^([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})', ['year', 'month', 'day'])"
    year, *rest = (
        f"coalesce(TRY_CAST({day}.{one} AS BIGINT) <> {number(found, f'{one}_of_birth')}, FALSE)"
        for one in ("year", "month", "day")
    )
    return year, f"({' OR '.join((year, *rest))})"


def events(
    con: "Connection", found: Found, mapping: Mapping, scratch: str, ingredients: int, notes: tuple[str, ...]
) -> list[Staged]:
    """The rows of an event table, and, a part each, the second meaning of drugs of several ingredients."""
    table = EVENTS[found.table]
    columns = {
        "patient_id": person_id(found),
        "time": _first(found, table.start),
        "code": _code(found, mapping),
        **({"end_time": _first(found, table.end)} if set(table.end) & set(found.columns) else {}),
        **_said(con, found, table),
        **_renamed(found, mapping, ("time", "end_time", "value", "unit", "text", "route")),
    }
    staged = replace(_staged(found, "events", columns, _joins(found, scratch), notes), mapping=mapping)
    places = range(1, ingredients + 1) if found.table == DRUGS and asked_for(found, mapping) is None else ()
    return [staged, *(_ingredient(found, staged, scratch, place) for place in places)]


def _renamed(found: Found, mapping: Mapping | None, ours: Sequence[str]) -> dict[str, str]:
    """What a mapping file takes from other columns than we do, in the tables that have these."""
    types = {spelt: kind for name, kind in found.types.items() for spelt in (name.upper(), name.lower(), name)}
    asked = {one: column for one in ours if (column := asked_for(found, mapping, one)) is not None}
    return {one: written.column(one, column, types, mapping.read) for one, column in asked.items()} if mapping else {}


def _code(found: Found, mapping: Mapping) -> str:
    """As the mapping asks; the standard concept, else the source's, else the source's code with the table's name."""
    table = EVENTS[found.table]
    if not table.concept:
        return literal(table.name)
    ids = (f"{literal(f'{table.prefix}OMOP/')} || {id}" for id in _ids(found, mapping))
    own = f"coalesce({', '.join(ids)}, {literal(table.name + '/')} || {words(found, table.source_value)})"
    if _asks_for_source(found, mapping):
        return own
    asked = _renamed(found, mapping, ("code",)).get("code")
    return own if asked is None else f"coalesce(nullif(trim(CAST({asked} AS VARCHAR)), ''), {own})"


def _first(found: Found, names: Sequence[str]) -> str:
    """The first of several columns that is not empty, as text: a date stays one, and is seen to be one."""
    return f"coalesce({', '.join(words(found, name) for name in names)})"


def person_id(found: Found) -> str:
    """The id as text, as it is written, never through a number that cannot hold it."""
    own = found.columns["person_id"]
    if found.types[own] in EXACT:
        return f"CAST(TRY_CAST({whole(own)} AS BIGINT) AS VARCHAR)"
    if found.types[own] in INTEGERS:
        return f"CAST({whole(own)} AS VARCHAR)"
    return parse.whole(words(found, "person_id"))


def _said(con: "Connection", found: Found, table: Table) -> dict[str, str]:
    """Value, unit, text and route, as far as the table has them."""
    if table.name == DRUGS:
        return _dose(con, found)
    if "value_as_number" in _names(table):
        return _value(found)
    if "cause_concept_id" in _names(table):
        return {"text": f"coalesce({_word(found, 'cause_concept_id')}, {words(found, 'cause_source_value')})"}
    return {}


def _word(found: Found, name: str) -> str:
    return whole(f"_{name}") if name in _looked_up(found) else "CAST(NULL AS VARCHAR)"


def _value(found: Found) -> dict[str, str]:
    figure, string = words(found, "value_as_number"), words(found, "value_as_string")
    concept, bound = _word(found, "value_as_concept_id"), _bound(found)
    source = f"coalesce({string}, {words(found, 'value_source_value')})"
    # Words that have a sign of their own keep it; one that says the opposite of the operator stays words with it.
    says_it = f"left({bound}, 1) IN ('<', '>') AND left({bound}, 1) = left({parse.bound(source)}, 1)"
    written = f"CASE WHEN {says_it} THEN {source} ELSE {bound} || {source} END"
    return {
        "value": f"CASE WHEN {figure} IS NOT NULL THEN {bound} || {figure} WHEN {concept} IS NULL THEN {written} END",
        "text": f"coalesce({concept}, CASE WHEN {figure} IS NOT NULL THEN {string} END)",
        "unit": f"coalesce({_word(found, 'unit_concept_id')}, {words(found, 'unit_source_value')})",
    }


def _bound(found: Found) -> str:
    """The sign before a value; an operator that is not known makes it words: it is no plain number."""
    operator, said = number(found, "operator_concept_id"), words(found, "operator_concept_id")
    bounds = " ".join(f"WHEN {id} THEN {literal(sign)}" for id, sign in OPERATORS.items())
    return f"""CASE {operator} {bounds} ELSE CASE
        WHEN {said} IN ('<', '<=', '>', '>=') THEN {said}
        WHEN {said} IS NULL OR {said} = '=' OR regexp_full_match({said}, '-?0+([.]0*)?') THEN ''
        ELSE 'OMOP/' || coalesce(CAST({operator} AS VARCHAR), {said}) || ' ' END END"""


def unsaid_bound(found: Found) -> str:
    """Whether the source's words have a sign that no operator says of the number beside them."""
    said = parse.bound(words(found, "value_source_value"))
    return f"{words(found, 'value_as_number')} IS NOT NULL AND {_bound(found)} = '' AND left({said}, 1) IN ('<', '>')"


def quantities(con: "Connection", found: Found) -> list[tuple[str | None, int, bool]]:
    """Each unit of the quantities, or none, how many have it, and whether it is one of mass."""
    quantity, unit = words(found, "quantity"), words(found, "dose_unit_source_value")
    unusable = " OR ".join(unusable_for(found)) or "FALSE"
    given = con.execute(f"""SELECT {unit} AS unit, count(*) FROM {found.relation}
        WHERE {quantity} IS NOT NULL AND ({unusable}) IS NOT TRUE GROUP BY ALL ORDER BY ALL""").fetchall()
    parsed = {one: units.parse(one) for one, _ in given if one}
    return [(one, n, (read := parsed.get(one)) is not None and read.dimension[0] == MASS) for one, n in given]


def _dose(con: "Connection", found: Found) -> dict[str, str]:
    """A quantity is a dose where its unit is a mass, also one per weight or time; two tablets are no milligrams."""
    quantity, unit, sig = (words(found, name) for name in ("quantity", "dose_unit_source_value", "sig"))
    mass = [one for one, _, is_mass in quantities(con, found) if one and is_mass]
    is_dose = f"{unit} IN ({', '.join(literal(one) for one in mass)})" if mass else "FALSE"
    is_words = f"({is_dose}) IS NOT TRUE AND {quantity} IS NOT NULL"
    amount = f"CASE WHEN {is_words} THEN concat_ws(' ', {quantity}, {unit}) END"
    return {
        "value": f"CASE WHEN {is_dose} THEN {quantity} END",
        "unit": f"CASE WHEN {is_dose} THEN {unit} END",
        "text": f"nullif(concat_ws('; ', {sig}, {amount}), '')",
        "route": f"coalesce({_word(found, 'route_concept_id')}, {words(found, 'route_source_value')})",
    }


MASS = ("mass",)


def _joins(found: Found, scratch: str) -> str:
    return " ".join(
        f"LEFT JOIN {scratch}_word AS w{place} ON w{place}.id = {number(found, name)}"
        for place, name in enumerate(_looked_up(found))
    )


def _staged(found: Found, kind, columns: dict[str, str], joins: str, notes: tuple[str, ...]) -> Staged:
    """The staged rows of a table; rows that are none are kept apart, with why."""
    words_of = [
        f", w{place}.{WORDS[name]} AS {whole(f'_{name}')}"
        for place, name in enumerate(_looked_up(found) if joins else [])
    ]
    unusable = unusable_for(found)
    where = f" WHERE ({' OR '.join(unusable)}) IS NOT TRUE" if unusable else ""
    pairs = ", ".join(f"{whole(name)} := {whole(name)}" for name in found.types)
    reasons = " ".join(f"WHEN {condition} THEN {literal(reason)}" for condition, reason in unusable.items())
    apart = f"""SELECT source_row, CASE {reasons} END AS reason, CAST(to_json(struct_pack({pairs})) AS VARCHAR) AS raw
        FROM {found.relation} WHERE {" OR ".join(unusable)}"""
    rejected = [one for one in (found.rejected, apart if unusable else None) if one is not None]
    return Staged(
        source_file=found.source_file,
        path=found.path,
        format="omop",
        kind=kind,
        relation=f"(SELECT t.*{''.join(words_of)} FROM {found.relation} AS t {joins}{where})",
        columns=columns,
        own=tuple(found.types),
        rejected=" UNION ALL ".join(rejected) or None,
        notes=notes,
        part=found.part,
        digest=found.digest,
        reads=tuple(
            replace(field, name=found.columns[field.name])
            for field in TABLES[found.table]
            if field.name in found.columns
        ),
    )


def unusable_for(found: Found) -> dict[str, str]:
    """Condition -> why rows of it are none."""
    own = found.columns["person_id"]
    kind, column = found.types[own], whole(own)
    if kind in EXACT:
        return {
            f"NOT isfinite({column}) OR abs({column}) >= {EXACT[kind]} OR {column} <> trunc({column})": (
                "person_id is a floating-point number that does not say which person; write whole numbers or text"
            )
        }
    if kind == "VARCHAR":
        return {f"lower(trim({column})) = 'person_id'": "the row repeats the names of the columns"}
    return {}


def _ingredient(found: Found, staged: Staged, scratch: str, place: int) -> Staged:
    """Rows of drugs that have a `place`-th of several ingredients, as exposures to that: no dose of it is known."""
    part = f"{found.part}.ingredient[{place}]" if found.part else f"ingredient[{place}]"
    id = f"coalesce({', '.join(_ids(found, None))})"
    return replace(
        staged,
        source_file=f"{staged.whole}#{part}",
        part=part,
        relation=f"(SELECT s.*, i.ingredient AS _ingredient FROM {staged.relation} AS s "
        f"JOIN {scratch}_ingredient AS i ON i.id = {id} AND i.place = {place})",
        columns={name: sql for name, sql in staged.columns.items() if name not in ("value", "unit")}
        | {"code": "'OMOP/' || _ingredient"},
        # Among the columns, so that the rows of another ingredient are not taken for the same.
        own=(*staged.own, "_ingredient"),
        rejected=None,
        notes=(),
    )

"""Laws that every rule set keeps, tried on random rules: what must not change when the data are told otherwise."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from tests.cases import concepts, event
from tests.generate_rules import Study
from tests.on_engine import Person, Tables, derive_compiled, fill
from tests.reference_words import Row
from tests.test_reference import BATCH, PEOPLE, checked, connection, difference, people_of
from timeline.compiler import Compiled, compile_rules
from timeline.load import load_text
from timeline.rules import RuleSet

STUDIES = 20
SHIFT = dt.timedelta(days=366)
Derive = Callable[..., dict[str, Tables]]


def changed(value: Any, how: Callable[[Any], Any]) -> Any:
    """A value, or each of a list, changed."""
    return [how(item) for item in value] if isinstance(value, list) else how(value)


def later(value: Any) -> Any:
    """A time SHIFT later; anything else as it is."""
    return value + SHIFT if isinstance(value, dt.date) else value


def rows_changed(tables: Tables, how: Callable[[str, Any], Any]) -> Tables:
    """Every cell of every row changed, by its column."""
    return {rule: [{c: how(c, v) for c, v in row.items()} for row in rows] for rule, rows in tables.items()}


def renamed(tables: Tables, name: str, more: int = 0) -> Tables:
    """The rows as those of another patient, whose event ids are `more` higher."""

    def how(column: str, value: Any) -> Any:
        if column == "evidence":
            return [event_id + more for event_id in value]
        return name if column == "patient_id" else value

    return rows_changed(tables, how)


def as_patient(person: Person, name: str, more: int = 0) -> Person:
    facts, events = person
    moved = [{**e, "patient_id": name, "event_id": e["event_id"] + more} for e in events]
    return {**facts, "patient_id": name}, moved


def shuffled(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    again = derive(people, order="hash(event_id), event_id")
    yield from ((plain[name], again[name]) for name in plain)


def other_names(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    names = dict(zip(plain, reversed(PEOPLE), strict=False))
    again = derive([as_patient(person, names[person[0]["patient_id"]]) for person in people])
    yield from ((renamed(plain[old], new), again[new]) for old, new in names.items())


def twice(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    names = dict(zip(plain, reversed(PEOPLE), strict=False))
    again = derive(people + [as_patient(person, names[person[0]["patient_id"]], 10_000) for person in people])
    for old, new in names.items():
        yield plain[old], again[old]
        yield renamed(plain[old], new, 10_000), again[new]


def a_year_later(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    def moved(row: Row) -> Row:
        return {column: later(value) for column, value in row.items()}

    again = derive([(moved(facts), [moved(e) for e in events]) for facts, events in people])
    for name in plain:
        yield rows_changed(plain[name], lambda _, value: changed(value, later)), again[name]


def with_other_events(
    derive: Derive, people: list[Person], plain: dict[str, Tables]
) -> Iterator[tuple[Tables, Tables]]:
    cells = {"code": "stay", "time": "2024-01-01 06:00", "end_time": "2024-01-03 00:00", "value": "2"}
    more = [
        (facts, [*events, *(event(20_000 + 10 * place + n, cells, concepts(), facts["patient_id"]) for n in range(3))])
        for place, (facts, events) in enumerate(people)
    ]
    again = derive(more)
    yield from ((plain[name], again[name]) for name in plain)


def alone(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    for person in people[:3]:
        name = person[0]["patient_id"]
        yield plain[name], derive([person])[name]


LAWS = (shuffled, other_names, twice, a_year_later, with_other_events, alone)


def derive_with(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, compiled: tuple[Compiled, ...]
) -> Callable[..., dict[str, Tables]]:
    def derive(people: list[Person], order: str = "patient_id, time, event_id") -> dict[str, Tables]:
        fill(con, people, order)
        return derive_compiled(con, ruleset, compiled, people)

    return derive


@pytest.mark.parametrize("part", range(2))
def test_laws_hold_on_random_rules(part: int):
    broken = []

    def each(study: Study) -> None:
        ruleset, people = load_text(study.rules, concepts()), people_of(study)
        derive = derive_with(connection(), ruleset, compile_rules(ruleset, study.set))
        plain = derive(people)
        for law in LAWS:
            if law is with_other_events and "event" in study.rules:
                continue  # a rule that reads `event` reads every event: none is unrelated
            for expected, got in law(derive, people, plain):
                found = difference(expected, got)
                broken.extend([f"{law.__name__}: {found}\n{study}"] if found else [])

    left = iter(range(STUDIES // 2 // BATCH))
    checked(1000 + part, lambda: next(left, None) is not None, each)
    assert not broken, broken[0]

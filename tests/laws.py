"""Laws that every rule set keeps: what must not change when the same data are told otherwise; knows no rule.

A law takes a way to derive, patients, and what was derived of them, and gives pairs of tables that must be equal.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import duckdb

from tests.cases import concepts, event
from tests.on_engine import Person, Tables, derive_compiled, empty_study, fill
from tests.reference_words import Row
from timeline.compiler import Compiled
from timeline.rules import RuleSet

CALENDAR_ROUND = dt.timedelta(days=10_227)
"""28 years: the same days of the week, months and weeks come again."""
MANY = 10_000_000
"""More than any event's id."""
Derive = Callable[..., dict[str, Tables]]
Law = Callable[[Derive, list[Person], dict[str, Tables]], Iterator[tuple[Tables, Tables]]]


def changed(value: Any, how: Callable[[Any], Any]) -> Any:
    """A value, or each of a list, changed."""
    return [how(item) for item in value] if isinstance(value, list) else how(value)


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


def renumbered(people: Iterable[Person]) -> list[Person]:
    """The same people with event ids that are small, and in the same order."""
    people = list(people)
    ids = sorted(e["event_id"] for _, events in people for e in events)
    number = {event_id: place for place, event_id in enumerate(ids, 1)}
    return [(facts, [{**e, "event_id": number[e["event_id"]]} for e in events]) for facts, events in people]


def aliases(names: Iterable[str]) -> dict[str, str]:
    """Another name for each patient, in the opposite order."""
    return {name: f"z{9999 - place}" for place, name in enumerate(sorted(names))}


def as_patient(person: Person, name: str, more: int = 0) -> Person:
    facts, events = person
    moved = [{**e, "patient_id": name, "event_id": e["event_id"] + more} for e in events]
    return {**facts, "patient_id": name}, moved


def shuffled(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    again = derive(people, order="hash(event_id), event_id")
    yield from ((plain[name], again[name]) for name in plain)


def other_names(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    names = aliases(plain)
    again = derive([as_patient(person, names[person[0]["patient_id"]]) for person in people])
    yield from ((renamed(plain[old], new), again[new]) for old, new in names.items())


def twice(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    names = aliases(plain)
    again = derive(people + [as_patient(person, names[person[0]["patient_id"]], MANY) for person in people])
    for old, new in names.items():
        yield plain[old], again[old]
        yield renamed(plain[old], new, MANY), again[new]


def later(
    derive: Derive, people: list[Person], plain: dict[str, Tables], shift: dt.timedelta
) -> Iterator[tuple[Tables, Tables]]:
    def moved(value: Any) -> Any:
        return value + shift if isinstance(value, dt.date) else value

    def row_moved(row: Row) -> Row:
        return {column: moved(value) for column, value in row.items()}

    again = derive([(row_moved(facts), [row_moved(e) for e in events]) for facts, events in people])
    for name in plain:
        yield rows_changed(plain[name], lambda _, value: changed(value, moved)), again[name]


def years_later(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    yield from later(derive, people, plain, CALENDAR_ROUND)


def into_summer_time(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    """To the days on which clocks go forward, on a machine that lives there."""
    for zone, shift in (("America/New_York", 68), ("Europe/Zurich", 89)):
        found = later(partial(derive, zone=zone), people, plain, dt.timedelta(days=shift))
        yield from found


def with_other_events(
    derive: Derive, people: list[Person], plain: dict[str, Tables]
) -> Iterator[tuple[Tables, Tables]]:
    cells = {"time": "2024-01-01 06:00", "end_time": "2024-01-03 00:00", "value": "2"}
    first = max((e["event_id"] for _, events in people for e in events), default=0) + 1
    more = []
    for place, (facts, events) in enumerate(people):
        new = [
            event(first + 10 * place + n, cells | {"code": code}, concepts(), facts["patient_id"])
            for n, code in enumerate(("stay", "stay", "of no concept"))
        ]
        more.append((facts, [*events, *new]))
    again = derive(more)
    yield from ((plain[name], again[name]) for name in plain)


def alone(derive: Derive, people: list[Person], plain: dict[str, Tables]) -> Iterator[tuple[Tables, Tables]]:
    for person in people[:3]:
        name = person[0]["patient_id"]
        yield plain[name], derive([person])[name]


ANYWHEN = (shuffled, other_names, twice, with_other_events, alone)
MOVED = (years_later, into_summer_time)
"""Laws for rules that name no year and no date."""


def study_for(names: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """A study in memory for patients of these names and their other names."""
    names = list(names)
    return empty_study([*names, *aliases(names).values()])


def derive_with(con: duckdb.DuckDBPyConnection, ruleset: RuleSet, compiled: tuple[Compiled, ...]) -> Derive:
    def derive(people: list[Person], order: str = "patient_id, time, event_id", zone: str = "UTC") -> dict[str, Tables]:
        con.execute(f"SET TimeZone = '{zone}'")
        fill(con, people, order)
        return derive_compiled(con, ruleset, compiled, people)

    return derive

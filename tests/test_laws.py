"""The laws on random rules and on the shipped ones, and what a wider window or a longer gap cannot do."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import strategies as st

from tests import laws
from tests.cases import concepts
from tests.generate_events import EVENTS, PERSON
from tests.generate_rules import Study
from tests.on_engine import Person, derive_by_sql, people_in
from tests.test_reference import CASES, LONG, PEOPLE, checked, connection, difference, people_of, randomly
from timeline import shipped, store, synth
from timeline.compiler import compile_rules, relations_named
from timeline.ingest import ingest
from timeline.load import load, load_text
from timeline.rules import RuleSet

BATCHES = max(1, CASES // 2_000)
DATED = re.compile(r"make_date|make_timestamp|timestamp '|\byear\(|'(year|month|week)'|as date\) as varchar")
"""Rules that name a date or a year, or cut at one: they are not the same at another time."""
CALENDAR = re.compile(r"\b(month|day|dayofweek|isodow|week)\(")
"""Rules that ask for the day of a week or month: not the same a few days later."""


@cache
def study() -> duckdb.DuckDBPyConnection:
    return laws.study_for(PEOPLE)


def broken(
    ruleset: RuleSet,
    people: list[Person],
    con: duckdb.DuckDBPyConnection,
    which: Sequence[laws.Law],
    settings: Mapping[str, str] | None = None,
) -> list[str]:
    """What each law finds different."""
    derive = laws.derive_with(con, ruleset, compile_rules(ruleset, settings or {}))
    plain, found = derive(people), []
    for law in which:
        # To a rule that reads `event` no event is another matter.
        left_out = reading_event(ruleset) if law is laws.with_other_events else set()
        for expected, got in law(derive, people, plain):
            what = difference({rule: rows for rule, rows in expected.items() if rule not in left_out}, got)
            found += [f"{law.__name__}: {what}"] if what else []
    return found


def reading_event(ruleset: RuleSet) -> set[str]:
    """The rules that read `event`, themselves or through others; the index is read by all."""
    reads = {name: relations_named(rule) for name, rule in ruleset.rules.items()}
    found = {"event"}
    while more := {name for name, read in reads.items() if read & found} - found:
        found |= more
    return set(reads) if ruleset.index in found else found


def applying(rules: str) -> list[laws.Law]:
    """The laws that hold for rules of this text."""
    fit = [*laws.ANYWHEN]
    if not DATED.search(rules):
        fit += [laws.years_later] + ([] if CALENDAR.search(rules) else [laws.into_summer_time])
    return fit


@pytest.mark.parametrize("part", range(2 if LONG else 1))
def test_laws_hold_on_random_rules(part: int):
    def each(s: Study) -> None:
        ruleset = load_text(s.rules, concepts())
        assert not broken(ruleset, people_of(s), study(), applying(s.rules), s.set), s

    left = iter(range(BATCHES))
    checked(1000 + part, lambda: next(left, None) is not None, each)


def test_a_parameter_set_to_its_default_is_as_if_not_set():
    def each(s: Study) -> None:
        ruleset, people = load_text(s.rules, concepts()), people_of(s)
        defaults = {f"{r}.{name}": p.default for r, rule in ruleset.rules.items() for name, p in rule.params.items()}
        if defaults:
            plain = derive_by_sql(connection(), ruleset, people)
            again = derive_by_sql(connection(), ruleset, people, defaults)
            assert not [d for name in plain if (d := difference(plain[name], again[name]))], s

    left = iter(range(BATCHES))
    checked(2000, lambda: next(left, None) is not None, each)


LENGTHS = ("0h", "30min", "6h", "12h", "24h", "2d", "1w")
AROUND = """
spell: {{from: oxygen, spans: true, columns: {{v: value}}}}
look:
  from: {base}
  columns:
    open: {{count: {seen}, in: "(time - {a}, time + {b})"}}
    closed: {{count: {seen}, in: "[time - {a}, time + {b}]"}}
    wide: {{count: {seen}, in: "[time - {a} - {c}, time + {b} + {c}]"}}
    overlapping: {{count: {seen}, overlaps: "[time - {a}, time + {b}]"}}
    never: {{count: {seen}, in: "[time - {a}, time + {b}]", where: "false"}}
    ever: {{count: {seen}}}
    any_closed: {{any: {seen}, in: "[time - {a}, time + {b}]"}}
    any_wide: {{any: {seen}, in: "[time - {a} - {c}, time + {b} + {c}]"}}
    low: {{min: {seen}.{column}, in: "[time - {a}, time + {b}]"}}
    low_wide: {{min: {seen}.{column}, in: "[time - {a} - {c}, time + {b} + {c}]"}}
    high: {{max: {seen}.{column}, in: "[time - {a}, time + {b}]"}}
    high_wide: {{max: {seen}.{column}, in: "[time - {a} - {c}, time + {b} + {c}]"}}
    early: {{first: {seen}.{time}, in: "[time - {a}, time + {b}]"}}
    late: {{last: {seen}.{time}, in: "[time - {a}, time + {b}]"}}
    mean: {{mean: {seen}.{column}, in: "[time - {a}, time + {b}]"}}
short: {{episodes: {seen}, gap: {a}, columns: {{n: count(*)}}}}
long: {{episodes: {seen}, gap: {longer}, columns: {{n: count(*)}}}}
"""
"""A wider window, a bound taken in, any part in place of the start, a longer gap: none can lose a row."""


def test_wider_windows_and_longer_gaps_lose_nothing():
    def each(drawn: tuple) -> None:
        (base, seen, column), lengths, patients = drawn
        a, b, c = (LENGTHS[place] for place in lengths)
        longer = LENGTHS[max(lengths[0], lengths[1])]
        rules = AROUND.format(
            base=base,
            seen=seen,
            column=column,
            time="start_time" if seen == "spell" else "time",
            a=a,
            b=b,
            c=c,
            longer=longer,
        )
        tables = derive_by_sql(connection(), load_text(rules, concepts()), people_of(Study(rules, {}, tuple(patients))))
        for found in tables.values():
            assert len(found["long"]) <= len(found["short"]), drawn
            assert sum(row["n"] for row in found["long"]) == sum(row["n"] for row in found["short"]), drawn
            for row in found["look"]:
                if row["time"] is not None:
                    at_each_time(row)

    def at_each_time(row: dict) -> None:
        assert row["never"] == 0 <= row["open"] <= row["closed"] <= row["wide"] <= row["ever"], row
        assert row["closed"] <= row["overlapping"] <= row["ever"], row
        assert row["any_closed"] == (row["closed"] > 0) <= row["any_wide"], row
        assert (row["early"] is None) == (row["late"] is None) == (row["closed"] == 0), row
        assert row["early"] is None or row["early"] <= row["late"], row
        if row["low"] is not None:
            assert row["low_wide"] <= row["low"] <= row["high"] <= row["high_wide"], row
            assert row["low"] - 1e-9 <= row["mean"] <= row["high"] + 1e-9, row

    relations = st.sampled_from([("crp", "crp", "value"), ("infusion_a", "drug", "value"), ("drug", "spell", "v")])
    places = st.tuples(*[st.integers(0, len(LENGTHS) - 1)] * 3)
    left = iter(range(BATCHES))
    people = st.lists(st.tuples(PERSON, EVENTS), min_size=1, max_size=6)
    randomly(3000, lambda: next(left, None) is not None, st.tuples(relations, places, people), each)


@cache
def shipped_rules() -> RuleSet:
    return load([])


def test_laws_hold_on_the_demo(demo_study: Path):
    with store.connect(demo_study, read_only=True) as con:
        people = people_in(con)
    few = laws.renumbered(people[::8])
    study_of = laws.study_for(facts["patient_id"] for facts, _ in few)
    assert len(few) > 2
    quick = (laws.shuffled, laws.twice, laws.with_other_events, laws.into_summer_time)
    assert not broken(shipped_rules(), few, study_of, quick)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_laws_hold_on_synthetic_patients(tmp_path: Path, seed: int):
    synth.synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", tmp_path, seed=100 + seed)
    with store.connect(":memory:") as con:
        ingest(con, [tmp_path], shipped_rules().concepts)
        people = laws.renumbered(people_in(con))
    study_of = laws.study_for(facts["patient_id"] for facts, _ in people)
    assert len(people) > 20
    assert not broken(shipped_rules(), people, study_of, (*laws.ANYWHEN, *laws.MOVED))

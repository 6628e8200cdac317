"""Random rules on random patients: the SQL engine and the plain-Python engine give the same rows, evidence included."""

import datetime as dt
import decimal
import hashlib
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import count
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.cases import concepts, event, facts_of
from tests.features import EVERY, NOT_GENERATED, RULES, features, words_of
from tests.generate_rules import Study, studies
from tests.on_engine import Person, Tables, broken_in, derived, empty_study, fill, tables_in
from tests.reference import broken_promises, tables_of
from timeline import fragment
from timeline.compiler import compile_rules
from timeline.load import load_text
from timeline.rules import RuleSet

PEOPLE = [f"p{number:02}" for number in range(24)]
CASES = int(os.environ.get("TIMELINE_CASES", 200))
"""How many random rule sets times random patients; `make test-long` asks for 100,000."""
LONG = CASES >= 10_000
PARTS = 10 if LONG else 5
PATIENTS = (8, 14) if LONG else (1, 6)
"""At least and at most so many patients a rule set: compiling is dear, and done once for all of them."""
BATCH = 10
"""Studies between two fresh starts: from the eleventh on Hypothesis mostly varies what it has, half of it rule sets
that have been."""
CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return empty_study(PEOPLE)


def people_of(study: Study) -> list[Person]:
    """The patients as both engines take them; event ids differ between patients."""
    people = []
    for place, (patient, rows) in enumerate(study.patients):
        name = PEOPLE[place]
        events = [event(100 * place + row, cells, concepts(), name) for row, cells in enumerate(rows, 1)]
        people.append((facts_of(patient, name), events))
    return people


def same(a: Any, b: Any) -> bool:
    """Equal as SQL values: a decimal is the number it is, a date its midnight; fractions to 12 digits."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, int | float | decimal.Decimal) and isinstance(b, int | float | decimal.Decimal):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(a, dt.date) and isinstance(b, dt.date):
        return midnight(a) == midnight(b)
    return type(a) is type(b) and a == b


def midnight(day: dt.date) -> dt.datetime:
    return day if isinstance(day, dt.datetime) else dt.datetime.combine(day, dt.time())


def difference(expected: Tables, got: Tables) -> str:
    """The first row in which two engines differ, in words; empty where they agree."""
    for rule, rows in expected.items():
        if len(rows) != len(got[rule]):
            return f"{rule}: {len(rows)} rows by the reference, {len(got[rule])} by SQL"
        for wanted, row in zip(rows, got[rule], strict=True):
            if list(wanted) != list(row):
                return f"{rule}: columns {list(wanted)} by the reference, {list(row)} by SQL"
            wrong = {c: (wanted[c], row[c]) for c in wanted if not same(wanted[c], row[c])}
            if wrong:
                return f"{rule} {wanted['number']}: (reference, SQL) {wrong}"
    return ""


@dataclass
class Tally:
    """What has been compared."""

    cases: int = 0
    rows: int = 0
    broken: int = 0
    """Derived rows that break a promise of their rule, by both engines."""
    rule_sets: set[str] = field(default_factory=set)
    seen: Counter[str] = field(default_factory=Counter)

    def plain(self) -> dict[str, Any]:
        """As types that go from one process to another."""
        return asdict(self) | {"rule_sets": sorted(self.rule_sets), "seen": dict(self.seen)}

    def add(self, study: Study, ruleset: RuleSet, rows: int, broken: int) -> None:
        self.cases += len(study.patients)
        self.rows += rows
        self.broken += broken
        self.rule_sets.add(hashlib.sha1(study.rules.encode()).hexdigest()[:16])
        self.seen.update(features(study, ruleset))


def compare(study: Study, tally: Tally) -> None:
    """Fail where the engines differ, with the rules and events that show it."""
    ruleset = load_text(study.rules, concepts())
    compiled = compile_rules(ruleset, study.set)
    people, con = people_of(study), connection()
    fill(con, people)
    with derived(con, ruleset, compiled):
        by_sql, broken = tables_in(con, ruleset, people), broken_in(con, ruleset, compiled)
    rows, by_reference = 0, Counter()
    for facts, events in people:
        expected = tables_of(ruleset, facts, events, study.set)
        found = difference(expected, by_sql[facts["patient_id"]])
        assert not found, f"{found}\n{facts}\n{pasted(study, facts['patient_id'])}"
        rows += sum(map(len, expected.values()))
        by_reference.update(broken_promises(ruleset, facts, events, study.set, expected))
    assert broken == by_reference, f"broken promises: {broken} by SQL, {by_reference} by the reference\n{study}"
    tally.add(study, ruleset, rows, broken.total())


def pasted(study: Study, patient: str) -> str:
    """The rules and one patient's events as a case of tests/spec would write them."""
    rows: Sequence[Any] = study.patients[PEOPLE.index(patient)][1]
    header = ["time", "end_time", "code", "value", "text", "route"]
    lines = [" | ".join(header), *(" | ".join(row[column] for column in header) for row in rows)]
    return f"{study.rules}set: {dict(study.set)}\n" + "\n".join(lines)


def checked(part: int, wanted: Callable[[], bool], each: Callable[[Study], None], **people: int) -> None:
    """Call `each` with random studies, the same ones for the same `part` and code, for as long as they are `wanted`."""
    randomly(part, wanted, studies(**people), each)


def randomly(part: int, wanted: Callable[[], bool], what: st.SearchStrategy[Any], each: Callable[[Any], None]) -> None:
    """Call `each` with batches of random things for as long as they are `wanted`."""
    for batch in count():
        if not wanted():
            return

        @seed(1_000_000 * part + batch)
        @settings(max_examples=BATCH, database=None, deadline=None, suppress_health_check=CHECKS, print_blob=False)
        @given(what)
        def example(thing: Any) -> None:
            each(thing)

        example()


@pytest.mark.parametrize("part", range(PARTS))
def test_sql_says_what_the_reference_says(part: int, record_property: Callable[[str, object], None]):
    tally, clock = Tally(), time.monotonic()
    try:
        checked(
            part,
            lambda: tally.cases < CASES // PARTS,
            lambda study: compare(study, tally),
            least=PATIENTS[0],
            most=PATIENTS[1],
        )
    finally:
        record_property("tally", tally.plain() | {"seconds": time.monotonic() - clock})


def test_every_part_of_the_language_can_come_up():
    """Random studies, not run, until each part has come up; what never does is a hole in the comparison."""
    left = set(EVERY)
    studies_left = iter(range(3000))
    checked(
        0,
        lambda: bool(left) and next(studies_left, None) is not None,
        lambda study: left.difference_update(features(study, load_text(study.rules, concepts()))),
    )
    assert not sorted(left), "never generated"


def test_what_is_not_generated_exists():
    """A reason for what is no part of the language any more would hide the next hole."""
    known = {word for rule in RULES for word in words_of(rule)}
    names = {name for word in known for name in (word, *word.removesuffix(" left out").split("."))}
    names |= {f"{name}()" for name in fragment.SCALARS} | fragment.ALLOWED
    assert not NOT_GENERATED.keys() - names

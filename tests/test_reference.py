"""Random rules on random patients: the SQL engine and the plain-Python engine give the same rows, evidence included."""

import datetime as dt
import decimal
import math
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.cases import concepts, event, facts_of
from tests.features import EVERY, features
from tests.generate_rules import Study, studies
from tests.on_engine import Person, Tables, derive_by_sql, empty_study
from tests.reference import derive
from timeline.load import load_text

PEOPLE = [f"p{number}" for number in range(16)]
DEFAULT = 150
CASES = int(os.environ.get("HYPOTHESIS_CASES", DEFAULT))
"""How many random studies; `make test-long` asks for more."""
PARTS = 6
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


def compare(study: Study) -> None:
    """Fail where the engines differ, with the rules and events that show it."""
    ruleset = load_text(study.rules, concepts())
    people = people_of(study)
    by_sql = derive_by_sql(connection(), ruleset, people, study.set)
    for facts, events in people:
        expected = derive(ruleset, facts, events, study.set)
        found = difference(expected, by_sql[facts["patient_id"]])
        assert not found, f"{found}\n{facts}\n{pasted(study, facts['patient_id'])}"


def pasted(study: Study, patient: str) -> str:
    """The rules and one patient's events as a case of tests/spec would write them."""
    rows: Sequence[Any] = study.patients[PEOPLE.index(patient)][1]
    header = ["time", "end_time", "code", "value", "text", "route"]
    lines = [" | ".join(header), *(" | ".join(row[column] for column in header) for row in rows)]
    return f"{study.rules}set: {dict(study.set)}\n" + "\n".join(lines)


def checked(part: int, examples: int, each: Callable[[Study], None]) -> None:
    """Call `each` with `examples` random studies, the same ones for the same `part` and code."""

    @seed(part)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=CHECKS, print_blob=False)
    @given(studies())
    def example(study: Study) -> None:
        each(study)

    example()


@pytest.mark.parametrize("part", range(PARTS))
def test_sql_says_what_the_reference_says(part: int):
    checked(part, CASES // PARTS, compare)


def test_every_part_of_the_language_can_come_up():
    """Rounds of random studies, not run, until each part has come up; what never does is a hole in the comparison."""
    seen: set[str] = set()

    def note(study: Study) -> None:
        seen.update(features(study, load_text(study.rules, concepts())))

    for number in range(20):
        if not EVERY <= seen:
            checked(number, 50, note)
    assert not sorted(EVERY - seen), "never generated"

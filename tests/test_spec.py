"""Every case of tests/spec, on the reference engine and on the SQL engine; `sql` rules on the latter alone."""

from functools import cache

import duckdb
import pytest

from tests.cases import Case, cases, concepts, differences, events_of, facts_of, ruleset_of
from tests.on_engine import derive_by_run, empty_study
from tests.reference import derive
from tests.reference_words import Refused
from timeline.errors import Findings
from timeline.rules import SqlRule

CASES = cases()
PATIENT = "p"


@cache
def study() -> duckdb.DuckDBPyConnection:
    """A study in memory that the cases of this process share; each run derives its tables anew."""
    return empty_study([PATIENT])


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_both_engines_say_what_the_case_says(case: Case):
    ruleset, person = ruleset_of(case), (facts_of(case.patient, PATIENT), events_of(case.events, concepts(), PATIENT))
    own_sql = any(isinstance(rule, SqlRule) for rule in ruleset.rules.values())
    if case.fails:
        with pytest.raises(Refused, match=case.fails):
            derive(ruleset, *person, case.set)
        with pytest.raises(Findings, match=case.fails):
            derive_by_run(study(), ruleset, [person], case.set)
        return
    assert own_sql or not differences(case, derive(ruleset, *person, case.set)), "the reference differs"
    assert not differences(case, derive_by_run(study(), ruleset, [person], case.set)[PATIENT]), "the SQL differs"


def test_titles_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)

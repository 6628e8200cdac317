"""Every case of tests/spec, on the reference engine and on the SQL engine."""

import pytest

from tests.cases import Case, cases, concepts, differences, events_of, facts_of, ruleset_of
from tests.reference import derive
from tests.reference_words import Refused

CASES = cases()


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_reference_says_what_the_case_says(case: Case):
    if case.fails:
        with pytest.raises(Refused, match=case.fails):
            derive(ruleset_of(case), facts_of(case.patient), events_of(case.events, concepts()), case.set)
        return
    tables = derive(ruleset_of(case), facts_of(case.patient), events_of(case.events, concepts()), case.set)
    assert not differences(case, tables)

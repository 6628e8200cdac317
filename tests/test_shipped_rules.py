"""The shipped rules on both engines, on the patients of their examples and on the demo's: the same rows."""

import os
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.cases import events_of, facts_of
from tests.on_engine import Person, derive_by_sql, empty_study, people_in, tables_in
from tests.reference import derive
from tests.test_reference import difference
from timeline import engine, store
from timeline.ingest import ingest
from timeline.load import load
from timeline.rules import RuleSet

REAL = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "mimic_iv_demo_meds"
MAPPING = Path(__file__).parent.parent / "data" / "mappings" / "mimic_iv_demo_meds.yaml"
RULES = Path(__file__).parent.parent / "rules"
FOLDERS = {"shipped": [], "febrile_neutropenia": [RULES / "febrile_neutropenia"]}


@cache
def ruleset_of(name: str) -> RuleSet:
    return load(FOLDERS[name], shipped=name == "shipped")


def people_by_settings(ruleset: RuleSet) -> Mapping[tuple[tuple[str, str], ...], list[Person]]:
    """Each example's patient, under the parameters that the example sets."""
    found: dict[tuple[tuple[str, str], ...], list[Person]] = defaultdict(list)
    for place, example in enumerate(ruleset.examples.values()):
        name = f"e{place:03}"
        events = events_of(example.events, ruleset.concepts, name)
        events = [{**e, "event_id": 1000 * place + e["event_id"]} for e in events]
        found[tuple(sorted(example.set.items()))].append((facts_of(example.patient, name), events))
    return found


@pytest.mark.parametrize("name", FOLDERS)
def test_both_engines_agree_on_the_patients_of_the_examples(name: str):
    ruleset = ruleset_of(name)
    assert ruleset.examples
    for settings, people in people_by_settings(ruleset).items():
        con = empty_study([facts["patient_id"] for facts, _ in people])
        by_sql = derive_by_sql(con, ruleset, people, dict(settings))
        for facts, events in people:
            expected = derive(ruleset, facts, events, dict(settings))
            found = difference(expected, by_sql[facts["patient_id"]])
            title = [*ruleset.examples.values()][int(facts["patient_id"][1:])].title
            assert not found, f"{title}: {found}"


def test_both_engines_agree_on_the_demo(demo_study: Path):
    ruleset = ruleset_of("shipped")
    with store.connect(demo_study, read_only=True) as con:
        people = people_in(con)
        by_sql = tables_in(con, ruleset, people)
    assert people
    for facts, events in people:
        found = difference(derive(ruleset, facts, events), by_sql[facts["patient_id"]])
        assert not found, f"{facts['patient_id']}: {found}"


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_meds")
@pytest.mark.parametrize("name", FOLDERS)
def test_both_engines_agree_on_real_patients(name: str):
    ruleset = ruleset_of(name)
    with store.connect(":memory:") as con:
        ingest(con, [REAL], ruleset.concepts, mapping=MAPPING)
        engine.run(con, ruleset)
        people = people_in(con)
        by_sql = tables_in(con, ruleset, people)
    assert len(people) == 100
    for facts, events in people:
        assert not difference(derive(ruleset, facts, events), by_sql[facts["patient_id"]])

"""The shipped rules on both engines, on the patients of their examples and on the demo's: the same rows."""

import os
import shutil
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
FOLDERS = {
    "shipped": [],
    "febrile_neutropenia": [RULES / "febrile_neutropenia"],
    "car_t_scores": [RULES / "car_t_scores"],
} | {path.name: [path] for path in sorted(RULES.glob("refractory_variants/*")) if path.is_dir()}


@cache
def ruleset_of(name: str) -> RuleSet:
    """A set with the examples of its own folder alone: those of a rule that it replaces speak of the other rule."""
    ruleset = load(FOLDERS[name], shipped=name != "febrile_neutropenia")
    own = {w: e for w, e in ruleset.examples.items() if not FOLDERS[name] or w.startswith(str(FOLDERS[name][0]))}
    return ruleset.model_copy(update={"examples": own})


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


@pytest.mark.parametrize("name", ["shipped", pytest.param("car_t_scores", marks=pytest.mark.slow)])
def test_both_engines_agree_on_the_demo(name: str, demo_study: Path, tmp_path: Path):
    ruleset = ruleset_of(name)
    copied = Path(shutil.copy(demo_study, tmp_path / "study.duckdb"))
    with store.connect(copied) as con:
        if name != "shipped":
            engine.run(con, ruleset)
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

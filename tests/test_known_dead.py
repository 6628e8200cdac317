"""Who is known to have died, on a day that nobody says: dead in every answer, and in no curve of survival.

The demo's cohort as FHIR, of which one Patient who was alive has `deceasedBoolean: true`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from timeline import Study, charts, shipped, statistic, stats, synth
from timeline.folders import queries
from timeline.header import Query

DEAD = "SYN-11"
"""Alive on day 700 in the specification of the cohort."""
DEATHS, ALIVE = (18, 20, 24, 27, 29, 29, 70, 100, 150, 198), (600, 743, 900)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("known_dead")
    synth.synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", folder / "extract", seed=1, form="fhir")
    patients = folder / "extract" / "Patient.ndjson"
    people = [json.loads(line) for line in patients.read_text("utf-8").splitlines()]
    (person,) = [one for one in people if one["id"] == DEAD]
    person["deceasedBoolean"] = True
    patients.write_text("".join(json.dumps(one) + "\n" for one in people), encoding="utf-8")
    made = Study.open(folder / "study.duckdb")
    made.ingest(folder / "extract", timezone="UTC")
    made.run()
    return made


def test_a_row_of_a_death_without_a_time_says_as_much(tmp_path: Path) -> None:
    extract = tmp_path / "events.csv"
    extract.write_text(
        "patient_id,time,code,value,unit,text\n"
        "P1,2024-01-01 10:00,axicabtagene_ciloleucel,1,,\nP1,2024-02-01 10:00,crp,5,mg/L,\nP1,,MEDS_DEATH,,,sepsis\n"
        "P2,2024-01-01 10:00,axicabtagene_ciloleucel,1,,\nP2,2024-02-01 10:00,crp,5,mg/L,\n"
    )
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(extract)
    study.run()
    rows = study.sql("SELECT died, undated_death, death_time, os_days FROM outcome ORDER BY patient_id").rows()
    assert rows == [(True, True, None, None), (False, False, None, 31)]


def asked(study: Study, name: str, **params: Any) -> list[dict[str, Any]]:
    return study.query(name, params).to_dicts()


def test_died_is_true_and_the_days_are_not_known(study: Study) -> None:
    told = study.sql("SELECT o.*, c.included FROM outcome AS o JOIN cohort AS c ON c.patient_id = o.patient_id")
    rows = {row["patient_id"]: row for row in told.to_dicts()}
    row = rows.pop(DEAD)
    assert (row["died"], row["undated_death"], row["death_time"], row["os_days"]) == (True, True, None, None)
    others = [one for one in rows.values() if one["included"]]
    assert sorted(one["os_days"] for one in others if one["died"]) == list(DEATHS)
    assert sorted(one["os_days"] for one in others if not one["died"]) == list(ALIVE)
    assert not any(one["undated_death"] for one in rows.values())


def test_the_row_leads_back_to_the_patient_resource(study: Study) -> None:
    found = study.sql(f"""SELECT e.concept, e.source_file, e.source_row FROM outcome AS o, event AS e
        WHERE o.patient_id = '{DEAD}' AND list_contains(o.evidence, e.event_id) AND e.concept = 'known_dead'""").rows()
    (patients,) = study.path.parent.glob("extract/Patient.ndjson")
    numbers = [
        n for n, line in enumerate(patients.read_text("utf-8").splitlines(), 1) if json.loads(line)["id"] == DEAD
    ]
    assert found == [("known_dead", "Patient.ndjson", *numbers)]


@pytest.mark.parametrize("name", ["overall_survival", "survival_from_anakinra"])
def test_survival_leaves_the_patient_out_and_says_so(study: Study, name: str) -> None:
    declared: Query = queries()[name]
    frame = study.query(name)
    assert frame.height == 14
    found = next(one for one in declared.statistics if one.kind == "survival")
    answer = statistic.answer(frame, found)
    assert (answer.values["n"], answer.values["events"]) == (13, 10)
    assert answer.sentences[0].endswith("n = 13, events = 10; 1 missing: death without a day")
    assert declared.chart is not None
    spec = charts.specification(charts.draw(frame, declared.chart, "", [], [answer]))
    assert "n = 13, events = 10, censored = 3; 1 missing: death without a day" in json.dumps(spec)


def test_the_curve_is_that_of_the_others(study: Study) -> None:
    frame = study.query("overall_survival")
    curve = stats.kaplan_meier(frame["os_days"].to_list(), frame["died"].to_list())
    alone = stats.kaplan_meier([*DEATHS, *ALIVE], [True] * 10 + [False] * 3)
    assert curve.steps == alone.steps and curve.missing == 1


def test_table_1_counts_the_patient_among_the_dead(study: Study) -> None:
    rows = {row["id"]: row for row in asked(study, "table_1")}
    assert (rows["T1-31"]["n"], rows["T1-31"]["count"], rows["T1-30"]["count"]) == (14, 11, 3)
    for name in ("table_1", "table_1_other_readings"):
        (days,) = [row for row in asked(study, name) if row["id"] == "T1-32"]
        assert (days["n"], days["low"], days["high"]) == (10, 18, 198), "the day of eleven deaths is known of ten"
    assert rows["T1-33"]["n"] == 10, "nor is a cause known"


def test_other_answers_say_dead_and_no_day(study: Study) -> None:
    cards = {row["label"]: row["value"] for row in asked(study, "summary")}
    assert cards["Died"] == "11 of 14"
    told = {row["label"]: row for row in asked(study, "patient_summary", patient=DEAD)}
    assert (told["Outcome"]["value"], told["Outcome"]["detail"]) == ("died", "on a day that is not known")
    (end,) = [row for row in asked(study, "patient_derived", patient=DEAD) if row["rule"] == "outcome"]
    assert (end["begin"], end["first_day"], end["result"]) == (None, None, "died, on a day that is not known")
    lane = {row["element"]: row for row in asked(study, "swimmer") if row["patient_id"] == DEAD}
    assert "died, on a day that is not known" in lane["stay"]["detail"] and not {"death", "discharge"} & set(lane)
    marks = {row["patient_id"]: row["survival"] for row in asked(study, "marker_change")}
    assert marks[DEAD] == "dead"

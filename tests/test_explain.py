"""Explanations: every patient and rule of the demo has an answer, and every margin is worked out again by hand."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from timeline import cli, engine, ingest, store
from timeline.compiler import compile_rules
from timeline.errors import StudyError, UsageError
from timeline.explain import Explanation, explain, patient
from timeline.explain.text import text_of
from timeline.load import load, load_text
from timeline.study import Study

REASONS = ("not_found", "out_of_window", "wrong_value", "unknown")
EXTRACT = """patient_id,time,code,value,unit,route
A,2024-01-01 00:00,axicabtagene_ciloleucel,1,,
A,2024-01-05 08:00,documented_icans_grade,3,,
A,2024-01-05 09:00,dexamethasone,10,mg,intravenous
A,2024-01-06 08:00,documented_icans_grade,3,,
A,2024-01-06 11:00,documented_icans_grade,1,,
A,2024-01-06 11:00,temperature,37.9,Cel,
B,2024-01-01 00:00,tisagenlecleucel,1,,
B,2024-01-03 08:00,documented_icans_grade,0,,
B,2024-01-04 08:00,temperature,37.9,Cel,
C,2024-01-03 08:00,documented_icans_grade,2,,
C,2024-01-03 08:00,ferritin,-5,ug/L,
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    (folder / "events.csv").write_text(EXTRACT)
    study = Study(folder / "study.duckdb")
    study.ingest(folder / "events.csv")
    study.run()
    return study.path


def of(path: Path, rule: str, name: str, number: int | None = None) -> Any:
    return Study(path).explain(rule, name, number)


def column(explanation: Explanation, name: str) -> Any:
    return next(column for column in explanation.columns if column.name == name)


def test_a_row_says_what_it_searched_what_it_found_and_what_came_near(small: Path):
    found = of(small, "steroid_refractory", "A")
    assert column(found, "status").value == "refractory"
    best = column(found, "best_grade")
    assert best.lookup.window == (dt.datetime(2024, 1, 5, 9), dt.datetime(2024, 1, 6, 9))
    assert (best.lookup.brackets, best.lookup.rows_inside, best.lookup.outcome) == ("(]", 1, "true")
    decided = column(found, "status").conditions[-1]
    assert (decided.put_in, decided.outcome, decided.margin) == ("(3 - 3) >= 1", "false", 1.0)
    assert (decided.near.value, decided.near.miss_hours, decided.near.after) == (1, 2.0, True)
    source = {event.event_id: event for event in found.events}
    assert [source[event].source_row for event in best.lookup.found] == [4]
    assert [source[event].source_row for event in decided.near.events] == [5]


def test_the_words_name_the_window_the_values_and_the_line_of_the_file(small: Path):
    said = " ".join(text_of(of(small, "steroid_refractory", "A")).split())
    for words in (
        "steroid_refractory 1, patient A",
        "searched (2024-01-05 09:00, 2024-01-06 09:00]: 1 row in it",
        "(grade_at_steroid - best_grade) >= $improvement → (3 - 3) >= 1: does not hold, by 1",
        "it would hold with icans_grade 1 at 2024-01-06 11:00, 2 h after the window (events.csv row 5)",
        "found dexamethasone 10 mg at 2024-01-05 09:00 (events.csv row 3)",
    ):
        assert words in said


def test_a_missing_row_names_the_first_condition_that_failed_and_by_how_much(small: Path):
    found = of(small, "steroid_refractory", "B")
    assert (found.number, found.reason, found.because.rule) == (None, "not_found", "icans_episode")
    assert (found.because.reason, found.because.margin) == ("wrong_value", 1.0)
    assert [read.put_in for read in found.because.read] == ["0 >= 1"]
    said = " ".join(text_of(found).split())
    assert "No row, not as asked for, by 1" in said
    assert "grade >= $lowest → 0 >= 1: does not hold, by 1" in said


def test_a_missing_day_zero_leads_to_the_index_rule(small: Path):
    found = of(small, "icans_grade", "C")
    assert (found.reason, found.because.rule, found.because.reason) == ("unknown", "infusion", "not_found")


def test_a_reading_that_is_no_fever_leads_to_the_reading(small: Path):
    found = of(small, "fever_after_infusion", "B")
    assert (found.reason, [read.put_in for read in found.read]) == ("wrong_value", ["false"])
    reading = found.because
    assert (reading.rule, reading.number, column(reading, "fever").value) == ("temperature_reading", 1, False)
    assert "37.9" in column(reading, "fever").put_in


ERAS = """
ruleset: {name: small}
concepts: {drug_a: {unit: mg}, drug_b: {unit: mg}, drug: {members: [drug_a, drug_b]}}
era: {title: Eras, episodes: drug, by: [concept, route], where: value > 0, gap: 30d, columns: {doses: count(*)}}
"""


def test_an_episode_says_by_what_it_is_kept_apart_and_a_missing_one_what_was_read(tmp_path: Path):
    events = (
        "A,2024-01-01,drug_b,1,oral\nA,2024-01-02,drug_a,1,\nA,2024-01-03,drug_b,2,oral\nB,2024-01-01,drug_a,0,oral\n"
    )
    (tmp_path / "events.csv").write_text(f"patient_id,time,code,value,route\n{events}")
    ruleset = load_text(ERAS)
    with closing(store.connect(tmp_path / "study.duckdb", create=True)) as con:
        ingest.ingest(con, tmp_path / "events.csv", ruleset.concepts)
        engine.run(con, ruleset)
    first, second, none = (of(tmp_path / "study.duckdb", "era", who, n) for who, n in (("A", 1), ("A", 2), ("B", 1)))
    assert [(c.name, c.value) for c in first.columns[-3:]] == [("concept", "drug_b"), ("route", "oral"), ("doses", 2)]
    assert [event.source_row for event in first.events] == [1, 3]
    assert (column(second, "route").value, column(second, "doses").value) == (None, 1)
    said = " ".join(text_of(first).split())
    assert "concept drug_b rows that differ in it are merged apart route oral rows that differ in it" in said
    assert (none.reason, [read.put_in for read in none.read]) == ("wrong_value", ["0 > 0"])


def test_implausible_values_are_named(tmp_path: Path):
    (tmp_path / "events.csv").write_text("patient_id,time,code,value,unit\nA,2024-01-01,temperature,90,Cel\n")
    study = Study(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "events.csv")
    study.run()
    assert "1 event with an implausible value, so no observation" in study.explain("temperature_reading", "A").why


@pytest.mark.parametrize(
    ("rule", "name", "number", "message"),
    [
        ("steroid_refractoy", "A", None, "unknown rule 'steroid_refractoy'; did you mean 'steroid_refractory'?"),
        ("cohort", "Z", None, "there is no patient `Z` in this study; ids are text, as the extract writes them"),
        ("icans_grade", "A", 9, "there is no row 9 of icans_grade: patient `A` has rows 1 to 3"),
        ("cohort", "A", 2, "there is no row 2 of cohort: patient `A` has one row, number 1"),
        ("icans_episode", "B", 2, "there is no row 2 of icans_episode: patient `B` has no row"),
    ],
)
def test_a_wrong_call_says_what_there_is(small: Path, rule: str, name: str, number: int | None, message: str):
    with pytest.raises(UsageError, match=re.escape(message)):
        of(small, rule, name, number)


def test_a_study_without_derived_tables_says_so(tmp_path: Path):
    (tmp_path / "events.csv").write_text("patient_id,time,code,value\nA,2024-01-01,crp,9\n")
    study = Study(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "events.csv")
    with pytest.raises(StudyError, match="timeline run STUDY"):
        study.explain("cohort", "A")


def test_programs_get_the_same_as_json(small: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["explain", str(small), "cohort", "--patient", "B", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["row"]["excluded_at"] == "anakinra"
    assert [step["reason"] for step in said["conditions"] if step["clause"] == "anakinra"] == ["not_found"]


def test_nothing_is_left_behind(small: Path):
    with store.connect(small, read_only=True) as con:
        explain(con, "cohort", "A")
        temporary = "SELECT count(*) FROM duckdb_views() WHERE temporary AND NOT internal"
        assert con.execute(temporary).fetchall() == [(0,)]
        assert con.execute("SELECT count(*) FROM cohort").fetchall() == [(3,)]


OWN = """
high:
  title: High values
  from: crp
  where: value >= $limit
  params: {limit: {default: 5, unit: mg/dL, of: crp, meaning: from here on it is high}}
before:
  title: What was there before
  from: dexamethasone
  columns:
    last_crp: {last: crp.value, in: "[time - 24h, time]"}
    low: case when last_crp < 30 then true else false end
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "rules").mkdir()
    (folder / "rules" / "own.yaml").write_text(OWN)
    (folder / "events.csv").write_text(
        "patient_id,time,code,value,unit\n"
        "A,2024-01-01 06:00,crp,20,mg/L\n"
        "A,2024-01-02 08:00,crp,<41,mg/L\n"
        "A,2024-01-02 12:00,dexamethasone,10,mg\n"
        "A,2024-01-02 18:00,crp,25,mg/L\n"
    )
    study = Study(folder / "study.duckdb")
    study.ingest(folder / "events.csv")
    study.run(folder / "rules", only=True)
    return study.path


def test_a_limit_is_shown_as_it_is_compared_and_a_value_with_its_bound(own: Path):
    found = of(own, "high", "A")
    assert (found.read[0].put_in, found.margin) == ("41 >= 50.0", 9.0)
    assert "<41 " in text_of(found)


def test_only_a_row_that_a_longer_window_would_pick_would_have_changed_it(own: Path):
    # 20 came 30 hours before the dose: the last value stays 41, however early the window begins.
    near = column(of(own, "before", "A"), "low").conditions[0].near
    assert (near.value, near.miss_hours, near.after) == (25, 6.0, True)


# Every patient and rule of the demo.


FEW = ("SYN-01", "SYN-07", "SYN-17", "SYN-18", "SYN-19", "SYN-20", "SYN-21")
"""Patients of the cohort, and those who are not in it, each for another reason."""


@pytest.fixture(scope="module", params=[FEW, pytest.param(None, marks=pytest.mark.slow)], ids=["few", "all"])
def explained(demo_study: Path, request: pytest.FixtureRequest) -> list[Explanation]:
    """Every rule for some patients, or all, the last row where there are several; the rules are compiled once."""
    compiled = {rule.name: rule for rule in compile_rules(load([]))}

    @cache
    def subset(names: frozenset[str]):
        return tuple(rule for name, rule in compiled.items() if name in names)

    with pytest.MonkeyPatch.context() as patch, store.connect(demo_study, read_only=True) as con:
        patch.setattr(patient, "compile_rules", lambda ruleset, params: subset(frozenset(ruleset.rules)))
        everybody = [row[0] for row in con.execute("SELECT patient_id FROM patient ORDER BY patient_id").fetchall()]
        people = request.param or everybody
        assert set(people) <= set(everybody)
        counts = {
            (rule, name): n
            for rule in compiled
            for name, n in con.execute(f'SELECT patient_id, count(*) FROM "{rule}" GROUP BY ALL').fetchall()
        }
        return [explain(con, rule, name, counts.get((rule, name))) for rule in compiled for name in people]


def of_everybody(explained: list[Explanation]) -> bool:
    """Whether all patients were asked, so that more must have come up."""
    return len(explained) > len(FEW) * 28


def chain(explanation: Explanation | None) -> Iterator[Explanation]:
    """An explanation of a row that is missing, and those of the missing rows behind it."""
    while explanation is not None and explanation.number is None:
        yield explanation
        explanation = explanation.because


def test_every_patient_and_rule_has_an_answer(explained: list[Explanation], demo_study: Path):
    assert len(explained) in (len(FEW) * 28, 21 * 28)
    missing = [e for e in explained if e.number is None]
    assert len(missing) > (100 if of_everybody(explained) else 60)
    for explanation in missing:
        assert all(one.reason in REASONS and one.why for one in chain(explanation)), explanation.rule
    for explanation in explained:
        assert explanation.number is None or explanation.events or not explanation.row.get("included"), explanation.rule
        assert text_of(explanation)


def test_the_row_explained_is_the_row_of_the_table(explained: list[Explanation], demo_study: Path):
    study = Study(demo_study)
    for rule in ("cohort", "steroid_refractory", "lab_pair", "crs_grade", "anakinra_response"):
        table = {(row["patient_id"], row["number"]): row for row in study.table(rule).iter_rows(named=True)}
        for e in explained:
            if e.rule == rule and e.number is not None:
                kept = {n: v for n, v in table[e.patient_id, e.number].items()}
                assert e.row == {n: v for n, v in kept.items() if n not in ("patient_id", "number", "evidence")}
                shown = {event.event_id for event in e.events}
                assert set(kept["evidence"]) <= shown


HOUR = dt.timedelta(hours=1)


def outside(window: tuple, time: dt.datetime, end: dt.datetime | None) -> float:
    """Hours by which what lasts from `time` to `end` misses a window; a bound that is no bound does not count."""
    low, high = window
    misses = [0.0]
    if low is not None and low.year > 1:
        misses.append((low - (end or time)) / HOUR)
    if high is not None and high.year < 9999:
        misses.append((time - high) / HOUR)
    return max(misses)


def test_hours_outside_of_a_window_are_those_of_the_nearest_row(explained: list[Explanation], demo_study: Path):
    seen = 0
    for e in explained:
        for found in (c.lookup for c in e.columns if c.lookup):
            if found.reason == "out_of_window":
                seen += 1
                assert found.near is not None and found.near.miss_hours == found.margin
                assert found.window is not None and found.near.time is not None
                assert found.margin == pytest.approx(outside(found.window, found.near.time, found.near.time), abs=1e-9)
    assert seen > (10 if of_everybody(explained) else 0)


COMPARED = re.compile(r"^\(?(-?[\d.]+)(?: - (-?[\d.]+)\))? (?:<|<=|>|>=|=) (-?[\d.]+)$")


def differences(explained: list[Explanation]) -> Iterator[tuple[str, float | None]]:
    """Each condition whose words with the values put in are a number, a sign and a number, with its margin."""
    for whole in explained:
        for e in (whole, *chain(whole.because)):
            said = [(c.put_in, c.margin) for col in e.columns for c in col.conditions if c.outcome == "false"]
            said += [(c.put_in, c.margin) for c in e.conditions if c.outcome == "false" and c.reason == "wrong_value"]
            said += [(read.put_in, read.margin) for read in e.read if read.outcome == "false"]
            yield from ((words, margin) for words, margin in said if words and COMPARED.match(words))


def test_a_margin_is_the_difference_of_the_number_and_the_constant(explained: list[Explanation]):
    compared = list(differences(explained))
    assert len(compared) > (30 if of_everybody(explained) else 10)
    for words, margin in compared:
        first, less, constant = COMPARED.findall(words)[0]
        assert margin == pytest.approx(abs(float(first) - float(less or 0) - float(constant)), abs=1e-9), words


def test_what_would_have_held_lies_outside_its_window(explained: list[Explanation]):
    near = [c.near for e in explained for col in e.columns for c in col.conditions if c.near]
    assert near
    assert all(one.miss_hours is not None and one.miss_hours >= 0 and one.after is not None for one in near)


def test_verdicts_and_explanations_agree(explained: list[Explanation], demo_study: Path):
    with store.connect(demo_study, read_only=True) as con:
        kept = {
            (rule, name, number, clause): (outcome, reason, margin)
            for rule, name, number, clause, outcome, reason, margin in con.execute(
                "SELECT rule, patient_id, number, clause, outcome, reason, margin FROM meta.verdict"
            ).fetchall()
        }
    checked = 0
    for e in explained:
        for found in (c.lookup for c in e.columns if c.lookup):
            checked += 1
            assert kept[e.rule, e.patient_id, e.number, found.clause] == (found.outcome, found.reason, found.margin)
    assert checked > (400 if of_everybody(explained) else 100)

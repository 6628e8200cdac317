"""Other readings of what the paper leaves open: the default is the plain answer, each mechanism is what it says."""

import json
import re
import shutil
from pathlib import Path
from statistics import median

import pytest

from timeline import alternatives, cli, engine, published, query, shipped, store
from timeline.alternatives import Ambiguity, Outcome, Sensitivity
from timeline.errors import UsageError
from timeline.report import checklist
from timeline.report.page import render
from timeline.report.patients import People
from timeline.report.provenance import provenance
from timeline.study import Study

QUERIES = query.load_queries(shipped.folder("queries"))
VALUES = published.load(shipped.folder("data") / "published.yaml")
LISTED = alternatives.load(shipped.folder("data") / "alternatives.yaml", VALUES, QUERIES)
MONTH = 30.4375


@pytest.fixture(scope="module")
def study(demo_study) -> Study:
    return Study.open(demo_study)


@pytest.fixture(scope="module")
def whole(study) -> Sensitivity:
    return study.sensitivity()


@pytest.fixture(scope="module")
def found(whole) -> dict[str, Ambiguity]:
    return {one.id: one for one in whole.ambiguities}


def outcome(one: Ambiguity, label: str, key: str) -> Outcome:
    told = next(reading for reading in one.readings if reading.label == label)
    return next(outcome for outcome in told.outcomes if outcome.id == key)


def test_every_ambiguity_of_the_paper_is_listed():
    assert list(LISTED.questions) == [f"A-{number:02}" for number in range(1, 25)]
    folders = {path for one in LISTED.questions.values() for reading in one.readings for path in reading.rules}
    own = {path for path in (shipped.folder("rules") / "readings").iterdir() if path.is_dir()}
    assert own <= folders, "a folder of rules that no reading uses"
    page = (shipped.folder("rules") / "readings" / "README.md").read_text("utf-8")
    assert all(f"| [`{path.name}`]({path.name}) |" in page for path in own)


def test_every_default_is_the_plain_computation(study, found):
    plain = {one.id: one for one in study.published()}
    outcomes = [outcome for one in found.values() for outcome in one.defaults]
    assert len(outcomes) > 60
    for one in outcomes:
        assert (one.computed, one.agreement, one.changed) == (plain[one.id].computed, plain[one.id].agreement, None)


def test_every_reading_of_the_demo_is_computed_or_says_why_not(found):
    lacking = [(one.id, told.label) for one in found.values() for told in one.readings if told.why]
    assert [key for key, _ in lacking] == ["A-05", "A-09", "A-10", "A-10", "A-15", "A-24"]
    computed = [told for one in found.values() for told in one.readings if not told.why]
    assert all(outcome.computed for told in computed for outcome in told.outcomes)
    assert sum(told.changed > 0 for told in computed) > 30


def test_a_parameter_of_a_rule_says_what_a_sweep_says(study, found):
    hours = {"12h": "12 h", "48h": "48 h", "72h": "72 h"}
    swept = study.sweep(
        params={"steroid_refractory.window": list(hours)},
        measures=["SELECT patient_id FROM cohort WHERE included AND refractory_before_anakinra"],
    ).frame
    counts = dict(zip(swept["steroid_refractory.window"], swept["patients"], strict=True))
    for value, words in hours.items():
        told = outcome(found["A-01"], f"{words} after axi-cel", "X-14")
        assert told.computed == f"{counts[value]} of 14"
        assert told.changed == (counts[value] != 11)


def test_a_folder_of_rules_says_what_a_query_of_the_events_says(study, found):
    lowest = study.sql(
        "WITH pair AS (SELECT w.patient_id, w.end_time FROM anakinra_window AS w JOIN cohort AS c USING (patient_id) "
        "WHERE c.included AND w.number = 1), "
        "worst AS (SELECT p.patient_id, min(e.value) AS value FROM pair AS p JOIN event AS e USING (patient_id) "
        "WHERE e.concept = 'neutrophils' AND NOT e.implausible "
        "AND e.time BETWEEN p.end_time + INTERVAL 22 DAY AND p.end_time + INTERVAL 32 DAY GROUP BY ALL) "
        "SELECT count(*) FILTER (WHERE value < 1) AS severe, count(*) AS n FROM worst"
    ).row(0)
    assert "{} of {}".format(*lowest) in outcome(found["A-06"], "lowest count in the window", "X-25").computed


def test_an_option_of_a_statistic_is_the_first_crossing_of_the_curve(study, found):
    rows = study.sql("SELECT os_days, died FROM outcome JOIN cohort USING (patient_id) WHERE included").rows()
    # Without censoring before it, the curve first is at one half or less at the death of the 7th of 14.
    deaths = sorted(days for days, died in rows if died)
    assert deaths[6] == 70
    assert outcome(found["A-12"], "median at the first crossing", "X-37").computed == f"{70 / MONTH:.4g} months"
    assert (
        outcome(found["A-12"], "median at the first crossing", "X-35").computed == f"follow-up {700 / MONTH:.4g} months"
    )


def test_a_parameter_of_a_query_changes_the_length_of_a_month(found):
    assert outcome(found["A-12"], "months of 30 days", "X-37").computed == f"{(70 + 100) / 2 / 30:.4g} months"


def test_another_query_counts_elapsed_days(study, found):
    hours = study.sql(
        "SELECT epoch(w.start_time - i.time) / 3600 AS h "
        "FROM anakinra_window AS w JOIN infusion AS i USING (patient_id) JOIN cohort AS c USING (patient_id) "
        "WHERE c.included AND w.number = 1"
    )["h"]
    days = [hour // 24 for hour in hours]
    told = outcome(found["A-17"], "whole 24 hours elapsed", "T1-23")
    assert told.computed == f"{median(days):.4g} ({min(days):.0f} to {max(days):.0f}) days, n = 14" and told.changed


def test_a_rounded_median(found):
    told = outcome(found["A-02"], "rounded half up", "T1-13")
    assert told.computed == "2 (1 to 4), n = 14" and told.agreement == "equal" and told.changed


def test_the_strict_cohort_has_the_eleven(found):
    label = "only those refractory before anakinra"
    assert outcome(found["A-05"], label, "X-01").computed == "11 of 11"
    assert outcome(found["A-05"], label, "X-35").changed is False


def asked(study: Study, text: str, tmp_path: Path) -> Sensitivity:
    (tmp_path / "alternatives.yaml").write_text(text)
    listed = alternatives.load(tmp_path / "alternatives.yaml", VALUES, QUERIES)
    with study.reading() as con:
        return alternatives.sensitivity(con, engine.last_run(con), QUERIES, VALUES, listed)


HEAD = "alternatives:\n  A-1:\n    question: q\n    default: d\n    bears_on: {ids}\n    readings:\n"


def test_a_reading_that_is_the_default_changes_nothing(study, tmp_path):
    ids = "[T1-14, T1-19, T1-20, T1-21, T1-22, T1-23, T1-27, T1-32]"
    text = HEAD.format(ids=ids) + (
        "      - {label: another query, query: table_1_other_readings}\n"
        "      - {label: a parameter, set: {steroid_refractory.window: 24h}}\n"
        "      - {label: a folder, rules: [readings/other_steroids]}\n"
        "      - {label: both, rules: [readings/counts_from_elsewhere], set: {lab_pair.count_anchor: last_dose},\n"
        "          bears_on: [F2B-L, F2B-R, X-25, X-26, X-27, X-28, F2A]}\n"
        "      - {label: response, rules: [readings/narrower_response], bears_on: [X-15, X-33]}\n"
        "      - {label: statistic, statistic: {overall_survival.survival: {median: averaging}},\n"
        "          bears_on: [X-35, X-37]}\n"
        "      - {label: query, params: {checklist_labs.reading: 6h}, bears_on: [X-22]}\n"
    )
    (one,) = asked(study, text, tmp_path).ambiguities
    assert [(told.label, told.why) for told in one.readings if told.why] == []
    assert {o.changed for told in one.readings for o in told.outcomes} == {False}
    assert one.changed == () and len(one.unchanged) == len(one.defaults) == 20


def test_what_does_not_fit_the_rules_of_a_study_is_said(study, tmp_path):
    text = HEAD.format(ids="[X-14]") + (
        "      - {label: no such parameter, set: {steroid_refractory.wndow: 1h}}\n"
        "      - {label: another kind, set: {steroid_refractory.window: 3}}\n"
    )
    (one,) = asked(study, text, tmp_path).ambiguities
    assert [told.why for told in one.readings] == [
        "the rules of this study have no parameter steroid_refractory.wndow",
        "steroid_refractory.window is a duration such as 24h; `3` is a number",
    ]


def test_the_study_is_as_it_was(study):
    with study.reading() as con:
        before = con.execute("SELECT count(*) FROM cohort WHERE included").fetchall()
        only = ["A-05"]
        alternatives.sensitivity(con, engine.last_run(con), QUERIES, VALUES, LISTED, only)
        assert con.execute("SELECT count(*) FROM cohort WHERE included").fetchall() == before == [(14,)]


def test_a_question_that_is_not_there(study):
    with pytest.raises(UsageError, match=r"there is no question A-99; did you mean `A-09`\?|there is no question A-99"):
        study.sensitivity("A-99")


def test_a_study_without_a_run_says_so(tmp_path, capsys):
    path = tmp_path / "new.duckdb"
    store.connect(path, create=True).close()
    assert cli.main(["published", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "0 equal, 0 differs, 0 conflict, 101 not computed" in printed and "no such table" in printed
    assert cli.main(["sensitivity", str(path)]) == 1
    assert "nothing has been derived in this study yet" in capsys.readouterr().err


def test_a_folder_of_queries_without_published_values(study, tmp_path, capsys):
    shutil.copy(shipped.folder("queries") / "data_quality.sql", tmp_path)
    assert cli.main(["published", str(study.path), "--queries", str(tmp_path)]) == 2
    assert "there is no file of published values here" in capsys.readouterr().err


def test_the_commands_print_and_write(study, tmp_path, capsys):
    file = tmp_path / "out.csv"
    assert cli.main(["published", str(study.path), "-o", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "95 equal, 0 differs, 6 conflict, 0 not computed, 9 definition, 23 described; 133 in all" in printed
    assert len(file.read_text().splitlines()) == 134
    assert cli.main(["sensitivity", str(study.path), "A-02", "A-10", "-o", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "≠  rounded half up  2 (1 to 4), n = 14" in printed
    assert "not computed, without antipyretics: antipyretics are no concept" in " ".join(printed.split())
    assert cli.main(["sensitivity", str(study.path), "A-02", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ambiguities"][0]["readings"][0]["outcomes"][0]["changed"] is True
    assert cli.main(["published", str(study.path), "-o", "values.txt"]) == 2


def test_the_page_links_ids_and_marks_with_words(study, whole):
    with study.reading() as con:
        beside = checklist.beside(con, shipped.folder("queries"), QUERIES)
        text = render(provenance(con), (), {}, "", People(0), beside, checklist.Readings(whole))
    assert all(f'id="published-{key}"' in text for key in VALUES.items)
    assert all(f'id="reading-{key}"' in text for key in LISTED.questions)
    assert '<span class="number">95</span>' in text and "≠ changed" in text
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'id="([^"]+)"', text))
    assert "Not changed by: at it, or up to 1 h after; in the 1 h up to it; in the 12 h up to it. By default" in text

"""What `check` says of rules: the funnel on a study, examples that fail, SQL of one rule."""

# ruff: noqa: E501  # whole messages, as a reader sees them

from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from timeline import check, examples, summaries
from timeline.errors import UsageError
from timeline.load import load, load_text
from timeline.study import Study

RULES = """
concepts: {drug: {unit: mg}}
dose: {title: Doses, from: drug, where: value > 0, columns: {mg: value}}
examples:
  - title: as expected
    events: |
      time             | code | value
      2024-01-01 00:00 | drug | 0
      2024-01-02 00:00 | drug | 5
    expect: {dose: [{time: 2024-01-02 00:00, mg: 5.0}]}
"""


def outcome(text: str) -> list[str]:
    return [problem for result in examples.run_examples(load_text(text)) for problem in result.problems]


def test_the_funnel_ends_with_the_rows_that_a_run_derives_and_writes_nothing(demo_study: Path) -> None:
    before = sha256(demo_study.read_bytes()).hexdigest()
    steps = Study(demo_study).funnel()
    assert sha256(demo_study.read_bytes()).hexdigest() == before
    derived = {step.rule: (step.rows, step.patients) for step in steps if step.step == "derived"}
    with duckdb.connect(str(demo_study), read_only=True) as con:
        assert derived == {
            n: (r, p) for n, r, p in con.execute("SELECT rule, rows, patients FROM meta.rule").fetchall()
        }
    dose = [(step.step, step.rows) for step in steps if step.rule == "anakinra_dose"]
    assert dose[0][1] > dose[1][1] == dose[2][1], "a refused dose is read, and left out by `where`"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mg: 5.0", "mg: 6", "dose row 1: mg is 5.0, expected 6"),
        ("mg: 5.0", "mg: null", "dose row 1: mg is 5.0, expected NULL"),
        ("mg: 5.0", "gm: 5", "dose: no column `gm`; the columns are patient_id, number, time, day, mg, evidence"),
        ("2024-01-02 00:00, mg", "2024-01-03 00:00, mg", "dose row 1: time is 2024-01-02, expected 2024-01-03 00:00"),
        ("[{time: 2024-01-02 00:00, mg: 5.0}]", "[]", "dose: 1 rows came out, 0 were expected: number 1, time 2024-01-02, day NULL, mg 5.0"),
        ("{dose: [{", "{dosis: [{", "no rule `dosis` to expect rows of"),
        ("| code |", "| kode |", "the header names kode; the columns are time, end_time, code, value, unit, text, route"),
        ("drug | 5", "drug | 5 | 6", "row 2 has 4 cells, its header 3"),
    ],
)  # fmt: skip
def test_an_example_that_fails_says_what_came_out(old: str, new: str, problem: str) -> None:
    assert outcome(RULES) == []
    assert problem in outcome(RULES.replace(old, new))


def test_an_event_of_an_example_that_is_rejected_fails_it() -> None:
    problems = outcome(RULES.replace("code | value", "code | value | unit").replace("drug | 5", "drug | 5 | furlong"))
    assert any("an event was rejected" in problem and "furlong" in problem for problem in problems)


def test_sql_of_a_rule_that_is_none() -> None:
    with pytest.raises(UsageError, match="unknown rule 'cohrt'; did you mean 'cohort'"):
        check.sql_of(load([]), "cohrt")


PAIRED = """
ruleset: {name: paired, version: "1"}
concepts:
  drug: {unit: mg}
  warmth: {unit: Cel, scale: interval}
  depth: {unit: m, scale: interval}
  mass: {unit: mg/L}
  cold_or_deep: {members: [warmth, depth]}
reading: {from: cold_or_deep, group_by: [time, concept], columns: {analyte: concept, value: max(value)}}
masses:
  pairs: drug
  analytes: [{of: mass, before: {last: value, in: "(-inf, time]"}, after: {first: value, in: "(time, inf)"}}]
warmths:
  pairs: drug
  analytes:
    - {of: mass, before: {last: value, in: "(-inf, time]"}, after: {first: value, in: "(time, inf)"}}
    - {of: reading, before: {last: value, in: "(-inf, time]"}, after: {first: value, in: "(time, inf)"}}
examples:
  - title: a change, and no ratio
    events: |
      time             | code   | value
      2024-01-01 00:00 | warmth | 40
      2024-01-01 00:00 | mass   | 40
      2024-01-02 00:00 | drug   | 5
      2024-01-03 00:00 | warmth | 38
      2024-01-03 00:00 | mass   | 38
    expect:
      warmths:
        - {analyte: depth, complete: false}
        - {analyte: mass, change: -2, percent_change: -5, ratio: 0.95}
        - {analyte: warmth, change: -2, percent_change: null, ratio: null}
"""


def test_who_pairs_a_scale_whose_zero_is_a_convention_is_told_that_ratios_are_empty(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(PAIRED, encoding="utf-8")
    report = check.check([tmp_path], shipped=False)
    assert not report.failed
    (remark,) = report.remarks
    assert remark.endswith(
        "rules.yaml:13:1: `warmths` pairs `depth`, `warmth`, whose scale is `interval`: percent_change, ratio and folds "
        "are empty there, since the zero is a convention; `change` is not"
    )
    assert summaries.check_text(report).splitlines()[1:] == [remark]

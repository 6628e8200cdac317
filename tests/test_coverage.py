"""Clause coverage: what examples show of each clause, and that those of the shipped rules show everything."""

import json
from pathlib import Path

import pytest

from tests.mutation_report import MAIN, overlays
from timeline import cli
from timeline.coverage import coverage
from timeline.load import load, load_text
from timeline.shipped import folder

RULES = """
concepts:
  drug: {unit: mg}
  lab: {unit: mg/L}
dose:
  title: Doses
  from: drug
  where: value > 0
  columns:
    before: {last: lab.value, in: "[time - 24h, time)"}
    kind: case when before > 10 then 'high' when before > 5 then 'middle' else 'low' end
  checks: {a dose: value_is_there}
""".replace("value_is_there", "kind is not null")
EXAMPLE = """
examples:
  - title: a dose
    clause: a dose
    events: |
      time             | code | value
      2024-01-01 08:00 | lab  | 12
      2024-01-02 08:00 | drug | 1
    expect: {dose: [{before: 12, kind: high}]}
"""
ANOTHER = """
  - title: no dose, and a dose without a value before it
    clause: a dose
    events: |
      time             | code | value
      2024-01-01 08:00 | drug | 0
      2024-01-02 08:00 | drug | 1
      2024-01-03 08:00 | drug | 1
      2024-01-02 20:00 | lab  | 6
    expect: {dose: [{before: null, kind: low}, {before: 6, kind: middle}]}
"""


def lacking(text: str) -> dict[str, str]:
    return {clause.clause: clause.lacks for clause in coverage(load_text(text)).missing}


def test_without_examples_nothing_is_shown():
    both = "true nor not true"
    assert lacking(RULES) == {
        "where: value > 0": both,
        "before": both,
        "kind: before > 10": both,
        "kind: before > 5": both,
        "check: a dose": "true",
    }


def test_an_example_shows_what_its_rows_made_true_and_not_true():
    assert lacking(RULES + EXAMPLE) == {
        "where: value > 0": "not true",
        "before": "not true",
        "kind: before > 10": "not true",
        # Where the first condition has decided, the second is not asked.
        "kind: before > 5": "true nor not true",
    }


def test_clauses_are_complete_once_examples_show_both():
    found = coverage(load_text(RULES + EXAMPLE + ANOTHER))
    assert (found.missing, found.percent, len(found.examples)) == ((), 100.0, 2)


@pytest.mark.parametrize("name", [MAIN, *overlays()])
def test_every_example_of_the_shipped_rules_comes_out_and_together_they_show_every_clause(name: str):
    """One test a rule set, since all examples of a set are patients of one run."""
    folders = [folder("rules") / name] if name != MAIN else []
    found = coverage(load(folders), folders)
    assert {f"{result.where} {result.title}": result.problems for result in found.examples if not result.ok} == {}
    assert len(found.examples) > 1
    assert len(found.clauses) > 5
    assert found.missing == ()


def test_the_command_lists_what_no_example_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "rules.yaml").write_text((RULES + EXAMPLE).lstrip())
    assert cli.main(["check", str(tmp_path), "--only", "--coverage"]) == 0
    said = capsys.readouterr().out
    assert "20.0 % of clauses" in said and "never true nor not true" in said
    assert cli.main(["check", str(tmp_path), "--only", "--coverage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["percent"] == pytest.approx(20)

"""Each comparison, bound and bracket of each shipped rule matters to an example, or to a case of the definitions."""

from functools import cache

import pytest
import yaml

from tests.mutants import mutants_of
from tests.mutate_expressions import edits
from tests.mutation import studies_of, verdict
from tests.mutation_report import FOLDERS, SURVIVORS, equivalent, ruleset_of, table, verdicts_of
from timeline.load import load_text
from timeline.rules import RuleSet

RULES = """
ruleset: {name: small, index: start}
concepts:
  drug: {unit: mg}
dose:
  params: {lowest: {default: 5}}
  from: drug
  where: value >= $lowest
  columns: {dose: {sql: value, between: [0, 9]}}
start: {from: dose, keep: first}
course:
  episodes: dose
  gap: 48h
  columns: {doses: count(*)}
"""
EXAMPLES = """
examples:
  - title: five is a dose, and the first dose is day 0
    events: |
      time             | code | value
      2024-01-01 08:00 | drug | 5
      2024-01-02 08:00 | drug | 5
      2024-01-04 08:00 | drug | 9
    expect:
      course: [{start_day: 0, doses: 3}]
"""
CASES = """
examples:
  - title: four is none
    events: |
      time             | code | value
      2024-01-01 08:00 | drug | 4
      2024-01-02 08:00 | drug | 6
    expect:
      dose: [{day: 0, dose: 6}]
"""


@cache
def small(examples: str) -> RuleSet:
    return load_text(RULES + examples)


def test_what_becomes_of_a_mutant() -> None:
    """The first: noticed in a rule that reads a rule; `day` is known only after the index, which reads `dose`."""
    examples, cases = studies_of(small(EXAMPLES)), studies_of(small(CASES))
    rules = small(EXAMPLES)
    tried = [verdict(mutant, examples, cases) for rule in rules.rules for mutant in mutants_of(rules, rule)]
    assert {str(one.mutant).removeprefix("rules.yaml "): (one.outcome, one.by.split(":")[-1]) for one in tried} == {
        "dose.params.lowest: 5 -> 4": ("case", "four is none"),
        "dose.params.lowest: 5 -> 6": ("example", "five is a dose, and the first dose is day 0"),
        "dose.dose: between [0, 9] -> between [1, 9]": ("survived", ""),
        "dose.dose: between [0, 9] -> between [0, 8]": ("refused", " broken by 1 of 3 rows"),
        "dose.where: (value >= $lowest) -> (value > $lowest)": (
            "example",
            "five is a dose, and the first dose is day 0",
        ),
        "dose.where: value >= $lowest -> no condition": ("case", "four is none"),
        "start.keep: first -> last": ("example", "five is a dose, and the first dose is day 0"),
        "course.gap: 48h -> 2879min": ("example", "five is a dose, and the first dose is day 0"),
        "course.gap: 48h -> 2881min": ("survived", ""),
    }


def test_a_column_that_keeps_episodes_apart_is_left_out() -> None:
    rules = load_text(RULES + "era: {episodes: dose, gap: 48h, by: [dose, day]}\n")
    made = [str(mutant).partition("era")[2] for mutant in mutants_of(rules, "era")]
    assert made[2:] == [".by: dose, day -> day", ".by: dose, day -> dose"]


def test_a_mutant_leaves_the_study_as_it_was() -> None:
    rules = small(EXAMPLES)
    (study,) = studies_of(rules)
    before = study.con.execute("SELECT * FROM dose, course, start").fetchall()
    for mutant in mutants_of(rules, "dose"):
        verdict(mutant, [study])
    assert study.con.execute("SELECT * FROM dose, course, start").fetchall() == before


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("a >= $x", ["(a >= $x) -> (a > $x)"]),
        ("a = 'b'", ["(a = 'b') -> (a != 'b')", "(a = 'b') -> (a = 'another word')"]),
        ("a is null", ["(a IS NULL) -> (a IS NOT NULL)"]),
        ("not a", ["(NOT a) -> a"]),
        ("a and b", ["(a AND b) -> (a OR b)", "(a AND b) -> b", "(a AND b) -> a"]),
        ("a in ('b', 'c')", ["(a IN ('b', 'c')) -> (a IN ('c'))", "(a IN ('b', 'c')) -> (a IN ('b'))"]),
        ("a between b and 2", [
            "(a BETWEEN b AND 2) -> ((a > b) AND (a <= 2))", "(a BETWEEN b AND 2) -> (a BETWEEN b AND 1)",
            "(a BETWEEN b AND 2) -> (a BETWEEN b AND 3)",
        ]),
        ("below(a, b, 1.5)", [
            "below(a, b, 1.5) -> (a < 1.5)", "below(a, b, 1.5) -> (a <= 1.5)",
            "below(a, b, 1.5) -> below(a, b, 1.4)", "below(a, b, 1.5) -> below(a, b, 1.6)",
        ]),
        ("start_time + 6h", [
            "(start_time + to_hours(6)) -> (start_time - to_hours(6))", "start_time -> end_time",
            "to_hours(6) -> to_minutes(359)", "to_hours(6) -> to_minutes(361)",
        ]),
        ("count(distinct max(a))", [
            "count(DISTINCT max(a)) -> count(max(a))", "max(a) -> min(a)",
        ]),
        ("case when a then 1 when b then 1 else c end", [
            "when a then 1 -> when (NOT a) then 1", "when a then 1 -> no such arm",
            "when b then 1 -> when (NOT b) then 1", "when b then 1 -> no such arm", "else c -> no else",
            "when a then 1 -> when a then 0", "when a then 1 -> when a then 2",
            "when b then 1 -> when b then 0", "when b then 1 -> when b then 2",
        ]),
        ("case when a >= b and c then d when a < b then e end", [
            "when ((a >= b) AND c) then d -> when (NOT ((a >= b) AND c)) then d",
            "when ((a >= b) AND c) then d -> no such arm", "when (a < b) then e -> when (NOT (a < b)) then e",
            "when (a < b) then e -> no such arm", "((a >= b) AND c) -> ((a >= b) OR c)",
            "((a >= b) AND c) -> c", "((a >= b) AND c) -> (a >= b)", "(a >= b) -> (a > b)", "(a < b) -> (a <= b)",
        ]),
        ("case when a < b then c when a < d then e end", [
            "when (a < b) then c when (a < d) then e -> when (a < d) then e when (a < b) then c",
            "when (a < b) then c -> when (NOT (a < b)) then c", "when (a < b) then c -> no such arm",
            "when (a < d) then e -> when (NOT (a < d)) then e", "when (a < d) then e -> no such arm",
            "(a < b) -> (a <= b)", "(a < d) -> (a <= d)",
        ]),
    ],
)  # fmt: skip
def test_what_is_changed_in_an_expression(text: str, changes: list[str]) -> None:
    assert [f"{edit.before} -> {edit.after}" for edit in edits(text)] == changes


def test_mutants_have_names_of_their_own() -> None:
    rules = ruleset_of(FOLDERS[0])
    for name in ("steroid_refractory", "cohort"):
        names = [str(mutant) for mutant in mutants_of(rules, name)]
        assert len(names) == len(set(names)) > 20
    assert (
        "refractory.yaml steroid_refractory.best_grade: (steroid_time, window_end] -> [steroid_time, window_end]"
        in {str(mutant) for mutant in mutants_of(rules, "steroid_refractory")}
    )


def test_what_is_listed_as_equivalent_is_a_mutant() -> None:
    """Who changes a rule hears of it here; whether it is equivalent, the long tests find out."""
    assert set(yaml.safe_load(SURVIVORS.read_text("utf-8"))) <= set(FOLDERS)
    for folder in FOLDERS:
        listed, rules = equivalent(folder), ruleset_of(folder)
        named = {mutant.split()[1].partition(".")[0] for mutant in listed}
        made = {str(mutant) for rule in named & set(rules.rules) for mutant in mutants_of(rules, rule)}
        assert set(listed) - made == set(), "these are gone; take them off the list"


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_mutant_is_noticed(folder: str) -> None:
    """Or stands, with the reason why it is no other rule, in mutation_survivors.yaml."""
    verdicts, listed = verdicts_of(folder), equivalent(folder)
    print(table(verdicts, listed))
    survived = [str(one.mutant) for one in verdicts if one.outcome == "survived"]
    assert [name for name in survived if name not in listed] == [], "no example tells these from the rule; write one"
    assert [name for name in listed if name not in survived] == [], "these are noticed or gone; take them off the list"

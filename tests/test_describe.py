"""Rules in words: every operator and option as a reader sees it; the shipped rule sets whole; wrong calls."""

# ruff: noqa: E501  # whole sentences, as a reader sees them

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, seed, settings

from tests.cases import Case, cases, concepts, ruleset_of
from tests.generate_rules import Study, studies
from tests.test_reference import CHECKS
from timeline import cli
from timeline.describe import Description, as_markdown, describe
from timeline.errors import UsageError
from timeline.load import load, load_text
from timeline.rules import SIDES, RuleSet
from timeline.shipped import folder
from timeline.words.expressions import tree_of, value
from timeline.words.names import Scope

RULES = """
ruleset: {name: trial, index: zero}
concepts:
  crp: {title: "C-reactive protein, serum", unit: mg/L, codes: [LOINC/1988-5]}
  drug_a: {title: Drug A, unit: mg}
  drug_b: {title: Drug B, unit: mg, attributes: {strength: 5}}
  drug: {title: Drugs, members: [drug_a, drug_b]}
  stay: {title: Hospital stays}
  note: {title: Note}
zero: {title: Day zero, from: drug_a, keep: first, columns: {dose: value}}
dose:
  title: Doses
  source: a paper | with a bar
  params:
    least: {default: 0.5, unit: g, of: drug_a, meaning: smallest dose}
    strict: {default: false, meaning: whether to be strict}
  from: drug
  where: (value is null or above(value, bound, $least)) and (not $strict or route in ('oral', 'intravenous')) and time >= index.time
  columns: {mg: {sql: value * concept.strength, unit: mg, meaning: strength-adjusted dose}, name: concept}
worst: {from: crp, where: value between 1 and 500, group_by: [time], columns: {level: max(value), wells: count(*), "low": "bool_or(below(value, bound, 5))"}}
stays: {from: stay, spans: true}
course:
  params: {gap: {default: 2d, meaning: pause}}
  episodes: dose
  where: mg > 0
  gap: $gap
  columns: {doses: count(*), days: count(distinct time::date), peak_time: "arg_max(time, mg)", rate: "doses / hours_between(start_time, end_time)"}
  checks: {ends after it starts: end_time >= start_time}
stretch: {episodes: stays, gap: 0h}
era: {episodes: drug, by: [concept, route], where: value > 0, gap: 30d, columns: {strength: concept.strength}}
state:
  params: {keeps: {default: 12h, meaning: how long}}
  grade: case when a is null or b.time > a.time then greatest(a, b) else least(a, coalesce(b, 0)) end
  hold: $keeps
  where: time >= index.time
  findings:
    a: {of: crp, level: "case when below(value, bound, 10) then 0 when value >= 10 then 1 end"}
    b: {of: note, level: "case text when 'bad' then 2 when 'fine' then null else 1 end", interval: true, hold: 30min}
  context:
    c: {of: dose, level: "1", hold: inf}
  columns: {treated: c is not null}
around:
  params: {near: {default: 48h}}
  from: course
  columns:
    first_crp: {first: crp.value, in: "[start_time - 24h, start_time)"}
    last_level: {last: worst.level, in: "(start_time, end_time]"}
    closest: {nearest: worst.level, to: end_time + 1d, in: "[end_time + 12h, end_time + $near]"}
    lowest: {min: worst.level, in: "(-inf, start_time]"}
    highest: {max: crp.value, in: "(index.time, inf)"}
    average: {mean: worst.level, in: "(start_time, first_crp.time)"}
    middle: {median: crp.value, in: "(-inf, inf)"}
    total: {sum: dose.mg, overlaps: "[start_time, end_time]"}
    number_of: {count: stays, overlaps: "(start_time, next_midnight(end_time)]"}
    there: {any: state, where: grade >= 2 and time <= base.end_time}
    score: case when there and not (highest < 5) then 'high' when sqrt(highest) > 2 then 'middle' else 'low' end
  steps: {some: number_of > 0, sure: "there or regexp_matches(score, 'x|y')"}
values:
  pairs: course
  columns: {n: number}
  analytes:
    - of: crp
      baseline: {last: value, in: "[index.time - 1d, index.time)"}
      before: {max: value, in: "[start_time, start_time]"}
      after: {nearest: value, to: end_time, in: "[end_time - 1h, end_time + 1h]"}
own: {sql: "SELECT patient_id, mg, evidence FROM dose", uses: [dose], columns: {mg: {sql: mg, type: DOUBLE, meaning: the dose}}}
"""

WORDS = {
    "zero": [
        "One row for each record of drug A. Of these only the first of each patient is kept.",
        "*dose*: its value.",
    ],
    "dose": [
        "One row for each record of drugs where (value is missing or above 0.5 g (bounds count)), and (*strict* (set to false) is false or route is one of “oral” or “intravenous”), and time is at or after the zero.",
        "*mg* [mg] (strength-adjusted dose): value times its concept's strength.",
        "*name*: its concept.",
    ],
    "worst": [
        "One row for all records of C-reactive protein, where value is between 1 and 500, of one patient with the same time.",
        "*level*: the highest value.",
        "*wells*: their number.",
        "*low*: whether in at least one of them value is below 5 (bounds count).",
    ],
    "stays": [
        "One row for each record of hospital stays. It lasts from its time to its end time, or is a moment where it has none.",
    ],
    "course": [
        "Doses of a patient that lie at most 2 days apart are merged into one course, from the first to the last of them. Only those count where mg is above 0.",
        "*doses*: their number.",
        "*days*: the number of different calendar dates of time.",
        "*peak time*: time at the highest mg, the first where there are several.",
        "*rate*: *doses* divided by hours from the start of the course to the end of the course.",
        "Checked in every row: ends after it starts (the end of the course is at or after the start of the course).",
    ],
    "stretch": [
        "Stays of a patient that lie at most 0 hours apart are merged into one stretch, from the start of the first to the latest end.",
    ],
    "era": [
        "Records of drugs of a patient with the same concept and route that lie at most 30 days apart are merged into one era, from the first to the last of them. Only those count where value is above 0. An unknown value counts as one of its own.",
        "*strength*: its concept's strength.",
    ],
    "state": [
        "A grade at each time at which a finding is observed. Only observations count where time is at or after the zero. Of the observations of a finding in force the latest counts, of several at one instant the worst; once none is in force the finding is missing. Where the grade is unknown there is no row.",
        "Level of finding *a* (record of C-reactive protein): 0 if value is below 10 (bounds count); 1 if value is at least 10; no observation otherwise; in force for 12 hours, both ends included.",
        "Level of finding *b* (record of note): 2 if text is “bad”; no observation if text is “fine”; 1 otherwise; in force to its end time, or without one for 30 minutes.",
        "Level of context *c* (dose): 1; in force from then on; makes no row by itself.",
        "*treated*: whether *c* is known.",
        "**grade**: the higher of *a* and *b* if *a* is missing or *b* is later than *a*; the lower of *a* and *b* (0 where missing) otherwise.",
    ],
    "around": [
        "One row for each course.",
        "*first crp*: the first C-reactive protein from 24 hours before the start of the course up to but not including its start.",
        "*last level*: the level of the last worst after the start of the course up to and including its end.",
        "*closest*: the level of the worst nearest to 24 hours after the end of the course, from 12 hours to 48 hours after its end, both included.",
        "*lowest*: the lowest level of any worst at or before the start of the course.",
        "*highest*: the highest C-reactive protein after the zero.",
        "*average*: the mean level of the worsts after the start of the course and before the time of *first crp*, both excluded.",
        "*middle*: the median C-reactive protein at any time.",
        "*total*: the sum of mg of the doses, any part of which lies in the time from the start of the course to its end, both included.",
        "*number of*: the number of stays, any part of which lies in the time after the start of the course up to and including the first midnight after the end of the course.",
        "*there*: whether there is a state where grade is at least 2 and time is at or before this row's end.",
        "*score*: high if *there* is true and *highest* is at least 5; middle if `sqrt(highest)` is above 2; low otherwise.",
        "Steps, in order: *some*: *number of* is above 0; *sure*: *there* is true or `regexp_matches(score, 'x|y')` is true. The first that does not hold excludes; one that is unknown does not hold.",
    ],
    "values": [
        "One row for each course and each analyte, found or not: the values at baseline, before and after, their change, percent change and ratio, and which of them is missing.",
        "C-reactive protein: baseline: the last C-reactive protein from 24 hours before the zero up to but not including it; before: the highest C-reactive protein at the start of the course; after: the C-reactive protein nearest to the end of the course, from 1 hour before its end to 1 hour after its end, both included.",
        "*n*: its number.",
    ],
    "own": [
        "Derived by a SELECT of its own from dose; `timeline check --sql own` shows it.",
        "*mg* (the dose): as the SELECT gives it.",
    ],
}
"""Every clause of every rule above: operators, picks, brackets, options, expressions."""


EXPRESSIONS = [
    ("value = 1", "whether value is 1"),
    ("value <> 1", "whether value is not 1"),
    ("not (value <> 1)", "whether value is 1"),
    ("not (value < 1 or value is null)", "whether not (value is below 1 or missing)"),
    ("text = 'none' and value > 1 and value < 3", "whether text is “none” and value is above 1 and below 3"),
    ("text in ('a')", "whether text is “a”"),
    ("text not in ('a', 'b')", "whether text is none of “a” and “b”"),
    ("text >= 'm'", "whether text is at or after “m” in alphabetical order"),
    ("time < index.time + $day", "whether time is before 24 hours after the day zero"),
    ("time + $back", "24 hours before time"),
    ("time - 30min", "30 minutes before time"),
    ("time + 14d", "14 days after time"),
    ("greatest(time, next_midnight(end_time))", "the later of time and the first midnight after the end of the row"),
    ("least(value, 2, 3)", "the lowest of value, 2 and 3"),
    ("coalesce(value, 1, 2)", "value (1, else 2 where missing)"),
    ("value + 1 + 2 - 3", "(value plus 1 plus 2) minus 3"),
    ("value * (1 + 2) / 4", "(value times (1 plus 2)) divided by 4"),
    ("-value", "minus value"),
    ("abs(value)", "the absolute value of value"),
    ("floor(value)", "value rounded down"),
    ("ceil(value)", "value rounded up"),
    ("round(value)", "value rounded to a whole number"),
    ("round(value, 2)", "value rounded to 2 decimals"),
    ("round(value, $one)", "value rounded to 1 decimal"),
    ("case when $on then text else 'x_y' end", "text if *on* (set to true) is true; x y otherwise"),
    ("case when true then 1 end", "1 if true; unknown otherwise"),
    ("case value when 1 then null else value + 1 end", "unknown if value is 1; value plus 1 otherwise"),
    ("text = $word", "whether text is “high up”"),
    ("text = 'drug_a'", "whether text is drug A"),
    ("hours_between(index.time, time)", "hours from the day zero to time"),
    ("time::date - index.time::date", "calendar days from the day zero to time"),
    ("patient.sex = 'F'", "whether the patient's sex is “F”"),
    ("value % 2 = 1", "whether `(value % 2)` is 1"),
    ("starts_with(text, $word)", "`starts_with(text, 'high_up')`"),
]


@pytest.mark.parametrize(("sql", "said"), EXPRESSIONS)
def test_an_expression_in_words(sql: str, said: str) -> None:
    params = {"day": ("24h", None), "back": ("-24h", None), "one": ("1", None), "on": ("true", None)}
    scope = Scope(
        kinds={"text": "VARCHAR"},
        params=params | {"word": ("high_up", None)},
        concepts={"drug_a": "Drug A, oral"},
        index="day zero",
    )
    # DuckDB quotes some names that need none.
    assert value(tree_of(sql, scope), scope).replace('"', "") == said


AGGREGATES = [
    ("count(*)", "their number"),
    ("count(value)", "the number of known value"),
    ("count(distinct text)", "the number of different text"),
    ("count(*) filter (where value > 1)", "the number of those where value is above 1"),
    ("sum(value) filter (where value > 1)", "the sum of value of those where value is above 1"),
    ("min(text)", "the first text in alphabetical order"),
    ("max(time)", "the latest time"),
    ("median(value) - avg(value)", "the median of value minus the mean of value"),
    ("first(text)", "the first text"),
    ("list(value)", "all value, in order"),
    ("arg_min(text, value)", "text at the lowest value, the first where there are several"),
    ("bool_and(value > 1)", "whether in each of them value is above 1"),
    ("sum(distinct value)", "`sum(DISTINCT value)`"),
    ("max(case when text = 'a' then value end)", "the highest (value if text is “a”; unknown otherwise)"),
]


@pytest.mark.parametrize(("sql", "said"), AGGREGATES)
def test_an_aggregate_in_words(sql: str, said: str) -> None:
    scope = Scope(kinds={"text": "VARCHAR"})
    assert value(tree_of(sql, scope, aggregates=True), scope).replace('"', "") == said


@pytest.fixture(scope="module")
def small() -> Description:
    return describe(load_text(RULES))


@pytest.fixture(scope="module", params=["shipped", "febrile_neutropenia"])
def ruleset(request) -> RuleSet:
    return load([]) if request.param == "shipped" else load([folder("rules") / request.param], shipped=False)


@pytest.mark.parametrize("rule", WORDS)
def test_every_operator_and_option_in_words(small: Description, rule: str) -> None:
    (found,) = [one for one in small.definitions if one.rule == rule]
    assert [f"{c.about}: {c.words}" if c.about else c.words for c in found.clauses] == WORDS[rule]


def test_the_words_of_an_expression_depend_on_each_of_its_parts() -> None:
    """A word changed in the rule is a word changed in the text."""
    changes = {
        "below(value, bound, 10)": "not below(value, bound, 10)", "b.time > a.time": "b.time >= a.time",
        "[start_time - 24h, start_time)": "(start_time - 24h, start_time)", "(start_time, end_time]": "[start_time, end_time]",
        "value between 1 and 500": "value not between 1 and 500", "hold: inf": "hold: 7d", "keep: first": "keep: last",
        "interval: true, hold: 30min": "hold: 30min", "overlaps: \"[start": "in: \"[start", "gap: 0h": "gap: 1h",
        "[concept, route]": "[concept]",
        "group_by: [time]": "group_by: [time, concept]", "in ('oral', 'intravenous')": "not in ('oral', 'intravenous')",
        "greatest(a, b)": "least(a, b)", "spans: true": "spans: false", "number_of > 0": "number_of >= 0", "end_time - 1h": "end_time - 2h",
    }  # fmt: skip
    before = as_markdown(describe(load_text(RULES)))
    for old, new in changes.items():
        assert RULES.count(old) == 1, old
        rules = RULES.replace(old, new)
        if new == "spans: false":
            rules = rules.replace('overlaps: "(start', 'in: "(start')
        assert as_markdown(describe(load_text(rules))) != before, new


def tables(markdown: str) -> list[list[str]]:
    """The cells of every row of every table."""
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert all(row.startswith("| ") and row.endswith(" |") for row in rows)
    return [re.split(r"(?<!\\) ?\| ?", row)[1:-1] for row in rows]


def test_a_page_is_headings_paragraphs_and_three_tables(small: Description) -> None:
    page = as_markdown(small)
    assert re.findall(r"^#+ .*", page, re.MULTILINE) == [
        "# Methods: trial", "## Rules", "## Definitions", "## Concepts", "## Sources"
    ]  # fmt: skip
    assert {len(row) for row in tables(page.split("## Concepts")[0])} == {5}
    assert {len(row) for row in tables(page.split("## Concepts")[1])} == {5}
    assert "a paper | with a bar" in page.split("## Sources")[1], "no table there"
    assert r"regexp_matches(score, 'x\|y')" in page
    assert (
        "**Day zero.** One row for each record of drug A. Of these only the first of each patient is kept. *Dose*"
        not in page
    )
    assert "**Doses.** One row for each record of drugs where" in page
    assert "`least` 0.5 g: smallest dose<br>`strict` false: whether to be strict" in page
    assert "| `crp` | C-reactive protein, serum | mg/L | 1 | `worst`, `state`, `around`, `values` |" in page
    assert "| `drug` | Drugs | – | group of `drug_a`, `drug_b` | `dose`, `era` |" in page


def test_the_author_s_words_come_first_and_a_changed_default_is_said_beside_them() -> None:
    rules = load_text(RULES.replace("  title: Doses\n", "  title: Doses\n  description: Doses of half a gram.\n"))
    page = as_markdown(describe(rules))
    assert "**Doses.** Doses of half a gram. [1]" in page
    assert "Set for this analysis" not in page
    page = as_markdown(describe(rules, {"dose.least": "2", "course.gap": "3h", "dose.strict": "true"}))
    assert (
        "**Doses.** Doses of half a gram. Set for this analysis: smallest dose: 2 g in place of 0.5 g; "
        "whether to be strict: true in place of false. [1]"
    ) in page
    assert "missing or above 2 g (bounds count)), and (*strict* (set to true) is false" in page
    assert "`least` 2 g (default 0.5 g): smallest dose" in page
    assert "**Course.** Doses of a patient that lie at most 3 hours apart are merged" in page
    page = as_markdown(describe(rules, {"dose.least": "2"}, ["course"]))
    assert "Set for this analysis: `dose.least`, smallest dose: 2 g in place of 0.5 g. Where" in page, "it reads dose"
    assert "**Doses.**" not in page


def test_each_rule_comes_after_those_it_reads_and_a_file_stays_together(ruleset: RuleSet) -> None:
    from timeline.compiler import compile_rules

    description = describe(ruleset)
    order = [one.rule for one in description.paragraphs]
    assert sorted(order) == sorted(ruleset.rules)
    for rule in compile_rules(ruleset):
        assert all(order.index(read) < order.index(rule.name) for read in rule.reads)
    topics = [one.topic for one in description.paragraphs]
    changes = sum(before != after for before, after in zip(topics, topics[1:], strict=False))
    assert changes == len(set(topics)) - 1


def test_the_shipped_rule_sets_in_words(ruleset: RuleSet) -> None:
    description = describe(ruleset)
    page = as_markdown(description)
    assert page == as_markdown(describe(ruleset)), "the same each time"
    for name, rule in ruleset.rules.items():
        assert f"**{rule.title}.**" in page and f"| `{name}` | {rule.title} |" in page
        assert " ".join(rule.source.split()) in page and " ".join(rule.description.split()) in page
        assert all(f"`{param}` " in page and declared.meaning in page for param, declared in rule.params.items())
        assert all(column.meaning in page for column in rule.columns.values())
        assert all(f"{check} (" in page for check in rule.checks)
    without_code = re.sub(r"`[^`]*`", "", page)
    assert "$" not in page
    assert not re.search(r"\b(CASE|WHEN|COALESCE|SELECT|case when|coalesce|is not null|_)\b", without_code)
    words = [clause.words for one in description.definitions for clause in one.clauses]
    assert not [said for said in words if "`" in said], "every expression of the shipped rules can be said"
    assert {len(row) for row in tables(page)} == {5}
    for one in description.concepts:
        assert one.codes == len(ruleset.concepts[one.concept].codes)
    assert {rule for one in description.concepts for rule in one.rules} <= set(ruleset.rules)


def test_every_parameter_in_force_changes_the_text_of_its_rule(ruleset: RuleSet) -> None:
    """One parameter at a time would compile 50 times: all at once, each told by its own value."""
    numbers = iter(range(1001, 2000))
    values, other = {}, {"duration": "{}min", "number": "{}", "text": "word {}"}
    for name, rule in ruleset.rules.items():
        for key, param in rule.params.items():
            values[f"{name}.{key}"] = "true" if param.kind == "boolean" else other[param.kind].format(next(numbers))
    described = {one.rule: one for one in describe(ruleset, values).definitions}
    for name, text in values.items():
        rule = described[name.split(".")[0]]
        value = "set to true" if text == "true" else text.removesuffix("min")
        assert any(value in clause.words for clause in rule.clauses), name


def test_the_paper_s_definition_reads_as_a_clinician_would_check_it() -> None:
    (found,) = describe(load([]), only=["steroid_refractory"]).definitions
    assert [f"{c.about}: {c.words}" for c in found.clauses][3:8] == [
        "*steroid time* (first systemic steroid for the episode): the time of the first steroid dose from the start of the ICANS episode to 24 hours after its end, both included.",
        "*grade at steroid* (latest ICANS grade of the episode at or before the steroid): the last ICANS grade from the start of the ICANS episode to *steroid time*, both included.",
        "*window end* (end of the time given to steroids): the later of the first midnight after *steroid time* and 6 hours after *steroid time* if the infusion's product is tisagenlecleucel; 24 hours after *steroid time* otherwise.",
        "*best grade* (lowest ICANS grade in the time given to steroids): the lowest ICANS grade after *steroid time* up to and including *window end*.",
        "*status* (whether the episode answered to steroids): untreated if *steroid time* is missing; untreated if *grade at steroid* is below 1; indeterminate if *best grade* is missing; responsive if *grade at steroid* minus *best grade* is at least 1; refractory otherwise.",
    ]


@pytest.mark.parametrize("case", [case for case in cases() if not case.fails], ids=lambda case: case.name)
def test_every_case_of_the_specification_can_be_said(case: Case) -> None:
    ruleset = ruleset_of(case)
    page = as_markdown(describe(ruleset, case.set))
    assert all(f"| `{name}` |" in page for name in ruleset.rules)


@pytest.mark.slow
@seed(1)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=CHECKS)
@given(studies(most=1))
def test_random_rules_can_be_said_and_no_parameter_is_left_in_the_text(study: Study) -> None:
    ruleset = load_text(study.rules, concepts())
    description = describe(ruleset, study.set)
    assert len(description.definitions) == len(ruleset.rules)
    assert '"$"' not in as_markdown(description)


def test_the_command_prints_markdown_or_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULES, encoding="utf-8")
    call = ["check", str(tmp_path), "--only", "--set", "course.gap=3d", "--describe"]
    assert cli.main(call) == 0
    page = capsys.readouterr().out
    assert page.startswith("# Methods: trial\n\nDurations are elapsed time") and "## Own" in page
    assert "at most 3 days apart" in page
    assert cli.main([*call, "course", "values", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in found["paragraphs"]] == ["course", "values"]
    assert found["changed"] == [
        {"rule": "course", "name": "gap", "value": "3 days", "default": "2 days", "meaning": "pause"}
    ]
    (analytes,) = [c for c in found["definitions"][1]["clauses"] if c["about"] == "C-reactive protein"]
    assert all(f"{side}: " in analytes["words"] for side in SIDES)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["--describe", "cohrt"], "there is no rule `cohrt` to describe; did you mean `cohort`?"),
        (
            ["--describe", "--set", "crs_grade.waivr=3h"],
            "unknown parameter 'crs_grade.waivr'; did you mean 'crs_grade.waiver'?",
        ),
        (["--describe", "--set", "crs_grade.waiver=3"], "crs_grade.waiver is a duration such as 48h; `3` is a number"),
        (["--set", "crs_grade.waiver=3"], "crs_grade.waiver is a duration such as 48h; `3` is a number"),
        (["--sql", "crs_grade", "--set", "crs_grade.waiver"], "--set crs_grade.waiver: write RULE.PARAM=VALUE"),
    ],
)
def test_a_wrong_call(capsys: pytest.CaptureFixture[str], call: list[str], message: str) -> None:
    assert cli.main(["check", *call]) == 2
    assert message in capsys.readouterr().err


def test_sql_and_words_are_of_the_same_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--sql", "steroid_course", "--set", "steroid_course.gap=5h"]) == 0
    assert "to_hours(5)" in capsys.readouterr().out


def test_an_unknown_rule_of_many() -> None:
    with pytest.raises(UsageError, match="there is no rule `nothing_like_it` to describe"):
        describe(load_text(RULES), only=["course", "nothing_like_it"])


def test_a_pair_says_of_which_analytes_the_zero_is_a_convention() -> None:
    rules = RULES.replace("concepts:\n", "concepts:\n  warmth: {title: Warmth, unit: Cel, scale: interval}\n", 1)
    found = describe(load_text(rules.replace("    - of: crp\n", "    - of: [crp, warmth]\n", 1)))
    (pair,) = [one for one in found.definitions if one.rule == "values"]
    assert pair.clauses[0].words.endswith(
        "The zero of warmth is a convention, so it has no percent change and no ratio."
    )

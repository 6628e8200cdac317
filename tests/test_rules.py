"""The shipped rules as data: their examples come out, they say where they are from, and no number hides in them."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from timeline.compiler import Compiled, compile_rules, fragments
from timeline.fragment import nodes, parse
from timeline.load import load
from timeline.rules import FromRule, GradeRule, Rule, RuleSet, SqlRule
from timeline.shipped import folder

SETS = {"car_t": [], "febrile_neutropenia": ["febrile_neutropenia"], "car_t_scores": ["car_t_scores"]}
ALONE = "febrile_neutropenia"
"""The set that needs none of the shipped rules."""

TABLES = {
    "infusion": "time product",
    "steroid_dose": "time day drug dose_mg dexamethasone_mg",
    "steroid_course": "start_time end_time start_day end_day doses days dexamethasone_mg",
    "tocilizumab_window": "start_time end_time start_day end_day doses days total_mg min_mg max_mg",
    "anakinra_window": "start_time end_time start_day end_day doses days total_mg min_mg max_mg",
    "crs_grade": "time day grade documented fever systolic mean_pressure norepinephrine epinephrine phenylephrine "
    "dopamine vasopressin oxygen",
    "icans_grade": "time day grade documented ice consciousness seizure motor edema",
    "crs_episode": "start_time end_time start_day end_day peak_grade peak_time",
    "icans_episode": "start_time end_time start_day end_day peak_grade peak_time",
    "steroid_refractory": "icans_number product steroid_time grade_at_steroid window_end best_grade status",
    "anakinra_response": "window_number peak_icans peak_crs icans_before icans_after crs_before crs_after "
    "neuro_responded crs_responded responded response_group",
    "cytokine": "time day analyte value unit replicates bounded",
    "lab_pair": "window_number analyte unit before_value before_time after_value after_time change percent_change "
    "ratio complete missing",
    "cytokine_pair": "window_number analyte unit baseline_value baseline_time before_value before_time after_value "
    "after_time change percent_change ratio fold_before fold_after complete missing",
    "cytopenia": "time day analyte value grade",
    "outcome": "infusion_time death_time last_time os_days died cause best_response",
    "cohort": "included excluded_at infusion anakinra toxicity refractory",
}
"""What programs outside rely on: these columns, in this order, after patient_id and number, before evidence."""
MORE = {
    "infusion": "day",
    "crs_grade": "waived febrile pressors hypotension hypoxia",
    "steroid_refractory": "start_time end_time start_day end_day",
    "anakinra_response": "start_time end_time start_day end_day",
    "outcome": "time day undated_death",
    "cohort": "product first_anakinra icans crs refractory_before_anakinra",
}
"""Columns beyond those: what a rule is from brings its times, and some helpers are worth reading."""

LEVELS = {
    "cytopenia.columns.grade": range(5),
    "tumour_response.columns.rank": range(1, 5),
    "hematotox_value.columns.points": range(3),
    "icaht.columns.early_at_least": range(5),
    "icaht.columns.early_at_most": range(5),
    "icaht.columns.late_grade": range(5),
    "t_icaht.columns.early_at_least": range(5),
    "t_icaht.columns.early_at_most": range(5),
    "t_icaht.columns.late_at_least": range(5),
    "t_icaht.columns.late_at_most": range(5),
}
"""Expressions other than grades whose whole numbers are names of levels or points, not thresholds."""


@cache
def ruleset(name: str) -> RuleSet:
    return load([folder("rules") / part for part in SETS[name]], shipped=name != ALONE)


def own_rules(name: str) -> list[str]:
    """The rules of a set that are not those it is read after."""
    before = () if name in ("car_t", ALONE) else ruleset("car_t").rules
    return [rule for rule in ruleset(name).rules if rule not in before]


@cache
def compiled(name: str) -> dict[str, Compiled]:
    return {rule.name: rule for rule in compile_rules(ruleset(name))}


def every_rule() -> list[str]:
    return [f"{name}/{key}" for name in SETS for key in own_rules(name)]


def split(each: str) -> tuple[str, str]:
    name, _, key = each.partition("/")
    return name, key


@pytest.mark.parametrize("each", every_rule())
def test_rule_says_what_it_is_and_where_it_is_from(each: str) -> None:
    name, key = split(each)
    rule = ruleset(name).rules[key]
    assert not isinstance(rule, SqlRule)
    assert rule.title and rule.source and len(rule.description) > len(rule.title)
    assert rule.description.endswith(".") and not rule.title.endswith(".")
    assert ".md" not in rule.source + rule.description
    for column, declared in rule.columns.items():
        assert declared.meaning, f"{key}.{column} has no meaning"
    for param, declared in rule.params.items():
        assert declared.meaning, f"{key}.{param} has no meaning"
        assert declared.kind != "duration" or declared.unit, f"{key}.{param} has no unit"


@pytest.mark.parametrize("each", every_rule())
def test_rule_has_examples_that_differ(each: str) -> None:
    """At least one example in which it holds, and one in which it does not, or comes out otherwise."""
    name, key = split(each)
    speaking = [example.expect[key] for example in ruleset(name).examples.values() if key in example.expect]
    rows = {tuple(sorted(row.items())) for expected in speaking for row in expected}
    assert rows and (len(rows) > 1 or [] in [list(expected) for expected in speaking])


def test_tables_have_the_columns_that_others_rely_on() -> None:
    tables = compiled("car_t")
    assert set(TABLES) <= set(tables)
    for name, text in TABLES.items():
        columns = [field.name for field in tables[name].fields]
        assert columns[:2] == ["patient_id", "number"] and columns[-1] == "evidence", name
        more = MORE.get(name, "").split()
        assert set(more) <= set(columns), name
        assert [column for column in columns[2:-1] if column not in more] == text.split(), name


def numbers(rule: Rule) -> Iterator[tuple[str, str]]:
    """Path and text of every number that a rule's expressions spell out; 0 and names of levels are none."""
    known = dict.fromkeys(rule.params, "NULL")
    for path, text, aggregates in fragments(rule):
        levels = range(6) if isinstance(rule, GradeRule) else LEVELS.get(f"{rule.name}.{path}", range(1))
        for duration in re.findall(r"(?<![\w$.])\d+(?:min|h|d|w)\b", re.sub(r"'[^']*'", "", text)):
            yield path, duration
        for node in nodes(parse(text, known, aggregates=aggregates).tree):
            if node["class"] == "CONSTANT" and node["literal"]["kind"] in ("INTEGER", "NUMERIC"):
                if float(node["literal"]["text"]) not in levels:
                    yield path, node["literal"]["text"]


@pytest.mark.parametrize("each", every_rule())
def test_numbers_are_parameters(each: str) -> None:
    name, key = split(each)
    assert [*numbers(ruleset(name).rules[key])] == []


def test_a_number_in_an_expression_is_found() -> None:
    rule = ruleset("car_t").rules["crs_grade"]
    hidden = rule.model_copy(update={"grade": "case when systolic < 90 then 2 end", "where": "time > index.time + 3d"})
    assert {("grade", "90"), ("where", "3d")} <= set(numbers(hidden))


def test_the_second_syndrome_stands_beside_the_first() -> None:
    both = load([folder("rules") / "febrile_neutropenia"])
    assert both.replaced == {}
    assert set(both.rules) == set(ruleset("car_t").rules) | set(ruleset("febrile_neutropenia").rules)
    assert not set(ruleset("febrile_neutropenia").rules) & set(ruleset("car_t").rules)
    assert both.index == "infusion" and ruleset("febrile_neutropenia").index is None


def test_every_step_of_the_cohort_is_shown_true_and_false() -> None:
    cohort = ruleset("car_t").rules["cohort"]
    assert isinstance(cohort, FromRule)
    for step in cohort.steps:
        shown = {
            row.get(step)
            for e in ruleset("car_t").examples.values()
            for row in e.expect.get("cohort", ())
            if step in row
        }
        assert shown == {"true", "false"}, step

"""What each clause decided: counts of outcomes, and the verdict on each lookup and step with its reason and margin."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb
import pytest

from tests.cases import concepts, events_of, facts_of
from tests.on_engine import empty_study, fill
from timeline import engine, store
from timeline.compiler import compile_rules
from timeline.load import load, load_text
from timeline.quote import identifier

RULES = """
ruleset: {index: zero}
zero: {from: infusion_a, keep: first}
ventilation:
  episodes: oxygen
  gap: 0h
looking:
  from: drug_a
  where: value >= $least and text is null
  params: {least: {default: 1, meaning: smallest dose}, high: {default: 5, meaning: what counts as high}}
  columns:
    after: {first: crp.value, in: "(time, time + 24h]"}
    high: {last: crp.value, in: "[time - 24h, time]", where: value >= $high}
    enough: {any: crp, where: value > base.value, in: "[time - 24h, time)"}
    ventilated: {any: ventilation, overlaps: "[time, time + 6h]"}
    since_zero: {count: ferritin, in: "[index.time, time]"}
    kind: case when after is null then 'none' when after < 2 then 'low' when high is null then 'middle' else 'high' end
  steps:
    followed: after is not null
    calm: after <= 2
    not_ventilated: not ventilated
  checks:
    what follows is high: after >= 2
both:
  pairs: ventilation
  analytes:
    - of: [crp, ferritin]
      before: {last: value, in: "[start_time - 24h, start_time)"}
      after: {max: value, in: "(end_time, end_time + 24h]", where: value > 3}
"""
EVENTS = """
time             | end_time         | code       | value | text
2024-01-01 00:00 |                  | infusion_a |       |
2024-01-05 08:00 |                  | drug_a     | 2     |
2024-01-06 10:00 |                  | crp        | 1     |
2024-01-08 00:00 |                  | crp        | 4     |
2024-01-08 12:00 |                  | drug_a     | 2     |
2024-01-09 00:00 |                  | crp        |       |
2024-01-09 12:00 |                  | crp        | 3     |
2024-01-12 00:00 | 2024-01-12 06:00 | oxygen     |       |
2024-01-13 00:00 |                  | drug_a     | 0     |
2024-01-13 01:00 |                  | drug_a     | 3     | refused
2024-01-13 02:00 |                  | drug_a     |       |
"""


@cache
def study(rules: str = RULES, events: str = EVENTS) -> duckdb.DuckDBPyConnection:
    ruleset = load_text(rules, concepts())
    con = empty_study(["p"])
    fill(con, [(facts_of({}), events_of(events, concepts()))])
    engine.run(con, ruleset)
    return con


def verdict(number: int, clause: str, analyte: str | None = None, rule: str = "looking") -> tuple[object, ...]:
    found = study().execute(
        "SELECT outcome, reason, margin FROM meta.verdict WHERE rule = ? AND number = ? AND clause = ? "
        "AND analyte IS NOT DISTINCT FROM ?",
        [rule, number, clause, analyte],
    )
    return found.fetchall()[0]


@pytest.mark.parametrize(
    ("number", "clause", "expected"),
    [
        (1, "after", ("false", "out_of_window", 2.0)),
        (2, "after", ("true", None, None)),
        (1, "high", ("false", "not_found", None)),
        (2, "high", ("false", "wrong_value", 1.0)),
        (1, "enough", ("false", "out_of_window", 64.0)),
        (2, "enough", ("true", None, None)),
        (1, "ventilated", ("false", "out_of_window", 154.0)),
        (1, "since_zero", ("false", "not_found", None)),
        (1, "followed", ("false", "out_of_window", 2.0)),
        (2, "followed", ("true", None, None)),
        (1, "calm", ("unknown", "out_of_window", 2.0)),
        (2, "calm", ("false", "wrong_value", 1.0)),
        (1, "not_ventilated", ("true", None, None)),
    ],
)
def test_a_lookup_or_step_says_why_it_is_not_true_and_by_how_much(number: int, clause: str, expected: tuple):
    assert verdict(number, clause) == expected


@pytest.mark.parametrize(
    ("clause", "analyte", "expected"),
    [
        ("before of crp or ferritin", "crp", ("false", "out_of_window", 36.0)),
        ("before of crp or ferritin", "ferritin", ("false", "not_found", None)),
        ("after of crp or ferritin", "crp", ("false", "out_of_window", 96.0)),
    ],
)
def test_a_side_of_a_pair_sees_its_own_analyte(clause: str, analyte: str, expected: tuple):
    assert verdict(1 if analyte == "crp" else 2, clause, analyte, "both") == expected


def counted(rule: str) -> Mapping[str, tuple[int, ...]]:
    rows = study().execute(
        "SELECT clause, rows_true, rows_false, rows_unknown, rows_left, patients_left FROM meta.clause WHERE rule = ?",
        [rule],
    )
    return {clause: tuple(numbers) for clause, *numbers in rows.fetchall()}


def test_every_clause_is_counted_where_it_is_asked():
    assert counted("looking") == {
        "where: value >= $least": (3, 1, 1, 3, 1),
        "where: text IS NULL": (4, 1, 0, 2, 1),
        "after": (1, 1, 0, None, None),
        "high": (0, 2, 0, None, None),
        "enough": (1, 1, 0, None, None),
        "ventilated": (0, 2, 0, None, None),
        "since_zero": (0, 2, 0, None, None),
        "kind: after IS NULL": (1, 1, 0, None, None),
        "kind: after < 2": (0, 1, 0, None, None),
        "kind: high IS NULL": (1, 0, 0, None, None),
        "followed": (1, 1, 0, 1, 1),
        "calm": (0, 1, 1, 0, 0),
        "not_ventilated": (2, 0, 0, 0, 0),
        "check: what follows is high": (1, 0, 1, None, None),
    }


def test_the_outcomes_change_no_row(demo_study: Path):
    """The SELECT that a rule is printed as, and that with the outcomes behind its columns, give the same rows."""
    with store.connect(demo_study, read_only=True) as con:
        for rule in compile_rules(load([])):
            extra = ", ".join(identifier(name) for name in rule.extra)
            both = f"SELECT * {f'EXCLUDE ({extra})' if extra else ''} FROM ({rule.outcomes})"
            odd = con.execute(f"SELECT count(*) FROM (({both}) EXCEPT ALL ({rule.sql}))").fetchall()
            kept = con.execute(f"SELECT count(*) FROM ({both})").fetchall()
            assert (odd, kept) == ([(0,)], con.execute(f"SELECT count(*) FROM ({rule.sql})").fetchall()), rule.name


def test_an_outcome_is_of_every_row_and_a_reason_of_every_outcome_that_is_not_true(demo_study: Path):
    with store.connect(demo_study, read_only=True) as con:
        odd = con.execute("SELECT count(*) FROM meta.verdict WHERE (outcome = 'true') <> (reason IS NULL)").fetchall()
        assert odd == [(0,)]
        asked = con.execute(
            "SELECT c.rule, c.clause, c.rows_true, c.rows_false, c.rows_unknown, count(*) FILTER (outcome = 'true'), "
            "count(*) FILTER (outcome = 'false'), count(*) FILTER (outcome = 'unknown') FROM meta.clause AS c "
            "JOIN meta.verdict AS v ON v.rule = c.rule AND v.clause = c.clause GROUP BY ALL"
        ).fetchall()
        assert asked
        assert [row for row in asked if row[2:5] != row[5:8]] == []


def test_a_where_may_name_the_looking_row_the_index_and_the_patient_together():
    rules = """
ruleset: {index: zero}
zero: {from: infusion_a, keep: first}
looking:
  from: drug_a
  columns:
    high:
      last: crp.value
      in: "[time - 24h, time]"
      where: value > base.value and time >= index.time and patient.sex is null
"""
    found = study(rules).execute("SELECT number, outcome, reason FROM meta.verdict ORDER BY number").fetchall()
    assert found == [
        (1, "false", "out_of_window"),
        (2, "true", None),
        (3, "false", "out_of_window"),
        (4, "false", "out_of_window"),
        (5, "false", "not_found"),
    ]

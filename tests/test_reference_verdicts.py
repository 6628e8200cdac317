"""The reference's verdicts: on one patient by hand, and against those of the engine on random studies."""

import math
from collections import defaultdict

import pytest

from tests.cases import concepts, events_of, facts_of
from tests.generate_rules import Study
from tests.on_engine import empty_study, fill
from tests.reference import rows_of_rule
from tests.reference_verdicts import Verdict, Verdicts, verdicts_of
from tests.reference_words import Patient
from tests.test_reference import CASES, PEOPLE, checked, people_of
from timeline import engine
from timeline.load import load_text

RULES = """
stay: {episodes: oxygen, gap: 0h}
looking:
  from: drug_a
  columns:
    after: {first: crp.value, in: "(time, time + 24h]"}
    high: {last: crp.value, in: "[time - 24h, time]", where: value >= 5}
    both: {any: crp, where: value >= 5 and time is null}
    during: {any: stay, overlaps: "[time, time + 6h]"}
    bound: {count: crp, in: "[end_time, time]"}
    none: {nearest: ferritin.value, to: time}
  steps:
    followed: after is not null
    calm: after <= 2
    strong: value >= 10
    not_during: not during
pairing:
  pairs: drug_a
  analytes:
    - of: [crp, ferritin]
      before: {last: value, in: "[time - 24h, time)"}
      after: {max: value, in: "(time, inf)", where: value > 3}
"""
EVENTS = """
time             | end_time         | code   | value
2024-01-05 08:00 |                  | drug_a | 2
2024-01-06 10:00 |                  | crp    | 1
2024-01-08 00:00 |                  | crp    | 3
2024-01-08 12:00 |                  | drug_a | 2
2024-01-08 13:00 |                  | crp    |
2024-01-08 18:00 | 2024-01-08 20:00 | oxygen |
"""


def reference(rules: str) -> dict[str, list[Verdicts]]:
    events = events_of(EVENTS, concepts())
    return dict(verdicts_of(Patient(load_text(rules, concepts()), facts_of({}), events, rows_of_rule)))


@pytest.mark.parametrize(
    ("row", "clause", "expected"),
    [
        (0, "after", Verdict(False, "out_of_window", 2.0)),
        (1, "after", Verdict(False, "unknown")),
        (0, "high", Verdict(False, "not_found")),
        (1, "high", Verdict(False, "wrong_value", 2.0)),
        (0, "both", Verdict(False, "wrong_value", None)),
        (0, "during", Verdict(False, "out_of_window", 76.0)),
        (1, "during", Verdict(True)),
        (0, "bound", Verdict(None, "unknown")),
        (0, "none", Verdict(False, "not_found")),
        (0, "followed", Verdict(False, "out_of_window", 2.0)),
        (0, "calm", Verdict(None, "out_of_window", 2.0)),
        (0, "strong", Verdict(False, "wrong_value", 8.0)),
        (0, "not_during", Verdict(True)),
        (1, "not_during", Verdict(False, "wrong_value", None)),
    ],
)
def test_a_verdict_has_a_reason_and_a_margin(row: int, clause: str, expected: Verdict):
    assert reference(RULES)["looking"][row][clause] == expected


@pytest.mark.parametrize(
    ("row", "side", "expected"),
    [
        (0, "before", Verdict(False, "out_of_window", 26.0)),
        (1, "before", Verdict(False, "not_found")),
        (2, "before", Verdict(True)),
        (0, "after", Verdict(False, "wrong_value", 0.0)),
        (3, "after", Verdict(False, "not_found")),
    ],
)
def test_a_side_of_a_pair_sees_its_own_analyte(row: int, side: str, expected: Verdict):
    assert reference(RULES)["pairing"][row][f"{side} of crp or ferritin"] == expected


def alike(a: Verdict | None, b: Verdict | None) -> bool:
    if a is None or b is None or (a.outcome, a.reason) != (b.outcome, b.reason):
        return False
    return a.margin == b.margin or (None not in (a.margin, b.margin) and math.isclose(a.margin, b.margin, abs_tol=1e-9))  # type: ignore[arg-type]


def test_the_engine_gives_the_same_verdicts():
    con = empty_study(PEOPLE)  # of its own: a run leaves its tables

    def each(study: Study) -> None:
        ruleset, people = load_text(study.rules, concepts()), people_of(study)
        if any(rule.checks or any(c.between or c.one_of or not c.nullable for c in rule.columns.values())
               for rule in ruleset.rules.values()):  # fmt: skip
            return  # a broken promise would stop the run
        fill(con, people)
        engine.run(con, ruleset, study.set)
        got: dict[tuple[str, str, int], Verdicts] = defaultdict(dict)
        for rule, patient, number, clause, outcome, *why in con.execute(
            "SELECT rule, patient_id, number, clause, outcome, reason, margin FROM meta.verdict"
        ).fetchall():
            got[rule, patient, number][clause] = Verdict({"true": True, "false": False}.get(outcome), *why)
        for facts, events in people:
            for rule, rows in verdicts_of(Patient(ruleset, facts, events, rows_of_rule, study.set)):
                for number, wanted in enumerate(rows, 1):
                    has = got[rule, facts["patient_id"], number]
                    wrong = {c: (wanted.get(c), has.get(c)) for c in wanted.keys() | has.keys()}
                    wrong = {c: pair for c, pair in wrong.items() if not alike(*pair)}
                    assert not wrong, f"{rule} {number}: (reference, SQL) {wrong}\n{study}"

    left = iter(range(max(1, CASES // 2_000)))
    checked(4000, lambda: next(left, None) is not None, each)

"""The shipped rules against the definitions written by hand, on random patients crowded around every boundary."""

import random
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

from tests import by_hand
from tests.on_engine import derive_by_sql, empty_study
from timeline.load import load

PATIENTS = 600
START = datetime(2024, 1, 10, 8)
STEPS = (0, 0, 0, 1, 2, 3, 6, 12, 12, 24, 24, 48, 72)
"""Hours from one event to the next: many at one instant, many a whole hold or gap apart."""

KINDS: dict[str, tuple[list[Any], list[str | None], list[str | None]]] = {
    # concept: values (a pair is a bound and its value), words, routes
    "documented_icans_grade": ([0, 1, 2, 3, 4, 5, 2.5, (">", 2), None], [None], [None]),
    "ice_score": ([10, 9, 7, 6, 3, 2, 0, 4.5, ("<", 3), (">=", 7), None], [None], [None]),
    "consciousness": ([None], ["alert", "awake", "voice", "tactile", "unarousable", "asleep"], [None]),
    "seizure": ([None], ["brief", "prolonged", "possible"], [None]),
    "motor_weakness": ([None], ["focal_deep", "mild"], [None]),
    "cerebral_edema": ([None], ["focal", "diffuse", "none"], [None]),
    "documented_crs_grade": ([0, 0, 1, 2, 3, 4, 1.5, ("<", 2), None], [None], [None]),
    "temperature": ([36.5, 37.9, 37.94, 37.95, 38.0, 39, 40, ("<", 38), (">", 37.9), (">=", 38), None], [None], [None]),
    "systolic_bp": ([80, 89.9, 90, 120, ("<", 90), None], [None], [None]),
    "mean_arterial_pressure": ([50, 64, 65, 80, ("<=", 65), None], [None], [None]),
    "norepinephrine": ([5, None, 0], [None], [None]),
    "epinephrine": ([5, None, 0], [None], [None]),
    "phenylephrine": ([5, None, 0], [None], [None]),
    "dopamine": ([5, None, 0], [None], [None]),
    "vasopressin": ([2, None, 0], [None], [None]),
    "oxygen_device": (
        [None, 2, 6, 6.5, 40, (">", 6), ("<", 6)],
        ["none", "nasal_cannula", "blow_by", "high_flow_cannula", "face_mask", "venturi", "cpap", "ventilator", "hood"],
        [None],
    ),
    "tocilizumab": ([600, None, 0], [None], [None]),
    "siltuximab": ([700, None, 0], [None], [None]),
    "anakinra": ([100, 200, None, 0, (">", 0)], [None], [None]),
    "dexamethasone": ([10, None, 0], [None], [None, "intravenous", "oral", "ophthalmic", "by hand"]),
    "methylprednisolone": ([1000, None, 0], [None], [None, "intravenous", "intrathecal"]),
    "crp": ([1, 50, 90, 0, ("<", 5), None], [None], [None]),
    "ferritin": ([500, 900, (">", 16500), None], [None], [None]),
    "neutrophils": ([0, 0.4, 0.5, 1.8, ("<", 0.5), None], [None], [None]),
    "platelets": ([20, 25, 150, None], [None], [None]),
    "death": ([None], ["infection"], [None]),
    "response_assessment": ([None], ["CR", "PR", "SD", "PD", "unknown"], [None]),
    "tisagenlecleucel": ([1], [None], [None]),
    "axicabtagene_ciloleucel": ([1], [None], [None]),
}
TOPICS = (
    ("documented_icans_grade", "ice_score", "consciousness", "seizure", "motor_weakness", "cerebral_edema",
     "dexamethasone"),
    ("documented_icans_grade", "ice_score", "dexamethasone", "methylprednisolone", "anakinra", "consciousness"),
    ("documented_crs_grade", "temperature", "systolic_bp", "mean_arterial_pressure", "norepinephrine", "epinephrine",
     "vasopressin", "oxygen_device", "tocilizumab", "siltuximab"),
    ("temperature", "oxygen_device", "norepinephrine", "dopamine", "phenylephrine", "dexamethasone", "anakinra",
     "documented_crs_grade"),
    ("documented_icans_grade", "documented_crs_grade", "anakinra", "temperature", "ice_score"),
    ("anakinra", "crp", "ferritin", "neutrophils", "platelets", "temperature", "documented_icans_grade"),
    ("response_assessment", "death", "crp", "tisagenlecleucel", "axicabtagene_ciloleucel", "anakinra"),
)  # fmt: skip
LASTING = ("oxygen_device", *by_hand.PRESSORS, "vasopressin")
LATER = ("neutrophils", "platelets", "response_assessment")


def one_event(rng: random.Random, concept: str, time: datetime) -> dict[str, Any]:
    values, words, routes = KINDS[concept]
    value = rng.choice(values)
    bound, value = value if isinstance(value, tuple) else (None, value)
    if concept in LATER and rng.random() < 0.5:
        time += timedelta(days=rng.choice((21, 22, 27, 28, 29, 32)))
    lasting = concept in LASTING and rng.random() < 0.6
    end = time + timedelta(hours=rng.choice((-1, 0, 1, 6, 12, 30))) if lasting else None
    return {
        "time": time, "end_time": end, "concept": concept, "value": None if value is None else float(value),
        "bound": bound, "text": rng.choice(words), "route": rng.choice(routes), "unit": None,
    }  # fmt: skip


def one_patient(rng: random.Random) -> list[dict[str, Any]]:
    topic, time, events = rng.choice(TOPICS), START, []
    for _ in range(rng.randint(1, 24)):
        events.append(one_event(rng, rng.choice(topic), time))
        time += timedelta(hours=rng.choice(STEPS), minutes=rng.choice((0, 0, 0, 0, 1)))
    if rng.random() < 0.9:
        product = rng.choice(("tisagenlecleucel", "axicabtagene_ciloleucel"))
        events.append(
            one_event(rng, product, START - timedelta(hours=1) if rng.random() < 0.8 else rng.choice(events)["time"])
        )
    return events


@cache
def cohort() -> dict[str, list[dict[str, Any]]]:
    rng = random.Random(2022)
    return {f"{number:04}": one_patient(rng) for number in range(PATIENTS)}


@cache
def derived() -> dict[str, dict[str, list[dict[str, Any]]]]:
    rules, people, number = load([]), [], 0
    for patient, events in cohort().items():
        rows = []
        for event in events:
            number += 1
            rows.append(event | {
                "event_id": number, "patient_id": patient, "code": event["concept"], "source_value": None,
                "source_unit": None, "source_file": "events.csv", "source_row": number, "date_only": False,
                "implausible": False,
            })  # fmt: skip
        people.append(({"patient_id": patient, "sex": None, "birth_date": None}, rows))
    with empty_study(cohort()) as con:
        return derive_by_sql(con, rules, people)


def of(rule: str, *columns: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        patient: [tuple(row[column] for column in columns) for row in tables[rule]]
        for patient, tables in derived().items()
    }


@pytest.mark.parametrize("rule", ["icans_grade", "crs_grade"])
def test_grades(rule: str) -> None:
    by_rule = of(rule, "time", "grade")
    for patient, events in cohort().items():
        assert by_rule[patient] == getattr(by_hand, f"{rule}s")(events), patient
    found = {grade for rows in by_rule.values() for _, grade in rows}
    assert {0, 1, 2, 3, 4} <= found


def test_refractory() -> None:
    columns = ("start_time", "steroid_time", "grade_at_steroid", "window_end", "best_grade", "status")
    by_rule = of("steroid_refractory", *columns)
    for patient, events in cohort().items():
        assert by_rule[patient] == by_hand.refractory(events), patient
    assert {row[-1] for rows in by_rule.values() for row in rows} == {
        "untreated", "indeterminate", "responsive", "refractory",
    }  # fmt: skip


def test_response() -> None:
    columns = ("start_time", "icans_before", "icans_after", "crs_before", "crs_after", "responded", "response_group")
    by_rule = of("anakinra_response", *columns)
    for patient, events in cohort().items():
        assert by_rule[patient] == by_hand.responses(events), patient
    assert {row[-1] for rows in by_rule.values() for row in rows} == {
        "grade 3-4 response", "grade 3-4 no response", "grade 1-2", None,
    }  # fmt: skip
    assert {row[-2] for rows in by_rule.values() for row in rows} == {True, False, None}


def test_pairs() -> None:
    starts = of("anakinra_window", "start_time")
    by_rule = of("lab_pair", "window_number", "analyte", "before_value", "after_value")
    complete = 0
    for patient, events in cohort().items():
        rows = [(starts[patient][window - 1][0], *rest) for window, *rest in by_rule[patient]]
        assert rows == by_hand.pairs(events), patient
        complete += sum(None not in row for row in rows)
    assert complete > 20


def test_outcome() -> None:
    by_rule = of("outcome", "death_time", "last_time", "os_days", "best_response")
    for patient, events in cohort().items():
        expected = by_hand.survival(events)
        assert by_rule[patient] == ([] if expected is None else [expected]), patient
    assert {row[-1] for rows in by_rule.values() for row in rows} == {"CR", "PR", "SD", "PD", None}

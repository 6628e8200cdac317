"""Scores of CAR-T therapy against the same in plain loops, on random patients, and what they find in the demo."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.by_hand import merged
from tests.on_engine import derive_by_sql, empty_study
from timeline import check, store
from timeline.compiler import compile_rules
from timeline.compiler import needed as needed_rules
from timeline.engine import observe
from timeline.folders import rule_folders
from timeline.load import load
from timeline.rules import RuleSet
from timeline.shipped import folder

FOLDER = folder("rules") / "car_t_scores"
SCORES = ("easix", "easix_at_infusion", "hematotox", "icaht", "t_icaht", "crp_auc", "refractory_crs", "iec_hs")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INFUSION = datetime(2024, 1, 10, 9)
Values = list[tuple[datetime, float]]
Patient = dict[str, Values]
"""Values by concept; a drug's are its doses."""


@cache
def ruleset() -> RuleSet:
    return load([FOLDER])


def test_folder_has_no_mistake() -> None:
    """Its examples are run with those of the other folders."""
    report = check.check([FOLDER], examples=False)
    assert sum("/car_t_scores/" in where for where in report.ruleset.examples) > 50


def test_folder_is_read_after_the_shipped_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = load(rule_folders(["car_t_scores"]))
    assert (found.name, found.index, found.replaced) == ("car_t_scores", "infusion", {})
    assert set(SCORES) <= set(found.rules) and set(load([]).rules) < set(found.rules)


def test_only_what_was_verified_is_in_force() -> None:
    """Every number of a source that was not read says so."""
    for name in ("hematotox_value", "icaht_count", "iec_hs_value"):
        rule = ruleset().rules[name]
        assert "unverified" in rule.source
        assert all(param.meaning.startswith("unverified") for param in rule.params.values()), name
    concepts = set(ruleset().concepts) - set(load([]).concepts)
    assert len(concepts) == 5 and not any(ruleset().concepts[name].codes for name in concepts)


# Random patients: values crowded around limits and times around the ends of windows.

LEVELS: dict[str, Sequence[float]] = {
    "neutrophils": (0.05, 0.1, 0.11, 0.5, 0.51, 1.0, 1.2, 1.5, 3),
    "platelets": (10, 19, 20, 49, 50, 74, 75, 99, 100, 175, 176, 300, 0),
    "hemoglobin": (8.9, 9, 12),
    "ferritin": (649, 650, 2000, 2001),
    "ldh": (0, 100, 400),
    "creatinine": (0, 0.5, 1, 2),
    "crp": (0, 10, 30, 31, 200),
    "anakinra": (100,),
    "cyclophosphamide": (900,),
}
TOPICS = (
    ("neutrophils",),
    ("platelets",),
    ("ldh", "ldh", "creatinine", "platelets", "crp"),
    ("crp", "crp", "crp", "anakinra"),
    ("platelets", "neutrophils", "hemoglobin", "ferritin", "crp", "cyclophosphamide"),
)
STEPS = {"neutrophils": (12, 24, 24, 48, 71, 71, 72), "platelets": (1, 24, 48, 71, 71, 72)}
WELL: dict[str, Sequence[float]] = {
    "platelets": (176, 300), "neutrophils": (1.2, 3), "hemoglobin": (9, 12), "ferritin": (100, 649, 650), "ldh": (100,),
    "creatinine": (1, 2), "crp": (10, 30), "anakinra": (100,), "cyclophosphamide": (900,),
}  # fmt: skip
"""Values without a point of CAR-HEMATOTOX, or hardly."""


def one_patient(rng: random.Random) -> Patient:
    topic, found = rng.choice(TOPICS), defaultdict(list)
    counts = len(topic) == 1
    time = INFUSION - (HOUR * rng.choice((0, 24, 72, 73)) if counts else DAY * rng.choice((0, 1, 7, 14)))
    low, stay, well = rng.random() < 0.6, rng.choice((0.8, 0.97, 1)), rng.random() < 0.4
    first, last = rng.choice(((0, 2), (0, 4), (2, 5), (3, 6), (6, 8)))
    for _ in range(rng.randint(10, 60) if counts else rng.randint(6, 30)):
        concept = rng.choice(topic)
        levels = LEVELS[concept]
        if counts:
            low = low if rng.random() < stay else not low
            high = WELL[concept][-1:] if well else levels[3:]
            levels = levels[first:last] if low else high
        elif well and rng.random() < 0.9:
            levels = WELL[concept]
        found[concept].append((time, float(rng.choice(levels))))
        time += HOUR * rng.choice(STEPS[concept] if counts else (0, 0, 0, 0, 1, 12, 24, 48))
        time += timedelta(minutes=rng.choice((0, 0, 0, 1)))
    if rng.random() < 0.1:
        found["death"].append((INFUSION + DAY * rng.choice((0, 5, 40)), 0.0))
    return found


@cache
def cohort() -> dict[str, Patient]:
    rng = random.Random(865)
    return {f"{number:03}": one_patient(rng) for number in range(400)}


@cache
def derived() -> dict[str, dict[str, list[dict[str, Any]]]]:
    people, number = [], 0
    for patient, values in cohort().items():
        rows = [("axicabtagene_ciloleucel", INFUSION, 1.0)]
        rows += [(concept, time, value) for concept, series in values.items() for time, value in series]
        events = []
        for concept, time, value in rows:
            number += 1
            events.append({
                "event_id": number, "patient_id": patient, "time": time, "end_time": None, "concept": concept,
                "value": value, "unit": None, "bound": None, "text": None, "route": None, "code": concept,
                "source_value": None, "source_unit": None, "source_file": "events.csv", "source_row": number,
                "date_only": False, "implausible": False,
            })  # fmt: skip
        people.append(({"patient_id": patient, "sex": None, "birth_date": None}, events))
    rules = needed_rules(ruleset(), {"easix_at_infusion", "hematotox", "icaht", "t_icaht", "crp_auc"})
    with empty_study(cohort()) as con:
        return derive_by_sql(con, rules, people)


def rows_of(rule: str, patient: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in derived()[patient][rule]]


def close(found: Sequence[Sequence[Any]], expected: Sequence[Sequence[Any]]) -> bool:
    """Whether rows agree, numbers to nine digits."""

    def same(a: Any, b: Any) -> bool:
        number = isinstance(a, int | float) and isinstance(b, int | float)
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) if number else a == b

    return [len(row) for row in found] == [len(row) for row in expected] and all(
        same(a, b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True)
    )


def folded(series: Values, worst: Callable[[list[float]], float]) -> Values:
    at: dict[datetime, list[float]] = defaultdict(list)
    for time, value in series:
        at[time].append(value)
    return [(time, worst(values)) for time, values in sorted(at.items())]


def held(counts: Values, start: datetime, end: datetime) -> list[tuple[float, float]]:
    """(value, elapsed days of [start, end]) of each count, held to the next one and at most 3 days."""
    found = []
    for place, (time, value) in enumerate(counts):
        until = time + 3 * DAY
        if place + 1 < len(counts):
            until = min(until, counts[place + 1][0])
        found.append((value, max(timedelta(0), min(until, end) - max(time, start)) / DAY))
    return found


def worst_of(low: float, very_low: float, never_above: bool) -> int:
    if very_low >= 14 or never_above:
        return 4
    if low >= 14 or very_low >= 7:
        return 3
    return 2 if low >= 7 else 1 if low > 0 else 0


def icaht(values: Patient) -> tuple[Any, ...]:
    """(known, low, very low days, early grade at least and at most, late grade)."""
    counts = folded(values.get("neutrophils", []), min)
    midnight = datetime.combine(INFUSION.date(), datetime.min.time()) + 31 * DAY
    death = min((time for time, _ in values.get("death", [])), default=midnight)
    end = max(INFUSION, min(midnight, death))
    stretches = held(counts, INFUSION, end)
    known, low, very_low = (
        round(sum(days for value, days in stretches if value <= limit), 6) for limit in (math.inf, 0.5, 0.1)
    )
    unknown = round(round((end - INFUSION) / DAY, 6) - known, 6)
    never_above = not any(value > 0.5 and days > 0 for value, days in stretches)
    least = worst_of(low, very_low, never_above and unknown == 0 and low > 0)
    most = worst_of(low + unknown, very_low + unknown, never_above and low + unknown > 0)
    late = [value for time, value in counts if time >= midnight]
    grade = max((g for g, x in ((0, 99), (1, 1.5), (2, 1.0), (3, 0.5), (4, 0.1)) if sum(v <= x for v in late) >= 2),
                default=None)  # fmt: skip
    return known, low, very_low, least, most, grade


def test_icaht() -> None:
    columns = ("known_days", "low_days", "very_low_days", "early_at_least", "early_at_most", "late_grade")
    seen, late = set(), set()
    for patient, values in cohort().items():
        found, expected = rows_of("icaht", patient, *columns), icaht(values)
        assert close(found, [expected]), (patient, found, expected)
        if expected[3] == expected[4]:
            seen.add(expected[3])
        late.add(expected[5])
    assert {1, 2, 3, 4} <= seen and {None, 0, 1, 2, 3, 4} <= late


def low_days(counts: Values, limit: float, start: datetime, end: datetime) -> float:
    """Elapsed days below `limit`, recoveries shorter than 3 days among them."""
    below = [value < limit for _, value in counts]
    for first in range(len(counts)):
        if not below[first] and first and below[first - 1]:
            later = next((place for place in range(first, len(counts)) if counts[place][1] < limit), None)
            if later is not None and counts[later][0] - counts[first][0] < 3 * DAY:
                below[first:later] = [True] * (later - first)
    return round(sum(days for low, (_, days) in zip(below, held(counts, start, end), strict=True) if low), 6)


def test_t_icaht() -> None:
    columns = ("early_50", "early_20", "early_at_least", "late_100", "late_50", "late_20", "late_at_least")
    seen, recovered = set(), 0
    for patient, values in cohort().items():
        counts = folded(values.get("platelets", []), min)
        midnight = datetime.combine(INFUSION.date(), datetime.min.time())
        death = min((time for time, _ in values.get("death", [])), default=datetime.max)
        early = max(INFUSION, min(midnight + 31 * DAY, death))
        late = max(early, min(midnight + 101 * DAY, death))
        e50, e20 = (low_days(counts, limit, INFUSION, early) for limit in (50, 20))
        l100, l50, l20 = (low_days(counts, limit, early, late) for limit in (100, 50, 20))
        e_grade = 4 if e20 >= 14 else 3 if e20 else 2 if e50 >= 7 else 1 if e50 else 0
        l_grade = 4 if l20 >= 14 else 3 if l20 else 2 if l50 else 1 if l100 else 0
        expected = (e50, e20, e_grade, l100, l50, l20, l_grade)
        assert close(rows_of("t_icaht", patient, *columns), [expected]), (patient, expected)
        seen |= {("early", e_grade), ("late", l_grade)}
        recovered += e50 > round(sum(days for value, days in held(counts, INFUSION, early) if value < 50), 6)
    assert seen == {(period, grade) for period in ("early", "late") for grade in range(5)} and recovered > 10


def nearest(series: Values, time: datetime) -> float | None:
    found = min(((abs(t - time), t, value) for t, value in series if abs(t - time) <= DAY), default=None)
    return found and found[2]


def scores(values: Patient) -> list[tuple[Any, ...]]:
    """(time, EASIX, s-EASIX, m-EASIX, log2 of EASIX) at each LDH."""
    highest = {name: folded(values.get(name, []), max) for name in ("ldh", "creatinine", "crp")}
    platelets, found = folded(values.get("platelets", []), min), []
    for time, ldh in highest["ldh"]:
        creatinine, crp = (nearest(highest[name], time) for name in ("creatinine", "crp"))
        below = nearest(platelets, time) or None
        easix = None if creatinine is None or below is None else ldh * creatinine / below
        modified = None if crp is None or below is None else ldh * (crp / 10) / below
        found.append((time, easix, below and ldh / below, modified, math.log2(easix) if easix else None))
    return found


def test_easix() -> None:
    together = 0
    for patient, values in cohort().items():
        expected = scores(values)
        assert close(rows_of("easix", patient, "time", "easix", "s_easix", "m_easix", "log2_easix"), expected), patient
        last = [easix for time, easix, *_ in expected if INFUSION - 7 * DAY <= time <= INFUSION and easix is not None]
        assert close(rows_of("easix_at_infusion", patient, "easix"), [(last[-1] if last else None,)]), patient
        together += sum(None not in row for row in expected)
    assert together > 50


POINTS: dict[str, tuple[Callable[[float], int], Callable[[list[float]], float]]] = {
    "platelets": (lambda v: 2 if v < 75 else 1 if v <= 175 else 0, min),
    "neutrophils": (lambda v: int(v < 1.2), min),
    "hemoglobin": (lambda v: int(v < 9), min),
    "crp": (lambda v: int(v > 30), max),
    "ferritin": (lambda v: 2 if v > 2000 else 1 if v >= 650 else 0, max),
}


def hematotox(values: Patient) -> tuple[int | None, str]:
    given = [t for t, _ in values.get("cyclophosphamide", []) if INFUSION - 14 * DAY <= t < INFUSION]
    base, points = min(given, default=INFUSION), []
    for name, (rated, worst) in POINTS.items():
        before = [value for time, value in folded(values.get(name, []), worst) if base - 7 * DAY <= time <= base]
        points.append(rated(before[-1]) if before else None)
    known = [p for p in points if p is not None]
    risk = "high" if sum(known) >= 2 else "unknown" if None in points else "low"
    return (None if None in points else sum(known)), risk


def test_hematotox() -> None:
    seen = set()
    for patient, values in cohort().items():
        expected = hematotox(values)
        assert rows_of("hematotox", patient, "score", "risk") == [expected], patient
        seen.add(expected)
    assert {risk for _, risk in seen} == {"high", "low", "unknown"}
    assert {(None, "high"), (0, "low")} <= seen or {(None, "high"), (1, "low")} <= seen


def area(values: Values) -> float | None:
    pieces = [(a + b) / 2 * ((u - t) / HOUR) for (t, a), (u, b) in zip(values, values[1:], strict=False)]
    return sum(pieces) if pieces else None


def test_crp_auc() -> None:
    seen = set()
    for patient, values in cohort().items():
        crp, expected = folded(values.get("crp", []), max), []
        for doses in merged([time for time, _ in values.get("anakinra", [])], 2 * DAY):
            before = [(t, v) for t, v in crp if doses[0] - 3 * DAY <= t <= doses[0]]
            after = [(t, v) for t, v in crp if doses[0] <= t <= doses[0] + 3 * DAY]
            expected.append((len(before), len(after), area(before), area(after)))
        columns = ("values_before", "values_after", "auc_before", "auc_after")
        assert close(rows_of("crp_auc", patient, *columns), expected), patient
        seen |= {(min(n, 2), m is None) for n, _, m, _ in expected}
    assert seen == {(0, True), (1, True), (2, False)}


def test_the_demo(demo_study: Path) -> None:
    """What the scores find in the demo's patients."""
    rules = compile_rules(ruleset())
    with store.connect(demo_study, read_only=True) as con:
        observe(con, rules)
        for rule in rules:
            con.execute(f'CREATE TEMP TABLE "{rule.name}" AS {rule.sql}')

        def counted(sql: str) -> dict[Any, int]:
            return dict(con.execute(f"{sql} GROUP BY ALL").fetchall())

        assert counted("SELECT early_grade, count(*) FROM temp.icaht") == {2: 1, 3: 8, None: 10}
        assert counted("SELECT late_grade, count(*) FROM temp.icaht") == {0: 2, None: 17}
        assert counted("SELECT early_grade, count(*) FROM temp.t_icaht") == {2: 1, 3: 4, 4: 1, None: 13}
        assert counted("SELECT m_easix IS NOT NULL, count(*) FROM temp.easix") == {True: 462, False: 1}
        assert counted("SELECT risk, count(*) FROM temp.hematotox") == {"high": 12, "low": 7}
        assert counted("SELECT flag, count(*) FROM temp.iec_hs") == {"review": 181, "not met": 32, "unknown": 135}
        assert counted("SELECT status, count(*) FROM temp.refractory_crs") == {"refractory": 7, "untreated": 14}
        assert counted("SELECT ratio < 1, count(*) FROM temp.crp_auc") == {True: 14, False: 2, None: 2}

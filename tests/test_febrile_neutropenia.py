"""Febrile neutropenia, rules only: against the guideline written by hand, on random patients and on real ones.

`TIMELINE_DATA` names the folder that holds `mimic_iv_demo_meds/`; without it the real patients are skipped.
"""

import math
import os
import random
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.on_engine import derive_by_sql, empty_study
from timeline import engine, store
from timeline.ingest import ingest
from timeline.load import load
from timeline.shipped import folder

FILE = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "mimic_iv_demo_meds" / "mimic_iv_demo_meds_events.parquet"
FOLDER = folder("rules") / "febrile_neutropenia"
HOUR = timedelta(hours=1)
Series = list[tuple[datetime, float]]
Episode = tuple[datetime, datetime, int, bool, datetime | None, datetime | None]


def folded(series: Series, worst: Any) -> list[tuple[datetime, float]]:
    at: dict[datetime, list[float]] = defaultdict(list)
    for time, value in series:
        at[time].append(value)
    return [(time, worst(values)) for time, values in sorted(at.items())]


def tenths(value: float) -> float:
    return math.floor(value * 10 + 0.5 + 1e-9) / 10


def fevers(temperatures: Series) -> list[datetime]:
    """Readings of 38.3, or of 38.0 that close an hour or more of them, charted at most 6 hours apart."""
    readings = [(time, tenths(value)) for time, value in folded(temperatures, max)]
    found = []
    for now, value in readings:
        before = [(t, v) for t, v in readings if t < now]
        lasting = any(
            v >= 38.0 and HOUR <= now - t <= 6 * HOUR and all(w >= 38.0 for u, w in before if u > t) for t, v in before
        )
        if value >= 38.3 or (value >= 38.0 and lasting):
            found.append(now)
    return found


def neutropenic(now: datetime, counts: Series) -> datetime | None:
    """The time of the neutropenic count that belongs to a fever, if there is one."""
    near = min(((abs(t - now), t, v) for t, v in counts if abs(t - now) <= 24 * HOUR), default=None)
    fall = min((t for t, v in counts if now < t <= now + 48 * HOUR and v < 0.5), default=None)
    if near is None or near[2] >= 1.0:
        return None
    return near[1] if near[2] < 0.5 else fall


def episodes(temperatures: Series, neutrophils: Series, doses: list[datetime]) -> list[Episode]:
    """(start, end, fevers, covered, first antibiotic, recovery) of each episode."""
    counts = folded(neutrophils, min)
    found = [(now, low) for now in fevers(temperatures) if (low := neutropenic(now, counts)) is not None]
    groups: list[list[tuple[datetime, datetime]]] = []
    for member in found:
        if groups and member[0] - groups[-1][-1][0] <= 48 * HOUR:
            groups[-1].append(member)
        else:
            groups.append([member])
    rows = []
    for group in groups:
        start, after = group[0][0], max(group[0][0], min(low for _, low in group))
        covered = any(start - 24 * HOUR <= dose < start for dose in doses)
        first = min((dose for dose in doses if start <= dose <= start + 24 * HOUR), default=None)
        recovery = min((t for t, v in counts if after < t <= start + 30 * 24 * HOUR and v >= 0.5), default=None)
        rows.append((start, group[-1][0], len(group), covered, first, recovery))
    return rows


COLUMNS = ("start_time", "end_time", "fevers", "covered", "antibiotic_time", "recovery_time")


def test_random_patients() -> None:
    rng, people, by_hand, number = random.Random(38), [], {}, 0
    for patient in (f"{n:03}" for n in range(300)):
        time, rows = datetime(2024, 1, 1, 8), []
        series: dict[str, Series] = {"temperature": [], "neutrophils": [], "cefepime": []}
        for _ in range(rng.randint(2, 40)):
            concept = rng.choice(("temperature", "temperature", "temperature", "neutrophils", "cefepime"))
            levels = (
                (37, 37.94, 37.95, 38, 38.1, 38.24, 38.25, 39) if concept == "temperature" else (0.2, 0.49, 0.5, 0.9, 1)
            )
            value, number = rng.choice(levels), number + 1
            series[concept].append((time, value))
            rows.append({
                "event_id": number, "patient_id": patient, "time": time, "end_time": None, "concept": concept,
                "value": float(value), "unit": None, "bound": None, "text": None, "route": None, "code": concept,
                "source_value": None, "source_unit": None, "source_file": "events.csv", "source_row": number,
                "date_only": False, "implausible": False,
            })  # fmt: skip
            time += timedelta(minutes=rng.choice((0, 0, 59, 60, 61, 120, 240, 360, 361, 720, 1440, 2880, 2881)))
        people.append(({"patient_id": patient, "sex": None, "birth_date": None}, rows))
        by_hand[patient] = episodes(series["temperature"], series["neutrophils"], [t for t, _ in series["cefepime"]])
    with empty_study(by_hand) as con:
        derived = derive_by_sql(con, load([FOLDER], shipped=False), people)
    by_rule = {
        p: [tuple(r[c] for c in COLUMNS) for r in tables["febrile_neutropenia"]] for p, tables in derived.items()
    }
    assert by_rule == by_hand
    found = [row for rows in by_hand.values() for row in rows]
    assert len(found) > 100 and {row[3] for row in found} == {True, False}
    assert {row[4] is None for row in found} == {row[5] is None for row in found} == {True, False}


def written(value: float) -> float:
    """The number that was written: the shortest decimal of a 4-byte float."""
    import numpy

    return float(str(numpy.float32(value)))


GIVEN = {
    "Administered", "Administered in Other Location", "Administered Bolus from IV Drip", "Delayed Administered",
    "Partial Administered", "Started", "Started in Other Location", "Delayed Started", "Restarted", "Confirmed",
    "Confirmed in Other Location", "Delayed Confirmed", "Rate Change",
}  # fmt: skip
DRUGS = {
    "CefePIME", "CefTAZidime", "Meropenem", "Piperacillin-Tazobactam", "Aztreonam", "Ciprofloxacin HCl",
    "Ciprofloxacin", "Levofloxacin", "Tobramycin", "Vancomycin", "Linezolid", "Daptomycin", "Clindamycin",
    "Amoxicillin-Clavulanic Acid",
}  # fmt: skip
ITEMS = {"225851", "225853", "225883", "225893", "225847", "225859", "225879", "225902", "225860"}
"""Infusions of the same drugs by item number (MIT-LCP/mimic-code, mimic-iv/mapping/inputevents_to_rxnorm.csv)."""


@pytest.mark.skipif(not FILE.is_file(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_meds")
def test_real_patients(tmp_path: Path) -> None:
    """The real set, cut to the codes that matter here so that reading it is quick; the engine knows none of them."""
    raw = pl.read_parquet(FILE).filter(
        pl.col("code").str.contains(r"^(LAB//(223761|223762|52075)//|MEDICATION//|INFUSION_START//)")
    )
    raw.write_parquet(tmp_path / "events.parquet")
    rules = load([FOLDER], shipped=False)
    with store.connect(":memory:") as con:
        ingest(
            con,
            [tmp_path / "events.parquet"],
            rules.concepts,
            mapping=folder("data") / "mappings" / "mimic_iv_demo_meds.yaml",
        )
        engine.run(con, rules)
        by_rule: dict[str, list[Any]] = defaultdict(list)
        for patient, *row in con.execute(
            f"SELECT patient_id, {', '.join(COLUMNS)} FROM febrile_neutropenia ORDER BY patient_id, number"
        ).fetchall():
            by_rule[patient].append(tuple(row))
        readings = con.execute("SELECT count(*) FROM fever_reading").fetchall()[0][0]
    temperatures, neutrophils, doses = defaultdict(list), defaultdict(list), defaultdict(list)
    for patient, time, code, value in raw.unique().select("subject_id", "time", "code", "value").rows():
        kind, item, *rest = code.split("//")
        if kind == "LAB" and value is not None:
            number = written(value)
            celsius = round((number - 32) * 5 / 9, 9) if item == "223761" else number
            if item == "52075":
                neutrophils[str(patient)].append((time, number))
            elif 25 <= celsius <= 45:
                temperatures[str(patient)].append((time, celsius))
        elif (kind == "MEDICATION" and item in DRUGS and rest[0] in GIVEN) or (
            kind == "INFUSION_START" and item in ITEMS
        ):
            doses[str(patient)].append(time)
    assert readings == sum(len(fevers(series)) for series in temperatures.values()) > 200
    expected = {
        patient: rows for patient, series in temperatures.items()
        if (rows := episodes(series, neutrophils[patient], doses[patient]))
    }  # fmt: skip
    assert dict(by_rule) == expected
    assert sum(len(rows) for rows in expected.values()) == 2

"""Wrong units: found where values of a known unit are mislabelled, and nowhere else; nothing is changed."""

import csv
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from timeline import demo, load, store, synth, units
from timeline.concepts import alternatives
from timeline.ingest import ingest
from timeline.wrong_units import SHOWN, Suspect, suspects

SHIPPED = load.load([], shipped=False).concepts
PEOPLE = {
    "temperature": (37.2, 0.015), "body_weight": (76, 0.2), "body_height": (171, 0.05), "spo2": (96, 0.02),
    "systolic_bp": (118, 0.15), "mean_arterial_pressure": (80, 0.14), "platelets": (170, 0.6), "neutrophils": (4, 0.7),
    "leukocytes": (7, 0.6), "hemoglobin": (10.2, 0.18), "creatinine": (1.0, 0.45), "bilirubin": (0.6, 0.6),
    "ldh": (280, 0.6), "triglycerides": (150, 0.5), "fibrinogen": (320, 0.4), "igg": (700, 0.5), "ferritin": (400, 1.0),
    "crp": (20, 1.2), "d_dimer_feu": (1500, 1.0), "alt": (30, 0.8), "neutrophils_percent": (62, 0.25),
}  # fmt: skip
"""Concept -> median of patients and spread (standard deviation of the logarithm), in the canonical unit."""
Row = tuple[str, datetime, str, float, str]


def values(concept: str, patients: int = 40, each: int = 5, seed: int = 1) -> list[tuple[str, datetime, float]]:
    """Values of many patients over days, in the canonical unit: a patient's own level, and a tenth around it."""
    chance = random.Random(f"{concept} {seed}")
    middle, spread = PEOPLE[concept]
    high = SHIPPED[concept].plausible[1] or float("inf")
    found = []
    for patient in range(patients):
        own = chance.lognormvariate(0, spread * 0.9)
        for day in range(each):
            value = middle * own * chance.lognormvariate(0, min(spread, 0.1) * 0.4)
            found.append((f"P{patient:03}", datetime(2024, 1, 1) + timedelta(days=day), min(value, high)))
    return found


def study(tmp_path: Path, **files: Sequence[Row]) -> duckdb.DuckDBPyConnection:
    extract = tmp_path / "extract"
    extract.mkdir()
    for name, rows in files.items():
        with (extract / f"events_{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("patient_id", "time", "code", "value", "unit"))
            writer.writerows((p, time, code, f"{value:.6g}", unit) for p, time, code, value, unit in rows)
    con = store.connect(":memory:")
    ingest(con, extract, SHIPPED)
    return con


def mislabelled(concept: str, true: str, label: str, seed: int = 1) -> list[Row]:
    """Values of `concept` as numbers of the unit `true`, labelled `label`."""
    canonical = SHIPPED[concept].units[0]
    factor, offset = alternatives(canonical, SHIPPED[concept].conversions, SHIPPED[concept].molar_mass)[true]
    return [(p, time, concept, (value - offset) / factor, label) for p, time, value in values(concept, seed=seed)]


def test_no_alarm_where_every_label_is_right(tmp_path):
    rows = [(p, time, name, value, SHIPPED[name].units[0]) for name in PEOPLE for p, time, value in values(name)]
    assert suspects(study(tmp_path, a=rows)) == ()


WRONG = (
    ("temperature", "[degF]", "Cel"),
    ("temperature", "Cel", "[degF]"),
    ("body_weight", "[lb_av]", "kg"),
    ("body_weight", "g", "kg"),
    ("body_height", "[in_i]", "cm"),
    ("body_height", "m", "cm"),
    ("body_height", "cm", "[in_i]"),
    ("spo2", "1", "%"),
    ("neutrophils_percent", "1", "%"),
    ("systolic_bp", "kPa", "mm[Hg]"),
    ("systolic_bp", "mm[Hg]", "kPa"),
    ("platelets", "/uL", "10*9/L"),
    ("platelets", "10*9/L", "/uL"),
    ("neutrophils", "/uL", "10*9/L"),
    ("leukocytes", "/uL", "10*9/L"),
    ("hemoglobin", "g/L", "g/dL"),
    ("hemoglobin", "mmol/L", "g/dL"),
    ("hemoglobin", "g/dL", "g/L"),
    ("creatinine", "umol/L", "mg/dL"),
    ("creatinine", "mg/dL", "umol/L"),
    ("bilirubin", "umol/L", "mg/dL"),
    ("ldh", "ukat/L", "U/L"),
    ("triglycerides", "mmol/L", "mg/dL"),
    ("fibrinogen", "g/L", "mg/dL"),
    ("igg", "g/L", "mg/dL"),
    ("d_dimer_feu", "ug/mL", "ng/mL"),
)
"""Concept, the unit in which its values are, and their label."""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory) -> dict[tuple[str, str, str], tuple[duckdb.DuckDBPyConnection, tuple[Suspect, ...]]]:
    """Each wrong label: a study that has it among others, no label of a concept twice, and what is found in it."""
    found, left = {}, list(WRONG)
    while left:
        once = list({(concept, label): (concept, true, label) for concept, true, label in left}.values())
        rows = [row for one in once for row in mislabelled(*one)]
        con = study(tmp_path_factory.mktemp("wrong"), a=rows)
        found |= dict.fromkeys(once, (con, suspects(con)))
        left = [one for one in left if one not in once]
    return found


@pytest.mark.parametrize(("concept", "true", "label"), WRONG)
def test_a_group_in_another_unit_is_found_with_its_factor(wrong, concept, true, label):
    con, all_found = wrong[concept, true, label]
    assert [one for one in all_found if not one.whole] == []
    (found,) = [one for one in all_found if (one.concept, one.source_unit) == (concept, label)]
    assert (found.code, found.source_file) == (concept, None)
    assert (found.rows, found.of_rows, found.patients) == (200, 200, 40)
    assert found.outside >= 0.5 and found.inside >= 0.8
    wanted = units.factor(true, SHIPPED[concept].units[0], SHIPPED[concept].molar_mass)
    labelled = units.factor(label, SHIPPED[concept].units[0], SHIPPED[concept].molar_mass)
    assert wanted is not None and labelled is not None
    assert found.factor == pytest.approx(wanted[0] / labelled[0], rel=2e-3)
    assert found.cause.endswith(f" labelled as {label}")
    read = true, found.cause.removesuffix(f" labelled as {label}")
    assert units.factor(*read) == (pytest.approx(1), pytest.approx(0)), "the unit itself, or another name of it"
    assert con.execute(f"SELECT count(*) FROM ({found.query})").fetchall() == [(200,)]


ILL = {
    "neutrophils": 0.1,  # after lymphodepletion
    "leukocytes": 0.3,
    "platelets": 18,
    "hemoglobin": 7.6,
    "creatinine": 7.5,  # on dialysis
    "bilirubin": 5,  # cirrhosis
    "alt": 2500,  # acute liver failure
    "ferritin": 30_000,  # macrophage activation
    "crp": 350,  # septic shock
    "igg": 150,  # without B cells
    "fibrinogen": 90,
    "ldh": 3000,
    "systolic_bp": 82,
    "spo2": 80,
}
"""Medians of wards where everyone is very ill."""


def test_no_alarm_where_all_patients_are_very_ill(tmp_path):
    rows = []
    for concept, middle in ILL.items():
        scale, high = middle / PEOPLE[concept][0], SHIPPED[concept].plausible[1] or float("inf")
        unit = SHIPPED[concept].units[0]
        rows += [(p, time, concept, min(value * scale, high), unit) for p, time, value in values(concept)]
    assert suspects(study(tmp_path, a=rows)) == ()


def test_what_value_alone_cannot_tell_is_not_said(tmp_path):
    """CRP in mg/dL labelled mg/L: both ranges are those of patients."""
    assert suspects(study(tmp_path, a=mislabelled("crp", "mg/dL", "mg/L"))) == ()


def test_a_power_of_ten_that_is_no_unit_is_named_as_a_factor(tmp_path):
    rows = [(p, time, "spo2", value * 10, "%") for p, time, value in values("spo2")]
    (found,) = [one for one in suspects(study(tmp_path, a=rows)) if one.whole]
    assert (found.cause, found.factor) == ("off by a factor of 10", pytest.approx(0.1))


def test_one_file_of_several_is_found(tmp_path):
    right = [
        (p, time, "hemoglobin", value, "g/dL") for seed in (1, 2) for p, time, value in values("hemoglobin", seed=seed)
    ]
    con = study(tmp_path, east=right, west=mislabelled("hemoglobin", "g/L", "g/dL", seed=3))
    (found,) = suspects(con)
    assert (found.source_file, found.rows, found.cause) == ("events_west.csv", 200, "g/L labelled as g/dL")
    assert con.execute(f"SELECT DISTINCT source_file FROM ({found.query})").fetchall() == [("events_west.csv",)]


def test_few_values_say_nothing(tmp_path):
    assert [one for one in suspects(study(tmp_path, a=mislabelled("igg", "g/L", "mg/dL")[:9])) if one.whole] == []


@pytest.mark.parametrize(
    ("concept", "true", "label"),
    [
        ("temperature", "[degF]", "Cel"),  # outside the plausible range
        ("hemoglobin", "g/L", "g/dL"),
        ("creatinine", "umol/L", "mg/dL"),
        ("body_weight", "[lb_av]", "kg"),  # plausible, but a jump of 2.2 and back
        ("ldh", "ukat/L", "U/L"),
    ],
)
def test_single_rows_in_another_unit_are_found(tmp_path, concept, true, label):
    """Every 25th value, so that the values around it are right."""
    right = [(p, time, concept, value, label) for p, time, value in values(concept)]
    wrong = mislabelled(concept, true, label)
    rows = [wrong[n] if n % 25 == 7 else row for n, row in enumerate(right)]
    con = study(tmp_path, a=rows)
    (found,) = suspects(con)
    assert (found.concept, found.whole, found.rows, found.patients, found.of_rows) == (concept, False, 8, 8, 200)
    assert found.cause == f"{true} labelled as {label}"
    shown = con.execute(found.query).fetchall()
    assert {(str(row[0]), row[1]) for row in shown} == {wrong[n][:2] for n in range(7, 200, 25)}


def test_a_level_that_changes_for_good_or_after_long_is_no_jump(tmp_path):
    """A child that grew, and a mother of twins: 2.2 times the weight, but not there and back within a month."""
    start = datetime(2024, 1, 1)
    grown = [
        ("P1", start + timedelta(days=400 * n), "body_weight", weight, "kg") for n, weight in enumerate((35, 77, 78))
    ]
    lasting = [
        ("P2", start + timedelta(days=n), "body_weight", weight, "kg") for n, weight in enumerate((50, 110, 111))
    ]
    assert suspects(study(tmp_path, a=[*grown, *lasting])) == ()


def test_artefacts_that_no_unit_explains_are_left_alone(tmp_path):
    """A pressure of 14 would be 105 in kPa, but the ones around it are 85."""
    start = datetime(2024, 1, 1)
    rows = [
        ("P1", start + timedelta(hours=n), "mean_arterial_pressure", value, "mm[Hg]")
        for n, value in enumerate([84, 86, 14, 85, 83, 301, 84, 86, 85, 84, 83])
    ]
    assert suspects(study(tmp_path, a=rows)) == ()


def test_nothing_is_changed_and_no_value_is_said(tmp_path):
    rows = [*mislabelled("temperature", "[degF]", "Cel"), ("P777", datetime(2024, 1, 1), "body_weight", 61.25, "kg")]
    con = study(tmp_path, a=rows)
    before = con.execute("SELECT * FROM event ORDER BY event_id").fetchall()
    (found,) = suspects(con)
    assert con.execute("SELECT * FROM event ORDER BY event_id").fetchall() == before
    assert str(found) == (
        "temperature, temperature: all 200 values (40 patients) may be [degF] labelled as Cel: 100% are outside the "
        f"typical range; times 0.555556 plus -17.7778, {found.inside:.0%} would be inside"
    )
    assert [name for name, *_ in con.execute(found.query).description or []] == [one.strip('"') for one in SHOWN]


def test_an_empty_study_and_one_without_rules_have_none(tmp_path):
    con = store.connect(":memory:")
    assert suspects(con) == ()


def test_a_decimal_point_amiss_is_not_taken_for_a_unit_of_nearly_that_factor(tmp_path):
    """4100 mg/L among values around 410 and 430: nmol/L by its factor of 0.105, or 410.0 without its point."""
    start = datetime(2024, 1, 1)
    rows = [("P1", start + timedelta(days=n), "crp", value, "mg/L") for n, value in enumerate((428, 4100, 431, 410))]
    assert suspects(study(tmp_path, a=rows)) == ()


@pytest.mark.parametrize(("patients", "seed"), [(100, 1), (100, 2), (200, 3)])
def test_sampled_cohorts_have_those_that_were_put_into_them_and_no_others(tmp_path, patients, seed):
    """A sampled patient repeats the dirt of the one that it is drawn from: 101.3 labelled Cel, and a CRP of 4100."""
    synth.synthesize(demo.cohort(), tmp_path / "extract", patients=patients, seed=seed)
    con = store.connect(":memory:")
    ingest(con, tmp_path / "extract", SHIPPED)
    (found,) = suspects(con)
    wrong = "code = 'temperature' AND source_unit = 'Cel' AND source_value = '101.3'"
    put = con.execute(f"SELECT event_id FROM meta.event WHERE {wrong} ORDER BY event_id").fetchall()
    assert con.execute(f"SELECT event_id FROM ({found.query}) ORDER BY event_id").fetchall() == put and put


def test_the_demo_cohort_has_the_one_that_was_put_into_it(tmp_path):
    """Among its dirt is a temperature of 101.3 labelled Cel; all else is right, and nothing else is said."""
    synth.synthesize(demo.cohort(), tmp_path / "extract", seed=demo.SEED)
    con = store.connect(":memory:")
    ingest(con, tmp_path / "extract", SHIPPED)
    (found,) = suspects(con)
    assert (found.concept, found.cause, found.rows) == ("temperature", "[degF] labelled as Cel", 1)
    assert con.execute(f"SELECT source_value FROM ({found.query})").fetchall() == [("101.3",)]

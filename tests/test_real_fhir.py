"""FHIR that others wrote: Synthea's bundles, counted without the engine, and patients that came as CSV and as FHIR.

`TIMELINE_DATA` names the folder that holds `synthea_fhir/`; without it those tests are skipped.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from timeline import engine, ingest, store
from timeline.load import load
from timeline.shipped import folder

SYNTHEA = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "synthea_fhir"
MAPPINGS = folder("data") / "mappings"
needs_synthea = pytest.mark.skipif(
    not SYNTHEA.is_dir(), reason="TIMELINE_DATA does not name a folder with synthea_fhir"
)
EVENTS = {
    "Encounter", "Condition", "Observation", "Procedure", "Immunization", "MedicationRequest",
    "MedicationAdministration",
}  # fmt: skip


@pytest.fixture(scope="module")
def bundles() -> list[list[dict[str, Any]]]:
    return [
        [entry["resource"] for entry in json.loads(path.read_text("utf-8"))["entry"]]
        for path in sorted(SYNTHEA.glob("*.json"))
    ]


@pytest.fixture(scope="module")
def synthea():
    con = store.connect(":memory:")
    report = ingest.ingest(con, SYNTHEA, load([], shipped=False).concepts, timezone="UTC")
    yield con, report
    con.close()


@needs_synthea
def test_every_resource_is_accounted_for(synthea, bundles):
    con, report = synthea
    types = Counter(one["resourceType"] for resources in bundles for one in resources)
    components = sum(len(one.get("component", [])) for resources in bundles for one in resources)
    expected = sum(types[name] for name in EVENTS) + components
    assert (len(bundles), sum(types.values())) == (4, 369)
    assert report.events == expected == con.execute("SELECT count(*) FROM event").fetchall()[0][0]
    assert sum(one.rows_read for one in report.sources) == expected + 4
    assert all(one.reconciles and not one.rows_rejected and not one.rows_duplicate for one in report.sources)
    others = {name: n for name, n in types.items() if name not in EVENTS | {"Patient"}}
    (sentence,) = [one for one in report.warnings if one.startswith("resources not read")]
    assert all(f"{name} ({n}" in sentence for name, n in others.items())


@needs_synthea
def test_each_event_leads_back_to_its_entry(synthea, bundles):
    con, _ = synthea
    files = sorted(path.name for path in SYNTHEA.glob("*.json"))
    rows = con.execute("SELECT source_file, source_row, code, CAST(patient_id AS VARCHAR) FROM event").fetchall()
    for file, row, code, patient in rows:
        name, _, part = file.partition("#")
        resources = bundles[files.index(name)]
        resource = resources[row - 1]
        assert resource["resourceType"] in EVENTS
        coded = resource["component"][int(part[10:-1]) - 1] if part else resource
        concept = next((coded[key] for key in ("code", "vaccineCode", "medicationCodeableConcept") if key in coded), {})
        codes = {one["code"] for one in concept.get("coding", [resource.get("class")])}
        assert code.rpartition("/")[2] in codes
        (person,) = [one["id"] for one in resources if one["resourceType"] == "Patient"]
        assert patient == person


@needs_synthea
def test_values_are_those_of_the_bundles(synthea, bundles):
    con, _ = synthea
    expected = Counter(
        (one["code"]["coding"][0]["code"], round(one["valueQuantity"]["value"], 9))
        for resources in bundles
        for whole in resources
        for one in (whole, *whole.get("component", []))
        if whole["resourceType"] == "Observation" and "valueQuantity" in one
    )
    found = con.execute("SELECT code, value FROM event WHERE code LIKE 'LOINC/%' AND value IS NOT NULL").fetchall()
    assert Counter((code[6:], round(value, 9)) for code, value in found) == expected
    sex = con.execute("SELECT CAST(patient_id AS VARCHAR), sex, CAST(birth_date AS VARCHAR) FROM patient").fetchall()
    assert set(sex) == {
        (one["id"], {"female": "F", "male": "M"}[one["gender"]], one["birthDate"])
        for resources in bundles
        for one in resources
        if one["resourceType"] == "Patient"
    }


# The same patients, written twice by clinosim.
SECONDS_LATE = {"8310-5": 30, "9279-1": 60, "2708-6": 5}
"""LOINC code: after the round that the CSV dates."""
ONLY_IN_CSV = {
    "infection": "a row for each antibiotic tried on what grew; in FHIR one for each culture",
    "vancomycin": "5,421 administrations in CSV, 5,192 in FHIR",
    "meropenem": "as vancomycin",
    "piperacillin_tazobactam": "as vancomycin",
}
ONLY_IN_FHIR = {
    "death": "in CSV without a time",
    "body_weight": "in CSV without a time",
    "body_height": "in CSV without a time",
    "septic_shock_diagnosis": "in CSV without a time",
}
DIFFERENT = {*ONLY_IN_CSV, *ONLY_IN_FHIR}
TABLES_APART = {
    "outcome": "it ends with the last event of any kind, or the death, and FHIR has more of both",
    "antibiotic_dose": "doses are words in CSV, and not all of them are in FHIR",
    "antipseudomonal_dose": "as antibiotic_dose",
    "febrile_neutropenia": "it reads antibiotics and deaths",
}


@pytest.fixture(scope="module")
def extracts(tmp_path_factory) -> Path:
    """25 patients with sepsis, as CSV and as FHIR; seed 5."""
    out = tmp_path_factory.mktemp("clinosim")
    words = ["test-disease", "sepsis", "--severity", "severe", "-n", "25", "-s", "5", "--format", "csv", "fhir-r4"]
    tool = Path(sys.executable).with_name("clinosim")
    subprocess.run([tool, *words, "-o", out], check=True, capture_output=True)
    _as_dated_in_csv(out / "fhir_r4" / "Observation.ndjson")
    return out


def _as_dated_in_csv(path: Path) -> None:
    """Date Observations as the CSV does: laboratory at the result, a round of vital signs at one instant.

    FHIR has the time of the sample besides, and lets the devices of one round speak some seconds apart.
    """
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for one in rows:
        if one["category"][0]["coding"][0]["code"] == "laboratory" and "issued" in one:
            assert one["effectiveDateTime"][:10] <= one["issued"][:10]
            one["effectiveDateTime"] = one["issued"]
        elif late := SECONDS_LATE.get(one["code"]["coding"][0]["code"]):
            at = datetime.fromisoformat(one["effectiveDateTime"]) - timedelta(seconds=late)
            one["effectiveDateTime"] = at.isoformat()
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))


@pytest.fixture(scope="module")
def names(extracts) -> dict[str, str]:
    """The patient's id in FHIR -> that in the CSV."""
    patients = [json.loads(line) for line in (extracts / "fhir_r4" / "Patient.ndjson").read_text().splitlines()]
    return {one["id"]: one["identifier"][0]["value"] for one in patients}


@pytest.fixture(scope="module")
def both(extracts, names, tmp_path_factory):
    """The two studies, run. Both are given what the shipped rules begin with, and counts of neutrophils."""
    rules = load([folder("rules") / "febrile_neutropenia"])
    studies = {}
    for form, mapping in (("csv", "clinosim_csv.yaml"), ("fhir_r4", "clinosim_fhir.yaml")):
        con = store.connect(":memory:")
        ingest.ingest(con, extracts / form, rules.concepts, mapping=MAPPINGS / mapping, timezone="UTC")
        added = tmp_path_factory.mktemp(form) / "events.csv"
        ids = {csv: (csv if form == "csv" else fhir) for fhir, csv in names.items()}
        added.write_text(
            "patient_id,time,code,value,unit\n"
            + "".join(f"{ids[one]},2024-06-15,axicabtagene_ciloleucel,1,\n" for one in sorted(ids))
            + "".join(
                f"{ids[one]},2024-06-16 06:00,neutrophils,0.{n % 9 + 1},10*9/L\n" for n, one in enumerate(sorted(ids))
            )
        )
        ingest.ingest(con, added, rules.concepts)
        engine.run(con, rules)
        studies[form] = con
    yield studies["csv"], studies["fhir_r4"]
    for con in studies.values():
        con.close()


def counted(con) -> dict[str, int]:
    return dict(con.execute("SELECT concept, count(*) FROM event WHERE concept IS NOT NULL GROUP BY ALL").fetchall())


@pytest.mark.slow
def test_csv_and_fhir_have_the_same_events(both):
    csv, fhir = (counted(con) for con in both)
    assert {name for name in csv if csv[name] != fhir.get(name)} == set(ONLY_IN_CSV)
    assert {name for name in fhir if fhir[name] != csv.get(name)} - set(ONLY_IN_CSV) == set(ONLY_IN_FHIR)
    assert [fhir[name] for name in ("temperature", "crp", "leukocytes")] == [3613, 341, 346]
    assert len(set(csv) - DIFFERENT) >= 18


@pytest.mark.slow
def test_csv_and_fhir_have_the_same_values(both, names):
    listed = ", ".join(f"'{name}'" for name in sorted(DIFFERENT))
    query = f"""SELECT CAST(patient_id AS VARCHAR) AS patient_id, time, concept, value, unit,
            CASE WHEN concept IN ('consciousness') THEN text END AS text
        FROM event WHERE concept NOT IN ({listed}) ORDER BY ALL"""
    csv, fhir = (con.execute(query).fetchall() for con in both)
    assert len(csv) > 30_000
    assert Counter(csv) == Counter((names[patient], *rest) for patient, *rest in fhir)


@pytest.mark.slow
def test_csv_and_fhir_derive_the_same_tables(both, names):
    csv, fhir = both
    compared = {}
    tables = engine.derived_tables(csv)
    assert tables == engine.derived_tables(fhir)
    for table in tables:
        query = f'SELECT CAST(patient_id AS VARCHAR), * EXCLUDE (patient_id, evidence) FROM "{table}"'
        left, right = (con.execute(query).fetchall() for con in both)
        if table not in TABLES_APART:
            assert Counter(map(repr, left)) == Counter(repr((names[one], *rest)) for one, *rest in right), table
            compared[table] = len(left)
    filled = {table for table, n in compared.items() if n}
    assert {"crs_grade", "crs_episode", "cytopenia", "fever_with_count", "temperature_course", "cohort"} <= filled

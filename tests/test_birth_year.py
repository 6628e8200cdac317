"""A year of birth whose day nobody knows: kept from OMOP and FHIR, and written again; never made a date."""

from pathlib import Path

import polars as pl
import pytest

from timeline import Study

PERSON = """person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_concept_id,ethnicity_concept_id
1,8507,1960,,,0,0
2,8532,1971,3,,0,0
3,8532,1950,12,31,0,0
"""
BORN = [("1", None, 1960), ("2", None, 1971), ("3", "1950-12-31", 1950)]
RULES = """
ruleset: {name: small, version: "1"}
seen: {episodes: hospitalization, gap: 48h}
"""
VISITS = """visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date
5,1,9201,2024-01-01,2024-01-02
"""
ASKED = "SELECT CAST(patient_id AS VARCHAR), CAST(birth_date AS VARCHAR), birth_year FROM patient ORDER BY patient_id"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    files = {"extract/person.csv": PERSON, "extract/visit_occurrence.csv": VISITS, "rules/rules.yaml": RULES}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    made = Study.open(tmp_path / "study.duckdb")
    made.ingest(tmp_path / "extract")
    made.run(tmp_path / "rules", only=True)
    return made


def test_omop_to_omop_keeps_the_year_and_makes_no_day(study: Study, tmp_path: Path) -> None:
    assert study.sql(ASKED).rows() == BORN
    report = study.export(tmp_path / "out", form="omop")
    person = pl.read_csv(tmp_path / "out" / "person.csv")
    shown = person.select("person_id", "year_of_birth", "month_of_birth", "day_of_birth").sort("person_id").rows()
    assert shown == [(1, 1960, None, None), (2, 1971, None, None), (3, 1950, 12, 31)]
    assert not any("without a year of birth" in note for note in report.notes)
    (tmp_path / "again").mkdir()
    (tmp_path / "out" / "person.csv").rename(tmp_path / "again" / "person.csv")
    again = Study.open(tmp_path / "again.duckdb")
    again.ingest(tmp_path / "again", format="omop")
    assert again.sql(ASKED).rows() == BORN


def test_fhir_keeps_the_year_of_a_partial_date(tmp_path: Path) -> None:
    lines = [
        f'{{"resourceType": "Patient", "id": "{n}"{more}}}'
        for n, more in (("1", ', "birthDate": "1960"'), ("2", ', "birthDate": "1971-03"'), ("3", ""))
    ]
    (tmp_path / "Patient.ndjson").write_text("\n".join(lines), encoding="utf-8")
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "Patient.ndjson")
    assert study.sql(ASKED).rows() == [("1", None, 1960), ("2", None, 1971), ("3", None, None)]

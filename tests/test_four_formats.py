"""The same synthetic patients as native, OMOP, MEDS and FHIR: the same events, and of them the same derived tables."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from timeline import Study
from timeline.demo import cohort
from timeline.errors import UsageError
from timeline.synth import FORMATS, synthesize

OTHERS = [form for form in FORMATS if form != "native"]
SHOWN = "patient_id, time, end_time, concept, value, unit, bound, text, route, date_only, implausible"
UNITS = "('[drp]', 'U/min', '[USP''U]', 'unit', 'U')"
LOST = f"(route IS NULL AND end_time > time) OR (route IS NOT NULL AND coalesce(unit IN {UNITS}, FALSE))"
LOSSES = {
    # A drug exposure must have an end: one that nobody wrote is its first day, which no rule takes for an end.
    # A device exposure has no column for a number. What is given in a unit that is no mass comes back as words.
    "omop": f"""SELECT * REPLACE (
            CASE WHEN end_time > time THEN end_time END AS end_time,
            CASE WHEN NOT coalesce({LOST}, FALSE) THEN value END AS value,
            CASE WHEN NOT coalesce({LOST}, FALSE) THEN unit END AS unit,
            CASE WHEN NOT (route IS NOT NULL AND regexp_full_match(text, '[0-9.]+ (U/min|unit|.drp.)'))
                THEN text END AS text) FROM asked""",
    "meds": "FROM asked",
    "fhir": "FROM asked",
}
"""What a format cannot say, taken from both sides; all else must be the same."""


def written(folder: Path, patients: int | None) -> dict[str, Study]:
    """One study a format, each ingested as a user would."""
    studies = {}
    for form in FORMATS:
        synthesize(cohort(), folder / form, patients=patients, seed=1, form=form)
        mapping = folder / form / "mapping.yaml"
        study = Study.open(folder / f"{form}.duckdb")
        report = study.ingest(folder / form, mapping=mapping if mapping.exists() else None, timezone="UTC")
        assert all(one.reconciles for one in report.sources) and not report.lost
        studies[form] = study
    return studies


def test_the_meds_extract_conforms_to_the_standard(studies) -> None:
    import pyarrow.parquet as pq
    from meds import CodeMetadataSchema, DataSchema

    folder = studies["meds"].path.parent / "meds"
    DataSchema.validate(pq.read_table(folder / "data" / "0.parquet"))
    CodeMetadataSchema.validate(pq.read_table(folder / "metadata" / "codes.parquet"))
    rows = pl.read_parquet(folder / "data" / "0.parquet")
    assert rows.equals(rows.sort("subject_id", "time", nulls_last=False, maintain_order=True))


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    return written(tmp_path_factory.mktemp("formats"), None)


def names(study: Study, form: str) -> pl.DataFrame:
    """patient_id -> the id that the cohort gives: OMOP and MEDS know patients by numbers, in the cohort's order."""
    ids = study.table("patient")["patient_id"].cast(pl.String)
    if form in ("native", "fhir"):
        return pl.DataFrame({"patient_id": ids, "name": ids})
    width = 2 if len(ids) < 100 else 6
    return pl.DataFrame({"patient_id": ids, "name": [f"SYN-{int(one):0{width}d}" for one in ids]})


def named(study: Study, form: str, frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(pl.col("patient_id").cast(pl.String))
    joined = frame.join(names(study, form), on="patient_id", how="left")
    return joined.with_columns(patient_id="name").drop("name")


@pytest.mark.parametrize("form", OTHERS)
def test_every_event_is_the_same_but_for_what_a_format_cannot_say(studies: dict[str, Study], form: str) -> None:
    sides = []
    for one in ("native", form):
        asked = f"SELECT {SHOWN} FROM event"
        rows = studies[one].sql(f"WITH asked AS ({asked}) {LOSSES[form]}")
        rows = named(studies[one], one, rows)
        sides.append(rows.sort(rows.columns))
    here, there = sides
    assert here.height == there.height == 13_291
    for column in here.columns:
        differs = here.filter(here[column].ne_missing(there[column]))
        assert differs.is_empty(), f"{column}: {differs}"


def test_as_many_events_of_each_concept_and_as_many_duplicates_in_every_format(studies: dict[str, Study]) -> None:
    counts = {form: study.sql("SELECT concept, count(*) FROM event GROUP BY ALL ORDER BY ALL").rows()
              for form, study in studies.items()}  # fmt: skip
    assert len(counts["native"]) > 50
    assert all(found == counts["native"] for found in counts.values())
    folded = {form: study.sql("SELECT sum(rows_duplicate) FROM meta.source").item() for form, study in studies.items()}
    assert folded == dict.fromkeys(FORMATS, 222)


def test_rows_that_nobody_can_use_are_rejected_in_every_format(studies: dict[str, Study]) -> None:
    reasons = {
        form: sorted(study.sql("SELECT reason FROM meta.rejected")["reason"].to_list())
        for form, study in studies.items()
    }
    assert len(reasons["native"]) == 6
    assert reasons["omop"] == reasons["fhir"] == reasons["native"]
    # MEDS: a row of nobody cannot be written, and a time that is none is no time.
    assert sum("time cannot be read" in one for one in reasons["native"]) == 2
    assert len(reasons["meds"]) == 5
    assert sum("time is empty" in one for one in reasons["meds"]) == 3


def test_sex_and_birth_are_the_same_in_every_format(studies: dict[str, Study]) -> None:
    """In the source the sex is F, 8532, SEX//F and `female`: here it is F."""
    tables = {form: named(study, form, study.table("patient")).sort("patient_id") for form, study in studies.items()}
    assert set(tables["native"]["sex"].drop_nulls()) == {"F", "M"}
    assert all(table.equals(tables["native"]) for table in tables.values())


def test_every_format_says_that_it_is_synthetic(studies: dict[str, Study]) -> None:
    for study in studies.values():
        assert study.sql("SELECT value FROM meta.study WHERE name = 'synthetic'").item() == "true"


def test_a_folder_of_one_format_is_not_written_over_in_another(tmp_path: Path) -> None:
    synthesize(cohort(), tmp_path / "made", form="meds")
    with pytest.raises(UsageError, match="another format than omop"):
        synthesize(cohort(), tmp_path / "made", form="omop")
    with pytest.raises(UsageError, match="there is no format `hl7`"):
        synthesize(cohort(), tmp_path / "made", form="hl7")
    before = sorted(one.name for one in (tmp_path / "made").rglob("*"))
    synthesize(cohort(), tmp_path / "made", form="meds")
    assert sorted(one.name for one in (tmp_path / "made").rglob("*")) == before


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_seed_gives_the_same_content_in_every_format(tmp_path: Path, form: str) -> None:
    for name in ("a", "b"):
        synthesize(cohort(), tmp_path / name, patients=3, seed=2, form=form)
    files = sorted(one.relative_to(tmp_path / "a") for one in (tmp_path / "a").rglob("*") if one.is_file())
    assert files
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_the_omop_tables_have_the_columns_of_the_model_and_what_must_be_filled(studies, tmp_path: Path) -> None:
    from timeline import cdm

    folder = studies["omop"].path.parent / "omop"
    for table in sorted(one.stem for one in folder.glob("*.csv")):
        frame = pl.read_csv(folder / f"{table}.csv", infer_schema=False)
        assert frame.columns == [field.name for field in cdm.TABLES[table]]
        clean = frame.filter(pl.col("person_id").is_not_null())
        needed = [f.name for f in cdm.TABLES[table] if not f.nullable and not f.name.endswith("_date")]
        assert all(clean[name].null_count() == 0 for name in needed)
        ids = frame.filter(pl.col(frame.columns[0]).is_not_null())
        # A row that is written twice is the same record, in all its columns.
        assert ids.unique().height == ids[frame.columns[0]].n_unique()


def derived(study: Study, form: str, table: str) -> pl.DataFrame:
    """All columns but evidence; without `number` where rows of a patient share a time: their ids decide its order."""
    frame = named(study, form, study.table(table)).drop("evidence", strict=False)
    place = [name for name in ("patient_id", "time", "start_time") if name in frame.columns]
    if "number" in frame.columns and "time" in place and frame.select(place).is_duplicated().any():
        frame = frame.drop("number")
    return frame.sort(frame.columns)


def check_derived(studies: dict[str, Study]) -> None:
    for study in studies.values():
        study.run()
    rules = studies["native"].sql("SELECT rule FROM meta.rule ORDER BY rule")["rule"].to_list()
    assert len(rules) >= 28
    for rule in rules:
        expected = derived(studies["native"], "native", rule)
        for form in OTHERS:
            # Numbers of MEDS are floats of 32 bits: seven digits.
            digits: dict[str, Any] = {"rel_tol": 1e-6, "abs_tol": 1e-6} if form == "meds" else {"check_exact": True}
            assert_frame_equal(derived(studies[form], form, rule), expected, **digits)


@pytest.mark.slow
def test_every_derived_table_is_the_same_from_every_format(studies: dict[str, Study]) -> None:
    check_derived(studies)


@pytest.mark.slow
def test_so_are_those_of_two_hundred_patients(tmp_path: Path) -> None:
    made = written(tmp_path, 200)
    check_derived(made)
    assert made["native"].sql("SELECT count(*) FROM crs_episode").item() > 100

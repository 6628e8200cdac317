"""The MIMIC-IV demo set through its mapping: every row accounted for, counts equal to those made without the engine.

`TIMELINE_DATA` names the folder that holds `mimic_iv_demo_meds/`; without it these tests are skipped.
"""

import os
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from timeline import engine, published, query, report, store
from timeline.ingest import ingest
from timeline.load import load
from timeline.report import checklist
from timeline.shipped import folder

FILE = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "mimic_iv_demo_meds" / "mimic_iv_demo_meds_events.parquet"
MAPPING = folder("data") / "mappings" / "mimic_iv_demo_meds.yaml"
pytestmark = [
    pytest.mark.skipif(not FILE.is_file(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_meds"),
    pytest.mark.xdist_group("real_meds"),
]

GIVEN = {
    "Administered", "Administered in Other Location", "Administered Bolus from IV Drip", "Delayed Administered",
    "Partial Administered", "Started", "Started in Other Location", "Delayed Started", "Restarted", "Confirmed",
    "Confirmed in Other Location", "Delayed Confirmed", "Rate Change",
}  # fmt: skip
SYSTEMIC = {
    "Dexamethasone": "dexamethasone", "MethylPREDNISolone Sodium Succ": "methylprednisolone",
    "Methylprednisolone": "methylprednisolone", "PredniSONE": "prednisone",
}  # fmt: skip
LABS = {
    "platelets": ("LAB//51265//K/uL", 2827), "neutrophils": ("LAB//52075//K/uL", 569), "crp": ("LAB//50889//mg/L", 44),
    "ferritin": ("LAB//50924//ng/mL", 76), "ldh": ("LAB//50954//IU/L", 663), "leukocytes": ("LAB//51301//K/uL", 2760),
    "hemoglobin": ("LAB//51222//g/dL", 2787), "creatinine": ("LAB//50912//mg/dL", 2999),
}  # fmt: skip


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    return pl.read_parquet(FILE)


@pytest.fixture(scope="module")
def rows(raw: pl.DataFrame) -> pl.DataFrame:
    """The distinct rows: what ought to be left after folding."""
    return raw.unique()


@pytest.fixture(scope="module")
def study():
    con = store.connect(":memory:")
    report = ingest(con, [FILE], load([], shipped=False).concepts, mapping=MAPPING)
    yield con, report
    con.close()


@pytest.fixture(scope="module")
def con(study):
    return study[0]


@pytest.fixture(scope="module")
def run(con):
    """The shipped rules, run on the set."""
    return engine.run(con, load([]))


def number(value: float) -> float:
    """The number that was written: the shortest decimal of a 4-byte float."""
    import numpy

    return float(str(numpy.float32(value)))


def values(rows: pl.DataFrame, code: str) -> list[float]:
    return sorted(number(v) for v in rows.filter(pl.col("code") == code)["value"].to_list() if v is not None)


def test_every_row_is_accounted_for(con, raw, rows):
    assert (raw.height, raw.height - rows.height) == (916_166, 82_516)
    counts = con.execute("SELECT rows_read, rows_loaded, rows_duplicate, rows_rejected FROM meta.source").fetchall()
    assert counts == [(916_166, rows.height, 82_516, 0)]
    facts = rows.filter(pl.col("code").str.contains("^(GENDER//|MEDS_BIRTH$)")).height
    assert con.execute("SELECT count(*) FROM event").fetchone() == (rows.height - facts,)


def test_patients_have_their_sex_and_birth(con, rows):
    told = con.execute("SELECT CAST(patient_id AS VARCHAR), sex, birth_date FROM patient").fetchall()
    sex = {
        s: c[8:] for s, c in rows.filter(pl.col("code").str.starts_with("GENDER//")).select("subject_id", "code").rows()
    }
    birth = dict(rows.filter(pl.col("code") == "MEDS_BIRTH").select("subject_id", "time").rows())
    assert {(int(p), s, b) for p, s, b in told} == {(p, sex[p], birth[p].date()) for p in sex}
    assert Counter(sex.values()) == {"F": 43, "M": 57}


@pytest.mark.parametrize("concept", LABS)
def test_laboratory_values_are_those_of_the_file(con, raw, rows, concept):
    code, count = LABS[concept]
    assert raw.filter(pl.col("code") == code).height == count
    found = con.execute("SELECT value FROM event WHERE concept = ?", [concept]).fetchall()
    assert len(found) == rows.filter(pl.col("code") == code).height
    assert sorted(v for (v,) in found if v is not None) == values(rows, code)


def test_temperatures_of_both_units_are_in_celsius(con, raw, rows):
    fahrenheit, celsius = "LAB//223761//°F", "LAB//223762//°C"
    assert [raw.filter(pl.col("code") == code).height for code in (fahrenheit, celsius)] == [3379, 391]
    expected = sorted([round((v - 32) * 5 / 9, 9) for v in values(rows, fahrenheit)] + values(rows, celsius))
    found = con.execute("SELECT value, unit, implausible FROM event WHERE concept = 'temperature'").fetchall()
    assert sorted(value for value, _, _ in found) == pytest.approx(expected, abs=2e-9)
    assert {unit for _, unit, _ in found} == {"Cel"}
    # Three readings of 97 to 99 carry the label Celsius: kept, flagged, no observation.
    assert sorted(value for value, _, implausible in found if implausible) == [v for v in expected if v > 45]
    assert len([v for v in expected if v > 45]) == 3


def test_fevers(con, raw):
    def celsius(frame: pl.DataFrame) -> list[tuple[int, float]]:
        read = frame.filter(pl.col("code").str.contains("^LAB//22376[12]//")).select("subject_id", "code", "value")
        return [(s, (number(v) - 32) * 5 / 9 if code.endswith("F") else number(v)) for s, code, v in read.rows()]

    plausible = [(s, v) for s, v in celsius(raw) if 25 <= v <= 45]
    assert len([v for _, v in plausible if v >= 38 - 1e-9]) == 304
    assert len([v for _, v in plausible if round(v, 1) >= 38.0]) == 305
    fevers = con.execute(
        "SELECT CAST(patient_id AS VARCHAR), count(*) FROM observation "
        "WHERE concept = 'temperature' AND value >= 38 GROUP BY ALL"
    ).fetchall()
    folded = Counter(s for s, v in celsius(raw.unique()) if 38 - 1e-9 <= v <= 45)
    assert {int(patient): count for patient, count in fevers} == folded
    assert len(fevers) == 33


def administered(rows: pl.DataFrame) -> list[tuple[str, str, datetime]]:
    """(drug, patient, time) of every distinct administration of a systemic steroid."""
    names = {f"MEDICATION//{name}//{status}": drug for name, drug in SYSTEMIC.items() for status in GIVEN}
    given = rows.filter(pl.col("code").is_in(list(names))).select("code", "subject_id", "time")
    return [(names[code], str(patient), time) for code, patient, time in given.rows()]


def test_systemic_steroids_are_administrations_only(con, raw, rows):
    plain = [raw.filter(pl.col("code") == f"MEDICATION//{name}//Administered").height for name in SYSTEMIC]
    assert plain == [53, 16, 45, 32]
    found = con.execute(
        "SELECT concept, CAST(patient_id AS VARCHAR), time, value FROM event WHERE concept IN "
        "('dexamethasone', 'betamethasone', 'methylprednisolone', 'triamcinolone', 'prednisone', 'prednisolone', "
        "'hydrocortisone', 'cortisone', 'deflazacort') AND (route IS NULL OR route IN ('intravenous', 'oral'))"
    ).fetchall()
    assert {value for _, _, _, value in found} == {None}
    assert Counter(row[:3] for row in found) == Counter(administered(rows))
    dexamethasone = raw.filter(pl.col("code") == "MEDICATION//Dexamethasone//Administered")
    assert dexamethasone["subject_id"].n_unique() == 5


def test_what_was_not_given_means_no_concept_and_stays_an_event(con, rows):
    mapped = con.execute(
        "SELECT DISTINCT code FROM event WHERE concept IS NOT NULL AND (code LIKE 'MEDICATION//%')"
    ).fetchall()
    statuses = {code.rsplit("//", 1)[1] for (code,) in mapped}
    assert statuses <= GIVEN
    assert not any(code.startswith(("MEDICATION//START", "MEDICATION//STOP")) for (code,) in mapped)
    refused = rows.filter(pl.col("code").str.ends_with("//Not Given")).height
    assert con.execute("SELECT count(*) FROM event WHERE code LIKE '%//Not Given'").fetchone() == (refused,)


def test_vasopressors_ran_where_they_were_seen_running(con, raw, rows):
    ordered = [raw.filter(pl.col("code").str.contains(name)) for name in ("^MEDICATION//START//Norepinephrine$",
               "(?i)^MEDICATION//START//norepinephrine$")]  # fmt: skip
    assert [frame["subject_id"].n_unique() for frame in ordered] == [16, 26], "in one spelling, and in both"
    pattern = (
        r"(?i)^MEDICATION//norepinephrine//(Started|Delayed Started|Restarted|Confirmed)$|^INFUSION_START//221906$"
    )
    expected = rows.filter(pl.col("code").str.contains(pattern)).height
    assert con.execute("SELECT count(*) FROM event WHERE concept = 'norepinephrine'").fetchone() == (expected,)


def test_deaths_are_dates_where_only_the_day_is_known(con, rows):
    expected = [(s, t, t.hour == t.minute == 0) for s, t in
                rows.filter(pl.col("code") == "MEDS_DEATH").select("subject_id", "time").rows()]  # fmt: skip
    found = con.execute(
        "SELECT CAST(patient_id AS VARCHAR), time, date_only FROM event WHERE concept = 'death'"
    ).fetchall()
    assert sorted((int(p), t, d) for p, t, d in found) == sorted(expected)
    assert (len(expected), sum(only for _, _, only in expected)) == (31, 16)


def test_drugs_for_the_eye_and_skin_keep_their_route(con):
    routes = con.execute(
        "SELECT DISTINCT route FROM event WHERE code LIKE '%Ophth%' AND concept IS NOT NULL UNION ALL "
        "SELECT DISTINCT route FROM event WHERE (code LIKE '%Cream%') AND concept IS NOT NULL ORDER BY route"
    ).fetchall()
    assert routes == [("ophthalmic",), ("rectal",), ("topical",)]


def test_the_mapping_has_no_entry_that_the_set_never_meets(rows):
    from timeline.ingest.mapping import load as load_mapping

    assert load_mapping(MAPPING).unmet(rows["code"].unique().to_list()) == ()


def test_administered_steroids_become_courses_without_milligrams(con, run, rows):
    times = defaultdict(list)
    for _, patient, time in administered(rows):
        times[patient].append(time)
    courses = []
    for patient, given in times.items():
        given.sort()
        starts = [i for i, t in enumerate(given) if i == 0 or t - given[i - 1] > timedelta(hours=48)]
        for start, end in zip(starts, [*starts[1:], len(given)], strict=True):
            days = len({t.date() for t in given[start:end]})
            courses.append((patient, given[start], given[end - 1], end - start, days, None, None))
    found = con.execute(
        "SELECT CAST(patient_id AS VARCHAR), start_time, end_time, doses, days, dexamethasone_mg, start_day "
        "FROM steroid_course"
    ).fetchall()
    assert sorted(found) == sorted(courses)
    assert (len(found), len(times)) == (21, 9)
    assert con.execute("SELECT count(*), count(dose_mg), count(dexamethasone_mg) FROM steroid_dose").fetchone() == (
        len(administered(rows)), 0, 0,
    )  # fmt: skip


def test_the_run_says_how_many_doses_have_no_milligrams(run, rows):
    [steroids] = [rule for rule in run.rules if rule.name == "steroid_dose"]
    count = len(administered(rows))
    assert [note for note in steroids.notes if "dose_mg" in note and f"{count} of {count}" in note]


def test_nobody_is_in_the_cohort_and_the_run_says_why(con, run):
    cohort = con.execute("SELECT included, excluded_at, count(*) FROM cohort GROUP BY ALL").fetchall()
    assert cohort == [(False, "infusion", 100)]
    [report] = [rule for rule in run.rules if rule.name == "cohort"]
    assert any("infusion" in note and "nothing matched, of 100 looked at" in note for note in report.notes)
    assert any("axicabtagene_ciloleucel" in note and "tisagenlecleucel" in note for note in run.notes)


def test_counts_are_graded_for_everyone_with_a_count(con, run, rows):
    at_once = pl.col("code").replace_strict({"LAB//51265//K/uL": "platelets", "LAB//52075//K/uL": "neutrophils"})
    counts = rows.filter(pl.col("code").is_in(["LAB//51265//K/uL", "LAB//52075//K/uL"]), pl.col("value").is_not_null())
    expected = dict(counts.group_by(at_once.alias("analyte")).len().rows())
    assert dict(con.execute("SELECT analyte, count(*) FROM cytopenia GROUP BY ALL").fetchall()) == expected
    severe = counts.filter(pl.col("code") == "LAB//51265//K/uL", pl.col("value") < 25).height
    assert con.execute("SELECT count(*) FROM cytopenia WHERE analyte = 'platelets' AND grade = 4").fetchone() == (
        severe,
    )


def test_report_published_and_sensitivity_say_why_they_are_empty(con, run, tmp_path, monkeypatch):
    """Nobody here had the product, so nearly all is empty: nothing fails, and no section is silent."""
    queries, plain, kept = query.load_queries(folder("queries")), checklist.readings, []
    monkeypatch.setattr(checklist, "readings", lambda *given: kept.append(plain(*given)) or kept[0])
    made = report.write_report(con, tmp_path / "page.html", queries=folder("queries"), patients="none")
    assert {"swimmer", "table_1", "overall_survival", "cytokine_pairs"} <= set(made.absent)
    assert not [why for why in made.absent.values() if why == "No row." or why.startswith("Not available")]
    page = (tmp_path / "page.html").read_text("utf-8").partition("<main")[2].partition("</main>")[0]
    assert "No patient is in the cohort" in page and "NaN" not in page and "None" not in page
    items = published.compare(con, queries, published.load(folder("data") / "published.yaml"))
    agreement = published.counted(items)
    assert agreement["equal"] == agreement["differs"] == agreement["conflict"] == 0
    assert all(one.why for one in items if one.agreement == "not computed")
    [told] = kept
    assert told.found is not None and not told.absent
    outcomes = [outcome for one in told.asked for reading in one.readings for outcome in reading.outcomes]
    assert outcomes and all(outcome.why for outcome in outcomes if not outcome.computed)
    assert not [outcome for outcome in outcomes if outcome.changed]
    assert all(reading.why or reading.outcomes for one in told.asked for reading in one.readings)


def test_another_rule_folder_maps_its_own_concepts_without_another_ingest(con, run, rows):
    names = ("CefePIME", "CefTAZidime", "Meropenem", "Piperacillin-Tazobactam")
    codes = [f"MEDICATION//{name}//{status}" for name in names for status in GIVEN]
    codes += [f"INFUSION_START//{item}" for item in (225851, 225853, 225883, 225893)]
    expected = rows.filter(pl.col("code").is_in(codes)).height
    before = con.execute("SELECT count(*) FROM event WHERE concept = 'cefepime'").fetchone()
    engine.run(con, load([folder("rules") / "febrile_neutropenia"], shipped=False))
    assert before == (0,)
    assert con.execute("SELECT count(*) FROM antipseudomonal_dose").fetchone() == (expected,)
    assert con.execute("SELECT count(*), count(DISTINCT patient_id) FROM febrile_neutropenia").fetchone() == (2, 1)
    assert con.execute("SELECT sum(rows_loaded) + sum(rows_rejected) FROM meta.source").fetchone() == (rows.height,)

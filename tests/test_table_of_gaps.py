"""Table 1 and the course of extracts with gaps: what is not known is counted as nothing, and nobody is guessed."""

from pathlib import Path

import pytest

from timeline import Study, table
from timeline.folders import queries

HEAD = "patient_id,time,end_time,code,value,unit,text"
MEMBER = """{id},2024-01-01 10:00,,axicabtagene_ciloleucel,1,,
{id},2024-01-05 08:00,,documented_icans_grade,2,,
{id},2024-01-05 09:00,,dexamethasone,10,mg,
{id},2024-01-05 10:00,,anakinra,100,mg,
{id},2024-01-06 08:00,,ldh,300,U/L,
{id},2024-02-20 09:00,,dexamethasone,10,mg,"""
"""What makes a patient a member of the cohort, and a steroid after any stay."""


def made(folder: Path, events: str, sexes: dict[str, str]) -> Study:
    extract = folder / "extract"
    extract.mkdir()
    members = [MEMBER.format(id=id) for id in sexes]
    (extract / "events.csv").write_text("\n".join([HEAD, *members, events.strip()]) + "\n", "utf-8")
    people = [f"{id},{sex}" for id, sex in sexes.items()]
    (extract / "patients.csv").write_text("\n".join(["patient_id,sex", *people]) + "\n", "utf-8")
    study = Study.open(folder / "study.duckdb")
    study.ingest(extract)
    study.run()
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """P1 died in a stay, P2 without any stay, P3 after a stay without an end, P4 on no known day, P5 lives."""
    events = """
P1,2023-12-28 08:00,2024-01-10 12:00,hospitalization,,,
P1,2024-01-10 12:00,,death,,,progressive disease
P2,2024-06-02 12:00,,death,,,progressive disease
P3,2023-12-28 08:00,,hospitalization,,,
P3,2024-03-01 12:00,,death,,,icans
P4,,,death,,,Infection
P4,2023-12-28 08:00,2024-01-12 12:00,hospitalization,,,
P5,2023-12-28 08:00,2024-01-14 12:00,hospitalization,,,
"""
    sexes = {"P1": "F", "P2": "M", "P3": "divers", "P4": "W", "P5": ""}
    return made(tmp_path_factory.mktemp("gaps"), events, sexes)


@pytest.fixture(scope="module")
def rows(study: Study) -> dict[str, dict]:
    return {row["id"]: row for row in study.query("table_1").to_dicts()}


def test_who_is_neither_f_nor_m_is_no_man(study: Study, rows: dict[str, dict]) -> None:
    assert (rows["T1-02"]["n"], rows["T1-02"]["count"], rows["T1-02"]["total"]) == (2, 1, 5)
    declared = queries()["table_1"]
    assert declared.table is not None
    shown = table.shown(study.query("table_1"), declared.table, {}, declared.title)
    cells = {row.cells[0]: row.cells[1] for group in shown.groups for row in group.rows}
    assert cells["Sex (F:M)"] == "1:1, n = 2"


@pytest.mark.parametrize("name", ["table_1", "table_1_other_readings"])
def test_a_death_without_a_stay_ends_no_stay(study: Study, name: str) -> None:
    found = {row["id"]: row for row in study.query(name).to_dicts()}
    stay, days, dose, ldh = (found[id] for id in ("T1-19", "T1-22", "T1-21", "T1-14"))
    assert (stay["n"], stay["low"], stay["median"], stay["high"]) == (3, 9, 11, 13), "P2 died on day 153, P3 on 60"
    assert (days["n"], days["high"], dose["high"]) == (3, 1, 10), "the steroid of February is of no stay"
    assert ldh["n"] == 3


def test_the_cause_of_a_death_without_a_time_counts(rows: dict[str, dict]) -> None:
    assert (rows["T1-31"]["count"], rows["T1-32"]["n"]) == (4, 3)
    assert (rows["T1-33"]["n"], rows["T1-33"]["count"], rows["T1-34"]["count"], rows["T1-35"]["count"]) == (4, 2, 1, 1)


def test_only_who_left_or_died_in_a_stay_has_a_bar(study: Study) -> None:
    lanes: dict[str, dict[str, dict]] = {}
    for row in study.query("swimmer").to_dicts():
        lanes.setdefault(row["patient_id"], {})[row["element"]] = row
    ends = {id: (lane.get("stay") or {}).get("end_day") for id, lane in lanes.items()}
    assert ends == {"P1": 9, "P2": None, "P3": None, "P4": 11, "P5": 13}
    assert {id for id, lane in lanes.items() if "discharge" in lane} == {"P5"}
    assert {id: lane["death"]["detail"] for id, lane in lanes.items() if "death" in lane} == {
        "P1": "died on day 9: progressive disease",
        "P2": "died on day 153: progressive disease",
        "P3": "died on day 60: icans",
    }
    assert not any("in hospital" in row["detail"] for id in ("P2", "P3") for row in lanes[id].values())

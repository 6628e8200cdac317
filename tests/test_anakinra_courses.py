"""Corticosteroids, markers and survival around the first dose of anakinra, against plain loops over the tables."""

from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from timeline import query, shipped, statistic, store

QUERIES = query.load_queries(shipped.folder("queries"))
WINDOW = range(-7, 15)


def rows_of(con, name: str) -> list[dict[str, Any]]:
    return query.run_query(con, QUERIES[name]).rows(named=True)


def answers(con, name: str) -> dict[str, Any]:
    frame = query.run_query(con, QUERIES[name])
    return {one.name: one for one in (statistic.answer(frame, declared) for declared in QUERIES[name].statistics)}


@pytest.fixture(scope="module")
def demo(demo_study):
    con = query.open_read_only(demo_study)
    yield con
    con.close()


def taper(con) -> dict[tuple[str, int], tuple[float | None, str]]:
    """Milligrams and state of each day, by loops: what the query must say."""
    fetch = lambda sql: con.execute(sql).fetchall()  # noqa: E731
    anchors = fetch(
        "SELECT patient_id::VARCHAR, start_time FROM anakinra_window JOIN cohort USING (patient_id) "
        "WHERE included AND anakinra_window.number = 1"
    )
    doses = fetch("SELECT patient_id::VARCHAR, time, dexamethasone_mg FROM steroid_dose")
    stays = fetch("SELECT patient_id::VARCHAR, time, end_time FROM event WHERE concept = 'hospitalization'")
    deaths = dict(fetch("SELECT patient_id::VARCHAR, death_time FROM outcome"))
    found: dict[tuple[str, int], tuple[float | None, str]] = {}
    for patient, start in anchors:
        for day in WINDOW:
            on = start.date() + timedelta(days=day)
            given = [mg for who, time, mg in doses if who == patient and time.date() == on]
            inside = any(who == patient and time.date() <= on <= (end or time).date() for who, time, end in stays)
            death = deaths.get(patient)
            if None in given:
                found[patient, day] = (None, "amount not known")
            elif given:
                found[patient, day] = (round(sum(given), 6), "given")
            elif death is not None and on > death.date():
                found[patient, day] = (None, "dead")
            else:
                found[patient, day] = (0.0, "none given") if inside else (None, "not in hospital")
    return found


def test_the_taper_of_the_demo_is_that_of_plain_loops(demo):
    rows = rows_of(demo, "steroid_taper")
    assert len(rows) == 14 * len(WINDOW)
    assert {(row["patient_id"], row["day"]): (row["mg"], row["state"]) for row in rows} == taper(demo)


def test_the_metric_of_the_taper_is_that_of_plain_loops(demo):
    plain, told = taper(demo), answers(demo, "steroid_taper")
    patients = sorted({patient for patient, _ in plain})
    for name, day in (("at_first", 0), ("at_day_3", 3), ("at_day_7", 7)):
        known = [mg for patient in patients if (mg := plain[patient, day][0]) is not None]
        values = told[name].values
        assert (values["n"], values["median"], values["low"], values["high"]) == (
            len(known), median(known), min(known), max(known),
        )  # fmt: skip
        assert f"{14 - len(known) or 'none'} missing" in told[name].sentences[0]
    for name, day in (("halved_by_day_3", 3), ("halved_by_day_7", 7)):
        pairs = [(plain[patient, 0][0], plain[patient, day][0]) for patient in patients]
        halved = [later <= first / 2 for first, later in pairs if first and later is not None]
        assert (told[name].values["n"], told[name].values["count"]) == (len(halved), sum(halved))
    # one had anakinra first, and nothing to halve.
    assert told["halved_by_day_3"].values["n"] == 13


def test_the_markers_of_the_demo_are_the_highest_of_each_day(demo):
    starts = dict(
        demo.execute(
            "SELECT patient_id::VARCHAR, start_time::DATE FROM anakinra_window JOIN cohort USING (patient_id) "
            "WHERE included AND anakinra_window.number = 1"
        ).fetchall()
    )
    readings: list[tuple[str, str, datetime, float]] = demo.execute(
        "SELECT 'temperature', patient_id::VARCHAR, time, value FROM temperature_reading UNION ALL "
        "SELECT analyte, patient_id::VARCHAR, time, value FROM inflammation_value"
    ).fetchall()
    highest: dict[tuple[str, str, int], float] = {}
    for analyte, patient, time, value in readings:
        if patient in starts and (day := (time.date() - starts[patient]).days) in WINDOW:
            highest[analyte, patient, day] = max(value, highest.get((analyte, patient, day), value))
    rows = rows_of(demo, "marker_course")
    assert {(row["analyte"], row["patient_id"], row["day"]): row["value"] for row in rows} == highest
    assert {row["unit"] for row in rows} == {"Cel", "mg/L", "ug/L"}


def test_survival_from_anakinra_counts_from_the_first_dose(demo):
    rows = {row["patient_id"]: row for row in rows_of(demo, "survival_from_anakinra")}
    whole = {row["patient_id"]: row for row in rows_of(demo, "overall_survival")}
    assert len(rows) == 14 and rows.keys() == whole.keys()
    for patient, row in rows.items():
        assert row["days"] + row["anakinra_day"] == whole[patient]["os_days"] and row["died"] == whole[patient]["died"]
    assert median(row["anakinra_day"] for row in rows.values()) == 8.5
    found = answers(demo, "survival_from_anakinra")["survival"].values
    assert (found["n"], found["events"]) == (14, 10) and found["median"] < 2.79


def study(doses=(), stays=(), death=None) -> Any:
    """A study of one patient whose first anakinra dose is on 10 January, from these rows."""
    con = store.connect(":memory:")
    con.execute("CREATE TABLE cohort AS SELECT 'p' AS patient_id, TRUE AS included")
    con.execute(
        "CREATE TABLE anakinra_window AS SELECT * FROM (VALUES ('p', 1, TIMESTAMP '2024-01-10 23:59'), "
        "('p', 2, TIMESTAMP '2024-01-20 08:00')) AS t(patient_id, number, start_time)"
    )
    con.execute(
        "CREATE TABLE steroid_dose (patient_id VARCHAR, number INTEGER, time TIMESTAMP, dexamethasone_mg DOUBLE)"
    )
    con.execute("CREATE TABLE outcome (patient_id VARCHAR, death_time TIMESTAMP)")
    con.execute("DROP VIEW event")
    con.execute("CREATE TABLE event (patient_id VARCHAR, concept VARCHAR, time TIMESTAMP, end_time TIMESTAMP)")
    con.execute("INSERT INTO outcome VALUES ('p', ?)", [death])
    for i, (time, mg) in enumerate(doses):
        con.execute("INSERT INTO steroid_dose VALUES ('p', ?, ?, ?)", [i + 1, time, mg])
    for first, last in stays:
        con.execute("INSERT INTO event VALUES ('p', 'hospitalization', ?, ?)", [first, last])
    return con


def days_of(con) -> dict[date, tuple[float | None, str]]:
    rows = rows_of(con, "steroid_taper")
    con.close()
    return {date(2024, 1, 10) + timedelta(days=row["day"]): (row["mg"], row["state"]) for row in rows}


def test_a_day_without_a_dose_is_0_only_in_hospital_and_alive():
    stay = (datetime(2024, 1, 8, 22), datetime(2024, 1, 20, 9))
    found = days_of(study([(datetime(2024, 1, 10, 6), 20.0)], [stay], datetime(2024, 1, 18, 1)))
    assert found[date(2024, 1, 7)] == (None, "not in hospital")
    assert found[date(2024, 1, 8)] == found[date(2024, 1, 18)] == (0, "none given")
    # Dead from the day after; that the stay is recorded as longer changes nothing.
    assert found[date(2024, 1, 19)] == (None, "dead")
    assert found[date(2024, 1, 10)] == (20, "given") and len(found) == 22


def test_a_dose_of_unknown_amount_makes_its_day_unknown_and_a_dose_outside_counts():
    doses = [
        (datetime(2024, 1, 10, 6), 20.0),
        (datetime(2024, 1, 10, 18), None),
        (datetime(2024, 1, 11, 6), 8.0),
        (datetime(2024, 1, 11, 18), 2.5),
    ]
    found = days_of(study(doses))
    assert found[date(2024, 1, 10)] == (None, "amount not known") and found[date(2024, 1, 11)] == (10.5, "given")
    assert found[date(2024, 1, 12)] == (None, "not in hospital")


def test_a_stay_without_an_end_proves_its_first_day_only():
    found = days_of(study(stays=[(datetime(2024, 1, 9, 8), None)]))
    assert found[date(2024, 1, 9)] == (0, "none given") and found[date(2024, 1, 10)] == (None, "not in hospital")


@pytest.mark.parametrize(
    ("first", "later", "halved"),
    [(20.0, 10.0, True), (20.0, 10.1, False), (20.0, None, None), (None, 10.0, None), (0.0, 0.0, None)],
)
def test_halved_is_at_most_half_of_what_is_known(first, later, halved):
    doses = [(datetime(2024, 1, 10, 6), first), (datetime(2024, 1, 13, 6), later)]
    con = study([dose for dose in doses if dose[1] != 0.0], [(datetime(2024, 1, 1), datetime(2024, 1, 30))])
    row = next(row for row in rows_of(con, "steroid_taper") if row["at_day_3"])
    con.close()
    assert row["halved"] is halved


def test_without_anakinra_there_is_no_row_and_a_sentence():
    con = study()
    con.execute("DELETE FROM anakinra_window")
    assert rows_of(con, "steroid_taper") == [] and "no first dose" in QUERIES["steroid_taper"].empty
    con.close()

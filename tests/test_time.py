"""Time: bare dates followed into derived rows, zones, offsets, and the hours that clocks leave out or have twice."""

from datetime import datetime
from pathlib import Path

import pytest

from timeline import Study, audit, cli, engine, ingest, load, precision, store
from timeline.explain.text import text_of

ZONES = ("Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
OFFSETS = [
    # zone, as written, in the study's clock
    ("Europe/Zurich", "2024-01-31T08:00:00Z", "2024-01-31 09:00"),
    ("Europe/Zurich", "2024-07-31T08:00:00Z", "2024-07-31 10:00"),
    ("Europe/Zurich", "2024-07-31T08:00:00-04:00", "2024-07-31 14:00"),
    ("America/New_York", "2024-07-31T02:00:00Z", "2024-07-30 22:00"),
    ("America/New_York", "2024-03-10T06:59:00Z", "2024-03-10 01:59"),
    ("America/New_York", "2024-03-10T07:00:00Z", "2024-03-10 03:00"),
    ("Asia/Kathmandu", "2024-01-31T08:00:00Z", "2024-01-31 13:45"),
    ("Australia/Lord_Howe", "2024-01-31T08:00:00Z", "2024-01-31 19:00"),
    ("Australia/Lord_Howe", "2024-07-31T08:00:00Z", "2024-07-31 18:30"),
    # An hour that comes twice: two instants, one time.
    ("Europe/Zurich", "2024-10-27T00:30:00Z", "2024-10-27 02:30"),
    ("Europe/Zurich", "2024-10-27T01:30:00Z", "2024-10-27 02:30"),
    ("UTC", "2024-10-27T01:30:00+01:00", "2024-10-27 00:30"),
]
CHANGES = {
    # zone: times left out, times that come twice, times beside them that are neither
    "Europe/Zurich": (
        ["2024-03-31 02:00", "2024-03-31 02:59"],
        ["2024-10-27 02:00", "2024-10-27 02:59"],
        ["2024-03-31 01:59", "2024-03-31 03:00", "2024-10-27 01:59", "2024-10-27 03:00"],
    ),
    "America/New_York": (
        ["2024-03-10 02:30"],
        ["2024-11-03 01:00", "2024-11-03 01:59"],
        ["2024-03-10 01:59", "2024-03-10 03:00", "2024-11-03 00:59", "2024-11-03 02:00"],
    ),
    "Asia/Kathmandu": ([], [], ["2024-03-31 02:30", "2024-10-27 02:30"]),
    # Half an hour.
    "Australia/Lord_Howe": (
        ["2024-10-06 02:00", "2024-10-06 02:29"],
        ["2024-04-07 01:30", "2024-04-07 01:59"],
        ["2024-10-06 01:59", "2024-10-06 02:30", "2024-04-07 01:29", "2024-04-07 02:00"],
    ),
    "UTC": ([], [], ["2024-03-31 02:30", "2024-10-27 02:30"]),
}


def study_of(folder: Path, rows: str, zone: str | None = None, session: str | None = None):
    """A study in memory of these rows: patient, time, code, value."""
    (folder / "events.csv").write_text("patient_id,time,code,value\n" + rows, encoding="utf-8")
    con = store.connect(":memory:")
    if session:
        con.execute(f"SET TimeZone = '{session}'")
    ingest.ingest(con, folder, load.load([], shipped=False).concepts, timezone=zone)
    return con


@pytest.mark.parametrize("session", ZONES)
def test_offsets_are_converted_to_the_studys_clock_wherever_the_machine_is(tmp_path, session):
    for zone in ZONES:
        listed = [(written, stored) for known, written, stored in OFFSETS if known == zone]
        folder = tmp_path / zone.replace("/", "_")
        folder.mkdir()
        con = study_of(
            folder, "".join(f"a,{written},crp,{n}\n" for n, (written, _) in enumerate(listed)), zone, session
        )
        found = [time for (time,) in con.execute("SELECT time FROM event ORDER BY source_row").fetchall()]
        assert found == [datetime.fromisoformat(stored) for _, stored in listed], zone
        con.close()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("session", ["Asia/Kathmandu", "America/New_York"])
def test_hours_that_the_clock_leaves_out_or_has_twice_are_counted(tmp_path, zone, session):
    gaps, doubled, others = CHANGES[zone]
    rows = "".join(f"a,{time},crp,{n}\n" for n, time in enumerate([*gaps, *doubled, *others]))
    con = study_of(tmp_path, rows, zone, session)
    for id, times in (("plaus.clock_gap", gaps), ("plaus.clock_overlap", doubled)):
        (found,) = audit.audit(con, only=[id]).checks
        assert (found.failures, found.asked) == (len(times), len([*gaps, *doubled, *others])), id
        listed = [str(row[-2])[:16] for row in con.execute(found.query).fetchall()]
        assert sorted(listed) == times
    stored = [f"{time:%Y-%m-%d %H:%M}" for (time,) in con.execute("SELECT time FROM event ORDER BY value").fetchall()]
    assert stored == [*gaps, *doubled, *others], "kept as written: nothing is guessed"
    con.close()


def test_a_bare_date_is_in_no_hour_of_the_clock(tmp_path):
    # In Beirut the clock leaves out the hour after midnight.
    con = study_of(tmp_path, "a,2022-03-27,crp,1\na,2022-03-27 00:30,crp,2\n", "Asia/Beirut")
    (found,) = audit.audit(con, only=["plaus.clock_gap"]).checks
    assert (found.failures, found.asked) == (1, 1)
    con.close()


def test_elapsed_time_is_that_of_the_clock_on_the_wall(tmp_path):
    """Noon to noon is 24 h in the study's clock, also over a night of 23 hours; with the clock of UTC it is 23."""
    local = "a,2024-03-30T12:00:00+01:00,crp,1\na,2024-03-31T12:00:00+02:00,ferritin,1\n"
    (tmp_path / "zurich").mkdir()
    (tmp_path / "utc").mkdir()
    hours = []
    for folder, zone in (("zurich", "Europe/Zurich"), ("utc", "UTC")):
        con = study_of(tmp_path / folder, local, zone)
        hours += con.execute("SELECT date_diff('minute', min(time), max(time)) / 60 FROM event").fetchall()
        con.close()
    assert hours == [(24,), (23,)]


RULES = """
ruleset: {name: small}
high: {from: crp, where: value >= 5}
spell: {episodes: high, gap: 48h}
other: {from: ferritin}
"""


@pytest.fixture
def dated(tmp_path):
    con = study_of(
        tmp_path,
        "a,2024-01-01,crp,9\na,2024-01-02 10:00,crp,9\na,2024-02-01 10:00,crp,9\nb,2024-01-01 10:00,crp,9\n"
        "b,2024-01-01,crp,1\nb,2024-01-01 10:00,ferritin,9\n",
    )
    yield con
    con.close()


def test_every_derived_row_that_rests_on_a_bare_date_is_listed_and_counted(dated):
    report = engine.run(dated, load.load_text(RULES, load.load([], shipped=False).concepts))
    assert {rule.name: rule.rows_date_only for rule in report.rules} == {"high": 1, "spell": 1, "other": 0}
    listed = dated.execute("SELECT rule, patient_id::VARCHAR, number, events FROM meta.day_precision").fetchall()
    assert listed == [("high", "a", 1, 1), ("spell", "a", 1, 1)]
    assert dated.execute("SELECT rule, rows_date_only FROM meta.rule ORDER BY rule").fetchall() == [
        ("high", 1), ("other", 0), ("spell", 1),
    ]  # fmt: skip
    assert dated.execute("SELECT DISTINCT run FROM meta.day_precision").fetchall() == [(report.run,)]


def test_the_list_is_made_anew_with_every_run_and_says_the_same(dated):
    ruleset = load.load_text(RULES, load.load([], shipped=False).concepts)
    engine.run(dated, ruleset)
    first = dated.execute("FROM meta.day_precision").fetchall()
    engine.run(dated, ruleset)
    assert dated.execute("FROM meta.day_precision").fetchall() == first
    left = dated.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    assert left == [], "nothing is left behind"


def test_evidence_and_list_agree_row_for_row(dated):
    """The list by plain loops over evidence and events."""
    engine.run(dated, load.load_text(RULES, load.load([], shipped=False).concepts))
    bare = {id for (id,) in dated.execute("SELECT event_id FROM event WHERE date_only").fetchall()}
    expected = set()
    for rule in ("high", "spell", "other"):
        rows = dated.execute(f"SELECT patient_id::VARCHAR, number, evidence FROM {rule}").fetchall()
        expected |= {(rule, p, n, len(bare & set(ids))) for p, n, ids in rows if bare & set(ids)}
    assert set(
        dated.execute("SELECT rule, patient_id::VARCHAR, number, events FROM meta.day_precision").fetchall()
    ) == (expected)


def test_without_bare_dates_no_table_is_looked_at(tmp_path):
    con = study_of(tmp_path, "a,2024-01-01 10:00,crp,9\n")
    con.execute("CREATE TEMP TABLE observation AS SELECT * FROM observation")
    precision.observe(con)
    assert precision.mark(con, "run", "there is no such table") == 0
    con.close()


def test_a_run_and_an_explanation_say_it(tmp_path, capsys):
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "events.csv").write_text(
        "patient_id,time,code,value,unit\na,2024-01-01,dexamethasone,10,mg\na,2024-01-02 10:00,dexamethasone,10,mg\n"
    )
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "extract")
    assert cli.main(["run", str(study.path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "rows patients on bare dates" in said and "meta.day_precision names the rows" in said
    found = study.explain("steroid_course", "a")
    assert found.why == "2 events decided it, 1 of them with a bare date, read as midnight"
    text = text_of(found)
    assert "  2024-01-01        dexamethasone" in text and "2024-01-02 10:00" in text
    assert "1 time of these without a clock: a bare date, read as midnight" in text
    shown = {one.id: one for one in study.audit().checks}["comp.derived_on_bare_dates"]
    assert shown.status == "failed" and shown.patients == 1

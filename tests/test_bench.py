"""The benchmark measures what it says: the same events each time, and two ways to the same answers."""

import duckdb
import pytest

from tests.bench import five
from tests.bench.generate import generate
from tests.bench.kinds import CODES, EVENTS_A_PATIENT
from timeline import load, store
from timeline.ingest import ingest

EVENTS = 60_000


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "events.parquet"
    generate(path, EVENTS, seed=3)
    return path


def test_the_same_seed_gives_the_same_file(events, tmp_path):
    generate(tmp_path / "again.parquet", EVENTS, seed=3)
    generate(tmp_path / "other.parquet", EVENTS, seed=4)
    assert (tmp_path / "again.parquet").read_bytes() == events.read_bytes()
    assert (tmp_path / "other.parquet").read_bytes() != events.read_bytes()


def test_events_are_as_many_and_as_mixed_as_promised(events):
    rows, patients, codes, unmapped, ascending = (
        duckdb.connect()
        .execute(f"""
        SELECT count(*), count(DISTINCT patient_id), count(DISTINCT code), avg((code LIKE 'LOCAL/%')::INTEGER),
            count_if(patient_id >= before)
        FROM (SELECT *, lag(patient_id) OVER (ORDER BY file_row_number) AS before
              FROM read_parquet('{events}', file_row_number = true))""")
        .fetchall()[0]
    )
    assert rows == EVENTS and patients == EVENTS / EVENTS_A_PATIENT
    assert codes <= CODES and 0.79 < unmapped < 0.82
    assert 0.4 < ascending / rows < 0.6


def test_compiled_rules_and_sql_by_hand_agree(events):
    con = store.connect(":memory:")
    report = ingest(con, [events], load.load([]).concepts)
    assert report.sources[0].rows_duplicate > 0 and report.sources[0].rows_rejected > 0
    five.derive(con, five.five_rules())
    five.derive_by_hand(con)
    assert five.different(con) == dict.fromkeys(five.COMPARED, 0)
    for table in five.COMPARED:
        assert con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] > 50, table
    outcomes = con.execute("SELECT DISTINCT status FROM steroid_refractory").fetchall()
    assert {row[0] for row in outcomes} == {"untreated", "indeterminate", "responsive", "refractory"}
    assert con.execute("SELECT count(DISTINCT grade) FROM crs_grade").fetchall() == [(5,)]

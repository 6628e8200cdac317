"""`Study` for notebooks: the words of the command line, frames out, the file free again after every call."""

from pathlib import Path

import duckdb
import pytest

import timeline
from timeline import load, shipped
from timeline.errors import StudyError, UsageError
from timeline.folders import rule_folders

EVENTS = """\
patient_id,time,code,value,unit,route
b,2024-01-01 00:00,axicabtagene_ciloleucel,,,
b,2024-01-02 09:00,dexamethasone,10,mg,intravenous
a,2024-01-01 00:00,tisagenlecleucel,,,
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> timeline.Study:
    folder = tmp_path_factory.mktemp("study")
    (folder / "events.csv").write_text(EVENTS, encoding="utf-8")
    study = timeline.Study.open(folder / "s.duckdb")
    assert not study.path.exists(), "opening makes no file"
    assert study.ingest(folder / "events.csv").events == 3
    assert {rule.name for rule in study.run().rules} == set(load.load([]).rules)
    return study


def test_tables_are_frames_in_the_order_of_their_rows(study):
    frame = study.table("infusion")
    assert frame.select("patient_id", "product").rows() == [
        ("a", "tisagenlecleucel"),
        ("b", "axicabtagene_ciloleucel"),
    ]
    assert study.table("meta.source")["rows_read"].to_list() == [3]


def test_sql_reads_and_never_writes(study):
    assert study.sql("SELECT count(*) AS n FROM event").rows() == [(3,)]
    with pytest.raises(UsageError, match="cannot change anything"):
        study.sql("DELETE FROM meta.event")


def test_a_parameter_of_one_run_is_recorded(study):
    study.run(params={"steroid_course.gap": "12h"})
    assert '"steroid_course.gap": "12h"' in study.sql("SELECT params FROM meta.run ORDER BY started_at").rows()[-1][0]


def test_queries_and_charts_by_name(study):
    assert study.query("attrition").height > 1
    assert study.chart("attrition").to_dict()["$schema"]
    assert study.query("patient_timeline", {"patient": "b"}).height > 0
    with pytest.raises(UsageError, match="did you mean `attrition`"):
        study.query("atrition")
    with pytest.raises(UsageError, match="declares no chart"):
        study.chart("unmapped_codes")


def test_a_folder_of_queries_takes_the_place_of_the_shipped_ones(study, tmp_path):
    (tmp_path / "patients.sql").write_text(
        "/*\ntitle: Patients\nquestion: How many are there?\nreads: [patient]\nreturns: {n: patients}\n"
        "section: summary\n*/\nSELECT count(*) AS n FROM patient ORDER BY n\n",
        encoding="utf-8",
    )
    assert study.query("patients", queries=tmp_path).rows() == [(2,)]
    with pytest.raises(UsageError, match="there is no query `attrition`"):
        study.query("attrition", queries=tmp_path)
    assert study.report(tmp_path / "page.html", queries=tmp_path).queries == 1


def test_the_file_is_free_after_every_call(study):
    study.table("infusion")
    with duckdb.connect(str(study.path)) as con:
        assert con.execute("SELECT count(*) FROM infusion").fetchall() == [(2,)]


def test_a_file_that_is_no_study_is_refused_when_opened(tmp_path):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as con:
        con.execute("CREATE TABLE t (a INTEGER)")
    with pytest.raises(StudyError, match="no study of ours"):
        timeline.Study.open(tmp_path / "other.duckdb")


def test_shipped_rule_folders_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rule_folders(["febrile_neutropenia"]) == [shipped.folder("rules") / "febrile_neutropenia"]
    (tmp_path / "febrile_neutropenia").mkdir()
    assert rule_folders(["febrile_neutropenia"]) == [Path("febrile_neutropenia")]
    assert rule_folders(["nowhere"]) == [Path("nowhere")]


def test_an_unknown_name_of_the_package_is_an_error():
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        timeline.Studdy  # noqa: B018

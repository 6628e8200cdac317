"""Opening a study: what is none says so, and the file can be read by older DuckDB."""

from pathlib import Path

import duckdb
import pytest

from timeline import Study, query, store
from timeline.errors import ExtractError, NoStudyError, StudyError, UsageError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"patient_id,time\na,2024-01-01\n", "this is not a study file; it cannot be opened as a DuckDB database"),
        (None, "there is no study here; make one with `timeline ingest"),
    ],
)
def test_what_is_no_study_says_so(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "study.duckdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=message):
        store.connect(path)


def test_a_database_of_others_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(StudyError, match="no study of ours"):
        store.connect(path)
    with pytest.raises(StudyError, match="with other tables; name a new file"):
        store.connect(path, create=True)


def test_the_layout_is_that_of_duckdb_1_4(tmp_path: Path) -> None:
    with store.connect(tmp_path / "study.duckdb", create=True) as con:
        tags = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'study'").fetchall()
    assert tags == [({"storage_version": "v1.4.0+"},)]


def test_a_first_ingest_that_fails_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("")
    with pytest.raises(ExtractError, match="the file is empty"):
        Study.open(tmp_path / "study.duckdb").ingest(tmp_path / "events.csv")
    assert not (tmp_path / "study.duckdb").exists()


@pytest.mark.parametrize(
    ("place", "message"),
    [("", "this is a folder; a study is one file"), ("nowhere/study.duckdb", "there is no folder .*nowhere; make it")],
)
def test_a_place_that_cannot_hold_a_study_says_why(tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(NoStudyError, match=message):
        store.connect(tmp_path / place, create=True)


@pytest.mark.parametrize(
    ("place", "message"), [("/proc/study.duckdb", "the file cannot be made here"), ("/dev/full", "this is no file")]
)
def test_a_file_that_the_system_does_not_let_be_made_says_so(place: str, message: str) -> None:
    if not Path(place).parent.is_dir():
        pytest.skip("the system has no such folder")
    with pytest.raises(StudyError, match=message):
        store.connect(place, create=True)


def test_outputs_of_rules_older_than_the_extract_say_so(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("patient_id,time,code,value\na,2024-01-01,crp,5\n")
    (tmp_path / "more.csv").write_text("patient_id,time,code,value\na,2024-01-02,crp,6\n")
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "events.csv")
    study.run()
    with study.reading() as con:
        assert query.remark(con) == ""
    study.ingest(tmp_path / "more.csv")
    with study.reading() as con:
        assert "older than the latest ingest" in query.remark(con)
    study.run()
    with study.reading() as con:
        assert query.remark(con) == ""


def test_routes_that_no_rule_knows_are_named(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        "patient_id,time,code,value,route\na,2024-01-01,dexamethasone,5,IV\na,2024-01-02,dexamethasone,5,Oral\n"
    )
    report = Study.open(tmp_path / "study.duckdb").ingest(tmp_path / "events.csv")
    assert any("routes that no rule knows, written as in the source: iv (1 rows)" in said for said in report.warnings)
    assert not any("oral (1" in said for said in report.warnings)


def test_a_line_that_is_too_long_is_told_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        f"patient_id,time,code,text\na,2024-01-01,note,x\nb,2024-01-01,note,{'y' * 2_200_000}\n"
    )
    with pytest.raises(ExtractError, match="line 3 is longer than 2 MB"):
        Study.open(tmp_path / "study.duckdb").ingest(tmp_path / "events.csv")


def test_a_report_never_overwrites_what_is_no_page(tmp_path: Path, demo_study: Path) -> None:
    copy = tmp_path / "study.duckdb"
    copy.write_bytes(demo_study.read_bytes())
    with pytest.raises(UsageError, match="ends in .html"):
        Study(copy).report(copy)
    assert copy.read_bytes() == demo_study.read_bytes()

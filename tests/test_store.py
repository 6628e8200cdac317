"""Opening a study: what is none says so, and the file can be read by older DuckDB."""

from pathlib import Path

import duckdb
import pytest

from timeline import Study, store
from timeline.errors import ExtractError, StudyError


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

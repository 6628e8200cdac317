"""A source may name its columns as we name what we add to them: neither is taken for the other, in any format."""

from pathlib import Path

import duckdb
import pytest

from timeline import load, store
from timeline.ingest import beside
from timeline.ingest import ingest as ingested

NAMES = ("source_row", "rowid", "file_row_number", "ingest_file", "ingest_name", "ingest_key", "anchor of time",
         "_ingredient")  # fmt: skip
OMOP = {
    "patient_id": "person_id", "code": "measurement_concept_id", "time": "measurement_datetime",
    "value": "value_as_number", "unit": "unit_source_value",
}  # fmt: skip
ROWS = """(VALUES (1, 3020460, TIMESTAMP '2024-01-01 08:00:00', 5, 'mg/L', 77),
    (1, 3020460, TIMESTAMP '2024-01-01 08:00:00', 5, 'mg/L', 77),
    (1, 3020460, TIMESTAMP '2024-01-01 08:00:00', 5, 'mg/L', 78),
    (1, 3020460, TIMESTAMP '2024-01-02 08:00:00', 6, 'banana', 77),
    (1, 3020460, TIMESTAMP '2024-01-03 08:00:00', 7, 'mg/L', NULL))"""
"""Their numbers are 1 to 5; the second is the first again, the third is not."""


def written(folder: Path, form: str, extra: list[str]) -> Path:
    """The rows in a format, with columns of these names, alike."""
    names = list(OMOP) if form in ("csv", "parquet") else [*OMOP.values()]
    if form == "meds":
        names = ["subject_id", "code", "time", "numeric_value", "unit"]
    listed = ", ".join(f'"{one}"' for one in (*names, "said"))
    copies = ", ".join(f'said AS "{one}"' for one in extra)
    select = f"SELECT * EXCLUDE (said), {copies} FROM {ROWS} AS t({listed})"
    if form in ("csv", "parquet", "meds"):
        code = "'crp'"
        select = f"SELECT * REPLACE ({code} AS code) FROM ({select})"
    file = {"csv": "events.csv", "parquet": "events.parquet", "meds": "data/0.parquet", "omop csv": "measurement.csv",
            "omop parquet": "measurement.parquet", "omop database": "cdm.duckdb"}[form]  # fmt: skip
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".duckdb":
        with duckdb.connect(path) as con:
            con.execute(f"CREATE TABLE measurement AS {select}")
        return path
    with duckdb.connect() as con:
        con.execute(f"COPY ({select}) TO '{path}' (FORMAT {path.suffix[1:]})")
    return folder


@pytest.mark.parametrize("form", ["csv", "parquet", "meds", "omop csv", "omop parquet", "omop database"])
@pytest.mark.parametrize("capitals", [False, True])
def test_a_column_of_such_a_name_changes_no_rows_number_and_counts_for_duplicates(tmp_path, form, capitals):
    names = [one.upper() if capitals else one for one in NAMES]
    path = written(tmp_path, form, names)
    with store.connect(":memory:") as con:
        report = ingested(con, path, load.load([]).concepts)
        [count] = report.sources
        assert (count.rows_read, count.rows_loaded, count.rows_duplicate, count.rows_rejected) == (5, 3, 1, 1)
        assert con.sql("SELECT source_row, value FROM event ORDER BY source_row").fetchall() == [(1, 5), (3, 5), (5, 7)]
        assert con.sql("SELECT source_row, reason FROM meta.rejected").fetchall()[0][0] == 4
        assert "banana" in con.sql("SELECT reason FROM meta.rejected").fetchall()[0][0]
        raw = con.sql("SELECT raw FROM meta.rejected").fetchall()[0][0]
        called = beside.called(names).values()
        assert all(f'"{one}":' in raw for one in called) and raw.count("77") == len(NAMES)
        if not form.startswith("omop"):
            assert any("columns not used: " + ", ".join(called) in said for said in report.warnings)


def test_a_column_whose_name_another_has_already_gets_a_longer_one():
    assert beside.called(["a", "source_row", "Source_Row of the source"]) == {
        "a": "a", "source_row": "source_row of the source of the source",
        "Source_Row of the source": "Source_Row of the source",
    }  # fmt: skip


def test_a_mapping_names_it_as_it_is_called_here(tmp_path):
    (tmp_path / "events.csv").write_text("patient_id,time,code,source_row\n1,2024-01-01,crp,5\n")
    (tmp_path / "m.yaml").write_text("columns: {value: source_row of the source}\n")
    with store.connect(":memory:") as con:
        ingested(con, tmp_path / "events.csv", load.load([]).concepts, mapping=tmp_path / "m.yaml")
        assert con.sql("SELECT value FROM event").fetchall() == [(5,)]

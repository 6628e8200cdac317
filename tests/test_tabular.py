"""CSV and Parquet tables through a mapping: encodings, types, parts, and what stays when concepts change later.

What becomes of every kind of bad table is in tests/dirt/mapping.yaml.
"""

import gzip
from pathlib import Path

import duckdb
import pytest

from timeline import ingest, store
from timeline.errors import ExtractError
from timeline.ingest import IngestReport, remap
from timeline.ingest.mapping import Mapping, Table, Writing
from timeline.ingest.native import TABLES, stage
from timeline.ingest.staged import EVENT_COLUMNS, PATIENT_COLUMNS
from timeline.rules import Concept

CONCEPTS = {
    concept.name: concept
    for concept in (
        Concept(name="warmth", units=("Cel",), plausible=(25.0, 45.0)),
        Concept(name="device", units=("L/min",), words=("none", "mask")),
        Concept(name="drug", any_unit=True),
    )
}


@pytest.fixture
def loaded(tmp_path: Path):
    """Ingest a folder through a mapping given as text; return the study and the report."""
    folder = tmp_path / "extract"
    folder.mkdir()

    def load(mapping: str, concepts=CONCEPTS, **options) -> tuple[duckdb.DuckDBPyConnection, IngestReport]:
        path = tmp_path / "m.yaml"
        path.write_text(mapping, encoding="utf-8")
        con = options.pop("con", None) or store.connect(":memory:")
        return con, ingest.ingest(con, folder, concepts, mapping=path, **options)

    return folder, load


def rows(con: duckdb.DuckDBPyConnection, columns: str) -> list[tuple]:
    return con.execute(f"SELECT {columns} FROM event ORDER BY source_file, source_row").fetchall()


LINES = "patient_id\ttime\tcode\tvalue\ttext\nP1\t2024-01-01 08:00\tdrug\t5\tÄrzte μg\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ward.tsv", LINES.encode("utf-16")),
        ("ward.txt.gz", gzip.compress(LINES.encode("utf-16"), mtime=0)),
        ("ward", LINES.encode("utf-16")),
    ],
)
def test_tabs_and_another_encoding_under_any_ending(loaded, name, content):
    folder, load = loaded
    (folder / name).write_bytes(content)
    con, report = load("read: {delimiter: tab, encoding: utf-16}\ntables: {ward: {}}\n")
    assert rows(con, "value, text, source_file") == [(5.0, "Ärzte μg", name)]
    assert report.sources[0].reconciles


def test_a_compressed_file_in_another_encoding_is_refused_or_found_cut_short(loaded):
    folder, load = loaded
    mapping = "read: {encoding: latin-1}\ntables: {ward: {}}\n"
    (folder / "ward.csv.gz").write_bytes(gzip.compress(b"patient_id,time,code\n" * 100, mtime=0)[:-9])
    with pytest.raises(ExtractError, match="ward.csv.gz: the file is damaged or cut short"):
        load(mapping)
    (folder / "ward.csv.gz").unlink()
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 1 AS a) TO '{folder / 'ward.csv.zst'}' (FORMAT csv, COMPRESSION zstd)")
    with pytest.raises(ExtractError, match="ward.csv.zst: a .zst file is read in UTF-8 only"):
        load(mapping)


def test_anchors_and_values_of_parquet_keep_their_types(loaded):
    folder, load = loaded
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT * FROM (VALUES
            ('P1', DATE '2024-01-01', 90, TIME '10:00', 'nan'::FLOAT, 38.4::FLOAT),
            ('P1', DATE '2024-01-02', NULL, TIME '11:30', 2.5::FLOAT, NULL))
            AS t(patient_id, admitted, minutes, clock, flow, temp)) TO '{folder / "chart.parquet"}' (FORMAT parquet)""")
    con, report = load(
        "tables:\n  chart:\n    columns:\n      time: [admitted, clock]\n"
        "      end_time: {offset: minutes, unit: minute, anchor: admitted}\n"
        "    values: {temp: {code: warmth, unit: Cel}, flow: device}\n"
    )
    assert rows(con, 'concept, value, CAST("time" AS VARCHAR), CAST(end_time AS VARCHAR), source_file, source_row') == [
        ("device", 2.5, "2024-01-02 11:30:00", None, "chart.parquet#flow", 2),
        ("warmth", 38.4, "2024-01-01 10:00:00", "2024-01-01 01:30:00", "chart.parquet#temp", 1),
    ]
    assert [source.rows_read for source in report.sources] == [1, 1]


def test_anchors_with_an_offset_from_utc_are_no_anchors(loaded):
    folder, load = loaded
    (folder / "events.csv").write_text("patient_id,t0,min,code\nP1,2024-01-01T08:00Z,5,drug\n")
    con, _ = load("columns: {time: {offset: min, unit: minute, anchor: t0}}\n")
    assert con.execute("SELECT reason FROM meta.rejected").fetchall() == [
        ("time cannot be read; write it as 2024-01-31 13:45",)
    ]


def test_a_wide_column_that_is_gone_goes_with_replace(loaded):
    folder, load = loaded
    mapping = "tables: {chart: {values: {temp: warmth, dev: device}}}\n"
    (folder / "chart.csv").write_text("patient_id,time,temp,dev\nP1,2024-01-01,38,mask\n")
    con, first = load(mapping)
    assert first.events == 2 and first.repeats == 0
    with pytest.raises(ExtractError, match="was ingested with another mapping; `--replace` puts it"):
        load("tables: {chart: {values: {temp: warmth}}}\n", con=con)
    _, second = load("tables: {chart: {values: {temp: warmth}}}\n", con=con, replace=True)
    assert sorted(second.replaced) == ["chart.csv#dev", "chart.csv#temp"]
    assert rows(con, "concept") == [("warmth",)]


def test_words_and_wrong_labels_stay_translated_when_concepts_come_later(loaded):
    folder, load = loaded
    (folder / "events.csv").write_text(
        "patient_id,time,code,value,unit,text\nP1,2024-01-01,ear,100.4,Cel,\nP1,2024-01-01,tube,2,,OM\n"
    )
    mapping = (
        'codes: {ear: {concept: warmth, mislabelled: {Cel: "[degF]"}}, tube: device}\nwords: {device: {om: mask}}\n'
    )
    con, report = load(mapping, concepts={})
    assert report.relabelled == ()
    assert rows(con, "concept, value, text") == [(None, 100.4, None), (None, 2.0, "mask")]
    assert remap(con, CONCEPTS).events == 2
    assert rows(con, "concept, value, text") == [("warmth", 38.0, None), ("device", 2.0, "mask")]
    assert remap(con, CONCEPTS).events == 0


def test_what_is_read_is_told_with_its_type(tmp_path):
    (tmp_path / "events.csv").write_text("patient_id,when,minutes,code,value\n")
    with duckdb.connect() as con:
        mapping = Mapping(name="m", columns={"time": "when"})
        [native] = stage(con, tmp_path, mapping, "a")
        assert [(field.name, field.type) for field in native.reads] == [
            ("patient_id", "VARCHAR"), ("when", "TIMESTAMP"), ("code", "VARCHAR"), ("value", "VARCHAR"),
        ]  # fmt: skip
        declared = mapping.model_copy(update={"tables": {"events": Table(read=Writing(dates=("%d.%m.%Y",)))}})
        [other] = stage(con, tmp_path, declared, "b")
        assert {field.name: field.type for field in other.reads}["when"] == "VARCHAR"
    assert {kind: tuple(field.name for field in fields) for kind, fields in TABLES.items()} == {
        "events": EVENT_COLUMNS, "patients": PATIENT_COLUMNS,
    }  # fmt: skip


def test_a_folder_of_which_nothing_is_a_table_is_said(tmp_path):
    (tmp_path / "notes.csv").write_text("a\n1\n")
    path = tmp_path / "m.yaml"
    path.write_text("tables: {labs: {}}\n")
    with pytest.raises(ExtractError, match="no events here; .* or with the `tables` of the mapping m.yaml"):
        ingest.ingest(store.connect(":memory:"), tmp_path, CONCEPTS, mapping=path)

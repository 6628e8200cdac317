"""CSV and Parquet tables through a mapping: encodings, types, parts, and what stays when concepts change later.

What becomes of every kind of bad table is in tests/dirt/mapping.yaml.
"""

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from timeline import ingest, load, store
from timeline.errors import ExtractError
from timeline.ingest import IngestReport, remap
from timeline.ingest.mapping import Mapping, Table, Writing
from timeline.ingest.native import TABLES, stage
from timeline.ingest.staged import EVENT_COLUMNS, PATIENT_COLUMNS
from timeline.rules import Concept
from timeline.shipped import folder

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
    extract = tmp_path / "extract"
    extract.mkdir()

    def read(mapping: str, concepts=CONCEPTS, **options) -> tuple[duckdb.DuckDBPyConnection, IngestReport]:
        path = tmp_path / "m.yaml"
        path.write_text(mapping, encoding="utf-8")
        con = options.pop("con", None) or store.connect(":memory:")
        return con, ingest.ingest(con, extract, concepts, mapping=path, **options)

    return extract, read


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
    extract, read = loaded
    (extract / name).write_bytes(content)
    con, report = read("read: {delimiter: tab, encoding: utf-16}\ntables: {ward: {}}\n")
    assert rows(con, "value, text, source_file") == [(5.0, "Ärzte μg", name)]
    assert report.sources[0].reconciles


def test_a_compressed_file_in_another_encoding_is_read_or_found_cut_short(loaded):
    extract, read = loaded
    mapping = "read: {encoding: latin-1}\ntables: {ward: {}}\n"
    (extract / "ward.csv.gz").write_bytes(gzip.compress(b"patient_id,time,code\n" * 100, mtime=0)[:-9])
    with pytest.raises(ExtractError, match="ward.csv.gz: the file is damaged or cut short"):
        read(mapping)
    (extract / "ward.csv.gz").unlink()
    whole = pa.compress("patient_id,time,code,text\nP1,2024-01-01,tube,Ärzte\n".encode("latin-1"), "zstd", asbytes=True)
    (extract / "ward.csv.zst").write_bytes(whole)
    con, _ = read(mapping)
    assert rows(con, "text, source_file") == [("Ärzte", "ward.csv.zst")]
    (extract / "ward.csv.zst").write_bytes(whole[:-5])
    with pytest.raises(ExtractError, match="ward.csv.zst: the file is damaged or cut short"):
        read(mapping)


def test_anchors_and_values_of_parquet_keep_their_types(loaded):
    extract, read = loaded
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT * FROM (VALUES
            ('P1', DATE '2024-01-01', 90, TIME '10:00', 'nan'::FLOAT, 38.4::FLOAT),
            ('P1', DATE '2024-01-02', NULL, TIME '11:30', 2.5::FLOAT, NULL))
            AS t(patient_id, admitted, minutes, clock, flow, temp))
            TO '{extract / "chart.parquet"}' (FORMAT parquet)""")
    con, report = read(
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
    extract, read = loaded
    (extract / "events.csv").write_text("patient_id,t0,min,code\nP1,2024-01-01T08:00Z,5,drug\n")
    con, _ = read("columns: {time: {offset: min, unit: minute, anchor: t0}}\n")
    assert con.execute("SELECT reason FROM meta.rejected").fetchall() == [
        ("time cannot be read; `min` is a number of minutes after `t0`, a time without an offset from UTC",)
    ]


def test_instants_of_another_table_are_no_anchors(loaded):
    extract, read = loaded
    (extract / "labs.csv").write_text("patient_id,min,code\nP1,5,drug\n")
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT 'P1' AS patient_id, 'F' AS sex, TIMESTAMPTZ '2024-01-01 08:00:00+00' AS t0)
            TO '{extract / "people.parquet"}' (FORMAT parquet)""")
    con, _ = read(
        "tables:\n  people: {kind: patients}\n"
        "  labs: {columns: {time: {offset: min, unit: minute, anchor: t0, table: people}}}\n"
    )
    assert con.execute("SELECT reason FROM meta.rejected").fetchall() == [
        (
            "the patient's `t0` of people.parquet, from which time is counted, cannot be read; "
            "write it as 2024-01-31 13:45, without an offset from UTC",
        )
    ]


def test_anchors_of_another_table_are_those_of_the_same_row_and_their_change_is_seen(loaded):
    extract, read = loaded
    people = "who,infused,t1\nP1,2024-01-31 09:30,x\nP2,2024-02-01 08:00,y\n"
    (extract / "people.csv").write_text(people)
    (extract / "beside.csv").write_text(
        "pid,min,in\nP1,90,2024-01-31 09:30\nP1,-5,2024-01-31 09:30\nP2,1.5,2024-02-01 08:00\n"
    )
    (extract / "apart.csv").write_text("pid,min\nP1,90\nP1,-5\nP2,1.5\n")
    mapping = (
        "tables:\n"
        "  beside: {code: drug, columns: {patient_id: pid, time: {offset: min, unit: minute, anchor: in}}}\n"
        "  apart:\n    code: drug\n    columns: {patient_id: pid,"
        " time: {offset: min, unit: minute, anchor: infused, table: people}}\n"
        "  people: {kind: patients, columns: {patient_id: who}}\n"
    )
    con, report = read(mapping)
    found = rows(con, 'source_file, source_row, patient_id, CAST("time" AS VARCHAR)')
    assert [row[1:] for row in found[:3]] == [row[1:] for row in found[3:]] and len(found) == 6
    assert "people.csv: columns not used: t1" in report.warnings
    (extract / "people.csv").write_text(people.replace("09:30", "10:30"))
    with pytest.raises(ExtractError, match="is not the file of this name that the study holds"):
        read(mapping, con=con)
    _, again = read(mapping, con=con, replace=True)
    assert sorted(again.replaced) == ["apart.csv", "people.csv"] and again.unchanged == ("beside.csv",)
    assert rows(con, 'CAST("time" AS VARCHAR)')[0] == ("2024-01-31 12:00:00",)


def test_a_wide_column_that_is_gone_goes_with_replace(loaded):
    extract, read = loaded
    mapping = "tables: {chart: {values: {temp: warmth, dev: device}}}\n"
    (extract / "chart.csv").write_text("patient_id,time,temp,dev\nP1,2024-01-01,38,mask\n")
    con, first = read(mapping)
    assert first.events == 2 and first.repeats == 0
    with pytest.raises(ExtractError, match="was ingested with another mapping; `--replace` puts it"):
        read("tables: {chart: {values: {temp: warmth}}}\n", con=con)
    _, second = read("tables: {chart: {values: {temp: warmth}}}\n", con=con, replace=True)
    assert sorted(second.replaced) == ["chart.csv#dev", "chart.csv#temp"]
    assert rows(con, "concept") == [("warmth",)]


def test_words_and_wrong_labels_stay_translated_when_concepts_come_later(loaded):
    extract, read = loaded
    (extract / "events.csv").write_text(
        "patient_id,time,code,value,unit,text\nP1,2024-01-01,ear,100.4,Cel,\nP1,2024-01-01,tube,2,,OM\n"
        "P1,2024-01-01,tube,4,,\n"
    )
    mapping = (
        'codes: {ear: {concept: warmth, mislabelled: {Cel: "[degF]"}}, tube: device}\n'
        "words: {device: {om: mask, 4: tube}}\n"
    )
    con, report = read(mapping, concepts={})
    assert report.relabelled == ()
    assert rows(con, "concept, value, text") == [
        (None, 100.4, None),
        (None, 2.0, "mask"),
        (None, None, "tube"),
    ]
    assert remap(con, CONCEPTS).events == 3
    assert rows(con, "concept, value, text") == [
        ("warmth", 38.0, None),
        ("device", 2.0, "mask"),
        ("device", None, "tube"),
    ]
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


def test_the_shipped_mapping_of_sdtm_reads_results_as_collected(tmp_path):
    sql = {
        "lb": """('01-1', '2014-01-02T10:30', 'PLAT', '210', 'THOU/uL'),
            ('01-1', '2014-01-02', 'WBC', '<0.5', 'THOU/uL'),
            ('01-1', '2014-01', 'WBC', '5', 'THOU/uL'), ('01-1', '2014-01-02', 'KETONES', '0', 'NO UNITS'))
            AS t(USUBJID, LBDTC, LBTESTCD, LBORRES, LBORRESU)""",
        "vs": """('01-1', '2014-01-02', 'TEMP', '100.4', 'F', NULL),
            ('01-1', '2014-01-02', 'PULSE', NULL, NULL, 'NOT DONE'))
            AS t(USUBJID, VSDTC, VSTESTCD, VSORRES, VSORRESU, VSSTAT)""",
        "dm": "('01-1', 'F', '1950-02')) AS t(USUBJID, SEX, BRTHDTC)",
    }
    with duckdb.connect() as con:
        for name, values in sql.items():
            file = tmp_path / f"{name}.parquet"
            con.execute(f"COPY (SELECT * FROM (VALUES {values}) TO '{file}' (FORMAT parquet)")
    con = store.connect(":memory:")
    ingest.ingest(con, tmp_path, load.load([]).concepts, mapping=folder("data") / "mappings" / "sdtm_lb.yaml")
    assert rows(con, "concept, value, unit, bound, date_only") == [
        ("platelets", 210.0, "10*9/L", None, False), ("leukocytes", 0.5, "10*9/L", "<", True),
        (None, 0.0, None, None, True), ("temperature", 38.0, "Cel", None, True),
    ]  # fmt: skip
    assert con.execute("SELECT source_file, source_row, reason FROM meta.rejected ORDER BY ALL").fetchall() == [
        ("dm.parquet", 1, "birth_date cannot be read; write it as 1960-12-31"),
        ("lb.parquet", 3, "time cannot be read; write it as 2024-01-31 13:45"),
        ("vs.parquet", 2, "status 'NOT DONE' is not kept by the mapping sdtm_lb.yaml"),
    ]


HOSPITAL = {
    "patients": "patient_id,display_name,age,sex\nF-1,Patient1 Test,60,F\n",
    "vital_signs": "patient_id,timestamp,temperature,heart_rate,systolic_bp,diastolic_bp,respiratory_rate,spo2,"
    "pain_score,consciousness_level,on_supplemental_oxygen,oxygen_flow_rate_lpm,nursing_note,data_source,news2_score,"
    "gcs_score\nF-1,2024-06-15T17:59:20.613810,39.5,98,90,50,23,89.5,7,V,True,2.9,febrile,manual,,\n"
    "F-1,2024-06-15T18:34:20.613810,40.3,,,,,,,,False,,recheck,manual,,\n",
    "lab_results": "patient_id,lab_name,result_datetime,value,unit,flag\n"
    "F-1,WBC,2024-06-15T18:56:53.547683,12270.0,/uL,H\n"
    "F-1,Plt,2024-06-15T18:27:22.401318,228.0,10*3/uL,\n",
    "medication_administrations": "patient_id,drug_name,scheduled_datetime,actual_datetime,status,dose,route\n"
    "F-1,Vancomycin,2024-06-15T18:15:00,2024-06-15T18:21:32.615000,given,20.0mg/kg DAILY,IV\n"
    "F-1,Vancomycin,2024-06-16T18:15:00,,refused,20.0mg/kg DAILY,IV\n",
    "encounters": "encounter_id,patient_id,encounter_type,status,admission_datetime,discharge_datetime\n"
    "E-1,F-1,inpatient,completed,2024-06-15T17:25:00,2024-07-03T13:25:00\n",
    "microbiology": "patient_id,collected_datetime,growth,organism_snomed\nF-1,2024-06-15T17:25:00,True,78065002\n"
    "F-1,2024-06-16T17:25:00,False,\n",
    "procedures": "patient_id,procedure_code,start_datetime,end_datetime\n"
    "F-1,51702,2024-06-15T22:26:28,2024-06-15T22:55:28\n",
    "orders": "order_id,patient_id\nO-1,F-1\n",
}  # fmt: skip
"""The shape of the files that `clinosim --format csv` writes, by hand."""


def test_the_shipped_mapping_of_a_hospitals_csv_reads_wide_and_long_tables(tmp_path):
    for name, text in HOSPITAL.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    con = store.connect(":memory:")
    mapping = folder("data") / "mappings" / "clinosim_csv.yaml"
    report = ingest.ingest(con, tmp_path, load.load([]).concepts, mapping=mapping)
    assert all(source.reconciles for source in report.sources)
    found = rows(con, "split_part(source_file, '.', 1), concept, value, text, route")
    assert [row[1:] for row in found if row[0] == "vital_signs"] == [
        ("consciousness", None, "voice", None), ("diastolic_bp", 50.0, None, None), ("heart_rate", 98.0, None, None),
        ("oxygen_flow", 2.9, None, None), (None, 7.0, None, None), ("respiratory_rate", 23.0, None, None),
        ("spo2", 89.5, None, None), ("systolic_bp", 90.0, None, None), ("temperature", 39.5, None, None),
        ("temperature", 40.3, None, None),
    ]  # fmt: skip
    assert [row[1:] for row in found if row[0] in ("lab_results", "encounters", "microbiology")] == [
        ("hospitalization", None, None, None), ("leukocytes", 12.27, None, None), ("platelets", 228.0, None, None),
        ("infection", None, "78065002", None),
    ]  # fmt: skip
    assert [row[1:] for row in found if row[0].startswith("medication")] == [
        (None, None, "20.0mg/kg DAILY", "intravenous")
    ]
    assert con.execute("SELECT source_file, source_row, reason FROM meta.rejected ORDER BY ALL").fetchall() == [
        ("medication_administrations.csv", 2, "status 'refused' is not kept by the mapping clinosim_csv.yaml"),
        ("microbiology.csv", 2, "left out by `where` of the mapping clinosim_csv.yaml"),
    ]


def test_a_code_that_an_unchanged_file_of_the_study_has_is_not_told_as_unmet(tmp_path):
    folder = tmp_path / "extract"
    folder.mkdir()
    for name, code in (("events_a.csv", "A"), ("events_b.csv", "B")):
        (folder / name).write_text(f"patient_id,time,code,value,unit\nP1,2024-01-01 08:00,{code},1,\n")
    (tmp_path / "m.yaml").write_text("title: m\ncodes: {A: crp, B: ferritin, C: crp}\n")
    con, concepts = store.connect(":memory:"), load.load([]).concepts
    ingest.ingest(con, folder, concepts, mapping=tmp_path / "m.yaml")
    (folder / "events_b.csv").write_text("patient_id,time,code,value,unit\nP1,2024-01-01 08:00,B,2,\n")
    report = ingest.ingest(con, folder, concepts, mapping=tmp_path / "m.yaml", replace=True)
    assert report.unchanged == ("events_a.csv",)
    assert [one for one in report.warnings if "no row has" in one] == ["mapping m.yaml: codes that no row has: C"]

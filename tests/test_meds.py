"""MEDS folders and MEDS-like Parquet, as far as they are staged: files, columns, values, what their metadata says."""

from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from timeline import store
from timeline.errors import ExtractError
from timeline.ingest import ingest, meds
from timeline.ingest.mapping import Mapping, Pattern, Target
from timeline.ingest.staged import CodeMapping
from timeline.rules import Concept

SCHEMA = {
    "subject_id": pl.Int64, "time": pl.Datetime("us"), "code": pl.String, "numeric_value": pl.Float32,
    "text_value": pl.String,
}  # fmt: skip
ROWS = [
    (1, None, "GENDER//F", None, None),
    (1, datetime(1950, 2, 1), "MEDS_BIRTH", None, None),
    (1, datetime(2020, 1, 1, 8), "temp", 100.4, None),
    (1, datetime(2020, 1, 1, 9), "anc", None, "<0.5"),
    (1, datetime(2020, 1, 1, 9), "anc", float("nan"), None),
    (1, datetime(2020, 1, 1, 10), "device", 2.0, "nasal_cannula"),
]


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """A conform folder of two shards, with metadata."""
    root = tmp_path / "meds"
    for name, rows in {"train/0": ROWS[:4], "held_out/0": ROWS[4:]}.items():
        path = root / "data" / f"{name}.parquet"
        path.parent.mkdir(parents=True)
        pl.DataFrame(rows, SCHEMA, orient="row").write_parquet(path)
    (root / "metadata").mkdir()
    codes = {
        "code": ["temp", "anc", "device"],
        "description": ["Body temperature", None, None],
        "parent_codes": [["LOINC/8310-5", "SNOMED/386725007"], ["LOINC/751-8"], None],
    }
    pl.DataFrame(codes).write_parquet(root / "metadata" / "codes.parquet")
    return root


def values(con, staged):
    columns = staged.columns
    picked = f"source_row, {columns['value']}, {columns['text']}"
    return con.sql(f"SELECT {picked} FROM {staged.relation} ORDER BY source_row").fetchall()


def mapping_of(staged) -> CodeMapping:
    assert staged.mapping is not None
    return staged.mapping


def test_claims_what_has_subjects_and_codes(extract, tmp_path):
    assert meds.claims(extract)
    assert meds.claims(extract / "data" / "train" / "0.parquet")
    assert meds.claims(extract / "data" / "train")
    pl.DataFrame({"patient_id": ["a"], "code": ["x"]}).write_parquet(tmp_path / "native.parquet")
    (tmp_path / "events.csv").write_text("subject_id,code\n")
    (tmp_path / "no.parquet").write_text("PAR1 or not")
    assert [meds.claims(tmp_path / name) for name in ("native.parquet", "events.csv", "no.parquet", "x")] == [False] * 4


def test_shards_are_staged_by_name_without_the_metadata(extract):
    with duckdb.connect() as con:
        staged = meds.stage(con, extract, None, "s")
    assert [one.source_file for one in staged] == ["data/held_out/0.parquet", "data/train/0.parquet"]
    assert {one.own for one in staged} == {tuple(SCHEMA)}
    assert {(one.format, one.kind, one.notes) for one in staged} == {("meds", "events", ())}


def test_values_keep_their_shortest_decimal_and_their_words(extract):
    with duckdb.connect() as con:
        held_out, train = meds.stage(con, extract, None, "s")
        assert values(con, train) == [(1, None, None), (2, None, None), (3, "100.4", None), (4, "<0.5", None)]
        assert values(con, held_out) == [(1, None, None), (2, "2.0", "nasal_cannula")]


def test_metadata_gives_parents_and_the_standard_the_birth_code(extract):
    with duckdb.connect() as con:
        mapping = mapping_of(meds.stage(con, extract, None, "s")[0])
    temp, device, birth = mapping.decode(["temp", "device", "MEDS_BIRTH"])
    assert (temp.key, temp.parents) == ("temp", ("LOINC/8310-5", "SNOMED/386725007"))
    assert (device.parents, birth.fact, birth.fact_value) == ((), "birth_date", None)


def test_metadata_gives_units_and_descriptions_and_the_mapping_goes_before(extract):
    codes = {"code": ["temp", "anc"], "description": ["Body temperature", " "], "ucum": ["[degF]", None]}
    pl.DataFrame(codes).write_parquet(extract / "metadata" / "codes.parquet")
    given = Mapping(name="m.yaml", codes={"anc": Target(concept="neutrophils", unit="/uL")})
    with duckdb.connect() as con:
        mapping = mapping_of(meds.stage(con, extract, given, "s")[0])
        assert meds.descriptions(con, extract) == {"temp": "Body temperature"}
    assert [code.unit for code in mapping.decode(["temp", "anc", "device"])] == ["[degF]", "/uL", None]


def test_the_folder_of_data_alone_is_read_with_its_metadata(extract):
    with duckdb.connect() as con:
        for path, names in (
            (extract / "data", ["held_out/0.parquet", "train/0.parquet"]),
            (extract, ["data/held_out/0.parquet", "data/train/0.parquet"]),
        ):
            assert meds.claims(path)
            staged = meds.stage(con, path, None, "s")
            assert [one.source_file for one in staged] == names
            assert mapping_of(staged[0]).decode(["temp"])[0].parents == ("LOINC/8310-5", "SNOMED/386725007")


def test_a_change_of_the_metadata_alone_is_noticed_and_replaces(extract):
    with store.connect(":memory:") as con:
        ingest(con, [extract], CONCEPTS)
        assert ingest(con, [extract], CONCEPTS).sources == ()
        codes = {"code": ["temp"], "parent_codes": [["LOINC/8310-5"]], "unit": ["[degF]"]}
        pl.DataFrame(codes).write_parquet(extract / "metadata" / "codes.parquet")
        with pytest.raises(ExtractError, match="is not the file of this name that the study holds"):
            ingest(con, [extract], CONCEPTS)
        report = ingest(con, [extract], CONCEPTS, replace=True)
        assert len(report.replaced) == 2
        found = con.execute("SELECT concept, value FROM event WHERE code IN ('temp', 'anc') ORDER BY code, value")
        assert found.fetchall() == [(None, 0.5), (None, None), ("temperature", 38.0)]


def test_a_mapping_goes_before_the_standard_and_keeps_the_parents(extract):
    given = Mapping(name="m.yaml", patterns=(Pattern(match="MEDS_BIRTH"),), codes={"device": Target(concept="tube")})
    with duckdb.connect() as con:
        mapping = mapping_of(meds.stage(con, extract, given, "s")[0])
    birth, device, temp = mapping.decode(["MEDS_BIRTH", "device", "temp"])
    assert (birth.fact, device.concept, temp.parents[0]) == (None, "tube", "LOINC/8310-5")


def test_a_meds_like_file_through_a_mapping_of_columns(tmp_path):
    path = tmp_path / "events.parquet"
    frame = {"pid": [1], "time": [datetime(2020, 1, 1)], "code": ["a"], "val": [100.4], "table": ["x"], "unit": ["Cel"]}
    pl.DataFrame(frame, schema_overrides={"val": pl.Float32}).write_parquet(path)
    mapping = Mapping(name="m.yaml", columns={"patient_id": "pid", "value": "val"})
    with duckdb.connect() as con:
        [staged] = meds.stage(con, path, mapping, "s")
        kind = con.sql(f"SELECT {staged.columns['value']} AS v FROM {staged.relation}").types[0]
    assert staged.source_file == "events.parquet"
    assert dict(staged.columns) == {
        "patient_id": '"pid"', "time": '"time"', "code": '"code"', "value": '"val"', "unit": '"unit"',
    }  # fmt: skip
    assert str(kind) == "FLOAT"
    assert staged.notes == ("columns not used: table",)


def test_messages_name_the_file_the_column_and_the_way_out(tmp_path):
    with duckdb.connect() as con:
        pl.DataFrame({"subject_id": [1], "time": [datetime(2020, 1, 1)]}).write_parquet(tmp_path / "a.parquet")
        with pytest.raises(ExtractError) as caught:
            meds.stage(con, tmp_path / "a.parquet", None, "s")
        assert str(caught.value) == (
            "a.parquet: no column `code` (for code); the file has subject_id, time. "
            "Another name is given under `columns` of a mapping file (--mapping)"
        )
        (tmp_path / "b.parquet").write_text("not one")
        with pytest.raises(ExtractError, match=r"b.parquet: this is not a Parquet file, or it is damaged"):
            meds.stage(con, tmp_path / "b.parquet", None, "s")
        with pytest.raises(ExtractError, match="no Parquet file here; a MEDS extract has data"):
            meds.stage(con, tmp_path / "none", None, "s")


CONCEPTS = {
    "temperature": Concept(name="temperature", units=("Cel",), plausible=(25, 45), codes=("LOINC/8310-5",)),
    "neutrophils": Concept(name="neutrophils", units=("10*9/L",), codes=("LOINC/751-8",)),
    "device": Concept(name="device", units=("L/min",), words=("nasal_cannula",)),
    "eye_colour": Concept(name="eye_colour", static=True),
}


def test_a_conform_folder_becomes_events_by_what_its_metadata_says(extract):
    """No unit is written in MEDS: 100.4 counts as Celsius, so it is kept as implausible, never turned into 38."""
    with store.connect(":memory:") as con:
        report = ingest(con, [extract], CONCEPTS)
        events = con.execute(
            'SELECT source_row, "time", concept, value, bound, text, implausible FROM event '
            "ORDER BY source_file DESC, source_row"
        ).fetchall()
        born = con.execute("SELECT CAST(patient_id AS VARCHAR), birth_date FROM patient").fetchall()
        rejected = con.execute("SELECT source_file, source_row, reason FROM meta.rejected").fetchall()
    assert [(s.rows_read, s.rows_loaded, s.rows_duplicate, s.rows_rejected) for s in report.sources] == [
        (2, 2, 0, 0), (4, 3, 0, 1),
    ]  # fmt: skip
    assert events == [
        (3, datetime(2020, 1, 1, 8), "temperature", 100.4, None, None, True),
        (4, datetime(2020, 1, 1, 9), "neutrophils", 0.5, "<", None, False),
        (1, datetime(2020, 1, 1, 9), "neutrophils", None, None, None, False),
        (2, datetime(2020, 1, 1, 10), "device", 2.0, None, "nasal_cannula", False),
    ]
    assert born == [("1", datetime(1950, 2, 1).date())]
    assert rejected == [("data/train/0.parquet", 1, "time is empty, and the code is mapped to no baseline fact")]


def test_a_mapping_gives_what_a_folder_leaves_out(extract):
    path = extract.parent / "m.yaml"
    path.write_text(
        "patterns: [{match: GENDER//(?P<value>.), fact: patient.sex}]\n"
        'codes: {temp: {concept: temperature, unit: "[degF]"}, tmp: temperature, pulse: heart_rate}\n'
    )
    with store.connect(":memory:") as con:
        report = ingest(con, [extract], CONCEPTS, mapping=path)
        value = con.execute("SELECT value, implausible FROM event WHERE concept = 'temperature'").fetchall()
        patient = con.execute("SELECT sex, birth_date FROM patient").fetchall()
    assert sum(source.rows_rejected for source in report.sources) == 0
    assert value == [(38.0, False)]
    assert report.warnings == (
        "mapping m.yaml: concepts not in force: heart_rate (line 2); "
        "a run with the rules that declare them maps their events",
        "mapping m.yaml: codes that no row has: tmp, pulse",
    )
    assert patient == [("F", datetime(1950, 2, 1).date())]


@pytest.mark.parametrize("said", [(True, False, None), (1, 0, None), (1.0, 0.0, None), ("true", "False", "")])
def test_columns_beside_the_standard_are_read_in_any_type(tmp_path, said):
    """`date_only` says that midnight is no hour; what it leaves empty stays as exact as it is written."""
    midnight = datetime(2020, 1, 1)
    frame = pl.DataFrame(
        {
            "subject_id": [1, 2, 3], "time": [midnight] * 3, "code": ["anc"] * 3, "numeric_value": [1.0, 2.0, 3.0],
            "unit": ["10*9/L"] * 3, "route": ["iv"] * 3, "end_time": [datetime(2020, 1, 2)] * 3, "date_only": said,
        }
    )  # fmt: skip
    assert set(frame.columns) <= {field.name for field in meds.TABLES["data"]}, "docs/formats.md lists what is read"
    (tmp_path / "data").mkdir()
    frame.write_parquet(tmp_path / "data" / "0.parquet")
    with store.connect(":memory:") as con:
        ingest(con, [tmp_path], CONCEPTS)
        found = con.execute(
            'SELECT date_only, "time", end_time, value, source_unit, route FROM meta.event ORDER BY patient_id'
        ).fetchall()
    rest = (midnight, datetime(2020, 1, 2))
    assert found == [(n == 1, *rest, float(n), "10*9/L", "iv") for n in (1, 2, 3)]

"""Sources against what their formats declare: each promise judged, kept in meta.conformance, told as numbers only."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
from pandera.errors import SchemaErrors

from timeline import ingest, load, store, summaries
from timeline.errors import UsageError
from timeline.ingest import conform
from timeline.ingest.staged import Staged
from timeline.schema import Field


def concepts():
    return load.load([], shipped=False).concepts


def staged(relation: str, *reads: Field) -> Staged:
    return Staged("it", Path("it"), "native", "events", relation, {}, (), reads=reads)


@pytest.fixture
def con():
    made = store.connect(":memory:")
    yield made
    made.close()


def judged(con, relation: str, *reads: Field) -> dict[tuple[str, str], int]:
    found = conform.conform(con, [staged(relation, *reads)])
    stored = con.execute('SELECT source_file, "column", "check", failures, rows FROM meta.conformance').fetchall()
    assert stored == [(one.source_file, one.column, one.check, one.failures, one.rows) for one in found]
    return {(one.column, one.check): one.failures for one in found}


READABLE = [
    # type, text, readable
    *(("TIMESTAMP", text, True) for text in (
        "2024-01-31", "2024-01-31 13:45", "2024-01-31T13:45:10", "2024-01-31 13:45:10.123", " 2024-01-31 13:45 ",
        "2024-01-31T13:45:10Z", "2024-01-31T13:45:10+02:00", "2024-01-31 13:45:10,5")),
    *(("TIMESTAMP", text, False) for text in (
        "31.01.2024", "2024-02-30", "2024-01-31 25:00", "13:45", "soon", "20240131", "2024-01-31 13:45 CET",
        "2024-1-31", "2024-01-31 13:4", "2024-01-31 1:45:10")),
    ("DATE", "1960-12-31", True), ("DATE", "1960-12-31 00:00", True), ("DATE", "31.12.1960", False),
    *(("DOUBLE", text, True) for text in ("5", "-5.25", "1e3", "<0.5", ">= 7", ".5")),
    *(("DOUBLE", text, False) for text in ("1,5", "much", "5 mg", "1e999", "NaN")),
    *(("BIGINT", text, True) for text in ("5", "-9223372036854775808", " 7 ")),
    *(("BIGINT", text, False) for text in ("five", "9223372036854775808", "5 mg")),
    ("VARCHAR", "anything", True),
]  # fmt: skip


@pytest.mark.parametrize(("type", "text", "readable"), READABLE)
def test_text_is_readable_as_its_type_or_counted(con, type, text, readable):
    con.execute("CREATE TABLE it (x VARCHAR, source_row UBIGINT)")
    con.executemany("INSERT INTO it VALUES (?, ?)", [(text, 1), ("", 2), (None, 3)])
    found = judged(con, "it", Field("x", type, ""))
    expected = {("x", "there"): 0} | ({("x", f"readable as {type}"): int(not readable)} if type != "VARCHAR" else {})
    assert found == expected, "an empty text breaks no type"


@pytest.mark.parametrize(("type", "text", "readable"), [one for one in READABLE if one[1] not in ("2024-02-30", "1e999",
    "2024-01-31 25:00", "9223372036854775808")])  # fmt: skip
def test_the_public_schema_reads_text_as_the_ingest_does(type, text, readable):
    """But for numbers of which the writing alone does not say that they are none."""
    schema = conform.schemas("f", {"t": (Field("x", type, "", nullable=True),)})["t"]
    frame = pl.DataFrame({"x": [text, None, ""]})
    if readable:
        assert schema.validate(frame).height == 3
    else:
        with pytest.raises(SchemaErrors, match=f"readable as {type}"):
            schema.validate(frame, lazy=True)


def test_what_must_be_there_and_filled_is_asked(con):
    con.execute("CREATE TABLE it (a VARCHAR, b VARCHAR)")
    con.execute("INSERT INTO it VALUES ('x', NULL), (' ', 'y'), (NULL, 'z')")
    reads = [Field("a", "VARCHAR", "", nullable=False), Field("b", "VARCHAR", ""), Field("c", "VARCHAR", "")]
    found = judged(con, "it", *reads, Field("d", "BIGINT", "", nullable=False))
    assert found == {("d", "there"): 3, ("a", "there"): 0, ("a", "filled"): 2, ("b", "there"): 0}
    texts = conform.warnings(conform.conform(con, [staged("it", *reads, Field("d", "BIGINT", "", nullable=False))]))
    assert texts == ["it: column `d` is missing", "it: column `a` is not filled in 2 of 3 rows"]


def test_a_column_of_the_right_type_is_not_read_again(con):
    con.execute("CREATE TABLE it (t TIMESTAMP, z TIMESTAMPTZ, d DATE, n INTEGER, x FLOAT, l VARCHAR[])")
    con.execute("INSERT INTO it VALUES (now(), now(), today(), 1, 'NaN', ['a'])")
    types = {"t": "TIMESTAMP", "z": "TIMESTAMP", "d": "TIMESTAMP", "n": "DOUBLE", "x": "DOUBLE"}
    reads = [Field(name, type, "", nullable=False) for name, type in types.items()]
    found = judged(con, "it", *reads, Field("l", "VARCHAR[]", ""))
    assert {check for _, check in found} == {"there", "filled"}
    assert {key: n for key, n in found.items() if n} == {("x", "filled"): 1}, "no number is no value"


def test_a_number_is_no_time(con):
    con.execute("CREATE TABLE it AS SELECT 20240131 AS t")
    assert judged(con, "it", Field("t", "TIMESTAMP", ""))["t", "readable as TIMESTAMP"] == 1


def test_names_and_values_are_quoted(con):
    con.execute('CREATE TABLE it ("a.b" VARCHAR, "it\'s ""here""" VARCHAR)')
    con.execute("INSERT INTO it VALUES ('x', '5')")
    found = judged(con, "it", Field("a.b", "BIGINT", "", nullable=False), Field('it\'s "here"', "BIGINT", ""))
    assert found["a.b", "readable as BIGINT"] == 1 and found['it\'s "here"', "readable as BIGINT"] == 0


def test_an_ingest_warns_keeps_and_forgets(con, tmp_path):
    file = tmp_path / "events.csv"
    file.write_text("patient_id,time,code,value\nsecret,03.04.2024,crp,5\n,2024-01-01,crp,5\na,2024-01-01,crp,5\n")
    report = ingest.ingest(con, file, concepts())
    expected = [
        "events.csv: column `patient_id` is not filled in 1 of 3 rows",
        "events.csv: column `time` is not readable as TIMESTAMP in 1 of 3 rows",
    ]
    assert list(report.warnings) == expected
    said = " ".join(summaries.ingest_text(report).split())
    assert all(one in said for one in expected) and "secret" not in said and "03.04" not in said
    assert sum(n for _, n in report.rejected) == 2, "what cannot be used is rejected once"
    assert con.execute("SELECT count(*), sum(failures) FROM meta.conformance").fetchall() == [(7, 2)]
    file.write_text("patient_id,time,code\na,2024-01-01,crp\n")
    ingest.ingest(con, file, concepts(), replace=True)
    assert con.execute("SELECT count(*), sum(failures), max(rows) FROM meta.conformance").fetchall() == [(6, 0, 1)]


def test_renamed_columns_are_judged_under_their_own_names(con, tmp_path):
    (tmp_path / "mapping.yaml").write_text("columns: {time: when, patient_id: who}\n")
    (tmp_path / "events.csv").write_text("who,when,code\na,soon,crp\n")
    report = ingest.ingest(con, tmp_path / "events.csv", concepts(), mapping=tmp_path / "mapping.yaml")
    assert "events.csv: column `when` is not readable as TIMESTAMP in 1 of 1 rows" in report.warnings


def test_a_meds_shard_is_judged(con, tmp_path):
    (tmp_path / "data").mkdir()
    with duckdb.connect() as other:
        other.execute(f"""COPY (SELECT * FROM (VALUES (1::BIGINT, TIMESTAMP '2024-01-01 10:00', 'crp', 5::FLOAT, NULL),
            (NULL, TIMESTAMP '2024-01-01 10:00', 'crp', 5, 'x')) AS t(subject_id, time, code, numeric_value, text_value)
            ) TO '{tmp_path}/data/0.parquet'""")
    report = ingest.ingest(con, tmp_path, concepts())
    assert "data/0.parquet: column `subject_id` is not filled in 1 of 2 rows" in report.warnings


@pytest.mark.parametrize("format", ingest.FORMATS)
def test_every_format_declares_what_it_reads(format):
    module = ingest.module_of(format)
    assert module.TABLES and module.IGNORED
    made = ingest.schemas(format)
    assert set(made) == set(module.TABLES)
    for table, fields in module.TABLES.items():
        assert len({field.name for field in fields}) == len(fields) and all(field.meaning for field in fields)
        assert [name for name, column in made[table].columns.items() if column.required] == [
            field.name for field in fields if not field.nullable
        ]
    assert all(what and why for what, why in module.IGNORED.items())


def test_the_public_schemas_judge_a_frame():
    made = ingest.schemas("native")["events"]
    good = pl.DataFrame({"patient_id": ["a"], "time": ["2024-01-31 13:45"], "code": ["crp"], "more": [1]})
    assert made.validate(good).equals(good)
    with pytest.raises(SchemaErrors) as raised:
        made.validate(pl.DataFrame({"time": ["soon"], "code": [None]}, schema={"time": str, "code": str}), lazy=True)
    reasons = {error.reason_code.name for error in raised.value.schema_errors if error.reason_code}
    assert reasons == {"COLUMN_NOT_IN_DATAFRAME", "SERIES_CONTAINS_NULLS", "DATAFRAME_CHECK"}
    with pytest.raises(UsageError, match="there is no format 'xml'; choose meds, omop, fhir, native"):
        ingest.schemas("xml")

"""pandera at the borders: `validate` counts what a plain loop counts, and says nothing of the values."""

import math
from dataclasses import replace

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandera.config import ValidationDepth, config_context

from timeline import load, schema, store
from timeline.errors import Findings
from timeline.ingest import ingest
from timeline.schema import Field
from timeline.validate import Failure, findings, pandera_schema, polars_type, validate

WORDS = ("<", "<=", "it's", "")
NUMBERS = (None, -1.0, 0.0, 0.5, 1.0, 2.0, math.inf, -math.inf, math.nan)
LIMITS = (None, (None, None), (-1.0, None), (None, 0.5), (-1.0, 1.0), (0.5, 0.5))


def counted(rows, field):
    """What a plain loop finds wrong with a column: the checks broken, and by how many rows."""
    values = [row[field.name] for row in rows]
    low, high = field.between or (None, None)
    broken = {
        "not NULL": sum(v is None or v != v for v in values) if not field.nullable else 0,
        "one of": sum(v is not None and v not in field.one_of for v in values) if field.one_of else 0,
        # as in DuckDB and polars, NaN is greater than any number
        "between": sum(
            v is not None and ((low is not None and v < low) or (high is not None and (v > high or v != v)))
            for v in values
        ),
    }
    return {check: n for check, n in broken.items() if n}


def said(failures, column):
    kinds = {"not": "not NULL", "one": "one of", "between": "between", "at": "between"}
    return {kinds[f.check.split()[0]]: f.failures for f in failures if f.column == column}


fields = st.tuples(
    st.builds(Field, st.just("number"), st.just("DOUBLE"), st.just(""), nullable=st.booleans(),
              between=st.sampled_from(LIMITS)),
    st.builds(Field, st.just("whole"), st.just("INTEGER"), st.just(""), nullable=st.booleans(),
              between=st.sampled_from(LIMITS)),
    st.builds(Field, st.just("word"), st.just("VARCHAR"), st.just(""), nullable=st.booleans(),
              one_of=st.lists(st.sampled_from(WORDS), unique=True).map(tuple)),
)  # fmt: skip
rows = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.sampled_from(NUMBERS),
            "whole": st.sampled_from((None, -2, -1, 0, 1, 2)),
            "word": st.sampled_from((None, *WORDS, "other", "IT'S")),
        }
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(fields, rows, st.booleans())
def test_counts_what_a_plain_loop_counts(fields, rows, ask_rows):
    con = duckdb.connect()
    con.execute("CREATE TABLE t (number DOUBLE, whole INTEGER, word VARCHAR)")
    if rows:
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", [[row["number"], row["whole"], row["word"]] for row in rows])
    failures = validate(con, "t", fields, {"whole.or not": "whole < 2 OR word = 'other'"}, show_values=ask_rows)
    for field in fields:
        assert said(failures, field.name) == counted(rows, field)
    wrong = sum(row["whole"] == 2 and row["word"] not in (None, "other") for row in rows)
    assert [f.failures for f in failures if not f.column] == ([wrong] if wrong else [])
    assert all(f.rows == len(rows) for f in failures)
    assert all(len(f.examples) == (min(f.failures, 5) if ask_rows else 0) for f in failures)


@pytest.fixture
def con():
    con = duckdb.connect()
    con.execute("CREATE TYPE patient_key AS ENUM ('Zebedee', 'Dougal')")
    con.execute("""
        CREATE TABLE t AS SELECT 'Zebedee'::patient_key AS patient_id, NULL::UBIGINT AS event_id, 987654321 AS grade,
            'Zebedee was here' AS bound, [7]::UBIGINT[] AS evidence, 'x' AS extra, '3' AS value""")
    return con


FIELDS = (
    Field("patient_id", schema.PATIENT_KEY, "", nullable=False),
    Field("event_id", "UBIGINT", "", nullable=False),
    Field("grade", "INTEGER", "", between=(0, 5)),
    Field("bound", "VARCHAR", "", one_of=("<", ">")),
    Field("evidence", "UBIGINT[]", "", nullable=False),
    Field("value", "DOUBLE", "", between=(0, 1)),
    Field("time", "TIMESTAMP", ""),
)


def test_all_failures_at_once_and_no_value_among_them(con):
    failures = validate(con, "t", FIELDS, {"peak": "grade < 6"})
    assert sorted(str(failure) for failure in failures) == [
        "column `bound`, one of <, >: broken by 1 of 1 rows",
        "column `event_id`, not NULL: broken by 1 of 1 rows",
        "column `extra` is not declared",
        "column `grade`, between 0 and 5: broken by 1 of 1 rows",
        "column `time` is missing",
        "column `value` is not of type DOUBLE",
    ]
    con.execute("ALTER TABLE t ADD COLUMN time TIMESTAMP")
    failures = validate(con, "t", FIELDS, {"peak": "grade < 6", "unknown": "grade > NULL"})
    assert "check `peak`: broken by 1 of 1 rows" in [str(failure) for failure in failures]
    assert not any("unknown" in str(failure) for failure in failures)
    assert not any(word in repr(failures) for word in ("Zebedee", "987654321"))


def test_rows_come_only_on_request(con):
    failures = validate(con, "t", FIELDS[:5], show_values=True)
    assert [f.examples[0]["grade"] for f in failures if f.column == "grade"] == [987654321]
    shown = findings("t", failures)
    assert any("Zebedee" in finding.message for finding in shown)
    assert not any("Zebedee" in finding.message for finding in findings("t", validate(con, "t", FIELDS[:5])))


def test_a_relation_may_be_a_query_and_a_table_may_be_empty(con):
    assert validate(con, "(SELECT patient_id, evidence FROM t)", (FIELDS[0], FIELDS[4])) == ()
    assert validate(con, "(SELECT event_id, grade FROM t WHERE FALSE)", FIELDS[1:3], {"never": "FALSE"}) == ()
    wrong = validate(con, "(SELECT grade FROM t WHERE FALSE)", (Field("grade", "BIGINT", ""),))
    assert wrong == (Failure("grade", "is not of type BIGINT", 0, 0),)


def test_nulls_of_a_column_of_another_type_are_counted_too(con):
    con.execute("CREATE TABLE u AS SELECT unnest([NULL, 'a', NULL]) AS value")
    failures = validate(con, "u", (Field("value", "DOUBLE", "", nullable=False, between=(0, 1)),))
    assert {(f.check, f.failures) for f in failures} == {("is not of type DOUBLE", 3), ("not NULL", 2)}


@pytest.mark.parametrize("off", [{"validation_enabled": False}, {"validation_depth": ValidationDepth.SCHEMA_ONLY}])
def test_settings_of_pandera_cannot_switch_it_off(con, off):
    with config_context(**off):
        assert len(validate(con, "t", FIELDS)) == 6


def test_every_table_of_a_study_has_a_schema_that_fits_its_ddl():
    con = duckdb.connect()
    con.execute("CREATE SCHEMA meta")
    con.execute("CREATE TYPE patient_key AS ENUM ('a')")
    for table, fields in schema.TABLES.items():
        con.execute(schema.ddl(table))
        assert validate(con, table, fields) == ()


def test_pandera_schema_judges_a_frame_that_polars_read(con):
    from pandera.errors import SchemaErrors

    model = pandera_schema("t", FIELDS[:5])
    good = con.sql("SELECT patient_id, 1::UBIGINT AS event_id, 3 AS grade, '<' AS bound, evidence FROM t").pl()
    assert model.validate(good, lazy=True).equals(good)
    with pytest.raises(SchemaErrors):
        model.validate(good.with_columns(grade=pl.lit(6, pl.Int32)), lazy=True)


@pytest.mark.parametrize(
    "type", ["VARCHAR", "BOOLEAN", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "DOUBLE", "FLOAT", "DATE", "TIME",
             "TIMESTAMP", "DECIMAL(18,3)", "UBIGINT[]", "VARCHAR[]", "UTINYINT", "SMALLINT"]
)  # fmt: skip
def test_types_are_those_that_duckdb_hands_to_polars(type):
    assert duckdb.connect().sql(f"SELECT NULL::{type} AS x").pl().schema["x"] == polars_type(type)


def test_a_type_that_no_column_has_is_named():
    with pytest.raises(ValueError, match="STRUCT"):
        polars_type("STRUCT(a INTEGER)")


def test_an_extract_that_breaks_the_schema_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "events.csv").write_text(
        "patient_id,time,code,value\nZebedee,2024-01-01,crp,500\nDougal,2024-01-01,crp,5\n"
    )
    con, concepts = store.connect(":memory:"), load.load([]).concepts
    narrow = tuple(replace(f, between=(0, 100)) if f.name == "value" else f for f in schema.EVENT)
    with monkeypatch.context() as patched, pytest.raises(Findings) as raised:
        patched.setitem(schema.TABLES, "meta.event", narrow)
        ingest(con, [tmp_path / "events.csv"], concepts)
    assert str(raised.value) == (
        "this extract would break what a study promises; nothing was changed\n"
        "meta.event: column `value`, between 0 and 100: broken by 1 of 2 rows"
    )
    assert con.execute("SELECT count(*) FROM meta.event").fetchall() == [(0,)]
    assert ingest(con, [tmp_path / "events.csv"], concepts).events == 2

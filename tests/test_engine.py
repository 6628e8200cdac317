"""The run as a whole: all or nothing, comments, notes, days, hashes, and the same bits whatever the order of rows."""

from pathlib import Path

import duckdb
import pytest

from timeline import engine, ingest, store
from timeline.compiler import compile_rules
from timeline.errors import Findings, StudyError
from timeline.hashes import rule_hashes
from timeline.load import load, load_text
from timeline.rules import RuleSet

RULES = """
ruleset: {name: small, index: start}
concepts:
  cell: {}
  drug: {unit: mg}
  other: {unit: mg}
  lab: {unit: mg/L}
first_cell: {title: Infusions, from: cell}
start: {title: Day 0, source: a paper, from: first_cell, keep: first}
dose:
  title: Doses
  from: drug
  where: value > $least
  params: {least: {default: 0, unit: mg, meaning: smallest dose}}
  columns:
    mg: {sql: value, unit: mg, meaning: the dose}
    after: {last: lab.value, in: "(time, time + 1h]"}
  checks: {small: mg < 100}
course: {title: Courses, episodes: dose, gap: 24h, columns: {mg: sum(mg)}}
unmet: {title: Never, from: other}
"""
EVENTS = """patient_id,time,code,value,unit
a,2024-01-03 10:00,cell,,
a,2024-01-03 12:00,drug,0.1,mg
a,2024-01-03 23:00,drug,0.2,mg
a,2024-01-05 23:00,drug,0.3,mg
b,2024-01-01 00:00,drug,5,mg
c,2024-01-02 00:00,cell,,
c,2024-01-01 00:00,drug,200,ug
"""


def study(folder: Path, ruleset: RuleSet, events: str = EVENTS) -> duckdb.DuckDBPyConnection:
    (folder / "events.csv").write_text(events)
    con = store.connect(":memory:")
    ingest.ingest(con, folder / "events.csv", ruleset.concepts)
    return con


def rows(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple]:
    return con.execute(f"SELECT * FROM {table} ORDER BY patient_id, number").fetchall()


def test_a_run_that_breaks_a_promise_changes_nothing(tmp_path: Path) -> None:
    ruleset = load_text(RULES)
    con = study(tmp_path, ruleset)
    engine.run(con, ruleset)
    before = {name: rows(con, name) for name in engine.derived_tables(con)}
    broken = load_text(RULES.replace("mg < 100", "mg < 1").replace("gap: 24h", "gap: 48h"))
    with pytest.raises(Findings) as caught:
        engine.run(con, broken)
    assert "small" in str(caught.value) and "1 of 5 rows" in str(caught.value)
    assert "'b'" not in str(caught.value) and "5.0" not in str(caught.value), "no patient and no value in a message"
    assert {name: rows(con, name) for name in engine.derived_tables(con)} == before
    assert con.execute("SELECT count(*) FROM meta.run").fetchall() == [(1,)]


def test_rules_that_are_gone_take_their_tables_along(tmp_path: Path) -> None:
    con = study(tmp_path, load_text(RULES))
    engine.run(con, load_text(RULES))
    engine.run(con, load_text(RULES.replace("unmet: {title: Never, from: other}", "")))
    tables = {
        row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()
    }
    assert "unmet" not in tables and "course" in tables


def test_every_table_and_column_of_the_shipped_rules_is_commented(demo_study: Path) -> None:
    with duckdb.connect(str(demo_study), read_only=True) as con:
        bare = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() c WHERE NOT internal AND comment IS NULL "
            "AND table_name IN (SELECT rule FROM meta.rule) UNION ALL "
            "SELECT table_name, NULL FROM duckdb_tables() WHERE comment IS NULL "
            "AND table_name IN (SELECT rule FROM meta.rule)"
        ).fetchall()
    assert bare == []


def test_what_matched_nothing_is_named_with_what_was_looked_at(tmp_path: Path) -> None:
    ruleset = load_text(RULES)
    report = engine.run(study(tmp_path, ruleset), ruleset)
    assert report.notes == ("concepts that rules read and no event has: lab, other",)
    notes = {rule.name: rule.notes for rule in report.rules}
    assert notes["dose"] == ("lookup after: last lab.value in (time, time + 1h]: nothing matched, of 5 looked at",)


def test_measured_columns_without_a_number_are_counted(tmp_path: Path) -> None:
    ruleset = load_text(RULES.replace("where: value > $least", "where: value > $least or value is null"))
    report = engine.run(study(tmp_path, ruleset, EVENTS + "a,2024-01-09,drug,,\n"), ruleset)
    assert "mg: none in 1 of 6 rows" in next(rule.notes for rule in report.rules if rule.name == "dose")


def test_days_count_calendar_dates_from_the_index_also_for_what_the_index_reads(tmp_path: Path) -> None:
    ruleset = load_text(RULES)
    con = study(tmp_path, ruleset)
    engine.run(con, ruleset)
    assert con.execute("SELECT patient_id, day FROM first_cell ORDER BY 1").fetchall() == [("a", 0), ("c", 0)]
    assert con.execute("SELECT patient_id, day FROM dose ORDER BY ALL").fetchall() == [
        ("a", 0), ("a", 0), ("a", 2), ("b", None), ("c", -1),
    ]  # fmt: skip
    assert con.execute("SELECT start_day, end_day FROM course WHERE patient_id = 'a' ORDER BY number").fetchall() == [
        (0, 0),
        (2, 2),
    ]
    assert con.execute("SELECT day FROM event WHERE patient_id = 'a' ORDER BY time").fetchall() == [
        (0,),
        (0,),
        (0,),
        (2,),
    ]


def test_an_index_with_two_rows_for_a_patient_stops_the_run(tmp_path: Path) -> None:
    ruleset = load_text(RULES.replace(", keep: first", ""))
    con = study(tmp_path, ruleset, EVENTS + "a,2024-02-01,cell,,\n")
    with pytest.raises(Findings, match="1 patients more than one day 0; add `keep: first`"):
        engine.run(con, ruleset)


def test_a_hash_is_of_meaning() -> None:
    def hashes(text: str, **params: str) -> dict[str, str]:
        ruleset = load_text(text)
        overrides = {name.replace("__", "."): value for name, value in params.items()}
        return rule_hashes(ruleset, compile_rules(ruleset, overrides), overrides)

    before = hashes(RULES)
    changed = {
        name
        for name, value in hashes(RULES.replace("title: Doses", "title: All doses")).items()
        if value != before[name]
    }
    assert changed == set(), "words change nothing"
    changed = {name for name, value in hashes(RULES, dose__least="1").items() if value != before[name]}
    assert changed == {"dose", "course"}, "a parameter changes its rule and those that read it"
    changed = {
        name
        for name, value in hashes(RULES.replace("lab: {unit: mg/L}", "lab: {unit: g/L}")).items()
        if value != before[name]
    }
    assert changed == {"dose", "course"}, "so does a concept"
    changed = {
        name
        for name, value in hashes(RULES.replace("lab: {unit: mg/L}", "lab: {unit: mg/L, scale: interval}")).items()
        if value != before[name]
    }
    assert changed == {"dose", "course"}, "and its scale"


@pytest.mark.parametrize("order", ["reversed", "by code"])
def test_the_order_of_rows_and_the_number_of_threads_change_no_bit(
    tmp_path: Path, demo_study: Path, order: str
) -> None:
    header, *lines = (demo_study.parent / "extract" / "events.csv").read_text().splitlines(keepends=True)
    lines = lines[::-1] if order == "reversed" else sorted(lines, key=lambda line: line[::-1])
    folder = tmp_path / "extract"
    folder.mkdir()
    (folder / "events.csv").write_text(header + "".join(lines))
    (folder / "patients.csv").write_text((demo_study.parent / "extract" / "patients.csv").read_text())
    ruleset = load([])
    with store.connect(":memory:") as con, duckdb.connect(str(demo_study), read_only=True) as demo:
        con.execute(f"SET threads = {1 if order == 'reversed' else 2}")
        ingest.ingest(con, folder, ruleset.concepts)
        engine.run(con, ruleset)
        for name in engine.derived_tables(con):
            assert rows(con, name) == rows(demo, name), name


def test_a_study_keeps_the_rule_set_that_derived_it(demo_study: Path):
    ruleset = load([])
    with store.connect(demo_study, read_only=True) as con:
        assert engine.last_run(con) == (ruleset, {})


def test_a_study_without_derived_tables_says_how_to_derive_them():
    with store.connect(":memory:") as con, pytest.raises(StudyError, match="timeline run STUDY"):
        engine.last_run(con)

"""Tables derived over a study are those that a run would derive, row for row, and nothing is written."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from tests.on_engine import derive_by_sql, empty_study, fill
from tests.test_engine import EVENTS, RULES
from tests.test_reference import PEOPLE, checked, concepts, people_of
from timeline import engine, ingest, load, overlay, query, store
from timeline.errors import Findings, UsageError
from timeline.load import load_text
from timeline.quote import identifier
from timeline.rules import RuleSet

VARIANTS = {
    "as it is": RULES,
    "another index": RULES.replace("keep: first}", "keep: last}"),
    "no index": RULES.replace(", index: start", ""),
    "what the index reads": RULES.replace("from: cell}", "from: cell, where: time < '2024-01-03'}"),
    "the index reads no rule": RULES.replace("from: first_cell, keep", "from: cell, keep"),
    "an index that lasts": RULES.replace("from: first_cell, keep", "from: cell, spans: true, keep"),
    "a gap": RULES.replace("gap: 24h", "gap: 72h"),
    "a concept's attribute": RULES.replace("other: {unit: mg}", "other: {unit: mg, attributes: {weight: 2}}"),
    "a rule more": RULES + "high: {from: dose, where: mg > 1}\n",
    "a rule less": RULES.replace("unmet: {title: Never, from: other}", ""),
}


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
    return con.execute(f"SELECT * FROM ({sql}) ORDER BY patient_id, number").fetchall()


def overlaid(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, params: Mapping[str, str] = {}
) -> dict[str, list[tuple]]:
    """Every table of `ruleset` over the study, and its events, as measures see them."""
    plan = overlay.plan(ruleset, params, ruleset.rules)
    overlay.show(con, plan, overlay.derive(con, [plan]))
    shown = {name: rows(con, f"SELECT * FROM {identifier(name)}") for name in ruleset.rules}
    return shown | {"event": con.execute("SELECT * FROM event ORDER BY event_id").fetchall()}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A study of a few events, derived by a small rule set with an index."""
    folder = tmp_path_factory.mktemp("a.b")
    (folder / "events.csv").write_text(EVENTS + "a,2024-01-04 10:00,cell,,\n")
    path, ruleset = folder / "st.u-dy.duckdb", load_text(RULES)
    with closing(store.connect(path, create=True)) as con:
        ingest.ingest(con, folder / "events.csv", ruleset.concepts)
        engine.run(con, ruleset)
    return path


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("params", [{}, {"dose.least": "0.2"}], ids=["plain", "set"])
def test_an_overlay_is_what_a_run_derives(small: Path, tmp_path: Path, name: str, params: dict[str, str]):
    ruleset = load_text(VARIANTS[name])
    before = small.read_bytes()
    with closing(query.open_read_only(small)) as con:
        shown = overlaid(con, ruleset, params)
    assert small.read_bytes() == before
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(before)
    with closing(store.connect(copy)) as con:
        engine.run(con, ruleset, params)
        for table, found in shown.items():
            key = "event_id" if table == "event" else "patient_id, number"
            assert found == con.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall(), table


def test_what_is_there_already_is_not_derived_again(small: Path):
    ruleset = load_text(RULES)
    with closing(query.open_read_only(small)) as con:
        plans = [overlay.plan(ruleset, {"dose.least": least}, ["course"]) for least in ("0", "1", "1", "2")]
        tables = overlay.derive(con, plans)
    assert [rule.name for rule in plans[0].compiled] == ["first_cell", "start", "dose", "course"]
    assert (tables.derived, tables.reused) == (4, 12), (
        "dose and course for 1 and for 2; all else is the study's or made"
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_plan_like_another_is_the_plan_that_is_made_anew(name: str):
    like = overlay.plan(load_text(RULES), {"dose.least": "1"}, load_text(RULES).rules)
    for params in ({"dose.least": "1"}, {"dose.least": "2"}):
        ruleset = load_text(VARIANTS[name])
        assert overlay.plan(ruleset, params, ruleset.rules, like) == overlay.plan(ruleset, params, ruleset.rules)


def test_tables_older_than_the_events_are_not_reused(small: Path, tmp_path: Path):
    copy, ruleset = tmp_path / "copy.duckdb", load_text(RULES)
    copy.write_bytes(small.read_bytes())
    (tmp_path / "more.csv").write_text("patient_id,time,code,value,unit\nb,2024-01-02 00:00,cell,,\n")
    with closing(store.connect(copy)) as con:
        ingest.ingest(con, tmp_path / "more.csv", ruleset.concepts)
    with closing(query.open_read_only(copy)) as con:
        shown = overlaid(con, ruleset)
        assert [row[0] for row in shown["start"]] == ["a", "b", "c"]


def test_a_promise_that_is_broken_is_told_and_two_days_0_are_refused(small: Path):
    with closing(query.open_read_only(small)) as con:
        plan = overlay.plan(load_text(RULES.replace("mg < 100", "mg < 1")), {}, ["dose"])
        assert overlay.broken(plan, overlay.derive(con, [plan])) == ("dose: check `small`: broken by 1 of 5 rows",)
        with pytest.raises(Findings, match="1 patients more than one day 0"):
            overlaid(con, load_text(RULES.replace(", keep: first", "")))


def test_concepts_that_change_events_are_refused_and_others_are_not(small: Path):
    with closing(query.open_read_only(small)) as con:
        overlaid(con, load_text(RULES.replace("cell: {}", "cell: {}\n  any: {members: [drug, other]}")))
        with pytest.raises(UsageError, match="change what stored events mean: concepts of drug.*`timeline run`"):
            overlaid(con, load_text(RULES.replace("  drug: {unit: mg}", "  drug: {unit: g}")))


def test_a_variant_of_the_shipped_concepts_changes_no_event_of_the_demo(demo_study: Path):
    with closing(query.open_read_only(demo_study)) as con:
        ruleset, params = engine.last_run(con)
        more = ruleset.concepts["corticosteroid"].model_copy(update={"name": "again", "codes": ()})
        wider = ruleset.model_copy(update={"concepts": {**ruleset.concepts, "again": more}})
        assert overlay.derive(con, [overlay.plan(wider, params, ["cohort"])]).derived == 0


def test_a_folder_put_upon_a_rule_set_replaces_by_name(tmp_path: Path):
    (tmp_path / "own.yaml").write_text("unmet: {from: drug}\nnew: {from: unmet}\n")
    over = load.over(load_text(RULES), tmp_path)
    assert over.replaced == {"unmet": str(tmp_path)} and over.index == "start"
    assert over.rules["unmet"] != load_text(RULES).rules["unmet"] and "new" in over.rules and "dose" in over.rules
    (tmp_path / "own.yaml").write_text("unmet: {form: drug}\n")
    with pytest.raises(Findings, match="own.yaml:1"):
        load.over(load_text(RULES), tmp_path)


def test_random_rules_over_a_study_are_what_the_sql_alone_derives():
    derived = []
    con = empty_study(PEOPLE)  # of its own: a run leaves its tables

    def compare(study) -> None:
        ruleset, people = load_text(study.rules, concepts()), people_of(study)
        fill(con, people)
        try:
            engine.run(con, ruleset)
        except Findings:
            return  # a broken promise stops the run, so there is no study to lay anything over
        plan = overlay.plan(ruleset, study.set, ruleset.rules)
        tables = overlay.derive(con, [overlay.plan(ruleset, {}, ruleset.rules), plan])
        assert tables.reused >= len(ruleset.rules), "the study's own tables serve where nothing is set"
        derived.append(tables.derived)
        by_name = {rule.name: rule for rule in plan.compiled}
        found = {name: rows(con, overlay.select(plan, by_name[name], tables)) for name in ruleset.rules}
        for name in list(tables.at.values()):
            if name.startswith("temp."):
                con.execute(f"DROP TABLE {name}")
        for (view,) in con.execute("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal").fetchall():
            con.execute(f'DROP VIEW temp."{view}"')
        engine._drop_derived(con)
        expected = derive_by_sql(con, ruleset, people, study.set)
        for name in ruleset.rules:
            flat = [tuple(row.values()) for facts, _ in people for row in expected[facts["patient_id"]][name]]
            assert sorted(map(str, found[name])) == sorted(map(str, flat)), f"{name}\n{study.rules}{study.set}"

    checked(77, lambda: len(derived) < 15, compare)
    assert sum(derived) > 0

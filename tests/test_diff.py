"""What changed between two studies or under other definitions: matched by place, with its cause; nothing is written."""

import json
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_engine import EVENTS, RULES
from timeline import cli, engine, ingest, store
from timeline.diff import Diff, RuleDiff
from timeline.diff.matching import match
from timeline.errors import StudyError, UsageError
from timeline.load import load_text
from timeline.study import Study

WINDOW = "steroid_refractory.window"


def study(path: Path, rules: str = RULES, events: str = EVENTS, **params: str) -> Study:
    """A small study at `path`, derived."""
    (path.parent / "events.csv").write_text(events)
    ruleset = load_text(rules)
    with closing(store.connect(path, create=True)) as con:
        ingest.ingest(con, path.parent / "events.csv", ruleset.concepts)
        engine.run(con, ruleset, {name.replace("__", "."): value for name, value in params.items()})
    return Study(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Study:
    return study(tmp_path_factory.mktemp("small") / "small.duckdb")


def of(found: Diff, rule: str) -> RuleDiff:
    return next(each for each in found.rules if each.rule == rule)


def rows(found: Diff) -> set[tuple]:
    return {(row.rule, row.patient_id, row.change, row.number_a, row.number_b, row.columns) for row in found.rows}


def test_a_threshold_takes_rows_away_and_says_by_which_clause(small: Study):
    before = sha256(small.path.read_bytes()).hexdigest()
    found = small.diff(params={"dose.least": "0.2"})
    assert sha256(small.path.read_bytes()).hexdigest() == before
    assert rows(found) == {
        ("dose", "a", "vanished", 1, None, ()),
        ("dose", "a", "vanished", 2, None, ()),
        ("course", "a", "vanished", 1, None, ()),
        ("dose", "c", "vanished", 1, None, ()),
        ("course", "c", "vanished", 1, None, ()),
    }
    assert {row.cause for row in found.rows if row.rule == "dose"} == {("where: value > $least: true -> false",)}
    assert {row.cause for row in found.rows if row.rule == "course"} == {("through dose",)}
    dose, course = of(found, "dose"), of(found, "course")
    assert (dose.definition, dose.parts, dose.rows_a, dose.rows_b) == ("own", ("params.least: 0 -> 0.2",), 5, 2)
    assert (course.definition, course.through, course.patients) == ("through", ("dose",), 2)
    assert not of(found, "start").differs and found.patients == 2


def test_the_mirror_of_a_difference_is_its_opposite(small: Study, tmp_path: Path):
    other = study(tmp_path / "other.duckdb", RULES.replace("gap: 24h", "gap: 72h"), dose__least="0.2")
    there, back = small.diff(other.path), other.diff(small.path)
    opposite = {"appeared": "vanished", "vanished": "appeared", "changed": "changed"}
    assert rows(back) == {(rule, who, opposite[change], b, a, cols) for rule, who, change, a, b, cols in rows(there)}
    assert of(there, "course").parts == ("gap",) and of(there, "course").through == ("dose",)
    appeared = [row.cause for row in back.rows if row.rule == "dose"]
    assert set(appeared) == {("where: value > $least: false -> true",)}


def test_other_definitions_and_a_study_that_was_run_with_them_say_the_same(demo_study: Path, tmp_path: Path):
    other = Study(tmp_path / "other.duckdb")
    other.path.write_bytes(demo_study.read_bytes())
    params = {WINDOW: "48h", "steroid_course.gap": "24h"}
    other.run(params=params)
    asked, ran = Study(demo_study).diff(params=params), Study(demo_study).diff(other.path)
    assert asked.rows == ran.rows and asked.rules == ran.rules and len(asked.rows) > 10
    assert asked.remark == "Synthetic data: no real patient."
    status = [row for row in asked.rows if "status" in row.columns]
    assert [row.cause for row in status] == [
        ("status: (grade_at_steroid - best_grade) >= $improvement: false -> true",)
    ]
    through = [row.cause for row in asked.rows if row.rule == "cohort"]
    assert through == [("through steroid_refractory",)]


def test_an_earlier_row_changes_its_own_place_only(small: Study, tmp_path: Path):
    events = EVENTS + "a,2024-01-01 08:00,drug,7,mg\nd,2024-01-01 08:00,drug,7,mg\n"
    found = small.diff(study(tmp_path / "more.duckdb", events=events).path)
    assert [(row.rule, row.patient_id, row.change) for row in found.rows] == [
        ("dose", "a", "appeared"),
        ("course", "a", "appeared"),
        ("dose", "d", "appeared"),
        ("course", "d", "appeared"),
    ]
    assert {row.cause for row in found.rows if row.rule == "dose"} == {("other events",)}
    assert {rule.definition for rule in found.rules} == {"same"}
    assert found.notes == ("the two studies hold different extracts, or other versions of them",)


def test_rules_and_columns_that_only_one_side_has_are_named(small: Study, tmp_path: Path):
    rules = RULES.replace("unmet: {title: Never, from: other}", "high: {from: dose, where: mg > 1}")
    for old, new in (
        ("mg: {sql: value", "milligrams: {sql: value"),
        ("sum(mg)", "sum(milligrams)"),
        ("small: mg", "small: milligrams"),
        ("mg > 1", "milligrams > 1"),
    ):
        rules = rules.replace(old, new)
    other = study(tmp_path / "other.duckdb", rules)
    found = small.diff(other.path)
    assert of(found, "unmet").definition == "only a" and of(found, "high").definition == "only b"
    assert (of(found, "high").rows_a, of(found, "high").rows_b) == (None, 1)
    assert of(found, "dose").only_a == ("mg",) and of(found, "dose").only_b == ("milligrams",)
    assert not [row for row in found.rows if row.rule in ("dose", "high", "unmet")]


def test_values_are_told_only_when_asked_for(small: Study, capsys, tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "r.yaml").write_text(RULES.replace("mg: {sql: value", "mg: {sql: value * 2"))
    call = ["diff", str(small.path), "--rules", str(own), "--only"]
    csv = tmp_path / "rows.csv"
    assert cli.main([*call, "-o", str(csv)]) == 0
    plain = capsys.readouterr().out + csv.read_text()
    assert cli.main([*call, "--json"]) == 0
    plain += capsys.readouterr().out
    assert "mg" in plain and "2024" not in plain and "0.4" not in plain
    assert cli.main([*call, "--show-values", "-o", str(csv)]) == 0
    told = capsys.readouterr().out
    assert "mg 0.2 -> 0.4" in told and "mg 0.2" in csv.read_text() and "2024-01-03" in csv.read_text()
    assert cli.main([*call, "--show-values", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert row["columns"] == ["mg"] and (row["values_a"]["mg"], row["values_b"]["mg"]) == (0.1, 0.2)
    assert row["cause"] == ["definition: columns.mg"]


def test_evidence_alone_is_counted_and_not_listed():
    con = duckdb.connect()
    a = "SELECT 'a' AS patient_id, 1 AS number, 5 AS x, [1, 2]::UBIGINT[] AS evidence"
    found = match(con, a, a.replace("[1, 2]", "[1]"))
    assert found.rows == () and found.evidence_only == 1


def test_rows_that_share_a_place_are_matched_by_what_they_say():
    con = duckdb.connect()
    time = "TIMESTAMP '2024-01-01' AS time, []::UBIGINT[] AS evidence"
    a = f"SELECT 'a' AS patient_id, unnest([1, 2]) AS number, unnest(['dexamethasone', 'prednisone']) AS drug, {time}"
    b = f"SELECT 'a' AS patient_id, 1 AS number, 'prednisone' AS drug, {time}"
    (row,) = match(con, a, b).rows
    assert (row.change, row.number_a) == ("vanished", 1)
    (row,) = match(
        con, a, b.replace("'prednisone'", "'cortisone'").replace("1 AS n", "2 AS n") + f" UNION ALL {b}"
    ).rows
    assert (row.change, row.number_a, row.number_b, row.columns) == ("changed", 1, 2, ("drug",))


def test_episodes_that_are_kept_apart_are_never_one_another_changed(tmp_path: Path):
    rules = RULES.replace("course: {title: Courses, episodes: dose,", "course: {episodes: dose, by: mg,")
    assert rules != RULES
    rules = rules.replace("columns: {mg: sum(mg)}", "columns: {doses: count(*)}")
    events = EVENTS + "a,2024-01-03 12:00,drug,0.4,mg\n"
    other = study(tmp_path / "other.duckdb", rules, events.replace("drug,0.4", "drug,0.5"))
    found = study(tmp_path / "own.duckdb", rules, events).diff(other.path)
    assert {row[1:3] for row in rows(found) if row[0] == "course"} == {("a", "vanished"), ("a", "appeared")}


TABLE = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2) | st.none(), st.integers(0, 2) | st.none()), max_size=8
)


@settings(max_examples=30, deadline=None, database=None, derandomize=True)
@given(TABLE, TABLE)
def test_every_row_is_the_same_changed_or_on_one_side_only(a, b):
    con = duckdb.connect()
    for name, table in (("a", a), ("b", b)):
        con.execute(
            f"CREATE TABLE {name} (patient_id VARCHAR, number INTEGER, time INTEGER, x INTEGER, evidence UBIGINT[])"
        )
        for number, (who, time, x) in enumerate(table, 1):
            con.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?, [])", [who, number, time, x])
    found = match(con, "SELECT * FROM a", "SELECT * FROM b")
    changes = Counter(row.change for row in found.rows)
    same = sum((Counter(a) & Counter(b)).values())
    assert found.rows_a == len(a) == same + changes["vanished"] + changes["changed"]
    assert found.rows_b == len(b) == same + changes["appeared"] + changes["changed"]
    places = Counter((who, time) for who, time, _ in a), Counter((who, time) for who, time, _ in b)
    assert changes["vanished"] == sum((places[0] - places[1]).values())
    for row in found.rows:
        if row.change == "changed":
            assert row.columns == ("x",)
            assert a[(row.number_a or 0) - 1][:2] == b[(row.number_b or 0) - 1][:2]


def test_a_wrong_call_is_told(small: Study, tmp_path: Path, capsys):
    for call, said in (
        ([], "compare with another study, or with other definitions (--rules, --set): one of the two"),
        ([str(small.path), "--set", "a.b=1"], "compare with another study, or with other definitions"),
        (["--set", "dose.lest=1"], "unknown parameter 'dose.lest'; did you mean 'dose.least'?"),
        (["--set", "dose.least=1h"], "dose.least is a number such as 0; `1h` is a duration"),
        (["--set", "dose"], "--set dose: write RULE.PARAM=VALUE"),
        (["--only"], "timeline diff: --only leaves the shipped rules out"),
        ([str(small.path)], "are the same study"),
        (["--set", "dose.least=1", "-o", "x.txt"], "write a name that ends in .csv, .parquet or .json"),
    ):
        assert cli.main(["diff", str(small.path), *call]) == 2, call
        assert said in capsys.readouterr().err
    with pytest.raises(StudyError, match="there is no study here"):
        small.diff(tmp_path / "none.duckdb")
    with pytest.raises(UsageError, match="one of the two"):
        small.diff()


def test_no_difference_is_no_error_and_says_so(small: Study, capsys):
    assert cli.main(["diff", str(small.path), "--set", "dose.least=0"]) == 0
    assert "5 rules: the same rows, by the same definitions." in capsys.readouterr().out


def test_tables_that_break_a_promise_or_are_out_of_date_are_noted(small: Study, tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "r.yaml").write_text(RULES.replace("mg < 100", "mg < 1"))
    found = small.diff(rules=[own], only=True)
    assert found.notes == ("other definitions: dose: check `small`: broken by 1 of 5 rows",) and not found.rows
    late = Study(tmp_path / "late.duckdb")
    late.path.write_bytes(small.path.read_bytes())
    (tmp_path / "more.csv").write_text("patient_id,time,code,value,unit\nb,2024-01-02 00:00,drug,5,mg\n")
    with closing(store.connect(late.path)) as con:
        ingest.ingest(con, tmp_path / "more.csv", load_text(RULES).concepts)
    assert f"{late.path}: its tables are older than its latest ingest" in small.diff(late.path).notes
    found = late.diff(params={"dose.least": "0"})
    assert [(row.rule, row.cause) for row in found.rows] == [("dose", ("other events",)), ("course", ("through dose",))]


def test_a_step_that_fails_is_named(demo_study: Path):
    found = Study(demo_study).diff(params={"cohort.strict": "true"})
    assert {row.rule for row in found.rows} == {"cohort"} and of(found, "cohort").parts == (
        "params.strict: false -> true",
    )
    excluded = [row for row in found.rows if "included" in row.columns]
    assert excluded and all(
        "toxicity" in " ".join(row.cause) or "refractory" in " ".join(row.cause) for row in excluded
    )

"""Queries: their headers, what is checked about them, what they may read, and how their answers are written."""

import datetime
from pathlib import Path
from typing import get_args

import pytest

from timeline import query, shipped, store
from timeline.errors import Findings, StudyError, TimelineError, UsageError

GOOD = """/*
title: Events of one concept
question: How many events has each concept?
reads: [event]
params:
  at_least: {default: 1, meaning: smallest count shown}
  since: {default: 48h, meaning: counted from this long after the first}
returns:
  concept: the concept
  events: {meaning: its events, unit: "1"}
*/
WITH early AS (SELECT min(time) AS time FROM event)
SELECT e.concept, count(*) AS events FROM event AS e, early
WHERE e.time >= early.time + $since GROUP BY e.concept HAVING count(*) >= $at_least ORDER BY e.concept
"""


@pytest.fixture
def con():
    con = store.connect(":memory:")
    con.execute("DROP VIEW event; CREATE TABLE event (concept VARCHAR, time TIMESTAMP)")
    con.execute("INSERT INTO event VALUES ('crp', '2024-01-01'), ('crp', '2024-01-03'), ('crp', '2024-01-05')")
    con.execute("INSERT INTO event VALUES ('ldh', '2024-01-04')")
    yield con
    con.close()


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
    return tmp_path


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(Findings) as caught:
        query.load_queries(folder(tmp_path, asked=text))
    return [f"{finding.where.removeprefix(str(tmp_path))}: {finding.message}" for finding in caught.value.findings]


def test_parameters_are_typed_and_bound(tmp_path, con):
    asked = query.load_queries(folder(tmp_path, asked=GOOD))["asked"]
    assert query.check_query(asked, con) == []
    assert query.run_query(con, asked).rows() == [("crp", 2), ("ldh", 1)]
    assert query.run_query(con, asked, {"at_least": "2"}).rows() == [("crp", 2)]
    assert query.run_query(con, asked, {"since": "4d"}).rows() == [("crp", 1)]
    assert query.parameters(asked, {}) == {"at_least": 1, "since": datetime.timedelta(hours=48)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"at_leest": "2"},
            "query asked has no parameter at_leest; did you mean `at_least`? Its parameters are: at_least, since",
        ),
        (
            {"nothing": "2", "at_least": "two", "since": "2"},
            "query asked has no parameter nothing; its parameters are: at_least, since\n"
            "query asked: `at_least` is a number, such as 1\nquery asked: `since` is a duration, such as 48h",
        ),
        ({"at_least": "two"}, "query asked: `at_least` is a number, such as 1"),
        ({"since": "2"}, "query asked: `since` is a duration, such as 48h"),
    ],
)
def test_wrong_parameters(tmp_path, con, given, message):
    asked = query.load_queries(folder(tmp_path, asked=GOOD))["asked"]
    with pytest.raises(UsageError) as caught:
        query.run_query(con, asked, given)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["patient_timeline", "patient_summary", "patient_derived"])
def test_a_patient_that_the_study_does_not_have(demo_study, name):
    asked = query.load_queries(shipped.folder("queries"))[name]
    with query.open_read_only(demo_study) as con:
        assert query.run_query(con, asked, {"patient": "SYN-01"}).height
        with pytest.raises(UsageError) as caught:
            query.run_query(con, asked, {"patient": "NIX"})
    assert str(caught.value) == "there is no patient `NIX` in this study; ids are text, as the extract writes them"


def test_a_value_is_bound_and_never_pasted(tmp_path, con):
    text = GOOD.replace("at_least: {default: 1,", "name: {").replace(
        "HAVING count(*) >= $at_least", "HAVING e.concept = $name"
    )
    asked = query.load_queries(folder(tmp_path, asked=text))["asked"]
    with pytest.raises(UsageError, match=r"needs a value for name \(smallest count shown\); write --set name=VALUE"):
        query.run_query(con, asked)
    assert query.run_query(con, asked, {"name": "x' OR 1=1; DROP TABLE event; --"}).height == 0
    assert query.run_query(con, asked, {"name": "crp"}).height == 1
    # A parameter without a default is text: an id keeps its zeros.
    assert query.parameters(asked, {"name": "000008"})["name"] == "000008"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Events of one concept\n", "", "/asked.sql:2:1: `title` is missing"),
        ("title:", "titel: x\ntitle:", "/asked.sql:2:1: `titel` is not a key here"),
        ("reads: [event]", "reads: [event, cohort]", "/asked.sql: `reads` names cohort, which the query does not read"),
        ("reads: [event]", "reads: []", "/asked.sql: reads event, and `reads` does not say so"),
        (">= $at_least", ">= $least", "/asked.sql: $least is used, and `params` does not have it"),
        (">= $at_least", ">= 1", "/asked.sql: the parameter at_least is not used"),
        ("returns:", "section: tables\nreturns:", "/asked.sql:8:1: `section`: input should be 'summary',"),
        (
            "meaning: its events, unit",
            "meaning: its events, all, unit",
            "/asked.sql:10:33: `returns.events.all` is not a key",
        ),
        ("/*\n", "", "/asked.sql:1: a query begins with its header, YAML between /* and */"),
        ("title:", "title: again\ntitle:", "/asked.sql:3:1: `title` is written twice, first at "),
        ("question: How", "question: [How", "/asked.sql:4:6: this is not YAML"),
        ("SELECT e.concept", "SELEC e.concept", "/asked.sql: this is no SQL: syntax error at or near"),
        ("ORDER BY e.concept\n", "; DELETE FROM event", "/asked.sql: a query is one SELECT; it cannot change anything"),
        ("ORDER BY e.concept\n", "; SELECT 1", "/asked.sql: a query is one SELECT, and here are 2 statements"),
        ("FROM event AS e", "FROM read_csv('x.csv') AS e", "/asked.sql: read_csv() is not allowed in FROM"),
        ("FROM event AS e", "FROM '/etc/x.csv' AS e", "/asked.sql: FROM '/etc/x.csv' looks like a file"),
        ("e.concept, count", "getenv('HOME'), count", "/asked.sql: getenv() is not allowed"),
        (
            "returns:",
            "chart: {kind: flow, label: concept, count: patients}\nreturns:",
            "/asked.sql: `chart` names the column patients, which the query does not return",
        ),
        (
            "returns:",
            "statistics: [{kind: median_range, of: age, title: Age}]\nreturns:",
            "/asked.sql: `statistics` names the column age, which the query does not return",
        ),
        (" ORDER BY e.concept", "", "/asked.sql: its rows come in no order"),
        ("returns:", "show: cards\nreturns:", "/asked.sql: `cards` names the column label, which the query does not"),
        (
            "returns:",
            "chart: {kind: lanes, lane: a, element: b, start: c, end: d, value: e, x: f,\n"
            "  layers: {g: {mark: graded, title: G}}}\nreturns:",
            "/asked.sql:9:12: `chart.layers.g`: `grades` goes with `mark: graded`, and `graded` needs it",
        ),
    ],
)
def test_mistakes_are_found_with_their_place(tmp_path, old, new, expected):
    assert old in GOOD
    found = mistakes(tmp_path, GOOD.replace(old, new, 1))
    assert any(message.startswith(expected) for message in found), found


def test_all_mistakes_of_all_files_at_once(tmp_path):
    folder(tmp_path, one=GOOD.replace("title:", "titel:", 1), two=GOOD.replace(">= 1", "", 1).replace("[event]", "[x]"))
    with pytest.raises(Findings) as caught:
        query.load_queries(tmp_path)
    files = {Path(finding.where.split(":")[0]).name for finding in caught.value.findings}
    assert files == {"one.sql", "two.sql"} and len(caught.value.findings) == 4


def test_returns_are_what_comes_back(tmp_path, con):
    asked = query.load_queries(folder(tmp_path, asked=GOOD.replace("AS events", "AS rows")))["asked"]
    assert [finding.message for finding in query.check_query(asked, con)] == [
        "returns concept, rows; `returns` says concept, events"
    ]
    wrong = query.load_queries(folder(tmp_path, asked=GOOD.replace("e.time", "e.date")))["asked"]
    assert "date" in query.check_query(wrong, con)[0].message


def test_a_relation_that_the_study_lacks(tmp_path, con):
    text = GOOD.replace("[event]", "[event, cohort, meta.nothing]").replace(
        "early\nWHERE", "early, cohort, meta.nothing\nWHERE"
    )
    asked = query.load_queries(folder(tmp_path, asked=text))["asked"]
    assert query.missing_relations(con, asked) == ("cohort", "meta.nothing")
    assert query.check_query(asked, con) == []
    with pytest.raises(
        StudyError, match="asked reads cohort, meta.nothing, and this study has no such table; `timeline run`"
    ):
        query.run_query(con, asked)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE event",
        "INSERT INTO event VALUES ('x', now())",
        "COPY event TO 'out.csv'",
        "ATTACH 'other.db' AS other",
        "SELECT * FROM 'out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT getenv('HOME')",
        "SELECT 1; SELECT 2",
        "PRAGMA database_list",
        "SET threads = 1",
        "",
        "SELECT no_such_column FROM event",
    ],
)
def test_one_off_reads_the_study_and_nothing_else(con, sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.csv").write_text("a\n1\n")
    with pytest.raises(TimelineError):
        query.one_off(con, sql)
    assert query.one_off(con, "SELECT count(*) AS n FROM event").item() == 4


def test_an_open_study_cannot_be_written_and_sees_no_file(tmp_path):
    store.connect(tmp_path / "study.duckdb", create=True).close()
    (tmp_path / "x.csv").write_text("a\n1\n")
    con = query.open_read_only(tmp_path / "study.duckdb")
    for sql in (
        "CREATE TABLE x (a INTEGER)",
        "DELETE FROM meta.study",
        f"SELECT * FROM read_csv('{tmp_path}/x.csv')",
        f"COPY meta.study TO '{tmp_path}/y.csv'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(Exception, match="(?i)read-only|disabled|locked|cannot"):
            con.execute(sql)
    assert query.one_off(con, "SELECT name FROM meta.study").rows() == [("format",)]
    con.close()


def test_answers_are_written_as_asked(tmp_path, con):
    import polars

    frame = query.one_off(con, "SELECT 'a' AS name, NULL::INTEGER AS n, [1, 2] AS ids, 0.1::DOUBLE AS x ORDER BY 1")
    assert query.render(frame, "csv") == "name,n,ids,x\na,,1 2,0.1\n"
    assert query.render(frame, "table").splitlines()[1].split() == ["a", "–", "1,", "2", "0.1"]
    query.write(frame, tmp_path / "x.parquet")
    assert polars.read_parquet(tmp_path / "x.parquet").rows() == frame.rows()
    query.write(frame, tmp_path / "x.json")
    assert '"n": null' in (tmp_path / "x.json").read_text()
    with pytest.raises(UsageError, match=r"ends in .csv, .parquet or .json"):
        query.write(frame, tmp_path / "x.xlsx")


def test_shipped_queries_are_right():
    queries = query.load_queries(shipped.folder("queries"))
    assert {
        "attrition",
        "patient_timeline",
        "steroid_exposure",
        "lab_pairs",
        "events_per_concept",
        "unmapped_codes",
    } <= set(queries)


def test_shipped_queries_bind_and_keep_their_word_on_the_demo(demo_study):
    con = query.open_read_only(demo_study)
    queries = query.load_queries(shipped.folder("queries"))
    assert [finding for asked in queries.values() for finding in query.check_query(asked, con)] == []
    for name, asked in queries.items():
        assert asked.optional == bool(query.missing_relations(con, asked)), name
    con.close()


def test_the_swimmer_says_what_table_1_says(demo_study):
    """Figure 1 of Wehrli et al. 2022 and its Table 1 are drawn from the same events, by different queries."""
    from statistics import median

    con = query.open_read_only(demo_study)
    frame = query.run_query(con, query.load_queries(shipped.folder("queries"))["swimmer"])
    con.close()
    by_element: dict[str, list[dict]] = {}
    for row in frame.rows(named=True):
        by_element.setdefault(row["element"], []).append(row)
    patients = {element: {row["patient_id"] for row in rows} for element, rows in by_element.items()}
    panels = frame.select("product", "patient_id").unique()["product"].value_counts().rows()
    assert sorted(panels) == [("axicabtagene ciloleucel", 7), ("tisagenlecleucel", 7)]
    stays = [row["stay_days"] for row in by_element["stay"]]
    assert (len(stays), median(stays), min(stays), max(stays)) == (14, 20.5, 11, 29)
    peaks = [row["value"] for row in by_element["icans"]]
    assert (len(peaks), median(peaks), min(peaks), max(peaks)) == (14, 3, 1, 5)
    assert {element: len(who) for element, who in patients.items()} == {
        "anakinra": 14,
        "crs": 14,
        "death": 10,
        "discharge": 9,
        "icans": 14,
        "stay": 14,
        "steroid": 14,
        "tocilizumab": 7,
    }
    first = {
        who: min(row["start_day"] for row in by_element["anakinra"] if row["patient_id"] == who)
        for who in patients["anakinra"]
    }
    assert (median(first.values()), min(first.values()), max(first.values())) == (8.5, 5, 23)
    totals = [
        sum(row["value"] for row in by_element["steroid"] if row["patient_id"] == who) for who in patients["steroid"]
    ]
    assert (median(totals), min(totals), max(totals)) == (297, 26, 1228)
    worst = {who: max(row["value"] for row in by_element["crs"] if row["patient_id"] == who) for who in patients["crs"]}
    assert sum(grade >= 2 for grade in worst.values()) == 7
    # No lane is longer than the stay, no segment of one day meets another of the same day.
    assert all(row["end_day"] <= row["stay_days"] for row in by_element["steroid"])
    days = [
        (row["patient_id"], day) for row in by_element["crs"] for day in range(row["start_day"], row["end_day"] + 1)
    ]
    assert len(days) == len(set(days))


def test_every_key_of_a_header_is_documented():
    from timeline import header, statistic
    from timeline.charts import declared
    from timeline.table import declared as tables

    text = (shipped.folder("queries") / "README.md").read_text(encoding="utf-8")
    models = [header.Query, header.Parameter, header.Returned, declared.Layer, tables.Footnote]
    # Each kind of chart, of table and of statistic, from the unions that a header's keys are read by.
    models += [*get_args(get_args(declared.Chart)[0]), *get_args(get_args(statistic.Statistic)[0])]
    models += get_args(get_args(tables.Table)[0])
    keys = {key for model in models for key in model.model_fields} - {"name", "file", "sql", "answers"}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []
    kinds = {get_args(model.model_fields["kind"].annotation)[0] for model in models if "kind" in model.model_fields}
    assert kinds == set(header.KINDS) and sorted(kind for kind in kinds if f"`{kind}`" not in text) == []


def test_a_folder_without_a_query_is_no_folder_of_queries(tmp_path):
    with pytest.raises(UsageError, match="no query is in this folder"):
        query.load_queries(tmp_path)

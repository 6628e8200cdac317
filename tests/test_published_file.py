"""Files of published values and of other readings: every mistake by its place, all of them at once."""

from pathlib import Path

import pytest

from timeline import alternatives, published, query, shipped, store
from timeline.errors import Findings, UsageError
from timeline.header import Query

QUERY = """/*
title: t
question: q
reads: [row]
params: {least: {default: 1, meaning: m}}
returns: {id: i, n: n, median: m, v: v}
statistics: [{kind: median_range, of: v, title: s}]
published: [P-1]
empty: Nothing is here.
*/
SELECT id, n, median, v FROM row WHERE n >= $least ORDER BY id
"""
ONE_OF = "a reading has one or more of set, rules, params, statistic, query, round, or it says `not_computed` and why"
ITEM = "{item: i, published: p, status: OK"


def values(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "published.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def queries(tmp_path: Path) -> dict[str, Query]:
    (tmp_path / "one.sql").write_text(QUERY, encoding="utf-8")
    return query.load_queries(tmp_path)


def test_every_mistake_of_the_published_values_is_told_with_its_place(tmp_path):
    text = f"""items:
  P-1: {{item: i, published: p, status: Ok, computed: one, value: {{n: 1}}}}
  P-2: {ITEM}, computed: one}}
  P-3: {ITEM}, same_as: P-9}}
  P-4: {ITEM}, no_number: true}}
  P-5: {ITEM}}}
  P-6: {ITEM}, computed: one, value: {{n: 1}}, conflict: {{m: why}}, tolerance: -1}}
  P-7: {ITEM}, same_as: P-8}}
  P-8: {ITEM}, definition: true, note: rule, toleranse: 1}}
  P-9: {ITEM}, checks: []}}
"""
    with pytest.raises(Findings) as caught:
        published.load(values(tmp_path, text))
    told = [str(finding).removeprefix(f"{tmp_path}/") for finding in caught.value.findings]
    assert told == [
        "published.yaml:2:40: P-1: `status` is one of OK, DATA, AMB, CONFLICT, not `Ok`",
        "published.yaml:3:8: P-2: `value` is missing",
        "published.yaml:5:8: P-4: `note` is missing: which rule follows the definition, or what is described",
        "published.yaml:6:8: P-5: an item has exactly one of computed, checks, same_as, definition, no_number; "
        "it has none",
        "published.yaml:7:84: P-6: `conflict` names m, which `value` does not have",
        "published.yaml:7:105: P-6: `tolerance` is 0 or more",
        "published.yaml:9:74: `toleranse` is not a key of item P-8; did you mean `tolerance`?",
        "published.yaml:10:52: P-9: `checks` is a list, each with `computed` and `value`",
    ]


def test_what_is_printed_again_must_be_computed(tmp_path):
    text = f"items:\n  P-1: {ITEM}, definition: true, note: rule}}\n  P-2: {ITEM}, same_as: P-1}}\n"
    with pytest.raises(Findings, match=r"published.yaml:3:8: P-2: `same_as` names P-1, which is not computed itself"):
        published.load(values(tmp_path, text))
    with pytest.raises(UsageError, match="no file of published values"):
        published.load(tmp_path / "none.yaml")


def test_what_the_queries_do_not_have_is_told(tmp_path, queries):
    text = f"""items:
  P-1: {ITEM}, computed: one, value: {{medain: 1}}}}
  P-2: {ITEM}, computed: one, statistic: survival, value: {{n: 1}}}}
  P-3: {ITEM}, computed: one, statistic: median_range, value: {{n: 1, medain: 1, percent: 2}}}}
  P-4: {ITEM}, computed: one, statistic: median_range, row: a, value: {{n: 1}}}}
"""
    loaded = published.load(values(tmp_path, text))
    assert [finding.message for finding in published.unfit(loaded, queries)] == [
        "P-1: query one returns no `medain`; did you mean `median`?",
        "P-2: query one has no statistic `survival`; it has median_range",
        "P-3: statistic median_range of query one gives no `medain`; did you mean `median`?",
        "P-3: statistic median_range of query one gives no `percent`; it gives n, median, low, high",
        "P-4: statistic median_range of query one has no panels; leave `row` out",
    ]


def test_what_a_query_says_that_it_answers_is_an_item(tmp_path):
    wrong = QUERY.replace("title: s}", "title: s, published: P-01}").replace("[P-1]", "[P-1, Q]")
    (tmp_path / "one.sql").write_text(wrong)
    loaded = published.load(values(tmp_path, f"items:\n  P-1: {ITEM}, no_number: true, note: n}}\n"))
    found = published.unfit(loaded, query.load_queries(tmp_path))
    assert [str(one).replace(f"{tmp_path}/", "") for one in found] == [
        "one.sql:7:63: `published`: there is no item P-01 in published.yaml; did you mean `P-1`?",
        "one.sql:8:18: `published`: there is no item Q in published.yaml",
    ]


def test_the_statistic_that_a_chart_marks_is_one_of_the_header(tmp_path):
    chart = "chart: {kind: survival, time: n, event: v, unit: d, x: x, y: y, answer: median_rnge}"
    (tmp_path / "one.sql").write_text(QUERY.replace("empty:", f"{chart}\nempty:"))
    with pytest.raises(Findings) as caught:
        query.load_queries(tmp_path)
    assert [str(one).replace(f"{tmp_path}/", "") for one in caught.value.findings] == [
        "one.sql:9:73: `chart.answer`: there is no statistic `median_rnge`; did you mean `median_range`?"
    ]


def compared(tmp_path, queries, items: str, rows: str) -> dict[str, published.Compared]:
    con = store.connect(":memory:")
    con.execute("CREATE TABLE row (id VARCHAR, n BIGINT, median DOUBLE, v DOUBLE)")
    if rows:
        con.execute(f"INSERT INTO row VALUES {rows}")
    return {one.id: one for one in published.compare(con, queries, published.load(values(tmp_path, items)))}


def test_what_cannot_be_computed_says_why(tmp_path, queries):
    items = f"""items:
  P-1: {ITEM}, computed: one, value: {{n: 3, median: 2}}, tolerance: 0.1}}
  P-2: {ITEM}, computed: one, value: {{n: 3, median: 2}}}}
  P-3: {ITEM}, computed: one, value: {{n: 3}}}}
  P-4: {ITEM}, computed: onne, value: {{n: 3}}}}
  P-5: {ITEM}, computed: one, statistic: median_range, value: {{median: 7}}}}
  P-6: {ITEM}, computed: one, row: P-1, value: {{median: 2}}, round: {{median: 0}}}}
"""
    found = compared(tmp_path, queries, items, "('P-1', 3, 2.06, 7), ('P-2', 3, NULL, NULL), ('P-3', 4, 1, 7)")
    assert {key: (one.agreement, one.computed, one.why) for key, one in found.items()} == {
        "P-1": ("equal", "2.06, n = 3", ""),
        "P-2": ("not computed", "", "known of nobody"),
        "P-3": ("differs", "n = 4", "n 4, published 3"),
        "P-4": ("not computed", "", "there is no query `onne`; did you mean `one`?"),
        "P-5": ("equal", "7", ""),
        "P-6": ("equal", "2", ""),
    }
    nothing = compared(tmp_path, queries, items, "")
    assert nothing["P-1"].why == "Nothing is here" and nothing["P-5"].agreement == "not computed"


def test_a_contradiction_is_one_only_where_nothing_else_differs(tmp_path, queries):
    items = f"items:\n  P-1: {ITEM}, computed: one, value: {{n: 3, median: 2}}, conflict: {{median: because}}}}\n"
    for rows, agreement, why in (
        ("('P-1', 3, 1.5, 0)", "conflict", "because"),
        ("('P-1', 3, 2, 0)", "equal", ""),
        ("('P-1', 4, 1.5, 0)", "differs", "n 4, published 3"),
    ):
        found = compared(tmp_path, queries, items, rows)["P-1"]
        assert (found.agreement, found.why) == (agreement, why)


def test_every_mistake_of_the_other_readings_is_told_with_its_place(tmp_path, queries):
    loaded = published.load(
        values(
            tmp_path,
            f"items:\n  P-1: {ITEM}, computed: one, value: {{n: 1}}}}\n  P-2: {ITEM}, no_number: true, note: x}}\n",
        )
    )
    path = tmp_path / "alternatives.yaml"
    path.write_text(
        """alternatives:
  A-1:
    question: q
    default: d
    bears_on: [P-1, P-2, P-7]
    readings:
      - {label: a, set: {window: 1h}}
      - {label: a, params: {one.most: 1}}
      - {label: c, statistic: {one.median_range: {off: v}}}
      - {label: d, rules: [nowhere], query: onne}
      - {label: e, round: {n: 0}, not_computed: both}
      - {label: f}
  A-2: {default: d}
"""
    )
    with pytest.raises(Findings) as caught:
        alternatives.load(path, loaded, queries)
    told = [str(finding).removeprefix(f"{tmp_path}/alternatives.yaml:") for finding in caught.value.findings]
    assert told == [
        "5:15: A-1: there is no item P-7; did you mean `P-2`?",
        "5:15: A-1: P-2 is not computed itself; name an item that is",
        "7:25: A-1: write RULE.PARAM in place of window",
        "8:9: A-1, a: query one has no parameter most; its parameters are: least",
        "9:9: A-1, c: statistic median_range of query one: `off`: extra inputs are not permitted",
        "10:27: there is no folder of rules `nowhere`, beside this file or among the shipped rules",
        "10:9: A-1, d: there is no query `onne`; did you mean `one`?",
        f"11:9: A-1: {ONE_OF}; it has `not_computed` and something to compute",
        f"12:9: A-1: {ONE_OF}; it has nothing",
        "8:9: A-1: two readings are called `a`; rename one",
        "13:8: A-2: `question` is missing",
        "13:8: A-2: without `readings`, a `note` says why there are none",
    ]


def test_the_files_that_go_with_a_folder_of_queries(tmp_path):
    own = shipped.folder("queries")
    assert shipped.published(own) == shipped.folder("data") / "published.yaml"
    assert shipped.published(tmp_path) is None
    assert shipped.published(tmp_path, "alternatives.yaml") is None
    (tmp_path / "published.yaml").touch()
    assert shipped.published(tmp_path) == tmp_path / "published.yaml"

"""Declared statistics: from columns of a frame to sentences, values, panels and the table that people read."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter
from scipy.stats import false_discovery_control, ttest_rel, wilcoxon

from timeline import cli, statistic
from timeline.statistic.declared import PairedOf
from timeline.statistic.table import family_table

READ = TypeAdapter(statistic.Statistic)


def declared(**keys):
    return READ.validate_python({"title": "Change", **keys})


def pairs(count: int, seed: int = 1) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(before := dice.uniform(1, 9), before * dice.lognormvariate(0.6, 0.3)) for _ in range(count)]


def frame(panels: Mapping[str, Sequence[tuple]], **more) -> pl.DataFrame:
    rows = [
        {"panel": panel, "who": f"p{i}", "before": before, "after": after}
        for panel, values in panels.items()
        for i, (before, after) in enumerate(values)
    ]
    return pl.DataFrame(rows, schema_overrides={"before": pl.Float64, "after": pl.Float64}).with_columns(**more)


PAIRED = {"kind": "paired", "before": "before", "after": "after", "label": "who"}


@pytest.mark.parametrize(("test", "of"), [("paired_t", float), ("ratio_t", math.log)])
def test_one_test_says_what_scipy_says(test, of):
    values = pairs(12)
    beside = ["wilcoxon", "sign_test", "hodges_lehmann", "leave_one_out"]
    found = statistic.answer(frame({"a": values}), declared(**PAIRED, test=test, beside=beside, published="F1"))
    before, after = ([of(pair[side]) for pair in values] for side in (0, 1))
    theirs: Any = ttest_rel(after, before)
    assert found.values["p"] == pytest.approx(theirs.pvalue, rel=1e-12)
    assert found.values["t"] == pytest.approx(theirs.statistic, rel=1e-12)
    signed_rank: Any = wilcoxon([b for _, b in values], [a for a, _ in values])
    assert found.values["wilcoxon"] == pytest.approx(signed_rank.pvalue, rel=1e-12)
    assert (
        found.values["direction"] == "higher" and found.values["n"] == 12 and found.values["missing"] == "none missing"
    )
    without = [ttest_rel(after[:i] + after[i + 1 :], before[:i] + before[i + 1 :]).pvalue for i in range(12)]
    assert found.values["p_highest_without_one"] == pytest.approx(max(without), rel=1e-9)
    assert len(found.sentences) == 1 + len(beside) and found.published == "F1" and found.name == "paired"
    assert [method for method, _ in found.methods][0] == found.sentences[0].split(":")[0]
    assert "n = 12, p" in found.brief[0]


def test_a_family_has_a_row_a_panel_and_says_which_are_lower_and_which_higher():
    panels = {name: pairs(9, seed) for seed, name in enumerate(("x", "y", "z"))}
    panels["w"] = [(after, before) for before, after in pairs(9, 7)]
    told = declared(**PAIRED, test="ratio_t", by="panel", words="words", adjust=["holm", "benjamini_hochberg"])
    found = statistic.answer(frame(panels, words=pl.col("panel").str.to_uppercase()), told)
    p = {n: ttest_rel([math.log(b) for _, b in v], [math.log(a) for a, _ in v]).pvalue for n, v in panels.items()}
    assert {name: row["p"] for name, row in found.rows.items()} == pytest.approx(p, rel=1e-9)
    adjusted = dict(zip(p, false_discovery_control(list(p.values())), strict=True))
    assert {name: row["benjamini_hochberg"] for name, row in found.rows.items()} == pytest.approx(adjusted, rel=1e-9)
    significant = {name for name, value in p.items() if value < 0.05}
    assert found.values["significant"] == len(significant)
    assert found.values["lower"] == sorted(significant & {"w"}) and found.values["higher"] == sorted(
        significant - {"w"}
    )
    assert found.sentences[0].startswith("4 tests (ratio paired t), n = 9 pairs; p < 0.05: lower after: W")
    head, rows = family_table(found)
    assert [row[0] for row in rows] == ["X", "Y", "Z", "W"] and all(len(row) == len(head) for row in rows)
    assert "P, Holm" in head and "" in head and rows[0][head.index("P")] == "< 0.0001"


def test_a_family_is_told_in_the_order_of_its_panels_and_its_table_says_what_it_estimates():
    panels = {name: pairs(9, seed) for seed, name in enumerate(("b10", "b2", "a1"))}
    told = declared(**PAIRED, by="panel", test="ratio_t", unit="10*9/L")
    found = statistic.answer(frame(panels), told)
    assert "higher after: b10, b2, a1;" in found.sentences[0] and found.values["higher"] == ["a1", "b10", "b2"]
    head, rows = family_table(found)
    assert head[2:7] == [
        "median before, ×10⁹/L",
        "median after, ×10⁹/L",
        "ratio, after to before",
        "95 % CI from",
        "to",
    ]
    # Ratios of all panels are compared down the column.
    assert len({len(row[4].partition(".")[2]) for row in rows}) == 1
    assert (
        "mean difference"
        in family_table(statistic.answer(frame(panels), told.model_copy(update={"test": "paired_t"})))[0]
    )


def test_of_no_panel_and_of_no_tested_one_nothing_is_adjusted():
    told = declared(**PAIRED, test="ratio_t", by="panel", adjust=["holm", "benjamini_hochberg"])
    none = statistic.answer(frame({"a": pairs(3)}).head(0), told)
    assert none.sentences == ("nothing to test: no rows",) and none.rows == {} and none.values["tests"] == 0
    untested = statistic.answer(frame({"a": pairs(1)}), told)
    assert len(untested.sentences) == 1 and untested.rows["a"]["holm"] is None


def test_the_reader_is_told_why_a_value_is_missing():
    values = [*pairs(4), (None, 2.0), (3.0, None), (None, None)]
    why = pl.Series("why", [None] * 4 + ["not drawn", "died before", "not drawn"])
    found = statistic.answer(frame({"a": values}, why=why), declared(**PAIRED, test="paired_t", missing="why"))
    assert found.values["n"] == 4 and found.values["missing"] == "3 missing: 2 not drawn, 1 died before"
    assert found.sentences[0].endswith("3 missing: 2 not drawn, 1 died before")
    plain = statistic.answer(frame({"a": values}), declared(**PAIRED, test="paired_t"))
    assert plain.values["missing"] == "3 missing: 1 no before value, 1 no after value, 1 neither value"


def test_a_panel_that_is_refused_says_so_and_the_others_go_on():
    panels = {"fine": pairs(5), "zero": [(0.0, 1.0), *pairs(4)], "none": [(None, None)], "one": pairs(1)}
    told = declared(**PAIRED, test="ratio_t", by="panel", adjust=["holm"])
    found = statistic.answer(frame(panels), told)
    assert found.rows["zero"]["p"] is None and found.rows["zero"]["stars"] == "not tested"
    assert found.rows["fine"]["p"] == found.rows["fine"]["holm"]
    assert any(text.startswith("zero: not tested: ") and "p0" in text for text in found.sentences)
    assert len({tuple(row) for row in found.rows.values()}) == 1
    alone = statistic.answer(frame({"zero": panels["zero"]}), declared(**PAIRED, test="ratio_t"))
    assert alone.sentences[0].startswith("not computed: the ratio paired t test needs values above 0")


def test_no_row_at_all_is_an_answer_too():
    empty = frame({"a": pairs(1)}).clear()
    for keys in ({**PAIRED, "test": "paired_t"}, {**PAIRED, "test": "ratio_t", "by": "panel"}):
        found = statistic.answer(empty, declared(**keys))
        assert found.values["n"] == 0 and found.sentences
    assert statistic.answer(empty, declared(kind="counts", of="who")).values == {"n": 0}


def test_shares_of_each_panel_with_the_levels_that_nobody_has():
    rows = pl.DataFrame({"grade": ["0", "3", "3", None], "panel": ["a", "a", "b", "b"]})
    found = statistic.answer(rows, declared(kind="counts", of="grade", by="panel", levels=["0", "1", "3"]))
    assert found.rows == {
        "a": {"title": "a", "n": 2, "missing": 0, "0": 1, "1": 0, "3": 1},
        "b": {"title": "b", "n": 1, "missing": 1, "0": 0, "1": 0, "3": 1},
    }
    assert "1 missing" in found.sentences[1]
    everyone = statistic.answer(rows, declared(kind="counts", of="grade"))
    assert everyone.values == {"n": 3, "3": 2, "0": 1}


def test_a_header_says_only_what_there_is():
    for keys in ({"test": "welch"}, {"test": "paired_t", "beside": ["anova"]}, {"test": "paired_t", "alpha": 1}):
        with pytest.raises(ValueError):
            declared(**PAIRED, **keys)
    told = declared(**PAIRED, test="paired_t", by="panel")
    assert isinstance(told, PairedOf) and set(told.columns()) == {"before", "after", "panel", "who"}


def test_the_statistics_of_a_query_are_printed_and_given_to_programs(demo_study, capsys):
    study = str(demo_study)
    assert cli.main(["query", study, "blood_count_pairs", "--statistics"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Blood counts\n  2 tests (paired t), n = 9 pairs; p < 0.05: higher after: Neutrophils;")
    assert "0.0286  *" in printed and "0.4588  ns" in printed and printed.rstrip().endswith("no real patient.")
    assert cli.main(["query", study, "blood_count_pairs", "--statistics", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["name"], round(answer["rows"]["neutrophils"]["p"], 4)) == ("paired", 0.0286)
    assert answer["values"]["higher"] == ["neutrophils"] and answer["methods"][0]["conventions"]


def test_of_more_than_200_pairs_no_single_one_is_asked_about():
    found = statistic.answer(frame({"a": pairs(201)}), declared(**PAIRED, test="paired_t", beside=["leave_one_out"]))
    assert "not asked of more than 200 pairs" in found.sentences[1] and found.values["p_highest_without_one"] is None


def test_the_table_of_a_family_says_who_is_missing_only_where_panels_differ():
    even = {name: [*pairs(4, seed), (None, 2.0)] for seed, name in enumerate("xy")}
    uneven = {**even, "y": pairs(4)}
    told = declared(**PAIRED, test="paired_t", by="panel")
    heads = [family_table(statistic.answer(frame(panels), told))[0] for panels in (even, uneven)]
    assert ["missing" in head for head in heads] == [False, True]
    rows = family_table(statistic.answer(frame(even), told))[1]
    assert all(len(row) == len(heads[0]) for row in rows)


def test_a_column_of_words_is_no_column_of_numbers():
    rows = frame({"a": pairs(3)})
    for keys in (
        {"kind": "median_range", "of": "who"},
        {**PAIRED, "test": "paired_t", "after": "who"},
        {"kind": "survival", "time": "who", "event": "who"},
    ):
        (sentence,) = statistic.answer(rows, declared(**keys)).sentences
        assert sentence == f"not computed: {keys['kind']} needs numbers, and who holds none; cast it in the SELECT"


BESIDE = ["wilcoxon", "sign_test", "hodges_lehmann", "leave_one_out"]


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": "median_range", "of": "before"},
        {"kind": "proportion", "of": "whether"},
        {"kind": "counts", "of": "who", "levels": ["p0", "p1", "p2"]},
        {"kind": "counts", "of": "who", "by": "panel", "levels": ["p0", "p1", "p2"]},
        {"kind": "survival", "time": "before", "event": "whether", "landmarks": [1, 2.5]},
        {**PAIRED, "test": "paired_t", "beside": BESIDE},
        {**PAIRED, "test": "ratio_t", "by": "panel", "beside": BESIDE[:1], "adjust": ["holm", "benjamini_hochberg"]},
    ],
)
def test_a_statistic_gives_the_names_that_it_says(keys):
    rows = frame({"a": pairs(3), "b": pairs(3, 2)}, whether=pl.col("before") > 4)
    asked = declared(**keys)
    found = statistic.answer(rows, asked)
    assert set(found.values) == set(asked.gives(panel=False) or ())
    assert set(found.rows) == ({"a", "b"} if keys.get("by") else set())
    assert all(set(row) == set(asked.gives(panel=True) or ()) for row in found.rows.values())

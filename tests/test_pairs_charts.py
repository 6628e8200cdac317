"""Pairs, waterfalls and shares: what is drawn, what is counted, what is said to be missing, by day and by night."""

import json
import random
import re
from itertools import pairwise
from statistics import median
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError
from scipy.stats import ttest_rel

from timeline import charts, query, shipped, statistic
from timeline.charts import declared, pairs_layout, shares, theme, waterfall_layout
from timeline.charts.categories import categories
from timeline.charts.panels import spread, wrapped

CHART = TypeAdapter(declared.Chart)
STATISTIC = TypeAdapter(statistic.Statistic)
PAIRS = {
    "kind": "pairs",
    "label": {"column": "who", "title": "Patient"},
    "before": {"column": "a", "title": "before"},
    "after": {"column": "b", "title": "after"},
    "panel": "what",
    "words": "words",
    "colour": {"column": "group", "title": "Group"},
    "colours": {"x": {"title": "first", "colour": "red"}, "y": {"title": "second", "colour": "gray"}},
    "y": "Value, mg",
}
WATERFALL = {
    "kind": "waterfall",
    "label": {"column": "who", "title": "Patient"},
    "value": {"column": "b", "title": "Change, %"},
    "panel": "what",
    "colour": {"column": "group", "title": "Group"},
    "colours": {"x": {"title": "first", "colour": "red"}, "y": {"title": "second", "colour": "red", "pale": True}},
    "missing": "why",
}
SHARES = {
    "kind": "shares",
    "group": {"column": "what", "title": "What"},
    "level": {"column": "grade", "title": "Grade"},
    "levels": {"0": "none", "1": "mild", "2": "severe"},
    "missing": "why",
    "x": "Share, %",
}
COLUMNS = {"what": str, "words": str, "who": str, "a": float, "b": float, "group": str, "grade": str, "why": str}
TOCILIZUMAB = [("given", 7), ("none recorded", 7)]
"""Seven of the fourteen had tocilizumab, all of them in the three weeks before the last dose of anakinra."""
TAG = "<script>alert('x')</script>"


def chart(given: dict[str, Any], **more: Any) -> Any:
    return CHART.validate_python({**given, **more})


def frame(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=COLUMNS, orient="row")


def row(who: str, a: float | None, b: float | None, what: str = "m", group: str | None = "x", why: str | None = None):
    return (what, what.upper(), who, a, b, group, None, why)


def many(count: int, what: str = "m", seed: int = 1) -> list[tuple]:
    dice = random.Random(seed)
    return [
        row(f"p{i:04}", dice.lognormvariate(1, 0.5), dice.lognormvariate(0.5, 0.5), what, "xy"[i % 2])
        for i in range(count)
    ]


FRAME = frame(
    row("p1", 10.0, 5.0),
    row("p2", 8.0, 9.0, group="y"),
    row("p3", 4.0, 4.0, group=None),
    row("p4", 7.0, None, why="died"),
    row("p5", None, None, why="not drawn"),
    row("p6", float("nan"), 3.0, why="not drawn"),
)
TESTED = STATISTIC.validate_python(
    {"kind": "paired", "title": "T", "test": "paired_t", "before": "a", "after": "b", "by": "what", "label": "who"}
)


def specification(data: pl.DataFrame, chart: Any, *statistics: Any) -> dict[str, Any]:
    answers = [statistic.answer(data, one) for one in statistics]
    return charts.specification(charts.draw(data, chart, "Title", ["Synthetic"], answers))


def notes(spec: dict[str, Any]) -> str:
    return " ".join(spec["title"]["subtitle"]).replace("\u00a0", " ").replace("\u2003", "")


def drawn(spec: dict[str, Any]) -> None:
    """The library draws it, in the colours of day and of night."""
    text = json.dumps(spec)
    night = re.sub("|".join(theme.NIGHT), lambda found: theme.NIGHT[found[0]], text)
    for one in (text, night):
        picture = charts.picture(json.loads(one), "svg").decode()
        assert picture.startswith("<svg") and "NaN" not in picture and "undefined<" not in picture


def test_a_line_is_a_pair_and_a_value_alone_is_in_no_test():
    panel = pairs_layout.arrange(FRAME, chart(PAIRS), [statistic.answer(FRAME, TESTED)]).panels[0]
    assert [(pair["label"], pair["before"], pair["after"]) for pair in panel.pairs] == [
        ("p1", 10, 5),
        ("p3", 4, 4),
        ("p2", 8, 9),
    ]
    beside = pairs_layout.ASIDE
    assert [(dot["label"], dot["x"], dot["value"]) for dot in panel.lone] == [("p4", -beside, 7), ("p6", 1 + beside, 3)]
    assert [(bar["x"], bar["value"]) for bar in panel.middle] == [(0, 8), (1, 5)] and not panel.band
    assert [pair["change"] for pair in panel.pairs] == ["-50 %", "+0 %", "+12 %"]
    assert panel.title == "M" and panel.subtitle.startswith("n = 3, p = ") and panel.marked == "ns"
    assert panel.scale.low <= 3 and panel.scale.high >= 10


def test_a_category_has_a_colour_a_dash_and_a_symbol_and_the_unknown_its_own():
    groups = pairs_layout.arrange(FRAME, chart(PAIRS), []).categories
    assert groups is not None and groups.titles == ("first", "second", "not known")
    for told in (groups.colours, groups.shapes, tuple(map(tuple, groups.dashes))):
        assert len(set(told)) == len(told)
    everybody = FRAME.filter(pl.col("group").is_not_null())
    known = pairs_layout.arrange(everybody, chart(PAIRS), []).categories
    assert known is not None and "not known" not in known.titles


def test_values_without_a_partner_lie_beside_their_column_and_not_on_each_other():
    data = frame(*[row(f"p{i}", 5.0, None) for i in range(3)], row("p8", None, 5.0), row("p9", 1.0, 9.0))
    lone = pairs_layout.arrange(data, chart(PAIRS), []).panels[0].lone
    places = [dot["x"] for dot in lone]
    assert len(set(places)) == 4 and min(places) >= -0.45 and max(places) <= 1.45
    assert all(place <= -pairs_layout.ASIDE for place in places[:3]) and places[3] == 1 + pairs_layout.ASIDE
    far = frame(*[row(f"p{i}", float(i), None) for i in range(3)], row("p9", 1.0, 9.0))
    apart = pairs_layout.arrange(far, chart(PAIRS), []).panels[0].lone
    assert {dot["x"] for dot in apart} == {-pairs_layout.ASIDE}


@pytest.mark.parametrize("given", [PAIRS, WATERFALL])
def test_the_legend_says_how_many_there_are_of_each_and_is_as_strong_as_by_itself(given):
    data = pl.concat([FRAME, FRAME.with_columns(what=pl.lit("k"))])
    groups = categories(chart(given).colours, [("p1", "first"), ("p1", "first"), ("p2", "second"), ("p3", "first")])
    assert dict(zip(groups.titles, groups.counts, strict=True)) == {"first": 2, "second": 1}
    # Lines are faint, and a faint black is another category's grey. Who is in two panels is one.
    told = json.dumps(specification(data, chart(given)))
    assert '"symbolOpacity": 1' in told and "second (1)" in told and "not known (1)" in told


def test_the_legend_counts_those_who_are_not_drawn_too():
    for given in (chart(PAIRS), chart(WATERFALL, most=50)):
        told = json.dumps(specification(frame(*many(1000)), given))
        assert "first (500)" in told and "second (500)" in told


def test_the_line_to_compare_with_is_named_where_it_is_drawn():
    named = chart(PAIRS, rule=6, rule_title="what is usual")
    assert "Dotted line: what is usual." in notes(specification(FRAME, named))
    assert "Dotted line" not in notes(specification(frame(), named))


def test_stars_n_and_p_come_from_the_statistic_of_that_panel():
    data = frame(*many(9, "m"), *many(7, "k", 2))
    answer = statistic.answer(data, TESTED)
    panels = pairs_layout.arrange(data, chart(PAIRS), [answer]).panels
    assert [panel.title for panel in panels] == ["M", "K"]
    for panel, key in zip(panels, ("m", "k"), strict=True):
        assert panel.marked == answer.rows[key]["stars"]
        assert panel.subtitle.startswith(f"n = {answer.rows[key]['n']}, p ")
    assert answer.brief[0].partition(";")[0] in notes(specification(data, chart(PAIRS), TESTED))
    unmarked = pairs_layout.arrange(data, chart(PAIRS, answer="other"), [answer]).panels
    assert [(panel.marked, panel.subtitle) for panel in unmarked] == [("", "n = 9"), ("", "n = 7")]


def test_each_panel_has_its_scale_or_all_have_one():
    data = frame(*many(5, "m"), *[(*r[:3], r[3] * 100, r[4] * 100, *r[5:]) for r in many(5, "k")])
    own, shared = ([p.scale for p in pairs_layout.arrange(data, chart(PAIRS, share_y=s), []).panels] for s in (0, 1))
    assert own[0] != own[1] and shared[0] == shared[1]


@pytest.mark.parametrize(("low", "high"), [(0.3, 40), (1.2, 1.9), (2, 2), (0.0004, 9e5), (4.1, 4.2), (99, 1001)])
def test_a_logarithmic_axis_holds_all_values_and_has_ticks(low, high):
    axis = pairs_layout.scale([low, high], chart(PAIRS, log=True, rule=1))
    assert axis.low < min(low, 1) and axis.high > max(high, 1)
    assert 1 <= len(axis.ticks) <= 10 and all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert all(one < other for one, other in pairwise(axis.ticks))


def test_what_cannot_stand_on_a_logarithmic_axis_is_said():
    data = frame(row("p1", 0.0, 2.0), row("p2", 1.0, 2.0), row("p3", -1.0, None))
    spec = specification(data, chart(PAIRS, log=True, rule=1))
    assert "2 not drawn: a value of 0 or less cannot stand on a logarithmic axis." in notes(spec)
    drawn(spec)


def test_of_many_pairs_some_stand_for_all_before_the_quartiles_of_all():
    data = frame(*many(1000))
    spec = specification(data, chart(PAIRS), TESTED)
    assert "60 of 1,000 pairs are drawn, evenly spaced over the order of change" in notes(spec)
    found = spec["datasets"]
    assert len(found["pairs 0"]) == 60
    for x, side in enumerate(("a", "b")):
        assert found["middle 0"][x]["value"] == pytest.approx(median(data[side].to_list()))
        quartiles = [data[side].quantile(q, "linear") for q in (0.25, 0.75)]
        assert [found["band 0"][x]["low"], found["band 0"][x]["high"]] == pytest.approx(quartiles)
    drawn(spec)


@pytest.mark.parametrize("given", [PAIRS, WATERFALL, SHARES])
@pytest.mark.parametrize("data", ["empty", "one", "nothing known", "tag", "as it is"])
def test_every_kind_draws_what_comes(given, data):
    one = ("m", "M", "p1", 1.0, 2.0, "x", "1", None)
    rows = {
        "empty": [],
        "one": [one],
        "nothing known": [("m", "M", "p1", None, None, None, None, None)],
        "tag": [(TAG, TAG, TAG, 1.0, 2.0, TAG, "1", TAG), (TAG, TAG, TAG, None, None, None, None, TAG)],
        "as it is": FRAME.rows(),
    }[data]
    spec = specification(frame(*rows), chart(given), TESTED)
    drawn(spec)
    assert TAG.encode() not in charts.picture(spec, "svg")
    assert notes(spec).startswith("Synthetic")
    assert ("Nothing to draw: no rows." in notes(spec)) == (not rows)


def test_bars_fall_from_left_to_right_and_are_counted_by_side():
    data = frame(*[row(f"p{i}", None, value) for i, value in enumerate((-5.0, 20.0, 0.0, -70.0, None, float("nan")))])
    panel = waterfall_layout.arrange(data, chart(WATERFALL)).panels[0]
    assert [bar["value"] for bar in panel.bars] == [20, 0, -5, -70]
    assert panel.subtitle == "n = 4: 2 below zero, 1 above, 1 unchanged; 2 missing"
    assert [bar["said"] for bar in panel.bars] == ["+20", "0", "−5", "−70"]
    assert all(one["right"] <= other["left"] for one, other in pairwise(panel.bars))


def test_who_has_no_value_is_said_with_the_reason():
    said = notes(specification(FRAME, chart(WATERFALL)))
    assert "m: 2 missing: 1 died, 1 not drawn." in said or "m: 2 missing: 1 not drawn, 1 died." in said


def test_of_a_long_name_both_ends_stay():
    assert waterfall_layout.short("SYN-01") == "SYN-01" and waterfall_layout.short("123456789012") == "123456789012"
    names = [waterfall_layout.short(f"participant-{i:05}") for i in range(100)]
    assert len(set(names)) == 100 and {len(name) for name in names} == {12}


def test_a_bar_is_cut_only_where_the_header_says_so():
    data = frame(row("p1", None, 650.0), row("p2", None, -20.0), row("p3", None, -300.0))
    assert not any(bar["cut"] for bar in waterfall_layout.arrange(data, chart(WATERFALL)).panels[0].bars)
    arranged = waterfall_layout.arrange(data, chart(WATERFALL, cap=100))
    assert [(bar["value"], bar["cut"]) for bar in arranged.panels[0].bars] == [(100, "+650"), (-20, ""), (-100, "−300")]
    spec = specification(data, chart(WATERFALL, cap=100))
    assert "2 cut at 100, with an arrow and the value." in notes(spec) and (arranged.low, arranged.high) == (-100, 100)
    drawn(spec)


def test_of_many_bars_some_stand_for_all_and_the_counts_are_of_all():
    data = frame(*[row(f"p{i:04}", None, float(i - 300)) for i in range(1000)])
    arranged = waterfall_layout.arrange(data, chart(WATERFALL))
    assert len(arranged.panels[0].bars) == 200 and (arranged.low, arranged.high) == (-300, 699)
    assert arranged.panels[0].subtitle.startswith("n = 1,000: 300 below zero, 699 above, 1 unchanged")
    drawn(specification(data, chart(WATERFALL)))


def test_a_pale_category_is_lighter_by_day_and_darker_by_night():
    full, pale = theme.CATEGORY["red"], theme.pale(theme.CATEGORY["red"])
    scales = json.dumps(specification(FRAME, chart(WATERFALL)))
    assert full in scales and pale in scales
    assert theme._luminance(pale) > theme._luminance(full) + 0.3
    assert theme._luminance(theme.NIGHT[pale]) < theme._luminance(theme.NIGHT[full]) - 0.2


def test_shares_are_of_the_known_and_a_missing_level_is_not_the_lowest():
    rows = [
        ("n", "N", f"p{i}", None, None, None, g, None if g else "died") for i, g in enumerate(["0", "2", "2", None])
    ]
    parts, groups, said = shares.arrange(frame(*rows), chart(SHARES))
    assert [(part["level"], part["count"], part["from"], part["to"]) for part in parts] == [
        ("none", 1, 0, pytest.approx(100 / 3)),
        ("severe", 2, pytest.approx(100 / 3), 100),
    ]
    assert groups == [{"group": "n\nn = 3, 1 missing", "n": 3}] and said == ["n: 1 missing: died."]
    assert parts[1]["label"] == "2 (67 %)"
    spec = specification(frame(*rows), chart(SHARES))
    assert "died" in notes(spec)
    # A level that nobody has is in the legend, and has no part.
    assert "mild" in json.dumps(spec) and not any(part["level"] == "mild" for part in parts)


def test_a_level_that_is_not_declared_is_said_and_counts_as_missing():
    rows = [("n", "N", f"p{i}", None, None, None, g, None) for i, g in enumerate(["0", "9"])]
    _, groups, said = shares.arrange(frame(*rows), chart(SHARES))
    assert groups[0]["group"] == "n\nn = 1, 1 missing" and said == ["n: 1 with a level that is not among those drawn."]


def test_letters_on_every_shade_can_be_read_by_day_and_by_night():
    for count in range(1, 7):
        for shade in theme.shades(theme.SEVERITY, count):
            ink = theme.letters_on(shade)
            assert theme._contrast(ink, shade) >= 2.9
            assert theme._contrast(theme.NIGHT[ink], theme.NIGHT[shade]) >= 2.9


def test_a_header_says_only_what_fits_together():
    wrong = [
        {**PAIRS, "colours": {}},
        {**PAIRS, "panel": None},
        {**PAIRS, "log": True, "rule": 0},
        {**PAIRS, "rule_title": "of nothing"},
        {**WATERFALL, "cap": -5},
        {**WATERFALL, "colour": None},
        {**SHARES, "levels": {}},
    ]
    for given in wrong:
        with pytest.raises(ValidationError):
            CHART.validate_python(given)
    assert set(chart(PAIRS).columns()) == {"who", "a", "b", "group", "what", "words"}
    assert set(chart(WATERFALL).columns()) == {"who", "b", "group", "what", "why"}
    assert set(chart(SHARES).columns()) == {"what", "grade", "why"}


def test_those_who_stand_for_all_are_evenly_spaced_with_both_ends():
    rows = [{"i": i} for i in range(101)]
    assert [one["i"] for one in spread(rows, 5)] == [0, 25, 50, 75, 100]
    assert spread(rows, 1) == [{"i": 50}] and spread(rows[:3], 5) == rows[:3]


def test_notes_do_not_tear_an_n_from_its_number():
    lines = wrapped(["paired t, n = 14, p = 0.0002 (***); " * 6], 300)
    assert len(lines) > 3 and all(not line.endswith(("n =", "p =", "=")) for line in lines)


@pytest.fixture(scope="module")
def demo(demo_study):
    """The frame, the answers by name and the specification of a query of the demo's study."""
    con, known = query.open_read_only(demo_study), query.load_queries(shipped.folder("queries"))

    def ask(name: str) -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any]]:
        asked = known[name]
        assert not query.check_query(asked, con) and asked.chart is not None
        found = query.run_query(con, asked)
        answers = [statistic.answer(found, one) for one in asked.statistics]
        spec = charts.specification(charts.draw(found, asked.chart, asked.title, ["Synthetic"], answers))
        return found, {answer.name: answer for answer in answers}, spec

    yield ask
    con.close()


def test_the_temperature_of_the_demo_falls_as_published(demo):
    found, answers, spec = demo("temperature_pairs")
    values = answers["paired"].values
    theirs = ttest_rel(found["after_value"], found["before_value"])
    assert values["p"] == pytest.approx(theirs.pvalue, rel=1e-9) and round(values["p"], 4) == 0.0002
    assert (values["n"], values["stars"], values["direction"]) == (14, "***", "lower")
    assert "paired t, n = 14, p = 0.0002 (***); none missing" in notes(spec)
    assert found["tocilizumab"].value_counts().sort("tocilizumab").rows() == TOCILIZUMAB


def test_the_blood_counts_of_the_demo_and_why_five_have_no_pair(demo):
    _, answers, spec = demo("blood_count_pairs")
    rows = answers["paired"].rows
    assert {name: (row["n"], round(row["p"], 4), row["stars"]) for name, row in rows.items()} == {
        "neutrophils": (9, 0.0286, "*"),
        "platelets": (9, 0.4588, "ns"),
    }
    assert "5 missing: died within three weeks of the last dose" in notes(spec)
    assert len(spec["datasets"]["pairs 0"]) == 9 and len(spec["datasets"]["lone 0"]) == 5


def test_the_cytokines_of_the_demo_fall_and_rise_as_published(demo):
    found, answers, spec = demo("cytokine_pairs")
    values = answers["paired"].values
    assert values["lower"] == ["ccl3", "ccl4", "il15", "il1a", "il6"] and values["higher"] == ["il6ra"]
    assert (values["n"], values["significant"], values["stars"]) == (9, 6, ["*", "**"]) and len(spec["concat"]) == 17
    for analyte, row in answers["paired"].rows.items():
        both = found.filter((pl.col("analyte") == analyte) & pl.col("fold_after").is_not_null())
        # The baseline cancels out of the test: what is drawn is what is tested.
        theirs = ttest_rel(both["fold_after"].log(), both["fold_before"].log())
        assert row["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
    groups = {pair["group"] for pair in spec["datasets"]["pairs 0"]}
    assert len(groups) == 3 and all(title in json.dumps(spec, ensure_ascii=False) for title in groups)


def test_the_markers_and_the_cytopenia_of_the_demo(demo):
    _, answers, spec = demo("marker_change")
    assert {name: (row["fell"], row["n"]) for name, row in answers["counts"].rows.items()} == {
        "crp": (12, 14),
        "ferritin": (7, 14),
    }
    assert [round(row["sign_test"], 4) for row in answers["paired"].rows.values()] == [0.0129, 1.0]
    alive = [bar["group"] for bar in spec["datasets"]["bars 0"]].count("alive")
    assert alive == 4 and len(spec["datasets"]["bars 0"]) == 14
    _, answers, spec = demo("cytopenia_grades")
    shares = {name: (row["grade 3-4"], row["n"], row["missing"]) for name, row in answers["counts"].rows.items()}
    assert shares == {"neutrophils": (5, 9, 5), "platelets": (7, 9, 5)}
    assert {part["group"].partition("\n")[0] for part in spec["datasets"]["parts"]} == {
        "Neutropenia",
        "Thrombocytopenia",
    }

"""Survival charts: the numbers are those of `stats`, the table stands under its ticks, and what cannot be is said."""

import json
import re

import polars
import pytest

from timeline import charts, statistic, stats
from timeline.charts import declared, survival, survival_layout, theme
from timeline.errors import TimelineError
from timeline.statistic.declared import SurvivalOf

CHART = declared.Survival(time="t", event="e", unit="months", x="Months", y="Overall survival", every=3)
BY = CHART.model_copy(update={"by": "g", "every": None})
ASKED = SurvivalOf(kind="survival", time="t", event="e", title="S", unit="months", landmarks=(6, 12))
# The deaths and last contacts that meet every published aggregate of survival, in days.
DAYS = [18, 20, 24, 27, 29, 29, 70, 100, 150, 198, 600, 700, 743, 900]
TIMES = [day / 30.4375 for day in DAYS]
EVENTS = [day <= 198 for day in DAYS]


def frame(times=TIMES, events=EVENTS, groups=None) -> polars.DataFrame:
    schema = {"t": polars.Float64, "e": polars.Boolean, "g": polars.String}
    rows = list(zip(times, events, groups or [None] * len(times), strict=True))
    return polars.DataFrame(rows, schema=schema, orient="row")


def drawn(data: polars.DataFrame, chart=CHART, asked=ASKED):
    return charts.specification(charts.draw(data, chart, "Title", ["Synthetic"], [statistic.answer(data, asked)]))


def arranged(data: polars.DataFrame, chart=CHART, asked=ASKED):
    return survival_layout.arrange(data, chart, [statistic.answer(data, asked)])


def test_the_curve_falls_where_stats_says_so():
    found = arranged(frame())
    curve = stats.kaplan_meier(TIMES, EVENTS)
    falls = [(step.time, pytest.approx(100 * step.survival)) for step in curve.steps if step.events]
    assert [(point["x"], point["y"]) for point in found.line] == [
        (0, 100),
        *falls,
        (TIMES[-1], pytest.approx(400 / 14)),
    ]
    assert [point["x"] for point in found.censored] == TIMES[-4:]
    # Two died on one day: one fall, of two.
    assert sum(point["x"] == TIMES[4] for point in found.line) == 1 and len(found.steps) == 13


def test_the_band_is_the_interval_and_ends_with_the_last_time():
    found, curve = arranged(frame()), stats.kaplan_meier(TIMES, EVENTS)
    for point, step in zip(found.band, [step for step in curve.steps if step.events], strict=False):
        assert (point["x"], point["low"], point["high"]) == (step.time, 100 * (step.low or 0), 100 * (step.high or 0))
    assert found.band[-1]["x"] == TIMES[-1] and len(found.band) == 10


def test_numbers_at_risk_are_those_of_stats_and_stand_under_the_ticks():
    found = arranged(frame())
    assert found.ticks == tuple(range(0, 31, 3))
    at_risk = stats.at_risk(stats.kaplan_meier(TIMES, EVENTS), found.ticks)
    assert [cell["risk"] for cell in found.table] == [str(count) for count in at_risk.counts]
    assert [cell["events"] for cell in found.table][:4] == ["0", "7", "9", "10"]
    assert [cell["x"] for cell in found.table] == list(found.ticks)
    spec = drawn(frame())
    # Table and axis share one scale: the units that draw the cells have the axis' own encoding of x.
    axes = [unit["encoding"]["x"] for unit in spec["layer"] if unit["encoding"].get("x", {}).get("field") == "x"]
    assert all(axis == axes[0] for axis in axes) and axes[0]["axis"]["values"] == list(found.ticks)
    assert axes[0]["axis"]["labelFlush"] is False


def test_cells_of_the_picture_stand_exactly_under_their_ticks():
    svg = charts.picture(drawn(frame()), "svg").decode()
    at = {text: float(x) for x, text in re.findall(r"<text[^>]*translate\(([\d.]+),[\d.]+\)[^>]*>(\d+)</text>", svg)}
    ticks = re.search(r"role-axis-label.*?</g>", svg, re.DOTALL)
    assert ticks is not None
    labels = {text: float(x) for x, text in re.findall(r"translate\(([-\d.]+),[\d.]+\)[^>]*>(\d+)</text>", ticks[0])}
    assert labels["30"] == pytest.approx(survival.WIDTH, abs=0.6) and labels["15"] == pytest.approx(320, abs=0.6)
    # At risk at month 0: all 14.
    assert at["14"] == pytest.approx(0, abs=0.6)


def test_median_landmarks_and_follow_up_are_marked_and_written():
    found = arranged(frame())
    marks = {(mark["kind"], mark["text"]) for mark in found.marks}
    assert marks == {("median", "median 2.79"), ("landmark", "35.7 %"), ("landmark", "28.6 %")}
    assert found.notes == (
        "n = 14, events = 10, censored = 4; none missing",
        "Median 2.79 months (where the curve is flat at 50 %, the middle of its ends); "
        "median follow-up 23.7 months (reverse Kaplan-Meier)",
        "35.7 % (95 % CI 13.0 to 59.4) at 6 months; 28.6 % (95 % CI 8.8 to 52.4) at 12 months",
    )
    first = arranged(frame(), asked=ASKED.model_copy(update={"median": "first_crossing"}))
    assert ("median", "median 2.3") in {(mark["kind"], mark["text"]) for mark in first.marks}
    assert "the first time at which" in first.notes[1]


def test_without_a_statistic_there_is_a_curve_without_landmarks():
    found = survival_layout.arrange(frame(), CHART, [])
    assert [mark["kind"] for mark in found.marks] == ["median"] and len(found.line) == 11


def test_a_group_each_with_a_colour_a_dash_and_a_row():
    data = frame(groups=["A", "B"] * 7)
    found, spec = arranged(data, BY), drawn(data, BY)
    assert [stratum.name for stratum in found.strata] == ["A", "B"] and found.marks == []
    assert {cell["row"] for cell in found.table} == {0, 1}
    assert [note[:10] for note in found.notes if note[0] in "AB"] == ["A: median ", "B: median "]
    svg = charts.picture(spec, "svg").decode()
    assert theme.CATEGORY["orange"] in svg and "At risk (events)" in svg.replace("\xa0", " ")
    line = next(unit for unit in spec["layer"] if unit["mark"].get("type") == "line")
    assert len(line["encoding"]["strokeDash"]["scale"]["range"]) == 2


def test_of_more_than_six_groups_the_largest_are_drawn_and_it_says_so():
    groups = [f"g{i % 8}" for i in range(40)] + [None] * 6
    found = arranged(frame([1.0 + i for i in range(46)], [True] * 46, groups), BY)
    assert len(found.strata) == 6 and found.strata[0].name == "unknown"
    assert found.notes[-1] == "The 6 largest of 9 groups; the others have n = 15 together."


@pytest.mark.parametrize(
    ("times", "events", "note"),
    [
        ([], [], "Nothing to draw: no rows."),
        ([None, 3.0], [True, None], "Nothing to draw: no value; 2 missing: 1 no time, 1 no outcome."),
        ([-1.0], [True], "Not drawn: 1 times are before the start (row 1); survival needs times of 0 or more."),
        ([4.0] * 5, [False] * 5, "n = 5, events = 0, censored = 5; none missing"),
        ([4.0], [True], "n = 1, events = 1, censored = 0; none missing"),
        ([0.0, 0.0], [True, False], "n = 2, events = 1, censored = 1; none missing"),
        ([4.0, None], [True, True], "n = 1, events = 1, censored = 0; 1 missing: no time"),
    ],
    ids=["empty", "missing", "negative", "all censored", "one", "at zero", "one missing"],
)
def test_whatever_there_is_a_picture_and_a_note(times, events, note):
    spec = drawn(frame(times, events))
    assert note in spec["title"]["subtitle"]
    assert charts.picture(spec, "svg").startswith(b"<svg")


def test_all_censored_stays_at_100_and_the_median_is_not_reached():
    found = arranged(frame([4.0, 20.0], [False, False]))
    assert [point["y"] for point in found.line] == [100, 100] and found.band == []
    assert "Median not reached" in found.notes[1]
    assert [mark["text"] for mark in found.marks] == ["100.0 %", "100.0 %"]


def test_after_everybody_died_there_is_no_band():
    found = arranged(frame([1.0, 2.0, 3.0], [True] * 3))
    assert found.line[-1] == {"name": "", "x": 3, "y": 0} and found.band[-1]["x"] == 3


def test_a_limit_cuts_the_curve_and_it_says_so():
    found = arranged(frame(), CHART.model_copy(update={"limit": 10}))
    assert found.ticks == (0, 3, 6, 9, 10) and max(point["x"] for point in found.line + found.band) == 10
    assert found.notes[-1] == "Drawn to 10 months; the last time is 29.57 months."
    assert [mark["text"] for mark in found.marks] == ["35.7 %", "median 2.79"]


@pytest.mark.parametrize("last", [0.01, 0.7, 1, 9, 29, 360, 12345])
@pytest.mark.parametrize("every", [None, 3])
def test_there_are_never_more_ticks_than_have_room(last, every):
    found = arranged(frame([last], [True]), CHART.model_copy(update={"every": every}))
    assert 2 <= len(found.ticks) <= survival_layout.MOST_TICKS + 1 and found.limit >= last * (1 - 1e-9)


def test_names_from_data_stay_text_and_colours_have_a_night():
    evil = "<script>alert(1)</script>"
    spec = drawn(frame(groups=[evil, "b"] * 7), BY)
    svg = charts.picture(spec, "svg").decode()
    assert "<script" not in svg and "&lt;script&gt;" in svg
    drawing = {key: value for key, value in spec.items() if key not in ("datasets", "title")}
    assert set(re.findall(r"#[0-9a-f]{6}", json.dumps(drawing))) <= set(theme.NIGHT)


def test_the_notes_say_why_a_time_is_not_there_where_somebody_knows():
    data = frame([4.0, None, None], [True, True, False]).with_columns(
        why=polars.Series([None, "death without a day", None])
    )
    told = {"missing": "why"}
    found = arranged(data, CHART.model_copy(update=told), ASKED.model_copy(update=told))
    assert found.notes[0].endswith("; 2 missing: 1 death without a day, 1 no time")
    answer = statistic.answer(data, ASKED.model_copy(update=told))
    assert answer.sentences[0].endswith("; 2 missing: 1 death without a day, 1 no time")
    with pytest.raises(TimelineError, match="not equally long"):
        stats.kaplan_meier([1.0, 2.0], [True, True], reasons=["one"])

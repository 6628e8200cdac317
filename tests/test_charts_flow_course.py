"""The flow of a cohort and a course around an anchor: boxes that fit, lines that break, medians of all, and notes."""

import json
import re
import statistics

import polars
import pytest

from timeline import charts
from timeline.charts import course_layout, declared, flow, theme

FLOW = declared.Flow(label="step", count="n", lost="lost", why="why", note="note")
SCHEMA = {"step": str, "n": int, "lost": int, "why": str, "note": str}


def steps(*rows) -> polars.DataFrame:
    return polars.DataFrame(list(rows), schema=SCHEMA, orient="row")


COHORT = steps(
    ("All", 21, None, None, None),
    ("Infused", 18, 3, "2 nothing found, 1 not as asked", None),
    ("Treated", 18, 0, None, None),
    ("Ill", 0, 18, None, "no event is an illness"),
)


def words(spec) -> list[str]:
    return [text["text"] for text in spec["datasets"]["texts"]]


def drawn(data, chart=FLOW):
    return charts.specification(charts.draw(data, chart, "Title", ["Synthetic"]))


def test_each_step_has_a_box_and_each_loss_another_with_its_reason():
    spec = drawn(COHORT)
    assert [box["kind"] for box in spec["datasets"]["boxes"]] == [
        "step",
        "excluded",
        "step",
        "step",
        "excluded",
        "last",
    ]
    told = words(spec)
    assert told[:4] == ["All", "n = 21", "Excluded: n = 3", "2 nothing found, 1 not as asked"]
    assert told[-4:] == ["Excluded: n = 18", "Ill", "n = 0", "no event is an illness"]
    # Nobody lost is no box: 0 is said nowhere but where 0 are left.
    assert "Excluded: n = 0" not in told


def test_an_unknown_count_is_not_zero():
    assert "n is not known" in words(drawn(steps(("All", None, None, None, None))))


@pytest.mark.parametrize("count", [0, 1, 4, 10])
def test_boxes_do_not_overlap_and_words_stay_inside(count):
    long = "a rather long sentence that says what the step asks for, with Donaudampfschifffahrtsgesellschaftskapitaen"
    data = steps(*[(f"{i} {long}", 20000 - i, 1234 * (i % 2), f"{long} {long}", long) for i in range(count)])
    boxes, texts, lines, _, height = flow.arrange(data, FLOW)
    for side in (True, False):
        own = sorted((box["y"], box["y2"]) for box in boxes if (box["kind"] == "excluded") == side)
        assert all(above[1] < below[0] for above, below in zip(own, own[1:], strict=False))
    assert all(box["y2"] <= height for box in boxes)
    for text in texts:
        assert any(
            box["y"] < text["y"] < box["y2"] and box["x"] <= text["x"] <= box["x2"] and len(text["text"]) <= 48
            for box in boxes
        )
    assert len([line for line in lines if line["x"] == line["x2"]]) == max(count - 1, 0)
    assert charts.picture(drawn(data), "svg").startswith(b"<svg")


def test_a_flow_without_reasons():
    chart = declared.Flow(label="step", count="n")
    assert [box["kind"] for box in drawn(COHORT, chart)["datasets"]["boxes"]] == ["step", "step", "step", "last"]


def test_names_of_steps_stay_text_and_colours_have_a_night():
    spec = drawn(steps(("<script>x</script>", 1, None, None, "<b>bold</b>")))
    svg = charts.picture(spec, "svg").decode()
    assert "<script" not in svg and "&lt;script&gt;" in svg
    for one in (spec, course(POINTS)):
        drawing = {key: value for key, value in one.items() if key != "datasets"}
        assert set(re.findall(r"#[0-9a-f]{6}", json.dumps(drawing))) <= set(theme.NIGHT)


COURSE = declared.Course.model_validate(
    {"line": "who", "day": "d", "value": "v", "panels": {"v": {"title": "Dose, mg"}}, "x": "Days", "zero": "Start"}
)
PANELS = COURSE.model_copy(
    update={
        "panel": "what",
        "panels": {name: declared.Measure(title=f"{name}, mg", log=name == "b") for name in ("a", "b", "c")},
    }
)


def points(*rows) -> polars.DataFrame:
    schema = {"who": str, "d": int, "v": float, "what": str}
    return polars.DataFrame(list(rows), schema=schema, orient="row")


POINTS = points(
    *[(f"p{i}", day, float(i + day), "a") for i in range(5) for day in range(-1, 3) if (i, day) != (0, 1)],
    ("p0", 1, None, "a"),
    ("p5", 0, 7.0, "a"),
)


def course(data, chart=COURSE):
    return charts.specification(charts.draw(data, chart, "Title", ["Synthetic"]))


def test_a_line_breaks_where_a_value_is_not_known_and_goes_on_where_there_is_no_row():
    panel = course_layout.arrange(POINTS, COURSE).panels[0]
    runs: dict[tuple[str, int], list[int]] = {}
    for point in panel.lines:
        runs.setdefault((point["line"], point["run"]), []).append(point["x"])
    assert [days for (who, _), days in runs.items() if who == "p0"] == [[-1, 0]]
    # The day after the break, and the line of one day, are dots.
    assert [(dot["line"], dot["x"]) for dot in panel.dots] == [("p0", 2), ("p5", 0)]
    gap = course_layout.arrange(points(("p", 0, 1.0, "a"), ("p", 2, 2.0, "a")), COURSE).panels[0]
    assert [point["x"] for point in gap.lines] == [0, 2] and gap.days == []


def test_medians_quartiles_and_n_are_of_the_known_values():
    panel = course_layout.arrange(POINTS, COURSE).panels[0]
    by_day = {day["x"]: day for day in panel.days}
    values = [2.0, 3.0, 4.0, 5.0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    assert middle == statistics.median(values)
    assert [by_day[1][name] for name in ("n", "low", "middle", "high")] == [4, low, middle, high]
    assert {count["x"]: count["n"] for count in panel.counts} == {-1: "5", 0: "6", 1: "4", 2: "5"}
    assert panel.not_known == 1
    assert "Dose, mg: 1 of 21 values are not known; a line breaks there." in course(POINTS)["title"]["subtitle"]


def test_few_values_have_no_median():
    days = course_layout.arrange(points(*[(f"p{i}", i % 2, 1.0, "a") for i in range(5)]), COURSE).panels[0].days
    assert [(day["x"], day["n"]) for day in days] == [(0, 3)]


def test_of_too_many_lines_some_stand_for_all_and_the_median_is_of_all():
    data = points(*[(f"p{i:04}", day, float(i), "a") for i in range(1000) for day in range(3)])
    found = course_layout.arrange(data, COURSE)
    assert (found.shown, found.total, len({point["line"] for point in found.panels[0].lines})) == (40, 1000, 40)
    assert found.panels[0].days[0]["middle"] == 499.5 and found.panels[0].counts[0]["n"] == "1,000"
    spec = course(data)
    assert any(note.startswith("40 of 1,000 lines are shown") for note in spec["title"]["subtitle"])
    assert len(json.dumps(spec)) < 60_000


def test_panels_stand_in_the_order_declared_and_one_without_a_value_is_said():
    data = points(("p", 0, 5.0, "b"), ("p", 1, 0.0, "b"), ("p", 0, 1.0, "a"), ("q", 0, 1.0, "elsewhere"))
    spec = course(data, PANELS)
    assert len(spec["vconcat"]) == 2
    assert spec["title"]["subtitle"][1] == "c, mg: no value on any of these days."
    assert any("b, mg: 1 values of 0 or less are not on" in note for note in spec["title"]["subtitle"])
    svg = charts.picture(spec, "svg").decode()
    assert svg.count(">Start</text>") == 1 and svg.count(">Days</text>") == 1 and ">a, mg</text>" in svg


@pytest.mark.parametrize(
    "rows",
    [[], [("p", 0, None, "a")], [("p", None, 1.0, "a")], [("p", 5, 3.0, "a")], [("<script>", 0, 0.0, "a")]],
    ids=["empty", "not known", "no day", "one", "zero"],
)
def test_whatever_there_is_a_picture(rows):
    for chart in (COURSE, PANELS):
        svg = charts.picture(course(points(*rows), chart), "svg")
        assert svg.startswith(b"<svg") and b"<script" not in svg


def test_ticks_are_whole_days_with_day_0_among_them():
    for first, last in ((0, 1), (-7, 14), (-30, 400), (0, 4000)):
        ticks = course_layout._ticks(first, last)
        assert 0 in ticks and len(ticks) <= 14 and all(first <= tick <= last for tick in ticks)


def test_a_course_of_several_measures_names_their_column():
    with pytest.raises(ValueError, match="`panels` names what is measured"):
        declared.Course.model_validate(COURSE.model_dump() | {"panels": PANELS.model_dump()["panels"]})

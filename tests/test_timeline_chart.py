"""One subject's lanes: where marks stand, how they look, what is in view, what is left out and said so."""

import json
import re
from datetime import datetime, timedelta

import polars
import pytest

from timeline import charts
from timeline.charts import declared, theme, timeline_layout

LINE = declared.Timeline.model_validate(
    {
        "lane": "lane",
        "group": "group",
        "element": "element",
        "start": "a",
        "end": "b",
        "value": "v",
        "unit": "unit",
        "detail": "words",
        "origin": "zero",
        "origin_name": "zero_name",
        "low": "low",
        "high": "high",
        "bound": "bound",
        "implausible": "wrong",
        "log": "log",
        "source": "source",
        "rank": "rank",
        "most": 4,
        "join": 10,
        "groups": {"w": "", "first": "First group", "second": "Second group"},
        "layers": {
            "number": {"mark": "line", "title": "Measured", "colour": "blue"},
            "stay": {"mark": "bar", "title": "Stay"},
            "dose": {"mark": "point", "title": "Dose", "shape": "diamond", "colour": "green"},
            "grade": {"mark": "graded", "title": "Grade", "grades": [0, 1, 2]},
            "said": {"mark": "words", "title": "In words", "shape": "tick"},
            "window": {"mark": "window", "title": "Window", "colour": "orange"},
        },
    }
)
ZERO = datetime(2024, 3, 1, 11)
SCHEMA = {
    "lane": str, "group": str, "element": str, "a": polars.Datetime("us"), "b": polars.Datetime("us"), "v": float,
    "unit": str, "words": str, "zero": polars.Datetime("us"), "zero_name": str, "low": float, "high": float,
    "bound": str, "wrong": bool, "log": bool, "source": str, "rank": float,
}  # fmt: skip


def row(element: str, hours: float | None, value: float | None = None, **more) -> dict:
    plain = {"lane": "Lane", "group": "first", "zero": ZERO, "zero_name": "start", "wrong": False, "log": False}
    start = None if hours is None else ZERO + timedelta(hours=hours)
    until = more.pop("until", None)
    end = None if until is None else ZERO + timedelta(hours=until)
    return {**plain, "element": element, "a": start, "b": end, "v": value, "rank": 1.0, **more}


def arranged(*rows: dict, chart=LINE) -> timeline_layout.Arranged:
    frame = polars.DataFrame([{name: one.get(name) for name in SCHEMA} for one in rows], schema=SCHEMA)
    return timeline_layout.arrange(frame, chart)


def specification(*rows: dict, chart=LINE, notes=("Synthetic",)) -> dict:
    frame = polars.DataFrame([{name: one.get(name) for name in SCHEMA} for one in rows], schema=SCHEMA)
    return charts.specification(charts.draw(frame, chart, "Title", notes))


def styles(*rows: dict) -> list[str]:
    return [mark["style"] for mark in arranged(*rows).marks]


@pytest.mark.parametrize(
    ("value", "bound", "style"),
    [
        (2, None, "Measured"),
        (1, None, "Measured"),
        (0.9, None, "below the limit"),
        (3.1, None, "above the limit"),
        (1, "<", "less than this, below the limit"),
        (2, "<", "less than this"),
        (2, ">=", "more than this"),
        (3, ">", "more than this, above the limit"),
        # More than a number below the lower limit may be anywhere.
        (0.5, ">", "more than this"),
    ],
)
def test_a_number_beyond_its_limits_and_a_bound_look_it(value, bound, style):
    one = row("number", 1, value, low=1, high=3, bound=bound)
    assert styles(one) == [style]
    assert arranged(one).marks[0]["compared"] == (style.split(", ")[-1] if "limit" in style else "")


def test_without_limits_nothing_is_beyond_them_and_nothing_is_shaded():
    assert styles(row("number", 1, 1e9)) == ["Measured"] and arranged(row("number", 1, 1e9)).limits == []


def test_limits_are_shaded_inside_the_lane_on_the_side_that_is_known():
    both = arranged(row("number", 1, 0.2, low=1, high=3), row("number", 2, 5, low=1, high=3))
    (band,), (lane,) = both.limits, both.lanes
    assert lane["y"] < band["y"] < band["y2"] < lane["y2"]
    below = arranged(row("number", 1, 35, high=38), row("number", 2, 40, high=38))
    assert below.limits[0]["y2"] == below.lanes[0]["y2"] - 2 and "between the limits" in {k["style"] for k in below.key}


def test_an_implausible_value_is_crossed_off_the_line_and_does_not_stretch_the_axis():
    found = arranged(row("number", 1, 5), row("number", 2, 4000, wrong=True), row("number", 3, 7))
    assert [mark["style"] for mark in found.marks] == ["Measured", "implausible, no observation", "Measured"]
    assert [mark["run"] for mark in found.marks] == [0, None, 0]
    assert max(float(tick["text"]) for tick in found.ticks) < 10
    assert all(found.lanes[0]["y"] < mark["y"] < found.lanes[0]["y2"] for mark in found.marks)


def test_a_lane_of_implausible_values_alone_is_drawn_all_the_same():
    assert [mark["style"] for mark in arranged(row("number", 1, 9, wrong=True)).marks] == [
        "implausible, no observation"
    ]


def test_a_logarithmic_lane_has_powers_of_ten_and_a_zero_at_its_edge():
    found = arranged(*(row("number", i, value, log=True) for i, value in enumerate((0, 0.2, 30, 4000))))
    assert [tick["text"] for tick in found.ticks][-1] == "10,000" and found.ticks[0]["text"] == "0.1"
    heights = [mark["y"] for mark in found.marks]
    assert heights == sorted(heights, reverse=True) and heights[0] == max(tick["y"] for tick in found.ticks)
    assert "log scale" in found.texts[-1]["text"]


def test_a_long_gap_is_not_joined():
    assert [mark["run"] for mark in arranged(*(row("number", day * 24, 1) for day in (0, 5, 16, 17))).marks] == [
        0, 0, 1, 1,
    ]  # fmt: skip


def test_grades_are_as_high_as_they_are_bad_and_an_unknown_one_is_no_grade_0():
    found = arranged(*(row("grade", i, grade, until=i + 1) for i, grade in enumerate((0, 1, 2, None, 7))))
    heights = [mark["y2"] - mark["y"] for mark in found.marks[:3]]
    assert heights == sorted(heights) and heights[0] > 0
    assert [mark["style"] for mark in found.marks] == [
        "Grade 0", "Grade 1", "Grade 2", "Grade unknown", "Grade unknown",
    ]  # fmt: skip


def test_groups_stand_as_declared_and_lanes_by_rank():
    names = ("b", "second", 2), ("z", "first", 9), ("a", "second", 1), ("y", "first", 3)
    found = arranged(*(row("dose", 1, 1, lane=lane, group=group, rank=rank) for lane, group, rank in names))
    assert [text["text"] for text in found.texts if text["kind"] == "name"] == ["y", "z", "a", "b"]
    assert [text["text"] for text in found.texts if text["kind"] == "group"] == ["First group", "Second group"]
    assert all(a["y2"] <= b["y"] for a, b in zip(found.lanes, found.lanes[1:], strict=False))


def test_of_too_many_lanes_the_lowest_ranks_stay_and_the_rest_are_named_with_their_rows():
    rows = [row("dose", i, 1, lane=f"L{rank}", rank=rank) for rank in range(7) for i in range(rank + 1)]
    found = arranged(*rows)
    assert [text["text"] for text in found.texts if text["kind"] == "name"] == ["L0", "L1", "L2", "L3"]
    assert "Lanes not drawn, with their rows: L4 (5), L5 (6), L6 (7)." in found.notes
    many = arranged(*(row("dose", 1, 1, lane=f"A long name of a lane {i:04}", rank=i) for i in range(500)))
    assert re.search(r"and 4\d\d more \(4\d\d rows\)\.$", " ".join(many.notes))


def test_rows_without_a_time_a_layer_or_a_group_are_not_drawn_and_the_first_are_counted():
    found = arranged(row("dose", None, 1), row("dose", 1, 1), row("else", 1), row("dose", 1, 1, group="else"))
    assert len(found.marks) == 1 and found.notes == ("1 rows without a time are not drawn.",)


def test_nothing_with_a_time_is_a_picture_that_says_so():
    spec = specification(row("dose", None, 1))
    assert "There is nothing with a time to draw." in spec["title"]["subtitle"]
    assert charts.picture(spec, "svg").startswith(b"<svg")


def test_one_event_has_a_view_around_it():
    found = arranged(row("dose", 0, 100, unit="mg"))
    assert found.first < found.marks[0]["from"] < found.last
    assert found.marks[0]["label"] == "100 mg" and found.marks[0]["span"] >= found.last - found.first
    assert charts.picture(specification(row("dose", 0, 1)), "png").startswith(b"\x89PNG")


VIEW = LINE.model_copy(update={"view": (-2.0, 8.0)})


def test_the_days_around_day_0_are_in_view_at_first_and_what_is_not_is_counted():
    found = arranged(*(row("dose", 24 * day, 1) for day in (0, 1, 2, 3, 4, 400)), chart=VIEW)
    assert found.last < found.marks[-1]["from"]
    assert "1 marks lie outside the days in view at first; zoom out to see them." in found.notes


def test_where_hardly_a_mark_is_around_day_0_the_view_is_where_they_are():
    found = arranged(row("dose", 0, 1), *(row("dose", 24 * 300 + i, 1) for i in range(50)), chart=VIEW)
    assert found.first > found.marks[0]["from"] and found.first < found.marks[1]["from"] < found.last
    assert arranged(*(row("dose", 24 * day, 1, zero=None) for day in (0, 300, 301)), chart=VIEW).zero == []


def test_windows_are_over_all_lanes_and_names_that_would_meet_stand_below_each_other():
    windows = [row("window", i, None, lane=f"Window {i}", group="w", until=i + 2) for i in (1, 2, 90)]
    found = arranged(row("dose", 0, 1), row("dose", 100, 1), *windows)
    assert [window["y"] for window in found.windows][0] != found.windows[1]["y"]
    assert found.windows[2]["y"] == found.windows[0]["y"]
    assert len(found.lanes) == 1 and "Window" in {key["style"] for key in found.key}


def test_labels_have_room_and_more_are_seen_in_a_narrower_view():
    found = arranged(*(row("said", i * 6, None, words=f"words {i}; more") for i in range(40)))
    assert {mark["label"] for mark in found.marks} == {f"words {i}" for i in range(40)}
    spans = sorted({mark["span"] for mark in found.marks})
    for span in spans:
        seen = [mark for mark in found.marks if mark["span"] >= span]
        places = [(mark["from"] * 720 / span, len(mark["label"]) * 6) for mark in seen]
        assert all(a + width < b for (a, width), (b, _) in zip(places, places[1:], strict=False))
    assert all(spans)


def test_what_is_zoomed_is_the_time_alone():
    spec = specification(row("number", 1, 1), row("dose", 5, 1))
    (zoom,) = [param for param in spec["params"] if param["name"] == "zoom"]
    assert zoom["bind"] == "scales" and zoom["select"] == {"type": "interval", "encodings": ["x"]}
    scales = [layer["encoding"]["x"].get("scale") for layer in spec["layer"] if "field" in layer["encoding"]["x"]]
    domains = [scale["domain"] for scale in scales if scale and "domain" in scale]
    assert domains == [[{"expr": "first"}, {"expr": "last"}]]
    assert all(layer["encoding"].get("y", {}).get("scale", None) is None for layer in spec["layer"])


def test_every_subject_shares_one_drawing():
    rows = (row("number", 1, 1), row("dose", 5, 1), row("window", 1, until=3, group="w"))
    spec = specification(*rows, notes=())
    frame = polars.DataFrame([{name: one.get(name) for name in SCHEMA} for one in rows], schema=SCHEMA)
    own, shared = charts.parts(frame, LINE, "Title"), charts.shared(LINE)
    assert "datasets" not in shared and own["datasets"] == spec["datasets"] and own["height"] == spec["height"]
    assert own["values"] == {p["name"]: p["value"] for p in spec["params"] if "value" in p}
    without = ("datasets", "height", "title", "params")
    assert {k: v for k, v in spec.items() if k not in without} == {k: v for k, v in shared.items() if k not in without}


def test_a_kind_that_cannot_be_divided_is_its_own_part():
    lanes = declared.Lanes.model_validate(
        {"lane": "who", "element": "what", "start": "a", "end": "b", "value": "v", "x": "Days",
         "layers": {"stay": {"mark": "bar", "title": "Stay"}}}
    )  # fmt: skip
    frame = polars.DataFrame({"who": ["p"], "what": ["stay"], "a": [0], "b": [3], "v": [3]})
    assert charts.shared(lanes) == {} and "layer" in charts.parts(frame, lanes, "Lanes")


def test_every_mark_answers_the_pointer_with_time_day_value_and_source():
    one = row("number", 25, 1.5, unit="mg/L", bound="<", source="a.csv, row 7", words="haemolytic")
    mark = arranged(one).marks[0]
    assert (mark["amount"], mark["when"], mark["day"]) == ("<1.5 mg/L", "2024-03-02 12:00", "day 1")
    assert (mark["source"], mark["detail"]) == ("a.csv, row 7", "haemolytic")
    drawn = [layer for layer in specification(one)["layer"] if layer.get("data", {}).get("name") == "marks"]
    points = [layer for layer in drawn if layer["mark"]["type"] in ("point", "rect", "rule")]
    assert points and all(
        [field["title"] for field in layer["encoding"]["tooltip"]][:5] == ["What", "Value", "Compared", "Time", "Day"]
        for layer in points
    )


def test_thousands_of_events_of_one_subject():
    rows = [row("number", i / 3, i % 50, lane=f"L{i % 4}") for i in range(5000)]
    spec = specification(*rows)
    assert len(spec["datasets"]["marks"]) == 5000 and len(json.dumps(spec)) < 3_000_000


def test_names_from_data_stay_text():
    evil = "<script>alert(1)</script>"
    spec = specification(row("said", 1, lane=evil, words=evil, source=evil, zero_name=evil))
    svg = charts.picture(spec, "svg").decode()
    assert "<script" not in svg and "&lt;script&gt;" in svg


def test_the_key_explains_what_is_drawn_and_only_that():
    texts = re.findall(r">([^<>]+)</text>", charts.picture(specification(row("dose", 1, 2, unit="mg")), "svg").decode())
    assert "Dose" in texts and "2 mg" in texts and "Stay" not in texts and "Grade 0" not in texts


def test_every_colour_of_day_has_one_by_night():
    spec = specification(
        row("number", 1, 1, low=0.5), row("grade", 1, 1, until=2), row("window", 1, until=2, group="w")
    )
    drawing = {key: value for key, value in spec.items() if key != "datasets"}
    used = set(re.findall(r"#[0-9a-f]{6}", json.dumps(drawing)))
    assert used <= set(theme.NIGHT)
    # Colours in records would stay those of day.
    assert re.findall(r"#[0-9a-f]{6}", json.dumps(spec["datasets"])) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"view": [3, 3]}, "`view` is two days, the earlier first"),
        ({"layers": {"g": {"mark": "graded", "title": "G"}}}, "`grades` goes with `mark: graded`"),
        ({"layers": {"g": {"mark": "bar", "title": "G", "grades": [1]}}}, "`grades` goes with `mark: graded`"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        declared.Timeline.model_validate({**LINE.model_dump(), **change})

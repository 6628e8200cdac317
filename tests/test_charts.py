"""Charts: what is drawn and where, what the legend says, what is left out and said so, and the theme by night."""

import json
import re

import polars
import pytest

from timeline import charts
from timeline.charts import declared, lane_layout, theme
from timeline.errors import UsageError

LANES = declared.Lanes.model_validate(
    {
        "lane": "who",
        "panel": "arm",
        "element": "what",
        "start": "a",
        "end": "b",
        "value": "v",
        "detail": "words",
        "order": "length",
        "count": True,
        "x": "Days since day 0",
        "layers": {
            "dose": {"mark": "point", "title": "Dose", "track": "doses", "shape": "star", "colour": "orange"},
            "stay": {"mark": "bar", "title": "Stay", "track": "course"},
            "grade": {"mark": "graded", "title": "Grade", "track": "course", "grades": [0, 1, 2, 3]},
            "amount": {"mark": "amount", "title": "Amount", "track": "below", "unit": "mg", "breaks": [10, 20]},
            "gone": {"mark": "point", "title": "Gone", "track": "course", "shape": "asterisk", "offset": 20},
            "worst": {"mark": "column", "title": "Worst"},
        },
    }
)
COLUMNS = {"arm": str, "who": str, "what": str, "a": float, "b": float, "v": float, "words": str, "length": float}
Row = tuple[str | None, str, str, float | None, float | None, float | None, str | None, float | None]


def frame(*rows: Row) -> polars.DataFrame:
    return polars.DataFrame(list(rows), schema=COLUMNS, orient="row")


FRAME = frame(
    ("A", "p1", "stay", 0, 10, 10, "ten days", 10),
    ("A", "p1", "grade", 2, 4, 3, "grade 3", 10),
    ("A", "p1", "amount", 3, 3, 20, None, 10),
    ("A", "p1", "amount", 4, 4, 20.5, None, 10),
    ("A", "p1", "amount", 5, 5, None, "no amount", 10),
    ("A", "p1", "gone", 10, 10, None, "gone", 10),
    ("A", "p1", "worst", None, None, 3, None, 10),
    ("A", "p2", "stay", 0, 12, 12, None, 12),
    ("A", "p2", "worst", None, None, None, None, 12),
    (None, "p3", "dose", 1, 1, 100, None, None),
    ("A", "p1", "undeclared", 1, 1, 1, None, 10),
)


def specification(data=FRAME, chart=LANES, title="Title", notes=("Synthetic",)):
    return charts.specification(charts.draw(data, chart, title, notes))


def marks(data=FRAME) -> list[dict]:
    return lane_layout.arrange(data, LANES)[0].marks


def one(layer: str, **wanted) -> dict:
    found = [m for m in marks() if m["layer"] == layer and all(m[key] == value for key, value in wanted.items())]
    assert len(found) == 1
    return found[0]


def test_longest_lane_first_within_its_panel():
    arranged = lane_layout.arrange(FRAME, LANES)[0]
    assert [lane["lane"] for lane in arranged.lanes] == ["p2", "p1", "p3"]
    assert [panel["panel"] for panel in arranged.panels] == ["A (n = 2)", "unknown (n = 1)"]


def test_days_cover_themselves_and_symbols_stand_on_their_day():
    assert (one("Stay", lane="p1")["from"], one("Stay", lane="p1")["to"]) == (-0.5, 10.5)
    assert one("Dose")["from"] == 1
    # A symbol with an offset stands at the end of its day, then moves by pixels.
    assert (one("Gone")["from"], one("Gone")["when"]) == (10.5, "end of the lane")
    assert one("Grade")["when"] == "days 2 to 4" and one("Dose")["when"] == "day 1"


def test_a_value_on_a_break_is_in_the_lower_shade_and_unknown_has_its_own():
    shades = [mark["value"] for mark in marks() if mark["layer"] == "Amount"]
    assert shades == ["over 10 to 20", "over 20", "amount not known"]


def test_missing_is_not_zero():
    assert one("Worst", lane="p2")["label"] == "unknown"
    assert one("Worst", lane="p1")["label"] == "3"


def test_an_element_without_a_layer_is_not_drawn():
    assert all(m["layer"] != "undeclared" for m in marks()) and len(marks()) == FRAME.height - 1


@pytest.mark.parametrize("lanes", [1, 14, 40, 60])
def test_lanes_and_tracks_do_not_overlap(lanes):
    data = frame(*[("AB"[i % 2], f"p{i:02}", what, 1, 2, 1, None, i) for i in range(lanes) for what in LANES.layers])
    arranged = lane_layout.arrange(data, LANES)[0]
    boxes = sorted((lane["y"], lane["y2"]) for lane in arranged.lanes)
    assert len(boxes) == lanes and arranged.height == pytest.approx(boxes[-1][1])
    assert all(above[1] <= below[0] + 1e-9 for above, below in zip(boxes, boxes[1:], strict=False))
    panels = [(panel["top"], panel["bottom"]) for panel in arranged.panels]
    # A title's strip may cover the line between two lanes, no more.
    assert all(bottom <= box[0] + 1e-9 or top >= box[1] - 1 for top, bottom in panels for box in boxes)
    of_first = [m for m in arranged.marks if m["lane"] == arranged.lanes[0]["lane"]]
    tops = {m["layer"]: (m["y"], m["y2"]) for m in of_first}
    assert tops["Stay"][1] <= tops["Amount"][0] and tops["Dose"][0] < tops["Stay"][0]
    assert tops["Stay"] == tops["Grade"]


def test_of_too_many_lanes_some_stand_for_all_and_it_says_so():
    data = frame(*[("A" if i < 500 else "B", f"p{i:04}", "stay", 0, i % 30, 1, None, i % 30) for i in range(2000)])
    spec = specification(data)
    assert len(spec["datasets"]["lanes"]) == LANES.most == 60
    assert spec["title"]["subtitle"] == ["Synthetic", "60 of 2,000 lanes are shown, evenly spaced over their order."]
    titles = [panel["panel"] for panel in spec["datasets"]["panels"]]
    assert titles == ["A (n = 500, 15 shown)", "B (n = 1,500, 45 shown)"]
    shortest, longest = [f([m["to"] for m in spec["datasets"]["marks"]]) for f in (min, max)]
    assert shortest < 3 and longest > 28
    assert len(json.dumps(spec)) < 100_000
    assert "title" in specification() and len(specification()["title"]["subtitle"]) == 1


def test_the_legend_explains_everything_that_is_drawn():
    texts = re.findall(r">([^<>]+)</text>", charts.picture(specification(), "svg").decode())
    expected = ["Title", "Synthetic", "A (n = 2)", "Days since day 0", "Stay", "Grade", "Amount, mg", "Worst"]
    expected += ["0", "1", "2", "3", "up to 10", "over 10 to 20", "over 20", "amount not known", "Dose", "Gone"]
    assert [text for text in expected if text not in texts] == []
    # Each symbol's name stands once: colour and shape share one legend.
    assert texts.count("Dose") == 1 and texts.count("Gone") == 1


def test_every_mark_answers_the_pointer():
    def units(spec):
        return [unit for part in spec["layer"] for unit in units(part)] if "layer" in spec else [spec]

    drawn = [unit for unit in units(specification()) if unit.get("data", {}).get("name") == "marks"]
    assert len(drawn) == len(LANES.layers)
    for unit in drawn:
        assert [field["title"] for field in unit["encoding"]["tooltip"]] == ["Who", "What", "When", "Detail"]


def test_names_from_data_stay_text():
    evil = "<script>alert(1)</script>"
    svg = charts.picture(specification(frame((evil, evil, "stay", 0, 3, 3, evil, 3))), "svg").decode()
    assert "<script" not in svg and "&lt;script&gt;" in svg


def test_days_beyond_a_hundred_are_written_out():
    svg = charts.picture(specification(frame(("A", "p1", "stay", 0, 130, 130, None, 130))), "svg").decode()
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert {"100", "120"} <= set(texts) and not [text for text in texts if "e+" in text]


def test_nothing_to_draw_is_a_chart_all_the_same():
    assert charts.picture(specification(frame()), "svg").startswith(b"<svg")


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_pictures(format):
    start = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF"}[format]
    assert charts.picture(specification(), format).startswith(start)


def colours_of(spec) -> set[str]:
    drawing = {key: value for key, value in spec.items() if key != "datasets"}
    return set(re.findall(r"#[0-9a-f]{6}", json.dumps(drawing)))


def test_every_colour_of_day_has_one_by_night():
    used = colours_of(specification())
    assert len(used) > 10 and used <= set(theme.NIGHT)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [theme.INK, theme.QUIET, *theme.CATEGORY.values()])
def test_words_and_symbols_stand_out_by_day_and_night(colour):
    least = 4.5 if colour in (theme.INK, theme.QUIET) else 3
    assert contrast(colour, theme.PAPER) >= least and contrast(colour, theme.BAND) >= least
    assert contrast(theme.NIGHT[colour], theme.NIGHT[theme.PAPER]) >= least


@pytest.mark.parametrize("count", range(2, theme.MOST_SHADES + 1))
@pytest.mark.parametrize("colours", [theme.SEVERITY, theme.AMOUNT])
def test_ordered_colours_change_lightness_in_one_direction(colours, count):
    day = [luminance(colour) for colour in theme.shades(colours, count)]
    night = [luminance(theme.NIGHT[colour]) for colour in theme.shades(colours, count)]
    assert day == sorted(day, reverse=True) and night == sorted(night) and len(set(day)) == count


@pytest.mark.parametrize(
    "layer",
    [
        {"mark": "graded", "title": "x"},
        {"mark": "amount", "title": "x"},
        {"mark": "amount", "title": "x", "breaks": [20, 10]},
        {"mark": "bar", "title": "x", "grades": [1]},
        {"mark": "point", "title": "x", "shape": "heart"},
    ],
)
def test_a_layer_that_cannot_be_drawn_is_refused(layer):
    with pytest.raises(ValueError, match="grades|breaks|shape"):
        declared.Layer.model_validate(layer)


def test_rows_without_a_place_are_counted_and_words_are_no_numbers():
    lost = frame(("A", "p1", "stay", 0, 10, 10, None, 10), ("A", "p1", "dose", None, None, 3, None, 10))
    spec = charts.specification(charts.draw(lost, LANES, "T"))
    assert "1 rows without a place on the axis are not drawn." in spec["title"]["subtitle"]
    with pytest.raises(UsageError, match="draws numbers, and v holds none"):
        charts.draw(lost.with_columns(v=polars.lit("much")), LANES, "T")

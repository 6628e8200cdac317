"""The picture of an explanation: a patient's time around one row, a lane a lookup; knows frames only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.explanation_layout import TOP, WIDTH, Arranged, Frames, arrange, folded, milliseconds
from timeline.charts.lanes import SHAPES
from timeline.charts.time_axis import DAY, time_axis

if TYPE_CHECKING:
    import altair as alt

NAMES_AT, TICKS_AT = -40, -5
"""Where the names of lanes and of values end, left of the lanes."""
TITLE = 100
"""Letters in a line of the title."""
LEGEND_TOP, LEGEND_ROW, LEGEND_COLUMNS = 62, 19, 4
HALO = {"stroke": theme.PAPER, "strokeWidth": 4, "strokeJoin": "round"}
"""Behind letters, so that no line crosses them."""
EDGES = "Shaded: the window that was searched. A time on a solid edge is in it, on a dashed edge it is not."
STATES: dict[str, tuple[str, str, str, str, float, float]] = {
    # What it is, its shape, fill and outline, its size, how much of it is seen.
    "row": ("the row itself", "square", theme.INK, theme.INK, 90, 1),
    "found": ("found", "circle", theme.CATEGORY["blue"], theme.CATEGORY["blue"], 75, 1),
    "decided": ("decided", "circle", theme.INK, theme.INK, 55, 1),
    "held": ("observed, and how long in force", "square", theme.CATEGORY["purple"], theme.CATEGORY["purple"], 65, 1),
    "near": ("came nearest", "diamond", theme.CATEGORY["orange"], theme.CATEGORY["orange"], 105, 1),
    "inside": ("searched, not taken", "circle", theme.PAPER, theme.CATEGORY["blue"], 45, 1),
    "wrong": ("not the value asked for", SHAPES["x"], theme.CATEGORY["red"], theme.CATEGORY["red"], 45, 1),
    "untold": ("cannot be told", "square", theme.PAPER, theme.CATEGORY["red"], 45, 1),
    "implausible": ("implausible, no observation", "triangle-down", theme.PAPER, theme.CATEGORY["yellow"], 55, 1),
    "outside": ("outside the window", "circle", theme.QUIET, theme.QUIET, 22, 0.55),
    "other": ("other event", SHAPES["tick"], theme.QUIET, theme.QUIET, 40, 0.6),
    "day": ("a day with events", SHAPES["tick"], theme.INK, theme.INK, 60, 0.9),
}
"""Shape, fill and lightness all differ, so that no state is told by its colour alone."""


def draw(frames: Frames, title: str, subtitle: Sequence[str] = ()) -> "alt.TopLevelMixin":
    """Return the picture in the theme's colours of day; it can be zoomed and moved along the axis of time."""
    import altair as alt

    arranged = arrange(frames)
    x = _x(frames)
    layers = [
        _separators(),
        *_ticks(),
        *_lines(frames, arranged, x),
        *_windows(x),
        *_marks(frames, arranged, x),
        *_texts(),
        *_labels(arranged, x),
        *_foot(arranged),
    ]
    names = ("lanes", "texts", "ticks", "windows", "edges", "marks", "labels")
    heading = alt.TitleParams(list(folded(title, TITLE, 2)), subtitle=list(subtitle))
    chart = alt.layer(*layers).properties(
        width=WIDTH,
        height=arranged.height,
        datasets={name: getattr(arranged, name) for name in names},
        title=heading,
    )
    return chart.configure(**theme.config())  # type: ignore


def _x(frames: Frames) -> "alt.X":
    """Calendar time on the study's clock; under the dates the days relative to day 0."""
    import altair as alt

    title, midnight = "Time", None
    if frames.day_zero is not None:
        title = f"Time, and day relative to {frames.index}"
        midnight = f"{milliseconds(frames.day_zero) // DAY * DAY:.0f}"
    if frames.marks.is_empty() and frames.windows.is_empty():
        bare = alt.Axis(title=None, labels=False, ticks=False, domain=False, grid=False)
        return alt.X("from:T", axis=bare, scale=alt.Scale(type="utc"))
    scale = alt.Scale(type="utc", nice=False)
    return alt.X("from:T", axis=time_axis(title, midnight), scale=scale)


def _in_view(frames: Frames, x: "alt.X") -> "alt.X":
    """The axis with its first domain, which one layer alone may set: Vega takes those of two for a conflict."""
    return x.scale(type="utc", nice=False, domain=[milliseconds(frames.first), milliseconds(frames.last)])


def _y(field: str = "y:Q") -> "alt.Y":
    """A height in pixels: it has no scale and no axis."""
    import altair as alt

    return alt.Y(field, scale=None, axis=None)


def _named(name: str) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def _separators() -> "alt.Chart":
    import altair as alt

    rule = _named("lanes").mark_rule(color=theme.LINE, strokeWidth=0.8)
    return rule.encode(x=alt.value(0), x2=alt.value(WIDTH), y=_y("y2:Q"))


def _windows(x: "alt.X") -> list["alt.Chart"]:
    import altair as alt

    windows, edges = _named("windows"), _named("edges")
    colour = theme.CATEGORY["sky"]
    tooltip = [alt.Tooltip("what:N", title="Searched")]
    band = windows.mark_rect(color=colour, opacity=0.15, clip=True)
    place = {"align": "left", "baseline": "top", "dx": 4, "dy": 2, "fontSize": 10, "clip": True}
    names = windows.mark_text(color=theme.PAPER, **HALO, **place), windows.mark_text(color=theme.QUIET, **place)
    shown = [
        band.encode(x=x, x2="to:T", y=_y(), y2="y2:Q", tooltip=tooltip),
    ]
    for closed, dash in (("datum.closed", [1, 0]), ("!datum.closed", [4, 3])):
        edge = edges.transform_filter(closed).mark_rule(color=colour, strokeWidth=1.6, strokeDash=dash, clip=True)
        shown.append(edge.encode(x=x, y=_y(), y2="y2:Q"))
    return [*shown, *(name.encode(x=alt.X("named:T"), y=_y(), text="name:N") for name in names)]


def _ticks() -> list["alt.Chart"]:
    """The values of a lane: a faint line across it, and the number."""
    import altair as alt

    line = _named("ticks").mark_rule(color=theme.LINE, opacity=0.55, strokeWidth=0.8)
    text = _named("ticks").mark_text(align="right", baseline="middle", fontSize=10, color=theme.QUIET, clip=False)
    return [
        line.encode(x=alt.value(0), x2=alt.value(WIDTH), y=_y()),
        text.encode(x=alt.value(TICKS_AT), y=_y(), text="text:N"),
    ]


def _lines(frames: Frames, arranged: Arranged, x: "alt.X") -> list["alt.Chart"]:
    """The line of day 0, and that of the row itself."""
    import altair as alt

    lines = []
    rows = {mark[side] for mark in arranged.marks if mark["state"] == "row" for side in ("from", "to") if mark[side]}
    data = alt.Data(values=[{"from": time} for time in sorted(rows)])
    rule = alt.Chart(data).mark_rule(color=theme.INK, opacity=0.55, strokeWidth=1, clip=True)
    if rows:
        lines.append(rule.encode(x=x, y=alt.value(TOP), y2=alt.value(arranged.height)))
    if frames.day_zero is not None:
        zero = alt.Chart(alt.Data(values=[{"from": milliseconds(frames.day_zero)}]))
        dashed = zero.mark_rule(color=theme.QUIET, strokeDash=[3, 3], clip=True)
        # Left of its line where there is no room right of it.
        late = frames.day_zero > frames.last - (frames.last - frames.first) * 0.06
        side = {"align": "right", "dx": -4} if late else {"align": "left", "dx": 4}
        name = zero.mark_text(baseline="middle", fontSize=10, color=theme.QUIET, clip=True, **side)
        lines.append(dashed.encode(x=x))
        if frames.first <= frames.day_zero <= frames.last:
            lines.append(name.encode(x=x, y=alt.value(TOP / 2), text=alt.value("day 0")))
    return lines


def _scale(arranged: Arranged, place: int) -> "alt.Scale":
    import altair as alt

    states = arranged.states[::-1]
    return alt.Scale(domain=[STATES[state][0] for state in states], range=[STATES[state][place] for state in states])


def _marks(frames: Frames, arranged: Arranged, x: "alt.X") -> list["alt.Chart"]:
    """A symbol at each beginning, and a bar to the end of what lasts."""
    import altair as alt

    if not arranged.marks:
        return [_nothing(frames, x)]
    for mark in arranged.marks:
        mark["title"], *_, mark["size"], mark["opacity"] = STATES[mark["state"]]
    titles = {"title": "What it is", "what": "Event", "when": "Time", "day": "Day", "why": "Why", "source": "Source"}
    tooltip = [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]
    legend = alt.Legend(
        title=None, orient="none", legendX=0, legendY=arranged.height + LEGEND_TOP, columns=LEGEND_COLUMNS,
        columnPadding=16, rowPadding=4, symbolOpacity=1,
    )  # fmt: skip
    stroke = alt.Stroke("title:N", scale=_scale(arranged, 3), legend=legend, sort=None)
    bars = _named("marks").transform_filter("datum.to != null").mark_rule(strokeWidth=7, opacity=0.4, clip=True)
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    points = _named("marks").mark_point(strokeWidth=1.6, clip=True).add_params(zoom)
    return [
        bars.encode(x=x, x2="to:T", y=_y(), stroke=stroke, tooltip=tooltip),
        points.encode(
            x=_in_view(frames, x),
            y=_y(),
            shape=alt.Shape("title:N", scale=_scale(arranged, 1), legend=legend, sort=None),
            fill=alt.Fill("title:N", scale=_scale(arranged, 2), legend=legend, sort=None),
            stroke=stroke,
            size=alt.Size("size:Q", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
            tooltip=tooltip,
        ),
    ]


def _nothing(frames: Frames, x: "alt.X") -> "alt.Chart":
    """Where there is nothing to draw, something unseen that has a time, for the axis."""
    import altair as alt

    point = alt.Chart(alt.Data(values=[{"from": milliseconds(frames.first)}])).mark_point(opacity=0)
    return point.encode(x=_in_view(frames, x))


def _texts() -> list["alt.Chart"]:
    """The names of lanes beside them, and statements across them on a strip of paper that no line crosses."""
    import altair as alt

    styles: dict[str, tuple[float, dict[str, Any]]] = {
        "name": (NAMES_AT, {"align": "right", "fontWeight": 600, "color": theme.INK}),
        "note": (NAMES_AT, {"align": "right", "fontSize": 10, "color": theme.QUIET}),
        "statement": (6, {"align": "left", "fontSize": 11, "color": theme.INK}),
        "remark": (6, {"align": "left", "fontSize": 11, "color": theme.QUIET}),
    }
    strip = _named("texts").transform_filter(alt.FieldEqualPredicate(field="kind", equal="statement"))
    strip = strip.transform_calculate(top="datum.y - 8", bottom="datum.y + 8")
    band = strip.mark_rect(color=theme.PAPER, opacity=1)
    charts = [band.encode(x=alt.value(0), x2=alt.value(WIDTH), y=_y("top:Q"), y2="bottom:Q")]
    for kind, (place, style) in styles.items():
        text = _named("texts").transform_filter(alt.FieldEqualPredicate(field="kind", equal=kind))
        marks = [text.mark_text(baseline="middle", clip=False, **style)]
        if kind == "remark":
            marks.insert(0, text.mark_text(baseline="middle", clip=False, **style, **HALO))
        charts += [mark.encode(x=alt.value(place), y=_y(), text="text:N") for mark in marks]
    return charts


def _labels(arranged: Arranged, x: "alt.X") -> list["alt.Chart"]:
    charts = []
    for align, dx, dy in sorted({(label["align"], label["dx"], label["dy"]) for label in arranged.labels}):
        own = f"datum.align == '{align}' && datum.dy == {dy}"
        text = _named("labels").transform_filter(own)
        place = {"align": align, "dx": dx, "dy": dy, "baseline": "middle", "fontSize": 10.5, "clip": True}
        halo = text.mark_text(color=theme.PAPER, **HALO, **place)
        words = text.mark_text(color=theme.INK, **place)
        charts += [mark.encode(x=x, y=_y(), text="label:N") for mark in (halo, words)]
    return charts


def _foot(arranged: Arranged) -> list["alt.Chart"]:
    import altair as alt

    if not arranged.edges:
        return []
    below = arranged.height + LEGEND_TOP + LEGEND_ROW * -(-len(arranged.states) // LEGEND_COLUMNS) + 8
    text = alt.Chart(alt.Data(values=[{}])).mark_text(
        align="left", baseline="top", fontSize=11, color=theme.QUIET, clip=False
    )
    return [text.encode(x=alt.value(0), y=alt.value(below), text=alt.value(EDGES))]

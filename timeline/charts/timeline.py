"""One subject's lanes on one axis of time that can be zoomed; knows columns and declarations only.

The drawing is the same for every subject: what differs are records and a few numbers, so that a page with many
subjects holds the drawing once (`shared`) and the records of each (`own`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.declared import Timeline
from timeline.charts.explanation import HALO
from timeline.charts.time_axis import time_axis
from timeline.charts.timeline_layout import HEAD, Arranged, arrange
from timeline.charts.timeline_styles import LIMITS, styles
from timeline.charts.timeline_view import WIDTH
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

NAMES_AT, TICKS_AT, GROUPS_AT = -46, -5, -262
"""Where the names of lanes and of values end, and headings begin, left of the lanes."""
TOOLTIP = {
    "lane": "What",
    "amount": "Value",
    "compared": "Compared",
    "when": "Time",
    "day": "Day",
    "detail": "Detail",
    "layer": "Drawn as",
    "source": "Source",
}
OWN = ("first", "last", "midnight")
"""Parameters of the drawing that each subject sets."""


def draw(
    frame: "polars.DataFrame", declared: Timeline, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the chart of `frame`: turning the wheel zooms along the time, dragging moves, a double click resets."""
    return _drawing(arrange(frame, declared), declared, title, notes)


def shared(declared: Timeline) -> dict[str, Any]:
    """Return the specification without any subject's records; `own` is what to put into it."""
    spec = _drawing(Arranged(), declared, "", ()).configure(**theme.config()).to_dict()
    return {key: value for key, value in spec.items() if key not in ("datasets", "height", "title")}


def own(frame: "polars.DataFrame", declared: Timeline, notes: Sequence[str]) -> dict[str, Any]:
    """Return what one subject puts into `shared`: keys that replace its own, and in `values` those of parameters."""
    arranged = arrange(frame, declared)
    title = {"text": list(_lines(arranged, notes)), "fontSize": 11.5, "fontWeight": "normal", "color": theme.QUIET}
    return {
        "datasets": arranged.datasets,
        "height": arranged.height,
        "title": title if title["text"] else None,
        "values": _values(arranged),
    }


def _lines(arranged: Arranged, notes: Sequence[str]) -> tuple[str, ...]:
    nothing = () if arranged.lanes or arranged.windows else ("There is nothing with a time to draw.",)
    return (*notes, *nothing, *arranged.notes)


def _values(arranged: Arranged) -> dict[str, float | None]:
    midnight = arranged.zero[0]["midnight"] if arranged.zero else None
    return {"first": arranged.first, "last": arranged.last, "midnight": midnight}


def _drawing(arranged: Arranged, declared: Timeline, title: str, notes: Sequence[str]) -> "alt.TopLevelMixin":
    import altair as alt

    names = list(styles(declared))
    x = alt.X("from:T", axis=None, scale=alt.Scale(type="utc", nice=False))
    axis = time_axis(declared.x, "midnight")
    layers = [
        *_axes(x, axis),
        *_frame(),
        *_windows(x, declared, names),
        *_zero(x),
        *_spans(x, declared, names),
        *_lines_of_numbers(x, declared, names),
        *_labels(x),
        _points(x, declared, names),
        *_names(),
        *_key(declared, names),
    ]
    values = [alt.param(name=name, value=value) for name, value in _values(arranged).items()]
    return (
        alt.layer(*layers)
        .add_params(*values)
        .resolve_axis(x="independent")
        .properties(
            width=WIDTH,
            height=arranged.height,
            datasets=arranged.datasets,
            title=alt.TitleParams(title, subtitle=list(_lines(arranged, notes))),
        )
    )


def _named(name: str) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def _y(field: str = "y:Q") -> "alt.Y":
    """A height in pixels: it has no scale and no axis, and so it does not zoom."""
    import altair as alt

    return alt.Y(field, scale=None, axis=None)


def _scale(declared: Timeline, names: list[str], place: int) -> "alt.Scale":
    import altair as alt

    return alt.Scale(domain=names, range=[style[place] for style in styles(declared).values()])


def _looks(declared: Timeline, names: list[str]) -> dict[str, Any]:
    """Shape, fill and outline by style; the key is drawn, since its place depends on what there is."""
    import altair as alt

    return {
        "fill": alt.Fill("style:N", scale=_scale(declared, names, 1), legend=None),
        "stroke": alt.Stroke("style:N", scale=_scale(declared, names, 2), legend=None),
    }


def _tooltip() -> list["alt.Tooltip"]:
    import altair as alt

    return [alt.Tooltip(f"{name}:N", title=title) for name, title in TOOLTIP.items()]


def _axes(x: "alt.X", axis: "alt.Axis") -> list["alt.Chart"]:
    """The same axis above and below the lanes, on marks that are not seen."""
    import altair as alt

    bare = axis.copy()
    bare.title, bare.grid, bare.labelPadding = None, False, 17
    unseen = alt.Chart(alt.Data(values=[{}])).transform_calculate(**{"from": "first"}).mark_point(opacity=0, aria=False)
    sides = ((axis, "bottom"), (bare, "top"))
    shown = []
    for shape, side in sides:
        shape.orient = side
        shown.append(unseen.encode(x=x.axis(shape)))
    return shown


def _frame() -> list["alt.Chart"]:
    """What stands behind the marks: lines between lanes, the band between limits, the lines of the small axes."""
    import altair as alt

    across = {"x": alt.value(0), "x2": alt.value(WIDTH)}
    limits = _named("limits").mark_rect(color=theme.CATEGORY["green"], opacity=0.12)
    rule = _named("lanes").mark_rule(color=theme.LINE, strokeWidth=0.8)
    tick = _named("ticks").mark_rule(color=theme.LINE, opacity=0.5, strokeWidth=0.8)
    text = _named("ticks").mark_text(align="right", baseline="middle", fontSize=9.5, color=theme.QUIET, clip=False)
    return [
        limits.encode(**across, y=_y(), y2="y2:Q"),
        rule.encode(x=alt.value(GROUPS_AT), x2=alt.value(WIDTH), y=_y("y2:Q")),
        tick.encode(**across, y=_y()),
        text.encode(x=alt.value(TICKS_AT), y=_y(), text="text:N"),
    ]


def _windows(x: "alt.X", declared: Timeline, names: list[str]) -> list["alt.Chart"]:
    """Spans over all lanes, each named at the top."""
    import altair as alt

    fill = alt.Fill("style:N", scale=_scale(declared, names, 1), legend=None)
    stroke = alt.Stroke("style:N", scale=_scale(declared, names, 2), legend=None)
    band = _named("windows").mark_rect(fillOpacity=0.13, strokeOpacity=0.7, strokeDash=[4, 3], clip=True)
    place = {"align": "left", "baseline": "middle", "dx": 3, "fontSize": 10, "clip": True}
    words = [_named("windows").mark_text(color=colour, **more, **place) for colour, more in _on_paper()]
    tooltip = _tooltip()
    return [
        band.encode(x=x, x2="to:T", y=alt.value(HEAD - 14), y2=alt.value("height"), fill=fill, stroke=stroke,
                    tooltip=tooltip),
        *(word.encode(x=x, y=_y(), text="name:N", tooltip=tooltip) for word in words),
    ]  # fmt: skip


def _on_paper() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Colour of letters and of what is behind them, so that no line crosses them."""
    return ((theme.PAPER, HALO), (theme.INK, {}))


def _zero(x: "alt.X") -> list["alt.Chart"]:
    import altair as alt

    rule = _named("zero").mark_rule(color=theme.INK, strokeWidth=1.2, strokeDash=[5, 3], clip=True)
    shown = [rule.encode(x=x)]
    place = {"baseline": "top", "fontSize": 10, "fontWeight": 600, "clip": True}
    for side, more in (("!datum.late", {"align": "left", "dx": 3}), ("datum.late", {"align": "right", "dx": -3})):
        name = _named("zero").transform_filter(side).mark_text(color=theme.INK, **place, **more)
        shown.append(name.encode(x=x, y=alt.value(0), text="name:N"))
    return shown


def _only(*marks: str) -> "alt.Chart":
    import altair as alt

    return _named("marks").transform_filter(alt.FieldOneOfPredicate(field="mark", oneOf=list(marks)))


def _spans(x: "alt.X", declared: Timeline, names: list[str]) -> list["alt.Chart"]:
    """What lasts: a bar from beginning to end; steps of grades; a symbol's line to its end."""
    looks, tooltip = _looks(declared, names), _tooltip()
    lasts = _only("point", "words").transform_filter("datum.to != null")
    return [
        *(
            _only(mark)
            .transform_filter("datum.to != null")
            .mark_rect(fillOpacity=opacity, strokeWidth=width, clip=True)
            .encode(x=x, x2="to:T", y=_y(), y2="y2:Q", tooltip=tooltip, **looks)
            for mark, opacity, width in (("bar", 0.4, 1), ("graded", 0.9, 0.4))
        ),
        lasts.mark_rule(strokeWidth=5, strokeOpacity=0.35, clip=True).encode(
            x=x, x2="to:T", y=_y("middle:Q"), tooltip=tooltip, stroke=looks["stroke"]
        ),
    ]


def _lines_of_numbers(x: "alt.X", declared: Timeline, names: list[str]) -> list["alt.Chart"]:
    """The lines that join numbers; what is implausible is no part of them."""
    import altair as alt

    joined = _only("line").transform_filter("datum.run != null")
    line = joined.mark_line(strokeWidth=1.2, opacity=0.8, clip=True)
    stroke = alt.Stroke("layer:N", scale=_scale(declared, names, 2), legend=None)
    return [line.encode(x=x, y=_y(), detail=["lane:N", "run:N"], stroke=stroke, order="from:Q")]


def _points(x: "alt.X", declared: Timeline, names: list[str]) -> "alt.Chart":
    """Symbols, which also answer the pointer; the layer that sets what is in view at first, and that zooms."""
    import altair as alt

    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    view = [alt.ExprRef("first"), alt.ExprRef("last")]
    points = _named("marks").transform_filter("datum.to == null || datum.mark == 'point' || datum.mark == 'line'")
    return (
        points.mark_point(strokeWidth=1.4, opacity=1, clip=True)
        .encode(
            x=x.scale(type="utc", nice=False, domain=view),
            y=_y("at:Q"),
            shape=alt.Shape("style:N", scale=_scale(declared, names, 0), legend=None),
            size=alt.condition("datum.mark == 'line' && datum.style == datum.layer", alt.value(16), alt.value(42)),
            tooltip=_tooltip(),
            **_looks(declared, names),
        )
        .add_params(zoom)
    )


def _labels(x: "alt.X") -> list["alt.Chart"]:
    """Words and doses beside their marks, seen where the view is narrow enough for them to have room."""
    import altair as alt

    text = _only("point", "words", "bar").transform_filter("datum.label != ''")
    seen = "(isArray(zoom.from) ? zoom.from[1] - zoom.from[0] : last - first) <= datum.span * 1.001"
    opacity = alt.condition(seen, alt.value(1), alt.value(0))
    place = {"align": "left", "dx": 7, "baseline": "middle", "fontSize": 10, "clip": True}
    marks = [text.mark_text(color=colour, **more, **place) for colour, more in _on_paper()]
    return [mark.encode(x=x, y=_y("middle:Q"), text="label:N", opacity=opacity) for mark in marks]


def _names() -> list["alt.Chart"]:
    """Headings of groups, names of lanes and their units, left of the lanes."""
    import altair as alt

    looks: dict[str, tuple[float, dict[str, Any]]] = {
        "group": (GROUPS_AT, {"align": "left", "fontSize": 12, "fontWeight": 700, "color": theme.INK}),
        "name": (NAMES_AT, {"align": "right", "fontSize": 11, "color": theme.INK}),
        "note": (NAMES_AT, {"align": "right", "fontSize": 10, "color": theme.QUIET}),
    }
    return [
        _named("texts")
        .transform_filter(alt.FieldEqualPredicate(field="kind", equal=kind))
        .mark_text(baseline="middle", clip=False, **look)
        .encode(x=alt.value(at), y=_y(), text="text:N")
        for kind, (at, look) in looks.items()
    ]


def _key(declared: Timeline, names: list[str]) -> list["alt.Chart"]:
    """What the styles mean, of those that are drawn: below the axis."""
    import altair as alt

    faint = [LIMITS, *(layer.title for layer in declared.layers.values() if layer.mark == "window")]
    place = alt.X("x:Q", scale=None, axis=None)
    symbol = _named("key").mark_point(size=60, strokeWidth=1.4, opacity=1, clip=False)
    text = _named("key").mark_text(align="left", baseline="middle", fontSize=11, color=theme.INK, clip=False)
    shape = alt.Shape("style:N", scale=_scale(declared, names, 0), legend=None)
    opacity = alt.condition(alt.FieldOneOfPredicate(field="style", oneOf=faint), alt.value(0.3), alt.value(1))
    return [
        symbol.encode(x=place, y=_y(), shape=shape, fillOpacity=opacity, **_looks(declared, names)),
        text.encode(x=alt.X("at:Q", scale=None, axis=None), y=_y(), text="style:N"),
    ]

"""Lanes on one axis of days: a swimmer plot; knows columns and declarations only."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.declared import Lanes, Layer
from timeline.charts.lane_layout import UNKNOWN, Arranged, arrange, classes
from timeline.charts.lane_pages import compact, datasets
from timeline.charts.links import LINKED
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

WIDTH = 640
COLUMN_WIDTH = 76
LEGEND_TOP, LEGEND_HEIGHT = 48, 21
END_ROOM = 36
"""Pixels kept free behind the last day, for symbols at the end of a lane."""
SHAPES = {
    "x": "M-1,-0.66L-0.66,-1L0,-0.34L0.66,-1L1,-0.66L0.34,0L1,0.66L0.66,1L0,0.34L-0.66,1L-1,0.66L-0.34,0Z",
    "star": "M0,-1.15L0.3,-0.41L1.09,-0.36L0.48,0.16L0.68,0.93L0,0.5L-0.68,0.93L-0.48,0.16L-1.09,-0.36L-0.3,-0.41Z",
    "asterisk": "M-0.2,-1L0.2,-1L0.2,1L-0.2,1ZM0.77,-0.67L0.97,-0.33L-0.77,0.67L-0.97,0.33Z"
    "M0.97,0.33L0.77,0.67L-0.97,-0.33L-0.77,-0.67Z",
    "arrow": "M-1,-0.22L0.1,-0.22L0.1,-0.75L1,0L0.1,0.75L0.1,0.22L-1,0.22Z",
    "tick": "M-0.15,-1L0.15,-1L0.15,1L-0.15,1Z",
    "triangle": "triangle-up",
}
"""Symbols that Vega does not have by name, as filled paths."""


def draw(
    frame: "polars.DataFrame", declared: Lanes, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the chart of `frame`; of too many lanes some stand for all, and the subtitle says how many."""
    import altair as alt

    pages = arrange(frame, declared)
    arranged = pages[0]
    if len(pages) > 1:
        notes = [*notes, f"{arranged.total:,} lanes on {len(pages)} pages, in their order."]
    elif len(arranged.lanes) < arranged.total:
        shown = f"{len(arranged.lanes)} of {arranged.total:,} lanes are shown, evenly spaced over their order."
        notes = [*notes, shown]
    placed = [key for key, layer in declared.layers.items() if layer.mark != "column"]
    unplaced = frame.filter(frame[declared.element].is_in(placed) & frame[declared.start].is_null()).height
    if unplaced:
        notes = [*notes, f"{unplaced:,} rows without a place on the axis are not drawn."]
    x = _x(declared, arranged)
    legends = _legends(arranged)
    layers = [
        *_background(declared),
        *_spans(declared, x, legends),
        _zero(x),
        *_panels(arranged),
        *_points(declared, x, legends),
        *_columns(declared),
        *([_page()] if len(pages) > 1 else []),
    ]
    chart = alt.layer(*layers).resolve_scale(color="independent", shape="independent")
    return chart.properties(
        width=WIDTH,
        height=arranged.height,
        datasets=datasets(pages, 0),
        title=alt.TitleParams(title, subtitle=list(notes)),
        **({"usermeta": {"pages": compact(pages)}} if len(pages) > 1 else {}),
    )


def _legends(arranged: Arranged) -> Iterator[dict[str, Any]]:
    """The place of each legend in turn, one below the other: Vega would put them side by side, wider than the chart."""
    for i in itertools.count():
        yield {"orient": "none", "legendX": 0, "legendY": arranged.height + LEGEND_TOP + LEGEND_HEIGHT * i}


def _x(declared: Lanes, arranged: Arranged) -> "alt.X":
    import altair as alt

    room = (arranged.last_day - arranged.first_day) * END_ROOM / WIDTH
    scale = alt.Scale(domain=[arranged.first_day, arranged.last_day + room], nice=False, zero=False)
    axis = alt.Axis(title=declared.x, grid=True, tickMinStep=1, format="~r")
    return alt.X("from:Q", axis=axis, scale=scale)


def _y(field: str = "y:Q") -> "alt.Y":
    """A height in pixels: it has no scale and no axis."""
    import altair as alt

    return alt.Y(field, scale=None, axis=None)


def _only(layer: Layer) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData("marks")).transform_filter(alt.FieldEqualPredicate(field="layer", equal=layer.title))


def _tooltip(declared: Lanes) -> list["alt.Tooltip"]:
    import altair as alt

    titles = {"lane": declared.lane.replace("_", " ").capitalize(), "layer": "What", "when": "When", "what": "Detail"}
    return [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]


def _background(declared: Lanes) -> list["alt.Chart"]:
    """A band behind every second lane, and the lanes' names."""
    import altair as alt

    lanes = alt.Chart(alt.NamedData("lanes"))
    band = lanes.transform_filter("datum.odd").mark_rect(color=theme.BAND)
    name = lanes.mark_text(align="right", baseline="middle", dx=-8, fontSize=11, color=theme.INK, limit=220)
    if declared.link is not None:
        name = name.properties(name=LINKED)
    return [
        band.encode(x=alt.value(0), x2=alt.value(WIDTH), y=_y(), y2="y2:Q"),
        name.encode(x=alt.value(0), y=_y("middle:Q"), text="lane:N"),
    ]


def _panels(arranged: Arranged) -> list["alt.Chart"]:
    """The panels' titles, on a strip of paper that the grid does not cross."""
    import altair as alt

    if not arranged.panels:
        return []
    panels = alt.Chart(alt.NamedData("panels"))
    strip = panels.mark_rect(color=theme.PAPER, opacity=1)
    title = panels.mark_text(align="left", baseline="middle", fontSize=12, fontWeight=600, color=theme.INK)
    tally = panels.mark_text(align="left", baseline="middle", fontSize=11, color=theme.QUIET, limit=WIDTH)
    return [
        strip.encode(x=alt.value(-1), x2=alt.value(WIDTH + 1), y=_y("top:Q"), y2="bottom:Q"),
        title.encode(x=alt.value(0), y=_y(), text="panel:N"),
        tally.encode(x=alt.value(0), y=_y("y_tally:Q"), text="tally:N"),
    ]


def _page() -> "alt.Chart":
    """Which lanes are on the page."""
    import altair as alt

    words = alt.Chart(alt.NamedData("page")).mark_text(align="left", fontSize=11, color=theme.QUIET)
    return words.encode(x=alt.value(0), y=alt.value(-6), text="text:N")


def _zero(x: "alt.X") -> "alt.Chart":
    """The line of day 0."""
    import altair as alt

    rule = alt.Chart(alt.Data(values=[{"from": 0}])).mark_rule(color=theme.QUIET, strokeDash=[3, 3])
    return rule.encode(x=x)


def _spans(declared: Lanes, x: "alt.X", legends: Iterator[dict[str, Any]]) -> list["alt.Chart"]:
    """Bars: in one colour, coloured by grade, or shaded by amount, each with a legend of its own."""
    return [
        _only(layer)
        .mark_rect(stroke=theme.QUIET, strokeWidth=0.5)
        .encode(x=x, x2="to:Q", y=_y(), y2="y2:Q", color=_colour(layer, next(legends)), tooltip=_tooltip(declared))
        for layer in declared.layers.values()
        if layer.mark in ("bar", "graded", "amount")
    ]


def _colour(layer: Layer, place: dict[str, Any]) -> "alt.Color":
    import altair as alt

    if layer.mark == "bar":
        scale = alt.Scale(
            domain=[layer.title], range=[theme.PAPER if layer.colour == "ink" else theme.CATEGORY[layer.colour]]
        )
        return alt.Color("layer:N", scale=scale, legend=alt.Legend(title=None, symbolType="square", **place))
    if layer.mark == "graded":
        names, title = [str(grade) for grade in layer.grades], layer.title
        colours = theme.shades(theme.SEVERITY, len(names))
    else:
        names, title = [*classes(layer), UNKNOWN], f"{layer.title}, {layer.unit}".removesuffix(", ")
        colours = [*theme.shades(theme.AMOUNT, len(names) - 1), theme.PAPER]
    scale = alt.Scale(domain=names, range=colours)
    return alt.Color("value:N", scale=scale, sort=names, legend=alt.Legend(title=title, symbolType="square", **place))


def _points(declared: Lanes, x: "alt.X", legends: Iterator[dict[str, Any]]) -> list["alt.LayerChart | alt.FacetChart"]:
    """Symbols: one unit each, for its own offset in pixels, under one legend."""
    import altair as alt

    layers = [layer for layer in declared.layers.values() if layer.mark == "point"]
    if not layers:
        return []
    names = [layer.title for layer in layers]
    legend = alt.Legend(title=None, **next(legends))
    shapes = alt.Scale(domain=names, range=[SHAPES.get(layer.shape, layer.shape) for layer in layers])
    colours = alt.Scale(domain=names, range=[theme.CATEGORY[layer.colour] for layer in layers])
    units = [
        _only(layer)
        .mark_point(filled=True, size=62, opacity=1, xOffset=layer.offset)
        .encode(
            x=x,
            y=_y(),
            shape=alt.Shape("layer:N", scale=shapes, legend=legend, sort=names),
            color=alt.Color("layer:N", scale=colours, legend=legend, sort=names),
            tooltip=_tooltip(declared),
        )
        for layer in layers
    ]
    return [alt.layer(*units)]


def _columns(declared: Lanes) -> list["alt.Chart"]:
    """A value as text beside its lane, under the layer's title."""
    import altair as alt

    charts = []
    for i, layer in enumerate(layer for layer in declared.layers.values() if layer.mark == "column"):
        place = alt.value(WIDTH + 10 + COLUMN_WIDTH * (i + 0.5))
        text = _only(layer).mark_text(fontWeight=600, fontSize=12, baseline="middle", color=theme.INK)
        charts.append(text.encode(x=place, y=_y(), text="label:N", tooltip=_tooltip(declared)))
        title = alt.Chart(alt.Data(values=[{}])).mark_text(fontSize=11, fontWeight=600, color=theme.INK)
        charts.append(title.encode(x=place, y=alt.value(-6), text=alt.value(layer.title)))
    return charts

"""One bar a row from zero to its value, highest first, in panels; knows columns and declarations only."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.categories import Categories, categories
from timeline.charts.declared import Waterfall
from timeline.charts.panels import wrapped
from timeline.charts.waterfall_layout import Panel, arrange
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

BAR, LEAST, MOST = 24, 200, 420
"""Width of a bar with its gap; a panel is no narrower and no wider, in pixels."""
HEIGHT = 240
NAMED = 14
"""Narrower bars have no room for a name below them, in pixels."""
WHOLE = "datum.value == 0 ? '0' : datum.label"
AXIS = 60
"""Pixels that a vertical axis takes beside its panel."""


def draw(
    frame: "polars.DataFrame", declared: Waterfall, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the panels of `frame` on one scale; each says how many bars are below zero, and how many values lack."""
    import altair as alt

    arranged = arrange(frame, declared)
    told = [line for answer in answers if answer.name == declared.answer for line in answer.brief]
    groups = None
    if declared.colour is not None:
        groups = categories(declared.colours, arranged.groups)
    widths = [max(min(BAR * len(panel.bars), MOST), LEAST) for panel in arranged.panels]
    axis = _axis(arranged.low, arranged.high)
    panels = []
    for i, (panel, width) in enumerate(zip(arranged.panels, widths, strict=True)):
        y = alt.Y("value:Q", scale=axis, axis=_ticks(declared, first=i % declared.per_row == 0))
        layers = [*_bars(i, panel, groups, declared, y, width), _zero(y)]
        panels.append(alt.layer(*layers).properties(width=width, height=HEIGHT, title=_title(panel)))
    across = sum(sorted(widths)[-declared.per_row :]) + AXIS * min(declared.per_row, len(widths))
    lines = wrapped([*notes, *told, *arranged.notes], max(across, 480))
    return (
        alt.concat(*panels, columns=declared.per_row, spacing={"row": 22, "column": 24})
        .resolve_scale(fill="shared", stroke="shared", x="independent", y="independent")
        .properties(
            datasets={f"bars {i}": panel.bars for i, panel in enumerate(arranged.panels)},
            title=alt.TitleParams(title, subtitle=lines),
        )
    )


def _title(panel: Panel) -> "alt.TitleParams":
    import altair as alt

    small: dict[str, Any] = {"fontSize": 12, "subtitleFontSize": 11, "offset": 8, "anchor": "start", "frame": "group"}
    if not panel.title:
        return alt.TitleParams(panel.subtitle, fontWeight=400, **small)
    return alt.TitleParams(textwrap.wrap(panel.title, 48), subtitle=[panel.subtitle], **small)


def _axis(low: float, high: float) -> "alt.Scale":
    """One scale for all panels, zero on it, with room at both ends for a name or an arrow."""
    import altair as alt

    room = 0.08 * ((high - low) or 1.0)
    return alt.Scale(domain=[low - room if low < 0 else 0, high + room if high > 0 else 0], nice=False)


def _ticks(declared: Waterfall, first: bool) -> "alt.Axis":
    import altair as alt

    return alt.Axis(title=declared.value.title if first else None, tickCount=6, format="+,~r", labelExpr=WHOLE)


def _zero(y: "alt.Y") -> "alt.Chart":
    import altair as alt

    line = alt.Chart(alt.Data(values=[{"value": 0}])).mark_rule(color=theme.INK, strokeWidth=1.2)
    return line.encode(y=y)


def _bars(
    i: int, panel: Panel, groups: Categories | None, declared: Waterfall, y: "alt.Y", width: int
) -> list["alt.Chart"]:
    import altair as alt

    step = width / max(len(panel.bars), 1)
    scale = alt.Scale(domain=[0, max(len(panel.bars), 1)], nice=False)
    place = alt.X("left:Q", scale=scale, axis=None)
    middle = alt.X("middle:Q", scale=scale, axis=None)
    bars = alt.Chart(alt.NamedData(f"bars {i}"))
    marks = bars.mark_rect(strokeWidth=1.2 if step >= NAMED / 2 else 0)
    charts = [
        marks.encode(x=place, x2="right:Q", y=y, y2=alt.datum(0), tooltip=_tooltip(declared), **_fill(groups, declared))
    ]
    if step >= NAMED:
        charts += _names(bars, middle)
    if any(bar["cut"] for bar in panel.bars):
        charts += _arrows(bars, middle, y)
    return charts


def _fill(groups: Categories | None, declared: Waterfall) -> dict[str, Any]:
    """The category's colour as outline and as filling, which is lighter where the category is pale."""
    import altair as alt

    if groups is None or declared.colour is None:
        return {"color": alt.value(theme.CATEGORY["blue"])}
    legend = groups.legend(declared.colour.title, symbolType="square", symbolSize=110)
    return {"fill": groups.fill(legend), "stroke": groups.stroke(legend)}


def _names(bars: "alt.Chart", middle: "alt.X") -> list["alt.Chart"]:
    """Whose bar it is, on the other side of zero, where no bar is."""
    import altair as alt

    style: dict[str, Any] = {
        "angle": 270,
        "baseline": "middle",
        "fontSize": 10,
        "color": theme.QUIET,
        "limit": HEIGHT / 3,
    }
    below = bars.transform_filter("datum.value >= 0").mark_text(align="right", dx=-5, **style)
    above = bars.transform_filter("datum.value < 0").mark_text(align="left", dx=5, **style)
    return [name.encode(x=middle, y=alt.datum(0), text="name:N") for name in (below, above)]


def _arrows(bars: "alt.Chart", middle: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    """An arrow at the end of a bar that goes on, and how far it goes."""
    charts = []
    for test, shape, way in (("datum.value > 0", "triangle-up", -1), ("datum.value < 0", "triangle-down", 1)):
        cut = bars.transform_filter(f"datum.cut != '' && {test}")
        arrow = cut.mark_point(shape=shape, filled=True, size=40, color=theme.INK, opacity=1, yOffset=6 * way)
        said = cut.mark_text(fontSize=10, fontWeight=600, color=theme.INK, dy=16 * way, baseline="middle")
        charts += [arrow.encode(x=middle, y=y), said.encode(x=middle, y=y, text="cut:N")]
    return charts


def _tooltip(declared: Waterfall) -> list["alt.Tooltip"]:
    import altair as alt

    titles = {"label": declared.label.title, "said": declared.value.title}
    if declared.colour is not None:
        titles["group"] = declared.colour.title
    if declared.detail is not None:
        titles["detail"] = declared.detail.title
    return [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]

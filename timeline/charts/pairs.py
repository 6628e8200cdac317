"""Before and after in small multiples, a line a pair, marked by a paired test; knows columns and declarations only."""

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.categories import Categories
from timeline.charts.declared import Pairs
from timeline.charts.pairs_layout import Arranged, Panel, arrange
from timeline.charts.panels import wrapped
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

SIZES = ((1, 340, 300), (3, 240, 240), (99, 140, 150))
"""Up to so many panels: width and height of one, in pixels."""
LEAST_WIDTH = 480
"""Notes wrap at no less."""
TOP = 30
"""Pixels above the highest value, for the bracket."""
AXIS = 56
"""Pixels that a vertical axis takes beside its panel."""
MEDIAN = 0.16
"""Half the width of a median's bar, in steps from before to after."""
LETTER = 6.2


def draw(
    frame: "polars.DataFrame", declared: Pairs, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the panels of `frame`; n, P and stars stand on each, and who is missing in the notes."""
    import altair as alt

    arranged = arrange(frame, declared, answers)
    count = len(arranged.panels)
    width, height = next((wide, high) for most, wide, high in SIZES if count <= most)
    per_row = min(declared.per_row, max(count, 1))
    panels = [
        _panel(panel, i, arranged.categories, declared, (width, height)).properties(
            width=width, height=height, **_title(panel)
        )
        for i, panel in enumerate(arranged.panels)
    ]
    lines = wrapped([*notes, *arranged.notes], max(per_row * (width + AXIS), LEAST_WIDTH))
    shared: Any = {"color": "shared", "strokeDash": "shared", "shape": "shared"}
    return (
        alt.concat(*panels, columns=per_row, spacing={"row": 22, "column": 18})
        .resolve_scale(**shared, x="independent", y="independent")
        .properties(datasets=_datasets(arranged), title=alt.TitleParams(title, subtitle=lines))
    )


def _datasets(arranged: Arranged) -> dict[str, list[dict[str, Any]]]:
    named = {}
    for i, panel in enumerate(arranged.panels):
        parts = {"pairs": panel.pairs, "lone": panel.lone, "middle": panel.middle, "band": panel.band}
        named |= {f"{name} {i}": rows for name, rows in parts.items()}
    return named


def _title(panel: Panel) -> dict[str, Any]:
    """The panel's name over n and P; of a panel without a name the notes say both."""
    import altair as alt

    if not panel.title:
        return {}
    small: dict[str, Any] = {"fontSize": 12, "subtitleFontSize": 11, "offset": 4, "anchor": "middle", "frame": "group"}
    return {"title": alt.TitleParams(textwrap.wrap(panel.title, 26), subtitle=[panel.subtitle], **small)}


def _panel(
    panel: Panel, i: int, groups: Categories | None, declared: Pairs, size: tuple[int, int]
) -> "alt.LayerChart | alt.FacetChart":
    import altair as alt

    x, y = _x(declared, size[0]), _y(panel, declared, size[1], first=i % declared.per_row == 0)
    layers = [
        *_behind(panel, i, declared, x, y),
        *_lines(i, groups, declared, x, y, many=bool(panel.band)),
        *_medians(i, x, y),
        *_bracket(panel, x),
    ]
    return alt.layer(*layers)


def _x(declared: Pairs, width: int) -> "alt.X":
    """Two places on a numeric axis, so that lines, bars and the bracket share it; its labels are words."""
    import altair as alt

    letters = max(int(width / 2 / LETTER), 6)
    words = [json.dumps(textwrap.wrap(side.title, letters)) for side in (declared.before, declared.after)]
    axis = alt.Axis(
        title=None,
        values=[0, 1],
        labelExpr=f"datum.value == 0 ? {words[0]} : {words[1]}",
        grid=False,
        ticks=False,
        labelPadding=6,
        labelFlush=False,
        labelOverlap=False,
    )
    return alt.X("x:Q", scale=alt.Scale(domain=[-0.45, 1.45], nice=False, zero=False), axis=axis)


def _y(panel: Panel, declared: Pairs, height: int, first: bool) -> "alt.Y":
    import altair as alt

    axis = panel.scale
    ticks: dict[str, Any] = {"values": list(axis.ticks)} if axis.ticks else {"tickCount": max(height // 50, 3)}
    linear: dict[str, Any] = {} if declared.log else {"zero": False}
    return alt.Y(
        "before:Q",
        scale=alt.Scale(
            type="log" if declared.log else "linear",
            domain=[axis.low, axis.high],
            range=[height, TOP],
            nice=False,
            **linear,
        ),
        axis=alt.Axis(title=declared.y if first else None, format="~g" if declared.log else "~r", **ticks),
    )


def _named(name: str) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def _field(y: "alt.Y", name: str) -> "alt.Y":
    """The same axis for another field."""
    same = y.copy(deep=True)
    same.shorthand = f"{name}:Q"
    return same


def _behind(panel: Panel, i: int, declared: Pairs, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    """The line to compare with, and the quartiles of many."""
    import altair as alt

    charts = []
    if panel.band:
        area = _named(f"band {i}").mark_area(color=theme.QUIET, opacity=0.22)
        charts.append(area.encode(x=x, y=_field(y, "low"), y2="high:Q"))
    if declared.rule is not None:
        rule = alt.Chart(alt.Data(values=[{"rule": declared.rule}])).mark_rule(color=theme.QUIET, strokeDash=[2, 3])
        charts.append(rule.encode(y=_field(y, "rule")))
    return charts


def _lines(i: int, groups: Categories | None, declared: Pairs, x: "alt.X", y: "alt.Y", many: bool) -> list["alt.Chart"]:
    import altair as alt

    tooltip = _tooltip(declared)
    title = declared.colour.title if declared.colour is not None else None
    legend = alt.Legend(title=title, orient="bottom", symbolSize=70, symbolStrokeWidth=0)
    colour: Any = groups.colour(legend) if groups else alt.value(theme.CATEGORY["blue"])
    dash: dict[str, Any] = {"strokeDash": groups.dash(legend)} if groups else {}
    shape: dict[str, Any] = {"shape": groups.shape(legend)} if groups else {}
    line = _named(f"pairs {i}").mark_rule(strokeWidth=1 if many else 1.5, opacity=0.55 if many else 0.8)
    charts = [
        line.transform_calculate(x="0", x2="1").encode(
            x=x, x2="x2:Q", y=y, y2="after:Q", color=colour, tooltip=tooltip, **dash
        )
    ]
    for side, name in enumerate(("before", "after")):
        dot = _named(f"pairs {i}").transform_calculate(x=str(side))
        mark = dot.mark_point(filled=True, size=12 if many else 34, opacity=0.7 if many else 1, aria=False)
        charts.append(mark.encode(x=x, y=_field(y, name), color=colour, tooltip=tooltip, **shape))
    lone = _named(f"lone {i}").mark_point(filled=False, size=34, strokeWidth=1.3, opacity=1)
    charts.append(lone.encode(x=x, y=_field(y, "value"), color=colour, tooltip=tooltip, **shape))
    return charts


def _medians(i: int, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    """A thick bar across each side's median."""
    import altair as alt

    ends = _named(f"middle {i}").transform_calculate(left=f"datum.x - {MEDIAN}", right=f"datum.x + {MEDIAN}")
    across = x.copy(deep=True)
    across.shorthand = "left:Q"
    tooltip = [alt.Tooltip("value:Q", title="Median", format=",.4~g")]
    bar = ends.mark_rule(color=theme.INK, strokeWidth=3, aria=False)
    return [bar.encode(x=across, x2="right:Q", y=_field(y, "value"), tooltip=tooltip)]


def _bracket(panel: Panel, x: "alt.X") -> list["alt.Chart"]:
    """From before to after, above the highest value, under the stars of the test."""
    import altair as alt

    if not panel.marked:
        return []
    starred = panel.marked != "ns"
    colour = theme.INK if starred else theme.QUIET
    ends = alt.Chart(alt.Data(values=[{"x": 0}, {"x": 1}]))
    over = alt.Chart(alt.Data(values=[{"x": 0, "x2": 1}]))
    middle = alt.Chart(alt.Data(values=[{"x": 0.5}]))
    words: dict[str, Any] = {
        "fontSize": 15 if starred else 11,
        "fontWeight": 600 if starred else 400,
        "baseline": "bottom",
    }
    return [
        over.mark_rule(color=colour, aria=False).encode(x=x, x2="x2:Q", y=alt.value(14)),
        ends.mark_rule(color=colour, aria=False).encode(x=x, y=alt.value(14), y2=alt.value(19)),
        middle.mark_text(color=colour, dy=4 if starred else -1, **words).encode(
            x=x, y=alt.value(12), text=alt.value(panel.marked)
        ),
    ]


def _tooltip(declared: Pairs) -> list["alt.Tooltip"]:
    import altair as alt

    titles = {
        "label": declared.label.title,
        "from": declared.before.title,
        "to": declared.after.title,
        "change": "Change",
    }
    if declared.colour is not None:
        titles["group"] = declared.colour.title
    if declared.detail is not None:
        titles["detail"] = declared.detail.title
    return [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]

"""A grid of numbers, one panel a measured column: cells with the number printed, or bars where one thing varies.

Knows columns only: which are the grid's, which holds the number, which words tell rows of one point apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline.charts import theme

if TYPE_CHECKING:
    import altair as alt
    import polars

CELL, ROW, BAR = 62, 30, 190
"""Pixels: the least width of a cell, the height of a row, the length of the longest bar."""
DARK = 0.55
"""From this share of the scale on, a cell is so dark that its number is written in white."""
MOST_BESIDE = 3
NONE = "–"


@dataclass(frozen=True)
class Panel:
    """One number a point: its column, and the rows that it is of where a point has several."""

    title: str
    column: str
    of: Mapping[str, Any]
    most: float | None = None
    """End of the scale where it is known beforehand; the scale begins at 0, or below where values do."""


@dataclass(frozen=True)
class Axis:
    """A column of the grid, its values in order, and what to write beside them."""

    column: str
    values: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Group:
    """Panels of one frame, which stand beside each other under one heading."""

    title: str
    frame: "polars.DataFrame"
    panels: tuple[Panel, ...]


def draw(axes: Sequence[Axis], groups: Sequence[Group], title: str, subtitle: Sequence[str]) -> "alt.TopLevelMixin":
    """Return the groups below each other; a panel's columns are the last axis, rows the one before, blocks the rest."""
    import altair as alt

    parts = [_group(axes, group, named=len(groups) > 1) for group in groups]
    whole = parts[0] if len(parts) == 1 else alt.vconcat(*parts, spacing=30)
    return whole.properties(title=alt.TitleParams(title, subtitle=list(subtitle))).configure(**theme.config())  # type: ignore


def _group(axes: Sequence[Axis], group: Group, named: bool) -> "alt.HConcatChart | alt.ConcatChart":
    import altair as alt

    rows = group.frame.rows(named=True)
    last, blocks = axes[-1], len(axes) > 2
    parts, ends = [], _ends(group)
    for place, panel in enumerate(group.panels):
        marks = [_mark(row, axes, panel) for row in rows if is_of(row, panel)]
        seen = {(mark["block"], mark["row"], mark["column"]) for mark in marks}
        # A point without such a row has a cell, too, and it says that nothing is there.
        empty = [_mark({**row, panel.column: None}, axes, panel) for row in rows]
        marks += [m for m in _distinct(empty) if (m["block"], m["row"], m["column"]) not in seen]
        if len(axes) > 1:
            parts.append(
                _cells(marks, axes[-2], last, panel, ends[panel.column], blocks, first=place % MOST_BESIDE == 0)
            )
        else:
            parts.append(_bars(marks, last, panel, ends[panel.column], first=place % MOST_BESIDE == 0))
    together = alt.concat(*parts, columns=MOST_BESIDE, spacing=26)
    return together.properties(title=alt.TitleParams(group.title, fontSize=13, offset=8)) if named else together


def is_of(row: Mapping[str, Any], panel: Panel) -> bool:
    """Whether a row is one that the panel shows."""
    return all(row[name] == value for name, value in panel.of.items())


def _distinct(marks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(mark["block"], mark["row"], mark["column"]): mark for mark in marks}.values())


def _mark(row: Mapping[str, Any], axes: Sequence[Axis], panel: Panel) -> dict[str, Any]:
    """One point: where it stands, its number and the words for it."""
    value = row[panel.column]
    number = None if value is None else float(value)
    return {
        "block": ", ".join(f"{axis.title} {row[axis.column]}" for axis in axes[:-2]),
        "row": str(row[axes[-2].column]) if len(axes) > 1 else "",
        "column": str(row[axes[-1].column]) if axes else "",
        "number": number,
        "words": NONE if number is None else _words(number, panel),
        "reference": bool(row["reference"]),
    }


def _words(number: float, panel: Panel) -> str:
    if panel.most == 1:
        return f"{math.floor(number * 100 + 0.5) / 100:.2f}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.3g}"


def _ends(group: Group) -> dict[str, tuple[float, float]]:
    """The scale of each column: panels of one column share it, so that the same shade is the same number."""
    found = {}
    for panel in group.panels:
        numbers = [float(number) for number in group.frame[panel.column].drop_nulls().to_list()]
        most = panel.most if panel.most is not None else max([0.0, *numbers])
        found[panel.column] = (min([0.0, *numbers]), most or 1.0)
    return found


def _cells(
    marks: list[dict[str, Any]],
    rows: Axis,
    columns: Axis,
    panel: Panel,
    ends: tuple[float, float],
    blocks: bool,
    first: bool,
) -> "alt.LayerChart | alt.FacetChart":
    import altair as alt

    low, high = ends
    for mark in marks:
        share = 0 if mark["number"] is None else (mark["number"] - low) / (high - low)
        mark["ink"] = theme.PAPER if share > DARK else theme.INK
    labels = alt.Axis(title=columns.title, orient="bottom", labelAngle=0, ticks=False, domain=False, labelLimit=140)
    beside = alt.Axis(title=rows.title, ticks=False, domain=False, labelLimit=240, titlePadding=12) if first else None
    base = alt.Chart().encode(
        x=alt.X("column:N", sort=list(columns.values), axis=labels),
        y=alt.Y("row:N", sort=list(rows.values), axis=beside),
        tooltip=_tooltip(rows, columns, panel),
    )
    scale = alt.Scale(domain=[low, high], range=list(theme.SCALE), clamp=True)
    colour = alt.condition(
        "datum.number === null", alt.value(theme.BAND), alt.Color("number:Q", scale=scale, legend=None)
    )
    drawn = base.mark_rect(stroke=theme.PAPER, strokeWidth=2).encode(color=colour)
    words = base.mark_text(fontSize=12).encode(text="words:N", color=alt.Color("ink:N", scale=None))
    usual = base.transform_filter("datum.reference").mark_rect(
        fillOpacity=0, stroke=theme.CATEGORY["orange"], strokeWidth=2.5
    )
    width = max(CELL, 8 * max(len(value) for value in columns.values))
    layers = alt.layer(drawn, words, usual, data=alt.Data(values=marks)).resolve_scale(color="independent")
    layers = layers.properties(width=alt.Step(width), height=alt.Step(ROW))
    if not blocks:
        return layers.properties(title=_heading(panel))
    header = alt.Header(
        title=None, labelAngle=0, labelAlign="left", labelOrient="top", labelAnchor="start", labelPadding=4
    )
    order = list(dict.fromkeys(mark["block"] for mark in marks))
    return layers.facet(row=alt.Row("block:N", sort=order, header=header), spacing=10).properties(title=_heading(panel))


def _bars(
    marks: list[dict[str, Any]], rows: Axis, panel: Panel, ends: tuple[float, float], first: bool
) -> "alt.LayerChart | alt.FacetChart":
    import altair as alt

    low, high = ends
    beside = alt.Axis(title=rows.title, ticks=False, domain=False, labelLimit=240, titlePadding=12) if first else None
    below = alt.Axis(title=None, tickCount=4, format="~s" if high >= 10000 else "")
    # Room for the number behind the longest bar.
    scale = alt.Scale(domain=[low, high + 0.18 * (high - low)], nice=False)
    base = alt.Chart().encode(
        y=alt.Y("column:N", sort=list(rows.values), axis=beside), tooltip=_tooltip(None, rows, panel)
    )
    colour = alt.condition("datum.reference", alt.value(theme.CATEGORY["orange"]), alt.value(theme.CATEGORY["blue"]))
    bars = base.mark_bar(height=16).encode(x=alt.X("number:Q", scale=scale, axis=below), color=colour)
    words = base.mark_text(align="left", dx=5).encode(x=alt.X("from:Q", scale=scale, axis=below), text="words:N")
    data = alt.Data(values=[{**mark, "from": mark["number"] or 0} for mark in marks])
    return alt.layer(bars, words, data=data).properties(width=BAR, height=alt.Step(ROW - 4), title=_heading(panel))


def _heading(panel: Panel) -> "alt.TitleParams":
    import altair as alt

    return alt.TitleParams(panel.title, fontSize=12, fontWeight=600, offset=8, anchor="start", limit=360)


def _tooltip(rows: Axis | None, columns: Axis, panel: Panel) -> "list[alt.Tooltip]":
    import altair as alt

    beside = [] if rows is None else [alt.Tooltip("row:N", title=rows.title)]
    return [*beside, alt.Tooltip("column:N", title=columns.title), alt.Tooltip("words:N", title=panel.title)]

"""A measure over days around an anchor, a thin line each and the middle of all; knows columns and declarations only."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.charts import theme
from timeline.charts.course_layout import WIDTH, Arranged, Panel, arrange
from timeline.charts.course_layout import notes as notes_of
from timeline.charts.declared import Course
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

ALONE, AMONG = 320, 190
"""Height of a panel that stands alone, and of one among several."""
COUNTS = 28
"""The counts of a day stand so far under the axis, below the names of its ticks."""
NUMBER = ",.12~g"
"""Numbers of the vertical axis: all digits before the point, and none that says nothing."""


def draw(
    frame: "polars.DataFrame", declared: Course, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the panels of `frame`, one below the other on one axis of days; those without a value are in the notes."""
    import altair as alt

    arranged = arrange(frame, declared)
    heading = alt.TitleParams(title, subtitle=[*notes, *notes_of(arranged, declared)])
    if not arranged.panels:
        nothing = alt.Chart(alt.Data(values=[{}])).mark_text(color=theme.QUIET, fontSize=12)
        return nothing.encode(text=alt.value("No value to draw.")).properties(width=WIDTH, height=60, title=heading)
    height = ALONE if len(arranged.panels) == 1 else AMONG
    panels = [_panel(panel, arranged, declared, height, i) for i, panel in enumerate(arranged.panels)]
    together = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=22)
    datasets = {
        f"{name}_{i}": getattr(panel, name)
        for i, panel in enumerate(arranged.panels)
        for name in ("lines", "dots", "days", "counts")
    }
    return together.properties(title=heading, datasets=datasets)


def _panel(
    panel: Panel, arranged: Arranged, declared: Course, height: float, place: int
) -> "alt.LayerChart | alt.FacetChart":
    import altair as alt

    last = place == len(arranged.panels) - 1
    axis = alt.Axis(
        title=declared.x if last else None,
        titlePadding=26,
        values=list(arranged.ticks),
        format="d",
        grid=False,
        labelFlush=False,
        labelOverlap=False,
    )
    scale = alt.Scale(domain=[arranged.first - 0.4, arranged.last + 0.4], nice=False)
    x = alt.X("x:Q", scale=scale, axis=axis)
    y = _y(panel)
    layers = [
        *_zero(declared, x, first=place == 0),
        *_values(declared, place, x, y),
        *_middle(place, x, y),
        *_counts(place, x, height),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=height)


def _y(panel: Panel) -> "alt.Y":
    """The measure's axis; on a logarithmic one a line at each power of ten, or more where it spans few of them."""
    import altair as alt

    title = panel.measure.title
    if panel.measure.log:
        low, high = math.floor(math.log10(panel.low)), math.ceil(math.log10(panel.high))
        factors = (1,) if math.log10(panel.high / panel.low) > 2 else (1, 2, 5)
        ticks = [factor * 10.0**power for power in range(low, high + 1) for factor in factors]
        axis = alt.Axis(title=title, values=ticks, format=NUMBER, grid=True)
        # Room at both ends, also where all values are the same.
        domain = [panel.low * 0.85, panel.high / 0.85]
        return alt.Y("y:Q", scale=alt.Scale(type="log", domain=domain, nice=False), axis=axis)
    # A measure that comes near 0 is seen from 0 on; one that stays far from it is seen where it lies.
    low = min(panel.low, 0) if panel.low < 0.25 * panel.high else panel.low
    high = panel.high if panel.high > low else low + 1
    scale = alt.Scale(domain=[low, high], zero=False, nice=True)
    return alt.Y("y:Q", scale=scale, axis=alt.Axis(title=title, tickCount=5, format=NUMBER, grid=True))


def _named(name: str, place: int) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData(f"{name}_{place}"))


def _zero(declared: Course, x: "alt.X", first: bool) -> list["alt.Chart"]:
    """The line of day 0, and in the uppermost panel what happened then."""
    import altair as alt

    zero = alt.Chart(alt.Data(values=[{"x": 0}]))
    rule = zero.mark_rule(color=theme.INK, strokeDash=[4, 3], strokeWidth=1.2).encode(x=x)
    if not first:
        return [rule]
    words = zero.mark_text(baseline="bottom", fontSize=11, fontWeight=600, color=theme.INK)
    return [rule, words.encode(x=x, y=alt.value(-4), text=alt.value(declared.zero))]


def _values(declared: Course, place: int, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    import altair as alt

    who = alt.Tooltip("line:N", title=declared.line.replace("_", " ").capitalize())
    line = _named("lines", place).mark_line(color=theme.QUIET, strokeWidth=0.9, opacity=0.45)
    dot = _named("dots", place).mark_point(color=theme.QUIET, size=10, filled=True, opacity=0.6)
    return [
        line.encode(x=x, y=y, detail=["line:N", "run:N"], tooltip=[who]),
        dot.encode(x=x, y=y, tooltip=[who]),
    ]


def _middle(place: int, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    import altair as alt

    colour = theme.CATEGORY["blue"]
    days = _named("days", place)
    told = [alt.Tooltip(f"{name}:N", title=title) for name, title in {"x": "Day", "words": "Median", "n": "n"}.items()]
    band = days.mark_area(color=colour, opacity=0.2)
    line = days.mark_line(color=colour, strokeWidth=2.6)
    dots = days.mark_point(color=colour, filled=True, size=34, opacity=1)
    return [
        band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        line.encode(x=x, y=alt.Y("middle:Q")),
        dots.encode(x=x, y=alt.Y("middle:Q"), tooltip=told),
    ]


def _counts(place: int, x: "alt.X", height: float) -> list["alt.Chart"]:
    """How many values each day has, on the axis' own scale, so that each stands under its tick."""
    import altair as alt

    style = {"fontSize": 10.5, "baseline": "middle", "color": theme.QUIET}
    at = alt.value(height + COUNTS)
    name = alt.Chart(alt.Data(values=[{}])).mark_text(align="right", dx=-8, **style)
    return [
        _named("counts", place).mark_text(**style).encode(x=x, y=at, text="n:N"),
        name.encode(x=alt.value(0), y=at, text=alt.value("n")),
    ]

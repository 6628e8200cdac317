"""Kaplan-Meier curves with the numbers at risk under their axis; knows columns and declarations only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.declared import Survival
from timeline.charts.survival_layout import Arranged, arrange, landmarks
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

WIDTH, HEIGHT = 640, 320
HALO = {"stroke": theme.PAPER, "strokeWidth": 4, "strokeJoin": "round"}
"""Behind letters, so that no line crosses them."""
COLOURS = ("blue", "orange", "green", "purple", "red", "ink")
DASHES = ([1, 0], [7, 3], [2, 2], [10, 3, 2, 3], [4, 4], [12, 3])
"""Curves differ in both, so that none is told by its colour alone."""
TABLE, ROW, SWATCH = 62, 18, 20
"""The table begins so far under the axis; the height of its rows; the length of a curve's sample beside its name."""
BESIDE = 30
"""Between the names of the rows and the middle of the first column."""
CENSORED = "M0,-1L0,1"
FOOT = "Upright ticks: censored. Shaded: 95 % confidence interval (log-log). "
RISK = "At risk: just before the tick. Events: up to and at it."


def draw(
    frame: "polars.DataFrame", declared: Survival, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the curves of `frame`; landmarks and median are marked where one stands alone, else in the notes."""
    import altair as alt

    arranged = arrange(frame, declared, answers)
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, arranged.limit], nice=False),
        axis=alt.Axis(
            title=declared.x, values=list(arranged.ticks), grid=False, format="~g", labelOverlap=False, labelFlush=False
        ),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=alt.Axis(title=f"{declared.y}, %", values=[0, 25, 50, 75, 100], grid=True),
    )
    colours = _Colours(arranged)
    layers = [
        *_guides(arranged, x, y),
        *_curves(arranged, colours, x, y),
        *_labels(x, y),
        *_table(arranged, colours, x),
    ]
    names = ("line", "band", "censored", "steps", "table", "marks")
    return alt.layer(*layers).properties(
        width=WIDTH,
        height=HEIGHT,
        datasets={name: getattr(arranged, name) for name in names},
        title=alt.TitleParams(title, subtitle=[*notes, *arranged.notes]),
    )


class _Colours:
    """The colour and dash of each curve, as scales without a legend: the table's rows name the curves."""

    def __init__(self, arranged: Arranged) -> None:
        self.names = [stratum.name for stratum in arranged.strata]
        self.colours = [theme.CATEGORY[name] for name in COLOURS[: len(self.names)]]

    def colour(self) -> "alt.Color":
        import altair as alt

        return alt.Color("name:N", scale=alt.Scale(domain=self.names, range=self.colours), legend=None)

    def dash(self) -> "alt.StrokeDash":
        import altair as alt

        dashes: list[Any] = list(DASHES[: len(self.names)])
        return alt.StrokeDash("name:N", scale=alt.Scale(domain=self.names, range=dashes), legend=None)


def _named(name: str) -> "alt.Chart":
    import altair as alt

    return alt.Chart(alt.NamedData(name))


def _guides(arranged: Arranged, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    """Dashed lines at the landmarks; of a curve alone they end on it, and one goes along 50 % to the median."""
    import altair as alt

    style = {"color": theme.QUIET, "strokeDash": [4, 3], "strokeWidth": 1}
    if len(arranged.strata) != 1:
        times = alt.Data(values=[{"x": time} for time in landmarks(arranged)])
        return [alt.Chart(times).mark_rule(**style).encode(x=x)]
    median = _named("marks").transform_filter("datum.kind == 'median'")
    return [
        _named("marks").mark_rule(**style).encode(x=x, y=y, y2=alt.value(HEIGHT)),
        median.mark_rule(**style).encode(x=x, x2=alt.value(0), y=y),
    ]


def _curves(arranged: Arranged, colours: _Colours, x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    import altair as alt

    colour = colours.colour()
    titles = {"name": "Group"} if len(arranged.strata) > 1 else {}
    titles |= {"when": "Time", "survival": "Survival", "counts": "Here"}
    tooltip = [alt.Tooltip(f"{name}:N", title=words) for name, words in titles.items()]
    band = _named("band").mark_area(
        interpolate="step-after", opacity=0.16 if len(arranged.strata) < 3 else 0.09, line=False
    )
    line = _named("line").mark_line(interpolate="step-after", strokeWidth=2.2)
    ticks = _named("censored").mark_point(shape=CENSORED, size=44, strokeWidth=1.5, opacity=1, filled=False)
    # Nothing to be seen, but it answers the pointer all along the curve.
    places = _named("steps").mark_point(size=90, opacity=0, filled=True)
    return [
        band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        line.encode(x=x, y=y, color=colour, strokeDash=colours.dash()),
        ticks.encode(x=x, y=y, color=colour),
        places.encode(x=x, y=y, color=colour, tooltip=tooltip),
    ]


def _labels(x: "alt.X", y: "alt.Y") -> list["alt.Chart"]:
    """Points on the curve and their words, above and behind, where a falling curve leaves room."""
    point = _named("marks").mark_point(filled=True, size=42, color=theme.INK, opacity=1)
    place = {"align": "left", "baseline": "bottom", "dx": 7, "dy": -6, "fontSize": 11.5, "fontWeight": 600}
    halo = _named("marks").mark_text(color=theme.PAPER, **HALO, **place)
    words = _named("marks").mark_text(color=theme.INK, **place)
    return [point.encode(x=x, y=y), *(text.encode(x=x, y=y, text="text:N") for text in (halo, words))]


def _table(arranged: Arranged, colours: _Colours, x: "alt.X") -> list["alt.Chart"]:
    """Numbers on the axis' own scale, so that each stands under its tick; rows named at the left."""
    import altair as alt

    if not arranged.strata:
        return []
    cell = {"baseline": "middle", "fontSize": 11, "color": theme.INK}
    name = {"align": "right", "baseline": "middle", "fontSize": 11, "dx": -BESIDE}
    nothing = alt.Chart(alt.Data(values=[{}]))

    def words(text: str, row: float, **style: Any) -> "alt.Chart":
        at = alt.value(HEIGHT + TABLE + ROW * row)
        return nothing.mark_text(**style).encode(x=alt.value(0), y=at, text=alt.value(text))

    if len(arranged.strata) == 1:
        rows = [("At risk", "risk:N"), ("Events", "events:N")]
        charts = [words(text, i, color=theme.INK, **name) for i, (text, _) in enumerate(rows)]
        for i, (_, field) in enumerate(rows):
            at = alt.value(HEIGHT + TABLE + ROW * i)
            charts.append(_named("table").mark_text(**cell).encode(x=x, y=at, text=field))
    else:
        head = {"align": "left", "baseline": "middle", "fontSize": 11, "fontWeight": 600, "color": theme.INK}
        charts = [words("At risk (events)", 0, dx=-6, **head)]
        for i, stratum in enumerate(arranged.strata, 1):
            at = alt.value(HEIGHT + TABLE + ROW * i)
            own = _named("table").transform_filter(alt.FieldEqualPredicate(field="row", equal=i - 1))
            both = own.transform_calculate(both="datum.risk + ' (' + datum.events + ')'")
            charts.append(both.mark_text(**cell).encode(x=x, y=at, text="both:N"))
            charts.append(words(stratum.name, i, color=theme.INK, limit=200, **{**name, "dx": -BESIDE - SWATCH - 6}))
            sample = nothing.mark_rule(color=colours.colours[i - 1], strokeDash=DASHES[i - 1], strokeWidth=2.2)
            charts.append(sample.encode(x=alt.value(-BESIDE - SWATCH), x2=alt.value(-BESIDE), y=at))
    rows_below = 2 if len(arranged.strata) == 1 else 1 + len(arranged.strata)
    foot = {"align": "left", "baseline": "middle", "fontSize": 11, "color": theme.QUIET}
    return [*charts, words(FOOT + RISK, rows_below + 0.4, **foot)]

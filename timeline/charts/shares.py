"""Bars of 100 %, cut by ordinal level, one a group; knows columns and declarations only."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.declared import Shares
from timeline.charts.panels import UNKNOWN, Row, reasons, wrapped
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

WIDTH, STEP, LINE = 560, 52, 13
FITS_BOTH, FITS_COUNT = 62, 20
"""From so many pixels on, a part holds its count with the percent, or its count alone."""


def draw(
    frame: "polars.DataFrame", declared: Shares, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the bars of `frame`: percent of those whose level is known; how many are not known stands at each bar."""
    import altair as alt

    parts, groups, missing = arrange(frame, declared)
    order = [group["group"] for group in groups]
    y = alt.Y(
        "group:N",
        sort=order,
        title=None,
        scale=alt.Scale(padding=0.28),
        axis=alt.Axis(ticks=False, domain=False, labelLimit=300, labelPadding=8, **_lines(order)),
    )
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=alt.Axis(title=declared.x, values=[0, 25, 50, 75, 100], grid=True),
    )
    names = list(declared.levels.values())
    colours = theme.shades(theme.SEVERITY, len(names))
    legend = alt.Legend(title=declared.level.title, orient="bottom", symbolType="square", symbolSize=110)
    told = {
        "group": declared.group.title,
        "level": declared.level.title,
        "count": "Number",
        "said": "Share of the known",
    }
    bars = alt.Chart(alt.NamedData("parts"))
    layers = [
        bars.mark_bar(stroke=theme.QUIET, strokeWidth=0.6).encode(
            y=y,
            x=x,
            x2="to:Q",
            color=alt.Color("level:N", scale=alt.Scale(domain=names, range=colours), sort=names, legend=legend),
            tooltip=[alt.Tooltip(f"{name}:N", title=words) for name, words in told.items()],
        )
    ]
    for ink in (theme.INK, theme.PAPER):
        own = bars.transform_filter(alt.FieldOneOfPredicate(field="level", oneOf=_levels_under(ink, names, colours)))
        text = own.mark_text(color=ink, fontSize=12, fontWeight=600, baseline="middle")
        layers.append(text.encode(y=y, x=alt.X("middle:Q"), text="label:N"))
    empty = alt.Chart(alt.NamedData("groups")).transform_filter("datum.n == 0")
    layers.append(
        empty.mark_text(align="left", dx=6, color=theme.QUIET).encode(
            y=y, x=alt.datum(0), text=alt.value("nothing known")
        )
    )
    return alt.layer(*layers).properties(
        width=WIDTH,
        height=alt.Step(STEP),
        datasets={"parts": parts, "groups": groups},
        title=alt.TitleParams(title, subtitle=wrapped([*notes, *missing], WIDTH)),
    )


def _lines(labels: Sequence[str]) -> dict[str, Any]:
    """Labels of several lines, of which the middle stands beside the bar's."""
    most = max((label.count("\n") for label in labels), default=0)
    return {"labelExpr": "split(datum.label, '\\n')", "labelLineHeight": LINE, "labelOffset": -most * LINE / 2}


def arrange(frame: "polars.DataFrame", declared: Shares) -> tuple[list[Row], list[Row], list[str]]:
    """Return the parts of all bars, the bars, and sentences that say why levels are missing."""
    rows: dict[str, list[Row]] = {}
    for row in frame.rows(named=True):
        words = row[declared.words] if declared.words is not None else row[declared.group.column]
        rows.setdefault(UNKNOWN if words is None else str(words), []).append(row)
    parts, groups, notes = [], [], []
    for words, own in rows.items():
        found = Counter(str(row[declared.level.column]) for row in own if row[declared.level.column] is not None)
        counts = {title: found.pop(level, 0) for level, title in declared.levels.items()}
        n, lost = sum(counts.values()), len(own) - sum(counts.values())
        name = "\n".join([*textwrap.wrap(words, 34), f"n = {n:,}" + (f", {lost:,} missing" if lost else "")])
        groups.append({"group": name, "n": n})
        parts += _parts(name, counts, n)
        why = reasons([row for row in own if row[declared.level.column] is None], declared.missing)
        notes += [f"{words}: {why}."] if why else []
        if found:
            notes.append(f"{words}: {sum(found.values()):,} with a level that is not among those drawn.")
    if not rows:
        notes.append("Nothing to draw: no rows.")
    # The same reasons of every bar are said once.
    said = [note.partition(": ")[2] for note in notes]
    if len(rows) > 1 and len(notes) == len(rows) and len(set(said)) == 1:
        notes = [f"In each group {said[0]}"]
    return parts, groups, notes


def _parts(name: str, counts: dict[str, int], n: int) -> list[Row]:
    """From left to right, without those that nobody has."""
    parts, begin = [], 0
    for level, count in counts.items():
        if count:
            share = 100 * count / n
            start, end = 100 * begin / n, 100 * (begin + count) / n
            said, pixels = f"{share:.1f} %", share * WIDTH / 100
            label = (
                f"{count:,} ({share:.0f} %)" if pixels >= FITS_BOTH else f"{count:,}" if pixels >= FITS_COUNT else ""
            )
            parts.append(
                {"group": name, "level": level, "count": count, "said": said, "from": start, "to": end}
                | {"middle": (start + end) / 2, "label": label}
            )
            begin += count
    return parts


def _levels_under(ink: str, names: Sequence[str], colours: Sequence[str]) -> list[Any]:
    """The levels on whose colour `ink` reads best, by day and by night."""
    return [name for name, colour in zip(names, colours, strict=True) if theme.letters_on(colour) == ink]

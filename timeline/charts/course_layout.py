"""What a course shows, panel by panel: rows in, lines, medians, quartiles and counts as records out; draws nothing."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline.charts.declared import Course, Measure
from timeline.stats import number

if TYPE_CHECKING:
    import polars

Record = dict[str, Any]
LEAST = 3
"""Fewer values of a day have no median and no quartiles."""
WIDTH = 620
TICK_ROOM = 46
"""Pixels that a tick needs for the count that stands under it."""


@dataclass(frozen=True)
class Panel:
    """One measure: lines to draw, the middle of each day over all lines, and how many values a day has."""

    measure: Measure
    lines: list[Record]
    dots: list[Record]
    """Values whose neighbours are not known, through which no line goes."""
    days: list[Record]
    counts: list[Record]
    known: int
    not_known: int
    not_positive: int
    """Values that a logarithmic axis cannot show."""
    low: float
    high: float


@dataclass(frozen=True)
class Arranged:
    panels: tuple[Panel, ...]
    absent: tuple[str, ...]
    """Titles of the panels without a value."""
    ticks: tuple[int, ...]
    first: int
    last: int
    shown: int
    total: int


def arrange(frame: "polars.DataFrame", declared: Course) -> Arranged:
    """Return what stands where; rows of no panel and rows without a day are not drawn."""
    rows = [row for row in frame.rows(named=True) if row[declared.day] is not None]
    names = list(dict.fromkeys(str(row[declared.line]) for row in rows))
    shown = set(_chosen(names, declared.most))
    days = [int(row[declared.day]) for row in rows]
    first, last = min([*days, 0]), max([*days, 1])
    ticks = _ticks(first, last)
    panels, absent = [], []
    for key, measure in declared.panels.items():
        own = rows if declared.panel is None else [row for row in rows if row[declared.panel] == key]
        panel = _panel(own, declared, measure, shown, ticks)
        if panel.known:
            panels.append(panel)
        else:
            absent.append(measure.title)
    return Arranged(tuple(panels), tuple(absent), ticks, first, last, len(shown), len(names))


def notes(arranged: Arranged, declared: Course) -> list[str]:
    """Return what the picture does not say by itself."""
    said = [f"{title}: no value on any of these days." for title in arranged.absent]
    if arranged.panels:
        said.append(f"Thick: median of a day; shaded: its quartiles (days with at least {LEAST} values).")
    if arranged.shown < arranged.total:
        said.append(
            f"{arranged.shown} of {arranged.total:,} lines are shown, evenly spaced over their order; "
            "median, quartiles and n are of all."
        )
    for panel in arranged.panels:
        if panel.not_known:
            every = panel.known + panel.not_known + panel.not_positive
            said.append(
                f"{panel.measure.title}: {panel.not_known:,} of {every:,} values are not known; a line breaks there."
            )
        if panel.not_positive:
            said.append(
                f"{panel.measure.title}: {panel.not_positive:,} values of 0 or less are not on a logarithmic axis."
            )
    return said


def _chosen(names: Sequence[str], most: int) -> list[str]:
    if len(names) <= most:
        return list(names)
    return [names[i * len(names) // most] for i in range(most)]


def _ticks(first: int, last: int) -> tuple[int, ...]:
    """Whole days with 0 among them, as many as have room for a count."""
    room = max(1, WIDTH // TICK_ROOM)
    step = next(step for step in _steps() if (last - first) / step <= room)
    return tuple(range(-(-first // step) * step, last + 1, step))


def _steps() -> Iterable[int]:
    yield from (1, 2, 7, 14, 28)
    factor = 2
    while True:
        yield 28 * factor
        factor *= 2


def _panel(rows: Sequence[Record], declared: Course, measure: Measure, shown: set[str], ticks: Sequence[int]) -> Panel:
    by_day: dict[int, list[float]] = {}
    points: dict[str, list[tuple[int, float | None]]] = {}
    not_known = not_positive = 0
    for row in rows:
        name, day, value = str(row[declared.line]), int(row[declared.day]), row[declared.value]
        if value is None or math.isnan(value):
            not_known += 1
            value = None
        elif measure.log and value <= 0:
            not_positive += 1
            value = None
        else:
            by_day.setdefault(day, []).append(float(value))
        if name in shown:
            points.setdefault(name, []).append((day, value))
    lines, dots = _lines(points)
    days = [_day(day, values) for day, values in sorted(by_day.items()) if len(values) >= LEAST]
    drawn = [record["y"] for record in [*lines, *dots]] + [record[key] for record in days for key in ("low", "high")]
    known = sum(len(values) for values in by_day.values())
    counts = [{"x": day, "n": f"{len(by_day.get(day, ())):,}"} for day in ticks]
    ends = (min(drawn), max(drawn)) if drawn else (0.0, 1.0)
    return Panel(measure, lines, dots, days, counts, known, not_known, not_positive, *ends)


def _lines(points: dict[str, list[tuple[int, float | None]]]) -> tuple[list[Record], list[Record]]:
    """Each line in runs that end where a value is not known; a run of one value is a dot."""
    runs: list[list[Record]] = []
    for name, own in points.items():
        run: list[Record] = []
        for day, value in sorted(own, key=lambda point: point[0]):
            if value is None:
                runs.append(run)
                run = []
            else:
                run.append({"line": name, "x": day, "y": value})
        runs.append(run)
    lines = [{**point, "run": i} for i, run in enumerate(runs) if len(run) > 1 for point in run]
    return lines, [run[0] for run in runs if len(run) == 1]


def _day(day: int, values: list[float]) -> Record:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    words = f"{number(middle)} (quartiles {number(low)} to {number(high)})"
    return {"x": day, "low": low, "middle": middle, "high": high, "n": len(values), "words": words}

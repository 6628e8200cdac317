"""The lanes of one subject: which are drawn, how high each is, and where a number stands in it; draws nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from timeline.charts.declared import Timeline, TimelineLayer
from timeline.charts.explanation_layout import folded, nice
from timeline.charts.timeline_styles import is_implausible

Record = dict[str, Any]
LINE = 12
"""Height of a line of text."""
EDGE = 6
"""What stays free above and below the marks of a lane."""
GUTTER = 36
"""Letters in a line beside a lane."""
HEIGHTS = {"line": 50.0, "graded": 34.0, "bar": 22.0, "point": 22.0, "words": 22.0}


@dataclass(frozen=True)
class Lane:
    """One lane: its rows, its kind of mark (the tallest that it holds), and the numbers of its own axis."""

    group: str
    name: str
    kind: str
    rows: tuple[Record, ...]
    unit: str
    ticks: tuple[float, ...]
    low: float | None
    high: float | None
    log: bool
    height: float
    top: float = 0

    def at(self, top: float) -> "Lane":
        """Return this lane with its upper edge at `top` pixels."""
        return replace(self, top=top)

    def y(self, value: float | None) -> float:
        """Return where a number stands, in pixels; one beyond the axis, at its edge."""
        if value is None or len(self.ticks) < 2:
            return self.top + self.height / 2
        low, high = self._place(self.ticks[0]), self._place(self.ticks[-1])
        share = (self._place(value) - low) / (high - low)
        return self.top + EDGE + (self.height - 2 * EDGE) * (1 - min(max(share, 0.0), 1.0))

    def _place(self, value: float) -> float:
        if not self.log:
            return value
        return math.log10(max(value, min(self.ticks[0], 1.0) * 1e-3, 1e-12))

    def span(self, layer: TimelineLayer, value: float | None) -> tuple[float, float]:
        """Return the upper and the lower edge of a mark that is no point of a line."""
        bottom = self.top + self.height - EDGE
        if layer.mark == "graded":
            place = layer.grades.index(int(value)) if value in layer.grades and value is not None else 0
            room = self.height - 2 * EDGE
            return bottom - max(room * place / max(len(layer.grades) - 1, 1), 3), bottom
        middle = self.top + self.height / 2
        return (middle - 5, middle + 5) if layer.mark == "bar" else (middle, middle)

    def texts(self) -> list[Record]:
        """Return the name beside the lane, with the unit of its axis."""
        lines = _names(self.name, self.unit, self.log)
        above = self.top + (self.height - len(lines) * LINE) / 2
        return [
            {"y": above + (place + 0.5) * LINE, "text": text, "kind": kind}
            for place, (text, kind) in enumerate(lines)
        ]  # fmt: skip

    def tick_marks(self) -> list[Record]:
        """Return the numbers of the lane's own axis."""
        return [{"y": self.y(tick), "text": f"{tick:,.6g}"} for tick in self.ticks]

    def limits(self) -> Record | None:
        """Return the band between the limits, as far as the axis reaches; None where there are none."""
        if self.kind != "line" or (self.low is None and self.high is None) or len(self.ticks) < 2:
            return None
        top = self.top + 2 if self.high is None else self.y(self.high)
        bottom = self.top + self.height - 2 if self.low is None else self.y(self.low)
        return {"y": top, "y2": bottom}


def lanes_of(rows: Sequence[Record], declared: Timeline) -> tuple[list[Lane], list[Lane]]:
    """Return the lanes that are drawn, in their order, and those that are not: the highest ranks beyond `most`.

    Groups stand as declared; in a group lanes stand by rank, then as the rows come.
    """
    grouped: dict[tuple[str, str], list[Record]] = {}
    for row in rows:
        grouped.setdefault((row[declared.group], str(row[declared.lane])), []).append(row)
    keys = list(declared.groups)
    lanes = [_lane(group, name, own, declared) for (group, name), own in grouped.items()]
    ranked = sorted(lanes, key=lambda lane: (_rank(lane, declared), -len(lane.rows), lane.name))
    kept = sorted(ranked[: declared.most], key=lambda lane: (keys.index(lane.group), _rank(lane, declared)))
    return kept, ranked[declared.most :]


def _rank(lane: Lane, declared: Timeline) -> float:
    if declared.rank is None:
        return 0
    ranks = [row[declared.rank] for row in lane.rows if row[declared.rank] is not None]
    return min(ranks, default=math.inf)


def _lane(group: str, name: str, rows: list[Record], declared: Timeline) -> Lane:
    marks = {declared.layers[row[declared.element]].mark for row in rows}
    kind = max(marks, key=lambda mark: HEIGHTS[mark])
    numbers = [row for row in rows if declared.layers[row[declared.element]].mark == "line"]
    log = declared.log is not None and any(row[declared.log] for row in numbers)
    low, high = (_first(numbers, column) for column in (declared.low, declared.high))
    unit = str(_first(numbers, declared.unit) or "")
    height = max(HEIGHTS[kind], len(_names(name, unit, log)) * LINE + 4)
    ticks = _axis(numbers, declared, log, [limit for limit in (low, high) if limit is not None])
    if kind == "graded":
        grades = next(layer.grades for layer in declared.layers.values() if layer.mark == "graded")
        ticks = (float(grades[0]), float(grades[-1]))
    return Lane(group, name, kind, tuple(rows), unit, ticks, low, high, log, height)


def _first(rows: Sequence[Record], column: str | None) -> Any:
    return next((row[column] for row in rows if row[column] is not None), None) if column is not None else None


def _axis(rows: Sequence[Record], declared: Timeline, log: bool, limits: Sequence[float]) -> tuple[float, ...]:
    """Round numbers around what was observed and its limits; what is implausible does not stretch the axis."""
    values = [row[declared.value] for row in rows if row[declared.value] is not None]
    plausible = [row[declared.value] for row in rows if not is_implausible(row, declared)]
    finite = [value for value in plausible or values if value is not None and math.isfinite(value)]
    if not finite:
        return ()
    every = [*finite, *limits]
    if not log or max(every) <= 0:
        return thinned(nice(every))
    positive = [value for value in every if value > 0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return thinned(tuple(10.0**power for power in range(low, max(high, low + 1) + 1)))


def thinned(ticks: tuple[float, ...]) -> tuple[float, ...]:
    """Return at most four of the ticks, evenly spaced; the first and the last are always among them."""
    if len(ticks) <= 4:
        return ticks
    step = next((step for step in (2, 3) if (len(ticks) - 1) % step == 0), len(ticks) - 1)
    return ticks[::step]


def _names(name: str, unit: str, log: bool) -> list[tuple[str, str]]:
    """The lines beside a lane, each with its kind."""
    note = f"{unit}{', ' if unit and log else ''}{'log scale' if log else ''}"
    return [*((line, "name") for line in folded(name, GUTTER, 2)), *([(note, "note")] if note else [])]

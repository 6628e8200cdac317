"""What of a subject's time is in view at first: times in, the two ends of the view in milliseconds out."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from timeline.charts.declared import Timeline
from timeline.charts.explanation_layout import milliseconds

Record = dict[str, Any]
WIDTH = 720
"""Of the lanes, in pixels."""
LETTER = 6.0
"""Mean width of a letter of a label."""
DAY, HOUR = 86_400_000, 3_600_000
FEW = 0.1
"""With a smaller share of the marks around day 0 the first view is elsewhere."""


def extent(rows: Iterable[Record], declared: Timeline) -> tuple[float, float]:
    """The first and the last moment of any row, and never nothing between them."""
    times = [row[side] for row in rows for side in (declared.start, declared.end) if row[side] is not None]
    first, last = min(times), max(times)
    if last - first < timedelta(hours=1):
        first, last = first - timedelta(hours=12), last + timedelta(hours=12)
    return milliseconds(first), milliseconds(last)


def view_of(
    declared: Timeline, zero: datetime | None, first: float, last: float, starts: Sequence[float]
) -> tuple[float, float]:
    """What is in view at first: the declared days around day 0; as many elsewhere, where the marks are; or all."""
    room = max(last - first, HOUR) * 0.02
    if declared.view is None or last - first <= (declared.view[1] - declared.view[0]) * DAY:
        return first - room, last + room
    length = (declared.view[1] - declared.view[0]) * DAY
    if zero is not None:
        low = milliseconds(zero) + declared.view[0] * DAY
        if sum(low <= start <= low + length for start in starts) >= FEW * len(starts):
            return _tight(starts, low, low + length)
    low = _fullest(sorted(starts), length)
    return _tight(starts, low, low + length)


def _tight(starts: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """From the first to the last of the times between two, with some room."""
    inside = [start for start in starts if low <= start <= high]
    room = max(max(inside) - min(inside), HOUR) * 0.03
    return min(inside) - room, max(inside) + room


def _fullest(starts: Sequence[float], length: float) -> float:
    """Where the stretch of this length begins that holds the most of the times; the earliest of several."""
    best, most, end = starts[0], 0, 0
    for place, start in enumerate(starts):
        while end < len(starts) and starts[end] <= start + length:
            end += 1
        if end - place > most:
            best, most = start, end - place
    return best


def with_room(view: tuple[float, float], marks: Iterable[Record]) -> tuple[float, float]:
    """The view, with room at its end for the words of the last marks."""
    scale = WIDTH / (view[1] - view[0])
    ends = [
        (mark["from"] - view[0]) * scale + 12 + len(mark["label"]) * LETTER
        for mark in marks
        if mark["label"] and mark["to"] is None and view[0] <= mark["from"] <= view[1]
    ]
    beyond = min(max([0.0, *(end - WIDTH for end in ends)]), WIDTH / 4)
    return view[0], view[1] + beyond / scale

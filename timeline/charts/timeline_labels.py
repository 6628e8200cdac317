"""When labels beside marks are seen: where so little time is in view that they have room; knows records only."""

from collections.abc import Sequence
from typing import Any

from timeline.charts.timeline_view import LETTER, WIDTH

Record = dict[str, Any]
LEVELS = 15
"""How often the view is halved in search of room for a label."""


def reveal(marks: Sequence[Record], extent: float) -> None:
    """Set `span` of labels of one lane: so much time, or less, must be in view for the label to have room.

    The view is halved again and again, and each time the labels that find room are taken, earlier ones first; so a
    label that is seen stays seen while the view narrows.
    """
    blocked = _next_other(marks)
    span = extent * 1.3  # no less than what is in view at first, with its room
    for _ in range(LEVELS):
        free, after = -float("inf"), _next_taken(marks)
        for place, mark in enumerate(marks):
            x = mark["from"] * WIDTH / span
            end = x + 9 + len(mark["label"]) * LETTER
            fits = mark["mark"] != "bar" or mark["to"] is None or end <= mark["to"] * WIDTH / span
            if mark["span"]:
                free = end
            elif (
                mark["label"] and fits and x - 5 >= free and end <= min(after[place], blocked[place]) * WIDTH / span - 5
            ):
                mark["span"], free = span, end
        span /= 2


def _next_other(marks: Sequence[Record]) -> list[float]:
    """For each mark the time of the next symbol, which its label must not cover; what is written in a bar may."""
    following = [*(mark["from"] for mark in marks[1:]), float("inf")]
    return [float("inf") if mark["mark"] == "bar" else time for mark, time in zip(marks, following, strict=True)]


def _next_taken(marks: Sequence[Record]) -> list[float]:
    """For each mark the time of the next one whose label is taken already."""
    times, following = [], float("inf")
    for mark in reversed(marks):
        times.append(following)
        if mark["span"]:
            following = mark["from"]
    return times[::-1]

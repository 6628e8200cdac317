"""Where everything in the picture of an explanation stands: frames in, records with pixels and milliseconds out.

Knows frames only; draws nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars

WIDTH = 720
TOP = 16
"""Pixels above the first lane, for the name of day 0."""
LINE, EDGE = 12, 11
"""Height of a line of text, and what stays free above and below the marks of a lane."""
PLAIN, VALUED, NAMED = 34, 66, 13
"""Least height of a lane, of one with values, and of the names of its windows."""
LETTER = 5.6
"""Mean width of a letter of a label."""
GUTTER = 40
"""Letters in a line beside a lane."""
ACROSS = 118
"""Letters in a line across a lane."""
FOREVER = timedelta(days=36500)
EPOCH = datetime(1970, 1, 1)
ORDER = (
    "other",
    "day",
    "outside",
    "inside",
    "untold",
    "wrong",
    "implausible",
    "held",
    "decided",
    "found",
    "near",
    "row",
)
"""States of marks; the later are drawn over the earlier."""
LABELLED = ("near", "row", "found", "held", "decided", "wrong", "implausible", "inside")
"""States whose labels are written where there is room, the most telling first."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Frames:
    """An explanation as frames. Times are datetimes without a zone; lanes are numbered from 0 as they stand."""

    lanes: "polars.DataFrame"
    """lane, name, note (in smaller letters), statement (across the lane)."""
    windows: "polars.DataFrame"
    """lane, name, start, end (null where it never ends), closed_start, closed_end, what."""
    marks: "polars.DataFrame"
    """lane, state (one of `ORDER`), start, end (null of a moment), value (null where it has no height), label, what,
    why, source."""
    first: datetime
    last: datetime
    """What is in view at first."""
    day_zero: datetime | None
    index: str
    """What day 0 is the day of."""


@dataclass(frozen=True)
class Arranged:
    """Records to draw: `y` and `height` are pixels, `from` and `to` milliseconds."""

    lanes: list[Record]
    texts: list[Record]
    ticks: list[Record]
    windows: list[Record]
    edges: list[Record]
    marks: list[Record]
    labels: list[Record]
    height: float
    states: tuple[str, ...]


@dataclass(frozen=True)
class Lane:
    """A lane's place, and the heights of its values: (value, pixels from the top)."""

    top: float
    height: float
    head: float
    """Pixels at its top that belong to the names of its windows."""
    lines: tuple[str, ...]
    statement: tuple[str, ...]
    ticks: tuple[float, ...]
    first: bool
    """It is the lane of the row itself."""
    under: bool
    """Its statement stands under its marks."""

    def y(self, value: float | None) -> float:
        middle = self.top + self.head + (self.height - self.head) / 2
        if value is None or not self.ticks:
            return self.top + PLAIN / 2 if self.under else middle
        low, high = self.ticks[0], self.ticks[-1]
        if low == high:
            return middle
        room = self.height - self.head - 2 * EDGE
        return self.top + self.head + EDGE + room * (high - value) / (high - low)


def milliseconds(time: datetime) -> float:
    """Return a time as Vega reads it, on the study's own clock."""
    return (time - EPOCH) / timedelta(milliseconds=1)


def arrange(frames: Frames) -> Arranged:
    """Return where everything stands."""
    marks = sorted(frames.marks.rows(named=True), key=lambda mark: ORDER.index(mark["state"]))
    windows = frames.windows.rows(named=True)
    lanes = _lanes(frames, marks, windows)
    height = max((lane.top + lane.height for lane in lanes.values()), default=TOP + PLAIN)
    drawn = [_mark(mark, lanes[mark["lane"]], frames) for mark in marks]
    states = tuple(state for state in ORDER if any(mark["state"] == state for mark in drawn))
    return Arranged(
        [{"y": lane.top, "y2": lane.top + lane.height} for lane in lanes.values()],
        [text for lane in lanes.values() for text in _texts(lane)],
        [{"y": lane.y(tick), "text": f"{tick:g}"} for lane in lanes.values() for tick in lane.ticks],
        [_window(window, lanes[window["lane"]]) for window in windows],
        [edge for window in windows for edge in _edges(window, lanes[window["lane"]])],
        drawn, _labels(drawn, frames), height, states,
    )  # fmt: skip


def _lanes(frames: Frames, marks: Sequence[Record], windows: Sequence[Record]) -> dict[int, Lane]:
    placed: dict[int, Lane] = {}
    y = float(TOP)
    for row in frames.lanes.rows(named=True):
        own = [mark for mark in marks if mark["lane"] == row["lane"]]
        values = [mark["value"] for mark in own if mark["value"] is not None]
        ticks = nice(values) if values else ()
        head = NAMED if any(w["name"] for w in windows if w["lane"] == row["lane"]) else 0
        lines = (*folded(row["name"], GUTTER, 2), *folded(row["note"], GUTTER, 3))
        statement = folded(row["statement"], ACROSS, 6)
        beside = len(lines) * LINE + 10
        across = len(statement) * (LINE + 2) + (PLAIN if own and not placed else 0) + 8
        height = max((VALUED if len(ticks) > 1 else PLAIN) + head, beside, across)
        placed[row["lane"]] = Lane(y, height, head, lines, statement, ticks, not placed, bool(own) and not placed)
        y += height
    return placed


def folded(text: str, width: int, most: int) -> tuple[str, ...]:
    """Return `text` in at most `most` lines of `width` letters, the last cut with an ellipsis."""
    import textwrap

    lines = textwrap.wrap(text, width, break_on_hyphens=False)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: width - 2].rstrip() + " …"]
    return tuple(lines)


def nice(values: Iterable[float]) -> tuple[float, ...]:
    """Return two to five round numbers that hold all of `values` between them; one where they are all the same."""
    low, high = min(values := list(values)), max(values)
    if low == high:
        return (low,)
    whole = all(value == int(value) for value in values)
    for step in _steps((high - low) / 4):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= 4 and not (whole and step % 1):
            return tuple(round(place * step, 12) for place in range(first, last + 1))
    return (low, high)


def _steps(least: float) -> Iterable[float]:
    power = 10 ** math.floor(math.log10(least))
    return [power * factor for factor in (1, 2, 5, 10, 20, 50)]


def _texts(lane: Lane) -> list[Record]:
    above = lane.top + (lane.height - len(lane.lines) * LINE) / 2
    texts = [
        {"y": above + (place + 0.5) * LINE, "text": line, "kind": "note" if place else "name"}
        for place, line in enumerate(lane.lines)
    ]
    free = lane.height - len(lane.statement) * (LINE + 2)
    free = free - 4 if lane.under else free / 2
    kind = "statement" if lane.first else "remark"
    for place, line in enumerate(lane.statement):
        texts.append({"y": lane.top + free + (place + 0.5) * (LINE + 2), "text": line, "kind": kind})
    return texts


def _window(window: Record, lane: Lane) -> Record:
    first, last = EPOCH - FOREVER, EPOCH + 2 * FOREVER
    return {
        "y": lane.top + 1, "y2": lane.top + lane.height - 1,
        "from": milliseconds(window["start"] or first), "to": milliseconds(window["end"] or last),
        "name": window["name"], "named": milliseconds(window["start"] or window["end"] or first),
        "what": window["what"],
    }  # fmt: skip


def _edges(window: Record, lane: Lane) -> list[Record]:
    return [
        {"from": milliseconds(window[side]), "y": lane.top + 1, "y2": lane.top + lane.height - 1,
         "closed": window[f"closed_{side}"]}
        for side in ("start", "end")
        if window[side] is not None
    ]  # fmt: skip


def _mark(mark: Record, lane: Lane, frames: Frames) -> Record:
    start, end = mark["start"], mark["end"]
    return {
        "state": mark["state"],
        "from": milliseconds(start),
        "to": milliseconds(end) if end is not None and end > start else None,
        "y": lane.y(mark["value"]),
        "lane": (lane.top, lane.top + lane.height),
        # Where the axis says the value already, an event needs no label.
        "label": "" if mark["state"] == "decided" and mark["value"] in lane.ticks else mark["label"],
        "when": when(start, end if end != start else None),
        "day": days(start, end, frames.day_zero),
        **{name: mark[name] for name in ("what", "why", "source")},
    }


def when(start: datetime, end: datetime | None) -> str:
    """Return a time, or two, to the minute; to the second where there are seconds."""
    both = [
        time.isoformat(" ", "auto" if time.second or time.microsecond else "minutes") for time in (start, end) if time
    ]
    return " to ".join(both)


def days(start: datetime, end: datetime | None, zero: datetime | None) -> str:
    """Return the calendar days of a time, or two, relative to that of day 0; nothing without a day 0."""
    if zero is None:
        return ""
    first, last = ((time.date() - zero.date()).days for time in (start, end or start))
    return f"day {first}" if first == last else f"days {first} to {last}"


def _labels(marks: Sequence[Record], frames: Frames) -> list[Record]:
    """The labels for which there is room: right of their mark, else left of it, above or below it."""
    span = milliseconds(frames.last) - milliseconds(frames.first)

    def x(time: float) -> float:
        return (time - milliseconds(frames.first)) / span * WIDTH

    shown = [mark for mark in marks if mark["label"] and 0 <= x(mark["from"]) <= WIDTH]
    symbols = [(mark["state"], _box(x(mark["from"]), mark["y"], "", "center", 4)) for mark in marks]
    taken = [box for state, box in symbols if state in LABELLED]
    faint = [box for state, box in symbols if state not in LABELLED]
    labels = []
    for mark in sorted(shown, key=lambda mark: (LABELLED.index(mark["state"]), mark["from"])):
        strong = mark["state"] in ("near", "found", "held")
        places = [
            (align, dx, dy, _box(x(mark["from"]) + dx, mark["y"] + dy, mark["label"], align))
            for align, dx, dy in (("left", 9, 0), ("right", -9, 0), ("center", 0, -12), ("center", 0, 12))
        ]
        # What matters most may cover faint symbols where there is no other place.
        for blocked in ([*taken, *faint], *([taken] if strong else [])):
            free = [p for p in places if _within(p[3], mark["lane"]) and not any(_meet(p[3], b) for b in blocked)]
            if free:
                align, dx, dy, box = free[0]
                taken.append(box)
                labels.append({**mark, "align": align, "dx": dx, "dy": dy})
                break
    return labels


def _box(x: float, y: float, text: str, align: str, room: float = 0) -> tuple[float, float, float, float]:
    width = len(text) * LETTER + 2 * room
    left = {"left": x, "right": x - width, "center": x - width / 2}[align]
    half = room or 5
    return left, y - half, left + width, y + half


def _within(box: Sequence[float], lane: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[2] <= WIDTH and box[1] >= lane[0] and box[3] <= lane[1]


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> "polars.DataFrame":
    """Return rows as a frame with these columns, also where there is no row."""
    import polars

    return polars.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=dict(schema))

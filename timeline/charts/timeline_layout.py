"""Where everything of one subject's lanes stands: rows in, records with pixels and milliseconds out; draws nothing.

Heights are computed here, so that one specification, with these records put in, serves every subject.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from timeline.charts.declared import Timeline
from timeline.charts.explanation_layout import days, folded, milliseconds, when
from timeline.charts.timeline_labels import reveal
from timeline.charts.timeline_lanes import Lane, lanes_of
from timeline.charts.timeline_styles import LIMITS, compared, is_implausible, style_of, styles
from timeline.charts.timeline_view import DAY, LETTER, WIDTH, extent, view_of, with_room

if TYPE_CHECKING:
    import polars

Record = dict[str, Any]
HEAD = 30
"""Pixels above the first lane, for the name of day 0 and one row of names of windows."""
WINDOW_ROW = 13
GROUP = 22
"""Height of a group's heading."""
KEY_TOP, KEY_ROW, KEY_SYMBOL = 62, 19, 12
NAMED = 430
"""Letters for the names of the lanes that are left out; the rest are counted."""
NOTE = 165
"""Letters in a line of the notes."""


@dataclass(frozen=True)
class Arranged:
    """Records to draw: `y` and `height` are pixels, `from`, `to`, `first`, `last` and `zero` milliseconds."""

    marks: list[Record] = field(default_factory=list)
    lanes: list[Record] = field(default_factory=list)
    texts: list[Record] = field(default_factory=list)
    ticks: list[Record] = field(default_factory=list)
    limits: list[Record] = field(default_factory=list)
    windows: list[Record] = field(default_factory=list)
    zero: list[Record] = field(default_factory=list)
    key: list[Record] = field(default_factory=list)
    height: float = HEAD
    first: float = 0
    last: float = 86_400_000
    notes: tuple[str, ...] = ()

    @property
    def datasets(self) -> dict[str, list[Record]]:
        names = ("marks", "lanes", "texts", "ticks", "limits", "windows", "zero", "key")
        return {name: getattr(self, name) for name in names}


def arrange(frame: "polars.DataFrame", declared: Timeline) -> Arranged:
    """Return where everything stands; `notes` say what is not drawn, or not in view at first, and why."""
    rows = [
        row
        for row in frame.rows(named=True)
        if row[declared.element] in declared.layers and row[declared.group] in declared.groups
    ]
    timed = [row for row in rows if row[declared.start] is not None]
    windows = [row for row in timed if _mark_of(row, declared) == "window"]
    lanes, left_out = lanes_of([row for row in timed if _mark_of(row, declared) != "window"], declared)
    shown = [row for lane in lanes for row in lane.rows]
    if not shown and not windows:
        return Arranged(notes=tuple(_without_time(len(rows) - len(timed))))
    zero = next((row[declared.origin] for row in timed if row[declared.origin] is not None), None)
    first, last = extent([*shown, *windows], declared)
    view = view_of(declared, zero, first, last, [milliseconds(row[declared.start]) for row in shown])
    bands, rows_of_names = _windows(windows, declared, view)
    placed, height = _placed(lanes, declared, HEAD + WINDOW_ROW * max(rows_of_names - 1, 0))
    marks = [mark for lane in placed for mark in _marks(lane, declared, zero, last - first)]
    view = with_room(view, marks)
    beyond = sum(not view[0] <= mark["from"] <= view[1] and (mark["to"] or 0) <= view[0] for mark in marks)
    notes = [*_without_time(len(rows) - len(timed)), *_not_drawn(left_out), *_not_inview_of(beyond)]
    return Arranged(
        marks,
        [{"y": lane.top, "y2": lane.top + lane.height} for lane in placed],
        [*_headings(placed, declared), *(text for lane in placed for text in lane.texts())],
        [tick for lane in placed for tick in lane.tick_marks()],
        [limits for lane in placed if (limits := lane.limits()) is not None],
        bands,
        _zero(timed, declared, zero, view),
        _key(marks, bands, any(lane.limits() for lane in placed), declared, height),
        height, view[0], view[1], tuple(line for note in notes for line in folded(note, NOTE, 4)),
    )  # fmt: skip


def _mark_of(row: Record, declared: Timeline) -> str:
    return declared.layers[row[declared.element]].mark


def _placed(lanes: Sequence[Lane], declared: Timeline, top: float) -> tuple[list[Lane], float]:
    """The lanes below each other, a heading above each group, and where the last one ends."""
    placed: list[Lane] = []
    group = None
    for lane in lanes:
        if lane.group != group:
            group, top = lane.group, top + GROUP
        placed.append(lane.at(top))
        top += lane.height
    return placed, max(top, HEAD + 20.0)


def _headings(placed: Sequence[Lane], declared: Timeline) -> list[Record]:
    tops: dict[str, float] = {}
    for lane in placed:
        tops.setdefault(lane.group, lane.top)
    return [
        {"y": top - GROUP / 2 + 2, "text": declared.groups[group], "kind": "group"}
        for group, top in tops.items()
        if declared.groups[group]
    ]


def _marks(lane: Lane, declared: Timeline, zero: datetime | None, extent: float) -> list[Record]:
    """The rows of a lane as marks, each with its words, in order of time."""
    rows = sorted(lane.rows, key=lambda row: row[declared.start])
    marks = [_mark(row, lane, declared, zero) for row in rows]
    _join(marks, declared)
    reveal(marks, extent)
    return marks


def _mark(row: Record, lane: Lane, declared: Timeline, zero: datetime | None) -> Record:
    layer = declared.layers[row[declared.element]]
    start, end, value = row[declared.start], row[declared.end], row[declared.value]
    if end is not None and end <= start:
        end = None
    detail = row[declared.detail] or ""
    top, bottom = lane.span(layer, value)
    amount = words_of(row, declared)
    label = {"words": detail.split(";")[0], "point": words_of(row, declared, 4), "bar": detail.split(";")[0]}.get(
        layer.mark, ""
    )
    return {
        "mark": layer.mark,
        "style": style_of(row, layer, declared),
        "lane": lane.name,
        "from": milliseconds(start),
        "to": milliseconds(end) if end is not None else None,
        "y": lane.y(value) if layer.mark == "line" else top,
        "y2": bottom,
        "middle": lane.top + lane.height / 2,
        "at": lane.y(value)
        if layer.mark == "line"
        else bottom
        if layer.mark == "graded"
        else lane.top + lane.height / 2,
        "run": 0 if layer.mark == "line" and value is not None and not is_implausible(row, declared) else None,
        "label": label if len(label) <= 28 else label[:27] + "…",
        "span": 0,
        "layer": layer.title,
        "amount": amount,
        "compared": compared(row, declared),
        "when": when(start, end),
        "day": days(start, end, zero),
        "detail": detail,
        "source": (row[declared.source] or "") if declared.source is not None else "",
    }


def _join(marks: Iterable[Record], declared: Timeline) -> None:
    """Number the stretches of a lane's line: times that are further apart than declared are not joined."""
    last, run = None, 0
    for mark in marks:
        if mark["run"] is None:
            continue
        if last is not None and declared.join is not None and mark["from"] - last > declared.join * DAY:
            run += 1
        last, mark["run"] = mark["from"], run


def words_of(row: Record, declared: Timeline, digits: int = 6) -> str:
    """Return a row's number in words: its bound, so many digits of the number, its unit; nothing without a number."""
    value = row[declared.value]
    if value is None:
        return ""
    bound = (row[declared.bound] if declared.bound is not None else None) or ""
    whole = 10**digits <= abs(value) < 1e15
    number = f"{value:,.0f}" if whole else f"{value:,.{digits}g}"
    return f"{bound}{number} {row[declared.unit] or ''}".strip()


def _windows(windows: Sequence[Record], declared: Timeline, view: tuple[float, float]) -> tuple[list[Record], int]:
    """The windows, and how many rows their names take where those that would meet stand below each other."""
    scale, ends, bands = WIDTH / (view[1] - view[0]), [], []
    for row in sorted(windows, key=lambda row: row[declared.start]):
        start, end = row[declared.start], row[declared.end] or row[declared.start]
        name, x = str(row[declared.lane]), milliseconds(start) * scale
        place = next((i for i, free in enumerate(ends) if free <= x), len(ends))
        ends[place : place + 1] = [x + len(name) * LETTER + 8]
        layer = declared.layers[row[declared.element]]
        bands.append(
            {
                "style": layer.title, "name": name, "from": milliseconds(start), "to": milliseconds(end),
                "y": HEAD - 6 + WINDOW_ROW * place, "lane": name, "layer": layer.title, "when": when(start, end),
                "day": days(start, end, row[declared.origin]), "amount": words_of(row, declared),
                "detail": row[declared.detail] or "",
                "source": (row[declared.source] or "") if declared.source is not None else "",
            }
        )  # fmt: skip
    return bands, len(ends)


def _zero(rows: Sequence[Record], declared: Timeline, zero: datetime | None, view: tuple[float, float]) -> list[Record]:
    """Day 0: its line, and its name on the side where there is room."""
    if zero is None:
        return []
    name = next((row[declared.origin_name] for row in rows if row[declared.origin_name]), "")
    at = milliseconds(zero)
    midnight = milliseconds(datetime(zero.year, zero.month, zero.day))
    late = at > view[0] + (view[1] - view[0]) * 0.75
    words = f"day 0: {name}" if name else "day 0"
    return [{"from": at, "midnight": midnight, "name": words, "late": late}]


def _key(
    marks: Iterable[Record], windows: Iterable[Record], limited: bool, declared: Timeline, height: float
) -> list[Record]:
    """What each style means, of those that are drawn, in rows below the axis."""
    drawn = Counter(mark["style"] for mark in [*marks, *windows])
    order = [name for name in styles(declared) if name in drawn or (name == LIMITS and limited)]
    key: list[Record] = []
    x, y = 0.0, height + KEY_TOP
    for name in order:
        width = KEY_SYMBOL + len(name) * LETTER + 20
        if x and x + width > WIDTH:
            x, y = 0.0, y + KEY_ROW
        key.append({"style": name, "x": x, "at": x + KEY_SYMBOL, "y": y})
        x += width
    return key


def _without_time(count: int) -> list[str]:
    return [f"{count:,} rows without a time are not drawn."] if count else []


def _not_inview_of(count: int) -> list[str]:
    """What the reader must zoom out to see."""
    return [f"{count:,} marks lie outside the days in view at first; zoom out to see them."] if count else []


def _not_drawn(lanes: Sequence[Lane]) -> list[str]:
    if not lanes:
        return []
    named = [f"{lane.name} ({len(lane.rows):,})" for lane in lanes]
    room = 0
    for count, name in enumerate(named):
        room += len(name) + 2
        if room > NAMED:
            named = named[:count]
            break
    more = lanes[len(named) :]
    rest = f", and {len(more):,} more ({sum(len(lane.rows) for lane in more):,} rows)" if more else ""
    return [f"Lanes not drawn, with their rows: {', '.join(named)}{rest}."]

"""Where every mark of a lanes chart stands: rows in, records with pixels, days and words out; draws nothing.

All lanes and panels stand in one view, their heights computed here, so that there is one axis and one legend
for all of them, at 14 lanes as at 40.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline.charts.declared import Lanes, Layer

if TYPE_CHECKING:
    import polars

Mark = dict[str, Any]
TRACK = {"point": 12, "bar": 13, "graded": 13, "amount": 9, "column": 0}
"""Height of a track by its tallest mark, in pixels."""
LANE_GAP, PANEL_GAP = 7, 30
TALLY = 18
"""Height of the line under a panel's title that says what all its lanes have."""
UNKNOWN = "amount not known"


@dataclass(frozen=True)
class Layout:
    """Where lanes and tracks stand: pixels from the top."""

    tops: dict[tuple[str, str], float]
    """The upper edge of each (panel, lane)."""
    tracks: dict[str, tuple[float, float]]
    """The middle of each track below its lane's upper edge, and its height."""
    panels: dict[str, float]
    """The middle of each panel's title."""
    lane_height: float
    height: float


@dataclass(frozen=True)
class Arranged:
    """Everything to draw: marks, names of lanes and titles of panels, each a list of records."""

    marks: list[Mark]
    lanes: list[Mark]
    panels: list[Mark]
    height: float
    first_day: float
    last_day: float
    total: int
    """Lanes in the data; more than `lanes` where there are too many to draw at once."""


def arrange(frame: "polars.DataFrame", declared: Lanes) -> tuple[Arranged, ...]:
    """Return where everything stands, page by page, all of one height; rows whose element has no layer are not drawn.

    There is one page unless `declared.beyond` asks for pages.
    """
    rows = [row for row in frame.rows(named=True) if row[declared.element] in declared.layers]
    lanes = _lanes(rows, declared)
    chosen = _pages(lanes, declared)
    tallies = _tallies(rows, declared) if sum(map(len, chosen[:1])) < len(lanes) else {}
    layouts = [_layout(page, declared, bool(tallies)) for page in chosen]
    of = {key: layout for layout in layouts for key in layout.tops}
    marks: dict[int, list[Mark]] = {id(layout): [] for layout in layouts}
    for row in rows:
        layout = of.get(_key(row, declared))
        if layout is not None:
            marks[id(layout)].append(_mark(row, declared, layout))
    days = [mark[side] for own in marks.values() for mark in own for side in ("from", "to") if mark[side] is not None]
    first, last = min([*days, 0]), max([*days, 1])
    height = max(layout.height for layout in layouts)
    return tuple(
        Arranged(
            marks[id(layout)],
            _labels(layout),
            _titles(layout, lanes, declared, tallies),
            height,
            first,
            last,
            len(lanes),
        )
        for layout in layouts
    )


def classes(layer: Layer) -> list[str]:
    """Return the names of an amount's shades, `up to 10` to `over 80`; a value on a break belongs to the lower one."""
    bounds = [f"{bound:g}" for bound in layer.breaks]
    between = [f"over {low} to {high}" for low, high in zip(bounds, bounds[1:], strict=False)]
    return [f"up to {bounds[0]}", *between, f"over {bounds[-1]}"]


def _key(row: dict[str, Any], declared: Lanes) -> tuple[str, str]:
    panel = row[declared.panel] if declared.panel is not None else ""
    return ("unknown" if panel is None else str(panel), str(row[declared.lane]))


def _lanes(rows: Iterable[Mark], declared: Lanes) -> list[tuple[str, str]]:
    """The (panel, lane) pairs in the order in which they stand: by panel, then by the order column."""
    lengths: dict[tuple[str, str], float] = {}
    for row in rows:
        length = row[declared.order] if declared.order is not None else 0
        lengths.setdefault(_key(row, declared), -1 if length is None else length)
    panels = list(dict.fromkeys(panel for panel, _ in lengths))
    if declared.panel == declared.element:
        panels = [name for name in declared.layers if name in panels]
    if declared.order is None:
        return sorted(lengths, key=lambda key: panels.index(key[0]))
    return sorted(lengths, key=lambda key: (panels.index(key[0]), -lengths[key], key[1]))


def _pages(lanes: Sequence[tuple[str, str]], declared: Lanes) -> list[list[tuple[str, str]]]:
    """The lanes of each page; a sample is evenly spaced over the order, so that panels and lengths have their share."""
    most = declared.most
    if len(lanes) <= most or declared.beyond == "all":
        return [list(lanes)]
    if declared.beyond == "pages":
        return [list(lanes[start : start + most]) for start in range(0, len(lanes), most)]
    return [[lanes[i * len(lanes) // most] for i in range(most)]]


def _tallies(rows: Iterable[Mark], declared: Lanes) -> dict[str, str]:
    """By panel, how many of all its lanes have each symbol: what lanes that are not in sight have, too."""
    points = {name: layer.title for name, layer in declared.layers.items() if layer.mark == "point"}
    seen: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        panel, lane = _key(row, declared)
        having = seen.setdefault(panel, {name: set() for name in points})
        if row[declared.element] in points:
            having[row[declared.element]].add(lane)
    if not declared.count or not points:
        return {}
    return {
        panel: "Of all: " + ", ".join(f"{points[name]} {len(lanes):,}" for name, lanes in having.items())
        for panel, having in seen.items()
    }


def _layout(lanes: Sequence[tuple[str, str]], declared: Lanes, tallied: bool) -> Layout:
    heights: dict[str, float] = {}
    for layer in declared.layers.values():
        if layer.mark != "column":
            heights[layer.track] = max(heights.get(layer.track, 0), TRACK[layer.mark])
    tracks, below = {}, LANE_GAP / 2
    for track, height in heights.items():
        tracks[track] = (below + height / 2, height)
        below += height + 1
    lane_height = below + LANE_GAP / 2 - 1
    tops, panels, y = {}, {}, 0.0
    for panel, lane in lanes:
        if declared.panel is not None and panel not in panels:
            panels[panel] = y + PANEL_GAP / 2
            y += PANEL_GAP + (TALLY if tallied else 0)
        tops[panel, lane] = y
        y += lane_height
    return Layout(tops, tracks, panels, lane_height, max(y, 1))


def _mark(row: dict[str, Any], declared: Lanes, layout: Layout) -> Mark:
    """One row as a mark: its place in pixels and days, its colour class, its words for the tooltip."""
    layer = declared.layers[row[declared.element]]
    panel, lane = _key(row, declared)
    start, end, value = row[declared.start], row[declared.end], row[declared.value]
    detail = row[declared.detail] if declared.detail is not None else None
    half = 0.5 if declared.days else 0.0
    top = layout.tops[panel, lane]
    middle, height = layout.tracks.get(layer.track, (layout.lane_height / 2, 0)) if layer.mark != "column" else (0, 0)
    at_end = layer.mark == "point" and layer.offset
    mark = {
        "lane": lane,
        "layer": layer.title,
        "y": top + (layout.lane_height / 2 if layer.mark == "column" else middle - height / 2),
        "y2": top + middle + height / 2,
        "from": None if start is None else start + (half if at_end else 0 if layer.mark == "point" else -half),
        "to": None if end is None else end + half,
        "what": str(detail) if detail is not None else _words(value, layer),
        "when": "end of the lane" if at_end else _when(start, end, declared.days),
    }
    if layer.mark == "point":
        mark["y"] = top + middle
    if layer.mark == "graded":
        mark["value"] = None if value is None else f"{value:g}"
    if layer.mark == "amount":
        mark["value"] = UNKNOWN if value is None else classes(layer)[sum(1 for b in layer.breaks if value > b)]
    if layer.mark == "column":
        mark["label"] = "unknown" if value is None else f"{value:g}"
    return mark


def _words(value: float | None, layer: Layer) -> str:
    return "" if value is None else f"{value:g} {layer.unit}".strip()


def _when(start: float | None, end: float | None, days: bool) -> str:
    if start is None:
        return ""
    end = start if end is None else end
    first, last = (f"{start:g}", f"{end:g}") if days else (f"{start:.2f}", f"{end:.2f}")
    return f"day {first}" if first == last else f"days {first} to {last}"


def _labels(layout: Layout) -> list[Mark]:
    return [
        {
            "lane": lane,
            "y": top,
            "middle": top + layout.lane_height / 2,
            "y2": top + layout.lane_height,
            "odd": i % 2 == 1,
        }
        for i, ((_, lane), top) in enumerate(layout.tops.items())
    ]


def _titles(layout: Layout, lanes: Sequence[tuple[str, str]], declared: Lanes, tallies: dict[str, str]) -> list[Mark]:
    every, drawn = Counter(panel for panel, _ in lanes), Counter(panel for panel, _ in layout.tops)
    half = PANEL_GAP / 2
    titles = []
    for panel, y in layout.panels.items():
        shown = f", {drawn[panel]} shown" if drawn[panel] < every[panel] else ""
        words = f"{panel} (n = {every[panel]:,}{shown})" if declared.count else panel
        tally = tallies.get(panel, "")
        below = y + half + (TALLY if tallies else 0)
        titles.append(
            {"panel": words, "tally": tally, "y": y, "y_tally": y + TALLY, "top": y - half - 1, "bottom": below}
        )
    return titles

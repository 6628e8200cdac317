"""What each panel of a chart of pairs shows: rows in, records, scales and words out; draws nothing, tests nothing.

Stars, n and P come from the answer of a statistic; here are only their places.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from timeline.charts.categories import Categories, categories, title_of
from timeline.charts.declared import Pairs
from timeline.charts.panels import Row, by_panel, known, spread
from timeline.stats import Answer, p_text
from timeline.stats.values import significant

if TYPE_CHECKING:
    import polars

ROOM = 0.06
"""Share of a scale that stays free at each end."""
ASIDE, APART, FURTHEST = 0.21, 0.07, 0.42
"""How far a value without a partner lies beside its column, the next beside it, and the last, in steps from before to
after."""
TOUCH = 0.03
"""Values nearer to each other than this share of the axis would lie on each other."""
NEAR_ZERO = 0.3
"""A scale of positive values begins at zero where the lowest is below this share of the highest."""


@dataclass(frozen=True)
class Scale:
    """From where to where an axis goes; its ticks where they are not left to the library."""

    low: float
    high: float
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One panel: lines, points without a partner, medians, quartiles where there are many, and what is said of it."""

    title: str
    subtitle: str
    marked: str
    """Stars, `ns`, or empty where nothing was tested."""
    pairs: list[Row]
    lone: list[Row]
    middle: list[Row]
    band: list[Row]
    scale: Scale


@dataclass(frozen=True)
class Arranged:
    panels: tuple[Panel, ...]
    categories: Categories | None
    notes: tuple[str, ...]


def arrange(frame: "polars.DataFrame", declared: Pairs, answers: Sequence[Answer]) -> Arranged:
    """Return the panels in the order of the rows, and what the notes must say of what is not drawn."""
    found = next((answer for answer in answers if answer.name == declared.answer), None)
    parts = [
        (key, words, _sorted_out(rows, declared))
        for key, words, rows in by_panel(frame, declared.panel, declared.words)
    ]
    everything = [value for _, _, part in parts for value in part.values()]
    shared = scale(everything, declared) if declared.share_y else None
    panels = tuple(
        _panel(words, part, shared or scale(part.values(), declared), declared, _result(found, key, declared))
        for key, words, part in parts
    )
    groups = None
    if declared.colour is not None:
        rows = [row for _, _, part in parts for row in (*part.pairs, *part.lone)]
        groups = categories(declared.colours, [(row["label"], row["group"]) for row in rows])
    notes = [*(found.brief if found else ()), *_notes([part for _, _, part in parts], declared)]
    return Arranged(panels, groups, tuple(notes))


@dataclass(frozen=True)
class Part:
    """The rows of one panel: complete pairs by change, those with one value, and how many cannot stand on the axis."""

    pairs: list[Row]
    lone: list[Row]
    refused: int

    def values(self) -> list[float]:
        both = [row[side] for row in self.pairs for side in ("before", "after")]
        return both + [row["value"] for row in self.lone]


def _sorted_out(rows: Sequence[Row], declared: Pairs) -> Part:
    pairs, lone, refused = [], [], 0
    for row in rows:
        values = [known(row[side.column]) for side in (declared.before, declared.after)]
        there = [value for value in values if value is not None]
        if declared.log and any(value <= 0 for value in there):
            refused += 1
        elif len(there) == 2:
            pairs.append(_told(row, there[0], there[1], declared))
        elif there:
            side = 0 if values[0] is not None else 1
            lone.append({"x": side, "value": there[0], **_told(row, values[0], values[1], declared)})
    pairs.sort(key=lambda pair: (_change(pair, declared), pair["label"]))
    return Part(pairs, lone, refused)


def _change(pair: Row, declared: Pairs) -> float:
    return pair["after"] / pair["before"] if declared.log else pair["after"] - pair["before"]


def _told(row: Row, before: float | None, after: float | None, declared: Pairs) -> Row:
    """The record of one row, with everything that the pointer is told."""
    change = "not known"
    if before is not None and after is not None:
        change = f"{100 * (after - before) / before:+.0f} %" if before > 0 else "undefined from 0 or less"
    told: Row = {
        "label": str(row[declared.label.column]),
        "before": before,
        "after": after,
        "from": "not known" if before is None else significant(before),
        "to": "not known" if after is None else significant(after),
        "change": change,
    }
    if declared.colour is not None:
        told["group"] = title_of(declared.colours, row[declared.colour.column])
    if declared.detail is not None:
        detail = row[declared.detail.column]
        told["detail"] = "not known" if detail is None else str(detail)
    return told


def scale(values: Sequence[float], declared: Pairs) -> Scale:
    """Return an axis that holds all `values` and the line to compare with."""
    held = [*values, *([declared.rule] if declared.rule is not None else [])]
    if not held:
        return Scale(1, 10, (1, 10)) if declared.log else Scale(0, 1)
    low, high = min(held), max(held)
    if declared.log:
        low, high = math.log10(low), math.log10(high)
        room = max(ROOM * (high - low), 0.02)
        return Scale(10 ** (low - room), 10 ** (high + room), _log_ticks(low - room, high + room))
    room = ROOM * (high - low) or max(abs(high) * ROOM, 1.0)
    return Scale(0 if 0 <= low < NEAR_ZERO * high else low - room, high + room)


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten, at most five; where they are fewer than two, 1-2-5 between them."""
    powers = range(math.ceil(low), math.floor(high) + 1)
    if len(powers) >= 3:
        step = math.ceil(len(powers) / 5)
        return tuple(10.0**power for power in powers if power % step == 0)
    decades = range(math.floor(low), math.ceil(high) + 1)
    fine = [step * 10.0**power for power in decades for step in (1, 2, 5)]
    within = tuple(tick for tick in fine if low <= math.log10(tick) <= high)
    return within or (float(f"{10 ** ((low + high) / 2):.2g}"),)


def _result(found: Answer | None, key: str, declared: Pairs) -> Mapping[str, Any]:
    if found is None:
        return {}
    return found.rows.get(key, {}) if declared.panel is not None else found.values


def _panel(words: str, part: Part, axis: Scale, declared: Pairs, result: Mapping[str, Any]) -> Panel:
    p, n = result.get("p"), len(part.pairs)
    subtitle = f"n = {result.get('n', n):,}"
    if result:
        subtitle += f", {p_text(p) if p is not None else 'not tested'}"
    many = n > declared.most
    middle, band = _middle(part.pairs, many)
    return Panel(
        words,
        subtitle,
        result.get("stars", "") if p is not None else "",
        spread(part.pairs, declared.most),
        [] if many else _aside(part.lone, axis, declared),
        middle,
        band,
        axis,
    )


def _aside(lone: Sequence[Row], axis: Scale, declared: Pairs) -> list[Row]:
    """Each beside its column, outside of the lines, and those that would lie on each other beside each other."""
    taken: dict[tuple[int, int], int] = {}
    placed = []
    for row in sorted(lone, key=lambda row: (row["x"], row["value"], row["label"])):
        outwards = 1 if row["x"] else -1
        step = (row["x"], round(_place(row["value"], axis, declared) / TOUCH))
        turn = taken[step] = taken.get(step, -1) + 1
        out = min(ASIDE + turn * APART, FURTHEST)
        placed.append({**row, "x": row["x"] + outwards * out})
    return placed


def _place(value: float, axis: Scale, declared: Pairs) -> float:
    """How far up the axis, as a share of it."""
    low, high, at = (math.log(one) if declared.log else one for one in (axis.low, axis.high, value))
    return (at - low) / (high - low)


def _middle(pairs: Sequence[Row], many: bool) -> tuple[list[Row], list[Row]]:
    """The median of each side, and of many the quartiles."""
    if not pairs:
        return [], []
    sides = [[pair[side] for pair in pairs] for side in ("before", "after")]
    middle = [{"x": x, "value": median(side)} for x, side in enumerate(sides)]
    if not many:
        return middle, []
    cut = [quantiles(side, n=4, method="inclusive") for side in sides]
    return middle, [{"x": x, "low": low, "high": high} for x, (low, _, high) in enumerate(cut)]


def _notes(parts: Sequence[Part], declared: Pairs) -> list[str]:
    notes = []
    if declared.rule_title and parts:
        notes.append(f"Dotted line: {declared.rule_title}.")
    refused = sum(part.refused for part in parts)
    if any(part.pairs for part in parts):
        notes.append("Thick bars: medians of the pairs.")
    if any(part.lone and len(part.pairs) <= declared.most for part in parts):
        notes.append("Open dots beside them: one value only, in no test.")
    many = [len(part.pairs) for part in parts if len(part.pairs) > declared.most]
    if many:
        of = " to ".join(f"{count:,}" for count in sorted({min(many), max(many)}))
        notes.append(
            f"{declared.most} of {of} pairs are drawn, evenly spaced over the order of change; grey: quartiles of all."
        )
        lone = sum(len(part.lone) for part in parts if len(part.pairs) > declared.most)
        if lone:
            notes.append(f"{lone:,} values without a partner are not drawn.")
    if refused:
        notes.append(f"{refused:,} not drawn: a value of 0 or less cannot stand on a logarithmic axis.")
    if not parts:
        notes.append("Nothing to draw: no rows.")
    return [" ".join(notes)] if notes else []

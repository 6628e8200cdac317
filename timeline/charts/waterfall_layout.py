"""What each panel of a waterfall shows: rows in, bars in their order and words out; draws nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.charts.categories import title_of
from timeline.charts.declared import Waterfall
from timeline.charts.panels import Row, by_panel, known, reasons, spread
from timeline.stats.values import significant

if TYPE_CHECKING:
    import polars

LETTERS, HEAD = 12, 4
"""A name under a bar has at most so many letters; of a longer one so many stay at its beginning."""
GAP = 0.1
"""Free on each side of a bar, as a share of its place."""


@dataclass(frozen=True)
class Panel:
    title: str
    subtitle: str
    bars: list[Row]


@dataclass(frozen=True)
class Arranged:
    """The panels, the lowest and the highest end of a bar in any of them, and what the notes must say."""

    panels: tuple[Panel, ...]
    low: float
    high: float
    notes: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    """Whose bar is in which category, also of bars that are not drawn."""


def arrange(frame: "polars.DataFrame", declared: Waterfall) -> Arranged:
    """Return each panel's bars, highest first; of too many, some stand for all."""
    panels, notes, sizes, groups, cut = [], [], [], list[tuple[str, str]](), 0
    for _, words, rows in by_panel(frame, declared.panel, declared.words):
        there = [row for row in rows if known(row[declared.value.column]) is not None]
        there.sort(key=lambda row: (-row[declared.value.column], str(row[declared.label.column])))
        bars = [_bar(row, i, declared) for i, row in enumerate(spread(there, declared.most))]
        panels.append(Panel(words, _counts([row[declared.value.column] for row in there], len(rows)), bars))
        why = reasons([row for row in rows if known(row[declared.value.column]) is None], declared.missing)
        if why:
            notes.append(f"{words}: {why}." if words else f"{why}.")
        sizes.append(len(there))
        if declared.colour is not None:
            groups += [
                (str(row[declared.label.column]), title_of(declared.colours, row[declared.colour.column]))
                for row in there
            ]
        cut += sum(1 for bar in bars if bar["cut"])
    if max(sizes, default=0) > declared.most:
        of = " to ".join(f"{size:,}" for size in sorted({min(sizes), max(sizes)}))
        notes.append(f"{declared.most} of {of} bars are drawn, evenly spaced over their order; the counts are of all.")
    if not panels:
        notes.append("Nothing to draw: no rows.")
    if cut:
        notes.append(f"{cut} cut at {declared.cap:g}, with an arrow and the value.")
    ends = [bar["value"] for panel in panels for bar in panel.bars]
    return Arranged(tuple(panels), min([*ends, 0]), max([*ends, 0]), tuple(notes), tuple(groups))


def _bar(row: Row, i: int, declared: Waterfall) -> Row:
    value = float(row[declared.value.column])
    cap = declared.cap
    over = cap is not None and abs(value) > cap
    bar: Row = {
        "label": str(row[declared.label.column]),
        "name": short(str(row[declared.label.column])),
        "value": value if not over or cap is None else (cap if value > 0 else -cap),
        "said": signed(value),
        "cut": signed(value) if over else "",
        "left": i + GAP,
        "middle": i + 0.5,
        "right": i + 1 - GAP,
    }
    if declared.colour is not None:
        bar["group"] = title_of(declared.colours, row[declared.colour.column])
    if declared.detail is not None:
        detail = row[declared.detail.column]
        bar["detail"] = "not known" if detail is None else str(detail)
    return bar


def short(label: str) -> str:
    """Return `label`, or of a long one both ends: names that are numbered differ at their end."""
    return label if len(label) <= LETTERS else f"{label[:HEAD]}…{label[HEAD + 1 - LETTERS :]}"


def signed(value: float) -> str:
    """`+12.5`, `−70`, `0`: three digits that count, and the sign, since the direction is what is asked."""
    return f"+{significant(value)}" if value > 0 else f"−{significant(-value)}" if value else "0"


def _counts(values: Sequence[float], total: int) -> str:
    """`n = 14: 12 below zero, 2 above; none missing`."""
    if not values:
        return f"n = 0; {total} missing" if total else "n = 0"
    sides = Counter("below" if value < 0 else "above" if value > 0 else "at" for value in values)
    words = [f"{sides['below']:,} below zero", f"{sides['above']:,} above"]
    if sides["at"]:
        words.append(f"{sides['at']:,} unchanged")
    missing = total - len(values)
    return f"n = {len(values):,}: {', '.join(words)}; {f'{missing:,} missing' if missing else 'none missing'}"

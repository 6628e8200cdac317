"""Small multiples: rows by panel, how large a panel is, which rows stand for all, and lines of notes; draws nothing."""

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.stats.values import is_missing

if TYPE_CHECKING:
    import polars

Row = dict[str, Any]
LETTER = 6.0
"""Width of a letter of the notes in pixels, a little more than on average."""
UNKNOWN = "unknown"


def by_panel(frame: "polars.DataFrame", panel: str | None, words: str | None) -> list[tuple[str, str, list[Row]]]:
    """Return key, words and rows of each panel, in the order of the rows; one with empty words without `panel`."""
    if panel is None:
        return [("", "", frame.rows(named=True))]
    found: dict[str, list[Row]] = {}
    for row in frame.rows(named=True):
        found.setdefault(str(row[panel]), []).append(row)

    def said(key: str, rows: list[Row]) -> str:
        text = rows[0][words] if words is not None else rows[0][panel]
        return UNKNOWN if text is None else str(text)

    return [(key, said(key, rows), rows) for key, rows in found.items()]


def known(value: Any) -> float | None:
    """Return a value that can be drawn: None for None, NaN and infinity."""
    return None if is_missing(value) or math.isinf(value) else float(value)


def reasons(rows: Sequence[Row], missing: str | None) -> str:
    """`5 missing: 3 died, 2 not drawn` of rows without a value, the most frequent first; empty where none is."""
    if not rows or missing is None:
        return ""
    said = Counter("no reason given" if row[missing] is None else str(row[missing]) for row in rows).most_common()
    if len(said) == 1:
        return f"{len(rows):,} missing: {said[0][0]}"
    return f"{len(rows):,} missing: " + ", ".join(f"{count:,} {reason}" for reason, count in said)


def spread(rows: Sequence[Row], most: int) -> list[Row]:
    """Return at most `most` of `rows`, evenly spaced over their order, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    if most == 1:
        return [rows[len(rows) // 2]]
    return [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]


def wrapped(notes: Sequence[str], width: float) -> list[str]:
    """Return `notes` as lines of at most `width` pixels; an `n = 9` or `p = 0.02` is not torn apart."""
    tied = [
        note.replace(" = ", "\u00a0=\u00a0").replace(" < ", "\u00a0<\u00a0").replace(" %", "\u00a0%") for note in notes
    ]
    letters = max(int(width / LETTER), 40)
    return [line for note in tied for line in textwrap.wrap(note, letters, subsequent_indent="\u2003")]

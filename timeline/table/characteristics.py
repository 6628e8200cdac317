"""A frame of characteristics, one a row, as a table in words; knows no form in which it leaves."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from timeline.table.declared import Characteristics
from timeline.table.holds import check_numbers
from timeline.table.numbers import median_range, percent
from timeline.table.shown import MARKS, Group, Head, Note, Row, Shown
from timeline.table.suppress import HIDDEN, WITHHELD

if TYPE_CHECKING:
    import polars

LEGEND = "Numbers are how many of those of whom it is known (percent), or the median (lowest–highest)."
NOBODY = "– (nobody)"
NOT_KNOWN = "– (not known)"


def shown(
    frame: "polars.DataFrame", declared: Characteristics, title: str, notes: Sequence[str] = (), remark: str = ""
) -> Shown:
    """Return the table that `declared` makes of `frame`; `notes` are added under it, after the header's own.

    Raises UsageError where a column of numbers holds words.
    """
    check_numbers(frame, declared)
    rows = frame.to_dicts()
    keys = [row[declared.key] for row in rows]
    marked = [note for note in declared.footnotes if any(key in keys for key in note.rows)]
    marked.sort(key=lambda note: min(keys.index(key) for key in note.rows if key in keys))
    marks = dict(zip(marked, MARKS, strict=False))
    counts = {row[declared.key]: row[declared.count] for row in rows if row[declared.count] is not None}
    groups = tuple(
        Group(name or "", tuple(_row(row, declared, counts, marks) for row in members))
        for name, members in groupby(rows, key=lambda row: row[declared.group])
    )
    total = next((row[declared.total] for row in rows if row[declared.total] is not None), None)
    # Without a total the number is itself too small to be shown, or there is no row.
    heads = (Head(declared.head), Head(declared.value if total is None else f"{declared.value}, N = {total:,}"))
    said = [Note(LEGEND)] if rows else []
    said += [Note(note.text, mark) for note, mark in marks.items()]
    said += [Note(note.text) for note in declared.footnotes if rows and not note.rows]
    return Shown(title, heads, groups, (*said, *map(Note, notes)), remark, row_heads=True)


def _row(row: Mapping[str, Any], declared: Characteristics, counts: Mapping[str, int], marks: Mapping[Any, str]) -> Row:
    key, depth = row[declared.key], row[declared.depth] if declared.depth else 0
    carried = "".join(mark for note, mark in marks.items() if key in note.rows)
    return Row((str(row[declared.label]), _value(row, declared, counts)), depth or 0, carried)


def _value(row: Mapping[str, Any], declared: Characteristics, counts: Mapping[str, int]) -> str:
    hidden = row.get(HIDDEN)
    if hidden:
        n = row[declared.n]
        return f"{hidden} of {n:,}" if hidden != WITHHELD and n is not None else hidden
    if row[declared.count] is None and row[declared.median] is None or row[declared.n] == 0:
        # Of nobody nothing can be known: that is no gap in the data.
        return NOBODY if counts.get(declared.part_of.get(row[declared.key], "")) == 0 else NOT_KNOWN
    return _counted(row, declared) if row[declared.count] is not None else _measured(row, declared)


def _counted(row: Mapping[str, Any], declared: Characteristics) -> str:
    n, count, share = row[declared.n], row[declared.count], percent(row[declared.percent], row[declared.n])
    match declared.forms.get(row[declared.key]):
        case "ratio":
            return f"{count:,}:{n - count:,}" + _known(row, declared)
        case "percent":
            return share + _known(row, declared)
        case "count":
            return f"{count:,} of {n:,}"
        case _:
            return f"{count:,} of {n:,} ({share})"


def _measured(row: Mapping[str, Any], declared: Characteristics) -> str:
    levels = declared.levels.get(row[declared.key], ())
    text = median_range(row[declared.median], row[declared.low], row[declared.high], levels)
    unit = row[declared.unit]
    return text + (f" {declared.words.get(unit, unit)}" if unit else "") + _known(row, declared)


def _known(row: Mapping[str, Any], declared: Characteristics) -> str:
    return "" if row[declared.n] == row[declared.total] else f", n = {row[declared.n]:,}"

"""The rows of a frame as a table in words; knows no form in which it leaves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from timeline import printing
from timeline.table.declared import Plain
from timeline.table.shown import Group, Head, Note, Row, Shown

if TYPE_CHECKING:
    import polars

NAMED = {"d": "days", "h": "hours", "mo": "months", "%": "percent"}
"""Units that a column's own name may say."""


def head(name: str, unit: str | None, number: bool, title: str = "") -> Head:
    """Return the head of a column: its name in words, its unit where the name does not say it (UCUM; `1` is none)."""
    said = unit in (None, "1") or name.rsplit("_", 1)[-1] in (unit, NAMED.get(unit or ""))
    words = name.replace("_", " ")
    return Head(title or words[:1].upper() + words[1:], "" if said else unit or "", number)


def shown(
    frame: "polars.DataFrame",
    declared: Plain,
    units: Mapping[str, str | None],
    title: str,
    notes: Sequence[str] = (),
    remark: str = "",
) -> Shown:
    """Return every row of `frame` under titles in words; `units` are those of its columns."""
    heads = tuple(
        head(name, units.get(name), dtype.is_numeric(), declared.heads.get(name, ""))
        for name, dtype in frame.schema.items()
    )
    cells = zip(*printing.columns_of(frame.columns, frame.rows()), strict=True)
    said = [*(note.text for note in declared.footnotes if frame.height), *notes]
    rows = tuple(Row(tuple(row)) for row in cells)
    return Shown(title, heads, (Group("", rows),) if rows else (), tuple(map(Note, said)), remark)

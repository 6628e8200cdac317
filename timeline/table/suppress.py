"""Small numbers of a table hidden, and what would give them away; a frame in, a frame out.

What is hidden first: counts from 1 to `least` - 1, and counts whose rest is so small. Then, in each declared sum, as
many more, the smallest first, as it takes that every hidden number of it could be at least two numbers. Rows about
those whom a hidden row counts are hidden whole. A zero, and all of all, stay: nobody is in them, or everybody.

Knows no query and no form; what the rows are about stands in the declaration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline.errors import UsageError
from timeline.table.declared import Characteristics, Table, depth_of
from timeline.table.holds import check_numbers

if TYPE_CHECKING:
    import polars

HIDDEN = "hidden"
"""The column that is added: empty where nothing is hidden, else what stands in the number's place."""
WITHHELD = "withheld"
LEAST = 3
"""Below, what is hidden could be told: a count under 2 that is not 0 is 1."""

Labels = dict[str, str]
"""Of each key of a counted row that is hidden: what stands in its place."""


@dataclass(frozen=True)
class Cell:
    """A counted row: how many, of how many."""

    key: str
    count: int
    n: int


def suppress(frame: "polars.DataFrame", declared: Table | None, least: int) -> "polars.DataFrame":
    """Return `frame` with no number of persons from 1 to `least` - 1 left in it, and with the column `hidden`.

    `hidden` says `<5` where the count is from 1 to 4, `withheld` where another number is missing that would give one
    away, and is NULL where the row is as it was. Raises UsageError where `declared` has no counts, or a column of them
    holds words, and below 3.
    """
    declared = check_suppression(declared, least)
    check_numbers(frame, declared)
    rows = frame.to_dicts()
    hidden = _labels(rows, declared, least)
    return frame.with_columns(_columns(rows, hidden, declared, least))


def check_suppression(declared: Table | None, least: int) -> Characteristics:
    """Return `declared` where its counts can be hidden; raise UsageError where it has none, or `least` is below 3."""
    if not isinstance(declared, Characteristics):
        raise UsageError("--suppress: this query declares no table of counts, so what is small in it is not known")
    if least < LEAST:
        raise UsageError(f"--suppress {least}: at least {LEAST}; a count below 2 that is not 0 could only be 1")
    return declared


def suppression_note(made: "polars.DataFrame", least: int) -> str:
    """Return the footnote that says what was hidden in `made`, a frame that `suppress` returned."""
    if made[HIDDEN].null_count() == made.height:
        return f"Numbers from 1 to {least - 1} would be hidden here, and what gives them away; there are none."
    return (
        f"Small numbers are hidden: “<{least}” stands for 1 to {least - 1}; “{WITHHELD}” for a number that would give "
        "such a number away, as its rest, in a sum or as a part, and for the median and range of fewer than "
        f"{least} or of a hidden group. Zero is shown."
    )


def _columns(
    rows: list[dict[str, Any]], hidden: Labels, declared: Characteristics, least: int
) -> "list[polars.Series]":
    """The columns that change, and the one that is new."""
    import polars

    numbers = (declared.count, declared.percent, declared.median, declared.low, declared.high)
    said = []
    for row in rows:
        label, keeps_n = _label_of(row, hidden, declared, least)
        said.append(label)
        if label is not None:
            row.update(dict.fromkeys(numbers))
        if not keeps_n:
            row[declared.n] = None
        if 0 < (row[declared.total] or 0) < least:
            row[declared.total] = None
    changed = [*numbers, declared.n, declared.total]
    made = [polars.Series(name, [row[name] for row in rows]) for name in changed]
    return [*made, polars.Series(HIDDEN, said, polars.String)]


def _label_of(row: Mapping[str, Any], hidden: Labels, declared: Characteristics, least: int) -> tuple[str | None, bool]:
    """What stands in the place of the row's numbers, and whether its n may be seen."""
    key, n = row[declared.key], row[declared.n]
    inside = declared.part_of.get(key)
    if (inside is not None and _same(inside, declared) in hidden) or 0 < n < least:
        return WITHHELD, False
    if row[declared.count] is None:
        return None, True
    return hidden.get(_same(key, declared)), True


def _labels(rows: Iterable[Mapping[str, Any]], declared: Characteristics, least: int) -> Labels:
    """Of each counted row what is hidden: alone, then in its sum, outermost rows first."""
    cells = {
        row[declared.key]: Cell(row[declared.key], row[declared.count], row[declared.n])
        for row in rows
        if row[declared.count] is not None and row[declared.key] == _same(row[declared.key], declared)
    }
    labels: Labels = {}
    sums = [tuple(_same(key, declared) for key in keys) for keys in declared.adds_up.values()]
    alone = [(key,) for key in cells if all(key not in keys for keys in sums)]
    for keys in sorted([*sums, *alone], key=lambda keys: min(depth_of(declared, key) for key in keys)):
        parts = [cells[key] for key in keys if key in cells]
        if any(_same(declared.part_of.get(part.key, ""), declared) in labels for part in parts):
            labels |= dict.fromkeys((part.key for part in parts), WITHHELD)
            continue
        found = {part.key: label for part in parts if (label := alone_hidden(part, least))}
        labels |= found if len(keys) == 1 else in_a_sum(parts, found, least)
    return labels


def _same(key: str, declared: Characteristics) -> str:
    return declared.same_as.get(key, key)


def alone_hidden(cell: Cell, least: int) -> str | None:
    """What stands in the place of a count for its own sake or that of its rest; None where it may be seen."""
    if 0 < cell.n < least:
        return WITHHELD
    if cell.count in (0, cell.n):
        return None
    # Of so few, `<5` or `withheld` would itself tell a number: what is hidden of 6 and not below 5 is 5.
    small = cell.count < least
    if cell.n <= least + 1:
        return WITHHELD
    return f"<{least}" if small else WITHHELD if cell.n - cell.count < least else None


def in_a_sum(parts: list[Cell], found: Labels, least: int) -> Labels:
    """Return `found` and what else must be hidden of `parts`, which add up, so that no hidden one can be computed."""
    labels = dict(found)
    whole = max((part.n for part in parts), default=0)
    rest = whole - sum(part.count for part in parts)
    while not told_by_none(parts, labels, rest, least):
        seen = sorted((part for part in parts if part.key not in labels and part.count), key=lambda p: (p.count, p.key))
        if not seen:
            # Even so what is hidden could be computed: then nothing is said of any of them, zeros included.
            return dict.fromkeys((part.key for part in parts), WITHHELD)
        labels[seen[0].key] = WITHHELD
    return labels


def told_by_none(parts: list[Cell], labels: Labels, rest: int, least: int) -> bool:
    """Whether each hidden number of a sum could be at least two, by what is shown, said and known of the sum.

    `rest` is what the parts leave of the whole; it is a number like the others, shown nowhere.
    """
    whole = max((part.n for part in parts), default=0)
    bounds = [_bounds(part, labels[part.key], least) for part in parts if part.key in labels]
    open_rest = rest > 0
    if open_rest:
        bounds.append((0, whole))
    left = whole - sum(part.count for part in parts if part.key not in labels)
    lows, highs = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    ranges = [(max(low, left - (highs - high)), min(high, left - (lows - low))) for low, high in bounds]
    if open_rest and not 0 < rest < least:
        ranges.pop()  # a rest that is not small may be computed
    return all(low < high for low, high in ranges)


def _bounds(part: Cell, label: str, least: int) -> tuple[int, int]:
    """What a hidden count can be, to one who knows how this module hides."""
    if label != WITHHELD:
        return 1, least - 1
    return (1 if part.n <= least + 1 else least), max(part.n - 1, 1)

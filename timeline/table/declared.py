"""What a query's header may say about its table: frozen models; know no data and no form in which tables leave.

Everything that the table means (which rows are parts of a whole, which stage is which word) stands in the header, by
the key of the row.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from timeline.rules import Model

Form = Literal["count", "percent", "ratio"]


class Footnote(Model):
    """A sentence under the table, marked at the rows whose keys it names; `published` is the item that it answers."""

    text: str
    rows: tuple[str, ...] = ()
    published: str = ""


class Characteristics(Model):
    """A row a characteristic, one column of words: how many of how many, or median and range.

    The keys from `key` to `total` name columns of the result.
    """

    kind: Literal["characteristics"]
    key: str
    """What the mappings below call a row by; several rows may share it."""
    group: str
    label: str
    depth: str | None = None
    """How far a label is indented: 0, 1, …"""
    n: str
    count: str
    percent: str
    median: str
    low: str
    high: str
    unit: str
    total: str
    """Of how many the table is: `n` is said where it is another number."""
    head: str = "Characteristic"
    value: str = "Value"
    """Titles of the two columns of the table."""
    forms: Mapping[str, Form] = {}
    """Rows of counts that are not shown as `6 of 14 (43 %)`: `4 of 14`, `29 %`, or `6:8`, those and the others."""
    levels: Mapping[str, tuple[str, ...]] = {}
    """Words for 1, 2, 3, … in rows of an ordinal scale."""
    words: Mapping[str, str] = {}
    """Words in place of units."""
    adds_up: Mapping[str, tuple[str, ...]] = {}
    """Rows whose counts are parts of one whole."""
    part_of: Mapping[str, str] = {}
    """Rows that are about those whom another row counts: that row's count is the number they are out of."""
    same_as: Mapping[str, str] = {}
    """Rows that count the same as another row."""
    footnotes: tuple[Footnote, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns of the result that are named."""
        named = (self.key, self.group, self.label, self.depth, self.n, self.count, self.percent)
        measured = (self.median, self.low, self.high, self.unit, self.total)
        return tuple(name for name in (*named, *measured) if name is not None)

    def numbers(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        own = (self.depth, self.n, self.count, self.percent, self.median, self.low, self.high, self.total)
        return tuple(name for name in own if name is not None)

    def mistakes(self) -> list[str]:
        """What pydantic cannot see: sums and parts that would go in circles, or twice."""
        found = [
            f"`part_of` leads from {key} back to itself"
            for key in self.part_of
            if key in _chain(self.part_of, self.part_of[key])
        ]
        found += [f"`same_as`: {key} is the same as itself" for key, other in self.same_as.items() if key == other]
        parts = [key for keys in self.adds_up.values() for key in keys]
        found += [f"`adds_up` has {key} twice; a row is part of one sum" for key in dict.fromkeys(parts)
                  if parts.count(key) > 1]  # fmt: skip
        return found


class Plain(Model):
    """The rows as they are, under titles in words; `heads` are those of columns whose name does not say enough."""

    kind: Literal["plain"]
    heads: Mapping[str, str] = {}
    footnotes: tuple[Footnote, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns of the result that are named."""
        return tuple(self.heads)

    def mistakes(self) -> list[str]:
        """Footnotes of a plain table are of the whole table: its rows have no keys."""
        return (
            ["`footnotes.rows`: the rows of a plain table have no keys"] if any(f.rows for f in self.footnotes) else []
        )


Table = Annotated[Characteristics | Plain, Field(discriminator="kind")]
KINDS = ("characteristics", "plain")


def _chain(part_of: Mapping[str, str], key: str) -> list[str]:
    """`key`, what it is a part of, and so on; stops where it has been."""
    seen: list[str] = []
    while key not in seen:
        seen.append(key)
        key = part_of.get(key, key)
    return seen


def depth_of(declared: Characteristics, key: str) -> int:
    """Return how many rows deep a row is part of others: 0 for one that is part of none."""
    return len(_chain(declared.part_of, key)) - 1

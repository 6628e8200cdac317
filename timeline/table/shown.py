"""A table as people read it, in words: frozen records between what was found and the forms in which it leaves.

Knows no form (HTML, LaTeX, …) and no frame.
"""

from dataclasses import dataclass, field

MARKS = "abcdefghijklmnopqrstuvwxyz"
"""What footnotes are marked by."""


@dataclass(frozen=True)
class Head:
    """A column: its title, its unit where it has one, and whether it holds numbers."""

    title: str
    unit: str = ""
    number: bool = False

    @property
    def text(self) -> str:
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True)
class Row:
    """A row: the first cell is its head where the table has one; `marks` are those of its footnotes."""

    cells: tuple[str, ...]
    depth: int = 0
    marks: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under a spanning head; a table without groups is one group without a title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Note:
    """A sentence under the table; `mark` is empty where it is about all of it."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Shown:
    """A table as it is shown: title, heads, groups of rows, notes; `remark` is what every form must say of the data."""

    title: str
    heads: tuple[Head, ...]
    groups: tuple[Group, ...]
    notes: tuple[Note, ...] = ()
    remark: str = ""
    row_heads: bool = field(default=False)
    """The first cell of each row says what the row is about."""

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for group in self.groups for row in group.rows)

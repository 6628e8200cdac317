"""What it takes to explain a row: each expression with the values of its names, each lookup with all rows it saw.

Compiled beside the SELECT of a rule and run for one patient only. Knows no study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from timeline.fragment import Fragment

if TYPE_CHECKING:
    from timeline.compiler.look import Look


@dataclass(frozen=True)
class Expression:
    """An expression of a rule, and the columns of `Shown.sql` that hold the values of its names."""

    fragment: Fragment
    values: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Empty where it is computed of many rows."""


@dataclass(frozen=True)
class Seeking:
    """A lookup, and SQL over the table that `Shown.sql` makes."""

    look: Look
    window: tuple[str, str] | None
    """The columns that hold its bounds."""
    ids: str
    """The column that holds the evidence of what it found."""
    rows: str
    """A SELECT of every row of the relation that the row looked at: number, at__, until__, value__, ids__, fits__
    (1 wanted, 0 its `where` is false, -1 unknown), short__, inside__ (in the window), miss__ (hours outside of it)."""


@dataclass(frozen=True)
class Shown:
    """What `explain` runs for one patient."""

    sql: str
    """The rule's SELECT with outcomes, what lookups found and the values of names behind its columns."""
    columns: Mapping[str, str]
    """SQL of a name's value -> the column that holds it, for the values of clauses."""
    expressions: Mapping[str, Expression]
    """By path: `columns.status`, `grade`, `steps.toxicity`."""
    seeking: Mapping[str, Seeking]
    """By the name of the lookup's clause."""

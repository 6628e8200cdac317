"""What an explanation says, as frozen records; knows no connection and no layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class EventShown:
    """An event of the extract, with the file and row it came from, and what it was for."""

    event_id: int
    time: datetime | None
    end_time: datetime | None
    code: str
    concept: str | None
    bound: str | None
    value: float | None
    unit: str | None
    text: str | None
    source_file: str
    source_row: int
    date_only: bool = False
    """Its time was a bare date, read as midnight."""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Near:
    """The row nearest to what was asked for, and what it misses it by."""

    relation: str
    time: datetime | None
    value: Any
    miss_hours: float | None
    """Hours outside of the window; None where it is inside, or there is no window."""
    after: bool | None
    """Outside after the window's end; else before its beginning."""
    margin: float | None
    """How far its number is from the constant that it is compared with."""
    events: tuple[int, ...]


@dataclass(frozen=True)
class LookupShown:
    """A lookup: the window it searched, what it found, or what came nearest."""

    clause: str
    text: str
    outcome: str
    reason: str | None
    margin: float | None
    window: tuple[datetime | None, datetime | None] | None
    brackets: str
    rows_inside: int
    """Rows in the window, wanted or not."""
    found: tuple[int, ...]
    """The events of what it found."""
    row: Near | None
    """The row that it found; of a lookup that folds rows, none."""
    near: Near | None


@dataclass(frozen=True)
class ConditionShown:
    """A condition, the words of its author with this patient's values put in, and how it came out."""

    clause: str
    kind: str
    text: str
    put_in: str | None
    outcome: str | None
    """true, false, unknown; None where an earlier condition had decided."""
    reason: str | None
    margin: float | None
    near: Near | None
    """The nearest row outside of a lookup's window that would have made it true."""


@dataclass(frozen=True)
class ColumnShown:
    """A column of the row: its value, how it is computed, and the conditions that decided."""

    name: str
    value: Any
    unit: str | None
    meaning: str
    text: str
    put_in: str | None
    lookup: LookupShown | None
    conditions: tuple[ConditionShown, ...]
    observed: datetime | None = None
    """Of a finding: when it was observed."""


@dataclass(frozen=True)
class ReadShown:
    """A row that the rule read and did not take: the first clause that it fails."""

    relation: str
    time: datetime | None
    clause: str
    put_in: str | None
    outcome: str
    margin: float | None
    events: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a row is as it is, or why there is none."""

    rule: str
    title: str
    source: str
    patient_id: str
    rows: int
    """How many rows the patient has in the rule's table."""
    number: int | None
    """The row explained; None where there is none."""
    row: Mapping[str, Any]
    columns: tuple[ColumnShown, ...]
    conditions: tuple[ConditionShown, ...]
    """Steps and checks."""
    reason: str | None
    """Of a row that is missing: not_found, out_of_window, wrong_value or unknown."""
    margin: float | None
    why: str
    """In one sentence."""
    read: tuple[ReadShown, ...]
    """Of a row that is missing: the rows read that came nearest."""
    events: tuple[EventShown, ...]
    """Those that decided, and those that came near."""
    because: "Explanation | None" = None
    """Of a row that is missing because a rule it reads has none: why that has none."""

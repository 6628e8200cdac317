"""A lane of a picture while it is put together, and its marks; knows records, no connection and no pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from timeline.explain.around import Around
from timeline.explain.records import EventShown
from timeline.printing import cell, count

Mark = dict[str, Any]


@dataclass
class Lane:
    """A lane while it is put together."""

    name: str
    note: str = ""
    statement: str = ""
    marks: list[Mark] = field(default_factory=list)
    windows: list[Mark] = field(default_factory=list)


def marked(
    state: str, start: datetime | None, end: datetime | None = None, value: float | None = None, label: str = "",
    what: str = "", why: str = "", source: str = "",
) -> Mark:  # fmt: skip
    """Return a mark; a picture's frame of marks has these columns."""
    return {"state": state, "start": start, "end": end, "value": value, "label": label, "what": what, "why": why,
            "source": source}  # fmt: skip


def in_words(value: Any, unit: str | None = None) -> str:
    """Return a value with its unit; nothing for none."""
    return "" if value is None else cell(value) + (f" {unit}" if unit and unit != "1" else "")


def brief(event: EventShown) -> str:
    """Return an event's value, or the words it has in place of one."""
    return in_words(event.value, event.unit) or event.text or ""


def told(event: EventShown) -> str:
    """Return an event's concept, value and words."""
    parts = [event.concept or event.code, in_words(event.value, event.unit), event.text or ""]
    return " ".join(part for part in parts if part)


def place_of(events: Sequence[EventShown]) -> str:
    """Return the file and row of the last event, and how many more there are."""
    if not events:
        return ""
    more = f" and {count(len(events) - 1, 'more event')}" if len(events) > 1 else ""
    return f"{events[-1].source_file} row {events[-1].source_row}{more}"


def context(event: EventShown, around: Around) -> Mark:
    """Return the mark of an event that did not decide."""
    state = "implausible" if event.event_id in around.implausible else "other"
    why = "implausible, so no observation" if state == "implausible" else "not what decided"
    label = brief(event) if state == "implausible" else ""
    return marked(state, event.time, event.end_time, event.value, label, told(event), why, place_of([event]))

"""An explanation in words for the terminal; knows the records, and no connection."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from timeline.explain.records import ColumnShown, ConditionShown, EventShown, Explanation, LookupShown, Near, ReadShown
from timeline.printing import cell, count, table, wrapped

Events = Mapping[int, EventShown]
HOW = {"true": "holds", "false": "does not hold", "unknown": "is unknown", None: "not asked, decided earlier"}
REASONS = {
    "not_found": "nothing to be found",
    "out_of_window": "outside the window",
    "wrong_value": "not as asked for",
    "unknown": "cannot be told",
}
SHOWN = 20
"""A row that more events decided shows the first of them; --json has all."""


def text_of(explanation: Explanation) -> str:
    """Return the explanation as lines of text."""
    return "\n".join(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    events = {event.event_id: event for event in explanation.events}
    which = f" {explanation.number}" if explanation.number is not None else ""
    of = f" of {explanation.rows}" if explanation.rows > 1 else ""
    yield f"{explanation.rule}{which}{of}, patient {explanation.patient_id}"
    yield wrapped(explanation.title, indent="  ")
    if explanation.number is None:
        yield from _absent(explanation, events)
    else:
        yield from _present(explanation, events)
    yield from _events(explanation.events, explanation.rule)


def _present(explanation: Explanation, events: Events) -> Iterator[str]:
    yield ""
    width = max((len(column.name) for column in explanation.columns), default=0)
    for column in explanation.columns:
        yield from _column(column, width, events)
    for condition in explanation.conditions:
        head = f"step {condition.clause}: " if condition.kind == "step" else "check: "
        yield from _condition(condition, head, events, "  ")
    if explanation.rows > 1:
        yield f"\nThe patient has {explanation.rows} rows of {explanation.rule}; --number N explains another."


def _column(column: ColumnShown, width: int, events: Events) -> Iterator[str]:
    unit = f" {column.unit}" if column.unit and column.value is not None else ""
    observed = f"  (observed {cell(column.observed)})" if column.observed else ""
    yield f"  {column.name:{width}}  {cell(column.value)}{unit}{observed}"
    if column.lookup:
        yield from _lookup(column.lookup, events)
    elif column.conditions:
        for condition in column.conditions:
            yield from _condition(condition, "", events, "    ")
    elif column.text:
        yield wrapped(f"    {column.text}{_arrow(column.put_in, column.text, column.value)}", indent="      ")


def _arrow(put_in: str | None, text: str, value: object = None) -> str:
    """The words with the values in place, where that says more than the words and the result do."""
    return f"  →  {put_in}" if put_in and put_in.strip("'") not in (text, cell(value)) else ""


def _lookup(lookup: LookupShown, events: Events) -> Iterator[str]:
    yield wrapped(f"    {lookup.text}", indent="      ")
    window = ""
    if lookup.window:
        low, high = (_bound(bound) for bound in lookup.window)
        window = f"{lookup.brackets[0]}{low}, {high}{lookup.brackets[1]}"
    if window and lookup.outcome != "unknown":
        yield f"    searched {window}: {count(lookup.rows_inside, 'row')} in it"
    found = [events[event_id] for event_id in lookup.found if event_id in events]
    if lookup.outcome == "true" and len(found) == 1:
        yield f"    found {_event(found[0])}"
    elif lookup.outcome == "true":
        yield wrapped(f"    found{_row_found(lookup)} by {count(len(lookup.found), 'event')}", indent="      ")
    elif lookup.outcome == "unknown":
        yield f"    not searched: a bound of the window {window} is unknown" if window else "    not searched"
    elif lookup.reason:
        yield wrapped(f"    {REASONS[lookup.reason]}{_near(lookup.near, events)}", indent="      ")


def _row_found(lookup: LookupShown) -> str:
    """The row that was found: it has a time of its own, and the events that decided it theirs."""
    if lookup.row is None:
        return ""
    value = f" {cell(lookup.row.value)}" if lookup.row.value not in (None, lookup.row.time) else ""
    at = f" at {cell(lookup.row.time)}," if lookup.row.time else ","
    return f" {lookup.row.relation}{value}{at} decided"


def _bound(bound: datetime | None) -> str:
    """An end of a window; for none on that side DuckDB hands on the first or the last time that Python knows."""
    if bound is not None and bound.year in (datetime.min.year, datetime.max.year):
        return "inf" if bound.year == datetime.max.year else "-inf"
    return cell(bound)


def _condition(condition: ConditionShown, head: str, events: Events, indent: str) -> Iterator[str]:
    short = f", by {cell(condition.margin)}" if condition.margin is not None and not condition.reason else ""
    why = f" ({REASONS[condition.reason]})" if condition.reason else ""
    words = f"{condition.text}{_arrow(condition.put_in, condition.text)}"
    yield wrapped(f"{indent}{head}{words}: {HOW[condition.outcome]}{short}{why}", indent=indent + "  ")
    if condition.near:
        yield wrapped(f"{indent}  it would hold with{_near(condition.near, events)[1:]}", indent=indent + "    ")


def _near(near: Near | None, events: Events) -> str:
    """`: score 1 at 2024-01-06 11:00, 2 h after the window (events.csv row 7)`."""
    if near is None:
        return ""
    value = f" {cell(near.value)}" if near.value not in (None, near.time) else ""
    at = f" at {cell(near.time)}" if near.time else ""
    side = "after" if near.after else "before"
    miss = f", {cell(near.miss_hours)} h {side} the window" if near.miss_hours is not None else ""
    short = f", off by {cell(near.margin)}" if near.margin is not None and near.miss_hours is None else ""
    return f": {near.relation}{value}{at}{miss}{short}{_place(near.events, events, near.time)}"


def _place(ids: tuple[int, ...], events: Events, time: datetime | None) -> str:
    """The file and row of what is said to be at `time`: of several events the one that is."""
    found = [events[event_id] for event_id in ids if event_id in events]
    found = found if len(found) == 1 else [event for event in found if event.time == time]
    return f" ({found[0].source_file} row {found[0].source_row})" if found else ""


def _absent(explanation: Explanation, events: Events) -> Iterator[str]:
    margin = f", by {cell(explanation.margin)}" if explanation.margin is not None else ""
    yield wrapped(f"  No row, {REASONS[explanation.reason or 'unknown']}{margin}: {explanation.why}.", indent="  ")
    for read in explanation.read:
        yield from _read(read, events)
    if explanation.because:
        yield "\nbecause"
        yield from _lines(explanation.because)


def _read(read: ReadShown, events: Events) -> Iterator[str]:
    short = f", by {cell(read.margin)}" if read.margin is not None else ""
    words = read.clause.partition(": ")[2] or read.clause
    said = f"{words}{_arrow(read.put_in, words)}: {HOW[read.outcome]}{short}"
    yield wrapped(
        f"  {read.relation} at {cell(read.time)}{_place(read.events, events, read.time)}: {said}", indent="    "
    )


def _time(event: EventShown) -> str:
    return f"{event.time:%Y-%m-%d}" if event.time and event.date_only else cell(event.time)


def _value(event: EventShown) -> str:
    """The number with its bound: `<0.5`."""
    return f"{event.bound or ''}{cell(event.value)}"


def _event(event: EventShown) -> str:
    value = f" {_value(event)}" if event.value is not None else ""
    unit = f" {event.unit}" if event.unit and event.value is not None else ""
    text = f" {event.text}" if event.text else ""
    place = f"({event.source_file} row {event.source_row})"
    return f"{event.concept or event.code}{value}{unit}{text} at {cell(event.time)} {place}"


def _events(events: tuple[EventShown, ...], rule: str) -> Iterator[str]:
    if not events:
        return
    yield f"\nEvents of {rule}:"
    rows = [
        (_time(e), e.concept or e.code, _value(e) if e.bound else e.value, e.unit, e.text,
         f"{e.source_file} row {e.source_row}", ", ".join(e.roles))
        for e in events[:SHOWN]
    ]  # fmt: skip
    yield table(("time", "event", "value", "unit", "text", "source", "for"), rows, indent="  ")
    if len(events) > SHOWN:
        yield f"  … and {count(len(events) - SHOWN, 'more event')}; --json lists them all"
    if dated := sum(event.date_only for event in events):
        yield wrapped(f"  {count(dated, 'time')} of these without a clock: a bare date, read as midnight", indent="  ")

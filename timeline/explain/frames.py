"""An explanation, and what stands around it, as the frames of a picture; knows records, no connection and no pixels."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from timeline.charts.explanation_layout import Frames, frame, when
from timeline.explain.around import Around, Held, innermost, untaken
from timeline.explain.marks import Lane, Mark, brief, context, marked, place_of, told
from timeline.explain.records import ColumnShown, EventShown, Explanation, ReadShown
from timeline.explain.sought import lookups, sides, value_of
from timeline.explain.text import HOW, REASONS
from timeline.printing import cell, count

CONCEPTS = 12
"""So many lanes of concepts at most; those that decided most."""
LABELLED = 10
"""With more deciding events in a lane, their values stand on the axis alone."""
FAR = 150
"""Of more rows in a lane that decided nothing, so many stand for all, evenly spaced over their order."""
HIDDEN = ("inside", "wrong", "untold", "outside", "other")
"""States of marks that do not widen the view."""
TELLING = ("row", "found", "near", "decided", "held", "implausible", "day")
"""States of marks that are always drawn."""
FOREVER = datetime(9999, 1, 1)


def frames_of(explanation: Explanation, around: Around) -> Frames:
    """Return the frames of the picture of `explanation`: its row, a lane a lookup, a lane a concept that decided."""
    top = _row(explanation)
    lanes = [top]
    if explanation.number is not None:
        lanes += sides(explanation, around) if around.paired else lookups(explanation, around)
        lanes += _held(explanation, around)
        lanes += _decided(explanation, around)
    else:
        lanes += [*_read(explanation, around), *_days(around)]
    of_windows, of_marks = _schema()
    first, last = _range(lanes, around, () if explanation.number is None else HIDDEN)
    for lane in lanes:
        _cut(lane, first, last)
    kept = [lane for lane in lanes if lane is top or lane.marks or lane.windows or lane.statement]
    marks = [{"lane": place, **mark} for place, lane in enumerate(kept) for mark in lane.marks]
    windows = [{"lane": place, **window} for place, lane in enumerate(kept) for window in lane.windows]
    names = [
        {"lane": place, "name": lane.name, "note": lane.note, "statement": lane.statement}
        for place, lane in enumerate(kept)
    ]
    return Frames(
        frame(names, {"lane": int, "name": str, "note": str, "statement": str}), frame(windows, of_windows),
        frame(marks, of_marks), first, last, around.day_zero, around.index or "",
    )  # fmt: skip


def _schema() -> tuple[dict[str, Any], dict[str, Any]]:
    import polars

    time = polars.Datetime("us")
    windows = {"lane": int, "name": str, "start": time, "end": time, "closed_start": bool, "closed_end": bool,
               "what": str}  # fmt: skip
    marks = {"lane": int, "state": str, "start": time, "end": time, "value": float, "label": str, "what": str,
             "why": str, "source": str}  # fmt: skip
    return windows, marks


def heading(explanation: Explanation, around: Around) -> tuple[str, list[str]]:
    """Return the picture's title and subtitle."""
    which = f" {explanation.number}" if explanation.number is not None else ""
    of = f" of {explanation.rows}" if explanation.rows > 1 else ""
    title = f"{explanation.title} ({explanation.rule}{which}{of})"
    return title, [
        f"Patient {explanation.patient_id}, rule set {around.rule_set}",
        *([around.remark] * bool(around.remark)),
    ]


def _row(explanation: Explanation) -> Lane:
    if explanation.number is None:
        last = innermost(explanation)
        of = f"{last.rule}: " if last is not explanation else ""
        reason = REASONS[explanation.reason or "unknown"]
        short = f", by {cell(explanation.margin)}" if explanation.margin is not None else ""
        said = f"No row, {reason}{short}: {explanation.why}."
        said += f" {of}{last.why}." if of else ""
        return Lane(f"{explanation.rule}: no row", "", said)
    lane = Lane(f"{explanation.rule} {explanation.number}")
    row = explanation.row
    start, end = row.get("start_time") or row.get("time"), row.get("end_time")
    said = [f"{when(start, end if end != start else None)}"] if start is not None else []
    for column in _telling(explanation.columns):
        said.append(
            f"{column.name} {value_of(column, explanation)}".replace(" ", "\xa0")
        )  # a name stays with its value
    lane.statement = ";  ".join(said) or "a row without a time"
    if start is not None:
        what = f"{explanation.rule} {explanation.number}"
        lane.marks.append(marked("row", start, end, what=what, why=explanation.title))
    return lane


def _telling(columns: Sequence[ColumnShown]) -> list[ColumnShown]:
    """The columns that no lane shows, those that were decided by conditions first."""
    own = ("time", "start_time", "end_time", "day", "start_day", "end_day")
    shown = [
        c for c in columns if c.name not in own and c.lookup is None and c.observed is None and c.value is not None
    ]
    return sorted(shown, key=lambda column: (isinstance(column.value, datetime), not column.conditions))


def _held(explanation: Explanation, around: Around) -> Iterator[Lane]:
    """A lane for each finding and context in force, or observed near; the others in one line."""
    at, silent = explanation.row.get("time"), []
    for held in around.held:
        level = f": {cell(held.level)}" if held.level is not None else ": in force" if held.time else ": not in force"
        near = [event for event in around.others if event.time is not None and event.concept in held.concepts]
        own = [e for e in explanation.events if e.time == held.time and e.concept in held.concepts]
        lane = Lane(f"{held.name}{level}", ", ".join(held.relations))
        lane.marks = [context(event, around) for event in near]
        if held.time is not None:
            lane.marks.append(_in_force(held, own))
        if len({(event.concept, event.unit) for event in (*own, *near)}) > 1:
            for mark in lane.marks:  # values of unlike things have no axis in common
                mark["value"] = None
        if held.time is None and not _close(lane.marks, at):
            silent.append(held.name)
        else:
            yield lane
    if silent:
        yield Lane("not in force", "", f"nor observed around this time: {', '.join(silent)}")


def _in_force(held: Held, own: Sequence[EventShown]) -> Mark:
    label = f"level {cell(held.level)}" if held.level is not None else ""
    if own and brief(own[0]) not in ("", cell(held.level)):
        label = f"{label} ({brief(own[0])})" if label else brief(own[0])
    what = "; ".join(told(event) for event in own) or held.name
    why = f"in force until {cell(held.until)}" if held.until else "in force for ever"
    value = own[0].value if len(own) == 1 else None
    return marked("held", held.time, held.until or FOREVER, value, label, what, why, place_of(own))


def _close(marks: Sequence[Mark], at: datetime | None) -> bool:
    return at is not None and any(abs(mark["start"] - at) <= timedelta(hours=48) for mark in marks)


def _decided(explanation: Explanation, around: Around) -> Iterator[Lane]:
    """A lane for each concept with a deciding event that no lookup found and no finding holds; all that decided."""
    held = {name for one in around.held for name in one.concepts}
    concepts = {event.concept or event.code for event in untaken(explanation, around.evidence)} - held
    own: dict[str, list[EventShown]] = {}
    for event in explanation.events:
        name = event.concept or event.code
        if event.event_id in around.evidence and event.time is not None and name in concepts:
            own.setdefault(name, []).append(event)
    chosen = sorted(own, key=lambda name: -len(own[name]))[:CONCEPTS]
    for name in (name for name in own if name in chosen):
        unit = next((event.unit for event in own[name] if event.unit), None)
        lane = Lane(f"{name}, {unit}" if unit and unit != "1" else name, f"{count(len(own[name]), 'event')} decided")
        lane.marks = [_deciding(event, len(own[name]) <= LABELLED) for event in own[name]]
        lane.marks += [context(e, around) for e in around.others if e.time and e.concept == name]
        yield lane
    if len(own) > CONCEPTS:
        yield Lane("more", "", f"and events of {count(len(own) - CONCEPTS, 'more concept')}")


def _deciding(event: EventShown, labelled: bool) -> Mark:
    label = brief(event) if labelled else ""
    source = place_of([event])
    return marked("decided", event.time, event.end_time, event.value, label, told(event), "decided", source)


def _read(explanation: Explanation, around: Around) -> Iterator[Lane]:
    """What a missing row might have been made of: the rows that came nearest, and other events of their concepts."""
    last = innermost(explanation)
    lanes: dict[str, Lane] = {}
    shown: set[int] = set()
    for read in [*explanation.read, *(last.read if last is not explanation else ())]:
        lane = lanes.setdefault(read.relation, Lane(read.relation, "read, not taken"))
        words = read.clause.partition(": ")[2] or read.clause
        lane.note += f"; {words}" if words not in lane.note else ""
        events = [around.events[event_id] for event_id in read.events if event_id in around.events]
        shown.update(read.events)
        if read.time is not None:
            lane.marks.append(_nearest(read, events))
    concepts: dict[str, Lane] = {}
    for event in around.others:
        if event.time is not None and event.event_id not in shown:
            lane = concepts.setdefault(event.concept or event.code, Lane(event.concept or event.code, "other events"))
            lane.marks.append(context(event, around))
    yield from lanes.values()
    yield from list(concepts.values())[:CONCEPTS]


def _nearest(read: ReadShown, events: Sequence[EventShown]) -> Mark:
    words = read.clause.partition(": ")[2] or read.clause
    short = f", by {cell(read.margin)}" if read.margin is not None else ""
    put_in = f" → {read.put_in}" if read.put_in else ""
    value = events[0].value if len(events) == 1 else None
    what = "; ".join(told(event) for event in events[:3]) or read.relation
    why = f"{words}{put_in}: {HOW[read.outcome]}{short}"
    return marked(
        "near", read.time, None, value, f"{read.put_in or words}: {HOW[read.outcome]}", what, why, place_of(events)
    )


def _days(around: Around) -> Iterator[Lane]:
    if around.days:
        lane = Lane("any event", "days on which the patient has events")
        lane.marks = [
            marked("day", day, what=count(n, "event"), why="none of what was looked for") for day, n in around.days
        ]
        yield lane


def _range(lanes: Sequence[Lane], around: Around, hidden: Sequence[str]) -> tuple[datetime, datetime]:
    """What is in view at first: all but marks of `hidden` states, and the ends of windows; never an endless one."""
    times = [window[side] for lane in lanes for window in lane.windows for side in ("start", "end") if window[side]]
    for lane in lanes:
        for mark in lane.marks:
            if mark["state"] not in hidden:
                times += [time for time in (mark["start"], mark["end"]) if time is not None and time != FOREVER]
    times = times or [mark["start"] for lane in lanes for mark in lane.marks]
    times = times or ([around.day_zero] if around.day_zero else [datetime(2000, 1, 1)])
    first, last = min(times), max(times)
    room = max((last - first) * 0.04, timedelta(hours=12) if first == last else timedelta(hours=1))
    return first - room, last + room


def _cut(lane: Lane, first: datetime, last: datetime) -> None:
    """Leave in `lane` what is in view, and of the rest what its windows hold; in its note how many more they hold."""
    around = ("outside", "other")
    lane.marks = [
        m for m in lane.marks if m["state"] not in around or first <= (m["end"] or m["start"]) and m["start"] <= last
    ]
    rest = [mark for mark in lane.marks if mark["state"] not in TELLING]
    if len(rest) > FAR:
        kept = [rest[place * len(rest) // FAR] for place in range(FAR)]
        lane.marks = [*(mark for mark in lane.marks if mark["state"] in TELLING), *kept]
        lane.note += f"; of {count(len(rest), 'other row')} {FAR} are drawn"
    for words, beyond in (("before", [m for m in lane.marks if m["start"] < first and not m["end"]]),
                          ("after", [m for m in lane.marks if m["start"] > last])):  # fmt: skip
        if beyond:
            lane.note += f"; {count(len(beyond), 'more row')} {words} what is in view"

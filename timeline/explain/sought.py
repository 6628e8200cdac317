"""The lanes of lookups: their windows, and what each made of every row it saw; knows records, no connection."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from timeline.explain.around import Around, Looked, Seen
from timeline.explain.marks import Lane, Mark, in_words, marked, place_of, told
from timeline.explain.records import ColumnShown, Explanation, LookupShown, Near
from timeline.explain.text import REASONS
from timeline.printing import cell, count

LONG = 72
"""From so many hours on, days say more."""
WHY = {
    "found": "found",
    "inside": "wanted and searched, not taken",
    "wrong": "not the value asked for",
    "untold": "whether it is asked for cannot be told",
    "outside": "outside the window",
}


def lookups(explanation: Explanation, around: Around) -> Iterator[Lane]:
    """Give a lane for each lookup of the row."""
    nears = _nears(explanation)
    for column in explanation.columns:
        if column.lookup is None:
            continue
        looked = around.looked[column.lookup.clause]
        lane = Lane(f"{column.name}: {value_of(column, explanation)}", column.lookup.text)
        unit = column.unit if column.unit != "1" else None
        lane.marks = [_seen(one, looked, column.lookup, nears, around, unit) for one in looked.seen if one.time]
        lane.windows = list(_windows(column.lookup, ""))
        lane.statement = "" if lane.marks else _nothing(column.lookup)
        if column.lookup.reason and lane.marks:
            lane.note = f"{_nothing(column.lookup)}; {lane.note}"
        yield lane


def _nothing(lookup: LookupShown) -> str:
    if lookup.outcome == "unknown":
        return "not searched: a bound of the window is unknown"
    if lookup.reason:
        return REASONS[lookup.reason]
    return "found, at no time" if lookup.found else "nothing to be found"


def sides(explanation: Explanation, around: Around) -> Iterator[Lane]:
    """Give the windows of a pair's sides in one lane, each row as what the side that came furthest made of it."""
    nears, unit = _nears(explanation), explanation.row.get("unit")
    analyte = str(explanation.row.get("analyte") or explanation.rule)
    lane = Lane(f"{analyte}, {unit}" if unit and unit != "1" else analyte)
    notes, best = [], {}
    rank = ("found", "near", "inside", "wrong", "untold", "outside")
    for column in explanation.columns:
        if column.lookup is None:
            continue
        side = column.name.removesuffix("_value")
        lane.windows += _windows(column.lookup, side)
        looked = around.looked[column.lookup.clause]
        short = f" ({_nothing(column.lookup)})" if column.value is None else ""
        notes.append(f"{side} {value_of(column, explanation)}{short}")
        for seen in looked.seen:
            if seen.time is None:
                continue
            mark = _seen(seen, looked, column.lookup, nears, around, None)
            mark["why"] = f"{side}: {mark['why']}"
            key = (seen.time, seen.events)
            if key not in best or rank.index(mark["state"]) < rank.index(best[key]["state"]):
                best[key] = mark
    lane.note, lane.marks = "; ".join(notes), list(best.values())
    lane.statement = "" if lane.marks or lane.windows else "no value of it at any time"
    yield lane


def _windows(lookup: LookupShown, name: str) -> Iterator[Mark]:
    if lookup.window is None or lookup.outcome == "unknown" or None in lookup.window:
        return
    low, high = (_finite(bound) for bound in lookup.window)
    if low is not None and high is not None and low > high:
        return
    text = f"{lookup.brackets[0]}{cell(low) if low else '-inf'}, {cell(high) if high else 'inf'}{lookup.brackets[1]}"
    yield {
        "name": name, "start": low, "end": high, "closed_start": lookup.brackets[0] == "[",
        "closed_end": lookup.brackets[1] == "]", "what": f"{text}: {count(lookup.rows_inside, 'row')} in it",
    }  # fmt: skip


def _finite(bound: datetime | None) -> datetime | None:
    return None if bound is None or bound.year in (datetime.min.year, datetime.max.year) else bound


def _nears(explanation: Explanation) -> dict[tuple[Any, ...], tuple[Near, str]]:
    """What came near, by what tells its row, with what it would have done."""
    found: dict[tuple[Any, ...], tuple[Near, str]] = {}
    for column in explanation.columns:
        for condition in column.conditions:
            if condition.near:
                said = f"with it `{condition.text}` would hold ({column.name})"
                found[_key(condition.near.relation, condition.near.time, condition.near.events)] = condition.near, said
        if column.lookup and column.lookup.near:
            near = column.lookup.near
            found[_key(near.relation, near.time, near.events)] = near, f"nearest to {column.name}"
    return found


def _key(relation: str, time: datetime | None, events: Iterable[int]) -> tuple[Any, ...]:
    return (relation, time, tuple(sorted(events)))


def _seen(
    seen: Seen, looked: Looked, lookup: LookupShown, nears: dict[tuple[Any, ...], tuple[Near, str]], around: Around,
    unit: str | None,
) -> Mark:  # fmt: skip
    state, why, label = seen.state, WHY[seen.state], ""
    if lookup.outcome == "unknown":
        state, why = "other", "not searched: a bound of the window is unknown"
    if state == "outside" and seen.miss_hours:
        why = _miss(seen, lookup)
    near, would = nears.get(_key(looked.relation, seen.time, seen.events), (None, ""))
    own = near is not None and (lookup.near == near or near.miss_hours in (None, seen.miss_hours))
    shown = in_words(seen.value, unit) if not isinstance(seen.value, datetime) else ""
    if near is not None and own and state != "found":
        state, why = "near", f"{why}; {would}"
        miss = _miss(seen, lookup) if seen.miss_hours else ""
        off = f"off by {cell(near.margin)}" if near.margin is not None and not miss else ""
        label = ", ".join(part for part in (shown, miss or off) if part)
    events = [around.events[event_id] for event_id in seen.events if event_id in around.events]
    if state in ("found", "wrong"):
        label = shown or (told(events[0]) if len(events) == 1 else "")
    what = f"{looked.relation} {shown}".strip()
    if len(events) == 1 and events[0].concept != looked.relation:
        what += f": {told(events[0])}"
    end = seen.end_time if seen.end_time != seen.time else None
    return marked(state, seen.time, end, _height(seen.value), label, what, why, place_of(events))


def _miss(seen: Seen, lookup: LookupShown) -> str:
    hours = seen.miss_hours or 0
    days = f" ({hours / 24:.1f} d)" if hours >= LONG else ""
    return f"{cell(hours)} h{days} {_side(seen, lookup)} the window"


def _side(seen: Seen, lookup: LookupShown) -> str:
    high = lookup.window[1] if lookup.window else None
    return "after" if seen.time and high and seen.time >= high else "before"


def _height(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def value_of(column: ColumnShown, explanation: Explanation) -> str:
    """Return a column's value with its unit, which a pair has in a column."""
    unit = column.unit or (explanation.row.get("unit") if column.name.endswith("_value") else None)
    return cell(column.value) + (f" {unit}" if unit and unit != "1" and column.value is not None else "")

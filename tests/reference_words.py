"""The words of the rule language for one patient, in plain Python: relations in order, names, lookups, windows.

The lower half of the reference engine; `tests.reference` has the operators. Knows no compiler and no database.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.expressions import Names, duration, evaluate, outside_quotes
from tests.functions import middle
from tests.values import cast
from timeline.concepts import conversion
from timeline.rules import ROW_PICKS, Lookup, Rule, RuleSet, Window

Row = dict[str, Any]
DAYS = {"day": "time", "start_day": "start_time", "end_day": "end_time"}
"""The days of a derived row, and the times that they are the dates of."""
FOREVER = dt.timedelta(days=365_000)


class Refused(Exception):
    """The rule cannot run on these events: an index with two rows a patient, a broken check."""


def start(row: Row) -> dt.datetime | None:
    """When a row is: the time of a moment, the start of a span, None for facts."""
    return row["start_time"] if "start_time" in row else row.get("time")


def end(row: Row) -> dt.datetime | None:
    """The end of a span; a moment ends when it is."""
    return row["end_time"] if "start_time" in row else row.get("time")


def order(row: Row) -> tuple[Any, ...]:
    """The total order of a relation: by time, rows without one first; then evidence; then number."""
    at = start(row)
    return (at is not None, at or dt.datetime.min, row["evidence"], row["number"])


def numbered(rows: Sequence[Row]) -> list[Row]:
    """Rows with `number` 1, 2, … in order; facts keep theirs. A row comes with the `number` of what it was made of."""
    rows = [{"number": position, **row} for position, row in enumerate(rows, 1)]
    rows.sort(key=lambda row: order(row) if moment(row) else (row["number"],))
    return [{**row, "number": position} for position, row in enumerate(rows, 1)]


def moment(row: Row) -> Row:
    """The times of a row, without the rest."""
    return {
        name: row[name] for name in (("start_time", "end_time") if "start_time" in row else ("time",)) if name in row
    }


def union(rows: Iterable[Row]) -> list[int]:
    """The event ids of all rows, sorted, each once."""
    return sorted({event for row in rows for event in row["evidence"]})


@dataclass(frozen=True)
class Found:
    """What a column holds: its value, the row it was read off (lookups that pick one), the events that decided."""

    value: Any
    row: Row | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True)
class Patient:
    """One patient: the rules, what is known of the patient, and the tables derived so far."""

    ruleset: RuleSet
    facts: Row
    events: Sequence[Row]
    rows_of_rule: "Callable[[Patient, Rule], list[Row]]"
    settings: Mapping[str, str] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def relation(self, name: str) -> list[Row]:
        """The rows of a concept, a rule, `event` or `patient`, in order."""
        if name not in self.tables:
            rule = self.ruleset.rules.get(name)
            rows = self.rows_of_rule(self, rule) if rule else self.rows_of(name)
            self.tables[name] = numbered(rows)
        return self.tables[name]

    def rows_of(self, name: str) -> list[Row]:
        """The rows of what is not derived: `patient`, `event`, a concept or a group."""
        if name == "patient":
            return [{**self.facts, "evidence": []}]
        if name == "event":
            return [self.observed(event) for event in self.events]
        members = self.ruleset.members(name)
        return [self.observed(e) for e in self.events if e["concept"] in members and not e["implausible"]]

    def observed(self, event: Row) -> Row:
        """An event as rules see it: an end before the start, or without one, counts as none."""
        runs = event["time"] and event["end_time"] and event["end_time"] >= event["time"]
        return {**event, "end_time": event["end_time"] if runs else None, "evidence": [event["event_id"]]}

    def union_of(self, names: Sequence[str]) -> list[Row]:
        """The rows of several relations, in order; an event that two of them hold is one row, with one number."""
        rows = [row for name in names for row in self.relation(name)]
        distinct = {row.get("event_id", (place, "row")): row for place, row in enumerate(rows)}
        in_order = sorted(distinct.values(), key=order)
        return [{**row, "number": place} if "event_id" in row else row for place, row in enumerate(in_order, 1)]

    def text(self, rule: Rule, sql: str) -> str:
        """`sql` with its `$params` written in."""
        return outside_quotes(sql, lambda part: re.sub(r"\$([a-z]\w*)", lambda m: self.param(rule, m[1]), part))

    def param(self, rule: Rule, name: str) -> str:
        param = rule.params[name]
        text = self.settings.get(f"{rule.name}.{name}", param.default)
        if param.of and param.unit:
            how = conversion(self.ruleset.concepts[param.of], param.unit)
            assert how, f"{param.unit} is no unit of {param.of}"
            text = repr(round(float(text) * how.factor + how.offset, 9))
        return "'" + text.replace("'", "''") + "'" if param.kind == "text" else text

    def length(self, rule: Rule, text: str) -> dt.timedelta:
        """A `gap` or a `hold`."""
        written = self.text(rule, text)
        return FOREVER if written == "inf" else duration(written)

    def common(self, path: tuple[str, ...], row: Row) -> Any:
        """`index.x`, `patient.x`, `concept.x`, which mean the same in every expression."""
        match path:
            case ("index", name) if self.ruleset.index:
                rows = self.relation(self.ruleset.index)
                return self.names(rows[0])((name,)) if rows else None
            case ("patient", name):
                return self.facts[name]
            case ("concept", name):
                concept = self.ruleset.concepts.get(row["concept"])
                return concept.attributes.get(name) if concept else None
        raise KeyError(".".join(path))

    def names(self, row: Row, cells: "Cells | None" = None, base: Names | None = None) -> Names:
        """What names mean on `row`: its columns; else the rule's own; else the common ones."""

        def meaning(path: tuple[str, ...]) -> Any:
            if len(path) == 1 and path[0] in row:
                return row[path[0]]
            if len(path) == 1 and path[0] in DAYS and "number" in row:
                return self.day(row.get(DAYS[path[0]]))
            if base and path[0] == "base":
                return base(path[1:])
            if cells is not None and path[0] in cells.known:
                found = cells[path[0]]
                return found.value if len(path) == 1 else self.names(found.row)(path[1:]) if found.row else None
            return self.common(path, row)

        return meaning

    def day(self, at: dt.datetime | None) -> int | None:
        """Calendar dates since the index."""
        if self.ruleset.index is None or at is None or not self.relation(self.ruleset.index):
            return None
        zero = start(self.relation(self.ruleset.index)[0])
        return (at.date() - zero.date()).days if zero else None

    def look(self, rule: Rule, lookup: Lookup, base: Names, rows: Sequence[Row]) -> Found:
        """What the lookup finds among `rows`, in order, for the row whose names are `base`."""
        inside = self.inside(rule, lookup.window, base) if lookup.window else lambda row: True
        to = evaluate(self.text(rule, lookup.to), base) if lookup.to else None
        if inside is None or (lookup.pick == "nearest" and to is None):
            return Found(None)
        rows = [row for row in rows if inside(row)]
        if lookup.where:
            where = self.text(rule, lookup.where)
            rows = [row for row in rows if evaluate(where, self.names(row, base=base)) is True]
        if lookup.pick == "count":
            return Found(len(rows), evidence=tuple(union(rows)))
        if lookup.pick == "any":
            return Found(bool(rows), evidence=tuple(union(rows[:1])))
        assert lookup.column
        rows = [row for row in rows if self.names(row)((lookup.column,)) is not None]
        values = [self.names(row)((lookup.column,)) for row in rows]
        if lookup.pick == "nearest":
            rows = [row for row in rows if start(row) is not None]
        if not rows:
            return Found(None)
        if lookup.pick in ROW_PICKS:
            row = pick_row(lookup.pick, rows, values, cast(to, "TIMESTAMP"))
            return Found(self.names(row)((lookup.column,)), row, tuple(row["evidence"]))
        fold: dict[str, Callable[[list[Any]], Any]] = {
            "mean": lambda v: sum(v) / len(v),
            "median": middle,
            "sum": sum,
        }
        return Found(fold[lookup.pick](values), evidence=tuple(union(rows)))

    def inside(self, rule: Rule, window: Window, base: Names) -> Callable[[Row], bool] | None:
        """Whether a row is in the window; None where a bound is unknown."""
        lower, upper = (self.bound(rule, text, base) for text in (window.lower, window.upper))
        if lower is None or upper is None:
            return None
        empty = lower > upper or (lower == upper and not (window.lower_closed and window.upper_closed))

        def test(row: Row) -> bool:
            first, last = start(row), end(row)
            if empty or first is None or last is None:
                return False
            last = last if window.overlaps else first
            after = last >= lower if window.lower_closed else last > lower
            before = first <= upper if window.upper_closed else first < upper
            return after and before

        return test

    def bound(self, rule: Rule, text: str, base: Names) -> dt.datetime | None:
        if text in ("-inf", "inf"):
            return dt.datetime.min if text == "-inf" else dt.datetime.max
        return cast(evaluate(self.text(rule, text), base), "TIMESTAMP")


def pick_row(pick: str, rows: Sequence[Row], values: Sequence[Any], to: dt.datetime | None) -> Row:
    """The one row that a pick chooses; `rows` are in order, so that the first of equals is the one."""
    if pick == "first":
        return rows[0]
    if pick == "last":
        latest = start(rows[-1])
        return next(row for row in rows if start(row) == latest)
    if pick == "nearest":
        return min(rows, key=lambda row: abs(start(row) - to))  # type: ignore
    return rows[values.index(min(values) if pick == "min" else max(values))]


class Cells:
    """The columns of one row of a rule, each computed when it is first asked for."""

    def __init__(self, compute: Mapping[str, Callable[[], Found]]) -> None:
        self.known = compute
        self.done: dict[str, Found] = {}

    def __getitem__(self, name: str) -> Found:
        if name not in self.done:
            self.done[name] = self.known[name]()
        return self.done[name]

    def evidence(self) -> list[int]:
        return sorted({event for name in self.known for event in self[name].evidence})

    def row(self) -> Row:
        return {name: self[name].value for name in self.known}


def cells_of(
    at: Patient,
    rule: Rule,
    row: Row,
    more: Mapping[str, str] | None = None,
    members: list[Names] | None = None,
    picked: Mapping[str, Row | None] | None = None,
) -> Cells:
    """The cells of the rule's columns on `row`, of `more` expressions and of the rows `picked` already."""
    compute: dict[str, Callable[[], Found]] = {}
    for name, found in (picked or {}).items():
        compute[name] = lambda found=found: Found(found["level"] if found else None, found)
    cells = Cells(compute)
    names = at.names(row, cells)
    for name, column in rule.columns.items():
        if column.lookup:
            compute[name] = lambda lookup=column.lookup: at.look(rule, lookup, names, at.union_of(lookup.relations))
        else:
            compute[name] = lambda sql=column.sql, kind=column.type: Found(
                typed(evaluate(at.text(rule, sql or ""), names, members), kind)
            )
    for name, sql in (more or {}).items():
        compute[name] = lambda sql=sql: Found(evaluate(at.text(rule, sql), names, members))
    return cells


def typed(value: Any, kind: str | None) -> Any:
    return cast(value, kind.upper()) if kind else value

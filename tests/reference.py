"""The five operators again, in plain loops over one patient: what the SQL must agree with, row for row.

Written from the description of the language alone. It reads the rule models and a patient's events (dicts with the
columns of `event`), and knows neither the compiler nor the database. Slow and simple on purpose. `sql` rules are
not its business.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.expressions import evaluate
from tests.functions import FUNCTIONS
from tests.reference_words import (
    DAYS,
    FOREVER,
    Patient,
    Refused,
    Row,
    cells_of,
    end,
    moment,
    order,
    pick_row,
    start,
    union,
)
from tests.values import cast
from timeline.rules import (
    SIDES,
    Analytes,
    Column,
    EpisodesRule,
    FromRule,
    GradeRule,
    Observed,
    PairsRule,
    Rule,
    RuleSet,
)

minus, times, over = FUNCTIONS["-"], FUNCTIONS["*"], FUNCTIONS["/"]


def rows_of_from(at: Patient, rule: FromRule) -> list[Row]:
    """Rows of a relation that satisfy `where`, with computed columns."""
    source = [as_span(row) if rule.spans else row for row in at.union_of(rule.relations)]
    rows = grouped(at, rule, source) if rule.group_by else [row for r in source for row in one_row(at, rule, r)]
    if rule.keep and rows:
        rows = [pick_row(rule.keep, sorted(rows, key=order), [], None)]
    return rows


def as_span(event: Row) -> Row:
    ends = event["end_time"] if event["time"] and event["end_time"] else event["time"]
    rest = {name: v for name, v in event.items() if name not in ("end_time",)}
    return {**rest, "start_time": event["time"], "end_time": ends}


def one_row(at: Patient, rule: FromRule, row: Row) -> list[Row]:
    """The row derived from `row`, or none."""
    cells = cells_of(at, rule, row)
    names = at.names(row, cells)
    if rule.where and evaluate(at.text(rule, rule.where), names) is not True:
        return []
    steps = {name: evaluate(at.text(rule, sql), names) is True for name, sql in rule.steps.items()}
    funnel: Row = {}
    if steps:
        funnel["included"] = all(steps.values())
        funnel["excluded_at"] = next((name for name, holds in steps.items() if not holds), None)
    evidence = sorted({*row["evidence"], *cells.evidence()})
    return [{"number": row["number"]} | moment(row) | funnel | steps | cells.row() | {"evidence": evidence}]


def grouped(at: Patient, rule: FromRule, source: Sequence[Row]) -> list[Row]:
    """One row for each combination of the `group_by` columns."""
    where = at.text(rule, rule.where) if rule.where else "true"
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in source:
        if evaluate(where, at.names(row)) is True:
            names = at.names(row, cells_of(at, rule, row))
            groups.setdefault(tuple(names((key,)) for key in rule.group_by), []).append(row)
    rows = []
    # Groups of one time and the same evidence come in the order of their keys, the unknown last.
    by_key = sorted(groups.items(), key=lambda group: [by_size(value) for value in group[0]])
    for place, (key, members) in enumerate(by_key, 1):
        head = dict(zip(rule.group_by, key, strict=True))
        cells = cells_of(at, rule, head, members=[at.names(row) for row in members])
        rows.append({"number": place} | hull(members) | cells.row() | {"evidence": union(members)})
    return rows


def by_size(value: Any) -> tuple[bool, Any]:
    return value is None, cast(value, "TIMESTAMP") if isinstance(value, dt.date) else value


def hull(members: Sequence[Row]) -> Row:
    """When a group is: the time of its earliest row; of spans, from the earliest start to the latest end."""
    times = moment(members[0])
    if "end_time" in times:
        times["end_time"] = max((row["end_time"] for row in members if row["end_time"]), default=None)
    return times


def rows_of_grade(at: Patient, rule: GradeRule) -> list[Row]:
    """The state at each time at which a finding is observed."""
    findings = {name: observations(at, rule, observed) for name, observed in rule.findings.items()}
    if rule.where:
        where = at.text(rule, rule.where)
        for name, seen in findings.items():
            findings[name] = [o for o in seen if evaluate(where, at.names({"time": o["time"]})) is True]
    context = {name: observations(at, rule, observed) for name, observed in rule.context.items()}
    rows = []
    for time in sorted({o["time"] for seen in findings.values() for o in seen}):
        force = {name: in_force(seen, time) for name, seen in (findings | context).items()}
        row = {name: o["level"] if o else None for name, o in force.items()}
        cells = cells_of(at, rule, {"time": time, **row}, {"grade": rule.grade}, picked=force)
        grade = cells["grade"].value
        if grade is None:
            continue
        evidence = sorted({*union(o for o in force.values() if o), *cells.evidence()})
        declared = {name: cells[name].value for name in rule.columns}
        levels = {name: row[name] for name in rule.findings}
        rows.append(
            moment({"time": time}) | declared | {"grade": cast(grade, "INTEGER")} | levels | {"evidence": evidence}
        )
    return rows


def observations(at: Patient, rule: GradeRule, observed: Observed) -> list[Row]:
    """What is observed of one finding: time, level, until when it holds; in order."""
    seen = []
    for row in at.union_of(observed.relations):
        level = evaluate(at.text(rule, observed.level), at.names(row))
        time, ends = start(row), row.get("end_time")
        if time is None or level is None or level != int(level):
            continue
        if observed.interval and ends is not None and ends >= time:
            until = ends
        else:
            hold = at.length(rule, observed.hold or rule.hold or "")
            until = dt.datetime.max if hold == FOREVER else time + hold
        seen.append({"time": time, "level": int(level), "until": until, "evidence": row["evidence"]})
    return seen


def in_force(seen: Sequence[Row], time: dt.datetime) -> Row | None:
    """Of the observations in force the latest; of those of one instant the worst; of equals the first."""
    holding = [o for o in seen if o["time"] <= time <= o["until"]]
    return max(holding, key=lambda o: (o["time"], o["level"])) if holding else None


def rows_of_episodes(at: Patient, rule: EpisodesRule) -> list[Row]:
    """Rows alike in the `by` columns, neighbours at most `gap` apart, merged."""
    where = at.text(rule, rule.where) if rule.where else "true"
    gap = at.length(rule, rule.gap)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in at.union_of(rule.relations):
        if start(row) is not None and end(row) is not None and evaluate(where, at.names(row)) is True:
            groups.setdefault(tuple(at.names(row)((name,)) for name in rule.by), []).append(row)
    rows = []
    # Episodes of one start and the same evidence come in the order of the `by` columns, the unknown last.
    for key in sorted(groups, key=lambda key: [by_size(value) for value in key]):
        head = dict(zip(rule.by, key, strict=True))
        for members in merged(groups[key], gap):
            span = {"start_time": start(members[0]), "end_time": max(end(row) for row in members)}  # type: ignore
            cells = cells_of(at, rule, span | head, members=[at.names(row) for row in members])
            rows.append(moment(span) | head | cells.row() | {"evidence": union(members)})
    return rows


def merged(rows: Sequence[Row], gap: dt.timedelta) -> list[list[Row]]:
    """Rows in order, parted where the pause from the latest end so far to the next start is longer than `gap`."""
    episodes: list[list[Row]] = []
    latest = dt.datetime.min
    for row in rows:
        first, last = start(row), end(row)
        assert first is not None and last is not None
        if episodes and first <= latest + gap:
            episodes[-1].append(row)
            latest = max(latest, last)
        else:
            episodes.append([row])
            latest = last
    return episodes


def rows_of_pairs(at: Patient, rule: PairsRule) -> list[Row]:
    """For every row of the relation and every analyte, the sides and how they differ."""
    rows = []
    for base in at.relation(rule.relation):
        for analytes in rule.analytes:
            for analyte, unit, candidates in analyte_rows(at, analytes):
                rows.append((base["number"], analyte, pair(at, rule, base, analytes, analyte, unit, candidates)))
    rows.sort(key=lambda row: row[:2])
    return [{"number": position, **row} for position, (_, _, row) in enumerate(rows, 1)]


def analyte_rows(at: Patient, analytes: Analytes) -> Iterable[tuple[str, str | None, list[Row]]]:
    """Each analyte with its unit and the rows that may hold its values."""
    for name in analytes.relations:
        rule = at.ruleset.rules.get(name)
        members = [m for r in (rule.relations if isinstance(rule, FromRule) else [name]) for m in at.ruleset.members(r)]
        for member in members:
            units = at.ruleset.concepts[member].units
            rows = [row for row in at.relation(name) if row["analyte" if rule else "concept"] == member]
            yield member, units[0] if units else None, rows


def pair(
    at: Patient, rule: PairsRule, base: Row, analytes: Analytes, analyte: str, unit: str | None, rows: list[Row]
) -> Row:
    cells = cells_of(at, rule, base)
    names = at.names(base, cells)
    sides = {side: getattr(analytes, side) for side in SIDES if getattr(analytes, side)}
    found = {side: at.look(rule, lookup, names, rows) for side, lookup in sides.items()}
    out: Row = cells.row() | {"analyte": analyte, "unit": unit}
    for side, what in found.items():
        out |= {f"{side}_value": what.value, f"{side}_time": start(what.row) if what.row else None}
    before, after = out["before_value"], out["after_value"]
    change, fraction = minus(after, before), over
    if at.ruleset.concepts[analyte].scale == "interval":
        fraction = unknown
    out |= {"change": change, "percent_change": times(fraction(change, before), 100), "ratio": fraction(after, before)}
    if "baseline" in sides:
        zero = out["baseline_value"]
        out |= {"fold_before": fraction(before, zero), "fold_after": fraction(after, zero)}
    missing = ", ".join(side for side in sides if found[side].value is None)
    picked = {event for what in found.values() for event in what.evidence}
    evidence = sorted({*base["evidence"], *cells.evidence(), *picked})
    return out | {"complete": not missing, "missing": missing or None, "evidence": evidence}


def unknown(*_: Any) -> None:
    """What a fraction is where the zero of the scale is a convention."""


def rows_of_rule(at: Patient, rule: Rule) -> list[Row]:
    """The rows of one rule, their numbers not yet given."""
    match rule:
        case FromRule():
            return rows_of_from(at, rule)
        case GradeRule():
            return rows_of_grade(at, rule)
        case EpisodesRule():
            return rows_of_episodes(at, rule)
        case PairsRule():
            return rows_of_pairs(at, rule)
    raise NotImplementedError(f"{rule.name}: `{rule.operator}`")


def finished(at: Patient, row: Row) -> Row:
    """The row as its table has it: who, number, times and days, what was declared, evidence."""
    times = moment(row)
    days = {name: at.day(times[time]) for name, time in DAYS.items() if time in times}
    rest = {name: value for name, value in row.items() if name not in (*times, "number", "evidence")}
    head = {"patient_id": at.facts["patient_id"], "number": row["number"]}
    return head | times | days | rest | {"evidence": row["evidence"]}


def tables_of(ruleset: RuleSet, facts: Row, events: Sequence[Row], settings: Mapping[str, str]) -> dict[str, list[Row]]:
    """The rows of every rule for one patient, in order of `number`, by rule, whatever they promise."""
    at = Patient(ruleset, facts, events, rows_of_rule, settings)
    return {name: [finished(at, row) for row in at.relation(name)] for name in ruleset.rules}


def derive(
    ruleset: RuleSet, facts: Row, events: Sequence[Row], settings: Mapping[str, str] | None = None
) -> dict[str, list[Row]]:
    """As `tables_of`; raises Refused where the index has two rows or a promise is broken."""
    tables = tables_of(ruleset, facts, events, settings or {})
    if ruleset.index and len(tables[ruleset.index]) > 1:
        raise Refused(f"the index rule {ruleset.index} has two rows for one patient")
    for rule, name in broken_promises(ruleset, facts, events, settings or {}, tables):
        raise Refused(f"{rule}: {name}")
    return tables


def broken_promises(
    ruleset: RuleSet,
    facts: Row,
    events: Sequence[Row],
    settings: Mapping[str, str],
    tables: Mapping[str, Sequence[Row]],
) -> Iterable[tuple[str, str]]:
    """The rule, and the check or column whose promise is broken, once for each row that breaks it."""
    at = Patient(ruleset, facts, events, rows_of_rule, settings)
    for name, rows in tables.items():
        rule = ruleset.rules[name]
        if rule.checks or any(promises(column) for column in rule.columns.values()):
            yield from ((name, broken) for broken in broken_checks(at, rule, rows))


def promises(column: Column) -> bool:
    return bool(column.one_of or column.between or not column.nullable)


def broken_checks(at: Patient, rule: Rule, rows: Sequence[Row]) -> Iterable[str]:
    """The names of the checks and columns whose promise a row breaks; an unknown check passes."""
    for row in rows:
        for check, sql in rule.checks.items():
            if evaluate(at.text(rule, sql), at.names(row)) is False:
                yield check
        for name, column in rule.columns.items():
            value = row[name]
            low, high = column.between or (None, None)
            if value is None:
                kept = column.nullable
            else:
                kept = (low is None or value >= low) and (high is None or value <= high)
                kept = kept and (not column.one_of or str(value) in column.one_of)
            if not kept:
                yield name

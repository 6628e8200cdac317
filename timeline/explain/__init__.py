"""Explain one row of one patient, or why there is none: what was searched and found, what decided, what came near.

Recomputes one rule for one patient of a finished study; nothing is written.
"""

from collections.abc import Iterable

import duckdb

from timeline.errors import UsageError
from timeline.explain.absent import absence
from timeline.explain.around import Around, around
from timeline.explain.patient import Patient, one_patient
from timeline.explain.records import ColumnShown, ConditionShown, EventShown, Explanation, LookupShown, Near, ReadShown
from timeline.explain.row import columns_of, conditions_of, verdicts_of
from timeline.printing import count

Roles = dict[int, list[str]]


def explain(con: duckdb.DuckDBPyConnection, rule: str, patient: str, number: int | None = None) -> Explanation:
    """Return why row `number` (by default the first) of `patient` in `rule` is as it is, or why there is none.

    Raises `UsageError` for a rule, patient or number that there is not, `StudyError` where nothing was derived.
    """
    with one_patient(con, rule, patient) as study:
        return _explained(study, rule, number)


def pictured(
    con: duckdb.DuckDBPyConnection, rule: str, patient: str, number: int | None = None
) -> tuple[Explanation, Around]:
    """Return the explanation as `explain` does, and what stands around its row, for a picture."""
    with one_patient(con, rule, patient) as study:
        explanation = _explained(study, rule, number)
        return explanation, around(study, explanation)


def _explained(study: Patient, rule: str, number: int | None) -> Explanation:
    rows = len(study.table(rule))
    if number is not None and not 1 <= number <= rows and (rows or number != 1):
        has = f"has rows 1 to {rows}" if rows > 1 else "has one row, number 1" if rows else "has no row"
        raise UsageError(f"there is no row {number} of {rule}: patient `{study.name}` {has}")
    return _present(study, rule, number or 1, rows) if rows else _absent(study, rule)


def _present(study: Patient, rule: str, number: int, rows: int) -> Explanation:
    compiled, declared = study.compiled[rule], study.ruleset.rules[rule]
    stored = study.table(rule)[number - 1]
    with study.derived(rule) as derived:
        row = derived[number - 1]
        verdicts = verdicts_of(study, compiled, row)
        columns = columns_of(study, compiled, row, stored, verdicts)
        conditions = conditions_of(study, compiled, row, verdicts)
    roles: Roles = {event_id: [] for event_id in stored["evidence"]}
    for column in columns:
        if column.lookup:
            _add(roles, column.lookup.found, column.name)
            _add(roles, column.lookup.near.events if column.lookup.near else (), f"near {column.name}")
        for condition in column.conditions:
            _add(roles, condition.near.events if condition.near else (), f"near {column.name}")
    for event_id in stored["evidence"]:
        if all(role.startswith("near ") for role in roles[event_id]):
            roles[event_id].insert(0, "decided")
    values = {name: value for name, value in stored.items() if name not in ("patient_id", "number", "evidence")}
    events = study.events(roles)
    decided = set(stored["evidence"])
    dated = sum(event.date_only for event in events if event.event_id in decided)
    why = f"{count(len(decided), 'event')} decided it"
    why += f", {dated} of them with a bare date, read as midnight" if dated else ""
    return Explanation(
        rule, declared.title, declared.source, study.name, rows, number, values, columns, conditions, None, None, why,
        (), events,
    )  # fmt: skip


def _add(roles: Roles, events: Iterable[int], role: str) -> None:
    for event_id in events:
        roles.setdefault(event_id, []).append(role)


def _absent(study: Patient, rule: str) -> Explanation:
    declared = study.ruleset.rules[rule]
    found = absence(study, study.compiled[rule])
    roles: Roles = {}
    for read in found.read:
        _add(roles, read.events, "near")
    because = None
    if found.because and found.because != rule:
        rows = len(study.table(found.because))
        because = _present(study, found.because, found.number or 1, rows) if rows else _absent(study, found.because)
    return Explanation(
        rule, declared.title, declared.source, study.name, 0, None, {}, (), (), found.reason, found.margin, found.why,
        found.read, study.events(roles), because,
    )  # fmt: skip


__all__ = [
    "Around", "ColumnShown", "ConditionShown", "EventShown", "Explanation", "LookupShown", "Near", "ReadShown",
    "explain", "pictured",
]  # fmt: skip

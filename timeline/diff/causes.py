"""Why a row is not the same on both sides: clauses whose outcome differs, or rules upstream; knows no terminal.

A rule that says something else by itself is asked clause by clause, on both sides; one that does not can only have
changed through what it reads.
"""

from collections.abc import Mapping, Sequence

import duckdb

from timeline.compiler.clauses import OUTCOMES
from timeline.diff import definitions, sides
from timeline.diff.matching import Row
from timeline.diff.sides import Side

TRUE = 1
Outcomes = Mapping[str, int | None]
"""Outcome by clause: 1 true, 0 false, -1 unknown, None where it was not asked."""


def causes(
    con: duckdb.DuckDBPyConnection,
    a: Side,
    b: Side,
    rule: str,
    rows: Sequence[Row],
    patients: Mapping[str, frozenset[str]],
    same_events: bool,
) -> list[tuple[str, ...]]:
    """Return what explains each of `rows`, the nearest first; `patients` are those whose rows differ, by rule."""
    own = a.own[rule] != b.own[rule]
    parts = definitions.parts(a, b, rule) if own else ()
    whose = sorted({row.patient_id for row in rows}) if own else []
    asked_a, asked_b = (_asked(con, side, rule, whose) if whose else ({}, {}) for side in (a, b))
    reads = dict.fromkeys((*a.compiled[rule].reads, *b.compiled[rule].reads))
    found = []
    for row in rows:
        said = _clauses(row, asked_a, asked_b)
        said += [f"through {name}" for name in reads if row.patient_id in patients.get(name, ())]
        if not said:
            told = [name for name in reads if a.hashes.get(name) != b.hashes.get(name)]
            said = [f"definition: {part}" for part in parts] or [f"through {name}" for name in told]
            said += [] if same_events else ["other events"]
        found.append(tuple(said))
    return found


Asked = tuple[Mapping[tuple[str, int], Outcomes], Mapping[tuple[str, object], list[Outcomes]]]
"""Outcomes of the rows derived, by patient and number; of the rows that were read and did not pass, by time."""


def _asked(con: duckdb.DuckDBPyConnection, side: Side, rule: str, whose: list[str]) -> Asked:
    """Ask every clause of a rule anew on one side, of the rows of some patients."""
    compiled = side.compiled[rule]
    sides.show(con, side)
    theirs = "CAST(patient_id AS VARCHAR) IN (SELECT unnest(?))"
    derived: dict[tuple[str, int], Outcomes] = {}
    if compiled.asked:
        names = [clause.name for clause in compiled.asked]
        items = ", ".join(f"c__{k}" for k in range(len(names)))
        sql = f"SELECT CAST(patient_id AS VARCHAR), number, {items} FROM ({compiled.outcomes}) WHERE {theirs}"
        for patient, number, *outcomes in con.execute(sql, [whose]).fetchall():
            derived[patient, number] = dict(zip(names, outcomes, strict=True))
    refused: dict[tuple[str, object], list[Outcomes]] = {}
    for reading in compiled.readings:
        decides = [k for k, clause in enumerate(reading.clauses) if clause.kind == "where"]
        if decides:
            items = ", ".join(f"c__{k}" for k in decides)
            failed = " OR ".join(f"c__{k} IS DISTINCT FROM {TRUE}" for k in decides)
            sql = (
                f"SELECT CAST(patient_id AS VARCHAR), at__, {items} FROM ({reading.rows}) WHERE ({failed}) AND {theirs}"
            )
            for patient, at, *outcomes in con.execute(sql, [whose]).fetchall():
                named = zip((reading.clauses[k].name for k in decides), outcomes, strict=True)
                refused.setdefault((patient, at), []).append(dict(named))
    return derived, refused


def _clauses(row: Row, a: Asked, b: Asked) -> list[str]:
    """The clauses that decided otherwise on the two sides of a row."""
    if row.change == "changed":
        before, after = (
            a[0].get((row.patient_id, row.number_a or 0), {}),
            b[0].get((row.patient_id, row.number_b or 0), {}),
        )
        both = [name for name in before if name in after and before[name] != after[name]]
        return [f"{name}: {_word(before[name])} -> {_word(after[name])}" for name in both]
    lacking = a if row.change == "appeared" else b
    failed = [
        (name, outcome)
        for outcomes in lacking[1].get((row.patient_id, row.at), [])
        for name, outcome in outcomes.items()
        if outcome != TRUE
    ]
    words = [
        (name, *((_word(outcome), _word(TRUE))[:: 1 if row.change == "appeared" else -1])) for name, outcome in failed
    ]
    return list(dict.fromkeys(f"{name}: {before} -> {after}" for name, before, after in words))


def _word(outcome: int | None) -> str:
    return "not asked" if outcome is None else OUTCOMES[outcome]

"""What `sweep` and `diff` found, in words for the terminal; knows the reports' fields, and no values unless asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.printing import cell, count, table, wrapped

if TYPE_CHECKING:
    from timeline.diff import Diff, RowDiff, RuleDiff
    from timeline.sweep import Measured, Sweep

ROW_DIFFS = 40
"""So many rows of a comparison are printed."""
NUMBERS = 3
"""So many numbers of rows are printed in a line."""
POINTS = 60
"""So many rows of a sweep are printed."""


def sweep_text(found: Sweep, written: Sequence[str] = ()) -> str:
    """Return each measure at every point, what the selections are compared with, and how much was derived."""
    what = f"{count(found.points, 'point')}, {count(len(found.measured), 'measure')}"
    lines = [f"{found.study}: {what}; {derived_text(found.derived, found.reused)}, in {found.seconds:.1f} s"]
    if found.remark:
        lines.append(wrapped(found.remark))
    usual = ", ".join(f"{axis.param}={axis.default}" for axis in found.axes)
    for measured in found.measured:
        n = f", {count(measured.reference, 'patient')}" if measured.reference is not None else ""
        lines += ["", *([f"{measured.title or measured.name}:"] if len(found.measured) > 1 else [])]
        lines.append(measured_text(measured))
        if measured.reference is not None:
            lines.append(wrapped(f"* the reference, the definitions as they are: {usual or 'no variant'}{n}"))
    if found.notes:
        lines += ["", *(wrapped(f"Note: {note}", indent="  ") for note in found.notes)]
    return "\n".join([*lines, *(["", f"Written: {', '.join(written)}"] if written else [])])


def measured_text(measured: Measured) -> str:
    """Return a measure's rows, the reference's marked with a star."""
    grid = measured.frame.columns.index("reference")
    rows = [("*" if row[grid] else "", *row[:grid], *row[grid + 1 :]) for row in measured.frame.rows()]
    header = ("", *(name for name in measured.frame.columns if name != "reference"))
    shown = table(header, rows[:POINTS])
    return shown if len(rows) <= POINTS else f"{shown}\n… {count(len(rows), 'row')} in all; -o FILE.csv writes them"


def derived_text(derived: int, reused: int) -> str:
    """Return how many tables were derived, and how many were there already."""
    return f"{count(derived, 'table')} derived, {reused:,} reused"


def sweep_record(found: Sweep) -> dict[str, object]:
    """Return a sweep as what JSON can say: its own fields, and each measure's rows."""
    rows = [{"name": m.name, "of": m.of, "reference": m.reference, "rows": m.frame.to_dicts()} for m in found.measured]
    fields = ("study", "ruleset", "variants", "axes", "points", "patients", "derived", "reused", "notes", "remark")
    return {**{name: getattr(found, name) for name in fields}, "seconds": found.seconds, "measures": rows}


def diff_text(found: Diff, written: str | None = None) -> str:
    """Return what is not the same by rule, then row by row as far as can be read."""
    lines = [f"A: {found.a}\nB: {found.b}"] + ([wrapped(found.remark)] if found.remark else [])
    told = [rule for rule in found.rules if rule.differs]
    same = len(found.rules) - len(told)
    if told:
        header = ("rule", "rows A", "rows B", "appeared", "vanished", "changed", "patients", "evidence", "definition")
        rows = [
            (r.rule, r.rows_a, r.rows_b, r.appeared, r.vanished, r.changed, r.patients, r.evidence_only, _definition(r))
            for r in told
        ]
        lines += ["", table(header, rows)]
    lines.append(
        f"{'The other ' if told else ''}{count(same, 'rule')}: the same rows, by the same definitions.".strip()
    )
    lines += [wrapped(f"{r.rule}: {part}", indent="  ") for r in told for part in _parts(r)]
    if found.rows:
        what = count(len(found.rows), "row")
        lines += ["", f"{what} of {count(found.patients, 'patient')} are not the same:", rows_text(found)]
    lines += [wrapped(f"Note: {note}", indent="  ") for note in found.notes]
    return "\n".join([*lines, *([f"{count(len(found.rows), 'row')} in {written}"] if written else [])])


def _definition(rule: RuleDiff) -> str:
    if rule.definition == "through":
        return f"through {', '.join(rule.through)}"
    words = {"same": "same", "own": "changed", "only a": "only in A", "only b": "only in B"}[rule.definition]
    return words + (f", and through {', '.join(rule.through)}" if rule.definition == "own" and rule.through else "")


def _parts(rule: RuleDiff) -> list[str]:
    """What differs in its own definition, and which columns only one side has."""
    sides = [f"columns only in {side}, not compared: {', '.join(names)}" for side, names in
             (("A", rule.only_a), ("B", rule.only_b)) if names]  # fmt: skip
    return [*rule.parts, *sides]


def rows_text(found: Diff) -> str:
    """Return the rows that are not the same, by patient, alike ones in one line; with values, each by itself."""
    alike: dict[tuple[object, ...], list[RowDiff]] = {}
    for row in found.rows:
        key = (
            row.patient_id,
            row.rule,
            row.change,
            row.columns,
            row.cause,
            row.time,
            id(row) if found.values else None,
        )
        alike.setdefault(key, []).append(row)
    header = ("patient", "rule", "rows", "change", "columns", "because")
    told = list(alike.values())[:ROW_DIFFS]
    lines = [
        (rows[0].patient_id, rows[0].rule, _numbers(rows), rows[0].change, _columns(rows[0]), "; ".join(rows[0].cause))
        for rows in told
    ]
    more = len(found.rows) - sum(len(rows) for rows in told)
    cut = f"\n… and {count(more, 'row')} more; -o FILE.csv writes all of them" if more else ""
    return table(header, lines) + cut


def _numbers(rows: Sequence[RowDiff]) -> str:
    """The rows' numbers in their tables, in both where these differ; of many the first, and how many there are."""
    pairs = [dict.fromkeys(number for number in (row.number_a, row.number_b) if number is not None) for row in rows]
    words = [" -> ".join(str(number) for number in pair) for pair in pairs]
    return ", ".join(words) if len(words) <= NUMBERS else f"{', '.join(words[:NUMBERS])}, … ({len(words):,})"


def _columns(row: RowDiff) -> str:
    """The columns that differ, with old and new where values were asked for."""
    if row.values_a is not None and row.values_b is not None:
        return ", ".join(f"{n} {cell(row.values_a[n])} -> {cell(row.values_b[n])}" for n in row.columns)
    values = row.values_a or row.values_b
    return ", ".join(f"{n} {cell(value)}" for n, value in values.items()) if values else ", ".join(row.columns)

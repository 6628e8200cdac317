"""Why a lookup found nothing and a step did not hold, in plain loops: what the engine's verdicts must agree with.

For the derived rows of `from` and `pairs`. Written from the description of the language alone, as `tests.reference`.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.expressions import Names, evaluate, parse, value
from tests.reference import analyte_rows, as_span
from tests.reference_words import Cells, Patient, Row, cells_of, end, order, pick_row, start
from timeline.fragment import Tree, conjuncts, names_in
from timeline.rules import PICKS_WITHOUT_COLUMN, SIDES, FromRule, Lookup, PairsRule, Rule


@dataclass(frozen=True)
class Verdict:
    """What became of one lookup or step of a row: true, false or unknown; if not true why, and by how much."""

    outcome: bool | None
    reason: str | None = None
    margin: float | None = None
    """Hours of `out_of_window`, the difference of numbers of `wrong_value`."""


Verdicts = dict[str, Verdict]
"""By the name of the column or step, or `SIDE of ANALYTE or ANALYTE`."""
FOUND = Verdict(True)
UNKNOWN = Verdict(None, "unknown")


def of_lookup(at: Patient, rule: Rule, lookup: Lookup, base: Names, rows: Sequence[Row]) -> Verdict:
    """The verdict on one lookup among `rows`, for the row whose names are `base`."""
    inside = at.inside(rule, lookup.window, base) if lookup.window else lambda row: True
    to = evaluate(at.text(rule, lookup.to), base) if lookup.to else None
    if inside is None or (lookup.pick == "nearest" and to is None):
        return UNKNOWN
    found = at.look(rule, lookup, base, rows).value
    if found if lookup.pick in PICKS_WITHOUT_COLUMN else found is not None:
        return FOUND
    where = parse(at.text(rule, lookup.where)) if lookup.where else parse("true")

    def names(row: Row) -> Names:
        return at.names(row, base=base)

    def known(row: Row) -> bool:
        return lookup.column is None or at.names(row)((lookup.column,)) is not None

    within = [row for row in rows if inside(row)]
    wrong = [row for row in within if value(where, names(row), None) is False]
    if wrong:
        margins = [m for row in wrong if (m := by_how_much(where, names(row))) is not None]
        return Verdict(False, "wrong_value", min(margins, default=None))
    if any(value(where, names(row), None) is None or not known(row) for row in within):
        return Verdict(False, "unknown")
    outside = [row for row in rows if not inside(row) and value(where, names(row), None) is True and known(row)]
    misses = [miss for row in outside if (miss := hours_outside(at, rule, lookup, base, row)) is not None]
    return Verdict(False, "out_of_window", min(misses)) if misses else Verdict(False, "not_found")


def hours_outside(at: Patient, rule: Rule, lookup: Lookup, base: Names, row: Row) -> float | None:
    """By how many hours a row misses the window; None for a row without a time."""
    first = start(row)
    last = end(row) if lookup.window and lookup.window.overlaps else first
    if lookup.window is None or first is None or last is None:
        return None
    lower, upper = (at.bound(rule, text, base) for text in (lookup.window.lower, lookup.window.upper))
    assert lower is not None and upper is not None
    misses = [dt.timedelta()]
    misses += [lower - last] if lookup.window.lower != "-inf" else []
    misses += [first - upper] if lookup.window.upper != "inf" else []
    return max(misses) / dt.timedelta(hours=1)


def by_how_much(condition: Tree, names: Names) -> float | None:
    """The difference that makes a condition false, where one comparison of a number with a constant does."""
    terms = [(term, value(term, names, None)) for term in conjuncts(condition)]
    wrong = [term for term, truth in terms if truth is not True]
    if len(wrong) != 1 or value(wrong[0], names, None) is not False or wrong[0]["class"] != "COMPARISON":
        return None
    sides = [wrong[0]["left"], wrong[0]["right"]]
    numbers = [value(side, names, None) for side in sides]
    constant = [not names_in(side) for side in sides]
    if sum(constant) != 1 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        return None
    return abs(float(numbers[0]) - float(numbers[1]))


def of_step(at: Patient, rule: FromRule, text: str, names: Names, lookups: Verdicts) -> Verdict:
    """The verdict on one step, given those on the rule's lookups."""
    condition = parse(at.text(rule, text))
    outcome = value(condition, names, None)
    if outcome is None:
        return UNKNOWN
    if outcome is True:
        return FOUND
    named = columns_named(at, rule, condition)
    for name in rule.columns:
        verdict = lookups.get(name)
        if name in named and verdict and verdict.outcome is not True:
            return verdict
    return Verdict(False, "wrong_value", by_how_much(condition, names))


def columns_named(at: Patient, rule: Rule, condition: Tree) -> set[str]:
    """The columns of the rule that an expression names, itself or through other columns."""
    found: set[str] = set()
    waiting = [path[0] for path in names_in(condition)]
    while waiting:
        name = waiting.pop()
        if name in rule.columns and name not in found:
            found.add(name)
            sql = rule.columns[name].sql
            waiting += [path[0] for path in names_in(parse(at.text(rule, sql)))] if sql else []
    return found


def of_columns(at: Patient, rule: Rule, names: Names) -> Verdicts:
    return {
        name: of_lookup(at, rule, column.lookup, names, at.union_of(column.lookup.relations))
        for name, column in rule.columns.items()
        if column.lookup
    }


def of_from(at: Patient, rule: FromRule) -> list[Verdicts]:
    """Verdicts of each derived row, in order of `number`; of none where rows are folded."""
    if rule.group_by:
        return []
    made: list[Row] = []
    for source in at.union_of(rule.relations):
        row = as_span(source) if rule.spans else source
        cells: Cells = cells_of(at, rule, row)
        names = at.names(row, cells)
        if rule.where and evaluate(at.text(rule, rule.where), names) is not True:
            continue
        verdicts = of_columns(at, rule, names)
        verdicts |= {s: of_step(at, rule, text, names, verdicts) for s, text in rule.steps.items()}
        evidence = sorted({*row["evidence"], *cells.evidence()})
        made.append({**row, "evidence": evidence, "verdicts": verdicts})
    made.sort(key=lambda row: order(row) if "time" in row or "start_time" in row else (row["number"],))
    if rule.keep and made:
        made = [pick_row(rule.keep, made, [], None)]
    return [row["verdicts"] for row in made]


def of_pairs(at: Patient, rule: PairsRule) -> list[Verdicts]:
    """Verdicts of each derived row, in order of `number`."""
    made: list[tuple[Any, ...]] = []
    for base in at.relation(rule.relation):
        names = at.names(base, cells_of(at, rule, base))
        for analytes in rule.analytes:
            listed = " or ".join(analytes.relations)
            for analyte, _, rows in analyte_rows(at, analytes):
                sides = {side: getattr(analytes, side) for side in SIDES if getattr(analytes, side)}
                verdicts = of_columns(at, rule, names)
                verdicts |= {
                    f"{side} of {listed}": of_lookup(at, rule, lookup, names, rows) for side, lookup in sides.items()
                }
                made.append((base["number"], analyte, verdicts))
    return [verdicts for _, _, verdicts in sorted(made, key=lambda row: row[:2])]


def verdicts_of(at: Patient) -> Iterator[tuple[str, list[Verdicts]]]:
    """The verdicts of every `from` and `pairs` rule for one patient, row by row."""
    for name, rule in at.ruleset.rules.items():
        if isinstance(rule, FromRule):
            yield name, of_from(at, rule)
        if isinstance(rule, PairsRule):
            yield name, of_pairs(at, rule)

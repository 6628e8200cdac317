"""Why a row is as it is: each column with what it found, each condition with its values, what came near."""

from collections.abc import Callable, Mapping
from typing import Any

from timeline.compiler import Compiled
from timeline.compiler.clauses import OUTCOMES, Clause, words_of
from timeline.compiler.shown import Seeking
from timeline.explain.patient import Patient, Row
from timeline.explain.records import ColumnShown, ConditionShown, LookupShown, Near
from timeline.explain.words import asked, put_in
from timeline.fragment import FragmentError, resolved
from timeline.quote import identifier
from timeline.rules import PairsRule
from timeline.tally import checks

Verdicts = Mapping[str, Row]
"""The verdicts of one row, by clause."""


def columns_of(study: Patient, rule: Compiled, row: Row, stored: Row, verdicts: Verdicts) -> tuple[ColumnShown, ...]:
    """Return the columns of `row`; `stored` is the same row as the study holds it."""
    lookups = {c.path: lookup(study, rule, k, c, row, verdicts) for k, c in _asked(rule, "lookup", row)}
    conditions: dict[str, list[ConditionShown]] = {}
    for k, clause in _asked(rule, "condition", row):
        conditions.setdefault(clause.path, []).append(condition(study, rule, k, clause, row, verdicts))
    shown, by = [], getattr(study.ruleset.rules[rule.name], "by", ())
    for field in rule.fields:
        path = "grade" if field.name == "grade" else f"columns.{field.name}"
        noted = rule.shown.expressions.get(path)
        text, filled = field.meaning if field.name in by else "", None
        if noted is not None:
            text = words_of(noted.fragment.written)
            values = {parts: row[column] for parts, column in noted.values.items()}
            filled = put_in(noted.fragment.written, values, study.params[rule.name])
        found = lookups.get(path) or _side(study, rule, field.name, row, lookups)
        shown.append(
            ColumnShown(
                field.name, stored.get(field.name), field.unit, field.meaning, found.text if found else text, filled,
                found, tuple(conditions.get(path, ())), _observed(rule, field.name, row),
            )
        )  # fmt: skip
    return tuple(column for column in shown if column.name not in ("patient_id", "number", "evidence"))


def _asked(rule: Compiled, kind: str, row: Row) -> list[tuple[int, Clause]]:
    """The clauses of a kind that were asked of `row`: not those of another analyte's windows."""
    clauses = [(k, clause) for k, clause in enumerate(rule.asked) if clause.kind == kind]
    return [(k, clause) for k, clause in clauses if kind != "lookup" or row[f"c__{k}"] is not None]


def _observed(rule: Compiled, finding: str, row: Row) -> Any:
    noted = rule.shown.expressions.get(f"findings.{finding}")
    return row[noted.values[("time",)]] if noted else None


def _side(
    study: Patient, rule: Compiled, column: str, row: Row, lookups: Mapping[str, LookupShown]
) -> LookupShown | None:
    """The lookup behind `before_value`, `after_value`, `baseline_value` of a pair."""
    if not isinstance(study.ruleset.rules[rule.name], PairsRule) or not column.endswith("_value"):
        return None
    side = column.removesuffix("_value")
    return next((shown for path, shown in lookups.items() if path.endswith(f".{side}")), None)


def conditions_of(study: Patient, rule: Compiled, row: Row, verdicts: Verdicts) -> tuple[ConditionShown, ...]:
    """Return the steps and checks asked of `row`."""
    steps = [condition(study, rule, k, clause, row, verdicts) for k, clause in _asked(rule, "step", row)]
    for clause in checks(rule):
        sql = f"SELECT {clause.sql} AS outcome FROM {identifier(rule.name)} WHERE number = {row['number']}"
        outcome = OUTCOMES[study.rows(sql)[0]["outcome"]]
        steps.append(ConditionShown(clause.name, clause.kind, clause.text, None, outcome, None, None, None))
    return tuple(steps)


def verdicts_of(study: Patient, rule: Compiled, row: Row) -> Verdicts:
    """Return the verdicts on the lookups and steps of `row`, worked out anew."""
    if rule.verdicts is None:
        return {}
    rows = study.rows(f"SELECT * FROM ({rule.verdicts}) WHERE number = {row['number']}")
    return {verdict["clause"]: verdict for verdict in rows}


def lookup(study: Patient, rule: Compiled, k: int, clause: Clause, row: Row, verdicts: Verdicts) -> LookupShown:
    """Return what a lookup of `row` searched and found, or what came nearest."""
    seeking = rule.shown.seeking[clause.name]
    window = seeking.look.lookup.window
    verdict = verdicts[clause.name]
    near, inside = None, 0
    seen = study.rows(f"SELECT * FROM ({seeking.rows}) WHERE number = {row['number']}")
    if verdict["outcome"] != "unknown":
        inside = sum(bool(one["inside__"]) for one in seen)
    if verdict["reason"] == "out_of_window":
        near = _near(seeking, min((one for one in seen if one["fits__"] == 1), key=_outside), row)
    elif verdict["reason"] == "wrong_value":
        wrong = [one for one in seen if one["inside__"] and one["fits__"] == 0]
        near = _near(seeking, min(wrong, key=_short), row, inside=True)
    return LookupShown(
        clause=clause.name,
        text=clause.text.partition(": ")[2] + (f" where {seeking.look.lookup.where}" if seeking.look.where else ""),
        outcome=verdict["outcome"],
        reason=verdict["reason"],
        margin=verdict["margin"],
        window=(row[seeking.window[0]], row[seeking.window[1]]) if seeking.window else None,
        brackets=("[" if window.lower_closed else "(") + ("]" if window.upper_closed else ")") if window else "",
        rows_inside=inside,
        found=tuple(sorted(_ids(row[seeking.ids]))),
        row=_found(seeking, seen, row) if verdict["outcome"] == "true" else None,
        near=near,
    )


def _found(seeking: Seeking, seen: list[Row], row: Row) -> Near | None:
    """Of the rows in the window the one that was picked: its evidence is what the lookup brought."""
    picked = sorted(_ids(row[seeking.ids]))
    inside = [one for one in seen if one["inside__"] and one["fits__"] == 1 and sorted(_ids(one["ids__"])) == picked]
    return _near(seeking, inside[0], row, inside=True) if inside else None


def condition(study: Patient, rule: Compiled, k: int, clause: Clause, row: Row, verdicts: Verdicts) -> ConditionShown:
    """Return a condition of `row` with its values put in."""
    number = row[f"c__{k}"]
    outcome = None if number is None else OUTCOMES[number]
    verdict = verdicts.get(clause.name, {}) if clause.kind == "step" else {}
    columns = rule.shown.columns
    filled = asked(clause, row, columns, study.params[rule.name]) if clause.values else None
    margin = row.get(f"m__{k}") if outcome == "false" else None
    near = _would_have(study, rule, clause, row) if outcome == "false" else None
    return ConditionShown(
        clause.name, clause.kind, clause.text, filled, outcome, verdict.get("reason"),
        verdict.get("margin", margin), near,
    )  # fmt: skip


def _would_have(study: Patient, rule: Compiled, clause: Clause, row: Row) -> Near | None:
    """The nearest row outside of the window of a lookup that the condition names, with which it would have held.

    The window is thought to reach as far as that row, so all that lies between is in it, too.
    """
    found = []
    for parts in clause.values:
        seeking = rule.shown.seeking.get(parts[0]) if len(parts) == 1 else None
        if seeking is None or seeking.window is None or seeking.look.lookup.pick not in PICKED or clause.tree is None:
            continue
        seen = study.rows(f"SELECT * FROM ({seeking.rows}) WHERE number = {row['number']} AND fits__ = 1")
        reached = _reached(seeking, seen, row)

        def name(other: tuple[str, ...], own: tuple[str, ...] = parts) -> str:
            return "s.value__" if other == own else f"b.{rule.shown.columns[clause.values[other]]}"

        try:
            holds = resolved(clause.tree, name)
        except FragmentError:
            continue
        picked = [value for _, value in reached]
        places = study.con.execute(
            "SELECT s.place FROM (SELECT unnest(?) AS value__, unnest(range(?)) AS place) AS s, "
            f"{identifier(rule.name)} AS b WHERE b.number = ? AND ({holds}) ORDER BY s.place LIMIT 1",
            [picked, len(picked), row["number"]],
        ).fetchall() if picked else []  # fmt: skip
        found += [(reached[place][0]["miss__"], _near(seeking, reached[place][0], row)) for (place,) in places]
    return min(found, key=lambda pair: pair[0])[1] if found else None


PICKED: Mapping[str, Callable[[list[Row]], Row]] = {
    "first": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
    "min": lambda rows: min(rows, key=lambda one: one["value__"]),
    "max": lambda rows: max(rows, key=lambda one: one["value__"]),
}
"""What a lookup would pick of rows in order of time."""


def _reached(seeking: Seeking, seen: list[Row], row: Row) -> list[tuple[Row, Any]]:
    """Each row outside of the window, the nearest first, with the value that a window as far as it would have given."""
    outside = [one for one in seen if not one["inside__"] and one["miss__"] is not None and one["at__"] is not None]
    upper = row[seeking.window[1]] if seeking.window else None

    def after(one: Row) -> bool:
        return upper is not None and one["at__"] >= upper

    found = []
    for far in sorted(outside, key=_outside):
        between = [one for one in outside if one["miss__"] <= far["miss__"] and after(one) == after(far)]
        within = [one for one in seen if one["inside__"] or one in between]
        found.append((far, PICKED[seeking.look.lookup.pick](within)["value__"]))
    return found


def _near(seeking: Seeking, seen: Row, row: Row, *, inside: bool = False) -> Near:
    upper = row[seeking.window[1]] if seeking.window else None
    after = None if inside or upper is None else seen["at__"] >= upper
    miss = None if inside else seen["miss__"]
    ids = tuple(sorted(_ids(seen["ids__"])))
    return Near(seeking.look.relation.name, seen["at__"], seen["value__"], miss, after, seen["short__"], ids)


def _ids(ids: list[int | None] | None) -> list[int]:
    return [event_id for event_id in ids or () if event_id is not None]


def _outside(seen: Row) -> Any:
    return (seen["miss__"] is None, seen["miss__"] or 0.0, seen["at__"], seen["ids__"])


def _short(seen: Row) -> Any:
    return (seen["short__"] is None, seen["short__"] or 0.0)

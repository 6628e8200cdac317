"""Verdicts: of each lookup and step of a finished row its outcome, why it is not true, and by how much.

One SELECT over the table of a rule's outcomes. Reasons: `wrong_value` (rows are in the window, their `where` is
false), `unknown`, `out_of_window` (the nearest row lies outside, by `margin` hours), `not_found`. Knows no operator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timeline.compiler.chain import Sought
from timeline.compiler.clauses import OUTCOMES, Clause, shortfall, terms_of
from timeline.compiler.context import Context
from timeline.compiler.look import Look
from timeline.compiler.lookup import in_window, own_rows
from timeline.compiler.shown import Seeking
from timeline.compiler.text import Step, with_steps
from timeline.compiler.where import carried_name, carried_names, where_sql
from timeline.fragment import Tree
from timeline.quote import identifier, literal

WORDS = " ".join(f"WHEN {number} THEN '{word}'" for number, word in OUTCOMES.items())
HOUR = "3600000000.0"
"""Microseconds."""


def extras(asked: Sequence[Clause], sought: Mapping[str, Sought]) -> dict[str, str]:
    """What verdicts need of each row beside the outcomes: bounds, and what a `where` reads of it (name -> SQL)."""
    found = {}
    for k, clause in enumerate(asked):
        if clause.kind == "lookup":
            found |= {f"{bound}{k}": sql for bound, sql in sought[clause.name].bounds.items() if bound != "near__"}
            found |= {f"b__{k}__{x}": sql for x, sql in sought[clause.name].base.items()}
    return found


def verdicts(
    ctx: Context, table: str, asked: Sequence[Clause], sought: Mapping[str, Sought], analyte: bool
) -> str | None:
    """Return the SELECT of the verdicts over `table`; None where the rule has no lookups or steps."""
    steps: list[Step] = []
    names: dict[str, str] = {}
    for k, clause in enumerate(asked):
        if clause.kind == "lookup":
            _lookup(ctx, steps, k, clause, sought[clause.name], table, analyte)
        elif clause.kind == "step":
            _step(steps, k, clause, table, [names[name] for name in clause.rests_on])
        else:
            continue
        names[clause.name] = f"verdict__{k}"
    if not names:
        return None
    union = "\nUNION ALL ".join(f"SELECT * FROM {name}" for name in names.values())
    return with_steps(steps, f"SELECT * FROM (\n{union}\n) ORDER BY patient_id, number, clause")


@dataclass(frozen=True)
class Asked:
    """The first two steps of a verdict, and of an explanation: the rows that asked, and the rows that they saw."""

    steps: tuple[Step, Step]
    of_analyte: bool
    """A side of a pair sees the rows of its own analyte."""
    fits: str
    short: str


def _asked(ctx: Context, k: int, clause: Clause, sought: Sought, table: str, analyte: bool, shown: bool) -> Asked:
    look = sought.look
    own = f"{'analyte' if analyte else 'NULL'} AS analyte__, c__{k} AS outcome__"
    more = [f"from__{k} AS from__", f"to__{k} AS to__"] if look.lookup.window else []
    more += [f"b__{k}__{x} AS b__{x}" for x in sought.base]
    items = ", ".join(["patient_id", "number", own, *more])
    asked = f"SELECT {items} FROM {table} WHERE c__{k} IS NOT NULL"
    of_analyte = analyte and clause.path.startswith("analytes.")
    fits, short = _fit(ctx, look, {x: f"b.b__{x}" for x in sought.base})
    rows = _rows(ctx, look, of_analyte, "" if look.uses_base else fits, short, shown)
    steps = ((f"asked__{k}", clause.text, asked), (f"rows__{k}", "", rows))
    if look.uses_base:
        return Asked(steps, of_analyte, fits, short or "NULL")
    return Asked(steps, of_analyte, "s.fits__", "s.short__")


def seeking(
    ctx: Context, table: str, asked: Sequence[Clause], sought: Mapping[str, Sought], analyte: bool
) -> dict[str, Seeking]:
    """Return for each lookup the SELECT of all rows that it saw, over `table`, by the name of its clause."""
    found = {}
    for k, clause in enumerate(asked):
        if clause.kind == "lookup":
            found[clause.name] = _seeking(ctx, k, clause, sought[clause.name], table, analyte)
    return found


def _seeking(ctx: Context, k: int, clause: Clause, sought: Sought, table: str, analyte: bool) -> Seeking:
    look = sought.look
    made = _asked(ctx, k, clause, sought, table, analyte, shown=True)
    inside = " AND ".join(in_window(look)) or "TRUE"
    at = "s.at__" if look.relation.at else "CAST(NULL AS TIMESTAMP)"
    until = "s.until__" if look.overlaps or _lasts(look) else at
    timed = bool(look.lookup.window) and look.relation.at is not None
    items = [
        "b.number", f"{at} AS at__", f"{until} AS until__", "s.value__", "s.ids__", f"{made.fits} AS fits__",
        f"{made.short} AS short__", f"{inside} AS inside__", f"{_miss(look) if timed else 'NULL'} AS miss__",
    ]  # fmt: skip
    rows = f"SELECT {', '.join(items)} FROM asked__{k} AS b JOIN rows__{k} AS s ON {own_rows(made.of_analyte)}"
    window = (f"from__{k}", f"to__{k}") if look.lookup.window else None
    return Seeking(look, window, f"i__{k}", with_steps(made.steps, f"{rows} ORDER BY at__, ids__"))


def _lookup(ctx: Context, steps: list[Step], k: int, clause: Clause, sought: Sought, table: str, analyte: bool) -> None:
    made = _asked(ctx, k, clause, sought, table, analyte, shown=False)
    steps += made.steps
    timed = sought.look.lookup.window is not None and sought.look.relation.at is not None
    if sought.few or not timed or sought.look.overlaps or sought.look.uses_base:
        steps.append((f"missed__{k}", "", _all_at_once(k, sought.look, made, timed)))
    else:
        _inside_and_outside(steps, k, sought.look, made)
    why = "WHEN m.wrong__ THEN 'wrong_value' WHEN m.unknown__ THEN 'unknown' WHEN m.miss__ IS NOT NULL"
    reason = (
        f"CASE b.outcome__ WHEN -1 THEN 'unknown' WHEN 0 THEN CASE {why} THEN 'out_of_window' ELSE 'not_found' END END"
    )
    margin = (
        "CASE WHEN b.outcome__ = 0 THEN CASE WHEN m.wrong__ THEN m.short__ WHEN NOT m.unknown__ THEN m.miss__ END END"
    )
    steps.append(
        (
            f"verdict__{k}",
            "",
            "SELECT b.patient_id, b.number, CAST(b.analyte__ AS VARCHAR) AS analyte, "
            f"{literal(clause.name)} AS clause, CASE b.outcome__ {WORDS} END AS outcome, "
            f"{reason} AS reason, CAST({margin} AS DOUBLE) AS margin FROM asked__{k} AS b{_left(f'missed__{k}', 'm')}",
        )
    )


MISSED = "bool_or({inside} AND {fits} = 0) AS wrong__, min({short}) FILTER ({inside} AND {fits} = 0) AS short__, " \
         "coalesce(bool_or({inside} AND {fits} = -1), FALSE) AS unknown__"  # fmt: skip


def _all_at_once(k: int, look: Look, made: Asked, timed: bool) -> str:
    """One join with all rows of the patient: where few rows look, or each row has to be held against each."""
    inside = " AND ".join(f"({condition})" for condition in in_window(look)) or "TRUE"
    missed = MISSED.format(inside=f"({inside})", fits=f"({made.fits})", short=made.short)
    miss = f"min({_miss(look)}) FILTER (({made.fits}) = 1 AND s.at__ IS NOT NULL)" if timed else "CAST(NULL AS DOUBLE)"
    return (
        f"SELECT b.patient_id, b.number, {missed}, {miss} AS miss__ FROM asked__{k} AS b JOIN rows__{k} AS s "
        f"ON {own_rows(made.of_analyte)} AND b.outcome__ = 0 GROUP BY b.patient_id, b.number"
    )


def _inside_and_outside(steps: list[Step], k: int, look: Look, made: Asked) -> None:
    """Rows inside the window by a join of the range, the nearest outside by ASOF joins: linear where many rows look."""
    condition = " AND ".join([own_rows(made.of_analyte), *in_window(look), f"({made.fits}) <> 1", "b.outcome__ = 0"])
    missed = MISSED.format(inside="TRUE", fits=f"({made.fits})", short=made.short)
    steps.append(
        (
            f"inside__{k}",
            "",
            f"SELECT b.patient_id, b.number, {missed} FROM asked__{k} AS b JOIN rows__{k} AS s ON {condition} "
            "GROUP BY b.patient_id, b.number",
        )
    )
    # The distance grows to both sides of the window's middle: of the rows before it and after it, the nearest.
    steps.append((f"fit__{k}", "", f"SELECT * FROM rows__{k} WHERE fits__ = 1 AND at__ IS NOT NULL"))
    middle = (
        "CASE WHEN isfinite(from__) AND isfinite(to__) THEN from__ + (to__ - from__) / 2 "
        "WHEN isfinite(from__) THEN from__ WHEN isfinite(to__) THEN to__ END"
    )
    steps.append((f"unmet__{k}", "", f"SELECT *, {middle} AS middle__ FROM asked__{k} WHERE outcome__ = 0"))
    sides = [
        f"SELECT b.patient_id, b.number, {_miss(look)} AS miss__ FROM unmet__{k} AS b "
        f"ASOF JOIN fit__{k} AS s ON {own_rows(made.of_analyte)} AND b.middle__ {compared} s.at__"
        for compared in (">=", "<")
    ]
    nearest = f"SELECT patient_id, number, min(miss__) AS miss__ FROM ({' UNION ALL '.join(sides)})"
    steps.append((f"outside__{k}", "", f"{nearest} GROUP BY patient_id, number"))
    items = "i.wrong__, i.short__, coalesce(i.unknown__, FALSE) AS unknown__, o.miss__"
    joins = f"{_left(f'inside__{k}', 'i')}{_left(f'outside__{k}', 'o')}"
    steps.append((f"missed__{k}", "", f"SELECT b.patient_id, b.number, {items} FROM unmet__{k} AS b{joins}"))


def _left(table: str, alias: str) -> str:
    return f" LEFT JOIN {table} AS {alias} ON {alias}.patient_id = b.patient_id AND {alias}.number = b.number"


def _fit(ctx: Context, look: Look, base: Mapping[str, str]) -> tuple[str, str | None]:
    """SQL of whether a row `s` is one that the lookup wants (1, 0, -1 unknown), and how far its value is off."""
    column = look.lookup.column
    known = f"{_own(look, column)} IS NOT NULL" if column else "TRUE"
    if look.where is None:
        return f"CASE WHEN {known} THEN 1 ELSE -1 END", None

    def sql(tree: Tree) -> str:
        return where_sql(ctx, look, tree, lambda parts: _own(look, parts[0]), base, look.uses_base)[0]

    where = sql(look.where.tree)
    fits = f"CASE WHEN ({where}) AND {known} THEN 1 WHEN NOT ({where}) THEN 0 ELSE -1 END"
    return fits, shortfall([term.tree for term in terms_of(look.where)], sql)


def _own(look: Look, column: str) -> str:
    """A looked-up column; where the looking row's columns are needed, too, it is carried along as `x__`."""
    return f"s.x__{column}" if look.uses_base else f"s.{identifier(column)}"


def _rows(ctx: Context, look: Look, analyte: bool, fits: str, short: str | None, shown: bool) -> str:
    """The rows that a lookup saw, whether or not they are what it wants; `shown`, with their value and evidence."""
    relation, joins = look.relation, ""
    items = ["s.patient_id"]
    if shown:
        ids = relation.evidence("s")
        value = f"s.{identifier(look.lookup.column)}" if look.lookup.column else "NULL"
        items += [f"{value} AS value__", f"{f'[{ids}]' if relation.of_events else ids} AS ids__"]
    if relation.at:
        items.append(f"s.{identifier(relation.at)} AS at__")
    if look.overlaps or (shown and _lasts(look)):
        items.append("s.end_time AS until__")
    if analyte:
        items.append(f"s.{'concept' if relation.of_events else 'analyte'} AS analyte__")
    if look.uses_base:
        named = {parts[0] for parts in look.where.names if parts[0] in relation.columns} if look.where else set()
        named |= {look.lookup.column} if look.lookup.column else set()
        items += [f"s.{identifier(x)} AS x__{x}" for x in sorted(named)]
        items += [f"{parts[0]}.{identifier(parts[1])} AS {carried_name(parts)}" for parts in carried_names(look)]
    else:
        items += [f"{fits} AS fits__", f"{short or 'CAST(NULL AS DOUBLE)'} AS short__"]
    if look.where:
        joins = where_sql(ctx, look, look.where.tree, lambda parts: "NULL", {x: "NULL" for x in _bases(look)})[1]
    condition = f" WHERE {relation.condition.format('s')}" if relation.condition else ""
    return f"SELECT {', '.join(items)} FROM {relation.table} AS s{joins}{condition}"


def _lasts(look: Look) -> bool:
    return look.relation.kind == "spans"


def _bases(look: Look) -> set[str]:
    return {parts[1] for parts in look.where.names if parts[0] == "base"} if look.where else set()


def _miss(look: Look) -> str:
    """SQL of the hours by which a row `s` misses the window of a row `b`."""
    end = "s.until__" if look.overlaps else "s.at__"
    early = f"CASE WHEN isfinite(b.from__) THEN epoch_us(b.from__) - epoch_us({end}) END"
    late = "CASE WHEN isfinite(b.to__) THEN epoch_us(s.at__) - epoch_us(b.to__) END"
    # Never negative: a window that ends before it begins is empty, wherever the row lies.
    return f"greatest({early}, {late}, 0) / {HOUR}"


def _step(steps: list[Step], k: int, clause: Clause, table: str, lookups: Sequence[str]) -> None:
    """A step that does not hold has the reason of the first lookup that it rests on and that is not true."""
    aliases = [f"v{place}" for place in range(len(lookups))]
    joins = "".join(
        f"{_left(name, alias)} AND {alias}.outcome <> 'true'" for name, alias in zip(lookups, aliases, strict=True)
    )
    reasons = "".join(f"WHEN {alias}.reason IS NOT NULL THEN {alias}.reason " for alias in aliases)
    margins = "".join(f"WHEN {alias}.reason IS NOT NULL THEN {alias}.margin " for alias in aliases)
    own = f"b.m__{k}" if clause.margin else "NULL"
    why = f"CASE {reasons}WHEN b.c__{k} = -1 THEN 'unknown' ELSE 'wrong_value' END"
    reason = f"CASE WHEN b.c__{k} <> 1 THEN {why} END"
    margin = f"CASE WHEN b.c__{k} <> 1 THEN CASE {margins}WHEN b.c__{k} = 0 THEN {own} END END"
    steps.append(
        (
            f"verdict__{k}",
            clause.text,
            f"SELECT b.patient_id, b.number, CAST(NULL AS VARCHAR) AS analyte, {literal(clause.name)} AS clause, "
            f"CASE b.c__{k} {WORDS} END AS outcome, {reason} AS reason, CAST({margin} AS DOUBLE) AS margin "
            f"FROM {table} AS b{joins}",
        )
    )

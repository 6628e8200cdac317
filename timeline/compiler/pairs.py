"""`pairs`: for every row of a relation and every analyte a value before and after, and at baseline."""

from collections.abc import Sequence
from dataclasses import replace

from timeline.compiler.chain import Chain, base
from timeline.compiler.columns import Parsed, add_columns, attributes_used, parse_columns
from timeline.compiler.context import Compiled, Context
from timeline.compiler.finish import finish, promise
from timeline.compiler.look import Look, describe, read_look
from timeline.compiler.lookup import add_lookup, ask
from timeline.compiler.relation import IDS
from timeline.quote import identifier, literal
from timeline.rules import ROW_PICKS, SIDES, Column, PairsRule

OF_PAIR = frozenset("analyte unit change percent_change ratio complete missing fold_before fold_after".split()) | {
    f"{side}_{part}" for side in SIDES for part in ("value", "time")
}
COMPUTED = {
    "change": "after_value__ - before_value__",
    "percent_change": "(after_value__ - before_value__) / nullif(before_value__, 0) * 100",
    "ratio": "after_value__ / nullif(before_value__, 0)",
}
FOLDS = {
    "fold_before": "before_value__ / nullif(baseline_value__, 0)",
    "fold_after": "after_value__ / nullif(baseline_value__, 0)",
}
"""Inside the SELECT the pair's own columns end in `__`: the row that is paired may have such names itself."""
MEANING = {
    "analyte": "the concept measured",
    "unit": "the analyte's canonical unit",
    "change": "after - before",
    "percent_change": "(after - before) / before x 100",
    "ratio": "after / before",
    "fold_before": "before / baseline",
    "fold_after": "after / baseline",
    "complete": "no side is missing",
    "missing": "the sides not found",
}


def compile_pairs(ctx: Context, rule: PairsRule) -> Compiled | None:
    """Return the rule as one SELECT, or None after complaining."""
    relation = ctx.relation((rule.relation,), "pairs")
    columns = parse_columns(ctx, rule.columns)
    groups = [_read_group(ctx, position, rule) for position in range(len(rule.analytes))]
    for name in sorted(OF_PAIR & set(rule.columns)):
        ctx.say(f"columns.{name}", f"`{name}` is a column that every pair has; choose another name")
    _distinct(ctx, [analytes for group in groups if group for analytes in [group[0]]])
    if ctx.findings or relation is None or not all(groups):
        return None
    looks = [look for group in groups if group for look in group[1].values()]
    used = {n for column in columns.values() for n in column.needs} | {n for look in looks for n in look.needs}
    chain = base(ctx, relation, used, rule.title)
    early, late = _split(columns, OF_PAIR - set(relation.columns))
    add_columns(chain, early, attributes_used(used, early))
    with_baseline = any("baseline" in group[1] for group in groups if group)
    _union(chain, [group for group in groups if group], with_baseline)
    _compute(chain, sorted(analyte for group in groups if group for analyte in group[0]), with_baseline)
    add_columns(chain, late, {})
    if ctx.findings:
        return None
    return finish(
        chain, "facts", _declared(chain, rule, with_baseline), concepts=tuple(a for g in groups if g for a in g[0])
    )


def _read_group(ctx: Context, position: int, rule: PairsRule) -> tuple[tuple[str, ...], dict[str, Look]] | None:
    """The analytes of a group and its sides."""
    group, path = rule.analytes[position], f"analytes.{position}"
    relation = ctx.relation(group.relations, path)
    if relation is None:
        return None
    if not relation.concepts or not (relation.of_events or "analyte" in relation.columns):
        ctx.say(path, f"`{relation.name}` must be a concept, or a `from` rule over concepts with a column `analyte`")
        return None
    sides = {side: getattr(group, side) for side in SIDES}
    looks = {side: read_look(ctx, lookup, f"{path}.{side}") for side, lookup in sides.items() if lookup is not None}
    for side, look in looks.items():
        if look and look.lookup.pick in ("count", "any"):
            ctx.say(f"{path}.{side}", f"`{look.lookup.pick}` finds no value; a side picks one, such as last: value")
    if not all(looks.values()):
        return None
    return relation.concepts, {side: look for side, look in looks.items() if look}


def _distinct(ctx: Context, groups: list[tuple[str, ...]]) -> None:
    seen: set[str] = set()
    for analytes in groups:
        for twice in sorted(seen & set(analytes)):
            ctx.say("analytes", f"`{twice}` stands in two groups; an analyte has one pair a row")
        seen |= set(analytes)


def _split(columns: dict[str, Parsed], of_pair: frozenset[str]) -> tuple[dict[str, Parsed], dict[str, Parsed]]:
    """Columns of the row paired, and columns that need the pair."""
    late: set[str] = set()
    while True:
        more = {
            name for name, column in columns.items()
            if name not in late and {parts[0] for parts in column.needs} & (of_pair | late)
        }  # fmt: skip
        if not more:
            break
        late |= more
    return {n: c for n, c in columns.items() if n not in late}, {n: c for n, c in columns.items() if n in late}


def _union(chain: Chain, groups: list[tuple[tuple[str, ...], dict[str, Look]]], with_baseline: bool) -> None:
    """One branch a group of analytes, each with its sides looked up, then all under one another."""
    start, evidence, branches = chain.current, list(chain.evidence), []
    names, types, dotted = dict(chain.names), dict(chain.types), dict(chain.dotted)
    kept = [f"b.{identifier(name)}" for name in types]
    for position, (analytes, looks) in enumerate(groups):
        chain.names, chain.types, chain.dotted = dict(names), types | {"analyte__": "VARCHAR"}, dict(dotted)
        chain.current, chain.key = start, ("patient_id", "key__", "analyte__")
        rows = ", ".join(f"({literal(a)}, {literal(_unit(chain, a))})" for a in sorted(analytes))
        chain.step(
            f"rows__analytes_{position}",
            "",
            f"SELECT b.*, a.analyte__, CAST(a.unit__ AS VARCHAR) AS unit__ FROM {chain.current} AS b "
            f"CROSS JOIN (VALUES {rows}) AS a(analyte__, unit__)",
        )
        items = list(kept) + ["b.analyte__", "b.unit__"]
        chain.evidence = []
        for side in SIDES if with_baseline else SIDES[1:]:
            if side not in looks:
                items += [
                    f"NULL AS {side}_value__",
                    f"CAST(NULL AS TIMESTAMP) AS {side}_time__",
                    f"FALSE AS {side}_missing__",
                    f"CAST(NULL AS {IDS}) AS {side}_ids__",
                ]
                continue
            inner = chain.internal(f"{side}_{position}")
            at = looks[side].relation.at
            timed = at is not None and looks[side].lookup.pick in ROW_PICKS
            sought = add_lookup(chain, inner, looks[side], {at} if at and timed else set(), analyte=True)
            time = f"b.{inner}__{at}" if chain.dotted[inner] else "CAST(NULL AS TIMESTAMP)"
            items += [
                f"b.{inner} AS {side}_value__",
                f"{time} AS {side}_time__",
                f"b.{inner} IS NULL AS {side}_missing__",
                f"{sought.ids} AS {side}_ids__",
            ]
            listed = ", ".join(literal(analyte) for analyte in analytes)
            relation, text = looks[side].relation, f"{describe(looks[side], side)} of {', '.join(analytes)}"
            path, found = f"analytes.{position}.{side}", f"NOT {side}_missing__"
            sought = replace(sought, ids=f"{side}_ids__")
            ask(chain, f"{side} of {relation.name}", sought, path, found, text, f"analyte__ IN ({listed})")
        branches.append(f"SELECT {', '.join(items)} FROM {chain.current} AS b")
        chain.step(f"pairs__{position}", "", branches[-1], moves=False)
    union = " UNION ALL BY NAME ".join(f"SELECT * FROM pairs__{position}" for position in range(len(groups)))
    chain.step("rows__pairs", "", union)
    chain.names, chain.types, chain.dotted = names, types, dotted
    value = _value_type(chain, groups)
    for side in SIDES if with_baseline else SIDES[1:]:
        kinds = {f"{side}_value": value, f"{side}_time": "TIMESTAMP"}
        kinds |= {f"{side}_missing": "BOOLEAN", f"{side}_ids": IDS}
        chain.types |= {f"{name}__": kind for name, kind in kinds.items()}
        chain.names |= {name: f"{name}__" for name in (f"{side}_value", f"{side}_time")}
    chain.types |= {"analyte__": "VARCHAR", "unit__": "VARCHAR"}
    chain.names |= {"analyte": "analyte__", "unit": "unit__"}
    chain.evidence = [*evidence, *(f"{side}_ids__" for side in (SIDES if with_baseline else SIDES[1:]))]


def _value_type(chain: Chain, groups: list[tuple[tuple[str, ...], dict[str, Look]]]) -> str:
    kinds = {
        look.relation.columns[look.lookup.column or ""] if look.lookup.pick in (*ROW_PICKS, "median") else "DOUBLE"
        for _, looks in groups
        for look in looks.values()
    }
    return kinds.pop() if len(kinds) == 1 else "DOUBLE"


def _compute(chain: Chain, analytes: Sequence[str], with_baseline: bool) -> None:
    sides = SIDES if with_baseline else SIDES[1:]
    named = ", ".join(f"CASE WHEN {side}_missing__ THEN {literal(side)} END" for side in sides)
    computed = COMPUTED | (FOLDS if with_baseline else {})
    without = ", ".join(literal(name) for name in analytes if chain.ctx.ruleset.concepts[name].scale == "interval")
    comment = "a zero below a fraction line gives NULL"
    if without:
        comment += ", and so does a scale whose zero is a convention"
        fractions = {name: sql for name, sql in computed.items() if name != "change"}
        computed |= {name: f"CASE WHEN analyte__ NOT IN ({without}) THEN {sql} END" for name, sql in fractions.items()}
    types = chain.bound({name: (sql, "analytes") for name, sql in computed.items()})
    items = {name: (sql, types[name]) for name, sql in computed.items()}
    none = " OR ".join(f"{side}_missing__" for side in sides)
    items["complete"] = (f"NOT ({none})", "BOOLEAN")
    items["missing"] = (f"nullif(concat_ws(', ', {named}), '')", "VARCHAR")
    chain.add("rows__computed", comment, items)


def _unit(chain: Chain, analyte: str) -> str | None:
    units = chain.ctx.ruleset.concepts[analyte].units
    return units[0] if units else None


def _declared(chain: Chain, rule: PairsRule, with_baseline: bool) -> list[tuple[str, Column]]:
    sides = [f"{side}_{part}" for side in (SIDES if with_baseline else SIDES[1:]) for part in ("value", "time")]
    folds = list(FOLDS) if with_baseline else []
    names = ["analyte", "unit", *sides, *COMPUTED, *folds, "complete", "missing"]
    declared = [(name, column) for name, column in rule.columns.items() if name in chain.names]
    return declared + [(name, promise(MEANING.get(name, name.replace("_", " ")))) for name in names]

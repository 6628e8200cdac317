"""Random rule sets and random cohorts, small and full of ties, bounds and unknowns; knows no engine.

A rule set is drawn as plain data and handed on as YAML text, so that a failure can be read, and pasted into tests/spec.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.generate_events import EVENTS, PERSON
from tests.generate_expressions import (
    DURATIONS,
    EVENT_COLUMNS,
    Draw,
    Names,
    Table,
    World,
    add_common,
    aggregate,
    condition,
    event_tables,
    lookup,
    names_of,
    truth,
    typed,
)
from timeline.parse_rule import IMPLICIT
from timeline.rules import ROW_PICKS


def columns(w: World, table: Table, names: Names, most: int = 4, lookups: bool = True) -> tuple[dict, dict[str, str]]:
    """Columns of a rule on rows of `table`, and their types; `names` gains them."""
    made: dict[str, Any] = {}
    types: dict[str, str] = {}
    own = [*table.columns]
    for position in range(w.one([*range(most + 1), *range(1, most + 1)])):
        name = column_name(w, position)
        if lookups and w.chance(6):
            made[name], types[name], seen = lookup(w, names, [*own, *made])
            if next(iter(made[name])) in ROW_PICKS:
                dotted = w.one(list(seen.columns))
                if seen.columns[dotted] != "list":
                    names[seen.columns[dotted]].append(f"{name}.{dotted}")
        else:
            made[name], types[name] = typed(w, names)
        names[types[name]].append(name)
    if w.chance(3):
        made = dict(reversed(made.items()))
    return made, types


def column_name(w: World, position: int) -> str:
    """A name of its own for each column of each rule, so that its type is known wherever it is named."""
    return f"{'klmnopqr'[len(w.rules)]}{position}"


def from_rule(w: World, name: str, table: Table | None = None, index: bool = False) -> Table:
    """A `from` rule; `index`: at most one row a patient."""
    if index:
        table = w.one([t for t in w.tables if t.name in ("infusion_a", "upstream") and t.kind == "moments"])
    table = table or w.table()
    rule: dict[str, Any] = {"from": table.name}
    kind = table.kind
    if table.of_events and table.name != "event" and not index and w.chance(2):
        rule["from"] = w.some(["crp", "ferritin", "drug", "drug_a", "weight"], 1, 3)
        table = Table("listed", "moments", EVENT_COLUMNS, of_events=True)
    own = dict(table.columns)
    if table.of_events and not index and w.chance(3):
        rule["spans"], kind = "true", "spans"
        own = {"start_time": "time", **own}
    seen = Table(table.name, kind, own, table.attributes, table.of_events)
    names = names_of(seen, w)
    if not index and kind != "facts" and w.chance(3):
        types = grouped(w, seen, names, rule)
    else:
        made, types = columns(w, seen, names)
        if made:
            rule["columns"] = made
        if w.chance(4):
            rule["where"] = condition(w, names)
        if not index and w.chance(2):
            rule["steps"] = {f"s{n}": truth(w, names, 1) for n in range(w.draw(st.integers(1, 3)))}
            types = {"included": "truth", "excluded_at": "word"} | {s: "truth" for s in rule["steps"]} | types
    if index or (kind != "facts" and w.chance(2)):
        rule["keep"] = w.one(["first", "last"])
    return add(w, name, rule, kind, types)


def grouped(w: World, table: Table, names: Names, rule: dict[str, Any]) -> dict[str, str]:
    """`group_by` and the columns that aggregate."""
    if w.chance(4):
        rule["where"] = condition(w, names, 1)
    keys = w.some([c for c, kind in table.columns.items() if kind in ("word", "time", "truth")], 1, 2)
    rule["group_by"] = keys
    made, types = {}, {}
    outer: Names = {"number": [], "time": [], "word": [], "truth": []}
    add_common(outer, w)
    for key in keys:
        outer[table.columns[key]].append(key)
    for position in range(w.draw(st.integers(1, 3))):
        column = column_name(w, position)
        later = position and w.chance(4)
        made[column], types[column] = typed(w, outer, 1) if later else aggregate(w, names)
        if types[column] != "list":
            outer[types[column]].append(column)
    rule["columns"] = made
    return types


def grade_rule(w: World, name: str) -> Table:
    rule: dict[str, Any] = {"grade": "", "hold": w.one(["12h", "24h", "2d", "0h", "inf", "$hold"]), "findings": {}}
    each = w.chance(1)
    if each:
        del rule["hold"]
    for group, low, high in (("findings", 1, 3), ("context", 0, 2)):
        for position in range(w.draw(st.integers(low, high))):
            made = rule.setdefault(group, {})[f"{group[0]}{position}"] = observed(w)
            if each or ((position or group == "context") and w.chance(3)):
                made["hold"] = w.one([*DURATIONS, "inf"])
    levels = [*rule["findings"], *rule.get("context", {})]
    names: Names = {
        "number": [*levels],
        "time": ["time", *(f"{level}.time" for level in levels)],
        "word": [],
        "truth": [],
    }
    add_common(names, w)
    if w.chance(3):
        only: Names = {"number": [], "time": ["time"], "word": [], "truth": []}
        add_common(only, w)
        rule["where"] = condition(w, only, 1)
    declared, types = columns(w, Table("", "moments", {"time": "time"}), names, 2, lookups=False)
    if declared:
        rule["columns"] = declared
    first, second = w.one(levels), w.one(levels)
    rule["grade"] = w.one(
        [
            first,
            f"greatest({', '.join(levels)})" if len(levels) > 1 else f"coalesce({first}, 0)",
            f"coalesce({first}, 0) + coalesce({second}, 0)",
            f"case when {truth(w, names, 1)} then {first} else {second} end",
            f"case when {first}.time >= {second}.time then {first} when {second} is null then 9 end",
        ]
    )
    return add(w, name, rule, "moments", types | {"grade": "number"} | {f: "number" for f in rule["findings"]})


def observed(w: World) -> dict[str, Any]:
    """A finding or a context."""
    if w.chance(2):
        of: Any = w.some(["crp", "ferritin", "oxygen", "drug"], 2, 3)
        names, runs = names_of(Table("", "moments", EVENT_COLUMNS), w), True
    else:
        table = w.table("moments", "spans")
        of, names = table.name, names_of(table, w)
        runs = table.of_events or table.kind == "spans"
    own = [n for n in names["number"] if not n.startswith(("index", "$"))]
    whole = "value" if "value" in own and w.chance(6) else w.one([*own, "1"])
    level = w.one([whole, whole, f"case when {truth(w, names, 1)} then {w.one([0, 1, 2])} when {whole} > 1 then 3 end"])
    made = {"of": of, "level": level}
    if runs and w.chance(4):
        made["interval"] = "true"
    return made


def episodes_rule(w: World, name: str) -> Table:
    spans = [t for t in w.tables if t.kind == "spans"]
    table = w.one(spans) if spans and w.chance(4) else w.table("moments", "spans")
    rule: dict[str, Any] = {"episodes": table.name, "gap": w.one([*DURATIONS, "$gap"])}
    if table.of_events and table.name != "event" and w.chance(2):
        rule["episodes"] = w.some(["crp", "ferritin", "drug", "oxygen", "weight"], 2, 3)
        table = Table("", "moments", EVENT_COLUMNS)
    names = names_of(table, w)
    if w.chance(4):
        rule["where"] = condition(w, names)
    made, types, apart = {}, {}, {}
    outer: Names = {"number": [], "time": ["start_time", "end_time"], "word": [], "truth": []}
    add_common(outer, w)
    options = [c for c, kind in table.columns.items() if kind != "list" and c not in IMPLICIT]
    if options and w.chance(4):
        rule["by"] = w.some(options, 1, 2)
        apart = {column: table.columns[column] for column in rule["by"]}
        for column, kind in apart.items():
            outer[kind].append(column)
        outer["number"] += [f"concept.{a}" for a in table.attributes if "concept" in apart]
    for position in range(w.draw(st.integers(0, 3))):
        column = column_name(w, position)
        later = position and w.chance(4)
        made[column], types[column] = typed(w, outer, 1) if later else aggregate(w, names)
        if types[column] != "list":
            outer[types[column]].append(column)
    if made:
        rule["columns"] = made
    return add(w, name, rule, "spans", types, apart)


def pairs_rule(w: World, name: str) -> Table:
    table = w.table()
    names = names_of(table, w)
    rule: dict[str, Any] = {"pairs": table.name}
    made, types = columns(w, table, names, 2)
    if made:
        rule["columns"] = made
    own = [*table.columns, *made]
    by_rule = [t for t in w.tables if t.analytes] or ([analyte_rule(w, f"{name}_wells")] if w.chance(2) else [])
    shared = w.chance(5)
    groups = []
    left = ["crp", "ferritin", "drug_b", "drug_c", "weight"]
    for position in range(w.draw(st.integers(1, 2))):
        if by_rule and position == 0 and w.chance(7):
            group: dict[str, Any] = {"of": w.one(by_rule).name}
            column, left = "v", ["drug_b", "drug_c", "weight"]
        else:
            chosen = w.some(left, 1, 2)
            left = [c for c in left if c not in chosen]
            group, column = {"of": chosen if len(chosen) > 1 or w.chance(3) else chosen[0]}, "value"
        for side in (["baseline"] if shared else []) + ["before", "after"]:
            group[side], _, _ = lookup(w, names, own, side_of=column)
            if column == "v":
                group[side].pop("where", None)
        groups.append(group)
    rule["analytes"] = groups
    sides = ["baseline"] if shared else []
    values = [f"{side}_value" for side in (*sides, "before", "after")]
    numbers = dict.fromkeys([*values, "change", "percent_change", "ratio"], "number")
    return add(w, name, rule, "facts", types | {"analyte": "word", "missing": "word", "complete": "truth"} | numbers)


def spans_rule(w: World, name: str) -> Table:
    """Events as spans, nothing else: what overlaps, contains and touches."""
    table = w.one([t for t in w.tables if t.name in ("crp", "oxygen", "drug")])
    rule = {"from": table.name, "spans": "true", "columns": {"v": "value", "what": "concept"}}
    return add(w, name, rule, "spans", {"v": "number", "what": "word"})


def analyte_rule(w: World, name: str) -> Table:
    """A `from` rule over concepts with a column `analyte`, as `pairs` may read it."""
    concepts = w.some(["crp", "ferritin"], 1, 2)
    rule = {"from": concepts, "columns": {"analyte": "concept", "v": "avg(value)"}, "group_by": ["time", "concept"]}
    table = add(w, name, rule, "moments", {"analyte": "word", "v": "number"})
    w.tables[-1] = Table(table.name, table.kind, table.columns, analytes=True)
    return w.tables[-1]


def params_of(w: World, rule: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The parameters that the rule uses."""
    text = str(rule)
    known = {
        "limit": w.one([{"default": "1"}, {"default": "2.5"}, {"default": "0.25", "unit": "mg/dL", "of": "crp"}]),
        "word": {"default": "brief"},
        "strict": {"default": "false", "meaning": "whether to be strict"},
        "wait": {"default": "12h"},
        "gap": {"default": "6h"},
        "hold": {"default": "12h"},
    }
    return {param: about for param, about in known.items() if f"${param}" in text}


PROMISES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "number": ({"between": ["0", "2"]}, {"between": ["1", "null"]}, {"between": ["null", "3"]}, {"type": "DOUBLE"}),
    "word": ({"one_of": ["brief", "oral"]}, {"type": "VARCHAR"}),
    "time": ({"type": "TIMESTAMP"}, {"type": "DATE"}),
    "truth": ({"type": "BOOLEAN"}, {"unit": "1", "meaning": "a truth"}),
}


def promise(w: World, rule: dict[str, Any], types: Mapping[str, str]) -> None:
    """A column that promises something; many a row breaks it."""
    name = w.one(list(rule["columns"]))
    column = rule["columns"][name]
    made = {"nullable": "false"} if w.chance(3) else w.one(PROMISES.get(types[name], ({"nullable": "false"},)))
    if not isinstance(column, dict):
        rule["columns"][name] = {"sql": column, **made}
    elif "type" not in made:
        column.update(made)


def add(
    w: World, name: str, rule: dict[str, Any], kind: str, types: Mapping[str, str], more: Mapping[str, str] = {}
) -> Table:
    """Keep the rule, with the parameters that it uses, and its table, which has `more` columns than it declares."""
    if rule.get("columns") and w.chance(1):
        promise(w, rule, types)
    table = table_of(name, kind, {**more, **types})
    if w.chance(1):
        names = names_of_row(table)
        rule["checks"] = {f"check {n}": truth(w, names, 1) for n in range(w.draw(st.integers(1, 2)))}
    params = params_of(w, rule)
    w.rules[name] = {"params": params, **rule} if params else rule
    w.tables.append(table)
    return table


def names_of_row(table: Table) -> Names:
    """What a check may name: the columns of the finished row, and parameters."""
    names: Names = {"number": ["$limit"], "time": [], "word": ["$word"], "truth": []}
    for column, kind in table.columns.items():
        names[kind].append(column)
    return names


def table_of(name: str, kind: str, types: Mapping[str, str]) -> Table:
    """What other rules can read of a rule."""
    implied = {"moments": {"time": "time", "day": "number"}, "facts": {}}
    implied["spans"] = {"start_time": "time", "end_time": "time", "start_day": "number", "end_day": "number"}
    return Table(name, kind, {"number": "number"} | implied[kind] | {c: t for c, t in types.items() if t != "list"})


@dataclass(frozen=True)
class Study:
    """A rule set as YAML, the parameters of the run, and the cells of each patient's events."""

    rules: str
    set: Mapping[str, str]
    patients: tuple[tuple[Mapping[str, str], tuple[Mapping[str, str], ...]], ...]


MAKERS = {
    "from": from_rule,
    "a second from": from_rule,
    "grade": grade_rule,
    "episodes": episodes_rule,
    "more episodes": episodes_rule,
    "pairs": pairs_rule,
    "wells": analyte_rule,
    "stays": spans_rule,
}


@st.composite
def studies(draw: Draw, least: int = 1, most: int = 6) -> Study:
    """Random rules, and random patients, at least and at most so many."""
    w = World(draw, event_tables())
    if w.chance(2):
        upstream = from_rule(w, "upstream")
        # Its days are counted from the index: the index rule may not name them.
        known = {column: kind for column, kind in upstream.columns.items() if "day" not in column}
        w.tables[-1] = Table("upstream", upstream.kind, known)
    if w.chance(6):
        w.index = from_rule(w, "zero", index=True)
        w.rules = {"ruleset": {"index": "zero"}, **w.rules}
    for position in range(draw(st.integers(2, 4))):
        MAKERS[w.one(list(MAKERS))](w, f"r{position}")
    used = [f"{name}.{p}" for name, rule in w.rules.items() for p in rule.get("params", {})]
    chosen = draw(st.lists(st.sampled_from(used), unique=True)) if used and w.chance(5) else []
    other = {"limit": "2", "word": "oral", "strict": "true", "wait": "30min", "gap": "2d", "hold": "24h"}
    settings = {name: other[name.split(".")[1]] for name in chosen}
    patients = draw(st.lists(st.tuples(PERSON, EVENTS), min_size=least, max_size=most))
    return Study(yaml.dump(w.rules, Dumper=yaml.CSafeDumper, sort_keys=False, width=10_000), settings, tuple(patients))

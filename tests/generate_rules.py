"""Random rule sets and random cohorts, small and full of ties, bounds and unknowns; knows no engine.

A rule set is drawn as plain data and handed on as YAML text, so that a failure can be read, and pasted into tests/spec.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from hypothesis import strategies as st

from timeline.rules import PICKS_WITHOUT_COLUMN, ROW_PICKS

Draw = Callable[[st.SearchStrategy[Any]], Any]
Names = dict[str, list[str]]
"""What may be written, by type: number, time, word, truth."""
DURATIONS = ("12h", "24h", "24h", "2d", "2d", "1w", "6h", "30min", "0h")
CONCEPTS = ("crp", "ferritin", "drug_a", "drug_b", "oxygen", "infusion_a", "weight", "seizure", "temperature")
COMMON = ("crp", "crp", "crp", "ferritin", "drug", "drug", "oxygen", "event", "patient")
"""Relations read oftener than others, so that rules find something."""
PICKS = ("first", "last", "nearest", "min", "max", "mean", "median", "sum", "count", "any")
EVENT_COLUMNS = {
    "time": "time",
    "end_time": "time",
    "value": "number",
    "concept": "word",
    "text": "word",
    "route": "word",
    "bound": "word",
}


@dataclass(frozen=True)
class Table:
    """A relation that rules may read: its kind, and its columns by type."""

    name: str
    kind: str
    columns: Mapping[str, str]
    attributes: tuple[str, ...] = ()
    of_events: bool = False
    analytes: bool = False

    @property
    def times(self) -> tuple[str, ...]:
        return {"moments": ("time",), "spans": ("start_time", "end_time"), "facts": ()}[self.kind]


@dataclass
class World:
    """What has been drawn so far."""

    draw: Draw
    tables: list[Table]
    index: Table | None = None
    rules: dict[str, Any] = field(default_factory=dict)

    def one(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, of_ten: int) -> bool:
        """True in about `of_ten` of ten draws; shrinks to False."""
        return self.draw(st.integers(0, 9)) >= 10 - of_ten

    def table(self, *kinds: str) -> Table:
        """A relation to read: a rule's where there is one, mostly; else a concept, mostly a common one."""
        fit = [t for t in self.tables if t.kind in (kinds or ("moments", "spans", "facts"))]
        derived = [t for t in fit if t.name in self.rules]
        if derived and self.chance(6):
            return self.one(derived)
        common = [t for name in COMMON for t in fit if t.name == name]
        return self.one(common if common and self.chance(7) else fit)

    def some(self, options: Sequence[Any], low: int, high: int) -> list[Any]:
        return self.draw(st.lists(st.sampled_from(options), min_size=low, max_size=high, unique=True))


def event_tables() -> list[Table]:
    """The relations that are there before any rule."""
    found = [
        Table(name, "moments", EVENT_COLUMNS, ("strength",) if name in ("drug_a", "drug_b") else (), of_events=True)
        for name in CONCEPTS
    ]
    found.append(Table("drug", "moments", EVENT_COLUMNS, ("strength",), of_events=True))
    found.append(Table("event", "moments", {**EVENT_COLUMNS, "implausible": "truth"}, ("strength",), of_events=True))
    found.append(Table("patient", "facts", {"sex": "word", "birth_date": "time"}))
    return found


# Names and expressions.


def names_of(table: Table, world: World, params: bool = True) -> Names:
    """What an expression may name on a row of `table`."""
    names: Names = {"number": [], "time": [], "word": [], "truth": []}
    for column, kind in table.columns.items():
        names[kind].append(column)
    names["number"] += [f"concept.{a}" for a in table.attributes]
    add_common(names, world, params)
    return names


def add_common(names: Names, world: World, params: bool = True) -> None:
    names["word"].append("patient.sex")
    names["time"].append("patient.birth_date")
    if world.index:
        for column, kind in world.index.columns.items():
            names[kind].append(f"index.{column}")
    if params:
        names["number"].append("$limit")
        names["word"].append("$word")
        names["truth"].append("$strict")


def number(w: World, names: Names, depth: int = 2) -> str:
    kinds = (
        ["plain"] if depth == 0 else ["plain", "plain", "sum", "product", "quotient", "two", "case", "hours", "unary"]
    )
    if not names["time"]:
        kinds = [kind for kind in kinds if kind != "hours"]
    match w.one(kinds):
        case "sum":
            return f"{number(w, names, depth - 1)} {w.one('+-')} {number(w, names, 0)}"
        case "product":
            return f"({number(w, names, depth - 1)}) * {w.one([2, 3, -1])}"
        case "quotient":
            return f"({number(w, names, depth - 1)}) {w.one(['/', '/', '%'])} ({number(w, names, 0)})"
        case "two":
            function = w.one(["greatest", "least", "coalesce", "nullif"])
            return f"{function}({number(w, names, depth - 1)}, {number(w, names, 0)})"
        case "case":
            other = f" else {number(w, names, 0)}" if w.chance(5) else ""
            return f"case when {truth(w, names, depth - 1)} then {number(w, names, 0)}{other} end"
        case "hours":
            return f"hours_between({time(w, names, 1)}, {time(w, names, 1)})"
        case "unary":
            return f"{w.one(['abs', 'floor'])}({number(w, names, depth - 1)})"
    return w.one([*names["number"], *names["number"], *names["number"], "0", "1", "2", "10", "2.5"])


def time(w: World, names: Names, depth: int = 1) -> str:
    """A time; the caller has seen that there is one."""
    if depth == 0:
        own = [name for name in names["time"] if "." not in name]
        return w.one(own if own and w.chance(7) else names["time"])
    match w.one(["plain", "plus", "plus", "midnight", "two", "case"]):
        case "plus":
            length = w.one([*DURATIONS, *(["$wait"] if "$limit" in names["number"] else [])])
            return f"{time(w, names, 0)} {w.one('+-')} {length}"
        case "midnight":
            return f"next_midnight({time(w, names, 0)})"
        case "two":
            return f"{w.one(['greatest', 'least', 'coalesce'])}({time(w, names, 0)}, {time(w, names, 0)})"
        case "case":
            return f"case when {truth(w, names, 0)} then {time(w, names, 0)} end"
    return time(w, names, 0)


def word(w: World, names: Names, depth: int = 1) -> str:
    if depth and w.chance(3):
        return f"case when {truth(w, names, depth - 1)} then 'brief' else {word(w, names, 0)} end"
    return w.one([*names["word"], "'brief'", "'oral'"])


def truth(w: World, names: Names, depth: int = 2) -> str:
    kinds = ["compare", "compare", "compare", "null", "word", "plain"]
    kinds += ["and", "or", "not", "between", "in"] if depth else []
    kinds += ["time", "time", "hours"] if names["time"] else []
    kinds += ["bound"] if "bound" in names["word"] else []
    kind = w.one(kinds)
    if kind in ("and", "or"):
        return f"({truth(w, names, depth - 1)} {kind} {truth(w, names, depth - 1)})"
    if kind == "not":
        return f"not ({truth(w, names, depth - 1)})"
    if kind == "compare":
        return f"{number(w, names, min(depth, 1))} {w.one(['<', '<=', '>', '>=', '=', '<>'])} {number(w, names, 0)}"
    return test(w, names, kind)


def test(w: World, names: Names, kind: str) -> str:
    """A condition that holds no other."""
    match kind:
        case "between":
            return f"{number(w, names, 0)} between {number(w, names, 0)} and {number(w, names, 0)}"
        case "in":
            return f"{word(w, names, 0)} in ('brief', 'oral', {word(w, names, 0)})"
        case "null":
            anything = w.one([name for kind in names.values() for name in kind])
            return f"{anything} is {w.one(['null', 'not null'])}"
        case "word":
            return f"{word(w, names, 0)} {w.one(['=', '<>', 'is distinct from'])} {word(w, names, 0)}"
        case "time":
            return f"{time(w, names, 1)} {w.one(['<', '<=', '>', '>=', '='])} {time(w, names, 0)}"
        case "hours":
            return f"hours_between({time(w, names, 0)}, {time(w, names, 0)}) >= {w.one([0, 6, 12, 24, 48])}"
        case "bound":
            return f"{w.one(['below', 'above'])}(value, bound, {number(w, names, 0)})"
    return w.one([*names["truth"], "true"])


def typed(w: World, names: Names, depth: int = 2) -> tuple[str, str]:
    """An expression of any type, and its type."""
    kind = w.one(["number", "number", "truth", "word", *(["time"] if names["time"] else [])])
    return {"number": number, "truth": truth, "word": word, "time": time}[kind](w, names, min(depth, 2)), kind


def aggregate(w: World, names: Names) -> tuple[str, str]:
    """An aggregate over rows that have `names`, and its type."""
    only = f" filter (where {truth(w, names, 1)})" if w.chance(2) else ""
    match w.one(["count", "distinct", "fold", "fold", "order", "order", "arg", "arg", "truth", "star"]):
        case "star":
            return f"count(*){only}", "number"
        case "count":
            return f"count({number(w, names, 1)}){only}", "number"
        case "distinct":
            return f"count(distinct {typed(w, names, 0)[0]}){only}", "number"
        case "fold":
            return f"{w.one(['sum', 'avg', 'median', 'min', 'max'])}({number(w, names, 1)}){only}", "number"
        case "truth":
            return f"{w.one(['bool_or', 'bool_and'])}({truth(w, names, 1)}){only}", "truth"
        case "arg":
            text, kind = typed(w, names, 0)
            return f"{w.one(['arg_max', 'arg_min'])}({text}, {typed(w, names, 0)[0]}){only}", kind
    text, kind = typed(w, names, 1)
    function = w.one(["first", "last", "list", *(["min", "max"] if kind != "truth" else [])])
    return f"{function}({text}){only}", kind if function != "list" else "list"


def condition(w: World, names: Names, depth: int = 2) -> str:
    """A `where`, oftener than not one that some rows pass."""
    usual = [
        f"{name} {sign} {bound}" for name in names["number"] for sign, bound in ((">=", 1), ("<", 3)) if "." not in name
    ]
    usual += [f"{name} >= index.time" for name in names["time"] if "index.time" in names["time"] and "." not in name]
    return w.one(usual) if usual and w.chance(6) else truth(w, names, depth)


# Lookups.


def lookup(w: World, names: Names, base_columns: Sequence[str], side_of: str | None = None) -> tuple[dict, str, Table]:
    """A lookup, its type, and what it looks at; `side_of`: a column to read, the relation being given elsewhere."""
    table = Table("", "moments", EVENT_COLUMNS, of_events=True) if side_of else w.table()
    picks = [pick for pick in PICKS if pick not in (PICKS_WITHOUT_COLUMN if side_of else ())]
    if table.kind == "facts":
        picks = [pick for pick in picks if pick not in ("nearest", "first", "last")]
    if not names["time"]:
        picks = [pick for pick in picks if pick != "nearest"]
    pick = w.one(picks)
    made: dict[str, Any] = {}
    if pick in PICKS_WITHOUT_COLUMN:
        made[pick], kind = table.name, {"count": "number", "any": "truth"}[pick]
    elif side_of:
        made[pick], kind = side_of, "number"
    else:
        folds = pick not in ROW_PICKS
        columns = [c for c, kind in table.columns.items() if kind != "list" and (not folds or kind == "number")]
        if not columns:
            return lookup(w, names, base_columns)
        column = w.one(columns)
        made[pick], kind = f"{table.name}.{column}", table.columns[column]
    if pick == "nearest":
        made["to"] = time(w, names, 1)
    if table.kind != "facts" and (side_of or w.chance(8)):
        made[w.one(["overlaps", "in"]) if table.kind == "spans" else "in"] = window(w, names)
    if w.chance(3):
        seen = names_of(table, w) if not side_of else names_of(w.tables[0], w)
        for kind_of in ("number", "time", "word"):
            seen[kind_of] += [f"base.{name}" for name in names[kind_of] if name in base_columns]
        made["where"] = condition(w, seen, 1)
    return made, kind, table


def window(w: World, names: Names) -> str:
    """A window; mostly one that begins before it ends."""
    left, right = w.one("[("), w.one("])")
    if not names["time"]:
        return f"{left}-inf, inf{right}"
    at, length = time(w, names, 0), w.one(DURATIONS)
    around = [
        (f"{at} - {length}", f"{at} + {length}"),
        (f"{at} - {length}", at),
        (at, f"{at} + {length}"),
        ("-inf", at),
        (at, "inf"),
        (at, at),
        ("-inf", time(w, names, 1)),
        (time(w, names, 1), "inf"),
        (time(w, names, 1), time(w, names, 1)),
    ]
    lower, upper = w.one(around)
    return f"{left}{lower}, {upper}{right}"


# Rules.


def columns(w: World, table: Table, names: Names, most: int = 4, lookups: bool = True) -> tuple[dict, dict[str, str]]:
    """Columns of a rule on rows of `table`, and their types; `names` gains them."""
    made: dict[str, Any] = {}
    types: dict[str, str] = {}
    own = [*table.columns]
    for position in range(w.draw(st.integers(0, most))):
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
    rule: dict[str, Any] = {"grade": "", "hold": w.one([*DURATIONS, "inf", "$hold"]), "findings": {}}
    for group, low, high in (("findings", 1, 3), ("context", 0, 2)):
        for position in range(w.draw(st.integers(low, high))):
            made = rule.setdefault(group, {})[f"{group[0]}{position}"] = observed(w)
            if (position or group == "context") and w.chance(3):
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
    table = w.table("moments", "spans")
    rule: dict[str, Any] = {"episodes": table.name, "gap": w.one([*DURATIONS, "$gap"])}
    if table.of_events and table.name != "event" and w.chance(2):
        rule["episodes"] = w.some(["crp", "ferritin", "drug", "oxygen", "weight"], 2, 3)
        table = Table("", "moments", EVENT_COLUMNS)
    names = names_of(table, w)
    if w.chance(4):
        rule["where"] = condition(w, names)
    made, types = {}, {}
    outer: Names = {"number": [], "time": ["start_time", "end_time"], "word": [], "truth": []}
    add_common(outer, w)
    for position in range(w.draw(st.integers(0, 3))):
        column = column_name(w, position)
        later = position and w.chance(4)
        made[column], types[column] = typed(w, outer, 1) if later else aggregate(w, names)
        if types[column] != "list":
            outer[types[column]].append(column)
    if made:
        rule["columns"] = made
    return add(w, name, rule, "spans", types)


def pairs_rule(w: World, name: str) -> Table:
    table = w.table()
    names = names_of(table, w)
    rule: dict[str, Any] = {"pairs": table.name}
    made, types = columns(w, table, names, 2)
    if made:
        rule["columns"] = made
    own = [*table.columns, *made]
    by_rule = [t for t in w.tables if t.analytes]
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


def analyte_rule(w: World, name: str) -> Table:
    """A `from` rule over concepts with a column `analyte`, as `pairs` may read it."""
    concepts = w.some(["crp", "ferritin"], 1, 2)
    rule = {"from": concepts, "columns": {"analyte": "concept", "v": "avg(value)"}, "group_by": ["time", "concept"]}
    table = add(w, name, rule, "moments", {"analyte": "word", "v": "number"})
    w.tables[-1] = Table(table.name, table.kind, table.columns, analytes=True)
    return w.tables[-1]


def add(w: World, name: str, rule: dict[str, Any], kind: str, types: Mapping[str, str]) -> Table:
    """Keep the rule, with the parameters that it uses, and its table."""
    text = yaml.safe_dump(rule, width=10_000)
    known = {
        "limit": w.one(["1", "2.5"]),
        "word": "brief",
        "strict": "false",
        "wait": "12h",
        "gap": "6h",
        "hold": "12h",
    }
    params = {param: {"default": value} for param, value in known.items() if f"${param}" in text}
    w.rules[name] = {"params": params, **rule} if params else rule
    implied = {"moments": {"time": "time", "day": "number"}, "facts": {}}
    implied["spans"] = {"start_time": "time", "end_time": "time", "start_day": "number", "end_day": "number"}
    table = Table(name, kind, {"number": "number"} | implied[kind] | {c: t for c, t in types.items() if t != "list"})
    w.tables.append(table)
    return table


@dataclass(frozen=True)
class Study:
    """A rule set as YAML, the parameters of the run, and the cells of each patient's events."""

    rules: str
    set: Mapping[str, str]
    patients: tuple[tuple[Mapping[str, str], tuple[Mapping[str, str], ...]], ...]


@st.composite
def studies(draw: Draw, people: int = 4) -> Study:
    w = World(draw, event_tables())
    if w.chance(2):
        upstream = from_rule(w, "upstream")
        # Its days are counted from the index: the index rule may not name them.
        known = {column: kind for column, kind in upstream.columns.items() if "day" not in column}
        w.tables[-1] = Table("upstream", upstream.kind, known)
    if w.chance(6):
        w.index = from_rule(w, "zero", index=True)
        w.rules = {"ruleset": {"index": "zero"}, **w.rules}
    makers = {
        "from": from_rule,
        "grade": grade_rule,
        "episodes": episodes_rule,
        "pairs": pairs_rule,
        "wells": analyte_rule,
    }
    for position in range(draw(st.integers(2, 4))):
        makers[w.one(["from", "from", "grade", "episodes", "episodes", "pairs", "wells"])](w, f"r{position}")
    used = [f"{name}.{p}" for name, rule in w.rules.items() for p in rule.get("params", {})]
    chosen = draw(st.lists(st.sampled_from(used), unique=True)) if used and w.chance(5) else []
    other = {"limit": "2", "word": "oral", "strict": "true", "wait": "30min", "gap": "2d", "hold": "24h"}
    settings = {name: other[name.split(".")[1]] for name in chosen}
    patients = draw(st.lists(st.tuples(PERSON, EVENTS), min_size=1, max_size=people))
    return Study(yaml.safe_dump(w.rules, sort_keys=False, width=10_000), settings, tuple(patients))


TIMES = tuple(f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in (0, 6, 12, 18, 24, 36, 48, 72))
PERSON = st.fixed_dictionaries(
    {"sex": st.sampled_from(["", "F", "M"]), "birth_date": st.sampled_from(["", "1960-01-01"])}
)


OTHER = ["weight", "seizure", "temperature", "drug_c", "unmapped"]


def _event(code: str, time: str, end_time: str, value: str, text: str, route: str) -> Mapping[str, str]:
    cells = {"code": code, "time": time, "end_time": end_time, "value": value, "text": text, "route": route}
    return cells | ({"time": ""} if code == "weight" and value == "2" else {})


EVENT = st.builds(
    _event,
    code=st.sampled_from(["crp"] * 4 + ["ferritin", "drug_a", "drug_b", "oxygen", "infusion_a"] * 2 + OTHER),
    time=st.sampled_from([*TIMES, "2024-01-01 06:30", "2024-01-09 00:00"]),
    end_time=st.sampled_from(["", "", "", *TIMES[2:]]),
    value=st.sampled_from(["", "0", "1", "1", "2", "2", "3", "3", "2.5", "30", "<2", ">=1"]),
    text=st.sampled_from(["", "", "brief", "prolonged"]),
    route=st.sampled_from(["", "", "oral", "intravenous"]),
)
EVENTS = (
    st.sampled_from([6, 6, 6, 0]).flatmap(lambda least: st.lists(EVENT, min_size=least, max_size=least + 10)).map(tuple)
)
"""A patient's events: mostly enough for rules to find something, sometimes hardly any."""

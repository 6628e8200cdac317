"""Random expressions, windows and lookups over relations whose columns have known types; knows no rule."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.generate_functions import AGGREGATES, TEMPLATES
from timeline.rules import PICKS_WITHOUT_COLUMN, ROW_PICKS

Draw = Callable[[st.SearchStrategy[Any]], Any]
Names = dict[str, list[str]]
"""What may be written, by type: number, time, word, truth."""
DURATIONS = ("12h", "24h", "24h", "2d", "2d", "1w", "6h", "30min", "0h")
CONCEPTS = ("crp", "ferritin", "drug_a", "drug_b", "oxygen", "infusion_a", "weight", "seizure", "temperature")
COMMON = ("crp", "crp", "crp", "ferritin", "drug", "drug", "oxygen", "event", "patient")
"""Relations read oftener than others, so that rules find something."""
PICKS = ("first", "last", "nearest", "min", "max", "mean", "median", "sum", "count", "count", "any")
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
            operators = sorted({self.operator(t) for t in derived})
            chosen = self.one(operators)
            return self.one([t for t in derived if self.operator(t) == chosen])
        common = [t for name in COMMON for t in fit if t.name == name]
        return self.one(common if common and self.chance(7) else fit)

    def operator(self, table: Table) -> str:
        return next(key for key in ("from", "grade", "episodes", "pairs") if key in self.rules[table.name])

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


def filled(w: World, names: Names, template: str) -> str:
    """The template with its holes filled."""
    makers = {"{n}": number, "{t}": time, "{w}": word, "{b}": truth}
    parts = re.split(r"({[ntwb]})", template)
    return "".join(makers[part](w, names, 0) if part in makers else part for part in parts)


def by_template(w: World, names: Names, kind: str) -> str:
    """An expression of that kind by one of the templates; the caller has depth to spare."""
    return filled(w, names, w.one([t for t in TEMPLATES[kind] if names["time"] or "{t}" not in t]))


def number(w: World, names: Names, depth: int = 2) -> str:
    if depth and w.chance(4):
        return by_template(w, names, "number")
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
    if depth and w.chance(4):
        return by_template(w, names, "time")
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
    if depth and w.chance(5):
        return by_template(w, names, "word")
    if depth and w.chance(3):
        return f"case when {truth(w, names, depth - 1)} then 'brief' else {word(w, names, 0)} end"
    return w.one([*names["word"], "'brief'", "'oral'"])


def truth(w: World, names: Names, depth: int = 2) -> str:
    if depth and w.chance(4):
        return by_template(w, names, "truth")
    kinds = ["compare", "compare", "compare", "null", "word", "plain"]
    kinds += ["and", "or", "not", "between", "in"] if depth else []
    kinds += ["time", "time", "hours"] if names["time"] else []
    kinds += ["bound"] if "bound" in names["word"] and "value" in names["number"] else []
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
    if w.chance(5):
        template, kind = w.one(AGGREGATES)
        return filled(w, names, template), kind
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


def lookup(w: World, names: Names, base_columns: Sequence[str], side_of: str | None = None) -> tuple[dict, str, Table]:
    """A lookup, its type, and what it looks at; `side_of`: a column to read, the relation being given elsewhere."""
    table = Table("", "moments", EVENT_COLUMNS, of_events=True) if side_of else looked_at(w)
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
        made[w.one(["overlaps", "overlaps", "in"]) if table.kind == "spans" else "in"] = window(w, names)
    if w.chance(3):
        seen = names_of(table, w) if not side_of else names_of(w.tables[0], w)
        for kind_of in ("number", "time", "word"):
            seen[kind_of] += [f"base.{name}" for name in names[kind_of] if name in base_columns]
        made["where"] = condition(w, seen, 1)
    return made, kind, table


def looked_at(w: World) -> Table:
    """A relation to look up; often spans, if there are some."""
    spans = [t for t in w.tables if t.kind == "spans"]
    return w.one(spans) if spans and w.chance(4) else w.table()


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

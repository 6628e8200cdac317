"""The value of a SQL expression in plain Python, for the reference engine; knows no rule and no table.

DuckDB's parser says what the text means (a tree, by `json_serialize_sql`); everything after that, three-valued
logic, arithmetic, functions, aggregates, is worked out here, one value at a time, with no help from SQL.
"""

import datetime as dt
import json
import math
import operator
import re
import statistics
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import duckdb

Names = Callable[[tuple[str, ...]], Any]
"""What a name means here: `("value",)` or `("index", "time")` to its value; KeyError where it means nothing."""
Node = dict[str, Any]

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_DURATION = re.compile(r"\b(\d+)(min|h|d|w)\b")
_MINUTES = {"min": 1, "h": 60, "d": 1440, "w": 10080}
EPOCH = dt.datetime(1970, 1, 1)


def duration(text: str) -> dt.timedelta:
    """The elapsed time that `48h`, `-30min` stands for."""
    match = re.fullmatch(r"(-?)(\d+)(min|h|d|w)", text)
    assert match, text
    return dt.timedelta(minutes=int(match[2]) * _MINUTES[match[3]]) * (-1 if match[1] else 1)


def outside_quotes(sql: str, change: Callable[[str], str]) -> str:
    """`sql` with `change` applied to everything but its quoted strings."""
    parts = _QUOTED.split(sql)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@lru_cache(maxsize=50_000)
def parse(sql: str) -> Node:
    """The tree of one expression; durations in it become calls of `minutes_long`."""
    text = outside_quotes(
        sql, lambda part: _DURATION.sub(lambda m: f"minutes_long({int(m[1]) * _MINUTES[m[2]]})", part)
    )
    row = _parser().execute("SELECT json_serialize_sql(?::VARCHAR)", ["SELECT " + text]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    assert not tree["error"], (sql, tree.get("error_message"))
    (node,) = tree["statements"][0]["node"]["select_list"]
    return node


def evaluate(sql: str, names: Names, members: Sequence[Names] | None = None) -> Any:
    """The value of `sql`; `members` are the rows that its aggregates read, in order."""
    return value(parse(sql), names, members)


def value(node: Node, names: Names, members: Sequence[Names] | None) -> Any:
    """The value of a parsed expression."""

    def part(child: Node) -> Any:
        return value(child, names, members)

    if node["class"] == "COLUMN_REF":
        return names(tuple(node["column_names"]))
    if node["class"] == "FUNCTION" and node["function_name"] in AGGREGATES:
        assert members is not None, f"an aggregate where there are no rows: {node['function_name']}"
        return _aggregate(node, members)
    return SYNTAX[node["class"]](node, part)


def _between(node: Node, part: Callable[[Node], Any]) -> bool | None:
    it = part(node["input"])
    low = compare("COMPARE_GREATERTHANOREQUALTO", it, part(node["lower"]))
    return every([low, compare("COMPARE_LESSTHANOREQUALTO", it, part(node["upper"]))])


def _conjunction(node: Node, part: Callable[[Node], Any]) -> bool | None:
    truths = [part(child) for child in node["children"]]
    return every(truths) if node["type"] == "CONJUNCTION_AND" else some(truths)


def _case(node: Node, part: Callable[[Node], Any]) -> Any:
    for check in node["case_checks"]:
        if part(check["when_expr"]) is True:
            return part(check["then_expr"])
    return part(node["else_expr"])


SYNTAX: dict[str, Callable[[Node, Callable[[Node], Any]], Any]] = {
    "CONSTANT": lambda node, part: _constant(node["literal"]),
    "CAST": lambda node, part: cast(part(node["child"]), node["type_expr"]["type_name"].upper()),
    "COMPARISON": lambda node, part: compare(node["type"], part(node["left"]), part(node["right"])),
    "BETWEEN": _between,
    "CONJUNCTION": _conjunction,
    "CASE": _case,
    "OPERATOR": lambda node, part: _operator(node["type"], [part(child) for child in node["children"]]),
    "FUNCTION": lambda node, part: FUNCTIONS[node["function_name"]](
        *[part(a["expression"]) for a in node["arguments"]]
    ),
}


def _constant(literal: dict[str, str]) -> Any:
    text = literal["text"]
    match literal["kind"]:
        case "INTEGER":
            return int(text)
        case "NUMERIC":
            return float(text)
        case "BOOLEAN":
            return text == "true"
        case "STRING":
            return text
    assert literal["kind"] == "NULL_LITERAL", literal
    return None


def every(truths: Sequence[Any]) -> bool | None:
    """AND: false beats unknown."""
    return False if any(t is False for t in truths) else None if any(t is None for t in truths) else True


def some(truths: Sequence[Any]) -> bool | None:
    """OR: true beats unknown."""
    return True if any(t is True for t in truths) else None if any(t is None for t in truths) else False


def alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Both values as the type in which SQL compares them: dates as timestamps, quoted times as times."""
    if isinstance(a, dt.date) and isinstance(b, str):
        return alike(a, cast(b, "TIMESTAMP"))
    if isinstance(b, dt.date) and isinstance(a, str):
        return alike(cast(a, "TIMESTAMP"), b)
    if isinstance(a, dt.datetime) != isinstance(b, dt.datetime):
        return cast(a, "TIMESTAMP"), cast(b, "TIMESTAMP")
    return a, b


def compare(kind: str, a: Any, b: Any) -> bool | None:
    """A comparison: unknown where a side is unknown, save for IS [NOT] DISTINCT FROM."""
    if kind in ("COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"):
        same = (a is None) == (b is None) and (a is None or compare("COMPARE_EQUAL", a, b) is True)
        return same == (kind == "COMPARE_NOT_DISTINCT_FROM")
    if a is None or b is None:
        return None
    a, b = alike(a, b)
    return COMPARISONS[kind](a, b)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "COMPARE_EQUAL": operator.eq,
    "COMPARE_NOTEQUAL": operator.ne,
    "COMPARE_LESSTHAN": operator.lt,
    "COMPARE_LESSTHANOREQUALTO": operator.le,
    "COMPARE_GREATERTHAN": operator.gt,
    "COMPARE_GREATERTHANOREQUALTO": operator.ge,
}


def _operator(kind: str, values: list[Any]) -> Any:
    match kind:
        case "OPERATOR_NOT":
            return None if values[0] is None else not values[0]
        case "OPERATOR_IS_NULL":
            return values[0] is None
        case "OPERATOR_IS_NOT_NULL":
            return values[0] is not None
        case "OPERATOR_COALESCE":
            return next((v for v in values if v is not None), None)
        case "COMPARE_IN":
            return some([compare("COMPARE_EQUAL", values[0], v) for v in values[1:]])
    raise NotImplementedError(kind)


def cast(v: Any, kind: str) -> Any:
    """`v` as the SQL type `kind`."""
    if v is None:
        return None
    if kind in ("DATE", "TIMESTAMP"):
        moment = dt.datetime.fromisoformat(v) if isinstance(v, str) else v
        if kind == "DATE":
            return moment.date() if isinstance(moment, dt.datetime) else moment
        return moment if isinstance(moment, dt.datetime) else dt.datetime.combine(moment, dt.time())
    if kind in ("INTEGER", "INT", "BIGINT", "SMALLINT", "TINYINT", "UBIGINT", "HUGEINT", "INT64"):
        return round(float(v)) if isinstance(v, float | str) else int(v)
    if kind in ("DOUBLE", "FLOAT"):
        return float(v)
    if kind in ("VARCHAR", "TEXT", "STRING"):
        return str(v).lower() if isinstance(v, bool) else str(v)
    if kind in ("BOOLEAN", "BOOL"):
        return v == "true" if isinstance(v, str) else bool(v)
    raise NotImplementedError(kind)


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, unknown where an argument is."""
    return lambda *args: None if any(a is None for a in args) else function(*args)


def _plus(a: Any, b: Any = None) -> Any:
    if isinstance(a, dt.timedelta) and isinstance(b, dt.date):
        a, b = b, a
    if isinstance(a, dt.date) and not isinstance(a, dt.datetime):
        return cast(a, "TIMESTAMP") + b if isinstance(b, dt.timedelta) else a + dt.timedelta(days=b)
    return a + b


def _minus(*args: Any) -> Any:
    if len(args) == 1:
        return -args[0]
    a, b = args
    if isinstance(b, dt.timedelta) or (isinstance(a, dt.date) and isinstance(b, int)):
        return _plus(a, -b)
    if type(a) is dt.date and type(b) is dt.date:
        return (a - b).days
    a, b = alike(a, b)
    return a - b


def _below(v: Any, bound: str | None, x: Any) -> bool | None:
    return None if v is None or x is None else v < x or (v == x and bound in ("<", "<="))


def _above(v: Any, bound: str | None, x: Any) -> bool | None:
    return None if v is None or x is None else v > x or (v == x and bound in (">", ">="))


def _round(v: float, digits: int = 0) -> float:
    scaled = abs(v) * 10**digits
    halves_up = math.floor(scaled) + (1 if scaled - math.floor(scaled) >= 0.5 else 0)
    return math.copysign(halves_up / 10**digits, v)


def _whole(*numbers: Any) -> bool:
    return all(isinstance(number, int) for number in numbers)


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """`greatest` or `least` of what is known; dates among times are their midnights."""

    def of(*args: Any) -> Any:
        known = [a for a in args if a is not None]
        mixed = len({type(a) for a in known if isinstance(a, dt.date)}) > 1
        return choose([cast(a, "TIMESTAMP") for a in known] if mixed else known) if known else None

    return of


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": strict(_plus),
    "-": strict(_minus),
    "*": strict(lambda a, b: a * b),
    "/": strict(lambda a, b: None if b == 0 else a / b),
    "//": strict(lambda a, b: None if b == 0 else int(a / b) if _whole(a, b) else a / b),
    "%": strict(lambda a, b: None if b == 0 else int(math.fmod(a, b)) if _whole(a, b) else math.fmod(a, b)),
    "||": strict(lambda a, b: cast(a, "VARCHAR") + cast(b, "VARCHAR")),
    "~~": strict(lambda a, b: re.fullmatch(re.escape(b).replace("%", ".*").replace("_", "."), a) is not None),
    "abs": strict(abs),
    "round": strict(_round),
    "floor": strict(lambda a: float(math.floor(a))),
    "ceil": strict(lambda a: float(math.ceil(a))),
    "lower": strict(str.lower),
    "upper": strict(str.upper),
    "length": strict(len),
    "concat": lambda *args: "".join(cast(a, "VARCHAR") for a in args if a is not None),
    "concat_ws": lambda by, *args: by.join(cast(a, "VARCHAR") for a in args if a is not None),
    "log2": strict(math.log2),
    "nullif": lambda a, b: None if compare("COMPARE_EQUAL", a, b) else a,
    "if": lambda condition, yes, no: yes if condition else no,
    "greatest": _extreme(max),
    "least": _extreme(min),
    "minutes_long": lambda minutes: dt.timedelta(minutes=minutes),
    "hours_between": strict(lambda a, b: _minus(cast(b, "TIMESTAMP"), cast(a, "TIMESTAMP")) / dt.timedelta(hours=1)),
    "next_midnight": strict(lambda t: cast(cast(t, "DATE") + dt.timedelta(days=1), "TIMESTAMP")),
    "below": _below,
    "above": _above,
}


def _aggregate(node: Node, members: Sequence[Names]) -> Any:
    """An aggregate over `members`, which come by time, then evidence."""
    if node["filter"]:
        members = [m for m in members if value(node["filter"], m, None) is True]
    name = node["function_name"]
    if name == "count_star" or (name == "count" and not node["arguments"]):
        return len(members)
    rows = [tuple(value(a["expression"], m, None) for a in node["arguments"]) for m in members]
    if node["distinct"]:
        rows = list(dict.fromkeys(rows))
    return AGGREGATES[name](rows)


def _column(function: Callable[[list[Any]], Any]) -> Callable[[list[tuple[Any, ...]]], Any]:
    """`function` of the values that are not NULL; NULL where there is none."""

    def fold(rows: list[tuple[Any, ...]]) -> Any:
        known = [row[0] for row in rows if row[0] is not None]
        return function(known) if known else None

    return fold


def _at_extreme(choose: Callable[..., Any]) -> Callable[[list[tuple[Any, ...]]], Any]:
    """`arg_max(what, by)`: `what` at the first row with the extreme `by`; rows with a NULL do not take part."""

    def fold(rows: list[tuple[Any, ...]]) -> Any:
        known = [row for row in rows if None not in row]
        return choose(known, key=lambda row: row[1])[0] if known else None

    return fold


def middle(values: list[Any]) -> Any:
    """The median; of an even number, halfway between the middle two."""
    if isinstance(values[0], dt.datetime):
        return EPOCH + middle([v - EPOCH for v in values])
    if isinstance(values[0], dt.timedelta):
        return dt.timedelta(seconds=statistics.median([v.total_seconds() for v in values]))
    return float(statistics.median(values))


AGGREGATES: dict[str, Callable[[list[tuple[Any, ...]]], Any]] = {
    "count_star": len,
    "count": lambda rows: sum(row[0] is not None for row in rows),
    "sum": _column(sum),
    "avg": _column(lambda values: sum(values) / len(values)),
    "mean": _column(lambda values: sum(values) / len(values)),
    "median": _column(middle),
    "min": _column(min),
    "max": _column(max),
    "first": lambda rows: rows[0][0] if rows else None,
    "last": lambda rows: rows[-1][0] if rows else None,
    "any_value": _column(lambda values: values[0]),
    "list": lambda rows: [row[0] for row in rows] or None,
    "arg_max": _at_extreme(max),
    "arg_min": _at_extreme(min),
    "bool_or": _column(any),
    "bool_and": _column(all),
}

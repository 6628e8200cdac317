"""The value of a SQL expression in plain Python, for the reference engine; knows no rule and no table.

DuckDB's parser says what the text means (a tree, by `json_serialize_sql`); everything after that, three-valued
logic, arithmetic, functions, aggregates, is worked out here, one value at a time, with no help from SQL.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import duckdb

from tests.functions import AGGREGATES, FUNCTIONS
from tests.values import cast, compare, every, some

Names = Callable[[tuple[str, ...]], Any]
"""What a name means here: `("value",)` or `("index", "time")` to its value; KeyError where it means nothing."""
Node = dict[str, Any]

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_DURATION = re.compile(r"\b(\d+)(min|h|d|w)\b")
_MINUTES = {"min": 1, "h": 60, "d": 1440, "w": 10080}


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


def _aggregate(node: Node, members: Sequence[Names]) -> Any:
    """An aggregate over `members`, which come by time, then evidence."""
    if node["filter"]:
        members = [m for m in members if value(node["filter"], m, None) is True]
    name = node["function_name"]
    if name == "count_star" or (name == "count" and not node["arguments"]):
        return len(members)
    rows = [tuple(value(a["expression"], m, None) for a in node["arguments"]) for m in members]
    if node["distinct"]:
        # An order would be that of rows which are folded: distinct values come by size.
        rows = sorted(dict.fromkeys(rows), key=lambda row: (row[0] is not None, row[0]))
    return AGGREGATES[name](rows)

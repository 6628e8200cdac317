"""Is this SQL text one pure expression, and what does it name? DuckDB's parser answers, nothing runs.

A fragment is parsed as data (`json_serialize_sql`), checked against a short list of node kinds and
functions, and written back (`json_deserialize_sql`) once its names are resolved. Knows no rules and
no tables; what a name means is told by the caller's `resolve`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import duckdb

from timeline.rules import minutes, too_long

Tree = dict[str, Any]

SCALARS = frozenset(
    "+ - * / // % ** ^ || ~~ !~~ ~~* !~~* abs ceil floor round trunc sign sqrt exp ln log log2 log10 pow power "
    "greatest least nullif ifnull lower upper trim ltrim rtrim length strlen substr substring replace contains "
    "starts_with prefix suffix ends_with left right concat concat_ws split_part lpad rpad regexp_matches "
    "regexp_extract regexp_replace regexp_full_match date_part date_trunc year month day hour minute second "
    "dayofweek isodow week make_date make_timestamp to_hours to_minutes to_days epoch isnan isfinite "
    "list_contains len cast".split()
)
AGGREGATES = frozenset(
    "count count_star sum avg mean min max median mode first last list array_agg string_agg arg_min arg_max "
    "min_by max_by bool_and bool_or stddev stddev_samp var_samp quantile_cont quantile_disc".split()
)
ORDERED = frozenset(
    "sum avg mean list array_agg string_agg first last arg_min arg_max min_by max_by stddev stddev_samp "
    "var_samp mode".split()
)
"""Aggregates whose result depends on the order of their rows, if only in its last bits."""

DIVISIONS = ("/", "//", "%")
"""By zero they give NULL; DuckDB's own give infinity or stop the run."""

MACROS = {
    "hours_between": (("a__", "b__"), "(epoch_us(b__) - epoch_us(a__)) / 3600000000.0"),
    "next_midnight": (("t__",), "CAST(CAST(t__ AS DATE) + 1 AS TIMESTAMP)"),
    "below": (("v__", "b__", "x__"), "CASE WHEN b__ IN ('<', '<=') THEN v__ <= x__ ELSE v__ < x__ END"),
    "above": (("v__", "b__", "x__"), "CASE WHEN b__ IN ('>', '>=') THEN v__ >= x__ ELSE v__ > x__ END"),
}
"""The language's own functions. A bounded value counts as just beyond its bound; elapsed time is subtraction."""

ADVICE = {
    "date_diff": "it counts crossed boundaries; use hours_between(a, b), which is elapsed time",
    "datediff": "it counts crossed boundaries; use hours_between(a, b), which is elapsed time",
    "any_value": "its answer may change from run to run; use first(x)",
}
REFUSED = {
    "SUBQUERY": "a subquery is not allowed; an expression sees one row: write a second rule, or a lookup column",
    "WINDOW": "a window function is not allowed; use an `episodes` rule, `group_by`, or a lookup column",
    "STAR": "`*` is not allowed; name the columns",
    "LAMBDA": "a lambda is not allowed; an expression sees one row",
    "PARAMETER": "`?` is not allowed; parameters are written $name and declared under `params`",
}
ALLOWED = frozenset("TYPE COLUMN_REF CONSTANT COMPARISON CONJUNCTION BETWEEN OPERATOR CASE CAST FUNCTION".split())

TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<param>\w+)|(?<![\w.])(?P<duration>\d+(?:min|h|d|w))\b")


class FragmentError(ValueError):
    """What is wrong with a fragment, and what to write instead."""


@dataclass(frozen=True)
class Fragment:
    """A parsed expression, the names it uses and whether it aggregates."""

    text: str
    tree: Tree
    written: Tree
    """The same tree as its author wrote it: parameters and durations stand in it as names, `$x` and `24h`."""
    names: frozenset[tuple[str, ...]]
    functions: frozenset[str]

    @property
    def aggregates(self) -> bool:
        return bool(self.functions & AGGREGATES)


def interval(duration: str) -> str:
    """Return a length of time as SQL, elapsed: a day is 24 hours."""
    count = minutes(duration)
    if count is None:
        raise FragmentError(f"`{duration}` is not a length of time; write a whole number and min, h, d or w: 24h")
    if (wrong := too_long(duration)) is not None:
        raise FragmentError(wrong)
    return f"to_hours({count // 60})" if count % 60 == 0 else f"to_minutes({count})"


def params_in(text: str) -> set[str]:
    """The names of the `$params` that `text` uses, outside quotes."""
    return {match["param"] for match in TOKEN.finditer(text) if match["param"]}


def parse(text: str, params: Mapping[str, str], *, aggregates: bool = False) -> Fragment:
    """Return `text` parsed; `params` are SQL literals by name. Raise FragmentError where it is no pure expression."""

    def replaced(match: re.Match[str]) -> str:
        if match["param"]:
            if match["param"] not in params:
                raise FragmentError(_unknown(f"${match['param']}", [f"${name}" for name in params], "parameter"))
            return f"({params[match['param']]})"
        return interval(match["duration"]) if match["duration"] else match[0]

    tree = _expression(TOKEN.sub(replaced, text))
    written = _expression(TOKEN.sub(lambda match: match[0] if match[0][0] in "'\"" else f'"{match[0]}"', text))
    names: set[tuple[str, ...]] = set()
    functions: set[str] = set()
    for node in nodes(tree):
        kind = node["class"]
        if kind in REFUSED:
            raise FragmentError(REFUSED[kind])
        if kind not in ALLOWED:
            raise FragmentError(f"{kind.lower().replace('_', ' ')} is not allowed in an expression")
        if kind == "COLUMN_REF":
            names.add(tuple(node["column_names"]))
        if kind == "FUNCTION":
            functions.add(node["function_name"])
    for function in sorted(functions):
        _check_function(function, aggregates)
    return Fragment(text, tree, written, frozenset(names), frozenset(functions))


def render(tree: Tree) -> str:
    """Return the SQL text of an expression tree, written by DuckDB."""
    statement = json.loads(_select("1"))
    statement["statements"][0]["node"]["select_list"] = [tree]
    return _written(json.dumps(statement))


@lru_cache(maxsize=4096)
def _written(statement: str) -> str:
    """The text of a statement's tree; the same few hundred trees are written again for each set of definitions."""
    row = _parser().execute("SELECT json_deserialize_sql(?::JSON)", [statement]).fetchone()
    assert row is not None
    return row[0].removeprefix("SELECT ")


def conjuncts(tree: Tree) -> list[Tree]:
    """The AND-terms of a condition."""
    if tree["class"] == "CONJUNCTION" and tree["type"] == "CONJUNCTION_AND":
        return [term for child in tree["children"] for term in conjuncts(child)]
    return [tree]


def resolved(tree: Tree, resolve: Callable[[tuple[str, ...]], str], order: tuple[str, ...] = ()) -> str:
    """Return SQL for `tree` with each name replaced by the SQL that `resolve` gives for it.

    The language's own functions are opened, `/` yields NULL for a zero divisor, and aggregates that
    depend on order get `order` (SQL of columns), so that every run gives the same bits.
    """

    def visit(node: Any) -> Any:
        if isinstance(node, list):
            return [visit(child) for child in node]
        if not isinstance(node, dict):
            return node
        if node.get("class") == "COLUMN_REF":
            return _expression(resolve(tuple(node["column_names"])))
        node = {key: visit(value) for key, value in node.items()}
        return _rewritten(node, order) if node.get("class") == "FUNCTION" else node

    return render(visit(tree))


def names_in(tree: Tree) -> frozenset[tuple[str, ...]]:
    """The dotted names that a tree uses."""
    return frozenset(tuple(node["column_names"]) for node in nodes(tree) if node["class"] == "COLUMN_REF")


def nodes(tree: Any) -> Iterator[Tree]:
    """Every expression node of a tree."""
    if isinstance(tree, dict):
        if "class" in tree and "query_location" in tree:
            yield tree
        for child in tree.values():
            yield from nodes(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from nodes(child)


def check_select(sql: str) -> frozenset[str]:
    """Return the tables that one SELECT reads; raise FragmentError where it is anything else."""
    parsed = json.loads(_serialize(sql))
    if parsed.get("error"):
        raise FragmentError(f"this cannot be read as one SELECT: {parsed.get('error_message', '')}")
    if len(parsed["statements"]) != 1:
        raise FragmentError("write one SELECT, without `;`")
    tables: set[str] = set()
    own: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for child in node:
                visit(child)
        elif isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                raise FragmentError("a table function is not allowed; read relations only")
            if node.get("type") == "BASE_TABLE":
                tables.add(node["table_name"])
            own.update(entry["key"] for entry in node.get("cte_map", {}).get("map", []))
            for child in node.values():
                visit(child)

    visit(parsed["statements"])
    return frozenset(tables - own)


def _check_function(function: str, aggregates: bool) -> None:
    if function in ADVICE:
        raise FragmentError(f"{function}() is not allowed: {ADVICE[function]}")
    if function in AGGREGATES:
        if not aggregates:
            raise FragmentError(f"{function}() folds many rows; it belongs into `episodes` or `group_by` columns")
    elif function not in SCALARS and function not in MACROS:
        known = SCALARS | set(MACROS) | (AGGREGATES if aggregates else set())
        raise FragmentError(_unknown(f"{function}()", [f"{name}()" for name in known], "function"))


def _unknown(name: str, known: list[str], what: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1, 0.82)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no {what} {name} that an expression may use{hint}"


def _rewritten(node: Tree, order: tuple[str, ...]) -> Tree:
    name, arguments = node["function_name"], [argument["expression"] for argument in node["arguments"]]
    if name in MACROS:
        formal, body = MACROS[name]
        if len(formal) != len(arguments):
            raise FragmentError(f"{name}() takes {len(formal)} values")
        return _substituted(_expression(body), dict(zip(formal, arguments, strict=True)))
    if name in DIVISIONS and len(arguments) == 2:
        return _substituted(_expression(f"a__ {name} nullif(b__, 0)"), {"a__": arguments[0], "b__": arguments[1]})
    if name in ORDERED and order and not node["order_bys"]["orders"]:
        # A constant has no order, and DuckDB refuses one by it.
        own = [arguments[0]] if names_in(arguments[0]) else []
        by = own if node["distinct"] else [_expression(sql) for sql in order]
        if by:
            return node | {"order_bys": {"type": "ORDER_MODIFIER", "orders": [_ascending(tree) for tree in by]}}
    return node


def _ascending(tree: Tree) -> Tree:
    return {"type": "ASCENDING", "null_order": "NULLS_FIRST", "expression": tree}


def _substituted(tree: Any, values: Mapping[str, Tree]) -> Any:
    if isinstance(tree, list):
        return [_substituted(child, values) for child in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("class") == "COLUMN_REF" and tree["column_names"][0] in values:
        return values[tree["column_names"][0]]
    return {key: _substituted(value, values) for key, value in tree.items()}


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


@cache
def _serialize(sql: str) -> str:
    row = _parser().execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    return row[0]


def _select(expression: str) -> str:
    return _serialize(f"SELECT {expression}")


def _expression(text: str) -> Tree:
    """The tree of one expression; a comment could hide the rest of a generated line, so none is allowed."""
    if "--" in TOKEN.sub("", text) or "/*" in TOKEN.sub("", text):
        raise FragmentError("a comment is not allowed inside an expression; write it beside, as a YAML comment")
    parsed = json.loads(_select(text))
    if parsed.get("error"):
        message = str(parsed.get("error_message", "")).split("\n")[0].removeprefix("Parser Error: ")
        if "Only SELECT" in message:
            raise FragmentError("write one expression, without `;`")
        raise FragmentError(f"this cannot be read as an expression: {message}")
    node = parsed["statements"][0]["node"]
    if len(parsed["statements"]) != 1:
        raise FragmentError("write one expression, without `;`")
    plain = node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY" and not node["modifiers"]
    clauses = ("where_clause", "having", "qualify", "sample")
    if not plain or len(node["select_list"]) != 1 or any(node[c] for c in clauses) or node["group_expressions"]:
        raise FragmentError("write one expression: no FROM, WHERE or second column")
    if node["select_list"][0]["alias"]:
        raise FragmentError("write the expression alone, without AS")
    return node["select_list"][0]

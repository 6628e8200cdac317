"""Whether a text is one SELECT of a study's tables, and which: asks DuckDB's own parser, runs nothing."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import duckdb

from timeline.errors import UsageError

TABLE_FUNCTIONS = ("unnest", "range", "generate_series")
"""Functions that may stand in FROM: those that make rows of their arguments alone."""
REFUSED_FUNCTIONS = ("getenv", "getvariable", "current_setting")
"""Functions of one row that read the machine or the session and not the study."""


def tree_of(sql: str, parser: duckdb.DuckDBPyConnection | None = None) -> Any:
    """Return the parse tree of `sql`, which is bound as data and so cannot run; UsageError for anything but a SELECT.

    `parser` is any connection: opening one for each of many texts takes longer than parsing them.
    """
    with duckdb.connect() if parser is None else nullcontext(parser) as con:
        tree = json.loads(con.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if tree.get("error"):
        message = tree.get("error_message", "")
        if "Only SELECT" in message:
            raise UsageError("a query is one SELECT; it cannot change anything")
        raise UsageError(f"this is no SQL: {message}")
    if len(tree["statements"]) != 1:
        raise UsageError(f"a query is one SELECT, and here are {len(tree['statements'])} statements")
    return tree["statements"][0]["node"]


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Return every node of the parse tree."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def relations(tree: Any) -> set[str]:
    """Return the relations that a parse tree names and does not define itself."""
    defined = {entry["key"] for node in nodes(tree) if "cte_map" in node for entry in node["cte_map"]["map"]}
    named = {
        ".".join(part for part in (node["schema_name"], node["table_name"]) if part)
        for node in nodes(tree)
        if node.get("type") == "BASE_TABLE"
    }
    return named - defined


def mistakes_of(tree: Any) -> list[str]:
    """Return what in a parse tree would leave the study, in words."""
    mistakes = []
    for node in nodes(tree):
        function = node.get("function")
        name = function.get("function_name", "") if isinstance(function, dict) else node.get("function_name", "")
        if node.get("type") == "TABLE_FUNCTION" and name not in TABLE_FUNCTIONS:
            mistakes.append(f"{name}() is not allowed in FROM; a query reads the tables of the study")
        elif node.get("class") == "FUNCTION" and name in REFUSED_FUNCTIONS:
            mistakes.append(f"{name}() is not allowed; a query reads the tables of the study")
    mistakes += [
        f"FROM '{name}' looks like a file; a query reads the tables of the study"
        for name in sorted(relations(tree))
        if "/" in name or name.rsplit(".", 1)[-1] in ("csv", "parquet", "json", "db", "duckdb", "xlsx", "gz", "zst")
    ]
    return list(dict.fromkeys(mistakes))

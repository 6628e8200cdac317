"""A rule's own words with a patient's values put in; knows no connection."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from timeline.compiler.clauses import Clause, words_of
from timeline.fragment import Tree
from timeline.printing import cell
from timeline.rules import kind_of


def text_of(value: Any) -> str:
    """One value as it stands inside an expression."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, datetime | date):
        return cell(value)
    return f"'{value}'" if isinstance(value, str) else str(value)


def put_in(written: Tree, values: Mapping[tuple[str, ...], Any], params: Mapping[str, str]) -> str | None:
    """Return the words of `written` with values for names and parameters; None where it has no names."""
    if not values:
        return None

    def filled(node: Any) -> Any:
        if isinstance(node, list):
            return [filled(child) for child in node]
        if not isinstance(node, dict):
            return node
        if node.get("class") == "COLUMN_REF":
            return node | {"column_names": [_word(tuple(node["column_names"]), values, params)]}
        return {key: filled(child) for key, child in node.items()}

    return words_of(filled(written))


def _word(parts: tuple[str, ...], values: Mapping[tuple[str, ...], Any], params: Mapping[str, str]) -> str:
    if parts in values:
        return text_of(values[parts])
    if len(parts) == 1 and parts[0].startswith("$"):
        text = params.get(parts[0][1:], parts[0])
        return text_of(text) if kind_of(text) == "text" else text
    return ".".join(parts)


def asked(clause: Clause, row: Mapping[str, Any], columns: Mapping[str, str], params: Mapping[str, str]) -> str | None:
    """Return the words of `clause` with the values that `row` holds in `columns`."""
    if clause.written is None:
        return None
    return put_in(clause.written, {parts: row[columns[sql]] for parts, sql in clause.values.items()}, params)

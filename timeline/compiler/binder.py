"""What type has this expression? DuckDB is the type checker: each is bound against a row of NULLs."""

from collections.abc import Mapping

import duckdb

from timeline.quote import identifier


class BindError(ValueError):
    """DuckDB's finding about one expression."""


def bind(
    con: duckdb.DuckDBPyConnection,
    expressions: Mapping[str, str],
    frame: Mapping[str, str],
    group: tuple[str, ...] | None = None,
) -> dict[str, str]:
    """Return the DuckDB type of each expression over columns `frame` (name -> type); raise BindError."""
    if not expressions:
        return {}
    # unnest keeps the optimiser from answering NULL before it has converted a constant such as 'abc'.
    columns = ", ".join(f"unnest([CAST(NULL AS {kind})]) AS {identifier(name)}" for name, kind in frame.items())
    items = ", ".join(f"({sql}) AS {identifier(name)}" for name, sql in expressions.items())
    grouped = f" GROUP BY {', '.join(identifier(name) for name in group)}" if group else ""
    query = f"SELECT {items} FROM (SELECT {columns or '1'}) AS frame{grouped}"
    try:
        # Run, not only described: a constant that cannot be converted shows itself then.
        result = con.execute(query)
        types = {column[0]: str(column[1]) for column in result.description or ()}
        result.fetchall()
    except duckdb.Error as error:
        raise BindError(_plain(str(error))) from None
    return types


def _plain(message: str) -> str:
    """The first sentence of DuckDB's complaint, without its kind, its caret and our generated query."""
    line = message.split("\n")[0]
    for kind in ("Binder Error: ", "Conversion Error: ", "Catalog Error: ", "Invalid Input Error: "):
        line = line.removeprefix(kind)
    return line.strip()

"""pandera at the borders: does a table keep what its fields and checks promise?

DuckDB folds the rows into classes: rows alike in all that the schema asks (the same NULLs, the same listed word,
the same side of each limit, the same truth of each check) become one row with a count, and pandera judges one row of
each class. So the verdicts are pandera's, and 10 million rows cost one grouped scan. A failure says column, check and
count, never a value. Knows nothing of rules, extracts or where a relation comes from.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from timeline import schema
from timeline.errors import Finding
from timeline.quote import literal

if TYPE_CHECKING:  # importing pandera and polars takes a second: only where data are validated
    import duckdb
    import pandera.polars as pa
    import polars as pl
    from pandera.errors import SchemaError

CHECK = "check: "
"""Before the name of a row check, where pandera sees its outcome as a column."""
EXAMPLES = 5
"""Rows shown of a failure, where rows are asked for."""
COUNT = "rows of this class"
NOT_NULL = "not NULL"
MISSHAPEN = {
    "COLUMN_NOT_IN_DATAFRAME": "is missing",
    "COLUMN_NOT_IN_SCHEMA": "is not declared",
    "WRONG_DATATYPE": "is not of its type",
}
"""pandera's reasons that are about a column itself, and our words for them."""
NUMERIC = frozenset(
    "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint float double decimal".split()
)


@dataclass(frozen=True)
class Failure:
    """A promise that a table breaks: how many of its rows break it and, only where asked for, a few of those rows."""

    column: str
    """Empty for a check of the whole row."""
    check: str
    failures: int
    rows: int
    examples: tuple[Mapping[str, object], ...] = ()

    def __str__(self) -> str:
        if self.check.startswith("is ") and self.column:
            return f"column `{self.column}` {self.check}"
        promise = f"column `{self.column}`, {self.check}" if self.column else f"check `{self.check}`"
        return f"{promise}: broken by {self.failures:,} of {self.rows:,} rows"


def findings(table: str, failures: Sequence[Failure]) -> list[Finding]:
    """The failures of `table` as findings, beneath each the rows that were asked for."""
    return [Finding(table, "\n".join([str(f), *(f"  {dict(row)}" for row in f.examples)])) for f in failures]


def validate(
    con: "duckdb.DuckDBPyConnection",
    relation: str,
    fields: Sequence[schema.Field],
    checks: Mapping[str, str] | None = None,
    show_values: bool = False,
) -> tuple[Failure, ...]:
    """Every promise that `relation` breaks, by column and check; empty where it keeps them all.

    `relation` is what may follow FROM: a table, or a query in brackets. `checks` are named SQL conditions over a row:
    false breaks one, unknown does not. With `show_values` each failure carries a few of its rows.
    """
    types = _types(con, relation)
    if not {field.name for field in fields} <= types.keys():
        checks = None  # they may name the column that is missing, which is reported by itself
    promises = [promise for field in fields if field.name in types for promise in _promises(field, types[field.name])]
    promises += [_Promise("", name, f"NOT ({sql})", f"({sql})::BOOLEAN") for name, sql in (checks or {}).items()]
    frame, weights = _classes(con, relation, types, promises)
    rows = int(weights.sum())
    broken = _judge(pandera_schema(relation, fields, checks), frame, weights)
    failures = [Failure(*at, failures=rows if n is None else n, rows=rows) for at, n in broken.items()]
    failures = [_with_type(failure, fields) for failure in failures]
    if not show_values:
        return tuple(failures)
    sql = {(promise.column, promise.check): promise.broken for promise in promises}
    return tuple(_with_rows(con, relation, sql.get((f.column, f.check)), f) for f in failures)


def pandera_schema(
    name: str, fields: Sequence[schema.Field], checks: Mapping[str, str] | None = None
) -> "pa.DataFrameSchema":
    """The pandera schema of a table as polars reads it: its columns and no others, and `check: NAME` a row check."""
    import pandera.polars as pa
    import polars as pl

    columns: dict[str, Any] = {
        field.name: pa.Column(polars_type(field.type), list(_checks(field)), nullable=field.nullable)
        for field in fields
    }
    for check in checks or {}:
        columns[CHECK + check] = pa.Column(pl.Boolean, pa.Check.eq(True, error=check), nullable=True)
    return pa.DataFrameSchema(columns, name=name, strict=True)


def polars_type(type: str) -> Any:
    """The polars type of a column of the DuckDB type `type`; ValueError where there is none."""
    import polars as pl

    if type.endswith("[]"):
        return pl.List(polars_type(type[:-2]))
    if decimal := re.fullmatch(r"DECIMAL\((\d+), ?(\d+)\)", type):
        return pl.Decimal(int(decimal[1]), int(decimal[2]))
    known = {
        schema.PATIENT_KEY: pl.Categorical,
        "VARCHAR": pl.String,
        "BOOLEAN": pl.Boolean,
        "TINYINT": pl.Int8,
        "SMALLINT": pl.Int16,
        "INTEGER": pl.Int32,
        "BIGINT": pl.Int64,
        "HUGEINT": pl.Decimal(38, 0),
        "UTINYINT": pl.UInt8,
        "USMALLINT": pl.UInt16,
        "UINTEGER": pl.UInt32,
        "UBIGINT": pl.UInt64,
        "FLOAT": pl.Float32,
        "DOUBLE": pl.Float64,
        "DATE": pl.Date,
        "TIME": pl.Time,
        "TIMESTAMP": pl.Datetime("us"),
    }
    if type not in known:
        raise ValueError(f"{type} is no type for a column; write one of {', '.join(sorted(known))}, or a list of one")
    return known[type]


def _checks(field: schema.Field) -> "Iterator[pa.Check]":
    import pandera.polars as pa

    if field.one_of:
        yield pa.Check.isin(field.one_of, error=_one_of(field))
    low, high = field.between or (None, None)
    if low is not None and high is not None:
        yield pa.Check.in_range(low, high, error=_between(field))
    elif low is not None:
        yield pa.Check.ge(low, error=_between(field))
    elif high is not None:
        yield pa.Check.le(high, error=_between(field))


def _one_of(field: schema.Field) -> str:
    return f"one of {', '.join(field.one_of)}"


def _between(field: schema.Field) -> str:
    low, high = field.between or (None, None)
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}"
    return f"at most {high:g}" if high is not None else f"at least {low:g}"


@dataclass(frozen=True)
class _Promise:
    """What is asked of a column, or of the row. SQL: `broken` is true of rows that break it; `key` has the same value
    in rows that cannot but fare alike."""

    column: str
    check: str
    broken: str
    key: str


def _types(con: "duckdb.DuckDBPyConnection", relation: str) -> dict[str, str]:
    """The relation's columns and the family of their types, as DuckDB names it: `varchar`, `enum`, `list`."""
    described = con.execute(f"SELECT * FROM {relation} LIMIT 0").description or []
    con.fetchall()
    return {name: kind.id for name, kind, *_ in described}


def _promises(field: schema.Field, kind: str) -> Iterator[_Promise]:
    """What is asked of a column's values, but nothing that its type cannot answer: then the type is at fault."""
    column = _quoted(field.name)
    if not field.nullable:
        # pandera takes a NaN for a missing number, and so do we.
        null = f"({column} IS NULL OR isnan({column}))" if kind in ("float", "double") else f"{column} IS NULL"
        yield _Promise(field.name, NOT_NULL, null, null)
    if field.one_of and kind == "varchar":
        listed = f"{column} IN ({', '.join(literal(word) for word in field.one_of)})"
        yield _Promise(field.name, _one_of(field), f"NOT {listed}", listed)
    low, high = field.between or (None, None)
    if (low is not None or high is not None) and kind in NUMERIC:
        below = f"{column} < {literal(low)}" if low is not None else "FALSE"
        above = f"{column} > {literal(high)}" if high is not None else "FALSE"
        key = f"CASE WHEN {below} THEN -1 WHEN {above} THEN 1 WHEN {column} IS NOT NULL THEN 0 END"
        yield _Promise(field.name, _between(field), f"{below} OR {above}", key)


def _classes(
    con: "duckdb.DuckDBPyConnection", relation: str, types: Mapping[str, str], promises: Sequence[_Promise]
) -> "tuple[pl.DataFrame, pl.Series]":
    """One row of each class of rows that fare alike, and how many rows are in the class."""
    import polars as pl

    asked = {promise.column for promise in promises}
    # An ENUM goes as text, or each would bring its whole dictionary along.
    named = {n: f"{'::VARCHAR' if kind == 'enum' else ''} AS {_quoted(n)}" for n, kind in types.items()}
    seen = [f"any_value({_quoted(name)}){alias}" for name, alias in named.items() if name in asked]
    seen += [
        f"any_value({promise.key}) AS {_quoted(CHECK + promise.check)}" for promise in promises if not promise.column
    ]
    query = f"SELECT {', '.join([*seen, f'count(*) AS {_quoted(COUNT)}'])} FROM {relation}"
    if promises:
        query += f" GROUP BY {', '.join(promise.key for promise in promises)}"
    # Columns of which nothing is asked but their type: none of their values is read.
    unread = [f"{_quoted(name)}{alias}" for name, alias in named.items() if name not in asked]
    if unread:
        none = f"SELECT {', '.join(unread)} FROM {relation} LIMIT 0"
        query = f"SELECT * FROM ({query}) AS class LEFT JOIN ({none}) AS unread ON TRUE"
    frame = con.sql(query).pl()
    frame = frame.with_columns(pl.col(name).cast(pl.Categorical) for name, kind in types.items() if kind == "enum")
    return frame.drop(COUNT), frame[COUNT]


def _judge(
    model: "pa.DataFrameSchema", frame: "pl.DataFrame", weights: "pl.Series"
) -> dict[tuple[str, str], int | None]:
    """Rows that break each (column, check) by pandera's verdict; None where the column itself is at fault."""
    from pandera.config import ValidationDepth, config_context
    from pandera.errors import SchemaErrors

    try:
        # said here, since variables of the environment can switch pandera off
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            model.validate(frame, lazy=True)
        return {}
    except SchemaErrors as errors:
        found = errors.schema_errors
    mistyped = {error.schema.name for error in found if _reason(error) == "WRONG_DATATYPE"}
    broken: dict[tuple[str, str], int | None] = {}
    for error in found:
        column, check = _at(error)
        if _reason(error) in MISSHAPEN or error.check_output is None:
            if check in MISSHAPEN.values() or column not in mistyped:
                broken[column, check] = None
        elif check == NOT_NULL or column not in mistyped:
            broken[column, check] = int(weights.filter(~error.check_output["check_output"]).sum())
    return broken


def _reason(error: "SchemaError") -> str:
    return error.reason_code.name if error.reason_code else ""


def _at(error: "SchemaError") -> tuple[str, str]:
    """Column and check that an error of pandera is about, in our words."""
    reason, name = _reason(error), error.schema.name
    if reason == "WRONG_DATATYPE":
        return name, MISSHAPEN[reason]
    if reason in MISSHAPEN:
        return str(error.failure_cases), MISSHAPEN[reason]
    if reason == "SERIES_CONTAINS_NULLS":
        return name, NOT_NULL
    return ("" if name.startswith(CHECK) else name), str(getattr(error.check, "error", error.check))


def _with_type(failure: Failure, fields: Sequence[schema.Field]) -> Failure:
    if failure.check != MISSHAPEN["WRONG_DATATYPE"]:
        return failure
    declared = next(field.type for field in fields if field.name == failure.column)
    return replace(failure, check=f"is not of type {declared}")


def _with_rows(con: "duckdb.DuckDBPyConnection", relation: str, broken: str | None, failure: Failure) -> Failure:
    if broken is None:
        return failure
    rows = con.sql(f"SELECT * FROM {relation} WHERE {broken} LIMIT {EXAMPLES}").pl()
    return replace(failure, examples=tuple(rows.to_dicts()))


def _quoted(column: str) -> str:
    """`column` quoted whole: a check's name may hold a dot."""
    return '"' + column.replace('"', '""') + '"'

"""Values as SQL has them, in plain Python: types, casts, comparisons, three-valued logic; knows no expression."""

import datetime as dt
import operator
from collections.abc import Callable, Sequence
from typing import Any

EPOCH = dt.datetime(1970, 1, 1)


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

"""Every function and aggregate that an expression may use, in plain Python; knows no syntax, rule or table."""

import datetime as dt
import math
import re
import statistics
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

from tests.values import EPOCH, alike, cast, compare, strict


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


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace("%", ".*").replace("_", "."), text) is not None


def _substring(text: str, first: int, count: int | None = None) -> str:
    """From character `first`, counted from 1; from the end where negative."""
    begin = first - 1 if first > 0 else len(text) + first if first < 0 else -1
    stop = len(text) if count is None else begin + count
    return text[max(begin, 0) : max(stop, 0)]


def _left(text: str, count: int) -> str:
    return text[:count] if count != 0 else ""


def _right(text: str, count: int) -> str:
    return text[-count:] if count > 0 else text[abs(count) :] if count < 0 else ""


def _part(text: str, separator: str, position: int) -> str:
    parts = text.split(separator)
    return parts[position - 1] if 0 < position <= len(parts) else ""


def _padding(text: str, length: int, fill: str) -> str:
    return "".join(islice(cycle(fill), max(length - len(text), 0)))


def _extract(text: str, pattern: str, group: int = 0) -> str:
    found = re.search(pattern, text)
    return found[group] if found else ""


def _date_part(name: str, at: dt.date) -> Any:
    at, name = cast(at, "TIMESTAMP"), name.lower()
    parts: dict[str, Callable[[], Any]] = {
        "dow": lambda: at.isoweekday() % 7,
        "isodow": at.isoweekday,
        "week": lambda: at.isocalendar().week,
        "epoch": lambda: (at - EPOCH).total_seconds(),
    }
    return parts[name]() if name in parts else getattr(at, name)


def _date_trunc(name: str, at: dt.date) -> dt.datetime:
    at = cast(at, "TIMESTAMP")
    if name == "week":
        return cast(cast(at, "DATE") - dt.timedelta(days=at.weekday()), "TIMESTAMP")
    finer = {"year": 1, "month": 2, "day": 3, "hour": 4, "minute": 5}[name]
    return dt.datetime(*((*at.timetuple()[:finer], 1, 1)[:3]), *at.timetuple()[3:finer])  # type: ignore[misc]


def _parts(*names: str) -> dict[str, Callable[..., Any]]:
    """Functions that give one part of a time, by name and the name of the part."""
    return {
        name: strict(lambda at, part=part: _date_part(part, at))
        for name, part in ((n, {"dayofweek": "dow"}.get(n, n)) for n in names)
    }


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": strict(_plus),
    "-": strict(_minus),
    "*": strict(lambda a, b: a * b),
    "/": strict(lambda a, b: None if b == 0 else a / b),
    "//": strict(lambda a, b: None if b == 0 else int(a / b) if _whole(a, b) else a / b),
    "%": strict(lambda a, b: None if b == 0 else int(math.fmod(a, b)) if _whole(a, b) else math.fmod(a, b)),
    "||": strict(lambda a, b: cast(a, "VARCHAR") + cast(b, "VARCHAR")),
    "~~": strict(_like),
    "!~~": strict(lambda a, b: not _like(a, b)),
    "~~*": strict(lambda a, b: _like(a.lower(), b.lower())),
    "!~~*": strict(lambda a, b: not _like(a.lower(), b.lower())),
    **dict.fromkeys(("**", "^", "pow", "power"), strict(lambda a, b: float(a) ** b)),
    "trunc": strict(math.trunc),
    "sign": strict(lambda a: (a > 0) - (a < 0)),
    "sqrt": strict(math.sqrt),
    "exp": strict(math.exp),
    "ln": strict(math.log),
    "log": strict(lambda a, b=None: math.log10(a) if b is None else math.log(b) / math.log(a)),
    "log2": strict(math.log2),
    "log10": strict(math.log10),
    "isnan": strict(math.isnan),
    "isfinite": strict(math.isfinite),
    "abs": strict(abs),
    "round": strict(_round),
    "floor": strict(lambda a: float(math.floor(a))),
    "ceil": strict(lambda a: float(math.ceil(a))),
    "lower": strict(str.lower),
    "upper": strict(str.upper),
    "trim": strict(str.strip),
    "ltrim": strict(str.lstrip),
    "rtrim": strict(str.rstrip),
    "length": strict(len),
    "len": strict(len),
    "strlen": strict(lambda a: len(a.encode())),
    "substr": strict(_substring),
    "substring": strict(_substring),
    "left": strict(_left),
    "right": strict(_right),
    "replace": strict(str.replace),
    "contains": strict(lambda a, b: b in a),
    **dict.fromkeys(("starts_with", "prefix"), strict(str.startswith)),
    **dict.fromkeys(("ends_with", "suffix"), strict(str.endswith)),
    "split_part": strict(_part),
    "lpad": strict(lambda a, length, fill: (_padding(a, length, fill) + a)[:length]),
    "rpad": strict(lambda a, length, fill: (a + _padding(a, length, fill))[:length]),
    "regexp_matches": strict(lambda a, pattern: re.search(pattern, a) is not None),
    "regexp_full_match": strict(lambda a, pattern: re.fullmatch(pattern, a) is not None),
    "regexp_extract": strict(_extract),
    "regexp_replace": strict(lambda a, pattern, by, how="": re.sub(pattern, by, a, count=0 if how == "g" else 1)),
    "concat_ws": lambda separator, *args: separator.join(cast(a, "VARCHAR") for a in args if a is not None),
    "list_contains": strict(lambda items, it: any(compare("COMPARE_EQUAL", item, it) is True for item in items)),
    "date_part": strict(_date_part),
    "date_trunc": strict(_date_trunc),
    **_parts("year", "month", "day", "hour", "minute", "second", "dayofweek", "isodow", "week", "epoch"),
    "make_date": strict(dt.date),
    "make_timestamp": strict(dt.datetime),
    "to_hours": strict(lambda n: dt.timedelta(hours=n)),
    "to_minutes": strict(lambda n: dt.timedelta(minutes=n)),
    "to_days": strict(lambda n: dt.timedelta(days=n)),
    "concat": lambda *args: "".join(cast(a, "VARCHAR") for a in args if a is not None),
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


def _frequent(values: list[Any]) -> Any:
    """The value that comes most often; of several, the one that came first."""
    return max(dict.fromkeys(values), key=values.count)


def _quantile(rows: list[tuple[Any, ...]], between: bool) -> Any:
    """The value at a share of the way through the ordered ones; `between` two of them, or the lower one."""
    known = sorted(value for value, _ in rows if value is not None)
    if not known:
        return None
    share = rows[0][1]
    if not between:
        return known[max(math.ceil(len(known) * share), 1) - 1]
    place = (len(known) - 1) * share
    below, above = known[math.floor(place)], known[math.ceil(place)]
    return below + (above - below) * (place - math.floor(place))


def _spread(function: Callable[[list[Any]], float]) -> Callable[[list[tuple[Any, ...]]], Any]:
    return _column(lambda values: function(values) if len(values) > 1 else None)


def _any(rows: list[tuple[Any, ...]]) -> bool:
    return any(row[0] is not None for row in rows)


_deviation = _spread(statistics.stdev)
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
    "array_agg": lambda rows: [row[0] for row in rows] or None,
    "string_agg": lambda rows: rows[0][1].join(row[0] for row in rows if row[0] is not None) if _any(rows) else None,
    "max_by": _at_extreme(max),
    "min_by": _at_extreme(min),
    "mode": _column(_frequent),
    "stddev": _deviation,
    "stddev_samp": _deviation,
    "var_samp": _spread(statistics.variance),
    "quantile_cont": lambda rows: _quantile(rows, between=True),
    "quantile_disc": lambda rows: _quantile(rows, between=False),
}

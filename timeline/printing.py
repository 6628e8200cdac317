"""Text for people, JSON for programs, and a sign of life on a terminal; must not know what it prints."""

import dataclasses
import json
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TextIO

LONGEST_COUNT = 10**12
"""A longer number is an id, not a count, and is written without thousands."""

WHOLE_FROM = 1000
"""From here on a number is written without decimals."""
MOST_DECIMALS, DIGITS, FEW_DIGITS = 2, 4, 2
"""Decimals of numbers from 1 on; digits that count of those below, and beside large ones."""
NOISE = 1e-9
"""What binary fractions add to a number: 0.1 + 0.2 has one decimal."""

ALL_DIGITS = 15
"""Decimal digits that every binary fraction keeps; further ones are noise."""

WIDEST = 110
"""Longer lines of prose are hard to read."""


def plain(value: Any) -> Any:
    """Return `value` as what JSON can say: records become objects, times and paths their text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def as_json(value: Any) -> str:
    """Return `value` as indented JSON; a number that is none (NaN, infinite) is refused."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def cell(value: Any) -> str:
    """Return one value as it stands in a table: thousands apart, four significant digits, a dash where missing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < LONGEST_COUNT else str(value)
    if isinstance(value, float | Decimal):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto" if value.second or value.microsecond else "minutes")
    return str(value)


def decimals(value: float, digits: int = DIGITS) -> int:
    """Return how many decimals `value` needs: all it has, but no more than two, or below 1 `digits` that count."""
    if not math.isfinite(value) or abs(value - round(value)) <= NOISE * max(1.0, abs(value)):
        return 0
    most = MOST_DECIMALS if abs(value) >= 1 else max(digits - 1 - math.floor(math.log10(abs(value))), MOST_DECIMALS)
    exact = (d for d in range(1, most) if abs(value - round(value, d)) <= NOISE * abs(value))
    return next(exact, most)


def column(values: Sequence[Any], units: Sequence[Any] = ()) -> list[str]:
    """Return the values of one column as they stand in a table: its numbers with the same decimals, as many as needed.

    Numbers from a thousand on have none. With `units`, one a value, those of one unit have the same.
    """
    keys = [cell(unit) for unit in units] or [""] * len(values)
    floats: dict[str, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, float | Decimal) and abs(value) < WHOLE_FROM:
            floats.setdefault(key, []).append(float(value))
    needed = {key: _decimals_of(found) for key, found in floats.items()}
    return [
        _fixed(value, needed.get(key, 0)) if isinstance(value, float | Decimal) else cell(value)
        for key, value in zip(keys, values, strict=True)
    ]


def _decimals_of(values: Sequence[float]) -> int:
    """Beside numbers from 10 on, the digits of small ones say little."""
    digits = FEW_DIGITS if max(map(abs, values)) >= 10 else DIGITS
    return max(decimals(value, digits) for value in values)


def _fixed(value: float | Decimal, places: int) -> str:
    return f"{value:,.{places if abs(value) < WHOLE_FROM else 0}f}"


def columns_of(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    """Return each column as words; where one is called `unit`, numbers have the same decimals within a unit."""
    units = [row[list(header).index("unit")] for row in rows] if "unit" in header else []
    return [column(_values(name, i, rows), units) for i, name in enumerate(header)]


def _values(name: str, place: int, rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The values of one column; a year is a name, not a count, and is written without thousands: 1940."""
    values = [row[place] for row in rows]
    if name != "year" and not name.endswith("_year"):
        return values
    return [str(value) if isinstance(value, int) else value for value in values]


def exactly(value: Any) -> str:
    """Return one value as it stands in a table, its numbers with all their digits: 7,374.5, 0.123456."""
    if isinstance(value, list | tuple):
        return ", ".join(exactly(item) for item in value)
    if not isinstance(value, float | Decimal) or not math.isfinite(value):
        return cell(value)
    short = f"{value:.{ALL_DIGITS}g}"
    return short if "e" in short else f"{Decimal(short):,f}"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], *, indent: str = "", exact: bool = False) -> str:
    """Return `rows` in columns under `header`; numbers to the right, words to the left.

    Numbers are rounded to be read, unless `exact`.
    """
    numeric = [any(_is_number(row[i]) for row in rows) for i in range(len(header))]
    if exact:
        columns = [[exactly(value) for value in _values(name, i, rows)] for i, name in enumerate(header)]
    else:
        columns = columns_of(header, rows)
    lines = [list(header), *(list(line) for line in zip(*columns, strict=True))]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def aligned(line: Sequence[str]) -> str:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        return (indent + "  ".join(parts)).rstrip()

    return "\n".join(aligned(line) for line in lines)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def wrapped(text: str, *, indent: str = "") -> str:
    """Return `text` in lines that fit the terminal, all but the first behind `indent`."""
    import textwrap

    width = max(60, min(shutil.get_terminal_size().columns, WIDEST))
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 row`, `1,234 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` where a known word is near, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


@contextmanager
def progress(to: TextIO | None = None) -> Iterator[Callable[[str], None]]:
    """Give a function that shows what is being done, with the seconds so far; silent unless on a terminal."""
    stream: TextIO = to or sys.stderr
    if not stream.isatty():
        yield lambda doing: None
        return
    started, doing, done = time.monotonic(), "", threading.Event()

    def show(text: str) -> None:
        nonlocal doing
        doing = text
        draw()

    def draw() -> None:
        line = f"{time.monotonic() - started:4.0f} s  {doing}"
        stream.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
        stream.flush()

    def tick() -> None:
        while not done.wait(0.5):
            draw()

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield show
    finally:
        done.set()
        ticker.join()
        stream.write("\r\x1b[K")
        stream.flush()

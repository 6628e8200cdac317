"""How many records a CSV file has, and which of them are blank lines: by Python's csv, beside DuckDB's reader.

DuckDB reads a file in parallel from many places, and cannot know there whether it is between quotation marks: text
with lines like rows would be taken for rows, and what follows a mark that is never closed would vanish.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from timeline.errors import ExtractError

CHUNK = 4 << 20
LONGEST = 2 << 20
"""Characters of one value, bytes of one line: DuckDB's own limit."""


@dataclass(frozen=True)
class Lines:
    """What a quick look at the bytes says."""

    n: int
    """Lines, by their ends."""
    plain: bool
    """No quotation mark, and no line of megabytes: it may be read from many places at once."""


@dataclass(frozen=True)
class Records:
    """What a reader of the whole file says."""

    n: int
    """Lines of the file that are records, the header and blank ones too; a quoted value may be several lines long."""
    blank: tuple[int, ...]
    """The numbers of those that are blank, from 1."""


def lines(path: Path) -> Lines:
    """Count the lines of a plain, .gz or .zst file."""
    n, plain, last = 0, True, b""
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            ends = chunk.count(b"\n")
            plain = plain and b'"' not in chunk and (ends > 0 or len(chunk) < LONGEST)
            n, last = n + ends, chunk[-1:]
    return Lines(n + (last not in (b"", b"\n")), plain)


def records(path: Path, name: str, delimiter: str) -> Records:
    """Read the whole file; raise ExtractError where a quotation mark is never closed."""
    blank, n = [], 0
    with opened(path) as binary, _long_values():
        text = io.TextIOWrapper(binary, "utf-8", "replace", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                row = [_unless_open(str(error), name, line)]
            if row is None:
                return Records(n, tuple(blank))
            n += 1
            if not row:
                blank.append(n)


def _unless_open(said: str, name: str, line: int) -> str:
    """Let a record pass that is no row of CSV; DuckDB finds it, too."""
    if "unexpected end" in said:
        raise ExtractError(f"{name}: line {line}: a quotation mark is opened and not closed; close it, or double it")
    if "larger than field limit" in said:
        raise ExtractError(f"{name}: line {line} is longer than 2 MB; is a quotation mark left open in it?")
    return said


@contextmanager
def _long_values() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def opened(path: Path) -> IO[bytes]:
    """The bytes inside a plain, .gz or .zst file."""
    if path.name.lower().endswith(".zst"):
        import pyarrow

        return pyarrow.input_stream(str(path), compression="zstd")
    if path.name.lower().endswith(".gz"):
        import gzip

        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb")

"""The entries of a Bundle, one after the other, in the memory of the largest; knows no resource.

A Bundle is one JSON document of any size. Only the members of its outermost object are walked here; every value is
read by the standard library's decoder, which says where it ends, so that an entry is handed on exactly as written.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from timeline.errors import ExtractError
from timeline.ingest import records, zstd

CHUNK = 1 << 20
"""Characters that are read at a time."""
LARGEST = 256 << 20
"""Characters of one value; a longer one means that a bracket is never closed."""
BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Entry:
    """One resource of a document, `row` being 1 for the first."""

    row: int
    full_url: str | None
    json: str
    """As written, the resource being the member `resource`."""


class _Other(ValueError):
    """A document that is JSON and no resource, in words."""


@dataclass
class _Text:
    """A window on a text: what was read and not yet used."""

    file: IO[str]
    held: str = ""
    at: int = 0

    def more(self) -> bool:
        """Read on, as much again as is held, so that a long value costs no more than twice its length."""
        read = self.file.read(max(CHUNK, len(self.held) - self.at))
        self.held, self.at = self.held[self.at :] + read, 0
        return bool(read)

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            self.at = BLANK.match(self.held, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.held):
                return self.held[self.at]
            if not self.more():
                return ""

    def take(self, mark: str) -> None:
        if self.peek() != mark:
            raise ValueError(mark)
        self.at += 1

    def value(self) -> tuple[object, str]:
        """The next JSON value, and its text; raise ValueError where there is none."""
        self.peek()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self.held, self.at)
            except ValueError:
                value, end = None, len(self.held)
            # A number that ends where the window does may go on.
            if end < len(self.held):
                text, self.at = self.held[self.at : end], end
                return value, text
            if len(self.held) - self.at > LARGEST or not self.more():
                raise ValueError("no value")


def entries(path: Path, name: str) -> Iterator[Entry]:
    """Yield the resources of a Bundle, or the one of another document; nothing, where it is no resource.

    Raise ExtractError where the document is cut short or is no JSON.
    """
    row = 0
    try:
        if path.name.lower().endswith(".zst") and not zstd.is_whole(path):
            raise EOFError
        with opened(path) as file:
            for entry in _document(_Text(file)):
                yield entry
                row = entry.row
    except UnicodeDecodeError:
        raise ExtractError(f"{name}: after entry {row}: the file is not UTF-8; FHIR is written so") from None
    except _Other as error:
        raise ExtractError(f"{name}: after entry {row}: {error}") from None
    except (EOFError, OSError, ValueError, RecursionError):
        raise ExtractError(f"{name}: after entry {row}: the file is cut short, or is not JSON") from None


def opened(path: Path) -> IO[str]:
    """The text of a file, unpacked where it is packed."""
    return io.TextIOWrapper(records.opened(path), encoding="utf-8-sig")  # type: ignore[arg-type]


def _document(text: _Text) -> Iterator[Entry]:
    """The entries of the list `entry`; a document without `entry` that says its type is one resource."""
    if text.peek() == "[":
        raise _Other("the file is a list; FHIR is a resource or a Bundle a file, or a resource a line of *.ndjson")
    text.take("{")
    members: dict[str, str] = {}
    listed = False
    while text.peek() != "}":
        if members or listed:
            text.take(",")
        key, _ = text.value()
        text.take(":")
        if key == "entry" and text.peek() == "[":
            listed = True
            yield from _entries(text)
        else:
            members[str(key)] = text.value()[1]
    text.take("}")
    if text.peek():
        raise _Other("more follows the first document; a file with a resource a line is named *.ndjson")
    type_ = json.loads(members.get("resourceType", "null"))
    if not listed and isinstance(type_, str) and type_ != "Bundle":
        resource = ", ".join(f"{json.dumps(key)}: {value}" for key, value in members.items())
        yield Entry(1, None, f'{{"resource": {{{resource}}}}}')


def _entries(text: _Text) -> Iterator[Entry]:
    text.take("[")
    row = 0
    while text.peek() != "]":
        if row:
            text.take(",")
        row += 1
        value, written = text.value()
        url = value.get("fullUrl") if isinstance(value, dict) else None
        yield Entry(row, url if isinstance(url, str) else None, written)
    text.take("]")

"""Is a .zst file whole? DuckDB reads one that was cut short without a word; knows nothing of what is inside.

Only the lengths that the format writes before its blocks are read (RFC 8878, section 3.1), so that a
file of any size takes a moment.
"""

from pathlib import Path
from typing import IO

FRAME = 0xFD2FB528
SKIPPABLE = range(0x184D2A50, 0x184D2A60)
DICTIONARY = (0, 1, 2, 4)
"""Bytes of the dictionary's id, by its flag."""
CONTENT = (0, 2, 4, 8)
"""Bytes of the content's size, by its flag."""


def is_whole(path: Path) -> bool:
    """Whether the file is one or more Zstandard frames, the last of them complete."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            magic = _number(file, 4)
            if magic in SKIPPABLE:
                file.seek(_number(file, 4), 1)
            elif magic != FRAME or not _skip_frame(file, size):
                return False
        return file.tell() == size and size > 0


def _number(file: IO[bytes], length: int) -> int:
    return int.from_bytes(file.read(length), "little")


def _skip_frame(file: IO[bytes], size: int) -> bool:
    described = _number(file, 1)
    single, content = bool(described & 0x20), described >> 6
    window = 0 if single else 1
    file.seek(window + DICTIONARY[described & 3] + (CONTENT[content] or int(single)), 1)
    while file.tell() + 3 <= size:
        block = _number(file, 3)
        file.seek(1 if block >> 1 & 3 == 1 else block >> 3, 1)
        if block & 1:
            file.seek(4 if described & 0x04 else 0, 1)
            return file.tell() <= size
    return False

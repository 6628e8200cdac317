"""The names that we add to a source's own columns, and what its columns of such names are called beside them.

A source may name its columns as it likes, also as we name the number of a row: its own is then renamed where
the relation over it is made, so that neither can be taken for the other. Knows no format.
"""

import re
from collections.abc import Iterable, Sequence

from timeline.quote import whole

OURS = re.compile(r"source_row|rowid|ingest_(file|name|key)|anchors? of \w+|_ingredient|_\w+_concept_id", re.IGNORECASE)
"""DuckDB takes names that differ in capitals for the same."""


def called(names: Sequence[str]) -> dict[str, str]:
    """Each of a source's columns -> what it is called in our relation: itself, unless we have that name."""
    taken = {name.lower() for name in names}
    found = {}
    for name in names:
        beside = name
        while OURS.fullmatch(beside) or (beside != name and beside.lower() in taken):
            beside += " of the source"
        found[name] = beside
        taken.add(beside.lower())
    return found


def columns(names: Sequence[str], *without: str) -> str:
    """A SELECT list of all columns under these names; `without` are of the relation, and not of the source."""
    renamed = [f"{whole(name)} AS {whole(beside)}" for name, beside in called(names).items() if name != beside]
    left_out = f" EXCLUDE ({', '.join(without)})" if without else ""
    return f"*{left_out} RENAME ({', '.join(renamed)})" if renamed else f"*{left_out}"


def has(names: Iterable[str], name: str) -> bool:
    """Whether a source has a column of this name, in any case."""
    return name in {one.lower() for one in names}

"""The files of an extract that were not read, in a sentence: named, or of many counted by ending; opens none."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

NAMED = 8
"""So many are named; of more, those of an ending are counted together."""
OWN = ("extract.yaml", "extract.yml")
"""What says of an extract that it is synthetic."""


def beside(folder: Path, used: Iterable[Path], but: Iterable[str] = ()) -> list[str]:
    """The regular files anywhere in `folder` that are not `used`, by their paths in it; `but` are such paths."""
    left_out = {*OWN, *but}
    known = set(used)
    names = (
        one.relative_to(folder).as_posix() for one in sorted(folder.rglob("*")) if one.is_file() and one not in known
    )
    return [name for name in names if name not in left_out]


def named(names: list[str]) -> str:
    """`a.txt, b/c.tsv`, or `*.tsv (20 files), *.txt (1 file)`."""
    if len(names) <= NAMED:
        return ", ".join(names)
    kinds = Counter(_ending(name) for name in names).most_common()
    listed = ", ".join(f"{kind} ({n} file{'s' if n > 1 else ''})" for kind, n in kinds[:NAMED])
    more = sum(n for _, n in kinds[NAMED:])
    return f"{listed}, and {more} more" if more else listed


def _ending(name: str) -> str:
    last = name.rpartition("/")[2]
    return f"*{Path(last).suffix.lower()}" if "." in last[1:] else "without an ending"

"""Tables of frames as people read them: a declaration and rows in, words out, and those in the form asked for.

Knows no connection, no query and no medicine.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import UsageError
from timeline.table import characteristics, plain
from timeline.table.declared import KINDS, Characteristics, Plain, Table
from timeline.table.plain import head
from timeline.table.shown import Shown
from timeline.table.suppress import check_suppression, suppress, suppression_note

if TYPE_CHECKING:
    import polars

__all__ = [
    "ENDINGS",
    "KINDS",
    "PRINTED",
    "Characteristics",
    "Plain",
    "Shown",
    "Table",
    "as_text",
    "check_suppression",
    "head",
    "shown",
    "suppress",
    "suppression_note",
    "write",
]

ENDINGS = (".html", ".md", ".tex", ".docx")
"""Files for people; those for programs are frames, written elsewhere."""
PRINTED = {"markdown": ".md", "html": ".html", "latex": ".tex"}
"""The forms that can be printed, and the ending of a file of each."""


def shown(
    frame: "polars.DataFrame",
    declared: Table | None,
    units: Mapping[str, str | None],
    title: str,
    notes: Sequence[str] = (),
    remark: str = "",
) -> Shown:
    """Return `frame` as the table that `declared` says, plain where it says nothing."""
    if isinstance(declared, Characteristics):
        return characteristics.shown(frame, declared, title, notes, remark)
    return plain.shown(frame, declared or Plain(kind="plain"), units, title, notes, remark)


def as_text(table: Shown, form: str) -> str:
    """Return `table` as `markdown`, `html` or `latex`, or as `text` for the terminal."""
    return _writers()[form](table)


def write(table: Shown, path: Path) -> None:
    """Write `table` to `path` as its ending says: .html, .md, .tex or .docx; raise UsageError for another."""
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: write a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".docx":
        from timeline.table.docx import as_docx

        path.write_bytes(as_docx(table))
    else:
        form = next(name for name, ending in PRINTED.items() if ending == path.suffix)
        path.write_text(as_text(table, form), encoding="utf-8")


def _writers() -> Mapping[str, Callable[[Shown], str]]:
    from timeline.table import text, typeset

    return {"markdown": text.as_markdown, "text": text.as_text, "html": typeset.as_html, "latex": typeset.as_latex}

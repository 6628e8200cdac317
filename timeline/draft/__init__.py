"""A first mapping file for an extract that is new: what it holds that means nothing yet, and what that may be.

Nothing is mapped here: a draft proposes, a person confirms. Knows no medicine, and tells no patient's value: numbers
and words are shown where at least ten patients have them, numbers with two digits that count.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.draft.records import (
    CodeDraft,
    ColumnDraft,
    Draft,
    PatternDraft,
    RouteDraft,
    TableDraft,
    UnitDraft,
    WordDraft,
)

if TYPE_CHECKING:
    from timeline.rules import Concept

__all__ = [
    "CodeDraft",
    "ColumnDraft",
    "Draft",
    "PatternDraft",
    "RouteDraft",
    "TableDraft",
    "UnitDraft",
    "WordDraft",
    "draft",
]

MOST = 100
"""Codes that a draft names, the most frequent first."""


def draft(
    paths: Sequence[Path | str] | Path | str,
    concepts: "Mapping[str, Concept]",
    *,
    format: str = "auto",
    mapping: Path | str | None = None,
    most: int = MOST,
    show_values: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Draft:
    """Return what a mapping file would have to say of an extract; nothing is kept of it.

    The extract is read into a study that is thrown away. Where it cannot be read at all, `problem` says why, and
    its tables are drafted alone. Words that stand for a patient each are not told, unless `show_values`. Raises
    UsageError where there is no such file, ExtractError where none of it is a table, Findings where `mapping` has
    mistakes.
    """
    from timeline import ingest, personal, store
    from timeline.draft import codes, patterns, tables
    from timeline.draft.alike import Known
    from timeline.errors import ExtractError, UsageError
    from timeline.ingest import address

    if most < 1:
        raise UsageError(f"--codes {most}: name a number above 0: how many codes are drafted")
    asked = [paths] if isinstance(paths, str | Path) else paths
    listed = [str(one) if address.is_address(one) else Path(one) for one in asked]
    files = [one for one in listed if isinstance(one, Path)]
    for path in files:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder")
    given = _mapping(mapping)
    known = Known.of(concepts, codes.learned())
    with store.connect(":memory:") as con:
        try:
            # Which clock times are in decides no mapping: any zone will do.
            ingest.ingest(con, listed, concepts, format=format, mapping=mapping, timezone="UTC", progress=progress)
        except ExtractError as error:
            unread = tables.unread(con, files, given, set(), known)
            if not any(table.columns for table in unread):
                raise ExtractError(
                    "\n".join(dict.fromkeys([str(error), *(str(one.problem) for one in unread)]))
                ) from None
            return Draft(problem=str(error), tables=unread)
        read = {name for (name,) in con.execute("SELECT split_part(source_file, '#', 1) FROM meta.source").fetchall()}
        modules = {path: ingest.format_of(path, format, given) for path in listed}
        described: dict[str, str] = {}
        for path, module in modules.items():
            described |= module.descriptions(con, path) if hasattr(module, "descriptions") else {}
        # The tables of a standard are known, read or not.
        free = [path for path in files if modules[path].__name__.endswith(".native")]
        hidden = personal.Personal() if show_values else personal.of(con, personal.EVENTS, "--show-values shows them")
        found = codes.drafted(con, known, described, most, hidden)
        return Draft(
            patterns=patterns.drafted(codes.rows_of_codes(con)),
            codes=found.codes,
            codes_in_all=found.codes_in_all,
            rows_in_all=found.rows_in_all,
            units=codes.units(con),
            routes=codes.routes(con, hidden),
            words=codes.words(con, concepts),
            tables=tables.unread(con, free, given, read, known),
            hidden=hidden.said,
        )


def _mapping(path: Path | str | None):
    from timeline.ingest import mapping

    return None if path is None else mapping.load(Path(path))

"""The folders of queries and of rules that a call means, named or shipped, and what lies in them; opens no study."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.header import Query


def named_query(name: str, folder: Path | str | None = None) -> Query:
    """Return the query `name`, shipped or in `folder`; raise UsageError, with the nearest name, where there is none."""
    from timeline.errors import UsageError
    from timeline.printing import did_you_mean

    known = queries(folder)
    if name not in known:
        hint = did_you_mean(name, known) or "."
        raise UsageError(f"there is no query `{name}`{hint} `timeline query STUDY --list` names them")
    return known[name]


def queries(folder: Path | str | None = None) -> dict[str, Query]:
    """Return the queries of `folder`, or the shipped ones, by name; raise Findings with the mistakes of all files."""
    from timeline import query

    return query.load_queries(query_folder(folder))


def query_folder(folder: Path | str | None) -> Path:
    """Return `folder`, or that of the shipped queries."""
    from timeline import shipped

    return shipped.folder("queries") if folder is None else Path(folder)


def checklist_files(folder: Path | str | None) -> tuple[dict[str, Query], Path, Path]:
    """The queries of a folder, and the files of published values and of other readings that go with them."""
    from timeline import shipped

    where = query_folder(folder)
    values = shipped.published(where) or where / "published.yaml"
    return queries(folder), values, shipped.published(where, "alternatives.yaml") or where / "alternatives.yaml"


def rule_folders(named: Iterable[Path | str]) -> list[Path]:
    """Return the folders that are meant: those named, or shipped rule folders of such a name where there is none."""
    from timeline import shipped

    folders = [Path(name) for name in named]
    return [folder if folder.exists() else _shipped_or(folder, shipped.folder("rules") / folder) for folder in folders]


def _shipped_or(named: Path, shipped: Path) -> Path:
    return shipped if shipped.is_dir() else named

"""Where the rules, queries and data that come with the engine are; must not know what is in them."""

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).resolve().parent


def folder(name: Literal["rules", "queries", "queries/checks", "data"]) -> Path:
    """Return the shipped folder `name`: inside the installed package, or at the top of a checkout."""
    installed = PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else PACKAGE.parent / name


def published(queries: Path, name: str = "published.yaml") -> Path | None:
    """Return the file of published values that goes with a folder of queries: the one in it, or the shipped one.

    None for another folder of queries without such a file. `name` may be that of a file that goes with it.
    """
    if (queries / name).is_file():
        return queries / name
    return folder("data") / name if queries.resolve() == folder("queries").resolve() else None

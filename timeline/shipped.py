"""Where the rules, queries and data that come with the engine are; must not know what is in them."""

from pathlib import Path
from typing import Literal

PACKAGE = Path(__file__).resolve().parent


def folder(name: Literal["rules", "queries", "data"]) -> Path:
    """Return the shipped folder `name`: inside the installed package, or at the top of a checkout."""
    installed = PACKAGE / "_shipped" / name
    return installed if installed.is_dir() else PACKAGE.parent / name

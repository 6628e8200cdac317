"""Addresses of database servers: which they are, and how they are written without what opens them; knows no server."""

import re
from pathlib import Path
from urllib.parse import urlsplit

SCHEME = re.compile(r"postgres(ql)?:/", re.IGNORECASE)


def is_address(extract: Path | str) -> bool:
    """Whether an extract is named by the address of a server, not by a path."""
    return isinstance(extract, str) and bool(SCHEME.match(extract))


def shown(address: str) -> str:
    """`postgresql://host:port/database`: nothing of user, password and options, which belong in no table or message."""
    split = urlsplit(address)
    return f"postgresql://{split.netloc.rpartition('@')[2]}{split.path}"

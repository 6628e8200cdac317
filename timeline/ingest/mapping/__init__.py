"""Mapping files: what a source means that does not speak our words, as data; know no drug, no lab and no database.

`model` is what a file says, `read` reads the parts about codes, `tables` those about files. docs/mapping.md tells
every key.
"""

from timeline.ingest.mapping.model import (
    COLUMNS,
    FACTS,
    Cell,
    Column,
    Mapping,
    Offset,
    Pattern,
    Table,
    Target,
    Writing,
    fitting,
    names_of,
)
from timeline.ingest.mapping.read import load, position

__all__ = [
    "COLUMNS",
    "FACTS",
    "Cell",
    "Column",
    "Mapping",
    "Offset",
    "Pattern",
    "Table",
    "Target",
    "Writing",
    "fitting",
    "load",
    "names_of",
    "position",
]

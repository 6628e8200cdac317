"""What every format hands to `normalise`: a record a file or part of one, SQL over its rows; knows no study.

A format reads nothing into tables that need not be: `relation` is scanned where it lies, `columns`
say how the columns that events have are made of it. Types, units, concepts, duplicates, ids and
counts are `normalise`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from timeline.schema import Field

EVENT_COLUMNS = ("patient_id", "time", "end_time", "code", "value", "unit", "text", "route")
PATIENT_COLUMNS = ("patient_id", "sex", "birth_date")
REQUIRED = {"events": ("patient_id", "time", "code"), "patients": ("patient_id",)}


@dataclass(frozen=True)
class Code:
    """What a mapping reads out of one distinct code; the default says nothing beyond the code itself."""

    code: str
    key: str
    """What is looked up among concept names and value sets."""
    unit: str | None = None
    """The unit where the row has none of its own."""
    concept: str | None = None
    """The mapping's own decision: wins over value sets."""
    reject: str | None = None
    """Why rows of this code are not kept."""
    fact: Literal["sex", "birth_date"] | None = None
    """Rows of this code become this column of `patient`, not events."""
    fact_value: str | None = None
    """The fact, where the code says it; else the row's value or text, for a birth date the row's time."""
    parents: tuple[str, ...] = ()
    """Codes of vocabularies that the extract's metadata gives, tried after `key` and `code`."""
    ranked: bool = True
    """The first of `parents` that has a concept counts; else they are equals, of which none is chosen."""
    text: str | None = None
    """The text where the row has none."""
    route: str | None = None
    """The route where the row has none."""
    date_only: bool = False
    """A time of exactly midnight is a bare date."""
    mislabelled: tuple[tuple[str, str], ...] = ()
    """Units that its rows are labelled with by mistake, with those that the values are in."""


class CodeMapping(Protocol):
    """What of a mapping file ingest needs."""

    @property
    def name(self) -> str: ...
    @property
    def units(self) -> Mapping[str, str | None]: ...
    @property
    def routes(self) -> Mapping[str, str]: ...
    @property
    def words(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def tables(self) -> Mapping[str, object]: ...
    @property
    def concepts(self) -> frozenset[str]: ...
    def named(self, concept: str) -> str: ...
    def kept(self, table: str) -> tuple[str, ...] | None: ...
    def decode(self, codes: Iterable[str]) -> list[Code]: ...
    def unmet(self, codes: Iterable[str]) -> tuple[str, ...]: ...
    def idle(self, tables: Iterable[str], but: str = "") -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Staged:
    """One file of an extract as rows that SQL can read, several times."""

    source_file: str
    """As meta.source shows it: the path inside the extract folder, or the file's name; of a part, `FILE#PART`."""
    path: Path
    """The file whose bytes are hashed."""
    format: str
    kind: Literal["events", "patients"]
    relation: str
    """A FROM item with the file's own columns and `source_row` UBIGINT, the first data row being 1."""
    columns: Mapping[str, str]
    """Staged column -> expression over `relation`, of the file's own type; columns left out are NULL."""
    own: tuple[str, ...]
    """All columns of the file: equal in all of them is a duplicate; they make the event's id and the raw row."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Of `time` and `end_time`: the reason of rows where it cannot be read, if it is not written as everywhere."""
    rejected: str | None = None
    """SELECT source_row, reason, raw: lines that are no rows."""
    refused: str | None = None
    """SELECT source_row, reason: rows of `relation` that are not to be used, such as those entered in error."""
    raw: str | None = None
    """SELECT source_row, raw: rows as the source writes them; without it, the columns of `own` as JSON."""
    mapping: CodeMapping | None = None
    notes: tuple[str, ...] = ()
    """Sentences for the report."""
    within: tuple[str, str, int] | None = None
    """A relation with the rows of several files alike in `columns` and `own`, an integer over it, and which of its
    values says that a row is of this one: many small files are then read in one go."""
    part: str = ""
    """Which part of `path` these rows are, where one file holds several: a table, a column, a repeated element."""
    digest: str | None = None
    """Stands for the content where there are no bytes to hash: rows of a database server."""
    reads: tuple[Field, ...] = ()
    """The columns of `relation` that are used, and the type that their text must have: pandera judges rows by it."""

    @property
    def whole(self) -> str:
        """The name of the file that this is a part of."""
        return self.source_file.removesuffix(f"#{self.part}") if self.part else self.source_file

"""What a draft holds: records of what means nothing yet, and what it may be; never a patient's value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """What something may mean."""

    name: str
    because: str


@dataclass(frozen=True)
class CodeDraft:
    """A code, or what a pattern makes of several, that no concept has."""

    key: str
    description: str | None
    rows: int
    patients: int
    units: tuple[tuple[str, int], ...]
    """With their rows; empty for none."""
    numbers: tuple[float, float, float] | None
    """10 %, median, 90 %, with two digits that count; None where fewer than ten patients have a number."""
    words: tuple[str, ...]
    """The most frequent, each of at least ten patients."""
    candidates: tuple[Candidate, ...] = ()
    """Concepts, the likeliest first."""


@dataclass(frozen=True)
class PatternDraft:
    """A family of codes that may be taken apart."""

    match: str
    key: str
    codes: int
    rows: int
    statuses: tuple[tuple[str, int], ...] = ()
    """Words at the ends of the codes, with their rows; which of them count is not to be guessed."""


@dataclass(frozen=True)
class UnitDraft:
    """Rows that were rejected because of their unit."""

    reason: str
    rows: int


@dataclass(frozen=True)
class RouteDraft:
    """A route that is no word of ours."""

    route: str
    rows: int
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class WordDraft:
    """A word that a concept does not list, of at least ten patients."""

    concept: str
    word: str
    rows: int
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class ColumnDraft:
    """A column of a file that is not read, and which of ours it may be."""

    name: str
    type: str
    """DuckDB's; of a text file what all its first rows can be read as."""
    ours: str | None = None
    concept: Candidate | None = None
    """Of a wide table: what its cells may mean."""


@dataclass(frozen=True)
class Choice:
    """A key of `read` with its value; of several the person chooses."""

    pairs: tuple[tuple[str, str | tuple[str, ...]], ...]
    because: str = ""
    """Why there are several."""


@dataclass(frozen=True)
class TableDraft:
    """A file that no table of the mapping names."""

    file: str
    columns: tuple[ColumnDraft, ...] = ()
    read: tuple[Choice, ...] = ()
    """How it seems to be written, where not as the native format."""
    problem: str | None = None


@dataclass(frozen=True)
class Draft:
    """All that a mapping file would have to say."""

    problem: str | None = None
    """Why the extract cannot be read at all."""
    hidden: tuple[str, ...] = ()
    """Sentences about words that are not told, since they stand for a patient each."""
    patterns: tuple[PatternDraft, ...] = ()
    codes: tuple[CodeDraft, ...] = ()
    codes_in_all: int = 0
    rows_in_all: int = 0
    """Of all codes without a concept."""
    units: tuple[UnitDraft, ...] = ()
    routes: tuple[RouteDraft, ...] = ()
    words: tuple[WordDraft, ...] = ()
    tables: tuple[TableDraft, ...] = ()

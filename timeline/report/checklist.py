"""Two parts of the page: published beside computed values, and what other readings change; data only, no markup.

Knows the records of both; must not know what an item means.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import alternatives, engine, published, shipped
from timeline.alternatives import Ambiguity, Outcome, Sensitivity, Told
from timeline.errors import StudyError
from timeline.header import Query
from timeline.published import Compared

if TYPE_CHECKING:
    import duckdb

MARKS = {"equal": "✓", "differs": "≠", "conflict": "!", "not computed": "?", "definition": "§", "described": "–"}
"""A symbol for each agreement, beside its word."""
MEANINGS = {
    "equal": "what was published is what this study gives",
    "differs": "this study gives another value",
    "conflict": "the publication contradicts itself; this study’s value is shown, and nothing is forced",
    "not computed": "this study does not give it",
    "definition": "a definition, followed by the rules",
    "described": "a statement without a number",
}
MOST_COLUMNS = 5
"""A question that bears on more items has a row an item instead of a column."""


@dataclass(frozen=True)
class Beside:
    """Every published item with its value here."""

    source: str
    items: tuple[Compared, ...]

    @property
    def counts(self) -> tuple[tuple[str, str, int, str], ...]:
        """Of each agreement: its symbol, its word, how many, and what it means."""
        counted = published.counted(self.items)
        return tuple((MARKS[name], name, number, MEANINGS[name]) for name, number in counted.items())

    @property
    def reasons(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Why items are not computed, each reason with their ids."""
        told: dict[str, tuple[str, ...]] = {}
        for one in self.items:
            if one.agreement == "not computed":
                told[one.why] = (*told.get(one.why, ()), one.id)
        return tuple(told.items())

    @property
    def marks(self) -> Mapping[str, str]:
        return MARKS


@dataclass(frozen=True)
class Readings:
    """Every open question with its other readings, or in `absent` why there is none."""

    found: Sensitivity | None = None
    absent: str = ""

    @property
    def asked(self) -> tuple[Ambiguity, ...]:
        return tuple(one for one in self.found.ambiguities if one.readings) if self.found else ()

    @property
    def settled(self) -> tuple[Ambiguity, ...]:
        """Questions for which there is no other reading that changes a number."""
        return tuple(one for one in self.found.ambiguities if not one.readings) if self.found else ()

    @property
    def counts(self) -> tuple[int, int, int]:
        """Other readings in all, those that change an item, and those that could not be computed."""
        told = [reading for one in self.asked for reading in one.readings]
        unknown = [one for one in told if not any(outcome.computed for outcome in one.outcomes)]
        return len(told), sum(one.changed > 0 for one in told), len(unknown)


@dataclass(frozen=True)
class Grid:
    """A question's outcomes as a table: a row a reading, or a row an item where there are many items."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Outcome | None, ...]], ...]
    items: bool
    """Whether a row is an item."""


def grid(one: Ambiguity) -> Grid:
    """Return the items that some reading changes, or that are known of none, under the default and each reading."""
    told = [reading for reading in one.readings if reading.outcomes]
    columns: list[tuple[str, Mapping[str, Outcome]]] = [("default", {o.id: o for o in one.defaults})]
    columns += [(reading.label, {o.id: o for o in reading.outcomes}) for reading in told]
    ids = one.changed
    if len(ids) > MOST_COLUMNS:
        head = tuple(label for label, _ in columns)
        return Grid(head, tuple((key, tuple(of.get(key) for _, of in columns)) for key in ids), True)
    return Grid(ids, tuple((label, tuple(of.get(key) for key in ids)) for label, of in columns), False)


def lacking(one: Ambiguity) -> tuple[tuple[str, str], ...]:
    """Return the readings of which nothing is computed, by the reason: their labels, and it."""
    found: dict[str, list[str]] = {}
    for told in one.readings:
        if why := _why(told):
            found.setdefault(why, []).append(told.label)
    return tuple(("; ".join(labels), why) for why, labels in found.items())


def _why(told: Told) -> str:
    if told.why or any(outcome.computed for outcome in told.outcomes):
        return told.why
    return "; ".join(dict.fromkeys(outcome.why for outcome in told.outcomes))


def beside(con: "duckdb.DuckDBPyConnection", folder: Path, queries: Mapping[str, Query]) -> Beside | None:
    """Return the published items beside the study's; None where no published values go with the folder of queries."""
    file = shipped.published(folder)
    if file is None:
        return None
    values = published.load(file)
    return Beside(values.source, published.compare(con, queries, values))


def readings(con: "duckdb.DuckDBPyConnection", folder: Path, queries: Mapping[str, Query]) -> Readings | None:
    """Return what other readings change; None where no file of them goes with the folder of queries."""
    values, file = shipped.published(folder), shipped.published(folder, "alternatives.yaml")
    if values is None or file is None:
        return None
    items = published.load(values)
    listed = alternatives.load(file, items, queries)
    try:
        return Readings(alternatives.sensitivity(con, engine.last_run(con), queries, items, listed))
    except StudyError as error:
        return Readings(absent=str(error))


def anchors(told: Beside | None, others: Readings | None) -> dict[str, str]:
    """Return the anchor on the page of each id that texts may name."""
    found = {one.id: f"published-{one.id}" for one in told.items} if told else {}
    asked: Iterable[Ambiguity] = others.found.ambiguities if others and others.found else ()
    return {**found, **{one.id: f"reading-{one.id}" for one in asked}}


def split(text: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return `text` in pieces, each with the anchor of the id that it is; empty for other text."""
    return [
        (piece, known.get(piece, "")) for piece in re.split(r"(?<![\w-])(\w+(?:-\w+)+|\w+)(?![\w-])", text) if piece
    ]

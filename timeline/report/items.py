"""One query as the page shows it: its answer with statistics and chart, or why there is none; renders nothing."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from timeline import charts, printing, query, statistic, table
from timeline.charts.declared import Beyond
from timeline.errors import TimelineError, UsageError
from timeline.header import Query
from timeline.report.provenance import Provenance
from timeline.stats import Answer

if TYPE_CHECKING:
    import duckdb
    import polars

MOST_ROWS = 100
"""Rows of a table on the page; all of them come from `timeline query`."""
OPEN_ROWS = 45
"""A longer table is folded."""


@dataclass(frozen=True)
class Item:
    """One query on the page: its answer, or in `absent` why there is none."""

    query: Query
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[bool, ...] = ()
    total: int = 0
    answers: tuple[Answer, ...] = ()
    """Of the statistics that the header declares."""
    chart: dict[str, Any] | None = None
    shown: table.Shown | None = None
    """The rows in words, where the header declares a table of another shape than the rows'."""
    absent: str = ""

    @property
    def name(self) -> str:
        return self.query.name

    @property
    def headers(self) -> tuple[tuple[str, str, str, bool], ...]:
        """Of each column: its name in words, its unit where the name does not say it, its meaning, whether a number."""
        declared = self.query.table
        titles = declared.heads if isinstance(declared, table.Plain) else {}
        told = [self.query.returns[name] for name in self.columns]
        heads = [
            table.head(name, column.unit, number, titles.get(name, ""))
            for name, column, number in zip(self.columns, told, self.numeric, strict=True)
        ]
        return tuple((h.title, h.unit, column.meaning, h.number) for h, column in zip(heads, told, strict=True))

    @property
    def cards(self) -> tuple[dict[str, str], ...]:
        return tuple(dict(zip(self.columns, row, strict=True)) for row in self.rows)

    @property
    def folded(self) -> bool:
        return self.total > OPEN_ROWS

    @property
    def cut(self) -> bool:
        return self.total > len(self.rows)


def answer(con: "duckdb.DuckDBPyConnection", found: Query, told: Provenance, lanes: Beyond | None = None) -> Item:
    """Return the answer to one query as the page shows it; an error or an empty answer becomes a sentence.

    `lanes` says what a chart does with more lanes than can be read, instead of its header.
    """
    try:
        frame = query.run_query(con, found)
    except TimelineError as error:
        return Item(found, absent=f"Not available: {error}.")
    if frame.is_empty():
        return Item(found, absent=found.empty or "No row.")
    item = answered(found, frame)
    chart = None
    if found.chart is not None:
        notes = [told.synthetic] if told.synthetic else []
        chosen = found.chart if lanes is None else charts.beyond(found.chart, lanes)
        try:
            chart = charts.specification(charts.draw(frame, chosen, found.title, notes, item.answers))
        except UsageError as error:
            raise UsageError(f"{found.file}: {error}") from None
    return replace(item, chart=chart)


def answered(found: Query, frame: "polars.DataFrame") -> Item:
    """Return the rows of one query as the page shows them, with its statistics and without its chart."""
    answers = tuple(statistic.answer(frame, declared) for declared in found.statistics)
    shown = frame.head(MOST_ROWS)
    rows = tuple(zip(*printing.columns_of(shown.columns, shown.rows()), strict=True))
    numeric = tuple(dtype.is_numeric() for dtype in frame.dtypes)
    declared = found.table
    try:
        words = table.shown(frame, declared, {}, found.title) if isinstance(declared, table.Characteristics) else None
    except UsageError as error:
        raise UsageError(f"{found.file}: {error}") from None
    return Item(found, tuple(frame.columns), rows, numeric, frame.height, answers, shown=words)

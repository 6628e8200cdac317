"""The chart of one query by itself, labelled as the report would: rows in, an Altair chart out; writes nothing."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from timeline import charts, query, statistic
from timeline.errors import UsageError
from timeline.header import Query

if TYPE_CHECKING:
    import altair
    import duckdb


def chart(con: "duckdb.DuckDBPyConnection", asked: Query, params: Mapping[str, Any]) -> "altair.TopLevelMixin":
    """Return the chart of `asked`; under its title stand the study's own remark and the parameters that were given.

    Raises UsageError where the query declares no chart, or has no row to draw.
    """
    if asked.chart is None:
        raise UsageError(f"the query `{asked.name}` declares no chart; ask for it as a table")
    frame = query.run_query(con, asked, params)
    if frame.is_empty():
        raise UsageError(f"the query `{asked.name}` has no row to draw. {asked.empty}".rstrip())
    given = ", ".join(f"{name}: {value}" for name, value in params.items())
    notes = [note for note in (query.remark(con), given) if note]
    answers = [statistic.answer(frame, declared) for declared in asked.statistics]
    return charts.draw(frame, asked.chart, asked.title, notes, answers)

"""What a header may say about a survival curve; knows no Altair and no data."""

from typing import Literal

from pydantic import PositiveFloat

from timeline.charts.declared.base import Declared


class Survival(Declared):
    """A Kaplan-Meier curve of the rows, or one for each value of `by`, with the numbers at risk under the axis."""

    kind: Literal["survival"] = "survival"
    time: str
    event: str
    by: str | None = None
    """A column whose values each get a curve and a row of the table; at most six are drawn."""
    missing: str | None = None
    """A column that says why a time or an event is not there, for the notes."""
    unit: str
    """The unit of time, as a word: it stands behind the numbers of the notes."""
    x: str
    """Title of the axis of time, with its unit."""
    y: str
    """What the curve is the share of, such as `Overall survival`; the percent sign is added."""
    every: PositiveFloat | None = None
    """Distance of the ticks, and so of the columns of the table; chosen from the data where it is not said."""
    limit: PositiveFloat | None = None
    """Where the axis ends; the last time, rounded up to a tick, where it is not said."""
    answer: str = "survival"
    """The name of the query's statistic whose landmarks and median are marked."""

    def numbers(self) -> tuple[str, ...]:
        return (self.time,)

    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.time, self.event, self.by, self.missing) if name is not None)

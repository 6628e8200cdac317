"""What a header may say about a measure over days around an anchor; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import PositiveInt, model_validator

from timeline.charts.declared.base import Declared


class Measure(Declared):
    """One panel: what is measured."""

    title: str
    """Title of the vertical axis, with its unit."""
    log: bool = False


class Course(Declared):
    """A thin line for each value of `line`, and the median and quartiles of each day over all of them."""

    kind: Literal["course"] = "course"
    line: str
    day: str
    """The column of days, the anchor being day 0."""
    value: str
    """The measure: one value a line and day. A row without one is not known, and the line breaks there."""
    panel: str | None = None
    """A column that says which of `panels` a row belongs to; without it there is one panel."""
    panels: Mapping[str, Measure]
    """The panels, in order, by the value of `panel`; one, of any name, where there is no such column."""
    x: str
    """Title of the axis of days."""
    zero: str
    """What happened on day 0: stands at its line."""
    most: PositiveInt = 40
    """With more lines than can be told apart, so many stand for all, and the notes say so."""

    @model_validator(mode="after")
    def _has_a_panel(self) -> "Course":
        if not self.panels or (self.panel is None and len(self.panels) > 1):
            raise ValueError("`panels` names what is measured: one, or with `panel`, one for each value of that column")
        return self

    def numbers(self) -> tuple[str, ...]:
        return (self.day, self.value)

    def columns(self) -> tuple[str, ...]:
        named = (self.line, self.day, self.value, self.panel)
        return tuple(name for name in named if name is not None)

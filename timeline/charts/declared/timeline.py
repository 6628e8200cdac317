"""What a header may say about one subject's lanes on one axis of time; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import field_validator, model_validator

from timeline.charts.declared.base import Colour, Declared, Shape

Mark = Literal["line", "bar", "point", "graded", "words", "window"]


class TimelineLayer(Declared):
    """One kind of thing on the axis: rows whose `element` column holds the layer's key."""

    mark: Mark
    """line: numbers joined by a line, on a small axis of their own; bar: a span; point: a symbol, its number beside
    it where there is room; graded: a span coloured, and as high, as an ordinal value; words: a tick with its words;
    window: a span shaded over all lanes and named at their top."""
    title: str
    colour: Colour = "ink"
    shape: Shape = "circle"
    grades: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _has_what_its_mark_needs(self) -> "TimelineLayer":
        if (self.mark == "graded") != bool(self.grades):
            raise ValueError("`grades` goes with `mark: graded`, and `graded` needs it: the ordinal values, in order")
        return self


class Timeline(Declared):
    """Lanes on one axis of time that can be zoomed and moved, grouped under headings.

    Rows of no layer, of no group or without a time are not drawn. Of a column that the chart may do without, NULL
    says nothing; a row that lies outside `low` or `high`, is `bound` or `implausible` looks it.
    """

    kind: Literal["timeline"] = "timeline"
    lane: str
    group: str
    element: str
    start: str
    end: str
    value: str
    unit: str
    detail: str
    """A column of words for the tooltip; a words mark writes them beside it, up to the first semicolon."""
    origin: str
    """The time of day 0, the same in every row; NULL for none."""
    origin_name: str
    """What day 0 is, in words, the same in every row."""
    low: str | None = None
    high: str | None = None
    """Numbers below and above these look it, and the lane is shaded between them; of one alone, on that side."""
    bound: str | None = None
    """`<`, `<=`, `>` or `>=` where the number is only a bound."""
    implausible: str | None = None
    log: str | None = None
    """Whether the lane's numbers stand on a logarithmic axis."""
    source: str | None = None
    """Where the row comes from, for the tooltip."""
    rank: str | None = None
    """Which lanes stay where there are more than `most`: the lowest ranks; then those with more rows."""
    most: int = 30
    view: tuple[float, float] | None = None
    """Days, relative to day 0, that are in view at first; where hardly any row is in them, as many days elsewhere.
    Without it all are."""
    join: float | None = None
    """Numbers further apart than so many days are not joined by the line."""
    x: str = "Time"
    """Title of the axis; under the dates stand the days."""
    groups: Mapping[str, str]
    """Title of each group, by the value of `group`, in the order in which they stand."""
    layers: Mapping[str, TimelineLayer]

    @field_validator("view")
    @classmethod
    def _view_rises(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] >= value[1]:
            raise ValueError("`view` is two days, the earlier first")
        return value

    def numbers(self) -> tuple[str, ...]:
        return tuple(name for name in (self.value, self.low, self.high) if name is not None)

    def columns(self) -> tuple[str, ...]:
        named = (
            self.lane, self.group, self.element, self.start, self.end, self.value, self.unit, self.detail, self.origin,
            self.origin_name, self.low, self.high, self.bound, self.implausible, self.log, self.source, self.rank,
        )  # fmt: skip
        return tuple(name for name in named if name is not None)

"""What a header may say about lanes: a swimmer plot; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import PositiveInt, model_validator

from timeline.charts.declared.base import Colour, Declared, Shape

Beyond = Literal["sample", "pages", "all"]
Mark = Literal["bar", "graded", "amount", "point", "column"]


class Layer(Declared):
    """One kind of thing in a lane: rows whose `element` column holds the layer's key."""

    mark: Mark
    """bar: a span in one colour; graded: a span coloured by an ordinal value; amount: a span shaded by how much;
    point: a symbol; column: the value as text beside the lane."""
    title: str
    track: str = "main"
    """Rows of one lane that share a track lie on one line; tracks are ordered as first named."""
    grades: tuple[int, ...] = ()
    breaks: tuple[float, ...] = ()
    unit: str = ""
    shape: Shape = "circle"
    colour: Colour = "ink"
    offset: float = 0
    """Moves a symbol along the axis, in the axis' units, so that it can stand at the end of a lane."""

    @model_validator(mode="after")
    def _has_what_its_mark_needs(self) -> "Layer":
        if (self.mark == "graded") != bool(self.grades):
            raise ValueError("`grades` goes with `mark: graded`, and `graded` needs it: the ordinal values, in order")
        if (self.mark == "amount") != bool(self.breaks):
            raise ValueError("`breaks` goes with `mark: amount`, and `amount` needs it: where one shade ends")
        if list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError("`breaks` must rise")
        return self


class Lanes(Declared):
    """A lane for each value of `lane`, in panels: a swimmer plot.

    Panels stand as the rows come; where each is a layer of its own, in the order of the layers.
    """

    kind: Literal["lanes"] = "lanes"
    lane: str
    panel: str | None = None
    element: str
    start: str
    end: str
    value: str
    detail: str | None = None
    """A column of words for the tooltip."""
    order: str | None = None
    """A column by which lanes are sorted, largest first; ties by the lane's name. Without it: as the rows come."""
    most: PositiveInt = 60
    """More lanes than these are more than can be read at once."""
    beyond: Beyond = "sample"
    """With more lanes than `most`, sample: so many stand for all; pages: so many on a page; all: every lane."""
    link: Literal["patient"] | None = None
    """In the report the names of lanes lead to the part of that patient; pictures have no links."""
    count: bool = False
    """Each panel's title says how many lanes it has."""
    days: bool = True
    """Positions are calendar days: a span covers its last day, too."""
    x: str
    """Title of the axis, with its unit."""
    layers: Mapping[str, Layer]

    def numbers(self) -> tuple[str, ...]:
        return (self.start, self.end, self.value)

    def columns(self) -> tuple[str, ...]:
        named = (self.lane, self.panel, self.element, self.start, self.end, self.value, self.detail, self.order)
        return tuple(name for name in named if name is not None)

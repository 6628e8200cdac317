"""What a header may say about a waterfall, one bar a row, sorted; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import PositiveFloat, PositiveInt, model_validator

from timeline.charts.declared.base import Category, Column, Declared


class Waterfall(Declared):
    """In each panel a bar for each row from zero to its value, highest first."""

    kind: Literal["waterfall"] = "waterfall"
    label: Column
    """Whose bar it is."""
    value: Column
    """The value, and what it is, with its unit: the title of the vertical axis."""
    panel: str | None = None
    """A column with a panel for each value, in the order of the rows."""
    words: str | None = None
    """The column that says a panel's name in words."""
    colour: Column | None = None
    colours: Mapping[str, Category] = {}
    detail: Column | None = None
    """A column of words for the tooltip."""
    missing: str | None = None
    """The column that says why there is no value."""
    cap: PositiveFloat | None = None
    """A bar further from zero is cut there, with an arrow and its value."""
    answer: str = "paired"
    """The name of the statistic in the same header that the notes say, where there is one."""
    per_row: PositiveInt = 2
    most: PositiveInt = 200
    """With more bars in a panel, so many stand for all, evenly spaced, and the notes say so."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Waterfall":
        if (self.colour is not None) != bool(self.colours):
            raise ValueError("`colour` names a column and `colours` its values; one needs the other")
        if self.words is not None and self.panel is None:
            raise ValueError("`words` names a panel in words and needs `panel`")
        return self

    def numbers(self) -> tuple[str, ...]:
        return (self.value.column,)

    def columns(self) -> tuple[str, ...]:
        told = (self.label, self.value, self.colour, self.detail)
        named = (*(one.column for one in told if one is not None), self.panel, self.words, self.missing)
        return tuple(name for name in named if name is not None)

"""What a header may say about pairs, a value before and one after; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import PositiveInt, model_validator

from timeline.charts.declared.base import Category, Column, Declared


class Pairs(Declared):
    """Small multiples: in each panel a line for each row, from its value before to its value after.

    The paired statistic that `answer` names marks each panel with its n, its P value and its stars.
    """

    kind: Literal["pairs"] = "pairs"
    label: Column
    """Whose pair a row is."""
    before: Column
    after: Column
    panel: str | None = None
    """A column with a panel for each value, in the order of the rows; the `by` of the statistic."""
    words: str | None = None
    """The column that says a panel's name in words."""
    colour: Column | None = None
    colours: Mapping[str, Category] = {}
    """By the value of `colour`, in the order of the legend; lines also differ in dash, dots in shape."""
    detail: Column | None = None
    """A column of words for the tooltip."""
    y: str
    """Title of the vertical axis, with its unit."""
    log: bool = False
    share_y: bool = False
    """All panels on the same scale; otherwise each on its own."""
    rule: float | None = None
    """A line across each panel at this value, to compare with."""
    rule_title: str = ""
    """What that line is, for the notes."""
    per_row: PositiveInt = 4
    answer: str = "paired"
    """The name of the statistic in the same header; where there is none, panels are not marked."""
    most: PositiveInt = 60
    """With more pairs in a panel, so many stand for all, with the quartiles of all behind them; the notes say so."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Pairs":
        if (self.colour is not None) != bool(self.colours):
            raise ValueError("`colour` names a column and `colours` its values; one needs the other")
        if self.words is not None and self.panel is None:
            raise ValueError("`words` names a panel in words and needs `panel`")
        if self.rule_title and self.rule is None:
            raise ValueError("`rule_title` says what the line at `rule` is and needs it")
        if self.log and self.rule is not None and self.rule <= 0:
            raise ValueError("`rule` must be above 0 on a logarithmic axis")
        return self

    def numbers(self) -> tuple[str, ...]:
        return (self.before.column, self.after.column)

    def columns(self) -> tuple[str, ...]:
        told = (self.label, self.before, self.after, self.colour, self.detail)
        named = (*(one.column for one in told if one is not None), self.panel, self.words)
        return tuple(name for name in named if name is not None)

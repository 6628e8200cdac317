"""What a header may say about shares of an ordinal level, one bar a group; knows no Altair and no data."""

from collections.abc import Mapping
from typing import Literal

from pydantic import model_validator

from timeline.charts.declared.base import Column, Declared


class Shares(Declared):
    """A bar of 100 % for each group, cut by level: how many rows of the group are at each."""

    kind: Literal["shares"] = "shares"
    group: Column
    """A column with a bar for each value, in the order of the rows."""
    words: str | None = None
    """The column that says a group's name in words."""
    level: Column
    levels: Mapping[str, str]
    """By the value of `level`, from none to worst: its words. A row without a level is missing, not the lowest."""
    missing: str | None = None
    """The column that says why there is no level."""
    x: str
    """Title of the axis, with its unit."""

    @model_validator(mode="after")
    def _has_levels(self) -> "Shares":
        if not self.levels:
            raise ValueError("`levels` names the values of `level`, from none to worst, each with its words")
        return self

    def columns(self) -> tuple[str, ...]:
        named = (self.group.column, self.words, self.level.column, self.missing)
        return tuple(name for name in named if name is not None)

"""What a query's header may say of its statistics: frozen models; know no frame and compute nothing."""

from abc import abstractmethod
from typing import Annotated, Literal, get_args

from pydantic import Field

from timeline.rules import Model

Beside = Literal["wilcoxon", "sign_test", "hodges_lehmann", "leave_one_out"]
Adjusted = Literal["holm", "benjamini_hochberg"]


class Declared(Model):
    """What every statistic has; `name` tells several of one kind apart, `published` is the value that it answers."""

    title: str
    name: str = ""
    published: str = ""
    where: str | None = None
    """A column of true or false: only the rows where it is true count, and no other is missing."""

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns that it is computed from, apart from `where`."""

    @abstractmethod
    def gives(self, panel: bool) -> tuple[str, ...] | None:
        """The names in its answer, or in that of one `panel`; None where the data name them."""

    def numbers(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        return ()

    def needs(self) -> tuple[str, ...]:
        """Every column that it names."""
        return self.columns() if self.where is None else (*self.columns(), self.where)


class MedianRangeOf(Declared):
    kind: Literal["median_range"]
    of: str
    unit: str = ""

    def gives(self, panel: bool) -> tuple[str, ...]:
        return () if panel else ("n", "median", "low", "high")

    def numbers(self) -> tuple[str, ...]:
        return (self.of,)

    def columns(self) -> tuple[str, ...]:
        return (self.of,)


class ProportionOf(Declared):
    kind: Literal["proportion"]
    of: str

    def gives(self, panel: bool) -> tuple[str, ...]:
        return () if panel else ("n", "count", "percent", "low", "high")

    def columns(self) -> tuple[str, ...]:
        return (self.of,)


class CountsOf(Declared):
    """How often each level occurs; with `by`, in each panel."""

    kind: Literal["counts"]
    of: str
    by: str | None = None
    words: str | None = None
    """The column that says a panel's name in words."""
    levels: tuple[str, ...] = ()

    def gives(self, panel: bool) -> tuple[str, ...] | None:
        if panel != (self.by is not None):
            return ()
        if not self.levels:
            return None
        return ("title", "n", "missing", *self.levels) if panel else ("n", *self.levels)

    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.of, self.by, self.words) if name is not None)


class SurvivalOf(Declared):
    kind: Literal["survival"]
    time: str
    event: str
    unit: str = ""
    missing: str | None = None
    """The column that says why a time or an event is not there."""
    landmarks: tuple[float, ...] = ()
    median: Literal["averaging", "first_crossing"] = "averaging"

    def gives(self, panel: bool) -> tuple[str, ...]:
        at = (f"percent_at_{time:g}" for time in self.landmarks)
        return () if panel else ("n", "events", "median", "follow_up", "rule", "landmarks", *at)

    def numbers(self) -> tuple[str, ...]:
        return (self.time,)

    def columns(self) -> tuple[str, ...]:
        return (self.time, self.event) if self.missing is None else (self.time, self.event, self.missing)


TEST = (
    "n", "median_before", "median_after", "estimate", "low", "high", "t", "df", "p", "stars", "direction", "missing",
)  # fmt: skip
"""What one paired test answers, and below what a family of them does."""
FAMILY = ("tests", "n", "significant", "stars", "lower", "higher")


class PairedOf(Declared):
    """A two-sided test of before and after: one, or a family with one a panel."""

    kind: Literal["paired"]
    test: Literal["paired_t", "ratio_t"]
    before: str
    after: str
    by: str | None = None
    words: str | None = None
    """The column that says a panel's name in words."""
    label: str | None = None
    """The column that says whose pair it is."""
    missing: str | None = None
    """The column that says why a value is not there."""
    unit: str = ""
    beside: tuple[Beside, ...] = ()
    adjust: tuple[Adjusted, ...] = ()
    alpha: float = Field(default=0.05, gt=0, lt=1)

    def gives(self, panel: bool) -> tuple[str, ...]:
        if panel != (self.by is not None):
            return () if panel else FAMILY
        without = ("p_lowest_without_one", "p_highest_without_one")
        beside = [name for kind in self.beside for name in (without if kind == "leave_one_out" else (kind,))]
        return ("title", "unit", "of", *TEST, *beside, *self.adjust) if panel else (*TEST, *beside)

    def numbers(self) -> tuple[str, ...]:
        return (self.before, self.after)

    def columns(self) -> tuple[str, ...]:
        named = (self.before, self.after, self.by, self.words, self.label, self.missing)
        return tuple(name for name in named if name is not None)


Statistic = Annotated[MedianRangeOf | ProportionOf | CountsOf | SurvivalOf | PairedOf, Field(discriminator="kind")]
KINDS = tuple(get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Statistic)[0]))

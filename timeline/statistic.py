"""The statistics that a query's header may declare: frozen models, and the answer to each from a frame.

A statistic is declared over the columns of its query's result. Knows frames; must not know what they are about.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from timeline import stats
from timeline.errors import TimelineError
from timeline.rules import Model
from timeline.stats import Answer

if TYPE_CHECKING:
    import polars


class Declared(Model):
    """What every statistic has; `name` tells several of one kind apart, `published` is the value that it answers."""

    title: str
    name: str = ""
    published: str = ""
    where: str | None = None
    """A column of true or false: only the rows where it is true count, and no other is missing."""

    def columns(self) -> tuple[str, ...]:
        """The columns that it is computed from, apart from `where`."""
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        """Every column that it names."""
        return self.columns() if self.where is None else (*self.columns(), self.where)


class MedianRangeOf(Declared):
    kind: Literal["median_range"]
    of: str
    unit: str = ""

    def columns(self) -> tuple[str, ...]:
        return (self.of,)


class ProportionOf(Declared):
    kind: Literal["proportion"]
    of: str

    def columns(self) -> tuple[str, ...]:
        return (self.of,)


class SurvivalOf(Declared):
    kind: Literal["survival"]
    time: str
    event: str
    unit: str = ""
    landmarks: tuple[float, ...] = ()
    median: Literal["averaging", "first_crossing"] = "averaging"

    def columns(self) -> tuple[str, ...]:
        return (self.time, self.event)


Statistic = Annotated[MedianRangeOf | ProportionOf | SurvivalOf, Field(discriminator="kind")]
KINDS = ("median_range", "proportion", "survival")


def name_of(declared: Statistic) -> str:
    """What other files call the statistic: its name, or its kind."""
    return declared.name or declared.kind


def answer(frame: "polars.DataFrame", declared: Statistic) -> Answer:
    """Return what `declared` finds in the columns of `frame`; what cannot be computed is said in the sentence."""
    try:
        return COMPUTE[declared.kind](_counted(frame, declared), declared)
    except TimelineError as error:
        return _answer(declared, f"not computed: {error}")


def _counted(frame: "polars.DataFrame", declared: Statistic) -> "polars.DataFrame":
    """The rows that `where` leaves; an unknown one is not left."""
    if declared.where is None:
        return frame
    import polars

    if frame[declared.where].dtype != polars.Boolean:
        raise TimelineError(f"`where` names the column {declared.where}, and that is not true or false")
    return frame.filter(frame[declared.where])


def _answer(declared: Statistic, found: object, values: Mapping[str, Any] | None = None) -> Answer:
    return Answer(name_of(declared), declared.title, (str(found),), values or {}, published=declared.published)


def _median_range(frame: "polars.DataFrame", declared: MedianRangeOf) -> Answer:
    found = stats.median_range(frame[declared.of].to_list(), declared.unit)
    return _answer(declared, found, {"n": found.n, "median": found.median, "low": found.low, "high": found.high})


def _proportion(frame: "polars.DataFrame", declared: ProportionOf) -> Answer:
    found = stats.proportion(frame[declared.of].to_list())
    shares = {"percent": found.share, "low": found.low, "high": found.high}
    percents = {name: None if share is None else 100 * share for name, share in shares.items()}
    return _answer(declared, found, {"n": found.n, "count": found.successes, **percents})


def _survival(frame: "polars.DataFrame", declared: SurvivalOf) -> Answer:
    found = stats.survival(
        frame[declared.time].to_list(),
        frame[declared.event].to_list(),
        landmarks=declared.landmarks,
        rule=declared.median,
        unit=declared.unit,
    )
    at = {f"percent_at_{time:g}": None if mark is None else 100 * mark.survival for time, mark in found.landmarks}
    values = {"n": found.curve.n, "events": found.curve.events, "median": found.median, "follow_up": found.follow_up}
    values |= {"rule": found.rule, "landmarks": list(declared.landmarks)}
    return _answer(declared, found, values | at)


COMPUTE: Mapping[str, Callable[..., Answer]] = {
    "median_range": _median_range,
    "proportion": _proportion,
    "survival": _survival,
}

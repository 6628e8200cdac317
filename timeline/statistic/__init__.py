"""The statistics that a query's header may declare, and the answer to each from a frame.

A statistic is declared over the columns of its query's result. Knows frames; must not know what they are about.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from timeline.errors import TimelineError
from timeline.statistic import paired, single
from timeline.statistic.declared import KINDS, Declared, Statistic
from timeline.stats import Answer

if TYPE_CHECKING:
    import polars

__all__ = ["KINDS", "Answer", "Declared", "Statistic", "answer", "name_of"]

COMPUTE: Mapping[str, Callable[..., Answer]] = {
    "median_range": single.median_range,
    "proportion": single.proportion,
    "counts": single.counts,
    "survival": single.survival,
    "paired": paired.paired,
}


def name_of(declared: Statistic) -> str:
    """What other files call the statistic: its name, or its kind."""
    return declared.name or declared.kind


def answer(frame: "polars.DataFrame", declared: Statistic) -> Answer:
    """Return what `declared` finds in the columns of `frame`; what cannot be computed is said in the sentence."""
    try:
        _numbers_in(frame, declared)
        return COMPUTE[declared.kind](_counted(frame, declared), declared)
    except TimelineError as error:
        return single.answer_of(declared, (f"not computed: {error}",))


def _counted(frame: "polars.DataFrame", declared: Statistic) -> "polars.DataFrame":
    """The rows that `where` leaves; an unknown one is not left."""
    if declared.where is None:
        return frame
    import polars

    if frame[declared.where].dtype != polars.Boolean:
        raise TimelineError(f"`where` names the column {declared.where}, and that is not true or false")
    return frame.filter(frame[declared.where])


def _numbers_in(frame: "polars.DataFrame", declared: Statistic) -> None:
    words = [name for name in declared.numbers() if not (frame[name].dtype.is_numeric() or frame[name].is_null().all())]
    if words:
        raise TimelineError(f"{declared.kind} needs numbers, and {', '.join(words)} holds none; cast it in the SELECT")

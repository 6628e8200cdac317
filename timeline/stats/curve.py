"""The Kaplan-Meier curve, what is read off it, and who was at risk; must not know what the event is."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from timeline.errors import TimelineError
from timeline.stats.values import (
    FLAT,
    LeftOut,
    check_finite,
    check_level,
    is_missing,
    labels_of,
    left_out_by,
    left_out_text,
    listed,
    number,
)

MedianRule = Literal["averaging", "first_crossing"]


@dataclass(frozen=True)
class Step:
    """A time at which somebody died or was censored: who was at risk just before, and survival just after."""

    time: float
    at_risk: int
    events: int
    censored: int
    survival: float
    greenwood: float | None
    """The sum of d / (n (n - d)) up to here; the variance of `survival` is survival² times this. None at 0."""
    std_error: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve: 1 before the first step, then each step's `survival` until the next."""

    steps: tuple[Step, ...]
    n: int
    missing: int
    level: float = 0.95
    left_out: tuple[LeftOut, ...] = ()
    method: str = "Kaplan-Meier"
    conventions: tuple[str, ...] = (
        "product limit; at one time events come before censorings",
        "Greenwood standard error; log-log interval; neither where survival is 0 or 1",
    )

    @property
    def events(self) -> int:
        return sum(step.events for step in self.steps)

    def __str__(self) -> str:
        if not self.n:
            return f"{self.method}: no value{left_out_text(self.left_out)}"
        last = self.steps[-1]
        found = f"{100 * last.survival:.1f} % at the last time, {number(last.time)}"
        return f"{self.method}: {found}; n = {self.n}, events = {self.events}{left_out_text(self.left_out)}"


def kaplan_meier(
    times: Sequence[float | None],
    events: Sequence[bool | None],
    labels: Sequence[object] | None = None,
    level: float = 0.95,
    reasons: Sequence[str | None] | None = None,
) -> Curve:
    """Return the product-limit curve; at one time deaths come before censorings.

    A pair with either part None is missing; `reasons` say why where somebody knows more than that it is. Raises
    TimelineError for a time below zero, an infinite one, an event that is neither true nor false, and columns of
    unequal length.
    """
    check_level(level)
    columns: dict[str, Sequence[object]] = {"times": times, "events": events}
    names = labels_of(columns if reasons is None else columns | {"reasons": reasons}, labels)
    observed, left_out = _observed(times, events, names, reasons or [None] * len(names))
    steps: list[Step] = []
    survival, greenwood, at_risk = 1.0, 0.0, len(observed)
    seen = Counter(time for time, _ in observed)
    deaths = Counter(time for time, event in observed if event)
    for time in sorted(seen):
        died, censored = deaths[time], seen[time] - deaths[time]
        survival *= 1 - died / at_risk
        greenwood += died / (at_risk * (at_risk - died)) if died < at_risk else math.inf
        variance = greenwood if math.isfinite(greenwood) else None
        spread = uncertainty(survival, variance, level)
        steps.append(Step(time, at_risk, died, censored, survival, variance, *spread))
        at_risk -= died + censored
    return Curve(tuple(steps), len(observed), len(times) - len(observed), level, left_out)


def uncertainty(
    survival: float, greenwood: float | None, level: float
) -> tuple[float | None, float | None, float | None]:
    """Return the standard error and the two log-log limits; all None where survival is 0 or 1."""
    if greenwood is None or survival in (0.0, 1.0):
        return None, None, None
    z = statistics.NormalDist().inv_cdf(0.5 + level / 2)
    width = z * math.sqrt(greenwood) / abs(math.log(survival))
    return survival * math.sqrt(greenwood), survival ** math.exp(width), survival ** math.exp(-width)


def median_survival(curve: Curve, rule: MedianRule = "averaging") -> float | None:
    """Return the time by which half have died, or None where the curve never comes down to 0.5.

    Where the curve is flat at exactly 0.5, `averaging` is the mean of the flat stretch's two ends and
    `first_crossing` its beginning; a stretch whose other end was not observed gives its beginning.
    """
    falls = [step for step in curve.steps if step.events and step.survival < 0.5 + FLAT]
    if not falls:
        return None
    first = falls[0]
    if rule == "averaging" and abs(first.survival - 0.5) < FLAT and len(falls) > 1:
        return (first.time + falls[1].time) / 2
    return first.time


@dataclass(frozen=True)
class AtRisk:
    """How many were still under observation just before each of `times`, as under a plotted curve."""

    times: tuple[float, ...]
    counts: tuple[int, ...]
    n: int
    missing: int
    left_out: tuple[LeftOut, ...] = ()
    method: str = "number at risk"
    conventions: tuple[str, ...] = ("just before the time: whose own time it is still counts",)

    def __str__(self) -> str:
        parts = [f"{count} at {number(time)}" for time, count in zip(self.times, self.counts, strict=True)]
        return f"{self.method}: {', '.join(parts)}; n = {self.n}{left_out_text(self.left_out)}"


def at_risk(curve: Curve, times: Sequence[float]) -> AtRisk:
    """Return the number at risk at each of `times`."""
    counts = tuple(sum(step.events + step.censored for step in curve.steps if step.time >= time) for time in times)
    return AtRisk(tuple(times), counts, curve.n, curve.missing, curve.left_out)


def _observed(
    times: Sequence[float | None],
    events: Sequence[bool | None],
    labels: Sequence[str],
    told: Sequence[str | None],
) -> tuple[list[tuple[float, bool]], tuple[LeftOut, ...]]:
    """The complete rows, and the others by what they lack; raises TimelineError for what cannot be."""
    observed: dict[str, tuple[float, bool]] = {}
    reasons: dict[str, str] = {}
    neither: list[str] = []
    for time, event, label, why in zip(times, events, labels, told, strict=True):
        if time is None or is_missing(time):
            reasons[label] = why or ("neither time nor outcome" if is_missing(event) else "no time")
        elif event is None or is_missing(event):
            reasons[label] = why or "no outcome"
        elif event not in (0, 1):
            neither.append(label)
        else:
            observed[label] = (float(time), bool(event))
    if neither:
        raise TimelineError(
            f"events neither true nor false: {len(neither)} ({listed(neither)}); write None where unknown"
        )
    check_finite({"times": [time for time, _ in observed.values()]}, list(observed))
    before = [label for label, (time, _) in observed.items() if time < 0]
    if before:
        raise TimelineError(
            f"{len(before)} times are before the start ({listed(before)}); survival needs times of 0 or more"
        )
    return list(observed.values()), left_out_by(reasons)

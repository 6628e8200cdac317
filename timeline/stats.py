"""Descriptive statistics of a study: lists or columns in, frozen results out that print themselves.

Every result says of how many values it speaks and how many were missing; a missing value is never counted
as a negative one. Must not know a connection, a file or the meaning of what it counts.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from timeline.errors import TimelineError

MedianRule = Literal["averaging", "first_crossing"]
FLAT = 1e-12
"""Two survival probabilities closer than this are the same; products of fractions are off by about 1e-16."""


def number(value: float | None, decimals: int = 2) -> str:
    """`value` in as few digits as say it, at most `decimals` after the point; `not reached` is for the caller."""
    if value is None:
        return "unknown"
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _known(values: Iterable[float | None]) -> tuple[list[float], int]:
    """The values that are there, and how many are not."""
    all_values = list(values)
    known = [value for value in all_values if value is not None and not math.isnan(value)]
    return known, len(all_values) - len(known)


def _missing_text(missing: int) -> str:
    return f"; {missing} missing" if missing else "; none missing"


@dataclass(frozen=True)
class MedianRange:
    """The middle, the lowest and the highest of `n` values, in `unit`; None where there is no value."""

    n: int
    missing: int
    median: float | None
    low: float | None
    high: float | None
    unit: str = ""

    def __str__(self) -> str:
        if self.median is None:
            return f"no value{_missing_text(self.missing)}"
        unit = f" {self.unit}" if self.unit else ""
        spread = f"{number(self.low)} to {number(self.high)}"
        return f"{number(self.median)}{unit} (range {spread}); n = {self.n}{_missing_text(self.missing)}"


def median_range(values: Iterable[float | None], unit: str = "") -> MedianRange:
    """Return median, lowest and highest of the known values.

    For an even number of values the median is the midpoint of the two middle ones, also for ordinal values
    such as grades: a median between grade 1 and grade 2 is 1.5 and stays 1.5.
    """
    known, missing = _known(values)
    if not known:
        return MedianRange(0, missing, None, None, None, unit)
    return MedianRange(len(known), missing, float(statistics.median(known)), min(known), max(known), unit)


@dataclass(frozen=True)
class Proportion:
    """`successes` of `n`, with its exact (Clopper-Pearson) interval; all three None where n is 0."""

    successes: int
    n: int
    missing: int
    share: float | None
    low: float | None
    high: float | None
    level: float = 0.95

    def __str__(self) -> str:
        if self.share is None or self.low is None or self.high is None:
            return f"no value{_missing_text(self.missing)}"
        interval = f"{100 * self.level:g} % CI {100 * self.low:.1f} to {100 * self.high:.1f}"
        return f"{self.successes} of {self.n} ({100 * self.share:.1f} %; {interval}){_missing_text(self.missing)}"


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of `successes` of `n` (n > 0), as shares of 1."""
    if not 0 <= successes <= n or n == 0:
        raise TimelineError(f"{successes} of {n} is no proportion; it needs 0 <= successes <= n and n > 0")
    # scipy.special and not scipy.stats.binomtest: the same quantiles, without its three seconds of import.
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def proportion(outcomes: Iterable[bool | None], level: float = 0.95) -> Proportion:
    """Return the share of true among the known outcomes; an outcome that is None is missing, not false."""
    known, missing = _known(outcomes)
    successes = sum(1 for outcome in known if outcome)
    if not known:
        return Proportion(0, 0, missing, None, None, None, level)
    low, high = clopper_pearson(successes, len(known), level)
    return Proportion(successes, len(known), missing, successes / len(known), low, high, level)


@dataclass(frozen=True)
class Step:
    """A time at which somebody died or was censored: who was at risk just before, and survival just after."""

    time: float
    at_risk: int
    events: int
    censored: int
    survival: float
    greenwood: float
    """The sum of d / (n (n - d)) up to here; the variance of `survival` is survival² times this."""


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve: 1 before the first step, then each step's `survival` until the next."""

    steps: tuple[Step, ...]
    n: int
    missing: int

    @property
    def events(self) -> int:
        return sum(step.events for step in self.steps)


def kaplan_meier(times: Sequence[float | None], events: Sequence[bool | None]) -> Curve:
    """Return the product-limit curve; at one time deaths come before censorings.

    A pair with either part None is missing. Raises TimelineError for a time below zero.
    """
    pairs = [(t, e) for t, e in zip(times, events, strict=True) if t is not None and e is not None and t == t]
    negative = sum(1 for time, _ in pairs if time < 0)
    if negative:
        raise TimelineError(f"{negative} times are before the start; survival needs times of 0 or more")
    steps: list[Step] = []
    survival, greenwood, at_risk = 1.0, 0.0, len(pairs)
    seen = Counter(time for time, _ in pairs)
    deaths = Counter(time for time, event in pairs if event)
    for time in sorted(seen):
        died, left = deaths[time], seen[time] - deaths[time]
        survival *= 1 - died / at_risk
        greenwood += died / (at_risk * (at_risk - died)) if died < at_risk else math.inf
        steps.append(Step(float(time), at_risk, died, left, survival, greenwood))
        at_risk -= died + left
    return Curve(tuple(steps), len(pairs), len(times) - len(pairs))


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
class Landmark:
    """Survival at one time: Greenwood's standard error, and the log-log interval (None where survival is 0 or 1)."""

    time: float
    survival: float
    std_error: float | None
    low: float | None
    high: float | None
    at_risk: int
    """Still under observation just after `time`."""

    def __str__(self) -> str:
        text = f"{100 * self.survival:.1f} %"
        if self.low is not None and self.high is not None:
            text += f" (95 % CI {100 * self.low:.1f} to {100 * self.high:.1f})"
        return f"{text} at {number(self.time)}"


def landmark(curve: Curve, time: float, level: float = 0.95) -> Landmark | None:
    """Return survival at `time`, or None where nobody was followed that long (and somebody might still live)."""
    if not curve.steps:
        return None
    last = curve.steps[-1]
    if time > last.time and last.survival > 0:
        return None
    passed = [step for step in curve.steps if step.time <= time]
    at_risk = sum(step.events + step.censored for step in curve.steps if step.time > time)
    if not passed or passed[-1].survival in (0.0, 1.0):
        return Landmark(time, passed[-1].survival if passed else 1.0, None, None, None, at_risk)
    survival, greenwood = passed[-1].survival, passed[-1].greenwood
    z = statistics.NormalDist().inv_cdf(0.5 + level / 2)
    width = z * math.sqrt(greenwood) / abs(math.log(survival))
    low, high = survival ** math.exp(width), survival ** math.exp(-width)
    return Landmark(time, survival, survival * math.sqrt(greenwood), low, high, at_risk)


@dataclass(frozen=True)
class Survival:
    """A curve with its median, its landmarks and the median follow-up (reverse Kaplan-Meier); times in `unit`."""

    curve: Curve
    median: float | None
    rule: MedianRule
    landmarks: tuple[tuple[float, Landmark | None], ...]
    follow_up: float | None
    unit: str = ""

    def __str__(self) -> str:
        if not self.curve.n:
            return f"no value{_missing_text(self.curve.missing)}"
        unit = f" {self.unit}" if self.unit else ""
        parts = [f"median {number(self.median)}{unit}" if self.median is not None else "median not reached"]
        parts += [f"{mark}{unit}" if mark else f"not observed to {number(at)}{unit}" for at, mark in self.landmarks]
        if self.follow_up is not None:
            parts.append(f"median follow-up {number(self.follow_up)}{unit}")
        counts = f"n = {self.curve.n}, events = {self.curve.events}"
        return f"{', '.join(parts)}; {counts}{_missing_text(self.curve.missing)}"


def survival(
    times: Sequence[float | None],
    events: Sequence[bool | None],
    *,
    landmarks: Sequence[float] = (),
    rule: MedianRule = "averaging",
    unit: str = "",
) -> Survival:
    """Return the Kaplan-Meier summary of times from a common start, with reverse Kaplan-Meier follow-up."""
    curve = kaplan_meier(times, events)
    # Reverse: being censored is the event, death takes out of sight.
    reverse = kaplan_meier(times, [None if event is None else not event for event in events])
    marks = tuple((at, landmark(curve, at)) for at in landmarks)
    return Survival(curve, median_survival(curve, rule), rule, marks, median_survival(reverse, rule), unit)

"""Survival summed up: median, landmarks, follow-up, also from a later origin; must not know what the event is."""

from collections.abc import Sequence
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.curve import Curve, MedianRule, kaplan_meier, median_survival, uncertainty
from timeline.stats.values import (
    LeftOut,
    check_level,
    is_missing,
    labels_of,
    left_out_by,
    left_out_text,
    listed,
    number,
)


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
    level: float = 0.95

    def __str__(self) -> str:
        text = f"{100 * self.survival:.1f} %"
        if self.low is not None and self.high is not None:
            text += f" ({100 * self.level:g} % CI {100 * self.low:.1f} to {100 * self.high:.1f})"
        return f"{text} at {number(self.time)}"


def landmark(curve: Curve, time: float, level: float = 0.95) -> Landmark | None:
    """Return survival at `time`, or None where nobody was followed that long (and somebody might still live)."""
    check_level(level)
    if not curve.steps:
        return None
    last = curve.steps[-1]
    if time > last.time and last.survival > 0:
        return None
    passed = [step for step in curve.steps if step.time <= time]
    at_risk = sum(step.events + step.censored for step in curve.steps if step.time > time)
    if not passed:
        return Landmark(time, 1.0, None, None, None, at_risk, level)
    survival = passed[-1].survival
    return Landmark(time, survival, *uncertainty(survival, passed[-1].greenwood, level), at_risk, level)


@dataclass(frozen=True)
class Survival:
    """A curve with its median, its landmarks and the median follow-up (reverse Kaplan-Meier); times in `unit`."""

    curve: Curve
    median: float | None
    rule: MedianRule
    landmarks: tuple[tuple[float, Landmark | None], ...]
    follow_up: float | None
    unit: str = ""
    method: str = "Kaplan-Meier"
    conventions: tuple[str, ...] = (
        "averaging: a median on a flat stretch at 0.5 is the mean of its ends; first_crossing: its beginning",
        "landmarks: the step function at that time, the step at the time itself included",
        "follow-up: reverse Kaplan-Meier (censoring is the event, at ties before deaths), median by the same rule",
    )

    def __str__(self) -> str:
        if not self.curve.n:
            return f"no value{left_out_text(self.curve.left_out)}"
        unit = f" {self.unit}" if self.unit else ""
        parts = [f"median {number(self.median)}{unit}" if self.median is not None else "median not reached"]
        parts += [f"{mark}{unit}" if mark else f"not observed to {number(at)}{unit}" for at, mark in self.landmarks]
        if self.follow_up is not None:
            parts.append(f"median follow-up {number(self.follow_up)}{unit}")
        counts = f"n = {self.curve.n}, events = {self.curve.events}"
        return f"{', '.join(parts)}; {counts}{left_out_text(self.curve.left_out)}"


def survival(
    times: Sequence[float | None],
    events: Sequence[bool | None],
    *,
    landmarks: Sequence[float] = (),
    rule: MedianRule = "averaging",
    unit: str = "",
    labels: Sequence[object] | None = None,
    level: float = 0.95,
    reasons: Sequence[str | None] | None = None,
) -> Survival:
    """Return the Kaplan-Meier summary of times from a common start, with reverse Kaplan-Meier follow-up.

    `labels` and `reasons` are whose the times are, and why one is missing, as for `kaplan_meier`.
    """
    curve = kaplan_meier(times, events, labels, level, reasons)
    # Reverse: being censored is the event, death takes out of sight.
    reverse = kaplan_meier(times, [event if is_missing(event) else not event for event in events], labels, level)
    marks = tuple((at, landmark(curve, at, level)) for at in landmarks)
    return Survival(curve, median_survival(curve, rule), rule, marks, median_survival(reverse, rule), unit)


@dataclass(frozen=True)
class LandmarkAnalysis:
    """Survival from a later origin of those still at risk there; the others by label, and why they are not."""

    survival: Survival
    n: int
    not_at_risk: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...] = ()
    method: str = "landmark analysis"
    conventions: tuple[str, ...] = (
        "times count from the origin; whose time is the origin itself is at risk, at 0",
        "who died or was last seen before the origin is not at risk and is no missing value",
    )

    def __str__(self) -> str:
        gone = left_out_text(self.not_at_risk, "not at risk").removeprefix("; ")
        unknown = left_out_text(self.left_out)
        return f"{self.method}: {str(self.survival).removesuffix('; none missing')}; {gone}{unknown}"


def landmark_analysis(
    times: Sequence[float | None],
    events: Sequence[bool | None],
    origin: float | Sequence[float | None],
    *,
    labels: Sequence[object] | None = None,
    landmarks: Sequence[float] = (),
    rule: MedianRule = "averaging",
    unit: str = "",
    level: float = 0.95,
) -> LandmarkAnalysis:
    """Return survival counted from `origin`, one for all or one a patient, on the clock of `times`.

    It takes immortal time out of a comparison with patients who never came to that origin. A patient without a
    time, an outcome or an origin is missing. Raises TimelineError as `kaplan_meier` does.
    """
    origins = [origin] * len(times) if isinstance(origin, int | float) else list(origin)
    names = labels_of({"times": times, "events": events, "origins": origins}, labels)
    # What is missing or cannot be is found on the patient's own clock, as for the curve from the common start.
    whole = kaplan_meier(times, events, names, level)
    lacking = {name: part.reason for part in whole.left_out for name in part.labels}
    early = [name for name, start in zip(names, origins, strict=True) if start is not None and start < 0]
    if early:
        raise TimelineError(f"origins before the start: {len(early)} ({listed(early)}); they need to be 0 or more")
    gone: dict[str, str] = {}
    kept: dict[str, tuple[float, bool]] = {}
    for name, time, event, start in zip(names, times, events, origins, strict=True):
        if name in lacking or time is None or event is None:
            continue
        if start is None or is_missing(start):
            lacking[name] = "no origin"
        elif time < start:
            gone[name] = "event before" if event else "last seen before"
        else:
            kept[name] = (float(time) - float(start), bool(event))
    found = survival(
        [time for time, _ in kept.values()],
        [event for _, event in kept.values()],
        landmarks=landmarks,
        rule=rule,
        unit=unit,
        labels=list(kept),
        level=level,
    )
    return LandmarkAnalysis(found, len(kept), left_out_by(gone), left_out_by(lacking))

"""How far a value moved: percent of the one before, folds of a baseline; must not know what is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from timeline.stats.description import MedianRange, median_range
from timeline.stats.pairs import Pairs
from timeline.stats.values import LeftOut, is_missing, left_out_by, left_out_text, number


@dataclass(frozen=True)
class Change:
    """One change; `value` is None where it is undefined or unknown, and `reason` says why."""

    value: float | None
    reason: str = ""
    unit: str = ""

    def __str__(self) -> str:
        return f"undefined: {self.reason}" if self.value is None else f"{number(self.value)}{self.unit}"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The change of each complete pair (None where undefined), their median and range, and who has none and why."""

    n: int
    labels: tuple[str, ...]
    values: tuple[float | None, ...]
    summary: MedianRange
    left_out: tuple[LeftOut, ...]
    method: str
    conventions: tuple[str, ...]

    def __str__(self) -> str:
        end = left_out_text(self.left_out, "without a value")
        if self.summary.median is None:
            return f"{self.method}: no value{end}"
        spread = f"{number(self.summary.low)} to {number(self.summary.high)}"
        return f"{self.method}: median {number(self.summary.median)} (range {spread}), n = {self.n}{end}"


def percent_change(before: float | None, after: float | None) -> Change:
    """Return 100 (after - before) / before; undefined where before is 0 or less."""
    reason = _reason(before, after, "before")
    if reason or before is None or after is None:
        return Change(None, reason, " %")
    return Change(100 * (after - before) / before, "", " %")


def fold_change(baseline: float | None, value: float | None) -> Change:
    """Return value / baseline; undefined where baseline is 0 or less."""
    reason = _reason(baseline, value, "baseline")
    if reason or baseline is None or value is None:
        return Change(None, reason, "-fold")
    return Change(value / baseline, "", "-fold")


def percent_changes(pairs: Pairs) -> Changes:
    """Return the percent change of each pair from before to after."""
    rule = "100 (after - before) / before; undefined where before is 0 or less"
    return _changes(pairs, percent_change, "percent change", rule)


def fold_changes(pairs: Pairs) -> Changes:
    """Return after as folds of before (the baseline) for each pair."""
    return _changes(pairs, fold_change, "fold change", "value / baseline; undefined where baseline is 0 or less")


def _reason(first: float | None, second: float | None, name: str) -> str:
    other = "after" if name == "before" else "later"
    if first is None or is_missing(first):
        return "neither value" if is_missing(second) else f"no {name} value"
    if is_missing(second):
        return f"no {other} value"
    return f"{name} value of 0 or less" if first <= 0 else ""


def _changes(pairs: Pairs, of: Callable[[float, float], Change], method: str, rule: str) -> Changes:
    found = [of(first, second) for first, second in zip(pairs.before, pairs.after, strict=True)]
    values: Sequence[float | None] = [change.value for change in found]
    undefined = {
        label: change.reason for label, change in zip(pairs.labels, found, strict=True) if change.value is None
    }
    summary = median_range(values)
    return Changes(
        n=summary.n,
        labels=pairs.labels,
        values=tuple(values),
        summary=summary,
        left_out=pairs.left_out + left_out_by(undefined),
        method=method,
        conventions=(rule, "median of even n is the midpoint", "complete pairs only"),
    )

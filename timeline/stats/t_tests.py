"""The paired t test, on values and on their logarithms; must not know where the pairs come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.pairs import Pairs, pairs_text
from timeline.stats.values import FLAT, LeftOut, check_level, interval_text, left_out_text, listed, p_text, significant


@dataclass(frozen=True, kw_only=True)
class PairedT:
    """The mean of after - before with its interval, and whether it is 0; None, and why, where undefined."""

    n: int
    mean_difference: float | None
    low: float | None
    high: float | None
    t: float | None
    df: int | None
    p: float | None
    level: float
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    method: str = "paired t"
    conventions: tuple[str, ...] = ("difference = after - before", "two-sided", "complete pairs only")

    def __str__(self) -> str:
        found = f"mean difference {significant(self.mean_difference)}"
        return _sentence(self, found)


@dataclass(frozen=True, kw_only=True)
class RatioT:
    """The geometric mean of after / before (GMR) with its interval, and whether it is 1; None, and why, where not."""

    n: int
    ratio: float | None
    low: float | None
    high: float | None
    t: float | None
    df: int | None
    p: float | None
    level: float
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    method: str = "ratio paired t"
    conventions: tuple[str, ...] = (
        "paired t on log(after) - log(before); antilog of mean and limits",
        "GMR: geometric mean of after / before",
        "two-sided",
        "complete pairs only",
        "values of 0 or less are refused",
    )

    def __str__(self) -> str:
        return _sentence(self, f"GMR {significant(self.ratio)}")


def paired_t(pairs: Pairs, level: float = 0.95) -> PairedT:
    """Return the two-sided paired t test; differences that are all equal have no t, one pair has no interval."""
    found = _one_sample(pairs.differences, pairs.scale, level)
    return PairedT(
        n=pairs.n,
        mean_difference=found.mean,
        low=found.low,
        high=found.high,
        t=found.t,
        df=found.df,
        p=found.p,
        level=level,
        reason=found.reason,
        left_out=pairs.left_out,
    )


def ratio_t(pairs: Pairs, level: float = 0.95) -> RatioT:
    """Return the two-sided ratio paired t test; the base of the logarithm does not matter.

    Raises TimelineError that says in which pairs a value is 0 or less, and never the value.
    """
    _refuse_not_positive(pairs)
    old, new = [math.log(value) for value in pairs.before], [math.log(value) for value in pairs.after]
    scale = max([1.0, *(abs(value) for value in (*old, *new))])
    found = _one_sample([after - before for before, after in zip(old, new, strict=True)], scale, level)
    return RatioT(
        n=pairs.n,
        ratio=_antilog(found.mean),
        low=_antilog(found.low),
        high=_antilog(found.high),
        t=found.t,
        df=found.df,
        p=found.p,
        level=level,
        reason=found.reason,
        left_out=pairs.left_out,
    )


def _antilog(value: float | None) -> float | None:
    try:
        return None if value is None else math.exp(value)
    except OverflowError:  # a limit of two pairs that differ by orders of magnitude; JSON has no infinity
        return None


def _refuse_not_positive(pairs: Pairs) -> None:
    wrong = {
        side: [label for value, label in zip(values, pairs.labels, strict=True) if value <= 0]
        for side, values in (("before", pairs.before), ("after", pairs.after))
    }
    count = sum(len(labels) for labels in wrong.values())
    if count:
        where = "; ".join(f"{side}: {listed(labels)}" for side, labels in wrong.items() if labels)
        raise TimelineError(
            f"the ratio paired t test needs values above 0, and {count} are not ({where}); leave those pairs out, or "
            "give what lies below a limit of detection a value above 0, such as half the limit"
        )


@dataclass(frozen=True)
class _Mean:
    """A mean, its limits and its t test against 0, as far as they are defined, and why not further."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    t: float | None = None
    df: int | None = None
    p: float | None = None
    reason: str = ""


def _one_sample(values: Sequence[float], scale: float, level: float) -> _Mean:
    from scipy.special import stdtr, stdtrit

    check_level(level)
    n = len(values)
    if not n:
        return _Mean(reason="no complete pair")
    mean = math.fsum(values) / n
    if n == 1:
        return _Mean(mean, reason="one pair has no spread")
    # Exactly equal differences may differ by what floating point loses, and would give a t of 10^15.
    if max(values) - min(values) <= FLAT * scale:
        return _Mean(mean, reason="every pair differs by the same")
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    t = mean / error
    width = float(stdtrit(n - 1, 0.5 + level / 2)) * error
    return _Mean(mean, mean - width, mean + width, t, n - 1, 2 * float(stdtr(n - 1, -abs(t))))


def _sentence(result: PairedT | RatioT, found: str) -> str:
    end = pairs_text(result.n) + left_out_text(result.left_out)
    if not result.n:
        return f"{result.method}: undefined, {result.reason}; {end}"
    if result.t is None:
        return f"{result.method}: {found}, t and p undefined: {result.reason}; {end}"
    interval = interval_text(result.low, result.high, result.level)
    return (
        f"{result.method}: {found} ({interval}), t = {significant(result.t)}, df {result.df}, {p_text(result.p)}, {end}"
    )

"""Shares with their exact interval; must not know what is counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.values import check_level, known, missing_text


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
    method: str = "proportion with Clopper-Pearson interval"
    conventions: tuple[str, ...] = ("two-sided, exact: from 0 where none, to 1 where all", "missing is not false")

    def __str__(self) -> str:
        if self.share is None or self.low is None or self.high is None:
            return f"no value{missing_text(self.missing)}"
        interval = f"{100 * self.level:g} % CI {100 * self.low:.1f} to {100 * self.high:.1f}"
        return f"{self.successes} of {self.n} ({100 * self.share:.1f} %; {interval}){missing_text(self.missing)}"


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval of `successes` of `n` (n > 0), as shares of 1."""
    if not 0 <= successes <= n or n == 0:
        raise TimelineError(f"{successes} of {n} is no proportion; it needs 0 <= successes <= n and n > 0")
    check_level(level)
    # scipy.special and not scipy.stats.binomtest: the same quantiles, without its three seconds of import.
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def proportion(outcomes: Iterable[bool | None], level: float = 0.95) -> Proportion:
    """Return the share of true among the known outcomes; an outcome that is None is missing, not false.

    Raises TimelineError where an outcome is neither true nor false (1 and 0 are).
    """
    there, missing = known(outcomes)
    neither = sum(1 for outcome in there if outcome not in (0, 1))
    if neither:
        raise TimelineError(f"outcomes neither true nor false: {neither}; compare them first, such as grade >= 2")
    successes = sum(1 for outcome in there if outcome)
    if not there:
        return Proportion(0, 0, missing, None, None, None, level)
    low, high = clopper_pearson(successes, len(there), level)
    return Proportion(successes, len(there), missing, successes / len(there), low, high, level)

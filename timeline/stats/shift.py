"""The median difference that the signed-rank test implies, with its interval; must not know the meaning of values."""

import math
import statistics
from dataclasses import dataclass

from timeline.stats.pairs import Pairs, pairs_text
from timeline.stats.signs_and_ranks import EXACT_TO, signed_rank_counts
from timeline.stats.values import LeftOut, check_level, interval_text, left_out_text, significant


@dataclass(frozen=True, kw_only=True)
class HodgesLehmann:
    """The estimate with its limits; `achieved` is the interval's exact level. None, and why, where undefined."""

    n: int
    difference: float | None
    low: float | None
    high: float | None
    level: float
    achieved: float | None
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    method: str = "Hodges-Lehmann"
    conventions: tuple[str, ...] = (
        "median of the means of all two differences, each with itself too; difference = after - before",
        "unchanged pairs count; complete pairs only",
        "limits from the signed-rank distribution, at least at the level asked; ties make them wider",
        f"normal approximation of that distribution beyond {EXACT_TO} pairs",
    )

    def __str__(self) -> str:
        end = pairs_text(self.n) + left_out_text(self.left_out)
        if self.difference is None:
            return f"{self.method}: undefined, {self.reason}; {end}"
        interval = interval_text(self.low, self.high, self.level) + (f": {self.reason}" if self.reason else "")
        return f"{self.method}: difference {significant(self.difference)} ({interval}), {end}"


def hodges_lehmann(pairs: Pairs, level: float = 0.95) -> HodgesLehmann:
    """Return the estimate of the shift from before to after; no interval where so few pairs allow none."""
    check_level(level)
    values, n = pairs.differences, pairs.n
    walsh = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
    skipped, achieved = _skipped(n, level)
    reason = "no complete pair" if not n else ""
    if n and achieved is None:
        reason = f"{100 * level:g} % needs at least {_fewest(level)} pairs"
    return HodgesLehmann(
        n=n,
        difference=statistics.median(walsh) if walsh else None,
        low=walsh[skipped] if achieved is not None else None,
        high=walsh[-1 - skipped] if achieved is not None else None,
        level=level,
        achieved=achieved,
        reason=reason,
        left_out=pairs.left_out,
    )


def _skipped(n: int, level: float) -> tuple[int, float | None]:
    """How many of the sorted means lie outside at either end, and the level so reached; None where none can."""
    tail = (1 - level) / 2
    if n > EXACT_TO:
        normal = statistics.NormalDist(n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24))
        # Half a rank of continuity, as the sum goes in steps of one.
        skipped = math.floor(normal.inv_cdf(tail) - 0.5)
        return skipped, 1 - 2 * normal.cdf(skipped + 0.5)
    below = 0
    for total, ways in enumerate(signed_rank_counts(n)):
        if (below + ways) / 2**n > tail:
            return total - 1, None if not total else 1 - 2 * below / 2**n
        below += ways
    raise AssertionError("the whole distribution is more than any tail")


def _fewest(level: float) -> int:
    """With n pairs no interval can leave out less than 2 / 2**n."""
    return math.ceil(1 - math.log2(1 - level) - 1e-9)

"""Paired tests that trust no distribution: exact sign, Wilcoxon signed-rank; must not know where pairs come from."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.pairs import Pairs, pairs_text
from timeline.stats.values import FLAT, LeftOut, left_out_text, p_text, significant

EXACT_TO = 50
"""Up to so many differences the signed-rank distribution is counted; beyond, it is normal to four digits."""


@dataclass(frozen=True, kw_only=True)
class SignTest:
    """How many pairs rose and fell, and whether both are as likely; None, and why, where no pair differs."""

    n: int
    rose: int
    fell: int
    unchanged: int
    p: float | None
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    method: str = "sign test"
    conventions: tuple[str, ...] = ("exact, two-sided", "unchanged pairs are dropped", "complete pairs only")

    def __str__(self) -> str:
        found = f"{self.rose} rose, {self.fell} fell, {self.unchanged} unchanged"
        return _sentence(self, found)


@dataclass(frozen=True, kw_only=True)
class SignedRank:
    """The sums of the ranks of rising and falling pairs, and whether both are alike; p None, and why, where undefined.

    `ranked` of the `n` pairs differ; `tied` of those share the size of their difference with another.
    """

    n: int
    ranked: int
    tied: int
    rank_sum_rose: float
    rank_sum_fell: float
    z: float | None
    p: float | None
    exact: bool
    reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    method: str = "Wilcoxon signed-rank"
    conventions: tuple[str, ...] = (
        "difference = after - before; two-sided; complete pairs only",
        "unchanged pairs are dropped before ranking; equal sizes share their mean rank",
        f"exact where no pair is unchanged or tied and at most {EXACT_TO} differ",
        "else normal, with the variance of the shared ranks and no continuity correction",
    )

    def __str__(self) -> str:
        how = "exact" if self.exact else "normal approximation"
        unchanged = f", {self.n - self.ranked} unchanged" if self.ranked < self.n else ""
        tied = f", {self.tied} tied" if self.tied else ""
        sums = f"rank sums {significant(self.rank_sum_rose)} rose, {significant(self.rank_sum_fell)} fell"
        return _sentence(self, f"{sums}{unchanged}{tied}", how)


def sign_p(rose: int, fell: int) -> float:
    """Return the exact two-sided p of so many rises and falls where both are as likely (at least one)."""
    if rose < 0 or fell < 0 or rose + fell == 0:
        raise TimelineError(f"{rose} rises and {fell} falls are no sign test; it needs at least one of either")
    n, fewer = rose + fell, min(rose, fell)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n)


def sign_test(pairs: Pairs) -> SignTest:
    """Return the exact sign test of the pairs that differ."""
    flat = FLAT * pairs.scale
    rose = sum(1 for value in pairs.differences if value > flat)
    fell = sum(1 for value in pairs.differences if value < -flat)
    p = sign_p(rose, fell) if rose + fell else None
    return SignTest(
        n=pairs.n,
        rose=rose,
        fell=fell,
        unchanged=pairs.n - rose - fell,
        p=p,
        reason=_why_none(pairs) if p is None else "",
        left_out=pairs.left_out,
    )


def wilcoxon(pairs: Pairs) -> SignedRank:
    """Return the signed-rank test: exact where it can be, else by the normal approximation; it says which."""
    flat = FLAT * pairs.scale
    values = [value for value in pairs.differences if abs(value) > flat]
    ranks = mean_ranks([abs(value) for value in values], flat)
    rose = math.fsum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    fell = math.fsum(rank for rank, value in zip(ranks, values, strict=True) if value < 0)
    shared = Counter(ranks)
    tied = sum(times for times in shared.values() if times > 1)
    exact = not tied and 0 < len(values) == pairs.n <= EXACT_TO
    z = p = None
    if exact:
        p = signed_rank_p(len(values), round(min(rose, fell)))
    elif values:
        z = (rose - fell) / math.sqrt(math.fsum(rank * rank for rank in ranks))
        p = math.erfc(abs(z) / math.sqrt(2))
    return SignedRank(
        n=pairs.n,
        ranked=len(values),
        tied=tied,
        rank_sum_rose=rose,
        rank_sum_fell=fell,
        z=z,
        p=p,
        exact=exact,
        reason="" if values else _why_none(pairs),
        left_out=pairs.left_out,
    )


def mean_ranks(values: Sequence[float], flat: float) -> list[float]:
    """Return each value's rank from 1; values no further than `flat` from the next share the mean of their ranks."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    ranks = [0.0] * len(values)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] - values[order[end - 1]] > flat:
            for i in order[start:end]:
                ranks[i] = (start + 1 + end) / 2
            start = end
    return ranks


def signed_rank_counts(n: int) -> list[int]:
    """Return how many of the 2**n ways to sign the ranks 1 to n give each sum of the positive ones, from 0 on."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(rank * (rank + 1) // 2, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def signed_rank_p(n: int, smaller: int) -> float:
    """Return the exact two-sided p of the smaller of the two rank sums of `n` untied differences."""
    return min(1.0, 2 * sum(signed_rank_counts(n)[: smaller + 1]) / 2**n)


def _why_none(pairs: Pairs) -> str:
    return "no pair differs" if pairs.n else "no complete pair"


def _sentence(result: SignTest | SignedRank, found: str, how: str = "") -> str:
    end = pairs_text(result.n) + left_out_text(result.left_out)
    if result.p is None:
        return f"{result.method}: p undefined, {result.reason}; {end}"
    return f"{result.method}: {found}, {p_text(result.p)}{f' ({how})' if how else ''}, {end}"

"""Many p-values at once, and the stars of one; must not know which tests they come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.values import is_missing, listed, number

STARS = ((0.0001, "****"), (0.001, "***"), (0.01, "**"), (0.05, "*"))


@dataclass(frozen=True)
class AdjustedP:
    """One test of the family: its p as it was and adjusted; both None where it could not be tested."""

    name: str
    p: float | None
    adjusted: float | None


@dataclass(frozen=True, kw_only=True)
class Family:
    """The adjusted p-values in the order in which they came; `n` of them were tested, `missing` were not."""

    n: int
    missing: int
    tests: tuple[AdjustedP, ...]
    alpha: float
    by_chance: float
    """So many of `n` independent tests fall to `alpha` or below where nothing differs."""
    method: str
    conventions: tuple[str, ...]

    def __str__(self) -> str:
        raw = sum(1 for test in self.tests if test.p is not None and test.p <= self.alpha)
        kept = [test.name for test in self.tests if test.adjusted is not None and test.adjusted <= self.alpha]
        names = f" ({', '.join(kept)})" if kept else ""
        untested = [test.name for test in self.tests if test.adjusted is None]
        missing = f"{self.missing} not tested: {', '.join(untested)}" if untested else "all tested"
        return (
            f"{self.method}: {raw} of {self.n} with p <= {self.alpha:g} before adjustment ({number(self.by_chance)} "
            f"expected by chance), {len(kept)} after{names}; {missing}"
        )


def holm(p_values: Mapping[str, float | None], alpha: float = 0.05) -> Family:
    """Return p-values adjusted by Holm's step-down method, which bounds the chance of any false positive."""
    ordered = _ordered(p_values)
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, (name, p) in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * p))
        adjusted[name] = highest
    return _family(p_values, adjusted, alpha, "Holm", "bounds the chance of any false positive; step-down")


def benjamini_hochberg(p_values: Mapping[str, float | None], alpha: float = 0.05) -> Family:
    """Return p-values adjusted by Benjamini and Hochberg, which bounds the share of false among the positive."""
    ordered = _ordered(p_values)
    adjusted: dict[str, float] = {}
    lowest = 1.0
    for rank, (name, p) in reversed(list(enumerate(ordered, 1))):
        lowest = min(lowest, p * len(ordered) / rank)
        adjusted[name] = lowest
    return _family(p_values, adjusted, alpha, "Benjamini-Hochberg", "bounds the false discovery rate; step-up")


def stars(p: float | None, strict: bool = False) -> str:
    """Return `ns`, `*` (p <= 0.05), `**` (0.01), `***` (0.001) or `****` (0.0001); `strict` reads < for <=."""
    if is_missing(p) or p is None:
        return "not tested"
    _check({"p": p})
    return next((text for limit, text in STARS if p < limit or (p == limit and not strict)), "ns")


def _ordered(p_values: Mapping[str, float | None]) -> list[tuple[str, float]]:
    """The tests that have a p, the smallest first."""
    tested = {name: float(p) for name, p in p_values.items() if p is not None and not is_missing(p)}
    _check(tested)
    return sorted(tested.items(), key=lambda item: item[1])


def _check(p_values: Mapping[str, float]) -> None:
    wrong = [name for name, p in p_values.items() if not 0 <= p <= 1]
    if wrong:
        raise TimelineError(f"a p-value lies between 0 and 1; not so: {listed(wrong)}. Write None for what has none")


def _family(
    p_values: Mapping[str, float | None], adjusted: Mapping[str, float], alpha: float, method: str, controls: str
) -> Family:
    tests = tuple(
        AdjustedP(name, None if is_missing(p) else p, adjusted[name] if name in adjusted else None)
        for name, p in p_values.items()
    )
    return Family(
        n=len(adjusted),
        missing=len(tests) - len(adjusted),
        tests=tests,
        alpha=alpha,
        by_chance=alpha * len(adjusted),
        method=method,
        conventions=(controls, "the family is what was tested; what was not has no adjusted p"),
    )

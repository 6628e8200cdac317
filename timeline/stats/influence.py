"""Whether one pair alone decides a paired test; must not know which test it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from timeline.stats.pairs import Pairs, pairs_text
from timeline.stats.values import LeftOut, left_out_text, p_text

MOST = 200
"""Of more pairs no single one is asked about: none of them decides, and the work grows with their square."""


class Tested(Protocol):
    """What a paired test returns."""

    @property
    def p(self) -> float | None: ...
    @property
    def method(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut:
    """The p of all pairs, and its range while each pair in turn is left out, with the label of that pair.

    `undefined` of the `n` tests had no p. `low` and `high` are None where all had none, or where there are too many
    pairs to ask about each.
    """

    n: int
    test: str
    p: float | None
    low: float | None
    high: float | None
    without_low: str | None
    without_high: str | None
    undefined: int
    left_out: tuple[LeftOut, ...] = ()
    method: str = "leave one out"
    conventions: tuple[str, ...] = ("range of p over the tests that have one", "complete pairs only")

    def __str__(self) -> str:
        end = pairs_text(self.n) + left_out_text(self.left_out)
        found = f"{self.test}, one pair left out in turn: {p_text(self.p)} with all"
        if self.n > MOST:
            return f"{found}; not asked of more than {MOST} pairs, {end}"
        if self.low is None or self.high is None:
            return f"{found}, undefined without one; {end}"
        undefined = f", {self.undefined} undefined" if self.undefined else ""
        return f"{found}, {_bare(self.low)} to {_bare(self.high)} without one{undefined}, {end}"


def leave_one_out(test: Callable[[Pairs], Tested], pairs: Pairs) -> LeaveOneOut:
    """Return how far the p of `test` (such as `paired_t`) moves when any one pair is left out; of up to 200 pairs."""
    whole = test(pairs)
    asked = pairs.n if pairs.n <= MOST else 0
    found = [(p, pairs.labels[i]) for i in range(asked) if (p := test(pairs.without(i)).p) is not None]
    low, high = min(found, default=None), max(found, default=None)
    return LeaveOneOut(
        n=pairs.n,
        test=whole.method,
        p=whole.p,
        low=low[0] if low else None,
        high=high[0] if high else None,
        without_low=low[1] if low else None,
        without_high=high[1] if high else None,
        undefined=asked - len(found),
        left_out=pairs.left_out,
    )


def _bare(p: float) -> str:
    return p_text(p).removeprefix("p = ").removeprefix("p ")

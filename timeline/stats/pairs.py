"""Two values of one patient, side by side, and who lacks one of them; must not know any test."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from timeline.stats.values import LeftOut, check_finite, is_missing, labels_of, left_out_by, left_out_text


@dataclass(frozen=True)
class Pairs:
    """The complete pairs, and why the others are not; `repr` shows no values, since they are patients'."""

    before: tuple[float, ...] = field(repr=False)
    after: tuple[float, ...] = field(repr=False)
    labels: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def differences(self) -> tuple[float, ...]:
        """After minus before."""
        return tuple(after - before for before, after in zip(self.before, self.after, strict=True))

    @property
    def scale(self) -> float:
        """The largest absolute value; what floating point loses in a difference is a share of it."""
        return max((abs(value) for value in (*self.before, *self.after)), default=0.0)

    def without(self, index: int) -> "Pairs":
        """All pairs but the one at `index`, which is not recorded as left out."""

        def cut(values: tuple) -> tuple:
            return values[:index] + values[index + 1 :]

        return Pairs(cut(self.before), cut(self.after), cut(self.labels), self.left_out)

    def __str__(self) -> str:
        return pairs_text(self.n) + left_out_text(self.left_out)


def pair_up(
    before: Sequence[float | None],
    after: Sequence[float | None],
    labels: Sequence[object] | None = None,
    reasons: Sequence[str | None] | None = None,
) -> Pairs:
    """Return the pairs of which both values are known; None and NaN are missing.

    `labels` say whose the values are (`row 1` and so on without), `reasons` why one is missing where somebody knows
    more than that it is. Raises TimelineError for columns of unequal length and for infinite values.
    """
    columns: dict[str, Sequence[object]] = {"before": before, "after": after}
    names = labels_of(columns if reasons is None else columns | {"reasons": reasons}, labels)
    told = reasons if reasons is not None else [None] * len(names)
    first: list[float] = []
    second: list[float] = []
    complete: list[str] = []
    left_out: dict[str, str] = {}
    for old, new, name, why in zip(before, after, names, told, strict=True):
        reason = _why(old, new)
        if reason:
            left_out[name] = why or reason
        elif old is not None and new is not None:
            first.append(float(old))
            second.append(float(new))
            complete.append(name)
    check_finite({"before": first, "after": second}, complete)
    return Pairs(tuple(first), tuple(second), tuple(complete), left_out_by(left_out))


def _why(before: float | None, after: float | None) -> str:
    if is_missing(before):
        return "neither value" if is_missing(after) else "no before value"
    return "no after value" if is_missing(after) else ""


def pairs_text(n: int) -> str:
    """`n = 1 pair`, `n = 9 pairs`."""
    return f"n = {n} pair{'' if n == 1 else 's'}"

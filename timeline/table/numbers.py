"""Numbers of a table as words, with decimals that fit together; knows no frame and no form."""

from collections.abc import Sequence

from timeline.printing import decimals

MOST_DECIMALS = 2
ONE_DECIMAL_FROM = 100
"""From so many on, a percent has one decimal: below, it would feign precision."""


def percent(value: float, n: int | None) -> str:
    """Return `43 %`, or `42.9 %` of a hundred or more."""
    return f"{value:.{1 if (n or 0) >= ONE_DECIMAL_FROM else 0}f} %"


def median_range(median: float, low: float, high: float, levels: Sequence[str] = ()) -> str:
    """Return `20.5 (11–29)`: lowest and highest with the same decimals, the median with as many or more, at most 2.

    With `levels`, words for 1, 2, …: `III (I–IV)`, and `III/IV` for a half step.
    """
    if levels:
        return f"{_level(median, levels)} ({_level(low, levels)}–{_level(high, levels)})"
    ends = max(_needed(low), _needed(high))
    middle = max(ends, _needed(median))
    return f"{median:,.{middle}f} ({low:,.{ends}f}–{high:,.{ends}f})"


def _needed(value: float) -> int:
    return min(decimals(value), MOST_DECIMALS)


def _level(value: float, levels: Sequence[str]) -> str:
    below, above = int(value // 1), int(-(-value // 1))
    if not 1 <= below <= above <= len(levels):
        return f"{value:g}"
    return levels[below - 1] if below == above else f"{levels[below - 1]}/{levels[above - 1]}"

"""Counts, and the middle and ends of values: how a column is described; must not know what the values mean."""

import statistics
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from timeline.errors import TimelineError
from timeline.stats.values import known, missing_text, number


@dataclass(frozen=True)
class MedianRange:
    """The middle, the lowest and the highest of `n` values, in `unit`; None where there is no value."""

    n: int
    missing: int
    median: float | None
    low: float | None
    high: float | None
    unit: str = ""
    method: str = "median (range)"
    conventions: tuple[str, ...] = ("for even n the midpoint of the two middle values, also of grades",)

    def __str__(self) -> str:
        if self.median is None:
            return f"no value{missing_text(self.missing)}"
        unit = f" {self.unit}" if self.unit else ""
        spread = f"{number(self.low)} to {number(self.high)}"
        return f"{number(self.median)}{unit} (range {spread}); n = {self.n}{missing_text(self.missing)}"


def median_range(values: Iterable[float | None], unit: str = "") -> MedianRange:
    """Return median, lowest and highest of the known values.

    For an even number of values the median is the midpoint of the two middle ones, also for ordinal values
    such as grades: a median between grade 1 and grade 2 is 1.5 and stays 1.5.
    """
    there, missing = known(values)
    if not there:
        return MedianRange(0, missing, None, None, None, unit)
    return MedianRange(len(there), missing, float(statistics.median(there)), min(there), max(there), unit)


@dataclass(frozen=True)
class Counts:
    """How often each level occurs among `n` known values; a missing value is no level."""

    n: int
    missing: int
    levels: tuple[tuple[str, int], ...]
    method: str = "counts"
    conventions: tuple[str, ...] = ("percent of the known values",)

    def __str__(self) -> str:
        if not self.n:
            return f"no value{missing_text(self.missing)}"
        parts = [f"{level}: {count} ({100 * count / self.n:.1f} %)" for level, count in self.levels]
        return f"{', '.join(parts)}; n = {self.n}{missing_text(self.missing)}"


def counts(values: Iterable[Hashable], levels: Sequence[Hashable] | None = None) -> Counts:
    """Return how often each level occurs: in the order of `levels`, zeros too, else the most frequent first.

    Raises TimelineError where `levels` are given and a value is none of them.
    """
    there, missing = known(values)
    seen = Counter(str(value) for value in there)
    if levels is None:
        ordered = sorted(seen, key=lambda level: (-seen[level], level))
    else:
        ordered = list(dict.fromkeys(str(level) for level in levels))
        outside = sum(count for level, count in seen.items() if level not in set(ordered))
        if outside:
            raise TimelineError(f"values that are none of the levels {', '.join(ordered)}: {outside}; add their levels")
    return Counts(len(there), missing, tuple((level, seen[level]) for level in ordered))

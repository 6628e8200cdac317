"""Numbers that may be missing, and how results say them; must not know any statistic."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from timeline.errors import TimelineError

FLAT = 1e-12
"""Numbers that differ by less, relative to what they were computed from, are the same: 0.3 - 0.2 is 0.2 - 0.1."""

LISTED = 10
"""An error names at most so many labels."""


def number(value: float | None, decimals: int = 2) -> str:
    """`value` in as few digits as say it, at most `decimals` after the point; `not reached` is for the caller."""
    if value is None:
        return "unknown"
    text = f"{value:.{decimals}f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short


def significant(value: float | None) -> str:
    """`value` in three significant digits, and no digit before the point lost."""
    if value is None:
        return "undefined"
    return f"{value:.0f}" if 100 <= abs(value) < 1e15 else f"{value:.3g}"


def p_text(p: float | None) -> str:
    """`p = 0.0286`, `p < 0.0001` or `p undefined`; only what is printed is rounded."""
    if p is None:
        return "p undefined"
    return "p < 0.0001" if p < 0.0001 else "p = 1" if p == 1 else f"p = {p:.4f}"


def interval_text(low: float | None, high: float | None, level: float) -> str:
    """`95 % CI 1.88 to 2.16`, or that there is none."""
    if low is None or high is None:
        return f"no {100 * level:g} % CI"
    return f"{100 * level:g} % CI {significant(low)} to {significant(high)}"


def is_missing(value: Any) -> bool:
    """None and NaN (of any number type) are missing."""
    return value is None or value != value


def known(values: Iterable[Any]) -> tuple[list[Any], int]:
    """The values that are there, and how many are not."""
    every = list(values)
    there = [value for value in every if not is_missing(value)]
    return there, len(every) - len(there)


def missing_text(missing: int) -> str:
    return f"; {missing} missing" if missing else "; none missing"


@dataclass(frozen=True)
class LeftOut:
    """Why some did not count, and which: the labels they came with, or `row 1` and so on."""

    reason: str
    labels: tuple[str, ...]


def left_out_by(reasons: Mapping[str, str]) -> tuple[LeftOut, ...]:
    """Gather `{label: reason}` by reason, in the order in which reasons appear."""
    return tuple(
        LeftOut(reason, tuple(label for label, its in reasons.items() if its == reason))
        for reason in dict.fromkeys(reasons.values())
    )


def left_out_text(left_out: Sequence[LeftOut], word: str = "missing") -> str:
    """`; 3 missing: 2 no after value, 1 neither value`; labels may be patients and are not printed."""
    total = sum(len(part.labels) for part in left_out)
    if not total:
        return f"; none {word}"
    if len(left_out) == 1:
        return f"; {total} {word}: {left_out[0].reason}"
    return f"; {total} {word}: " + ", ".join(f"{len(part.labels)} {part.reason}" for part in left_out)


def labels_of(columns: Mapping[str, Sequence[Any]], labels: Sequence[Any] | None) -> tuple[str, ...]:
    """Return one label a row (`row 1` and so on where none are given); raise TimelineError unless all are as long.

    A label that stands more than once gets its position, so that each row can be told.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if labels is not None:
        lengths["labels"] = len(labels)
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise TimelineError(f"the columns are not equally long ({said}); give one value, or None, for each row")
    count = next(iter(lengths.values()))
    if labels is None:
        return tuple(f"row {position}" for position in range(1, count + 1))
    texts = [str(label) for label in labels]
    seen = Counter(texts)
    return tuple(f"{text} (row {i})" if seen[text] > 1 else text for i, text in enumerate(texts, 1))


def listed(labels: Sequence[str]) -> str:
    """The labels as an error names them."""
    more = f" and {len(labels) - LISTED} more" if len(labels) > LISTED else ""
    return ", ".join(labels[:LISTED]) + more


def check_level(level: float) -> None:
    """Raise TimelineError unless `level` is a share of 1 such as 0.95."""
    if not 0 < level < 1:
        raise TimelineError(f"a confidence level lies between 0 and 1; write 0.95 for 95 %, not {level:g}")


def check_finite(columns: Mapping[str, Sequence[float]], labels: Sequence[str]) -> None:
    """Raise TimelineError that names the rows where a value is infinite."""
    wrong = [
        label for i, label in enumerate(labels) if any(math.isinf(column[i]) for column in columns.values() if column)
    ]
    if wrong:
        raise TimelineError(f"rows with an infinite value: {len(wrong)} ({listed(wrong)}); write None where unknown")

"""A family's answer as a table for people: one row a panel, P values as they are printed; knows answers only."""

from collections.abc import Mapping
from typing import Any

from timeline.printing import cell, column
from timeline.statistic.paired import RATIO
from timeline.stats import Answer
from timeline.words.names import unit

P_VALUES = {
    "p": "P",
    "holm": "P, Holm",
    "benjamini_hochberg": "P, Benjamini-Hochberg",
    "wilcoxon": "P, Wilcoxon",
    "sign_test": "P, sign test",
    "p_lowest_without_one": "P without one pair, lowest",
    "p_highest_without_one": "highest",
}
WORDS = {
    "n": "n",
    "median_before": "median before",
    "median_after": "median after",
    "low": "95 % CI from",
    "high": "to",
    "stars": "",
    "hodges_lehmann": "Hodges-Lehmann",
}
ALIKE = ("estimate", "low", "high")
"""Ratios have no unit, so those of all panels have one scale."""
MEASURED = ("median_before", "median_after", "hodges_lehmann")
"""They have the unit of the values, where the header of the query says one."""
APART = ("title", "t", "df", "direction", "unit", "of")
"""Names of a row that the table does not show: programs read them, people the rest."""


def family_table(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of `answer`, as text; no rows where it is no family of tests."""
    if "p" not in next(iter(answer.rows.values()), {}):
        return [], []
    names = [name for name in next(iter(answer.rows.values()), {}) if name not in APART]
    # Who is missing is in the summary where it is the same in each panel.
    if len(answer.rows) > 1 and len({str(row.get("missing")) for row in answer.rows.values()}) == 1:
        names = [name for name in names if name != "missing" or isinstance(next(iter(answer.rows.values()))[name], int)]
    rows = list(answer.rows.values())
    alike = ALIKE if any(row.get("of") == RATIO for row in rows) else ()
    columns = [_column(name, [row[name] for row in rows], name in alike) for name in names]
    titles = [str(row.get("title") or panel) for panel, row in answer.rows.items()]
    lines = [list(line) for line in zip(titles, *columns, strict=True)]
    return ["", *(_head(name, rows[0]) for name in names)], lines


def _head(name: str, row: Mapping[str, Any]) -> str:
    """What a column is, with the unit where the header of the query says one."""
    if name == "estimate":
        return row["of"]
    words = P_VALUES.get(name) or WORDS.get(name, name.replace("_", " "))
    return f"{words}, {unit(row['unit'])}" if name in MEASURED and row.get("unit") else words


def _column(name: str, values: list[Any], alike: bool) -> list[str]:
    """The same decimals where panels share a scale; otherwise each number its own digits."""
    if name in P_VALUES:
        return [_p(value) for value in values]
    return column(values) if alike else [cell(value) for value in values]


def _p(p: float | None) -> str:
    """Four decimals, so that the values of a column can be compared at a glance."""
    return "–" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"

"""A family's answer as a table for people: one row a panel, P values as they are printed; knows answers only."""

from collections.abc import Mapping
from typing import Any

from timeline.printing import cell
from timeline.stats import Answer

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
APART = ("title", "t", "df", "direction")
"""Names of a row that the table does not show: programs read them, people the rest."""


def family_table(answer: Answer) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of `answer`, as text; no rows where it is no family of tests."""
    if "p" not in next(iter(answer.rows.values()), {}):
        return [], []
    names = [name for name in next(iter(answer.rows.values()), {}) if name not in APART]
    # Who is missing is in the summary where it is the same in each panel.
    if len(answer.rows) > 1 and len({str(row.get("missing")) for row in answer.rows.values()}) == 1:
        names = [name for name in names if name != "missing" or isinstance(next(iter(answer.rows.values()))[name], int)]
    head = [P_VALUES.get(name) or WORDS.get(name, name.replace("_", " ")) for name in names]
    rows = [[str(row.get("title") or panel), *_cells(row, names)] for panel, row in answer.rows.items()]
    return ["", *head], rows


def _cells(row: Mapping[str, Any], names: list[str]) -> list[str]:
    return [_p(row[name]) if name in P_VALUES else cell(row[name]) for name in names]


def _p(p: float | None) -> str:
    """Four decimals, so that the values of a column can be compared at a glance."""
    return "–" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"

"""A family's answer as a table for people: one row a panel, P values as they are printed; knows answers only."""

from collections.abc import Mapping
from typing import Any

from timeline.printing import cell
from timeline.stats import Answer, p_text

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
    """Return the head and the rows of `answer`, as text; no rows where it is no family."""
    names = [name for name in next(iter(answer.rows.values()), {}) if name not in APART]
    head = [P_VALUES.get(name) or WORDS.get(name, name.replace("_", " ")) for name in names]
    rows = [[str(row.get("title") or panel), *_cells(row, names)] for panel, row in answer.rows.items()]
    return ["", *head], rows


def _cells(row: Mapping[str, Any], names: list[str]) -> list[str]:
    return [
        p_text(row[name]).removeprefix("p = ").removeprefix("p ") if name in P_VALUES else cell(row[name])
        for name in names
    ]

"""The pages of a lanes chart: the data of each, and all of them in a compact form of which a script shows one.

Thousands of lanes are megabytes of records; by column, and with each word once, they are a tenth of that.
"""

from collections.abc import Sequence
from typing import Any

from timeline.charts.lane_layout import Arranged

CODED = ("lane", "layer", "what", "when", "value", "label")
"""Columns of marks whose words repeat."""


def datasets(pages: Sequence[Arranged], place: int) -> dict[str, list[dict[str, Any]]]:
    """Return the data of the page at `place`, those that the chart reads: without panels there are no titles."""
    page = pages[place]
    data = {"marks": page.marks, "lanes": page.lanes}
    if page.panels:
        data["panels"] = page.panels
    return data if len(pages) == 1 else data | {"page": [{"text": name(pages, place)}]}


def name(pages: Sequence[Arranged], place: int) -> str:
    """Return which lanes the page holds: `Lanes 61 to 120 of 1,342`."""
    before = sum(len(page.lanes) for page in pages[:place])
    return f"Lanes {before + 1:,} to {before + len(pages[place].lanes):,} of {pages[place].total:,}"


def compact(pages: Sequence[Arranged]) -> dict[str, Any]:
    """Return `{names, words, coded, of}`: of each page its datasets as columns, words in `coded` as places in `words`.

    A cell of a mark that has no such field is None.
    """
    words: dict[str, int] = {}
    of = []
    for place in range(len(pages)):
        page = {key: _columns(records) for key, records in datasets(pages, place).items()}
        for column in CODED:
            if column in page["marks"]:
                page["marks"][column] = [
                    None if word is None else words.setdefault(word, len(words)) for word in page["marks"][column]
                ]
        of.append(page)
    names = [name(pages, place) for place in range(len(pages))]
    return {"names": names, "words": list(words), "coded": list(CODED), "of": of}


def _columns(records: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    fields = dict.fromkeys(field for record in records for field in record)
    return {field: [record.get(field) for record in records] for field in fields}

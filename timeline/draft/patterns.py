"""Families of codes that hold more than a code, as MEDS writes them: `FAMILY//code//unit`, `FAMILY//code//status`.

Looks at the codes alone, each once: which families end in units, and which in a few words that repeat. Knows no event.
"""

import re
from collections import Counter
from collections.abc import Mapping

from timeline import units
from timeline.draft.records import PatternDraft

MARK = "//"
FEWEST = 3
"""Codes that make a family."""
WORDS = 30
"""More endings than that are no statuses."""


def drafted(rows: Mapping[str, int]) -> tuple[PatternDraft, ...]:
    """Return how families of codes may be taken apart; `rows` are those of each code."""
    families: dict[str, dict[str, int]] = {}
    for code, n in rows.items():
        if code.count(MARK) >= 2:
            families.setdefault(code.partition(MARK)[0], {})[code] = n
    drafts = (_family(name, codes) for name, codes in families.items() if len(codes) >= FEWEST)
    return tuple(sorted((one for one in drafts if one is not None), key=lambda one: (-one.rows, one.match)))


def _family(name: str, codes: Mapping[str, int]) -> PatternDraft | None:
    start, key = re.escape(name) + MARK, f"{name}/{{code}}"
    rows = sum(codes.values())
    ends = {code.split(MARK, 2)[2].strip() for code in codes} - {""}
    if 2 * sum(units.parse(end) is not None for end in ends) >= len(ends) > 0:
        return PatternDraft(rf"{start}(?P<code>[^/]+)//(?P<unit>.*)", key, len(codes), rows)
    statuses: Counter[str] = Counter()
    for code, n in codes.items():
        statuses[code.rpartition(MARK)[2]] += n
    if len(statuses) <= min(WORDS, len(codes) // 2):
        return PatternDraft(
            rf"{start}(?P<code>.+)//(?P<status>[^/]*)", key, len(codes), rows, tuple(statuses.most_common())
        )
    return None

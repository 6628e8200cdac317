"""Steps as the text of one WITH: a CTE a step, clauses and long lists on lines of their own; knows no rule."""

import re
from collections.abc import Iterable, Sequence

from timeline.quote import identifier

Step = tuple[str, str, str]
"""Name, comment and SELECT of a CTE."""

CLAUSES = re.compile(
    r"'(?:[^']|'')*'|[()]| (?P<clause>FROM|WHERE|(?:ASOF )?(?:LEFT |CROSS )?JOIN|GROUP BY|QUALIFY|UNION(?: ALL)?) "
    r"|(?P<item>, )"
)
WIDTH = 110
"""A list of items longer than this has each on a line of its own."""


def with_steps(steps: Sequence[Step], select: str, inline: Iterable[str] = ()) -> str:
    """`select` after its steps; those in `inline` cost less to do twice than to keep."""
    listed = []
    for name, comment, body in steps:
        note = "".join(f"  -- {line}\n" for line in comment.split("\n")) if comment else ""
        kept = " NOT MATERIALIZED" if name in inline else ""
        listed.append(f"{identifier(name)} AS{kept} (\n{note}  {broken(body)}\n)")
    joined = ",\n".join(listed)
    return f"WITH {joined}\n{select}" if listed else select


def broken(select: str, indent: str = "  ") -> str:
    """A SELECT with its clauses, and items of a long list, on lines of their own; quotes and brackets stay whole."""
    depth, long = 0, len(select.partition(" FROM ")[0]) > WIDTH

    def on_a_line(match: re.Match[str]) -> str:
        nonlocal depth, long
        depth += (match[0] == "(") - (match[0] == ")")
        if depth:
            return match[0]
        if match["clause"]:
            long = False
            return f"\n{indent}{match['clause']} "
        return f",\n{indent}  " if match["item"] and long else match[0]

    return CLAUSES.sub(on_a_line, select)

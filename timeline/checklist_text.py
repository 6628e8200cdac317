"""Published values beside computed ones, in words for the terminal; knows the records, and no patient's values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.printing import count, table, wrapped

if TYPE_CHECKING:
    from timeline.alternatives import Ambiguity, Outcome, Sensitivity
    from timeline.published import Compared

WIDTHS = {"item": 38, "published": 26, "computed": 40}
"""Longer texts are cut in the table; `-o` and `--json` give them whole."""
MARKS = {True: "≠", False: "=", None: "?"}
"""Of an outcome against the default's: changed, the same, unknown."""


def published_text(found: Sequence[Compared], written: str = "") -> str:
    """Return a line an item, how many agree, and why the others do not."""
    from timeline.published import counted

    header = ("id", "item", "published", "computed", "agreement")
    rows = [
        (c.id, _cut(c.item, "item"), _cut(c.published, "published"), _cut(c.computed or "–", "computed"), c.agreement)
        for c in found
    ]
    lines = [table(header, rows), ""]
    lines.append(", ".join(f"{number} {name}" for name, number in counted(found).items()) + f"; {len(found)} in all")
    for name, heading in (
        ("differs", "Differs"),
        ("conflict", "The publication contradicts itself, and nothing is forced"),
        ("not computed", "Not computed"),
    ):
        told = reasons(found, name)
        if told:
            lines += ["", f"{heading}:", *(wrapped(f"  {', '.join(ids)}: {why}", indent="    ") for why, ids in told)]
    return "\n".join([*lines, *(["", f"Written: {written}"] if written else [])])


def reasons(found: Sequence[Compared], agreement: str) -> list[tuple[str, list[str]]]:
    """Return each reason for an agreement with the ids that it holds for, in the order of the items."""
    told: dict[str, list[str]] = {}
    for one in found:
        if one.agreement == agreement:
            told.setdefault(one.why, []).append(one.id)
    return list(told.items())


def sensitivity_text(found: Sensitivity, written: str = "") -> str:
    """Return question by question what the other readings change, and what could not be computed."""
    of = f"{count(len(found.ambiguities), 'open question')}, {count(_readings(found), 'other reading')}"
    derived = f"{count(found.derived, 'table')} derived, {found.reused:,} reused"
    lines = [f"{found.study}: {of}; {derived}, in {found.seconds:.1f} s"]
    lines += [wrapped(found.remark)] if found.remark else []
    lines += ["≠ changed, = as by default, ? unknown"]
    for one in found.ambiguities:
        lines += ["", wrapped(f"{one.id}  {one.question}", indent="      ")]
        lines += [wrapped(f"      default: {one.default}", indent="        "), *_table(one)]
        lines += [wrapped(f"      {one.note}", indent="      ")] if one.note else []
    return "\n".join([*lines, *(["", f"Written: {written}"] if written else [])])


def _readings(found: Sensitivity) -> int:
    return sum(len(one.readings) for one in found.ambiguities)


def _table(one: Ambiguity) -> list[str]:
    """Items that some reading changes, a row a reading; what stays the same is named in one line."""
    moved = one.changed
    defaults = {o.id: o for o in one.defaults}
    lines = []
    for key in moved:
        rows = [("", "default", _said(defaults[key]))]
        rows += [
            (MARKS[o.changed], told.label, _said(o))
            for told in one.readings
            for o in told.outcomes
            if o.id == key
        ]  # fmt: skip
        shown = [(mark, _cut(label, "item"), _cut(text, "computed")) for mark, label, text in rows]
        o = defaults[key]
        lines += [
            f"      {key} {o.item}, published {o.published}",
            table(("", "reading", "value"), shown, indent="        "),
        ]
    same = [f"{key} ({_said(o)})" for key, o in defaults.items() if key not in moved]
    if same and one.known:
        by = "not changed by any reading" if moved else f"not changed by: {'; '.join(one.known)}"
        lines.append(wrapped(f"      {by}: {', '.join(same)}", indent="        "))
    elif same:
        lines.append(wrapped(f"      {', '.join(same)}", indent="        "))
    lines += [
        wrapped(f"      not computed, {told.label}: {told.why}", indent="        ") for told in one.readings if told.why
    ]
    lines += [wrapped(f"      {told.label}: {note}", indent="        ") for told in one.readings for note in told.notes]
    return lines


def _said(outcome: Outcome) -> str:
    return outcome.computed or f"not computed: {outcome.why}"


def _cut(text: str, column: str) -> str:
    width = WIDTHS[column]
    return text if len(text) <= width else text[: width - 1] + "…"

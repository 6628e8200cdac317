"""A table as lines of text: Markdown, and columns for the terminal; knows no frame."""

import re

from timeline.printing import table as columns
from timeline.printing import wrapped
from timeline.table.shown import Row, Shown

BLANK = "\u00a0\u00a0"
"""Indents a label: Markdown drops common blanks."""


def as_markdown(table: Shown) -> str:
    """Return `table` as a Markdown table with bold heads of groups, its title above, its notes below."""
    heads = [_cell(head.text) for head in table.heads]
    lines = [f"**{_cell(table.title)}**", ""]
    if table.remark:
        lines += [f"*{_cell(table.remark)}*", ""]
    if table.rows:
        lines += [_line(heads), _line(["---:" if head.number else "---" for head in table.heads])]
    for group in table.groups:
        if group.title:
            lines.append(_line([f"**{_cell(group.title)}**", *[""] * (len(heads) - 1)]))
        lines += [_line(_cells(row)) for row in group.rows]
    lines += [""] if table.rows and table.notes else []
    lines += [f"{f'<sup>{note.mark}</sup> ' if note.mark else ''}{_cell(note.text)}  " for note in table.notes]
    return "\n".join(line if line.endswith("|") else line.rstrip() for line in _paragraphs(lines)) + "\n"


def _paragraphs(lines: list[str]) -> list[str]:
    """A trailing backslash breaks a line; trailing blanks would be lost in editors."""
    return [line.rstrip() + "\\" if line.endswith("  ") and line != lines[-1] else line for line in lines]


def _cells(row: Row) -> list[str]:
    first, *rest = (_cell(cell) for cell in row.cells)
    return [BLANK * row.depth + first + (f"<sup>{row.marks}</sup>" if row.marks else ""), *rest]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """`text` with what Markdown would read as markup escaped."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", " ".join(text.split()))


def as_text(table: Shown) -> str:
    """Return `table` in columns for the terminal, labels indented under the heads of their groups, notes below."""
    rows = []
    for group in table.groups:
        if group.title:
            rows.append([group.title, *[""] * (len(table.heads) - 1)])
        indent = "  " if group.title else ""
        for row in group.rows:
            mark = f" [{row.marks}]" if row.marks else ""
            rows.append([f"{indent}{'  ' * row.depth}{row.cells[0]}{mark}", *row.cells[1:]])
    lines = [columns([head.text for head in table.heads], rows)] if rows else []
    lines += [wrapped(f"[{note.mark}] {note.text}" if note.mark else note.text) for note in table.notes]
    return "\n".join(lines)

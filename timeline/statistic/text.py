"""Answers of statistics for the terminal and for programs; knows answers only."""

from collections.abc import Sequence
from typing import Any

from timeline import printing
from timeline.statistic.table import family_table
from timeline.stats import Answer


def as_text(answers: Sequence[Answer]) -> str:
    """Return each answer under its title: its sentences, then a row for each of its panels."""
    return "\n\n".join("\n".join(_lines(answer)) for answer in answers)


def as_data(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return each answer as a record: name, title, sentences, values by name, and the same of each panel."""
    return [
        {
            "name": answer.name,
            "title": answer.title,
            "published": answer.published or None,
            "sentences": list(answer.sentences),
            "values": dict(answer.values),
            "rows": {panel: dict(row) for panel, row in answer.rows.items()},
            "methods": [{"method": method, "conventions": list(told)} for method, told in answer.methods],
        }
        for answer in answers
    ]


def _lines(answer: Answer) -> list[str]:
    named = f" ({answer.published})" if answer.published else ""
    lines = [answer.title + named, *(printing.wrapped(f"  {sentence}", indent="    ") for sentence in answer.sentences)]
    head, rows = family_table(answer)
    return [*lines, printing.table(head, rows, indent="  ")] if rows else lines

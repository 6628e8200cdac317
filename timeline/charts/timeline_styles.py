"""How the marks of one subject's lanes look: one style a kind of mark, told by shape and fill as well as by colour.

Knows rows and declarations only.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from timeline.charts import theme
from timeline.charts.declared import Timeline, TimelineLayer
from timeline.charts.lanes import SHAPES

LIMITS = "between the limits"
ABOVE, BELOW = "above the limit", "below the limit"
LESS, MORE = "less than this", "more than this"
IMPLAUSIBLE = "implausible, no observation"
DOWN = "M-0.28,-1L0.28,-1L0.28,0L0.85,0L0,1L-0.85,0L-0.28,0Z"
UP = "M-0.28,1L0.28,1L0.28,0L0.85,0L0,-1L-0.85,0L-0.28,0Z"


class Style(NamedTuple):
    """A symbol, its fill and its outline."""

    shape: str
    fill: str
    stroke: str


def styles(declared: Timeline) -> dict[str, Style]:
    """Return every style by its name, in the order of the key; a function of the declaration alone."""
    found: dict[str, Style] = {}
    for layer in declared.layers.values():
        colour = theme.CATEGORY[layer.colour]
        if layer.mark == "graded":
            shades = theme.shades(theme.SEVERITY, len(layer.grades))
            for grade, shade in zip(layer.grades, shades, strict=True):
                found[_graded(layer, grade)] = Style("square", shade, theme.QUIET)
            found[_graded(layer, None)] = Style("square", theme.PAPER, theme.QUIET)
        elif layer.mark in ("bar", "window"):
            found[layer.title] = Style("square", colour, colour)
        else:
            found[layer.title] = Style(SHAPES.get(layer.shape, layer.shape), colour, colour)
    if any(layer.mark == "line" for layer in declared.layers.values()):
        out = theme.CATEGORY["orange"]
        found |= {
            ABOVE: Style("triangle-up", out, out),
            BELOW: Style("triangle-down", out, out),
            LESS: Style(DOWN, theme.PAPER, theme.INK),
            MORE: Style(UP, theme.PAPER, theme.INK),
            f"{LESS}, {BELOW}": Style(DOWN, theme.PAPER, out),
            f"{MORE}, {ABOVE}": Style(UP, theme.PAPER, out),
            LIMITS: Style("square", theme.CATEGORY["green"], theme.CATEGORY["green"]),
        }
    found[IMPLAUSIBLE] = Style(SHAPES["x"], theme.QUIET, theme.QUIET)
    return found


def style_of(row: Mapping[str, Any], layer: TimelineLayer, declared: Timeline) -> str:
    """Return the name of the style of one row."""
    value = row[declared.value]
    if is_implausible(row, declared):
        return IMPLAUSIBLE
    if layer.mark == "graded":
        return _graded(layer, value)
    if layer.mark != "line":
        return layer.title
    bound, side = _bound(row, declared), compared(row, declared)
    if bound:
        return f"{LESS if bound == '<' else MORE}{', ' if side else ''}{side}"
    return side or layer.title


def is_implausible(row: Mapping[str, Any], declared: Timeline) -> bool:
    """Return whether the row says that its value cannot be."""
    return declared.implausible is not None and bool(row[declared.implausible])


def compared(row: Mapping[str, Any], declared: Timeline) -> Literal["", "above the limit", "below the limit"]:
    """Return on which side of its limits a number is; nothing where it is between them, or cannot be told."""
    value, bound = row[declared.value], _bound(row, declared)
    low = row[declared.low] if declared.low is not None else None
    high = row[declared.high] if declared.high is not None else None
    if value is None:
        return ""
    # What is less than a number on the limit is below it; what is less than a higher number may be anywhere.
    if low is not None and bound != ">" and (value < low or (bound == "<" and value <= low)):
        return BELOW
    if high is not None and bound != "<" and (value > high or (bound == ">" and value >= high)):
        return ABOVE
    return ""


def _bound(row: Mapping[str, Any], declared: Timeline) -> str:
    return ((row[declared.bound] if declared.bound is not None else None) or "")[:1]


def _graded(layer: TimelineLayer, grade: float | None) -> str:
    """The style of a grade; of one that is not among those declared, or unknown, that of no grade."""
    known = grade is not None and grade in layer.grades
    return f"{layer.title} {grade:g}" if known else f"{layer.title} unknown"

"""The flow of a cohort: a box a step with how many are left, beside it whom the step excluded; draws columns only.

Everything stands in pixels, so that words wrap where the boxes end and nothing depends on a scale.
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from timeline.charts import theme
from timeline.charts.declared import Flow
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

Record = dict[str, Any]
STEP, GAP, SIDE = 290, 46, 300
"""Width of the boxes, the space between them, and the width of the boxes beside."""
MIDDLE = STEP / 2
LINE, PAD = 16, 9
"""Height of a line of words, and the space around the words of a box."""
LEAST_GAP = 34
"""Height of the shortest arrow."""
LETTERS, SIDE_LETTERS = 43, 48
"""Letters in a line of a box, at the size in which they are drawn."""
HEAD = "M-1,-1.1L1,-1.1L0,1Z"
SIDE_HEAD = "M-1.1,-1L1,0L-1.1,1Z"


def draw(
    frame: "polars.DataFrame", declared: Flow, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the boxes of `frame` from top to bottom, a row each, and beside them those who were excluded."""
    import altair as alt

    boxes, texts, lines, heads, height = arrange(frame, declared)
    return alt.layer(*_lines(), *_boxes(), *_texts()).properties(
        width=STEP + GAP + SIDE,
        height=height,
        datasets={"boxes": boxes, "texts": texts, "lines": lines, "heads": heads},
        title=alt.TitleParams(title, subtitle=list(notes)),
    )


def arrange(
    frame: "polars.DataFrame", declared: Flow
) -> tuple[list[Record], list[Record], list[Record], list[Record], float]:
    """Return boxes, texts, lines and heads of arrows, each with its pixels, and the height of all."""
    boxes: list[Record] = []
    texts: list[Record] = []
    lines: list[Record] = []
    heads: list[Record] = []
    y = 1.0
    rows = frame.rows(named=True)
    for i, row in enumerate(rows):
        if i:
            beside = _beside(row, declared)
            gap = max(LEAST_GAP, _height(beside) + 16) if beside else LEAST_GAP
            lines.append({"x": MIDDLE, "x2": MIDDLE, "y": y, "y2": y + gap - 7})
            heads.append({"x": MIDDLE, "y": y + gap - 5, "down": True})
            if beside:
                middle, top = y + gap / 2, y + (gap - _height(beside)) / 2
                lines.append({"x": MIDDLE, "x2": STEP + GAP - 7, "y": middle, "y2": middle})
                heads.append({"x": STEP + GAP - 5, "y": middle, "down": False})
                boxes.append(_box("excluded", STEP + GAP, SIDE, top, beside))
                texts += _words(STEP + GAP, SIDE, top, beside)
            y += gap
        words = _step(row, declared)
        boxes.append(_box("last" if i == len(rows) - 1 else "step", 0, STEP, y, words))
        texts += _words(0, STEP, y, words)
        y += _height(words)
    return boxes, texts, lines, heads, y + 1


def _step(row: Record, declared: Flow) -> list[tuple[str, str]]:
    """The lines of a step's box, each with its style."""
    count = row[declared.count]
    words = [(line, "words") for line in _wrapped(row[declared.label], LETTERS)]
    words.append(("n is not known" if count is None else f"n = {count:,}", "number"))
    return [*words, *((line, "note") for line in _wrapped(_of(row, declared.note), LETTERS))]


def _beside(row: Record, declared: Flow) -> list[tuple[str, str]]:
    """The lines of the box beside the arrow; none where nobody was excluded."""
    lost = _of(row, declared.lost)
    if not lost:
        return []
    return [
        (f"Excluded: n = {lost:,}", "number"),
        *((why, "note") for why in _wrapped(_of(row, declared.why), SIDE_LETTERS)),
    ]


def _of(row: Record, column: str | None) -> Any:
    return None if column is None else row[column]


def _wrapped(words: object, letters: int) -> list[str]:
    return textwrap.wrap(str(words), letters) if words is not None else []


def _height(words: Sequence[object]) -> float:
    return 2 * PAD + LINE * len(words)


def _box(kind: str, x: float, width: float, y: float, words: Sequence[tuple[str, str]]) -> Record:
    told = " ".join(line for line, _ in words)
    return {"kind": kind, "x": x, "x2": x + width, "y": y, "y2": y + _height(words), "told": told}


def _words(x: float, width: float, y: float, words: Sequence[tuple[str, str]]) -> list[Record]:
    """The lines of a box, one below the other: centred in a step, from the left beside it."""
    at = x + width / 2 if x == 0 else x + 12
    return [
        {"x": at, "y": y + PAD + LINE * (i + 0.5), "text": line, "style": style, "side": x > 0}
        for i, (line, style) in enumerate(words)
    ]


def _named(name: str, where: str = "") -> "alt.Chart":
    import altair as alt

    chart = alt.Chart(alt.NamedData(name))
    return chart.transform_filter(where) if where else chart


def _x(field: str = "x:Q") -> "alt.X":
    """A place in pixels: it has no scale and no axis."""
    import altair as alt

    return alt.X(field, scale=None, axis=None)


def _y(field: str = "y:Q") -> "alt.Y":
    import altair as alt

    return alt.Y(field, scale=None, axis=None)


def _lines() -> list["alt.Chart"]:
    """The arrows."""
    line = _named("lines").mark_rule(color=theme.QUIET, strokeWidth=1.3)
    ends = [
        _named("heads", where).mark_point(shape=shape, filled=True, size=34, color=theme.QUIET, opacity=1)
        for where, shape in (("datum.down", HEAD), ("!datum.down", SIDE_HEAD))
    ]
    return [line.encode(x=_x(), x2="x2:Q", y=_y(), y2="y2:Q"), *(end.encode(x=_x(), y=_y()) for end in ends)]


def _boxes() -> list["alt.Chart"]:
    """Steps on a wash, the last with a strong edge, the excluded with a dashed one."""
    import altair as alt

    styles: dict[str, dict[str, Any]] = {
        "step": {"fill": theme.BAND, "stroke": theme.QUIET, "strokeWidth": 1},
        "last": {"fill": theme.BAND, "stroke": theme.INK, "strokeWidth": 2},
        "excluded": {"fill": theme.PAPER, "stroke": theme.QUIET, "strokeWidth": 1, "strokeDash": [4, 3]},
    }
    tooltip = alt.Tooltip("told:N")
    return [
        _named("boxes", f"datum.kind == '{kind}'")
        .mark_rect(cornerRadius=4, opacity=1, **style)
        .encode(x=_x(), x2="x2:Q", y=_y(), y2="y2:Q", tooltip=tooltip)
        for kind, style in styles.items()
    ]


def _texts() -> list["alt.Chart"]:
    styles: dict[str, dict[str, Any]] = {
        "words": {"fontSize": 12.5, "color": theme.INK},
        "number": {"fontSize": 12.5, "fontWeight": 600, "color": theme.INK},
        "note": {"fontSize": 11.5, "color": theme.QUIET},
    }
    charts = []
    sides: tuple[tuple[str, Literal["left", "center"]], ...] = (("datum.side", "left"), ("!datum.side", "center"))
    for style, look in styles.items():
        for where, align in sides:
            text = _named("texts", f"datum.style == '{style}' && {where}")
            charts.append(text.mark_text(align=align, baseline="middle", **look).encode(x=_x(), y=_y(), text="text:N"))
    return charts

"""Charts of frames: a declaration and rows in, an Altair chart out; knows no connection, no file and no medicine.

The module named as a kind has `draw(frame, declared, title, notes, answers)`.
"""

import importlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import declared, theme
from timeline.charts.links import linked
from timeline.errors import UsageError

if TYPE_CHECKING:
    import altair
    import polars

    from timeline.stats import Answer

__all__ = ["beyond", "draw", "linked", "picture", "specification"]


def draw(
    frame: "polars.DataFrame",
    chart: declared.Chart,
    title: str,
    notes: Sequence[str] = (),
    answers: Sequence["Answer"] = (),
) -> "altair.TopLevelMixin":
    """Return the chart that `chart` declares over the columns of `frame`, in the theme's colours of day.

    `notes` are lines under the title; `answers` are the statistics of the same query, for charts that mark them.
    """
    words = [name for name in chart.numbers() if not (frame[name].dtype.is_numeric() or frame[name].is_null().all())]
    if words:
        raise UsageError(f"`chart` draws numbers, and {', '.join(words)} holds none; name another column, or cast it")
    kind = importlib.import_module(f"timeline.charts.{chart.kind}")
    return kind.draw(frame, chart, title, notes, answers).configure(**theme.config())


def parts(frame: "polars.DataFrame", chart: declared.Chart, title: str, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what to put into `shared`: keys that replace its own; `values` are those of its parameters by name.

    Where a page draws the same chart of many frames, it holds the drawing once. Of a kind that cannot be divided
    the part is all of it.
    """
    kind = importlib.import_module(f"timeline.charts.{chart.kind}")
    if hasattr(kind, "own"):
        return kind.own(frame, chart, notes)
    return specification(draw(frame, chart, title, notes))


def shared(chart: declared.Chart) -> dict[str, Any]:
    """Return what `parts` of every frame have in common; nothing for a kind that cannot be divided."""
    kind = importlib.import_module(f"timeline.charts.{chart.kind}")
    return kind.shared(chart) if hasattr(kind, "shared") else {}


def beyond(chart: declared.Chart, how: declared.Beyond) -> declared.Chart:
    """Return `chart` with `how` for what it does with more lanes than can be read; charts without lanes stay."""
    return chart.model_copy(update={"beyond": how}) if isinstance(chart, declared.Lanes) else chart


def specification(chart: "altair.TopLevelMixin") -> dict[str, Any]:
    """Return the Vega-Lite specification of `chart`, with its data inside."""
    return chart.to_dict()


def picture(spec: dict[str, Any], format: str, scale: float = 2) -> bytes:
    """Return `spec` as `png`, `svg` or `pdf`."""
    import vl_convert

    text = json.dumps(spec)
    if format == "png":
        return vl_convert.vegalite_to_png(text, scale=scale)
    if format == "pdf":
        return vl_convert.vegalite_to_pdf(text)
    return vl_convert.vegalite_to_svg(text).encode()

"""What a query's header may say about its chart: frozen models, one file a kind; know no Altair and no data.

A chart is declared over the columns of its query's result. Everything that it means (which element is which
drug, which grades there are, how many milligrams are much) stands in the header, so that the code that draws
needs to know none of it. A chart of kind `x` is declared in `declared/x.py` and drawn in `charts/x.py`.
"""

from typing import Annotated, get_args

from pydantic import Field

from timeline.charts.declared.base import Category, Column, Declared
from timeline.charts.declared.course import Course, Measure
from timeline.charts.declared.flow import Flow
from timeline.charts.declared.lanes import Beyond, Lanes, Layer
from timeline.charts.declared.pairs import Pairs
from timeline.charts.declared.shares import Shares
from timeline.charts.declared.survival import Survival
from timeline.charts.declared.timeline import Timeline, TimelineLayer
from timeline.charts.declared.waterfall import Waterfall

Chart = Annotated[Course | Flow | Lanes | Pairs | Shares | Survival | Timeline | Waterfall, Field(discriminator="kind")]
KINDS = tuple(get_args(model.model_fields["kind"].annotation)[0] for model in get_args(get_args(Chart)[0]))
"""What a chart may be."""

__all__ = [
    "KINDS",
    "Beyond",
    "Category",
    "Chart",
    "Column",
    "Course",
    "Declared",
    "Flow",
    "Lanes",
    "Layer",
    "Measure",
    "Pairs",
    "Shares",
    "Survival",
    "Timeline",
    "TimelineLayer",
    "Waterfall",
]

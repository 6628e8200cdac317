"""What a query's header may say about its chart: frozen models, one file a kind; know no Altair and no data.

A chart is declared over the columns of its query's result. Everything that it means (which element is which
drug, which grades there are, how many milligrams are much) stands in the header, so that the code that draws
needs to know none of it. A chart of kind `x` is declared in `declared/x.py` and drawn in `charts/x.py`.
"""

from typing import Annotated

from pydantic import Field

from timeline.charts.declared.base import Declared
from timeline.charts.declared.lanes import Lanes, Layer
from timeline.charts.declared.steps import Steps
from timeline.charts.declared.timeline import Timeline, TimelineLayer

Chart = Annotated[Lanes | Steps | Timeline, Field(discriminator="kind")]

__all__ = ["Chart", "Declared", "Lanes", "Layer", "Steps", "Timeline", "TimelineLayer"]

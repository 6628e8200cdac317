"""How many are left after each step: one bar a row, in the order of the rows; knows columns and declarations only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timeline.charts import theme
from timeline.charts.declared import Steps
from timeline.stats import Answer

if TYPE_CHECKING:
    import altair as alt
    import polars

WIDTH = 520


def draw(
    frame: "polars.DataFrame", declared: Steps, title: str, notes: Sequence[str], answers: Sequence[Answer]
) -> "alt.TopLevelMixin":
    """Return the chart of `frame`: a bar and a number for each row, and beside it how many the step lost."""
    import altair as alt

    rows = []
    for row in frame.rows(named=True):
        lost = row[declared.lost] if declared.lost is not None else None
        count = row[declared.count]
        note = f"{count:,}" + (f"  (lost {lost:,})" if lost else "")
        rows.append({"step": str(row[declared.label]), "count": count, "lost": lost, "note": note})
    order = [row["step"] for row in rows]
    most = max((row["count"] for row in rows), default=0)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("step:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=320)),
        tooltip=[alt.Tooltip("step:N", title="Step"), alt.Tooltip("count:Q", title=declared.x, format=",")],
    )
    # Room for the number behind the longest bar.
    scale = alt.Scale(domain=[0, max(most, 1) * 1.25], nice=False)
    axis = alt.Axis(title=declared.x, tickMinStep=1, format="~s" if most >= 10000 else ",d")
    bars = base.mark_bar(color=theme.CATEGORY["blue"], height=18).encode(x=alt.X("count:Q", scale=scale, axis=axis))
    numbers = base.mark_text(align="left", dx=6, color=theme.INK).encode(x="count:Q", text="note:N")
    return alt.layer(bars, numbers).properties(
        width=WIDTH, height=alt.Step(30), datasets={"rows": rows}, title=alt.TitleParams(title, subtitle=list(notes))
    )

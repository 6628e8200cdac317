"""The axis of calendar time under pictures of one subject's time, with the days from day 0; knows no data."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

DAY = 86_400_000


def time_axis(title: str, midnight: str | None) -> "alt.Axis":
    """Return the axis; `midnight` is an expression for the beginning of day 0 in milliseconds, None without one (it may
    also be an expression that is null).

    At midnights it says the date and, below it, the day; between them the time of day.
    """
    import altair as alt

    at_midnight = "utchours(datum.value) + utcminutes(datum.value) + utcseconds(datum.value) == 0"
    date = "utcFormat(datum.value, '%Y-%m-%d')"
    if midnight is not None:
        days = f"[{date}, 'day ' + format((datum.value - {midnight}) / {DAY}, 'd')]"
        date = f"(isValid({midnight}) ? {days} : {date})"
    label = f"{at_midnight} ? {date} : utcFormat(datum.value, '%H:%M')"
    return alt.Axis(title=title, grid=True, labelExpr=label, tickCount=8, labelOverlap=True, labelFlush=False)

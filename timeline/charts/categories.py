"""The categories by which marks are coloured, told apart by dash and shape as well; know no data but their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline.charts import theme
from timeline.charts.declared import Category
from timeline.charts.declared.base import Colour

if TYPE_CHECKING:
    import altair as alt

DASHES: tuple[list[float], ...] = ([1, 0], [6, 3], [1.5, 2.5], [9, 3, 2, 3], [3, 3], [12, 4])
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
UNKNOWN = "not known"
FOR_UNKNOWN: tuple[Colour, ...] = ("gray", "sky", "yellow")
"""Its colour is the first of these that no declared category has."""


@dataclass(frozen=True)
class Categories:
    """Those that occur, by title, in the order of the legend; what is not declared, or missing, comes last."""

    titles: tuple[str, ...]
    colours: tuple[str, ...]
    fills: tuple[str, ...]
    dashes: tuple[list[float], ...]
    shapes: tuple[str, ...]

    def colour(self, legend: "alt.Legend | None") -> "alt.Color":
        import altair as alt

        return alt.Color("group:N", scale=self._scale(self.colours), legend=legend)

    def fill(self, legend: "alt.Legend | None") -> "alt.Fill":
        import altair as alt

        return alt.Fill("group:N", scale=self._scale(self.fills), legend=legend)

    def stroke(self, legend: "alt.Legend | None") -> "alt.Stroke":
        import altair as alt

        return alt.Stroke("group:N", scale=self._scale(self.colours), legend=legend)

    def dash(self, legend: "alt.Legend | None") -> "alt.StrokeDash":
        import altair as alt

        return alt.StrokeDash("group:N", scale=self._scale(self.dashes), legend=legend)

    def shape(self, legend: "alt.Legend | None") -> "alt.Shape":
        import altair as alt

        return alt.Shape("group:N", scale=self._scale(self.shapes), legend=legend)

    def _scale(self, range: Iterable[Any]) -> "alt.Scale":
        import altair as alt

        return alt.Scale(domain=list(self.titles), range=list(range))


def categories(declared: Mapping[str, Category], drawn: Iterable[str]) -> Categories:
    """Return the declared categories, and one for what is not known where one of the titles drawn is that."""
    known = list(declared.values())
    if UNKNOWN in drawn:
        taken = {category.colour for category in known}
        free: Sequence[Colour] = [colour for colour in FOR_UNKNOWN if colour not in taken] or FOR_UNKNOWN
        known.append(Category(title=UNKNOWN, colour=free[0], pale=True))
    colours = [theme.CATEGORY[category.colour] for category in known]
    turns = [i % len(DASHES) for i in range(len(known))]
    return Categories(
        tuple(category.title for category in known),
        tuple(colours),
        tuple(theme.pale(own) if category.pale else own for own, category in zip(colours, known, strict=True)),
        tuple(DASHES[i] for i in turns),
        tuple(SHAPES[i] for i in turns),
    )


def title_of(declared: Mapping[str, Category], value: Any) -> str:
    """Return what the legend calls `value`."""
    found = declared.get(str(value)) if value is not None else None
    return UNKNOWN if found is None else found.title

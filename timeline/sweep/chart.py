"""The chart of a sweep: which numbers become panels, and what title and subtitle say; draws nothing itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from timeline.charts import sweep as drawn
from timeline.errors import UsageError
from timeline.sweep import PATIENT, Measured, Sweep
from timeline.sweep.grid import Axis
from timeline.sweep.measure import UNNAMED

if TYPE_CHECKING:
    import altair

MOST_PANELS = 12
"""More panels than that are a table to read, not a chart."""


def chart(found: Sweep) -> "altair.TopLevelMixin":
    """Return the chart of every measure, one below the other; raise UsageError where one has nothing to draw."""
    swept = [axis for axis in found.axes if len(axis.values) > 1]
    if len(found.variants) == 1 and not swept:
        swept = list(found.axes[:1])
    short = [axis.param.partition(".")[2] for axis in swept]
    titles = [axis.param if short.count(name) > 1 else name for axis, name in zip(swept, short, strict=True)]
    axes = [drawn.Axis(axis.param, axis.values, title) for axis, title in zip(swept, titles, strict=True)]
    if len(found.variants) > 1:
        axes.insert(0, drawn.Axis("variant", found.variants, "variant"))
    groups = [drawn.Group(m.title or m.name, m.frame, _panels(m)) for m in found.measured]
    return drawn.draw(axes, groups, _title(found, groups[0]), _subtitle(found, groups))


def _title(found: Sweep, first: drawn.Group) -> str:
    """The one measure's name, or what it returns where it has none."""
    only, *others = found.measured
    if others:
        return "Sensitivity to the definitions"
    columns = " and ".join(dict.fromkeys(panel.column for panel in first.panels))
    unnamed = "patients" if only.of == "patients" else columns
    words = (first.title if only.name != UNNAMED else unnamed).replace("_", " ")
    return f"{words[0].upper()}{words[1:]}, by definition"


def _panels(measured: Measured) -> tuple[drawn.Panel, ...]:
    """A panel for patients and one for their overlap; or one for each number of each kind of row."""
    frame = measured.frame
    if measured.of == "patients":
        return (
            drawn.Panel("Patients selected", "patients", {}),
            drawn.Panel("Jaccard overlap with the reference", "jaccard", {}, 1.0),
        )
    import polars

    own = frame.columns[frame.columns.index("reference") + 1 :]
    numbers = [name for name in own if frame[name].dtype.is_numeric()]
    others = [name for name in own if name not in numbers]
    if not numbers:
        raise UsageError(f"{measured.name}: a chart needs a column of numbers, or {PATIENT} for a selection")
    # A point without an answer has a row of NULLs, which is no kind; a kind may be unknown, and is shown.
    answered = frame.filter(polars.any_horizontal(polars.col(name).is_not_null() for name in numbers))
    kinds = answered.select(others).unique(maintain_order=True).rows(named=True) if others else [{}]
    panels = [drawn.Panel(_kind(kind, name, len(numbers)), name, kind) for name in numbers for kind in kinds]
    if len(panels) > MOST_PANELS:
        raise UsageError(
            f"{measured.name}: {len(panels)} panels are more than a chart can show; "
            f"let it return at most {MOST_PANELS} numbers a point, or leave --chart out"
        )
    return tuple(panels)


def _kind(kind: dict[str, Any], number: str, numbers: int) -> str:
    words = ", ".join("unknown" if value is None else str(value) for value in kind.values())
    return f"{words}: {number}" if words and numbers > 1 else words or number


def _subtitle(found: Sweep, groups: Sequence[drawn.Group]) -> list[str]:
    """What is shown of whom, what each axis means, and which cell is the usual one."""
    lines = [f"Study `{found.study}`, n = {found.patients:,} patients; rule set {found.ruleset}."]
    lines += [_meaning(axis) for axis in found.axes]
    selected = [f"{m.reference:,}" for m in found.measured if m.reference is not None]
    usual = ["without a variant"] if len(found.variants) > 1 else []
    usual += [f"{axis.param} {axis.default}" for axis in found.axes]
    usual += [f"n = {selected[0]}"] if len(selected) == 1 else []
    on_grid = all(axis.default in axis.values for axis in found.axes)
    lines.append(f"{'In orange, the' if on_grid else 'The'} reference: {', '.join(usual)}.")
    if selected:
        lines.append("Jaccard overlap: patients whom both select, of those whom either selects.")
    if any(_gaps(group, panel, found.points) for group in groups for panel in group.panels):
        lines.append("–: no such row, or no number in it.")
    return [*lines, *([found.remark] if found.remark else [])]


def _gaps(group: drawn.Group, panel: drawn.Panel, points: int) -> bool:
    rows = [row for row in group.frame.rows(named=True) if drawn.is_of(row, panel)]
    return len(rows) < points or any(row[panel.column] is None for row in rows)


def _meaning(axis: Axis) -> str:
    throughout = f", {axis.values[0]} throughout" if len(axis.values) == 1 else ""
    return f"{axis.param}: {axis.meaning or 'a parameter'}{throughout}."

"""A sensitivity analysis: measures at every point of a grid of definitions, beside the definitions as they are.

Knows grids and measures; must not know what a measure counts. Nothing is written.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from timeline import compiler, overlay, query
from timeline.errors import UsageError
from timeline.header import Query
from timeline.rules import RuleSet
from timeline.sweep.grid import PLAIN, Axis, Grid, Point, grid
from timeline.sweep.measure import Measure, unreadable
from timeline.sweep.measure import measures as read_measures

if TYPE_CHECKING:
    import polars

PATIENT = "patient_id"
"""A measure with this column selects patients."""
COMPARED = ("patients", "jaccard", "gained", "lost")
"""Of a selection: distinct patients; those shared with the reference's over those of either; how many are new, gone."""


@dataclass(frozen=True)
class Measured:
    """A measure at every point: patients selected and how they overlap with the reference's, or its own rows."""

    name: str
    title: str
    of: Literal["patients", "rows"]
    frame: "polars.DataFrame"
    """The grid's columns (`variant`, one a parameter), `reference`, then what was measured."""
    reference: int | None
    """Patients that the definitions as they are select."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep found, at how many points, and how much of it had to be derived."""

    study: str
    ruleset: str
    variants: tuple[str, ...]
    axes: tuple[Axis, ...]
    measured: tuple[Measured, ...]
    points: int
    patients: int
    """In the study."""
    derived: int
    reused: int
    notes: tuple[str, ...]
    remark: str
    """That the study is synthetic, or older than its events."""
    seconds: float

    @property
    def frame(self) -> "polars.DataFrame":
        """The one measure's frame; of several, all under each other with the column `measure` first."""
        import polars

        if len(self.measured) == 1:
            return self.measured[0].frame
        named = [m.frame.select(polars.lit(m.name).alias("measure"), polars.all()) for m in self.measured]
        return polars.concat(named, how="diagonal_relaxed")


def asked(
    ruleset: RuleSet,
    base: Mapping[str, str],
    params: Mapping[str, Sequence[str]],
    variants: Sequence[Path],
    measures: Sequence[str],
    queries: Mapping[str, Query],
) -> tuple[Grid, tuple[Measure, ...]]:
    """Return the grid and the measures that a call asks for; raise UsageError with all that is wrong with it."""
    wrong = [] if measures else ["name what to look at: --measure with one SELECT, or the name of a query"]
    if not params and not variants:
        wrong.append("nothing varies: add --set RULE.PARAM=V1,V2 or --variant DIR")
    made, found = None, ()
    try:
        made = grid(ruleset, base, params, variants)
    except UsageError as error:
        wrong.append(str(error))
    try:
        found = read_measures(measures, queries)
    except UsageError as error:
        wrong.append(str(error))
    for variant, rules in (made.variants if made else {PLAIN: ruleset}).items():
        of = "" if variant == PLAIN else f"variant {variant}, "
        wrong += [f"{of}{m.label}: {text}" for m in found for text in unreadable(m, rules)]
    if wrong or made is None:
        raise UsageError("\n".join(wrong))
    return made, found


def sweep(
    con: duckdb.DuckDBPyConnection,
    over: Grid,
    measures: Sequence[Measure],
    progress: Callable[[str], None] | None = None,
) -> Sweep:
    """Return each measure at every point of `over`; patients are compared with those of the grid's reference.

    Raises UsageError where a measure cannot be answered, `Findings` for mistakes in the rules that it reads.
    """
    clock = time.perf_counter()
    points = tuple(dict.fromkeys([*over.points, over.reference]))
    plans = _plans(over, points, measures)
    tables = overlay.derive(con, list(plans.values()), progress)
    answers: dict[Point, list[polars.DataFrame]] = {}
    for point in points:
        overlay.show(con, plans[point], tables)
        answers[point] = [query.frame_of(con, m.sql, dict(m.values), m.label) for m in measures]
    measured = [_measured(m, {point: answers[point][i] for point in points}, over) for i, m in enumerate(measures)]
    return Sweep(
        study=con.execute("SELECT current_database()").fetchall()[0][0],
        ruleset=over.variants[PLAIN].name,
        variants=tuple(over.variants),
        axes=over.axes,
        measured=tuple(measured),
        points=len(over.points),
        patients=con.execute("SELECT count(*) FROM patient").fetchall()[0][0],
        derived=tables.derived,
        reused=tables.reused,
        notes=(*over.notes, *_broken(over, plans, tables), *_idle(over, measures, plans)),
        remark=query.remark(con),
        seconds=time.perf_counter() - clock,
    )


def _plans(over: Grid, points: Sequence[Point], measures: Sequence[Measure]) -> dict[Point, overlay.Plan]:
    """The definitions at each point, compiled as far as the measures read them, and once where they are the same."""
    reads = frozenset[str]().union(*(measure.reads for measure in measures))
    made: dict[tuple[str, tuple[tuple[str, str], ...]], overlay.Plan] = {}
    plans = {}
    for point in points:
        ruleset, params = over.variants[point.variant], over.params(point)
        needed = compiler.needed(ruleset, reads).rules
        own = tuple(sorted((key, text) for key, text in params.items() if key.partition(".")[0] in needed))
        if (point.variant, own) not in made:
            made[point.variant, own] = overlay.plan(ruleset, dict(own), reads, next(iter(made.values()), None))
        plans[point] = made[point.variant, own]
    return plans


def _measured(measure: Measure, answers: Mapping[Point, "polars.DataFrame"], over: Grid) -> Measured:
    """Every point's answer as rows of one frame, with the columns of the grid before them."""
    import polars

    usual = _selected(answers[over.reference]) if PATIENT in answers[over.reference].columns else None
    parts = []
    for point in over.points:
        place = {"variant": point.variant} if len(over.variants) > 1 else {}
        place |= {**over.values(point), "reference": point == over.reference}
        found = answers[point]
        taken = sorted(set(place) & set(found.columns))
        if taken:
            raise UsageError(f"{measure.label}: {', '.join(taken)} is a column of the grid; choose another name")
        if usual is not None:
            found = polars.DataFrame([_compared(_selected(found), usual)], schema_overrides={"jaccard": polars.Float64})
        elif found.is_empty():
            found = found.clear(n=1)  # a point without an answer is a finding, too: it keeps its row
        parts.append(found.select(*(polars.lit(value).alias(name) for name, value in place.items()), polars.all()))
    frame = polars.concat(parts, how="diagonal_relaxed")
    if usual is None:
        return Measured(measure.name, measure.title, "rows", frame, None)
    return Measured(measure.name, measure.title, "patients", frame, len(usual))


def _selected(frame: "polars.DataFrame") -> frozenset[str]:
    return frozenset(str(patient) for patient in frame[PATIENT].drop_nulls().to_list())


def _compared(found: frozenset[str], usual: frozenset[str]) -> dict[str, int | float | None]:
    """How many are selected, and how they overlap with the usual; of two empty selections nothing can be said."""
    either = len(found | usual)
    jaccard = len(found & usual) / either if either else None
    return dict(zip(COMPARED, (len(found), jaccard, len(found - usual), len(usual - found)), strict=True))


def _broken(over: Grid, plans: Mapping[Point, overlay.Plan], tables: overlay.Tables) -> Iterator[str]:
    """What rows break of the promises of their rules, and at which points."""
    at: dict[str, list[Point]] = {}
    for point in over.points:
        for text in overlay.broken(plans[point], tables):
            at.setdefault(text, []).append(point)
    for text, points in at.items():
        values = over.values(points[0]).items()
        first = ", ".join([points[0].variant, *(f"{param}={value}" for param, value in values)])
        yield f"{text}, at {first}" + (f" and {len(points) - 1} more of the points" if len(points) > 1 else "")


def _idle(over: Grid, measures: Sequence[Measure], plans: Mapping[Point, overlay.Plan]) -> Iterator[str]:
    """Which measure does not depend on what varies, since it reads nothing that does."""
    values = over.points[0].values
    usual = plans[Point(PLAIN, values)]
    for measure in measures:
        needed = {
            variant: set(compiler.needed(ruleset, measure.reads).rules) for variant, ruleset in over.variants.items()
        }
        for axis in over.axes:
            if not any(axis.param.partition(".")[0] in names for names in needed.values()):
                yield f"{measure.label} does not depend on {axis.param}: it reads no table that does"
        for variant in [name for name in over.variants if name != PLAIN]:
            here = plans[Point(variant, values)]
            names = needed[variant] | needed[PLAIN]
            if all(here.hashes.get(name) == usual.hashes.get(name) for name in names):
                yield f"{measure.label} does not depend on the variant {variant}: it reads no table that does"

"""What a survival chart shows and where: rows in, curves of `stats` as records out; draws nothing.

Every number comes from `timeline.stats`; here are only its places and words.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline import stats
from timeline.charts.declared import Survival
from timeline.errors import TimelineError
from timeline.stats import Answer, number

if TYPE_CHECKING:
    import polars

Record = dict[str, Any]
MOST_STRATA = 6
MOST_TICKS = 12
LETTERS = 136
"""Letters in a line of the notes."""
RULES = {
    "averaging": "where the curve is flat at 50 %, the middle of its ends",
    "first_crossing": "the first time at which the curve is at 50 % or below",
}
LEVEL = "95 %"


@dataclass(frozen=True)
class Stratum:
    """One curve and its name, which is empty where there is only one."""

    name: str
    found: stats.Survival


@dataclass(frozen=True)
class Arranged:
    """Everything to draw, as lists of records; shares of survival in percent."""

    strata: tuple[Stratum, ...]
    ticks: tuple[float, ...]
    line: list[Record]
    band: list[Record]
    censored: list[Record]
    steps: list[Record]
    table: list[Record]
    marks: list[Record]
    notes: tuple[str, ...]

    @property
    def limit(self) -> float:
        return self.ticks[-1]


def arrange(frame: "polars.DataFrame", declared: Survival, answers: Sequence[Answer]) -> Arranged:
    """Return the curves, the table under them and the notes; what cannot be computed is said in the notes."""
    try:
        strata, notes = _strata(frame, declared, answers)
    except TimelineError as error:
        strata, notes = (), (f"Not drawn: {error}.",)
    last = max((stratum.found.curve.steps[-1].time for stratum in strata), default=0.0)
    ticks = _ticks(last, declared)
    limit = ticks[-1]
    if last > limit:
        notes = (*notes, f"Drawn to {number(limit)} {declared.unit}; the last time is {number(last)} {declared.unit}.")
    return Arranged(
        strata=strata,
        ticks=ticks,
        line=[point for stratum in strata for point in _line(stratum, limit)],
        band=[point for stratum in strata for point in _band(stratum, limit)],
        censored=[
            {"name": stratum.name, "x": step.time, "y": 100 * step.survival}
            for stratum in strata
            for step in stratum.found.curve.steps
            if step.censored and step.time <= limit
        ],
        steps=[step for stratum in strata for step in _steps(stratum, limit, declared.unit)],
        table=[cell for i, stratum in enumerate(strata) for cell in _table(stratum, ticks, i)],
        marks=_marks(strata[0], limit) if len(strata) == 1 else [],
        notes=notes,
    )


def landmarks(arranged: Arranged) -> list[float]:
    """Return the times that the query's statistic asks for, those on the axis."""
    found = arranged.strata[0].found.landmarks if arranged.strata else ()
    return [time for time, _ in found if time <= arranged.limit]


def _strata(
    frame: "polars.DataFrame", declared: Survival, answers: Sequence[Answer]
) -> tuple[tuple[Stratum, ...], tuple[str, ...]]:
    """The curves, largest first, and the notes: what each found, and what is not drawn."""
    asked = next((answer.values for answer in answers if answer.name == declared.answer), {})
    names = ["" for _ in range(frame.height)] if declared.by is None else frame[declared.by].to_list()
    rows: dict[str, list[tuple[Any, ...]]] = {}
    why = [None] * frame.height if declared.missing is None else frame[declared.missing].to_list()
    for name, *row in zip(names, frame[declared.time].to_list(), frame[declared.event].to_list(), why, strict=True):
        rows.setdefault("unknown" if name is None else str(name), []).append(tuple(row))
    every = [
        Stratum(
            name,
            stats.survival(
                *[[row[place] for row in its] for place in (0, 1)],
                reasons=[row[2] for row in its],
                landmarks=asked.get("landmarks", ()),
                rule=asked.get("rule", "averaging"),
                unit=declared.unit,
            ),
        )
        for name, its in rows.items()
    ]
    every.sort(key=lambda stratum: (-stratum.found.curve.n, stratum.name))
    known = [stratum for stratum in every if stratum.found.curve.n]
    notes = [note for stratum in known[:MOST_STRATA] for note in _notes(stratum)]
    notes += [
        f"{stratum.name or 'Nothing to draw'}: {stratum.found}." for stratum in every if not stratum.found.curve.n
    ]
    if not every:
        notes.append("Nothing to draw: no rows.")
    if len(known) > MOST_STRATA:
        left = sum(stratum.found.curve.n for stratum in known[MOST_STRATA:])
        notes.append(f"The {MOST_STRATA} largest of {len(known)} groups; the others have n = {left:,} together.")
    return tuple(known[:MOST_STRATA]), tuple(notes)


def _notes(stratum: Stratum) -> list[str]:
    """One line for a curve among several, three for one alone."""
    found = stratum.found
    if stratum.name:
        words = f"{stratum.name}: {found}".replace(" = ", "\u00a0=\u00a0").replace(" %", "\u00a0%")
        return textwrap.wrap(words, LETTERS, subsequent_indent="\u2003")
    curve = found.curve
    counts, _, missing = str(found).rpartition("n = ")[2].partition("; ")
    lines = [f"n = {counts}, censored = {curve.n - curve.events}; {missing}"]
    if found.median is None:
        lines.append("Median not reached")
    else:
        lines.append(f"Median {number(found.median)} {found.unit} ({RULES[found.rule]})")
    if found.follow_up is not None:
        lines[-1] += f"; median follow-up {number(found.follow_up)} {found.unit} (reverse Kaplan-Meier)"
    told = [
        f"{mark} {found.unit}" if mark else f"not observed to {number(time)} {found.unit}"
        for time, mark in found.landmarks
    ]
    return [*lines, "; ".join(told)] if told else lines


def _ticks(last: float, declared: Survival) -> tuple[float, ...]:
    """Ticks from 0 to the limit, as many as have room: every second or third of `every` where it is too fine."""
    limit = declared.limit if declared.limit is not None else last
    step = declared.every
    if step is None:
        rough = (limit or 8) / 8
        power = 10 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step *= max(1, math.ceil(limit / step / MOST_TICKS))
    if declared.limit is None:
        count = max(1, math.ceil(last / step - 1e-9))
        return tuple(i * step for i in range(count + 1))
    inside = [i * step for i in range(math.floor(limit / step + 1e-9) + 1)]
    return tuple(inside) if math.isclose(inside[-1], limit) else (*inside, limit)


def _line(stratum: Stratum, limit: float) -> list[Record]:
    """The corners of the curve: 1 at time 0, each fall, and the last time seen."""
    steps = stratum.found.curve.steps
    corners = [(0.0, 1.0)] + [(step.time, step.survival) for step in steps if step.events and step.time <= limit]
    end = min(steps[-1].time, limit)
    if end > corners[-1][0]:
        corners.append((end, corners[-1][1]))
    return [{"name": stratum.name, "x": x, "y": 100 * y} for x, y in corners]


def _band(stratum: Stratum, limit: float) -> list[Record]:
    """The interval after each fall, until survival is 0, where there is none, or to the last time seen."""
    steps = stratum.found.curve.steps
    points = [
        {"name": stratum.name, "x": step.time, "low": 100 * step.low, "high": 100 * step.high}
        for step in steps
        if step.events and step.low is not None and step.high is not None and step.time <= limit
    ]
    if points:
        gone = [step.time for step in steps if step.survival == 0]
        points.append({**points[-1], "x": min([*gone, steps[-1].time, limit])})
    return points


def _steps(stratum: Stratum, limit: float, unit: str) -> list[Record]:
    """What the pointer reads at each time at which somebody had the event or was censored."""
    return [
        {
            "name": stratum.name,
            "x": step.time,
            "y": 100 * step.survival,
            "when": f"{number(step.time)} {unit}",
            "survival": f"{100 * step.survival:.1f} %"
            + (f" ({LEVEL} CI {100 * step.low:.1f} to {100 * (step.high or 0):.1f})" if step.low is not None else ""),
            "counts": f"{step.at_risk} at risk, {step.events} events, {step.censored} censored",
        }
        for step in stratum.found.curve.steps
        if step.time <= limit
    ]


def _table(stratum: Stratum, ticks: tuple[float, ...], row: int) -> list[Record]:
    """At each tick: who is at risk just before it, and how many had the event up to it."""
    curve = stratum.found.curve
    cells = []
    for time, count in zip(ticks, stats.at_risk(curve, ticks).counts, strict=True):
        events = sum(step.events for step in curve.steps if step.time <= time)
        cells.append({"name": stratum.name, "x": time, "row": row, "risk": f"{count:,}", "events": f"{events:,}"})
    return cells


def _marks(stratum: Stratum, limit: float) -> list[Record]:
    """Median and landmarks of a curve that stands alone: a point on the curve, and the words beside it."""
    found = stratum.found
    marks = [
        {"kind": "landmark", "x": time, "y": 100 * mark.survival, "text": f"{100 * mark.survival:.1f} %"}
        for time, mark in found.landmarks
        if mark is not None and time <= limit
    ]
    if found.median is not None and found.median <= limit:
        marks.append({"kind": "median", "x": found.median, "y": 50.0, "text": f"median {number(found.median)}"})
    return marks

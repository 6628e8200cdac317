"""A specified patient -> rows: events as written, courses and series observed; knows no medicine and no files.

Rows are columns of numbers and words in the specification's own units; `render` turns them into what a source system
would have written. Chance is seeded by patient and series, so that nothing moves when something else is added.
"""

import zlib
from collections.abc import Iterator

import numpy as np
import polars as pl

from timeline.synth.specification import DAY, Event, Local, Patient, Scale, Series, Specification

SCHEMA = {
    "patient": pl.String,
    "at": pl.Int64,
    "until": pl.Int64,
    "date_only": pl.Boolean,
    "code": pl.String,
    "number": pl.Float64,
    "word": pl.String,
    "unit": pl.String,
    "text": pl.String,
    "route": pl.String,
    "factor": pl.Float64,
    "offset": pl.Float64,
    "digits": pl.Int64,
    "below": pl.Float64,
    "above": pl.Float64,
    "series": pl.String,
}
"""`at`, `until`: minutes since midnight of day 0; `number` or `word`: the value; the rest says how it is written."""
Row = dict[str, str | int | float | bool | None]


def expand(spec: Specification, patient: Patient, seed: int) -> pl.DataFrame:
    """Return one patient's rows (columns of `SCHEMA`), by time."""
    rows = [*_written(spec, patient), *_courses(spec, patient), *_series(spec, patient, seed)]
    if patient.stay is not None:
        rows.append(_row(spec, patient, patient.stay.code, patient.stay.start, until=patient.stay.end))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort(
        "at", "code", "text", nulls_last=False, maintain_order=True
    )


def _row(
    spec: Specification, patient: Patient, name: str, at: int | None, **known: str | int | float | bool | None
) -> Row:
    local = spec.systems.get(patient.system, {}).get(name, Local())
    base: Row = dict.fromkeys(SCHEMA)
    base |= {"patient": patient.id, "at": at, "date_only": False, "code": local.code or name}
    base |= {"factor": local.factor, "offset": local.offset, "digits": local.digits}
    row = base | known
    row["unit"] = local.unit or row["unit"]
    return row


def _event(spec: Specification, patient: Patient, event: Event, at: int | None, end: int | None, only: bool) -> Row:
    """A written event; where it names its unit it is written as it stands, else in the unit of the patient's system."""
    known: Row = {"until": end, "date_only": only, "text": event.text or None, "route": event.route or None}
    number = _number(event.value)
    if number is None or event.unit:
        row = _row(spec, patient, event.code, at, **known)
        return row | {"word": event.value or None, "unit": event.unit or None}
    row = _row(spec, patient, event.code, at, number=number, **known)
    converted = row["digits"] is not None
    return row if converted else row | {"number": None, "word": event.value}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _written(spec: Specification, patient: Patient) -> Iterator[Row]:
    tables = [spec.shared[name] for name in patient.use] + [patient.events]
    for event in (event for events in tables for event in events):
        for at, end, only in event.when:
            yield _event(spec, patient, event, at, end, only)


def _courses(spec: Specification, patient: Patient) -> Iterator[Row]:
    for name, steps in patient.courses.items():
        for at, level in _observed(spec.scales[name], patient, steps):
            for event in spec.scales[name].levels[level]:
                yield _event(spec, patient, event, at, None, False)


def _observed(scale: Scale, patient: Patient, steps: tuple[tuple[int, str], ...]) -> list[tuple[int, str]]:
    """When a course is looked at, and its level then: at every step, and at the scale's times during the stay."""
    known = dict(steps)
    stay = patient.stay
    if stay is not None:
        days = range(steps[0][0] // DAY, stay.end // DAY + 1)
        for at in (day * DAY + clock for day in days for clock in scale.at):
            if max(steps[0][0], stay.start) <= at <= stay.end and at not in known:
                known[at] = next(level for start, level in reversed(steps) if start <= at)
    return [(at, level) for at, level in sorted(known.items()) if level != "end"]


def _series(spec: Specification, patient: Patient, seed: int) -> Iterator[Row]:
    for name, series in spec.series.items():
        points = [point for point in patient.points if point[0] == name]
        points = points or (list(series.points) if patient.stay else [])
        if not points:
            continue
        chance = np.random.default_rng([seed, zlib.crc32(patient.id.encode()), zlib.crc32(name.encode())])
        clock = series.at[0] if series.at else 0
        exact = {at if timed else at + clock: text for _, at, timed, text in points}
        for at, value in _measured(series, patient, exact, chance):
            yield from _readings(spec, patient, name, series, at, value, exact.get(at), chance)


def _measured(
    series: Series, patient: Patient, exact: dict[int, str], chance: np.random.Generator
) -> list[tuple[int, float | None]]:
    """Times of measurement with the value: the points, and during the stay the line between them with noise."""
    numbers = {at: number for at, text in sorted(exact.items()) if (number := _number(text)) is not None}
    found: dict[int, float | None] = {at: numbers.get(at) for at in exact}
    stay = patient.stay
    if stay is not None and series.at and numbers:
        days = range(stay.start // DAY, stay.end // DAY + 1, series.every)
        times = [day * DAY + clock for day in days for clock in series.at]
        times = [at for at in times if stay.start <= at <= stay.end and at not in found]
        line = np.interp(times, list(numbers), list(numbers.values()))
        noise = chance.uniform(*series.noise, size=len(times)) * (line if series.relative else 1)
        found |= dict(zip(times, (line + noise).tolist(), strict=True))
    return sorted(found.items())


def _readings(
    spec: Specification,
    patient: Patient,
    name: str,
    series: Series,
    at: int,
    value: float | None,
    written: str | None,
    chance: np.random.Generator,
) -> Iterator[Row]:
    """The rows of one measurement: one, or one a replicate, which lie evenly about the value."""
    texts = series.replicates or (None,)
    spread = round((value or 0) * series.spread * float(chance.uniform(0.2, 1)), series.digits) if value else 0.0
    offsets = np.linspace(-spread, spread, len(texts)) if len(texts) > 1 else np.zeros(1)
    for text, offset in zip(texts, offsets, strict=True):
        row = _row(spec, patient, name, at, text=text, series=name, below=series.below, above=series.above)
        row["unit"] = row["unit"] or series.unit or None
        if row["digits"] is None:
            row["digits"] = series.digits
        row |= {"number": None, "word": written} if value is None else {"number": value + float(offset)}
        yield row


def render(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a column `value`: what a source system writes, in its own unit, bounds as bounds."""
    number, below, above = pl.col("number"), pl.col("below"), pl.col("above")
    return rows.with_columns(
        pl.when(number < below)
        .then(pl.lit("<") + _text(_local(below), 4))
        .when(number > above)
        .then(pl.lit(">") + _text(_local(above), 4))
        .when(number.is_not_null())
        .then(_rounded(_local(number)))
        .otherwise(pl.col("word"))
        .alias("value")
    )


def _local(expression: pl.Expr) -> pl.Expr:
    return expression * pl.col("factor") + pl.col("offset")


def _text(expression: pl.Expr, digits: int) -> pl.Expr:
    return expression.round(digits).cast(pl.String).str.replace(r"\.0$", "")


def _rounded(expression: pl.Expr) -> pl.Expr:
    chosen = pl.when(pl.col("digits") == 0).then(_text(expression, 0))
    for count in range(1, 4):
        chosen = chosen.when(pl.col("digits") == count).then(_text(expression, count))
    return chosen.otherwise(_text(expression, 4))

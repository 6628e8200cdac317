"""Cohorts of any size: the specified patients drawn again and again, each with another start, pace and level.

Everything here is columns of many patients at once. Knows no medicine and no files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from timeline.errors import UsageError
from timeline.synth.specification import DAY, Sampling, Specification

CHUNK = 2_000
"""Patients made at a time: bounds the memory."""


@dataclass(frozen=True)
class Cohort:
    """Rows of `expand.SCHEMA`, and the patients they are of."""

    rows: pl.DataFrame
    patients: pl.DataFrame
    """patient, zero (date of day 0), sex, birth_date, registered."""


def patients_frame(spec: Specification) -> pl.DataFrame:
    """The specified patients: patient, zero, sex, birth_date, registered."""
    columns = {"patient": pl.String, "zero": pl.Date, "sex": pl.String, "birth_date": pl.Date, "registered": pl.Boolean}
    rows = [(p.id, p.zero or spec.cutoff, p.sex or None, p.birth_date, p.registered) for p in spec.patients]
    return pl.DataFrame(rows, schema=columns, orient="row")


def sample(spec: Specification, rows: pl.DataFrame, patients: int, seed: int) -> Iterator[Cohort]:
    """Yield `patients` new patients in chunks: specified ones with day 0, delays, ages and levels of their own."""
    if spec.sampling is None:
        raise UsageError(
            f"the specification {spec.name} says nothing under `sampling`; leave the number of patients out"
        )
    templates = patients_frame(spec).with_row_index("template")
    sources = rows.join(templates.select("template", "patient"), on="patient").drop("patient")
    names = sorted(spec.series)
    for start in range(0, patients, CHUNK):
        count = min(CHUNK, patients - start)
        chance = np.random.default_rng([seed, start])
        drawn = _draw(spec.sampling, templates, start, count, chance)
        levels = _levels(spec, names, drawn["patient"], chance)
        yield Cohort(_rows(sources, drawn, levels), drawn.drop("template", "delay"))


def _draw(
    sampling: Sampling, templates: pl.DataFrame, start: int, count: int, chance: np.random.Generator
) -> pl.DataFrame:
    first, last = (day.toordinal() for day in sampling.zero)
    chosen = pl.DataFrame(
        {
            "patient": [sampling.id.format(number) for number in range(start + 1, start + count + 1)],
            "template": pl.Series(chance.integers(0, templates.height, count), dtype=pl.UInt32),
            "shift": chance.integers(first, last + 1, count) - date(1970, 1, 1).toordinal(),
            "delay": chance.integers(0, sampling.delay + 1, count),
            "older": chance.integers(-365 * sampling.age, 365 * sampling.age + 1, count),
        }
    )
    zero = pl.col("shift").cast(pl.Int32).cast(pl.Date)
    aged = pl.col("birth_date") + pl.duration(days=(zero - pl.col("zero")).dt.total_days() - pl.col("older"))
    joined = chosen.join(templates.drop("patient"), on="template", maintain_order="left")
    return joined.with_columns(aged.alias("birth_date")).with_columns(zero.alias("zero")).drop("shift", "older")


def _levels(spec: Specification, names: list[str], ids: pl.Series, chance: np.random.Generator) -> pl.DataFrame:
    """How each new patient differs from its template in each series: a factor and a difference."""
    drawn = chance.standard_normal((len(names), len(ids)))
    parts = []
    for name, row in zip(names, drawn, strict=True):
        series = spec.series[name]
        scaled = row * series.vary
        times, plus = (np.exp(scaled), 0 * row) if series.relative else (1 + 0 * row, scaled)
        parts.append(pl.DataFrame({"patient": ids, "series": [name] * len(ids), "times": times, "plus": plus}))
    return pl.concat(parts)


def _rows(sources: pl.DataFrame, drawn: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    moved = pl.col("delay") * DAY

    def late(name: str) -> pl.Expr:
        return pl.when(pl.col(name) >= DAY).then(pl.col(name) + moved).otherwise(pl.col(name)).alias(name)

    rows = drawn.select("patient", "template", "delay").join(sources, on="template", maintain_order="left_right")
    rows = rows.join(levels, on=["patient", "series"], how="left", maintain_order="left")
    level = pl.col("number") * pl.col("times").fill_null(1) + pl.col("plus").fill_null(0)
    return rows.with_columns(late("at"), late("until"), level.alias("number")).drop(
        "template", "delay", "times", "plus"
    )

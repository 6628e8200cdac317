"""Synthetic extracts of any size from a cohort specification, which is data; knows no medicine.

A specification (`data/cohorts/*.yaml`) says of each patient what happened when; from it come the raw events that a
hospital's systems would have written: local codes, mixed units, duplicates and rows that nobody can use.
Everything written says that it is synthetic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from timeline.synth.sample import Cohort
    from timeline.synth.specification import Specification

COLUMNS = ("patient_id", "time", "end_time", "code", "value", "unit", "text", "route")
_CLOCK = "%Y-%m-%d %H:%M"
MARK = "extract.yaml"
"""The file in an extract that says of what it is; `synthetic: true` makes the study say so everywhere."""


@dataclass(frozen=True)
class SynthReport:
    """What was written: the folder, how many patients and how many rows of events (with duplicates and raw rows)."""

    folder: Path
    specification: str
    patients: int
    rows: int
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.folder}: {self.rows:,} rows of {self.patients:,} synthetic patients "
            f"({self.specification}, seed {self.seed}); no real patient is among them"
        )


def synthesize(spec: Path, out: Path, *, patients: int | None = None, seed: int = 0) -> SynthReport:
    """Write a synthetic extract into the folder `out` and return what it holds: the specified patients, or `patients`.

    The same specification, number and seed give the same bytes. Raises Findings for a mistake in the specification,
    UsageError where `patients` is below 1 or `out` already holds something else.
    """
    from timeline.synth import expand
    from timeline.synth.sample import Cohort, patients_frame, sample
    from timeline.synth.specification import read

    if patients is not None and patients < 1:
        raise UsageError(f"{patients} patients cannot be made; ask for 1 or more")
    specification = read(Path(spec))
    _claim(Path(out))
    import polars as pl

    rows = pl.concat([expand.expand(specification, patient, seed) for patient in specification.patients])
    if patients is None:
        cohorts: Iterable[Cohort] = [Cohort(rows, patients_frame(specification))]
    else:
        cohorts = sample(specification, rows, patients, seed)
    count, written = _write(specification, Path(out), cohorts, verbatim=patients is None)
    _mark(Path(out), specification, Path(spec).name, seed)
    return SynthReport(Path(out), Path(spec).name, count, written, seed)


def _claim(out: Path) -> None:
    """Make the folder; what an earlier call wrote there may be written again, anything else may not."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the synthetic extract")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(f"{out} is not empty and holds no synthetic extract; name a new folder")
    out.mkdir(parents=True, exist_ok=True)


def _write(spec: "Specification", out: Path, cohorts: "Iterable[Cohort]", *, verbatim: bool) -> tuple[int, int]:
    """Write both files, a chunk of patients at a time; return the patients and the rows of events."""
    count = written = 0
    with (out / "events.csv").open("wb") as events, (out / "patients.csv").open("wb") as people:
        for number, cohort in enumerate(cohorts):
            frames = [_dated(spec, cohort), *([_verbatim(spec)] if verbatim else [])]
            for frame in frames:
                frame.write_csv(events, include_header=not written)
                written += frame.height
            registered = cohort.patients.filter("registered").sort("patient")
            registered.select(patient_id="patient", sex="sex", birth_date="birth_date").write_csv(
                people, include_header=number == 0
            )
            count += cohort.patients.height
    return count, written


def _dated(spec: "Specification", cohort: "Cohort") -> "pl.DataFrame":
    """The rows with calendar times, up to the cut-off, each `duplicates`-th written twice at the end."""
    import polars as pl

    from timeline.synth.expand import render

    def calendar(minutes: str) -> pl.Expr:
        return pl.col("zero").cast(pl.Datetime("us")) + pl.duration(minutes=pl.col(minutes))

    rows = render(cohort.rows).join(cohort.patients.select("patient", "zero"), on="patient", maintain_order="left")
    rows = rows.with_columns(time=calendar("at"), end_time=calendar("until"))
    rows = rows.filter(pl.col("time").is_null() | (pl.col("time").dt.date() <= spec.cutoff))
    time = (
        pl.when("date_only").then(pl.col("time").dt.strftime("%Y-%m-%d")).otherwise(pl.col("time").dt.strftime(_CLOCK))
    )
    rows = rows.with_columns(time=time, end_time=pl.col("end_time").dt.strftime(_CLOCK), patient_id=pl.col("patient"))
    rows = rows.select(COLUMNS)
    every = spec.dirt.duplicates
    return pl.concat([rows, rows.gather_every(every)]) if every else rows


def _verbatim(spec: "Specification") -> "pl.DataFrame":
    import polars as pl

    rows = [[row.get(name) or None for name in COLUMNS] for row in spec.dirt.raw]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def _mark(out: Path, spec: "Specification", file: str, seed: int) -> None:
    lines = ("# Made by `timeline synth`. No real patient.", f"synthetic: {str(spec.synthetic).lower()}")
    about = (
        f"title: {_quoted(spec.title)}",
        f"source: {_quoted(spec.source)}",
        f"specification: {file}",
        f"seed: {seed}",
    )
    (out / MARK).write_text("\n".join((*lines, *about)) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Synthetic extracts of any size from a cohort specification, which is data; knows no medicine.

A specification (`data/cohorts/*.yaml`) says of each patient what happened when; from it come the raw events that a
hospital's systems would have written: local codes, mixed units, duplicates and rows that nobody can use.
Everything written says that it is synthetic.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import UsageError
from timeline.synth.chunk import COLUMNS

if TYPE_CHECKING:
    import polars as pl

    from timeline.synth.chunk import Chunk
    from timeline.synth.sample import Cohort
    from timeline.synth.specification import Specification

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
    mapping: Path | None = None
    """The mapping file that the extract is read with."""

    def __str__(self) -> str:
        read_with = f"; ingest it with --mapping {self.mapping}" if self.mapping else ""
        return (
            f"{self.folder}: {self.rows:,} rows of {self.patients:,} synthetic patients "
            f"({self.specification}, seed {self.seed}); no real patient is among them{read_with}"
        )


FORMATS = ("native", "omop", "meds", "fhir")


def synthesize(
    spec: Path, out: Path, *, patients: int | None = None, seed: int = 0, form: str = "native"
) -> SynthReport:
    """Write a synthetic extract into the folder `out` and return what it holds: the specified patients, or `patients`.

    The same specification, number and seed give the same extract, in each of `FORMATS`. Raises Findings for a mistake
    in the specification, UsageError where `patients` is below 1 or `out` already holds something else.
    """
    from timeline import load
    from timeline.synth import expand
    from timeline.synth.sample import Cohort, patients_frame, sample
    from timeline.synth.specification import read

    if patients is not None and patients < 1:
        raise UsageError(f"{patients} patients cannot be made; ask for 1 or more")
    if form not in FORMATS:
        raise UsageError(f"there is no format `{form}`; choose {', '.join(FORMATS)}")
    specification = read(Path(spec))
    _claim(Path(out), form)
    import polars as pl

    rows = pl.concat([expand.expand(specification, patient, seed) for patient in specification.patients])
    if patients is None:
        cohorts: Iterable[Cohort] = [Cohort(rows, patients_frame(specification))]
    else:
        cohorts = sample(specification, rows, patients, seed)
    writer = import_module(f"timeline.synth.as_{form}")
    counts = [0, 0]
    chunks = _counted(_chunks(specification, cohorts, verbatim=patients is None), counts)
    writer.write(chunks, Path(out), load.load([]).concepts if form != "native" else {})
    _mark(Path(out), specification, Path(spec).name, seed, form)
    mapping = Path(out) / "mapping.yaml"
    return SynthReport(Path(out), Path(spec).name, counts[0], counts[1], seed, mapping if mapping.is_file() else None)


def _claim(out: Path, form: str) -> None:
    """Make the folder; what an earlier call wrote there in this format may be written again, anything else may not."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder for the synthetic extract")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(f"{out} is not empty and holds no synthetic extract; name a new folder")
    if (out / MARK).is_file() and f"format: {form}\n" not in (out / MARK).read_text("utf-8"):
        raise UsageError(f"{out} holds a synthetic extract of another format than {form}; name a new folder")
    out.mkdir(parents=True, exist_ok=True)


def _chunks(spec: "Specification", cohorts: "Iterable[Cohort]", *, verbatim: bool) -> "Iterator[Chunk]":
    """The rows of each cohort as a source system has them: numbered, dated, some twice, the unusable ones last."""
    import polars as pl

    from timeline.synth.chunk import Chunk

    patients = records = 0
    for cohort in cohorts:
        events = _dated(spec, cohort, records)
        if verbatim:
            first = pl.lit(records + events.height, pl.UInt64)
            raw = _verbatim(spec).with_row_index("record").with_columns(pl.col("record").cast(pl.UInt64) + first)
            events = pl.concat([events, raw.select(events.columns)])
        people = cohort.patients.filter("registered").sort("patient")
        numbers = cohort.patients.select(patient_id="patient").with_row_index("number", patients + 1)
        yield Chunk(
            events,
            people.select(patient_id="patient", sex="sex", birth_date="birth_date"),
            numbers.with_columns(pl.col("number").cast(pl.Int64)),
        )
        patients += cohort.patients.height
        records += events.height


def _counted(chunks: "Iterator[Chunk]", counts: list[int]) -> "Iterator[Chunk]":
    """The same chunks; adds up patients and rows of events on the way."""
    for chunk in chunks:
        counts[0] += chunk.numbers.height
        counts[1] += chunk.events.height
        yield chunk


def _dated(spec: "Specification", cohort: "Cohort", first: int) -> "pl.DataFrame":
    """The rows with calendar times, up to the cut-off, each `duplicates`-th written twice at the end.

    `record` numbers them from `first` + 1; a row that is written twice keeps its number.
    """
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
    rows = rows.select(COLUMNS).with_row_index("record", first + 1).with_columns(pl.col("record").cast(pl.UInt64))
    every = spec.dirt.duplicates
    return pl.concat([rows, rows.gather_every(every)]) if every else rows


def _verbatim(spec: "Specification") -> "pl.DataFrame":
    import polars as pl

    rows = [[row.get(name) or None for name in COLUMNS] for row in spec.dirt.raw]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def _mark(out: Path, spec: "Specification", file: str, seed: int, form: str) -> None:
    lines = ("# Made by `timeline synth`. No real patient.", f"synthetic: {str(spec.synthetic).lower()}")
    about = (
        f"title: {_quoted(spec.title)}",
        f"source: {_quoted(spec.source)}",
        f"specification: {file}",
        f"seed: {seed}",
        f"format: {form}",
    )
    (out / MARK).write_text("\n".join((*lines, *about)) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

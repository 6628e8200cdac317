"""The demo: a synthetic cohort, ingested, derived and reported, in one folder; strings the other commands together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import shipped
from timeline.errors import UsageError
from timeline.folders import queries
from timeline.study import Study

if TYPE_CHECKING:
    import polars

    from timeline.engine import RunReport
    from timeline.ingest import IngestReport
    from timeline.report import ReportResult
    from timeline.synth import SynthReport

SEED = 1
"""The demo is the same on every machine."""


@dataclass(frozen=True)
class Demo:
    """What the demo made, and what each step reported."""

    study: Path
    synthetic: SynthReport
    ingested: IngestReport
    ran: RunReport
    report: ReportResult
    summary: tuple[polars.DataFrame, ...]
    """The answers to the queries that sum a study up."""


def cohort() -> Path:
    """Return the specification of the shipped cohort: the first by name."""
    return min(shipped.folder("data").glob("cohorts/*.yaml"))


def demo(out: Path, progress: Callable[[str], None] | None = None) -> Demo:
    """Write extract/, study.duckdb and report.html into `out`; raise UsageError where it holds another study."""
    from timeline import synth

    say = progress or (lambda doing: None)
    study, extract = Study(out / "study.duckdb"), out / "extract"
    if study.path.exists() and not (extract / synth.MARK).is_file():
        raise UsageError(f"{study.path} is not the demo's; name another folder with --out")
    say("making the cohort")
    synthetic = synth.synthesize(cohort(), extract, seed=SEED)
    study.path.unlink(missing_ok=True)
    ingested = study.ingest(extract, progress=progress)
    ran = study.run(progress=progress)
    report = study.report(out / "report.html", progress=progress)
    cards = [query.name for query in queries().values() if query.show == "cards" and query.section != "patient"]
    return Demo(study.path, synthetic, ingested, ran, report, tuple(study.query(name) for name in cards))

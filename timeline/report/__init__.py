"""The report of a study: queries and their headers in, one self-contained HTML page (and pictures) out.

What it shows, and in which section, stands in the headers of the queries; must not know what any of it means.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import charts, figure, query
from timeline.charts.declared import Beyond
from timeline.errors import UsageError
from timeline.header import SECTIONS
from timeline.report import checklist
from timeline.report.items import MOST_ROWS, Item, answer
from timeline.report.page import render
from timeline.report.patients import chosen, gather
from timeline.report.provenance import provenance
from timeline.report.quality import quality

if TYPE_CHECKING:
    import duckdb

FORMATS = ("png", "svg", "pdf", "json")
"""Pictures, and the Vega-Lite specification with its data."""

__all__ = ["MOST_ROWS", "Item", "ReportResult", "write_report"]


@dataclass(frozen=True)
class ReportResult:
    """What was written: the page and its size, the pictures, the queries without an answer and why."""

    path: Path
    bytes: int
    queries: int
    patients: int
    """Patients with a part of their own."""
    figures: tuple[Path, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def write_report(
    con: "duckdb.DuckDBPyConnection",
    path: Path,
    *,
    queries: Path,
    figures: Path | None = None,
    formats: Sequence[str] = ("png", "svg"),
    patients: str | Sequence[str] = "sample",
    lanes: Beyond | None = None,
    progress: Callable[[str], None] | None = None,
) -> ReportResult:
    """Write the report of the study behind `con` to `path` and return what was written.

    `queries` is the folder whose headers say what the report holds; with `figures`, each chart is also written
    there, once per format (png, svg, pdf, json). `patients` have a part of the page each: `sample` (all, or of more
    than 60 those that the page's picture of all shows), `all`, `none`, or their ids. `lanes` says what becomes of more
    lanes than can be read, instead of the headers. Raises UsageError for another format or unknown ids, Findings for
    mistakes in queries.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"--as {','.join(unknown)}: the formats are {', '.join(FORMATS)}")
    if path.suffix not in (".html", ".htm"):
        raise UsageError(f"-o {path}: the report is a page; write a name that ends in .html")
    chosen(con, patients, ())  # ids that are not there are said before the work, not after it
    started, say = time.monotonic(), progress or (lambda doing: None)
    told = provenance(con)
    known = query.load_queries(queries)
    shown = [found for found in known.values() if found.section is not None]
    shown.sort(key=lambda found: (SECTIONS.index(found.section or ""), found.order, found.name))
    with closing(con.cursor()) as own, closing(con.cursor()) as audited, ThreadPoolExecutor(3) as aside:
        # These take seconds, most of them not in Python: the chart library needs nothing of the study, and other
        # readings and the audit have connections of their own.
        library = aside.submit(figure.library)
        others = aside.submit(checklist.readings, own, queries, known)
        checked = aside.submit(quality, audited)
        items = []
        single = [found for found in shown if found.section == "patient"]
        for found in shown:
            if found.section == "patient" or (found.optional and query.missing_relations(con, found)):
                continue
            say(found.title)
            items.append(answer(con, found, told, lanes))
        say("published values")
        published = checklist.beside(con, queries, known)
        drawn = {item.name: item.chart for item in items if item.chart is not None}
        pictures = {name: charts.picture(spec, "svg").decode() for name, spec in drawn.items()}
        people = gather(con, single, told, patients, items, say)
        there = {person.id for person in people.persons}
        items = [replace(item, chart=charts.linked(item.chart, there)) if item.chart else item for item in items]
        say("other readings")
        readings = others.result()
        scripts = library.result() if drawn or people.drawn else ""
        page = render(told, items, pictures, scripts, people, published, readings, checked.result())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    written = write_figures(drawn, figures, formats) if figures is not None else ()
    absent = {item.name: item.absent for item in items if item.absent}
    seconds = time.monotonic() - started
    return ReportResult(path, path.stat().st_size, len(items), len(people.persons), tuple(written), absent, seconds)


def write_figures(drawn: Mapping[str, dict[str, Any]], folder: Path, formats: Sequence[str]) -> tuple[Path, ...]:
    """Write each chart once per format into `folder` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, spec in drawn.items():
        for format in formats:
            target = folder / f"{name}.{format}"
            figure.write_specification(spec, target)
            written.append(target)
    return tuple(written)

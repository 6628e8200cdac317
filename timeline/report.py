"""The report of a study: queries and their headers in, one self-contained HTML page (and pictures) out.

What it shows, and in which section, stands in the headers of the queries; must not know what any of it means.
Everything that came from data passes through the template's escaping.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import charts, figure, printing, query
from timeline.charts import theme
from timeline.errors import TimelineError, UsageError
from timeline.header import SECTIONS, Query

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 100
"""Rows of a table on the page; all of them come from `timeline query`."""
OPEN_ROWS = 45
"""A longer table is folded."""
FORMATS = ("png", "svg", "pdf")
NAMED = {"d": "days", "h": "hours", "mo": "months", "%": "percent"}
"""Units that a column's own name may say."""
HEADINGS = {
    "summary": "Summary",
    "cohort": "Cohort",
    "course": "Clinical course",
    "tables": "Results",
    "quality": "Data quality",
}


@dataclass(frozen=True)
class Item:
    """One query on the page: its answer, or in `absent` why there is none."""

    query: Query
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[bool, ...] = ()
    total: int = 0
    statistics: tuple[tuple[str, str, str], ...] = ()
    """Title, the statistic in words, and the id of the published value that it answers."""
    chart: dict[str, Any] | None = None
    absent: str = ""

    @property
    def name(self) -> str:
        return self.query.name

    @property
    def headers(self) -> tuple[tuple[str, str, str, bool], ...]:
        """Of each column: its name in words, its unit where the name does not say it, its meaning, whether a number."""
        told = [self.query.returns[name] for name in self.columns]
        units = [
            ""
            if column.unit in (None, "1") or name.rsplit("_", 1)[-1] in (column.unit, NAMED.get(column.unit))
            else column.unit
            for name, column in zip(self.columns, told, strict=True)
        ]
        words = [name.replace("_", " ") for name in self.columns]
        return tuple(zip(words, units, [column.meaning for column in told], self.numeric, strict=True))

    @property
    def cards(self) -> tuple[dict[str, str], ...]:
        return tuple(dict(zip(self.columns, row, strict=True)) for row in self.rows)

    @property
    def folded(self) -> bool:
        return self.total > OPEN_ROWS

    @property
    def cut(self) -> bool:
        return self.total > len(self.rows)


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from: the run, its parameters and versions, and what the study says of itself."""

    title: str
    synthetic: str
    run: Mapping[str, str]
    params: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class ReportResult:
    """What was written: the page and its size, the pictures, the queries without an answer and why."""

    path: Path
    bytes: int
    queries: int
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
    progress: Callable[[str], None] | None = None,
) -> ReportResult:
    """Write the report of the study behind `con` to `path` and return what was written.

    `queries` is the folder whose headers say what the report holds; with `figures`, each chart is also written
    there, once per format (png, svg, pdf). Raises UsageError for another format, Findings for mistakes in queries.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise UsageError(f"--as {','.join(unknown)}: the formats are {', '.join(FORMATS)}")
    if path.suffix not in (".html", ".htm"):
        raise UsageError(f"-o {path}: the report is a page; write a name that ends in .html")
    started, say = time.monotonic(), progress or (lambda doing: None)
    told = provenance(con)
    shown = [found for found in query.load_queries(queries).values() if found.section is not None]
    shown.sort(key=lambda found: (SECTIONS.index(found.section or ""), found.order, found.name))
    with ThreadPoolExecutor(1) as aside:
        # Putting the chart library together takes seconds and needs nothing of the study.
        library = aside.submit(figure.library)
        items = []
        for found in shown:
            if found.optional and query.missing_relations(con, found):
                continue
            say(found.title)
            items.append(answer(con, found, told))
        drawn = {item.name: item.chart for item in items if item.chart is not None}
        pictures = {name: charts.picture(spec, "svg").decode() for name, spec in drawn.items()}
        page = render(told, items, pictures, library.result() if drawn else "")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    written = write_figures(drawn, figures, formats) if figures is not None else ()
    absent = {item.name: item.absent for item in items if item.absent}
    seconds = time.monotonic() - started
    return ReportResult(path, path.stat().st_size, len(items), tuple(written), absent, seconds)


def answer(con: "duckdb.DuckDBPyConnection", found: Query, told: Provenance) -> Item:
    """Return the answer to one query as the page shows it; an error or an empty answer becomes a sentence."""
    try:
        frame = query.run_query(con, found)
    except TimelineError as error:
        return Item(found, absent=f"Not available: {error}.")
    if frame.is_empty():
        return Item(found, absent=found.empty or "No row.")
    statistics = []
    for declared in found.statistics:
        try:
            text = str(query.summarise(frame, declared))
        except TimelineError as error:
            text = f"not computed: {error}"
        statistics.append((declared.title, text, declared.published or ""))
    chart = None
    if found.chart is not None:
        notes = [told.synthetic] if told.synthetic else []
        chart = charts.specification(charts.draw(frame, found.chart, found.title, notes))
    rows = tuple(tuple(printing.cell(value) for value in row) for row in frame.head(MOST_ROWS).rows())
    numeric = tuple(dtype.is_numeric() for dtype in frame.dtypes)
    return Item(found, tuple(frame.columns), rows, numeric, frame.height, tuple(statistics), chart)


def provenance(con: "duckdb.DuckDBPyConnection") -> Provenance:
    """Return what the study says of itself and of its latest run."""
    settings: dict[str, str] = dict(con.execute("SELECT name, value FROM meta.study").fetchall())
    synthetic = query.remark(con)
    found = con.execute(
        "SELECT run, ruleset, ruleset_version, ruleset_hash, params, timeline_version, duckdb_version, started_at "
        "FROM meta.run ORDER BY started_at DESC, run LIMIT 1"
    ).fetchall()
    if not found:
        return Provenance(settings.get("title", ""), synthetic, {}, (), ())
    run, name, version, digest, params, engine, database, at = found[0]
    rules = con.execute(
        "SELECT rule, coalesce(title, ''), coalesce(source, '') FROM meta.rule WHERE run = ? ORDER BY rule", [run]
    ).fetchall()
    run_facts = {
        "Rule set": f"{name} {version}".strip(),
        "Hash of the rule set": digest,
        "Run": run,
        "Begun": f"{at:%Y-%m-%d %H:%M:%S} UTC",
        "timeline": engine,
        "DuckDB": database,
        "Clock of the times": settings.get("timezone", "as in the extract"),
    }
    listed = tuple((key, str(value)) for key, value in sorted(json.loads(params).items()))
    return Provenance(settings.get("title", ""), synthetic, run_facts, listed, tuple(rules))


def render(told: Provenance, items: Sequence[Item], pictures: Mapping[str, str], library: str) -> str:
    """Return the page; `pictures` are the charts as SVG, for paper and for readers without scripts."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(figure.PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [(name, HEADINGS[name], [item for item in items if item.query.section == name]) for name in SECTIONS]
    return environment.get_template("report.html").render(
        told=told,
        sections=[section for section in sections if section[2]],
        specs={item.name: figure.in_script(_bare(item.chart)) for item in items if item.chart is not None},
        # Vega writes the text of data into SVG escaped; see the test with a tag for a name.
        pictures=pictures,
        library=library.replace("</script", "<\\/script"),
        night=figure.in_script(theme.NIGHT),
        style=(figure.PAGE / "report.css").read_text(encoding="utf-8"),
        script=(figure.PAGE / "report.js").read_text(encoding="utf-8"),
    )


def write_figures(drawn: Mapping[str, dict[str, Any]], folder: Path, formats: Sequence[str]) -> tuple[Path, ...]:
    """Write each chart once per format into `folder` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, spec in drawn.items():
        for format in formats:
            target = folder / f"{name}.{format}"
            target.write_bytes(charts.picture(spec, format))
            written.append(target)
    return tuple(written)


def _bare(spec: dict[str, Any] | None) -> dict[str, Any]:
    """The chart without its title, which the page has as a heading; its notes stay, since pictures are copied."""
    spec = dict(spec or {})
    notes = spec.pop("title", {}).get("subtitle") or []
    if notes:
        spec["title"] = {"text": notes, "fontSize": 11.5, "fontWeight": "normal", "color": theme.QUIET, "offset": 8}
    return spec

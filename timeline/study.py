"""`Study`: the words of the command line for notebooks; delegates, and must hold no logic of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline.folders import checklist_files, named_query, query_folder, rule_folders
from timeline.folders import queries as load_queries

if TYPE_CHECKING:
    import altair
    import duckdb
    import polars

    from timeline.alternatives import Sensitivity
    from timeline.audit import Audit
    from timeline.charts.declared import Beyond
    from timeline.check import Step
    from timeline.diff import Diff
    from timeline.engine import RunReport
    from timeline.explain import Explanation
    from timeline.export import ExportReport
    from timeline.ingest import IngestReport
    from timeline.published import Compared
    from timeline.report import ReportResult
    from timeline.rules import RuleSet
    from timeline.sweep import Sweep

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Study:
    """One study file. Every method opens the file, does its work and closes it, so that others can read in between."""

    path: Path

    @classmethod
    def open(cls, path: Path | str) -> Study:
        """Return the study at `path`; a file that is not there is made by the first `ingest`."""
        study = cls(Path(path))
        if study.path.exists():
            with study.reading():
                pass
        return study

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a DuckDB connection that can only read this study, closed at the end of the block."""
        from timeline import query

        with closing(query.open_read_only(self.path)) as con:
            yield con

    @contextmanager
    def writing(self, *, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a DuckDB connection that may change the study, closed at the end of the block."""
        from timeline import store

        new = create and not self.path.exists()
        try:
            with closing(store.connect(self.path, create=create)) as con:
                yield con
        except BaseException:
            if new:  # what never came to hold anything leaves no file behind
                self.path.unlink(missing_ok=True)
            raise

    def ingest(
        self,
        *extracts: Path | str,
        format: str = "auto",
        mapping: Path | str | None = None,
        timezone: str | None = None,
        replace: bool = False,
        show_values: bool = False,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Add extracts to the study and return what became of every row; raises ExtractError or Findings.

        Words of the source that stand for a patient each are counted and not told, unless `show_values`.
        """
        from timeline import ingest, load

        with self.writing(create=True) as con:
            return ingest.ingest(
                con,
                extracts,
                load.load([]).concepts,
                format=format,
                mapping=None if mapping is None else Path(mapping),
                timezone=timezone,
                replace=replace,
                show_values=show_values,
                progress=progress,
            )

    def run(
        self,
        *rules: Path | str,
        only: bool = False,
        params: Mapping[str, Any] | None = None,
        show_values: bool = False,
        progress: Progress | None = None,
    ) -> RunReport:
        """Derive every table anew, all or none; `rules` are read after the shipped folder, `only` leaves that out."""
        from timeline import engine, load

        ruleset = load.load(rule_folders(rules), shipped=not only)
        with self.writing() as con:
            return engine.run(con, ruleset, _texts(params), progress, show_values)

    def audit(
        self,
        *checks: Path | str,
        only: Sequence[str] = (),
        fail_on: Sequence[str] = ("declared",),
        show_values: bool = False,
        progress: Progress | None = None,
    ) -> Audit:
        """Return the outcome of every check of data quality, or of those in `only`; writes nothing.

        `checks` are folders asked beside the shipped one; `fail_on` names those that stop the work, `stopped` of the
        result says which did.
        """
        from timeline import audit

        folders = [Path(path) for path in checks]
        with self.reading() as con:
            names = {"only": _listed(only), "fail_on": _listed(fail_on)}
            return audit.audit(con, checks=folders, **names, show_values=show_values, progress=progress)

    def funnel(
        self, *rules: Path | str, only: bool = False, params: Mapping[str, Any] | None = None
    ) -> tuple[Step, ...]:
        """Return how many rows and patients each step of each rule leaves; nothing is written."""
        from timeline import check, load

        ruleset = load.load(rule_folders(rules), shipped=not only)
        with self.reading() as con:
            return check.funnel(con, ruleset, _texts(params))

    def sweep(
        self,
        *rules: Path | str,
        only: bool = False,
        params: Mapping[str, Any] | None = None,
        variants: Sequence[Path | str] = (),
        measures: Sequence[str] = (),
        queries: Path | str | None = None,
        progress: Progress | None = None,
    ) -> Sweep:
        """Return each measure at every point of the grid of `params` (their values) and `variants`; writes nothing.

        Without `rules` the definitions are those that the study was last run with. A measure is one SELECT, also
        `NAME=SELECT …`, or the name of a query.
        """
        from timeline import sweep

        with self.reading() as con:
            ruleset, base = _definitions(con, rules, only)
            known = load_queries(queries)
            values = {name: tuple(map(_text, _listed(given))) for name, given in (params or {}).items()}
            asked_for = [str(measure) for measure in _listed(measures)]
            grid, asked = sweep.asked(ruleset, base, values, rule_folders(_listed(variants)), asked_for, known)
            return sweep.sweep(con, grid, asked, progress)

    def diff(
        self,
        other: Study | Path | str | None = None,
        *,
        rules: Sequence[Path | str] = (),
        only: bool = False,
        params: Mapping[str, Any] | None = None,
        values: bool = False,
        progress: Progress | None = None,
    ) -> Diff:
        """Return how the derived tables of the study `other` differ from this one's, or what a run would change here.

        Without `other`, `rules`, `only` and `params` mean what they mean to `run`; without `rules` the definitions
        are those of the last run. With `values` rows also say when they are and what they say. Writes nothing.
        """
        from timeline import diff
        from timeline.diff import sides
        from timeline.errors import UsageError

        if (other is None) == (not (rules or only or params)):
            raise UsageError("compare with another study, or with other definitions (--rules, --set): one of the two")
        if other is not None:
            path = other.path if isinstance(other, Study) else Path(other)
            names = [str(self.path), str(path)]
            with sides.both(self.path, path) as con:
                here = sides.database(con)
                a, b = (sides.of_study(con, n, where) for n, where in zip(names, (here, sides.OTHER), strict=True))
                return diff.diff(con, a, b, values=values, progress=progress)
        with self.reading() as con:
            ruleset, base = _definitions(con, rules, only)
            a = sides.of_study(con, str(self.path), sides.database(con))
            b = sides.of_definitions(con, "other definitions", ruleset, {**base, **_texts(params)}, progress)
            return diff.diff(con, a, b, values=values, progress=progress)

    def table(self, name: str) -> polars.DataFrame:
        """Return the table `name` of the study, in the order of its rows."""
        from timeline.quote import identifier

        return self.sql(f"SELECT * FROM {identifier(name)}")

    def sql(self, text: str) -> polars.DataFrame:
        """Return the answer to one SELECT; nothing can be written, and no other file read."""
        from timeline import query

        with self.reading() as con:
            return query.one_off(con, text)

    def query(
        self, name: str, params: Mapping[str, Any] | None = None, *, queries: Path | str | None = None
    ) -> polars.DataFrame:
        """Return the answer to the query `name`, shipped or in the folder `queries`; UsageError for an unknown name."""
        from timeline import query

        asked = named_query(name, queries)
        with self.reading() as con:
            return query.run_query(con, asked, params)

    def chart(
        self, name: str, params: Mapping[str, Any] | None = None, *, queries: Path | str | None = None
    ) -> altair.TopLevelMixin:
        """Return the chart that the query `name` declares; UsageError where it declares none, or has no row to draw."""
        from timeline.report import alone

        with self.reading() as con:
            return alone.chart(con, named_query(name, queries), params or {})

    def explain(self, rule: str, patient: str, number: int | None = None) -> Explanation:
        """Return why row `number` (the first by default) of `patient` in `rule` is as it is, or why there is none."""
        from timeline import explain

        with self.reading() as con:
            return explain.explain(con, rule, str(patient), number)

    def explain_chart(self, rule: str, patient: str, number: int | None = None) -> altair.TopLevelMixin:
        """Return the picture of what `explain` says: the patient's time around the row, a lane a lookup."""
        from timeline import explain
        from timeline.charts import explanation as picture
        from timeline.explain.frames import frames_of, heading

        with self.reading() as con:
            explained, around = explain.pictured(con, rule, patient, number)
        return picture.draw(frames_of(explained, around), *heading(explained, around))

    def published(self, *, queries: Path | str | None = None) -> tuple[Compared, ...]:
        """Return every published item beside what the study gives for it, or why it gives nothing; writes nothing.

        The values are those of `published.yaml` in the folder `queries`, by default the shipped ones.
        """
        from timeline import published

        known, values, _ = checklist_files(queries)
        with self.reading() as con:
            return published.compare(con, known, published.load(values))

    def sensitivity(
        self, *ids: str, queries: Path | str | None = None, progress: Progress | None = None
    ) -> Sensitivity:
        """Return published items under the other readings of what was left open (`ids`, by default all).

        The rules are those of the last run. Writes nothing.
        """
        from timeline import alternatives, engine, published

        known, values, readings = checklist_files(queries)
        items = published.load(values)
        listed = alternatives.load(readings, items, known)
        with self.reading() as con:
            return alternatives.sensitivity(con, engine.last_run(con), known, items, listed, ids or None, progress)

    def report(
        self,
        path: Path | str,
        *,
        queries: Path | str | None = None,
        figures: Path | str | None = None,
        formats: Sequence[str] = ("png", "svg"),
        patients: str | Sequence[str] = "sample",
        lanes: Beyond | None = None,
        progress: Progress | None = None,
    ) -> ReportResult:
        """Write the report, one page that opens offline, and its figures into `figures`; say what it holds.

        `patients` are those with a page of their own: `sample` (all, or 60 of more than 60), `all`, `none`, or ids.
        `lanes` says what becomes of more lanes than can be read: `sample`, `pages` or `all`.
        """
        from timeline import report

        with self.reading() as con:
            drawn = {"figures": None if figures is None else Path(figures), "formats": formats, "lanes": lanes}
            asked = {"queries": query_folder(queries), "patients": patients}
            return report.write_report(con, Path(path), **asked, **drawn, progress=progress)

    def export(
        self,
        folder: Path | str,
        form: str,
        *,
        tables: Sequence[str] = (),
        labels: Sequence[str] = (),
        extract: Path | str | None = None,
        progress: Progress | None = None,
    ) -> ExportReport:
        """Write derived tables (by default all) into `folder` as parquet, csv, meds or omop, with a data dictionary.

        `labels` of MEDS are `RULE.COLUMN@TIME_COLUMN`; with `extract`, the OMOP extract that the study was made of,
        OMOP names events by the ids that they have there.
        """
        from timeline import export, store

        with closing(store.connect(self.path, read_only=True)) as con:
            source = None if extract is None else Path(extract)
            return export.export(
                con, Path(folder), form, tables=tables, labels=labels, extract=source, progress=progress
            )


def _definitions(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Path | str], only: bool
) -> tuple[RuleSet, Mapping[str, str]]:
    """The rule set that is named, or that of the study's last run, and the parameters overridden there."""
    from timeline import engine, load

    return (load.load(rule_folders(rules), shipped=not only), {}) if rules or only else engine.last_run(con)


def _text(value: object) -> str:
    """A parameter's value as rules write it: 2, 0.5, true, 48h."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(params: Mapping[str, object] | None) -> dict[str, str]:
    return {name: _text(value) for name, value in (params or {}).items()}


def _listed(given: Any) -> Sequence[Any]:
    """Several values, or the one that was given by itself."""
    return given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)

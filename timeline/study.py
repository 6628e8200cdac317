"""`Study`: the words of the command line for notebooks; delegates, and must hold no logic of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair
    import duckdb
    import polars

    from timeline.engine import RunReport
    from timeline.ingest import IngestReport

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
            with study.connection():
                pass
        return study

    @contextmanager
    def connection(self, *, read_only: bool = True, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a DuckDB connection to the study's tables, closed at the end of the block."""
        from timeline import store

        con = store.connect(self.path, read_only=read_only, create=create)
        try:
            yield con
        finally:
            con.close()

    def ingest(
        self,
        *extracts: Path | str,
        format: str = "auto",
        mapping: Path | str | None = None,
        timezone: str | None = None,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Add extracts to the study and return what became of every row; raises ExtractError or Findings."""
        from timeline import ingest, load

        with self.connection(read_only=False, create=True) as con:
            return ingest.ingest(
                con,
                [Path(extract) for extract in extracts],
                load.load([]).concepts,
                format=format,
                mapping=None if mapping is None else Path(mapping),
                timezone=timezone,
                replace=replace,
                progress=progress,
            )

    def run(
        self,
        *rules: Path | str,
        only: bool = False,
        params: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> RunReport:
        """Derive every table anew, all or none; `rules` are folders read after the shipped one, `only` instead of it."""
        from timeline import engine, load

        ruleset = load.load([Path(folder) for folder in rules], shipped=not only)
        with self.connection(read_only=False) as con:
            return engine.run(con, ruleset, params or {}, progress)

    def table(self, name: str) -> polars.DataFrame:
        """Return the table `name` of the study, in the order of its rows."""
        from timeline.quote import identifier

        return self.sql(f"SELECT * FROM {identifier(name)}")

    def sql(self, text: str) -> polars.DataFrame:
        """Return the answer to one SELECT; nothing can be written."""
        from timeline import query

        with self.connection() as con:
            return query.one_off(con, text)

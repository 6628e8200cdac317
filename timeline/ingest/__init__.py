"""Extracts into a study, all or nothing: finds the files, asks their format for rows, has them made events."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as with_
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from timeline.errors import ExtractError, Findings, UsageError
from timeline.ingest import address
from timeline.ingest.remap import remap
from timeline.ingest.report import IngestReport, SourceCount, UnitConversion

if TYPE_CHECKING:
    import duckdb
    import pandera.polars as pa

    from timeline.ingest.staged import CodeMapping, Staged
    from timeline.rules import Concept

__all__ = ["FORMATS", "IngestReport", "SourceCount", "UnitConversion", "ingest", "module_of", "remap", "schemas"]

FORMATS = ("meds", "omop", "fhir", "native")
"""Asked in this order whose an extract is."""
SERVER = "omop"
"""The format of databases on a server."""


def ingest(
    con: "duckdb.DuckDBPyConnection",
    paths: Sequence[Path | str] | Path | str,
    concepts: "Mapping[str, Concept]",
    *,
    format: str = "auto",
    mapping: Path | str | None = None,
    timezone: str | None = None,
    replace: bool = False,
    show_values: bool = False,
    progress: Callable[[str], None] | None = None,
) -> IngestReport:
    """Return the counts of adding extracts to a study; raise ExtractError, and change nothing, if one is unreadable.

    Words of the source that stand for a patient each are counted and not told, unless `show_values`.
    """
    from timeline.ingest import memory, normalise

    say = progress or (lambda _: None)
    given = [paths] if isinstance(paths, str | Path) else paths
    listed = [str(one) if address.is_address(one) else Path(one) for one in given]
    for path in listed:
        if isinstance(path, str):
            continue
        inside = sorted(path.iterdir()) if path.is_dir() and os.access(path, os.R_OK) else ()
        if wrong := next(filter(None, map(_unreadable, (path, *inside))), None):
            raise ExtractError(wrong)
    read, label = _mapping(mapping, concepts)
    normalise.clear(con)
    try:
        with memory.bounded(con):
            # Outside the transaction: rows of a table made inside one have no row numbers yet.
            staged = _stage(con, listed, format, read, say)
            return _load(con, listed, staged, concepts, label, timezone, replace, show_values, say)
    finally:
        normalise.clear(con)


def _unreadable(path: Path) -> str | None:
    """Why a file or folder cannot be read; None where it can."""
    if not path.exists():
        return f"{path}: {'the link leads nowhere' if path.is_symlink() else 'there is no such file or folder'}"
    return None if os.access(path, os.R_OK) else f"{path}: no permission to read this"


def _load(con, listed, staged, concepts, label, timezone, replace, show_values, say) -> IngestReport:
    """All of it in one transaction, or nothing."""
    import duckdb

    from timeline.ingest import load

    con.execute("BEGIN TRANSACTION")
    try:
        zone = load.settle_zone(con, timezone)
        report = load.load(con, staged, concepts, label, zone, replace, show_values, say)
        report = load.keep_zone(con, zone, report)
        load.mark_synthetic(con, [path for path in listed if isinstance(path, Path)], report)
        con.execute("COMMIT")
    except BaseException as error:
        con.execute("ROLLBACK")
        damaged = [one for one in staged if isinstance(error, duckdb.Error) and str(one.path) in str(error)]
        if damaged:
            raise ExtractError(f"{damaged[0].source_file}: the file is damaged: it cannot be read to its end") from None
        raise
    return report


def _mapping(path: Path | str | None, concepts: "Mapping[str, Concept]") -> "tuple[CodeMapping | None, str]":
    """The mapping file, and its name with the start of its hash, so that a changed one is another."""
    if path is None:
        return None, ""
    from timeline.ingest import against, mapping

    read = mapping.load(Path(path))
    if wrong := against.findings(read, concepts):
        raise Findings(wrong)
    return read, f"{read.name}@{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]}"


def _stage(
    con: "duckdb.DuckDBPyConnection",
    paths: Sequence[Path | str],
    format: str,
    mapping: "CodeMapping | None",
    say: Callable[[str], None],
) -> "list[Staged]":
    staged, asked = [], [format_of(path, format, mapping) for path in paths]
    for number, (path, module) in enumerate(zip(paths, asked, strict=True)):
        say(f"reading {address.shown(path) if isinstance(path, str) else path.name}")
        if not hasattr(module, "together"):
            staged += module.stage(con, path, mapping, f"ingest_file_{number}")
        elif asked.index(module) == number:
            # Its extracts may hold versions of each other's rows.
            alike = [one for one, its in zip(paths, asked, strict=True) if its is module]
            staged += module.together(con, alike, mapping, f"ingest_file_{number}")
    staged = _apart(con, staged)
    idle = mapping.idle(one.path.name for one in staged) if mapping is not None else ()
    if mapping is None or not idle or not staged or staged[0].format == "fhir":
        return staged  # of FHIR the keys are resources, which its own module knows
    said = (
        f"mapping {mapping.name}: statuses of tables that no file has, so that they keep nothing out: {', '.join(idle)}"
    )
    return [with_(staged[0], notes=(*staged[0].notes, said)), *staged[1:]]


def _apart(con: "duckdb.DuckDBPyConnection", staged: "list[Staged]") -> "list[Staged]":
    """Say of resources that versions of them, which the study holds of an earlier ingest, were not asked."""
    names = {one.whole for one in staged}
    held = con.execute("SELECT DISTINCT source_file FROM meta.source WHERE format = 'fhir'").fetchall()
    if all(name.partition("#")[0] in names for (name,) in held):
        return staged
    said = (
        "versions and retractions of FHIR resources are compared among files that are read together only, and this "
        "study holds others of an earlier ingest; ingest all of them in one call where they are versions of each other"
    )
    return [with_(one, notes=(*one.notes, said)) if one.format == "fhir" else one for one in staged]


def module_of(format: str) -> ModuleType:
    """The module of a format; UsageError where there is none of that name."""
    if format not in FORMATS:
        raise UsageError(f"there is no format '{format}'; choose {', '.join(FORMATS)}")
    return import_module(f"timeline.ingest.{format}")


def schemas(format: str) -> "dict[str, pa.DataFrameSchema]":
    """The pandera schema of each table that a format reads, for polars frames; UsageError for an unknown format."""
    from timeline.ingest import conform

    return conform.schemas(format, module_of(format).TABLES)


def format_of(path: Path | str, format: str, mapping: "CodeMapping | None" = None) -> ModuleType:
    """The module of the format named, or of the first that claims `path`.

    A database server holds OMOP; a mapping's tables make any file native.
    """
    if format not in ("auto", *FORMATS):
        raise UsageError(f"there is no format '{format}'; choose auto, {', '.join(FORMATS)}")
    if isinstance(path, str):
        if format not in ("auto", SERVER):
            raise UsageError(f"{address.shown(path)}: only --format {SERVER} is read from a server")
        return import_module(f"timeline.ingest.{SERVER}")
    for name in FORMATS if format == "auto" else (format,):
        module = import_module(f"timeline.ingest.{name}")
        if format != "auto" or module.claims(path):
            return module
    if mapping is not None and mapping.tables:
        return import_module("timeline.ingest.native")
    hints = [said for name in FORMATS if (said := _hint(name, path))]
    if hints:
        raise ExtractError(f"{path}: no extract that is known here: {'; '.join(hints)}")
    raise ExtractError(
        f"{path}: no extract that is known here: no events.csv or .parquet, no tables of MEDS or OMOP, no resources of "
        "FHIR; `--format` asks one format and says more, and `tables` of a mapping file read any others"
    )


def _hint(format: str, path: Path) -> str:
    """What a format that does not claim `path` has to say of it all the same."""
    hint = getattr(import_module(f"timeline.ingest.{format}"), "hint", None)
    return hint(path) if hint is not None else ""

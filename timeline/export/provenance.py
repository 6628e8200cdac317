"""Where exported tables come from: the run, its rules and parameters, the sources, and whether patients are real."""

import json
from typing import TYPE_CHECKING, Any

from timeline.errors import StudyError

if TYPE_CHECKING:
    import duckdb

RUN = "ORDER BY started_at DESC, run LIMIT 1"
"""The latest run, of meta.run."""
DESCRIBED_IN = ("dictionary.csv", "README.md")
"""The files that describe an export, beside its data."""


def of_study(con: "duckdb.DuckDBPyConnection") -> dict[str, Any]:
    """Return what a reader of exported tables must know of them, as plain values; StudyError where nothing ran."""
    runs = con.execute(
        "SELECT run, ruleset, ruleset_version, ruleset_hash, params, timeline_version, duckdb_version, "
        f"CAST(started_at AS VARCHAR) FROM meta.run {RUN}"
    ).fetchall()
    if not runs:
        raise StudyError("nothing has been derived in this study yet; `timeline run STUDY` derives its tables")
    run, ruleset, version, digest, params, engine, database, started = runs[0]
    settings = dict(con.execute("SELECT name, value FROM meta.study").fetchall())
    sources = con.execute(
        "SELECT source_file, format, sha256, rows_read, rows_loaded, rows_duplicate, rows_rejected "
        "FROM meta.source ORDER BY source_file"
    ).fetchall()
    names = ("file", "format", "sha256", "read", "loaded", "duplicate", "rejected")
    return {
        "derived_by": f"timeline {engine}, DuckDB {database}",
        "synthetic": settings.get("synthetic", "false"),
        "title": settings.get("title", ""),
        "ruleset": ruleset,
        "ruleset_version": version,
        "ruleset_hash": digest,
        "run": run,
        "run_started_utc": started,
        "parameters": json.loads(params),
        "clock": settings.get("timezone", "as in the extract"),
        "sources": [dict(zip(names, one, strict=True)) for one in sources],
        "described_in": list(DESCRIBED_IN),
    }


def engine_of(con: "duckdb.DuckDBPyConnection") -> str:
    """Return the version of the engine that derived the tables."""
    return con.execute(f"SELECT timeline_version FROM meta.run {RUN}").fetchall()[0][0]

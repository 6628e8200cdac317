"""Where the numbers of a study come from: its latest run, what it ran with, and what the study says of itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import query

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Provenance:
    """Where the numbers come from: the run, its parameters and versions, and what the study says of itself."""

    title: str
    synthetic: str
    run: Mapping[str, str]
    params: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str, str], ...]


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

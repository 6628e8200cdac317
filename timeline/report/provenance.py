"""Where the numbers of a study come from: its latest run, what it ran with, and what the study says of itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import engine, query
from timeline.describe import Description, describe
from timeline.errors import StudyError

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Provenance:
    """The run, its parameters, versions and rules in words, and what the study says of itself."""

    title: str
    synthetic: str
    run: Mapping[str, str]
    params: tuple[tuple[str, str], ...]
    methods: Description | None
    """The rule set in words; None where nothing has been derived."""

    @property
    def sources(self) -> Mapping[str, int]:
        """What the rules cite, each with its number."""
        cited = [one.source for one in self.methods.definitions if one.source] if self.methods else []
        return {source: number for number, source in enumerate(dict.fromkeys(cited), 1)}


def provenance(con: "duckdb.DuckDBPyConnection") -> Provenance:
    """Return what the study says of itself and of its latest run."""
    settings: dict[str, str] = dict(con.execute("SELECT name, value FROM meta.study").fetchall())
    synthetic = query.remark(con)
    found = con.execute(
        "SELECT run, ruleset, ruleset_version, ruleset_hash, params, timeline_version, duckdb_version, started_at "
        "FROM meta.run ORDER BY started_at DESC, run LIMIT 1"
    ).fetchall()
    if not found:
        return Provenance(settings.get("title", ""), synthetic, {}, (), None)
    run, name, version, digest, params, engine_version, database, at = found[0]
    run_facts = {
        "Rule set": f"{name} {version}".strip(),
        "Hash of the rule set": digest,
        "Run": run,
        "Begun": f"{at:%Y-%m-%d %H:%M:%S} UTC",
        "timeline": engine_version,
        "DuckDB": database,
        "Clock of the times": settings.get("timezone", "as in the extract"),
    }
    listed = tuple((key, str(value)) for key, value in sorted(json.loads(params).items()))
    return Provenance(settings.get("title", ""), synthetic, run_facts, listed, _methods(con))


def _methods(con: "duckdb.DuckDBPyConnection") -> Description | None:
    try:
        return describe(*engine.last_run(con))
    except StudyError:
        return None

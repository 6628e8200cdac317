"""Checks that need more than SQL: promises that pandera judges, and what the rule set and the engine know.

Each is a `Check` whose SQL is made here, or a number that is counted here; knows no layout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import engine, schema, validate
from timeline.audit.check import Check
from timeline.compiler import Compiled, compile_rules
from timeline.errors import StudyError
from timeline.ingest.counts import ROUTES
from timeline.quote import identifier, literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Judged:
    """A check that was counted here: in how many of what was asked something is wrong, and what."""

    check: Check
    asked: int
    failures: int
    details: tuple[str, ...]


Rules = Mapping[str, Compiled]
"""The compiled rules of the last run, by name."""


def composed(con: "Connection", rules: Rules) -> list[Check]:
    """Return the checks whose SQL depends on the engine or on the rule set of the last run."""
    concepts = sorted({concept for rule in rules.values() for concept in rule.concepts})
    return [_routes(), _evidence(engine.derived_tables(con)), _never_seen(concepts)]


def judge(con: "Connection", check: Check, rules: Rules) -> Judged:
    """Return the outcome of a check of `JUDGED`, by which pandera passes or refuses tables."""
    if check is SCHEMA:
        return _promises(con, check, {name: (fields, {}) for name, fields in schema.TABLES.items()})
    there = engine.derived_tables(con)
    return _promises(con, check, {name: (rules[name].fields, rules[name].checks) for name in there if name in rules})


def last_run(con: "Connection") -> Rules:
    """Return the rules of the last run, compiled; none where nothing has been derived."""
    try:
        ruleset, overrides = engine.last_run(con)
    except StudyError:
        return {}
    return {rule.name: rule for rule in compile_rules(ruleset, overrides)}


SCHEMA = Check(
    name="conf_schema",
    sql="",
    title="Every table of the engine has its columns, types and values",
    meaning="Columns, types, what may be missing and which words are allowed, judged by pandera. If not, the file was "
    "changed by hand or is damaged; ingest its extract anew.",
    category="value conformance",
    severity="error",
    of="tables",
    asked="",
)
PROMISES = Check(
    name="conf_promises",
    sql="",
    title="Every derived table keeps what its rule promises",
    meaning="Types, units, ranges and checks that rules declare, judged by pandera anew.",
    category="value conformance",
    severity="error",
    of="derived tables",
    asked="",
)
JUDGED = (SCHEMA, PROMISES)
OF_RULES = frozenset(("conf.promises", "comp.never_seen"))
"""Checks for which the rules are compiled: it takes a second, so only where they are asked."""


def _promises(con: "Connection", check: Check, tables: Mapping) -> Judged:
    broken: dict[str, list[str]] = {}
    for name, (fields, checks) in tables.items():
        for failure in validate.validate(con, identifier(name), fields, checks):
            broken.setdefault(name, []).append(f"{name}: {failure}")
    return Judged(check, len(tables), len(broken), tuple(text for texts in broken.values() for text in texts))


def _routes() -> Check:
    listed = ", ".join(literal(route) for route in ROUTES)
    return Check(
        name="conf_routes",
        sql="SELECT route, count(*) AS rows, count(DISTINCT patient_id) AS patients FROM meta.event\n"
        f"WHERE concept IS NOT NULL AND route NOT IN ({listed})\nGROUP BY route ORDER BY rows DESC, route",
        title="Routes are words that rules know",
        meaning="A route in the source's own words is kept as written, and is none of those that a rule asks for; "
        "a mapping can say which it is.",
        category="value conformance",
        severity="warning",
        of="events with a route",
        asked="SELECT count(*) FROM meta.event WHERE concept IS NOT NULL AND route IS NOT NULL",
    )


def _evidence(tables: list[str]) -> Check:
    cited = " UNION ALL ".join(
        f"SELECT {literal(name)} AS rule, patient_id, number, unnest(evidence) AS event_id FROM {identifier(name)}"
        for name in tables
    )
    none = "SELECT '' AS rule, NULL AS patient_id, 0 AS number, 0::UBIGINT AS event_id WHERE FALSE"
    return Check(
        name="conf_evidence",
        sql=f"WITH cited AS ({cited or none})\nSELECT rule, patient_id, number, event_id FROM cited\n"
        "WHERE event_id NOT IN (SELECT event_id FROM meta.event)\nORDER BY rule, patient_id, number, event_id",
        title="Derived rows rest on events that are there",
        meaning="Each row's evidence leads to events, and these to rows of the source; after a file was replaced "
        "`timeline run` is needed.",
        category="relational conformance",
        severity="error",
        of="derived rows",
        asked="SELECT coalesce(sum(rows), 0) FROM meta.rule",
    )


def _never_seen(concepts: list[str]) -> Check:
    listed = ", ".join(literal(concept) for concept in concepts)
    return Check(
        name="comp_never_seen",
        sql=f"SELECT unnest([{listed}]::VARCHAR[]) AS concept\n"
        "EXCEPT SELECT DISTINCT concept FROM meta.event ORDER BY concept",
        title="Concepts that rules ask for have events",
        meaning="What no event says no rule can see: the extract lacks it, or its code is not mapped. For rules it is "
        "unknown, not absent.",
        category="completeness",
        severity="note",
        of="concepts that rules read",
        asked=f"SELECT {len(concepts)}",
    )

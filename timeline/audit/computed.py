"""Checks that need more than SQL: promises that pandera judges, and what the rule set and the engine know.

Each is a `Check` whose SQL is made here, or a number that is counted here; knows no layout.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import engine, schema, validate, wrong_units
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
    """What was counted here: in how many of what was asked something is wrong, and what."""

    asked: int
    failures: int
    details: tuple[str, ...]


Rules = Mapping[str, Compiled]
"""The compiled rules of the last run, by name."""


def judge(con: "Connection", check: Check, rules: Rules) -> Judged:
    """Return the outcome of a check of `JUDGED`, by which pandera passes or refuses tables."""
    if check is SCHEMA:
        return _promises(con, {name: (fields, {}) for name, fields in schema.TABLES.items()})
    there = engine.derived_tables(con)
    return _promises(con, {name: (rules[name].fields, rules[name].checks) for name in there if name in rules})


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


def _promises(con: "Connection", tables: Mapping) -> Judged:
    broken: dict[str, list[str]] = {}
    for name, (fields, checks) in tables.items():
        for failure in validate.validate(con, identifier(name), fields, checks):
            broken.setdefault(name, []).append(f"{name}: {failure}")
    return Judged(len(tables), len(broken), tuple(text for texts in broken.values() for text in texts))


def _routes(con: "Connection", rules: Rules) -> Check:
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


def _evidence(con: "Connection", rules: Rules) -> Check:
    tables = engine.derived_tables(con)
    cited = " UNION ALL ".join(
        f"SELECT {literal(name)} AS rule, patient_id, number, unnest(evidence) AS event_id FROM {identifier(name)}"
        for name in tables
    )
    none = "SELECT '' AS rule, NULL AS patient_id, 0 AS number, 0::UBIGINT AS event_id WHERE FALSE"
    return Check(
        name="conf_evidence",
        sql=f"WITH cited AS ({cited or none})\nSELECT rule, patient_id, number, count(*) AS missing FROM cited\n"
        "WHERE event_id NOT IN (SELECT event_id FROM meta.event)\n"
        "GROUP BY rule, patient_id, number ORDER BY rule, patient_id, number",
        title="Derived rows rest on events that are there",
        meaning="Each row's evidence leads to events, and these to rows of the source; after a file was replaced "
        "`timeline run` is needed.",
        category="relational conformance",
        severity="error",
        of="derived rows",
        asked="SELECT coalesce(sum(rows), 0) FROM meta.rule",
    )


def _never_seen(con: "Connection", rules: Rules) -> Check:
    concepts = sorted({concept for rule in rules.values() for concept in rule.concepts})
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


def _wrong_units(con: "Connection", rules: Rules) -> Check:
    found = wrong_units.suspects(con)
    rows = "\nUNION ALL BY NAME\n".join(f"SELECT * FROM ({one.query})" for one in found)
    return Check(
        name="plaus_wrong_units",
        sql=f"{rows or 'SELECT patient_id, event_id FROM meta.event WHERE FALSE'}\nORDER BY event_id",
        title="Units are those that they are labelled as",
        meaning="Values that are not typical of their concept, and would be in another unit. Nothing is converted on "
        "a suspicion: look at the rows, and let a mapping give the unit.",
        category="atemporal plausibility",
        context="validation",
        severity="warning",
        of="numbers with a unit",
        asked="SELECT count(*) FROM meta.event WHERE value IS NOT NULL AND unit IS NOT NULL",
        details=tuple(str(one) for one in found),
    )


COMPOSED: Mapping[str, Callable[["Connection", Rules], Check]] = {
    "conf.routes": _routes,
    "conf.evidence": _evidence,
    "comp.never_seen": _never_seen,
    "plaus.wrong_units": _wrong_units,
}
"""The checks whose SQL depends on the study, on the engine or on the rule set of the last run."""

"""The tables that other definitions would derive of a study, as temporary tables of a read-only connection.

A table whose hash of meaning equals that of one already there is that table: the study's own, or one made for an
earlier plan. Knows rule sets and a connection; must not know what the tables are compared for. Nothing is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from timeline import engine, hashes, query, store
from timeline.compiler import Compiled, compile_rules, needed
from timeline.compiler.finish import DAYS, TIMES
from timeline.compiler.params import in_force
from timeline.errors import UsageError
from timeline.ingest.remap import changed_codes
from timeline.quote import identifier, whole
from timeline.rules import RuleSet

NAMED = 5
"""So many codes are named in a message; the rest is counted."""


@dataclass(frozen=True)
class Plan:
    """Definitions compiled as far as some relations need them, each rule with the hash of its meaning."""

    ruleset: RuleSet
    params: Mapping[str, Mapping[str, str]]
    """The parameters in force, by rule."""
    compiled: tuple[Compiled, ...]
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Tables:
    """Where the table of each hash is, what rows break of its rule's promises, and how often one was already there."""

    at: Mapping[str, str]
    broken: Mapping[str, tuple[str, ...]]
    derived: int = 0
    reused: int = 0


def plan(ruleset: RuleSet, params: Mapping[str, str], relations: Iterable[str], like: Plan | None = None) -> Plan:
    """Return the rules among `relations`, and all that these read, compiled; `params` of other rules are left out.

    What `like` has compiled of the same meaning is not compiled again. Raises `Findings` for mistakes in those rules,
    UsageError for a parameter of theirs that does not fit.
    """
    part = needed(ruleset, relations)
    own = {key: text for key, text in params.items() if key.partition(".")[0] in part.rules}
    texts = in_force(part, own)
    same, alike = _unchanged(part, texts, like) if like else ({}, {})
    shapes = {rule.name: rule.relation for rule in like.compiled} if like else {}
    compiled = compile_rules(part, own, same, {name: (rule, shapes) for name, rule in alike.items()})
    return Plan(part, texts, compiled, hashes.rule_hashes(part, compiled, own))


def _unchanged(
    part: RuleSet, texts: Mapping[str, Mapping[str, str]], like: Plan
) -> tuple[dict[str, Compiled], dict[str, Compiled]]:
    """The rules of `like` that mean the same here: text and parameters, those of all that they read, and their days.

    And those of which only what they read may mean something else.
    """
    if part.index != like.ruleset.index or part.concepts != like.ruleset.concepts:
        return {}, {}
    same: dict[str, Compiled] = {}
    alike: dict[str, Compiled] = {}
    # Rules that the index reads in one of the two only: in the other they count days from it.
    moved = frozenset(needed(part, ()).rules) ^ _before_the_index(like)
    for rule in like.compiled:
        if rule.name in moved:
            continue
        text = part.rules.get(rule.name) == like.ruleset.rules[rule.name]
        if not text or texts[rule.name] != like.params[rule.name]:
            continue
        (same if all(name in same for name in rule.reads) else alike)[rule.name] = rule
    return same, alike


def derive(
    con: duckdb.DuckDBPyConnection, plans: Sequence[Plan], progress: Callable[[str], None] | None = None
) -> Tables:
    """Derive what no table of the study and of the plans before has; return where each hash's table is.

    Rows that break a promise are told in `broken`: a variant is looked at, not kept. Raises UsageError where stored
    events would mean something else, `Findings` where the index rule gives a patient two days 0.
    """
    for ruleset in {id(each.ruleset.concepts): each.ruleset for each in plans}.values():
        _same_events(con, ruleset)
    at = _own_tables(con)
    waiting = {
        each.hashes[rule.name]: rule for each in plans for rule in each.compiled if each.hashes[rule.name] not in at
    }
    engine.observe(con, tuple(waiting.values()))
    tables = Tables(at, {})
    for each in plans:
        for rule in each.compiled:
            if each.hashes[rule.name] in tables.at:
                tables = replace(tables, reused=tables.reused + 1)
                continue
            if progress:
                progress(rule.name)
            tables = _derive(con, each, rule, tables)
    con.execute("DROP TABLE temp.observation")
    return tables


def show(con: duckdb.DuckDBPyConnection, shown: Plan, tables: Tables) -> None:
    """Let every name of the plan, and `event`, mean its table: temporary views shadow the study's own tables."""
    for rule in shown.compiled:
        _view(con, rule.name, select(shown, rule, tables))
    index = _index(shown)
    at = index.relation.at if index is not None else None
    _view(con, "event", store.event_select(shown.ruleset.index, at or "time"))


def select(shown: Plan, rule: Compiled, tables: Tables) -> str:
    """Return the SELECT of a rule's rows under a plan, with the days since the plan's index.

    The hash of a rule that the index reads says nothing of the index, so its days are computed here; so are those of
    every rule where there is no index, since the study's own table may have been derived with one.
    """
    table, pairs = tables.at[shown.hashes[rule.name]], tuple(zip(TIMES[rule.kind], DAYS[rule.kind], strict=True))
    index = _index(shown)
    if not pairs or (index is not None and rule.name not in _before_the_index(shown)):
        return f"SELECT * FROM {table}"
    if index is None:
        days = ", ".join(f"CAST(NULL AS INTEGER) AS {day}" for _, day in pairs)
        return f"SELECT * REPLACE ({days}) FROM {table}"
    start = f"CAST(day__.{identifier(index.relation.at or '')} AS DATE)"
    days = ", ".join(f"CAST(CAST(r.{time} AS DATE) - {start} AS INTEGER) AS {day}" for time, day in pairs)
    zero = tables.at[shown.hashes[index.name]]
    return f"SELECT r.* REPLACE ({days}) FROM {table} AS r LEFT JOIN {zero} AS day__ ON day__.patient_id = r.patient_id"


def broken(shown: Plan, tables: Tables) -> tuple[str, ...]:
    """Return what rows of the plan's tables break of their rules' promises, in words without values."""
    return tuple(text for rule in shown.compiled for text in tables.broken.get(shown.hashes[rule.name], ()))


def _derive(con: duckdb.DuckDBPyConnection, each: Plan, rule: Compiled, tables: Tables) -> Tables:
    from timeline.validate import validate

    found = each.hashes[rule.name]
    by_name = {other.name: other for other in each.compiled}
    upstream = _before_the_index(each)
    for name in rule.reads:
        # What the index rule reads has no days yet, and none that could be read.
        source = tables.at[each.hashes[name]]
        _view(con, name, f"SELECT * FROM {source}" if rule.name in upstream else select(each, by_name[name], tables))
    made = f"{rule.name}__{found[:16]}"
    table = f"temp.main.{whole(made)}"
    con.execute(f"CREATE TEMP TABLE {whole(made)} AS {rule.sql}")
    if rule.name == each.ruleset.index:
        _view(con, rule.name, f"SELECT * FROM {table}")
        engine.one_a_patient(con, rule, each.ruleset)
    failures = validate(con, table, rule.fields, rule.checks)
    texts = tuple(f"{rule.name}: {failure}" for failure in failures)
    return replace(
        tables, at={**tables.at, found: table}, broken={**tables.broken, found: texts}, derived=tables.derived + 1
    )


def _before_the_index(each: Plan) -> frozenset[str]:
    """The index rule and all that it reads."""
    index = _index(each)
    return frozenset({index.name, *(r.name for r in engine.upstream(each.compiled, index))}) if index else frozenset()


def _index(each: Plan) -> Compiled | None:
    return next((rule for rule in each.compiled if rule.name == each.ruleset.index), None)


def _own_tables(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The study's own tables by hash; none where events came after them."""
    if query.outdated(con):
        return {}
    database = whole(con.execute("SELECT current_database()").fetchall()[0][0])
    rows = con.execute("SELECT hash, rule FROM meta.rule ORDER BY rowid").fetchall()
    return {found: f"{database}.main.{whole(name)}" for found, name in rows}


def _same_events(con: duckdb.DuckDBPyConnection, ruleset: RuleSet) -> None:
    """Raise UsageError where the rule set's concepts would give stored events another meaning, which is a write."""
    changed = changed_codes(con, ruleset.concepts)
    if changed:
        more = f", and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        raise UsageError(
            f"these definitions change what stored events mean: concepts of {', '.join(changed[:NAMED])}{more}. "
            "Events are stored by concept, so only `timeline run` can apply that; run it on a copy of the study"
        )


def _view(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS {sql}")

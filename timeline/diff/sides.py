"""Two sets of derived tables on one connection: of two studies, or of one and of other definitions over its events.

Knows studies and definitions; must not know how rows are compared. Nothing is written.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from timeline import engine, hashes, overlay, query, store
from timeline.compiler import Compiled, compile_rules
from timeline.compiler.params import in_force
from timeline.errors import StudyError, UsageError
from timeline.quote import identifier, literal, whole
from timeline.rules import RuleSet

OTHER = "other_study"
"""The name by which the second study is attached."""


@dataclass(frozen=True)
class Side:
    """Definitions, where the table of each of their rules is, and whose events these were derived from."""

    name: str
    ruleset: RuleSet
    params: Mapping[str, Mapping[str, str]]
    """The parameters in force, by rule."""
    compiled: Mapping[str, Compiled]
    own: Mapping[str, str]
    """The hash of what each rule says by itself."""
    hashes: Mapping[str, str]
    tables: Mapping[str, str]
    """A SELECT of each rule's rows."""
    database: str
    late: bool = False
    """Events came after the tables were derived."""
    notes: tuple[str, ...] = ()


@contextmanager
def both(a: Path, b: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to study `a` with `b` beside it as `OTHER`, both to be read only."""
    if a.exists() and b.exists() and a.samefile(b):
        raise UsageError(f"{a} and {b} are the same study; name another, or other definitions with --rules or --set")
    store.connect(b, read_only=True).close()
    with closing(store.connect(a, read_only=True)) as con:
        con.execute(f"ATTACH {literal(str(b))} AS {OTHER} (READ_ONLY)")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con


def of_study(con: duckdb.DuckDBPyConnection, name: str, database: str) -> Side:
    """Return the side of a study's own tables, with the definitions of its last run; `StudyError` without a run."""
    use(con, database)
    try:
        ruleset, overrides = engine.last_run(con)
    except StudyError as error:
        raise StudyError(f"{name}: {error}") from None
    rules = engine.derived_tables(con)
    tables = {rule: f"SELECT * FROM {whole(database)}.main.{whole(rule)}" for rule in rules}
    made = _side(name, ruleset, overrides, compile_rules(ruleset, overrides), tables, database)
    if not query.outdated(con):
        return made
    return replace(made, late=True, notes=(f"{name}: its tables are older than its latest ingest",))


def of_definitions(
    con: duckdb.DuckDBPyConnection,
    name: str,
    ruleset: RuleSet,
    params: Mapping[str, str],
    progress: Callable[[str], None] | None = None,
) -> Side:
    """Return the side of the tables that `ruleset` with `params` derives of the study's events, as temporary tables."""
    in_force(ruleset, params)
    plan = overlay.plan(ruleset, params, ruleset.rules)
    made = overlay.derive(con, [plan], progress)
    tables = {rule.name: overlay.select(plan, rule, made) for rule in plan.compiled}
    broken = tuple(f"{name}: {text}" for text in overlay.broken(plan, made))
    return replace(_side(name, ruleset, params, plan.compiled, tables, database(con)), notes=broken)


def database(con: duckdb.DuckDBPyConnection) -> str:
    """Return the name of the study that unqualified names are of."""
    return con.execute("SELECT current_database()").fetchall()[0][0]


def use(con: duckdb.DuckDBPyConnection, database_name: str) -> None:
    """Let unqualified names be of that study; nothing is done where they are already."""
    if database(con) != database_name:
        con.execute(f"USE {whole(database_name)}.main")


def show(con: duckdb.DuckDBPyConnection, side: Side) -> None:
    """Let the names of rules, and the events that rules read, be those of `side`: its SELECTs can be run anew."""
    use(con, side.database)
    for rule, select in side.tables.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(rule)} AS {select}")
    engine.observe(con, tuple(side.compiled.values()))


def _side(
    name: str,
    ruleset: RuleSet,
    overrides: Mapping[str, str],
    compiled: tuple[Compiled, ...],
    tables: Mapping[str, str],
    database_name: str,
) -> Side:
    return Side(
        name=name,
        ruleset=ruleset,
        params=in_force(ruleset, overrides),
        compiled={rule.name: rule for rule in compiled},
        own=hashes.own_hashes(ruleset, compiled, overrides),
        hashes=hashes.rule_hashes(ruleset, compiled, overrides),
        tables=tables,
        database=database_name,
    )

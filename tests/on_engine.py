"""The SQL engine on a few patients in memory: the same call as the reference, for comparison; knows no case."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import polars as pl

from tests.reference import promises
from tests.reference_words import Row
from timeline import schema, store
from timeline.compiler import Compiled, compile_rules
from timeline.engine import _add_days, observe, run
from timeline.quote import identifier, literal
from timeline.rules import RuleSet
from timeline.validate import validate

Tables = dict[str, list[Row]]
"""Rows by rule."""
Person = tuple[Row, Sequence[Row]]
"""A patient's facts and events."""
_POLARS = {
    "UBIGINT": pl.UInt64,
    "TIMESTAMP": pl.Datetime("us"),
    "DATE": pl.Date,
    "DOUBLE": pl.Float64,
    "BOOLEAN": pl.Boolean,
}


def empty_study(patients: Iterable[str]) -> duckdb.DuckDBPyConnection:
    """A study in memory that these patients, and no other, may be added to."""
    con = duckdb.connect(":memory:")
    con.execute("CREATE SCHEMA meta")
    con.execute(f"CREATE TYPE {schema.PATIENT_KEY} AS ENUM ({', '.join(literal(p) for p in sorted(patients))})")
    for name in schema.TABLES:
        con.execute(schema.ddl(name))
    store.refresh_views(con)
    return con


def fill(con: duckdb.DuckDBPyConnection, people: Sequence[Person], order: str = "patient_id, time, event_id") -> None:
    """Replace the study's patients and events by `people`, events stored in `order`."""
    for name, fields, rows in (
        ("patient", schema.PATIENT, [facts for facts, _ in people]),
        ("meta.event", schema.EVENT, [event for _, events in people for event in events]),
    ):
        con.execute(f"DELETE FROM {name}")
        if rows:
            types = {field.name: _POLARS.get(field.type, pl.String) for field in fields}
            frame = pl.DataFrame([{column: row.get(column) for column in types} for row in rows], schema=types)
            by = order if name == "meta.event" else "patient_id"
            con.register("frame", frame)
            con.execute(f"INSERT INTO {name} SELECT * FROM frame ORDER BY {by}")
            con.unregister("frame")


def derive_by_sql(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, people: Sequence[Person], settings: Mapping[str, str] = {}
) -> dict[str, Tables]:
    """Every rule's rows by patient, by the compiled SQL alone; the study is left without derived tables."""
    compiled = compile_rules(ruleset, settings)
    fill(con, people)
    return derive_compiled(con, ruleset, compiled, people)


def derive_compiled(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, compiled: tuple[Compiled, ...], people: Sequence[Person]
) -> dict[str, Tables]:
    """As `derive_by_sql`, of rules that are compiled already and events that the study already has."""
    with derived(con, ruleset, compiled):
        return tables_in(con, ruleset, people)


@contextmanager
def derived(con: duckdb.DuckDBPyConnection, ruleset: RuleSet, compiled: tuple[Compiled, ...]) -> Iterator[None]:
    """Every rule's table is there for as long as the context lasts."""
    observe(con, compiled)
    con.execute("BEGIN")
    try:
        for place, rule in enumerate(compiled):
            con.execute(f"CREATE TABLE {identifier(rule.name)} AS {rule.sql}")
            if rule.name == ruleset.index:
                for earlier in compiled[:place]:
                    _add_days(con, earlier, rule)
        yield
    finally:
        con.execute("ROLLBACK")


def broken_in(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, compiled: Iterable[Compiled]
) -> Counter[tuple[str, str]]:
    """How many of the derived rows break a promise, by rule and by check or column."""
    found: Counter[tuple[str, str]] = Counter()
    for rule in compiled:
        if rule.checks or any(promises(column) for column in ruleset.rules[rule.name].columns.values()):
            for failure in validate(con, identifier(rule.name), rule.fields, rule.checks):
                found[rule.name, failure.column or failure.check] += failure.failures
    return found


def derive_by_run(
    con: duckdb.DuckDBPyConnection, ruleset: RuleSet, people: Sequence[Person], settings: Mapping[str, str]
) -> dict[str, Tables]:
    """Every rule's rows by patient, by a whole run of the engine, with all that it checks."""
    fill(con, people)
    run(con, ruleset, settings)
    return tables_in(con, ruleset, people)


def people_in(con: duckdb.DuckDBPyConnection) -> list[Person]:
    """The patients that a study holds, with their events."""

    def rows(table: str) -> list[Row]:
        cursor = con.execute(f"SELECT * FROM {table} ORDER BY ALL")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    events: dict[str, list[Row]] = {}
    for event in rows("meta.event"):
        events.setdefault(event["patient_id"], []).append(event)
    return [(facts, events.get(facts["patient_id"], [])) for facts in rows("patient")]


def tables_in(con: duckdb.DuckDBPyConnection, ruleset: RuleSet, people: Sequence[Person]) -> dict[str, Tables]:
    """The derived rows that a study holds, by patient and rule."""
    found: dict[str, Tables] = {facts["patient_id"]: {name: [] for name in ruleset.rules} for facts, _ in people}
    for name in ruleset.rules:
        cursor = con.execute(f"SELECT * FROM {identifier(name)} ORDER BY patient_id, number")
        names = [column[0] for column in cursor.description]
        for values in cursor.fetchall():
            found[values[0]][name].append(dict(zip(names, values, strict=True)))
    return found

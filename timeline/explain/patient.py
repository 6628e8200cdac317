"""One patient of a study: the rules in force, run again for this patient alone; nothing is written.

A rule's SELECT reads relations by their names; temporary views of those names show it this patient only.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from timeline import engine
from timeline.compiler import Compiled, compile_rules, needed
from timeline.compiler.context import missing
from timeline.compiler.params import in_force, literals
from timeline.errors import UsageError
from timeline.explain.records import EventShown
from timeline.query import refuse_stranger
from timeline.quote import identifier, literal
from timeline.rules import RuleSet

Row = dict[str, Any]


@dataclass(frozen=True)
class Patient:
    """A connection that shows one patient, and the compiled rules by name."""

    con: duckdb.DuckDBPyConnection
    name: str
    ruleset: RuleSet
    compiled: Mapping[str, Compiled]
    params: Mapping[str, Mapping[str, str]]
    """The text of each rule's parameters in force."""

    def rows(self, sql: str) -> list[Row]:
        """Return what `sql` gives of this patient, as dictionaries."""
        result = self.con.execute(sql)
        columns = [column[0] for column in result.description or ()]
        found = [dict(zip(columns, values, strict=True)) for values in result.fetchall()]
        return [row for row in found if row.get("patient_id", self.name) == self.name]

    def table(self, rule: str) -> list[Row]:
        """Return the rule's rows of this patient as the study holds them."""
        own = f"patient_id = {literal(self.name)}"
        return self.rows(f"SELECT * FROM {_stored(self.con, rule)} WHERE {own} ORDER BY number")

    @contextmanager
    def derived(self, rule: str) -> Iterator[list[Row]]:
        """Give the rule's rows with outcomes, values and what lookups found; their table has the rule's name."""
        self.con.execute(f"DROP VIEW IF EXISTS temp.{identifier(rule)}")
        self.con.execute(f"CREATE TEMP TABLE {identifier(rule)} AS {self.compiled[rule].shown.sql}")
        try:
            yield self.rows(f"SELECT * FROM {identifier(rule)} ORDER BY number")
        finally:
            self.con.execute(f"DROP TABLE temp.{identifier(rule)}")
            _show(self.con, rule, self.name)

    def events(self, roles: Mapping[int, Sequence[str]]) -> tuple[EventShown, ...]:
        """Return the events named, in order of time, each with its roles."""
        if not roles:
            return ()
        listed = ", ".join(str(event_id) for event_id in sorted(roles))
        columns = (
            "event_id, time, end_time, code, concept, bound, value, unit, text, source_file, source_row, date_only"
        )
        rows = self.rows(
            f"SELECT {columns} FROM event WHERE event_id IN ({listed}) AND patient_id = {literal(self.name)} "
            "ORDER BY time NULLS FIRST, event_id"
        )
        return tuple(EventShown(**row, roles=tuple(dict.fromkeys(roles[row["event_id"]]))) for row in rows)


@contextmanager
def one_patient(con: duckdb.DuckDBPyConnection, rule: str, patient: str) -> Iterator[Patient]:
    """Show only `patient` to the rules that `rule` needs; raise UsageError for a name that the study does not have."""
    ruleset, overrides = engine.last_run(con)
    if rule not in ruleset.rules:
        raise UsageError(missing("rule", rule, list(ruleset.rules)))
    refuse_stranger(con, patient)
    part = needed(ruleset, {rule})
    overrides = {key: text for key, text in overrides.items() if key.partition(".")[0] in part.rules}
    compiled = {made.name: made for made in compile_rules(part, overrides)}
    names = ("observation", "patient", *compiled)
    for name in names:
        _show(con, name, patient)
    try:
        yield Patient(con, patient, part, compiled, _shown_params(part, overrides))
    finally:
        for name in names:
            con.execute(f"DROP VIEW IF EXISTS temp.{identifier(name)}")


def _shown_params(ruleset: RuleSet, overrides: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Each rule's parameters as text; a threshold with a unit of its own as it is compared, in the concept's unit."""
    converted, _ = literals(ruleset, overrides)
    return {
        rule: {p: converted[rule][p] if ruleset.rules[rule].params[p].of else text for p, text in texts.items()}
        for rule, texts in in_force(ruleset, overrides).items()
    }


def _show(con: duckdb.DuckDBPyConnection, name: str, patient: str) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {identifier(name)} AS SELECT * FROM {_stored(con, name)} "
        f"WHERE patient_id = {literal(patient)}"
    )


def _stored(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """The study's own relation of that name, which a temporary one may hide."""
    database = con.execute("SELECT current_database()").fetchall()[0][0]
    return f'"{database.replace(chr(34), chr(34) * 2)}".main.{identifier(name)}'

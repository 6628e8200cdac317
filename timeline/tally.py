"""Count what each clause decided: how many rows made it true, false and unknown. Knows compiled rules, no YAML."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from timeline.compiler import Compiled
from timeline.compiler.clauses import Clause, outcome
from timeline.quote import identifier

ONE_AFTER_ANOTHER = ("where", "step")
"""Clauses of these kinds all have to hold: of each is counted what it and those before it leave."""


@dataclass(frozen=True)
class Tally:
    """A clause and how many of the rows on which it was asked made it true, false and unknown."""

    clause: Clause
    asked_of: str
    """The relation whose rows were asked: one that the rule reads, or the rule itself."""
    true: int
    false: int
    unknown: int
    left: int | None
    """Rows for which it and the clauses before it hold; None where it stands alone."""
    patients_left: int | None


def tally(con: duckdb.DuckDBPyConnection, rule: Compiled) -> tuple[Tally, ...]:
    """Return the tallies of every clause of `rule`; its table holds the outcomes, as `rule.outcomes` made it."""
    found: list[Tally] = []
    for reading in (reading for reading in rule.readings if reading.tallied):
        found += _count(con, f"({reading.rows})", reading.clauses, reading.of)
    derived = [*(_column(clause, f"c__{k}") for k, clause in enumerate(rule.asked)), *checks(rule)]
    return (*found, *_count(con, identifier(rule.name), derived, rule.name))


def checks(rule: Compiled) -> list[Clause]:
    """The clauses of a rule's checks, asked of its finished rows."""
    return [
        Clause(f"check: {name}", "check", f"checks.{name}", name, outcome(sql)) for name, sql in rule.checks.items()
    ]


def _column(clause: Clause, name: str) -> Clause:
    """The clause with the column that holds its outcome."""
    return Clause(clause.name, clause.kind, clause.path, clause.text, identifier(name))


def _count(con: duckdb.DuckDBPyConnection, rows: str, clauses: Sequence[Clause], of: str) -> list[Tally]:
    if not clauses:
        return []
    columns = [f"c__{k}" for k in range(len(clauses))] if rows.startswith("(") else [c.sql for c in clauses]
    conditions: list[dict[str, str]] = []
    together: list[str] = []
    for clause, column in zip(clauses, columns, strict=True):
        together += [column] if clause.kind in ONE_AFTER_ANOTHER else []
        left = " AND ".join(f"{name} = 1" for name in together)
        counted = {"t": f"{column} = 1", "f": f"{column} = 0", "u": f"{column} = -1"}
        conditions.append(counted | ({"l": left} if clause.kind in ONE_AFTER_ANOTHER else {}))
    counts = [
        f"count(*) FILTER (WHERE {sql}) AS {n}{k}" for k, each in enumerate(conditions) for n, sql in each.items()
    ]
    if together:
        # First by patient, so that patients are counted without a set of them for every clause.
        sums = [f"coalesce(sum({n}{k}), 0)::BIGINT AS {n}{k}" for k, each in enumerate(conditions) for n in each]
        sums += [f"count(*) FILTER (WHERE l{k} > 0) AS p{k}" for k, each in enumerate(conditions) if "l" in each]
        query = f"SELECT {', '.join(sums)} FROM (SELECT {', '.join(counts)} FROM {rows} GROUP BY patient_id)"
    else:
        query = f"SELECT {', '.join(counts)} FROM {rows}"
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    numbers = dict(zip(names, result.fetchall()[0], strict=True))
    return [
        Tally(clause, of, *(numbers[f"{n}{k}"] for n in "tfu"), *(numbers.get(f"{n}{k}") for n in "lp"))
        for k, clause in enumerate(clauses)
    ]

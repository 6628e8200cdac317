"""The five rules of the benchmark, compiled and by hand, over one study; knows no time and no memory."""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from timeline import engine, load, tally
from timeline.compiler import Compiled, compile_rules

BY_HAND = Path(__file__).with_name("by_hand.sql")
TARGETS = ("steroid_course", "crs_episode", "anakinra_window", "steroid_refractory", "lab_pair")
COMPARED = ("steroid_course", "crs_grade", "crs_episode", "anakinra_window", "icans_grade", "icans_episode",
            "steroid_refractory", "lab_pair")  # fmt: skip


def five_rules() -> tuple[Compiled, ...]:
    """The shipped rules that the five need, those among them, in order."""
    compiled = compile_rules(load.load([]), {})
    by_name = {rule.name: rule for rule in compiled}
    needed: set[str] = set()
    waiting: list[str] = list(TARGETS)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += by_name[name].reads
    return tuple(rule for rule in compiled if rule.name in needed)


def derive(con: duckdb.DuckDBPyConnection, rules: Sequence[Compiled]) -> None:
    """The rules' tables as temporary tables of `con`, which may be read-only: nothing but their SELECTs is run."""
    engine.observe(con, tuple(rules))
    for rule in rules:
        con.execute(f'CREATE TEMP TABLE "{rule.name}" AS {rule.sql}')


def derive_judged(con: duckdb.DuckDBPyConnection, rules: Sequence[Compiled]) -> int:
    """As `derive`, with all that a run keeps of clauses: outcomes, counts, verdicts. Returns how many verdicts."""
    engine.observe(con, tuple(rules))
    con.execute("CREATE TEMP TABLE verdict (patient_id VARCHAR, number INTEGER, analyte VARCHAR, clause VARCHAR, "
                "outcome VARCHAR, reason VARCHAR, margin DOUBLE)")  # fmt: skip
    for rule in rules:
        con.execute(f'CREATE TEMP TABLE "{rule.name}" AS {rule.outcomes}')
        tally.tally(con, rule)
        if rule.verdicts is not None:
            con.execute(f"INSERT INTO verdict {rule.verdicts}")
        for column in rule.extra:
            con.execute(f'ALTER TABLE "{rule.name}" DROP COLUMN "{column}"')
    return _count(con, "FROM verdict")


def derive_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    """The same by the SQL of `by_hand.sql`, as temporary tables `by_hand_NAME`."""
    for _, statement in by_hand():
        con.execute(statement)


def by_hand() -> list[tuple[str, str]]:
    """The statements of `by_hand.sql`, by name."""
    parts = re.split(r"^-- ([a-z_]+)\n", BY_HAND.read_text(), flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def different(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table that only one of the two has; sums of doses are compared to the microgram."""
    found = {}
    for table in COMPARED:
        con.execute(f"SELECT * FROM by_hand_{table} LIMIT 0")
        columns = [
            f'round("{name}", 3)' if kind.id == "double" else f'"{name}"' for name, kind, *_ in con.description or []
        ]
        con.fetchall()
        rules, hand = (f"SELECT {', '.join(columns)} FROM {prefix}{table}" for prefix in ("", "by_hand_"))
        found[table] = _count(con, f"{rules} EXCEPT ALL {hand}") + _count(con, f"{hand} EXCEPT ALL {rules}")
    return found


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]

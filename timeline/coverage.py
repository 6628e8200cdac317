"""Which clauses of a rule set do its examples exercise: each true for some row, and not true for some row.

Knows how clauses are counted in a study, not how they are compiled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from timeline.examples import ExampleResult, run_examples
from timeline.rules import ROW_PICKS, Rule, RuleSet


@dataclass(frozen=True)
class Covered:
    """A clause, and how many rows of the examples made it true, and not true (false or unknown)."""

    rule: str
    kind: str
    clause: str
    true: int
    not_true: int
    promised: bool
    """A check, or a lookup whose column is promised never to be empty: where it is not true, the run stops."""

    @property
    def complete(self) -> bool:
        """Whether some row made it true and, where that can be, some row did not."""
        return not self.lacks

    @property
    def lacks(self) -> str:
        """What no example shows: `true`, `not true`, both, or nothing."""
        never = [] if self.true else ["true"]
        return " nor ".join(never if self.not_true or self.promised else [*never, "not true"])


@dataclass(frozen=True)
class Coverage:
    """The clauses of the rules of some folders, and what examples show of them."""

    clauses: tuple[Covered, ...]
    examples: tuple[ExampleResult, ...]

    @property
    def missing(self) -> tuple[Covered, ...]:
        return tuple(clause for clause in self.clauses if not clause.complete)

    @property
    def percent(self) -> float:
        """Share of clauses that are complete, in percent; of no clauses all are."""
        return 100 * (1 - len(self.missing) / len(self.clauses)) if self.clauses else 100.0


def coverage(ruleset: RuleSet, folders: Sequence[Path] = ()) -> Coverage:
    """Return the coverage of the rules that stand in `folders` by the examples there; of all, where none are named."""
    from timeline import engine, store
    from timeline.compiler import needed

    counts: dict[tuple[str, str, str], list[int]] = {}

    def note(con: duckdb.DuckDBPyConnection) -> None:
        rows = con.execute(
            "SELECT rule, kind, clause, rows_true, rows_false + rows_unknown FROM meta.clause ORDER BY rule, position"
        ).fetchall()
        for rule, kind, clause, true, not_true in rows:
            # The one `where` of a grade is asked of each finding.
            words = f"where: {clause.partition('where: ')[2]}" if kind == "where" else clause
            count = counts.setdefault((rule, kind, words), [0, 0])
            count[0] += true
            count[1] += not_true

    own = {name for name in ruleset.rules if not folders or _stands_in(ruleset.places[name], folders)}
    with store.connect(":memory:") as con:
        # Nobody in it: clauses of rules that no example derives are counted, too.
        engine.run(con, needed(ruleset, own))
        note(con)
    stands = {where: e for where, e in ruleset.examples.items() if not folders or _stands_in(where, folders)}
    results = run_examples(ruleset.model_copy(update={"examples": stands}), note)
    clauses = tuple(
        Covered(rule, kind, clause, true, not_true, _promised(ruleset.rules[rule], kind, clause))
        for (rule, kind, clause), (true, not_true) in counts.items()
        if rule in own
    )
    return Coverage(clauses, results)


def _promised(rule: Rule, kind: str, clause: str) -> bool:
    column = rule.columns.get(clause)
    if kind == "lookup" and column is not None and column.lookup is not None:
        return column.lookup.pick in ROW_PICKS and not column.nullable
    return kind == "check"


def _stands_in(place: str, folders: Sequence[Path]) -> bool:
    return any(place.startswith(f"{folder}/") for folder in folders)

"""What changed between two studies, or would change under other definitions: by rule, and row by row with its cause.

Knows sides, matched rows and causes; must not know what a rule means. Nothing is written.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from timeline import query
from timeline.diff import causes, definitions, matching, sides
from timeline.diff.matching import Change, Matched
from timeline.diff.sides import Side

if TYPE_CHECKING:
    import polars


OTHER_EVENTS = "the two studies hold different extracts, or other versions of them"


@dataclass(frozen=True)
class RuleDiff:
    """One rule on both sides: its rows, how many are not the same, and whether its definition is."""

    rule: str
    rows_a: int | None
    """None on a side that does not have the rule; its rows are then counted, not listed."""
    rows_b: int | None
    appeared: int
    vanished: int
    changed: int
    evidence_only: int
    """Rows that say the same, decided by other events: no change, and not listed."""
    patients: int
    """With a row that appeared, vanished or changed."""
    definition: Literal["same", "own", "through", "only a", "only b"]
    """own: the rule itself says something else; through: only rules that it reads do."""
    parts: tuple[str, ...] = ()
    """What differs in its own definition."""
    through: tuple[str, ...] = ()
    """The rules upstream that themselves say something else."""
    only_a: tuple[str, ...] = ()
    """Columns that only one side has, which are not compared."""
    only_b: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        return self.definition != "same" or bool(self.appeared or self.vanished or self.changed or self.evidence_only)


@dataclass(frozen=True)
class RowDiff:
    """A row that is not the same on both sides. What it says, and when, only where it was asked for."""

    rule: str
    patient_id: str
    change: Change
    number_a: int | None
    number_b: int | None
    columns: tuple[str, ...]
    cause: tuple[str, ...]
    """Clauses whose outcome differs, rules upstream with other rows of the patient, or what differs in the rule."""
    time: datetime | None = None
    values_a: Mapping[str, Any] | None = None
    values_b: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Diff:
    """Two sides compared."""

    a: str
    b: str
    rules: tuple[RuleDiff, ...]
    rows: tuple[RowDiff, ...]
    """By patient, then in the order in which rules read each other."""
    patients: int
    notes: tuple[str, ...]
    remark: str
    values: bool
    seconds: float

    @property
    def frame(self) -> "polars.DataFrame":
        """The rows as a frame, lists as text; `time` and the values only where they were asked for."""
        import polars

        text = {"rule": polars.String, "patient_id": polars.String, "change": polars.String}
        shape = {
            **text,
            "number_a": polars.Int64,
            "number_b": polars.Int64,
            "columns": polars.String,
            "cause": polars.String,
        }
        asked = {"time": polars.Datetime("us"), "values_a": polars.String, "values_b": polars.String}
        rows = [
            (row.rule, row.patient_id, row.change, row.number_a, row.number_b, ", ".join(row.columns),
             "; ".join(row.cause), *((row.time, _text(row.values_a), _text(row.values_b)) if self.values else ()))
            for row in self.rows
        ]  # fmt: skip
        return polars.DataFrame(rows, schema={**shape, **(asked if self.values else {})}, orient="row")


def diff(
    con: duckdb.DuckDBPyConnection,
    a: Side,
    b: Side,
    *,
    values: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Diff:
    """Return what is not the same on side `a` and side `b`; with `values` also what the rows say."""
    clock, say = time.perf_counter(), progress or (lambda doing: None)
    order = dict.fromkeys((*b.compiled, *a.compiled))
    found: list[RuleDiff] = []
    listed: list[RowDiff] = []
    patients: dict[str, frozenset[str]] = {}
    other_sources = _other_sources(con, a, b)
    same_events = not (other_sources or a.late or b.late)
    for rule in order:
        say(rule)
        if rule not in a.tables or rule not in b.tables:
            found.append(_only(con, a, b, rule))
            continue
        matched = _matched(con, a, b, rule, values)
        patients[rule] = frozenset(row.patient_id for row in matched.rows)
        found.append(_rule(a, b, rule, matched, len(patients[rule])))
        because = causes.causes(con, a, b, rule, matched.rows, patients, same_events)
        for row, cause in zip(matched.rows, because, strict=True):
            told = {"time": row.at, "values_a": row.values_a, "values_b": row.values_b} if values else {}
            listed.append(
                RowDiff(rule, row.patient_id, row.change, row.number_a, row.number_b, row.columns, cause, **told)
            )
    place = {rule: i for i, rule in enumerate(order)}
    listed.sort(key=lambda row: (row.patient_id, place[row.rule]))
    everybody = frozenset[str]().union(*patients.values())
    return Diff(
        a=a.name,
        b=b.name,
        rules=tuple(found),
        rows=tuple(listed),
        patients=len(everybody),
        notes=(*a.notes, *b.notes, *([OTHER_EVENTS] if other_sources else [])),
        remark=_remark(con, a, b),
        values=values,
        seconds=time.perf_counter() - clock,
    )


def _matched(con: duckdb.DuckDBPyConnection, a: Side, b: Side, rule: str, values: bool) -> Matched:
    if a.tables[rule] == b.tables[rule]:
        rows = con.execute(f"SELECT count(*) FROM ({a.tables[rule]})").fetchall()[0][0]
        return Matched(rows, rows, (), 0, (), ())
    # Episodes of two groups that begin together are two rows, whatever else they say.
    apart = getattr(b.ruleset.rules[rule], "by", ())
    return matching.match(con, a.tables[rule], b.tables[rule], apart=apart, values=values)


def _rule(a: Side, b: Side, rule: str, matched: Matched, patients: int) -> RuleDiff:
    changes = [row.change for row in matched.rows]
    own = a.own[rule] != b.own[rule]
    through = definitions.roots(a, b, rule)
    return RuleDiff(
        rule=rule,
        rows_a=matched.rows_a,
        rows_b=matched.rows_b,
        appeared=changes.count("appeared"),
        vanished=changes.count("vanished"),
        changed=changes.count("changed"),
        evidence_only=matched.evidence_only,
        patients=patients,
        definition="own" if own else "through" if through else "same",
        parts=definitions.parts(a, b, rule) if own else (),
        through=through,
        only_a=matched.only_a,
        only_b=matched.only_b,
    )


def _only(con: duckdb.DuckDBPyConnection, a: Side, b: Side, rule: str) -> RuleDiff:
    """A rule that one side does not have: its rows are counted."""
    side = a if rule in a.tables else b
    rows = con.execute(f"SELECT count(*) FROM ({side.tables[rule]})").fetchall()[0][0]
    if side is a:
        return RuleDiff(rule, rows, None, 0, 0, 0, 0, 0, "only a")
    return RuleDiff(rule, None, rows, 0, 0, 0, 0, 0, "only b")


def _other_sources(con: duckdb.DuckDBPyConnection, a: Side, b: Side) -> bool:
    """Whether the two are studies that do not hold the same sources."""
    if a.database == b.database:
        return False
    hashes = []
    for side in (a, b):
        sides.use(con, side.database)
        hashes.append(con.execute("SELECT source_file, sha256 FROM meta.source ORDER BY ALL").fetchall())
    return hashes[0] != hashes[1]


def _remark(con: duckdb.DuckDBPyConnection, a: Side, b: Side) -> str:
    said = []
    for side in (a, b):
        sides.use(con, side.database)
        said.append(query.remark(con))
    return " ".join(dict.fromkeys(said)).strip()


def _text(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else "; ".join(f"{name} {value}" for name, value in values.items())

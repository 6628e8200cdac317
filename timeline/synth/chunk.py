"""A part of a synthetic cohort on its way to a file, and SQL that reads its cells; knows no format and no medicine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.ingest import parse
from timeline.ingest.parse import Source
from timeline.quote import identifier

if TYPE_CHECKING:
    import duckdb
    import polars as pl

COLUMNS = ("patient_id", "time", "end_time", "code", "value", "unit", "text", "route")


@dataclass(frozen=True)
class Chunk:
    """Some patients, and all that is written of them."""

    events: "pl.DataFrame"
    """`COLUMNS` as text, and `record`: the number of the source's record, the same where a row is written twice."""
    people: "pl.DataFrame"
    """patient_id, sex, birth_date of those who are in the register."""
    numbers: "pl.DataFrame"
    """patient_id, number: a whole number for formats whose ids must be one."""


@contextmanager
def tables(chunk: Chunk) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Give a connection in which the chunk is the tables `events` and `people`, each with the patient's `number`."""
    import duckdb

    with duckdb.connect() as con:
        con.register("numbers", chunk.numbers)
        for name, frame, order in (("event", chunk.events, "place"), ("person", chunk.people, "patient_id")):
            con.register(name, frame.with_row_index("place"))
            con.execute(
                f"CREATE TEMP TABLE {name}s AS SELECT t.*, n.number FROM {name} AS t LEFT JOIN numbers AS n "
                f"ON n.patient_id = t.patient_id ORDER BY t.{order}"
            )
        yield con


def moment(name: str) -> str:
    """The TIMESTAMP of a column of text; NULL where it is none."""
    return parse.time(Source(identifier(name), "VARCHAR"), None)[0]


def is_date(name: str) -> str:
    """Whether a column of text is a bare date."""
    return f"coalesce({parse.time(Source(identifier(name), 'VARCHAR'), None)[1]} = {parse.DATE_ONLY}, FALSE)"


NUMBER = parse.number("value")
PLAIN = f"CASE WHEN {NUMBER} IS NOT NULL THEN ltrim(regexp_replace(value, '^{parse.BOUND}', '')) END"
"""The number as it is written, without its bound."""
BOUND = f"CASE WHEN {NUMBER} IS NOT NULL THEN {parse.bound('value')} END"

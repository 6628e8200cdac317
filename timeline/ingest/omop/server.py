"""Tables of a PostgreSQL server, and views -> copies, made once and in order; knows no column's meaning.

Rows on a server or of a view have no lasting numbers and no bytes to hash: sorted by all their columns they get the
same numbers each time, and what they hold stands for the content.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from timeline.errors import ExtractError
from timeline.ingest.omop.found import Extract, Found
from timeline.ingest.omop.tables import VOCABULARY
from timeline.quote import identifier, literal

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection


def attach(con: "Connection", address: str, catalog: str, shown: str) -> None:
    """Attach the server's database, to be read only; raise ExtractError where it cannot be, without the address."""
    try:
        con.execute(f"ATTACH {literal(address)} AS {identifier(catalog)} (TYPE postgres, READ_ONLY)")
    except duckdb.Error as error:
        if "extension" in str(error).lower():
            raise ExtractError(
                f"{shown}: DuckDB {duckdb.__version__} has no PostgreSQL extension here, and cannot fetch one; write "
                "each table to a file instead, in psql: \\copy person TO 'omop/person.csv' CSV HEADER, and ingest "
                "that folder"
            ) from None
        raise ExtractError(
            f"{shown}: the server cannot be reached, or does not let this user in; is the address "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?"
        ) from None


def copied(con: "Connection", extract: Extract, scratch: str) -> Extract:
    """The same tables, those without lasting numbers copied; those of the vocabulary are looked up where they lie."""
    return Extract(
        tuple(one if one.numbered or one.table in VOCABULARY else _copy(con, one, scratch) for one in extract.tables),
        extract.notes,
    )


def _copy(con: "Connection", one: Found, scratch: str) -> Found:
    table = f"{scratch}_copy_{one.table}"
    con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {one.relation} ORDER BY ALL")
    # A sum, not an exclusive or, in which equal rows would cancel out.
    digest = con.execute(f"SELECT sha256(concat_ws('/', count(*), sum(CAST(hash(t) AS HUGEINT)))) FROM {table} AS t")
    rows = f"(SELECT *, CAST(rowid + 1 AS UBIGINT) AS source_row FROM {table})"
    return replace(one, relation=rows, digest=digest.fetchall()[0][0], numbered=True)

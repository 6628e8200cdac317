"""How much memory an ingest may take, whatever the size of the extract; knows no extract and no table.

What DuckDB cannot hold below its limit it writes to a folder beside the study, and drops it at the end. Python, the
libraries and the text that is just being read come on top of the limit: some 250 MB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from timeline.errors import ExtractError

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

BASE, A_THREAD = 512 << 20, 48 << 20
"""Bytes of DuckDB: below them nothing was found to be faster with more, and 16 threads to have enough."""

ROWS = 2_000_000
"""Rows that are grouped or compared at a time, where all of them would not fit."""


def shares(con: "Connection", rows: str, number: str) -> list[str]:
    """Conditions that share the rows of a table among them by `number`, so that each leaves about `ROWS`."""
    n = con.execute(f"SELECT count(*) FROM {rows}").fetchall()[0][0]
    parts = -(-n // ROWS)
    return [f"{number} % {parts} = {part}" for part in range(parts)] if parts > 1 else ["TRUE"]


@contextmanager
def bounded(con: "Connection") -> Iterator[None]:
    """Hold DuckDB to the bound, or to a lower one that it has; raise ExtractError where that is not enough.

    A study in memory is as large as it is: it keeps its limit.
    """
    import duckdb

    before, threads, path = con.execute("""SELECT parse_formatted_bytes(current_setting('memory_limit')),
            current_setting('threads'), path
        FROM duckdb_databases() WHERE database_name = current_database()""").fetchall()[0]
    bound = min(before, BASE + A_THREAD * threads)
    try:
        if path is not None:
            con.execute(f"SET memory_limit = '{bound} bytes'")
        yield
    except duckdb.OutOfMemoryException:
        raise ExtractError(
            f"not enough room: {bound >> 20} MB of memory, and the space on the disk of the study for what does not "
            "fit there, are less than this extract takes; free some on the disk, and close other programs"
        ) from None
    finally:
        # The setting is shown rounded down: a trifle more, or it would shrink each time.
        con.execute(f"SET memory_limit = '{int(before * 1.00005)} bytes'")


@contextmanager
def joined_as_written(con: "Connection") -> Iterator[None]:
    """Let joins hold what stands on their right, and read through what stands on their left.

    Of a text file DuckDB guesses a few dozen rows, and would hold all of it in a hash table.
    """
    con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        yield
    finally:
        con.execute("RESET disabled_optimizers")

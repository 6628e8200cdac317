"""Which files of a folder hold FHIR, and their resources as relations that DuckDB reads; knows no element of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.ingest.fhir.bundle import Entry, entries, opened
from timeline.ingest.fhir.elements import READ
from timeline.ingest.fhir.extract import type_of
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

LINES = (".ndjson", ".ndjson.gz", ".ndjson.zst", ".jsonl", ".jsonl.gz", ".jsonl.zst")
"""A resource a line, as bulk exports are written."""
DOCUMENTS = (".json", ".json.gz", ".json.zst")
HEAD = 1 << 16
"""Characters in which a document must say what it is."""
LONGEST = 16 << 20
"""Bytes of one line."""
BATCH = 8 << 20
"""Characters of entries that are handed to the database at a time."""


def is_lines(path: Path) -> bool:
    return path.name.lower().endswith(LINES)


def found(path: Path) -> list[Path]:
    """The files that may hold FHIR, in the order of their names."""
    if path.is_file():
        return [path] if path.name.lower().endswith(LINES + DOCUMENTS) else []
    inside = sorted(one for one in path.rglob("*") if one.is_file())
    return [one for one in inside if one.name.lower().endswith(LINES + DOCUMENTS) and not one.name.startswith(".")]


def is_fhir(path: Path) -> bool:
    """Whether a file begins as FHIR does."""
    head, _ = _head(path)
    return head.lstrip().startswith("{") and '"resourceType"' in head


def unreadable(path: Path) -> str:
    """Why a file cannot be told for FHIR, where its name ends so; empty where that is not known."""
    head, why = _head(path)
    if head.lstrip().startswith("[") and '"resourceType"' in head:
        return "a list of resources; FHIR is a resource or a Bundle a file, or a resource a line of *.ndjson"
    return why


def _head(path: Path) -> tuple[str, str]:
    """The beginning of a file; empty, and why, where it cannot be read."""
    try:
        with opened(path) as file:
            return file.read(HEAD), ""
    except UnicodeDecodeError:
        return "", "not UTF-8, as FHIR is written"
    except (OSError, EOFError):
        return "", "damaged or cut short"


def lines(number: int, path: Path) -> str:
    """A relation of the lines of a file, numbered as an editor does: what `extract.Source` asks for; no blank ones."""
    read = (
        f"read_csv({literal(str(path))}, delim = chr(31), quote = '', escape = '', auto_detect = false, "
        f"header = false, columns = {{'json': 'VARCHAR'}}, max_line_size = {LONGEST}, buffer_size = {2 * LONGEST})"
    )
    numbered = f"SELECT CAST(row_number() OVER () AS UBIGINT) AS source_row, json FROM {read}"
    return (
        f"(SELECT CAST({number} AS UINTEGER) AS file, source_row, CAST(NULL AS VARCHAR) AS full_url, json, "
        f"{type_of('json', '$.resourceType')} AS type FROM ({numbered}) WHERE trim(json) <> '')"
    )


def documents(con: "Connection", table: str, paths: Sequence[tuple[int, Path, str]]) -> list[int]:
    """Fill the temporary `table` with the entries of documents; return the numbers of those that hold no resource.

    Of a resource that is not read only its type is kept.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {table}
        (file UINTEGER, source_row UBIGINT, full_url VARCHAR, json VARCHAR, type VARCHAR)""")
    held: list[tuple[int, Entry]] = []
    size, full = 0, set()
    for number, path, name in paths:
        for entry in entries(path, name):
            full.add(number)
            held.append((number, entry))
            size += len(entry.json)
            if size > BATCH:
                _insert(con, table, held)
                held, size = [], 0
    _insert(con, table, held)
    return [number for number, _, _ in paths if number not in full]


def _insert(con: "Connection", table: str, held: Sequence[tuple[int, Entry]]) -> None:
    import pyarrow as pa

    columns = {
        "file": pa.array([number for number, _ in held], pa.uint32()),
        "source_row": pa.array([entry.row for _, entry in held], pa.uint64()),
        "full_url": pa.array([entry.full_url for _, entry in held], pa.string()),
        "json": pa.array([entry.json for _, entry in held], pa.string()),
    }
    con.register(f"{table}_batch", pa.table(columns))
    read = ", ".join(literal(type_) for type_ in READ)
    con.execute(f"""INSERT INTO {table}
        SELECT file, source_row, full_url, CASE WHEN type IN ({read}) THEN json END, type
        FROM (SELECT *, {type_of("json", "$.resource.resourceType")} AS type FROM {table}_batch)""")
    con.unregister(f"{table}_batch")

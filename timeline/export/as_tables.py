"""Tables as they are, a file each, CSV or Parquet: read back they are equal to the study's; knows no rule."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.export import Request, Written
from timeline.export.dictionary import Table
from timeline.quote import identifier, literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

ORDER = {"patient": ("patient_id",), "event": ("patient_id", "time", "event_id")}


def prepare(con: "Connection", request: Request, known: Mapping[str, Table]) -> None:
    """Nothing can be wrong with tables that are there."""


def write(
    con: "Connection", folder: Path, request: Request, known: Mapping[str, Table]
) -> tuple[tuple[Written, ...], tuple[str, ...]]:
    """Write NAME.csv or NAME.parquet for each table; rows in the order of patient and number."""
    written = []
    for name in request.tables:
        table = known[name]
        file = f"{name}.{request.form}"
        listed = ", ".join(_column(field.name, field.type, request.form) for field in table.fields)
        order = ORDER.get(name) or [one for one in ("patient_id", "number", "analyte") if one in table.columns]
        select = f"SELECT {listed} FROM {identifier(name)} ORDER BY {', '.join(f'{one} NULLS FIRST' for one in order)}"
        options = "FORMAT csv, HEADER" if request.form == "csv" else "FORMAT parquet"
        count = con.execute(f"COPY ({select}) TO {literal(str(folder / file))} ({options})").fetchall()[0][0]
        written.append(Written(file, count))
    return tuple(written), ()


def _column(name: str, kind: str, form: str) -> str:
    column = identifier(name)
    if kind.endswith("[]") and form == "csv":
        return f"CAST(to_json({column}) AS VARCHAR) AS {column}"
    return f"CAST({column} AS VARCHAR) AS {column}" if kind == "VARCHAR" else column

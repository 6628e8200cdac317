"""Files of the Medical Event Data Standard as it types them; knows no medicine and nothing of what is in them.

DuckDB's own Parquet files have one type of text, the standard two. Source: the package meds 0.4.1, meds/schema.py.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

VERSION = "0.4.1"
LARGE = ("text_value",)
"""The columns of the standard that are `large_string`; all other text is `string`."""
BATCH = 100_000
"""Rows that are in memory at a time."""


def write(con: "duckdb.DuckDBPyConnection", select: str, file: Path) -> int:
    """Write the rows of a SELECT to a Parquet file and return how many there are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    reader = con.sql(select).to_arrow_reader(BATCH)
    fields = [pa.field(one.name, pa.large_string()) if one.name in LARGE else one for one in reader.schema]
    schema = pa.schema(fields)
    rows = 0
    with pq.ParquetWriter(file, schema) as writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
            rows += batch.num_rows
    return rows

"""Whole numbers for patients, for standards whose ids must be ones; knows no standard."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

WHOLE = "regexp_full_match(CAST(patient_id AS VARCHAR), '0|-?[1-9][0-9]*') AND " + (
    "TRY_CAST(CAST(patient_id AS VARCHAR) AS BIGINT) IS NOT NULL"
)


def number(con: "duckdb.DuckDBPyConnection") -> bool:
    """Make the temporary table `export_person` (patient_id, number); return whether the ids are kept as they are.

    Where every id is a whole number of 64 bits it is its own number; else patients are 1, 2, … in the order of ids.
    """
    kept = con.execute(f"SELECT coalesce(bool_and({WHOLE}), TRUE) FROM patient").fetchall()[0][0]
    own = "CAST(CAST(patient_id AS VARCHAR) AS BIGINT)"
    numbered = own if kept else "row_number() OVER (ORDER BY CAST(patient_id AS VARCHAR))"
    con.execute(f"CREATE OR REPLACE TEMP TABLE export_person AS SELECT patient_id, {numbered} AS number FROM patient")
    return kept

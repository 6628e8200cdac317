"""The ids that an OMOP extract itself gives to the rows a study was made of: read again, nothing of it is kept.

A study knows of each event its file and row. With the extract at hand, unchanged, that row is found again, and the id
that its table has for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import UsageError
from timeline.quote import literal, whole

if TYPE_CHECKING:
    import duckdb

    from timeline.ingest.staged import Staged

    Connection = duckdb.DuckDBPyConnection

FIELD_CONCEPTS = {
    "condition_occurrence.condition_occurrence_id": 1147127,
    "procedure_occurrence.procedure_occurrence_id": 1147082,
}
"""`episode_event_field_concept_id`, as published in the enumerations of omop-alchemy. For drug_exposure public sources
contradict each other, for other tables none was found: 0 until someone looks them up in the vocabulary."""


def events_of_source(con: "Connection", extract: Path | None) -> None:
    """Make `export_source` (source_file, source_row, id, field), empty without an extract.

    Raises UsageError where the extract is not OMOP, or not that which the study was made of.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE export_source (source_file VARCHAR, source_row UBIGINT, id BIGINT, field VARCHAR)"
    )
    if extract is None:
        return
    from timeline.ingest import omop

    if not extract.exists() or not omop.claims(extract):
        raise UsageError(f"--extract {extract}: no extract of the OMOP CDM; it is the one that the study was made of")
    for staged in omop.stage(con, extract, None, "export_extract"):
        if staged.kind == "events":
            _add(con, staged)
    if not con.execute("SELECT 1 FROM export_source LIMIT 1").fetchall():
        raise UsageError(f"--extract {extract}: none of its files is one that this study was made of")


def _add(con: "Connection", staged: "Staged") -> None:
    """Add the rows of one table, where the study holds exactly this file."""
    import hashlib

    known = con.execute("SELECT sha256 FROM meta.source WHERE source_file = ?", [staged.source_file]).fetchall()
    table = table_of(staged)
    id = next((name for name in staged.own if name.strip().lower() == f"{table}_id"), None)
    if not known or id is None:
        return
    digest = staged.digest
    if digest is None:
        with staged.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != known[0][0]:
        raise UsageError(f"--extract: {staged.source_file} is not the file of this name that the study was made of")
    con.execute(f"""INSERT INTO export_source
        SELECT {literal(staged.source_file)}, source_row, TRY_CAST({whole(id)} AS BIGINT),
            {literal(f"{table}.{table}_id")}
        FROM {staged.relation} AS r WHERE TRY_CAST({whole(id)} AS BIGINT) IS NOT NULL""")


def table_of(staged: "Staged") -> str | None:
    """The table that a staged file, shard or part holds."""
    from timeline.ingest.omop import found

    names = (staged.part.split(".")[0], *reversed(staged.whole.split("/")))
    return next((table for name in names if (table := found.table_of(name))), None)

"""Who and what references name: the tables of an extract put right after all its files were read; knows no JSON.

A row's patient is the `id` of the Patient that its subject names: through the entry's fullUrl inside a Bundle, else
the last part of the reference itself. A medication or a device that is only named brings the code of its resource.
"""

from typing import TYPE_CHECKING

from timeline.ingest.fhir.elements import DEFINITIONS, DIED, DIED_AT, RESOURCES
from timeline.ingest.fhir.extract import prefixed
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection


def resolve(con: "Connection", scratch: str) -> None:
    """Give rows their patients and codes, and add what Patients say of their end."""
    con.execute(f"""UPDATE {scratch}_row AS t SET patient_id = p.id
        FROM (SELECT file, full_url, min(id) AS id FROM {scratch}_person WHERE full_url IS NOT NULL
            GROUP BY file, full_url) AS p
        WHERE p.file = t.file AND p.full_url = t.subject AND p.id IS DISTINCT FROM t.patient_id""")
    named = literal(f"({'|'.join(DEFINITIONS)})/[A-Za-z0-9.-]{{1,64}}")
    prefix = " ".join(f"WHEN {literal(name)} THEN {literal(one.prefix)}" for name, one in RESOURCES.items())
    codes = prefixed("d.codes", f"CASE t.resource {prefix} END")
    for key, same in ((f"regexp_extract(t.pointer, {named})", "TRUE"), ("t.pointer", "d.file = t.file")):
        column, file = ("reference", "") if same == "TRUE" else ("full_url", "file, ")
        con.execute(f"""UPDATE {scratch}_row AS t SET code = {codes}[1], others = {codes}[2:]
            FROM (SELECT {file}{column} AS key, min(codes) AS codes FROM {scratch}_definition
                WHERE len(codes) > 0 GROUP BY {file}{column}) AS d
            WHERE t.code IS NULL AND d.key = {key} AND {same}""")
    con.execute(f"""INSERT INTO {scratch}_row (file, part, source_row, resource, id, patient_id, "time", code, text)
        SELECT file, 0, source_row, 'Patient', id, id, died_at,
            CASE WHEN died_at IS NULL THEN {literal(DIED)} ELSE {literal(DIED_AT)} END,
            CASE WHEN died_at IS NULL THEN nullif(died, 'true') END
        FROM {scratch}_person WHERE died IS NOT NULL OR died_at IS NOT NULL""")


def parents(con: "Connection", scratch: str) -> dict[str, tuple[str, ...]]:
    """Code -> the other codes that the extract says stand for the same."""
    rows = con.execute(f"""SELECT code, list_sort(list(DISTINCT other))
        FROM (SELECT DISTINCT code, unnest(others) AS other FROM {scratch}_row WHERE code IS NOT NULL)
        GROUP BY code ORDER BY code""").fetchall()
    return {code: tuple(others) for code, others in rows}

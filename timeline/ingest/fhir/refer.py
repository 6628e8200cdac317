"""Who and what references name: the tables of an extract put right after all its files were read; knows no JSON.

A row's patient is the `id` of the Patient that its subject names: through the entry's fullUrl inside a Bundle, through
an identifier that one Patient alone has, else the last part of the reference itself. A medication or a device that is
only named brings the code of its resource.
"""

from typing import TYPE_CHECKING

from timeline.ingest.fhir import versions
from timeline.ingest.fhir.elements import DEFINITIONS, DIED, DIED_AT, RESOURCES
from timeline.ingest.fhir.extract import IDENTIFIED, NO_REFERENCE, prefixed
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

NOT_ONE_CODE = "the reference is to several resources of one id that differ, and none says that it is newer"
NO_ID = "the subject is a Patient without an id, or a fullUrl of more than one"
NOT_ONE = "the subject is an identifier that no Patient has, or more than one"


def resolve(con: "Connection", scratch: str) -> int:
    """Give rows their patients and codes, and add what Patients say of their end; find what is here in a newer version.

    Return how many ids several resources have.
    """
    _patients(con, scratch)
    _codes(con, scratch)
    if con.execute(f"SELECT file FROM {scratch}_named UNION ALL SELECT file FROM {scratch}_coded LIMIT 1").fetchall():
        _rewrite(con, scratch)
    versions.of_patients(con, scratch)
    con.execute(f"""INSERT INTO {scratch}_row BY NAME
        SELECT file, 0 AS part, source_row, 'Patient' AS resource, id, id AS patient_id, died_at AS "time",
            CASE WHEN died_at IS NULL THEN {literal(DIED)} ELSE {literal(DIED_AT)} END AS code,
            CASE WHEN died_at IS NULL THEN nullif(died, 'true') END AS text
        FROM {scratch}_person
        ANTI JOIN (FROM {scratch}_before WHERE ends_otherwise) USING (file, source_row)
        WHERE died IS NOT NULL OR died_at IS NOT NULL""")
    return versions.of_rows(con, scratch)


def _patients(con: "Connection", scratch: str) -> None:
    """Fill `_named`: subjects as they are written in a file, whose patient is not the last part of the reference."""
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_named AS
        SELECT file, full_url AS subject, CASE WHEN min(id) = max(id) AND count(id) = count(*) THEN min(id) END AS id
        FROM {scratch}_person WHERE full_url IS NOT NULL GROUP BY file, full_url""")
    con.execute(f"""INSERT INTO {scratch}_named
        WITH asked AS (SELECT DISTINCT file, subject FROM {scratch}_row
            WHERE starts_with(subject, {literal(IDENTIFIED)}))
        SELECT a.file, a.subject, one.id FROM asked AS a LEFT JOIN (
            SELECT subject, min(id) AS id FROM (SELECT id, unnest(identifiers) AS subject FROM {scratch}_person)
            WHERE subject IN (SELECT subject FROM asked) GROUP BY subject HAVING count(DISTINCT id) = 1
        ) AS one ON one.subject = a.subject""")


def _codes(con: "Connection", scratch: str) -> None:
    """Fill `_coded`: what rows without a code point to, as it is written in a file, with the codes that it has.

    A fullUrl of the same file goes before an id of the same file, and that before an id of any file. No codes, where
    none of several that differ is the newest.
    """
    named = literal(f"^(?:.*/)?((?:{'|'.join(DEFINITIONS)})/[^/?#]+)(?:/_history/[^/]*)?$")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_coded AS
        WITH known AS (SELECT * FROM {scratch}_definition WHERE len(codes) > 0),
        asked AS (SELECT DISTINCT file, pointer, regexp_extract(pointer, {named}, 1) AS reference
            FROM {scratch}_row WHERE code IS NULL AND pointer IS NOT NULL),
        found AS (
            SELECT a.file, a.pointer, k.codes, CASE WHEN k.file = a.file THEN 2 ELSE 3 END AS rank, updated, version
            FROM asked AS a JOIN known AS k ON k.reference = a.reference
            UNION ALL SELECT a.file, a.pointer, k.codes, 1, updated, version
            FROM asked AS a JOIN known AS k ON k.full_url = a.pointer AND k.file = a.file),
        last AS (FROM found
            QUALIFY rank() OVER (PARTITION BY file, pointer ORDER BY rank, {versions.NEWER}) = 1)
        SELECT file, pointer, CASE WHEN min(codes) = max(codes) THEN min(codes) END AS codes FROM last
        GROUP BY file, pointer""")


def _rewrite(con: "Connection", scratch: str) -> None:
    """Write the rows anew with what was found: an update would hold every old row beside the new one."""
    prefix = " ".join(f"WHEN {literal(name)} THEN {literal(one.prefix)}" for name, one in RESOURCES.items())
    codes = prefixed("c.codes", f"CASE t.resource {prefix} END")
    con.execute(f"""CREATE TEMP TABLE {scratch}_resolved AS SELECT t.* REPLACE (
            CASE WHEN p.subject IS NOT NULL THEN p.id ELSE t.patient_id END AS patient_id,
            coalesce(t.code, {codes}[1]) AS code,
            CASE WHEN c.codes IS NOT NULL THEN {codes}[2:] ELSE t.others END AS others,
            CASE WHEN t.refused = {literal(NO_REFERENCE)} AND p.id IS NOT NULL THEN NULL
                WHEN t.refused IS NULL AND p.id IS NULL AND starts_with(t.subject, {literal(IDENTIFIED)})
                THEN {literal(NOT_ONE)}
                WHEN t.refused IS NULL AND p.subject IS NOT NULL AND p.id IS NULL THEN {literal(NO_ID)}
                WHEN t.refused IS NULL AND c.pointer IS NOT NULL AND c.codes IS NULL
                THEN {literal(NOT_ONE_CODE)} ELSE t.refused END AS refused)
        FROM {scratch}_row AS t
        LEFT JOIN {scratch}_named AS p ON p.file = t.file AND p.subject = t.subject
        LEFT JOIN {scratch}_coded AS c ON c.file = t.file
            AND c.pointer = CASE WHEN t.code IS NULL THEN t.pointer END""")
    con.execute(f"DROP TABLE {scratch}_row")
    con.execute(f"ALTER TABLE {scratch}_resolved RENAME TO {scratch}_row")


def parents(con: "Connection", scratch: str) -> dict[str, tuple[str, ...]]:
    """Code -> the other codes that the extract says stand for the same."""
    rows = con.execute(f"""SELECT code, list_sort(list(DISTINCT other))
        FROM (SELECT DISTINCT code, unnest(others) AS other FROM {scratch}_row WHERE code IS NOT NULL)
        GROUP BY code ORDER BY code""").fetchall()
    return {code: tuple(others) for code, others in rows}


def taken(con: "Connection", scratch: str) -> dict[int, str]:
    """What the rows of each file take from others: what they point to, whom they mean, which are older versions."""
    pointed = f"""SELECT DISTINCT file, concat_ws(chr(31), pointer, code) AS said FROM {scratch}_row
        WHERE pointer IS NOT NULL"""
    meant = f"""SELECT DISTINCT file, concat_ws(chr(31), subject, patient_id) AS said FROM {scratch}_row
        WHERE starts_with(subject, {literal(IDENTIFIED)})"""
    found: dict[int, str] = {}
    for query in (pointed, meant, *versions.told(scratch)):
        # A number of any order and any count of rows.
        rows = con.execute(f"SELECT file, bit_xor(md5_number_lower(said)), count(*) FROM ({query}) GROUP BY file")
        for file, number, n in rows.fetchall():
            found[file] = f"{found.get(file, '')} {number} {n}"
    return found

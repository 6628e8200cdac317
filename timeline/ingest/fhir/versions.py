"""Which of several resources of one type and id counts: the newest; knows no element but what tells versions apart.

By FHIR they are versions of one resource. The newest is that of the latest meta.lastUpdated, then of the highest
meta.versionId, then the last in the last file. Resources that say neither may as well be of two sources that number
theirs alike: they are one only where they are of one patient.
"""

from typing import TYPE_CHECKING

from timeline.ingest import parse
from timeline.ingest.parse import Source

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

OWN = ("resource", "id", "status", "subject", "time", "end_time", "code", "others", "value", "unit", "text", "route")
"""The columns of a row that are the source's own: rows alike in them are duplicates."""
PATIENT_OWN = ("id", "gender", "birth_date")
OLDER = "the resource is here in a newer version"
AGAIN = "the resource is here once more, in another file"


def newest(file: str = "file") -> str:
    """ORDER BY that puts the newest version first."""
    updated, _ = parse.time(Source("updated", "VARCHAR"), "UTC")
    return (
        f"{updated} DESC NULLS LAST, TRY_CAST(version AS UBIGINT) DESC NULLS LAST, version DESC NULLS LAST, "
        f"{file} DESC, source_row DESC"
    )


def of_rows(con: "Connection", scratch: str) -> int:
    """Fill `_older`: the rows that are not to be used, each with its reason; return how many ids several have.

    Of rows equal to those of the newest version the first file's stay, of which as duplicates one is kept: a file
    that repeats what earlier ones say changes nothing in them.
    """
    # Of a whole extract only numbers are compared: nearly always no resource is there twice.
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_version AS
        SELECT file, part, source_row, updated, version, hash({_listed(OWN)}) AS content, hash(resource, id) AS named,
            concat_ws(chr(31), resource, id, CASE WHEN coalesce(updated, version) IS NULL
                THEN 'of ' || coalesce(patient_id, '') END) AS one
        FROM {scratch}_row WHERE id IS NOT NULL AND hash(resource, id) IN (
            SELECT hash(resource, id) FROM {scratch}_row WHERE part = 0 AND id IS NOT NULL
            GROUP BY ALL HAVING count(*) > 1)""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_older AS
        WITH last AS (SELECT one, file, source_row FROM {scratch}_version WHERE part = 0
            QUALIFY row_number() OVER (PARTITION BY one ORDER BY {newest()}) = 1),
        beside AS (SELECT v.file, v.part, v.source_row, v.one, v.content IS NOT DISTINCT FROM n.content AS same
            FROM {scratch}_version AS v JOIN last AS l ON l.one = v.one
            LEFT JOIN {scratch}_version AS n ON n.file = l.file AND n.source_row = l.source_row AND n.part = v.part)
        SELECT file, part, source_row, CASE WHEN same THEN '{AGAIN}' ELSE '{OLDER}' END AS reason FROM beside
        QUALIFY NOT same OR file <> min(CASE WHEN same THEN file END) OVER (PARTITION BY one, part)""")
    several = con.execute(f"""SELECT count(*) FROM (SELECT named FROM {scratch}_version WHERE part = 0
        GROUP BY named HAVING count(DISTINCT one) > 1)""").fetchall()
    con.execute(f"DROP TABLE {scratch}_version")
    return several[0][0]


def of_patients(con: "Connection", scratch: str) -> None:
    """Fill `_before`: Patients that say something else than their newest version, of themselves or of their end.

    The same said twice, as Bundles do that each bring their patients, contradicts nothing.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_before AS
        SELECT file, source_row, itself <> first_value(itself) OVER newest AS differs,
            "end" <> first_value("end") OVER newest AS ends_otherwise FROM (
            SELECT *, hash({_listed(PATIENT_OWN)}) AS itself, hash(died, died_at) AS "end"
            FROM {scratch}_person WHERE id IS NOT NULL)
        WINDOW newest AS (PARTITION BY id ORDER BY {newest()}) QUALIFY differs OR ends_otherwise""")


def refused(scratch: str, rows: str) -> str:
    """SELECT the rows of `rows` that are not to be used, each with its reason."""
    return f"""SELECT source_row, coalesce(refused, o.reason) AS reason FROM {rows} AS r
        LEFT JOIN {scratch}_older AS o USING (file, part, source_row) WHERE coalesce(refused, o.reason) IS NOT NULL"""


def refused_patients(scratch: str, number: int) -> str:
    """SELECT the Patients of a file that are not to be used, each with its reason."""
    return f"SELECT source_row, '{OLDER}' AS reason FROM {scratch}_before WHERE file = {number} AND differs"


def told(scratch: str) -> tuple[str, str]:
    """Queries of the older rows and Patients of each file."""
    return (
        f"SELECT file, concat_ws(chr(31), part, source_row, reason) AS said FROM {scratch}_older",
        f"SELECT file, concat_ws(chr(31), source_row, differs, ends_otherwise) AS said FROM {scratch}_before",
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)

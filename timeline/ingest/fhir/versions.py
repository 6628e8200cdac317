"""Which of several resources of one type and id counts: the newest; knows no element but what tells versions apart.

By FHIR they are versions of one resource. The newest is that of the latest meta.lastUpdated, then of the highest
meta.versionId. Of several that say the same of both, or neither, and differ in what they say, none is the newest, and
none is used. Resources that say neither may as well be of two sources that number theirs alike: they are one only where
they are of one patient.
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
UNSETTLED = "the resource is here more than once, differs, and says no newer version: none of them is used"
DELETED = "the resource is deleted by an entry of a Bundle"
AGAIN = "the resource is here once more, in another file"


UPDATED, _ = parse.time(Source("updated", "VARCHAR"), "UTC")
NEWER = f"{UPDATED} DESC NULLS LAST, TRY_CAST(version AS UBIGINT) DESC NULLS LAST, version DESC NULLS LAST"
"""ORDER BY that puts the newest version first; what is equal in it may be either."""
NEWEST = f"{NEWER}, file DESC, source_row DESC"


def of_rows(con: "Connection", scratch: str) -> int:
    """Fill `_older`: the rows that are not to be used, each with its reason; return how many ids several have.

    Of rows equal to those of the newest version the first file's stay, of which as duplicates one is kept: a file
    that repeats what earlier ones say changes nothing in them.
    """
    # Of a whole extract only numbers are compared: nearly always no resource is there twice.
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_version AS
        SELECT file, part, source_row, updated, version, hash({_listed(OWN)}) AS content, hash(resource, id) AS named,
            hash(part, patient_id, {_listed(tuple(one for one in OWN if one != "subject"))}) AS says,
            concat_ws(chr(31), resource, id, CASE WHEN coalesce(updated, version) IS NULL
                THEN 'of ' || coalesce(patient_id, '') END) AS one
        FROM {scratch}_row WHERE id IS NOT NULL AND hash(resource, id) IN (
            SELECT hash(resource, id) FROM {scratch}_row WHERE part = 0 AND id IS NOT NULL
            GROUP BY ALL HAVING count(*) > 1)""")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_older AS
        WITH whole AS (SELECT one, file, source_row, any_value(updated) AS updated, any_value(version) AS version,
            bit_xor(says) AS says FROM {scratch}_version GROUP BY one, file, source_row),
        placed AS (SELECT one, file, source_row, says, rank() OVER newer = 1 AS top,
            row_number() OVER (PARTITION BY one ORDER BY {NEWEST}) = 1 AS last FROM whole
            WINDOW newer AS (PARTITION BY one ORDER BY {NEWER})),
        judged AS (SELECT *, top AND min(says) OVER tops <> max(says) OVER tops AS unsettled FROM placed
            WINDOW tops AS (PARTITION BY one, top)),
        beside AS (SELECT v.file, v.part, v.source_row, v.one, v.content IS NOT DISTINCT FROM n.content AS same,
                j.unsettled
            FROM {scratch}_version AS v JOIN judged AS l ON l.one = v.one AND l.last
            JOIN judged AS j ON j.file = v.file AND j.source_row = v.source_row
            LEFT JOIN {scratch}_version AS n ON n.file = l.file AND n.source_row = l.source_row AND n.part = v.part)
        SELECT file, part, source_row,
            CASE WHEN unsettled THEN '{UNSETTLED}' WHEN same THEN '{AGAIN}' ELSE '{OLDER}' END AS reason FROM beside
        QUALIFY unsettled OR NOT same OR file <> min(CASE WHEN same THEN file END) OVER (PARTITION BY one, part)""")
    _deleted(con, scratch)
    several = con.execute(f"""SELECT count(*) FROM (SELECT named FROM {scratch}_version WHERE part = 0
        GROUP BY named HAVING count(DISTINCT one) > 1)""").fetchall()
    con.execute(f"DROP TABLE {scratch}_version")
    return several[0][0]


def _deleted(con: "Connection", scratch: str) -> None:
    """Add to `_older` what a later entry deletes, or one that does not say when; a deleted Patient's death stays."""
    if not con.execute(f"SELECT 1 FROM {scratch}_deleted LIMIT 1").fetchall():
        return
    con.execute(f"""INSERT INTO {scratch}_older
        WITH gone AS (SELECT resource, id, CASE WHEN count(*) = count(deleted) THEN max(deleted) END AS deleted
            FROM (SELECT *, {UPDATED} AS deleted FROM {scratch}_deleted)
            WHERE resource <> 'Patient' GROUP BY resource, id)
        SELECT file, part, source_row, '{DELETED}' FROM (
            SELECT r.file, r.part, r.source_row, r.updated, g.deleted
            FROM {scratch}_row AS r JOIN gone AS g ON g.resource = r.resource AND g.id = r.id)
        ANTI JOIN {scratch}_older USING (file, part, source_row) WHERE coalesce({UPDATED} <= deleted, TRUE)""")


def of_patients(con: "Connection", scratch: str) -> None:
    """Fill `_before`: Patients that say something else than their newest version, of themselves or of their end.

    The same said twice, as Bundles do that each bring their patients, contradicts nothing. `unsettled` are those that
    differ from the newest and are no older than it: they count as it does, and what they contradict stays empty.
    """
    con.execute(f"""CREATE OR REPLACE TEMP TABLE {scratch}_before AS
        SELECT id, file, source_row, other AND place > 1 AS differs, ends AND place > 1 AS ends_otherwise,
            place = 1 AS unsettled
        FROM (SELECT *, itself <> first_value(itself) OVER newest AS other,
                "end" <> first_value("end") OVER newest AS ends, rank() OVER newer AS place
            FROM (SELECT *, hash({_listed(PATIENT_OWN)}) AS itself, hash(died, died_at) AS "end"
                FROM {scratch}_person WHERE id IS NOT NULL)
            WINDOW newest AS (PARTITION BY id ORDER BY {NEWEST}), newer AS (PARTITION BY id ORDER BY {NEWER}))
        WHERE other OR ends""")


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

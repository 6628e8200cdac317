"""A change of concepts applied to events that are stored already; needs no extract and no mapping file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import concepts as concept_tables
from timeline import personal, schema
from timeline.ingest import codes, parse, patients
from timeline.ingest.staged import Code
from timeline.printing import count
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

SETTING = "concepts"
"""The name in meta.study of the hash of the concepts in force."""
MEANING = ("concept", "unit", "factor", "offset", "low", "high", "words", "static", "reject")
"""What of a code decides its events."""


@dataclass(frozen=True)
class RemapReport:
    """What a change of concepts did."""

    codes: int = 0
    """Pairs of code and unit whose meaning changed."""
    events: int = 0
    """Events derived anew."""
    rejected: int = 0
    """Events that their new concept cannot hold: the unit cannot be converted, or the time is empty."""
    readmitted: int = 0
    """Rejected rows that their new concept can hold."""
    reasons: tuple[tuple[str, int], ...] = ()
    """Why they were rejected, with their rows."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say: events that came and went with what concepts can hold."""
        came = count(self.readmitted, "row was", "rows were")
        return (
            *([f"{came} rejected, and concepts as they are now can hold them"] if self.readmitted else []),
            *(
                f"{count(n, 'event is', 'events are')} rejected now that a concept has changed: {reason}; with the "
                "concept as it was they come back"
                for reason, n in self.reasons
            ),
        )


def remap(con: "Connection", concepts: Mapping[str, Concept]) -> RemapReport:
    """Give stored events the meaning that `concepts` say, where it changed; return how many. All or nothing."""
    con.execute("BEGIN TRANSACTION")
    try:
        report = apply(con, concepts)
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    return report


def apply(con: "Connection", concepts: Mapping[str, Concept]) -> RemapReport:
    """As `remap`, inside the caller's transaction."""
    digest = concept_tables.digest(concepts.values())
    stored = con.execute("SELECT value FROM meta.study WHERE name = ?", [SETTING]).fetchall()
    if stored == [(digest,)]:
        return RemapReport()
    concept_tables.write(con, concepts)
    con.execute("DELETE FROM meta.study WHERE name = ?", [SETTING])
    con.execute("INSERT INTO meta.study VALUES (?, ?)", [SETTING, digest])
    changed = _changed(con, codes.Meanings.of(concepts))
    if not changed:
        return RemapReport()
    codes.create(con, "ingest_change")
    codes.insert(con, "ingest_change", list(enumerate(changed)))
    readmitted = _readmit(con)
    reasons = _reject(con)
    events = _derive(con)
    _remember(con)
    con.execute("DROP TABLE ingest_change")
    _name_mapped_codes(con)
    return RemapReport(len(changed), events, sum(n for _, n in reasons), readmitted, reasons)


def changed_codes(con: "Connection", concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """Return the codes whose stored events would mean something else under `concepts`; nothing is written."""
    stored = con.execute("SELECT value FROM meta.study WHERE name = ?", [SETTING]).fetchall()
    if stored == [(concept_tables.digest(concepts.values()),)]:
        return ()
    return tuple(dict.fromkeys(found.key for found in _changed(con, codes.Meanings.of(concepts))))


def _changed(con: "Connection", meanings: codes.Meanings) -> list[codes.Resolution]:
    """The resolutions that now differ from those stored."""
    columns = ", ".join(
        f'"{name}"' for name in ("mapping", "code", "source_unit", "key", "parents", "levels", "named", *MEANING)
    )
    found = []
    for mapping, code, unit, key, parents, levels, named, *before in con.execute(
        f"SELECT {columns} FROM meta.code ORDER BY mapping, code, source_unit"
    ).fetchall():
        said = Code(code=code, key=key, concept=named, parents=tuple(parents), levels=tuple(levels))
        now = codes.resolve(mapping, said, unit, meanings)
        if [getattr(now, name) for name in MEANING] != before:
            found.append(now)
    return found


EVENTS = """FROM meta.event AS e
    JOIN meta.source AS s ON s.source_file = e.source_file
    JOIN ingest_change AS c
        ON c.mapping = coalesce(s.mapping, '') AND c.code = e.code AND c.source_unit = coalesce(e.source_unit, '')"""


def _readmit(con: "Connection") -> int:
    """Make events of rejected rows that their new meaning can hold, with the counts of their files; return how many."""
    held = EVENTS.replace("meta.event", "meta.unfit")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE ingest_fit AS SELECT e.*
        {held} WHERE c.reject IS NULL AND (e."time" IS NOT NULL OR c.static)""")
    fit = con.execute("SELECT count(*) FROM ingest_fit").fetchall()[0][0]
    if fit:
        for table in ("meta.rejected", "meta.unfit"):
            con.execute(f"""DELETE FROM {table} USING ingest_fit AS f
                WHERE {table}.source_file = f.source_file AND {table}.source_row = f.source_row""")
        _recount(con, "ingest_fit", loaded="+", rejected="-")
        patients.write_events(
            con,
            """SELECT f.* REPLACE (k.patient_id AS patient_id)
                FROM ingest_fit AS f JOIN ingest_slice AS k ON k.name = f.patient_id""",
            "ingest_fit",
            "SELECT DISTINCT patient_id AS name, NULL AS patient FROM ingest_fit",
        )
        patients.refresh(con)
    con.execute("DROP TABLE ingest_fit")
    return fit


def _recount(con: "Connection", rows: str, loaded: str, rejected: str) -> None:
    con.execute(f"""UPDATE meta.source
        SET rows_loaded = rows_loaded {loaded} n, rows_rejected = rows_rejected {rejected} n
        FROM (SELECT source_file AS name, count(*) AS n FROM {rows} GROUP BY source_file) WHERE source_file = name""")


def _reject(con: "Connection") -> tuple[tuple[str, int], ...]:
    """Move events that their new meaning cannot hold to meta.rejected; return the reasons with their rows."""
    raw = "patient_id", "time", "end_time", "code", "source_value", "source_unit", "text", "route"
    pairs = ", ".join(f'"{name}" := e."{name}"' for name in raw)
    con.execute(f"""CREATE OR REPLACE TEMP TABLE ingest_refused AS
        SELECT e.event_id, CAST(e.patient_id AS VARCHAR) AS patient_id, e.source_file, e.source_row,
            coalesce(c.reject, 'time is empty or could not be read, and '
                || coalesce(c.concept || ' is no', 'the code is mapped to no') || ' baseline fact') AS reason,
            CAST(to_json(struct_pack({pairs})) AS VARCHAR) AS raw
        {EVENTS} WHERE c.reject IS NOT NULL OR (e."time" IS NULL AND NOT c.static)""")
    personal.blot(con, "ingest_refused", "source_file", "patient_id")
    con.execute("""INSERT INTO meta.rejected SELECT source_file, source_row, reason, raw FROM ingest_refused
        ORDER BY source_file, source_row""")
    con.execute("""INSERT INTO meta.unfit SELECT * FROM meta.event
        WHERE event_id IN (SELECT event_id FROM ingest_refused) ORDER BY source_file, source_row""")
    con.execute("DELETE FROM meta.event WHERE event_id IN (SELECT event_id FROM ingest_refused)")
    _recount(con, "ingest_refused", loaded="-", rejected="+")
    reasons = con.execute("SELECT reason, count(*) FROM ingest_refused GROUP BY reason ORDER BY 2 DESC, 1").fetchall()
    con.execute("DROP TABLE ingest_refused")
    return tuple(reasons)


def _derive(con: "Connection") -> int:
    """Concept, value, unit, text and plausibility anew, from code, source_value and source_unit."""
    # What a mapping has a word for is no number, though it is written as one.
    number = f"CASE WHEN e.value IS NOT NULL THEN {parse.number('e.source_value')} END"
    con.execute(f"""CREATE OR REPLACE TEMP TABLE ingest_derived AS
        SELECT event_id, concept, value, CASE WHEN value IS NOT NULL THEN unit END AS unit, text,
            coalesce(value < low OR value > high, FALSE) AS implausible
        FROM (SELECT e.event_id, c.concept, c.unit, c.low, c.high,
                CASE WHEN c.concept IS NULL OR (c.factor = 1 AND c."offset" = 0) THEN {number}
                    ELSE round({number} * c.factor + c."offset", 9) END AS value,
                CASE WHEN c.words THEN lower(e.text)
                    WHEN lower(e.text) = lower(e.source_value) THEN e.source_value ELSE e.text END AS text
            {EVENTS})""")
    con.execute("""UPDATE meta.event SET concept = d.concept, value = d.value, unit = d.unit, text = d.text,
            implausible = d.implausible
        FROM ingest_derived AS d WHERE meta.event.event_id = d.event_id""")
    derived = con.execute("SELECT count(*) FROM ingest_derived").fetchall()[0][0]
    con.execute("DROP TABLE ingest_derived")
    return derived


def _remember(con: "Connection") -> None:
    con.execute("""DELETE FROM meta.code USING ingest_change AS c
        WHERE meta.code.mapping = c.mapping AND meta.code.code = c.code AND meta.code.source_unit = c.source_unit""")
    columns = ", ".join(f'"{field.name}"' for field in schema.CODE)
    con.execute(f"""INSERT INTO meta.code SELECT {columns} FROM ingest_change
        ORDER BY mapping, code, source_unit""")


def forget_codes(con: "Connection") -> None:
    """Forget what codes mean that no event has any more: a file in place of another may say otherwise of them."""
    con.execute("""DELETE FROM meta.code WHERE NOT EXISTS (
        SELECT 1 FROM (SELECT source_file, code, source_unit FROM meta.event
            UNION ALL SELECT source_file, code, source_unit FROM meta.unfit) AS e
        JOIN meta.source AS s ON s.source_file = e.source_file
        WHERE coalesce(s.mapping, '') = meta.code.mapping AND e.code = meta.code.code
            AND coalesce(e.source_unit, '') = meta.code.source_unit)""")


def keep_codes(con: "Connection") -> None:
    """Remember what the codes of this ingest mean."""
    columns = ", ".join(f'"{field.name}"' for field in schema.CODE)
    same = "k.mapping = c.mapping AND k.code = c.code AND k.source_unit = c.source_unit"
    con.execute(f"""INSERT INTO meta.code SELECT DISTINCT {columns} FROM ingest_code AS c
        WHERE fact IS NULL AND (reject IS NULL OR unfit) AND NOT EXISTS (SELECT 1 FROM meta.code AS k WHERE {same})
        ORDER BY mapping, code, source_unit""")
    _name_mapped_codes(con)


def _name_mapped_codes(con: "Connection") -> None:
    """List in `concept_code` what mapping files say, with the file as origin."""
    con.execute("DELETE FROM concept_code WHERE origin <> ?", [concept_tables.VALUE_SET])
    con.execute("""INSERT INTO concept_code
        SELECT DISTINCT concept, code, 'mapping ' || regexp_replace(mapping, '@[0-9a-f]{8}$', '') FROM meta.code
        WHERE concept = named ORDER BY concept, code""")

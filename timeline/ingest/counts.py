"""The numbers of an ingest, counted from the staged and the stored rows; never a patient's values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from timeline.ingest import memory
from timeline.ingest.codes import Resolution
from timeline.ingest.report import IngestReport, UnitConversion
from timeline.ingest.staged import CodeMapping, Staged
from timeline.personal import Personal
from timeline.printing import did_you_mean
from timeline.quote import literal
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

ROUTES = (
    "intravenous", "oral", "subcutaneous", "intramuscular", "enteral", "intradermal", "intraosseous", "intrathecal",
    "epidural", "intraarticular", "intravitreal", "intraperitoneal", "intravesical", "inhaled", "nasal", "buccal",
    "sublingual", "ophthalmic", "otic", "topical", "transdermal", "rectal", "vaginal",
)  # fmt: skip
"""Words of the native format for routes of administration; others are kept as written, and named."""
NAMED = 20
"""Codes and reasons that a report names."""


def rows_read(con: "Connection", files: Sequence[Staged]) -> dict[str, int]:
    """The rows of each file, counted by themselves: what all other counts must add up to."""
    within: dict[tuple[str, str], dict[int, int]] = {}
    read = {}
    for one in files:
        if one.within is None:
            n = con.execute(f"SELECT count(*) FROM {one.relation} AS r").fetchall()[0][0]
        else:
            relation, key, value = one.within
            if (relation, key) not in within:
                counted = f"SELECT {key} AS key, count(*) FROM {relation} AS r GROUP BY key"
                within[relation, key] = dict(con.execute(counted).fetchall())
            n = within[relation, key].get(value, 0)
        if one.rejected is not None:
            n += con.execute(f"SELECT count(*) FROM ({one.rejected})").fetchall()[0][0]
        read[one.source_file] = n
    return read


def rows_of(con: "Connection", table: str) -> Counter[str]:
    """Rows by source file."""
    return Counter(dict(con.execute(f"SELECT source_file, count(*) FROM {table} GROUP BY source_file").fetchall()))


def rejected(con: "Connection", files: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Rows of `files` by reason."""
    names = ", ".join(literal(file) for file in files)
    return tuple(
        con.execute(f"""SELECT reason, count(*) AS n FROM meta.rejected WHERE source_file IN ({names})
            GROUP BY reason ORDER BY n DESC, reason""").fetchall()
    )


def repeats(con: "Connection", files: Sequence[tuple[Staged, dict]]) -> int:
    """New rows that equal a row of another file, new or stored; an id is the row's own number and its file's.

    The parts of one file may be columns of the same row, which are equal in every column.
    """
    stored = con.execute("SELECT 1 FROM meta.event LIMIT 1").fetchall()
    if len(files) == 1 and not stored:
        return 0
    wholes = {staged.whole: number for number, (staged, _) in enumerate(files)}
    names = ", ".join(
        f"({number}, {wholes[staged.whole]}, hash({literal(staged.source_file)}))"
        for number, (staged, _) in enumerate(files)
    )
    every = f"""(SELECT f.file, xor(r.event_id, f.file_hash) AS content
        FROM ingest_row AS r JOIN (VALUES {names}) AS f(number, file, file_hash) ON f.number = r.file
        UNION ALL SELECT -1, xor(event_id, hash(source_file)) FROM meta.event)"""
    return sum(
        con.execute(f"""SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM (
            SELECT count(*) FILTER (WHERE file >= 0) AS n FROM {every} WHERE {share}
            GROUP BY content HAVING min(file) <> max(file))""").fetchall()[0][0]
        for share in memory.shares(con, every, "content")
    )


def summary(
    con: "Connection", concepts: Mapping[str, Concept], resolutions: Sequence[Resolution], hidden: Personal
) -> IngestReport:
    """What `ingest_meaning` and `ingest_row` say in numbers; words that are `hidden` are counted alone."""
    unmapped = con.execute("""SELECT c.code, CAST(sum(n) AS BIGINT) AS n
        FROM (SELECT code AS id, count(*) AS n FROM ingest_row GROUP BY code) JOIN ingest_code AS c USING (id)
        WHERE c.concept IS NULL GROUP BY c.code ORDER BY n DESC, c.code""").fetchall()
    told = [(code, n) for code, n in unmapped if not hidden.holds("code", code)]
    date_only = con.execute("""SELECT count(*) FROM ingest_row AS r JOIN ingest_code AS c ON c.id = r.code
        WHERE r.state = 1 OR (c.date_only AND r."time" = CAST(CAST(r."time" AS DATE) AS TIMESTAMP))""").fetchall()
    conversions = con.execute("""SELECT concept, source_unit, unit, CAST(sum(n) AS BIGINT) AS n FROM ingest_meaning
        WHERE number IS NOT NULL AND source_unit <> '' AND source_unit <> unit GROUP BY concept, source_unit, unit
        ORDER BY n DESC, concept, source_unit""").fetchall()
    words = {name: concept.words for name, concept in concepts.items() if concept.words}
    return IngestReport(
        events=con.execute("SELECT count(*) FROM ingest_row").fetchall()[0][0],
        unmapped=tuple(told[:NAMED]),
        unmapped_codes=len(unmapped),
        unmapped_rows=sum(n for _, n in unmapped),
        assumed_units=_by_concept(con, "assumed AND number IS NOT NULL"),
        implausible=_by_concept(con, "implausible"),
        words_for_numbers=_by_concept(con, '"numeric" AND number IS NULL AND source_value IS NOT NULL'),
        unknown_words=_by_concept(con, _not_listed(words)) if words else (),
        relabelled=tuple(
            con.execute("""SELECT concept || ' ' || label || ' is ' || source_unit AS said, CAST(sum(n) AS BIGINT) AS n
                FROM ingest_meaning WHERE label IS NOT NULL AND number IS NOT NULL
                GROUP BY said ORDER BY n DESC, said""").fetchall()
        ),
        conversions=tuple(UnitConversion(*one) for one in conversions),
        date_only=date_only[0][0],
        warnings=(*hidden.said, *_remarks(told, concepts, resolutions, hidden), *_routes(con, hidden)),
    )


def _by_concept(con: "Connection", condition: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        con.execute(f"""SELECT concept, CAST(sum(n) AS BIGINT) AS n FROM ingest_meaning
            WHERE concept IS NOT NULL AND ({condition}) GROUP BY concept ORDER BY n DESC, concept""").fetchall()
    )


def _not_listed(words: Mapping[str, Sequence[str]]) -> str:
    listed = " ".join(
        f"WHEN {literal(name)} THEN text NOT IN ({', '.join(literal(one.lower()) for one in given)})"
        for name, given in words.items()
    )
    return f"text IS NOT NULL AND CASE concept {listed} END"


def _remarks(
    unmapped: Sequence[tuple[str, int]],
    concepts: Mapping[str, Concept],
    resolutions: Sequence[Resolution],
    hidden: Personal,
) -> list[str]:
    """Codes that name several concepts; unmapped ones that are unverified for a concept, or the name of a group."""
    unverified = {code: name for name, concept in concepts.items() for code in concept.unverified}
    keys = {one.code: one.key for one in resolutions}
    several = {one.code: one for one in resolutions if one.contradictory}
    said = [
        f"{code} counts as {one.concept}, and other codings of it name {', '.join(one.contradictory)}; "
        "say which in a mapping"
        for code, one in several.items()
        if one.concept is not None and not hidden.holds("code", code)
    ]
    for code, n in unmapped:
        known = next((one for one in (code, keys.get(code, code)) if one in unverified), None)
        if known is not None:
            said.append(f"{code} ({n} rows) is listed as unverified for {unverified[known]}; confirm it in a mapping")
        elif code in several:
            named = ", ".join(several[code].contradictory)
            said.append(f"{code} ({n} rows) stands for codes of {named}; say which in a mapping")
        elif code in concepts and concepts[code].members:
            said.append(f"{code} ({n} rows) is a group of concepts, not one; name one of its members")
    return said


def _routes(con: "Connection", hidden: Personal) -> list[str]:
    """The routes that are no words of the native format, the most frequent first."""
    listed = ", ".join(literal(route) for route in ROUTES)
    found = con.execute(f"""SELECT route, CAST(sum(n) AS BIGINT) AS n FROM ingest_meaning
        WHERE concept IS NOT NULL AND route NOT IN ({listed}) GROUP BY route ORDER BY n DESC, route""").fetchall()
    found = [(route, n) for route, n in found if not hidden.holds("route", route)]
    if not found:
        return []
    named = ", ".join(f"{route} ({n} rows)" for route, n in found[:NAMED])
    return [
        f"routes that no rule knows, written as in the source: {named}; write {', '.join(ROUTES[:5])} or another word"
    ]


def not_in_force(mappings: Sequence[CodeMapping | None], concepts: Mapping[str, Concept]) -> list[str]:
    """The concepts that mappings name and that are not in force: misspelt, or of rules not read here."""
    said = {}
    for mapping in {id(one): one for one in mappings if one is not None}.values():
        if unknown := sorted(mapping.concepts - set(concepts)):
            listed = ", ".join(_unknown(name, mapping, concepts) for name in unknown)
            said[mapping.name] = (
                f"mapping {mapping.name}: concepts not in force: {listed}; "
                "a run with the rules that declare them maps their events"
            )
    return list(said.values())


def _unknown(name: str, mapping: CodeMapping, concepts: Mapping[str, Concept]) -> str:
    """A concept that is not in force, the line that names it first, and the one that was perhaps meant."""
    line = mapping.naming(name).partition(":")[2].partition(":")[0]
    return f"{name} (line {line}{did_you_mean(name, concepts)})"


def unmet(con: "Connection", mappings: Sequence[CodeMapping | None], resolutions: Sequence[Resolution]) -> list[str]:
    """The codes that mappings name and that no row has, of this ingest or the study: misspelt, or of another."""
    stored = con.execute("SELECT DISTINCT code FROM meta.code ORDER BY code").fetchall()
    codes = dict.fromkeys([*(one.code for one in resolutions), *(code for (code,) in stored)])
    said = {}
    for mapping in {id(one): one for one in mappings if one is not None}.values():
        if missing := mapping.unmet(codes):
            said[mapping.name] = f"mapping {mapping.name}: codes that no row has: {', '.join(missing)}"
    return list(said.values())

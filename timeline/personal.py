"""Words that stand for a person, not for a kind of thing: a column of names or ids taken for one of codes or units.

Messages tell words and columns of the source as they stand. Where a column was mapped by mistake these would be
patients' names: what looks like it is counted, and not told. Looks at who has which word, and at the words themselves
of a file's first line alone; knows no column's meaning.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

DATUM = re.compile(
    r"\s*(<=|>=|=<|=>|<|>|≤|≥)?\s*[+-]?(\d[\d\s.,'’]*|[.,]\d+)([eE][+-]?\d+)?\s*"
    r"|\s*\d{1,4}[-./ ](\d{1,2}|[^\W\d]{3,9})[-./ ]\d{1,4}(?!\d).*|\s*\d{1,2}:\d{2}\b.*"
)
"""A number, a bounded number, a date or a time of day: the cell of a row, hardly the name of a column."""
LISTED = 40
"""Columns that a message names."""
FEWEST = 3
"""Patients with words of their own, from which on it is no chance."""
SHARE = 0.75
"""So many of a column's words at least belong to one patient: namesakes share the others."""
NEARLY = 1.1
"""Words of their own that a patient has on average at most: a name may be written in two ways."""
NOTES = 20
"""Words, from which on it is no chance that hardly one is in two rows: notes, numbers of specimens."""
HIDDEN = "…"
SHOWN = "meta.event has them, --show-values shows them"
FILES = 3
"""Files that a sentence names."""
VOCABULARY = r"'^(.+[|]|[^/]+/)'"
"""`LOINC/1988-5` and `http://system|code` are words of a vocabulary, which is judged by itself, too."""


@dataclass(frozen=True)
class Personal:
    """What is not to be told: words by column, and sentences that say so without them."""

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def holds(self, column: str, word: str | None) -> bool:
        return word in self.words.get(column, ())

    def listed(self, column: str) -> list[str]:
        """As a list that SQL takes; of no words none but the empty one, so that its type is known."""
        return sorted(self.words.get(column, ("",)))


def is_row(columns: Iterable[str]) -> bool:
    """Whether a file's first line seems to be a row, so that its columns are called like the cells of a patient."""
    return any(DATUM.fullmatch(name) for name in columns)


def columns_told(columns: Iterable[str]) -> str:
    """What a message says that a file has: its columns, unless these may be the cells of a patient."""
    names = list(columns)
    if is_row(names):
        return "its first line looks like a row, not like the names of columns, and is not shown"
    return f"the file has {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f", and {more:,} more" if more > 0 else "")


def select(spoken: str) -> str:
    """SELECT source, "column", word: those of `spoken` that stand for a person each.

    `spoken` is a SELECT of source, "column", word, the first (`low`) and the last (`high`) of the patients who have
    it, in any order of patients, whether it is the id of its one patient (`itself`), and its `rows`; a word may be in
    several rows. A column is judged file by file, and by what that leaves over all files, which may be one a patient;
    a patient's own id stands for the patient whatever else the column holds.
    """
    left = """SELECT NULL AS source, "column", word, vocabulary, min(low) AS low, max(high) AS high, sum(rows) AS rows
            FROM word ANTI JOIN alone USING ("column", word) GROUP BY ALL"""
    return f"""WITH spoken AS ({spoken}),
        word AS (SELECT source, "column", word, regexp_extract(word, {VOCABULARY}) AS vocabulary,
                min(low) AS low, max(high) AS high, bool_or(itself) AS itself, sum(rows) AS rows
            FROM spoken WHERE word IS NOT NULL AND low IS NOT NULL GROUP BY ALL),
        alone AS (SELECT DISTINCT "column", word FROM word AS w WHERE {_judged("word", "p.source = w.source")}),
        rest AS ({left}),
        together AS (SELECT DISTINCT "column", word FROM rest AS w WHERE {_judged("rest")})
        SELECT source, "column", word FROM word SEMI JOIN (
            FROM alone UNION ALL FROM together UNION ALL SELECT "column", word FROM word WHERE itself
        ) USING ("column", word)"""


def _judged(words: str, same: str = "TRUE") -> str:
    """A condition on `w`: the words of its column, of a file or of all, stand for a person each."""
    return f"""EXISTS (SELECT 1 FROM (SELECT source, "column", vocabulary, grouping(vocabulary) = 1 AS every,
                count(*) AS words, sum(rows) AS rows, count(*) FILTER (low = high) AS own,
                count(DISTINCT low) FILTER (low = high) AS patients
            FROM {words} GROUP BY GROUPING SETS ((source, "column", vocabulary), (source, "column"))) AS p
            WHERE patients >= {FEWEST} AND own >= {SHARE} * words
            AND (own <= {NEARLY} * patients OR (words >= {NOTES} AND rows <= {NEARLY} * words))
            AND p."column" = w."column" AND {same} AND (p.every OR p.vocabulary = w.vocabulary))"""


def of(con: "duckdb.DuckDBPyConnection", spoken: str, where: str = SHOWN) -> Personal:
    """Return the words of `spoken` that are not to be told; `where` says where they are."""
    words: dict[str, dict[str, set[str]]] = {}
    for source, column, word in con.execute(f"{select(spoken)} ORDER BY ALL").fetchall():
        words.setdefault(column, {}).setdefault(source, set()).add(word)
    return Personal(
        {column: frozenset().union(*found.values()) for column, found in words.items()},
        tuple(_sentence(column, found, where) for column, found in words.items()),
    )


def _sentence(column: str, found: Mapping[str, Iterable[str]], where: str) -> str:
    n = len({word for words in found.values() for word in words})
    files = ", ".join(list(found)[:FILES]) + (f" and {len(found) - FILES} more files" if len(found) > FILES else "")
    return (
        f"{files}: {n:,} words of `{column}` stand for a patient or a row each and are not shown: perhaps the "
        f"wrong column; {where}"
    )


QUOTED = r"'(?s)^(\w+) ''(.*)'' '"
"""How a reason begins that quotes a word of the source: unit 'blobs' cannot be converted."""


def blot(con: "duckdb.DuckDBPyConnection", table: str, source: str, patient: str) -> tuple[str, ...]:
    """Take words that stand for a person out of the column `reason` of `table`; return sentences that say so.

    `source` and `patient`, an id as text, are SQL over its rows. The rows as they were read, set aside, keep the words.
    """
    quoted = f"""SELECT {source} AS source, regexp_extract(reason, {QUOTED}, 1) AS "column",
            regexp_extract(reason, {QUOTED}, 2) AS word, min({patient}) AS low, max({patient}) AS high, count(*) AS rows
        FROM {table} WHERE regexp_matches(reason, {QUOTED}) GROUP BY ALL"""
    found = of(
        con,
        f"SELECT *, low = high AND lower(low) = lower(word) AS itself FROM ({quoted})",
        "the column raw of meta.rejected has them",
    )
    for column, words in found.words.items():
        con.execute(
            f"""UPDATE {table} SET reason = replace(reason, '''' || w.word || '''', ?)
            FROM (SELECT unnest(?) AS word) AS w
            WHERE regexp_extract(reason, {QUOTED}, 1) = ? AND regexp_extract(reason, {QUOTED}, 2) = w.word""",
            [f"'{HIDDEN}'", sorted(words), column],
        )
    return found.said


WHO = """enum_code(min(patient_id)) AS low, enum_code(max(patient_id)) AS high,
        min(patient_id) = max(patient_id) AND lower(CAST(min(patient_id) AS VARCHAR)) = lower({word}) AS itself"""
EVENTS = f"""SELECT source_file AS source, 'code' AS "column", code AS word, {WHO.format(word="code")}, count(*) AS rows
    FROM meta.event WHERE concept IS NULL GROUP BY source_file, code
    UNION ALL SELECT source_file, 'unit', source_unit, {WHO.format(word="source_unit")}, count(*)
    FROM meta.event WHERE concept IS NULL OR unit = source_unit GROUP BY source_file, source_unit
    UNION ALL SELECT source_file, 'route', route, {WHO.format(word="route")}, count(*)
    FROM meta.event WHERE route IS NOT NULL GROUP BY source_file, route"""
"""What the events of a study say in the source's own words, as `select` reads it.

Patients as numbers: planning `select` over an ENUM of 60,000 ids takes DuckDB two seconds and 300 MB.
"""
MEANINGS = {
    "source": "the file",
    "column": "code, unit or route",
    "word": "in the source's own words: each stands for a patient or a row, and is told by no message",
}
"""Columns of the view meta.personal_word: the words of `EVENTS` that stand for a person."""

"""The codes, units, routes and words of a study's events that mean nothing yet; knows no file and no format."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

from timeline.draft.alike import Known, concepts_like, words_like
from timeline.draft.records import CodeDraft, RouteDraft, UnitDraft, WordDraft
from timeline.ingest.counts import ROUTES
from timeline.personal import Personal
from timeline.quote import literal
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

FEWEST = 10
"""Patients that must have a number or word before it is told: a choice, as publishers of counts make it."""
NAMED = 5
"""Units and words that are told of a code."""
DIGITS = 2
"""Digits of numbers that count."""


@dataclass(frozen=True)
class Codes:
    """The most frequent codes without a concept, and how many there are."""

    codes: tuple[CodeDraft, ...]
    codes_in_all: int
    rows_in_all: int


def drafted(con: "Connection", known: Known, described: Mapping[str, str], most: int, hidden: Personal) -> Codes:
    """Group what has no concept by the key that a mapping file would name; leave out what is `hidden`."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE draft_event AS
        SELECT coalesce(k.key, e.code) AS key, e.code, e.patient_id, e.value,
            CASE WHEN NOT list_contains($units, e.source_unit) THEN e.source_unit WHEN e.source_unit IS NULL THEN ''
                END AS unit,
            e.text, k.parents
        FROM meta.event AS e JOIN meta.source AS s USING (source_file)
        LEFT JOIN meta.code AS k ON k.mapping = coalesce(s.mapping, '') AND k.code = e.code
            AND k.source_unit = coalesce(e.source_unit, '')
        WHERE e.concept IS NULL AND NOT list_contains($codes, e.code)""",
        {"codes": hidden.listed("code"), "units": hidden.listed("unit")},
    )
    counted = con.execute("""SELECT key, count(*) AS n, count(DISTINCT patient_id),
            count(DISTINCT CASE WHEN value IS NOT NULL THEN patient_id END),
            quantile_cont(value, [0.1, 0.5, 0.9]), list(DISTINCT code ORDER BY code)[:5]
        FROM draft_event GROUP BY key ORDER BY n DESC, key""").fetchall()
    # By themselves: a row counts once, whatever other codes it has.
    parents = dict(
        con.execute("""SELECT key, list(DISTINCT parent ORDER BY parent)
            FROM (SELECT key, unnest(parents) AS parent FROM (SELECT DISTINCT key, parents FROM draft_event))
            GROUP BY key""").fetchall()
    )
    found = []
    for key, rows, patients, with_number, quantiles, codes in counted[:most]:
        units = _most(con, key, "unit", 1)
        numbers = _rounded(quantiles) if quantiles is not None and with_number >= FEWEST else None
        description = next((described[code] for code in (key, *codes) if code in described), None)
        texts = [description] if description else [_words_of(key)]
        found.append(
            CodeDraft(
                key=key,
                description=description,
                rows=rows,
                patients=patients,
                units=units,
                numbers=numbers,
                words=tuple(word for word, _ in _most(con, key, "text", FEWEST)),
                candidates=concepts_like(
                    known,
                    (key, *codes, *parents.get(key, ())),
                    texts,
                    units[0][0] if units else "",
                    numbers[1] if numbers else None,
                ),
            )
        )
    return Codes(tuple(found), len(counted), sum(row[1] for row in counted))


def _most(con: "Connection", key: str, column: str, patients: int) -> tuple[tuple[str, int], ...]:
    return tuple(
        con.execute(
            f"""SELECT {column}, count(*) AS n FROM draft_event WHERE key = ? AND {column} IS NOT NULL
            GROUP BY {column} HAVING count(DISTINCT patient_id) >= ? ORDER BY n DESC, {column} LIMIT {NAMED}""",
            [key, patients],
        ).fetchall()
    )


def _rounded(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = (
        round(value, DIGITS - 1 - floor(log10(abs(value)))) if value else 0.0 for value in map(float, values)
    )
    return low, middle, high


def _words_of(key: str) -> str:
    """The words in a code, without the vocabulary before its first slash; none where it has a number that is an id."""
    last = key.split("/", 1)[-1]
    return last if re.search(r"[^\W\d_]{2}", last) and not re.search(r"\d{4}", last) else ""


def rows_of_codes(con: "Connection") -> dict[str, int]:
    """Each code without a concept, with its rows."""
    return dict(con.execute("SELECT code, count(*) AS n FROM draft_event GROUP BY code ORDER BY code").fetchall())


def learned() -> list[tuple[str, str]]:
    """What the shipped mapping files call the concepts."""
    from timeline.ingest import mapping
    from timeline.shipped import folder

    read = [mapping.load(path) for path in sorted((folder("data") / "mappings").glob("*.yaml"))]
    return [(_words_of(key), target.concept) for one in read for key, target in one.codes.items() if _words_of(key)]


def units(con: "Connection") -> tuple[UnitDraft, ...]:
    """The reasons for which rows were rejected because of their unit."""
    rows = con.execute("""SELECT reason, count(*) AS n FROM meta.rejected
        WHERE starts_with(reason, 'unit ''') GROUP BY reason ORDER BY n DESC, reason""").fetchall()
    return tuple(UnitDraft(reason, n) for reason, n in rows)


def routes(con: "Connection", hidden: Personal) -> tuple[RouteDraft, ...]:
    """The routes that are no words of ours."""
    ours = ", ".join(literal(route) for route in ROUTES)
    rows = con.execute(
        f"""SELECT route, count(*) AS n FROM meta.event WHERE route NOT IN ({ours}) AND NOT list_contains(?, route)
        GROUP BY route ORDER BY n DESC, route LIMIT 50""",
        [hidden.listed("route")],
    ).fetchall()
    return tuple(RouteDraft(route, n, words_like(route, ROUTES)) for route, n in rows)


def words(con: "Connection", concepts: Mapping[str, Concept]) -> tuple[WordDraft, ...]:
    """The words that concepts do not list, where enough patients have them."""
    found = []
    for name, concept in sorted(concepts.items()):
        if not concept.words:
            continue
        ours = ", ".join(literal(word.lower()) for word in concept.words)
        rows = con.execute(f"""SELECT text, count(*) AS n FROM meta.event
            WHERE concept = {literal(name)} AND text NOT IN ({ours})
            GROUP BY text HAVING count(DISTINCT patient_id) >= {FEWEST} ORDER BY n DESC, text LIMIT 50""").fetchall()
        found += [WordDraft(name, word, n, words_like(word, concept.words)) for word, n in rows]
    return tuple(found)

"""Of every concept what the study holds: counts, units, distribution; of few patients no values. Knows no check."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from timeline import personal
from timeline.audit.records import Profile

if TYPE_CHECKING:
    import duckdb

LEAST = 5
"""Quantiles and days of fewer patients would tell their values."""
UNITS = 5
"""So many units of a concept are named."""
COUNTED = """
    WITH own AS (SELECT concept, unit AS own_unit FROM concept),
    counted AS (
        SELECT concept, count(*) AS events, count(DISTINCT patient_id) AS patients, count(value) AS numbers,
            count(*) FILTER (WHERE value IS NOT NULL AND source_unit <> unit) AS converted,
            count(*) FILTER (WHERE value IS NOT NULL AND unit IS NOT NULL AND source_unit IS NULL) AS assumed,
            count(*) FILTER (WHERE implausible) AS implausible, count(bound) AS bounded,
            count(*) FILTER (WHERE date_only) AS date_only,
            count(DISTINCT patient_id) FILTER (WHERE value IS NOT NULL AND usual) AS measured,
            quantile_cont(value, [0.05, 0.25, 0.5, 0.75, 0.95]) FILTER (WHERE usual) AS quantiles,
            CAST(min(time) AS DATE) AS first_day, CAST(max(time) AS DATE) AS last_day
        FROM (
            SELECT e.*, NOT implausible AND unit IS NOT DISTINCT FROM own_unit AS usual
            FROM meta.event AS e LEFT JOIN own AS o ON o.concept = e.concept
        )
        WHERE concept IS NOT NULL GROUP BY concept
    )
    SELECT e.concept, c.title, c.unit, e.* EXCLUDE (concept)
    FROM counted AS e LEFT JOIN concept AS c ON c.concept = e.concept
    ORDER BY e.events DESC, e.concept"""
UNITS_SEEN = """
    SELECT concept, source_unit, count(*) AS n FROM meta.event
    WHERE concept IS NOT NULL AND value IS NOT NULL AND source_unit IS NOT NULL
    GROUP BY concept, source_unit ORDER BY n DESC, concept, source_unit"""
REFUSED = (
    "SELECT reason, count(*) FROM meta.rejected WHERE starts_with(reason, 'unit ') GROUP BY reason ORDER BY reason"
)
OF_CONCEPT = re.compile(r".*\((\w+)\)|unit '.*' for (\w+),")
"""How the reason of a refused unit names the concept."""


def profile(con: "duckdb.DuckDBPyConnection") -> tuple[Profile, ...]:
    """Return a profile of each concept that has events, most events first."""
    units: dict[str, list[str]] = {}
    hidden = personal.of(con, personal.EVENTS)
    for concept, unit, n in con.execute(UNITS_SEEN).fetchall():
        if hidden.holds("unit", unit):
            continue
        units.setdefault(concept, []).append(f"{unit} ({n:,})")
    refused: Counter[str] = Counter()
    for reason, n in con.execute(REFUSED).fetchall():
        if named := OF_CONCEPT.match(reason):
            refused[named[1] or named[2]] += n
    made = []
    for row in con.execute(COUNTED).fetchall():
        concept, title, unit, events, patients, numbers, *counts, measured, quantiles, first, last = row
        converted, assumed, implausible, bounded, date_only = counts
        made.append(
            Profile(
                concept, title, unit, events, patients, numbers, tuple(units.get(concept, ())[:UNITS]), converted,
                assumed, refused[concept], implausible, bounded, date_only,
                tuple(quantiles) if quantiles and measured >= LEAST else None,
                first if patients >= LEAST else None, last if patients >= LEAST else None,
            )
        )  # fmt: skip
    return tuple(made)

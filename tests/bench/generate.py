"""Events in random row order, of any number, in the native format: what the benchmark feeds to ingest.

`python -m tests.bench.generate OUT.parquet --events 10000000 --seed 1`. The same seed and number give the same file
on the same DuckDB: every draw is a hash of the event's number, none a random state. Knows nothing of the engine.
"""

import argparse
from pathlib import Path

import duckdb

from tests.bench.kinds import CODES, EVENTS_A_PATIENT, KINDS, Kind

COLUMNS = ("patient_id", "time", "end_time", "code", "value", "unit", "text", "route")


def generate(out: Path, events: int, seed: int = 1) -> None:
    """Write `events` events to the Parquet file `out`, 500 a patient, 1 in 1000 an exact copy of another."""
    con = duckdb.connect()
    con.execute(f"SET VARIABLE kinds = (SELECT list(k ORDER BY slot) FROM {_kinds()})")
    con.execute(_draws(seed))
    con.execute(f"COPY ({_events(events, seed)}) TO '{out}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
    con.close()


def _kinds() -> str:
    """One row a slot: the slots of a patient that a kind fills, the others are left to unmapped codes."""
    slots = [kind for kind in KINDS for _ in range(kind.count)]
    if len(slots) > EVENTS_A_PATIENT:
        raise ValueError("more slots than events a patient")
    rows = ",\n".join(_row(slot, kind) for slot, kind in enumerate(slots))
    return (
        f"(VALUES {rows}) AS k(slot, kind, code, share, first_hour, last_hour, onset, low, high, skew, decimals, unit, "
        "words, routes, longest, bounded)"
    )


def _row(slot: int, kind: Kind) -> str:
    low, high = kind.values or (None, None)
    cells = (
        slot,
        KINDS.index(kind),
        kind.code,
        kind.share,
        float(kind.hours[0]),
        float(kind.hours[1]),
        kind.anchor == "onset",
        low if low is None else float(low),
        high if high is None else float(high),
        kind.skew,
        kind.decimals,
        kind.unit or None,
        list(kind.words),
        list(kind.routes),
        kind.longest,
        kind.bounded,
    )
    return f"({', '.join(_literal(cell) for cell in cells)})"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list):
        return f"[{', '.join(_literal(item) for item in value)}]::VARCHAR[]"
    return f"{value!r}::DOUBLE" if isinstance(value, float) else str(value)


def _draws(seed: int) -> str:
    """`draw(n, salt)`: a number in [0, 1) that depends on nothing but its arguments and the seed."""
    return f"CREATE MACRO draw(n, salt) AS (hash(n, salt, {seed}) >> 11) / 9007199254740992.0"


def _events(events: int, seed: int) -> str:
    mapped = len({kind.code for kind in KINDS})
    return f"""
WITH shuffled AS (
    -- one in a thousand repeats the event before it: an exact duplicate somewhere else in the file
    SELECT n - CASE WHEN n > 0 AND draw(n, 1) < 0.001 THEN 1 ELSE 0 END AS n
    FROM (SELECT range::BIGINT AS n FROM range({events}) ORDER BY hash(range, {seed}), range)
), placed AS (
    SELECT n, n // {EVENTS_A_PATIENT} AS p, (n % {EVENTS_A_PATIENT})::INTEGER AS slot FROM shuffled
), patients AS (
    SELECT n, p, slot,
        TIMESTAMP '2017-01-02 09:00:00' + to_hours((draw(p, 2) * 24 * 1300)::BIGINT) AS infusion,
        48 + 168 * draw(p, 3) AS onset_hours
    FROM placed
), kinds AS (
    -- a kind is a patient's or not: its slots stand or fall together; both products share one draw
    SELECT *,
        coalesce(CASE kind
            WHEN 0 THEN draw(p, 4) < 0.5 WHEN 1 THEN draw(p, 4) >= 0.5 AND draw(p, 4) < 0.97
            ELSE draw(p, 100 + kind) < share END, false) AS known
    -- a join would be plainer, but does not keep the order of rows, and the file must be the same each time
    FROM (SELECT p.*, unnest(getvariable('kinds')[slot + 1]) FROM patients AS p)
), timed AS (
    SELECT *, infusion + to_minutes(CASE
        WHEN known THEN 60 * (first_hour + (CASE WHEN onset THEN onset_hours ELSE 0 END)
            + draw(n, 5) * (last_hour - first_hour))
        ELSE 60 * 24 * (draw(n, 5) * 70 - 20) END::BIGINT) AS "time"
    FROM kinds
), valued AS (
    SELECT *,
        CASE WHEN known THEN round(low + pow(draw(n, 6), skew) * (high - low), decimals)
             WHEN draw(n, 7) < 0.6 THEN round(draw(n, 6) * 200, 1) END AS number,
        CASE WHEN known AND unit = 'Cel' AND p % 2 = 1 THEN '[degF]' WHEN known THEN unit
             WHEN draw(n, 7) < 0.5 THEN 'mmol/L' END AS written_unit
    FROM timed
)
SELECT 'P' || lpad((hash(p, {seed}) % 10000000000)::VARCHAR, 10, '0') AS patient_id, "time",
    CASE WHEN known AND longest > 0 AND draw(n, 8) < 0.67
         THEN "time" + to_minutes((draw(n, 9) * 60 * longest)::BIGINT) END AS end_time,
    CASE WHEN known THEN code
         ELSE 'LOCAL/' || lpad(floor(pow(draw(n, 10), 2) * {CODES - mapped})::INTEGER::VARCHAR, 3, '0') END AS code,
    CASE WHEN known AND bounded AND draw(n, 11) < 0.02 THEN '<' ELSE '' END
        || CASE WHEN written_unit = '[degF]' THEN round(number * 1.8 + 32, 1) ELSE number END
             ::DECIMAL(18, 2)::DOUBLE::VARCHAR AS value,
    CASE WHEN known AND unit IS NOT NULL AND draw(n, 12) < 0.0005 THEN 'furlong' ELSE written_unit END AS unit,
    CASE WHEN known AND len(words) > 0 THEN words[1 + (draw(n, 13) * len(words))::INTEGER % len(words)] END AS text,
    CASE WHEN known AND len(routes) > 0 THEN routes[1 + (draw(n, 14) * len(routes))::INTEGER % len(routes)] END AS route
FROM valued"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generate(options.out, options.events, options.seed)


if __name__ == "__main__":
    main()

"""Which derived rows rest on a bare date: midnight stands for the whole day, so their windows are only so exact.

Knows events' `date_only` and rows' `evidence`; no rule.
"""

import duckdb

from timeline.quote import identifier, literal


def observe(con: duckdb.DuckDBPyConnection) -> None:
    """Select, of what rules may read, the ids of events with a bare date, as the temporary table `bare_date`.

    `temp.observation` must hold what the rules of this run read.
    """
    con.execute("""CREATE OR REPLACE TEMP TABLE bare_date AS SELECT event_id FROM meta.event
        WHERE date_only AND concept IN (SELECT DISTINCT concept FROM temp.observation)""")


def mark(con: duckdb.DuckDBPyConnection, run: str, rule: str) -> int:
    """List the rows of a rule's table whose evidence has a bare date in meta.day_precision; return how many."""
    if not con.execute("SELECT 1 FROM temp.bare_date LIMIT 1").fetchall():
        return 0
    con.execute(f"""INSERT INTO meta.day_precision
        SELECT {literal(run)}, {literal(rule)}, patient_id, number, count(DISTINCT event_id)
        FROM (SELECT patient_id, number, unnest(evidence) AS event_id FROM {identifier(rule)})
        WHERE event_id IN (FROM temp.bare_date)
        GROUP BY patient_id, number ORDER BY patient_id, number""")
    counted = con.execute("SELECT count(*) FROM meta.day_precision WHERE rule = ?", [rule]).fetchall()
    return counted[0][0]

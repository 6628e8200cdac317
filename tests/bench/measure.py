"""One measurement in a process of its own, so that its memory is its own: `python -m tests.bench.measure NAME ...`.

A measurement prepares what it needs and returns what is to be timed. Prints one line of JSON: wall and CPU seconds,
peak resident GB, and what came out.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from timeline import engine, load, schema, store

Timed = Callable[[], Any]


def copy(events: Path, study: Path) -> Timed:
    """A bare CREATE TABLE AS of the file: what ingest is measured against."""
    target = study.with_suffix(".copy")
    target.unlink(missing_ok=True)
    con = duckdb.connect(str(target))

    def timed() -> Any:
        con.execute(f"CREATE TABLE event AS FROM '{events}'").fetchall()
        con.close()
        target.unlink()

    return timed


def sort(events: Path, study: Path) -> Timed:
    """A bare sort of four columns, the patient a number: what the five rules are measured against."""
    con = duckdb.connect()
    con.execute(
        'CREATE TABLE unsorted AS SELECT (hash(patient_id) % 4294967296)::UINTEGER AS patient, "time", '
        f"(hash(code) % 65536)::USMALLINT AS code, TRY_CAST(value AS DOUBLE) AS value FROM '{events}'"
    )
    return lambda: con.execute('CREATE TABLE s AS FROM unsorted ORDER BY patient, "time", code, value').fetchall()


def ingest(events: Path, study: Path) -> Timed:
    """The file made into a study, with validation and mapping."""
    from timeline.ingest import ingest

    study.unlink(missing_ok=True)
    concepts = load.load([]).concepts
    con = store.connect(study, create=True)

    def timed() -> Any:
        ingest(con, [events], concepts)
        con.close()

    return timed


def validate(events: Path, study: Path) -> Timed:
    """pandera over every event, a range check added so that values are read, too."""
    import pandera.polars  # noqa: F401  (the import is not what is measured)

    from timeline.validate import validate

    con = store.connect(study, read_only=True)
    fields = tuple(replace(f, between=(0, 100)) if f.name == "value" else f for f in schema.EVENT)
    return lambda: [f"{f.column}: {f.failures}" for f in validate(con, "meta.event", fields)]


def by_hand(events: Path, study: Path) -> Timed:
    """The five rules as SQL written for this one study."""
    from tests.bench import five

    con = store.connect(study, read_only=True)
    return lambda: five.derive_by_hand(con)


def compiled(events: Path, study: Path) -> Timed:
    """The same rules as the engine compiles them, with evidence; compiling, half a second at any size, is not in it."""
    from tests.bench import five

    con, rules = store.connect(study, read_only=True), five.five_rules()
    return lambda: five.derive(con, rules)


def judged(events: Path, study: Path) -> Timed:
    """The same with the outcome of every clause, its counts, and the verdicts, as a run keeps them."""
    from tests.bench import five

    con, rules = store.connect(study, read_only=True), five.five_rules()
    return lambda: five.derive_judged(con, rules)


def run(events: Path, study: Path) -> Timed:
    """`timeline run`: all shipped rules, validated, commented and recorded."""
    import pandera.polars  # noqa: F401

    con = store.connect(study)
    return lambda: sum(rule.rows for rule in engine.run(con, load.load([])).rules)


def same(events: Path, study: Path) -> Timed:
    """Rows in which the five rules and the SQL by hand differ."""
    from tests.bench import five

    con = store.connect(study, read_only=True)
    five.derive(con, five.five_rules())
    five.derive_by_hand(con)
    return lambda: five.different(con)


MEASUREMENTS = {f.__name__: f for f in (copy, sort, ingest, validate, by_hand, compiled, judged, run, same)}


def main(name: str, events: str, study: str) -> None:
    timed = MEASUREMENTS[name](Path(events), Path(study))
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = timed()
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    print(json.dumps({"name": name, "wall": wall, "cpu": cpu, "peak": after.ru_maxrss * unit / 1e9, "result": result}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Run a rule set on a study: every table anew in one transaction, all or none, with its provenance.

Knows rules as compiled SELECTs and the study as a connection; no YAML, no extract.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from timeline import precision, schema, store, tally
from timeline.compiler import Compiled, compile_rules
from timeline.compiler.params import in_force
from timeline.errors import Finding, Findings, StudyError
from timeline.hashes import digest, rule_hashes
from timeline.quote import identifier, literal
from timeline.rules import RuleSet, never


@dataclass(frozen=True)
class RuleReport:
    """What one rule derived."""

    name: str
    operator: str
    kind: str
    rows: int
    patients: int
    seconds: float
    notes: tuple[str, ...]
    """Concepts, windows and levels that matched nothing."""
    rows_date_only: int = 0
    """Rows that rest on a bare date."""


@dataclass(frozen=True)
class RunReport:
    """What a run derived, and what it found nothing for."""

    run: str
    ruleset: str
    ruleset_hash: str
    rules: tuple[RuleReport, ...]
    patients: int
    events: int
    replaced: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float


def run(
    con: duckdb.DuckDBPyConnection,
    ruleset: RuleSet,
    params: Mapping[str, str] = {},
    progress: Callable[[str], None] | None = None,
    show_values: bool = False,
) -> RunReport:
    """Derive every table of `ruleset` anew and return what came out; nothing changes where anything fails.

    Raises `Findings` for mistakes in the rules or rows that break a promise of theirs; with `show_values`, a few
    of those rows are in the message.
    """
    from timeline import concepts
    from timeline.ingest.remap import apply as remap

    started, clock = datetime.now(UTC).replace(tzinfo=None), time.perf_counter()
    compiled = compile_rules(ruleset, params)
    hashes = rule_hashes(ruleset, compiled, params)
    con.execute("BEGIN")
    try:
        remapped = remap(con, ruleset.concepts)
        concepts.write(con, ruleset.concepts)
        _drop_derived(con)
        run_id = _id(hashes, con)
        absent = observe(con, compiled)
        precision.observe(con)
        reports = tuple(_derive(con, run_id, rule, ruleset, compiled, progress, show_values) for rule in compiled)
        zero = next((rule.relation.at for rule in compiled if rule.name == ruleset.index), None)
        store.refresh_views(con, ruleset.index, zero or "time")
        report = RunReport(
            run=run_id,
            ruleset=ruleset.name,
            ruleset_hash=digest(sorted(hashes.items())),
            rules=reports,
            patients=_one(con, "SELECT count(*) FROM patient"),
            events=_one(con, "SELECT count(*) FROM meta.event"),
            replaced=ruleset.replacements,
            notes=(*remapped.notes, *_absent_notes(absent)),
            seconds=time.perf_counter() - clock,
        )
        _record(con, report, ruleset, compiled, hashes, params, started)
        con.execute("DROP TABLE temp.observation; DROP TABLE temp.bare_date")
        con.execute("COMMIT")
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("CHECKPOINT")
    return report


def observe(con: duckdb.DuckDBPyConnection, compiled: tuple[Compiled, ...]) -> frozenset[str]:
    """Select the events that any rule reads once, as the temporary table `observation`, which shadows the view.

    Returns the concepts that rules read and no event has.
    """
    used = sorted({concept for rule in compiled for concept in rule.concepts})
    listed = ", ".join(literal(concept) for concept in used)
    condition = f"concept IN ({listed})" if used else "FALSE"
    con.execute("DROP TABLE IF EXISTS temp.observation")
    needed = {"event_id", "patient_id", "time", "concept"}.union(*(rule.event_columns for rule in compiled))
    columns = ", ".join(identifier(field.name) for field in schema.EVENT if field.name in needed - {"implausible"})
    con.execute(f"CREATE TEMP TABLE observation AS SELECT {columns} FROM main.observation WHERE {condition}")
    present = {row[0] for row in con.execute("SELECT DISTINCT concept FROM temp.observation").fetchall()}
    return frozenset(used) - present


def _derive(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    rule: Compiled,
    ruleset: RuleSet,
    compiled: tuple[Compiled, ...],
    progress: Callable[[str], None] | None,
    show_values: bool,
) -> RuleReport:
    """Make one rule's table, check what it promises, comment it."""
    if progress:
        progress(rule.name)
    clock, table = time.perf_counter(), identifier(rule.name)
    con.execute(f"CREATE TABLE {table} AS {rule.outcomes}")
    tallies = tally.tally(con, rule)
    _keep_outcomes(con, run_id, rule, tallies)
    for column in rule.extra:
        con.execute(f"ALTER TABLE {table} DROP COLUMN {identifier(column)}")
    if rule.name == ruleset.index:
        one_a_patient(con, rule, ruleset)
        for earlier in upstream(compiled, rule):
            _add_days(con, earlier, rule)
    _validate(con, rule, ruleset, show_values)
    _comment(con, rule, ruleset)
    rows, patients = con.execute(f"SELECT count(*), count(DISTINCT patient_id) FROM {table}").fetchall()[0]
    notes = _notes(con, rule, ruleset, rows, tallies)
    dated = precision.mark(con, run_id, rule.name)
    operator = ruleset.rules[rule.name].operator
    return RuleReport(rule.name, operator, rule.kind, rows, patients, time.perf_counter() - clock, notes, dated)


def _keep_outcomes(
    con: duckdb.DuckDBPyConnection, run_id: str, rule: Compiled, tallies: tuple[tally.Tally, ...]
) -> None:
    """Keep how often each clause was true, false and unknown, and the verdict on each lookup and step of each row."""
    rows = [
        [run_id, rule.name, position, t.clause.kind, t.clause.name, t.asked_of, t.true, t.false, t.unknown, t.left,
         t.patients_left]
        for position, t in enumerate(tallies, 1)
    ]  # fmt: skip
    if rows:
        con.executemany(f"INSERT INTO meta.clause VALUES ({', '.join('?' * len(schema.CLAUSE))})", rows)
    if rule.verdicts is not None:
        run_and_rule = f"{literal(run_id)}, {literal(rule.name)}"
        con.execute(f"INSERT INTO meta.verdict SELECT {run_and_rule}, * FROM ({rule.verdicts})")


def one_a_patient(con: duckdb.DuckDBPyConnection, rule: Compiled, ruleset: RuleSet) -> None:
    """Raise `Findings` where the table of the index rule has two rows for a patient."""
    many = _one(con, f"SELECT count(DISTINCT patient_id) FROM {identifier(rule.name)} WHERE number > 1")
    if many:
        place = ruleset.places.get(rule.name, rule.name)
        message = f"the index rule gave {many} patients more than one day 0; add `keep: first`"
        raise Findings([Finding(place, message)])


def _add_days(con: duckdb.DuckDBPyConnection, rule: Compiled, index: Compiled) -> None:
    """Days for a rule that the index rule reads: it was derived before there was an index."""
    pairs = {"day": "time", "start_day": "start_time", "end_day": "end_time"}
    names = [field.name for field in rule.fields if field.name in pairs]
    if names:
        start = f"CAST(i.{identifier(index.relation.at or '')} AS DATE)"
        items = ", ".join(f"{name} = CAST(CAST(r.{pairs[name]} AS DATE) - {start} AS INTEGER)" for name in names)
        table = identifier(rule.name)
        con.execute(
            f"UPDATE {table} AS r SET {items} FROM {index.relation.table} AS i WHERE i.patient_id = r.patient_id"
        )


def upstream(compiled: tuple[Compiled, ...], index: Compiled) -> list[Compiled]:
    """The rules that the index rule reads, and those that they read."""
    by_name = {rule.name: rule for rule in compiled}
    found: dict[str, Compiled] = {}
    waiting = list(index.reads)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = by_name[name]
            waiting += by_name[name].reads
    return list(found.values())


def _validate(con: duckdb.DuckDBPyConnection, rule: Compiled, ruleset: RuleSet, show_values: bool) -> None:
    """Pass the table through the pandera schema built of its declarations."""
    from timeline.validate import validate

    failures = validate(con, identifier(rule.name), rule.fields, rule.checks, show_values)
    if failures:
        findings = []
        for failure in failures:
            path = f"{rule.name}.columns.{failure.column}" if failure.column else f"{rule.name}.checks.{failure.check}"
            place = ruleset.places.get(path, ruleset.places.get(rule.name, rule.name))
            rows = "".join(f"\n  {dict(row)}" for row in failure.examples)
            findings.append(Finding(place, f"{rule.name}: {failure}{rows}"))
        raise Findings(findings, "derived rows break what their rules promise; nothing was changed")


def _comment(con: duckdb.DuckDBPyConnection, rule: Compiled, ruleset: RuleSet) -> None:
    """Write title, source and the meaning of every column into the file."""
    declared = ruleset.rules[rule.name]
    about = ". ".join(
        part for part in (declared.title, f"Source: {declared.source}" if declared.source else "") if part
    )
    con.execute(f"COMMENT ON TABLE {identifier(rule.name)} IS {literal(about)}")
    for field in rule.fields:
        meaning = field.meaning + (f" [{field.unit}]" if field.unit else "")
        con.execute(f"COMMENT ON COLUMN {identifier(rule.name)}.{identifier(field.name)} IS {literal(meaning)}")


def _notes(
    con: duckdb.DuckDBPyConnection, rule: Compiled, ruleset: RuleSet, rows: int, tallies: tuple[tally.Tally, ...]
) -> tuple[str, ...]:
    """What matched nothing, and which measured columns are empty, each with the count of what was looked at."""
    notes = [
        f"{'side' if t.clause.path.startswith('analytes.') else 'lookup'} {t.clause.text}: nothing matched, "
        f"of {t.false + t.unknown} looked at"
        + (", since its window ends before it begins" if never(t.clause.text) else "")
        for t in tallies
        if t.clause.kind == "lookup" and not t.true and t.false + t.unknown
    ]
    for probe in rule.probes:
        looked, matched = con.execute(probe.sql).fetchall()[0]
        if looked and not matched:
            notes.append(f"{probe.what}: nothing matched, of {looked} looked at")
    measured = [name for name, column in ruleset.rules[rule.name].columns.items() if column.unit and column.sql]
    if rows and measured:
        counts = ", ".join(f"count({identifier(name)})" for name in measured)
        found = con.execute(f"SELECT {counts} FROM {identifier(rule.name)}").fetchall()[0]
        for name, count in zip(measured, found, strict=True):
            if count < rows:
                notes.append(f"{name}: none in {rows - count} of {rows} rows")
    return tuple(notes)


def _absent_notes(absent: frozenset[str]) -> tuple[str, ...]:
    return (f"concepts that rules read and no event has: {', '.join(sorted(absent))}",) if absent else ()


def derived_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of the run that the study holds, in the order in which they were derived."""
    return [row[0] for row in con.execute("SELECT rule FROM meta.rule ORDER BY rowid").fetchall()]


def _drop_derived(con: duckdb.DuckDBPyConnection) -> None:
    store.refresh_views(con)
    for name in derived_tables(con):
        con.execute(f"DROP TABLE IF EXISTS {identifier(name)}")
    con.execute("DELETE FROM meta.rule")
    for table in OF_ROWS:
        # Made anew, since the type of patient_id changes whenever patients are added.
        con.execute(f"DROP TABLE IF EXISTS {table}")
        con.execute(schema.ddl(table))
    store.comment(con, OF_ROWS)


def _record(
    con: duckdb.DuckDBPyConnection,
    report: RunReport,
    ruleset: RuleSet,
    compiled: tuple[Compiled, ...],
    hashes: Mapping[str, str],
    params: Mapping[str, str],
    started: datetime,
) -> None:
    """Keep what was run: rule texts and SQL of this run, and a line for every run there has been."""
    from timeline import __version__

    for rule, derived in zip(compiled, report.rules, strict=True):
        declared = ruleset.rules[rule.name]
        definition = declared.model_dump_json(exclude_defaults=True)
        con.execute(
            f"INSERT INTO meta.rule VALUES ({', '.join('?' * len(schema.RULE))})",
            [report.run, rule.name, declared.operator, rule.kind, declared.title, declared.source, definition, rule.sql,
             hashes[rule.name], derived.rows, derived.patients, derived.rows_date_only, derived.seconds,
             list(derived.notes)],
        )  # fmt: skip
    texts = {f"{name}.{param}": text for name, own in in_force(ruleset, params).items() for param, text in own.items()}
    con.execute(
        f"INSERT INTO meta.run VALUES ({', '.join('?' * len(schema.RUN))})",
        [report.run, ruleset.name, ruleset.version, report.ruleset_hash, json.dumps(texts, sort_keys=True), __version__,
         duckdb.__version__, started, report.seconds],
    )  # fmt: skip
    _keep(con, ruleset, params)


def last_run(con: duckdb.DuckDBPyConnection) -> tuple[RuleSet, dict[str, str]]:
    """Return the rule set of the study's derived tables, as it ran, and the parameters that were overridden.

    Raises `StudyError` where nothing has been derived.
    """
    kept = dict(con.execute(f"SELECT name, value FROM meta.study WHERE name IN {KEPT}").fetchall())
    if len(kept) < len(KEPT):
        raise StudyError("nothing has been derived in this study yet; derive its tables with `timeline run STUDY`")
    return RuleSet.model_validate_json(kept[KEPT[0]]), json.loads(kept[KEPT[1]])


def _keep(con: duckdb.DuckDBPyConnection, ruleset: RuleSet, params: Mapping[str, str]) -> None:
    """Keep the rule set whole, so that the study can say by which definitions its tables were derived."""
    con.execute(f"DELETE FROM meta.study WHERE name IN {KEPT}")
    values = [KEPT[0], ruleset.model_dump_json(), KEPT[1], json.dumps(dict(params))]
    con.execute("INSERT INTO meta.study VALUES (?, ?), (?, ?)", values)


OF_ROWS = ("meta.clause", "meta.verdict", "meta.day_precision")
"""The tables about rows and clauses of the last run."""
KEPT = ("ruleset", "overrides")
"""The settings that hold the rule set of the last run and its overridden parameters, JSON."""


def _id(hashes: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> str:
    """The run's id: the same rules on the same sources have the same."""
    sources = con.execute("SELECT source_file, sha256 FROM meta.source ORDER BY ALL").fetchall()
    return digest([sorted(hashes.items()), sources])[:12]


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    return con.execute(sql).fetchall()[0][0]

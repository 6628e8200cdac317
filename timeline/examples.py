"""Run the examples of a rule set: all as patients of one study, since no rule compares two patients.

Knows how an example is written down and compared; the ingest and the engine are the real ones.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from timeline.errors import TimelineError
from timeline.quote import identifier
from timeline.rules import Example, RuleSet

PERSON_COLUMNS = ("patient_id", "sex", "birth_date")
EVENT_COLUMNS = ("time", "end_time", "code", "value", "unit", "text", "route")


@dataclass(frozen=True)
class ExampleResult:
    """Whether one example came out as its author expects."""

    where: str
    title: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def run_examples(ruleset: RuleSet) -> tuple[ExampleResult, ...]:
    """Return one result an example, in the order in which they stand; runs share a study where parameters agree."""
    from timeline.compiler import needed

    groups: dict[tuple[tuple[str, str], ...], dict[str, Example]] = {}
    for where, example in ruleset.examples.items():
        groups.setdefault(tuple(sorted(example.set.items())), {})[where] = example
    results: dict[str, ExampleResult] = {}
    for params, examples in groups.items():
        named = {rule for example in examples.values() for rule in example.expect}
        named |= {param.partition(".")[0] for param, _ in params}
        results |= _run_group(needed(ruleset, named), dict(params), examples)
    return tuple(results[where] for where in ruleset.examples)


def parse_events(text: str) -> list[dict[str, str]]:
    """Return the rows of a `time | code | value` table; raise ValueError where a line does not fit its header."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return []
    header = [cell.strip() for cell in lines[0].split("|")]
    unknown = [name for name in header if name not in EVENT_COLUMNS]
    if unknown:
        raise ValueError(f"the header names {', '.join(unknown)}; the columns are {', '.join(EVENT_COLUMNS)}")
    rows = []
    for number, line in enumerate(lines[1:], 1):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > len(header):
            raise ValueError(f"row {number} has {len(cells)} cells, its header {len(header)}")
        rows.append(dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True)))
    return rows


def _run_group(
    ruleset: RuleSet, params: Mapping[str, str], examples: Mapping[str, Example]
) -> dict[str, ExampleResult]:
    """Run examples that share their parameters; a mistake that stops the run is a problem of each of them."""
    from timeline import engine, ingest, store

    problems: dict[str, list[str]] = {where: [] for where in examples}
    with TemporaryDirectory() as folder, store.connect(":memory:") as con:
        patients = _write_extract(Path(folder), examples, problems)
        try:
            ingest.ingest(con, [Path(folder)], ruleset.concepts)
            engine.run(con, ruleset, params)
        except TimelineError as error:
            return {where: ExampleResult(where, e.title, (str(error),)) for where, e in examples.items()}
        for row, reason in con.execute("SELECT source_row, reason FROM meta.rejected ORDER BY source_row").fetchall():
            where = _owner(patients, row)
            problems[where].append(f"an event was rejected: {reason}")
        for patient, (where, example) in enumerate(examples.items()):
            for rule, expected in example.expect.items():
                problems[where] += _compare(con, ruleset, f"{patient:05}", rule, expected)
    return {where: ExampleResult(where, e.title, tuple(problems[where])) for where, e in examples.items()}


def _write_extract(
    folder: Path, examples: Mapping[str, Example], problems: Mapping[str, list[str]]
) -> list[tuple[int, str]]:
    """Write the examples as one native extract; return the first row of each, and where it stands."""
    first_rows, row = [], 1
    with (
        (folder / "events.csv").open("w", newline="") as events,
        (folder / "patients.csv").open("w", newline="") as people,
    ):
        writer: csv.DictWriter[str] = csv.DictWriter(events, ("patient_id", *EVENT_COLUMNS), restval="")
        person: csv.DictWriter[str] = csv.DictWriter(people, PERSON_COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        person.writeheader()
        for patient, (where, example) in enumerate(examples.items()):
            first_rows.append((row, where))
            person.writerow({"patient_id": f"{patient:05}", **example.patient})
            try:
                rows = parse_events(example.events)
            except ValueError as error:
                problems[where].append(str(error))
                rows = []
            writer.writerows({"patient_id": f"{patient:05}", **cells} for cells in rows)
            row += len(rows)
    return first_rows


def _owner(first_rows: list[tuple[int, str]], row: int) -> str:
    return next(where for first, where in reversed(first_rows) if first <= row)


def _compare(
    con: duckdb.DuckDBPyConnection,
    ruleset: RuleSet,
    patient: str,
    rule: str,
    expected: tuple[Mapping[str, str | None], ...],
) -> list[str]:
    """What differs between the rows derived for a patient and those expected."""
    if rule not in ruleset.rules:
        return [f"no rule `{rule}` to expect rows of"]
    found = con.execute(f"SELECT * FROM {identifier(rule)} WHERE patient_id = ? ORDER BY number", [patient])
    columns = [column[0] for column in found.description or ()]
    rows = [dict(zip(columns, values, strict=True)) for values in found.fetchall()]
    if len(rows) != len(expected):
        return [f"{rule}: {len(rows)} rows came out, {len(expected)} were expected{_listed(rows, expected)}"]
    problems = []
    for number, (row, wanted) in enumerate(zip(rows, expected, strict=True), 1):
        for name, text in wanted.items():
            if name not in row:
                problems.append(f"{rule}: no column `{name}`; the columns are {', '.join(columns)}")
            elif not _equal(row[name], text):
                problems.append(f"{rule} row {number}: {name} is {_text(row[name])}, expected {_text(text)}")
    return problems


def _listed(rows: list[dict[str, object]], expected: tuple[Mapping[str, str | None], ...]) -> str:
    """The rows that came out, in the columns that the example speaks of."""
    names = list(dict.fromkeys(name for wanted in expected for name in wanted))
    if not rows:
        return ""
    names = [name for name in names if name in rows[0]] or [
        name for name in rows[0] if name not in ("patient_id", "evidence")
    ]
    return ": " + "; ".join(", ".join(f"{name} {_text(row[name])}" for name in names) for row in rows)


def _equal(value: object, text: str | None) -> bool:
    if text is None or value is None:
        return value is None and text is None
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, int | float):
        try:
            return math.isclose(float(text), float(value), rel_tol=1e-9, abs_tol=1e-12)
        except ValueError:
            return False
    if isinstance(value, datetime):
        try:
            return datetime.fromisoformat(text) == value
        except ValueError:
            return False
    return str(value) == text


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.time() != datetime.min.time():
        return value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()[:10]
    return "NULL" if value is None else str(value)

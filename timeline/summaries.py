"""What each command says of its work, in words for the terminal; knows the reports' fields, and no patient's values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from timeline.printing import cell, count, table, wrapped

if TYPE_CHECKING:
    from timeline.check import CheckReport, Step
    from timeline.demo import Demo
    from timeline.diff import Diff, RowDiff, RuleDiff
    from timeline.engine import RunReport
    from timeline.header import Query
    from timeline.ingest import IngestReport
    from timeline.report import ReportResult
    from timeline.sweep import Measured, Sweep

NAMED = 8
"""So many names of a kind are listed, the most frequent first; the rest is counted."""


ROW_DIFFS = 40
"""So many rows of a comparison are printed."""
NUMBERS = 3
"""So many numbers of rows are printed in a line."""
POINTS = 60
"""So many rows of a sweep are printed."""


def ingest_text(report: IngestReport) -> str:
    """Return what became of every row, and what a reader should look at."""
    lines = []
    if report.sources:
        rows = [
            (s.source_file, s.format, s.rows_read, s.rows_loaded, s.rows_duplicate, s.rows_rejected)
            for s in report.sources
        ]
        lines += [table(("file", "format", "read", "loaded", "duplicate", "rejected"), rows, indent="  "), ""]
    lines.append(f"{count(report.events, 'event')} added; {count(report.patients, 'patient')} in the study.")
    said = (
        ("Unchanged, nothing done", ", ".join(report.unchanged)),
        ("Replaced", ", ".join(report.replaced)),
        ("Rejected, see meta.rejected", _named(report.rejected)),
        (
            f"Without a concept: {count(report.unmapped_codes, 'code')}, {count(report.unmapped_rows, 'row')}",
            _named(report.unmapped, report.unmapped_codes),
        ),
        ("Without a unit, taken to be in the concept's own", _named(report.assumed_units)),
        (
            "Converted",
            _named((f"{c.concept} {c.source_unit} to {c.unit}", c.rows) for c in report.conversions),
        ),
        ("Implausible, so no observation for rules", _named(report.implausible)),
        ("Words where a number is expected", _named(report.words_for_numbers)),
        ("Words that are not of the concept's list", _named(report.unknown_words)),
        ("Times that were bare dates", _counted(report.date_only)),
        ("Events equal to one of another file, both kept", _counted(report.repeats)),
    )
    lines += [wrapped(f"{heading}: {text}", indent="  ") for heading, text in said if text]
    return "\n".join([*lines, *(wrapped(warning, indent="  ") for warning in report.warnings)])


def _named(pairs: Iterable[tuple[str, int]], kinds: int = 0) -> str:
    """`first (12), second (3)`, and how many more there are."""
    listed = list(pairs)
    more = max(kinds, len(listed)) - NAMED
    return ", ".join(f"{name} ({rows:,})" for name, rows in listed[:NAMED]) + (f", and {more} more" if more > 0 else "")


def _counted(number: int) -> str:
    return f"{number:,}" if number else ""


def run_text(report: RunReport) -> str:
    """Return what a run derived, and what it found nothing for."""
    of = f"{count(report.patients, 'patient')}, {count(report.events, 'event')}"
    lines = [f"{report.ruleset}: {count(len(report.rules), 'table')} of {of}, in {report.seconds:.1f} s", ""]
    rows = [(rule.name, rule.kind, rule.rows, rule.patients) for rule in report.rules if rule.rows]
    if rows:
        lines.append(table(("table", "kind", "rows", "patients"), rows, indent="  "))
    empty = ", ".join(rule.name for rule in report.rules if not rule.rows)
    if empty:
        lines.append(wrapped(f"  without a row: {empty}", indent="    "))
    notes = [*report.notes, *(f"{rule.name}: {note}" for rule in report.rules for note in rule.notes)]
    for heading, said in (("Replaced", report.replaced), ("Nothing found", notes)):
        if said:
            lines += ["", f"{heading}:", *(wrapped(f"  {line}", indent="    ") for line in said)]
    return "\n".join(lines)


def check_text(report: CheckReport) -> str:
    """Return how many rules and examples were checked, and every example that came out otherwise."""
    ruleset = report.ruleset
    counted = (
        count(len(ruleset.rules), "rule"),
        count(len(ruleset.concepts), "concept"),
        count(len(report.examples), "example"),
    )
    outcome = f"{len(report.failed)} of the examples failed" if report.failed else "no mistakes"
    lines = [f"{ruleset.name}: {', '.join(counted)}; {outcome}"]
    lines += [f"replaced: {name}" for name in ruleset.replaced]
    for example in report.failed:
        lines += [f"{example.where}: {example.title}", *(f"  {problem}" for problem in example.problems)]
    return "\n".join(lines)


def funnel_text(steps: Sequence[Step]) -> str:
    """Return what each step of each rule leaves, a rule's name at its first step."""
    rows, last = [], ""
    for step in steps:
        rows.append((step.rule if step.rule != last else "", step.step, step.rows, step.patients))
        last = step.rule
    return table(("rule", "step", "rows", "patients"), rows)


def report_text(report: ReportResult) -> str:
    """Return what was written, and which questions have no answer in this study."""
    size = f"{report.bytes / 1_000_000:.1f} MB"
    lines = [f"{report.path}: {count(report.queries, 'question', 'questions')} answered on one page, {size}"]
    if report.figures:
        lines.append(f"{report.figures[0].parent}: {', '.join(path.name for path in report.figures)}")
    lines += [wrapped(f"{name}: {why}", indent="  ") for name, why in sorted(report.absent.items())]
    return "\n".join(lines)


def sweep_text(found: Sweep, written: Sequence[str] = ()) -> str:
    """Return each measure at every point, what the selections are compared with, and how much was derived."""
    what = f"{count(found.points, 'point')}, {count(len(found.measured), 'measure')}"
    lines = [f"{found.study}: {what}; {derived_text(found.derived, found.reused)}, in {found.seconds:.1f} s"]
    if found.remark:
        lines.append(wrapped(found.remark))
    usual = ", ".join(f"{axis.param}={axis.default}" for axis in found.axes)
    for measured in found.measured:
        n = f", {count(measured.reference, 'patient')}" if measured.reference is not None else ""
        lines += ["", *([f"{measured.title or measured.name}:"] if len(found.measured) > 1 else [])]
        lines.append(measured_text(measured))
        if measured.reference is not None:
            lines.append(wrapped(f"* the reference, the definitions as they are: {usual or 'no variant'}{n}"))
    if found.notes:
        lines += ["", *(wrapped(f"Note: {note}", indent="  ") for note in found.notes)]
    return "\n".join([*lines, *(["", f"Written: {', '.join(written)}"] if written else [])])


def measured_text(measured: Measured) -> str:
    """Return a measure's rows, the reference's marked with a star."""
    grid = measured.frame.columns.index("reference")
    rows = [("*" if row[grid] else "", *row[:grid], *row[grid + 1 :]) for row in measured.frame.rows()]
    header = ("", *(name for name in measured.frame.columns if name != "reference"))
    shown = table(header, rows[:POINTS])
    return shown if len(rows) <= POINTS else f"{shown}\n… {count(len(rows), 'row')} in all; -o FILE.csv writes them"


def derived_text(derived: int, reused: int) -> str:
    """Return how many tables were derived, and how many were there already."""
    return f"{count(derived, 'table')} derived, {reused:,} reused"


def sweep_record(found: Sweep) -> dict[str, object]:
    """Return a sweep as what JSON can say: its own fields, and each measure's rows."""
    rows = [{"name": m.name, "of": m.of, "reference": m.reference, "rows": m.frame.to_dicts()} for m in found.measured]
    fields = ("study", "ruleset", "variants", "axes", "points", "patients", "derived", "reused", "notes", "remark")
    return {**{name: getattr(found, name) for name in fields}, "seconds": found.seconds, "measures": rows}


def diff_text(found: Diff, written: str | None = None) -> str:
    """Return what is not the same by rule, then row by row as far as can be read."""
    lines = [f"A: {found.a}\nB: {found.b}"] + ([wrapped(found.remark)] if found.remark else [])
    told = [rule for rule in found.rules if rule.differs]
    same = len(found.rules) - len(told)
    if told:
        header = ("rule", "rows A", "rows B", "appeared", "vanished", "changed", "patients", "evidence", "definition")
        rows = [
            (r.rule, r.rows_a, r.rows_b, r.appeared, r.vanished, r.changed, r.patients, r.evidence_only, _definition(r))
            for r in told
        ]
        lines += ["", table(header, rows)]
    lines.append(
        f"{'The other ' if told else ''}{count(same, 'rule')}: the same rows, by the same definitions.".strip()
    )
    lines += [wrapped(f"{r.rule}: {part}", indent="  ") for r in told for part in _parts(r)]
    if found.rows:
        what = count(len(found.rows), "row")
        lines += ["", f"{what} of {count(found.patients, 'patient')} are not the same:", rows_text(found)]
    lines += [wrapped(f"Note: {note}", indent="  ") for note in found.notes]
    return "\n".join([*lines, *([f"{count(len(found.rows), 'row')} in {written}"] if written else [])])


def _definition(rule: RuleDiff) -> str:
    if rule.definition == "through":
        return f"through {', '.join(rule.through)}"
    words = {"same": "same", "own": "changed", "only a": "only in A", "only b": "only in B"}[rule.definition]
    return words + (f", and through {', '.join(rule.through)}" if rule.definition == "own" and rule.through else "")


def _parts(rule: RuleDiff) -> list[str]:
    """What differs in its own definition, and which columns only one side has."""
    sides = [f"columns only in {side}, not compared: {', '.join(names)}" for side, names in
             (("A", rule.only_a), ("B", rule.only_b)) if names]  # fmt: skip
    return [*rule.parts, *sides]


def rows_text(found: Diff) -> str:
    """Return the rows that are not the same, by patient, alike ones in one line; with values, each by itself."""
    alike: dict[tuple[object, ...], list[RowDiff]] = {}
    for row in found.rows:
        key = (
            row.patient_id,
            row.rule,
            row.change,
            row.columns,
            row.cause,
            row.time,
            id(row) if found.values else None,
        )
        alike.setdefault(key, []).append(row)
    header = ("patient", "rule", "rows", "change", "columns", "because")
    told = list(alike.values())[:ROW_DIFFS]
    lines = [
        (rows[0].patient_id, rows[0].rule, _numbers(rows), rows[0].change, _columns(rows[0]), "; ".join(rows[0].cause))
        for rows in told
    ]
    more = len(found.rows) - sum(len(rows) for rows in told)
    cut = f"\n… and {count(more, 'row')} more; -o FILE.csv writes all of them" if more else ""
    return table(header, lines) + cut


def _numbers(rows: Sequence[RowDiff]) -> str:
    """The rows' numbers in their tables, in both where these differ; of many the first, and how many there are."""
    pairs = [dict.fromkeys(number for number in (row.number_a, row.number_b) if number is not None) for row in rows]
    words = [" -> ".join(str(number) for number in pair) for pair in pairs]
    return ", ".join(words) if len(words) <= NUMBERS else f"{', '.join(words[:NUMBERS])}, … ({len(words):,})"


def _columns(row: RowDiff) -> str:
    """The columns that differ, with old and new where values were asked for."""
    if row.values_a is not None and row.values_b is not None:
        return ", ".join(f"{n} {cell(row.values_a[n])} -> {cell(row.values_b[n])}" for n in row.columns)
    values = row.values_a or row.values_b
    return ", ".join(f"{n} {cell(value)}" for n, value in values.items()) if values else ", ".join(row.columns)


def queries_text(known: Iterable[Query]) -> str:
    """Return each query's name, its question, and the parameters that it takes."""
    lines = []
    for query in known:
        params = "".join(f" --set {name}={param.default or '…'}" for name, param in query.params.items())
        lines += [query.name + params, wrapped(f"    {query.question}", indent="    ")]
    return "\n".join(lines)


def demo_text(made: Demo) -> str:
    """Return what the demo wrote, what is in it, and what to type next."""
    sources = made.ingested.sources
    folded = count(sum(source.rows_duplicate for source in sources), "duplicate")
    rejected = count(sum(source.rows_rejected for source in sources), "rejected row")
    derived = f"{count(len(made.ran.rules), 'table')} derived in {made.ran.seconds:.1f} s"
    lines = [
        wrapped(str(made.synthetic), indent="  "),
        f"{made.study}: {count(made.ran.events, 'event')}, {folded}, {rejected}; {derived}",
        report_text(made.report),
        *("\n" + table(frame.columns, frame.rows(), indent="  ") for frame in made.summary),
        "",
        f"Open {made.report.path} in a browser. Then try:",
        *(f"  {command}" for command in NEXT),
    ]
    return "\n".join(lines).replace("STUDY", str(made.study))


NEXT = (
    "timeline query STUDY --list",
    'timeline query STUDY --sql "SELECT * FROM event LIMIT 10"',
    "timeline report STUDY -o report.html --figures figures",
    "timeline check --sql cohort",
    "timeline --help",
)
"""What is worth typing after the demo."""

"""What each command says of its work, in words for the terminal; knows the reports' fields, and no patient's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from timeline.printing import count, table, wrapped

if TYPE_CHECKING:
    from timeline.check import CheckReport, Step
    from timeline.coverage import Coverage
    from timeline.demo import Demo
    from timeline.engine import RunReport
    from timeline.export import ExportReport
    from timeline.header import Query
    from timeline.ingest import IngestReport
    from timeline.report import ReportResult

NAMED = 8
"""So many names of a kind are listed, the most frequent first; the rest is counted."""
FILES = 40
"""So many files of an ingest are listed; of more, those alike are counted together."""


def ingest_text(report: IngestReport) -> str:
    """Return what became of every row, and what a reader should look at."""
    lines = []
    if report.sources:
        rows = [
            (s.source_file, s.format, s.rows_read, s.rows_loaded, s.rows_duplicate, s.rows_rejected)
            for s in report.sources
        ]
        if len(rows) > FILES:
            rows = _together(rows)
        lines += [table(("file", "format", "read", "loaded", "duplicate", "rejected"), rows, indent="  "), ""]
    facts = f" and {count(report.facts, 'fact')} about patients" if report.facts else ""
    lines.append(f"{count(report.events, 'event')}{facts} added; {count(report.patients, 'patient')} in the study.")
    said = (
        ("Unchanged, nothing done", _files(report.unchanged)),
        ("Replaced", _files(report.replaced)),
        ("Rejected, see meta.rejected", _named(report.rejected)),
        (
            f"Without a concept: {count(report.unmapped_codes, 'code')}, {count(report.unmapped_rows, 'row')}",
            _named(report.unmapped, report.unmapped_codes) or ("not shown" if report.unmapped_codes else ""),
        ),
        ("Without a unit, taken to be in the concept's own", _named(report.assumed_units)),
        ("Units that the mapping says to be wrongly labelled", _named(report.relabelled)),
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


def _together(rows: Sequence[tuple]) -> list[tuple]:
    """One row for the files of a folder with the same ending and part, their counts added up."""
    kinds: dict[tuple[str, str], list[tuple]] = {}
    for row in rows:
        kinds.setdefault((_kind(row[0]), row[1]), []).append(row)
    told = []
    for (kind, form), found in kinds.items():
        name = found[0][0] if len(found) == 1 else f"{kind} ({len(found):,} files)"
        told.append((name, form, *(sum(row[place] for row in found) for place in range(2, len(found[0])))))
    return told


def _kind(file: str) -> str:
    """A file's name with a star for its stem: `bundles/*.json#Patient`."""
    name, mark, part = file.partition("#")
    folder, slash, last = name.rpartition("/")
    _, dot, ending = last.partition(".")
    return f"{folder}{slash}*{dot}{ending}{mark}{part}"


def _files(names: Sequence[str]) -> str:
    if len(names) <= FILES:
        return ", ".join(names)
    return ", ".join(f"{kind} ({count(n, 'file')})" for kind, n in Counter(map(_kind, names)).most_common(FILES))


def lost_text(report: IngestReport) -> str:
    """Return why an ingest loaded no event, by reason."""
    rows = count(sum(source.rows_rejected for source in report.lost), "row")
    folded = sum(source.rows_duplicate for source in report.lost)
    beside = f" (and {count(folded, 'duplicate')})" if folded else ""
    return wrapped(
        f"No event could be loaded: every row of {_files([source.source_file for source in report.lost])} was "
        f"rejected, {rows}{beside}: {_named(report.lost_for)}. meta.rejected keeps each with its reason."
    )


def _named(pairs: Iterable[tuple[str, int]], kinds: int = 0) -> str:
    """`first (12), second (3)`, and how many more there are."""
    listed = list(pairs)
    more = max(kinds, len(listed)) - min(NAMED, len(listed)) if listed else 0
    return ", ".join(f"{name} ({rows:,})" for name, rows in listed[:NAMED]) + (f", and {more} more" if more > 0 else "")


def _counted(number: int) -> str:
    return f"{number:,}" if number else ""


def run_text(report: RunReport) -> str:
    """Return what a run derived, and what it found nothing for."""
    of = f"{count(report.patients, 'patient')}, {count(report.events, 'event')}"
    lines = [f"{report.ruleset}: {count(len(report.rules), 'table')} of {of}, in {report.seconds:.1f} s", ""]
    dated = any(rule.rows_date_only for rule in report.rules)
    head = ("table", "kind", "rows", "patients", *(["on bare dates"] if dated else []))
    rows = [
        (rule.name, rule.kind, rule.rows, rule.patients, *([rule.rows_date_only] if dated else []))
        for rule in report.rules
        if rule.rows
    ]
    if rows:
        lines.append(table(head, rows, indent="  "))
    if dated:
        said = "a time that rests on a bare date is midnight, and its windows are as exact as a day"
        lines.append(wrapped(f"  on bare dates: {said}; meta.day_precision names the rows", indent="    "))
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
    lines += [f"replaced: {name}" for name in ruleset.replacements]
    lines += report.remarks
    for example in report.failed:
        lines += [f"{example.where}: {example.title}", *(f"  {problem}" for problem in example.problems)]
    return "\n".join(lines)


def coverage_text(coverage: Coverage) -> str:
    """Return how many clauses the examples exercise, and each that they do not."""
    of = f"{count(len(coverage.clauses), 'clause')}, {count(len(coverage.examples), 'example')}"
    lines = [f"{coverage.percent:.1f} % of clauses are true for some row of an example and not true for another: {of}"]
    if coverage.missing:
        rows = [(c.rule, c.kind, c.clause, f"never {c.lacks}") for c in coverage.missing]
        lines += ["", table(("rule", "kind", "clause", "no example"), rows, indent="  ")]
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
    shown = f" and {count(report.patients, 'patient', 'patients')} shown" if report.patients else ""
    lines = [f"{report.path}: {count(report.queries, 'question', 'questions')} answered{shown} on one page, {size}"]
    if report.figures:
        lines.append(f"{report.figures[0].parent}: {', '.join(path.name for path in report.figures)}")
    lines += [wrapped(f"{name}: {why}", indent="  ") for name, why in sorted(report.absent.items())]
    return "\n".join(lines)


def queries_text(known: Iterable[Query]) -> str:
    """Return each query's name, the parameters that it takes, and its title."""
    lines = []
    for query in known:
        params = "".join(f" --set {name}={param.default or '…'}" for name, param in query.params.items())
        lines += [query.name + params, wrapped(f"    {query.title}", indent="    ")]
    return "\n".join([*lines, "", "--describe says of a NAME what it asks and returns."])


def query_text(query: Query) -> str:
    """Return the header of a query in words: its question, parameters, columns, and what it answers."""
    lines = [f"{query.name}: {query.title}", wrapped(query.question), ""]
    lines.append("Parameters (--set NAME=VALUE):" if query.params else "It takes no parameters.")
    for name, param in query.params.items():
        unit = f" [{param.unit}]" if param.unit else ""
        default = f", {param.default} unless set" if param.default is not None else ", must be set"
        lines.append(wrapped(f"  {name}{unit}{default}: {param.meaning}", indent="    "))
    lines += ["", "Columns:"]
    for name, column in query.returns.items():
        unit = f" [{column.unit}]" if column.unit and column.unit != "1" else ""
        lines.append(wrapped(f"  {name}{unit}: {column.meaning}", indent="    "))
    made = [f"chart ({query.chart.kind})"] if query.chart else []
    made += [f"table ({query.table.kind})"] if query.table else []
    made += [f"{declared.title} ({declared.kind})" for declared in query.statistics]
    said = (
        ("Reads", ", ".join(query.reads)),
        ("Makes", ", ".join(made)),
        ("In the report", query.section or "no"),
        ("Where it finds nothing", query.empty),
        ("Answers of the published values", ", ".join(query.published)),
        ("File", query.file),
    )
    return "\n".join([*lines, "", *(wrapped(f"{head}: {text}", indent="  ") for head, text in said if text)])


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


def export_text(report: ExportReport) -> str:
    """Return which files were written, and what a reader of them must know."""
    rows = [(one.file, one.rows) for one in report.files]
    lines = [table(("file", "rows"), rows, indent="  "), ""]
    lines.append(f"{report.folder}: {count(len(rows), 'file')} of data, dictionary.csv, README.md and export.json")
    lines += [wrapped(note) for note in (*report.notes, *([report.remark] if report.remark else []))]
    return "\n".join(lines)

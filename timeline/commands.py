"""One function a command: calls `Study` or a module below it and prints what came of it; holds no logic of its own."""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import printing, summaries, whatif
from timeline.errors import UsageError
from timeline.study import Study, queries, rule_folders

if TYPE_CHECKING:
    import polars

    from timeline.check import CheckReport

ROWS_SHOWN = 50
"""A longer answer is cut when it is printed for reading, and says so."""


def settings(pairs: Sequence[str], shape: str) -> dict[str, str]:
    """Return `NAME=VALUE` words as a mapping; raise UsageError for any other word."""
    wrong = [pair for pair in pairs if not all(pair.partition("=")[::2])]
    if wrong:
        raise UsageError(f"--set {wrong[0]}: write {shape}, without blanks around `=`")
    return dict(pair.split("=", 1) for pair in pairs)


def _check(args: argparse.Namespace) -> int:
    from timeline import check, load

    if args.schema:
        from timeline.editor_schema import rule_file_schema

        print(printing.as_json(rule_file_schema()))
        return 0
    if args.only and not args.rules:
        raise UsageError("timeline check: --only leaves the shipped rules out; name the folder to check")
    params = settings(args.set, "RULE.PARAM=VALUE")
    if args.on is not None:
        steps = Study.open(args.on).funnel(*args.rules, only=args.only, params=params)
        print(printing.as_json({"steps": steps}) if args.json else summaries.funnel_text(steps))
        return 0
    folders = rule_folders(args.rules)
    if args.sql is not None:
        sql = check.sql_of(load.load(folders, shipped=not args.only), args.sql, params)
        print(printing.as_json({"rule": args.sql, "sql": sql}) if args.json else sql)
        return 0
    if args.describe is not None:
        from timeline.describe import as_markdown, describe

        description = describe(load.load(folders, shipped=not args.only), params, args.describe)
        print(printing.as_json(description) if args.json else as_markdown(description))
        return 0
    if args.coverage:
        from timeline.coverage import coverage

        with printing.progress() as show:
            show("running the examples")
            found = coverage(load.load(folders, shipped=not args.only), folders)
        return _say({"percent": found.percent, "clauses": found.clauses}, summaries.coverage_text(found), args)
    with printing.progress() as show:
        show("checking")
        report = check.check(folders, shipped=not args.only, params=params)
    print(printing.as_json(_checked(report)) if args.json else summaries.check_text(report))
    return 1 if report.failed else 0


def _checked(report: "CheckReport") -> dict[str, object]:
    return {"rules": list(report.ruleset.rules), "replaced": report.ruleset.replacements, "examples": report.examples}


def _query(args: argparse.Namespace) -> int:
    asked = [args.name is not None, args.sql is not None, args.list]
    if sum(asked) != 1:
        raise UsageError("timeline query: write the NAME of one query, or --sql TEXT, or --list")
    if args.list:
        return _list_queries(args)
    study = Study.open(args.study)
    given = settings(args.set, "PARAM=VALUE")
    if args.sql is not None and given:
        raise UsageError("timeline query: --set goes with a named query; write the value into the --sql text")
    if args.chart is not None:
        return _chart(study, args, given)
    frame = study.sql(args.sql) if args.sql is not None else study.query(args.name, given, queries=args.queries)
    return _give(frame, "json" if args.json else args.form, args.output)


def _chart(study: Study, args: argparse.Namespace, given: Mapping[str, str]) -> int:
    """Draw a named query by itself."""
    from timeline import figure

    if args.name is None:
        raise UsageError("timeline query: --chart draws a named query, whose header says how; --sql has no header")
    if args.output is not None or args.form is not None:
        raise UsageError("timeline query: --chart FILE draws; ask for the rows (-o, --as) in another call")
    path = Path(args.chart)
    figure.check_name(path)
    figure.write(study.chart(args.name, given, queries=args.queries), path, args.name.replace("_", " "))
    return _say({"chart": path}, f"the picture is in {path}", args)


def _list_queries(args: argparse.Namespace) -> int:
    known = queries(args.queries).values()
    if args.json or args.form == "json":
        listed = [{"name": q.name, "title": q.title, "question": q.question, "params": list(q.params)} for q in known]
        print(printing.as_json(listed))
    else:
        print(summaries.queries_text(known))
    return 0


def _give(frame: "polars.DataFrame", form: str | None, output: str | None) -> int:
    """Write or print `frame` in the form asked for, or in the one that the file's ending says."""
    from timeline import query

    if output is not None:
        path = Path(output)
        if form not in (None, "table") and path.suffix != f".{form}":
            raise UsageError(f"timeline query: --as {form} into {output}: name a file that ends in .{form}")
        query.write(frame, path)
        print(f"{printing.count(frame.height, 'row')} in {output}", file=sys.stderr)
    elif form == "parquet":
        raise UsageError("timeline query: Parquet is nothing to read on a screen; add -o FILE.parquet")
    elif form in ("csv", "json"):
        print(query.render(frame, form).rstrip("\n"))
    else:
        print(query.render(frame.head(ROWS_SHOWN)))
        if frame.height > ROWS_SHOWN:
            print(f"… {printing.count(frame.height, 'row')} in all; -o FILE.csv writes them, --as csv prints them")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from timeline.demo import demo

    with printing.progress() as show:
        made = demo(Path(args.out), show)
    answers = {"summary": [frame.to_dicts() for frame in made.summary]}
    document = {**printing.plain(dataclasses.replace(made, summary=())), **answers}
    return _say(document, summaries.demo_text(made), args)


def _ingest(args: argparse.Namespace) -> int:
    with printing.progress() as show:
        report = Study.open(args.study).ingest(
            *args.extracts,
            format=args.format,
            mapping=args.mapping,
            timezone=args.timezone,
            replace=args.replace,
            progress=show,
        )
    return _say(report, summaries.ingest_text(report), args)


def _run(args: argparse.Namespace) -> int:
    if args.only and not args.rules:
        raise UsageError("timeline run: --only leaves the shipped rules out; name your own with --rules DIR")
    params = settings(args.set, "RULE.PARAM=VALUE")
    with printing.progress() as show:
        report = Study.open(args.study).run(
            *args.rules, only=args.only, params=params, show_values=args.show_values, progress=show
        )
    return _say(report, summaries.run_text(report), args)


def _explain(args: argparse.Namespace) -> int:
    from timeline.explain.text import text_of

    study = Study.open(args.study)
    if args.chart is not None:
        from timeline import figure

        figure.check_name(Path(args.chart))
    explanation = study.explain(args.rule, args.patient, args.number)
    if args.chart is not None:
        chart = study.explain_chart(args.rule, args.patient, args.number)
        figure.write(chart, Path(args.chart), f"{explanation.title}: {args.patient}")
        print(f"the picture is in {args.chart}", file=sys.stderr)
    return _say(explanation, text_of(explanation), args)


def _report(args: argparse.Namespace) -> int:
    study = Study.open(args.study)
    patients = args.patients if args.patients in ("sample", "all", "none") else args.patients.split(",")
    page = Path(args.output) if args.output else study.path.with_suffix(".html")
    with printing.progress() as show:
        report = study.report(
            page,
            queries=args.queries,
            figures=args.figures,
            formats=args.formats.split(","),
            patients=patients,
            progress=show,
        )
    return _say(report, summaries.report_text(report), args)


def _synth(args: argparse.Namespace) -> int:
    from timeline import synth
    from timeline.demo import cohort

    spec = Path(args.cohort) if args.cohort else cohort()
    with printing.progress() as show:
        show("making the cohort")
        report = synth.synthesize(spec, Path(args.out), patients=args.patients, seed=args.seed)
    return _say(report, str(report), args)


def _say(report: object, text: str, args: argparse.Namespace) -> int:
    print(printing.as_json(report) if args.json else text)
    return 0


RUN: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "ingest": _ingest,
    "run": _run,
    "check": _check,
    "query": _query,
    "explain": _explain,
    "sweep": whatif.sweep,
    "diff": whatif.diff,
    "report": _report,
    "synth": _synth,
}

"""One function a command: calls `Study` or a module below it and prints what came of it; holds no logic of its own."""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import asking, audit_text, checklist, printing, summaries, whatif
from timeline.asking import settings
from timeline.errors import UsageError
from timeline.folders import rule_folders
from timeline.study import Study

if TYPE_CHECKING:
    from timeline.check import CheckReport


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
    ruleset = report.ruleset
    found = {"rules": list(ruleset.rules), "replaced": ruleset.replacements}
    return {**found, "examples": report.examples, "remarks": report.remarks}


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
            show_values=args.show_values,
            progress=show,
        )
    _say(report, summaries.ingest_text(report), args)
    if report.lost:
        print(summaries.lost_text(report), file=sys.stderr)
    return 1 if report.lost else 0


def _map(args: argparse.Namespace) -> int:
    from timeline import load
    from timeline.draft import draft
    from timeline.draft.text import text_of
    from timeline.ingest import address

    if args.output is not None and Path(args.output).exists():
        raise UsageError(
            f"-o {args.output}: there is something of this name, which is not written over; name a new file"
        )
    with printing.progress() as show:
        concepts = load.load(rule_folders(args.rules)).concepts
        asked = {"format": args.format, "mapping": args.mapping, "most": args.codes, "show_values": args.show_values}
        made = draft(args.extracts, concepts, **asked, progress=show)
    names = (address.shown(one) if address.is_address(one) else Path(one).name for one in args.extracts)
    text = text_of(made, f"draft for {', '.join(names)}")
    if args.output is not None:
        Path(args.output).write_text(text, encoding="utf-8")
        text = f"{args.output}: a draft of {printing.count(len(made.codes), 'code')}, nothing of it in force yet"
    return _say(made, text.rstrip(), args)


def _run(args: argparse.Namespace) -> int:
    if args.only and not args.rules:
        raise UsageError("timeline run: --only leaves the shipped rules out; name your own with --rules DIR")
    params = settings(args.set, "RULE.PARAM=VALUE")
    with printing.progress() as show:
        report = Study.open(args.study).run(
            *args.rules, only=args.only, params=params, show_values=args.show_values, progress=show
        )
    return _say(report, summaries.run_text(report), args)


def _audit(args: argparse.Namespace) -> int:
    with printing.progress() as show:
        found = Study.open(args.study).audit(
            *args.checks,
            only=args.check,
            fail_on=args.fail_on,
            show_values=args.show_values,
            progress=show,
        )
    text = audit_text.audit_text(found, whole=bool(args.check), profile=args.profile)
    _say(found, text, args)
    if found.stopped:
        print(audit_text.stopped_text(found), file=sys.stderr)
    return 1 if found.stopped else 0


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
    alone = args.patients[0] if args.patients in (("sample",), ("all",), ("none",)) else None
    page = Path(args.output) if args.output else study.path.with_suffix(".html")
    with printing.progress() as show:
        report = study.report(
            page,
            queries=args.queries,
            figures=args.figures,
            formats=args.formats,
            patients=alone or args.patients,
            lanes=args.lanes,
            progress=show,
        )
    return _say(report, summaries.report_text(report), args)


def _export(args: argparse.Namespace) -> int:
    with printing.progress() as show:
        report = Study.open(args.study).export(
            args.folder,
            args.form,
            tables=args.tables,
            labels=args.label,
            extract=args.extract,
            progress=show,
        )
    return _say(report, summaries.export_text(report), args)


def _synth(args: argparse.Namespace) -> int:
    from timeline import synth
    from timeline.demo import cohort

    spec = Path(args.cohort) if args.cohort else cohort()
    with printing.progress() as show:
        show("making the cohort")
        report = synth.synthesize(spec, Path(args.out), patients=args.patients, seed=args.seed, form=args.form)
    return _say(report, str(report), args)


def _say(report: object, text: str, args: argparse.Namespace) -> int:
    print(printing.as_json(report) if args.json else text)
    return 0


RUN: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "ingest": _ingest,
    "map": _map,
    "run": _run,
    "check": _check,
    "query": asking.ask,
    "audit": _audit,
    "explain": _explain,
    "sweep": whatif.sweep,
    "diff": whatif.diff,
    "published": checklist.published,
    "sensitivity": checklist.sensitivity,
    "report": _report,
    "export": _export,
    "synth": _synth,
}

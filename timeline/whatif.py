"""The commands that ask what other definitions would say: calls `Study`, prints and writes what came of it."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from timeline import figure, printing, whatif_text
from timeline.asking import settings
from timeline.errors import UsageError
from timeline.study import Study

TABLES = (".csv", ".parquet", ".json")


def sweep(args: argparse.Namespace) -> int:
    """`timeline sweep`: measures over a grid, as a table, a file and a chart."""
    wrong = _unwritable(args.output, TABLES, "-o")
    wrong += _unwritable(args.chart, figure.ENDINGS, "--chart")
    if args.output and args.output == args.chart:
        wrong.append(f"-o and --chart both name {args.output}; name two files")
    params, mistakes = axes(args.set)
    wrong += mistakes
    if args.only and not args.rules:
        wrong.append("timeline sweep: --only leaves the shipped rules out; name your own with --rules DIR")
    if wrong:
        raise UsageError("\n".join(wrong))
    with printing.progress() as show:
        found = Study.open(args.study).sweep(
            *args.rules,
            only=args.only,
            params=params,
            variants=args.variant,
            measures=args.measure,
            queries=args.queries,
            progress=show,
        )
    written = []
    if args.output:
        from timeline import query

        query.write(found.frame, Path(args.output))
        written.append(args.output)
    if args.chart:
        from timeline.sweep.chart import chart

        figure.write(chart(found), Path(args.chart), "Sensitivity to the definitions")
        written.append(args.chart)
    print(printing.as_json(whatif_text.sweep_record(found)) if args.json else whatif_text.sweep_text(found, written))
    return 0


def diff(args: argparse.Namespace) -> int:
    """`timeline diff`: two studies, or a study and other definitions; 0 whether or not they differ."""
    wrong = _unwritable(args.output, TABLES, "-o")
    if args.only and not args.rules:
        wrong.append("timeline diff: --only leaves the shipped rules out; name your own with --rules DIR")
    if wrong:
        raise UsageError("\n".join(wrong))
    params = settings(args.set, "RULE.PARAM=VALUE")
    with printing.progress() as show:
        found = Study.open(args.study).diff(
            args.other, rules=args.rules, only=args.only, params=params, values=args.show_values, progress=show
        )
    if args.output:
        from timeline import query

        query.write(found.frame, Path(args.output))
    print(printing.as_json(found) if args.json else whatif_text.diff_text(found, args.output))
    return 0


def axes(pairs: Sequence[str]) -> tuple[Mapping[str, tuple[str, ...]], list[str]]:
    """Return the values of each `RULE.PARAM=V1,V2,…`, and what is wrong with the others."""
    found: dict[str, tuple[str, ...]] = {}
    wrong = []
    for pair in pairs:
        param, sign, values = pair.partition("=")
        listed = tuple(value.strip() for value in values.split(","))
        if not (param and sign and all(listed)):
            wrong.append(f"--set {pair}: write RULE.PARAM=V1,V2,… without blanks")
        elif param in found:
            wrong.append(f"--set {param} is given twice; write all its values with commas between")
        else:
            found[param] = listed
    return found, wrong


def _unwritable(path: str | None, endings: Sequence[str], option: str) -> list[str]:
    if path is None or Path(path).suffix in endings:
        return []
    return [f"{option} {path}: write a name that ends in {', '.join(endings[:-1])} or {endings[-1]}"]

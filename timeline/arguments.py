"""What may stand behind `timeline`: every command with one example and its options; reads a call, and does nothing.

Must be there at once: imports nothing heavy, and knows nothing of how a command does its work.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from timeline import options
from timeline.errors import UsageError
from timeline.option_parser import (
    Extract,
    Parser,
    Rules,
    StudyFile,
    There,
    ToWrite,
    Variant,
    did_you_mean,
    listed,
    whole,
)


@dataclass(frozen=True)
class Command:
    """A command: what it does, one example, its options."""

    name: str
    help: str
    example: str
    options: Callable[[argparse.ArgumentParser], None]


def _demo(parser: argparse.ArgumentParser) -> None:
    options.folder(parser, "--out", "where to write (default: demo)", default="demo")


def _ingest(parser: argparse.ArgumentParser) -> None:
    options.study(parser, ToWrite)
    what = "a file or folder of source data, or postgresql://..."
    parser.add_argument("extracts", metavar="EXTRACT", nargs="+", type=Extract, help=what)
    options.formats(parser)
    parser.add_argument(
        "--mapping", metavar="FILE", type=There, help="what the source's columns, codes and statuses mean"
    )
    parser.add_argument("--timezone", metavar="TZ", help="the study's clock, for times with an offset: Europe/Zurich")
    parser.add_argument("--replace", action="store_true", help="a changed file under the same name replaces its rows")
    options.show_words(parser)


def _map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "extracts", metavar="EXTRACT", nargs="+", type=Extract, help="a file or a folder of source data"
    )
    options.formats(parser)
    what = "a mapping file that is there already: only what it leaves out"
    parser.add_argument("--mapping", metavar="FILE", type=There, help=what)
    parser.add_argument(
        "--codes", metavar="N", type=whole(1), default=100, help="so many codes, the most frequent first"
    )
    options.several(parser, "--rules", "DIR", "folders whose concepts are known, too, beside the shipped ones", Rules)
    options.output(parser, "write the draft there (default: print it)")
    options.show_words(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    options.rules(parser)
    options.settings(parser)
    parser.add_argument(
        "--show-values", action="store_true", help="where rows break a promise, show some: patients' values"
    )


def _check(parser: argparse.ArgumentParser) -> None:
    what = "folders of rule files (default: the shipped ones)"
    parser.add_argument("rules", metavar="RULES", nargs="*", type=Rules, help=what)
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--sql", metavar="RULE", help="print the SELECT that this rule becomes")
    instead.add_argument(
        "--on",
        metavar="STUDY",
        type=StudyFile,
        help="what each step of each rule leaves of a study; nothing is written",
    )
    instead.add_argument(
        "--coverage", action="store_true", help="which clauses no example makes true, or never other than true"
    )
    instead.add_argument("--schema", action="store_true", help="print the JSON Schema of rule files, for editors")
    instead.add_argument(
        "--describe", metavar="RULE", nargs="*", help="print these rules, or all, in words: Methods text, as Markdown"
    )
    options.settings(parser)


def _query(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="a query; --list names them")
    parser.add_argument("--sql", metavar="TEXT", help="one SELECT of your own; nothing can be written")
    parser.add_argument("--list", action="store_true", help="name the queries there are")
    parser.add_argument("--describe", action="store_true", help="say what NAME asks, its parameters and its columns")
    parser.add_argument(
        "--statistics", action="store_true", help="print the statistics that NAME declares instead of its rows"
    )
    options.queries(parser)
    options.several(parser, "--set", "PARAM=VALUE", "a parameter of the query")
    parser.add_argument(
        "--as",
        dest="form",
        choices=("table", "csv", "parquet", "json", "markdown", "html", "latex"),
        help="print it so (default: table)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=ToWrite,
        help="write there; its ending says the form: .csv, .parquet, .json (for programs), "
        ".html, .md, .tex, .docx (for people)",
    )
    parser.add_argument(
        "--suppress",
        metavar="N",
        type=whole(1),
        help="hide counts below N, and what would give them away, in a table of counts",
    )
    parser.add_argument(
        "--chart",
        metavar="FILE",
        type=ToWrite,
        help="draw the query's chart there instead: .png, .svg, .pdf, .html or .json",
    )


def _report(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    options.queries(parser)
    options.output(parser, "the page (default: the study's name, .html)")
    options.folder(parser, "--figures", "write each figure by itself, too")
    parser.add_argument(
        "--patients",
        metavar="IDS",
        type=listed,
        default=("sample",),
        help="who has a page: ID,ID,…, all, none, or sample (default): all, or 60 of more than 60",
    )
    formats = "some of png,svg,pdf,json"
    parser.add_argument("--as", dest="formats", metavar="FORMATS", type=listed, default=("png", "svg"), help=formats)
    parser.add_argument(
        "--lanes",
        choices=("sample", "pages", "all"),
        help="more lanes than can be read: some for all, pages of them, or all (default: as the query says)",
    )


def _audit(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    options.several(parser, "--checks", "DIR", "folders of checks of your own, asked beside the shipped ones", There)
    options.several(parser, "--check", "ID", "ask these alone, and say what they mean and how to list what is wrong")
    words = "checks that stop the work: ids, none, or declared (default): those of the rule set, else severity error"
    parser.add_argument("--fail-on", metavar="ID,…", type=listed, default=("declared",), help=words)
    parser.add_argument("--profile", action="store_true", help="list, too, what the study holds of every concept")
    parser.add_argument("--show-values", action="store_true", help="show some rows of failed checks: patients' values")


def _explain(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    parser.add_argument("rule", metavar="RULE", help="the rule whose row is to be explained, or its absence")
    parser.add_argument("--patient", metavar="ID", required=True, help="the patient, as in the extract")
    parser.add_argument("--number", metavar="N", type=whole(1), help="which of the patient's rows (default: the first)")
    parser.add_argument(
        "--chart",
        metavar="FILE",
        type=ToWrite,
        help="draw it, too, around its time: a name in .png, .svg, .pdf, .html or .json",
    )


def _sweep(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    options.several(
        parser, "--set", "RULE.PARAM=V1,V2", "a parameter and the values that it takes; several span a grid"
    )
    options.several(
        parser,
        "--variant",
        "DIR",
        "folders of rules put upon the rule set in turn; or a folder of such folders",
        Variant,
    )
    options.several(
        parser,
        "--measure",
        "SQL|NAME",
        "one SELECT, also NAME=SELECT …, or the name of a query; with a column patient_id it selects patients",
    )
    options.other_rules(parser)
    options.queries(parser)
    options.chart(parser, "draw it there: .png, .svg, .pdf, .html or .json")
    options.output(parser, "write every row there: .csv, .parquet or .json")


def _diff(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    what = "another study; or else say other definitions"
    parser.add_argument("other", metavar="STUDY", nargs="?", type=StudyFile, help=what)
    options.other_rules(parser)
    options.several(parser, "--set", "RULE.PARAM=VALUE", "a parameter of a rule")
    parser.add_argument("--show-values", action="store_true", help="show when and what rows say: patients' values")
    options.output(parser, "write every row there: .csv, .parquet or .json")


def _published(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    options.queries(parser)
    options.output(parser, "write every item there: .csv, .parquet or .json")


def _sensitivity(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    parser.add_argument("ids", metavar="ID", nargs="*", help="open questions, such as A-01 (default: all)")
    options.queries(parser)
    options.output(parser, "write every outcome there: .csv, .parquet or .json")


def _export(parser: argparse.ArgumentParser) -> None:
    options.study(parser)
    parser.add_argument("folder", metavar="DIR", help="where to write: a new folder, or one of an earlier export")
    forms = ("parquet", "csv", "meds", "omop")
    parser.add_argument("--as", dest="form", choices=forms, default="parquet", help="default: parquet")
    what = "only these; also patient and event (default: all derived ones)"
    parser.add_argument("--tables", metavar="T,…", type=listed, default=(), help=what)
    options.several(
        parser, "--label", "RULE.COLUMN@TIME", "of MEDS: a label file, its prediction time being a column, too"
    )
    what = "of OMOP: what the study was made of, for the ids of its rows"
    parser.add_argument("--extract", metavar="DIR", type=There, help=what)


def _synth(parser: argparse.ArgumentParser) -> None:
    options.folder(parser, "out", "where to write the extract")
    parser.add_argument("--patients", metavar="N", type=whole(1), help="how many (default: as the cohort says)")
    parser.add_argument(
        "--seed", metavar="S", type=whole(0), default=1, help="the same seed, the same extract (default: 1)"
    )
    forms = ("native", "omop", "meds", "fhir")
    parser.add_argument("--as", dest="form", choices=forms, default="native", help="its format (default: native)")
    parser.add_argument(
        "--cohort", metavar="FILE", type=There, help="a cohort specification (default: the shipped one)"
    )


COMMANDS = (
    Command("demo", "make a synthetic cohort, derive its tables, draw its report", "timeline demo", _demo),
    Command("ingest", "add an extract to a study", "timeline ingest study.duckdb extract/ --timezone UTC", _ingest),
    Command(
        "map",
        "draft a mapping file: what an extract holds that means nothing yet, and what it may be",
        "timeline map extract/ -o mapping.yaml",
        _map,
    ),
    Command("run", "derive every table anew, all or nothing", "timeline run study.duckdb --rules my_rules", _run),
    Command("check", "find every mistake in rule files", "timeline check my_rules", _check),
    Command("query", "ask a question of the tables", "timeline query study.duckdb --list", _query),
    Command("audit", "is the study whole, reconciled and plausible", "timeline audit study.duckdb", _audit),
    Command(
        "explain",
        "say why a row is as it is, or why there is none",
        "timeline explain study.duckdb cohort --patient P1",
        _explain,
    ),
    Command(
        "sweep",
        "the same question under other definitions",
        "timeline sweep study.duckdb --set my_rule.window=12h,24h,48h --measure summary",
        _sweep,
    ),
    Command("diff", "which derived rows changed, for whom, and why", "timeline diff before.duckdb after.duckdb", _diff),
    Command(
        "published", "what was published beside what the study gives", "timeline published study.duckdb", _published
    ),
    Command(
        "sensitivity",
        "published values under the other readings of what was left open",
        "timeline sensitivity study.duckdb A-01 A-12",
        _sensitivity,
    ),
    Command("report", "tables and figures in one page", "timeline report study.duckdb -o report.html", _report),
    Command(
        "export",
        "write derived tables for other tools, with a data dictionary",
        "timeline export study.duckdb out --as csv",
        _export,
    ),
    Command("synth", "make a synthetic extract of any size", "timeline synth extract --patients 200", _synth),
)


def overview() -> str:
    """Return the page of `timeline --help`: every command with one example."""
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"  {c.name:{width}}  {c.help}\n  {'':{width}}    {c.example}" for c in COMMANDS]
    return "\n".join(
        [
            "usage: timeline COMMAND ...",
            "",
            "A clinical event-timeline engine: an extract in, rules as data, one commented table a rule out.",
            "",
            *lines,
            "",
            "`timeline COMMAND --help` shows a command's options; every command has --json for programs.",
            "Exit status: 0 done; 1 the data or the rules have findings; 2 the call was wrong.",
            "TIMELINE_DEBUG=1 shows where an unforeseen error came from.",
        ]
    )


def parser(command: Command) -> Parser:
    """Return the parser of one command."""
    made = Parser(
        prog=f"timeline {command.name}",
        description=command.help[0].upper() + command.help[1:] + ".",
        epilog=f"example: {command.example}",
        allow_abbrev=False,
    )
    command.options(made)
    made.add_argument("--json", action="store_true", help="print JSON, for programs")
    return made


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the parsed call with its `command`; raise UsageError where it is wrong, SystemExit after `--help`."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        raise SystemExit(0 if argv else UsageError.exit_status)
    if argv[0] == "--version":
        from timeline import __version__

        print(f"timeline {__version__}")
        raise SystemExit(0)
    named = {command.name: command for command in COMMANDS}
    if argv[0] not in named:
        raise UsageError(
            f"timeline: there is no command `{argv[0]}`{did_you_mean(argv[0], list(named)) or '.'} "
            f"The commands are {', '.join(named)}"
        )
    return parser(named[argv[0]]).parse_intermixed_args(argv[1:], argparse.Namespace(command=argv[0]))

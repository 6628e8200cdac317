"""What may stand behind `timeline`: every command with one example and its options; reads a call, and does nothing.

Must be there at once: imports nothing heavy, and knows nothing of how a command does its work.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from timeline.errors import UsageError
from timeline.option_parser import Parser, did_you_mean


@dataclass(frozen=True)
class Command:
    """A command: what it does, one example, its options."""

    name: str
    help: str
    example: str
    options: Callable[[argparse.ArgumentParser], None]


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY", help="the study: one DuckDB file")


def _rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rules", metavar="DIR", nargs="+", action="extend", default=[], help="folders read after the shipped rules"
    )
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")


def _set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", metavar="RULE.PARAM=VALUE", nargs="+", action="extend", default=[], help="a parameter of a rule"
    )


def _queries(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", metavar="DIR", help="a folder of queries in place of the shipped ones")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="DIR", default="demo", help="where to write (default: demo)")


def _ingest(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument(
        "extracts", metavar="EXTRACT", nargs="+", help="a file or folder of source data, or postgresql://..."
    )
    _format(parser)
    parser.add_argument("--mapping", metavar="FILE", help="what the source's columns, codes and statuses mean")
    parser.add_argument("--timezone", metavar="TZ", help="the study's clock, for times with an offset: Europe/Zurich")
    parser.add_argument("--replace", action="store_true", help="a changed file under the same name replaces its rows")
    _show_words(parser)


def _map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("extracts", metavar="EXTRACT", nargs="+", help="a file or a folder of source data")
    _format(parser)
    parser.add_argument(
        "--mapping", metavar="FILE", help="a mapping file that is there already: only what it leaves out"
    )
    parser.add_argument("--codes", metavar="N", type=int, default=100, help="so many codes, the most frequent first")
    _several(parser, "--rules", "DIR", "folders whose concepts are known, too, beside the shipped ones")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the draft there (default: print it)")
    _show_words(parser)


def _show_words(parser: argparse.ArgumentParser) -> None:
    words = "show codes, units and routes that stand for a patient each, too: patients' values"
    parser.add_argument("--show-values", action="store_true", help=words)


def _format(parser: argparse.ArgumentParser) -> None:
    choices = ("auto", "native", "omop", "meds", "fhir")
    parser.add_argument("--format", choices=choices, default="auto", help="default: auto")


def _run(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    _rules(parser)
    _set(parser)
    parser.add_argument(
        "--show-values", action="store_true", help="where rows break a promise, show some: patients' values"
    )


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rules", metavar="RULES", nargs="*", help="folders of rule files (default: the shipped ones)")
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--sql", metavar="RULE", help="print the SELECT that this rule becomes")
    instead.add_argument(
        "--on", metavar="STUDY", help="what each step of each rule leaves of a study; nothing is written"
    )
    instead.add_argument(
        "--coverage", action="store_true", help="which clauses no example makes true, or never other than true"
    )
    instead.add_argument("--schema", action="store_true", help="print the JSON Schema of rule files, for editors")
    instead.add_argument(
        "--describe", metavar="RULE", nargs="*", help="print these rules, or all, in words: Methods text, as Markdown"
    )
    _set(parser)


def _query(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="a query; --list names them")
    parser.add_argument("--sql", metavar="TEXT", help="one SELECT of your own; nothing can be written")
    parser.add_argument("--list", action="store_true", help="name the queries there are")
    parser.add_argument("--describe", action="store_true", help="say what NAME asks, its parameters and its columns")
    parser.add_argument(
        "--statistics", action="store_true", help="print the statistics that NAME declares instead of its rows"
    )
    _queries(parser)
    parser.add_argument(
        "--set", metavar="PARAM=VALUE", nargs="+", action="extend", default=[], help="a parameter of the query"
    )
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
        help="write there; its ending says the form: .csv, .parquet, .json (for programs), "
        ".html, .md, .tex, .docx (for people)",
    )
    parser.add_argument(
        "--suppress",
        metavar="N",
        type=int,
        help="hide counts below N, and what would give them away, in a table of counts",
    )
    parser.add_argument(
        "--chart", metavar="FILE", help="draw the query's chart there instead: .png, .svg, .pdf, .html or .json"
    )


def _report(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    _queries(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="the page (default: the study's name, .html)")
    parser.add_argument("--figures", metavar="DIR", help="write each figure by itself, too")
    parser.add_argument(
        "--patients",
        metavar="IDS",
        default="sample",
        help="who has a page: ID,ID,…, all, none, or sample (default): all, or 60 of more than 60",
    )
    parser.add_argument("--as", dest="formats", metavar="FORMATS", default="png,svg", help="some of png,svg,pdf,json")
    parser.add_argument(
        "--lanes",
        choices=("sample", "pages", "all"),
        help="more lanes than can be read: some for all, pages of them, or all (default: as the query says)",
    )


def _audit(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    _several(parser, "--checks", "DIR", "folders of checks of your own, asked beside the shipped ones")
    _several(parser, "--check", "ID", "ask these alone, and say what they mean and how to list what is wrong")
    words = "checks that stop the work: ids, none, or declared (default): those of the rule set, else severity error"
    parser.add_argument("--fail-on", metavar="ID,…", default="declared", help=words)
    parser.add_argument("--profile", action="store_true", help="list, too, what the study holds of every concept")
    parser.add_argument("--show-values", action="store_true", help="show some rows of failed checks: patients' values")


def _explain(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("rule", metavar="RULE", help="the rule whose row is to be explained, or its absence")
    parser.add_argument("--patient", metavar="ID", required=True, help="the patient, as in the extract")
    parser.add_argument("--number", metavar="N", type=int, help="which of the patient's rows (default: the first)")
    parser.add_argument(
        "--chart", metavar="FILE", help="draw it, too, around its time: a name in .png, .svg, .pdf, .html or .json"
    )


def _several(parser: argparse.ArgumentParser, option: str, metavar: str, help: str) -> None:
    parser.add_argument(option, metavar=metavar, nargs="+", action="extend", default=[], help=help)


def _sweep(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    _several(parser, "--set", "RULE.PARAM=V1,V2", "a parameter and the values that it takes; several span a grid")
    _several(parser, "--variant", "DIR", "folders of rules put upon the rule set in turn; or a folder of such folders")
    _several(
        parser,
        "--measure",
        "SQL|NAME",
        "one SELECT, also NAME=SELECT …, or the name of a query; with a column patient_id it selects patients",
    )
    _other_rules(parser)
    _queries(parser)
    parser.add_argument("--chart", metavar="FILE", help="draw it there: .png, .svg, .pdf, .html or .json")
    parser.add_argument("-o", "--output", metavar="FILE", help="write every row there: .csv, .parquet or .json")


def _other_rules(parser: argparse.ArgumentParser) -> None:
    _several(parser, "--rules", "DIR", "folders read after the shipped rules (default: the rules of the last run)")
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")


def _diff(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("other", metavar="STUDY", nargs="?", help="another study; or else say other definitions")
    _other_rules(parser)
    _several(parser, "--set", "RULE.PARAM=VALUE", "a parameter of a rule")
    parser.add_argument("--show-values", action="store_true", help="show when and what rows say: patients' values")
    parser.add_argument("-o", "--output", metavar="FILE", help="write every row there: .csv, .parquet or .json")


def _published(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    _queries(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write every item there: .csv, .parquet or .json")


def _sensitivity(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("ids", metavar="ID", nargs="*", help="open questions, such as A-01 (default: all)")
    _queries(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write every outcome there: .csv, .parquet or .json")


def _export(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("folder", metavar="DIR", help="where to write: a new folder, or one of an earlier export")
    forms = ("parquet", "csv", "meds", "omop")
    parser.add_argument("--as", dest="form", choices=forms, default="parquet", help="default: parquet")
    parser.add_argument(
        "--tables", metavar="T,…", help="only these; also patient and event (default: all derived ones)"
    )
    _several(parser, "--label", "RULE.COLUMN@TIME", "of MEDS: a label file, its prediction time being a column, too")
    parser.add_argument("--extract", metavar="DIR", help="of OMOP: what the study was made of, for the ids of its rows")


def _synth(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="DIR", help="where to write the extract")
    parser.add_argument("--patients", metavar="N", type=int, help="how many (default: as the cohort says)")
    parser.add_argument("--seed", metavar="S", type=int, default=1, help="the same seed, the same extract (default: 1)")
    forms = ("native", "omop", "meds", "fhir")
    parser.add_argument("--as", dest="form", choices=forms, default="native", help="its format (default: native)")
    parser.add_argument("--cohort", metavar="FILE", help="a cohort specification (default: the shipped one)")


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

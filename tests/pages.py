"""The pages that are written by a program: `make fix` writes them, a test compares. Knows no rule by name."""

import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests import readme
from timeline import arguments, audit, ingest, load, query, store
from timeline.audit import computed
from timeline.describe import as_markdown, describe
from timeline.engine import run
from timeline.header import SECTIONS, Query
from timeline.rules import Param, Rule, RuleSet
from timeline.schema import TABLES

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "rules"
SPEC = ROOT / "tests" / "spec"
DIRT = ROOT / "tests" / "dirt"
CHAPTERS = ("from", "grade", "episodes", "pairs", "sql", "lookup", "words")
GENERATED = "<!-- Written by `make fix` from the files it describes; a change by hand is lost. -->\n\n"


def rule_folders() -> list[Path]:
    """The shipped rule sets: the folder itself, then each folder in it that is a rule set."""
    return [RULES, *sorted(path.parent for path in RULES.glob("*/ruleset.yaml"))]


def methods_page() -> str:
    """Return docs/methods.md: every shipped rule set in words, as `timeline check --describe` prints it."""
    parts = [GENERATED + inspect.cleandoc(METHODS_INTRODUCTION)]
    for folder in rule_folders():
        ruleset = load.load([] if folder == RULES else [folder])
        own = [name for name in ruleset.rules if _file(ruleset, name).startswith(_label(folder))]
        parts.append(as_markdown(describe(ruleset, {}, own), heading="##"))
    return "\n\n".join(parts) + "\n"


def rules_page() -> str:
    """Return rules/README.md: every rule of every shipped folder, with its source and parameters."""
    folders = [RULES, *sorted(path.parent for path in RULES.rglob("*/ruleset.yaml"))]
    parts = [GENERATED + inspect.cleandoc(RULES_INTRODUCTION)]
    for folder in folders:
        ruleset = load.load([] if folder == RULES else [folder])
        own = {name: rule for name, rule in ruleset.rules.items() if _file(ruleset, name).startswith(_label(folder))}
        heading = "The shipped rule set" if folder == RULES else f"`{folder.relative_to(RULES).as_posix()}/`"
        parts.append(f"## {heading}: {ruleset.name} {ruleset.version}".rstrip())
        parts.extend(_module(ruleset, module, own) for module in dict.fromkeys(_file(ruleset, name) for name in own))
    return "\n\n".join(parts) + "\n"


def _label(folder: Path) -> str:
    return "rules/" if folder == RULES else f"{folder}/"


def _file(ruleset: RuleSet, name: str) -> str:
    return ruleset.places[name].split(":")[0]


def _module(ruleset: RuleSet, module: str, own: Mapping[str, Rule]) -> str:
    lines = [
        f"### {Path(module).name}",
        "",
        "| table | what it derives | source | parameters |",
        "| --- | --- | --- | --- |",
    ]
    for name, rule in own.items():
        if _file(ruleset, name) == module:
            params = "; ".join(f"`{key}` {_default(param)}: {param.meaning}" for key, param in rule.params.items())
            lines.append(f"| `{name}` | {_cell(rule.title)} | {_cell(rule.source)} | {_cell(params)} |")
    return "\n".join(lines)


def _default(param: Param) -> str:
    return param.default if param.kind == "duration" or not param.unit else f"{param.default} {param.unit}"


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def commands_page() -> str:
    """Return docs/commands.md: what `--help` says, for every command."""
    os.environ["COLUMNS"] = "100"
    parts = [GENERATED + "# Commands", f"```text\n{arguments.overview()}\n```"]
    for command in arguments.COMMANDS:
        parts.append(f"## timeline {command.name}\n\n```text\n{arguments.parser(command).format_help().rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def queries_page() -> str:
    """Return docs/queries.md: every shipped query as its header describes it, in the order of the report."""
    known = query.load_queries(ROOT / "queries").values()
    places = {name: place for place, name in enumerate(SECTIONS)}
    ordered = sorted(known, key=lambda one: (places.get(one.section or "", len(places)), one.order, one.name))
    index = ["| query | title | in the report |", "| --- | --- | --- |"]
    index += [f"| [`{one.name}`](#{one.name}) | {_cell(one.title)} | {one.section or '–'} |" for one in ordered]
    parts = [GENERATED + inspect.cleandoc(QUERIES_INTRODUCTION), "\n".join(index), *map(_query, ordered)]
    return "\n\n".join(parts) + "\n"


def _query(one: Query) -> str:
    parts = [f"## {one.name}", f"**{one.title}.** {_cell(one.question)}"]
    if one.params:
        lines = ["| parameter | default | meaning |", "| --- | --- | --- |"]
        for name, param in one.params.items():
            default = "must be set" if param.default is None else f"{param.default} {param.unit or ''}".strip()
            lines.append(f"| `{name}` | {default} | {_cell(param.meaning)} |")
        parts.append("\n".join(lines))
    lines = ["| column | unit | meaning |", "| --- | --- | --- |"]
    for name, column in one.returns.items():
        lines.append(f"| `{name}` | {'' if column.unit in (None, '1') else column.unit} | {_cell(column.meaning)} |")
    parts.append("\n".join(lines))
    made = [f"chart: {one.chart.kind}"] if one.chart else []
    made += [f"table: {one.table.kind}"] if one.table else []
    made += [f"{declared.kind}: {declared.title}" for declared in one.statistics]
    said = (("Reads", ", ".join(f"`{name}`" for name in one.reads)), ("Makes", "; ".join(made)),
            ("Answers", ", ".join(one.published)))  # fmt: skip
    parts.append("\n".join(f"- {head}: {text}" for head, text in said if text))
    return "\n\n".join(parts)


def tables_page() -> str:
    """Return docs/tables.md: every table and view of a study after a run, as its own comments describe it."""
    con = store.connect(":memory:")
    ruleset = load.load([])
    run(con, ruleset)
    rows = con.execute(
        """
        SELECT CASE WHEN schema_name = 'main' THEN table_name ELSE schema_name || '.' || table_name END,
            column_name, data_type, comment
        FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal
        ORDER BY schema_name, table_name, column_index
        """
    ).fetchall()
    con.close()
    columns: dict[str, list[tuple[str, str, str]]] = {}
    for table, column, kind, comment in rows:
        columns.setdefault(table, []).append((column, "ENUM" if kind.startswith("ENUM") else kind, comment or ""))
    derived = [name for name in ruleset.rules if name in columns]
    engine = [name for name in columns if name not in derived]
    parts = [GENERATED + inspect.cleandoc(TABLES_INTRODUCTION), "## Tables of the engine"]
    parts += [_table(name, "", columns[name], dict(_meanings(name))) for name in engine]
    parts += ["## Tables of the shipped rules"]
    parts += [_table(name, ruleset.rules[name].title, columns[name], {}) for name in derived]
    return "\n\n".join(parts) + "\n"


def spec_page() -> str:
    """Return docs/rules_by_example.md: every case of tests/spec, in the order of the operators."""
    parts = [GENERATED + inspect.cleandoc(SPEC_INTRODUCTION)]
    concepts = (SPEC / "concepts.yaml").read_text(encoding="utf-8").strip()
    parts += ["## The concepts of the cases", f"```yaml\n{concepts}\n```"]
    known = {path.stem: path for path in sorted(SPEC.glob("*.yaml")) if path.stem != "concepts"}
    for name in sorted(known, key=lambda name: (CHAPTERS.index(name) if name in CHAPTERS else len(CHAPTERS), name)):
        chapter = yaml.load(known[name].read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        parts += [f"## {name}", chapter["about"].strip()]
        parts += [_case(case) for case in chapter["cases"]]
    return "\n\n".join(parts) + "\n"


def dirt_page() -> str:
    """Return docs/dirt.md: every case of tests/dirt, what is bad about it and what becomes of it."""
    parts = [GENERATED + inspect.cleandoc(DIRT_INTRODUCTION)]
    for path in sorted(DIRT.glob("*.yaml")):
        topic = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        rows = [f"| {_cell(case['dirt'])} | {_cell(case['becomes'])} |" for case in topic["cases"]]
        parts += [
            f"## {topic['about']}",
            "\n".join(["| in the extract | what becomes of it |", "| --- | --- |", *rows]),
        ]
    return "\n\n".join(parts) + "\n"


def formats_page() -> str:
    """Return docs/formats.md: of every format what is read, what becomes of it, and what is not read and why."""
    parts = [GENERATED + inspect.cleandoc(FORMATS_INTRODUCTION)]
    for name in sorted(ingest.FORMATS):
        module = ingest.module_of(name)
        about = (module.__doc__ or "").split("\n\n", 1)
        parts += [f"## {name}", *(_cell(text) for text in about)]
        for table, fields in module.TABLES.items():
            rows = [
                f"| `{field.name}` | {field.type} | {'' if field.nullable else 'must'} | {_cell(field.meaning)} |"
                for field in fields
            ]
            head = ["| column | readable as | filled | what it becomes |", "| --- | --- | --- | --- |"]
            parts += [f"### {name}: {table}", "\n".join([*head, *rows])]
        ignored = [f"| {_cell(what)} | {_cell(why)} |" for what, why in module.IGNORED.items()]
        parts += [f"### {name}: not read", "\n".join(["| what | why |", "| --- | --- |", *ignored])]
    return "\n\n".join(parts) + "\n"


def checks_page() -> str:
    """Return docs/checks.md: every check of the audit, in the order of the framework."""
    con = store.connect(":memory:")
    run(con, load.load([]))
    rules = computed.last_run(con)
    made = [compose(con, rules) for compose in computed.COMPOSED.values()]
    known = [*audit.load(ROOT / "queries" / "checks").values(), *made, *computed.JUDGED]
    con.close()
    parts = [GENERATED + inspect.cleandoc(CHECKS_INTRODUCTION)]
    for category in audit.CATEGORIES:
        head = [
            "| check | what should be so, and what it means | severity | may be wrong |",
            "| --- | --- | --- | --- |",
        ]
        rows = [
            f"| `{one.id}` | {_cell(one.title)}. {_cell(one.meaning)} | {one.severity} | "
            f"{f'{100 * one.limit:.4g} % of the ' if one.limit else 'none of the '}{one.of} |"
            for one in sorted(known, key=lambda one: one.id)
            if one.category == category
        ]
        parts += [f"## {category[0].upper()}{category[1:]}", "\n".join([*head, *rows])]
    return "\n\n".join(parts) + "\n"


def _case(case: Mapping[str, Any]) -> str:
    """A case as a reader sees it: what it says, the rules, the events, the rows that come out."""
    parts = [f"### {case['title'][0].upper()}{case['title'][1:]}", f"```yaml\n{case['rules'].strip()}\n```"]
    for key, words in (("patient", "The patient"), ("set", "Set for this run")):
        if key in case:
            parts.append(f"{words}: " + ", ".join(f"`{name}` {value}" for name, value in case[key].items()) + ".")
    parts.append(f"```text\n{case['events'].strip()}\n```")
    for table, rows in case.get("expect", {}).items():
        empty = "\n" not in rows.strip()
        parts.append(f"`{table}` has no row." if empty else f"`{table}`:\n\n```text\n{rows.strip()}\n```")
    if "fails" in case:
        parts.append(f"The run is refused: `{case['fails'].strip()}`.")
    return "\n\n".join(parts)


def _meanings(table: str) -> list[tuple[str, str]]:
    """What the columns of a table, or of a view on events, mean where the view itself has no comment."""
    fields = TABLES.get(table, TABLES["meta.event"])
    return [(field.name, field.meaning) for field in fields] + [("day", "calendar days since the index")]


def _table(name: str, title: str, columns: list[tuple[str, str, str]], meanings: Mapping[str, str]) -> str:
    lines = [f"### {name}", ""] + ([f"{_cell(title)}.", ""] if title else [])
    lines += ["| column | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| {column} | {kind} | {_cell(text or meanings.get(column))} |" for column, kind, text in columns]
    return "\n".join(lines)


RULES_INTRODUCTION = """
    # Rules

    Every rule derives one table of its name. A rule's parameter is set for one run with
    `timeline run STUDY --set RULE.PARAM=VALUE`; rules and concepts of your own, in a folder named with `--rules`, are
    read after these and replace those of the same name. How rules are written: [the rule language](../docs/rules.md);
    what each of these says, in words: [the shipped rules in words](../docs/methods.md).
    """

METHODS_INTRODUCTION = """
    # The shipped rules in words

    What `timeline check --describe` prints of the shipped rule sets: paragraphs that the Methods section of a paper
    can take, then every definition, generated from the rules as the engine reads them, with the parameters in force,
    the concepts and the sources. With `--set RULE.PARAM=VALUE` the text is that of the value set; of rules of your own
    it is printed alike.
    """

SPEC_INTRODUCTION = """
    # Rules by example

    The exact meaning of every operator and boundary of [the rule language](rules.md). Every case is run as a test, by
    the engine and by a second implementation in plain loops. In a table an empty cell is an unknown value; `evidence`
    names the rows of the events table, counted from 1.
    """

DIRT_INTRODUCTION = """
    # What becomes of bad input

    Every kind of dirt that an extract may hold and that we know of, and what becomes of it. Each line is a test. In
    all cases every row that is read is loaded, or folded into an equal one, or kept in `meta.rejected` with its reason;
    where the whole file stops the ingest, nothing of it is in the study.
    """

QUERIES_INTRODUCTION = """
    # Queries

    The shipped questions, as their headers describe them: `timeline query STUDY NAME` answers one,
    `timeline query STUDY NAME --describe` prints what stands here. How to write one:
    [queries/README.md](../queries/README.md). *Answers* are ids of [published values](../data/published.yaml), with
    which a test compares.
    """

FORMATS_INTRODUCTION = """
    # What is read of each format

    Every column that is used, the type that its text must be readable as, whether it must be filled, and what becomes
    of it. At each ingest pandera judges these promises, kept or not: `meta.conformance`, shown by `timeline audit`.
    `timeline.ingest.schemas("native")` gives them as pandera schemas, for the makers of extracts. A mapping file may
    give columns other names ([mapping](mapping.md)); what becomes of bad input: [dirt](dirt.md).

    Messages name files by their names, which may hold those of patients (some makers of bundles do so): rename such
    files before messages are passed on. Of more than 40 files a report tells folders and counts. Words of codes,
    units, routes and statuses are told, unless those of a column stand for a patient or a row each: these are counted,
    listed in `meta.personal_word`, and told where `--show-values` asks for them.
    """

CHECKS_INTRODUCTION = """
    # Checks of data quality

    What `timeline audit STUDY` asks, by the categories of the harmonized framework (Kahn et al. 2016,
    doi 10.13063/2327-9214.1244). `--check ID` prints what a check means and the SELECT that lists what is wrong. How to
    add one, how to declare which of them stop the work, and what OHDSI's DataQualityDashboard calls them:
    [queries/checks/README.md](../queries/checks/README.md).
    """

TABLES_INTRODUCTION = """
    # Tables of a study

    A study is one DuckDB file. Every column carries its meaning as a comment in the file itself
    (`SELECT table_name, column_name, comment FROM duckdb_columns()`), from which this page is made. Times are
    TIMESTAMP in the study's clock. `evidence` holds the `event_id`s that decided a row.
    """

PAGES: Mapping[str, Callable[[], str]] = {
    "rules/README.md": rules_page,
    "docs/checks.md": checks_page,
    "docs/commands.md": commands_page,
    "docs/dirt.md": dirt_page,
    "docs/formats.md": formats_page,
    "docs/methods.md": methods_page,
    "docs/queries.md": queries_page,
    "docs/tables.md": tables_page,
    "docs/rules_by_example.md": spec_page,
}


def main() -> None:
    """Write every page anew, and what the README's commands print."""
    for name, page in PAGES.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(page(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        readme.README.write_text(
            readme.written_anew(readme.README.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8"
        )


if __name__ == "__main__":
    sys.exit(main())

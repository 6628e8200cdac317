"""The command line: every call ends in 0, 1 or 2, with its message where one is due and never a traceback."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from timeline import arguments, asking, cli, commands, option_parser, printing, shipped, store
from timeline.errors import Finding, Findings

EVENTS = """\
patient_id,time,code,value,unit,route
p1,2024-01-01 00:00,axicabtagene_ciloleucel,,,
p1,2024-01-02 08:00,temperature,38.6,Cel,
p1,2024-01-02 09:00,dexamethasone,10,mg,intravenous
p1,2024-01-03 08:00,temperature,102.2,degF,
p2,2024-01-01 00:00,tisagenlecleucel,,,
p2,2024-01-02 08:00,crp,55,mg/L,
p2,2024-01-02 08:00,crp,55,mg/L,
p2,2024-01-03 08:00,LOCAL/77,1,,
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with an extract, and the study that `ingest` and `run` made of it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "extract").mkdir()
    (folder / "extract" / "events.csv").write_text(EVENTS, encoding="utf-8")
    (folder / "rules").mkdir()
    (folder / "rules" / "own.yaml").write_text("high_crp: {from: crp, where: value >= 50}\n", encoding="utf-8")
    (folder / "extract" / "patients.csv").write_text(
        "patient_id,sex,birth_date\np1,F,1960-01-01\np2,M,1951-05-05\n", encoding="utf-8"
    )
    assert cli.main(["ingest", str(folder / "s.duckdb"), str(folder / "extract")]) == 0
    assert cli.main(["run", str(folder / "s.duckdb")]) == 0
    return folder


@pytest.fixture
def study(made) -> str:
    return str(made / "s.duckdb")


@pytest.fixture
def empty(tmp_path) -> str:
    path = tmp_path / "empty.duckdb"
    store.connect(path, create=True).close()
    return str(path)


def told(capsys, *argv: str, status: int) -> str:
    """What the call said on stderr, which is one short paragraph."""
    assert cli.main(list(argv)) == status
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.err.strip()


def test_help_shows_every_command_with_one_example(capsys):
    assert cli.main(["--help"]) == 0
    printed = capsys.readouterr().out
    for command in arguments.COMMANDS:
        assert f"  {command.name} " in printed
        assert command.example in printed
    assert {command.name for command in arguments.COMMANDS} == set(commands.RUN)


@pytest.mark.parametrize("command", arguments.COMMANDS, ids=lambda command: command.name)
def test_every_example_is_a_call_that_parses(command):
    words = command.example.split()
    assert words[0] == "timeline"
    assert cli.parse(words[1:]).command == command.name
    assert "--json" in arguments.parser(command).format_help()


WRONG_CALLS = [
    (["rum"], "timeline: there is no command `rum`; did you mean `run`? The commands are demo, ingest, map, run,"),
    (["run"], "timeline run: the following arguments are required: STUDY. See `timeline run --help`"),
    (["run", "s", "--seet", "a.b=1"], "unrecognized arguments: --seet a.b=1; did you mean `--set`?"),
    (["run", "s", "--only"], "timeline run: --only leaves the shipped rules out; name your own with --rules DIR"),
    (["run", "s", "--set", "rule.gap"], "--set rule.gap: write RULE.PARAM=VALUE"),
    (["ingest", "s", "e", "--format", "xml"], "timeline ingest: argument --format: invalid choice: 'xml'"),
    (
        ["check", "--sql", "r", "--coverage"],
        "timeline check: argument --coverage: not allowed with argument --sql. See",
    ),
    (["check", "--describe", "--schema"], "timeline check: argument --schema: not allowed with argument --describe."),
    (["query", "s"], "timeline query: write the NAME of one query, or --sql TEXT, or --list"),
    (["query", "s", "a", "--sql", "SELECT 1"], "timeline query: write the NAME of one query, or --sql TEXT, or --list"),
    (["synth", "d", "--patients", "many"], "argument --patients: 'many' is no whole number from 1 on. See"),
    (["synth", "d", "--patients", "-5"], "argument --patients: '-5' is no whole number from 1 on"),
    (["synth", "d", "--seed", "-1"], "argument --seed: '-1' is no whole number from 0 on"),
    (["map", "e", "--codes", "0"], "argument --codes: '0' is no whole number from 1 on"),
    (["explain", "s", "r", "--patient", "P", "--number", "-3"], "argument --number: '-3' is no whole number from 1 on"),
    (["export", "s", "d", "--tables", ""], "argument --tables: an empty text says nothing; write a word, or"),
    (["export", "s", "d", "--tables", "a,,b"], "argument --tables: 'a,,b': write words with commas between them"),
    (["report", "s", "--as", "png,png"], "argument --as: 'png,png': a word stands here twice"),
    (["run", "s", "--set", ""], "argument --set: an empty text says nothing"),
    (["run", " "], "argument STUDY: an empty text says nothing"),
    (["synth", "d", "--seed", "1", "--seed", "2"], "argument --seed: given twice; write it once"),
]


@pytest.mark.parametrize(("argv", "message"), WRONG_CALLS, ids=lambda value: " ".join(value) if value else "")
def test_a_wrong_call_is_status_2_and_says_what_to_write(capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s").touch()
    assert message in told(capsys, *argv, status=2)


def test_no_command_shows_the_commands_and_is_a_wrong_call(capsys):
    assert cli.main([]) == 2
    assert "timeline COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--sql", "DROP TABLE patient"], "a query is one SELECT; it cannot change anything"),
        (["--sql", "SELECT nothing FROM patient"], "nothing"),
        (["--sql", "SELECT * FROM read_csv('x.csv')"], "read_csv() is not allowed in FROM"),
        (["no_such_query"], "there is no query `no_such_query`"),
        (["--sql", "SELECT 1", "--as", "parquet"], "add -o FILE.parquet"),
        (["--sql", "SELECT 1", "-o", "answer.xlsx"], "write a name that ends in .csv, .parquet, .json (for programs)"),
        (["--sql", "SELECT 1", "-o", "a.md", "--as", "csv"], "--as csv into a.md: name a file that ends in .csv"),
        (["--sql", "SELECT 1", "--suppress", "5"], "--suppress goes with a named query that declares a table"),
        (["--sql", "SELECT 1", "--describe"], "--describe goes with the NAME of a query"),
        (["--sql", "SELECT 1", "--statistics"], "--statistics goes with the NAME of a query"),
        (["attrition", "--statistics"], "the query attrition declares no statistics"),
        (["overall_survival", "--statistics", "-o", "a.csv"], "--statistics prints text, or JSON with --json"),
        (["attrition", "--suppress", "5"], "--suppress: this query declares no table of counts"),
        (["table_1", "--suppress", "2"], "--suppress 2: at least 3; a count below 2 that is not 0 could only be 1"),
        (["--sql", "SELECT 1", "--set", "a=1"], "--set goes with a named query"),
    ],
)
def test_a_query_that_cannot_be_answered(capsys, empty, argv, message):
    assert message in told(capsys, "query", empty, *argv, status=2)


def test_a_study_that_is_none(capsys, tmp_path):
    missing, other = tmp_path / "missing.duckdb", tmp_path / "notes.txt"
    other.write_text("not a database", encoding="utf-8")
    assert "there is no study here" in told(capsys, "run", str(missing), status=2)
    assert "this is a folder; a study is one file" in told(capsys, "run", str(tmp_path), status=2)
    other = tmp_path / "m.yaml"
    other.write_text("title: a mapping, and no study\n")
    assert "this is not a study file" in told(capsys, "ingest", str(other), str(other), status=2)
    for call in (["report", "x", "--figures"], ["demo", "--out"], ["synth"]):
        assert "this is a file; name a folder" in told(capsys, *call, str(other), status=2)
    assert "this is not a study file" in told(capsys, "query", str(other), "--sql", "SELECT 1", status=2)
    assert not missing.exists()


NOWHERE = "nowhere/else"
PLACES = [
    "ingest new.duckdb {}",
    "ingest {} .",
    "ingest new.duckdb . --mapping {}",
    "map {}",
    "map . --mapping {}",
    "map . --rules {}",
    "map . -o {}",
    "run {}",
    "run STUDY --rules {}",
    "check {}",
    "check --on {}",
    "query {} summary",
    "query STUDY summary --queries {}",
    "query STUDY summary -o {}.csv",
    "query STUDY overall_survival --chart {}.png",
    "audit {}",
    "audit STUDY --checks {}",
    "explain {} cohort --patient P1",
    "explain STUDY cohort --patient P1 --chart {}.png",
    "sweep {}",
    "sweep STUDY --rules {}",
    "sweep STUDY --variant {}",
    "sweep STUDY --queries {}",
    "sweep STUDY --chart {}.png",
    "sweep STUDY -o {}.csv",
    "diff {} STUDY",
    "diff STUDY {}",
    "diff STUDY --rules {}",
    "diff STUDY STUDY -o {}.csv",
    "published {}",
    "published STUDY --queries {}",
    "published STUDY -o {}.csv",
    "sensitivity {}",
    "sensitivity STUDY --queries {}",
    "sensitivity STUDY -o {}.csv",
    "report {}",
    "report STUDY --queries {}",
    "report STUDY -o {}.html",
    "export {} out",
    "export STUDY out --as omop --extract {}",
    "synth out --cohort {}",
]


@pytest.mark.parametrize("call", PLACES)
def test_a_place_that_is_not_there_is_a_wrong_call_and_nothing_is_made(capsys, empty, tmp_path, monkeypatch, call):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    said = told(capsys, *(empty if word == "STUDY" else word.format(NOWHERE) for word in call.split()), status=2)
    assert said.startswith(NOWHERE) and "there is no" in said and "\n" not in said
    assert list(here.iterdir()) == []


def test_every_option_that_names_a_place_is_tried():
    named = {
        (command.name, (action.option_strings or [action.dest])[0])
        for command in arguments.COMMANDS
        for action in arguments.parser(command)._actions
        if isinstance(action.type, type)
        and issubclass(action.type, option_parser.Place)
        # What is made need not be there.
        and action.type is not option_parser.FolderToWrite
    }
    assert len(named) == len(PLACES)


def test_all_places_that_are_wrong_are_told_at_once(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = told(capsys, "ingest", "no/study.duckdb", "no_extract", "--mapping", "no.yaml", status=2)
    assert sorted(said.splitlines()) == [
        "no.yaml: there is no such file or folder",
        "no/study.duckdb: there is no folder no; make it first",
        "no_extract: there is no such file or folder",
    ]
    assert "this is a folder; name a file in it" in told(capsys, "published", ".", "-o", ".", status=2)


def test_an_extract_of_which_nothing_can_be_loaded_is_status_1_and_says_why(capsys, tmp_path):
    extract = tmp_path / "extract"
    extract.mkdir()
    (extract / "patients.csv").write_text("patient_id,sex,birth_date\n1,F,1950-01-01\n")
    (extract / "events.csv").write_text("patient_id,time,code,value\n1,soon,crp,1\n,2024-01-01,crp,1\n1,,crp,2\n")
    study = str(tmp_path / "study.duckdb")
    message = told(capsys, "ingest", study, str(extract), status=1)
    assert message.replace("\n", " ").startswith(
        "No event could be loaded: every row of events.csv was rejected, 3 rows:"
    )
    assert cli.main(["query", study, "rejected_rows"]) == 0, "what was rejected can be looked at"


def test_an_extract_of_rejected_rows_and_their_duplicates_is_status_1_and_tells_the_lost_files_alone(capsys, tmp_path):
    """A rejected row of a file that gave something is no reason for the loss of another file."""
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "patients.csv").write_text("patient_id,sex,birth_date\n1,F,1950-01-01\n2,M,soon\n")
    (tmp_path / "extract" / "events.csv").write_text("patient_id,time,code\n" + ",2024-01-01,crp\n" * 2)
    message = told(capsys, "ingest", str(tmp_path / "study.duckdb"), str(tmp_path / "extract"), status=1)
    assert " ".join(message.split()).startswith(
        "No event could be loaded: every row of events.csv was rejected, 1 row (and 1 duplicate): "
        "patient_id is empty (1). meta.rejected keeps each with its reason."
    )


def test_a_failure_leaves_no_study(capsys, tmp_path):
    study = tmp_path / "s.duckdb"
    (tmp_path / "events.csv").write_text("patient_id,when,code,value\n1,2024-01-01,crp,1\n")
    told(capsys, "ingest", str(study), str(tmp_path / "events.csv"), status=1)
    assert not study.exists()
    (tmp_path / "events.csv").write_text("patient_id,time,code,value\n1,2024-01-01,crp,1\n")
    assert cli.main(["ingest", str(study), str(tmp_path / "events.csv")]) == 0
    assert study.is_file()


def test_none_of_the_checks_stands_alone(capsys, empty):
    assert "--fail-on: `none` stands alone" in told(capsys, "audit", empty, "--fail-on", "none,conf.schema", status=2)


def test_a_setting_given_twice_is_not_chosen_from(capsys, empty):
    call = ["run", empty, "--set", "steroid_course.gap=1d", "steroid_course.gap=2d"]
    assert "--set steroid_course.gap: given twice; write it once" in told(capsys, *call, status=2)


def test_an_answer_as_text_csv_json_and_files(capsys, empty, tmp_path):
    sql = "SELECT 1 AS a, NULL AS b, 2.5 AS c, 'x' AS d, [1, 2] AS e"
    assert cli.main(["query", empty, "--sql", sql]) == 0
    assert capsys.readouterr().out.splitlines() == ["a  b    c  d  e", "1  –  2.5  x  1, 2"]
    assert cli.main(["query", empty, "--sql", sql, "--as", "csv"]) == 0
    assert capsys.readouterr().out.splitlines() == ["a,b,c,d,e", "1,,2.5,x,1 2"]
    assert cli.main(["query", empty, "--sql", sql, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "b": None, "c": 2.5, "d": "x", "e": [1, 2]}]
    for ending in ("csv", "json", "parquet"):
        assert cli.main(["query", empty, "--sql", sql, "-o", str(tmp_path / f"answer.{ending}")]) == 0
        assert (tmp_path / f"answer.{ending}").stat().st_size > 0
        assert capsys.readouterr().err.startswith("1 row in ")


def test_a_long_answer_is_cut_and_says_so(capsys, empty):
    assert cli.main(["query", empty, "--sql", "SELECT * FROM range(1234)"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + asking.ROWS_SHOWN + 1
    assert lines[-1].startswith("… 1,234 rows in all")


def test_values_are_shown_only_when_asked_for(capsys, made, tmp_path, study):
    (tmp_path / "own.yaml").write_text(
        "low_crp: {from: crp, columns: {crp_value: value}, checks: {low: crp_value < 50}}\n", encoding="utf-8"
    )
    call = ["run", study, "--rules", str(tmp_path), "--only"]
    said = told(capsys, *call, status=1)
    assert "low_crp: check `low`: broken by 1 of 1 rows" in said and "nothing was changed" in said
    assert "55" not in said and "p2" not in said
    said = told(capsys, *call, "--show-values", status=1)
    assert "'crp_value': 55.0" in said and "p2" in said
    assert cli.main(["query", study, "--sql", "SELECT count(*) AS n FROM infusion", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 2}], "the tables of the run before are still there"


def test_what_the_disk_refuses_is_told_with_its_place(capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("a file", encoding="utf-8")
    said = told(capsys, "demo", "--out", str(tmp_path / "notes.txt" / "demo"), status=1)
    assert said.startswith(str(tmp_path / "notes.txt")) and "Not a directory" in said


def test_an_unforeseen_error_is_ours_and_tells_no_values(capsys, monkeypatch):
    def fail(args):
        raise ValueError("could not convert 'Jane Doe, 1960-01-01'")

    monkeypatch.setitem(commands.RUN, "synth", fail)
    said = told(capsys, "synth", "somewhere", status=1)
    assert "a fault of timeline" in said and "ValueError in cli.py, line " in said and "TIMELINE_DEBUG=1" in said
    assert "Jane" not in said
    monkeypatch.setenv("TIMELINE_DEBUG", "1")
    with pytest.raises(ValueError, match="Jane"):
        cli.main(["synth", "somewhere"])


def test_findings_are_told_as_text_and_as_json(capsys, monkeypatch):
    def fail(args):
        raise Findings([Finding("rules/a.yaml:3:5", "unknown concept"), Finding("rules/b.yaml:1:1", "no operator")])

    monkeypatch.setitem(commands.RUN, "synth", fail)
    assert cli.main(["synth", "somewhere", "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["rules/a.yaml:3:5: unknown concept", "rules/b.yaml:1:1: no operator"]
    answer = json.loads(printed.out)
    assert answer["exit_status"] == 1
    assert answer["findings"][0] == {"where": "rules/a.yaml:3:5", "message": "unknown concept"}


def test_ctrl_c_is_no_traceback(capsys, monkeypatch):
    def stop(args):
        raise KeyboardInterrupt

    monkeypatch.setitem(commands.RUN, "synth", stop)
    assert told(capsys, "synth", "somewhere", status=cli.STOPPED).startswith("Stopped.")


def test_a_reader_that_has_had_enough_is_no_error(empty):
    call = f"{sys.executable} -m timeline query {empty} --as csv --sql 'SELECT * FROM range(500000)' | head -n 1"
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", call], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "range\n", "")


def test_progress_is_shown_on_a_terminal_only():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for screen, shown in ((Terminal(), True), (io.StringIO(), False)):
        with printing.progress(screen) as show:
            show("reading labs.csv")
        assert ("reading labs.csv" in screen.getvalue()) == shown
        assert bool(screen.getvalue()) == shown


@pytest.mark.parametrize("exact", [False, True])
def test_a_year_is_no_count(exact):
    rows = [(1940, 1940), (None, 1941)]
    assert printing.table(("birth_year", "rows"), rows, exact=exact).splitlines() == [
        "birth_year   rows",
        "      1940  1,940",
        "         –  1,941",
    ]


def test_numbers_read_well():
    rows = [("a", 1234, 0.123456, None, True), ("bb", 10**15, 1234.5, float("inf"), False)]
    assert printing.table(("name", "count", "share", "low", "known"), rows).splitlines() == [
        "name             count   share  low  known",
        "a                1,234  0.1235    –  yes",
        "bb    1000000000000000   1,234  inf  no",
    ]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("7374.5", "7,374.5"),
        ("0.1 + 0.2", "0.3"),
        ("1/3", "0.333333333333333"),
        ("1234567.125", "1,234,567.125"),
        ("12.345678", "12.345678"),
        ("2.5e-9", "2.5e-09"),
        ("[1234.5, 2]", "1,234.5, 2"),
        ("CAST('1000.25' AS DECIMAL(8, 2))", "1,000.25"),
    ],
)
def test_an_answer_is_not_rounded(capsys, empty, value, printed):
    assert cli.main(["query", empty, "--sql", f"SELECT {value}::{'DOUBLE[]' if '[' in value else 'DOUBLE'} AS a"]) == 0
    assert capsys.readouterr().out.splitlines()[1].strip() == printed


def test_json_refuses_what_json_cannot_say():
    with pytest.raises(ValueError, match="JSON"):
        printing.as_json(float("nan"))


def test_the_same_text_in_any_time_zone(study):
    answers = {
        subprocess.run(
            [
                sys.executable,
                "-m",
                "timeline",
                "query",
                study,
                "--as",
                "csv",
                "--sql",
                "SELECT time, concept FROM event",
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TZ": zone},
        ).stdout
        for zone in ("UTC", "Pacific/Auckland")
    }
    assert len(answers) == 1


def test_every_command_prints_json(capsys, made, tmp_path):
    study, extract = str(made / "s.duckdb"), str(made / "extract")
    few = tmp_path / "queries"
    few.mkdir()
    shutil.copy(shipped.folder("queries") / "data_quality.sql", few)
    for argv in (
        ["ingest", study, extract],
        ["map", extract],
        ["run", study],
        ["check", str(made / "rules"), "--only"],
        ["query", study, "--list"],
        ["published", study],
        ["sensitivity", study, "A-02"],
        ["report", study, "-o", str(tmp_path / "page.html"), "--queries", str(few)],
        ["synth", str(tmp_path / "extract"), "--patients", "3"],
        ["demo", "--out", str(tmp_path / "demo")],
    ):
        assert cli.main([*argv, "--json"]) == 0
        assert json.loads(capsys.readouterr().out), argv

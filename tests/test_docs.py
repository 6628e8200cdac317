"""The pages say what is so: every command in the README runs, every option, table and column is described."""

import re
from pathlib import Path

import pytest

from tests import pages, readme
from timeline import arguments, load
from timeline.schema import TABLES

ROOT = Path(__file__).resolve().parent.parent
README = readme.README.read_text(encoding="utf-8")
CONTRACT = {
    "event": "event_id patient_id time end_time day concept value unit bound text route code source_value source_unit "
    "source_file source_row date_only implausible",
    "patient": "patient_id sex birth_date",
    "infusion": "patient_id time product evidence",
    "steroid_dose": "patient_id time day drug dose_mg dexamethasone_mg evidence",
    "steroid_course": "patient_id number start_time end_time start_day end_day doses days dexamethasone_mg evidence",
    "tocilizumab_window": "patient_id number start_time end_time start_day end_day doses days total_mg min_mg max_mg "
    "evidence",
    "anakinra_window": "patient_id number start_time end_time start_day end_day doses days total_mg min_mg max_mg "
    "evidence",
    "crs_grade": "patient_id time day grade evidence",
    "icans_grade": "patient_id time day grade evidence",
    "crs_episode": "patient_id number start_time end_time start_day end_day peak_grade peak_time evidence",
    "icans_episode": "patient_id number start_time end_time start_day end_day peak_grade peak_time evidence",
    "steroid_refractory": "patient_id icans_number product steroid_time grade_at_steroid window_end best_grade status "
    "evidence",
    "anakinra_response": "patient_id window_number peak_icans peak_crs icans_before icans_after crs_before crs_after "
    "neuro_responded crs_responded responded response_group evidence",
    "cytokine": "patient_id time day analyte value unit replicates bounded evidence",
    "lab_pair": "patient_id window_number analyte unit before_value before_time after_value after_time change "
    "percent_change ratio complete missing evidence",
    "cytokine_pair": "patient_id window_number analyte unit baseline_value baseline_time before_value before_time "
    "after_value after_time change percent_change ratio fold_before fold_after complete missing evidence",
    "cytopenia": "patient_id time day analyte value grade evidence",
    "outcome": "patient_id infusion_time death_time last_time os_days died cause best_response evidence",
    "cohort": "patient_id included excluded_at evidence",
    "meta.source": "source_file sha256 format rows_read rows_loaded rows_duplicate rows_rejected loaded_at",
    "meta.rejected": "source_file source_row reason raw",
}
"""Names that other programs rely on, in the order in which a query shows them."""


@pytest.fixture(scope="module")
def performed(tmp_path_factory) -> list[tuple[readme.Step, int, str]]:
    """Every command of the README, in order: its status and what it printed."""
    folder = tmp_path_factory.mktemp("readme")
    return [(step, *readme.perform(step, folder)) for step in readme.steps(README)]


def test_every_command_of_the_readme_runs_and_prints_what_stands_under_it(performed):
    assert sum(step.command is not None for step, _, _ in performed) >= 10
    for step, status, printed in performed:
        assert status == 0, f"{step.command}\n{printed}"
        if step.command:
            assert readme.agree(step.text, printed), f"`make fix` renews: {step.command}\n{printed}"


def test_the_readme_uses_every_command(performed):
    used = {step.command.split()[1] for step, _, _ in performed if step.command}
    assert used == {command.name for command in arguments.COMMANDS}


@pytest.mark.parametrize(
    ("written", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("took 1.5 s\n", "took 0.2 s\n", True),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", False),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("a\n…\n", "a\nb\n", True),
        ("a\n", "", False),
    ],
)
def test_what_counts_as_the_same_output(written, printed, same):
    assert readme.agree(written, printed) == same
    assert readme.agree(readme.renewed(written, printed), printed) or not same


def test_the_readme_names_the_two_commands_and_ci_runs_its_test_command():
    assert re.search(r"^make demo\b", README, re.MULTILINE)
    assert re.search(r"^make test\b", README, re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in ci and "make check" in ci and "make demo" in ci
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"demo", "test", "check", "fix", "test-long", "bench"} <= set(targets)


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_generated_page_is_current(name):
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == pages.PAGES[name](), f"{name} is out of date; `make fix` writes it anew"


def test_every_command_and_option_is_described():
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    for command in arguments.COMMANDS:
        assert f"## timeline {command.name}\n" in page
        for action in arguments.parser(command)._actions:
            assert action.help, f"{command.name} {action.option_strings or action.dest} has no help"
            assert all(option in page for option in action.option_strings)


def described() -> dict[str, dict[str, str]]:
    """Columns and their meanings by table, as docs/tables.md has them."""
    page = (ROOT / "docs/tables.md").read_text(encoding="utf-8")
    tables = {}
    for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (\w+) \| [^|]+ \| (.*) \|$", part, re.MULTILINE)
        tables[part.split("\n", 1)[0]] = {column: meaning.strip() for column, meaning in rows if column != "column"}
    return tables


def test_every_table_and_column_is_described():
    tables = described()
    assert set(TABLES) | set(load.load([]).rules) <= set(tables)
    silent = [f"{table}.{column}" for table, columns in tables.items() for column in columns if not columns[column]]
    assert not silent, f"columns without a meaning: {', '.join(silent)}"


@pytest.mark.parametrize("table", CONTRACT)
def test_the_tables_that_other_programs_rely_on(table):
    columns = list(described()[table])
    assert [name for name in columns if name in CONTRACT[table].split()] == CONTRACT[table].split()


def test_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/README.md", ROOT / "rules/README.md"]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_glossary_says_each_word_once():
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word.strip() for word in words if word.strip() not in ("word", "---")]
    assert len(words) > 40
    assert len(words) == len(set(words))

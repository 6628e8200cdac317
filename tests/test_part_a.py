"""The clinical definitions, sentence by sentence: small tables of events, and the rows that a reader derives by hand.

The cases stand in tests/part_a and know no SQL; here are the sentences on reading an extract, and the batch.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pytest

from timeline import engine, ingest, store
from timeline.examples import run_examples
from timeline.load import load
from timeline.rules import RuleSet

CASES = Path(__file__).parent / "part_a"

EXTRACT = """\
patient_id,time,code,value,unit,text,note
1,2024-03-01 10:00,crp,10,mg/L,,first
1,2024-03-01 10:00,crp,10,mg/L,,first
1,2024-03-01 10:00,crp,10.0,mg/L,,first
1,2024-03-01 10:00,crp,10,mg/L,,second
1,2024-03-01 11:00,crp,1,kg,,
1,2024-03-01 11:00,crp,1,kg,,
1,2024-03-01 12:00,il2ra,1,U/mL,,
1,2024-03-01 13:00,dexamethasone,1,mg/kg,,
1,2024-03-01 14:00,local/x,7,parsecs,,
1,2024-03-01 15:00,crp,,mg/L,,
1,2024-03-01 16:00,ferritin,haemolysed,ug/L,,
1,2024-03-01 17:00,ferritin,haemolysed,ug/L,see note,
1,2024-03-01 18:00,temperature,46,Cel,,
1,2024-03-01 19:00,temperature,38.0,Cel,,
1,2024-03-01 20:00,temperature,100.4,[degF],,
1,,crp,5,mg/L,,
1,,local/y,5,,,
1,,disease,,,DLBCL,
1,2024-03-02,platelets,<5000,/uL,,
1,2024-03-03 10:00,death,,,Sepsis,
1,2024-03-03 11:00,oxygen_device,3,,Nasal_Cannula,
1,2024-03-03 12:00,temperature,101,,,
1,2024-03-03 13:00,documented_icans_grade,2.5,,,
000008,2024-03-01 10:00,anakinra,100,mg,,
8,2024-03-01 10:00,tisagenlecleucel,,,,
"""
"""Row 1 is the first below the header."""


@cache
def ruleset() -> RuleSet:
    """The shipped rules, with the cases of this folder in place of their own examples."""
    found = load([CASES])
    own = {where: example for where, example in found.examples.items() if Path(where).parent.name == CASES.name}
    return found.model_copy(update={"examples": own})


def test_every_sentence_of_the_definitions_holds() -> None:
    results = run_examples(ruleset())
    assert len(results) > 100
    assert {f"{result.where} {result.title}": result.problems for result in results if not result.ok} == {}


def test_every_rule_of_the_definitions_has_a_case() -> None:
    spoken = {rule for example in ruleset().examples.values() for rule in example.expect}
    helpers = {"car_t_infusion", "anakinra_dose", "siltuximab_dose", "temperature_reading", "fever_after_infusion"}
    helpers |= {"inflammation_value", "blood_count"}
    helpers |= {rule for rule in ruleset().rules if rule.endswith("tumour_response")}
    assert set(ruleset().rules) - helpers <= spoken


def test_titles_are_unique() -> None:
    titles = Counter(example.title for example in ruleset().examples.values())
    assert [title for title, times in titles.items() if times > 1] == []


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder, rules = tmp_path_factory.mktemp("extract"), ruleset()
    (folder / "events.csv").write_text(EXTRACT)
    (folder / "patients.csv").write_text("patient_id,sex,birth_date\n42,F,1960-01-01\n")
    with store.connect(":memory:") as con:
        ingest.ingest(con, [folder], rules.concepts)
        yield con


def one(study: duckdb.DuckDBPyConnection, row: int, columns: str) -> tuple:
    found = study.execute(f"SELECT {columns} FROM event WHERE source_row = ?", [row]).fetchall()
    assert len(found) == 1
    return found[0]


def test_a_duplicate_is_a_row_equal_in_every_column_as_text(study: duckdb.DuckDBPyConnection) -> None:
    rows = study.execute("SELECT source_row FROM event WHERE concept = 'crp' AND value = 10 ORDER BY 1").fetchall()
    assert rows == [(1,), (3,), (4,)]


def test_a_row_is_first_tested_for_being_a_duplicate(study: duckdb.DuckDBPyConnection) -> None:
    """The second row with a unit that does not fit is a duplicate of the first, which alone is rejected."""
    counts = (
        "SELECT rows_read, rows_loaded, rows_duplicate, rows_rejected FROM meta.source WHERE source_file = 'events.csv'"
    )
    assert study.execute(counts).fetchall() == [(25, 18, 2, 5)]


def test_a_unit_that_does_not_fit_and_an_empty_time_reject_a_row(study: duckdb.DuckDBPyConnection) -> None:
    rejected = study.execute("SELECT source_row FROM meta.rejected ORDER BY 1").fetchall()
    assert rejected == [(5,), (7,), (8,), (16,), (17,)]


@pytest.mark.parametrize(
    ("row", "columns", "expected"),
    [
        (9, "concept, value", (None, 7)),
        (10, "concept, value, text", ("crp", None, None)),
        (11, "value, text", (None, "haemolysed")),
        (12, "value, text", (None, "see note")),
        (13, "value, implausible", (46, True)),
        (14, "value, unit, implausible", (38, "Cel", False)),
        (15, "value, unit, source_unit", (38, "Cel", "[degF]")),
        (18, "time, text", (None, "DLBCL")),
        (19, "value, bound, unit, date_only", (5, "<", "10*9/L", True)),
        (20, "text, date_only", ("Sepsis", False)),
        (21, "value, unit, text", (3, "L/min", "nasal_cannula")),
        (22, "value, unit, implausible", (101, "Cel", True)),
        (23, "value, implausible", (2.5, False)),
    ],
    ids=[
        "unmapped code", "empty value", "words for a number", "words beside a text", "implausible", "no conversion",
        "same in Fahrenheit", "baseline fact", "bound converted", "words as written", "words of a list", "no guess",
        "loaded all the same",
    ],
)  # fmt: skip
def test_what_does_not_reject_a_row(
    study: duckdb.DuckDBPyConnection, row: int, columns: str, expected: tuple[object, ...]
) -> None:
    assert one(study, row, columns) == expected


def test_what_rules_make_of_the_extract(study: duckdb.DuckDBPyConnection) -> None:
    """One run for these: it takes seconds. Patient 42 is in the patients file only, the others in the events only."""
    rules = ruleset()
    engine.run(study, rules, {})
    readings = study.execute("SELECT count(*), max(value) FROM temperature_reading").fetchall()
    assert readings == [(2, 38.0)], "an implausible value is no observation"
    rows = study.execute("SELECT CAST(patient_id AS VARCHAR), infusion, anakinra, excluded_at FROM cohort ORDER BY 1")
    assert rows.fetchall() == [
        ("000008", False, False, "infusion"),
        ("1", False, False, "infusion"),
        ("42", False, False, "infusion"),
        ("8", True, False, "anakinra"),
    ], "ids are text, and every patient has a row"
    unknown = {
        rule: study.execute(f"SELECT count(*) FROM {rule} WHERE evidence IS NULL").fetchall()[0][0]
        for rule in rules.rules
    }
    assert unknown == dict.fromkeys(rules.rules, 0), "evidence may be empty, never unknown"
    assert study.execute("SELECT evidence FROM cohort WHERE patient_id = '42'").fetchall() == [([],)]

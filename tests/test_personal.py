"""Names and ids of patients taken for codes, units, routes or statuses: counted, never told, in any format."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from timeline import cli, ingest, load, personal, store
from timeline.draft import draft
from timeline.draft.text import text_of
from timeline.printing import as_json
from timeline.rules import Concept
from timeline.study import Study
from timeline.summaries import ingest_text

NAMES = ("Ada Winter", "Bo O'Neil", "Cleo Da Silva", "Dov Stern-Kahn", "Eda", "Finn Ørsted")
MRNS = tuple(f"00{17 * n + 4_000_003}" for n in range(6))
NO_TEXT = "CAST(NULL AS VARCHAR)"


def csv(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def native(folder: Path, words: tuple[str, ...]) -> dict[str, object]:
    rows = [f'P{n},2024-01-0{day} 08:00,"{word}",1' for n, word in enumerate(words) for day in (1, 2)]
    (folder / "events.csv").write_text(csv("patient_id,time,code,value", rows), encoding="utf-8")
    return {}


def mapped(folder: Path, words: tuple[str, ...]) -> dict[str, object]:
    rows = [f'P{n},2024-01-0{day},lab {day},"{word}"' for n, word in enumerate(words) for day in (1, 2)]
    (folder / "labs.csv").write_text(csv("pid,at,test,patient_name", rows), encoding="utf-8")
    mapping = folder.parent / "mapping.yaml"
    mapping.write_text("title: m\ntables:\n  labs: {columns: {patient_id: pid, time: at, code: patient_name}}\n")
    return {"mapping": mapping}


def omop(folder: Path, words: tuple[str, ...]) -> dict[str, object]:
    people = [f"{n},8507,1960" for n in range(len(words))]
    (folder / "person.csv").write_text(csv("person_id,gender_concept_id,year_of_birth", people), encoding="utf-8")
    rows = [f'{n}{day},{n},0,2024-01-0{day},"{word}"' for n, word in enumerate(words) for day in (1, 2)]
    head = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value"
    (folder / "condition_occurrence.csv").write_text(csv(head, rows), encoding="utf-8")
    return {}


def fhir(folder: Path, words: tuple[str, ...]) -> dict[str, object]:
    for n, word in enumerate(words):
        # A file a patient: no single one shows what all of them do.
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "subject": {"reference": f"Patient/{n}"},
            "effectiveDateTime": "2024-01-01T08:00:00",
            "code": {"text": word},
            "valueQuantity": {"value": 1},
        }
        coded = {**observation, "code": {"coding": [{"system": "http://loinc.org", "code": f"1-{n % 3}"}]}}
        lines = [{"resourceType": "Patient", "id": str(n)}, observation, coded]
        (folder / f"{n}.ndjson").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return {}


def meds(folder: Path, words: tuple[str, ...]) -> dict[str, object]:
    (folder / "data").mkdir()
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT CAST(i AS BIGINT) AS subject_id, TIMESTAMP '2024-01-01' AS time,
                'NOTE//' || [{listed}][i + 1] AS code, CAST(1 AS FLOAT) AS numeric_value, {NO_TEXT} AS text_value
            FROM range({len(words)}) AS t(i)
            UNION ALL SELECT i, TIMESTAMP '2024-01-02', 'LAB//' || (i % 3), 1, {NO_TEXT} FROM range(6) AS t(i))
            TO '{folder / "data" / "0.parquet"}' (FORMAT parquet)""")
    return {}


FORMATS = (native, mapped, omop, fhir, meds)


@cache
def concepts() -> Mapping[str, Concept]:
    return load.load([]).concepts


def everything_said(folder: Path, options: dict, **shown: Any) -> str:
    """All that an ingest, its study and a draft say, as text and as JSON."""
    con = store.connect(":memory:")
    report = ingest.ingest(con, folder, concepts(), **options, **shown)
    assert all(one.reconciles for one in report.sources)
    made = draft(folder, concepts(), mapping=options.get("mapping"), **shown)
    return "\n".join([ingest_text(report), as_json(report), text_of(made, "title"), as_json(made)])


@pytest.mark.parametrize("words", [NAMES, MRNS], ids=["names", "ids"])
@pytest.mark.parametrize("write", FORMATS)
def test_what_stands_for_a_patient_is_counted_and_not_told(
    tmp_path: Path, write: Callable, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "extract"
    folder.mkdir()
    options = write(folder, words)
    said = everything_said(folder, options)
    assert [word for word in words if word in said] == []
    assert "6 words of `code` stand for a patient or a row each and are not shown: perhaps the wrong column" in said
    told = everything_said(folder, options, show_values=True)
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize("patients", [2, 12])
def test_a_patient_s_own_id_in_a_single_cell_is_not_told(tmp_path: Path, patients: int) -> None:
    """A slip in a few rows: the column is one of codes, and no share of its words says otherwise."""
    names = [f"Mueller-{n}" for n in range(patients)]
    rows = [f"{name},2024-01-01 08:00,KIND {n % 2},{n % 3},mg/L," for n, name in enumerate(names)]
    rows += [f"{names[0]},2024-01-02,{names[0]},1,mg/L,", f"{names[1]},2024-01-02,crp,1,{names[1]},"]
    rows += [f"{names[0]},2024-01-02,anakinra,1,mg,{names[0]}"]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value,unit,route", rows))
    said = everything_said(tmp_path, {})
    assert "ueller" not in said
    assert "KIND 0" in said


def test_what_is_shared_or_of_one_patient_among_few_is_told(tmp_path: Path) -> None:
    kinds = [f"P{n},2024-01-01 08:00,KIND {n % 3},1" for n in range(6)]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value", kinds))
    assert "KIND 0 (2), KIND 1 (2), KIND 2 (2)" in everything_said(tmp_path, {})
    # Of two patients nobody can tell: nothing is guessed.
    few = [f"P{n},2024-01-01 08:00,OWN {n},1" for n in range(2)]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value", few))
    assert "OWN 0 (1), OWN 1 (1)" in everything_said(tmp_path, {})
    # Many codes a patient, each of one patient alone: rare ones, and no names.
    rare = [f"P{n},2024-01-01 0{m}:00,RARE {n}.{m},1" for n in range(4) for m in range(4)]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value", rare))
    assert "RARE 0.0 (1)" in everything_said(tmp_path, {})


def test_notes_of_which_hardly_two_are_alike_are_not_told(tmp_path: Path) -> None:
    notes = [f"P{n % 5},2024-01-01 08:00,seen again by Dr. {n} for Mr. Winter,1" for n in range(30)]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value", notes))
    assert "Winter" not in everything_said(tmp_path, {})


@pytest.mark.parametrize("column", ["unit", "route"])
def test_units_and_routes_that_stand_for_patients(tmp_path: Path, column: str) -> None:
    code = {"unit": "crp", "route": "dexamethasone"}[column]
    rows = [f'P{n},2024-01-01 08:00,{code},1,"{name}"' for n, name in enumerate(NAMES)]
    (tmp_path / "events.csv").write_text(csv(f"patient_id,time,code,value,{column}", rows), encoding="utf-8")
    said = everything_said(tmp_path, {})
    assert [name for name in NAMES if name.lower() in said.lower()] == []
    assert f"6 words of `{column}` stand for" in said


def test_units_of_rows_without_a_concept(tmp_path: Path) -> None:
    rows = [f'P{n},2024-01-01 08:00,LOCAL,1,"{name}"' for n, name in enumerate(NAMES)]
    (tmp_path / "events.csv").write_text(csv("patient_id,time,code,value,unit", rows), encoding="utf-8")
    said = everything_said(tmp_path, {})
    assert [name for name in NAMES if name in said] == []
    assert "LOCAL (6)" in said


@pytest.mark.parametrize("kind", ["events", "patients"])
def test_a_status_that_stands_for_a_patient_is_in_no_reason_and_in_the_row(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "extract"
    folder.mkdir()
    rows = [f'P{n},2024-01-01 08:00,crp,1,M,"{name}"' for n, name in enumerate(NAMES)]
    (folder / f"{kind}.csv").write_text(csv("patient_id,time,code,value,sex,state", rows), encoding="utf-8")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(f"title: m\ncolumns: {{status: state}}\nstatuses: {{{kind}: [final]}}\n")
    con = store.connect(":memory:")
    report = ingest.ingest(con, folder, concepts(), mapping=mapping)
    assert report.rejected == (("status '…' is not kept by the mapping mapping.yaml", 6),)
    assert any("6 words of `status`" in one and "meta.rejected has them" in one for one in report.warnings)
    raw = " ".join(text for (text,) in con.execute("SELECT raw FROM meta.rejected").fetchall())
    assert [name for name in NAMES if name not in raw] == []


def test_the_commands_the_audit_and_the_shipped_query_tell_no_names(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "extract"
    folder.mkdir()
    rows = [f'P{n},2024-01-01 08:00,norepinephrine,1,"{name}"' for n, name in enumerate(NAMES)]
    rows += [f'P{n},2024-01-02 08:00,"{name}",1,kg' for n, name in enumerate(NAMES)]
    (folder / "events.csv").write_text(csv("patient_id,time,code,value,unit", rows), encoding="utf-8")
    study = str(tmp_path / "study.duckdb")
    calls = (
        ["ingest", study, str(folder)],
        ["map", str(folder)],
        ["audit", study, "--profile", "--fail-on", "none"],
        ["audit", study, "--profile", "--fail-on", "none", "--json"],
        ["query", study, "unmapped_codes"],
        ["query", study, "rejected_rows", "--json"],
    )
    for call in calls:
        assert cli.main(call) == 0
        said = "".join(capsys.readouterr())
        assert [name for name in NAMES if name in said] == [], call
    answer = Study.open(study).query("unmapped_codes")
    assert answer.rows() == [("(of one patient each, not shown)", 6, 6, 6, None)]
    assert cli.main(["map", str(folder), "--show-values"]) == 0
    assert NAMES[0] in capsys.readouterr().out


def test_a_column_is_judged_by_who_has_its_words_and_not_by_their_letters() -> None:
    """The criterion alone: most words of one patient each, and hardly more than one word a patient."""

    def told(*words: tuple[str, str, int, int]) -> set[str]:
        rows = ", ".join(
            f"('{source}', 'code', '{word}', {low}, {high}, FALSE, 1)" for source, word, low, high in words
        )
        spoken = f'SELECT * FROM (VALUES {rows}) AS w(source, "column", word, low, high, itself, rows)'
        with duckdb.connect() as con:
            return {word for word in {word for _, word, *_ in words} if personal.of(con, spoken).holds("code", word)}

    assert told(("f", "a", 1, 1), ("f", "b", 2, 2)) == set()
    assert told(("f", "a", 1, 1), ("f", "b", 2, 2), ("f", "c", 3, 3)) == {"a", "b", "c"}
    # A namesake among them changes nothing; half of the words shared does.
    assert told(("f", "a", 1, 1), ("f", "b", 2, 2), ("f", "c", 3, 3), ("f", "d", 4, 5)) == {"a", "b", "c", "d"}
    assert told(("f", "a", 1, 1), ("f", "b", 2, 2), ("f", "c", 3, 3), ("f", "d", 4, 5), ("f", "e", 1, 5)) == set()
    # One file a patient; a vocabulary by itself among shared codes.
    assert told(("f", "a", 1, 1), ("g", "b", 2, 2), ("h", "c", 3, 3)) == {"a", "b", "c"}
    named = [("f", f"N/{n}", n, n) for n in range(4)]
    assert told(*named, *(("f", f"L/{n}", 0, 3) for n in range(9))) == {word for _, word, *_ in named}


def test_a_column_of_names_in_one_file_hides_no_code_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "extract"
    folder.mkdir()
    names = [f'P{n},2024-01-01 08:00,"{name}",1' for n, name in enumerate(NAMES * 2)]
    (folder / "events_1.csv").write_text(csv("patient_id,time,code,value", names[:6]), encoding="utf-8")
    drugs = [f"P{n},2024-01-01 08:00,PARACETAMOL,1" for n in range(6)]
    # A name that is in this file, too, stays a name.
    drugs.append(f"P0,2024-01-01 08:00,{NAMES[0]},1")
    (folder / "events_2.csv").write_text(csv("patient_id,time,code,value", drugs), encoding="utf-8")
    said = everything_said(folder, {})
    assert [name for name in NAMES if name in said] == []
    assert "Without a concept: 7 codes, 13 rows: PARACETAMOL (6), and 6 more" in " ".join(said.split())
    (folder / "events_2.csv").unlink()
    said = everything_said(folder, {})
    assert "Without a concept: 6 codes, 6 rows: not shown" in said


@pytest.mark.parametrize(
    "cell",
    ["00101", "55,5", "<0.5", "≥ 3", "1'234", "-1e5", "2024-01-01", "12.03.1950", "12/03/1950 10:15", "1-Mar-2024",
     "2024-01-01T10:00:00Z", "08:15"],
)  # fmt: skip
def test_a_first_line_that_is_a_row_is_not_told(cell: str) -> None:
    assert personal.is_row(["crp", cell]) and cell not in personal.columns_told(["crp", cell])


def test_names_of_columns_are_told_and_of_many_the_first() -> None:
    names = ["patient_id", "CRP [mg/l]", "day 1", "t_24h", "2nd value", "ICD-10", "24h", ""]
    assert personal.columns_told(names) == f"the file has {', '.join(names)}"
    assert personal.columns_told([f"c{n}" for n in range(1500)]).endswith("c39, and 1,460 more")


def test_a_draft_tells_no_row_that_stands_where_the_names_should(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("MEIER-4711,12.03.1950,55\nMEIER-4712,12.03.1951,56\n")
    (tmp_path / "b.csv").write_text("pid,result\n1,5\n")
    said = text_of(draft(tmp_path, concepts()), "title")
    assert "a.csv: its first line looks like a row" in said and "pid" in said
    assert "MEIER" not in said and "1950" not in said

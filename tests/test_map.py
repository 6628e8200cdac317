"""`timeline map`: what a draft tells, that it maps nothing as it is, and that it loads once it is confirmed."""

import json
import re
from pathlib import Path

import duckdb
import pytest

from timeline import cli, ingest, load, store
from timeline.draft import Draft, draft, patterns
from timeline.draft.alike import Known, concepts_like, words_like
from timeline.draft.text import text_of
from timeline.errors import Findings, UsageError
from timeline.ingest import mapping as mappings
from timeline.rules import Concept

CONCEPTS = {
    concept.name: concept
    for concept in (
        Concept(name="body_warmth", title="Warmth of the body; by any site", units=("Cel",), plausible=(25.0, 45.0)),
        Concept(name="platelets", title="Platelets", units=("10*9/L",), plausible=(0.0, None), unverified=("LOINC/9",)),
        Concept(name="potion", title="Green potion", any_unit=True),
        Concept(name="device", title="Device", words=("nasal_cannula", "mask")),
        Concept(name="blood", members=("platelets",)),
    )
}
KNOWN = Known.of(CONCEPTS, [("Thrombocyten", "platelets"), ("unheard", "not_in_force")])


def names(candidates) -> list[str]:
    return [one.name for one in candidates]


@pytest.mark.parametrize(
    ("codes", "texts", "unit", "middle", "likely"),
    [
        ((), ("Platelets [#/volume] in Blood",), "K/uL", 200.0, ["platelets"]),
        ((), ("PLATELETS",), "", None, ["platelets"]),
        ((), ("thrombocyten",), "", None, ["platelets"]),
        ((), ("BodyWarmth",), "[degF]", 98.6, ["body_warmth"]),
        ((), ("body warmth",), "Cel", 98.6, []),
        ((), ("body warmth",), "mg", None, []),
        ((), ("green  potion (IV)",), "mL/h", 5.0, ["potion"]),
        ((), ("greenish lotion",), "", None, []),
        ((), ("blood",), "", None, []),
        ((), ("",), "", None, []),
        (("LOINC/9",), ("something else",), "furlong", None, ["platelets"]),
    ],
)
def test_a_concept_is_likely_by_its_code_or_its_words_where_unit_and_numbers_allow_it(
    codes, texts, unit, middle, likely
):
    assert names(concepts_like(KNOWN, codes, texts, unit, middle)) == likely


def test_words_are_likely_by_their_letters():
    assert names(words_like("Nasal Cannula", ("nasal_cannula", "mask"))) == ["nasal_cannula"]
    assert names(words_like("tent", ("nasal_cannula", "mask"))) == []


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Twelve patients with a count, four with a rare one, a device, a route and a unit that mean nothing yet."""
    folder = tmp_path / "extract"
    folder.mkdir()
    lines = ["patient_id,time,code,value,unit,text,route"]
    for patient in range(12):
        day = f"2024-01-{patient + 1:02}"
        lines += [
            f"P{patient},{day},LAB/Platelet count,{123.4 + patient},K/uL,,",
            f"P{patient},{day},device,,,Nasal Cannula,",
            f"P{patient},{day},potion,5,mg,,intravenously",
        ]
        lines += [f"P{patient},{day},LAB/Rare,{777.7 + patient},mg,secret,"] if patient < 4 else []
    lines += ["P1,2024-01-01,platelets,5,blobs,,"]
    (folder / "events.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def confirmed(text: str) -> str:
    """The draft with the mark of every proposal taken away."""
    return re.sub(r"(?m)^( *)# ", r"\1", text)


def test_a_draft_tells_what_means_nothing_yet_and_no_patients_value(extract):
    made = draft(extract, CONCEPTS)
    assert [(code.key, code.rows, code.patients, code.units, code.numbers, code.words) for code in made.codes] == [
        ("LAB/Platelet count", 12, 12, (("K/uL", 12),), (120.0, 130.0, 130.0), ()),
        ("LAB/Rare", 4, 4, (("mg", 4),), None, ()),
    ]
    assert [names(code.candidates) for code in made.codes] == [["platelets"], []]
    assert (made.codes_in_all, made.rows_in_all, made.problem, made.tables) == (2, 16, None, ())
    assert [(unit.reason, unit.rows) for unit in made.units] == [
        ("unit 'blobs' cannot be converted to 10*9/L (platelets)", 1)
    ]
    assert [(route.route, route.rows, names(route.candidates)) for route in made.routes] == [
        ("intravenously", 12, ["intravenous"])
    ]
    assert [(word.concept, word.word, names(word.candidates)) for word in made.words] == [
        ("device", "nasal cannula", ["nasal_cannula"])
    ]
    text = text_of(made, "a draft")
    assert not re.search(r"77\d|123\.4|secret|P1\b", text)


def test_a_draft_loads_and_maps_nothing_until_it_is_confirmed(extract, tmp_path):
    text = text_of(draft(extract, CONCEPTS), 'a draft: of "everything"')
    path = tmp_path / "draft.yaml"
    path.write_text(text, encoding="utf-8")
    read = mappings.load(path)
    assert (read.codes, read.routes, read.words, read.tables) == ({}, {}, {}, {})
    assert read.title == 'a draft: of "everything"'
    path.write_text(confirmed(text), encoding="utf-8")
    with store.connect(":memory:") as con:
        ingest.ingest(con, [extract], CONCEPTS, mapping=path)
        rows = con.execute("""SELECT concept, text, route, count(*) FROM event WHERE concept IS NOT NULL
            GROUP BY ALL ORDER BY ALL""").fetchall()
    assert rows == [
        ("device", "nasal_cannula", None, 12), ("platelets", None, None, 12), ("potion", None, "intravenous", 12),
    ]  # fmt: skip
    assert names(draft(extract, CONCEPTS, mapping=path).codes[0].candidates) == []


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Files of other names: a long table in another writing, a wide one, patients, and one that is none."""
    folder = tmp_path / "foreign"
    (folder / "deep").mkdir(parents=True)
    (folder / "labs.csv").write_bytes(
        "PatientID;Prüfdatum;result time;test;result;unit\n"
        "1;x;03.04.2024 08:00;Platelets;120,5;K/uL\n1;x;13.04.2024 08:00;Platelets;99;K/uL\n".encode("cp1252")
    )
    (folder / "deep" / "chart.csv").write_text("pid,charttime,body_warmth,note\n1,2024-01-01 08:00,38.5,a\n")
    (folder / "people.csv").write_text("pid,gender,DateOfBirth,start\n1,F,1960-01-01,2024-01-01\n")
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    return folder


@pytest.mark.parametrize(
    ("values", "certain"), [(("0,500", "1,500"), True), (("10,500", "1,500"), False), (("1,5", "1,500"), True)]
)
def test_a_comma_after_a_lone_0_is_a_decimal_mark_and_one_after_10_may_be_either(tmp_path, values, certain):
    rows = "".join(f"1;2024-01-01;crp;{value}\n" for value in values)
    (tmp_path / "labs.csv").write_text(f"pid;charttime;test;result\n{rows}")
    [table] = draft(tmp_path, CONCEPTS).tables
    [decimal] = [one for one in table.read if ("decimal", ",") in one.pairs]
    assert (len(decimal.pairs) == 1) == certain


def test_files_that_are_not_read_are_drafted_with_their_columns_and_writing(foreign, tmp_path):
    made = draft(foreign, CONCEPTS)
    assert made.problem is not None and "no extract that is known here" in made.problem
    drafted = {table.file: table for table in made.tables}
    assert list(drafted) == ["broken.parquet", "deep/chart.csv", "labs.csv", "people.csv"]
    assert drafted["broken.parquet"].problem == ("broken.parquet: the file is damaged or cut short: its end is missing")
    assert {one.name: one.ours for one in drafted["labs.csv"].columns} == {
        "PatientID": "patient_id", "Prüfdatum": None, "result time": "time", "test": "code", "result": "value",
        "unit": "unit",
    }  # fmt: skip
    assert {key: value for one in drafted["labs.csv"].read for key, value in one.pairs} == {
        "encoding": "cp1252", "delimiter": ";", "decimal": ",", "times": "%d.%m.%Y %H:%M",
    }  # fmt: skip
    path = tmp_path / "draft.yaml"
    path.write_text(confirmed(text_of(made, "all")), encoding="utf-8")
    (foreign / "broken.parquet").unlink()
    with store.connect(":memory:") as con:
        report = ingest.ingest(con, [foreign], CONCEPTS, mapping=path)
        events = con.execute(
            'SELECT source_file, CAST("time" AS VARCHAR), code, value FROM event ORDER BY ALL'
        ).fetchall()
        patients = con.execute("SELECT sex, CAST(birth_date AS VARCHAR) FROM patient").fetchall()
    assert sum(one.rows_rejected for one in report.sources) == 0
    assert events == [
        ("deep/chart.csv#body_warmth", "2024-01-01 08:00:00", "body_warmth", 38.5),
        ("labs.csv", "2024-04-03 08:00:00", "Platelets", 120.5),
        ("labs.csv", "2024-04-13 08:00:00", "Platelets", 99.0),
    ]
    assert patients == [("F", "1960-01-01")]


def test_what_the_mapping_names_is_not_drafted_again(foreign, tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("tables: {people: {columns: {patient_id: pid, sex: gender}}, labs: {ignore: true}}\n")
    made = draft(foreign, CONCEPTS, mapping=path)
    assert made.problem is None
    assert [table.file for table in made.tables] == ["broken.parquet", "deep/chart.csv"]


def test_families_of_codes_are_taken_apart_by_units_and_by_words_that_repeat():
    units = {f"LAB//{item}//{unit}": 2 for item, unit in (("1", "K/uL"), ("2", "mg/dL"), ("3", "°F"), ("4", "UNK"))}
    statuses = {f"DRUG//{drug}//{status}": 1 for drug in ("a (b)", "c", "d//e") for status in ("Given", "Held")}
    others = {"ONE//a//b": 1, "X//a//odd": 1, "X//b//even": 1, "X//c//none": 1, "plain": 9}
    lab, drug = patterns.drafted(units | statuses | others)
    assert (lab.match, lab.key, lab.codes, lab.rows, lab.statuses) == (
        "LAB//(?P<code>[^/]+)//(?P<unit>.*)", "LAB/{code}", 4, 8, (),
    )  # fmt: skip
    assert drug.statuses == (("Given", 3), ("Held", 3))
    assert all(re.fullmatch(lab.match, code) for code in units) and re.fullmatch(drug.match, "DRUG//d//e//Held")
    text = text_of(Draft(patterns=(lab, drug)), "families")
    assert "they end in Given (3), Held (3)" in text


def test_descriptions_of_a_meds_folder_are_told_and_compared(tmp_path):
    root = tmp_path / "meds"
    (root / "metadata").mkdir(parents=True)
    (root / "data").mkdir()
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT p AS subject_id, TIMESTAMP '2024-01-01' AS time, 'ITEM//4711' AS code,
            CAST(150 AS FLOAT) AS numeric_value FROM range(12) AS r(p)) TO '{root}/data/0.parquet' (FORMAT parquet)""")
        con.execute(f"""COPY (SELECT 'ITEM//4711' AS code, 'Platelets in blood' AS description)
            TO '{root}/metadata/codes.parquet' (FORMAT parquet)""")
    [code] = draft(root, CONCEPTS).codes
    assert (code.description, names(code.candidates)) == ("Platelets in blood", ["platelets"])


def test_the_command_prints_a_draft_writes_it_or_says_it_to_programs(extract, tmp_path, capsys):
    assert cli.main(["map", str(extract), "--codes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "## 4 codes without a concept, 40 rows; the 1 most frequent, 12 rows" in printed
    assert '  # "LAB/Platelet count": platelets' in printed
    path = tmp_path / "draft.yaml"
    assert cli.main(["map", str(extract), "-o", str(path)]) == 0
    assert "a draft of 4 codes, nothing of it in force yet" in capsys.readouterr().out
    assert mappings.load(path).title == "draft for extract"
    assert cli.main(["map", str(extract), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["codes"][0]["candidates"][0]["name"] == "platelets"


def test_what_is_not_there_and_what_is_no_mapping_is_said(extract, tmp_path):
    with pytest.raises(UsageError, match="there is no such file or folder"):
        draft(tmp_path / "none", CONCEPTS)
    with pytest.raises(UsageError, match="--codes -1: name a number above 0"):
        draft(extract, CONCEPTS, most=-1)
    (tmp_path / "m.yaml").write_text("codes: 1\n")
    with pytest.raises(Findings, match="`codes` is a mapping of names"):
        draft(extract, CONCEPTS, mapping=tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (["03/04/2024;1,5"], ['decimal: ",", dates: "%m/%d/%Y"', 'decimal: ",", dates: "%d/%m/%Y"']),
        (["03/04/2024;1", "13/04/2024;2"], ['dates: "%d/%m/%Y"']),
        (["03.04.2024;1,500", "03.04.2024;12,250"],
         ['decimal: ",", dates: "%d.%m.%Y"', 'thousands: ",", dates: "%d.%m.%Y"']),
        (["03.04.2024;0,500"], ['decimal: ",", dates: "%d.%m.%Y"']),
        (["20240403;< 1,5"], ['decimal: ","']),
        (["2024-04-03;1.5"], []),
        (["03/04/2024;1", "soon;1"], []),
    ],
)  # fmt: skip
def test_a_writing_is_proposed_where_it_is_certain_and_each_that_is_possible_where_not(tmp_path, rows, lines):
    (tmp_path / "labs.csv").write_text("\n".join(["pid;test;drawn date;result", *(f"1;T;{row}" for row in rows)]))
    made = draft(tmp_path, CONCEPTS)
    drafted = [table for line in text_of(made, "x").splitlines() if (table := line.partition("read: ")[2])]
    expected = [f'{{delimiter: ";", {line}}}' for line in lines] or ['{delimiter: ";"}']
    assert drafted == expected
    doubts = [one.because for one in made.tables[0].read if one.because]
    assert bool(doubts) == (len(expected) > 1) and "03" not in "".join(doubts)


def test_eight_digits_are_a_date_only_in_a_column_that_is_called_like_one(tmp_path):
    (tmp_path / "labs.csv").write_text("pid,test,date,result,serial\n1,T,20240403,1,20240403\n")
    [table] = draft(tmp_path, CONCEPTS).tables
    assert [one.pairs for one in table.read] == [(("dates", "%Y%m%d"),)]
    assert {one.name: one.ours for one in table.columns}["serial"] is None


def test_an_extract_of_which_nothing_can_be_drafted_is_an_error_and_one_fully_mapped_is_said(tmp_path, capsys):
    (tmp_path / "events.csv").write_text("")
    assert cli.main(["map", str(tmp_path), "-o", str(tmp_path / "draft.yaml")]) == 1
    assert capsys.readouterr().err == "events.csv: the file is empty; its first line must name the columns\n"
    assert not (tmp_path / "draft.yaml").exists()
    assert cli.main(["map", str(tmp_path / "none")]) == 2
    (tmp_path / "events.csv").write_text("patient_id,time,code,value,unit\n1,2024-01-01,crp,5,mg/L\n")
    assert cli.main(["map", str(tmp_path)]) == 0
    assert "## Nothing is left to map" in capsys.readouterr().out


def test_one_row_of_one_patient_is_said_so(tmp_path):
    (tmp_path / "events.csv").write_text("patient_id,time,code,value,unit\n1,2024-01-01,LOCAL/1,5,mg/L\n")
    text = text_of(draft(tmp_path, CONCEPTS), "x")
    assert "## 1 code without a concept, 1 row\n" in text and "LOCAL/1: 1 row; 1 patient; units" in text


def test_shipped_concepts_are_found_by_common_names_of_laboratories():
    known = Known.of(load.load([]).concepts)
    for text, unit, name in (
        ("C reactive protein", "mg/L", "crp"),
        ("Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", "creatinine"),
        ("Dexamethasone 4 MG Oral Tablet", "mg", "dexamethasone"),
    ):
        assert names(concepts_like(known, (), (text,), unit, None))[:1] == [name]


def test_a_draft_is_never_written_over_a_file(tmp_path, capsys):
    path = tmp_path / "events.csv"
    path.write_text("patient_id,time,code\n1,2024-01-01,LOCAL/1\n")
    before = path.read_bytes()
    assert cli.main(["map", str(path), "-o", str(path)]) == 2
    assert path.read_bytes() == before
    assert "is not written over; name a new file" in capsys.readouterr().err


def test_a_draft_counts_a_row_once_whatever_other_codes_its_code_has(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "metadata").mkdir()
    with duckdb.connect() as con:
        con.execute(f"""COPY (SELECT range AS subject_id, TIMESTAMP '2024-01-01' AS time, 'X' AS code,
            5.0 AS numeric_value FROM range(12)) TO '{tmp_path}/data/0.parquet'""")
        con.execute(f"COPY (SELECT 'X' AS code, ['A/1', 'A/2'] AS parent_codes) TO '{tmp_path}/metadata/codes.parquet'")
    drafted = draft(tmp_path, load.load([]).concepts)
    [code] = drafted.codes
    assert (code.rows, drafted.rows_in_all, code.units) == (12, 12, (("", 12),))


def test_a_column_of_names_is_no_column_of_codes_and_a_note_no_table(tmp_path):
    head = "PatNr;Infusion Date;Name"
    dates = ["nicht bekannt", *(f"{day:02}.03.2024" for day in range(1, 20))]
    rows = [f"{number};{date};Person {number}" for number, date in enumerate(dates)]
    (tmp_path / "people.csv").write_text("\n".join([head.replace("Infusion Date", "Date"), *rows]))
    # Without a column of the patient: a word a row, in so many rows that it is no chance.
    names = [f"{'x' * (number + 1)};Name {number}" for number in range(25)]
    (tmp_path / "staff.csv").write_text("\n".join(["who;Name", *names]))
    (tmp_path / "liesmich.txt").write_text("Ein Auszug.\n")
    made = draft(tmp_path, CONCEPTS)
    assert not [one for table in made.tables for one in table.columns if one.ours == "code"]
    said = text_of(made, "x")
    assert "##   all but 1 of 20 values of `Date` are written as %d.%m.%Y\n" in said
    assert '#   read: {delimiter: ";", dates: "%d.%m.%Y"}' in said
    assert "# liesmich: {ignore: true}" in said


def test_of_a_code_with_numbers_a_concept_that_has_numbers_goes_first():
    concepts = {
        "sepsis_diagnosis": Concept(name="sepsis_diagnosis", title="Sepsis, coded", any_unit=True),
        "sepsis_score": Concept(name="sepsis_score", title="Sepsis as a score", plausible=(0, 5)),
    }
    known = Known.of(concepts)
    first = [concepts_like(known, (), ("sepsis",), "", middle)[0].name for middle in (None, 2.0)]
    assert first == ["sepsis_diagnosis", "sepsis_score"]

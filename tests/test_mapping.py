"""Mapping files: what a code says by its pattern, and every mistake of a file with its place."""

from pathlib import Path

import pytest

from timeline.errors import Findings
from timeline.ingest.mapping import COLUMNS, FACTS, Mapping, Pattern, Target, load
from timeline.ingest.staged import Code
from timeline.shipped import folder

WHOLE = r"""
title: an example
units: {UNK: , °F: "[degF]"}
columns: {patient_id: subject_id, value: numeric_value}
patterns:
  - {match: GENDER//(?P<value>.+), fact: patient.sex}
  - {match: BORN, fact: patient.birth_date}
  - {match: LAB//(?P<code>\d+)//(?P<unit>.*), key: "LAB/{code}"}
  - {match: 'DIAG//(?P<chapter>\w{3})(?P<rest>\w*)', key: "ICD10CM/{chapter}.{rest}"}
  - {match: "DRUG//(START|STOP)//(?P<code>.+)", key: "ORDER/{code}"}
  - {match: DRUG//(?P<code>.+)//(?P<status>.*), keep: [Given, Started late]}
  - {match: INFUSION//(?P<code>.+)//(?P<status>.*), keep: [Given], others: reject}
  - {match: SPRAY//(?P<code>.+)//(?P<route>.*)//(?P<text>.*)}
codes:
  LAB/223761: temperature
  LAB/226531: {concept: body_weight, unit: "[lb_av]"}
  aspirin: acetylsalicylic_acid
  aspirin cream: {concept: acetylsalicylic_acid, route: topical}
  DEAD: {concept: death, date_only: true}
  VENT: {concept: device, text: ventilator}
  LAB//7//mmol/L: exactly_this
"""


@pytest.fixture
def read(tmp_path: Path):
    def read_text(text: str) -> Mapping:
        path = tmp_path / "map.yaml"
        path.write_text(text, "utf-8")
        return load(path)

    return read_text


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("LAB//51265//K/uL", {"key": "LAB/51265", "unit": "K/uL"}),
        ("LAB//223761//°F", {"key": "LAB/223761", "unit": "[degF]", "concept": "temperature"}),
        ("LAB//51265//UNK", {"key": "LAB/51265"}),
        ("LAB//51265//", {"key": "LAB/51265"}),
        ("LAB//226531//UNK", {"key": "LAB/226531", "unit": "[lb_av]", "concept": "body_weight"}),
        ("LAB//7//mmol/L", {"key": "LAB/7", "unit": "mmol/L", "concept": "exactly_this"}),
        ("DIAG//D709", {"key": "ICD10CM/D70.9"}),
        ("DRUG//aspirin//Given", {"key": "aspirin", "concept": "acetylsalicylic_acid"}),
        ("DRUG// aspirin //Given ", {"key": "aspirin", "concept": "acetylsalicylic_acid"}),
        ("DRUG//aspirin//Started late", {"key": "aspirin", "concept": "acetylsalicylic_acid"}),
        ("DRUG//Aspirin//Given", {"key": "Aspirin"}),
        ("DRUG//aspirin//given", {}),
        ("DRUG//aspirin//Not Given", {}),
        ("DRUG//aspirin//", {}),
        ("DRUG//START//aspirin", {"key": "ORDER/aspirin"}),
        ("DRUG//aspirin cream//Given", {"key": "aspirin cream", "concept": "acetylsalicylic_acid", "route": "topical"}),
        ("INFUSION//aspirin//Given", {"key": "aspirin", "concept": "acetylsalicylic_acid"}),
        ("INFUSION//aspirin//Held", {"reject": "status 'Held' is not kept by the mapping map.yaml"}),
        ("SPRAY//salt//nasal//blue", {"key": "salt", "route": "nasal", "text": "blue"}),
        ("GENDER//F", {"fact": "sex", "fact_value": "F"}),
        ("BORN", {"fact": "birth_date"}),
        ("DEAD", {"concept": "death", "date_only": True}),
        ("VENT", {"concept": "device", "text": "ventilator"}),
        ("something//else", {}),
    ],
)
def test_what_a_code_means(read, code, meaning):
    assert read(WHOLE).decode([code]) == [Code(**{"code": code, "key": code} | meaning)]


def test_ignore_case_finds_names_and_statuses_in_any_case(read):
    [code] = read(WHOLE + "ignore_case: true\n").decode(["DRUG//ASPIRIN//GIVEN"])
    assert code.concept == "acetylsalicylic_acid"


def test_codes_keep_their_order_and_number(read):
    codes = ["BORN", "DEAD", "BORN", "", "LAB//1//x"]
    assert [code.code for code in read(WHOLE).decode(codes)] == codes


def test_columns_concepts_and_entries_that_nothing_meets(read):
    mapping = read(WHOLE)
    assert mapping.name == "map.yaml"
    assert mapping.columns == {"patient_id": "subject_id", "value": "numeric_value"}
    assert mapping.concepts >= {"temperature", "death"} and "aspirin" not in mapping.concepts
    unmet = mapping.unmet(["LAB//223761//°F", "DEAD", "DRUG//aspirin//Given", "LAB//7//mmol/L"])
    assert unmet == ("LAB/226531", "aspirin cream", "VENT")


def test_yaml_words_stay_words(read):
    [code] = read("codes: {no: death, 08:30: death}").decode(["no"])
    assert code.concept == "death"


BAD = [
    ("", "map.yaml: the file is empty; a mapping has `patterns` or `codes`"),
    ("pattern: []", "map.yaml:1:1: `pattern` is not a key of a mapping file; did you mean `patterns`?"),
    ("columns: {patient: pid}", "map.yaml:1:11: `patient` is not a key of `columns`; did you mean `patient_id`?"),
    ("columns: {time: }", "map.yaml:1:17: `time` names no column; write `time: name`, as the source calls it"),
    ("patterns: {match: a}", "map.yaml:1:11: `patterns` is a list; begin each with `- match: ...`"),
    ("patterns:\n  - {key: a}", "map.yaml:2:5: a pattern needs `match`: a regular expression for the whole code"),
    ("patterns:\n  - {match: 'a(', key: b}",
     "map.yaml:2:13: `match` is not a regular expression: missing ), unterminated subpattern at character 1"),
    ("patterns:\n  - {match: 'a(?P<code>.)', key: '{cod}'}",
     "map.yaml:2:34: `key` uses {cod}; `match` has no group named so: (?P<cod>...)"),
    ("patterns:\n  - {match: a, key: 'x{'}", "map.yaml:2:21: `key` has a stray brace; write a group as {name}"),
    ("patterns:\n  - {match: a, keep: [b]}",
     "map.yaml:2:22: `keep` names statuses; `match` has no group (?P<status>...) to take one from"),
    ("patterns:\n  - {match: a, others: drop}", "map.yaml:2:24: `others` is event or reject, not `drop`"),
    ("patterns:\n  - {match: a, fact: sex}",
     "map.yaml:2:22: `fact` is patient.sex or patient.birth_date, not `sex`"),
    ("codes: {a: }", "map.yaml:1:12: `a` names no concept; write `a: name`, with a-z, 0-9 and _"),
    ("codes: {a: Fever}", "map.yaml:1:12: `Fever` is no concept's name; write `a: name`, with a-z, 0-9 and _"),
    ("codes: {a: {concept: b, units: mg}}", "map.yaml:1:25: `units` is not a key of code `a`; did you mean `unit`?"),
    ("codes: {a: b, a: c}", "map.yaml:1:15: `a` is written twice, first at map.yaml:1:9"),
    ("ignore_case: true\ncodes: {a: b, A: c}",
     "map.yaml:2:18: `A` is here twice: with `ignore_case` it is the same as `a`"),
    ("ignore_case: yes", "map.yaml:1:14: ignore_case is `true` or `false`, not `yes`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=[text[:30] for text, _ in BAD])
def test_every_mistake_has_its_place_and_says_what_to_write(read, text, message):
    with pytest.raises(Findings) as caught:
        read(text)
    assert str(caught.value) == message


def test_all_mistakes_at_once(read):
    with pytest.raises(Findings) as caught:
        read("colums: {}\npatterns:\n  - {key: a}\n  - {match: '('}\ncodes: {a: B, c: }\n")
    assert [finding.where for finding in caught.value.findings] == [
        "map.yaml:1:1", "map.yaml:3:5", "map.yaml:4:13", "map.yaml:5:12", "map.yaml:5:18",
    ]  # fmt: skip


def test_what_is_not_yaml_is_said_with_its_place(read):
    with pytest.raises(Findings, match="map.yaml:1:12: this is not YAML: .*quote a value that holds"):
        read("codes: {a: ]}")


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(Findings, match="there is no mapping file here that can be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Findings, match="this is not text in UTF-8; a mapping is a YAML file"):
        load(tmp_path / "binary.yaml")


def test_the_page_on_mapping_files_tells_every_key_and_its_example_is_one(read):
    page = (folder("data").parent / "docs" / "mapping.md").read_text("utf-8")
    keys = {"title", "source", "ignore_case", "columns", "units", "patterns", "codes", *COLUMNS, *FACTS}
    keys |= set(Pattern.model_fields) | set(Target.model_fields)
    groups = ("code", "unit", "status", "route", "text", "value")
    told = [*(f"`{key}`" for key in keys), *(f"`(?P<{group}>…)`" for group in groups)]
    assert [text for text in told if text not in page] == []
    mapping = read(page.split("```yaml\n")[1].split("```")[0])
    given, refused = mapping.decode(["DRUG//Aspirin//Given", "DRUG//Aspirin//Refused"])
    assert (given.concept, refused.concept) == ("acetylsalicylic_acid", None)


def test_shipped_mappings_load_and_name_concepts_that_some_rule_folder_declares():
    import yaml

    declared = set()
    for path in folder("rules").rglob("concepts/*.yaml"):
        declared |= set(yaml.safe_load(path.read_text("utf-8")))
    files = sorted((folder("data") / "mappings").glob("*.yaml"))
    assert files
    assert {path.name: sorted(load(path).concepts - declared) for path in files} == {path.name: [] for path in files}

"""Mapping files: what a code says by its pattern, and every mistake of a file with its place."""

from pathlib import Path

import pytest

from timeline.errors import Findings, UsageError
from timeline.ingest import against
from timeline.ingest.mapping import COLUMNS, FACTS, Mapping, Offset, Pattern, Table, Target, Writing, load
from timeline.ingest.mapping.model import MATCHES as MATCH_KINDS
from timeline.ingest.mapping.read import KEYS
from timeline.ingest.mapping.read import WHOLE as WHOLE_FILE
from timeline.ingest.staged import Code
from timeline.rules import Concept
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


MATCHES = """
ignore_case: true
codes:
  icd/C8: {concept: blood, match: prefix}
  icd/C83: {concept: large, match: prefix}
  icd/C83.1: mantle
  'icd/c[0-9]+': {concept: any, match: pattern}
  "voc/1": {concept: family, match: ancestor}
  "voc/9": {concept: unheard, match: ancestor}
"""


@pytest.mark.parametrize(
    ("code", "concept"),
    [
        ("icd/C83.1", "mantle"), ("ICD/C83.10", "large"), ("icd/C81", "blood"), ("ICD/C77", "any"), ("icd/C77.1", None),
        ("voc/1", "family"), ("voc/child", "family"), ("voc/other", None),
    ],
)  # fmt: skip
def test_a_code_is_matched_whole_by_prefix_by_pattern_and_by_ancestor(read, code, concept):
    mapping = read(MATCHES).extended({"voc/child": ("voc/7", "VOC/1"), "voc/other": ("voc/7",)})
    assert [said.concept for said in mapping.decode([code])] == [concept]


def test_prefixes_patterns_and_ancestors_that_nothing_meets_are_said(read):
    mapping = read(MATCHES).extended({"voc/child": ("voc/1",)})
    assert mapping.unmet(["icd/C81", "voc/child"]) == ("icd/C83", "icd/C83.1", "icd/c[0-9]+", "voc/9")


def test_a_table_is_found_by_its_name_with_or_without_ending_the_first_that_fits(read):
    mapping = read(
        "statuses: {Drugs: [a], '*': [b, '']}\n"
        "tables:\n  lab_*.csv: {code: one}\n  LAB_*: {code: two}\n  measurement: {code: three}\n"
    )
    names = ("lab_1.csv", "Lab_1.csv.gz", "measurement", "other")
    assert [table.code if (table := mapping.table(name)) else None for name in names] == ["one", "two", "three", None]
    assert (mapping.kept("drugs.parquet"), mapping.kept("other")) == (("a",), ("b", ""))


def test_what_a_table_says_of_its_writing_goes_before_what_is_said_of_all(read):
    mapping = read("read: {decimal: ',', missing: [NA]}\ntables: {t: {read: {decimal: '·', delimiter: tab}}}\n")
    writing = mapping.tables["t"].read.over(mapping.read)
    assert (writing.decimal, writing.delimiter, writing.missing) == ("·", "\t", ("NA",))


def test_yaml_words_stay_words(read):
    [code] = read("codes: {no: death, 08:30: death}").decode(["no"])
    assert code.concept == "death"


BAD = [
    ("", f"map.yaml: the file is empty; {WHOLE_FILE}"),
    ("[crp]", f"map.yaml:1:1: this is no mapping of names; {WHOLE_FILE}"),
    ("crp", f"map.yaml:1:1: this is no mapping of names; {WHOLE_FILE}"),
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
    ("codes: {'a(': {concept: b, match: pattern}}",
     "map.yaml:1:15: `a(` is not a regular expression: missing ), unterminated subpattern at character 1"),
    ("codes: {a: {concept: b, match: like}}",
     "map.yaml:1:32: `match` is exact or prefix or pattern or ancestor, not `like`"),
    ("codes: {a: {concept: b, mislabelled: {C: }}}",
     'map.yaml:1:38: `mislabelled` gives each wrong unit the right one: `{Cel: "[degF]"}`'),
    ("read: {delimeter: a}", "map.yaml:1:8: `delimeter` is not a key of `read`; did you mean `delimiter`?"),
    ("read: {delimiter: ab}",
     'map.yaml:1:19: `delimiter` is one mark, such as `delimiter: ";"` or `tab`'),
    ("read: {decimal: '.', thousands: '.'}",
     "map.yaml:1:33: `decimal` and `thousands` are one mark; a number could be read in two ways"),
    ("read: {thousands: '.'}",
     "map.yaml:1:19: `decimal` and `thousands` are one mark (`.`, the other not said here; `thousands: null` is "
     "none); a number could be read in two ways"),
    ("read: {decimal: ',', thousands: '.'}\ntables: {en: {read: {decimal: '.'}}, fr: {read: {thousands: ','}}}",
     "map.yaml:2:31: `decimal` and `thousands` are one mark (`.`, the other not said here; `thousands: null` is "
     "none); a number could be read in two ways\n"
     "map.yaml:2:61: `decimal` and `thousands` are one mark (`,`, the other not said here; `thousands: null` is "
     "none); a number could be read in two ways"),
    ("read: {decimal: ',,'}", 'map.yaml:1:17: `decimal` is one mark, such as `decimal: ","`'),
    ("read: {dates: '%d.%m.%y'}",
     "map.yaml:1:15: `%d.%m.%y`: a year of two digits is of no century; only `%Y` is read"),
    ("read: {encoding: utf-99}",
     "map.yaml:1:18: there is no encoding `utf-99`; write latin-1, cp1252, utf-16 or another one"),
    ("read: {dates: DD.MM.YYYY}",
     'map.yaml:1:15: `DD.MM.YYYY` is no format of dates; write one as strptime does: "%d.%m.%Y"'),
    ("read: {times: '%d.%m.%Y'}",
     'map.yaml:1:15: `%d.%m.%Y` is no format of times; write one as strptime does: "%d.%m.%Y %H:%M"'),
    ("read: {times: '%Y-%m-%d %H:%M %z'}",
     "map.yaml:1:15: `%Y-%m-%d %H:%M %z`: a time with an offset is read as ISO 8601 alone, where no "
     "`times` are declared"),
    ("read: {dates: ['%d.%m', '%m.%Y', '%Y', '%Y-%d']}",
     'map.yaml:1:15: `%d.%m` lacks the year, which nobody may guess; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%m.%Y` lacks the day, which nobody may guess; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%Y` lacks the month and the day, which nobody may guess; write "%d.%m.%Y"; a year of birth alone '
     "is `birth_year`\n"
     'map.yaml:1:15: `%Y-%d` lacks the month, which nobody may guess; write "%d.%m.%Y"'),
    ("read: {dates: ['%d.%d.%Y', '%x %d', '%Y-%j %m', '%-Y-%m-%d', '%G-%V-%u']}",
     'map.yaml:1:15: `%d.%d.%Y` says the day twice; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%x %d` says the day twice; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%Y-%j %m` says the month twice; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%-Y-%m-%d` is no format of dates: `%-Y` is unknown; write "%d.%m.%Y"\n'
     'map.yaml:1:15: `%G-%V-%u` is no format of dates: `%G` is unknown; write "%d.%m.%Y"'),
    ("read: {times: ['%Y-%m %H:%M', '%d.%m.%Y %H', '%c %H', '%d.%m.%Y %I:%M', '%d.%m.%Y %H:%M %p']}",
     'map.yaml:1:15: `%Y-%m %H:%M` lacks the day, which nobody may guess; write "%d.%m.%Y %H:%M"\n'
     'map.yaml:1:15: `%d.%m.%Y %H` lacks the minute, which nobody may guess; write "%d.%m.%Y %H:%M"\n'
     'map.yaml:1:15: `%c %H` says the hour twice; write "%d.%m.%Y %H:%M"\n'
     "map.yaml:1:15: `%d.%m.%Y %I:%M`: `%I` and `%p` (AM or PM) belong together; the hours from 0 to 23 are `%H` "
     "alone\n"
     "map.yaml:1:15: `%d.%m.%Y %H:%M %p`: `%I` and `%p` (AM or PM) belong together; the hours from 0 to 23 are `%H` "
     "alone"),
    ("read: {delimiter: ';', decimal: ';'}",
     "map.yaml:1:33: `decimal` and `delimiter` are one mark (`;`); a number would be two columns"),
    ("read: {delimiter: '|'}\ntables: {t: {read: {thousands: '|'}}, u: {read: {decimal: '.'}}}",
     "map.yaml:2:32: `thousands` and `delimiter` are one mark (`|`); a number would be two columns"),
    ("read: {dates: '%Y-%q-%d'}",
     'map.yaml:1:15: `%Y-%q-%d` is no format of dates: `%q` is unknown; write "%d.%m.%Y"'),
    ("columns: {value: {offset: a}}",
     "map.yaml:1:18: `value` is a column's name; only time and end_time can be counted from another time"),
    ("columns: {time: {offset: a, unit: minute}}",
     "map.yaml:1:17: a counted time lacks anchor; write {offset: column, unit: minute, anchor: column or time}"),
    ("columns: {time: {offset: a, unit: month, anchor: b}}",
     "map.yaml:1:35: `unit` is second, minute, hour or day, not `month`"),
    ("columns: {time: {offset: a, unit: day, anchor: b, table: c}}",
     "map.yaml:1:17: a time counted from another table belongs to one: `tables: {NAME: {columns: {time: ...}}}`"),
    ("tables: {t: {columns: {time: {offset: a, unit: day, anchor: 2000-01-01, table: c}}}}",
     "map.yaml:1:80: `anchor` is a fixed time, which is in no table; leave `table` out"),
    ("tables: {t: {colums: {}}}", "map.yaml:1:14: `colums` is not a key of table `t`; did you mean `columns`?"),
    ("tables: {t: {kind: visits}}", "map.yaml:1:20: `kind` is events or patients, not `visits`"),
    ("tables: {t: {ignore: true, code: a}}",
     "map.yaml:1:22: table `t` is ignored, and the other keys say how to read it; leave one out"),
    ("tables: {t: {values: {a: b}, code: c}}",
     "map.yaml:1:22: `values` gives each column's cells their own code and unit; leave out the others"),
    ("tables: {t: {values: {a: }}}",
     "map.yaml:1:26: `a` has no code; write `a: CODE` or `a: {code: CODE, unit: UNIT}`"),
    ("tables: {t: {kind: patients, code: c}}",
     "map.yaml:1:20: `code` and `values` are of events; patients have patient_id, sex, birth_date and birth_year"),
    ("tables: {t: {code: 'x{'}}", "map.yaml:1:20: `code` has a stray brace; write a column's text as {name}"),
    ("tables: {t: {where: (SELECT 1)}}",
     "map.yaml:1:21: `where` is no condition over the columns of one row: a subquery is not allowed"),
    ("statuses: {t: }", "map.yaml:1:15: `t` names no status; write `t: [one, another]`"),
    ("statuses: {t: []}", "map.yaml:1:15: `t` names no status; write `t: [one, another]`"),
    ("routes: {IV: }", "map.yaml:1:14: `IV` has no word of ours; write `IV: word`"),
    ("routes: {IV: a, iv: b}", "map.yaml:1:21: `iv` is here twice: words are compared in lower case"),
    ("words: {Device: {a: b}}",
     "map.yaml:1:17: `Device` is no concept's name; write `name: {their word: our word}`, or `sex: ...`"),
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


CONCEPTS = {
    concept.name: concept
    for concept in (
        Concept(name="warmth", units=("Cel",)),
        Concept(name="enzyme", units=("uL",), conversions={"squib": 2.0}),
        Concept(name="grade"),
        Concept(name="potion", any_unit=True),
        Concept(name="device", words=("mask", "tube")),
    )
}


def test_formats_that_say_every_part_of_a_time_once_are_read_by_duckdb(read):
    import duckdb

    dates = ("%d.%m.%Y", "%-d.%-m.%Y", "%a %d %B %Y", "%Y-%j", "%x")
    times = ("%d.%m.%Y %I:%M %p", "%Y%m%d%H%M%S", "%Y-%m-%d %H:%M:%S.%f", "%c", "%x %X", "%d-%b-%Y %-H:%M")
    writing = read(f"read: {{dates: {list(dates)}, times: {list(times)}}}\n").read
    assert (writing.dates, writing.times) == (dates, times)
    for one in (*dates, *times):
        again = f"strptime(strftime(TIMESTAMP '2024-05-10 15:30', '{one}'), '{one}')"
        [(found,)] = duckdb.execute(f"SELECT strftime({again}, '%Y-%m-%d %H:%M')").fetchall()
        assert found == ("2024-05-10 00:00" if one in dates else "2024-05-10 15:30")


def test_numbers_between_commas_may_have_one_in_quotation_marks(read):
    assert read("read: {delimiter: ',', decimal: ','}\n").read.decimal == ","


def test_units_that_are_known_somehow_and_concepts_not_in_force_are_let_pass(read):
    known = read(
        "units: {a: mg/dl, b: squib, c: '{tablet}', d: , e: 'm[H2O]', f: G/DL}\n"
        "words: {unheard: {a: b}, warmth: {hot: scalding}, device: {M: Mask}}\n"
        "codes: {A: {concept: unheard, unit: blub}, B: {concept: potion, unit: blub}, C: {concept: warmth, "
        "unit: '[degF]'}, D: {concept: enzyme, unit: squib}, E: {concept: grade, unit: '{score}'}, "
        "F: {concept: warmth, unit: '[degF]', mislabelled: {furlong: K}}}\n"
        "tables: {t: {values: {x: {code: B, unit: blub}, y: {code: unheard, unit: blub}}}}\n"
    )
    assert against.findings(known, CONCEPTS) == []


def test_what_is_not_yaml_is_said_with_its_place(read):
    with pytest.raises(Findings, match="map.yaml:1:12: this is not YAML: .*quote a value that holds"):
        read("codes: {a: ]}")


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(UsageError, match="there is no mapping file here that can be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Findings, match="this is not text in UTF-8; a mapping is a YAML file"):
        load(tmp_path / "binary.yaml")


def test_the_page_on_mapping_files_tells_every_key_and_its_example_is_one(read):
    page = (folder("data").parent / "docs" / "mapping.md").read_text("utf-8")
    keys = {*KEYS, *COLUMNS, *FACTS, *MATCH_KINDS}
    for model in (Pattern, Target, Table, Writing, Offset):
        keys |= set(model.model_fields)
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

"""Pages of patients in the report: who has one, that links open it, that its chart is drawn then, and nothing else."""

import base64
import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from tests.devtools import browser
from timeline import cli, figure
from timeline.charts.anchor import anchor
from timeline.errors import UsageError
from timeline.study import Study

EVIL = "<script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
IDS = (EVIL, 'it\'s "quoted" & spaced', "Zoë 患者 🙂", "x" * 200, "a/b#c?d%20", "P-1", "7")
CHART = """/*
title: Time of one patient
question: What happened?
reads: [event]
params: {patient: {meaning: the patient's id}}
returns: {lane: a, grp: b, element: c, a: d, b: e, v: f, unit: g, words: h, zero: i, zero_name: j, source: k}
section: patient
order: 2
show: chart
empty: Nothing happened.
chart:
  {kind: timeline, lane: lane, group: grp, element: element, start: a, end: b, value: v, unit: unit, detail: words,
  origin: zero, origin_name: zero_name, source: source, groups: {g: Everything},
  layers: {number: {mark: line, title: Measured}, said: {mark: words, title: In words, shape: tick}}}
*/
SELECT patient_id::VARCHAR AS lane, 'g' AS grp, if(value IS NULL, 'said', 'number') AS element, time AS a,
    end_time AS b, value AS v, unit, text AS words, min(time) OVER () AS zero, 'start' AS zero_name,
    source_file || ', row ' || source_row AS source
FROM event WHERE patient_id = $patient ORDER BY time, event_id
"""
FACTS = """/*
title: Facts of one patient
question: Who is it?
reads: [event]
params: {patient: {meaning: the patient's id}}
returns: {label: what, value: the answer, detail: more}
section: patient
order: 1
show: cards
*/
SELECT 'Events' AS label, count(*)::VARCHAR AS value, any_value(text) AS detail FROM event
WHERE patient_id = $patient ORDER BY ALL
"""
ROWS = """/*
title: Rows of one patient
question: Which?
reads: [event]
params: {patient: {meaning: the patient's id}}
returns: {time: when, text: words}
section: patient
order: 3
empty: No row at all.
*/
SELECT time, text FROM event WHERE patient_id = $patient AND value IS NULL ORDER BY time, event_id
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    with (folder / "events.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["patient_id", "time", "code", "value", "unit", "text"])
        for id in IDS:
            out.writerows([id, f"2024-03-0{day} 08:00", "crp", 10 * day, "mg/L", ""] for day in range(1, 6))
            out.writerow([id, "2024-03-06 08:00", "note", "", "", EVIL])
    study = Study(folder / "study.duckdb")
    study.ingest(folder / "events.csv")
    return study


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    (tmp_path / "queries").mkdir()
    for name, text in (("time", CHART), ("facts", FACTS), ("rows", ROWS)):
        (tmp_path / "queries" / f"{name}.sql").write_text(text, encoding="utf-8")
    return tmp_path / "queries"


def page_of(study: Study, queries: Path, **more) -> str:
    study.report(queries.parent / "page.html", queries=queries, **more)
    return (queries.parent / "page.html").read_text(encoding="utf-8")


def ids_of(page: str) -> list[str]:
    return re.findall(r'<article class="patient" id="([^"]*)"', page)


@pytest.mark.parametrize(
    ("id", "wanted"),
    [
        ("SYN-01", "patient-SYN-01"),
        ("a b", "patient-a%20b"),
        ("<", "patient-%3C"),
        ("ë", "patient-%C3%AB"),
        ("%20", "patient-%2520"),
        ("", "patient-"),
    ],
)
def test_an_anchor_holds_no_letter_that_means_something(id, wanted):
    assert anchor(id) == wanted


def test_each_patient_has_a_part_with_facts_records_and_the_way_on(study, queries):
    page = page_of(study, queries)
    assert ids_of(page) == [anchor(id) for id in sorted(IDS)]
    assert page.count("<dt>Events</dt><dd>6 ") == len(IDS)
    assert f"Each of the {len(IDS)} patients has a page here." in page
    assert page.count('id="shared-time"') == 1 and page.count('class="charts-of-patient"') == len(IDS)
    packed = re.findall(r'class="charts-of-patient">([^<]*)<', page)
    records = [json.loads(gzip.decompress(base64.b64decode(text))) for text in packed]
    lanes = [record["time"]["datasets"]["marks"][0]["lane"] for record in records]
    assert lanes == sorted(IDS)
    assert page.count('rel="prev"') == page.count('rel="next"') == len(IDS) - 1
    assert "timeline explain STUDY RULE --patient 7<" in page and "--patient P-1<" in page


def test_everything_of_a_patient_is_escaped(study, queries):
    page = page_of(study, queries)
    assert EVIL not in page and "<img src=x" not in page
    assert page.count("<script") == page.count("</script>")


def test_a_query_that_lacks_a_table_is_said_once_and_an_empty_answer_for_each(study, queries):
    (queries / "rows.sql").write_text(
        ROWS.replace("reads: [event]", "reads: [nothing]").replace("FROM event", "FROM nothing")
    )
    page = page_of(study, queries)
    assert page.count("Rows of one patient: not available, this study has no table nothing.") == 1
    for name in ("time", "facts"):
        (queries / f"{name}.sql").rename(queries / f"{name}.off")
    alone = page_of(study, queries)
    assert ids_of(alone) == [] and alone.count("this study has no table nothing.") == 1
    for name in ("time", "facts"):
        (queries / f"{name}.off").rename(queries / f"{name}.sql")
    (queries / "rows.sql").write_text(ROWS.replace("value IS NULL", "value &lt; 0".replace("&lt;", "<")))
    assert page_of(study, queries).count("Rows of one patient: No row at all.") == len(IDS)


@pytest.mark.parametrize(("asked", "shown"), [("all", 7), ("sample", 7), ("none", 0), (["P-1"], 1), ([EVIL, "7"], 2)])
def test_who_has_a_part(study, queries, asked, shown):
    page = page_of(study, queries, patients=asked)
    assert len(ids_of(page)) == shown and ('id="patients"' in page) == bool(shown)


def test_unknown_ids_are_counted_and_not_repeated(study, queries):
    with pytest.raises(UsageError, match="2 of the 3 ids are not in this study") as told:
        page_of(study, queries, patients=["P-1", "secret", "other"])
    assert "secret" not in str(told.value)
    with pytest.raises(UsageError, match="takes ids, or one of sample, all, none"):
        page_of(study, queries, patients="P-1")


def test_of_many_patients_those_of_the_picture_or_a_sample(tmp_path, queries):
    text = "patient_id,time,code,value,unit\n" + "".join(f"p{i:03},2024-03-01,crp,{i},mg/L\n" for i in range(150))
    (tmp_path / "events.csv").write_text(text)
    study = Study(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "events.csv")
    page = page_of(study, queries)
    assert len(ids_of(page)) == 60 and ids_of(page)[:2] == ["patient-p000", "patient-p002"]
    assert "60 of 150 patients have a page here" in page
    (queries / "lanes.sql").write_text(
        "/*\ntitle: Everybody\nquestion: Who?\nreads: [event]\nsection: course\nshow: chart\n"
        "returns: {patient_id: a, element: b, a: c, b: d, v: e}\n"
        "chart: {kind: lanes, lane: patient_id, element: element, start: a, end: b, value: v, x: Days, most: 5,\n"
        "  layers: {stay: {mark: bar, title: Stay}}}\n*/\n"
        "SELECT patient_id::VARCHAR AS patient_id, 'stay' AS element, 0 AS a, 1 AS b, value AS v FROM event\n"
        "ORDER BY patient_id\n"
    )
    page = page_of(study, queries)
    assert ids_of(page) == [f"patient-p{i:03}" for i in (0, 30, 60, 90, 120)]
    assert page.count('<a href="#lanes">Everybody</a>') >= 5
    (queries / "time.sql").unlink()
    assert len(ids_of(page_of(study, queries, patients="all"))) == 150


def shown(tab) -> list[str]:
    script = "[...document.querySelectorAll('.patient')].filter(e => e.offsetParent !== null).map(e => e.id)"
    return tab.evaluate(script)


def test_a_browser_opens_a_patient_by_its_link_and_draws_the_chart_then(study, queries, tmp_path):
    page_of(study, queries)
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "page.html")
        assert shown(tab) == [] and tab.evaluate("document.querySelectorAll('.patient svg.marks').length") == 0
        for id in IDS:
            href = json.dumps(f'a[href="#{anchor(id)}"]')
            tab.evaluate(f"document.querySelector({href}).click()")
            tab.wait(f"document.getElementById({json.dumps(anchor(id))}).dataset.charts === 'drawn'")
            assert shown(tab) == [anchor(id)]
            assert (
                tab.evaluate("document.querySelector('.patient.open svg.marks').textContent").count("Everything") == 1
            )
        assert tab.evaluate("document.querySelectorAll('.patient svg.marks').length") == 1
        tab.back()
        tab.wait(f"document.querySelector('.patient.open').id === {json.dumps(anchor(IDS[-2]))}")
        # From elsewhere: the address alone opens it.
        tab.open("about:blank")
        tab.open((tmp_path / "page.html").as_uri() + "#" + anchor(EVIL))
        tab.wait("document.querySelector('.patient.open')?.dataset.charts === 'drawn'")
        assert shown(tab) == [anchor(EVIL)]
        tab.wait("document.activeElement.tagName === 'H3'")
        assert tab.evaluate("document.title") == "Study report"
        assert tab.console == []


def test_the_index_finds_a_patient_and_enter_opens_the_first(study, queries, tmp_path):
    page_of(study, queries)
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "page.html")
        tab.click_on("#find-patient")
        tab.write("患者")
        assert tab.wait("document.getElementById('found-patients').textContent") == f"1 of {len(IDS)}"
        tab.key("Enter")
        tab.wait("document.querySelector('.patient.open')?.dataset.charts === 'drawn'")
        assert shown(tab) == [anchor("Zoë 患者 🙂")] and tab.console == []


DAYS = "[...document.querySelectorAll('.patient.open .role-axis-label text')].map(e => e.textContent)"


def test_the_wheel_zooms_the_time_a_double_click_resets_and_a_mark_says_what_it_is(study, queries, tmp_path):
    page_of(study, queries)
    with browser(tmp_path / "profile") as tab:
        tab.open((tmp_path / "page.html").as_uri() + "#" + anchor("P-1"), width=1400)
        tab.wait("document.querySelector('.patient.open')?.dataset.charts === 'drawn'")
        first = tab.evaluate(DAYS)
        x, y = tab.place(".patient.open .mark-symbol path[aria-label*='10 mg/L']")
        # The numbers of the small axis, and where they stand.
        numbers = (
            "[...document.querySelectorAll('.patient.open .mark-text text')]"
            ".filter(e => /^[0-9]+$/.test(e.textContent)).map(e => e.textContent + e.getAttribute('transform'))"
        )
        tab.move(x, y)
        said = tab.wait("document.querySelector('#vg-tooltip-element.visible')?.innerText")
        assert "10 mg/L" in said and "2024-03-01 08:00" in said and "events.csv, row 31" in said
        assert "Compared" not in said  # a line without a word is left out
        before = tab.evaluate(numbers)
        tab.wheel(x + 40, y, -300)
        tab.wait(f"JSON.stringify({DAYS}) !== {json.dumps(json.dumps(first))}")
        assert tab.evaluate(numbers) == before and len(before) > 2
        tab.click(x + 60, y, times=2)
        tab.wait(f"JSON.stringify({DAYS}.sort()) === JSON.stringify({json.dumps(sorted(first))})")
        assert tab.console == []


def test_without_scripts_every_patient_is_there(study, queries, tmp_path):
    page_of(study, queries)
    with browser(tmp_path / "profile") as tab:
        tab.call("Emulation.setScriptExecutionDisabled", value=True)
        tab.open(tmp_path / "page.html")
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
        assert shown(tab) == [anchor(id) for id in sorted(IDS)]


def test_a_chart_alone_is_labelled(demo_study, tmp_path):
    chart = Study(demo_study).chart("patient_timeline", {"patient": "SYN-01"})
    for ending in (".svg", ".html"):
        figure.write(chart, tmp_path / f"one{ending}", "One")
        text = (tmp_path / f"one{ending}").read_text(encoding="utf-8")
        assert "Synthetic data: no real patient." in text and "patient: SYN-01" in text


def test_a_chart_without_a_row_says_why(demo_study):
    with pytest.raises(UsageError, match="no row to draw. This patient has no event."):
        Study(demo_study).chart("patient_timeline", {"patient": "SYN-21"})


def test_shipped_limits_are_those_in_force(demo_study):
    frame = Study(demo_study).query("patient_timeline", {"patient": "SYN-05"})
    limits = {(row["what"], row["low"], row["high"]) for row in frame.rows(named=True) if row["low"] or row["high"]}
    assert limits == {
        ("Neutrophils, absolute count", 1.8, None),
        ("Platelets", 150.0, None),
        ("Body temperature", None, 38.0),
        ("Systolic blood pressure", 90.0, None),
        ("Mean arterial pressure", 65.0, None),
    }
    assert frame.filter(frame["source_row"].is_null())["source"].str.starts_with("rule ").all()


def test_every_event_of_a_patient_is_in_the_timeline(demo_study):
    study = Study(demo_study)
    events = study.sql("SELECT count(*) AS n FROM event WHERE patient_id = 'SYN-05'")["n"][0]
    frame = study.query("patient_timeline", {"patient": "SYN-05"})
    assert frame["source_row"].drop_nulls().len() == events


def test_the_command_line_draws_a_query_and_names_patients(study, queries, tmp_path, capsys):
    ask = ["query", str(study.path), "time", "--queries", str(queries), "--set", "patient=P-1"]
    assert cli.main([*ask, "--chart", str(tmp_path / "one.json")]) == 0
    assert json.loads((tmp_path / "one.json").read_text())["datasets"]["marks"][0]["lane"] == "P-1"
    assert cli.main([*ask, "--chart", str(tmp_path / "one.gif")]) == 2
    assert cli.main([*ask, "--chart", "one.svg", "-o", "rows.csv"]) == 2
    assert cli.main(["query", str(study.path), "--sql", "SELECT 1", "--chart", "one.svg"]) == 2
    said = capsys.readouterr().err
    for words in ("one.gif: write a name that ends in .png", "ask for the rows", "--sql has no header"):
        assert words in said
    report = ["report", str(study.path), "--queries", str(queries), "-o", str(tmp_path / "page.html")]
    assert cli.main([*report, "--patients", "P-1,7"]) == 0
    assert "0 questions answered and 2 patients shown on one page" in capsys.readouterr().out
    assert cli.main([*report, "--patients", "P-1,nobody"]) == 2
    assert "1 of the 2 ids is not in this study" in capsys.readouterr().err

"""The picture of an explanation: what its frames hold, where marks and labels stand, what is written to a file."""

import csv
import json
import re
from datetime import datetime

import pytest
import vl_convert

from tests.test_report import browser
from timeline import charts, cli, explain, figure, query
from timeline.charts import explanation as picture
from timeline.charts import explanation_layout as layout
from timeline.charts import theme
from timeline.errors import UsageError
from timeline.explain.frames import frames_of, heading
from timeline.study import Study

EVIL = "<script>alert(1)</script>"
RULES = """
answer:
  title: C-reactive protein before and after a dose
  source: hand-made
  from: dexamethasone
  columns:
    highest: {max: crp.value, in: "[time - 24h, time)", where: value >= 5}
    later: {first: crp.time, in: "(time + 4h, inf)"}
    never: {first: ferritin.value, in: "[time, inf)"}
    bleeding: {any: platelets, where: value < 10}
    status: {sql: case when highest >= 70 then 'high' else 'low' end}
state:
  title: Grade
  source: hand-made
  hold: 12h
  findings:
    score: {of: ice_score, level: case when value = 10 then 0 else 1 end}
    pressure: {of: systolic_bp, level: case when value < 90 then 1 else 0 end}
  grade: greatest(score, pressure)
spell:
  title: Spells of a grade
  source: hand-made
  episodes: state
  where: grade >= 1
  gap: 24h
"""
EVENTS = [
    ("A", "2024-01-01 06:00", "crp", 90, "mg/L", ""),  # 30 h before the dose
    ("A", "2024-01-01 16:00", "crp", 3, "mg/L", ""),  # in the window, below 5
    ("A", "2024-01-02 02:00", "crp", 50, "mg/L", ""),
    ("A", "2024-01-02 07:00", "crp", 20, "mg/L", ""),
    ("A", "2024-01-02 12:00", "crp", 60, "mg/L", ""),  # on the open end
    ("A", "2024-01-02 12:00", "dexamethasone", 10, "mg", EVIL),
    ("A", "2024-01-02 14:00", "crp", 80, "mg/L", ""),
    ("A", "2024-01-03 00:00", "platelets", 50, "10*9/L", ""),
    ("A", "2024-01-04 00:00", "crp", 30, "mg/L", ""),
    ("A", "2024-01-02 08:00", "ice_score", 10, "", ""),
    ("A", "2024-01-02 20:00", "systolic_bp", 120, "mm[Hg]", ""),
    ("B", "2024-01-02 20:00", "crp", 7, "mg/L", ""),
]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chart")
    (folder / "rules").mkdir()
    (folder / "rules" / "hand.yaml").write_text(RULES)
    with (folder / "events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("patient_id", "time", "code", "value", "unit", "text"), *EVENTS])
    made = Study(folder / "study.duckdb")
    made.ingest(folder / "events.csv")
    made.run(folder / "rules", only=True)
    return made


def frames(study: Study, rule: str, patient: str = "A", number: int | None = None) -> layout.Frames:
    with study.reading() as con:
        return frames_of(*explain.pictured(con, rule, patient, number))


def lane(drawn: layout.Frames, name: str) -> tuple[dict, list[dict], list[dict]]:
    """A lane by the beginning of its name, with its windows and its marks."""
    found = [row for row in drawn.lanes.rows(named=True) if row["name"].startswith(name)]
    assert len(found) == 1, drawn.lanes["name"].to_list()
    own = (drawn.windows.rows(named=True), drawn.marks.rows(named=True))
    windows, marks = ([row for row in rows if row["lane"] == found[0]["lane"]] for rows in own)
    return found[0], windows, marks


def test_a_lookup_shows_its_window_and_what_it_made_of_each_row(study):
    shown, windows, marks = lane(frames(study, "answer"), "highest")
    assert shown["name"] == "highest: 50"
    (window,) = windows
    assert (window["start"], window["end"]) == (datetime(2024, 1, 1, 12), datetime(2024, 1, 2, 12))
    assert (window["closed_start"], window["closed_end"]) == (True, False)
    assert window["what"] == "[2024-01-01 12:00, 2024-01-02 12:00): 3 rows in it"
    states = {mark["start"].isoformat(" ", "hours"): mark["state"] for mark in marks}
    # The first value lies outside of the window and of what is in view.
    assert states == {
        "2024-01-01 16": "wrong",
        "2024-01-02 02": "found",
        "2024-01-02 07": "inside",
        "2024-01-02 12": "outside",
        "2024-01-02 14": "near",
        "2024-01-04 00": "outside",
    }


def test_a_near_miss_says_by_how_much_and_what_it_would_have_done(study):
    _, _, marks = lane(frames(study, "answer"), "highest")
    (near,) = [mark for mark in marks if mark["state"] == "near"]
    assert (near["label"], near["value"]) == ("80, 2 h after the window", 80)
    assert near["why"] == "2 h after the window; with it `highest >= 70` would hold (status)"
    assert re.fullmatch(r"events.csv row \d+", near["source"])


def test_an_endless_window_and_one_with_nothing_in_it(study):
    drawn = frames(study, "answer")
    _, (window,), marks = lane(drawn, "later")
    assert (window["end"], window["closed_start"]) == (None, False)
    assert [mark["state"] for mark in marks if mark["start"] == datetime(2024, 1, 4)] == ["found"]
    shown, _, marks = lane(drawn, "never")
    assert shown["statement"] == "nothing to be found" and marks == []
    _, windows, marks = lane(drawn, "bleeding")
    assert windows == [] and [(mark["state"], mark["label"]) for mark in marks] == [("near", "off by 40")]


def test_the_row_and_the_events_that_no_lookup_found(study):
    drawn = frames(study, "answer")
    shown, _, (row,) = lane(drawn, "answer 1")
    assert (row["state"], row["start"]) == ("row", datetime(2024, 1, 2, 12))
    assert shown["statement"].replace("\xa0", " ").startswith("2024-01-02 12:00;  status low")
    _, _, (dose,) = lane(drawn, "dexamethasone, mg")
    assert (dose["state"], dose["value"], dose["what"]) == ("decided", 10, f"dexamethasone 10 mg {EVIL}")
    assert drawn.first < datetime(2024, 1, 1, 12) and drawn.last > datetime(2024, 1, 4)


def test_a_grade_shows_how_long_each_finding_holds(study):
    drawn = frames(study, "state", number=2)
    _, _, (score,) = lane(drawn, "score: 0")
    assert (score["state"], score["start"], score["end"]) == (
        "held",
        datetime(2024, 1, 2, 8),
        datetime(2024, 1, 2, 20),
    )
    _, _, (pressure,) = lane(drawn, "pressure: 0")
    assert (pressure["end"], pressure["label"]) == (datetime(2024, 1, 3, 8), "level 0 (120 mm[Hg])")
    silent, _, _ = lane(frames(study, "state", number=1), "pressure: not in force")
    assert silent["note"] == "systolic_bp"


def test_a_missing_row_shows_what_came_nearest_and_the_clause_it_fails(study):
    drawn = frames(study, "spell")
    top, _, marks = lane(drawn, "spell: no row")
    assert top["statement"].startswith("No row, not as asked for, by 1:") and marks == []
    shown, _, marks = lane(drawn, "state")
    assert shown["note"] == "read, not taken; grade >= 1"
    assert {mark["label"] for mark in marks} == {"0 >= 1: does not hold"}


def test_a_patient_without_any_such_event_shows_when_there_is_something(study):
    drawn = frames(study, "spell", "B")
    assert "the patient has no row of state" in lane(drawn, "spell: no row")[0]["statement"]
    _, _, (day,) = lane(drawn, "any event")
    assert (day["state"], day["start"], day["what"]) == ("day", datetime(2024, 1, 2), "1 event")
    charts.picture(charts.specification(study.explain_chart("spell", "B")), "svg")


def test_round_numbers_hold_all_values():
    assert layout.nice([2, 2]) == (2,)
    assert layout.nice([0, 1]) == (0, 1) and layout.nice([1, 3, 2]) == (1, 2, 3)
    assert layout.nice([0.3, 0.5]) == (0.3, 0.35, 0.4, 0.45, 0.5)
    assert layout.nice([149, 487, 119]) == (100, 200, 300, 400, 500)
    assert layout.nice([-3, 4000000]) == (-2000000, 0, 2000000, 4000000)


def test_a_long_text_is_folded_and_its_cut_is_seen():
    assert layout.folded("aa bb cc", 5, 2) == ("aa bb", "cc")
    assert layout.folded("aa bb cc dd", 5, 1) == ("aa …",)


def overlapping(arranged: layout.Arranged, drawn: layout.Frames) -> list[tuple[str, str]]:
    span = layout.milliseconds(drawn.last) - layout.milliseconds(drawn.first)
    boxes = []
    for label in arranged.labels:
        x = (label["from"] - layout.milliseconds(drawn.first)) / span * layout.WIDTH + label["dx"]
        boxes.append((layout._box(x, label["y"] + label["dy"], label["label"], label["align"]), label["label"]))
    return [
        (one, other)
        for place, (box, one) in enumerate(boxes)
        for against, other in boxes[place + 1 :]
        if layout._meet(box, against)
    ]


def draws(con, rule: str, patient: str) -> None:
    explanation, around = explain.pictured(con, rule, patient)
    drawn = frames_of(explanation, around)
    arranged = layout.arrange(drawn)
    assert overlapping(arranged, drawn) == []
    assert all(above["y2"] == below["y"] for above, below in zip(arranged.lanes, arranged.lanes[1:], strict=False))
    assert all(0 < mark["y"] < arranged.height for mark in arranged.marks)
    spec = charts.specification(picture.draw(drawn, *heading(explanation, around)))
    assert spec["title"]["subtitle"] == [
        f"Patient {patient}, rule set car_t_toxicity 1.0",
        "Synthetic data: no real patient.",
    ]
    drawing = {key: value for key, value in spec.items() if key != "datasets"}
    assert set(re.findall(r"#[0-9a-f]{6}", json.dumps(drawing))) <= set(theme.NIGHT)


RULES_DRAWN = ("steroid_refractory", "lab_pair", "cohort", "crs_grade", "icans_episode", "cytokine_pair")
PATIENTS = tuple(f"SYN-{number:02}" for number in range(1, 22))


def test_patients_of_the_demo_are_drawn(demo_study):
    with Study(demo_study).reading() as con:
        for place, patient in enumerate(PATIENTS[::2]):
            draws(con, RULES_DRAWN[place % len(RULES_DRAWN)], patient)
        draws(con, "outcome", "SYN-01")


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES_DRAWN)
def test_every_patient_of_the_demo_is_drawn(demo_study, rule):
    with Study(demo_study).reading() as con:
        for patient in PATIENTS:
            draws(con, rule, patient)


def test_the_axis_of_time_can_be_zoomed(study):
    spec = charts.specification(study.explain_chart("answer", "A"))
    (scale,) = [scale for scale in vl_convert.vegalite_to_vega(json.dumps(spec))["scales"] if scale["name"] == "x"]
    assert scale["type"] == "utc" and "zoom" in json.dumps(scale["domainRaw"])
    assert len(scale["domain"]["fields"]) == 2


@pytest.mark.parametrize("ending, start", [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("json", b"{")])
def test_the_command_draws_what_the_name_ends_in(study, tmp_path, capsys, ending, start):
    target = tmp_path / f"chart.{ending}"
    assert cli.main(["explain", str(study.path), "answer", "--patient", "A", "--chart", str(target)]) == 0
    assert target.read_bytes().startswith(start)
    said = capsys.readouterr()
    assert said.out.startswith("answer 1, patient A") and said.err == f"the picture is in {target}\n"


@pytest.mark.parametrize("name", ["chart.gif", "chart"])
def test_another_ending_is_refused_before_anything_is_computed(study, tmp_path, name):
    with pytest.raises(UsageError, match=r"ends in \.png, \.svg, \.pdf, \.html or \.json"):
        figure.check_name(tmp_path / name)
    assert cli.main(["explain", str(study.path), "no_such_rule", "--patient", "A", "--chart", name]) == 2


def test_a_page_is_drawn_by_a_browser_and_text_of_the_data_stays_text(study, tmp_path):
    figure.write(study.explain_chart("answer", "A"), tmp_path / "chart.html", EVIL)
    text = (tmp_path / "chart.html").read_text()
    assert EVIL not in text and "&lt;script&gt;alert(1)" in text
    dom, console = browser(tmp_path / "chart.html", tmp_path / "profile")
    assert console == []
    assert 'data-charts="drawn"' in dom and ">highest: 50</text>" in dom


def test_the_picture_is_the_same_each_time(study):
    once, again = (study.explain_chart("answer", "A").to_dict() for _ in range(2))
    assert once == again
    with query.open_read_only(study.path) as con:
        explanation, around = explain.pictured(con, "answer", "A")
    assert heading(explanation, around) == (
        "C-reactive protein before and after a dose (answer 1)",
        ["Patient A, rule set rules"],
    )

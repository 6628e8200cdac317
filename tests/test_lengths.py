"""Lengths of time that no record has, and windows in which nothing can lie: told where they were written."""

from pathlib import Path

import pytest

from timeline import ingest, load, rules, store
from timeline.compiler import compile_rules
from timeline.engine import run
from timeline.errors import Findings, UsageError

LONG = "`99999999999d` is longer than 73048d, two hundred years; write a shorter time, or leave the bound open"
RULES = {
    "a window": 'far: {from: crp, columns: {best: {max: crp.value, in: "[time, time + 99999999999d]"}}}',
    "a gap": "far: {episodes: crp, gap: 99999999999d}",
    "a parameter": "far: {from: crp, params: {gap: {default: 99999999999d, meaning: x}}, where: time > time - $gap}",
}


@pytest.mark.parametrize("text", RULES.values(), ids=RULES)
def test_a_length_that_no_record_has_is_told_at_its_place(text):
    concepts = load.load([], shipped=False).concepts
    with pytest.raises(Findings) as caught:
        compile_rules(load.load_text(text, concepts, "own.yaml"), {})
    assert [(one.where.split(":")[0], LONG in one.message) for one in caught.value.findings] == [("own.yaml", True)]


def test_a_length_that_is_set_is_told_where_it_was_set():
    with pytest.raises(UsageError, match=r"^steroid_course\.gap: `99999999999d` is longer than"):
        compile_rules(load.load([]), {"steroid_course.gap": "99999999999d"})


@pytest.mark.parametrize(
    ("window", "empty"),
    [
        ("[time + 5d, time + 2d]", True),
        ("(time, time - 1min)", True),
        ("[a.time - 24h, a.time - 2d]", True),
        ("[time+1w, time+6d]", True),
        ("[time + 2d, time + 5d]", False),
        ("[time - 7d, time - 24h)", False),
        ("[time, time]", False),
        ("[time + 5d, end_time + 2d]", False),
        ("[time + $a, time + 2d]", False),
        ("(-inf, time]", False),
    ],
)
def test_a_window_that_ends_before_it_begins(window, empty):
    assert rules.never(f"max crp.value in {window}") is empty


def test_a_run_says_why_nothing_can_lie_in_a_window(tmp_path: Path):
    (tmp_path / "events.csv").write_text("patient_id,time,code,value\n1,2024-01-01 08:00,crp,1\n")
    concepts = load.load([], shipped=False).concepts
    text = 'late: {from: crp, columns: {worst: {max: crp.value, in: "[time + 5d, time + 2d]"}}}'
    with store.connect(":memory:") as con:
        ingest.ingest(con, tmp_path, concepts)
        report = run(con, load.load_text(text, concepts))
    (note,) = report.rules[0].notes
    assert note.endswith("nothing matched, of 1 looked at, since its window ends before it begins")


def test_the_shipped_folder_by_its_path_and_a_folder_named_twice_are_one_set(tmp_path: Path, monkeypatch):
    from timeline.shipped import folder

    shipped = load.load([])
    assert load.load([folder("rules")]) == shipped
    assert load.load([folder("rules")], shipped=False) == shipped
    # A folder of one's own may be called as the shipped one is, and replaces what is in that.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yaml").write_text("steroid_dose: {from: dexamethasone}\n")
    for named in ([Path("rules")], [Path("rules"), tmp_path / "rules"]):
        assert load.load(named).replaced == {"steroid_dose": "./rules"}

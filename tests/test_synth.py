"""Synthetic extracts: what a specification means, the same bytes for the same seed, a place for every mistake."""

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from timeline import shipped
from timeline.errors import Findings, UsageError
from timeline.synth import MARK, synthesize
from timeline.synth.specification import moments, read

COHORT = shipped.folder("data") / "cohorts" / "wehrli2022.yaml"
SMALL = """
name: small
title: Two "made" people
synthetic: true
cutoff: 2020-01-31
systems:
  north: {warmth: {code: N-1, unit: degF, factor: 1.8, offset: 32, digits: 1}, marker: {code: N-2}}
series:
  warmth: {unit: Cel, at: ["06:00", "18:00"], digits: 1, noise: [-0.3, 0], vary: 0.2}
  marker: {unit: mg/L, at: "05:30", noise: [-0.1, 0.1], relative: true, below: 5, above: 100, vary: 0.3}
  well: {unit: pg/mL, digits: 2, replicates: [well 1, well 2], spread: 0.1}
scales:
  state:
    at: "08:00"
    levels: |
      level | code  | value | unit | text
      0     | grade | 0     |      |
      1     | grade | 1     |      |
      1     | alarm |       |      | rings
shared:
  before: |
    when     | code | value | unit
    -2 10:00 | prep | 5     | mg
sampling: {id: "X-{:03d}", zero: [2018-01-01, 2018-12-31], delay: 2, age: 3}
dirt:
  duplicates: 10
  raw: |
    patient_id | time | code   | value
    A          | soon | marker | 3
patients:
- id: A
  system: north
  sex: F
  birth_date: 1960-02-29
  zero: 2020-01-10
  stay: {code: stay, start: -1 09:00, end: 3 12:00}
  use: [before]
  events: |
    when                 | code   | value | unit | text | route
                         | fact   |       |      | yes  |
    0 10:00              | dose   | 1     | mg   |      | oral
    1..2 08:00,20:00     | dose   | 2     | mg   |      |
    1 09:00 -> 1 11:30   | drip   | 0.5   | mg/h |      |
    2                    | visit  |       |      |      |
    2 07:00              | warmth | 37    |      |      |
    2 07:30              | warmth | 37    | Cel  |      |
    25                   | visit  |       |      | after the cut-off |
  courses:
    state: 0 12:00 0, 1 06:00 1, 2 10:00 0
  points:
    - |
      series | -1 18:00 | 0  | 1 06:00 | 3
      warmth | 36       |    | 40      |
      marker |          | 50 |         | 200
    - |
      series | 0 07:00 | 2 07:00
      well   | 10      | 3
- id: B
  registered: false
  zero: 2020-01-30
  events: |
    when | code | value
    0    | dose | 0
    1    | dose | 1
    2    | dose | 1
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "events.csv").open() as file:
        return list(csv.DictReader(file))


def cells(folder: Path, code: str, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in rows(folder) if row["code"] == code]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(None, None, False)]),
        ("3", [(3 * 1440, None, True)]),
        ("-2 09:30", [(-2 * 1440 + 570, None, False)]),
        ("3 14:30 -> 5 09:00", [(3 * 1440 + 870, 5 * 1440 + 540, False)]),
        (
            "4..5 08:00,20:00",
            [(4 * 1440 + m, None, False) for m in (480, 1200)] + [(5 * 1440 + m, None, False) for m in (480, 1200)],
        ),
        ("4 08:00,20:00", [(4 * 1440 + 480, None, False), (4 * 1440 + 1200, None, False)]),
    ],
)
def test_a_time_says_when_and_how_often(text: str, expected: list[tuple[int | None, int | None, bool]]) -> None:
    assert list(moments(text)) == expected


def test_a_time_that_is_none_is_refused() -> None:
    for text in ("noon", "3 25:00", "3 14:60", "3 14", "3..5"):
        with pytest.raises(ValueError, match="is no time"):
            moments(text)


def test_written_events_come_out_as_written(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    dose = cells(tmp_path / "out", "dose", "patient_id", "time", "value", "unit", "route")
    assert dose[:6] == [
        ("A", "2020-01-10 10:00", "1", "mg", "oral"),
        ("A", "2020-01-11 08:00", "2", "mg", ""),
        ("A", "2020-01-11 20:00", "2", "mg", ""),
        ("A", "2020-01-12 08:00", "2", "mg", ""),
        ("A", "2020-01-12 20:00", "2", "mg", ""),
        ("B", "2020-01-30", "0", "", ""),
    ]
    assert cells(tmp_path / "out", "fact", "time", "text")[0] == ("", "yes")
    assert cells(tmp_path / "out", "drip", "time", "end_time") == [("2020-01-11 09:00", "2020-01-11 11:30")]
    assert cells(tmp_path / "out", "stay", "time", "end_time") == [("2020-01-09 09:00", "2020-01-13 12:00")]
    assert cells(tmp_path / "out", "prep", "time", "value") == [("2020-01-08 10:00", "5")]


def test_no_event_is_later_than_the_cutoff(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    assert cells(tmp_path / "out", "visit", "time") == [("2020-01-12",)]
    # Day 2 of B is 1 February; the other two rows are there, on the day of the cut-off too.
    assert [time for who, time in cells(tmp_path / "out", "dose", "patient_id", "time") if who == "B"] == [
        "2020-01-30",
        "2020-01-31",
    ]


def test_a_system_writes_values_in_its_own_code_and_unit_unless_the_event_names_a_unit(
    small: Path, tmp_path: Path
) -> None:
    synthesize(small, tmp_path / "out")
    found = dict((time, (value, unit)) for time, value, unit in cells(tmp_path / "out", "N-1", "time", "value", "unit"))
    assert found["2020-01-12 07:00"] == ("98.6", "degF")
    assert found["2020-01-12 07:30"] == ("37", "Cel")


def test_points_are_exact_and_the_rest_lies_near_the_line_between_them(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out", seed=5)
    warmth = {
        time: float(value)
        for time, value, unit in cells(tmp_path / "out", "N-1", "time", "value", "unit")
        if unit == "degF"
    }
    assert warmth["2020-01-09 18:00"] == 96.8 and warmth["2020-01-11 06:00"] == 104.0
    # Half way, three quarters of the way (day 0 at 06:00 and 18:00): at most 0.3 Cel below the line, never above it.
    for time, line in {"2020-01-10 06:00": 37.333, "2020-01-10 18:00": 38.667, "2020-01-11 18:00": 40.0}.items():
        assert line - 0.36 <= (warmth[time] - 32) / 1.8 <= line + 0.06


def test_values_beyond_the_range_of_the_assay_are_bounds(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    marker = cells(tmp_path / "out", "N-2", "time", "value", "unit")
    assert ("2020-01-10 05:30", "50", "mg/L") in marker
    assert ("2020-01-13 05:30", ">100", "mg/L") in marker


def test_replicates_differ_in_text_and_their_mean_is_the_value(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    wells = cells(tmp_path / "out", "well", "time", "value", "text")
    assert [(time, text) for time, _, text in wells[:4]] == [
        (time, text) for time in ("2020-01-10 07:00", "2020-01-12 07:00") for text in ("well 1", "well 2")
    ]
    first, second = float(wells[0][1]), float(wells[1][1])
    assert first != second and (first + second) / 2 == pytest.approx(10, abs=1e-9)


def test_a_course_is_observed_at_its_steps_and_at_the_scales_times(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    assert cells(tmp_path / "out", "grade", "time", "value")[:6] == [
        ("2020-01-10 12:00", "0"),
        ("2020-01-11 06:00", "1"),
        ("2020-01-11 08:00", "1"),
        ("2020-01-12 08:00", "1"),
        ("2020-01-12 10:00", "0"),
        ("2020-01-13 08:00", "0"),
    ]
    assert {text for (text,) in cells(tmp_path / "out", "alarm", "text")} == {"rings"}


def test_patients_file_holds_the_registered_only(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out")
    assert (tmp_path / "out" / "patients.csv").read_text() == "patient_id,sex,birth_date\nA,F,1960-02-29\n"


def test_dirt_is_written_as_it_stands_and_counted(small: Path, tmp_path: Path) -> None:
    report = synthesize(small, tmp_path / "out")
    found = [tuple(row.values()) for row in rows(tmp_path / "out")]
    assert found[-1] == ("A", "soon", "", "marker", "3", "", "", "")
    clean = len(set(found)) - 1
    assert len(found) == report.rows == clean + -(-clean // 10) + 1


def test_the_extract_says_that_it_is_synthetic(small: Path, tmp_path: Path) -> None:
    import yaml

    report = synthesize(small, tmp_path / "out", seed=4)
    mark = yaml.safe_load((tmp_path / "out" / MARK).read_text())
    assert mark == {
        "synthetic": True,
        "title": 'Two "made" people',
        "source": "",
        "specification": "small.yaml",
        "seed": 4,
        "format": "native",
    }
    assert "synthetic" in str(report) and "no real patient" in str(report)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    texts = []
    for name, seed, patients in [("a", 7, 25), ("b", 7, 25), ("c", 8, 25), ("d", 7, None), ("e", 7, None)]:
        synthesize(COHORT, tmp_path / name, patients=patients, seed=seed)
        texts.append(b"".join((tmp_path / name / file).read_bytes() for file in ("events.csv", "patients.csv")))
    assert texts[0] == texts[1] != texts[2]
    assert texts[3] == texts[4]


def test_any_number_of_patients_can_be_made_of_the_specified_ones(small: Path, tmp_path: Path) -> None:
    report = synthesize(small, tmp_path / "out", patients=2_345, seed=1)
    events = pl.read_csv(tmp_path / "out" / "events.csv", infer_schema=False)
    people = pl.read_csv(tmp_path / "out" / "patients.csv", try_parse_dates=True)
    assert report.patients == 2_345 and report.rows == events.height
    ids = set(events["patient_id"])
    assert ids == {f"X-{number:03d}" for number in range(1, 2_346)}
    assert 1_000 < people.height < 1_345, "about half are made of A, who alone is registered"
    born = people["birth_date"].to_list()
    assert date(1960 - 5, 1, 1) <= min(born) and max(born) <= date(1960 + 2, 12, 31)
    dose = events.filter((pl.col("code") == "dose") & (pl.col("value") == "1") & (pl.col("route") == "oral"))
    days = dose["time"].str.slice(0, 10).str.to_date()
    assert days.is_between(date(2018, 1, 1), date(2018, 12, 31)).all() and days.n_unique() > 300
    warmth = events.filter((pl.col("code") == "N-1") & (pl.col("unit") == "degF"))["value"].cast(pl.Float64)
    assert warmth.n_unique() > 50 and warmth.is_between(94, 107).all()


def test_a_folder_with_something_else_in_it_is_left_alone(small: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty and holds no synthetic extract; name a new folder"):
        synthesize(small, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_what_was_synthesized_may_be_synthesized_again(small: Path, tmp_path: Path) -> None:
    synthesize(small, tmp_path / "out", patients=50)
    assert synthesize(small, tmp_path / "out").patients == 2
    assert {row["patient_id"] for row in rows(tmp_path / "out")} == {"A", "B"}


@pytest.mark.parametrize("patients", [0, -3])
def test_fewer_than_one_patient_cannot_be_made(small: Path, tmp_path: Path, patients: int) -> None:
    with pytest.raises(UsageError, match="cannot be made; ask for 1 or more"):
        synthesize(small, tmp_path / "out", patients=patients)


MISTAKES = {
    "cutoff: 2020-01-31": ("cutoff: last year", "small.yaml:5:9: Input should be a valid date"),
    "  system: north": ("  system: south", "small.yaml:32:11: no system is called `south`"),
    "  use: [before]": ("  use: [after]", "small.yaml:37:8: nothing under `shared` is called `after`"),
    "    state: 0 12:00 0,": ("    state: 0 12:00 9,", "small.yaml:49:12: scale `state` has no level `9`"),
    "    0 10:00              | dose   |": ("    0 10 am | dose |", "small.yaml:38:11: `0 10 am` is no time;"),
    "    marker |          | 50 |": ("    marker | 50 |", "row 2 of the table has 4 cells, its header 5"),
    "      well   | 10      | 3": ("      wall   | 10      | 3", "no series is called `wall`"),
    "- id: B": ("- id: A", "a patient `A` stands above"),
    "synthetic: true": ("synthetic: true\nreal: true", "small.yaml:5:7: `real` is no key here"),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_a_mistake_in_a_specification_has_a_place(right: str, small: Path) -> None:
    wrong, message = MISTAKES[right]
    assert right in SMALL
    small.write_text(SMALL.replace(right, wrong))
    with pytest.raises(Findings) as error:
        read(small)
    assert message in str(error.value)


def test_all_mistakes_are_told_at_once(small: Path) -> None:
    small.write_text(SMALL.replace("  system: north", "  system: south").replace("  use: [before]", "  use: [after]"))
    with pytest.raises(Findings) as error:
        read(small)
    assert len(error.value.findings) == 2


def test_an_empty_specification_is_said_to_be_empty(small: Path) -> None:
    small.write_text("")
    with pytest.raises(Findings, match="the file is empty; a cohort specification was expected"):
        read(small)


def test_the_shipped_cohort_is_synthetic_and_says_so() -> None:
    spec = read(COHORT)
    assert spec.synthetic and "Synthetic" in spec.title and "no real patient" in spec.title
    assert [patient.id for patient in spec.patients] == [f"SYN-{number:02d}" for number in range(1, 22)]

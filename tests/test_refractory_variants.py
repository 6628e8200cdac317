"""Definitions of steroid-refractory ICANS: the overlay folders, and the grid of parameters."""

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.bench.five import derive
from tests.by_hand import merged
from tests.on_engine import Person, derive_by_sql, empty_study
from timeline import engine, store
from timeline.compiler import compile_rules
from timeline.compiler import needed as needed_rules
from timeline.folders import rule_folders
from timeline.load import load
from timeline.rules import RuleSet
from timeline.shipped import folder

FOLDERS = folder("rules") / "refractory_variants"
VARIANTS = sorted(path.name for path in FOLDERS.iterdir() if path.is_dir())
STATUSES = ["untreated", "indeterminate", "responsive", "refractory"]
HOUR = timedelta(hours=1)

DEMO = {
    "shipped": {"refractory": 16, "responsive": 1, "untreated": 1},
    "grid": {"refractory": 16, "responsive": 1, "untreated": 1},
    "asco2021": {"refractory": 13, "responsive": 3, "untreated": 2},
    "ebmt_eha2022": {"refractory": 6, "responsive": 1, "untreated": 11},
    "fhcc_ohsu2025": {"refractory": 14, "responsive": 3, "untreated": 1},
    "gazeau2023": {"refractory": 7, "responsive": 2, "untreated": 9},
    "nccn": {"refractory": 1, "responsive": 1, "untreated": 16},
    "wehrli2022_strict": {"refractory": 13, "responsive": 1, "untreated": 1, "indeterminate": 3},
}
"""Statuses of the 18 ICANS episodes of the demo's patients, by definition."""

AS_PARAMETERS = {
    "gazeau2023": {"lowest": "2", "exposure_mg": "20", "worsening": "true", "same_day_product": "none"},
    "fhcc_ohsu2025": {"worsening": "true", "same_day_product": "none"},
    "nccn": {"lowest": "3", "same_day_product": "none"},
    "wehrli2022_strict": {},
}
"""Definitions that the grid's parameters can say, too; the last two where no other steroid than dexamethasone, and no
anakinra, was given: these `patients` have none."""


@cache
def ruleset(name: str) -> RuleSet:
    return load([] if name == "shipped" else [FOLDERS / name])


@cache
def needed(name: str) -> RuleSet:
    return needed_rules(ruleset(name), {"steroid_refractory"})


def test_every_folder_is_known() -> None:
    assert set(VARIANTS) == set(DEMO) - {"shipped"}
    page = (FOLDERS / "README.md").read_text("utf-8")
    assert all(f"| [`{name}`]({name}) |" in page for name in VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_folder_is_found_from_any_directory(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(rule_folders([f"refractory_variants/{name}"])).name == name


@pytest.mark.parametrize("name", VARIANTS)
def test_overlay_replaces_one_rule_and_says_what_it_is(name: str) -> None:
    both, own = load([]), ruleset(name)
    assert list(own.replaced) == ["steroid_refractory"]
    assert set(own.rules) == set(both.rules) and own.index == both.index
    shipped, rule = both.rules["steroid_refractory"], own.rules["steroid_refractory"]
    assert [column for column in rule.columns if column in shipped.columns] == list(shipped.columns)
    assert rule.columns["status"].one_of == shipped.columns["status"].one_of == tuple(STATUSES)
    assert rule.title != shipped.title and rule.source != shipped.source
    assert "choice" in rule.source or "unverified" in rule.source
    assert all(column.meaning for column in rule.columns.values())
    assert all(param.meaning for param in rule.params.values())


@pytest.mark.parametrize("name", VARIANTS)
def test_examples_of_the_overlay_show_every_status(name: str) -> None:
    """That they come out is tested with the clauses that they show."""
    examples = {where: example for where, example in ruleset(name).examples.items() if f"/{name}/" in where}
    assert len(examples) >= 2
    shown = {row["status"] for e in examples.values() for row in e.expect["steroid_refractory"]}
    assert shown == set(STATUSES)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_reads_the_rule_still_runs(name: str) -> None:
    with store.connect(":memory:") as con:
        report = engine.run(con, ruleset(name))
    assert {"cohort", "steroid_refractory"} <= {rule.name for rule in report.rules}


def statuses(demo_study: Path, name: str, settings: Mapping[str, str] = {}) -> list[tuple[Any, ...]]:
    compiled = compile_rules(needed(name), {f"steroid_refractory.{key}": value for key, value in settings.items()})
    with store.connect(demo_study, read_only=True) as con:
        derive(con, compiled)
        return con.execute(
            "SELECT patient_id::VARCHAR, icans_number, status FROM temp.steroid_refractory ORDER BY ALL"
        ).fetchall()


@pytest.mark.parametrize("name", DEMO)
def test_statuses_in_the_demo(name: str, demo_study: Path) -> None:
    rows = statuses(demo_study, name)
    assert Counter(status for _, _, status in rows) == DEMO[name]
    if name == "fhcc_ohsu2025":  # after tisagenlecleucel, 24 hours instead of the rest of the day
        assert [p for p, _, s in rows if s == "responsive"] == ["SYN-08", "SYN-09", "SYN-17"]
    if name == "wehrli2022_strict":  # anakinra first, or at the same time as the steroid
        assert [p for p, _, s in rows if s == "indeterminate"] == ["SYN-06", "SYN-12", "SYN-14"]


@pytest.mark.parametrize("name", AS_PARAMETERS)
def test_overlay_is_the_grid_with_these_parameters(name: str) -> None:
    people = patients(120)
    settings = {f"steroid_refractory.{key}": value for key, value in AS_PARAMETERS[name].items()}
    overlay, grid = derived(people, {}, name), derived(people, settings)
    assert overlay == grid
    assert not settings or grid != derived(people, {})


# The grid: each combination of parameters against the definition in plain loops.

GRID = {
    "window": ("12h", "24h", "48h", "72h"),
    "lowest": ("1", "2", "3"),
    "exposure": ({}, {"further_doses": "1"}, {"exposure_mg": "20"}, {"exposure_mg": "40"}),
    "improvement": ({}, {"improvement": "2"}, {"sustained": "24h"}),
    "worsening": ("false", "true"),
}


def combinations() -> list[dict[str, str]]:
    found = []
    for values in itertools.product(*GRID.values()):
        setting: dict[str, str] = {}
        for key, value in zip(GRID, values, strict=True):
            setting |= value if isinstance(value, dict) else {key: value}
        found.append(setting)
    return found


def patients(count: int) -> list[Person]:
    """Random grades and doses, crowded around the boundaries."""
    rng, people, number = random.Random(7), [], 0
    for patient in (f"{place:03}" for place in range(count)):
        product = rng.choice(("axicabtagene_ciloleucel", "tisagenlecleucel"))
        time = datetime(2024, 1, 1, 8)
        rows: list[tuple[str, datetime, float | None]] = [(product, time, 1.0)]
        for _ in range(rng.randint(4, 24)):
            dose = rng.random() < 0.35
            value = rng.choice((None, 5.0, 10.0, 20.0)) if dose else float(rng.randint(0, 4))
            rows.append(("dexamethasone" if dose else "documented_icans_grade", time, value))
            time += HOUR * rng.choice((0, 1, 6, 12, 12, 24, 36, 48, 72)) + timedelta(minutes=rng.choice((0, 0, 0, 1)))
        events = []
        for concept, at, value in rows:
            number += 1
            events.append({
                "event_id": number, "patient_id": patient, "time": at, "end_time": None, "concept": concept,
                "value": value, "unit": None, "bound": None, "text": None, "route": None, "code": concept,
                "source_value": None, "source_unit": None, "source_file": "events.csv", "source_row": number,
                "date_only": False, "implausible": False,
            })  # fmt: skip
        people.append(({"patient_id": patient, "sex": None, "birth_date": None}, events))
    return people


def derived(people: Sequence[Person], settings: Mapping[str, str], name: str = "grid") -> dict[str, list[str]]:
    with empty_study([facts["patient_id"] for facts, _ in people]) as con:
        tables = derive_by_sql(con, needed(name), people, settings)
    return {patient: [row["status"] for row in found["steroid_refractory"]] for patient, found in tables.items()}


def by_hand(events: Sequence[Mapping[str, Any]], setting: Mapping[str, str]) -> list[str]:
    """The status of each ICANS episode of one patient, from documented grades alone."""
    worst: dict[datetime, int] = {}
    for e in events:
        if e["concept"] == "documented_icans_grade":
            worst[e["time"]] = max(int(e["value"]), worst.get(e["time"], 0))
    grades = sorted(worst.items())
    doses = [(e["time"], e["value"]) for e in events if e["concept"] == "dexamethasone"]
    same_day = any(e["concept"] == "tisagenlecleucel" for e in events)
    found = []
    for episode in merged([time for time, grade in grades if grade >= 1], 48 * HOUR):
        start = min((t for t, _ in doses if episode[0] <= t <= episode[-1] + 24 * HOUR), default=None)
        at = [g for t, g in grades if start and episode[0] <= t <= start]
        if start is None or at[-1] < int(setting["lowest"]):
            found.append("untreated")
        else:
            soon = [(t, mg) for t, mg in doses if start <= t < start + 24 * HOUR]
            end = start + HOUR * int(setting["window"][:-1])
            if same_day:
                end = max(datetime.combine(start.date(), datetime.min.time()) + 24 * HOUR, start + 6 * HOUR)
            enough = exposed(start, soon, setting)
            found.append(answered(at[-1], start, end, grades, setting) if enough == "enough" else enough)
    return found


def exposed(start: datetime, doses: Sequence[tuple[datetime, float | None]], setting: Mapping[str, str]) -> str:
    """Whether the doses of the first 24 hours are enough, else the status of the episode."""
    if sum(t > start for t, _ in doses) < int(setting.get("further_doses", 0)):
        return "untreated"
    if sum(mg or 0 for _, mg in doses) < float(setting.get("exposure_mg", 0)):
        return "indeterminate" if any(mg is None for _, mg in doses) else "untreated"
    return "enough"


def answered(
    at: int, start: datetime, end: datetime, grades: Sequence[tuple[datetime, int]], setting: Mapping[str, str]
) -> str:
    """The status of an episode that was treated, with grade `at` at the steroid."""
    improvement, sustained = int(setting.get("improvement", 1)), HOUR * int(setting.get("sustained", "0h")[:-1])
    after = [(g, t) for t, g in grades if start < t <= end]
    if setting["worsening"] == "true" and any(g > at for g, _ in after):
        return "refractory"
    if not after:
        return "indeterminate"
    best, reached = min(after)
    kept = all(at - g >= improvement for t, g in grades if reached < t <= reached + sustained)
    return "responsive" if at - best >= improvement and kept else "refractory"


def agree(settings: Sequence[Mapping[str, str]], people: Sequence[Person]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for setting in settings:
        by_rule = derived(people, {f"steroid_refractory.{key}": value for key, value in setting.items()})
        for facts, events in people:
            assert by_rule[facts["patient_id"]] == by_hand(events, setting), (setting, facts["patient_id"])
        seen += Counter(status for found in by_rule.values() for status in found)
    return seen


def test_grid_agrees_with_plain_loops() -> None:
    """A share of the grid that has every value of every parameter."""
    chosen = combinations()[::17]
    for key in ("window", "lowest", "worsening"):
        assert {setting[key] for setting in chosen} == set(GRID[key])
    for key in ("exposure", "improvement"):
        assert all(any(part.items() <= setting.items() for setting in chosen) for part in GRID[key])
    seen = agree(chosen, patients(60))
    assert set(seen) == set(STATUSES) and min(seen.values()) > 20


@pytest.mark.slow
def test_whole_grid_agrees_with_plain_loops() -> None:
    assert len(combinations()) == 288
    assert set(agree(combinations(), patients(150))) == set(STATUSES)

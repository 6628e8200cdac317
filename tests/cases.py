"""Cases of the specification: tables of text in, the rows that both engines make of them out; knows no operator."""

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.reference_words import Row
from timeline.load import load_text
from timeline.rules import Concept, RuleSet

SPEC = Path(__file__).parent / "spec"


@dataclass(frozen=True)
class Case:
    """One case: a title, the rules, one patient's events, and the rows expected of some rules, or a failure."""

    name: str
    rules: str
    events: str
    patient: Mapping[str, str]
    set: Mapping[str, str]
    expect: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]
    fails: str


@cache
def concepts() -> Mapping[str, Concept]:
    """The concepts of the cases."""
    text = (SPEC / "concepts.yaml").read_text("utf-8")
    return load_text("concepts:\n" + "".join(f"  {line}\n" for line in text.splitlines())).concepts


def cases() -> list[Case]:
    """Every case of every file; an unknown key in one is an error."""
    found = []
    for path in sorted(SPEC.glob("*.yaml")):
        content = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)
        for case in content.get("cases", []):
            title = case.pop("title")
            rest = {"patient": {}, "set": {}, "expect": {}, "columns": {}, "fails": ""} | case
            found.append(Case(name=f"{path.stem}: {title}", **rest))
    return found


def ruleset_of(case: Case) -> RuleSet:
    return load_text(case.rules, concepts())


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table drawn with `|`."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    assert all(len(line) == len(lines[0]) for line in lines), f"rows of unequal length:\n{text}"
    return (lines[0], lines[1:]) if lines else ([], [])


def facts_of(patient: Mapping[str, str], patient_id: str = "p") -> Row:
    born = patient.get("birth_date")
    birth_date = dt.date.fromisoformat(born) if born else None
    return {"patient_id": patient_id, "sex": patient.get("sex"), "birth_date": birth_date}


def events_of(text: str, known: Mapping[str, Concept], patient_id: str = "p") -> list[Row]:
    """Events as ingest would leave them, `event_id` being the row of the table, counted from 1."""
    header, rows = table(text)
    return [event(number, dict(zip(header, row, strict=True)), known, patient_id) for number, row in enumerate(rows, 1)]


def event(number: int, cells: Mapping[str, str], known: Mapping[str, Concept], patient_id: str) -> Row:
    """One event; columns that are not given are unknown."""

    def time(column: str) -> dt.datetime | None:
        return dt.datetime.fromisoformat(cells[column]) if cells.get(column) else None

    written = cells.get("value", "")
    number_text = written.lstrip("<>=")
    value = float(number_text) if number_text else None
    concept = known.get(cells["code"])
    low, high = concept.plausible if concept else (None, None)
    implausible = value is not None and ((low is not None and value < low) or (high is not None and value > high))
    return {
        "event_id": number,
        "patient_id": patient_id,
        "time": time("time"),
        "end_time": time("end_time"),
        "concept": cells["code"] if concept else None,
        "value": value,
        "unit": concept.units[0] if concept and concept.units and value is not None else None,
        "bound": written[: len(written) - len(number_text)] or None,
        "text": cells.get("text") or None,
        "route": cells.get("route") or None,
        "code": cells["code"],
        "source_value": written or None,
        "source_unit": None,
        "source_file": "events.csv",
        "source_row": number,
        "date_only": False,
        "implausible": implausible,
    }


def as_text(value: Any) -> str:
    """A value as the tables write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return " ".join(as_text(item) for item in value)
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return f"{float(value):g}" if isinstance(value, float | decimal.Decimal) else str(value)


def differences(case: Case, tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """How `tables` differ from what the case expects; empty where they agree."""
    found = []
    for rule, text in case.expect.items():
        header, expected = table(text)
        rows = tables[rule]
        actual = [[as_text(row[column]) for column in header] for row in rows]
        if actual != expected:
            found.append(f"{rule}: {header}\n  expected {expected}\n  got      {actual}")
    for rule, expected_columns in case.columns.items():
        if tables[rule] and list(tables[rule][0]) != list(expected_columns):
            found.append(f"{rule}: columns are {list(tables[rule][0])}")
    return found

"""A cohort specification: frozen models, and the YAML file that fills them; knows no medicine and writes no rows.

Times are relative to a patient's day 0 and spelled `day hh:mm` (`-5 09:30`), or `day` alone where only the date
is recorded. Tables inside the YAML are text: a header and rows, cells divided by `|`.
"""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from timeline.errors import Finding, Findings
from timeline.yamltree import Node, Reader, compose

DAY = 24 * 60
"""Minutes in a day; all times below are minutes since midnight of day 0."""
_MOMENT = re.compile(r"(-?\d+)(?:\s+(\d{1,2}):(\d{2}))?")
_REPEATED = re.compile(r"(-?\d+)(?:\.\.(-?\d+))?\s+(\d{1,2}:\d{2}(?:,\d{1,2}:\d{2})*)")


def moment(text: str) -> int:
    """The minutes of `3 14:30`; a day alone is its midnight."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None or int(match[2] or 0) > 23 or int(match[3] or 0) > 59:
        raise ValueError(f"`{text}` is no time; write a day and a time of day, such as `3 14:30` or `-5 09:00`")
    return int(match[1]) * DAY + int(match[2] or 0) * 60 + int(match[3] or 0)


def clock(text: str) -> int:
    """The minutes since midnight of `14:30`."""
    return moment(f"0 {text.strip()}")


def moments(text: str) -> tuple[tuple[int | None, int | None, bool], ...]:
    """Start, end and 'only a date' of every event that `text` stands for.

    `3 14:30` is one, `3` a date, `4..6 08:00,20:00` six; `3 14:30 -> 5 09:00` lasts; nothing: a fact without a time.
    """
    text = text.strip()
    if not text:
        return ((None, None, False),)
    if "->" in text:
        start, end = text.split("->")
        return ((moment(start), moment(end), False),)
    repeated = _REPEATED.fullmatch(text)
    if repeated is None:
        return ((moment(text), None, ":" not in text),)
    first, last, times = repeated.groups()
    days = range(int(first), int(last or first) + 1)
    return tuple((day * DAY + clock(text), None, False) for day in days for text in times.split(","))


def table(text: str, known: tuple[str, ...] | None = None) -> tuple[dict[str, str], ...]:
    """The rows of a table as header -> cell; ValueError where a row does not fit its header."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.strip()]
    if not lines:
        return ()
    header, *rows = lines
    unknown = [name for name in header if known is not None and name not in known]
    if unknown:
        raise ValueError(f"`{unknown[0]}` is no column here; the columns are {', '.join(known or ())}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise ValueError(f"row {number} of the table has {len(row)} cells, its header {len(header)}")
    return tuple(dict(zip(header, row, strict=True)) for row in rows)


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Model):
    """One written event, or several where its time is a repeated one; `code` may be a name of the patient's system."""

    when: tuple[tuple[int | None, int | None, bool], ...]
    code: str
    value: str = ""
    unit: str = ""
    text: str = ""
    route: str = ""


def _events(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    rows = table(text, ("when", "code", "value", "unit", "text", "route"))
    return tuple(Event(**{**row, "when": moments(row.get("when", ""))}) for row in rows)  # type: ignore[arg-type]


Events = Annotated[tuple[Event, ...], BeforeValidator(_events)]


def _levels(text: Any) -> Any:
    rows = table(text, ("level", "code", "value", "unit", "text")) if isinstance(text, str) else ()
    found: dict[str, tuple[Event, ...]] = {}
    for row in rows:
        level = row.pop("level")
        found[level] = (*found.get(level, ()), Event(when=(), **row))  # type: ignore[arg-type]
    return found


def _steps(text: Any) -> Any:
    """`3 20:00 1, 5 08:00 2` -> ((minutes, level), ...), in order of time."""
    parts = [part.strip().rsplit(" ", 1) for part in text.split(",")] if isinstance(text, str) else []
    if any(len(part) != 2 for part in parts):
        raise ValueError("a course is written `3 20:00 1, 5 08:00 2`: a time, then the level from there on")
    steps = tuple((moment(when), level) for when, level in parts)
    if list(steps) != sorted(steps, key=lambda step: step[0]):
        raise ValueError("the steps of a course are out of order; write them by time")
    return steps


def _points(text: Any) -> Any:
    """A table of values by time -> ((name, minutes or day, 'has a time of day', value text), ...)."""
    tables = [text] if isinstance(text, str) else list(text or ())
    found = []
    for body in tables:
        for row in table(body):
            name = row.pop("series", "")
            if not name:
                raise ValueError("the first column of a table of points is `series`")
            found += [(name, moment(when), ":" in when, cell) for when, cell in row.items() if cell]
    return tuple(found)


def _clocks(value: Any) -> Any:
    return tuple(clock(text) for text in ([value] if isinstance(value, str) else value))


class Local(Model):
    """How a source system writes a quantity: its code and unit, and value * factor + offset in that unit."""

    code: str | None = None
    unit: str = ""
    factor: float = 1
    offset: float = 0
    digits: int | None = None


class Series(Model):
    """A measured quantity over time: exact at the points of a patient, near the line between them elsewhere."""

    unit: str = ""
    at: Annotated[tuple[int, ...], BeforeValidator(_clocks)] = ()
    """Times of day at which it is measured during a stay; none: only at the points."""
    every: int = 1
    """Days from one day of measurement to the next."""
    digits: int = 0
    noise: tuple[float, float] = (0, 0)
    """Lowest and highest departure from the line, between the points."""
    relative: bool = False
    """The noise is a share of the value."""
    points: Annotated[tuple[tuple[str, int, bool, str], ...], BeforeValidator(_points)] = ()
    """Where a patient has none."""
    below: float | None = None
    """Lower values are written as bounds: `<0.1`."""
    above: float | None = None
    replicates: tuple[str, ...] = ()
    """Measured once for each of these texts, which tell the rows apart."""
    spread: float = 0
    """Half the distance between two replicates, as a share of the value; their mean is the value."""
    vary: float = 0
    """Spread of the factor (or, unless `relative`, of the difference) by which sampled patients differ."""


class Scale(Model):
    """A state that is observed: which events say that a level holds, and when in the day one looks."""

    at: Annotated[tuple[int, ...], BeforeValidator(_clocks)] = ()
    levels: Annotated[dict[str, tuple[Event, ...]], BeforeValidator(_levels)]


class Stay(Model):
    """A stay in hospital, during which series and scales are observed."""

    code: str
    start: Annotated[int, BeforeValidator(lambda text: moment(text))]
    end: Annotated[int, BeforeValidator(lambda text: moment(text))]


class Patient(Model):
    id: str
    about: str = ""
    system: str = ""
    sex: str = ""
    birth_date: date | None = None
    registered: bool = True
    """Has a row in the patients file."""
    zero: date | None = None
    stay: Stay | None = None
    use: tuple[str, ...] = ()
    events: Events = ()
    courses: dict[str, Annotated[tuple[tuple[int, str], ...], BeforeValidator(_steps)]] = {}
    points: Annotated[tuple[tuple[str, int, bool, str], ...], BeforeValidator(_points)] = ()


class Sampling(Model):
    """How patients are made of the specified ones when more are wanted."""

    id: str = "SYN-{:06d}"
    zero: tuple[date, date]
    delay: int = 0
    """Everything after day 0 comes up to so many days later."""
    age: int = 0
    """Years by which an age differs, up and down."""


class Dirt(Model):
    """What a real extract has that nobody wants."""

    duplicates: int = 0
    """One row in so many is written twice."""
    raw: Annotated[tuple[dict[str, str], ...], BeforeValidator(lambda text: table(text))] = ()
    """Rows written as they stand."""


class Specification(Model):
    name: str
    title: str
    source: str = ""
    synthetic: bool
    cutoff: date
    """No event is later."""
    systems: dict[str, dict[str, Local]] = {}
    series: dict[str, Series] = {}
    scales: dict[str, Scale] = {}
    shared: dict[str, Events] = {}
    """Tables of events that patients `use`."""
    sampling: Sampling | None = None
    dirt: Dirt = Dirt()
    patients: tuple[Patient, ...] = Field(min_length=1)


def read(path: Path) -> Specification:
    """Return the specification in `path`; raise Findings with every mistake as `file:line:column`."""
    reader = Reader()
    root = compose(path.read_text(encoding="utf-8"), path.name, reader)
    if root is None or reader.findings:
        raise Findings(
            reader.findings or [Finding(path.name, "the file is empty; a cohort specification was expected")]
        )
    try:
        found = Specification.model_validate(_plain(root))
    except ValidationError as error:
        raise Findings([Finding(_place(root, each["loc"]), _message(each)) for each in error.errors()]) from None
    unknown = [Finding(_place(root, place), message) for place, message in _unknown_names(found)]
    if unknown:
        raise Findings(unknown)
    return found


def _unknown_names(spec: Specification) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    for index, patient in enumerate(spec.patients):
        place: tuple[str | int, ...] = ("patients", index)
        if patient.system and patient.system not in spec.systems:
            found.append(((*place, "system"), f"no system is called `{patient.system}`"))
        found += [
            ((*place, "use"), f"nothing under `shared` is called `{n}`") for n in patient.use if n not in spec.shared
        ]
        series = dict.fromkeys(name for name, *_ in patient.points)
        found += [((*place, "points"), f"no series is called `{n}`") for n in series if n not in spec.series]
        for name, steps in patient.courses.items():
            if name not in spec.scales:
                found.append(((*place, "courses", name), f"no scale is called `{name}`"))
                continue
            levels = {level for _, level in steps} - {"end"} - set(spec.scales[name].levels)
            found += [((*place, "courses", name), f"scale `{name}` has no level `{level}`") for level in sorted(levels)]
    ids = [patient.id for patient in spec.patients]
    found += [(("patients", n), f"a patient `{i}` stands above") for n, i in enumerate(ids) if i in ids[:n]]
    return found


def _message(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return f"`{problem['loc'][-1]}` is no key here"
    return str(problem["msg"]).removeprefix("Value error, ")


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items() if child.value is not None}
    if isinstance(node.value, tuple):
        return [_plain(child) for child in node.value]
    return node.value


def _place(root: Node, loc: tuple[str | int, ...]) -> str:
    """Where in the file the deepest known part of `loc` stands."""
    node = root
    for part in loc:
        if isinstance(node.value, dict) and part in node.value:
            node = node.value[str(part)]
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            break
    return node.where

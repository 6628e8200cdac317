"""Frozen models of concepts, rules and rule sets; know no SQL, no YAML and no DuckDB.

Expressions are kept as the text their author wrote. What a model cannot tell by itself (does a
column exist, has an expression the right type) is the compiler's to find out.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Pick = Literal["first", "last", "nearest", "min", "max", "mean", "median", "sum", "count", "any"]
ROW_PICKS = ("first", "last", "nearest", "min", "max")
"""Picks that choose one row; the others fold all rows they read."""
PICKS_WITHOUT_COLUMN = ("count", "any")
SIDES = ("baseline", "before", "after")

NAME = re.compile(r"[a-z][a-z0-9_]*")
DURATION = re.compile(r"(-?)(\d+)(min|h|d|w)")
LONGEST = 73_048
"""Days of the longest length of time that a rule may name."""
_SHIFT = r"( *[+-] *\d+(?:min|h|d|w))"
WINDOW = re.compile(rf"[\[(](?P<at>\S+?)(?P<low>{_SHIFT})?, *(?P=at)(?P<high>{_SHIFT})?[\])]$")
"""A window about one time: [time + 5d, time + 2d]."""
MINUTES = {"min": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
"""Minutes in a unit of elapsed time: a day is 24 hours."""


def minutes(duration: str) -> int | None:
    """The minutes in `48h`, `-30min`; None where the text is not a length of time."""
    match = DURATION.fullmatch(duration)
    if match is None:
        return None
    sign, count, unit = match.groups()
    return int(count) * MINUTES[unit] * (-1 if sign else 1)


def too_long(duration: str) -> str | None:
    """What is wrong with a length of time longer than anything that happens to a patient; None for nothing."""
    if abs(minutes(duration) or 0) <= LONGEST * MINUTES["d"]:
        return None
    return f"`{duration}` is longer than {LONGEST}d, two hundred years; write a shorter time, or leave the bound open"


def never(window: str) -> bool:
    """Whether a text ends in a window that ends before it begins, as far as its words alone tell."""
    match = WINDOW.search(window)
    if match is None:
        return False
    begin, end = (minutes(match[name].replace(" ", "").lstrip("+")) if match[name] else 0 for name in ("low", "high"))
    return (end or 0) < (begin or 0)


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Concept(Model):
    """A named value set: the codes that mean it, its canonical unit, what is plausible."""

    name: str
    title: str = ""
    source: str = ""
    units: tuple[str, ...] = ()
    """Accepted units, UCUM; values are converted to the first of the same dimension. None: a word or a bare number."""
    any_unit: bool = False
    """Units are kept as given: rules ask only whether the thing happened."""
    conversions: Mapping[str, float] = {}
    """Factors from further units to the first of `units`, where dimensions alone cannot tell (activities, charges)."""
    molar_mass: float | None = None
    """In g/mol: with it amounts of substance and masses are converted into one another."""
    plausible: tuple[float | None, float | None] = (None, None)
    """Outside this closed range a value is kept, flagged `implausible`, and no observation for rules."""
    typical: tuple[float | None, float | None] = (None, None)
    """Where most values of most patients lie: whether a whole group of values lies elsewhere tells a wrong unit."""
    scale: Literal["ratio", "interval"] = "ratio"
    """`interval`: the zero is a convention, so that a change has a meaning, and a percentage or a ratio has none."""
    words: tuple[str, ...] = ()
    """The words its `text` may be, lower case; empty means any."""
    static: bool = False
    """A baseline fact: its time may be empty."""
    members: tuple[str, ...] = ()
    """A group: it stands wherever a concept can, for each of these."""
    codes: tuple[str, ...] = ()
    """`VOCABULARY/code`, each verified in the source named."""
    unverified: tuple[str, ...] = ()
    """Codes written down from memory: not in force until a mapping confirms them."""
    attributes: Mapping[str, float | str] = {}
    """What rules read as `concept.name`."""


class Param(Model):
    """A number, duration, word or truth that a run may override and a sweep may vary."""

    default: str
    meaning: str = ""
    unit: str | None = None
    of: str | None = None
    """The concept into whose canonical unit `default` is converted from `unit`."""

    @property
    def kind(self) -> Literal["duration", "number", "boolean", "text"]:
        return kind_of(self.default)


def kind_of(text: str) -> Literal["duration", "number", "boolean", "text"]:
    """What a parameter's text is, by its spelling."""
    if minutes(text) is not None:
        return "duration"
    if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        return "number"
    return "boolean" if text in ("true", "false") else "text"


class Window(Model):
    """An interval of time; `lower` and `upper` are expressions, `-inf` or `inf`."""

    lower: str
    upper: str
    lower_closed: bool
    upper_closed: bool
    overlaps: bool = False
    """True: a span is in the window when any part of it is; else when its start is."""

    def __str__(self) -> str:
        return f"{'[' if self.lower_closed else '('}{self.lower}, {self.upper}{']' if self.upper_closed else ')'}"


class Lookup(Model):
    """A look around: what another relation holds for the same patient inside a window."""

    pick: Pick
    relations: tuple[str, ...]
    column: str | None = None
    window: Window | None = None
    where: str | None = None
    to: str | None = None
    """The time that `nearest` is near to."""

    @model_validator(mode="after")
    def _fits_its_pick(self) -> "Lookup":
        if self.pick in PICKS_WITHOUT_COLUMN and self.column is not None:
            raise ValueError(f"`{self.pick}` counts rows and takes no column; write `{self.relations[0]}`")
        if self.pick not in PICKS_WITHOUT_COLUMN and self.column is None:
            raise ValueError(f"`{self.pick}` needs a column; write `{self.relations[0]}.value` or another column")
        if (self.pick == "nearest") != (self.to is not None):
            raise ValueError("`to` goes with `nearest`, and `nearest` needs it: the time to be near to")
        return self


class Column(Model):
    """A derived column: an expression or a lookup, and what is promised about it."""

    sql: str | None = None
    lookup: Lookup | None = None
    type: str | None = None
    unit: str | None = None
    meaning: str = ""
    one_of: tuple[str, ...] = ()
    between: tuple[float | None, float | None] | None = None
    nullable: bool = True

    @model_validator(mode="after")
    def _one_origin(self) -> "Column":
        if (self.sql is None) == (self.lookup is None):
            raise ValueError("a column is an expression (`sql`) or a lookup, one of the two")
        return self


class RuleBase(Model):
    name: str
    title: str = ""
    description: str = ""
    source: str = ""
    params: Mapping[str, Param] = {}
    columns: Mapping[str, Column] = {}
    checks: Mapping[str, str] = {}


class FromRule(RuleBase):
    """Rows of concepts, of a rule or of `patient` that satisfy `where`, with computed columns."""

    operator: Literal["from"] = "from"
    relations: tuple[str, ...]
    where: str | None = None
    spans: bool = False
    group_by: tuple[str, ...] = ()
    keep: Literal["first", "last"] | None = None
    steps: Mapping[str, str] = {}


class Observed(Model):
    """A finding or a context of a `grade` rule: an ordinal level read off the rows of relations."""

    relations: tuple[str, ...]
    level: str
    interval: bool = False
    hold: str | None = None
    """How long the level holds, where it differs from the rule's `hold`."""


class GradeRule(RuleBase):
    """A patient's state over time, computed at each time at which a finding is observed."""

    operator: Literal["grade"] = "grade"
    grade: str
    findings: Mapping[str, Observed]
    context: Mapping[str, Observed] = {}
    where: str | None = None
    hold: str | None = None


class EpisodesRule(RuleBase):
    """Moments or spans of a patient merged into spans: neighbours at most `gap` apart belong together."""

    operator: Literal["episodes"] = "episodes"
    relations: tuple[str, ...]
    gap: str
    where: str | None = None
    by: tuple[str, ...] = ()
    """Columns of the relation: rows that differ in one of them are merged apart; unknown is a value of its own."""


class Analytes(Model):
    """Analytes that share their windows: concepts, or one `from` rule with a column `analyte`."""

    relations: tuple[str, ...]
    baseline: Lookup | None = None
    before: Lookup
    after: Lookup


class PairsRule(RuleBase):
    """For every row of a relation and every analyte, a value before and after (and at baseline)."""

    operator: Literal["pairs"] = "pairs"
    relation: str
    analytes: tuple[Analytes, ...]


class SqlRule(RuleBase):
    """One SELECT, for what the other four cannot say; reads only the relations in `uses`."""

    operator: Literal["sql"] = "sql"
    sql: str
    uses: tuple[str, ...]


Rule = Annotated[FromRule | GradeRule | EpisodesRule | PairsRule | SqlRule, Field(discriminator="operator")]


class Example(Model):
    """A few events of one patient and the rows expected of them: documentation that is run."""

    title: str
    events: str
    patient: Mapping[str, str] = {}
    set: Mapping[str, str] = {}
    """Parameters of this example, `rule.param: value`."""
    expect: Mapping[str, tuple[Mapping[str, str | None], ...]]
    clause: str = ""
    """The clause of the rule that the example is about, in words."""


class Audit(Model):
    """What the rule set says of data quality: which checks stop the work, and what share of rows may break others."""

    stop: tuple[str, ...] = ()
    limits: Mapping[str, float] = {}


class RuleSet(Model):
    """Concepts, rules and examples that are read, checked, hashed and run together."""

    name: str
    version: str = ""
    index: str | None = None
    audit: Audit = Audit()
    concepts: Mapping[str, Concept] = {}
    rules: Mapping[str, Rule] = {}
    examples: Mapping[str, Example] = {}
    """Keyed by `file:line`, so that a failure can be found."""
    replaced: Mapping[str, str] = {}
    """Names that a later folder has replaced, and the folder."""
    places: Mapping[str, str] = {}
    """Where each part stands, by dotted path (`rule.columns.name`), for messages only."""

    @property
    def replacements(self) -> tuple[str, ...]:
        """What was replaced, in words: said at each run."""
        return tuple(f"{name} (by {folder})" for name, folder in self.replaced.items())

    def members(self, name: str) -> tuple[str, ...]:
        """The concepts that a concept or group stands for, groups within groups opened, sorted."""
        concept = self.concepts[name]
        if not concept.members:
            return (name,)
        return tuple(sorted({leaf for member in concept.members for leaf in self.members(member)}))

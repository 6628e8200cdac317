"""What the compilers of the five operators share while one rule is compiled: names, parameters, complaints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import duckdb

from timeline import schema
from timeline.compiler.clauses import Clause, Reading
from timeline.compiler.relation import Kind, Relation, concept_relation
from timeline.compiler.shown import Shown
from timeline.errors import Finding
from timeline.fragment import Fragment, FragmentError, params_in, parse
from timeline.quote import literal
from timeline.rules import Rule, RuleSet

OBSERVATION = {f.name: f.type for f in schema.EVENT if f.name != "implausible"} | {"patient_id": "VARCHAR"}
EVENT = {f.name: f.type for f in schema.EVENT} | {"patient_id": "VARCHAR"}
PATIENT = {f.name: f.type for f in schema.PATIENT} | {"patient_id": "VARCHAR"}


@dataclass
class Context:
    """One rule under compilation. `findings` fills up; everything else is read."""

    ruleset: RuleSet
    rule: Rule
    relations: Mapping[str, Relation]
    """The derived relations so far, by rule."""
    params: Mapping[str, str]
    """SQL literals of this rule's parameters."""
    index: Relation | None
    """The index relation, where this rule may use it."""
    con: duckdb.DuckDBPyConnection
    findings: list[Finding] = field(default_factory=list)
    params_used: set[str] = field(default_factory=set)
    concepts_used: set[str] = field(default_factory=set)
    columns_used: set[str] = field(default_factory=set)
    """Columns of events that the rule reads off concepts."""
    probes: list["Probe"] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    """Rows that the rule reads, with the clauses asked of them."""

    def say(self, path: str, message: str) -> None:
        self.findings.append(Finding(self.place(path), message))

    def place(self, path: str) -> str:
        """Where `path` (`columns.drug`) stands; the nearest enclosing part whose place is known."""
        parts = f"{self.rule.name}.{path}".split(".")
        while parts:
            place = self.ruleset.places.get(".".join(parts))
            if place:
                return place
            parts.pop()
        return f"rule `{self.rule.name}`"

    def parse(self, text: str | None, path: str, *, aggregates: bool = False) -> Fragment | None:
        """Return `text` as a fragment; complain and return None where it is none."""
        if text is None:
            return None
        self.params_used |= params_in(text)
        try:
            return parse(text, self.params, aggregates=aggregates)
        except FragmentError as error:
            self.say(path, str(error))
            return None

    def relation(self, names: tuple[str, ...], path: str) -> Relation | None:
        """Return the relation that `names` stand for: one rule, `patient`, `event`, or concepts together."""
        concepts = self.ruleset.concepts
        unknown = [name for name in names if name not in concepts and name not in self.known]
        for name in unknown:
            self.say(path, missing("concept or rule", name, [*concepts, *self.known]))
        if unknown or not names:
            return None
        if all(name in concepts for name in names):
            leaves = tuple(sorted({leaf for name in names for leaf in self.ruleset.members(name)}))
            self.concepts_used |= set(leaves)
            return concept_relation(" or ".join(names), leaves, OBSERVATION)
        if len(names) > 1:
            self.say(path, f"{', '.join(names)}: several relations here must all be concepts; write a rule for each")
            return None
        return self.single(next(iter(names)))

    def single(self, name: str) -> Relation | None:
        """Return a rule's relation, `patient` or `event`; None where that rule has mistakes of its own."""
        if name == "patient":
            return Relation("patient", "facts", PATIENT, "patient", None)
        if name == "event":
            return Relation("event", "moments", EVENT, "meta.any_event", "event_id")
        return self.relations.get(name)

    @property
    def known(self) -> list[str]:
        return ["patient", "event", *self.ruleset.rules]

    def attribute(self, name: str, column: str, among: tuple[str, ...]) -> str | None:
        """SQL of `concept.name` as a CASE over the concepts that have it; None where none has."""
        leaves = among or tuple(sorted(self.ruleset.concepts))
        values = {leaf: self.ruleset.concepts[leaf].attributes.get(name) for leaf in leaves}
        arms = [f"WHEN {literal(leaf)} THEN {literal(value)}" for leaf, value in values.items() if value is not None]
        return f"CASE {column} {' '.join(arms)} END" if arms else None


@dataclass(frozen=True)
class Probe:
    """A question asked of the finished table: did this lookup, level or window ever match?"""

    what: str
    sql: str
    """A SELECT of two numbers: how many were looked at, how many matched."""


@dataclass(frozen=True)
class Compiled:
    """A rule as one SELECT."""

    name: str
    kind: Kind
    sql: str
    fields: tuple[schema.Field, ...]
    """The columns of its table, in order."""
    checks: Mapping[str, str]
    """SQL of each named check over a finished row."""
    probes: tuple[Probe, ...]
    concepts: tuple[str, ...]
    """The concepts it reads, leaves."""
    event_columns: frozenset[str]
    """The columns of their events that it reads."""
    reads: tuple[str, ...]
    """The rules it reads, the index among them where it is used."""
    relation: Relation
    steps: tuple[tuple[str, str], ...]
    """Steps that choose or fold rows, in words, each with a SELECT of its rows and patients."""
    readings: tuple[Reading, ...]
    """Clauses asked of rows that are read."""
    asked: tuple[Clause, ...]
    """Clauses asked of each row of the table."""
    outcomes: str
    """`sql` with columns more at the end: `c__k` and `m__k`, outcome and margin of clause k of `asked`, and what
    `verdicts` needs."""
    extra: tuple[str, ...]
    """The names of those columns."""
    shown: Shown
    """What explaining a row of it takes."""
    verdicts: str | None
    """A SELECT over the table that `outcomes` makes: patient_id, number, analyte, clause, outcome, reason, margin."""


def missing(what: str, name: str, known: list[str]) -> str:
    """`unknown concept 'albumn'; did you mean 'albumin'?`"""
    near = get_close_matches(name, known, 1, 0.6)
    if near:
        return f"unknown {what} '{name}'; did you mean '{near[0]}'?"
    listed = f"; there are {', '.join(sorted(known))}" if len(known) <= 25 else ""
    return f"unknown {what} '{name}'{listed}"

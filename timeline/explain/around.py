"""What stands around an explained row: all that its lookups saw, what was in force, the other events of its concepts.

Read for a picture, and for one patient; knows no layout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from timeline import query
from timeline.compiler import Compiled
from timeline.explain.absent import read_first
from timeline.explain.patient import Patient, Row
from timeline.explain.records import EventShown, Explanation, LookupShown
from timeline.quote import literal
from timeline.rules import ROW_PICKS, GradeRule, PairsRule, minutes

State = Literal["found", "inside", "wrong", "untold", "outside"]
"""Taken; wanted and in the window, but not taken; its `where` is false; or unknown; wanted, but not in the window."""


@dataclass(frozen=True)
class Seen:
    """A row that a lookup looked at."""

    time: datetime | None
    end_time: datetime | None
    value: Any
    state: State
    miss_hours: float | None
    """Hours outside of the window; 0 inside, None where there is no window."""
    events: tuple[int, ...]


@dataclass(frozen=True)
class Looked:
    """A lookup's relation and column, and the rows that it saw, in order of time."""

    relation: str
    column: str | None
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class Held:
    """A finding, or a context, of a grade: the observation in force at the row's time, and until when."""

    name: str
    relations: tuple[str, ...]
    concepts: tuple[str, ...]
    """Those that the relations are made of."""
    time: datetime | None
    """When it was observed; None where none was in force."""
    until: datetime | None
    """None for ever."""
    level: Any
    """None of a context, whose level is no column."""


@dataclass(frozen=True)
class Around:
    """What a picture of an explanation shows beside the explanation."""

    rule_set: str
    remark: str
    """What every figure of the study must say of it."""
    index: str | None
    day_zero: datetime | None
    paired: bool
    """The lookups of the row are sides of one pair."""
    looked: Mapping[str, Looked] = field(default_factory=dict)
    """By the lookup's clause."""
    held: tuple[Held, ...] = ()
    evidence: frozenset[int] = frozenset()
    """The events that decided the row."""
    events: Mapping[int, EventShown] = field(default_factory=dict)
    """Every event behind anything here."""
    others: tuple[EventShown, ...] = ()
    """Further events of the concepts that decided, implausible ones among them."""
    implausible: frozenset[int] = frozenset()
    days: tuple[tuple[datetime, int], ...] = ()
    """Where nothing was to be found: the days on which the patient has events, and how many."""


def around(study: Patient, explanation: Explanation) -> Around:
    """Return what stands around the row that `explanation` explains, or around the absence of one."""
    looked, held, evidence = {}, (), frozenset()
    concepts: set[str] = set()
    if explanation.number is not None:
        rule = study.compiled[explanation.rule]
        with study.derived(explanation.rule) as derived:
            row = derived[explanation.number - 1]
            shown = [column.lookup for column in explanation.columns if column.lookup is not None]
            looked = {lookup.clause: _looked(study, rule, lookup, row) for lookup in shown}
        held = _held(study, rule, row, explanation)
        evidence = frozenset(row["evidence"])
    else:
        last = innermost(explanation)
        concepts = set(_concepts(study, read_first(study.ruleset.rules[last.rule])))
    ids = {i for one in looked.values() for seen in one.seen for i in seen.events}
    ids |= {event.event_id for event in explanation.events}
    known = {event.event_id: event for event in study.events({i: () for i in ids})}
    decided = untaken(explanation, evidence)
    concepts |= {event.concept for event in decided if event.concept} | {name for one in held for name in one.concepts}
    others, implausible = _others(study, concepts, set(evidence) if explanation.number is not None else ids)
    nothing = not (others or known)
    version = f"{study.ruleset.name} {study.ruleset.version}".strip()
    return Around(
        version, query.remark(study.con), study.ruleset.index, _day_zero(study),
        isinstance(study.ruleset.rules[explanation.rule], PairsRule), looked, held, evidence,
        known | {event.event_id: event for event in others}, others, implausible, _days(study) if nothing else (),
    )  # fmt: skip


def untaken(explanation: Explanation, evidence: frozenset[int]) -> list[EventShown]:
    """Return the deciding events that no lookup found."""
    found = {i for column in explanation.columns if column.lookup for i in column.lookup.found}
    return [event for event in explanation.events if event.event_id in evidence - found]


def innermost(explanation: Explanation) -> Explanation:
    """Return the absence that explains all others: of a rule that a missing row reads, of one that that reads, …"""
    while explanation.because is not None:
        explanation = explanation.because
    return explanation


def _looked(study: Patient, rule: Compiled, lookup: LookupShown, row: Row) -> Looked:
    seeking = rule.shown.seeking[lookup.clause]
    rows = study.rows(f"SELECT * FROM ({seeking.rows}) WHERE number = {row['number']}")
    one = seeking.look.lookup.pick in (*ROW_PICKS, "any")
    found, seen = set(lookup.found), []
    for made in rows:
        ids = tuple(sorted(event_id for event_id in made["ids__"] or () if event_id is not None))
        state = _state(made, bool(found) and set(ids) <= found and (not one or set(ids) == found))
        if state == "found" and one:
            found = set()  # of rows with the same evidence the earliest
        seen.append(Seen(made["at__"], made["until__"], made["value__"], state, made["miss__"], ids))
    return Looked(seeking.look.relation.name, seeking.look.lookup.column, tuple(seen))


def _state(row: Row, taken: bool) -> State:
    if not row["inside__"]:
        return "outside"
    if row["fits__"] != 1:
        return "wrong" if row["fits__"] == 0 else "untold"
    return "found" if taken else "inside"


def _held(study: Patient, rule: Compiled, row: Row, explanation: Explanation) -> tuple[Held, ...]:
    declared = study.ruleset.rules[rule.name]
    if not isinstance(declared, GradeRule):
        return ()
    ends = {(e.concept, e.time): e.end_time for e in explanation.events if e.end_time and e.time}
    held = []
    for name, observed in {**declared.findings, **declared.context}.items():
        noted = rule.shown.expressions.get(f"findings.{name}")
        time = row[noted.values[("time",)]] if noted else None
        concepts = _concepts(study, observed.relations)
        until = None
        text = observed.hold or declared.hold
        if text and text.startswith("$"):
            text = study.params[rule.name][text[1:]]
        if time is not None and text not in (None, "inf"):
            until = time + timedelta(minutes=minutes(text) or 0)
        if time is not None and observed.interval:
            until = max((end for (c, at), end in ends.items() if at == time and c in concepts), default=until)
        held.append(Held(name, observed.relations, concepts, time, until, row.get(name)))
    return tuple(held)


def _concepts(study: Patient, relations: Iterable[str]) -> tuple[str, ...]:
    """The concepts of some relations; of a rule, those that its rows are made of."""
    found: dict[str, None] = {}
    for name in relations:
        if name in study.ruleset.concepts:
            found |= dict.fromkeys(study.ruleset.members(name))
        elif name in study.ruleset.rules:
            found |= dict.fromkeys(_concepts(study, read_first(study.ruleset.rules[name])))
    return tuple(found)


def _others(study: Patient, concepts: Iterable[str], but: set[int]) -> tuple[tuple[EventShown, ...], frozenset[int]]:
    """The patient's other events of some concepts, and the ids of those that are implausible."""
    listed = ", ".join(literal(name) for name in sorted(concepts))
    if not listed:
        return (), frozenset()
    rows = study.rows(
        f"SELECT event_id, implausible FROM event WHERE patient_id = {literal(study.name)} AND concept IN ({listed})"
    )
    rows = [row for row in rows if row["event_id"] not in but]
    events = study.events({row["event_id"]: () for row in rows})
    return events, frozenset(row["event_id"] for row in rows if row["implausible"])


def _day_zero(study: Patient) -> datetime | None:
    if study.ruleset.index is None:
        return None
    rows = study.table(study.ruleset.index)
    return (rows[0].get("time") or rows[0].get("start_time")) if rows else None


def _days(study: Patient) -> tuple[tuple[datetime, int], ...]:
    rows = study.rows(
        "SELECT date_trunc('day', time)::TIMESTAMP AS day, count(*) AS n FROM meta.any_event "
        f"WHERE patient_id = {literal(study.name)} AND time IS NOT NULL GROUP BY day ORDER BY day"
    )
    return tuple((row["day"], row["n"]) for row in rows)

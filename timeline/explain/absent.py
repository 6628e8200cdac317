"""Why a patient has no row of a rule: nothing to read, or what was read fails a clause, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from timeline.compiler import Compiled, relations_named
from timeline.compiler.clauses import OUTCOMES, Clause, Reading
from timeline.explain.patient import Patient, Row
from timeline.explain.records import ReadShown
from timeline.explain.words import asked
from timeline.printing import count
from timeline.quote import literal
from timeline.rules import EpisodesRule, FromRule, GradeRule, PairsRule, Rule

NEAREST = 3
"""So many of the rows that were read and not taken are shown."""


@dataclass(frozen=True)
class Absence:
    """Why there is no row, and the rule whose absence explains it, if one does."""

    reason: str
    margin: float | None
    why: str
    read: tuple[ReadShown, ...]
    because: str | None = None
    number: int | None = None
    """The row of that rule, where it has one: why it is not as it would have to be."""


def absence(study: Patient, rule: Compiled) -> Absence:
    """Return why the patient has no row of `rule`."""
    declared = study.ruleset.rules[rule.name]
    relations = read_first(declared)
    counts = {name: _rows_of(study, name) for name in relations}
    if not any(counts.values()):
        return _nothing_to_read(study, relations)
    failing = sorted((shown for reading in rule.readings for shown in _failing(study, rule, reading)), key=_nearness)
    if not failing:
        listed = ", ".join(f"{count(n, 'row')} of {name}" for name, n in counts.items())
        return Absence("unknown", None, f"of {listed}, none has a time and a known level", ())
    nearest, reading = failing[0].shown, failing[0].reading
    reason = "unknown" if nearest.outcome == "unknown" else "wrong_value"
    words = nearest.clause.partition(": ")[2] or nearest.clause
    how = "is unknown for" if reason == "unknown" else "is false for"
    every = count(len({one.shown.events for one in failing if one.reading is reading}), "row")
    why = f"{every} of {reading.of} read, none taken; `{words}` {how} the one that came nearest"
    read = tuple(one.shown for one in failing[:NEAREST])
    if reason == "unknown" and _lacks_index(study, failing[0].asked):
        return Absence(reason, None, why, read, study.ruleset.index)
    if reading.relation in study.ruleset.rules:
        return Absence(reason, nearest.margin, why, read, reading.relation, failing[0].key)
    return Absence(reason, nearest.margin, why, read)


def read_first(rule: Rule) -> tuple[str, ...]:
    """The relations that a rule's rows are made of."""
    if isinstance(rule, FromRule | EpisodesRule):
        return rule.relations
    if isinstance(rule, GradeRule):
        return tuple(dict.fromkeys(name for o in rule.findings.values() for name in o.relations))
    if isinstance(rule, PairsRule):
        return (rule.relation,)
    return tuple(sorted(relations_named(rule)))


def _rows_of(study: Patient, relation: str) -> int:
    """How many rows of a relation the patient has."""
    if relation in study.ruleset.concepts:
        listed = ", ".join(literal(name) for name in study.ruleset.members(relation))
        sql = f"SELECT count(*) AS n FROM observation WHERE concept IN ({listed})"
    elif relation == "event":
        sql = f"SELECT count(*) AS n FROM meta.any_event WHERE patient_id = {literal(study.name)}"
    else:
        sql = f'SELECT count(*) AS n FROM "{relation}"'
    return study.rows(sql)[0]["n"]


def _nothing_to_read(study: Patient, relations: Sequence[str]) -> Absence:
    rules = [name for name in relations if name in study.ruleset.rules]
    why = f"the patient has no row of {', '.join(relations)}"
    concepts = [leaf for name in relations if name in study.ruleset.concepts for leaf in study.ruleset.members(name)]
    if concepts:
        listed = ", ".join(literal(name) for name in concepts)
        implausible = study.rows(
            f"SELECT count(*) AS n FROM event WHERE patient_id = {literal(study.name)} AND implausible "
            f"AND concept IN ({listed})"
        )[0]["n"]
        why += f"; {count(implausible, 'event')} with an implausible value, so no observation" if implausible else ""
    return Absence("not_found", None, why, (), rules[0] if rules else None)


@dataclass(frozen=True)
class _Failing:
    shown: ReadShown
    reading: Reading
    asked: Clause
    place: int
    key: int | None


def _failing(study: Patient, rule: Compiled, reading: Reading) -> list[_Failing]:
    """The rows of a reading that fail one of the clauses that have to hold, with the first that they fail."""
    found = []
    needed = [(k, c) for k, c in enumerate(reading.clauses) if c.kind == "where" or not reading.tallied]
    for row in study.rows(reading.rows) if needed else ():
        failed = next(((k, c) for k, c in needed if row[f"c__{k}"] != 1), None)
        if failed is not None:
            shown = _shown(study, rule, reading, row, *failed)
            found.append(_Failing(shown, reading, failed[1], needed.index(failed), row["key__"]))
    return found


def _shown(study: Patient, rule: Compiled, reading: Reading, row: Row, k: int, clause: Clause) -> ReadShown:
    filled = asked(clause, row, reading.columns, study.params[rule.name]) if clause.values else None
    return ReadShown(
        reading.of, row["at__"], clause.name, filled, OUTCOMES[row[f"c__{k}"]], row.get(f"m__{k}"),
        tuple(event_id for event_id in row["ids__"] if event_id is not None),
    )  # fmt: skip


def _nearness(failing: _Failing) -> tuple[object, ...]:
    """Those that fail later come nearer; then those that are known to fail, by how much; then the latest."""
    shown = failing.shown
    late = shown.time.timestamp() if shown.time else 0.0
    margin = shown.margin
    return (-failing.place, shown.outcome != "false", margin is None, margin or 0.0, -late, shown.events)


def _lacks_index(study: Patient, clause: Clause) -> bool:
    index = study.ruleset.index
    names = {parts[0] for parts in clause.values}
    return index is not None and "index" in names and not _rows_of(study, index)

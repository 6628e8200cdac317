"""What a random study exercises, as words: so that a test can say which part of the language was never tried."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.generate_rules import Study
from timeline.rules import (
    PICKS_WITHOUT_COLUMN,
    ROW_PICKS,
    EpisodesRule,
    FromRule,
    GradeRule,
    Lookup,
    PairsRule,
    Rule,
    RuleSet,
)

AGGREGATES = "count sum avg median min max first last list arg_max arg_min bool_or bool_and filter distinct".split()
FUNCTIONS = "below above hours_between next_midnight greatest least coalesce nullif abs floor case between".split()
KINDS = ("concept", "group", "several", "event", "patient", "from", "grade", "episodes", "pairs")
EVERY = frozenset(
    [*(f"from: {kind}" for kind in KINDS), "spans", "group_by", "keep: first", "keep: last", "steps", "from: where"]
    + ["grade: where", "interval", "hold", "own hold", "hold: inf", "context", "several findings", "finding of a rule"]
    + ["episodes: where", "gap: 0h", "episodes: several", "episodes of spans"]
    + ["pairs: baseline", "pairs: rule", "pairs: several", "pairs of facts", "pairs of moments", "pairs of spans"]
    + [f"pick: {pick}" for pick in (*ROW_PICKS, *PICKS_WITHOUT_COLUMN, "mean", "median", "sum")]
    + [f"window: {left}{right}" for left in "[(" for right in "])"]
    + ["in", "overlaps", "no window", "-inf", "inf", "lookup: where", "name.x"]
    + [f"lookup: {kind}" for kind in KINDS if kind != "several"]
    + ["index.x", "patient.x", "concept.x", "base.x", "$limit", "$word", "$strict", "$wait", "$gap", "$hold", "set"]
    + [f"{name}()" for name in (*AGGREGATES, *FUNCTIONS)]
    + ["/", "%", "and", "or", "not", "in ()", "is null", "is distinct from", "duration", "day"]
    + ["one instant", "end before start", "no time", "bounded", "implausible", "unmapped", "no index", "no events"]
)
"""Everything that the derandomised run must have tried."""


def features(study: Study, ruleset: RuleSet) -> frozenset[str]:
    """The words of `EVERY` that this study exercises."""
    found = {"set"} if study.set else set()
    if ruleset.index is None:
        found.add("no index")
    for rule in ruleset.rules.values():
        found.update(of_rule(rule, ruleset))
        for column in rule.columns.values():
            if column.lookup:
                found.update(of_lookup(column.lookup, ruleset))
    found.update(of_text(study.rules))
    for _, rows in study.patients:
        found.update(of_events(rows))
    return frozenset(found)


def kind(names: Sequence[str], ruleset: RuleSet) -> str:
    """What is read: a concept, several, an operator's rows."""
    if len(names) > 1:
        return "several"
    name = names[0]
    if name in ruleset.rules:
        return ruleset.rules[name].operator
    if name in ruleset.concepts:
        return "group" if ruleset.concepts[name].members else "concept"
    return name


def shape(name: str, ruleset: RuleSet) -> str:
    """Moments, spans or facts."""
    rule = ruleset.rules.get(name)
    if isinstance(rule, FromRule):
        return "spans" if rule.spans else shape(rule.relations[0], ruleset)
    shapes = {"patient": "facts", "pairs": "facts", "episodes": "spans"}
    return shapes.get(rule.operator if rule else name, "moments")


def of_rule(rule: Rule, ruleset: RuleSet) -> Iterator[str]:
    match rule:
        case FromRule():
            yield f"from: {kind(rule.relations, ruleset)}"
            options = {"spans": rule.spans, "group_by": rule.group_by, "steps": rule.steps, "from: where": rule.where}
            yield from (name for name, used in options.items() if used)
            yield f"keep: {rule.keep}"
        case GradeRule():
            yield from of_grade(rule, ruleset)
        case EpisodesRule():
            options = {
                "episodes: where": rule.where,
                "gap: 0h": rule.gap == "0h",
                "episodes: several": rule.relations[1:],
            }
            yield from (name for name, used in options.items() if used)
            yield f"episodes of {shape(rule.relations[0], ruleset)}"
        case PairsRule():
            yield f"pairs of {shape(rule.relation, ruleset)}"
            for group in rule.analytes:
                yield f"pairs: {'rule' if group.relations[0] in ruleset.rules else kind(group.relations, ruleset)}"
                yield "pairs: baseline" if group.baseline else ""
                for side in (group.baseline, group.before, group.after):
                    yield from of_lookup(side, None) if side else ()


def of_grade(rule: GradeRule, ruleset: RuleSet) -> Iterator[str]:
    observed = [*rule.findings.values(), *rule.context.values()]
    options = {
        "grade: where": rule.where,
        "interval": any(o.interval for o in observed),
        "hold": rule.hold != "inf",
        "hold: inf": rule.hold == "inf",
        "own hold": any(o.hold for o in observed),
        "context": rule.context,
        "several findings": len(rule.findings) > 1,
        "finding of a rule": any(o.relations[0] in ruleset.rules for o in observed),
    }
    yield from (name for name, used in options.items() if used)


def of_lookup(lookup: Lookup, ruleset: RuleSet | None) -> Iterator[str]:
    yield f"pick: {lookup.pick}"
    if ruleset:
        yield f"lookup: {kind(lookup.relations, ruleset)}"
    if lookup.where:
        yield "lookup: where"
    window = lookup.window
    if window is None:
        yield "no window"
        return
    yield "overlaps" if window.overlaps else "in"
    yield f"window: {'[' if window.lower_closed else '('}{']' if window.upper_closed else ')'}"
    yield from {window.lower, window.upper} & {"-inf", "inf"}


def of_text(rules: str) -> Iterator[str]:
    """What is seen in the words of the rules."""
    for name in (*AGGREGATES, *FUNCTIONS):
        if re.search(rf"\b{name}\b", rules):
            yield f"{name}()"
    for prefix in ("index", "patient", "concept", "base"):
        if re.search(rf"\b{prefix}\.\w", rules):
            yield f"{prefix}.x"
    yield from set(re.findall(r"\$[a-z]+", rules))
    patterns = {"/": r" / ", "%": r" % ", "and": r" and ", "or": r" or ", "not": r"\bnot \(", "in ()": r" in \('"}
    patterns |= {"is null": "is null", "is distinct from": "is distinct from", "duration": r" [+-] \d+(min|h|d|w)\b"}
    patterns |= {"name.x": r"\b[k-r]\d\.", "day": r"\b(start_|end_)?day\b"}
    yield from (name for name, pattern in patterns.items() if re.search(pattern, rules))


def of_events(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """What is special about a patient's events."""
    rows = list(rows)
    if not rows:
        yield "no events"
    instants = [(row["code"], row["time"]) for row in rows]
    conditions = {
        "one instant": len(set(instants)) < len(instants),
        "end before start": any("" < row["end_time"] < row["time"] for row in rows),
        "no time": any(not row["time"] for row in rows),
        "bounded": any(row["value"].startswith(("<", ">")) for row in rows),
        "implausible": any(row["code"] == "temperature" and row["value"] in ("1", "2", "3", "0") for row in rows),
        "unmapped": any(row["code"] == "unmapped" for row in rows),
    }
    yield from (name for name, holds in conditions.items() if holds)

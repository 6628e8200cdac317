"""What a random study exercises, as words: so that a test can say which part of the language was never tried.

The words are taken from the models of the rules and from the lists of what an expression may use. An option,
function or kind of node that is added to the language is thereby asked of the generator, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from tests.expressions import parse
from tests.generate_rules import Study
from tests.values import COMPARISONS
from timeline import fragment
from timeline.compiler import fragments
from timeline.parse_rule import OPERATORS
from timeline.rules import (
    EpisodesRule,
    FromRule,
    GradeRule,
    Lookup,
    PairsRule,
    Param,
    Rule,
    RuleBase,
    RuleSet,
    SqlRule,
)

KINDS = ("concept", "group", "several", "event", "patient", "from", "grade", "episodes", "pairs")
NOT_GENERATED: Mapping[str, str] = {
    "SqlRule": "the SELECT is the author's own: cases by hand in tests/spec/sql.yaml, on the SQL engine alone",
    "name": "every rule has one",
    "title": "words for readers: no row depends on them",
    "description": "words for readers: no row depends on them",
    "source": "words for readers: no row depends on them",
    "Column.sql left out": "a lookup: see Column.lookup",
    "Column.lookup left out": "an expression: see Column.sql",
    "Param.default": "every parameter has one",
    "cast()": "written `cast(x AS type)`, which is the node CAST, not a function",
    "ifnull()": "the parser reads it as coalesce",
    "TYPE": "the target of a CAST: no node of its own in the tree that the reference walks",
}
"""What the models and lists have and no random study can, with the reason."""
NODES = {
    "COMPARISON": (*COMPARISONS, "COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"),
    "OPERATOR": ("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "COMPARE_IN"),
    "CONJUNCTION": ("CONJUNCTION_AND", "CONJUNCTION_OR"),
}
"""The types that a node of a class may have, where there are several."""


def words_of(model: type[BaseModel]) -> Iterator[str]:
    """The words that fields of a model, and of the models within it, stand for."""
    for name, about in model.model_fields.items():
        at = f"{model.__name__}.{name}"
        options = [option for part in parts_of(about.annotation) for option in literals_of(part)]
        yield from (f"{at}: {str(option).lower()}" for option in options)
        if not options:
            yield at
        if not about.is_required() and bool not in parts_of(about.annotation):
            yield f"{at} left out"
        for part in parts_of(about.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from words_of(part)


def parts_of(annotation: Any) -> list[Any]:
    """The types that an annotation is made of, `Mapping[str, Column] | None` of four."""
    inner = [] if get_origin(annotation) is Literal else [p for a in get_args(annotation) for p in parts_of(a)]
    return [annotation, *inner]


def literals_of(annotation: Any) -> Sequence[Any]:
    if annotation is bool:
        return (True, False)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def asked(word: str) -> bool:
    """Whether a random study is to show it."""
    model, _, rest = word.partition(".")
    return not {word, model, rest.removesuffix(" left out")} & NOT_GENERATED.keys()


RULES = [part for part in parts_of(Rule) if isinstance(part, type) and issubclass(part, RuleBase)]
EVERY = frozenset(
    word
    for word in [
        *(word for rule in RULES for word in words_of(rule)),
        *(f"{name}()" for name in fragment.SCALARS | fragment.AGGREGATES | fragment.MACROS.keys()),
        *(kind for kind in fragment.ALLOWED if kind not in NODES),
        *(f"{kind} {kind_of}" for kind, types in NODES.items() for kind_of in types),
        *(f"from {kind}" for kind in KINDS),
        *(f"lookup {kind}" for kind in KINDS if kind != "several"),
        *(f"{operator} of {shape}" for operator in ("pairs", "from") for shape in ("moments", "spans", "facts")),
        *(f"episodes of {shape}" for shape in ("moments", "spans", "several")),
        *("by: one", "by: several", "by: unknown"),
        *(
            "pairs: rule",
            "pairs: several",
            "pairs: interval",
            "several findings",
            "finding of a rule",
            "several analytes",
        ),
        *(f"window {left}{right}" for left in "[(" for right in "])"),
        *("hold: inf", "gap: 0h", "-inf", "inf", "filter", "distinct", "$param", "duration", "set", "no index"),
        *("index.x", "patient.x", "concept.x", "base.x", "name.x", "day"),
        *(f"{kind} parameter" for kind in ("duration", "number", "boolean", "text")),
        *("one instant", "end before start", "no time", "no value", "bounded", "implausible", "unmapped", "no events"),
        *("recorded twice", "overlapping", "touching"),
    ]
    if asked(word)
)
"""Everything that a run of random studies must have tried."""
assert {operator for rule in RULES for operator in get_args(rule.model_fields["operator"].annotation)} == {*OPERATORS}


def features(study: Study, ruleset: RuleSet) -> frozenset[str]:
    """The words of `EVERY` that this study exercises."""
    found = {"set"} if study.set else set()
    if ruleset.index is None:
        found.add("no index")
    for rule in ruleset.rules.values():
        found.update(of_model(rule), of_rule(rule, ruleset))
        if isinstance(rule, EpisodesRule) and rule.by:
            found.add("by: several" if rule.by[1:] else "by: one")
            found.update("by: unknown" for _, rows in study.patients if unknown_by(rule, ruleset, rows))
        for column in rule.columns.values():
            if column.lookup:
                found.add(f"lookup {kind(column.lookup.relations, ruleset)}")
        for _, text, _ in fragments(rule):
            found.update(of_text(text))
    for _, rows in study.patients:
        found.update(of_events(rows))
    return EVERY & found


def of_model(model: BaseModel) -> Iterator[str]:
    """The words of `words_of` that this rule, and what it is made of, stands for."""
    for name, about in type(model).model_fields.items():
        at, value = f"{type(model).__name__}.{name}", getattr(model, name)
        if not about.is_required() and value == about.default:
            yield f"{at} left out"
        elif not any(literals_of(part) for part in parts_of(about.annotation)):
            yield at
        if isinstance(value, bool | str):
            yield f"{at}: {str(value).lower()}"
        for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,):
            if isinstance(inner, BaseModel):
                yield from of_model(inner)
                yield from of_leaf(inner)


def of_leaf(model: BaseModel) -> Iterator[str]:
    if isinstance(model, Param):
        yield f"{model.kind} parameter"
    if isinstance(model, Lookup) and model.window:
        window = model.window
        yield f"window {'[' if window.lower_closed else '('}{']' if window.upper_closed else ')'}"
        yield from {window.lower, window.upper} & {"-inf", "inf"}


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
            yield f"from {kind(rule.relations, ruleset)}"
            yield f"from of {shape(rule.relations[0], ruleset)}"
        case GradeRule():
            observed = [*rule.findings.values(), *rule.context.values()]
            yield "hold: inf" if "inf" in {rule.hold, *(o.hold for o in observed)} else ""
            yield "several findings" if len(rule.findings) > 1 else ""
            yield "finding of a rule" if any(o.relations[0] in ruleset.rules for o in observed) else ""
        case EpisodesRule():
            yield "gap: 0h" if rule.gap == "0h" else ""
            yield f"episodes of {'several' if rule.relations[1:] else shape(rule.relations[0], ruleset)}"
        case PairsRule():
            yield f"pairs of {shape(rule.relation, ruleset)}"
            yield "several analytes" if len(rule.analytes) > 1 else ""
            for group in rule.analytes:
                known = [ruleset.concepts[name] for name in group.relations if name in ruleset.concepts]
                yield "pairs: interval" if any(concept.scale == "interval" for concept in known) else ""
                yield f"pairs: {'rule' if group.relations[0] in ruleset.rules else kind(group.relations, ruleset)}"
        case SqlRule():
            pass


def unknown_by(rule: EpisodesRule, ruleset: RuleSet, rows: Iterable[Mapping[str, str]]) -> bool:
    """Whether an episode of events has a member of which a `by` column is not known."""
    if not set(rule.relations) <= ruleset.concepts.keys():
        return False
    members = {leaf for name in rule.relations for leaf in ruleset.members(name)}
    return any(
        row["code"] in members and row["time"] and not row.get(name, "known") for row in rows for name in rule.by
    )


def of_text(text: str) -> Iterator[str]:
    """What is seen in one expression."""
    for node in fragment.nodes(parse(text)):
        if node["class"] in NODES:
            yield f"{node['class']} {node['type']}"
        else:
            yield node["class"]
        if node["class"] == "FUNCTION":
            name = node["function_name"]
            yield "duration" if name == "minutes_long" else f"{name}()"
            yield from (word for word, used in (("filter", node["filter"]), ("distinct", node["distinct"])) if used)
        if node["class"] == "PARAMETER":
            yield "$param"
        if node["class"] == "COLUMN_REF":
            first, *rest = node["column_names"]
            if rest:
                yield f"{first if first in ('index', 'patient', 'concept', 'base') else 'name'}.x"
            if {first, *rest} & {"day", "start_day", "end_day"}:
                yield "day"


def of_events(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """What is special about a patient's events."""
    rows = list(rows)
    if not rows:
        yield "no events"
    instants = [(row["code"], row["time"]) for row in rows]
    spans = sorted((row["time"], row["end_time"]) for row in rows if "" < row["time"] < row["end_time"])
    conditions = {
        "one instant": len(set(instants)) < len(instants),
        "recorded twice": len({tuple(row.items()) for row in rows}) < len(rows),
        "overlapping": any(b[0] < a[1] for a, b in zip(spans, spans[1:], strict=False)),
        "touching": bool({end for _, end in spans} & {start for start, _ in spans}),
        "end before start": any("" < row["end_time"] < row["time"] for row in rows),
        "no time": any(not row["time"] for row in rows),
        "no value": any(not row["value"] for row in rows),
        "bounded": any(row["value"].startswith(("<", ">")) for row in rows),
        "implausible": any(row["code"] == "temperature" and row["value"] in ("1", "2", "3", "0") for row in rows),
        "unmapped": any(row["code"] == "unmapped" for row in rows),
    }
    yield from (name for name, holds in conditions.items() if holds)

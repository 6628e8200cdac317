"""A rule -> the rules that differ from it in one comparison, bound or bracket: what an example must tell apart.

Every change is made in the frozen models; knows no example and derives nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tests.mutate_expressions import edits, steps
from timeline.rules import (
    Column,
    EpisodesRule,
    FromRule,
    Lookup,
    Observed,
    Param,
    Rule,
    RuleBase,
    RuleSet,
    SqlRule,
    Window,
    minutes,
)

Site = tuple[tuple[str | int, ...], Any, str, str]
"""Where in a model, the value put there, and in words what was there and what is now."""
EXPRESSIONS = ("sql", "where", "grade", "level", "to", "lower", "upper")
"""The fields that hold an expression."""
CONDITIONS = ("checks", "steps")
"""The fields that hold named conditions."""
LENGTHS = ("gap", "hold")
"""The fields that hold a length of time, or the parameter that is one."""
OTHER = {"min": "max", "max": "min", "first": "last", "last": "first"}
SILENT = frozenset(
    ("columns", "lookup", "sql", "window", "default", "pick", "between", "one_of", "interval", "overlaps")
)
"""Fields that say nothing to the reader: the change shows them."""
NAMED = ("params", "columns", "checks", "steps", "findings", "context")
"""Fields whose keys are names that the rule's author chose."""


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed, and in words what that is."""

    file: str
    where: str
    before: str
    after: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.file} {self.rule.name}{self.where}: {self.before} -> {self.after}"


def mutants_of(ruleset: RuleSet, name: str) -> list[Mutant]:
    """Return every mutant of the rule `name`, each with a name of its own, in the order of the rule's parts."""
    rule = ruleset.rules[name]
    found, seen = [], Counter()
    if isinstance(rule, SqlRule):
        return found
    for path, value, before, after in _sites(rule, (), rule, ruleset):
        mutant = Mutant(file_of(ruleset, name), _words(path), before, after, changed(rule, path, value))
        if mutant.rule == rule:
            continue
        seen[str(mutant)] += 1
        times = seen[str(mutant)]
        found.append(replace(mutant, after=f"{after} (place {times})") if times > 1 else mutant)
    return found


def file_of(ruleset: RuleSet, name: str) -> str:
    """The rule's file, within the shipped folder of rules."""
    path = Path(ruleset.places[name].split(":")[0])
    return path.name if path.parent.name in ("", "rules") else f"{path.parent.name}/{path.name}"


def _words(path: tuple[str | int, ...]) -> str:
    chosen = [place > 0 and path[place - 1] in NAMED for place in range(len(path))]
    return "".join(f".{part}" for part, own in zip(path, chosen, strict=True) if own or part not in SILENT)


def changed(part: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return the model `part` with `value` at `path`."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(part, BaseModel):
        return part.model_copy(update={str(key): changed(getattr(part, str(key)), rest, value)})
    if isinstance(part, Mapping):
        return {**part, key: changed(part[key], rest, value)}
    return tuple(changed(item, rest, value) if place == key else item for place, item in enumerate(part))


def _sites(part: Any, path: tuple[str | int, ...], rule: Rule, ruleset: RuleSet) -> Iterator[Site]:
    """Every change of a model and of the models in it."""
    if isinstance(part, BaseModel):
        for inner, value, before, after in _own(part, rule, ruleset):
            yield (*path, *inner), value, before, after
        for name in type(part).model_fields:
            yield from _sites(getattr(part, name), (*path, name), rule, ruleset)
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _sites(inner, (*path, name), rule, ruleset)
    elif isinstance(part, tuple):
        for place, inner in enumerate(part):
            yield from _sites(inner, (*path, place), rule, ruleset)


def _own(part: BaseModel, rule: Rule, ruleset: RuleSet) -> Iterator[Site]:
    """Every change of one model by itself."""
    for name in type(part).model_fields:
        yield from _texts(name, getattr(part, name), rule)
    if isinstance(part, Param):
        yield from ((("default",), other, part.default, other) for other in _other_defaults(part))
    elif isinstance(part, Window):
        yield from _windows(part)
    elif isinstance(part, Lookup):
        yield from _lookups(part, ruleset)
    elif isinstance(part, Column):
        yield from _promises(part)
    elif isinstance(part, Observed):
        yield ("interval",), not part.interval, f"interval {part.interval}", f"interval {not part.interval}"
    elif isinstance(part, RuleBase):
        yield from _rules(part)


def _texts(name: str, value: Any, rule: Rule) -> Iterator[Site]:
    """Every change of the expressions and lengths of time in one field."""
    if name in CONDITIONS:
        for key, condition in value.items():
            yield from (((name, key), edit.text, edit.before, edit.after) for edit in edits(condition))
    elif name in EXPRESSIONS and value not in (None, "inf", "-inf"):
        yield from (((name,), edit.text, edit.before, edit.after) for edit in edits(value))
    elif name in LENGTHS and value is not None:
        yield from (((name,), other, value, other) for other in _a_minute_off(_length(value, rule)))


def _length(text: str, rule: Rule) -> str:
    """A length of time as it is in force: several findings may share a parameter, each is changed alone."""
    return rule.params[text[1:]].default if text.startswith("$") else text


def _a_minute_off(text: str) -> tuple[str, ...]:
    length = minutes(text)
    return () if length is None else (f"{length - 1}min", f"{length + 1}min")


def _other_defaults(param: Param) -> tuple[str, ...]:
    if param.kind == "duration":
        return _a_minute_off(param.default)
    if param.kind == "number":
        return steps(param.default)
    return ("false" if param.default == "true" else "true",) if param.kind == "boolean" else ("another word",)


def _windows(window: Window) -> Iterator[Site]:
    """Each bracket turned round; each bound a minute off, to the side that no bracket shows."""
    for side, outward in (("lower", "-"), ("upper", "+")):
        bound, closed = getattr(window, side), getattr(window, f"{side}_closed")
        if bound.endswith("inf"):
            continue
        inward = "+" if outward == "-" else "-"
        for update in ({f"{side}_closed": not closed}, {side: f"{bound} {outward if closed else inward} 1min"}):
            other = window.model_copy(update=update)
            yield (), other, str(window), str(other)


def _lookups(lookup: Lookup, ruleset: RuleSet) -> Iterator[Site]:
    if lookup.pick in OTHER:
        yield ("pick",), OTHER[lookup.pick], lookup.pick, OTHER[lookup.pick]
    if lookup.pick == "nearest":
        for pick in ("first", "last"):
            yield (), lookup.model_copy(update={"pick": pick, "to": None}), "nearest", pick
    if lookup.where is not None:
        yield ("where",), None, lookup.where, "no condition"
    window = lookup.window
    if window is not None and lookup.relations[0] in ruleset.rules and _of_spans(ruleset, lookup.relations[0]):
        before, after = ("overlaps", "in") if window.overlaps else ("in", "overlaps")
        yield ("window", "overlaps"), not window.overlaps, before, after


def _of_spans(ruleset: RuleSet, name: str) -> bool:
    rule = ruleset.rules.get(name)
    if isinstance(rule, FromRule):
        return rule.spans or _of_spans(ruleset, rule.relations[0])
    return isinstance(rule, EpisodesRule)


def _promises(column: Column) -> Iterator[Site]:
    """Promises made narrower. One made wider changes no row, so no example can tell it."""
    for word in column.one_of if len(column.one_of) > 1 else ():
        rest = tuple(other for other in column.one_of if other != word)
        yield ("one_of",), rest, f"one of {', '.join(column.one_of)}", f"one of {', '.join(rest)}"
    if column.between is not None:
        low, high = column.between
        for other in ((low + 1, high) if low is not None else None, (low, high - 1) if high is not None else None):
            if other is not None:
                yield ("between",), other, _range(column.between), _range(other)


def _range(between: tuple[float | None, float | None]) -> str:
    return f"between [{', '.join('null' if bound is None else f'{bound:g}' for bound in between)}]"


def _rules(rule: RuleBase) -> Iterator[Site]:
    where = getattr(rule, "where", None)
    if where is not None:
        yield ("where",), None, where, "no condition"
    apart = rule.by if isinstance(rule, EpisodesRule) else ()
    for name in apart:
        rest = tuple(other for other in apart if other != name)
        yield ("by",), rest, ", ".join(apart), ", ".join(rest) or "nothing"
    if not isinstance(rule, FromRule):
        return
    if rule.keep is not None:
        yield ("keep",), OTHER[rule.keep], rule.keep, OTHER[rule.keep]
    names = list(rule.steps)
    for place in range(len(names) - 1):
        order = [*names[:place], names[place + 1], names[place], *names[place + 2 :]]
        yield ("steps",), {name: rule.steps[name] for name in order}, ", ".join(names), ", ".join(order)

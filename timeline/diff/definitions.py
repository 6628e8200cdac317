"""How the definitions of two sides differ: which rules say something else, in which of their parts; knows no rows."""

from collections.abc import Iterator, Mapping
from typing import Any

from timeline.diff.sides import Side

WORDS = ("title", "description", "source", "name", "operator")
"""Parts of a rule that decide nothing, or that every rule has."""


def parts(a: Side, b: Side, rule: str) -> tuple[str, ...]:
    """Return what differs in a rule's own definition: `params.window: 24h -> 48h`, `columns.status`, a concept."""
    found: list[str] = []
    for param in sorted({*a.params[rule], *b.params[rule]}):
        before, after = a.params[rule].get(param), b.params[rule].get(param)
        if before != after:
            found.append(f"params.{param}: {before or 'none'} -> {after or 'none'}")
    one, other = (dict(_flat(side.ruleset.rules[rule].model_dump(exclude={*WORDS, "params"}))) for side in (a, b))
    found += [path for path in dict.fromkeys([*one, *other]) if one.get(path) != other.get(path)]
    if a.ruleset.rules[rule].operator != b.ruleset.rules[rule].operator:
        found = [f"`{a.ruleset.rules[rule].operator}` -> `{b.ruleset.rules[rule].operator}`"]
    concepts = [_concepts(side, rule) for side in (a, b)]
    names = sorted({*concepts[0], *concepts[1]})
    return (*found, *(f"concept {name}" for name in names if concepts[0].get(name) != concepts[1].get(name)))


def _concepts(side: Side, rule: str) -> dict[str, Any]:
    named = side.compiled[rule].concepts
    return {name: side.ruleset.concepts[name].model_dump(exclude={"title", "source"}) for name in named}


def _flat(dumped: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parts of a rule by their dotted path, as an author knows them; of columns, one a column."""
    for key, value in dumped.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def roots(a: Side, b: Side, rule: str) -> tuple[str, ...]:
    """Return the rules upstream of `rule` that say something else by themselves, or that one side does not have."""
    found, waiting = set(), [rule]
    seen = {rule}
    while waiting:
        name = waiting.pop()
        for read in {*_reads(a, name), *_reads(b, name)} - seen:
            seen.add(read)
            waiting.append(read)
            if a.own.get(read) != b.own.get(read):
                found.add(read)
    return tuple(sorted(found))


def _reads(side: Side, rule: str) -> tuple[str, ...]:
    return side.compiled[rule].reads if rule in side.compiled else ()

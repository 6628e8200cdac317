"""A rule set -> one SELECT a rule, in the order in which they read each other.

`compile_rules` is the whole surface. One file an operator; each step of a rule is one CTE.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import duckdb

from timeline.compiler.context import Compiled, Context, missing
from timeline.compiler.episodes import compile_episodes
from timeline.compiler.finish import DAYS
from timeline.compiler.from_ import compile_from
from timeline.compiler.grade import compile_grade
from timeline.compiler.pairs import compile_pairs
from timeline.compiler.params import literals
from timeline.compiler.relation import Relation
from timeline.compiler.sql import compile_sql
from timeline.errors import Finding, Findings
from timeline.rules import SIDES, EpisodesRule, FromRule, GradeRule, Lookup, PairsRule, Rule, RuleSet, SqlRule

COMPILERS = {
    "from": compile_from,
    "grade": compile_grade,
    "episodes": compile_episodes,
    "pairs": compile_pairs,
    "sql": compile_sql,
}


def compile_rules(
    ruleset: RuleSet,
    overrides: Mapping[str, str] = {},
    before: Mapping[str, Compiled] = {},
    alike: Mapping[str, tuple[Compiled, Mapping[str, Relation]]] = {},
) -> tuple[Compiled, ...]:
    """Return every rule compiled, each after those it reads; raise `Findings` with all mistakes.

    `overrides` are parameters of this run, `rule.param` -> text. Rules in `before` were compiled already, of the
    same meaning, and are taken as they are. Those in `alike` were compiled of the same text and parameters, and are
    taken where what they read has the shape that it had then, which stands beside them.
    """
    params, findings = literals(ruleset, overrides)
    reads = {name: rules_read(rule, ruleset) for name, rule in ruleset.rules.items()}
    upstream = _upstream(reads, ruleset.index)
    index = ruleset.index
    if index is not None and index in ruleset.rules:
        reads = {name: read if name in upstream else read | {index} for name, read in reads.items()}
    order, circles = _sorted(reads)
    findings += [_circle(ruleset, circle) for circle in circles]
    compiled: dict[str, Compiled] = {}
    with duckdb.connect(":memory:") as con:
        for name in order:
            if name in before or _same_shapes(alike.get(name), compiled):
                compiled[name] = before[name] if name in before else alike[name][0]
                continue
            day_zero = compiled.get(index or "") if name not in upstream else None
            # Before there is an index there are no days to read.
            known = {n: _without_days(c.relation) if name in upstream else c.relation for n, c in compiled.items()}
            ctx = Context(
                ruleset, ruleset.rules[name], known, params[name], day_zero.relation if day_zero else None, con
            )
            made = _compile(ctx, reads[name] <= set(compiled))
            findings += ctx.findings
            if made is not None and not ctx.findings:
                compiled[name] = replace(
                    made,
                    concepts=tuple(sorted(ctx.concepts_used)),
                    event_columns=frozenset(ctx.columns_used),
                    reads=tuple(sorted(reads[name])),
                )
                findings += _unused(ctx)
    if findings:
        raise Findings(findings)
    return tuple(compiled.values())


def _same_shapes(earlier: tuple[Compiled, Mapping[str, Relation]] | None, compiled: Mapping[str, Compiled]) -> bool:
    if earlier is None:
        return False
    rule, relations = earlier
    return all(name in compiled and compiled[name].relation == relations[name] for name in rule.reads)


def _compile(ctx: Context, readable: bool) -> Compiled | None:
    """Compile one rule; where a rule it reads has mistakes, find at least those that it has by itself."""
    if readable:
        made = COMPILERS[ctx.rule.operator](ctx, ctx.rule)  # type: ignore[operator]
        if made is not None and ctx.ruleset.index == ctx.rule.name and made.kind == "facts":
            ctx.say("", f"the index rule `{ctx.rule.name}` has no time; it gives each patient day 0")
        return made
    if not isinstance(ctx.rule, SqlRule):
        for path, text, aggregates in fragments(ctx.rule):
            ctx.parse(text, path, aggregates=aggregates)
    for name in sorted(relations_named(ctx.rule)):
        if name not in ctx.ruleset.concepts and name not in ctx.known:
            ctx.say("", missing("concept or rule", name, [*ctx.ruleset.concepts, *ctx.known]))
    return None


def _without_days(relation: Relation) -> Relation:
    days = DAYS[relation.kind]
    return replace(relation, columns={name: kind for name, kind in relation.columns.items() if name not in days})


def relations_named(rule: Rule) -> set[str]:
    """Every relation that a rule names."""
    named = {name for column in rule.columns.values() if column.lookup for name in column.lookup.relations}
    if isinstance(rule, FromRule | EpisodesRule):
        named |= set(rule.relations)
    elif isinstance(rule, GradeRule):
        named |= {name for o in (*rule.findings.values(), *rule.context.values()) for name in o.relations}
    elif isinstance(rule, PairsRule):
        named |= {rule.relation, *(name for group in rule.analytes for name in group.relations)}
    else:
        named |= set(rule.uses)
    return named


def rules_read(rule: Rule, ruleset: RuleSet) -> set[str]:
    """The rules that a rule names."""
    return {name for name in relations_named(rule) if name in ruleset.rules}


def needed(ruleset: RuleSet, names: Iterable[str]) -> RuleSet:
    """The rule set with only those rules that `names` are derived from, the index among them."""
    found: set[str] = set()
    waiting = [*names, *((ruleset.index,) if ruleset.index else ())]
    while waiting:
        name = waiting.pop()
        if name in ruleset.rules and name not in found:
            found.add(name)
            waiting += rules_read(ruleset.rules[name], ruleset)
    return ruleset.model_copy(update={"rules": {n: rule for n, rule in ruleset.rules.items() if n in found}})


def fragments(rule: Rule) -> Iterator[tuple[str, str, bool]]:
    """Path, text and whether aggregates are at home, of each expression of a rule."""
    folds = isinstance(rule, EpisodesRule) or (isinstance(rule, FromRule) and bool(rule.group_by))
    for name, column in rule.columns.items():
        if column.sql is not None:
            yield f"columns.{name}", column.sql, folds
        elif column.lookup is not None:
            yield from ((f"columns.{name}", text, False) for text in _of_lookup(column.lookup))
    yield from ((f"checks.{name}", text, False) for name, text in rule.checks.items())
    if not isinstance(rule, PairsRule | SqlRule) and rule.where is not None:
        yield "where", rule.where, False
    if isinstance(rule, FromRule):
        yield from ((f"steps.{name}", text, False) for name, text in rule.steps.items())
    elif isinstance(rule, GradeRule):
        yield "grade", rule.grade, False
        for group in ("findings", "context"):
            yield from ((f"{group}.{n}.level", o.level, False) for n, o in getattr(rule, group).items())
    elif isinstance(rule, PairsRule):
        yield from ((path, text, False) for path, lookup in _sides(rule) for text in _of_lookup(lookup))


def _sides(rule: PairsRule) -> Iterator[tuple[str, Lookup]]:
    for position, group in enumerate(rule.analytes):
        for side in SIDES:
            if (lookup := getattr(group, side)) is not None:
                yield f"analytes.{position}.{side}", lookup


def _of_lookup(lookup: Lookup) -> Iterator[str]:
    window = lookup.window
    bounds = (window.lower, window.upper) if window else ()
    texts = (*bounds, lookup.where, lookup.to)
    yield from (text for text in texts if text is not None and text not in ("-inf", "inf"))


def _unused(ctx: Context) -> list[Finding]:
    unused = sorted(set(ctx.rule.params) - ctx.params_used)
    advice = "is never used; write it with a $ where it is meant, or leave it out"
    return [Finding(ctx.place(f"params.{name}"), f"parameter `{name}` {advice}") for name in unused]


def _upstream(reads: Mapping[str, set[str]], index: str | None) -> set[str]:
    """The index rule and all that it reads: they cannot use `index`."""
    found: set[str] = set()
    waiting = [index] if index is not None and index in reads else []
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += list(reads[name])
    return found


def _sorted(reads: Mapping[str, set[str]]) -> tuple[list[str], list[list[str]]]:
    """The rules in an order in which each comes after those it reads, and the circles that prevent one."""
    from graphlib import CycleError, TopologicalSorter

    graph, circles = {name: set(sorted(read)) for name, read in sorted(reads.items())}, []
    while True:
        try:
            return list(TopologicalSorter(graph).static_order()), circles
        except CycleError as error:
            circle = list(error.args[1])[::-1]
            circles.append(circle)
            graph = {name: read - set(circle) for name, read in graph.items() if name not in circle}


def _circle(ruleset: RuleSet, circle: list[str]) -> Finding:
    place = ruleset.places.get(circle[0], "")
    return Finding(place, f"rules read each other in a circle: {' -> '.join(circle)}")


__all__ = ["Compiled", "Relation", "compile_rules", "fragments", "needed", "relations_named", "rules_read"]

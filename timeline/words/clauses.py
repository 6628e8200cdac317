"""A rule as clauses: what its operator does, each level, column, step and check; the author's words come first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from timeline.rules import (
    SIDES,
    Analytes,
    Column,
    Concept,
    EpisodesRule,
    FromRule,
    GradeRule,
    Lookup,
    Observed,
    PairsRule,
    SqlRule,
)
from timeline.words.expressions import outcomes, tree_of, value
from timeline.words.lookups import Sayer, condition_of, lookup_of, many, where
from timeline.words.names import Scope, duration, listed, short, spoken, uncapitalized, unit


@dataclass(frozen=True)
class Clause:
    """One part of a definition: what it is about, in Markdown; empty for the rule as a whole."""

    about: str
    words: str


def clauses(sayer: Sayer) -> tuple[Clause, ...]:
    """Return the definition of a rule, in the order in which it is read."""
    rule = sayer.rule
    if isinstance(rule, FromRule):
        found = list(_from(sayer, rule))
    elif isinstance(rule, GradeRule):
        found = list(_grade(sayer, rule))
    elif isinstance(rule, EpisodesRule):
        found = list(_episodes(sayer, rule))
    elif isinstance(rule, PairsRule):
        found = list(_pairs(sayer, rule))
    else:
        found = list(_sql(sayer, rule))
    return (*found, *_checks(sayer))


def _from(sayer: Sayer, rule: FromRule) -> Iterator[Clause]:
    source = sayer.scope_of(rule.relations)
    sentences = [f"One row for each {source.row}{where(rule.where, sayer.scope)}."]
    if rule.group_by:
        keys = listed([_key(key, rule, sayer) for key in rule.group_by])
        chosen = f", where {condition_of(rule.where, source)}," if rule.where else ""
        sentences = [f"One row for all {many(source.row)}{chosen} of one patient with the same {keys}."]
    if rule.spans:
        sentences.append("It lasts from its time to its end time, or is a moment where it has none.")
    if rule.keep:
        sentences.append(f"Of these only the {rule.keep} of each patient is kept.")
    yield Clause("", " ".join(sentences))
    yield from _columns(sayer, aggregates=bool(rule.group_by))
    if rule.steps:
        steps = [
            f"*{spoken(n, sayer.scope.spellings)}*: {condition_of(text, sayer.scope)}" for n, text in rule.steps.items()
        ]
        yield Clause(
            "Steps, in order",
            "; ".join(steps) + ". The first that does not hold excludes; one that is unknown does not hold.",
        )


def _key(key: str, rule: FromRule, sayer: Sayer) -> str:
    return f"*{spoken(key, sayer.scope.spellings)}*" if key in rule.columns else spoken(key, sayer.scope.spellings)


def _grade(sayer: Sayer, rule: GradeRule) -> Iterator[Clause]:
    yield Clause(
        "",
        "A grade at each time at which a finding is observed. "
        + (f"Only observations count where {condition_of(rule.where, sayer.scope)}. " if rule.where else "")
        + "Of the observations of a finding in force the latest counts, of several at one instant the worst; once none "
        "is in force the finding is missing. Where the grade is unknown there is no row.",
    )
    for title, group in (("finding", rule.findings), ("context", rule.context)):
        for names, observed in _alike(group):
            yield _observed(sayer, rule, title, names, observed)
    yield from _columns(sayer)
    yield Clause("**grade**", _value(rule.grade, sayer.scope) + ".")


def _alike(group: Mapping[str, Observed]) -> list[tuple[tuple[str, ...], tuple[Observed, ...]]]:
    """Findings that differ in their relation alone, said once together."""
    found: dict[tuple[str, bool, str | None], list[str]] = {}
    for name, observed in group.items():
        found.setdefault((observed.level, observed.interval, observed.hold), []).append(name)
    return [(tuple(names), tuple(group[name] for name in names)) for names in found.values()]


def _observed(sayer: Sayer, rule: GradeRule, title: str, names: tuple[str, ...], group: tuple[Observed, ...]) -> Clause:
    said = [
        f"*{spoken(name, sayer.scope.spellings)}* ({sayer.noun(observed.relations)})"
        for name, observed in zip(names, group, strict=True)
    ]
    observed, scope = group[0], sayer.scope_of(tuple(n for one in group for n in one.relations))
    held = _length(observed.hold or rule.hold or "", sayer.scope)
    holds = "from then on" if held == "inf" else f"for {held}, both ends included"
    if observed.interval:
        holds = "to its end time, or without one " + ("from then on" if held == "inf" else f"for {held}")
    about = f"{title}s" if len(names) > 1 and title == "finding" else title
    alone = "; makes no row by itself" if title == "context" else ""
    return Clause(f"Level of {about} {listed(said)}", f"{_level(observed.level, scope)}; in force {holds}{alone}.")


def _level(text: str, scope: Scope) -> str:
    """A level in words: where it is unknown, nothing was observed."""
    tree = tree_of(text, scope)
    return outcomes(tree, scope, unknown="no observation") if tree["class"] == "CASE" else value(tree, scope)


def _episodes(sayer: Sayer, rule: EpisodesRule) -> Iterator[Clause]:
    source = sayer.scope_of(rule.relations)
    lasting = set(rule.relations) & sayer.spans
    ends = "from the start of the first to the latest end" if lasting else "from the first to the last of them"
    alike = f" with the same {listed([spoken(name, sayer.scope.spellings) for name in rule.by])}" if rule.by else ""
    said = (
        f"{_capitalized(many(source.row))} of a patient{alike} that lie at most {_length(rule.gap, sayer.scope)} apart "
        f"are merged into one {sayer.scope.row}, {ends}."
    )
    if rule.where:
        said += f" Only those count where {condition_of(rule.where, source)}."
    if rule.by:
        said += " An unknown value counts as one of its own."
    yield Clause("", said)
    yield from _columns(sayer, aggregates=True)


def _pairs(sayer: Sayer, rule: PairsRule) -> Iterator[Clause]:
    sides = [
        "at baseline" if side == "baseline" else side
        for side in SIDES
        if any(getattr(group, side) for group in rule.analytes)
    ]
    said = (
        f"One row for each {sayer.scope.row} and each analyte, found or not: the values {listed(sides)}, their change, "
        "percent change and ratio, and which of them is missing."
    )
    read = [leaf for group in rule.analytes for name in group.relations for leaf in _leaves(name, sayer)]
    if without := [_title(leaf) for leaf in read if leaf.scale == "interval"]:
        said += f" The zero of {listed(without)} is a convention, so it has no percent change and no ratio."
    yield Clause("", said)
    for group in rule.analytes:
        yield Clause(listed([_analyte(name, sayer) for name in group.relations]), _sides(sayer, group))
    yield from _columns(sayer)


def _analyte(name: str, sayer: Sayer) -> str:
    concept = sayer.ruleset.concepts.get(name)
    if concept:
        return short(concept.title or name)
    titles = [_title(one) for one in _leaves(name, sayer)]
    return f"{_capitalized(spoken(name, sayer.scope.spellings))} ({listed(titles)})"


def _leaves(name: str, sayer: Sayer) -> list[Concept]:
    """The concepts that an analyte stands for, or is read from by its rule."""
    rule = sayer.ruleset.rules.get(name)
    read = rule.relations if isinstance(rule, FromRule) else (name,)
    known = sayer.ruleset.concepts
    return [
        known[leaf] for leaf in sorted({leaf for one in read if one in known for leaf in sayer.ruleset.members(one)})
    ]


def _title(concept: Concept) -> str:
    return uncapitalized(short(concept.title or concept.name))


def _sides(sayer: Sayer, group: Analytes) -> str:
    said = []
    for side in SIDES:
        lookup: Lookup | None = getattr(group, side)
        if lookup is not None:
            of = lookup.model_copy(update={"relations": group.relations})
            said.append(f"{side}: {lookup_of(sayer, of)}")
    return "; ".join(said) + "."


def _sql(sayer: Sayer, rule: SqlRule) -> Iterator[Clause]:
    read = listed([spoken(name, sayer.scope.spellings) for name in rule.uses])
    yield Clause("", f"Derived by a SELECT of its own from {read}; `timeline check --sql {rule.name}` shows it.")
    yield from _columns(sayer)


def _checks(sayer: Sayer) -> Iterator[Clause]:
    finished = replace(sayer.scope, own=sayer.scope.own | set(sayer.rule.columns))
    checks = [f"{name} ({condition_of(text, finished)})" for name, text in sayer.rule.checks.items()]
    if checks:
        yield Clause("Checked in every row", "; ".join(checks) + ".")


def _columns(sayer: Sayer, *, aggregates: bool = False) -> Iterator[Clause]:
    for name, column in sayer.rule.columns.items():
        about = f"*{spoken(name, sayer.scope.spellings)}*"
        measured = f" [{unit(column.unit)}]" if unit(column.unit) else ""
        meaning = f" ({column.meaning})" if column.meaning else ""
        yield Clause(about + measured + meaning, _column(sayer, column, aggregates) + ".")


def _column(sayer: Sayer, column: Column, aggregates: bool) -> str:
    if column.lookup is not None:
        return lookup_of(sayer, column.lookup)
    if column.sql is None or isinstance(sayer.rule, SqlRule):
        return "as the SELECT gives it"
    tree = tree_of(column.sql, sayer.scope, aggregates=aggregates)
    said = value(tree, sayer.scope)
    plain = len(tree.get("column_names", ())) == 1 and not said.startswith(("*", "the "))
    return f"its {said}" if plain else said


def _value(text: str, scope: Scope, *, aggregates: bool = False) -> str:
    return value(tree_of(text, scope, aggregates=aggregates), scope)


def _length(text: str, scope: Scope) -> str:
    if text.startswith("$") and text[1:] in scope.params:
        text = scope.params[text[1:]][0]
    return duration(text)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]

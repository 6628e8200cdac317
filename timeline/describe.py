"""A rule set as the Methods section of a paper: paragraphs, definitions, concepts; knows no connection and no study."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from timeline.compiler import Compiled, compile_rules, relations_named
from timeline.compiler.params import in_force
from timeline.errors import UsageError
from timeline.printing import did_you_mean
from timeline.rules import EpisodesRule, FromRule, GradeRule, PairsRule, Param, Rule, RuleSet
from timeline.schema import EVENT, PATIENT
from timeline.words import Clause, Sayer, Scope, clauses, quantity, spoken, unit


@dataclass(frozen=True)
class Paragraph:
    """One rule in sentences: its author's, or made from the definition where the author wrote none."""

    rule: str
    topic: str
    title: str
    text: str
    source: str


@dataclass(frozen=True)
class Parameter:
    """A parameter in force, its values in words with their unit."""

    rule: str
    name: str
    value: str
    default: str
    meaning: str

    @property
    def changed(self) -> bool:
        return self.value != self.default

    def __str__(self) -> str:
        return f"{self.meaning or self.name}: {self.value} in place of {self.default}"


@dataclass(frozen=True)
class Definition:
    """One rule clause by clause, as the engine reads it."""

    rule: str
    topic: str
    title: str
    clauses: tuple[Clause, ...]
    parameters: tuple[Parameter, ...]
    source: str


@dataclass(frozen=True)
class ConceptUsed:
    """A concept or group that the rules read, the number of its codes in force, and the rules."""

    concept: str
    title: str
    units: tuple[str, ...]
    codes: int
    members: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """A rule set in words; paragraphs and definitions each after those of the rules that they read."""

    ruleset: str
    version: str
    conventions: str
    changed: tuple[Parameter, ...]
    """Parameters of any rule that differ from their defaults."""
    paragraphs: tuple[Paragraph, ...]
    definitions: tuple[Definition, ...]
    concepts: tuple[ConceptUsed, ...]


def describe(ruleset: RuleSet, params: Mapping[str, str] = {}, only: Sequence[str] = ()) -> Description:
    """Return the rule set in words, or the rules `only`, with the parameters in force, `rule.param` -> text.

    Raises `Findings` with the mistakes of the rules, UsageError for a rule or parameter that is none.
    """
    for rule in only:
        if rule not in ruleset.rules:
            raise UsageError(f"there is no rule `{rule}` to describe{did_you_mean(rule, ruleset.rules) or '.'}")
    compiled = {rule.name: rule for rule in compile_rules(ruleset, params)}
    chosen = [name for name in _order(ruleset, compiled) if not only or name in only]
    parameters = _parameters(ruleset, params)
    definitions = tuple(_definition(ruleset, compiled, name, parameters[name]) for name in chosen)
    return Description(
        ruleset.name,
        ruleset.version,
        _conventions(ruleset),
        tuple(one for name in parameters for _, one in parameters[name] if one.changed),
        tuple(_paragraph(ruleset.rules[one.rule], one) for one in definitions),
        definitions,
        tuple(_concepts(ruleset, compiled, chosen)),
    )


def as_markdown(description: Description, heading: str = "#") -> str:
    """Return the description as Markdown under a heading of that level."""
    sources = list(dict.fromkeys(one.source for one in description.definitions if one.source))
    numbers = {source: number for number, source in enumerate(sources, 1)}
    parts = [f"{heading} Methods: {description.ruleset} {description.version}".rstrip(), description.conventions]
    if description.changed:
        parts.append(
            f"Set for this analysis: {'; '.join(f'`{p.rule}.{p.name}`, {p}' for p in description.changed)}. Where a "
            "paragraph names a default, the value here holds; the definitions are written with the values in force."
        )
    topic = ""
    for paragraph in description.paragraphs:
        if paragraph.topic != topic:
            parts.append(f"{heading}# {paragraph.topic}")
        topic = paragraph.topic
        cited = f" [{numbers[paragraph.source]}]" if paragraph.source else ""
        parts.append(f"**{_sentence(paragraph.title)}** {paragraph.text}{cited}")
    parts += [f"{heading}# Definitions", _definitions(description, numbers)]
    if description.concepts:
        parts += [f"{heading}# Concepts", _concept_table(description)]
    if sources:
        parts += [f"{heading}# Sources", "\n".join(f"{number}. {source}" for source, number in numbers.items())]
    return "\n\n".join(parts)


def _definitions(description: Description, numbers: Mapping[str, int]) -> str:
    rows = []
    for one in description.definitions:
        said = [f"{clause.about}: {clause.words}" if clause.about else clause.words for clause in one.clauses]
        values = [f"`{p.name}` {p.value}" + (f" (default {p.default})" if p.changed else "") for p in one.parameters]
        meant = [
            f"{value}: {p.meaning}" if p.meaning else value for value, p in zip(values, one.parameters, strict=True)
        ]
        source = f"[{numbers[one.source]}]" if one.source else "–"
        rows.append([f"`{one.rule}`", one.title, "<br>".join(said), "<br>".join(meant) or "–", source])
    return _table(("rule", "what it is", "definition", "parameters in force", "source"), rows)


def _concept_table(description: Description) -> str:
    rows = []
    for one in description.concepts:
        codes = f"group of {', '.join(f'`{m}`' for m in one.members)}" if one.members else str(one.codes)
        units = ", ".join(filter(None, map(unit, one.units))) or "–"
        rows.append([f"`{one.concept}`", one.title, units, codes, ", ".join(f"`{rule}`" for rule in one.rules)])
    return _table(("concept", "what it is", "unit", "codes", "read by"), rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([" ".join(cell.replace("|", "\\|").split()) for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _paragraph(rule: Rule, definition: Definition) -> Paragraph:
    """The author's description, else the clauses; with the parameters that differ from what it was written for."""
    said = [f"{_capital(c.about)}: {c.words}" if c.about else c.words for c in definition.clauses]
    text = " ".join(rule.description.split()) or " ".join(said)
    changed = [str(one) for one in definition.parameters if one.changed]
    if changed and rule.description:
        text = f"{_sentence(text)} Set for this analysis: {'; '.join(changed)}."
    return Paragraph(rule.name, definition.topic, definition.title, text, definition.source)


def _parameters(ruleset: RuleSet, params: Mapping[str, str]) -> dict[str, list[tuple[str, Parameter]]]:
    """Each rule's parameters in force, as text and in words."""
    return {
        name: [(text, _parameter(name, key, text, ruleset.rules[name].params[key])) for key, text in texts.items()]
        for name, texts in in_force(ruleset, params).items()
    }


def _parameter(rule: str, name: str, text: str, param: Param) -> Parameter:
    return Parameter(rule, name, quantity(text, param.unit), quantity(param.default, param.unit), param.meaning)


def _definition(
    ruleset: RuleSet, compiled: Mapping[str, Compiled], name: str, parameters: Sequence[tuple[str, Parameter]]
) -> Definition:
    rule = ruleset.rules[name]
    sayer = _sayer(ruleset, compiled, rule, {one.name: text for text, one in parameters})
    spellings = sayer.scope.spellings
    topic = _capital(spoken(PurePosixPath(_file(ruleset, name)).stem, spellings))
    title = rule.title or _capital(spoken(name, spellings))
    source = " ".join(rule.source.split())
    return Definition(name, topic, title, clauses(sayer), tuple(one for _, one in parameters), source)


def _sayer(ruleset: RuleSet, compiled: Mapping[str, Compiled], rule: Rule, texts: Mapping[str, str]) -> Sayer:
    kinds = {name: {field.name: field.type for field in one.fields} for name, one in compiled.items()}
    kinds |= {name: {field.name: field.type for field in f} for name, f in (("event", EVENT), ("patient", PATIENT))}
    spans = frozenset(name for name, one in compiled.items() if one.kind == "spans")
    spellings = _spellings(ruleset)
    read = rule.relations if isinstance(rule, FromRule | EpisodesRule) else ()
    read = (rule.relation,) if isinstance(rule, PairsRule) else read
    known = {column for name in read for column in kinds.get(name, kinds["event"])}
    declared = {*rule.columns, *getattr(rule, "findings", {}), *getattr(rule, "context", {})}
    scope = Scope(
        row=spoken(rule.name, spellings),
        own=frozenset((declared | ({"grade"} if isinstance(rule, GradeRule) else set())) - known),
        kinds={column: kind for name in (*read, rule.name) for column, kind in kinds.get(name, kinds["event"]).items()},
        params={key: (text, rule.params[key].unit) for key, text in texts.items()},
        concepts={name: concept.title or name for name, concept in ruleset.concepts.items()},
        spellings=spellings,
        index=spoken(ruleset.index or "index", spellings),
    )
    sayer = Sayer(ruleset, rule, scope, kinds, spans)
    # In an expression of `from` and `pairs` the row is one of what is read; an episode is its own.
    if isinstance(rule, FromRule | PairsRule):
        return replace(sayer, scope=replace(scope, row=sayer.noun(read)))
    return sayer


def _spellings(ruleset: RuleSet) -> dict[str, str]:
    """Abbreviations that titles write in capitals, by how names write them: `sofa` is SOFA."""
    titles = [item.title for item in (*ruleset.concepts.values(), *ruleset.rules.values())]
    found = {word for title in titles for word in re.findall(r"[A-Za-z][\w-]*", title)}
    return {
        word.lower().replace("-", "_"): word for word in sorted(found) if sum(letter.isupper() for letter in word) > 1
    }


def _order(ruleset: RuleSet, compiled: Mapping[str, Compiled]) -> list[str]:
    """The rules, each after those it reads; a file stays together wherever that can be."""
    waiting, done = list(ruleset.rules), list[str]()
    while waiting:
        ready = [name for name in waiting if set(compiled[name].reads) <= set(done)]
        files = list(dict.fromkeys(_file(ruleset, name) for name in ready))
        file = next((file for file in files if _complete(ruleset, compiled, file, waiting)), files[0])
        if done and _file(ruleset, done[-1]) in files:
            file = _file(ruleset, done[-1])
        chosen = next(name for name in ready if _file(ruleset, name) == file)
        waiting.remove(chosen)
        done.append(chosen)
    return done


def _complete(ruleset: RuleSet, compiled: Mapping[str, Compiled], file: str, waiting: Sequence[str]) -> bool:
    """Whether all that waits of a file reads nothing that waits outside it."""
    own = {name for name in waiting if _file(ruleset, name) == file}
    return all(set(compiled[name].reads) & set(waiting) <= own for name in own)


def _file(ruleset: RuleSet, name: str) -> str:
    return ruleset.places.get(name, "rules.yaml").split(":")[0]


def _concepts(ruleset: RuleSet, compiled: Mapping[str, Compiled], chosen: Sequence[str]) -> Iterable[ConceptUsed]:
    readers: dict[str, list[str]] = {}
    for name in chosen:
        groups = {n for n in relations_named(ruleset.rules[name]) if n in ruleset.concepts}
        for concept in sorted(groups | set(compiled[name].concepts)):
            readers.setdefault(concept, []).append(name)
    for name, rules in sorted(readers.items()):
        concept = ruleset.concepts[name]
        members = ruleset.members(name) if concept.members else ()
        yield ConceptUsed(name, concept.title, concept.units, len(concept.codes), members, tuple(rules))


def _conventions(ruleset: RuleSet) -> str:
    days = f" Day 0 is the calendar date of the {spoken(ruleset.index, _spellings(ruleset))}." if ruleset.index else ""
    return (
        f"Durations are elapsed time; a day is 24 hours.{days} What is not recorded is missing, never negative: a "
        "condition on a missing value does not hold, and the highest or lowest of several is that of the known ones. "
        "Of outcomes in a row the first whose condition holds counts. Records with an implausible value are left out. "
        "Of the records that are looked up, only those count whose value is known, and of equal ones the earliest. "
        "One that lasts lies where it starts. Where bounds count, a value that is only a bound, such as <0.5, lies "
        "just beyond it. Names in italics are defined by the rule that uses them."
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

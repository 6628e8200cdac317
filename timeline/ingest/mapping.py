"""A mapping file: what a source's own column names and codes mean, as data; knows no drug, no lab and no database.

columns: {patient_id: subject_id}            our column: the source's
units: {UNK: , insp/min: /min}               spellings of units inside codes; empty means no unit
ignore_case: true                            names under `codes` are found in any case, blanks at the ends aside
patterns:                                    the first that fits the whole code decides
  - match: LAB//(?P<code>\\d+)//(?P<unit>.*)
    key: LAB/{code}                          what `codes` below and the value sets are asked for
  - match: DRUG//(?P<code>.+)//(?P<status>.*)
    keep: [Administered]                     other statuses are no observation: events without a concept,
    others: event                            or, with `reject`, rows of meta.rejected
  - {match: GENDER//(?P<value>.+), fact: patient.sex}
  - {match: BORN, fact: patient.birth_date}
codes:                                       a key, or a whole code: a concept, and what the source leaves out
  LAB/223761: {concept: NAME, unit: "[degF]"}
"""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from timeline.errors import Finding, Findings
from timeline.ingest.staged import Code
from timeline.rules import NAME, Model
from timeline.yamltree import Node, Reader, compose

COLUMNS = ("patient_id", "time", "end_time", "code", "value", "unit", "text", "route", "sex", "birth_date")
FACTS = {"patient.sex": "sex", "patient.birth_date": "birth_date"}
GROUP = re.compile(r"\{(\w+)\}")
"""A named group in `key`. The groups code, unit, status, route, text and value have a meaning of their own."""


class Target(Model):
    """What a source code means: a concept, and what its rows leave unsaid."""

    concept: str
    unit: str | None = None
    text: str | None = None
    route: str | None = None
    date_only: bool = False
    """Its times are dates: midnight is not an hour."""


class Pattern(Model):
    """How one family of codes is taken apart."""

    match: str
    key: str | None = None
    keep: tuple[str, ...] | None = None
    others: Literal["event", "reject"] = "event"
    fact: Literal["sex", "birth_date"] | None = None

    def key_of(self, code: str, groups: dict[str, str]) -> str:
        """The key of a code that fits: the template filled in, else the group `code`, else the code itself."""
        if self.key is not None:
            return GROUP.sub(lambda group: groups[group[1]].strip(), self.key)
        return groups.get("code", code).strip()


class Mapping(Model):
    """A mapping file, checked; `decode` is its only work."""

    name: str
    title: str = ""
    source: str = ""
    ignore_case: bool = False
    columns: dict[str, str] = {}
    units: dict[str, str | None] = {}
    patterns: tuple[Pattern, ...] = ()
    codes: dict[str, Target] = {}
    statuses: dict[str, tuple[str, ...]] = {}
    """Table or resource (`*` any other): the statuses whose rows are used."""
    parents: dict[str, tuple[str, ...]] = {}
    """What an extract's own metadata says: the codes of vocabularies that a local code stands for."""

    def extended(self, parents: dict[str, tuple[str, ...]], *last: Pattern) -> "Mapping":
        """This mapping, knowing `parents`, with more patterns after its own."""
        return Mapping(**{**dict(self), "parents": parents, "patterns": (*self.patterns, *last)})

    def kept(self, table: str) -> tuple[str, ...] | None:
        """The statuses of a table's rows that count; None where the file says nothing of it."""
        return self.statuses.get(table, self.statuses.get("*"))

    @property
    def concepts(self) -> frozenset[str]:
        """Every concept the file names, in force or not."""
        return frozenset(target.concept for target in self.codes.values())

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return {self._fold(key): target for key, target in self.codes.items()}

    @cached_property
    def _compiled(self) -> tuple[tuple[re.Pattern[str], Pattern], ...]:
        return tuple((re.compile(pattern.match), pattern) for pattern in self.patterns)

    def decode(self, codes: Iterable[str]) -> list[Code]:
        """One `Code` for each of `codes`, in their order: what it means, in which unit, or why it is not kept."""
        return [self._decode(code) for code in codes]

    def unmet(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The keys under `codes` that none of an extract's codes has: misspelt, or not in this extract."""
        met = {self._fold(text) for code in self.decode(codes) for text in (code.code, code.key)}
        return tuple(key for key in self.codes if self._fold(key) not in met)

    def _fold(self, key: str) -> str:
        key = key.strip()
        return key.casefold() if self.ignore_case else key

    def _decode(self, code: str) -> Code:
        for compiled, pattern in self._compiled:
            if match := compiled.fullmatch(code):
                groups = {name: text or "" for name, text in match.groupdict().items()}
                return self._taken_apart(code, pattern, groups)
        return self._meaning(code, code, {})

    def _taken_apart(self, code: str, pattern: Pattern, groups: dict[str, str]) -> Code:
        if pattern.fact is not None:
            return Code(code=code, key=code, fact=pattern.fact, fact_value=groups.get("value", "").strip() or None)
        status = groups.get("status", "").strip()
        if pattern.keep is not None and self._fold(status) not in {self._fold(kept) for kept in pattern.keep}:
            reason = f"status '{status}' is not kept by the mapping {self.name}"
            return Code(code=code, key=code, reject=reason if pattern.others == "reject" else None)
        return self._meaning(code, pattern.key_of(code, groups), groups)

    def _meaning(self, code: str, key: str, groups: dict[str, str]) -> Code:
        unit = groups.get("unit", "").strip()
        unit = self.units.get(unit, unit) or None
        text, route = groups.get("text", "").strip() or None, groups.get("route", "").strip() or None
        target = self._targets.get(self._fold(code)) or self._targets.get(self._fold(key))
        if target is None:
            return Code(code=code, key=key, unit=unit, text=text, route=route, parents=self.parents.get(code, ()))
        return Code(
            code=code,
            key=key,
            unit=target.unit or unit,
            concept=target.concept,
            text=target.text or text,
            route=target.route or route,
            date_only=target.date_only,
        )


def load(path: Path) -> Mapping:
    """Return the mapping of a YAML file; raise `Findings` with every mistake as `file:line:column`."""
    reader = Reader()
    name = Path(path).name
    try:
        text = Path(path).read_text("utf-8")
    except OSError:
        raise Findings([Finding(str(path), "there is no mapping file here that can be read")]) from None
    except UnicodeDecodeError:
        raise Findings([Finding(str(path), "this is not text in UTF-8; a mapping is a YAML file")]) from None
    root = compose(text, name, reader)
    mapping = None
    if root is not None:
        mapping = _read(root, name, reader)
    elif not reader.findings:
        reader.say(name, "the file is empty; a mapping has `patterns` or `codes`")
    if reader.findings or mapping is None:
        raise Findings(sorted(reader.findings, key=_position))
    return mapping


def _read(root: Node, name: str, reader: Reader) -> Mapping | None:
    keys = ("title", "source", "ignore_case", "columns", "units", "patterns", "codes")
    top = reader.mapping(root, "a mapping file", keys)
    patterns = top.get("patterns")
    items = patterns.value if patterns is not None and isinstance(patterns.value, tuple) else ()
    if patterns is not None and not isinstance(patterns.value, tuple):
        reader.say(patterns, "`patterns` is a list; begin each with `- match: ...`")
    ignore_case = reader.truth(top.get("ignore_case"), "ignore_case")
    return reader.build(
        root,
        lambda: Mapping(
            name=name,
            title=reader.text(top.get("title"), "title") or "",
            source=reader.text(top.get("source"), "source") or "",
            ignore_case=ignore_case,
            columns=_columns(top.get("columns"), reader),
            units={k: reader.text(v, k) for k, v in _entries(top.get("units"), "`units`", reader).items()},
            patterns=tuple(pattern for item in items if (pattern := _pattern(item, reader)) is not None),
            codes=_codes(top.get("codes"), ignore_case, reader),
        ),
    )


def _entries(node: Node | None, what: str, reader: Reader) -> dict[str, Node]:
    return {} if node is None else reader.mapping(node, what)


def _columns(node: Node | None, reader: Reader) -> dict[str, str]:
    entries = {} if node is None else reader.mapping(node, "`columns`", COLUMNS)
    columns = {}
    for ours, child in entries.items():
        theirs = reader.text(child, ours)
        if theirs is None:
            reader.say(child, f"`{ours}` names no column; write `{ours}: name`, as the source calls it")
        else:
            columns[ours] = theirs
    return columns


def _pattern(node: Node, reader: Reader) -> Pattern | None:
    entries = reader.mapping(node, "a pattern", ("match", "key", "keep", "others", "fact"))
    match = reader.text(entries.get("match"), "match")
    if match is None:
        reader.say(node, "a pattern needs `match`: a regular expression for the whole code")
        return None
    try:
        groups = set(re.compile(match).groupindex)
    except re.error as error:
        reader.say(entries["match"], f"`match` is not a regular expression: {error.msg} at character {error.pos}")
        return None
    keep = reader.texts(entries["keep"], "keep") if "keep" in entries else None
    if keep is not None and "status" not in groups:
        reader.say(entries["keep"], "`keep` names statuses; `match` has no group (?P<status>...) to take one from")
    fact = _one_of(entries.get("fact"), "fact", tuple(FACTS), reader)
    fields = {
        "match": match,
        "key": _key(entries.get("key"), groups, reader),
        "keep": keep,
        "others": _one_of(entries.get("others"), "others", ("event", "reject"), reader) or "event",
        "fact": FACTS[fact] if fact else None,
    }
    return reader.build(node, lambda: Pattern.model_validate(fields))


def _key(node: Node | None, groups: set[str], reader: Reader) -> str | None:
    key = reader.text(node, "key")
    if node is None or key is None:
        return None
    for missing in sorted(set(GROUP.findall(key)) - groups):
        reader.say(node, f"`key` uses {{{missing}}}; `match` has no group named so: (?P<{missing}>...)")
    if set("{}") & set(GROUP.sub("", key)):
        reader.say(node, "`key` has a stray brace; write a group as {name}")
    return key


def _one_of(node: Node | None, what: str, choices: tuple[str, ...], reader: Reader) -> str | None:
    text = reader.text(node, what)
    if node is None or text is None or text in choices:
        return text
    reader.say(node, f"`{what}` is {' or '.join(choices)}, not `{text}`")
    return None


def _codes(node: Node | None, ignore_case: bool, reader: Reader) -> dict[str, Target]:
    targets: dict[str, Target] = {}
    seen: dict[str, str] = {}
    for key, child in _entries(node, "`codes`", reader).items():
        folded = key.strip().casefold() if ignore_case else key.strip()
        if folded in seen:
            reader.say(child, f"`{key}` is here twice: with `ignore_case` it is the same as `{seen[folded]}`")
        seen[folded] = key
        target = _target(key, child, reader)
        if target is not None:
            targets[key] = target
    return targets


def _target(key: str, node: Node, reader: Reader) -> Target | None:
    if isinstance(node.value, dict):
        entries = reader.mapping(node, f"code `{key}`", tuple(Target.model_fields))
    else:
        entries = {"concept": node}
    concept = reader.text(entries.get("concept"), f"the concept of `{key}`")
    if concept is None or not NAME.fullmatch(concept):
        wrong = f"`{concept}` is no concept's name" if concept else f"`{key}` names no concept"
        reader.say(entries.get("concept", node), f"{wrong}; write `{key}: name`, with a-z, 0-9 and _")
        return None
    return Target(
        concept=concept,
        unit=reader.text(entries.get("unit"), "unit"),
        text=reader.text(entries.get("text"), "text"),
        route=reader.text(entries.get("route"), "route"),
        date_only=reader.truth(entries.get("date_only"), "date_only"),
    )


def _position(finding: Finding) -> tuple[str, list[int]]:
    file, *numbers = finding.where.split(":")
    return file, [int(number) for number in numbers if number.isdigit()]

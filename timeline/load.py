"""Folders of YAML -> one RuleSet, with every mistake at `file:line:column`, all of them at once.

Knows the spelling of the language, not its meaning: whether a column exists or an expression fits
is the compiler's to find out. `RuleSet.places` remembers where each part stands.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from timeline.concepts import contradictions
from timeline.errors import Finding, Findings
from timeline.parse_rule import OPERATORS, RESERVED, read_example, read_rule
from timeline.rules import NAME, Audit, Concept, Example, Rule, RuleSet
from timeline.yamltree import Node, Reader, compose

CONCEPT_KEYS = (
    "title", "source", "unit", "any_unit", "conversions", "molar_mass", "plausible", "typical", "scale",
    "words", "static", "members", "codes", "unverified", "attributes",
)  # fmt: skip


SHIPPED = "rules"
"""What places in the shipped folder begin with."""


def load(folders: Sequence[Path], *, shipped: bool = True) -> RuleSet:
    """Return the rule set of the shipped folder and then `folders`; a later folder adds and replaces by name.

    `shipped=False` leaves the shipped rules out, not the shipped concepts. Raises `Findings` with every mistake.
    """
    from timeline.shipped import folder

    home = folder("rules")
    # The same folder twice, or the shipped one by its path, is one set and no repetition.
    named = {path.resolve(): path for path in reversed([Path(one) for one in folders])}
    draft = Draft()
    draft.read_folder(home, SHIPPED, rules=shipped or home.resolve() in named)
    for real, path in reversed(named.items()):
        if real != home.resolve():
            draft.read_folder(path, f"./{path}" if str(path) == SHIPPED else str(path))
    return draft.finish()


def over(ruleset: RuleSet, folder: Path) -> RuleSet:
    """Return `ruleset` with what `folder` adds and replaces by name; raises `Findings` with every mistake."""
    draft = Draft()
    draft.header = {"name": ruleset.name, "version": ruleset.version, "index": ruleset.index}
    draft.audit = ruleset.audit
    draft.concepts.update(ruleset.concepts)
    draft.rules.update(ruleset.rules)
    draft.examples.update(ruleset.examples)
    draft.places.update(ruleset.places)
    draft.origin = dict.fromkeys((*ruleset.concepts, *ruleset.rules), ruleset.name)
    draft.read_folder(folder, str(folder))
    return draft.finish()


def load_text(text: str, concepts: Mapping[str, Concept] = {}, file: str = "rules.yaml") -> RuleSet:
    """Return the rule set of one YAML text, which may also hold `ruleset: {name, index}` and `concepts:`."""
    draft = Draft()
    draft.concepts.update(concepts)
    root = compose(text, file, draft.reader)
    if root is not None:
        draft.read_rules(root, file)
    return draft.finish()


class Draft:
    """A rule set while its folders are read; the frozen one comes out of `finish`."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.header: dict[str, str | None] = {"name": "rules", "version": "", "index": None}
        self.audit = Audit()
        self.concepts: dict[str, Concept] = {}
        self.rules: dict[str, Rule] = {}
        self.examples: dict[str, Example] = {}
        self.places: dict[str, str] = {}
        self.origin: dict[str, str] = {}
        self.replaced: dict[str, str] = {}

    def read_folder(self, folder: Path, label: str, *, rules: bool = True) -> None:
        if not folder.is_dir():
            self.reader.say(label, "there is no such folder; name a folder of rule files")
            return
        files = sorted(folder.glob("concepts/*.yaml")) + (sorted(folder.glob("*.yaml")) if rules else [])
        if rules and not files:
            self.reader.say(label, "no rule files here; a rule set is a folder of *.yaml, concepts in concepts/*.yaml")
        for path in files:
            name = f"{label}/{path.relative_to(folder).as_posix()}"
            root = compose(path.read_text("utf-8"), name, self.reader)
            if root is None:
                continue
            if path.parent != folder:
                self.read_concepts(root, label)
            elif path.name == "ruleset.yaml":
                self.read_header(root)
            else:
                self.read_rules(root, label)

    def read_header(self, root: Node) -> None:
        keys = ("name", "version", "index", "title", "audit")
        for key, node in self.reader.mapping(root, "ruleset.yaml", keys).items():
            if key == "audit":
                self.audit = _audit(node, self.reader)
                continue
            self.header[key] = self.reader.text(node, key)
            self.places[f"ruleset.{key}"] = node.where

    def read_concepts(self, root: Node, label: str) -> None:
        for name, node in self.reader.mapping(root, "a concept file").items():
            if self._taken(name, root.keys[name], label, "concept"):
                concept = _concept(name, node, self.reader)
                if concept is not None:
                    self.concepts[name] = concept
                    self.places[name] = root.keys[name]
                    for mistake in contradictions(concept):
                        self.reader.say(root.keys[name], f"`{name}`: {mistake}")

    def read_rules(self, root: Node, label: str) -> None:
        for name, node in self.reader.mapping(root, "a rule file").items():
            if name == "examples":
                self._read_examples(node)
            elif name == "concepts":
                self.read_concepts(node, label)
            elif name == "ruleset":
                self.read_header(node)
            elif self._taken(name, root.keys[name], label, "rule"):
                self.places[name] = root.keys[name]
                rule = read_rule(name, node, self.reader, self.places)
                if rule is not None:
                    self.rules[name] = rule

    def finish(self) -> RuleSet:
        findings = self.reader.findings + self._loose_ends()
        if findings:
            raise Findings(sorted(findings, key=_position))
        fields: dict[str, Any] = self.header
        return RuleSet(
            name=fields["name"] or "rules",
            version=fields["version"] or "",
            index=fields["index"],
            audit=self.audit,
            concepts=self.concepts,
            rules=self.rules,
            examples=self.examples,
            replaced=self.replaced,
            places=self.places,
        )

    def _read_examples(self, node: Node) -> None:
        for item in node.value if isinstance(node.value, tuple) else ():
            example = read_example(item, self.reader)
            if example is not None:
                self.examples[item.where] = example

    def _taken(self, name: str, where: str, label: str, what: str) -> bool:
        """Whether `name` may stand for something of this folder; a later folder's replaces an earlier's."""
        if not NAME.fullmatch(name) or "__" in name:
            self.reader.say(where, f"`{name}` is not a name; write a-z, 0-9 and single _, a letter first")
            return False
        if name in RESERVED:
            self.reader.say(where, f"`{name}` is a word of the language; choose another name for the {what}")
            return False
        if name in self.origin and self.origin[name] == label:
            self.reader.say(where, f"`{name}` is already declared at {self.places.get(name, label)}; names are unique")
            return False
        if name in self.origin:
            self.replaced[name] = label
            self.concepts.pop(name, None)
            self.rules.pop(name, None)
        self.origin[name] = label
        return True

    def _loose_ends(self) -> list[Finding]:
        """Mistakes that only the whole shows: members and codes of concepts, the index."""
        findings = []
        owner: dict[str, str] = {}
        for name, concept in self.concepts.items():
            for member in concept.members:
                if member not in self.concepts:
                    findings.append(Finding(self.places.get(name, ""), f"no concept `{member}`, a member of `{name}`"))
            for code in concept.codes:
                if owner.setdefault(code, name) != name:
                    message = f"code {code} of `{name}` also belongs to `{owner[code]}`; a code means one concept"
                    findings.append(Finding(self.places.get(name, ""), message))
        index = self.header["index"]
        if index and index not in self.rules:
            place = self.places.get("ruleset.index", "")
            # A folder read without the shipped rules may still name their index: then there is none.
            findings.append(Finding(place, f"`index: {index}` names no rule"))
        return findings


def _position(finding: Finding) -> tuple[str, list[int]]:
    file, *numbers = finding.where.split(":")
    return file, [int(number) for number in numbers if number.isdigit()]


def _concept(name: str, node: Node, reader: Reader) -> Concept | None:
    entries = reader.mapping(node, f"concept `{name}`", CONCEPT_KEYS)

    def bounds(key: str) -> tuple[float | None, float | None]:
        value = entries[key].value if key in entries else (None, None)
        low, high = value if isinstance(value, tuple) and len(value) == 2 else (None, None)
        if key in entries and low is None and high is None:
            reader.say(entries[key], f"`{key}` is a closed range [low, high]; `null` leaves an end open")
        return reader.number(low, key), reader.number(high, key)

    scale = reader.text(entries.get("scale"), "scale") or "ratio"
    if scale not in ("ratio", "interval"):
        reader.say(entries["scale"], f"`scale` is `ratio` or `interval` (its zero is a convention), not `{scale}`")
        return None

    def named(key: str) -> Mapping[str, Node]:
        return reader.mapping(entries[key], f"`{key}`") if key in entries else {}

    attributes = {key: _number_or_text(reader.text(child, key) or "") for key, child in named("attributes").items()}
    conversions = {key: reader.number(child, f"factor of {key}") or 0.0 for key, child in named("conversions").items()}
    return reader.build(
        node,
        lambda: Concept(
            name=name,
            title=reader.text(entries.get("title"), "title") or "",
            source=reader.text(entries.get("source"), "source") or "",
            units=reader.texts(entries.get("unit"), "unit"),
            any_unit=reader.truth(entries.get("any_unit"), "any_unit"),
            conversions=conversions,
            molar_mass=reader.number(entries.get("molar_mass"), "molar_mass"),
            plausible=bounds("plausible"),
            typical=bounds("typical"),
            scale=scale,
            words=reader.texts(entries.get("words"), "words"),
            static=reader.truth(entries.get("static"), "static"),
            members=reader.texts(entries.get("members"), "members"),
            codes=reader.texts(entries.get("codes"), "codes"),
            unverified=reader.texts(entries.get("unverified"), "unverified"),
            attributes=attributes,
        ),
    )


def _audit(node: Node, reader: Reader) -> Audit:
    """Which checks of the audit stop the work, and the shares that may break one; the audit says whether they exist."""
    entries = reader.mapping(node, "`audit`", ("stop", "limits"))
    limits = reader.mapping(entries["limits"], "`limits`") if "limits" in entries else {}
    shares = {name: reader.number(child, f"limit of {name}") or 0.0 for name, child in limits.items()}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            reader.say(limits[name], f"the limit of {name} is a share of the rows asked, from 0 to 1")
    return Audit(stop=reader.texts(entries.get("stop"), "stop"), limits=shares)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


__all__ = ["OPERATORS", "load", "load_text"]

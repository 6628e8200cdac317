"""A file of other readings -> frozen records, with every mistake at `file:line:column`, all of them at once.

Knows the spelling of the file, the published items and the headers of queries; runs nothing and reads no rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from timeline import query, shipped, statistic
from timeline.errors import Findings, UsageError
from timeline.header import Query
from timeline.printing import did_you_mean
from timeline.published import Published
from timeline.yamltree import Node, Reader, compose

OF_A_QUESTION = ("question", "default", "bears_on", "readings", "note")
CHANGES = ("set", "rules", "params", "statistic", "query", "round")
OF_A_READING = ("label", "bears_on", "not_computed", *CHANGES)


@dataclass(frozen=True)
class Reading:
    """Another reading: what it changes, in rules, queries, statistics or display; or why it cannot be computed."""

    label: str
    ids: tuple[str, ...]
    """The published items that it bears on."""
    set: Mapping[str, str] = field(default_factory=dict)
    """Parameters of rules, by `rule.param`."""
    rules: tuple[Path, ...] = ()
    """Folders put upon the rule set, in turn."""
    params: Mapping[str, str] = field(default_factory=dict)
    """Parameters of queries, by `query.param`."""
    statistic: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Options of declared statistics, by `query.statistic`."""
    query: str = ""
    """Another query that answers the same ids."""
    rounded: Mapping[str, int] = field(default_factory=dict)
    not_computed: str = ""
    where: str = ""


@dataclass(frozen=True)
class Question:
    """What a publication leaves open, how it is read by default, and how else it may be read."""

    id: str
    question: str
    default: str
    ids: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Alternatives:
    """Every open question by its id, in the order of the file."""

    file: str
    questions: Mapping[str, Question]


def load(path: Path, published: Published, queries: Mapping[str, Query]) -> Alternatives:
    """Return the other readings in `path`; raises Findings with all mistakes, UsageError where there is no file."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no file of other readings here")
    reader = Reader()
    root = compose(path.read_text(encoding="utf-8"), str(path), reader)
    top = reader.mapping(root, "a file of other readings", ("alternatives",)) if root else {}
    if "alternatives" not in top and not reader.findings:
        reader.say(root or f"{path}:1", "`alternatives` is missing: the open questions by their ids")
    nodes = reader.mapping(top["alternatives"], "`alternatives`") if "alternatives" in top else {}
    draft = Draft(path, published, queries, reader)
    questions = {key: draft.question(key, node) for key, node in nodes.items()}
    if reader.findings:
        raise Findings(reader.findings, f"{path}: the other readings have mistakes")
    return Alternatives(str(path), questions)


@dataclass(frozen=True)
class Draft:
    """What a file of readings is read against, and the reader that collects its mistakes."""

    path: Path
    published: Published
    queries: Mapping[str, Query]
    reader: Reader

    def question(self, key: str, node: Node) -> Question:
        parts = self.reader.mapping(node, f"question {key}", OF_A_QUESTION)
        for name in [name for name in ("question", "default") if name not in parts]:
            self.reader.say(node, f"{key}: `{name}` is missing")
        if "readings" not in parts and "note" not in parts:
            self.reader.say(node, f"{key}: without `readings`, a `note` says why there are none")
        question, default, note = (
            self.reader.text(parts.get(name), name) or "" for name in ("question", "default", "note")
        )
        ids = self._ids(key, parts.get("bears_on"))
        listed = parts["readings"] if "readings" in parts else Node(node.where, ())
        if not isinstance(listed.value, tuple):
            self.reader.say(listed, f"{key}: `readings` is a list, each with a `label`")
            return Question(key, question, default, ids, (), note)
        readings = tuple(self._reading(key, one, ids) for one in listed.value)
        labels = [one.label for one in readings]
        for one in [one for place, one in enumerate(readings) if one.label in labels[:place]]:
            self.reader.say(one.where, f"{key}: two readings are called `{one.label}`; rename one")
        return Question(key, question, default, ids, readings, note)

    def _ids(self, key: str, node: Node | None) -> tuple[str, ...]:
        ids = self.reader.texts(node, "bears_on")
        for one in [one for one in ids if one not in self.published.items]:
            self.reader.say(node or "", f"{key}: there is no item {one}{did_you_mean(one, self.published.items)}")
        known = [one for one in ids if one in self.published.items]
        for one in [one for one in known if not self.published.items[one].checks]:
            self.reader.say(node or "", f"{key}: {one} is not computed itself; name an item that is")
        return tuple(known)

    def _reading(self, key: str, node: Node, ids: tuple[str, ...]) -> Reading:
        parts = self.reader.mapping(node, "a reading", OF_A_READING)
        label = self.reader.text(parts.get("label"), "label") or ""
        if not label:
            self.reader.say(node, f"{key}: a reading has a `label`")
        own = self._ids(key, parts["bears_on"]) if "bears_on" in parts else ids
        why = self.reader.text(parts.get("not_computed"), "not_computed") or ""
        changes = [name for name in CHANGES if name in parts]
        if bool(why) == bool(changes):
            told = "`not_computed` and something to compute" if why else "nothing"
            self.reader.say(node, f"{key}: a reading has one or more of {', '.join(CHANGES)}, or it says "
                            f"`not_computed` and why; it has {told}")  # fmt: skip
        if changes and not own:
            self.reader.say(node, f"{key}: `bears_on` is missing: the published items that it changes")
        texts = {name: self._texts(parts.get(name), name) for name in ("set", "params", "round")}
        for name in [name for name in texts["set"] if name.count(".") != 1]:
            self.reader.say(parts["set"], f"{key}: write RULE.PARAM in place of {name}")
        made = Reading(
            label,
            own,
            texts["set"],
            tuple(self._folder(name, parts["rules"]) for name in self.reader.texts(parts.get("rules"), "rules")),
            texts["params"],
            {name: self._texts(child, name) for name, child in self._mapping(parts.get("statistic"), "statistic")},
            self.reader.text(parts.get("query"), "query") or "",
            {name: int(text) for name, text in texts["round"].items() if text.isdigit()},
            why,
            node.where,
        )
        for message in self._mistakes(made):
            self.reader.say(node, f"{key}, {label}: {message}")
        return made

    def _mapping(self, node: Node | None, what: str) -> Sequence[tuple[str, Node]]:
        return list(self.reader.mapping(node, f"`{what}`").items()) if node is not None else []

    def _texts(self, node: Node | None, what: str) -> dict[str, str]:
        return {name: self.reader.text(child, name) or "" for name, child in self._mapping(node, what)}

    def _folder(self, name: str, node: Node) -> Path:
        """A folder beside the file, or one of the shipped rules."""
        beside = self.path.parent / name
        found = beside if beside.is_dir() else shipped.folder("rules") / name
        if not found.is_dir():
            self.reader.say(node, f"there is no folder of rules `{name}`, beside this file or among the shipped rules")
        return found

    def _mistakes(self, made: Reading) -> Iterator[str]:
        if made.query and made.query not in self.queries:
            yield f"there is no query `{made.query}`{did_you_mean(made.query, self.queries)}"
        for name, text in made.params.items():
            asked, _, param = name.partition(".")
            if asked not in self.queries:
                yield f"there is no query `{asked}`{did_you_mean(asked, self.queries)}; write QUERY.PARAM"
                continue
            try:
                query.parameters(self.queries[asked], {param: text})
            except UsageError as error:
                yield str(error)
        for name, options in made.statistic.items():
            asked, _, called = name.partition(".")
            try:
                with_options(self.queries, asked, called, options)
            except UsageError as error:
                yield str(error)


def with_options(queries: Mapping[str, Query], name: str, called: str, options: Mapping[str, str]) -> Query:
    """Return the query `name` with other options of its statistic `called`; UsageError for what does not fit."""
    from pydantic import TypeAdapter, ValidationError

    if name not in queries:
        raise UsageError(f"there is no query `{name}`{did_you_mean(name, queries)}; write QUERY.STATISTIC")
    asked = queries[name]
    names = [statistic.name_of(one) for one in asked.statistics]
    if called not in names:
        raise UsageError(f"query {name} has no statistic `{called}`; it has {', '.join(names) or 'none'}")
    declared = asked.statistics[names.index(called)]
    try:
        adapter: TypeAdapter[statistic.Statistic] = TypeAdapter(statistic.Statistic)
        other = adapter.validate_python({**declared.model_dump(), **options})
    except ValidationError as error:
        told = [(one["loc"][-1], str(one["msg"]).removeprefix("Value error, ")) for one in error.errors()]
        text = "; ".join(f"`{key}`: {message[:1].lower()}{message[1:]}" for key, message in told)
        raise UsageError(f"statistic {called} of query {name}: {text}") from None
    changed = tuple(other if one is declared else one for one in asked.statistics)
    return asked.model_copy(update={"statistics": changed})

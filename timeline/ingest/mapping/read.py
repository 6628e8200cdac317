"""A mapping file's YAML -> `Mapping`: every mistake with its place, all at once; knows no extract."""

import re
from collections.abc import Iterator
from pathlib import Path

from timeline.errors import Finding, Findings, UsageError
from timeline.ingest.mapping import tables
from timeline.ingest.mapping.model import FACTS, GROUP, MATCHES, Mapping, Pattern, Target
from timeline.ingest.sexes import SEX
from timeline.rules import NAME
from timeline.yamltree import Node, Reader, compose

KEYS = (
    "title", "source", "ignore_case", "read", "columns", "tables", "statuses", "units", "routes", "words", "patterns",
    "codes",
)  # fmt: skip


WHOLE = f"a mapping has one or more of the keys {', '.join(KEYS)}; docs/mapping.md tells them"


def load(path: Path) -> Mapping:
    """Return the mapping of a YAML file; raise `Findings` with every mistake as `file:line:column`."""
    reader = Reader()
    name = Path(path).name
    try:
        text = Path(path).read_text("utf-8")
    except OSError:
        raise UsageError(f"{path}: there is no mapping file here that can be read") from None
    except UnicodeDecodeError:
        raise Findings([Finding(str(path), "this is not text in UTF-8; a mapping is a YAML file")]) from None
    root = compose(text, name, reader)
    mapping = None
    if root is not None:
        mapping = _read(root, name, reader)
    elif not reader.findings:
        reader.say(name, f"the file is empty; {WHOLE}")
    if reader.findings or mapping is None:
        raise Findings(sorted(reader.findings, key=position))
    return mapping


def _read(root: Node, name: str, reader: Reader) -> Mapping | None:
    if not isinstance(root.value, dict):
        reader.say(root, f"this is no mapping of names; {WHOLE}")
        return None
    top = reader.mapping(root, "a mapping file", KEYS)
    patterns = top.get("patterns")
    items = patterns.value if patterns is not None and isinstance(patterns.value, tuple) else ()
    if patterns is not None and not isinstance(patterns.value, tuple):
        reader.say(patterns, "`patterns` is a list; begin each with `- match: ...`")
    ignore_case = reader.truth(top.get("ignore_case"), "ignore_case")
    statuses = tables.statuses(top.get("statuses"), reader)
    read = tables.writing(top.get("read"), reader)
    return reader.build(
        root,
        lambda: Mapping(
            name=name,
            title=reader.text(top.get("title"), "title") or "",
            source=reader.text(top.get("source"), "source") or "",
            ignore_case=ignore_case,
            read=read,
            columns=tables.columns(top.get("columns"), reader),
            tables=tables.tables(top.get("tables"), reader, read),
            statuses=statuses,
            units={k: reader.text(v, k) for k, v in _entries(top.get("units"), "`units`", reader).items()},
            routes=_vocabulary(top.get("routes"), "`routes`", reader),
            words=_words(top.get("words"), reader),
            patterns=tuple(pattern for item in items if (pattern := _pattern(item, reader)) is not None),
            codes=_codes(top.get("codes"), ignore_case, reader),
            places=dict(_places(root, ())),
        ),
    )


def _places(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where each entry stands, by the keys that lead to it."""
    for key, child in node.value.items() if isinstance(node.value, dict) else ():
        yield (*path, key), child.where
        yield from _places(child, (*path, key))


def _entries(node: Node | None, what: str, reader: Reader) -> dict[str, Node]:
    return {} if node is None else reader.mapping(node, what)


def _vocabulary(node: Node | None, what: str, reader: Reader) -> dict[str, str]:
    """The source's words, in lower case as all words are compared, with ours."""
    said: dict[str, str] = {}
    for theirs, child in _entries(node, what, reader).items():
        ours = reader.text(child, theirs)
        if ours is None:
            reader.say(child, f"`{theirs}` has no word of ours; write `{theirs}: word`")
        elif theirs.strip().lower() in said:
            reader.say(child, f"`{theirs}` is here twice: words are compared in lower case")
        else:
            said[theirs.strip().lower()] = ours
    return said


def _words(node: Node | None, reader: Reader) -> dict[str, dict[str, str]]:
    said = {}
    for concept, child in _entries(node, "`words`", reader).items():
        if not NAME.fullmatch(concept):
            reader.say(
                child, f"`{concept}` is no concept's name; write `name: {{their word: our word}}`, or `{SEX}: ...`"
            )
        said[concept] = _vocabulary(child, f"the words of `{concept}`", reader)
    return said


def _pattern(node: Node, reader: Reader) -> Pattern | None:
    entries = reader.mapping(node, "a pattern", ("match", "key", "keep", "others", "fact"))
    match = reader.text(entries.get("match"), "match")
    if match is None:
        reader.say(node, "a pattern needs `match`: a regular expression for the whole code")
        return None
    if wrong := mistake(match):
        reader.say(entries["match"], f"`match` is not a regular expression: {wrong}")
        return None
    groups = set(re.compile(match).groupindex)
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
        if target is not None and target.match == "pattern" and (wrong := mistake(key)):
            reader.say(child, f"`{key}` is not a regular expression: {wrong}")
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
        match=_one_of(entries.get("match"), "match", MATCHES, reader) or "exact",  # type: ignore[arg-type]
        mislabelled=_mislabelled(entries.get("mislabelled"), reader),
        unit=reader.text(entries.get("unit"), "unit"),
        text=reader.text(entries.get("text"), "text"),
        route=reader.text(entries.get("route"), "route"),
        date_only=reader.truth(entries.get("date_only"), "date_only"),
    )


def _mislabelled(node: Node | None, reader: Reader) -> dict[str, str]:
    units = {k: reader.text(v, k) for k, v in _entries(node, "`mislabelled`", reader).items()}
    if node is not None and not all(units.values()):
        reader.say(node, '`mislabelled` gives each wrong unit the right one: `{Cel: "[degF]"}`')
    return {wrong.strip(): right for wrong, right in units.items() if right}


def mistake(text: str) -> str | None:
    """What is wrong with a regular expression, if anything is."""
    try:
        re.compile(text)
    except re.error as error:
        return f"{error.msg} at character {error.pos}"
    return None


def position(finding: Finding) -> tuple[str, list[int]]:
    """The order in which mistakes are told: as they stand in the file."""
    file, *numbers = finding.where.split(":")
    return file, [int(number) for number in numbers if number.isdigit()]

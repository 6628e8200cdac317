"""A file of published values -> frozen records, with every mistake at `file:line:column`, all of them at once.

Knows the spelling of the file and the headers of queries; runs nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from timeline import statistic
from timeline.errors import Finding, Findings, UsageError
from timeline.header import Query
from timeline.printing import did_you_mean
from timeline.yamltree import Node, Reader, compose

STATUSES = ("OK", "DATA", "AMB", "CONFLICT")
"""Of the published value itself: consistent, only data can confirm it, leaves room, contradicts itself."""
KINDS = ("computed", "checks", "same_as", "definition", "no_number")
"""An item has exactly one of these keys."""
OF_A_CHECK = ("computed", "statistic", "row", "value", "tolerance", "conflict", "round")
OF_AN_ITEM = ("item", "published", "status", "note", *OF_A_CHECK, *KINDS[1:])
ROW = "id"
"""The column by which a query's rows are found."""
Scalar = float | str
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class Check:
    """Where values are found, in a query's row or in a statistic of its header, and what they should be."""

    query: str
    values: Mapping[str, Value]
    """By column, or by name in the statistic's answer; several in any order where it is a tuple."""
    statistic: str = ""
    row: str = ""
    """The row's id, or the panel of a family of tests."""
    tolerance: float = 0.0
    conflict: Mapping[str, str] = field(default_factory=dict)
    """Why a field cannot agree: the publication contradicts itself."""
    rounded: Mapping[str, int] = field(default_factory=dict)
    """To so many decimals a field is rounded, half up, before it is compared."""
    where: str = ""


@dataclass(frozen=True)
class Item:
    """One published value, or a statement without one."""

    id: str
    item: str
    published: str
    status: str
    kind: Literal["computed", "same_as", "definition", "described"]
    checks: tuple[Check, ...] = ()
    same_as: tuple[str, ...] = ()
    note: str = ""
    where: str = ""


@dataclass(frozen=True)
class Published:
    """Every item of a publication by its id, in the order of the file."""

    file: str
    source: str
    items: Mapping[str, Item]


def load(path: Path) -> Published:
    """Return the published values in `path`; raises Findings with all mistakes, UsageError where there is no file."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no file of published values here")
    reader = Reader()
    root = compose(path.read_text(encoding="utf-8"), str(path), reader)
    top = reader.mapping(root, "a file of published values", ("source", "items")) if root else {}
    items: dict[str, Item] = {}
    if "items" not in top and not reader.findings:
        reader.say(root or f"{path}:1", "`items` is missing: the published values by their ids")
    nodes = reader.mapping(top["items"], "`items`") if "items" in top else {}
    for key, node in nodes.items():
        found = _item(key, node, nodes, reader)
        if found is not None:
            items[key] = found
    for one in items.values():
        for other in [other for other in one.same_as if other in items and not items[other].checks]:
            reader.say(one.where, f"{one.id}: `same_as` names {other}, which is not computed itself")
    if reader.findings:
        raise Findings(reader.findings, f"{path}: the published values have mistakes")
    return Published(str(path), reader.text(top.get("source"), "source") or "", items)


def _item(key: str, node: Node, all: Mapping[str, Node], reader: Reader) -> Item | None:
    before = len(reader.findings)
    parts = reader.mapping(node, f"item {key}", OF_AN_ITEM)
    for name in ("item", "published", "status"):
        if name not in parts:
            reader.say(node, f"{key}: `{name}` is missing")
    said = {name: reader.text(parts.get(name), name) or "" for name in ("item", "published", "status", "note")}
    if said["status"] and said["status"] not in STATUSES:
        reader.say(parts["status"], f"{key}: `status` is one of {', '.join(STATUSES)}, not `{said['status']}`")
    kinds = [name for name in KINDS if name in parts]
    if len(kinds) != 1:
        has = f"it has {' and '.join(kinds)}" if kinds else "it has none"
        reader.say(node, f"{key}: an item has exactly one of {', '.join(KINDS)}; {has}")
    kind = kinds[0] if kinds else ""
    if kind in ("definition", "no_number") and not said["note"]:
        reader.say(node, f"{key}: `note` is missing: which rule follows the definition, or what is described")
    checks = _checks(key, kind, node, parts, reader)
    same = reader.texts(parts.get("same_as"), "same_as")
    for other in [other for other in same if other not in all]:
        reader.say(parts["same_as"], f"{key}: there is no item {other}{did_you_mean(other, all)}")
    if len(reader.findings) > before:
        return None
    name = "described" if kind == "no_number" else "computed" if kind == "checks" else kind
    return Item(key, kind=name, checks=checks, same_as=same, where=node.where, **said)  # type: ignore[arg-type]


def _checks(key: str, kind: str, node: Node, parts: Mapping[str, Node], reader: Reader) -> tuple[Check, ...]:
    if kind != "computed":
        for name in [name for name in OF_A_CHECK[1:] if name in parts]:
            reader.say(parts[name], f"{key}: `{name}` goes with `computed`")
    if kind == "computed":
        return (_check(key, node, parts, reader),)
    if kind != "checks":
        return ()
    listed = parts["checks"]
    if not isinstance(listed.value, tuple) or not listed.value:
        reader.say(listed, f"{key}: `checks` is a list, each with `computed` and `value`")
        return ()
    return tuple(_check(key, one, reader.mapping(one, "a check", OF_A_CHECK), reader) for one in listed.value)


def _check(key: str, node: Node, parts: Mapping[str, Node], reader: Reader) -> Check:
    for name in [name for name in ("computed", "value") if name not in parts]:
        reader.say(node, f"{key}: `{name}` is missing")
    values = {}
    for name, child in reader.mapping(parts["value"], f"{key}: `value`").items() if "value" in parts else ():
        values[name] = _value(child, f"{key}: `{name}`", reader)
    conflict = {
        name: reader.text(child, name) or ""
        for name, child in (reader.mapping(parts["conflict"], "`conflict`") if "conflict" in parts else {}).items()
    }
    rounded = {
        name: int(reader.number(child, name) or 0)
        for name, child in (reader.mapping(parts["round"], "`round`") if "round" in parts else {}).items()
    }
    for part, names in (("conflict", conflict), ("round", rounded)):
        for name in [name for name in names if name not in values]:
            reader.say(parts[part], f"{key}: `{part}` names {name}, which `value` does not have")
    tolerance = reader.number(parts.get("tolerance"), f"{key}: `tolerance`") or 0.0
    if tolerance < 0:
        reader.say(parts["tolerance"], f"{key}: `tolerance` is 0 or more")
    found = {name: reader.text(parts.get(name), name) or "" for name in ("computed", "statistic", "row")}
    row = found["row"] or ("" if found["statistic"] else key)
    return Check(found["computed"], values, found["statistic"], row, tolerance, conflict, rounded, node.where)


def _value(node: Node, what: str, reader: Reader) -> Value:
    if isinstance(node.value, tuple):
        return tuple(scalar(reader.text(one, what) or "") for one in node.value)
    text = reader.text(node, what)
    if text is None:
        reader.say(node, f"{what} is empty; a value that was not published is left out")
    return scalar(text or "")


def scalar(text: str) -> Scalar:
    """Return the number that `text` spells, or the text."""
    try:
        return float(text)
    except ValueError:
        return text


def unfit(published: Published, queries: Mapping[str, Query]) -> list[Finding]:
    """Return what the checks name that the queries do not have: statistics, names in their answers, columns. And what
    the queries say that they answer, and is no item.

    A query that is not there at all is no mistake of the file, which may serve several folders: its items are not
    computed, and say so.
    """
    wrong = [Finding(c.where, f"{one.id}: {text}") for one, c in _all(published) for text in _mistakes(c, queries)]
    return wrong + [
        Finding(where, f"`published`: there is no item {key} in {published.file}{did_you_mean(key, published.items)}")
        for asked in queries.values()
        for where, key in asked.answers
        if key not in published.items
    ]


def _all(published: Published) -> Iterator[tuple[Item, Check]]:
    for one in published.items.values():
        for check in one.checks:
            yield one, check


def _mistakes(check: Check, queries: Mapping[str, Query]) -> Iterator[str]:
    if check.query not in queries:
        return
    asked = queries[check.query]
    if check.statistic:
        names = [statistic.name_of(declared) for declared in asked.statistics]
        if names.count(check.statistic) != 1:
            have = ", ".join(names) or "none"
            several = "has several statistics" if check.statistic in names else "has no statistic"
            yield f"query {asked.name} {several} `{check.statistic}`; it has {have}"
            return
        gives = asked.statistics[names.index(check.statistic)].gives(panel=bool(check.row))
        if gives == ():
            told = "has no panels; leave `row` out" if check.row else "answers by panel; name one as `row`"
            yield f"statistic {check.statistic} of query {asked.name} {told}"
        elif gives is not None:
            for name in [name for name in check.values if name not in gives]:
                hint = did_you_mean(name, gives) or f"; it gives {', '.join(gives)}"
                yield f"statistic {check.statistic} of query {asked.name} gives no `{name}`{hint}"
        return
    if ROW not in asked.returns:
        yield f"query {asked.name} has no column `{ROW}`, by which a row is found; name a `statistic` of it"
    for name in [name for name in check.values if name not in asked.returns]:
        yield f"query {asked.name} returns no `{name}`{did_you_mean(name, asked.returns)}"

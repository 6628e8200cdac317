"""YAML text -> a tree of nodes that know where they stand; scalars stay text, duplicate keys are refused.

PyYAML would read `no` as False, `12:30` as 750 and merge duplicate keys: so only its parser is used.
Knows nothing of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

import yaml

from timeline.errors import Finding

T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """A scalar (text, or None for an empty one), a list or a mapping, with its place `file:line:column`."""

    where: str
    value: str | None | tuple[Node, ...] | dict[str, Node]
    flow: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    """Where each key of a mapping stands."""


@dataclass
class Reader:
    """Collects every mistake met while a tree is read; the one mutable thing here, made anew for each load."""

    findings: list[Finding] = field(default_factory=list)

    def say(self, node: Node | str, message: str) -> None:
        self.findings.append(Finding(node if isinstance(node, str) else node.where, message))

    def mapping(self, node: Node, what: str, known: Iterable[str] | None = None) -> dict[str, Node]:
        """The entries of a mapping; unknown keys are named, with the nearest known one."""
        if node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.say(node, f"{what} is a mapping of names; write `name: ...` on lines of their own")
            return {}
        if known is None:
            return node.value
        known = tuple(known)
        for key in node.value:
            if key not in known:
                self.say(node.keys[key], self._unknown(key, node, what, known))
        return {key: value for key, value in node.value.items() if key in known}

    def text(self, node: Node | None, what: str) -> str | None:
        """A scalar's text; None where it is absent or empty."""
        if node is None or node.value is None:
            return None
        if isinstance(node.value, str):
            return node.value
        self.say(node, f"{what} is one value; a value with a comma, bracket or brace must be quoted")
        return None

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """One scalar or a list of scalars."""
        if node is None or node.value is None:
            return ()
        items = node.value if isinstance(node.value, tuple) else (node,)
        return tuple(text for item in items if (text := self.text(item, what)) is not None)

    def number(self, node: Node | None, what: str) -> float | None:
        text = self.text(node, what)
        if text is None or text == "null":
            return None
        try:
            return float(text)
        except ValueError:
            self.say(node or "", f"{what} `{text}` is not a number")
            return None

    def truth(self, node: Node | None, what: str) -> bool:
        text = self.text(node, what)
        if text not in (None, "true", "false"):
            self.say(node or "", f"{what} is `true` or `false`, not `{text}`")
        return text == "true"

    def build(self, node: Node, make: Callable[[], T]) -> T | None:
        """What `make` returns; a model's complaint becomes a finding at `node`."""
        from pydantic import ValidationError

        try:
            return make()
        except ValidationError as error:
            for problem in error.errors():
                self.say(node, str(problem["msg"]).removeprefix("Value error, "))
            return None

    @staticmethod
    def _unknown(key: str, node: Node, what: str, known: tuple[str, ...]) -> str:
        child = node.value[key] if isinstance(node.value, dict) else None
        if node.flow and child is not None and child.value is None:
            return f"`{key}` is not a key of {what}: inside {{ }} a value with a comma, bracket or brace must be quoted"
        near = get_close_matches(key, known, 1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; the keys are {', '.join(known)}"
        return f"`{key}` is not a key of {what}{hint}"


def compose(text: str, file: str, reader: Reader) -> Node | None:
    """The tree of one YAML document; mistakes of spelling go to `reader`, and None comes back."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        reader.say(
            place, f"this is not YAML: {error.problem or error.context}; quote a value that holds , [ ] {{ }} or :"
        )
        return None
    return None if root is None else _node(root, file, reader)


def _node(node: yaml.Node, file: str, reader: Reader) -> Node:
    where = _place(node, file)
    if isinstance(node, yaml.ScalarNode):
        empty = not node.style and node.value in ("", "~", "null")
        return Node(where, None if empty else node.value)
    assert isinstance(node, yaml.CollectionNode)
    if isinstance(node, yaml.SequenceNode):
        return Node(where, tuple(_node(child, file, reader) for child in node.value), bool(node.flow_style))
    entries: dict[str, Node] = {}
    keys: dict[str, str] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        place = _place(key_node, file)
        if key is None:
            reader.say(place, "a key must be a plain word; a value with brackets or braces must be quoted")
        elif key in entries:
            reader.say(place, f"`{key}` is written twice, first at {keys[key]}")
        else:
            entries[key], keys[key] = _node(value_node, file, reader), place
    return Node(where, entries, bool(node.flow_style), keys)


def _place(node: yaml.Node, file: str) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

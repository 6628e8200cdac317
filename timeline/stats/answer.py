"""What a declared statistic found, in the one shape in which pages, captions and comparisons read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A statistic's sentences, its values by name, and, of a family of tests, a row of values a panel.

    A value that is undefined is None, and its sentence says why.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    """Numbers, texts and lists by name, such as `median`, `p` or `lower`: what a published value is held against."""
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same of each panel, by the panel's name; every row has the same names."""
    brief: tuple[str, ...] = ()
    """The lines that a picture says of it: test, n, P, and why some are missing."""
    methods: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Each method that was used, with its conventions."""
    published: str = ""
    """The id of the published value that it answers."""

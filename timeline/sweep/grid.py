"""The grid of a sweep: parameters with their values, and variants of the rules; knows no study and no measure."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from timeline import load
from timeline.compiler.params import in_force
from timeline.errors import UsageError
from timeline.rules import Param, RuleSet

MOST_POINTS = 500
"""A larger grid is not looked at point by point, and is refused."""
PLAIN = "default"
"""The variant that is no variant: the rule set as it is."""


@dataclass(frozen=True)
class Axis:
    """A parameter, the values it takes, and the one that it has where it is not swept."""

    param: str
    values: tuple[str, ...]
    default: str
    meaning: str = ""


@dataclass(frozen=True)
class Point:
    """A variant, and a value for each axis."""

    variant: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """What varies: every variant at every combination of values, each with the parameters in force there."""

    variants: Mapping[str, RuleSet]
    """The plain rule set first."""
    axes: tuple[Axis, ...]
    base: Mapping[str, Mapping[str, str]]
    """Of each variant: overridden parameters that are not swept."""
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        combined = itertools.product(self.variants, itertools.product(*(axis.values for axis in self.axes)))
        return tuple(Point(variant, values) for variant, values in combined)

    @property
    def reference(self) -> Point:
        """The rules as they are, whether or not the grid has that point."""
        return Point(PLAIN, tuple(axis.default for axis in self.axes))

    def params(self, point: Point) -> dict[str, str]:
        return {**self.base[point.variant], **self.values(point)}

    def values(self, point: Point) -> dict[str, str]:
        return {axis.param: value for axis, value in zip(self.axes, point.values, strict=True)}


def grid(
    ruleset: RuleSet, base: Mapping[str, str], params: Mapping[str, Sequence[str]], variants: Iterable[Path] = ()
) -> Grid:
    """Return the grid of `params` (values by `rule.param`) over `ruleset` and each folder of `variants` put upon it.

    `base` are the parameters in force where they are not swept. Raises UsageError naming every parameter and value
    that does not fit, `Findings` for mistakes in the folders.
    """
    known = {PLAIN: ruleset, **_variants(ruleset, variants)}
    wrong = [f"--set {param}: write its values with commas between" for param, values in params.items() if not values]
    wrong += _misfits(known, params)
    size = len(known)
    for values in params.values():
        size *= len(dict.fromkeys(values))
    if size > MOST_POINTS:
        wrong.append(f"{size:,} points are more than anybody looks at; leave out values or variants, to {MOST_POINTS}")
    if wrong:
        raise UsageError("\n".join(dict.fromkeys(wrong)))
    plain = {f"{name}.{p}": text for name, own in in_force(ruleset, base).items() for p, text in own.items()}
    axes = tuple(
        Axis(param, tuple(dict.fromkeys(values)), plain[param], _declared(ruleset, param).meaning)
        for param, values in params.items()
    )
    kept = {name: {key: text for key, text in base.items() if _has(each, key)} for name, each in known.items()}
    return Grid(known, axes, kept, tuple(_without_effect(known, base, params)))


def _variants(ruleset: RuleSet, folders: Iterable[Path]) -> dict[str, RuleSet]:
    """Each variant by the name of its folder; a folder that holds only such folders stands for each of them."""
    found: dict[str, Path] = {}
    for folder in folders:
        if str(folder) == PLAIN and not folder.exists():
            continue  # the rule set as it is, which is always there
        inner = sorted({path.parent for path in folder.glob("*/*.yaml")} - {folder / "concepts"})
        for path in inner if inner and not list(folder.glob("*.yaml")) else [folder]:
            name = path.resolve().name
            if name == PLAIN or found.get(name, path) != path:
                other = "the rule set without a variant" if name == PLAIN else str(found[name])
                raise UsageError(f"--variant {path}: `{name}` names {other} already; rename the folder")
            found[name] = path
    return {name: load.over(ruleset, path) for name, path in found.items()}


def _misfits(known: Mapping[str, RuleSet], params: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for (variant, ruleset), (param, values) in itertools.product(known.items(), params.items()):
        if variant != PLAIN and _has(known[PLAIN], param) and not _has(ruleset, param):
            yield (
                f"variant {variant} has no parameter {param}, which --set varies; give its rule that parameter, "
                "vary one that every variant has, or leave the variant out"
            )
            continue
        for value in values:
            try:
                in_force(ruleset, {param: value})
            except UsageError as error:
                yield str(error) if variant == PLAIN else f"variant {variant}: {error}"


def _without_effect(
    known: Mapping[str, RuleSet], base: Mapping[str, str], params: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for (variant, ruleset), (key, text) in itertools.product(known.items(), base.items()):
        if key not in params and not _has(ruleset, key):
            yield f"variant {variant} has no parameter {key}; that it is {text} in the study has no effect there"


def _declared(ruleset: RuleSet, key: str) -> Param:
    rule, _, param = key.partition(".")
    return ruleset.rules[rule].params[param]


def _has(ruleset: RuleSet, key: str) -> bool:
    rule, _, param = key.partition(".")
    return rule in ruleset.rules and param in ruleset.rules[rule].params

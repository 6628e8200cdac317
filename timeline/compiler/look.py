"""A lookup after parsing: its relation, its window's bounds and its condition, names checked."""

from dataclasses import dataclass

from timeline.compiler.context import Context, missing
from timeline.compiler.relation import Relation
from timeline.fragment import Fragment
from timeline.rules import Lookup

EVER = {"-inf": "TIMESTAMP '-infinity'", "inf": "TIMESTAMP 'infinity'"}


@dataclass(frozen=True)
class Look:
    """A lookup after parsing."""

    lookup: Lookup
    path: str
    relation: Relation
    lower: Fragment | None
    upper: Fragment | None
    to: Fragment | None
    where: Fragment | None

    @property
    def needs(self) -> set[tuple[str, ...]]:
        """The names of the looking row that it needs, `base.x` written as x."""
        own = {name for part in (self.lower, self.upper, self.to) if part for name in part.names}
        looked = self.where.names if self.where else frozenset()
        return own | {parts[1:] for parts in looked if parts[0] == "base" and len(parts) > 1}

    @property
    def overlaps(self) -> bool:
        """Whether a span counts by any part of it; a moment's only part is its time."""
        return bool(self.lookup.window and self.lookup.window.overlaps and self.relation.kind == "spans")

    @property
    def open_ended(self) -> bool:
        """Whether nothing bounds the window on one side, so that most rows of a patient may be in it."""
        window = self.lookup.window
        return window is None or window.lower == "-inf" or window.upper == "inf"

    @property
    def uses_base(self) -> bool:
        return bool(self.where and any(parts[0] == "base" for parts in self.where.names))


def read_look(ctx: Context, lookup: Lookup, path: str) -> Look | None:
    """Return the lookup parsed and its names checked; complain and return None where it is wrong."""
    relation = ctx.relation(lookup.relations, path)
    before = len(ctx.findings)
    window = lookup.window
    bounds = [
        None if bound is None or bound in EVER else ctx.parse(bound, path)
        for bound in ((window.lower, window.upper) if window else (None, None))
    ]
    to, where = ctx.parse(lookup.to, path), ctx.parse(lookup.where, path)
    if relation is None or len(ctx.findings) > before:
        return None
    if window and relation.at is None:
        ctx.say(path, f"`{relation.name}` has no time, so a window cannot see it; leave `in` out")
    if lookup.pick == "nearest" and relation.at is None:
        ctx.say(path, f"`{relation.name}` has no time, so none of its rows is nearest")
    if lookup.column is not None and lookup.column not in relation.columns:
        ctx.say(path, missing(f"column of {relation.name}", lookup.column, list(relation.columns)))
    return Look(lookup, path, relation, bounds[0], bounds[1], to, where) if len(ctx.findings) == before else None


def names_of_base(look: Look) -> list[str]:
    """The columns of the looking row that its `where` reads as `base.x`."""
    names = look.where.names if look.where else frozenset()
    return sorted({parts[1] for parts in names if parts[0] == "base" and len(parts) == 2})


def describe(look: Look, name: str) -> str:
    """A lookup in words, as its author wrote it."""
    target = look.relation.name + (f".{look.lookup.column}" if look.lookup.column else "")
    place = f" in {look.lookup.window}" if look.lookup.window else ""
    return f"{name}: {look.lookup.pick} {target}{place}"

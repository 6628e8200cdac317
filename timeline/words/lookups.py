"""Rows, lookups and windows as words: which row of which relation, and which bounds belong to the interval."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from timeline.fragment import Tree
from timeline.rules import Lookup, Rule, RuleSet, Window
from timeline.words.expressions import condition, shift, tree_of, value
from timeline.words.names import END, Scope, listed, short, spoken, uncapitalized


@dataclass(frozen=True)
class Sayer:
    """One rule, with what its words need to know of the rule set around it."""

    ruleset: RuleSet
    rule: Rule
    scope: Scope
    """Of the rule's own rows."""
    kinds: Mapping[str, Mapping[str, str]]
    """SQL types of columns, by rule, and of `event` and `patient`."""
    spans: frozenset[str]
    """The rules whose rows last."""

    def noun(self, relations: tuple[str, ...]) -> str:
        """What one row of `relations` is called."""
        titles = [
            uncapitalized(short(self.ruleset.concepts[n].title or n)) for n in relations if n in self.ruleset.concepts
        ]
        if titles:
            return f"record of {listed(titles, 'or')}"
        return spoken(relations[0], self.scope.spellings)

    def scope_of(self, relations: tuple[str, ...], own: frozenset[str] = frozenset()) -> Scope:
        """The names of a row of `relations`, which this rule reads."""
        kinds = {column: kind for name in relations for column, kind in self.kinds_of(name).items()}
        return replace(self.scope, row=self.noun(relations), kinds=kinds, own=own)

    def kinds_of(self, relation: str) -> Mapping[str, str]:
        """SQL types of the columns of a relation; concepts have those of `event`."""
        return self.kinds.get(relation, self.kinds["event"])


def lookup_of(sayer: Sayer, lookup: Lookup) -> str:
    said, seen = _picked(sayer, lookup), frozenset[str]()
    if lookup.to is not None:
        near, seen = _bound(tree_of(lookup.to, sayer.scope), sayer.scope)
        said = f"{said} nearest to {near}" + ("," if lookup.window else "")
    said = f"{said}{_window(lookup, sayer.scope, seen)}{where(lookup.where, sayer.scope_of(lookup.relations))}"
    return f"whether there is {said}" if lookup.pick == "any" else said


PICKS = {
    "first": "the first {}", "last": "the last {}", "nearest": "the {}", "min": "the lowest {}",
    "max": "the highest {}", "mean": "the mean {}", "median": "the median {}", "sum": "the sum of {}",
}  # fmt: skip


def _picked(sayer: Sayer, lookup: Lookup) -> str:
    """`the first dose`, `the lowest level of any reading`."""
    row, pick, column = sayer.noun(lookup.relations), lookup.pick, lookup.column
    if pick == "any":
        return f"{_article(row)} {row}"
    if pick == "count":
        return f"the number of {many(row)}"
    said = END.get(column or "", spoken(column or "", sayer.scope.spellings))
    measured = row.removeprefix("record of ")
    if column == "value" or measured == said or measured.endswith(f" {said}"):
        return PICKS[pick].format(measured)
    if pick in ("first", "last"):
        return f"the {said} of the {pick} {row}"
    if pick in ("nearest", "min", "max"):
        return f"{PICKS[pick].format(said)} of {'the' if pick == 'nearest' else 'any'} {row}"
    return f"{PICKS[pick].format(said)} of the {many(row)}"


def _window(lookup: Lookup, scope: Scope, seen: frozenset[str]) -> str:
    if lookup.window is None:
        return ""
    said = window(lookup.window, scope, seen)
    bounded = lookup.window.lower != "-inf" and lookup.window.upper != "inf"
    lies = f", any part of which lies {'in the time ' if bounded else ''}"
    return f"{lies if lookup.window.overlaps else ' '}{said}"


def window(window: Window, scope: Scope, seen: frozenset[str] = frozenset()) -> str:
    """Return an interval in words, which of its bounds belong to it included; what was `seen` before is `it`."""
    starts, ends = window.lower != "-inf", window.upper != "inf"
    if not starts and not ends:
        return "at any time"
    if not starts:
        upper, _ = _bound(tree_of(window.upper, scope), scope, seen)
        return f"{'at or before' if window.upper_closed else 'before'} {upper}"
    first, second = tree_of(window.lower, scope), tree_of(window.upper if ends else window.lower, scope)
    lower, seen = _bound(first, scope, seen)
    if not ends:
        return f"{'at or after' if window.lower_closed else 'after'} {lower}"
    if window.lower == window.upper and window.lower_closed and window.upper_closed:
        return f"at {'the time of ' if lower == f'the {scope.row}' else ''}{lower}"
    upper, _ = _bound(second, scope, seen)
    starting, ending = shift(first, scope), shift(second, scope)
    if starting and ending and value(starting[0], scope) == value(ending[0], scope):
        if starting[2] == ending[2]:
            # `from 22 to 32 days after X` names X once, at the end
            lower, upper = starting[1], f"{ending[1]} {lower.removeprefix(starting[1] + ' ')}"
    return {
        (True, True): f"from {lower} to {upper}, both included",
        (True, False): f"from {lower} up to but not including {upper}",
        (False, True): f"after {lower} up to and including {upper}",
        (False, False): f"after {lower} and before {upper}, both excluded",
    }[window.lower_closed, window.upper_closed]


def _bound(tree: Tree, scope: Scope, seen: frozenset[str] = frozenset()) -> tuple[str, frozenset[str]]:
    """A bound in words, and what has been named by then."""
    moved = shift(tree, scope)
    anchor, how = (moved[0], f"{moved[1]} {moved[2]} ") if moved else (tree, "")
    names = anchor.get("column_names", [])
    if names == ["index", "time"]:
        return how + ("it" if "index" in seen else value(anchor, scope)), seen | {"index"}
    if len(names) == 1 and names[0] in AGAIN:
        named = f"the {scope.row}" if names[0] == "time" else value(anchor, scope)
        return how + (AGAIN[names[0]] if "row" in seen else named), seen | {"row"}
    return how + value(anchor, scope), seen


AGAIN = {"time": "it", "start_time": "its start", "end_time": "its end"}
"""What a time of the row at hand is called once the row has been named."""


def where(text: str | None, scope: Scope) -> str:
    return "" if text is None else f" where {condition_of(text, scope)}"


def condition_of(text: str, scope: Scope) -> str:
    return condition(tree_of(text, scope), scope)


def many(noun: str) -> str:
    """A noun in the plural: records of weight; doses; stays as they are called."""
    head, of, rest = noun.partition(" of ")
    if of:
        return f"{many(head)} of {rest}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun if noun.endswith("s") else f"{noun}s"


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"

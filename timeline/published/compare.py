"""Published values held against those that the queries of a study give; knows a connection, and no rule.

What cannot be computed says why; where the publication contradicts itself nothing is forced.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from timeline import query, statistic
from timeline.errors import Findings, TimelineError
from timeline.header import Query
from timeline.printing import did_you_mean
from timeline.published.read import ROW, Check, Item, Published, Value, unfit
from timeline.published.words import listed, phrase
from timeline.stats import Answer

if TYPE_CHECKING:
    import duckdb
    import polars

Agreement = Literal["equal", "differs", "conflict", "not computed", "definition", "described"]
AGREEMENTS: tuple[Agreement, ...] = ("equal", "differs", "conflict", "not computed", "definition", "described")
LEAST = ("differs", "not computed", "conflict", "equal")
Ask = Callable[[Query], "polars.DataFrame"]


@dataclass(frozen=True)
class Field:
    """One value of an item; `agrees` is None where there is nothing to compare."""

    name: str
    published: Value
    computed: Any
    agrees: bool | None
    conflict: str = ""


@dataclass(frozen=True)
class Compared:
    """An item, what the study gives for it in `computed` (empty where nothing is), and how the two agree."""

    id: str
    item: str
    published: str
    agreement: Agreement
    computed: str = ""
    why: str = ""
    """Of a conflict, a difference, a definition, or of what cannot be computed."""
    note: str = ""
    fields: tuple[Field, ...] = ()
    queries: tuple[str, ...] = ()
    """Those that give the values."""
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What one check found."""

    fields: tuple[Field, ...]
    computed: str = ""
    lacking: str = ""


def compare(
    con: "duckdb.DuckDBPyConnection",
    queries: Mapping[str, Query],
    published: Published,
    ids: Iterable[str] | None = None,
    ask: Ask | None = None,
) -> tuple[Compared, ...]:
    """Return every item (or those of `ids`) beside what the study behind `con` gives, in the order of the file.

    `ask` answers a query (by default on `con`); each is asked once. Raises Findings where an item names a query,
    a statistic or a column that is not there.
    """
    if wrong := unfit(published, queries):
        raise Findings(wrong, f"{published.file}: the published values do not fit the queries")
    once = Once(ask or partial(query.run_query, con))
    wanted = published.items if ids is None else {key: published.items[key] for key in ids}
    return tuple(_compared(one, published, queries, once) for one in wanted.values())


def counted(compared: Iterable[Compared]) -> dict[Agreement, int]:
    """Return how many items there are of each agreement, all agreements named."""
    found = [one.agreement for one in compared]
    return {name: found.count(name) for name in AGREEMENTS}


class Once:
    """Answers to queries and statistics, each worked out once; what fails is kept as its sentence."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._frames: dict[str, polars.DataFrame | str] = {}
        self._answers: dict[tuple[str, str], Answer] = {}

    def frame(self, asked: Query) -> "polars.DataFrame | str":
        if asked.name not in self._frames:
            try:
                self._frames[asked.name] = self._ask(asked)
            except TimelineError as error:
                self._frames[asked.name] = str(error)
        return self._frames[asked.name]

    def answer(self, asked: Query, frame: "polars.DataFrame", name: str) -> Answer:
        if (asked.name, name) not in self._answers:
            declared = next(one for one in asked.statistics if statistic.name_of(one) == name)
            self._answers[asked.name, name] = statistic.answer(frame, declared)
        return self._answers[asked.name, name]


def _compared(one: Item, published: Published, queries: Mapping[str, Query], once: Once) -> Compared:
    if one.same_as:
        return _same(one, [_compared(published.items[key], published, queries, once) for key in one.same_as])
    base = Compared(one.id, one.item, one.published, "described", note=one.note)
    if one.kind == "definition" or one.kind == "described":
        return replace(base, agreement=one.kind, why=one.note, note="")
    found = [_found(check, queries, once) for check in one.checks]
    fields = tuple(field for each in found for field in each.fields)
    agreement, why = _agreement(fields, found)
    return replace(
        base,
        agreement=agreement,
        computed="; ".join(each.computed for each in found if each.computed),
        why=why,
        fields=fields,
        queries=tuple(dict.fromkeys(check.query for check in one.checks)),
    )


def _same(one: Item, others: Sequence[Compared]) -> Compared:
    """The results of other items as this one's; of several the least agreement counts."""
    worst = min(others, key=lambda other: LEAST.index(other.agreement))
    return Compared(
        one.id,
        one.item,
        one.published,
        worst.agreement,
        "; ".join(other.computed for other in others if other.computed),
        "; ".join(dict.fromkeys(other.why for other in others if other.why)),
        one.note,
        tuple(field for other in others for field in other.fields),
        tuple(dict.fromkeys(name for other in others for name in other.queries)),
        one.same_as,
    )


def _agreement(fields: Sequence[Field], found: Sequence[Found]) -> tuple[Agreement, str]:
    apart = [field for field in fields if field.agrees is False]
    if wrong := [field for field in apart if not field.conflict]:
        named = [f"{f.name.replace('_', ' ')} {listed(f.computed)}, published {listed(f.published)}" for f in wrong]
        return "differs", "; ".join(named)
    if lacking := [each.lacking for each in found if each.lacking]:
        return "not computed", "; ".join(dict.fromkeys(lacking))
    return ("conflict", "; ".join(field.conflict for field in apart)) if apart else ("equal", "")


def _found(check: Check, queries: Mapping[str, Query], once: Once) -> Found:
    if check.query not in queries:
        return _nothing(check, f"there is no query `{check.query}`{did_you_mean(check.query, queries)}")
    asked = queries[check.query]
    frame = once.frame(asked)
    if isinstance(frame, str):
        return _nothing(check, frame)
    if frame.is_empty():
        return _nothing(check, asked.empty.rstrip(".") or f"query {asked.name} has no row")
    titles: dict[str, str] = {}
    if check.statistic:
        answer = once.answer(asked, frame, check.statistic)
        values = answer.rows.get(check.row, {}) if check.row else answer.values
        declared = next(one for one in asked.statistics if statistic.name_of(one) == check.statistic)
        titles = {key: row.get("title", key) for key, row in answer.rows.items()}
        unit, why = getattr(declared, "unit", None), "; ".join(answer.sentences)
        if check.row and not values:
            why = f"{answer.title}: nothing of {check.row}"
    else:
        values, unit = _row(frame, check.row)
        why = f"query {asked.name} has no row {check.row} here" if not values else "known of nobody"
    fields = tuple(_field(name, value, values, check) for name, value in check.values.items())
    known = {field.name: _named(field.computed, titles) for field in fields if field.computed is not None}
    # Of nobody, every number is undefined, and 0 of 0 is no count.
    if not known or len(known) < len(fields) or values.get("n") == 0:
        return Found(tuple(replace(f, agrees=None) for f in fields), lacking=why)
    return Found(fields, phrase(known, unit))


def _named(value: Any, titles: Mapping[str, str]) -> Any:
    """A list of panels by their names in words."""
    return [titles.get(one, one) for one in value] if isinstance(value, list | tuple) else value


def _nothing(check: Check, why: str) -> Found:
    return Found(tuple(Field(name, value, None, None) for name, value in check.values.items()), lacking=why)


def _row(frame: "polars.DataFrame", key: str) -> tuple[dict[str, Any], str | None]:
    """The values of the rows of one id, and their unit; a measured and a counted row complete each other."""
    import polars

    found: dict[str, Any] = {}
    for row in frame.filter(polars.col(ROW) == key).rows(named=True):
        found |= {name: value for name, value in row.items() if value is not None}
    return found, found.get("unit")


def _field(name: str, value: Value, values: Mapping[str, Any], check: Check) -> Field:
    computed = values.get(name)
    if name in check.rounded and isinstance(computed, int | float):
        scale = 10 ** check.rounded[name]
        computed = math.floor(computed * scale + 0.5) / scale
    agrees = None if computed is None else _agree(value, computed, check.tolerance)
    return Field(name, value, computed, agrees, check.conflict.get(name, ""))


def _agree(value: Value, computed: Any, tolerance: float) -> bool:
    if isinstance(value, tuple):
        return isinstance(computed, list | tuple | set | frozenset) and set(value) == set(computed)
    if isinstance(value, str) or isinstance(computed, str):
        return str(computed) == str(value)
    return isinstance(computed, int | float) and abs(computed - value) <= tolerance

"""Published items under every other reading, beside the default: tables derived once for all readings that share them.

Knows rule sets, queries and published items; must not know what a reading means. Nothing is written.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from timeline import load, overlay, query
from timeline.alternatives.read import Alternatives, Question, Reading, with_options
from timeline.errors import TimelineError, UsageError
from timeline.header import Query
from timeline.printing import did_you_mean
from timeline.published import Agreement, Compared, Published, compare
from timeline.rules import RuleSet

if TYPE_CHECKING:
    import duckdb
    import polars


@dataclass(frozen=True)
class Outcome:
    """A published item under one reading; `changed` against the default is None where one of the two is unknown."""

    id: str
    item: str
    published: str
    computed: str
    agreement: Agreement
    changed: bool | None
    why: str = ""


@dataclass(frozen=True)
class Told:
    """A reading with its outcomes, or in `why` the reason for which there are none."""

    label: str
    outcomes: tuple[Outcome, ...] = ()
    why: str = ""
    notes: tuple[str, ...] = ()
    """What its rows break of the promises of their rules."""

    @property
    def changed(self) -> int:
        return sum(one.changed is True for one in self.outcomes)


@dataclass(frozen=True)
class Ambiguity:
    """An open question: its default reading and what that gives, and the other readings."""

    id: str
    question: str
    default: str
    defaults: tuple[Outcome, ...]
    readings: tuple[Told, ...]
    note: str = ""

    @property
    def changed(self) -> tuple[str, ...]:
        """The ids of the items that some reading changes, in order."""
        moved = {outcome.id for told in self.readings for outcome in told.outcomes if outcome.changed}
        return tuple(one.id for one in self.defaults if one.id in moved)

    @property
    def known(self) -> tuple[str, ...]:
        """The readings under which something could be computed."""
        return tuple(told.label for told in self.readings if any(outcome.computed for outcome in told.outcomes))

    @property
    def unchanged(self) -> tuple[Outcome, ...]:
        """The other items under the default reading."""
        return tuple(one for one in self.defaults if one.id not in self.changed)


@dataclass(frozen=True)
class Sensitivity:
    """What every other reading makes of the published items, and how much had to be derived."""

    study: str
    ruleset: str
    ambiguities: tuple[Ambiguity, ...]
    derived: int
    reused: int
    remark: str
    """That the study is synthetic, or older than its events."""
    seconds: float


@dataclass(frozen=True)
class Variant:
    """A reading made ready: the definitions, queries and items under it; or in `lacking` why it cannot be."""

    ids: tuple[str, ...]
    queries: Mapping[str, Query]
    published: Published
    plan: overlay.Plan | None = None
    lacking: str = ""


def sensitivity(
    con: "duckdb.DuckDBPyConnection",
    definitions: tuple[RuleSet, Mapping[str, str]],
    queries: Mapping[str, Query],
    published: Published,
    listed: Alternatives,
    ids: Iterable[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Sensitivity:
    """Return every question of `listed` (or those of `ids`) with each item under the default and the other readings.

    `definitions` are a rule set and its overridden parameters. Raises UsageError for a question that is not there,
    `Findings` for mistakes in rules or files.
    """
    clock = time.perf_counter()
    asked = _asked(listed, ids)
    # Temporary views would shadow the study's tables for whoever holds the connection: they get one of their own.
    with closing(con.cursor()) as own:
        plans = Plans(*definitions)
        touched = tuple(dict.fromkeys(key for one in asked for r in (one, *one.readings) for key in r.ids))
        reads = _reads(asked, touched, queries, published)
        plain = plans.of(Reading("", ()), reads)
        base = Variant(touched, queries, published, plain)
        variants = {id(r): _variant(plans, r, queries, published) for one in asked for r in one.readings}
        tables = overlay.derive(own, plans.made, progress)
        answers = Answers(own, tables)
        usual = {one.id: one for one in answers.compared(base)}
        told = tuple(_told(one, usual, variants, answers) for one in asked)
        study = own.execute("SELECT current_database()").fetchall()[0][0]
    ruleset = definitions[0].name
    seconds = time.perf_counter() - clock
    return Sensitivity(study, ruleset, told, tables.derived, tables.reused, query.remark(con), seconds)


def _reads(
    asked: Sequence[Question], touched: Sequence[str], queries: Mapping[str, Query], published: Published
) -> frozenset[str]:
    """Every relation that a query reads for one of the items, by default or in its place."""
    names = {check.query for key in touched for check in published.items[key].checks}
    names |= {reading.query for one in asked for reading in one.readings}
    return frozenset(name for asked in names if asked in queries for name in queries[asked].reads)


def _asked(listed: Alternatives, ids: Iterable[str] | None) -> tuple[Question, ...]:
    wanted = tuple(ids) if ids is not None else ()
    unknown = [key for key in wanted if key not in listed.questions]
    if unknown:
        hints = "; ".join(f"there is no question {key}{did_you_mean(key, listed.questions)}" for key in unknown)
        raise UsageError(f"{hints}. The questions are {', '.join(listed.questions)}")
    return tuple(one for key, one in listed.questions.items() if not wanted or key in wanted)


class Plans:
    """Compiled definitions, one for each different set of changes to the rules; the plain ones come first."""

    def __init__(self, ruleset: RuleSet, params: Mapping[str, str]) -> None:
        self._plain, self._params = ruleset, params
        self._sets: dict[tuple[str, ...], RuleSet] = {(): ruleset}
        self._plans: dict[Any, overlay.Plan] = {}

    @property
    def made(self) -> list[overlay.Plan]:
        return list(self._plans.values())

    def of(self, reading: Reading, reads: frozenset[str]) -> overlay.Plan:
        """Return the definitions of a reading as far as `reads` needs them; TimelineError where they do not fit."""
        ruleset, key = self._plain, ()
        if not reading.rules and not reading.set and self._plans:
            return self.made[0]  # the plain one, which has what every query reads
        for folder in reading.rules:
            key = (*key, str(folder))
            if key not in self._sets:
                self._sets[key] = load.over(ruleset, folder)
            ruleset = self._sets[key]
        changed = tuple(sorted(reading.set.items()))
        for param, _ in changed:
            rule, _, name = param.partition(".")
            if rule not in ruleset.rules or name not in ruleset.rules[rule].params:
                raise UsageError(f"the rules of this study have no parameter {param}")
        whole = (key, changed, reads)
        if whole not in self._plans:
            like = next(iter(self._plans.values()), None)
            self._plans[whole] = overlay.plan(ruleset, {**self._kept(ruleset), **reading.set}, reads, like)
        return self._plans[whole]

    def _kept(self, ruleset: RuleSet) -> dict[str, str]:
        """The study's own parameters, of the rules that still have them."""
        split = {key: key.partition(".") for key in self._params}
        has = {
            key
            for key, (rule, _, name) in split.items()
            if rule in ruleset.rules and name in ruleset.rules[rule].params
        }
        return {key: text for key, text in self._params.items() if key in has}


def _variant(plans: Plans, reading: Reading, queries: Mapping[str, Query], published: Published) -> Variant:
    """The reading made ready; what does not fit this study's rules is said instead."""
    if reading.not_computed:
        return Variant(reading.ids, queries, published, lacking=reading.not_computed)
    changed = dict(queries)
    for name, text in reading.params.items():
        asked, _, param = name.partition(".")
        given = changed[asked].params[param].model_copy(update={"default": text})
        changed[asked] = changed[asked].model_copy(update={"params": {**changed[asked].params, param: given}})
    for name, options in reading.statistic.items():
        asked, _, called = name.partition(".")
        changed[asked] = with_options(changed, asked, called, options)
    items = _items(reading, published)
    names = {check.query for key in reading.ids for check in items.items[key].checks if check.query in changed}
    reads = frozenset(name for asked in names for name in changed[asked].reads)
    try:
        return Variant(reading.ids, changed, items, plans.of(reading, reads))
    except TimelineError as error:
        return Variant(reading.ids, changed, items, lacking=str(error))


def _items(reading: Reading, published: Published) -> Published:
    """The published items as the reading asks for them: of another query, or rounded."""
    if not reading.query and not reading.rounded:
        return published
    items = dict(published.items)
    for key in reading.ids:
        checks = tuple(
            replace(
                check,
                query=reading.query or check.query,
                rounded={**check.rounded, **{n: d for n, d in reading.rounded.items() if n in check.values}},
            )
            for check in items[key].checks
        )
        items[key] = replace(items[key], checks=checks)
    return replace(published, items=items)


class Answers:
    """Items under each variant; a query whose tables and parameters are the same is asked once for all of them."""

    def __init__(self, con: "duckdb.DuckDBPyConnection", tables: overlay.Tables) -> None:
        self._con, self._tables = con, tables
        self._frames: dict[Any, polars.DataFrame] = {}
        self._shown: overlay.Plan | None = None

    def compared(self, variant: Variant) -> tuple[Compared, ...]:
        """Return the variant's items; its plan's tables stand under their names from now on."""
        plan = variant.plan
        assert plan is not None
        if plan is not self._shown:
            overlay.show(self._con, plan, self._tables)
            self._shown = plan
        return compare(self._con, variant.queries, variant.published, variant.ids, partial(self._ask, plan))

    def broken(self, variant: Variant) -> tuple[str, ...]:
        return overlay.broken(variant.plan, self._tables) if variant.plan else ()

    def _ask(self, plan: overlay.Plan, asked: Query) -> "polars.DataFrame":
        means = tuple(plan.hashes.get(name) for name in (*asked.reads, plan.ruleset.index or ""))
        values = tuple((name, param.default) for name, param in asked.params.items())
        key = (asked.name, asked.sql, values, means)
        if key not in self._frames:
            self._frames[key] = query.run_query(self._con, asked)
        return self._frames[key]


def _told(one: Question, usual: Mapping[str, Compared], variants: Mapping[int, Variant], answers: Answers) -> Ambiguity:
    touched = dict.fromkeys(key for reading in (one, *one.readings) for key in reading.ids)
    defaults = tuple(_outcome(usual[key], None) for key in touched)
    readings = tuple(_read(reading, variants[id(reading)], usual, answers) for reading in one.readings)
    return Ambiguity(one.id, one.question, one.default, defaults, readings, one.note)


def _read(reading: Reading, variant: Variant, usual: Mapping[str, Compared], answers: Answers) -> Told:
    if variant.plan is None:
        return Told(reading.label, why=variant.lacking)
    try:
        found = answers.compared(variant)
    except TimelineError as error:
        return Told(reading.label, why=str(error))
    outcomes = tuple(_outcome(each, _changed(each, usual[each.id])) for each in found)
    return Told(reading.label, outcomes, notes=answers.broken(variant))


def _outcome(found: Compared, changed: bool | None) -> Outcome:
    return Outcome(found.id, found.item, found.published, found.computed, found.agreement, changed, found.why)


def _changed(here: Compared, usual: Compared) -> bool | None:
    """Whether a value of the item is another one than by default; None where nothing is known on either side."""
    pairs = list(_pairs(here, usual))
    if all(a is None or b is None for a, b in pairs):
        return None
    return not all(_same(a, b) for a, b in pairs)


def _pairs(here: Compared, usual: Compared) -> Iterator[tuple[Any, Any]]:
    for a, b in zip(here.fields, usual.fields, strict=True):
        yield a.computed, b.computed


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, str):
        return set(a) == set(b)
    return a == b

"""What a mapping file says: frozen models, and what they make of a code; know no YAML, no SQL and no medicine."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from timeline.ingest.sexes import SEX
from timeline.ingest.staged import Code
from timeline.rules import Model

COLUMNS = (
    "patient_id", "time", "end_time", "code", "value", "unit", "text", "route", "status",
    "sex", "birth_date", "birth_year",
)  # fmt: skip
FACTS = {"patient.sex": "sex", "patient.birth_date": "birth_date"}
GROUP = re.compile(r"\{(\w+)\}")
"""A named group in `key`. The groups code, unit, status, route, text and value have a meaning of their own."""
FIXED = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?")
"""An anchor that is a time, not a column."""
MATCHES = ("exact", "prefix", "pattern", "ancestor")
"""How a key of `codes` is compared, the first that fits winning: the longest prefix, the first pattern."""


class Target(Model):
    """What a source code means: a concept, and what its rows leave unsaid."""

    concept: str
    match: Literal["exact", "prefix", "pattern", "ancestor"] = "exact"
    unit: str | None = None
    mislabelled: dict[str, str] = {}
    """A unit that the source writes by mistake: the unit that the values are in."""
    text: str | None = None
    route: str | None = None
    date_only: bool = False
    """Its times are dates: midnight is not an hour."""


class Pattern(Model):
    """How one family of codes is taken apart."""

    match: str
    key: str | None = None
    keep: tuple[str, ...] | None = None
    others: Literal["event", "reject"] = "event"
    fact: Literal["sex", "birth_date"] | None = None

    def key_of(self, code: str, groups: dict[str, str]) -> str:
        """The key of a code that fits: the template filled in, else the group `code`, else the code itself."""
        if self.key is not None:
            return GROUP.sub(lambda group: groups[group[1]].strip(), self.key)
        return groups.get("code", code).strip()


class Offset(Model):
    """A time that is counted from another one."""

    offset: str
    """A column of numbers."""
    unit: Literal["second", "minute", "hour", "day"]
    anchor: str
    """A column of the same row, or of `table`, or a fixed time (ISO 8601)."""
    table: str | None = None
    """The other table that has the anchor of each patient."""


Column = str | tuple[str, ...] | Offset
"""A source's column, several whose texts are joined with a blank (a date and a time of day), or a counted time."""


def names_of(column: Column) -> tuple[str, ...]:
    """The columns of the same row that a column is made of."""
    if isinstance(column, Offset):
        elsewhere = column.table is not None or FIXED.fullmatch(column.anchor)
        return (column.offset,) if elsewhere else (column.offset, column.anchor)
    return (column,) if isinstance(column, str) else column


class Writing(Model):
    """How a text file is written. What is not said is as in the native format: nothing is guessed."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    dates: tuple[str, ...] = ()
    """strptime formats of bare dates."""
    times: tuple[str, ...] = ()
    """strptime formats of times of day."""
    missing: tuple[str, ...] = ()
    """Texts that stand for an empty cell."""

    def over(self, default: "Writing") -> "Writing":
        """This, and where it says nothing the default; what it says to be empty stays so."""
        return Writing(**dict(default) | {key: getattr(self, key) for key in self.model_fields_set})

    @property
    def ambiguous(self) -> bool:
        """Whether one mark would be both the decimal one and the one between thousands."""
        return (self.decimal or ".") == self.thousands


class Cell(Model):
    """What the cells of one column of a wide table mean: an event each, of this code."""

    code: str
    unit: str | None = None


class Table(Model):
    """How the rows of one table, a file or a resource of the source, are read."""

    kind: Literal["events", "patients"] | None = None
    ignore: bool = False
    columns: dict[str, Column] = {}
    code: str | None = None
    """The code of every row; {name} stands for that column's text."""
    values: dict[str, Cell] = {}
    where: str | None = None
    """A condition over the source's columns: other rows are rejected."""
    read: Writing = Writing()


class Mapping(Model):
    """A mapping file, checked; `decode` and `table` are its only work."""

    name: str
    title: str = ""
    source: str = ""
    ignore_case: bool = False
    read: Writing = Writing()
    columns: dict[str, Column] = {}
    tables: dict[str, Table] = {}
    statuses: dict[str, tuple[str, ...]] = {}
    units: dict[str, str | None] = {}
    routes: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    patterns: tuple[Pattern, ...] = ()
    codes: dict[str, Target] = {}
    parents: dict[str, tuple[str, ...]] = {}
    """What an extract's own metadata says: the codes of vocabularies that a local code stands for."""
    code_units: dict[str, str] = {}
    """What an extract's own metadata says: the unit of a code, where neither row nor mapping says one."""
    ranked: bool = True
    """The first of `parents` that has a concept counts; else they are equals."""
    levels: dict[str, tuple[int, ...]] = {}
    """How far each of `parents` is, where an extract's own metadata says it."""
    places: dict[tuple[str, ...], str] = {}
    """The path of keys to each entry: where it stands, `file:line:column`."""

    def place(self, *path: str) -> str:
        """Where an entry stands, or the innermost one around it that is written out; the file's name without any."""
        around = (self.places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.places)
        return next(around, self.name)

    def extended(
        self,
        parents: dict[str, tuple[str, ...]],
        *last: Pattern,
        units: dict[str, str] | None = None,
        ranked: bool = True,
        levels: dict[str, tuple[int, ...]] | None = None,
    ) -> "Mapping":
        """This mapping, knowing `parents`, their `levels` and `units` of codes, with more patterns after its own."""
        known = {"parents": parents, "code_units": units or {}, "ranked": ranked, "levels": levels or {}}
        return Mapping(**{**dict(self), **known, "patterns": (*self.patterns, *last)})

    def table(self, name: str) -> Table | None:
        """What the file says of a table: the first entry that fits its name, or its file's name without the ending."""
        key = self.entry(name)
        return self.tables[key] if key is not None else None

    def entry(self, table: str) -> str | None:
        """The key of `tables` that a table's name fits."""
        return fitting(self.tables, table)

    def kept(self, table: str) -> tuple[str, ...] | None:
        """The statuses of a table's rows that count; None where the file says nothing of it."""
        key = fitting(self.statuses, table)
        return self.statuses[key] if key is not None else None

    def idle(self, tables: Iterable[str], but: str = "") -> tuple[str, ...]:
        """The keys of `statuses`, `but` aside, that fit none of `tables`: misspelt, or of another extract."""
        known = tuple(tables)
        fits = {key: any(fitting((key,), table) for table in known) for key in self.statuses if key != but}
        return tuple(key for key, met in fits.items() if not met)

    @property
    def concepts(self) -> frozenset[str]:
        """Every concept the file names, in force or not; `words` are of a sex as well, which is none."""
        return frozenset(target.concept for target in self.codes.values()) | frozenset(self.words) - {SEX}

    def naming(self, concept: str) -> str:
        """Where the first entry stands that names a concept."""
        keys = [("codes", key, "concept") for key, target in self.codes.items() if target.concept == concept]
        return self.place(*(keys or [("words", concept)])[0])

    def decode(self, codes: Iterable[str]) -> list[Code]:
        """One `Code` for each of `codes`, in their order: what it means, in which unit, or why it is not kept."""
        return [self._decode(code) for code in codes]

    def unmet(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The keys under `codes` that none of an extract's codes has: misspelt, or not in this extract."""
        decoded = self.decode(codes)
        met = {self._fold(text) for code in decoded for text in (code.code, code.key)}
        met |= {self._fold(key) for code in decoded if (key := self._entry(code.code, code.key)) is not None}
        return tuple(key for key in self.codes if self._fold(key) not in met)

    def fold(self, text: str) -> str:
        """A text as it is compared: without blanks at its ends, with `ignore_case` in any case."""
        return self._fold(text)

    def _fold(self, key: str) -> str:
        key = key.strip()
        return key.casefold() if self.ignore_case else key

    @cached_property
    def _entries(self) -> dict[str, dict[str, str]]:
        """By kind of match: the key as it is compared, and as it is written; prefixes with the longest first."""
        found: dict[str, dict[str, str]] = {kind: {} for kind in MATCHES}
        for key in sorted(self.codes, key=lambda one: -len(one)):
            kind = self.codes[key].match
            found[kind][key.strip() if kind == "pattern" else self._fold(key)] = key
        found["pattern"] = {key.strip(): key for key in self.codes if self.codes[key].match == "pattern"}
        return found

    @cached_property
    def _regular(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        flags = re.IGNORECASE if self.ignore_case else re.NOFLAG
        return tuple((re.compile(text, flags), key) for text, key in self._entries["pattern"].items())

    @cached_property
    def _compiled(self) -> tuple[tuple[re.Pattern[str], Pattern], ...]:
        return tuple((re.compile(pattern.match), pattern) for pattern in self.patterns)

    def _entry(self, code: str, key: str) -> str | None:
        """The key of `codes` that decides."""
        texts = (self._fold(code), self._fold(key))
        exact = self._entries["exact"]
        if found := next((exact[text] for text in texts if text in exact), None):
            return found
        for prefix, written in self._entries["prefix"].items():
            if texts[0].startswith(prefix) or texts[1].startswith(prefix):
                return written
        for regular, written in self._regular:
            if regular.fullmatch(code.strip()) or regular.fullmatch(key.strip()):
                return written
        ancestors = self._entries["ancestor"]
        kin = (*texts, *map(self._fold, self.parents.get(code, ()))) if ancestors else ()
        return next((ancestors[one] for one in kin if one in ancestors), None)

    def _decode(self, code: str) -> Code:
        for compiled, pattern in self._compiled:
            if match := compiled.fullmatch(code):
                groups = {name: text or "" for name, text in match.groupdict().items()}
                return self._taken_apart(code, pattern, groups)
        return self._meaning(code, code, {})

    def _taken_apart(self, code: str, pattern: Pattern, groups: dict[str, str]) -> Code:
        if pattern.fact is not None:
            return Code(code=code, key=code, fact=pattern.fact, fact_value=groups.get("value", "").strip() or None)
        status = groups.get("status", "").strip()
        if pattern.keep is not None and self._fold(status) not in {self._fold(kept) for kept in pattern.keep}:
            reason = f"status '{status}' is not kept by the mapping {self.name}"
            return Code(code=code, key=code, reject=reason if pattern.others == "reject" else None)
        return self._meaning(code, pattern.key_of(code, groups), groups)

    def _meaning(self, code: str, key: str, groups: dict[str, str]) -> Code:
        unit = groups.get("unit", "").strip()
        unit = unit or self.code_units.get(code, "")
        unit = self.units.get(unit, unit) or None
        text, route = groups.get("text", "").strip() or None, groups.get("route", "").strip() or None
        route = self.routes.get(route.lower(), route) if route else None
        entry = self._entry(code, key)
        if entry is None:
            return Code(
                code=code,
                key=key,
                unit=unit,
                text=text,
                route=route,
                parents=self.parents.get(code, ()),
                ranked=self.ranked,
                levels=self.levels.get(code, ()),
            )
        target = self.codes[entry]
        return Code(
            code=code,
            key=key,
            unit=target.unit or unit,
            mislabelled=tuple(target.mislabelled.items()),
            concept=target.concept,
            text=target.text or text,
            route=target.route or route,
            date_only=target.date_only,
        )


def fitting(names: Iterable[str], table: str) -> str | None:
    """The first of `names` that fits a table's name, with or without its ending; case says nothing."""
    whole = table.lower()
    spoken = (whole, whole.partition(".")[0])
    return next((name for name in names if any(fnmatchcase(one, name.lower()) for one in spoken)), None)

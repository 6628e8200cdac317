"""What each distinct code with each of its units means: decided once here, applied by joins; reads no event.

`Resolution` is a row of `meta.code`, which is kept in the study so that a change of concepts can be
applied without the extract.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from timeline import units
from timeline.concepts import conversion, meanings_of_codes
from timeline.ingest.staged import Code, CodeMapping
from timeline.quote import identifier
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

TYPES = {
    "id": "UINTEGER",
    "mapping": "VARCHAR",
    "code": "VARCHAR",
    "source_unit": "VARCHAR",
    "key": "VARCHAR",
    "parents": "VARCHAR[]",
    "levels": "BIGINT[]",
    "named": "VARCHAR",
    "concept": "VARCHAR",
    "unit": "VARCHAR",
    "factor": "DOUBLE",
    "offset": "DOUBLE",
    "low": "DOUBLE",
    "high": "DOUBLE",
    "words": "BOOLEAN",
    "static": "BOOLEAN",
    "numeric": "BOOLEAN",
    "assumed": "BOOLEAN",
    "reject": "VARCHAR",
    "unfit": "BOOLEAN",
    "fact": "VARCHAR",
    "fact_value": "VARCHAR",
    "text": "VARCHAR",
    "route": "VARCHAR",
    "date_only": "BOOLEAN",
    "label": "VARCHAR",
}
"""The columns of a table of resolutions: a number, then the fields of `Resolution`."""


@dataclass(frozen=True)
class Resolution:
    """One code with one unit: what it means, or why its rows are not kept."""

    mapping: str
    code: str
    source_unit: str
    key: str
    parents: tuple[str, ...]
    levels: tuple[int, ...]
    named: str | None
    concept: str | None
    unit: str | None
    factor: float
    offset: float
    low: float | None
    high: float | None
    words: bool
    static: bool
    numeric: bool
    """A word in place of its number is worth a remark."""
    assumed: bool
    """The rows say no unit, and the canonical one is assumed."""
    reject: str | None
    unfit: bool = False
    """They are rejected because of the concept, as it is now, alone."""
    fact: str | None = None
    fact_value: str | None = None
    text: str | None = None
    route: str | None = None
    date_only: bool = False
    label: str | None = None
    """The unit that the rows are labelled with, where the mapping says that it is another."""
    contradictory: tuple[str, ...] = ()
    """The concepts that its codes of equal rank name: the code's own counts, else none."""


@dataclass(frozen=True)
class Meanings:
    """The concepts in force, ready to be asked for codes."""

    concepts: Mapping[str, Concept]
    by_code: Mapping[str, str]

    @classmethod
    def of(cls, concepts: Mapping[str, Concept]) -> "Meanings":
        return cls(concepts, meanings_of_codes(concepts))

    def find(self, code: Code) -> str | None:
        """The concept of a code: by its name, by the mapping's decision, by the value sets."""
        keys = (code.key, code.code, *code.parents)
        for key in keys[:2]:
            if key in self.concepts and not self.concepts[key].members:
                return key
        if code.concept is not None:
            known = self.concepts.get(code.concept)
            return code.concept if known is not None and not known.members else None
        return next((self.by_code[key] for key in keys if key in self.by_code), None)

    def contradictory(self, code: Code) -> tuple[str, ...]:
        """The concepts of codes of equal rank that say the same thing differently; none where a mapping decides."""
        if code.concept is not None:
            return ()
        keys = self._nearest(code) if code.ranked else (code.key, code.code, *code.parents)
        found = {self.by_code[key] for key in keys if key in self.by_code}
        return tuple(sorted(found)) if len(found) > 1 else ()

    def _nearest(self, code: Code) -> tuple[str, ...]:
        """The parents with a concept that are the nearest, if the code has none of its own."""
        if not code.levels or self.find(replace(code, parents=())) is not None:
            return ()
        known = [one for one in zip(code.levels, code.parents, strict=True) if one[1] in self.by_code]
        return tuple(key for level, key in known if level == min(known)[0])


def decoded(codes: Iterable[str], mappings: Sequence[CodeMapping | None]) -> dict[str, Code]:
    """What the mappings say about each code, the first that knows it; else a code is its own key."""
    found = {code: Code(code=code, key=code) for code in codes}
    distinct = {id(mapping): mapping for mapping in mappings if mapping is not None}
    for mapping in distinct.values():
        for said in mapping.decode([code for code, now in found.items() if now == Code(code=code, key=code)]):
            found[said.code] = said
    return found


def resolve(mapping: str, code: Code, unit: str, meanings: Meanings) -> Resolution:
    """Decide what rows of `code` with `unit` (empty: none) mean."""
    contradictory = meanings.contradictory(code)
    label = unit or code.unit or ""
    given = dict(code.mislabelled).get(label, label)
    name = meanings.find(replace(code, parents=()) if contradictory else code)
    concept = meanings.concepts[name] if name is not None else None
    said = Resolution(
        mapping=mapping,
        code=code.code,
        source_unit=given,
        key=code.key,
        parents=code.parents,
        levels=code.levels if code.ranked else (0,) * len(code.parents),
        named=code.concept,
        concept=name,
        unit=given or None,
        factor=1.0,
        offset=0.0,
        low=None,
        high=None,
        words=False,
        static=False,
        numeric=False,
        assumed=False,
        reject=code.reject,
        fact=code.fact,
        fact_value=code.fact_value,
        text=code.text,
        route=code.route,
        date_only=code.date_only,
        label=label if label != given else None,
        contradictory=contradictory,
    )
    return said if concept is None or code.fact is not None else _as_concept(said, concept)


def _as_concept(said: Resolution, concept: Concept) -> Resolution:
    found = conversion(concept, said.source_unit)
    low, high = _range(concept, found.unit if found else None)
    return Resolution(
        **{
            **vars(said),
            "unit": found.unit if found else None,
            "factor": found.factor if found else 1.0,
            "offset": found.offset if found else 0.0,
            "low": low,
            "high": high,
            "words": bool(concept.words),
            "static": concept.static,
            "numeric": bool(concept.units) and not concept.words,
            "assumed": bool(concept.units) and not said.source_unit,
            "reject": said.reject or (None if found else inconvertible(said.source_unit, concept)),
            "unfit": said.reject is None and found is None,
        }
    )


def _range(concept: Concept, unit: str | None) -> tuple[float | None, float | None]:
    """The plausible range is one of the canonical unit; in another only its 0 still says something."""
    low, high = concept.plausible
    if not concept.units or unit == concept.units[0]:
        return low, high
    return (0.0 if low == 0 else None), None


def inconvertible(unit: str, concept: Concept) -> str:
    """Say that a unit is none of a concept's, and which was perhaps meant."""
    if not concept.units:
        return f"unit '{unit}' for {concept.name}, which has none"
    why = units.ambiguity(unit)
    if why is None and (slip := units.nearest(unit, concept.units, concept.conversions)) is not None:
        why = f"did you mean {slip}?"
    said = f"unit '{unit}' cannot be converted to {' or '.join(concept.units)} ({concept.name})"
    return f"{said}; {why}" if why else said


def create(con: "Connection", table: str) -> None:
    """Make a temporary table of numbered resolutions."""
    listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in TYPES.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({listed})")


def insert(con: "Connection", table: str, numbered: Sequence[tuple[int, Resolution]]) -> None:
    """Add resolutions to a table of `create`, as one JSON value: many times faster than as many literals."""
    rows = json.dumps([{"id": number, **vars(one)} for number, one in numbered])
    con.execute(f"INSERT INTO {table} SELECT unnest(from_json(?, ?), recursive := true)", [rows, json.dumps([TYPES])])

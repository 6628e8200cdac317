"""Concepts as tables and as conversions: which factor takes a unit to a concept's own; knows no extract and no rule."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import schema, units
from timeline.rules import Concept

if TYPE_CHECKING:
    import duckdb

VALUE_SET = "value set"
"""`concept_code.origin` of codes that the concepts' own files list."""
DECIMALS = 9
"""Converted values are rounded so, that 38.0 Cel and 100.4 [degF] are equal."""
WITHOUT_MEANING = ("title", "source", "typical")
"""Fields of a concept that change neither an event nor a rule's rows."""
OF_NO_EVENT = (*WITHOUT_MEANING, "scale")


@dataclass(frozen=True)
class Conversion:
    """`value * factor + offset`, rounded to 9 decimals, is the value in `unit`."""

    factor: float
    offset: float
    unit: str | None

    @property
    def same(self) -> bool:
        return self.factor == 1 and self.offset == 0

    def apply(self, value: float) -> float:
        """The value in `unit`."""
        return value if self.same else round(value * self.factor + self.offset, DECIMALS)


def conversion(concept: Concept, unit: str | None) -> Conversion | None:
    """Return how values in `unit` become values of `concept`; None where they cannot, and nothing is guessed.

    No unit means the concept's canonical one. A concept without units takes bare numbers, words for
    them, and annotations such as `{score}`, only.
    """
    unit = (unit or "").strip()
    if concept.any_unit:
        return Conversion(1.0, 0.0, unit or None)
    if not concept.units:
        return Conversion(1.0, 0.0, None) if units.is_bare(unit) else None
    if not unit or unit in concept.units:
        return Conversion(1.0, 0.0, unit or concept.units[0])
    return _by_factor(concept, unit) or _by_dimension(concept, unit)


def alternatives(
    unit: str, conversions: Mapping[str, float], molar_mass: float | None
) -> dict[str, tuple[float, float]]:
    """Return each unit in which values of a concept may come: (factor, offset) into `unit`, its canonical one."""
    masses = (*units.usual("g/L"), *units.usual("mol/L")) if molar_mass is not None else ()
    found = {one: units.factor(one, unit, molar_mass) for one in (*units.usual(unit), *masses)}
    own = {one: (float(factor), 0.0) for one, factor in conversions.items()}
    return {one: between for one, between in found.items() if between is not None and one not in own} | own


def contradictions(concept: Concept) -> list[str]:
    """Return what is wrong with a concept's factors: those that its molar mass contradicts by more than a hundredth."""
    if concept.molar_mass is None:
        return []
    if not concept.units or concept.molar_mass <= 0:
        return ["`molar_mass` is above 0, in g/mol, and goes with `unit`"]
    said = []
    for unit, own in concept.conversions.items():
        by_mass = units.factor(unit, concept.units[0], concept.molar_mass)
        if by_mass is not None and abs(own / by_mass[0] - 1) > 0.01:
            said.append(f"factor {own:g} of {unit} is {by_mass[0]:.6g} by the molar mass; correct one of them")
    return said


def _by_dimension(concept: Concept, unit: str) -> Conversion | None:
    for target in concept.units:
        if found := units.factor(unit, target, concept.molar_mass):
            return Conversion(*found, target)
    return None


def _by_factor(concept: Concept, unit: str) -> Conversion | None:
    """By the concept's own factors, also from another size of their units (pmol/L where nmol/L is given)."""
    exact = concept.conversions.get(unit)
    if exact is not None:
        return Conversion(float(exact), 0.0, concept.units[0])
    if (read := units.parse(unit)) is None:
        return None
    for given, own in concept.conversions.items():
        known = units.parse(given)
        if known is not None and known.dimension == read.dimension:
            return Conversion(float(read.scale / known.scale) * own, 0.0, concept.units[0])
    return None


def digest(concepts: Iterable[Concept]) -> str:
    """The hash of what the concepts mean: the same meaning, the same hash, whatever their titles and order."""
    meanings = [concept.model_dump(exclude=set(OF_NO_EVENT)) for concept in sorted(concepts, key=lambda one: one.name)]
    return hashlib.sha256(json.dumps(meanings, sort_keys=True).encode()).hexdigest()


def meanings_of_codes(concepts: Mapping[str, Concept]) -> dict[str, str]:
    """Code -> concept, of the value sets and of the names themselves (groups are no meaning of an event)."""
    found = {code: concept.name for concept in concepts.values() if not concept.members for code in concept.codes}
    return found | {name: name for name, concept in concepts.items() if not concept.members}


def write(con: "duckdb.DuckDBPyConnection", concepts: Mapping[str, Concept]) -> None:
    """Fill `concept` and the value sets of `concept_code`; what mapping files say about codes stays."""
    from timeline import store

    # Made anew, so that a study of an earlier version has the columns of this one.
    con.execute("DROP TABLE concept")
    con.execute(schema.ddl("concept"))
    store.comment(con, ["concept"])
    con.execute("DELETE FROM concept_code WHERE origin = ?", [VALUE_SET])
    rows = [_row(concept) for _, concept in sorted(concepts.items())]
    codes = sorted({(concept.name, code) for concept in concepts.values() for code in concept.codes})
    # As one JSON value: thousands of literals would take as many times as long to parse.
    types = {field.name: field.type for field in schema.CONCEPT}
    con.execute(_insert("concept"), [json.dumps(rows), json.dumps([types])])
    listed = [{"concept": name, "code": code, "origin": VALUE_SET} for name, code in codes]
    con.execute(
        _insert("concept_code"),
        [json.dumps(listed), json.dumps([dict.fromkeys(("concept", "code", "origin"), "VARCHAR")])],
    )


def _insert(table: str) -> str:
    return f"INSERT INTO {table} SELECT unnest(from_json(?, ?), recursive := true)"


def _row(concept: Concept) -> dict[str, object]:
    low, high = concept.plausible
    return {
        "concept": concept.name,
        "title": concept.title or None,
        "unit": concept.units[0] if concept.units else None,
        "low": low,
        "high": high,
        "typical_low": concept.typical[0],
        "typical_high": concept.typical[1],
        "conversions": json.dumps(dict(concept.conversions)),
        "molar_mass": concept.molar_mass,
        "members": concept.members,
        "static": concept.static,
        "words": [word.lower() for word in concept.words],
    }

"""A mapping's units and concepts, held against the concepts in force; reads no extract.

What is found here would else be seen only later, as rows that were rejected for their unit or that mean nothing.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from timeline import units
from timeline.concepts import conversion
from timeline.errors import Finding
from timeline.ingest.codes import Meanings, inconvertible
from timeline.ingest.mapping.model import Mapping as MappingFile
from timeline.rules import Concept

LIKE = 0.8
"""How alike two names are, by difflib's measure, for one to be taken as a slip of the other."""


def mistakes(mapping: MappingFile, concepts: Mapping[str, Concept]) -> list[Finding]:
    """Units that nobody knows or that do not become their concept's, and groups where one concept must be.

    Concepts that are not in force are let pass: rules that are read later may declare them.
    """
    said = (*_units(mapping, concepts), *_codes(mapping, concepts), *_cells(mapping, concepts))
    return [Finding(mapping.place(*path), message) for path, message in said]


def like(name: str, concepts: Mapping[str, Concept]) -> str | None:
    """The concept in force of which a name may be a slip."""
    return next(iter(get_close_matches(name, concepts, 1, LIKE)), None)


def _units(mapping: MappingFile, concepts: Mapping[str, Concept]) -> Iterator[tuple[tuple[str, ...], str]]:
    own = {unit for concept in concepts.values() for unit in (*concept.units, *concept.conversions)}
    for theirs, unit in mapping.units.items():
        if unit and unit not in own and (wrong := unknown(unit, own)):
            yield ("units", theirs), wrong


def unknown(unit: str, own: set[str]) -> str | None:
    """Why a unit is none that is known here, with the nearest; None where it is one."""
    if (why := units.ambiguity(unit)) is not None:
        return f"unit '{unit}' is not decided: {why}"
    if units.is_known(unit):
        return None
    near = units.nearest(unit, (), sorted({*own, *units.USUAL}))
    hint = f"did you mean {near}?" if near else "write it as UCUM does, what is only counted as `{tablet}`"
    return f"unit '{unit}' is not known; {hint}"


def _codes(mapping: MappingFile, concepts: Mapping[str, Concept]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, target in mapping.codes.items():
        concept = concepts.get(target.concept)
        if concept is None:
            continue
        if concept.members:
            yield (
                ("codes", key, "concept"),
                f"`{concept.name}` is a group of concepts; name one of its members: {', '.join(concept.members)}",
            )
            continue
        unit = dict(target.mislabelled).get(target.unit or "", target.unit)
        if wrong := _inconvertible(unit, concept):
            yield ("codes", key, "unit"), wrong
        for label, given in target.mislabelled.items():
            if wrong := _inconvertible(given, concept):
                yield ("codes", key, "mislabelled", label), wrong


def _cells(mapping: MappingFile, concepts: Mapping[str, Concept]) -> Iterator[tuple[tuple[str, ...], str]]:
    meanings = Meanings.of(concepts)
    for name, table in mapping.tables.items():
        for column, cell in table.values.items():
            [code] = mapping.decode([cell.code])
            concept = meanings.find(code)
            unit = mapping.units.get(cell.unit, cell.unit) if cell.unit else None
            unit = dict(code.mislabelled).get(unit, unit) if unit else None
            if concept is not None and (wrong := _inconvertible(unit, concepts[concept])):
                yield ("tables", name, "values", column, "unit"), wrong


def _inconvertible(unit: str | None, concept: Concept) -> str | None:
    return inconvertible(unit, concept) if unit and conversion(concept, unit) is None else None

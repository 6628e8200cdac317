"""A mapping file against the concepts in force: units, words and groups that it names in vain; reads no extract."""

from collections.abc import Iterator, Mapping

from timeline import units
from timeline.concepts import conversion
from timeline.errors import Finding
from timeline.ingest.codes import Meanings, inconvertible
from timeline.ingest.mapping import Mapping as MappingFile
from timeline.ingest.mapping import Target, position
from timeline.ingest.sexes import FORMS, SEX
from timeline.printing import did_you_mean
from timeline.rules import Concept

Concepts = Mapping[str, Concept]


def findings(mapping: MappingFile, concepts: Concepts) -> list[Finding]:
    """Return what a mapping says that no row could be read by, with its place; concepts not in force are let pass."""
    parts = (_spellings, _targets, _cells, _vocabularies)
    return sorted((one for part in parts for one in part(mapping, concepts)), key=position)


def _spellings(mapping: MappingFile, concepts: Concepts) -> Iterator[Finding]:
    """Units of the source that stand for a unit which nothing knows."""
    own = {unit for concept in concepts.values() for unit in (*concept.units, *concept.conversions)}
    for theirs, ours in mapping.units.items():
        if ours is None or ours in own or units.is_known(ours):
            continue
        why = units.ambiguity(ours) or did_you_mean(ours, sorted(own)).removeprefix("; ") or "write it as UCUM does"
        yield Finding(mapping.place("units", theirs), f"`{ours}` is no unit that is known; {why}")


def _targets(mapping: MappingFile, concepts: Concepts) -> Iterator[Finding]:
    for key, target in mapping.codes.items():
        concept = concepts.get(target.concept)
        if concept is None:
            continue
        at = ("codes", key)
        if concept.members:
            named = ", ".join(concept.members)
            message = f"`{concept.name}` is a group of concepts, not one; name one of its members: {named}"
            yield Finding(mapping.place(*at, "concept"), message)
            continue
        for place, unit in _units_of(target):
            yield from _unit(mapping, (*at, *place), unit, concept)
        if target.text is not None:
            yield from _word(mapping, (*at, "text"), target.text, concept)


def _units_of(target: Target) -> Iterator[tuple[tuple[str, ...], str]]:
    if target.unit is not None:
        yield ("unit",), target.unit
    for wrong, right in target.mislabelled.items():
        yield ("mislabelled", wrong), right


def _cells(mapping: MappingFile, concepts: Concepts) -> Iterator[Finding]:
    """Columns of wide tables whose unit is none of their concept."""
    meanings = Meanings.of(concepts)
    for table, said in mapping.tables.items():
        for column, cell in said.values.items():
            name = meanings.find(mapping.decode([cell.code])[0])
            if name is not None and cell.unit is not None:
                unit = mapping.units.get(cell.unit, cell.unit) or ""
                yield from _unit(mapping, ("tables", table, "values", column, "unit"), unit, concepts[name])


def _unit(mapping: MappingFile, at: tuple[str, ...], unit: str, concept: Concept) -> Iterator[Finding]:
    if conversion(concept, unit) is None:
        yield Finding(mapping.place(*at), inconvertible(unit, concept))


def _vocabularies(mapping: MappingFile, concepts: Concepts) -> Iterator[Finding]:
    for name, vocabulary in mapping.words.items():
        for theirs, ours in vocabulary.items():
            at = ("words", name, theirs)
            if name in concepts:
                yield from _word(mapping, at, ours, concepts[name])
            elif name == SEX and ours.strip().lower() not in {word.lower() for word in FORMS}:
                hint = did_you_mean(ours.strip().lower(), FORMS) or "; write F or M; a word left out stays as it is"
                yield Finding(mapping.place(*at), f"`{ours}` is no sex{hint}")


def _word(mapping: MappingFile, at: tuple[str, ...], word: str, concept: Concept) -> Iterator[Finding]:
    if concept.words and word.lower() not in {one.lower() for one in concept.words}:
        hint = did_you_mean(word, concept.words) or f"; its words are {', '.join(concept.words)}"
        yield Finding(mapping.place(*at), f"`{word}` is no word of {concept.name}{hint}")

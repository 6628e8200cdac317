"""Which names are like a text: by its code first, then by its words; decides nothing.

Likeness of words is rapidfuzz's: the share of letters in common, whatever the order of the words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from timeline.concepts import conversion
from timeline.draft.records import Candidate
from timeline.rules import Concept

LEAST = 85.0
"""Less alike (of 100) is not proposed."""
NAMED = 3
"""Proposals of one kind."""


@dataclass(frozen=True)
class Known:
    """The spellings by which concepts are known."""

    concepts: Mapping[str, Concept]
    spellings: tuple[str, ...]
    names: tuple[str, ...]
    """The concept of each spelling."""
    unverified: Mapping[str, str]
    """Codes that a concept lists without being sure of them."""

    @classmethod
    def of(cls, concepts: Mapping[str, Concept], learned: Iterable[tuple[str, str]] = ()) -> "Known":
        """Of the concepts' names and titles, and of what mapping files that are there call them (spelling, name)."""
        events = {name: concept for name, concept in concepts.items() if not concept.members}
        pairs = [(name.replace("_", " "), name) for name in events]
        pairs += [(re.split(r"[;,(]", concept.title)[0], name) for name, concept in events.items() if concept.title]
        pairs += [(spelling, name) for spelling, name in learned if name in events]
        pairs = sorted({(plain(text), name) for text, name in pairs if len(plain(text)) > 1})
        unverified = {code: name for name, concept in events.items() for code in concept.unverified}
        return cls(events, tuple(text for text, _ in pairs), tuple(name for _, name in pairs), unverified)


def plain(text: str) -> str:
    """Words in lower case, without marks."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"[^\W_]+", spaced.lower()))


def _singular(text: str) -> str:
    """Words without the s of a plural, so that one and several are alike."""
    return re.sub(r"(?<=[^\W\d_]{3})(?<!s)s\b", "", text)


def concepts_like(
    known: Known, codes: Sequence[str], texts: Sequence[str], unit: str, middle: float | None
) -> tuple[Candidate, ...]:
    """Concepts that a code may mean: those that list it unverified, then those of a like name that allow the unit.

    Of a code with numbers those that have numbers go before those of which is asked alone whether they happened.
    """
    found = {known.unverified[code]: "lists this code, unverified" for code in codes if code in known.unverified}
    for text in texts:
        for name, score, spelling in _alike(plain(text), known.spellings, known.names):
            if name not in found and _allows(known.concepts[name], unit, middle):
                found[name] = f"{score:.0f} % alike: {spelling}"
    if middle is not None:
        found = dict(sorted(found.items(), key=lambda one: known.concepts[one[0]].any_unit))
    return tuple(Candidate(name, because) for name, because in list(found.items())[:NAMED])


def words_like(text: str, words: Sequence[str]) -> tuple[Candidate, ...]:
    """Words of ours that a word of the source may mean."""
    spelled = [plain(word) for word in words]
    return tuple(
        Candidate(name, f"{score:.0f} % alike") for name, score, _ in _alike(plain(text), spelled, words)[:NAMED]
    )


def _alike(text: str, spellings: Sequence[str], names: Sequence[str]) -> list[tuple[str, float, str]]:
    """Each name with its best score and that spelling, the best first."""
    from rapidfuzz import fuzz, process

    if len(text) < 2:
        return []
    best: dict[str, tuple[float, float, str]] = {}
    for spelling, score, place in process.extract(
        text, spellings, scorer=fuzz.token_set_ratio, processor=_singular, score_cutoff=LEAST, limit=20
    ):
        # A word in a sentence is wholly in it: of two such the one that is more of the sentence goes first.
        rank = (round(score, 6), round(fuzz.ratio(text, spelling), 6), spelling)
        if rank > best.get(names[place], (0.0, 0.0, "")):
            best[names[place]] = rank
    ordered = sorted(best.items(), key=lambda one: (-one[1][0], -one[1][1], one[0]))
    return [(name, score, spelling) for name, (score, _, spelling) in ordered]


def _allows(concept: Concept, unit: str, middle: float | None) -> bool:
    """Whether the unit becomes the concept's, and the middle of the values is one that is plausible."""
    becomes = conversion(concept, unit)
    if becomes is None:
        return False
    low, high = concept.plausible
    value = becomes.apply(middle) if middle is not None else None
    if value is None or (concept.units and becomes.unit != concept.units[0]):
        return True
    return (low is None or value >= low) and (high is None or value <= high)

"""The words that sources have for a sex, and the one form of each in `patient`; knows no format."""

from collections.abc import Iterable, Mapping

from timeline.ingest import parse
from timeline.ingest.staged import Staged
from timeline.quote import literal

FORMS = {"F": "F", "female": "F", "8532": "F", "M": "M", "male": "M", "8507": "M"}
"""A word -> its form: as in MEDS extracts, FHIR (AdministrativeGender), and the vocabulary Gender of OMOP."""
SEX = "sex"
"""The name under `words` of a mapping."""


def said_by(staged: Iterable[Staged]) -> dict[str, str]:
    """The words for a sex, in lower case, that mappings give one of ours; the first that has a word decides."""
    said: dict[str, str] = {}
    for mapping in {id(one.mapping): one.mapping for one in staged if one.mapping is not None}.values():
        said = {**mapping.words.get(SEX, {}), **said}
    return said


def one_form(said: str, words: Mapping[str, str]) -> str:
    """SQL: the form of the word that `said` gives, `words` first; of another the word itself, NULL without one."""
    forms = {word.lower(): form for word, form in FORMS.items()}
    known = {**forms, **{theirs: forms.get(ours.strip().lower(), ours.strip()) for theirs, ours in words.items()}}
    whens = " ".join(f"WHEN {parse.numeral(literal(word))} THEN {literal(form)}" for word, form in known.items())
    return f"CASE {parse.numeral(f'lower(trim({said}))')} {whens} ELSE nullif(trim({said}), '') END"

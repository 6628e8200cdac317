"""The words that sources have for a sex, and the one form of each in `patient`; knows no format."""

from timeline.quote import literal

FORMS = {"F": "F", "female": "F", "8532": "F", "M": "M", "male": "M", "8507": "M"}
"""A word -> its form: as in MEDS extracts, FHIR (AdministrativeGender), and the vocabulary Gender of OMOP."""


def one_form(said: str) -> str:
    """SQL: the form of the word that `said` gives; of another word the word itself, NULL where there is none."""
    whens = " ".join(f"WHEN {literal(word.lower())} THEN {literal(form)}" for word, form in FORMS.items())
    return f"CASE lower(trim({said})) {whens} ELSE nullif(trim({said}), '') END"

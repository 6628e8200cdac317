"""Codings of FHIR -> codes as value sets write them, as SQL over a row's elements; knows no resource and no file.

A coding of a system that is known becomes `PREFIX/code`, of another `SYSTEM|code`, which a mapping file can take
apart, and without a system the code alone. Sources: terminologies-systems of HL7 FHIR R4 (section 4.3.0) for the
URIs, the HL7 registry for the OIDs; SNOMED CT International for the routes.
"""

from timeline.quote import literal

UCUM = "http://unitsofmeasure.org"
PREFIXES = {
    "http://loinc.org": "LOINC",
    "urn:oid:2.16.840.1.113883.6.1": "LOINC",
    "http://snomed.info/sct": "SNOMED",
    "urn:oid:2.16.840.1.113883.6.96": "SNOMED",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "urn:oid:2.16.840.1.113883.6.88": "RxNorm",
    "http://www.whocc.no/atc": "ATC",
    "urn:oid:2.16.840.1.113883.6.73": "ATC",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD10CM",
    "urn:oid:2.16.840.1.113883.6.90": "ICD10CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD10",
    "urn:oid:2.16.840.1.113883.6.3": "ICD10",
    "http://hl7.org/fhir/sid/icd-10-de": "ICD10GM",
    "http://fhir.de/codesystem/bfarm/icd-10-gm": "ICD10GM",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD9CM",
    "http://www.cms.gov/medicare/coding/icd10": "ICD10PCS",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "urn:oid:2.16.840.1.113883.12.292": "CVX",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "urn:oid:2.16.840.1.113883.6.69": "NDC",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "urn:oid:2.16.840.1.113883.6.12": "CPT",
    "http://terminology.hl7.org/codesystem/hcpcs-all-codes": "HCPCS",
    "urn:oid:2.16.840.1.113883.6.285": "HCPCS",
    UCUM: "UCUM",
    "urn:oid:2.16.840.1.113883.6.8": "UCUM",
    "http://terminology.hl7.org/codesystem/v3-actcode": "ActCode",
    "http://hl7.org/fhir/v3/actcode": "ActCode",
}
"""URI in lower case, with http and without a slash at its end: that of the prefix."""
ROUTES = {
    "47625008": "intravenous", "418114005": "intravenous", "419993007": "intravenous",
    "26643006": "oral", "34206005": "subcutaneous", "78421000": "intramuscular",
    "417985001": "enteral", "127492001": "enteral", "127490009": "enteral", "372464004": "intradermal",
    "417255000": "intraosseous", "72607000": "intrathecal", "404820008": "epidural", "12130007": "intraarticular",
    "418401004": "intravitreal", "38239002": "intraperitoneal", "372471009": "intravesical", "447694001": "inhaled",
    "46713006": "nasal", "54471007": "buccal", "37839007": "sublingual", "54485002": "ophthalmic",
    "10547007": "otic", "6064005": "topical", "45890007": "transdermal", "37161004": "rectal", "16857009": "vaginal",
}  # fmt: skip
"""SNOMED CT's routes of administration -> the word of the native format."""


def _map(pairs: dict[str, str]) -> str:
    return "MAP {" + ", ".join(f"{literal(key)}: {literal(value)}" for key, value in pairs.items()) + "}"


KNOWN = _map(PREFIXES)


def _uri(coding: str) -> str:
    return f"rtrim(regexp_replace(lower(trim({coding}.system)), '^https:', 'http:'), '/')"


def _code(coding: str) -> str:
    system = f"nullif(trim({coding}.system), '')"
    return f"concat(coalesce({KNOWN}[{_uri(coding)}] || '/', {system} || '|'), trim({coding}.code))"


def codes_of_codings(codings: str) -> str:
    """The codes of a list of codings, those of known systems first, else in their order."""
    known = f"{KNOWN}[{_uri('k')}] IS NOT NULL"
    listed = [
        f"list_filter({codings}, lambda k: nullif(trim(k.code), '') IS NOT NULL AND {condition})"
        for condition in (known, f"NOT coalesce({known}, FALSE)")
    ]
    return f"list_transform(list_concat({', '.join(listed)}), lambda k: {_code('k')})"


def codes(concept: str) -> str:
    """The codes of a CodeableConcept, or its text where it has no coding."""
    text = f"nullif(trim({concept}.text), '')"
    found = codes_of_codings(f"{concept}.coding")
    return f"CASE WHEN len({found}) > 0 THEN {found} WHEN {text} IS NOT NULL THEN [{text}] END"


def status(concept: str) -> str:
    """The status that a CodeableConcept says, in whatever shape: JSON, since makers write a list, an object or a word.

    The code that takes the resource back, whichever coding has it, else the first code, else the words.
    """
    codes = f"list_filter(json_extract_string({concept}, '$.coding[*].code'), lambda c: trim(c) <> '')"
    back = ", ".join(literal(code) for code in TAKEN_BACK)
    return (
        f"lower(trim(coalesce(list_filter({codes}, lambda c: lower(trim(c)) IN ({back}))[1], {codes}[1], "
        f"json_extract_string({concept}, '$.coding.code'), json_extract_string({concept}, '$.text'), "
        f"CASE WHEN json_type({concept}) = 'VARCHAR' THEN json_extract_string({concept}, '$') END)))"
    )


TAKEN_BACK = ("entered-in-error", "refuted")
"""Codes of a Condition's verificationStatus (FHIR R4) that say that there was none."""


def words(concept: str) -> str:
    """A CodeableConcept in words: its text, else the first display."""
    shown = f"list_filter(list_transform({concept}.coding, lambda k: k.display), lambda d: d IS NOT NULL)[1]"
    return f"coalesce(nullif(trim({concept}.text), ''), {shown})"


def route(concept: str) -> str:
    """A route of administration: the word of the native format where SNOMED CT says it, else the source's words."""
    snomed = [uri for uri, prefix in PREFIXES.items() if prefix == "SNOMED"]
    listed = ", ".join(literal(uri) for uri in snomed)
    known = f"list_filter({concept}.coding, lambda k: {_uri('k')} IN ({listed}))[1].code"
    return f"coalesce({_map(ROUTES)}[trim({known})], {words(concept)}, {codes(concept)}[1])"


def number(quantity: str) -> str:
    """The number of a Quantity, with its comparator before it."""
    return f"coalesce({quantity}.comparator, '') || {quantity}.value"


def unit(quantity: str) -> str:
    """The unit of a Quantity: the code where it is UCUM, else as people read it."""
    ucum = f"CASE WHEN {_uri(quantity)} = {literal(UCUM)} THEN nullif(trim({quantity}.code), '') END"
    return f"coalesce({ucum}, nullif(trim({quantity}.unit), ''), nullif(trim({quantity}.code), ''))"


def amount(quantity: str) -> str:
    """A Quantity in words."""
    return f"({number(quantity)} || coalesce(' ' || {unit(quantity)}, ''))"

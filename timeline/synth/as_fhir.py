"""FHIR R4 as a bulk export: a file of lines for each kind of resource; knows no medicine.

What has a route is a MedicationAdministration, what lasts and has no value an Encounter, all else an Observation.
Clock times are written in UTC, bare dates as dates. Codes without a vocabulary have no system.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.quote import literal
from timeline.synth.chunk import BOUND, NUMBER, PLAIN, Chunk, is_date, moment, tables

if TYPE_CHECKING:
    from timeline.rules import Concept

SYSTEMS = {
    "LOINC": "http://loinc.org",
    "SNOMED": "http://snomed.info/sct",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ATC": "http://www.whocc.no/atc",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "CVX": "http://hl7.org/fhir/sid/cvx",
}
"""Prefix of a code -> system. HL7 FHIR R4, section 4.3.0."""
KNOWN = f"split_part(code, '/', 1) IN ({', '.join(literal(name) for name in SYSTEMS)})"
SYSTEM = (
    f"CASE split_part(code, '/', 1) {' '.join(f'WHEN {literal(p)} THEN {literal(s)}' for p, s in SYSTEMS.items())} END"
)
CODING = f"json_object('system', {SYSTEM}, 'code', CASE WHEN {KNOWN} THEN split_part(code, '/', 2) ELSE code END)"
CODED = f"json_object('coding', json_array(json_merge_patch('{{}}', {CODING})))"
WHO = "CASE WHEN patient_id IS NOT NULL THEN json_object('reference', 'Patient/' || patient_id) END"
FIGURE = f"CASE WHEN json_valid({PLAIN}) THEN CAST({PLAIN} AS JSON) ELSE to_json({NUMBER}) END"
AMOUNT = f"""CASE WHEN {NUMBER} IS NOT NULL OR unit IS NOT NULL
    THEN json_object('value', {FIGURE}, 'comparator', {BOUND}, 'unit', unit) END"""


def _time(name: str) -> str:
    """A cell that is no time stands as it is, as a careless program would write it."""
    return f"""CASE WHEN {is_date(name)} THEN "{name}"
        ELSE coalesce(strftime({moment(name)}, '%Y-%m-%dT%H:%M:%SZ'), "{name}") END"""


PERIOD = f"CASE WHEN end_time IS NOT NULL THEN json_object('start', {_time('time')}, 'end', {_time('end_time')}) END"
EFFECTIVE = {
    "effectiveDateTime": f"CASE WHEN end_time IS NULL THEN {_time('time')} END",
    "effectivePeriod": PERIOD,
}
RESOURCES: Mapping[str, Mapping[str, str]] = {
    "Patient": {
        "id": "patient_id",
        "gender": "CASE sex WHEN 'F' THEN 'female' WHEN 'M' THEN 'male' ELSE lower(sex) END",
        "birthDate": "CAST(birth_date AS VARCHAR)",
    },
    "Encounter": {
        "id": "CAST(record AS VARCHAR)",
        "status": "'finished'",
        "class": f"json_merge_patch('{{}}', {CODING})",
        "subject": WHO,
        "period": PERIOD,
    },
    "MedicationAdministration": {
        "id": "CAST(record AS VARCHAR)",
        "status": "'completed'",
        "medicationCodeableConcept": CODED,
        "subject": WHO,
        **EFFECTIVE,
        "dosage": f"json_object('text', text, 'route', json_object('text', route), 'dose', {AMOUNT})",
    },
    "Observation": {
        "id": "CAST(record AS VARCHAR)",
        "status": "'final'",
        "code": CODED,
        "subject": WHO,
        **EFFECTIVE,
        "valueQuantity": f"CASE WHEN value IS NULL OR {NUMBER} IS NOT NULL THEN {AMOUNT} END",
        "valueString": f"CASE WHEN {NUMBER} IS NULL THEN coalesce(value, CASE WHEN unit IS NULL THEN text END) END",
        "note": """CASE WHEN text IS NOT NULL AND (value IS NOT NULL OR unit IS NOT NULL)
            THEN json_array(json_object('text', text)) END""",
    },
}
KIND = """CASE WHEN route IS NOT NULL THEN 'MedicationAdministration'
    WHEN end_time IS NOT NULL AND value IS NULL AND text IS NULL THEN 'Encounter' ELSE 'Observation' END"""

AT_ONCE = 10_000
"""Lines that are in Python's memory at a time."""


def write(chunks: Iterable[Chunk], out: Path, concepts: "Mapping[str, Concept]") -> None:
    """Write the files of lines, a chunk of patients at a time; an element without a value is left out."""
    with ExitStack() as opened:
        files = {name: opened.enter_context((out / f"{name}.ndjson").open("w", encoding="utf-8")) for name in RESOURCES}
        for chunk in chunks:
            with tables(chunk) as con:
                for kind, file in files.items():
                    con.execute(_lines(kind))
                    while rows := con.fetchmany(AT_ONCE):
                        file.writelines(line + "\n" for (line,) in rows)


def _lines(kind: str) -> str:
    """SELECT the resources of a kind as JSON."""
    pairs = ", ".join(f"{literal(name)}, {sql}" for name, sql in RESOURCES[kind].items())
    rows = "persons" if kind == "Patient" else f"events WHERE {KIND} = {literal(kind)}"
    whole = f"json_merge_patch('{{}}', json_object('resourceType', {literal(kind)}, {pairs}))"
    return f"SELECT CAST({whole} AS VARCHAR) FROM {rows} ORDER BY place"

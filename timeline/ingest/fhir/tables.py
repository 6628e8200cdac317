"""The elements of FHIR that are read, as the columns of tables: for schemas and documentation; reads nothing."""

from timeline.ingest.fhir.elements import DIED, DIED_AT, RESOURCES
from timeline.schema import Field

READS = (
    Field("patient_id", "VARCHAR", "the `id` of the Patient that the subject names", nullable=False),
    Field("time", "TIMESTAMP", "when; a year or a month is no time, and rejects the row"),
    Field("end_time", "TIMESTAMP", "the end of a period"),
    Field("code", "VARCHAR", "the first coding of a known system, `PREFIX/code`; else `SYSTEM|code`, else the text",
          nullable=False),
    Field("value", "VARCHAR", "a number, with its comparator before it; else words, or the code of a coded answer"),
    Field("unit", "VARCHAR", "the UCUM code, else the unit as people read it"),
    Field("text", "VARCHAR", "the words of a coded answer, of a diagnosis or of a dosage; why there is no value"),
    Field("route", "VARCHAR", "a word of the native format where SNOMED CT says it, else the source's words"),
)  # fmt: skip
"""The columns of every event part, as `Staged.reads` has them."""
PATIENT_READS = (
    Field("id", "VARCHAR", "the patient", nullable=False),
    Field("gender", "VARCHAR", "the sex"),
    Field("birth_date", "DATE", "the date of birth; of a year or a month only birth_year is known"),
)
CODE = "the code; the other codings are tried where no value set has it"
PATIENT = "the patient: the `id` of that resource, through fullUrl inside a Bundle, or through its identifier"
VERSION = (
    "meta.lastUpdated, meta.versionId",
    "VARCHAR",
    "of one type and id in one ingest the newest counts; none, if they differ and neither is the newer",
)
ELEMENTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Patient": (
        ("id", "VARCHAR", "the patient"),
        VERSION,
        ("identifier", "VARCHAR", "whom a subject means that is an identifier only; kept nowhere"),
        ("gender", "VARCHAR", "patient.sex"),
        ("birthDate", "DATE", "patient.birth_date; of a year or a month only patient.birth_year is known"),
        ("deceasedDateTime", "TIMESTAMP", f"an event {DIED_AT}; a year or a month: {DIED}, without a time"),
        ("deceasedBoolean", "BOOLEAN", f"where true, an event {DIED} without a time"),
        ("link.type", "VARCHAR", "`replaced-by` is counted; nothing is merged"),
    ),
    "Encounter": (
        ("class", "VARCHAR", "the code: ActCode/IMP, ActCode/EMER, ActCode/AMB, ..."),
        ("type", "VARCHAR", "the text"),
        ("period", "TIMESTAMP", "time and end_time"),
    ),
    "Observation": (
        ("code", "VARCHAR", CODE),
        ("effectiveDateTime, effectiveInstant, effectivePeriod", "TIMESTAMP", "time; end_time of a period"),
        ("valueQuantity", "DOUBLE", "value, with its comparator before it, and unit"),
        ("valueInteger", "BIGINT", "value"),
        ("valueString, valueBoolean, valueDateTime, valueTime", "VARCHAR", "value, a number where it reads as one"),
        ("valueCodeableConcept", "VARCHAR", "value is its code, text its words"),
        ("valueRange, valueRatio, valuePeriod", "VARCHAR", "text; there is no value"),
        ("dataAbsentReason", "VARCHAR", "text where there is no value"),
        ("interpretation", "VARCHAR", "text where there is no value and no reason"),
        ("note", "VARCHAR", "text where there is no value, or a number: that of the first"),
        ("component", "STRUCT", "a row more, of the part `component[n]`, with its own code and value"),
    ),
    "MedicationAdministration": (
        ("medicationCodeableConcept, medicationReference", "VARCHAR", CODE),
        ("effectiveDateTime, effectivePeriod", "TIMESTAMP", "time; end_time of a period"),
        ("dosage.dose", "DOUBLE", "value and unit"),
        ("dosage.text", "VARCHAR", "text"),
        ("dosage.rateQuantity, dosage.rateRatio", "VARCHAR", "text where dosage has none: a rate is no dose"),
        ("dosage.route", "VARCHAR", "route"),
    ),
    "MedicationRequest": (
        ("medicationCodeableConcept, medicationReference", "VARCHAR", f"{CODE}, each with ORDER/ before it"),
        ("authoredOn", "TIMESTAMP", "time"),
        ("dosageInstruction", "DOUBLE", "value, unit, text and route of the first"),
        ("doNotPerform", "BOOLEAN", "where true, the row is refused"),
    ),
    "MedicationStatement": (
        ("medicationCodeableConcept, medicationReference", "VARCHAR", f"{CODE}, each with STATEMENT/ before it"),
        ("effectiveDateTime, effectivePeriod", "TIMESTAMP", "time; end_time of a period"),
        ("dosage", "DOUBLE", "value, unit, text and route of the first"),
    ),
    "Immunization": (
        ("vaccineCode", "VARCHAR", CODE),
        ("occurrenceDateTime", "TIMESTAMP", "time"),
        ("doseQuantity", "DOUBLE", "value and unit"),
        ("route", "VARCHAR", "route"),
    ),
    "Procedure": (
        ("code", "VARCHAR", f"{CODE}; its words are the text"),
        ("performedDateTime, performedPeriod", "TIMESTAMP", "time; end_time of a period"),
    ),
    "Condition": (
        ("code", "VARCHAR", f"{CODE}; its words are the text"),
        ("onsetDateTime, onsetPeriod, recordedDate", "TIMESTAMP", "time: the first of them that is there"),
        ("abatementDateTime, abatementPeriod", "TIMESTAMP", "end_time"),
    ),
    "DeviceUseStatement": (
        ("device", "VARCHAR", "the code: the type of the Device that it names"),
        ("timingDateTime, timingPeriod", "TIMESTAMP", "time; end_time of a period"),
    ),
    "Medication": (VERSION, ("code", "VARCHAR", "the code of the rows that name it")),
    "Device": (VERSION, ("type", "VARCHAR", "the code of the rows that name it")),
}


def _fields(name: str) -> tuple[Field, ...]:
    fields = tuple(Field(*one) for one in ELEMENTS[name])
    if name not in RESOURCES:
        return fields
    resource = RESOURCES[name]
    patient = Field(resource.patient.removeprefix("r."), "VARCHAR", PATIENT, nullable=False)
    status = Field(resource.status_name, "VARCHAR", f"rows count that are {', '.join(resource.kept)}, or say nothing")
    return (Field("id", "VARCHAR", "tells two alike apart"), Field(*VERSION), patient, status, *fields)


TABLES: dict[str, tuple[Field, ...]] = {name: _fields(name) for name in ELEMENTS}
"""Resource -> the elements read, what their text must be readable as, and what becomes of them."""

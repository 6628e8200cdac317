"""Which elements of which FHIR R4 resources are read, and what becomes of each; knows no file and no database.

`RESOURCES` is the whole reading: an expression a column of the staged rows, over `r`, a resource as DuckDB reads it
with the shape given here. Elements that are not named in a shape are not read (`IGNORED` says which, and why).
Source: HL7 FHIR R4 (4.0.1), the page of each resource.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from timeline.ingest import parse
from timeline.ingest.fhir import systems

Shape = Mapping[str, Any]

CODING = {"system": "VARCHAR", "code": "VARCHAR", "display": "VARCHAR"}
CONCEPT = {"coding": [CODING], "text": "VARCHAR"}
QUANTITY = {name: "VARCHAR" for name in ("value", "comparator", "unit", "system", "code")}
PERIOD = {"start": "VARCHAR", "end": "VARCHAR"}
REFERENCE = {"reference": "VARCHAR"}
IDENTIFIER = {"system": "VARCHAR", "value": "VARCHAR"}
SUBJECT = {**REFERENCE, "identifier": IDENTIFIER}
IDENTITY = {"id": "VARCHAR", "meta": {"lastUpdated": "VARCHAR", "versionId": "VARCHAR"}}
"""What makes a resource one, and its versions several."""
COMMON = {**IDENTITY, "status": "VARCHAR", "subject": SUBJECT}
RANGE = {"low": QUANTITY, "high": QUANTITY}
RATIO = {"numerator": QUANTITY, "denominator": QUANTITY}
CONTAINED = {"resourceType": "VARCHAR", "id": "VARCHAR", "code": CONCEPT, "type": CONCEPT}
MEASURED = {
    "code": CONCEPT,
    "valueQuantity": QUANTITY,
    "valueCodeableConcept": CONCEPT,
    "valueString": "VARCHAR",
    "valueInteger": "VARCHAR",
    "valueBoolean": "VARCHAR",
    "valueDateTime": "VARCHAR",
    "valueTime": "VARCHAR",
    "valueRange": RANGE,
    "valueRatio": RATIO,
    "valuePeriod": PERIOD,
    "valueSampledData": {"period": "VARCHAR"},
    "dataAbsentReason": CONCEPT,
    "interpretation": [CONCEPT],
}
"""What an Observation and each of its components have in common."""
MEDICATION = {"medicationCodeableConcept": CONCEPT, "medicationReference": REFERENCE, "contained": [CONTAINED]}


@dataclass(frozen=True)
class Resource:
    """How one kind of resource is read."""

    shape: Shape
    codes: str
    """A list: the code of the row, and the others that stand for the same."""
    named: str
    """What the source calls its code."""
    time: str
    end_time: str = "NULL"
    value: str = "NULL"
    unit: str = "NULL"
    text: str = "NULL"
    route: str = "NULL"
    patient: str = "r.subject"
    """The Reference to the patient."""
    status: str = "r.status"
    status_name: str = "status"
    kept: tuple[str, ...] = ()
    """The statuses whose rows are used; a row without one is."""
    prefix: str = ""
    """Goes before every code, so that no value set takes an order for what was given."""
    pointer: str = "NULL"
    """The reference to the resource that has the code, where the row itself has none."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """What is there and not read -> the condition that holds then."""
    lists: tuple[str, ...] = ()
    """Elements that bring the value and must be lists, each by its path: anything else in their place is not read."""

    @property
    def has_parts(self) -> bool:
        return "component" in self.shape


def _first(*expressions: str) -> str:
    return f"coalesce({', '.join(expressions)})"


def _of_contained(reference: str, named: str) -> str:
    """The codes of a contained resource that a reference such as `#1` names."""
    own = f"list_filter(r.contained, lambda c: '#' || c.id = {reference})[1]"
    return systems.codes(f"{own}.{named}")


def _drug() -> str:
    return _first(
        systems.codes("r.medicationCodeableConcept"), _of_contained("r.medicationReference.reference", "code")
    )


def _without(quantity: str) -> str:
    """Whether a Quantity is there and has no value: text or a list in its place is read as one with nothing in it."""
    return f"{quantity} IS NOT NULL AND {quantity}.value IS NULL"


def _between(low: str, high: str) -> str:
    return f"CASE WHEN {low} IS NOT NULL OR {high} IS NOT NULL THEN concat_ws(' - ', {low}, {high}) END"


def _measured_text() -> str:
    """The words of a value, else why there is none, else how it was judged."""
    low, high = (systems.amount(f"v.valueRange.{side}") for side in ("low", "high"))
    above, below = (systems.amount(f"v.valueRatio.{side}") for side in ("numerator", "denominator"))
    return _first(
        systems.words("v.valueCodeableConcept"),
        _between(low, high),
        f"{above} || ' : ' || {below}",
        _between("v.valuePeriod.start", "v.valuePeriod.end"),
        f"CASE WHEN {MEASURED_VALUE} IS NULL THEN {_first(_reason(), _judged())} END",
    )


def _reason() -> str:
    return _first("v.dataAbsentReason.coding[1].code", "v.dataAbsentReason.text")


def _judged() -> str:
    return systems.words("v.interpretation[1]")


MEASURED_VALUE = _first(
    systems.number("v.valueQuantity"),
    "v.valueInteger",
    "v.valueString",
    "v.valueBoolean",
    "v.valueDateTime",
    "v.valueTime",
    f"{systems.codes('v.valueCodeableConcept')}[1]",
)
WORDS = f"nullif(trim({MEASURED_VALUE}), '')"
NOTE = f"CASE WHEN {parse.number(WORDS)} IS NOT NULL OR {WORDS} IS NULL THEN r.note[1].text END"
DOSED = {"text": "VARCHAR", "route": CONCEPT}
INSTRUCTED = {**DOSED, "doseAndRate": [{"doseQuantity": QUANTITY}]}
RATE = f"'rate ' || {_first(systems.amount('r.dosage.rateQuantity'), systems.amount('r.dosage.rateRatio.numerator'))}"


def _instructed(prefix: str, member: str, time: str, **more: Any) -> Resource:
    """An order, or what a patient says: kept apart from what was given by its prefix."""
    dose = f"r.{member}[1].doseAndRate[1].doseQuantity"
    shape = {**COMMON, **MEDICATION, member: [INSTRUCTED]}
    return Resource(
        shape={**shape, **more.pop("shape")},
        codes=_drug(),
        named=systems.words("r.medicationCodeableConcept"),
        prefix=prefix,
        pointer="r.medicationReference.reference",
        time=time,
        value=systems.number(dose),
        unit=systems.unit(dose),
        text=f"r.{member}[1].text",
        route=systems.route(f"r.{member}[1].route"),
        unread={"doseQuantity without a value": _without(dose)},
        lists=(member, f"{member}[0].doseAndRate"),
        **more,
    )


RESOURCES: Mapping[str, Resource] = {
    "Observation": Resource(
        shape={
            **COMMON,
            "effectiveDateTime": "VARCHAR",
            "effectiveInstant": "VARCHAR",
            "effectivePeriod": PERIOD,
            **MEASURED,
            "component": [MEASURED],
            "note": [{"text": "VARCHAR"}],
        },
        codes=systems.codes("v.code"),
        named=systems.words("v.code"),
        time=_first("r.effectiveDateTime", "r.effectiveInstant", "r.effectivePeriod.start"),
        end_time="r.effectivePeriod.end",
        value=MEASURED_VALUE,
        unit=_first(systems.unit("v.valueQuantity"), "NULL"),
        text=_first(_measured_text(), NOTE),
        kept=("preliminary", "final", "amended", "corrected"),
        unread={
            "valueSampledData": "v.valueSampledData IS NOT NULL",
            "valueQuantity without a value": _without("v.valueQuantity"),
        },
        lists=("component",),
    ),
    "MedicationAdministration": Resource(
        shape={
            **COMMON,
            "effectiveDateTime": "VARCHAR",
            "effectivePeriod": PERIOD,
            **MEDICATION,
            "dosage": {**DOSED, "dose": QUANTITY, "rateQuantity": QUANTITY, "rateRatio": RATIO},
        },
        codes=_drug(),
        named=systems.words("r.medicationCodeableConcept"),
        pointer="r.medicationReference.reference",
        time=_first("r.effectiveDateTime", "r.effectivePeriod.start"),
        end_time="r.effectivePeriod.end",
        value=systems.number("r.dosage.dose"),
        unit=systems.unit("r.dosage.dose"),
        # A rate is no dose: it stays in words.
        text=_first("r.dosage.text", RATE),
        route=systems.route("r.dosage.route"),
        kept=("in-progress", "completed"),
        unread={
            "dosage.dose without a value": _without("r.dosage.dose"),
            "dosage without a dose or words": "r.dosage IS NOT NULL AND "
            "coalesce(r.dosage.dose, r.dosage.rateQuantity) IS NULL AND r.dosage.rateRatio IS NULL "
            "AND r.dosage.text IS NULL AND r.dosage.route IS NULL",
        },
    ),
    "MedicationRequest": _instructed(
        "ORDER/",
        "dosageInstruction",
        "r.authoredOn",
        shape={"authoredOn": "VARCHAR", "doNotPerform": "VARCHAR"},
        status="CASE WHEN r.doNotPerform = 'true' THEN 'doNotPerform' ELSE r.status END",
        kept=("active", "on-hold", "completed", "stopped"),
    ),
    "MedicationStatement": _instructed(
        "STATEMENT/",
        "dosage",
        _first("r.effectiveDateTime", "r.effectivePeriod.start"),
        shape={"effectiveDateTime": "VARCHAR", "effectivePeriod": PERIOD},
        end_time="r.effectivePeriod.end",
        kept=("active", "completed", "stopped"),
    ),
    "Immunization": Resource(
        shape={
            **IDENTITY,
            "status": "VARCHAR",
            "patient": SUBJECT,
            "vaccineCode": CONCEPT,
            "occurrenceDateTime": "VARCHAR",
            "doseQuantity": QUANTITY,
            "route": CONCEPT,
        },
        patient="r.patient",
        codes=systems.codes("r.vaccineCode"),
        named=systems.words("r.vaccineCode"),
        time="r.occurrenceDateTime",
        value=systems.number("r.doseQuantity"),
        unit=systems.unit("r.doseQuantity"),
        route=systems.route("r.route"),
        unread={"doseQuantity without a value": _without("r.doseQuantity")},
        kept=("completed",),
    ),
    "Procedure": Resource(
        shape={
            **COMMON,
            "code": CONCEPT,
            "performedDateTime": "VARCHAR",
            "performedPeriod": PERIOD,
        },
        codes=systems.codes("r.code"),
        named=systems.words("r.code"),
        time=_first("r.performedDateTime", "r.performedPeriod.start"),
        end_time="r.performedPeriod.end",
        text=systems.words("r.code"),
        kept=("in-progress", "completed", "stopped", "on-hold"),
    ),
    "Condition": Resource(
        shape={
            **IDENTITY,
            "verificationStatus": "JSON",
            "subject": SUBJECT,
            "code": CONCEPT,
            "onsetDateTime": "VARCHAR",
            "onsetPeriod": PERIOD,
            "recordedDate": "VARCHAR",
            "abatementDateTime": "VARCHAR",
            "abatementPeriod": PERIOD,
        },
        codes=systems.codes("r.code"),
        named=systems.words("r.code"),
        time=_first("r.onsetDateTime", "r.onsetPeriod.start", "r.recordedDate"),
        end_time=_first("r.abatementDateTime", "r.abatementPeriod.start"),
        text=systems.words("r.code"),
        status=systems.status("r.verificationStatus"),
        status_name="verificationStatus",
        kept=("unconfirmed", "provisional", "confirmed"),
    ),
    "Encounter": Resource(
        shape={
            **COMMON,
            "class": CODING,
            "type": [CONCEPT],
            "period": PERIOD,
        },
        codes=systems.codes_of_codings("[r.class]"),
        named="r.class.display",
        time="r.period.start",
        end_time="r.period.end",
        text=systems.words("r.type[1]"),
        kept=("arrived", "triaged", "in-progress", "onleave", "finished"),
    ),
    "DeviceUseStatement": Resource(
        shape={
            **COMMON,
            "device": REFERENCE,
            "contained": [CONTAINED],
            "timingDateTime": "VARCHAR",
            "timingPeriod": PERIOD,
        },
        codes=_of_contained("r.device.reference", "type"),
        named="NULL",
        pointer="r.device.reference",
        time=_first("r.timingDateTime", "r.timingPeriod.start"),
        end_time="r.timingPeriod.end",
        kept=("active", "completed", "stopped"),
    ),
}
DEFINITIONS: Mapping[str, str] = {"Medication": "code", "Device": "type"}
"""Resources that others point to for their code, and the element that has it."""
READ = (*RESOURCES, *DEFINITIONS, "Patient", "")
"""The types that are read; the empty one is what says none, which is rejected."""
PATIENT_SHAPE: Shape = {
    **IDENTITY,
    "identifier": [IDENTIFIER],
    "gender": "VARCHAR",
    "birthDate": "VARCHAR",
    "deceasedBoolean": "VARCHAR",
    "deceasedDateTime": "VARCHAR",
    "link": [{"type": "VARCHAR"}],
}
PARTIAL_DATE = r"\d{4}(-\d{2})?"
DIED_AT, DIED = "Patient.deceasedDateTime", "Patient.deceasedBoolean"
"""The codes of what a Patient says of its end: when, or only that. A year or a month is no day: only that."""
IGNORED: Mapping[str, str] = {
    "DiagnosticReport": "its results are Observations of their own",
    "MedicationDispense": "what is dispensed is not yet given",
    "ServiceRequest": "what is ordered is not yet done",
    "Bundle": "one inside a Bundle, or in a line of *.ndjson, is not opened: give it as a file of its own",
    "AllergyIntolerance": "no event: it has no time at which it was seen",
    "Observation.issued": "when a result was made known is not when it was true",
    "Observation.valueSampledData": "a curve, not a value; such rows have none, and are counted",
    "Observation.referenceRange": "the laboratory's, not the concept's",
    "Observation.bodySite, .method": "no column of an event; a mapping cannot reach them",
    "Condition.clinicalStatus": "how it stood when the extract was made, not at its onset",
    "Patient.name, .address, .telecom": "never read: they identify a person",
    "extension, modifierExtension, text, meta.profile, .tag, .security": "no element of an event",
}
"""Resources and elements that are there and not read -> why. Others are named by the report of an ingest."""

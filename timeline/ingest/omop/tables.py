"""The tables of the OMOP Common Data Model 5.3 and 5.4 that are read, column by column; knows no file and no SQL."""

from dataclasses import dataclass

from timeline.schema import Field


@dataclass(frozen=True)
class Table:
    """An event table: where its code, its times, and what belongs to a value are."""

    name: str
    concept: str = ""
    source_concept: str = ""
    source_value: str = ""
    start: tuple[str, ...] = ()
    """The first that is not empty is the time."""
    end: tuple[str, ...] = ()
    others: tuple[Field, ...] = ()
    apart: bool = False
    """Its codes have the table's name before them: the same concept in another table says something else."""

    @property
    def prefix(self) -> str:
        """What stands before `OMOP/` in its codes."""
        return f"{self.name}/" if self.apart else ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns that are read, and what becomes of each."""
        code = (
            Field(self.concept, "BIGINT", f"the code, `{self.prefix}OMOP/…`, where it is not 0"),
            Field(self.source_concept, "BIGINT", f"the code, `{self.prefix}OMOP/…`, where the standard concept is 0"),
            Field(self.source_value, "VARCHAR", f"the code, `{self.name}/…`, where both concepts are 0"),
        )
        return (
            PERSON_ID,
            *(field for field in code if field.name),
            *_times(self.start, "time"),
            *_times(self.end, "end_time"),
            *self.others,
        )


PERSON_ID = Field("person_id", "VARCHAR", "the patient, as text: no digit is lost", nullable=False)


def _times(columns: tuple[str, ...], ours: str) -> tuple[Field, ...]:
    return tuple(
        Field(name, "TIMESTAMP", ours)
        if name.endswith("datetime")
        else Field(name, "DATE", f"{ours}, as a bare date, where nothing above says it")
        for name in columns
    )


VALUE = (
    Field(
        "operator_concept_id",
        "BIGINT",
        "the bound of the value: <, <=, >, >=; what is none of these makes the value words",
    ),
    Field("value_as_number", "DOUBLE", "the value"),
    Field("value_as_concept_id", "BIGINT", "the text: the concept's name, else `OMOP/…`"),
    Field("value_as_string", "VARCHAR", "the value where there is no number, else the text"),
    Field("value_source_value", "VARCHAR", "the value where nothing else says it"),
    Field("unit_concept_id", "BIGINT", "the unit, as UCUM writes it"),
    Field("unit_source_value", "VARCHAR", "the unit, where its concept is 0 or not known"),
)
DOSE = (
    Field("quantity", "DOUBLE", "the dose, if its unit is one of mass, also per weight or time; else in the text"),
    Field("sig", "VARCHAR", "the text: how it was to be given, in the source's words"),
    Field("dose_unit_source_value", "VARCHAR", "the unit of the dose"),
    Field("route_concept_id", "BIGINT", "the route, in the words of the native format where they are known"),
    Field("route_source_value", "VARCHAR", "the route, where its concept is 0 or not known"),
)
CAUSE = (
    Field("cause_concept_id", "BIGINT", "the text: the concept's name"),
    Field("cause_source_value", "VARCHAR", "the text, where the concept is 0 or has no name"),
)
PERSON = (
    PERSON_ID,
    Field("gender_concept_id", "BIGINT", "sex: F or M"),
    Field("gender_source_value", "VARCHAR", "sex, where the concept is another"),
    Field("birth_datetime", "TIMESTAMP", "birth_date"),
    Field(
        "year_of_birth",
        "BIGINT",
        "birth_year; birth_date, with month and day, where there is no birth_datetime; neither where the two differ",
    ),
    Field("month_of_birth", "BIGINT", "birth_date, where there is no birth_datetime; where it differs from that, none"),
    Field("day_of_birth", "BIGINT", "birth_date, where there is no birth_datetime; where it differs from that, none"),
)


def _event(
    name: str, stem: str, time: str, end: tuple[str, ...] = (), others: tuple[Field, ...] = (), apart: bool = False
) -> Table:
    concept = (f"{stem}_concept_id", f"{stem}_source_concept_id", f"{stem}_source_value")
    return Table(name, *concept, (f"{time}datetime", f"{time}date"), end, others, apart)


def _span(stem: str) -> tuple[str, ...]:
    return (f"{stem}_end_datetime", f"{stem}_end_date")


def _value_without(name: str) -> tuple[Field, ...]:
    return tuple(field for field in VALUE if field.name != name)


EVENTS = {
    table.name: table
    for table in (
        _event("visit_occurrence", "visit", "visit_start_", _span("visit")),
        # A part of a stay often has the concept of the stay, and would be taken for another.
        _event("visit_detail", "visit_detail", "visit_detail_start_", _span("visit_detail"), apart=True),
        _event("condition_occurrence", "condition", "condition_start_", _span("condition")),
        _event(
            "drug_exposure",
            "drug",
            "drug_exposure_start_",
            (*_span("drug_exposure"), "verbatim_end_date"),
            DOSE,
        ),
        _event("procedure_occurrence", "procedure", "procedure_", ("procedure_end_datetime", "procedure_end_date")),
        _event("device_exposure", "device", "device_exposure_start_", _span("device_exposure")),
        _event("measurement", "measurement", "measurement_", (), _value_without("value_as_string")),
        _event("observation", "observation", "observation_", (), _value_without("operator_concept_id")),
        Table("death", start=("death_datetime", "death_date"), others=CAUSE),
    )
}
"""A row of `death` has the table's name as its code."""
CONCEPT = (
    Field("concept_id", "BIGINT", "which concept", nullable=False),
    Field("concept_name", "VARCHAR", "the words of a value, a cause or a route"),
    Field("vocabulary_id", "VARCHAR", "with concept_code, what value sets are asked for: `VOCABULARY/code`"),
    Field("concept_class_id", "VARCHAR", "says which ancestors of a drug are ingredients"),
    Field("concept_code", "VARCHAR", "with vocabulary_id; of UCUM, the unit"),
)
ANCESTOR = (
    Field("ancestor_concept_id", "BIGINT", "value sets that hold it hold its descendants too", nullable=False),
    Field("descendant_concept_id", "BIGINT", "a code of the extract", nullable=False),
    Field(
        "min_levels_of_separation",
        "BIGINT",
        "the nearest ancestor that a value set holds decides; of equally near ones that differ none does",
    ),
)
RELATIONSHIP = (
    Field("concept_id_1", "BIGINT", "a code of the extract that is no standard concept", nullable=False),
    Field("concept_id_2", "BIGINT", "the standard concept, which it stands for", nullable=False),
    Field("relationship_id", "VARCHAR", "`Maps to`; rows of other relationships are not used", nullable=False),
    Field("invalid_reason", "VARCHAR", "a row that has one is not used"),
)
VOCABULARY = {"concept": CONCEPT, "concept_relationship": RELATIONSHIP, "concept_ancestor": ANCESTOR}
TABLES: dict[str, tuple[Field, ...]] = {
    "person": PERSON,
    **{name: table.fields for name, table in EVENTS.items()},
    **VOCABULARY,
}
"""Source table -> the columns it reads."""
DERIVED = "derived from other tables; a rule derives it anew, with evidence"
ADMINISTRATIVE = "says nothing about a patient at a time"
IGNORED: dict[str, str] = {
    "drug_era": DERIVED,
    "dose_era": DERIVED,
    "condition_era": DERIVED,
    "episode": DERIVED,
    "episode_event": DERIVED,
    "observation_period": "when a patient was observed; no rule asks for it",
    "note": "free text",
    "note_nlp": "derived from free text",
    "specimen": "what was taken, not what was found: that is in measurement",
    "fact_relationship": "links between rows",
    "payer_plan_period": ADMINISTRATIVE,
    "cost": ADMINISTRATIVE,
    "location": ADMINISTRATIVE,
    "care_site": ADMINISTRATIVE,
    "provider": ADMINISTRATIVE,
    "cdm_source": ADMINISTRATIVE,
    "metadata": ADMINISTRATIVE,
    "cohort": "derived by another program",
    "cohort_definition": "derived by another program",
    "cohort_attribute": "derived by another program",
    "attribute_definition": "derived by another program",
    "drug_strength": "the strength of a product; times quantity it would be a dose only if all of it was given",
    "source_to_concept_map": "the extract's own standard concepts are taken as they are",
    "concept_synonym": "other names",
    "concept_class": ADMINISTRATIVE,
    "vocabulary": ADMINISTRATIVE,
    "domain": ADMINISTRATIVE,
    "relationship": ADMINISTRATIVE,
}
"""What is there but not read -> why."""

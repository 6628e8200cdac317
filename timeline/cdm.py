"""Tables of the OMOP Common Data Model 5.4 that are written: their columns, types and what must be filled; no file.

Source: OHDSI/CommonDataModel, inst/ddl/5.4/duckdb/OMOPCDM_duckdb_5.4_ddl.sql. An `integer` of the model is a BIGINT
here, because ids of real extracts need one; a length of text is not enforced, nothing is cut.
"""

from timeline.schema import Field

VERSION = "v5.4"
_TYPES = {"int": "BIGINT", "date": "DATE", "time": "TIMESTAMP", "number": "DOUBLE", "text": "VARCHAR"}
_ENDED = "provider_id int, visit_occurrence_id int, visit_detail_id int"
_WRITTEN = {
    "person": """
        person_id int!, gender_concept_id int!, year_of_birth int!, month_of_birth int, day_of_birth int,
        birth_datetime time, race_concept_id int!, ethnicity_concept_id int!, location_id int, provider_id int,
        care_site_id int, person_source_value text, gender_source_value text, gender_source_concept_id int,
        race_source_value text, race_source_concept_id int, ethnicity_source_value text,
        ethnicity_source_concept_id int""",
    "visit_occurrence": """
        visit_occurrence_id int!, person_id int!, visit_concept_id int!, visit_start_date date!,
        visit_start_datetime time, visit_end_date date!, visit_end_datetime time, visit_type_concept_id int!,
        provider_id int, care_site_id int, visit_source_value text, visit_source_concept_id int,
        admitted_from_concept_id int, admitted_from_source_value text, discharged_to_concept_id int,
        discharged_to_source_value text, preceding_visit_occurrence_id int""",
    "drug_exposure": f"""
        drug_exposure_id int!, person_id int!, drug_concept_id int!, drug_exposure_start_date date!,
        drug_exposure_start_datetime time, drug_exposure_end_date date!, drug_exposure_end_datetime time,
        verbatim_end_date date, drug_type_concept_id int!, stop_reason text, refills int, quantity number,
        days_supply int, sig text, route_concept_id int, lot_number text, {_ENDED}, drug_source_value text,
        drug_source_concept_id int, route_source_value text, dose_unit_source_value text""",
    "device_exposure": f"""
        device_exposure_id int!, person_id int!, device_concept_id int!, device_exposure_start_date date!,
        device_exposure_start_datetime time, device_exposure_end_date date, device_exposure_end_datetime time,
        device_type_concept_id int!, unique_device_id text, production_id text, quantity int, {_ENDED},
        device_source_value text, device_source_concept_id int, unit_concept_id int, unit_source_value text,
        unit_source_concept_id int""",
    "measurement": f"""
        measurement_id int!, person_id int!, measurement_concept_id int!, measurement_date date!,
        measurement_datetime time, measurement_time text, measurement_type_concept_id int!, operator_concept_id int,
        value_as_number number, value_as_concept_id int, unit_concept_id int, range_low number, range_high number,
        {_ENDED}, measurement_source_value text, measurement_source_concept_id int, unit_source_value text,
        unit_source_concept_id int, value_source_value text, measurement_event_id int,
        meas_event_field_concept_id int""",
    "observation": f"""
        observation_id int!, person_id int!, observation_concept_id int!, observation_date date!,
        observation_datetime time, observation_type_concept_id int!, value_as_number number, value_as_string text,
        value_as_concept_id int, qualifier_concept_id int, unit_concept_id int, {_ENDED},
        observation_source_value text, observation_source_concept_id int, unit_source_value text,
        qualifier_source_value text, value_source_value text, observation_event_id int,
        obs_event_field_concept_id int""",
    "death": """
        person_id int!, death_date date!, death_datetime time, death_type_concept_id int, cause_concept_id int,
        cause_source_value text, cause_source_concept_id int""",
    "cohort": """
        cohort_definition_id int!, subject_id int!, cohort_start_date date!, cohort_end_date date!""",
    "cohort_definition": """
        cohort_definition_id int!, cohort_definition_name text!, cohort_definition_description text,
        definition_type_concept_id int!, cohort_definition_syntax text, subject_concept_id int!,
        cohort_initiation_date date""",
    "episode": """
        episode_id int!, person_id int!, episode_concept_id int!, episode_start_date date!,
        episode_start_datetime time, episode_end_date date, episode_end_datetime time, episode_parent_id int,
        episode_number int, episode_object_concept_id int!, episode_type_concept_id int!, episode_source_value text,
        episode_source_concept_id int""",
    "episode_event": "episode_id int!, event_id int!, episode_event_field_concept_id int!",
}


def _field(written: str) -> Field:
    name, kind = written.split()
    return Field(name, _TYPES[kind.rstrip("!")], "", nullable=not kind.endswith("!"))


TABLES: dict[str, tuple[Field, ...]] = {
    table: tuple(_field(column) for column in columns.split(",")) for table, columns in _WRITTEN.items()
}
EHR = 32817
"""`*_type_concept_id` of records of electronic health records: concept EHR of the vocabulary Type Concept."""

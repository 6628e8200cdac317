"""Concept ids of OMOP's own vocabularies that an extract uses without bringing their names; knows no file.

Extracts often come without the vocabulary tables. An id that is not here, and not in the extract's
`concept` table, is not guessed: the source's own words stand in its place.
"""

SEXES = {8507: "M", 8532: "F"}
"""OMOP CDM 5.4, `person.gender_concept_id` (vocabulary Gender)."""

OPERATORS = {4171754: "<=", 4171755: ">=", 4171756: "<", 4172704: ">", 4172703: ""}
"""OMOP CDM 5.4, `measurement.operator_concept_id`; 4172703 is `=`."""

UNITS = {
    8541: "/min",
    8555: "s",
    8505: "h",
    8512: "d",
    8582: "cm",
    8645: "U/L",
    8713: "g/dL",
    8751: "mg/L",
    8763: "U/mL",
    8784: "/uL",
    8795: "mL/min",
    8840: "mg/dL",
    8842: "ng/mL",
    8845: "pg/mL",
    8848: "K/uL",
    8876: "mm[Hg]",
    8923: "[IU]/L",
    8985: "[IU]/mL",
    9289: "[degF]",
    9327: "[in_i]",
    9444: "10*9/L",
    9529: "kg",
    9557: "meq/L",
    586323: "Cel",
}
"""Units as UCUM writes them. OHDSI/MIMIC, custom_mapping_csv/gcpt_meas_unit.csv; 8751, 8840, 8842, 8845: the units of
OMOP's vocabulary UCUM; 8848 is thousand per microliter, written as laboratories do."""

ROUTES = {
    4023156: "otic",
    4057765: "vaginal",
    4132161: "oral",
    4132254: "enteral",
    4132711: "enteral",
    4133177: "enteral",
    4142048: "subcutaneous",
    4156706: "intradermal",
    4157760: "intraosseous",
    4167540: "enteral",
    4171047: "intravenous",
    4181897: "buccal",
    4184451: "ophthalmic",
    4186834: "enteral",
    4217202: "intrathecal",
    4225555: "epidural",
    4243022: "intraperitoneal",
    4262099: "transdermal",
    4262914: "nasal",
    4263689: "topical",
    4290759: "rectal",
    4292110: "sublingual",
    4302612: "intramuscular",
    4302785: "intravitreal",
    45956874: "inhaled",
}
"""Routes in the words of the native format; tubes into stomach and bowel are enteral.
OHDSI/MIMIC, custom_mapping_csv/gcpt_drug_route.csv, where each stands beside the hospital's own word."""

"""The concept files: every concept of the contract is there, with the codes that were verified and no others."""

import re
from pathlib import Path

import pytest
import yaml

from timeline.concepts import conversion
from timeline.load import load
from timeline.rules import Concept
from timeline.shipped import folder

CONTRACT = """
axicabtagene_ciloleucel tisagenlecleucel brexucabtagene_autoleucel lisocabtagene_maraleucel idecabtagene_vicleucel
ciltacabtagene_autoleucel anakinra tocilizumab siltuximab dexamethasone methylprednisolone prednisone prednisolone
hydrocortisone norepinephrine epinephrine phenylephrine dopamine vasopressin temperature systolic_bp
mean_arterial_pressure spo2 oxygen_device body_weight crp ferritin ldh neutrophils platelets leukocytes hemoglobin
creatinine ccl2 ccl3 ccl4 il2ra cxcl10 gm_csf il1a il1b il1ra il2 il6 il7 il15 il18 il6ra tnf il10 ice_score
consciousness seizure motor_weakness cerebral_edema documented_crs_grade documented_icans_grade hospitalization death
last_follow_up response_assessment infection disease cns_involvement ecog ann_arbor_stage prior_lines prior_asct
""".split()
CYTOKINES = "ccl2 ccl3 ccl4 il2ra cxcl10 gm_csf il1a il1b il1ra il2 il6 il7 il15 il18 il6ra tnf il10".split()
BASELINE = "disease cns_involvement ecog ann_arbor_stage prior_lines prior_asct".split()

UNITS = {
    "temperature": ("Cel",), "body_weight": ("kg",), "crp": ("mg/L",), "ferritin": ("ug/L",), "ldh": ("U/L",),
    "neutrophils": ("10*9/L",), "platelets": ("10*9/L",), "leukocytes": ("10*9/L",), "hemoglobin": ("g/dL",),
    "creatinine": ("mg/dL",), "anakinra": ("mg",), "tocilizumab": ("mg", "mg/kg"), "oxygen_device": ("L/min",),
    "systolic_bp": ("mm[Hg]",), "mean_arterial_pressure": ("mm[Hg]",), "spo2": ("%",),
}  # fmt: skip
RANGES = {
    "temperature": (25, 45), "crp": (0, 1000), "ferritin": (0, None), "ldh": (0, None), "neutrophils": (0, 500),
    "platelets": (0, 5000), "hemoglobin": (1, 30), "creatinine": (0, 40), "spo2": (20, 100), "systolic_bp": (20, 300),
    "oxygen_device": (0, 80), "tocilizumab": (0, 1600), "body_weight": (2, 400), "dexamethasone": (0, None),
    "ice_score": (0, 10), "documented_icans_grade": (0, 5), "documented_crs_grade": (0, 5), "il6": (0, None),
}  # fmt: skip
EQUIVALENT_MG = {
    "dexamethasone": 0.75, "betamethasone": 0.6, "methylprednisolone": 4, "triamcinolone": 4, "prednisone": 5,
    "prednisolone": 5, "deflazacort": 6, "hydrocortisone": 20, "cortisone": 25,
}  # fmt: skip
WORDS = {
    "oxygen_device": "none nasal_cannula blow_by high_flow_cannula face_mask nonrebreather venturi cpap bipap "
    "ventilator",
    "consciousness": "alert awake voice tactile unarousable",
    "seizure": "brief prolonged",
    "motor_weakness": "focal_deep",
    "cerebral_edema": "focal diffuse",
}
VERIFIED = {
    "temperature": "LOINC/8310-5 LOINC/8331-1 OMOP/3020891 OMOP/3006322",
    "crp": "LOINC/1988-5 LOINC/30522-7 LOINC/76485-2 OMOP/3020460 OMOP/3010156 OMOP/46234770",
    "ferritin": "LOINC/2276-4 LOINC/20567-4 LOINC/24373-3 OMOP/3001122 OMOP/3015242 OMOP/3011961",
    "ldh": "LOINC/2532-0 LOINC/14805-6 LOINC/14804-9 OMOP/3016436 OMOP/3005225 OMOP/3022250",
    "neutrophils": "LOINC/751-8 OMOP/3013650",
    "neutrophils_percent": "LOINC/770-8 LOINC/26511-6 LOINC/23761-0 OMOP/3008342 OMOP/3018010 OMOP/3027368",
    "leukocytes": "LOINC/6690-2 LOINC/26464-8 OMOP/3000905 OMOP/3010813",
    "platelets": "LOINC/777-3 LOINC/26515-7 LOINC/778-1 OMOP/3024929 OMOP/3007461 OMOP/3010834",
    "hemoglobin": "LOINC/718-7 OMOP/3000963",
    "creatinine": "LOINC/2160-0 LOINC/38483-4 LOINC/14682-9 OMOP/3016723 OMOP/3051825",
    "spo2": "LOINC/59408-5 OMOP/40762499",
    "systolic_bp": "LOINC/8480-6 LOINC/76534-7 OMOP/3004249 OMOP/21492239",
    "diastolic_bp": "LOINC/8462-4 LOINC/76535-4 OMOP/3012888 OMOP/21492240",
    "mean_arterial_pressure": "LOINC/8478-0 LOINC/76536-2 OMOP/3027598 OMOP/21492241",
    "body_weight": "LOINC/29463-7 OMOP/3025315",
    "oxygen_device": "OMOP/4224038 OMOP/4222966 OMOP/4138487 OMOP/45768197 OMOP/40493026 OMOP/4039922",
    "oxygen_flow": "LOINC/3151-8 OMOP/3005629 OMOP/3014080 OMOP/4141684",
    "il6": "LOINC/26881-3 OMOP/3023091",
    "il10": "LOINC/26848-2 OMOP/3004578",
    "il1b": "LOINC/13629-1 OMOP/3001804",
    "tnf": "LOINC/3074-2 OMOP/3004282",
    "il2": "LOINC/33939-0",
    "il18": "OMOP/3043144",
    "anakinra": "RxNorm/72435 OMOP/1114375 ATC/L04AC03",
    "tocilizumab": "OMOP/40171288 ATC/L04AC07 RxNorm/1657981 ICD10PCS/XW033H5 ICD10PCS/XW043H5",
    "siltuximab": "OMOP/44818461 ATC/L04AC11",
    "dexamethasone": "RxNorm/3264 OMOP/1518254",
    "methylprednisolone": "RxNorm/6902 OMOP/1506270",
    "prednisone": "RxNorm/8640 OMOP/1551099",
    "prednisolone": "RxNorm/8638 OMOP/1550557",
    "hydrocortisone": "RxNorm/5492 OMOP/975125",
    "betamethasone": "RxNorm/1514 OMOP/920458",
    "triamcinolone": "RxNorm/10759 OMOP/903963",
    "cortisone": "RxNorm/2878 OMOP/1507705",
    "deflazacort": "RxNorm/22396 OMOP/19086888",
    "norepinephrine": "RxNorm/7512 OMOP/1321341",
    "epinephrine": "RxNorm/3992 OMOP/1343916",
    "phenylephrine": "RxNorm/8163 OMOP/1135766",
    "vasopressin": "RxNorm/11149 OMOP/1507835 OMOP/19006871",
    "dopamine": "",
    "tisagenlecleucel": "RxNorm/1986438 OMOP/792737 ICD10PCS/XW033J7 ICD10PCS/XW043J7",
    "axicabtagene_ciloleucel": "RxNorm/1987398 OMOP/792844 ICD10PCS/XW033H7 ICD10PCS/XW043H7",
    "idecabtagene_vicleucel": "RxNorm/2536430 OMOP/36026868 ICD10PCS/XW033K7 ICD10PCS/XW043K7",
    "ciltacabtagene_autoleucel": "RxNorm/2594775 OMOP/779144 ICD10PCS/XW033A7 ICD10PCS/XW043A7",
}
FROM_MEMORY = """
LOINC/8328-7 LOINC/8332-5 LOINC/8333-3 LOINC/75539-7 LOINC/26499-4 LOINC/753-4 LOINC/3150-6 LOINC/9269-2 OMOP/3032652
LOINC/76039-7 RxNorm/612865 RxNorm/3628 OMOP/1337860 ATC/C01CA04 ATC/H02AB02 ATC/H02AB04 ATC/H02AB06 ATC/H02AB07
ATC/H02AB09 ATC/C01CA03 ATC/H01BA01 ATC/L01XL03 ATC/L01XL04 HCPCS/Q2041 HCPCS/Q2042
""".split()
KNOWN_WRONG = "RxNorm/327361 RxNorm/1347 RxNorm/4850 LOINC/3236-2 OMOP/8848".split()


@pytest.fixture(scope="module")
def concepts() -> dict[str, Concept]:
    return dict(load([], shipped=False).concepts)


def test_every_concept_of_the_contract_is_there(concepts):
    assert [name for name in CONTRACT if name not in concepts] == []


def test_a_plain_yaml_reader_reads_the_same_concepts(concepts):
    plain = {}
    for path in sorted((folder("rules") / "concepts").glob("*.yaml")):
        plain |= yaml.safe_load(path.read_text("utf-8"))
    assert sorted(plain) == sorted(concepts)
    assert {n: tuple(c.get("codes", ())) for n, c in plain.items()} == {n: c.codes for n, c in concepts.items()}


def test_units_and_ranges(concepts):
    assert {name: concepts[name].units for name in UNITS} == UNITS
    assert {name: concepts[name].plausible for name in RANGES} == RANGES
    assert {concepts[name].units for name in CYTOKINES} == {("pg/mL",)}


def test_words_are_in_lower_case_and_as_the_contract_lists_them(concepts):
    assert {name: concepts[name].words for name in WORDS} == {name: tuple(w.split()) for name, w in WORDS.items()}
    assert [c.name for c in concepts.values() for word in c.words if word != word.lower()] == []


def test_baseline_facts_and_nothing_else_may_lack_a_time(concepts):
    static = sorted(name for name, concept in concepts.items() if concept.static)
    assert static == sorted((*BASELINE, "death", "known_dead"))


def test_vasopressors_keep_any_unit(concepts):
    names = ("norepinephrine", "epinephrine", "phenylephrine", "dopamine", "vasopressin")
    assert set(concepts["vasopressor"].members) == set(names)
    assert all(concepts[name].any_unit for name in names)


def test_groups(concepts):
    assert set(concepts["corticosteroid"].members) == set(EQUIVALENT_MG)
    assert concepts["cytokine_analyte"].members == tuple(CYTOKINES)
    assert concepts["car_t_product"].members == tuple(CONTRACT[:6])
    grouped = [c.name for c in concepts.values() if c.members and (c.codes or c.units)]
    assert grouped == [], "a group stands for its members and has no codes of its own"


def test_dexamethasone_equivalents_follow_from_the_equivalent_milligrams(concepts):
    factors = {name: concepts[name].attributes["dexamethasone_equivalent"] for name in EQUIVALENT_MG}
    assert factors == {name: pytest.approx(0.75 / mg, abs=1e-12) for name, mg in EQUIVALENT_MG.items()}


def test_verified_codes_are_in_force_and_only_those(concepts):
    assert {n: sorted(concepts[n].codes) for n in VERIFIED} == {n: sorted(c.split()) for n, c in VERIFIED.items()}


def test_codes_from_memory_are_written_down_but_not_in_force(concepts):
    in_force = {code for concept in concepts.values() for code in concept.codes}
    unverified = {code for concept in concepts.values() for code in concept.unverified}
    assert [code for code in FROM_MEMORY if code in in_force or code not in unverified] == []
    assert in_force & unverified == set()
    assert [code for code in KNOWN_WRONG if code in in_force | unverified] == []


def test_a_code_means_one_concept(concepts):
    owners: dict[str, list[str]] = {}
    for concept in concepts.values():
        for code in (*concept.codes, *concept.unverified, concept.name):
            owners.setdefault(code, []).append(concept.name)
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}


def test_codes_are_written_as_vocabulary_and_code(concepts):
    drugs, labs = r"RxNorm/\d+|ATC/[A-Z]\d\d[A-Z]{1,2}(\d\d)?", r"LOINC/\d+-\d|OMOP/\d+|MEDS_DEATH"
    billing = r"ICD10CM/[A-Z]\d[\dA-Z](\.\w{1,4})?|ICD10PCS/\w{7}|HCPCS/[A-Z]\d{4}|CPT/\w{5}|MSDRG/\d{3}"
    fhir = r"ActCode/[A-Z]+|Patient\.deceased(DateTime|Boolean)"
    spelled = re.compile(f"{drugs}|{labs}|{billing}|{fhir}")
    codes = [code for concept in concepts.values() for code in (*concept.codes, *concept.unverified)]
    assert [code for code in codes if not spelled.fullmatch(code)] == []


def test_every_concept_says_what_it_is_and_where_its_codes_are_from(concepts):
    assert [name for name, concept in concepts.items() if not concept.title] == []
    assert [name for name, concept in concepts.items() if not concept.members and not concept.source] == []


def test_concept_files_of_other_folders_do_not_share_codes_with_these(concepts):
    shared = {}
    for path in sorted(Path(folder("rules")).glob("*/concepts/*.yaml")):
        for name, concept in yaml.safe_load(path.read_text("utf-8")).items():
            taken = [c.name for c in concepts.values() for code in concept.get("codes", ()) if code in c.codes]
            if name not in concepts and taken:
                shared[name] = taken
    assert shared == {}


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("temperature", 100.4, "[degF]", 38.0),
        ("temperature", 38.0, "°C", 38.0),
        ("crp", 4.2, "mg/dL", 42.0),
        ("crp", 9.524, "nmol/L", 1.00002),
        ("ferritin", 500, "ng/mL", 500),
        ("ferritin", 2.247, "pmol/L", 1.0),
        ("ldh", 250, "IU/L", 250),
        ("ldh", 4, "ukat/L", 240),
        ("neutrophils", 450, "/uL", 0.45),
        ("neutrophils", 0.45, "K/uL", 0.45),
        ("platelets", 26, "10*3/uL", 26),
        ("hemoglobin", 85, "g/L", 8.5),
        ("hemoglobin", 5, "mmol/L", 8.055),
        ("creatinine", 88.4, "umol/L", 1.0),
        ("triglycerides", 1, "mmol/L", 88.573955749),
        ("fibrinogen", 1.5, "g/L", 150),
        ("il6", 2, "ng/mL", 2000),
        ("spo2", 0.95, "1", 95),
        ("systolic_bp", 12, "kPa", 90.0073808),
        ("dexamethasone", 0.01, "g", 10),
        ("dexamethasone", 500, "ug", 0.5),
        ("body_weight", 154, "[lb_av]", 69.853225),
        ("tocilizumab", 8, "mg/kg", 8),
    ],
)
def test_conversions_into_the_canonical_unit(concepts, name, value, unit, expected):
    found = conversion(concepts[name], unit)
    assert found is not None
    assert found.apply(value) == pytest.approx(expected, rel=1e-6)
    assert found.unit in concepts[name].units


@pytest.mark.parametrize(
    ("name", "unit"),
    [("il2ra", "U/mL"), ("dexamethasone", "mg/kg"), ("crp", "U/L"), ("neutrophils", "%"), ("body_weight", "cm")],
)
def test_what_cannot_be_converted_is_not_guessed(concepts, name, unit):
    assert conversion(concepts[name], unit) is None

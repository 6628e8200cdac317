"""Spellings of units as laboratories, wards and registries write them: what each means, and which are refused."""

import re
from pathlib import Path

import pytest

from timeline import concepts, load, units
from timeline.compiler import compile_rules
from timeline.errors import Findings
from timeline.hashes import own_hashes
from timeline.rules import Concept
from timeline.units import spellings

# Counts in thousands per microlitre, as public data sets write them: MIMIC-IV, eICU, CDISC pilot, Synthea, OMOP and
# N3C unit lists, German and Spanish laboratories.
THOUSANDS = (
    """
K/uL|K/UL|k/ul|k/uL|K/µL|K/μL|K/Âµl|K/mcL|K/MCL|K/mm3|K/MM3|K/mm^3|K/cumm|K/CUMM|K/cmm|K/cu mm|K/cu. mm|K/CU MM
10*3/uL|10*3/UL|10^3/uL|10^3/mcL|10^3/MCL|10**3/uL|10e3/uL|10E3/uL|10E3/UL|10E+3/uL|10x3/uL|10X3/UL|10(3)/mcL|10³/µL
10³/uL|10³/mm³|10^3/mm^3|x10^3/uL|x 10^3/uL|X10^3/UL|x10*3/uL|x10E3/uL|X10E3/UL|x10e3/mcL|x10(3)/mcL|x10(3)/uL|×10³/µL
1000/uL|1000/mcL|x1000/uL|1000/mm3|thou/uL|THOU/UL|thou/mm3|THOU/MM3|Thou/cumm|thous/mcL|Thous/uL|thousand/uL
Thousand/mcL|Thousands/uL|thousands per microliter|thousand per mm3|Th/mm3|th/uL|TH/UL|Tsd/µl|Tsd./µl|10*3.uL-1
10*9/L|10^9/L|10^9/l|10**9/L|10e9/L|10E9/L|10E9/l|10(9)/L|10⁹/L|x10^9/L|x10*9/L|x10E9/L|X10E9/L|x10(9)/L|×10⁹/L
x 10^9 / L|10^9 L^-1|10⁹ L⁻¹|10*9.L-1|bil/L|billion/L|Giga/L|giga/l|G/L|GI/L|Gpt/L|Gpt/l|/nL|/nl|10^9 cells/L
x10^9 cells/L|10*3{cells}/uL|10*3 cells/uL
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
ONES = (
    """
/uL|/ul|/µL|/mcL|/mm3|/mm³|/MM3|/cumm|/cu mm|/cmm|#/uL|1/uL|cells/uL|cells/mcL|cells/mm3|Cells/cumm|{cells}/uL
{#}/uL|count/uL|10*6/L|10^6/L|x10^6/L|10⁶/L|Mio/L|million/L|per mm3|cells per uL
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
MILLIONS = (
    """
10*6/uL|10^6/uL|10E6/uL|x10(6)/mcL|MILL/uL|mill/mm3|Mill/mcL|million/uL|Millions/uL|Mio/µl|Mio./µl|T/L|TI/L|Tpt/l
10*12/L|10¹²/L|tera/L|trillion/L
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize(
    ("spelling", "per_litre"),
    [
        *[pytest.param(one, 1e9, id=f"thousands {one}") for one in THOUSANDS],
        *[pytest.param(one, 1e6, id=f"ones {one}") for one in ONES],
        *[pytest.param(one, 1e12, id=f"millions {one}") for one in MILLIONS],
    ],
)
def test_spellings_of_counts(spelling, per_litre):
    found = units.factor(spelling, "/L")
    assert found is not None
    assert found == (pytest.approx(per_litre, rel=1e-12), 0)


def test_there_are_many_spellings_of_one_unit():
    assert len(set(THOUSANDS)) >= 90


@pytest.mark.parametrize(
    ("spelling", "ucum"),
    [
        *[(one, "[degF]") for one in "F|f|°F|ºF|deg F|degF|degrees F|Deg. F|Fahrenheit|[DEGF]|℉".split("|")],
        *[(one, "Cel") for one in "C|°C|ºC|deg C|degC|degrees C|Celsius|CEL|oC|℃".split("|")],
        *[(one, "mm[Hg]") for one in "mmHg|mm Hg|MMHG|MM[HG]|mm hg|Torr|torr|mm[Hg]".split("|")],
        *[(one, "[lb_av]") for one in "lb|lbs|LB|LBS|pounds|Lbs".split("|")],
        *[(one, "[in_i]") for one in "in|IN|Inch|inches".split("|")],
        *[(one, "kg") for one in "kg|KG|Kg|kgs|kilograms".split("|")],
        *[(one, "kg/m2") for one in "kg/m2|kg/m^2|kg/m²|KG/M2|kg/sqm".split("|")],
        *[(one, "ug/L") for one in "ug/L|µg/L|μg/L|mcg/L|MCG/L|UG/L|ng/mL|NG/ML|ng/ml|microgram/L".split("|")],
        *[(one, "mg/dL") for one in "mg/dL|mg/dl|MG/DL|mg%|MG%|mg/100 mL|mg/100mL|milligrams per deciliter".split("|")],
        *[(one, "g/dL") for one in "g/dL|g/dl|gm/dL|GM/DL|gm/dl|g%|gm%|g/100 mL".split("|")],
        *[(one, "U/L") for one in "U/L|u/l|U/l|units/L|UNITS/L|Unit/L|EU/L".split("|")],
        *[(one, "[IU]/L") for one in "IU/L|[IU]/L|[iU]/L|iu/l|I.U./L|mIU/mL|m[IU]/mL|MIU/ML|mU/mL".split("|")[:-1]],
        *[(one, "m[IU]/L") for one in "mIU/L|m[IU]/L|MIU/L|uIU/mL|µIU/mL|u[IU]/mL|UIU/ML|mcIU/mL".split("|")],
        *[(one, "meq/L") for one in "mEq/L|MEQ/L|meq/l|mval/L|mval/l".split("|")],
        *[(one, "mmol/L") for one in "mmol/L|MMOL/L|mmol/l|mM|millimoles/L".split("|")],
        *[(one, "umol/L") for one in "umol/L|µmol/L|UMOL/L|mcmol/L|uM|µM".split("|")],
        *[(one, "%") for one in "%|percent|PCT|per cent|%{WBCs}|% ".split("|")],
        *[(one, "/min") for one in "/min|bpm|BPM|rpm|beats/min|BEATS/MIN|breaths/min|insp/min|{beats}/min".split("|")],
        *[(one, "mg/d") for one in "mg/24h|mg/24hr|mg/24 h|mg/(24.h)|mg/day|mg/d".split("|")],
        *[(one, "mL/min/1.73m2") for one in "mL/min/{1.73_m2}|mL/min/1.73m2|mL/min/1.73 m2|ml/min/1.73m²".split("|")],
        *[(one, "mL/min/1.73m2") for one in "ML/MIN/1.73M2|mL/min/1,73m2|mL/min/1.73 sq m".split("|")],
        *[(one, "a") for one in "a|YEARS|year|yr".split("|")],
        *[(one, "ug/kg/min") for one in "mcg/kg/min|ug/kg/min|MCG/KG/MIN|µg/kg/min".split("|")],
        *[(one, "/[HPF]") for one in "/hpf|#/hpf|/HPF|/[HPF]".split("|")],
        ("mg/dL{creat}", "mg/dL"), ("g{creat}", "g"), ("mosm/kg", "mosm/kg"), ("mOsm/kg", "mosm/kg"),
        ("fmol", "fmol"), ("ms", "ms"), ("msec", "ms"), ("mmol/mol", "mmol/mol"), ("U/10*12{RBCs}", "U/10*12"),
    ],
)  # fmt: skip
def test_spellings_of_other_units(spelling, ucum):
    found = units.factor(spelling, ucum)
    assert found is not None
    assert found == (pytest.approx(1, rel=1e-12), pytest.approx(0, abs=1e-12))


@pytest.mark.parametrize(
    ("spelling", "meanings"),
    [
        *[(one, ("10*3/uL", "10*9/L")) for one in ("103/uL", "109/L", "x109/L", "106/uL", "1012/L", "103 / mm3")],
        *[(one, ("10*3/uL", "10*6/uL")) for one in ("M/uL", "m/uL", "M/mm3", "MM/uL", "M/cumm", "M/mcL", "M/L")],
        *[(one, ("10*3/uL", "10*6/uL")) for one in ("mil/mm3", "mil/uL", "Mil./mm3")],
        *[(one, ("10*3/uL", "10*12/L")) for one in ("T/uL", "T/mm3", "T/cumm")],
        *[(one, ("[IU]",)) for one in ("MIU", "MU", "M[IU]", "MIU/kg")],
        *[(one, ("g", "mg")) for one in ("gr", "grs", "gr.")],
    ],
)
def test_what_means_two_things_is_refused_and_says_what_to_write(spelling, meanings):
    assert [units.factor(spelling, one) for one in meanings] == [None] * len(meanings)
    why = units.ambiguity(spelling)
    assert why is not None
    assert "write" in why
    assert units.parse(spelling) is None


def test_nothing_that_is_known_means_two_things():
    """Also not by its case: where two spellings differ in case alone, other cases of them are not known."""
    known = [*spellings.ATOMS, *spellings.SPELLINGS, *spellings.USUAL]
    assert [one for one in known if units.ambiguity(one) is not None] == []
    owners: dict[str, set[str]] = {}
    for name, line in spellings.LISTED.items():
        for one in line.split():
            owners.setdefault(one, set()).add(name)
    assert {one: names for one, names in owners.items() if len(names) > 1} == {}
    assert set(spellings.LISTED) <= set(spellings.ATOMS)


@pytest.mark.parametrize("unit", spellings.USUAL)
def test_usual_units_are_read_in_capitals_too(unit):
    """UCUM's variant without case, and laboratory systems that know capitals only."""
    assert units.factor(unit.upper(), unit) == (pytest.approx(1), pytest.approx(0))


@pytest.mark.parametrize(
    ("unit", "target"),
    [
        ("mL/min", "mL/min/{1.73_m2}"),  # a rate that is referred to no surface
        ("meq/L", "mmol/L"), ("meq.L-1", "mmol/L"), ("mmol/L", "meq/L"),  # a charge that is not given
        ("[IU]/L", "U/L"), ("[IU]", "mg"), ("EU/dL", "mg/dL"),
        ("/[HPF]", "/[LPF]"), ("/[HPF]", "/uL"),
        ("mg/kg", "mg"), ("mg/kg", "%"), ("mg/m2", "mg"),
        ("mmol/L", "mg/dL"),  # without a molar mass
        ("1", "mg"), ("", "mg"), ("copies/mL", "[IU]/mL"), ("log10 copies/mL", "copies/mL"), ("titer", "1"),
        ("10-3/uL", "10*3/uL"), ("10 3/uL", "10*3/uL"), ("10*3uL", "10*3/uL"), ("mg//dL", "mg/dL"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_not_equated(unit, target):
    assert units.factor(unit, target) is None


@pytest.mark.parametrize(
    ("unit", "target"),
    [
        ("mL/min/m2", "mL/min/1.73m2"), ("U/L", "ukat/L"), ("kPa", "mm[Hg]"), ("cm[H2O]", "mm[Hg]"), ("[oz_av]", "g"),
        ("wk", "d"), ("a", "d"), ("mo", "d"), ("10*6/uL", "10*12/L"), ("ng/kg/min", "ug/kg/h"), ("K", "Cel"),
        ("meq/L", "eq/L"), ("[ft_i]", "cm"), ("g/m2", "mg/cm2"), ("um", "mm"), ("mg/mmol", "g/mol"),
    ],
)  # fmt: skip
def test_the_table_agrees_with_ucum(unit, target):
    """Every atom by UCUM's own library, where that knows the surface as a number."""
    ours = units.factor(unit, target)
    theirs = units._by_ucum(unit, target.replace("/1.73m2", "/m2"))
    assert ours is not None and theirs is not None
    surface = 1.73 if "1.73m2" in target else 1
    assert ours == (pytest.approx(theirs[0] * surface, rel=1e-6), pytest.approx(theirs[1], abs=1e-6))


@pytest.mark.parametrize("unit", ["[in_us]", "gf", "kg.m/s2", "mg.m-2", "[drp]/min", "[CFU]/mL", "dyn.s.cm-5"])
def test_what_the_table_does_not_know_is_read_by_ucum(unit):
    assert units.parse(unit) is None
    assert units.factor(unit, unit) == (pytest.approx(1), pytest.approx(0))


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("mgdL", "mg/dL"),
        ("mg/dLL", "mg/dL"),
        ("mg\\dL", "mg/dL"),
        ("mg/L.", "mg/L"),
        ("ug/mLl", "ug/mL"),
        ("mg:L", "mg/L"),
    ],
)
def test_a_slip_is_told_from_an_unknown_unit(slip, meant):
    assert units.nearest(slip, ["mg/L"]) == meant


@pytest.mark.parametrize("unit", ["blobs", "mm[Hg]", "furlong", "M/uL", "UNK", "mg/dL"])
def test_no_slip_is_invented(unit):
    assert units.nearest(unit, ["mg/L"]) is None


MOLAR = Concept(name="molar", units=("mg/dL",), molar_mass=113.12)
BY_AMOUNT = Concept(name="by_amount", units=("umol/L",), molar_mass=113.12)


@pytest.mark.parametrize(
    ("concept", "unit", "value", "expected"),
    [
        (MOLAR, "umol/L", 88.4, 0.99998),
        (MOLAR, "mmol/L", 0.0884, 0.99998),
        (MOLAR, "mol/m3", 0.0884, 0.99998),
        (BY_AMOUNT, "mg/dL", 1, 88.4017),
        (BY_AMOUNT, "mg/L", 10, 88.4017),
        (BY_AMOUNT, "nmol/mL", 88, 88),
        (Concept(name="dose", units=("mg",), molar_mass=58.443), "mmol", 1, 58.443),
        (Concept(name="ratio", units=("mg/g",), molar_mass=113.12), "mg/mmol", 1, 1000 / 113.12),
    ],
)
def test_a_molar_mass_converts_both_ways(concept, unit, value, expected):
    found = concepts.conversion(concept, unit)
    assert found is not None
    assert found.apply(value) == pytest.approx(expected, rel=1e-5)


def test_a_molar_mass_does_not_make_equivalents_or_activities_convertible():
    assert [concepts.conversion(MOLAR, one) for one in ("meq/L", "U/L", "[IU]/L", "mg/kg")] == [None] * 4


def test_a_charge_is_explicit():
    """Calcium of 5 meq/L is 2.5 mmol/L, because the concept says so, and 10 mg/dL by its molar mass."""
    calcium = Concept(name="calcium", units=("mmol/L",), conversions={"meq/L": 0.5}, molar_mass=40.078)
    read = {unit: concepts.conversion(calcium, unit) for unit in ("meq/L", "mg/dL", "ueq/mL")}
    assert {unit: found and round(found.apply(5), 6) for unit, found in read.items()} == {
        "meq/L": 2.5, "ueq/mL": 2.5, "mg/dL": 1.247567,
    }  # fmt: skip


WEIGHTS = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999}
"""Standard atomic weights, abridged, IUPAC 2021."""
FORMULAS = {
    "creatinine": {"C": 4, "H": 7, "N": 3, "O": 1},
    "bilirubin": {"C": 33, "H": 36, "N": 4, "O": 6},
    "triglycerides": {"C": 57, "H": 104, "O": 6},
}


def test_molar_masses_of_shipped_concepts_follow_from_the_formulas():
    shipped = load.load([], shipped=False).concepts
    for name, formula in FORMULAS.items():
        mass = sum(WEIGHTS[atom] * n for atom, n in formula.items())
        assert shipped[name].molar_mass == pytest.approx(mass, abs=0.005), name
    given = {name for name, concept in shipped.items() if concept.molar_mass is not None}
    assert given == {*FORMULAS, "crp", "ferritin", "hemoglobin"}


def test_shipped_factors_agree_with_the_molar_masses():
    """To a thousandth, whatever the tables round: each factor by the mass alone, without the factor."""
    proved = {}
    for name, concept in load.load([], shipped=False).concepts.items():
        for unit, own in concept.conversions.items() if concept.molar_mass else ():
            by_mass = units.factor(unit, concept.units[0], concept.molar_mass)
            if by_mass is not None:
                proved[name] = abs(own / by_mass[0] - 1)
    assert set(proved) == {"ferritin", "hemoglobin", "creatinine", "triglycerides"}
    assert max(proved.values()) < 1e-3


def complaints(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "concepts").mkdir()
    (tmp_path / "concepts" / "c.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Findings) as caught:
        load.load([tmp_path], shipped=False)
    return [finding.message for finding in caught.value.findings]


def test_mistakes_in_molar_masses_and_ranges_are_told_at_once(tmp_path):
    text = """
one: {unit: mg/dL, conversions: {umol/L: 0.113}, molar_mass: 113.12}
two: {unit: mg/dL, molar_mass: 0}
three: {molar_mass: 100}
four: {unit: mg/dL, molar_mass: heavy}
five: {unit: mg/dL, typical: 4}
"""
    assert complaints(tmp_path, text) == [
        "`one`: factor 0.113 of umol/L is 0.011312 by the molar mass; correct one of them",
        "`two`: `molar_mass` is above 0, in g/mol, and goes with `unit`",
        "`three`: `molar_mass` is above 0, in g/mol, and goes with `unit`",
        "molar_mass `heavy` is not a number",
        "`typical` is a closed range [low, high]; `null` leaves an end open",
    ]


def test_typical_ranges_lie_inside_the_plausible_ones_and_change_no_event():
    shipped = load.load([], shipped=False).concepts
    ranged = {name: concept for name, concept in shipped.items() if concept.typical != (None, None)}
    assert len(ranged) >= 25
    for name, concept in ranged.items():
        low, high = concept.typical
        assert low is not None and high is not None and 0 < low < high, name
        assert low >= (concept.plausible[0] or 0), name
        assert high <= (concept.plausible[1] or high), name
    narrowed = ranged["creatinine"].model_copy(update={"typical": (1.0, 2.0)})
    assert concepts.digest([narrowed]) == concepts.digest([ranged["creatinine"]])


@pytest.mark.parametrize("word", ["", "1", "{score}", "no units", "NO UNITS", "unitless", "points", "N/A"])
def test_words_for_having_no_unit_suit_a_bare_number_only(word):
    assert concepts.conversion(Concept(name="score"), word) is not None
    if word:
        assert concepts.conversion(Concept(name="mass", units=("mg",)), word) is None


PAGE = (Path(__file__).parent.parent / "docs" / "units.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> list[tuple[str, str]]:
    """The first two columns of the table below a heading of docs/units.md."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [(row[0], row[1]) for row in rows]


def test_the_page_says_what_is_read_and_what_is_refused():
    read, refused = rows_of("What is read"), rows_of("What is refused")
    assert len(read) >= 9 and len(refused) >= 6
    for unit, listed in read:
        for spelling in re.findall("`([^`]+)`", listed):
            assert units.factor(spelling, unit.strip("`")) == (pytest.approx(1), pytest.approx(0)), spelling
    for listed, _ in refused:
        for spelling in re.findall("`([^`]+)`", listed):
            assert units.ambiguity(spelling) is not None, spelling


def test_the_examples_of_the_page_are_read_and_mean_what_it_says():
    concept_text, rule = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    calcium = load.load_text(f"concepts: {{{concept_text.strip()}}}").concepts["calcium"]
    found = concepts.conversion(calcium, "meq/L")
    assert found is not None and found.apply(5) == 2.5
    assert "dose_mg" in load.load_text(rule, load.load([], shipped=False).concepts).rules


def test_who_knows_a_site_can_say_what_an_ambiguous_unit_is():
    found = concepts.conversion(Concept(name="count", units=("10*9/L",), conversions={"M/uL": 1000}), "M/uL")
    assert found is not None and found.apply(4.5) == 4500


def test_a_molar_mass_is_of_a_rules_meaning_and_a_typical_range_is_not():
    def hashed(keys: str) -> dict[str, str]:
        ruleset = load.load_text(f"concepts: {{lab: {{unit: mg/dL{keys}}}}}\nhigh: {{from: lab, where: value > 5}}")
        return own_hashes(ruleset, compile_rules(ruleset, {}))

    assert hashed("") == hashed(", typical: [1, 2]")
    assert hashed("") != hashed(", molar_mass: 100")

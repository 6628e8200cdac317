"""How laboratories, wards and registries spell units: tables only; knows no concept and no arithmetic.

Names on the right are UCUM's. A spelling that two houses use for two things is in no table: it is in
`AMBIGUOUS`, with what it may mean, and whoever knows says which.
"""

import re
from fractions import Fraction

MILLI, MICRO, NANO, PICO = (Fraction(1, 1000**n) for n in (1, 2, 3, 4))
FEMTO = PICO * MILLI
YEAR = Fraction(31557600)
"""Seconds of UCUM's year, the Julian one of 365.25 days; its month is a twelfth of it."""

ATOMS: dict[str, tuple[str, Fraction]] = {
    "kg": ("mass", Fraction(1000)),
    "g": ("mass", Fraction(1)),
    "mg": ("mass", MILLI),
    "ug": ("mass", MICRO),
    "ng": ("mass", NANO),
    "pg": ("mass", PICO),
    "fg": ("mass", FEMTO),
    # International avoirdupois pound and ounce, exact by definition (NIST SP 811, appendix B).
    "[lb_av]": ("mass", Fraction(45359237, 100000)),
    "[oz_av]": ("mass", Fraction(45359237, 1600000)),
    "L": ("volume", Fraction(1)),
    "dL": ("volume", Fraction(1, 10)),
    "cL": ("volume", Fraction(1, 100)),
    "mL": ("volume", MILLI),
    "uL": ("volume", MICRO),
    "nL": ("volume", NANO),
    "pL": ("volume", PICO),
    "fL": ("volume", FEMTO),
    "m3": ("volume", Fraction(1000)),
    "mol": ("amount", Fraction(1)),
    "mmol": ("amount", MILLI),
    "umol": ("amount", MICRO),
    "nmol": ("amount", NANO),
    "pmol": ("amount", PICO),
    "fmol": ("amount", FEMTO),
    # UCUM makes an equivalent a mole. Of a divalent ion it is half a mole: here the two are never equated.
    "eq": ("equivalents", Fraction(1)),
    "meq": ("equivalents", MILLI),
    "ueq": ("equivalents", MICRO),
    "osm": ("osmoles", Fraction(1)),
    "mosm": ("osmoles", MILLI),
    # The enzyme unit is 1 umol/min; the katal 1 mol/s, so 1 ukat is 60 U.
    "U": ("activity", Fraction(1)),
    "kU": ("activity", Fraction(1000)),
    "mU": ("activity", MILLI),
    "uU": ("activity", MICRO),
    "kat": ("activity", Fraction(60_000_000)),
    "ukat": ("activity", Fraction(60)),
    "nkat": ("activity", Fraction(60, 1000)),
    # International units are arbitrary: never converted to another quantity without a concept's own factor.
    "[IU]": ("international", Fraction(1)),
    "k[IU]": ("international", Fraction(1000)),
    "m[IU]": ("international", MILLI),
    "u[IU]": ("international", MICRO),
    "Pa": ("pressure", Fraction(1)),
    "hPa": ("pressure", Fraction(100)),
    "kPa": ("pressure", Fraction(1000)),
    # Conventional millimetre of mercury and centimetre of water (NIST SP 811, appendix B).
    "mm[Hg]": ("pressure", Fraction(133322387415, 10**9)),
    "cm[H2O]": ("pressure", Fraction(980665, 10000)),
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "mm": ("length", MILLI),
    "um": ("length", MICRO),
    "nm": ("length", NANO),
    "[in_i]": ("length", Fraction(254, 10000)),
    "[ft_i]": ("length", Fraction(3048, 10000)),
    "m2": ("area", Fraction(1)),
    "cm2": ("area", Fraction(1, 10_000)),
    "mm2": ("area", MICRO),
    # The usual surface to which a rate is referred: an annotation in UCUM, a size here, so that a rate that was not
    # referred to a surface is not taken for one that was.
    "1.73m2": ("area", Fraction(173, 100)),
    "ms": ("time", MILLI),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
    "d": ("time", Fraction(86400)),
    "wk": ("time", Fraction(604800)),
    "mo": ("time", YEAR / 12),
    "a": ("time", YEAR),
    # Fields of a microscope: arbitrary, each of its own kind.
    "[HPF]": ("high power field", Fraction(1)),
    "[LPF]": ("low power field", Fraction(1)),
    "%": ("fraction", Fraction(1, 100)),
    "": ("", Fraction(1)),
    "10*3": ("", Fraction(10**3)),
    "10*6": ("", Fraction(10**6)),
    "10*9": ("", Fraction(10**9)),
    "10*12": ("", Fraction(10**12)),
}
"""UCUM's name -> its base quantity and its size in it."""

LISTED = {
    "mg": "mgm mgs milligram milligrams",
    "ug": "mcg mcgm microgram micrograms",
    "ng": "nanogram nanograms",
    "pg": "picogram picograms",
    "g": "gm gms gram grams",
    "kg": "kgs kilo kilos kilogram kilograms",
    "[lb_av]": "lb lbs pound pounds",
    # The ounce of weight; the fluid ounce has other names (`fl oz`), which are not known here.
    "[oz_av]": "oz ounce ounces",
    "L": "l lt ltr liter litre liters litres",
    "dL": "deciliter decilitre",
    "mL": "cc cm3 ccm milliliter milliliters millilitre millilitres",
    "uL": "mcL mcl mm3 cmm cumm microliter microliters microlitre microlitres",
    "mmol": "mmols millimole millimoles",
    "umol": "mcmol micromol micromole micromoles",
    "eq": "Eq",
    # German `mval` is the equivalent in thousandths.
    "meq": "mEq mEqs mval",
    "mosm": "mOsm mOsmol mosmol",
    "osm": "Osm Osmol",
    # EU is the enzyme unit; where it is Ehrlich's (a milligram in disguise) it is not converted to milligrams.
    "U": "unit units Unit Units EU",
    "[IU]": "IU iU [iU] I.U. IntUnits",
    "k[IU]": "kIU k[iU]",
    "m[IU]": "mIU m[iU]",
    "u[IU]": "uIU u[iU] mcIU",
    "ukat": "mckat microkat",
    "mm[Hg]": "mmHg Torr torr",
    "cm[H2O]": "cmH2O cmH20",
    "cm": "cms centimeter centimeters centimetre centimetres",
    "[in_i]": "in inch inches",
    "[ft_i]": "ft feet foot",
    "m2": "sqm",
    "ms": "msec msecs millisecond milliseconds",
    "s": "sec secs second seconds",
    "min": "mins minute minutes",
    "h": "hr hrs hour hours Std",
    "d": "day days Tag",
    "wk": "wks week weeks",
    "mo": "month months mth mths",
    "a": "year years yr yrs",
    "%": "percent pct",
    "[HPF]": "hpf",
    "[LPF]": "lpf",
    "": "# 1 cell cells count counts beat beats breath breaths insp no no. copies cop particles",
    # Not `M` and `T` over small volumes, not `mil` and `MM`: see AMBIGUOUS.
    "10*3": "K k th thou thous thousand thousands thd thds Tsd Tsd.",
    "10*6": "mill mill. million millions Mio Mio.",
    # `bil` is the American billion: no laboratory is known to write the 10*12 of other languages so.
    "10*9": "G giga GI bil bill billion billions Mrd Gpt",
    "10*12": "T tera TI tril trillion trillions Tpt",
}
SPELLINGS = {spelling: name for name, line in LISTED.items() for spelling in line.split()}
"""A factor's spelling -> its UCUM name; where this table knows a spelling in one case only, any case will do."""

PHRASES = (
    (re.compile(r"\{?\s*1[.,]73[\s_]*(?:m2|m\^2|m\*\*2|sq\.?\s?m)\s*\}?", re.I), "1.73m2"),
    (re.compile(r"\{[^{}]*\}"), ""),  # an annotation means nothing, by UCUM
    (re.compile(r"[\s.·]+([munp]?l|dl)\^?-1\b", re.I), r"/\1"),  # 10^9.L-1
    (re.compile(r"\bmm(?:\^|\*\*)3|\bcu(?:bic)?\.?\s*mm\b", re.I), "mm3"),
    (re.compile(r"\bcm(?:\^|\*\*)3|\bcu(?:bic)?\.?\s*cm\b", re.I), "cm3"),
    (re.compile(r"\bm(?:\^|\*\*)2", re.I), "m2"),
    (re.compile(r"\bmm\s+hg\b", re.I), "mmHg"),
    (re.compile(r"\bcm\s+h2[o0]\b", re.I), "cmH2O"),
    (re.compile(r"\bper\s+cent\b", re.I), "%"),
    (re.compile(r"/\s*\((\d+)\.?([a-z]+)\)", re.I), r"/\1\2"),  # UCUM's mg/(24.h)
    # Grams in 100 mL, the older way to write a concentration.
    (re.compile(r"\b(k?g|gm|gms|mg|mgm|ug|mcg|ng)\s*%", re.I), r"\1/dL"),
)
"""What is rewritten before a spelling is taken apart, in this order."""

WHOLE = {
    "Cel": "c cel celsius degc °c ºc oc degreescelsius degreesc degrees_c deg.c deg_c",
    "[degF]": "f [degf] degf °f ºf of fahrenheit degreesfahrenheit degreesf degrees_f deg.f deg_f",
    "K": "k kelvin",
    "1": "1 fraction ratio",
    # Breaths and beats, whose own word is left out.
    "/min": "bpm rpm",
}
"""Spellings that are no product of factors, in lower case without blanks: their UCUM unit."""
WHOLES = {spelling: name for name, line in WHOLE.items() for spelling in line.split()}

MOLAR = {"mM": "mmol/L", "uM": "umol/L", "nM": "nmol/L", "pM": "pmol/L"}
"""Molar concentrations, which only their case tells from lengths and mega-units."""

TEMPERATURES = {
    "Cel": (Fraction(1), Fraction(0)),
    "[degF]": (Fraction(5, 9), Fraction(-160, 9)),
    "K": (Fraction(1), Fraction(-27315, 100)),
}
"""Scale and offset to degrees Celsius."""

NO_UNIT = frozenset("1 nounit nounits unitless none n/a na score points point".split())
"""Words for having no unit, in lower case without blanks: what a bare number may say, and nothing with a unit."""

_SMALL = r"(?:[umn]l|mcl|dl|mm3|cumm|cmm)"
AMBIGUOUS = (
    # 10*3/uL whose superscript was lost on the way, or the number itself, or (by UCUM) a negative power.
    (
        re.compile(r"(?i)[x*]?\s*10[ -]?(?:3|6|9|12)\s*(?:cells\s*)?/.*"),
        "an exponent may be lost: write 10*3/uL or 10*9/L",
    ),
    # M is a thousand on Roman-minded forms (MM the million) and a million on others: a factor of 1000 apart.
    (re.compile(rf"(?i)mm?\s*/\s*(?:l|{_SMALL})"), "M may be a thousand or a million: write 10*3/uL or 10*6/uL"),
    # Spanish and Portuguese mil is a thousand, English mil. a million.
    (re.compile(r"(?i)mil\.?\s*/.*"), "mil may be a thousand or a million: write 10*3/uL or 10*6/uL"),
    # T is tera in T/L; over a microlitre it can only be a thousand, but that is not what it says.
    (re.compile(rf"(?i)t\s*/\s*{_SMALL}"), "T may be a thousand or tera: write 10*3/uL or 10*12/L"),
    # In capitals a thousandth over a volume, as results are; a million of a dose.
    (re.compile(r"M(?:I?U|\[[iI]U\])(?!\s*/\s*[dmDM]?[lL]\b).*"), "M may be a thousandth or a million: write it out"),
    # Grain, an apothecary's 64.8 mg, or gram.
    (re.compile(r"(?i)grs?\.?(?:\s*/.*)?"), "gr may be grains or grams: write g or mg"),
)
"""Spellings that are not decided here, and what to write instead."""

USUAL = (
    "kg", "g", "mg", "ug", "ng", "[lb_av]", "[oz_av]", "m", "cm", "mm", "[in_i]", "[ft_i]",
    "Cel", "[degF]", "K", "mm[Hg]", "kPa", "cm[H2O]", "%", "1",
    "g/dL", "g/L", "mg/dL", "mg/L", "ug/dL", "ug/mL", "ug/L", "ng/dL", "ng/mL", "ng/L", "pg/mL",
    "10*12/L", "10*6/uL", "10*9/L", "10*3/uL", "K/uL", "10*6/L", "/uL", "cells/uL", "/L",
    "mol/L", "mmol/L", "umol/L", "nmol/L", "pmol/L", "meq/L", "mmol", "umol",
    "U/L", "U/mL", "mU/L", "ukat/L", "nkat/L", "[IU]/L", "[IU]/mL", "m[IU]/L", "u[IU]/mL",
    "U", "[IU]", "meq", "mosm/kg", "pg", "fL", "fmol",
    "/min", "/s", "/h", "L/min", "mL/min", "L/h", "mL/h", "L", "dL", "mL", "uL",
    "mg/kg", "ug/kg", "mg/m2", "ug/kg/min", "mg/kg/d", "mg/h", "ug/min", "mg/d", "kg/m2",
    "ms", "s", "min", "h", "d", "wk", "mo", "a",
)  # fmt: skip
"""Units in which values are usually reported: what a misspelling is compared with, and a wrong label may hide."""

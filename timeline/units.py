"""Units of measure as numbers: what a spelling means, and the factor between two; knows no concept and no database.

The spellings of clinical laboratories are read here without any library, because importing one costs
seconds. A unit is a product of atoms over others; `mg/kg` is mass over mass and does not cancel.
Spellings that are not known here are left to UCUM's own grammar (`ucumvert`, `pint`).
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

Dimension = tuple[tuple[str, ...], tuple[str, ...]]
"""Base quantities above and below the line, sorted."""


@dataclass(frozen=True)
class Unit:
    """`value * scale + offset` is the value in the base unit of `dimension`."""

    dimension: Dimension
    scale: Fraction
    offset: Fraction = Fraction(0)


MILLI, MICRO, NANO, PICO = (Fraction(1, 1000**n) for n in (1, 2, 3, 4))
ATOMS: dict[str, tuple[str, Fraction]] = {
    "kg": ("mass", Fraction(1000)),
    "g": ("mass", Fraction(1)),
    "mg": ("mass", MILLI),
    "ug": ("mass", MICRO),
    "ng": ("mass", NANO),
    "pg": ("mass", PICO),
    # International avoirdupois pound and ounce, exact by definition (NIST SP 811, appendix B).
    "[lb_av]": ("mass", Fraction(45359237, 100000)),
    "[oz_av]": ("mass", Fraction(45359237, 1600000)),
    "L": ("volume", Fraction(1)),
    "dL": ("volume", Fraction(1, 10)),
    "mL": ("volume", MILLI),
    "uL": ("volume", MICRO),
    "nL": ("volume", NANO),
    "pL": ("volume", PICO),
    "fL": ("volume", PICO * MILLI),
    "m3": ("volume", Fraction(1000)),
    "mol": ("amount", Fraction(1)),
    "mmol": ("amount", MILLI),
    "umol": ("amount", MICRO),
    "nmol": ("amount", NANO),
    "pmol": ("amount", PICO),
    "fmol": ("amount", PICO * MILLI),
    "eq": ("equivalents", Fraction(1)),
    "meq": ("equivalents", MILLI),
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
    "[in_i]": ("length", Fraction(254, 10000)),
    "[ft_i]": ("length", Fraction(3048, 10000)),
    "m2": ("area", Fraction(1)),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
    "d": ("time", Fraction(86400)),
    "wk": ("time", Fraction(604800)),
    "%": ("fraction", Fraction(1, 100)),
    "": ("", Fraction(1)),
    "K": ("", Fraction(1000)),
    "M": ("", Fraction(10**6)),
    "G": ("", Fraction(10**9)),
    "T": ("", Fraction(10**12)),
}
SPELLINGS = {
    **{name: "ug" for name in ("mcg", "mcgm")},
    **{name: "g" for name in ("gm", "gms", "gram", "grams")},
    **{name: "kg" for name in ("kgs", "kilogram", "kilograms")},
    **{name: "[lb_av]" for name in ("lb", "lbs", "pound", "pounds")},
    **{name: "[oz_av]" for name in ("oz", "ounce", "ounces")},
    **{name: "L" for name in ("l", "liter", "litre", "liters", "litres")},
    **{name: "uL" for name in ("mcL", "mm3", "cmm", "cumm")},
    **{name: "mL" for name in ("cc", "cm3")},
    **{name: "U" for name in ("unit", "units", "EU")},
    **{name: "[IU]" for name in ("IU", "[iU]", "I.U.")},
    **{name: "k[IU]" for name in ("kIU", "k[iU]")},
    **{name: "m[IU]" for name in ("mIU", "m[iU]")},
    **{name: "u[IU]" for name in ("uIU", "u[iU]")},
    **{name: "meq" for name in ("mEq", "mval")},
    "Eq": "eq",
    "mOsm": "mosm",
    "Osm": "osm",
    **{name: "mm[Hg]" for name in ("mmHg", "mm Hg", "Torr")},
    **{name: "cm[H2O]" for name in ("cmH2O", "cm H2O")},
    **{name: "[in_i]" for name in ("in", "inch", "inches")},
    **{name: "[ft_i]" for name in ("ft", "feet", "foot")},
    **{name: "s" for name in ("sec", "secs", "second", "seconds")},
    **{name: "min" for name in ("mins", "minute", "minutes")},
    **{name: "h" for name in ("hr", "hrs", "hour", "hours")},
    **{name: "d" for name in ("day", "days")},
    **{name: "wk" for name in ("week", "weeks")},
    **{name: "%" for name in ("percent", "pct", "per cent")},
    **{name: "" for name in ("#", "1", "cell", "cells", "count", "beats", "breaths", "insp", "no.")},
    **{name: "K" for name in ("thou", "thous", "thousand", "thousands", "Tsd")},
    **{name: "M" for name in ("mil", "mill", "million", "millions", "Mio")},
    **{name: "G" for name in ("giga", "Gpt")},
    **{name: "T" for name in ("tera", "Tpt")},
}
TEMPERATURES = {
    "Cel": (Fraction(1), Fraction(0)),
    "[degF]": (Fraction(5, 9), Fraction(-160, 9)),
    "K": (Fraction(1), Fraction(-27315, 100)),
}
WHOLE = {
    **{name: "Cel" for name in ("c", "cel", "celsius", "degc", "°c", "oc", "degreescelsius", "degreesc", "deg.c")},
    **{name: "[degF]" for name in ("f", "[degf]", "degf", "°f", "of", "fahrenheit", "degreesfahrenheit", "deg.f")},
    **{name: "K" for name in ("k", "kelvin")},
}
PER_MINUTE = {"bpm", "rpm"}
POWER = re.compile(r"(?:x|\*)?10(?:\*\*|\*|\^|e\+?|x|\()\s*(\d{1,2})\)?|x?e\+?(\d{1,2})", re.IGNORECASE)
SUPERSCRIPTS = str.maketrans({"⁰": "^0", "²": "^2", "³": "^3", "⁶": "^6", "⁹": "^9", "¹": "^1"})


def parse(text: str) -> Unit | None:
    """Return what a spelling means, or None where this table does not know it; case decides where it can."""
    plain = _plain(text)
    whole = plain.replace(" ", "").casefold()
    if whole in WHOLE:
        scale, offset = TEMPERATURES[WHOLE[whole]]
        return Unit((("temperature",), ()), scale, offset)
    if whole in ("1", "fraction", "ratio"):
        return Unit((("fraction",), ()), Fraction(1))
    if whole in PER_MINUTE:
        plain = "/min"
    return _product(plain)


def parse_capitals(text: str) -> Unit | None:
    """Return what a spelling all in capitals (`G/DL`) means if its case is taken to say nothing; else None."""
    return None if text != text.upper() else _product(_plain(text).casefold())


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.strip().translate(SUPERSCRIPTS))
    text = text.replace("μ", "u").replace("mm^3", "mm3").replace("cm^3", "cm3").replace("m^2", "m2")
    return re.sub(r"\{[^{}]*\}", "", text).strip()


def _product(plain: str) -> Unit | None:
    above, *below = re.split(r"\s*/\s*|\s+per\s+", plain)
    scale, names = Fraction(1), ([], [])
    for line, part in [(0, above), *((1, part) for part in below)]:
        atom = _atom(part)
        if atom is None or (line == 1 and part == ""):
            return None
        quantity, size = atom
        scale *= size if line == 0 else 1 / size
        names[line].extend([quantity] if quantity else [])
    dimension = (tuple(sorted(names[0])), tuple(sorted(names[1])))
    return Unit(dimension, scale) if any(dimension) else None


def _atom(part: str) -> tuple[str, Fraction] | None:
    """The base quantity and size of one factor; powers of ten stand alone or before a count (`10*3 cells`)."""
    size = Fraction(1)
    if power := POWER.match(part):
        size = Fraction(10 ** int(power[1] or power[2]))
        part = part[power.end() :].strip()
    elif number := re.match(r"(\d+)\s*(?=\D|$)", part):
        size = Fraction(int(number[1]))
        part = part[number.end() :].strip()
    name = part if part in ATOMS else SPELLINGS.get(part) or _any_case().get(part.casefold())
    if name is None and part in SPELLINGS:
        name = SPELLINGS[part]
    if name is None or size == 0:
        return None
    quantity, own = ATOMS[name]
    return quantity, size * own


@cache
def _any_case() -> dict[str, str]:
    """Spellings by their lower case, those left out that then mean two things."""
    meanings: dict[str, set[str]] = {}
    for spelling, name in [*((name, name) for name in ATOMS), *SPELLINGS.items()]:
        meanings.setdefault(spelling.casefold(), set()).add(name)
    return {folded: min(names) for folded, names in meanings.items() if len(names) == 1}


def factor(unit: str, target: str) -> tuple[float, float] | None:
    """Return (factor, offset) from `unit` to `target`, or None where the one is not convertible to the other."""
    wanted = parse(target)
    found = parse(unit)
    if wanted is None or found is None:
        capitals = parse_capitals(unit) if wanted is not None else None
        return _between(capitals, wanted) if capitals and wanted else _by_ucum(unit, target)
    between = _between(found, wanted)
    if between is None and (capitals := parse_capitals(unit)) is not None:
        between = _between(capitals, wanted)
    return between


def _between(unit: Unit, target: Unit) -> tuple[float, float] | None:
    if unit.dimension != target.dimension:
        return None
    return float(unit.scale / target.scale), float((unit.offset - target.offset) / target.scale)


@cache
def _registry():  # the library's own class; importing it here for its name would cost what this function saves
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@cache
def _by_ucum(unit: str, target: str) -> tuple[float, float] | None:
    """As `factor`, by UCUM's grammar; quantities without a dimension are never equated (mg/kg is no percentage)."""
    registry = _registry()
    try:
        one, other = registry.from_ucum(unit), registry.from_ucum(target)
        if one.dimensionless or one.dimensionality != other.dimensionality:
            return None
        at_0 = registry.Quantity(0.0, one.units).to(other.units).magnitude
        at_1 = registry.Quantity(float(one.magnitude), one.units).to(other.units).magnitude
        return (at_1 - at_0) / float(other.magnitude), at_0 / float(other.magnitude)
    except Exception:  # noqa: BLE001  the parser's and pint's errors share no base; all mean: no unit that it knows
        return None

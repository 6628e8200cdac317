"""Units of measure as numbers: what a spelling means, and the factor between two; knows no concept and no database.

The spellings of clinical laboratories are read here without any library, because importing one costs
seconds. A unit is a product of atoms over others; `mg/kg` is mass over mass and does not cancel.
Spellings that are not known here are left to UCUM's own grammar (`ucumvert`, `pint`).
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from timeline.units.spellings import AMBIGUOUS, ATOMS, MOLAR, NO_UNIT, PHRASES, SPELLINGS, TEMPERATURES, USUAL, WHOLES

Dimension = tuple[tuple[str, ...], tuple[str, ...]]
"""Base quantities above and below the line, sorted."""


@dataclass(frozen=True)
class Unit:
    """`value * scale + offset` is the value in the base unit of `dimension`."""

    dimension: Dimension
    scale: Fraction
    offset: Fraction = Fraction(0)


# 10e9 is laboratories' 10*9, not the 10*10 of programs.
POWER = re.compile(r"(?:x|\*)?\s*10(?:\*\*|\*|\^|\s?e\+?|x|\()\s*(\d{1,2})\)?|x?1?e\+?(\d{1,2})", re.IGNORECASE)
NUMBER = re.compile(r"x?(\d+)\s*(?=[^\d.,]|$)", re.IGNORECASE)
EQUIVALENTS = re.compile(r"(?<![A-Za-z])[munp]?eq(?![A-Za-z])", re.IGNORECASE)
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
ALIKE = 0.75
"""How alike two spellings are, by difflib's measure, for one to be taken as a slip of the other."""


@lru_cache(maxsize=1024)  # the usual units are read again for each concept
def parse(text: str) -> Unit | None:
    """Return what a spelling means, or None where this table does not know it; case decides where it can."""
    plain = _plain(text)
    if plain in MOLAR:
        return parse(MOLAR[plain])
    whole = WHOLES.get(plain.replace(" ", "").casefold())
    if whole in TEMPERATURES:
        scale, offset = TEMPERATURES[whole]
        return Unit((("temperature",), ()), scale, offset)
    if whole == "1":
        return Unit((("fraction",), ()), Fraction(1))
    if ambiguity(text) is not None:
        return None
    return _product(whole or plain)


def parse_capitals(text: str) -> Unit | None:
    """Return what a spelling all in capitals (`G/DL`) means if its case is taken to say nothing; else None."""
    return None if text != text.upper() else _product(_plain(text).casefold())


def ambiguity(text: str) -> str | None:
    """Return why a spelling is not decided, with what to write instead; None where it does not mean two things."""
    plain = _plain(text)
    return next((why for pattern, why in AMBIGUOUS if pattern.fullmatch(plain)), None)


def is_bare(text: str) -> bool:
    """Whether a text says that a number has no unit: nothing, a word for it, or an annotation such as `{score}`."""
    return text == "" or (text.startswith("{") and text.endswith("}")) or text.replace(" ", "").casefold() in NO_UNIT


def is_known(text: str) -> bool:
    """Whether a spelling is a unit, or says that there is none; UCUM's grammar is asked last."""
    if is_bare(text) or parse(text) is not None or parse_capitals(text) is not None:
        return True
    try:
        _registry().from_ucum(text)
    except Exception:  # noqa: BLE001  as in `_by_ucum`: the errors share no base
        return False
    return True


def nearest(text: str, targets: Iterable[str], others: Iterable[str] = ()) -> str | None:
    """Return the usual unit of the targets' dimensions, or of `others`, of which an unknown spelling may be a slip."""
    from difflib import get_close_matches

    if parse(text) is not None or ambiguity(text) is not None:
        return None
    known = [*dict.fromkeys([*others, *(one for target in targets for one in (target, *usual(target)))])]
    folded = {one.casefold(): one for one in reversed(known)}
    close = get_close_matches(_plain(text).casefold(), folded, n=1, cutoff=ALIKE)
    return folded[close[0]] if close else None


def usual(target: str) -> tuple[str, ...]:
    """Return the units in which values of `target`'s dimension are usually reported; no library is asked."""
    wanted = parse(target)
    read = ((one, parse(one)) for one in USUAL)
    return tuple(one for one, unit in read if unit and wanted and unit.dimension == wanted.dimension)


def _plain(text: str) -> str:
    text = re.sub(f"[{''.join(RAISED)}]+", lambda run: "^" + "".join(map(RAISED.__getitem__, run[0])), text.strip())
    # `Âµ` is a micro sign that was read in another encoding.
    text = unicodedata.normalize("NFKC", text.replace("Âµ", "u")).replace("μ", "u").replace("×", "x")
    for pattern, instead in PHRASES:
        text = pattern.sub(instead, text)
    return text.strip()


def _product(plain: str) -> Unit | None:
    above, *below = re.split(r"\s*/\s*|(?:^|\s+)per\s+", plain, flags=re.IGNORECASE)
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
    if (name := _name(part)) is None and (match := POWER.match(part) or NUMBER.match(part)):
        size = Fraction(int(match[1])) if match.re is NUMBER else Fraction(10 ** int(match[1] or match[2]))
        name = _name(part[match.end() :].strip())
    if name is None or size == 0:
        return None
    quantity, own = ATOMS[name]
    return quantity, size * own


def _name(part: str) -> str | None:
    return part if part in ATOMS else SPELLINGS.get(part) or _any_case().get(part.casefold())


@cache
def _any_case() -> dict[str, str]:
    """Spellings by their lower case, those left out that then mean two things."""
    meanings: dict[str, set[str]] = {}
    for spelling, name in [*((name, name) for name in ATOMS), *SPELLINGS.items()]:
        meanings.setdefault(spelling.casefold(), set()).add(name)
    return {folded: min(names) for folded, names in meanings.items() if len(names) == 1}


def factor(unit: str, target: str, molar_mass: float | None = None) -> tuple[float, float] | None:
    """Return (factor, offset) from `unit` to `target`, or None where the one is not convertible to the other.

    With a molar mass, in g/mol, amounts of substance and masses are convertible.
    """
    wanted, found = parse(target), parse(unit)
    if ambiguity(unit) is not None:
        return None
    capitals = parse_capitals(unit)
    if wanted is None or (found is None and capitals is None):
        return _by_ucum(unit, target)
    read = (one for one in (found, capitals) if one is not None)
    return next((between for one in read if (between := _between(one, wanted, molar_mass)) is not None), None)


def _between(unit: Unit, target: Unit, molar_mass: float | None = None) -> tuple[float, float] | None:
    if unit.dimension != target.dimension and molar_mass is not None:
        unit, target = _in_mass(unit, molar_mass), _in_mass(target, molar_mass)
    if unit.dimension != target.dimension:
        return None
    return float(unit.scale / target.scale), float((unit.offset - target.offset) / target.scale)


def _in_mass(unit: Unit, molar_mass: float) -> Unit:
    """The unit with each amount of substance as its mass."""
    above, below = unit.dimension
    power = above.count("amount") - below.count("amount")
    masses = [tuple(sorted("mass" if one == "amount" else one for one in line)) for line in (above, below)]
    return Unit((masses[0], masses[1]), unit.scale * Fraction(str(molar_mass)) ** power)


@cache
def _registry():  # the library's own class; importing it here for its name would cost what this function saves
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@cache
def _by_ucum(unit: str, target: str) -> tuple[float, float] | None:
    """As `factor`, by UCUM's grammar; quantities without a dimension are never equated (mg/kg is no percentage)."""
    registry = _registry()
    if (EQUIVALENTS.search(unit) is None) != (EQUIVALENTS.search(target) is None):
        return None  # UCUM says that an equivalent is a mole; that is so for single charges alone
    try:
        one, other = registry.from_ucum(unit), registry.from_ucum(target)
        if one.dimensionless or one.dimensionality != other.dimensionality:
            return None
        at_0 = registry.Quantity(0.0, one.units).to(other.units).magnitude
        at_1 = registry.Quantity(float(one.magnitude), one.units).to(other.units).magnitude
        return (at_1 - at_0) / float(other.magnitude), at_0 / float(other.magnitude)
    except Exception:  # noqa: BLE001  the parser's and pint's errors share no base; all mean: no unit that it knows
        return None

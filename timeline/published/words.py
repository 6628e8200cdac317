"""Computed and published values in words: `7 of 14`, `58 (26 to 75), n = 14`; knows names of statistics, no data."""

from collections.abc import Mapping, Sequence
from typing import Any

SYMBOLS = {"[degF]": "°F", "Cel": "°C", "10*9/L": "10⁹/L", "ug/L": "µg/L", "d": "days", "h": "hours", "a": "years",
    "mo": "months", "1": "", "%": "%"}  # fmt: skip
"""Units that are read more easily than they are spelled."""
LEAST_P = 0.0001
WORDS = {"follow_up": "follow-up"}
TIMES = ("follow_up",)
"""Values in the unit of their statistic."""
SHORT = 10_000
"""Below it a number has no thousands: it may be a year."""


def phrase(values: Mapping[str, Any], unit: str | None = None) -> str:
    """Return the values as a reader would write them down; each stands in it once."""
    left = dict(values)
    said = [text for text in (_centre(left, unit), _counted(left)) if text]
    if len(said) == 2 and "median" in values:
        said = [said[1], f"median {said[0]}"]
    if ("low" in left or "high" in left) and (bounds := _bounds(left)):
        said.append(bounds + _unit(unit))
    if not said and "n" in left and len(left) == 1:
        return f"n = {_number(left['n'])}"
    if "p" in left:
        said.append(_p(left.pop("p"), left.pop("stars", None)))
    return ", ".join([*said, *(_other(name, value, unit) for name, value in left.items())])


def _other(name: str, value: Any, unit: str | None) -> str:
    if name.startswith("percent_"):
        return f"{_number(value)} % {name.removeprefix('percent_').replace('_', ' ')}{_unit(unit)}"
    if name == "n":
        return f"n = {_number(value)}"
    if name == "direction":
        return f"{value} after"
    words = WORDS.get(name, name.replace("_", " "))
    colon = ":" if isinstance(value, list | tuple) else ""
    return f"{words}{colon} {listed(value)}" + (_unit(unit) if name in TIMES else "")


def _centre(left: dict[str, Any], unit: str | None) -> str:
    """A median or a percentage, with its range or interval behind it."""
    name = next((name for name in ("median", "percent") if name in left), None)
    if name is None:
        return ""
    value = _number(left.pop(name)) + (" %" if name == "percent" else "")
    interval = f" ({_bounds(left)})" if "low" in left and "high" in left else ""
    return value + interval + (_unit(unit) if name == "median" else "")


def _counted(left: dict[str, Any]) -> str:
    if "count" not in left:
        return ""
    count = _number(left.pop("count"))
    return f"{count} of {_number(left.pop('n'))}" if "n" in left else count


def _p(p: float | None, stars: Any) -> str:
    """As papers print it: four decimals, and the stars behind it."""
    text = "P undefined" if p is None else "P < 0.0001" if p < LEAST_P else f"P = {p:.4f}"
    return f"{text} ({stars})" if stars else text


def _bounds(left: dict[str, Any]) -> str:
    low, high = left.pop("low", None), left.pop("high", None)
    if low is None or high is None:
        return f"at least {_number(low)}" if high is None else f"at most {_number(high)}"
    return f"{_number(low)} to {_number(high)}"


def listed(value: Any) -> str:
    """Return one value, or several with commas between."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_number(one) for one in value) or "none"
    return _number(value)


def _unit(unit: str | None) -> str:
    shown = SYMBOLS.get(unit or "", unit or "")
    return f" {shown}" if shown else ""


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if abs(value) >= SHORT:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"

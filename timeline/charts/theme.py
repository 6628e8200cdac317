"""How every chart looks: one theme, and the same by night; knows no data.

Ordered colours differ in lightness all the way, and events differ in shape as well as in colour, so that nothing
depends on telling red from green. Charts are drawn in the colours of day; `NIGHT` says what each becomes on
dark paper, so that one specification serves both.
"""

from typing import Any

FONT = "Arial, 'Helvetica Neue', Helvetica, 'Liberation Sans', sans-serif"
"""Fonts of one width each: a picture is measured on one machine and looked at on another."""

INK, QUIET, LINE, PAPER, BAND = "#1b1f24", "#59626e", "#c5cbd3", "#ffffff", "#f3f5f8"
CATEGORY = {
    "ink": INK,
    # Okabe and Ito's palette, made for colour-blind readers, darkened where it would be faint on white.
    "blue": "#0072b2",
    "orange": "#d55e00",
    "green": "#00795a",
    "purple": "#8e4585",
    "red": "#a40030",
    "sky": "#2f8fc4",
    "yellow": "#8a6d00",
    "gray": "#818a96",
}
SEVERITY = ("#e9edf1", "#fbd98a", "#fdb366", "#ee6c3c", "#b81d2c", "#560a24")
"""From none to worst: away from the paper, lightness changing in one direction."""
AMOUNT = ("#dcdcdc", "#b4b4b4", "#878787", "#565656", "#1e1e1e")
"""From little to much."""
SCALE = ("#eef4f9", "#bcd7ea", "#79b1d6", "#2f7fb8", "#0f5590", "#072f5a")
"""From 0 to the highest, of numbers that are also printed: one hue, lightness changing in one direction."""

_SEVERITY_NIGHT = ("#343b43", "#70354a", "#b2404a", "#e9703f", "#fdb75f", "#fff3b8")
_AMOUNT_NIGHT = ("#45484c", "#6d7176", "#989ca1", "#c6c9cd", "#fdfdfd")


def shades(colours: tuple[str, ...], count: int) -> list[str]:
    """Return `count` colours spread evenly over `colours`, ends included."""
    parts = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in colours]
    spread = []
    for i in range(count):
        place = i * (len(parts) - 1) / max(count - 1, 1)
        low = min(int(place), len(parts) - 2)
        share = place - low
        channels = (round(a + (b - a) * share) for a, b in zip(parts[low], parts[low + 1], strict=True))
        spread.append("#" + "".join(f"{channel:02x}" for channel in channels))
    return spread


MOST_SHADES = 12
NIGHT = {
    INK: "#e8eaed",
    QUIET: "#a9b2bd",
    LINE: "#4b535e",
    PAPER: "#15181c",
    BAND: "#1d2126",
    "#0072b2": "#56b4e9",
    "#d55e00": "#ff9a4d",
    "#00795a": "#3fd0a4",
    "#8e4585": "#e39fc7",
    "#a40030": "#ff7b93",
    "#2f8fc4": "#9bd3f5",
    "#8a6d00": "#f0e442",
    "#818a96": "#8f98a4",
}
"""The colour on dark paper of every colour of day."""
for _day, _night in ((SEVERITY, _SEVERITY_NIGHT), (AMOUNT, _AMOUNT_NIGHT)):
    for _count in range(1, MOST_SHADES + 1):
        NIGHT |= dict(zip(shades(_day, _count), shades(_night, _count), strict=True))


PALE = 0.28
"""How much of a colour is left in its pale form; the rest is paper."""


def pale(colour: str) -> str:
    """Return a lighter `colour`, for areas beside areas of the full colour."""
    return _mixed(colour, PAPER)


def _mixed(colour: str, paper: str) -> str:
    pairs = [(int(colour[i : i + 2], 16), int(paper[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(PALE * one + (1 - PALE) * other):02x}" for one, other in pairs)


NIGHT |= {_mixed(day, PAPER): _mixed(NIGHT[day], NIGHT[PAPER]) for day in CATEGORY.values()}


def letters_on(colour: str) -> str:
    """Return INK or PAPER, whichever stands out more from `colour` by day and by night."""
    return max((INK, PAPER), key=lambda ink: min(_contrast(ink, colour), _contrast(NIGHT[ink], NIGHT[colour])))


def _contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours: 1 where they are equally light, 21 for black on white."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


LEGEND_PLACE = {
    "direction": "horizontal",
    "titleOrient": "left",
    "symbolStrokeWidth": 0.8,
    "columnPadding": 14,
}


def config() -> dict[str, Any]:
    """Return the Vega-Lite config of the theme."""
    text = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK, "titleColor": INK}
    axis = {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": 500, "domainColor": LINE, "tickColor": LINE}
    legend = {
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": 600,
        "titleLimit": 400,
        "titlePadding": 10,
        "labelLimit": 260,
    }
    return {
        "background": PAPER,
        "font": FONT,
        "padding": 10,
        "view": {"stroke": None},
        "axis": text | axis | {"gridColor": LINE, "gridOpacity": 0.55},
        "legend": text | legend | LEGEND_PLACE,
        "header": text | {"labelFontSize": 12, "labelFontWeight": 600},
        "title": {
            "font": FONT,
            "subtitleFont": FONT,
            "color": INK,
            "subtitleColor": QUIET,
            "fontSize": 15,
            "fontWeight": 600,
            "subtitleFontSize": 11.5,
            "subtitleLineHeight": 16,
            "anchor": "start",
            "offset": 14,
        },
        "text": {"font": FONT, "fill": INK, "fontSize": 11},
    }

"""Names, constants, units and lengths of time as words; knows no expression and no rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from timeline.fragment import Tree
from timeline.rules import DURATION, kind_of

PARAM = "$"
"""The name under which a parameter is kept in a tree, so that it is not lost among other constants."""

UNITS = {"min": "minute", "h": "hour", "d": "day", "w": "week"}
SYMBOLS = (
    ("mm[Hg]", "mmHg"), ("[degF]", "°F"), ("Cel", "°C"), ("10*12/", "×10¹²/"), ("10*9/", "×10⁹/"), ("10*6/", "×10⁶/"),
    ("10*3/", "×10³/"),
)  # fmt: skip
"""Units of UCUM as they are printed."""


@dataclass(frozen=True)
class Scope:
    """What the names of an expression stand for."""

    row: str = "row"
    """What one row of the relation at hand is called: `episode`."""
    own: frozenset[str] = frozenset()
    """Columns that the rule itself declares: set in italics, since the text defines them."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """SQL types of columns, as far as they are known: times and text have words of their own."""
    params: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """Parameters in force, by name: their text and their unit."""
    concepts: Mapping[str, str] = field(default_factory=dict)
    """Titles of concepts by name."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Words that are not written in lower case, by their form in names."""
    index: str = "index"
    """What the index is called."""


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def spoken(name: str, spellings: Mapping[str, str]) -> str:
    """Return a name as words: `first_dose` is `first dose`; what is an abbreviation elsewhere stays one."""
    parts, words = name.split("_"), []
    while parts:
        size = next((n for n in (3, 2, 1) if "_".join(parts[:n]) in spellings and n <= len(parts)), 1)
        words.append(spellings.get("_".join(parts[:size]), parts[0]))
        parts = parts[size:]
    return " ".join(word for word in words if word)


def short(title: str) -> str:
    """Return a title up to what explains it: `Weight` for `Weight, as measured`."""
    return title.partition(";")[0].partition(",")[0]


def uncapitalized(title: str) -> str:
    """Return a title as it stands within a sentence; abbreviations and `C-reactive` keep their capital."""
    first = title.split(" ")[0]
    plain = len(first) > 1 and first[1:2].isalpha() and not any(letter.isupper() for letter in first[1:])
    return title[:1].lower() + title[1:] if plain else title


def duration(text: str) -> str:
    """Return `24 hours` for `24h`; other text as it is."""
    match = DURATION.fullmatch(text)
    if match is None:
        return text
    sign, count, unit = match.groups()
    return f"{'minus ' if sign else ''}{counted(int(count), UNITS[unit])}"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def unit(text: str | None) -> str:
    """Return a UCUM unit as it is printed; an annotation such as `{score}` is none."""
    text = text or ""
    for written, printed in SYMBOLS:
        text = text.replace(written, printed)
    return "" if text.startswith("{") or text == "1" else text


def quantity(text: str, of_unit: str | None) -> str:
    """Return a parameter's value as words: a duration, a number with its unit, or the text as it is."""
    return f"{text} {unit(of_unit)}".rstrip() if kind_of(text) == "number" else duration(text)


def worded(text: str, scope: Scope, quoted: bool) -> str:
    if text in scope.concepts:
        return uncapitalized(short(scope.concepts[text]))
    return f"“{text.replace('_', ' ')}”" if quoted else text.replace("_", " ")


def name(parts: Sequence[str], scope: Scope) -> str:
    """Return what a dotted name stands for, in words."""
    if parts[0] == PARAM:
        text, of_unit = scope.params[parts[1]]
        if kind_of(text) == "boolean":
            return f"*{spoken(parts[1], scope.spellings)}* (set to {text})"
        return worded(text, scope, quoted=True) if kind_of(text) == "text" else quantity(text, of_unit)
    last = END.get(parts[-1], spoken(parts[-1], scope.spellings))
    if len(parts) == 1:
        if parts[0] in scope.own:
            return f"*{last}*"
        return f"the {last} of the {scope.row}" if parts[0] in END else last
    if parts[0] == "index" and parts[-1] == "time":
        return f"the {scope.index}"
    owners = {"index": f"the {scope.index}'s", "patient": "the patient's", "base": "this row's"}
    if parts[0] == "concept":
        return f"its concept's {last}"
    owner = owners.get(parts[0])
    return f"{owner} {last}" if owner else f"the {last} of *{spoken(parts[0], scope.spellings)}*"


END = {"start_time": "start", "end_time": "end"}


def constant(tree: Tree, scope: Scope, quoted: bool) -> str:
    """Return a constant in words; text in quotes where it could be taken for words of the sentence."""
    literal = tree["literal"]
    if literal["kind"] == "NULL_LITERAL":
        return "unknown"
    return worded(literal["text"], scope, quoted) if literal["kind"] == "STRING" else literal["text"]

"""One rule or example: YAML nodes -> the frozen models of `rules`; complaints name file, line and column."""

import re
from collections.abc import Iterable

from timeline.rules import (
    NAME,
    Analytes,
    Column,
    EpisodesRule,
    Example,
    FromRule,
    GradeRule,
    Lookup,
    Observed,
    PairsRule,
    Param,
    Rule,
    SqlRule,
    Window,
)
from timeline.yamltree import Node, Reader

OPERATORS = ("from", "grade", "episodes", "pairs", "sql")
COMMON = ("title", "description", "source", "params", "columns", "checks")
KEYS = {
    "from": ("where", "spans", "group_by", "keep", "steps"),
    "grade": ("findings", "context", "where", "hold"),
    "episodes": ("gap", "where", "by"),
    "pairs": ("analytes",),
    "sql": ("uses",),
}
PICKS = ("first", "last", "nearest", "min", "max", "mean", "median", "sum", "count", "any")
LOOKUP_KEYS = ("in", "overlaps", "where", "to")
PROMISES = ("type", "unit", "meaning", "one_of", "between", "nullable")
RESERVED = frozenset(
    "event patient observation index base concept concept_code number day start_day end_day time start_time end_time "
    "patient_id evidence meta main temp inf examples concepts ruleset".split()
)
IMPLICIT = frozenset("patient_id number time start_time end_time day start_day end_day evidence".split())
"""Columns that every derived table has, or may have; no declared column may take their names."""


def read_rule(name: str, node: Node, reader: Reader, places: dict[str, str]) -> Rule | None:
    """Return the rule at `node`, or None when its mistakes leave nothing to build; fills `places`."""
    found = [operator for operator in OPERATORS if isinstance(node.value, dict) and operator in node.value]
    if len(found) != 1:
        known = ", ".join(OPERATORS)
        reader.say(node, f"rule `{name}` must have exactly one of {known}; it has {', '.join(found) or 'none'}")
        return None
    operator = found[0]
    entries = reader.mapping(node, f"the `{operator}` rule `{name}`", (operator, *COMMON, *KEYS[operator]))
    for key, child in entries.items():
        places[f"{name}.{key}"] = child.where
        if isinstance(child.value, dict):
            places.update({f"{name}.{key}.{inner}": grandchild.where for inner, grandchild in child.value.items()})
    context = _Context(name, entries, reader, places)
    return reader.build(node, lambda: _BUILDERS[operator](context))


def read_example(node: Node, reader: Reader) -> Example | None:
    """Return one entry of `examples:`."""
    entries = reader.mapping(node, "an example", ("title", "events", "patient", "set", "expect", "clause"))
    expect: dict[str, tuple[dict[str, str | None], ...]] = {}
    for rule, rows in reader.mapping(entries["expect"], "`expect`").items() if "expect" in entries else ():
        items = rows.value if isinstance(rows.value, tuple) else ()
        if not isinstance(rows.value, tuple):
            reader.say(rows, f"what is expected of `{rule}` is a list of rows: [] or [{{column: value}}]")
        expect[rule] = tuple(
            {key: reader.text(value, key) for key, value in reader.mapping(item, "a row").items()} for item in items
        )
    if not expect:
        reader.say(node, "an example needs `expect`: the rows of at least one rule")

    def words(key: str) -> dict[str, str]:
        entries_of = reader.mapping(entries[key], f"`{key}`").items() if key in entries else ()
        return {name: reader.text(child, name) or "" for name, child in entries_of}

    return reader.build(
        node,
        lambda: Example(
            title=reader.text(entries.get("title"), "title") or "",
            events=reader.text(entries.get("events"), "events") or "",
            patient=words("patient"),
            set=words("set"),
            expect=expect,
            clause=reader.text(entries.get("clause"), "clause") or "",
        ),
    )


class _Context:
    """The entries of one rule and the ways to read them."""

    def __init__(self, name: str, entries: dict[str, Node], reader: Reader, places: dict[str, str]) -> None:
        self.name, self.entries, self.reader, self.places = name, entries, reader, places

    def text(self, key: str) -> str | None:
        return self.reader.text(self.entries.get(key), f"`{key}`")

    def needed(self, key: str) -> str:
        text = self.text(key)
        if text is None:
            self.reader.say(self.places.get(f"{self.name}.{key}", self.places.get(self.name, self.name)),
                            f"rule `{self.name}` needs `{key}`")  # fmt: skip
        return text or ""

    def texts(self, key: str) -> tuple[str, ...]:
        return self.reader.texts(self.entries.get(key), f"`{key}`")

    def mapping(self, key: str) -> dict[str, Node]:
        return self.reader.mapping(self.entries[key], f"`{key}`") if key in self.entries else {}

    def named(self, key: str) -> dict[str, Node]:
        """The entries of a mapping whose keys become columns of the table."""
        entries = self.mapping(key)
        for name in entries:
            if name in IMPLICIT or "__" in name or not NAME.fullmatch(name):
                place = self.entries[key].keys.get(name, self.entries[key].where)
                taken = "is a name that the engine gives itself; choose another"
                why = taken if name in IMPLICIT else "is not a name; write a-z, 0-9 and single _, a letter first"
                self.reader.say(place, f"`{name}` {why}")
        return entries

    def conditions(self, key: str) -> dict[str, str]:
        entries = self.named(key) if key == "steps" else self.mapping(key)
        return {name: self.reader.text(node, name) or "" for name, node in entries.items()}

    @property
    def common(self) -> dict:
        return {
            "name": self.name,
            "title": self.text("title") or "",
            "description": self.text("description") or "",
            "source": self.text("source") or "",
            "params": {key: p for key, node in self.mapping("params").items() if (p := _param(key, node, self.reader))},
            "columns": {key: c for key, node in self.named("columns").items() if (c := self._column(key, node))},
            "checks": self.conditions("checks"),
        }

    def _column(self, name: str, node: Node) -> Column | None:
        reader = self.reader
        if not isinstance(node.value, dict):
            text = reader.text(node, f"column `{name}`")
            return None if text is None else Column(sql=text)
        entries = reader.mapping(node, f"column `{name}`", ("sql", *PICKS, *LOOKUP_KEYS, *PROMISES))
        lookup = read_lookup(entries, node, reader) if "sql" not in entries else None
        if lookup is None and "sql" not in entries:
            return None
        bounds = entries["between"].value if "between" in entries else None
        low, high = bounds if isinstance(bounds, tuple) and len(bounds) == 2 else (None, None)
        nullable = reader.text(entries.get("nullable"), "nullable") != "false"
        return reader.build(
            node,
            lambda: Column(
                sql=reader.text(entries.get("sql"), "sql"),
                lookup=lookup,
                type=reader.text(entries.get("type"), "type"),
                unit=reader.text(entries.get("unit"), "unit"),
                meaning=reader.text(entries.get("meaning"), "meaning") or "",
                one_of=reader.texts(entries.get("one_of"), "one_of"),
                between=(reader.number(low, "between"), reader.number(high, "between")) if bounds else None,
                nullable=nullable,
            ),
        )

    def observed(self, key: str) -> dict[str, Observed]:
        found = {}
        for name, node in self.named(key).items():
            entries = self.reader.mapping(node, f"`{name}`", ("of", "level", "interval", "hold"))
            level = self.reader.text(entries.get("level"), "level")
            if level is None or "of" not in entries:
                self.reader.say(
                    node, f"`{name}` needs `of` (a relation) and `level` (a whole number read off its rows)"
                )
                continue
            found[name] = Observed(
                relations=self.reader.texts(entries["of"], "of"),
                level=level,
                interval=self.reader.truth(entries.get("interval"), "interval"),
                hold=self.reader.text(entries.get("hold"), "hold"),
            )
            self.places.update({f"{self.name}.{key}.{name}.{inner}": child.where for inner, child in entries.items()})
        return found

    def analytes(self) -> Iterable[Analytes]:
        node = self.entries.get("analytes")
        groups = node.value if node is not None and isinstance(node.value, tuple) else ()
        if not groups:
            self.reader.say(node or self.name, "`analytes` is a list of groups, each with `of`, `before` and `after`")
        for position, group in enumerate(groups):
            self.places[f"{self.name}.analytes.{position}"] = group.where
            entries = self.reader.mapping(group, "a group of analytes", ("of", "baseline", "before", "after"))
            relations = self.reader.texts(entries.get("of"), "of")
            sides = {}
            for side in ("baseline", "before", "after"):
                if side in entries:
                    self.places[f"{self.name}.analytes.{position}.{side}"] = entries[side].where
                    inner = self.reader.mapping(entries[side], f"`{side}`", (*PICKS, *LOOKUP_KEYS))
                    sides[side] = read_lookup(inner, entries[side], self.reader, relations)
            if not relations or sides.get("before") is None or sides.get("after") is None:
                self.reader.say(group, "a group of analytes needs `of`, `before` and `after`")
                continue
            made = self.reader.build(group, lambda r=relations, s=sides: Analytes(relations=r, **s))
            if made is not None:
                yield made


def read_lookup(entries: dict[str, Node], node: Node, reader: Reader, relations: tuple[str, ...] = ()) -> Lookup | None:
    """Return the lookup that a column's or a side's entries spell; a side brings its `relations` along."""
    picks = [pick for pick in PICKS if pick in entries]
    if len(picks) != 1:
        reader.say(node, f"a lookup has exactly one pick ({', '.join(PICKS)}), or the column has `sql`")
        return None
    pick, target = picks[0], reader.text(entries[picks[0]], picks[0]) or ""
    column: str | None = target
    if not relations:
        relation, _, rest = target.partition(".")
        relations, column = (relation,), rest or None
    elif pick in ("count", "any"):
        column = None
    if "in" in entries and "overlaps" in entries:
        reader.say(node, "write `in` or `overlaps`, one of the two")
    place = entries.get("in", entries.get("overlaps"))
    window = read_window(place, reader, "overlaps" in entries) if place is not None else None
    return reader.build(
        node,
        lambda: Lookup(
            pick=pick,  # type: ignore[arg-type]  # one of PICKS
            relations=relations,
            column=column,
            window=window,
            where=reader.text(entries.get("where"), "where"),
            to=reader.text(entries.get("to"), "to"),
        ),
    )


def read_window(node: Node, reader: Reader, overlaps: bool) -> Window | None:
    """Return the interval that `"[start_time - 24h, start_time)"` spells."""
    text = (reader.text(node, "a window") or "").strip()
    parts = _at_top_level(text[1:-1]) if len(text) > 2 else []
    if not re.fullmatch(r"[\[(].*[\])]", text, re.S) or len(parts) != 2:
        if isinstance(node.value, str) or node.value is None:
            reader.say(node, f'`{text}` is not a window; write "[from, to)": [ ] take the bound in, ( ) leave it out')
        return None
    lower, upper = (part.strip() for part in parts)
    return Window(
        lower=lower, upper=upper, lower_closed=text[0] == "[", upper_closed=text[-1] == "]", overlaps=overlaps
    )


def _at_top_level(text: str) -> list[str]:
    """The parts of `text` between commas that stand in no bracket and no quotes."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += (character in "([") - (character in ")]") if not quoted else 0
        if character == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _param(name: str, node: Node, reader: Reader) -> Param | None:
    entries = reader.mapping(node, f"parameter `{name}`", ("default", "meaning", "unit", "of"))
    default = reader.text(entries.get("default"), "default")
    if default is None:
        reader.say(node, f"parameter `{name}` needs a `default`")
        return None
    return Param(
        default=default,
        meaning=reader.text(entries.get("meaning"), "meaning") or "",
        unit=reader.text(entries.get("unit"), "unit"),
        of=reader.text(entries.get("of"), "of"),
    )


_BUILDERS = {
    "from": lambda c: FromRule(
        relations=c.texts("from"),
        where=c.text("where"),
        spans=c.reader.truth(c.entries.get("spans"), "spans"),
        group_by=c.texts("group_by"),
        keep=c.text("keep"),
        steps=c.conditions("steps"),
        **c.common,
    ),
    "grade": lambda c: GradeRule(
        grade=c.needed("grade"),
        findings=c.observed("findings"),
        context=c.observed("context"),
        where=c.text("where"),
        hold=c.text("hold"),
        **c.common,
    ),
    "episodes": lambda c: EpisodesRule(
        relations=c.texts("episodes"), gap=c.needed("gap"), where=c.text("where"), by=c.texts("by"), **c.common
    ),
    "pairs": lambda c: PairsRule(relation=c.needed("pairs"), analytes=tuple(c.analytes()), **c.common),
    "sql": lambda c: SqlRule(sql=c.needed("sql"), uses=c.texts("uses"), **c.common),
}

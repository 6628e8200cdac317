"""The parts of a mapping file about files and tables -> models: every mistake with its place; knows no extract."""

import codecs
import re

from timeline import fragment
from timeline.ingest.mapping.model import COLUMNS, FIXED, GROUP, Cell, Column, Offset, Table, Writing
from timeline.yamltree import Node, Reader

UNITS = ("second", "minute", "hour", "day")
CLOCK = ("hour", "minute", "second", "fraction of a second", "half of the day")
DATE = ("year", "month", "day")
PARTS = {
    "Y": ("year",), "m": ("month",), "b": ("month",), "B": ("month",), "d": ("day",), "j": ("month", "day"),
    "H": ("hour",), "I": ("hour",), "M": ("minute",), "S": ("second",), "p": ("half of the day",),
    "f": ("fraction of a second",), "g": ("fraction of a second",), "n": ("fraction of a second",),
    "x": DATE, "X": CLOCK[:3], "c": DATE + CLOCK[:3], "a": (), "A": (), "w": (), "%": (),
}  # fmt: skip
"""What the directives of strptime say of a time. Those of weeks are not read, and a day of the week says nothing."""
UNPADDED = "dmHIMSj"
"""Directives that may have a `-`."""


def writing(node: Node | None, reader: Reader, default: Writing | None = None) -> Writing:
    """`read`: how text files are written; of a table, whose file's `read` is the `default`."""
    entries = {} if node is None else reader.mapping(node, "`read`", tuple(Writing.model_fields))
    said = {
        **{key: _mark(key, entries.get(key), reader) for key in ("delimiter", "decimal", "thousands")},
        "encoding": _encoding(entries.get("encoding"), reader),
        "dates": _formats("dates", entries.get("dates"), reader),
        "times": _formats("times", entries.get("times"), reader),
        "missing": tuple(text.strip() for text in reader.texts(entries.get("missing"), "missing")),
    }
    found = Writing(**{key: value for key, value in said.items() if key in entries})
    whole = found.over(default or Writing())
    said_here = {"decimal", "thousands"} & set(entries)
    if whole.ambiguous and said_here:
        why = (
            "" if len(said_here) == 2 else f" (`{whole.thousands}`, the other not said here; `thousands: null` is none)"
        )
        reader.say(
            entries[max(said_here)], f"`decimal` and `thousands` are one mark{why}; a number could be read in two ways"
        )
    # Between commas, which are the native format's, such numbers stand in quotation marks.
    for key in ("decimal", "thousands") if whole.delimiter != "," else ():
        if whole.delimiter is not None and getattr(whole, key) == whole.delimiter and {key, "delimiter"} & set(entries):
            reader.say(
                entries.get(key) or entries["delimiter"],
                f"`{key}` and `delimiter` are one mark (`{whole.delimiter}`); a number would be two columns",
            )
    return found


def _mark(key: str, node: Node | None, reader: Reader) -> str | None:
    text = reader.text(node, key)
    if node is None or text is None:
        return None
    text = "\t" if text in ("tab", "\\t") else text
    if len(text) != 1 or text.isalnum() or text in '"\n\r+-':
        such = '";"` or `tab' if key == "delimiter" else '","'
        reader.say(node, f"`{key}` is one mark, such as `{key}: {such}`")
    return text


def _encoding(node: Node | None, reader: Reader) -> str | None:
    text = reader.text(node, "encoding")
    if node is None or text is None:
        return None
    try:
        name = codecs.lookup(text).name
    except LookupError:
        reader.say(node, f"there is no encoding `{text}`; write latin-1, cp1252, utf-16 or another one")
        return None
    return None if name == "utf-8" else name


def _formats(key: str, node: Node | None, reader: Reader) -> tuple[str, ...]:
    """strptime formats: a date in each, a time of day in those of `times` only."""
    formats = reader.texts(node, key)
    for text in formats if node is not None else ():
        if wrong := _format(key, text):
            reader.say(node or "", f"`{text}`{wrong}")
    return formats


def _format(key: str, text: str) -> str | None:
    """What is wrong with a format: every part of a time is said once, since what is not said would be made up."""
    example = '"%d.%m.%Y %H:%M"' if key == "times" else '"%d.%m.%Y"'
    said = re.findall(r"%-?.?", text)
    letters = [one[-1] for one in said]
    parts = [part for letter in letters for part in PARTS.get(letter, ())]
    if "y" in letters:
        return ": a year of two digits is of no century; only `%Y` is read"
    if {"z", "Z"} & set(letters):
        return ": a time with an offset is read as ISO 8601 alone, where no `times` are declared"
    unknown = [one for one in said if one == "%" or one[-1] not in (UNPADDED if one[1:2] == "-" else PARTS)]
    if unknown:
        return f" is no format of {key}: `{unknown[0]}` is unknown; write {example}"
    if not set(DATE) & set(parts) or bool(set(CLOCK) & set(parts)) != (key == "times"):
        return f" is no format of {key}; write one as strptime does: {example}"
    if twice := [part for part in dict.fromkeys(parts) if parts.count(part) > 1]:
        return f" says the {' and the '.join(twice)} twice; write {example}"
    if missing := [part for part in (*DATE, *(CLOCK[:2] if key == "times" else ())) if part not in parts]:
        birth = "; a year of birth alone is `birth_year`" if parts == ["year"] else ""
        return f" lacks the {' and the '.join(missing)}, which nobody may guess; write {example}{birth}"
    if ("I" in letters) != ("p" in letters):
        return ": `%I` and `%p` (AM or PM) belong together; the hours from 0 to 23 are `%H` alone"
    return None


def columns(node: Node | None, reader: Reader, alone: bool = True) -> dict[str, Column]:
    """Our column -> what the source has for it; `alone`: of no table, so that none stands beside it."""
    entries = {} if node is None else reader.mapping(node, "`columns`", COLUMNS)
    found: dict[str, Column] = {}
    for ours, child in entries.items():
        column = _column(ours, child, reader)
        if alone and isinstance(column, Offset) and column.table is not None:
            reader.say(
                child,
                f"a time counted from another table belongs to one: `tables: {{NAME: {{columns: {{{ours}: ...}}}}}}`",
            )
        elif column is not None:
            found[ours] = column
    return found


def _column(ours: str, node: Node, reader: Reader) -> Column | None:
    if isinstance(node.value, dict):
        if ours in ("time", "end_time"):
            return _offset(node, reader)
        reader.say(node, f"`{ours}` is a column's name; only time and end_time can be counted from another time")
        return None
    names = reader.texts(node, ours)
    if not names or any(not name.strip() for name in names):
        reader.say(node, f"`{ours}` names no column; write `{ours}: name`, as the source calls it")
        return None
    return names[0] if isinstance(node.value, str) else names


def _offset(node: Node, reader: Reader) -> Offset | None:
    entries = reader.mapping(node, "a counted time", tuple(Offset.model_fields))
    said = {key: reader.text(entries.get(key), key) for key in Offset.model_fields}
    missing = [key for key, text in said.items() if text is None and key != "table"]
    if missing:
        reader.say(
            node,
            f"a counted time lacks {', '.join(missing)}; write "
            "{offset: column, unit: minute, anchor: column or time}",
        )
        return None
    if said["unit"] not in UNITS:
        reader.say(entries["unit"], f"`unit` is {', '.join(UNITS[:-1])} or {UNITS[-1]}, not `{said['unit']}`")
        return None
    if said["table"] is not None and FIXED.fullmatch(said["anchor"] or ""):
        reader.say(entries["table"], "`anchor` is a fixed time, which is in no table; leave `table` out")
        return None
    return Offset.model_validate(said)


def tables(node: Node | None, reader: Reader, default: Writing | None = None) -> dict[str, Table]:
    """Each table's entry, in the order of the file."""
    entries = {} if node is None else reader.mapping(node, "`tables`")
    return {name: _table(name, child, reader, default or Writing()) for name, child in entries.items()}


def _table(name: str, node: Node, reader: Reader, default: Writing) -> Table:
    entries = reader.mapping(node, f"table `{name}`", tuple(Table.model_fields))
    kind = reader.text(entries.get("kind"), "kind")
    if kind not in (None, "events", "patients"):
        reader.say(entries["kind"], f"`kind` is events or patients, not `{kind}`")
        kind = None
    said = {
        "kind": kind,
        "ignore": reader.truth(entries.get("ignore"), "ignore"),
        "columns": columns(entries.get("columns"), reader, alone=False),
        "code": _template(entries.get("code"), reader),
        "values": _values(entries.get("values"), reader),
        "where": _where(entries.get("where"), reader),
        "read": writing(entries.get("read"), reader, default),
    }
    if said["ignore"] and len(entries) > 1:
        reader.say(
            entries["ignore"], f"table `{name}` is ignored, and the other keys say how to read it; leave one out"
        )
    if said["values"] and ("code" in entries or {"code", "value", "unit"} & set(said["columns"])):
        reader.say(
            entries["values"], "`values` gives each column's cells their own code and unit; leave out the others"
        )
    if kind == "patients" and {"code", "values"} & set(entries):
        reader.say(
            entries["kind"],
            "`code` and `values` are of events; patients have patient_id, sex, birth_date and birth_year",
        )
    return Table(**said)


def _template(node: Node | None, reader: Reader) -> str | None:
    text = reader.text(node, "code")
    if node is not None and text is not None and set("{}") & set(GROUP.sub("", text)):
        reader.say(node, "`code` has a stray brace; write a column's text as {name}")
    return text


def _values(node: Node | None, reader: Reader) -> dict[str, Cell]:
    found = {}
    for column, child in ({} if node is None else reader.mapping(node, "`values`")).items():
        if isinstance(child.value, dict):
            entries = reader.mapping(child, f"column `{column}`", tuple(Cell.model_fields))
        else:
            entries = {"code": child}
        code = reader.text(entries.get("code"), "code")
        if code is None:
            reader.say(
                child, f"`{column}` has no code; write `{column}: CODE` or `{column}: {{code: CODE, unit: UNIT}}`"
            )
        else:
            found[column] = Cell(code=code, unit=reader.text(entries.get("unit"), "unit"))
    return found


def _where(node: Node | None, reader: Reader) -> str | None:
    text = reader.text(node, "where")
    if node is None or text is None:
        return None
    try:
        fragment.parse(text, {})
    except fragment.FragmentError as error:
        # What a rule would write instead, a mapping cannot.
        told = str(error).partition("; ")[0] if str(error) in fragment.REFUSED.values() else error
        reader.say(node, f"`where` is no condition over the columns of one row: {told}")
        return None
    return text


def statuses(node: Node | None, reader: Reader) -> dict[str, tuple[str, ...]]:
    """Table -> the statuses that count."""
    found = {}
    for table, child in ({} if node is None else reader.mapping(node, "`statuses`")).items():
        items = child.value if isinstance(child.value, tuple) else (child,)
        found[table] = tuple((reader.text(item, table) or "").strip() for item in items)
        if child.value in (None, ()):
            reader.say(child, f"`{table}` names no status; write `{table}: [one, another]`")
    return found

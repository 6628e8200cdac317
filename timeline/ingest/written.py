"""SQL that reads a source's column as a mapping file says it is written; knows no file and no meaning.

What comes out is text as the native format writes it, or the column itself, for `parse` to judge. A text that is not
written as declared is never read in another way: it stays unreadable.
"""

import re

from timeline.ingest import parse
from timeline.ingest.mapping import Column, Offset, Writing
from timeline.ingest.mapping.model import FIXED
from timeline.ingest.parse import Source
from timeline.quote import literal, whole

UNREADABLE = "no time: "
"""Before a text that is no time in the writing declared, so that it is not read in another."""
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
EARLIEST = 1000
"""The year of a time written in full: strptime takes `24` for the year 24."""
TIMES = ("time", "end_time", "birth_date")


def column(ours: str, source: Column, types: dict[str, str], writing: Writing) -> str:
    """The expression of one of our columns, of the source's columns with their DuckDB `types`."""
    if isinstance(source, Offset):
        return _counted(source, types, writing)
    if isinstance(source, tuple):
        texts = ", ".join(parse.text(Source(cell(name, types, writing), types[name])) for name in source)
        sql, is_text = f"nullif(concat_ws(' ', {texts}), '')", True
    else:
        sql, is_text = cell(source, types, writing), _is_text(types[source])
    if not is_text:
        return sql
    if ours in TIMES:
        return _time(sql, writing)
    return _number(sql, writing) if ours == "value" else sql


def advice(source: Column, writing: Writing) -> str | None:
    """What a time looks like that this column holds; None where the mapping says nothing of it."""
    if isinstance(source, Offset):
        fixed = FIXED.fullmatch(source.anchor)
        after = source.anchor if fixed else f"`{source.anchor}`, a time without an offset from UTC"
        if source.table is not None:  # rows whose anchor cannot be read have a reason of their own
            after = f"`{source.anchor}`"
        mark = f" (decimal `{writing.decimal}`)" if writing.decimal else ""
        return f"`{source.offset}` is a number of {source.unit}s{mark} after {after}"
    formats = " or ".join((*writing.times, *writing.dates))
    return f"the mapping declares it as {formats}" if formats else None


def cell(name: str, types: dict[str, str], writing: Writing) -> str:
    """A source's column, NULL where its text stands for nothing."""
    if not writing.missing or not _is_text(types[name]):
        return whole(name)
    nothing = ", ".join(literal(text) for text in writing.missing)
    return f"CASE WHEN trim({whole(name)}) NOT IN ({nothing}) THEN {whole(name)} END"


def template(text: str, types: dict[str, str], writing: Writing) -> str:
    """A text in which {name} stands for a column's; NULL where that is empty."""
    parts = re.split(r"\{(\w+)\}", text)
    said = [
        parse.text(Source(cell(part, types, writing), types[part])) if place % 2 else literal(part)
        for place, part in enumerate(parts)
        if part
    ]
    return " || ".join(said)


def not_as_declared(sql: str, type: str, writing: Writing) -> str | None:
    """A condition: the text is a number, but not in the writing declared; None where none is declared."""
    if not _is_text(type) or not (writing.decimal or writing.thousands):
        return None
    return f"(NOT {_is_number(sql, writing)} AND {parse.number(f'trim({sql})')} IS NOT NULL)"


def _is_text(type: str) -> bool:
    return Source("", type).is_text


def _is_number(sql: str, writing: Writing) -> str:
    point = re.escape(writing.decimal or ".")
    # No grouped number begins with 0: `0.500` where the point stands between thousands is another writing.
    groups = rf"[1-9]\d{{0,2}}({re.escape(writing.thousands)}\d{{3}})+|" if writing.thousands else ""
    number = rf"{parse.BOUND}? *[+-]?(({groups}\d+)({point}\d*)?|{point}\d+)([eE][+-]?\d+)?"
    return f"regexp_full_match(trim({sql}), {literal(number)})"


def _number(sql: str, writing: Writing) -> str:
    """With a point, and without a mark between thousands, where the text is a number."""
    if not writing.decimal and not writing.thousands:
        return sql
    plain = f"replace({sql}, {literal(writing.thousands)}, '')" if writing.thousands else sql
    if writing.decimal:
        plain = f"replace({plain}, {literal(writing.decimal)}, '.')"
    return f"CASE WHEN {_is_number(sql, writing)} THEN {plain} ELSE {sql} END"


def _time(sql: str, writing: Writing) -> str:
    """In the native writing. Where formats are declared, a text of that kind in another writing is unreadable."""
    if not writing.dates and not writing.times:
        return sql
    written = f"nullif(trim({sql}), '')"
    branches = [f"WHEN {written} IS NULL THEN NULL"]
    for formats, native in ((writing.times, "%Y-%m-%d %H:%M:%S.%f"), (writing.dates, "%Y-%m-%d")):
        if formats:
            read = f"try_strptime({written}, [{', '.join(map(literal, formats))}])"
            branches.append(f"WHEN year({read}) >= {EARLIEST} THEN strftime({read}, {literal(native)})")
    if not writing.times:
        branches.append(f"WHEN regexp_matches({written}, {literal('^' + parse.DATE + '[ Tt]')}) THEN {written}")
    if not writing.dates:
        branches.append(f"WHEN regexp_full_match({written}, {literal(parse.DATE)}) THEN {written}")
    return f"CASE {' '.join(branches)} ELSE {literal(UNREADABLE)} || {written} END"


def _counted(source: Offset, types: dict[str, str], writing: Writing) -> str:
    """The time so long after its anchor: empty as the offset is, unreadable where either of them cannot be read.

    Whole days after a bare date are a bare date; hours after one are hours after its midnight.
    """
    offset = parse.text(Source(cell(source.offset, types, writing), types[source.offset]))
    number = _number(offset, writing) if _is_text(types[source.offset]) else offset
    if wrong := not_as_declared(offset, types[source.offset], writing):
        number = f"CASE WHEN NOT {wrong} THEN {number} END"
    anchor, state = _anchor(source, types, writing)
    count = f"CAST(round(TRY_CAST({number} AS DOUBLE) * {SECONDS[source.unit]}e6) AS BIGINT)"
    time = f"TRY({anchor} + to_microseconds({count}))"
    bare = f"({state}) = {parse.DATE_ONLY} AND {time} = date_trunc('day', {time})" if source.unit == "day" else "FALSE"
    counted = native(time, bare)
    return f"CASE WHEN {offset} IS NOT NULL THEN coalesce({counted}, {literal(UNREADABLE)} || {offset}) END"


def native(time: str, bare: str) -> str:
    """A TIMESTAMP in the native writing: without a clock where `bare` holds."""
    return f"CASE WHEN {bare} THEN strftime({time}, '%Y-%m-%d') ELSE strftime({time}, '%Y-%m-%d %H:%M:%S.%f') END"


def _anchor(source: Offset, types: dict[str, str], writing: Writing) -> tuple[str, str]:
    """The time that is counted from, and what it is; one of another table stands beside, in the native writing."""
    if FIXED.fullmatch(source.anchor):
        return parse.time(Source(literal(source.anchor), "VARCHAR"), None)
    type = types[source.anchor]
    if type == "TIMESTAMP WITH TIME ZONE":
        return "CAST(NULL AS TIMESTAMP)", str(parse.OFFSET)
    own = writing if source.table is None else Writing()
    return parse.time(Source(column("time", source.anchor, types, own), type), None)

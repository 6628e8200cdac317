"""A draft as a mapping file in which every proposal is commented out; knows the draft's records alone.

`# ` stands before what is in force once the mark is taken away, `##` before a remark. As it is written, the file is a
mapping file that loads and maps nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import product

from timeline.draft.records import CodeDraft, Draft, PatternDraft, RouteDraft, TableDraft, UnitDraft, WordDraft
from timeline.printing import count

HEAD = """\
## Drafted by `timeline map`. Nothing below is in force: a proposal is a guess, and a guess is no mapping.
## Take away the mark `# ` of each line that you confirm, and correct it where it is wrong; `##` are remarks.
## Numbers are the 10 % point, the median and the 90 % point, rounded, of codes with at least ten patients who have one.
## docs/mapping.md tells every key."""
PLAIN = re.compile(r"[A-Za-z][\w/.-]*")


def text_of(draft: Draft, title: str) -> str:
    """Return the draft as the text of a mapping file."""
    parts = [HEAD, f"title: {_quoted(title)}"]
    if draft.problem is not None:
        parts.append(f"## The extract cannot be read as it is: {_line(draft.problem)}")
    parts += [f"## {_line(sentence)}" for sentence in draft.hidden]
    parts += [
        _tables(draft.tables),
        _patterns(draft.patterns),
        _codes(draft),
        _units(draft.units),
        _routes(draft.routes),
        _words(draft.words),
    ]
    if draft == Draft():
        parts.append("## Nothing is left to map: every code, unit, route and word of the extract has a meaning.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(key: str, lines: Iterable[str], remark: str = "") -> str:
    body = [f"  {line}" for line in lines]
    return "\n".join([*([f"## {remark}"] if remark else []), f"{key}:", *body]) if body else ""


def _patterns(patterns: Iterable[PatternDraft]) -> str:
    lines = []
    for one in patterns:
        lines.append(f"## {count(one.codes, 'code')}, {count(one.rows, 'row')}")
        if one.statuses:
            said = ", ".join(f"{status or 'none'} ({rows:,})" for status, rows in one.statuses)
            lines.append(f"## they end in {_line(said)}: say with `keep: [...]` which count, if these are statuses")
        lines.append(f"# - {{match: {_single(one.match)}, key: {_single(one.key)}}}")
    return _section("patterns", lines, "Codes that hold a unit or a status")


def _single(text: str) -> str:
    """In single quotes, in which a backslash is one."""
    return "'" + text.replace("'", "''") + "'"


def _codes(draft: Draft) -> str:
    shown = sum(code.rows for code in draft.codes)
    remark = f"{count(draft.codes_in_all, 'code')} without a concept, {count(draft.rows_in_all, 'row')}"
    if draft.codes_in_all > len(draft.codes):
        remark += f"; the {len(draft.codes)} most frequent, {count(shown, 'row')}"
    return _section("codes", (line for code in draft.codes for line in _code(code)), remark)


def _code(code: CodeDraft) -> list[str]:
    said = [count(code.rows, "row"), count(code.patients, "patient")]
    said += ["units " + ", ".join(f"{unit or 'none'} ({rows:,})" for unit, rows in code.units)]
    said += ["numbers " + ", ".join(f"{number:g}" for number in code.numbers)] if code.numbers else []
    said += ["words " + ", ".join(code.words)] if code.words else []
    name = f" ({code.description})" if code.description else ""
    first = code.candidates[0].name if code.candidates else ""
    why = [f"{one.name}: {one.because}" for one in code.candidates]
    remarks = [f"## {_line(code.key + name)}: {_line('; '.join(said))}", *(f"## {_line(reason)}" for reason in why)]
    return [*remarks, *([f"# {_quoted(code.key)}: {first}"] if first else [])]


def _units(units: Iterable[UnitDraft]) -> str:
    """Remarks alone: what a unit means is not to be guessed from its letters."""
    lines = [f"## {_line(unit.reason)}: {count(unit.rows, 'row')} rejected" for unit in units]
    return _section("units", lines, "a spelling of the source: a unit that is known")


def _routes(routes: Iterable[RouteDraft]) -> str:
    return _section("routes", (line for one in routes for line in _word(one.route, one)))


def _words(words: Iterable[WordDraft]) -> str:
    lines: list[str] = []
    concepts: dict[str, list[WordDraft]] = {}
    for word in words:
        concepts.setdefault(word.concept, []).append(word)
    for concept, found in concepts.items():
        lines += [f"# {concept}:" if any(one.candidates for one in found) else f"## {concept}"]
        for one in found:
            lines += [line if line.startswith("##") else f"#   {line[2:]}" for line in _word(one.word, one)]
    return _section("words", lines)


def _word(text: str, one: RouteDraft | WordDraft) -> list[str]:
    proposals = ", ".join(f"{candidate.name} ({candidate.because})" for candidate in one.candidates)
    remark = f"## {_line(text)}: {count(one.rows, 'row')}" + (f"; {proposals}" if proposals else "")
    return [remark, *([f"# {_quoted(text)}: {one.candidates[0].name}"] if one.candidates else [])]


def _tables(tables: Iterable[TableDraft]) -> str:
    return _section("tables", (line for one in tables for line in _table(one)), "Files that are not read")


def _table(table: TableDraft) -> list[str]:
    if table.problem is not None:
        return [f"## {_line(table.problem)}"]
    name = table.file.rpartition("/")[2].partition(".")[0]
    if len(table.columns) == 1:
        return [f"## {_line(table.file)}: 1 column: hardly a table", f"# {_quoted(name)}: {{ignore: true}}"]
    left = [f"{one.name} ({one.type})" for one in table.columns if one.ours is None and one.concept is None]
    wide = {one.name: one.concept for one in table.columns if one.concept is not None}
    lines = [f"## {_line(table.file)}: {count(len(table.columns), 'column')}"]
    lines += [f"## no column of ours: {_line(', '.join(left))}"] if left else []
    found = {one.ours: one.name for one in table.columns if one.ours is not None}
    if (status := found.pop("status", None)) is not None:
        lines.append(f"## {_line(status)} may be the status; which of them count is to be said under `statuses`")
    lacking = [ours for ours in ("patient_id", "time", "code") if ours not in found]
    if {"sex", "birth_date"} & set(found) and "code" in lacking:
        found = {ours: name for ours, name in found.items() if ours in ("patient_id", "sex", "birth_date")}
        return [*lines, f"# {_quoted(name)}:", "#   kind: patients", *_columns(found), *_read(table)]
    if wide:
        lines += [f"## {_line(name)} may be {concept.name}: {concept.because}" for name, concept in wide.items()]
        values = ", ".join(f"{_quoted(name)}: {concept.name}" for name, concept in wide.items())
        found = {ours: name for ours, name in found.items() if ours in ("patient_id", "time", "end_time")}
        return [*lines, f"# {_quoted(name)}:", *_columns(found), f"#   values: {{{values}}}", *_read(table)]
    if lacking:
        lines.append(
            f"## nothing here is called like {', '.join(lacking)}: name the columns, or a wide table's `values`"
        )
    return [*lines, f"# {_quoted(name)}:", *_columns(found), *_read(table)]


def _columns(found: Mapping[str, str]) -> list[str]:
    pairs = ", ".join(f"{ours}: {_quoted(name)}" for ours, name in found.items())
    return [f"#   columns: {{{pairs}}}"] if pairs else []


def _read(table: TableDraft) -> list[str]:
    """One line; where several are possible, one for each, of which one is to be taken."""
    ways = list(product(*(one.pairs for one in table.read))) if table.read else []
    doubts = [(one.because, "; take one of the lines" if len(one.pairs) > 1 else "") for one in table.read]
    doubts = [f"##   {_line(why)}{then}" for why, then in doubts if why]
    pairs = (", ".join(f"{key}: {json.dumps(value)}" for key, value in way) for way in ways)
    return [*doubts, *(f"#   read: {{{said}}}" for said in pairs)]


def _quoted(text: str) -> str:
    """As YAML reads it back."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())

"""Times that are counted from a column of another table, such as the day of a treatment: a join by patient.

A patient must have one anchor there, in however many rows; without one, with several, or with one that cannot be read,
no time can be told.
Knows no concept and no unit.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from timeline import personal
from timeline.errors import ExtractError
from timeline.ingest import parse, written
from timeline.ingest.mapping import Column, Offset, Writing, fitting, names_of
from timeline.ingest.parse import Source
from timeline.quote import identifier, literal


@dataclass(frozen=True)
class Rows:
    """A file's rows: a FROM item with `source_row`, its columns with their types, and the lines that are no rows."""

    name: str
    path: Path
    relation: str
    types: dict[str, str]
    rejected: str | None


@dataclass(frozen=True)
class Sheet:
    """Another table of the extract: its rows, its column or columns of the patient, and how it is written."""

    rows: Rows
    patient: Column
    writing: Writing

    def anchors(self, column: str) -> str:
        """SELECT patient, anchor, n: the anchor of each patient in the native writing, and how many it has.

        n is NULL where one of them cannot be read: it may be another one.
        """
        patient = _text("patient_id", self.patient, self.rows, self.writing)
        time, state = parse.time(_source("time", column, self.rows, self.writing), None)
        anchor = written.native("min(time)", "bool_and(bare)")
        return (
            f"(SELECT patient, {anchor} AS anchor, CASE WHEN bool_and(state <> {parse.UNREADABLE} "
            f"AND state <> {parse.OFFSET}) THEN count(DISTINCT time) END AS n FROM (SELECT {patient} AS patient, "
            f"{time} AS time, {state} AS state, CASE WHEN {time} IS NOT NULL THEN ({state}) = {parse.DATE_ONLY} END "
            f"AS bare FROM {self.rows.relation} AS r) GROUP BY patient)"
        )


def _source(ours: str, source: Column, rows: Rows, writing: Writing) -> Source:
    kind = rows.types[source] if isinstance(source, str) else "VARCHAR"
    return Source(written.column(ours, source, rows.types, writing), kind)


def _text(ours: str, source: Column, rows: Rows, writing: Writing) -> str:
    return parse.text(_source(ours, source, rows, writing))


def joined(
    read: Rows, sources: Mapping[str, Column], writing: Writing, sheets: Sequence[Sheet]
) -> tuple[Rows, dict[str, Column], list[str]]:
    """The rows with the anchors beside them, the sources naming those, and WHEN ... THEN the reason why there is none.

    Raise ExtractError where no table, or several, or none with that column has the name given.
    """
    found, reasons = dict(sources), []
    relation, types = read.relation, dict(read.types)
    for ours, source in sources.items():
        if not isinstance(source, Offset) or source.table is None:
            continue
        sheet = _sheet(read, source, sheets)
        beside, many = f"anchor of {ours}", f"anchors of {ours}"
        relation = (
            f"(SELECT f.*, a.anchor AS {identifier(beside)}, CASE WHEN a.patient IS NULL THEN 0 ELSE a.n END "
            f"AS {identifier(many)} FROM {relation} AS f "
            f"LEFT JOIN {sheet.anchors(source.anchor)} AS a "
            f"ON a.patient = {_text('patient_id', sources['patient_id'], read, writing)})"
        )
        types[beside] = "VARCHAR"
        found[ours] = source.model_copy(update={"anchor": beside})
        reasons += _reasons(source, sheet, many, _text("value", source.offset, read, writing), ours)
    return replace(read, relation=relation, types=types), found, reasons


def _reasons(source: Offset, sheet: Sheet, many: str, offset: str, ours: str) -> Iterator[str]:
    """A row that has nothing to count, such as one without an end, needs no anchor."""
    place = f"`{source.anchor}` of {sheet.rows.name}, from which {ours} is counted"
    like = written.advice(source.anchor, sheet.writing) or "write it as 2024-01-31 13:45, without an offset from UTC"
    for count, said in (
        ("IS NULL", f"the patient's {place}, cannot be read; {like}"),
        ("= 0", f"the patient has no {place}"),
        ("> 1", f"the patient has more than one {place}"),
    ):
        yield f"WHEN {offset} IS NOT NULL AND {identifier(many)} {count} THEN {literal(said)}"


def _sheet(read: Rows, source: Offset, sheets: Sequence[Sheet]) -> Sheet:
    named = [one for one in sheets if fitting([source.table or ""], one.rows.path.name) is not None]
    if len(named) != 1:
        what = f"{len(named)} files have" if named else "no file has"
        hint = "name one" if named else "name one, and give the folder that has both"
        raise ExtractError(
            f"{read.name}: {what} the name `{source.table}` in the same extract, of which times are counted; {hint}"
        )
    missing = [name for name in (source.anchor, *names_of(named[0].patient)) if name not in named[0].rows.types]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        raise ExtractError(
            f"{read.name}: times are counted from {named[0].rows.name}, which has no column {listed}; "
            f"{personal.columns_told(named[0].rows.types)}"
        )
    return named[0]


def digest(read: Rows, sources: Mapping[str, Column], sheets: Sequence[Sheet]) -> str | None:
    """Stands for the content of rows whose times lie in other files, too; None where there are none."""
    counted = [one for one in sources.values() if isinstance(one, Offset) and one.table is not None]
    if not counted:
        return None
    paths = dict.fromkeys([read.path, *(_sheet(read, one, sheets).rows.path for one in counted)])
    both = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            both.update(hashlib.file_digest(file, "sha256").digest())
    return both.hexdigest()

"""FHIR R4 (NDJSON of bulk exports, Bundles) -> staged rows; knows no concept and no unit.

A file's rows are its resources, numbered by line or by entry. What becomes events is the file itself, the numbered
components of its Observations are parts (`Observation.ndjson#component[1]`), its Patients the part `Patient`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.errors import ExtractError
from timeline.ingest import leftover, zstd
from timeline.ingest.fhir import extract, files, refer, versions
from timeline.ingest.fhir.described import descriptions
from timeline.ingest.fhir.elements import IGNORED, PARTIAL_DATE
from timeline.ingest.fhir.extract import Source
from timeline.ingest.fhir.notes import notes
from timeline.ingest.fhir.tables import PATIENT_READS, READS, TABLES
from timeline.ingest.mapping import Mapping, Table
from timeline.ingest.staged import EVENT_COLUMNS, Staged
from timeline.printing import did_you_mean
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

__all__ = ["IGNORED", "TABLES", "claims", "descriptions", "stage"]

EVENTS = {name: f'"{name}"' for name in EVENT_COLUMNS}
EVENTS["end_time"] = f"CASE WHEN NOT regexp_full_match(end_time, {literal(PARTIAL_DATE)}) THEN end_time END"
PATIENTS = {
    "patient_id": "id",
    "sex": "gender",
    "birth_date": f"CASE WHEN NOT regexp_full_match(birth_date, {literal(PARTIAL_DATE)}) THEN birth_date END",
    "birth_year": f"CASE WHEN regexp_full_match(birth_date, {literal(PARTIAL_DATE)}) THEN left(birth_date, 4) END",
}
HINTS = 3
"""Files that a message names."""
PARTS = 1 << 20
"""More than a file has parts."""
DAMAGED = "the file is damaged or cut short: it cannot be read to its end"
Files = Sequence[tuple[int, Path, str, Source]]
"""Number, path, name and resources of each file of an extract."""


def claims(path: Path) -> bool:
    """Whether `path` is a FHIR file, or a folder with one."""
    return any(files.is_fhir(one) for one in files.found(path))


def hint(path: Path) -> str:
    """Why files whose names end as those of FHIR cannot be told for it; empty where there is none such."""
    found = [(one, why) for one in files.found(path) if (why := files.unreadable(one))]
    said = [f"{_name(one, path)} is {why}" for one, why in found[:HINTS]]
    return "; ".join(said) + (f"; and {len(found) - HINTS} more such files" if len(found) > HINTS else "")


def stage(con: "Connection", path: Path, mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return the parts of every file; raise ExtractError where a file is damaged or none is FHIR."""
    return together(con, [path], mapping, scratch)


def together(con: "Connection", paths: Sequence[Path], mapping: Mapping | None, scratch: str) -> list[Staged]:
    """Return the parts of every file of several extracts, whose resources are versions of each other."""
    listed: list[tuple[int, Path, str]] = []
    for path in paths:
        found = files.found(path)
        if not found:
            raise ExtractError(f"{path}: no FHIR here; an extract is *.ndjson (also .gz, .zst), or Bundles as *.json")
        listed += [(number, file, _name(file, path)) for number, file in enumerate(found, len(listed))]
    if mapping is not None:
        _check(mapping)
    extract.create(con, scratch)
    relations: dict[int, Source] = {}
    for number, file, name in listed:
        if files.is_lines(file):
            relations[number] = Source(files.lines(number, file), inside=False)
            _extract(con, scratch, relations[number], mapping, file, name)
    documents = [one for one in listed if not files.is_lines(one[1])]
    empty = files.documents(con, f"{scratch}_entry", documents) if documents else []
    if documents:
        bundles = Source(f"{scratch}_entry", inside=True)
        relations |= {number: bundles for number, _, _ in documents}
        extract.extract(con, scratch, bundles, mapping)
    several = refer.resolve(con, scratch)
    knowing = (mapping or Mapping(name="FHIR")).extended(refer.parents(con, scratch), ranked=False)
    staged = list(_parts(con, scratch, [(*one, relations[one[0]]) for one in listed], knowing))
    folders = [path for path in paths if path.is_dir()]
    beside = [name for path in folders for name in leftover.beside(path, files.found(path))]
    said = notes(con, scratch, [name for number, _, name in listed if number in empty], beside, several, mapping)
    held = {one.path for one in staged}
    for path in paths:
        if held.isdisjoint(files.found(path)):
            raise ExtractError(f"{path}: no resource of FHIR that is read here" + "".join(f"; {one}" for one in said))
    return [with_(staged[0], notes=said), *staged[1:]]


def _check(mapping: Mapping) -> None:
    """Raise ExtractError with all that a mapping says of resources and that has no meaning for FHIR."""
    said = []
    if wrong := mapping.idle(TABLES):
        listed = ", ".join(f"`{key}`{did_you_mean(key, TABLES)}" for key in wrong)
        said.append(f"`statuses`: no resource of FHIR that is read here: {listed}")
    if asked := [f"`{key}`" for key, table in mapping.tables.items() if table != Table(ignore=table.ignore)]:
        said.append(
            f"`tables`: {', '.join(asked)}: the elements of a resource are known; only `ignore: true` is said of one"
        )
    if said:
        raise ExtractError(f"mapping {mapping.name}: {'; '.join(said)}")


def _name(file: Path, root: Path) -> str:
    return file.name if root.is_file() else file.relative_to(root).as_posix()


def _extract(con: "Connection", scratch: str, source: Source, mapping: Mapping | None, file: Path, name: str) -> None:
    import duckdb

    if file.name.lower().endswith(".zst") and not zstd.is_whole(file):
        raise ExtractError(f"{name}: {DAMAGED}")
    try:
        extract.extract(con, scratch, source, mapping)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        said = str(error).lower()
        if "utf-8" in said or "unicode" in said:
            why = "the file is not UTF-8; FHIR is written so"
        elif "maximum" in said and "size" in said:
            why = f"a line is longer than {files.LONGEST >> 20} MB"
        else:
            why = DAMAGED
        raise ExtractError(f"{name}: {why}") from None


def _parts(con: "Connection", scratch: str, files: Files, mapping: Mapping) -> Iterator[Staged]:
    """The staged parts of every file."""
    found = _found(con, scratch)
    for number, file, name, source in files:
        written = f"SELECT source_row, json AS raw FROM {source.relation} AS s WHERE file = {number}"
        broken, digest = number in found.broken, _digest(file, found.taken.get(number))
        for part in found.parts.get(number) or ([0] if broken else []):
            rows = f"(SELECT * FROM {scratch}_row WHERE file = {number} AND part = {part})"
            label = f"component[{part}]" if part else ""
            yield Staged(
                source_file=f"{name}#{label}" if part else name,
                path=file,
                format="fhir",
                kind="events",
                relation=rows,
                within=(f"{scratch}_row", f"file * {PARTS}::BIGINT + part", number * PARTS + part),
                columns=EVENTS,
                own=versions.OWN,
                rejected=_broken(source, number) if broken and not part else None,
                refused=versions.refused(scratch, rows) if (number, part) in found.refused else None,
                mapping=mapping,
                part=label,
                digest=digest,
                raw=written,
                reads=READS,
            )
        if number in found.persons:
            yield Staged(
                source_file=f"{name}#Patient",
                path=file,
                format="fhir",
                kind="patients",
                relation=f"(SELECT * FROM {scratch}_person WHERE file = {number})",
                within=(f"{scratch}_person", "file", number),
                columns=PATIENTS,
                own=versions.PATIENT_OWN,
                refused=versions.refused_patients(scratch, number) if number in found.before else None,
                part="Patient",
                digest=digest,
                raw=written,
                reads=PATIENT_READS,
            )


@dataclass(frozen=True)
class _Found:
    """Which files have what, asked once for all of them."""

    parts: dict[int, list[int]]
    broken: set[int]
    refused: set[tuple[int, int]]
    persons: set[int]
    before: set[int]
    taken: dict[int, str]


def _found(con: "Connection", scratch: str) -> _Found:
    def rows(columns: str, table: str, condition: str = "TRUE") -> list[tuple]:
        query = f"SELECT DISTINCT {columns} FROM {scratch}_{table} WHERE {condition} ORDER BY {columns}"
        return con.execute(query).fetchall()

    parts: dict[int, list[int]] = {}
    for number, part in rows("file, part", "row"):
        parts.setdefault(number, []).append(part)
    return _Found(
        parts=parts,
        broken={number for (number,) in rows("file", "seen", "type = ''")},
        refused=set(rows("file, part", "row", "refused IS NOT NULL") + rows("file, part", "older")),
        persons={number for (number,) in rows("file", "person")},
        before={number for (number,) in rows("file", "before", "differs")},
        taken=refer.taken(con, scratch),
    )


def _broken(source: Source, number: int) -> str:
    """SELECT the lines that are no resource, each with its reason."""
    deletion = f"WHEN {extract.IS_DELETION} THEN 'no resource here: the entry deletes one'" if source.inside else ""
    return f"""SELECT source_row, CASE {deletion} WHEN json_valid(json) AND json_type(json) = 'OBJECT'
                THEN 'no resource here: it says no resourceType' ELSE 'the line is not a JSON object' END AS reason,
            CAST(to_json(struct_pack(line := json)) AS VARCHAR) AS raw
        FROM {source.relation} AS s WHERE file = {number} AND type = ''"""


def _digest(file: Path, taken: str | None) -> str | None:
    """The file's content and what its rows take from other files: a change there changes these rows too."""
    if taken is None:
        return None
    with file.open("rb") as opened:
        return hashlib.sha256(hashlib.file_digest(opened, "sha256").digest() + taken.encode()).hexdigest()

"""Resources as JSON -> temporary tables of what is read of them, each parsed once; knows no event and no patient file.

The tables of one extract, all its files in them: `_row` (what may become events, one row a resource and one a
component), `_person` (Patients), `_definition` (what others point to for their code), `_seen` (resources by type).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.ingest.fhir import elements, systems
from timeline.ingest.fhir.elements import DEFINITIONS, RESOURCES, Resource, Shape
from timeline.ingest.staged import CodeMapping
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

ROW = {
    "file": "UINTEGER",
    "part": "UINTEGER",
    "source_row": "UBIGINT",
    "resource": "VARCHAR",
    "id": "VARCHAR",
    "status": "VARCHAR",
    "subject": "VARCHAR",
    "patient_id": "VARCHAR",
    "time": "VARCHAR",
    "end_time": "VARCHAR",
    "code": "VARCHAR",
    "others": "VARCHAR[]",
    "value": "VARCHAR",
    "unit": "VARCHAR",
    "text": "VARCHAR",
    "route": "VARCHAR",
    "pointer": "VARCHAR",
    "refused": "VARCHAR",
    "unread": "VARCHAR",
}
"""The columns of `_row`; `part` is 0 for the resource itself, and the number of one of its components."""
PERSON = {
    "file": "UINTEGER",
    "source_row": "UBIGINT",
    "id": "VARCHAR",
    "full_url": "VARCHAR",
    "gender": "VARCHAR",
    "birth_date": "VARCHAR",
    "died": "VARCHAR",
    "died_at": "VARCHAR",
    "replaced": "BOOLEAN",
}
DEFINITION = {"file": "UINTEGER", "reference": "VARCHAR", "full_url": "VARCHAR", "codes": "VARCHAR[]"}


@dataclass(frozen=True)
class Source:
    """Where the resources of some files are: a relation with `file`, `source_row`, `full_url`, `json` and `type`."""

    relation: str
    inside: bool
    """The resource is a member of `json`, not `json` itself."""

    def read(self, resource: str, shape: Shape) -> str:
        """SELECT file, source_row, full_url and `r`, the resource of that type as `shape` says."""
        given = {"resource": shape} if self.inside else shape
        parsed = f"from_json(s.json, {literal(json.dumps(given))})" + (".resource" if self.inside else "")
        return (
            f"(SELECT s.file, s.source_row, s.full_url, {parsed} AS r FROM {self.relation} AS s "
            f"WHERE s.type = {literal(resource)})"
        )


def type_of(text: str, path: str) -> str:
    """The type of the resource in a text; empty where it says none, or where the text is no JSON."""
    return f"coalesce(TRY(json_extract_string({text}, {literal(path)})), '')"


def create(con: "Connection", scratch: str) -> None:
    """Make the tables, empty."""
    tables = {
        "row": ROW,
        "person": PERSON,
        "definition": DEFINITION,
        "seen": {"file": "UINTEGER", "type": "VARCHAR", "n": "BIGINT"},
    }
    for name, columns in tables.items():
        listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {scratch}_{name} ({listed})")


def extract(con: "Connection", scratch: str, source: Source, mapping: CodeMapping | None) -> None:
    """Fill the tables with the resources of `source`, type by type."""
    counted = f"SELECT file, type, count(*) FROM {source.relation} AS s GROUP BY file, type"
    found = con.execute(f"INSERT INTO {scratch}_seen {counted} RETURNING type").fetchall()
    for type_ in sorted({type_ for (type_,) in found}):
        if type_ in RESOURCES:
            kept = (mapping.kept(type_) if mapping is not None else None) or RESOURCES[type_].kept
            con.execute(f"INSERT INTO {scratch}_row {_rows(source, type_, RESOURCES[type_], kept)}")
        elif type_ == "Patient":
            con.execute(f"INSERT INTO {scratch}_person {_persons(source)}")
        elif type_ in DEFINITIONS:
            con.execute(f"INSERT INTO {scratch}_definition {_definitions(source, type_)}")


def _rows(source: Source, type_: str, resource: Resource, kept: Iterable[str]) -> str:
    """SELECT the columns of `_row`: a resource with components is as many rows more."""
    read, part = source.read(type_, resource.shape), "0"
    if resource.has_parts:
        itself = ", ".join(f"{name} := r.{name}" for name in elements.MEASURED)
        read = f"""(SELECT *, unnest(range(1 + coalesce(len(r.component), 0))) AS part,
            unnest(list_concat([struct_pack({itself})], r.component)) AS v FROM {read})"""
        part = "part"
    listed = ", ".join(literal(one) for one in kept)
    said = f"{literal(resource.status_name)}, ' ', chr(39), {resource.status}, chr(39), ' of ', {literal(type_)}"
    refused = (
        f"CASE WHEN {resource.status} NOT IN ({listed or chr(39) * 2}) THEN concat({said}) "
        f"WHEN regexp_full_match({resource.time}, {literal(elements.PARTIAL_DATE)}) "
        "THEN 'the time is a year or a month, which is no day' END"
    )
    unread = " ".join(f"WHEN {found} IS NOT NULL THEN {literal(name)}" for name, found in resource.unread.items())
    return f"""SELECT file, {part}, source_row, {literal(type_)}, r.id, {resource.status}, {resource.patient},
            {patient_of(resource.patient)}, {resource.time}, {resource.end_time}, codes[1], codes[2:],
            {resource.value}, {resource.unit}, {resource.text}, {resource.route}, {resource.pointer},
            {refused}, {f"CASE {unread} END" if unread else "NULL"}
        FROM (SELECT *, {prefixed(resource.codes, literal(resource.prefix))} AS codes FROM {read})"""


def prefixed(codes: str, prefix: str) -> str:
    """Each code of a list with `prefix`, an expression, before it."""
    return f"list_transform({codes}, lambda c: {prefix} || c)"


def patient_of(reference: str) -> str:
    """The id that a reference to a Patient names: `Patient/1`, a URL that ends so, or `urn:uuid:...`; else NULL."""
    url = r"^(?:.*/)?Patient/([A-Za-z0-9.-]{1,64})(?:/_history/[^/]*)?$"
    urn = r"^urn:(?:uuid|oid):(.+)$"
    return (
        f"coalesce(nullif(regexp_extract(trim({reference}), {literal(url)}, 1), ''), "
        f"nullif(regexp_extract(trim({reference}), {literal(urn)}, 1), ''))"
    )


def _persons(source: Source) -> str:
    partial = literal(elements.PARTIAL_DATE)
    at = "nullif(trim(r.deceasedDateTime), '')"
    return f"""SELECT file, source_row, r.id, full_url, r.gender, r.birthDate,
            CASE WHEN regexp_full_match({at}, {partial}) THEN {at} WHEN r.deceasedBoolean = 'true' THEN 'true' END,
            CASE WHEN NOT regexp_full_match({at}, {partial}) THEN {at} END,
            len(list_filter(r.link, lambda k: k.type = 'replaced-by')) > 0
        FROM {source.read("Patient", elements.PATIENT_SHAPE)}"""


def _definitions(source: Source, type_: str) -> str:
    element = DEFINITIONS[type_]
    shape = {"id": "VARCHAR", element: elements.CONCEPT}
    return f"""SELECT file, {literal(type_ + "/")} || r.id, full_url, {systems.codes(f"r.{element}")}
        FROM {source.read(type_, shape)}"""

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
from timeline.ingest.mapping import Mapping
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
    "updated": "VARCHAR",
    "version": "VARCHAR",
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
    "identifiers": "VARCHAR[]",
    "updated": "VARCHAR",
    "version": "VARCHAR",
    "deceased_otherwise": "BOOLEAN",
}
DELETED = {
    "file": "UINTEGER",
    "source_row": "UBIGINT",
    "resource": "VARCHAR",
    "id": "VARCHAR",
    "updated": "VARCHAR",
}
"""Entries that delete a resource, as histories and transactions have them."""
DEFINITION = {
    "file": "UINTEGER",
    "source_row": "UBIGINT",
    "reference": "VARCHAR",
    "full_url": "VARCHAR",
    "codes": "VARCHAR[]",
    "updated": "VARCHAR",
    "version": "VARCHAR",
}
IDENTIFIED = "Patient?identifier="
"""Begins a subject that is an identifier, as FHIR writes conditional references: `SYSTEM|VALUE`, or the value alone."""
NO_REFERENCE = "the subject is no reference to a Patient"
IS_DELETION = "coalesce(upper(TRY(json_extract_string(s.json, '$.request.method'))) = 'DELETE', FALSE)"
UNIQUE = "https?://.*/Patient/[^/?#]+|(?i:urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
"""A fullUrl that names one resource alone, in whatever file."""
NO_PATIENT = ("Group", "Device", "Location")
"""What subjects are, by FHIR R4, beside Patients."""


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
            f"(SELECT s.file, s.source_row, s.full_url, s.json, {parsed} AS r FROM {self.relation} AS s "
            f"WHERE s.type = {literal(resource)})"
        )

    def no_list(self, path: str) -> str:
        """Whether something else than a list is at a path of a resource; its text is searched before it is parsed."""
        name = path.rpartition(".")[2]
        whole = "$.resource." if self.inside else "$."
        kind = f"json_type(json, {literal(whole + path)})"
        quoted = literal(f'"{name}"')
        return f"CASE WHEN contains(json, {quoted}) THEN {kind} NOT IN ('ARRAY', 'NULL') END"


def type_of(text: str, path: str) -> str:
    """The type of the resource in a text; empty where it says none, or where the text is no JSON."""
    return f"coalesce(TRY(json_extract_string({text}, {literal(path)})), '')"


def create(con: "Connection", scratch: str) -> None:
    """Make the tables, empty."""
    tables = {
        "row": ROW,
        "person": PERSON,
        "definition": DEFINITION,
        "deleted": DELETED,
        "seen": {"file": "UINTEGER", "type": "VARCHAR", "n": "BIGINT"},
    }
    for name, columns in tables.items():
        listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {scratch}_{name} ({listed})")


def extract(con: "Connection", scratch: str, source: Source, mapping: Mapping | None) -> None:
    """Fill the tables with the resources of `source`, type by type."""
    counted = f"SELECT file, type, count(*) FROM {source.relation} AS s GROUP BY file, type"
    found = con.execute(f"INSERT INTO {scratch}_seen {counted} RETURNING type").fetchall()
    for type_ in sorted({type_ for (type_,) in found}):
        if is_ignored(mapping, type_):
            continue
        if type_ in RESOURCES:
            kept = (mapping.kept(type_) if mapping is not None else None) or RESOURCES[type_].kept
            con.execute(f"INSERT INTO {scratch}_row {_rows(source, type_, RESOURCES[type_], kept)}")
        elif type_ == "Patient":
            con.execute(f"INSERT INTO {scratch}_person {_persons(source)}")
        elif not type_ and source.inside:
            con.execute(f"INSERT INTO {scratch}_deleted {_deletions(source)}")
        elif type_ in DEFINITIONS:
            con.execute(f"INSERT INTO {scratch}_definition {_definitions(source, type_)}")


def is_ignored(mapping: Mapping | None, type_: str) -> bool:
    """Whether the mapping leaves out the resources of a type."""
    table = mapping.table(type_) if mapping is not None and type_ else None
    return table is not None and table.ignore


def _rows(source: Source, type_: str, resource: Resource, kept: Iterable[str]) -> str:
    """SELECT the columns of `_row`: a resource with components is as many rows more."""
    found = dict(resource.unread)
    for path in resource.lists:
        # Of a resource, not once more of each of its components.
        found[f"{path.replace('[0]', '')} that is no list"] = f"part = 0 AND {source.no_list(path)}"
    unread = " ".join(f"WHEN {condition} THEN {literal(name)}" for name, condition in found.items())
    return f"""SELECT file, part, source_row, {literal(type_)}, r.id, {resource.status}, subject,
            {patient_of("subject")}, {resource.time}, {resource.end_time}, codes[1], codes[2:],
            {resource.value}, {resource.unit}, {resource.text}, {resource.route}, {resource.pointer},
            {_refused(type_, resource, kept)}, {f"CASE {unread} END" if unread else "NULL"},
            r.meta.lastUpdated, r.meta.versionId
        FROM (SELECT *, {prefixed(resource.codes, literal(resource.prefix))} AS codes,
            {_subject(resource.patient)} AS subject FROM {parts(source, type_, resource)})"""


def parts(source: Source, type_: str, resource: Resource) -> str:
    """The resources of a type, `part` being 0, and after each its components: what was measured is `v`."""
    read = source.read(type_, resource.shape)
    if not resource.has_parts:
        return f"(SELECT *, 0 AS part FROM {read})"
    itself = ", ".join(f"{name} := r.{name}" for name in elements.MEASURED)
    return f"""(SELECT *, unnest(range(1 + coalesce(len(r.component), 0))) AS part,
        unnest(list_concat([struct_pack({itself})], r.component)) AS v FROM {read})"""


def _refused(type_: str, resource: Resource, kept: Iterable[str]) -> str:
    """Why a row is not to be used, as its resource alone says it."""
    listed = ", ".join(literal(one.lower()) for one in kept)
    said = f"{literal(resource.status_name)}, ' ', chr(39), {resource.status}, chr(39), ' of ', {literal(type_)}"
    other = literal(f"(?:^|/)({'|'.join(NO_PATIENT)})/")
    kind = f"regexp_extract(subject, {other}, 1)"
    return (
        f"CASE WHEN lower({resource.status}) NOT IN ({listed or chr(39) * 2}) THEN concat({said}) "
        f"WHEN regexp_full_match({resource.time}, {literal(elements.PARTIAL_DATE)}) "
        "THEN 'the time is a year or a month, which is no day' "
        f"WHEN {patient_of('subject')} IS NOT NULL THEN NULL "
        "WHEN starts_with(subject, '#') THEN 'the subject is contained in the resource: nobody else can name it' "
        f"WHEN starts_with(subject, {literal(IDENTIFIED)}) THEN NULL "
        f"WHEN {kind} <> '' THEN concat('the subject is a ', {kind}, ', no Patient') "
        f"WHEN subject IS NOT NULL THEN {literal(NO_REFERENCE)} END"
    )


def _subject(reference: str) -> str:
    """The text of a Reference to a patient; an identifier alone as a conditional reference."""
    system = f"coalesce(nullif(trim({reference}.identifier.system), '') || '|', '')"
    value = f"nullif(trim({reference}.identifier.value), '')"
    return f"coalesce(nullif(trim({reference}.reference), ''), {literal(IDENTIFIED)} || {system} || {value})"


def prefixed(codes: str, prefix: str) -> str:
    """Each code of a list with `prefix`, an expression, before it."""
    return f"list_transform({codes}, lambda c: {prefix} || c)"


def patient_of(reference: str) -> str:
    """The id that a reference to a Patient names: `Patient/1`, a URL that ends so, or `urn:uuid:...`; else NULL."""
    url = r"^(?:.*/)?Patient/([^/?#]+)(?:/_history/[^/]*)?$"
    urn = r"^urn:(?:uuid|oid):(.+)$"
    return (
        f"coalesce(nullif(regexp_extract({reference}, {literal(url)}, 1), ''), "
        f"nullif(regexp_extract({reference}, {literal(urn)}, 1), ''))"
    )


def _persons(source: Source) -> str:
    partial = literal(elements.PARTIAL_DATE)
    at = "nullif(trim(r.deceasedDateTime), '')"
    value = f"{literal(IDENTIFIED)} || trim(k.value)"
    known = f"{literal(IDENTIFIED)} || nullif(trim(k.system), '') || '|' || trim(k.value)"
    # A Patient of a transaction is given its id later: until then its fullUrl names it, if it is one of its kind.
    named = f"CASE WHEN regexp_full_match(full_url, {literal(UNIQUE)}) THEN {patient_of('full_url')} END"
    return f"""SELECT file, source_row, coalesce(r.id, {named}), full_url, r.gender, r.birthDate,
            CASE WHEN regexp_full_match({at}, {partial}) THEN {at} WHEN r.deceasedBoolean = 'true' THEN 'true' END,
            CASE WHEN NOT regexp_full_match({at}, {partial}) THEN {at} END,
            len(list_filter(r.link, lambda k: k.type = 'replaced-by')) > 0,
            flatten(list_transform(r.identifier, lambda k: [{value}, {known}])), r.meta.lastUpdated, r.meta.versionId,
            CASE r.deceasedBoolean WHEN 'true' THEN FALSE WHEN 'false' THEN {at} IS NOT NULL
                ELSE r.deceasedBoolean IS NOT NULL END
        FROM {source.read("Patient", elements.PATIENT_SHAPE)}"""


def _definitions(source: Source, type_: str) -> str:
    element = DEFINITIONS[type_]
    shape = {**elements.IDENTITY, element: elements.CONCEPT}
    return f"""SELECT file, source_row, {literal(type_ + "/")} || r.id, full_url, {systems.codes(f"r.{element}")},
            r.meta.lastUpdated, r.meta.versionId
        FROM {source.read(type_, shape)}"""


def _deletions(source: Source) -> str:
    """SELECT the entries without a resource that delete one; when they did, if that is said."""
    named = literal(r"^(?:.*/)?([A-Z][A-Za-z]+)/([^/?#]+)(?:/_history/[^/]*)?$")
    url = "coalesce(json_extract_string(json, '$.request.url'), full_url)"
    return f"""SELECT file, source_row, regexp_extract({url}, {named}, 1), regexp_extract({url}, {named}, 2),
            json_extract_string(json, '$.response.lastModified')
        FROM {source.relation} AS s WHERE type = '' AND {IS_DELETION}"""

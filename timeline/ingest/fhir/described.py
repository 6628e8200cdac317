"""What an extract calls its codes: the words that a person needs to map them; knows no patient and no event."""

from pathlib import Path
from typing import TYPE_CHECKING

from timeline.ingest.fhir import elements, files, systems
from timeline.ingest.fhir.elements import DEFINITIONS, RESOURCES
from timeline.ingest.fhir.extract import Source, parts, prefixed
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

PREFIXES = tuple(dict.fromkeys(one.prefix for one in RESOURCES.values()))


def descriptions(con: "Connection", path: Path) -> dict[str, str]:
    """Code, as events have it -> what the extract's own codings call it."""
    listed = list(enumerate(files.found(path)))
    sources = [Source(files.lines(number, file), inside=False) for number, file in listed if files.is_lines(file)]
    if documents := [(number, file, file.name) for number, file in listed if not files.is_lines(file)]:
        files.documents(con, "ingest_described", documents)
        sources.append(Source("ingest_described", inside=True))
    found: dict[str, str] = {}
    for source in sources:
        for (type_,) in con.execute(f"SELECT DISTINCT type FROM {source.relation} AS s ORDER BY type").fetchall():
            if query := _named(source, type_):
                words = "nullif(trim(words), '')"
                rows = con.execute(f"""SELECT code, min({words}) FROM ({query})
                    WHERE code IS NOT NULL AND {words} IS NOT NULL GROUP BY code""").fetchall()
                found |= {code: words for code, words in rows if code not in found}
    con.execute("DROP TABLE IF EXISTS ingest_described")
    return found


def _named(source: Source, type_: str) -> str:
    """SELECT the codes of a type of resource with their words; empty where it has none."""
    if type_ in RESOURCES:
        one = RESOURCES[type_]
        codes = prefixed(one.codes, literal(one.prefix))
        return f"SELECT {codes}[1] AS code, {one.named} AS words FROM {parts(source, type_, one)}"
    if type_ not in DEFINITIONS:
        return ""
    element = DEFINITIONS[type_]
    read = source.read(type_, {element: elements.CONCEPT})
    before = ", ".join(literal(prefix) for prefix in PREFIXES)
    return f"""SELECT unnest([{before}]) || {systems.codes(f"r.{element}")}[1] AS code,
        {systems.words(f"r.{element}")} AS words FROM {read}"""

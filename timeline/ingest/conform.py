"""Does a source keep what its format declares? Every column that is read, judged by pandera; rejects no row.

A format says what it reads as records (`TABLES`, `Staged.reads`); here they become pandera schemas, and the outcome
of each promise, kept or not, a row of meta.conformance. Rows that cannot be used are `normalise`'s to set aside.
Knows columns and types; no concept.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline import validate
from timeline.ingest import parse
from timeline.ingest.parse import Source
from timeline.ingest.staged import Staged
from timeline.quote import literal, whole
from timeline.schema import CONFORMANCE, Field

if TYPE_CHECKING:
    import duckdb
    import pandera.polars as pa
    import polars as pl

    Connection = duckdb.DuckDBPyConnection

PRESENT, FILLED = "there", "filled"
"""Words of meta.conformance for a column that must be there, and must not be empty."""
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "FLOAT", "DOUBLE")  # fmt: skip

USUAL = ("____-__-__ __:__:__", "____-__-__ __:__", "____-__-__")
MOMENT = f"{parse.DATE}({parse.CLOCK}({parse.SHIFT})?)?"
NUMBER = f"{parse.BOUND}? *{parse.NUMBER}"
WRITTEN = {
    **dict.fromkeys(("TIMESTAMP", "DATE"), MOMENT),
    **dict.fromkeys(("DOUBLE", "FLOAT"), NUMBER),
    **dict.fromkeys(("BIGINT", "INTEGER", "SMALLINT", "UBIGINT", "UINTEGER"), r"[+-]?\d+(\.0*)?"),
}
"""Regular expressions of the text that can be read as a type."""


@dataclass(frozen=True)
class Outcome:
    """One promise about a column of a source: how many of `rows` break it."""

    source_file: str
    column: str
    check: str
    failures: int
    rows: int

    def __str__(self) -> str:
        if self.check == PRESENT:
            return f"{self.source_file}: column `{self.column}` is missing"
        return (
            f"{self.source_file}: column `{self.column}` is not {self.check} in {self.failures:,} of {self.rows:,} rows"
        )


def schemas(format: str, tables: Mapping[str, Sequence[Field]]) -> "dict[str, pa.DataFrameSchema]":
    """The pandera schema of each table of a format, for polars frames: is the text of a column readable as its type?

    Columns that may be empty may be missing, and columns that are not read are let pass.
    """
    import pandera.polars as pa

    made = {}
    for table, fields in tables.items():
        columns: dict[str, Any] = {
            field.name: pa.Column(
                checks=list(_written(field)), nullable=field.nullable, required=not field.nullable, name=field.name
            )
            for field in fields
        }
        made[table] = pa.DataFrameSchema(columns, name=f"{format}.{table}")
    return made


def _written(field: Field) -> "Iterator[pa.Check]":
    """How text that can be read as a column's type is written; of a type that anything is, nothing."""
    import pandera.polars as pa
    import polars as pl

    if field.type not in WRITTEN:
        return
    pattern = f"^(?:{WRITTEN[field.type]})$"

    def readable(data: "pa.PolarsData") -> "pl.LazyFrame":
        text = pl.col(data.key).cast(pl.String).str.strip_chars()
        return data.lazyframe.select(text.str.contains(pattern) | (text == ""))

    yield pa.Check(readable, error=f"readable as {field.type}")


def conform(con: "Connection", staged: Sequence[Staged]) -> tuple[Outcome, ...]:
    """Judge the columns that each source declares as read; keep every outcome in meta.conformance and return them."""
    found = tuple(outcome for group in _together(staged) for outcome in _judge_all(con, group))
    if found:
        # As one JSON value: tens of thousands of literals would take as many times as long.
        types = {field.name: field.type for field in CONFORMANCE}
        con.execute(
            "INSERT INTO meta.conformance SELECT unnest(from_json(?, ?), recursive := true)",
            [json.dumps([vars(one) for one in found]), json.dumps([types])],
        )
    return found


def _together(staged: Iterable[Staged]) -> list[list[Staged]]:
    """The sources that declare what they read, by the relation that holds their rows."""
    groups: dict[object, list[Staged]] = {}
    for one in staged:
        if one.reads:
            groups.setdefault(one.within[:2] if one.within else one.source_file, []).append(one)
    return list(groups.values())


def _judge_all(con: "Connection", group: Sequence[Staged]) -> Iterator[Outcome]:
    """Judge sources within one relation together; only those with a row that breaks a promise are judged apart."""
    first = group[0]
    if first.within is None or len(group) == 1:
        for one in group:
            yield from _judge(con, one.source_file, one.relation, one.reads)
        return
    relation, key, _ = first.within
    whole_relation = _judge(con, first.source_file, relation, first.reads)
    rows = dict(con.execute(f"SELECT {key} AS key, count(*) FROM {relation} AS r GROUP BY key").fetchall())
    broken = _broken(con, relation, key, first.reads) if any(one.failures for one in whole_relation) else set()
    for one in group:
        place = one.within[2] if one.within else None
        if place in broken:
            yield from _judge(con, one.source_file, one.relation, one.reads)
        else:
            n = rows.get(place, 0)
            yield from (Outcome(one.source_file, held.column, held.check, 0, n) for held in whole_relation)


def _broken(con: "Connection", relation: str, key: str, reads: Sequence[Field]) -> set[int]:
    """The values of `key` whose rows may break a promise: at least those that do."""
    texts, there, asked = _texts(con, relation, reads)
    wrong = [f"({sql}) IS NOT TRUE" for sql in asked.values()]
    wrong += [f"{whole(field.name)} IS NULL" for field in there if not field.nullable]
    wrong += ["TRUE" for field in reads if field not in there and not field.nullable]
    condition = " OR ".join(wrong) or "FALSE"
    listed = f"SELECT {key} AS ingest_key, {texts or '1'} FROM {relation} AS r"
    return {key for (key,) in con.execute(f"SELECT DISTINCT ingest_key FROM ({listed}) WHERE {condition}").fetchall()}


def warnings(found: Iterable[Outcome]) -> list[str]:
    """A sentence for each promise that is broken."""
    return [str(one) for one in found if one.failures]


def _texts(con: "Connection", relation: str, reads: Sequence[Field]) -> tuple[str, list[Field], dict[str, str]]:
    """The columns that are there as text, empty as NULL; their fields; and whether the text can be read, as SQL."""
    described = con.execute(f"DESCRIBE SELECT * FROM {relation} AS r").fetchall()
    types = {name: kind for name, kind, *_ in described}
    there = [field for field in reads if field.name in types]
    texts = ", ".join(
        f"{parse.text(Source(whole(field.name), types[field.name]))} AS {whole(field.name)}" for field in there
    )
    return texts, there, {field.name: sql for field in there if (sql := _reading(field, types[field.name]))}


def _judge(con: "Connection", source_file: str, relation: str, reads: Sequence[Field]) -> list[Outcome]:
    """The outcomes of one source."""
    texts, there, asked = _texts(con, relation, reads)
    missing = [field for field in reads if field not in there and not field.nullable]
    judged = f"(SELECT {texts or '1'} FROM {relation} AS r)"
    fields = [Field(field.name, "VARCHAR", field.meaning, field.nullable) for field in there]
    rows = con.execute(f"SELECT count(*) FROM {relation} AS r").fetchall()[0][0]
    failed = {
        (one.column or one.check, bool(one.column)): one.failures
        for one in (validate.validate(con, judged, fields, asked) if there else ())
    }

    def outcome(field: Field, check: str, failures: int) -> Outcome:
        return Outcome(source_file, field.name, check, failures, rows)

    found = [outcome(field, PRESENT, rows) for field in missing]
    for field in there:
        found.append(outcome(field, PRESENT, 0))
        if not field.nullable:
            found.append(outcome(field, FILLED, failed.get((field.name, True), 0)))
        if field.name in asked:
            found.append(outcome(field, f"readable as {field.type}", failed.get((field.name, False), 0)))
    return found


def _reading(field: Field, type: str) -> str:
    """Whether the column's text can be read as what it must be, as SQL; empty where its type says so already."""
    text, source = whole(field.name), Source(whole(field.name), type)
    if field.type in ("VARCHAR", type) or not source.is_text and (type in NUMBERS) == (field.type in NUMBERS):
        return ""
    if field.type in ("TIMESTAMP", "DATE"):
        any_spelling = f"{parse.time(Source(text, 'VARCHAR'), 'UTC')[1]} <> {parse.UNREADABLE}"
        # The usual spellings first: regular expressions over millions of times take many times as long.
        usual = " OR ".join(f"{text} LIKE {literal(shape)}" for shape in USUAL)
        return f"CASE WHEN ({usual}) AND TRY_CAST({text} AS TIMESTAMP) IS NOT NULL THEN TRUE ELSE {any_spelling} END"
    if field.type in ("DOUBLE", "FLOAT"):
        return f"{text} IS NULL OR {parse.number(text)} IS NOT NULL"
    return f"{text} IS NULL OR TRY_CAST({text} AS {field.type}) IS NOT NULL"

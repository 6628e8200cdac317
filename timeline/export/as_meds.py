"""Derived rows as a conform MEDS 0.4 data set, and declared labels; knows no rule by name.

A row is an event `timeline//RULE`, and one more `timeline//RULE//COLUMN` for each of its values, at the time of the row
(of a span: its start; of a fact: none). Truths are 0 and 1, words and times text. The columns `row`, `end_time` and
`unit` are beside those of the standard. Its numbers are floats of 32 bits: about seven digits.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import meds
from timeline.errors import UsageError
from timeline.export import Request, Written, persons, provenance
from timeline.export.dictionary import Table
from timeline.quote import identifier, literal
from timeline.schema import Field

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

KEYS = ("patient_id", "number", "time", "start_time", "end_time", "evidence")
"""Columns that say whose, when and why, not what."""
NUMBERS = ("DOUBLE", "FLOAT", "BIGINT", "INTEGER", "UBIGINT", "UINTEGER", "SMALLINT", "HUGEINT")
LABEL = re.compile(r"(\w+)\.(\w+)@(\w+)")
VALUES = {"BOOLEAN": "boolean_value", "DOUBLE": "float_value", "FLOAT": "float_value", "VARCHAR": "categorical_value"}
"""Type of a column -> the column of a label file; whole numbers are `integer_value`."""
CASTS = {"boolean_value": "BOOLEAN", "integer_value": "BIGINT", "float_value": "FLOAT", "categorical_value": "VARCHAR"}


def prepare(con: "Connection", request: Request, known: Mapping[str, Table]) -> None:
    """Raise UsageError for a label that the tables do not have."""
    for text in request.labels:
        _label(text, known)


def write(
    con: "Connection", folder: Path, request: Request, known: Mapping[str, Table]
) -> tuple[tuple[Written, ...], tuple[str, ...]]:
    """Write data/0.parquet, metadata/ and labels/."""
    tables = [known[name] for name in request.tables]
    labels = [_label(text, known) for text in request.labels]
    kept = persons.number(con)
    for name in ("data", "metadata", *(["labels"] if labels else [])):
        (folder / name).mkdir(exist_ok=True)
    rows = " UNION ALL ".join(f"({select})" for table in tables for select in _selects(table))
    written = [
        _copy(con, f'{rows} ORDER BY subject_id, "time" NULLS FIRST, code, row', folder, "data/0.parquet"),
        _copy(con, f"{_codes(tables)} ORDER BY code", folder, "metadata/codes.parquet"),
        _copy(con, "SELECT number AS subject_id, CAST(patient_id AS VARCHAR) AS patient_id FROM export_person "
              "ORDER BY subject_id", folder, "metadata/subject_ids.parquet"),
    ]  # fmt: skip
    notes = (
        [] if kept else ["patient ids are no whole numbers: metadata/subject_ids.parquet says whose number is whose"]
    )
    for table, column, time in labels:
        one, said = _write_label(con, folder, table, column, time)
        written.append(one)
        notes += said
    (folder / "metadata" / "dataset.json").write_text(
        json.dumps(_about(provenance.engine_of(con)), indent=2) + "\n", encoding="utf-8"
    )
    return (*written, Written("metadata/dataset.json", 1)), tuple(notes)


def _about(version: str) -> dict[str, object]:
    return {
        "dataset_name": "derived tables of a study",
        "etl_name": "timeline export",
        "etl_version": version,
        "meds_version": meds.VERSION,
        "code_modifier_columns": ["unit"],
        "other_extension_columns": ["end_time", "row"],
    }


def _selects(table: Table) -> Iterator[str]:
    """One SELECT for the rows of a table, and one for each column with something to say."""
    yield _select(table, f"timeline//{table.name}", "NULL", "NULL", None, "TRUE")
    for field in table.fields:
        if field.name in KEYS or field.type.endswith("[]"):
            continue
        column = f"t.{identifier(field.name)}"
        number = (
            column if field.type in NUMBERS else f"CAST({column} AS INTEGER)" if field.type == "BOOLEAN" else "NULL"
        )
        text = "NULL" if number != "NULL" else f"CAST({column} AS VARCHAR)"
        yield _select(table, f"timeline//{table.name}//{field.name}", number, text, field.unit, f"{column} IS NOT NULL")


def _select(table: Table, code: str, number: str, text: str, unit: str | None, condition: str) -> str:
    times = [name for name in ("time", "start_time") if name in table.columns]
    at = f"t.{identifier(times[0])}" if times else "NULL"
    end = "t.end_time" if "end_time" in table.columns else "NULL"
    row = "t.number" if "number" in table.columns else "NULL"
    return f"""SELECT p.number AS subject_id, CAST({at} AS TIMESTAMP) AS "time", {literal(code)} AS code,
        CAST({number} AS FLOAT) AS numeric_value, CAST({text} AS VARCHAR) AS text_value,
        CAST({literal(unit)} AS VARCHAR) AS unit, CAST({end} AS TIMESTAMP) AS end_time, CAST({row} AS BIGINT) AS row
        FROM {identifier(table.name)} AS t JOIN export_person AS p ON p.patient_id = t.patient_id WHERE {condition}"""


def _codes(tables: Sequence[Table]) -> str:
    """SELECT every code that may occur, what it means, and the code of the rows that it is a value of."""
    rows = []
    for table in tables:
        code = f"timeline//{table.name}"
        rows.append((code, table.title, "[]"))
        for field in table.fields:
            if field.name not in KEYS and not field.type.endswith("[]"):
                unit = f" [{field.unit}]" if field.unit else ""
                rows.append((f"{code}//{field.name}", f"{table.title}: {field.meaning}{unit}", f"[{literal(code)}]"))
    values = ", ".join(f"({literal(code)}, {literal(said)}, CAST({up} AS VARCHAR[]))" for code, said, up in rows)
    return f"SELECT * FROM (VALUES {values}) AS c(code, description, parent_codes)"


def _label(text: str, known: Mapping[str, Table]) -> tuple[Table, Field, str]:
    """The table, the column and the column of the prediction time that `RULE.COLUMN@TIME_COLUMN` means."""
    match = LABEL.fullmatch(text)
    if match is None:
        raise UsageError(f"--label {text}: write RULE.COLUMN@TIME_COLUMN, such as my_rule.answered@start_time")
    rule, column, time = match.groups()
    if rule not in known:
        raise UsageError(f"--label {text}: there is no table `{rule}`")
    fields = {field.name: field for field in known[rule].fields}
    missing = [name for name in (column, time) if name not in fields]
    if missing:
        raise UsageError(f"--label {text}: `{rule}` has no column `{missing[0]}`; it has {', '.join(fields)}")
    if fields[time].type not in ("TIMESTAMP", "DATE"):
        raise UsageError(f"--label {text}: `{time}` is no time; its type is {fields[time].type}")
    if fields[column].type not in (*VALUES, *NUMBERS):
        raise UsageError(
            f"--label {text}: `{column}` is a {fields[column].type}; a label is a truth, a number or a word"
        )
    return known[rule], fields[column], time


def _write_label(con: "Connection", folder: Path, table: Table, column: Field, time: str) -> tuple[Written, list[str]]:
    value = VALUES.get(column.type, "integer_value")
    name = f"{table.name}.{column.name}@{time}"
    at, what = f"t.{identifier(time)}", f"t.{identifier(column.name)}"
    source = f"{identifier(table.name)} AS t JOIN export_person AS p ON p.patient_id = t.patient_id"
    known = f"{at} IS NOT NULL AND {what} IS NOT NULL"
    select = f"""SELECT p.number AS subject_id, CAST({at} AS TIMESTAMP) AS prediction_time,
        CAST({what} AS {CASTS[value]}) AS {value} FROM {source} WHERE {known}
        ORDER BY subject_id, prediction_time, {value}"""
    one = _copy(con, select, folder, f"labels/{name}.parquet")
    notes = []
    left = con.execute(f"SELECT count(*) FROM {source} WHERE NOT ({known})").fetchall()[0][0]
    if left:
        notes.append(f"label {name}: rows without a value or a time, and so without a label: {left}")
    if "evidence" in table.columns:
        later = f'SELECT 1 FROM meta.event AS e WHERE list_contains(t.evidence, e.event_id) AND e."time" > {at}'
        ahead = con.execute(f"""SELECT count(*) FROM {source} WHERE {known} AND EXISTS (
            {later} AND e.patient_id = t.patient_id)""").fetchall()[0][0]
        notes.append(f"label {name}: {ahead} of {one.rows} rest on events after their prediction time")
    return one, notes


def _copy(con: "Connection", select: str, folder: Path, file: str) -> Written:
    return Written(file, meds.write(con, select, folder / file))

"""The data dictionary of an export: each table and column in words, for programs (CSV) and people; reads no patient."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import engine, schema
from timeline.compiler import compile_rules
from timeline.schema import Field

if TYPE_CHECKING:
    import duckdb

SOURCES = ("patient", "event")
"""Tables that are read, not derived: written where they are asked for."""
HEADER = ("table", "column", "type", "unit", "meaning", "one_of", "nullable", "source", "title")
CONVENTIONS = """\
Times are in the clock of the study, without an offset. NULL means not known, never no.
`patient_id` and `number` tell the rows of a derived table apart; `evidence` lists the `event_id` of every event that
a row rests on (table `event`, written with `--tables event`).
"""
CSV_CONVENTIONS = """\
In CSV a NULL is an empty cell and an empty text is `""`; lists are JSON; truths are `true` and `false`; numbers have
all their digits. DuckDB reads a file exactly with `read_csv('FILE', all_varchar = true, allow_quoted_nulls = false)`
and casts to the types below.
"""
BY_FORM = {
    "csv": CSV_CONVENTIONS,
    "meds": "The events of `data/` are rows of the tables below: `timeline//TABLE`, `timeline//TABLE//COLUMN`.\n",
    "omop": "Episodes and cohorts are the spans of the tables below; for their other columns the model has no place.\n",
}


@dataclass(frozen=True)
class Table:
    """A table as the study has it."""

    name: str
    kind: str
    """moments, spans or facts; empty for what was read."""
    title: str
    source: str
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def described(con: "duckdb.DuckDBPyConnection") -> dict[str, Table]:
    """Return the derived tables in the order in which they were derived, then patient and event."""
    ruleset, overrides = engine.last_run(con)
    declared = {one.name: one.fields for one in compile_rules(ruleset, overrides)}
    rows = con.execute("SELECT rule, kind, coalesce(title, ''), coalesce(source, '') FROM meta.rule ORDER BY rowid")
    found = [
        Table(name, kind, title, source, _fields(con, name, declared.get(name, ())))
        for name, kind, title, source in rows.fetchall()
    ]
    found += [
        Table("patient", "", "Patients", "the extract", _fields(con, "patient", schema.PATIENT)),
        Table("event", "", "Events, with the day since the index", "the extract", _fields(con, "event", schema.EVENT)),
    ]
    return {one.name: one for one in found}


def _fields(con: "duckdb.DuckDBPyConnection", table: str, declared: Sequence[Field]) -> tuple[Field, ...]:
    """The columns that the table has, described as they were declared, else as the file's comments say."""
    known = {field.name: field for field in declared}
    rows = con.execute(
        "SELECT column_name, data_type, coalesce(comment, '') FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND database_name = current_database() AND table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    fields = []
    for name, kind, comment in rows:
        said = known.get(name, Field(name, kind, comment))
        kind = "VARCHAR" if kind.startswith("ENUM") else kind
        fields.append(Field(name, kind, said.meaning, said.nullable, said.unit, said.one_of, said.between))
    return tuple(fields)


def write(folder: Path, tables: Sequence[Table], origin: Mapping[str, Any], form: str) -> None:
    """Write dictionary.csv and README.md."""
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for table in tables:
            writer.writerows(_row(table, field) for field in table.fields)
    (folder / "README.md").write_text(_page(tables, origin, form), encoding="utf-8")


def _row(table: Table, field: Field) -> tuple[str, ...]:
    listed = " | ".join(field.one_of)
    nullable = "yes" if field.nullable else "no"
    said = (field.name, field.type, field.unit or "", field.meaning, listed, nullable)
    return (table.name, *said, table.source, table.title)


def _page(tables: Sequence[Table], origin: Mapping[str, Any], form: str) -> str:
    real = {"true": "**Synthetic data: no real patient.**", "partly": "**Partly synthetic data.**"}
    lines = [f"# {origin['title'] or 'Export of a study'}", "", real.get(origin["synthetic"], "Data of real patients.")]
    facts = ("derived_by", "ruleset", "ruleset_version", "ruleset_hash", "run", "run_started_utc", "clock")
    lines += ["", *(f"- {name.replace('_', ' ')}: {origin[name]}" for name in facts)]
    changed = [f"`{name}` = {value}" for name, value in sorted(origin["parameters"].items())]
    lines += [f"- parameters: {', '.join(changed) or 'none'}", "", CONVENTIONS, BY_FORM.get(form, "")]
    for table in tables:
        lines += [f"## {table.name}", "", table.title + (f". Source: {table.source}" if table.source else ""), ""]
        lines += ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
        for field in table.fields:
            allowed = f" (one of {', '.join(field.one_of)})" if field.one_of else ""
            cells = (field.name, field.type, field.unit or "", field.meaning + allowed)
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)

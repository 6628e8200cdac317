"""The tables of a study: the only place where the engine's columns and types are written.

Records, not pandera models, because importing pandera costs over a second: `pandera_schema` builds
the model from the same records where data are validated. Knows no file and no connection.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A column: its DuckDB type, what it means, whether it may be NULL, and its unit."""

    name: str
    type: str
    meaning: str
    nullable: bool = True
    unit: str | None = None
    one_of: tuple[str, ...] = ()
    between: tuple[float | None, float | None] | None = None


PATIENT_KEY = "patient_key"
"""The ENUM of patient ids: sorts like an integer, reads like text. A study makes it anew when patients are added."""

PATIENT = (
    Field("patient_id", PATIENT_KEY, "the patient's id in the extract", nullable=False),
    Field("sex", "VARCHAR", "F or M; another word stands as its source has it"),
    Field("birth_date", "DATE", "date of birth"),
    Field("birth_year", "BIGINT", "year of birth, also where the day is not known"),
)

EVENT = (
    Field("event_id", "UBIGINT", "stable id: the same extract gives the same ids", nullable=False),
    Field("patient_id", PATIENT_KEY, "whose event it is", nullable=False),
    Field("time", "TIMESTAMP", "when, in the study's clock; NULL for static facts"),
    Field("end_time", "TIMESTAMP", "when it ended, for infusions and stays"),
    Field("concept", "VARCHAR", "the concept its code is mapped to; NULL where unmapped"),
    Field("value", "DOUBLE", "the number, in the concept's canonical unit"),
    Field("unit", "VARCHAR", "the unit of `value`, UCUM"),
    Field("bound", "VARCHAR", "set where the value is only a bound", one_of=("<", "<=", ">", ">=")),
    Field("text", "VARCHAR", "the value's words, in lower case where the concept lists its words"),
    Field("route", "VARCHAR", "route of administration, in lower case"),
    Field("code", "VARCHAR", "the source's code", nullable=False),
    Field("source_value", "VARCHAR", "the value as written in the source"),
    Field("source_unit", "VARCHAR", "the unit as written in the source"),
    Field("source_file", "VARCHAR", "the file it came from", nullable=False),
    Field("source_row", "UBIGINT", "the row in that file, the first data row being 1", nullable=False),
    Field("date_only", "BOOLEAN", "the time was a bare date, read as midnight", nullable=False),
    Field("implausible", "BOOLEAN", "outside the concept's plausible range: no observation for rules", nullable=False),
)

CONCEPT = (
    Field("concept", "VARCHAR", "name", nullable=False),
    Field("title", "VARCHAR", "in words"),
    Field("unit", "VARCHAR", "canonical unit, UCUM"),
    Field("low", "DOUBLE", "lowest plausible value"),
    Field("high", "DOUBLE", "highest plausible value"),
    Field("typical_low", "DOUBLE", "most values of most patients are at least this"),
    Field("typical_high", "DOUBLE", "most values of most patients are at most this"),
    Field("conversions", "VARCHAR", "factors from further units to `unit`, JSON", nullable=False),
    Field("molar_mass", "DOUBLE", "in g/mol: with it amounts of substance and masses are converted", unit="g/mol"),
    Field("members", "VARCHAR[]", "for a group: the concepts it stands for", nullable=False),
    Field("static", "BOOLEAN", "a baseline fact: its time may be empty", nullable=False),
    Field("words", "VARCHAR[]", "the words that its events may say, in lower case; empty: any", nullable=False),
)

CONCEPT_CODE = (
    Field("concept", "VARCHAR", "name", nullable=False),
    Field("code", "VARCHAR", "VOCABULARY/code, or the source's own", nullable=False),
    Field("origin", "VARCHAR", "value set, or the mapping file that says so", nullable=False),
)

SOURCE = (
    Field("source_file", "VARCHAR", "path inside the extract", nullable=False),
    Field("sha256", "VARCHAR", "of the file's bytes", nullable=False),
    Field("format", "VARCHAR", "native, meds, omop or fhir", nullable=False),
    Field("rows_read", "UBIGINT", "= loaded + duplicate + rejected", nullable=False),
    Field("rows_loaded", "UBIGINT", "became events, patients or facts", nullable=False),
    Field("rows_duplicate", "UBIGINT", "equal in every column to an earlier row", nullable=False),
    Field("rows_rejected", "UBIGINT", "in meta.rejected, each with its reason", nullable=False),
    Field("loaded_at", "TIMESTAMP", "when it was ingested (UTC)", nullable=False),
    Field("mapping", "VARCHAR", "the mapping file applied, with the start of its hash; NULL for none"),
)

CODE = (
    Field("mapping", "VARCHAR", "the mapping file applied, with the start of its hash; empty for none", nullable=False),
    Field("code", "VARCHAR", "the source's code", nullable=False),
    Field("source_unit", "VARCHAR", "a unit it occurs with; empty for none", nullable=False),
    Field("key", "VARCHAR", "what is looked up: the code, or what the mapping takes out of it", nullable=False),
    Field("parents", "VARCHAR[]", "codes of vocabularies that the extract's metadata gives", nullable=False),
    Field("levels", "BIGINT[]", "how far each of these is; empty: each farther than the one before", nullable=False),
    Field("named", "VARCHAR", "the concept that the mapping names, in force or not"),
    Field("concept", "VARCHAR", "the concept in force; NULL where unmapped"),
    Field("unit", "VARCHAR", "the unit its values are stored in"),
    Field("factor", "DOUBLE", "value * factor + offset is the value in `unit`", nullable=False),
    Field("offset", "DOUBLE", "value * factor + offset is the value in `unit`", nullable=False),
    Field("low", "DOUBLE", "lowest plausible value"),
    Field("high", "DOUBLE", "highest plausible value"),
    Field("words", "BOOLEAN", "the concept lists its words: they are stored in lower case", nullable=False),
    Field("static", "BOOLEAN", "the time may be empty", nullable=False),
    Field("reject", "VARCHAR", "why the concept can hold none of its rows: it does not convert the unit"),
)

PATIENT_FACT = (
    Field("patient_id", "VARCHAR", "the patient's id in the extract", nullable=False),
    Field("sex", "VARCHAR", "as this row says; F or M where its word is known"),
    Field("birth_date", "DATE", "as this row says"),
    Field("birth_year", "BIGINT", "as this row says, or the year of its date"),
    Field("source_file", "VARCHAR", "the file it came from", nullable=False),
    Field("source_row", "UBIGINT", "the row in that file, the first data row being 1", nullable=False),
)

REJECTED = (
    Field("source_file", "VARCHAR", "path inside the extract", nullable=False),
    Field("source_row", "UBIGINT", "the row in that file, the first data row being 1", nullable=False),
    Field("reason", "VARCHAR", "why the row could not be used", nullable=False),
    Field("raw", "VARCHAR", "the row as read, JSON", nullable=False),
)

NEXT = {
    "concept": "the concept that cannot hold it",
    "value": "a number, computed again from `source_value` where a concept can hold it",
    "unit": "of `value`; NULL where none was read",
}
UNFIT = tuple(
    Field(f.name, "VARCHAR" if f.type == PATIENT_KEY else f.type, NEXT.get(f.name, f.meaning), nullable=f.nullable)
    for f in EVENT
)
"""Rejected rows that another definition of their concept can hold: they are events again as soon as it does."""

STUDY = (
    Field("name", "VARCHAR", "of the setting", nullable=False),
    Field(
        "value",
        "VARCHAR",
        "its value: time zone, format version, rule set of the last run, …",
        nullable=False,
    ),
)

RULE = (
    Field("run", "VARCHAR", "the run's id", nullable=False),
    Field("rule", "VARCHAR", "name of the rule and of its table", nullable=False),
    Field("operator", "VARCHAR", "from, grade, episodes, pairs or sql", nullable=False),
    Field("kind", "VARCHAR", "moments, spans or facts", nullable=False),
    Field("title", "VARCHAR", "what it derives"),
    Field("source", "VARCHAR", "paper or guideline"),
    Field("definition", "VARCHAR", "the rule, JSON", nullable=False),
    Field("sql", "VARCHAR", "the SELECT that ran", nullable=False),
    Field("hash", "VARCHAR", "of its meaning: rule, parameters, concepts and rules it reads", nullable=False),
    Field("rows", "UBIGINT", "rows derived", nullable=False),
    Field("patients", "UBIGINT", "patients with a row", nullable=False),
    Field("rows_date_only", "UBIGINT", "rows that rest on a bare date, see meta.day_precision", nullable=False),
    Field("seconds", "DOUBLE", "time it took", nullable=False),
    Field("notes", "VARCHAR[]", "concepts, windows and levels that matched nothing", nullable=False),
)

RUN = (
    Field("run", "VARCHAR", "id: of rule set, parameters and data", nullable=False),
    Field("ruleset", "VARCHAR", "name of the rule set", nullable=False),
    Field("ruleset_version", "VARCHAR", "its version", nullable=False),
    Field("ruleset_hash", "VARCHAR", "of all its rules", nullable=False),
    Field("params", "VARCHAR", "parameters in force, JSON", nullable=False),
    Field("timeline_version", "VARCHAR", "of the engine", nullable=False),
    Field("duckdb_version", "VARCHAR", "of the database", nullable=False),
    Field("started_at", "TIMESTAMP", "UTC", nullable=False),
    Field("seconds", "DOUBLE", "time it took", nullable=False),
)

CLAUSE = (
    Field("run", "VARCHAR", "the run's id", nullable=False),
    Field("rule", "VARCHAR", "whose clause it is", nullable=False),
    Field("position", "INTEGER", "1, 2, … in the rule, in the order in which its clauses are asked", nullable=False),
    Field("kind", "VARCHAR", "what it is", nullable=False, one_of=("where", "lookup", "step", "condition", "check")),
    Field("clause", "VARCHAR", "a lookup's column, a step's name, or its place and words", nullable=False),
    Field("asked_of", "VARCHAR", "whose rows were asked: of a relation it reads, or of the rule", nullable=False),
    Field("rows_true", "UBIGINT", "rows that made it true", nullable=False),
    Field("rows_false", "UBIGINT", "rows that made it false", nullable=False),
    Field("rows_unknown", "UBIGINT", "rows that left it unknown", nullable=False),
    Field("rows_left", "UBIGINT", "of terms of `where` and steps: rows for which it and those before it hold"),
    Field("patients_left", "UBIGINT", "patients of those rows"),
)

VERDICT = (
    Field("run", "VARCHAR", "the run's id", nullable=False),
    Field("rule", "VARCHAR", "whose row it is", nullable=False),
    Field("patient_id", PATIENT_KEY, "whose row it is", nullable=False),
    Field("number", "INTEGER", "the row, with patient_id", nullable=False),
    Field("analyte", "VARCHAR", "of a pair: the analyte"),
    Field("clause", "VARCHAR", "the lookup or step, as in meta.clause", nullable=False),
    Field(
        "outcome",
        "VARCHAR",
        "found or holds, not, or not to be known",
        nullable=False,
        one_of=("true", "false", "unknown"),
    ),
    Field("reason", "VARCHAR", "why it is not true", one_of=("not_found", "out_of_window", "wrong_value", "unknown")),
    Field(
        "margin",
        "DOUBLE",
        "out_of_window: hours from the window to the nearest row; wrong_value: how far a number "
        "is from the constant it is compared with",
    ),
)

DAY_PRECISION = (
    Field("run", "VARCHAR", "the run's id", nullable=False),
    Field("rule", "VARCHAR", "whose row it is", nullable=False),
    Field("patient_id", PATIENT_KEY, "whose row it is", nullable=False),
    Field("number", "INTEGER", "the row, with patient_id", nullable=False),
    Field("events", "UBIGINT", "events of its evidence whose time was a bare date, read as midnight", nullable=False),
)

CONFORMANCE = (
    Field("source_file", "VARCHAR", "path inside the extract", nullable=False),
    Field("column", "VARCHAR", "a column of it that is read", nullable=False),
    Field("check", "VARCHAR", "what is asked of the column's values", nullable=False),
    Field("failures", "UBIGINT", "rows that break it; 0: it holds", nullable=False),
    Field("rows", "UBIGINT", "rows asked", nullable=False),
)

TABLES = {
    "patient": PATIENT,
    "meta.event": EVENT,
    "concept": CONCEPT,
    "concept_code": CONCEPT_CODE,
    "meta.source": SOURCE,
    "meta.code": CODE,
    "meta.patient_fact": PATIENT_FACT,
    "meta.rejected": REJECTED,
    "meta.unfit": UNFIT,
    "meta.study": STUDY,
    "meta.rule": RULE,
    "meta.run": RUN,
    "meta.clause": CLAUSE,
    "meta.verdict": VERDICT,
    "meta.day_precision": DAY_PRECISION,
    "meta.conformance": CONFORMANCE,
}


def ddl(table: str) -> str:
    """The CREATE TABLE statement of one of `TABLES`."""
    columns = ", ".join(f'"{f.name}" {f.type}{"" if f.nullable else " NOT NULL"}' for f in TABLES[table])
    return f"CREATE TABLE IF NOT EXISTS {table} ({columns})"

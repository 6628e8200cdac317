"""Questions of finished tables: load the files of a folder, check them as rules are checked, run them, read-only.

Knows headers, DuckDB's parse tree and frames; must not know what a query asks, nor write anything to a study.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb

from timeline import header, printing, rules, select, store
from timeline.errors import Finding, Findings, StudyError, UsageError
from timeline.header import Query

if TYPE_CHECKING:
    import polars

ENDINGS = (".csv", ".parquet", ".json")
"""Files for programs: the columns as they are."""
PATIENT = "patient"
"""The parameter that is a patient's id, where it has no default."""
Value = float | int | bool | str | datetime.timedelta


def load_queries(folder: Path) -> dict[str, Query]:
    """Return the queries of `folder` by name, sorted; raise Findings with all mistakes of all files."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no folder of queries here")
    if not any(folder.glob("*.sql")):
        raise UsageError(f"{folder}: no query is in this folder; a query is a file NAME.sql, see queries/README.md")
    queries: dict[str, Query] = {}
    findings: list[Finding] = []
    with duckdb.connect() as parser:
        for path in sorted(folder.glob("*.sql")):
            parsed = header.parse(path)
            if isinstance(parsed, list):
                findings += parsed
            else:
                queries[parsed.name] = parsed
                findings += check_query(parsed, parser=parser)
    if findings:
        raise Findings(findings, f"{folder}: the queries have mistakes")
    return queries


def open_read_only(path: Path | str) -> duckdb.DuckDBPyConnection:
    """Return a connection to the study at `path` that can neither write nor see any other file."""
    con = store.connect(path, read_only=True)
    con.execute("SET python_enable_replacements = false")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def check_query(
    query: Query, con: duckdb.DuckDBPyConnection | None = None, parser: duckdb.DuckDBPyConnection | None = None
) -> list[Finding]:
    """Return what is wrong with `query`; with `con`, also whether it binds there and returns what it says.

    Relations that the study of `con` does not have are no mistake of the query: see `missing_relations`.
    """
    findings = [Finding(query.file, text) for text in _sql_mistakes(query, parser) + _header_mistakes(query)]
    if con is not None and not findings and not missing_relations(con, query):
        findings += [Finding(query.file, text) for text in _binding_mistakes(con, query)]
    return findings


def missing_relations(con: duckdb.DuckDBPyConnection, query: Query) -> tuple[str, ...]:
    """The relations that `query` reads and the study does not have."""
    rows = con.execute(
        "SELECT CASE WHEN schema_name = 'main' THEN name ELSE schema_name || '.' || name END FROM ("
        "SELECT schema_name, table_name AS name FROM duckdb_tables() "
        "UNION ALL SELECT schema_name, view_name FROM duckdb_views())"
    ).fetchall()
    known = {name for (name,) in rows}
    return tuple(name for name in query.reads if name not in known)


def run_query(
    con: duckdb.DuckDBPyConnection, query: Query, params: Mapping[str, str] | None = None
) -> "polars.DataFrame":
    """Return the rows of `query` with `params` (texts, by name) in place of its defaults.

    Raises UsageError for a parameter that is unknown, missing or of another kind, or a patient that the study does not
    have, StudyError where the study lacks a relation.
    """
    values = parameters(query, params or {})
    if PATIENT in values and query.params[PATIENT].default is None:
        refuse_stranger(con, str(values[PATIENT]))
    try:
        return frame_of(con, query.sql, values, f"query {query.name}")
    except UsageError:
        # Asked only now: DuckDB lists its tables in 10 ms, which a query of a patient's page takes less than.
        absent = missing_relations(con, query)
        if not absent:
            raise
    raise StudyError(
        f"query {query.name} reads {', '.join(absent)}, and this study has no such table; "
        "`timeline run` with rules that derive it makes one"
    )


def refuse_stranger(con: duckdb.DuckDBPyConnection, patient: str) -> None:
    """Raise UsageError where the study has no patient of this id."""
    if not con.execute("SELECT count(*) FROM patient WHERE patient_id = ?", [patient]).fetchall()[0][0]:
        raise UsageError(f"there is no patient `{patient}` in this study; ids are text, as the extract writes them")


def remark(con: duckdb.DuckDBPyConnection) -> str:
    """Return what every output of this study must say of it: that it is synthetic, or out of date; else nothing."""
    found = con.execute("SELECT value FROM meta.study WHERE name = 'synthetic'").fetchall()
    said = []
    if found:
        partly = found[0][0] == "partly"
        said.append(
            "Partly synthetic data: some of these patients are not real."
            if partly
            else "Synthetic data: no real patient."
        )
    if outdated(con):
        said.append("The derived tables are older than the latest ingest; derive them anew with `timeline run`.")
    return " ".join(said)


def outdated(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether an extract was ingested after the rules last ran."""
    return con.execute(
        "SELECT coalesce((SELECT max(loaded_at) FROM meta.source) > (SELECT max(started_at) FROM meta.run), FALSE)"
    ).fetchall()[0][0]


def one_off(con: duckdb.DuckDBPyConnection, sql: str) -> "polars.DataFrame":
    """Return the rows of one SELECT; raise UsageError for anything else, or for what reads outside the study."""
    relations_read(sql)
    return frame_of(con, sql, {}, "the query")


def relations_read(sql: str) -> frozenset[str]:
    """Return the relations that one SELECT reads; raise UsageError for anything else, or what leaves the study."""
    tree = select.tree_of(sql)
    mistakes = select.mistakes_of(tree)
    if mistakes:
        raise UsageError("; ".join(mistakes))
    return frozenset(select.relations(tree))


def parameters(query: Query, given: Mapping[str, str]) -> dict[str, Value]:
    """The value of each parameter of `query`, typed by its spelling as parameters of rules are.

    Raises UsageError with all that is unknown, missing or of another kind.
    """
    wrong = [_unknown_parameter(query, name) for name in sorted(set(given) - set(query.params))]
    absent = [name for name, param in query.params.items() if param.default is None and name not in given]
    if absent:
        meanings = "; ".join(f"{name} ({query.params[name].meaning})" for name in absent)
        wrong.append(f"query {query.name} needs a value for {meanings}; write --set {absent[0]}=VALUE")
    values: dict[str, Value] = {}
    for name, param in query.params.items():
        text = given.get(name, param.default) or ""
        kind = rules.kind_of(param.default) if param.default is not None else "text"
        if kind == "text":
            # A parameter without a default is a text: a patient's id `000008` is not the number 8.
            values[name] = _typed(text) if param.default is not None and rules.kind_of(text) == kind else text
        elif rules.kind_of(text) != kind:
            wrong.append(f"query {query.name}: `{name}` is a {kind}, such as {param.default}")
        else:
            values[name] = _typed(text)
    if wrong:
        raise UsageError("\n".join(wrong))
    return values


def _unknown_parameter(query: Query, name: str) -> str:
    known = ", ".join(query.params) or "none"
    hint = printing.did_you_mean(name, query.params)
    tail = f"{hint} Its parameters are: {known}" if hint else f"; its parameters are: {known}"
    return f"query {query.name} has no parameter {name}{tail}"


def render(frame: "polars.DataFrame", how: Literal["table", "csv", "json"] = "table") -> str:
    """Return `frame` as text: columns for reading, no number rounded, CSV (missing is empty) or JSON (null)."""
    if how == "csv":
        return _flat(frame).write_csv()
    if how == "json":
        return printing.as_json(frame.to_dicts())
    return printing.table(frame.columns, frame.rows(), exact=True)


def write(frame: "polars.DataFrame", path: Path) -> None:
    """Write `frame` to `path` as its suffix says: .csv, .parquet or .json; raise UsageError for another."""
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: write a name that ends in .csv, .parquet or .json")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: this is no file; name one to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        path.write_text(render(frame, "csv" if path.suffix == ".csv" else "json"), encoding="utf-8")


def _flat(frame: "polars.DataFrame") -> "polars.DataFrame":
    """Lists as `1 2 3`, since CSV has none."""
    import polars

    return frame.with_columns(polars.col(polars.List).list.eval(polars.element().cast(polars.String)).list.join(" "))


def _typed(text: str) -> Value:
    match rules.kind_of(text):
        case "duration":
            return datetime.timedelta(minutes=rules.minutes(text) or 0)
        case "number":
            return int(text) if text.lstrip("-").isdigit() else float(text)
        case "boolean":
            return text == "true"
        case _:
            return text


def frame_of(con: duckdb.DuckDBPyConnection, sql: str, values: dict[str, Value], what: str) -> "polars.DataFrame":
    """Return the rows of a SELECT that has been checked; `what` names it where it fails, as a UsageError."""
    import polars

    try:
        table = con.sql(sql, params=values or None).to_arrow_table()
    except duckdb.Error as error:
        raise UsageError(f"{what}: {_first_line(error)}") from None
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        listed = ", ".join(f"`{name}`" for name in twice)
        raise UsageError(f"{what}: two columns are called {listed}; give one of them another name with AS")
    frame = polars.from_arrow(table)
    assert isinstance(frame, polars.DataFrame)
    return frame.with_columns(polars.col(polars.Categorical, polars.Enum).cast(polars.String))


QUOTES_VALUES = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
"""DuckDB's complaints of these kinds quote the value that they stumbled over: a patient's, it may be."""


def _first_line(error: duckdb.Error) -> str:
    if isinstance(error, QUOTES_VALUES):
        return "a value cannot be converted as the SELECT asks; TRY_CAST gives NULL for such values"
    return str(error).split("\n", 1)[0].strip()


def _sql_mistakes(query: Query, parser: duckdb.DuckDBPyConnection | None) -> list[str]:
    """Whether the SELECT may run at all, and reads and uses what its header says."""
    try:
        tree = select.tree_of(query.sql, parser)
    except UsageError as error:
        return [str(error)]
    mistakes = select.mistakes_of(tree)
    named = select.relations(tree)
    mistakes += [f"reads {name}, and `reads` does not say so" for name in sorted(named - set(query.reads))]
    mistakes += [f"`reads` names {name}, which the query does not read" for name in sorted(set(query.reads) - named)]
    used = {node["identifier"] for node in select.nodes(tree) if node.get("type") == "VALUE_PARAMETER"}
    mistakes += [f"${name} is used, and `params` does not have it" for name in sorted(used - set(query.params))]
    mistakes += [f"the parameter {name} is not used" for name in sorted(set(query.params) - used)]
    if not any(modifier["type"] == "ORDER_MODIFIER" for modifier in tree["modifiers"]):
        mistakes.append("its rows come in no order; end it with ORDER BY, over columns that tell every row apart")
    return mistakes


def _header_mistakes(query: Query) -> list[str]:
    """Whether chart, table, statistics and cards name columns of the result."""
    named = {name: "chart" for name in (query.chart.columns() if query.chart else ())}
    named |= {name: "table" for name in (query.table.columns() if query.table else ())}
    named |= {name: "statistics" for statistic in query.statistics for name in statistic.needs()}
    if query.show == "cards":
        named |= {name: "cards" for name in ("label", "value", "detail")}
    found = [
        f"`{part}` names the column {name}, which the query does not return"
        for name, part in named.items()
        if name not in query.returns
    ]
    return found + [f"`table`: {text}" for text in (query.table.mistakes() if query.table else ())]


def _binding_mistakes(con: duckdb.DuckDBPyConnection, query: Query) -> list[str]:
    values = parameters(query, {name: "" for name, param in query.params.items() if param.default is None})
    try:
        described = con.execute(f"DESCRIBE {query.sql.strip()}", values or None).fetchall()
    except duckdb.Error as error:
        return [_first_line(error)]
    columns = [row[0] for row in described]
    if columns == list(query.returns):
        return []
    return [f"returns {', '.join(columns)}; `returns` says {', '.join(query.returns)}"]

"""Open or make a study file: one DuckDB database with the tables of `schema`; knows no rules and no extracts."""

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb

from timeline import personal, schema
from timeline.errors import NoStudyError, StudyError
from timeline.quote import literal

FORMAT = "4"
"""Version of the study file's own layout."""


def connect(path: Path | str, *, read_only: bool = False, create: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection to the study at `path` (`:memory:` for none); raise StudyError if it is none."""
    in_memory = str(path) == ":memory:"
    if not in_memory:
        _check_place(Path(path), read_only)
    if not in_memory and not create and not Path(path).is_file():
        raise NoStudyError(f"{path}: there is no study here; make one with `timeline ingest {path} EXTRACT`")
    if not in_memory and not _is_duckdb(Path(path)):
        raise NoStudyError(f"{path}: this is not a study file; it cannot be opened as a DuckDB database")
    config: dict[str, str | bool | int | float | list[str]] = {"preserve_insertion_order": "true"}
    if not in_memory and not read_only:
        # A default DuckDB 2.0 file cannot be opened by 1.x; this layout can, from 1.4 on.
        config["storage_compatibility_version"] = "v1.4.0"
    try:
        con = duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StudyError(f"{path}: another program has this study open; close it and try again") from None
        what = "this is not a study file; it" if Path(path).exists() else "the file"
        how = "be opened as a DuckDB database" if Path(path).exists() else "be made here"
        raise NoStudyError(f"{path}: {what} cannot {how}") from None
    known = {f"{s}.{t}" for s, t in con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()}
    if "meta.study" not in known:
        if not (create or in_memory):
            con.close()
            raise NoStudyError(f"{path}: a DuckDB file, but no study of ours: it has no table meta.study")
        if known:
            con.close()
            raise NoStudyError(f"{path}: a DuckDB file with other tables; name a new file for the study")
        _create(con)
    _check_format(con, path)
    return con


def _check_format(con: duckdb.DuckDBPyConnection, path: Path | str) -> None:
    """Raise StudyError where the tables are laid out as another version of the engine has them."""
    found = con.execute("SELECT value FROM meta.study WHERE name = 'format'").fetchall()
    if found != [(FORMAT,)]:
        con.close()
        layout = found[0][0] if found else "unknown"
        raise StudyError(
            f"{path}: this study is of another version of timeline (layout {layout}; this one has {FORMAT}); "
            "ingest its extracts anew into a new file"
        )


def _check_place(path: Path, read_only: bool) -> None:
    """Raise StudyError where the disk, not the file's content, stands in the way."""
    if path.is_dir():
        raise NoStudyError(f"{path}: this is a folder; a study is one file, such as {path}/study.duckdb")
    if path.exists() and not path.is_file():
        raise NoStudyError(f"{path}: this is no file; a study is one")
    if not path.parent.is_dir():
        raise NoStudyError(f"{path}: there is no folder {path.parent}; make it first")
    if path.exists() and not os.access(path, os.R_OK if read_only else os.R_OK | os.W_OK):
        raise StudyError(f"{path}: no permission to {'read' if read_only else 'write'} this file")
    if not read_only and not os.access(path.parent, os.W_OK):
        raise StudyError(f"{path}: no permission to write in {path.parent}, where DuckDB keeps its log")


def _is_duckdb(path: Path) -> bool:
    """Whether the file is a DuckDB database, or not there yet; DuckDB itself would also open a CSV file as one."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def _create(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS meta")
    con.execute(f"CREATE TYPE {schema.PATIENT_KEY} AS ENUM ()")
    for table in schema.TABLES:
        con.execute(schema.ddl(table))
    con.execute("INSERT INTO meta.study VALUES ('format', ?)", [FORMAT])
    comment(con)
    refresh_views(con)


def comment(con: duckdb.DuckDBPyConnection, tables: Iterable[str] = schema.TABLES) -> None:
    """Write each column's meaning into the file, so that a reader of the tables needs no manual."""
    for table in tables:
        for field in schema.TABLES[table]:
            con.execute(f'COMMENT ON COLUMN {table}."{field.name}" IS {literal(field.meaning)}')


def refresh_views(con: duckdb.DuckDBPyConnection, index: str | None = None, at: str = "time") -> None:
    """Make anew the views on events: with days since `at` of `index`, what rules may read, what is not to be told."""
    con.execute(f"CREATE OR REPLACE VIEW event AS {event_select(index, at)}")
    # For rules an end before the start is none; `event` shows it as the source has it.
    con.execute(
        "CREATE OR REPLACE VIEW meta.any_event AS SELECT * REPLACE "
        '(CASE WHEN end_time >= "time" THEN end_time END AS end_time) FROM meta.event'
    )
    con.execute(
        "CREATE OR REPLACE VIEW observation AS SELECT * EXCLUDE (implausible) FROM meta.any_event "
        "WHERE concept IS NOT NULL AND NOT implausible"
    )
    said = [
        f'COMMENT ON COLUMN meta.personal_word."{name}" IS {literal(text)}' for name, text in personal.MEANINGS.items()
    ]
    view = f"CREATE OR REPLACE VIEW meta.personal_word AS {personal.select(personal.EVENTS)}"
    con.execute("; ".join([view, *said]))


def event_select(index: str | None, at: str = "time") -> str:
    """Return the SELECT of all events with the day since `at` of the table `index`; without one, days are unknown."""
    columns = [field.name for field in schema.EVENT]
    after_end = columns.index("end_time") + 1
    listed = [f"e.{name}" for name in columns]
    day = f'CAST(e."time" AS DATE) - CAST(i."{at}" AS DATE)' if index else "NULL::BIGINT"
    join = f' LEFT JOIN "{index}" AS i ON i.patient_id = e.patient_id' if index else ""
    return (
        f"SELECT {', '.join(listed[:after_end])}, {day} AS day, "
        f"{', '.join(listed[after_end:])} FROM meta.event AS e{join}"
    )

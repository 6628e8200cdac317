"""A CSV file -> a temporary table of its rows as text, each with its number; knows no column by name.

Comma and UTF-8, unless a mapping file says another delimiter or encoding: neither is found out by trying.

DuckDB reads the file once, in parallel. Lines that are no rows are kept with their reason; only a
file that has such lines is looked at a second time, to count which rows they are.
"""

import codecs
import csv
import io
import string
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import duckdb

from timeline import personal
from timeline.errors import ExtractError
from timeline.ingest import records, zstd
from timeline.quote import literal

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection

SUFFIXES = (".csv", ".csv.gz", ".csv.zst")
SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""Names that differ in these letters alone are one to DuckDB."""
HEAD = 1 << 20
"""Bytes in which the header must end."""
DIALECT = "quote = '\"', escape = '\"', auto_detect = false"
LINES = "delim = chr(31), quote = '', escape = '', auto_detect = false, header = false, columns = {'line': 'VARCHAR'}"
"""A line a row, whatever is in it."""


def is_csv(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


@contextmanager
def in_utf8(path: Path, name: str, encoding: str | None) -> Iterator[Path]:
    """Give the file itself, or for another encoding a copy in UTF-8 that lasts as long as the block."""
    if encoding is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="timeline_") as folder:
        copy = Path(folder) / "copy.csv"
        _recode(path, name, encoding, copy)
        yield copy


def _recode(path: Path, name: str, encoding: str, copy: Path) -> None:
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 1
    if path.name.lower().endswith(".zst") and not zstd.is_whole(path):
        _damaged(name)
    with records.opened(path) as source, copy.open("w", encoding="utf-8", newline="") as target:
        try:
            while chunk := source.read(HEAD):
                text = decoder.decode(chunk)
                lines += text.count("\n")
                target.write(text)
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            if isinstance(error, UnicodeDecodeError):
                lines += error.object[: error.start].decode(encoding, "ignore").count("\n")
            raise ExtractError(
                f"{name}: line {lines} is not {encoding}; save the file with that encoding, "
                "or name its own under `read` of the mapping file"
            ) from None
        except (EOFError, OSError, zlib.error):
            _damaged(name)


def header(con: "Connection", path: Path, name: str, delimiter: str = ",") -> list[str]:
    """The column names; raise ExtractError where the file does not begin with a line of them."""
    head = _head(con, path, name)
    if not head.strip():
        raise ExtractError(f"{name}: the file is empty; its first line must name the columns")
    if b"\x00" in head:
        raise ExtractError(f"{name}: this is no text file; an extract is CSV (also .gz, .zst) or Parquet")
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            line = head.count(b"\n", 0, error.start) + 1
            raise ExtractError(f"{name}: line {line} is not UTF-8; save the file with that encoding") from None
        text = head[: error.start].decode("utf-8-sig")
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    return _checked(names, name, delimiter)


def _checked(names: list[str], name: str, delimiter: str) -> list[str]:
    if len(names) == 1 and any(mark in names[0] for mark in {",", ";", "\t", "|"} - {delimiter}):
        how = (
            "by commas; write a comma between them"
            if delimiter == ","
            else f"by {delimiter!r}, which the mapping file names as their delimiter"
        )
        raise ExtractError(f"{name}: line 1: the columns are not separated {how}")
    empty = [number for number, one in enumerate(names, 1) if not one.strip()]
    if empty:
        raise ExtractError(f"{name}: line 1: column {empty[0]} has no name")
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise ExtractError(f"{name}: line 1: {_shown(twice[0], names)} is named twice")
    seen: dict[str, str] = {}
    for one in names:
        if (first := seen.setdefault(one.translate(SMALL), one)) != one:
            both = f"{_shown(first, names)} and {_shown(one, names)}"
            raise ExtractError(f"{name}: line 1: {both} are one name but for capitals; give one another")
    return names


def _shown(column: str, names: list[str]) -> str:
    return "a column" if personal.is_row(names) else f"column `{column}`"


def _head(con: "Connection", path: Path, name: str) -> bytes:
    """The first bytes of the text inside."""
    try:
        if path.name.lower().endswith(".zst"):
            return _first_line(con, path) if zstd.is_whole(path) else _damaged(name)
        with records.opened(path) as file:
            return file.read(HEAD)
    except (EOFError, OSError, zlib.error, duckdb.Error):
        return _damaged(name)


def _first_line(con: "Connection", path: Path) -> bytes:
    rows = con.execute(f"SELECT line FROM read_csv({literal(str(path))}, {LINES}) LIMIT 1").fetchall()
    return (rows[0][0] or "").encode() if rows else b""


def _damaged(name: str) -> NoReturn:
    raise ExtractError(f"{name}: the file is damaged or cut short: it cannot be unpacked to its end") from None


def read(con: "Connection", path: Path, name: str, columns: list[str], table: str, delimiter: str = ",") -> str | None:
    """Fill the temporary `table` with the rows and `source_row`; return the SELECT of the lines that are no rows."""
    listed = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    con.execute("DROP TABLE IF EXISTS temp.reject_errors; DROP TABLE IF EXISTS temp.reject_scans")
    try:
        lines = records.lines(path)
        counted = None if lines.plain else records.records(path, name, delimiter)
        con.execute(f"""CREATE TEMP TABLE {table}_read AS SELECT * FROM read_csv({literal(str(path))}, {DIALECT},
            delim = {literal(delimiter)}, header = true, columns = {{{listed}}}, store_rejects = true,
            rejects_limit = 0, parallel = {lines.plain})""")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise ExtractError(f"{name}: {_said(str(error))}") from None
    except (EOFError, OSError, zlib.error):
        _damaged(name)
    con.execute(
        f"CREATE TEMP TABLE {table}_bad AS SELECT line, min(error_type) AS kind, max(column_idx) AS columns, "
        "any_value(csv_line) AS raw FROM reject_errors GROUP BY line"
    )
    con.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
    [(rows, bad)] = con.execute(
        f"SELECT (SELECT count(*) FROM {table}_read), (SELECT count(*) FROM {table}_bad)"
    ).fetchall()
    if bad:
        _stop_where_rows_are_lost(con, name, table)
    if bad or counted or rows != lines.n - 1:
        counted = counted or records.records(path, name, delimiter)
        _stop_unless_all_are_there(name, rows + bad, counted, columns)
    if not bad or counted is None:
        con.execute(f"DROP TABLE {table}_bad")
        con.execute(f"CREATE TEMP VIEW {table} AS SELECT *, CAST(rowid + 1 AS UBIGINT) AS source_row FROM {table}_read")
        return None
    _number_the_rows(con, counted, table)
    return f"""SELECT source_row, CASE kind
            WHEN 'TOO MANY COLUMNS' THEN 'the line has more than {len(columns)} columns'
            WHEN 'MISSING COLUMNS' THEN 'the line has fewer than {len(columns)} columns'
            WHEN 'UNQUOTED VALUE' THEN 'a quotation mark stands inside a value; double it'
            ELSE 'the line is no row of CSV' END AS reason,
        CAST(to_json(struct_pack(line := ltrim(raw, chr(10) || chr(13)))) AS VARCHAR) AS raw
        FROM {table}_bad"""


def _said(message: str) -> str:
    """What DuckDB found, without its report, which quotes the file."""
    if "gzip" in message.lower():
        return "the file is damaged or cut short: it cannot be unpacked to its end"
    if "invalid state" in message:
        return "lines end in two ways (with and without a carriage return); write them all alike"
    if "not utf-8" in message.lower() or "unicode" in message.lower():
        return "the file is not UTF-8; save it with that encoding"
    return "the file cannot be read as CSV"


def _stop_where_rows_are_lost(con: "Connection", name: str, table: str) -> None:
    """A quotation mark that is never closed swallows rows that nobody can count; wrong bytes hide what was written."""
    unreadable = f"SELECT min(line) FROM {table}_bad WHERE kind = 'INVALID ENCODING' HAVING count(*) > 0"
    for (line,) in con.execute(unreadable).fetchall():
        raise ExtractError(f"{name}: line {line} is not UTF-8; save the file with that encoding")
    long = f"SELECT min(line) FROM {table}_bad WHERE kind = 'LINE SIZE OVER MAXIMUM' HAVING count(*) > 0"
    for (line,) in con.execute(long).fetchall():
        raise ExtractError(f"{name}: line {line} is longer than 2 MB; is a quotation mark left open in it?")
    swallowed = (
        f"SELECT min(line) FROM {table}_bad WHERE kind = 'UNQUOTED VALUE' AND contains(trim(raw, chr(10)), chr(10))"
    )
    for (line,) in con.execute(f"{swallowed} HAVING count(*) > 0").fetchall():
        raise ExtractError(f"{name}: line {line}: a quotation mark is opened and not closed; close it, or double it")


def _stop_unless_all_are_there(name: str, read: int, counted: records.Records, columns: Sequence[str]) -> None:
    """Of one column a blank line is a row without a value; of several it is none."""
    there = counted.n - 1 - (len(counted.blank) if len(columns) > 1 else 0)
    if read != there:
        raise ExtractError(
            f"{name}: {there} rows by its quotation marks, and {read} were read: some marks can be taken in two ways; "
            "put every value that holds one between two of them, and double it inside"
        )


def _number_the_rows(con: "Connection", counted: records.Records, table: str) -> None:
    """Give rows and bad lines their numbers: blank lines count as none, the others in the order of the file.

    DuckDB counts header, rows and blank lines, and gives that count for bad lines only.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table}_bad AS
        WITH blank AS (SELECT line, row_number() OVER (ORDER BY line) AS n FROM (SELECT unnest(?::BIGINT[]) AS line))
        SELECT CAST(b.line - 1 - coalesce(c.n, 0) AS UBIGINT) AS source_row, b.kind, b.columns, b.raw
        FROM {table}_bad AS b ASOF LEFT JOIN blank AS c ON c.line < b.line""",
        [list(counted.blank)],
    )
    con.execute(f"""CREATE TEMP TABLE {table}_shift AS
        SELECT CAST(source_row AS BIGINT) - place AS before, max(place) AS shift
        FROM (SELECT source_row, row_number() OVER (ORDER BY source_row) AS place FROM {table}_bad) GROUP BY before""")
    con.execute(f"""CREATE TEMP VIEW {table} AS
        SELECT r.*, CAST(r.rowid + 1 + coalesce(s.shift, 0) AS UBIGINT) AS source_row
        FROM {table}_read AS r ASOF LEFT JOIN {table}_shift AS s ON s.before < r.rowid + 1""")

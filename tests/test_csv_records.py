"""CSV files as DuckDB reads them, beside Python's csv: the same rows, with the same numbers, or a refusal."""

import csv
import io
from pathlib import Path
from random import Random

import duckdb
import pytest

from timeline.errors import ExtractError
from timeline.ingest import csvfile

COLUMNS = ["a", "b", "c"]
SOUND = ["a", "5", "", '"q"', '"x,y"', '"l1\nl2"', '"l1\n\nl2"', '"d""q"', " ", "ü"]
STRAY = ['5" x', '"a"b', '"']
HEADER = "patient_id,time,code,value,unit\n"


def written(seed: int) -> str:
    """A file with quoted lines, blank lines, lines too short and too long, and at times a stray mark."""
    random = Random(seed)
    weights = [5.0] * len(SOUND) + [random.choice((0.0, 0.1))] * len(STRAY)
    lines = [",".join(COLUMNS)]
    for _ in range(random.randrange(12)):
        n = random.choices((0, 1, 2, 3, 4), (1, 0.3, 0.3, 9, 0.3))[0]
        lines.append(",".join(random.choices(SOUND + STRAY, weights, k=n)))
    end = random.choice(("\n", "\r\n"))
    return end.join(lines) + random.choice(("", end))


def by_python(text: str) -> tuple[list[tuple], list[int]] | None:
    """Rows with their numbers, and the numbers of lines that are no rows; None where a mark is never closed."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    rows, bad, n = [], [], 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            if "unexpected end" in str(error):
                return None
            row = ["no row"]
        if row is None:
            return rows, bad
        if not row:
            continue
        n += 1
        if len(row) == len(COLUMNS) + 1 and not row[-1]:
            row.pop()  # DuckDB takes a mark at the end of a line for no further column
        if len(row) == len(COLUMNS):
            rows.append((n, *(value or None for value in row)))
        else:
            bad.append(n)


def by_duckdb(path: Path) -> tuple[list[tuple], list[int]]:
    with duckdb.connect() as con:
        rejected = csvfile.read(con, path, path.name, csvfile.header(con, path, path.name), "ingest_t")
        rows = con.execute("SELECT source_row, * EXCLUDE (source_row) FROM ingest_t ORDER BY source_row").fetchall()
        bad = con.execute(f"SELECT source_row FROM ({rejected}) ORDER BY ALL").fetchall() if rejected else []
    return [(n, *(value or None for value in row)) for n, *row in rows], [n for (n,) in bad]


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_any_file_is_read_as_python_reads_it_or_refused(tmp_path, start):
    path, same = tmp_path / "t.csv", 0
    for seed in range(start, start + 100):
        text = written(seed)
        path.write_text(text, encoding="utf-8", newline="")
        expected = by_python(text)
        try:
            found = by_duckdb(path)
        except ExtractError:
            assert '"' in text and any(mark in text for mark in STRAY), (seed, text)
            continue
        assert expected is not None and found == expected, (seed, text)
        same += 1
    assert same > 90


def test_lines_inside_a_quoted_text_are_no_rows_however_large_the_file_is(tmp_path):
    """Above 32 MB DuckDB begins to read in the middle of a file, perhaps inside quotation marks."""
    path = tmp_path / "notes.csv"
    table = "\n".join(f"Z{n},2024-01-01,crp,{n},mg/L" for n in range(12))
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(120_000):
            file.write(f'P{n},2024-01-01,note,"{table}",\n')
    assert path.stat().st_size > 33 << 20
    rows, bad = by_duckdb(path)
    assert bad == [] and [row[0] for row in rows] == list(range(1, 120_001))
    assert {row[1][0] for row in rows} == {"P"} and {row[4] for row in rows} == {table}


def test_a_mark_that_is_never_closed_stops_however_large_the_file_is(tmp_path):
    path = tmp_path / "open.csv"
    with path.open("w") as file:
        file.write(HEADER + 'B,2024-01-01,note,"offen,\n')
        for n in range(1_000_000):
            file.write(f"A{n % 50},2024-01-01 10:00,LOINC/1988-5,{n},mg/L\n")
    assert path.stat().st_size > 33 << 20
    with pytest.raises(
        ExtractError, match="open.csv: line 2 is longer than 2 MB; is a quotation mark left open in it?"
    ):
        by_duckdb(path)
    path.write_text(HEADER + 'A,2024-01-01,crp,5,mg/L\nB,2024-01-01,note,"offen,\nA,2024-01-02,crp,5,mg/L\n')
    with pytest.raises(ExtractError, match="open.csv: line 3: a quotation mark is opened and not closed"):
        by_duckdb(path)


@pytest.mark.parametrize("length", [3 << 20, 33 << 20, 50 << 20])
def test_a_line_of_megabytes_is_never_lost(tmp_path, length):
    path = tmp_path / "long.csv"
    path.write_text(f"{HEADER}A,2024-01-01,note,{'x' * length},\nB,2024-01-01,crp,5,mg/L\n")
    with pytest.raises(ExtractError, match="long.csv: line 2 is longer than 2 MB"):
        by_duckdb(path)

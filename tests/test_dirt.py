"""Every kind of bad input that tests/dirt lists: what becomes of it, and that the counts add up.

docs/dirt.md is generated from the same files.
"""

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from timeline import ingest, load, store, summaries
from timeline.errors import TimelineError

FOLDER = Path(__file__).parent / "dirt"
KEYS = {"dirt", "becomes", "files", "mapping", "format", "timezone", "expect"}
EXPECTED = {"error", "read", "loaded", "duplicate", "rejected", "events", "patients", "says"}
LEAST = 60
"""Kinds of dirt that the table must hold."""


def cases() -> list[dict[str, Any]]:
    """Every case, `topic` being the name of its file."""
    return [
        {**case, "topic": path.stem}
        for path in sorted(FOLDER.glob("*.yaml"))
        for case in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["cases"]
    ]


def write(folder: Path, files: dict[str, Any]) -> None:
    """Write the files of a case: text as it is, `{sql}` as Parquet, `{latin1}` and `{gzip}` as such bytes."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        elif "sql" in content:
            with duckdb.connect() as con:
                con.execute(f"COPY ({content['sql']}) TO '{path}' (FORMAT parquet)")
        elif "latin1" in content:
            path.write_bytes(content["latin1"].encode("latin-1"))
        elif "gzip" in content:
            path.write_bytes(gzip.compress(content["gzip"].encode(), mtime=0))
        else:
            raise AssertionError(f"{name}: no kind of content that is known here: {sorted(content)}")


def test_there_are_enough_kinds_and_no_two_are_the_same():
    found = cases()
    assert len(found) >= LEAST
    assert [name for name, n in Counter(case["dirt"] for case in found).items() if n > 1] == []
    for case in found:
        assert set(case) - {"topic"} <= KEYS, case["dirt"]
        assert case["expect"] and set(case["expect"]) <= EXPECTED, case["dirt"]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['topic']}: {case['dirt']}") for case in cases()])
def test_dirt(case: dict[str, Any], tmp_path: Path) -> None:
    extract = tmp_path / "extract"
    extract.mkdir()
    write(extract, case["files"])
    options: dict[str, Any] = {"format": case.get("format", "auto"), "timezone": case.get("timezone")}
    if "mapping" in case:
        (tmp_path / "mapping.yaml").write_text(case["mapping"], encoding="utf-8")
        options["mapping"] = tmp_path / "mapping.yaml"
    expect = case["expect"]
    con = store.connect(":memory:")
    try:
        report = ingest.ingest(con, extract, load.load([]).concepts, **options)
    except TimelineError as error:
        assert str(error).replace(f"{extract}", "EXTRACT") == expect.get("error"), str(error)
        assert con.execute("SELECT count(*) FROM meta.source").fetchall() == [(0,)]
        return
    assert "error" not in expect
    _counts(con, report, expect)
    for text in expect.get("says", []):
        assert text in _said(report), _said(report)
    if "patients" in expect:
        assert _rows(con, "patient", expect["patients"], "patient_id") == expect["patients"]
    if "events" in expect:
        assert _rows(con, "event", expect["events"], "source_file, source_row") == expect["events"]


def _counts(con: duckdb.DuckDBPyConnection, report: ingest.IngestReport, expect: dict[str, Any]) -> None:
    """Every file reconciles, and the totals are those of the case; `rejected` maps reason to rows."""
    assert all(one.reconciles for one in report.sources)
    for name in ("read", "loaded", "duplicate"):
        if name in expect:
            assert sum(getattr(one, f"rows_{name}") for one in report.sources) == int(expect[name]), name
    reasons = con.execute("SELECT reason, count(*) FROM meta.rejected GROUP BY reason").fetchall()
    assert dict(reasons) == {reason: int(n) for reason, n in expect.get("rejected", {}).items()}


def _said(report: ingest.IngestReport) -> str:
    """The report in the words of the command."""
    return summaries.ingest_text(report)


def _rows(con: duckdb.DuckDBPyConnection, table: str, wanted: list[dict[str, str]], order: str) -> list[dict[str, str]]:
    """The rows with the columns that the case names, as text; an empty text for NULL."""
    columns = list(wanted[0]) if wanted else ["*"]
    listed = ", ".join(f"coalesce(CAST(\"{name}\" AS VARCHAR), '')" for name in columns) if wanted else "*"
    return [
        dict(zip(columns, row, strict=True))
        for row in con.execute(f"SELECT {listed} FROM {table} ORDER BY {order}").fetchall()
    ]

"""Laws of ingest on random dirty rows: nothing is lost, and neither order nor threads change an event."""

import csv
import io
import random
import tempfile
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.test_ingest import CONCEPTS, HEADER, study
from timeline import ingest
from timeline.ingest import IngestReport

COLUMNS = HEADER.strip().split(",")
CELLS = {
    "patient_id": ["1", "2", "10", "000008", "8", " 2", "", "Ä"],
    "time": ["2024-01-01", "2024-01-01 10:00", "2024-01-01T10:00:00.5", "2024-02-30", "soon", "", "2024-01-02 24:00"],
    "end_time": ["", "2024-01-02 10:00", "later", "2023-01-01"],
    "code": [
        "protein",
        "warmth",
        "LOINC/1988-5",
        "drug",
        "device",
        "baseline",
        "LOCAL/1",
        "drugs",
        "",
        "LOINC/9",
        "score",
    ],
    "value": ["", "1", "1.0", "<0.5", ">=1000", "≤3", "abc", "99", "1e3", "-4", 'say "hm"', "two\nlines", "a,b"],
    "unit": ["", "mg/L", "mg/dL", "[degF]", "mL", "mg", "K/uL", "mg/kg", "L/min"],
    "text": ["", "Mask", "none", "free text"],
    "route": ["", "Oral", "intravenous "],
}
ROW = st.tuples(*(st.sampled_from(CELLS[name]) for name in COLUMNS))
LINE = st.one_of(
    ROW, ROW, ROW, ROW, st.sampled_from(["short,row", "a,b,c,d,e,f,g,h,i,j", 'x,2024-01-01,,"pro"tein,1,,,', ""])
)
EVENTS = """event_id, CAST(patient_id AS VARCHAR), time, end_time, concept, value, unit, bound, text, route, code,
    source_value, source_unit, date_only, implausible"""


def written(line: tuple[str, ...] | str) -> str:
    if isinstance(line, str):
        return line + "\n"
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(line)
    return out.getvalue()


def events_of(lines: list, threads: int = 2) -> tuple[list, list, IngestReport]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        path.write_text(HEADER + "".join(written(line) for line in lines), encoding="utf-8")
        con = study()
        con.execute(f"SET threads = {threads}")
        report = ingest.ingest(con, path, CONCEPTS)
        found = con.execute(f"SELECT {EVENTS} FROM meta.event").fetchall()
        refused = con.execute("SELECT reason, raw FROM meta.rejected ORDER BY ALL").fetchall()
        return found, refused, report


@settings(max_examples=10, deadline=None)
@given(st.lists(LINE, max_size=100))
def test_every_row_is_loaded_folded_or_rejected(lines):
    found, refused, report = events_of(lines)
    rows = [line for line in lines if line != ""]
    source = report.sources[0]
    assert source.rows_read == len(rows)
    assert source.rows_read == source.rows_loaded + source.rows_duplicate + source.rows_rejected
    whole = [line for line in rows if not isinstance(line, str)]
    broken = len(rows) - len(whole)
    assert source.rows_duplicate == len(whole) - len(set(whole))
    assert source.rows_rejected == len(refused) == sum(n for _, n in report.rejected)
    assert source.rows_loaded == len(found) == report.events == len(set(whole)) - (len(refused) - broken)
    assert len({row[0] for row in found}) == len(found)


@settings(max_examples=6, deadline=None)
@given(st.lists(LINE, max_size=100), st.randoms(use_true_random=False))
def test_neither_order_nor_threads_change_an_event(lines, chance: random.Random):
    shuffled = list(lines)
    chance.shuffle(shuffled)
    found, refused, _ = events_of(lines, threads=1)
    again, refused_again, _ = events_of(shuffled, threads=4)
    assert found == again
    assert refused == refused_again
    keys = [(row[1], row[2] is not None, row[2], row[0]) for row in found]
    assert keys == sorted(keys, key=lambda key: (key[0], key[1], str(key[2]), key[3]))


@settings(max_examples=3, deadline=None)
@given(st.lists(ROW, min_size=2, max_size=60), st.integers(1, 59))
def test_two_files_are_as_good_as_two_ingests(lines, cut):
    """The same files in one ingest or one after the other: the same events and patients."""
    assume(lines[:cut] != lines[cut:])  # the same bytes are the same file
    halves = {"events_a.csv": lines[:cut], "events_b.csv": lines[cut:]}
    found = []
    for apart in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, part in halves.items():
                paths.append(Path(folder) / name)
                paths[-1].write_text(HEADER + "".join(written(line) for line in part), encoding="utf-8")
            con = study()
            for group in [[path] for path in reversed(paths)] if apart else [paths]:
                ingest.ingest(con, group, CONCEPTS)
            found.append(
                (
                    con.execute(f"SELECT {EVENTS}, source_file, source_row FROM meta.event").fetchall(),
                    con.execute("SELECT CAST(patient_id AS VARCHAR) FROM patient").fetchall(),
                    con.execute("SELECT source_file, rows_read, rows_loaded FROM meta.source ORDER BY ALL").fetchall(),
                )
            )
    assert found[0] == found[1]

"""Extracts that cannot be read: each with its whole message, and nothing changed in the study."""

import gzip
from pathlib import Path

import duckdb
import pytest

from tests.test_ingest import CONCEPTS, HEADER, study
from timeline import ingest, store
from timeline.errors import ExtractError, TimelineError, UsageError
from timeline.ingest import zstd
from timeline.option_parser import There

ROW = "1,2024-01-01,,protein,1,,,\n"
LONG = "".join(f"{number},2024-01-01,,protein,{number * 7919 % 1000003},,,\n" for number in range(60_000))


def zst(text: str, folder: Path) -> bytes:
    (folder / "plain.csv").write_text(text)
    duckdb.connect().execute(
        f"COPY (FROM read_csv('{folder / 'plain.csv'}', all_varchar = true)) TO '{folder / 'whole.zst'}' "
        "(FORMAT csv, COMPRESSION zstd)"
    )
    return (folder / "whole.zst").read_bytes()


def parquet(
    folder: Path, select: str = "SELECT '1' AS patient_id, DATE '2024-01-01' AS time, 'protein' AS code"
) -> bytes:
    duckdb.connect().execute(f"COPY ({select}) TO '{folder / 'whole.parquet'}' (FORMAT parquet)")
    return (folder / "whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "events.csv",
            "time,value\n2024-01-01,1\n",
            "events.csv: columns `patient_id`, `code` missing; the file has time, value",
        ),
        (
            "events.csv",
            "Patient_ID,TIME,code\n1,2024-01-01,protein\n",
            "events.csv: column `Patient_ID` must be written `patient_id`; column `TIME` must be written `time`",
        ),
        (
            "events.csv",
            "patient_id;time;code\n1;2024-01-01;protein\n",
            "events.csv: line 1: the columns are not separated by commas; write a comma between them",
        ),
        (
            "events.csv",
            "patient_id,time,code,code\n",
            "events.csv: line 1: column `code` is named twice",
        ),
        ("events.csv", "patient_id,time,,code\n", "events.csv: line 1: column 3 has no name"),
        ("events.csv", "", "events.csv: the file is empty; its first line must name the columns"),
        ("events.parquet", "", "events.parquet: the file is empty"),
        (
            "events.csv",
            b"\x00\x01\x02\xff" * 200,
            "events.csv: this is no text file; an extract is CSV (also .gz, .zst) or Parquet",
        ),
        (
            "events.parquet",
            b"no parquet at all",
            "events.parquet: this is no Parquet file; an extract is CSV (also .gz, .zst) or Parquet",
        ),
        (
            "events.csv",
            (HEADER + ROW).encode() + "1,2024-01-01,,protein,1,,Müller,\n".encode("latin-1"),
            "events.csv: line 3 is not UTF-8; save the file with that encoding",
        ),
        (
            "events.csv",
            HEADER + ROW + '1,2024-01-02,,protein,1,,"never closed,\n' + ROW * 3,
            "events.csv: line 3: a quotation mark is opened and not closed; close it, or double it",
        ),
        (
            "events.csv",
            HEADER + ROW + "1,2024-01-01,,protein,1,,,oral\r\n" + "1,2024-01-01,,protein,1,,,oral\n",
            "events.csv: lines end in two ways (with and without a carriage return); write them all alike",
        ),
        (
            "events.csv.gz",
            b"not packed at all",
            "events.csv.gz: the file is damaged or cut short: it cannot be unpacked to its end",
        ),
        (
            "events.csv.gz",
            gzip.compress((HEADER + LONG).encode())[:-2000],
            "events.csv.gz: the file is damaged or cut short: it cannot be unpacked to its end",
        ),
        (
            "events.csv.zst",
            b"not packed at all",
            "events.csv.zst: the file is damaged or cut short: it cannot be unpacked to its end",
        ),
        (
            "events.csv",
            HEADER + "1,2024-01-01T10:00:00Z,,protein,1,,,\n1,2024-01-02T10:00:00+01:00,,protein,1,,,\n",
            "events.csv: row 1: times with an offset from UTC (2 rows); say the study's time zone, "
            "such as --timezone Europe/Zurich",
        ),
        (
            "patients.csv",
            "sex,birth_date\nF,1960-01-01\n",
            "patients.csv: column `patient_id` missing; the file has sex, birth_date",
        ),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    con = study()
    with pytest.raises(TimelineError) as error:
        ingest.ingest(con, path, CONCEPTS)
    assert str(error.value) == message
    assert error.value.exit_status == (2 if isinstance(error.value, UsageError) else 1)
    assert con.execute("SELECT count(*) FROM meta.source").fetchall() == [(0,)]


@pytest.mark.parametrize("cut", [1, 5, 3000])
def test_a_zst_file_cut_short(tmp_path, cut):
    whole = zst(HEADER + LONG, tmp_path)
    path = tmp_path / "events.csv.zst"
    path.write_bytes(whole)
    assert zstd.is_whole(path)
    path.write_bytes(whole[:-cut])
    with pytest.raises(TimelineError) as error:
        ingest.ingest(study(), path, CONCEPTS)
    assert str(error.value) == "events.csv.zst: the file is damaged or cut short: it cannot be unpacked to its end"


def test_zst_frames_of_every_layout_are_walked(tmp_path):
    """Two frames and a skippable one, as parallel packers write them."""
    whole = zst(HEADER + LONG, tmp_path)
    path = tmp_path / "frames.zst"
    path.write_bytes(whole + (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc" + whole)
    assert zstd.is_whole(path)
    path.write_bytes(whole + b"rest")
    assert not zstd.is_whole(path)


def test_a_parquet_file_cut_short(tmp_path):
    path = tmp_path / "events.parquet"
    path.write_bytes(parquet(tmp_path)[:-10])
    with pytest.raises(TimelineError) as error:
        ingest.ingest(study(), path, CONCEPTS)
    assert str(error.value) == "events.parquet: the file is damaged or cut short: its end is missing"


def test_a_parquet_file_with_a_broken_middle(tmp_path):
    whole = parquet(
        tmp_path, "SELECT range::VARCHAR AS patient_id, DATE '2024-01-01' AS time, 'protein' AS code FROM range(5000)"
    )
    path = tmp_path / "events.parquet"
    path.write_bytes(whole[:40] + b"\xff" * 2000 + whole[2040:])
    con = study()
    with pytest.raises(TimelineError) as error:
        ingest.ingest(con, path, CONCEPTS)
    assert str(error.value) == "events.parquet: the file is damaged: it cannot be read to its end"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"timezone": "Zurich"},
            "--timezone Zurich: there is no such time zone; write it as Europe/Zurich or America/New_York",
        ),
        ({"format": "hl7"}, f"there is no format 'hl7'; choose auto, {', '.join(ingest.FORMATS)}"),
    ],
)
def test_a_call_that_is_wrong(tmp_path, options, message):
    path = tmp_path / "events.csv"
    path.write_text(HEADER + ROW)
    with pytest.raises(UsageError) as error:
        ingest.ingest(study(), path, CONCEPTS, **options)
    assert str(error.value) == message


def test_two_files_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "events.csv").write_text(HEADER + f"{folder},2024-01-01,,protein,1,,,\n")
    with pytest.raises(TimelineError) as error:
        ingest.ingest(study(), [tmp_path / "a", tmp_path / "b"], CONCEPTS)
    assert str(error.value) == "events.csv: two files of this ingest have this name; give one of them another"


def test_a_folder_without_events(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(TimelineError) as error:
        ingest.ingest(study(), tmp_path, CONCEPTS)
    assert str(error.value) == (
        f"{tmp_path}: no extract that is known here: no events.csv or .parquet, no tables of MEDS or OMOP, no "
        "resources of FHIR; `--format` asks one format and says more, and `tables` of a mapping file read any others"
    )
    with pytest.raises(TimelineError) as error:
        ingest.ingest(study(), tmp_path / "nowhere", CONCEPTS)
    assert str(error.value) == f"{tmp_path / 'nowhere'}: there is no such file or folder"


def test_a_link_that_leads_nowhere_is_called_so(tmp_path):
    (tmp_path / "events.csv").symlink_to(tmp_path / "nothing.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for path, named in ((tmp_path, "events.csv"), (tmp_path / "loop.csv", "loop.csv")):
        with pytest.raises(ExtractError) as caught:
            ingest.ingest(store.connect(":memory:"), path, {})
        assert str(caught.value) == f"{tmp_path / named}: the link leads nowhere"
    assert There(str(tmp_path / "loop.csv")).mistake() == f"{tmp_path / 'loop.csv'}: the link leads nowhere"

"""The Medical Event Data Standard 0.4: a conform folder, with columns of ours beside its own; knows no medicine.

The standard has neither units nor routes nor ends, and its times have no day precision: columns `unit`, `route`,
`end_time` and `date_only` say them. A time that is none is NULL here; a row of nobody cannot be written at all.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from timeline import meds
from timeline.synth.chunk import BOUND, NUMBER, Chunk, is_date, moment, tables

if TYPE_CHECKING:
    from timeline.rules import Concept

MAPPING = """# What the codes of this extract mean beyond the standard. It is read with
# timeline ingest STUDY FOLDER --mapping FOLDER/mapping.yaml
title: Synthetic cohort as MEDS
patterns:
  - {match: "SEX//(?P<value>.+)", fact: patient.sex}
"""
EXTENSIONS = {"code_modifier_columns": ["unit", "route"], "other_extension_columns": ["end_time", "date_only"]}
EMPTY = "NULL::FLOAT, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::TIMESTAMP, FALSE"
ROWS = f"""
    SELECT number AS subject_id, {moment("time")} AS "time", code,
        CAST(CASE WHEN {BOUND} IS NULL THEN {NUMBER} END AS FLOAT) AS numeric_value,
        coalesce(CASE WHEN {NUMBER} IS NULL OR {BOUND} IS NOT NULL THEN value END, text) AS text_value,
        unit, route, {moment("end_time")} AS end_time, {is_date("time")} AS date_only, place + 2 AS place
    FROM events WHERE number IS NOT NULL
    UNION ALL SELECT number, CAST(birth_date AS TIMESTAMP), 'MEDS_BIRTH', {EMPTY}, 0
    FROM persons WHERE birth_date IS NOT NULL
    UNION ALL SELECT number, NULL, 'SEX//' || sex, {EMPTY}, 1 FROM persons WHERE sex IS NOT NULL"""


def write(chunks: Iterable[Chunk], out: Path, concepts: "Mapping[str, Concept]") -> None:
    """Write data/N.parquet for each chunk of patients, and metadata/."""
    for folder in ("data", "metadata"):
        (out / folder).mkdir(exist_ok=True)
        for old in (out / folder).glob("*.parquet"):
            old.unlink()
    codes: set[str] = set()
    people: list[tuple[int, str]] = []
    for number, chunk in enumerate(chunks):
        with tables(chunk) as con:
            meds.write(
                con,
                f'SELECT * EXCLUDE (place) FROM ({ROWS}) ORDER BY subject_id, "time" NULLS FIRST, place',
                out / "data" / f"{number}.parquet",
            )
            codes |= {code for (code,) in con.execute(f"SELECT DISTINCT code FROM ({ROWS})").fetchall()}
        people += zip(chunk.numbers["number"], chunk.numbers["patient_id"], strict=True)
    _metadata(out / "metadata", sorted(codes), people, concepts)
    (out / "mapping.yaml").write_text(MAPPING, encoding="utf-8")


def _metadata(folder: Path, codes: list[str], people: list[tuple[int, str]], concepts: "Mapping[str, Concept]") -> None:
    import duckdb

    from timeline.concepts import meanings_of_codes

    named = {**meanings_of_codes(concepts), **{name: name for name in concepts}}
    described = [(code, concepts[named[code]].title if code in named else None) for code in codes]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE codes (code VARCHAR, description VARCHAR)")
        con.execute("INSERT INTO codes SELECT unnest(?), unnest(?)", [codes, [said for _, said in described]])
        meds.write(con, "SELECT *, CAST([] AS VARCHAR[]) AS parent_codes FROM codes", folder / "codes.parquet")
        con.execute("CREATE TABLE people (subject_id BIGINT, patient_id VARCHAR)")
        con.execute("INSERT INTO people SELECT unnest(?), unnest(?)", [[n for n, _ in people], [p for _, p in people]])
        meds.write(con, "FROM people", folder / "subject_ids.parquet")
    about = {
        "dataset_name": "synthetic cohort; no real patient",
        "meds_version": meds.VERSION,
        "etl_name": "timeline synth",
    }
    (folder / "dataset.json").write_text(json.dumps({**about, **EXTENSIONS}, indent=2) + "\n", encoding="utf-8")

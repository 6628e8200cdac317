"""The OMOP Common Data Model 5.4 as CSV, one file a table; knows no medicine.

Which table a row goes into follows from its columns: with a route it is a drug exposure; what lasts is a visit, or a
device exposure where it has words; what has words beside or in place of its number is an observation, all else a
measurement. The standard concept is the first `OMOP/` code of the value set that has the row's code, else 0; the
row's own code is the source value either way. What the model has no column for is lost: words of a visit, the value of
a device exposure.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from timeline import cdm
from timeline.ingest.omop.known import OPERATORS, ROUTES, SEXES, UNITS
from timeline.quote import literal
from timeline.synth.chunk import BOUND, NUMBER, PLAIN, Chunk, is_date, moment, tables

if TYPE_CHECKING:
    import duckdb

    from timeline.rules import Concept

    Connection = duckdb.DuckDBPyConnection

MAPPING = """# Source values of this extract are codes of its hospital. It is read with
# timeline ingest STUDY FOLDER --mapping FOLDER/mapping.yaml
title: Synthetic cohort as OMOP
patterns:
  - {match: "device_exposure/(?P<code>[^=]+)=(?P<text>.+)", key: "{code}"}
  - {match: "(visit_occurrence|drug_exposure|device_exposure|measurement|observation)/(?P<code>.+)", key: "{code}"}
"""
WORDLESS = "value IS NULL AND text IS NULL AND unit IS NULL"
TABLE = f"""CASE WHEN code = 'death' THEN 'death' WHEN route IS NOT NULL THEN 'drug_exposure'
    WHEN end_time IS NOT NULL THEN CASE WHEN {WORDLESS} THEN 'visit_occurrence' ELSE 'device_exposure' END
    WHEN text IS NULL AND (value IS NOT NULL OR unit IS NOT NULL) THEN 'measurement' ELSE 'observation' END"""


def _date(name: str) -> str:
    """The day of a time; a cell that is no time stands as it is, as a careless program would write it."""
    return f'coalesce(CAST(CAST({moment(name)} AS DATE) AS VARCHAR), "{name}")'


def _datetime(name: str) -> str:
    written = f"""coalesce(strftime({moment(name)}, '%Y-%m-%d %H:%M:%S'), "{name}")"""
    return f"CASE WHEN NOT {is_date(name)} THEN {written} END"


def _ids(column: str, known: Mapping[int, str]) -> str:
    """The concept of a word that OMOP has one for; of several for one word, the first."""
    first = {word: id for id, word in reversed(list(known.items())) if word}
    whens = " ".join(f"WHEN {literal(word)} THEN {id}" for word, id in first.items())
    return f"CASE WHEN {column} IS NOT NULL THEN CASE {column} {whens} ELSE 0 END END"


def _common(stem: str, table: str, start: str, end: str = "") -> dict[str, str]:
    """What all event tables have, under names made of `stem`; an end that nobody wrote is the day of the start."""
    times = {f"{start}date": _date("time"), f"{start}datetime": _datetime("time")}
    if end:
        times |= {f"{end}date": f"coalesce({_date('end_time')}, {_date('time')})"}
        times |= {f"{end}datetime": _datetime("end_time")}
    return times | {
        f"{table}_id": "record",
        "person_id": "number",
        f"{stem}_concept_id": "coalesce(id, 0)",
        f"{stem}_type_concept_id": str(cdm.EHR),
        f"{stem}_source_value": "code",
        f"{stem}_source_concept_id": "0",
    }


MEASURED = {
    "value_as_number": PLAIN,
    "unit_concept_id": _ids("unit", UNITS),
    "unit_source_value": "unit",
    "value_source_value": "value",
}
SELECTED: Mapping[str, Mapping[str, str]] = {
    "person": {
        "person_id": "number",
        "gender_concept_id": f"coalesce({_ids('sex', SEXES)}, 0)",
        "year_of_birth": "year(birth_date)",
        "month_of_birth": "month(birth_date)",
        "day_of_birth": "day(birth_date)",
        "race_concept_id": "0",
        "ethnicity_concept_id": "0",
        "person_source_value": "patient_id",
        "gender_source_value": "sex",
    },
    "visit_occurrence": _common("visit", "visit_occurrence", "visit_start_", "visit_end_"),
    "drug_exposure": {
        **_common("drug", "drug_exposure", "drug_exposure_start_", "drug_exposure_end_"),
        "quantity": PLAIN,
        "sig": "text",
        "route_concept_id": _ids("route", ROUTES),
        "route_source_value": "route",
        "dose_unit_source_value": "unit",
    },
    "device_exposure": {
        **_common("device", "device_exposure", "device_exposure_start_", "device_exposure_end_"),
        # The value set's concept would say only that there was one, not which.
        "device_concept_id": "CASE WHEN text IS NULL THEN coalesce(id, 0) ELSE 0 END",
        "device_source_value": "code || coalesce('=' || text, '')",
        "unit_source_value": "unit",
    },
    "measurement": {
        **_common("measurement", "measurement", "measurement_"),
        "operator_concept_id": _ids(BOUND, OPERATORS),
        **MEASURED,
    },
    "observation": {
        **_common("observation", "observation", "observation_"),
        **MEASURED,
        "value_as_string": f"coalesce(text, CASE WHEN {NUMBER} IS NULL THEN value END)",
    },
    "death": {
        "person_id": "number",
        "death_date": _date("time"),
        "death_datetime": _datetime("time"),
        "death_type_concept_id": str(cdm.EHR),
        "cause_concept_id": "0",
        "cause_source_value": "text",
    },
}


def write(chunks: Iterable[Chunk], out: Path, concepts: "Mapping[str, Concept]") -> None:
    """Write the tables, a chunk of patients at a time; ids of records and persons go on through the chunks."""
    with ExitStack() as opened:
        files = {name: opened.enter_context((out / f"{name}.csv").open("wb")) for name in SELECTED}
        for number, chunk in enumerate(chunks):
            with tables(chunk) as con:
                _look_up(con, concepts)
                _append(con, files, header=number == 0)
    (out / "mapping.yaml").write_text(MAPPING, encoding="utf-8")


def _look_up(con: "Connection", concepts: "Mapping[str, Concept]") -> None:
    """Make `ids`: code -> the concept id that its value set has."""
    from timeline.concepts import meanings_of_codes

    named = {**meanings_of_codes(concepts), **{name: name for name in concepts}}
    con.execute("CREATE TABLE ids (code VARCHAR, id BIGINT)")
    for (code,) in con.execute("SELECT DISTINCT code FROM events ORDER BY code").fetchall():
        known = concepts[named[code]].codes if code in named else ()
        ids = [int(one.removeprefix("OMOP/")) for one in known if one.startswith("OMOP/")]
        con.execute("INSERT INTO ids VALUES (?, ?)", [code, ids[0] if ids else 0])


def _append(con: "Connection", files: Mapping[str, BinaryIO], *, header: bool) -> None:
    import polars as pl

    con.execute(
        f"CREATE TABLE sorted AS SELECT e.*, i.id, {TABLE} AS goes FROM events AS e LEFT JOIN ids AS i USING (code)"
    )
    for table, columns in SELECTED.items():
        listed = ", ".join(f"{columns.get(field.name, 'NULL')} AS {field.name}" for field in cdm.TABLES[table])
        source = "persons ORDER BY number" if table == "person" else f"sorted WHERE goes = '{table}' ORDER BY place"
        rows = pl.DataFrame(con.sql(f"SELECT {listed} FROM {source}").to_arrow_table())
        rows.write_csv(files[table], include_header=header)

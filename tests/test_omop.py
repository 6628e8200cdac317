"""OMOP extracts as they are found and staged: folders, shards, databases, vocabularies, addresses of servers."""

import gzip
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from timeline import cli, store
from timeline.draft import draft
from timeline.errors import ExtractError, UsageError
from timeline.ingest import address, format_of, ingest, leftover, omop, remap
from timeline.ingest.omop import found, server
from timeline.ingest.omop.known import OPERATORS, ROUTES, UNITS
from timeline.ingest.omop.tables import EVENTS, IGNORED, TABLES
from timeline.rules import Concept
from timeline.units import parse

CONCEPTS = {
    "steroid_a": Concept(name="steroid_a", units=("mg",), codes=("RxNorm/3264",)),
    "protein": Concept(name="protein", units=("mg/L",), codes=("LOINC/1988-5",)),
    "fever_coded": Concept(name="fever_coded", any_unit=True, codes=("ICD10CM/R50.9",)),
    "death": Concept(name="death"),
    "stay": Concept(name="stay", any_unit=True, codes=("OMOP/9201",)),
}
PERSON = "person_id,gender_concept_id,birth_datetime\n1,8507,1960-05-17 00:00:00\n2,8532,\n"
DRUGS = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date\n1,1,501,2024-01-01\n2,2,501,2024-01-02\n"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def loaded(extract: Path, **options):
    con = store.connect(":memory:")
    return con, ingest(con, [extract], CONCEPTS, **options)


def concepts_of(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    return con.execute("SELECT source_row, concept FROM event ORDER BY source_file, source_row").fetchall()


# What is an extract


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("person.csv", "person"),
        ("PERSON.CSV.GZ", "person"),
        ("2b_concept.csv", "concept"),
        ("cdm.concept_ancestor.parquet", "concept_ancestor"),
        ("omop-drug_exposure.csv.zst", "drug_exposure"),
        ("derived_drug_concept_names.csv", None),
        ("salesperson.csv", None),
        ("persons.csv", None),
        ("drug_era.csv", "drug_era"),
    ],
)
def test_the_table_that_a_name_means(name, table):
    assert found.table_of(name) == table


def test_claims_persons_with_events_and_single_tables_only(tmp_path):
    both = write(tmp_path / "both", person=PERSON, drug_exposure=DRUGS)
    alone = write(tmp_path / "alone", person=PERSON, concept="concept_id\n")
    native = write(tmp_path / "native", events="patient_id,time,code\n", patients="patient_id\n")
    assert [omop.claims(one) for one in (both, alone, native, tmp_path / "none")] == [True, False, False, False]
    assert omop.claims(both / "drug_exposure.csv") and not omop.claims(native / "events.csv")
    assert [format_of(one, "auto").__name__ for one in (both, both / "person.csv", native)] == [
        "timeline.ingest.omop", "timeline.ingest.omop", "timeline.ingest.native",
    ]  # fmt: skip


MEASURED = "person_id,measurement_concept_id,measurement_date,value_as_number\n1,600,2024-01-01,5\n"


def test_unmistakable_events_are_an_extract_without_persons(tmp_path):
    alone = write(tmp_path / "alone", measurement=MEASURED)
    con, report = loaded(alone)
    assert con.execute("SELECT patient_id, sex, birth_date FROM patient").fetchall() == [("1", None, None)]
    assert [said for said in report.warnings if said.startswith("no table person: ")]
    held = database(tmp_path / "d.duckdb", f"CREATE TABLE MEASUREMENT AS FROM '{alone / 'measurement.csv'}'")
    other = database(tmp_path / "e.duckdb", "CREATE TABLE measurement AS SELECT 1 AS person_id, 2 AS value")
    assert [omop.claims(one) for one in (held, other)] == [True, False]


def test_what_looks_like_the_model_and_is_no_extract_is_said(tmp_path):
    folder = write(tmp_path / "x", measurement="patient,test,result\n1,2,3\n", concept="concept_id\n")
    with pytest.raises(ExtractError) as caught:
        loaded(folder)
    assert str(caught.value) == (
        f"{folder}: no extract that is known here: its files have names of tables of the OMOP CDM, measurement, "
        "concept, but not the columns `person_id` and, say, `measurement_concept_id`; `--format omop` says what they "
        "lack, and `tables` of a mapping file read them as they are"
    )
    with pytest.raises(ExtractError, match=r"measurement.csv: no column `person_id`; measurement.csv: no column"):
        loaded(folder, format="omop")


def test_nothing_of_the_model_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ExtractError, match=r"no tables of the OMOP CDM here, such as person and drug_exposure"):
        loaded(write(tmp_path / "x", drug_era="a\n"), format="omop")


def test_every_table_that_is_read_is_described_and_none_is_both_read_and_not():
    assert not set(TABLES) & set(IGNORED)
    assert set(omop.TABLES) == {"person", "concept", "concept_relationship", "concept_ancestor", *EVENTS}
    for table, fields in TABLES.items():
        assert len({field.name for field in fields}) == len(fields), table
        assert all(field.meaning and field.name == field.name.lower() for field in fields), table
    assert set(OPERATORS.values()) == {"<", "<=", ">", ">=", ""}


def test_known_units_are_read_as_units_and_known_routes_are_words_of_the_native_format():
    from timeline.ingest.counts import ROUTES as WORDS

    assert [unit for unit in UNITS.values() if parse(unit) is None] == []
    assert set(ROUTES.values()) <= set(WORDS)


# Where the tables are


def as_parquet(text: str, path: Path, where: str = "TRUE") -> None:
    """A CSV text as Parquet, with the types that DuckDB sees in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".csv")
    source.write_text(text, encoding="utf-8")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * FROM read_csv('{source}') WHERE {where}) TO '{path}' (FORMAT parquet)")
    source.unlink()


def test_shards_of_a_table_are_files_of_their_own(tmp_path):
    as_parquet(PERSON, tmp_path / "person" / "part-0.parquet")
    as_parquet(DRUGS, tmp_path / "DRUG_EXPOSURE" / "year=2024" / "part-0.parquet", "person_id = 1")
    as_parquet(DRUGS, tmp_path / "DRUG_EXPOSURE" / "year=2024" / "part-1.parquet", "person_id = 2")
    con, report = loaded(tmp_path)
    assert [(one.source_file, one.rows_read, one.rows_loaded) for one in report.sources] == [
        ("person/part-0.parquet", 2, 2),
        ("DRUG_EXPOSURE/year=2024/part-0.parquet", 1, 1),
        ("DRUG_EXPOSURE/year=2024/part-1.parquet", 1, 1),
    ]
    assert con.execute('SELECT "time", date_only FROM event ORDER BY "time"').fetchall() == [
        (datetime(2024, 1, 1), True), (datetime(2024, 1, 2), True),
    ]  # fmt: skip
    assert con.execute("SELECT sex, birth_date, birth_year FROM patient").fetchall() == [
        ("M", date(1960, 5, 17), 1960), ("F", None, None),
    ]  # fmt: skip


def database(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as con:
        for statement in statements:
            con.execute(statement)
    return path


PERSON_TABLE = "CREATE TABLE PERSON AS SELECT 1::BIGINT AS PERSON_ID, 8507::BIGINT AS GENDER_CONCEPT_ID"
DEATH_TABLE = "CREATE TABLE DEATH AS SELECT 1::BIGINT AS PERSON_ID, DATE '2024-03-01' AS DEATH_DATE"


def test_a_database_in_capitals_is_read_and_let_go_of(tmp_path):
    file = database(tmp_path / "cdm.duckdb", PERSON_TABLE, DEATH_TABLE, "CREATE TABLE cohort AS SELECT 1 AS a")
    con, report = loaded(file)
    assert [(one.source_file, one.rows_loaded) for one in report.sources] == [
        ("cdm.duckdb#person", 1), ("cdm.duckdb#death", 1),
    ]  # fmt: skip
    assert "OMOP tables that are not read: cohort" in report.warnings
    assert con.execute('SELECT concept, "time", date_only, source_row FROM event').fetchall()[0][2:] == (True, 1)
    attached = con.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
    assert attached == [("memory",)]
    again = ingest(con, [file], CONCEPTS)
    assert (again.sources, again.unchanged) == ((), ("cdm.duckdb#person", "cdm.duckdb#death"))


def test_a_view_is_read_as_a_table_is_and_changes_with_what_it_shows(tmp_path):
    statements = (
        "CREATE TABLE person AS SELECT 1 AS person_id",
        "CREATE TABLE lab AS SELECT i AS measurement_id, 1 AS person_id, 600 AS measurement_concept_id, "
        "DATE '2024-01-01' AS measurement_date, i AS value_as_number FROM range(3) AS t(i)",
        "CREATE VIEW measurement AS SELECT * FROM lab ORDER BY measurement_id DESC",
    )
    path = database(tmp_path / "cdm.duckdb", *statements)
    con, report = loaded(path)
    assert {one.source_file: one.rows_loaded for one in report.sources} == {
        "cdm.duckdb#person": 1, "cdm.duckdb#measurement": 3,
    }  # fmt: skip
    rows = "SELECT source_row, value FROM event ORDER BY source_row"
    assert con.execute(rows).fetchall() == [(1, 0.0), (2, 1.0), (3, 2.0)]
    again = ingest(con, [path], CONCEPTS)
    assert again.events == 0
    only = database(tmp_path / "views.duckdb", statements[1], statements[2])
    assert omop.claims(only)
    gone = database(tmp_path / "gone.duckdb", *statements, "DROP TABLE lab")
    with pytest.raises(ExtractError, match=r"gone.duckdb: measurement cannot be read: is it a view of something"):
        loaded(gone)


def test_a_database_of_views_alone_is_read(tmp_path):
    file = database(
        tmp_path / "cdm.duckdb",
        PERSON_TABLE.replace("PERSON AS", "p AS"), DEATH_TABLE.replace("DEATH AS", "d AS"),
        "CREATE VIEW person AS FROM p", "CREATE VIEW death AS FROM d",
    )  # fmt: skip
    _, report = loaded(file)
    assert {one.source_file: one.rows_loaded for one in report.sources} == {
        "cdm.duckdb#person": 1, "cdm.duckdb#death": 1,
    }  # fmt: skip


def test_files_that_are_no_tables_are_named_or_counted(tmp_path):
    folder = write(tmp_path / "cdm", person=PERSON, drug_exposure=DRUGS)
    for number in range(leftover.NAMED + 1):
        (folder / f"{number}.txt").write_text("x", encoding="utf-8")
    (folder / "LICENSE").write_text("x", encoding="utf-8")
    _, report = loaded(folder)
    assert "no tables of the OMOP CDM, and not read: *.txt (9 files), without an ending (1 file)" in report.warnings


def test_a_changed_database_replaces_its_tables_and_those_that_are_gone(tmp_path):
    file = database(tmp_path / "cdm.duckdb", PERSON_TABLE, DEATH_TABLE)
    con, _ = loaded(file)
    file.unlink()
    database(file, PERSON_TABLE, "CREATE TABLE visit_occurrence AS SELECT 1 AS person_id, 9201 AS visit_concept_id, "
             "TIMESTAMP '2024-01-01 08:00' AS visit_start_datetime")  # fmt: skip
    with pytest.raises(ExtractError, match=r"`--replace` puts it"):
        ingest(con, [file], CONCEPTS)
    report = ingest(con, [file], CONCEPTS, replace=True)
    assert sorted(report.replaced) == ["cdm.duckdb#death", "cdm.duckdb#person"]
    assert con.execute("SELECT concept, date_only FROM event").fetchall() == [("stay", False)]


def test_tables_are_taken_from_the_schema_of_the_persons_and_the_vocabulary_from_another(tmp_path):
    file = database(
        tmp_path / "site.duckdb",
        "CREATE SCHEMA cdm", "CREATE SCHEMA vocab", "CREATE SCHEMA results",
        "CREATE TABLE cdm.person AS SELECT 1 AS person_id",
        "CREATE TABLE cdm.death AS SELECT 1 AS person_id, DATE '2024-03-01' AS death_date, 77 AS cause_concept_id",
        "CREATE TABLE results.death AS SELECT 9 AS person_id, DATE '2024-03-01' AS death_date",
        "CREATE TABLE vocab.concept AS SELECT 77 AS concept_id, 'Sepsis' AS concept_name",
    )  # fmt: skip
    con, _ = loaded(file)
    assert con.execute("SELECT patient_id, text FROM event").fetchall() == [("1", "Sepsis")]
    database(file, "CREATE TABLE results.person AS SELECT 1 AS person_id")
    with pytest.raises(ExtractError) as caught:
        loaded(file)
    assert str(caught.value) == (
        "site.duckdb: the schemas cdm and results both hold a table person; copy one into a file of its own"
    )


def test_a_table_loaded_without_its_names_has_them_in_its_first_row(tmp_path):
    file = database(
        tmp_path / "cdm.duckdb",
        PERSON_TABLE,
        "CREATE TABLE death AS SELECT * FROM (VALUES ('PERSON_ID', 'DEATH_DATE', 'CAUSE_SOURCE_VALUE'), "
        "('1', '2024-03-01', 'x')) AS t(column0, column1, column2)",
    )
    con, report = loaded(file)
    assert [(one.rows_read, one.rows_loaded, one.rows_rejected) for one in report.sources] == [(1, 1, 0), (2, 1, 1)]
    assert con.execute("SELECT concept, text, source_row FROM event").fetchall() == [("death", "x", 2)]
    assert con.execute("SELECT source_row, reason FROM meta.rejected").fetchall() == [
        (1, "the row repeats the names of the columns")
    ]


def test_a_study_is_no_extract_of_itself(tmp_path, capsys):
    extract = write(tmp_path / "omop", person=PERSON, drug_exposure=DRUGS)
    study = tmp_path / "study.duckdb"
    assert cli.main(["ingest", str(study), str(extract)]) == 0
    assert cli.main(["ingest", str(study), str(study), "--format", "omop"]) == 1
    assert "is it the study itself, or open in another program?" in capsys.readouterr().err


# What a code stands for

VOCABULARY = {
    "concept": "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,concept_code\n"
    "500,ingredient,Drug,RxNorm,Ingredient,3264\n"
    "501,tablet,Drug,RxNorm,Clinical Drug,197580\n"
    "600,protein,Measurement,LOINC,Lab Test,1988-5\n"
    "700,fever,Condition,SNOMED,Clinical Finding,386661006\n"
    "701,fever code,Condition,ICD10CM,4-char billing code,R50.9\n"
    "702,other fever code,Condition,ICD10CM,4-char billing code,R50.8\n",
    "concept_ancestor": "ancestor_concept_id,descendant_concept_id,min_levels_of_separation\n"
    "501,501,0\n500,501,2\n900,501,3\n901,501,1\n",
}
CONDITIONS = (
    "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_concept_id,"
    "condition_source_value\n"
)


def test_a_product_is_what_its_ingredient_is_and_a_code_what_its_vocabulary_says(tmp_path):
    measured = (
        "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number\n1,1,600,2024-01-01,5\n"
    )
    extract = write(tmp_path / "x", person=PERSON, drug_exposure=DRUGS, measurement=measured, **VOCABULARY)
    con, _ = loaded(extract)
    assert concepts_of(con) == [(1, "steroid_a"), (2, "steroid_a"), (1, "protein")]
    parents = con.execute("SELECT DISTINCT parents FROM meta.code WHERE code = 'OMOP/501'").fetchall()
    assert parents == [(["RxNorm/197580", "OMOP/901", "OMOP/500", "RxNorm/3264", "OMOP/900"],)]


def test_a_changed_vocabulary_is_a_change_of_the_tables_whose_codes_it_explains(tmp_path):
    conditions = CONDITIONS + "1,1,0,2024-01-01,0,R50.9\n"
    tables = {"person": PERSON, "condition_occurrence": conditions, "drug_exposure": DRUGS}
    extract = write(tmp_path / "x", **tables)
    con, _ = loaded(extract)
    assert set(concepts_of(con)) == {(1, None), (2, None)}
    write(extract, **VOCABULARY)
    changed = "drug_exposure.csv: this is not the file of this name that the study holds, or what other files say of"
    with pytest.raises(ExtractError, match=changed):
        ingest(con, [extract], CONCEPTS)
    report = ingest(con, [extract], CONCEPTS, replace=True)
    assert report.replaced == ("drug_exposure.csv",)
    assert report.unchanged == ("person.csv", "condition_occurrence.csv")
    assert ingest(con, [extract], CONCEPTS).sources == ()
    steroids = "SELECT count(*) FROM event WHERE concept = 'steroid_a'"
    assert con.execute(steroids).fetchall() == [(2,)]
    # Concepts that no row uses change nothing; and what is stored of codes is of the new vocabulary.
    write(extract, concept=VOCABULARY["concept"] + "999,other,Drug,RxNorm,Ingredient,9\n")
    assert ingest(con, [extract], CONCEPTS).sources == ()
    renamed = CONCEPTS["steroid_a"], Concept(name="steroid_b", units=("mg",), codes=("RxNorm/3264",))
    ingest(con, [extract], {**CONCEPTS, "steroid_a": Concept(name="steroid_a"), renamed[1].name: renamed[1]})
    assert con.execute(steroids.replace("_a", "_b")).fetchall() == [(2,)]


def test_of_equally_near_ancestors_that_differ_none_is_chosen(tmp_path):
    vocabulary = {
        "concept": "concept_id,vocabulary_id,concept_code,concept_class_id\n500,RxNorm,3264,\n510,LOINC,1988-5,\n"
        "520,RxNorm,3264,Ingredient\n",
        "concept_ancestor": "ancestor_concept_id,descendant_concept_id,min_levels_of_separation\n"
        "500,501,2\n510,501,2\n500,502,1\n510,502,2\n510,503,2\n520,503,2\n",
    }
    drugs = DRUGS + "3,2,502,2024-01-03\n4,2,503,2024-01-04\n"
    extract = write(tmp_path / "x", person=PERSON, drug_exposure=drugs, **vocabulary)
    con, report = loaded(extract)
    # Of a class and an ingredient at one distance the ingredient says more.
    assert concepts_of(con) == [(1, None), (2, None), (3, "steroid_a"), (4, "steroid_a")]
    said = "OMOP/501 (2 rows) stands for codes of protein, steroid_a; say which in a mapping"
    assert [one for one in report.warnings if "say which in a mapping" in one] == [said]
    # Nor by a change of concepts, unless it leaves one of the two.
    other = Concept(name="other", codes=("LOINC/1-8",))
    remap(con, {**CONCEPTS, "other": other})
    assert concepts_of(con)[0] == (1, None)
    remap(con, {name: one for name, one in CONCEPTS.items() if name != "protein"})
    assert {concept for _, concept in concepts_of(con)} == {"steroid_a"}
    remap(con, CONCEPTS)
    assert concepts_of(con) == [(1, None), (2, None), (3, "steroid_a"), (4, "steroid_a")]
    mapping = tmp_path / "m.yaml"
    mapping.write_text("codes: {OMOP/501: steroid_a}\n")
    con, report = loaded(extract, mapping=mapping)
    assert {concept for _, concept in concepts_of(con)} == {"steroid_a"}


def test_a_source_concept_stands_for_the_standard_one_that_it_maps_to(tmp_path):
    relationship = (
        "concept_id_1,concept_id_2,relationship_id,invalid_reason\n"
        "801,501,Maps to,\n802,501,Maps to,D\n803,501,Mapped from,\n501,501,Maps to,\n"
    )
    drugs = (
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_source_concept_id\n"
        "1,1,0,2024-01-01,801\n2,2,0,2024-01-02,802\n3,2,0,2024-01-03,803\n4,2,501,2024-01-04,801\n"
    )
    tables = {"person": PERSON, "drug_exposure": drugs, "concept_relationship": relationship, **VOCABULARY}
    con, _ = loaded(write(tmp_path / "x", **tables))
    assert con.execute("SELECT code, concept FROM event ORDER BY source_row").fetchall() == [
        ("OMOP/801", "steroid_a"), ("OMOP/802", None), ("OMOP/803", None), ("OMOP/501", "steroid_a"),
    ]  # fmt: skip


def test_a_source_concept_speaks_for_a_code_only_where_all_its_rows_have_it(tmp_path):
    one = CONDITIONS + "1,1,700,2024-01-01,701,R50.9\n2,2,700,2024-01-02,701,R50.9\n"
    con, report = loaded(write(tmp_path / "one", person=PERSON, condition_occurrence=one, **VOCABULARY))
    assert concepts_of(con) == [(1, "fever_coded"), (2, "fever_coded")]
    assert not [said for said in report.warnings if "source concepts" in said]
    two = one + "3,2,700,2024-01-03,702,R50.8\n"
    con, report = loaded(write(tmp_path / "two", person=PERSON, condition_occurrence=two, **VOCABULARY))
    assert concepts_of(con) == [(1, None), (2, None), (3, None)]
    [said] = [said for said in report.warnings if "source concepts" in said]
    assert said.startswith("1 codes stand for several source concepts each (2 in all)")
    assert "columns: {code: condition_source_concept_id}" in said


def test_a_mapping_may_ask_for_the_source_concept_or_the_source_code(tmp_path):
    rows = CONDITIONS + "1,1,700,2024-01-01,701,R50.9\n2,2,700,2024-01-03,702, R50.8 \n3,2,700,2024-01-04,0,\n"
    extract = write(tmp_path / "x", person=PERSON, condition_occurrence=rows, **VOCABULARY)
    mapping = tmp_path / "m.yaml"
    mapping.write_text("columns: {code: condition_source_concept_id}\n")
    con, _ = loaded(extract, mapping=mapping)
    assert con.execute("SELECT code, concept FROM event ORDER BY source_row").fetchall() == [
        ("OMOP/701", "fever_coded"), ("OMOP/702", None), ("OMOP/700", None),
    ]  # fmt: skip
    mapping.write_text("columns: {code: CONDITION_SOURCE_VALUE}\ncodes: {R50.8: fever_coded}\n")
    con, _ = loaded(extract, mapping=mapping)
    assert con.execute("SELECT code, concept FROM event ORDER BY source_row").fetchall() == [
        ("R50.9", None), ("R50.8", "fever_coded"), ("OMOP/700", None),
    ]  # fmt: skip


def test_a_mapping_finds_codes_of_the_source_by_the_name_of_their_table(tmp_path):
    rows = "person_id,drug_concept_id,drug_exposure_start_date,drug_source_value\n1,0,2024-01-01,DEX 4 MG\n"
    mapping = tmp_path / "m.yaml"
    mapping.write_text("codes: {drug_exposure/DEX 4 MG: steroid_a}\n")
    con, _ = loaded(write(tmp_path / "x", person=PERSON, drug_exposure=rows), mapping=mapping)
    assert con.execute("SELECT code, concept FROM event").fetchall() == [("drug_exposure/DEX 4 MG", "steroid_a")]


def test_a_mapping_may_say_what_we_do_not_guess_and_names_no_column_in_vain(tmp_path):
    header = "person_id,drug_concept_id,drug_exposure_start_date,quantity,sig\n"
    rows = header + "1,500,2024-01-01,4,\n2,500,2024-01-02,<2,low\n"
    extract = write(tmp_path / "x", person=PERSON, drug_exposure=rows)
    mapping = tmp_path / "m.yaml"
    mapping.write_text("columns: {value: quantity, text: SIG}\ncodes: {OMOP/500: {concept: steroid_a, unit: g}}\n")
    con, _ = loaded(extract, mapping=mapping)
    assert con.execute("SELECT concept, value, bound, unit, text FROM event ORDER BY source_row").fetchall() == [
        ("steroid_a", 4000.0, None, "mg", None), ("steroid_a", 2000.0, "<", "mg", "low"),
    ]  # fmt: skip
    for columns, message in {
        "{value: dose}": "mapping m.yaml: `columns`: no table has the column `dose` (for value)",
        "{patient_id: sig}\ntables: {x: {kind: patients}}": (
            "mapping m.yaml: `columns`: the patient is always `person_id`; leave `patient_id` out; `tables` are of "
            "files that are no OMOP; leave them out, or read the files with --format native"
        ),
    }.items():
        mapping.write_text(f"columns: {columns}\n")
        with pytest.raises(ExtractError) as caught:
            loaded(extract, mapping=mapping)
        assert str(caught.value) == message


def test_a_vocabulary_that_is_cut_short_is_named(tmp_path):
    extract = write(tmp_path / "x", person=PERSON, drug_exposure=DRUGS)
    lines = "".join(f"{number},concept number {number * 7919}\n" for number in range(40_000))
    packed = gzip.compress(f"concept_id,concept_name\n{lines}".encode(), mtime=0)
    (extract / "concept.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ExtractError, match=r"concept.csv.gz: the file is damaged"):
        loaded(extract)


def test_a_column_of_the_staged_rows_is_told_for_each_that_is_read(tmp_path):
    extract = write(tmp_path / "x", PERSON=PERSON.replace("person_id", "PERSON_ID"), drug_exposure=DRUGS)
    with duckdb.connect() as con:
        staged = omop.stage(con, extract, None, "s")
    assert [[field.name for field in one.reads] for one in staged] == [
        ["PERSON_ID", "gender_concept_id", "birth_datetime"],
        ["person_id", "drug_concept_id", "drug_exposure_start_date"],
    ]
    assert [field.type for field in staged[1].reads] == ["VARCHAR", "BIGINT", "DATE"]


def test_a_draft_of_a_mapping_knows_the_names_of_the_extract_s_concepts(tmp_path):
    folder = write(tmp_path / "x", person=PERSON, drug_exposure=DRUGS, **VOCABULARY)
    file = database(
        tmp_path / "site.duckdb",
        *(f"CREATE TABLE {one.stem} AS FROM read_csv('{one}', all_varchar = true)" for one in folder.iterdir()),
    )
    for extract in (folder, file):
        [code] = draft(extract, {}).codes
        assert (code.key, code.description) == ("OMOP/501", "tablet")


# Servers

SECRET = "postgresql://ada:p4ssw0rd@localhost:1/cdm?sslmode=require&password=p4ssw0rd"


def test_an_address_is_shown_without_what_opens_it():
    assert address.shown(SECRET) == "postgresql://localhost:1/cdm"
    assert address.shown("postgres://cdm.example/omop") == "postgresql://cdm.example/omop"
    assert address.is_address(SECRET) and not address.is_address("postgresql.csv")
    assert not address.is_address(Path("postgres/omop"))


def test_a_server_that_cannot_be_read_is_an_error_without_the_password(tmp_path, capsys):
    """Where DuckDB has its PostgreSQL extension, nobody listens on port 1; where it has none, it says so."""
    study = tmp_path / "study.duckdb"
    assert cli.main(["ingest", str(study), SECRET]) == 1
    said = "".join(capsys.readouterr())
    assert said.startswith("postgresql://localhost:1/cdm: ") and "p4ssw0rd" not in said and "ada" not in said
    assert "\\copy person TO 'omop/person.csv' CSV HEADER" in said or "cannot be reached" in said
    assert not study.exists()
    with pytest.raises(UsageError, match="postgresql://localhost:1/cdm: only --format omop is read from a server"):
        format_of(SECRET, "meds")


def test_tables_of_a_server_are_numbered_and_hashed_by_what_they_hold(tmp_path):
    """A DuckDB file stands in for the server: from being attached on, both are the same to us."""

    def read(*rows: str) -> dict[str, tuple[str | None, list[tuple]]]:
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.duckdb"
        values = ", ".join(f"({row})" for row in rows)
        database(file, PERSON_TABLE, f"CREATE TABLE death AS FROM (VALUES {values}) AS t(person_id, death_date)")
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{file}' AS cdm (READ_ONLY)")
            extract = server.copied(con, found.in_database(con, Path("shown"), "cdm", "shown", numbered=False), "s")
            return {
                one.source_file: (one.digest, con.execute(f"FROM {one.relation} ORDER BY source_row").fetchall())
                for one in extract.tables
            }

    first = read("2, '2024-01-02'", "1, '2024-01-01'", "1, '2024-01-01'")
    assert first == read("1, '2024-01-01'", "1, '2024-01-01'", "2, '2024-01-02'")
    assert first["shown#death"][1] == [(1, "2024-01-01", 1), (1, "2024-01-01", 2), (2, "2024-01-02", 3)]
    changed = read("1, '2024-01-01'", "2, '2024-01-02'")
    assert changed["shown#death"][0] != first["shown#death"][0]
    assert changed["shown#person"] == first["shown#person"]


def test_gaps_that_a_data_frame_writes_as_nan_are_missing_ids(tmp_path):
    """Statistics of a Parquet file leave NaN out, so that DuckDB may prove conditions that do not hold of it."""
    gap = [1.0, float("nan")]
    pl.DataFrame(
        {
            "person_id": [1, 2], "gender_concept_id": [8532.0, gap[1]], "year_of_birth": [1970.0, gap[1]],
            "month_of_birth": gap, "day_of_birth": gap,
        }
    ).write_parquet(tmp_path / "person.parquet")  # fmt: skip
    ids = ("unit_concept_id", "operator_concept_id", "value_as_concept_id", "measurement_source_concept_id")
    pl.DataFrame(
        {
            "person_id": [1, 2], "measurement_concept_id": [600.0, gap[1]], "measurement_date": ["2024-01-01"] * 2,
            "value_as_number": gap, "measurement_source_value": ["a", "b"], **dict.fromkeys(ids, gap),
        }
    ).write_parquet(tmp_path / "measurement.parquet")  # fmt: skip
    con, report = loaded(tmp_path)
    assert all(one.reconciles and one.rows_loaded == 2 for one in report.sources)
    born = "SELECT CAST(patient_id AS VARCHAR), sex, CAST(birth_date AS VARCHAR), birth_year FROM patient ORDER BY 1"
    assert con.execute(born).fetchall() == [("1", "F", "1970-01-01", 1970), ("2", None, None, None)]
    assert con.execute("SELECT code FROM event ORDER BY source_row").fetchall() == [("OMOP/600",), ("measurement/b",)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/New_York"])
def test_an_instant_of_birth_is_a_day_in_utc_whatever_the_clock_of_the_machine(tmp_path, zone):
    person = "CREATE TABLE person AS SELECT 1 AS person_id, TIMESTAMPTZ '1970-12-31 23:30+00' AS birth_datetime"
    path = database(tmp_path / "cdm.duckdb", person, DEATH_TABLE)
    con = store.connect(":memory:")
    con.execute(f"SET TimeZone = '{zone}'")
    ingest(con, [path], CONCEPTS, timezone="Europe/Zurich")
    assert con.execute("SELECT CAST(birth_date AS VARCHAR), birth_year FROM patient WHERE patient_id = '1'").fetchall()[
        0
    ] == ("1970-12-31", 1970)

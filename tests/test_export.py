"""What is exported is what the study holds: read back it is equal, conforms to its standard, and says what it is."""

import csv
import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from timeline import Study, cdm, cli
from timeline.demo import cohort
from timeline.errors import StudyError, UsageError
from timeline.export import MARK
from timeline.synth import synthesize

RULES = """
answer:
  title: Answers, "yes" or no
  source: nobody
  from: temperature
  columns:
    level: {sql: value, meaning: "how warm | it was", unit: Cel}
    warm: {sql: value >= 38, meaning: whether it was warm}
    word: {sql: "case when value >= 38 then 'warm, \\"very\\"' when value >= 37 then '' end", meaning: in a word}
    seen: {sql: time, meaning: when}
fever:
  title: Fevers
  episodes: answer
  gap: 24h
  where: warm
  columns:
    highest: {sql: max(level), meaning: the highest}
  """
EVENTS = """patient_id,time,code,value,unit
{a},2024-01-01 06:00,temperature,36.6,Cel
{a},2024-01-01 18:00:00.000001,temperature,38.4,Cel
{a},2024-01-02 06:00,temperature,39.123456789,Cel
{a},2024-01-09,temperature,38,Cel
{b},2024-01-01 06:00,temperature,37.2,Cel
"""


def study_of(folder: Path, a: str = "A", b: str = "0b") -> Study:
    """A study of two patients and two rules."""
    (folder / "extract").mkdir(parents=True)
    (folder / "extract" / "events.csv").write_text(EVENTS.format(a=a, b=b), encoding="utf-8")
    (folder / "extract" / "patients.csv").write_text(f"patient_id,sex,birth_date\n{a},female,1970-02-03\n")
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    study = Study.open(folder / "study.duckdb")
    study.ingest(folder / "extract")
    study.run(folder / "rules", only=True)
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study_of(tmp_path_factory.mktemp("study"))


def types(folder: Path) -> dict[str, dict[str, str]]:
    """Table -> column -> type, as the data dictionary says."""
    with (folder / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["table"]: {r["column"]: r["type"] for r in rows if r["table"] == row["table"]} for row in rows}


def read_csv(file: Path, columns: dict[str, str]) -> pl.DataFrame:
    """A CSV export as the README of the export says that it is read."""
    casts = [
        f"from_json({name}, '[\"UBIGINT\"]') AS {name}" if kind.endswith("[]") else f"CAST({name} AS {kind}) AS {name}"
        for name, kind in columns.items()
    ]
    read = f"read_csv('{file}', all_varchar = true, allow_quoted_nulls = false)"
    with duckdb.connect() as con:
        return pl.DataFrame(con.sql(f"SELECT {', '.join(casts)} FROM {read}").to_arrow_table())


def as_words(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_read_back_are_equal_to_those_of_the_study(study: Study, tmp_path: Path, form: str) -> None:
    tables = ["answer", "fever", "patient", "event"]
    report = study.export(tmp_path / "out", form, tables=tables)
    assert [(one.file, one.rows) for one in report.files] == [
        (f"{name}.{form}", rows) for name, rows in zip(tables, (5, 2, 2, 5), strict=True)
    ]
    declared = types(tmp_path / "out")
    for name in tables:
        file = tmp_path / "out" / f"{name}.{form}"
        read = read_csv(file, declared[name]) if form == "csv" else pl.read_parquet(file)
        kept = as_words(study.table(name))
        assert read.columns == kept.columns
        order = ["patient_id", "time", "event_id"] if name == "event" else read.columns[:2]
        assert read.sort(order).equals(kept.sort(order)), name


def test_in_csv_null_and_the_empty_text_differ_and_numbers_have_all_digits(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "csv", tables=["answer"])
    lines = (tmp_path / "out" / "answer.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["1", "1", "2", "3", "4"]
    found = read_csv(tmp_path / "out" / "answer.csv", types(tmp_path / "out")["answer"])
    assert found.filter(patient_id="A")["word"].to_list() == [None, *['warm, "very"'] * 3]
    assert found.filter(patient_id="0b")["word"].to_list() == [""]
    assert 39.123456789 in found["level"].to_list()
    assert '"39.123456789"' not in "".join(lines) and "39.123456789" in "".join(lines)


def test_the_dictionary_describes_every_column_of_every_file(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "parquet")
    declared = types(tmp_path / "out")
    assert list(declared) == ["answer", "fever"]
    for name, columns in declared.items():
        assert list(columns) == pl.read_parquet(tmp_path / "out" / f"{name}.parquet").columns
    with (tmp_path / "out" / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    level = rows["answer", "level"]
    assert (level["unit"], level["meaning"], level["source"]) == ("Cel", "how warm | it was", "nobody")
    assert level["title"] == 'Answers, "yes" or no'
    page = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "how warm \\| it was" in page and "## fever" in page and "Data of real patients." in page


def test_an_export_says_where_it_comes_from(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "csv")
    said = json.loads((tmp_path / "out" / MARK).read_text(encoding="utf-8"))
    run, digest = study.sql("SELECT run, ruleset_hash FROM meta.run").row(0)
    assert (said["run"], said["ruleset_hash"], said["synthetic"]) == (run, digest, "false")
    assert [one["file"] for one in said["sources"]] == ["events.csv", "patients.csv"]
    assert said["sources"][0]["read"] == 5 and said["files"] == {"answer.csv": 5, "fever.csv": 2}


def test_a_folder_of_ours_is_written_anew_and_any_other_left_alone(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "csv")
    (tmp_path / "out" / "mine.txt").write_text("a note")
    study.export(tmp_path / "out", "csv", tables=["fever"])
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "fever.csv", "dictionary.csv", "README.md", MARK, "mine.txt",
    }  # fmt: skip
    with pytest.raises(UsageError, match="holds an export as csv .* and this one is as omop"):
        study.export(tmp_path / "out", "omop")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="is not empty, and no export wrote it"):
        study.export(tmp_path / "other", "csv")
    assert [one.name for one in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_a_mark_cannot_name_files_outside_its_folder(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "csv")
    (tmp_path / "precious.txt").write_text("years of work")
    mark = tmp_path / "out" / MARK
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "files": {"../precious.txt": 1}}))
    study.export(tmp_path / "out", "csv")
    assert (tmp_path / "precious.txt").exists()


def test_real_and_synthetic_exports_do_not_mix(study: Study, tmp_path: Path) -> None:
    study.export(tmp_path / "out", "csv")
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "extract.yaml").write_text("synthetic: true\n")
    (tmp_path / "extract" / "events.csv").write_text(EVENTS.format(a="A", b="B"))
    made = Study.open(tmp_path / "made.duckdb")
    made.ingest(tmp_path / "extract")
    made.run(study.path.parent / "rules", only=True)
    with pytest.raises(UsageError, match="so that they do not mix"):
        made.export(tmp_path / "out", "csv")
    report = made.export(tmp_path / "made", "csv")
    assert report.synthetic == "true" and "no real patient" in report.remark
    assert "Synthetic data" in (tmp_path / "made" / "README.md").read_text()


WRONG = [
    ({"form": "xlsx"}, "there is no form `xlsx`"),
    ({"form": "csv", "tables": ["fewer"]}, "there is no table `fewer`; did you mean `fever`"),
    ({"form": "omop", "tables": ["event"]}, "`event` is what was read, not derived"),
    ({"form": "csv", "labels": ["answer.warm@time"]}, "labels go with MEDS"),
    ({"form": "meds", "labels": ["answer.warm"]}, "write RULE.COLUMN@TIME_COLUMN"),
    ({"form": "meds", "labels": ["nothing.warm@time"]}, "there is no table `nothing`"),
    ({"form": "meds", "labels": ["answer.cold@time"]}, "`answer` has no column `cold`"),
    ({"form": "meds", "labels": ["answer.warm@level"]}, "`level` is no time"),
    ({"form": "meds", "labels": ["answer.evidence@time"]}, "a label is a truth, a number or a word"),
    ({"form": "csv", "extract": "extract"}, "ids of an extract go with OMOP"),
    ({"form": "omop", "extract": "extract"}, "no extract of the OMOP CDM"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_a_wrong_call_is_told_and_writes_nothing(study: Study, tmp_path: Path, call: dict, message: str) -> None:
    if "extract" in call:
        call = {**call, "extract": study.path.parent / call["extract"]}
    with pytest.raises(UsageError) as error:
        study.export(tmp_path / "out", **call)
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def test_nothing_is_exported_of_a_study_in_which_nothing_was_derived(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS.format(a="A", b="B"))
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(tmp_path / "events.csv")
    with pytest.raises(StudyError, match="timeline run"):
        study.export(tmp_path / "out", "csv")


def test_the_command_says_what_it_wrote(study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", str(study.path), str(tmp_path / "out"), "--as", "csv", "--tables", "fever,patient"]) == 0
    printed = capsys.readouterr().out
    assert "fever.csv" in printed and "2 files of data" in printed
    assert cli.main(["export", str(study.path), str(tmp_path / "meds"), "--as", "meds", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["form"] == "meds"


def test_meds_conforms_and_read_in_again_has_the_same_rows(study: Study, tmp_path: Path) -> None:
    from meds import CodeMetadataSchema, DataSchema, DatasetMetadataSchema

    study.export(tmp_path / "out", "meds")
    data = pq.read_table(tmp_path / "out" / "data" / "0.parquet")
    DataSchema.validate(data)
    codes = pq.read_table(tmp_path / "out" / "metadata" / "codes.parquet")
    CodeMetadataSchema.validate(codes)
    DatasetMetadataSchema.validate(json.loads((tmp_path / "out" / "metadata" / "dataset.json").read_text()))
    frame = pl.read_parquet(tmp_path / "out" / "data" / "0.parquet")
    assert set(frame["code"]) <= set(codes.column("code").to_pylist())
    assert frame.equals(frame.sort("subject_id", "time", nulls_last=False, maintain_order=True))
    # By hand: 5 answers with 4 values each, but for one word that is NULL; 2 fevers with one value.
    assert frame.group_by("code").len().sort("code").rows() == [
        ("timeline//answer", 5), ("timeline//answer//level", 5), ("timeline//answer//seen", 5),
        ("timeline//answer//warm", 5), ("timeline//answer//word", 4), ("timeline//fever", 2),
        ("timeline//fever//highest", 2),
    ]  # fmt: skip
    again = Study.open(tmp_path / "again.duckdb")
    report = again.ingest(tmp_path / "out")
    assert report.events == frame.height and all(one.reconciles for one in report.sources)
    found = again.sql("SELECT CAST(patient_id AS VARCHAR) AS subject_id, time, code, value, end_time, unit FROM event")
    sent = frame.select(
        pl.col("subject_id").cast(pl.String), "time", "code",
        pl.col("numeric_value").cast(pl.String).cast(pl.Float64).alias("value"), "end_time", "unit",
    )  # fmt: skip
    assert found.sort(found.columns).equals(sent.sort(sent.columns))


def test_labels_conform_and_say_how_many_look_ahead(study: Study, tmp_path: Path) -> None:
    from meds import LabelSchema

    labels = ["answer.warm@time", "answer.level@time", "answer.word@time", "fever.number@start_time",
              "fever.highest@start_time"]  # fmt: skip
    report = study.export(tmp_path / "out", "meds", labels=labels)
    frames = {}
    for label in labels:
        table = pq.read_table(tmp_path / "out" / "labels" / f"{label}.parquet")
        LabelSchema.validate(table)
        frames[label] = pl.DataFrame(table)
    assert frames["answer.warm@time"]["boolean_value"].to_list() == [False, False, True, True, True]
    assert frames["answer.word@time"].height == 4
    assert frames["fever.number@start_time"]["integer_value"].to_list() == [1, 2]
    assert frames["fever.highest@start_time"].columns == ["subject_id", "prediction_time", "float_value"]
    notes = "\n".join(report.notes)
    assert "answer.warm@time: 0 of 5 rest on events after their prediction time" in notes
    # The first fever lasts from one reading to the next; the second is one reading.
    assert "fever.highest@start_time: 1 of 2 rest on events after their prediction time" in notes
    assert "answer.word@time: rows without a value or a time, and so without a label: 1" in notes


def check_model(folder: Path) -> None:
    """Every file of the model has its columns, each cell the column's type, and what must be filled is filled."""
    with duckdb.connect() as con:
        for table in ("person", "episode", "episode_event", "cohort", "cohort_definition"):
            fields = cdm.TABLES[table]
            names = ", ".join(f'"{field.name}"' for field in fields)
            con.execute(f"CREATE TABLE {table} ({', '.join(f'{f.name} {f.type}' for f in fields)})")
            con.execute(f"COPY {table} FROM '{folder / table}.csv' (HEADER)")
            header = (folder / f"{table}.csv").read_text(encoding="utf-8").splitlines()[0]
            assert header == names.replace('"', "").replace(", ", ",")
            for field in fields:
                if not field.nullable and field.name != "year_of_birth":
                    empty = con.execute(f"SELECT count(*) FROM {table} WHERE {field.name} IS NULL").fetchall()[0][0]
                    assert not empty, f"{table}.{field.name}"
        orphans = """SELECT (SELECT count(*) FROM episode WHERE person_id NOT IN (SELECT person_id FROM person))
            + (SELECT count(*) FROM episode_event WHERE episode_id NOT IN (SELECT episode_id FROM episode))
            + (SELECT count(*) FROM cohort WHERE subject_id NOT IN (SELECT person_id FROM person))"""
        assert con.execute(orphans).fetchall() == [(0,)]


def test_omop_has_an_episode_a_span_with_its_events_and_a_cohort(study: Study, tmp_path: Path) -> None:
    report = study.export(tmp_path / "out", "omop")
    check_model(tmp_path / "out")
    read = {name: pl.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("person", "episode", "cohort")}
    assert read["person"].select("person_id", "gender_concept_id", "person_source_value").rows() == [
        (1, 0, "0b"), (2, 8532, "A"),
    ]  # fmt: skip
    shown = read["episode"].select("person_id", "episode_number", "episode_start_datetime", "episode_end_date")
    assert shown.rows() == [
        (2, 1, "2024-01-01 18:00:00.000001", "2024-01-02"), (2, 2, "2024-01-09 00:00:00", "2024-01-09"),
    ]  # fmt: skip
    assert set(read["episode"]["episode_source_value"]) == {"fever"}
    assert read["cohort"].height == 2
    links = pl.read_csv(tmp_path / "out" / "episode_event_source.csv", infer_schema=False)
    assert set(links["field"]) == {"timeline.event_id"} and all(int(one) < 0 for one in links["event_id"])
    assert sorted(links["source_row"].to_list()) == ["2", "3", "4"]
    assert any("no whole numbers" in note for note in report.notes)
    assert any("without a year of birth, which the model demands: 1" in note for note in report.notes)


def test_ids_that_are_whole_numbers_stay_what_they_are(tmp_path: Path) -> None:
    a, b = "-9223372036854775808", "9007199254740993"
    study = study_of(tmp_path, a, b)
    report = study.export(tmp_path / "omop", "omop")
    persons = pl.read_csv(tmp_path / "omop" / "person.csv", infer_schema=False)
    assert persons["person_id"].to_list() == [a, b] == persons["person_source_value"].to_list()
    assert not any("no whole numbers" in note for note in report.notes)
    study.export(tmp_path / "meds", "meds")
    assert {str(one) for one in pl.read_parquet(tmp_path / "meds" / "data" / "0.parquet")["subject_id"]} == {a, b}


@pytest.mark.parametrize(("a", "b"), [("007", "7"), ("1", "x"), ("9223372036854775808", "1"), ("1.0", "1")])
def test_ids_that_would_clash_or_not_fit_are_numbered(tmp_path: Path, a: str, b: str) -> None:
    study_of(tmp_path, a, b).export(tmp_path / "omop", "omop")
    persons = pl.read_csv(tmp_path / "omop" / "person.csv", infer_schema=False)
    assert sorted(persons["person_id"]) == ["1", "2"] and set(persons["person_source_value"]) == {a, b}


@pytest.fixture(scope="module")
def from_omop(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of an OMOP extract of three synthetic patients, under the rules above."""
    folder = tmp_path_factory.mktemp("omop")
    synthesize(cohort(), folder / "cdm", patients=3, seed=1, form="omop")
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    study = Study.open(folder / "study.duckdb")
    study.ingest(folder / "cdm", mapping=folder / "cdm" / "mapping.yaml")
    study.run(folder / "rules", only=True)
    return study


def test_events_of_an_omop_extract_have_the_ids_that_they_have_there(from_omop: Study, tmp_path: Path) -> None:
    extract = from_omop.path.parent / "cdm"
    report = from_omop.export(tmp_path / "out", "omop", extract=extract)
    check_model(tmp_path / "out")
    links = pl.read_csv(tmp_path / "out" / "episode_event_source.csv")
    events = pl.read_csv(tmp_path / "out" / "episode_event.csv")
    assert events.height > 20 and set(links["field"]) == {"measurement.measurement_id"}
    assert set(events["event_id"]) == set(links["event_id"])
    # The rows of these ids, in the extract itself, are fevers of the episode's own person at a time within it.
    source = pl.read_csv(extract / "measurement.csv", infer_schema=False).unique("measurement_id")
    source = source.with_columns(pl.col("measurement_id", "person_id").cast(pl.Int64))
    joined = events.join(source, left_on="event_id", right_on="measurement_id", how="left")
    joined = joined.join(pl.read_csv(tmp_path / "out" / "episode.csv"), on="episode_id", suffix="_episode")
    assert (joined["person_id"] == joined["person_id_episode"]).all()
    assert (joined["measurement_datetime"] >= joined["episode_start_datetime"]).all()
    assert (joined["measurement_datetime"] <= joined["episode_end_datetime"]).all()
    warm = pl.col("value_as_number").cast(pl.Float64)
    assert joined.select(
        (warm >= pl.when(pl.col("unit_source_value") == "Cel").then(37.99).otherwise(100.39)).all()
    ).item()
    assert any("not verified" in note for note in report.notes)


def test_ids_of_a_source_may_be_negative_and_are_never_taken_for_ours(tmp_path: Path) -> None:
    cdm = tmp_path / "cdm"
    synthesize(cohort(), cdm, patients=3, seed=1, form="omop")
    rows = pl.read_csv(cdm / "measurement.csv", infer_schema=False)
    rows.with_columns(measurement_id=pl.concat_str(pl.lit("-"), pl.col("measurement_id"))).write_csv(
        cdm / "measurement.csv"
    )
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    study = Study.open(tmp_path / "study.duckdb")
    study.ingest(cdm, mapping=cdm / "mapping.yaml")
    study.run(tmp_path / "rules", only=True)
    report = study.export(tmp_path / "out", "omop", extract=cdm)
    events = pl.read_csv(tmp_path / "out" / "episode_event.csv")
    assert events.height > 20 and (events["event_id"] < 0).all()
    given = pl.read_csv(cdm / "measurement.csv", infer_schema=False)["measurement_id"].cast(pl.Int64)
    assert set(events["event_id"]) <= set(given)
    assert not any("have no id in their source" in note for note in report.notes)


def test_an_extract_that_has_changed_since_is_refused(from_omop: Study, tmp_path: Path) -> None:
    synthesize(cohort(), tmp_path / "cdm", patients=3, seed=2, form="omop")
    with pytest.raises(UsageError, match="is not the file of this name that the study was made of"):
        from_omop.export(tmp_path / "out", "omop", extract=tmp_path / "cdm")


@pytest.mark.slow
def test_the_demo_exports_in_every_form(demo_study: Path, tmp_path: Path) -> None:
    study = Study.open(demo_study)
    for form in ("parquet", "csv", "meds", "omop"):
        report = study.export(tmp_path / form, form)
        assert report.synthetic == "true" and report.files
    check_model(tmp_path / "omop")
    spans = [row[0] for row in study.sql("SELECT rule FROM meta.rule WHERE kind = 'spans'").rows()]
    counts = {name: study.sql(f"SELECT count(*) FROM {name} WHERE start_time IS NOT NULL").item() for name in spans}
    episodes = pl.read_csv(tmp_path / "omop" / "episode.csv")
    assert dict(episodes.group_by("episode_source_value").len().iter_rows()) == {k: v for k, v in counts.items() if v}
    cohorts = pl.read_csv(tmp_path / "omop" / "cohort_definition.csv")
    assert set(cohorts["cohort_definition_name"]) == {*spans, "cohort"}
    id = cohorts.filter(cohort_definition_name="cohort")["cohort_definition_id"].item()
    assert pl.read_csv(tmp_path / "omop" / "cohort.csv").filter(cohort_definition_id=id).height == 14
    declared = types(tmp_path / "csv")
    for name, columns in declared.items():
        kept = as_words(study.table(name))
        read = read_csv(tmp_path / "csv" / f"{name}.csv", columns)
        order = [one for one in ("patient_id", "number", "analyte") if one in kept.columns]
        assert read.sort(order).equals(kept.sort(order)), name
        assert pl.read_parquet(tmp_path / "parquet" / f"{name}.parquet").sort(order).equals(kept.sort(order)), name

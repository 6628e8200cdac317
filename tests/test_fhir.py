"""FHIR: how documents are walked, what references and parts become, and that many files are as one."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import duckdb
import pytest

from timeline import ingest, store, summaries
from timeline.errors import ExtractError
from timeline.ingest import fhir, memory
from timeline.ingest.fhir import bundle, elements, systems, tables
from timeline.rules import Concept

CONCEPTS = {
    concept.name: concept
    for concept in (
        Concept(name="protein", units=("mg/L",), codes=("LOINC/1988-5",)),
        Concept(name="pressure", units=("mm[Hg]",), codes=("LOINC/8480-6",)),
        Concept(name="drug", units=("mg",), codes=("RxNorm/72435",)),
    )
}
LOINC = "http://loinc.org"


def observation(number: int, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "1988-5"}]},
        "subject": {"reference": f"Patient/P{number % 3}"},
        "effectiveDateTime": f"2024-01-01T08:{number % 60:02}:00",
        "valueQuantity": {"value": number, "unit": "mg/L", "system": "http://unitsofmeasure.org", "code": "mg/L"},
        **more,
    }


PATIENTS = [{"resourceType": "Patient", "id": f"P{n}", "gender": "female"} for n in range(3)]
PRESSURE = observation(
    7,
    code={"coding": [{"system": LOINC, "code": "85354-9"}]},
    component=[
        {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": {"value": 120, "unit": "mm[Hg]"}},
        {"code": {"text": "the other"}, "valueString": "80"},
    ],
)
RESOURCES = [*PATIENTS, *(observation(n) for n in range(5)), PRESSURE]


def lines(path: Path, resources: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    return path


def document(path: Path, resources: list[dict[str, Any]], **how: Any) -> Path:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(resources)]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, **how), "utf-8")
    return path


def study(path: Path, **options: Any) -> tuple[duckdb.DuckDBPyConnection, ingest.IngestReport]:
    con = store.connect(":memory:")
    return con, ingest.ingest(con, path, CONCEPTS, **options)


def events(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    return con.execute("""SELECT CAST(patient_id AS VARCHAR), time, concept, value, unit, text, code
        FROM event ORDER BY ALL""").fetchall()


@pytest.mark.parametrize("chunk", [1, 2, 7, 64, 1 << 20])
@pytest.mark.parametrize("how", [{}, {"indent": 2}, {"ensure_ascii": False, "separators": (",", ":")}])
def test_entries_are_handed_on_as_written_wherever_the_text_is_cut(tmp_path, monkeypatch, chunk, how):
    monkeypatch.setattr(bundle, "CHUNK", chunk)
    odd = [*RESOURCES, {"resourceType": "Basic", "x": 'a "quote" and a \\ é 水 ]}', "n": [1.50, -2e3, None, True, []]}]
    path = document(tmp_path / "b.json", odd, **how)
    found = list(bundle.entries(path, path.name))
    assert [entry.row for entry in found] == list(range(1, len(odd) + 1))
    assert [entry.full_url for entry in found] == [f"urn:uuid:{n}" for n in range(len(odd))]
    assert [json.loads(entry.json)["resource"] for entry in found] == odd
    assert all(entry.json in path.read_text("utf-8") for entry in found)


def test_what_follows_the_entries_and_a_mark_at_the_beginning_do_not_matter(tmp_path):
    path = tmp_path / "b.json"
    path.write_text('\ufeff {"entry": [{"resource": {"resourceType": "Patient"}}] , "total": 12345 , "type": "x" } \n')
    assert [entry.row for entry in bundle.entries(path, "b.json")] == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"entry": [',
        '{"entry": [{}',
        '{"entry": [{} {}]}',
        '{"a": 1',
        '{"a"}',
        "x",
    ],
)
def test_a_document_that_is_not_whole_is_refused(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ExtractError, match=r"^b.json: after entry \d: the file is cut short, or is not JSON$"):
        list(bundle.entries(path, "b.json"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", r"after entry 0: the file is a list; FHIR is a resource or a Bundle a file"),
        ('{"entry": [{}]} {}', r"after entry 1: more follows the first document; .* is named \*.ndjson$"),
        ('{"resourceType": "Patient"}\n{"resourceType": "Patient"}', r"after entry 0: more follows the first document"),
    ],
)
def test_a_document_of_another_kind_is_called_so(tmp_path, text, why):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ExtractError, match=rf"^b.json: {why}"):
        list(bundle.entries(path, "b.json"))


def test_a_large_bundle_is_walked_in_little_memory(tmp_path):
    note = {"text": "x" * 2000}
    path = document(tmp_path / "b.json", [observation(n, note=[note]) for n in range(4000)])
    assert path.stat().st_size > 8_000_000
    tracemalloc.start()
    n = sum(1 for _ in bundle.entries(path, "b.json"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 4000
    # A window of one chunk, once more while it moves, as four-byte characters at worst.
    assert peak < 5 * bundle.CHUNK * 2


def test_lines_and_bundles_and_single_files_say_the_same(tmp_path):
    for name in ("lines", "packed", "bundle", "many", "single"):
        (tmp_path / name).mkdir()
    lines(tmp_path / "lines" / "all.ndjson", RESOURCES)
    with gzip.open(tmp_path / "packed" / "all.ndjson.gz", "wt") as file:
        file.write((tmp_path / "lines" / "all.ndjson").read_text())
    document(tmp_path / "bundle" / "all.json", RESOURCES)
    for n, one in enumerate(RESOURCES):
        document(tmp_path / "many" / f"{n:02}.json", [one])
        (tmp_path / "single" / f"{n:02}.json").write_text(json.dumps(one, indent=1))
    expected, _ = study(tmp_path / "lines")
    assert len(events(expected)) == len(RESOURCES) - len(PATIENTS) + 2
    for name in ("packed", "bundle", "many", "single"):
        con, report = study(tmp_path / name)
        assert events(con) == events(expected), name
        assert con.execute("FROM patient").fetchall() == expected.execute("FROM patient").fetchall()
        assert all(one.reconciles for one in report.sources)


def test_many_files_are_one_question_and_a_short_report(tmp_path):
    for n in range(60):
        document(tmp_path / f"{n:02}.json", [*PATIENTS, observation(n), {**PRESSURE, "id": f"pressure{n}"}])
    asked = []

    class Counting:
        def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
            self.con = con

        def execute(self, *words: Any) -> Any:
            asked.append(words)
            return self.con.execute(*words)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.con, name)

    con = store.connect(":memory:")
    report = ingest.ingest(Counting(con), tmp_path, CONCEPTS)  # type: ignore[arg-type]
    assert len(report.sources) == 60 * 4
    assert con.execute("SELECT count(*) FROM event").fetchall() == [(60 * 4,)]
    # Two questions a file would be 480 and more.
    assert len(asked) < 180
    text = summaries.ingest_text(report)
    assert "(60 files)" in text and len(text.splitlines()) < 30
    assert len(text.splitlines()) < 80


def test_a_component_keeps_the_line_of_its_resource(tmp_path):
    con, report = study(lines(tmp_path / "Observation.ndjson", [observation(1), PRESSURE]))
    found = con.execute("SELECT source_file, source_row, code, value FROM event ORDER BY 1, 2").fetchall()
    assert found == [
        ("Observation.ndjson", 1, "LOINC/1988-5", 1.0),
        ("Observation.ndjson", 2, "LOINC/85354-9", 7.0),
        ("Observation.ndjson#component[1]", 2, "LOINC/8480-6", 120.0),
        ("Observation.ndjson#component[2]", 2, "the other", 80.0),
    ]
    assert [(one.source_file, one.rows_read) for one in report.sources] == [
        ("Observation.ndjson", 2),
        ("Observation.ndjson#component[1]", 1),
        ("Observation.ndjson#component[2]", 1),
    ]


@pytest.mark.parametrize("as_bundle", [False, True])
def test_a_rejected_row_keeps_its_whole_resource(tmp_path, as_bundle):
    wrong = observation(1, status="cancelled", note=[{"text": "kept"}])
    nobody = {"resourceType": "Patient", "birthDate": "1960-01-01"}
    write = document if as_bundle else lines
    con, _ = study(write(tmp_path / ("b.json" if as_bundle else "b.ndjson"), [wrong, nobody, observation(2)]))
    found = con.execute("SELECT source_row, reason, raw FROM meta.rejected ORDER BY source_row").fetchall()
    assert [(row, reason) for row, reason, _ in found] == [
        (1, "status 'cancelled' of Observation"),
        (2, "patient_id is empty"),
    ]
    raw = [json.loads(text) for _, _, text in found]
    assert [one["resource"] if as_bundle else one for one in raw] == [wrong, nobody]


def test_the_same_extract_again_is_nothing_and_a_changed_definition_is_seen(tmp_path):
    given = {
        "resourceType": "MedicationAdministration",
        "id": "m",
        "status": "completed",
        "medicationReference": {"reference": "Medication/d"},
        "subject": {"reference": "Patient/P1"},
        "effectiveDateTime": "2024-01-01",
    }
    medication = {"resourceType": "Medication", "id": "d", "code": {"text": "water"}}
    lines(tmp_path / "MedicationAdministration.ndjson", [given])
    lines(tmp_path / "Medication.ndjson", [medication])
    con, _ = study(tmp_path)
    assert events(con)[0][2] is None
    assert ingest.ingest(con, tmp_path, CONCEPTS).sources == ()
    coding = [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "72435"}]
    lines(tmp_path / "Medication.ndjson", [{**medication, "code": {"coding": coding}}])
    with pytest.raises(ExtractError, match="`--replace` puts it in that one's place"):
        ingest.ingest(con, tmp_path, CONCEPTS)
    ingest.ingest(con, tmp_path, CONCEPTS, replace=True)
    assert events(con)[0][2] == "drug"


def test_events_keep_their_ids_in_any_order_of_lines(tmp_path):
    ids = []
    for name, resources in (("one", RESOURCES), ("two", RESOURCES[::-1])):
        (tmp_path / name).mkdir()
        con, _ = study(lines(tmp_path / name / "all.ndjson", resources))
        ids.append(con.execute("SELECT event_id FROM event ORDER BY 1").fetchall())
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("name", "text", "claimed"),
    [
        ("a.ndjson", '{"resourceType": "Patient"}\n', True),
        ("a.json", '\n {\n "id": "x", "resourceType": "Bundle"}', True),
        ("a.json", '{"concepts": []}', False),
        ("a.csv", "resourceType\n", False),
        ("a.json", '["resourceType"]', False),
    ],
)
def test_what_is_fhir(tmp_path, name, text, claimed):
    (tmp_path / name).write_text(text)
    assert fhir.claims(tmp_path) is claimed
    assert fhir.claims(tmp_path / name) is claimed


def test_a_folder_without_fhir_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text('{"output": []}')
    with pytest.raises(ExtractError, match="no resource of FHIR that is read here; files without FHIR, not read: man"):
        study(tmp_path, format="fhir")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(ExtractError, match=r"no FHIR here; an extract is \*.ndjson"):
        study(tmp_path, format="fhir")


def test_files_that_cannot_be_told_for_fhir_say_why(tmp_path):
    text = json.dumps(observation(1, note=[{"text": "Größe"}]), ensure_ascii=False)
    files = {
        "a.ndjson": (text.encode("latin-1"), "not UTF-8, as FHIR is written"),
        "b.json": (text.encode("utf-16"), "not UTF-8, as FHIR is written"),
        "c.ndjson.gz": (gzip.compress(text.encode())[:-12], "damaged or cut short"),
        "d.ndjson.zst": (b"no frame", "damaged or cut short"),
        "e.json": (f"[{text}]".encode(), "a list of resources; FHIR is a resource or a Bundle a file"),
    }
    for name, (content, why) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ExtractError, match=f"no extract that is known here: {name} is {why}"):
            study(tmp_path / name)
    with pytest.raises(ExtractError, match="; and 2 more such files$"):
        study(tmp_path)
    (tmp_path / "none.json").write_text("{}")
    assert fhir.hint(tmp_path / "none.json") == ""


def test_files_packed_with_zstandard_are_read_and_must_be_whole(tmp_path):
    import pyarrow as pa

    for name in ("a.ndjson", "b.json"):
        plain = (lines if name == "a.ndjson" else document)(tmp_path / name, [*PATIENTS, observation(1)])
        packed = pa.compress(plain.read_bytes(), codec="zstd", asbytes=True)
        plain.unlink()
        path = tmp_path / f"{name}.zst"
        path.write_bytes(packed)
        con, _ = study(path)
        assert [row[3] for row in events(con)] == [1.0]
        path.write_bytes(packed[:-4])
        with pytest.raises(ExtractError, match="cut short"):
            study(path, format="fhir")
        path.unlink()


def test_files_that_are_not_used_are_named_or_counted_by_their_ending(tmp_path):
    lines(tmp_path / "a.ndjson", [*PATIENTS, observation(1)])
    (tmp_path / "deep").mkdir()
    for name in ("a.xml", "deep/b.ndjson.zip", "extract.yaml"):
        (tmp_path / name).write_text("")
    said = "other files of the folder, not read: "
    _, report = study(tmp_path)
    assert f"{said}a.xml, deep/b.ndjson.zip" in report.warnings
    for n in range(30):
        (tmp_path / f"{n}.XML").write_text("")
    _, report = study(tmp_path)
    assert f"{said}*.xml (31 files), *.zip (1 file)" in report.warnings


def test_extracts_of_one_call_hold_versions_of_each_other_and_later_ones_say_that_they_do_not(tmp_path):
    con = store.connect(":memory:")
    folders = []
    for n, status in enumerate(("final", "final", "entered-in-error")):
        folders.append(tmp_path / str(n))
        folders[-1].mkdir()
        version = {"versionId": str(n), "lastUpdated": f"2024-01-0{n + 1}T08:00:00Z"}
        lines(folders[-1] / f"{n}.ndjson", [*PATIENTS, observation(1, status=status, meta=version)])
    report = ingest.ingest(con, folders, CONCEPTS)
    assert report.events == 0 and all(one.reconciles for one in report.sources)
    assert report.rejected == (
        ("the resource is here in a newer version", 2),
        ("status 'entered-in-error' of Observation", 1),
    )
    apart = store.connect(":memory:")
    first = ingest.ingest(apart, folders[0], CONCEPTS)
    later = ingest.ingest(apart, folders[1:], CONCEPTS)
    said = "versions and retractions of FHIR resources are compared among files that are read together only"
    assert [any(said in one for one in report.warnings) for report in (first, later)] == [False, True]


@pytest.mark.parametrize(
    ("updated", "deleted", "kept"),
    [(None, None, 0), ("2024-01-01", "2024-01-02", 0), ("2024-01-03", "2024-01-02", 1), ("2024-01-03", None, 0)],
)
def test_an_entry_that_deletes_takes_back_what_is_older(tmp_path, updated, deleted, kept):
    entries = [
        {"resource": PATIENTS[1]},
        {
            "resource": {
                **PRESSURE,
                "id": "o1",
                **({"meta": {"lastUpdated": f"{updated}T08:00:00Z"}} if updated else {}),
            }
        },
        {
            "fullUrl": "http://x/Observation/o1",
            "request": {"method": "DELETE", "url": "Observation/o1"},
            **({"response": {"lastModified": f"{deleted}T08:00:00Z"}} if deleted else {}),
        },
    ]
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}))
    con, report = study(path)
    assert report.events == 3 * kept and all(one.reconciles for one in report.sources)
    taken = [] if kept else [("the resource is deleted by an entry of a Bundle", 3)]
    assert sorted(report.rejected) == sorted([("no resource here: the entry deletes one", 1), *taken])


def test_every_element_that_is_read_is_documented():
    for name, resource in elements.RESOURCES.items():
        documented = {part.partition(".")[0] for field in tables.TABLES[name] for part in field.name.split(", ")}
        assert set(resource.shape) - {"contained"} - set(resource.unread) == documented, name
    assert set(tables.TABLES) == {one for one in elements.READ if one}
    assert not {name for name in elements.IGNORED if name in elements.READ}


def test_rows_pass_the_schema_that_the_format_declares(tmp_path):
    con = store.connect(":memory:")
    lines(tmp_path / "all.ndjson", RESOURCES)
    for staged in fhir.stage(con, tmp_path, None, "ingest_file_0"):
        listed = ", ".join(f'"{field.name}"' for field in staged.reads)
        described = con.execute(f"DESCRIBE SELECT {listed} FROM {staged.relation}").fetchall()
        assert [name for name, *_ in described] == [field.name for field in staged.reads]


def test_many_files_are_judged_together_as_each_would_be_alone(tmp_path):
    bad = [observation(9, effectiveDateTime="soon"), observation(8, subject=None)]
    for n in range(4):
        document(tmp_path / f"{n}.json", [*PATIENTS, observation(n), *(bad if n == 2 else [])])
    together, _ = study(tmp_path)
    query = 'SELECT source_file, "column", "check", failures, rows FROM meta.conformance ORDER BY ALL'
    alone = []
    for n in range(4):
        con, _ = study(tmp_path / f"{n}.json")
        alone += con.execute(query).fetchall()
    found = together.execute(query).fetchall()
    assert found == sorted(alone)
    assert {(file, column, failures) for file, column, _, failures, _ in found if failures} == {
        ("2.json", "time", 1),
        ("2.json", "patient_id", 1),
    }


def test_routes_are_words_of_the_native_format():
    from timeline.ingest.counts import ROUTES

    assert set(systems.ROUTES.values()) <= set(ROUTES)


def test_an_ingest_is_held_to_its_memory_and_says_where_that_is_not_enough(tmp_path, monkeypatch):
    lines(tmp_path / "all.ndjson", RESOURCES)
    con = store.connect(tmp_path / "s.duckdb", create=True)
    limit = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
    (before,) = con.execute(limit).fetchall()
    seen = []
    monkeypatch.setattr(fhir.extract, "create", lambda con, _: seen.extend(con.execute(limit).fetchall()) or 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            ingest.ingest(con, tmp_path / "all.ndjson", CONCEPTS)
    assert all(0 < found[0] < before[0] for found in seen)
    assert len(seen) == 3
    assert con.execute(limit).fetchall() == [before]
    monkeypatch.undo()
    monkeypatch.setattr(memory, "BASE", 1 << 20)
    monkeypatch.setattr(memory, "A_THREAD", 0)
    with pytest.raises(ExtractError, match=r"^not enough room: 1 MB of memory, and the space on the disk"):
        ingest.ingest(con, tmp_path / "all.ndjson", CONCEPTS)
    monkeypatch.undo()
    assert ingest.ingest(con, tmp_path / "all.ndjson", CONCEPTS).events == 8


@pytest.mark.slow
def test_what_does_not_fit_into_memory_goes_to_the_disk(tmp_path, monkeypatch):
    from tests.bench.fhir import write

    rows = write(tmp_path / "extract", 60_000_000)
    monkeypatch.setattr(memory, "BASE", 160 << 20)
    monkeypatch.setattr(memory, "A_THREAD", 0)
    con = store.connect(tmp_path / "s.duckdb", create=True)
    con.execute("SET threads = 1")
    report = ingest.ingest(con, tmp_path / "extract", CONCEPTS, timezone="Europe/Zurich")
    patients = report.patients
    assert rows == 300 + patients * 202
    assert report.events == patients * 200
    assert report.rejected == (("the resource is here in a newer version", patients),)
    assert all(one.reconciles for one in report.sources)


@pytest.mark.parametrize("as_bundle", [False, True])
def test_codes_are_called_as_the_extract_calls_them(tmp_path, as_bundle):
    named = {"coding": [{"system": "urn:lab", "code": "77", "display": "serum rhubarb"}]}
    drug = {"resourceType": "Medication", "id": "d", "code": {"coding": [{"code": "D1"}], "text": "a tonic"}}
    written = [observation(1), observation(2, code=named, component=[{"code": {"text": "the other"}}]), drug]
    write = document if as_bundle else lines
    found = fhir.descriptions(duckdb.connect(), write(tmp_path / ("b.json" if as_bundle else "b.ndjson"), written))
    orders = {"ORDER/D1": "a tonic", "STATEMENT/D1": "a tonic"}
    assert found == {"urn:lab|77": "serum rhubarb", "the other": "the other", "D1": "a tonic", **orders}


def test_a_later_file_takes_back_what_an_earlier_one_said_and_a_repeating_one_changes_nothing(tmp_path):
    first = observation(1, meta={"versionId": "1"})
    lines(tmp_path / "a.ndjson", [first, observation(2)])
    con, _ = study(tmp_path)
    lines(tmp_path / "b.ndjson", [first, observation(3)])
    report = ingest.ingest(con, tmp_path, CONCEPTS)
    assert report.unchanged == ("a.ndjson",)
    assert report.rejected == (("the resource is here once more, in another file", 1),)
    lines(tmp_path / "c.ndjson", [{**first, "meta": {"versionId": "2"}, "status": "entered-in-error"}])
    with pytest.raises(ExtractError, match="`--replace` puts it in that one's place"):
        ingest.ingest(con, tmp_path, CONCEPTS)
    ingest.ingest(con, tmp_path, CONCEPTS, replace=True)
    assert sorted(value for *_, value, _, _, _ in events(con)) == [2.0, 3.0]
    assert ingest.ingest(con, tmp_path, CONCEPTS).sources == ()

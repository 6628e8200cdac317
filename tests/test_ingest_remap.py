"""A change of concepts applied to stored events is as good as a new ingest with those concepts."""

import pytest

from tests.test_ingest import CONCEPTS, events, rejected, study
from timeline import ingest
from timeline.rules import Concept

BODY = """\
1,2024-01-01 10:00,,protein,1,mg/dL,,
1,2024-01-01 11:00,,LOINC/1988-5,<5,,,
1,2024-01-01 12:00,,warmth,100.4,[degF],,
2,2024-01-01 10:00,,LOCAL/1,7,g,,
2,2024-01-01 11:00,,LOCAL/1,,,Some Words,
2,2024-01-01 12:00,,LOCAL/2,Mask,,,
2,2024-01-02 10:00,,drug,8,mg/kg,,
3,2024-01-02 10:00,,LOCAL/3,5,mL,,
3,2024-01-02 10:00,,LOINC/9,5,mg/L,,
3,,,baseline,,,seen,
"""
EVENTS = "SELECT * REPLACE (CAST(patient_id AS VARCHAR) AS patient_id) FROM meta.event"


def with_(*changed: Concept) -> dict[str, Concept]:
    return CONCEPTS | {concept.name: concept for concept in changed}


def changed(name: str, **fields) -> Concept:
    return CONCEPTS[name].model_copy(update=fields)


CHANGES = {
    "a code more": with_(changed("drug", codes=("LOCAL/1",))),
    "a code less": with_(changed("protein", codes=())),
    "another unit": with_(changed("protein", units=("mg/dL",), plausible=(0.0, 0.7))),
    "another range": with_(changed("warmth", plausible=(39.0, 45.0))),
    "words": with_(Concept(name="mask", words=("mask",), codes=("LOCAL/2",))),
    "a code that cannot be converted": with_(changed("drug", codes=("LOCAL/3",))),
    "an unverified code confirmed": with_(changed("protein", codes=("LOINC/1988-5", "LOINC/9"), unverified=())),
    "a concept less": {name: concept for name, concept in CONCEPTS.items() if name != "drug"},
    "a fact that needs a time": with_(changed("baseline", static=False)),
    "no concept": {},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_remap_is_as_good_as_a_new_ingest(tmp_path, name):
    path = events(tmp_path, BODY)
    con, fresh = study(), study()
    ingest.ingest(con, path, CONCEPTS)
    ingest.remap(con, CHANGES[name])
    ingest.ingest(fresh, path, CHANGES[name])
    assert con.execute(EVENTS).fetchall() == fresh.execute(EVENTS).fetchall()
    # What was stored without a time had none, or none that could be read: that is not known any more.
    assert [(row, reason.replace(" or could not be read", "")) for row, reason in rejected(con)] == rejected(fresh)
    for table in ("concept", "concept_code", "meta.code", "meta.study"):
        assert (
            con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            == fresh.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
        )
    counts = "SELECT source_file, rows_read, rows_loaded, rows_duplicate, rows_rejected FROM meta.source"
    assert con.execute(counts).fetchall() == fresh.execute(counts).fetchall()


def test_a_fact_whose_time_could_not_be_read_goes_with_its_concept(tmp_path):
    con = study()
    told = ingest.ingest(con, events(tmp_path, "1,2024-02,,baseline,,,seen,\n1,2024-03,,protein,1,mg/L,,\n"), CONCEPTS)
    assert "1 time could not be read: kept without one: baseline (1); write it as 2024-01-31 13:45" in told.warnings
    assert con.execute("SELECT time, text, source_row FROM meta.event").fetchall() == [(None, "seen", 1)]
    unread = [(2, "time cannot be read; write it as 2024-01-31 13:45")]
    assert rejected(con) == unread
    ingest.remap(con, with_(changed("protein", static=True)))
    assert rejected(con) == unread, "a row that was rejected stays so until its file is read again"
    assert ingest.remap(con, with_(changed("baseline", static=False))).rejected == 1
    assert rejected(con) == [(1, "time is empty or could not be read, and baseline is no baseline fact"), *unread]
    assert con.execute("SELECT rows_loaded, rows_rejected FROM meta.source").fetchall() == [(0, 2)]


def test_only_what_changed_is_derived_anew(tmp_path):
    con = study()
    ingest.ingest(con, events(tmp_path, BODY), CONCEPTS)
    report = ingest.remap(con, CHANGES["a code more"])
    assert (report.codes, report.events, report.rejected) == (2, 2, 0)
    report = ingest.remap(con, CHANGES["a code more"])
    assert (report.codes, report.events, report.rejected) == (0, 0, 0)


def test_there_and_back_is_where_it_was(tmp_path):
    con = study()
    ingest.ingest(con, events(tmp_path, BODY), CONCEPTS)
    before = con.execute(EVENTS).fetchall()
    for name in ("another unit", "a code less", "words", "a concept less"):
        ingest.remap(con, CHANGES[name])
        ingest.remap(con, CONCEPTS)
    assert con.execute(EVENTS).fetchall() == before


def test_what_a_mapping_says_stays_without_its_file(tmp_path):
    mapping = tmp_path / "local.yaml"
    mapping.write_text("codes:\n  LOCAL/1: {concept: dose, unit: g}\n  LOINC/9: {concept: protein}\n")
    con = study()
    report = ingest.ingest(con, events(tmp_path, BODY), CONCEPTS, mapping=mapping)
    mapping.unlink()
    assert any("concepts not in force: dose" in warning for warning in report.warnings)
    mapped = "SELECT code, concept, value, unit FROM event WHERE code IN ('LOCAL/1', 'LOINC/9') ORDER BY source_row"
    assert con.execute(mapped).fetchall() == [
        ("LOCAL/1", None, 7.0, "g"),
        ("LOCAL/1", None, None, None),
        ("LOINC/9", "protein", 5.0, "mg/L"),
    ]
    ingest.remap(con, with_(Concept(name="dose", units=("mg",))))
    assert con.execute(mapped).fetchall() == [
        ("LOCAL/1", "dose", 7000.0, "mg"),
        ("LOCAL/1", "dose", None, None),
        ("LOINC/9", "protein", 5.0, "mg/L"),
    ]
    said = "SELECT concept, code FROM concept_code WHERE origin = 'mapping local.yaml' ORDER BY code"
    assert con.execute(said).fetchall() == [("dose", "LOCAL/1"), ("protein", "LOINC/9")]


def test_ingest_brings_older_events_up_to_date(tmp_path):
    con = study()
    ingest.ingest(con, events(tmp_path, BODY), CONCEPTS)
    later = events(tmp_path, "9,2024-01-01,,LOCAL/1,7,mg,,\n", "later.csv")
    ingest.ingest(con, later, CHANGES["a code more"])
    assert con.execute("SELECT DISTINCT concept FROM event WHERE code = 'LOCAL/1'").fetchall() == [("drug",)]

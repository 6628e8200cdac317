"""A change of concepts applied to stored events is as good as a new ingest with those concepts."""

import pytest

from tests.test_ingest import CONCEPTS, events, rejected, study
from timeline import engine, ingest
from timeline.load import load_text
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
INCONVERTIBLE = "a code that cannot be converted"
EVENTS = "SELECT * REPLACE (CAST(patient_id AS VARCHAR) AS patient_id) FROM meta.event"

STATE = (
    EVENTS,
    "SELECT * REPLACE (CAST(patient_id AS VARCHAR) AS patient_id) FROM patient",
    "SELECT source_row, reason FROM meta.rejected",
    "SELECT * FROM meta.code",
    "SELECT source_file, rows_read, rows_loaded, rows_duplicate, rows_rejected FROM meta.source",
)


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
    INCONVERTIBLE: with_(changed("drug", codes=("LOCAL/3",))),
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
    assert ingest.remap(con, with_(changed("protein", static=True))).readmitted == 1
    assert rejected(con) == []
    assert ingest.remap(con, CONCEPTS).rejected == 1
    unread = [(2, "time is empty or could not be read, and protein is no baseline fact")]
    assert rejected(con) == unread
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
    before = [con.execute(f"{select} ORDER BY ALL").fetchall() for select in STATE]
    for name in CHANGES:
        ingest.remap(con, CHANGES[name])
        ingest.remap(con, CONCEPTS)
        assert [con.execute(f"{select} ORDER BY ALL").fetchall() for select in STATE] == before, name


def test_what_a_concept_refused_is_an_event_as_soon_as_the_concept_can_hold_it(tmp_path):
    """At an ingest or at a run, with the patients whom nothing else is known of; what it is not at fault for stays."""
    body = """\
1,2024-01-01 10:00,,protein,1,mg/dL,,
7,2024-01-02 11:00,2024-01-03,LOCAL/3,<5,mL,,
8,2024-01-02 12:00,soon,LOCAL/3,5,mL,,
,2024-01-02 13:00,,LOCAL/3,5,mL,,
"""
    strict, con, fresh = with_(changed("drug", codes=("LOCAL/3",))), study(), study()
    path = events(tmp_path, body)
    report = ingest.ingest(con, path, strict)
    assert (report.events, sum(n for _, n in report.rejected)) == (1, 3)
    lenient = with_(changed("drug", codes=("LOCAL/3",), units=("mL",)))
    again = ingest.remap(con, lenient)
    assert (again.readmitted, again.rejected) == (1, 0)
    assert again.notes == ("1 row was rejected, and concepts as they are now can hold them",)
    ingest.ingest(fresh, path, lenient)
    for select in STATE:
        select = select.replace(", reason", "")  # of a row with two faults the first one found is told
        assert con.execute(f"{select} ORDER BY ALL").fetchall() == fresh.execute(f"{select} ORDER BY ALL").fetchall()
    assert con.execute("SELECT value, unit, bound FROM meta.event WHERE patient_id = '7'").fetchall() == [
        (5.0, "mL", "<")
    ]


def test_a_slip_in_a_concept_is_told_by_a_run_and_costs_nothing(tmp_path):
    def ruleset(unit: str):
        return load_text(f"concepts: {{lab: {{unit: {unit}}}}}\nseen: {{title: Seen, from: lab}}\n")

    con, path = study(), events(tmp_path, "1,2024-01-01 10:00,,lab,5,mg/L,,\n1,2024-01-02 10:00,,lab,6,mg/L,,\n")
    ingest.ingest(con, path, ruleset("mg/L").concepts)
    before, slip, after = (engine.run(con, ruleset(unit)) for unit in ("mg/L", "mmol/L", "mg/L"))
    assert slip.notes[0] == (
        "2 events are rejected now that a concept has changed: unit 'mg/L' cannot be converted to mmol/L (lab); with "
        "the concept as it was they come back"
    )
    assert after.notes == ("2 rows were rejected, and concepts as they are now can hold them",)
    assert [rule.rows for rule in after.rules] == [rule.rows for rule in before.rules] == [2]
    assert slip.notes[0] in ingest.ingest(con, path, ruleset("mmol/L").concepts).warnings


def test_a_file_in_place_of_another_takes_what_was_unfit_with_it(tmp_path):
    con = study()
    ingest.ingest(con, events(tmp_path, "7,2024-01-02 11:00,,LOCAL/3,5,mL,,\n"), CHANGES[INCONVERTIBLE])
    assert con.execute("SELECT source_row FROM meta.unfit").fetchall() == [(1,)]
    ingest.ingest(con, events(tmp_path, "7,2024-01-02 11:00,,LOCAL/3,5,mg,,\n"), CHANGES[INCONVERTIBLE], replace=True)
    assert con.execute("SELECT * FROM meta.unfit").fetchall() == []


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

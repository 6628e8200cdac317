"""The audit: every check passes on sound data and fails on data broken for it; what stops, what is told or not."""

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from timeline import Study, audit, cli, engine, ingest, load, store
from timeline.audit import computed
from timeline.errors import Findings, UsageError
from timeline.shipped import folder

EVENTS = """patient_id,time,end_time,code,value,unit,text,route
a,2024-01-01 08:00,2024-01-14 10:00,hospitalization,,,,
a,2024-01-01 09:01,,temperature,39,Cel,,
a,2024-01-02 09:02,,temperature,100.4,[degF],,
a,2024-01-02 09:05,,dexamethasone,10,mg,,intravenous
a,2024-01-03 10:06,,oxygen_device,2,L/min,nasal_cannula,
a,2024-01-20 12:30,,death,,,progression,
b,2024-01-01 08:01,2024-01-09 10:00,hospitalization,,,,
b,2024-01-02 09:02,,temperature,36.5,Cel,,
b,2024-01-02 09:03,,crp,5,mg/L,,
b,2024-01-03 09:03,,crp,6,mg/L,,
"""
PATIENTS = "patient_id,sex,birth_date\na,female,1960-01-01\nb,male,1970-02-02\n"
RULES = """
ruleset:
  name: small
  audit: {limits: {comp.unmapped: 0.5}}
fever:
  title: Fever
  from: temperature
  where: value >= 38
  columns:
    value: {sql: value, type: DOUBLE, unit: Cel, meaning: how high}
  checks:
    a number: value > 30
"""
BROKEN = {
    "conf.schema": ("UPDATE meta.event SET bound = '~' WHERE source_row = 2 AND source_file = 'events.csv'", 1, None),
    "conf.promises": ("UPDATE fever SET value = 3 WHERE number = 1", 1, None),
    "conf.reconcile": ("UPDATE meta.source SET rows_read = rows_read + 1 WHERE format = 'native'", 2, None),
    "conf.provenance": ("DELETE FROM meta.source WHERE source_file = 'patients.csv'", 2, None),
    "conf.rejected_reason": ("INSERT INTO meta.rejected VALUES ('events.csv', 99, ' ', '{}')", 1, None),
    "conf.event_id": ("UPDATE meta.event SET event_id = 1 WHERE concept = 'crp'", 1, None),
    "conf.columns": ("UPDATE meta.conformance SET failures = 3 WHERE \"column\" = 'end_time'", 6, None),
    "conf.conversion": ("UPDATE meta.event SET value = value + 1 WHERE source_unit = '[degF]'", 1, 1),
    "conf.words": ("UPDATE meta.event SET text = 'a straw' WHERE concept = 'oxygen_device'", 1, None),
    "conf.numbers": ("UPDATE meta.event SET value = NULL, text = 'much', source_value = 'much' WHERE concept = 'crp'",
                     2, None),
    "conf.refused_units": ("INSERT INTO meta.rejected VALUES ('events.csv', 9, 'unit ''x'' cannot be', '{}')", 1, None),
    "conf.stale": ("UPDATE meta.source SET loaded_at = loaded_at + INTERVAL 1 DAY", 1, None),
    "conf.routes": ("UPDATE meta.event SET route = 'by spoon' WHERE concept = 'dexamethasone'", 1, None),
    "conf.evidence": ("DELETE FROM meta.event WHERE concept = 'temperature' AND patient_id = 'a'", 2, 1),
    "comp.record": ("DELETE FROM meta.patient_fact WHERE patient_id = 'b'", 1, 1),
    "comp.events": ("DELETE FROM meta.event WHERE patient_id = 'b'", 1, 1),
    "comp.facts": ("UPDATE patient SET sex = NULL WHERE patient_id = 'b'", 1, 1),
    "comp.unmapped": ("UPDATE meta.event SET concept = NULL WHERE concept IN ('crp', 'temperature', 'death')", 6, None),
    "comp.value": ("UPDATE meta.event SET value = NULL WHERE concept = 'crp'", 2, None),
    "comp.unit": ("UPDATE meta.event SET source_unit = NULL WHERE concept = 'crp'", 2, None),
    "comp.rejected": ("INSERT INTO meta.rejected VALUES ('events.csv', 9, 'code is empty', '{}')", 1, None),
    "comp.gap": ("UPDATE meta.event SET time = time - INTERVAL 3 YEAR WHERE concept = 'hospitalization'", 2, 2),
    "comp.bare_dates": ("UPDATE meta.event SET date_only = TRUE WHERE concept = 'crp'", 2, None),
    "comp.derived_on_bare_dates": ("INSERT INTO meta.day_precision SELECT run, 'fever', 'a', 1, 1 FROM meta.run", 1, 1),
    "comp.never_seen": ("UPDATE meta.event SET concept = NULL WHERE concept = 'temperature'", 1, None),
    "plaus.range": ("UPDATE meta.event SET implausible = TRUE WHERE concept = 'crp'", 2, None),
    "plaus.wrong_units": ("INSERT INTO meta.event SELECT e.* REPLACE (n AS event_id, 98.0 + n % 3 AS value, "
                          "'Cel' AS source_unit, time + to_days(CAST(n AS INTEGER)) AS time, TRUE AS implausible) "
                          "FROM meta.event AS e, range(20) AS r(n) WHERE value = 36.5", 22, 2),
    "plaus.facts": ("INSERT INTO meta.patient_fact VALUES ('a', 'male', NULL, NULL, 'patients.csv', 3)", 1, 1),
    "plaus.conflict": ("UPDATE meta.event SET time = '2024-01-02 09:03' WHERE concept = 'crp'", 1, 1),
    "plaus.duplicates": ("UPDATE meta.source SET rows_duplicate = 4", 8, None),
    "plaus.equal_but_id": ("INSERT INTO meta.event SELECT * REPLACE (1 AS event_id) FROM meta.event WHERE value = 6",
                           1, 1),
    "plaus.after_death": ("UPDATE meta.event SET time = '2024-01-20 13:00' WHERE concept = 'dexamethasone'", 1, 1),
    "plaus.after_day_of_death": ("UPDATE meta.event SET time = '2024-01-21' WHERE concept = 'dexamethasone'", 1, 1),
    "plaus.before_birth": ("UPDATE patient SET birth_date = '2024-01-02' WHERE patient_id = 'a'", 2, 1),
    "plaus.future": ("UPDATE meta.event SET time = time + INTERVAL 900 YEAR WHERE patient_id = 'b'", 4, 1),
    "plaus.end_before_start": ("UPDATE meta.event SET end_time = time - INTERVAL 1 DAY WHERE concept = "
                               "'hospitalization'", 2, 2),
    "plaus.overlapping_stays": ("INSERT INTO meta.event SELECT * REPLACE (1 AS event_id, time + INTERVAL 1 DAY AS time)"
                                " FROM meta.event WHERE concept = 'hospitalization' AND patient_id = 'a'", 1, 1),
    "plaus.midnight": ("INSERT INTO meta.event SELECT e.* REPLACE (CAST(time AS DATE) + CAST(n AS INTEGER) AS time) "
                       "FROM meta.event AS e, range(9) AS r(n) WHERE value = 6", 9, None),
    "plaus.clock_gap": ("UPDATE meta.event SET time = '2024-03-31 02:30' WHERE concept = 'crp'", 2, 1),
    "plaus.clock_overlap": ("UPDATE meta.event SET time = '2024-10-27 02:30' WHERE concept = 'crp'", 2, 1),
    "plaus.copied_day": ("INSERT INTO meta.event SELECT e.* REPLACE (CAST(1000 * d + n AS UBIGINT) AS event_id, "
                         "TIMESTAMP '2024-02-01 09:00' + to_days(CAST(d AS INTEGER)) + to_minutes(n) AS time, "
                         "'X' || n AS code) FROM meta.event AS e, range(2) AS r(d), range(6) AS s(n) "
                         "WHERE value = 6", 1, 1),
    "plaus.two_ids": ("INSERT INTO meta.event SELECT e.* REPLACE (CAST(1000 * d + n AS UBIGINT) AS event_id, "
                      "if(d = 0, 'a', 'b') AS patient_id, TIMESTAMP '2024-01-05 09:00' + to_minutes(n) AS time, "
                      "'X' || n AS code) FROM meta.event AS e, range(2) AS r(d), range(6) AS s(n) "
                      "WHERE value = 6", 1, 1),
    "plaus.deaths": ("INSERT INTO meta.event SELECT * REPLACE (1 AS event_id, time + INTERVAL 1 DAY AS time) "
                     "FROM meta.event WHERE concept = 'death'", 1, 1),
    "comp.day_of_death": ("UPDATE meta.event SET time = NULL WHERE concept = 'death'", 1, 1),
    "plaus.age": ("UPDATE patient SET birth_date = '1900-01-01' WHERE patient_id = 'b'", 1, 1),
    "plaus.placeholder": ("UPDATE meta.event SET time = '1900-01-01' WHERE concept = 'crp'", 2, 1),
    "plaus.outside_stays": ("UPDATE meta.event SET time = time + INTERVAL 60 DAY WHERE concept = 'crp'", 2, 1),
    "comp.stay": ("INSERT INTO meta.event SELECT * REPLACE (1 AS event_id, time - INTERVAL 99 DAY AS time, "
                  "end_time - INTERVAL 99 DAY AS end_time) FROM meta.event "
                  "WHERE concept = 'hospitalization' AND patient_id = 'a'", 1, 1),
}  # fmt: skip
"""For each check what breaks it, how many it then finds, and of how many patients."""


@pytest.fixture(scope="module")
def extract(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("extract")
    (made / "events.csv").write_text(EVENTS, encoding="utf-8")
    (made / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def con(extract):
    made = store.connect(":memory:")
    concepts = load.load([], shipped=False).concepts
    ingest.ingest(made, extract, concepts, timezone="Europe/Zurich")
    engine.run(made, load.load_text(RULES, concepts))
    yield made
    made.close()


def outcome(con, id: str, **options) -> audit.Outcome:
    (found,) = audit.audit(con, only=[id], **options).checks
    return found


def test_sound_data_pass_every_check(con):
    found = audit.audit(con)
    assert [one.id for one in found.checks if one.status == "failed"] == []
    silent = {one.id: one.why for one in found.checks if one.status == "not applicable"}
    assert silent == {"conf.rejected_reason": "there are no rejected rows"}
    assert found.stopped == () and not found.remark
    assert {one.id for one in found.checks} == set(BROKEN)


@pytest.mark.parametrize("id", BROKEN)
def test_a_check_finds_what_is_broken_for_it(con, id):
    sql, failures, patients = BROKEN[id]
    con.execute("BEGIN")
    try:
        con.execute(sql)
        found = outcome(con, id)
        assert (found.status, found.failures, found.patients) == ("failed", failures, patients)
        assert found.asked and found.share is not None
        if found.query:
            listed = con.execute(found.query)
            names = [column[0] for column in listed.description]
            rows = [dict(zip(names, row, strict=True)) for row in listed.fetchall()]
            assert sum(row.get("rows", 1) for row in rows) == failures
        else:
            assert found.details
    finally:
        con.execute("ROLLBACK")


def test_an_audit_is_the_same_again_and_cannot_be_changed(con):
    first, second = audit.audit(con), audit.audit(con)
    assert dataclasses.replace(first, seconds=0) == dataclasses.replace(second, seconds=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.checks[0].failures = 0  # type: ignore[misc]


def test_a_study_without_a_run_is_audited_too(extract):
    con = store.connect(":memory:")
    ingest.ingest(con, extract, load.load([], shipped=False).concepts)
    found = {one.id: one for one in audit.audit(con).checks}
    assert [id for id, one in found.items() if one.status == "failed"] == []
    assert found["conf.promises"].why == "there are no derived tables"
    assert found["comp.never_seen"].why == "there are no concepts that rules read"
    assert found["plaus.clock_gap"].why == "there are no times in a study whose time zone is said"
    con.close()


def test_a_row_counts_once_however_many_of_its_events_are_gone_and_a_factor_of_one_is_computed_too(con):
    con.execute("BEGIN")
    con.execute("UPDATE fever SET evidence = [1, 2, 3] WHERE number = 1")
    assert outcome(con, "conf.evidence").failures == 1
    con.execute("UPDATE meta.event SET source_unit = 'mg/l' WHERE concept = 'crp'")
    con.execute("UPDATE meta.code SET source_unit = 'mg/l' WHERE concept = 'crp'")
    assert outcome(con, "conf.conversion").failures == 0
    con.execute("UPDATE meta.event SET value = 50 WHERE value = 5")
    assert outcome(con, "conf.conversion").failures == 1
    con.execute("ROLLBACK")


def test_numbers_that_their_text_tells_apart_are_no_conflict(con):
    con.execute("BEGIN")
    con.execute("UPDATE meta.event SET time = '2024-01-02 09:03', text = 'well ' || value WHERE concept = 'crp'")
    assert outcome(con, "plaus.conflict").failures == 0
    con.execute("ROLLBACK")


DEATHS = [
    # the death, the event: after it, on a day after it
    ("2024-01-20", "2024-01-20 23:59", 0, 0),
    ("2024-01-20", "2024-01-21", 1, 1),
    ("2024-01-20 00:00", "2024-01-20 00:01", 1, 0),
    ("2024-01-20 12:30", "2024-01-20", 0, 0),
    ("2024-01-20 12:30", "2024-01-20 12:30", 0, 0),
    ("2024-01-20 12:30", "2024-01-20 12:31", 1, 0),
]


@pytest.mark.parametrize(("death", "event", "after", "later"), DEATHS)
def test_a_death_by_a_bare_date_is_on_its_whole_day(tmp_path, death, event, after, later):
    (tmp_path / "events.csv").write_text(f"patient_id,time,code,value\na,{death},death,\na,{event},crp,5\n")
    con = store.connect(":memory:")
    ingest.ingest(con, tmp_path, load.load([], shipped=False).concepts)
    assert outcome(con, "plaus.after_death").failures == after
    assert outcome(con, "plaus.after_day_of_death").failures == later
    con.close()


def test_what_stops_is_declared(con):
    con.execute("BEGIN")
    con.execute("UPDATE meta.source SET loaded_at = loaded_at + INTERVAL 1 DAY")
    con.execute("UPDATE meta.event SET implausible = TRUE WHERE concept = 'crp'")
    named = [one.id for one in audit.audit(con).stopped]
    assert named == ["conf.stale"], "unless declared otherwise: the checks of severity error"
    assert [one.id for one in audit.audit(con, fail_on=["plaus.range"]).stopped] == ["plaus.range"]
    assert len(audit.audit(con, fail_on=["plaus.range", "declared"]).stopped) == 2
    assert audit.audit(con, fail_on=["none"]).stopped == ()
    ruleset = engine.last_run(con)[0]
    own = ruleset.model_copy(update={"audit": type(ruleset.audit)(stop=("plaus.range",), limits={"plaus.range": 0.9})})
    con.execute("UPDATE meta.study SET value = ? WHERE name = 'ruleset'", [own.model_dump_json()])
    found = audit.audit(con)
    assert found.stopped == () and "conf.stale" in {one.id for one in found.checks if one.status == "failed"}
    con.execute("ROLLBACK")


def test_ids_that_there_are_not_are_named_with_the_nearest(con):
    misspelt: list[dict[str, Any]] = [{"only": ["conf.reconcil"]}, {"fail_on": ["conf.reconcil"]}]
    for options in misspelt:
        with pytest.raises(UsageError, match=r"there is no check `conf.reconcil`; did you mean `conf.reconcile`\?"):
            audit.audit(con, **options)
    con.execute("BEGIN")
    con.execute("UPDATE meta.study SET value = replace(value, 'comp.unmapped', 'comp.x') WHERE name = 'ruleset'")
    with pytest.raises(UsageError, match="`audit` of the rule set: there is no check `comp.x`"):
        audit.audit(con)
    con.execute("ROLLBACK")


def test_a_rule_set_says_its_limits_as_shares():
    with pytest.raises(Findings, match="the limit of plaus.range is a share of the rows asked, from 0 to 1"):
        load.load_text("ruleset: {name: x, audit: {limits: {plaus.range: 5}}}")
    with pytest.raises(Findings, match="`halt`"):
        load.load_text("ruleset: {name: x, audit: {halt: [a]}}")


HEADER = "title: T\nmeaning: M\ncategory: completeness\nseverity: note\nof: events\nasked: SELECT 10\n"


def test_a_check_of_ones_own_is_a_file(con, tmp_path):
    (tmp_path / "comp_few.sql").write_text(f"/*\n{HEADER}*/\nSELECT patient_id FROM patient ORDER BY 1", "utf-8")
    (tmp_path / "comp_none.sql").write_text(f"/*\n{HEADER}*/\nSELECT 1 FROM my_table ORDER BY 1", "utf-8")
    found = outcome(con, "comp.few", checks=[tmp_path])
    assert (found.failures, found.asked, found.patients, found.percent) == (2, 10, 2, "20 %")
    assert outcome(con, "comp.none", checks=[tmp_path]).why == "this study has no table my_table"


def test_mistakes_of_checks_are_said_all_at_once(con, tmp_path):
    with pytest.raises(UsageError, match="there are no checks here"):
        audit.load(tmp_path)
    (tmp_path / "a_b.sql").write_text(f"/*\n{HEADER.replace('note', 'grave')}*/\nSELECT 1", "utf-8")
    (tmp_path / "a_c.sql").write_text(f"/*\n{HEADER}*/\nSELECT * FROM 'x.csv'", "utf-8")
    (tmp_path / "a_d.sql").write_text(f"/*\n{HEADER}*/\nDELETE FROM patient", "utf-8")
    with pytest.raises(Findings) as raised:
        audit.load(tmp_path)
    said = str(raised.value)
    assert all(text in said for text in ("`severity`", "looks like a file", "one SELECT"))


def test_every_shipped_check_leads_to_rows_in_a_total_order():
    for one in audit.load(folder("queries/checks")).values():
        assert "ORDER BY" in one.sql.rsplit(")", 1)[-1] or "ORDER BY" in one.sql.splitlines()[-1], one.id
        assert one.title[0].isupper() and one.meaning.strip().endswith(".")
        assert one.id.split(".")[0] in ("conf", "comp", "plaus")
    assert computed.OF_RULES == {"conf.promises", "comp.never_seen"} <= set(BROKEN)


def test_the_table_beside_the_dashboard_names_checks_that_there_are():
    page = (folder("queries/checks") / "README.md").read_text(encoding="utf-8").split("## Beside")[1]
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len({row[0] for row in rows}) >= 25
    named = {id for _, ours, _ in rows for id in re.findall(r"`(\w+\.\w+)`", ours)}
    assert named <= set(BROKEN) and len(named) > 15
    assert all(ours.strip() != "–" or why.strip() for _, ours, why in rows)


def test_profiles_tell_no_numbers_of_few_patients(tmp_path):
    rows = "".join(f"p{n},2024-01-0{n + 1} 09:00,crp,{n},mg/dL\n" for n in range(5))
    rows += "p0,2024-01-01 09:00,ferritin,7,ug/L\np0,2024-01-01 09:00,crp,1,blobs\np1,2024-01-01,crp,,\n"
    (tmp_path / "events.csv").write_text("patient_id,time,code,value,unit\n" + rows)
    con = store.connect(":memory:")
    ingest.ingest(con, tmp_path, load.load([], shipped=False).concepts)
    crp, ferritin = audit.audit(con).profile
    assert (crp.concept, crp.events, crp.patients, crp.values, crp.unit) == ("crp", 6, 5, 5, "mg/L")
    assert (crp.converted, crp.refused, crp.assumed, crp.date_only) == (5, 1, 0, 1)
    assert crp.units == ("mg/dL (5)",) and crp.quantiles == (2.0, 10.0, 20.0, 30.0, 38.0)
    assert str(crp.first_day) == "2024-01-01"
    assert ferritin.events == 1 and ferritin.quantiles is None and ferritin.first_day is None
    con.close()


def test_quantiles_are_of_one_unit(tmp_path):
    rows = "".join(f"p{n},2024-01-01 09:00,tocilizumab,{dose}\n" for n in range(5) for dose in ("600,mg", "8,mg/kg"))
    (tmp_path / "events.csv").write_text("patient_id,time,code,value,unit\n" + rows)
    con = store.connect(":memory:")
    ingest.ingest(con, tmp_path, load.load([], shipped=False).concepts)
    (found,) = audit.audit(con).profile
    assert found.values == 10 and found.quantiles == (600.0,) * 5
    con.close()


@pytest.fixture(scope="module")
def study(extract, tmp_path_factory) -> Study:
    """A study as a file, with a value that cannot be, at a time to come."""
    place = tmp_path_factory.mktemp("study")
    dirty = place / "extract"
    dirty.mkdir()
    text = EVENTS + "secret,2999-01-04 09:03,,crp,77777,mg/L,,\n"
    (dirty / "events.csv").write_text(text, encoding="utf-8")
    made = Study.open(place / "study.duckdb")
    made.ingest(dirty)
    return made


def test_the_command_says_what_failed_and_exits_as_declared(study, capsys):
    assert cli.main(["audit", str(study.path)]) == 0
    said = capsys.readouterr().out
    assert "plaus.range" in said and "Values are in the plausible range" in said
    assert cli.main(["audit", str(study.path), "--fail-on", "plaus.range,declared"]) == 1
    assert capsys.readouterr().err.startswith("This study does not pass plaus.range.")
    assert cli.main(["audit", str(study.path), "--fail-on", "nothing"]) == 2


def test_the_command_tells_numbers_and_values_only_where_asked(study, capsys):
    for options in ([], ["--json"], ["--profile"], ["--check", "plaus.range", "plaus.future"]):
        assert cli.main(["audit", str(study.path), *options]) == 0
        said = "".join(capsys.readouterr())
        assert "secret" not in said and "77777" not in said, options
    assert cli.main(["audit", str(study.path), "--check", "comp.facts", "plaus.future", "--show-values"]) == 0
    shown = capsys.readouterr().out
    assert "secret" in shown and "SELECT" in shown


def test_json_has_every_check_and_the_query_of_each_runs(study, capsys):
    assert cli.main(["audit", str(study.path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["checks"]) == len(BROKEN)
    failed = [one for one in told["checks"] if one["status"] == "failed"]
    assert {"plaus.range"} <= {one["id"] for one in failed}
    for one in told["checks"]:
        if one["query"] and one["status"] != "not applicable":
            frame = study.sql(one["query"])
            assert (frame["rows"].sum() if "rows" in frame.columns else frame.height) == one["failures"], one["id"]
    assert {one["concept"] for one in told["profile"]} >= {"crp", "temperature"}


def test_the_notebook_has_the_same_word(study):
    found = study.audit(only="plaus.range", show_values=True)
    assert [(one.id, one.failures) for one in found.checks] == [("plaus.range", 1)]
    assert found.checks[0].examples[0]["concept"] == "crp"


def test_the_report_shows_the_audit(study, tmp_path):
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text(
        "/*\ntitle: One\nquestion: One?\nreads: [event]\nreturns: {n: number}\nsection: quality\n*/\n"
        "SELECT count(*) AS n FROM event ORDER BY n"
    )
    study.report(tmp_path / "page.html", queries=tmp_path / "queries", patients="none")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<h3 id="audit-heading">' in page and '<h3 id="profile-heading">' in page
    assert page.index('id="check-plaus.range"') < page.index('id="check-conf.reconcile"'), "failed before passed"
    assert 'href="#audit"' in page and "secret" not in page and "77,777" not in page


REAL = Path(os.environ.get("TIMELINE_DATA") or "/nowhere") / "mimic_iv_demo_meds" / "mimic_iv_demo_meds_events.parquet"


@pytest.mark.skipif(not REAL.is_file(), reason="TIMELINE_DATA does not name a folder with mimic_iv_demo_meds")
def test_real_patients(tmp_path):
    """Counts beside those worked out on the raw rows, without the engine."""
    import polars as pl

    raw = pl.read_parquet(REAL)
    death = raw.filter(pl.col("code") == "MEDS_DEATH").group_by("subject_id").agg(pl.col("time").min().alias("death"))
    timed = raw.join(death, on="subject_id").filter(pl.col("code") != "MEDS_DEATH")
    after = timed.filter(pl.col("time") > pl.col("death"))
    later = timed.filter(pl.col("time").dt.date() > pl.col("death").dt.date())
    assert (after.height, after.unique().height, after["subject_id"].n_unique()) == (626, 353, 15)
    # Of the 31 who died 16 have only a date, and nothing after it.
    dates = death.filter(pl.col("death").dt.time() == pl.time(0, 0))
    assert (death.height, dates.height, after.join(dates, on="subject_id").height) == (31, 16, 0)

    con = store.connect(":memory:")
    mapping = folder("data") / "mappings" / "mimic_iv_demo_meds.yaml"
    ingest.ingest(con, [REAL], load.load([], shipped=False).concepts, mapping=mapping)
    found = {one.id: one for one in audit.audit(con).checks}
    assert (found["plaus.after_death"].failures, found["plaus.after_death"].patients) == (353, 15)
    assert (later.height, later.unique().height, later["subject_id"].n_unique()) == (79, 70, 8)
    assert (found["plaus.after_day_of_death"].failures, found["plaus.after_day_of_death"].patients) == (70, 8)
    assert (found["plaus.duplicates"].failures, found["plaus.duplicates"].asked) == (82_516, 916_166)
    assert found["plaus.future"].failures == found["plaus.future"].asked, "years are shifted to 2109 and later"
    assert found["comp.bare_dates"].failures == 16
    assert [one.id for one in found.values() if one.status == "failed" and one.severity == "error"] == []
    labelled = con.sql(found["plaus.range"].query).pl().filter(
        (pl.col("concept") == "temperature") & (pl.col("source_unit") == "°C")
    )  # fmt: skip
    assert labelled["rows"].sum() == 3, "°F labelled °C"
    con.close()

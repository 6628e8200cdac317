"""Every published value that a query answers, computed on the demonstration cohort and compared; the rest is listed.

Raw events -> ingest -> rules -> public queries: nothing here reads the specification or a derived table itself.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from timeline import engine, load, published, query, shipped, store
from timeline.demo import SEED
from timeline.ingest import IngestReport, ingest
from timeline.published import Compared
from timeline.synth import synthesize

VALUES = published.load(shipped.folder("data") / "published.yaml")
COMPUTED = {key: item for key, item in VALUES.items.items() if item.kind == "computed"}
QUERIES = query.load_queries(shipped.folder("queries"))


@dataclass(frozen=True)
class Demo:
    con: duckdb.DuckDBPyConnection
    ingested: IngestReport


def _made(folder: Path, seed: int) -> Demo:
    rules = load.load([])
    synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", folder, seed=seed)
    con = store.connect(":memory:")
    report = ingest(con, [folder], rules.concepts)
    engine.run(con, rules)
    return Demo(con, report)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = _made(tmp_path_factory.mktemp("demo"), SEED)
    yield made
    made.con.close()


@pytest.fixture(scope="module")
def study(demo: Demo) -> duckdb.DuckDBPyConnection:
    return demo.con


@pytest.fixture(scope="module")
def found(study: duckdb.DuckDBPyConnection) -> dict[str, Compared]:
    return {one.id: one for one in published.compare(study, QUERIES, VALUES)}


@pytest.mark.parametrize("key", COMPUTED)
def test_a_published_value_comes_out_of_the_raw_events(key: str, found: dict[str, Compared]) -> None:
    apart = {field.name for field in found[key].fields if field.agrees is not True}
    # Where the paper contradicts itself nothing is forced: it must differ there, and only there.
    assert apart == {name for check in COMPUTED[key].checks for name in check.conflict}, found[key].why
    assert found[key].agreement == ("conflict" if apart else "equal")


def test_the_conflicts_of_the_paper_are_listed_with_what_was_computed_instead(found: dict[str, Compared]) -> None:
    instead = {
        (one.id, field.name): field.computed
        for one in found.values()
        for field in one.fields
        if field.conflict and not one.same_as
    }
    assert instead == {
        ("M-13", "count"): 17,
        ("T1-13", "median"): 1.5,
        ("X-14", "count"): 11,
        ("F2B-L", "n"): 9,
        ("F2B-R", "n"): 9,
    }
    assert all(one.why.startswith("A-") for one in found.values() if one.agreement == "conflict")


def test_every_item_is_computed_or_says_why_not(found: dict[str, Compared]) -> None:
    kinds = Counter(item.kind for item in VALUES.items.values())
    assert kinds == {"computed": 80, "same_as": 21, "definition": 9, "described": 23}
    assert Counter(item.status for item in VALUES.items.values()) == {"OK": 68, "DATA": 41, "AMB": 16, "CONFLICT": 8}
    assert published.counted(found.values()) == {
        "equal": 95,
        "differs": 0,
        "conflict": 6,
        "not computed": 0,
        "definition": 9,
        "described": 23,
    }
    assert [one.id for one in found.values() if one.agreement in ("definition", "described") and not one.why] == []


def test_an_item_that_is_printed_again_takes_the_results_of_the_others(found: dict[str, Compared]) -> None:
    assert found["X-02"].fields == found["T1-01"].fields and found["X-02"].computed == found["T1-01"].computed
    assert found["X-10"].computed == "; ".join(found[key].computed for key in ("T1-20", "T1-22", "T1-21"))
    # Of several the least agreement counts.
    assert found["X-06"].agreement == "conflict" and found["X-06"].queries == ("table_1",)


def test_values_are_written_as_a_reader_would(found: dict[str, Compared]) -> None:
    said = {key: found[key].computed for key in ("M-01", "T1-01", "T1-02", "T1-18", "X-22", "X-36", "X-38", "F2A")}
    assert said == {
        "M-01": "2017 to 2020",
        "T1-01": "58 (26 to 75) years, n = 14",
        "T1-02": "6 of 14",
        "T1-18": "2 of 14, median 0",
        "X-22": "100.8 °F, n = 14",
        "X-36": "54.55 % (23.38 to 83.25)",
        "X-38": "35.71 % at 6 months",
        "F2A": "P = 0.0002 (***), n = 14, lower after",
    }


def test_all_of_table_1_is_computed_but_its_footnote() -> None:
    assert [key for key in VALUES.items if key.startswith("T1-") and key not in COMPUTED] == ["T1-39"]


def test_the_file_fits_the_queries_and_a_query_names_the_items_that_it_answers() -> None:
    assert published.unfit(VALUES, QUERIES) == []
    named = [(key, check.query) for key, item in COMPUTED.items() for check in item.checks]
    assert [(key, name) for key, name in named if name not in QUERIES or key not in QUERIES[name].published] == []
    assert {key for one in QUERIES.values() for key in one.published} - set(VALUES.items) == set()


def test_the_strict_set_is_the_eleven_who_meet_the_papers_definition(study: duckdb.DuckDBPyConnection) -> None:
    # 14 as published, 11 where ICANS must have been refractory before anakinra (parameter `strict`).
    refractory = study.execute(
        "SELECT patient_id::VARCHAR FROM cohort WHERE included AND NOT refractory_before_anakinra"
    )
    assert [patient for (patient,) in refractory.fetchall()] == ["SYN-06", "SYN-12", "SYN-14"]


def test_each_ineligible_patient_is_lost_at_the_step_meant_for_it(study: duckdb.DuckDBPyConnection) -> None:
    rows = study.execute("SELECT patient_id::VARCHAR, excluded_at FROM cohort WHERE NOT included ORDER BY patient_id")
    assert rows.fetchall() == [
        ("SYN-15", "anakinra"),
        ("SYN-16", "infusion"),
        ("SYN-17", "anakinra"),
        ("SYN-18", "toxicity"),
        ("SYN-19", "infusion"),
        ("SYN-20", "anakinra"),
        ("SYN-21", "infusion"),
    ]


def test_the_survival_vector_is_the_one_that_meets_every_aggregate(study: duckdb.DuckDBPyConnection) -> None:
    rows = study.execute(
        "SELECT os_days, died FROM outcome JOIN cohort USING (patient_id) WHERE included ORDER BY os_days"
    ).fetchall()
    assert [days for days, died in rows if died] == [18, 20, 24, 27, 29, 29, 70, 100, 150, 198]
    assert [days for days, died in rows if not died] == [600, 700, 743, 900]


def test_the_raw_events_are_as_dirty_as_real_ones_and_reconcile(demo: Demo) -> None:
    report = demo.ingested
    events = next(source for source in report.sources if source.source_file == "events.csv")
    assert events.rows_read == events.rows_loaded + events.rows_duplicate + events.rows_rejected > 10_000
    assert events.rows_duplicate > 200 and events.rows_rejected == 6
    assert sum(count for _, count in report.rejected) == 6 and len(report.rejected) == 5
    assert report.unmapped_codes == 11 and report.unmapped_rows > 1_000 and report.date_only > 50
    assert report.implausible == (("crp", 1), ("temperature", 1))
    assert report.assumed_units == (("systolic_bp", 1),) and report.words_for_numbers == (("ferritin", 1),)
    units = {(each.concept, each.source_unit) for each in report.conversions}
    assert {("temperature", "[degF]"), ("crp", "mg/dL"), ("neutrophils", "/uL"), ("body_weight", "[lb_av]")} <= units
    bounds = demo.con.execute("SELECT count(*) FROM event WHERE bound = '<'").fetchone()
    assert bounds is not None and bounds[0] > 5


def test_boundary_cases_decide_as_the_clinical_page_says(study: duckdb.DuckDBPyConnection) -> None:
    def one(sql: str) -> Any:
        found = study.execute(sql).fetchone()
        assert found is not None
        return found[0]

    # Exactly 100.4 degF, and exactly 38.0 Cel, are the only fevers of these two, and each makes CRS grade 1.
    hottest = "SELECT max(value) FROM temperature_reading WHERE fever AND patient_id = '{}'"
    assert one(hottest.format("SYN-03")) == one(hottest.format("SYN-11")) == 38.0
    # Improved exactly 24 h after the last dose: counts. Improved 24 h 30 min after the steroid: does not.
    assert (
        one("SELECT neuro_responded AND NOT crs_responded FROM anakinra_response WHERE patient_id = 'SYN-09'") is True
    )
    assert one("SELECT status FROM steroid_refractory WHERE patient_id = 'SYN-03'") == "refractory"
    # Improved after midnight, within 24 h: refractory for this product alone.
    assert one("SELECT status FROM steroid_refractory WHERE patient_id = 'SYN-08'") == "refractory"
    # Counts 22 and 32 days after the last dose to the minute; 26 and 30 days are equally near to 28: the earlier.
    gap = (
        "SELECT epoch(p.after_time - w.end_time) / 86400 FROM lab_pair p JOIN anakinra_window w "
        "ON w.patient_id = p.patient_id AND w.number = p.window_number "
        "WHERE p.analyte = 'platelets' AND p.patient_id = '{}'"
    )
    assert [one(gap.format(patient)) for patient in ("SYN-09", "SYN-04", "SYN-03")] == [22, 32, 26]


def test_chance_between_the_points_decides_nothing(found: dict[str, Compared], tmp_path: Path) -> None:
    other = _made(tmp_path, SEED + 1)
    assert {one.id: one for one in published.compare(other.con, QUERIES, VALUES)} == found
    other.con.close()

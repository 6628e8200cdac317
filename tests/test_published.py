"""Every published value that a query answers, computed on the demonstration cohort and compared; the rest is listed.

Raw events -> ingest -> rules -> public queries: nothing here reads the specification or a derived table itself.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from timeline import engine, load, query, shipped, stats, store
from timeline.demo import SEED
from timeline.ingest import IngestReport, ingest
from timeline.synth import synthesize

ITEMS: dict[str, dict[str, Any]] = yaml.safe_load((shipped.folder("data") / "published.yaml").read_text())["items"]
COMPUTED = {key: item for key, item in ITEMS.items() if "computed" in item}
KINDS = ("computed", "same_as", "definition", "no_number", "tested")
Row = dict[str, Any]


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
def answers(study: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    return _answers(study)


def _answers(study: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """What the public queries say about each checklist id."""
    queries = query.load_queries(shipped.folder("queries"))
    frames = {name: query.run_query(study, queries[name]) for name in {item["computed"] for item in COMPUTED.values()}}
    return {key: _answer(key, item, frames[item["computed"]]) for key, item in COMPUTED.items()}


def _answer(key: str, item: Row, frame: pl.DataFrame) -> Row:
    if "statistic" in item:
        return _statistic(item, frame)
    found: Row = {}
    for row in frame.filter(pl.col("id") == key).rows(named=True):
        found |= {name: value for name, value in row.items() if value is not None}
    return found


def _statistic(item: Row, frame: pl.DataFrame) -> Row:
    months, died = frame["os_months"].to_list(), frame["died"].to_list()
    if item["statistic"] == "response":
        found = stats.proportion(frame["responded"].to_list())
        assert None not in (found.share, found.low, found.high)
        return {"percent": 100 * found.share, "low": 100 * found.low, "high": 100 * found.high}  # type: ignore[operator]
    if item["statistic"] == "follow_up":
        # Reverse Kaplan-Meier: the event is to be still alive, death censors.
        return {"median": stats.median_survival(stats.kaplan_meier(months, [not dead for dead in died]))}
    curve = stats.kaplan_meier(months, died)
    if "at" not in item:
        return {"median": stats.median_survival(curve)}
    landmark = stats.landmark(curve, item["at"])
    assert landmark is not None
    return {"percent": 100 * landmark.survival}


def _differences(item: Row, answer: Row) -> dict[str, tuple[Any, Any]]:
    """The fields in which computed and published differ by more than the tolerance."""
    pairs = {field: (answer.get(field), published) for field, published in item["value"].items()}
    tolerance = item.get("tolerance", 0)
    return {
        field: (computed, published)
        for field, (computed, published) in pairs.items()
        if computed is None or abs(computed - published) > tolerance
    }


@pytest.mark.parametrize("key", COMPUTED)
def test_a_published_value_comes_out_of_the_raw_events(key: str, answers: dict[str, Row]) -> None:
    differences = _differences(COMPUTED[key], answers[key])
    # Where the paper contradicts itself nothing is forced: it must differ there, and only there.
    assert set(differences) == set(COMPUTED[key].get("conflict", {})), differences


def test_the_conflicts_of_the_paper_are_listed_with_what_was_computed_instead(answers: dict[str, Row]) -> None:
    instead = {
        (key, field): answers[key][field] for key, item in COMPUTED.items() for field in item.get("conflict", {})
    }
    assert instead == {
        ("M-13", "count"): 17,
        ("T1-13", "median"): 1.5,
        ("X-14", "count"): 11,
        ("F2B-L", "count"): 9,
        ("F2B-R", "count"): 9,
    }


def test_every_item_is_computed_or_says_why_not() -> None:
    kinds = {key: [kind for kind in KINDS if kind in item] for key, item in ITEMS.items()}
    # The two panels of blood counts have a number of pairs, which is computed, and a P value, which is tested.
    assert {key: kind for key, kind in kinds.items() if len(kind) != 1} == dict.fromkeys(
        ["F2B-L", "F2B-R"], ["computed", "tested"]
    )
    assert Counter(kind[0] for kind in kinds.values()) == {
        "computed": 73,
        "same_as": 29,
        "definition": 9,
        "no_number": 17,
        "tested": 5,
    }
    assert Counter(item["status"] for item in ITEMS.values()) == {"OK": 68, "DATA": 41, "AMB": 16, "CONFLICT": 8}
    sources = {item["same_as"]: key for key, item in ITEMS.items() if "same_as" in item}
    assert {one: key for one, key in sources.items() if not {"computed", "tested"} & set(ITEMS[one])} == {}
    assert [
        key for key, item in ITEMS.items() if ("definition" in item or "no_number" in item) and not item["note"]
    ] == []


def test_all_of_table_1_is_computed_but_its_footnote() -> None:
    assert [key for key in ITEMS if key.startswith("T1-") and key not in COMPUTED] == ["T1-39"]


def test_a_query_names_the_items_that_it_answers() -> None:
    queries = query.load_queries(shipped.folder("queries"))
    missing = [key for key, item in COMPUTED.items() if key not in queries[item["computed"]].published]
    assert missing == []
    unknown = {key for found in queries.values() for key in found.published} - set(ITEMS)
    assert unknown == set()


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


def test_chance_between_the_points_decides_nothing(answers: dict[str, Row], tmp_path: Path) -> None:
    other = _made(tmp_path, SEED + 1)
    assert _answers(other.con) == answers
    other.con.close()

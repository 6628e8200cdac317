"""Every published value that can be computed, computed on the demonstration cohort and compared; the rest is listed.

Raw events -> ingest -> rules -> public queries: nothing here reads the specification or a derived table itself.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from timeline import engine, load, query, shipped, stats, store
from timeline.ingest import ingest
from timeline.synth import synthesize

ITEMS: dict[str, dict[str, Any]] = yaml.safe_load((shipped.folder("data") / "published.yaml").read_text())["items"]
COMPUTED = {key: item for key, item in ITEMS.items() if "computed" in item}
KINDS = ("computed", "same_as", "definition", "no_number", "later")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def study(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    rules = load.load([])
    synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", folder / "extract")
    con = store.connect(folder / "study.duckdb", create=True)
    ingest(con, [folder / "extract"], rules.concepts)
    engine.run(con, rules)
    yield con
    con.close()


@pytest.fixture(scope="module")
def answers(study: duckdb.DuckDBPyConnection) -> dict[str, Row]:
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
    assert {key: kind for key, kind in kinds.items() if len(kind) != 1} == {}
    assert Counter(kind for (kind,) in kinds.values()) == {
        "computed": 73,
        "same_as": 25,
        "definition": 8,
        "no_number": 16,
        "later": 11,
    }
    assert Counter(item["status"] for item in ITEMS.values()) == {"OK": 68, "DATA": 41, "AMB": 16, "CONFLICT": 8}
    assert [key for key, item in ITEMS.items() if item.get("same_as", "T1-01") not in COMPUTED] == []
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
    # 14 as published, 11 where ICANS must have been refractory before anakinra.
    con = duckdb.connect()
    con.close()
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

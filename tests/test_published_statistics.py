"""P values, stars, groups and shapes of figures 2 and 3, computed on the demonstration cohort with several seeds.

Raw events -> ingest -> rules -> the pairs of the derived tables; the tests themselves are scipy's, not ours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, ttest_ind, ttest_rel

from timeline import engine, load, published, query, shipped, store
from timeline.ingest import ingest
from timeline.published import Compared
from timeline.synth import synthesize

ITEMS = published.load(shipped.folder("data") / "published.yaml").items
ANALYTES = {"F2A": "temperature", "F2B-L": "neutrophils", "F2B-R": "platelets"}
TREND = ["ccl4", "cxcl10", "il1a", "il1b", "il6"]
"""X-34, of which the paper gives no numbers."""
GROUPS = ["grade 3-4 response", "grade 3-4 no response", "grade 1-2"]
"""Red, black and gray in figure 3."""


@dataclass(frozen=True)
class Read:
    """Asks the study; and its published items, compared."""

    ask: Callable[[str], pl.DataFrame]
    compared: tuple[Compared, ...]

    def __call__(self, sql: str) -> pl.DataFrame:
        return self.ask(sql)


@pytest.fixture(scope="module", params=[1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 2022))])
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Asks the study of one seed; seed 1 is the demo's."""
    folder = tmp_path_factory.mktemp("cohort")
    rules = load.load([])
    synthesize(shipped.folder("data") / "cohorts" / "wehrli2022.yaml", folder, seed=request.param)
    con: duckdb.DuckDBPyConnection = store.connect(":memory:")
    ingest(con, [folder], rules.concepts)
    engine.run(con, rules)

    def ask(sql: str) -> pl.DataFrame:
        found = con.execute(sql)
        return pl.DataFrame(found.fetchall(), schema=[column[0] for column in found.description], orient="row")

    keys = [*ANALYTES, "X-31", "X-32", "F3-04"]
    values = published.load(shipped.folder("data") / "published.yaml")
    yield Read(ask, published.compare(con, query.load_queries(shipped.folder("queries")), values, keys))
    con.close()


def included(read: Read, table: str) -> pl.DataFrame:
    """The first window's rows of the 14, by patient; `patient` is the id as text."""
    return read(
        f"SELECT p.*, p.patient_id::VARCHAR AS patient FROM {table} AS p JOIN cohort AS c USING (patient_id) "
        "WHERE c.included AND p.window_number = 1 ORDER BY patient"
    )


def lab(read: Read, analyte: str) -> pl.DataFrame:
    return included(read, "lab_pair").filter(pl.col("complete") & (pl.col("analyte") == analyte))


def cytokines(read: Read) -> pl.DataFrame:
    """The pairs of those in whom every analyte has all three samples, with their response group."""
    pairs = included(read, "cytokine_pair").filter(pl.col("complete").all().over("patient"))
    groups = included(read, "anakinra_response").select("patient", "response_group", "neuro_responded")
    return pairs.join(groups, on="patient", maintain_order="left")


def stars(p: float) -> str:
    """As the paper's software prints them."""
    return "*" * sum(p <= bound for bound in (0.05, 0.01, 0.001, 0.0001)) or "ns"


def ratio_test(pairs: pl.DataFrame, after: str = "after_value", before: str = "before_value") -> tuple[float, float]:
    """P and geometric mean of the ratios: the paired t test of the logarithms."""
    high, low = pairs[after].log().to_numpy(), pairs[before].log().to_numpy()
    return float(ttest_rel(high, low).pvalue), float(np.exp(np.mean(high - low)))


def by_analyte(pairs: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {str(name): rows for (name,), rows in pairs.group_by("analyte", maintain_order=True)}


def printed(key: str) -> dict[str, Any]:
    return dict(ITEMS[key].checks[0].values)


@pytest.mark.parametrize("key", ANALYTES)
def test_a_published_paired_t_test_comes_out_of_the_raw_events(key: str, read: Read) -> None:
    values, (check,) = printed(key), ITEMS[key].checks
    pairs = lab(read, ANALYTES[key])
    theirs = ttest_rel(pairs["after_value"], pairs["before_value"])
    assert pairs.height == (9 if "n" in check.conflict else values["n"])
    assert abs(theirs.pvalue - values["p"]) <= check.tolerance
    assert stars(theirs.pvalue) == values["stars"]
    assert {"lower": theirs.statistic < 0, "higher": theirs.statistic > 0, None: True}[values.get("direction")]


def test_the_declared_tests_are_those_of_scipy(read: Read) -> None:
    found = {one.id: {f.name: f.computed for f in one.fields} for one in read.compared}
    for key, analyte in ANALYTES.items():
        pairs = lab(read, analyte)
        assert found[key]["p"] == pytest.approx(ttest_rel(pairs["after_value"], pairs["before_value"]).pvalue, rel=1e-9)
        assert found[key]["n"] == pairs.height
    theirs = {name: ratio_test(rows) for name, rows in by_analyte(cytokines(read)).items()}
    assert found["X-31"]["lower"] == sorted(name for name, (p, ratio) in theirs.items() if p < 0.05 and ratio < 1)
    assert found["X-32"]["higher"] == sorted(name for name, (p, ratio) in theirs.items() if p < 0.05 and ratio > 1)
    assert found["F3-04"]["significant"] == sum(p < 0.05 for p, _ in theirs.values())


def test_the_published_analytes_and_no_others_change_significantly(read: Read) -> None:
    pairs = cytokines(read)
    found = {name: ratio_test(rows) for name, rows in by_analyte(pairs).items()}
    assert len(found) == 17 and pairs["patient"].n_unique() == printed("F3-04")["n"] == 9
    significant = {name: ratio for name, (p, ratio) in found.items() if p < 0.05}
    assert {name for name, ratio in significant.items() if ratio < 1} == set(printed("X-31")["lower"])
    assert {name for name, ratio in significant.items() if ratio > 1} == set(printed("X-32")["higher"])
    assert len(significant) == printed("F3-04")["significant"]
    assert {stars(p) for name, (p, _) in found.items() if name in significant} == set(printed("F3-04")["stars"])


def test_fold_changes_over_baseline_test_like_the_values_themselves(read: Read) -> None:
    # The figure draws fold changes; in a ratio the baseline cancels.
    for rows in by_analyte(cytokines(read)).values():
        assert ratio_test(rows, "fold_after", "fold_before") == pytest.approx(ratio_test(rows), rel=1e-9)


def test_the_responders_trend_is_the_published_five_and_not_significant(read: Read) -> None:
    ratios: dict[str, float] = {}
    for name, rows in by_analyte(cytokines(read)).items():
        one, other = (rows.filter(pl.col("response_group") == side) for side in GROUPS[:2])
        (p_one, ratio_one), (p_other, ratio_other) = ratio_test(one), ratio_test(other)
        ratios[name] = ratio_one / ratio_other
        if name in TREND:
            fell, other_fell = ((side["after_value"] / side["before_value"]).log().to_numpy() for side in (one, other))
            between = [ttest_ind(fell, other_fell, equal_var=equal)[1] for equal in (True, False)]
            assert ratio_one < 0.5 and (fell < 0).all(), name
            assert min(p_one, p_other, *between) >= 0.05, name
    assert sorted(sorted(ratios, key=ratios.__getitem__)[:5]) == TREND


def test_the_groups_of_figure_3_are_red_black_and_gray(read: Read) -> None:
    people = cytokines(read).unique("patient")
    assert people["response_group"].value_counts().sort("count")["count"].to_list() == [2, 3, 4]
    responded = dict(people.group_by("response_group").agg(pl.col("neuro_responded").unique()).iter_rows())
    assert responded == dict(zip(GROUPS, [[True], [False], [True]], strict=True))


@pytest.mark.parametrize(("analyte", "fell", "p"), [("crp", 12, 0.0129), ("ferritin", 7, 1.0)])
def test_the_waterfalls_run_from_well_below_zero_to_above_it(analyte: str, fell: int, p: float, read: Read) -> None:
    changes = lab(read, analyte).sort("percent_change")["percent_change"].to_list()
    assert len(changes) == len(set(changes)) == 14 and sum(change < 0 for change in changes) == fell
    assert binomtest(fell, 14).pvalue == pytest.approx(p, abs=0.00005)
    assert -80 < changes[0] < -35 and 20 < changes[-1] < 60
    # Dark red, alive at the cut-off: four columns.
    assert (
        read("SELECT count(*) AS n FROM outcome JOIN cohort USING (patient_id) WHERE included AND NOT died").item() == 4
    )


def test_corticosteroids_are_not_tapered_quickly_after_anakinra(read: Read) -> None:
    """C-03: dexamethasone equivalents of the days around the first dose of anakinra, of those who had any then."""
    daily = read(
        "SELECT w.patient_id::VARCHAR AS patient, k AS later, coalesce(sum(d.dexamethasone_mg), 0)::DOUBLE AS mg "
        "FROM anakinra_window AS w JOIN cohort AS c USING (patient_id) CROSS JOIN (VALUES (0), (2), (3), (7)) AS t(k) "
        "LEFT JOIN steroid_dose AS d ON d.patient_id = w.patient_id AND d.time::DATE = w.start_time::DATE + k "
        "WHERE c.included AND w.number = 1 GROUP BY ALL"
    )
    days = daily.pivot("later", index="patient", values="mg").filter(pl.col("0") > 0)
    assert days.height == 13, "one patient had anakinra first (X-19)"
    assert (days["2"] >= days["0"]).sum() >= 9 and (days["3"] > 0).all()
    assert np.median(days["3"] / days["0"]) == 1
    assert (days["7"] > 0).sum() >= 9

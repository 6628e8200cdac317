"""Holm and Benjamini-Hochberg by hand, by brute force and by scipy; stars; percent and fold changes; counts."""

import math
from itertools import chain, combinations
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import timeline.stats
from timeline import printing
from timeline.errors import TimelineError

stats: Any = timeline.stats
reference: Any = scipy.stats
"""Untyped, since most fields may be None: a None where a number is due fails the comparison."""

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=7)


def named(values):
    return {f"analyte {i}": value for i, value in enumerate(values)}


def adjusted(family):
    return [test.adjusted for test in family.tests]


def test_by_hand():
    # Four tests; Holm: 4 x 0.005, 3 x 0.01, 2 x 0.03, then no smaller than that.
    values = named([0.01, 0.04, 0.03, 0.005])
    assert adjusted(stats.holm(values)) == pytest.approx([0.03, 0.06, 0.06, 0.02], abs=1e-15)
    # Benjamini-Hochberg: 4/1 x 0.005, 4/2 x 0.01, 4/3 x 0.03, 4/4 x 0.04.
    assert adjusted(stats.benjamini_hochberg(values)) == pytest.approx([0.02, 0.04, 0.04, 0.02], abs=1e-15)


def test_benjamini_and_hochberg_1995():
    # The fifteen p-values of their example: four are discoveries at 0.05, against three by Bonferroni and Holm.
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    values += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    found = {f.method: sum(p <= 0.05 for p in adjusted(f)) for f in (stats.holm(named(values)),)}
    assert found == {"Holm": 3}
    assert sum(p <= 0.05 for p in adjusted(stats.benjamini_hochberg(named(values)))) == 4


@given(p_values)
@settings(max_examples=100, deadline=None)
def test_holm_is_the_closed_test_of_bonferroni(values):
    # Brute force: a hypothesis falls when every set of hypotheses that holds it falls by Bonferroni.
    places = range(len(values))
    subsets = list(chain.from_iterable(combinations(places, size) for size in range(1, len(values) + 1)))
    expected = [max(min(1, len(s) * min(values[j] for j in s)) for s in subsets if i in s) for i in places]
    assert adjusted(stats.holm(named(values))) == pytest.approx(expected, abs=1e-12)


@given(p_values)
@settings(max_examples=100, deadline=None)
def test_benjamini_hochberg_equals_scipy_and_holm_is_stricter(values):
    expected = reference.false_discovery_control(values, method="bh")
    discoveries, strict = adjusted(stats.benjamini_hochberg(named(values))), adjusted(stats.holm(named(values)))
    assert discoveries == pytest.approx(list(expected), abs=1e-12)
    assert all(
        p <= bh + 1e-15 and bh <= h + 1e-12 <= 1 + 1e-12 for p, bh, h in zip(values, discoveries, strict, strict=True)
    )


def test_what_was_not_tested_has_no_adjusted_p_and_is_named():
    family = stats.holm({"a": 0.01, "b": None, "c": 0.04, "d": math.nan})
    assert [(t.name, t.p, t.adjusted) for t in family.tests] == [
        ("a", 0.01, 0.02),
        ("b", None, None),
        ("c", 0.04, 0.04),
        ("d", None, None),
    ]
    assert (family.n, family.missing) == (2, 2)
    assert str(family) == (
        "Holm: 2 of 2 with p <= 0.05 before adjustment (0.1 expected by chance), 2 after (a, c); 2 not tested: b, d"
    )
    assert printing.plain(family)["tests"][1] == {"name": "b", "p": None, "adjusted": None}


def test_the_family_of_seventeen_expects_0_85_by_chance():
    assert stats.benjamini_hochberg(named([0.5] * 17)).by_chance == pytest.approx(0.85)
    assert str(stats.benjamini_hochberg({})) == (
        "Benjamini-Hochberg: 0 of 0 with p <= 0.05 before adjustment (0 expected by chance), 0 after; all tested"
    )


def test_no_p_value():
    with pytest.raises(TimelineError, match="not so: b, c"):
        stats.holm({"a": 0.5, "b": 1.5, "c": -0.1})
    with pytest.raises(TimelineError, match="between 0 and 1"):
        stats.stars(2)


@pytest.mark.parametrize(
    ("p", "text", "strict"),
    [
        (0.0286, "*", "*"),
        (0.0002, "***", "***"),
        (0.4588, "ns", "ns"),
        (0.05, "*", "ns"),
        (0.01, "**", "*"),
        (0.001, "***", "**"),
        (0.0001, "****", "***"),
        (0, "****", "****"),
        (0.0500001, "ns", "ns"),
        (None, "not tested", "not tested"),
        (math.nan, "not tested", "not tested"),
    ],
)
def test_stars(p, text, strict):
    assert (stats.stars(p), stats.stars(p, strict=True)) == (text, strict)


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0286, "p = 0.0286"),
        (0.0005186, "p = 0.0005"),
        (0.00009999, "p < 0.0001"),
        (1, "p = 1"),
        (None, "p undefined"),
    ],
)
def test_only_the_printed_p_is_rounded(p, text):
    assert stats.p_text(p) == text


@pytest.mark.parametrize(
    ("change", "value", "text"),
    [
        (stats.percent_change(100, 40), -60, "-60 %"),
        (stats.percent_change(40, 100), 150, "150 %"),
        (stats.percent_change(0, 5), None, "undefined: before value of 0 or less"),
        (stats.percent_change(-1, 5), None, "undefined: before value of 0 or less"),
        (stats.percent_change(None, 5), None, "undefined: no before value"),
        (stats.percent_change(5, math.nan), None, "undefined: no after value"),
        (stats.percent_change(None, None), None, "undefined: neither value"),
        (stats.fold_change(4, 10), 2.5, "2.5-fold"),
        (stats.fold_change(4, 0), 0, "0-fold"),
        (stats.percent_change(1e5, 1e5 - 1), -0.001, "0 %"),
        (stats.fold_change(0, 10), None, "undefined: baseline value of 0 or less"),
        (stats.fold_change(None, 10), None, "undefined: no baseline value"),
        (stats.fold_change(10, None), None, "undefined: no later value"),
    ],
)
def test_change(change, value, text):
    assert (change.value, str(change)) == (value, text)


def test_changes_of_pairs():
    pairs = stats.pair_up([100, 0, None, 50, 10], [40, 3, 1, 100, None], list("ABCDE"))
    result = stats.percent_changes(pairs)
    assert result.values == (-60, None, 100) and result.labels == ("A", "B", "D")
    assert str(result) == (
        "percent change: median 20 (range -60 to 100), n = 2; 3 without a value: 1 no before value, 1 no after value, "
        "1 before value of 0 or less"
    )
    assert stats.LeftOut("before value of 0 or less", ("B",)) in result.left_out
    assert stats.fold_changes(pairs).values == (0.4, None, 2)
    assert str(stats.fold_changes(stats.pair_up([], []))) == "fold change: no value; none without a value"


def test_counts():
    assert str(stats.counts(["CR", "PD", None, "CR", "SD"])) == (
        "CR: 2 (50.0 %), PD: 1 (25.0 %), SD: 1 (25.0 %); n = 4; 1 missing"
    )
    assert stats.counts([2, 1, 2], levels=[0, 1, 2]).levels == (("0", 0), ("1", 1), ("2", 2))
    assert str(stats.counts([None])) == "no value; 1 missing"
    with pytest.raises(TimelineError, match="none of the levels 0, 1: 1"):
        stats.counts([2, 1], levels=[0, 1])

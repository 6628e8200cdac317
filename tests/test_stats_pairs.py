"""The paired tests against published numbers (clinical notes B11, textbooks), scipy, and laws that must hold."""

import math
import statistics
from functools import partial
from itertools import product
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

CONTROL, TREATED = [4.2, 2.5, 6.5], [8.7, 4.9, 13.1]
"""The example of the ratio paired t test in the manual of the software that the paper used."""

SLEEP_BEFORE = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_AFTER = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
"""Student 1908; R's manual gives t = 4.0621, p = 0.002833, mean 1.58 with 95 % CI 0.7001142 to 2.4598858."""

DEPRESSION_BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
DEPRESSION_AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
"""Hollander and Wolfe 1973, page 29: rank sum 5, one-sided p = 0.020, estimate -0.46, 96.1 % CI -0.786 to -0.010."""

TESTS = [stats.paired_t, stats.ratio_t, stats.wilcoxon, stats.sign_test, stats.hodges_lehmann]

tenths = st.integers(1, 400).map(lambda value: value / 10)
columns = st.lists(st.tuples(tenths, tenths), min_size=2, max_size=25)


def paired(rows):
    return stats.pair_up([a for a, _ in rows], [b for _, b in rows])


def test_paired_t_golden():
    result = stats.paired_t(stats.pair_up(CONTROL, TREATED))
    assert (round(result.t, 4), round(result.p, 5), round(result.mean_difference, 10)) == (3.7115, 0.06554, 4.5)


def test_ratio_t_golden():
    result = stats.ratio_t(stats.pair_up(CONTROL, TREATED))
    assert (round(result.t, 3), round(result.p, 7)) == (43.895, 0.0005186)
    assert (round(result.ratio, 4), round(result.low, 4), round(result.high, 4)) == (2.0151, 1.8813, 2.1584)


def test_ratio_t_prints_itself():
    assert str(stats.ratio_t(stats.pair_up([*CONTROL, 5], [*TREATED, None]))) == (
        "ratio paired t: GMR 2.02 (95 % CI 1.88 to 2.16), t = 43.9, df 2, p = 0.0005, n = 3 pairs; "
        "1 missing: no after value"
    )


def test_student_1908():
    result = stats.paired_t(stats.pair_up(SLEEP_BEFORE, SLEEP_AFTER))
    assert (round(result.t, 4), result.df, round(result.p, 6)) == (4.0621, 9, 0.002833)
    assert (round(result.low, 7), round(result.high, 7)) == (0.7001142, 2.4598858)


def test_hollander_and_wolfe():
    pairs = stats.pair_up(DEPRESSION_BEFORE, DEPRESSION_AFTER)
    ranks, shift = stats.wilcoxon(pairs), stats.hodges_lehmann(pairs, 0.95)
    assert (ranks.rank_sum_rose, ranks.rank_sum_fell, ranks.exact) == (5, 40, True)
    assert ranks.p == 2 * 10 / 512
    assert (round(shift.difference, 3), round(shift.low, 3), round(shift.high, 3)) == (-0.46, -0.786, -0.010)
    assert round(shift.achieved, 3) == 0.961
    assert str(ranks) == (
        "Wilcoxon signed-rank: rank sums 5 rose, 40 fell, p = 0.0391 (exact), n = 9 pairs; none missing"
    )
    assert str(shift) == "Hodges-Lehmann: difference -0.46 (95 % CI -0.786 to -0.01), n = 9 pairs; none missing"


@pytest.mark.parametrize(("rose", "fell", "p"), [(2, 12, 0.0129), (7, 7, 1.0), (0, 1, 1.0), (0, 9, 0.0039)])
def test_sign_test_golden(rose, fell, p):
    assert round(stats.sign_p(rose, fell), 4) == p
    pairs = stats.pair_up([1] * (rose + fell + 1), [2] * rose + [0] * fell + [1])
    result = stats.sign_test(pairs)
    assert (result.rose, result.fell, result.unchanged, round(result.p, 4)) == (rose, fell, 1, p)


@given(columns)
@settings(max_examples=60, deadline=None)
def test_t_tests_equal_scipy(rows):
    pairs = paired(rows)
    for result, before, after in (
        (stats.paired_t(pairs), pairs.before, pairs.after),
        (stats.ratio_t(pairs), [math.log(v) for v in pairs.before], [math.log(v) for v in pairs.after]),
    ):
        if result.t is None:
            assert max(b - a for a, b in zip(before, after, strict=True)) == pytest.approx(
                min(b - a for a, b in zip(before, after, strict=True))
            )
            continue
        expected = reference.ttest_rel(after, before)
        limits = expected.confidence_interval(0.95)
        assert (result.t, result.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
        found = [result.low, result.high]
        if isinstance(result, stats.RatioT):
            # Two pairs can have limits beyond what a number holds; then there is none.
            assert all(v is not None or abs(limit) > 700 for v, limit in zip(found, limits, strict=True))
            found = [
                limit if v is None else math.log(v) if v else limit for v, limit in zip(found, limits, strict=True)
            ]
        assert found == pytest.approx(list(limits), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(tenths, tenths, tenths), min_size=2, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_baseline_cancels_in_a_ratio(rows):
    raw = stats.ratio_t(stats.pair_up([x for _, x, _ in rows], [y for _, _, y in rows]))
    folds = stats.ratio_t(
        stats.pair_up(
            [stats.fold_change(b, x).value for b, x, _ in rows], [stats.fold_change(b, y).value for b, _, y in rows]
        )
    )
    assert raw.n == folds.n == len(rows)
    assert folds.ratio == pytest.approx(raw.ratio, rel=1e-9)
    if raw.t is not None and folds.t is not None and raw.high is not None and folds.high is not None:
        assert (folds.t, folds.p) == pytest.approx((raw.t, raw.p), rel=1e-6, abs=1e-9)


def test_the_baseline_does_not_cancel_in_a_difference():
    base = [1.0, 2.0, 5.0]
    folds = stats.pair_up(
        [v / b for v, b in zip(CONTROL, base, strict=True)], [v / b for v, b in zip(TREATED, base, strict=True)]
    )
    raw = stats.pair_up(CONTROL, TREATED)
    assert abs(stats.paired_t(folds).p - stats.paired_t(raw).p) > 0.01
    assert stats.ratio_t(folds).p == pytest.approx(stats.ratio_t(raw).p, abs=1e-12)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_signs_and_ranks_equal_scipy(rows):
    pairs = paired(rows)
    differences = [b - a for a, b in rows]
    signs, ranks = stats.sign_test(pairs), stats.wilcoxon(pairs)
    if not any(differences):
        assert (signs.p, ranks.p, ranks.reason) == (None, None, "no pair differs")
        return
    assert signs.p == pytest.approx(reference.binomtest(signs.rose, signs.rose + signs.fell).pvalue, rel=1e-9)
    method = "exact" if ranks.exact else "asymptotic"
    expected = reference.wilcoxon(differences, zero_method="wilcox", correction=False, method=method)
    assert min(ranks.rank_sum_rose, ranks.rank_sum_fell) == expected.statistic
    assert ranks.p == pytest.approx(expected.pvalue, rel=1e-9)
    sizes = [abs(d) for d in differences if d]
    assert ranks.exact == (len(set(sizes)) == len(differences))


def test_exact_rank_distribution_by_counting_every_sign():
    for n in range(1, 9):
        sums = [sum(rank for rank, up in enumerate(signs, 1) if up) for signs in product((0, 1), repeat=n)]
        for smaller in range(n * (n + 1) // 4 + 1):
            share = sum(1 for total in sums if total <= smaller) / 2**n
            differences = _with_rank_sum(n, smaller)
            result = stats.wilcoxon(stats.pair_up([0] * n, differences))
            assert result.exact and result.p == min(1, 2 * share)


def _with_rank_sum(n, total):
    """Differences of the sizes 1 to n whose positive ones add up to `total`."""
    signed = []
    for rank in range(n, 0, -1):
        up = rank <= total
        total -= rank if up else 0
        signed.append(rank if up else -rank)
    return signed


def test_many_pairs_go_by_the_normal_approximation():
    for n, exact in ((50, True), (51, False)):
        values = [(i + 1) * (-1 if i % 3 else 1) for i in range(n)]
        result = stats.wilcoxon(stats.pair_up([0] * n, values))
        expected = reference.wilcoxon(values, correction=False, method="exact" if exact else "asymptotic")
        assert result.exact == exact
        assert result.p == pytest.approx(expected.pvalue, rel=1e-9)


@given(st.lists(st.integers(-1000, 1000), min_size=6, max_size=14, unique=True), st.sampled_from([0.9, 0.95]))
@settings(max_examples=40, deadline=None)
def test_hodges_lehmann_holds_the_shifts_that_the_rank_test_does_not_refuse(numbers, level):
    values = [value + i / 64 for i, value in enumerate(numbers)]
    result = stats.hodges_lehmann(stats.pair_up([0] * len(values), values), level)
    walsh = [(a + b) / 2 for i, a in enumerate(values) for b in values[i:]]
    step = 2**-9

    def p_at(shift):
        return reference.wilcoxon([value - shift for value in values], method="exact").pvalue

    # Between two means there are neither ties nor zeros: the exact test applies just inside and just outside.
    for limit, inwards in ((result.low, step), (result.high, -step)):
        assert limit in walsh
        assert p_at(limit + inwards) > 1 - level >= p_at(limit - inwards)
    assert result.achieved >= level
    assert result.difference == statistics.median(walsh)


def test_hodges_lehmann_of_many_pairs_hardly_jumps():
    values = [math.sin(i) * 10 + i / 100 for i in range(51)]
    fifty = stats.hodges_lehmann(stats.pair_up([0] * 50, values[:50]))
    more = stats.hodges_lehmann(stats.pair_up([0] * 51, values))
    assert more.low == pytest.approx(fifty.low, abs=0.3) and more.high == pytest.approx(fifty.high, abs=0.3)
    assert 0.95 <= more.achieved < 0.952 and 0.95 <= fifty.achieved < 0.952


def test_what_floating_point_loses_is_no_difference():
    # 0.3 - 0.2 and 0.2 - 0.1 differ in the 17th digit.
    pairs = stats.pair_up([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])
    assert stats.paired_t(pairs).reason == "every pair differs by the same"
    assert stats.wilcoxon(pairs).tied == 3
    doubled = stats.ratio_t(stats.pair_up([0.1, 0.3, 0.7], [0.2, 0.6, 1.4]))
    assert (doubled.t, doubled.p, doubled.reason) == (None, None, "every pair differs by the same")
    assert doubled.ratio == pytest.approx(2)
    assert str(doubled).startswith("ratio paired t: GMR 2, t and p undefined: every pair differs by the same; n = 3")
    assert stats.wilcoxon(stats.pair_up([0.1 + 0.2, 5], [0.3, 6])).ranked == 1


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    ("before", "after"),
    [([], []), ([1], [2]), ([1, 2], [2, 3]), ([3, 3], [3, 3]), ([None, math.nan], [1, 2]), ([1, 2], [9, 2.5])],
    ids=["empty", "one", "equal differences", "no difference", "all missing", "two"],
)
def test_what_is_undefined_is_none_and_says_why(test, before, after):
    result = test(stats.pair_up(before, after))
    assert result.n == len([1 for value in before if value is not None and value == value])
    text, said = str(result), printing.as_json(result)
    assert "\n" not in text and "nan" not in text.lower() and "inf" not in text.lower()
    assert f'"n": {result.n}' in said and result.method in said and len(result.conventions) > 0
    values = printing.plain(result)
    undefined = [name for name in ("p", "t", "low") if name in values and values[name] is None]
    # Every test of two unequal pairs has a p; Hodges-Lehmann has no interval of two, and says so.
    assert not undefined or result.reason


def test_one_line_each_for_no_pair():
    none = stats.pair_up([None, 2, None], [1, None, None], ["A", "B", "C"])
    end = "n = 0 pairs; 3 missing: 1 no before value, 1 no after value, 1 neither value"
    assert str(none) == end
    assert str(stats.paired_t(none)) == f"paired t: undefined, no complete pair; {end}"
    assert str(stats.wilcoxon(none)) == f"Wilcoxon signed-rank: p undefined, no complete pair; {end}"
    assert str(stats.sign_test(none)) == f"sign test: p undefined, no complete pair; {end}"
    assert str(stats.hodges_lehmann(none)) == f"Hodges-Lehmann: undefined, no complete pair; {end}"
    assert none.left_out[0] == stats.LeftOut("no before value", ("A",))
    five = stats.pair_up([0] * 5, [1, 2, 3, 4, 5])
    assert str(stats.hodges_lehmann(five)) == (
        "Hodges-Lehmann: difference 3 (no 95 % CI: 95 % needs at least 6 pairs), n = 5 pairs; none missing"
    )


def test_not_positive_values_are_refused_by_label_and_never_shown():
    with pytest.raises(TimelineError) as refused:
        stats.ratio_t(stats.pair_up([0, 2, 31.25, 4], [1, -77.5, 0, 5], ["A", "B", "C", "D"]))
    assert "3 are not (before: A; after: B, C)" in str(refused.value)
    assert "31.25" not in str(refused.value) and "77.5" not in str(refused.value)
    with pytest.raises(TimelineError, match=r"12 are not \(before: row 1, row 2, .*, row 10 and 2 more\)"):
        stats.ratio_t(stats.pair_up([0] * 12, [1] * 12))
    assert "31.25" not in repr(stats.pair_up([31.25], [1]))


def test_unequal_columns_and_infinite_values_are_refused():
    with pytest.raises(TimelineError, match=r"not equally long \(before 2, after 1\)"):
        stats.pair_up([1, 2], [1])
    with pytest.raises(TimelineError, match="labels 1"):
        stats.pair_up([1, 2], [1, 2], ["A"])
    with pytest.raises(TimelineError, match=r"rows with an infinite value: 1 \(B\)"):
        stats.pair_up([1, math.inf, None], [1, 2, math.inf], ["A", "B", "C"])
    with pytest.raises(TimelineError, match="write 0.95 for 95 %"):
        stats.paired_t(stats.pair_up(CONTROL, TREATED), 95)


def test_a_label_that_stands_twice_is_told_by_its_row():
    assert stats.pair_up([1, 2, 3], [1, 2, 3], ["A", "B", "A"]).labels == ("A (row 1)", "B", "A (row 3)")


def test_leave_one_out():
    pairs = stats.pair_up(SLEEP_BEFORE, SLEEP_AFTER, list("ABCDEFGHIJ"))
    result = stats.leave_one_out(stats.paired_t, pairs)
    each = {
        label: reference.ttest_rel(
            [v for j, v in enumerate(SLEEP_AFTER) if j != i], [v for j, v in enumerate(SLEEP_BEFORE) if j != i]
        ).pvalue
        for i, label in enumerate("ABCDEFGHIJ")
    }
    assert (result.low, result.high) == pytest.approx((min(each.values()), max(each.values())), rel=1e-9)
    assert result.without_low == min(each, key=each.__getitem__) == "I"
    assert result.without_high == max(each, key=each.__getitem__)
    lowest, highest = f"{min(each.values()):.4f}", f"{max(each.values()):.4f}"
    assert str(result) == (
        f"paired t, one pair left out in turn: p = 0.0028 with all, {lowest} to {highest} without one, n = 10 pairs; "
        "none missing"
    )


@pytest.mark.parametrize("test", [stats.paired_t, stats.ratio_t, stats.wilcoxon, stats.sign_test])
def test_leave_one_out_of_too_few(test):
    two = stats.leave_one_out(test, stats.pair_up([1, 2], [2, 8]))
    if two.low is None:
        assert str(two).endswith("undefined without one; n = 2 pairs; none missing")
        assert two.undefined == 2
    else:
        assert (two.low, two.high, two.undefined) == (1, 1, 0)
    assert stats.leave_one_out(partial(test), stats.pair_up([], [])).low is None

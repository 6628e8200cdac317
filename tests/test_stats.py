"""The statistics against golden values (clinical notes B11 and B1H), scipy, and what they must refuse."""

import math

import pytest

from timeline import stats
from timeline.errors import TimelineError

DEATHS = (18, 20, 24, 27, 29, 29, 70, 100, 150, 198)
CENSORED = (600, 700, 743, 900)
"""A vector that meets every survival aggregate of Wehrli et al. 2022."""
MONTH = 30.4375

TIMES = [*DEATHS, *CENSORED]
DIED = [True] * len(DEATHS) + [False] * len(CENSORED)

INTERVALS = [
    (6, 11, 23.38, 83.25),
    (5, 9, 21.20, 86.30),
    (7, 9, 39.99, 97.19),
    (12, 14, 57.19, 98.22),
    (7, 14, 23.04, 76.96),
    (4, 14, 8.39, 58.10),
    (9, 14, 35.14, 87.24),
    (5, 14, 12.76, 64.86),
    (3, 6, 11.81, 88.19),
]


@pytest.mark.parametrize(("successes", "n", "low", "high"), INTERVALS)
def test_clopper_pearson_golden(successes, n, low, high):
    got = stats.clopper_pearson(successes, n)
    assert (round(100 * got[0], 2), round(100 * got[1], 2)) == (low, high)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (1, 1), (3, 40), (250, 1000)])
def test_clopper_pearson_equals_scipy(successes, n):
    from scipy.stats import binomtest

    expected = binomtest(successes, n).proportion_ci(method="exact")
    assert stats.clopper_pearson(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_no_proportion(successes, n):
    with pytest.raises(TimelineError, match="is no proportion"):
        stats.clopper_pearson(successes, n)


def test_missing_outcome_is_not_false():
    result = stats.proportion([True] * 6 + [False] * 5 + [None] * 3)
    assert (result.successes, result.n, result.missing) == (6, 11, 3)
    assert str(result) == "6 of 11 (54.5 %; 95 % CI 23.4 to 83.3); 3 missing"


def test_nothing_known():
    assert str(stats.proportion([None])) == "no value; 1 missing"
    assert str(stats.median_range([])) == "no value; none missing"
    assert str(stats.survival([], [])) == "no value; none missing"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1] * 7 + [2] * 7, "1.5 (range 1 to 2); n = 14; none missing"),
        ([26, None, 75, math.nan], "50.5 (range 26 to 75); n = 2; 2 missing"),
        ([163, 524, 17624], "524 (range 163 to 17624); n = 3; none missing"),
        ([38.333333333], "38.33 (range 38.33 to 38.33); n = 1; none missing"),
    ],
)
def test_median_range(values, text):
    assert str(stats.median_range(values)) == text


def test_median_survival_by_both_rules():
    curve = stats.kaplan_meier(TIMES, DIED)
    assert stats.median_survival(curve) == 85
    assert stats.median_survival(curve, "first_crossing") == 70
    assert 83.7 <= 85 <= 86.7 and round(85 / MONTH, 1) == 2.8


def test_landmarks_with_greenwood():
    curve = stats.kaplan_meier(TIMES, DIED)
    six, twelve = stats.landmark(curve, 6 * MONTH), stats.landmark(curve, 12 * MONTH)
    assert six is not None and twelve is not None
    assert six.std_error is not None and twelve.std_error is not None
    assert (round(six.survival, 4), round(six.std_error, 4), six.at_risk) == (0.3571, 0.1281, 5)
    assert (round(twelve.survival, 4), round(twelve.std_error, 4), twelve.at_risk) == (0.2857, 0.1207, 4)
    assert str(six) == "35.7 % (95 % CI 13.0 to 59.4) at 182.62"
    assert (round(100 * (twelve.low or 0), 1), round(100 * (twelve.high or 0), 1)) == (8.8, 52.4)


def test_follow_up_by_reverse_kaplan_meier():
    assert stats.survival(TIMES, DIED).follow_up == 721.5
    assert stats.survival(TIMES, DIED, rule="first_crossing").follow_up == 700


def test_curve_equals_scipy():
    from scipy.stats import CensoredData, ecdf

    times = [3, 5, 5, 5, 8, 8, 11, 13, 13, 20]
    died = [True, True, False, True, False, True, True, False, True, False]
    data = CensoredData(
        uncensored=[t for t, d in zip(times, died, strict=True) if d],
        right=[t for t, d in zip(times, died, strict=True) if not d],
    )
    expected = ecdf(data).sf
    curve = stats.kaplan_meier(times, died)
    assert [step.time for step in curve.steps] == list(expected.quantiles)
    assert [step.survival for step in curve.steps] == pytest.approx(list(expected.probabilities), abs=1e-12)


def test_deaths_come_before_censorings_at_ties():
    curve = stats.kaplan_meier([5, 5], [True, False])
    assert [(step.at_risk, step.events, step.censored, step.survival) for step in curve.steps] == [(2, 1, 1, 0.5)]


def test_median_not_reached_and_flat_to_the_end():
    assert stats.median_survival(stats.kaplan_meier([1, 2, 3], [True, False, False])) is None
    # Flat at 0.5 until the last observation: the stretch has only one end.
    assert stats.median_survival(stats.kaplan_meier([4, 9], [True, False])) == 4
    # 1 - 1/3, then 1 - 1/2 of it: survival jumps over one half, so there is no flat stretch to average.
    assert stats.median_survival(stats.kaplan_meier([2, 6, 7], [True, True, True])) == 6


def test_landmark_beyond_what_was_observed():
    open_end = stats.kaplan_meier([10, 20], [True, False])
    assert stats.landmark(open_end, 20) is not None
    assert stats.landmark(open_end, 21) is None
    all_dead = stats.landmark(stats.kaplan_meier([10, 20], [True, True]), 400)
    assert all_dead is not None and (all_dead.survival, all_dead.low) == (0, None)
    before_any = stats.landmark(open_end, 1)
    assert before_any is not None and (before_any.survival, before_any.at_risk) == (1, 2)


def test_missing_times_are_counted_and_negative_ones_refused():
    summary = stats.survival([10, None, 30], [True, True, None], landmarks=[5, 60], unit="d")
    assert (summary.curve.n, summary.curve.missing) == (1, 2)
    assert (
        str(summary)
        == "median 10 d, 100.0 % at 5 d, 0.0 % at 60 d; n = 1, events = 1; 2 missing: 1 no time, 1 no outcome"
    )
    with pytest.raises(TimelineError, match=r"2 times are before the start \(row 1, row 2\)"):
        stats.kaplan_meier([-1, -2, 5], [True, True, True])


def test_survival_prints_itself():
    text = str(stats.survival([t / MONTH for t in TIMES], DIED, landmarks=[6, 12], unit="months"))
    assert text == (
        "median 2.79 months, 35.7 % (95 % CI 13.0 to 59.4) at 6 months, 28.6 % (95 % CI 8.8 to 52.4) at 12 months, "
        "median follow-up 23.7 months; n = 14, events = 10; none missing"
    )
    assert str(stats.survival([5, 6, 7, 8], [False, True, False, False], landmarks=[10])) == (
        "median not reached, not observed to 10, median follow-up 7; n = 4, events = 1; none missing"
    )

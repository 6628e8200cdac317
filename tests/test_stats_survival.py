"""Survival against a published table and scipy; numbers at risk; landmark analysis; what is refused."""

import math
import warnings
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

LEUKAEMIA = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
"""Weeks of remission under 6-mercaptopurine (Freireich et al. 1963): relapses, and the last time seen without one."""

PUBLISHED = [
    (6, 21, 0.8571, 0.0764, 0.6197, 0.9516),
    (7, 17, 0.8067, 0.0869, 0.5631, 0.9228),
    (10, 15, 0.7529, 0.0963, 0.5032, 0.8894),
    (13, 12, 0.6902, 0.1068, 0.4316, 0.8491),
    (16, 11, 0.6275, 0.1141, 0.3675, 0.8049),
    (22, 7, 0.5378, 0.1282, 0.2678, 0.7468),
    (23, 6, 0.4482, 0.1346, 0.1881, 0.6801),
]
"""Time, at risk, survival, Greenwood standard error and log-log limits, as the textbooks of survival analysis print."""

GOLDEN = [18, 20, 24, 27, 29, 29, 70, 100, 150, 198, 600, 700, 743, 900]
DIED = [True] * 10 + [False] * 4
MONTH = 30.4375

cohorts = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=40)


def columns(rows):
    return [time for time, _ in rows], [event for _, event in rows]


def leukaemia():
    relapsed, censored = LEUKAEMIA
    return [*relapsed, *censored], [True] * len(relapsed) + [False] * len(censored)


def test_a_published_table():
    steps = [step for step in stats.kaplan_meier(*leukaemia()).steps if step.events]
    found = [(s.time, s.at_risk, s.survival, s.std_error, s.low, s.high) for s in steps]
    assert [tuple(round(value, 4) for value in row) for row in found] == PUBLISHED
    assert stats.median_survival(stats.kaplan_meier(*leukaemia())) == 23


def test_the_golden_vector_whole():
    result = stats.survival(GOLDEN, DIED, landmarks=[6 * MONTH, 12 * MONTH])
    (_, six), (_, twelve) = result.landmarks
    found = [round(v, 4) for mark in (six, twelve) for v in (mark.survival, mark.std_error)]
    assert found == [0.3571, 0.1281, 0.2857, 0.1207]
    assert [round(100 * v, 1) for mark in (six, twelve) for v in (mark.low, mark.high)] == [13.0, 59.4, 8.8, 52.4]
    assert (result.median, result.follow_up) == (85, 721.5)
    first = stats.survival(GOLDEN, DIED, rule="first_crossing")
    assert (first.median, first.follow_up) == (70, 700)


@given(cohorts)
@settings(max_examples=40, deadline=None)
def test_limits_and_error_equal_scipy(rows):
    times, died = columns(rows)
    data = reference.CensoredData(
        uncensored=[t for t, d in rows if d] or None, right=[t for t, d in rows if not d] or None
    )
    # scipy divides by zero where survival is 0 or 1, where we give None.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = reference.ecdf(data).sf
        interval = expected.confidence_interval(0.95, method="log-log")
        linear = expected.confidence_interval(0.6826894921370859, method="linear")
    for i, step in enumerate(stats.kaplan_meier(times, died).steps):
        assert step.survival == pytest.approx(expected.probabilities[i], abs=1e-12)
        if step.low is not None and step.high is not None and step.std_error is not None:
            assert (step.low, step.high) == pytest.approx(
                (interval.low.probabilities[i], interval.high.probabilities[i]), abs=1e-9
            )
            # One standard error to either side is the linear interval of that level, cut off at 0 and 1.
            low = max(0, step.survival - step.std_error)
            assert linear.low.probabilities[i] == pytest.approx(low, abs=1e-9)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(0, 45))
@settings(max_examples=50, deadline=None)
def test_without_censoring_survival_is_the_share_still_alive(times, at):
    curve = stats.kaplan_meier(times, [True] * len(times))
    mark = stats.landmark(curve, at)
    share = sum(time > at for time in times) / len(times)
    assert mark is not None and mark.survival == pytest.approx(share, abs=1e-12)
    if mark.std_error is not None:
        assert mark.std_error == pytest.approx(math.sqrt(share * (1 - share) / len(times)), abs=1e-12)
    assert stats.at_risk(curve, [at]).counts == (sum(time >= at for time in times),)


def test_median_without_censoring_is_the_plain_median_where_times_differ():
    for times in ([5, 9, 14], [5, 9, 14, 30], [1, 2, 3, 4, 5, 6]):
        curve = stats.kaplan_meier(times, [True] * len(times))
        assert stats.median_survival(curve) == stats.median_range(times).median


def test_numbers_at_risk():
    result = stats.at_risk(stats.kaplan_meier([*GOLDEN, None], [*DIED, True]), [0, 29, 30, 365, 900, 901])
    assert result.counts == (14, 10, 8, 4, 1, 0)
    assert str(stats.at_risk(stats.kaplan_meier(*leukaemia()), [0, 10, 20])) == (
        "number at risk: 21 at 0, 15 at 10, 8 at 20; n = 21; none missing"
    )


def test_a_curve_to_the_last_death_is_fit_for_json():
    curve = stats.kaplan_meier([1, 2], [True, True])
    last = curve.steps[-1]
    assert (last.survival, last.greenwood, last.std_error, last.low) == (0, None, None, None)
    assert '"method": "Kaplan-Meier"' in printing.as_json(stats.survival([1, 2], [True, True], landmarks=[1, 3]))
    assert str(curve) == "Kaplan-Meier: 0.0 % at the last time, 2; n = 2, events = 2; none missing"


def test_a_level_is_kept_and_said():
    data = reference.CensoredData(uncensored=GOLDEN[:10], right=GOLDEN[10:])
    limits = reference.ecdf(data).sf.confidence_interval(0.9, method="log-log")
    low, high = (100 * limit.evaluate(180) for limit in (limits.low, limits.high))
    assert f"(90 % CI {low:.1f} to {high:.1f}) at 180" in str(stats.survival(GOLDEN, DIED, landmarks=[180], level=0.9))


def test_landmark_analysis_from_one_origin():
    labels = [f"P{i}" for i in range(1, 17)]
    times, died = [*GOLDEN, None, 40], [*DIED, True, None]
    result = stats.landmark_analysis(times, died, 27, labels=labels)
    assert result.n == 11
    assert result.not_at_risk == (stats.LeftOut("event before", ("P1", "P2", "P3")),)
    assert result.left_out == (stats.LeftOut("no time", ("P15",)), stats.LeftOut("no outcome", ("P16",)))
    assert [step.time for step in result.survival.curve.steps][:3] == [0, 2, 43]
    assert str(result).endswith("n = 11, events = 7; 3 not at risk: event before; 2 missing: 1 no time, 1 no outcome")


def test_landmark_analysis_from_each_patients_own_origin():
    result = stats.landmark_analysis([10, 20, 30, 40], [True, False, True, True], [12, 25, 5, None])
    assert result.not_at_risk == (
        stats.LeftOut("event before", ("row 1",)),
        stats.LeftOut("last seen before", ("row 2",)),
    )
    assert result.left_out == (stats.LeftOut("no origin", ("row 4",)),)
    assert [(step.time, step.survival) for step in result.survival.curve.steps] == [(25, 0)]
    assert "2 not at risk: 1 event before, 1 last seen before; 1 missing: no origin" in str(result)
    assert str(stats.landmark_analysis([], [], 5)) == "landmark analysis: no value; none not at risk; none missing"


@given(cohorts, st.integers(0, 20))
@settings(max_examples=50, deadline=None)
def test_landmark_survival_is_conditional(rows, origin):
    times, died = columns(rows)
    later = stats.landmark_analysis(times, died, origin)
    whole = stats.kaplan_meier(times, died)
    before = [step.survival for step in whole.steps if step.time < origin]
    reached = before[-1] if before else 1.0
    after = [(step.time - origin, step.survival) for step in whole.steps if step.time >= origin]
    assert later.n == sum(time >= origin for time in times)
    for step, (time, survival) in zip(later.survival.curve.steps, after, strict=True):
        assert step.time == time and step.survival * reached == pytest.approx(survival, abs=1e-12)


def test_what_no_survival_can_be_made_of():
    with pytest.raises(TimelineError, match=r"not equally long \(times 1, events 2\)"):
        stats.kaplan_meier([1], [True, False])
    with pytest.raises(TimelineError, match=r"1 times are before the start \(B\)"):
        stats.kaplan_meier([1, -3], [True, True], ["A", "B"])
    with pytest.raises(TimelineError, match=r"rows with an infinite value: 1 \(row 2\)"):
        stats.kaplan_meier([1, math.inf], [True, True])
    with pytest.raises(TimelineError, match=r"events neither true nor false: 1 \(row 1\)"):
        stats.kaplan_meier([1, 2], [2, 1])
    with pytest.raises(TimelineError, match=r"origins before the start: 1 \(row 1\)"):
        stats.landmark_analysis([5], [True], -1)
    with pytest.raises(TimelineError, match="origins 1"):
        stats.landmark_analysis([5, 6], [True, True], [1])
    with pytest.raises(TimelineError, match="neither true nor false"):
        stats.proportion([True, 2])
    assert stats.kaplan_meier([math.nan, 5], [True, None]).missing == 2

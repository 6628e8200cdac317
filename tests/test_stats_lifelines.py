"""The Kaplan-Meier curve, its limits and its median against lifelines, on random cohorts."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

import timeline.stats

stats: Any = timeline.stats
cohorts = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=40)


@given(cohorts)
@settings(max_examples=25, deadline=None)
def test_curve_equals_lifelines(rows):
    times, died = [time for time, _ in rows], [event for _, event in rows]
    curve, fitted = stats.kaplan_meier(times, died), KaplanMeierFitter().fit(times, died)
    estimate, limits = fitted.survival_function_.iloc[:, 0], fitted.confidence_interval_
    table = fitted.event_table
    for step in curve.steps:
        assert step.survival == pytest.approx(estimate.loc[step.time], abs=1e-9)
        row = table.loc[step.time]
        # At time 0 lifelines adds an entrance to the row, after which all are at risk.
        assert (step.at_risk, step.events, step.censored) == (row["at_risk"], row["observed"], row["censored"])
        if step.low is not None and step.high is not None:
            assert (step.low, step.high) == pytest.approx(tuple(limits.loc[step.time]), abs=1e-9)
    reverse = KaplanMeierFitter().fit(times, [not event for event in died])
    crossing, median = stats.survival(times, died, rule="first_crossing").follow_up, reverse.median_survival_time_
    at_half = any(abs(v - 0.5) < 1e-9 for v in reverse.survival_function_.iloc[:, 0])
    # lifelines misses a curve that comes to 0.5 exactly, when rounding leaves it 10^-16 above.
    assert at_half or (math.inf if crossing is None else crossing) == median

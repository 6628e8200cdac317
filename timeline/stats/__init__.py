"""Statistics of a study: lists or columns in, frozen results out that print themselves.

Every result says of how many values it speaks, how many were missing and why, and by which method and conventions;
a missing value is never counted as a negative one, and what is undefined is None with its reason, never NaN. Must not
know a connection, a file or the meaning of what it counts.
"""

from timeline.stats.answer import Answer
from timeline.stats.change import Change, Changes, fold_change, fold_changes, percent_change, percent_changes
from timeline.stats.curve import AtRisk, Curve, MedianRule, Step, at_risk, kaplan_meier, median_survival
from timeline.stats.description import Counts, MedianRange, counts, median_range
from timeline.stats.influence import LeaveOneOut, leave_one_out
from timeline.stats.multiplicity import AdjustedP, Family, benjamini_hochberg, holm, stars
from timeline.stats.pairs import Pairs, pair_up
from timeline.stats.proportions import Proportion, clopper_pearson, proportion
from timeline.stats.shift import HodgesLehmann, hodges_lehmann
from timeline.stats.signs_and_ranks import SignedRank, SignTest, sign_p, sign_test, wilcoxon
from timeline.stats.survival_summary import Landmark, LandmarkAnalysis, Survival, landmark, landmark_analysis, survival
from timeline.stats.t_tests import PairedT, RatioT, paired_t, ratio_t
from timeline.stats.values import LeftOut, left_out_text, number, p_text

__all__ = [
    "Answer",
    "Change",
    "Changes",
    "fold_change",
    "fold_changes",
    "percent_change",
    "percent_changes",
    "AtRisk",
    "Curve",
    "MedianRule",
    "Step",
    "at_risk",
    "kaplan_meier",
    "median_survival",
    "Counts",
    "MedianRange",
    "counts",
    "median_range",
    "HodgesLehmann",
    "hodges_lehmann",
    "LeaveOneOut",
    "leave_one_out",
    "AdjustedP",
    "Family",
    "benjamini_hochberg",
    "holm",
    "stars",
    "PairedT",
    "RatioT",
    "paired_t",
    "ratio_t",
    "Pairs",
    "pair_up",
    "Proportion",
    "clopper_pearson",
    "proportion",
    "SignedRank",
    "SignTest",
    "sign_p",
    "sign_test",
    "wilcoxon",
    "Landmark",
    "LandmarkAnalysis",
    "Survival",
    "landmark",
    "landmark_analysis",
    "survival",
    "LeftOut",
    "left_out_text",
    "number",
    "p_text",
]

"""What published values would be under other readings: of the rules, of the queries, of the statistics.

Readings and the items they bear on stand in a file; must not know what any of them means. Nothing is written.
"""

from timeline.alternatives.compute import Ambiguity, Outcome, Sensitivity, Told, sensitivity
from timeline.alternatives.read import Alternatives, Question, Reading, load

__all__ = ["Alternatives", "Ambiguity", "Outcome", "Question", "Reading", "Sensitivity", "Told", "load", "sensitivity"]

"""A rule in English: names, expressions, lookups and windows, clauses, each above the one before.

Generated from the models of the rules alone: knows no connection, no table and no file.
"""

from timeline.words.clauses import Clause, clauses
from timeline.words.lookups import Sayer
from timeline.words.names import Scope, quantity, spoken, unit

__all__ = ["Clause", "Sayer", "Scope", "clauses", "quantity", "spoken", "unit"]

"""What a publication prints, beside what a study gives: every item computed through the public queries and compared.

How a value is found stands in the file of published values; must not know what any of them means.
"""

from timeline.published.compare import AGREEMENTS, Agreement, Compared, Field, compare, counted
from timeline.published.read import Check, Item, Published, load, unfit

__all__ = [
    "AGREEMENTS", "Agreement", "Check", "Compared", "Field", "Item", "Published", "compare", "counted", "load", "unfit",
]  # fmt: skip

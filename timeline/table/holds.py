"""Whether the columns that a declared table counts and measures by hold numbers; knows no form and no query."""

from typing import TYPE_CHECKING

from timeline.errors import UsageError
from timeline.table.declared import Characteristics

if TYPE_CHECKING:
    import polars


def check_numbers(frame: "polars.DataFrame", declared: Characteristics) -> None:
    """Raise UsageError where a column of `declared` that holds numbers holds words, or a number is of nobody knows how
    many: the SELECT is at fault, not the data.
    """
    words = [name for name in declared.numbers() if not (frame[name].dtype.is_numeric() or frame[name].is_null().all())]
    if words:
        raise UsageError(
            f"the `table` of the query shows numbers, and {', '.join(words)} holds none; cast it in the SELECT"
        )
    known = frame[declared.count].is_not_null() | frame[declared.median].is_not_null()
    lost = int((known & frame[declared.n].is_null()).sum())
    if lost:
        raise UsageError(
            f"the `table` of the query shows numbers out of {declared.n}, empty in {lost} of {frame.height} "
            f"rows that have {declared.count} or {declared.median}; let the SELECT give it"
        )

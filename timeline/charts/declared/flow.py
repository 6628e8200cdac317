"""What a header may say about the flow of a cohort; knows no Altair and no data."""

from typing import Literal

from timeline.charts.declared.base import Declared


class Flow(Declared):
    """A box for each row, in the order of the rows, and beside the arrow to it a box of those it excluded."""

    kind: Literal["flow"] = "flow"
    label: str
    """The column with the words of the step."""
    count: str
    """The column with how many are left."""
    lost: str | None = None
    """The column with how many the step excluded; no box where there are none."""
    why: str | None = None
    """The column that says why they were excluded."""
    note: str | None = None
    """A column with a remark on the step, which stands in its box."""

    def numbers(self) -> tuple[str, ...]:
        return tuple(name for name in (self.count, self.lost) if name is not None)

    def columns(self) -> tuple[str, ...]:
        named = (self.label, self.count, self.lost, self.why, self.note)
        return tuple(name for name in named if name is not None)

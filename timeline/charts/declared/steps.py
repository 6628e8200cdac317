"""What a header may say about steps, each with what it leaves; knows no Altair and no data."""

from typing import Literal

from timeline.charts.declared.base import Declared


class Steps(Declared):
    """A bar for each row, in the order of the rows: how many are left after each step."""

    kind: Literal["steps"] = "steps"
    label: str
    count: str
    lost: str | None = None
    x: str

    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.label, self.count, self.lost) if name is not None)

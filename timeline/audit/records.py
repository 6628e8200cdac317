"""What an audit says, as frozen records; no value of a patient but where it is asked for. Knows no connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Status = Literal["failed", "passed", "not applicable"]


@dataclass(frozen=True)
class Outcome:
    """How one check came out."""

    id: str
    category: str
    context: str
    severity: str
    title: str
    meaning: str
    status: Status
    of: str
    asked: int
    """How many there are."""
    failures: int
    """How many of them are wrong."""
    patients: int | None
    """Patients concerned; None where what is listed belongs to none."""
    limit: float
    """The share that may be wrong."""
    stops: bool
    """Whether it stops the work where it fails."""
    why: str = ""
    """Why it was not applicable."""
    details: tuple[str, ...] = ()
    """Sentences about what is wrong, where there is more to say than a number."""
    query: str = ""
    """The SELECT that lists what is wrong."""
    examples: tuple[Mapping[str, Any], ...] = ()
    """A few of its rows, where they were asked for: patients' values."""

    @property
    def share(self) -> float | None:
        return self.failures / self.asked if self.asked else None

    @property
    def percent(self) -> str:
        """The share in words: `2.5 %`, `< 0.01 %`."""
        if self.share is None:
            return "–"
        percent = 100 * self.share
        if 0 < percent < 0.01:
            return "< 0.01 %"
        return f"{percent:.2g} %" if 0 < percent < 10 else f"{percent:.0f} %"

    @property
    def stopped(self) -> bool:
        return self.stops and self.status == "failed"


@dataclass(frozen=True)
class Profile:
    """What the study holds of one concept. Shares are of its events."""

    concept: str
    title: str | None
    unit: str | None
    events: int
    patients: int
    values: int
    """Events with a number."""
    units: tuple[str, ...]
    """Units as the source writes them, the most frequent first, with their rows."""
    converted: int
    """Numbers that came in another unit."""
    assumed: int
    """Numbers that came without one."""
    refused: int
    """Rows rejected for their unit."""
    implausible: int
    bounded: int
    date_only: int
    quantiles: tuple[float, ...] | None
    """5, 25, 50, 75 and 95 % of the plausible numbers in `unit`; None where they are of fewer than five patients."""
    first_day: date | None
    last_day: date | None
    """None where they would be those of fewer than five patients."""


@dataclass(frozen=True)
class Audit:
    """The outcome of every check, failed first, and a profile of every concept."""

    checks: tuple[Outcome, ...]
    profile: tuple[Profile, ...]
    remark: str
    """That data are synthetic, or tables out of date."""
    seconds: float

    @property
    def stopped(self) -> tuple[Outcome, ...]:
        """The failed checks that stop the work."""
        return tuple(one for one in self.checks if one.stopped)

    def count(self, status: Status) -> int:
        return sum(one.status == status for one in self.checks)

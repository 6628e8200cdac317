"""The part of the page about data quality: the audit and its profiles, as rows; data only, no markup."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.audit import CATEGORIES, Audit, Outcome, audit
from timeline.printing import cell

if TYPE_CHECKING:
    import duckdb

MARKS = {"error": "!", "warning": "△", "note": "i"}
"""A symbol for each severity, beside its word."""


@dataclass(frozen=True)
class Quality:
    """Every check of the study, and what there is of every concept."""

    audit: Audit

    def of(self, status: str) -> tuple[Outcome, ...]:
        return tuple(one for one in self.audit.checks if one.status == status)

    @property
    def categories(self) -> tuple[tuple[str, tuple[int, int, int]], ...]:
        """Of each category how many checks failed, passed, and had nothing to ask."""
        counted = []
        for category in CATEGORIES:
            mine = [one.status for one in self.audit.checks if one.category == category]
            counted.append((category, (mine.count("failed"), mine.count("passed"), mine.count("not applicable"))))
        return tuple(counted)

    @property
    def marks(self) -> dict[str, str]:
        return MARKS

    @property
    def head(self) -> tuple[str, ...]:
        return (
            "concept", "events", "patients", "numbers", "unit", "units in the source", "converted", "assumed",
            "refused", "implausible", "bare dates", "5 %", "25 %", "50 %", "75 %", "95 %", "first", "last",
        )  # fmt: skip

    @property
    def profile(self) -> tuple[tuple[str, ...], ...]:
        return tuple(
            tuple(
                cell(value)
                for value in (
                    one.concept, one.events, one.patients, one.values, one.unit, ", ".join(one.units) or None,
                    one.converted, one.assumed, one.refused, one.implausible, one.date_only,
                    *(one.quantiles or (None,) * 5), one.first_day, one.last_day,
                )
            )
            for one in self.audit.profile
        )  # fmt: skip


def quality(con: "duckdb.DuckDBPyConnection") -> Quality | None:
    """Return the audit of a study; None where nothing was ingested."""
    if not con.execute("SELECT 1 FROM meta.source LIMIT 1").fetchall():
        return None
    return Quality(audit(con))

"""A check as a file: SQL that lists what is wrong, under a header that says what it asks; knows no study.

Adding a check needs a file in a folder, no Python. `conf_reconcile.sql` is the check `conf.reconcile`.
"""

from pathlib import Path
from typing import Literal, get_args

import duckdb

from timeline import header, select
from timeline.errors import Finding, Findings, UsageError
from timeline.rules import Model

Category = Literal[
    "value conformance",
    "relational conformance",
    "computational conformance",
    "completeness",
    "uniqueness",
    "atemporal plausibility",
    "temporal plausibility",
]
CATEGORIES: tuple[str, ...] = get_args(Category)
"""Of the harmonized framework of data quality, Kahn et al. 2016, doi 10.13063/2327-9214.1244."""
Severity = Literal["error", "warning", "note"]
"""error: the file is not what a study must be; warning: results may be wrong; note: to be known."""


class Check(Model):
    """One question about data quality."""

    name: str
    file: str = ""
    sql: str
    """Lists what is wrong. A row with a number `rows` stands for so many, any other for itself."""
    title: str
    """What is so where the check is passed."""
    meaning: str
    category: Category
    context: Literal["verification", "validation"] = "verification"
    """Against what the study itself says, or against what is known outside of it (plausible ranges)."""
    severity: Severity
    of: str
    """What is asked, in the plural."""
    asked: str
    """SELECT how many there are."""
    limit: float = 0.0
    """The share of them that may be wrong."""
    details: tuple[str, ...] = ()
    """Of a check that was made, not written: what is known of what is wrong."""
    reads: tuple[str, ...] = ()
    """Of a check that was written: the relations of its SQL, found when it is loaded."""

    @property
    def id(self) -> str:
        """The file's name, with a dot behind its first word."""
        return self.name.replace("_", ".", 1)


def load(folder: Path) -> dict[str, Check]:
    """Return the checks of a folder by id; raise Findings with all mistakes of all files."""
    if not any(folder.glob("*.sql")):
        raise UsageError(f"{folder}: there are no checks here; a check is a file such as conf_my_check.sql")
    checks: dict[str, Check] = {}
    findings: list[Finding] = []
    with duckdb.connect() as parser:
        for path in sorted(folder.glob("*.sql")):
            found = header.parse_as(Check, path, "title, meaning, category, severity, of, asked")
            if isinstance(found, list):
                findings += found
                continue
            reads, mistakes = _judged(found, parser)
            checks[found.id] = found.model_copy(update={"reads": reads})
            findings += [Finding(found.file, text) for text in mistakes]
    if findings:
        raise Findings(findings, f"{folder}: the checks have mistakes")
    return checks


def _judged(check: Check, parser: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], list[str]]:
    """The relations that a check reads, and what is wrong with its SQL."""
    reads: set[str] = set()
    mistakes: list[str] = []
    for sql in (check.sql, check.asked):
        try:
            tree = select.tree_of(sql, parser)
        except UsageError as error:
            mistakes.append(str(error))
            continue
        mistakes += select.mistakes_of(tree)
        reads.update(select.relations(tree))
    return tuple(sorted(reads)), mistakes

"""Is a study whole, reconciled, plausible: every check asked, those that stop the work said. Reads only.

The checks are files (`check.py`); which of them stop the work, and what share may be wrong, is declared in the rule
set. Knows no medicine, and tells numbers, never values, unless asked.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from timeline import engine, printing, query
from timeline.audit import computed
from timeline.audit.check import CATEGORIES, Check, load
from timeline.audit.profile import profile
from timeline.audit.records import Audit, Outcome, Profile, Status
from timeline.errors import StudyError, UsageError
from timeline.rules import Audit as Declared
from timeline.shipped import folder

if TYPE_CHECKING:
    Connection = duckdb.DuckDBPyConnection

DECLARED, NONE = "declared", "none"
"""Words for --fail-on: what the rule set says, and no check at all."""
EXAMPLES = 5
"""Rows of a failed check that are shown where values are asked for."""
SEVERITIES = ("error", "warning", "note")
STATUSES: tuple[Status, ...] = ("failed", "passed", "not applicable")

__all__ = ["CATEGORIES", "Audit", "Check", "Outcome", "Profile", "audit", "load"]


def audit(
    con: "Connection",
    *,
    checks: Iterable[Path] = (),
    only: Sequence[str] = (),
    fail_on: Sequence[str] = (DECLARED,),
    show_values: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Audit:
    """Return the outcome of every check on the study behind `con`, or of those in `only`; nothing is written.

    `checks` are folders asked beside the shipped one. `fail_on` are ids of checks that stop the work, `declared`
    for those of the rule set, `none` for none. Raises UsageError for ids that there are not.
    """
    started, say = time.monotonic(), progress or (lambda doing: None)
    declared = _declared(con)
    known = {id: one for where in (folder("queries/checks"), *checks) for id, one in load(where).items()}
    known |= {one.id: one for one in computed.JUDGED}
    ids = (*known, *computed.COMPOSED)
    _refuse_unknown("--check", only, ids)
    _refuse_unknown("--fail-on", fail_on, (*ids, DECLARED, NONE))
    if NONE in fail_on and len(fail_on) > 1:
        raise UsageError(f"--fail-on: `{NONE}` stands alone; leave it out, or the ids")
    _refuse_unknown("`audit` of the rule set", (*declared.stop, *declared.limits), ids)
    asked = [id for id in ids if not only or id in only]
    rules = computed.last_run(con) if computed.OF_RULES.intersection(asked) else {}
    found = []
    relations = _relations(con)
    for id in asked:
        say(f"check {id}")
        one = known[id] if id in known else computed.COMPOSED[id](con, rules)
        stops = _stops(one, fail_on, declared)
        limited = one.model_copy(update={"limit": declared.limits.get(id, one.limit)})
        if one in computed.JUDGED:
            found.append(_told(limited, computed.judge(con, one, rules), stops))
        else:
            missing = [name for name in one.reads if name not in relations]
            found.append(_ask(con, limited, missing, stops, show_values))
    say("profiles of concepts")
    profiles = () if only else profile(con)
    return Audit(tuple(sorted(found, key=_place)), profiles, query.remark(con), time.monotonic() - started)


def _declared(con: "Connection") -> Declared:
    try:
        return engine.last_run(con)[0].audit
    except StudyError:
        return Declared()


def _refuse_unknown(where: str, named: Iterable[str], known: Sequence[str]) -> None:
    for id in named:
        if id not in known:
            hint = printing.did_you_mean(id, known) or "."
            raise UsageError(f"{where}: there is no check `{id}`{hint} `timeline audit STUDY` lists them all")


def _stops(check: Check, fail_on: Sequence[str], declared: Declared) -> bool:
    """Whether a check stops the work; unless the rule set says otherwise, those do of what every study must be."""
    as_declared = check.id in declared.stop if declared.stop else check.severity == "error"
    return check.id in fail_on or (DECLARED in fail_on and as_declared)


def _relations(con: "Connection") -> frozenset[str]:
    rows = con.execute(
        "SELECT CASE WHEN schema_name = 'main' THEN name ELSE schema_name || '.' || name END FROM ("
        "SELECT schema_name, table_name AS name FROM duckdb_tables() "
        "UNION ALL SELECT schema_name, view_name FROM duckdb_views())"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _ask(con: "Connection", check: Check, missing: Sequence[str], stops: bool, show_values: bool) -> Outcome:
    """The outcome of a check that is SQL."""
    if missing:
        return _outcome(check, 0, 0, None, stops, why=f"this study has no table {', '.join(missing)}")
    try:
        asked = con.execute(check.asked).fetchall()[0][0] or 0
        if not asked:
            return _outcome(check, 0, 0, None, stops, why=f"there are no {check.of}")
        columns = [column[0] for column in con.execute(f"SELECT * FROM ({check.sql}) LIMIT 0").description or ()]
        con.fetchall()
        rows = "coalesce(sum(rows), 0)" if "rows" in columns else "count(*)"
        patients = "count(DISTINCT patient_id)" if "patient_id" in columns else "NULL"
        failures, concerned = con.execute(f"SELECT {rows}, {patients} FROM ({check.sql})").fetchall()[0]
    except duckdb.Error as error:
        raise UsageError(f"{check.file or check.id}: {str(error).splitlines()[0]}") from None
    made = _outcome(check, int(asked), int(failures), concerned, stops, details=check.details)
    if not (show_values and made.status == "failed"):
        return made
    frame = query.one_off(con, f"SELECT * FROM ({check.sql}) LIMIT {EXAMPLES}")
    return replace(made, examples=tuple(frame.to_dicts()))


def _told(check: Check, found: computed.Judged, stops: bool) -> Outcome:
    why = "" if found.asked else f"there are no {check.of}"
    return _outcome(check, found.asked, found.failures, None, stops, why=why, details=found.details)


def _outcome(
    check: Check, asked: int, failures: int, patients: int | None, stops: bool, *, why: str = "",
    details: tuple[str, ...] = (),
) -> Outcome:  # fmt: skip
    status: Status = "not applicable" if why else "failed" if failures > check.limit * asked else "passed"
    return Outcome(
        check.id, check.category, check.context, check.severity, check.title, check.meaning, status, check.of, asked,
        failures, patients, check.limit, stops, why, details, check.sql.strip(),
    )  # fmt: skip


def _place(one: Outcome) -> tuple:
    """Failed before passed, grave before slight, then in the order of the framework."""
    return STATUSES.index(one.status), SEVERITIES.index(one.severity), CATEGORIES.index(one.category), one.id

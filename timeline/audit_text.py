"""An audit in words for the terminal; knows its records, and no connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from timeline.printing import cell, count, table, wrapped

if TYPE_CHECKING:
    from timeline.audit import Audit, Outcome


def audit_text(audit: Audit, *, whole: bool = False, profile: bool = False) -> str:
    """Return how every check came out, failed first; `whole` also what each means and the SQL that lists its rows."""
    return "\n".join(_lines(audit, whole, profile))


def stopped_text(audit: Audit) -> str:
    """Return which failed checks stop the work."""
    named = ", ".join(one.id for one in audit.stopped)
    return wrapped(
        f"This study does not pass {named}. `timeline audit STUDY --check ID` says what that means; which checks stop "
        "the work is declared by --fail-on and by `audit: {stop: …}` in ruleset.yaml."
    )


def _lines(audit: Audit, whole: bool, profile: bool) -> Iterator[str]:
    if audit.remark:
        yield wrapped(audit.remark)
    yield (
        f"{count(len(audit.checks), 'check')}: {audit.count('failed')} failed, {audit.count('passed')} passed, "
        f"{audit.count('not applicable')} not applicable; {audit.seconds:.1f} s"
    )
    if whole:
        for one in audit.checks:
            yield from _whole(one)
    else:
        yield from _short(audit)
    if profile and audit.profile:
        yield ""
        yield _profile(audit)


def _short(audit: Audit) -> Iterator[str]:
    failed = [one for one in audit.checks if one.status == "failed"]
    if failed:
        head = ("failed", "severity", "wrong", "asked", "share", "patients", "what should be so")
        rows = [
            (one.id, f"{one.severity}{', stops' if one.stops else ''}", one.failures, one.asked, one.percent,
             one.patients, one.title)
            for one in failed
        ]  # fmt: skip
        yield "\n" + table(head, rows, indent="  ")
        for one in failed:
            yield from (wrapped(f"  {one.id}: {detail}", indent="    ") for detail in one.details)
            yield from _examples(one)
    for status, words in (("passed", "Passed"), ("not applicable", "Nothing to ask")):
        named = ", ".join(one.id for one in audit.checks if one.status == status)
        if named:
            yield "\n" + wrapped(f"{words}: {named}", indent="  ")
    if failed:
        yield "\n" + wrapped(f"--check {failed[0].id} says what it means, and the SQL that lists what is wrong.")


def _whole(one: Outcome) -> Iterator[str]:
    yield f"\n{one.id}: {one.status}{', stops the work' if one.stopped else ''}"
    yield f"  {one.title}"
    yield wrapped(f"  {one.meaning.strip()}", indent="  ")
    yield f"  {one.severity}; {one.category}, {one.context}"
    if one.why:
        yield f"  {one.why}"
        return
    patients = f", of {count(one.patients, 'patient')}" if one.patients is not None else ""
    limit = f"; up to {one.limit:.4g} of them may be" if one.limit else ""
    yield f"  wrong: {one.failures:,} of {one.asked:,} {one.of} ({one.percent}){patients}{limit}"
    yield from (wrapped(f"  {detail}", indent="    ") for detail in one.details)
    yield from _examples(one)
    if one.query:
        yield '  timeline query STUDY --sql "…":'
        yield "\n".join(f"    {line}" for line in one.query.splitlines())


def _examples(one: Outcome) -> Iterator[str]:
    if one.examples:
        yield table(list(one.examples[0]), [tuple(row.values()) for row in one.examples], indent="    ")


def _profile(audit: Audit) -> str:
    head = ("concept", "events", "patients", "numbers", "unit", "converted", "assumed", "refused", "implausible",
            "bare dates", "5 %", "50 %", "95 %")  # fmt: skip
    rows = []
    for one in audit.profile:
        low, _, middle, _, high = one.quantiles or (None,) * 5
        rows.append(
            (one.concept, one.events, one.patients, one.values, one.unit, one.converted, one.assumed, one.refused,
             one.implausible, one.date_only, *(cell(value) for value in (low, middle, high)))
        )  # fmt: skip
    return table(head, rows, indent="  ")

"""The clinical definitions once more, in plain loops over one patient's events, so that two writings must agree.

An event is a dict with time, end_time, concept, value, bound, text, route, unit. Knows no SQL and no rule.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

Event = dict[str, Any]
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
STEROIDS = ("dexamethasone", "methylprednisolone", "prednisone", "prednisolone", "hydrocortisone")
SYSTEMIC = (None, "intravenous", "oral", "intramuscular", "subcutaneous", "enteral")
AWAKE = {"alert": 0, "awake": 1, "voice": 2, "tactile": 3, "unarousable": 4}
SEIZURE = {"brief": 3, "prolonged": 4}
MOTOR = {"focal_deep": 4}
EDEMA = {"focal": 3, "diffuse": 4}
PRESSORS = ("norepinephrine", "epinephrine", "phenylephrine", "dopamine")


def beyond(event: Event) -> float:
    """The number a bounded value compares as: just beyond its bound."""
    nudge = {"<": -1e-7, "<=": -1e-7, ">": 1e-7, ">=": 1e-7}.get(event["bound"], 0)
    return event["value"] + nudge


def of(events: Iterable[Event], *concepts: str) -> list[Event]:
    return [event for event in events if event["concept"] in concepts]


def given(event: Event) -> bool:
    return event["value"] is None or beyond(event) > 0


def infusion(events: Sequence[Event]) -> Event | None:
    products = of(events, "axicabtagene_ciloleucel", "tisagenlecleucel", "brexucabtagene_autoleucel")
    return min(products, key=lambda e: (e["time"], e["concept"]), default=None)


def steroids(events: Sequence[Event]) -> list[Event]:
    return [e for e in of(events, *STEROIDS) if given(e) and e["route"] in SYSTEMIC]


def merged(times: Iterable[Any], gap: timedelta, start: Callable = lambda x: x) -> list[list[Any]]:
    groups: list[list[Any]] = []
    for item in sorted(times, key=start):
        if groups and start(item) - start(groups[-1][-1]) <= gap:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def latest(seen: Sequence[tuple[datetime, int]], now: datetime, hold: timedelta) -> tuple[datetime, int] | None:
    """The latest observation not older than `hold`; the worst of several at that instant."""
    return max(((t, level) for t, level in seen if t <= now <= t + hold), default=None)


def levels(
    events: Sequence[Event], start: datetime, level: Callable[[Event], int | None]
) -> list[tuple[datetime, int]]:
    return [(e["time"], found) for e in events if e["time"] >= start and (found := level(e)) is not None]


def written(event: Event) -> int | None:
    """A documented grade: a whole number 0 to 5 without a bound."""
    return int(event["value"]) if event["bound"] is None and event["value"] in (0, 1, 2, 3, 4, 5) else None


def ice_level(event: Event) -> int | None:
    if event["value"] not in range(11):
        return None
    score = beyond(event)
    return 3 if score < 3 else 2 if score < 7 else 1 if score < 10 else 0


def icans_grades(events: Sequence[Event]) -> list[tuple[datetime, int]]:
    index = infusion(events)
    if index is None:
        return []
    start = index["time"]
    seen = {
        "written": levels(of(events, "documented_icans_grade"), start, written),
        "ice": levels(of(events, "ice_score"), start, ice_level),
        "awake": levels(of(events, "consciousness"), start, lambda e: AWAKE.get(e["text"])),
        "seizure": levels(of(events, "seizure"), start, lambda e: SEIZURE.get(e["text"])),
        "motor": levels(of(events, "motor_weakness"), start, lambda e: MOTOR.get(e["text"])),
        "edema": levels(of(events, "cerebral_edema"), start, lambda e: EDEMA.get(e["text"])),
    }
    rows = []
    for now in sorted({t for found in seen.values() for t, _ in found}):
        state = {name: latest(found, now, DAY) for name, found in seen.items()}
        documented, ice = state.pop("written"), state["ice"]
        if documented and not (ice and ice[0] > documented[0]):
            after = [s[1] for name, s in state.items() if name != "ice" and s and s[0] > documented[0]]
            rows.append((now, max([documented[1], *after])))
        else:
            rows.append((now, max(s[1] for s in state.values() if s)))
    return rows


def is_fever(event: Event) -> bool:
    tenths = math.floor(event["value"] * 10 + 0.5 + 1e-9) / 10
    return beyond(event | {"value": tenths}) >= 38.0


def oxygen_level(event: Event) -> int | None:
    device, flow = event["text"], event["value"]
    if device in ("nasal_cannula", "high_flow_cannula") and flow is not None:
        return 3 if beyond(event) > 6 else 2
    return {
        "none": 0, "nasal_cannula": 2, "blow_by": 2, "high_flow_cannula": 3, "face_mask": 3, "nonrebreather": 3,
        "venturi": 3, "cpap": 4, "bipap": 4, "ventilator": 4,
    }.get(device)  # fmt: skip


def until(event: Event, hold: timedelta) -> datetime:
    end = event["end_time"]
    return end if end is not None and end >= event["time"] else event["time"] + hold


def crs_grades(events: Sequence[Event]) -> list[tuple[datetime, int]]:
    index = infusion(events)
    if index is None:
        return []
    start = index["time"]
    later = [e for e in events if e["time"] >= start]
    temperatures = [e for e in of(later, "temperature") if e["value"] is not None]
    notes = levels(of(later, "documented_crs_grade"), start, written)
    systolic = [e for e in of(later, "systolic_bp") if e["value"] is not None]
    mean = [e for e in of(later, "mean_arterial_pressure") if e["value"] is not None]
    pressors = [e for e in of(later, *PRESSORS, "vasopressin") if given(e)]
    oxygen = [e for e in of(later, "oxygen_device") if oxygen_level(e) is not None]
    treated = [e["time"] for e in of(events, "tocilizumab", "siltuximab", "anakinra") if given(e)]
    treated += [e["time"] for e in steroids(events)]
    times = {e["time"] for group in (temperatures, systolic, mean, pressors, oxygen) for e in group}
    rows = []
    for now in sorted(times | {t for t, _ in notes}):
        note = latest(notes, now, DAY)
        since = note[0] if note else None

        def counts(time: datetime, since: datetime | None = since) -> bool:
            return since is None or time > since

        fever_now = latest([(e["time"], int(is_fever(e))) for e in temperatures], now, DAY)
        fever = None if fever_now is None or not counts(fever_now[0]) else bool(fever_now[1])
        fever = True if note and note[1] >= 1 else fever
        worst = []
        for group, limit in ((systolic, 90), (mean, 65)):
            found = latest([(e["time"], 2 * (beyond(e) < limit)) for e in group], now, 6 * HOUR)
            worst += [found[1]] if found and counts(found[0]) else []
        running = {e["concept"] for e in pressors if e["time"] <= now <= until(e, 6 * HOUR) and counts(e["time"])}
        agents = running - {"vasopressin"}
        worst += [4] if len(agents) >= 2 else [3] if running else []
        devices = [(e["time"], oxygen_level(e)) for e in oxygen if e["time"] <= now <= until(e, 12 * HOUR)]
        if devices and counts(max(devices)[0]):
            worst.append(max(devices)[1])
        waived = any(is_fever(e) and e["time"] <= now for e in temperatures) and any(
            now - 2 * DAY <= t <= now for t in treated
        )
        grade = max([1, *worst]) if fever else max([0, *worst]) if waived else 0 if fever is False else None
        known = [g for g in (grade, note[1] if note else None) if g is not None]
        rows += [(now, max(known))] if known else []
    return rows


def within(rows: Iterable[tuple[datetime, Any]], condition: Callable[[datetime], bool]) -> list[Any]:
    return [value for time, value in rows if condition(time)]


def refractory(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """(first grade, steroid, grade at steroid, end of window, best grade, status) of each ICANS episode."""
    index, grades = infusion(events), icans_grades(events)
    rows = []
    for episode in merged([t for t, g in grades if g >= 1], 2 * DAY):
        first, last = episode[0], episode[-1]
        steroid = min((e["time"] for e in steroids(events) if first <= e["time"] <= last + DAY), default=None)
        if steroid is None or index is None:
            rows.append((first, None, None, None, None, "untreated"))
            continue
        at = within(grades, lambda t, f=first, s=steroid: f <= t <= s)[-1]
        end = steroid + DAY
        if index["concept"] == "tisagenlecleucel":
            midnight = datetime(steroid.year, steroid.month, steroid.day) + DAY
            end = max(midnight, steroid + 6 * HOUR)
        after = within(grades, lambda t, s=steroid, e=end: s < t <= e)
        best = min(after, default=None)
        status = (
            "untreated" if at == 0 else "indeterminate" if best is None else "responsive" if best < at else "refractory"
        )
        rows.append((first, steroid, at, end, best, status))
    return rows


def responses(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """(first dose, ICANS before and after, CRS before and after, responded, group) of each anakinra window."""
    index, icans, crs = infusion(events), icans_grades(events), crs_grades(events)
    rows = []
    for doses in merged([e["time"] for e in of(events, "anakinra") if given(e)], 2 * DAY):
        first, last = doses[0], doses[-1]
        found, fell = [], []
        for grades in (icans, crs):
            before = max(within(grades, lambda t, f=first: t <= f), default=None) if index else None
            after = min(within(grades, lambda t, f=first, e=last: f < t <= e + DAY), default=None)
            found += [before, after]
            fell.append(None if before is None or after is None else after < before)
        responded = True if True in fell else None if None in fell else False
        peak = max((g for _, g in icans), default=0)
        group = "grade 1-2" if peak in (1, 2) else None
        if peak >= 3 and fell[0] is not None:
            group = "grade 3-4 response" if fell[0] else "grade 3-4 no response"
        rows.append((first, *found, responded, group))
    return rows


def pairs(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    """(first dose, analyte, before, after) of each anakinra window and analyte."""
    rows = []
    for doses in merged([e["time"] for e in of(events, "anakinra") if given(e)], 2 * DAY):
        first, last = doses[0], doses[-1]
        for analyte in ("crp", "ferritin", "neutrophils", "platelets", "temperature"):
            worst = min if analyte in ("neutrophils", "platelets") else max
            known = [e for e in of(events, analyte) if e["value"] is not None]
            at = {t: worst(e["value"] for e in known if e["time"] == t) for t in {e["time"] for e in known}}
            ordered = sorted(at.items())
            if analyte == "temperature":
                before = max(within(ordered, lambda t, f=first: f - DAY <= t <= f), default=None)
                after = max(within(ordered, lambda t, e=last: e < t <= e + DAY), default=None)
            else:
                before = (within(ordered, lambda t, f=first: f - 2 * DAY <= t <= f) or [None])[-1]
                low, high, near = (0, 2, 1) if analyte in ("crp", "ferritin") else (22, 32, 28)
                inside = [
                    (abs(t - last - near * DAY), t, v)
                    for t, v in ordered
                    if t > last and last + low * DAY <= t <= last + high * DAY
                ]
                after = min(inside)[2] if inside else None
            rows.append((first, analyte, before, after))
    return rows


def survival(events: Sequence[Event]) -> tuple[Any, ...] | None:
    """(death, last time, days, best response) from the infusion."""
    index = infusion(events)
    if index is None:
        return None
    death = min((e["time"] for e in of(events, "death")), default=None)
    last = death or max(e["time"] for e in events)
    assessed = {str(e["text"]).upper() for e in of(events, "response_assessment") if e["time"] >= index["time"]}
    best = next((word for word in ("CR", "PR", "SD", "PD") if word in assessed), None)
    return death, last, (last.date() - index["time"].date()).days, best

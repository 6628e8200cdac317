"""Values that look as if they were in another unit than they are labelled with: counted and shown, never mended.

Two kinds are looked for. A whole group, the values of one code with one unit, lies outside its concept's typical
range and would lie inside it in another unit. Single rows are outside the plausible range, or jump by a unit's factor,
and would in another unit be typical and like the same patient's values around them. Knows the study's
tables and no extract; what it returns holds counts and SQL, never a patient's values.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline import units
from timeline.concepts import alternatives
from timeline.printing import count
from timeline.quote import literal

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

LEAST = 10
"""A group of fewer values says nothing of its unit."""
OUTSIDE = 0.5
"""A group is looked into where at least this share of it lies outside the typical range."""
INSIDE = 0.8
"""Another unit explains a group where at least this share of it would be typical."""
NEAR = "INTERVAL 30 DAY"
"""Values so near in time, of the same patient and concept, are what a single row is compared with."""
ALIKE = 0.15
"""A row in its other unit agrees with those around it to this share of them."""
JUMP = 2.0
"""A smaller factor between two units cannot be told from a patient's own change."""
SLIP = 0.05
"""So near to a power of ten, as a decimal logarithm (12 %), a factor cannot be told from a decimal point amiss."""
SHOWN = (
    "patient_id",
    '"time"',
    "event_id",
    "concept",
    "value",
    "unit",
    "code",
    "source_value",
    "source_unit",
    "source_file",
    "source_row",
)
"""Columns of the rows that a suspect shows."""
DECIMALS = (10.0, 100.0, 1000.0, 1e6)
"""Factors tried for a whole group where no usual unit explains it."""


@dataclass(frozen=True)
class Suspect:
    """Values of one concept, code and unit that another unit would explain."""

    concept: str
    code: str
    source_unit: str | None
    """As labelled in the source; None where the rows have no unit."""
    source_file: str | None
    """Set where other files of the study have the same code and unit, and look right."""
    whole: bool
    """The group as a whole; else single rows of it."""
    of_rows: int
    """Values of the group."""
    rows: int
    """Values of it that are suspect."""
    patients: int
    """Whose values these are."""
    outside: float
    """The share of the group that lies outside the typical range."""
    cause: str
    """What would explain them, such as `[degF] labelled as Cel`."""
    factor: float
    offset: float
    """`value * factor + offset` would be the value, in the concept's canonical unit."""
    inside: float
    """The share of the suspect rows that would then be typical."""
    query: str
    """SELECT the rows."""

    def __str__(self) -> str:
        where = f"{self.code}{f' of {self.source_file}' if self.source_file else ''}"
        part = f"all {self.rows:,} values" if self.whole else f"{self.rows:,} of {self.of_rows:,} values"
        read = f"times {self.factor:.6g}{f' plus {self.offset:.6g}' if self.offset else ''}"
        why = f"they are implausible or jump; {read}, they would be typical, and like the patient's values around them"
        if self.whole:
            why = f"{self.outside:.0%} are outside the typical range; {read}, {self.inside:.0%} would be inside"
        return f"{self.concept}, {where}: {part} ({count(self.patients, 'patient')}) may be {self.cause}: {why}"


@dataclass(frozen=True)
class _Group:
    concept: str
    code: str
    source_unit: str | None
    source_file: str | None
    unit: str
    low: float
    high: float
    n: int
    out: int
    candidates: tuple["_Candidate", ...] = ()

    @property
    def flagged(self) -> bool:
        return self.n >= LEAST and self.out >= OUTSIDE * self.n

    @property
    def where(self) -> str:
        """SQL: its events."""
        said = [f"{name} = {literal(getattr(self, name))}" for name in ("concept", "code", "unit")]
        said.append(f"source_unit IS NOT DISTINCT FROM {literal(self.source_unit)}")
        said += [f"source_file = {literal(self.source_file)}"] if self.source_file else []
        return " AND ".join([*said, "value IS NOT NULL"])


@dataclass(frozen=True)
class _Candidate:
    """Another reading of a group's values."""

    name: str
    factor: float
    offset: float
    jump: float = math.inf
    """By how much values of one patient in both units differ at least; infinite where a jump tells nothing."""

    @property
    def like_a_slip(self) -> bool:
        """Whether one row that it explains is explained as well by a decimal point amiss, with another value."""
        return not self.offset and _decimal(self.factor) and not math.isclose(self.factor, _power(self.factor))

    def typical(self, group: _Group) -> str:
        """SQL: whether the value would be typical."""
        return f"value * {self.factor!r} + {self.offset!r} BETWEEN {group.low!r} AND {group.high!r}"

    def off_centre(self, group: _Group, value: float) -> float:
        """How far the value would lie from the middle of the typical range, in powers of e."""
        read = value * self.factor + self.offset
        return abs(math.log(read / math.sqrt(group.low * group.high))) if read > 0 else math.inf


def suspects(con: "Connection") -> tuple[Suspect, ...]:
    """Return the values of a study that another unit would explain, whole groups first, most values first."""
    groups = _groups(con)
    whole = [found for group in groups if group.flagged and (found := _whole(con, group)) is not None]
    taken = {(one.concept, one.code, one.source_unit) for one in whole}
    rest = [g for g in groups if (g.concept, g.code, g.source_unit) not in taken and not g.source_file]
    found = (*whole, *_single(con, rest))
    return tuple(sorted(found, key=lambda one: (not one.whole, -one.rows, one.concept, one.code, one.cause)))


def _groups(con: "Connection") -> list[_Group]:
    """Values in their concept's canonical unit, by code and unit; by file too where only some files stand out."""
    found = con.execute(f"""WITH typical AS (
            SELECT concept, unit, conversions, molar_mass, coalesce(typical_low, low) AS low,
                coalesce(typical_high, high) AS high
            FROM concept WHERE unit IS NOT NULL),
        label AS (SELECT code, source_unit, concept, any_value(factor) AS factor, any_value("offset") AS "offset"
            FROM meta.code GROUP BY code, source_unit, concept),
        part AS (SELECT e.concept, e.code, e.source_unit, e.source_file, count(*) AS n,
                count_if(e.value NOT BETWEEN t.low AND t.high) AS out
            FROM meta.event AS e JOIN typical AS t ON t.concept = e.concept AND t.unit = e.unit
            WHERE e.value IS NOT NULL AND t.low > 0 AND t.high IS NOT NULL
            GROUP BY e.concept, e.code, e.source_unit, e.source_file),
        whole AS (SELECT concept, code, source_unit, NULL AS source_file, CAST(sum(n) AS BIGINT) AS n,
                CAST(sum(out) AS BIGINT) AS out, count(*) AS files
            FROM part GROUP BY concept, code, source_unit),
        asked AS (SELECT concept, code, source_unit, source_file, n, out FROM whole
            UNION ALL SELECT p.concept, p.code, p.source_unit, p.source_file, p.n, p.out
            FROM part AS p JOIN whole AS w ON w.concept = p.concept AND w.code = p.code
                AND w.source_unit IS NOT DISTINCT FROM p.source_unit
            WHERE w.files > 1 AND w.out < {OUTSIDE} * w.n AND p.n >= {LEAST} AND p.out >= {OUTSIDE} * p.n)
        SELECT a.concept, a.code, a.source_unit, a.source_file, t.unit, t.low, t.high, a.n, a.out,
            t.conversions, t.molar_mass, coalesce(l.factor, 1), coalesce(l."offset", 0)
        FROM asked AS a JOIN typical AS t ON t.concept = a.concept
        LEFT JOIN label AS l ON l.concept = a.concept AND l.code = a.code
            AND l.source_unit = coalesce(a.source_unit, '')
        ORDER BY a.concept, a.code, a.source_unit, a.source_file NULLS FIRST""").fetchall()
    names = ("concept", "code", "source_unit", "source_file", "unit", "low", "high", "n", "out")
    return [
        _Group(**dict(zip(names, row[:9], strict=True)), candidates=_candidates(row[2], row[4], *row[9:]))
        for row in found
    ]


def _candidates(
    label: str | None, unit: str, conversions: str, molar_mass: float | None, factor: float, offset: float
) -> tuple[_Candidate, ...]:
    """The usual units of the concept, each as what it would make of a value that was read by `factor` and `offset`."""
    same = units.usual(unit)
    found: dict[tuple[float, float], _Candidate] = {}
    for name, (own, own_offset) in alternatives(unit, json.loads(conversions), molar_mass).items():
        # The number as written is (value - offset) / factor.
        net, net_offset = own / factor, own_offset - offset * own / factor
        if not (math.isclose(net, 1, rel_tol=1e-6) and math.isclose(net_offset, 0, abs_tol=1e-6)):
            key = (float(f"{net:.6g}"), float(f"{net_offset:.6g}"))
            jump = max(net, 1 / net) if name in same and not net_offset else math.inf
            jump = jump * (1 - ALIKE) if jump >= JUMP and not _decimal(net) else math.inf
            found.setdefault(key, _Candidate(f"{name} labelled as {label or unit}", net, net_offset, jump))
    return tuple(found.values())


def _power(factor: float) -> float:
    """The nearest power of ten."""
    return 10.0 ** round(math.log10(factor))


def _decimal(factor: float) -> bool:
    """Whether a factor is a power of ten, or nearly: jumps by it are seen in healthy records, too."""
    return abs(math.log10(factor / _power(factor))) < SLIP


def _whole(con: "Connection", group: _Group) -> Suspect | None:
    """The group as a whole, where another unit, or else a power of ten, makes most of its values typical."""
    powers = [
        _Candidate(f"off by a factor of {power:.0f}", net, 0.0) for power in DECIMALS for net in (power, 1 / power)
    ]
    return _likeliest(con, group, group.candidates) or _likeliest(con, group, powers)


def _likeliest(con: "Connection", group: _Group, candidates: Sequence[_Candidate]) -> Suspect | None:
    """The reading that makes most values of the group typical; shares a hundredth apart are equal."""
    if not candidates:
        return None
    counted = ", ".join(f"count_if({one.typical(group)})" for one in candidates)
    middle, patients, *inside = con.execute(
        f"SELECT median(value), count(DISTINCT patient_id), {counted} FROM meta.event WHERE {group.where}"
    ).fetchall()[0]
    ranked = sorted(
        (-round(n / group.n, 2), one.off_centre(group, middle), one.name, number)
        for number, (one, n) in enumerate(zip(candidates, inside, strict=True))
    )
    best = ranked[0][-1]
    if inside[best] < INSIDE * group.n:
        return None
    return _suspect(group, candidates[best], True, (group.n, patients, inside[best] / group.n), group.where)


def _single(con: "Connection", groups: Sequence[_Group]) -> list[Suspect]:
    """Single rows of the groups, found in one pass."""
    readings = [(group, one) for group in groups for one in group.candidates if not one.like_a_slip]
    if not readings:
        return []
    found = con.execute(
        f"WITH {_stray(readings)}\nSELECT reading, count(*), count(DISTINCT patient_id) FROM stray GROUP BY reading"
    ).fetchall()
    suspects = []
    for number, rows, patients in found:
        group, candidate = readings[number]
        own = [reading for reading in readings if reading[0] is group]
        ids = f"WITH {_stray(own)}\nSELECT event_id FROM stray WHERE reading = {own.index(readings[number])}"
        suspects.append(_suspect(group, candidate, False, (rows, patients, 1.0), f"event_id IN ({ids})"))
    return suspects


def _stray(readings: Sequence[tuple[_Group, _Candidate]]) -> str:
    """SQL: the CTE `stray`, rows that stand out and that a reading makes typical and like those around them.

    A row stands out where it is implausible, or where it jumps by the reading's factor. Only patients who have an
    implausible value, or whose values span a factor, are put in order of time. Of several readings the likeliest.
    """
    listed = ",\n    ".join(
        f"({number}, {literal(group.concept)}, {literal(group.code)}, {literal(group.source_unit)}, "
        f"{literal(group.unit)}, {c.factor!r}, {c.offset!r}, {group.low!r}, {group.high!r}, '{c.jump!r}'::DOUBLE)"
        for number, (group, c) in enumerate(readings)
    )
    return f"""reading(reading, concept, code, source_unit, unit, factor, "offset", low, high, jump) AS (VALUES
    {listed}),
asked AS (SELECT concept, unit, min(jump) AS jump FROM reading GROUP BY concept, unit),
numeric AS (SELECT e.*, a.jump FROM meta.event AS e JOIN asked AS a ON a.concept = e.concept AND a.unit = e.unit
    WHERE e.value IS NOT NULL),
held AS (SELECT concept, patient_id FROM numeric GROUP BY concept, patient_id
    HAVING bool_or(implausible) OR max(value) >= any_value(jump) * min(value) FILTER (value > 0)),
known AS (SELECT *, CASE WHEN NOT implausible THEN {{'time': "time", 'value': value}} END AS known
    FROM numeric SEMI JOIN held USING (concept, patient_id)),
neighbour AS (SELECT *,
        last_value(known IGNORE NULLS) OVER (near ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS e,
        first_value(known IGNORE NULLS) OVER (near ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS l
    FROM known WINDOW near AS (PARTITION BY concept, patient_id ORDER BY "time", event_id)),
around AS (SELECT *, CASE WHEN "time" - e.time <= {NEAR} THEN e.value END AS earlier,
        CASE WHEN l.time - "time" <= {NEAR} THEN l.value END AS later FROM neighbour),
stray AS (SELECT r.reading, a.event_id, a.patient_id, a.value * r.factor + r."offset" AS read
    FROM around AS a JOIN reading AS r ON r.concept = a.concept AND r.code = a.code
        AND r.source_unit IS NOT DISTINCT FROM a.source_unit
    WHERE read BETWEEN r.low AND r.high
        AND (abs(read / a.earlier - 1) <= {ALIKE}) IS NOT FALSE AND (abs(read / a.later - 1) <= {ALIKE}) IS NOT FALSE
        AND (a.implausible OR (r.jump < 'inf'::DOUBLE AND coalesce(a.earlier, a.later) IS NOT NULL))
    QUALIFY row_number() OVER (PARTITION BY a.event_id ORDER BY abs(ln(read / sqrt(r.low * r.high))), r.reading) = 1)"""


def _suspect(group: _Group, candidate: _Candidate, whole: bool, counts: tuple[int, int, float], where: str) -> Suspect:
    rows, patients, inside = counts
    return Suspect(
        concept=group.concept,
        code=group.code,
        source_unit=group.source_unit,
        source_file=group.source_file,
        whole=whole,
        of_rows=group.n,
        rows=rows,
        patients=patients,
        outside=group.out / group.n,
        cause=candidate.name,
        factor=candidate.factor,
        offset=candidate.offset,
        inside=inside,
        query=f"SELECT {', '.join(SHOWN)}\nFROM meta.event\nWHERE {where}\nORDER BY {', '.join(SHOWN[:3])}",
    )

"""SQL that reads a column of a file: times, numbers, words; knows no concept and no unit.

Every reading is NULL or says so where the text is not what it should be: nothing is guessed.
"""

from dataclasses import dataclass

from timeline.quote import literal

EXACT, DATE_ONLY, OFFSET, UNREADABLE, EMPTY = 0, 1, 2, 3, 4
"""What a time is; OFFSET: it has an offset from UTC, and the study no time zone to convert it to."""

DATE = r"\d{4}-\d{2}-\d{2}"
CLOCK = r"[ Tt]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?"
SHIFT = r" ?([Zz]|UTC|[+-](0\d|1[0-3])(:?[0-5]\d)?|[+-]14(:?00)?)"
"""An offset from UTC that there is: none is above 14 hours."""
NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
LARGEST = "1e300"
"""From here on a conversion to another unit might leave what a DOUBLE can hold."""
BOUND = r"(<=|>=|=<|=>|<|>|≤|≥)"


@dataclass(frozen=True)
class Source:
    """An expression over a file's columns and its DuckDB type."""

    sql: str
    type: str

    @property
    def is_text(self) -> bool:
        return self.type == "VARCHAR" or self.type.startswith("ENUM")


ABSENT = Source("NULL", "VARCHAR")


def text(source: Source) -> str:
    """The column as text, empty as NULL; numbers by their shortest decimal, no number (NaN) as NULL."""
    if source.type in ("FLOAT", "DOUBLE"):
        return f"CASE WHEN isnan({source.sql}) THEN NULL ELSE CAST({source.sql} AS VARCHAR) END"
    if source.is_text:
        return f"nullif(trim({source.sql}), '')"
    if source.type == "TIMESTAMP WITH TIME ZONE":
        # A cast alone would write it on the clock of the machine.
        return f"CAST(timezone('UTC', {source.sql}) AS VARCHAR) || '+00'"
    return f"CAST({source.sql} AS VARCHAR)"


def whole(text: str) -> str:
    """A text in which a whole number, also written as 5.0, is written as one."""
    return f"regexp_replace({text}, '^([+-]?[0-9]+)[.]0+$', '\\1')"


def time(source: Source, zone: str | None) -> tuple[str, str]:
    """Expressions of a column's TIMESTAMP in the study's clock and of its state; the time NULL where unreadable."""
    if source.is_text:
        return _time_of_text(source, zone)
    empty = f"CASE WHEN ({source.sql}) IS NULL THEN {EMPTY} WHEN isfinite({source.sql})"
    finite = f"CASE WHEN isfinite({source.sql}) THEN {source.sql} END"
    if source.type == "DATE":
        return f"CAST({finite} AS TIMESTAMP)", f"{empty} THEN {DATE_ONLY} ELSE {UNREADABLE} END"
    if source.type == "TIMESTAMP WITH TIME ZONE":
        state = EXACT if zone else OFFSET
        return f"timezone({literal(zone or 'UTC')}, {finite})", f"{empty} THEN {state} ELSE {UNREADABLE} END"
    if source.type.startswith("TIMESTAMP"):
        return f"CAST({finite} AS TIMESTAMP)", f"{empty} THEN {EXACT} ELSE {UNREADABLE} END"
    return "CAST(NULL AS TIMESTAMP)", f"CASE WHEN ({source.sql}) IS NULL THEN {EMPTY} ELSE {UNREADABLE} END"


def _time_of_text(source: Source, zone: str | None) -> tuple[str, str]:
    written = text(source)
    local = literal(f"{DATE}({CLOCK})?")
    shifted = literal(DATE + CLOCK + SHIFT)
    here = f"TRY_CAST(replace({written}, ',', '.') AS TIMESTAMP)"
    there = _in_zone(written, zone) if zone is not None else "CAST(NULL AS TIMESTAMP)"
    has_shift = f"regexp_full_match({written}, {shifted})"
    value = f"CASE WHEN regexp_full_match({written}, {local}) THEN {here} WHEN {has_shift} THEN {there} END"
    unread = f"CASE WHEN {has_shift} THEN {OFFSET} ELSE {UNREADABLE} END" if zone is None else str(UNREADABLE)
    state = (
        f"CASE WHEN {written} IS NULL THEN {EMPTY} WHEN {value} IS NULL THEN {unread} "
        f"WHEN length({written}) = 10 THEN {DATE_ONLY} ELSE {EXACT} END"
    )
    return value, state


def _in_zone(written: str, zone: str) -> str:
    """Wall time minus offset is UTC; a cast would read offsets differently in different DuckDB versions."""
    suffix = literal(SHIFT + "$")
    wall = f"TRY_CAST(replace(regexp_replace({written}, {suffix}, ''), ',', '.') AS TIMESTAMP)"
    digits = f"regexp_extract({written}, '([+-])([0-9]{{2}}):?([0-9]{{2}})?$', ['sign', 'hours', 'minutes'])"
    minutes = (
        f"(coalesce(TRY_CAST({digits}.hours AS INTEGER), 0) * 60 + coalesce(TRY_CAST({digits}.minutes AS INTEGER), 0))"
    )
    sign = f"CASE WHEN {digits}.sign = '-' THEN -1 ELSE 1 END"
    utc = f"{wall} - to_minutes(CAST({minutes} * {sign} AS BIGINT))"
    here = f"timezone({literal(zone)}, timezone('UTC', {utc}))"
    return f"CASE WHEN year({here}) BETWEEN 0 AND 9999 THEN {here} END"


def number(written: str) -> str:
    """The number that a text is or that follows its bound; NULL for words, and for what no DOUBLE holds in any unit."""
    bare = f"ltrim(regexp_replace({written}, '^{BOUND}', ''))"
    plain = f"CASE WHEN regexp_full_match({bare}, {literal(NUMBER)}) THEN TRY_CAST({bare} AS DOUBLE) END"
    return f"CASE WHEN abs({plain}) < {LARGEST} THEN {plain} END"


def bound(written: str) -> str:
    """`<`, `<=`, `>` or `>=` where the text is a bounded number."""
    sign = f"regexp_extract({written}, '^{BOUND}')"
    spelled = (
        f"CASE {sign} WHEN '≤' THEN '<=' WHEN '≥' THEN '>=' WHEN '=<' THEN '<=' WHEN '=>' THEN '>=' ELSE {sign} END"
    )
    return f"nullif({spelled}, '')"


def numeral(written: str) -> str:
    """A text in which a whole number is written without zeros after a point: 3, be it 3 or, as a DOUBLE is, 3.0."""
    return rf"regexp_replace({written}, '^([+-]?\d+)[.]0+$', '\1')"

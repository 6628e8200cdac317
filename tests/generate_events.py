"""Random patients and events: few concepts, few times, so that ties, exact bounds and overlaps are common."""

import math
from collections.abc import Mapping

from hypothesis import strategies as st

HOURS = (0, 6, 12, 18, 24, 36, 48, 72, 192)
TIMES = (*(f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00" for hour in HOURS), "2024-01-01 06:30")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "code": ("crp",) * 4
    + ("ferritin", "drug_a", "drug_b", "oxygen", "infusion_a") * 2
    + ("weight", "seizure", "temperature", "drug_c", "unmapped"),
    "time": TIMES,
    "end_time": ("", "", "", *TIMES[2:]),
    "value": ("", "0", "1", "1", "2", "2", "3", "3", "2.5", "30", "<2", "<=2", ">1", ">=1"),
    "text": ("", "", "brief", "prolonged"),
    "route": ("", "", "oral", "intravenous"),
}
"""What each column of an event may hold, by how often."""
KINDS = math.prod(len(options) for options in CHOICES.values())


def event_of(number: int) -> Mapping[str, str]:
    """The event of that number below KINDS: one draw an event is six times as fast as one a column."""
    cells = {}
    for column, options in CHOICES.items():
        number, place = divmod(number, len(options))
        cells[column] = options[place]
    # A baseline fact may have no time.
    return cells | ({"time": ""} if cells["code"] == "weight" and cells["value"] in ("1", "2") else {})


EVENT = st.integers(0, KINDS - 1).map(event_of)
EVENTS = (
    st.sampled_from([6, 6, 6, 0]).flatmap(lambda least: st.lists(EVENT, min_size=least, max_size=least + 10)).map(tuple)
)
"""A patient's events: mostly enough for rules to find something, sometimes hardly any."""
PERSON = st.sampled_from([{"sex": sex, "birth_date": born} for sex in ("", "F", "M") for born in ("", "1960-01-01")])

"""The native format: events.csv and patients.csv, every cell as it stands; knows no medicine."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.synth.chunk import COLUMNS, Chunk

if TYPE_CHECKING:
    from timeline.rules import Concept


def write(chunks: Iterable[Chunk], out: Path, concepts: "Mapping[str, Concept]") -> None:
    """Write both files, a chunk of patients at a time."""
    with (out / "events.csv").open("wb") as events, (out / "patients.csv").open("wb") as people:
        for number, chunk in enumerate(chunks):
            chunk.events.select(COLUMNS).write_csv(events, include_header=number == 0)
            chunk.people.write_csv(people, include_header=number == 0)

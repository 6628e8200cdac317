"""What a rule can read: a relation's kind, its columns and types, and the SQL that stands for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from timeline.quote import identifier, literal

Kind = Literal["moments", "spans", "facts"]
IDS = "UBIGINT[]"


@dataclass(frozen=True)
class Relation:
    """A table of rows of one kind. `columns` are name -> DuckDB type, as an author may write them."""

    name: str
    kind: Kind
    columns: Mapping[str, str]
    table: str
    key: str | None
    """The column that with patient_id is a row's key: `event_id`, `number`, or None for one row a patient."""
    condition: str = ""
    """SQL that chooses the relation's rows from `table`, with `{}` for the alias; empty for all."""
    concepts: tuple[str, ...] = ()
    """The concepts that its column `concept`, or `analyte`, may hold."""

    @property
    def of_events(self) -> bool:
        """Whether a row is one event, its evidence being its own id."""
        return self.key == "event_id"

    @property
    def at(self) -> str | None:
        """The column that places a row in time."""
        return {"moments": "time", "spans": "start_time", "facts": None}[self.kind]

    def evidence(self, alias: str) -> str:
        """SQL of a row's evidence: an id for events, else a list of ids."""
        if self.key is None:
            return f"CAST([] AS {IDS})"
        return f"{alias}.event_id" if self.of_events else f"{alias}.evidence"

    def order(self, alias: str) -> tuple[str, ...]:
        """SQL of a total order of a patient's rows: time, then evidence, then number."""
        at = (f"{alias}.{identifier(self.at)}",) if self.at else ()
        if self.key is None:
            return at
        return (*at, f"{alias}.event_id") if self.of_events else (*at, f"{alias}.evidence", f"{alias}.number")


def concept_relation(name: str, concepts: tuple[str, ...], columns: Mapping[str, str]) -> Relation:
    """The plausible events of some concepts."""
    listed = ", ".join(literal(concept) for concept in concepts)
    return Relation(name, "moments", columns, "observation", "event_id", f"{{}}.concept IN ({listed})", concepts)


def evidence_list(pieces: tuple[str, ...]) -> str:
    """SQL of the union of lists of ids: sorted, distinct, never NULL. flatten and list_distinct skip NULLs."""
    if not pieces:
        return f"CAST([] AS {IDS})"
    if len(pieces) == 1:
        return f"coalesce({pieces[0]}, CAST([] AS {IDS}))"
    return f"list_sort(list_distinct(flatten([{', '.join(pieces)}])))"

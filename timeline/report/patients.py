"""The part of the page that is about single patients: the queries of section `patient`, each asked for each of them.

Which patients, what is shown of each, and where it is on the page; must not know what any of it means.
"""

import base64
import gzip
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timeline import charts, query
from timeline.charts.anchor import anchor
from timeline.errors import TimelineError, UsageError
from timeline.header import Query
from timeline.report.items import Item, answered
from timeline.report.provenance import Provenance

if TYPE_CHECKING:
    import duckdb

MOST = 60
"""Without a choice, so many patients have a page of their own; of more, a sample."""
PARAMETER = "patient"
"""A query of the section is asked with this parameter."""
WORDS = ("sample", "all", "none")


@dataclass(frozen=True)
class Person:
    """One patient: the answers, and the records of the charts, compressed."""

    id: str
    anchor: str
    items: tuple[Item, ...]
    charts: str
    """What each chart puts into the drawing that all share, by query: JSON, gzip, base64; empty without any."""

    @property
    def facts(self) -> tuple[dict[str, str], ...]:
        return tuple(card for item in self.items if item.query.show == "cards" for card in item.cards)

    @property
    def words(self) -> str:
        """What the index finds the patient by."""
        return " ".join([self.id, *(card["value"] for card in self.facts)]).lower()

    @property
    def quoted(self) -> str:
        """The id as a shell reads it."""
        return shlex.quote(self.id)


@dataclass(frozen=True)
class People:
    """The patients that the page has a part for, of `total`, and the drawings that their charts share."""

    total: int
    persons: tuple[Person, ...] = ()
    shared: Mapping[str, dict[str, Any]] | None = None
    absent: tuple[tuple[str, str], ...] = ()
    """Queries of the section that nothing can be said for, with the reason."""
    back: tuple[str, str] | None = None
    """The article with a lane for each patient, by name and title."""

    @property
    def drawn(self) -> bool:
        return any(person.charts for person in self.persons)


def chosen(con: "duckdb.DuckDBPyConnection", asked: str | Sequence[str], lanes: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the patients to show, in order.

    `sample`: all, if there are at most 60; else those with a lane in the page's picture of all (`lanes`), or evenly
    spaced ones. `all`, `none`, or the ids themselves; UsageError, which does not repeat them, for unknown ids.
    """
    known = [id for (id,) in con.execute("SELECT patient_id::VARCHAR FROM patient ORDER BY ALL").fetchall()]
    if isinstance(asked, str) and asked not in WORDS:
        raise UsageError(f"--patients takes ids, or one of {', '.join(WORDS)}")
    if asked == "none":
        return ()
    if asked == "all" or (asked == "sample" and len(known) <= MOST):
        return tuple(known)
    if asked == "sample":
        sample = [id for id in dict.fromkeys(lanes) if id in set(known)]
        return tuple(sorted(sample)) or tuple(known[place * len(known) // MOST] for place in range(MOST))
    unknown = len(set(asked) - set(known))
    if unknown:
        raise UsageError(
            f"--patients: {unknown:,} of the {len(set(asked)):,} ids {'is' if unknown == 1 else 'are'} not in this "
            "study; write ids as the extract spells them, with commas between them"
        )
    return tuple(dict.fromkeys(asked))


def gather(
    con: "duckdb.DuckDBPyConnection",
    queries: Sequence[Query],
    told: Provenance,
    asked: str | Sequence[str],
    items: Sequence[Item],
    say: Callable[[str], None],
) -> People:
    """Return the answers of `queries` for the patients that are asked for; `items` are the rest of the page."""
    pictured = [(item, lanes) for item in items if (lanes := _lanes(item))]
    ids = chosen(con, asked, pictured[0][1] if pictured else ())
    total = con.execute("SELECT count(*) FROM patient").fetchall()[0][0]
    usable, absent = [], []
    for found in queries:
        lacking = query.missing_relations(con, found)
        if lacking and not found.optional:
            absent.append((found.title, f"this study has no table {', '.join(lacking)}"))
        elif not lacking:
            usable.append(found)
    persons = []
    for place, id in enumerate(ids if usable else ()):
        say(f"patient {place + 1:,} of {len(ids):,}")
        persons.append(_person(con, usable, told, id))
    shared = {found.name: charts.shared(found.chart) for found in usable if found.chart is not None}
    back = (pictured[0][0].name, pictured[0][0].query.title) if pictured else None
    return People(total, tuple(persons), shared, tuple(absent), back)


def _lanes(item: Item) -> tuple[str, ...]:
    """The patients that have a lane in an item's picture; none where its lanes are something else."""
    if item.chart is None or getattr(item.query.chart, "lane", None) != "patient_id":
        return ()
    return tuple(lane["lane"] for lane in item.chart.get("datasets", {}).get("lanes", ()) if "lane" in lane)


def _person(con: "duckdb.DuckDBPyConnection", queries: Sequence[Query], told: Provenance, id: str) -> Person:
    items, drawn = [], {}
    for found in queries:
        try:
            frame = query.run_query(con, found, {PARAMETER: id})
        except TimelineError as error:
            items.append(Item(found, absent=f"Not available: {error}."))
            continue
        if frame.is_empty():
            items.append(Item(found, absent=found.empty or "No row."))
            continue
        items.append(answered(found, frame))
        if found.chart is not None:
            notes = [told.synthetic] if told.synthetic else []
            drawn[found.name] = charts.parts(frame, found.chart, found.title, notes)
    return Person(id, anchor(id), tuple(items), _packed(drawn) if drawn else "")


def _packed(value: Any) -> str:
    """JSON, compressed, as text: records repeat themselves, and sixty patients' would be most of the page."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("utf-8", "surrogatepass"), 6, mtime=0)).decode()

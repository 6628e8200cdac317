"""The page itself: what was found in, one HTML text out; everything that came from data passes through escaping."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from timeline import figure
from timeline.charts import theme
from timeline.header import SECTIONS
from timeline.report.checklist import Beside, Readings, anchors, grid, lacking, split
from timeline.report.items import Item
from timeline.report.patients import People
from timeline.report.provenance import Provenance
from timeline.report.quality import Quality
from timeline.statistic.table import family_table

HEADINGS = {
    "summary": "Summary",
    "cohort": "Cohort",
    "course": "Clinical course",
    "results": "Results",
    "survival": "Survival",
    "quality": "Data quality",
}


ORDER = (*[key for key in HEADINGS if key != "quality"], "published", "readings", "patients", "quality", "methods")
"""What was found comes before how good the data are."""


@dataclass(frozen=True)
class Section:
    """A part of the page: queries as articles, or a template of its own; `entries` are its lines in the contents."""

    key: str
    heading: str
    items: tuple[Item, ...] = ()
    template: str = ""
    entries: tuple[tuple[str, str], ...] = ()
    lead: str = ""
    """A template before the queries."""

    @property
    def anchor(self) -> str:
        """A query may be called as a section is."""
        return self.key if self.template else f"part-{self.key}"


def sections(
    told: Provenance,
    items: Sequence[Item],
    people: People,
    published: Beside | None,
    readings: Readings | None,
    quality: Quality | None,
) -> tuple[Section, ...]:
    """Return the parts of the page, in order; those without anything to say are left out."""
    of = {name: tuple(item for item in items if item.query.section == name) for name in SECTIONS}
    parts = {
        key: Section(key, heading, of[key], entries=tuple((item.name, item.query.title) for item in of[key]))
        for key, heading in HEADINGS.items()
    }
    if quality:
        own = parts["quality"]
        entries = (("audit", "Checks of the data"), ("profile", "What there is of every concept"), *own.entries)
        parts["quality"] = replace(own, lead="audit.html", entries=entries)
    if published:
        parts["published"] = Section("published", "Published and computed", template="published.html")
    if readings:
        parts["readings"] = Section("readings", "Other readings", template="alternatives.html")
    if people.persons or people.absent:
        parts["patients"] = Section("patients", "Patients", template="patients.html")
    definitions = (("definitions", "The rules in words"),) if told.methods else ()
    statistics = (("statistics", "Statistics"),) if _statistics(items) else ()
    entries = (*definitions, *statistics, ("run", "The run and its versions"))
    parts["methods"] = Section("methods", "Methods", template="methods.html", entries=entries)
    return tuple(
        parts[key] for key in ORDER if key in parts and (parts[key].items or parts[key].template or parts[key].lead)
    )


def render(
    told: Provenance,
    items: Sequence[Item],
    pictures: Mapping[str, str],
    library: str,
    people: People,
    published: Beside | None = None,
    readings: Readings | None = None,
    quality: Quality | None = None,
) -> str:
    """Return the page; `pictures` are the charts as SVG, for paper and for readers without scripts."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(figure.PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = _marked
    environment.filters["family_table"] = family_table
    environment.filters["groupby_in_order"] = _grouped
    environment.filters["grid"] = grid
    environment.filters["lacking"] = lacking
    known = anchors(published, readings)
    environment.filters["pieces"] = partial(split, known=known)
    environment.globals["anchors"] = known
    return environment.get_template("report.html").render(
        told=told,
        sections=sections(told, items, people, published, readings, quality),
        quality=quality,
        published=published,
        readings=readings,
        shown={item.name for item in items},
        people=people,
        methods=told.methods,
        statistics=_statistics(items),
        numbers=told.sources,
        specs={item.name: figure.in_script(_bare(item.chart)) for item in items if item.chart is not None},
        shared={name: figure.in_script(spec) for name, spec in (people.shared or {}).items()},
        # Vega writes the text of data into SVG escaped; see the test with a tag for a name.
        pictures=pictures,
        library=library.replace("</script", "<\\/script"),
        night=figure.in_script(theme.NIGHT),
        style=(figure.PAGE / "report.css").read_text(encoding="utf-8")
        + (figure.PAGE / "patients.css").read_text(encoding="utf-8"),
        charts=figure.drawing(),
        patients=(figure.PAGE / "patients.js").read_text(encoding="utf-8"),
        script=(figure.PAGE / "report.js").read_text(encoding="utf-8"),
    )


def _statistics(items: Iterable[Item]) -> dict[str, str]:
    """Each statistical method on the page, with the conventions that it follows."""
    used = dict(method for item in items for answer in item.answers for method in answer.methods)
    return {method: "; ".join(conventions) for method, conventions in sorted(used.items())}


def _bare(spec: dict[str, Any] | None) -> dict[str, Any]:
    """The chart without its title, which the page has as a heading; its notes stay, since pictures are copied."""
    spec = dict(spec or {})
    notes = spec.pop("title", {}).get("subtitle") or []
    if notes:
        spec["title"] = {"text": notes, "fontSize": 11.5, "fontWeight": "normal", "color": theme.QUIET, "offset": 8}
    return spec


def _marked(escaped: Any) -> Any:
    """Escaped text with *defined names* and `code` as HTML; Markup in, Markup out."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escaped))
    return type(escaped)(re.sub(r"\*([^*\s][^*]*)\*", r"<em>\1</em>", text))


def _grouped(records: Iterable[Any], name: str) -> list[tuple[Any, list[Any]]]:
    """Neighbours that share an attribute; unlike Jinja's own, in the order in which they come."""
    return [(key, list(group)) for key, group in groupby(records, key=lambda record: getattr(record, name))]

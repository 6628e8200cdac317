"""The page itself: what was found in, one HTML text out; everything that came from data passes through escaping."""

from collections.abc import Mapping, Sequence
from typing import Any

from timeline import figure
from timeline.charts import theme
from timeline.header import SECTIONS
from timeline.report.items import Item
from timeline.report.patients import People
from timeline.report.provenance import Provenance

HEADINGS = {
    "summary": "Summary",
    "cohort": "Cohort",
    "course": "Clinical course",
    "results": "Results",
    "survival": "Survival",
    "patient": "Patients",
    "quality": "Data quality",
}


def render(
    told: Provenance, items: Sequence[Item], pictures: Mapping[str, str], library: str, people: People
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
    sections = [(name, HEADINGS[name], [item for item in items if item.query.section == name]) for name in SECTIONS]
    return environment.get_template("report.html").render(
        told=told,
        sections=[section for section in sections if section[2]],
        specs={item.name: figure.in_script(_bare(item.chart)) for item in items if item.chart is not None},
        shared={name: figure.in_script(spec) for name, spec in (people.shared or {}).items()},
        # Vega writes the text of data into SVG escaped; see the test with a tag for a name.
        pictures=pictures,
        library=library.replace("</script", "<\\/script"),
        night=figure.in_script(theme.NIGHT),
        style=(figure.PAGE / "report.css").read_text(encoding="utf-8")
        + (figure.PAGE / "patients.css").read_text(encoding="utf-8"),
        patients=(figure.PAGE / "patients.js").read_text(encoding="utf-8"),
        script=(figure.PAGE / "report.js").read_text(encoding="utf-8"),
    )


def _bare(spec: dict[str, Any] | None) -> dict[str, Any]:
    """The chart without its title, which the page has as a heading; its notes stay, since pictures are copied."""
    spec = dict(spec or {})
    notes = spec.pop("title", {}).get("subtitle") or []
    if notes:
        spec["title"] = {"text": notes, "fontSize": 11.5, "fontWeight": "normal", "color": theme.QUIET, "offset": 8}
    return spec

"""Links from a chart's names to parts of the page that it stands on; knows specifications only.

A picture by itself has no page around it, so a chart is drawn without links, and the report adds them.
"""

from collections.abc import Container
from typing import Any

from timeline.charts import theme
from timeline.charts.anchor import anchor

LINKED = "linked names"
"""The name of the unit whose words are links."""


def linked(spec: dict[str, Any], there: Container[str]) -> dict[str, Any]:
    """Return `spec` with a link on the name of each lane that is in `there`: the patients who have a part of the page.

    A specification whose declaration asks for no links is returned as it is.
    """
    if not any(unit.get("name") == LINKED for unit in spec.get("layer", ())):
        return spec
    condition = "isValid(datum.href)"
    encoding = {
        "href": {"condition": {"test": condition, "field": "href", "type": "nominal"}, "value": None},
        "tooltip": {"condition": {"test": condition, "field": "tip", "type": "nominal"}, "value": None},
        "color": {"condition": {"test": condition, "value": theme.CATEGORY["blue"]}, "value": theme.INK},
    }
    units = [
        unit if unit.get("name") != LINKED else {**unit, "encoding": {**unit["encoding"], **encoding}}
        for unit in spec["layer"]
    ]
    lanes = [
        lane | ({"href": f"#{anchor(lane['lane'])}", "tip": _tip(lane["lane"])} if lane["lane"] in there else {})
        for lane in spec["datasets"]["lanes"]
    ]
    found = {**spec, "layer": units, "datasets": {**spec["datasets"], "lanes": lanes}}
    pages = spec.get("usermeta", {}).get("pages")
    if pages is not None:
        of = [{**page, "lanes": _linked_columns(page["lanes"], there)} for page in pages["of"]]
        found["usermeta"] = {**spec["usermeta"], "pages": {**pages, "of": of}}
    return found


def _linked_columns(lanes: dict[str, list[Any]], there: Container[str]) -> dict[str, list[Any]]:
    names = lanes["lane"]
    return {
        **lanes,
        "href": [f"#{anchor(name)}" if name in there else None for name in names],
        "tip": [_tip(name) if name in there else None for name in names],
    }


def _tip(name: str) -> str:
    return f"{name}: open the timeline"

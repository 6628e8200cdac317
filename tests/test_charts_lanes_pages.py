"""Lanes on pages and lanes that lead somewhere: nothing is lost between pages, and pictures have no links."""

import json
import re

import polars
import pytest

from timeline import charts
from timeline.charts import declared, lane_layout, links
from timeline.charts.anchor import anchor

LANES = declared.Lanes.model_validate(
    {
        "lane": "who", "panel": "arm", "element": "what", "start": "a", "end": "b", "value": "v", "count": True,
        "x": "Days", "most": 10, "beyond": "pages", "link": "patient",
        "layers": {
            "dose": {"mark": "point", "title": "Dose", "track": "doses"},
            "stay": {"mark": "bar", "title": "Stay"},
            "worst": {"mark": "column", "title": "Worst"},
        },
    }
)  # fmt: skip
EVIL = "<script>alert('ä / ö')</script>"


def frame(count: int) -> polars.DataFrame:
    names = [EVIL, *(f"p{i:03}" for i in range(1, count))]
    rows = [("AB"[i > count // 2], who, "stay", 0, i % 30, 1.0) for i, who in enumerate(names)]
    rows += [("AB"[i > count // 2], who, "dose", 2, 2, None) for i, who in enumerate(names) if i % 2]
    rows += [("AB"[i > count // 2], who, "worst", None, None, 3.0) for i, who in enumerate(names)]
    schema = {"arm": str, "who": str, "what": str, "a": float, "b": float, "v": float}
    return polars.DataFrame(rows, schema=schema, orient="row")


def drawn(count: int, how: declared.Beyond = "pages"):
    return charts.specification(charts.draw(frame(count), charts.beyond(LANES, how), "Title", ["Synthetic"]))


def records(pages: dict, place: int, name: str) -> list[dict]:
    """What the page's script makes of the compact form."""
    columns = pages["of"][place][name]
    coded = pages["coded"] if name == "marks" else ()
    length = len(next(iter(columns.values())))
    return [
        {
            field: pages["words"][cells[i]] if field in coded and cells[i] is not None else cells[i]
            for field, cells in columns.items()
        }
        for i in range(length)
    ]


def test_every_lane_is_on_one_page_and_every_mark_in_its_lane():
    pages = drawn(25)["usermeta"]["pages"]
    assert pages["names"] == ["Lanes 1 to 10 of 25", "Lanes 11 to 20 of 25", "Lanes 21 to 25 of 25"]
    seen = [[lane["lane"] for lane in records(pages, i, "lanes")] for i in range(3)]
    assert [len(page) for page in seen] == [10, 10, 5] and len(set(sum(seen, []))) == 25
    for i in range(3):
        assert {mark["lane"] for mark in records(pages, i, "marks")} == set(seen[i])
    assert sum(len(records(pages, i, "marks")) for i in range(3)) == frame(25).height


def test_the_compact_form_of_the_first_page_is_what_the_chart_draws():
    spec = drawn(25)
    pages = spec["usermeta"]["pages"]
    for name, data in spec["datasets"].items():
        for record, plain in zip(records(pages, 0, name), data, strict=True):
            # A mark without a field has none, or nothing in it.
            assert {field: cell for field, cell in record.items() if cell is not None} == {
                field: cell for field, cell in plain.items() if cell is not None
            }


def test_pages_are_as_high_and_as_wide_so_that_axis_and_legend_stay():
    arranged = lane_layout.arrange(frame(25), LANES)
    assert len({(page.height, page.first_day, page.last_day) for page in arranged}) == 1 and len(arranged) == 3
    assert all(lane["y2"] <= page.height for page in arranged for lane in page.lanes)


def test_few_lanes_have_no_pages_and_all_means_all():
    assert "usermeta" not in drawn(10) and "page" not in drawn(10)["datasets"]
    assert len(drawn(25, "all")["datasets"]["lanes"]) == 25 and "usermeta" not in drawn(25, "all")
    assert len(drawn(25, "sample")["datasets"]["lanes"]) == 10


@pytest.mark.parametrize("how", ["sample", "pages"])
def test_what_is_not_in_sight_is_counted(how):
    panels = drawn(25, how)["datasets"]["panels"]
    assert panels[0]["tally"] == "Of all: Dose 6" and re.fullmatch(r"A \(n = 13, \d+ shown\)", panels[0]["panel"])
    assert [panel["tally"] for panel in drawn(25, "all")["datasets"]["panels"]] == ["", ""]
    strips = [(panel["top"], panel["bottom"]) for panel in panels]
    lanes = [(lane["y"], lane["y2"]) for lane in drawn(25, how)["datasets"]["lanes"]]
    assert all(bottom <= y + 1e-9 or top >= y2 - 1 for top, bottom in strips for y, y2 in lanes)


def test_two_thousand_lanes_are_small():
    spec = drawn(2000)
    assert len(json.dumps(spec["usermeta"], separators=(",", ":"))) < 400_000
    assert len(spec["usermeta"]["pages"]["of"]) == 200


def test_names_lead_to_the_part_of_their_patient_and_only_where_there_is_one():
    spec = drawn(25)
    found = charts.linked(spec, {EVIL, "p001", "p024"})
    every = [lane for i in range(3) for lane in records(found["usermeta"]["pages"], i, "lanes")]
    assert {lane["lane"]: lane["href"] for lane in every if lane["href"]} == {
        EVIL: "#patient-%3Cscript%3Ealert%28%27%C3%A4%20%2F%20%C3%B6%27%29%3C%2Fscript%3E",
        "p001": "#patient-p001",
        "p024": "#patient-p024",
    }
    assert any(lane.get("href") for lane in found["datasets"]["lanes"])
    svg = charts.picture(found, "svg").decode()
    assert svg.count("<a ") == 1 + ("p001" in svg) + ("p024" in svg) and "undefined" not in re.findall(
        r"<a [^>]*>", svg
    )
    assert "<script" not in svg


def test_pictures_have_no_links():
    spec = drawn(25)
    assert "href" not in json.dumps(spec) and "<a " not in charts.picture(spec, "svg").decode()
    plain = charts.specification(charts.draw(frame(5), LANES.model_copy(update={"link": None}), "Title"))
    assert charts.linked(plain, {"p001"}) == plain
    assert any(unit.get("name") == links.LINKED for unit in spec["layer"])


def test_an_anchor_keeps_what_is_plain_and_codes_the_rest():
    assert anchor("SYN-01_b") == "patient-SYN-01_b"
    assert anchor("a b/ü%") == "patient-a%20b%2F%C3%BC%25"
    assert len({anchor(name) for name in ("a b", "a%20b", "a+b", "A b")}) == 4

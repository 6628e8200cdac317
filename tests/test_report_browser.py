"""The demo's report as a reader meets it: a file, offline, in a real browser, by pointer, by keyboard and on paper."""

import base64
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.devtools import Tab, browser
from timeline import shipped
from timeline.charts.anchor import anchor
from timeline.query import load_queries
from timeline.study import Study

EVIL = "<script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
DRAWN = "document.documentElement.dataset.charts === 'drawn'"
PAPER = 794
"""Pixels of an A4 sheet's width at 96 a inch."""
ACROSS = 1123
"""The same of its height, for a sheet laid across."""


@pytest.fixture(scope="module")
def page(demo_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo, in which one disease is no disease but a script."""
    folder = tmp_path_factory.mktemp("page")
    study = Path(shutil.copy(demo_study, folder / "study.duckdb"))
    with duckdb.connect(str(study)) as con:
        found = con.execute(
            "UPDATE meta.event SET text = ? WHERE concept = 'disease' AND patient_id = 'SYN-05'", [EVIL]
        ).fetchall()
        assert found == [(1,)]
    result = Study(study).report(folder / "page.html")
    assert result.absent == {} and result.patients == 21 and result.bytes < 6_000_000
    return folder / "page.html"


def asked(tab: Tab) -> list[str]:
    """Every address that the page asks for from now on."""
    addresses: list[str] = []
    note = tab._note

    def noted(method: str | None, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            addresses.append(params["request"]["url"])
        note(method, params)

    tab._note = noted
    tab.call("Network.enable")
    return addresses


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_every_chart_is_drawn_offline_and_nothing_complains(page: Path, tmp_path: Path, dark: bool) -> None:
    with browser(tmp_path / "profile") as tab:
        addresses = asked(tab)
        tab.open(page, dark=dark)
        tab.wait(DRAWN)
        drawn = tab.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-chart]')].map(place => "
            "[place.dataset.chart, place.querySelectorAll('svg path, svg text').length]))"
        )
        ours = {
            name for name, found in load_queries(shipped.folder("queries")).items() if found.chart and found.section
        }
        assert set(drawn) == ours - {"patient_timeline", "febrile_neutropenia"} and min(drawn.values()) > 20
        background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")
        night = tab.evaluate("document.querySelector('[data-chart=swimmer] svg').innerHTML.includes('#15181c')")
        assert night == dark
        assert tab.console == []
        assert [address for address in addresses if not address.startswith(("file:", "data:", "blob:"))] == []


def test_a_script_in_the_name_of_a_disease_stays_text(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page.as_uri() + "#" + anchor("SYN-05"))
        tab.wait(f"document.getElementById('{anchor('SYN-05')}').dataset.charts === 'drawn'")
        assert EVIL in tab.evaluate("document.querySelector('.patient.open').textContent")
        assert tab.evaluate("document.title") != "evil"
        assert tab.evaluate("document.querySelectorAll('main img').length") == 0
        assert tab.console == []


def test_a_mark_says_what_it_is_when_the_pointer_rests_on_it(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page)
        tab.wait(DRAWN)
        for chart, words in (
            ("cytokine_pairs", ["Change"]),
            ("marker_change", ["%"]),
            ("overall_survival", ["months"]),
            ("swimmer", ["day"]),
        ):
            seen = f"[...document.querySelectorAll('[data-chart={chart}] svg path')].filter(e => e.__data__?.tooltip)"
            tab.evaluate("document.querySelectorAll('#mark').forEach(e => e.removeAttribute('id'))")
            tab.evaluate(f"(e => e[Math.floor(e.length / 2)].id = 'mark')({seen})")
            tab.move(1, 1)
            tab.move(*tab.place("#mark"))
            tip = tab.wait("document.querySelector('#vg-tooltip-element.visible')?.innerText")
            assert any(word in tip for word in words), (chart, tip)


def test_at_four_times_the_size_nothing_is_cut_and_the_page_does_not_scroll_sideways(
    page: Path, tmp_path: Path
) -> None:
    with browser(tmp_path / "profile") as tab:
        # WCAG 1.4.10: 400 % on a window of 1280 pixels leaves 320.
        tab.open(page, width=320, height=256)
        tab.wait(DRAWN)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        wide = tab.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 321 && "
            "!e.closest('.scroll, .chart, .paper, [data-patient-chart], svg, details:not([open])')).map(e => "
            "e.tagName + '.' + e.className).slice(0, 5)"
        )
        assert wide == []


def test_on_paper_the_folds_are_open_and_charts_stand_still(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page)
        tab.wait(DRAWN)
        folds = "document.querySelectorAll('details.folded:not([open])').length"
        assert tab.evaluate(folds) > 0
        tab.call("Emulation.setEmulatedMedia", media="print")
        tab.call("Emulation.setDeviceMetricsOverride", width=PAPER, height=1123, deviceScaleFactor=1, mobile=False)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert tab.evaluate(folds) == 0
        shown = "[...document.querySelectorAll('{}')].filter(e => e.offsetParent !== null).length"
        assert tab.evaluate(shown.format(".contents")) == 0 and tab.evaluate(shown.format("figure > .chart")) == 0
        assert tab.evaluate(shown.format("figure > .paper")) == tab.evaluate(
            "document.querySelectorAll('.paper').length"
        )
        # Wide folded tables are printed across: all fits there, and all but they upright.
        tab.call("Emulation.setDeviceMetricsOverride", width=ACROSS, height=PAPER, deviceScaleFactor=1, mobile=False)
        assert tab.evaluate("document.documentElement.scrollWidth") <= ACROSS
        tab.call("Emulation.setDeviceMetricsOverride", width=PAPER, height=ACROSS, deviceScaleFactor=1, mobile=False)
        across = "[...document.querySelectorAll('article')].filter(e => getComputedStyle(e).page === 'wide')"
        assert tab.evaluate(f"{across}.map(e => e.id)") == ["lab_pairs", "profile"]
        tab.evaluate(f"{across}.forEach(e => e.hidden = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= PAPER
        tab.evaluate(f"{across}.forEach(e => e.hidden = false)")
        tab.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.evaluate(folds) > 0
        printed = base64.b64decode(tab.call("Page.printToPDF", printBackground=True)["data"])
        assert printed.startswith(b"%PDF") and 15 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 120


def test_the_keyboard_reaches_the_report_its_contents_and_a_patient(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page, width=1500)
        tab.wait(DRAWN)
        tab.key("Tab")
        assert tab.evaluate("document.activeElement.className") == "skip"
        tab.key("Enter")
        tab.wait("location.hash === '#main'")
        stops = []
        for _ in range(40):
            tab.key("Tab")
            stops.append(tab.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
        assert len(set(stops)) > 20
        lane = (
            "[...document.querySelectorAll('[data-chart=swimmer] [role=link]')].find(e => e.textContent === 'SYN-07')"
        )
        assert tab.evaluate(f"{lane}.getAttribute('aria-label')") == "SYN-07: open the timeline"
        tab.evaluate(f"{lane}.focus()")
        tab.key("Enter")
        tab.wait(f"document.getElementById('{anchor('SYN-07')}').dataset.charts === 'drawn'")
        tab.back()
        tab.wait("location.hash === '#main'")
        assert tab.console == []


def test_every_link_leads_somewhere_and_every_picture_has_words(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page)
        tab.wait(DRAWN)
        nowhere = tab.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map(e => e.getAttribute('href').slice(1))"
            ".filter(id => id && !document.getElementById(id))"
        )
        assert nowhere == []
        unnamed = tab.evaluate(
            "[...document.querySelectorAll('.chart[role], table, nav, section, article, button, input')].filter(e => "
            "!(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.querySelector('caption') || "
            "e.closest('[role=region]') || e.textContent.trim() || e.labels?.length)).length"
        )
        assert unnamed == 0
        ids = tab.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert [id for id, times in Counter(ids).items() if times > 1] == []


def test_patients_of_the_demo(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        for id, words in (
            (
                "SYN-05",
                ["day 0: infusion", "Anakinra 1", "Steroids: refractory", "CRS grade", "ICANS grade", "10^9/L, log"],
            ),
            ("SYN-16", ["Brexucabtagene autoleucel", "Hospital stay"]),
        ):
            tab.open(page.as_uri() + "#" + anchor(id), dark=id == "SYN-16")
            tab.wait(f"document.getElementById('{anchor(id)}').dataset.charts === 'drawn'")
            text = tab.evaluate("document.querySelector('.patient.open svg.marks').textContent")
            assert [word for word in words if word not in text] == []
        tab.open(page.as_uri() + "#" + anchor("SYN-21"))
        tab.wait(f"document.getElementById('{anchor('SYN-21')}').classList.contains('open')")
        text = tab.evaluate("document.querySelector('.patient.open').innerText")
        assert "This patient has no event." in text and "no infusion" in text and "unknown" in text
        assert tab.console == []


def test_a_lane_of_the_swimmer_leads_to_its_patient_and_the_way_back(page: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as tab:
        tab.open(page)
        tab.wait("document.documentElement.dataset.charts === 'drawn'")
        names = "[...document.querySelectorAll('[data-chart=swimmer] text')]"
        tab.evaluate(f"{names}.find(e => e.textContent === 'SYN-05').id = 'lane'")
        tab.click_on("#lane")
        tab.wait(f"document.getElementById('{anchor('SYN-05')}').dataset.charts === 'drawn'")
        assert tab.evaluate("document.querySelector('.patient.open .ways a[href=\"#swimmer\"]') !== null")
        current = "[...document.querySelectorAll('.people a[aria-current=true]')].map(e => e.getAttribute('href'))"
        assert tab.evaluate(current) == ["#" + anchor("SYN-05")]
        tab.back()
        tab.wait("location.hash === ''")
        tab.wait("document.querySelector('.patient.open') === null")
        assert tab.evaluate(current) == []
        assert tab.evaluate("[...document.querySelectorAll('[data-patient-chart]')].every(e => !e.childElementCount)")
        tab.evaluate(f"location.hash = '{anchor('SYN-07')}'")
        tab.wait(f"document.getElementById('{anchor('SYN-07')}').dataset.charts === 'drawn'")
        tab.evaluate("document.querySelector('.patient.open .ways a[href=\"#swimmer\"]').click()")
        tab.wait("document.querySelector('.patient.open') === null")
        tab.back()
        tab.wait(f"document.querySelector('.patient.open')?.id === '{anchor('SYN-07')}'")
        assert tab.console == []

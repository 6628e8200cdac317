"""The report: what it says, what it does without data, what it never lets out, and that a browser draws it offline."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from timeline import report, store
from timeline.errors import UsageError

EVIL = "<script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
HEADER = "/*\ntitle: {title}\nquestion: What is {title}?\nreads: [{reads}]\nsection: {section}\n{more}*/\n{sql}\n"
LANES = """chart: {kind: lanes, lane: who, element: what, start: a, end: b, value: v, x: Days,
  layers: {stay: {mark: bar, title: Stay}, dose: {mark: point, title: Dose, track: doses, shape: star}}}
"""


def write(folder: Path, name: str, sql: str, *, title="Rows", reads="row", section="results", more="") -> None:
    text = HEADER.format(title=title, reads=reads, section=section, more=more, sql=sql)
    (folder / f"{name}.sql").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "queries").mkdir()
    return tmp_path / "queries"


@pytest.fixture
def con():
    con = store.connect(":memory:")
    con.execute("CREATE TABLE row (who VARCHAR, what VARCHAR, a INTEGER, b INTEGER, v DOUBLE)")
    con.executemany(
        "INSERT INTO row VALUES (?, ?, ?, ?, ?)",
        [(EVIL, "stay", 0, 9, 9), (EVIL, "dose", 3, 3, None), ("p2", "stay", 0, 4, -1)],
    )
    yield con
    con.close()


def page_of(con, folder: Path, **options) -> str:
    report.write_report(con, folder.parent / "page.html", queries=folder, **options)
    return (folder.parent / "page.html").read_text(encoding="utf-8")


RETURNS = "returns: {who: who, what: what, a: from, b: to, v: how much}\n"


def test_everything_from_data_is_escaped(con, folder):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES, title=EVIL)
    page = page_of(con, folder)
    assert EVIL not in page and "<img src=x" not in page
    assert page.count("&lt;script&gt;") > 3
    assert page.count("<script") == page.count("</script>")
    spec = re.search(r'id="chart-lanes">(.*?)</script>', page, re.DOTALL)
    assert spec is not None and json.loads(spec[1])["datasets"]["marks"][0]["lane"] == EVIL


def test_nothing_comes_from_the_network(con, folder):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES)
    page = page_of(con, folder)
    assert "default-src 'none'" in page
    # The bundled chart library names addresses in its text; nothing of the page itself loads anything.
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"'](?!#|data:)[^\"']+", own)
    assert "url(" not in own and "@import" not in own


def test_a_query_without_an_answer_says_why(con, folder):
    more = "returns: {who: who}\nempty: Nobody is that old.\n"
    write(folder, "none", "SELECT who FROM row WHERE a > 99 ORDER BY who", more=more)
    write(folder, "lacking", "SELECT who FROM cohort ORDER BY who", reads="cohort", more="returns: {who: who}\n")
    write(
        folder,
        "left_out",
        "SELECT who FROM cohort ORDER BY who",
        reads="cohort",
        more="optional: true\nreturns: {who: who}\n",
    )
    result = report.write_report(con, folder.parent / "page.html", queries=folder)
    page = (folder.parent / "page.html").read_text()
    assert "left_out" not in page
    assert result.absent["none"] == "Nobody is that old." and "Nobody is that old." in page
    assert "lacking reads cohort, and this study has no such table; `timeline run`" in page
    assert "No rules have been run on this study" in page
    # No chart, no chart library.
    assert "vegaEmbed" not in page and result.bytes < 40_000


def test_statistics_say_n_and_what_is_missing_or_why_there_are_none(con, folder):
    more = (
        "returns: {who: who, v: how much, known: whether it is}\nstatistics:\n"
        "  - {kind: median_range, of: v, title: How much, unit: mg, published: T1-99}\n"
        "  - {kind: proportion, of: known, title: Known}\n"
        "  - {kind: survival, time: v, event: known, title: Survival}\n"
    )
    write(folder, "numbers", "SELECT who, v, v > 0 AS known FROM row ORDER BY who, v", more=more)
    page = page_of(con, folder)
    assert "4 mg (range -1 to 9); n = 2; 1 missing" in page and '<span class="id">T1-99</span>' in page
    assert "1 of 2 (50.0 %; 95 % CI 1.3 to 98.7); 1 missing" in page
    assert "not computed: 1 times are before the start" in page
    assert '<td class="number">–</td>' in page


def test_long_tables_are_cut_and_say_so(con, folder):
    write(
        folder,
        "long",
        "SELECT n FROM range(1234) AS t(n), (SELECT 1 FROM row LIMIT 1) ORDER BY n",
        more="returns: {n: a number}\n",
    )
    page = page_of(con, folder)
    assert page.count('<td class="number">') == report.MOST_ROWS
    assert "100 of 1,234 rows" in page and "Table, 1,234 rows" in page


def test_cards_sections_and_order(con, folder):
    cards = "show: cards\nreturns: {label: what, value: how many, detail: of which}\n"
    write(
        folder,
        "cards",
        "SELECT 'Rows' AS label, count(*) AS value, 'all' AS detail FROM row ORDER BY ALL",
        more=cards,
        section="summary",
    )
    for name, order in (("b", 1), ("a", 2), ("c", 1)):
        write(
            folder,
            name,
            "SELECT who FROM row ORDER BY who, what",
            more=f"order: {order}\nreturns: {{who: who}}\n",
            section="quality",
        )
    write(folder, "unlisted", "SELECT who FROM row ORDER BY who, what", more="returns: {who: who}\n")
    (folder / "unlisted.sql").write_text((folder / "unlisted.sql").read_text().replace("section: results\n", ""))
    page = page_of(con, folder)
    assert '<span class="value">3</span>' in page
    assert re.findall(r'<article id="(\w+)"', page) == ["cards", "b", "c", "a", "run"]
    assert re.findall(r'<section id="([\w-]+)"', page) == ["part-summary", "part-quality", "methods"]


@pytest.mark.parametrize(
    ("value", "banner"),
    [
        ("true", "Synthetic data: no real patient."),
        ("partly", "Partly synthetic data"),
        ("?", "Synthetic data"),
        (None, ""),
    ],
)
def test_synthetic_is_said_on_the_page_and_in_the_picture(con, folder, value, banner):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES)
    if value is not None:
        con.execute("INSERT INTO meta.study VALUES ('synthetic', ?), ('title', 'A & B')", [value])
    page = page_of(con, folder, figures=folder.parent / "figures", formats=("svg",))
    picture = (folder.parent / "figures" / "lanes.svg").read_text()
    said = re.search(r'class="banner"[^>]*>([^<]*)<', page)
    assert (said[1] if said else "")[: len(banner)] == banner and bool(said) == bool(banner)
    assert (banner in picture) and ("ynthetic" in picture) == bool(banner)
    assert ("<h1>A &amp; B</h1>" in page) == bool(banner)


def test_the_same_study_gives_the_same_page(con, folder):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES)
    assert page_of(con, folder) == page_of(con, folder)


def test_figures_in_every_format_and_no_other(con, folder, tmp_path):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES)
    written = report.write_report(
        con, tmp_path / "page.html", queries=folder, figures=tmp_path / "f", formats=("png", "svg", "pdf", "json")
    ).figures
    assert [path.name for path in written] == ["lanes.png", "lanes.svg", "lanes.pdf", "lanes.json"]
    assert all(path.stat().st_size > 1000 for path in written)
    with pytest.raises(UsageError, match="the formats are png, svg, pdf, json"):
        report.write_report(con, tmp_path / "page.html", queries=folder, figures=tmp_path, formats=("gif",))


def browser(page: Path, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """The page's DOM after its scripts have run, and what the browser's console said."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium here, so nobody has looked at the page")
    quiet = "--no-first-run --disable-background-networking --disable-component-update --disable-sync"
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", *quiet.split(), *flags]
    command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"]
    command += ["--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def test_a_browser_draws_every_chart_and_runs_nothing_of_the_data(con, folder, tmp_path):
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + LANES, title=EVIL)
    page_of(con, folder)
    dom, console = browser(tmp_path / "page.html", tmp_path / "profile")
    assert console == []
    assert 'data-charts="drawn"' in dom
    assert "<title>Study report</title>" in dom
    drawn = dom[dom.index('data-chart="lanes"') : dom.index('class="paper"')]
    assert drawn.count('aria-roledescription="rect mark"') + drawn.count("<path") > 5
    assert "&lt;script&gt;" in drawn and "<script" not in drawn


TURN = """<script>
const until = (ok) => new Promise((go) => {
  const watch = new MutationObserver(() => { if (ok()) { watch.disconnect(); go(); } });
  watch.observe(document.documentElement, { subtree: true, childList: true, attributes: true });
});
(async () => {
  await until(() => document.documentElement.dataset.charts === "drawn");
  const [before, after] = document.querySelectorAll(".pages button");
  after.click();
  await until(() => document.querySelector(".said").textContent === "Lanes 3 to 4 of 5");
  document.documentElement.dataset.turned = before.disabled + " " + after.disabled;
})();
</script>"""


def test_a_browser_turns_the_pages_of_many_lanes_and_follows_their_links(con, folder, tmp_path):
    con.execute("DELETE FROM row")
    con.executemany("INSERT INTO row VALUES (?, 'stay', 0, 5, 5)", [(f"p{i}",) for i in range(5)])
    paged = LANES.replace("x: Days,", "x: Days, most: 2, link: patient,")
    write(folder, "lanes", "SELECT who, what, a, b, v FROM row ORDER BY who, what", more=RETURNS + paged)
    page = page_of(con, folder, lanes="pages")
    (tmp_path / "page.html").write_text(page[: page.rindex("</body>")] + TURN + page[page.rindex("</body>") :])
    dom, console = browser(tmp_path / "page.html", tmp_path / "profile")
    assert console == [] and 'data-turned="false false"' in dom
    drawn = dom[dom.index('data-chart="lanes"') : dom.index('class="paper"')]
    assert re.findall(r">(p\d)</text>", drawn) == ["p2", "p3"] and "Lanes 3 to 4 of 5</text>" in drawn
    assert [text for text in re.findall(r"<option[^>]*>([^<]+)", dom)] == [
        "Lanes 1 to 2 of 5",
        "Lanes 3 to 4 of 5",
        "Lanes 5 to 5 of 5",
    ]

"""Declared tables: Table 1 as the paper has it, and every form in which a table leaves, read again."""

import json
import re
import shutil
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars
import pytest

from timeline import cli, printing, query, shipped, store, table
from timeline.table.numbers import median_range, percent
from timeline.table.shown import Group, Head, Note, Row, Shown

GOLDEN = Path(__file__).parent / "golden" / "table_1.md"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
SYNTHETIC = "Synthetic data: no real patient."
EVIL = "a <b> & 5 % _x_ $y #z {w} ~ ^ \\v *i* | `c`"
HARD = Shown(
    EVIL,
    (Head("Was <i>"), Head("Wert & Maß", "%", True)),
    (Group(EVIL, (Row((EVIL, "≥ 2 – 3"), 1, "a"),)),),
    (Note(EVIL, "a"),),
    EVIL,
    row_heads=True,
)
PAPER = {
    "Patient characteristics": ["T1-01", "T1-02", "T1-03", "T1-04"],
    "Disease type": ["T1-05", "T1-06", "T1-07", "T1-08", "T1-09", "T1-10", "T1-11"],
    "Toxicity": ["T1-12", "T1-13", "T1-14"],
    "CAR-T cell product": ["T1-15", "T1-16"],
    "Previous treatment": ["T1-17", "T1-18", "T1-18", "T1-19"],
    "Toxicity treatment": [f"T1-{number}" for number in range(20, 29)],
    "Survival": ["T1-29", "T1-30", "T1-31", "T1-32"],
    "Cause of death": ["T1-33", "T1-34", "T1-35"],
    "Fatal infections": ["T1-36", "T1-37", "T1-38"],
}
"""The paper's rows under its heads; the first head and `Toxicity` are ours. T1-39 is the footnote of T1-19."""


@pytest.fixture(scope="module")
def asked():
    return query.load_queries(shipped.folder("queries"))["table_1"]


@pytest.fixture(scope="module")
def written(demo_study, tmp_path_factory) -> Path:
    """A folder with Table 1 of the demo in every form for people."""
    folder = tmp_path_factory.mktemp("tables")
    for ending in table.ENDINGS:
        assert cli.main(["query", str(demo_study), "table_1", "-o", str(folder / f"table_1{ending}")]) == 0
    return folder


def printed(capsys, *argv: str) -> str:
    assert cli.main(["query", *argv]) == 0
    return capsys.readouterr().out


def test_table_1_has_the_papers_rows_in_its_order(capsys, demo_study):
    rows = json.loads(printed(capsys, str(demo_study), "table_1", "--json"))
    assert len(rows) == 39 and [row["position"] for row in rows] == list(range(1, 40))
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row["id"])
    assert groups == PAPER and list(groups) == list(PAPER)
    assert {row["total"] for row in rows} == {14}


def test_table_1_in_markdown_is_the_golden_one(written):
    text = (written / "table_1.md").read_text(encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), "`timeline query STUDY table_1 -o tests/golden/table_1.md`"
    assert text.count(" of 14 (") == 11 and "| Sex (F:M) | 6:8 |" in text and "| Ann Arbor stage | IV (I–IV) |" in text
    assert "| Hospitalization days<sup>b</sup> | 20.5 (11–29) days |" in text
    assert "<sup>b</sup> Hospitalization days from the CAR-T infusion (day 0) to discharge" in text


def test_the_terminal_shows_the_same_cells(capsys, demo_study):
    lines = printed(capsys, str(demo_study), "table_1").splitlines()
    golden = GOLDEN.read_text(encoding="utf-8")
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines[: lines.index("Survival")] if line.startswith("  ")]
    assert len([0 for row in cells if len(row) == 2]) >= 25
    assert all(f"| {row[1]} |" in golden for row in cells if len(row) == 2)
    assert lines[-1] == SYNTHETIC


class Page(HTMLParser):
    """Of a page its heads by scope, its cells, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def scopes(self) -> list[str | None]:
        return [attributes.get("scope") for tag, attributes in self.tags if tag == "th"]


def test_the_html_page_is_a_table_with_heads_and_nothing_else(written):
    text = (written / "table_1.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.scopes().count("col") == 2 and page.scopes().count("row") == 39
    assert page.scopes().count("colgroup") == len(PAPER) and None not in page.scopes()
    assert SYNTHETIC in page.words and "58 (26–75) years" in page.words
    assert not re.search(r"<script|https?:|[\ue000-\uf8ff]", text)
    assert "sup" in {tag for tag, _ in page.tags}


def latex_problems(text: str) -> list[str]:
    """What LaTeX would stop at: letters it lacks, unbalanced environments and braces, rows of another length."""
    found = sorted({letter for letter in text if ord(letter) > 0xFF})
    open_environments: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            open_environments.append(name)
        elif not open_environments or open_environments.pop() != name:
            found.append(f"end of {name}")
    plain = re.sub(r"\\[\\{}%&$#_]", "", text)
    found += ["braces"] if plain.count("{") != plain.count("}") else []
    found += ["an open $"] if plain.count("$") % 2 else []
    body = plain.split("\\bottomrule")[0].split("\\toprule")[1]
    widths = {line.count("&") for line in body.splitlines() if "&" in line}
    return found + open_environments + (["rows of different lengths"] if len(widths) > 1 else [])


def test_the_latex_can_be_set(written):
    text = (written / "table_1.tex").read_text(encoding="utf-8")
    assert latex_problems(text) == []
    assert text.startswith("% \\usepackage{booktabs,caption,longtable}\n")
    assert SYNTHETIC in text and "58 (26--75) years" in text and r"grade $\geq$ 2" in text
    assert r"\hspace{1em}DLBCL with CNS involvement & 3 of 6 (50 \%)" in text
    assert r"Hospitalization days\textsuperscript{b}" in text and r"\textsuperscript{b}Hospitalization" in text


def words_of(cell: ElementTree.Element) -> str:
    return "".join(text.text or "" for text in cell.iter(f"{WORD}t"))


def test_the_word_document_opens_and_holds_the_table(written):
    with zipfile.ZipFile(written / "table_1.docx") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["[Content_Types].xml", "_rels/.rels", "word/document.xml"]
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))
        document = ElementTree.fromstring(archive.read("word/document.xml"))
    body = document[0]
    rows = [[words_of(cell) for cell in row.iter(f"{WORD}tc")] for row in body.iter(f"{WORD}tr")]
    assert len(rows) == 1 + len(PAPER) + 39 and rows[0] == ["Characteristic", "All patients, N = 14"]
    assert ["Peak LDHa", "524 (163–17,624) U/L"] in rows
    assert [words_of(child) for child in body if child.tag == f"{WORD}p"][1] == SYNTHETIC
    assert body[-2].tag == f"{WORD}p" and body[-1].tag == f"{WORD}sectPr"
    assert len(list(body.iter(f"{WORD}tblHeader"))) == 1


def test_every_form_says_the_same(written):
    values = set(re.findall(r"\| ([^|]*\d[^|]*) \|$", GOLDEN.read_text(encoding="utf-8"), re.MULTILINE))
    page = (written / "table_1.html").read_text(encoding="utf-8")
    latex = (written / "table_1.tex").read_text(encoding="utf-8").replace("--", "–").replace("\\%", "%")
    assert len(values) > 25
    assert [value for value in values if value not in page or value not in latex] == []


def test_programs_get_the_columns_as_they_are(capsys, demo_study, tmp_path, asked):
    (tmp_path / "t").mkdir()
    for ending in query.ENDINGS:
        assert cli.main(["query", str(demo_study), "table_1", "-o", str(tmp_path / "t" / f"t{ending}")]) == 0
    assert polars.read_parquet(tmp_path / "t" / "t.parquet").columns == list(asked.returns)
    csv = polars.read_csv(tmp_path / "t" / "t.csv")
    assert csv.columns[:9] == ["id", "item", "n", "count", "percent", "median", "low", "high", "unit"]
    assert csv.filter(polars.col("id") == "T1-07")["percent"][0] == pytest.approx(100 * 3 / 14)


def test_suppression_reaches_the_forms_for_programs_and_for_people(capsys, demo_study, tmp_path):
    for ending in (".json", ".parquet", ".md", ".tex"):
        path = tmp_path / f"s{ending}"
        assert cli.main(["query", str(demo_study), "table_1", "--suppress", "5", "-o", str(path)]) == 0
    for rows in (json.loads((tmp_path / "s.json").read_text()), polars.read_parquet(tmp_path / "s.parquet").to_dicts()):
        assert all(row["count"] is None or row["count"] == 0 or row["count"] >= 5 for row in rows)
        assert {row["id"]: row["hidden"] for row in rows}["T1-09"] == "<5"
        # Deaths are 14 less those alive, so what is out of deaths is hidden, too.
        assert [row["n"] for row in rows if row["id"] in ("T1-32", "T1-33", "T1-38")] == [None, None, None]
    markdown = (tmp_path / "s.md").read_text(encoding="utf-8")
    assert r"| Burkitt lymphoma | \<5 of 14 |" in markdown and "Day of death | withheld |" in markdown
    assert "Small numbers are hidden: “\\<5” stands for 1 to 4" in markdown
    assert latex_problems((tmp_path / "s.tex").read_text(encoding="utf-8")) == []


def test_a_study_without_a_cohort_says_so_in_every_form(capsys, demo_study, asked, tmp_path):
    study = str(tmp_path / "study.duckdb")
    shutil.copy(demo_study, study)
    with store.connect(study) as con:
        con.execute("UPDATE cohort SET included = FALSE")
    assert printed(capsys, study, "table_1").strip() == asked.empty
    for form in table.PRINTED:
        assert asked.empty in printed(capsys, study, "table_1", "--as", form, "--suppress", "5")
    assert json.loads(printed(capsys, study, "table_1", "--json")) == []
    assert cli.main(["query", study, "table_1", "-o", str(tmp_path / "t.docx")]) == 0


def test_what_is_not_known_is_said_and_nobody_is_no_gap(asked):
    empty = dict.fromkeys(asked.returns)
    base = {**empty, "group": "G", "depth": 0, "total": 3, "n": 0}
    rows = [
        {**base, "id": "T1-31", "label": "Deceased", "n": 3, "count": 0, "percent": 0.0},
        {**base, "id": "T1-32", "label": "Day of death", "unit": "d"},
        {**base, "id": "T1-05", "label": "Disease", "count": 0},
        {**base, "id": "T1-04", "label": "Stage", "n": 2, "median": 2.5, "low": 2.0, "high": 3.0},
        {**base, "id": "T1-01", "label": "Age", "n": 3, "median": 50.25, "low": 4.0, "high": 60.5, "unit": "a"},
    ]
    made = table.shown(polars.DataFrame(rows, infer_schema_length=None), asked.table, {}, "T")
    assert [row.cells[1] for row in made.rows] == [
        "0 %",
        "– (nobody)",
        "– (not known)",
        "II/III (II–III), n = 2",
        "50.25 (4.0–60.5) years",
    ]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((20.5, 11, 29), "20.5 (11–29)"),
        ((524.0, 163.0, 17624.0), "524 (163–17,624)"),
        ((1.0, 0.125, 2.5), "1.00 (0.12–2.50)"),
        ((0.1 + 0.2, 0.0, 1.0), "0.3 (0–1)"),
    ],
)
def test_decimals_of_a_median(numbers, expected):
    assert median_range(*numbers) == expected


def test_percent_of_a_hundred_have_a_decimal():
    assert [percent(100 / 7, 14), percent(100 / 7, 99), percent(100 / 7, 100)] == ["14 %", "14 %", "14.3 %"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([42.857142, 50.0, 7.142857], ["42.86", "50.00", "7.14"]),
        ([1.5, 20.5, 3.0, None], ["1.5", "20.5", "3.0", "–"]),
        ([58.0, 4.0], ["58", "4"]),
        ([0.0286, 1.0], ["0.0286", "1.0000"]),
        ([0.5914, 23.7372, 2.2998], ["0.59", "23.74", "2.30"]),
        ([17624.5, 0.25], ["17,624", "0.25"]),
        ([float("inf"), 1.25], ["inf", "1.25"]),
        ([1, 2, True, "x"], ["1", "2", "yes", "x"]),
    ],
)
def test_numbers_of_a_column_have_the_same_decimals(values, expected):
    assert printing.column(values) == expected


def test_numbers_of_different_units_have_decimals_of_their_own():
    assert printing.column([38.25, 37.0, 12.0], ["Cel", "Cel", "d"]) == ["38.25", "37.00", "12"]
    assert printing.table(("unit", "x"), [([1], 0.5), (None, 12.0)]).splitlines()[1:] == ["1     0.5", "–      12"]


@pytest.mark.parametrize("form", table.PRINTED)
def test_no_text_is_read_as_markup(form):
    text = table.as_text(HARD, form)
    assert "<b>" not in text and not re.search("[\ue000-\uf8ff]", text)
    if form == "latex":
        assert latex_problems(text.replace("^", "").replace("\\v", "")) == []
    if form == "html":
        assert " ".join(Page(text).words).count(EVIL) >= 4


def test_a_word_document_escapes_and_lies_on_its_side_where_it_is_wide(tmp_path):
    wide = Shown("T", tuple(Head(str(i)) for i in range(8)), (Group("", (Row(tuple("<&\x07bcdefg")[:8]),)),))
    for number, made in enumerate((HARD, wide)):
        table.write(made, tmp_path / f"{number}.docx")
        with zipfile.ZipFile(tmp_path / f"{number}.docx") as archive:
            document = archive.read("word/document.xml")
        assert ElementTree.fromstring(document) is not None and (b"landscape" in document) == bool(number)


def test_any_query_has_every_form(capsys, demo_study):
    text = printed(capsys, str(demo_study), "attrition", "--as", "markdown")
    assert "| Step | Condition | Patients | Lost | Why | Note |" in text and SYNTHETIC in text
    one_off = printed(capsys, str(demo_study), "--sql", "SELECT 1.5 AS a_number", "--as", "html")
    assert "A number" in one_off and "SQL: SELECT 1.5 AS a_number" in one_off
    assert cli.main(["query", str(demo_study), "--sql", "SELECT * FROM range(5000)", "--as", "latex"]) == 2
    assert "5,000 rows are too many for a table to read; write .csv" in capsys.readouterr().err


def test_the_report_shows_the_declared_table(demo_study, tmp_path):
    from timeline import report

    shutil.copy(shipped.folder("queries") / "table_1.sql", tmp_path)
    con = query.open_read_only(demo_study)
    report.write_report(con, tmp_path / "page.html", queries=tmp_path)
    con.close()
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8").split('<section id="part-quality"')[0])
    assert page.scopes().count("row") == 39 and page.scopes().count("rowgroup") == len(PAPER)
    assert page.scopes().count("col") == 2 and [tag for tag, _ in page.tags].count("caption") == 1
    assert {"58 (26–75) years", "6:8", "IV (I–IV)", SYNTHETIC} <= set(page.words)
    places = {attributes.get("id") for _, attributes in page.tags}
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a" and "note" in attributes["href"]}
    assert len(links) == 3 and {link[1:] for link in links} <= places


def test_all_that_is_wrong_with_a_call_is_said_at_once(capsys, demo_study):
    argv = ["query", str(demo_study), "swimmer", "-o", "x.xlsx", "--suppress", "5", "--set", "cohort_onli=true", "odd"]
    assert cli.main(argv) == 2
    assert capsys.readouterr().err.splitlines() == [
        "query swimmer has no parameter cohort_onli; did you mean `cohort_only`? Its parameters are: cohort_only",
        "--suppress: this query declares no table of counts, so what is small in it is not known",
        "--set odd: write PARAM=VALUE, without blanks around `=`",
        "x.xlsx: write a name that ends in .csv, .parquet, .json (for programs), "
        "or .html, .md, .tex, .docx (for people)",
    ]


def test_words_where_a_declared_table_counts_are_the_querys_fault(capsys, demo_study, tmp_path):
    text = (shipped.folder("queries") / "table_1.sql").read_text(encoding="utf-8")
    assert text.count("f.low, f.high,") == 1
    (tmp_path / "table_1.sql").write_text(
        text.replace("f.low, f.high,", "f.low, f.high || '' AS high,"), encoding="utf-8"
    )
    for argv in ([], ["--suppress", "5"], ["-o", str(tmp_path / "t.md")]):
        assert cli.main(["query", str(demo_study), "table_1", "--queries", str(tmp_path), *argv]) == 2
        told = capsys.readouterr().err.strip()
        assert told == "the `table` of the query shows numbers, and high holds none; cast it in the SELECT"
    from timeline import report

    with query.open_read_only(demo_study) as con, pytest.raises(query.UsageError, match=r"table_1.sql: the `table`"):
        report.write_report(con, tmp_path / "page.html", queries=tmp_path)


def test_a_query_is_described_in_words_and_as_data(capsys, demo_study):
    text = printed(capsys, str(demo_study), "swimmer", "--describe")
    assert "  cohort_only, true unless set: " in text and "  start_day [d]: first day" in text and "F1-01" in text
    header = json.loads(printed(capsys, str(demo_study), "swimmer", "--describe", "--json"))
    listed = json.loads(printed(capsys, str(demo_study), "--list", "--json"))
    assert header in listed and header["params"]["cohort_only"]["default"] == "true" and "sql" not in header
    assert "swimmer --set cohort_only=true\n    Clinical course" in printed(capsys, str(demo_study), "--list")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("T1-06: T1-05,", "T1-06: T1-06,", "`part_of` leads from T1-06 back to itself"),
        ("{T1-29: T1-30}", "{T1-29: T1-29}", "`same_as`: T1-29 is the same as itself"),
        ("[T1-15, T1-16]", "[T1-15, T1-05]", "`adds_up` has T1-05 twice"),
        ("  median: median\n  low", "  median: middle\n  low", "`table` names the column middle, which"),
        ("T1-02: ratio", "T1-02: rate", "`table.forms.T1-02`: input should be 'count', 'percent' or 'ratio'"),
    ],
)
def test_mistakes_in_a_declared_table(tmp_path, old, new, expected):
    text = (shipped.folder("queries") / "table_1.sql").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "table_1.sql").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(query.Findings) as caught:
        query.load_queries(tmp_path)
    assert expected in str(caught.value)

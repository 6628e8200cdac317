"""A table set by great-tables: a page of HTML and a LaTeX table; knows no frame.

Footnotes are ours: great-tables has none in LaTeX. Their marks travel through it as characters of no script, and
become markup in what it gives back, so that no text of the data is ever read as markup.
"""

import html
import re
from typing import TYPE_CHECKING, Any

from timeline.table.shown import Shown

if TYPE_CHECKING:
    import great_tables

OPEN, CLOSE, INDENT = "\ue000", "\ue001", "\ue002"
LATEX = {
    **{"–": "--", "—": "---", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\ldots{}", "µ": r"$\mu$", "°": r"\textdegree{}"},
    **{"“": "``", "”": "''", "×": r"$\times$", "−": "$-$", "→": r"$\to$", "‰": r"\textperthousand{}", "\u00a0": "~"},
    **{OPEN: r"\textsuperscript{", CLOSE: "}", INDENT: r"\hspace{1em}"},
}
"""What pdfLaTeX has no letter for."""
LONG = 40
"""A table of more lines does not fit on a page."""
FONTS = ["Arial", "Helvetica", "sans-serif"]
INK, QUIET, LINE = "#1b1f24", "#59626e", "#59626e"


def as_html(table: Shown) -> str:
    """Return a page that holds the table alone, black on white: for a browser, for print, for pasting."""
    import great_tables

    styled = _built(table).tab_options(
        table_font_names=FONTS, table_font_size="14px", table_font_color=INK, table_margin_left="0px",
        table_width="auto",
        heading_align="left", heading_title_font_size="17px", heading_title_font_weight="bold",
        heading_subtitle_font_size="14px", column_labels_font_weight="bold", row_group_font_weight="bold",
        table_border_top_color=LINE, table_border_bottom_color=LINE, heading_border_bottom_color=LINE,
        column_labels_border_top_color=LINE, column_labels_border_bottom_color=LINE,
        table_body_border_bottom_color=LINE, row_group_padding="7px", data_row_padding="4px", stub_border_style="none",
        row_group_border_top_color="#d5dae1", row_group_border_bottom_color="#d5dae1", source_notes_font_size="13px",
    )  # fmt: skip
    for note in table.notes:
        text = html.escape(note.text)
        styled = styled.tab_source_note(great_tables.html(f"<sup>{note.mark}</sup> {text}" if note.mark else text))
    made = styled.as_raw_html().replace(OPEN, "<sup>").replace(CLOSE, "</sup>").replace(INDENT, "&emsp;")
    return PAGE.format(title=html.escape(table.title), table=made)


def as_latex(table: Shown) -> str:
    """Return a LaTeX table with booktabs rules, for pdfLaTeX and others; a comment on top names its packages."""
    built = _built(table)
    for note in table.notes:
        built = built.tab_source_note(f"{OPEN}{note.mark}{CLOSE}{note.text}" if note.mark else note.text)
    long = len(table.rows) + len(table.groups) > LONG
    made = built.tab_options(table_font_size="10pt").as_latex(use_longtable=long)
    made = re.sub("[" + "".join(LATEX) + "]", lambda found: LATEX[found[0]], made)
    packages = "booktabs,caption,longtable" if long else "booktabs,caption"
    return f"% \\usepackage{{{packages}}}\n{made.strip()}\n"


def _built(table: Shown) -> "great_tables.GT":
    """The table as great-tables has it, every text escaped by it."""
    import great_tables
    import polars

    names = [f"c{i}" for i in range(len(table.heads))]
    grouped = any(group.title for group in table.groups)
    rows: list[dict[str, Any]] = []
    for group in table.groups:
        for row in group.rows:
            mark = f"{OPEN}{row.marks}{CLOSE}" if row.marks else ""
            cells = [f"{INDENT * row.depth}{row.cells[0]}{mark}", *row.cells[1:]]
            rows.append({"group": group.title, **dict(zip(names, cells, strict=True))})
    frame = polars.DataFrame(rows, schema=dict.fromkeys(["group", *names], polars.String))
    if not grouped:
        frame = frame.drop("group")
    made = great_tables.GT(
        frame, rowname_col=names[0] if table.row_heads else None, groupname_col="group" if grouped else None, id="table"
    ).tab_header(title=table.title, subtitle=table.remark or None)
    if table.row_heads:
        made = made.tab_stubhead(table.heads[0].text)
        names, heads = names[1:], table.heads[1:]
    else:
        heads = table.heads
    made = made.cols_label({name: head.text for name, head in zip(names, heads, strict=True)})
    for side, numbers in (("right", True), ("left", False)):
        chosen = [name for name, head in zip(names, heads, strict=True) if head.number == numbers]
        made = made.cols_align(side, columns=chosen) if chosen else made
    return made


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="only light">
<title>{title}</title>
<style>
body {{ margin: 1.5rem; background: #ffffff; }}
#table {{ overflow-x: auto; }}
#table td.gt_title {{ font-weight: bold; }}
#table sup {{ line-height: 0; }}
#table .gt_source_notes, #table .gt_sourcenote {{ max-width: 44rem; }}
@media print {{ body {{ margin: 0; }} tr {{ break-inside: avoid; }} #table {{ overflow: visible; }}
  .gt_group_heading_row {{ break-after: avoid; }} tfoot {{ display: table-row-group; }}
  #table .gt_table {{ font-size: 9pt; }} #table td, #table th {{ padding-top: 1px; padding-bottom: 1px; }} }}
</style>
</head>
<body>
{table}
</body>
</html>
"""

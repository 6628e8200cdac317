"""A table as a Word document: the few parts of a .docx that one table needs, written by hand; knows no frame.

Word wants to edit: the table is one of Word's own, with a head row that repeats on each page.
"""

import io
import zipfile
from xml.sax.saxutils import escape

from timeline.table.shown import Row, Shown

NAMESPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TYPES = (
    XML + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    XML + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
SAME_DATE = (1980, 1, 1, 0, 0, 0)
"""The same table gives the same bytes."""
WIDTH = 9638
"""Of the text of an A4 page, in twentieths of a point."""
WIDE = 6
"""With more columns the page lies on its side."""


def as_docx(table: Shown) -> bytes:
    """Return `table` as a .docx: title, remark, table with rules at top, head and bottom, notes."""
    body = [_paragraph(_run(table.title, bold=True, size=24))]
    if table.remark:
        body.append(_paragraph(_run(table.remark, italic=True)))
    # Word refuses a document that ends in a table: a paragraph follows.
    body += [_table(table), _paragraph("")] if table.rows else []
    for note in table.notes:
        mark = _run(note.mark, raised=True) + _run(" ") if note.mark else ""
        body.append(_paragraph(mark + _run(note.text, size=18)))
    turned = len(table.heads) > WIDE
    page = 'w:w="16838" w:h="11906" w:orient="landscape"' if turned else 'w:w="11906" w:h="16838"'
    margins = "".join(f' w:{side}="1134"' for side in ("top", "right", "bottom", "left"))
    section = f'<w:sectPr><w:pgSz {page}/><w:pgMar{margins} w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    document = f'{XML}<w:document xmlns:w="{NAMESPACE}"><w:body>{"".join(body)}{section}</w:body></w:document>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONS), ("word/document.xml", document)):
            archive.writestr(zipfile.ZipInfo(name, SAME_DATE), text, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _table(table: Shown) -> str:
    count = len(table.heads)
    grid = "".join(f'<w:gridCol w:w="{WIDTH // count}"/>' for _ in table.heads)
    ruled = "".join(f'<w:{side} w:val="single" w:sz="8" w:space="0" w:color="000000"/>' for side in ("top", "bottom"))
    space = "".join(f'<w:{side} w:w="80" w:type="dxa"/>' for side in ("left", "right"))
    caption = escape(table.title, {'"': "&quot;"})
    properties = (
        f'<w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{ruled}</w:tblBorders>'
        f'<w:tblCellMar>{space}</w:tblCellMar><w:tblLook w:firstRow="1" w:firstColumn="{int(table.row_heads)}"/>'
        f'<w:tblCaption w:val="{caption}"/></w:tblPr>'
    )
    heads = [
        _cell(_run(head.text, bold=True), number=head.number, ruled=True) for head in table.heads
    ]  # a rule under the heads
    rows = [f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(heads)}</w:tr>"]
    for group in table.groups:
        if group.title:
            rows.append(
                f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{_cell(_run(group.title, bold=True), span=count)}</w:tr>"
            )
        rows += [_row(row, table, indent=1 if group.title else 0) for row in group.rows]
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row(row: Row, table: Shown, indent: int) -> str:
    first = _cell(
        _run(row.cells[0]) + (_run(row.marks, raised=True) if row.marks else ""),
        number=table.heads[0].number,
        indent=row.depth + indent,
    )
    rest = [_cell(_run(cell), number=head.number) for cell, head in zip(row.cells[1:], table.heads[1:], strict=True)]
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{first}{''.join(rest)}</w:tr>"


def _cell(runs: str, *, number: bool = False, span: int = 1, indent: int = 0, ruled: bool = False) -> str:
    properties = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    if ruled:
        properties += '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="000000"/></w:tcBorders>'
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{_paragraph(runs, number=number, indent=indent)}</w:tc>"


def _paragraph(runs: str, *, number: bool = False, indent: int = 0) -> str:
    placed = f'<w:ind w:left="{200 * indent}"/>' if indent else ""
    side = '<w:jc w:val="right"/>' if number else ""
    return f'<w:p><w:pPr><w:spacing w:before="30" w:after="30"/>{placed}{side}</w:pPr>{runs}</w:p>'


def _run(text: str, *, bold: bool = False, italic: bool = False, raised: bool = False, size: int = 20) -> str:
    looks = '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial"/>'
    looks += ("<w:b/>" if bold else "") + ("<w:i/>" if italic else "") + f'<w:sz w:val="{size}"/>'
    looks += '<w:vertAlign w:val="superscript"/>' if raised else ""
    clean = escape("".join(letter for letter in text if letter >= " "))
    return f'<w:r><w:rPr>{looks}</w:rPr><w:t xml:space="preserve">{clean}</w:t></w:r>'

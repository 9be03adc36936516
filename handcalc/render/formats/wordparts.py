"""Pieces of WordprocessingML: paragraphs, runs, tables, fields and pictures, as text in the order the schema asks for.

What is passed as `inside` is markup already; `run` makes markup of a user's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from handcalc.render.typeset import xml_text

_SCHEMAS = "http://schemas.openxmlformats.org"
NAMESPACES = (
    f'xmlns:w="{_SCHEMAS}/wordprocessingml/2006/main" xmlns:m="{_SCHEMAS}/officeDocument/2006/math" '
    f'xmlns:r="{_SCHEMAS}/officeDocument/2006/relationships" xmlns:wp="{_SCHEMAS}/drawingml/2006/wordprocessingDrawing" '
    f'xmlns:a="{_SCHEMAS}/drawingml/2006/main" xmlns:pic="{_SCHEMAS}/drawingml/2006/picture"'
)
TAB, BREAK = "<w:r><w:tab/></w:r>", "<w:r><w:br/></w:r>"
APART = '<w:r><w:t xml:space="preserve">\u2003\u2003</w:t></w:r>'  # between formulas beside each other
MAY_BREAK = "<w:r><w:t>\u200b</w:t></w:r>"  # between two formulas

SETTINGS = (
    f'<w:settings {NAMESPACES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="680"/>'
    '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><m:mathPr><m:mathFont m:val="Cambria Math"/>'
    '<m:brkBin m:val="before"/><m:defJc m:val="left"/></m:mathPr><w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/>'
    '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
)
_LOOK = '<w:tblLook w:val="0420" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>'


def run(text: str, style: str = "", chinese: bool = False, after: str = "") -> str:
    """Words; chinese: signs that both scripts have are set as in Chinese; after: blanks of special widths."""
    properties = f'<w:rStyle w:val="{style}"/>' * bool(style) + '<w:rFonts w:hint="eastAsia"/>' * chinese
    before = f"<w:rPr>{properties}</w:rPr>" * bool(properties)
    return f'<w:r>{before}<w:t xml:space="preserve">{xml_text(text)}{after}</w:t></w:r>'


def paragraph(style: str, inside: str, properties: str = "") -> str:
    """A paragraph in a style of styles.xml."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{inside}</w:p>'


def bookmark(inside: str, number: int, name: str = "") -> str:
    """A place that `link` leads to, or one with a name."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name or f"_Toc{number}"}"/>{inside}<w:bookmarkEnd w:id="{number}"/>'


def link(inside: str, number: int) -> str:
    """A link to a `bookmark`."""
    return f'<w:hyperlink w:anchor="_Toc{number}" w:history="1">{inside}</w:hyperlink>'


def step_mark(step: str) -> str:
    """The name of a hidden bookmark that says which step a line is: net.h1 is _handcalc_net_dh1. Nothing where no name can say it."""
    spelled = "".join(letter if letter.isalnum() else f"_{_SIGNS.get(letter, '?')}" for letter in step)
    name = _STEP + spelled
    return name if "?" not in name and len(name) <= LONGEST_NAME else ""


def step_of(name: str) -> str:
    """The step that the name of a bookmark says; nothing where it is another bookmark."""
    if not name.startswith(_STEP):
        return ""
    signs = {code: letter for letter, code in _SIGNS.items()}
    return re.sub("_(.)", lambda found: signs.get(found[1], ""), name.removeprefix(_STEP))


LONGEST_NAME = 40  # letters of a bookmark's name
_STEP = "_hc_"  # hidden bookmarks begin with _
_SIGNS = dict(zip(".[],@#:_'-+|/= ", "dlrcanuqmpbves0", strict=True))

FIELD_END = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def field(code: str) -> str:
    """The beginning of a field: what Word works out; then comes what it shows until then, and `FIELD_END`."""
    begin, separate = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate"))
    return f'{begin}<w:r><w:instrText xml:space="preserve"> {xml_text(code)} </w:instrText></w:r>{separate}'


def table(sizes: Sequence[int], rows: Iterable[str]) -> str:
    """A table with columns of these sizes, in twentieths of a point, and a small gap after it."""
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size in sizes)
    properties = f'<w:tblStyle w:val="ReportTable"/><w:tblW w:w="0" w:type="auto"/>{_LOOK}'
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>" + paragraph("AfterTable", "")


def side_by_side(parts: Sequence[tuple[int, str]], level: str = "bottom") -> str:
    """Tables with what belongs to them beside each other: an invisible table, with a column for each; one alone stands as it is.
    parts: widths and markup; level: where they are on the same line, "top" or "bottom"."""
    if len(parts) == 1:
        return parts[0][1]
    whole = sum(size for size, _ in parts)
    none = "".join(f'<w:{side} w:w="0" w:type="dxa"/>' for side in ("left", "right"))
    look = f'<w:tblW w:w="{whole}" w:type="dxa"/><w:tblLayout w:type="fixed"/><w:tblCellMar>{none}</w:tblCellMar>'
    grid = "".join(f'<w:gridCol w:w="{size}"/>' for size, _ in parts)
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{size}" w:type="dxa"/><w:vAlign w:val="{level}"/></w:tcPr>{inside}</w:tc>' for size, inside in parts
    )
    line = f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"
    return f"<w:tbl><w:tblPr>{look}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{line}</w:tbl>" + paragraph("AfterTable", "")


def row(cells: Iterable[str], sizes: Sequence[int], right: Sequence[bool], heading: bool, together: bool, high: bool) -> str:
    """A row; right: which cells stand at the right; together: on the page of the next row; high: with room to write."""
    properties = "<w:cantSplit/>" + '<w:trHeight w:val="480" w:hRule="atLeast"/>' * high + "<w:tblHeader/>" * heading
    kept = "<w:keepNext/>" * together
    inside = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{size}" w:type="dxa"/>{"<w:noWrap/>" * number}<w:vAlign w:val="bottom"/></w:tcPr>'
        + paragraph("Cell", cell, kept + '<w:jc w:val="right"/>' * number)
        + "</w:tc>"
        for cell, size, number in zip(cells, sizes, right)
    )
    return f"<w:tr><w:trPr>{properties}</w:trPr>{inside}</w:tr>"


def picture(relation: str, number: int, width: int, height: int, alternative: str) -> str:
    """A picture of the package, as wide and high as is said, with the text that is read in its place."""
    name = f'id="{number}" name="{xml_text(alternative)} {number}" descr="{xml_text(alternative)}"'
    size = f'cx="{width}" cy="{height}"'
    shape = (
        f'<pic:pic><pic:nvPicPr><pic:cNvPr {name}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{relation}"/>'
        f'<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
    )
    return (
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent {size}/><wp:docPr {name}/>'
        '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        f'<a:graphic><a:graphicData uri="{_SCHEMAS}/drawingml/2006/picture">{shape}</a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r>"
    )

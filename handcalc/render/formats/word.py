"""Blocks → a Word document with real formulas, made with python-docx; drawings become pictures with the typst package.

- `document(report)` is the file.

How it looks is in styles.xml. Nothing of a user's is markup in it: every word goes through `xml_text`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from handcalc.disk.reading import our_bytes
from handcalc.errors import Message
from handcalc.render.blocks import TITLE, Block, Equation, Grid, Heading, Paragraph, Picture, Table, Titled, chunks, narrowed
from handcalc.render.formats.air import Together, laid
from handcalc.render.formats.common import drawn, is_text, number_columns, remarks, title_of
from handcalc.render.formats.printed import picture_name, title_of_report, without_repetition
from handcalc.render.formats.wordmath import WordFormulas, linear, maths, smaller, width
from handcalc.render.formats.wordparts import (
    APART,
    BREAK,
    FIELD_END,
    MAY_BREAK,
    NAMESPACES,
    SETTINGS,
    TAB,
    bookmark,
    field,
    link,
    paragraph,
    picture,
    row,
    run,
    side_by_side,
    step_mark,
    table,
)
from handcalc.render.items import Blank, Item, Toned, phrase
from handcalc.render.report import FORMATS, Report

if TYPE_CHECKING:
    from docx.document import Document

STYLES = os.path.join(os.path.dirname(__file__), "styles.xml")
FORMULA_WIDTH = 74  # letters of a matrix beside each other
TABLE_WIDTH = 72  # letters of a table beside each other
TABLE_HEIGHT = 12  # rows of a table that stays on one page
SHORTEST = 5  # rows of a column of a long table
NARROWEST = 4  # letters of a column
LETTER, PADDING = 124, 250  # twentieths of a point: a letter of a table, and what a column has besides
PAGE_WIDTH = 9865  # twentieths of a point: of the text on a page
BESIDE = 480  # twentieths of a point: between tables beside each other
WRITING = 45  # letters of a formula that leaves room to write beside it
INCH = 914400  # units of a picture
LARGEST = (5220000, 3600000)  # a picture of 145 by 100 mm
UNUSED = ("stylesWithEffects", "customXml", "numbering", "thumbnail")  # parts of the empty document of python-docx


def document(report: Report) -> bytes:
    """The whole file; several problems have a table of contents and begin on a page of their own."""
    import docx
    from docx.oxml import parse_xml

    file = docx.Document()
    body = parse_xml(f"<w:body {NAMESPACES}>{''.join(_WordWriter(report, file).document())}</w:body>")
    for place, element in enumerate(list(body)):
        file.element.body.insert(place, element)
    _set_up(file, report)
    stream = io.BytesIO()
    file.save(stream)
    return _packed(stream)


class _WordWriter:
    """Spells a report as paragraphs and tables of a Word document."""

    def __init__(self, report: Report, file: Document) -> None:
        self.report = report
        self.file = file
        self.several = len(report.chapters) > 1
        self.chinese = report.language == "zh"
        self.pictures = count(1)
        self.marks: set[str] = set()

    def document(self) -> Iterator[str]:
        """Everything, one chapter after the other."""
        if self.several:
            yield from self.contents()
        for place, chapter in enumerate(self.report.chapters, 1):
            if self.several:
                yield paragraph("AfterTable", "", "<w:sectPr/>")  # the section before it ends, and with it the page
            formulas = WordFormulas(chapter.reading, self.report.translate, chapter.view.room)
            for part in laid(without_repetition(chapter), (TITLE, TITLE + 1)):
                match part:
                    case Together(equations, beside):
                        yield from self.general(equations, beside, formulas, place)
                    case tuple():
                        yield from self.tables(part, formulas, place)
                    case _:
                        yield from self.block(part, formulas, place)

    def contents(self) -> Iterator[str]:
        """The title of the whole, and a table of contents that can be brought up to date and is readable as it is."""
        yield paragraph("Title", self.run(title_of_report(self.report)))
        yield paragraph("TOCHeading", self.run(Message("Contents").text(self.report.translate)))
        before = field(r'TOC \o "1-1" \h \z \u')
        for place, chapter in enumerate(self.report.chapters, 1):
            title = self.run(WordFormulas(chapter.reading, self.report.translate).text(title_of(chapter)))
            yield paragraph("TOC1", before + link(title, place))
            before = ""
        yield paragraph("Normal", FIELD_END)

    def block(self, block: Block, formulas: WordFormulas, place: int) -> Iterator[str]:
        """The paragraphs of a block in the chapter at a place."""
        match block:
            case Heading(level, text):
                yield self.heading(level, self.words(text, formulas), place)
            case Paragraph(text):
                yield paragraph("Normal", self.words(text, formulas))
            case Equation():
                yield self.line(block, formulas)
            case Grid(parts):
                yield paragraph("Formula", _side_by_side([smaller(piece, FORMULA_WIDTH) for piece in formulas.grid(parts)]))
            case Table():
                yield from self.table(block, formulas)
            case Picture():
                yield from self.picture(block, formulas)

    # --- text ---

    def run(self, text: str, style: str = "") -> str:
        """Words in the language of the report."""
        return run(text, style, chinese=self.chinese)

    def words(self, item: Item, formulas: WordFormulas, style: str = "") -> str:
        """An item between words: runs and formulas; style: of the words."""
        if isinstance(item, Toned):
            return self.words(item.text, formulas, f"Tone{item.tone.capitalize()}")
        if isinstance(item, Message):
            pieces = phrase(item, self.report.translate)
            return "".join(self.run(piece, style) if isinstance(piece, str) else self.words(piece, formulas, style) for piece in pieces)
        return self.run(formulas.text(item), style) if is_text(item) else maths(formulas.formula(item))

    def heading(self, level: int, inside: str, place: int) -> str:
        """The title is a title where it is the only one, else the first level of headings."""
        if not self.several:
            return paragraph("Title" if level == 1 else f"Heading{level - 1}", inside)
        if level > 1:
            return paragraph(f"Heading{level}", inside)
        return paragraph("Heading1", bookmark(inside, place))

    def line(self, block: Equation, formulas: WordFormulas) -> str:
        """(12) left = right = right; with a line to write on, where the right side is asked."""
        pieces = formulas.equation(block)
        begins = bool(block.number or block.indent)
        start = run(f"({block.number})", "StepNumber") * bool(block.number) + TAB * begins
        if not (formulas.lines and block.right and isinstance(block.right[-1][1], Blank)):
            return paragraph("Step" if begins else "Formula", start + _side_by_side(pieces))
        before, sign = pieces[:-1], pieces[-1]
        start = self.marked(start, block, formulas)
        further = BREAK * (sum(map(width, before)) > WRITING)
        return paragraph("StepToWrite", start + _side_by_side(before) + further + maths(sign) + TAB)

    def marked(self, inside: str, block: Equation, formulas: WordFormulas) -> str:
        """The beginning of a line that is filled in, with a hidden bookmark that says which step it is and in which sign."""
        if block.step is None or self.several:
            return inside
        wanted, iteration = block.step
        reading = formulas.reading
        name = step_mark(f"#{iteration}:" * (iteration > 1) + "-" * reading.turned(wanted) + reading.graph.cell_id(wanted))
        if not name or name in self.marks:
            return inside
        self.marks.add(name)
        return bookmark(inside, len(self.marks), name)

    def general(
        self, equations: tuple[Equation, ...], beside: Heading | Paragraph | None, formulas: WordFormulas, place: int
    ) -> Iterator[str]:
        """Formulas that are no steps, in one line; below their heading, or behind the sentence they stand beside."""
        if isinstance(beside, Heading):
            yield self.heading(beside.level, self.words(beside.text, formulas), place)
        before = [self.words(beside.text, formulas)] if isinstance(beside, Paragraph) else []
        shown = [_side_by_side(formulas.equation(block)) for block in equations]
        yield paragraph("Formula", APART.join(before + shown), "<w:keepNext/>")

    # --- tables and pictures ---

    def tables(self, found: tuple[Titled, ...], formulas: WordFormulas, place: int) -> Iterator[str]:
        """Tables with their titles; short ones that need no room to write in stand beside each other."""
        small = len(found) > 1 and not any(_is_long(table) for _, table in found)
        waiting: list[tuple[int, str]] = []
        for title, block in found:
            parts = [*self.parts(block, formulas)]
            above = self.heading(title.level, self.words(title.text, formulas), place) if title else ""
            inside = above + "".join([markup for _, markup in parts] + [*self.remarks(block, formulas)])
            wide = parts[0][0] + BESIDE
            if not small or len(parts) > 1:
                yield inside
            elif sum(size for size, _ in waiting) + wide <= PAGE_WIDTH + BESIDE:
                waiting.append((wide, inside))
            else:
                yield side_by_side(waiting)
                waiting = [(wide, inside)]
        if waiting:
            yield side_by_side(waiting)

    def table(self, block: Table, formulas: WordFormulas) -> Iterator[str]:
        """The table, in parts that are not too wide; then what is not shown."""
        yield from (markup for _, markup in self.parts(block, formulas))
        yield from self.remarks(block, formulas)

    def remarks(self, block: Table, formulas: WordFormulas) -> Iterator[str]:
        """What a table does not show."""
        for remark in remarks(block):
            yield paragraph("Normal", self.words(remark, formulas))

    def parts(self, block: Table, formulas: WordFormulas) -> Iterator[tuple[int, str]]:
        """The parts of a table, with their widths."""
        places = range(len(block.columns))
        numeric = number_columns(block)
        columns = [
            _aligned([formulas.number(line[place]) for line in block.rows], "," if formulas.reading.comma else ".")
            if numeric[place]
            else [linear(self.words(line[place], formulas)) for line in block.rows]
            for place in places
        ]
        headings = [linear(self.words(column, formulas)) for column in block.columns]
        letters = [max(NARROWEST, *map(width, (headings[place], *columns[place]))) for place in places]
        if block.wraps:
            letters = narrowed(letters, PAGE_WIDTH // LETTER + 1)
        for chunk in [[*places]] if block.wraps else chunks(letters, TABLE_WIDTH):
            sizes = [LETTER * letters[place] + PADDING for place in chunk]
            sizes = [size * min(PAGE_WIDTH, sum(sizes)) // sum(sizes) for size in sizes]
            right = [numeric[place] for place in chunk]
            rows = [row([headings[place] for place in chunk], sizes, right, True, True, False)]
            for number, line in enumerate(block.rows):
                together = len(block.rows) <= TABLE_HEIGHT and number < len(block.rows) - 1
                asked = any(isinstance(item, Blank) for item in line)
                rows.append(row([columns[place][number] for place in chunk], sizes, right, False, together, asked))
            yield _in_columns(block, sizes, rows)

    def picture(self, block: Picture, formulas: WordFormulas) -> Iterator[str]:
        """A drawing as a picture, at most as wide as the text and half a page high."""
        drawing = drawn(block, formulas.reading)
        if drawing is None:
            return
        from handcalc.render.diagram.svg import svg
        from handcalc.render.formats.typesetter import RESOLUTION

        relation, image = self.file.part.get_or_add_image(io.BytesIO(_png(svg(drawing, formulas.reading, self.report.translate))))
        wide, high = INCH * image.px_width // RESOLUTION, INCH * image.px_height // RESOLUTION
        scale = min(1, LARGEST[0] / wide, LARGEST[1] / high)
        name = picture_name(formulas.reading, block).text(self.report.translate)
        yield paragraph("Drawing", picture(relation, next(self.pictures), round(wide * scale), round(high * scale), name))


def _png(svg: str) -> bytes:
    from handcalc.render.formats.typesetter import need, png

    need("word", FORMATS["word"].extra)
    return png(svg)


def _in_columns(block: Table, sizes: list[int], rows: list[str]) -> tuple[int, str]:
    """A table with its width; a long narrow one in columns beside each other."""
    wide, (heading, *lines) = sum(sizes), rows
    count = min((PAGE_WIDTH + BESIDE) // (wide + BESIDE), -(-len(lines) // SHORTEST))
    if len(lines) <= TABLE_HEIGHT or block.wraps or _has_blanks(block) or count < 2 or len(sizes) < len(block.columns):
        return wide, table(sizes, rows)
    high = -(-len(lines) // count)
    columns = [(wide + BESIDE, table(sizes, [heading, *lines[start : start + high]])) for start in range(0, len(lines), high)]
    return PAGE_WIDTH, side_by_side(columns, "top")


def _is_long(block: Table) -> bool:
    """Whether a table needs the whole page: many rows, words that go on, or room to write in."""
    return len(block.rows) > TABLE_HEIGHT or block.wraps or _has_blanks(block)


def _has_blanks(block: Table) -> bool:
    return any(isinstance(item, Blank) for line in block.rows for item in line)


def _side_by_side(pieces: list[str]) -> str:
    return MAY_BREAK.join(map(maths, pieces))


def _aligned(numbers: list[str], point: str) -> list[str]:
    """Runs that stand at the right with their points below each other: blanks as wide as digits follow shorter ones."""
    tails = [len(number) - number.index(point) if point in number else 0 for number in numbers]
    longest = max(tails, default=0)
    blanks = ["\u2008" * (tail == 0 and longest > 0) + "\u2007" * (longest - max(tail, 1)) for tail in tails]
    return [run(number, after=after) for number, after in zip(numbers, blanks)]


# --- the package ------------------------------------------------------------------------------------------------------


def _set_up(file: Document, report: Report) -> None:
    """Styles, settings, pages, footers, a header for each problem, and what the document says about itself."""
    from docx.oxml import parse_xml
    from docx.shared import Mm

    _replace(file.styles.element, parse_xml(our_bytes(STYLES)))
    _replace(file.settings.element, parse_xml(SETTINGS))
    for part in (file.part, file.part.package):
        for name in [name for name, relation in part.rels.items() if relation.reltype.rsplit("/", 1)[-1] in UNUSED]:
            del part.rels[name]
    title = title_of_report(report)
    several = [WordFormulas(one.reading, report.translate).text(title_of(one)) for one in report.chapters if len(report.chapters) > 1]
    pages = field("PAGE") + run("1") + FIELD_END + run(" / ") + field("NUMPAGES") + run("1") + FIELD_END
    for place, (section, head) in enumerate(zip(file.sections, (title, *several), strict=True)):
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(18)
        section.top_margin, section.bottom_margin = Mm(22), Mm(20)
        section.header_distance = section.footer_distance = Mm(12.5)
        section.different_first_page_header_footer = True
        section.header.is_linked_to_previous = False
        written: list[tuple[Any, str, str]] = [(section.header, run(head, chinese=report.language == "zh"), "Header")]
        if not place:  # the others have the footers of the first
            written += [(section.footer, pages, "Footer"), (section.first_page_footer, pages, "Footer")]
        for target, text, style in written:
            inside = parse_xml(paragraph(style, text).replace("<w:p>", f"<w:p {NAMESPACES}>", 1))
            target.paragraphs[0]._p.getparent().replace(target.paragraphs[0]._p, inside)
    _describe(file, title, report.language)


def _describe(file: Document, title: str, language: str) -> None:
    from datetime import datetime

    about = file.core_properties
    about.title, about.author, about.comments, about.last_modified_by = title[:255], "handcalc", "", ""
    about.language = {"zh": "zh-CN"}.get(language, "en-US")
    about.created = about.modified = datetime(2000, 1, 1)  # the same bytes every day
    about.revision = 1


def _replace(old: Any, new: Any) -> None:
    """The content of the root of a part by another's."""
    for element in list(old):
        old.remove(element)
    for element in list(new):
        old.append(element)


def _packed(stream: io.BytesIO) -> bytes:
    """The same archive without the time of day."""
    from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

    packed = io.BytesIO()
    with ZipFile(stream) as before, ZipFile(packed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = ZIP_DEFLATED, 3
            after.writestr(entry, before.read(name))
    return packed.getvalue()

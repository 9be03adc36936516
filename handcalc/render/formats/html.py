"""Blocks → one page: HTML with MathML and SVG, complete without scripts and without a network.

- `document(report)` is the file.

With scripts on (page/page.js), a panel beside the text has the drawing, goes through the lines one by one, explains any of them, and
shows other decimals. A long chapter is packed, and stands there in letters for whoever has no scripts (page/plain.py). Nothing is loaded:
styles, script and data are in the file, and its policy allows nothing else. Every text of a user's goes through `xml_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handcalc.disk.jsontext import json_text
from handcalc.errors import Message, printable
from handcalc.language import BilingualTemplate
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Picture, Table
from handcalc.render.diagram.typesetting import in_unicode
from handcalc.render.formats.common import drawn, title_of
from handcalc.render.formats.page.data import Interactive
from handcalc.render.formats.page.document import dense, page
from handcalc.render.formats.page.drawings import bare
from handcalc.render.formats.page.lean import packed
from handcalc.render.formats.page.live import controls
from handcalc.render.formats.page.mathml import PageFormulas
from handcalc.render.formats.page.plain import LONG, PlainFormulas, squeezed, unmarked
from handcalc.render.formats.page.sheet import SheetFields
from handcalc.render.formats.page.style import stylesheet
from handcalc.render.givens import rounding_note
from handcalc.render.items import Item
from handcalc.render.report import Chapter, Report
from handcalc.render.typeset import xml_text

if TYPE_CHECKING:
    from handcalc.render.diagram import Diagram

_BODY = """\
<a class="skip" href="#text">{skip}</a>
<header class="top">
{contents}<button type="button" class="theme" hidden>{theme}</button>
</header>
<main id="text">
{chapters}</main>"""
_PANEL = """\
<aside class="panel" aria-label="{label}" hidden>
<details class="stage" open hidden><summary>{drawing}</summary>
<div class="tools"><button type="button" class="smaller" aria-label="{smaller}" title="{smaller}">−</button>
<button type="button" class="larger" aria-label="{larger}" title="{larger}">+</button>
<button type="button" class="whole" aria-label="{whole}" title="{whole}">{corners}</button></div>
<div class="drawing"></div></details>
<div class="now" hidden><div class="formula"></div><p class="sentence" data-text="{sentence}"></p></div>
<p class="hint">{choose}</p>
<div class="controls">
<button type="button" class="previous" aria-label="{previous}" title="{previous} (←)">←</button>
<button type="button" class="next" aria-label="{next}" title="{next} (→)">→</button>
<button type="button" class="play" aria-pressed="false" aria-label="{play}" title="{play}">▶</button>
<label class="speed">{speed} <input type="range" min="1" max="9" value="4"></label>
<p class="status" role="status" data-text="{status}">{hint}</p>
<label class="decimals" hidden>{decimals} <input type="range" min="0" step="1" value="0">
<output data-text="{given}">{given}</output></label>
</div>
<section class="why" tabindex="-1" aria-label="{why}" hidden>
<button type="button" class="close" aria-label="{close}" title="{close} (Esc)">×</button>
<div class="reasons"></div>
</section>
{change}</aside>
"""

_CORNERS = (
    '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">'
    '<path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" fill="none" stroke="currentColor" stroke-width="1.7"></path></svg>'
)


def document(report: Report) -> str:
    """The whole page; several problems begin with a table of contents."""
    chapters = [Article(chapter, report, number) for number, chapter in enumerate(report.chapters, 1)]
    written = "".join(chapter.text() for chapter in chapters)
    several = len(chapters) > 1
    script = scripts(any(chapter.program for chapter in chapters), bool(report.fields))

    def say(text: Message) -> str:
        return xml_text(text.text(report.translate))

    links = [chapter.link() for chapter in chapters] if several else chapters[0].links
    title = say(Message("Worked solutions")) if several else chapters[0].title()
    contents = say(Message("Contents"))
    body = _BODY.format(
        skip=say(Message("Skip to the text")),
        contents=_contents(contents, links, several),
        theme=say(Message("Light or dark")),
        chapters=written,
    )
    classes = " ".join(dict.fromkeys(f"view-{chapter.style.view}" for chapter in report.chapters)) + (" several" if several else "")
    return page(report.language, title, stylesheet(), body, script, tuple(one.program for one in chapters if one.program), classes)


def scripts(live: bool, sheet: bool = False) -> str:
    """The script of a page; live: with what works numbers out again; sheet: with what checks those that are typed."""
    names = ["numbers.js"] * (live or sheet) + ["rounds.js", "maps.js", "live.js"] * live + ["sheet.js"] * sheet + ["page.js"]
    return "".join(map(dense, names))


def _contents(title: str, links: list[str], several: bool) -> str:
    """Links to the headings, or to the chapters."""
    if len(links) < 2:
        return ""
    heading = f"<h1>{title}</h1>\n" if several else ""
    items = "\n".join(f"<li>{link}</li>" for link in links)
    return f'<nav class="contents" aria-label="{title}">\n{heading}<ol>\n{items}\n</ol>\n</nav>\n'


def embedded(data: Any) -> str:
    """An object as JSON that cannot end the script it stands in."""
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json_text(data, separators=(",", ":")))


class Article:
    """One problem being written."""

    def __init__(self, chapter: Chapter, report: Report, number: int) -> None:
        self.chapter = chapter
        self.report = report
        self.number = number
        self.formulas = PageFormulas(chapter.reading, report.translate)
        self.translate = report.translate
        self.several = len(report.chapters) > 1
        self.prefix = f"{number}-" if self.several else ""
        self.anchor = f"problem-{number}"
        self.sheet = SheetFields(report.fields[number - 1], report.translate) if report.fields else None
        if self.sheet is not None:
            self.formulas.answer = self.sheet.answer
        self.name = report.name
        self.links: list[str] = []
        self.pictures: dict[int, Diagram] = {}
        self.windows: list[tuple[int, Diagram]] = []
        self.anchors: set[str] = set()
        self.examples: dict[str, str] = {}  # id of a step → its line, as one that only explanations show
        self.program = ""  # the script that works its numbers out
        self.depth = 0  # how many levels lower headings stand than the blocks say

    def title(self) -> str:
        """What the problem is called."""
        return xml_text(self.formulas.text(title_of(self.chapter)))

    def link(self) -> str:
        """The line in the contents of several problems."""
        return f'<a href="#{self.anchor}">{self.title()}</a>'

    def text(self) -> str:
        """The article: title, panel, blocks, and what the script needs."""
        blocks = list(self.chapter.blocks())
        before, text = self.parted(blocks)
        panel = after = program = ""
        if any(isinstance(block, Equation) and block.step for block in blocks) and self.chapter.view.formulas:
            interactive = Interactive(self.chapter, blocks, self.pictures, self.windows, self.translate)
            change = controls(interactive.program, interactive.plane, self.formulas, self.translate) if interactive.whole else ""
            panel = self.panel(change)
            hidden = packed(map(self.line, interactive.hidden), self.examples) if interactive.hidden else None
            data = interactive.data() | ({"hidden": hidden} if hidden else {})
            if interactive.program:
                self.program = f'(globalThis.programs ??= {{}})["{self.anchor}"] = {interactive.program.text};'
                program = f'<script class="program">{self.program}</script>\n'
            after = f'<script type="application/json" class="data">{embedded(data)}</script>\n'
        if self.sheet is not None and self.sheet.made:
            after += self.sheet.bar(self.name or self.anchor)
            after += f'<script type="application/json" class="answers">{embedded(self.sheet.data())}</script>\n'
        text = f'<div class="text">\n{text}\n</div>\n'
        if len(text.encode()) + len(after.encode()) > LONG:
            after = f'<script type="text/plain" class="packed">{squeezed(text + after)}</script>\n'
            text = f'<div class="text plain">\n{PlainArticle(self.chapter, self.report, self.number).inside(blocks)}\n</div>\n'
        header = f"<header>\n{before}\n</header>\n" if before else ""
        body = f'<div class="columns">\n{panel}{text}</div>\n{program}'
        running = f'<div class="running" aria-hidden="true"><p>{self.title()}</p></div>\n'  # the head of each page of paper
        return f'<article class="chapter" id="{self.anchor}">\n{running}{header}{body}{after}</article>\n'

    def parted(self, blocks: list[Block]) -> tuple[str, str]:
        """What stands above everything, the title and paragraphs, and the rest."""
        start = next((place for place, block in enumerate(blocks[1:], 1) if not isinstance(block, Paragraph)), len(blocks))
        start = start if blocks and isinstance(blocks[0], Heading) else 0
        before, text = ("\n".join(part for block in inside for part in self.block(block)) for inside in (blocks[:start], blocks[start:]))
        return before, text

    def panel(self, change: str) -> str:
        """What stands beside the text where scripts are on; change: where numbers are changed."""

        def say(text: Message) -> str:
            return xml_text(text.text(self.translate))

        return _PANEL.format(
            label=say(Message("Step by step")),
            drawing=say(Message("Drawing")),
            previous=say(Message("Previous line")),
            next=say(Message("Next line")),
            status=say(Message("Line {number} of {count}", number="{number}", count="{count}")),
            hint=say(Message("← and → go from line to line.")),
            choose=say(Message("Choose a line or a part of the drawing to see where it comes from.")),
            decimals=say(Message("Decimals")),
            given=say(Message("as given")),
            why=say(Message("Where it comes from")),
            close=say(Message("Close")),
            smaller=say(Message("Smaller")),
            larger=say(Message("Larger")),
            corners=_CORNERS,
            whole=say(Message("Full screen")),
            play=say(Message("Go on by itself")),
            speed=say(Message("Speed")),
            sentence=say(Message("{name} depends on {names}.", name="{name}", names="{names}")),
            change=change,
        )

    # --- blocks ---

    def block(self, block: Block) -> Iterator[str]:
        """The text of a block."""
        match block:
            case Heading(level, text):
                yield self.heading(level, text)
            case Paragraph(text):
                yield f"<p{self.note(text)}>{self.formulas.words(text)}</p>"
            case Equation():
                yield self.line(block, True)
            case Grid():
                yield f'<div class="line grid">{self.formulas.grid(block)}</div>'
            case Table():
                yield from self.formulas.tables(block)
            case Picture():
                yield from self.picture(block)

    def heading(self, level: int, text: Item) -> str:
        """A heading; the first is the title, further ones of its level are rounds, one level lower like all that follows."""
        first = not self.anchors
        if level == 1 and not first:
            self.depth = 1
        words = self.formulas.words(text)
        anchor = self.anchored("title" if first else f"section-{len(self.links) + 1}")
        if not first and level <= 2:
            self.links.append(f'<a class="level-{level}" href="#{anchor}">{words}</a>')
        tag = f"h{min(level + self.depth + self.several, 6)}"
        return f'<{tag} class="level-{level}" id="{anchor}">{words}</{tag}>'

    def note(self, text: Item) -> str:
        """The sentence about rounding is marked, which follows the choice of decimals; so is what the problem tells."""
        if isinstance(text, BilingualTemplate):
            return ' class="told"'
        note = rounding_note(self.chapter.derivation)
        same = isinstance(text, Message) and text.template == note.template
        return ' class="rounding"' if same else ""

    def line(self, block: Equation, numbered: bool = False) -> str:
        """An equation; a worked line has the id of its step, and its number leads to itself."""
        if not block.step:
            kind = "worked" if block.indent else "general"
            return f'<div class="line {kind}">{self.formulas.line(block)}</div>'
        step = self.chapter.derivation.step_id(*block.step)
        kind = "worked" if numbered or len(block.right) > 1 else "given"
        attributes, inside = f'class="line {kind} step" data-step="{xml_text(step)}"', self.formulas.line(block)
        if not numbered:
            return f"<div {attributes}>{inside}</div>"
        self.examples.setdefault(printable(step), f"<div {attributes}>{inside}</div>")
        anchor = self.anchored(step)
        number = f'<a class="place" href="#{anchor}">({block.number})</a> ' if block.number else ""
        return f'<div {attributes} id="{anchor}">{number}{inside}</div>'

    def anchored(self, name: str) -> str:
        """An id of the page that nothing else has."""
        wanted = self.prefix + re.sub(r"\s", "_", xml_text(name))
        found, count = wanted, 1
        while found in self.anchors:
            count += 1
            found = f"{wanted}-{count}"
        self.anchors.add(found)
        return found

    def picture(self, block: Picture) -> Iterator[str]:
        """The drawing; the one with most in it is the one of the panel."""
        diagram = drawn(block, self.chapter.reading)
        if diagram is None:
            return
        from handcalc.render.diagram.svg import svg

        if block.window is not None:
            self.windows.append((block.iteration, diagram))
            yield f'<figure class="window">\n{bare(svg(diagram, self.chapter.reading, self.translate))}</figure>'
            return
        self.pictures[block.iteration] = diagram
        drawing = bare(svg(diagram, self.chapter.reading, self.translate))
        yield f'<figure class="drawing" data-iteration="{block.iteration}">\n{drawing}</figure>'


class PlainArticle(Article):
    """The text of one problem in letters, its parts without what only the script reads."""

    def __init__(self, chapter: Chapter, report: Report, number: int) -> None:
        super().__init__(chapter, report, number)
        self.formulas = PlainFormulas(in_unicode(chapter.reading), report.translate)

    def inside(self, blocks: list[Block]) -> str:
        """The text; of the drawings of an iteration, the one with most in it."""
        last = {block.iteration: block for block in blocks if isinstance(block, Picture) and block.window is None}
        kept = [block for block in blocks if not isinstance(block, Picture) or block.window is not None or block is last[block.iteration]]
        return unmarked(self.parted(kept)[1])

    def line(self, block: Equation, numbered: bool = False) -> str:
        """An equation with its number."""
        kind = "worked" if block.step or block.indent else "general"
        number = f"({block.number}) " if block.number else ""
        return f'<div class="line {kind}">{number}{self.formulas.line(block)}</div>'

"""Blocks → slides: a page of HTML with one step a slide, its drawing above it, for a class to follow.

- `document(report)` is the file; it loads nothing, and is complete without scripts, one slide below the other.

A drawing is in the file once. Every slide shows it as far as its numbers are known then, which rules of the style say: `--k` is the number
of a slide, and a number is seen from the slide on that works it out. Parts that a step is about are shown once more, lit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Picture, Table
from handcalc.render.formats.html import Article
from handcalc.render.formats.page import asset
from handcalc.render.formats.page.data import Interactive, values_in
from handcalc.render.formats.page.document import dense, page
from handcalc.render.formats.page.style import stylesheet
from handcalc.render.report import Chapter, Report
from handcalc.render.typeset import xml_text

MOST = 9  # formulas and sentences of one slide
ROWS = 12  # of a table on one slide
_PART = re.compile(r'(<g class="[^"]*") data-step="([^"]*)"(>.*?</g>)', re.DOTALL)
_NUMBER = re.compile(r' data-cell="([^"]*)"')
_FRAME = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_MOVED = re.compile(r'<g text-anchor="middle"[^>]*?( transform="[^"]*")')


class Slide(Record):
    """One slide. head: the part of the solution it belongs to; blocks: what stands on it; step: what it works out, and in which
    iteration; title: the first slide of a problem."""

    head: tuple[Heading, ...]
    blocks: tuple[Block, ...]
    step: tuple[Any, int] | None = None
    title: bool = False


def document(report: Report) -> str:
    """The slides of all problems."""
    decks = [Deck(chapter, report, number) for number, chapter in enumerate(report.chapters, 1)]
    slides, count = [], 1
    for deck in decks:
        slides.append(deck.text(count))
        count += len(deck.slides)
    style = stylesheet() + asset("slides.css") + "".join(rule for deck in decks for rule in deck.rules)
    style += "".join(f"#s{number}{{--k:{number}}}" for number in range(1, count))
    title = decks[0].article.title() if len(decks) == 1 else xml_text(Message("Worked solutions").text(report.translate))
    return page(report.language, title, style, "<main>\n" + "\n".join(slides) + "\n</main>", dense("slides.js"))


def parted(blocks: list[Block]) -> Iterator[Slide]:
    """Blocks as slides: a step, a table or a matrix equation each, with the sentences and the general formula before it."""
    start = next((place for place, block in enumerate(blocks[1:], 1) if not isinstance(block, Paragraph)), len(blocks))
    yield Slide((), tuple(blocks[:start]), title=True)
    head: tuple[Heading, ...] = ()
    before: list[Block] = []
    general: tuple[str, tuple[Block, ...]] = "", ()  # a quantity, and its general formula
    for block in blocks[start:]:
        match block:
            case Picture(window=None):
                pass
            case Heading(level):
                within = tuple(one for one in head if one.level < level)
                if before and within != head:  # a sentence above all parts stands with the first of them
                    yield Slide(head, tuple(before))
                    before = []
                head = *within, block
            case Equation(step=None) | Paragraph():
                before.append(block)
                if len(before) == MOST:
                    yield Slide(head, tuple(before))
                    before = []
            case Equation(step=(cell, iteration)):
                if before:
                    general = cell[0], tuple(one for one in before if isinstance(one, Equation))
                elif general[0] == cell[0]:
                    before = [*general[1]]
                yield Slide(head, (*before, block), (cell, iteration))
                before = []
            case Table(rows=rows) if len(rows) > ROWS:
                for start in range(0, len(rows), ROWS):
                    last = start + ROWS >= len(rows)
                    part = block.replace(rows=rows[start : start + ROWS], omitted=block.omitted if last else 0, hidden=block.hidden * last)
                    yield Slide(head, (*before, part))
                    before = []
            case _:
                yield Slide(head, (*before, block))
                before = []
    if before:
        yield Slide(head, tuple(before))


class Deck:
    """The slides of one problem."""

    def __init__(self, chapter: Chapter, report: Report, number: int) -> None:
        self.chapter = chapter
        self.translate = report.translate
        self.article = _OnSlides(chapter, report, number)
        self.number = number
        self.blocks = list(chapter.blocks())
        self.slides = list(parted(self.blocks))
        self.rules: list[str] = []

    def text(self, first: int) -> str:
        """The slides, the first with this number, and the drawings that they show."""
        pictures = [block for block in self.blocks if isinstance(block, Picture) and block.window is None]
        drawings = {block.iteration: "".join(self.article.picture(block)) for block in pictures}
        data = Interactive(self.chapter, self.blocks, self.article.pictures, self.article.windows, self.translate).data()
        ids = data["ids"]
        known = self._known(first)
        frames = {iteration: _Frame(f"d{self.number}-{iteration}", drawing, known) for iteration, drawing in drawings.items() if drawing}
        self.rules = [rule for frame in frames.values() for rule in frame.rules]
        elements = {ids[int(step)]: ids[element] for step, element in data["elements"].items()}
        uses = {ids[int(step)]: [ids[one] for one in used] for step, used in data["uses"].items()}
        last = len(self.slides) + first - 1
        written = [frame.store for frame in frames.values()]
        for number, slide in enumerate(self.slides, first):
            frame = frames.get(slide.step[1] if slide.step else 1) if slide.title or slide.step else None
            step = self.chapter.derivation.step_id(*slide.step) if slide.step else ""
            used = [elements[one] for one in uses.get(step, ()) if one in elements]
            drawing = frame.shown(elements.get(step, ""), used) if frame else ""
            written.append(self.slide(slide, number, last, drawing))
        return "\n".join(written)

    def _known(self, first: int) -> dict[str, int]:
        """Id of a step → the first slide that shows its number; what is drawn only is there with the last of its quantity, and what is
        given from the start."""
        found: dict[str, int] = {}
        last: dict[tuple[str, int], int] = {}
        name = self.chapter.derivation.step_id
        for number, slide in enumerate(self.slides, first):
            tables = [place for block in slide.blocks if isinstance(block, (Table, Grid)) for place in values_in(block)]
            for cell, iteration in [slide.step] if slide.step else tables:
                if self.chapter.derivation.graph[cell[0]].definition is None:
                    continue
                found.setdefault(name(cell, iteration), number)
                last[cell[0], iteration] = number
        for iteration, picture in self.article.pictures.items():
            for cell in picture.written:
                if (place := last.get((cell[0], iteration))) is not None:
                    found.setdefault(name(cell, iteration), place)
        return found

    def slide(self, slide: Slide, number: int, last: int, drawing: str) -> str:
        """One slide."""
        inside = "\n".join(part for block in slide.blocks for part in self.article.block(block))
        parts = [self.article.title(), *(self.article.formulas.words(one.text) for one in slide.head)]
        head = "" if slide.title else f"<h2>{' · '.join(parts)}</h2> "
        kind = "title" if slide.title else "step" if slide.step else "text"
        place = f"{number} / {last}"
        return (
            f'<section class="slide {kind}" id="s{number}" aria-label="{place}"><header>{head}<span>{place}</span></header>\n'
            f'{drawing}<div class="what">\n{inside}\n</div></section>'
        )


class _Frame:
    """A drawing of slides. store: the element that has it; known: id of a step → the slide that works it out."""

    def __init__(self, name: str, figure: str, known: dict[str, int]) -> None:
        self.name = name
        self.parts: dict[str, list[int]] = {}
        self.rules: list[str] = []
        drawing = re.sub(r"<title>.*?</title>\n?", "", figure[figure.index("<svg") : figure.rindex("</svg>") + 6])
        label = re.search(r'aria-label="([^"]*)"', drawing)
        self.label = label[1] if label else ""
        size = _FRAME.search(drawing)
        assert size is not None
        self.frame = size[0]
        moved = _MOVED.search(drawing)
        self.moved = moved[1] if moved else ""
        seen: set[int] = set()

        def number(found: re.Match[str]) -> str:
            place = known.get(found[1], 0)
            if place and place not in seen:
                seen.add(place)
                self.rules.append(f'[data-n="{place}"]{{fill-opacity:calc(var(--k) - {place - 1})}}')
            return f' data-n="{place}"' if place else ""

        drawing = _PART.sub(self._part, _NUMBER.sub(number, drawing)).replace("<svg ", f'<svg id="{name}" ', 1)
        drawing = re.sub(r' (?:role|aria-label)="[^"]*"', "", drawing)
        self.store = f'<svg class="store" width="0" height="0" aria-hidden="true">{drawing}</svg>'

    def _part(self, found: re.Match[str]) -> str:
        number = sum(map(len, self.parts.values())) + 1
        self.parts.setdefault(found[2], []).append(number)
        return f'<svg class="handcalc-diagram part" id="{self.name}-{number}">{found[1]}{found[3]}</svg>'

    def shown(self, own: str, used: list[str]) -> str:
        """The drawing with parts lit: own, of the step itself, and used, what it is made from."""
        lit = {number: "used" for step in used for number in self.parts.get(xml_text(step), ())}
        lit |= dict.fromkeys(self.parts.get(xml_text(own), ()), "own")
        over = "".join(f'<use href="#{self.name}-{number}" class="{kind}"/>' for number, kind in sorted(lit.items()))
        dim = ' class="dim"' if lit else ""
        return (
            f'<svg class="drawing handcalc-diagram" role="img" aria-label="{self.label}" {self.frame}><use href="#{self.name}"{dim}/>'
            f'<g class="over"{self.moved}>{over}</g></svg>\n'
        )


class _OnSlides(Article):
    """Writes blocks as on the page, without places to go to."""

    def heading(self, level: int, text: Any) -> str:
        return f"<h1>{self.formulas.words(text)}</h1>"

    def line(self, block: Equation, numbered: bool = False) -> str:
        kind = "step" if block.step else "general"
        number = f'<span class="place">({block.number})</span> ' if block.number else ""
        return f'<div class="line {kind}">{number}{self.formulas.line(block)}</div>'

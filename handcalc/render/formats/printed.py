"""What the formats for paper have in common: titles, and levels of headings as in an outline.

- `title_of_report(report)` is what a file is called; `picture_name(reading, picture)` says what a drawing shows.
- `levelled(chapter)` are its blocks; the title, and nothing else, is a heading of level 1; `without_repetition(chapter)` are those for
  paper.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.errors import Message, printable
from handcalc.render.blocks import Block, Heading, Picture
from handcalc.render.diagram.svg import drawing_name
from handcalc.render.formats.common import title_of
from handcalc.render.items import spell
from handcalc.render.reading import Reading
from handcalc.render.report import Chapter, Report


def title_of_report(report: Report) -> str:
    """The title of the problem; of several, what they are."""
    if len(report.chapters) == 1:
        chapter = report.chapters[0]
        return printable(spell(title_of(chapter), chapter.reading, report.translate))
    key = not any(chapter.view.asks for chapter in report.chapters)
    return (Message("Worked solutions") if key else Message("Worksheets")).text(report.translate)


def picture_name(reading: Reading, picture: Picture) -> Message:
    """What a drawing shows."""
    return drawing_name(reading, picture.window)


def levelled(chapter: Chapter) -> Iterator[Block]:
    """The blocks after the title; where there are iterations, everything in them is one level deeper."""
    title = Heading(1, title_of(chapter))
    yield title
    deeper = 0
    for place, block in enumerate(chapter.blocks()):
        if isinstance(block, Heading):
            if place == 0 and block == title:
                continue
            deeper = deeper or int(block.level == 1)
            block = block.replace(level=block.level + deeper)
        yield block


def without_repetition(chapter: Chapter) -> Iterator[Block]:
    """The same; the drawing with all numbers, which the lines have, is left out unless everything is wanted."""
    return (block for block in levelled(chapter) if not is_repetition(block, chapter))


def is_repetition(block: Block, chapter: Chapter) -> bool:
    """Whether it is a drawing of numbers that the lines have, and not everything is wanted."""
    return isinstance(block, Picture) and block.values and block.window is None and chapter.style.detail != "full"

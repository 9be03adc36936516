"""A long page: what it is with scripts is packed, and stands before that in letters, as on a terminal.

- `PlainFormulas(reading, translate)` spells formulas, matrices and tables in letters; the reading must be in the dialect UNICODE.
- `unmarked(text)` is HTML without what only the script reads; `squeezed(text)` is packed text, which page.js unpacks.
"""

from __future__ import annotations

import re
from base64 import b64encode
from io import StringIO

from handcalc.language import Translate
from handcalc.render.blocks import Equation, Grid
from handcalc.render.formats.page.mathml import PageFormulas
from handcalc.render.formats.terminal import show
from handcalc.render.formats.textpage import FILE_WIDTH, TextPage
from handcalc.render.items import Item
from handcalc.render.reading import Reading
from handcalc.render.typeset import xml_text

LONG = 270_000  # bytes of a chapter that is packed: with style, scripts and font, a page of 400,000 has room for it
_MARKS = re.compile(r' data-(?:step|cell)="[^"]*"')
_BARE = re.compile(r"<tspan>([^<]*)</tspan>")
_QUOTED = re.compile(r'(?<=[a-z])="([\w.#-]+)"(?=[ >])')
_GROUP = re.compile(r'<g class="(?:edge|link)">((?:<path[^>]*/>)*)</g>')


class PlainFormulas(PageFormulas):
    """Spells what stands in a page in letters."""

    def __init__(self, reading: Reading, translate: Translate) -> None:
        self.reading = reading
        self.translate = translate

    def name(self, item: Item | str) -> str:
        """An item as a formula of its own."""
        return xml_text(self.text(item))

    def line(self, block: Equation) -> str:
        """label, left side, and the right sides, one after the other."""
        label = f'<span class="label">{self.words(block.label)}</span> ' if block.label else ""
        right = dict.fromkeys(f" {relation} {self.text(item)}" for relation, item in block.right)
        return label + xml_text(self.text(block.left) + "".join(right))

    def grid(self, block: Grid) -> str:
        """A matrix equation, its rows below one another."""
        written = StringIO()
        show([block], self.reading, self.translate, TextPage(written, FILE_WIDTH))
        return f"<pre>{xml_text(written.getvalue())}</pre>"


def unmarked(text: str) -> str:
    """HTML without the ids of steps in drawings, and without quotes where there is nothing to be quoted."""
    return _QUOTED.sub(r"=\1", _GROUP.sub(r"\1", _BARE.sub(r"\1", _MARKS.sub("", text))))


def squeezed(text: str) -> str:
    """A text packed by zlib, in letters."""
    import zlib

    return b64encode(zlib.compress(text.encode(), 9)).decode()

"""Blocks → formulas of Word (OMML). The reading must be in the dialect OMML.

- `WordFormulas(reading, translate, lines)`: the pieces of an `equation(block)` or a `grid(parts)`, from relation to
  relation, and more of a long sum; `number(item)`, a number as plain text. lines: a blank at the end is a line to write on.
- `maths(piece)`: one piece as a formula in a line of text. A line may break between two of them, never inside of one.
- `linear(formula)`: without high fractions; `width(formula)`: how many letters wide it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from unicodedata import east_asian_width

from handcalc.language import Translate
from handcalc.render.blocks import Equation, GridPart, Rows
from handcalc.render.dialects import UNICODE
from handcalc.render.formats.common import Formulas
from handcalc.render.items import Blank, Item, spell
from handcalc.render.reading import Reading
from handcalc.render.typeset import OMML, xml_text

PIECE_WIDTH = 60  # letters of a formula beside each other

_SIZE, _SMALLEST = 21, 10  # half points: of the text, and the smallest that can be read
_UPRIGHT_T = OMML.plus.replace("+", "T")
_TERMS = ("+", "-", "·", "⊙")  # what a piece of a matrix equation may begin with
_OPEN, _CLOSE = OMML.brackets.split("{x}")
_TALL_OPEN, _TALL_CLOSE = OMML.tall.split("{x}")
_NOTHING = OMML.separator.replace(", ", "\u200b")  # what a piece begins with, so that its sign has two sides
_GAP = OMML.separator.replace(", ", "\u2003")
_MATRIX = re.compile(r"<m:m>.*?</m:m>")
_ELEMENTS = re.compile(r"<(/?)m:[^<>]*?(/?)>")


class WordFormulas(Formulas):
    """Spells items, equations and matrices as OMML."""

    def __init__(self, reading: Reading, translate: Translate, lines: bool = False) -> None:
        super().__init__(reading, translate)
        self.lines = lines
        self.plain = Reading(reading.derivation, reading.notation, UNICODE, reading.comma, reading.longest)

    def number(self, item: Item) -> str:
        """A number, or a gap for one, as text."""
        return "_" * 10 if isinstance(item, Blank) else spell(item, self.plain, self.translate).replace("-", "−")

    def equation(self, block: Equation) -> list[str]:
        """label left, = right, = right …; where the last is a blank, its sign alone."""
        left, right = self.sides(block)
        label = self.formula(block.label) + _GAP if block.label else ""
        if right and isinstance(block.right[-1][1], Blank) and self.lines:
            right[-1] = (right[-1][0], _NOTHING)
        found = [label + left]
        for relation, text in right:
            first, *others = pieces(text)
            found += [_NOTHING + _sign(relation) + first, *(_NOTHING + other for other in others)]
        return found

    def grid(self, parts: tuple[GridPart, ...]) -> list[str]:
        """The same for a matrix equation."""
        found = [""]
        for sign, text in self._atoms(iter(parts)):
            if found[-1] and (sign in ("=", "≈") or (sign in _TERMS and len(found) > 1)):
                found.append(_NOTHING)
            found[-1] += text
        return found

    def _atoms(self, parts: Iterator[GridPart]) -> Iterator[tuple[str, str]]:
        """Operators with their sign, and operands, up to the bracket that closes."""
        waiting = ""  # an operand that may get a power
        for part in parts:
            power = "T" if part == "ᵀ" else next(parts) if part == "^" else None
            if power is not None:
                raised = OMML.brackets.format(x=waiting) if waiting.startswith("<m:f>") else waiting
                text = _UPRIGHT_T if power == "T" else self._operand(power)
                waiting = OMML.power.format(a=raised, b=text)
                continue
            if waiting:
                yield "", waiting
            waiting = ""
            if part == ")":
                return
            if part == "(":
                waiting = OMML.tall.format(x="".join(text for _, text in self._atoms(parts)))
            elif isinstance(part, str):
                yield part, _sign(part)
            else:
                waiting = self._operand(part)
        if waiting:
            yield "", waiting

    def _operand(self, part: GridPart) -> str:
        return self._matrix(part) if isinstance(part, tuple) else self.formula(part)

    def _matrix(self, rows: Rows) -> str:
        columns = f'<m:mcs><m:mc><m:mcPr><m:count m:val="{len(rows[0])}"/><m:mcJc m:val="center"/></m:mcPr></m:mc></m:mcs>'
        inside = "".join("<m:mr>" + "".join(f"<m:e>{self.formula(item)}</m:e>" for item in row) + "</m:mr>" for row in rows)
        brackets = '<m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr>'
        return f"<m:d>{brackets}<m:e><m:m><m:mPr>{columns}</m:mPr>{inside}</m:m></m:e></m:d>"


def maths(piece: str) -> str:
    """A piece as a formula in a line of text."""
    return f"<m:oMath>{piece}</m:oMath>"


def smaller(piece: str, letters: int) -> str:
    """A piece that is wider than so many letters, in type that makes it fit."""
    matrices = [re.findall(r"<m:mr>.*?</m:mr>", matrix) for matrix in _MATRIX.findall(piece)]
    needed = sum(max(width(row) + row.count("<m:e>") for row in rows) for rows in matrices)
    needed += width(_MATRIX.sub("", piece)) if matrices else 0
    if needed <= letters:
        return piece
    size = max(_SMALLEST, _SIZE * letters // needed)
    return re.sub("<m:t(?=[ >])", f'<w:rPr><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr><m:t', piece)


def linear(formula: str) -> str:
    """The same with fractions on one line, for a table."""
    return formula.replace("<m:f>", '<m:f><m:fPr><m:type m:val="lin"/></m:fPr>')


def _sign(sign: str) -> str:
    return OMML.plus.replace("+", xml_text("−" if sign == "-" else sign))


# --- pieces -----------------------------------------------------------------------------------------------------------


def width(formula: str) -> int:
    """About how many letters wide a formula is."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in unescape(re.sub("<[^<>]*>", "", formula)))


def pieces(formula: str) -> list[str]:
    """A formula in parts: in one where it is short, else each but the first from a + or −, also inside brackets if need be."""
    found = [formula]
    for depth in range(4):
        if all(width(piece) <= PIECE_WIDTH for piece in found):
            break
        found = _cut(list(_opened(formula, depth)), depth)
    return found


def _cut(elements: list[str], depth: int) -> list[str]:
    """Elements joined to pieces that begin with a + or − in no more brackets than this."""
    found = [""]
    brackets = 0
    for element in elements:
        brackets += (element == _OPEN) - (element == _CLOSE)
        if found[-1] and element in (OMML.plus, OMML.minus) and brackets <= depth:
            found.append("")
        found[-1] += element
    return found


def _opened(formula: str, depth: int) -> Iterator[str]:
    """The elements of a formula; a wide one in tall brackets is parted into small brackets and what is in them."""
    for element in _elements(formula):
        if depth and element.startswith(_TALL_OPEN) and width(element) > PIECE_WIDTH:
            yield _OPEN
            yield from _opened(element.removeprefix(_TALL_OPEN).removesuffix(_TALL_CLOSE), depth - 1)
            yield _CLOSE
        else:
            yield element


def _elements(formula: str) -> Iterator[str]:
    depth = start = 0
    for tag in _ELEMENTS.finditer(formula):
        depth += 0 if tag[2] else -1 if tag[1] else 1
        if not depth:
            yield formula[start : tag.end()]
            start = tag.end()

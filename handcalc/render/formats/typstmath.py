r"""Blocks → formulas of Typst, as arguments of the functions in style.typ. The reading must be in the dialect TYPST.

- `TypstFormulas(reading, translate, lines)`: the arguments for an `equation(block)` and for a `grid(parts)`; `content(item)`
  is an item between words, `aligned(item)` one in a column of numbers. lines: a blank at the end is a line to write on.
- `pieces(formula)`: a formula in parts that can stand on lines of their own. `literal`, `string`: texts as strings of Typst.

Every formula comes with the text that is read aloud in its place: the same formula in Unicode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.render.blocks import Equation, GridPart, Rows
from handcalc.render.dialects import UNICODE
from handcalc.render.formats.common import Formulas, is_text
from handcalc.render.items import Blank, Item, Toned, phrase, spell
from handcalc.render.reading import Reading
from handcalc.render.typeset import typst_text

PIECE_WIDTH = 60  # letters of a formula beside each other
LONGEST_WORD = 40  # letters of a word that is not parted

_OPERATORS = {"≈": "approx", "·": "dot.op", "⊙": "dot.o", "⋆": "star.op", "∗": "ast.op", "−": "-", "/": "slash"}
_TERMS = ("+", "-", "·", "⊙")  # what a line of a matrix equation may begin with
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|(?<=[A-Za-z_^])\(|\(|\)| (?=[+-] )| (?=dot\.op )', re.DOTALL)
_FORM = re.compile(r'class\("normal", |\b(?:d?frac|sqrt|abs|lr|dot\.op|times)\b|(?:width|height|stroke|size): |[_^(){}\s"\\]')


def literal(text: str) -> str:
    """A text that means itself, as a string of Typst; a very long word may be parted."""
    escaped = re.sub(rf"((?:[^\s\\]|\\.){{{LONGEST_WORD}}})(?=\S)", "\\1\u200b", typst_text(text))
    return f'"{escaped}"'


def string(text: str) -> str:
    """A text of several lines as a string of Typst; it must be free of control characters."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class TypstFormulas(Formulas):
    """Spells items, equations and matrices in Typst."""

    def __init__(self, reading: Reading, translate: Translate, lines: bool = False) -> None:
        super().__init__(reading, translate)
        self.spoken = Reading(reading.derivation, reading.notation, UNICODE, reading.comma, reading.longest)
        self.lines = lines

    def content(self, item: Item) -> str:
        """An item between words: strings and formulas."""
        if isinstance(item, Toned):
            return f"toned({literal(item.tone)}, {self.content(item.text)})"
        if isinstance(item, Message):
            pieces = phrase(item, self.translate)
            return " + ".join(literal(piece) if isinstance(piece, str) else self.content(piece) for piece in pieces) or literal("")
        if is_text(item):
            return literal(self.text(item))
        return f"m({self._aloud(item)}, ${self.formula(item)}$)"

    def aligned(self, item: Item) -> str:
        """An item in a column of numbers: (formula, what stands before its point)."""
        if isinstance(item, Blank):
            return "gap"
        before = re.split(r'\.|","| times ', self.formula(item), maxsplit=1)[0]
        return f"({self.content(item)}, ${before if '(' not in before else self.formula(item)}$)"

    def equation(self, block: Equation) -> str:
        """Arguments: what is read aloud, the left side, and each part from its relation on, in pieces."""
        left, right = self.sides(block)
        label = self.formula(block.label) + " quad " if block.label else ""
        spoken = [block.label or "", block.left, *(part for relation, item in block.right for part in (relation, item))]
        last = block.right[-1][1] if block.right else None
        numbers = last.numbers if isinstance(last, Blank) and self.lines else 0
        parts = [(relation, pieces(text)) for relation, text in right]
        return ", ".join([self._aloud(*spoken), f"${label}{left}$", *_arguments(parts, numbers)])

    def grid(self, parts: tuple[GridPart, ...]) -> str:
        """The same arguments for a matrix equation."""
        sides: list[tuple[str, list[str]]] = [("", [""])]
        depth = 0
        for place, part in enumerate(parts):
            if isinstance(part, str) and part in ("=", "≈") and not depth:
                sides.append((part, [""]))
                continue
            depth += (part == "(") - (part == ")")
            inside = sides[-1][1]
            if isinstance(part, str) and part in _TERMS and not depth and inside[-1] and len(sides) > 1:
                inside.append("")
            power = place + 1 < len(parts) and parts[place + 1] in ("ᵀ", "^")
            inside[-1] += self._part(part, power)
        spoken = [self._aloud_part(part) for part in parts]
        return ", ".join([literal(" ".join(spoken)), f"${sides[0][1][0].strip()}$", *_arguments(sides[1:], 0)])

    def _part(self, part: GridPart, power: bool) -> str:
        match part:
            case "ᵀ":
                return '^upright("T")'
            case str():
                return part if part in ("^", "(", ")") else f" {_OPERATORS.get(part, part)} "
            case tuple():
                text = self._matrix(part)
            case _:
                text = self.formula(part)
        if power and "frac(" in text and isinstance(part, Record):
            text = f"({text})"
        return f'class("normal", {text})' if power else text

    def _matrix(self, rows: Rows) -> str:
        inside = "; ".join(", ".join(map(self.formula, row)) for row in rows)
        return f'mat(delim: "[", {inside})'

    def _aloud(self, *items: Item | str) -> str:
        return literal(" ".join(filter(None, (spell(item, self.spoken, self.translate) for item in items))))

    def _aloud_part(self, part: GridPart) -> str:
        if not isinstance(part, tuple):
            return spell(part, self.spoken, self.translate)
        return "[" + "; ".join(", ".join(spell(item, self.spoken, self.translate) for item in row) for row in part) + "]"


def _arguments(parts: list[tuple[str, list[str]]], numbers: int) -> list[str]:
    """Each part as an array of formulas, the first with its relation; numbers: the last is a line to write so many on, if any."""
    found = []
    for place, (relation, (first, *others)) in enumerate(parts, 1):
        sign = _OPERATORS.get(relation, relation)
        if numbers and place == len(parts):
            found.append(f"(${sign}$, {numbers},)")
        else:
            found.append("(" + "".join(f"${piece.strip()}$, " for piece in (f"{sign} {first}", *others)).strip() + ")")
    return found


# --- pieces -----------------------------------------------------------------------------------------------------------


def width(formula: str) -> int:
    """About how many letters wide a formula is."""
    return len(_FORM.sub("", formula))


def pieces(formula: str) -> list[str]:
    """A formula in parts: each but the first from a + or − outside brackets; what is too wide then, from · and inside brackets."""
    ranked = list(_breaks(formula))
    cuts = [0, len(formula)]
    for rank in range(6):
        for start, end in list(pairwise(cuts)):
            if rank == 0 or width(formula[start:end]) > PIECE_WIDTH:
                cuts += [place for place, found in ranked if found == rank and start < place < end]
        cuts.sort()
    return [_balanced(formula[start:end].strip()) for start, end in pairwise(cuts)]


def _breaks(formula: str) -> Iterator[tuple[int, int]]:
    """The places before + and − (rank 0, in brackets 2, 4) and before · (rank 1, 3, 5); none inside a fraction or an index."""
    brackets: list[bool] = []  # of a function of Typst?
    for token in _TOKENS.finditer(formula):
        if token[0] == "(":
            brackets.append(token.start() > 0 and bool(re.match("[A-Za-z_^]", formula[token.start() - 1])))
        elif token[0] == ")":
            brackets.pop()
        elif token[0] == " " and not any(brackets):
            yield token.start(), 2 * len(brackets) + (formula[token.end()] == "d")


def _balanced(piece: str) -> str:
    """A piece in which a bracket whose other half is elsewhere is only a letter."""
    waiting: list[int] = []
    alone: set[int] = set()
    for token in _TOKENS.finditer(piece):
        if token[0] == "(":
            waiting.append(token.start())
        elif token[0] == ")":
            if waiting:
                waiting.pop()
            else:
                alone.add(token.start())
    alone.update(waiting)
    return "".join("\\" * (place in alone) + letter for place, letter in enumerate(piece))

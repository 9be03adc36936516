"""Blocks → formulas of LaTeX, for every exporter that writes such formulas. The reading must be in the dialect LATEX.

- `LatexFormulas(reading, translate)`: the lines of an `equation(block)` or of a `grid(parts)`.

A formula of one line stands as it is; of several, each line has an & before its relation, as in align* and aligned.
A line too wide for a page is broken before a + or − that as few brackets as can be enclose, and what is still too wide before a factor,
else behind a comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.render.blocks import Equation, GridPart, Rows
from handcalc.render.formats.common import Formulas
from handcalc.render.items import Item, phrase
from handcalc.render.reading import Reading

LINE_WIDTH = 58  # letters of a formula beside each other

_OPERATORS = {
    "=": " = ", "≈": r" \approx ", "+": " + ", "-": " - ", "−": "-", "·": r" \cdot ", "⊙": r" \odot ", "⋆": r" \star ",
    "∗": r" \ast ", "/": " / ", ",": ", ",
    "→": r" \to ", "(": r"\left(", ")": r"\right)", "ᵀ": r"^{\mathsf{T}}",
}  # fmt: skip
_TOKENS = re.compile(r"\\left|\\right|\\[A-Za-z]+|\\.|[{}()\[\]]| (?=(?:[+-]|\\cdot) )|(?<=,) ", re.DOTALL)
_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_FRACTION = re.compile(r"\\frac" + _GROUP + _GROUP)
_ACCENT = re.compile(r"\\(hat|bar|tilde|dot|vec|overline)\b")
_BLANK = re.compile(r"\\underline\{\\hspace\{(\d+)em\}\}")
_STEPS = {"{": 1, "}": -1, "(": 1, "[": 1, ")": -1, "]": -1, "\\left": 9, "\\right": -9}


def width(formula: str) -> int:
    """About how many letters wide a formula is; a fraction is as wide as its wider part, a blank as its length."""
    formula = _BLANK.sub(lambda found: "a" * (2 * int(found[1])), formula)
    formula = _FRACTION.sub(lambda found: "a" * max(width(found[1]), width(found[2])), formula)
    return len(re.sub(r"\\(left|right|mathrm|text|frac|operatorname)\b|\\([A-Za-z])[A-Za-z]*|[{}_^ \\]", r"\2", formula))


class LatexFormulas(Formulas):
    """Spells items, equations and matrices in LaTeX, in lines of about so many letters."""

    def __init__(self, reading: Reading, translate: Translate, line_width: int = LINE_WIDTH) -> None:
        super().__init__(reading, translate)
        self.line_width = line_width

    def equation(self, block: Equation) -> list[str]:
        """label left = right = right, on one line or on one for each relation."""
        left, right = self.sides(block)
        if block.reasons:
            return list(self._proof(left, right, block))
        label = self.formula(block.label) + r"\quad " if block.label else ""
        parts = [(_relation(relation), text) for relation, text in right]
        return _lines(label + left, parts, self.line_width)

    def _proof(self, left: str, right: list[tuple[str, str]], block: Equation) -> Iterator[str]:
        """A line for each part, the reasons in a column beside them or, where one has no room, all in lines of their own."""
        reasons = list(map(self.formula, block.reasons))
        pieces = [_pieces(text, self.line_width - width(left) - 3) for _, text in right]
        wide = width(left) + max(width(piece) for parts in pieces for piece in parts)
        beside = all(wide + width(reason) <= self.line_width for reason in reasons)
        if len(right) == 1 and len(pieces[0]) == 1 and beside:
            yield rf"{left} {_relation(right[0][0])} {right[0][1]} \qquad {reasons[0]}"
            return
        for place, ((relation, _), (first, *others), reason) in enumerate(zip(right, pieces, reasons)):
            lines = [f"{left if place == 0 else ''} &{_relation(relation)} {first}".strip(), *(rf"&\quad {{}}{piece}" for piece in others)]
            if beside:
                lines[-1] += f" && {reason}" if reason else ""
            else:
                lines += [rf"&\qquad {part}" for part in self._broken(block.reasons[place], self.line_width - width(left) - 3) if part]
            yield from lines

    def _broken(self, message: Message, limit: int) -> Iterator[str]:
        """A sentence in lines about as wide as the limit; formulas stay whole."""
        line: list[Item | str] = []
        used = 0
        for piece in phrase(message, self.translate):
            for token in re.findall(r"\S+\s*|\s+", piece) if isinstance(piece, str) else [piece]:
                columns = len(token) if isinstance(token, str) else width(self.formula(token))
                if line and used + columns > limit:
                    yield self._joined(line)
                    line, used = [], 0
                line.append(token)
                used += columns
        yield self._joined(line)

    def _joined(self, tokens: list[Item | str]) -> str:
        """Words and formulas after each other."""
        text = ""
        for words, run in groupby(tokens, lambda token: isinstance(token, str)):
            group = list(run)
            text += self._words("".join(map(str, group))) if words else "".join(map(self.formula, group))
        return text

    def grid(self, parts: tuple[GridPart, ...]) -> list[str]:
        """A matrix equation, on one line for each relation."""
        sides: list[tuple[str, str]] = []
        text = ""
        for part, before, after in zip(parts, ("", *parts), (*parts[1:], "")):
            if isinstance(part, str) and part in ("=", "≈"):
                sides.append((_OPERATORS[part].strip(), ""))
            elif not sides:
                text += self._part(part, before == "^" or after in ("ᵀ", "^"))
            else:
                sides[-1] = (sides[-1][0], sides[-1][1] + self._part(part, before == "^" or after in ("ᵀ", "^")))
        if len(sides) == 1:
            return [f"{text} {sides[0][0]} {sides[0][1]}"]
        return [f"{text if place == 0 else ''} &{relation} {side}".strip() for place, (relation, side) in enumerate(sides)]

    def _part(self, part: GridPart, grouped: bool) -> str:
        if isinstance(part, str):
            return _OPERATORS.get(part, part)
        text = self._matrix(part) if isinstance(part, tuple) else self.formula(part)
        if not grouped or isinstance(part, tuple):
            return text
        return f"{{{{}}{text}}}" if _ACCENT.match(text) else f"{{{text}}}"  # braces around an accent alone do not count for TeX

    def _matrix(self, rows: Rows) -> str:
        inside = r" \\ ".join(" & ".join(map(self.formula, row)) for row in rows)
        return rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}"


def _relation(sign: str) -> str:
    return _OPERATORS.get(sign, sign).strip()


def _lines(left: str, right: list[tuple[str, str]], limit: int) -> list[str]:
    whole = " ".join([left, *(f"{relation} {text}" for relation, text in right)])
    if width(whole) <= limit:
        return [whole]
    lines = []
    for place, (relation, text) in enumerate(right):
        first, *others = _pieces(text, limit - width(left) - 3)
        lines.append(f"{left if place == 0 else ''} &{relation} {first}".strip())
        lines += [rf"&\quad {{}}{piece}" for piece in others]
    return lines if len(lines) > 1 else [whole]


def _pieces(text: str, limit: int) -> list[str]:
    """A formula in parts about as wide as the limit; what is broken has brackets of one size."""
    pieces = [text]
    for depth in range(4):
        if all(width(piece) <= limit for piece in pieces):
            return pieces
        open_text = text.replace(r"\left(", r"\Bigl(").replace(r"\right)", r"\Bigr)") if depth else text
        pieces = list(_parts(open_text, limit, depth, "+-"))
    for depth, signs in ((0, "+-\\"), (4, ",")):
        pieces = [part for piece in pieces for part in _parts(piece, limit, depth, signs)]
    return pieces


def _parts(text: str, limit: int, depth: int, signs: str) -> Iterator[str]:
    """Each but the first from one of the signs (a backslash for the ·) or behind a comma, as late as can be."""
    start = last = 0
    for place in [*_breaks(text, depth, signs), len(text)]:
        if last > start and width(text[start:place]) > limit:
            yield text[start:last].strip()
            start = last
        last = place
    yield text[start:].strip()


def _breaks(text: str, depth: int, signs: str) -> Iterator[int]:
    """The places beside a sign outside braces and in no more brackets than this; brackets inside braces do not count."""
    braces = brackets = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "{}":
            braces += _STEPS[token[0]]
        elif not braces:
            brackets += _STEPS.get(token[0], 0)
            sign = "," if text[token.start() - 1] == "," else text[token.end() : token.end() + 1]
            if token[0] == " " and brackets <= depth and sign in signs:
                yield token.start()

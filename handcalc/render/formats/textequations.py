"""Equations as lines of letters: broken before = or ≈, as late as can be; where one part alone is too wide, inside it (breaking.py).

- `TextEquations(reading, translate, page)`: `equation(block)` are its lines, `formula(block)` is all of it in one; `spell(item)` is a text.
- `style_of(item)` is how an item looks on a terminal that has colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handcalc.errors import Message, printable
from handcalc.language import Translate, is_english, wrapped
from handcalc.render.blocks import Block, Equation
from handcalc.render.dialects import spelled_in_ascii
from handcalc.render.formats.breaking import pieces
from handcalc.render.formats.styled import Line, cell_len
from handcalc.render.formats.textpage import FILE_WIDTH, TextPage, has_unicode
from handcalc.render.items import Item, Toned, Value, phrase, spell
from handcalc.render.reading import Reading

Part = tuple[str, str, bool]  # of an equation: = or ≈, what is behind it, whether that is its value
NUMBERS = 2  # parts at the end of an equation that are numbers: those put in, and the value
LABEL_WIDTH = 7  # columns of the word before an equation
LEFT_WIDTH = 16  # columns of what stands before the parts of a proof
REASON_WIDTH = 28  # columns of the reasons beside them, at least
_GRADIENT = "red"
_STYLES = {"right": "green", "wrong": "red", "follows": "yellow", "few": "yellow", "strong": "bold"}  # tone → how it looks


def style_of(item: Item | str) -> str:
    """How an item looks on a terminal that has colours."""
    return _STYLES[item.tone] if isinstance(item, Toned) else ""


class TextEquations:
    """Spells the items and equations of a document for a page of letters."""

    def __init__(self, reading: Reading, translate: Translate, page: TextPage) -> None:
        self.reading = reading
        self.translate = translate
        self.page = page
        self.ascii = reading.dialect.ascii
        unknown = getattr(page.file, "encoding", None) is None
        # other scripts have a stream of their own
        self.strict = self.ascii and is_english(translate) and (unknown or has_unicode(page.file))
        self.before: Block | None = None

    def spell(self, item: Item | str) -> str:
        text = printable(spell(item, self.reading, self.translate))
        return self.spelled(text) if self.ascii and not text.isascii() else text

    def spelled(self, text: str) -> str:
        """A text in the letters that are wanted."""
        return spelled_in_ascii(text, self.strict) if self.ascii else text

    def line(self, text: Line) -> None:
        self.page.print(text)

    def formula(self, block: Equation) -> str:
        """A formula in one line."""
        return self.spell(block.left) + "".join(f" {self.relation(relation)} {self.spell(item)}" for relation, item in block.right)

    def proof(self, block: Equation) -> Iterator[Line]:
        """One part below the other, its reason beside it; where there is no room for it, beneath."""
        start = "  " * block.indent + self.spell(block.left)
        if cell_len(start) > LEFT_WIDTH:
            yield Line(start)
            start = "  " * (block.indent + 1)
        parts = [(f" {self.relation(relation)} ", self.spell(item)) for relation, item in block.right]
        margin = cell_len(start) + 3
        most = self.page.width - margin - REASON_WIDTH
        column = margin + max((cell_len(text) for _, text in parts if cell_len(text) <= most), default=0) + 3
        for (relation, text), reason in zip(parts, block.reasons):
            *before, last = pieces(text, self.page.width - margin)
            line = Line(start + relation)
            for piece in before:
                yield line.append(piece)
                line = Line(" " * (margin + 2))
            line.append(last)
            beside = line.cell_len + 3 <= column and not before
            place = column if beside else margin + 4
            words = self.broken(reason, self.page.width - place)
            if beside and words[0]:
                yield line.append(" " * (column - line.cell_len)).append(words[0], "dim")
                words = words[1:]
            else:
                yield line
            for text in filter(None, words):
                yield Line(" " * place).append(text, "dim")
            start = " " * cell_len(start)

    def broken(self, reason: Message, width: int) -> list[str]:
        """A reason in lines; a formula is parted only where it is wider than a line."""
        pieces = [(self.spell(piece), isinstance(piece, str)) for piece in phrase(reason, self.translate)]
        whole = "".join(text if words or cell_len(text) > width else text.replace(" ", "\1") for text, words in pieces)
        return [line.replace("\1", " ") for line in wrapped(whole, width)]

    def equation(self, block: Equation) -> Iterator[Line]:
        """The lines of an equation."""
        if block.reasons:
            yield from self.proof(block)
            return
        named = [f"({block.number})"] * bool(block.number) + ([self.spell(block.label)] if block.label else [])
        label = " ".join(named)
        left = (label + " " * max(LABEL_WIDTH * len(named) - cell_len(label), 1) if label else "") + self.spell(block.left)
        parts = [(relation, self.spell(item), isinstance(item, Value)) for relation, item in block.right]
        kept = [part for place, part in enumerate(parts) if place == 0 or part[1] != parts[place - 1][1]]
        start = " " * (2 * block.indent)
        over = cell_len(start + left) + sum(map(self.wide, kept)) - min(self.page.width, FILE_WIDTH)
        tight = [(relation, text.replace(" · ", "·"), final) for relation, text, final in kept]
        if 0 < over <= sum(map(self.wide, kept)) - sum(map(self.wide, tight)):
            kept = tight
        margin = cell_len(start + left)
        line = Line(start).append(label, style_of(block.label) if block.label else "").append(left[len(label) :], self.colour(block))
        parted = False  # whether the line is the rest of a formula: what comes next stands beside it, if there is room
        for place, inside in enumerate(self.filled(kept, margin)):
            if place and not (parted and line.cell_len + sum(map(self.wide, inside)) <= self.page.width):
                yield line
                line = Line(" " * margin)
            for relation, text, final in inside:
                line.append(f" {self.relation(relation)} ")
                first, *others = pieces(text, self.page.width - margin - 3)
                line.append(first, "bold" if final else "")
                for piece in others:
                    yield line
                    line = Line(" " * (margin + 5)).append(piece, "bold" if final else "")
            parted = bool(others)
        yield line

    def colour(self, block: Equation) -> str:
        """Gradients have a colour, the one of the drawings."""
        kind = self.reading.graph[block.step[0][0]].kind if block.step is not None else ""
        return _GRADIENT if kind in ("gradient", "local", "path") else ""

    def wide(self, part: Part) -> int:
        """How many columns a part of an equation takes."""
        return cell_len(f" {self.relation(part[0])} {part[1]}")

    def filled(self, parts: Sequence[Part], margin: int) -> list[list[Part]]:
        """The parts of an equation in lines that have room for them: in one; in two, numbers below letters; else as many as fit in each."""
        widths = [*map(self.wide, parts)]
        most = min(self.page.width, FILE_WIDTH) - margin
        for place in (0, len(parts) - NUMBERS):
            if place >= 0 and sum(widths[:place]) <= most and sum(widths[place:]) <= most:
                return [[*lines] for lines in (parts[:place], parts[place:]) if lines]
        lines: list[list[Part]] = [[]]
        used = 0
        for part, wide in zip(parts, widths):
            if lines[-1] and used + wide > most:
                lines.append([])
                used = 0
            lines[-1].append(part)
            used += wide
        return lines

    def relation(self, relation: str) -> str:
        return self.reading.dialect.approximately if relation == "≈" else spelled_in_ascii(relation) if self.ascii else relation

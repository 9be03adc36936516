"""The word problem around an exercise: a text of the file in which `{size}` stands for the number that is given for size.

- `word_problem(derivation, reading)` gives its paragraphs; `pieces(text)` are the words and the names of a text, `UNPAIRED` the brace
  that opens or closes none.

A name is an id or a symbol of any given number; the number is that of the exercise, also where it is one of many variants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handcalc.core.derivation import Derivation
from handcalc.core.order import phase
from handcalc.core.quantity import Cell
from handcalc.errors import Message, ProblemError, UnknownIdError
from handcalc.language import NAME, BilingualTemplate, pieces
from handcalc.render.blocks import Block, Paragraph
from handcalc.render.items import Value
from handcalc.render.reading import Reading

_BREAK = re.compile(r"\n[ \t]*\n\s*")


def word_problem(derivation: Derivation, reading: Reading) -> Iterator[Block]:
    """A paragraph for each of the text, in both languages. Raises ProblemError for a name that is no given number."""
    header = derivation.header
    english, chinese = ([*_paragraphs(text)] for text in (header.text or header.text_zh, header.text_zh or header.text))
    count = min(len(english), len(chinese))
    for place in range(count):
        values: dict[str, Value] = {}
        until = place + 1 if place < count - 1 else None
        own = [_template(" ".join(text[place:until]), reading, values) for text in (english, chinese)]
        yield Paragraph(BilingualTemplate(own[0], own[1], values))


def _paragraphs(text: str) -> Iterator[str]:
    yield from (" ".join(part.split()) for part in _BREAK.split(text.strip()) if part)


def _template(text: str, reading: Reading, values: dict[str, Value]) -> str:
    """The text with a place for each number, which are put into `values`."""
    parts = []
    for what, piece in pieces(text):
        if what == NAME:
            name = f"number_{len(values)}"
            values[name] = Value(_given(piece, reading))
            parts.append(f"{{{name}}}")
        else:
            parts.append(piece.replace("{", "{{").replace("}", "}}"))
    return "".join(parts)


def _given(name: str, reading: Reading) -> Cell:
    """The given number that is meant."""
    where = "text: "
    try:
        cell, iteration = reading.find(name)
    except UnknownIdError as error:
        raise ProblemError(*(Message(one.template, where, **one.values) for one in error.messages)) from None
    quantity = reading.graph[cell[0]]
    if (phase(quantity) != "given" and cell not in reading.graph.fixed) or quantity.unknown or iteration > 1:
        raise ProblemError(Message("{found} is worked out; a text has numbers that are given", where, found=f'"{name}"'))
    return cell

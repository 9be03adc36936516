"""Rows of labels as runs of letters with real indices, and how wide they are.

- `row_spans(row, reading, iteration)` sets a row in a notation, `symbol_spans(name)` a symbol.
- `width(spans)` estimates a width in em of the surrounding text, `measured(rows, …)` the box of a label.

Widths are those of book fonts such as Times and Latin Modern, a little on the wide side. Numbers are the reading's in UNICODE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from operator import add
from unicodedata import east_asian_width

from handcalc.core.expr import Expr, Ref, references
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import printable
from handcalc.render.diagram.model import CellItem, Content, Formula, Row, Sign, Title
from handcalc.render.dialects import UNICODE
from handcalc.render.reading import Reading
from handcalc.render.symbols import Derivative, Name, Symbol, typed

FONT = 13.0  # size of labels
LINE, HIGH_LINE = 16.0, 20.0  # from row to row; of rows with index and power above one another
SCRIPT = 0.72  # size of an index
LONGEST_NAME = 14  # letters of a base or an index in a drawing
LONGEST_FORMULA = 34  # letters of a formula in a drawing
HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹"
BETWEEN = 0.7  # em between two items of a row


class Span(Record):
    """Letters in one style.

    shift: 1 for a power, −1 for an index, 2 and −2 where both stand above one another; back: em to go back before it, on
    if negative; cell: whose number it is.
    """

    text: str
    italic: bool = False
    shift: int = 0
    back: float = 0.0
    cell: Cell | None = None
    gradient: bool = False


Spans = tuple[Span, ...]


def in_unicode(reading: Reading) -> Reading:
    """The same derivation in the same notation, spelled in UNICODE."""
    if reading.dialect is UNICODE:
        return reading
    return Reading(reading.derivation, reading.notation, UNICODE, reading.comma, reading.longest)


def row_spans(row: Row, reading: Reading, iteration: int) -> Spans:
    """A row of a label; the reading must be in UNICODE."""
    found: list[Span] = []
    for content in row:
        spans = _spans(content, reading, iteration)
        if found and spans:
            spans[0] = spans[0].replace(back=-BETWEEN)
        found += spans
    return tuple(found)


def _spans(content: Content, reading: Reading, iteration: int) -> list[Span]:
    if isinstance(content, Sign):
        return list(symbol_spans(typed(content.text))) if content.name else [Span(content.text)]
    if isinstance(content, Title):
        return list(symbol_spans(title_of(content, reading)))
    return _item(content, reading, iteration) if isinstance(content, CellItem) else _formula(content, reading)


def title_of(title: Title, reading: Reading) -> Name:
    """The symbol of a grid with long words shortened, without its sample unless it is wanted."""
    name = reading.notation.name(title.reference)
    return shortened(name if title.sampled else name.replace(sample=""))


def _item(item: CellItem, reading: Reading, iteration: int) -> list[Span]:
    found: list[Span] = []
    if item.named:
        found += [span.replace(gradient=item.gradient) for span in symbol_spans(name_of(item.cell, reading, item.sampled))]
    if item.named and item.numbered:
        found.append(Span(" = ", gradient=item.gradient))
    if item.numbered:
        found.append(Span(reading.number(item.cell, iteration), cell=item.cell, gradient=item.gradient))
    return found


def name_of(cell: Cell, reading: Reading, sampled: bool = False) -> Name:
    """The symbol of a cell with long words shortened, without its sample unless it is wanted."""
    name = reading.notation.name(Ref(*cell))
    return shortened(name if sampled else name.replace(sample=""))


def shortened(name: Name) -> Name:
    """A symbol no part of which is longer than a drawing can bear."""
    if isinstance(name, Derivative):
        top, bottom = shortened(name.top), shortened(name.bottom)
        assert isinstance(top, Symbol) and isinstance(bottom, Symbol)
        return name.replace(top=top, bottom=bottom, sample=_short(name.sample))
    return name.replace(base=_short(name.base), sub=_short(name.sub), sup=_short(name.sup), sample=_short(name.sample), typed="")


def _short(text: str, longest: int = LONGEST_NAME) -> str:
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


# --- symbols ----------------------------------------------------------------------------------------------------------


def symbol_spans(name: Name) -> Spans:
    """A symbol with its indices, or ∂a/∂b."""
    if isinstance(name, Derivative):
        via = (Span("|"), *symbol_spans(name.via)) if name.via else ()
        order = "²" if name.order == 2 else ""
        spans = (Span("∂" + order), *symbol_spans(name.top), Span("/∂"), *symbol_spans(name.bottom), Span(order), *via)
    else:
        spans = (
            *_letters(name.base + ("\u0302" if name.hat else ""), 0),
            *_scripts(name.sub, name.sup + ("+" if name.mark == "+" else "")),
        )
    return (*spans, Span(f"[{printable(name.sample)}]")) if name.sample else spans


def _letters(text: str, shift: int) -> Spans:
    """Single letters slanted, words and digits upright."""
    text = printable(text)
    if text[:1] in ("Δ", "∂", "d") and len(text) == 2:
        return (Span(text[0], text[0] == "d", shift), Span(text[1], _is_letter(text[1]), shift))
    longest = 1 if not shift else 2  # the indices of w_ij are two letters
    parts = re.findall(r"[^\W\d_]+|[\W\d_]+", text)
    return tuple(Span(part.replace("'", "′"), len(part) <= longest and _is_letter(part), shift) for part in parts)


def _is_letter(text: str) -> bool:
    return text.isalpha() and ord(max(text)) < 0x600


def _scripts(sub: str, sup: str) -> Spans:
    """Index and power above one another: the narrower first, then back to the beginning for the wider."""
    low, high = _letters(sub, -1), _letters(sup, 1)
    if not low or not high:
        return low + high
    first, second = sorted((tuple(span.replace(shift=2 * span.shift) for span in spans) for spans in (low, high)), key=width)
    return (*first, second[0].replace(back=width(first)), *second[1:])


def neuron_name(name: str, widest: float) -> Name:
    """The name of a neuron as a symbol, so short that it is at most that many em wide."""
    return next(
        found
        for longest in range(LONGEST_NAME, 0, -1)
        if width(symbol_spans(found := typed(_short(name, longest)))) <= widest or longest == 1
    )


# --- formulas ---------------------------------------------------------------------------------------------------------


def _formula(formula: Formula, reading: Reading) -> list[Span]:
    symbol = list(symbol_spans(title_of(Title(formula.reference), reading)))
    return symbol if formula.expr is None else [*symbol, Span(" = "), *_expression(formula.expr, reading)]


_PARTS = re.compile(rf"[^\W\d{HIGH}][^\W{HIGH}]*'*|[0-9][0-9.]*|[{HIGH}]+|.", re.DOTALL)


def _expression(expr: Expr, reading: Reading) -> list[Span]:
    """A formula as the reading prints it, with its symbols and powers set as such."""
    symbols = {reading.symbol(ref): ref for ref in references(expr)}
    parts = _PARTS.findall(reading.symbolic(expr))
    found: list[Span] = []
    used, raised = 0, 0  # raised: open brackets of a power
    for place, part in enumerate(parts):
        used += len(part)
        if used > LONGEST_FORMULA and place < len(parts) - 1:
            return [*found, Span("…")]
        if part == "^" and not raised:
            raised = 1 if parts[place + 1 :][:1] == ["("] else 0
            found += [] if raised else [Span(part)]
            continue
        if raised:
            depth = raised + (part == "(") - (part == ")")
            outermost = part in "()" and min(raised, depth) == 1
            raised = 0 if part == ")" and depth == 1 else depth
            found += [] if outermost else [Span(part, len(part) == 1 and _is_letter(part), 1)]
        elif part in symbols:
            found += symbol_spans(title_of(Title(symbols[part]), reading))
        elif part[0] in HIGH:
            found.append(Span("".join(str(HIGH.index(letter)) for letter in part), shift=1))
        else:
            found.append(Span(printable(part), part == "e"))
    return found


# --- widths -----------------------------------------------------------------------------------------------------------

_WIDTHS = {
    **dict.fromkeys("iljtfr.,:;'′|![]()/", 0.36), **dict.fromkeys("mwMW%@…", 0.9), **dict.fromkeys("-", 0.36),
    **dict.fromkeys("=+−×<>~≈", 0.78), **dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", 0.4), " ": 0.3, "·": 0.3,
}  # fmt: skip


def width(spans: Spans) -> float:
    """The width of a row in em."""
    return added(_width(span) - span.back for span in spans)


def added(numbers: Iterable[float]) -> float:
    """The sum of lengths, one after the other; sum() adds otherwise from Python 3.12 on, and a drawing has the same bytes everywhere."""
    return reduce(add, numbers, 0.0)


def _width(span: Span) -> float:
    size = SCRIPT if span.shift else 1.0
    return size * added(_WIDTHS.get(letter) or _other(letter) for letter in span.text)


def _other(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.0
    if letter.isupper():
        return 0.74
    return 0.52 if letter.isalnum() else 0.62


def measured(rows: tuple[Row, ...], reading: Reading, iteration: int) -> tuple[float, float]:
    """Width and height of the box of some rows; the reading must be in UNICODE."""
    spans = [row_spans(row, reading, iteration) for row in rows]
    high = any(abs(span.shift) > 1 for row in spans for span in row)
    return max(map(width, spans), default=0.0) * FONT, len(rows) * (HIGH_LINE if high else LINE)

"""Items, equations, matrices and tables as HTML, their formulas as MathML. The reading must be in the dialect MATHML.

- `PageFormulas(reading, translate)`: `words(item)`, `line(block)`, `grid(parts)`, `tables(block)`.
- `broken(formula)` parts a formula where a line may end: before a + or − or a factor, in as few brackets as can be.

Every part of an equation is a box of its own, and every piece a `math` of its own, so that the browser breaks lines
before a relation, and where one part is too long for a line, inside it. Nothing here knows how wide a line is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from handcalc.core.rounding import Shown
from handcalc.errors import Message
from handcalc.render.blocks import Equation, Grid, GridPart, Rows, Table, chunks
from handcalc.render.dialects import UNICODE, shown
from handcalc.render.formats.common import Formulas, is_text, number_columns, remarks
from handcalc.render.formats.page.lean import lean
from handcalc.render.items import Blank, Digits, Item, Numeric, Toned, Value, phrase
from handcalc.render.typeset import MATHML, xml_text

TABLE_WIDTH = 78  # letters of a table beside each other on paper

_TAG = re.compile(r"<(/?)\w[^>]*>")
_SIGNS = (MATHML.plus, MATHML.minus)
_BRACKETED = re.compile(r"<mrow>(<mo[^>]*>\(</mo>)(.*)(<mo[^>]*>\)</mo>)</mrow>", re.DOTALL)
# operator of a matrix equation → its spelling; between two matrices, unless it stands for the sign of one
_OPERATORS = {
    "+": MATHML.plus, "-": MATHML.minus, "−": MATHML.negative, "·": MATHML.times, ",": MATHML.separator,
}  # fmt: skip
_BREAKS = ("+", "-", "·", "⊙")
_TRANSPOSED = '<mo mathvariant="normal">T</mo>'


def elements(formula: str) -> Iterator[str]:
    """The outermost elements of a formula."""
    depth = start = 0
    for tag in _TAG.finditer(formula):
        depth += -1 if tag[1] else 1
        if not depth:
            yield formula[start : tag.end()]
            start = tag.end()


def tokens(formula: str, depth: int = 0) -> Iterator[tuple[str, int]]:
    """The outermost elements, each with its rank: 0 if a line may well end before it, more if that is worse, −1 if it may not.

    Lines end before a + or − outside brackets, else before a factor of a long product, else inside brackets.
    """
    inside = list(elements(formula))
    signs = [place for place, element in enumerate(inside) if place and element in _SIGNS]
    for start, end in zip([0, *signs], [*signs, len(inside)]):
        term = inside[start:end]
        long = term.count(MATHML.times) > 1 or any("<mfrac" in element or _BRACKETED.fullmatch(element) for element in term)
        for place, element in enumerate(term, start):
            bracketed = _BRACKETED.fullmatch(element)
            if bracketed and any(sign in bracketed[2] for sign in _SIGNS):
                yield bracketed[1], -1
                yield from tokens(bracketed[2], depth + 1)
                yield bracketed[3], -1
            else:
                factor = long and element == MATHML.times
                yield element, 2 * depth if place in signs else 2 * depth + 1 if factor else -1


def broken(formula: str) -> str:
    """A formula as elements of a page, one for each part that may stand on a line of its own."""
    return " ".join(_grouped(list(tokens(formula))))


def _grouped(parts: list[tuple[str, int]]) -> Iterator[str]:
    """What the best breaks part, each with the rest of the breaks inside."""
    best = min((rank for _, rank in parts if rank >= 0), default=-1)
    starts = [0, *(place for place, (_, rank) in enumerate(parts) if place and rank == best >= 0)]
    for start, end in zip(starts, [*starts[1:], len(parts)]):
        (first, _), *others = parts[start:end]
        if any(rank >= 0 for _, rank in others):
            yield f"<span>{' '.join(_grouped([(first, -1), *others]))}</span>"
        else:
            yield _math(first + "".join(element for element, _ in others))


def letters(html: str) -> int:
    """About how many letters wide something is."""
    text = re.sub(r"<[^>]*>|&\w+", "", html)
    return len(text) + 3 * text.count("\u2003")


class PageFormulas(Formulas):
    """Spells what stands in a page. answer: the field of a blank, as HTML; nothing where it is a line to write on."""

    answer: Callable[[Blank], str] = staticmethod(lambda blank: "")

    def name(self, item: Item | str) -> str:
        """An item as a formula of its own."""
        return f"<math>{lean(self.formula(item))}</math>"

    def words(self, item: Item | str) -> str:
        """An item between words: escaped, or a formula."""
        if isinstance(item, Blank) and (field := self.answer(item)):
            return field
        if isinstance(item, Toned):
            return f'<span class="tone {item.tone}">{self.words(item.text)}</span>'
        if isinstance(item, Message):
            pieces = phrase(item, self.translate)
            return "".join(xml_text(piece) if isinstance(piece, str) else self.words(piece) for piece in pieces)
        return xml_text(self.text(item)) if is_text(item) else self.name(item)

    # --- equations ---

    def line(self, block: Equation) -> str:
        """label, left side, and the right sides that may stand below one another."""
        label = f'<span class="label">{self.words(block.label)}</span> ' if block.label else ""
        parts: list[str] = []
        before = ""
        for relation, item in block.right:
            field = self.answer(item) if isinstance(item, Blank) else ""
            formula = self.formula(item)
            if field:
                parts.append(f"<span>{_math(f'<mo>{relation}</mo>')}{field}</span>")
                continue
            if formula != before:
                decides = block.step is not None and not (isinstance(item, Numeric) and item.rounded)
                parts.append(self._part(relation, formula, _decides(item) if decides else ""))
            before = formula
        return f'{label}<div class="left">{_math(self.formula(block.left))}</div> <div class="right">{" ".join(parts)}</div>'

    def _part(self, relation: str, formula: str, decides: str = "") -> str:
        attribute = f' data-exact="{decides}"' if decides else ""
        whole = broken(f"<mo{attribute}>{relation}</mo>{formula}")
        return f"<span>{whole}</span>"

    # --- matrices ---

    def grid(self, block: Grid) -> str:
        """A matrix equation; like a line, it may be broken before each relation and before each sign."""
        sides: list[list[GridPart]] = [[]]
        relations: list[str] = []
        for part in block.parts:
            if part in ("=", "≈"):
                relations.append(str(part))
                sides.append([])
            else:
                sides[-1].append(part)
        left, *right = (self._side(side) for side in sides)
        parts = (
            f"<span>{' '.join(map(_math, [f'<mo>{relation}</mo>{first}', *others]))}</span>"
            for relation, (first, *others) in zip(relations, right)
        )
        return f'<div class="left">{_math("".join(left))}</div> <div class="right">{" ".join(parts)}</div>'

    def _side(self, parts: list[GridPart]) -> list[str]:
        """The pieces of one side; what is inside brackets stays together, and a power with its base."""
        tall = any(isinstance(part, tuple) and len(part) > 1 for part in parts)
        levels: list[list[str]] = [[""]]  # the elements of the side, then of each open bracket
        raised = False
        for part in parts:
            if part == "^":
                raised = True
                continue
            inside = levels[-1]
            if part == "(":
                levels.append([])
            elif part == ")":
                levels.pop()
                text = "".join(inside)
                levels[-1].append((MATHML.tall if tall or "<mfrac" in text else MATHML.brackets).format(x=text))
            elif part == "ᵀ":
                inside[-1] = MATHML.power.format(a=inside[-1], b=_TRANSPOSED)
            elif raised:
                inside[-1] = MATHML.power.format(a=inside[-1], b=self._element(part))
            else:
                inside += ["", self._element(part)] if part in _BREAKS and len(levels) == 1 else [self._element(part)]
            raised = False
        starts = [place for place, text in enumerate(levels[0]) if not text]
        return ["".join(levels[0][start:end]) for start, end in zip(starts, [*starts[1:], len(levels[0])])]

    def _element(self, part: GridPart) -> str:
        if isinstance(part, tuple):
            return self._matrix(part)
        if isinstance(part, str):
            return _OPERATORS.get(part) or f"<mo>{xml_text(part)}</mo>"
        return f"<mrow>{self.formula(part)}</mrow>"

    def _matrix(self, rows: Rows) -> str:
        inside = "".join("<mtr>" + "".join(f"<mtd>{self.formula(item)}</mtd>" for item in row) + "</mtr>" for row in rows)
        return f"<mrow><mo>[</mo><mtable>{inside}</mtable><mo>]</mo></mrow>"

    # --- tables ---

    def tables(self, block: Table) -> Iterator[str]:
        """The table, in parts as wide as a page, and what is not shown."""
        columns = range(len(block.columns))
        lines = [[self.words(item) for item in row] for row in (block.columns, *block.rows)]
        numbers = number_columns(block)
        gaps = [self._gaps([row[place] for row in block.rows]) if numbers[place] else None for place in columns]
        widths = [max(letters(line[place]) for line in lines) for place in columns]
        for chunk in [[*columns]] if block.wraps else chunks(widths, TABLE_WIDTH):
            heading = "".join(_cell("th", lines[0][place], 'scope="col"', numbers[place]) for place in chunk)
            rows = []
            for row, line in enumerate(lines[1:]):
                cells = "".join(self._cell(line[place], place, row, gaps[place]) for place in chunk)
                rows.append(f"<tr>{cells}</tr>")
            inside = f"<thead><tr>{heading}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>"
            kind = ' class="wraps"' * block.wraps
            yield f'<div class="scroll"><table{kind}>\n{inside}\n</table></div>'
        for remark in remarks(block):
            yield f'<p class="remark">{self.words(remark)}</p>'

    def _cell(self, text: str, place: int, row: int, gaps: list[str] | None) -> str:
        if gaps is not None:
            gap = f'data-gap="{gaps[row]}"' if gaps[row] else ""
            return _cell("td", text, gap, True)
        return _cell("th", text, 'scope="row"') if place == 0 else _cell("td", text)

    def _gaps(self, column: list[Item]) -> list[str]:
        """What must follow each number, unseen, so that the points of a column stand below one another."""
        numbers = [self._shown(item) for item in column]
        tails = [(len(number.digits.partition(".")[2]), power_of_ten(number)) if number else (0, "") for number in numbers]
        digits, power = max(tail[0] for tail in tails), max((tail[1] for tail in tails), key=len)
        point = "," if self.reading.comma else "."
        return [
            (point if digits and not own else "") + "0" * (digits - own) + ("" if other else power) if number else ""
            for number, (own, other) in zip(numbers, tails)
        ]

    def _shown(self, item: Item) -> Shown | None:
        if isinstance(item, Value):
            return self.reading.shown(item.cell, item.iteration)
        return item.number if isinstance(item, Digits) else None


def power_of_ten(number: Shown) -> str:
    """×10⁻⁴ with the spaces it has in a formula."""
    if not number.exponent:
        return ""
    return "\u205f×\u205f10" + shown(Shown(str(number.exponent)), UNICODE).translate(_HIGH)


_HIGH = str.maketrans(dict(UNICODE.high))


def _math(formula: str) -> str:
    return f"<math>{lean(formula)}</math>"


def _decides(item: Item) -> str:
    """Whose exactness decides between = and ≈: that of the numbers put in, or of the result."""
    return "inputs" if isinstance(item, Numeric) else "result" if isinstance(item, Value) else ""


def _cell(tag: str, text: str, attributes: str = "", number: bool = False) -> str:
    marks = " ".join(filter(None, ('class="number"' if number else "", attributes)))
    return f"<{tag} {marks}>{text}</{tag}>" if marks else f"<{tag}>{text}</{tag}>"

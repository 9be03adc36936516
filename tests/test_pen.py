"""A student with a pen: every line can be worked with numbers that stand above it, and gives what is printed."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from shipping import EACH, loaded, solved

from handcalc.core.expr import Ref, references
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import EvaluationError, Message
from handcalc.loading.loader import shipped
from handcalc.render import render
from handcalc.render.blocks import Block, Equation, Grid, Paragraph, Table
from handcalc.render.items import Item, Numeric, Value
from handcalc.render.report import Chapter, Style, dialect_of

Known = tuple[Cell, int]
LATER = {"mazur-updated-weights"}  # its errors use weights that the update below them gives


def numbers(item: object) -> Iterator[Known]:
    """The cells whose numbers an item shows."""
    match item:
        case Value(wanted, iteration):
            yield wanted, iteration
        case Numeric(expr, iteration):
            yield from ((cell(ref), iteration) for ref in references(expr))
        case Message():
            for part in item.values.values():
                yield from numbers(part)
        case tuple():
            for part in item:
                yield from numbers(part)


def shown(block: Block) -> Iterator[Known]:
    """The cells whose numbers a block shows."""
    match block:
        case Table(rows=found) | Grid(parts=found):
            yield from numbers(found)
        case Paragraph(text):
            yield from numbers(text)
        case Equation(right=right):
            yield from numbers(tuple(item for _, item in right))
            if block.step is not None:
                yield block.step


def operands(right: tuple[tuple[str, Item], ...]) -> Iterator[Known]:
    """The numbers that are put into the formula of a line."""
    first = next((item for _, item in right if isinstance(item, Numeric)), None)
    return numbers(first)


@pytest.mark.parametrize("problem", sorted(shipped()))
def test_no_number_is_used_before_it_is_printed(problem: str) -> None:
    """But for what an optimiser remembers at first, which is said to be 0, and ones and zeros of words."""
    chapter = Chapter(solved(problem), dialect_of("plain"), Style(pictures=False))
    graph = chapter.derivation.graph
    known: set[Known] = set()
    missing = []
    for block in chapter.blocks():
        for wanted, iteration in operands(block.right) if isinstance(block, Equation) else ():
            quantity = graph[wanted[0]]
            given = quantity.kind == "memory" or quantity.role == "word"
            if (wanted, iteration) not in known and not given:
                missing.append(f"{chapter.reading.symbol(block.left.reference)}: {chapter.reading.symbol(Ref(*wanted))}")  # type: ignore
        known.update(shown(block))
    assert bool(missing) == (problem in LATER), missing[:9]


# --- with a calculator ------------------------------------------------------------------------------------------------

ROUNDINGS = (Rounding(decimals=4, significant=None, carry=True), Rounding(significant=5, carry=True))
_BROKEN = re.compile(r"\n {6,}(?=\S)")  # a line that goes on in the next
_SIDE = re.compile(r" (=|~=) ")
_SIGNS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
# what the calculator has, in its own definitions; a slope, as relu', is called relu_slope, and where it jumps it is 0
_KEYS: dict[str, Callable[..., Any]] = {
    "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "sin": math.sin, "cos": math.cos, "erf": math.erf, "abs": abs,
    "max": max, "min": min, "floor": math.floor, "sign": lambda z: (z > 0) - (z < 0), "step": lambda z: int(z >= 0),
    "bipolar_step": lambda z: 1 if z >= 0 else -1, "huber": lambda e, d: e * e / 2 if abs(e) <= d else d * (abs(e) - d / 2),
    "relu_slope": lambda z: int(z > 0), "max_slope": lambda a, b, tie: tie if a == b else int(a > b),
    "huber_slope": lambda e, d: min(max(e, -d), d), "leaky_relu_slope": lambda z, slope: 1 if z > 0 else slope,
}  # fmt: skip


def calculated(text: str) -> Any:
    """What a calculator gives for numbers, signs and brackets; None where there is anything else, such as a letter."""
    try:
        return _worth(ast.parse(text.replace("^", "**").replace("'(", "_slope("), mode="eval").body)
    except (SyntaxError, KeyError):
        return None


def _worth(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(repr(number))
        case ast.Name(id="pi"):
            return math.pi
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_worth(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _SIGNS[type(op)](_worth(left), _worth(right))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _KEYS[name](*map(_worth, args))
    raise KeyError(ast.dump(node))


def printed_lines(text: str) -> Iterator[list[str]]:
    """The sides of every worked line and the signs between them."""
    for line in _BROKEN.sub(" ", text).splitlines():
        if not line.startswith("  "):
            continue
        for part in re.split(r" {3,}", line.strip()):
            sides = _SIDE.split(part)
            if len(sides) > 3 and calculated(sides[-1]) is not None:
                yield sides


def last_digit(number: str, rounding: Rounding) -> float:
    """One unit of it."""
    value = abs(float(Fraction(number)))
    if rounding.decimals is None and value:
        return 10.0 ** (math.floor(math.log10(value)) + 1 - (rounding.significant or 0))
    digits, _, power = number.partition("e")
    return 10.0 ** (int(power or 0) - max(len(digits.partition(".")[2]), rounding.decimals or 0 if not power else 0))


def faults(text: str, rounding: Rounding) -> tuple[list[str], list[str], int]:
    """Lines that do not give what is printed, those that cannot be worked, and how many there are."""
    known: dict[str, str] = {}
    wrong, unread, count = [], [], 0
    for sides in printed_lines(text):
        *_, numbers, sign, result = sides
        line, count = " ".join(sides), count + 1
        known[sides[0]] = result
        before = numbers.removeprefix("-")
        if before in known:  # what stands above it
            numbers = f"-({known[before]})" if before != numbers else known[before]
        found = calculated(numbers)
        if found is None:
            if not ("..." in numbers or re.fullmatch(r"-?\S*[A-Za-z]\S*", numbers)):  # a sum cut short; a letter that is given in a table
                unread.append(line)
            continue
        room = 1e-11 * max(abs(float(found)), 1e-6) if sign == "=" else last_digit(result, rounding) * (0.5 + 1e-9)
        if abs(float(found) - float(Fraction(result))) > room:
            wrong.append(f"{line}: {float(found)}")
    return wrong, unread, count


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=["4 decimals", "5 digits"])
@pytest.mark.parametrize("problem", EACH)
def test_a_calculator_gives_what_is_printed(problem: str, rounding: Rounding) -> None:
    """Read off the paper: with the numbers of the line alone, in carry mode, to half of the last digit; where there is an =, exactly."""
    try:
        text = str(render(derive(loaded(problem), rounding), "plain"))
    except EvaluationError:
        assert problem == "deeplearning-ai-logistic"  # an output that is rounded to 1 has no logarithm of 1 - a
        return
    wrong, unread, count = faults(text, rounding)
    assert not wrong, wrong[:9]
    assert not unread, unread[:9]
    assert count


def test_a_calculator_finds_what_is_wrong() -> None:
    rounding = ROUNDINGS[0]
    assert faults("  a = b*c = 0.5*0.25 = 0.125\n  d = a = 0.125\n  e = exp(a) = exp(0.125) ~= 1.1331", rounding) == ([], [], 3)
    for text in ("a = b*c = 0.5*0.25 = 0.126", "e = exp(a) = exp(0.125) ~= 1.1332", "a = b*c = 0.33333*0.5 = 0.1667"):
        assert len(faults(f"  {text}", rounding)[0]) == 1
    assert len(faults("  a = b*c = 0.5*c + 1 = 0.125", rounding)[1]) == 1

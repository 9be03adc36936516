"""Formulas as code over whole arrays: the text of one assignment of a program in vectorised.py.

The axes of an array are called by index letters: Σ_j w_kj·out_sj is a product of matrices because j is summed and s and k are not;
what stands beside each other is spread over the letters it lacks; a shifted index (r + u − 1) is a view with an axis for each
letter. The text is made of names made here, numbers and the functions of `NUMPY`; nothing that a user wrote is in it.

A function is written as its definition in core/functions.py; `NUMPY` names the primitives, and what has neither is computed
number by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from handcalc.arrays.arrayviews import kronecker, repeated, sliced, window
from handcalc.arrays.noise import positive
from handcalc.arrays.unrolling import NotVectorised
from handcalc.core.definitions import definition
from handcalc.core.expr import (
    Call,
    Delta,
    Entry,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Total,
    mul,
    walk,
)
from handcalc.core.functions import function
from handcalc.core.graph import Graph
from handcalc.core.index import Index, Position, affine
from handcalc.core.vanishing import may_vanish, zeros

# what NumPy calls the functions that are not written in simpler ones; the laws compare each with its record
NUMPY = {name: f"np.{name}" for name in ("exp", "log", "log10", "log2", "sqrt", "abs", "sin", "cos", "tan", "tanh", "sign", "floor")} | {
    "ln": "np.log",
    "relu'": "heaviside",
    "max": "np.maximum",
    "min": "np.minimum",
}


SLOW = ("exp", "ln", "log", "log10", "log2", "sqrt", "sin", "cos", "tan", "tanh")  # of one array once
MANY = 4  # products of a sum that are one product, of what they have put together


class Piece:
    """Code for an array, and the letters of its axes in order; scale: numbers it is still to be multiplied by; halves: the two arrays
    whose product over their first axes it is, or the two rows whose outer product it is; view: the arguments of `windows`, where it is one;
    sampled: whether its first axis is that of the samples."""

    __slots__ = ("text", "letters", "scale", "halves", "view", "sampled")

    def __init__(
        self,
        text: str,
        letters: tuple[str, ...] = (),
        scale: tuple[str, ...] = (),
        halves: tuple[str, ...] = (),
        view: str = "",
        sampled: bool = False,
    ) -> None:
        self.text = text
        self.letters = letters
        self.scale = scale
        self.halves = halves
        self.view = view
        self.sampled = sampled

    @property
    def bare(self) -> Piece:
        """The same without its scale."""
        return Piece(self.text, self.letters, (), self.halves, self.view, self.sampled)

    def along(self, letters: tuple[str, ...]) -> str:
        """The code of the same array with these axes, of size 1 where it has none."""
        own = [letter for letter in letters if letter in self.letters]
        text = self.text
        if tuple(own) != self.letters:
            order = tuple(self.letters.index(letter) for letter in own)
            text = f"{text}.T" if order == (1, 0) else f"{text}.transpose({order})"
        if own and own != list(letters[letters.index(own[0]) :]):  # NumPy spreads over what stands before
            text = f"{text}[{', '.join(':' if letter in own else 'None' for letter in letters)}]"
        return f"({' * '.join((*self.scale, text))})" if self.scale else text


class Writer:
    """Writes the formulas of one graph."""

    def __init__(self, graph: Graph, names: dict[str, str], constants: dict[str, Any], lines: list[str]) -> None:
        self.graph = graph
        self.lines = lines
        self.kept: dict[str, str] = {}  # what has a name of its own, by what makes it
        self.names = names
        self.constants = constants
        self.spreads: dict[str, tuple[str, str, int, int, int]] = {}  # arrays of agreement that put r' at s·r' + c
        self.order: tuple[str, ...] = ()  # the letters of the quantity that is written
        self.is_slope = False  # whether that is a derivative
        self.vanishes = may_vanish(graph)
        self.scales: dict[str, tuple[str, ...]] = {}  # numbers that quantities are still to be multiplied by

    def write(self, expr: Expr) -> Piece:
        """Code for an expression, in which 0·ln 0 is 0."""
        tests = [self.plain(part) for part in zeros(expr, self.is_slope)] if self.vanishes else []
        if not tests:
            return self.plain(expr)
        whole = self.plain(expr)
        letters = _union([whole, *tests])
        joined = (" | " if isinstance(expr, Product) else " & ").join(f"({test.along(letters)} == 0)" for test in tests)
        return Piece(f"np.where({joined}, 0.0, {whole.along(letters)})", letters)

    def plain(self, expr: Expr) -> Piece:
        """Code for an expression as it is."""
        match expr:
            case Number():
                value = expr.numerator / expr.denominator
                return Piece(repr(value) if value >= 0 else f"({value!r})")
            case Ref(name, indices):
                return self.cells(name, indices)
            case Negation(operand):
                inner = self.write(operand)
                return Piece(f"(-{inner.text})", inner.letters, inner.scale)
            case Sum(terms):
                return self.sum(terms)
            case Product(factors):
                return self.product([self.write(factor) for factor in factors])
            case Quotient(above, below):
                return self.beside([self.write(above), self.write(below)], " / ")
            case Power(base, exponent):
                return self.beside([self.write(base), self.write(exponent)], " ** ")
            case Total():
                return self.total(expr)
            case Call(name, arguments):
                return self.call(name, arguments)
            case Entry():
                return self.entry(expr)
            case Delta(left, right):
                return self.agreement(left, right)
        raise NotVectorised(type(expr).__name__)

    def cells(self, name: str, indices: tuple[Position, ...]) -> Piece:
        """A quantity at indices; shifted ones are a view with an axis for every letter."""
        axes = self.graph[name].axes
        letters = tuple(index.letter for place in indices for _, index in affine(place).terms)
        text = self.names[name]
        if not all(isinstance(place, Index) and place.axis.size == axis.size for place, axis in zip(indices, axes)):
            plain = [isinstance(place, Index) and place.axis.size == axis.size for place, axis in zip(indices, axes)]
            seen = tuple(None if is_plain else window(place, axis.size) for is_plain, place, axis in zip(plain, indices, axes))
            slices = list(map(sliced, seen))
            view = "" if all(slices) else f"{text}, {seen!r}"
            text = f"windows({view})" if view else f"{text}[{', '.join(slices)}]"
            if own := repeated(letters):
                return Piece(f"diagonal({text}, {own!r})", tuple(dict.fromkeys(letters)), self.scales.get(name, ()))
            return Piece(text, letters, self.scales.get(name, ()), (), view, self.graph[name].sampled and plain[0])
        if repeated(letters):
            raise NotVectorised("one index in two places")
        return Piece(text, letters, self.scales.get(name, ()))

    def agreement(self, left: Position, right: Position) -> Piece:
        """An array that is 1 where two places agree."""
        found, indices = kronecker(left, right)
        name = f"k{len(self.constants)}"
        self.constants[name] = found
        terms = affine(left).terms
        if isinstance(right, Index) and len(terms) == 1:
            self.spreads[name] = (terms[0][1].letter, right.letter, affine(left).constant, terms[0][0], right.axis.size)
        return Piece(name, tuple(index.letter for index in indices))

    def sum(self, terms: tuple[Expr, ...]) -> Piece:
        signed = [(" - ", self.write(term.operand)) if isinstance(term, Negation) else (" + ", self.write(term)) for term in terms]
        signed = _together(signed)
        letters = _union(piece for _, piece in signed)
        text = "".join(sign + piece.along(letters) for sign, piece in signed)
        return Piece(f"({text.removeprefix(' + ').strip()})", letters)

    def beside(self, pieces: list[Piece], sign: str) -> Piece:
        letters = _union(pieces)
        return Piece(f"({sign.join(piece.along(letters) for piece in pieces)})", letters)

    def product(self, pieces: list[Piece]) -> Piece:
        """Arrays one by one; the numbers among them stay apart until the array is used."""
        wide = [piece for piece in pieces if piece.letters]
        if not wide:
            return self.beside(pieces, " * ")
        scale = tuple(text for piece in pieces for text in (*piece.scale, *([] if piece.letters else [piece.text])))
        bare = [piece.bare for piece in wide]
        inner = bare[0] if len(bare) == 1 else self.beside(bare, " * ")
        outer = len(bare) == 2 and all(len(piece.letters) == 1 for piece in bare) and len(inner.letters) == 2
        return Piece(inner.text, inner.letters, scale, tuple(piece.text for piece in bare) if outer else ())

    def total(self, expr: Total) -> Piece:
        """A sum over indices: matrix products where two factors share a summed letter, else the sum along the axes."""
        summed: list[str] = []
        body: Expr = expr
        while isinstance(body, Total):
            summed.append(body.index.letter)
            body = body.body
        if isinstance(body, Sum):
            return self.sum(tuple(_totals(expr, term) for term in body.terms))
        if isinstance(body, Negation):
            inner = self.write(_totals(expr, body.operand))
            return Piece(f"(-{inner.text})", inner.letters, inner.scale)
        factors = body.factors if isinstance(body, Product) and not (self.vanishes and zeros(body, False)) else (body,)
        apart = next((one for one in factors if isinstance(one, Sum) and any(isinstance(node, Delta) for node in walk(one))), None)
        if apart is not None:  # each term goes to other places
            rest = [factor for factor in factors if factor is not apart]
            return self.sum(tuple(_totals(expr, mul(*rest, term)) for term in apart.terms))
        pieces = [self.write(factor) for factor in factors]
        scale = tuple(text for piece in pieces for text in (*piece.scale, *([] if piece.letters else [piece.text])))
        wide = [piece.bare for piece in pieces if piece.letters]
        numbers = list(scale)
        while len(wide) > 1:
            first, second, *later = wide
            found = self.multiplied(first, second, [letter for letter in summed if not any(letter in piece.letters for piece in later)])
            numbers += found.scale
            if found.letters:
                wide = [found.bare, *later]
            else:
                numbers.append(found.text)
                wide = later
        if not wide:
            return Piece(f"({' * '.join(numbers)})")
        result = wide[0]
        along = tuple(place for place, letter in enumerate(result.letters) if letter in summed)
        if along:
            kept = tuple(letter for letter in result.letters if letter not in summed)
            result = Piece(f"{result.text}.sum(axis={along[0] if len(along) == 1 else along})", kept)
        return Piece(result.text, result.letters, tuple(numbers), result.halves)

    def multiplied(self, left: Piece, right: Piece, summed: list[str]) -> Piece:
        shared = [letter for letter in left.letters if letter in right.letters]
        if len(shared) == 1 and shared[0] in summed and len(left.letters) <= 2 and len(right.letters) <= 2:
            rows, columns = (tuple(one for one in piece.letters if one != shared[0]) for piece in (left, right))
            if rows and columns and {*rows, *columns} <= {*self.order} and self.order.index(columns[0]) < self.order.index(rows[0]):
                left, right, rows, columns = right, left, columns, rows  # so that the result need not be turned round
            halves = (left.text, right.text) if (left.letters, right.letters) == ((*shared, *rows), (*shared, *columns)) else ()
            text = f"({left.along((*rows, *shared))} @ {right.along((*shared, *columns))})"
            return Piece(text, (*rows, *columns), (), halves if rows and columns else ())
        source, target, *step = self.spreads.get(right.text, ("", ""))
        if source in summed and shared == [source]:
            axis = left.letters.index(source)
            return Piece(f"spread({left.text}, {axis}, {tuple(step)!r})", (*left.letters[:axis], target, *left.letters[axis + 1 :]))
        if any(letter in summed for letter in shared):
            kept = [one for one in dict.fromkeys((*left.letters, *right.letters)) if one not in shared or one not in summed]
            ordered = [one for one in self.order if one in kept] + [one for one in kept if one not in self.order]
            short = {one: chr(ord("a") + place) for place, one in enumerate(dict.fromkeys((*left.letters, *right.letters)))}
            spelled = tuple("".join(short[one] for one in letters) for letters in (left.letters, right.letters, ordered))
            each = next((short[piece.letters[0]] for piece in (left, right) if piece.view and piece.sampled), "")
            first, second = (self.unfold(piece, [one for one in shared if one in summed]) for piece in (left, right))
            return Piece(f"contract({first}, {second}, {spelled!r}{f', {each!r}' * bool(each)})", tuple(ordered))
        return self.product([left, right])

    def unfold(self, piece: Piece, summed: Sequence[str]) -> str:
        """The code of an array that is multiplied; windows are laid out for it once, what is summed first."""
        if not piece.view:
            return piece.text
        later = [(place > 0 or not piece.sampled, letter not in summed) for place, letter in enumerate(piece.letters)]
        order = sorted(range(len(later)), key=later.__getitem__)
        return self.keep(piece.view, f"unfolded({piece.view}, {tuple(order)!r})")

    def keep(self, key: str, text: str) -> str:
        """The name of something that is used again: it is worked out once."""
        if key not in self.kept:
            self.kept[key] = f"u{len(self.kept)}"
            self.lines.append(f"    {self.kept[key]} = {text}")
        return self.kept[key]

    def call(self, name: str, arguments: tuple[Expr, ...]) -> Piece:
        record = function(name)
        if name not in NUMPY and record.definition and not record.family and not record.limit:
            written = definition(name, arguments)
            assert written is not None
            return self.write(written)
        pieces = [self.settled(argument) if record.jumps else self.write(argument) for argument in arguments]
        letters = _union(pieces)
        texts = [piece.along(letters) for piece in pieces]
        if name in NUMPY:
            text = texts[0] if len(texts) > 1 else f"{NUMPY[name]}({texts[0]})"
            for other in texts[1:]:
                text = f"{NUMPY[name]}({text}, {other})"
            is_slow = name in SLOW and texts[0].isidentifier()
            return Piece(self.keep(text, text) if is_slow else text, letters)
        return Piece(f"each[{name!r}]({', '.join(texts)})", letters)

    def settled(self, expr: Expr) -> Piece:
        """Code for an expression; 0 where it is a sum that is nothing but the noise of its terms."""
        piece = self.write(expr)
        if not isinstance(expr, (Sum, Total)) or not piece.letters:
            return piece
        size, bound = self.write(positive(expr)).along(piece.letters), self.bound(positive(expr))
        return Piece(f"without_noise({piece.along(piece.letters)}, lambda: {size}, lambda: {bound})", piece.letters)

    def bound(self, expr: Expr) -> str:
        """Code for a number that no number of an expression without negative terms is above."""
        match expr:
            case Number():
                return repr(expr.numerator / expr.denominator)
            case Sum(terms):
                return f"({' + '.join(map(self.bound, terms))})"
            case Product(factors):
                return f"({' * '.join(map(self.bound, factors))})"
            case Total(index, body):
                return f"({index.axis.size} * {self.bound(body)})"
            case Call("abs", (Ref(name, _),)):
                return " * ".join([f"largest({self.names[name]})", *(f"abs({scale})" for scale in self.scales.get(name, ()))])
        piece = self.write(expr)
        return f"largest({piece.along(piece.letters)})"

    def entry(self, expr: Entry) -> Piece:
        """softmax, its logarithm or logsumexp over one axis of a family."""
        body = self.write(expr.body)
        axis = body.letters.index(expr.index.letter)
        assert isinstance(expr.at, Index) or expr.function == "logsumexp"
        text = f"{expr.function}({body.along(body.letters)}, {axis})"
        if isinstance(expr.at, Index):
            return Piece(text, tuple(expr.at.letter if letter == expr.index.letter else letter for letter in body.letters))
        return Piece(text, tuple(letter for letter in body.letters if letter != expr.index.letter))


def _union(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The letters of all, those of the widest first."""
    found: dict[str, None] = {}
    for piece in sorted(pieces, key=lambda piece: -len(piece.letters)):
        found |= dict.fromkeys(piece.letters)
    return tuple(found)


def _together(signed: list[tuple[str, Piece]]) -> list[tuple[str, Piece]]:
    """The terms of a sum; many products of two halves, as of an error and an output at every time, are one of all the halves."""
    alike: dict[Any, list[int]] = {}
    for place, (sign, piece) in enumerate(signed):
        if piece.halves and sign == " + ":
            alike.setdefault((piece.letters, piece.scale), []).append(place)
    found: list[tuple[str, Piece] | None] = [*signed]
    for (letters, scale), places in alike.items():
        if len(places) >= MANY:
            firsts, seconds = (", ".join(half) for half in zip(*(signed[place][1].halves for place in places)))
            found[places[0]] = " + ", Piece(f"(stacked({firsts}).T @ stacked({seconds}))", letters, scale)
            for place in places[1:]:
                found[place] = None
    return [term for term in found if term is not None]


def _totals(expr: Total, body: Expr) -> Expr:
    return Total(expr.index, _totals(expr.body, body)) if isinstance(expr.body, Total) else Total(expr.index, body)

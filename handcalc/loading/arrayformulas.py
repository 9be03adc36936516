"""Formulas over lists and matrices: `z: W@x + b`, `E: 1/2*sum((t - o)^2)`, `h: tanh(z)`, `w: W[1,2]`.

- `table(item)` reads a list or a matrix, `defined(entries, given, tables)` equations in order, `sized(name, item, arrays, axes)` a formula
  of such a size; `sizes_of` are the directions of all that is a list. `Arrays(symbols)` resolves names.

A name alone stands for all cells, `W[1,2]` for one, `W[2]` or `W[2,:]` for a row, `W[:,2]` for a column, `W^T` for the transpose;
`[1, 2*a]` is a list of numbers or of rows.
`+ - * / ^` and functions go cell by cell, on equal sizes or with a number; `@` is the product of matrices. What is worked on whole lists is
a line of `_RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain, product
from typing import TypeGuard

from handcalc.core.expr import (
    REBUILD,
    ZERO,
    Call,
    Delta,
    Entry,
    Expr,
    Number,
    Ref,
    add,
    call,
    children,
    delta,
    mul,
    power,
    reindex,
    total,
    walk,
)
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.core.index import Axis, Index, Position
from handcalc.core.record import Record
from handcalc.errors import Message, Template
from handcalc.problem.reader import FileNode, quoted
from handcalc.problem.schema import NamedFormula, Tensor
from handcalc.problem.shapes import nested

Axes = tuple[Axis, ...]
Letters = tuple[Index, ...]
OUTER = "ij"  # letters of the directions of a result
INNER = "klmnpqruvw"  # and of what is summed over
_TURNED = r"(?:\^T|\.T|ᵀ)(?!\w)"
_PLACE = r"\s*\[\s*(?:\d{1,6}|:)(?:\s*,\s*(?:\d{1,6}|:))*\s*\]"


class ShapeError(ValueError):
    """What does not fit together: a message with places to fill."""

    def __init__(self, template: Template, **values: object) -> None:
        super().__init__(template)
        self.template = template
        self.values = values


def table(item: FileNode) -> Tensor | None:
    """A list, or a list of lists, of numbers; None after an error."""
    found = nested(item)
    if found is None:
        return None
    sizes, entries = found
    if len(sizes) > len(OUTER):
        item.fail("a list of lists at most, found {count} inside each other", count=len(sizes))
        return None
    places = product(*map(range, sizes))
    return Tensor("given", axes_of(sizes), dict(zip(places, [entry.number() or ZERO for entry in entries])))


def axes_of(sizes: Iterable[int]) -> Axes:
    """Directions of such sizes."""
    return tuple(Axis("entry", size) for size in sizes)


def sizes_of(tables: Mapping[str, Tensor], equations: Iterable[NamedFormula]) -> dict[str, Axes]:
    """The directions of what is given as a list, and of what follows as one."""
    found = {name: tensor.axes for name, tensor in tables.items()}
    return found | {one.name: tuple(letter.axis for letter in one.index) for one in equations}


def defined(entries: Mapping[str, FileNode], given: Collection[str], tables: Mapping[str, Tensor]) -> tuple[NamedFormula, ...]:
    """The equations in order, each over what is given and those before it."""
    sizes: dict[str, Axes] = {**dict.fromkeys(given, ()), **sizes_of(tables, ())}
    result = []
    for name, item in entries.items():
        found = sized(name, item, Arrays({one: (one, axes) for one, axes in sizes.items()}), None, entries)
        sizes[name] = ()
        if found is not None:
            result.append(found)
            sizes |= sizes_of({}, (found,))
    return tuple(result)


def sized(name: str, item: FileNode, arrays: Arrays, axes: Axes | None, later: Collection[str] = ()) -> NamedFormula | None:
    """The formula of a name: of such directions, or of whichever it has; None after an error."""
    try:
        expr = item.formula(arrays.symbols, later, resolve=arrays)
        if expr is None:
            return None
        shape = _shape(expr)
        if axes is not None and shape and _lengths(shape) != _lengths(axes):
            raise ShapeError("{name} is {wanted}, and this is {found}", name=quoted(name), wanted=_sizes(axes), found=_sizes(shape))
        index = tuple(Index(letter, axis) for letter, axis in zip(OUTER, shape if axes is None else axes))
        return NamedFormula(name, _Placing().at(expr, index if shape else ()), index)
    except ShapeError as error:
        item.fail(error.template, **error.values)
    return None


class Arrays:
    """A resolver of names with directions; symbols: as typed → quantity and directions."""

    def __init__(self, symbols: Mapping[str, tuple[str, Axes]]) -> None:
        self.symbols = symbols
        self.functions = {**FUNCTIONS, **{name: rule.function for name, rule in _RULES.items()}}
        longest = sorted(symbols, key=len, reverse=True)
        self.pattern = re.compile(rf"(?:{'|'.join(map(re.escape, longest))})(?:{_PLACE}|{_TURNED}|(?![\w(.'′\[]))") if symbols else None

    def __call__(self, token: str) -> Expr | None:
        plain = token if token in self.symbols else re.sub(f"{_TURNED}$", "", token)
        word, _, typed = plain.partition("[") if plain not in self.symbols else (plain, "", "")
        found = self.symbols.get(word.strip())
        if found is None:
            return None
        name, axes = found
        places = [part.strip() for part in typed.rstrip("] ").split(",")] if typed else []
        if len(places) > len(axes):
            raise ShapeError("{name} has {count} {count:direction|directions}, and not {found}", name=quoted(word.strip()), count=len(axes),
                             found=len(places))  # fmt: skip
        free = iter(range(len(axes)))
        indices = []
        for place, axis in zip(chain(places, ":" * (len(axes) - len(places))), axes):
            if place != ":" and not 1 <= int(place) <= axis.size:
                raise ShapeError("{found} is not there: {name} is {size}", found=quoted(token), name=word.strip(), size=_sizes(axes))
            indices.append(Index(f"*{next(free)}", axis) if place == ":" else int(place) - 1)
        count = len(axes) - 1
        turned = [Index(f"*{count - number}", axis) for number, axis in enumerate(axes)]
        return Ref(name, tuple(indices if plain == token else turned))


def _is_free(place: Position) -> TypeGuard[Index]:
    return isinstance(place, Index)


# --- which directions something has -----------------------------------------------------------------------------------


def _shape(expr: Expr) -> Axes:
    """The directions of a formula. Raises ShapeError where its parts do not fit."""
    if isinstance(expr, Ref):
        return tuple(place.axis for place in sorted(filter(_is_free, expr.indices), key=lambda place: place.letter))
    shapes = [_shape(part) for part in children(expr)]
    if isinstance(expr, Call) and expr.function in _RULES:
        return _RULES[expr.function].shape(*shapes)
    wide = [shape for shape in shapes if shape]
    other = next((shape for shape in wide if _lengths(shape) != _lengths(wide[0])), None)
    if other is not None:
        text = "{one} and {other} do not go together cell by cell; @ is the product of matrices: W@x"
        raise ShapeError(text, one=_sizes(wide[0]), other=_sizes(other))
    return wide[0] if wide else ()


def _lengths(axes: Axes) -> list[int]:
    return [axis.size for axis in axes]


def _sizes(axes: Axes) -> str | Message:
    return "×".join(map(str, _lengths(axes))) if axes else Message("a single number")


def _product_shape(left: Axes, right: Axes) -> Axes:
    if not left or not right or left[-1].size != right[0].size:
        text = "a product of {one} and {other}: the columns of the first must be as many as the rows of the second"
        raise ShapeError(text, one=_sizes(left), other=_sizes(right))
    return (*left[:-1], *right[1:])


def _whole_shape(axes: Axes) -> Axes:
    return ()


def _listed_shape(axes: Axes) -> Axes:
    if not axes:
        raise ShapeError("softmax goes over a list, and this is a single number")
    return axes


def _turned_shape(axes: Axes) -> Axes:
    if len(axes) != 2:
        raise ShapeError("only a matrix is transposed, and this is {found}", found=_sizes(axes))
    return axes[::-1]


def _list_shape(*entries: Axes) -> Axes:
    other = next((axes for axes in entries if _lengths(axes) != _lengths(entries[0])), entries[0])
    if _lengths(other) != _lengths(entries[0]):
        raise ShapeError("a list has entries of one size, and these are {one} and {other}", one=_sizes(entries[0]), other=_sizes(other))
    if len(entries[0]) >= len(OUTER):
        raise ShapeError("a list of lists at most, found {count} inside each other", count=len(entries[0]) + 1)
    return (*axes_of((len(entries),)), *entries[0])


def _outer_shape(left: Axes, right: Axes) -> Axes:
    if len(left) != 1 or len(right) != 1:
        raise ShapeError("an outer product is one of two lists, and these are {one} and {other}", one=_sizes(left), other=_sizes(right))
    return (*left, *right)


# --- the formula of one cell ------------------------------------------------------------------------------------------


class _Placing:
    """Puts letters at the directions of a formula; every sum has one of its own."""

    def __init__(self) -> None:
        self.taken = 0

    def fresh(self, axis: Axis) -> Index:
        """An index with a letter that nothing else in the formula has."""
        number, self.taken = self.taken, self.taken + 1
        return Index(INNER[number % len(INNER)] + str(number // len(INNER) or ""), axis)

    def at(self, expr: Expr, index: Letters) -> Expr:
        """The cell of a formula at letters."""
        if isinstance(expr, Ref):
            letters = {f"*{number}": letter for number, letter in enumerate(index)}
            return Ref(expr.quantity, tuple(letters[one.letter] if isinstance(one, Index) else one for one in expr.indices))
        if isinstance(expr, Call) and expr.function in _RULES:
            return _RULES[expr.function].cell(self, index, *expr.arguments)
        parts = [self.at(part, index if _shape(part) else ()) for part in children(expr)]
        return REBUILD[type(expr)](expr, parts) if parts else expr

    def over(self, expr: Expr, change: Callable[[Expr], Expr] = lambda cell: cell) -> Expr:
        """Σ over all cells of a formula."""
        index = tuple(self.fresh(axis) for axis in _shape(expr))
        found = change(self.at(expr, index))
        for letter in reversed(index):
            found = _summed(letter, found)
        return found


def _summed(index: Index, body: Expr) -> Expr:
    """Σ body; term by term where the body has a list that was typed, whose entries have no name."""
    if any(isinstance(node, Delta) and index in (node.left, node.right) for node in walk(body)):
        return add(*(reindex(body, {index.letter: place}) for place in index.axis.places))
    return total(index, body)


def _listed(placing: _Placing, index: Letters, *entries: Expr) -> Expr:
    """Σ_m entry_m·[i = m]"""
    return add(*(mul(placing.at(entry, index[1:]), delta(index[0], place)) for place, entry in enumerate(entries)))


def _product(placing: _Placing, index: Letters, left: Expr, right: Expr) -> Expr:
    rows = len(_shape(left)) - 1
    inner = placing.fresh(_shape(left)[-1])
    return _summed(inner, mul(placing.at(left, (*index[:rows], inner)), placing.at(right, (inner, *index[rows:]))))


def _mean(placing: _Placing, index: Letters, whole: Expr) -> Expr:
    count = 1
    for axis in _shape(whole):
        count *= axis.size
    return mul(Number(1, count), placing.over(whole))


def _softmax(name: str) -> Callable[[_Placing, Letters, Expr], Expr]:
    def cell(placing: _Placing, index: Letters, whole: Expr) -> Expr:
        inner = placing.fresh(index[-1].axis)
        return Entry(name, index[-1], inner, placing.at(whole, (*index[:-1], inner)))

    return cell


class _Rule(Record):
    """What is worked on whole lists: how it is called, which directions come of those of its arguments, and one cell of it."""

    function: Function
    shape: Callable[..., Axes]
    cell: Callable[..., Expr]


def _rule(name: str, arguments: str, shape: Callable[..., Axes], cell: Callable[..., Expr]) -> _Rule:
    return _Rule(Function(name, float, tuple(arguments), ()), shape, cell)


_RULES = {
    rule.function.name: rule
    for rule in (
        _rule("@", "ab", _product_shape, _product),  # Σ_k a_ik·b_kj
        _rule("dot", "ab", _product_shape, _product),
        _rule("[]", "a", _list_shape, _listed),  # [a, b, …]
        _rule("sum", "a", _whole_shape, lambda placing, index, whole: placing.over(whole)),
        _rule("mean", "a", _whole_shape, _mean),
        _rule(
            "norm", "a", _whole_shape, lambda placing, index, whole: call("sqrt", placing.over(whole, lambda one: power(one, Number(2))))
        ),
        _rule("outer", "ab", _outer_shape, lambda placing, index, a, b: mul(placing.at(a, index[:1]), placing.at(b, index[1:]))),
        _rule("transpose", "a", _turned_shape, lambda placing, index, whole: placing.at(whole, index[::-1])),
        *(_rule(name, "z", _listed_shape, _softmax(name)) for name in ("softmax", "log_softmax")),
    )
}

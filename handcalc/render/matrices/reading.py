"""The matrix form of a quantity, read off the indices of its general formula; never written by hand.

- `matrix_form(graph, quantity, manner)` is a `MatrixForm`: what stands left of the equals sign and right of it, or None.

How: every reference becomes a matrix whose rows and columns are named by its indices (a vector is a column). A product of factors is
contracted over the summed indices (contraction.py), shifted ones become ⋆ and ∗ (windows.py); the free ones must come out as on the
left. Indices of times, heads and channels are no directions but name the members of a family: net_t = W·x_t + U·h_{t−1} + b; a sum over
them stays a Σ. Where that is not enough for two directions, samples, then the first axes, are taken for a family as well.
"""

from __future__ import annotations

from collections.abc import Iterator

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
    call,
    references,
    reindex,
    rewrite,
    sub,
    total,
    walk,
)
from handcalc.core.graph import Graph
from handcalc.core.index import Affine, Index, Position, affine
from handcalc.core.quantity import Quantity
from handcalc.core.record import Record
from handcalc.render.matrices.contraction import added, contraction, elementwise
from handcalc.render.matrices.forms import (
    MatrixNode,
    Places,
    Window,
    inner,
    is_scalar,
    letters,
    negated,
    ones,
    oriented,
    scalar,
    times,
    transposed,
)

FAMILIES = ("time", "head", "channel")  # axes whose members are matrices of their own


class Manner(Record):
    """How a notation writes matrices. rows: vectors are rows; sources: quantities whose matrices have a row for each source."""

    rows: bool = False
    sources: frozenset[str] = frozenset()


COLUMNS = Manner()


class MatrixForm(Record):
    """left = right."""

    left: MatrixNode
    right: MatrixNode

    @property
    def windows(self) -> tuple[Window, ...]:
        """How kernels lie over data, where there are any."""
        return next(_windows(self.right), ())


def _windows(form: MatrixNode) -> Iterator[tuple[Window, ...]]:
    if form.operator in ("correlation", "convolution"):
        yield form.parts[2:]
    for part in inner(form):
        yield from _windows(part)


def matrix_form(graph: Graph, quantity: Quantity, manner: Manner = COLUMNS, definition: Expr | None = None) -> MatrixForm | None:
    """What the quantity is in matrices, or None; definition: the formula of the quantity that is read, if not its own."""
    if quantity.definition is None or quantity.cases or not quantity.axes:
        return None
    formula = rewrite(definition or quantity.definition, lambda node: _put_in(graph, node))
    for members in _families(graph, quantity, formula):
        found = FormulaReader(graph, quantity, formula, manner, members).form()
        if found is not None:
            return found
    return None


def _put_in(graph: Graph, node: Expr) -> Expr | None:
    """The definition of one path, or of one sample's gradient: only their sums have a matrix form."""
    if not isinstance(node, Ref):
        return None
    quantity = graph[node.quantity]
    if quantity.definition is None or not (quantity.part_of_sum or _of_one_sample(graph, quantity)):
        return None
    places = {index.letter: place for index, place in zip(quantity.index, node.indices)}
    return rewrite(reindex(quantity.definition, places), lambda part: _put_in(graph, part))


def _of_one_sample(graph: Graph, quantity: Quantity) -> bool:
    """Whether it is each sample's gradient of what all samples share."""
    return quantity.kind == "gradient" and quantity.sampled and quantity.of is not None and not graph[quantity.of.quantity].sampled


def _families(graph: Graph, quantity: Quantity, formula: Expr) -> Iterator[frozenset[str]]:
    """Letters that may name members of a family, the fewest first."""
    used = {index.letter for ref in references(formula) for place in ref.indices for _, index in affine(place).terms}
    bound = [node.index for node in walk(formula) if isinstance(node, (Total, Entry))]
    joined = {letter for group in _groups(graph, quantity, formula) for letter in group}
    members = {index.letter for index in (*quantity.index, *bound) if index.axis.role in FAMILIES} - joined
    totals = {node.index.letter for node in walk(formula) if isinstance(node, Total)}
    members |= totals - used  # in δ only: the stretches of a truncated sum
    if _of_one_sample(graph, quantity):
        members.add(quantity.index[0].letter)
    yield frozenset(members)
    members |= {index.letter for index in (*quantity.index, *bound) if index.axis.role == "sample"} - joined
    yield frozenset(members)
    own = [index.letter for index in quantity.index if index.letter not in members | joined]
    for letter in own[: max(1, len(own) - 2)]:
        members.add(letter)
        yield frozenset(members)


def _groups(graph: Graph, quantity: Quantity, formula: Expr) -> set[tuple[str, ...]]:
    """Letters of axes that some quantity counts through as one: the maps that a dense layer sees as a vector."""
    found = set()
    for ref in (Ref(quantity.name, quantity.index), *references(formula)):
        merged = counted_through(graph, graph[ref.quantity])
        places = ref.indices[len(ref.indices) - merged :]
        if merged > 1 and all(isinstance(place, Index) for place in places):
            found.add(tuple(place.letter for place in places if isinstance(place, Index)))
    return found


def counted_through(graph: Graph, quantity: Quantity) -> int:
    """How many axes at the end of a parameter, or of what is derived from one, are counted through as one."""
    while quantity.of is not None:
        quantity = graph[quantity.of.quantity]
    return quantity.merged


class FormulaReader:
    """Reads one formula, certain letters being those of families."""

    def __init__(self, graph: Graph, quantity: Quantity, formula: Expr, manner: Manner, members: frozenset[str]) -> None:
        self.graph = graph
        self.quantity = quantity
        self.formula = formula
        self.manner = manner
        self.members = members
        self.groups = _groups(graph, quantity, formula)

    def form(self) -> MatrixForm | None:
        """left = right, or None."""
        left = self.reference(Ref(self.quantity.name, self.quantity.index))
        right = self.read(self.formula)
        if left is None or right is None or left.rows == left.columns != "":
            return None
        return self._told(left, right)

    def _told(self, left: MatrixNode, right: MatrixNode) -> MatrixForm | None:
        """Both sides with the same directions: a number is every entry, a vector every column or row."""
        missing = letters(left) - letters(right)
        if missing and letters(right) and letters(right) < letters(left):
            letter = missing.pop()
            column = oriented(right, next(iter(letters(right))), "")
            assert column is not None
            size = next(index.axis.size for index in self.quantity.index if index.letter == letter)
            right = times(column, transposed(ones(size, letter)))
        turned = oriented(right, left.rows, left.columns)
        geometries = set(_windows(right))
        return MatrixForm(left, turned) if turned is not None and len(geometries) < 2 else None

    # --- nodes ---

    def read(self, expr: Expr) -> MatrixNode | None:
        """An expression in matrices."""
        match expr:
            case Number() | Call(_, ()):  # a number, or a constant such as π
                return scalar(expr)
            case Ref():
                return self.reference(expr)
            case Delta():
                return self._delta(expr)
            case Negation(operand):
                found = self.read(operand)
                return found and negated(found)
            case Sum(terms):
                return added([self.read(term) for term in terms])
            case Product() | Total():
                return contraction(self, expr)
            case Quotient(above, below):
                return elementwise("quotient", self.read(above), self.read(below))
            case Power(base, exponent):
                found, power = self.read(base), self.read(exponent)
                if found is None or power is None or not is_scalar(power):
                    return None
                if is_scalar(found) and not isinstance(exponent, Number):
                    return self._alone(expr)
                return MatrixNode("power", (found, exponent), found.rows, found.columns) if isinstance(exponent, Number) else None
            case Call(_, arguments) if arguments and expr.at < 0:
                return self._call(expr)
            case Entry("logsumexp", _, index, body):
                return self.read(call("ln", total(index, call("exp", body))))
            case Entry("log_softmax", Index() as at, index, body):
                return self.read(sub(reindex(body, {index.letter: at}), Entry("logsumexp", -1, index, body)))
            case Entry("softmax", Index(letter), index, body):
                found = self.read(body)
                if found is None or index.letter not in letters(found):
                    return None
                rows, columns = (letter if side == index.letter else side for side in (found.rows, found.columns))
                return MatrixNode("softmax", (found, "rows" if found.rows == index.letter else "columns"), rows, columns)
        return None

    def _call(self, expr: Call) -> MatrixNode | None:
        """A function of every entry; its arguments are of one shape, or numbers."""
        found = [self.read(argument) for argument in expr.arguments]
        arguments = [argument for argument in found if argument is not None]
        if len(arguments) < len(found):
            return None
        wide = next((argument for argument in arguments if not is_scalar(argument)), None)
        if wide is None and (len(arguments) > 1 or arguments[0].operator == "scalar"):
            return self._alone(expr)
        shape = wide or arguments[0]
        fitting = [oriented(argument, shape.rows, shape.columns) for argument in arguments]
        return None if None in fitting else MatrixNode("call", (expr.function, *fitting), shape.rows, shape.columns)

    def _alone(self, expr: Expr) -> MatrixNode | None:
        """An expression of single numbers, printed as it is."""
        return None if any(ref.indices for ref in references(expr)) else scalar(expr)

    def _delta(self, expr: Delta) -> MatrixNode | None:
        """[t = T] of a family is 1 or 0; of two directions it is the identity matrix."""
        used = {index.letter for place in (expr.left, expr.right) for _, index in affine(place).terms}
        if used <= self.members:
            return scalar(expr)
        left, right = expr.left, expr.right
        if not isinstance(left, Index) or not isinstance(right, Index) or used & self.members or left.axis.size != right.axis.size:
            return None
        return MatrixNode("identity", (left.axis.size,), left.letter, right.letter)

    # --- references ---

    def fixed(self, place: Position) -> bool:
        """Whether a place says which member of a family is meant."""
        return all(index.letter in self.members for _, index in affine(place).terms)

    def reference(self, ref: Ref, windows: dict[int, str] | None = None) -> MatrixNode | None:
        """A quantity, or a member of its family; windows: letters for the axes with shifted places."""
        axes, places = self.graph[ref.quantity].axes, ref.indices
        directions: list[tuple[str, tuple[int, ...]]] = []
        tail = self._tail(ref)
        for axis, place in enumerate(places[: len(places) - len(tail)]):
            if windows and axis in windows:
                directions.append((windows[axis], (axis,)))
            elif isinstance(place, Affine) and not self.fixed(place):
                return None
            elif not self.fixed(place):
                assert isinstance(place, Index)
                if place.axis.size != axes[axis].size:
                    return None  # along a part of the axis, as the state at earlier times
                directions.append((place.letter, (axis,)))
        if tail:
            directions.append((",".join(tail), tuple(range(len(places) - len(tail), len(places)))))
        if len(directions) > 2 or len({letter for letter, _ in directions}) < len(directions):
            return None
        counted = {axis for _, chosen in directions for axis in chosen}
        where = tuple(None if axis in counted else place for axis, place in enumerate(places))
        return self._laid(ref.quantity, where, directions)

    def _tail(self, ref: Ref) -> tuple[str, ...]:
        """The letters at the end of a reference that are counted through as one direction."""
        for group in self.groups:
            end = ref.indices[len(ref.indices) - len(group) :]
            if len(end) == len(group) and all(isinstance(place, Index) and place.letter == letter for place, letter in zip(end, group)):
                return group
        return ()

    def _laid(self, name: str, fixed: tuple[Position | None, ...], directions: list[tuple[str, tuple[int, ...]]]) -> MatrixNode:
        """A matrix as the notation lays it out."""
        along = [self.graph[name].axes[axis].role for _, chosen in directions for axis in chosen]
        if len(directions) == 1 and self.manner.rows and along != ["sample"]:  # samples are rows in every manner
            directions = [("", ()), *directions]
        if len(directions) == 2 and name in self.manner.sources and directions[0][1] == (0,):
            directions.reverse()
        (rows, first), (columns, second) = [*directions, ("", ()), ("", ())][:2]
        several = max(len(first), len(second)) > 1
        flat = several and not counted_through(self.graph, self.graph[name])
        return MatrixNode("name", (name, Places(fixed, first, second, flat)), rows, columns)

"""What cells of a quantity have in common: their formulas are one, but for the cells that are used in it.

- `Frames(graph).uses(cell)`: the cells that a formula uses, without writing it out.
- `Frames(graph).of(cell)`: the same in the order of binding, and their `Frame`; `outline` is asked of any expression in some indices.

Where binding a general formula decides something (whether there is a cell, which places a sum goes over, whether two indices agree), it is
noted; cells with the same notes have the same frame. Where nothing can be decided, because every cell is there, no notes are taken, and
the cells of a sum are those of the cell before, moved. A frame is compared with the formula of the cell that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from operator import add, itemgetter

from handcalc.core.binding import bind
from handcalc.core.expr import Call, Delta, Entry, Expr, Negation, Number, Product, Ref, Sum, Total, children, references, rewrite
from handcalc.core.graph import Graph
from handcalc.core.index import Index, Position, Substitution, affine, inside, shift_index
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.reach import ANYWHERE
from handcalc.core.record import Record

Place = tuple[int, ...]
Notes = list[int]
Walk = Callable[[Place, list[Cell], Notes], None]  # adds cells and notes in the order in which binding comes to them
LISTED = 100_000  # places of given numbers that are looked through for one that is missing


class Frame(Record):
    """A formula in which `Ref(quantity, (n,))` stands for the cell with the number n; order: these numbers, as they are written."""

    formula: Expr
    order: tuple[int, ...]


Framed = tuple[Frame, list[Cell]]


class Frames:
    """The frames of a graph. They hold as long as its formulas do."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._whole: dict[str, bool] = {}
        self._own: dict[str, Outline] = {}  # of quantities with one formula
        self._outlines: dict[tuple[int, tuple[str, ...]], Outline] = {}

    def of(self, wanted: Cell) -> Framed | None:
        """The frame of a cell's formula, and the cells in it; None where it has none."""
        outline = self._own.get(wanted[0])
        if outline is None:
            quantity = self.graph[wanted[0]]
            formula = quantity.stepwise or quantity.formula(wanted[1])
            if formula is None:
                return None
            outline = self.outline(formula, quantity.index)
            if not quantity.cases:
                self._own[wanted[0]] = outline
        return outline.framed(wanted[1])

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells that the definition of a cell uses, each once, in the order written."""
        framed = self.of(wanted)
        if framed is None:
            return self.graph.uses(wanted)
        frame, cells = framed
        return tuple(dict.fromkeys([cells[number] for number in frame.order]))

    def whole(self, name: str) -> bool:
        """Whether there surely is a cell at every place of a quantity."""
        if name not in self._whole:
            self._whole[name] = False  # while it is found out, of what recurs
            self._whole[name] = self._is_whole(self.graph[name])
            if self._whole[name]:
                self.graph.known.whole.add(name)
        return self._whole[name]

    def always(self, reference: Ref) -> bool:
        """Whether a reference is a cell wherever its indices are."""
        axes = self.graph[reference.quantity].axes
        return self.whole(reference.quantity) and all(map(inside, reference.indices, axes))

    def _is_whole(self, quantity: Quantity) -> bool:
        if any(axis.part for axis in quantity.axes):
            return False
        if quantity.definition is None and quantity.givens is not None:
            if quantity.size > LISTED or None in map(quantity.givens, product(*(axis.places for axis in quantity.axes))):
                return False
        if quantity.of is not None and quantity.kind == "gradient" and self.graph[quantity.of.quantity].starts:
            return False
        if not all(self.always(ref) for ref in (quantity.of, quantity.wrt, quantity.through) if ref is not None):
            return False
        return quantity.through is None or all(map(self._is_something, quantity.formulas))

    def _is_something(self, expr: Expr) -> bool:
        """Whether an instance of an expression is surely not zero."""
        match expr:
            case Ref():
                return self.always(expr)
            case Product(parts):
                return all(map(self._is_something, parts))
            case Sum(parts):
                return any(map(self._is_something, parts))
            case Negation(part) | Total(_, part):
                return self._is_something(part)
            case Number(above):
                return above != 0
        return isinstance(expr, Call)

    def outline(self, formula: Expr, index: tuple[Index, ...]) -> Outline:
        """What the instances of an expression have in common, at all places of some indices."""
        letters = tuple([one.letter for one in index])
        found = self._outlines.get((id(formula), letters))
        if found is None or found.formula is not formula:
            found = self._outlines[id(formula), letters] = Outline(self, formula, letters)
        return found


class Outline:
    """An expression, as the cells and the notes of every place of its indices."""

    def __init__(self, frames: Frames, formula: Expr, letters: tuple[str, ...]) -> None:
        self.formula = formula
        self._frames = frames
        self._letters = letters
        self._found: dict[tuple[int, ...], Frame | None] = {}
        leaves = _leaves(frames, formula, {})
        rows = _rows(leaves or [], letters)
        self._moved = [row for row in rows if any(map(any, row.moved))]
        self._still = [(number, row.name, row.base) for row in rows if not any(map(any, row.moved)) for number in row.stand]
        self._count = len(leaves or ())
        self._walk = _walk(frames, formula, letters) if leaves is None else None

    def framed(self, place: Place) -> Framed | None:
        """The frame at a place, and the cells in it; None where it cannot be taken apart."""
        notes: Notes = []
        cells: list[Cell] = [("", ())] * self._count
        for number, name, base in self._still:
            cells[number] = name, base(place)
        for row in self._moved:
            row.put(place, cells)
        if self._walk is not None:
            self._walk(place, cells, notes)
        key = tuple(notes)
        if key not in self._found:
            self._found[key] = self._made(place, cells)
        frame = self._found[key]
        return None if frame is None else (frame, cells)

    def _made(self, place: Place, cells: list[Cell]) -> Frame | None:
        """The frame of one cell: its formula, with numbers for cells; None where it is not what binding gives."""
        graph, met = self._frames.graph, list[Cell]()

        def present(name: str, places: Place) -> bool:
            met.append((name, places))
            return graph.present(name, places)

        bound = bind(self.formula, dict(zip(self._letters, place)), present, graph.known.reach.along)
        if met != cells:
            return None
        # a reference has the places that were asked for
        numbers = {(name, id(places)): number for number, (name, places) in enumerate(met) if places}
        alone = {name: number for number, (name, places) in enumerate(met) if not places}

        def numbered(node: Expr) -> Expr | None:
            if type(node) is not Ref:
                return None
            return Ref(node.quantity, (numbers[node.quantity, id(node.indices)] if node.indices else alone[node.quantity],))

        formula = rewrite(bound, numbered)
        written = rewrite(formula, lambda node: Ref(*cells[node.places[0]]) if type(node) is Ref else None)
        return Frame(formula, tuple(ref.places[0] for ref in references(formula))) if written == bound else None


# --- where nothing is decided: cells moved -----------------------------------------------------------------------------


class Row:
    """Cells of one quantity whose places move together, and where they stand among all cells."""

    def __init__(self, name: str, base: Callable[[Place], Place]) -> None:
        self.name = name
        self.base = base
        self.moved: list[Place] = []
        self.stand: list[int] = []
        self._last: tuple[Place, list[Cell]] | None = None

    def put(self, place: Place, cells: list[Cell]) -> None:
        """Put the cells at a place where they stand; those of the place before are kept."""
        name, base = self.name, self.base(place)
        if self._last is None or self._last[0] != base:
            self._last = base, [(name, tuple(map(add, base, moved))) for moved in self.moved]
        for number, found in zip(self.stand, self._last[1]):
            cells[number] = found


Leaf = tuple[str, tuple[Position, ...]]


def _leaves(frames: Frames, expr: Expr, known: Substitution) -> list[Leaf] | None:
    """The references of an expression with its sums written out, in the order of binding; None where binding decides something."""
    match expr:
        case Ref(name, places):
            return [(name, tuple([shift_index(place, known) for place in places]))] if frames.always(expr) else None
        case Delta() | Entry():
            return None
        case Total(index, body):
            if frames.graph.known.reach.ways(body) != ANYWHERE:
                return None
            parts = [_leaves(frames, body, {**known, index.letter: place}) for place in index.axis.places]
        case _:
            parts = [_leaves(frames, part, known) for part in children(expr)]
    found: list[Leaf] = []
    for part in parts:
        if part is None:
            return None
        found += part
    return found


def _rows(leaves: list[Leaf], letters: tuple[str, ...]) -> list[Row]:
    slots = {letter: slot for slot, letter in enumerate(letters)}
    rows: dict[tuple[str, tuple[tuple[tuple[int, int], ...], ...]], Row] = {}
    for number, (name, positions) in enumerate(leaves):
        parts = [affine(position) for position in positions]
        terms = tuple([tuple([(factor, slots[index.letter]) for factor, index in part.terms]) for part in parts])
        row = rows.get((name, terms))
        if row is None:
            row = rows[name, terms] = Row(name, _base(terms))
        row.moved.append(tuple([part.constant for part in parts]))
        row.stand.append(number)
    return list(rows.values())


def _base(terms: tuple[tuple[tuple[int, int], ...], ...]) -> Callable[[Place], Place]:
    """The places that move: of every direction a sum of factor·index."""
    if not any(terms):
        return lambda place: (0,) * len(terms)
    if any(factor != 1 for part in terms for factor, _ in part):
        return lambda place: tuple([sum([factor * place[slot] for factor, slot in part]) for part in terms])
    most = max(map(len, terms))
    parts = [_picked(tuple([part[number][1] if number < len(part) else -1 for part in terms])) for number in range(most)]

    def base(place: Place) -> Place:
        padded = (*place, 0)
        found = parts[0](padded)
        for part in parts[1:]:
            found = tuple(map(add, found, part(padded)))
        return found

    return parts[0] if most == 1 and all(map(len, terms)) else base


def _picked(slots: tuple[int, ...]) -> Callable[[Place], Place]:
    """The places at some slots."""
    if len(slots) == 1:
        slot = slots[0]
        return lambda place: (place[slot],)
    return itemgetter(*slots)


# --- where binding decides: walks --------------------------------------------------------------------------------------


def _walk(frames: Frames, expr: Expr, letters: tuple[str, ...]) -> Walk:
    """What binding an expression does, without an expression: letters are those of a place, the last of one letter counts."""
    graph, slots = frames.graph, {letter: slot for slot, letter in enumerate(letters)}

    def position(at: Position) -> Callable[[Place], int]:
        own = affine(at)
        terms = [(factor, slots[index.letter]) for factor, index in own.terms]
        return lambda place: own.constant + sum([factor * place[slot] for factor, slot in terms])

    match expr:
        case Ref(name, at):
            parts, always = [position(one) for one in at], frames.always(expr)

            def refer(place: Place, cells: list[Cell], notes: Notes) -> None:
                found = name, tuple([part(place) for part in parts])
                if not always and not graph.present(*found):
                    notes.append(-1 - len(cells))
                cells.append(found)

            return refer
        case Delta(left, right):
            first, second = position(left), position(right)
            return lambda place, cells, notes: notes.append(first(place) == second(place))
        case Total(index, body) | Entry(_, _, index, body):
            inner, chosen = _walk(frames, body, (*letters, index.letter)), position(expr.at) if isinstance(expr, Entry) else None
            along = graph.known.reach.along(index, body, letters)
            everywhere = chosen is not None or graph.known.reach.ways(body) == ANYWHERE

            def each(place: Place, cells: list[Cell], notes: Notes) -> None:
                if chosen is not None:
                    notes.append(chosen(place))
                places = index.axis.places if everywhere else [*along(place)]
                notes.append(len(places))
                for one in places:
                    inner((*place, one), cells, notes)

            return each
    agreeing = [_walk(frames, part, letters) for part in children(expr) if type(part) is Delta] if type(expr) is Product else []
    walks = [_walk(frames, part, letters) for part in children(expr) if not (agreeing and type(part) is Delta)]

    def every(place: Place, cells: list[Cell], notes: Notes) -> None:
        for agrees in agreeing:
            agrees(place, cells, notes)
            if not notes[-1]:
                return
        for walk in walks:
            walk(place, cells, notes)

    return every

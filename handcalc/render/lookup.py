"""What a word of a reader means: `Lookup(derivation, notation).find(text)` is the cell of an id, of a symbol, or of another name for one.

A word is looked for among the ids, then among the symbols of the notation as they are printed, then among both in any spelling
(spelling.py), then among the further names of `_further`: names put together (`grad.w11`, `delta.θ`, `w11+` where w11 is a printed
symbol), a neuron for its output, E for the loss, δ with the name of a neuron, a path where there is only one, and the words of the
default notation. What may be two things is an error that names them, never a guess.

To add a name: a line in `_names_of`, which yields names for a cell; for a letter that is usual in other books, in usualnames.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain, islice, product

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import AmbiguousIdError, Listing, Message, UnknownIdError, near, printable
from handcalc.render.dialects import TYPED, Dialect, symbol
from handcalc.render.notation import DEFAULT, Notation, profile
from handcalc.render.spelling import forms, plain, without_list_mark
from handcalc.render.symbols import Derivative, Name, Symbol
from handcalc.render.usualnames import OF_LOSS, timed_names, usual_names
from handcalc.render.wholenames import listed, whole_names

NUMBERED = ("rate", "hyper")  # kinds whose ids are words, and whose letters are a notation's
SEARCHED_CELLS = 20_000  # cells of one quantity that are found by their symbols; those of a larger one by their ids
ALL_SEARCHED_CELLS = 40_000  # the same of all quantities together, the smaller ones first
FURTHER_CELLS = 2_000  # cells of one quantity that have names besides their ids and symbols
HINTING_CELLS = 200  # cells of one quantity that are all compared with an unknown word
CANDIDATES = 6  # of an ambiguous word that are listed
WORDS = ("net", "out", "target", "loss", "loss_term")  # kinds whose names in the default notation are words, in any notation

# kind → what stands before the name of what it is derived from; {E} is the letter of what is differentiated
BEFORE = {"gradient": ("grad", "dE/d", "d{E}/d"), "change": ("delta", "Delta"), "updated": ("new",)}


def _hinting(quantity: Quantity) -> int:
    """How many cells of a quantity are compared with a word that is unknown: all, or the first of many samples."""
    return quantity.size if quantity.size <= HINTING_CELLS else HINTING_CELLS // 10


class Found(Record):
    """What a word means. turned: in the word's sign the number is the negative of the cell's; None where both signs are in use."""

    cell: Cell
    iteration: int = 1
    turned: bool | None = False


_BY_LOSS = re.compile(rf"[d∂](E|{'|'.join(OF_LOSS)}|Etotal|Etot)/[d∂](.+)")
Meaning = tuple[Cell, bool | None]  # a cell, and whether the name stands for its negative
Names = Callable[[Quantity, Cell], Iterator[tuple[str, bool | None]]]


class Lookup:
    """The names of one reading; each table is made when it is first needed."""

    def __init__(self, derivation: Derivation, notation: Notation) -> None:
        self.derivation, self.graph, self.notation = derivation, derivation.graph, notation
        self._tables: list[dict[str, set[Meaning]]] = []
        self._rounds: dict[int, Lookup] = {}
        self._cased: dict[str, set[Meaning]] | None = None

    def find(self, text: str, hint: bool = True) -> Found:
        """The cell, iteration and sign of a word. Raises UnknownIdError with all that it may mean; hint: or with a near match."""
        derivation = self.derivation
        try:
            cell, number = derivation.find(text)
            return Found(cell, number)
        except UnknownIdError:
            pass
        head, rest = text.split(":", 1) if text.startswith("#") and ":" in text else ("", text)
        digits = head[1:] if head[1:].isascii() and head[1:].isdigit() and len(head) < 9 else "0"
        number = int(digits) if head else 1
        if 1 <= number <= derivation.iterations:
            found = self._of_round(number)._meaning(rest.strip())
            if found is not None:
                return Found(found[0], number, found[1])
        raise UnknownIdError(
            Message("there is no step {found}{near}", found=f'"{printable(text[:60])}"', near=self._hint(rest) if hint else "")
        )

    def list_of(self, text: str, shape: tuple[int, ...]) -> tuple[Found, ...]:
        """The cells of a vector or a matrix by its name, in the order of its rows; () where there is none of this name and shape."""
        for form in forms(text):
            for table in self._wholes:
                found = [quantity for quantity in table.get(self._with_own_objective(form), ()) if quantity.size <= FURTHER_CELLS]
                lists = {cells for quantity in found if (cells := listed(self.graph, quantity, shape, self._sources_first(quantity)))}
                if len(lists) == 1:
                    return tuple(Found(cell, 1, self.turned(cell)) for cell in lists.pop())
        return self._one_by_one(text, shape)

    def _one_by_one(self, text: str, shape: tuple[int, ...]) -> tuple[Found, ...]:
        """The cells whose names are the name of the list and their numbers: net_h is net_h1, net_h2."""
        for start, pattern in product((1, 0), ("{}{}", "{}_{}", "{}[{}]", "{}({})")):
            numbers = product(*(range(start, start + size) for size in shape))
            names = [pattern.format(text, ",".join(map(str, number)) if len(shape) > 1 else number[0]) for number in numbers]
            with suppress(UnknownIdError):
                cells = tuple(self.find(name, False) for name in names)
                if len({found.cell for found in cells}) == len(cells) and len({found.cell[0] for found in cells}) == 1:
                    return cells
        return ()

    @cached_property
    def _wholes(self) -> tuple[dict[str, list[Quantity]], ...]:
        """The plain names of whole quantities: as the notation has them, then as is usual."""
        found: tuple[dict[str, list[Quantity]], ...] = ({}, {})
        for quantity in self.graph:
            letter = self.notation.whole(quantity, ())
            printed = [symbol(letter, dialect) for dialect in TYPED]
            if self._single_layer and isinstance(letter, Symbol) and letter.base.isalpha():
                printed.append(letter.base + letter.mark)
            for table, names in zip(found, (printed, whole_names(self.graph, quantity))):
                for name in dict.fromkeys(map(plain, names)):
                    table.setdefault(name, []).append(quantity)
        return found

    @cached_property
    def _single_layer(self) -> bool:
        return max((quantity.layer for quantity in self.graph), default=0) == 1

    def _sources_first(self, quantity: Quantity) -> bool:
        base = quantity if quantity.of is None else self.graph[quantity.of.quantity]
        return self.notation.rows_are_sources(base)

    def _with_own_objective(self, form: str) -> str:
        """A plain name, of which the loss is called E: dC/dw3 is dE/dw3, where C is nothing else."""
        found = _BY_LOSS.fullmatch(form)
        return form if found is None or self.graph.find(found[1]) is not None else f"dE/d{found[2]}"

    def _of_round(self, number: int) -> Lookup:
        """The names of a round, which has samples of its own where there are mini-batches."""
        derivation = self.derivation.at(number)
        if derivation.graph is self.graph:
            return self
        if number not in self._rounds:
            self._rounds[number] = Lookup(derivation, self.notation.on(derivation.graph))
        return self._rounds[number]

    def _hint(self, text: str) -> Message | str:
        cells = ((quantity, place) for quantity in self.graph for place in islice(self.graph.positions(quantity.name), _hinting(quantity)))
        return near(text, chain((self.graph.cell_id((quantity.name, place)) for quantity, place in cells), self._printed))

    # --- symbols as they are printed ---

    def symbols(self) -> dict[str, Cell]:
        """Every symbol of the notation, in every dialect people type, with its cell."""
        found: dict[str, Cell] = {}
        for spelled, (cell, _) in self._spellings():
            found.setdefault(spelled, cell)
        return found

    def spellings(self, wanted: Cell) -> Iterator[str]:
        """What people may type for a cell, besides its id."""
        yield from self._by_number(wanted)
        yield from (self.spelled(wanted, dialect) for dialect in TYPED)

    def spelled(self, wanted: Cell, dialect: Dialect) -> str:
        """The symbol of a cell in a dialect that is typed; its id where the symbol would be that of another cell."""
        found = symbol(self.notation.name(Ref(*wanted)), dialect)
        if self.graph[wanted[0]].kind not in NUMBERED:
            return found
        own = self.graph.cell_id(wanted)
        return own if found != own and found in self._taken else found

    def turned(self, wanted: Cell) -> bool:
        """Whether the notation's letter for a cell stands for its negative."""
        return self.notation.sign(self.graph[wanted[0]]) < 0

    def _by_number(self, wanted: Cell) -> Iterator[str]:
        """A parameter by its place, which one with a name has too."""
        if self.graph[wanted[0]].kind in ("weight", "bias", "threshold") and wanted[1]:
            yield self.graph.numbered(wanted)

    @cached_property
    def _taken(self) -> set[str]:
        """Ids that a letter could be written like: those of single numbers, of inputs, and names that users chose."""
        found = {self.graph.cell_id((quantity.name, ())) for quantity in self.graph if not quantity.axes}
        found |= {label for quantity in self.graph if quantity.kind == "input" for axis in quantity.axes for label in axis.labels}
        return found | {name for quantity in self.graph for name in (quantity.names or {}).values()}

    @cached_property
    def _searched(self) -> list[Cell]:
        """The cells whose symbols are looked through: not those of quantities with more than anybody looks up by a symbol."""
        names, count = set(), 0
        for quantity in sorted(self.graph, key=lambda quantity: quantity.size):
            count += quantity.size
            if quantity.size <= SEARCHED_CELLS and count <= ALL_SEARCHED_CELLS:
                names.add(quantity.name)
        return [
            (quantity.name, place) for quantity in self.graph if quantity.name in names for place in self.graph.positions(quantity.name)
        ]

    @cached_property
    def _printed(self) -> dict[str, set[Meaning]]:
        found: dict[str, set[Meaning]] = {}
        for spelled, meaning in self._spellings():
            found.setdefault(spelled, set()).add(meaning)
        return found

    def _spellings(self) -> Iterator[tuple[str, Meaning]]:
        """Printed symbols, in the sign of the notation; the place of a parameter stands for the number itself."""
        for wanted in self._searched:
            yield from ((spelled, (wanted, False)) for spelled in self._by_number(wanted))
            yield from ((self.spelled(wanted, dialect), (wanted, self.turned(wanted))) for dialect in TYPED)

    @cached_property
    def _default(self) -> Notation:
        return Notation(profile(DEFAULT), self.graph, self.derivation.loss)

    # --- from the nearest names to the farthest ---

    def _meaning(self, text: str) -> Meaning | None:
        if text[:1] in ("-", "−"):  # -δ_o1 = 0.3
            found = self._meaning(text[1:].strip())
            return None if found is None else (found[0], None if found[1] is None else not found[1])
        for word in dict.fromkeys((text, without_list_mark(text))):
            found = self._exact(word)
            for place in range(3):
                found = found or self._spelled(word, place)
            if found is not None:
                return found
        return self._in_any_case(text)

    def _in_any_case(self, text: str) -> Meaning | None:
        """A name of which capital letters are written as small ones, or the other way round, if it is the only one."""
        if self._cased is None:
            self._cased = {}
            for name, meanings in chain.from_iterable(table.items() for table in self._tables[:2]):
                self._cased.setdefault(name.lower(), set()).update(meanings)
        found = self._cased.get(plain(text).lower(), set()) if len(plain(text)) > 2 else set()
        return next(iter(found)) if len(found) == 1 else None

    def _exact(self, text: str) -> Meaning | None:
        """An id behind a list mark, or a symbol as it is printed."""
        cell = self.graph.find(text)
        if cell is not None:
            return cell, False
        normal = text.replace(" ", "").replace("−", "-")
        for candidate in (normal, normal.replace("⁺", "+"), "∂".join(normal.split("d")) if normal.startswith("d") else normal):
            if candidate in self._printed:
                return self._only(text, self._printed[candidate])
        return None

    def _spelled(self, text: str, place: int) -> Meaning | None:
        """A name in any spelling, of the table at a place."""
        if len(self._tables) <= place:
            self._tables.append(self._table((self._close, self._further, self._usual)[place]()))
        for form in forms(text):
            for word in dict.fromkeys((form, self._with_own_objective(form))):
                if word in self._tables[place]:
                    return self._only(text, self._tables[place][word])
        return None

    def _only(self, text: str, meanings: set[Meaning]) -> Meaning:
        """The only meaning there is, or with the exercise's own name in it (db2 of b2); of one cell in both signs, without a sign."""
        meanings = {one for one in meanings if text.endswith(self.graph.cell_id(one[0]).rpartition(".")[2])} or meanings
        cells = {cell for cell, _ in meanings}
        if len(cells) == 1:
            return next(iter(meanings)) if len(meanings) == 1 else (cells.pop(), None)
        names = Listing(sorted(map(self.graph.cell_id, cells)), CANDIDATES)
        raise AmbiguousIdError(Message("{found} may be one of {names}; write which", found=f'"{printable(text[:60])}"', names=names))

    def _table(self, names: Iterator[tuple[str, Meaning]]) -> dict[str, set[Meaning]]:
        table: dict[str, set[Meaning]] = {}
        for name, meaning in names:
            table.setdefault(plain(name), set()).add(meaning)
        return table

    def _close(self) -> Iterator[tuple[str, Meaning]]:
        """Ids and printed symbols."""
        yield from ((self.graph.cell_id(wanted), (wanted, False)) for wanted in self._searched)
        yield from self._spellings()

    def _further(self) -> Iterator[tuple[str, Meaning]]:
        """Names besides ids and symbols."""
        return self._along(self._names_of)

    def _usual(self) -> Iterator[tuple[str, Meaning]]:
        """Letters that are usual whatever the notation."""
        yield from self._along(self._usual_of)
        for wanted in self._searched:
            yield from ((name, (wanted, False)) for name in timed_names(self.graph, self.graph[wanted[0]], wanted))

    def _usual_of(self, quantity: Quantity, cell: Cell) -> Iterator[tuple[str, bool | None]]:
        if quantity.kind != "loss" or self._is_loss(quantity):
            yield from ((name, False) for name in usual_names(self.graph, quantity, cell))
        if quantity.kind == "variable" and self._is_loss(quantity):
            yield from ((name, False) for name in OF_LOSS)

    def _along(self, names: Names) -> Iterator[tuple[str, Meaning]]:
        """Names of all cells, with the sample and the time as ids and as symbols have them."""
        for quantity in self.graph:
            if quantity.size > FURTHER_CELLS:
                continue
            for place in self.graph.positions(quantity.name):
                cell = quantity.name, place
                along = [(axis, at) for axis, at in zip(quantity.axes, place) if axis.role in ("sample", "time")]
                id_end = "".join("@" + axis.along(at) for axis, at in along)
                symbol_end = f"[{self.notation.name(Ref(*cell)).sample}]" * bool(along)
                for name, turned in names(quantity, cell):
                    for end in dict.fromkeys((id_end, symbol_end)):
                        yield name + end, (cell, turned)

    # --- names of one cell, without its sample and time ---

    def _names_of(self, quantity: Quantity, cell: Cell) -> Iterator[tuple[str, bool | None]]:
        turned = self.turned(cell)
        if quantity.stage:
            yield from self._after(quantity, cell)
        elif quantity.of is not None and quantity.kind in BEFORE and quantity.role != "second":
            base = self.graph.at(quantity.of, cell)
            yield from self._put_together(quantity.kind, base, turned)
            if quantity.kind == "gradient":
                yield from self._of_gradient(cell, base, turned)
        elif quantity.of is None:
            yield from self._own(quantity, cell)

    def _own(self, quantity: Quantity, cell: Cell) -> Iterator[tuple[str, bool | None]]:
        """A neuron for its output, E for the loss, words of the default notation."""
        core = self.graph.core(cell)
        if quantity.kind == "out" and core[:1].isalpha():
            yield core, False
        if self._is_loss(quantity):
            for letter in (self._objective(), "E", "loss"):
                yield letter, False
        written = self.notation.name(Ref(*cell), ())
        if isinstance(written, Symbol) and written.sup and written.sub and quantity.kind in ("net", "out"):
            yield written.base + written.sub + written.sup, self.turned(cell)  # z_1^[2]
            if self._single_layer:
                yield written.base + written.sub, self.turned(cell)
        if quantity.kind in WORDS:
            yield from ((text, False) for text in _texts(self._default.name(Ref(*cell), ())))

    def _is_loss(self, quantity: Quantity) -> bool:
        """Whether a quantity is what is minimised, or that of a sample; not a part of it, such as a penalty."""
        return quantity.name == self.derivation.loss or (quantity.kind == "loss" and quantity.sampled)

    def _after(self, quantity: Quantity, cell: Cell) -> Iterator[tuple[str, bool | None]]:
        """The same names with a + behind them, of what is worked out again after the update."""
        assert quantity.of is not None
        base = self.graph.at(quantity.of, cell)
        for name, turned in self._own(self.graph[base[0]], base):
            yield name + "+", turned

    def _put_together(self, kind: str, base: Cell, turned: bool) -> Iterator[tuple[str, bool | None]]:
        """grad.w11, ∂E/∂w11, Δw11, w11+, new.w11: of the id and of the symbol of what it is derived from.

        An id says that the number is meant as it is; a symbol, that it is meant in the sign of the notation.
        """
        quantity = self.graph[base[0]]
        names = [(self.graph.stem(base), False)]
        names += [(text, False) for text in self._by_number(base)]
        names += [(text, turned) for text in _texts(self.notation.name(Ref(*base), ()))]
        if quantity.kind == "out":
            names.append((self.graph.core(base), False))
        for name, sign in names:
            for start in BEFORE[kind]:
                yield start.format(E=self._objective()) + name, sign
            if kind == "updated":
                yield name + "+", sign

    def _of_gradient(self, cell: Cell, base: Cell, turned: bool) -> Iterator[tuple[str, bool | None]]:
        """δ of a neuron by its name; a path, where there is one only."""
        kind, core = self.graph[base[0]].kind, self.graph.core(base)
        letter = self.notation.name(Ref(*cell), ())
        if kind == "net" and core[:1].isalpha():  # where the notation has another letter for the negative, δ may be either
            yield "δ" + core, turned if not turned or not isinstance(letter, Derivative) and letter.base == "δ" else None
        if kind in ("out", "part") and len(self.graph[cell[0]].terms) == 1:
            paths = self.derivation.paths(cell)
            if len(paths) == 1:
                consumer = self.graph.core(paths[0].through)
                yield f"path.{consumer}.{core}", False
                for text in _texts(self.notation.name(Ref(*base), ())):
                    yield f"d{self._objective()}/d{text}|{consumer}", turned

    def _objective(self) -> str:
        return symbol(self.notation.objective, TYPED[0])


def _texts(name: Name) -> list[str]:
    return [symbol(name, dialect) for dialect in TYPED]


def split(text: str) -> list[str]:
    """Words between commas; a comma inside brackets belongs to an id such as W1[2,1]."""
    words, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word.strip() for word in words if word.strip()]

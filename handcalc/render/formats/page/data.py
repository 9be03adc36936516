"""What the script of a page works with: lines in order, what each uses, what explains it, what is drawn, other decimals.

- `Interactive(chapter, …).data()` is the object that is embedded as JSON; `hidden` are lines that only explanations show.

In the object, steps are numbers: places in its list `ids`. Everything is worked out here, the script only shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref, references
from handcalc.core.order import PHASES
from handcalc.core.quantity import Cell, cell
from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.render.blocks import Block, Equation, Grid, Table
from handcalc.render.formats.page.plane import Plane
from handcalc.render.formats.page.program import LiveProgram
from handcalc.render.givens import rounding_note
from handcalc.render.items import Item, Name, Numeric, Symbolic, Value
from handcalc.render.lines import worked
from handcalc.render.report import Chapter, Page
from handcalc.render.why import NOTHING_NEEDED, by_phase, dependencies, ends, phase_title, uses

if TYPE_CHECKING:
    from handcalc.render.diagram import Diagram

DECIMALS = (2, 3, 4, 5, 6, 7, 8)  # what a reader may choose besides the digits of the report
EXPLAINED_LIMIT = 600  # cells of a problem that is explained down to what is given, worked in the report or not
NUMBERS_LIMIT = 4000  # numbers of a report that may be shown with other decimals

Place = tuple[Cell, int]  # a cell and its iteration


class Interactive:
    """One chapter's data. blocks: those of the chapter; pictures: iteration → the drawing that stands beside its lines; windows:
    the drawings among the lines, with their iterations."""

    def __init__(
        self,
        chapter: Chapter,
        blocks: list[Block],
        pictures: Mapping[int, Diagram],
        windows: list[tuple[int, Diagram]],
        translate: Translate,
    ) -> None:
        self.derivation: Derivation = chapter.derivation
        self.reading = chapter.reading
        self.translate = translate
        self.blocks = blocks
        self.pictures = pictures
        self.windows = windows
        self.drawn = {iteration: drawn_cells(picture) for iteration, picture in pictures.items()}
        self.key = not chapter.view.asks
        self.lines: dict[Place, Equation] = {}
        for block in blocks:
            if isinstance(block, Equation) and block.step:
                self.lines.setdefault(block.step, block)
        self._uses: dict[Place, list[Cell]] = {}
        self._ids: dict[Place, int] = {}
        cells = sum(quantity.size for quantity in self.derivation.graph) * self.derivation.iterations
        self.small = cells <= EXPLAINED_LIMIT
        self.explained = self._explained() if self.key else {}  # with what is given first
        self.whole = self.key and not isinstance(chapter, Page)
        self.program = LiveProgram.of(self.derivation) if self.whole else None
        self.plane = Plane.of(self.program) if self.program else None
        if self.program and len(self.program.graphs) == 1:  # which then numbers the steps, too
            for wanted in self.program.numbers:
                self._id((wanted, 1))

    # --- explanations ---

    def _explained(self) -> dict[Place, str]:
        """Every line that explains a line or something that is drawn, and its phase: phase by phase, given ones as they were defined."""
        found: dict[str, list[Place]] = {}
        for iteration, starts in self._starts().items():
            derivation = self.derivation.at(iteration)
            last = dict.fromkeys(end for start in starts for end in ends(derivation, start))
            order = dependencies(partial(self._reached, iteration), [*last])
            for name, inside in by_phase(derivation, order).items():
                found.setdefault(name, []).extend((current, iteration) for current in inside)
        return {place: name for name in PHASES for place in found.get(name, ())}

    def _starts(self) -> dict[int, list[Cell]]:
        """Iteration → what is explained: every line, and everything that is drawn."""
        found: dict[int, list[Cell]] = {}
        for start, iteration in dict.fromkeys((*self.lines, *self._drawn_places())):
            if start not in self.derivation.graph.left_out:
                found.setdefault(iteration, []).append(start)
        return found

    def _reached(self, iteration: int, current: Cell) -> list[Cell]:
        """What a cell uses; in a large problem, only what has a line of its own."""
        reading = self.reading.at(iteration)
        at_any = current, 1 if reading is self.reading else iteration
        if at_any not in self._uses:
            self._uses[at_any] = uses(reading, current)
        found = self._uses[at_any]
        return found if self.small else [used for used in found if (used, iteration) in self.lines]

    @cached_property
    def hidden(self) -> tuple[Equation, ...]:
        """Lines for explanations that the report does not have: what is given, and what stands in its tables."""
        return tuple(self._line(*place) for place in self.explained if place not in self.lines)

    def _line(self, current: Cell, iteration: int) -> Equation:
        if self.reading.at(iteration).formula(current) is not None:
            return worked(self.derivation, self.reading, current, iteration)
        relation = "=" if self.reading.shown(current, iteration).exact else "≈"
        return Equation(Name(Ref(*current)), ((relation, Value(current, iteration)),), step=(current, iteration))

    # --- the drawing ---

    def _drawn_places(self) -> Iterator[Place]:
        for iteration, cells in self.drawn.items():
            yield from ((current, iteration) for current in cells)

    def _element(self, place: Place) -> Place | None:
        """The part of the drawing that stands for a step: its neuron, its edge, its box."""
        current: Cell | None = place[0]
        drawn, graph = self.drawn.get(place[1], {}), self.derivation.at(place[1]).graph
        while drawn and current is not None:
            if graph[current[0]].sampled:
                current = current[0], (graph[current[0]].axes[0].places[0], *current[1][1:])
            if current in drawn:
                return current, place[1]
            current = self._nearer(current)
        return None

    def _nearer(self, current: Cell) -> Cell | None:
        """What a quantity that is not drawn is shown at."""
        graph = self.derivation.graph
        quantity = graph[current[0]]
        if quantity.of is not None:
            return graph.at(quantity.of, current)
        name = graph.in_layer(quantity.layer, "out") if quantity.kind == "net" else ""
        name = graph.targets if quantity.kind in ("loss_term", "error") else name
        if name:
            return name, current[1]
        return (self.derivation.loss, ()) if quantity.kind in ("target", "loss") and current[0] != self.derivation.loss else None

    # --- the object ---

    def data(self) -> dict[str, Any]:
        """ids, lines with what they use, what explains them by phases, elements of the drawing, numbers with other decimals."""
        phases: dict[str, list[int]] = {}
        for place, name in self.explained.items():
            phases.setdefault(name, []).append(self._id(place))
        shown = (*self.lines.values(), *self.hidden)
        inputs = {block.step: [(used, block.step[1]) for used in used_in(block)] for block in shown if block.step}
        found: dict[str, Any] = {
            "lines": [self._id(place) for place in self.lines],
            "uses": {self._id(place): list(map(self._id, used)) for place, used in inputs.items() if used},
        }
        if phases:
            found |= {"phases": phases, "titles": {name: phase_title(name).text(self.translate) for name in phases}}
            found |= {"ends": dict(self._ends()), "needs": dict(self._needs(inputs))}
            found["nothing"] = NOTHING_NEEDED.text(self.translate)
            if not self.small:
                found["more"] = Message("The network is large: only lines of this report are shown.").text(self.translate)
        numbers = {} if self.program else self._numbers()
        if self.program:
            turned = [number for wanted, number in self.program.numbers.items() if self.reading.turned(wanted)]
            found["program"] = self._shared({**self.program.data(), "turned": turned}, found)
        if self.program and self.plane:
            found["plane"] = self.plane.data(self.program, self.reading)
        if numbers or self.program:
            found |= {"decimals": DECIMALS, "comma": self.reading.comma, "notes": self._notes()}
        if numbers:
            found["numbers"] = numbers
        shares = [self._id(place) for place in self._shares()]
        if shares:
            found["shares"] = shares
        after = {self._id(place): self._id(line) for place, line in self._after()}
        if after:
            found["after"] = after
        elements = {number: self._element(place) for place, number in list(self._ids.items())}
        found["elements"] = {number: self._id(element) for number, element in elements.items() if element}
        found["ids"] = [printable(self.derivation.step_id(*place)) for place in self._ids]
        return found

    def _ends(self) -> Iterator[tuple[int, list[int]]]:
        """Where the explanation of a step ends, unless that is itself."""
        for iteration, starts in self._starts().items():
            for start in starts:
                last = ends(self.derivation.at(iteration), start)
                if last != [start]:
                    yield self._id((start, iteration)), [self._id((end, iteration)) for end in last]

    def _needs(self, shown: Mapping[Place, list[Place]]) -> Iterator[tuple[int, list[int]]]:
        """What a step is made of, where its line shows anything else."""
        for current, iteration in self.explained:
            used = [(one, iteration) for one in self._reached(iteration, current)]
            if used != shown.get((current, iteration), []):
                yield self._id((current, iteration)), list(map(self._id, used))

    def _shares(self) -> Iterator[Place]:
        """The numbers that say how much attention is paid to what, from 0 to 1, which are shaded where they stand."""
        if not self.key:
            return
        for iteration in range(1, self.derivation.iterations + 1):
            graph = self.derivation.at(iteration).graph
            for quantity in graph:
                if (quantity.kind, quantity.role) == ("part", "attention"):
                    places = ((quantity.name, place) for place in graph.positions(quantity.name))
                    yield from ((current, iteration) for current in places if current not in graph.left_out)

    def _after(self) -> Iterator[tuple[Place, Place]]:
        """A number of a drawing that has no line, though others of its quantity have: it is known after the last of these."""
        last = {(current[0], iteration): (current, iteration) for current, iteration in self.lines}
        for iteration, picture in self.pictures.items():
            for current in picture.written:
                place = current, iteration
                if place not in self.lines and (current[0], iteration) in last:
                    yield place, last[current[0], iteration]

    def _id(self, place: Place) -> int:
        return self._ids.setdefault(place, len(self._ids))

    def _shared(self, program: dict[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        """What is known of the program, without what is in the object anyway: cells are how many ids; uses are those that differ."""
        if len(program["given"]) > 1:
            return program
        known = {**found["uses"], **found.get("needs", {})}
        uses = {number: used for number, used in program["uses"][0].items() if {*used} != {*known.get(number, ())}}
        return {**program, "cells": len(program["cells"]), "uses": [uses]}

    # --- numbers ---

    def _numbers(self) -> dict[int, list[str]]:
        """Number → how each choice of decimals prints it, with = before it where it is exact; only those that change."""
        rounding = self.derivation.rounding
        if rounding.carry or not self.key:
            return {}
        places = dict.fromkeys(self._printed())
        if len(places) > NUMBERS_LIMIT:
            return {}
        choices = [rounding.replace(decimals=count, significant=None, overrides=()) for count in DECIMALS]
        found = {}
        for current, iteration in places:
            own = self.derivation.shown(current, iteration)
            others = [self.derivation.iteration(iteration).shown_as(current, choice) for choice in choices]
            if any(other != own for other in others) or not own.exact:
                turned = [other.negated() if self.reading.turned(current) else other for other in (own, *others)]
                found[self._id((current, iteration))] = ["=" * number.exact + number.plain for number in turned]
        return found

    def _printed(self) -> Iterator[Place]:
        """Every number of the chapter, of its hidden lines and of its drawings."""
        for block in (*self.blocks, *self.hidden):
            yield from values_in(block)
        for iteration, picture in (*self.pictures.items(), *self.windows):
            yield from ((current, iteration) for current in picture.written)

    def _notes(self) -> list[str]:
        """What the report says about its rounding, for each choice."""
        derivation = self.derivation
        choices = (derivation.rounding.replace(decimals=count, significant=None, overrides=()) for count in DECIMALS)
        notes = (rounding_note(Derivation(derivation.graph, choice)) for choice in (derivation.rounding, *choices))
        return [note.text(self.translate) for note in notes]


def drawn_cells(picture: Diagram) -> dict[Cell, None]:
    """The cells of a drawing's nodes, edges and biases."""
    found = [*(node.cell for node in picture.nodes), *(edge.cell for edge in picture.edges), *(label.step for label in picture.labels)]
    return dict.fromkeys(current for current in found if current is not None)


def used_in(block: Equation) -> list[Cell]:
    """The cells that the formulas of a line show."""
    shown = (item for _, item in block.right if isinstance(item, Symbolic))
    return list(dict.fromkeys(current for item in shown for ref in references(item.expr) if (current := cell(ref)) not in item.gaps))


def values_in(block: Block) -> Iterator[Place]:
    """The numbers that a block shows."""
    items: Iterable[Item] = ()
    match block:
        case Equation(right=right):
            items = (item for _, item in right)
        case Table(rows=rows):
            items = (item for row in rows for item in row)
        case Grid(parts):
            items = (item for part in parts if isinstance(part, tuple) for row in part for item in row)
    for item in items:
        if isinstance(item, Value):
            yield item.cell, item.iteration
        elif isinstance(item, Numeric):
            yield from ((cell(ref), item.iteration) for ref in references(item.expr))

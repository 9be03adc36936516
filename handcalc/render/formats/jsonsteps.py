"""Steps as JSON text. Of many cells the text is made from templates, not from expressions.

- `StepLines(derivation, reading, iteration).line(cell)` is the text of a cell's step as `step_object` of jsonform.py has it, "" where it
  has to be made of that.

A template is the text of a frame (render/frames.py) with gaps for the cells used: for their symbols, or for their numbers. Which of these
get brackets round a sign is found out by printing one. A template must give back the text of the cell that it was made of; where there is
none, or a number is a quotient, nothing is said.
"""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Expr, Number, Ref, mul, rewrite
from handcalc.core.instance import Lookup
from handcalc.core.order import phase
from handcalc.core.quantity import Cell, Quantity
from handcalc.render.dialects import PLAIN
from handcalc.render.formats.templates import Spell, Template, escaped, spelling, template
from handcalc.render.frames import Frame, Framed
from handcalc.render.lookup import NUMBERED
from handcalc.render.printer import Printer
from handcalc.render.reading import Reading


class Family:
    """What is said of all cells of a quantity, and how each is called."""

    def __init__(self, reading: Reading, quantity: Quantity) -> None:
        graph, name = reading.graph, quantity.name
        self.quantity = quantity
        self.said = f'"phase": "{phase(quantity)}", "kind": "{quantity.kind}"'
        named = any(one.names for one in _chain(reading, quantity)) or quantity.kind in NUMBERED
        self.id: Spell = spelling(lambda place: graph.cell_id((name, place)), quantity.axes, _merged(reading, quantity), named)
        self.symbol: Spell = spelling(lambda place: reading.symbol(Ref(name, place)), quantity.axes, _merged(reading, quantity), named)

    def sample(self, wanted: Cell) -> str:
        """What is said of the sample of a cell."""
        label = self.quantity.axes[0].label(wanted[1][0]) if self.quantity.sampled else ""
        return f', "sample": "{escaped(label)}"' if label else ""


class StepLines:
    """The steps of one round."""

    def __init__(self, derivation: Derivation, reading: Reading, iteration: int) -> None:
        self._iteration = iteration
        self._reading = reading = reading.at(iteration)
        self._graph = graph = reading.graph
        self._evaluation = derivation.iteration(iteration).evaluation
        self._begins = "" if iteration == 1 else f"#{iteration}:"
        self._framed = reading.framed and reading.dialect is PLAIN and not graph.fixed and not graph.left_out
        self._families: dict[str, Family] = {}
        self._templates: dict[tuple[int, bool], tuple[Frame, Template | None]] = {}
        self._products: dict[tuple[int, int], tuple[Frame, Frame, Expr]] = {}

    def line(self, wanted: Cell) -> str:
        """The text of a step, "" where there is no template for it. Raises EvaluationError where it has no value."""
        if not self._framed:
            return ""
        family = self._family(wanted[0])
        formula = numbers = "null"
        used = contributions = ""
        if self._evaluation.literal(wanted) is None:
            framed = self._reading.frames.of(wanted)
            formula, numbers = (self._text(framed), self._text(framed, True)) if framed else ("", "")
            found = self._contributions(family.quantity, wanted)
            if framed is None or not formula or not numbers or found is None:
                return ""
            formula, numbers = f'"{formula}"', f'"{numbers}"'
            frame, cells = framed
            used = ", ".join(dict.fromkeys([f'"{self._id(cells[number])}"' for number in frame.order]))
            contributions = f', "contributions": [{", ".join(found)}]' if found else ""
        elif family.quantity.terms:
            return ""
        value = float(self._evaluation.before_rounding(wanted))
        shown = self._reading.number(wanted, self._iteration)
        return (
            f'{{"id": "{self._id(wanted)}", {family.said}, "symbol": "{family.symbol(wanted[1])}", "formula": {formula}, '
            f'"substituted": {numbers}, "value": {value!r}, "shown": "{shown}", "inputs": [{used}]{contributions}'
            f'{family.sample(wanted)}, "iteration": {self._iteration}}}'
        )

    def _family(self, name: str) -> Family:
        found = self._families.get(name)
        if found is None:
            found = self._families[name] = Family(self._reading, self._graph[name])
        return found

    def _id(self, wanted: Cell) -> str:
        return self._begins + self._family(wanted[0]).id(wanted[1])

    def _symbol(self, wanted: Cell) -> str:
        return self._family(wanted[0]).symbol(wanted[1])

    def _number(self, wanted: Cell) -> str:
        return self._reading.number(wanted, self._iteration)

    def _text(self, framed: Framed, numeric: bool = False) -> str:
        """The text of a formula with symbols, or with numbers put in; "" where there is no template for it."""
        frame, cells = framed
        names = self._number if numeric else self._symbol
        kept = self._templates.get((id(frame), numeric))
        if kept is None:
            kept = self._templates[id(frame), numeric] = frame, self._made(framed, numeric)
        found = kept[1]
        return found.filled([names(cells[number]) for number in found.numbers]) if found else ""

    def _made(self, framed: Framed, numeric: bool) -> Template | None:
        """The template of a frame, if it gives back the text of the cell that it is made of."""
        (frame, cells), reading = framed, self._reading
        names = self._number if numeric else self._symbol

        found = template(
            lambda spell: Printer(reading.dialect, spell, numeric, reading.comma, reading.longest).text(frame.formula),
            lambda number: "/" in names(cells[number]),
            reading.dialect,
        )
        whole = rewrite(frame.formula, lambda node: Ref(*cells[node.places[0]]) if isinstance(node, Ref) else None)
        text = reading.numeric(whole, self._iteration) if numeric else reading.symbolic(whole)
        if found is None or found.filled([names(cells[number]) for number in found.numbers]) != escaped(text):
            return None
        return found

    def _contributions(self, quantity: Quantity, wanted: Cell) -> list[str] | None:
        """The paths of a gradient cell; None where one has no template."""
        frames, graph, found = self._reading.frames, self._graph, list[str]()
        letters = {index.letter: place for index, place in zip(quantity.index, wanted[1])}
        for term in quantity.terms:
            index = (*quantity.index, *term.over)
            for places in graph.reach.all(term.over, term.path or term.through, letters):
                at = (*wanted[1], *places)
                through, local = frames.framed(term.through, index, at), frames.framed(term.local, index, at)
                if through is None or local is None:
                    return None
                if not isinstance(through[0].formula, Ref) or isinstance(local[0].formula, Number) and local[0].formula.numerator == 0:
                    continue
                upstream = frames.framed(term.upstream, index, at)
                above, slope = upstream and self._text(upstream), self._text(local)
                if not upstream or not above or not slope:
                    return None
                value = self._evaluation.of(self._product(upstream, local), wanted, self._among([*upstream[1], *local[1]]))
                found.append(
                    f'{{"through": "{self._id(through[1][0])}", "upstream": "{above}", "local": "{slope}", "value": {float(value)!r}}}'
                )
        return found

    def _among(self, cells: list[Cell]) -> Lookup:
        """The values of numbered cells."""
        return lambda ref: self._evaluation.precise(cells[ref.places[0]])

    def _product(self, upstream: Framed, local: Framed) -> Expr:
        """upstream·local, with the numbers of the cells of both, one after the other."""
        key = id(upstream[0]), id(local[0])
        if key not in self._products:
            count = len(upstream[1])
            later = rewrite(local[0].formula, lambda node: Ref(node.quantity, (node.places[0] + count,)) if isinstance(node, Ref) else None)
            self._products[key] = upstream[0], local[0], mul(upstream[0].formula, later)
        return self._products[key][2]


def _chain(reading: Reading, quantity: Quantity) -> list[Quantity]:
    """A quantity and those that its cells are called after."""
    names = [ref.quantity for ref in (quantity.of, quantity.through, quantity.wrt) if ref is not None]
    return [quantity, *(other for name in names for other in _chain(reading, reading.graph[name]))]


def _merged(reading: Reading, quantity: Quantity) -> int:
    """So many axes at the end are numbered as one."""
    return max(one.merged for one in _chain(reading, quantity) if one.axes == quantity.axes)

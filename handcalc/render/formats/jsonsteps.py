"""Steps as JSON text. Of many cells the text is made from templates, not from expressions.

- `StepLines(derivation, reading, iteration).line(cell)` is the text of a cell's step as `step_object` of jsonform.py has it, "" where it
  has to be made of that.

A template is the text of a frame (render/frames.py) with gaps for the cells used: for their symbols, or for their numbers. Which of these
get brackets round a sign is found out by printing one. A template must give back the text of the cell that it was made of; where there is
none, or a number is a quotient, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.derivation import Derivation, Iteration
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Number, Ref, mul, references, rewrite, walk
from handcalc.core.functions import function
from handcalc.core.instance import Lookup
from handcalc.core.order import phase
from handcalc.core.quantity import Cell, Quantity, Term
from handcalc.render.dialects import PLAIN
from handcalc.render.formats.templates import Spell, escaped, spelling, template
from handcalc.render.frames import Frame
from handcalc.render.lookup import NUMBERED
from handcalc.render.printer import PRIME, Printer
from handcalc.render.reading import Reading

Fill = Callable[[list[Cell]], str]  # the text of a formula with some cells in it, "" where there is no template for them


class Family:
    """What is said of all cells of a quantity, and how each is called."""

    def __init__(self, reading: Reading, quantity: Quantity, begins: str) -> None:
        graph, name = reading.graph, quantity.name
        self.quantity = quantity
        self.derived = quantity.givens is None
        self._sampled = quantity.sampled
        self.said = f'"phase": "{phase(quantity)}", "kind": "{quantity.kind}"'
        named = any(one.names for one in _chain(reading, quantity)) or quantity.kind in NUMBERED
        merged = _merged(reading, quantity)
        self.id: Spell = spelling(lambda place: begins + graph.cell_id((name, place)), quantity.axes, merged, named, '"')
        self.symbol: Spell = spelling(lambda place: reading.symbol(Ref(name, place)), quantity.axes, merged, named)
        self.paths = [GradientPath(reading, quantity, term) for term in quantity.terms]

    def sample(self, wanted: Cell) -> str:
        """What is said of the sample of a cell."""
        if not self._sampled:
            return ""
        label = self.quantity.axes[0].label(wanted[1][0])
        return f', "sample": "{escaped(label)}"' if label else ""


class GradientPath:
    """A term of a gradient: its consumer, what comes from there and the slope, as parts of one expression."""

    def __init__(self, reading: Reading, quantity: Quantity, term: Term) -> None:
        self.over = term.over
        self.reached = term.path or term.through
        self.outline = reading.frames.outline(Call("", (term.through, term.upstream, term.local)), (*quantity.index, *term.over))


class FrameTexts:
    """The texts of the cells of a frame."""

    def __init__(self, lines: StepLines, frame: Frame, cells: list[Cell]) -> None:
        self.formula = lines.filling(frame.formula, cells, False)
        self.numbers = lines.filling(frame.formula, cells, True)
        self.used = [(number, lines.family(cells[number][0]).id) for number in frame.order]


class PathTexts:
    """The texts of the contributions of a frame; nothing where there are none."""

    def __init__(self, lines: StepLines, frame: Frame, cells: list[Cell]) -> None:
        assert isinstance(frame.formula, Call)
        through, upstream, local = frame.formula.arguments
        self.nothing = not isinstance(through, Ref) or isinstance(local, Number) and local.numerator == 0
        if not self.nothing:
            self.through = through.places[0] if isinstance(through, Ref) else 0
            self.id = lines.family(cells[self.through][0]).id
            self.upstream, self.local = lines.filling(upstream, cells, False), lines.filling(local, cells, False)
            self.product = mul(upstream, local)


class PrintedNumbers(dict[Cell, str]):
    """Printed numbers of cells, each made when it is first asked for."""

    def __init__(self, reading: Reading, iteration: Iteration) -> None:
        self._digits, self._shown, self._rounding = reading.digits, iteration.shown_as, iteration.evaluation.rounding

    def __missing__(self, wanted: Cell) -> str:
        self[wanted] = found = self._digits(self._shown(wanted, self._rounding))
        return found


class StepLines:
    """The steps of one round."""

    def __init__(self, derivation: Derivation, reading: Reading, iteration: int) -> None:
        self._iteration = iteration
        self._reading = reading = reading.at(iteration)
        self._graph = graph = reading.graph
        self._evaluation = derivation.iteration(iteration).evaluation
        self._by_cells = type(self._evaluation) is Evaluation
        self._begins = "" if iteration == 1 else f"#{iteration}:"
        self._framed = reading.framed and reading.dialect is PLAIN and not graph.fixed and not graph.left_out
        self._numbers = PrintedNumbers(reading, derivation.iteration(iteration))
        self._families: dict[str, Family] = {}
        self._worked: dict[int, tuple[Frame, FrameTexts]] = {}
        self._passed: dict[int, tuple[Frame, PathTexts]] = {}
        for quantity in graph if self._framed else ():
            reading.frames.whole(quantity.name)

    def line(self, wanted: Cell) -> str:
        """The text of a step, "" where there is no template for it. Raises EvaluationError where it has no value."""
        if not self._framed:
            return ""
        family = self.family(wanted[0])
        formula = numbers = "null"
        used = contributions = ""
        if family.derived and not self._evaluation.replaced or self._evaluation.literal(wanted) is None:
            framed = self._reading.frames.of(wanted)
            if framed is None:
                return ""
            frame, cells = framed
            if self._by_cells and wanted not in self._evaluation.values:
                self._evaluation.work(wanted, frame.formula, self._among(cells))
                self._graph.known.uses[wanted] = tuple(dict.fromkeys([cells[number] for number in frame.order]))
            if id(frame) not in self._worked:
                self._worked[id(frame)] = frame, FrameTexts(self, frame, cells)
            worked = self._worked[id(frame)][1]
            formula, numbers = worked.formula(cells), worked.numbers(cells)
            found = self._contributions(family, wanted)
            if not formula or not numbers or found is None:
                return ""
            formula, numbers = f'"{formula}"', f'"{numbers}"'
            used = ", ".join(dict.fromkeys([spell(cells[number][1]) for number, spell in worked.used]))
            contributions = f', "contributions": [{", ".join(found)}]' if found else ""
        elif family.paths:
            return ""
        value, shown = float(self._evaluation.before_rounding(wanted)), self._numbers[wanted]
        return (
            f'{{"id": {family.id(wanted[1])}, {family.said}, "symbol": "{family.symbol(wanted[1])}", "formula": {formula}, '
            f'"substituted": {numbers}, "value": {value!r}, "shown": "{shown}", "inputs": [{used}]{contributions}'
            f'{family.sample(wanted)}, "iteration": {self._iteration}}}'
        )

    def family(self, name: str) -> Family:
        """What is said of all cells of a quantity."""
        found = self._families.get(name)
        if found is None:
            found = self._families[name] = Family(self._reading, self._graph[name], self._begins)
        return found

    def filling(self, formula: Expr, cells: list[Cell], numeric: bool) -> Fill:
        """What makes the text of a formula with numbered cells, with symbols or with numbers put in, if it gives back that with these."""
        reading, numbers = self._reading, self._numbers

        def name(number: int) -> str:
            wanted = cells[number]
            return numbers[wanted] if numeric else self.family(wanted[0]).symbol(wanted[1])

        found = template(
            lambda spell: Printer(reading.dialect, spell, numeric, reading.comma, reading.longest).text(formula),
            lambda number: "/" in name(number),
            reading.dialect,
        )
        whole = rewrite(formula, lambda node: Ref(*cells[node.places[0]]) if isinstance(node, Ref) else None)
        text = reading.numeric(whole, self._iteration) if numeric else reading.symbolic(whole)
        if found is None or found.filled([name(number) for number in found.numbers]) != escaped(text) or numeric and _leaves_out(formula):
            return lambda cells: ""
        filled, order = found.filled, found.numbers
        if numeric:
            return lambda cells: filled([numbers[cells[number]] for number in order])
        spells = [(number, self.family(cells[number][0]).symbol) for number in order]
        return lambda cells: filled([spell(cells[number][1]) for number, spell in spells])

    def _contributions(self, family: Family, wanted: Cell) -> list[str] | None:
        """The paths of a gradient cell; None where one has no template."""
        found: list[str] = []
        if not family.paths:
            return found
        letters = {index.letter: place for index, place in zip(family.quantity.index, wanted[1])}
        for path in family.paths:
            for places in self._graph.known.reach.all(path.over, path.reached, letters):
                framed = path.outline.framed((*wanted[1], *places))
                if framed is None:
                    return None
                frame, cells = framed
                if id(frame) not in self._passed:
                    self._passed[id(frame)] = frame, PathTexts(self, frame, cells)
                passed = self._passed[id(frame)][1]
                if passed.nothing:
                    continue
                upstream, local = passed.upstream(cells), passed.local(cells)
                if not upstream or not local:
                    return None
                value = self._evaluation.of(passed.product, wanted, self._among(cells))
                through = passed.id(cells[passed.through][1])
                found.append(f'{{"through": {through}, "upstream": "{upstream}", "local": "{local}", "value": {float(value)!r}}}')
        return found

    def _among(self, cells: list[Cell]) -> Lookup:
        """The values of numbered cells."""
        return lambda ref: self._evaluation.precise(cells[ref.places[0]])


def _leaves_out(formula: Expr) -> bool:
    """Whether a number that a cell has decides if it is printed: an argument that a function has by default."""
    calls = [node for node in walk(formula) if isinstance(node, Call) and node.function != PRIME and function(node.function).defaults]
    return any(references(call.arguments[-1]) for call in calls)


def _chain(reading: Reading, quantity: Quantity) -> list[Quantity]:
    """A quantity and those that its cells are called after."""
    names = [ref.quantity for ref in (quantity.of, quantity.through, quantity.wrt) if ref is not None]
    return [quantity, *(other for name in names for other in _chain(reading, reading.graph[name]))]


def _merged(reading: Reading, quantity: Quantity) -> int:
    """So many axes at the end are numbered as one."""
    return max(one.merged for one in _chain(reading, quantity) if one.axes == quantity.axes)

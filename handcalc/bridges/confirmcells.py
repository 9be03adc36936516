"""The script that confirms a network number by number: an assignment for each cell, in the functions of a framework of arrays.

- `written_out(setup, framework)` is its text, for whatever has a graph: equations, missing edges, shared weights, gradients given from
  above, penalties, any layer, any optimiser. Gradients are the framework's own, of the forward pass; updates are made from these.
- What automatic differentiation does not do is refused by name.

What a solution goes on from without a loss is a sum whose gradients are the same: of −error·out for `error: direct`, of g·q for a gradient
g that is given for q, and nothing else goes through q then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handcalc.bridges.confirmcode import LANGUAGES, ArrayCode
from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.network import reject
from handcalc.bridges.writing import shortest
from handcalc.core.expr import Call, Expr, Number, Ref, mul, rewrite, walk
from handcalc.core.functions import function
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.errors import Message
from handcalc.models.losses import sample_share
from handcalc.render.formats.python import identifier

FORWARD = ("input", "net", "out", "part", "variable", "loss", "loss_term", "error")  # kinds that the forward pass works out
INLINE = ("hyper", "memory", "rate")  # kinds whose given numbers are typed where they are used
USED = ("same", "gradients_of", "forward", "total", "values", "gradients", "held", "together", "aim", "np", "jax", "jnp", "torch", "F")


def written_out(setup: Setup, framework: str) -> str:
    """The script. Raises ModelError."""
    return LANGUAGES[framework].script(_Cells(setup, framework).lines())


class _Cells:
    """The lines of a script."""

    def __init__(self, setup: Setup, framework: str) -> None:
        self.setup = setup
        self.framework = framework
        self.graph = setup.graph.at_once
        self.code = ArrayCode(LANGUAGES[framework])
        self.names: dict[Cell, str] = {}
        self.arrays: dict[str, str] = {}  # given quantity → its array
        self.taken: set[str] = {*USED}
        self.families: dict[Call, str] = {}
        self.aimed = False  # whether something is summed up that gradients are taken of
        self.gradients = {
            one.name: self.graph.gradient(one.name) for one in self.graph if one.definition is None and self.graph.gradient(one.name)
        }
        self.share = sample_share(setup.problem) if any((one.kind, one.role) == ("gradient", "each") for one in self.graph) else Number(1)
        self._check()

    def _check(self) -> None:
        """Refuse numbers in the place of results, unless they are what comes from above, or no gradient goes through them."""
        backward = any(one.kind == "gradient" and any(True for _ in self.graph.positions(one.name)) for one in self.graph)
        for name, place in self.graph.fixed:
            quantity = self.graph[name]
            above = quantity.kind == "gradient" and quantity.role == "" and self.graph.present(*self._base((name, place)))
            if not above and quantity.kind != "memory" and (backward or quantity.kind not in FORWARD):
                what = Message("a number given for {id}", id=self.graph.cell_id((name, place)))
                reject("{what} cannot be written for {framework}", what=what, framework=self.framework)

    def _base(self, gradient: Cell) -> Cell:
        """The cell that a gradient is of."""
        of = self.graph[gradient[0]].of
        assert of is not None
        return self.graph.at(of, gradient)

    # --- names ---

    def name(self, wanted: Cell) -> str:
        """The variable of a cell."""
        if wanted not in self.names:
            self.names[wanted] = identifier(self.graph.cell_id(wanted), self.graph[wanted[0]].kind, self.taken)
            self.taken.add(self.names[wanted])
        return self.names[wanted]

    def _array(self, quantity: Quantity) -> str:
        """The array of given numbers; a number alone has the name of its cell."""
        if quantity.name not in self.arrays:
            if not quantity.axes:
                self.arrays[quantity.name] = self.name((quantity.name, ()))
            else:
                self.arrays[quantity.name] = identifier(quantity.name, quantity.kind, self.taken)
                self.taken.add(self.arrays[quantity.name])
        return self.arrays[quantity.name]

    def _given(self, quantity: Quantity) -> bool:
        """Whether a quantity is an array of given numbers."""
        return quantity.definition is None and quantity.kind not in INLINE

    # --- the script ---

    def lines(self) -> Iterator[str]:
        """All of it."""
        graph = self.graph
        wanted = [
            (one.name, place)
            for one in graph
            if one.kind in FORWARD and one.definition is not None and one.of is None and not one.stage
            for place in sorted(graph.positions(one.name))
        ]
        order = list(self._ordered(wanted, ()))
        data = [quantity for quantity in graph if self._given(quantity) and any(one[0] == quantity.name for one in order)]
        trained = [quantity for quantity in data if quantity.name in self.gradients]
        for quantity in data:
            self._array(quantity)
        forward = list(self._forward(order, data, wanted))
        for quantity in data:
            yield f"{self._array(quantity)} = {self._typed(quantity, quantity in trained)}"
        arguments = ", ".join(self._array(quantity) for quantity in trained)
        yield from ("", "", f"def forward({arguments}):", *(f"    {line}" for line in forward), "", "", f"values = forward({arguments})")
        asserted: dict[str, list[Cell]] = {}
        for one in wanted:
            if graph.given_value(one) is None:
                asserted.setdefault(one[0], []).append(one)
        for name, cells in asserted.items():
            yield self._same(name, f'together(values["{name}"])', cells)
        if trained and self.aimed:
            yield from self._gradients(trained, arguments)
        yield from self._updates(trained)

    def _unpacked(self, name: str, quantity: Quantity, array: str) -> Iterator[str]:
        """The line that gives the numbers of an array, at the places of a quantity, their names."""
        names = [self.name((name, place)) for place in self._places(quantity)]
        end = "," if quantity.axes and len(names) == 1 else ""
        if names != [array]:
            yield f"{', '.join(names)}{end} = {array}"

    def _typed(self, quantity: Quantity, trained: bool) -> str:
        language = LANGUAGES[self.framework]
        numbers = [shortest(float(self.setup.known[quantity.name, place])) for place in self._places(quantity)]
        values = f"[{', '.join(numbers)}]" if quantity.axes else numbers[0]
        return f"{language.make}({values})" + (language.parameter if trained else "")

    def _places(self, quantity: Quantity) -> list[tuple[int, ...]]:
        return sorted(self.graph.positions(quantity.name))

    def _same(self, label: str, found: str, cells: Iterable[Cell]) -> str:
        numbers = ", ".join(shortest(float(self.setup.known[one])) for one in cells)
        return f'same("{label}", {found}, [{numbers}])'

    # --- the forward pass ---

    def _forward(self, order: list[Cell], data: list[Quantity], wanted: list[Cell]) -> Iterator[str]:
        aims: list[str] = []
        for quantity in data:
            yield from self._unpacked(quantity.name, quantity, self._array(quantity))
            for place in self._places(quantity):
                yield from self._seeded((quantity.name, place), aims)
        for one in order:
            quantity = self.graph[one[0]]
            if not self._given(quantity) and quantity.kind not in INLINE:
                yield from self._assigned(one, held=quantity.held)
                yield from self._seeded(one, aims)
        results: dict[str, list[str]] = {}
        for one in wanted:
            if self.graph.given_value(one) is None:
                results.setdefault(one[0], []).append(self.name(one))
        whole = self.setup.model.loss
        loss = [self.name((whole, ()))] if whole and (whole, ()) in self.names and not self.graph[whole].role else []
        aims = loss + aims + list(self._direct())
        if aims and self.gradients:
            self.aimed = True
            yield f"aim = {' + '.join(aims)}"
        parts = [f'"{name}": [{", ".join(names)}]' for name, names in results.items()]
        parts += ['"aim": aim'] if self.aimed else []
        yield f"return {{{', '.join(parts)}}}"

    def _direct(self) -> Iterator[str]:
        """−error·out, for the delta rule; of a step the net input, for the rule of the perceptron."""
        error = next((one for one in self.graph if one.kind == "error" and not one.stage), None)
        if error is None or self.setup.model.loss:
            return
        last = len(self.setup.problem.layers)
        outputs, net = self.graph.in_layer(last, "out"), self.graph.in_layer(last, "net")
        start = outputs if self.graph.gradient(outputs) else net
        factor = "" if self.share == Number(1) else f" * {self.code.of(self.share, {}, {})}"
        for place in self.graph.positions(error.name):
            yield f"-held({self.name((error.name, place))}) * {self.name((start, place))}{factor}"

    def _seeded(self, one: Cell, aims: list[str]) -> Iterator[str]:
        """Where the gradient of a cell is given: it is what comes from above, and nothing else comes through."""
        gradient = self.graph.gradient(one[0])
        given = self.graph.fixed.get((gradient, one[1])) if gradient else None
        if given is None:
            return
        name = self.name(one)
        factor = self.share if self.graph[one[0]].sampled else Number(1)
        from_above = identifier(f"above.{self.graph.cell_id(one)}", "given", self.taken)
        self.taken.add(from_above)
        yield f"{from_above} = {self.code.of(mul(factor, given), {}, {})} * {name}"
        yield f"{name} = held({name})"
        aims.append(from_above)

    def _assigned(self, one: Cell, held: bool = False) -> Iterator[str]:
        """The lines of a cell."""
        given = self.graph.given_value(one)
        if given is not None:
            yield f"{self.name(one)} = {self.code.language.make}({shortest(given.numerator / given.denominator)})"
            return
        lines, text = self._formula(self.graph.instance(one))
        yield from lines
        name = self.name(one)
        yield f"{name} = held({text})" if held else f"{name} = {text}"

    def _formula(self, expr: Expr) -> tuple[list[str], str]:
        """Lines for the functions of a whole layer in a formula, and its code."""
        lines: list[str] = []
        names: dict[str, str] = {}

        def placed(node: Expr) -> Expr | None:
            if isinstance(node, Ref):
                used = cell(node)
                value = self.graph.given_value(used)
                if value is not None and self.graph[used[0]].kind in INLINE:
                    return value
                names[self.name(used)] = self.name(used)
                return Ref(self.name(used))
            if isinstance(node, Call) and not any(isinstance(inner, Ref) for inner in walk(node)):
                return self._value(node)
            if isinstance(node, Call) and function(node.function).family:
                found = self._family(node, lines)
                names[found] = found
                return Ref(found)
            return None

        changed = rewrite(expr, placed)
        changed = rewrite(changed, lambda node: self._value(node) if isinstance(node, Call) and _is_number(node) else None)
        return lines, self.code.of(changed, names, {})

    def _family(self, call: Call, lines: list[str]) -> str:
        """One entry of a function of many numbers, which is worked out once."""
        whole = Call(call.function, call.arguments, 0)
        if whole not in self.families:
            inner = []
            for argument in call.arguments:
                more, text = self._formula(argument)
                lines += more
                inner.append(text)
            name = identifier(f"{call.function}.{len(self.families) + 1}", "part", self.taken)
            self.taken.add(name)
            self.families[whole] = name
            together = f"together([{', '.join(inner)}])"
            lines.append(f"{name} = {self.code.family(call.function, together)}")
        found = self.families[whole]
        return found if call.function == "logsumexp" else f"{found}[{call.at}]"

    def _value(self, expr: Expr) -> Number:
        top, below = float(self.setup.known.of(expr)).as_integer_ratio()
        return Number(top, below)

    # --- gradients and updates ---

    def _gradients(self, trained: list[Quantity], arguments: str) -> Iterator[str]:
        language = LANGUAGES[self.framework]
        yield from ("", "", f"def total({arguments}):", f'    return forward({arguments})["aim"]', "", "")
        yield f"gradients = {language.gradients}(total, [{arguments}])"
        for place, quantity in enumerate(trained):
            gradient = self.gradients[quantity.name]
            cells = [(gradient, one) for one in self._places(quantity)]
            yield self._same(gradient, f"gradients[{place}]", cells)

    def _updates(self, trained: list[Quantity]) -> Iterator[str]:
        graph = self.graph
        wanted = [(new, place) for new in self.setup.model.updated.values() for place in graph.positions(new)]
        if not wanted:
            return
        known = {(self.gradients[one.name], place) for one in trained for place in self._places(one)} if self.aimed else set()
        self.families.clear()
        order = list(self._ordered(wanted, known))
        used = {one[0] for one in order}
        for quantity in graph:
            if quantity.name in used and self._given(quantity):
                yield from self._unpacked(quantity.name, quantity, self._array(quantity))
        for number, quantity in enumerate(trained):
            gradient = self.gradients[quantity.name]
            if gradient in used and self.aimed:
                yield from self._unpacked(gradient, quantity, f"gradients[{number}]")
        for one in order:
            if one in known or self._given(graph[one[0]]) or graph[one[0]].kind in INLINE and graph.given_value(one) is not None:
                continue
            yield from self._assigned(one)
        for new in self.setup.model.updated.values():
            cells = [(new, place) for place in sorted(graph.positions(new))]
            if cells:
                yield self._same(new, f"together([{', '.join(map(self.name, cells))}])", cells)

    def _ordered(self, wanted: Iterable[Cell], known: Iterable[Cell]) -> Iterator[Cell]:
        """Every cell after those it uses; of known cells nothing is asked."""
        done: set[Cell] = set()
        stop = {*known}
        for start in wanted:
            pending = [start]
            while pending:
                current = pending[-1]
                given = current in stop or self.graph.given_value(current) is not None
                missing = [] if given or current in done else [one for one in self.graph.uses(current) if one not in done]
                if missing:
                    pending.extend(reversed(missing))
                    continue
                pending.pop()
                if current not in done:
                    done.add(current)
                    yield current


def _is_number(expr: Expr) -> bool:
    return not any(isinstance(inner, Ref) for inner in walk(expr))

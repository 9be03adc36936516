"""Start in the middle: numbers given for what would be worked out, by id or printed name.

- `add_upstream(graph, problem, output)` stands for the loss where there is none: gradients come from above.
- `numbers_of(problem, model)` are the cells that are given, with their numbers; `with_numbers(…)` is a model with these in their places,
  and without what nothing needs any more.
- `refuse(problem, graph, text)` refuses what cannot be meant with numbers in the place of results: a second update, differences.

Without a loss the chain rule starts from Σ u·out, whose gradients ∂E/∂out are what comes from above, u. No u is known: of the cells that
take it, those that are given have their numbers, and for the others nothing comes from above. Names are found in the whole model, so a
gradient can be given under its id or as it is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from handcalc.core.derivation import Derivation
from handcalc.core.expr import ONE, ZERO, Expr, Number, Ref, add, mul, rewrite
from handcalc.core.graph import Graph
from handcalc.core.index import Index, affine
from handcalc.core.quantity import Cell, Letter, Quantity
from handcalc.core.rounding import Rounding
from handcalc.errors import AmbiguousIdError, HandcalcError, Message, ProblemError, Template, UnknownIdError
from handcalc.layers.site import sample_index, totals
from handcalc.models.cutting import GRADIENTS, Unknown, cut, ends
from handcalc.models.header import header_of
from handcalc.models.model import Model
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import GivenCell, Problem

if TYPE_CHECKING:
    from handcalc.render.lookup import Lookup

UPSTREAM = "upstream"  # the role of what stands for a loss, and of what comes from above
OF_NEURONS = ("net", "out", "grad.net", "grad.out", "local.out")  # what a list has a number of for every neuron of the last layer
CELLS_LIMIT = 500_000  # of a graph in the middle of which something is given
AIMS = ("out", "loss", "variable")  # kinds that are worked out in the end, or the problem says too little

# --- gradients from above ---------------------------------------------------------------------------------------------


def add_upstream(graph: Graph, problem: Problem, output: Ref | None, whole: bool) -> str:
    """Define Σ u·out over the outputs (of each sample; whole: of all), or over every quantity of equations; answers its name."""
    if output is None:
        named = [quantity for quantity in graph if quantity.kind == "variable" or quantity.name in problem.parameters]
        above: Expr = add(*(_whole(graph, one, number) for number, one in enumerate(named)))
        shape: tuple[Index, ...] = next((one.index for one in named if one.sampled), ())
    else:
        index = tuple(one for place in output.indices for _, one in affine(place).terms)
        shape = () if whole else sample_index(problem)
        above = totals(index[len(shape) :], mul(_from_above(graph, output.quantity, index), output))
    name = f"{UPSTREAM}@"
    graph.define(Quantity(name, "loss", tuple(one.axis for one in shape), shape, above, role=UPSTREAM))
    return name


def _whole(graph: Graph, quantity: Quantity, number: int) -> Expr:
    """Σ u·q over a list, in letters of its own."""
    above = _from_above(graph, quantity.name, quantity.index).quantity
    index = tuple(one if one.axis.role == "sample" else Index(f"{one.letter}_{number}", one.axis) for one in quantity.index)
    return totals(index[quantity.sampled :], mul(Ref(above, index), Ref(quantity.name, index)))


def _from_above(graph: Graph, name: str, index: tuple[Index, ...]) -> Ref:
    above = f"{UPSTREAM}@{name}"
    graph.given(Quantity(above, "input" if index else "given", tuple(one.axis for one in index), index, role=UPSTREAM, letter=Letter("u")))
    return Ref(above, index)


def is_upstream(quantity: Quantity) -> bool:
    """Whether a quantity stands for a loss, or for what comes from above."""
    return quantity.role == UPSTREAM


def _without_upstream(graph: Graph) -> None:
    """Take what stands for a loss out of the graph: nothing comes from above but what is given."""
    gone = {quantity.name for quantity in graph if is_upstream(quantity)}
    gone |= {quantity.name for quantity in graph if quantity.of and quantity.of.quantity in gone}
    gone |= {quantity.name for quantity in graph if quantity.through and quantity.through.quantity in gone}

    def nothing(node: Expr) -> Expr | None:
        return ZERO if isinstance(node, Ref) and node.quantity in gone else None

    for quantity in list(graph):
        if quantity.kind in ("path", "gradient") and quantity.definition is not None and quantity.name not in gone:
            terms = tuple(term for term in quantity.terms if term.through.quantity not in gone)
            graph.redefine(quantity.replace(definition=rewrite(quantity.definition, nothing), terms=terms))
    graph.remove(gone)


# --- given numbers in their places ------------------------------------------------------------------------------------


def with_numbers(problem: Problem, model: Model, numbers: Mapping[Cell, Number], plain: Callable[[], Model]) -> Model:
    """The model with given numbers; plain: makes the one without gradients, where none comes from above.

    Raises ProblemError where what is wanted needs something that nobody gave, and where there are too many numbers.
    """
    from_above = any(map(is_upstream, model.graph))
    if from_above and not any(model.graph[name].kind in GRADIENTS for name, _ in numbers):
        model, from_above = plain(), False
    graph = model.graph
    there = {cell: value for cell, value in numbers.items() if cell[0] in graph}
    for name in {name for name, _ in there if graph[name].kind == "change"}:
        _use_change(graph, graph[name])
    if all(graph[name].kind == "memory" for name, _ in there) and not any(quantity.unknown for quantity in graph):
        graph.fix(there, ())  # everything is needed as before
        return model
    count = sum(quantity.size for quantity in graph)
    if count > CELLS_LIMIT:
        text = "{count} numbers are too many to find out what is still needed; take fewer samples, or a smaller network"
        raise ProblemError(Message(text, _where(problem), count=count))
    found = [end for end in ends(graph) if not is_upstream(graph[end[0]])]
    if from_above:
        _without_upstream(graph)
    if problem.input_gradients:
        found += [(gradient, place) for name, place in there if (gradient := graph.gradient(name)) and graph.present(gradient, place)]
    found = [end for end in found if end[0] in graph]
    try:
        cut(graph, there, found, _is_aim, from_above, _outputs(graph, there))
    except Unknown as error:
        text = "{wanted} needs {missing}, which is not given"
        wanted, missing = graph.cell_id(error.wanted), graph.cell_id(error.missing)
        raise ProblemError(Message(text, _where(problem), wanted=wanted, missing=missing)) from None
    return model


def _use_change(graph: Graph, change: Quantity) -> None:
    """w⁺ = w + Δw where a change is given, so that it does change the parameter."""
    assert change.of is not None
    new = graph[graph.updated(change.of.quantity)]
    graph.redefine(new.replace(definition=add(change.of, Ref(change.name, change.index))))


def _outputs(graph: Graph, numbers: Mapping[Cell, Number]) -> list[Cell]:
    """The outputs and variables by which a gradient is given: a loss would use them."""
    found = [(graph[cell[0]], cell) for cell in numbers if graph[cell[0]].kind == "gradient"]
    bases = [graph.at(quantity.of, cell) for quantity, cell in found if quantity.of is not None]
    return [base for base in bases if graph[base[0]].kind in AIMS]


def _is_aim(quantity: Quantity) -> bool:
    return quantity.kind in AIMS and not quantity.stage


def _where(problem: Problem) -> str:
    return f"{problem.path}: " if problem.path else ""


def numbers_of(problem: Problem, model: Model) -> dict[Cell, Number]:
    """Cell → given number. Raises ProblemError with every name that is wrong."""
    from handcalc.render.lookup import Lookup
    from handcalc.render.notation import notation_for

    graph = model.graph
    derivation = Derivation(graph, Rounding(), loss=model.loss, header=lambda: header_of(problem))
    lookup = Lookup(derivation, notation_for(derivation, ""))
    found: dict[Cell, GivenCell] = {}
    lists: dict[str, Cell] = {}  # the first cell of each
    wrong: dict[str, list[Message]] = {}
    for given in (_of_last_layer(one, problem) for one in problem.fixed):
        entry = given.whole or given.name
        try:
            cell, number = _found(lookup, given)
            _check(model, cell, found.get(cell), given)
        except (UnknownIdError, AmbiguousIdError, ProblemError) as error:
            wrong.setdefault(entry, [_shape(graph, lists[entry], given)] if entry in lists else _placed(error, given))
            continue
        found[cell] = given.replace(value=number)
        if given.whole and lists.setdefault(entry, cell) == cell and given.sizes != _sizes(graph, cell):
            wrong[entry] = [_shape(graph, cell, given)]
    if wrong:
        messages = [message for several in wrong.values() for message in several]
        raise ProblemError(*(Message(message.template, problem.path + message.where, **message.values) for message in messages))
    return {cell: given.value for cell, given in found.items()}


def _of_last_layer(given: GivenCell, problem: Problem) -> GivenCell:
    """A place of a list for the neurons of the last layer, such as `net: [1, 5, 3]`, by the name of the neuron."""
    neurons = problem.layers[-1].neurons if problem.layers and problem.layers[-1].type == "dense" else ()
    if given.whole.partition("@")[0] not in OF_NEURONS or given.sizes != (len(neurons),):
        return given
    stem, _, rest = given.name.partition("[")
    place, _, along = rest.partition("]")
    return given.replace(name=f"{stem}.{neurons[int(place) - 1]}{along}", whole="", sizes=())


def _placed(error: HandcalcError, given: GivenCell) -> list[Message]:
    """What is wrong, with the line and key in the file."""
    return [Message(message.template, given.where, **message.values) for message in error.messages]


def _found(lookup: Lookup, given: GivenCell) -> tuple[Cell, Number]:
    """The cell of a name, and its number in the sign of the cell."""
    found = lookup.find(given.name)
    if found.iteration > 1 or is_upstream(lookup.graph[found.cell[0]]):
        raise UnknownIdError(Message("there is no step {found}{near}", found=f'"{given.name}"', near=""))
    if found.turned is None:
        own = lookup.graph.cell_id(found.cell)
        raise AmbiguousIdError(Message("{found} may have either sign; write {id}", found=f'"{given.name}"', id=own))
    return found.cell, _negated(given.value) if found.turned else given.value


def _negated(value: Number) -> Number:
    text = value.text.removeprefix("-") if value.text.startswith("-") else "-" + value.text.removeprefix("+") if value.text else ""
    return Number(-value.numerator, value.denominator, text)


def _check(model: Model, cell: Cell, other: GivenCell | None, given: GivenCell) -> None:
    """Raises ProblemError where a cell cannot be given, or is given twice."""
    quantity = model.graph[cell[0]]
    if model.graph.given_value(cell) is not None and quantity.kind != "memory":
        raise ProblemError(Message("{id} is a number of the problem; change it where it stands", id=model.graph.cell_id(cell)))
    if cell[0] in model.memory.values():
        before = next(old for old, new in model.memory.items() if new == cell[0])
        raise ProblemError(Message("give what it was before the update, {id}", id=model.graph.cell_id((before, cell[1]))))
    if quantity.kind == "gradient" and quantity.of and quantity.of.quantity == model.loss and given.value != ONE:
        text = "{id} is 1, since {goal} is minimised; leave minimize out for a gradient that comes from above"
        raise ProblemError(Message(text, id=model.graph.cell_id(cell), goal=model.loss))
    if other is not None:
        raise ProblemError(Message("{name} and {other} are the same number; give it once", name=given.name, other=other.name))


def _shape(graph: Graph, cell: Cell, given: GivenCell) -> Message:
    """That a list is not all of its quantity, or of one sample and time."""
    found, wanted = ("×".join(map(str, one)) for one in (given.sizes, _sizes(graph, cell)))
    return Message("{what} is {found}, expected {wanted}", given.where, what=given.whole, found=found, wanted=wanted)


def _sizes(graph: Graph, cell: Cell) -> tuple[int, ...]:
    """The sizes of what the numbers in the id of a cell count; a parameter is numbered along every axis."""
    quantity = base = graph[cell[0]]
    while base.of is not None:
        base = graph[base.of.quantity]
    numbered = base.kind in PARAMETERS
    return tuple(axis.size for axis in quantity.axes if axis.role not in ("sample", "time") and (numbered or not axis.labels))


# --- what cannot be meant -------------------------------------------------------------------------------------------------


ONE_UPDATE: Template = "{id} is given, so it does not change with the weights: there is one update only"
NO_DIFFERENCE: Template = "{id} is given, so it does not move with what is before it: differences cannot confirm a gradient through it"


def refuse(problem: Problem, graph: Graph, text: Template) -> None:
    """Raises ProblemError where a number is given in the place of a result: of all but what an optimiser remembers."""
    cell = next((cell for cell in graph.fixed if graph[cell[0]].kind != "memory"), None)
    if cell is not None:
        raise ProblemError(Message(text, _where(problem), id=graph.cell_id(cell)))

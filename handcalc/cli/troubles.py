"""What to say where a step has no value: file and line, what it needs, with which numbers, and what to do about it.

- `with troubles(problem, notation):` says it of every EvaluationError inside.

`_WHY` says why an operation has no value; a remedy is a rule of `_REMEDIES`, asked in their order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Power, Quotient, Ref, children, references
from handcalc.core.instance import FRACTIONS, LOGARITHMS, compute
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError, Message, Template
from handcalc.layers.softmax import POWERS
from handcalc.problem.schema import Problem

MOST = 4  # numbers that are told

_WHY: dict[str, Template] = {
    "logarithm": "only a number above 0 has a logarithm",
    "root": "a number below 0 has no square root",
    "power": "a number below 0 has no such power",
    "division": "nothing can be divided by 0",
    "overflow": "that is larger than a computer's numbers (overflow)",
    "": "the function is not defined there",
}
_UPDATES = ("rate", "hyper", "memory", "state", "change", "updated")


class Trouble(Record):
    """A step without a value: where it is, which part of it has none, and what kind of operation that is."""

    problem: Problem
    derivation: Derivation
    evaluation: Evaluation
    step: Cell
    part: Expr
    kind: str

    @property
    def quantity(self) -> Quantity:
        """What the step is one of."""
        return self.derivation.graph[self.step[0]]


@contextmanager
def troubles(problem: Problem, notation: str = "") -> Iterator[None]:
    """What is said of steps without a value, in a notation. Raises EvaluationError."""
    try:
        yield
    except EvaluationError as error:
        found = _trouble(error, problem)
        raise (EvaluationError(told(found, notation)) if found else error) from None


def _trouble(error: EvaluationError, problem: Problem) -> Trouble | None:
    """What there is to say of an error; None where nothing more is known of it."""
    from handcalc.deriving import derive

    if error.evaluation is None:
        return None
    derivation = derive(problem)
    name, place = error.cell
    if name not in derivation.graph or not derivation.graph.present(name, place) or derivation.graph.given_value(error.cell) is not None:
        return None
    evaluation: Evaluation = error.evaluation
    part = _failing(derivation.graph.instance(error.cell), evaluation)
    return Trouble(problem, derivation, evaluation, error.cell, part, _kind(part, evaluation))


def _failing(expr: Expr, evaluation: Evaluation) -> Expr:
    """The innermost part of a formula that has no value."""
    for part in children(expr):
        if type(part) is not Ref and not _has_value(part, evaluation):
            return _failing(part, evaluation)
    return expr


def _has_value(expr: Expr, evaluation: Evaluation, unrounded: bool = False) -> bool:
    value = evaluation.before_rounding if unrounded else evaluation.precise
    try:
        found = float(compute(expr, lambda ref: value(cell(ref)), FRACTIONS))
    except (ArithmeticError, ValueError):
        return False
    return math.isfinite(found)


def _kind(part: Expr, evaluation: Evaluation) -> str:
    """Why an operation has no value: a key of `_WHY`."""
    try:
        float(compute(part, lambda ref: evaluation.precise(cell(ref)), FRACTIONS))
    except OverflowError:
        return "overflow"
    except ZeroDivisionError:
        return "division"
    except (ArithmeticError, ValueError):
        if isinstance(part, Call):
            return "logarithm" if part.function in LOGARITHMS else "root" if part.function == "sqrt" else ""
        return "power" if isinstance(part, Power) else ""
    return "overflow"  # infinite, or no number


# --- the message ------------------------------------------------------------------------------------------------------


def told(trouble: Trouble, notation: str) -> Message:
    """`p.yaml:9: E_y needs ln(1 - out_y), but out_y = 1: …`"""
    import sys

    from handcalc.cli.output import dialect_for
    from handcalc.render import read

    reading = read(trouble.derivation, notation, dialect_for(sys.stdout))
    step = reading.symbol(Ref(*trouble.step))
    divisor = trouble.part.below if isinstance(trouble.part, Quotient) and trouble.kind == "division" else None
    part = reading.symbolic(reading.signed(divisor or trouble.part))
    cells = list(dict.fromkeys(cell(ref) for ref in references(divisor or trouble.part)))
    numbers = []
    for wanted in cells[:MOST]:
        value = float(trouble.evaluation.precise(wanted)) * (-1 if reading.turned(wanted) else 1)
        numbers.append(f"{reading.symbol(Ref(*wanted))} = {value:.6g}")
    values = ", ".join(numbers) + (" …" if len(cells) > MOST else "")
    if divisor is not None:
        what = Message("{step} is divided by {part}, but {values}", step=step, part=part, values=values)
        if not numbers or [part] == [reading.symbol(Ref(*wanted)) for wanted in cells]:
            what = Message("{step} is divided by {part}, which is 0", step=step, part=part)
    elif numbers:
        what = Message("{step} needs {part}, but {values}", step=step, part=part, values=values)
    else:
        what = Message("{step} needs {part}", step=step, part=part)
    remedy = next(filter(None, (rule(trouble) for rule in _REMEDIES)), None)
    line = _line(trouble)
    where = f"{trouble.problem.path}:{f'{line}:' if line else ''} " if trouble.problem.path else ""
    if remedy:
        return Message("{what}: {why}; {remedy}", where, what=what, why=Message(_WHY[trouble.kind]), remedy=remedy)
    return Message("{what}: {why}", where, what=what, why=Message(_WHY[trouble.kind]))


def _line(trouble: Trouble) -> int | None:
    """The line of the file where the step comes from."""
    from handcalc.loading.places import line_of

    quantity = trouble.quantity
    keys = ("optimizer", "learning_rate") if quantity.kind in _UPDATES else ("loss", "error", "targets", "samples", "data")
    equation = trouble.derivation.graph.cell_id(trouble.step)
    return line_of(trouble.problem.path, equation, quantity.layer, keys if not trouble.problem.equations else ("minimize",))


# --- what to do -------------------------------------------------------------------------------------------------------


def _carried(trouble: Trouble) -> Message | None:
    """What was rounded on the way."""
    rounding: Rounding = trouble.evaluation.rounding
    if rounding.carry and _has_value(trouble.part, trouble.evaluation, unrounded=True):
        return Message("it was rounded on the way: carry more digits")
    return None


def _in_loss(trouble: Trouble) -> bool:
    """Whether it is about the loss, or its slope by an output."""
    quantity, layers = trouble.quantity, trouble.problem.layers
    slope = quantity.kind == "gradient" and quantity.layer == len(layers) and trouble.kind == "division"
    return bool(layers) and (quantity.kind in ("loss_term", "loss") or slope)


def _softmax_of_one(trouble: Trouble) -> Message | None:
    last = trouble.problem.layers[-1] if trouble.problem.layers else None
    if last and _in_loss(trouble) and len(last.neurons) == 1 and last.activations and last.activations[0].name == "softmax":
        return Message("softmax over one neuron is always 1: write sigmoid")
    return None


def _used(trouble: Trouble) -> tuple[Cell, ...]:
    """The outputs that a loss, or its slope, uses."""
    graph = trouble.derivation.graph
    return tuple(one for one in graph.uses(trouble.step) if graph[one[0]].kind == "out")


def _output_of_loss(trouble: Trouble) -> Message | None:
    """An output that its loss is not for, or one that is as good as 0 or 1."""
    from handcalc.layers.activations import has_slope
    from handcalc.models.doubts import reach

    last = trouble.problem.layers[-1] if trouble.problem.layers else None
    if not last or not _in_loss(trouble) or trouble.kind not in ("logarithm", "division") or not last.activations:
        return None
    if not any(trouble.derivation.graph[ref.quantity].kind == "out" for ref in references(trouble.part)):
        return Message("a list of zeros has no direction: take other weights or inputs")
    if not all(map(has_slope, last.activations)) or any(trouble.derivation.graph.given_value(one) for one in _used(trouble)):
        return Message("a wrong answer that is certain has an infinite loss")
    if all(reach(activation) == (0, 1) for activation in last.activations):
        return Message("the output is too near its end for a computer's numbers: take smaller weights or inputs")
    return Message("this loss is for outputs between 0 and 1: take sigmoid or softmax, or another loss")


def _after_update(trouble: Trouble) -> Message | None:
    """What an update has brought about."""
    graph = trouble.derivation.graph
    later = trouble.quantity.stage == "after" or any(graph.updated(name) for name, _ in trouble.evaluation.replaced)
    return Message("take a smaller learning_rate") if later and graph.in_layer(0, "rate") else None


def _epsilon(trouble: Trouble) -> Message | None:
    """A root that is divided by, of a layer or an optimiser with an ε for this."""
    graph, layers = trouble.derivation.graph, trouble.problem.layers
    own = trouble.kind == "division" and trouble.quantity.layer and "epsilon" in layers[trouble.quantity.layer - 1].options
    of_optimiser = trouble.kind == "division" and any(graph.cell_id(cell(ref)) == "epsilon" for ref in references(trouble.part))
    return Message("write {example}", example="epsilon: 1e-5") if own or of_optimiser else None


def _power_too_large(trouble: Trouble) -> Message | None:
    """A power of softmax."""
    text = "write {example}: then the largest is subtracted from each first"
    return Message(text, example="conventions: {softmax: shifted}") if trouble.quantity.role in POWERS else None


def _too_large(trouble: Trouble) -> Message | None:
    return Message("take smaller numbers") if trouble.kind == "overflow" else None


def _other_numbers(trouble: Trouble) -> Message | None:
    """The given numbers that it follows from, where they are few."""
    graph = trouble.derivation.graph
    found: dict[Cell, None] = {}
    left = [cell(ref) for ref in references(trouble.part)]
    while left and len(found) <= MOST:
        one = left.pop(0)
        if graph.given_value(one) is not None:
            found[one] = None
        elif one[0] in graph and graph.present(*one):
            left += graph.uses(one)
    if not found:
        return None
    if len(found) > MOST:
        return Message("take other numbers")
    return Message("take other numbers for {names}", names=", ".join(map(graph.cell_id, found)))


_REMEDIES: tuple[Callable[[Trouble], Message | None], ...] = (
    _carried,
    _softmax_of_one,
    _output_of_loss,
    _power_too_large,
    _after_update,
    _too_large,
    _epsilon,
    _other_numbers,
)

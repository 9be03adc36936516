"""What looks like a slip in a problem that can be worked out all the same: a target that is never reached, a weight left out.

- `doubts(problem)` are sentences about it, which a report says under what is given. Nothing is refused.
- `reach(activation)` is the range of an activation, also of one that was typed as a formula; `has_value(expr, values)` whether a
  formula of a loss has one.

To add a doubt, write its rule and put it into `RULES`. A rule must be silent about every shipped problem that means what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from handcalc.core.expr import Call, Expr, Number, Power, Quotient, walk
from handcalc.core.instance import evaluate
from handcalc.errors import Message
from handcalc.layers.activations import IDENTITY, SOFTMAX
from handcalc.problem.dataset import targets_at
from handcalc.problem.schema import Activation, EdgeMatrix, Layer, Problem
from handcalc.problem.words import LOSSES

SAMPLES = 200  # of a data set, so many are looked at
MOST = 3  # sentences of one rule
HALF_BOOKS = ("zhou",)  # notations of books that call ½Σ(t − o)² the mean squared error
NOT_COMPARED = ("hinge", "multiclass_hinge", "negative_log_likelihood")  # losses that are smallest elsewhere than at the target
_NEAR = (*(step / 4 for step in range(-40, 41)), -100.0, 100.0)  # net inputs of a usual size
_FAR = (-10_000.0, 10_000.0)
_MARGIN = 0.02  # how much a range may still grow from near to far


def doubts(problem: Problem) -> tuple[Message, ...]:
    """What looks like a slip."""
    return tuple(found for rule in RULES for found in islice(rule(problem), MOST)) if problem.layers else ()


# --- ranges -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def reach(activation: Activation) -> tuple[float | None, float | None]:
    """The smallest and the largest value of an activation, as good as reached; None where there is none."""
    if activation.name == SOFTMAX.name:
        return 0.0, 1.0
    near = [value for z in _NEAR if (value := _at(activation, z)) is not None]
    far = [_at(activation, z) for z in _FAR]
    if not near or None in far:
        return None, None
    values = [*near, *(value for value in far if value is not None)]
    low, high = min(values), max(values)
    return (low if min(near) - low < _MARGIN else None), (high if high - max(near) < _MARGIN else None)


def _at(activation: Activation, z: float) -> float | None:
    """An activation at a net input; None where it has no value."""
    if activation.formula is None:
        return None
    try:
        return float(evaluate(activation.formula, lambda name: z))
    except (ArithmeticError, ValueError):
        return None


def has_value(expr: Expr, values: Mapping[str, float]) -> bool:
    """Whether a formula over o and t has a value."""
    try:
        evaluate(expr, lambda name: values[name.quantity])
    except (ArithmeticError, ValueError):
        return False
    return True


# --- rules ------------------------------------------------------------------------------------------------------------


def _outputs(problem: Problem) -> Iterator[tuple[int, str, Activation]]:
    """Place, name and activation of the output neurons of a dense layer."""
    last = problem.layers[-1]
    for place, neuron in enumerate(last.neurons if last.type == "dense" else ()):
        yield place, neuron, last.activations[place if len(last.activations) > 1 else 0]


def _targets(problem: Problem, place: int) -> Iterator[Number]:
    """The targets of an output neuron."""
    yield from dict.fromkeys(targets_at(problem.samples, place, SAMPLES))


def _unreachable(problem: Problem) -> Iterator[Message]:
    """A target outside the range of its activation."""
    if not _is_compared(problem):
        return
    for place, neuron, activation in _outputs(problem):
        low, high = reach(activation)
        for target in _targets(problem, place):
            value = target.numerator / target.denominator
            below, above = low is not None and value < low - _MARGIN, high is not None and value > high + _MARGIN
            if below or above:
                text = "{neuron} never reaches its target {target}: {activation} has no value above {end}."
                if below:
                    text = "{neuron} never reaches its target {target}: {activation} has no value below {end}."
                end = low if below else high
                yield Message(text, neuron=neuron, target=f"{value:g}", activation=activation.name, end=f"{end:.3g}")
                break


def _is_compared(problem: Problem) -> bool:
    """Whether the loss compares outputs with targets, so that it is smallest where they are equal; a hinge or t·o does not."""
    loss = problem.loss
    if loss is None or loss.form != "terms":
        return loss is not None and loss.form != "whole"
    return loss.term is not None and loss.name in LOSSES and loss.name not in NOT_COMPARED


def _one_softmax(problem: Problem) -> Iterator[Message]:
    """Softmax over one neuron."""
    for number, layer in enumerate(problem.layers, 1):
        if layer.activations == (SOFTMAX,) and layer.type == "dense" and len(layer.neurons) == 1:
            yield Message("Softmax over one neuron, as in layer {layer}, is always 1: sigmoid is meant.", layer=number)


def _without_value(problem: Problem) -> Iterator[Message]:
    """A loss that has no value for outputs which an activation may well have: ln 0 to come."""
    loss = problem.loss
    if (
        loss is None
        or loss.form != "terms"
        or loss.term is None
        or loss.sums
        or not any(isinstance(node, (Call, Quotient, Power)) for node in walk(loss.term))
    ):
        return
    for place, neuron, activation in _outputs(problem):
        for target in _targets(problem, place):
            wanted = target.numerator / target.denominator
            values = [value for z in range(-5, 6) if (value := _at(activation, float(z))) is not None]
            bad = [value for value in values if not has_value(loss.term, {"o": value, "t": wanted})]
            if bad:
                text = "The loss ({loss}) has no value where {neuron} is {value}, as {activation} may be."
                yield Message(text, loss=loss.name, neuron=neuron, value=f"{bad[len(bad) // 2]:.3g}", activation=activation.name)
                return


def _one_sided(problem: Problem) -> Iterator[Message]:
    """Cross-entropy of a single output: a target 0 costs nothing."""
    outputs = list(_outputs(problem))
    if (
        problem.loss is not None
        and problem.loss.name in ("cross_entropy", "mean_cross_entropy")
        and len(outputs) == 1
        and outputs[0][2].name != SOFTMAX.name
    ):
        yield Message("With one output, cross_entropy (−t·ln o) says nothing about a target 0: binary_cross_entropy does.")


def _hinge_of_shares(problem: Problem) -> Iterator[Message]:
    """A hinge loss with targets 0: it is for −1 and 1."""
    if problem.loss is not None and problem.loss.name == "hinge" and any(not target for *_, target in _all_targets(problem)):
        if len(list(_outputs(problem))) > 1:
            yield Message("hinge is for targets −1 and 1: a target 0 says nothing. For one of several classes there is multiclass_hinge.")
        else:
            yield Message("hinge is for targets −1 and 1: a target 0 says nothing.")


def _all_targets(problem: Problem) -> Iterator[tuple[str, float]]:
    for place, neuron, _ in _outputs(problem):
        yield from ((neuron, target.numerator / target.denominator) for target in _targets(problem, place))


def _half_of_the_book(problem: Problem) -> Iterator[Message]:
    """The book of a notation has ½Σ, whatever it calls it."""
    if problem.loss is not None and problem.notation in HALF_BOOKS and problem.loss.name == "mean_squared_error":
        yield Message("The book of this notation has ½Σ(t − o)², also where it says mean squared error: that is half_squared_error.")


def _one_of_a_batch(problem: Problem) -> Iterator[Message]:
    """Batch normalisation of a single sample."""
    if len(problem.samples) == 1 and any(layer.type == "batch_norm" for layer in problem.layers):
        yield Message("batch_norm of one sample: its variance is 0. The numbers of a batch stand under samples.")


def _rows_for_samples(problem: Problem) -> Iterator[Message]:
    """Rows of inputs and of targets through dense layers only: they are the places of one sample, not samples."""
    if len(problem.samples) == 1 and all(layer.type == "dense" and len(layer.axes) > 1 for layer in problem.layers):
        yield Message(
            "The rows of inputs are times, or words, of one sample, and their losses are added; several samples stand under samples."
        )


def _not_reached(problem: Problem) -> Iterator[Message]:
    """Rows or columns at the end that no window of a convolution or pooling holds."""
    before = problem.axes
    for number, layer in enumerate(problem.layers, 1):
        chosen, axes, before = layer.options, before, layer.axes
        window = chosen.get("window", ()) if chosen.get("output_padding") is None else ()
        spread = chosen.get("dilation") or (1,) * len(window)
        for axis, k, d, s, (first, last) in zip(axes[-len(window) :], window, spread, chosen.get("stride", ()), chosen.get("padding", ())):
            left = (axis.size + first + last - d * (k - 1) - 1) % s - last
            if left > 0 and axis.role == "row":
                yield Message("Layer {layer}: the last {count} {count:row is|rows are} in no window.", layer=number, count=left)
            elif left > 0:
                yield Message("Layer {layer}: the last {count} {count:column is|columns are} in no window.", layer=number, count=left)


def _no_activation(problem: Problem) -> Iterator[Message]:
    """A hidden layer whose activation was left out, where other layers have one."""
    others = any(activation != IDENTITY for layer in problem.layers for activation in layer.activations)
    after = {layer.taken(number)[0]: layer.type for number, layer in reversed([*enumerate(problem.layers, 1)])}
    for number, layer in enumerate(problem.layers, 1):
        if others and layer.type == after.get(number) == "dense" and "activation" in layer.left_out:
            yield Message("Layer {layer} has no activation: its outputs are its net inputs.", layer=number)


def _missing_edges(problem: Problem) -> Iterator[Message]:
    """One weight that is missing where all others are there, or all of an input."""
    names = [problem.inputs, *(layer.neurons for layer in problem.layers)]
    for number, layer in enumerate(problem.layers, 1):
        before = names[layer.taken(number)[0]]
        if isinstance(layer.weights, EdgeMatrix) and len(layer.weights.rows[0]) == len(before):
            yield from _holes(layer, before)


def _holes(layer: Layer, before: tuple[str, ...]) -> Iterator[Message]:
    rows, shared = layer.weights.rows, layer.weights.shared
    holes = [(to, at) for to, row in enumerate(rows) for at, weight in enumerate(row) if weight is None and (to, at) not in shared]
    if len(holes) == 1 and len(rows) > 1 and len(before) > 1:
        (to, source) = holes[0]
        yield Message("There is no weight from {source} to {to}; all others are there.", source=before[source], to=layer.neurons[to])
    for source, name in enumerate(before):
        if sum(at == source for _, at in holes) == len(rows):
            yield Message("{name} leads nowhere: it has no weight.", name=name)


RULES: tuple[Callable[[Problem], Iterator[Message]], ...] = (
    _unreachable,  # target 2 with sigmoid
    _one_softmax,
    _without_value,  # ReLU and cross-entropy
    _one_sided,
    _hinge_of_shares,
    _half_of_the_book,  # zhou and mean_squared_error
    _one_of_a_batch,
    _rows_for_samples,
    _not_reached,  # a stride that does not fit
    _no_activation,
    _missing_edges,
)

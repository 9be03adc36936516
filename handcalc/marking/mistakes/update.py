"""Mistakes of the update, of biases, and between samples and iterations."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from handcalc.core.expr import ONE, Expr, Number, Power, Ref, Sum, add, mul, neg
from handcalc.core.quantity import Cell
from handcalc.marking.mistakes.entry import BIASES, SOURCES, Mistake, Place, Rule
from handcalc.marking.mistakes.maps import TRANSPOSED
from handcalc.marking.mistakes.optimisers import rate_in_both
from handcalc.models.optimisers import PARAMETERS

if TYPE_CHECKING:
    from handcalc.marking.workbook import Workbook

# --- the update -------------------------------------------------------------------------------------------------------


def negative(place: Place, formula: Expr) -> Expr | None:
    """Δw = +η·g"""
    return neg(formula)


def change_subtracted(place: Place, formula: Expr) -> Expr | None:
    """w⁺ = w − Δw"""
    return place.swap(formula, neg, "change")


def rate_forgotten(place: Place, formula: Expr) -> Expr | None:
    """Δw = −g"""
    return place.swap(formula, lambda ref: ONE, "rate")


def rate_twice(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η²·g"""
    return place.swap(formula, lambda ref: Power(ref, Number(2)), "rate")


def change_for_weight(place: Place, formula: Expr) -> Expr | None:
    """w⁺ = Δw"""
    return place.first(formula, "change")


def _neighbour(step: int) -> Rule:
    """Δw₁ = −η·g₂: the gradient of the next parameter or the one before"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: place.beside(ref, step) or place.beside(ref, -step), "gradient")

    return rule


# --- biases -----------------------------------------------------------------------------------------------------------


def _of_bias(change: Callable[[Place, Expr, Ref], Expr | None], kind: tuple[str, ...] = BIASES) -> Rule:
    """A rule on what belongs to a bias; the bias itself is passed on."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        of = place.quantity.of
        if of is None or place.graph[of.quantity].kind not in kind:
            return None
        parameter = place.at(of.quantity, *place.own)
        return change(place, formula, parameter) if parameter else None

    return rule


def _against_the_rule(place: Place, formula: Expr, parameter: Ref) -> Expr | None:
    """b⁺ = b where it is trained, b − η·∂E/∂b where it is not"""
    if parameter.quantity in place.book.updated:
        return Number(0)
    gradient = place.at(place.graph.gradient(parameter.quantity), *place.own)
    return neg(mul(place.rate, gradient)) if gradient else None


def _moved(place: Place, formula: Expr, parameter: Ref) -> Expr | None:
    """b⁺ = b + Δb"""
    return add(parameter, Ref(place.graph.change(parameter.quantity), parameter.indices))


def biases_moved(place: Place, formula: Expr) -> Expr | None:
    """net after the update, with biases that moved although they should not"""

    def change(ref: Ref) -> Expr | None:
        new = place.graph.updated(ref.quantity)
        return Ref(new, ref.indices) if new else None

    return place.swap(formula, change, *BIASES)


def input_forgotten(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂w = δ"""
    return place.swap(formula, lambda ref: ONE, *SOURCES)


def _times_input(place: Place, formula: Expr, parameter: Ref) -> Expr | None:
    """∂E/∂b = δ·h"""
    before = place.book.problem.layers[place.layer - 1].taken(place.layer)[0] if place.layer else 0
    source = place.in_layer("out", layer=before) if before else place.graph.inputs
    found = place.at(source, place.own[-1] if len(place.own) == 2 else 0)
    return mul(formula, found) if found else None


def _fan_in(place: Place, formula: Expr, parameter: Ref) -> Expr | None:
    """Δb taken once for every incoming weight"""
    name = place.in_layer("weight")
    count = prod(axis.size for axis in place.graph[name].axes[1:]) if name else 1
    return mul(Number(count), formula) if count > 1 and len(place.own) < 2 and place.type not in TRANSPOSED else None


def _one_for_all(mean: bool) -> Rule:
    """One gradient for all biases of a layer: sum or mean over the neurons; for a shared bias the mean"""

    def change(place: Place, formula: Expr, parameter: Ref) -> Expr | None:
        if not place.own:
            terms = formula.terms if isinstance(formula, Sum) else (formula,)
            return mul(Number(1, len(terms)), formula) if mean and len(terms) > 1 else None
        count = place.quantity.axes[-1].size
        others = [place.at(place.quantity.name, unit) for unit in range(count)]
        if count < 2 or len(place.own) > 1 or None in others:
            return None
        whole = add(*(place.formula(other) for other in others if other))
        return mul(Number(1, count), whole) if mean else whole

    return _of_bias(change)


# --- samples ----------------------------------------------------------------------------------------------------------


def _samples(place: Place) -> int:
    return next((quantity.axes[0].size for quantity in place.graph if quantity.sampled), 1)


def _of_data(place: Place, formula: Expr, factor: Number) -> Expr:
    """What comes from the samples, times a factor; what a penalty adds stays."""
    terms = formula.terms if isinstance(formula, Sum) else (formula,)
    penalties = [term for term in terms if isinstance(term, Ref) and place.is_penalty_path(term)]
    return add(mul(factor, add(*(term for term in terms if term not in penalties))), *penalties)


def divided_again(place: Place, formula: Expr) -> Expr | None:
    """1/N once more"""
    return _of_data(place, formula, Number(1, _samples(place)))


def sum_for_mean(place: Place, formula: Expr) -> Expr | None:
    """The sum over the samples"""
    mean = place.book.problem.conventions.sample_reduction == "mean"
    return _of_data(place, formula, Number(_samples(place))) if mean else None


def loss_summed(place: Place, formula: Expr) -> Expr | None:
    """The sum of the losses of the samples, beside gradients that are means"""
    return sum_for_mean(place, formula) if not place.sample and _samples(place) > 1 else None


def divided_as_if_full(place: Place, formula: Expr) -> Expr | None:
    """1/N with the size of the other mini-batches, where the last is smaller"""
    own, full = _samples(place), place.book.problem.training.batch_size
    mean = place.book.problem.conventions.sample_reduction == "mean"
    return mul(Number(own, full), formula) if mean and own < full and not place.sample else None


def _steps_of(place: Place, parameter: Ref, until: int | None = None) -> list[Expr]:
    """−η·∂E/∂w of the samples of the update, of those before one"""
    each = place.graph.related("each", parameter.quantity)
    if parameter.quantity not in place.book.updated or not each:
        return []
    samples = list(place.graph[each].axes[0].places)
    before = samples if until is None else samples[: samples.index(until)]
    return [neg(mul(place.rate, Ref(each, (sample, *parameter.indices)))) for sample in before]


def updated_between(place: Place, formula: Expr) -> Expr | None:
    """The second sample is computed with weights the first has changed"""
    if not place.sample:
        return None
    return place.swap(formula, lambda ref: add(ref, *_steps_of(place, ref, place.sample[0])), *PARAMETERS)


def rate_times_weight(place: Place, formula: Expr) -> Expr | None:
    """w⁺ = η·(w − ∂E/∂w)"""
    return place.swap(formula, lambda ref: mul(place.rate, ref), *PARAMETERS)


def change_of_all(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η·Σ ∂E/∂w of each sample at its own weights"""
    gradient = place.first(formula, "gradient")
    of = place.graph[gradient.quantity].of if gradient else None
    if gradient is None or of is None or not place.graph.related("each", of.quantity):
        return None
    return add(*_steps_of(place, Ref(of.quantity, gradient.indices)))


# --- iterations -------------------------------------------------------------------------------------------------------


def old_weights(book: Workbook, wanted: Cell, formula: Expr) -> Expr | None:
    """The second iteration begins with the first one's weights"""
    from handcalc.marking.workbook import base, iteration, on_sheet

    name, place = base(wanted)
    return Ref(on_sheet(iteration(wanted) - 1, name), place) if name in book.updated else None


def stale_gradient(book: Workbook, wanted: Cell, formula: Expr) -> Expr | None:
    """g + g of the iteration before"""
    from handcalc.marking.workbook import base, iteration, on_sheet

    name, place = base(wanted)
    of = book.graph[name].of
    if of is None or of.quantity not in book.updated or book.graph.gradient(of.quantity) != name:
        return None
    return add(formula, Ref(on_sheet(iteration(wanted) - 1, name), place))


# --- given numbers -------------------------------------------------------------------------------------------------------


def sign_lost(place: Place, formula: Expr) -> Expr | None:
    """−v"""
    return neg(formula) if place.quantity.kind in (*PARAMETERS, *SOURCES, "target") else None


def _copied(step: int) -> Rule:
    """The number beside it"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if place.quantity.kind not in (*PARAMETERS, "input", "target"):
            return None
        other = place.beside(Ref(*place.cell), step)
        return place.graph.given_value((other.quantity, other.places)) if other else None

    return rule


UPDATE = (
    Mistake(
        "plus-for-minus",
        "The gradient is added in the update",
        "The gradient was added, so the error grows.\nGradient descent subtracts: w - η·∂E/∂w.",
        ({"change": negative}, {"updated": change_subtracted}),
    ),
    Mistake(
        "rate-forgotten",
        "The learning rate is forgotten",
        "The gradient was subtracted without the learning rate.\nThe step is η·∂E/∂w.",
        ({"change": rate_forgotten, "state.velocity": rate_forgotten},),
    ),
    Mistake(
        "rate-twice",
        "The learning rate is taken twice",
        "The learning rate was multiplied in twice.\nThe step is η·∂E/∂w.",
        ({"change": rate_twice, "state.velocity": rate_twice}, {"change": rate_in_both, "state.velocity": rate_in_both}),
    ),
    Mistake(
        "batch-scaling",
        "The gradient of the batch has the wrong factor",
        "It was divided by the number of samples twice, or not at all, or although the sum is asked.\nThe sheet says mean or sum.",
        (
            {"reduced": divided_again},
            {"reduced": sum_for_mean},
            {"loss": loss_summed},
            {"reduced": divided_as_if_full, "loss": divided_as_if_full},
        ),
    ),
    Mistake(
        "change-given-as-weight",
        "The change is given as the new weight",
        "Δw was written down as the result.\nThe new weight is the old one plus the change.",
        ({"updated": change_for_weight},),
    ),
    Mistake(
        "rate-times-weight",
        "The rate is multiplied by the old weight as well",
        "η·(w - ∂E/∂w) was computed.\nOnly the gradient is multiplied by η: w - η·∂E/∂w.",
        ({"updated": rate_times_weight},),
    ),
    Mistake(
        "neighbour-gradient",
        "The gradient of a neighbour is used",
        "The weight was moved by the gradient of the weight beside it.\nEvery weight has its own gradient.",
        ({"change": _neighbour(1)}, {"change": _neighbour(-1)}),
    ),
    Mistake(
        "bias-update-rule",
        "The biases are treated against the sheet's rule",
        "Biases were not updated although they are trained, or updated although they are not.\nThe sheet says whether they are trained.",
        ({"change": _of_bias(_against_the_rule), "updated": _of_bias(_moved), "after.net": biases_moved},),
    ),
    Mistake(
        "input-forgotten",
        "The input is left out of the gradient of a weight",
        "δ itself was taken for the gradient of a weight.\nThe gradient is δ times the number that the weight is multiplied by.",
        ({"grad.weight": input_forgotten},),
    ),
    Mistake(
        "bias-gradient-times-input",
        "The gradient of the bias is multiplied by an input",
        "δ was multiplied by an input.\nThe input of a bias is 1, so its gradient is δ itself.",
        ({"grad.bias": _of_bias(_times_input)},),
    ),
    Mistake(
        "bias-value-for-gradient",
        "The value of the bias stands in its gradient",
        "The bias itself was multiplied into its gradient, or taken for it.\nThe gradient of a bias is δ.",
        (
            {"grad.bias": _of_bias(lambda place, formula, bias: mul(bias, formula))},
            {"change": _of_bias(lambda place, formula, bias: neg(mul(place.rate, bias)))},
        ),
    ),
    Mistake(
        "bias-moved-per-weight",
        "The bias is moved once for every weight",
        "The bias was changed once for each incoming weight.\nIt is changed once.",
        ({"change": _of_bias(_fan_in)},),
    ),
    Mistake(
        "bias-mean-or-scalar",
        "One gradient for all biases, or a mean for the sum",
        "The δ of the layer were put together, or averaged.\nA neuron's own bias gets its own δ; a shared bias gets the sum.",
        ({"grad.bias": _one_for_all(True)}, {"grad.bias": _one_for_all(False)}),
    ),
    Mistake(
        "threshold-sign",
        "The change of a threshold has the wrong sign",
        "The threshold was moved like a bias.\nIt is subtracted from the net input, so its gradient is -δ.",
        ({"change": _of_bias(lambda place, formula, bias: neg(formula), ("threshold",))},),
    ),
    Mistake(
        "online-for-batch",
        "The weights are changed after every sample",
        "The second sample was computed with weights the first had changed.\nIn a batch all samples use the same weights, then one update.",
        ({"net": updated_between, "path": updated_between, "grad.out": updated_between, "change": change_of_all},),
    ),
    Mistake(
        "old-weights-in-next-step",
        "The next iteration begins with the old weights",
        "The first weights were used again.\nEvery iteration begins with the updated weights of the one before.",
        across=old_weights,
    ),
    Mistake(
        "stale-gradient-added",
        "The gradient of the step before is still in it",
        "The gradients of two iterations were added.\nEvery iteration begins with new gradients.",
        across=stale_gradient,
    ),
    Mistake(
        "iteration-miscounted",
        "The number belongs to another iteration",
        "It is the number of the iteration before or after.\nAfter k updates, k iterations are complete.",
    ),
    Mistake(
        "value-miscopied",
        "A number of the sheet is miscopied",
        "A sign was lost, the number beside it was taken, or two were exchanged.\nCompare the numbers with the exercise.",
        ({"given": sign_lost}, {"given": _copied(1)}, {"given": _copied(-1)}),
        single=True,
    ),
    Mistake(
        "rounded-too-early",
        "Rounded too early",
        "Results were rounded to fewer digits before they were used again.\nKeep at least two digits more than the answer has.",
    ),
)

"""Why a framework's step differs from the hand calculation: mistakes of training code, each tried on the whole trace.

- `causes_of(working, differences)` are the causes that explain every number of the trace; the first kind that explains it is enough.
- `KINDS` is the table: a new cause is a function that yields `Suspect`s, or answers a `Cause` from what is seen, and its line there; those
  of gradients and updates are in stepcauses.py.

A suspect is another problem, or a `Change` of gradients; it is a cause where the trace has no number out of its bounds any more. What is
seen in a trace directly (a parameter that does not move) needs no hypothesis, but must account for all differences of the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isclose
from typing import Any

from handcalc.bridges.stepcauses import added_up, clipped, decays, optimisers, rates, scaled
from handcalc.bridges.suspects import Cause, Look, Suspect, ratio_of, times
from handcalc.bridges.working import Change, Difference, Working
from handcalc.core.expr import Number, Ref, mul, neg, number
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.errors import HandcalcError, Message
from handcalc.layers import layer_type
from handcalc.layers.activations import usual
from handcalc.loading.loss import usual as usual_loss
from handcalc.problem.schema import Layer, Loss, Problem
from handcalc.problem.words import LOSSES

Seen = Sequence[Difference]


def causes_of(working: Working, differences: Seen) -> tuple[Cause, ...]:
    """The causes, none where nothing that is known explains all numbers."""
    for look in SEEN:
        cause = look(working, differences)
        if cause is not None:
            return (cause,)
    first = differences[0]
    for kind, phases in KINDS:
        if first.phase in phases:
            found = tuple(suspect.cause for suspect in kind(working, first) if _explains(working, suspect))
            if found:
                return found
    return ()


def _explains(working: Working, suspect: Suspect) -> bool:
    try:
        return next(Working(suspect.problem, working.trace, suspect.change).differences(), None) is None
    except (HandcalcError, ArithmeticError, ValueError):
        return False


# --- what is seen directly ----------------------------------------------------------------------------------------------


def _other_inputs(working: Working, differences: Seen) -> Cause | None:
    first = differences[0]
    if first.phase == "start":
        step = working.trace.steps[0]
        values, cells = step.before[first.where], working.alignment.parameters[first.where]
        own = [float(working.step(1)[0][cell]) for cell in cells]
        if getattr(values, "ndim", 1) == 2 and all(
            isclose(one, other, rel_tol=1e-5, abs_tol=1e-7) for one, other in zip(_turned(values), own)
        ):
            return Cause("transposed", Message("The matrix {name} is transposed: PyTorch has a row per neuron.", name=first.where))
        return Cause("other-parameters", Message("The module does not start with the parameters of the problem."))
    if first.phase == "input":
        return Cause("other-inputs", Message("The module got other inputs than those of the problem."))
    return None


def _turned(values: Any) -> list[float]:
    """A matrix that was laid down column by column."""
    rows, columns = values.shape
    return (
        [float(one) for one in values.reshape(columns, rows).T.reshape(-1)]
        if rows != columns
        else [float(one) for one in values.T.reshape(-1)]
    )


def _nothing_comes_back(working: Working, differences: Seen) -> Cause | None:
    """Parameters without a gradient: frozen, detached, or no backward pass at all."""
    step = working.trace.steps[0]
    without = [name for name in working.alignment.parameters if step.gradients.get(name) is None]
    if not without or differences[0].phase != "gradient" or not {one.where for one in differences if one.step == 1} <= {*without}:
        return None
    frozen = [name for name in without if not working.trace.trained.get(name, True)]
    if frozen == without:
        text = "{names} asks for no gradient (requires_grad is False), so it is not trained."
        return Cause("requires-grad", Message(text, names=", ".join(without)))
    if len(without) == len(working.alignment.parameters):
        text = (
            "No parameter has a gradient: loss.backward() was not called, zero_grad() stands after it, or the loss does not depend on them."
        )
        return Cause("no-backward", Message(text))
    text = "No gradient comes back to {names}: the outputs were detached on the way (detach, no_grad, a copy as a plain number)."
    return Cause("detached", Message(text, names=", ".join(without)))


def _does_not_move(working: Working, differences: Seen) -> Cause | None:
    """Right gradients, and parameters that stay what they are."""
    if differences[0].phase != "update":
        return None
    step = working.trace.steps[0]
    still = [name for name in working.alignment.parameters if bool((step.before[name] == step.after[name]).all())]
    if not still or not {one.where for one in differences if one.step == 1} <= {*still}:
        return None
    if len(still) == len(working.alignment.parameters):
        return Cause("no-update", Message("No parameter changed: optimizer.step() was not called, or stood before loss.backward()."))
    text = "{names} did not change: it was not given to the optimiser."
    return Cause("not-in-optimiser", Message(text, names=", ".join(still)))


SEEN: tuple[Callable[[Working, Seen], Cause | None], ...] = (_other_inputs, _nothing_comes_back, _does_not_move)


# --- the forward pass ---------------------------------------------------------------------------------------------------


def _modes(working: Working, first: Difference) -> Iterator[Suspect]:
    """Batch normalisation and dropout work otherwise in training."""
    problem = working.problem
    for module in working.trace.modules:
        word = "eval" if not module.training else "train"
        text = "The module {name} was in evaluation mode: module.train() is missing."
        if module.training:
            text = "The module {name} was in training mode: module.eval() is missing."
        cause = Cause(f"{word}-mode", Message(text, name=f"{module.name} ({module.kind})"))
        if module.kind.startswith("BatchNorm") and module.name in working.alignment.layers:
            place = working.alignment.layers[module.name] - 1
            layer = problem.layers[place]
            change = layer_type(layer.type).predicting
            turned = change(layer) if change and not module.training else _training(layer)
            yield Suspect(cause, _with_layer(problem, place, turned))
        if module.kind == "Dropout" and not module.training:
            yield Suspect(
                cause, problem.replace(layers=tuple(_kept(layer) if layer.type == "dropout" else layer for layer in problem.layers))
            )


def _training(layer: Layer) -> Layer:
    return layer.replace(options={**layer.options, "mode": None, "momentum": layer.options["momentum"] or number("0.1")})


def _kept(layer: Layer) -> Layer:
    """Dropout that drops nothing."""
    kept = tuple(tensor.replace(values=dict.fromkeys(tensor.values, Number(1))) for tensor in layer.tensors)
    return layer.replace(tensors=kept, options={**layer.options, "kept": None})


def _activations(working: Working, first: Difference) -> Iterator[Suspect]:
    """Another activation in one layer, none, or the same once more."""
    problem = working.problem
    for place, layer in enumerate(problem.layers):
        if not layer.activations:
            continue
        name = layer.name or f"{layer.type} {place + 1}"
        for word in ACTIVATIONS:
            chosen = usual(word)
            if layer.activations == (chosen,) or bool(FUNCTIONS[word].family) and place < len(problem.layers) - 1:
                continue
            text = "Layer {name} has the activation {found} in the module, {expected} in the problem."
            message = Message(text, name=name, found=word, expected=", ".join(one.name for one in layer.activations))
            yield Suspect(Cause("activation", message), _with_layer(problem, place, layer.replace(activations=(chosen,))))


def _with_layer(problem: Problem, place: int, layer: Layer) -> Problem:
    return problem.replace(layers=(*problem.layers[:place], layer, *problem.layers[place + 1 :]))


# --- the loss -----------------------------------------------------------------------------------------------------------


def _twice(working: Working, first: Difference) -> Iterator[Suspect]:
    """A softmax or sigmoid before a loss that has one in it; or none before a loss that wants probabilities."""
    problem = working.problem
    last = problem.layers[-1]
    if problem.loss is None or len(last.activations) != 1:
        return
    activation = last.activations[0]
    if activation.name in ("softmax", "sigmoid"):
        more = Layer(last.neurons, (activation,), type="activation", axes=last.axes)
        text = "The loss takes logits and has the {name} in it, but the network ends with a {name} already: it is applied twice."
        yield Suspect(
            Cause("probabilities-as-logits", Message(text, name=activation.name)), problem.replace(layers=(*problem.layers, more))
        )
        likelihood = Loss("negative_log_likelihood", term=neg(mul(Ref("t"), Ref("o"))))
        for name, losses in (("identity", (problem.loss, likelihood)), ("softmax", (likelihood,))):
            other = _with_layer(problem, len(problem.layers) - 1, last.replace(activations=(usual(name),)))
            for loss in losses:
                text = "The loss wants probabilities, or their logarithms, but got {found}."
                found = Message("logits") if name == "identity" else Message("probabilities")
                yield Suspect(Cause("logits-as-probabilities", Message(text, found=found)), other.replace(loss=loss))


def _scales(working: Working, first: Difference) -> Iterator[Suspect]:
    """Sum for mean, mean for sum, ½ or not, over samples or outputs."""
    problem = working.problem
    samples, outputs = len(problem.samples), len(problem.layers[-1].neurons) if problem.layers else 1
    known = {
        1 / samples: Message("the mean over the {count} samples", count=samples),
        float(samples): Message("the sum over the {count} samples", count=samples),
        1 / outputs: Message("the mean over the {count} outputs", count=outputs),
        float(outputs): Message("the sum over the {count} outputs", count=outputs),
        1 / (samples * outputs): Message("the mean over samples and outputs ({count} numbers)", count=samples * outputs),
        float(samples * outputs): Message("the sum over samples and outputs ({count} numbers)", count=samples * outputs),
        0.5: Message("½ of it"),
        2.0: Message("no ½"),
    }
    pairs = [(one, known[one]) for one in known if one != 1]
    pairs += [(one * half, Message("{one}, and {other}", one=known[one], other=known[half])) for one in known for half in (0.5, 2.0)]
    ratio = ratio_of(first)
    for factor, what in pairs:
        if ratio and isclose(factor, ratio, rel_tol=1e-3):
            text = "The loss and its gradients are {factor} times those of the problem: {what} was taken (reduction)."
            cause = Cause("reduction", Message(text, factor=f"{factor:.4g}", what=what))
            yield Suspect(cause, problem, Change(times(factor), factor))


def _broadcast(working: Working, first: Difference) -> Iterator[Suspect]:
    """Outputs n × 1 less targets n: every output against every target. The gradient is that of targets which are all their mean."""
    problem = working.problem
    targets = [sample.targets for sample in problem.samples if sample.targets]
    if len(targets) < 2 or any(len(one) != 1 for one in targets):
        return
    numbers = [one[0].numerator / one[0].denominator for one in targets]
    mean = number(repr(sum(numbers) / len(numbers)))
    samples = tuple(sample.replace(targets=(mean,)) for sample in problem.samples)
    text = "Outputs of {count} × 1 met targets of {count}: each output was compared with every target (shapes; use unsqueeze(1))."
    yield Suspect(Cause("broadcast", Message(text, count=len(numbers))), problem.replace(samples=samples), Change(loss=False))


def _losses(working: Working, first: Difference) -> Iterator[Suspect]:
    """Another loss, with its usual numbers."""
    problem = working.problem
    if problem.loss is None:
        return
    for word, known in LOSSES.items():
        if word != problem.loss.name and known.form in ("terms", "whole"):
            text = "The loss is {found}, in the problem {expected}."
            message = Message(text, found=word, expected=problem.loss.name)
            yield Suspect(Cause("other-loss", message), problem.replace(loss=usual_loss(known)))


# what to try, and for which first differences; the simplest first
KINDS: tuple[tuple[Look, tuple[str, ...]], ...] = (
    (_modes, ("forward",)),
    (_twice, ("forward", "loss", "gradient")),
    (_activations, ("forward",)),
    (_scales, ("loss", "gradient")),
    (_broadcast, ("loss", "gradient")),
    (_losses, ("loss", "gradient")),
    (added_up, ("gradient",)),
    (clipped, ("gradient",)),
    (scaled, ("gradient",)),
    (rates, ("update",)),
    (optimisers, ("update",)),
    (decays, ("update",)),
)

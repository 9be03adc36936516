"""Why a framework's step differs from the hand calculation: mistakes of training code, each tried on the whole trace.

- `causes_of(working, differences)` are the causes that explain every number of the trace; the first kind that explains it is enough.
- `KINDS` is the table: a new cause is a function that yields `Suspect`s, or answers a `Cause` from what is seen, and its line there.

A suspect is another problem, or a `Change` of gradients; it is a cause where the trace has no number out of its bounds any more. What is
seen in a trace directly (a parameter that does not move) needs no hypothesis, but must account for all differences of the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isclose
from typing import Any

from handcalc.bridges.working import Change, Difference, Gradients, Working
from handcalc.core.expr import Number, Ref, mul, neg, number
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message
from handcalc.layers import layer_type
from handcalc.layers.activations import usual
from handcalc.problem.schema import Layer, Loss, Optimizer, Problem
from handcalc.problem.words import OPTIMISERS


class Cause(Record):
    """What explains a difference: a word for programs, a sentence for people."""

    slug: str
    message: Message


class Suspect(Record):
    """A cause to try: the problem as it would be, or what would happen to the gradients."""

    cause: Cause
    problem: Problem
    change: Change = Change()


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
        return Cause(
            "no-backward", Message("No parameter has a gradient: loss.backward() was not called, or the loss does not depend on them.")
        )
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
    ratio = _ratio(first)
    for factor, what in pairs:
        if ratio and isclose(factor, ratio, rel_tol=1e-3):
            text = "The loss and its gradients are {factor} times those of the problem: {what} was taken (reduction)."
            cause = Cause("reduction", Message(text, factor=f"{factor:.4g}", what=what))
            yield Suspect(cause, problem, Change(_times(factor), factor))


def _ratio(first: Difference) -> float:
    return first.found / first.expected if first.found is not None and first.expected else 0.0


def _times(factor: float) -> Callable[[Gradients, Gradients], Gradients]:
    return lambda own, before: {cell: factor * value for cell, value in own.items()}


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


# --- gradients ----------------------------------------------------------------------------------------------------------


def _added_up(working: Working, first: Difference) -> Iterator[Suspect]:
    """optimizer.zero_grad() is forgotten."""

    def add(own: Gradients, before: Gradients) -> Gradients:
        return {cell: value + before.get(cell, 0.0) for cell, value in own.items()}

    text = "The gradients of step {step} have those of the step before in them: optimizer.zero_grad() is missing."
    yield Suspect(Cause("zero-grad", Message(text, step=max(first.step, 2))), working.problem, Change(add))


def _scaled(working: Working, first: Difference) -> Iterator[Suspect]:
    """Clipped, or scaled by whatever number."""
    ratio = _ratio(first)
    if ratio and first.step == 1 and len(working.trace.steps) == 1:
        text = "All gradients are {factor} times those of the problem, and the loss is right: they were clipped, or scaled."
        yield Suspect(Cause("scaled-gradients", Message(text, factor=f"{ratio:.4g}")), working.problem, Change(_gradients_only(ratio)))


def _gradients_only(factor: float) -> Callable[[Gradients, Gradients], Gradients]:
    return _times(factor)


# --- the update ---------------------------------------------------------------------------------------------------------


def _rates(working: Working, first: Difference) -> Iterator[Suspect]:
    """Another learning rate, or the gradient added."""
    problem = working.problem
    if problem.learning_rate is None or first.found is None:
        return
    cells = working.alignment.parameters[first.where]
    evaluation = working.step(first.step)[0]
    step = working.trace.steps[first.step - 1]
    pairs = zip(cells, step.before[first.where].reshape(-1), step.after[first.where].reshape(-1))
    moved = [
        (float(after) - float(before), float(evaluation[working.graph.updated(cell[0]), cell[1]]) - float(evaluation[cell]))
        for cell, before, after in pairs
    ]
    found, expected = max(moved, key=lambda pair: abs(pair[1]))
    rate = problem.learning_rate.numerator / problem.learning_rate.denominator
    if not expected or not found:
        return
    guess = float(f"{rate * found / expected:.3g}")
    text = "The learning rate is {found}, in the problem {expected}."
    slug = "learning-rate"
    if isclose(guess, -rate, rel_tol=1e-2):
        guess, slug, text = -rate, "gradient-added", "The gradient was added (maximize, or a sign), so the loss grows."
    yield Suspect(
        Cause(slug, Message(text, found=f"{guess:.3g}", expected=f"{rate:.3g}")), problem.replace(learning_rate=number(repr(guess)))
    )


def _optimisers(working: Working, first: Difference) -> Iterator[Suspect]:
    """Weight decay that is coupled, not, or for weights only; another optimiser."""
    problem = working.problem
    own = problem.optimizer
    decay = own.numbers.get("weight_decay")
    if decay is not None and decay.numerator:
        for other, text in (("adam", _COUPLED), ("adamw", _DECOUPLED)):
            if own.name in ("adam", "adamw") and other != own.name:
                yield Suspect(Cause("coupled-decay", Message(text)), problem.replace(optimizer=own.replace(name=other)))
        without = own.replace(numbers={**own.numbers, "weight_decay": Number(0)})
        yield Suspect(Cause("no-decay", Message("There is no weight decay in the step.")), problem.replace(optimizer=without))
        flipped = problem.conventions.replace(bias_decay=not problem.conventions.bias_decay)
        said = Message("Weight decay is for biases too.") if flipped.bias_decay else Message("Weight decay is not for biases.")
        yield Suspect(Cause("bias-decay", said), problem.replace(conventions=flipped))
    for word, known in OPTIMISERS.items():
        if word != own.name:
            numbers = {name: own.numbers.get(name) or number(value) for name, value in known.numbers.items() if name != "weight_decay"}
            kept = {} if decay is None or word == "adamw" else {"weight_decay": decay}
            numbers |= {"weight_decay": decay or number("0.01")} if word == "adamw" else kept
            text = "The step is one of {found}, in the problem it is {expected}."
            yield Suspect(
                Cause("optimiser", Message(text, found=word, expected=own.name)), problem.replace(optimizer=Optimizer(word, numbers))
            )


_COUPLED = (
    "Weight decay is coupled: it is added to the gradient and goes through the averages (Adam), where the problem keeps it apart (AdamW)."
)
_DECOUPLED = "Weight decay is kept apart from the gradient (AdamW), where the problem adds it to it (Adam)."

Look = Callable[[Working, Difference], Iterator[Suspect]]
# what to try, and for which first differences; the simplest first
KINDS: tuple[tuple[Look, tuple[str, ...]], ...] = (
    (_modes, ("forward",)),
    (_twice, ("forward", "loss", "gradient")),
    (_activations, ("forward",)),
    (_scales, ("loss", "gradient")),
    (_broadcast, ("loss", "gradient")),
    (_added_up, ("gradient",)),
    (_scaled, ("gradient",)),
    (_rates, ("update",)),
    (_optimisers, ("update",)),
)

"""Why gradients or new parameters of a framework's step differ from the hand calculation: for the table of causes.py."""

from __future__ import annotations

import math
from collections.abc import Iterator
from math import isclose

from handcalc.bridges.suspects import Cause, Suspect, ratio_of, times
from handcalc.bridges.working import Change, Difference, Gradients, Working
from handcalc.core.expr import Number, number
from handcalc.errors import Message
from handcalc.problem.schema import Optimizer
from handcalc.problem.words import OPTIMISERS

# --- gradients ----------------------------------------------------------------------------------------------------------


def added_up(working: Working, first: Difference) -> Iterator[Suspect]:
    """optimizer.zero_grad() is forgotten."""

    def add(own: Gradients, before: Gradients) -> Gradients:
        return {cell: value + before.get(cell, 0.0) for cell, value in own.items()}

    text = "The gradients of step {step} have those of the step before in them: optimizer.zero_grad() is missing."
    yield Suspect(Cause("zero-grad", Message(text, step=max(first.step, 2))), working.problem, Change(add))


def clipped(working: Working, first: Difference) -> Iterator[Suspect]:
    """clip_grad_norm_, whose norm is that of all gradients, and clip_grad_value_: limits that the problem does not have."""
    found = [array.reshape(-1) for array in working.trace.steps[0].gradients.values() if array is not None]
    norm = math.hypot(*(float(one) for array in found for one in array))
    largest = max((abs(float(one)) for array in found for one in array), default=0.0)

    def by_norm(limit: float) -> Change:
        def change(own: Gradients, before: Gradients) -> Gradients:
            factor = min(1.0, limit / (math.hypot(*own.values()) + _ROOM))
            return {cell: factor * value for cell, value in own.items()}

        return Change(change)

    def by_value(limit: float) -> Change:
        return Change(lambda own, before: {cell: max(-limit, min(limit, value)) for cell, value in own.items()})

    limit = f"{norm:.3g}"
    if float(limit):
        said = Message("The gradients were clipped to the norm {limit}, in the problem they are not (clip_grad_norm_).", limit=limit)
        yield Suspect(Cause("clipped", said), working.problem, by_norm(float(limit)))
    limit = f"{largest:.3g}"
    if float(limit):
        said = Message("Every gradient was clipped to at most {limit}, in the problem it is not (clip_grad_value_).", limit=limit)
        yield Suspect(Cause("clipped", said), working.problem, by_value(float(limit)))


_ROOM = 1e-6  # what PyTorch adds to the norm before it divides by it


def scaled(working: Working, first: Difference) -> Iterator[Suspect]:
    """All gradients times whatever number."""
    ratio = ratio_of(first)
    if ratio and first.step == 1:
        text = "All gradients are {factor} times those of the problem, and the loss is right: they were clipped, or scaled."
        yield Suspect(Cause("scaled-gradients", Message(text, factor=f"{ratio:.4g}")), working.problem, Change(times(ratio)))


# --- the update ---------------------------------------------------------------------------------------------------------


def rates(working: Working, first: Difference) -> Iterator[Suspect]:
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


def optimisers(working: Working, first: Difference) -> Iterator[Suspect]:
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


def decays(working: Working, first: Difference) -> Iterator[Suspect]:
    """Weight decay that the problem does not have; its λ follows from what one parameter moved too far, or is a usual one."""
    problem = working.problem
    if problem.learning_rate is None or "weight_decay" in problem.optimizer.numbers:
        return
    evaluation = working.step(first.step)[0]
    step = working.trace.steps[first.step - 1]
    rate = problem.learning_rate.numerator / problem.learning_rate.denominator
    cells = working.alignment.parameters[first.where]
    triples = zip(cells, step.before[first.where].reshape(-1), step.after[first.where].reshape(-1))
    further = [
        (float(before), float(evaluation[working.graph.updated(cell[0]), cell[1]]) - float(after)) for cell, before, after in triples
    ]
    here, more = max(further, key=lambda pair: abs(pair[0]))
    guesses = [float(f"{more / (rate * here):.3g}")] if here else []
    for name in dict.fromkeys((problem.optimizer.name, "adamw" if problem.optimizer.name == "adam" else problem.optimizer.name)):
        for guess in dict.fromkeys((*guesses, *_DECAYS)):
            if guess <= 0:
                continue
            numbers = {**problem.optimizer.numbers, "weight_decay": number(repr(guess))}
            text = "There is weight decay in the step, λ = {found}, and none in the problem."
            for biases in (True, False):
                other = problem.replace(optimizer=Optimizer(name, numbers), conventions=problem.conventions.replace(bias_decay=biases))
                yield Suspect(Cause("decay", Message(text, found=f"{guess:g}")), other)


_DECAYS = (0.1, 0.01, 0.001, 0.0005, 0.0001)  # usual, where a quotient of averages hides which it is (Adam)

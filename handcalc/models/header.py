"""What a report says about a problem besides its steps: `header_of(problem)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handcalc.core.derivation import About, Asked, Header, Told
from handcalc.core.expr import Number
from handcalc.errors import Listing, Message
from handcalc.layers import layer_type
from handcalc.layers.activations import has_slope
from handcalc.layers.layertype import LayerOption
from handcalc.loading.schedules import batch_size, updates_per_epoch
from handcalc.models.doubts import doubts
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Activation, Layer, Loss, Problem, Task
from handcalc.problem.words import DIRECT, LOSSES, OPTIMISERS, PENALTY_FORMS

_ELSEWHERE = LayerOption("source", "input from layer")


def header_of(problem: Problem) -> Header:
    """The header of a problem's solution."""
    layers, chosen = problem.layers, problem.conventions
    return Header(
        title=problem.title,
        title_zh=problem.title_zh,
        text=problem.text,
        text_zh=problem.text_zh,
        source=problem.source,
        notation=problem.notation,
        language=problem.language,
        sizes=(len(problem.inputs), *(len(layer.neurons) for layer in layers)) if layers else (),
        kinds=tuple(layer.type for layer in layers),
        about=tuple(map(_about, layers)),
        shapes=tuple(tuple(axis.size for axis in axes) for axes in (problem.axes, *(layer.axes for layer in layers))),
        activations=tuple(dict.fromkeys(activation.name for layer in layers for activation in layer.activations)),
        loss=problem.loss.name if problem.loss else "",
        loss_title=_loss_title(problem.loss) if problem.loss else "",
        notes=(*_encoded(problem), *_notes(problem)),
        doubts=doubts(problem),
        samples=sample_names(problem.samples),
        batch=batch_size(problem) if updates_per_epoch(problem) > 1 else 0,
        trained_biases=problem.trained_biases if any(_has_bias(layer) for layer in layers) else None,
        ruled=tuple(rule.name for rule in problem.rules),
        frozen=(
            *dict.fromkeys(part.said for part in problem.frozen_parts),
            *sorted(problem.frozen),
            *(one.name for one in problem.called if one.rate is None),
        ),
        conventions={"bias_update": problem.trained_biases, **{name: getattr(chosen, name) for name in chosen._fields}},
        tasks=tuple(map(_asked, problem.tasks)),
    )


def _asked(task: Task) -> Asked:
    return Asked(task.ask, task.marks, task.decimals, task.significant)


def _loss_title(loss: Loss) -> Message | str:
    """What a report calls a loss; one that was typed as a formula is called by it."""
    named = {**LOSSES, DIRECT.word: DIRECT}
    return Message(named[loss.name].title) if loss.name in named else loss.name


def _about(layer: Layer) -> About:
    """What a reader should know about how a layer works."""
    kind = layer_type(layer.type)
    own = layer.options if _ELSEWHERE.name in layer.options else {**layer.options, _ELSEWHERE.name: None}
    told = ((option, _spelled(option, own[option.name])) for option in (_ELSEWHERE, *kind.options))
    window = "×".join(map(str, layer.options.get("window", ())))
    return About(kind.title, tuple(Told(option.words, value) for option, value in told if value is not None), window)


STARTS_FROM = "starts_from"  # an option that names layers


def _spelled(option: LayerOption, value: Any) -> str | Message | None:
    """What an option is, "" where its name says all; None where it needs no telling."""
    if isinstance(value, Activation):
        return value.name
    if value is None or value is False or value == option.plain:
        return None
    if option.name == STARTS_FROM:
        return ", ".join(map(str, dict.fromkeys(value))) or None
    if isinstance(value, tuple):
        sides = [part if isinstance(part, tuple) else (part, part) for part in value]  # before and after
        if all(side == (option.plain, option.plain) for side in sides):
            return None
        return "×".join(f"{before}" if before == after else f"({before}+{after})" for before, after in sides)
    if isinstance(value, str):
        return Message(option.choice(value).words)
    if isinstance(value, Number):
        return value.text or f"{value.numerator / value.denominator:g}"
    return "" if value is True else str(value)


def _notes(problem: Problem) -> tuple[Message, ...]:
    """What is said of the loss and of weight decay, of conventions that matter to types of layers, each once, and of activations that no
    gradient goes through."""
    said = dict.fromkeys(said for layer in problem.layers for said in layer_type(layer.type).conventions)
    sentences = tuple(Message(one.sentence) for one in said if getattr(problem.conventions, one.convention) == one.value)
    return (*_of_loss(problem), *sentences, *(_flat(problem) if problem.loss else ()))


def _flat(problem: Problem) -> Iterator[Message]:
    """Activations without a slope."""
    for place, layer in enumerate(problem.layers, 1):
        names = [activation.name for activation in layer.activations if not has_slope(activation)]
        if names and problem.loss is not None and problem.loss.form == DIRECT.form and place == len(problem.layers):
            yield Message("The activation {name} has no slope: the perceptron rule uses the error itself.", name=names[0])
        elif names:
            yield Message("Layer {layer}: {name} has no slope, so nothing before it is changed through it.", layer=place, name=names[0])


def _of_loss(problem: Problem) -> Iterator[Message]:
    """What is in the loss and what is not."""
    if problem.reported is not None:
        yield Message("Reported beside it, not minimised: {loss}.", loss=_loss_title(problem.reported))
    if problem.regularization is not None:
        if problem.regularization.biases:
            yield Message("The loss has a penalty on the weights and biases, frozen ones too.")
        else:
            yield Message("The loss has a penalty on the weights, frozen ones too; biases are not in it.")
        if PENALTY_FORMS[problem.regularization.form].averaged:
            yield Message("λ is divided by the number of samples, {count}.", count=problem.regularization.samples)
    if OPTIMISERS[problem.optimizer.name].ahead and problem.learning_rate is not None:
        yield Message("Loss and gradients are worked where the velocity will have led, at w + μ·v with the old v.")
    if "weight_decay" in problem.optimizer.numbers and problem.learning_rate is not None:
        if problem.optimizer.name == "adamw":
            yield Message("Weight decay is not in the loss: η·λ·w is taken off in the update.")
        else:
            yield Message("Weight decay is not in the loss: λ·w is added to the gradient in the update.")


def _encoded(problem: Problem) -> Iterator[Message]:
    """What the words of every column stand for."""
    for column, codes in problem.encoded.items():
        words = Listing(f"{word} = {number}" for word, number in codes.items())
        yield Message("Words of the column {column} stand for numbers: {words}.", column=column, words=words)


def _has_bias(layer: Layer) -> bool:
    return layer.bias is not None or any(tensor.kind == "bias" for tensor in layer.tensors)

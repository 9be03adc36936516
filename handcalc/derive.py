"""The pipeline: problem → model (graph) → derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handcalc.core.derivation import About, Derivation, Header, Told
from handcalc.core.expr import Number
from handcalc.core.graph import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.layers import layer_type
from handcalc.layers.layertype import LayerOption
from handcalc.layers.site import places
from handcalc.models import build
from handcalc.models.model import Model
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Layer, Loss, Problem
from handcalc.problem.words import DIRECT, LOSSES


def derive(problem: Problem, rounding: Rounding | None = None, iterations: int = 1) -> Derivation:
    """The worked solution of a problem, `iterations` updates long, cell by cell; with many samples take that of arrays/large.py.

    rounding: instead of the problem's own. Steps are computed on demand; a step without a finite value raises
    EvaluationError when it is asked for.
    """
    check_iterations(problem, iterations)
    return work_out(problem, model_of(problem), rounding, iterations)


def check_iterations(problem: Problem, iterations: int) -> None:
    """Raises ProblemError where iterations have no samples of their own to go on with."""
    if problem.training.mode == "mini_batch" and iterations > 1:
        where = f"{problem.path}: " if problem.path else ""
        text = "every mini-batch has samples of its own; handcalc train FILE --show-step {number} explains one update"
        raise ProblemError(Message(text, where, number=iterations))


def model_of(problem: Problem) -> Model:
    """The graph of a problem; in online training, that of one sample, which each iteration fills with its own data; with
    mini-batches, that of the first."""
    training = problem.training
    size = 1 if _online(problem) else training.batch_size if training.mode == "mini_batch" else len(problem.samples)
    return build(problem.replace(samples=problem.samples[:size]))


def work_out(
    problem: Problem, model: Model, rounding: Rounding | None = None, iterations: int = 1, make: Callable[..., Derivation] = Derivation
) -> Derivation:
    """The derivation of a problem whose model is built already; make: what makes it."""
    chosen = rounding or problem.rounding or Rounding()
    return make(model.graph, chosen, model.updated, model.loss, iterations, data_of(problem), header(problem), model.memory)


def _online(problem: Problem) -> bool:
    return problem.training.mode == "online" and len(problem.samples) > 1


def header(problem: Problem) -> Header:
    """What a report says about a problem besides its steps."""
    layers, chosen = problem.layers, problem.conventions
    return Header(
        title=problem.title,
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
        samples=sample_names(problem.samples),
        online=_online(problem),
        trained_biases=problem.trained_biases if any(_has_bias(layer) for layer in layers) else None,
        frozen=tuple(sorted(problem.frozen)),
        conventions={"bias_update": problem.trained_biases, **{name: getattr(chosen, name) for name in chosen._fields}},
        notes=_notes(problem),
        tasks=tuple((task.ask, task.marks.text or str(task.marks.numerator)) for task in problem.tasks),
    )


def _loss_title(loss: Loss) -> Message | str:
    """What a report calls a loss; one that was typed as a formula is called by it."""
    named = {**LOSSES, DIRECT.word: DIRECT}
    return Message(named[loss.name].title) if loss.name in named else loss.name


def _about(layer: Layer) -> About:
    """What a reader should know about how a layer works."""
    kind = layer_type(layer.type)
    told = ((option, _spelled(option, layer.options[option.name])) for option in kind.options)
    return About(kind.title, tuple(Told(option.words, value) for option, value in told if value is not None))


def _spelled(option: LayerOption, value: Any) -> str | Message | None:
    """What an option is, "" where its name says all; None where it needs no telling."""
    if value is None or value is False or value == option.plain:
        return None
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
    """What is said of conventions that matter to types of layers, each once."""
    said = dict.fromkeys(said for layer in problem.layers for said in layer_type(layer.type).conventions)
    return tuple(Message(one.sentence) for one in said if getattr(problem.conventions, one.convention) == one.value)


def _has_bias(layer: Layer) -> bool:
    return layer.bias is not None or any(tensor.kind == "bias" for tensor in layer.tensors)


def data_of(problem: Problem) -> Callable[[int], Mapping[Cell, Any]] | None:
    """The data of iteration k where they change: online training sees sample k, round and round."""
    if not _online(problem):
        return None

    def feed(number: int) -> Mapping[Cell, Any]:
        sample = problem.samples[(number - 1) % len(problem.samples)]
        data: dict[Cell, Any] = {("x", place): value for place, value in zip(places(problem.axes), sample.inputs)}
        data |= {("t", place): value for place, value in zip(places(problem.layers[-1].axes), sample.targets or ())}
        return data

    return feed

"""What a report says about a problem besides its steps: `header_of(problem)`.

A further option of a layer that readers should know: a name in DETAILS, and in PLAIN the value that needs no telling.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.derivation import Header
from handcalc.core.expr import Number
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Layer, Problem

DETAILS = ("window", "stride", "padding", "dilation", "heads", "epsilon", "kept", "momentum", "mode", "reset_after", "update_keeps",
           "left_out", "truncate")  # fmt: skip
PLAIN = {"window": 0, "stride": 1, "padding": 0, "dilation": 1, "truncate": 0}  # values that need no telling; of others 1
BORDERS = {("max_pool", "padding"): "border"}  # options that are something else in a layer of this type


def header_of(problem: Problem) -> Header:
    """The header of a problem's solution."""
    layers, chosen = problem.layers, problem.conventions
    return Header(
        title=problem.title,
        source=problem.source,
        notation=problem.notation,
        language=problem.language,
        sizes=(len(problem.inputs), *(len(layer.neurons) for layer in layers)) if layers else (),
        kinds=tuple(layer.type for layer in layers),
        details=tuple(tuple(_details(layer)) for layer in layers),
        shapes=tuple(tuple(axis.size for axis in axes) for axes in (problem.axes, *(layer.axes for layer in layers))),
        activations=tuple(dict.fromkeys(activation.name for layer in layers for activation in layer.activations)),
        loss=problem.loss.name if problem.loss else "",
        samples=sample_names(problem.samples),
        online=problem.training.mode == "online" and len(problem.samples) > 1,
        trained_biases=problem.trained_biases if any(_has_bias(layer) for layer in layers) else None,
        frozen=tuple(sorted(problem.frozen)),
        conventions={"bias_update": problem.trained_biases, **{name: getattr(chosen, name) for name in chosen._fields}},
        tasks=tuple((task.ask, task.marks.text or str(task.marks.numerator)) for task in problem.tasks),
    )


def _details(layer: Layer) -> Iterator[tuple[str, str]]:
    """The options of a layer that a reader should know, as text."""
    for name in DETAILS:
        value = layer.options.get(name)
        if isinstance(value, tuple):
            sides = [part if isinstance(part, tuple) else (part, part) for part in value]  # before and after
            if any(side != (PLAIN[name], PLAIN[name]) for side in sides):
                yield (
                    BORDERS.get((layer.type, name), name),
                    "×".join(f"{before}" if before == after else f"({before}+{after})" for before, after in sides),
                )
        elif value is True:
            yield name, ""
        elif isinstance(value, str):
            yield name, value
        elif isinstance(value, Number):
            yield name, value.text or f"{value.numerator / value.denominator:g}"
        elif value is not None and not isinstance(value, dict) and value not in (False, PLAIN.get(name, 1)):
            yield name, str(value)


def _has_bias(layer: Layer) -> bool:
    return layer.bias is not None or any(tensor.kind == "bias" for tensor in layer.tensors)

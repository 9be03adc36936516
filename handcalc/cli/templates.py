"""Problem files to start from, with comments in the reader's language: the same seed gives the same numbers.

- `dense(…)` is a network of dense layers of given sizes; `TEMPLATES` are others by name, `written(template, …)` is the text of one.

To add a template, add its record: parts of the file, each with the comment above it. In them `{i}` is a number drawn for an input, `{w}`
for a weight, `{b}` for a bias, `{t}` for a target.
"""

from __future__ import annotations

import random
import re

from handcalc.core.functions import function
from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.language import Translate
from handcalc.layers.activations import usual
from handcalc.models.doubts import reach

_RANGES = {"i": (0.05, 0.95), "w": (-0.9, 0.9), "b": (0.1, 0.6), "t": (0.1, 0.9)}
# loss → the targets that it is for
_TARGETS = {"binary_cross_entropy": ("0", "1"), "hinge": ("-1", "1")}
_SMALL, _LARGE = -0.9, 0.9  # targets of outputs without limits


class Part(Record):
    """Some lines of a file, and the comment above them."""

    text: str
    comment: Template = ""


class Start(Record):
    """A file to start from: its name, what it is, which is its title too, and its parts."""

    name: str
    doc: Template
    parts: tuple[Part, ...]


TEMPLATES = {
    start.name: start
    for start in (
        Start("cnn", "convolution, pooling and a dense layer", (
            Part("inputs: [[{i}, {i}, {i}, {i}], [{i}, {i}, {i}, {i}], [{i}, {i}, {i}, {i}], [{i}, {i}, {i}, {i}]]",
                 "an image: its rows; several channels: a list of such lists"),
            Part("targets: {o1: 1, o2: 0}"),
            Part("layers:"),
            Part("  - type: conv2d\n    weights: [[{w}, {w}], [{w}, {w}]]\n    bias: {b}\n    activation: relu",
                 "one kernel: its rows; several: a list of them"),
            Part("  - type: max_pool\n    kernel_size: 3", "or avg_pool; stride: 1 moves the window by 1"),
            Part("  - type: flatten"),
            Part("  - neurons: [o1, o2]\n    activation: softmax\n    weights: [[{w}], [{w}]]\n    bias: [{b}, {b}]",
                 "one row of weights per neuron, one column per number that comes in"),
            Part("loss: cross_entropy"),
        )),
        Start("rnn", "recurrent layer over three times", (
            Part("inputs: [[{i}], [{i}], [{i}]]", "one list for each time, with its inputs"),
            Part("targets: {o: {t}}"),
            Part("layers:"),
            Part("  - type: rnn\n    neurons: [h1, h2]\n    activation: tanh\n    input_weights: [[{w}], [{w}]]",
                 "one row per neuron, one column per input"),
            Part("    hidden_weights: [[{w}, {w}], [{w}, {w}]]\n    bias: [{b}, {b}]", "one column per neuron at the time before"),
            Part("    returns: last", "leave it out, and the states of all times go on"),
            Part("  - neurons: [o]\n    activation: identity\n    weights: [[{w}, {w}]]\n    bias: {b}"),
        )),
        Start("lstm", "LSTM over two times", (
            Part("inputs: [[{i}], [{i}]]", "one list for each time, with its inputs"),
            Part("targets: {o: {t}}"),
            Part("layers:"),
            Part("  - type: lstm\n    neurons: [h]\n    gates:\n"
                 "      input: {input_weights: [[{w}]], hidden_weights: [[{w}]], bias: [{b}]}\n"
                 "      forget: {input_weights: [[{w}]], hidden_weights: [[{w}]], bias: [{b}]}\n"
                 "      candidate: {input_weights: [[{w}]], hidden_weights: [[{w}]], bias: [{b}]}\n"
                 "      output: {input_weights: [[{w}]], hidden_weights: [[{w}]], bias: [{b}]}",
                 "one row per neuron; gru has the gates reset, update and candidate"),
            Part("    returns: last", "leave it out, and the states of all times go on"),
            Part("  - neurons: [o]\n    activation: identity\n    weights: [[{w}]]\n    bias: {b}"),
        )),
        Start("attention", "attention over three tokens", (
            Part("inputs: [[{i}, {i}], [{i}, {i}], [{i}, {i}]]", "one list for each token, with its features"),
            Part("targets: [[{t}, {t}], [{t}, {t}], [{t}, {t}]]"),
            Part("layers:"),
            Part("  - type: attention\n    query_weights: [[{w}, {w}], [{w}, {w}]]\n    key_weights: [[{w}, {w}], [{w}, {w}]]\n"
                 "    value_weights: [[{w}, {w}], [{w}, {w}]]",
                 "one row per query, key or value, one column per feature; weight_rows: inputs turns it round"),
            Part("    # mask: causal\n    # heads: 2", "more of it:"),
        )),
        Start("equations", "formulas instead of layers", (
            Part("given: {x: {i}, t: {t}, w: {w}, b: {b}}", "numbers by name"),
            Part("equations:\n  z: w*x + b\n  y: sigmoid(z)\n  E: 1/2*(t - y)^2", "one after the other, each of those before"),
            Part("minimize: E", "whose gradients are wanted"),
            Part("parameters: [w, b]", "which of the given numbers are updated"),
        )),
    )
}  # fmt: skip


class Numbers:
    """Numbers with two decimals, drawn with a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def draw(self, low: float, high: float) -> str:
        """A number from low to high."""
        return f"{self._random.randint(round(low * 100), round(high * 100)) / 100:.2f}"

    def target(self, activation: str, loss: str) -> str:
        """A target that an output may come near to."""
        low, high = reach(usual(activation))
        if loss in _TARGETS:
            return self._random.choice(_TARGETS[loss])
        if function(activation).jumps and low is not None and high is not None:
            return self._random.choice((f"{low:g}", f"{high:g}"))
        return self.draw(_SMALL if low is None else max(low + 0.01, _SMALL), _LARGE if high is None else min(high - 0.01, 0.99))


def written(start: Start, learning_rate: float, seed: int, translate: Translate, title: str = "") -> str:
    """The text of a template."""
    numbers = Numbers(seed)
    lines = [_title(title or translate(start.doc))]
    for part in start.parts:
        if part.comment:
            margin = " " * (len(part.text) - len(part.text.lstrip()))
            lines.append(f"{margin}# {translate(part.comment)}")
        lines.append(re.sub(r"\{([iwbt])\}", lambda found: numbers.draw(*_RANGES[found[1]]), part.text))
    return "\n".join([*lines, *_ending(learning_rate, translate)]) + "\n"


def dense(
    sizes: list[int], activations: tuple[str, ...], loss: str, learning_rate: float, seed: int, translate: Translate, title: str = ""
) -> str:
    """A network of dense layers: sizes, inputs first; an activation for each layer after them."""
    numbers, last = Numbers(seed), activations[-1]
    named = [[f"x{place + 1}" for place in range(sizes[0])]]
    for layer, size in enumerate(sizes[1:], 1):
        stem = "o" if layer == len(sizes) - 1 else "h" if len(sizes) == 3 else f"h{layer}_"
        named.append([f"{stem}{place + 1}" for place in range(size)])
    inputs = [f"{name}: {numbers.draw(*_RANGES['i'])}" for name in named[0]]
    if function(last).family:
        targets = [f"{name}: {int(place == 0)}" for place, name in enumerate(named[-1])]
    else:
        targets = [f"{name}: {numbers.target(last, loss)}" for name in named[-1]]
    shown = activations if len(set(activations)) > 1 else activations[:1]
    lines = [
        _title(title or f"{'-'.join(map(str, sizes))} {', '.join(shown)}"),
        "# " + translate("inputs and targets: name: value"),
        f"inputs:  {{{', '.join(inputs)}}}",
        f"targets: {{{', '.join(targets)}}}",
        "layers:",
    ]
    count = 0
    for layer, activation in enumerate(activations, 1):
        lines += [f"  - neurons: [{', '.join(named[layer])}]", f"    activation: {activation}"]
        lines += ["    # " + translate("name: [from, to, value]"), "    weights:"]
        for target in named[layer]:
            for source in named[layer - 1]:
                count += 1
                lines.append(f"      w{count}: [{source}, {target}, {numbers.draw(*_RANGES['w'])}]")
        if function(activation).family:
            lines.append("    # " + translate("one bias per neuron: one for all of them would change nothing"))
            lines.append(f"    bias: [{', '.join(numbers.draw(*_RANGES['b']) for _ in named[layer])}]")
        else:
            lines.append("    # " + translate("one bias for the layer; or a list, one per neuron"))
            lines.append(f"    bias: {{b{layer}: {numbers.draw(*_RANGES['b'])}}}")
    lines += ["# " + translate("other losses: handcalc list losses"), f"loss: {loss}"]
    return "\n".join([*lines, *_ending(learning_rate, translate)]) + "\n"


def _title(text: str) -> str:
    return "title: '{}'".format(text.replace("'", "''"))


def _ending(learning_rate: float, translate: Translate) -> list[str]:
    hint = translate("also: update: {biases: false}, rounding: {decimals: 4, carry: true}, notation: zhou")
    return [f"learning_rate: {learning_rate:g}", f"# {hint}"]

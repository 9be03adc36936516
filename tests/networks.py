"""Random dense networks: as a problem file, and worked out by plain NumPy, for the laws on gradients.

- `NETWORKS` is the strategy; sizes and kinds are drawn, numbers come from a seed.
- `Network.yaml()` is the problem file, `Network.gradients()` the gradients by textbook matrix formulas,
  `Network.margin()` how far the nearest kink is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

Array = Any  # numpy.ndarray


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _dot(o: Array, t: Array) -> Array:
    return (o * t).sum(axis=-1, keepdims=True)


def _margins(o: Array, t: Array) -> Array:
    """∂E/∂o of Σ (1 − t)·max(0, o − Σ t·o + 1)."""
    above = np.where(o - _dot(o, t) + 1 > 0, 1 - t, 0)
    return above - t * above.sum(axis=-1, keepdims=True)


def _long(t: Array) -> Array:
    return np.sqrt(_dot(t, t))


def _bent(z: Array) -> Array:
    return math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)


def _slope(tanh: Array, z: Array) -> Array:
    return (1 - tanh**2) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z**2)


def _phi(z: Array) -> Array:
    return (1 + np.vectorize(math.erf)(z / math.sqrt(2))) / 2


# activation as typed → value and derivative in NumPy
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "bipolar_sigmoid": (lambda z: np.tanh(z / 2), lambda z: (1 - np.tanh(z / 2) ** 2) / 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "{elu: {alpha: 0.5}}": (lambda z: np.where(z > 0, z, 0.5 * np.expm1(z)), lambda z: np.where(z > 0, 1, 0.5 * np.exp(z))),
    "gelu": (lambda z: z * _phi(z), lambda z: _phi(z) + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)),
    "silu": (lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z)))),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)) * 1.0),
    "hard_sigmoid": (lambda z: np.clip(z / 6 + 0.5, 0, 1), lambda z: (abs(z) < 3) / 6),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: (abs(z) < 1) * 1.0),
    "gelu_tanh": (lambda z: z / 2 * (1 + np.tanh(_bent(z))), lambda z: (1 + np.tanh(_bent(z)) + z * _slope(np.tanh(_bent(z)), z)) / 2),
    "{swish: {beta: 1.5}}": (lambda z: z * _sigmoid(1.5 * z), lambda z: _sigmoid(1.5 * z) * (1 + 1.5 * z * _sigmoid(-1.5 * z))),
    "mish": (
        lambda z: z * np.tanh(np.log1p(np.exp(z))),
        lambda z: np.tanh(np.log1p(np.exp(z))) + z * _sigmoid(z) / np.cosh(np.log1p(np.exp(z))) ** 2,
    ),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "softplus": (lambda z: np.log1p(np.exp(z)), _sigmoid),
    "identity": (lambda z: z, np.ones_like),
    "z^3/10 + 1": (lambda z: z**3 / 10 + 1, lambda z: 3 * z**2 / 10),
}
KINKS = {"relu": (0,), "leaky_relu": (0,), "{elu: {alpha: 0.5}}": (0,), "softsign": (0,), "relu6": (0, 6), "hard_sigmoid": (-3, 3),
         "hard_tanh": (-1, 1)}  # fmt: skip

# loss as typed → ∂E/∂o of one output, n being the number of outputs, and where it has kinks
LOSSES: dict[str, tuple[Callable[[Array, Array, int], Array], Callable[[Array, Array], Array] | None]] = {
    "half_squared_error": (lambda o, t, n: o - t, None),
    "squared_error": (lambda o, t, n: 2 * (o - t), None),
    "mean_squared_error": (lambda o, t, n: 2 * (o - t) / n, None),
    "cross_entropy": (lambda o, t, n: -t / o, None),
    "binary_cross_entropy": (lambda o, t, n: (o - t) / (o * (1 - o)), None),
    "absolute_error": (lambda o, t, n: np.sign(o - t), lambda o, t: o - t),
    "huber": (lambda o, t, n: np.clip(o - t, -1, 1), lambda o, t: abs(o - t) - 1),
    "mean_binary_cross_entropy": (lambda o, t, n: (o - t) / (o * (1 - o)) / n, None),
    "mean_absolute_error": (lambda o, t, n: np.sign(o - t) / n, lambda o, t: o - t),
    "mean_huber": (lambda o, t, n: np.clip(o - t, -1, 1) / n, lambda o, t: abs(o - t) - 1),
    "mean_cross_entropy": (lambda o, t, n: -t / o, None),
    "mean_negative_log_likelihood": (lambda o, t, n: -t, None),
    "negative_log_likelihood": (lambda o, t, n: -t, None),
    "kl_divergence": (lambda o, t, n: -t / o, None),
    "log_cosh": (lambda o, t, n: np.tanh(o - t), None),
    "cosine": (lambda o, t, n: _dot(o, t) * o / (_long(t) * _long(o) ** 3) - t / (_long(t) * _long(o)), None),
    "multiclass_hinge": (lambda o, t, n: _margins(o, t), lambda o, t: o - _dot(o, t) + 1),
    "hinge": (lambda o, t, n: np.where(t * o < 1, -t, 0), lambda o, t: t * o - 1),
    "sqrt(1 + (o - t)^2) - 1": (lambda o, t, n: (o - t) / np.sqrt(1 + (o - t) ** 2), None),
}
SMOOTHED = "{cross_entropy: {smoothing: 0.2}}"
FUSED_SMOOTHED = "{softmax_cross_entropy: {smoothing: 0.2}}"
LOSSES[SMOOTHED] = LOSSES[FUSED_SMOOTHED] = (lambda o, t, n: -(0.8 * t + 0.2 / n) / o, None)
LOSSES["{binary_cross_entropy: {positive_weight: 3}}"] = (lambda o, t, n: (1 - t) / (1 - o) - 3 * t / o, None)
ENDINGS = [
    ("softmax", SMOOTHED),
    ("softmax", FUSED_SMOOTHED),
    ("sigmoid", "{binary_cross_entropy: {positive_weight: 3}}"),
    ("log_softmax", "negative_log_likelihood"),
    ("softmax", "kl_divergence"),
    ("log_softmax", "mean_negative_log_likelihood"),
    ("softmax", "mean_cross_entropy"),
    ("softsign", "log_cosh"),
    ("softplus", "cosine"),
    ("identity", "half_squared_error"),
    ("sigmoid", "squared_error"),
    ("tanh", "mean_squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
    ("softmax", "softmax_cross_entropy"),
    ("softmax", "half_squared_error"),
    ("identity", "absolute_error"),
    ("sigmoid", "mean_binary_cross_entropy"),
    ("identity", "mean_absolute_error"),
    ("softplus", "mean_huber"),
    ("softplus", "huber"),
    ("tanh", "hinge"),
    ("identity", "multiclass_hinge"),
    ("gelu", "sqrt(1 + (o - t)^2) - 1"),
]
BIASES = ("none", "shared", "neuron", "connection")


@dataclass(frozen=True)
class Dense:
    """weights (unit, input), NaN where there is no edge; bias by its form; one activation for all or one per neuron."""

    weights: Array
    form: str
    bias: Array
    sign: int  # −1: a threshold
    activations: tuple[str, ...]

    @property
    def softmax(self) -> bool:
        return self.activations in (("softmax",), ("log_softmax",))

    def net(self, source: Array) -> Array:
        net = source @ np.nan_to_num(self.weights).T
        if self.form == "connection":
            return net + self.sign * np.where(np.isnan(self.weights), 0, self.bias).sum(axis=1)
        return net + self.sign * self.bias

    def apply(self, net: Array, which: int) -> Array:
        """The activations (which = 0) or their derivatives (which = 1), neuron by neuron."""
        width = net.shape[1]
        chosen = self.activations * width if len(self.activations) == 1 else self.activations
        return np.stack([ACTIVATIONS[chosen[unit]][which](net[:, unit]) for unit in range(width)], axis=1)

    def out(self, net: Array) -> Array:
        if not self.softmax:
            return self.apply(net, 0)
        powers = np.exp(net - net.max(axis=1, keepdims=True))
        found = powers / powers.sum(axis=1, keepdims=True)
        return np.log(found) if self.activations == ("log_softmax",) else found

    def back(self, net: Array, out: Array, slope: Array) -> Array:
        """∂E/∂net from ∂E/∂out."""
        if not self.softmax:
            return slope * self.apply(net, 1)
        if self.activations == ("log_softmax",):
            return slope - np.exp(out) * slope.sum(axis=1, keepdims=True)
        return out * (slope - (slope * out).sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Network:
    """inputs (sample, input), targets (sample, unit), layers, loss, mean or sum over the samples."""

    inputs: Array
    targets: Array
    layers: tuple[Dense, ...]
    loss: str
    reduction: str

    def forward(self) -> list[tuple[Array, Array, Array]]:
        """(source, net, out) of each layer."""
        found, source = [], self.inputs
        for layer in self.layers:
            net = layer.net(source)
            found.append((source, net, layer.out(net)))
            source = found[-1][2]
        return found

    def gradients(self) -> dict[tuple[str, tuple[int, ...]], float]:
        """∂E/∂W and ∂E/∂b by the textbook's matrix formulas, cell by cell."""
        passes = self.forward()
        out = passes[-1][2]
        name = "cross_entropy" if self.loss == "softmax_cross_entropy" else self.loss
        slope = LOSSES[name][0](out, self.targets, out.shape[1])
        weight = 1 / len(self.inputs) if self.reduction == "mean" else 1.0
        found: dict[tuple[str, tuple[int, ...]], float] = {}
        for place in range(len(self.layers), 0, -1):
            layer, (source, net, out) = self.layers[place - 1], passes[place - 1]
            delta = layer.back(net, out, slope)
            slope = delta @ np.nan_to_num(layer.weights)
            for unit, edge in np.argwhere(~np.isnan(layer.weights)):
                found[f"W{place}", (int(unit), int(edge))] = weight * float(delta[:, unit] @ source[:, edge])
            by_unit = layer.sign * weight * delta.sum(axis=0)
            if layer.form == "shared":
                found[f"b{place}", ()] = float(by_unit.sum())
            elif layer.form == "neuron":
                found |= {(f"b{place}", (unit,)): float(value) for unit, value in enumerate(by_unit)}
            elif layer.form == "connection":
                edges = [(int(unit), int(edge)) for unit, edge in np.argwhere(~np.isnan(layer.weights))]
                found |= {(f"b{place}", (unit, edge)): float(by_unit[unit]) for unit, edge in edges}
        return found

    def margin(self) -> float:
        """The distance of net inputs and errors from the nearest kink; central differences need some."""
        distances = [1.0]
        passes = self.forward()
        for layer, (_, net, _) in zip(self.layers, passes):
            for unit in range(net.shape[1]):
                for kink in KINKS.get(layer.activations[unit % len(layer.activations)], ()):
                    distances += [float(value) for value in abs(net[:, unit] - kink)]
        corner = LOSSES[self.loss][1] if self.loss in LOSSES else None
        if corner:
            distances += [float(value) for value in abs(corner(passes[-1][2], self.targets)).ravel()]
        return min(distances)

    # --- as a problem file ---

    def yaml(self) -> str:
        samples = [f"  - {{inputs: {_row(row)}, targets: {_row(goal)}}}" for row, goal in zip(self.inputs, self.targets)]
        sources = [f"x{edge + 1}" for edge in range(self.inputs.shape[1])]
        layers = []
        for place, layer in enumerate(self.layers, 1):
            neurons = [f"n{place}_{unit + 1}" for unit in range(len(layer.weights))]
            layers.append(_layer(place, layer, neurons, sources))
            sources = neurons
        head = ["samples:", *samples, "layers:", *layers, f"loss: {self.loss}", f"sample_reduction: {self.reduction}"]
        return "\n".join([*head, "learning_rate: 0.1", ""])


def _row(values: Array) -> str:
    return "[" + ", ".join(str(float(value)) for value in values) + "]"


def _layer(place: int, layer: Dense, neurons: list[str], sources: list[str]) -> str:
    activation = layer.activations[0] if len(layer.activations) == 1 else "[" + ", ".join(layer.activations) + "]"
    edges = [(unit, edge) for unit in range(len(neurons)) for edge in range(len(sources)) if not np.isnan(layer.weights[unit, edge])]
    lines = [f"  - neurons: [{', '.join(neurons)}]", f"    activation: {activation}"]
    if len(edges) == len(neurons) * len(sources):
        lines.append("    weights: [" + ", ".join(map(_row, layer.weights)) + "]")
    else:
        lines.append("    weights:")
        lines += [f"      w{place}_{unit}_{edge}: [{sources[edge]}, {neurons[unit]}, {layer.weights[unit, edge]}]" for unit, edge in edges]
    key = "bias" if layer.sign > 0 else "threshold"
    if layer.form == "shared":
        lines.append(f"    {key}: {float(layer.bias)}")
    elif layer.form == "neuron":
        lines.append(f"    {key}: {_row(layer.bias)}")
    elif layer.form == "connection":
        lines.append(f"    {key}:")
        lines += [f"      c{place}_{unit}_{edge}: [{sources[edge]}, {neurons[unit]}, {layer.bias[unit, edge]}]" for unit, edge in edges]
    return "\n".join(lines)


# --- drawing ----------------------------------------------------------------------------------------------------------


@st.composite
def networks(
    draw: st.DrawFn, hidden: tuple[str, ...] = (*ACTIVATIONS, "softmax", "log_softmax", "mixed"), forms: tuple[str, ...] = BIASES
) -> Network:
    """1 to 3 layers, 1 to 3 neurons each, 1 to 3 samples; some edges missing, every neuron with at least one."""
    numbers = np.random.default_rng(draw(st.integers(0, 10**6)))
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    last, loss = draw(st.sampled_from(ENDINGS))
    layers = []
    for place, (inputs, units) in enumerate(zip(sizes, sizes[1:]), 1):
        chosen = last if place == len(sizes) - 1 else draw(st.sampled_from(hidden))
        names = tuple(draw(st.sampled_from(sorted(ACTIVATIONS))) for _ in range(units)) if chosen == "mixed" else (chosen,)
        form, sparse = draw(st.sampled_from(forms)), draw(st.integers(0, 2)) == 0
        layers.append(_draw_layer(numbers, units, inputs, form, names, sparse, draw(st.sampled_from([1, 1, -1]))))
    samples = draw(st.integers(1, 3))
    data = np.round(numbers.uniform(-2, 2, (samples, sizes[0])), 3)
    return Network(data, _targets(numbers, loss, samples, sizes[-1]), tuple(layers), loss, draw(st.sampled_from(["mean", "sum"])))


def _draw_layer(numbers: Array, units: int, inputs: int, form: str, names: tuple[str, ...], sparse: bool, sign: int) -> Dense:
    weights = np.round(numbers.uniform(-1.5, 1.5, (units, inputs)), 3)
    if sparse:
        gaps = numbers.random((units, inputs)) < 0.4
        gaps[np.arange(units), numbers.integers(0, inputs, units)] = False
        weights[gaps] = np.nan
    shapes = {"none": (), "shared": (), "neuron": (units,), "connection": (units, inputs)}
    bias = np.round(numbers.uniform(-1, 1, shapes[form]), 3) * (form != "none")
    return Dense(weights, form, bias, sign if form != "none" else 1, names if len(set(names)) > 1 else names[:1])


def _targets(numbers: Array, loss: str, samples: int, units: int) -> Array:
    """Targets a loss is made for: a class, a probability, a sign, any number."""
    if "binary" not in loss and ("cross_entropy" in loss or loss in ("negative_log_likelihood", "kl_divergence")):
        return np.eye(units)[numbers.integers(0, units, samples)]
    if "binary_cross_entropy" in loss:
        return np.round(numbers.random((samples, units)), 2)
    if loss == "hinge":
        return numbers.choice([-1.0, 1.0], (samples, units))
    return np.round(numbers.uniform(-2, 2, (samples, units)), 2)


NETWORKS = networks()

"""The script that confirms a network in Keras: its layers with the problem's numbers, and one train_on_batch.

- `keras_script(setup)` is its text. What Keras has no layer, loss or optimiser for is refused by name.

Keras has no function for gradients that its backends share, so they show in the new parameters. Maps are channels first, as here;
a kernel is (window, channel, filter) there and (filter, channel, window) here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from handcalc.bridges import confirmkeraslayers
from handcalc.bridges.bounds import UNITS, Bounds
from handcalc.bridges.confirmcode import KERAS, ArrayCode
from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.network import reject
from handcalc.bridges.writing import shortest
from handcalc.core.expr import Number
from handcalc.errors import Message
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import Layer, Optimizer

MAPS = ("conv1d", "conv2d", "max_pool", "avg_pool")
LOST = 1e-4  # of the largest number of an array, as far as single precision may move one of them


def keras_script(setup: Setup) -> str:
    """The script. Raises ModelError."""
    return KERAS.script(_Keras(setup).lines())


class _Keras:
    """The lines of a script."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.code = ArrayCode(KERAS)
        self.network: list[str] = []
        self.numbers: list[str] = []
        self.asserted: dict[str, list[float]] = {}
        self.outputs: dict[int, str] = {}
        self.parameters: list[str] = []
        self.updated: list[str] = []

    def lines(self) -> Iterator[str]:
        """The whole script."""
        problem, graph = self.setup.problem, self.setup.graph
        shape = self._batch(graph.inputs)
        for number, layer in enumerate(problem.layers, 1):
            (LAYERS | confirmkeraslayers.LAYERS).get(layer.type, _unknown)(self, number, layer)
        self._check_parameters()
        self._check_precision()
        yield f"x = {self._array(graph.inputs, shape)}"
        yield f"source = keras.Input({tuple(shape[1:])!r})"
        yield from self.network
        yield from self.numbers
        yield f"model = keras.Model(source, [{', '.join(self.asserted)}])"
        for place, (name, numbers) in enumerate(self.asserted.items()):
            yield self._numbered(name, f"model(x)[{place}]" if len(self.asserted) > 1 else "ops.stack(model(x))", numbers)
        if problem.loss is not None and graph.targets:
            yield from self._step()

    def _check_parameters(self) -> None:
        """Every parameter of the network is one of the script, or Keras has no such layer."""
        for quantity in self.setup.graph:
            own = quantity.kind in PARAMETERS and not quantity.stage and quantity.definition is None
            if own and quantity.name not in self.parameters:
                _cannot(Message("parameters of their own ({name})", name=quantity.name))

    def _check_precision(self) -> None:
        """Refuse numbers that may be others in single precision."""
        bounds, graph = Bounds(self.setup.known, UNITS["float32"]), self.setup.graph
        for name in [one for one in (*self.asserted, "loss") if one in graph]:
            places = sorted(graph.positions(name))
            most = max(abs(float(self.setup.known[name, place])) for place in places)
            if any(not bounds[name, place].high - bounds[name, place].low <= LOST * max(most, 1e-3) for place in places):
                _cannot(Message("numbers of which single precision keeps too few digits ({name})", name=name))

    def _step(self) -> Iterator[str]:
        problem, graph, rate = self.setup.problem, self.setup.graph, self.setup.problem.learning_rate
        options = _options(problem.optimizer)
        yield f"t = {self._array(graph.targets, self._batch(graph.targets))}"
        yield from ("", "", "def loss_of(t, o):", *(f"    {line}" for line in self._loss()), "", "")
        yield f"model = keras.Model(source, {self.output(len(problem.layers))})"
        yield f"model.compile(optimizer=keras.optimizers.SGD({_value(rate) if rate else 0.0!r}{options}), loss=loss_of)"
        yield self._same("loss", "np.array(model.train_on_batch(x, t))", "loss")
        yield from self.updated if rate else ()

    def _loss(self) -> Iterator[str]:
        """The loss of every sample, of which Keras takes the mean."""
        loss, count = self.setup.problem.loss, len(self.setup.model.answers())
        assert loss is not None
        if self.setup.problem.layers[-1].type in MAPS:  # which have a channel there, if they have none here
            yield "o = ops.reshape(o, t.shape)"
        target = self.code.of(loss.target, {"t": "t", "n": str(count)}, loss.numbers) if loss.target is not None else "t"
        if loss.form == "fused":
            yield f"terms = -({target}) * {self.code.family('log_softmax', 'o')}"
        else:
            assert loss.term is not None
            yield f"terms = {self.code.of(loss.term, {'t': f'({target})', 'o': 'o'}, {})}"
        if loss.weights:
            yield f"terms = terms * ops.array([{', '.join(shortest(_value(one)) for one in loss.weights)}])"
        samples = max(len(self.setup.problem.samples), 1)
        places = count // self.setup.problem.layers[-1].axes[-1].size if loss.placewise else 1
        factor = "" if self.setup.problem.conventions.sample_reduction == "mean" else f"{samples} * "
        yield f"return {factor}ops.sum(ops.reshape(terms, ({samples}, -1)), axis=1) / {count if loss.mean else places}"

    def _batch(self, name: str) -> list[int]:
        """The sizes of inputs or targets, samples first."""
        sampled = any(axis.role == "sample" for axis in self.setup.graph[name].axes)
        return self.setup.shape(name) if sampled else [1, *self.setup.shape(name)]

    def _array(self, name: str, shape: list[int]) -> str:
        numbers = self.setup.numbers(name)
        whole = 1
        for size in self.setup.shape(name):
            whole *= size
        if self.setup.graph[name].shared:
            _cannot(Message("edges with the same weight ({name})", name=name))
        if len(numbers) != whole:
            _cannot(Message("missing edges ({name})", name=name))
        return self.code.language.array(numbers, shape)

    def _same(self, label: str, found: str, name: str) -> str:
        return self._numbered(label, found, self.setup.numbers(name))

    def _numbered(self, label: str, found: str, numbers: list[float]) -> str:
        return f'same("{label}", ops.convert_to_numpy({found}), [{", ".join(map(shortest, numbers))}])'

    # --- what layers write ---

    def source(self, number: int) -> str:
        """What comes into a layer."""
        before = self._before(number)
        return self.output(before) if before else "source"

    def output(self, number: int) -> str:
        """What goes on from a layer."""
        return self.outputs.get(number, f"out{number}")

    def _before(self, number: int) -> int:
        """The layer whose output comes in; 0: the inputs."""
        return self.setup.problem.layers[number - 1].taken(number)[0]

    def maps(self, number: int) -> str:
        """What comes into a layer of maps, with channels."""
        alone = self._before(number) == 0 and self.setup.problem.axes[0].role != "channel"
        return "ops.expand_dims(source, 1)" if alone else self.source(number)

    def add(self, name: str, formula: str, asserted: bool = True, numbers: list[float] | None = None) -> None:
        """A line of the network; asserted: whether the solution has its numbers; numbers: they, if they are not all of a quantity."""
        self.network.append(f"{name} = {formula}")
        if asserted:
            self.asserted[name] = self.setup.numbers(name) if numbers is None else numbers

    def parameter(self, name: str, found: str) -> str:
        """The array of a parameter as we have it; found: the same in Keras, after the update."""
        self.parameters.append(name)
        if self.setup.graph.updated(name):
            self.updated.append(self._same(f"new.{name}", found, self.setup.graph.updated(name)))
        return self._array(name, self.setup.shape(name))

    def trained(self, number: int, call: str, source: str, layer: Layer, order: tuple[int, ...]) -> None:
        """net = layer(source), its kernel and its bias; order: of our axes there."""
        graph = self.setup.graph
        threshold = layer.bias is not None and layer.bias.threshold
        weight, bias = graph.in_layer(number, "weight"), graph.in_layer(number, "threshold" if threshold else "bias")
        sign = "-" if threshold else ""
        trained = graph.updated(bias) in graph if bias else False
        own = layer.bias is None or layer.bias.form == "neuron" or layer.bias.form == "shared" and self.setup.shape(weight)[0] == 1
        if not own and (trained or layer.bias is not None and layer.bias.form == "connection"):
            _cannot(Message("layer {number} without a bias of its own for every neuron", number=number))
        self.parameters += [weight, bias]
        shape = self.setup.shape(weight)
        shape = [shape[0], -1] if graph[weight].merged else shape if len(shape) == len(order) else [shape[0], 1, *shape[1:]]
        filters = shape[0]
        self.network.append(f"layer{number} = {call.format(filters=filters)}".replace("BIAS", str(bool(bias))))
        self.add(f"net{number}", f"layer{number}({source})")
        arrays = [f"{self._array(weight, shape)}.transpose{order!r}"]
        if bias:
            values = self.setup.numbers(bias)
            values = values if len(values) == filters else values * filters
            arrays.append(sign + self.code.language.array(values, [filters]))
        self.numbers.append(f"layer{number}.set_weights([{', '.join(arrays)}])")
        if bias and not trained:
            self.numbers.append(f"layer{number}.bias.trainable = False")
        back = tuple(order.index(place) for place in range(len(order)))
        if graph.updated(weight):
            found = f"layer{number}.get_weights()[0].transpose{back!r}"
            self.updated.append(self._same(f"new.{weight}", found, graph.updated(weight)))
        if trained:
            self.updated.append(self._same(f"new.{bias}", f"{sign}layer{number}.get_weights()[1]", graph.updated(bias)))

    def activated(self, number: int, layer: Layer, source: str) -> None:
        """out = f(net), one function for all or one for each neuron."""
        names = layer.activations
        texts = [self.activation(one, source if len(names) == 1 else f"{source}[..., {place}]", layer) for place, one in enumerate(names)]
        self.add(f"out{number}", texts[0] if len(names) == 1 else self.code.language.stack.format(", ".join(texts)))

    def activation(self, activation: Any, source: str, layer: Layer) -> str:
        """A function of an array."""
        if activation.formula is None:
            if activation.temperature is not None:
                source = f"({source} / {_value(activation.temperature)!r})"
            return self.code.family(activation.name, source, 1 if layer.type.startswith("conv") else -1)
        return self.code.of(activation.formula, {"z": source}, {})


def _value(number: Number) -> float:
    return number.numerator / number.denominator


def _options(optimizer: Optimizer) -> str:
    """What stochastic gradient descent has besides its rate: momentum, as it is in a first step."""
    numbers = {name: _value(value) for name, value in optimizer.numbers.items()}
    momentum, dampening = numbers.pop("momentum", 0.0), numbers.pop("dampening", 0.0)
    if optimizer.name not in ("sgd", "momentum", "nesterov") or dampening or any(numbers.values()):
        _cannot(optimizer.name)
    return f", momentum={momentum!r}, nesterov={optimizer.name == 'nesterov'}" if momentum else ""


def _cannot(what: str | Message) -> Any:
    reject("{what} cannot be written for {framework}", what=what, framework="Keras")


# --- layers -------------------------------------------------------------------------------------------------------------


def _unknown(script: _Keras, number: int, layer: Layer) -> None:
    _cannot(f"type: {layer.type}")


def _dense(script: _Keras, number: int, layer: Layer) -> None:
    weight = script.setup.graph.in_layer(number, "weight")
    source = script.source(number)
    if script.setup.graph[weight].merged:
        source = f"keras.layers.Flatten()({source})"
    script.trained(number, "keras.layers.Dense({filters}, use_bias=BIAS)", source, layer, (1, 0))
    script.activated(number, layer, f"net{number}")


def _activation(script: _Keras, number: int, layer: Layer) -> None:
    script.activated(number, layer, script.source(number))


def _flatten(script: _Keras, number: int, layer: Layer) -> None:
    script.add(f"out{number}", script.source(number), asserted=False)


def _convolution(script: _Keras, number: int, layer: Layer) -> None:
    directions = 2 if layer.type == "conv2d" else 1
    options = layer.options
    if max(options["stride"]) > 1 and max(options["dilation"]) > 1:
        _cannot(Message("stride with dilation of layer {number}", number=number))
    weight = script.setup.graph.in_layer(number, "weight")
    window = tuple(script.setup.shape(weight)[-directions:])
    moves = f"strides={tuple(options['stride'])}, dilation_rate={tuple(options['dilation'])}, groups={options['groups']}"
    call = f"keras.layers.Conv{directions}D({{filters}}, {window}, {moves}, use_bias=BIAS, data_format='channels_first')"
    order = (*range(2, directions + 2), 1, 0)
    source = script.maps(number)
    if any(one not in (0, (0, 0)) for one in options["padding"]):
        source = f"ops.pad({source}, ((0, 0), (0, 0), {', '.join(map(str, options['padding']))}))"
    script.trained(number, call, source, layer, order)
    script.activated(number, layer, f"net{number}")


def _pool(script: _Keras, number: int, layer: Layer) -> None:
    options = layer.options
    if any(one not in (0, (0, 0)) for one in options["padding"]):
        _cannot(Message("padding of layer {number}", number=number))
    window = tuple(options["window"])
    kind = f"{'Max' if layer.type == 'max_pool' else 'Average'}Pooling{len(window)}D"
    call = f"keras.layers.{kind}({window}, strides={tuple(options['stride'])}, data_format='channels_first')"
    script.add(f"out{number}", f"{call}({script.maps(number)})")


LAYERS: dict[str, Callable[[_Keras, int, Layer], None]] = {
    "dense": _dense, "activation": _activation, "flatten": _flatten, "conv2d": _convolution, "conv1d": _convolution, "max_pool": _pool,
    "avg_pool": _pool,
}  # fmt: skip

"""A script that builds the same network in a framework and asserts every number of the solution.

- `confirmation(problem, framework)` is the text of the script; `FRAMEWORKS` names what there is.
- What a framework cannot express is refused by name.

The script holds the numbers of the problem and of its solution, and needs the framework only: forward pass in its functions, gradients
by its automatic differentiation (NumPy: by complex steps), one step of its optimiser. What it has no layers for is written out number by
number (confirmcells.py), but for Keras and scikit-learn, which have nothing else. Tolerance: 1e-9 relative to the largest number of
an array, in double precision; 1e-5 for Keras, in single.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from handcalc.bridges import confirmtorch
from handcalc.bridges.confirmcells import written_out
from handcalc.bridges.confirmcode import LANGUAGES, ArrayCode
from handcalc.bridges.confirmkeras import keras_script
from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.confirmsklearn import sklearn_script
from handcalc.bridges.network import reject
from handcalc.bridges.writing import shortest
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Number
from handcalc.deriving import of_update
from handcalc.errors import Message, ModelError, Template
from handcalc.loading.schedules import batches, updates_per_epoch
from handcalc.models import build
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import Layer, Problem

MOST_NUMBERS = 20_000  # in a script


def confirmation(problem: Problem, framework: str) -> str:
    """The script, of the first update. Raises ModelError, naming what the framework cannot express."""
    if updates_per_epoch(problem) > 1:
        problem = of_update(problem, tuple(map(int, next(batches(problem)))))
    model = build(problem)
    setup = Setup(problem=problem, model=model, known=Evaluation(model.graph.at_once))
    _check(setup, framework)
    try:
        _check_layers(setup, framework)
        return OWN[framework](setup) if framework in OWN else LANGUAGES[framework].script(_Script(setup, framework).lines())
    except ModelError:
        if framework in OWN:
            raise
    return written_out(setup, framework)


def _check(setup: Setup, framework: str) -> None:
    """Refuse what no script has."""
    usual, own = type(setup.problem.conventions)(), setup.problem.conventions
    for name in ("hidden_error_weights", "relu_at_zero", "max_ties"):
        if getattr(own, name) != getattr(usual, name):
            cannot(framework, f"{name}: {getattr(own, name)}")
    size = sum(len(list(setup.graph.positions(quantity.name))) for quantity in setup.graph)
    _without(framework, "so many numbers", size > MOST_NUMBERS)


def _check_layers(setup: Setup, framework: str) -> None:
    """Refuse what is not made of layers, of a loss, and of an optimiser as frameworks have them."""
    problem, optimizer = setup.problem, setup.problem.optimizer
    _without(framework, "equations", not problem.layers)
    _without(framework, "given", bool(problem.fixed))
    _without(framework, "error: direct", problem.loss is not None and problem.loss.form in ("direct", "whole"))
    _without(framework, "a loss with sums over outputs", bool(problem.loss and problem.loss.form == "terms" and problem.loss.sums))
    _without(framework, "regularization", problem.regularization is not None)
    _without(framework, "schedule", problem.schedule is not None)
    _without(framework, "learning rates of their own", bool(problem.rates or problem.rules))
    _without(framework, "frozen", bool(problem.frozen or problem.frozen_parts or problem.called))
    _without(framework, "clipping", any(name.startswith("clip") for name in optimizer.numbers))
    _without(framework, "standardize", problem.standard is not None)
    _without(framework, "conventions", _unusual(problem))


def _without(framework: str, template: Template, found: bool) -> None:
    """Refuse what the problem has, if it does."""
    if found:
        cannot(framework, Message(template))


def _unusual(problem: Problem) -> bool:
    """Whether some convention is one that no framework has."""
    usual = type(problem.conventions)()
    own = problem.conventions
    same = ("convolution", "momentum_form", "adam_bias_correction")
    return any(getattr(own, name) != getattr(usual, name) for name in same) or problem.optimizer.epsilon_inside


def cannot(framework: str, what: str | Message) -> Any:
    """Raise the ModelError of what a script cannot have."""
    reject("{what} cannot be written for {framework}", what=what, framework=framework)


class _Script:
    """The lines of a script for a framework of arrays."""

    def __init__(self, setup: Setup, framework: str) -> None:
        self.setup = setup
        self.framework = framework
        self.code = ArrayCode(LANGUAGES[framework])
        self.sampled = any(axis.role == "sample" for axis in setup.graph[setup.graph.inputs].axes)
        self.parameters: list[str] = []
        self.forward: list[str] = []
        self.asserted: list[str] = []
        self.outputs: dict[int, str] = {}

    def lines(self) -> Iterator[str]:
        """The whole script."""
        layers = LAYERS | (confirmtorch.LAYERS if self.framework == "torch" else {})
        for number, layer in enumerate(self.setup.problem.layers, 1):
            layers.get(layer.type, _unknown)(self, number, layer)
        self._check_parameters()
        graph, problem = self.setup.graph, self.setup.problem
        yield f"x = {self._array(graph.inputs)}"
        targets = graph.targets
        if problem.loss is not None and targets:
            yield f"t = {self._array(targets)}"
        yield from (f"{name} = {self._array(name, parameter=True)}" for name in self.parameters)
        arguments = ", ".join(self.parameters)
        results = ", ".join(self.asserted) + "," * (len(self.asserted) == 1)
        yield from (
            "",
            "",
            f"def forward({arguments}):",
            *(f"    {line}" for line in self.forward),
            f"    return {results}",
        )
        yield from ("", "", f"{results} = forward({arguments})")
        yield from (self._same(name, name) for name in self.asserted)
        if problem.loss is not None and targets:
            yield from self._loss(arguments)

    def _check_parameters(self) -> None:
        """Every parameter of the network is one of the script, or the framework has no such layer."""
        for quantity in self.setup.graph:
            if quantity.kind in PARAMETERS and not quantity.stage and quantity.definition is None and quantity.name not in self.parameters:
                cannot(self.framework, Message("parameters of their own ({name})", name=quantity.name))

    def _loss(self, arguments: str) -> Iterator[str]:
        graph, language = self.setup.graph, LANGUAGES[self.framework]
        last = len(self.setup.problem.layers)
        outputs = self.asserted.index(f"out{last}") if f"out{last}" in self.asserted else -1
        yield from ("", "", f"def total({arguments}):")
        yield f"    parts = forward({arguments})"
        answer = f"parts[{outputs}]" + self.outputs.get(last, "").removeprefix(f"out{last}")
        names = [answer, f"parts[{self.asserted.index(f'net{last}')}]" if f"net{last}" in self.asserted else ""]
        yield from (f"    {line}" for line in self._whole_loss(*names))
        yield from ("", "", f"loss = total({arguments})", self._same("loss", "loss"))
        if not self.parameters:
            return
        yield f"gradients = {language.gradients}(total, [{arguments}])"
        for place, name in enumerate(self.parameters):
            if graph.gradient(name):
                yield self._same(f"gradients[{place}]", graph.gradient(name), f"grad.{name}")
        if self.setup.model.updated:
            yield from self._update()

    def _whole_loss(self, outputs: str, net: str) -> Iterator[str]:
        loss = self.setup.problem.loss
        assert loss is not None
        count = len(self.setup.model.answers())
        target = self.code.of(loss.target, {"t": "t", "n": str(count)}, loss.numbers) if loss.target is not None else "t"
        if loss.form == "fused":
            yield f"terms = -({target}) * {self.code.family('log_softmax', net)}"
        else:
            assert loss.term is not None
            yield f"terms = {self.code.of(loss.term, {'t': f'({target})', 'o': outputs}, {})}"
        if loss.weights:
            yield f"terms = terms * {self.code.language.array([_value(one) for one in loss.weights], [len(loss.weights)])}"
        places = count // self.setup.problem.layers[-1].axes[-1].size if loss.placewise else 1
        divisor = (count if loss.mean else places) * (
            self.code_samples() if self.setup.problem.conventions.sample_reduction == "mean" else 1
        )
        yield f"return terms.sum() / {divisor}"

    def code_samples(self) -> int:
        """The number of samples."""
        return max(len(self.setup.problem.samples), 1)

    def _update(self) -> Iterator[str]:
        model, problem = self.setup.model, self.setup.problem
        trained = [name for name in self.parameters if name in model.updated]
        assert problem.learning_rate is not None
        rate = repr(_value(problem.learning_rate))
        yield ""
        if self.framework != "torch":
            if problem.optimizer.name != "sgd" or problem.optimizer.numbers:
                cannot(self.framework, problem.optimizer.name)
            for name in trained:
                found = f"{name} - {rate} * gradients[{self.parameters.index(name)}]"
                yield self._same(f"({found})", model.updated[name], f"new.{name}")
            return
        yield f"optimizer = {self._torch_optimizer(trained, rate)}"
        yield from (f"{name}.grad = gradients[{self.parameters.index(name)}]" for name in trained)
        yield "optimizer.step()"
        yield from (self._same(name, model.updated[name], f"new.{name}") for name in trained)

    def _torch_optimizer(self, trained: list[str], rate: str) -> str:
        own, graph = self.setup.problem.optimizer, self.setup.graph
        numbers = {name: repr(_value(value)) for name, value in own.numbers.items()}
        decay = numbers.pop("weight_decay", "")
        kind, settings = _TORCH_OPTIMISERS[own.name]
        options = [f"lr={rate}", *(option.format(**numbers) for option in settings)]
        weights = [name for name in trained if graph[name].kind == "weight"]
        free = [name for name in trained if name not in weights and decay and not self.setup.problem.conventions.bias_decay]
        groups = [f'{{"params": [{", ".join(name for name in trained if name not in free)}]}}']
        groups += [f'{{"params": [{", ".join(free)}], "weight_decay": 0.0}}'] if free else []
        options += [f"weight_decay={decay or '0.0'}"] if kind != "Adadelta" or decay else []
        return f"torch.optim.{kind}([{', '.join(groups)}], {', '.join(options)})"

    def _array(self, name: str, parameter: bool = False) -> str:
        shape = self.setup.shape(name)
        if not parameter and not self.sampled:
            shape = [1, *shape]
        quantity = self.setup.graph[name]
        if quantity.merged and parameter:
            shape = [shape[0], -1]
        return self.code.language.array(self._filled(name), shape) + (self.code.language.parameter if parameter else "")

    def _filled(self, name: str) -> list[float]:
        """Numbers of an array; where some places have none, the framework has no such layer."""
        numbers = self.setup.numbers(name)
        whole = 1
        for size in self.setup.shape(name):
            whole *= size
        if self.setup.model.graph[name].shared:
            cannot(self.framework, Message("edges with the same weight ({name})", name=name))
        return numbers if len(numbers) == whole else cannot(self.framework, Message("missing edges ({name})", name=name))

    def _same(self, found: str, name: str, label: str = "") -> str:
        numbers = ", ".join(map(shortest, self.setup.numbers(name)))
        return f'same("{label or name}", {found}, [{numbers}])'

    # --- what layers write ---

    def parameter(self, number: int, kind: str, role: str = "") -> str:
        """The name of a parameter of a layer, "" where it has none; it becomes one of the script."""
        name = self.setup.graph.in_layer(number, kind, role)
        if name:
            self.parameters.append(name)
        return name

    def output(self, number: int) -> str:
        """What a layer puts out; 0: the inputs."""
        return self.outputs.get(number, f"out{number}") if number else "x"

    def source(self, number: int) -> str:
        """What comes into a layer."""
        return self.output(self.setup.problem.layers[number - 1].taken(number)[0])

    def line(self, text: str) -> None:
        """A line of the forward pass as it is."""
        self.forward.append(text)

    def typed(self, numbers: list[float], shape: list[int]) -> str:
        """An array of numbers."""
        return self.code.language.array(numbers, shape)

    def write(self, name: str, formula: str, asserted: bool = True) -> None:
        """A line of the forward pass; asserted: whether the solution has its numbers."""
        self.forward.append(f"{name} = {formula}")
        if asserted:
            self.asserted.append(name)

    def activated(self, number: int, layer: Layer, source: str) -> None:
        """out = f(net), one function for all or one for each neuron."""
        names = layer.activations
        if len(names) == 1:
            self.write(f"out{number}", self._activation(names[0], source, layer))
            return
        parts = ", ".join(self._activation(one, f"{source}[..., {place}]", layer) for place, one in enumerate(names))
        self.write(f"out{number}", self.code.language.stack.format(parts))

    def _activation(self, activation: Any, source: str, layer: Layer) -> str:
        if activation.formula is None:
            if activation.temperature is not None:
                source = f"({source} / {_value(activation.temperature)!r})"
            return self.code.family(activation.name, source, 1 if layer.type.startswith("conv") else -1)
        return self.code.of(activation.formula, {"z": source}, {})


_TORCH_OPTIMISERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sgd": ("SGD", ()),
    "momentum": ("SGD", ("momentum={momentum}", "dampening={dampening}")),
    "nesterov": ("SGD", ("momentum={momentum}", "nesterov=True")),
    "adagrad": ("Adagrad", ("eps={epsilon}",)),
    "rmsprop": ("RMSprop", ("alpha={rho}", "eps={epsilon}")),
    "adadelta": ("Adadelta", ("rho={rho}", "eps={epsilon}")),
    "adam": ("Adam", ("betas=({beta1}, {beta2})", "eps={epsilon}")),
    "adamw": ("AdamW", ("betas=({beta1}, {beta2})", "eps={epsilon}")),
}


def _value(number: Number) -> float:
    return number.numerator / number.denominator


# --- layers -------------------------------------------------------------------------------------------------------------


def _unknown(script: _Script, number: int, layer: Layer) -> None:
    cannot(script.framework, f"type: {layer.type}")


def _dense(script: _Script, number: int, layer: Layer) -> None:
    weight = script.parameter(number, "weight")
    if layer.bias is not None and layer.bias.form == "connection":
        cannot(script.framework, Message("a bias for every connection"))
    threshold = layer.bias is not None and layer.bias.threshold
    bias = script.parameter(number, "threshold" if threshold else "bias")
    source = script.source(number)
    if script.setup.graph[weight].merged:
        source = f"{source}.reshape({script.code_samples()}, -1)"
    script.write(f"net{number}", f"{source} @ {weight}.T" + (f" {'-' if threshold else '+'} {bias}" if bias else ""))
    script.activated(number, layer, f"net{number}")


def _activation(script: _Script, number: int, layer: Layer) -> None:
    script.activated(number, layer, script.source(number))


def _flatten(script: _Script, number: int, layer: Layer) -> None:
    script.write(f"out{number}", script.source(number), asserted=False)


def _transpose(script: _Script, number: int, layer: Layer) -> None:
    script.write(f"out{number}", f"{script.source(number)}.swapaxes(-1, -2)")


def _reshape(script: _Script, number: int, layer: Layer) -> None:
    sizes = ", ".join(map(str, layer.options["shape"]))
    script.write(f"out{number}", f"{script.source(number)}.reshape({script.code_samples()}, {sizes})")


def _convolution(script: _Script, number: int, layer: Layer) -> None:
    _only_torch(script, layer)
    weight, bias = script.parameter(number, "weight"), script.parameter(number, "bias")
    directions = 2 if layer.type == "conv2d" else 1
    own, source = script.setup.shape(weight), script.source(number)
    kernel = weight if len(own) == directions + 2 else f"{weight}.unsqueeze(1)"
    before, problem = layer.taken(number)[0], script.setup.problem
    if (problem.layers[before - 1].axes if before else problem.axes)[0].role != "channel":
        source = f"{source}.unsqueeze(1)"
    options = layer.options
    moves = ", ".join(f"{key}={tuple(options[key])}" for key in ("stride", "dilation"))
    around = [one for pair in reversed(options["padding"]) for one in pair]
    if any(around):
        source = f"F.pad({source}, {tuple(around)})"
    call = f"F.conv{directions}d({source}, {kernel}, {bias or None}, {moves}, groups={options['groups']})"
    script.write(f"net{number}", call)
    script.activated(number, layer, f"net{number}")


def _pool(script: _Script, number: int, layer: Layer) -> None:
    _only_torch(script, layer)
    options = layer.options
    if any(one != (0, 0) for one in options["padding"]):
        cannot(script.framework, Message("padding of a pooling"))
    if len(options["window"]) < 2:
        cannot(script.framework, Message("pooling in one direction"))
    kind = "max_pool2d" if layer.type == "max_pool" else "avg_pool2d"
    script.write(f"out{number}", f"F.{kind}({script.source(number)}, {tuple(options['window'])}, {tuple(options['stride'])})")


def _only_torch(script: _Script, layer: Layer) -> None:
    if script.framework != "torch":
        _unknown(script, 0, layer)


LAYERS: dict[str, Callable[[_Script, int, Layer], None]] = {
    "dense": _dense, "activation": _activation, "flatten": _flatten, "conv2d": _convolution, "conv1d": _convolution, "max_pool": _pool,
    "avg_pool": _pool, "transpose": _transpose, "reshape": _reshape,
}  # fmt: skip
OWN: dict[str, Callable[[Setup], str]] = {"keras": keras_script, "sklearn": sklearn_script}  # that have no gradients of any formula
FRAMEWORKS = (*LANGUAGES, *OWN)

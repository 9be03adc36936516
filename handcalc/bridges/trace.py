"""Steps of training in a framework, as numbers: what a program really did.

- `trace(module, step, steps)` calls `step()`, which is the user's own code for one step of training, and records what it did: inputs and
  outputs of every module, the loss that it answers, gradients, parameters before and after.
- `Trace` is that as data; `Trace.as_json()` and `read_trace(text, …)` write and read it.

A trace is `{"handcalc_trace": 1, "framework": …, "dtype": …, "modules": [{"name", "kind", "training"}], "parameters": [{"name",
"trained"}], "steps": [{"inputs", "outputs": {module: …}, "loss", "gradients": {parameter: …}, "before": {…}, "after": {…}}]}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from handcalc.bridges.network import reject
from handcalc.core.record import Record
from handcalc.problem.limits import limit

MOST_STEPS = 100


class TracedStep(Record):
    """One step: arrays by the names of modules and parameters, None where there is none."""

    inputs: Any
    outputs: Mapping[str, Any]
    loss: float | None
    gradients: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class TracedModule(Record):
    """A module that was called: its name, its class, whether it was in training mode."""

    name: str
    kind: str
    training: bool


class Trace(Record):
    """Steps of training; trained: whether a parameter asks for a gradient, by its name."""

    framework: str
    dtype: str
    modules: tuple[TracedModule, ...]
    trained: Mapping[str, bool]
    steps: tuple[TracedStep, ...]

    def as_json(self) -> dict[str, Any]:
        """The trace as plain data."""
        steps = [{key: _plain(getattr(step, key)) for key in _STEP_KEYS} for step in self.steps]
        modules = [{"name": module.name, "kind": module.kind, "training": module.training} for module in self.modules]
        parameters = [{"name": name, "trained": trained} for name, trained in self.trained.items()]
        about = {"handcalc_trace": 1, "framework": self.framework, "dtype": self.dtype}
        return {**about, "modules": modules, "parameters": parameters, "steps": steps}


_STEP_KEYS = ("inputs", "outputs", "loss", "gradients", "before", "after")


def trace(module: Any, step: Callable[[], Any], steps: int = 1) -> Trace:
    """What `step()` does to a PyTorch module, so many times. step: one step of training, in the user's own code; it may answer the loss."""
    from handcalc.bridges.torchmodule import array, leaves

    named = dict(module.named_parameters())
    parts = leaves(module)
    found: list[TracedStep] = []
    for _ in range(steps):
        seen: dict[str, Any] = {}
        given: list[Any] = []
        hooks = [part.register_forward_hook(_remember(seen, name)) for name, part in parts]
        hooks.append(module.register_forward_pre_hook(_keep(given)))
        before = {name: array(parameter) for name, parameter in named.items()}
        try:
            loss = step()
        finally:
            for hook in hooks:
                hook.remove()
        gradients = {name: None if one.grad is None else array(one.grad) for name, one in named.items()}
        after = {name: array(parameter) for name, parameter in named.items()}
        value = None if loss is None else float(loss.detach() if hasattr(loss, "detach") else loss)
        found.append(TracedStep(given[0] if given else None, seen, value, gradients, before, after))
    dtype = str(next(iter(named.values())).dtype).removeprefix("torch.") if named else "float32"
    modules = tuple(TracedModule(name, type(part).__name__, bool(part.training)) for name, part in parts)
    return Trace("torch", dtype, modules, {name: bool(one.requires_grad) for name, one in named.items()}, tuple(found))


def _keep(given: list[Any]) -> Callable[..., None]:
    from handcalc.bridges.torchmodule import array

    def hook(_: Any, arguments: Any) -> None:
        given.append(array(arguments[0]))

    return hook


def _remember(seen: dict[str, Any], name: str) -> Callable[..., None]:
    from handcalc.bridges.torchmodule import array

    def hook(_: Any, __: Any, output: Any) -> None:
        seen[name] = array(output[0] if isinstance(output, tuple) else output)

    return hook


def read_trace(text: str, where: str) -> Trace:
    """The trace in a JSON text. Raises ModelError."""
    try:
        content = json.loads(text)
        if content["handcalc_trace"] != 1 or not 0 < len(content["steps"]) <= MOST_STEPS:
            raise ValueError("handcalc_trace: 1")
        modules = tuple(TracedModule(str(one["name"]), str(one["kind"]), bool(one["training"])) for one in content["modules"])
        trained = {str(one["name"]): bool(one["trained"]) for one in content["parameters"]}
        steps = tuple(_step(entry) for entry in content["steps"])
        return Trace(str(content["framework"]), str(content["dtype"]), modules, trained, steps)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reject("no trace of a step of training, or a damaged one ({reason})", where, reason=str(error)[:100])


def is_trace(text: str) -> bool:
    """Whether a text may be a trace."""
    return text.lstrip().startswith("{") and '"handcalc_trace"' in text


def _step(entry: Any) -> TracedStep:
    arrays = {key: {str(name): _array(value) for name, value in entry[key].items()} for key in ("outputs", "gradients", "before", "after")}
    loss = entry["loss"]
    return TracedStep(inputs=_array(entry["inputs"]), loss=None if loss is None else float(loss), **arrays)


def _array(value: Any) -> Any:
    import numpy

    if value is None:
        return None
    found = numpy.array(value, dtype=float)
    if found.size > limit("values"):
        raise ValueError("too many numbers")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return value

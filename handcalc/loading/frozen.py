"""Reading `update: {frozen: …}`: what is not trained.

- `add_frozen(part, problem)` is the problem with it. An entry may be

  - one number: the name of a parameter, its id (`W1[2,1]`, of a kernel `W1[1,1,2,2]`), or as it is printed (`w11`, `v_21`);
  - a whole parameter by what its ids begin with (`W1`, `Wxi1`, `b1`), or by layer and key of the file (`conv1.weights`, `lstm1.i`);
  - a layer, by its name: `name:` of the layer, else its type and number (`dense1`, `conv2`).
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.errors import Message
from handcalc.problem.names import is_parameter, may_be_printed, name_of, parameter_names, printed_weights
from handcalc.problem.reader import FileNode, near
from handcalc.problem.schema import Called, FrozenPart, Layer, Problem
from handcalc.problem.values import Section


def add_frozen(part: Section, problem: Problem) -> Problem:
    """The problem with the parameters that are not trained."""
    entries = (part["frozen"].sequence() or ()) if "frozen" in part else ()
    printed = printed_weights(problem) if entries else {}
    cells: set[str] = set()
    parts: dict[FrozenPart, None] = {}
    called: list[Called] = []
    for entry in entries:
        said = entry.text()
        if said is None:
            continue
        found = [] if is_parameter(said, problem) else [one for one in _parts(problem) if said in _called(problem, one)]
        if found:
            parts |= dict.fromkeys(one.replace(said=said) for one in found)
        elif is_parameter(said, problem) or said in printed:
            cells.add(printed.get(said, said) if not is_parameter(said, problem) else said)
        elif may_be_printed(said, problem):
            called.append(Called(said, None, f":{entry.place[0]}: {entry.path}: "))
        else:
            _unknown(entry, said, problem)
    return problem.replace(frozen=frozenset(cells), frozen_parts=tuple(parts), called=(*problem.called, *called))


def _parts(problem: Problem) -> Iterator[FrozenPart]:
    """Every parameter of every layer."""
    for number, layer in enumerate(problem.layers, 1):
        if layer.weights is not None:
            yield FrozenPart(number, "weight")
        if layer.bias is not None:
            yield FrozenPart(number, "threshold" if layer.bias.threshold else "bias")
        yield from (FrozenPart(number, tensor.kind, tensor.role) for tensor in layer.tensors if tensor.kind in ("weight", "bias"))


def _called(problem: Problem, part: FrozenPart) -> set[str]:
    """What a parameter is called, by itself and with its layer."""
    layer = problem.layers[part.layer - 1]
    stem, keys = _stem_and_keys(layer, part)
    return {f"{stem}{part.layer}", layer.name, *(f"{layer.name}.{key}" for key in keys if key)}


def _stem_and_keys(layer: Layer, part: FrozenPart) -> tuple[str, tuple[str, ...]]:
    for tensor in layer.tensors:
        if (tensor.kind, tensor.role) == (part.kind, part.role):
            return tensor.stem, (tensor.key, tensor.gate)
    return ("W", ("weights",)) if part.kind == "weight" else ("b", (part.kind,))


def _unknown(entry: FileNode, said: str, problem: Problem) -> None:
    """The error of what is no parameter: by what it is called, or what is near."""
    if any(layer.name == said for layer in problem.layers):
        entry.fail("the layer {name} has no parameters", name=said)
        return
    called = name_of(said, problem)
    others = dict.fromkeys(name for part in _parts(problem) for name in sorted(_called(problem, part)))
    hint = Message(', it is called "{name}"', name=called) if called else near(said, parameter_names(problem)) or near(said, others)
    entry.fail("there is no parameter {found}{near}", found=entry.shown, near=hint)

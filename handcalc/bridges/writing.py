"""A network from a framework → a problem.

- `written(network, wishes, translate)` is the text of a problem file, and the arrays that go beside it; `problem_of(network, wishes)` the
  problem itself.

Numbers are written in the fewest digits that give the same number in the framework's own type: 0.15, not 0.15000000596046448, for a 32-bit
float. More than `INLINE` weights of a layer go into an archive beside the problem.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handcalc.bridges.network import OPEN, BroughtLayer, BroughtNetwork, Wishes, reject
from handcalc.language import Translate
from handcalc.loading.loader import loads
from handcalc.loading.saving import INLINE
from handcalc.problem.schema import Problem
from handcalc.problem.words import LOSSES

ARCHIVE = "model.npz"
WIDTH = 110  # letters of a list that stays on one line
CLASSES = (
    "cross_entropy",
    "mean_cross_entropy",
    "softmax_cross_entropy",
    "negative_log_likelihood",
    "mean_negative_log_likelihood",
)  # losses whose targets may be numbers of classes


def problem_of(network: BroughtNetwork, wishes: Wishes) -> Problem:
    """The problem. Raises ModelError, ProblemError."""
    return loaded(*written(network, wishes, str, ARCHIVE), network.title or "model")


def loaded(text: str, arrays: Mapping[str, Any], name: str, archive: str = ARCHIVE) -> Problem:
    """The problem in a text with arrays beside it, which are in no file yet. Raises ProblemError."""
    import os
    import tempfile

    if not arrays:
        return loads(text, name)
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        numpy.savez(os.path.join(folder, archive), **arrays)
        return loads(text, name, folder)


def written(network: BroughtNetwork, wishes: Wishes, translate: Translate, archive: str) -> tuple[str, dict[str, Any]]:
    """The text of the problem file, and the arrays for an archive beside it. Raises ModelError, ProblemError."""
    network = with_activations(network, wishes)
    samples = _samples(network, wishes)
    arrays: dict[str, Any] = {}
    lines = [f"# {remark.text(translate)}" for remark in network.remarks]
    if network.title:
        lines.append(f"title: {json.dumps(network.title, ensure_ascii=False)}")
    layers = [line for number, layer in enumerate(network.layers, 1) for line in _layer(layer, number, archive, arrays)]
    keys = dict(network.keys)
    keys |= {key: value for key, value in (("loss", wishes.loss), ("learning_rate", wishes.learning_rate)) if value}
    keys |= {"optimizer": _structure(wishes.optimizer, "--optimizer")} if wishes.optimizer else {}
    if wishes.targets is None:
        keys = {key: value for key, value in keys.items() if key == "conventions"}
    elif "loss" not in keys:
        reject("which loss is minimised? Give --loss, one of {known}", known=", ".join(LOSSES))
    rest = [line for key, value in keys.items() for line in _entry(key, value, "")]
    targets = _targets(network, wishes, len(samples), str(keys.get("loss", "")))
    data = _data(samples, targets)
    return "\n".join([*lines, *data, "layers:", *layers, *rest]) + "\n", arrays


def with_activations(network: BroughtNetwork, wishes: Wishes) -> BroughtNetwork:
    """The activations that the file does not say, as they were given: one for each layer, or for hidden ones and the last."""
    open_layers = [place for place, layer in enumerate(network.layers) if layer.keys.get("activation") == OPEN]
    if wishes.activations and not open_layers:
        reject("the file says its activations: --activations is not needed")
    if not open_layers:
        return network
    names = [network.layers[place].origin for place in open_layers]
    if len(wishes.activations) != len(open_layers):
        text = "the file does not say the activations of {names}; give one for each, such as --activations {example}"
        example = ",".join(["relu"] * (len(names) - 1) + ["sigmoid"])
        reject(text, names=", ".join(names), example=example)
    layers = list(network.layers)
    for place, activation in zip(open_layers, wishes.activations):
        layers[place] = layers[place].replace(keys={**layers[place].keys, "activation": activation})
    return network.replace(layers=tuple(layers))


def shortest(value: Any) -> str:
    """A number in the fewest digits that give it back in its own type; typed numbers as they are."""
    import numpy

    if isinstance(value, str):
        return value
    if isinstance(value, (int, numpy.integer, numpy.bool_)):
        return str(int(value))
    return repr(float(str(value))) if isinstance(value, numpy.floating) else repr(float(value))


# --- samples ------------------------------------------------------------------------------------------------------------


def _samples(network: BroughtNetwork, wishes: Wishes) -> Any:
    """Inputs by sample."""
    if wishes.inputs is None:
        reject("the network needs inputs: give them, such as --inputs 0.5,0.3")
    found, directions = wishes.inputs, network.entry
    if network.channels_last and depth(found) >= 3:
        found = _channels_first(found)
    alone = depth(found) <= directions if directions else depth(found) == 1
    return [found] if alone else found


def _channels_first(found: Any) -> Any:
    import numpy

    return numpy.moveaxis(numpy.asarray(found), -1, -3)


def depth(found: Any) -> int:
    """How deep lists, or an array, are."""
    if hasattr(found, "ndim"):
        return int(found.ndim)
    return 1 + (depth(found[0]) if found else 0) if isinstance(found, (list, tuple)) else 0


def _targets(network: BroughtNetwork, wishes: Wishes, count: int, loss: str) -> Any:
    """Targets by sample; numbers of classes become ones and zeros where the loss has classes."""
    found = wishes.targets
    if found is None:
        return None
    levels = depth(found)
    classes = [word in loss for word in CLASSES]
    if any(classes) and levels <= 1 and (levels == 0 or len(found) == count) and _whole(found):
        size = _outputs(network)
        chosen = [int(one) for one in (found if levels else [found])]
        if size > 1:
            if not all(0 <= one < size for one in chosen):
                reject("classes go from 0 to {most}, found {found}", most=size - 1, found=", ".join(map(str, chosen)))
            return [[int(place == one) for place in range(size)] for one in chosen]
    if levels == 0:
        return [[found]]
    if levels == 1:
        return [found] if count == 1 else [[one] for one in found]
    if len(found) != count:
        reject("there are {inputs} samples of inputs, but {targets} of targets", inputs=count, targets=len(found))
    return found


def _whole(found: Any) -> bool:
    entries = found if depth(found) else [found]
    return all(str(one).isdigit() for one in entries)


def _outputs(network: BroughtNetwork) -> int:
    """How many numbers the last layer with parameters puts out."""
    for layer in reversed(network.layers):
        if "neurons" in layer.keys:
            return int(layer.keys["neurons"])
    return 0


def _data(samples: Any, targets: Any) -> list[str]:
    if len(samples) == 1:
        found = _entry("inputs", samples[0], "")
        return [*found, *(_entry("targets", targets[0], "") if targets is not None else [])]
    lines = ["samples:"]
    for place, sample in enumerate(samples):
        entry = {"inputs": sample} | ({"targets": targets[place]} if targets is not None else {})
        first, *others = [line for key, value in entry.items() for line in _entry(key, value, "    ")]
        lines += ["  - " + first.lstrip(), *others]
    return lines


# --- layers -------------------------------------------------------------------------------------------------------------


def _layer(layer: BroughtLayer, number: int, archive: str, arrays: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, value in layer.keys.items():
        if hasattr(value, "size") and value.size > INLINE:
            name = f"{key}{number}"
            arrays[name] = value
            lines.append(f"    {key}: {{file: {json.dumps(archive)}, array: {name}}}")
        else:
            lines += _entry(key, value, "    ")
    if not lines:
        lines = [f"    type: {layer.type}"]
    first, *rest = lines
    comment = f"  # {layer.origin}" if layer.origin.isprintable() and layer.origin else ""
    return ["  - " + first.lstrip() + comment, *rest]


def _entry(key: str, value: Any, indent: str) -> list[str]:
    """key: value, on one line where it fits; a long list has a line for each of its parts."""
    text = _flow(value)
    if len(text) <= WIDTH or depth(value) < 2:
        return [f"{indent}{key}: {text}"]
    return [f"{indent}{key}:", *(f"{indent}  - {_flow(row)}" for row in value)]


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if depth(value):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return shortest(value)


# --- what is typed ------------------------------------------------------------------------------------------------------


def typed_numbers(text: str, option: str) -> Any:
    """`0.5,0.3`, several samples with `;` between them, or lists in brackets; numbers keep their digits. Raises ModelError."""
    from handcalc.core.expr import Number
    from handcalc.problem.reader import literal

    plain = text.strip()
    if plain.startswith("["):
        return _structure(plain, option)
    rows = [[part.strip() for part in row.split(",") if part.strip()] for row in plain.split(";")]
    for part in (part for row in rows for part in row):
        if not isinstance(literal(part), Number):
            reject("expected numbers with commas between them, found {found}", option, found=f'"{part[:40]}"')
    if not all(rows):
        reject("expected numbers with commas between them, found {found}", option, found=f'"{plain[:40]}"')
    return rows if len(rows) > 1 else rows[0]


def _structure(text: str, option: str) -> Any:
    """A value as in a problem file: lists and mappings of texts."""
    from handcalc.problem.files import read_text

    root = read_text(text, option, "")

    def plain(node: Any) -> Any:
        if node.id == "sequence":
            return [plain(part) for part in node.value]
        if node.id == "mapping":
            return {key.value: plain(value) for key, value in node.value}
        return str(node.value)

    return plain(root.node)

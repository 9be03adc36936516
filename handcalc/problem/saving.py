"""Writing a problem file with other numbers for its parameters: the same file, comments and all.

- `with_parameters(text, problem, values)` is the text of the file with the values put in; values: cell → number.

Numbers stand where they stood: at an edge, in a matrix, in a list of biases. What came from another file (CSV, NPZ) is
written into this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from handcalc.core.graph import Cell
from handcalc.problem.schema import Bias, Layer, Problem


def with_parameters(text: str, problem: Problem, values: Mapping[Cell, float]) -> str:
    """The text of a problem file that holds these values instead of its own."""
    from ruamel.yaml import YAML

    from handcalc.problem.savedlayers import put_back

    yaml = YAML()  # keeps comments, order and spelling
    yaml.preserve_quotes = True
    yaml.width = 10_000
    document = yaml.load(text)
    for name in problem.parameters:
        document["given"][name] = values[name, ()]
    for number, (layer, entry) in enumerate(zip(problem.layers, document.get("layers") or ()), 1):
        _weights(entry, layer, {place: value for (name, place), value in values.items() if name == f"W{number}"})
        if layer.bias is not None:
            own = {place: value for (name, place), value in values.items() if name == f"b{number}"}
            _biases(entry, "threshold" if layer.bias.threshold else "bias", layer.bias, own)
    stream = StringIO()
    put_back(problem, document.get("layers") or (), values)
    yaml.dump(document, stream)
    return stream.getvalue()


def _weights(entry: Any, layer: Layer, values: Mapping[tuple[int, ...], float]) -> None:
    if not values:
        return
    if layer.type != "dense" or any(len(place) > 2 for place in values):
        return  # savedlayers.py
    written = entry["weights"]
    if isinstance(written, dict) and "file" not in written:
        _edges(written, layer.weight_names, values)
        return
    rows = max(place[0] for place in values) + 1
    columns = max(place[1] for place in values) + 1
    by_input = entry.get("weight_rows") == "inputs"
    if isinstance(written, dict):  # from a file: as a matrix from now on
        entry["weights"] = written = _flow([_flow([0.0] * (rows if by_input else columns)) for _ in range(columns if by_input else rows)])
        if by_input:
            entry["weight_rows"] = "inputs"
    flat = not any(isinstance(row, list) for row in written)
    for (row, column), value in values.items():
        first, second = (column, row) if by_input else (row, column)
        if flat:
            written[second if len(written) == columns and not by_input else first] = value
        else:
            written[first][second] = value


def _edges(written: Any, names: Mapping[tuple[int, ...], str], values: Mapping[tuple[int, ...], float]) -> None:
    """{name: [from, to, value]} or {name: [to, value]}."""
    for place, name in names.items():
        if place in values:
            written[_key(written, name)][-1] = values[place]


def _biases(entry: Any, key: str, bias: Bias, values: Mapping[tuple[int, ...], float]) -> None:
    if not values:
        return
    written = entry[key]
    if isinstance(written, list):
        for place, value in values.items():
            written[place[0]] = value
    elif not isinstance(written, dict):
        entry[key] = next(iter(values.values()))
    elif "file" in written:
        entry[key] = _flow([values[place] for place in sorted(values)])
    elif bias.form == "shared":
        written[next(iter(written))] = values[()]
    else:
        _edges(written, bias.names, values)


def _key(written: Any, name: str) -> Any:
    """A name as it was typed: 1 may be a number there."""
    return next(key for key in written if str(key) == name)


def _flow(items: list[Any]) -> Any:
    """A list written in brackets."""
    from ruamel.yaml.comments import CommentedSeq

    found = CommentedSeq(items)
    found.fa.set_flow_style()
    return found

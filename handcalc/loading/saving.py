"""Writing a problem file with other numbers for its parameters: the same file, comments and all.

- `with_parameters(text, problem, graph, values)` is the text of the file with the values put in; values: cell of the graph → number.
  Keys and words are the format's own, however they were spelled.
- `saved(text, problem, graph, values, archive, moved)` is that text, and the arrays of large layers for an archive beside it.

Numbers stand where they stood: at an edge, in a matrix, in a list of biases. What came from another file (CSV, NPZ) or was drawn is
written into this one, but more than `INLINE` weights of a layer go into the archive.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from math import prod
from typing import Any

from handcalc.core.expr import Number
from handcalc.core.graph import Graph
from handcalc.core.index import through
from handcalc.core.quantity import Cell, Quantity
from handcalc.layers.weights import ZEROS
from handcalc.loading.loader import in_own_words
from handcalc.problem.reader import literal
from handcalc.problem.schema import Bias, Layer, Problem

INLINE = 1000  # weights of a layer that are written into the problem itself

Values = Mapping[tuple[int, ...], float]


def with_parameters(text: str, problem: Problem, graph: Graph, values: Mapping[Cell, float]) -> str:
    """The text of a problem file that holds these values instead of its own."""
    return saved(text, problem, graph, values)[0]


def is_large(problem: Problem) -> bool:
    """Whether some weights need an archive."""
    sizes = [len(problem.inputs), *(len(layer.neurons) for layer in problem.layers)]
    return any(before * size > INLINE for before, size in zip(sizes, sizes[1:]))


def saved(
    text: str, problem: Problem, graph: Graph, values: Mapping[Cell, float], archive: str = "", moved: str = ""
) -> tuple[str, dict[str, Any]]:
    """The text, and the arrays that are to be written beside it; archive: their file, "" where all stays in the text;
    moved: the way from the new file's folder to the old one's, for the names of other files."""
    from ruamel.yaml import YAML

    from handcalc.loading.directions import written_out
    from handcalc.loading.savedlayers import put_back

    yaml = YAML()  # keeps comments, order and spelling
    yaml.preserve_quotes = True
    yaml.width = 10_000
    document = yaml.load(in_own_words(text, problem.path))
    if moved not in ("", os.curdir):
        for key in ("inputs", "samples", "data", "test", "layers"):
            if key in document:
                found = _move(document[key], moved)
                document[key] = _seen(found, moved) if key in ("data", "test") else found
    by_name = _by_name(graph, values)
    given = {quantity.name: quantity.word for quantity in graph if quantity.kind == "given" and quantity.word in problem.parameters}
    for name, word in given.items():
        _put_in_list(document["given"], word, by_name[name])
    _put_back_memory(document, problem, graph, values)
    arrays: dict[str, Any] = {}
    written = {*given}
    for number, (layer, entry) in enumerate(zip(problem.layers, written_out(document.get("layers") or ())), 1):
        written |= _dense(graph, number, layer, entry, by_name, archive, arrays) | put_back(graph, number, layer, entry, by_name)
    _check_all_are_written(problem, graph, by_name.keys() - written)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue(), arrays


def _put_in_list(found: Any, key: Any, values: Values) -> None:
    """Write numbers in the place of a number, of those of a list, or of lists in a list."""
    for place, value in values.items():
        entry, last = found, key
        for one in place:
            entry, last = entry[last], one
        entry[last] = value


def _by_name(graph: Graph, values: Mapping[Cell, float]) -> dict[str, dict[tuple[int, ...], float]]:
    """Quantity → its values by place, but for what an optimiser remembers."""
    found: dict[str, dict[tuple[int, ...], float]] = {}
    for (name, place), value in values.items():
        if graph[name].kind != "memory":
            found.setdefault(name, {})[place] = value
    return found


def _put_back_memory(document: Any, problem: Problem, graph: Graph, values: Mapping[Cell, float]) -> None:
    """What an optimiser remembers, where the problem gives some of it, so that training goes on from there."""
    found = {cell: value for cell, value in values.items() if graph[cell[0]].kind == "memory"}
    memory = {cell: int(value) if graph[cell[0]].role == "old count" else value for cell, value in found.items()}
    typed = [(given, cell) for given, cell in zip(problem.fixed, graph.fixed) if cell in memory]
    for given, cell in typed:
        value = memory.pop(cell)
        if not given.whole:
            document["given"][given.name] = value
            continue
        places = map(int, given.name.partition("[")[2].partition("]")[0].split(","))
        _put_in_list(document["given"], given.whole, {tuple(place - 1 for place in places): value})
    for cell, value in memory.items() if typed else ():
        document["given"][graph.cell_id(cell)] = value


def _check_all_are_written(problem: Problem, graph: Graph, left: set[str]) -> None:
    """A parameter that keeps its old number unsaid would be a wrong file."""
    for name in sorted(left):
        kind = problem.layers[graph[name].layer - 1].type
        raise KeyError(f"{name} of layer {graph[name].layer} ({kind}) cannot be saved: its tensor does not say under which key it stands")


def _dense(
    graph: Graph, number: int, layer: Layer, entry: Any, values: Mapping[str, Values], archive: str, arrays: dict[str, Any]
) -> set[str]:
    """Write the parameters of a dense layer, large weights as an array for the archive; answers the names of those that are written."""
    if layer.weights is None:
        return set()
    name, threshold = graph.in_layer(number, "weight"), layer.bias is not None and layer.bias.threshold
    key = "threshold" if threshold else "bias"
    bias = graph.in_layer(number, key)
    weights = _as_matrix(graph[name], values.get(name, {}))
    if archive and len(weights) > INLINE:
        arrays[name] = _array(weights, entry.get("weight_rows") == "inputs")
        entry["weights"] = {"file": archive, "array": name}
    else:
        _weights(entry, layer, weights, (len(layer.neurons), prod(axis.size for axis in graph[name].axes[1:])))
    if layer.bias is not None:
        _biases(entry, key, layer.bias, values.get(bias, {}))
    return {name, bias}


def _as_matrix(weight: Quantity, values: Values) -> Values:
    """Weights by neuron and input, inputs of several directions counted through."""
    if not weight.merged:
        return values
    sizes = [axis.size for axis in weight.axes[1:]]
    return {(unit, through(sizes, place)): value for (unit, *place), value in values.items()}


def _array(values: Values, by_input: bool) -> Any:
    import numpy

    found = numpy.zeros(tuple(max(place[axis] for place in values) + 1 for axis in (0, 1)))
    for place, value in values.items():
        found[place] = value
    return found.T if by_input else found


def _move(written: Any, moved: str) -> Any:
    """Every `{file: …}` as seen from the new file."""
    if isinstance(written, dict):
        for key, value in written.items():
            written[key] = _seen(value, moved) if key == "file" else _move(value, moved)
    elif isinstance(written, list):
        written[:] = [_move(value, moved) for value in written]
    return written


def _seen(name: Any, moved: str) -> Any:
    is_file = isinstance(name, str) and not os.path.isabs(name) and not isinstance(literal(name), Number)
    return os.path.join(moved, name).replace(os.sep, "/") if is_file else name


def _elsewhere(written: Any) -> bool:
    """Whether numbers come from another file, or are drawn."""
    return isinstance(written, dict) and any(isinstance(written.get(key), str) for key in ("file", "random"))


def _weights(entry: Any, layer: Layer, values: Values, shape: tuple[int, int]) -> None:
    if not values:
        return
    written = entry["weights"]
    if isinstance(written, dict) and not _elsewhere(written):
        _edges(written, layer.weight_names, values)
        return
    rows, columns = shape
    by_input = entry.get("weight_rows") == "inputs"
    if isinstance(written, dict):  # as a matrix from now on
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


def _edges(written: Any, names: Mapping[tuple[int, ...], str], values: Values) -> None:
    """{name: [from, to, value]} or {name: [to, value]}."""
    for place, name in names.items():
        if place in values:
            written[_key(written, name)][-1] = values[place]


def _biases(entry: Any, key: str, bias: Bias, values: Values) -> None:
    if not values:
        return
    written = entry[key]
    if isinstance(written, list):
        for place, value in values.items():
            written[place[0]] = value
    elif _elsewhere(written) or written == ZEROS:
        entry[key] = _flow([values[place] for place in sorted(values)])
    elif not isinstance(written, dict):
        entry[key] = next(iter(values.values()))
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

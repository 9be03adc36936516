"""What a table leaves out it counts: rows and cells that are shown, and those said to be missing, are all there are.

Problems are large enough that tables end early: many neurons, missing edges, many samples, recurrences, maps, optimisers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from shipping import some

from handcalc.core.derivation import Derivation
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.render import read
from handcalc.render.blocks import Heading, Message, Name, Table, Value
from handcalc.render.dialects import PLAIN
from handcalc.render.options import Options
from handcalc.render.solution import solution


def numbers(*sizes: int) -> Any:
    """Lists of these lengths inside each other."""
    return [numbers(*sizes[1:]) for _ in range(sizes[0])] if sizes else 0.25


def dense(neurons: int, inputs: int, **keys: Any) -> dict[str, Any]:
    return {"neurons": neurons, "activation": "sigmoid", "weights": numbers(neurons, inputs), "bias": numbers(neurons), **keys}


EDGES = {f"w{row}_{place}": [f"x{place}", f"h{row}", 0.5] for row in range(1, 9) for place in range(1, 9) if (row + place) % 5}
PROBLEMS: dict[str, dict[str, Any]] = {
    "many neurons": {"inputs": numbers(6), "targets": numbers(25), "layers": [dense(45, 6), dense(25, 45)]},
    "exactly as many as there is room for": {"inputs": numbers(1), "targets": numbers(20), "layers": [dense(20, 1), dense(20, 20)]},
    "missing edges": {
        "inputs": {f"x{place}": 0.1 * place for place in range(1, 9)},
        "targets": numbers(1),
        "layers": [{"neurons": [f"h{row}" for row in range(1, 9)], "weights": EDGES}, dense(1, 8)],
    },
    "thresholds": {"inputs": numbers(3), "targets": numbers(1), "layers": [dense(30, 3, bias=None, threshold=numbers(30)), dense(1, 30)]},
    "many samples": {
        "samples": [{"inputs": numbers(2), "targets": numbers(45)} for _ in range(23)],
        "layers": [dense(3, 2), dense(45, 3)],
    },
    "times": {
        "inputs": numbers(3, 2),
        "targets": numbers(3, 2),
        "layers": [
            {"type": "rnn", "neurons": 24, "input_weights": numbers(24, 2), "hidden_weights": numbers(24, 24), "bias": numbers(24)},
            dense(2, 24),
        ],
    },
    "momentum": {"inputs": numbers(30), "targets": numbers(1), "layers": [dense(1, 30)], "optimizer": {"momentum": {"momentum": 0.9}}},
    "maps": {
        "inputs": numbers(6, 6),
        "targets": numbers(2),
        "layers": [{"type": "conv2d", "weights": numbers(2, 3, 3), "bias": numbers(2)}, {"type": "flatten"}, dense(2, 32)],
    },
}  # fmt: skip


@cache
def worked(problem: str) -> Derivation:
    layers = [{key: value for key, value in layer.items() if value is not None} for layer in PROBLEMS[problem]["layers"]]
    return derive(loads(json.dumps({"learning_rate": 0.1, **PROBLEMS[problem], "layers": layers})), Rounding())


def tables(derivation: Derivation, detail: str) -> Iterator[tuple[Table, int | None]]:
    """Every table of a solution, and the time its heading tells."""
    time: int | None = None
    for block in solution(derivation, read(derivation, "", PLAIN), Options(detail=detail)):
        if isinstance(block, Heading):
            time = block.text.values["time"] if isinstance(block.text, Message) and "time" in block.text.values else None
        elif isinstance(block, Table):
            yield block, time


def there(graph: Graph, name: str, time: int | None) -> int:
    """How many cells a quantity has, at a time if one is told; of the first sample, where it has samples."""
    quantity = graph[name]
    count = 0
    for place in graph.positions(name):
        at = [axis.label(one) for axis, one in zip(quantity.axes, place) if axis.role == "time"]
        count += (time is None or at == [str(time)]) and not (quantity.sampled and place[0])
    return count


def listed(table: Table) -> set[str] | None:
    """The quantities of a table with a row for every cell."""
    names = [row[0] for row in table.rows]
    cells = all(isinstance(name, Name) and not any(isinstance(place, Index) for place in name.reference.indices) for name in names)
    return {name.reference.quantity for name in names if isinstance(name, Name)} if cells and table.rows else None


@pytest.mark.parametrize("detail", some(["brief", "normal"], ["brief"]))
@pytest.mark.parametrize("problem", some(PROBLEMS, list(PROBLEMS)[:1]))
def test_rows_shown_and_left_out_are_all(problem: str, detail: str) -> None:
    derivation = worked(problem)
    checked = 0
    for table, time in tables(derivation, detail):
        quantities = listed(table)
        if quantities is not None and len(table.columns) != 3:  # not the one row that compares the loss before and after
            wanted = sum(there(derivation.graph, name, time) for name in quantities)
            assert len(table.rows) + table.omitted == wanted, f"{quantities} at {time}: {len(table.rows)} rows and {table.omitted} more"
            checked += 1
    assert checked


@pytest.mark.slow
@pytest.mark.parametrize("detail", some(["brief", "normal"], ["brief"]))
@pytest.mark.parametrize("problem", some(PROBLEMS, list(PROBLEMS)[::2]))
def test_columns_shown_and_left_out_are_all(problem: str, detail: str) -> None:
    """A table with a row for every sample or neuron: its rows, and the cells beside each other."""
    derivation = worked(problem)
    for table, time in tables(derivation, detail):
        first, *others = table.columns
        values = [item.cell for item in table.rows[0] if isinstance(item, Value)] if table.rows else []
        if not isinstance(first, Message) or first.template not in ("sample", "neuron") or len(values) != len(others):
            continue
        quantities = {name for name, _ in values}
        if first.template == "sample":
            samples = derivation.graph[values[0][0]].axes[0].size
            assert len(table.rows) + table.omitted == samples
            assert len(values) + table.hidden == sum(there(derivation.graph, name, time) for name in quantities), f"{quantities} at {time}"
        else:
            assert {len(table.rows) + table.omitted} == {there(derivation.graph, name, time) for name in quantities}, f"{quantities}"

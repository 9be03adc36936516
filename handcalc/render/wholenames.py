"""Names of what a layer has as a whole: W2 and dW2, z1, a⁽¹⁾, δ2, ŷ, Q; and which numbers a list of such a name has.

- `whole_names(graph, quantity)` are the names, also those of the only number of a quantity;
- `listed(names, graph, …)` are the cells of a list of numbers, in the order of a reader who wrote rows.

To read another letter: its line in `LETTERS` or `OF_ROLE`.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity

LETTERS = {
    "net": ("z", "Z", "net", "s"),
    "out": ("a", "A", "out"),
    "weight": ("W", "w"),
    "bias": ("b", "B"),
    "target": ("t",),
    "input": ("x", "X"),
}
OF_LAST = (
    "y",
    "yhat",
    "ŷ",
    "Ŷ",
    "p",
    "o",
    "prediction",
    "predictions",
    "probs",
    "softmax",
    "output",
    "outputs",
    "ypred",
)  # the outputs of the network
OF_ROLE = {
    "query": ("q", "Q"), "key": ("k", "K"), "value": ("v", "V"), "score": ("s", "S", "scores", "e"),
    "attention": ("α", "a", "A", "weights"),
    "cell": ("c", "C"), "gate_g": ("g", "ctilde", "Ctilde", "chat"), "gate_n": ("n", "htilde"),
    **{f"gate_{letter}": (letter,) for letter in "ifozr"}, "exp": ("exp", "e"), "normalised": ("xhat",),
}  # fmt: skip

# kind, role, and whether it is the recurrent layer's → letters, as in h_t = f(U·x_t + W·h_t-1 + b), y_t = V·h_t + c
OF_RECURRENCE = {
    ("weight", "x", True): ("U", "Wxh"), ("weight", "h", True): ("W", "Whh"), ("bias", "", True): ("b", "bh"),
    ("weight", "", False): ("V", "Why"), ("bias", "", False): ("c", "by"),
}  # fmt: skip


def whole_names(graph: Graph, quantity: Quantity) -> Iterator[str]:
    """What a quantity is called as a whole, at no time and sample."""
    if quantity.stage or quantity.role == "second":
        return
    if quantity.of is None or quantity.through is not None:
        yield from _own(graph, quantity)
        return
    base = graph[quantity.of.quantity]
    for name in whole_names(graph, base):
        if quantity.kind == "gradient":
            yield from (f"d{name}", f"dE/d{name}", f"grad{name}", f"∇{name}")
        elif quantity.kind == "updated":
            yield f"{name}+"
        elif quantity.kind == "change":
            yield from (f"Δ{name}", f"delta{name}")
        elif quantity.kind == "local" and base.kind == "out" and name[:1] == "a":
            yield from (f"{function}'({letter}{name[1:]})" for function in ("σ", "f", "g") for letter in ("z", "net"))
    if quantity.kind == "gradient" and base.kind == "net":
        yield from (f"δ{ending}" for ending in _endings(graph, base))


def _own(graph: Graph, quantity: Quantity) -> Iterator[str]:
    if quantity.kind == "local" or quantity.kind == "path":
        return
    yield quantity.name
    letters = OF_ROLE.get(quantity.role, () if quantity.role else LETTERS.get(quantity.kind, ()))
    for ending in _endings(graph, quantity):
        yield from (letter + ending for letter in letters)
    if quantity.kind == "out" and not quantity.role:
        outs = [other for other in graph if other.kind == "out" and other.of is None and not other.stage and not other.role]
        if quantity is outs[-1]:
            yield from OF_LAST
        else:
            place = outs.index(quantity) + 1
            yield from (f"h{place}", f"h({place})", *(("h", "H", "hidden") if len(outs) == 2 else ()))
    if quantity.kind == "weight" and quantity.role:
        yield from (f"W{quantity.role}", f"W{quantity.role.upper()}")
    recurrent = {other.layer for other in graph if other.kind == "weight" and other.role == "h"}
    if len(recurrent) == 1 and quantity.layer:
        yield from OF_RECURRENCE.get((quantity.kind, quantity.role, quantity.layer in recurrent), ())


def _endings(graph: Graph, quantity: Quantity) -> tuple[str, ...]:
    """What stands behind a letter: the number of the layer; nothing, where there is one."""
    alike = [
        other for other in graph if (other.kind, other.role, other.of is None, other.stage) == (quantity.kind, quantity.role, True, "")
    ]
    number = quantity.layer
    numbered = (str(number), f"({number})", f"[{number}]") if number else ()
    return ("", *numbered) if len(alike) == 1 else numbered


def listed(graph: Graph, quantity: Quantity, shape: tuple[int, ...], sources: bool) -> tuple[Cell, ...]:
    """The cells of a quantity in the order of a list of numbers of this shape; () where it has another. sources: of a weight, the notation
    has a row for each source."""
    cells = [(quantity.name, place) for place in sorted(graph.positions(quantity.name))]
    sizes = [len({place[axis] for _, place in cells}) for axis in range(len(quantity.axes))]
    sizes = [size for size in sizes if size > 1]
    if len(shape) == 1:
        return tuple(cells) if shape[0] == len(cells) else ()
    if len(sizes) != 2 or shape[0] * shape[1] != len(cells) or sorted(shape) != sorted(sizes):
        return ()
    turned = sources if sizes[0] == sizes[1] else [*shape] != sizes
    if not turned:
        return tuple(cells)
    columns = sizes[1]
    return tuple(cells[row * columns + column] for column in range(columns) for row in range(sizes[0]))

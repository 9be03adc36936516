"""Names that are usual whatever the notation: z_h1 and a_h1 of a neuron, ŷ of the only output, dw5 of a gradient, h_2 of a state.

They are read where a name means nothing in the notation of a problem. To add one: a line in `usual_names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity
from handcalc.render.wholenames import OF_ROLE, whole_names

OF_LOSS = (
    "Loss", "Cost", "cost", "Error", "error", "L", "J", "C", "C0", "CE", "BCE", "MSE", "SSE", "loss", "Total error", "total loss",
    "total error", "cross entropy", "cross-entropy", "损失", "误差", "代价", "总误差", "总损失", "损失函数", "代价函数",
)  # fmt: skip
OF_ERROR = ("e", "error", "err", "误差")
OF_RATE = ("lr", "learning rate", "alpha", "学习率", "步长")
OF_ONE = {"net": ("z", "net"), "out": ("a", "out")}  # kind → letters and words of a neuron
STATES = {  # role → letters, of a recurrent layer
    "cell": ("c", "C"),
    **{f"gate_{letter}": (letter,) for letter in "iforz"},
    "gate_g": ("g", "ctilde", "Ctilde"),
    "gate_n": ("n", "htilde"),
}
ROLES = {"moment1": "m", "moment2": "v", "corrected1": "mhat", "corrected2": "vhat", "velocity": "v"}  # of what an optimiser remembers


def usual_names(graph: Graph, quantity: Quantity, cell: Cell) -> Iterator[str]:
    """What a cell may be called, without its sample and its time."""
    if quantity.stage:
        return
    core, of = graph.core(cell), quantity.of
    if of is None:
        yield from OF_LOSS if quantity.kind == "loss" else OF_RATE if quantity.kind == "rate" else ()
        if quantity.kind == "target":
            yield from (f"{letter}{number}" for letter in ("t", "target") for number in _number(cell, quantity))
        for word in OF_ONE.get(quantity.kind, ()):
            yield word + core
            yield from (word,) if _is_only(graph, quantity) else ()
            yield from (word + str(number) for number in _counted(graph, quantity, cell))
        if quantity.kind == "error":
            numbers = [""] if _is_only_unit(quantity) else _number(cell, quantity)
            yield from (f"{word}{number}" for word in OF_ERROR for number in numbers)
        if quantity.kind == "out" and quantity is _outs(graph)[-1]:
            yield from ("yhat", "ŷ") if _is_only_unit(quantity) else _of_place(cell, quantity)
        if quantity.kind in ("net", "out") and core[:1].isalpha():
            yield from _of_neuron(graph, quantity, core)
        if quantity.kind == "part" and not quantity.role.startswith("net"):
            yield from _of_part(quantity, cell)
    elif quantity.kind == "gradient" and quantity.role != "second":
        base = graph.at(of, cell)
        kind = graph[base[0]].kind
        yield from (f"d{letter}{graph.core(base)}" for letter in (("z",) if kind == "net" else ("",)))
        if kind == "net":
            yield from (f"delta({graph.core(base)})", *(("delta", "dz") if _is_only(graph, graph[base[0]]) else ()))
            yield from (f"δ{number}" for number in _counted(graph, graph[base[0]], base))
        else:
            yield f"grad({graph.core(base)})"
        if kind == "given" and sum(other.kind == "updated" and not other.stage for other in graph) == 1 and graph.updated(base[0]):
            yield from ("g", "grad", "gradient", "梯度", f"f'({graph.core(base)})", "f'")
    elif quantity.kind == "local" and graph[of.quantity].kind == "out":
        core = graph.core(graph.at(of, cell))
        yield from (
            f"{function}'({net}{core})" for function in ("σ", "f", "g", "sigma", "sigmoid", "tanh", "ReLU", "relu") for net in ("net", "z")
        )
    elif quantity.role in ROLES:
        letter = ROLES[quantity.role]
        yield f"{letter}{graph.core(graph.at(of, cell))}"
        if _is_only_unit(quantity) and sum(other.role == quantity.role for other in graph) == 1:
            yield from (letter, f"{letter}1", f"{letter}t", f"{letter}(1)")
    if quantity.kind == "updated" and of is not None and graph[of.quantity].kind == "given":
        yield from (f"{graph.core(graph.at(of, cell))}{ending}" for ending in ("1", "(1)"))
    if _is_only_unit(quantity) and not quantity.sampled and not any(axis.role == "time" for axis in quantity.axes):
        yield from whole_names(graph, quantity)


def timed_names(graph: Graph, quantity: Quantity, cell: Cell) -> Iterator[str]:
    """What a number of a recurrent layer of one unit may be called with its time: h_2, c(2), i⟨2⟩, E_2; and of samples of one
    output: ŷ_2."""
    along = [(axis.role, place + axis.first) for axis, place in zip(quantity.axes, cell[1]) if axis.role in ("time", "sample")]
    if quantity.stage or quantity.of is not None or len(along) != 1 or not _is_only_unit(quantity):
        return
    role, number = along[0]
    outs = _outs(graph)
    if role == "time" and quantity.kind == "loss_term":
        letters: tuple[str, ...] = ("E", "L", "J", "loss", "error")
    elif role == "time":
        letters = STATES.get(quantity.role, ("h",) if quantity is outs[0] else ("y",) if quantity is outs[-1] else ())
    else:
        letters = ("y", "ŷ", "yhat") if quantity is outs[-1] else ("e",) if quantity.kind == "error" else ()
    for letter in letters:
        yield from (f"{letter}{ending}" for ending in _timed(number))


def _timed(number: int) -> tuple[str, ...]:
    return (f"{number}", f"({number})", f"<{number}>", f"[{number}]", f"t{number}", f"@t{number}", f"[t={number}]")


def _outs(graph: Graph) -> list[Quantity]:
    """What layers give, in their order."""
    return [quantity for quantity in graph if quantity.kind == "out" and quantity.of is None and not quantity.stage]


def _is_only_unit(quantity: Quantity) -> bool:
    """Whether a quantity has one number at each sample and time."""
    return all(axis.size == 1 or axis.role in ("sample", "time") for axis in quantity.axes)


def _counted(graph: Graph, quantity: Quantity, cell: Cell) -> Iterator[int]:
    """The number of a neuron of the only layer, or where one output follows a hidden layer, of a neuron counted from the inputs on."""
    layers = [other for other in graph if other.kind == quantity.kind and other.of is None and not other.stage]
    if len(layers) > 2 or not _is_only_unit(layers[-1]) and len(layers) == 2:
        return
    before = sum(axis.size for axis in layers[0].axes if axis.role == "unit") if quantity is not layers[0] else 0
    yield from (before + number for number in _number(cell, quantity))


def _is_only(graph: Graph, quantity: Quantity) -> bool:
    """Whether the network has one neuron."""
    return _is_only_unit(quantity) and sum(other.kind == quantity.kind and not other.stage and other.of is None for other in graph) == 1


FUNCTIONS = ("σ", "f", "g", "sigmoid", "sigma", "tanh", "ReLU", "relu", "softmax", "Softmax")


def _of_neuron(graph: Graph, quantity: Quantity, core: str) -> Iterator[str]:
    """net(h1), h1_in, σ(net_h1)."""
    if quantity.kind == "net":
        yield from (f"net({core})", f"in({core})", f"in{core}", f"{core}in", f"{core}net", f"net{core}", f"z({core})")
        return
    yield from (f"out({core})", f"{core}out", f"output{core}", f"a({core})")
    for function in FUNCTIONS:
        yield from (f"{function}({inner}{core})" for inner in ("net", "z", "in"))


def _of_place(cell: Cell, quantity: Quantity) -> Iterator[str]:
    """An output by its number: p_1, ŷ_1, y_hat_1."""
    spelled = (("p", ""), ("ŷ", ""), ("yhat", ""), ("y", "hat"), ("softmax(z", ")"))
    yield from (f"{letter}{number}{behind}" for letter, behind in spelled for number in _number(cell, quantity))


def _number(cell: Cell, quantity: Quantity) -> Iterator[int]:
    """The number of an output, where it has one only."""
    numbers = [place + 1 for axis, place in zip(quantity.axes, cell[1]) if axis.role not in ("sample", "time")]
    yield from numbers if len(numbers) == 1 else ()


def _of_part(quantity: Quantity, cell: Cell) -> Iterator[str]:
    """A number of attention by its place: q_12, Q_1,2."""
    numbers = [str(place + axis.first) for axis, place in zip(quantity.axes, cell[1])]
    for letter in OF_ROLE.get(quantity.role, ()):
        yield from (letter + between.join(numbers) for between in ("", ","))

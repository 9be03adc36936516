"""Law 3: gradients against central differences, for every shipped problem, random networks and other graphs. See also
test_chainrule_general.py."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from networks import NETWORKS, Network
from oracles import central, close, law
from shipping import loaded, some

from handcalc.core.chainrule import add_gradients
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Entry, Expr, Number, Ref, add, call, mul, number, power, sub, total
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index, Position, position
from handcalc.core.instance import evaluate
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads, shipped
from handcalc.models import build

# --- comparing --------------------------------------------------------------------------------------------------------


def objective(graph: Graph, quantity: Quantity, place: tuple[int, ...], whole: str) -> Cell:
    """What a gradient cell is a gradient of: its own sample's loss, or the loss (also where an output depends on other samples)."""
    own = quantity.sampled and whole + "@" in graph and "grad." + whole not in graph
    return (whole + "@", place[:1]) if own else (whole, ())


def slope(graph: Graph, goal: Cell, base: Cell, value: float) -> float:
    """∂goal/∂base by central differences, the graph evaluated with that cell replaced."""
    return central(lambda x: float(Evaluation(graph, replaced={base: x})[goal]), value)


def gradients(graph: Graph) -> Iterator[tuple[Quantity, tuple[int, ...], Cell]]:
    """(gradient, its place, the cell it is the gradient of), all of them."""
    for quantity in list(graph):
        if quantity.kind == "gradient" and quantity.of is not None and quantity.role != "second":
            for place in graph.positions(quantity.name):
                yield quantity, place, graph.at(quantity.of, (quantity.name, place))


def check_gradients(graph: Graph, whole: str = "loss", tolerance: float = 1e-7) -> int:
    """Every gradient of the graph equals the central difference; answers how many there were."""
    evaluation, count = Evaluation(graph), 0
    for quantity, place, base in gradients(graph):
        goal = objective(graph, quantity, place, whole)
        got, expected = float(evaluation[quantity.name, place]), slope(graph, goal, base, float(evaluation[base]))
        assert close(got, expected, tolerance), f"{graph.cell_id((quantity.name, place))}: got {got}, expected {expected}"
        count += 1
    return count


# --- shipped problems -------------------------------------------------------------------------------------------------


def comparable() -> list[str]:
    """Shipped problems with something to minimise, at full precision, with the chain rule as it is, and results that are worked out."""
    found = []
    for name in shipped():
        problem = loaded(name)
        minimised = problem.minimize or (problem.loss is not None and problem.loss.form != "direct")
        carried = problem.rounding is not None and problem.rounding.carry
        results = any(derive(problem).graph[name].kind != "memory" for name, _ in derive(problem).graph.fixed) if problem.fixed else False
        if minimised and not carried and not results and problem.conventions.hidden_error_weights == "old":
            found.append(name)
    return found


COMPARABLE = comparable()


def test_most_shipped_problems_are_compared() -> None:
    assert {"mazur-2-2-2", "softmax-cross-entropy", "zhou-four-people", "micrograd-readme", "custom-formulas"} <= set(COMPARABLE)


@pytest.mark.parametrize("name", COMPARABLE)
def test_gradients_of_shipped_problems(name: str) -> None:
    problem = load(name)
    assert check_gradients(build(problem).graph, problem.minimize or "loss", 1e-6) > 0


@pytest.mark.parametrize("name", COMPARABLE)
def test_contributions_add_up(name: str) -> None:
    """The paths of every gradient, upstream times local, sum to it."""
    derivation = derive(load(name))
    for step in derivation.steps():
        if step.contributions:
            got = math.fsum(part.value for part in step.contributions)
            assert close(got, float(step.value), 1e-12), f"{step.id}: contributions {got}, value {step.value}"


@pytest.mark.parametrize("name", COMPARABLE)
def test_contributions_are_upstream_times_local(name: str) -> None:
    """Local is the consumer's own slope, with everything else that it uses held."""
    derivation = derive(load(name))
    graph, evaluation = derivation.graph, derivation.evaluation
    for step in derivation.steps():
        of = graph[step.cell[0]].of
        for part in step.contributions:
            assert of is not None
            expected = own_slope(evaluation, graph.at_once.instance(part.through), Ref(*graph.at(of, step.cell)))
            local = float(evaluation.of(part.local))
            noise = 1e4 * math.ulp(float(evaluation[part.through]))  # a masked score is −1e9
            assert close(local, expected, max(1e-6, noise)), f"{step.id} through {part.through}: local {local}, expected {expected}"


def own_slope(evaluation: Evaluation, formula: Expr, base: Ref) -> float:
    """∂formula/∂base by central differences, with every other cell held."""

    def formula_at(x: float) -> float:
        return float(evaluate(formula, lambda ref: x if ref == base else evaluation[cell(ref)]))

    return central(formula_at, float(evaluation[cell(base)]))


# --- random networks --------------------------------------------------------------------------------------------------


@given(NETWORKS)
@law(120)
def test_random_networks_match_numpy(network: Network) -> None:
    expected = network.gradients()
    text = network.yaml()
    model = build(loads(text))
    evaluation = Evaluation(model.graph)
    for (name, place), value in expected.items():
        got = float(evaluation[f"grad.{name}", place]) if f"grad.{name}" in model.graph else 0.0
        assert close(got, value, 1e-10), f"{text}\ngrad.{name}{place}: got {got}, expected {value}"
    parameters = [quantity.name for quantity in model.graph if quantity.kind in ("weight", "bias", "threshold")]
    assert {(name, place) for name in parameters for place in model.graph.positions(name)} == set(expected), text


@pytest.mark.slow
@given(NETWORKS)
@law(40)
def test_random_networks_match_central_differences(network: Network) -> None:
    assume(network.margin() > 0.02)
    assert check_gradients(build(loads(network.yaml())).graph) > 0


# --- graphs that are no dense networks ----------------------------------------------------------------------------------


def data(graph: Graph, name: str, kind: str, *sizes: int, role: str = "row", phase: float = 0.0) -> None:
    """Given numbers 0.1 … with two decimals, neither regular nor random."""
    axes = tuple(Axis(role, size) for size in sizes)
    letters = tuple(Index("abcdef"[place], axis) for place, axis in enumerate(axes))

    def value(place: tuple[int, ...]) -> Number:
        angle = phase + sum((3 * depth + 2) * part for depth, part in enumerate(place))
        return number(f"{0.6 * math.sin(1.3 * angle + 0.7) + 0.1:.2f}")

    graph.given(Quantity(name, kind, axes, letters, givens=value))


def at(name: str, *places: Position) -> Ref:
    return Ref(name, places)


def plus(*parts: Position | tuple[int, Index]) -> Position:
    """r + u − 1 and the like: indices, (coefficient, index), a constant."""
    terms: dict[Index, int] = {}
    constant = 0
    for part in parts:
        if isinstance(part, int):
            constant += part
        else:
            coefficient, index = part if isinstance(part, tuple) else (1, part)
            assert isinstance(index, Index)
            terms[index] = coefficient
    return position(terms, constant)


def squared_loss(graph: Graph, name: str, *index: Index) -> None:
    """½ of the sum of squares of a quantity."""
    body: Expr = mul(Number(1, 2), power(at(name, *index), number(2)))
    for letter in reversed(index):
        body = total(letter, body)
    graph.define(Quantity("loss", "loss", definition=body, names={(): ""}))


def convolution(stride: int = 1, padding: int = 0, dilation: int = 1) -> Graph:
    """y[r] = tanh(Σ_u k[u]·x[s·r + d·u − p] + b)"""
    graph, size, width = Graph(), 7, 3
    data(graph, "x", "input", size)
    data(graph, "k", "weight", width, phase=1)
    data(graph, "b", "bias")
    r = Index("r", Axis("row", (size + 2 * padding - dilation * (width - 1) - 1) // stride + 1))
    u = Index("u", Axis("row", width))
    window = total(u, mul(at("k", u), at("x", plus((stride, r), (dilation, u), -padding))))
    graph.define(Quantity("net", "net", (r.axis,), (r,), add(window, Ref("b"))))
    graph.define(Quantity("out", "out", (r.axis,), (r,), call("tanh", at("net", r))))
    squared_loss(graph, "out", r)
    return graph


def convolution_2d(padding: int = 0) -> Graph:
    """y[o,r,c] = Σ_i Σ_u Σ_v k[o,i,u,v]·x[i, r + u − p, c + v − p] + b[o], then the product of neighbours in r"""
    graph = Graph()
    data(graph, "x", "input", 2, 4, 3)
    data(graph, "k", "weight", 2, 2, 2, 2, phase=1)
    data(graph, "b", "bias", 2)
    channel, source = Axis("channel", 2), Index("i", Axis("channel", 2))
    o, r, c = Index("o", channel), Index("r", Axis("row", 3 + 2 * padding)), Index("c", Axis("column", 2 + 2 * padding))
    u, v = Index("u", Axis("row", 2)), Index("v", Axis("column", 2))
    term = mul(at("k", o, source, u, v), at("x", source, plus(r, u, -padding), plus(c, v, -padding)))
    axes, index = (channel, r.axis, c.axis), (o, r, c)
    graph.define(Quantity("net", "net", axes, index, add(total(source, total(u, total(v, term))), at("b", o))))
    graph.define(Quantity("out", "out", axes, index, mul(at("net", o, r, c), call("sigmoid", at("net", o, plus(r, 1), c)))))
    squared_loss(graph, "out", o, r, c)
    return graph


def recurrence() -> Graph:
    """h[t] = tanh(w·h[t−1] + v·x[t] + b), h[−1] = 0; the loss is on every state"""
    graph = Graph()
    data(graph, "x", "input", 5)
    for place, name in enumerate(("w", "v", "b")):
        data(graph, name, "weight", phase=place)
    t = Index("t", Axis("time", 5))
    inside = add(mul(Ref("w"), at("h", plus(t, -1))), mul(Ref("v"), at("x", t)), Ref("b"))
    graph.define(Quantity("h", "variable", (t.axis,), (t,), call("tanh", inside)))
    squared_loss(graph, "h", t)
    return graph


def recurrence_in_two_steps() -> Graph:
    """net[t] = w·out[t−1] + v·x[t], out[t] = tanh(net[t]): two quantities that use each other"""
    graph = Graph()
    data(graph, "x", "input", 4)
    data(graph, "w", "weight")
    data(graph, "v", "weight", phase=1)
    t = Index("t", Axis("time", 4))
    graph.define(Quantity("net", "net", (t.axis,), (t,), add(mul(Ref("w"), at("out", plus(t, -1))), mul(Ref("v"), at("x", t)))))
    graph.define(Quantity("out", "out", (t.axis,), (t,), call("tanh", at("net", t))))
    squared_loss(graph, "out", t)
    return graph


def recurrent_layer() -> Graph:
    """h[t,j] = tanh(Σ_k W[j,k]·h[t−1,k] + x[t,j]): the state is summed over another index than its own"""
    graph = Graph()
    data(graph, "x", "input", 3, 2)
    data(graph, "W", "weight", 2, 2, phase=1)
    t, j, k = Index("t", Axis("time", 3)), Index("j", Axis("unit", 2)), Index("k", Axis("unit", 2))
    inside = add(total(k, mul(at("W", j, k), at("h", plus(t, -1), k))), at("x", t, j))
    graph.define(Quantity("h", "variable", (t.axis, j.axis), (t, j), call("tanh", inside)))
    squared_loss(graph, "h", t, j)
    return graph


def attention() -> Graph:
    """y[i,d] = Σ_j softmax_j(Σ_e q[i,e]·k[j,e])·x[j,d], q and k being linear in the same x"""
    graph = Graph()
    data(graph, "x", "input", 3, 2)
    data(graph, "Q", "weight", 2, 2, phase=1)
    data(graph, "K", "weight", 2, 2, phase=2)
    token, feature = Axis("token", 3), Axis("unit", 2)
    i, j, m = (Index(letter, token) for letter in "ijm")
    d, e = Index("d", feature), Index("e", feature)
    graph.define(Quantity("q", "net", (token, feature), (i, e), total(d, mul(at("Q", e, d), at("x", i, d)))))
    graph.define(Quantity("k", "net", (token, feature), (j, e), total(d, mul(at("K", e, d), at("x", j, d)))))
    graph.define(Quantity("s", "net", (token, token), (i, j), total(e, mul(at("q", i, e), at("k", j, e)))))
    graph.define(Quantity("a", "out", (token, token), (i, j), Entry("softmax", j, m, at("s", i, m))))
    graph.define(Quantity("y", "variable", (token, feature), (i, d), total(j, mul(at("a", i, j), at("x", j, d)))))
    squared_loss(graph, "y", i, d)
    return graph


def pooling() -> Graph:
    """y[r] = max(x[2r], x[2r+1])·x[4−r]: two ways of using one cell, backwards as well"""
    graph = Graph()
    data(graph, "x", "weight", 6)
    r = Index("r", Axis("row", 3))
    largest = call("max", at("x", plus((2, r))), at("x", plus((2, r), 1)))
    graph.define(Quantity("y", "variable", (r.axis,), (r,), mul(largest, at("x", plus((-1, r), 4)))))
    squared_loss(graph, "y", r)
    return graph


def shared_twice() -> Graph:
    """y = (Σ_i x_i·a_i)² + Σ_i x_i³, x and a used by several quantities"""
    graph = Graph()
    data(graph, "x", "weight", 3)
    data(graph, "a", "weight", 3, phase=1)
    i = Index("i", Axis("row", 3))
    graph.define(Quantity("p", "variable", definition=total(i, mul(at("x", i), at("a", i)))))
    graph.define(Quantity("c", "variable", definition=total(i, power(at("x", i), number(3)))))
    graph.define(Quantity("y", "variable", definition=sub(power(Ref("p"), number(2)), mul(Ref("c"), Ref("p")))))
    squared_loss(graph, "y")
    return graph


def normalisation() -> Graph:
    """y[i] = x[i]/√(Σ_k x[k]²): a cell and the sum it is part of"""
    graph = Graph()
    data(graph, "x", "weight", 3)
    i, k = Index("i", Axis("unit", 3)), Index("k", Axis("unit", 3))
    length = call("sqrt", total(k, power(at("x", k), number(2))))
    graph.define(Quantity("n", "variable", definition=length))
    graph.define(Quantity("y", "variable", (i.axis,), (i,), mul(at("x", i), power(Ref("n"), number(-1)))))
    graph.define(Quantity("loss", "loss", definition=total(i, power(sub(at("y", i), number("0.3")), number(2))), names={(): ""}))
    return graph


def two_totals() -> Graph:
    """E = (Σ_i x_i)·(Σ_i x_i²): one letter in two sums of a definition"""
    graph = Graph()
    data(graph, "x", "weight", 3)
    i = Index("i", Axis("row", 3))
    graph.define(Quantity("loss", "loss", definition=mul(total(i, at("x", i)), total(i, power(at("x", i), number(2)))), names={(): ""}))
    return graph


GRAPHS = {
    "convolution": convolution,
    "convolution with padding": lambda: convolution(padding=1),
    "convolution with stride 2": lambda: convolution(stride=2),
    "convolution with stride 3 and padding 2": lambda: convolution(stride=3, padding=2),
    "dilated convolution": lambda: convolution(dilation=2),
    "convolution in 2-D": convolution_2d,
    "convolution in 2-D with padding": lambda: convolution_2d(1),
    "recurrence": recurrence,
    "recurrence in two steps": recurrence_in_two_steps,
    "recurrent layer": recurrent_layer,
    "attention": attention,
    "pooling": pooling,
    "shared twice": shared_twice,
    "normalisation": normalisation,
    "two totals": two_totals,
}


@pytest.mark.parametrize("case", some(GRAPHS, list(GRAPHS)[::7]))
def test_gradients_of_other_graphs(case: str) -> None:
    """Nothing in the chain rule knows layers: definitions over shifted and summed indices are enough."""
    graph = GRAPHS[case]()
    add_gradients(graph, "loss")
    assert check_gradients(graph) > 1

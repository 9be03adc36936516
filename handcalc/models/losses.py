"""Errors and losses: from outputs and targets to one number E.

- `add_loss` defines targets, loss terms, the loss of one sample and, with several samples, their reduction; the loss with its
  penalties (penalties.py); and the loss that is only reported.

Shapes: targets and loss terms (sample, unit), the loss of a sample (sample), the loss (). The formulas themselves are
in problem/words.py (LOSSES) or were typed by the user; the fused form of softmax and cross-entropy is
E = ln Σ_k e^{net_k} − Σ_k t_k·net_k for targets that sum to 1, whose derivative is out − t. Source: the log-sum-exp
form of frameworks, such as PyTorch's CrossEntropyLoss.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from handcalc.core.expr import ONE, Entry, Expr, Number, Quotient, Ref, add, mul, neg, power, reindex, rewrite, sub, total
from handcalc.core.graph import Graph
from handcalc.core.index import Index, affine
from handcalc.core.quantity import Letter, Quantity
from handcalc.layers.site import places, sample_index, totals
from handcalc.layers.softmax import log_sum
from handcalc.models.penalties import add_penalties
from handcalc.problem.dataset import givens, have_targets, sum_to_one
from handcalc.problem.schema import Loss, Problem

LETTERS = {"smoothing": Letter("ε", "s"), "class_weight": Letter("c")}  # numbers that go with a loss


def add_loss(graph: Graph, problem: Problem, output: Ref) -> str:
    """Define everything from the outputs to the loss; answers the quantity whose gradients are wanted ("" if none)."""
    known = have_targets(problem.samples)
    if problem.loss is None or problem.loss.compares and not known:
        return ""
    index = tuple(i for place in output.indices for _, i in affine(place).terms)
    axes = tuple(i.axis for i in index)
    if known:
        values = givens(problem.samples, "targets", tuple(axis.size for axis in axes if axis.role != "sample"), problem.batch)
        graph.given(Quantity("t", "target", axes, index, givens=values, prefix="target"))
    target = Ref("t", index)
    if problem.loss.form == "direct":
        graph.define(Quantity("err", "error", axes, index, sub(target, output), prefix="err", layer=len(problem.layers)))
        return "err"
    formula = _sample_loss(graph, problem, problem.loss, output, target, index)
    objective = _reduced(graph, problem, formula, _by_steps(graph, output, formula))
    if problem.reported is not None:
        _add_reported(graph, problem, problem.reported, output, target, index)
    return objective


def _add_reported(graph: Graph, problem: Problem, loss: Loss, output: Ref, target: Ref, index: tuple[Index, ...]) -> None:
    """The loss that is worked out beside the one that is minimised, of each sample and reduced like it; no gradient goes through it."""
    sample = sample_index(problem)
    own = index[len(sample) :]
    assert loss.term is not None
    formula = totals(own, _placed(loss.term, {"o": output, "t": target}))
    formula = _averaged(loss, own, formula)
    name, letter = "reported_loss", Letter("", "reported")
    if sample:
        each = Quantity(f"{name}@", "loss", (sample[0].axis,), sample, formula, prefix=name, role="each reported", letter=letter)
        formula = mul(sample_share(problem), total(sample[0], Ref(graph.define(each).name, sample)))
    graph.define(Quantity(name, "loss", definition=formula, names={(): ""}, prefix=name, role="reported", letter=letter))


def _sample_loss(graph: Graph, problem: Problem, loss: Loss, output: Ref, target: Ref, index: tuple[Index, ...]) -> Expr:
    """The loss of one sample as an expression, its terms as quantities."""
    unit = index[-1]
    axes = tuple(i.axis for i in index)
    last = len(problem.layers)
    own = index[len(sample_index(problem)) :]
    values = {"o": output, "t": _wanted(graph, problem, loss, target, index)}
    if loss.form == "fused" or (
        problem.conventions.softmax_loss == "fused" and loss.name in ("cross_entropy", "mean_cross_entropy") and _is_softmax(graph, output)
    ):
        softmax = graph[output.quantity].definition
        assert isinstance(softmax, Entry)
        net = reindex(softmax.body, {softmax.index.letter: unit})
        whole: Expr = Entry("logsumexp", -1, softmax.index, softmax.body)
        if loss.weights or not sum_to_one(problem.samples, unit.axis.size):
            whole = mul(total(unit, values["t"]), whole)
        return _averaged(loss, own, totals(own[:-1], sub(whole, total(unit, mul(values["t"], net)))))
    assert loss.term is not None
    if loss.form == "whole":
        return _placed(loss.term, _add_sums(graph, loss, values, index, own))
    if loss.sums:
        values |= _add_sums(graph, loss, values, index, own[-1:])
    term = _placed(loss.term, values)
    graph.define(Quantity("loss_term", "loss_term", axes, index, term, prefix="loss", layer=last))
    return _averaged(loss, own, totals(own, Ref("loss_term", index)))


def _averaged(loss: Loss, own: tuple[Index, ...], whole: Expr) -> Expr:
    """The sum of all terms, or their mean over the outputs, or over the places of each of which the outputs are summed."""
    over = own if loss.mean else own[:-1] if loss.placewise else ()
    return mul(_share(prod(i.axis.size for i in over)), whole)


def _wanted(graph: Graph, problem: Problem, loss: Loss, target: Ref, index: tuple[Index, ...]) -> Expr:
    """What a loss takes for the target: smoothed, times the weight of its class."""
    unit, last = index[-1], len(problem.layers)
    wanted: Expr = target
    if loss.target is not None:
        numbers = {name: _hyper(graph, name, (), {(): value}) for name, value in loss.numbers.items()}
        smoothed = _placed(loss.target, {**numbers, "t": target, "n": Number(unit.axis.size)})
        axes = tuple(i.axis for i in index)
        graph.define(
            Quantity("smoothed", "loss_term", axes, index, smoothed, prefix="smoothed", layer=last, role="smoothed", letter=Letter("s"))
        )
        wanted = Ref("smoothed", index)
    if loss.weights:
        weights: dict[tuple[int, ...], Number] = {(place,): weight for place, weight in enumerate(loss.weights)}
        wanted = mul(_hyper(graph, "class_weight", (unit,), weights), wanted)
    return wanted


def _hyper(graph: Graph, role: str, index: tuple[Index, ...], givens: Mapping[tuple[int, ...], Number]) -> Ref:
    """A number that goes with the loss, or one for each output."""
    axes = tuple(i.axis for i in index)
    graph.given(Quantity(role, "hyper", axes, index, givens=givens.get, prefix=role * bool(index), role=role, letter=LETTERS[role]))
    return Ref(role, index)


def _add_sums(graph: Graph, loss: Loss, values: Mapping[str, Expr], index: tuple[Index, ...], own: tuple[Index, ...]) -> dict[str, Expr]:
    """Define sums over outputs that the formula of a loss has names for; answers the references to them."""
    sample = index[: len(index) - len(own)]
    axes = tuple(i.axis for i in sample)
    for part in loss.sums:
        whole = _placed(part.whole, {"s": totals(own, _placed(part.term, values))})
        names = dict.fromkeys(places(axes), part.name)
        called = Quantity(part.name, "loss_term", axes, sample, whole, prefix="loss", names=names, role=part.name, letter=Letter(part.name))
        graph.define(called)
    return {part.name: Ref(part.name, sample) for part in loss.sums}


def _placed(formula: Expr, values: Mapping[str, Expr]) -> Expr:
    """A formula with expressions in the place of its names."""
    return rewrite(formula, lambda node: values[node.quantity] if isinstance(node, Ref) else None)


def _is_softmax(graph: Graph, output: Ref) -> bool:
    definition = graph[output.quantity].definition
    return isinstance(definition, Entry) and definition.function == "softmax"


def _by_steps(graph: Graph, output: Ref, formula: Expr) -> Expr | None:
    """A loss with the sum of the powers of softmax by its name, where it is worked out for the outputs: ln sum."""
    steps = graph[output.quantity].stepwise
    if not isinstance(steps, Quotient):
        return None
    logarithm = log_sum(graph, graph[output.quantity].layer, steps)
    changed = rewrite(formula, lambda node: logarithm if isinstance(node, Entry) and node.function == "logsumexp" else None)
    return None if changed == formula else changed


def _share(count: int) -> Number:
    return ONE if count == 1 else Number(1, count)


def _reduced(graph: Graph, problem: Problem, formula: Expr, stepwise: Expr | None) -> str:
    """The loss of one sample, over several samples their mean or sum, and with penalties what they add to it."""
    sample = sample_index(problem)
    of_data = None if problem.regularization is None else Letter("", "data")
    if sample:
        axes = tuple(i.axis for i in sample)
        graph.define(Quantity("loss@", "loss", axes, sample, formula, prefix="loss", role="each", letter=of_data, stepwise=stepwise))
        stepwise = None
        formula = mul(sample_share(problem), total(sample[0], Ref("loss@", sample)))
    if of_data is not None:
        data = Quantity("data_loss", "loss", definition=formula, names={(): "data_loss"}, role="data", letter=of_data, stepwise=stepwise)
        graph.define(data)
        stepwise = None
        formula = add(Ref("data_loss"), *add_penalties(graph, problem))
    graph.define(Quantity("loss", "loss", definition=formula, names={(): ""}, prefix="loss", stepwise=stepwise))
    return "loss@" if sample else "loss"


def direct_gradient(graph: Graph, start: Quantity) -> Expr:
    """`error: direct`: the delta rule starts from ∂E/∂out = −(t − o), no loss being given."""
    return neg(Ref(graph.errors, start.index))


def squared_errors(graph: Graph) -> str:
    """½ Σ (t − o)² over all outputs and samples: what is watched in training where no loss is given; answers its name."""
    error = graph[graph.errors]
    watched: Expr = power(Ref(error.name, error.index), Number(2))
    for index in reversed(error.index):
        watched = total(index, watched)
    graph.define(Quantity("watched", "loss", definition=mul(Number(1, 2), watched), names={(): "watched"}, role="watched"))
    return "watched"


def last_equation(graph: Graph, problem: Problem) -> str:
    """What is watched in training where nothing is minimised: the last equation, of several samples its mean; answers its name."""
    last = next(quantity for quantity in graph if quantity.of is None and quantity.word == problem.equations[-1].name)
    if not last.sampled:
        return last.name
    mean = mul(sample_share(problem), total(last.index[0], Ref(last.name, last.index)))
    graph.define(Quantity("watched", "loss", definition=mean, names={(): "watched"}, role="watched"))
    return "watched"


def sample_share(problem: Problem) -> Expr:
    """What one sample counts in the whole: 1/N for the mean, 1 for the sum."""
    count = len(problem.samples)
    return _share(count) if problem.conventions.sample_reduction == "mean" else ONE

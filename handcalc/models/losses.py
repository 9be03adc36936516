"""Errors and losses: from outputs and targets to one number E.

- `add_loss` defines targets, loss terms, the loss of one sample and, with several samples, their reduction.

Shapes: targets and loss terms (sample, unit), the loss of a sample (sample), the loss (). The formulas themselves are
in problem/words.py (LOSSES) or were typed by the user; the fused form of softmax and cross-entropy is
E = ln Σ_k e^{net_k} − Σ_k t_k·net_k for targets that sum to 1, whose derivative is out − t. Source: the log-sum-exp
form of frameworks, such as PyTorch's CrossEntropyLoss.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import ONE, Entry, Expr, Number, Ref, mul, neg, power, rewrite, sub, total
from handcalc.core.graph import Graph
from handcalc.core.index import Index, affine
from handcalc.core.quantity import Quantity
from handcalc.layers.site import letter, sample_index, totals
from handcalc.problem.dataset import givens, have_targets, sum_to_one
from handcalc.problem.schema import Loss, Problem


def add_loss(graph: Graph, problem: Problem, output: Ref) -> str:
    """Define everything from the outputs to the loss; answers the quantity whose gradients are wanted ("" if none)."""
    if problem.loss is None or not have_targets(problem.samples):
        return ""
    index = tuple(i for place in output.indices for _, i in affine(place).terms)
    axes = tuple(i.axis for i in index)
    values = givens(problem.samples, "targets", tuple(axis.size for axis in axes if axis.role != "sample"), problem.batch)
    graph.given(Quantity("t", "target", axes, index, givens=values, prefix="target"))
    target = Ref("t", index)
    if problem.loss.form == "direct":
        graph.define(Quantity("err", "error", axes, index, sub(target, output), prefix="err", layer=len(problem.layers)))
        return "err"
    return _reduced(graph, problem, _sample_loss(graph, problem, problem.loss, output, target, index))


def _sample_loss(graph: Graph, problem: Problem, loss: Loss, output: Ref, target: Ref, index: tuple[Index, ...]) -> Expr:
    """The loss of one sample as an expression, its terms as quantities."""
    unit = index[-1]
    axes = tuple(i.axis for i in index)
    last = len(problem.layers)
    if loss.form == "fused" or (
        problem.conventions.softmax_loss == "fused" and loss.name == "cross_entropy" and _is_softmax(graph, output)
    ):
        inner = Index(letter(last) + "'", unit.axis)
        name = graph.in_layer(last, "net")
        net, family = Ref(name, index), Ref(name, (*index[:-1], inner))
        whole: Expr = Entry("logsumexp", -1, inner, family)
        if not sum_to_one(problem.samples, unit.axis.size):
            whole = mul(total(unit, target), whole)
        return totals(index[len(sample_index(problem)) : -1], sub(whole, total(unit, mul(target, net))))
    assert loss.term is not None
    term = rewrite(loss.term, lambda node: {"o": output, "t": target}[node.quantity] if isinstance(node, Ref) else None)
    graph.define(Quantity("loss_term", "loss_term", axes, index, term, prefix="loss", layer=last))
    own = index[len(sample_index(problem)) :]
    whole = totals(own, Ref("loss_term", index))
    return mul(_share(prod(i.axis.size for i in own)), whole) if loss.mean else whole


def _is_softmax(graph: Graph, output: Ref) -> bool:
    definition = graph[output.quantity].definition
    return isinstance(definition, Entry) and definition.function == "softmax"


def _share(count: int) -> Number:
    return ONE if count == 1 else Number(1, count)


def _reduced(graph: Graph, problem: Problem, formula: Expr) -> str:
    """The loss of one sample, and over several samples their mean or sum."""
    sample = sample_index(problem)
    if not sample:
        graph.define(Quantity("loss", "loss", definition=formula, names={(): ""}, prefix="loss"))
        return "loss"
    axes = tuple(i.axis for i in sample)
    graph.define(Quantity("loss@", "loss", axes, sample, formula, prefix="loss", role="each"))
    whole = total(sample[0], Ref("loss@", sample))
    whole = mul(sample_share(problem), whole)
    graph.define(Quantity("loss", "loss", definition=whole, names={(): ""}, prefix="loss"))
    return "loss@"


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
    last = graph[problem.equations[-1].name]
    if not last.sampled:
        return last.name
    mean = mul(sample_share(problem), total(last.index[0], Ref(last.name, last.index)))
    graph.define(Quantity("watched", "loss", definition=mean, names={(): "watched"}, role="watched"))
    return "watched"


def sample_share(problem: Problem) -> Expr:
    """What one sample counts in the whole: 1/N for the mean, 1 for the sum."""
    count = len(problem.samples)
    return _share(count) if problem.conventions.sample_reduction == "mean" else ONE

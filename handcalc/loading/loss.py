"""Reading the loss: a named one, one with an option, a formula in o and t, or `error: direct` (no loss at all).

To add a loss, add its line to `LOSSES`; the gradient is derived.
"""

from __future__ import annotations

from handcalc.core import formula
from handcalc.core.expr import Call, Ref, walk
from handcalc.layers.activations import SOFTMAX
from handcalc.problem.dataset import have_targets
from handcalc.problem.reader import Item, is_name, suggestion
from handcalc.problem.schema import Loss, Problem

# name → formula of one term in o (output) and t (target), and whether the terms are averaged over the outputs.
LOSSES: dict[str, tuple[str, bool]] = {
    "half_squared_error": ("1/2*(t - o)^2", False),  # ½Σ(t−o)²
    "squared_error": ("(t - o)^2", False),  # Σ(t−o)²
    "mean_squared_error": ("(t - o)^2", True),  # 1/n Σ(t−o)²
    "cross_entropy": ("-t*ln(o)", False),  # −Σ t ln o
    "binary_cross_entropy": ("-(t*ln(o) + (1 - t)*ln(1 - o))", False),  # −Σ (t ln o + (1−t) ln(1−o))
    "absolute_error": ("abs(t - o)", False),  # Σ|t−o|
    "huber": ("huber(t - o, 1)", False),  # ½e² for |e| ≤ δ, else δ(|e| − δ/2); δ = 1 unless given
    "hinge": ("max(0, 1 - t*o)", False),  # Σ max(0, 1 − t·o)
}
FUSED = "softmax_cross_entropy"  # on net inputs
DEFAULT = "half_squared_error"


def add_loss(found: dict[str, Item], problem: Problem) -> Problem:
    """The problem with its loss; errors where there are no targets for it, or the last layer does not fit."""
    item, direct = found.get("loss"), found.get("error")
    targets = have_targets(problem.samples)
    if item and direct:
        item.fail("error: direct has no loss; leave one of both out")
    given = item or direct
    if given and problem.samples and not targets:
        given.fail("a loss needs targets: give targets for every sample, or leave the loss out")
    if direct:
        return problem.replace(loss=Loss("direct", "direct")) if direct.choice(("direct",)) else problem
    if item:
        loss = _loss(item)
        return _on_net_inputs(item, problem.replace(loss=loss)) if loss and loss.form == "fused" else problem.replace(loss=loss)
    return problem.replace(loss=_named(DEFAULT)) if targets else problem


def _named(name: str) -> Loss:
    text, mean = LOSSES[name]
    return Loss(name, "terms", formula.parse(text, formula.any_name), mean)


def _loss(item: Item) -> Loss | None:
    if item.kind == "mapping":
        return _huber(item)
    text = item.text()
    if text is None:
        return None
    if text == FUSED:
        return Loss(text, "fused")
    if text in LOSSES:
        return _named(text)
    if is_name(text) and text not in ("o", "t") and not text.isdigit():
        item.fail("unknown loss {found}{near}", found=item.shown, near=suggestion(text, [*LOSSES, FUSED]))
        return None
    term = item.formula({"o", "t"})
    if term is not None and Ref("o") not in walk(term):
        item.fail("the formula of a loss must use {name}, found {found}", name="o", found=item.shown)
    return Loss(text, "terms", term) if term is not None else None


def _huber(item: Item) -> Loss | None:
    """The one loss with an option: {huber: {delta: 1}}."""
    options = item.mapping() or {}
    if list(options) != ["huber"]:
        item.fail("expected a loss such as {example}", example="{huber: {delta: 1}}")
        return None
    inner = options["huber"].section(("delta",)) if options["huber"].kind != "null" else {}
    width = inner["delta"].number(positive=True) if "delta" in inner else None
    loss = _named("huber")
    if width is None or not isinstance(loss.term, Call):
        return loss
    return loss.replace(term=loss.term.replace(arguments=(loss.term.arguments[0], width)))


def _on_net_inputs(item: Item, problem: Problem) -> Problem:
    """softmax_cross_entropy: as in PyTorch an identity layer gives net inputs and the loss applies softmax."""
    if not problem.layers or not problem.layers[-1].activations:
        return problem
    last = problem.layers[-1]
    if all(activation.name == "identity" for activation in last.activations):
        return problem.replace(layers=(*problem.layers[:-1], last.replace(activations=(SOFTMAX,))))
    if SOFTMAX not in last.activations:
        item.fail("softmax_cross_entropy works on net inputs: the last layer must be softmax or identity")
    return problem

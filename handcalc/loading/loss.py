"""Reading the loss: a named one, one with an option, a formula in o and t, or `error: direct` (no loss at all).

Losses with a name are in problem/words.py; their gradients are derived.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.expr import Number, Ref, walk
from handcalc.layers.activations import SOFTMAX, has_slope
from handcalc.loading.wordnumbers import put_in, word_numbers
from handcalc.problem.dataset import have_targets
from handcalc.problem.fields import CLASS_WEIGHTS, loss_shapes, read_section
from handcalc.problem.names import check_free
from handcalc.problem.reader import FileNode, is_name, suggestion
from handcalc.problem.schema import Loss, LossSum, Problem, Regularization
from handcalc.problem.spellings import of
from handcalc.problem.values import Section, read_entries
from handcalc.problem.words import DEFAULT_LOSS, DIRECT, LOSSES, PENALTY_FORMS, NamedLoss


def add_loss(found: Section, problem: Problem) -> Problem:
    """The problem with its loss; errors where there are no targets for it, or the last layer does not fit."""
    problem = _add_minimised(found, problem)
    if "report" in found:
        problem = add_reported(found["report"], problem)
    return add_regularization(found["regularization"], problem) if "regularization" in found else problem


def _add_minimised(found: Section, problem: Problem) -> Problem:
    """The problem with the loss whose gradients are wanted."""
    item, direct = found.get("loss"), found.get("error")
    targets = have_targets(problem.samples)
    if item and direct:
        item.fail("error: direct has no loss; leave one of both out")
    given = item or direct
    loss = _loss(item) if item else None
    if given and problem.samples and not targets and (loss is None or loss.compares):
        given.fail("a loss needs targets: give targets for every sample, or leave the loss out")
    if direct:
        return _direct(direct, problem.replace(loss=usual(DIRECT))) if found.value("error") else problem
    if item:
        found_loss = _fitting(item, problem.replace(loss=loss))
        return _on_net_inputs(item, found_loss) if loss and loss.form == "fused" else found_loss
    return problem.replace(loss=usual(LOSSES[DEFAULT_LOSS])) if targets else problem


def add_reported(item: FileNode, problem: Problem) -> Problem:
    """The problem with the loss that is worked out beside the one that is minimised."""
    if problem.loss is None or problem.loss.form == "direct":
        item.fail("there is no loss beside which another could be reported")
    loss = _loss(item)
    if loss is not None and (loss.form != "terms" or loss.sums):
        item.fail("{found} is on net inputs; report a loss of outputs, such as {example}", found=item.shown, example="cross_entropy")
        return problem
    if loss is not None and loss.compares and not have_targets(problem.samples):
        item.fail("a loss needs targets: give targets for every sample, or leave the loss out")
    check_free(item, problem, "reported_loss")
    return problem.replace(reported=loss)


def add_regularization(item: FileNode, problem: Problem) -> Problem:
    """The problem with penalties in its loss."""
    part = read_section(item, "regularization")
    if item.kind == "mapping" and not {"l2", "l1"} & {*part}:
        item.fail("give l2 or l1, the λ of the squares or of the absolute values of the weights")
    refused = any(message.where.endswith(" loss: ") for _, message in item.source.errors)
    if (problem.loss is None or problem.loss.form == "direct") and not refused:
        item.fail("there is no loss that a penalty could be in; give targets and a loss, or take weight_decay")
    found = part.read(("l2", "l1", "form", "biases"))
    chosen = PENALTY_FORMS[found.get("form", Regularization().form)]
    if chosen.halved and "form" in found and "l2" not in part:
        part["form"].fail("only squares are halved; with l1 alone write {word}", word="mean" if chosen.averaged else "sum")
    check_free(item, problem, "data_loss", *part)
    return problem.replace(regularization=Regularization(**found, samples=max(len(problem.samples), 1)))


def _direct(item: FileNode, problem: Problem) -> Problem:
    """error: direct; activations of the last layer without a slope follow another rule than those that have one."""
    last = problem.layers[-1].activations if problem.layers else ()
    flat = [activation.name for activation in last if not has_slope(activation)]
    if flat and len(flat) < len(last):
        text = "{name} has no slope, and other activations of the last layer have one: error: direct has one rule for the layer"
        item.fail(text, name=flat[0])
    return problem


def _named(loss: NamedLoss, numbers: Mapping[str, Number]) -> Loss:
    """A loss of the table with its numbers in it; a target that is only t is not said."""
    target = put_in(loss.target, numbers) if loss.target else Ref("t")
    changed = target != Ref("t")
    return Loss(
        loss.word,
        loss.form,
        put_in(loss.formula, numbers) if loss.formula else None,
        loss.mean,
        put_in(loss.target, {}) if changed else None,
        numbers if changed else {},
        sums=tuple(LossSum(name, put_in(term, {}), put_in(whole, {})) for name, (term, whole) in loss.sums.items()),
        placewise=loss.placewise,
    )


def usual(loss: NamedLoss) -> Loss:
    """A loss of the table with its usual numbers."""
    return _named(loss, word_numbers(read_entries(None, {}), loss.numbers))


def _loss(item: FileNode) -> Loss | None:
    if item.kind == "mapping":
        return _with_numbers(item)
    text = item.text()
    if text is None:
        return None
    word = item.stands_for(LOSSES, of(LOSSES))
    if word is not None:
        return usual(LOSSES[word]) if word else None
    if is_name(text) and text not in ("o", "t") and not text.isdigit():
        item.fail("unknown loss {found}{near}", found=item.shown, near=suggestion(text, LOSSES))
        return None
    term = item.formula({"o", "t"})
    if term is not None and Ref("o") not in walk(term):
        item.fail("the formula of a loss must use {name}, found {found}", name="o", found=item.shown)
    return Loss(text, "terms", term) if term is not None else None


def _with_numbers(item: FileNode) -> Loss | None:
    """A loss with numbers of its own: {huber: {delta: 1}}."""
    inside = item.mapping() or {}
    key, *others = inside or ("",)
    word = inside[key].stands_for(LOSSES, of(LOSSES), key) if inside else None
    if word == "":
        return None
    if others or word is None or not LOSSES[word].numbers:
        item.fail("expected a loss such as {example}", example="{huber: {delta: 1}}")
        return None
    loss, inner = LOSSES[word], inside[key]
    part = read_entries(inner if inner.kind != "null" else None, loss_shapes(loss))
    return _named(loss, word_numbers(part, loss.numbers)).replace(weights=part.value(CLASS_WEIGHTS, ()))


def _fitting(item: FileNode, problem: Problem) -> Problem:
    """The problem as it is; an error where classes have more or fewer weights than there are."""
    outputs = problem.layers[-1].axes[-1].size if problem.layers and problem.layers[-1].axes else 0
    if problem.loss and problem.loss.weights and outputs and len(problem.loss.weights) != outputs:
        item.fail("{key}: one weight for each of {count} outputs is expected, found {found}", key=CLASS_WEIGHTS, count=outputs,
                  found=len(problem.loss.weights))  # fmt: skip
    return problem


def _on_net_inputs(item: FileNode, problem: Problem) -> Problem:
    """softmax_cross_entropy: as in PyTorch an identity layer gives net inputs and the loss applies softmax."""
    if not problem.layers or not problem.layers[-1].activations:
        return problem
    last = problem.layers[-1]
    if all(activation.name == "identity" for activation in last.activations):
        return problem.replace(layers=(*problem.layers[:-1], last.replace(activations=(SOFTMAX,))))
    if not any(activation.name == SOFTMAX.name for activation in last.activations):
        item.fail("softmax_cross_entropy works on net inputs: the last layer must be softmax or identity")
    return problem

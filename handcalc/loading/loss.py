"""Reading the loss: a named one, one with an option, a formula in o and t, or `error: direct` (no loss at all).

Losses with a name are in problem/words.py; their gradients are derived.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.expr import Number, Ref, walk
from handcalc.layers.activations import SOFTMAX
from handcalc.loading.wordnumbers import put_in, word_numbers
from handcalc.problem.dataset import have_targets
from handcalc.problem.reader import FileNode, is_name, suggestion
from handcalc.problem.schema import Loss, Problem
from handcalc.problem.spellings import of
from handcalc.problem.values import Section, read_entries
from handcalc.problem.words import DEFAULT_LOSS, DIRECT, LOSSES, RANGES, NamedLoss


def add_loss(found: Section, problem: Problem) -> Problem:
    """The problem with its loss; errors where there are no targets for it, or the last layer does not fit."""
    item, direct = found.get("loss"), found.get("error")
    targets = have_targets(problem.samples)
    if item and direct:
        item.fail("error: direct has no loss; leave one of both out")
    given = item or direct
    if given and problem.samples and not targets:
        given.fail("a loss needs targets: give targets for every sample, or leave the loss out")
    if direct:
        return problem.replace(loss=usual(DIRECT)) if found.value("error") else problem
    if item:
        loss = _loss(item)
        return _on_net_inputs(item, problem.replace(loss=loss)) if loss and loss.form == "fused" else problem.replace(loss=loss)
    return problem.replace(loss=usual(LOSSES[DEFAULT_LOSS])) if targets else problem


def _named(loss: NamedLoss, numbers: Mapping[str, Number]) -> Loss:
    """A loss of the table with its numbers in it."""
    return Loss(loss.word, loss.form, put_in(loss.formula, numbers) if loss.formula else None, loss.mean)


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
    part = read_entries(inner if inner.kind != "null" else None, {key: RANGES[key] for key in loss.numbers})
    return _named(loss, word_numbers(part, loss.numbers))


def _on_net_inputs(item: FileNode, problem: Problem) -> Problem:
    """softmax_cross_entropy: as in PyTorch an identity layer gives net inputs and the loss applies softmax."""
    if not problem.layers or not problem.layers[-1].activations:
        return problem
    last = problem.layers[-1]
    if all(activation.name == "identity" for activation in last.activations):
        return problem.replace(layers=(*problem.layers[:-1], last.replace(activations=(SOFTMAX,))))
    if SOFTMAX not in last.activations:
        item.fail("softmax_cross_entropy works on net inputs: the last layer must be softmax or identity")
    return problem

"""Reading `optimizer:`, `weight_decay:` and `clipping:`, how gradients become updates.

- `add_optimizer(found, problem)` is the problem with them. Optimisers and their numbers are in problem/words.py.
"""

from __future__ import annotations

from handcalc.core.expr import Number
from handcalc.loading.wordnumbers import word_numbers
from handcalc.problem.fields import INSIDE, option_shapes, read_section
from handcalc.problem.reader import FileNode, quoted, suggestion
from handcalc.problem.schema import Optimizer, Problem
from handcalc.problem.spellings import KEYS, meanings, of
from handcalc.problem.values import Section, read_entries
from handcalc.problem.words import DEFAULT_OPTIMISER, OPTIMISERS, NamedOptimiser


def add_optimizer(found: Section, problem: Problem) -> Problem:
    """The problem with its optimiser, weight decay and clipping."""
    chosen = _optimizer(found["optimizer"]) if "optimizer" in found else Optimizer()
    numbers = {**chosen.numbers, **found.read(("weight_decay",))}
    if "clipping" in found:
        numbers |= _clipping(found["clipping"])
    return problem.replace(optimizer=chosen.replace(numbers=numbers))


def _optimizer(item: FileNode) -> Optimizer:
    """A word, {word: {numbers}}, or {name: word, numbers}."""
    if item.kind != "mapping":
        return _with_numbers(item.choice(OPTIMISERS, of(OPTIMISERS)) or DEFAULT_OPTIMISER, None)
    named = item.entry("name") or item.entry("type")
    if named:
        named.stands_for(("name",), {"name": ("type",)}, named.key.value)
        return _with_numbers(named.choice(OPTIMISERS, of(OPTIMISERS)) or DEFAULT_OPTIMISER, item, "name")
    inside = item.mapping() or {}
    if len(inside) != 1:
        item.fail("expected an optimiser such as {example}", example="{momentum: {momentum: 0.9}}")
        return Optimizer()
    (name, inner), *_ = inside.items()
    word = inner.stands_for(OPTIMISERS, of(OPTIMISERS), name)
    if word is None:
        inner.fail("unknown optimiser {found}{near}", found=quoted(name), near=suggestion(name, OPTIMISERS))
    if word and inner.kind == "text" and OPTIMISERS[word].numbers:
        inner.fail("write {example}", example=f"{{{word}: {{{next(iter(OPTIMISERS[word].numbers))}: {quoted(inner.typed)[1:-1]}}}}}")
        return Optimizer()
    return _with_numbers(word, inner if inner.kind != "null" else None) if word else Optimizer()


def _with_numbers(name: str, item: FileNode | None, *others: str) -> Optimizer:
    """An optimiser with the numbers of a mapping; others: keys there that are no numbers."""
    chosen = OPTIMISERS[name]
    shapes = option_shapes(chosen)
    spelled = {key: (*KEYS.get(key, ()), *chosen.keys.get(key, ())) for key in (*shapes, *others)}
    part = read_entries(item, {**dict.fromkeys(others, {}), **shapes}, lambda key: _home(key, chosen), spelled)
    return Optimizer(name, word_numbers(part, OPTIMISERS[name].numbers), INSIDE in shapes and part.value(INSIDE, False))


def _home(key: str, chosen: NamedOptimiser) -> str:
    """How that is written which frameworks hand to an optimiser, and which is not among its numbers here; "" for what is not known."""
    beside = meanings(key, ("learning_rate", "weight_decay"), KEYS)
    if beside:
        return f"optimizer: {chosen.word}, {beside[0]}: …"
    if key == "betas" and "beta1" in chosen.numbers:
        return "beta1: …, beta2: …"
    others = [word for word in ("nesterov", "momentum") if chosen.word != word and word == key]
    return f"optimizer: {{{others[0]}: {{momentum: …}}}}" if others and chosen.word in (DEFAULT_OPTIMISER, "momentum") else ""


def _clipping(item: FileNode) -> dict[str, Number]:
    part = read_section(item, "clipping")
    if len(part) != 1:
        item.fail("give norm or value")
    return {f"clip_{key}": found for key, found in part.read(part).items()}

"""Reading `optimizer:`, `weight_decay:` and `clipping:`, how gradients become updates.

- `add_optimizer(found, problem)` is the problem with them.
- `HYPER` has the numbers of every optimiser and their usual values (PyTorch's; 0.9 for a momentum).
"""

from __future__ import annotations

from handcalc.core.expr import Number, number
from handcalc.problem.fields import OPTIMISERS, keys
from handcalc.problem.reader import Item
from handcalc.problem.schema import Optimizer, Problem

# optimiser → its numbers, as named in a problem, and their usual values
HYPER = {
    "sgd": {},
    "momentum": {"momentum": "0.9"},
    "nesterov": {"momentum": "0.9"},
    "adagrad": {"epsilon": "1e-10"},
    "rmsprop": {"rho": "0.99", "epsilon": "1e-8"},
    "adadelta": {"rho": "0.9", "epsilon": "1e-6"},
    "adam": {"beta1": "0.9", "beta2": "0.999", "epsilon": "1e-8"},
    "adamw": {"beta1": "0.9", "beta2": "0.999", "epsilon": "1e-8", "weight_decay": "0.01"},
}

INSIDE = "epsilon_inside"  # whether ε is under the root, √(s + ε), not beside it, √s + ε
ROOTS = ("adagrad", "rmsprop", "adam", "adamw")  # optimisers that may be written either way


def add_optimizer(found: dict[str, Item], problem: Problem) -> Problem:
    """The problem with its optimiser, weight decay and clipping."""
    chosen = _optimizer(found["optimizer"]) if "optimizer" in found else Optimizer()
    numbers = dict(chosen.numbers)
    if "weight_decay" in found:
        decay = found["weight_decay"].number(positive=True)
        numbers |= {"weight_decay": decay} if decay is not None else {}
    if "clipping" in found:
        numbers |= _clipping(found["clipping"])
    return problem.replace(optimizer=chosen.replace(numbers=numbers))


def _optimizer(item: Item) -> Optimizer:
    """A word, {word: {numbers}}, or {name: word, numbers}."""
    if item.kind != "mapping":
        return _with_numbers(item.choice(OPTIMISERS) or "sgd", {})
    entries = item.mapping() or {}
    if "name" in entries:
        name = entries["name"].choice(OPTIMISERS) or "sgd"
        return _with_numbers(name, item.section(("name", *_options(name))))
    if len(entries) != 1:
        item.fail("expected an optimiser such as {example}", example="{momentum: {momentum: 0.9}}")
        return Optimizer()
    (name, inner), *_ = entries.items()
    if name not in HYPER:
        inner.fail("unknown optimiser {found}; known are {known}", found=f'"{name}"', known=", ".join(HYPER))
        return Optimizer()
    return _with_numbers(name, inner.section(_options(name)) if inner.kind != "null" else {})


def _options(name: str) -> tuple[str, ...]:
    """The keys of an optimiser."""
    return (*HYPER[name], INSIDE) if name in ROOTS else tuple(HYPER[name])


def _with_numbers(name: str, part: dict[str, Item]) -> Optimizer:
    numbers: dict[str, Number] = {}
    for key, usual in HYPER[name].items():
        given = part[key].number() if key in part else None
        if given is not None and (given.numerator < 0 or key != "epsilon" and given.numerator >= given.denominator):
            part[key].fail("expected a number from 0 to less than 1, found {found}", found=part[key].shown)
        numbers[key] = given if given is not None else number(usual)
    return Optimizer(name, numbers, INSIDE in part and part[INSIDE].flag() is True)


def _clipping(item: Item) -> dict[str, Number]:
    part = item.section(keys("clipping"))
    if len(part) != 1:
        item.fail("give norm or value")
    limits = {f"clip_{key}": entry.number(positive=True) for key, entry in part.items()}
    return {key: limit for key, limit in limits.items() if limit is not None}

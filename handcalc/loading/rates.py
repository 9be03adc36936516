"""Reading `learning_rate:`, one number, or numbers for layers and single parameters.

- `add_rates(item, problem)` is the problem with its rates: `0.5`, or `{others: 0.5, layer1: 0.1, W2: 0.2, w5: 0.01}`.
- `rate_of(problem, layer, id, core)` is the rate that a parameter has of its own, None where it has that of all others.
"""

from __future__ import annotations

import re

from handcalc.core.expr import Number
from handcalc.problem.names import is_parameter, may_be_printed, name_of, parameter_names, printed_weights
from handcalc.problem.reader import FileNode, near
from handcalc.problem.schema import Called, Problem
from handcalc.problem.values import ABOVE_0, value

OTHERS = "others"
_WHOLE = re.compile("(layer|[Wb])([1-9][0-9]*)")


def add_rates(item: FileNode, problem: Problem) -> Problem:
    """The problem with the learning rate of all, and those of layers and single parameters."""
    if item.kind != "mapping":
        return problem.replace(learning_rate=value(item, ABOVE_0))
    rates: dict[str, Number] = {}
    called: list[Called] = []
    for name, entry in (item.mapping() or {}).items():
        rate = value(entry, ABOVE_0)
        if rate is not None and (known := _meant(name, entry, problem)):
            rates[known] = rate
        elif rate is not None and may_be_printed(name, problem):
            called.append(Called(name, rate, f":{entry.place[0]}: {entry.path}: "))
    others = rates.pop(OTHERS, None)
    if others is None and (rates or called):
        item.fail("{name} is missing, the learning rate of all other parameters", name=OTHERS)
    return problem.replace(learning_rate=others, rates=rates, called=(*problem.called, *called))


def _meant(name: str, entry: FileNode, problem: Problem) -> str:
    """What a name stands for: others, a layer, all weights or biases of one, a parameter; "" after an error, and for `Called` ones."""
    whole = _WHOLE.fullmatch(name)
    if name == OTHERS or whole and int(whole[2]) <= len(problem.layers) or is_parameter(name, problem):
        return name_of(name, problem) or name
    printed = printed_weights(problem)
    if name not in printed and not may_be_printed(name, problem):
        hint = near(name, [OTHERS, *(f"layer{number}" for number, _ in enumerate(problem.layers, 1)), *parameter_names(problem)])
        entry.fail("there is no parameter {found}{near}", found=f'"{name}"', near=hint)
    return printed.get(name, "")


def rate_of(problem: Problem, layer: int, id: str, core: str) -> Number | None:
    """The rate of a parameter itself, else of all weights or biases of its layer, else of its layer."""
    return next((problem.rates[name] for name in (core, id, f"layer{layer}") if name in problem.rates), None)

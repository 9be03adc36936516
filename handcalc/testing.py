"""For the tests of other programs: `assert_step(problem, module, step)` holds a framework's step of training against the hand calculation.

def test_my_training_step():
    problem = handcalc.from_torch(net, inputs, targets, loss, optimizer)
    handcalc.testing.assert_step(problem, net, lambda: train_step(net, inputs, targets))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handcalc.bridges.comparing import compare
from handcalc.problem.schema import Problem


def assert_step(problem: Problem, module: Any, step: Callable[[], Any], steps: int = 2) -> None:
    """Raises AssertionError, with the first difference and its cause, where `steps` calls of step() do not do what the problem says."""
    found = compare(problem, module, step, steps)
    if not found.ok:
        raise AssertionError(str(found))

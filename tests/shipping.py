"""The shipped problems for laws that take their time: one of each kind in the quick run, the others in the slow one."""

from __future__ import annotations

import pytest

from handcalc.problem.loader import shipped

KINDS = (
    "mazur-2-2-2",  # names, a shared bias
    "zhou-four-people",  # samples
    "xigua-thresholds",  # thresholds, Chinese
    "softmax-cross-entropy",  # softmax
    "per-connection-bias-2-3-1",  # biases of connections
    "micrograd-readme",  # equations
    "minimise-x0-x1",  # equations with updates
    "han-kamber-3-2-1",  # error: direct
    "adam-logistic",  # an optimiser
    "zhou-feedforward",  # a forward pass only
)
EACH = [pytest.param(name, marks=[] if name in KINDS else pytest.mark.slow) for name in shipped()]

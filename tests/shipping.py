"""The shipped problems for laws that take their time: one of each kind in the quick run, the others in the slow one.

`EACH` are parameters for a test; of problems with other layers than dense ones all tests but those of one of each kind are slow
(`slow`, asked by conftest.py).
"""

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
    "dlfs-convolution",  # maps
    "gomez-lstm",  # times
    "karim-self-attention",  # tokens
    "dropout-batch-norm",  # samples that are mixed
)
LAYERED = [name for name, path in shipped().items() if "type: " in path.read_text(encoding="utf-8")]  # other layers than dense ones
EACH = [pytest.param(name, marks=[] if name in KINDS else pytest.mark.slow) for name in shipped()]


def slow(item: pytest.Item) -> bool:
    """Whether a test of a problem belongs to the slow run: of problems with other layers, all but one of each kind do."""
    given = getattr(item, "callspec", None)
    names = given.params.values() if given else ()
    return any(isinstance(name, str) and name in LAYERED and name not in KINDS for name in names)

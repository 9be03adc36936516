"""Two small problems to train, and what is said against one that is wrong.

- `quadratic(rate)` is the text of x² from x = 2 on, `NETWORK` that of a network with three samples.
- `refusals(text)` are the messages against a text, without the place in it.
"""

from __future__ import annotations

import re

import pytest

from handcalc import loads
from handcalc.errors import ProblemError

NETWORK = """
samples:
  - {inputs: [0.5, -1.2], targets: [0.3]}
  - {inputs: [1.5, 0.4], targets: [0.9]}
  - {inputs: [-0.7, 0.8], targets: [0.2]}
layers:
  - {neurons: 2, activation: tanh, weights: [[0.1, -0.4], [0.7, 0.2]], bias: [0.1, -0.2]}
  - {neurons: 1, activation: sigmoid, weights: [[0.3, -0.6]], bias: [0.2]}
loss: squared_error
learning_rate: 0.4
"""


def quadratic(rate: float) -> str:
    """x = 2·(1 − 2·rate)ᵏ after k updates."""
    return f"given: {{x: 2}}\nequations: {{f: x^2}}\nminimize: f\nparameters: [x]\nlearning_rate: {rate}\n"


def refusals(text: str) -> list[str]:
    """Why a problem is refused."""
    with pytest.raises(ProblemError) as caught:
        loads(text)
    return [re.sub(r"^problem:\d+: ", "", str(message)) for message in caught.value.messages]

"""handcalc: neural-network arithmetic worked out as on paper.

- `load(path)` reads a problem file, `loads(text)` a text; `derive(problem)` works it out.
- `render(derivation, format)` gives the solution as text for a terminal, JSON, Markdown, LaTeX, a page, a PDF …
- `check(problem, answers)` marks a student's numbers, `audit(problem, published)` a published solution's.
- `train(problem, iterations)` goes on with it, `gradcheck(problem)` compares its gradients with difference quotients.

Names are imported when they are used, so that `import handcalc` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handcalc.arrays.large import derive
    from handcalc.errors import EvaluationError, HandcalcError, ProblemError, UnknownIdError
    from handcalc.loading.loader import load, loads
    from handcalc.marking.audit import audit
    from handcalc.marking.check import check
    from handcalc.render import render
    from handcalc.training.gradcheck.comparing import gradcheck
    from handcalc.training.train import train

__version__ = "0.1.0"

_HOMES = {
    "load": "handcalc.loading.loader",
    "loads": "handcalc.loading.loader",
    "derive": "handcalc.arrays.large",
    "render": "handcalc.render",
    "check": "handcalc.marking.check",
    "gradcheck": "handcalc.training.gradcheck.comparing",
    "train": "handcalc.training.train",
    "audit": "handcalc.marking.audit",
    "HandcalcError": "handcalc.errors",
    "ProblemError": "handcalc.errors",
    "EvaluationError": "handcalc.errors",
    "UnknownIdError": "handcalc.errors",
}

__all__ = [
    "EvaluationError",
    "HandcalcError",
    "ProblemError",
    "UnknownIdError",
    "audit",
    "check",
    "derive",
    "gradcheck",
    "load",
    "loads",
    "render",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'handcalc' has no attribute {name!r}")


class _Package(ModuleType):
    """`handcalc.derive` and `handcalc.render` are the functions, also after the modules of that name were imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

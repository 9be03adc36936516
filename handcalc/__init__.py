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
    from handcalc.errors import EvaluationError, HandcalcError, ProblemError, UnknownIdError
    from handcalc.problem.loader import load, loads
    from handcalc.render import render
    from handcalc.study.audit import audit
    from handcalc.study.check import check
    from handcalc.study.gradcheck import gradcheck
    from handcalc.study.large import derive
    from handcalc.study.train import train

__version__ = "0.1.0"

_HOMES = {
    "load": "handcalc.problem.loader",
    "loads": "handcalc.problem.loader",
    "derive": "handcalc.study.large",
    "render": "handcalc.render",
    "check": "handcalc.study.check",
    "gradcheck": "handcalc.study.gradcheck",
    "train": "handcalc.study.train",
    "audit": "handcalc.study.audit",
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

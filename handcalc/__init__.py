"""handcalc: neural-network arithmetic worked out as on paper.

- `load(path)` reads a problem file, `loads(text)` a text; `derive(problem)` works it out.
- `render(derivation, format)` gives the solution as text for a terminal, JSON, Markdown, LaTeX, a page, a PDF …
- `check(problem, answers)` marks a student's numbers, `audit(problem, published)` a published solution's.
- `lint(problem)` says whether an exercise is sound: `.ok`, `.findings`.
- `from_torch(module, inputs, targets, loss, optimizer)`, `from_keras`, `from_sklearn` make a problem of a network.
- `compare(problem, module, step)` puts a framework's real step of training beside it.
- `train(problem, iterations)` goes on with it, `gradcheck(problem)` compares its gradients with difference quotients.

In a notebook what these give shows itself, and `%load_ext handcalc` brings `%%handcalc`, for a problem in a cell.
Names are imported when they are used, so that `import handcalc` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # of typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from handcalc.bridges.comparing import compare
    from handcalc.bridges.modules import from_keras, from_sklearn, from_torch
    from handcalc.deriving import derive
    from handcalc.errors import EvaluationError, HandcalcError, ProblemError, UnknownIdError
    from handcalc.exercises.lint import lint
    from handcalc.loading.loader import load, loads
    from handcalc.marking.audit import audit
    from handcalc.marking.check import check
    from handcalc.render import render
    from handcalc.training.gradcheck.comparing import gradcheck
    from handcalc.training.train import train

__version__ = "0.2.0"

_HOMES = {
    "compare": "handcalc.bridges.comparing",
    "from_torch": "handcalc.bridges.modules",
    "from_keras": "handcalc.bridges.modules",
    "from_sklearn": "handcalc.bridges.modules",
    "load": "handcalc.loading.loader",
    "loads": "handcalc.loading.loader",
    "derive": "handcalc.deriving",
    "render": "handcalc.render",
    "check": "handcalc.marking.check",
    "gradcheck": "handcalc.training.gradcheck.comparing",
    "train": "handcalc.training.train",
    "audit": "handcalc.marking.audit",
    "lint": "handcalc.exercises.lint",
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
    "compare",
    "derive",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "gradcheck",
    "lint",
    "load",
    "loads",
    "render",
    "train",
]


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext handcalc` of a notebook: then it knows %handcalc and %%handcalc."""
    import_module("handcalc.notebooks.magics").register(shell)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'handcalc' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home if home.__name__ == f"handcalc.{name}" else getattr(home, name)  # the package `render` can be called itself

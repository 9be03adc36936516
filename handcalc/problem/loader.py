"""A problem file → `Problem`: every name resolved, every shape checked, all errors reported at once.

- `load(path)` reads a file, or a shipped problem by its name; `loads(text)` reads a text; `shipped()` lists them.

`_problem` reads as the order of the file format: header, then layers (samples.py, layers.py, loss.py) or equations
(equations.py), then how to work it (settings.py).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from handcalc.errors import Message, ProblemError
from handcalc.problem.equations import EQUATION_KEYS, equations
from handcalc.problem.files import read, read_text, shown_path
from handcalc.problem.layers import build, layer_items, neuron_names
from handcalc.problem.loss import add_loss
from handcalc.problem.names import Names
from handcalc.problem.reader import Item, near
from handcalc.problem.samples import samples, test_set
from handcalc.problem.schema import Problem, keys
from handcalc.problem.settings import add_settings, chosen

if TYPE_CHECKING:
    from pathlib import Path


def shipped() -> dict[str, Path]:
    """The problems that come with handcalc, by name."""
    from pathlib import Path

    return {path.stem: path for path in sorted(Path(_folder()).glob("*.yaml"))}


def _folder() -> str:
    """Where the shipped problems are: in the package, or in a checkout beside it."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "problems")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "problems")


def load(path: str | os.PathLike[str]) -> Problem:
    """The problem in a YAML file; a name without a folder may be a shipped problem's.

    Raises ProblemError with every error of the file.
    """
    text = os.fspath(path)
    if text and os.path.basename(text) == text and not os.path.lexists(text):
        name = text.removesuffix(".yaml")
        file = os.path.join(_folder(), name + ".yaml")
        if not os.path.isfile(file):
            hint = near(name, shipped())
            raise ProblemError(
                Message("there is no such file, and no shipped problem of that name{near}", f"{shown_path(text)}: ", near=hint)
            )
        text = file
    return _problem(read(text))


def loads(text: str, name: str = "problem", folder: str | os.PathLike[str] = "") -> Problem:
    """The problem in a YAML text; files it names are beside it in `folder`. Raises ProblemError with every error."""
    return _problem(read_text(text, name, os.fspath(folder)))


def _problem(root: Item) -> Problem:
    found = root.section(keys("problem"))
    if root.kind != "mapping":
        root.source.finish()
    problem = _header(found, root)
    if "equations" in found:
        problem = equations(found, problem)
    elif "layers" in found:
        problem = _network(root, found, problem)
    else:
        root.fail("layers or equations are missing: there is nothing to compute")
    problem = add_settings(found, problem)
    root.source.finish()
    return problem


def _header(found: dict[str, Item], root: Item) -> Problem:
    version = found.get("handcalc")
    if version and (version.kind != "text" or version.node.value != "1"):
        version.fail("format version 1 is expected, found {found}", found=version.shown)
    title, source = (found[key].text() or "" if key in found else "" for key in ("title", "source"))
    return Problem(
        title=title,
        source=source,
        notation=chosen(found, "problem", "notation"),
        language=chosen(found, "problem", "language"),
        path=root.source.name,
    )


def _network(root: Item, found: dict[str, Item], problem: Problem) -> Problem:
    for key in EQUATION_KEYS:
        if key in found:
            found[key].fail("goes with equations, not with layers")
    names = Names()
    entries = layer_items(found["layers"])
    neurons = neuron_names(entries, names)
    outputs = neurons[-1] if neurons else ()
    read = samples(root, found, outputs, names)
    inputs, (cases, tests) = read[0], test_set(found["test"], found, read, outputs, names) if "test" in found else (read[1], ())
    layers = build(entries, neurons, inputs, names)
    names.check_unnamed(layers)
    return add_loss(found, problem.replace(inputs=inputs, samples=cases, test=tests, layers=layers))

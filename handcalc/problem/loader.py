"""A problem file → `Problem`: every name resolved, every shape checked, all errors reported at once.

- `load(path)` reads a file, or a shipped problem by its name; `loads(text)` reads a text.

The order below is the order of the file format: header, data (samples.py), layers (layers.py), loss, training,
equations, rounding and conventions.
"""

from __future__ import annotations

import os
from pathlib import Path

from handcalc.core import formula
from handcalc.core.expr import ZERO, Number
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.problem import layers, samples
from handcalc.problem.reader import Item, is_name, near, printable, read, read_text
from handcalc.problem.schema import Conventions, Equation, Layer, Loss, Problem, keys

SHIPPED = Path(__file__).parents[1] / "problems"
EQUATION_LIMIT = 300

# name → formula of one term in o (output) and t (target), and whether the terms are averaged over the outputs.
LOSSES: dict[str, tuple[str, bool]] = {
    "half_squared_error": ("1/2*(t - o)^2", False),  # ½Σ(t−o)²
    "squared_error": ("(t - o)^2", False),  # Σ(t−o)²
    "mean_squared_error": ("(t - o)^2", True),  # 1/n Σ(t−o)²
    "cross_entropy": ("-t*ln(o)", False),  # −Σ t ln o
    "binary_cross_entropy": ("-(t*ln(o) + (1 - t)*ln(1 - o))", False),  # −Σ (t ln o + (1−t) ln(1−o))
    "absolute_error": ("abs(t - o)", False),  # Σ|t−o|
    "huber": ("huber(t - o, d)", False),  # ½e² for |e| ≤ d, else d(|e| − d/2)
    "hinge": ("max(0, 1 - t*o)", False),  # Σ max(0, 1 − t·o)
}
FUSED = "softmax_cross_entropy"  # on net inputs


def shipped() -> dict[str, Path]:
    """The problems that come with handcalc, by name."""
    folder = SHIPPED if SHIPPED.is_dir() else Path(__file__).parents[2] / "problems"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(path: str | os.PathLike[str]) -> Problem:
    """The problem in a YAML file; a name without a folder may be a shipped problem's.

    Raises ProblemError with every error of the file.
    """
    text = os.fspath(path)
    file = Path(text)
    if text and os.sep not in text and not file.exists():
        known = shipped()
        name = text.removesuffix(".yaml")
        if name in known:
            file = known[name]
        else:
            hint = near(name, known)
            raise ProblemError(Message("there is no such file, and no shipped problem of that name{near}", f"{printable(text)}: ", near=hint))
    return _problem(read(file))


def loads(text: str, name: str = "problem", folder: Path | None = None) -> Problem:
    """The problem in a YAML text. Raises ProblemError with every error."""
    return _problem(read_text(text, name, folder or Path()))


def _problem(root: Item) -> Problem:
    found = root.section(keys("problem"))
    version = found.get("handcalc")
    if version and version.text() != "1":
        version.fail("format version 1 is expected, found {found}", found=version.shown)
    problem = Problem(
        title=_text(found, "title"),
        source=_text(found, "source"),
        notation=_choice(found, "notation", _values("problem", "notation")),
        language=_choice(found, "language", ("en", "zh")),
        path=root.source.name,
    )
    if "equations" in found:
        problem = _equations(root, found, problem)
    elif "layers" in found:
        problem = _network(root, found, problem)
    else:
        root.fail("layers or equations are missing: there is nothing to compute")
    if "learning_rate" in found:
        problem = problem.replace(learning_rate=found["learning_rate"].number())
    if "optimizer" in found:
        found["optimizer"].choice(("sgd",))
    if "training" in found:
        part = found["training"].section(keys("training"))
        problem = problem.replace(mode=_choice(part, "mode", ("batch", "online")) or "batch")
    problem = _conventions(found, problem)
    problem = problem.replace(rounding=_rounding(found["rounding"]) if "rounding" in found else None)
    if "tasks" in found:
        problem = problem.replace(tasks=tuple(text for item in found["tasks"].sequence() or () if (text := item.text())))
    root.source.finish()
    return problem


def _values(section: str, key: str) -> tuple[str, ...]:
    from handcalc.problem.schema import SECTIONS

    return next(tuple(field.shape["enum"]) for field in SECTIONS[section] if field.key == key)


def _text(found: dict[str, Item], key: str) -> str:
    return (found[key].text() or "") if key in found else ""


def _choice(found: dict[str, Item], key: str, values: tuple[str, ...]) -> str:
    return (found[key].choice(values) or "") if key in found else ""


# --- networks ---------------------------------------------------------------------------------------------------------


def _network(root: Item, found: dict[str, Item], problem: Problem) -> Problem:
    for key in ("given", "minimize", "parameters"):
        if key in found:
            found[key].fail("only goes with equations, not with layers")
    entries = found["layers"].sequence()
    if entries is not None and not entries:
        found["layers"].fail("there is no layer")
    if not entries:
        return problem
    neurons = layers.neuron_names(entries)
    last = neurons[-1] if neurons else ()
    inputs, cases = samples.samples(root, found, last)
    built = layers.build(entries, neurons, inputs)
    problem = problem.replace(inputs=inputs, samples=cases, layers=built)
    if inputs and all(neurons):
        _unique(found, problem)
    return _update(found, _loss(found, problem))


def _unique(found: dict[str, Item], problem: Problem) -> None:
    """Neurons, inputs and parameters share one space of names, for their ids do."""
    taken: dict[str, str] = {}
    for place, names in enumerate((problem.inputs, *(layer.neurons for layer in problem.layers))):
        where = "inputs" if place == 0 else f"layers[{place - 1}].neurons"
        for name in names:
            if name in taken:
                found["layers"].fail('the name "{name}" is there twice: in {first} and in {second}', name=name, first=taken[name], second=where)
            taken[name] = where
    parameters: dict[str, str] = {}
    for place, layer in enumerate(problem.layers):
        for names in (layer.weight_names, layer.bias.names if layer.bias else {}):
            for name in names.values():
                where = f"layers[{place}]"
                if name in parameters:
                    found["layers"].fail('the name "{name}" is there twice: in {first} and in {second}', name=name, first=parameters[name], second=where)
                parameters[name] = where


def _loss(found: dict[str, Item], problem: Problem) -> Problem:
    item = found.get("loss")
    if "error" in found and found["error"].choice(("direct",)):
        if item:
            item.fail("error: direct has no loss; leave one of both out")
        return problem.replace(loss=Loss("direct", "direct"))
    targets = bool(problem.samples) and all(sample.targets is not None for sample in problem.samples)
    if item is None:
        return problem.replace(loss=Loss("half_squared_error", "terms", formula.parse(LOSSES["half_squared_error"][0], formula.any_name))) if targets else problem
    loss = _loss_function(item)
    if loss and problem.layers and problem.layers[-1].activations:
        softmax = any(activation.name == "softmax" for activation in problem.layers[-1].activations)
        if loss.form == "fused":
            identity = all(activation.name == "identity" for activation in problem.layers[-1].activations)
            if identity:  # as in PyTorch: the last layer gives net inputs, the loss applies softmax
                last = problem.layers[-1].replace(activations=(layers.SOFTMAX,))
                problem = problem.replace(layers=(*problem.layers[:-1], last))
            elif not softmax:
                item.fail("softmax_cross_entropy works on net inputs: the last layer must be softmax or identity")
    if targets or not problem.samples:
        return problem.replace(loss=loss)
    item.fail("a loss needs targets: give targets for every sample, or leave the loss out")
    return problem


def _loss_function(item: Item) -> Loss | None:
    if item.kind == "mapping":
        options = item.section(("huber",))
        if "huber" not in options:
            item.fail("expected a loss such as {example}", example="{huber: {delta: 1}}")
            return None
        inner = options["huber"].section(("delta",))
        width = inner["delta"].number() if "delta" in inner else None
        term = formula.parse("huber(t - o, 1)" if width is None else f"huber(t - o, {width.text or width.numerator})", formula.any_name)
        return Loss("huber", "terms", term)
    text = item.text()
    if text is None:
        return None
    if text == FUSED:
        return Loss(text, "fused")
    if text in LOSSES:
        term_text, mean = LOSSES[text]
        return Loss(text, "terms", formula.parse(term_text.replace(", d)", ", 1)"), formula.any_name), mean)
    if is_name(text) and text not in ("o", "t"):
        item.fail("unknown loss {found}{near}; known are {known}", found=item.shown, near=near(text, [*LOSSES, FUSED]), known=", ".join([*LOSSES, FUSED]))
        return None
    term = item.formula({"o", "t"})
    return Loss(text, "terms", term) if term is not None else None


def _update(found: dict[str, Item], problem: Problem) -> Problem:
    if "update" not in found:
        return problem
    part = found["update"].section(keys("update"))
    if "biases" in part:
        problem = problem.replace(trained_biases=part["biases"].flag() is not False)
    names = set(parameter_names(problem.layers)) | set(problem.parameters)
    frozen = set()
    for item in (part["frozen"].sequence() if "frozen" in part else None) or ():
        text = item.text()
        if text is not None and text not in names:
            item.fail("there is no parameter {found}{near}", found=item.shown, near=near(text, names))
        frozen.add(text or "")
    return problem.replace(frozen=frozenset(frozen))


def parameter_names(built: tuple[Layer, ...]) -> list[str]:
    """Every name or id a parameter can be called by."""
    result: list[str] = []
    for place, layer in enumerate(built, 1):
        result.extend(layer.weight_names.values())
        width = len(layer.neurons)
        result.extend(f"W{place}[{to + 1},{source + 1}]" for to in range(min(width, 50)) for source in range(50) if (to, source) not in layer.weight_names)
        if layer.bias:
            result.extend(layer.bias.names.values())
            result.extend(f"b{place}[{to + 1}]" for to in range(width))
            result.append(f"b{place}")
    return result


# --- equations --------------------------------------------------------------------------------------------------------


def _equations(root: Item, found: dict[str, Item], problem: Problem) -> Problem:
    for key in ("layers", "inputs", "targets", "samples", "data", "loss", "error"):
        if key in found:
            found[key].fail("does not go with equations")
    given: dict[str, Number] = {}
    for name, item in ((found["given"].mapping() if "given" in found else None) or {}).items():
        if not is_name(name) or name[0].isdigit():
            item.fail("a name has letters, digits and _ only (at most 40), found {found}", found=f'"{printable(name)}"')
        given[name] = item.number() or ZERO
    equations: list[Equation] = []
    known = set(given)
    entries = found["equations"].mapping() or {}
    if not entries and found["equations"].kind == "mapping":
        found["equations"].fail("there is no equation")
    if len(entries) > EQUATION_LIMIT:
        found["equations"].fail("more than {limit} equations", limit=EQUATION_LIMIT)
        entries = {}
    for name, item in entries.items():
        if not is_name(name) or name[0].isdigit():
            item.fail("a name has letters, digits and _ only (at most 40), found {found}", found=f'"{printable(name)}"')
        if name in known:
            item.fail('"{name}" is defined already; use a new name for the new value', name=name)
        expr = item.formula(known)
        known.add(name)
        if expr is not None:
            equations.append(Equation(name, expr))
    minimize = _text(found, "minimize")
    if minimize and minimize not in entries:
        found["minimize"].fail("there is no equation {found}{near}", found=found["minimize"].shown, near=near(minimize, entries))
    parameters = []
    for item in (found["parameters"].sequence() if "parameters" in found else None) or ():
        text = item.text()
        if text is not None and text not in given:
            item.fail("there is no given number {found}{near}", found=item.shown, near=near(text, given))
        parameters.append(text or "")
    problem = problem.replace(given=given, equations=tuple(equations), minimize=minimize, parameters=tuple(parameters))
    return _update(found, problem)


# --- rounding and conventions -----------------------------------------------------------------------------------------


def _rounding(item: Item) -> Rounding:
    part = item.section(keys("rounding"))
    decimals, significant = _digits(item, part)
    overrides = []
    if "overrides" in part:
        for pattern, entry in (part["overrides"].mapping() or {}).items():
            inner = entry.section(("decimals", "significant"))
            overrides.append((pattern, *_digits(entry, inner)))
    return Rounding(
        decimals,
        significant,
        carry=bool(part["carry"].flag()) if "carry" in part else False,
        ties=_choice(part, "ties", ("half_up", "half_even", "truncate")) or "half_up",
        overrides=tuple(overrides),
        exact=bool(part["exact"].flag()) if "exact" in part else False,
    )


def _digits(item: Item, part: dict[str, Item]) -> tuple[int | None, int | None]:
    if "decimals" in part and "significant" in part:
        item.fail("give decimals or significant, not both")
    if "decimals" in part:
        return part["decimals"].whole(0, 15), None
    return None, (part["significant"].whole(1, 17) if "significant" in part else None) or 6


def _conventions(found: dict[str, Item], problem: Problem) -> Problem:
    chosen: dict[str, str] = {}
    if "sample_reduction" in found:
        chosen["sample_reduction"] = _choice(found, "sample_reduction", ("mean", "sum")) or "mean"
    part = found["conventions"].section(keys("conventions")) if "conventions" in found else {}
    for key, item in part.items():
        if key == "bias_update":
            problem = problem.replace(trained_biases=item.flag() is not False and problem.trained_biases)
        else:
            chosen[key] = item.choice(_values("conventions", key)) or getattr(Conventions(), key)
    return problem.replace(conventions=Conventions(**chosen))

"""A problem file → `Problem`: every name resolved, every shape checked, all errors reported at once.

- `load(path)` reads a file, or a shipped problem by its name; `loads(text)` reads a text; `shipped()` lists them, `title_in(text)` is the
  title of one.
- `in_own_words(text)` is the text of a file without other spellings, as it is saved.
- `loads_placed(text, …)` also says where in the text each number stands, for whoever writes others there.

`_problem` reads as the order of the file format: header, then layers (samples.py, layers.py, loss.py) or equations
(equations.py), then how to work it (settings.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from handcalc.core.expr import Number
from handcalc.core.record import Record
from handcalc.disk.reading import inside_only
from handcalc.errors import Message, ProblemError
from handcalc.layers import layer_type
from handcalc.loading.classtargets import with_classes
from handcalc.loading.equations import EQUATION_KEYS, equations
from handcalc.loading.layers import build, kind_of, layer_items, neuron_names
from handcalc.loading.loss import add_loss
from handcalc.loading.readsamples import count_targets
from handcalc.loading.samples import samples, test_set
from handcalc.loading.settings import add_settings
from handcalc.problem.dataset import Dataset
from handcalc.problem.drawn import DrawnArray
from handcalc.problem.fields import read_section
from handcalc.problem.files import decoded, read, read_text, shipped_folder, shown_path, standard_input
from handcalc.problem.names import Names
from handcalc.problem.punctuation import half_width
from handcalc.problem.reader import FileNode, near
from handcalc.problem.schema import Layer, Problem, Sample
from handcalc.problem.shapes import Axes, input_axes, names_of, size, spelled
from handcalc.problem.values import Section
from handcalc.stages import LOAD, stage

if TYPE_CHECKING:
    from pathlib import Path


STDIN = "-"


def shipped() -> dict[str, Path]:
    """The problems that come with handcalc, by name."""
    from pathlib import Path

    return {path.stem: path for path in sorted(Path(shipped_folder()).glob("*.yaml"))}


def shipped_course(name: str) -> dict[str, Path]:
    """The problems of a course that comes with handcalc, by name, in their order; none where there is no such course."""
    from pathlib import Path

    folder = Path(shipped_folder(), name)
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if name.replace("-", "").isalnum() and folder.is_dir() else {}


def title_in(text: str, language: str = "en") -> str:
    """The title line of a problem file, in a language if it has one, without reading the whole file as YAML."""
    found = {}
    for line in text.splitlines():
        for key in ("title", "title_zh"):
            if line.startswith(f"{key}:"):
                found[key] = line.removeprefix(f"{key}:").strip().strip("'\"")
    return found.get("title_zh" if language == "zh" else "title") or found.get("title", "")


def load(path: str | os.PathLike[str], safe: bool | None = None) -> Problem:
    """The problem in a YAML file; a name without a folder may be a shipped problem's, and - is standard input.

    safe: whether files that it names are read in its folder only; so it is, but for the command line, unless False is given.
    Raises ProblemError with every error of the file.
    """
    if path == STDIN:
        text = decoded(standard_input(), "stdin")
        with stage(LOAD):
            return _problem(read_text(text, "stdin", os.curdir))
    with inside_only(safe), stage(LOAD):
        return _problem(read(file_of(path)))


def file_of(path: str | os.PathLike[str]) -> str:
    """The file that is meant: the one of that name, else a shipped problem, which may be in a course: course/01-neuron. Raises
    ProblemError where there is none."""
    text = os.fspath(path)
    folder, _, name = text.replace(os.sep, "/").partition("/")
    if name and not os.path.lexists(text) and name in (course := shipped_course(folder)):
        return str(course[name])
    if text and os.path.basename(text) == text and not os.path.lexists(text):
        name = text.removesuffix(".yaml")
        file = os.path.join(shipped_folder(), name + ".yaml")
        if not os.path.isfile(file):
            hint = near(name, shipped())
            raise ProblemError(
                Message("there is no such file, and no shipped problem of that name{near}", f"{shown_path(text)}: ", near=hint)
            )
        text = file
    return text


class PlacedProblem(Record):
    """A problem, and where its numbers stand in the text: (number, from, to) by the identity of the number, which is in the problem;
    drawn: the same of numbers that are drawn, the array and the place in it; files: the names of the files beside it that were read."""

    problem: Problem
    numbers: Mapping[int, tuple[Number, int, int]]
    drawn: Mapping[int, tuple[DrawnArray, int]]
    files: tuple[str, ...]


def loads_placed(text: str, name: str, folder: str | None) -> PlacedProblem:
    """The same as `loads`, with the places of numbers."""
    root = read_text(text, name, folder)
    root.source.numbers = {}
    problem = _problem(root)
    return PlacedProblem(problem, root.source.numbers, root.source.drawn, tuple(dict.fromkeys(root.source.files)))


def loads(text: str, name: str = "problem", folder: str | os.PathLike[str] | None = None, safe: bool | None = None) -> Problem:
    """The problem in a YAML text; files it names are beside it in `folder`, and without one none are read. safe: as for `load`.

    Raises ProblemError with every error.
    """
    with inside_only(safe):
        return _problem(read_text(text, name, None if folder is None else os.fspath(folder)))


def in_own_words(text: str, path: str = "") -> str:
    """The same file in the format's own words, for whoever writes into it: other spellings and full-width punctuation are replaced."""
    from contextlib import suppress

    plain = half_width(text)
    root = read_text(plain, shown_path(path), os.path.dirname(path))
    with suppress(ProblemError):  # of files beside it, which may be elsewhere now
        _problem(root)
    for (start, end), word in sorted(root.source.respelled.items(), reverse=True):
        anchor, _, _ = plain[start:end].rpartition(" ") if plain[start] == "&" else ("", "", "")
        plain = plain[:start] + (f"{anchor} " if anchor else "") + word + plain[end:]
    return plain


def _problem(root: FileNode) -> Problem:
    found = read_section(root, "problem")
    if root.kind != "mapping":
        root.source.finish()
    problem = _header(found, root)
    if "equations" in found or ("layers" not in found and "parameters" in found):
        problem = equations(found, problem)
    elif "layers" in found:
        problem = _network(root, found, problem)
    else:
        root.fail("layers or equations are missing: there is nothing to compute")
    problem = add_settings(found, problem)
    _check_states(found, problem)
    root.source.finish()
    return problem


def _header(found: Section, root: FileNode) -> Problem:
    version = found.get("handcalc")
    if version and version.typed != "1":
        version.fail("format version 1 is expected, found {found}", found=version.shown)
    _check_texts(found)
    return Problem(path=root.source.name, **found.read(("title", "title_zh", "text", "text_zh", "source", "notation", "language")))


def _check_texts(found: Section) -> None:
    """An error for a brace of a word problem that is not one of a pair."""
    for key in {"text", "text_zh"} & {*found}:
        from handcalc.language import UNPAIRED, pieces  # rarely there, so nobody else waits for it

        for what, piece in pieces(found.value(key, "")):
            if what == UNPAIRED:
                found[key].fail("a brace without its other one: {found}; for the letter itself write it twice", found=f'"{piece}"')


def _network(root: FileNode, found: Section, problem: Problem) -> Problem:
    for key in EQUATION_KEYS:
        if key in found:
            found[key].fail("goes with equations, not with layers")
    problem, names = _given(found, problem)
    entries = layer_items(found["layers"])
    numbers: tuple[int, ...] = ()
    if any(entry.entry("bidirectional") for entry in entries):
        from handcalc.loading.directions import in_both  # rarely there, so nobody else waits for it

        entries, numbers = in_both(entries)
    neurons = neuron_names(entries, names)
    first = kind_of(entries[0]) if entries else "dense"
    outputs = neurons[-1] if neurons else ()
    names.tokens = any(layer_type(kind).first[0] == ("token",) for entry in entries if (kind := kind_of(entry)))
    read = samples(root, found, outputs, names)
    inputs = read.names
    cases, tests = test_set(found["test"], found, read, outputs, names) if "test" in found else (read.samples, ())
    axes = _axes(found, inputs, names.shape, first) if inputs and first else ()
    if names.shape or len(axes) > 1:
        inputs = names_of(axes)
    layers = build(entries, neurons, axes, names, len(cases), numbers)
    names.check_unnamed(layers)
    if cases and layers and len(layers) == len(entries):
        cases, tests = (with_classes(found, some, layers[-1]) for some in (cases, tests))
        _check_targets(root, found, cases, layers[-1], names.by_rows)
    for layer in layers if cases else ():
        if check := layer_type(layer.type).check_inputs:
            check(layer, found.get("inputs", root), cases)
    problem = problem.replace(inputs=inputs, axes=axes, samples=cases, test=tests, layers=layers, encoded=read.encoded)
    if "standardize" in found and cases:
        from handcalc.loading.standardise import add_standard  # rarely there, so nobody else waits for it

        problem = add_standard(found["standardize"], problem)
    return add_loss(found, problem)


def _given(found: Section, problem: Problem) -> tuple[Problem, Names]:
    """The problem with numbers in the place of what would be worked out; the names of their cells, and of lists, with their sizes."""
    if "given" not in found:
        return problem, Names()
    from handcalc.loading.given import given_cells  # rarely there, so nobody else waits for it

    fixed = given_cells((found["given"].mapping() or {}).items())
    return problem.replace(fixed=fixed), Names({given.whole or given.name: given.sizes for given in fixed})


def _axes(found: Section, inputs: tuple[str, ...], shape: tuple[int, ...], first: str) -> Axes:
    """The directions of the inputs: one, or those of a list of lists, or those of `input_shape`."""
    if "input_shape" in found:
        shape = found.value("input_shape", ())
        if prod(shape) != len(inputs):
            found["input_shape"].fail(
                "there {found:is|are} {found} {found:input|inputs}, which is not {wanted}",
                found=len(inputs),
                wanted="×".join(map(str, shape)),
            )
            return ()
    forms = layer_type(first).first
    if len(shape) > len(forms):
        found.get("input_shape", found.get("inputs", found["layers"])).fail(
            "inputs are lists {found} deep; the first layer ({type}) takes at most {most}", found=len(shape), type=first, most=len(forms)
        )
        return ()
    return input_axes(shape or (len(inputs),), forms, () if shape else inputs)


def _check_states(found: dict[str, FileNode], problem: Problem) -> None:
    """Initial states of every sample belong to the samples as they are listed, all of them together."""
    if problem.own_states:
        if problem.training.mode != "batch":
            found["training"].fail("initial states of every sample go with mode: batch only; or give one state for all samples")
        if problem.test:
            found["test"].fail("initial states of every sample leave none to test with; give one state for all samples")


def _check_targets(root: FileNode, found: dict[str, FileNode], cases: Sequence[Sample], last: Layer, by_rows: bool) -> None:
    """A target for every number that the last layer puts out."""
    wanted = size(last.axes)
    wrong = next(
        (
            sample
            for sample in cases[: 1 if isinstance(cases, Dataset) else 100]
            if sample.targets is not None and len(sample.targets) != wanted
        ),
        None,
    )
    if wrong is not None and (last.type != "dense" or len(last.axes) > 1 or by_rows or isinstance(cases, Dataset)):
        item = found.get("targets") or ("data" in found and found["data"].entry("targets")) or root
        if last.neurons and len(last.axes) == 1:
            count_targets(item, len(wrong.targets or ()), last.neurons)
            return
        text = "one target per output is expected: {wanted} ({axes}), found {found}"
        item.fail(text, wanted=wanted, axes=spelled(last.axes), found=len(wrong.targets or ()))

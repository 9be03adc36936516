"""Samples from a file beside the problem: columns of a CSV file, or arrays of an NPZ file.

- `data_file(found)` reads `data:` with its `inputs` and `targets`; `read_file(file, outputs, names)` the file itself.

Columns are named one by one or as a range, pixel1..pixel784: from one column to another as they stand in the file. A column
of classes, or an array of them, becomes targets of 0 and 1, with one output neuron for each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handcalc.core.expr import ONE, ZERO, Number, div
from handcalc.core.record import Record
from handcalc.loading.codes import Codes, one_hot
from handcalc.loading.readsamples import NO_SAMPLES, ReadSamples, count_targets, countable, few_inputs
from handcalc.problem.arrayfiles import load_array
from handcalc.problem.arrays import spelled
from handcalc.problem.csvfiles import Column, CsvFile, open_csv
from handcalc.problem.dataset import Dataset
from handcalc.problem.fields import read_section
from handcalc.problem.names import Names
from handcalc.problem.reader import FileNode, is_name, listed, near, quoted
from handcalc.problem.schema import Sample

RANGE = ".."
CLASSES = "targets: {classes: label}"


class DataFile(Record):
    """What is read: the file, where it is named, inputs and targets in it, what inputs are divided by, what words stand for; known: the
    names of the inputs of another file, which this one is to have too."""

    name: str
    item: FileNode
    inputs: FileNode
    targets: FileNode | None = None
    scale: Number = ONE
    codes: FileNode | None = None
    known: tuple[str, ...] = ()


def data_file(found: dict[str, FileNode]) -> DataFile | None:
    """`data: FILE` with inputs and targets beside it, or `data: {file: FILE, inputs: …, targets: …, scale: …}`; None after an error."""
    item = found["data"]
    part = read_section(item, "data", "file")
    for key in ("inputs", "targets"):
        if key in part and key in found:
            found[key].fail("data says it already; leave one of both out")
    inputs = part.get("inputs") or found.get("inputs")
    if inputs is None or inputs.kind == "sequence" and not inputs.sequence():
        (inputs or item).fail("inputs are missing: name the columns of the data file")
    if "file" not in part:
        item.fail("the file's name is missing")
    name = part["file"].text() if "file" in part else None
    targets = part.get("targets") or found.get("targets")
    if name is None or inputs is None:
        return None
    return DataFile(name, part["file"], inputs, targets, part.value("scale", ONE), part.get("codes"))


def read_file(file: DataFile, outputs: tuple[str, ...], names: Names) -> ReadSamples:
    """The samples of one file. Nothing after an error."""
    return (_from_archive if file.name.lower().endswith(".npz") else _from_table)(file, outputs, names)


# --- columns of a table -----------------------------------------------------------------------------------------------


def _from_table(file: DataFile, outputs: tuple[str, ...], names: Names) -> ReadSamples:
    table = open_csv(file.item, file.name)
    if table is None:
        return NO_SAMPLES
    codes = Codes(file.codes, table)
    coded = [(name, column, item) for place, item in _columns(file.inputs, table) or () for name, column in codes.columns(place)]
    named = bool(coded) and _new_names(file, [(name, item) for name, _, item in coded], names)
    targets, classes = _target_columns(file, table, outputs, codes)
    if not named or targets is None:
        return NO_SAMPLES
    called = table.heading.index("name") if "name" in table.heading else -1
    words = [place for place in (classes, called) if place >= 0]
    found = table.read([column for _, column, _ in coded] + targets, words, classes)
    if found is None or not countable(file.item, len(found[0]), "samples" if isinstance(found[0], list) else "rows"):
        return NO_SAMPLES
    numbers, texts = found
    own = tuple(name for name, _, _ in coded)
    places = class_places(file, texts[0], outputs) if classes >= 0 else None
    called_so = _distinct(texts[-1]) if called >= 0 else None
    if classes >= 0 and places is None:
        return NO_SAMPLES
    encoded = {**codes.told, **(_told_classes(table.heading[classes], texts[0], places, len(outputs)) if classes >= 0 else {})}
    if isinstance(numbers, list):
        return ReadSamples(own, _typed(file, numbers, len(own), places, called_so, outputs), encoded)
    given = numbers[:, len(own) :] if targets else places
    return ReadSamples(own, _array(file, numbers[:, : len(own)], given, outputs, called_so), encoded)


def _told_classes(column: str, labels: list[str], places: Any, count: int) -> dict[str, dict[str, str]]:
    """What classes that are words stand for: 1 at their output, 0 at the others."""
    found = {label: one_hot(int(place), count) for label, place in zip(labels, places) if not label.isdecimal()}
    return {column: dict(sorted(found.items(), key=lambda entry: entry[1], reverse=True))} if found else {}


def _columns(item: FileNode, table: CsvFile) -> list[tuple[int, FileNode]] | None:
    """The places of the columns that are named, each with where it is named; None after an error."""
    parts = [item] if item.kind == "text" else item.sequence()
    result: list[tuple[int, FileNode]] = []
    for part in parts or ():
        text, here = part.text() or "", FileNode(part.node, item.path, item.source)
        ends = [text] if text in table.heading or RANGE not in text else [end.strip() for end in text.split(RANGE, 1)]
        lacking = [end for end in ends if end not in table.heading]
        for end in lacking:
            known = listed(table.heading)
            item.fail(
                "{file} has no column {found}{near}; it has {known}",
                file=table.name, found=quoted(end), near=near(end, table.heading), known=known,
            )  # fmt: skip
        if lacking:
            return None
        first, last = table.heading.index(ends[0]), table.heading.index(ends[-1])
        if first > last:
            part.fail("column {first} stands after column {last}", first=quoted(ends[0]), last=quoted(ends[1]))
            return None
        result += [(place, here) for place in range(first, last + 1)]
    return result or None


def _new_names(file: DataFile, found: Sequence[tuple[str, FileNode]], names: Names) -> bool:
    """Take the names of the inputs; an error where they are no names, or not those that are known."""
    own = tuple(name for name, _ in found)
    if file.known:
        if own != file.known:
            file.inputs.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=listed(file.known), found=listed(own))
        return own == file.known
    for name, item in found:
        if item.named(name):
            names.input(name, item)
    return few_inputs(file.inputs, len(found))


def _target_columns(file: DataFile, table: CsvFile, outputs: tuple[str, ...], codes: Codes) -> tuple[list[Column] | None, int]:
    """The places of the targets, or of the one column of classes (else −1); None after an error."""
    item = file.targets
    if item is None:
        return [], -1
    if item.kind == "mapping":
        part = item.section(("classes",))
        column = _columns(part["classes"], table) if "classes" in part else None
        if "classes" not in part:
            item.fail("expected a list of columns, or a column of classes: {example}", example=CLASSES)
        return ([], column[0][0]) if column else (None, -1)
    places = _columns(item, table)
    if places is None:
        return None, -1
    columns = [column for place, _ in places for _, column in codes.columns(place)]
    if len(columns) == 1 and len(outputs) > 1:
        message = "one target per output is expected: {wanted} ({names}); if {found} holds classes, write {example}"
        found = table.heading[columns[0].place]
        item.fail(message, wanted=len(outputs), names=listed(outputs), found=quoted(found), example=CLASSES.replace("label", found))
        return None, -1
    return (columns if count_targets(item, len(columns), outputs) else None), -1


def _distinct(called: list[str]) -> list[str] | None:
    """The names of the samples, where every one has a name of its own."""
    return called if len(set(called)) == len(called) and all(map(is_name, called)) else None


def _typed(
    file: DataFile,
    rows: list[tuple[Number, ...]],
    width: int,
    places: Sequence[int] | None,
    called: list[str] | None,
    outputs: tuple[str, ...],
) -> tuple[Sample, ...]:
    """Samples whose numbers keep their digits."""
    result = []
    for number, row in enumerate(rows):
        inputs = tuple(div(value, file.scale) for value in row[:width])
        targets: tuple[Number, ...] | None = row[width:] or None
        if places is not None:
            targets = tuple(ONE if places[number] == unit else ZERO for unit in range(len(outputs)))
        result.append(Sample(called[number] if called else str(number + 1), inputs, targets))  # type: ignore[arg-type]
    return tuple(result)


def _array(file: DataFile, inputs: Any, targets: Any, outputs: tuple[str, ...], called: list[str] | None = None) -> Dataset:
    scale = file.scale.numerator / file.scale.denominator
    if inputs.dtype == float and scale != 1:
        inputs, scale = inputs / scale, 1.0
    units = len(outputs) if targets is None or targets.ndim == 1 else targets.shape[1]
    return Dataset(inputs, targets, units, scale, called)


# --- classes ----------------------------------------------------------------------------------------------------------


def class_places(file: DataFile, labels: Sequence[Any], outputs: tuple[str, ...]) -> Any:
    """The output neuron of each label: the one of that name, else whole numbers from 0; None after an error."""
    import numpy

    item = file.targets
    assert item is not None
    if len(outputs) < 2:
        item.fail("classes need an output neuron each; for a single output name the column of targets")
        return None
    found, backward = numpy.unique(numpy.asarray(labels), return_inverse=True)
    named = {name: place for place, name in enumerate(outputs)}
    known = {str(label): named.get(str(label), -1) for label in found}
    if -1 in known.values():
        known = {str(label): _whole(label, len(outputs)) for label in found}
    wrong = [label for label, place in known.items() if place < 0]
    if wrong:
        message = "{file} has the class {found}, for which there is no output: classes are {known}, or whole numbers from 0 to {last}"
        item.fail(message, file=file.name, found=quoted(wrong[0]), known=listed(outputs), last=len(outputs) - 1)
        return None
    return numpy.array([known[str(label)] for label in found])[backward.reshape(-1)]


def _whole(label: Any, count: int) -> int:
    """The place a whole number stands for; −1 where there is none."""
    try:
        value = float(label)
    except ValueError:
        return -1
    return int(value) if value in range(count) else -1


# --- arrays of an archive ---------------------------------------------------------------------------------------------


def _from_archive(file: DataFile, outputs: tuple[str, ...], names: Names) -> ReadSamples:
    inputs = _named_array(file, file.inputs)
    targets = None if file.targets is None else _named_array(file, file.targets)
    if inputs is None or file.targets is not None and targets is None:
        return NO_SAMPLES
    if inputs.ndim < 2:
        file.inputs.fail("the array is {found}, expected one row for each sample", found=spelled(inputs.shape))
        return NO_SAMPLES
    if not len(inputs):
        file.item.fail("{file} is empty", file=file.name)
        return NO_SAMPLES
    inputs = inputs.reshape(len(inputs), -1)
    own = file.known or tuple(f"x{place + 1}" for place in range(inputs.shape[1]))
    if len(own) != inputs.shape[1]:
        file.inputs.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=listed(own), found=inputs.shape[1])
        return NO_SAMPLES
    if not countable(file.item, len(inputs), "rows") or not few_inputs(file.inputs, inputs.shape[1]):
        return NO_SAMPLES
    for name in own if not file.known else ():
        names.input(name, file.inputs)
    if targets is not None:
        targets = _target_array(file, targets, len(inputs), outputs)
        if targets is None:
            return NO_SAMPLES
    return ReadSamples(own, _array(file, inputs, targets, outputs))


def _named_array(file: DataFile, item: FileNode) -> Any:
    name = item.text()
    return None if name is None else load_array(item, file.name, name, file.item)


def _target_array(file: DataFile, targets: Any, count: int, outputs: tuple[str, ...]) -> Any:
    """Targets by (sample, unit), or the class of each sample, or of each of its tokens; None after an error."""
    item = file.targets
    assert item is not None
    if targets.ndim == 3 and targets.shape[2] == max(len(outputs), 1):  # of every token or time
        targets = targets.reshape(len(targets), -1)
        outputs = ()
    if targets.shape[:1] != (count,) or targets.ndim > 2:
        item.fail("the array is {found}, expected {wanted} rows, as many as there are inputs", found=spelled(targets.shape), wanted=count)
        return None
    if targets.ndim == 1 or targets.shape[1] == 1:
        return class_places(file, targets.reshape(-1), outputs) if len(outputs) > 1 else targets.reshape(count, 1)
    may_be_classes = len(outputs) > 1 and bool(((targets >= 0) & (targets < len(outputs)) & (targets % 1 == 0)).all())
    return targets if may_be_classes or count_targets(item, targets.shape[1], outputs) else None

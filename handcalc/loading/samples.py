"""Reading inputs and targets: one sample, several, or a file beside the problem (data.py); and what is kept for testing.

- `samples(root, found, outputs, names)` are the inputs' names and the samples; `test_set` divides or reads those to test with.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import ONE, ZERO, Number
from handcalc.loading.classtargets import one_hot
from handcalc.loading.readsamples import NO_SAMPLES, ReadSamples, count_targets, countable
from handcalc.problem.arrays import read_row
from handcalc.problem.dataset import Samples, have_targets, select
from handcalc.problem.fields import read_section
from handcalc.problem.names import Names
from handcalc.problem.reader import FileNode, listed, literal, near, quoted
from handcalc.problem.schema import Sample
from handcalc.problem.shapes import nested
from handcalc.problem.values import Section

Numbers = tuple[Number, ...]


def samples(root: FileNode, found: dict[str, FileNode], outputs: tuple[str, ...], names: Names) -> ReadSamples:
    """The names of the inputs and every sample; targets by the names of the last layer. Nothing after an error."""
    if "data" in found:
        if "samples" in found:
            found["samples"].fail("data replaces it; leave one of both out")
        from handcalc.loading.data import data_file, read_file  # rarely there, so nobody else waits for it

        file = data_file(found)
        return read_file(file, outputs, names) if file else NO_SAMPLES
    if "samples" in found:
        for key in ("inputs", "targets"):
            if key in found:
                found[key].fail("samples replaces it; leave one of both out")
        read = _several(found["samples"], outputs, names)
        return read.replace(names=_unknown(found, names)) if read.samples and not read.names else read
    if "inputs" not in found and names.given:
        return ReadSamples(_unknown(found, names), (Sample("", (), _targets(found.get("targets"), outputs)),))
    if "inputs" not in found:
        root.fail("inputs are missing: give inputs, samples or data")
        return NO_SAMPLES
    own, inputs = _inputs(found["inputs"], (), names)
    return ReadSamples(own, (Sample("", inputs, _targets(found.get("targets"), outputs, names.by_rows)),))


def _unknown(found: dict[str, FileNode], names: Names) -> tuple[str, ...]:
    """The names of inputs that nobody gave, of `input_shape`, or of one input."""
    item = found.get("input_shape")
    shape = [size for part in (item.sequence() or ()) if (size := part.whole(1, 100_000))] if item else [1]
    return _numbered(prod(shape), item or found["given"], names)


def _several(item: FileNode, outputs: tuple[str, ...], names: Names, own: tuple[str, ...] = ()) -> ReadSamples:
    """A list of samples; own: the names of the inputs, where they are known."""
    entries = item.sequence()
    if entries is None or not countable(item, len(entries), "samples"):
        return NO_SAMPLES
    taken: dict[str, FileNode] = {}
    result: list[Sample] = []
    for number, entry in enumerate(entries, 1):
        found = read_section(entry, "sample")
        if entry.kind != "mapping":
            continue
        called = (found["name"].name() if "name" in found else None) or str(number)
        if called in taken:
            entry.fail('the name "{name}" is there twice; also in line {line}', name=called, line=taken[called].place[0])
        taken.setdefault(called, entry)
        if "inputs" not in found and (own or not names.given):
            entry.fail("inputs are missing")
            continue
        if "inputs" in found and result and not own:
            found["inputs"].fail("give inputs for every sample or for none")
        read, inputs = _inputs(found["inputs"], own, names) if "inputs" in found else (own, ())
        own = own or read
        result.append(Sample(called, inputs, _targets(found.get("targets"), outputs, names.by_rows)))
    if len({sample.targets is None for sample in result}) > 1:
        lacking = [sample.name for sample in result if sample.targets is None]
        item.fail("targets are missing for {names}; give them for every sample or for none", names=", ".join(lacking[:8]))
    return ReadSamples(own, tuple(result))


# --- inputs and targets -----------------------------------------------------------------------------------------------


def _inputs(item: FileNode, own: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], Numbers]:
    """Names and values of one sample; `own` are the names of the samples before, if any."""
    if item.names("file"):
        row = read_row(item)
        return own or _numbered(len(row), item, names), row
    if item.kind == "mapping":
        entries = item.mapping() or {}
        if own and set(entries) != set(own):
            item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=listed(own), found=listed(entries))
            return own, ()
        for name, entry in entries.items():
            if not own and entry.named(name):
                names.input(name, entry)
        if not entries:
            item.fail("there is no input")
        read = own or tuple(entries)
        return read, _numbers([entries[name] for name in read])
    if item.kind != "sequence":
        item.fail("expected a mapping {example} or a list of numbers, found {found}", example="{x1: 0.5}", found=item.shown)
        return own, ()
    parts = item.sequence() or []
    if any(part.kind == "sequence" for part in parts):
        return _nested(item, own, names)
    if not parts:
        item.fail("there is no input")
    elif own and len(parts) != len(own):
        item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=listed(own), found=len(parts))
    return own or _numbered(len(parts), item, names), _numbers(parts)


def _nested(item: FileNode, own: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], Numbers]:
    """Inputs as rows and columns, times and features …; every sample has the same shape."""
    found = nested(item)
    if found is None:
        return own, ()
    shape, parts = found
    if own and shape != names.shape:
        item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=_sizes(names.shape), found=_sizes(shape))
    names.shape = names.shape or shape
    return own or tuple(map(str, range(1, len(parts) + 1))), _numbers(parts)


def _sizes(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"


def _numbered(count: int, item: FileNode, names: Names) -> tuple[str, ...]:
    """x1, x2 … for inputs without names."""
    result = tuple(f"x{place + 1}" for place in range(count))
    for name in result:
        names.input(name, item)
    return result


def _numbers(items: list[FileNode]) -> Numbers:
    return tuple(item.number() or ZERO for item in items)


def _targets(item: FileNode | None, outputs: tuple[str, ...], by_rows: bool = False) -> Numbers | None:
    """The targets in the order of the outputs; a single number where there is one output; None where none are given."""
    if item is None:
        return None
    if item.kind == "mapping":
        entries = item.mapping() or {}
        for name, entry in entries.items():
            if outputs and name not in outputs:
                entry.fail(
                    "there is no output neuron {found}{near}; outputs are {known}",
                    found=quoted(name),
                    near=near(name, outputs),
                    known=listed(outputs),
                )
        missing = tuple(name for name in outputs if name not in entries)
        if missing:
            item.fail("targets are missing for {names}", names=listed(missing))
        return _numbers(
            [entry for name, entry in entries.items() if name not in outputs] + [entries[name] for name in outputs if name in entries]
        )
    if item.kind == "text" and len(outputs) > 1 and item.node.value in outputs:  # the class: 1 there, else 0
        return tuple(ONE if name == item.node.value else ZERO for name in outputs)
    found = nested(item)
    if found is None:
        return ()
    shape, parts = found
    if parts and all(part.typed in outputs and not isinstance(literal(part.typed), Number) for part in parts):  # a class for every token
        return one_hot([outputs.index(part.typed) for part in parts], len(outputs))
    if len(shape) < 2 and not by_rows:  # others are compared with the shape of the last layer
        count_targets(item, len(parts), outputs)
    return _numbers(parts)


# --- a test set -------------------------------------------------------------------------------------------------------


def test_set(
    item: FileNode, found: dict[str, FileNode], read: ReadSamples, outputs: tuple[str, ...], names: Names
) -> tuple[Samples, Samples]:
    """The samples to train with and those to test with: a share of all, another file, or a list. Nothing to test after an error."""
    part = read_section(item, "test", "share" if isinstance(literal(item.typed), Number) else "file")
    if "share" in part:
        for key in part.keys() - {"share", "seed"}:
            part[key].fail("share takes samples of the problem; leave one of both out")
        return _shared(part, read.samples)
    if "seed" in part:
        part["seed"].fail("goes with share only")
    if item.kind == "sequence":
        tests = _several(item, outputs, names, read.names).samples
    elif "data" in found:
        tests = _from_file(part, found, read.names, outputs, names)
    else:
        item.fail("expected a share of the samples such as 0.2, or a list of samples, found {found}", found=item.shown)
        return read.samples, ()
    if tests and not have_targets(tests):
        item.fail("targets are missing: without them nothing can be tested")
    return read.samples, tests


def _from_file(
    part: dict[str, FileNode], found: dict[str, FileNode], own: tuple[str, ...], outputs: tuple[str, ...], names: Names
) -> Samples:
    """Another file, with the columns or arrays of the data where nothing else is said."""
    from handcalc.loading.data import data_file, read_file

    file = data_file(found)
    if file is None or not own:
        return ()
    where = part.get("file", file.item)
    inputs, targets = part.get("inputs", file.inputs), part.get("targets", file.targets)
    name = where.text()
    if name is None:
        return ()
    return read_file(file.replace(name=name, item=where, inputs=inputs, targets=targets, known=own), outputs, names).samples


def _shared(part: Section, cases: Samples) -> tuple[Samples, Samples]:
    """A share of the samples, drawn with a seed, for testing; the others keep their order."""
    from random import Random

    share, seed = part.value("share"), part.value("seed", 0)
    if share is None:
        return cases, ()
    if len(cases) < 2:
        part["share"].fail("there are no samples to take some of")
        return cases, ()
    count = min(max(round(len(cases) * share.numerator / share.denominator), 1), len(cases) - 1)
    places = list(range(len(cases)))
    Random(seed).shuffle(places)
    return select(cases, sorted(places[count:])), select(cases, sorted(places[:count]))

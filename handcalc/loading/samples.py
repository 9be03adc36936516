"""Reading inputs and targets: one sample, several, or a file beside the problem (data.py); and what is kept for testing.

- `samples(root, found, outputs, names)` are the inputs' names and the samples; `test_set` divides or reads those to test with.
"""

from __future__ import annotations

from collections.abc import Iterable

from handcalc.core.expr import ZERO, Number
from handcalc.problem.arrays import names_file, read_row
from handcalc.problem.dataset import Samples, have_targets, select
from handcalc.problem.fields import keys
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.names import Names
from handcalc.problem.reader import Item, literal, near, quoted
from handcalc.problem.schema import Sample
from handcalc.problem.shapes import nested

Numbers = tuple[Number, ...]
Read = tuple[tuple[str, ...], Samples]  # names of the inputs, and the samples
NOTHING: Read = ((), ())


def samples(root: Item, found: dict[str, Item], outputs: tuple[str, ...], names: Names) -> Read:
    """The names of the inputs and every sample; targets by the names of the last layer. Nothing after an error."""
    if "data" in found:
        if "samples" in found:
            found["samples"].fail("data replaces it; leave one of both out")
        from handcalc.loading.data import data_spec, read_file  # rarely there, so nobody else waits for it

        spec = data_spec(found)
        return read_file(spec, outputs, names) if spec else NOTHING
    if "samples" in found:
        for key in ("inputs", "targets"):
            if key in found:
                found[key].fail("samples replaces it; leave one of both out")
        return _several(found["samples"], outputs, names)
    if "inputs" not in found:
        root.fail("inputs are missing: give inputs, samples or data")
        return NOTHING
    own, inputs = _inputs(found["inputs"], (), names)
    return own, (Sample("", inputs, _targets(found.get("targets"), outputs)),)


def _several(item: Item, outputs: tuple[str, ...], names: Names, own: tuple[str, ...] = ()) -> Read:
    """A list of samples; own: the names of the inputs, where they are known."""
    entries = item.sequence()
    if entries is None or not countable(item, len(entries), "samples"):
        return NOTHING
    taken: dict[str, Item] = {}
    result: list[Sample] = []
    for number, entry in enumerate(entries, 1):
        found = entry.section(keys("sample"))
        if entry.kind != "mapping":
            continue
        called = (found["name"].name() if "name" in found else None) or str(number)
        if called in taken:
            entry.fail('the name "{name}" is there twice; also in line {line}', name=called, line=taken[called].place[0])
        taken.setdefault(called, entry)
        if "inputs" not in found:
            entry.fail("inputs are missing")
            continue
        read, inputs = _inputs(found["inputs"], own, names)
        own = own or read
        result.append(Sample(called, inputs, _targets(found.get("targets"), outputs)))
    if len({sample.targets is None for sample in result}) > 1:
        lacking = [sample.name for sample in result if sample.targets is None]
        item.fail("targets are missing for {names}; give them for every sample or for none", names=", ".join(lacking[:8]))
    return own, tuple(result)


def countable(item: Item, count: int, kind: str) -> bool:
    """Whether there are samples, but not too many; an error where not."""
    if count < 1:
        item.fail("there is no sample")
    if count > limit(kind):
        item.fail("more than {limit} samples; set {variable} to raise the limit", limit=limit(kind), variable=raised_by(kind))
    return 1 <= count <= limit(kind)


# --- inputs and targets -----------------------------------------------------------------------------------------------


def _inputs(item: Item, own: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], Numbers]:
    """Names and values of one sample; `own` are the names of the samples before, if any."""
    if names_file(item):
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


def _nested(item: Item, own: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], Numbers]:
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


def _numbered(count: int, item: Item, names: Names) -> tuple[str, ...]:
    """x1, x2 … for inputs without names."""
    result = tuple(f"x{place + 1}" for place in range(count))
    for name in result:
        names.input(name, item)
    return result


def _numbers(items: list[Item]) -> Numbers:
    return tuple(item.number() or ZERO for item in items)


def _targets(item: Item | None, outputs: tuple[str, ...]) -> Numbers | None:
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
    found = nested(item)
    if found is None:
        return ()
    shape, parts = found
    if len(shape) < 2:  # others are compared with the shape of the last layer
        count_targets(item, len(parts), outputs)
    return _numbers(parts)


def listed(names: Iterable[str]) -> str:
    """The first names of many."""
    shown = [name[:40] for name in list(names)[:9]]
    return ", ".join(shown[:8]) + (" …" if len(shown) > 8 else "")


def count_targets(item: Item, count: int, outputs: tuple[str, ...]) -> bool:
    """Whether there is one target for each output; an error where not."""
    if outputs and count != len(outputs):
        wanted, known = len(outputs), listed(outputs)
        item.fail("one target per output is expected: {wanted} ({names}), found {found}", wanted=wanted, names=known, found=count)
    return not outputs or count == len(outputs)


# --- a test set -------------------------------------------------------------------------------------------------------


def test_set(item: Item, found: dict[str, Item], read: Read, outputs: tuple[str, ...], names: Names) -> tuple[Samples, Samples]:
    """The samples to train with and those to test with: a share of all, another file, or a list. Nothing to test after an error."""
    own, cases = read
    share = literal(item.node.value) if item.kind == "text" else None
    part = item.section(keys("test")) if item.kind == "mapping" else {"share" if isinstance(share, Number) else "file": item}
    if "share" in part:
        for key in part.keys() - {"share", "seed"}:
            part[key].fail("share takes samples of the problem; leave one of both out")
        return _shared(part["share"], cases, (part["seed"].whole(0, 10**9) if "seed" in part else 0) or 0)
    if "seed" in part:
        part["seed"].fail("goes with share only")
    if item.kind == "sequence":
        tests = _several(item, outputs, names, own)[1]
    elif "data" in found:
        tests = _from_file(part, found, own, outputs, names)
    else:
        item.fail("expected a share of the samples such as 0.2, or a list of samples, found {found}", found=item.shown)
        return cases, ()
    if tests and not have_targets(tests):
        item.fail("targets are missing: without them nothing can be tested")
    return cases, tests


def _from_file(part: dict[str, Item], found: dict[str, Item], own: tuple[str, ...], outputs: tuple[str, ...], names: Names) -> Samples:
    """Another file, with the columns or arrays of the data where nothing else is said."""
    from handcalc.loading.data import data_spec, read_file

    spec = data_spec(found)
    if spec is None or not own:
        return ()
    where = part.get("file", spec.item)
    inputs, targets = part.get("inputs", spec.inputs), part.get("targets", spec.targets)
    name = where.text()
    return (
        () if name is None else read_file(spec.replace(name=name, item=where, inputs=inputs, targets=targets, known=own), outputs, names)[1]
    )


def _shared(item: Item, cases: Samples, seed: int) -> tuple[Samples, Samples]:
    """A share of the samples, drawn with a seed, for testing; the others keep their order."""
    from random import Random

    share = item.number(positive=True)
    if share is None:
        return cases, ()
    if share.numerator >= share.denominator:
        item.fail("expected a number above 0 and below 1, found {found}", found=item.shown)
        return cases, ()
    if len(cases) < 2:
        item.fail("there are no samples to take some of")
        return cases, ()
    count = min(max(round(len(cases) * share.numerator / share.denominator), 1), len(cases) - 1)
    places = list(range(len(cases)))
    Random(seed).shuffle(places)
    return select(cases, sorted(places[count:])), select(cases, sorted(places[:count]))

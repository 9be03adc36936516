"""Reading inputs and targets: one sample, several, or a CSV file beside the problem."""

from __future__ import annotations

import os

from handcalc.core.expr import ZERO, Number
from handcalc.errors import Message, ProblemError
from handcalc.problem.arrays import names_file, read_row
from handcalc.problem.files import read_bytes
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.names import Names
from handcalc.problem.reader import Item, is_name, literal, near, quoted
from handcalc.problem.schema import Sample, keys
from handcalc.problem.shapes import nested

Numbers = tuple[Number, ...]
Samples = tuple[tuple[str, ...], tuple[Sample, ...]]  # names of the inputs, and the samples
NOTHING: Samples = ((), ())


def samples(root: Item, found: dict[str, Item], outputs: tuple[str, ...], names: Names) -> Samples:
    """The names of the inputs and every sample; targets by the names of the last layer. Nothing after an error."""
    if "data" in found:
        if "samples" in found:
            found["samples"].fail("data replaces it; leave one of both out")
        return _from_csv(found, outputs, names)
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


def _several(item: Item, outputs: tuple[str, ...], names: Names) -> Samples:
    entries = item.sequence()
    if entries is None or not _countable(item, len(entries)):
        return NOTHING
    own: tuple[str, ...] = ()
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


def _countable(item: Item, count: int) -> bool:
    """Whether there are samples, but not too many; an error where not."""
    if count < 1:
        item.fail("there is no sample")
    if count > limit("samples"):
        item.fail("more than {limit} samples; set {variable} to raise the limit", limit=limit("samples"), variable=raised_by("samples"))
    return 1 <= count <= limit("samples")


# --- inputs and targets -----------------------------------------------------------------------------------------------


def _inputs(item: Item, own: tuple[str, ...], names: Names) -> tuple[tuple[str, ...], Numbers]:
    """Names and values of one sample; `own` are the names of the samples before, if any."""
    if names_file(item):
        row = read_row(item)
        return own or _numbered(len(row), item, names), row
    if item.kind == "mapping":
        entries = item.mapping() or {}
        if own and set(entries) != set(own):
            item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=_listed(own), found=_listed(entries))
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
        item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=_listed(own), found=len(parts))
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


def _listed(names: tuple[str, ...] | dict[str, Item]) -> str:
    shown = [name[:40] for name in names][:8]
    return ", ".join(shown) + (" …" if len(names) > 8 else "")


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
                    known=_listed(outputs),
                )
        missing = tuple(name for name in outputs if name not in entries)
        if missing:
            item.fail("targets are missing for {names}", names=_listed(missing))
        return _numbers(
            [entry for name, entry in entries.items() if name not in outputs] + [entries[name] for name in outputs if name in entries]
        )
    found = nested(item)
    if found is None:
        return ()
    shape, parts = found
    if len(shape) < 2:  # others are compared with the shape of the last layer
        _count_targets(item, len(parts), outputs)
    return _numbers(parts)


def _count_targets(item: Item, count: int, outputs: tuple[str, ...]) -> None:
    if outputs and count != len(outputs):
        item.fail(
            "one target per output is expected: {wanted} ({names}), found {found}", wanted=len(outputs), names=_listed(outputs), found=count
        )


# --- CSV --------------------------------------------------------------------------------------------------------------


def _from_csv(found: dict[str, Item], outputs: tuple[str, ...], names: Names) -> Samples:
    """Samples from a CSV file with a heading line; `inputs` and `targets` name its columns, `name` is the sample's."""
    item = found["data"]
    text = item.text()
    columns = {key: [part.text() or "" for part in found[key].sequence() or ()] for key in ("inputs", "targets") if key in found}
    if "inputs" not in found or found["inputs"].kind == "sequence" and not columns["inputs"]:
        found.get("inputs", item).fail("inputs are missing: name the columns of the data file")
    for name, part in zip(columns.get("inputs", ()), found["inputs"].node.value if columns.get("inputs") else ()):
        place = Item(part, found["inputs"].path, item.source)
        if place.named(name):
            names.input(name, place)
    if "targets" in columns and found["targets"].kind == "sequence":
        _count_targets(found["targets"], len(columns["targets"]), outputs)
    table = _table(item, text) if text is not None else None
    if table is None or not columns.get("inputs"):
        return NOTHING
    heading, rows = table
    lacking = [(key, name) for key, wanted in columns.items() for name in wanted if name not in heading]
    for key, name in lacking:
        found[key].fail(
            "{file} has no column {found}{near}; it has {known}",
            file=text,
            found=quoted(name),
            near=near(name, heading),
            known=_listed(tuple(heading)),
        )
    if lacking or not _countable(item, len(rows)):
        return NOTHING
    places = {key: [heading.index(name) for name in wanted] for key, wanted in columns.items()}
    result: list[Sample] = []
    for called, (line, row) in zip(_sample_names(heading, rows), rows):
        read: dict[str, Numbers] = {
            key: tuple(_cell(item, text or "", line, heading[place], row[place]) for place in wanted) for key, wanted in places.items()
        }
        result.append(Sample(called, read["inputs"], read.get("targets")))
    return tuple(columns["inputs"]), tuple(result)


def _sample_names(heading: list[str], rows: list[tuple[int, list[str]]]) -> list[str]:
    """The column `name` where every entry is a name of its own, else 1, 2 …"""
    called = [row[heading.index("name")].strip() for _, row in rows] if "name" in heading else []
    if called and len(set(called)) == len(called) and all(map(is_name, called)):
        return called
    return [str(number) for number in range(1, len(rows) + 1)]


def _table(item: Item, text: str) -> tuple[list[str], list[tuple[int, list[str]]]] | None:
    """Heading, and rows with their lines, of a CSV file beside the problem; None after an error."""
    import csv
    from io import StringIO
    from itertools import islice

    try:
        reader = csv.reader(StringIO(read_bytes(os.path.join(item.source.folder, text), "data_bytes"), newline=""))
        filled = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
        rows = list(islice(filled, limit("samples") + 2))
    except ProblemError as error:
        item.fail("{reason}", reason=error.messages[0])
        return None
    except csv.Error as error:
        item.fail("{file}, line {line}: {reason}", file=text, line=reader.line_num, reason=str(error))
        return None
    if not rows:
        item.fail("{file} is empty", file=text)
        return None
    heading = [cell.strip() for cell in rows[0][1]]
    if len(set(heading)) < len(heading):
        item.fail("{file}: a column name is there twice: {names}", file=text, names=_listed(tuple(heading)))
        return None
    if len(heading) == 1 and ";" in heading[0]:
        item.fail("{file}: columns are separated by commas, found {found}", file=text, found=quoted(heading[0]))
        return None
    for line, row in rows:
        if len(row) != len(heading):
            item.fail("{file}, line {line}: {found} cells, expected {wanted}", file=text, line=line, found=len(row), wanted=len(heading))
            return None
    return heading, rows[1:]


def _cell(item: Item, file: str, line: int, column: str, text: str) -> Number:
    """The number in a cell; 0 after an error."""
    value = literal(text)
    if isinstance(value, Message):
        item.fail("{file}, line {line}, column {column}: {reason}", file=file, line=line, column=quoted(column), reason=value)
        return ZERO
    return value

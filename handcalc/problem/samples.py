"""Reading inputs and targets: one sample, several, or a CSV file beside the problem."""

from __future__ import annotations

from pathlib import Path

from handcalc.core.expr import Number, number
from handcalc.errors import ProblemError
from handcalc.problem.reader import Item, is_name, near, read_bytes, shown_path
from handcalc.problem.schema import Sample, keys

SAMPLE_LIMIT = 10_000
CSV_LIMIT = 50_000_000

Numbers = tuple[Number, ...]


def samples(root: Item, found: dict[str, Item], outputs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Sample, ...]]:
    """The names of the inputs and every sample; targets by the names of the last layer."""
    if "data" in found:
        return _from_csv(found, outputs)
    if "samples" in found:
        for key in ("inputs", "targets"):
            if key in found:
                found[key].fail("samples replaces it; leave one of both out")
        return _several(found["samples"], outputs)
    if "inputs" not in found:
        root.fail("inputs are missing: give inputs, samples or data")
        return (), ()
    names, inputs = _values(found["inputs"], ())
    targets = _targets(found.get("targets"), outputs)
    return names, (Sample("", inputs, targets),)


def _several(item: Item, outputs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Sample, ...]]:
    entries = item.sequence()
    if entries is not None and not 0 < len(entries) <= SAMPLE_LIMIT:
        item.fail("from 1 to {limit} samples are expected, found {found}", limit=SAMPLE_LIMIT, found=len(entries))
        return (), ()
    names: tuple[str, ...] = ()
    result: list[Sample] = []
    for place, entry in enumerate(entries or ()):
        found = entry.section(keys("sample"))
        called = (found["name"].name() if "name" in found else None) or str(place + 1)
        if any(sample.name == called for sample in result):
            entry.fail('the name "{name}" is there twice: in {first} and in {second}', name=called, first="samples", second="samples")
        if "inputs" not in found:
            entry.fail("inputs are missing: give inputs, samples or data")
            continue
        own, inputs = _values(found["inputs"], names)
        names = names or own
        if result and len(inputs) != len(result[0].inputs):
            found["inputs"].fail("every sample needs the same inputs: {wanted}, found {found}", wanted=len(result[0].inputs), found=len(inputs))
        result.append(Sample(called, inputs, _targets(found.get("targets"), outputs)))
    if result and len({sample.targets is None for sample in result}) > 1:
        item.fail("targets are missing for some samples; give them for all or for none")
    return names, tuple(result)


def _values(item: Item, names: tuple[str, ...]) -> tuple[tuple[str, ...], Numbers]:
    """Names and values; a list makes x1, x2 …, or takes the names of the samples before."""
    if item.kind == "mapping":
        entries = item.mapping() or {}
        if "file" in entries and entries["file"].kind == "text":
            from handcalc.problem.arrays import read_row

            row = read_row(item)
            return tuple(f"x{place + 1}" for place in range(len(row))), row
        for name in entries:
            if not is_name(name):
                entries[name].fail("a name has letters, digits and _ only (at most 40), found {found}", found=f'"{name[:40]}"')
        if names and tuple(entries) != names:
            if set(entries) != set(names):
                item.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=", ".join(names), found=", ".join(entries))
                return names, ()
            entries = {name: entries[name] for name in names}
        if not entries:
            item.fail("there is no input")
        return tuple(entries), _numbers(list(entries.values()))
    if item.kind == "text":
        item.fail("expected a mapping {example} or a list of numbers, found {found}", example="{x1: 0.5}", found=item.shown)
        return (), ()
    parts = item.sequence() or []
    if not parts:
        item.fail("there is no input")
    return names or tuple(f"x{place + 1}" for place in range(len(parts))), _numbers(parts)


def _numbers(items: list[Item]) -> Numbers:
    return tuple(value if (value := item.number()) is not None else number(0) for item in items)


def _targets(item: Item | None, outputs: tuple[str, ...]) -> Numbers | None:
    if item is None:
        return None
    if item.kind == "mapping":
        entries = item.mapping() or {}
        for name, entry in entries.items():
            if name not in outputs:
                entry.fail("there is no output neuron {found}{near}; outputs are {known}", found=f'"{name[:40]}"', near=near(name, outputs), known=", ".join(outputs[:8]))
        missing = [name for name in outputs if name not in entries]
        if missing:
            item.fail("targets are missing for {names}", names=", ".join(missing[:8]))
        return _numbers([entries[name] for name in outputs if name in entries])
    parts = item.sequence() if item.kind == "sequence" else [item]
    if outputs and len(parts or ()) != len(outputs):
        item.fail("one target per output is expected: {wanted} ({names}), found {found}", wanted=len(outputs), names=", ".join(outputs[:8]), found=len(parts or ()))
    return _numbers(parts or [])


def _from_csv(found: dict[str, Item], outputs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Sample, ...]]:
    """Samples from a CSV file with a heading line; `inputs` and `targets` name its columns."""
    import csv

    item = found["data"]
    text = item.text()
    columns = {key: [part.text() or "" for part in found[key].sequence() or ()] for key in ("inputs", "targets") if key in found}
    if "inputs" not in found:
        item.fail("inputs are missing: name the columns of the data file")
    if text is None or not columns.get("inputs"):
        return (), ()
    path = item.source.folder / Path(text)
    try:
        lines = read_bytes(path, shown_path(path), CSV_LIMIT).splitlines()
    except ProblemError as error:
        item.fail("{reason}", reason=error.messages[0])
        return (), ()
    rows = [row for row in csv.reader(lines) if row]
    heading = [cell.strip() for cell in rows[0]] if rows else []
    for key, names in columns.items():
        for part, name in zip(found[key].sequence() or (), names):
            if name not in heading:
                part.fail("{file} has no column {found}{near}", file=text, found=part.shown, near=near(name, heading))
                return (), ()
    if not 1 < len(rows) <= SAMPLE_LIMIT + 1:
        item.fail("from 1 to {limit} samples are expected, found {found}", limit=SAMPLE_LIMIT, found=max(len(rows) - 1, 0))
        return (), ()
    if "targets" in columns and len(columns["targets"]) != len(outputs):
        found["targets"].fail("one target per output is expected: {wanted} ({names}), found {found}", wanted=len(outputs), names=", ".join(outputs[:8]), found=len(columns["targets"]))
    result = []
    for line, row in enumerate(rows[1:], 2):
        record = dict(zip(heading, row))
        values: dict[str, list[Number]] = {}
        for key, names in columns.items():
            values[key] = []
            for name in names:
                try:
                    values[key].append(number((record.get(name) or "").strip()))
                except ValueError:
                    item.fail("{file}, line {line}, column {column}: expected a number, found {found}", file=text, line=line, column=name, found=f'"{record.get(name, "")}"')
                    return (), ()
        targets = tuple(values["targets"]) if "targets" in values else None
        called = record.get("name", "").strip()
        result.append(Sample(called if is_name(called) else str(line - 1), tuple(values["inputs"]), targets))
    return tuple(columns["inputs"]), tuple(result)

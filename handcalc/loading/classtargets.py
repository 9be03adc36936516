"""Targets that are classes, one for every token, time or place: `with_classes(found, cases, last)` has 1 at the class and 0 elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from handcalc.core.expr import ONE, ZERO, Number
from handcalc.problem.dataset import Dataset, Samples
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Sample
from handcalc.problem.spellings import of
from handcalc.problem.words import LOSSES


def with_classes(found: dict[str, FileNode], cases: Samples, last: Layer) -> Samples:
    """The samples, where the loss is one of classes and there is one whole number for each place of the last layer's output instead of one
    target for each output."""
    places, classes = prod(axis.size for axis in last.axes[:-1]), last.axes[-1].size if last.axes else 0
    if len(last.axes) < 2 or not _of_classes(found.get("loss")):
        return cases
    if isinstance(cases, Dataset):
        return _spread(cases, places, classes)
    return tuple(_expanded(sample, places, classes) for sample in cases)


def _spread(cases: Dataset, places: int, classes: int) -> Dataset:
    """The same for samples that are held as arrays."""
    targets = cases.targets
    if targets is None or targets.ndim != 2 or targets.shape[1] != places or not ((targets >= 0) & (targets < classes)).all():
        return cases
    if (targets % 1 != 0).any():
        return cases
    import numpy

    chosen = numpy.eye(classes, dtype=numpy.int8)[targets.astype(int)]
    return Dataset(cases.inputs, chosen.reshape(len(cases), -1), places * classes, cases.scale, cases.names, cases.numbers)


def _of_classes(item: FileNode | None) -> bool:
    """Whether a loss compares shares of classes."""
    if item is None or item.kind not in ("text", "mapping"):
        return False
    inside = item.mapping() or {} if item.kind == "mapping" else {}
    typed, key = next(((part, key) for key, part in inside.items()), (item, None))
    word = typed.stands_for(LOSSES, of(LOSSES), key)
    return LOSSES[word].weighted if word else False


def _expanded(sample: Sample, places: int, classes: int) -> Sample:
    targets = sample.targets
    if targets is None or len(targets) != places or not all(_is_class(one, classes) for one in targets):
        return sample
    return sample.replace(targets=one_hot([one.numerator for one in targets], classes))


def _is_class(number: Number, classes: int) -> bool:
    return number.denominator == 1 and 0 <= number.numerator < classes


def one_hot(chosen: Sequence[int], classes: int) -> tuple[Number, ...]:
    """1 at the class of each place, else 0."""
    return tuple(ONE if place == own else ZERO for own in chosen for place in range(classes))

"""Samples held as arrays: thousands of rows whose numbers are made when somebody asks for them.

- `Dataset` is a sequence of `Sample`, so that whoever reads a few samples need not know; `rows(places)` are many of them as
  arrays of floats.
- `givens`, `sample_names`, `targets_at`, `have_targets`, `sum_to_one` and `select` ask samples of either kind without making every
  number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any, overload

from handcalc.core.expr import ONE, ZERO, Number
from handcalc.core.index import through
from handcalc.problem.arrays import untyped
from handcalc.problem.schema import Batch, Sample

ROUNDING_NOISE = 1e-12  # floats that sum to 1 but for this much do


class Dataset(Sequence[Sample]):
    """Samples as arrays.

    inputs (sample, input), divided by `scale` when read; targets (sample, unit), or classes (sample), each standing for 1 at
    its unit and 0 at the others of `units`, or None; numbers: of the samples in their file, from 1, which are their names
    unless they have others.
    """

    def __init__(
        self,
        inputs: Any,
        targets: Any = None,
        units: int = 0,
        scale: float = 1.0,
        names: Sequence[str] | None = None,
        numbers: Any = None,
    ) -> None:
        self.inputs = inputs
        self.targets = targets
        self.units = units
        self.scale = scale
        self.names = names
        self.numbers = range(1, len(inputs) + 1) if numbers is None else numbers
        self._made: dict[tuple[str, int, int], Number] = {}
        self._units: Any = None

    @property
    def is_classes(self) -> bool:
        """Whether the targets are the class of each sample."""
        return self.targets is not None and self.targets.ndim == 1

    # --- as a sequence of samples ---

    def __len__(self) -> int:
        return len(self.inputs)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> Dataset: ...
    def __getitem__(self, place: int | slice) -> Sample | Dataset:
        if isinstance(place, slice):
            return self._part(place, self.names[place] if self.names else None, self.numbers[place])
        position = range(len(self))[place]
        inputs = tuple(self.number("inputs", position, unit) for unit in range(self.inputs.shape[1]))
        units = range(self.units) if self.targets is not None else ()
        targets = tuple(self.number("targets", position, unit) for unit in units)
        return Sample(self.name(position), inputs, targets if units else None)

    def __iter__(self) -> Iterator[Sample]:
        return map(self.__getitem__, range(len(self)))

    def select(self, places: Sequence[int]) -> Dataset:
        """The samples at some places, in that order."""
        names = [self.names[place] for place in places] if self.names else None
        return self._part(list(places), names, [self.numbers[place] for place in places])

    def _part(self, places: Any, names: Sequence[str] | None, numbers: Any) -> Dataset:
        targets = None if self.targets is None else self.targets[places]
        return Dataset(self.inputs[places], targets, self.units, self.scale, names, numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset) or self.inputs.shape != other.inputs.shape or list(self.numbers) != list(other.numbers):
            return False
        mine, others = self.rows(), other.rows()
        return sample_names(self) == sample_names(other) and all(a.shape == b.shape and bool((a == b).all()) for a, b in zip(mine, others))

    def __hash__(self) -> int:
        return hash(self.inputs.shape)

    # --- single numbers, and all of them ---

    def name(self, place: int) -> str:
        """The name of the sample at a place."""
        return self.names[place] if self.names else str(self.numbers[place])

    @cached_property
    def all_names(self) -> tuple[str, ...]:
        """The names of all samples."""
        return tuple(self.names or map(str, self.numbers))

    def number(self, part: str, place: int, unit: int) -> Number:
        """One input or target. Nobody typed it, so it has no digits of its own and is shown rounded."""
        found = self._made.get((part, place, unit))
        if found is None:
            if part == "inputs":
                found = untyped(float(self.inputs[place, unit]) / self.scale)
            elif self.is_classes:
                found = ONE if self.targets[place] == unit else ZERO
            else:
                found = untyped(float(self.targets[place, unit]))
            self._made[part, place, unit] = found
        return found

    def rows(self, places: Any = slice(None)) -> tuple[Any, Any]:
        """Inputs and targets of some samples (all, if none are named) as arrays of floats; one sample has no sample axis."""
        inputs = self.inputs[places]
        if inputs.dtype != float or self.scale != 1:
            inputs = inputs.astype(float)
            inputs /= self.scale
        return inputs, self.target_rows(places)

    def target_rows(self, places: Any = slice(None)) -> Any:
        """The targets alone."""
        import numpy

        if self.targets is None:
            return numpy.empty((*self.inputs[places].shape[:-1], 0))
        targets = self.targets[places]
        if not self.is_classes:
            return targets.astype(float, copy=False)
        if self._units is None:
            self._units = numpy.eye(self.units)
        return self._units[targets]


Samples = Sequence[Sample]  # a tuple, or a Dataset


def givens(samples: Samples, part: str, shape: tuple[int, ...], batch: Batch | None) -> Callable[[tuple[int, ...]], Number | None]:
    """The given numbers of `inputs` or `targets` by (sample, …), or without the sample where there is one only; shape: the sizes
    of the other axes; batch: which of all samples these are."""
    sampled = not batch.alone if batch else len(samples) > 1
    order = {place: number for number, place in enumerate(batch.places)} if batch else range(len(samples))

    def flat(place: tuple[int, ...]) -> int:
        return through(shape, place[sampled:])

    if isinstance(samples, Dataset):
        data = samples
        return lambda place: data.number(part, order[place[0]] if sampled else 0, flat(place))
    rows: list[tuple[Number, ...]] = [getattr(sample, part) or () for sample in samples]
    return lambda place: rows[order[place[0]] if sampled else 0][flat(place)]


def sample_names(samples: Samples) -> tuple[str, ...]:
    """The names of all samples."""
    if isinstance(samples, Dataset):
        return samples.all_names
    return tuple(sample.name for sample in samples)


def targets_at(samples: Samples, unit: int, count: int) -> Iterator[Number]:
    """The targets of one output of the first samples, so many of them, that have one."""
    if isinstance(samples, Dataset):
        there = samples.targets is not None and unit < samples.units
        return (samples.number("targets", place, unit) for place in range(min(count, len(samples)) * there))
    return (sample.targets[unit] for sample in samples[:count] if sample.targets and unit < len(sample.targets))


def have_targets(samples: Samples) -> bool:
    """Whether there are samples, and every one has targets."""
    if isinstance(samples, Dataset):
        return samples.targets is not None
    return bool(samples) and all(sample.targets is not None for sample in samples)


def sum_to_one(samples: Samples, width: int) -> bool:
    """Whether the targets of every sample sum to 1; of every time or token, where a sample has more than this width."""
    if isinstance(samples, Dataset):
        rows = samples.targets if samples.is_classes or samples.targets.shape[1] % width else samples.targets.reshape(-1, width)
        return samples.is_classes or bool((abs(rows.sum(axis=1) - 1) <= ROUNDING_NOISE).all())
    return all(
        _sums_to_one((sample.targets or ())[start : start + width])
        for sample in samples
        for start in range(0, len(sample.targets or ()), width)
    )


def _sums_to_one(targets: tuple[Number, ...]) -> bool:
    below = prod(target.denominator for target in targets)
    return sum(target.numerator * (below // target.denominator) for target in targets) == below


def select(samples: Samples, places: Sequence[int]) -> Samples:
    """The samples at some places, in that order."""
    return samples.select(places) if isinstance(samples, Dataset) else tuple(samples[place] for place in places)

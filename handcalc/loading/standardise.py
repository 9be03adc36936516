"""Reading `standardize:`, inputs less their mean, over their standard deviation, both worked out of all samples.

- `add_standard(item, problem)` is the problem whose samples are standardised; what they were is its `standard`.
- `standardised(standard, inputs)` are other inputs, less the same means, over the same deviations.

The graph works the same out as steps (models/standard.py); here are only the numbers that training is fed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

from handcalc.core.expr import Number
from handcalc.problem.arrays import untyped
from handcalc.problem.dataset import Dataset
from handcalc.problem.reader import FileNode, listed
from handcalc.problem.schema import Problem, Sample, Standard

FORMS = ("population", "sample")


def add_standard(item: FileNode, problem: Problem) -> Problem:
    """The problem with standardised inputs, those to test with too; an error where there is nothing to divide by."""
    form = item.choice(FORMS)
    if isinstance(problem.samples, Dataset) or isinstance(problem.test, Dataset):
        item.fail("so many samples are not standardised step by step; standardise the file")
        return problem
    if len(problem.axes) != 1 or form is None:
        if form is not None:
            item.fail("goes with inputs in one direction only")
        return problem
    rows = tuple(sample.inputs for sample in problem.samples)
    if any(len(row) != len(problem.inputs) for row in rows):
        return problem  # that is said where they are read
    alike = [name for place, name in enumerate(problem.inputs) if len({_value(row[place]) for row in rows}) < 2]
    if alike:
        item.fail("all samples have the same {names}: the standard deviation is 0", names=listed(alike))
        return problem
    standard = Standard(rows, form == "sample")
    try:
        scales = _scales(standard)
    except OverflowError:
        scales = []
    if not all(deviation for _, deviation in scales) or not scales:
        item.fail("the standard deviation is too large or too small for a computer's numbers; standardise the file")
        return problem
    return problem.replace(
        standard=standard, samples=_all_standardised(scales, problem.samples), test=_all_standardised(scales, problem.test)
    )


Scale = tuple[Fraction, float]  # mean and standard deviation of an input


def _all_standardised(scales: Sequence[Scale], samples: Sequence[Sample]) -> tuple[Sample, ...]:
    found = []
    for sample in samples:
        values = _scaled(scales, [_value(number) for number in sample.inputs])
        found.append(sample.replace(inputs=tuple(map(untyped, values))))
    return tuple(found)


def standardised(standard: Standard, inputs: Sequence[float | Fraction]) -> list[float]:
    """(x − mean)/deviation."""
    return _scaled(_scales(standard), inputs)


def _scaled(scales: Sequence[Scale], inputs: Sequence[float | Fraction]) -> list[float]:
    return [float(value - mean) / deviation for value, (mean, deviation) in zip(inputs, scales)]


def _scales(standard: Standard) -> list[Scale]:
    """Mean and deviation of each input. Raises OverflowError."""
    found = []
    for numbers in zip(*standard.rows):
        column = [_value(number) for number in numbers]
        mean = sum(column) / Fraction(len(column))
        variance = sum((one - mean) ** 2 for one in column) / (len(column) - standard.unbiased)
        found.append((mean, sqrt(variance)))
    return found


def _value(number: Number) -> Fraction:
    return Fraction(number.numerator, number.denominator)

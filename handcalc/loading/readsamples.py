"""What reading samples gives, from lists (samples.py) or files (data.py), and what both check.

- `ReadSamples` are the names of the inputs with the samples; `NO_SAMPLES` is what there is after an error.
- `countable`, `few_inputs` and `count_targets` check numbers of samples, inputs and targets.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.record import Record
from handcalc.problem.dataset import Samples
from handcalc.problem.reader import FileNode, listed


class ReadSamples(Record):
    """The names of the inputs, the samples, and what words of a file stand for: column → word → its numbers."""

    names: tuple[str, ...] = ()
    samples: Samples = ()
    encoded: Mapping[str, Mapping[str, str]] = {}


NO_SAMPLES = ReadSamples()


def countable(item: FileNode, count: int, what: str) -> bool:
    """Whether there are samples, but not more than the limit of `what`; an error where not."""
    if count < 1:
        item.fail("there is no sample")
    return item.within_limit(count, what, "more than {limit} samples; set {variable} to raise the limit") and count > 0


def few_inputs(item: FileNode, count: int) -> bool:
    """Whether there are inputs, but not too many; an error where there are."""
    return item.within_limit(count, "neurons", "more than {limit} inputs; set {variable} to raise the limit") and count > 0


def count_targets(item: FileNode, count: int, outputs: tuple[str, ...]) -> bool:
    """Whether there is one target for each output; an error where not."""
    if outputs and count != len(outputs):
        wanted, known = len(outputs), listed(outputs)
        item.fail("one target per output is expected: {wanted} ({names}), found {found}", wanted=wanted, names=known, found=count)
    return not outputs or count == len(outputs)

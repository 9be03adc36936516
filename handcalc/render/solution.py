"""Derivation → document: the order of headings, formulas and tables of a worked solution.

- `solution(derivation, reading, options)` is the whole: title, what is given (givens.py), then for every iteration forward pass, error
  and backward pass (document.py), the drawing, the update (updates.py); or the results alone (results.py). Single steps come last.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.derivation import Derivation
from handcalc.render.blocks import Block, Heading, Picture
from handcalc.render.document import body
from handcalc.render.givens import given, iteration_title, own_samples, title
from handcalc.render.lines import worked
from handcalc.render.options import Options
from handcalc.render.reading import Reading
from handcalc.render.results import results
from handcalc.render.seen import Seen
from handcalc.render.updates import update
from handcalc.render.wordproblem import word_problem


def solution(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    """The worked solution: title, given data, then for every iteration forward, error, backward, update."""
    if options.phases or not options.cells:
        yield from _document(derivation, reading, options)
    several, current = len({iteration for _, iteration in options.cells}) > 1, 0
    for wanted, iteration in options.cells:
        if several and iteration != current:
            yield Heading(3, iteration_title(derivation, iteration))
            current = iteration
        yield worked(derivation, reading, wanted, iteration, indent=0)


def _document(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    yield from title(derivation.header, options.asked is not None, options.student)
    if options.wants("given") and not options.results:
        yield from word_problem(derivation, reading)
        yield from given(derivation, reading, options)
    told = Seen()
    for iteration in range(1, derivation.iterations + 1):
        if derivation.iterations > 1:
            yield Heading(1, iteration_title(derivation, iteration))
            if options.wants("given") and not options.results:
                yield from own_samples(derivation, iteration)
        here, as_read = derivation.at(iteration), reading.at(iteration)
        if options.results:
            yield from results(here, as_read, options, iteration)
            continue
        yield from body(here, as_read, options, iteration, told)
        if options.pictures and options.wants("backward"):
            yield Picture(iteration)
        if options.wants("update"):
            yield from update(here, as_read, options, iteration)

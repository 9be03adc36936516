"""Plots of numerical differentiation, in the letters and signs of a notation.

- `errors(sweep, h, reading)` is the error of differences against h.
- `tangent(found, reading)` is a function along one number, and its tangent line.
"""

from __future__ import annotations

from handcalc.core.expr import Ref
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.render.blocks import Digits, Name, Plain
from handcalc.render.plot.model import Label, Marks, Plot, Series, fitted
from handcalc.render.reading import Reading
from handcalc.training.gradcheck.comparing import Sweep, Tangent

STEP = Rounding(None, 6)  # digits of h
ROWS = 12  # of a plot in letters


def errors(sweep: Sweep, h: float, reading: Reading) -> Plot:
    """The error of forward and central differences against h, on logarithmic axes; h: the one that gradients are checked with."""
    across = fitted((Plain("h"),), [h, *(point[0] for point in sweep.points)], True)
    found = [[(point[0], error) for point in sweep.points if (error := point[kind])] for kind in (1, 2)]
    up = fitted((Message("error"),), [error for points in found for _, error in points], True)
    names: tuple[Label, ...] = ((Message("forward"),), (Message("central"),))
    lines = (Series((tuple(points),), style, name) for points, style, name in zip(found, ("second", "first"), names))
    marks = (Marks(tuple(points), shape, name, tone) for points, shape, name, tone in zip(found, ("plus", "circle"), names, (2, 1)))
    guide = Series((((h, up.low), (h, up.high)),), "guide", (Plain("h"), Plain(" = "), Digits(STEP.shown(h, True))))
    title = Message("The error against h: {step}", step=reading.symbol(Ref(*sweep.gradient)))
    return Plot(title, across, up, (guide, *lines), tuple(marks), rows=ROWS)


def tangent(found: Tangent, reading: Reading) -> Plot:
    """A function along one number and its tangent line; where it has a kink, the slopes of both sides."""
    row = found.row
    sign = -1 if reading.turned(row.moved) else 1
    known = reading.derivation.evaluation
    start, value = sign * float(known[row.moved]), float(known[row.objective])
    curves = tuple(tuple(sorted((sign * x, y) for x, y in line)) for line in found.lines)
    across = fitted((Name(Ref(*row.moved)),), [x for line in curves for x, _ in line] or [start], False, 0.0)
    up = fitted((Name(Ref(*row.objective), bare=True),), [value, *(y for line in curves for _, y in line)], False)
    kinked = any(kink.touched for kink in row.kinks)
    slopes = [row.backward, row.forward] if kinked else [row.chain_rule]
    ends = [(across.low, start), (start, across.high)][::sign] if kinked else [(across.low, across.high)]
    straight = tuple(tuple((x, value + sign * slope * (x - start)) for x in end) for end, slope in zip(ends, slopes) if slope is not None)
    name: Label = (Message("slopes of both sides"),) if kinked else (Message("tangent line"),)
    series = (Series(curves, "first", (Name(Ref(*row.objective), bare=True),)), Series(straight, "second", name))
    title = Message(
        "Tangent line: {loss} along {step}", loss=reading.symbol(Ref(*row.objective), bare=True), step=reading.symbol(Ref(*row.moved))
    )
    return Plot(title, across, up, series, (Marks(((start, value),), "circle", tone=1),), rows=ROWS)

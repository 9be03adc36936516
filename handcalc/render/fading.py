"""How an error fades or grows on its way back through time: ‖∂E/∂out[t]‖ beside that of the time after it.

- `fading(derivation, layer, iteration)` is a table with the factor of every time and the product of all factors so far.

With one unit and a loss at the end, the factor is ∂out[t+1]/∂out[t] = w·f'(net), and the product is what makes gradients vanish or
explode. Source: Bengio, Simard, Frasconi, 1994; Pascanu, Mikolov, Bengio, 2013.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from handcalc.core.derivation import Derivation
from handcalc.errors import Message
from handcalc.render.blocks import Block, Paragraph, Table
from handcalc.render.items import MISSING, Digits, Item, Plain


def fading(derivation: Derivation, layer: int, iteration: int) -> Iterator[Block]:
    """The table, of the first sample; nothing for one time only."""
    graph = derivation.graph
    name = graph.gradient(graph.in_layer(layer, "out"))
    if not name:
        return
    quantity = graph[name]
    clock = next((number for number, axis in enumerate(quantity.axes) if axis.role == "time"), None)
    if clock is None:
        return
    squares: dict[int, float] = {}
    for place in graph.positions(name):
        if not quantity.sampled or place[0] == quantity.axes[0].places[0]:
            value = float(derivation.iteration(iteration).evaluation[name, place])
            squares[place[clock]] = squares.get(place[clock], 0.0) + value * value
    times = sorted(squares, reverse=not _goes_back(derivation, graph.in_layer(layer, "out")))
    if len(times) < 2 or not all(squares.values()):
        return
    rounding = derivation.rounding.replace(carry=False)
    rows: list[tuple[Item, ...]] = []
    before = last = math.sqrt(squares[times[0]])
    for time in times:
        size = math.sqrt(squares[time])
        numbers = (size, size / before, size / last) if time != times[0] else (size,)
        shown: list[Item] = [Digits(rounding.shown(number, False)) for number in numbers]
        rows.append((Plain(str(time + quantity.axes[clock].first)), *shown, *[MISSING] * (3 - len(shown))))
        before = size
    yield Paragraph(Message("How the error comes back through time (length of ∂E/∂out):"))
    yield Table((Message("time"), Message("length"), Message("factor"), Message("product")), tuple(rows))


def _goes_back(derivation: Derivation, name: str) -> bool:
    """Whether a state uses that of the time after it, so that the error comes from the first time."""
    quantity = derivation.graph[name]
    clock = next(number for number, axis in enumerate(quantity.axes) if axis.role == "time")
    return (
        quantity.starts and derivation.graph.given_value((name, tuple(0 for _ in quantity.axes))) is None and quantity.axes[clock].size > 1
    )

"""The drawing of a network with layers of any type: a box for each quantity, its numbers in squares, after those it uses.

- `layers(derivation, reading, iteration, values, gradients)` answers the diagram.

What is drawn follows from the graph: maps are grids because they have rows and columns, heads and channels grids beside one another,
a residual connection is a long edge, attention the boxes of queries, scores, weights. Recurrent networks are drawn along time
(unrolled.py). boxes.py makes the boxes, flow.py says where they stand.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.derivation import Derivation
from handcalc.errors import Message
from handcalc.render.diagram.boxes import box, mixes_samples, plan_of, planned, uses
from handcalc.render.diagram.flow import paged
from handcalc.render.diagram.model import Diagram
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.unrolled import recurs, unrolled
from handcalc.render.givens import iteration_title
from handcalc.render.reading import Reading

BOXES_LIMIT = 60  # boxes of a drawing that can be read


def layers(derivation: Derivation, reading: Reading, iteration: int, values: bool, gradients: bool) -> Diagram | None:
    """The drawing of a network, the reading in UNICODE; None where there are too many boxes."""
    plan = plan_of(derivation, reading, iteration, values, gradients)
    found = planned(derivation, reading)
    if len(found) > BOXES_LIMIT:
        return None
    first = next((quantity.axes[0].places[0] for quantity in derivation.graph if quantity.sampled), 0)
    alone = {} if mixes_samples(derivation) else {"sample": first}
    if recurs(derivation):
        drawn = unrolled(plan, found, alone)
    else:
        drawn = paged(uses(derivation, found), {name: box(plan, part, lambda _: alone) for name, part in found.items()})
    return drawn.replace(captions=tuple(captions(plan, drawn, values and not plan.computed, bool(alone))), iteration=iteration)


def captions(plan: Plan, drawn: Diagram, large: bool, alone: bool) -> Iterator[Message]:
    """What a drawing of layers does not say by itself; large: nothing was worked out; alone: of the first sample only."""
    header, graph = plan.derivation.header, plan.derivation.graph
    samples = graph[graph.inputs].axes[0]
    if header.batch or plan.derivation.iterations > 1:
        yield iteration_title(plan.derivation, plan.iteration)
    if samples.role == "sample" and alone:
        yield Message("The numbers are those of sample {sample}.", sample=samples.label(samples.places[0]))
        if drawn.gradients:
            yield Message("The gradients of weights and biases are those of all {count} samples.", count=samples.size)
    if samples.role == "sample" and not alone:
        yield Message("A layer works on all samples together: every row is a sample.")
    if large:
        yield Message("The network is large: only given numbers are shown.")

"""What a proof is made of: parts, their lines, what happens at kinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handcalc.core.expr import Expr, Ref
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.proof.rules import ProofLine
from handcalc.render.blocks import Equal, Item


class Ground(Record):
    """What lines are checked on: the cell they are differentiated by, what an expression of theirs is as an instance, cells
    that are positive, and the derivative that the solver uses there."""

    by: Ref
    instance: Callable[[Expr], Expr] = lambda expr: expr
    positive: tuple[Ref, ...] = ()
    used: Expr | None = None


class ProofPart(Record):
    """left = line = line …; conditions: the case in which it holds; before: what is said before it; grounds: other ones;
    heading: of a case that is no condition on numbers."""

    left: Expr
    lines: tuple[ProofLine, ...]
    conditions: tuple[Equal, ...] = ()
    before: Message | None = None
    grounds: tuple[Ground, ...] = ()
    heading: Equal | None = None

    @property
    def last(self) -> Expr:
        """What the lines come to."""
        return self.lines[-1].formula


class CaseKink(Record):
    """Where two cases meet: the derivative on both sides of it, what is used there, and by which convention ("" for none).

    jump: the function itself has different values on both sides.
    """

    where: Equal
    below: Expr
    above: Expr
    used: Expr
    jump: bool = False
    convention: str = ""


class Proof(Record):
    """Why a derivative is what it is.

    of: what was asked for; by: the cell it is differentiated by; graph: the letters in it; title, about: what the page is
    called, and a sentence; definitions: what is differentiated; constants: cells that are constant; grounds: what the lines
    are checked on; result: the last line; remark: a sentence at the end; sizes: numbers of outputs
    for which general formulas are checked.
    """

    of: str
    by: Ref
    graph: Graph
    title: Item
    definitions: tuple[Equal, ...]
    parts: tuple[ProofPart, ...]
    result: Expr
    grounds: tuple[Ground, ...]
    about: Message | None = None
    constants: tuple[Ref, ...] = ()
    kinks: tuple[CaseKink, ...] = ()
    remark: Message | None = None
    sizes: tuple[int, ...] = ()


def listed(items: Sequence[Item]) -> Message:
    """a, b, c"""
    whole = Message("{item}", item=items[0])
    for item in items[1:]:
        whole = Message("{first}, {second}", first=whole, second=item)
    return whole


def letters(graph: Graph, *names: str) -> Graph:
    """The graph with more names for numbers."""
    for name in dict.fromkeys(names):
        if name not in graph:
            graph.given(Quantity(name, "given"))
    return graph

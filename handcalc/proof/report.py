"""A proof as a document, and as JSON.

- `report(proof)` gives the blocks; `reading(proof, notation, dialect, comma)` spells them; `as_json(proof, reading, translate)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.expr import ZERO, Call, Expr, Ref
from handcalc.core.graph import Graph
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.proof.checking import POINTS
from handcalc.proof.records import CaseKink, Proof, ProofPart, listed
from handcalc.render.blocks import Block, Equal, Equation, Heading, Item, Paragraph, Ratio, Symbolic, spell
from handcalc.render.dialects import UNICODE, Dialect
from handcalc.render.notation import Notation, profile
from handcalc.render.reading import Reading

VERSION = 1
# The letters of losses and softmax, where no notation is wanted: z → softmax → o, with targets t.
LETTERS: dict[str, Any] = {
    "units": "name",
    "first_layer": 1,
    "symbols": {
        "input": "x_{name}",
        "net": "z_{name}",
        "out": "o_{name}",
        "target": "t_{name}",
        "loss": "E",
        "loss_term": "E_{name}",
        "E": "E",
        "weight": "w_{to}{from}",
    },
    "delta_sign": 1,
    "bias_sign": 1,
    "update": "gradient",
}


def reading(proof: Proof, notation: str = "", dialect: Dialect = UNICODE, comma: bool = False) -> Reading:
    """The proof in the letters of a notation, or in its own."""
    derivation = Derivation(proof.graph, Rounding())
    loss = proof.graph.in_layer(0, "loss")
    return Reading(derivation, Notation(profile(notation) if notation else LETTERS, proof.graph, loss), dialect, comma)


def report(proof: Proof) -> Iterator[Block]:
    """The page."""
    yield Heading(1, proof.title)
    if proof.about is not None and proof.definitions:
        yield Paragraph(proof.about)
    yield from map(_equation, proof.definitions)
    yield from _names(proof)
    for part in proof.parts:
        yield from _part(part, proof.graph)
    yield Paragraph(_verdict(proof))
    if proof.sizes:
        sizes = ", ".join(map(str, proof.sizes))
        yield Paragraph(Message("General formulas were checked with {sizes} outputs.", sizes=sizes))
    if proof.kinks:
        yield Heading(2, Message("Where the cases meet"))
        yield from map(_kink, proof.kinks)
    if proof.remark is not None:
        yield Paragraph(proof.remark)


def _equation(equal: Equal) -> Equation:
    return Equation(Symbolic(equal.left), ((equal.relation, Symbolic(equal.right)),))


def _names(proof: Proof) -> Iterator[Block]:
    """What a prime is the derivative by, where there are several names."""
    if proof.constants:
        names = listed([Symbolic(name) for name in proof.constants])
        by = Symbolic(proof.by)
        yield Paragraph(Message("A prime is the derivative by {by}; constant: {names}.", by=by, names=names))
    for cell in proof.grounds[0].positive:
        yield Paragraph(Message("Here {condition}.", condition=Equal(cell, ZERO, ">")))


def _part(part: ProofPart, graph: Graph) -> Iterator[Block]:
    case = part.conditions or ((part.heading,) if part.heading else ())
    if case:
        yield Heading(2, Message("Where {condition}", condition=listed(case)))
    if part.before is not None:
        yield Paragraph(part.before)
    reasons = tuple(marked(line.reason, line.checked) for line in part.lines)
    yield Equation(_left(part.left, graph), tuple((line.relation, Symbolic(line.formula)) for line in part.lines), reasons=reasons)


def _left(expr: Expr, graph: Graph) -> Item:
    """What the lines are equal to; the derivative of a loss as the notation writes it."""
    match expr:
        case Call(_, (Ref() as loss, Ref() as by)) if graph[loss.quantity].kind == "loss":
            return Ratio(None, by)
    return Symbolic(expr)


def marked(reason: Message, checked: str) -> Message:
    """The reason, with a mark where the line is not shown symbolically."""
    return reason if checked == "symbolic" else Message("{reason} *", reason=reason)


def _kink(kink: CaseKink) -> Paragraph:
    used = Symbolic(kink.used)
    text = Message("At {place} the function jumps: there is no derivative. handcalc takes {used}.", place=kink.where, used=used)
    if not kink.jump:
        said = "At {place} the slopes from both sides, {below} and {above}, differ: there is no derivative. handcalc takes {used}."
        text = Message(said, place=kink.where, below=Symbolic(kink.below), above=Symbolic(kink.above), used=used)
    if kink.convention:
        text = Message("{text} The convention {convention} chooses another value.", text=text, convention=kink.convention)
    return Paragraph(text)


def _verdict(proof: Proof) -> Message:
    """How the lines were checked."""
    found = [line.checked for part in proof.parts for line in part.lines]
    if all(checked == "symbolic" for checked in found):
        return Message("SymPy shows symbolically that every line is equal to the one before.")
    if all(found):
        text = "SymPy shows symbolically that every line is equal to the one before; where there is a *, numerically at {points} points."
        return Message(text, points=POINTS)
    return Message("SymPy confirms the lines without a *; it could not check the others.")


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(proof: Proof, reading: Reading, translate: Translate) -> dict[str, Any]:
    """The object of the contract."""

    def text(item: Any) -> str:
        return spell(item, reading, translate)

    lines = []
    for part in proof.parts:
        for line in part.lines:
            entry: dict[str, Any] = {"formula": text(Symbolic(line.formula)), "reason": text(line.reason), "checked": line.checked or "no"}
            if line.relation != "=":
                entry["relation"] = line.relation
            if part.conditions or part.heading:
                entry["case"] = ", ".join(map(text, part.conditions or (part.heading,)))
            lines.append(entry)
    found = {"handcalc": VERSION, "of": proof.of, "by": text(Symbolic(proof.by)), "lines": lines, "result": text(Symbolic(proof.result))}
    if proof.kinks:
        sides = ("below", "above", "used")
        found["kinks"] = [{"at": text(kink.where), **{side: text(Symbolic(getattr(kink, side))) for side in sides}} for kink in proof.kinks]
    return found

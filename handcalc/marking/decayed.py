"""Whether λ·w is in ∂E/∂w on a sheet: with decay in the update some add it to the gradient at once; with a penalty in the loss some
leave its share for the update. The new weights are the same.

- `as_gradients_are_meant(definitions, reads)`: where all gradients of such parameters on a sheet are so, and its weights move as they
  should, that is its convention: its gradients are read so. Answers those, and the convention of each.
"""

from __future__ import annotations

from fractions import Fraction

from handcalc.core.quantity import Cell
from handcalc.errors import EvaluationError
from handcalc.marking.conventions import DECAY, OtherConvention
from handcalc.marking.definitions import Definitions
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.signs import is_near, moves_right
from handcalc.marking.workbook import base, iteration, on_sheet
from handcalc.models import penalties


def as_gradients_are_meant(definitions: Definitions, reads: list[ReadAnswer]) -> tuple[list[ReadAnswer], dict[Cell, OtherConvention]]:
    """The answers, with gradients as the sheet has them."""
    book = definitions.book
    typed = {read.cell: read.typed for read in reads if read.cell is not None and read.typed is not None}
    more = {wanted: share for wanted in typed if (share := _share(definitions, wanted))}
    if not more or book.problem.marking.conventions != "allow":
        return reads, {}
    moves = [right for wanted, number in typed.items() if (right := moves_right(definitions, wanted, number)) is not None]
    asked = {wanted: float(definitions.values[wanted]) for wanted in more}
    meant = all(is_near(asked[wanted] + float(share), typed[wanted]) for wanted, share in more.items())
    if not (meant and moves and all(moves)) or all(is_near(asked[wanted], typed[wanted]) for wanted in more):
        return reads, {}
    choice = "apart" if book.problem.regularization else "inside"
    known = OtherConvention(DECAY, choice, book.problem)

    def as_meant(read: ReadAnswer) -> ReadAnswer:
        if read.cell not in more or read.cell is None or read.typed is None:
            return read
        return read.replace(typed=read.typed.less(more[read.cell]), trouble=read.trouble or known.title)

    return list(map(as_meant, reads)), dict.fromkeys(more, known)


def _share(definitions: Definitions, wanted: Cell) -> Fraction | None:
    """What is more in the gradient of a parameter where decay is at the other place; nothing for all else."""
    book, (name, place) = definitions.book, base(wanted)
    quantity, number = book.graph[name], iteration(wanted)
    if quantity.kind != "gradient" or quantity.role or quantity.of is None:
        return None
    of, known = quantity.of.quantity, penalties.defined(book.graph)
    mine = [other for other in book.graph if other.of is not None and other.of.quantity == of and not other.stage]
    if any(other.kind == "state" and other.role == "decayed" for other in mine):
        return _exact(definitions, (on_sheet(number, of), place)) * _exact(definitions, ("weight_decay", ()))
    paths = [other.name for other in mine if other.kind == "path" and other.through and other.through.quantity in known]
    return -sum((_exact(definitions, (on_sheet(number, path), place)) for path in paths), Fraction(0))


def _exact(definitions: Definitions, wanted: Cell) -> Fraction:
    """A number, as a fraction where it is given or worked as one."""
    given = definitions.book.given_value(wanted)
    if given is not None:
        return Fraction(given.numerator, given.denominator)
    try:
        return Fraction(float(definitions.values[wanted]))
    except EvaluationError:
        return Fraction(0)

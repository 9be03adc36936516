"""What a sheet has in another number than the solution, so that all further ones are the same: λ·w in ∂E/∂w or in the update, a bias in
the net input or in what the activation is taken of.

- `as_terms_are_meant(definitions, reads, apart)`: where all gradients of decayed parameters on a sheet are so, and its weights move as
  they should, that is its convention, and its gradients are read so; and where all net inputs are without their biases, and its outputs
  are right, its net inputs. Answers those, and the convention of each. apart: the notation has biases outside of net inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from math import isfinite

from handcalc.core.expr import Expr, Negation, Ref, Sum
from handcalc.core.quantity import Cell, cell
from handcalc.marking.conventions import BIAS, DECAY, OtherConvention
from handcalc.marking.definitions import Definitions
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.mistakes.entry import BIASES
from handcalc.marking.signs import is_near, moves_right
from handcalc.marking.slipnumbers import number_of
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration, on_sheet
from handcalc.models import penalties

Answers = Mapping[Cell, Typed]
Meant = tuple[list[ReadAnswer], dict[Cell, OtherConvention]]


def as_terms_are_meant(definitions: Definitions, reads: list[ReadAnswer], apart: bool = False) -> Meant:
    """The answers, with gradients and net inputs as the sheet has them."""
    problem = definitions.book.problem
    if problem.marking.conventions != "allow":
        return reads, {}
    place = "apart" if problem.regularization else "inside"
    reads, known = _as_meant(definitions, reads, _decay, partial(_moves, definitions), OtherConvention(DECAY, place, problem))
    outs = partial(_has_outs, definitions, apart)
    reads, more = _as_meant(definitions, reads, _bias, outs, OtherConvention(BIAS, "apart", problem))
    return reads, known | more


def _as_meant(
    definitions: Definitions,
    reads: list[ReadAnswer],
    share: Callable[[Definitions, Cell], Fraction],
    is_shown: Callable[[Answers], bool],
    known: OtherConvention,
) -> Meant:
    """The answers, those without their share with it, if all are so and other numbers show it."""
    typed = {read.cell: read.typed for read in reads if read.cell is not None and read.typed is not None}
    more = {wanted: found for wanted in typed if (found := share(definitions, wanted))}
    if not more:
        return reads, {}
    asked = {wanted: number_of(definitions.values, wanted) for wanted in more}
    meant = all(is_near(asked[wanted] + float(found), typed[wanted]) for wanted, found in more.items())
    if not meant or all(is_near(asked[wanted], typed[wanted]) for wanted in more) or not is_shown(typed):
        return reads, {}

    def as_meant(read: ReadAnswer) -> ReadAnswer:
        if read.cell not in more or read.cell is None or read.typed is None:
            return read
        return read.replace(typed=read.typed.less(more[read.cell]), trouble=read.trouble or known.title)

    return list(map(as_meant, reads)), dict.fromkeys(more, known)


def _decay(definitions: Definitions, wanted: Cell) -> Fraction:
    """What is more in the gradient of a parameter where decay is at the other place; nothing in all else."""
    book, (name, place) = definitions.book, base(wanted)
    quantity, number = book.graph[name], iteration(wanted)
    if quantity.kind != "gradient" or quantity.role or quantity.of is None:
        return Fraction(0)
    of, known = quantity.of.quantity, penalties.defined(book.graph)
    mine = [other for other in book.graph if other.of is not None and other.of.quantity == of and not other.stage]
    if any(other.kind == "state" and other.role == "decayed" for other in mine):
        factor = book.graph.in_layer(0, "hyper", "weight_decay")
        return _exact(definitions, (on_sheet(number, of), place)) * _exact(definitions, (factor, ()))
    paths = [other.name for other in mine if other.kind == "path" and other.through and other.through.quantity in known]
    return -sum((_exact(definitions, (on_sheet(number, path), place)) for path in paths), Fraction(0))


def _moves(definitions: Definitions, answers: Answers) -> bool:
    """Whether there are new weights, all as they should be."""
    moves = [right for wanted, number in answers.items() if (right := moves_right(definitions, wanted, number)) is not None]
    return bool(moves) and all(moves)


def _bias(definitions: Definitions, wanted: Cell) -> Fraction:
    """What is more in a net input without its bias; nothing in all else."""
    quantity, line = definitions.book.quantity(wanted), definitions.right(wanted)
    terms = line.terms if quantity.kind == "net" and not quantity.stage and isinstance(line, Sum) else ()
    return -sum((_of_bias(definitions, term) for term in terms), Fraction(0))


def _of_bias(definitions: Definitions, term: Expr) -> Fraction:
    match term:
        case Negation(operand):
            return -_of_bias(definitions, operand)
        case Ref() if definitions.book.quantity(cell(term)).kind in BIASES:
            return _exact(definitions, cell(term))
    return Fraction(0)


def _has_outs(definitions: Definitions, apart: bool, answers: Answers) -> bool:
    """Whether there are outputs, all as they should be; or no others, where the notation has it so."""
    outs = [is_near(number_of(definitions.values, wanted), number) for wanted, number in answers.items() if _is_out(definitions, wanted)]
    return all(outs) and (bool(outs) or apart)


def _is_out(definitions: Definitions, wanted: Cell) -> bool:
    quantity = definitions.book.quantity(wanted)
    return quantity.kind == "out" and not quantity.stage


def _exact(definitions: Definitions, wanted: Cell) -> Fraction:
    """A number, as a fraction where it is given; nothing where it has no value."""
    given = definitions.book.given_value(wanted)
    if given is not None:
        return Fraction(given.numerator, given.denominator)
    value = number_of(definitions.values, wanted)
    return Fraction(value) if isfinite(value) else Fraction(0)

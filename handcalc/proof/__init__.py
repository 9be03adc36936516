"""Why a derivative is what it is, line by line, each line checked by SymPy.

- `prove(text, by)` is the proof for a function, a loss, or a formula; report.py makes a document of it.
- closed.py writes a gradient of a problem as one expression.

rules.py differentiates as on a blackboard, tables.py has what is known about single functions, checking.py asks SymPy.
"""

from __future__ import annotations

import re

from handcalc.core import formula
from handcalc.core.expr import Call, Expr, Number, Ref, references, walk
from handcalc.core.functions import FUNCTIONS
from handcalc.errors import DeriveError, Message
from handcalc.layers.activations import SPELLINGS
from handcalc.loading.loader import shipped
from handcalc.problem.reader import is_name, near, quoted
from handcalc.problem.spellings import meanings, of
from handcalc.problem.words import FUSED, LOSSES
from handcalc.proof.checking import confirmed
from handcalc.proof.functions import formula_proof, function_proof
from handcalc.proof.losses import cosine_proof, fused_proof, log_softmax_proof, logsumexp_proof, loss_proof, margins_proof, softmax_proof
from handcalc.proof.records import Proof

TERMS_LIMIT = 60  # names and numbers of a formula
SECONDS = 10.0  # for SymPy, where a user typed the formula

GENERAL = {
    "softmax": softmax_proof,
    "log_softmax": log_softmax_proof,
    "logsumexp": logsumexp_proof,
    "cosine": cosine_proof,
    "multiclass_hinge": margins_proof,
    FUSED: fused_proof,
}
SCALAR = tuple(name for name, record in FUNCTIONS.items() if record.arguments and not record.family)
NAMES = (*SCALAR, *(name for name in LOSSES if name not in GENERAL), *GENERAL)


def prove(text: str, by: str = "", seconds: float = SECONDS) -> Proof:
    """Why the derivative of a function, a loss or a formula is what it is.

    text: a name such as sigmoid or cross_entropy, in any spelling, or a formula of names; by: the name it is differentiated by, where there
    are several; seconds: what SymPy may take for a formula. Raises DeriveError, and Refuted where a line of ours is wrong.
    """
    meant = meanings(text, NAMES, {**SPELLINGS, **of(LOSSES)})
    text = meant[0] if len(meant) == 1 else text
    if text in GENERAL or text in LOSSES:
        if by:
            raise DeriveError(Message("--by goes with a formula, or a function of several numbers; {name} has one derivative", name=text))
        return confirmed(GENERAL[text]() if text in GENERAL else loss_proof(text))
    if text in SCALAR:
        names = FUNCTIONS[text].arguments
        return confirmed(function_proof(Call(text, tuple(map(Ref, names))), _chosen(by or names[0], names)))
    expr = _parsed(text)
    names = tuple(ref.quantity for ref in references(expr))
    if not names:
        raise DeriveError(Message("the formula has no name to differentiate by"))
    is_function = isinstance(expr, Call) and expr.arguments == tuple(map(Ref, names))
    if not by and len(names) > 1 and not is_function:
        listed = ", ".join(names)
        raise DeriveError(Message("the formula has the names {names}: choose one, for example --by {name}", names=listed, name=names[0]))
    cell = _chosen(by or names[0], names)
    if isinstance(expr, Call) and is_function:
        return confirmed(function_proof(expr, cell))
    return confirmed(formula_proof(text, expr, cell), seconds)


def _chosen(by: str, names: tuple[str, ...]) -> Ref:
    if by not in names:
        raise DeriveError(Message("there is no name {found}; there are {names}", found=quoted(by), names=", ".join(names)))
    return Ref(by)


def _parsed(text: str) -> Expr:
    """The formula. Raises DeriveError, with the column where it is none."""
    single = is_name(text) and text not in FUNCTIONS
    hint = near(text, [*NAMES, *shipped()] if single else shipped())  # mazur-2-2-3 is no difference
    if single or (hint and re.fullmatch(r"[\w-]+", text)):
        raise DeriveError(Message("there is no function, loss or problem {found}{near}", found=quoted(text), near=hint))
    try:
        expr = formula.parse(text, formula.any_name)
    except formula.FormulaError as error:
        reason, column = Message(error.template, "", **error.values), error.column
        said = "not a formula{within}: {reason} (column {column}){near}"
        raise DeriveError(Message(said, within="", reason=reason, column=column, near="")) from None
    if sum(isinstance(node, (Number, Ref)) for node in walk(expr)) > TERMS_LIMIT:
        raise DeriveError(Message("more than {limit} names and numbers in a formula", limit=TERMS_LIMIT))
    return expr

"""Mistakes in the loss, and in the factor its derivative gets from it."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, ZERO, Call, Expr, Number, Power, Product, add, call, div, mul, neg, references, rewrite, sub, walk
from handcalc.marking.mistakes.entry import Mistake, Place, Rule

CROSS_ENTROPY = ("cross_entropy", "mean_cross_entropy", "softmax_cross_entropy")
LIKELIHOODS = ("negative_log_likelihood", "mean_negative_log_likelihood")


def _terms(place: Place, formula: Expr) -> list[tuple[Expr, Expr]]:
    """(factor, error) of each squared loss term factor·error² that a loss adds up; nothing for other losses."""
    found: list[tuple[Expr, Expr]] = []
    for ref in references(formula):
        if place.kind(ref) == "loss_term":
            match place.formula(ref):
                case Power(base, Number(2)):
                    found.append((ONE, base))
                case Product((Number() as factor, Power(base, Number(2)))):
                    found.append((factor, base))
    return found


def square_of_sum(place: Place, formula: Expr) -> Expr | None:
    """E = ½(Σe)²"""
    terms = _terms(place, formula)
    return mul(terms[0][0], Power(add(*(error for _, error in terms)), Number(2))) if len(terms) > 1 else None


def absolute_error(place: Place, formula: Expr) -> Expr | None:
    """E = Σ|e|"""
    terms = _terms(place, formula)
    return add(*(call("abs", error) for _, error in terms)) if terms else None


def root_error(place: Place, formula: Expr) -> Expr | None:
    """E = √(1/n Σe²)"""
    terms = _terms(place, formula)
    return call("sqrt", mul(Number(1, len(terms)), add(*(Power(error, Number(2)) for _, error in terms)))) if terms else None


def _only_term(which: int) -> Rule:
    """E = the loss term of one output"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        found = [ref for ref in references(formula) if place.kind(ref) == "loss_term" and not place.graph[ref.quantity].role]
        return found[which] if len(found) > 1 else None

    return rule


def error_from_delta(place: Place, formula: Expr) -> Expr | None:
    """E = ½Σδ²"""
    terms = _terms(place, formula)
    deltas = [place.same(place.graph.gradient(place.in_layer("net", layer=place.book.last)), target) for target in place.outputs]
    if not terms or None in deltas:
        return None
    return add(*(mul(terms[0][0], Power(delta, Number(2))) for delta in deltas if delta is not None))


def _scaled(factor: Callable[[int], Number], *losses: str) -> Rule:
    """A rule that multiplies by a number that depends on the count of outputs; only for some losses, else for ½Σ(t − o)²."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if place.loss not in (losses or ("half_squared_error",)) or (place.quantity.kind == "gradient" and not place.is_last):
            return None
        found = factor(len(place.outputs))
        own, rest = place.from_loss(formula) if place.quantity.kind == "gradient" else (formula, ZERO)
        return None if found == ONE or own == ZERO else add(mul(found, own), rest)

    return rule


def _in_loss(rule: Rule) -> Rule:
    """The rule on the loss of one sample, not on the mean of samples."""

    def only(place: Place, formula: Expr) -> Expr | None:
        inside = any(place.kind(ref) == "loss_term" for ref in references(formula))
        return rule(place, formula) if inside else None

    return only


twice = _scaled(lambda outputs: Number(2))
over_n = _scaled(lambda outputs: Number(1, outputs) if outputs > 1 else ONE)
halved = _scaled(lambda outputs: Number(1, 2), "squared_error", "mean_squared_error")
two_over_n = _scaled(lambda outputs: Number(2, outputs) if outputs % 2 else Number(1, outputs // 2) if outputs > 2 else ONE)


def _of_entropy(change: Callable[[Place, Expr], Expr | None], *losses: str) -> Rule:
    def rule(place: Place, formula: Expr) -> Expr | None:
        sums = place.quantity.kind == "loss" and not any(place.kind(ref) == "loss" for ref in references(formula))
        return change(place, formula) if place.loss in losses and sums else None

    return rule


entropy_sign = _of_entropy(lambda place, formula: neg(formula), *CROSS_ENTROPY, "binary_cross_entropy", *LIKELIHOODS)
entropy_mean = _of_entropy(
    lambda place, formula: mul(Number(1, len(place.outputs)), formula) if len(place.outputs) > 1 else None,
    *CROSS_ENTROPY,
    *LIKELIHOODS,
    "kl_divergence",
)


def _binary(place: Place, formula: Expr) -> Expr | None:
    """E = −Σ(t ln p + (1 − t) ln(1 − p))"""
    parts: list[Expr] = []
    for target in place.outputs:
        out = place.out_of(target)
        if out is None or not isinstance(made := place.formula(out), Call) or made.function != "softmax":
            return None
        parts.append(add(mul(target, call("ln", out)), mul(sub(ONE, target), call("ln", sub(ONE, out)))))
    return neg(add(*parts))


binary_formula = _of_entropy(_binary, *CROSS_ENTROPY)


def _logarithm(base: int) -> Rule:
    """log₁₀ or log₂ for ln"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(node: Expr) -> Expr | None:
            if isinstance(node, Call) and node.function in ("ln", "log"):
                return call(f"log{base}", *node.arguments)
            return div(node, call("ln", Number(base))) if isinstance(node, Call) and node.function in ("kl", "log_cosh") else None

        if any(isinstance(ref, Call) and ref.function == "logsumexp" for ref in walk(formula)):
            return div(formula, call("ln", Number(base)))
        return rewrite(formula, change)

    return rule


LOSSES = (
    Mistake(
        "half-forgotten",
        "The factor 1/2 of the error is forgotten",
        "The error was taken without its factor 1/2, or the 2 of the derivative was kept.\nWith 1/2 in the error, its derivative is o - t.",
        ({"loss_term": twice, "grad.out": twice}, {"loss_term": twice}, {"grad.out": twice}),
    ),
    Mistake(
        "square-factor-forgotten",
        "The 2 of the square is forgotten",
        "The derivative of the square was taken without its factor 2.\nThe derivative of (t - o)² by o is -2(t - o).",
        ({"grad.out": halved},),
    ),
    Mistake(
        "mean-for-half",
        "The error is averaged over the outputs",
        "1/n stood beside 1/2, so the derivative became (o - t)/n.\nHere the error is the sum over the outputs.",
        ({"loss": _in_loss(over_n), "grad.out": over_n}, {"loss": _in_loss(over_n)}, {"grad.out": over_n}),
    ),
    Mistake(
        "two-over-n",
        "2/n stands in place of 1",
        "The mean over the outputs was taken in place of 1/2, so the derivative became 2(o - t)/n.\nHere the error is half the sum.",
        ({"loss": _in_loss(two_over_n), "grad.out": two_over_n}, {"loss": _in_loss(two_over_n)}, {"grad.out": two_over_n}),
    ),
    Mistake(
        "square-of-sum",
        "The errors are added before squaring",
        "The errors of the outputs were added and then squared.\nEach is squared first, so that errors of different signs do not cancel.",
        ({"loss": square_of_sum},),
    ),
    Mistake(
        "absolute-or-root-error",
        "Another error measure is used",
        "The absolute error or the root of the mean square was computed.\nThe error asked for is the sum of the loss terms.",
        ({"loss": absolute_error}, {"loss": root_error}),
    ),
    Mistake(
        "one-output-only",
        "Only one output is in the total error",
        "The loss term of one output was taken as the total.\nThe total error adds the terms of all outputs.",
        ({"loss": _only_term(0)}, {"loss": _only_term(-1)}),
    ),
    Mistake(
        "error-from-delta",
        "The total error is computed from the error terms",
        "The δ of the outputs were squared.\nThe error compares outputs with targets; δ already contains the activation's derivative.",
        ({"loss": error_from_delta},),
    ),
    Mistake(
        "log-base",
        "The logarithm has another base",
        "The logarithm to base 10 or 2 was computed.\nCross-entropy uses the natural logarithm.",
        tuple({"loss_term": _logarithm(base), "loss": _logarithm(base)} for base in (10, 2)),
        convention="logarithm",
        on_this_sheet="the logarithm has another base on this sheet",
    ),
    Mistake(
        "cross-entropy-sign-or-mean",
        "Cross-entropy without its minus, or averaged over classes",
        "The minus was forgotten, or the sum divided by the number of classes.\nIt is -Σ t·ln(o).",
        ({"loss": entropy_sign}, {"loss": entropy_mean}),
    ),
    Mistake(
        "binary-formula-on-softmax",
        "The formula for two classes is used on softmax",
        "(1 - t)·ln(1 - p) was added for every class.\nWith softmax only the terms t·ln(p) are added.",
        ({"loss": binary_formula},),
    ),
)

"""Mistakes of optimisers: momentum, weight decay, adaptive rates, and clipping.

The rules see the quantities that models/optimisers.py defines for every parameter, and the numbers of the optimiser, by their roles:
velocity, square, moment1 …, momentum, beta1 …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handcalc.core.expr import MINUS_ONE, ONE, ZERO, Call, Expr, Number, Power, Ref, Sum, add, call, mul, neg, rewrite, sub
from handcalc.marking.mistakes.entry import BIASES, Mistake, Place, Rule, Variant

GRADIENTS = ("gradient", "clipped", "decayed")  # what an optimiser may be given as the gradient
AVERAGES = ("state.square", "state.moment1", "state.moment2", "state.steps")  # what adaptive rates carry on
FROM_GRADIENT = ("state.velocity", "state.square", "state.moment1", "state.moment2", "state.step", "change")

Put = Mapping[str, Expr | Callable[[Place, Ref], Expr]]


def _put(place: Place, formula: Expr, changes: Put) -> Expr:
    """The formula with quantities exchanged, by their roles."""

    def change(node: Expr) -> Expr | None:
        if not isinstance(node, Ref):
            return None
        found = changes.get(place.role(node))
        return found if found is None or isinstance(found, Expr) else found(place, node)

    return rewrite(formula, change)


def _putting(changes: Put, *optimisers: str) -> Rule:
    """A rule that exchanges quantities, with these optimisers or with any."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return _put(place, formula, changes) if not optimisers or place.optimiser in optimisers else None

    return rule


def _gradients(change: Expr | Callable[[Place, Ref], Expr]) -> Put:
    return dict.fromkeys(GRADIENTS, change)


def _own(place: Place, role: str) -> Ref | None:
    """A quantity of the same parameter."""
    of = place.quantity.of
    return place.at(place.graph.related(role, of.quantity), *place.own) if of else None


def _number(place: Place, role: str) -> Ref:
    """A number of the optimiser."""
    return Ref(place.graph.in_layer(0, "hyper", role))


def _negative(place: Place, ref: Ref) -> Expr:
    return neg(ref)


def _times_rate(place: Place, ref: Ref) -> Expr:
    return mul(place.rate, ref)


def _step(place: Place, ref: Ref) -> Expr:
    return neg(mul(place.rate, ref))


def _with_decay(place: Place, ref: Ref) -> Expr:
    """g + λ·w, of the parameter at this place"""
    here = _parameter(place)
    return ref if here is None else add(ref, mul(_number(place, "weight_decay"), here))


def _parameter(place: Place) -> Ref | None:
    of = place.quantity.of
    return place.at(of.quantity, *place.own) if of else None


# --- momentum ---------------------------------------------------------------------------------------------------------


def _is_textbook(place: Place) -> bool:
    return place.book.problem.conventions.momentum_form == "textbook"


def _without_share(formula: Expr) -> Expr:
    """(1 − β)·g → g"""
    return rewrite(formula, lambda node: ONE if isinstance(node, Sum) and node.terms[0] == ONE and len(node.terms) == 2 else None)


def share_changed(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v + (1 − μ)·g where it is μ·v + g, and the other way round"""
    if place.book.problem.conventions.momentum_form == "average" and place.optimiser == "momentum":
        return _without_share(formula)
    return _put(place, formula, _gradients(lambda place, ref: mul(sub(ONE, _number(place, "momentum")), ref)))


def velocity_of_the_other_form(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v − η·g for v = μ·v + g, and the other way round"""
    if place.optimiser != "momentum":
        return None
    if _is_textbook(place):
        return _put(place, formula, {"rate": MINUS_ONE})
    return _put(place, _without_share(formula), _gradients(_step))


def change_of_the_other_form(place: Place, formula: Expr) -> Expr | None:
    """Δw = v for Δw = −η·v, and the other way round"""
    if place.optimiser != "momentum":
        return None
    return _put(place, formula, {"velocity": _step} if _is_textbook(place) else {"rate": MINUS_ONE})


def plain_step(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η·g for Δw = −η·v"""
    gradient = next((found for role in reversed(GRADIENTS) if (found := _own(place, role))), None)
    return neg(mul(place.rate, gradient)) if gradient and _own(place, "velocity") and formula != ZERO else None


def old_velocity(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η·(old v)"""
    old = _own(place, "old velocity")
    return _put(place, formula, {"velocity": old}) if old and place.optimiser == "momentum" else None


def memory_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v = μ·0 + g"""
    return place.swap(formula, lambda ref: ZERO, "memory")


def rate_in_both(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v + η·g and Δw = −η·v; as textbooks: v = μ·v − η·g and Δw = η·v"""
    if _is_textbook(place):
        return _put(place, formula, {"velocity": _times_rate}) if place.quantity.kind == "change" else None
    return _put(place, formula, _gradients(_times_rate)) if place.quantity.kind == "state" else None


# --- weight decay -----------------------------------------------------------------------------------------------------


def _decay_apart(amount: Callable[[Place], Expr]) -> Variant:
    """g = ∂E/∂w, and amount·w taken off in the update"""

    def apart(place: Place, formula: Expr) -> Expr | None:
        here = _parameter(place)
        if here is None or formula == ZERO or not _decays(place):
            return None
        return add(_put(place, formula, {"weight_decay": ZERO}), neg(mul(amount(place), here)))

    return {"state.decayed": decay_forgotten, "change": apart}


def _has_decay(place: Place) -> bool:
    return bool(place.graph.in_layer(0, "hyper", "weight_decay"))


def _decays(place: Place) -> bool:
    """Whether there is weight decay for this parameter."""
    bias = place.quantity.of is not None and place.graph[place.quantity.of.quantity].kind in BIASES
    return _has_decay(place) and (place.book.problem.conventions.bias_decay or not bias)


decay_forgotten = _putting({"weight_decay": ZERO})  # g = ∂E/∂w


def _factor(factor: Number) -> Variant:
    """g = ∂E/∂w + factor·λ·w"""
    rule = _putting({"weight_decay": lambda place, ref: mul(factor, ref)})
    return {"state.decayed": rule, "change": rule}


def _unless_the_same(variant: Variant) -> Variant:
    """Not with optimisers for which decay comes to the same inside the gradient and apart from it."""

    def limited(rule: Rule) -> Rule:
        return lambda place, formula: rule(place, formula) if place.optimiser not in ("sgd", "adamw") else None

    return {role: limited(rule) for role, rule in variant.items()}


def decay_in_gradient(place: Place, formula: Expr) -> Expr | None:
    """m = β·m + (1 − β)·(∂E/∂w + λ·w) where decay stands apart"""
    here = _parameter(place)
    if place.optimiser != "adamw" or here is None or not _decays(place):
        return None
    if place.quantity.kind == "change":
        return _put(place, formula, {"weight_decay": ZERO})
    return _put(place, formula, _gradients(_with_decay))


def decay_of_bias(place: Place, formula: Expr) -> Expr | None:
    """g = ∂E/∂b + λ·b"""
    here = _parameter(place)
    if (
        here is None
        or formula == ZERO
        or place.kind(here) not in BIASES
        or _decays(place)
        or not place.graph.in_layer(0, "hyper", "weight_decay")
    ):
        return None
    if place.optimiser == "adamw":
        return sub(formula, mul(place.rate, _number(place, "weight_decay"), here)) if place.quantity.kind == "change" else None
    return _put(place, formula, _gradients(_with_decay))


# --- adaptive rates ---------------------------------------------------------------------------------------------------


def epsilon_inside(place: Place, formula: Expr) -> Expr | None:
    """√(v + ε) for √v + ε"""

    def change(node: Expr) -> Expr | None:
        match node:
            case Sum((Call("sqrt", (inner,)), Ref() as epsilon)) if place.role(epsilon) == "epsilon":
                return call("sqrt", add(inner, epsilon))
        return None

    return rewrite(formula, change)


def root_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v + ε for √v + ε"""
    return rewrite(formula, lambda node: node.arguments[0] if isinstance(node, Call) and node.function == "sqrt" else None)


def square_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v = β₂·v + (1 − β₂)·g"""
    return rewrite(formula, lambda node: node.base if isinstance(node, Power) else None)


def share_forgotten(place: Place, formula: Expr) -> Expr | None:
    """m = β₁·m + g"""
    return _without_share(formula)


CORRECTED = {"corrected1": "moment1", "corrected2": "moment2"}  # average of Adam → the same before its correction


def _uncorrected(*roles: str) -> Variant:
    """Δw = −η·m/(√v + ε), or with one of the two"""

    def raw(place: Place, ref: Ref) -> Expr:
        return _own(place, CORRECTED[place.role(ref)]) or ref

    return {"change": _putting(dict.fromkeys(roles, raw))}


def _one_less(place: Place, ref: Ref) -> Expr:
    """n − 1, but at least 1"""
    return call("max", ONE, sub(ref, ONE))


# --- clipping ---------------------------------------------------------------------------------------------------------


def clipped_one_by_one(place: Place, formula: Expr) -> Expr | None:
    """max(−c, min(c, g)) for g·min(1, c/‖g‖)"""
    gradient, limit = _own(place, "gradient"), place.first(formula, "hyper")
    if gradient is None or limit is None or place.role(limit) != "clip_norm":
        return None
    return call("max", neg(limit), call("min", limit, gradient))


def clipped_always(place: Place, formula: Expr) -> Expr | None:
    """g·c/‖g‖, however short g is"""
    return rewrite(formula, lambda node: node.arguments[1] if isinstance(node, Call) and node.arguments[0] == ONE else None)


def clipping_forgotten(place: Place, formula: Expr) -> Expr | None:
    """g"""
    return _own(place, "gradient")


OPTIMISERS = (
    Mistake(
        "momentum-form",
        "The velocity is put together in another way",
        "A sign, the factor 1 - μ or the learning rate is not as in the form of momentum that is asked.\n"
        "The old velocity is multiplied by μ, and the new gradient is added as the sheet writes it.",
        (
            {"state.velocity": _putting({"old velocity": _negative})},
            {"state.velocity": share_changed},
            {"state.velocity": velocity_of_the_other_form, "change": change_of_the_other_form},
            {"state.velocity": _putting(_gradients(_negative))},
        ),
    ),
    Mistake(
        "velocity-forgotten",
        "The step is taken without the velocity",
        "The weight was moved by its gradient alone.\nWith momentum it is moved by the velocity.",
        ({"change": plain_step},),
    ),
    Mistake(
        "old-velocity-used",
        "The old velocity is used in the update",
        "The weight was moved by the velocity of the step before.\nFirst the velocity is updated; then the new one moves the weight.",
        ({"change": old_velocity},),
    ),
    Mistake(
        "look-ahead-forgotten",
        "Nesterov's look-ahead is forgotten",
        "The step is that of plain momentum.\nNesterov's step is made of the gradient and of μ times the new velocity.",
        ({"change": _putting({**_gradients(ZERO), "momentum": ONE}, "nesterov")},),
    ),
    Mistake(
        "memory-forgotten",
        "What the optimiser remembers is forgotten",
        "The velocity or the average began at 0 again.\nEvery iteration goes on with what the one before has left.",
        (dict.fromkeys(("state.velocity", *AVERAGES), memory_forgotten),),
    ),
    Mistake(
        "decay-forgotten",
        "Weight decay is forgotten",
        "The weight was updated as if there were no weight decay.\nλ·w belongs to the update of every weight.",
        ({"state.decayed": decay_forgotten, "change": decay_forgotten},),
    ),
    Mistake(
        "weight-decay-form",
        "Weight decay has the wrong factor or sign",
        "λ·w was taken twice, by half, with the other sign, or without the learning rate.\n"
        "It is added to the gradient, and like the gradient it is multiplied by η.",
        (_decay_apart(lambda place: _number(place, "weight_decay")), _factor(Number(2)), _factor(Number(1, 2)), _factor(MINUS_ONE)),
    ),
    Mistake(
        "bias-decayed",
        "Weight decay is applied to a bias",
        "The bias was decayed as well.\nHere only the weights are.",
        (dict.fromkeys(FROM_GRADIENT, decay_of_bias),),
    ),
    Mistake(
        "decay-at-wrong-place",
        "Weight decay is taken at the wrong place",
        "λ·w was taken apart from the gradient, or put into it.\n"
        "It is part of the gradient that the optimiser sees; only AdamW takes it apart from the averages.",
        (
            _unless_the_same(_decay_apart(lambda place: mul(place.rate, _number(place, "weight_decay")))),
            dict.fromkeys(("state.moment1", "state.moment2", "change"), decay_in_gradient),
        ),
    ),
    Mistake(
        "average-share-forgotten",
        "The factor 1 - β is forgotten in an average",
        "The new value was added as a whole.\nA running average takes β of the old value and 1 - β of the new one.",
        (dict.fromkeys(AVERAGES, share_forgotten), {"state.moment1": share_forgotten}, {"state.moment2": share_forgotten}),
    ),
    Mistake(
        "square-forgotten",
        "The gradient is not squared in its average",
        "The gradient itself was put into the average of squares.\nThat average is made of g².",
        (dict.fromkeys(AVERAGES, square_forgotten),),
    ),
    Mistake(
        "betas-exchanged",
        "β₁ and β₂ are exchanged",
        "The average of gradients was made with β₂, that of squares with β₁.\nβ₁ belongs to m, β₂ to v.",
        (
            dict.fromkeys(
                ("state.moment1", "state.moment2", "state.corrected1", "state.corrected2"),
                _putting({"beta1": lambda place, ref: _number(place, "beta2"), "beta2": lambda place, ref: _number(place, "beta1")}),
            ),
        ),
    ),
    Mistake(
        "bias-correction-forgotten",
        "The correction of the averages is forgotten",
        "An average was used as it is.\nIt began at 0, so Adam divides it by 1 - βⁿ.",
        (_uncorrected("corrected1", "corrected2"), _uncorrected("corrected1"), _uncorrected("corrected2")),
    ),
    Mistake(
        "count-from-zero",
        "The iterations are counted from 0, or not at all",
        "The correction was that of the iteration before, or always of the first.\nThe first iteration has n = 1, the next n = 2.",
        (
            dict.fromkeys(("state.corrected1", "state.corrected2"), _putting({"count": _one_less})),
            dict.fromkeys(("state.corrected1", "state.corrected2"), _putting({"count": ONE})),
        ),
    ),
    Mistake(
        "root-forgotten",
        "The root of the squares is forgotten",
        "The step was divided by the squares themselves.\nIt is divided by their root.",
        ({"change": root_forgotten, "state.step": root_forgotten},),
    ),
    Mistake(
        "epsilon-inside-root",
        "ε is put under the root",
        "ε was added before the root was taken.\nThe divisor is the root, plus ε.",
        ({"change": epsilon_inside},),
    ),
    Mistake(
        "clipping-forgotten",
        "Clipping is forgotten",
        "The gradient was used as it is, although it is over the limit.\nIt is brought within the limit first.",
        ({"state.clipped": clipping_forgotten},),
    ),
    Mistake(
        "clipping-form",
        "The gradient is clipped in another way",
        "It was clipped number by number, or also where it is within the limit.\n"
        "Only if the norm of all gradients is over the limit, all of them are multiplied by limit/norm.",
        ({"state.clipped": clipped_one_by_one}, {"state.clipped": clipped_always}),
    ),
)

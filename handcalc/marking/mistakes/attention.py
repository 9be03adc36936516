"""Mistakes of attention: scores, masks, softmax, values; of embeddings and positions."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, ZERO, Call, Expr, Number, Quotient, Ref, add, call, div, rewrite
from handcalc.marking.mistakes.entry import Mistake, Place, Rule, Variant
from handcalc.marking.mistakes.forward import softmax_along

# --- scores -----------------------------------------------------------------------------------------------------------


def _scale(change: Callable[[Place, Quotient, Number], Expr | None]) -> tuple[Variant, ...]:
    """Scores divided by something else than √d; and the way back too"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def scaled(node: Expr) -> Expr | None:
            match node:
                case Quotient(_, Call("sqrt", (Number() as width,))):
                    return change(place, node, width)
            return None

        return rewrite(formula, scaled) if place.type == "attention" else None

    return {"part.score": rule}, {"part.score": rule, "path": rule, "grad.net": rule}


def _all_heads(place: Place, node: Quotient, width: Number) -> Expr:
    """1/√(heads·d)"""
    return div(node.above, call("sqrt", Number(place.options["heads"] * width.numerator)))


def queries_for_keys(place: Place, formula: Expr) -> Expr | None:
    """s = k·q' for s = q·k'"""
    other = {"query": "key", "key": "query"}
    return place.swap(formula, lambda ref: place.same(place.in_layer("part", other.get(place.role(ref), "none")), ref), "net")


def _projected(name: str) -> Rule:
    """q = Wk·x"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        other = place.same(place.in_layer("part", name))
        return place.formula(other) if other and formula == place.right else None

    return rule


# --- masks ------------------------------------------------------------------------------------------------------------


def _masks(place: Place) -> Ref | None:
    """The number added to a score: 0 where it is seen"""
    name = place.in_layer("input", "mask") if place.type == "attention" else ""
    return Ref(name, place.cell[1][-2:]) if name else None


def _is_seen(place: Place) -> bool:
    mask = _masks(place)
    value = None if mask is None else place.graph.given_value((mask.quantity, mask.places))
    return mask is None or value is not None and value.numerator == 0


def mask_forgotten(place: Place, formula: Expr) -> Expr | None:
    """The score itself"""
    return place.same(place.in_layer("part", "score"))


def mask_as_zero(place: Place, formula: Expr) -> Expr | None:
    """0 for a score that is not seen"""
    return None if _is_seen(place) else ZERO


def mask_after_softmax(place: Place, formula: Expr) -> Expr | None:
    """a = softmax(s), then 0 where it is not seen; the row no longer sums to 1"""
    if _masks(place) is None:
        return None
    return place.swap(formula, lambda ref: place.same(place.in_layer("part", "score"), ref), "part") if _is_seen(place) else ZERO


# --- values -----------------------------------------------------------------------------------------------------------


def _mixed(change: Callable[[Place, Ref], Expr | None]) -> Variant:
    """A variant that changes the sum of weighted values"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: change(place, ref), "net", "out") if place.type == "attention" else None

    return {"part.context": rule, "out": rule}


def _of(place: Place, ref: Ref, role: str) -> bool:
    return ref.quantity == place.in_layer("part", role)


def _key_for_value(place: Place, ref: Ref) -> Expr | None:
    return place.same(place.in_layer("part", "key"), ref) if _of(place, ref, "value") else None


def _unweighted(place: Place, ref: Ref) -> Expr | None:
    return ONE if _of(place, ref, "attention") else None


def _averaged(place: Place, ref: Ref) -> Expr | None:
    tokens = place.graph[ref.quantity].axes[-1].size
    return Number(1, tokens) if _of(place, ref, "attention") else None


def _columns(place: Place, ref: Ref) -> Expr | None:
    """a[u,t] for a[t,u]"""
    *head, query, key = ref.indices
    return Ref(ref.quantity, (*head, key, query)) if _of(place, ref, "attention") else None


# --- embedding and positions --------------------------------------------------------------------------------------------


def _other_row(step: int) -> Rule:
    """The row of W of the word before or after"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(ref: Ref) -> Expr | None:
            word, feature = ref.places
            return place.at(ref.quantity, word + step, feature)

        return place.swap(formula, change, "weight") if place.type == "embedding" else None

    return rule


def position_from_one(place: Place, formula: Expr) -> Expr | None:
    """sin((t + 1)/…) for sin(t/…)"""

    def change(ref: Ref) -> Expr | None:
        return add(ref, ONE) if place.role(ref) == "place" else None

    return place.swap(formula, change, "input")


def sine_for_cosine(place: Place, formula: Expr) -> Expr | None:
    """cos for sin, sin for cos"""
    other = {"sin": "cos", "cos": "sin"}
    return formula.replace(function=other[formula.function]) if isinstance(formula, Call) and formula.function in other else None


ATTENTION = (
    Mistake(
        "scale-forgotten",
        "The scores are not divided by √d",
        "The products of queries and keys were used as they are.\nEach is divided by √d, d being the width of a key.",
        _scale(lambda place, node, width: node.above),
    ),
    Mistake(
        "scale-wrong",
        "The scores are divided by another number than √d",
        "They were divided by d, or by √d of all heads together.\nEach is divided by the root of the width of one key.",
        (*_scale(lambda place, node, width: div(node.above, width)), *_scale(_all_heads)),
    ),
    Mistake(
        "query-key-exchanged",
        "Queries and keys are exchanged",
        "The score of t and u was computed from the key of t and the query of u.\nThe row of a score belongs to its query.",
        (
            {"part.score": queries_for_keys, "step.dot": queries_for_keys},
            {"part.query": _projected("key"), "part.key": _projected("query")},
        ),
    ),
    Mistake(
        "softmax-over-queries",
        "Softmax runs along the wrong direction",
        "The powers were divided by their sum over the other direction.\nEvery row of attention weights, or of outputs, sums to 1.",
        ({"part.attention": softmax_along("token"), "out": softmax_along("token", "time")},),
    ),
    Mistake(
        "mask-forgotten",
        "The mask is forgotten",
        "Scores that are not to be seen were used.\nA masked score becomes minus infinity, so its weight is 0.",
        ({"part.masked": mask_forgotten},),
    ),
    Mistake(
        "mask-as-zero",
        "Masked scores are set to 0",
        "Scores that are not to be seen were set to 0 before softmax.\ne^0 is 1: they become minus infinity, so that their weight is 0.",
        ({"part.masked": mask_as_zero},),
    ),
    Mistake(
        "mask-after-softmax",
        "The mask is applied after softmax",
        "Weights were set to 0 after softmax, so the row no longer sums to 1.\nThe mask belongs to the scores, before softmax.",
        ({"part.attention": mask_after_softmax},),
    ),
    Mistake(
        "keys-for-values",
        "Keys are used for values",
        "The attention weights were multiplied by the keys.\nKeys only make the scores; what is added up are the values.",
        (_mixed(_key_for_value),),
    ),
    Mistake(
        "values-not-weighted",
        "The values are not weighted",
        "The values were added, or averaged, without the attention weights.\nEach value is multiplied by its weight.",
        (_mixed(_unweighted), _mixed(_averaged)),
    ),
    Mistake(
        "attention-transposed",
        "The attention weights are transposed",
        "The weights of a column were used for those of a row.\nThe row of the weights belongs to the query whose output it is.",
        (_mixed(_columns),),
    ),
    Mistake(
        "word-miscounted",
        "The row of another word is taken",
        "The words were counted from another number.\nThe first row of the embedding is number 0.",
        ({"out": _other_row(-1)}, {"out": _other_row(1)}),
    ),
    Mistake(
        "position-from-one",
        "The positions are counted from 1",
        "The first position was taken as 1.\nPositions are counted from 0, so the first one has sin 0 = 0 and cos 0 = 1.",
        ({"part.position": position_from_one},),
    ),
    Mistake(
        "sine-cosine-exchanged",
        "Sine and cosine are exchanged",
        "The sine was taken where the cosine belongs.\nEven features, counted from 0, have the sine, odd ones the cosine.",
        ({"part.position": sine_for_cosine},),
    ),
)

"""Mistakes of recurrent layers: states, gates, candidates, and the way back through time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from handcalc.core.expr import ONE, ZERO, Call, Delta, Expr, Number, Product, Ref, Sum, add, call, mul, references, rewrite, sub
from handcalc.layers.recurrent import STARTS_FROM
from handcalc.marking.mistakes.entry import Mistake, Place, Rule, Variant, role
from handcalc.problem.schema import Layer

GATED = ("lstm", "gru")
HELD = {"held_out": "out", "held_cell": "cell"}  # copy of a state, which truncated back-propagation takes for a given number → the state

# --- the state before ---------------------------------------------------------------------------------------------------


def _states(change: Callable[[Place, Ref], Expr | None], *names: str) -> Rule:
    """A rule that changes the states of the time before: of all, or those of these names (out, cell)."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: change(place, ref) if _is_before(place, ref, names) else None, "out", "part")

    return rule


def _is_before(place: Place, ref: Ref, names: tuple[str, ...]) -> bool:
    """Whether a reference is to a state of this layer at the time before (in reverse, after); a state is given at its start."""
    quantity = place.graph[ref.quantity]
    name = HELD.get(quantity.role, role(quantity))
    now, then = place.time(Ref(*place.cell)), place.time(ref)
    before = quantity.held or (quantity.starts and now is not None and then is not None and abs(then - now) == 1)
    return before and quantity.layer == place.layer and (not names or name in names)


def _at_start(place: Place, ref: Ref) -> Ref:
    """The state given at the beginning; where another layer hands it on, nothing else"""
    axes = place.graph[ref.quantity].axes
    clock = next(number for number, axis in enumerate(axes) if axis.role == "time")
    ends = [Ref(ref.quantity, (*ref.indices[:clock], end, *ref.indices[clock + 1 :])) for end in (0, axes[clock].size - 1)]
    return next((end for end in ends if place.graph.given_value((end.quantity, end.places)) is not None), ref)


def _start_forgotten(place: Place, ref: Ref) -> Expr | None:
    """0 for the given state"""
    value = place.graph.given_value((ref.quantity, ref.places))
    return ZERO if value is not None and value.numerator else None


def _state_variant(change: Callable[[Place, Ref], Expr | None], *names: str) -> Variant:
    rule = _states(change, *names)
    return {"net": rule, "part.cell": rule, "out": rule}


# --- a state that another layer hands on ----------------------------------------------------------------------------------


def _handed(change: Callable[[Place, Ref], Expr]) -> Variant:
    """Changes what [t = 1]·state of the other layer is."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if place.type not in ("rnn", *GATED) or not place.options[STARTS_FROM.name]:
            return None

        def other(node: Expr) -> Expr | None:
            match node:
                case Product((Delta() as begin, Ref() as state)):
                    return mul(begin, change(place, state))
            return None

        return place.rewritten(other)

    return {"net": rule, "part.cell": rule, "out": rule}


def _first_of_other(place: Place, state: Ref) -> Expr:
    """The state of the first time for that of the last one"""
    axes = place.graph[state.quantity].axes
    ends = [1 - axis.first if axis.role == "time" and at == axis.size - 1 else at for axis, at in zip(axes, state.indices)]
    return Ref(state.quantity, tuple(ends))


def not_from_other(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂h of the last time without what comes back from the layer that begins with it"""
    layers = place.book.problem.layers
    begins = [number for number, layer in enumerate(layers, 1) if place.layer in layer.options.get(STARTS_FROM.name, ())]
    if not begins or any(_reads(layers[number - 1], number, place.layer) for number in begins):
        return None
    terms = formula.terms if isinstance(formula, Sum) else (formula,)
    return add(*(term for term in terms if not any(_comes_back(place, term, number) for number in begins)))


def _reads(layer: Layer, number: int, other: int) -> bool:
    """Whether a layer also takes its inputs from the one that hands a state on."""
    return other in layer.taken(number)[: -len(layer.options[STARTS_FROM.name])]


def _comes_back(place: Place, term: Expr, layer: int) -> bool:
    """Whether a part of a gradient comes back from a layer."""
    inner = (place.formula(ref) if place.kind(ref) == "path" else ref for ref in references(term))
    return any((found := place.first(one, "gradient")) and place.graph[found.quantity].layer == layer for one in inner)


# --- gates ------------------------------------------------------------------------------------------------------------------


def _exchange(names: dict[str, str]) -> Callable[[Place, Ref], Ref | None]:
    """gate_i ↔ gate_f in the same layer"""

    def change(place: Place, ref: Ref) -> Ref | None:
        other = names.get(place.role(ref))
        return place.same(place.in_layer("part", other), ref) if other and place.type in GATED else None

    return change


def _gates_used(first: str, second: str) -> Variant:
    """c = f·g + i·c for c = i·g + f·c"""
    change = _exchange({f"gate_{first}": f"gate_{second}", f"gate_{second}": f"gate_{first}"})

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: change(place, ref), "out")

    return {"part.cell": rule, "out": rule, "part.net_n": rule}


def _gates_made(first: str, second: str) -> Variant:
    """i = σ(net_f) for i = σ(net_i)"""
    change = _exchange({f"net_{first}": f"net_{second}", f"net_{second}": f"net_{first}"})

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: change(place, ref), "net")

    return {f"part.gate_{first}": rule, f"part.gate_{second}": rule}


_PAIRS = (*combinations("ifo", 2), ("r", "z"))


def update_turned(place: Place, formula: Expr) -> Expr | None:
    """h = z·n + (1 − z)·h for h = (1 − z)·n + z·h"""
    if place.type != "gru":
        return None

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Ref) and place.role(node) == "gate_z":
            return sub(ONE, node)
        match node:
            case Sum((Number(1, 1), other)) if (refs := references(other)) and place.role(refs[0]) == "gate_z":
                return refs[0]
        return None

    return rewrite(formula, change)


def _is_reset(place: Place, expr: Expr) -> bool:
    return isinstance(expr, Ref) and place.role(expr) == "gate_r"


def reset_forgotten(place: Place, formula: Expr) -> Expr | None:
    """net_n = Σ W·x + Σ W·h + b"""
    return place.swap(formula, lambda ref: ONE if _is_reset(place, ref) else None, "out")


def reset_elsewhere(place: Place, formula: Expr) -> Expr | None:
    """r_j·Σ_k W_jk·h_k for Σ_k W_jk·r_k·h_k, and the other way round"""

    def change(node: Expr) -> Expr | None:
        match node:
            case Product((Ref() as reset, Sum(terms))) if _is_reset(place, reset):
                return add(*(_reset_inside(place, reset, term) for term in terms))
            case Product((_, Ref() as reset, _)) if _is_reset(place, reset):
                return mul(*(place.same(reset.quantity) or factor if factor is reset else factor for factor in node.factors))
        return None

    return rewrite(formula, change)


def _reset_inside(place: Place, reset: Ref, term: Expr) -> Expr:
    """W_jk·h_k → W_jk·r_k·h_k; a bias stays"""
    if not isinstance(term, Product):
        return term
    state = references(term)[-1]
    own = Ref(reset.quantity, (*reset.indices[:-1], state.indices[-1]))
    return mul(*term.factors[:-1], own, term.factors[-1])


# --- candidate and output -------------------------------------------------------------------------------------------------


def _candidate(change: Callable[[Expr], Expr]) -> Variant:
    """Another function of the candidate's net input"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return change(formula.arguments[0]) if isinstance(formula, Call) and formula.function == "tanh" else None

    return {"part.gate_g": rule, "part.gate_n": rule}


def cell_for_state(place: Place, formula: Expr) -> Expr | None:
    """h = o·c for h = o·tanh(c)"""
    if place.type != "lstm" or place.quantity.kind != "out":
        return None
    return rewrite(formula, lambda node: node.arguments[0] if isinstance(node, Call) and node.function == "tanh" else None)


# --- the way back -----------------------------------------------------------------------------------------------------------


def not_from_later(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂h[t] without what comes back from h[t + 1]"""
    now = place.time(Ref(*place.cell))
    if now is None or place.type not in ("rnn", *GATED):
        return None
    terms = formula.terms if isinstance(formula, Sum) else (formula,)
    return add(*(term for term in terms if not _comes_from(place, term, now + 1)))


def _comes_from(place: Place, term: Expr, time: int) -> bool:
    """Whether a part of a gradient comes back from a later time of the same layer."""
    for ref in references(term):
        inner = place.formula(ref) if place.kind(ref) == "path" else ref
        found = place.first(inner, "gradient")
        if found and place.graph[found.quantity].layer == place.layer and (place.time(found) or 0) >= time:
            return True
    return False


RECURRENT = (
    Mistake(
        "state-not-carried",
        "The state is not carried on",
        "The state of the time before was taken as 0, or as the first one.\nEvery time goes on with the state of the time before.",
        (
            _state_variant(lambda place, ref: ZERO),
            _state_variant(_at_start),
            _state_variant(lambda place, ref: ZERO, "out"),
            _state_variant(lambda place, ref: ZERO, "cell"),
        ),
    ),
    Mistake(
        "initial-state-forgotten",
        "The initial state is forgotten",
        "The first time was computed with a state of 0.\nThe sheet gives the state to begin with.",
        (_state_variant(_start_forgotten),),
    ),
    Mistake(
        "handed-state-forgotten",
        "The state that another layer hands on is forgotten",
        "The layer began with a state of 0, or with the other layer's first state.\nIt begins with the last state of the other layer.",
        (_handed(lambda place, state: ZERO), _handed(_first_of_other)),
    ),
    Mistake(
        "gates-exchanged",
        "Two gates are exchanged",
        "One gate was used, or computed, in the place of another.\n"
        "Each has weights and a task of its own: i lets in, f keeps, o shows; r resets, z updates.",
        (*(_gates_used(*pair) for pair in _PAIRS), *(_gates_made(*pair) for pair in _PAIRS)),
    ),
    Mistake(
        "update-gate-turned",
        "z and 1 - z are exchanged",
        "The update gate was used the other way round.\nThe sheet says whether z keeps the old state or takes the new one.",
        ({"out": update_turned},),
    ),
    Mistake(
        "reset-gate-misplaced",
        "The reset gate is forgotten, or acts at another place",
        "The candidate was computed without r, or r was multiplied in elsewhere.\n"
        "The sheet says whether r acts on the state or on its weighted sum.",
        ({"part.net_n": reset_forgotten}, {"part.net_n": reset_elsewhere}),
    ),
    Mistake(
        "candidate-without-tanh",
        "The candidate is computed without tanh",
        "The candidate's net input was used as it is, or put through a sigmoid.\nThe gates use a sigmoid; the candidate uses tanh.",
        (_candidate(lambda net: net), _candidate(lambda net: call("sigmoid", net))),
    ),
    Mistake(
        "cell-without-tanh",
        "The cell is used without tanh in the output",
        "The output gate was multiplied by the cell itself.\nThe state is the output gate times tanh of the cell.",
        ({"out": cell_for_state},),
    ),
    Mistake(
        "time-path-forgotten",
        "The error is not sent back through time",
        "∂E/∂h of a time was taken from that time alone.\nThe state also acts on later times; what comes back from them is added.",
        ({"grad.out": not_from_later, "grad.cell": not_from_later},),
    ),
    Mistake(
        "handed-state-path-forgotten",
        "The error is not sent back through the state that is handed on",
        "∂E/∂h of the last state lacks what the layer that begins with it sends.\nWhat comes back from that layer's first time is added.",
        ({"grad.out": not_from_other, "grad.cell": not_from_other},),
    ),
)

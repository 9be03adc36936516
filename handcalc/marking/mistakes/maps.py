"""Mistakes of convolution and pooling.

A window that stands elsewhere is the layer's own general formula with other places in it: x[s·r + e·u − p] with another stride s,
dilation e or padding p, written out again for the cell (`Place.written`). Everything else changes the references of an instance.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ZERO, Call, Expr, Number, Product, Quotient, Ref, add, call, div, mul, references, rewrite
from handcalc.core.index import Affine, Position, affine, position
from handcalc.marking.mistakes.entry import BIASES, Mistake, Place, Rule, Variant

SPACE = ("row", "column")
TRANSPOSED = ("conv_transpose2d", "conv_transpose1d")
CONVOLUTIONS = ("conv2d", "conv1d", *TRANSPOSED)
POOLING = ("max_pool", "avg_pool")
COUNTED = "counted"  # how many numbers a window sees

# --- the kernel -------------------------------------------------------------------------------------------------------


def _mirrored(place: Place, name: str, places: tuple[int, ...]) -> tuple[int, ...]:
    """A place of a kernel, or of its gradient, turned round: K−1−u for u."""
    axes = place.graph[name].axes
    return tuple(axis.size - 1 - one if axis.role in SPACE else one for axis, one in zip(axes, places))


def kernel_flipped(place: Place, formula: Expr) -> Expr | None:
    """Σ W[K−1−u]·x[r + u]; with flipped kernels Σ W[u]·x[r + u]"""

    def change(ref: Ref) -> Expr | None:
        if place.type_of(place.graph[ref.quantity].layer) not in CONVOLUTIONS:
            return None
        return Ref(ref.quantity, _mirrored(place, ref.quantity, ref.places))

    return place.swap(formula, change, "weight")


def _gradient_flipped(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂W[u] as if it were ∂E/∂W[K−1−u]"""
    if place.quantity.kind != "gradient" or place.type not in CONVOLUTIONS:
        return None
    name, places = place.cell
    return place.formula(Ref(name, _mirrored(place, name, places)))


_BACK: Variant = {"path": kernel_flipped, "grad.out": kernel_flipped}

# --- the window -------------------------------------------------------------------------------------------------------

Move = Callable[[Place, Affine, int], Position]  # the place of a window along one direction: number of the direction → other place


def _windows(move: Move, *types: str) -> Rule:
    """A rule that looks at other places: of what comes in, or of the kernel where every input spreads it (transposed)."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if place.type not in types or formula != place.right:
            return None

        def change(ref: Ref) -> Expr | None:
            if not _moves(place, ref):
                return None
            moved = {number: move(place, affine(ref.indices[number]), along) for along, number in enumerate(_space(place, ref))}
            return Ref(ref.quantity, tuple(moved.get(number, one) for number, one in enumerate(ref.indices)))

        found = _counted_again(_without_nothing(_unbordered(place, place.written(change))))
        return found if any(place.kind(ref) not in BIASES for ref in references(found)) else None

    return rule


def _moves(place: Place, ref: Ref) -> bool:
    """Whether a reference stands at another place for every output: to the input, or to the kernel where every input spreads it."""
    if place.kind(ref) in BIASES or place.role(ref) == COUNTED:
        return False
    return (place.kind(ref) == "weight") == (place.type in TRANSPOSED)


def _space(place: Place, ref: Ref) -> list[int]:
    """The numbers of the axes that a window moves along."""
    return [number for number, axis in enumerate(place.graph[ref.quantity].axes) if axis.role in SPACE]


def _unbordered(place: Place, formula: Expr) -> Expr:
    """Nothing for what stands around a map that is searched for its largest numbers."""
    border = place.in_layer("input", "border")
    if not border:
        return formula
    count = len(place.graph[border].axes)

    def outside(ref: Ref) -> Expr | None:
        return ZERO if place.role(ref) == "padded" and place.graph.present(border, ref.places[-count:]) else None

    return rewrite(formula, lambda node: outside(node) if isinstance(node, Ref) else None)


def _without_nothing(formula: Expr) -> Expr:
    """A maximum over what is there: a window that runs out of its map has no zeros in it."""
    if isinstance(formula, Call) and formula.function == "max":
        there = [argument for argument in formula.arguments if argument != ZERO]
        return call("max", *there) if len(there) > 1 else add(*there)
    return formula


def _counted_again(formula: Expr) -> Expr:
    """A mean over what is there, where the zeros around the input do not count."""
    if isinstance(formula, Quotient):
        return div(formula.above, Number(len(references(formula.above))))
    return formula


def _scaled(place: Place, at: Affine, own: bool, old: int, new: int) -> Position:
    """The same position with steps of another size, for the cell's own index or for the one that is summed."""
    letters = place.quantity.index
    terms = {index: one // old * new if (index in letters) == own else one for one, index in at.terms}
    return position(terms, at.constant)


def _stride(change: Callable[[int, int], int]) -> Move:
    """Steps of another size, from the stride and the size of the window."""

    def move(place: Place, at: Affine, along: int) -> Position:
        old = place.options["stride"][along]
        return _scaled(place, at, place.type not in TRANSPOSED, old, change(old, _size(place, along)) or old)

    return move


def _size(place: Place, along: int) -> int:
    """The size of the window in one direction."""
    return int(place.options["window"][along])


def _unpadded(place: Place, at: Affine, along: int) -> Position:
    """The first window begins at the first number of the input."""
    terms = {index: one for one, index in at.terms}
    return position(terms, 0 if place.type in CONVOLUTIONS else at.constant + place.options["padding"][along][0])


def _other_side(place: Place, at: Affine, along: int) -> Position:
    """What is added before stands after, and the other way round."""
    before, after = place.options["padding"][along]
    more = before - after
    return position({index: one for one, index in at.terms}, at.constant + (-more if place.type in TRANSPOSED else more))


def _undilated(place: Place, at: Affine, along: int) -> Position:
    """The kernel looks at neighbours."""
    return _scaled(place, at, False, place.options["dilation"][along], 1)


def _everywhere(move: Move) -> Variant:
    """In convolutions and in pooling."""
    return {"net": _windows(move, *CONVOLUTIONS), "out": _windows(move, *POOLING)}


# --- pooling ----------------------------------------------------------------------------------------------------------


def _consumer(place: Place, formula: Expr) -> Ref | None:
    """The cell whose gradient comes in."""
    gradient = place.first(formula, "gradient")
    of = place.graph[gradient.quantity].of if gradient else None
    return place.same(of.quantity, gradient) if of else None


def _spread(share: Callable[[int], Expr]) -> Rule:
    """∂E/∂x = ∂E/∂max · share for every number of the window; share: from how many there are"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(node: Expr) -> Expr | None:
            if not isinstance(node, Product) or not any(map(_is_choice, node.factors)):
                return None
            pooled = _consumer(place, node)
            window = place.formula(pooled) if pooled else None
            if not isinstance(window, Call) or window.function != "max":
                return None
            return mul(*(factor for factor in node.factors if not _is_choice(factor)), share(len(window.arguments)))

        return rewrite(formula, change)

    return rule


def _is_choice(expr: Expr) -> bool:
    """max', which is 1 at the largest number and 0 elsewhere"""
    return isinstance(expr, Call) and expr.function == "max'"


def _pooled_otherwise(place: Place, formula: Expr) -> Expr | None:
    """mean for max, max for mean"""
    found = [ref for ref in references(formula) if place.role(ref) != COUNTED]
    if place.type == "max_pool":
        return mul(Number(1, len(found)), add(*found))
    return call("max", *found) if place.type == "avg_pool" and len(found) > 1 else None


def _undivided(expr: Expr) -> Expr:
    """1/n·Σ → Σ"""
    if isinstance(expr, Quotient):
        return expr.above
    if not isinstance(expr, Product):
        return expr
    return mul(*(factor for factor in expr.factors if not isinstance(factor, Number)))


def pool_summed(place: Place, formula: Expr) -> Expr | None:
    """Σ x for 1/n·Σ x"""
    return _undivided(formula) if place.type == "avg_pool" else None


def _pool_summed_back(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂x = ∂E/∂out for 1/n·∂E/∂out"""
    pooled = _consumer(place, formula)
    return _undivided(formula) if pooled and place.type_of(place.graph[pooled.quantity].layer) == "avg_pool" else None


MAPS = (
    Mistake(
        "kernel-flipped",
        "The kernel is turned round, or not",
        "The kernel was laid over the input in the other direction.\n"
        "Cross-correlation uses it as it is printed; a flipped convolution turns it by 180°.",
        ({"net": kernel_flipped}, _BACK, {"net": kernel_flipped, **_BACK, "grad.weight": _gradient_flipped}),
    ),
    Mistake(
        "stride-wrong",
        "The window moves by the wrong stride",
        "The window was moved too far, or not far enough.\nFrom one output to the next it moves by the stride.",
        tuple(
            _everywhere(_stride(change))
            for change in (lambda old, size: old + 1, lambda old, size: old - 1, lambda old, size: 1, lambda old, size: size)
        ),
    ),
    Mistake(
        "padding-forgotten",
        "The padding is forgotten",
        "The first window began at the first number of the input.\nWith padding it begins in the zeros around the input.",
        (_everywhere(_unpadded),),
    ),
    Mistake(
        "padding-other-side",
        "The padding stands on the other side",
        "What is added before the first number was added after the last, or the other way round.\nThe sheet says how many rows and columns "
        "stand on each side; where `same` needs an odd number, the one more stands at the end.",
        (_everywhere(_other_side),),
    ),
    Mistake(
        "dilation-forgotten",
        "The dilation is forgotten",
        "The kernel was laid over neighbouring numbers.\nWith dilation it skips numbers between those it looks at.",
        ({"net": _windows(_undilated, "conv2d", "conv1d")},),
    ),
    Mistake(
        "pooling-gradient-spread",
        "The gradient of max pooling is spread over the window",
        "Every number of the window got the gradient, or an equal share of it.\nOnly the largest number gets it; all others get 0.",
        tuple({"path": rule, "grad.out": rule} for rule in (_spread(lambda count: Number(1, count)), _spread(lambda count: Number(1)))),
    ),
    Mistake(
        "pooling-exchanged",
        "Maximum and mean are exchanged in pooling",
        "The mean of the window was taken for its maximum, or the other way round.\nThe sheet says which pooling it is.",
        ({"out": _pooled_otherwise},),
    ),
    Mistake(
        "average-pool-summed",
        "Average pooling adds without dividing",
        "The numbers of the window were added.\nTheir sum is divided by how many there are; so is the gradient.",
        ({"out": pool_summed}, {"out": pool_summed, "path": _pool_summed_back, "grad.out": _pool_summed_back}),
    ),
)

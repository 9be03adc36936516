"""Fully connected layers: net[k] = Σ_j W[k,j]·out[j] + b[k], out[k] = f(net[k]).

- `add_activation` defines the net inputs and outputs of any layer that has both; `activated` is the formula of an output.

Weights and biases are read in weights.py.
Shapes: inputs (sample, input), W (unit, input), b (unit) or () or (unit, input), net and out (sample, unit); the sample
axis is there only with several samples. A missing edge is an absent cell, so its term is not there; an edge with the
weight of another is absent, too, and its term stands apart.
Source: any textbook; the layout is PyTorch's nn.Linear (one row of W per neuron).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from handcalc.core.chainrule import name_known
from handcalc.core.derivative import differentiate
from handcalc.core.expr import Call, Entry, Expr, Ref, add, delta, div, mul, neg, reindex, rewrite
from handcalc.core.index import Axis, Index, through
from handcalc.core.quantity import Letter, Quantity
from handcalc.errors import Template
from handcalc.layers.activations import activations
from handcalc.layers.layertype import COUNT, FILE, FUNCTION, LayerType
from handcalc.layers.site import Site, letter, totals
from handcalc.layers.weights import DenseEntry, bias, weights
from handcalc.problem.fields import RANDOM, ROWS_OF
from handcalc.problem.schema import Activation, EdgeMatrix, Layer
from handcalc.problem.shapes import Incoming, spelled
from handcalc.problem.values import NUMBER, Shape

# --- keys -------------------------------------------------------------------------------------------------------------

_NAME: Shape = {"type": ["string", "integer"]}
_NUMBERS: Shape = {"type": "array", "items": {"anyOf": [NUMBER, {"type": "array"}]}}
_ROW: Shape = {"type": "array", "items": {"anyOf": [NUMBER, {"type": "string"}, {"type": "array"}]}}
_MATRIX: Shape = {"type": "array", "items": {"anyOf": [_ROW, NUMBER, {"type": "string"}]}}
_NAMES: Shape = {"type": "array", "items": {"anyOf": [{"type": "array", "items": _NAME}, _NAME]}}
_EDGES: Shape = {"type": "object", "additionalProperties": {"type": "array", "minItems": 3, "maxItems": 3}}
_BIAS: Shape = {"type": "object", "additionalProperties": {"anyOf": [NUMBER, {"type": "array", "minItems": 2, "maxItems": 3}]}}
_BIASES: Shape = {"anyOf": [NUMBER, _NUMBERS, _BIAS, {"enum": ["zeros"]}, FILE, RANDOM, {"type": "null"}]}

KEYS: tuple[tuple[str, Shape, Template, str], ...] = (
    ("type", {"enum": ["dense"]}, "kind of layer; other kinds have keys of their own", "dense"),
    ("neurons", {"anyOf": [COUNT, {"type": "array", "items": _NAME}]}, "names of the neurons, or their number", "[h1, h2]"),
    ("activation", {"anyOf": [*FUNCTION["anyOf"], {"type": "array"}]},
     "activation function, a formula in z, or a list with one per neuron", "sigmoid"),
    ("weights", {"anyOf": [FILE, RANDOM, _EDGES, _MATRIX]},
     "named edges {name: [from, to, value]}, a matrix, a file, or drawn; the name of another weight instead of a number: it is that one",
     "{w1: [i1, h1, 0.15]}"),
    ("weight_names", _NAMES, "names for the entries of a weight matrix", "[[w5, w6], [w7, w8]]"),
    ("weight_rows", {"enum": [*ROWS_OF]}, "whether a row of the matrix belongs to a neuron or to an input", "inputs"),
    ("bias", _BIASES, "a number or {name: value}: shared; a list, or zeros: one per neuron; {name: [to, value]}; {name: [from, to, value]}",
     "{b1: 0.35}"),
    ("threshold", _BIASES, "like bias, but subtracted", "[0.5, 0.1]"),
)  # fmt: skip

# --- reading ----------------------------------------------------------------------------------------------------------


def read_dense(incoming: Incoming) -> Layer | None:
    """On all inputs, or on the features of every time or token."""
    if any(axis.role in ("channel", "row", "column") for axis in incoming.axes):
        text = "maps come in ({found}); put a flatten layer between them and a dense layer"
        incoming.entry.fail(text, found=spelled(incoming.axes))
        return None
    source = incoming.axes[-1]
    sources = source.labels or tuple(str(number) for number in range(1, source.size + 1))
    layer = DenseEntry(incoming.number, incoming.entry, incoming.found, incoming.neurons, sources, incoming.names)
    edges, called = weights(layer)
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    own = activations(incoming.found.get("activation"), incoming.neurons)
    left_out = () if "activation" in incoming.found else ("activation",)
    return Layer(incoming.neurons, own, edges, called, bias(layer, edges), axes=(*incoming.axes[:-1], unit), left_out=left_out)


# --- building ---------------------------------------------------------------------------------------------------------


def add_dense(site: Site) -> Ref:
    """net = Σ W·source + b, out = f(net). On the last direction of what comes in, or on all of them after a flatten."""
    layer, place, source = site.layer, site.place, site.source
    unit = Index(letter(place), Axis("unit", len(layer.neurons), layer.neurons))
    kept = len(site.incoming) - site.merged
    summed = site.incoming[kept:]
    index = (*site.batch, *site.incoming[:kept], unit)
    axes = (unit.axis, *(Axis("input", i.axis.size, i.axis.labels) if len(summed) == 1 else i.axis for i in summed))
    values = layer.weights.get if layer.weights is not None else None  # unknown
    if len(summed) > 1 and values is not None:  # typed as one row of all inputs
        values = lambda at: layer.weights.get((at[0], through((axis.size for axis in axes[1:]), at[1:])))  # noqa: E731
    merged = len(summed) if len(summed) > 1 else 0
    name, shape = site.name("W"), (axes, (unit, *summed))
    shared = _shared(site, [axis.size for axis in axes[1:]])
    site.graph.given(
        Quantity(
            name, "weight", *shape, givens=values, names=layer.weight_names, layer=place, merged=merged, saved="weights", shared=shared
        )
    )
    term = mul(Ref(name, (unit, *summed)), source)
    net = _with_bias(site, unit, summed, term, tuple(shared_terms(shared, unit, summed, source)))
    return add_activation(site, index, net)


def _shared(site: Site, sizes: list[int]) -> dict[tuple[int, ...], Ref]:
    """The edges that have the weight of another edge: place → that one."""
    weights, graph = site.layer.weights, site.graph
    if not isinstance(weights, EdgeMatrix):
        return {}
    own = {site.place: site.name("W")}

    def weight(number: int, at: tuple[int, ...]) -> Ref:
        name = own.get(number) or graph.in_layer(number, "weight")
        inputs = graph[name].axes[1:] if name in graph else ()
        return Ref(name, (at[0], *_apart([axis.size for axis in inputs] or sizes, at[1])))

    return {(to, *_apart(sizes, place)): weight(*of) for (to, place), of in weights.shared.items()}


def _apart(sizes: Iterable[int], number: int) -> tuple[int, ...]:
    """The place with a number: `through` the other way round."""
    place: list[int] = []
    for size in reversed([*sizes]):
        number, one = divmod(number, size)
        place.append(one)
    return tuple(reversed(place))


def shared_terms(shared: Mapping[tuple[int, ...], Ref], unit: Index, summed: tuple[Index, ...], source: Ref) -> Iterator[Expr]:
    """weight·input for each edge that has the weight of another, there for its own unit only."""
    for (to, *places), weight in shared.items():
        yield mul(delta(unit, to), weight, reindex(source, {i.letter: place for i, place in zip(summed, places)}))


def add_activation(site: Site, index: tuple[Index, ...], net: Expr) -> Ref:
    """Define net and out of a layer, cell by cell; softmax and log_softmax go along the last index."""
    unit = index[-1]
    before = site.part("net", index, net)
    inner = Index(unit.letter + "'", unit.axis)
    family = Ref(before.quantity, (*index[:-1], inner))
    formulas = [activated(activation, before, family, unit, inner) for activation in site.layer.activations]
    cases: dict[tuple[int, ...], Expr] | None = (
        {(unit_place,): formula for unit_place, formula in enumerate(formulas)} if len(set(formulas)) > 1 else None
    )
    out = site.output(index, formulas[0], cases)
    if site.layer.activations[0].jacobian:
        _add_jacobian(site, out, family, inner)
    return out


def _add_jacobian(site: Site, out: Ref, family: Ref, inner: Index) -> None:
    """J[k,k'] = ∂out[k]/∂net[k'], with the outputs themselves in the place of their formulas; nothing is worked out of it."""
    formula = site.graph[out.quantity].definition
    assert formula is not None
    slopes = name_known(site.graph, differentiate(formula, family))
    index = (*out.indices, inner)
    axes = tuple(one.axis for one in index if isinstance(one, Index))
    shape = axes, tuple(one for one in index if isinstance(one, Index))
    name = site.name("J")
    site.graph.define(Quantity(name, "local", *shape, slopes, prefix="jacobian", role="jacobian", layer=site.place, letter=Letter("J")))


def _with_bias(site: Site, unit: Index, summed: tuple[Index, ...], term: Expr, others: tuple[Expr, ...]) -> Expr:
    """Σ term + others + b, or Σ (term + b) + others with a bias on every connection; a threshold is subtracted."""
    bias, name = site.layer.bias, site.name("b")
    if bias is None:
        return add(totals(summed, term), *others)
    inputs = summed[0]
    index = {"shared": (), "neuron": (unit,), "connection": (unit, inputs)}[bias.form]
    axes = tuple(Axis("input", i.axis.size, i.axis.labels) if i is inputs else i.axis for i in index)
    kind = "threshold" if bias.threshold else "bias"
    site.graph.given(Quantity(name, kind, axes, index, givens=bias.get, names=bias.names, layer=site.place, saved=kind))
    added = neg(Ref(name, index)) if bias.threshold else Ref(name, index)
    if bias.form == "connection":
        return add(totals(summed, add(term, added)), *others)
    return add(totals(summed, term), *others, added)


def activated(activation: Activation, before: Ref, family: Ref, unit: Index, inner: Index) -> Expr:
    """f of a number; of softmax, the entry `unit` of the function of the family along `inner`, divided by a temperature."""
    if activation.formula is None:
        scaled = family if activation.temperature is None else div(family, activation.temperature)
        return Entry(activation.name, unit, inner, scaled)
    placed = rewrite(activation.formula, lambda node: before if isinstance(node, Ref) else None)
    return placed.arguments[0] if isinstance(placed, Call) and placed.function == "identity" else placed


TYPES = (
    LayerType(
        "dense",
        "fully connected",
        KEYS,
        read_dense,
        add_dense,
        section="layer",
        has_neurons=True,
        spellings=("linear", "fc", "fully_connected", "affine", "full", "全连接", "全连接层", "线性层", "仿射层"),
    ),
)

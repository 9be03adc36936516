"""Attention of one head or several.

Query q[h,t,e] = Σ_i Wq[h,e,i]·x[t,i] (+ b), key k and value v alike; score s[h,t,u] = Σ_e q[h,t,e]·k[h,u,e]/√d, with
the sum, dot[h,t,u], as a step; weights a[h,t,·] = softmax over u of the scores that are seen; y[h,t,e] = Σ_u a[h,t,u]·v[h,u,e];
out[t,j] = Σ_h Σ_e Wo[j,h,e]·y[h,t,e] (+ b), or the y of all heads one behind the other where there is no Wo. Without weights queries,
keys and values are the inputs. With `keys_from` keys and values are made of the output of another layer, such as an encoder, which may
have fewer or more tokens u than there are queries t.

Shapes (the sample axis in front): x (token, input), Wq, Wk, Wv (head, unit, input), typed as one matrix with the heads below each other,
scores (head, token, token), out (token, unit).
Source: Vaswani et al., 2017; PyTorch's MultiheadAttention.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, ZERO, Entry, Expr, Number, Ref, add, call, delta, div, mul
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import ARRAY, COUNT, EARLIER, ROWS, LayerOption, LayerType, Row
from handcalc.layers.site import LOWEST, Site, shifted, totals
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Axes, Incoming, all_ones_and_zeros, names_of, nested, numbers, spelled
from handcalc.problem.values import FLAG, NUMBER

PARTS = ("query", "key", "value")

# --- reading ----------------------------------------------------------------------------------------------------------


def read_attention(incoming: Incoming) -> Layer | None:
    """attention: queries, keys and values of every head, scores, weights; the output of all heads."""
    token = incoming.axes[0]
    seen = _keys(incoming)
    if seen is None:
        return None
    heads = (incoming.found["heads"].whole(1, 1000) or 1) if "heads" in incoming.found else 1
    tensors: list[Tensor] = []
    width: dict[str, int] = {}
    for part in PARTS:
        source = incoming.axes[1] if part == "query" else seen[1]
        listed = incoming.names.given.get(f"{part}{incoming.number}", ())
        if f"{part}_weights" not in incoming.found and len(listed) == 2 and heads == 1:  # given, whatever it follows from
            width[part] = listed[1]
            tensors.append(Tensor("weight", (Axis("unit", listed[1]), source.replace(role="input", labels=())), None, part[0]))
            continue
        if heads == 1 and f"{part}_weights" not in incoming.found and f"{part}_bias" not in incoming.found:
            width[part] = source.size  # the features themselves
            continue
        rows = _rows(incoming, f"{part}_weights")
        if rows is None:
            return None
        if rows % heads:
            incoming.found[f"{part}_weights"].fail("{rows} features cannot be shared by {heads} heads", rows=rows, heads=heads)
            return None
        width[part] = rows // heads
        axes = (*_heads(heads), Axis("unit", width[part]), source.replace(role="input", labels=()))
        given = [
            _split(incoming.tensor(f"{part}_weights", "weight", (Axis("unit", rows), axes[-1]), part[0]), axes),
            _split(incoming.tensor(f"{part}_bias", "bias", (Axis("unit", rows),), part[0]), axes[:-1]),
        ]
        tensors += [tensor for tensor in given if tensor is not None]
    if width["query"] != width["key"]:
        text = "queries and keys need the same number of features: {queries} and {keys}"
        incoming.entry.fail(text, queries=width["query"], keys=width["key"])
        return None
    result = Axis("unit", width["value"] * heads)
    rows = _rows(incoming, "output_weights") if "output_weights" in incoming.found else 0
    if rows:
        merged = (*_heads(heads), Axis("input", width["value"]))
        out = Axis("unit", rows)
        whole = incoming.tensor("output_weights", "weight", (out, Axis("input", width["value"] * heads)), "o")
        bias = incoming.tensor("output_bias", "bias", (out,), "o")
        tensors += [tensor for tensor in (_split(whole, (out, *merged)), bias) if tensor is not None]
        result = out
    options = {"heads": heads, "width": width, "scale": _scale(incoming, width["query"]), "mask": _mask(incoming, token.size, seen[0].size)}
    options["keys_from"] = incoming.earlier_layer(incoming.found["keys_from"]) if "keys_from" in incoming.found else None
    axes = (token, result)
    return Layer(names_of(axes), type="attention", axes=axes, tensors=tuple(tensors), options=options)


def _keys(incoming: Incoming) -> Axes | None:
    """The directions of what keys and values are made of: of another layer's output, else of what comes in; None after an error."""
    item = incoming.found.get("keys_from")
    if item is None:
        return incoming.axes
    place = incoming.earlier_layer(item)
    if place is None:
        return None
    axes = incoming.earlier[place]
    if len(axes) != 2 or axes[0].role not in ("token", "time"):
        text = "layer {layer} (attention) takes keys and values of tokens or times with features, but layer {place} puts out {found}"
        item.fail(text, layer=incoming.number, place=place, found=spelled(axes))
        return None
    return axes


def _heads(count: int) -> tuple[Axis, ...]:
    return (Axis("head", count),) if count > 1 else ()


def _rows(incoming: Incoming, key: str) -> int | None:
    """How many rows a matrix has; None after an error."""
    item = incoming.found.get(key)
    if item is None:
        incoming.entry.fail("the key {key} is missing", key=key)
        return None
    if item.kind == "mapping":
        from handcalc.problem.arrays import shape_of

        shape = shape_of(item)
    else:
        read = nested(item)
        shape = read[0] if read else None
    if shape is None or len(shape) != 2:
        item.fail("expected a matrix [[…], …], found {found}", found=item.shown)
        return None
    return shape[1] if incoming.by_input else shape[0]  # turned so that a row belongs to a feature


def _split(tensor: Tensor | None, axes: tuple[Axis, ...]) -> Tensor | None:
    """The same numbers in order under other axes: rows of all heads as head × feature."""
    if tensor is None or len(tensor.axes) == len(axes):
        return tensor and tensor.replace(axes=axes)
    from itertools import product

    old, new = (product(*(range(axis.size) for axis in one)) for one in (tensor.axes, axes))
    typed = tuple(axis.size for axis in tensor.axes)
    return tensor.replace(axes=axes, typed=typed, values={place: tensor.get(source) for place, source in zip(new, old)})


def _scale(incoming: Incoming, width: int) -> Number | None:
    """What scores are multiplied by: None stands for 1/√d, 1 for no scale."""
    item: FileNode | None = incoming.found.get("scale")
    if item is None or (item.kind == "text" and item.node.value == "true"):
        return None
    return ONE if item.kind == "text" and item.node.value == "false" else item.number()


def _mask(incoming: Incoming, queries: int, keys: int) -> dict[tuple[int, ...], bool]:
    """(query, key) → whether the key is seen; empty where everything is."""
    item = incoming.found.get("mask")
    if item is None:
        return {}
    if item.kind == "text":
        item.choice(("causal",))
        return {(query, key): key <= query for query in range(queries) for key in range(keys)}
    found = numbers(item, (queries, keys), "mask") or {}
    if not all_ones_and_zeros(item, found.values()):
        return {}
    for query in range(queries if found else 0):
        if not any(found[query, key].numerator for key in range(keys)):
            item.fail("token {number} sees nothing: a row of the mask needs a 1", number=query + 1)
    return {place: value.numerator != 0 for place, value in found.items()}


# --- building ---------------------------------------------------------------------------------------------------------


def add_attention(site: Site) -> Ref:
    """Queries, keys, values, scores, weights, the weighted values, and the output of all heads."""
    options = site.layer.options
    token = site.incoming[0]
    place = options["keys_from"]
    looked = site if place is None else site.replace(source=site.outputs[place])
    other, inner = (Index(letter, looked.incoming[0].axis) for letter in "uw")
    head: tuple[Index, ...] = (Index("h", Axis("head", options["heads"])),) if options["heads"] > 1 else ()
    query, key, value = (_projected(one, name, head) for one, name in zip((site, looked, looked), PARTS))
    unit = Index("e", Axis("unit", options["width"]["query"]))
    product = totals((unit,), mul(query(token, unit), key(other, unit)))
    scores = _scores(site, (*site.batch, *head, token, other), product, unit.axis.size)
    if options["mask"]:
        scores = _masked(site, scores, options["mask"], token, other)
    family = Ref(scores.quantity, (*site.batch, *head, token, inner))
    weights = site.part("attention", (*site.batch, *head, token, other), Entry("softmax", other, inner, family))
    unit = Index("e", Axis("unit", options["width"]["value"]))
    mixed = totals((other,), mul(weights, value(other, unit)))
    if not site.has("weight", "o") and not head:
        return site.output((*site.batch, token, unit), mixed)
    context = site.part("context", (*site.batch, *head, token, unit), mixed)
    out = Index("j", site.layer.axes[-1])
    if not site.has("weight", "o"):  # the heads one behind the other
        behind = delta(out, shifted(0, (unit.axis.size, head[0]), (1, unit)))
        return site.output((*site.batch, token, out), totals((*head, unit), mul(behind, context)))
    whole: Expr = totals((*head, unit), mul(site.parameter("weight", "o", out, *head, unit), context))
    if site.has("bias", "o"):
        whole = add(whole, site.parameter("bias", "o", out))
    return site.output((*site.batch, token, out), whole)


def _projected(site: Site, name: str, head: tuple[Index, ...]) -> Callable[[Index, Index], Ref]:
    """query, key or value as a function of token and unit: W·x + b, or x itself where no weights are given."""
    role = name[0]
    if not site.has("weight", role):
        return site.at
    token, feature = site.incoming[0], Index("i", site.incoming[1].axis)
    unit = Index("e", Axis("unit", site.layer.options["width"][name]))
    formula: Expr = totals((feature,), mul(site.parameter("weight", role, *head, unit, feature), site.at(token, feature)))
    if site.has("bias", role):
        formula = add(formula, site.parameter("bias", role, *head, unit))
    part = site.part(name, (*site.batch, *head, token, unit), formula)
    return lambda token, unit: Ref(part.quantity, (*site.batch, *head, token, unit))


def _scores(site: Site, index: tuple[Index, ...], product: Expr, width: int) -> Ref:
    """The scaled products; the products themselves are steps on the way, dot1[2,3]."""
    scale = site.layer.options["scale"]
    formula = _scaled(scale, width, product)
    if formula == product:
        return site.part("score", index, product)
    return site.part("score", index, formula, stepwise=_scaled(scale, width, site.step("dot", index, product)))


def _scaled(scale: Number | None, width: int, product: Expr) -> Expr:
    """The product divided by √d, or times a given number."""
    if scale is None:
        return div(product, call("sqrt", Number(width)))
    return mul(scale, product)


def _masked(site: Site, scores: Ref, mask: dict[tuple[int, ...], bool], token: Index, other: Index) -> Ref:
    """score + mask: 0 where a key is seen, and so low a number where it is not that its weight is 0."""
    index = tuple(i for i in scores.indices if isinstance(i, Index))
    added = site.data("mask", (token, other), lambda place: ZERO if mask[place] else LOWEST)
    return site.part("masked", index, add(scores, added))


# --- the type ---------------------------------------------------------------------------------------------------------


def _matrix(name: str) -> Row:
    text = f"one row per {name} feature, one column per input; heads below each other; not given: the inputs themselves"
    return f"{name}_weights", ARRAY, text, "[[1, 0], [0, 1]]"


ATTENTION = LayerType(
    "attention",
    "attention",
    (
        ("keys_from", EARLIER, "the layer whose output keys and values are made of; if not given, what comes in", "encoder"),
        ("heads", COUNT, "number of heads", "2"),
        *map(_matrix, PARTS),
        ("output_weights", ARRAY, "one row per output feature, one column per value feature of all heads; not given: side by side", ""),
        ROWS,
        *((f"{name}_bias", ARRAY, f"bias of the {name}", "[0, 0]") for name in (*PARTS, "output")),
        ("scale", {"anyOf": [FLAG, NUMBER]}, "true: scores times 1/√d; false: not; or a number", "true"),
        ("mask", {"anyOf": [{"enum": ["causal"]}, {"type": "array"}]}, "causal, or rows of 1 (seen) and 0 (not seen)", "causal"),
    ),
    read_attention,
    add_attention,
    takes=(("token", ""), ("time", "")),
    letters={
        "query": Letter("q"), "key": Letter("k"), "value": Letter("v"), "score": Letter("s"), "mask": Letter("m"),
        "masked": Letter("s", hat=True), "attention": Letter("a"), "context": Letter("y"),
    },
    options=(LayerOption("heads", "heads", plain=1), LayerOption("keys_from", "keys and values from layer")),
    spellings=("self_attention", "multi_head_attention", "scaled_dot_product_attention",
               "注意力", "自注意力", "多头注意力", "注意力层"),
)  # fmt: skip
TYPES = (ATTENTION,)

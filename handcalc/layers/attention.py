"""Reading embeddings, positions and attention: what comes in is token × feature."""

from __future__ import annotations

from handcalc.core.expr import ONE, Number, number
from handcalc.core.index import Axis
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Incoming, all_ones_and_zeros, names_of, nested, numbers, unnamed

PARTS = ("query", "key", "value")


def embedding(incoming: Incoming) -> Layer | None:
    """embedding: a row of weights for every word, looked up by its number (from 0)."""
    if not incoming.wants(("token",)):
        return None
    read = nested(incoming.found["weights"]) if "weights" in incoming.found else None
    if read is None or len(read[0]) != 2:
        incoming.entry.fail("the key {key} is missing", key="weights")
        return None
    word, feature = Axis("input", read[0][0]), Axis("input", read[0][1])
    weights = incoming.tensor("weights", "weight", (word, feature))
    axes = (incoming.axes[0], feature)
    return Layer(names_of(axes), type="embedding", axes=axes, tensors=(weights,)) if weights is not None else None


def positional_encoding(incoming: Incoming) -> Layer | None:
    """positional_encoding: sines and cosines of the position are added."""
    if not incoming.wants(("token", "")):
        return None
    base = incoming.found["base"].number(above=0) if "base" in incoming.found else None
    axes = unnamed(incoming.axes)
    return Layer(names_of(axes), type=incoming.kind, axes=axes, options={"base": base or number("10000")})


def attention(incoming: Incoming) -> Layer | None:
    """attention: queries, keys and values of every head, scores, weights; the output of all heads."""
    if not incoming.wants(("token", "")):
        return None
    token, source = incoming.axes
    heads = (incoming.found["heads"].whole(1, 1000) or 1) if "heads" in incoming.found else 1
    tensors: list[Tensor] = []
    width: dict[str, int] = {}
    for part in PARTS:
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
    elif heads > 1:
        incoming.entry.fail("several heads need output_weights")
    options = {"heads": heads, "width": width, "scale": _scale(incoming, width["query"]), "mask": _mask(incoming, token.size)}
    axes = (token, result)
    return Layer(names_of(axes), type="attention", axes=axes, tensors=tuple(tensors), options=options)


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
    return tensor.replace(axes=axes, values={place: tensor.get(source) for place, source in zip(new, old)})


def _scale(incoming: Incoming, width: int) -> Number | None:
    """What scores are multiplied by: None stands for 1/√d, 1 for no scale."""
    item: FileNode | None = incoming.found.get("scale")
    if item is None or (item.kind == "text" and item.node.value == "true"):
        return None
    return ONE if item.kind == "text" and item.node.value == "false" else item.number()


def _mask(incoming: Incoming, tokens: int) -> dict[tuple[int, ...], bool]:
    """(query, key) → whether the key is seen; empty where everything is."""
    item = incoming.found.get("mask")
    if item is None:
        return {}
    if item.kind == "text":
        item.choice(("causal",))
        return {(query, key): key <= query for query in range(tokens) for key in range(tokens)}
    found = numbers(item, (tokens, tokens), "mask") or {}
    if not all_ones_and_zeros(item, found.values()):
        return {}
    for query in range(tokens if found else 0):
        if not any(found[query, key].numerator for key in range(tokens)):
            item.fail("token {number} sees nothing: a row of the mask needs a 1", number=query + 1)
    return {place: value.numerator != 0 for place, value in found.items()}

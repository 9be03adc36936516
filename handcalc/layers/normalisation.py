"""Reading what changes numbers without mixing features: normalisation, dropout with a given mask, residual connections."""

from __future__ import annotations

from handcalc.core.expr import Number, number
from handcalc.layers.activations import activations
from handcalc.problem.schema import RUNNING, Layer, Tensor
from handcalc.problem.shapes import Incoming, all_ones_and_zeros, names_of, spelled, unnamed


def norm(incoming: Incoming) -> Layer | None:
    """layer_norm over the features of a token, batch_norm over the samples (and places) of a feature."""
    channel = incoming.axes[0] if incoming.axes[0].role == "channel" else incoming.axes[-1]
    feature = (channel.replace(labels=()),)
    read = [incoming.tensor("weights", "weight", feature), incoming.tensor("bias", "bias", feature)]
    epsilon = incoming.found["epsilon"].number() if "epsilon" in incoming.found else None
    if epsilon is not None and epsilon.numerator < 0:
        incoming.found["epsilon"].fail("expected 0 or a number above it, found {found}", found=incoming.found["epsilon"].shown)
    options: dict[str, object] = {"epsilon": epsilon or number("1e-5")}
    if incoming.kind == "batch_norm":
        running = [incoming.tensor(key, "input", feature, key) for key in RUNNING]
        read += running
        if running[1] is not None and any(value.numerator < 0 for value in running[1]):
            incoming.found[RUNNING[1]].fail("a variance is never below 0")
        options |= _running(incoming, None not in running)
    tensors: tuple[Tensor, ...] = tuple(tensor for tensor in read if tensor is not None)
    axes = unnamed(incoming.axes)
    return Layer(names_of(axes), type=incoming.kind, axes=axes, tensors=tensors, options=options)


def _running(incoming: Incoming, given: bool) -> dict[str, object]:
    """The options of the running mean and variance; given: whether both are there."""
    found = incoming.found
    if any(key in found for key in RUNNING) and not all(key in found for key in RUNNING):
        incoming.entry.fail("running_mean and running_var go together")
    momentum = found["momentum"].number() if "momentum" in found else number("0.1")
    if momentum is not None and not 0 <= momentum.numerator <= momentum.denominator:
        found["momentum"].fail("expected a number from 0 to 1, found {found}", found=found["momentum"].shown)
    for key in {"momentum", "mode"} & found.keys() if RUNNING[0] not in found else ():
        found[key].fail("goes with running_mean and running_var only")
    mode = found["mode"].choice(("train", "eval")) if "mode" in found else "train"
    return {"mode": mode} if mode == "eval" else {"momentum": momentum} if given else {}


def dropout(incoming: Incoming) -> Layer | None:
    """dropout with the mask that was drawn."""
    share = incoming.found["share"].number() if "share" in incoming.found else None
    if share is not None and not 0 <= share.numerator < share.denominator:
        incoming.found["share"].fail("expected a number from 0 to less than 1, found {found}", found=incoming.found["share"].shown)
    axes = unnamed(incoming.axes)
    mask = incoming.needed("mask", "input", axes, "mask")
    if mask is not None:
        all_ones_and_zeros(incoming.found["mask"], mask)
    kept = _kept(share) if share is not None else None
    return Layer(names_of(axes), type="dropout", axes=axes, tensors=(mask,), options={"kept": kept}) if mask else None


def _kept(share: Number) -> Number:
    return Number(share.denominator - share.numerator, share.denominator)


def residual(incoming: Incoming) -> Layer | None:
    """residual: the output of an earlier layer is added."""
    item = incoming.found.get("from")
    if item is None:
        incoming.entry.fail("the key {key} is missing", key="from")
        return None
    place = item.whole(0, incoming.number - 1)
    if place is None:
        return None
    other = incoming.earlier[place]
    if [axis.size for axis in other] != [axis.size for axis in incoming.axes]:
        text = "layer {layer} (residual) adds {other} of layer {place} to {found}: they need the same shape"
        item.fail(text, layer=incoming.number, other=spelled(other), place=place, found=spelled(incoming.axes))
        return None
    chosen = activations(incoming.found.get("activation"), ())
    axes = unnamed(incoming.axes)
    return Layer(names_of(axes), chosen, type="residual", axes=axes, options={"from": place})

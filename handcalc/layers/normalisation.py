"""Layer and batch normalisation, dropout with a given mask, residual connections.

- Normalisation: mean μ and variance v = mean of (x − μ)² over the features of a token (layer) or over the samples and places of a
  feature (batch); normalised n = (x − μ)/√(v + ε); out = γ·n + β.
- Running mean and variance of a batch normalisation, with momentum m, of batches of N numbers: μ_run⁺ = (1 − m)·μ_run + m·μ,
  v_run⁺ = (1 − m)·v_run + m·v·N/(N − 1); in evaluation they take the places of μ and v.
- Dropout: out = m·x/(1 − p) with the mask m that was drawn.
- Residual: out = f(x + output of an earlier layer).

Shapes: as what comes in; γ, β, μ_run, v_run (feature). The variance is divided by N, as in the papers and in PyTorch's training mode;
only the running one is unbiased, as in PyTorch. Errors: ProblemError where a batch of one number leaves no unbiased variance.
Source: Ba, Kiros, Hinton, 2016; Ioffe and Szegedy, 2015; Srivastava et al., 2014; He et al., 2016; PyTorch.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, div, mul, number, power, sub, total
from handcalc.core.index import Index
from handcalc.core.quantity import Letter, Quantity
from handcalc.errors import Message, ProblemError
from handcalc.layers.activations import IDENTITY, applied, one_activation
from handcalc.layers.layertype import ACTIVATION, ARRAY, EARLIER, MAPS_FIRST, ROWS, LayerOption, LayerType, OptionWord, Row
from handcalc.layers.site import Site, reindexed, totals
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Incoming, all_ones_and_zeros, features, names_of, same_places, spelled, unnamed
from handcalc.problem.values import NUMBER

RUNNING = ("running_mean", "running_var")  # of a batch normalisation; prediction uses them

# --- reading ----------------------------------------------------------------------------------------------------------


def read_norm(incoming: Incoming) -> Layer | None:
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
    return {"mode": "eval" if mode == "eval" else None, "momentum": momentum if given and mode != "eval" else None}


def read_dropout(incoming: Incoming) -> Layer | None:
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


def read_residual(incoming: Incoming) -> Layer | None:
    """residual: the output of an earlier layer is added."""
    place = incoming.named_layer("from")
    if place is None:
        return None
    other = incoming.earlier[place]
    if "weights" in incoming.found:
        return _read_projected(incoming, place)
    if "bias" in incoming.found:
        incoming.found["bias"].fail("goes with weights only")
    if not same_places(other, incoming.axes):
        text = "layer {layer} (residual) adds {other} of layer {place} to {found}: they need the same shape"
        incoming.found["from"].fail(text, layer=incoming.number, other=spelled(other), place=place, found=spelled(incoming.axes))
        return None
    chosen = one_activation(incoming.found.get("activation"))
    axes = unnamed(incoming.axes)
    return Layer(names_of(axes), (chosen,), type="residual", axes=axes, options={"from": place}) if chosen else None


def _read_projected(incoming: Incoming, place: int) -> Layer | None:
    """residual with weights: the features of what is added become those of what comes in."""
    other, along = incoming.earlier[place], features(incoming.axes)
    if len(other) != len(incoming.axes) or any(
        one.size != own.size for number, (one, own) in enumerate(zip(other, incoming.axes)) if number != along
    ):
        text = "layer {layer} (residual) adds {other} of layer {place} to {found}: only the features may differ"
        incoming.found["from"].fail(text, layer=incoming.number, other=spelled(other), place=place, found=spelled(incoming.axes))
        return None
    own, source = unnamed((incoming.axes[along], other[along]))
    weights = incoming.tensor("weights", "weight", (own, source))
    bias = incoming.tensor("bias", "bias", (own,))
    axes, chosen = unnamed(incoming.axes), one_activation(incoming.found.get("activation"))
    if weights is None or chosen is None:
        return None
    tensors = (weights,) if bias is None else (weights, bias)
    return Layer(names_of(axes), (chosen,), type="residual", axes=axes, tensors=tensors, options={"from": place})


# --- building ---------------------------------------------------------------------------------------------------------


def add_layer_norm(site: Site) -> Ref:
    """Over the last direction of what comes in."""
    return normalised(site, (*site.batch, *site.outgoing), site.outgoing[-1:], site.outgoing[-1])


def add_batch_norm(site: Site) -> Ref:
    """Over samples and places, for every feature or channel."""
    index = (*site.batch, *site.outgoing)
    feature = site.outgoing[0] if site.outgoing[0].axis.role == "channel" else site.outgoing[-1]
    return normalised(site, index, tuple(i for i in index if i != feature), feature, site.layer.options["mode"] == "eval")


def normalised(site: Site, index: tuple[Index, ...], over: tuple[Index, ...], feature: Index, evaluated: bool = False) -> Ref:
    """Mean, variance (evaluated: the running ones), normalised, scaled and shifted."""
    kept = tuple(i for i in index if i not in over)
    source = site.source
    is_running = site.has("input", RUNNING[0])
    if is_running:
        running = tuple(site.parameter("input", name, feature) for name in RUNNING)
    if evaluated:
        mean, variance = running
    else:
        size = prod(i.axis.size for i in over)
        mean = site.part("mean", kept, mul(Number(1, size), totals(over, source)))
        variance = site.part("variance", kept, mul(Number(1, size), totals(over, power(sub(source, mean), Number(2)))))
        if is_running:
            _carry(site, running, (mean, variance), size)
    root = call("sqrt", add(variance, site.layer.options["epsilon"]))
    return scaled(site, index, div(sub(source, mean), root), feature)


def scaled(site: Site, index: tuple[Index, ...], normal: Expr, feature: Index) -> Ref:
    """γ·n + β, as far as they are given."""
    if not site.has("weight") and not site.has("bias"):
        return site.output(index, normal)
    result: Expr = site.part("normal", index, normal)
    if site.has("weight"):
        result = mul(site.parameter("weight", "", feature), result)
    if site.has("bias"):
        result = add(result, site.parameter("bias", "", feature))
    return site.output(index, result)


def _carry(site: Site, running: tuple[Ref, ...], batch: tuple[Ref, Ref], size: int) -> None:
    """Running mean and variance after this batch."""
    if size == 1:
        text = "layer {layer} ({type}): a batch of one number has no unbiased variance for running_var; give more samples at a time"
        raise ProblemError(Message(text, layer=site.place, type=site.layer.type))
    share: Number = site.layer.options["momentum"]
    mean, variance = batch
    for old, new in zip(running, (mean, div(mul(Number(size), variance), Number(size - 1)))):
        shape = (site.graph[old.quantity].axes, site.graph[old.quantity].index)
        formula = add(mul(sub(ONE, share), old), mul(share, new))
        site.graph.define(Quantity(f"new.{old.quantity}", "state", *shape, formula, prefix="new", of=old, layer=site.place, role="carried"))


def add_dropout(site: Site) -> Ref:
    """What is kept is divided by the share that is kept."""
    mask = site.parameter("input", "mask", *site.outgoing)
    kept, result = site.layer.options["kept"], mul(mask, site.source)
    return site.output((*site.batch, *site.outgoing), result if kept is None else div(result, kept))


def add_residual(site: Site) -> Ref:
    """The sum of two outputs, one of them projected where there are weights for it."""
    index = (*site.batch, *site.outgoing)
    other = site.outputs[site.layer.options["from"]]
    free = site.replace(source=other).incoming
    whole: Expr = add(site.source, _projected(site, other, free) if site.has("weight") else site.beside(other))
    activation = site.layer.activations[0]
    if activation != IDENTITY:
        whole = applied(activation, site.part("net", index, whole))
    return site.output(index, whole)


def _projected(site: Site, other: Ref, free: tuple[Index, ...]) -> Ref:
    """p[k] = Σ_j W[k,j]·y[j] + b[k] along the features."""
    along = features(site.layer.axes)
    own = site.outgoing[along]
    inner = Index(own.letter + "'", site.layer.tensors[0].axes[1])
    places = (*site.incoming[:along], inner, *site.incoming[along + 1 :])
    result: Expr = total(inner, mul(site.parameter("weight", "", own, inner), reindexed(other, free, places)))
    if site.has("bias"):
        result = add(result, site.parameter("bias", "", own))
    return site.part("projected", (*site.batch, *site.outgoing), result)


# --- types ------------------------------------------------------------------------------------------------------------

EPSILON: Row = ("epsilon", NUMBER, "what is added to the variance", "1e-5")
_ADDED = LayerOption("epsilon", "added to the variance")
LETTERS = {"mean": Letter("μ"), "variance": Letter("var"), "normal": Letter("x", hat=True)}


def _predicting(layer: Layer) -> Layer:
    """With running mean and variance, where they are given."""
    running = any(tensor.role in RUNNING for tensor in layer.tensors)
    return layer.replace(options={**layer.options, "mode": "eval", "momentum": None}) if running else layer


LAYER_NORM = LayerType(
    "layer_norm",
    "layer normalisation",
    (
        ("weights", ARRAY, "scale γ of every feature; not given: none", "[1, 1]"),
        ("bias", ARRAY, "shift β of every feature", "[0, 0]"),
        EPSILON,
    ),
    read_norm,
    add_layer_norm,
    letters=LETTERS,
    options=(_ADDED,),
    spellings=("layer_normalization", "layer_normalisation", "ln", "层归一化", "层规范化"),
)
BATCH_NORM = LayerType(
    "batch_norm",
    "batch normalisation",
    (
        ("weights", ARRAY, "scale γ of every feature or channel; not given: none", "[1, 1]"),
        ("bias", ARRAY, "shift β of every feature or channel", "[0, 0]"),
        EPSILON,
        ("running_mean", ARRAY, "running mean of every feature or channel, for prediction", "[0, 0]"),
        ("running_var", ARRAY, "running variance of every feature or channel, for prediction", "[1, 1]"),
        ("momentum", NUMBER, "share of a batch in the new running mean and variance (PyTorch)", "0.1"),
        ("mode", {"enum": ["train", "eval"]}, "train: mean and variance of the batch; eval: the running ones", "train"),
    ),
    read_norm,
    add_batch_norm,
    first=MAPS_FIRST,
    letters={**LETTERS, "running_mean": Letter("μ", "run"), "running_var": Letter("var", "run")},
    options=(
        _ADDED,
        LayerOption("momentum", "share of a batch in the running mean and variance"),
        LayerOption("mode", "mean and variance", choices=(OptionWord("eval", "the running ones"),)),
    ),
    mixes_samples=lambda layer: layer.options["mode"] != "eval",
    carried=RUNNING,
    predicting=_predicting,
    spellings=(
        "batch_norm1d",
        "batch_norm2d",
        "batch_normalization",
        "batch_normalisation",
        "bn",
        "批归一化",
        "批量归一化",
        "批规范化",
        "批量规范化",
    ),
)
DROPOUT = LayerType(
    "dropout",
    "dropout",
    (
        ("mask", ARRAY, "1 where a number is kept, 0 where it is dropped", "[1, 0, 1]"),
        ("share", NUMBER, "share that is dropped on average; what is kept is divided by 1 − share", "0.5"),
    ),
    read_dropout,
    add_dropout,
    letters={"mask": Letter("m")},
    options=(LayerOption("kept", "share that is kept"),),
    spellings=("随机失活", "暂退法", "丢弃法"),
)
RESIDUAL = LayerType(
    "residual",
    "residual connection",
    (
        ("from", EARLIER, "the layer whose output is added; 0: the inputs", "0"),
        ("weights", ARRAY, "projection of what is added, a row for every feature of what comes in", "[[1, 0.5]]"),
        ROWS,
        ("bias", ARRAY, "bias of the projection", "[0.1]"),
        ACTIVATION,
    ),
    read_residual,
    add_residual,
    letters={"projected": Letter("p")},
    spellings=("residual_connection", "skip", "skip_connection", "shortcut", "残差", "残差连接", "跳跃连接"),
)
TYPES = (LAYER_NORM, BATCH_NORM, DROPOUT, RESIDUAL)

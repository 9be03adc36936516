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

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, div, mul, power, rewrite, sub
from handcalc.core.graph import Quantity
from handcalc.core.index import Index
from handcalc.errors import Message, ProblemError
from handcalc.models.site import Site, reindexed, totals
from handcalc.problem.schema import RUNNING


def add_layer_norm(site: Site) -> Ref:
    """Over the last direction of what comes in."""
    return _normalised(site, (*site.batch, *site.outgoing), site.outgoing[-1:], site.outgoing[-1])


def add_batch_norm(site: Site) -> Ref:
    """Over samples and places, for every feature or channel."""
    index = (*site.batch, *site.outgoing)
    feature = site.outgoing[0] if site.outgoing[0].axis.role == "channel" else site.outgoing[-1]
    return _normalised(site, index, tuple(i for i in index if i != feature), feature)


def _normalised(site: Site, index: tuple[Index, ...], over: tuple[Index, ...], feature: Index) -> Ref:
    """Mean, variance, normalised, scaled and shifted."""
    kept = tuple(i for i in index if i not in over)
    source = site.source
    if site.layer.is_running:
        running = tuple(site.parameter("input", name, feature) for name in RUNNING)
    if site.layer.options.get("mode") == "eval":
        mean, variance = running
    else:
        size = prod(i.axis.size for i in over)
        mean = site.part("mean", kept, mul(Number(1, size), totals(over, source)))
        variance = site.part("variance", kept, mul(Number(1, size), totals(over, power(sub(source, mean), Number(2)))))
        if site.layer.is_running:
            _carry(site, running, (mean, variance), size)
    root = call("sqrt", add(variance, site.layer.options["epsilon"]))
    scaled = site.has("weight") or site.has("bias")
    normal = div(sub(source, mean), root)
    if not scaled:
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
    """The sum of two outputs of the same shape."""
    index = (*site.batch, *site.outgoing)
    other = site.outputs[site.layer.options["from"]]
    same = reindexed(other, site.replace(source=other).incoming, site.incoming)
    whole: Expr = add(site.source, same)
    formula = site.layer.activations[0].formula
    if formula is not None and formula != Ref("z"):
        before = site.part("net", index, whole)
        whole = rewrite(formula, lambda node: before if isinstance(node, Ref) else None)
    return site.output(index, whole)

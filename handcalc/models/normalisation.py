"""Layer and batch normalisation, dropout with a given mask, residual connections.

- Normalisation: mean μ and variance v = mean of (x − μ)² over the features of a token (layer) or over the samples and places of a
  feature (batch); normalised n = (x − μ)/√(v + ε); out = γ·n + β.
- Dropout: out = m·x/(1 − p) with the mask m that was drawn.
- Residual: out = f(x + output of an earlier layer).

Shapes: as what comes in; γ, β (feature). The variance is divided by n, as in the papers and in PyTorch's training mode.
Source: Ba, Kiros, Hinton, 2016; Ioffe and Szegedy, 2015; Srivastava et al., 2014; He et al., 2016; PyTorch.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import Expr, Number, Ref, add, call, div, mul, power, rewrite, sub
from handcalc.core.index import Index
from handcalc.models.site import Site, reindexed, totals


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
    share = Number(1, prod(i.axis.size for i in over))
    source = site.source
    mean = site.part("mean", kept, mul(share, totals(over, source)))
    variance = site.part("variance", kept, mul(share, totals(over, power(sub(source, mean), Number(2)))))
    root = call("sqrt", add(variance, site.layer.options["epsilon"]))
    scaled = bool(site.layer.tensors)
    normal = div(sub(source, mean), root)
    if not scaled:
        return site.output(index, normal)
    result: Expr = site.part("normal", index, normal)
    if site.has(f"W{site.place}"):
        result = mul(site.parameter(f"W{site.place}", feature), result)
    if site.has(f"b{site.place}"):
        result = add(result, site.parameter(f"b{site.place}", feature))
    return site.output(index, result)


def add_dropout(site: Site) -> Ref:
    """What is kept is divided by the share that is kept."""
    mask = site.parameter(f"mask{site.place}", *site.outgoing)
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
        before = site.part("net", index, whole, "net")
        whole = rewrite(formula, lambda node: before if isinstance(node, Ref) else None)
    return site.output(index, whole)

"""Embedding, positions and attention.

- Embedding: out[t,i] = Σ_v x[t,v]·W[v,i], x being 1 at the number of the word and nothing elsewhere.
- Positional encoding: out[t,i] = x[t,i] + p[t,i], p[t,2m] = sin(t/10000^(2m/n)), p[t,2m+1] = cos(t/10000^(2m/n)), t and m from 0.
- Attention: query q[h,t,e] = Σ_i Wq[h,e,i]·x[t,i] (+ b), key k and value v alike; score s[h,t,u] = Σ_e q[h,t,e]·k[h,u,e]/√d;
  weights a[h,t,·] = softmax over u of the scores that are seen; y[h,t,e] = Σ_u a[h,t,u]·v[h,u,e]; out[t,j] = Σ_h Σ_e
  Wo[j,h,e]·y[h,t,e] (+ b), or y itself where there is one head and no Wo. Without weights queries, keys and values are the inputs.

Shapes (the sample axis in front): x (token, input), Wq, Wk, Wv (head, unit, input), scores (head, token, token), out (token, unit).
Source: Vaswani et al., 2017; PyTorch's MultiheadAttention.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, ZERO, Entry, Expr, Number, Ref, add, call, div, mul, power
from handcalc.core.index import Axis, Index
from handcalc.models.site import LOWEST, Site, totals


def add_embedding(site: Site) -> Ref:
    """A row of W for every word."""
    token, feature = (Index(letter, axis) for letter, axis in zip("ti", site.layer.axes))
    words = next(tensor for tensor in site.layer.tensors).axes[0]
    word = Index("v", words)
    source, batch = site.graph[site.source.quantity], site.batch
    assert source.givens is not None
    chosen = source.givens

    def seen(place: tuple[int, ...]) -> Number | None:
        number = chosen(place[:-1])
        return ONE if number is not None and number == Number(place[-1]) else None

    index = (*batch, token, word)
    one = site.data("word", index, seen, layer=0)
    weight = site.parameter("weight", "", word, feature)
    return site.output((*batch, token, feature), totals((word,), mul(one, weight)))


def add_positions(site: Site) -> Ref:
    """x + p; p is a sine of every even feature, from 0, and a cosine of every odd one. Given are the numbers that are counted: of the
    position, t, and of the pair of features, m."""
    token, feature = site.outgoing
    place = site.data("place", (token,), lambda at: Number(at[0]))
    pair = site.data("pair", (feature,), lambda at: Number(at[0] // 2))
    exponent = div(mul(Number(2), pair), Number(feature.axis.size))
    angle = div(place, power(site.layer.options["base"], exponent))
    odd: dict[tuple[int, ...], Expr] = {(one,): call("cos", angle) for one in range(1, feature.axis.size, 2)}
    position = site.part("position", (token, feature), call("sin", angle), cases=odd)
    return site.output((*site.batch, token, feature), add(site.source, position))


def add_attention(site: Site) -> Ref:
    """Queries, keys, values, scores, weights, the weighted values, and the output of all heads."""
    options = site.layer.options
    token = site.incoming[0]
    other, inner = Index("u", token.axis), Index("w", token.axis)
    head = (Index("h", Axis("head", options["heads"])),) if options["heads"] > 1 else ()
    query, key, value = (_projected(site, name, head) for name in ("query", "key", "value"))
    unit = Index("e", Axis("unit", options["width"]["query"]))
    product = totals((unit,), mul(query(token, unit), key(other, unit)))
    scores = site.part("score", (*site.batch, *head, token, other), _scaled(options["scale"], unit.axis.size, product))
    if options["mask"]:
        scores = _masked(site, scores, options["mask"], token, other)
    family = Ref(scores.quantity, (*site.batch, *head, token, inner))
    weights = site.part("attention", (*site.batch, *head, token, other), Entry("softmax", other, inner, family))
    unit = Index("e", Axis("unit", options["width"]["value"]))
    mixed = totals((other,), mul(weights, value(other, unit)))
    if not site.has("weight", "o"):
        return site.output((*site.batch, token, unit), mixed)
    context = site.part("context", (*site.batch, *head, token, unit), mixed)
    out = Index("j", site.layer.axes[-1])
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

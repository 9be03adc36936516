"""Embedding of words, and encoding of positions.

- Embedding: out[t,i] = Σ_v x[t,v]·W[v,i], x being 1 at the number of the word and nothing elsewhere.
- Positional encoding: out[t,i] = x[t,i] + p[t,i], p[t,2m] = sin(t/10000^(2m/n)), p[t,2m+1] = cos(t/10000^(2m/n)), t and m from 0;
  or p is a trained matrix W.

Shapes (the sample axis in front): numbers of words (token), W (word, feature), out and p (token, feature).
Source: Vaswani et al., 2017; trained positions as in Devlin et al., 2018, and GPT-2.
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, div, mul, number, power
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import ARRAY, LayerType
from handcalc.layers.site import Site, totals
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Sample
from handcalc.problem.shapes import Incoming, names_of, nested, unnamed
from handcalc.problem.values import NUMBER

# --- reading ----------------------------------------------------------------------------------------------------------


def read_embedding(incoming: Incoming) -> Layer | None:
    """embedding: a row of weights for every word, looked up by its number (from 0)."""
    read = nested(incoming.found["weights"]) if "weights" in incoming.found else None
    if read is None or len(read[0]) != 2:
        incoming.entry.fail("the key {key} is missing", key="weights")
        return None
    word, feature = Axis("input", read[0][0]), Axis("input", read[0][1])
    weights = incoming.tensor("weights", "weight", (word, feature))
    first = _first_word(incoming)
    if weights is None or first is None:
        return None
    axes = (Axis("token", incoming.axes[0].size), feature)
    return Layer(names_of(axes), type="embedding", axes=axes, tensors=(weights,), options={"first": first, "count": axes[0].size})


def _first_word(incoming: Incoming) -> int | None:
    """Which of the inputs is the first word, from 0: they come in as they are, or a slice of them. None after an error."""
    place, first = incoming.source, 0
    while place and incoming.layers[place - 1].type == "slice":
        layer = incoming.layers[place - 1]
        place, first = layer.taken(place)[0], first + layer.options["first"] - 1
    if place:
        incoming.entry.fail("an embedding looks up numbers of words, which are inputs; layer {layer} comes in", layer=place)
        return None
    return first


def read_positions(incoming: Incoming) -> Layer | None:
    """positional_encoding: sines and cosines of the position are added."""
    base = incoming.found["base"].number(above=0) if "base" in incoming.found else None
    axes = unnamed(incoming.axes)
    trained = incoming.tensor("weights", "weight", axes)
    if base and trained:
        incoming.found["base"].fail("goes with sines and cosines; with weights the positions are trained")
    tensors = (trained,) if trained else ()
    return Layer(names_of(axes), type=incoming.kind, axes=axes, tensors=tensors, options={"base": base or number("10000")})


def _check_words(layer: Layer, item: FileNode, cases: Sequence[Sample]) -> None:
    """Numbers of words, from 0."""
    words, first = layer.tensors[0].axes[0].size, layer.options["first"]
    for sample in cases:
        for word in sample.inputs[first : first + layer.options["count"]]:
            if word.denominator != 1 or not 0 <= word.numerator < words:
                text = "an embedding takes numbers of words, whole numbers from 0 to {most}; found {found}"
                item.fail(text, most=words - 1, found=word.text or word.numerator)
                return


# --- building ---------------------------------------------------------------------------------------------------------


def add_embedding(site: Site) -> Ref:
    """A row of W for every word."""
    token, feature = (Index(letter, axis) for letter, axis in zip("ti", site.layer.axes))
    words = next(tensor for tensor in site.layer.tensors).axes[0]
    word = Index("v", words)
    source, batch, first = site.graph[site.source.quantity], site.batch, site.layer.options["first"]
    assert source.givens is not None
    chosen = source.givens

    def seen(place: tuple[int, ...]) -> Number | None:
        number = chosen((*place[:-2], place[-2] + first))
        return ONE if number is not None and (number.numerator, number.denominator) == (place[-1], 1) else None

    index = (*batch, token, word)
    whole = source.axes[-1].size == token.axis.size  # not a slice of the inputs
    one = site.data("word", index, seen, layer=0 if whole else None)
    weight = site.parameter("weight", "", word, feature)
    return site.output((*batch, token, feature), totals((word,), mul(one, weight)))


def add_positions(site: Site) -> Ref:
    """x + p; p is a sine of every even feature, from 0, and a cosine of every odd one. Given are the numbers that are counted: of the
    position, t, and of the pair of features, m."""
    token, feature = site.outgoing
    if site.has("weight"):
        return site.output((*site.batch, token, feature), add(site.source, site.parameter("weight", "", token, feature)))
    place = site.data("place", (token,), lambda at: Number(at[0]))
    pair = site.data("pair", (feature,), lambda at: Number(at[0] // 2))
    exponent = div(mul(Number(2), pair), Number(feature.axis.size))
    angle = div(place, power(site.layer.options["base"], exponent))
    odd: dict[tuple[int, ...], Expr] = {(one,): call("cos", angle) for one in range(1, feature.axis.size, 2)}
    position = site.part("position", (token, feature), call("sin", angle), cases=odd)
    return site.output((*site.batch, token, feature), add(site.source, position))


# --- types ------------------------------------------------------------------------------------------------------------

EMBEDDING = LayerType(
    "embedding",
    "embedding",
    (("weights", ARRAY, "one row per word, one column per feature; inputs are numbers of words from 0", "[[0.1, 0.2], [0.3, 0.4]]"),),
    read_embedding,
    add_embedding,
    takes=(("token",), ("input",)),
    first=(("token",),),
    letters={"word": Letter("x")},
    check_inputs=_check_words,
    spellings=("embed", "word_embedding", "嵌入", "嵌入层", "词嵌入"),
)
POSITIONS = LayerType(
    "positional_encoding",
    "positional encoding",
    (
        ("base", NUMBER, "base of the wave lengths", "10000"),
        ("weights", ARRAY, "one row per token, trained, instead of sines and cosines", "[[0.1, 0.2], [0.3, 0.4]]"),
    ),
    read_positions,
    add_positions,
    takes=(("token", ""),),
    letters={"position": Letter("p"), "place": Letter("pos"), "pair": Letter("pair")},
    spellings=("position_encoding", "sinusoidal_encoding", "位置编码"),
)
TYPES = (EMBEDDING, POSITIONS)

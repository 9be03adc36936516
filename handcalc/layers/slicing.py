"""A part of what comes in, along one direction: some tokens, some features, one time.

- slice: out[t, i] = x[t + n, i] for the places n + 1 … m. It computes nothing: what comes after it sees these places only. A single
  place is without its direction, as the first token of a sentence that stands for all of it.

So one list of inputs may hold what two parts of a network take: the source and the target of a translation, or wide and deep inputs.
Shapes: as what comes in, along the direction m − n places, or none. Source: PyTorch's indexing x[:, n:m] and x[:, n].
"""

from __future__ import annotations

from handcalc.core.expr import Ref
from handcalc.core.index import Axis, Index, Position
from handcalc.layers.layertype import COUNT, LayerOption, LayerType, OptionWord
from handcalc.layers.site import Site, shifted
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, features, names_of, spelled
from handcalc.problem.values import Shape

# key → the roles of the direction that it goes along; features are found by where they stand
ALONG = {"tokens": ("token", "time"), "times": ("time", "token"), "features": (), "rows": ("row",), "columns": ("column",)}

# --- reading ----------------------------------------------------------------------------------------------------------


def read_slice(incoming: Incoming) -> Layer | None:
    """slice: the direction, and its first and last place, from 1."""
    found = [key for key in ALONG if key in incoming.found]
    if len(found) != 1:
        incoming.entry.fail("expected one of {keys}, such as {example}", keys=" | ".join(ALONG), example="tokens: [1, 3]")
        return None
    item, axes = incoming.found[found[0]], incoming.axes
    place = _direction(found[0], axes)
    if place is None:
        text = "layer {layer} (slice) takes {key} of what comes in, which has none: {found}"
        item.fail(text, layer=incoming.number, key=found[0], found=spelled(axes))
        return None
    size = axes[place].size
    single = item.kind != "sequence"
    parts = [item] if single else item.sequence() or []
    if len(parts) not in (1, 2):
        item.fail("expected a number, or the first and the last one as {example}, found {found}", example="[1, 3]", found=item.shown)
        return None
    ends = [end for part in parts if (end := part.whole(1, size)) is not None]
    if len(ends) < len(parts):
        return None
    first, last = ends[0], ends[-1]
    if last < first:
        item.fail("the first is {first}, behind the last, {last}", first=first, last=last)
        return None
    if single and len(axes) > 1:
        kept = (*axes[:place], *axes[place + 1 :])
    else:
        own = axes[place]
        kept = (*axes[:place], Axis(own.role, last - first + 1, own.labels[first - 1 : last]), *axes[place + 1 :])
    options = {"direction": found[0], "along": place, "first": first, "last": last, "single": single and len(axes) > 1}
    return Layer(names_of(kept), type="slice", axes=kept, options=options)


def _direction(key: str, axes: tuple[Axis, ...]) -> int | None:
    """Where a direction stands among the axes."""
    if key == "features":
        return features(axes)
    if len(axes) == 1 and ALONG[key][0] in ("token", "time"):
        return 0  # numbers of words
    found = [place for place, axis in enumerate(axes) if axis.role in ALONG[key]]
    return found[0] if found else None


# --- building ---------------------------------------------------------------------------------------------------------


def add_slice(site: Site) -> Ref:
    """Nothing is computed: what comes in, at these places."""
    along, options = site.layer.options["along"], site.layer.options
    inner = site.incoming
    places: list[Position] = [*inner]
    start = options["first"] - 1
    places[along] = start if options["single"] else shifted(start, (1, Index(inner[along].letter, site.layer.axes[along])))
    return site.at(*places)


# --- the type ---------------------------------------------------------------------------------------------------------

_PLACES: Shape = {"anyOf": [COUNT, {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 2}]}
_MEANT = "the first and the last that go on, counted from 1; a number alone: this one, without its direction"

SLICE = LayerType(
    "slice",
    "slice",
    tuple((key, _PLACES, _MEANT, "[1, 3]") for key in ALONG),
    read_slice,
    add_slice,
    first=(("input",), ("token", "input"), ("channel", "row", "column")),
    options=(
        LayerOption(
            "direction",
            "direction",
            choices=(
                OptionWord("tokens", "tokens"),
                OptionWord("times", "times"),
                OptionWord("features", "features"),
                OptionWord("rows", "rows"),
                OptionWord("columns", "columns"),
            ),
        ),
        LayerOption("first", "first place"),
        LayerOption("last", "last place"),
    ),
    spellings=("crop", "narrow", "切片", "截取"),
)
TYPES = (SLICE,)

"""Normalisation of parts of what comes in: by the root mean square, channel by channel, or group by group of channels.

- rms_norm: q = mean of x² over the features of a token, out = γ·x/√(q + ε).
- instance_norm: mean μ and variance v over the places of a channel; group_norm: over the places of the channels of a group;
  normalised n = (x − μ)/√(v + ε), out = γ·n + β, with one γ and β for each channel.

Shapes: as what comes in; γ, β (feature) or (channel); q (token) or (); μ, v (channel) or (group). Variances are divided by N.
Source: Zhang and Sennrich, 2019; Ulyanov et al., 2016; Wu and He, 2018; PyTorch's RMSNorm (with ε given), InstanceNorm2d, GroupNorm.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import Expr, Number, Ref, add, call, delta, div, mul, power, sub
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import ARRAY, COUNT, MAPS_FIRST, LayerOption, LayerType, Row
from handcalc.layers.normalisation import EPSILON, LETTERS, normalised, read_norm, scaled
from handcalc.layers.site import Site, shifted, totals
from handcalc.layers.windows import SPACE
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming

# --- reading ----------------------------------------------------------------------------------------------------------


def read_groups(incoming: Incoming) -> Layer | None:
    """The channels of a group stand beside each other."""
    layer, item, channels = read_norm(incoming), incoming.found.get("groups"), incoming.axes[0].size
    groups = item.whole(1, channels) if item is not None else None
    if item is None:
        incoming.entry.fail("the key {key} is missing", key="groups")
    elif groups is not None and channels % groups:
        item.fail("{channels} channels cannot be parted into {groups} groups of the same size", channels=channels, groups=groups)
    fits = layer is not None and groups is not None and channels % groups == 0
    return layer.replace(options={**layer.options, "groups": groups}) if layer and fits else None


# --- building ---------------------------------------------------------------------------------------------------------


def add_rms_norm(site: Site) -> Ref:
    """Over the last direction of what comes in; nothing is taken away."""
    *kept, feature = site.outgoing
    index = (*site.batch, *site.outgoing)
    square = site.part("square", (*site.batch, *kept), mul(Number(1, feature.axis.size), totals((feature,), power(site.source, Number(2)))))
    return scaled(site, index, div(site.source, call("sqrt", add(square, site.layer.options["epsilon"]))), feature)


def add_instance_norm(site: Site) -> Ref:
    """Over the places of every channel of every sample."""
    channel, *space = site.outgoing
    return normalised(site, (*site.batch, *site.outgoing), tuple(space), channel)


def add_group_norm(site: Site) -> Ref:
    """Over the places of the channels of every group: channel k·g + m is the one m of the group g."""
    channel, *space = site.outgoing
    groups = site.layer.options["groups"]
    width = channel.axis.size // groups
    group, member = Index("g", Axis("head", groups)), Index("m", Axis("channel", width))
    over = (member, *space)
    here = site.at(shifted(0, (width, group), (1, member)), *space)
    share = Number(1, prod(index.axis.size for index in over))
    mean = site.part("mean", (*site.batch, group), mul(share, totals(over, here)))
    variance = site.part("variance", (*site.batch, group), mul(share, totals(over, power(sub(here, mean), Number(2)))))

    def own(part: Ref) -> Expr:
        """That of the group of a channel."""
        return totals((group, member), mul(delta(channel, shifted(0, (width, group), (1, member))), part))

    root = call("sqrt", add(own(variance), site.layer.options["epsilon"]))
    return scaled(site, (*site.batch, *site.outgoing), div(sub(site.source, own(mean)), root), channel)


# --- types ------------------------------------------------------------------------------------------------------------

_MAPS = (("channel", *SPACE),)


def _scale(what: str) -> tuple[Row, ...]:
    return (
        ("weights", ARRAY, f"scale γ of every {what}; not given: none", "[1, 1]"),
        ("bias", ARRAY, f"shift β of every {what}", "[0, 0]"),
        EPSILON,
    )


_ADDED = LayerOption("epsilon", "added to the variance")
RMS_NORM = LayerType(
    "rms_norm",
    "root mean square normalisation",
    tuple(row for row in _scale("feature") if row[0] != "bias"),
    read_norm,
    add_rms_norm,
    letters={"square": Letter("q"), "normal": Letter("x", hat=True)},
    options=(LayerOption("epsilon", "added to the mean of the squares"),),
)
INSTANCE_NORM = LayerType(
    "instance_norm", "instance normalisation", _scale("channel"), read_norm, add_instance_norm, takes=_MAPS, first=MAPS_FIRST,
    letters=LETTERS,
    options=(_ADDED,),
)  # fmt: skip
GROUP_NORM = LayerType(
    "group_norm",
    "group normalisation",
    (("groups", COUNT, "so many groups of channels", "2"), *_scale("channel")),
    read_groups,
    add_group_norm,
    takes=_MAPS,
    first=MAPS_FIRST,
    letters=LETTERS,
    options=(LayerOption("groups", "groups of channels"), _ADDED),
)
TYPES = (RMS_NORM, INSTANCE_NORM, GROUP_NORM)

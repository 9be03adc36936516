"""Readers of layers that are not dense: `READERS[type](incoming)` is the layer, None after an error.

A type has its keys in layers/keys.py, its reader here, and its builder in models/.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.layers import attention, maps, normalisation, recurrent
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming

READERS: dict[str, Callable[[Incoming], Layer | None]] = {
    "conv2d": maps.convolution,
    "conv1d": maps.convolution,
    "conv_transpose2d": maps.transposed,
    "max_pool": maps.pooling,
    "avg_pool": maps.pooling,
    "flatten": maps.flatten,
    "rnn": recurrent.rnn,
    "lstm": recurrent.gated,
    "gru": recurrent.gated,
    "embedding": attention.embedding,
    "positional_encoding": attention.positional_encoding,
    "attention": attention.attention,
    "layer_norm": normalisation.norm,
    "batch_norm": normalisation.norm,
    "dropout": normalisation.dropout,
    "residual": normalisation.residual,
}

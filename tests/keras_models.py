"""Random models of Keras: `made(keras, random, seed)` is a model and the shape of its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

ACTIVATIONS = ("relu", "sigmoid", "tanh", "elu", "gelu", "silu", "softplus", "leaky_relu", "softmax", "hard_sigmoid")


def made(keras: Any, random: np.random.Generator, seed: int) -> tuple[Any, tuple[int, ...]]:
    """A dense network, one with maps, one with a recurrence, or one of the functional kind with norms."""
    layers = keras.layers
    activation, units = ACTIVATIONS[random.integers(len(ACTIVATIONS))], int(random.integers(2, 5))
    shape: tuple[int, ...] = ((3,), (5, 5, 2), (3, 2), (3,))[seed % 4]
    parts = (
        [layers.Dense(units, activation=activation, bias_initializer="normal"), layers.Dropout(0.5), layers.Dense(2)],
        [layers.Conv2D(2, 2, activation="tanh", name="maps"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(2)],
        [(layers.LSTM, layers.GRU, layers.SimpleRNN)[random.integers(3)](units, bias_initializer="normal"), layers.Dense(2)],
        [layers.Dense(units), layers.LayerNormalization(), layers.Activation(activation), layers.BatchNormalization(), layers.Dense(2)],
    )[seed % 4]
    if seed % 4 != 3:
        return keras.Sequential([layers.Input(shape), *parts]), shape
    start = whole = keras.Input(shape)
    for part in parts:
        whole = part(whole)
    return keras.Model(start, whole), shape

"""Every mistake in a problem file ends in an exact message: file:line: path: what was found, what was expected.

A row is a small broken file and the list of its messages, without the file's name, in the order of the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from handcalc.cli import main
from handcalc.core.functions import ACTIVATIONS
from handcalc.deriving import derive
from handcalc.errors import EvaluationError, HandcalcError, Message, ProblemError, near, printable
from handcalc.loading.loader import load, loads
from handcalc.problem.fields import keys
from handcalc.problem.files import read_text
from handcalc.problem.limits import ERROR_LIMIT, LIMITS, limit, raised_by

NETWORK = """\
inputs: {x1: 0.5, x2: -1}
targets: {o: 1}
layers:
  - neurons: [h]
    activation: sigmoid
    weights: {w1: [x1, h, 0.1], w2: [x2, h, 0.2]}
    bias: {b1: 0.3}
  - neurons: [o]
    weights: [[0.4]]
    bias: 0.5
learning_rate: 0.5
"""
EDGE = "[x1, h, 0.1]"
EDGES = "{w1: [x1, h, 0.1], w2: [x2, h, 0.2]}"
BIAS = "{b1: 0.3}"
RATE = "learning_rate: 0.5\n"
ONE = "layers: [{neurons: [o], weights: [[1]]}]\n"
KEYS = ", ".join(keys("problem"))
KNOWN = ", ".join(ACTIVATIONS)


def edited(old: str, new: str) -> str:
    """The network above with one thing changed."""
    assert old in NETWORK
    return NETWORK.replace(old, new, 1)


def messages(text: str, folder: Path | None = None) -> list[str]:
    """The messages of a broken file, without the file's name."""
    with pytest.raises(ProblemError) as caught:
        loads(text, "p.yaml", folder or Path())
    found = [str(message) for message in caught.value.messages]
    for message in found:  # no control character, direction mark or unfilled place reaches the terminal
        assert message.startswith("p.yaml:") and message.isprintable()
        assert not any(f"{{{word}}}" in message for word in ("found", "wanted", "near", "known", "name", "limit"))
    return [message.removeprefix("p.yaml:") for message in found]


# fmt: off
ROWS: list[tuple[str, str, list[str]]] = [
    # names
    ("neuron twice", edited("[h]", "[h, h]"), ['4: layers[0].neurons[1]: the name "h" is there twice; also in line 4']),
    ("input like a hidden neuron", edited("x1: 0.5", "h: 0.5"),
     ['1: inputs.h: the name "h" is there twice; also in line 4',
      '6: layers[0].weights.w1[0]: there is no input "x1" of this layer; its inputs are h, x2']),
    ("weight like an input", edited("w1:", "x1:"), ['6: layers[0].weights.x1: the name "x1" is there twice; also in line 1']),
    ("weight twice in different layers", edited("[[0.4]]", "{w1: [h, o, 1]}"),
     ['9: layers[1].weights.w1: the name "w1" is there twice; also in line 6']),
    ("key twice", edited("w1:", "w2:"), ["6: layers[0].weights.w2: this key is there twice; first in line 6"]),
    ("id of the loss", edited("w1:", "loss:"), ['6: layers[0].weights.loss: "loss" is the id of the total loss; choose another name']),
    ("id of the learning rate", edited("x2: -1", "x2: -1, rate: 1"),
     ['1: inputs.rate: "rate" is the id of the learning rate; choose another name']),
    ("id of an unnamed bias", edited("w1:", "b2:"),
     ['6: layers[0].weights.b2: "b2" is also the id of the unnamed bias of layer 2; give that one a name']),
    ("space in a name", edited("w1:", "w 1:"),
     ['6: layers[0].weights.w 1: a name has letters, digits and _ only (at most 40), found "w 1"']),
    ("control character in a name", edited("w1:", '"w\\e[31m":'),
     ['6: layers[0].weights.w\\u001b[31m: a name has letters, digits and _ only (at most 40), found "w\\u001b[31m"']),
    ("direction mark in a name", edited("w1:", '"w\u202e1":'),
     ['6: layers[0].weights.w\\u202e1: a name has letters, digits and _ only (at most 40), found "w\\u202e1"']),
    ("markup in a name", edited("[h]", '["[bold]"]'),
     ['4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found "[bold]"']),
    ("number with a point as name", edited("[h]", "[1.5]"),
     ['4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found "1.5"']),
    ("empty name", edited("[h]", "['']"), ['4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found ""']),
    ("only quotes", edited("[h]", "[\"'\"]"),
     ["4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found \"'\""]),
    ("a product sign in a name", edited("[h]", "[a·b]"),
     ['4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found "a·b"']),
    ("long name", edited("[h]", "[" + "h" * 60 + "]"),
     ['4: layers[0].neurons[0]: a name has letters, digits and _ only (at most 40), found "' + "h" * 40 + '…"']),
    ("list as key", edited("w1:", "[a, b]:"), ["6: layers[0].weights: a key must be a word, found […]"]),
    # numbers
    ("word", edited("x2: -1", "x2: minus one"), ['1: inputs.x2: expected a number, found "minus one"']),
    ("nothing", edited("x2: -1", "x2: "), ["1: inputs.x2: expected a number, found nothing"]),
    ("list", edited("x2: -1", "x2: [1]"), ["1: inputs.x2: expected a number, found […]"]),
    ("mapping", edited("x2: -1", "x2: {a: 1}"), ["1: inputs.x2: expected a number, found {…}"]),
    ("not a number", edited("x2: -1", "x2: .nan"), ['1: inputs.x2: expected a finite number, found ".nan"']),
    ("infinity", edited("x2: -1", "x2: -inf"), ['1: inputs.x2: expected a finite number, found "-inf"']),
    ("too large", edited("x2: -1", "x2: 1e999"), ['1: inputs.x2: a number is 0 or has a size from 1e-308 to 1e308, found "1e999"']),
    ("too small", edited("x2: -1", "x2: 1e-999"), ['1: inputs.x2: a number is 0 or has a size from 1e-308 to 1e308, found "1e-999"']),
    ("400 digits", edited("x2: -1", "x2: 1" + "0" * 400),
     ['1: inputs.x2: a number has at most 400 digits, found "1' + "0" * 39 + '…"']),
    ("underscore", edited("x2: -1", "x2: 1_000"), ['1: inputs.x2: expected a number, found "1_000"']),
    ("hexadecimal", edited("x2: -1", "x2: 0x10"), ['1: inputs.x2: expected a number, found "0x10"']),
    ("decimal comma", edited("x2: -1", "x2: '0,5'"), ['1: inputs.x2: expected a number, found "0,5": write a decimal point']),
    ("thousands", edited("x2: -1", "x2: '1,000.5'"), ['1: inputs.x2: expected a number, found "1,000.5"']),
    ("division by zero", edited("x2: -1", "x2: 1/0"), ['1: inputs.x2: division by zero: "1/0"']),
    ("other digits", edited("x2: -1", "x2: ٣"), ['1: inputs.x2: expected a number, found "٣"']),
    ("percent", edited("x2: -1", "x2: 50%"), ['1: inputs.x2: expected a number, found "50%"']),
    ("two numbers", edited("x2: -1", "x2: 1 2"), ['1: inputs.x2: expected a number, found "1 2"']),
    # inputs and targets
    ("no inputs", edited("inputs: {x1: 0.5, x2: -1}\n", ""), ["1: inputs are missing: give inputs, samples or data"]),
    ("empty inputs", edited("{x1: 0.5, x2: -1}", "{}"), ["1: inputs: there is no input"]),
    ("inputs as a number", edited("{x1: 0.5, x2: -1}", "0.5"),
     ['1: inputs: expected a mapping {x1: 0.5} or a list of numbers, found "0.5"']),
    ("unknown output", edited("{o: 1}", "{p: 1}"),
     ["2: targets: targets are missing for o", '2: targets.p: there is no output neuron "p"; outputs are o']),
    ("one target too many", edited("{o: 1}", "[1, 2]"), ["2: targets: one target per output is expected: 1 (o), found 2"]),
    ("loss without targets", edited("targets: {o: 1}\n", "loss: hinge\n"),
     ["2: loss: a loss needs targets: give targets for every sample, or leave the loss out"]),
    ("error without targets", edited("targets: {o: 1}\n", "error: direct\n"),
     ["2: error: a loss needs targets: give targets for every sample, or leave the loss out"]),
    ("inputs and samples", edited(RATE, "samples: [{inputs: [1, 2]}]\n"),
     ["1: inputs: samples replaces it; leave one of both out", "2: targets: samples replaces it; leave one of both out"]),
    # neurons and layers
    ("no neurons", edited("neurons: [h]", "neurons: 0"), ['4: layers[0].neurons: expected a whole number from 1 to 5000, found "0"']),
    ("negative count", edited("neurons: [h]", "neurons: -2"),
     ['4: layers[0].neurons: expected a whole number from 1 to 5000, found "-2"']),
    ("broken count", edited("neurons: [h]", "neurons: 1.5"),
     ['4: layers[0].neurons: expected names such as [h1, h2] or a number of neurons, found "1.5"']),
    ("a name for the count", edited("neurons: [h]", "neurons: h"),
     ['4: layers[0].neurons: expected names such as [h1, h2] or a number of neurons, found "h"']),
    ("empty list of neurons", edited("neurons: [h]", "neurons: []"),
     ["4: layers[0].neurons: there is no neuron"]),
    ("neurons forgotten", edited("  - neurons: [h]\n    activation", "  - activation"),
     ["4: layers[0]: neurons are missing: give their names or their number"]),
    ("misspelt key", edited("neurons: [h]", "nuerons: [h]"),
     ["4: layers[0]: neurons are missing: give their names or their number",
      '4: layers[0].nuerons: unknown key, did you mean "neurons"?']),
    ("maps of a row", edited("neurons: [h]", "type: conv2d"),
     ["4: layers[0]: layer 1 (conv2d) takes row × column | channel × row × column, but feature = 2 comes in"]),
    ("a rate of a layer", edited("neurons: [h]", "neurons: [h]\n    lr: 0.1"),
     ["5: layers[0].lr: unknown key: write learning_rate: {others: …, layer1: …}"]),
    ("a layer as an activation", edited("sigmoid", "PReLU"),
     ["5: layers[0].activation: PReLU is a layer of its own, below this one: {type: prelu, …}"]),
    ("unknown layer type", edited("neurons: [h]", "neurons: [h]\n    type: dens"),
     ['5: layers[0].type: unknown value "dens", did you mean "dense"?']),
    ("too many neurons", edited("neurons: [h]", "neurons: 6000"),
     ["4: layers[0].neurons: more than 5000 neurons; set HANDCALC_MAX_NEURONS to raise the limit"]),
    # activations
    ("misspelt", edited("sigmoid", "sigmod"), ['5: layers[0].activation: unknown activation "sigmod", did you mean "sigmoid"?']),
    ("capitals", edited("sigmoid", "ReLu1"), ['5: layers[0].activation: unknown activation "ReLu1", did you mean "relu"?']),
    ("unknown", edited("sigmoid", "foo"), [f'5: layers[0].activation: unknown activation "foo"; known are {KNOWN}']),
    ("misspelt option", edited("sigmoid", "{leaky_relu: {slpe: 1}}"),
     ['5: layers[0].activation.leaky_relu.slpe: unknown key, did you mean "slope"?']),
    ("two in a mapping", edited("sigmoid", "{elu: {}, relu: {}}"),
     ["5: layers[0].activation: expected one activation such as {leaky_relu: {slope: 0.01}}"]),
    ("one too many", edited("sigmoid", "[sigmoid, tanh]"),
     ["5: layers[0].activation: one activation per neuron is expected: 1, found 2"]),
    ("softmax in a list", edited("[h]\n    activation: sigmoid", "[h, g]\n    activation: [softmax, tanh]"),
     ["5: layers[0].activation: softmax takes the whole layer; give it alone",
      "6: layers[0].weights: no edge leads to g",
      "9: layers[1].weights: W2 is 1×1, expected 1×2 (neurons: 1, inputs: 2; one row per neuron)"]),
    ("another name than z", edited("sigmoid", "x/2"), ['5: layers[0].activation: not a formula in z: unknown name "x" (column 1)']),
    ("without z", edited("sigmoid", "2"), ['5: layers[0].activation: the formula of an activation must use z, found "2"']),
    ("broken formula", edited("sigmoid", "z +* 2"),
     ['5: layers[0].activation: not a formula in z: "*" is not expected here (column 4)']),
    ("function of nothing", edited("sigmoid", "sigmoid*2"),
     ["5: layers[0].activation: not a formula in z: sigmoid is a function: write sigmoid(…) (column 1)"]),
    ("a call of Python", edited("sigmoid", "__import__('os')"),
     ['5: layers[0].activation: not a formula in z: unknown name "__import__" (column 1)']),
    ("deep brackets", edited("sigmoid", "(" * 50 + "z" + ")" * 50),
     ["5: layers[0].activation: not a formula in z: nested more than 60 deep (column 31)"]),
    ("a bracket that is not closed", edited("sigmoid", "[max(0, z]"),
     ['5: layers[0].activation[0]: not a formula in z: expected ")", found … (column 9)']),
    # weights
    ("edge reversed", edited(EDGE, "[h, x1, 0.1]"), ["6: layers[0].weights.w1[0]: the order is [from, to, value]: write [x1, h, 0.1]"]),
    ("value first", edited(EDGE, "[0.1, x1, h]"),
     ['6: layers[0].weights.w1[0]: there is no input "0.1" of this layer; its inputs are x1, x2',
      '6: layers[0].weights.w1[1]: there is no neuron "x1" in this layer; its neurons are h',
      '6: layers[0].weights.w1[2]: expected a number, found "h"']),
    ("edge without value", edited(EDGE, "[x1, h]"), ["6: layers[0].weights.w1: an edge is [from, to, value], found 2 entries"]),
    ("edge without places", edited(EDGE, "0.1"), ['6: layers[0].weights.w1: an edge is [from, to, value], found "0.1"']),
    ("unknown source", edited(EDGE, "[x3, h, 0.1]"),
     ['6: layers[0].weights.w1[0]: there is no input "x3" of this layer; its inputs are x1, x2']),
    ("unknown source, near", edited(EDGE, "[x1a, h, 0.1]"),
     ['6: layers[0].weights.w1[0]: there is no input "x1a" of this layer, did you mean "x1"?; its inputs are x1, x2']),
    ("unknown target", edited(EDGE, "[x1, o, 0.1]"),
     ['6: layers[0].weights.w1[1]: there is no neuron "o" in this layer; its neurons are h']),
    ("edge twice", edited(EDGE, "[x2, h, 0.1]"), ["6: layers[0].weights.w2: there is an edge from x2 to h already: w1"]),
    ("no edges", edited(EDGES, "{}"), ["6: layers[0].weights: no edge leads to h"]),
    ("weights forgotten", edited("    weights: [[0.4]]\n", ""), ["8: layers[1]: weights are missing"]),
    ("matrix too wide", edited("[[0.4]]", "[[0.4, 0.3]]"),
     ["9: layers[1].weights: W2 is 1×2, expected 1×1 (neurons: 1, inputs: 1; one row per neuron)"]),
    ("matrix too high", edited("[[0.4]]", "[[0.4], [0.3]]"),
     ["9: layers[1].weights: W2 is 2×1, expected 1×1 (neurons: 1, inputs: 1; one row per neuron)"]),
    ("ragged matrix", edited(EDGES, "[[1, 2], [3]]"),
     ["6: layers[0].weights: W1 is 2×1/2, expected 1×2 (neurons: 1, inputs: 2; one row per neuron)"]),
    ("row per neuron", edited(EDGES, "[[0.1, 0.2]]\n    weight_rows: inputs"),
     ["6: layers[0].weights: W1 is 1×2, expected 2×1 (neurons: 1, inputs: 2; one row per input)"]),
    ("null in a matrix", edited("[[0.4]]", "[[null]]"), ["9: layers[1].weights[0][0]: expected a number, found nothing"]),
    ("nested too deep", edited("[[0.4]]", "[[[0.4]]]"), ["9: layers[1].weights[0][0]: expected a number, found […]"]),
    ("a number alone", edited("[[0.4]]", "0.4"),
     ['9: layers[1].weights: expected named edges {w1: [from, to, value]}, a matrix [[…], …], or a file; found "0.4"']),
    ("names of another shape", edited("[[0.4]]", "[[0.4]]\n    weight_names: [[w3, w4]]"),
     ["10: layers[1].weight_names: the names must have the shape of the weights, 1×1"]),
    ("names beside edges", edited(EDGES, "{w1: [x1, h, 0.1], w2: [x2, h, 0.2]}\n    weight_names: [[a, b]]"),
     ["7: layers[0].weight_names: goes with a matrix, not with named edges"]),
    ("no such file", edited("[[0.4]]", "{file: none.npz}"), ['9: layers[1].weights: there is no file "none.npz"']),
    ("file of another kind", edited("[[0.4]]", "{file: weights.pt}"), ['9: layers[1].weights: there is no file "weights.pt"']),
    ("misspelt array", edited("[[0.4]]", "{file: none.npz, arry: W}"),
     ['9: layers[1].weights: there is no file "none.npz"', '9: layers[1].weights.arry: unknown key, did you mean "array"?']),
    # biases
    ("bias and threshold", edited(BIAS, "0.3\n    threshold: 0.2"), ["8: layers[0].threshold: give bias or threshold, not both"]),
    ("list too long", edited(BIAS, "[1, 2]"), ["7: layers[0].bias: one number per neuron is expected: 1, found 2"]),
    ("two shared", edited(BIAS, "{b1: 0.3, b3: 0.4}"),
     ["7: layers[0].bias.b3: give one shared bias, or one kind of places: [to, value] or [from, to, value]"]),
    ("mixed forms", edited(BIAS, "{b1: [h, 1], b3: [x1, h, 2]}"),
     ["7: layers[0].bias.b3: give one shared bias, or one kind of places: [to, value] or [from, to, value]"]),
    ("bias twice", edited(BIAS, "{b1: [h, 1], b3: [h, 2]}"), ["7: layers[0].bias.b3: there is a bias for this place already: b1"]),
    ("bias without value", edited(BIAS, "{b1: }"),
     ["7: layers[0].bias.b1: a bias is a number, [to, value] or [from, to, value], found nothing"]),
    ("empty bias", edited(BIAS, "{}"), ["7: layers[0].bias: expected a name and a value such as {b1: 0.35}"]),
    ("bias reversed", edited(BIAS, "{b1: [h, x1, 1]}"), ["7: layers[0].bias.b1[0]: the order is [from, to, value]: write [x1, h, 1]"]),
    ("bias of another layer", edited(BIAS, "{b1: [o, 1]}"),
     ['7: layers[0].bias.b1[0]: there is no neuron "o" in this layer; its neurons are h']),
    ("bias without an edge", edited(EDGES + "\n    bias: " + BIAS, "{w1: [x1, h, 0.1]}\n    bias: {b1: [x2, h, 1]}"),
     ['7: layers[0].bias.b1: there is no edge from "x2" to "h" for this bias']),
    # loss, training, settings
    ("a number of an optimiser", edited(RATE, "momentum: 0.9\n"),
     ["11: momentum: unknown key: write optimizer: {momentum: {momentum: …}}"]),
    ("a penalty", edited(RATE, "l2: 0.1\n"), ["11: l2: unknown key: write regularization: {l2: …}"]),
    ("misspelt loss", edited(RATE, "loss: hinges\n"), ['11: loss: unknown loss "hinges", did you mean "hinge"?']),
    ("a word for several", edited(RATE, "loss: L2\n"),
     ['11: loss: "L2" may be half_squared_error | squared_error | mean_squared_error; write the one that is meant']),
    ("a key in two spellings", edited(RATE, "lr: 0.5\nlearning_rate: 0.5\n"),
     ["12: learning_rate: this key is there twice; first in line 11"]),
    ("loss without o", edited(RATE, "loss: t^2\n"), ['11: loss: the formula of a loss must use o, found "t^2"']),
    ("delta of nothing", edited(RATE, "loss: {huber: {delta: 0}}\n"), ['11: loss.huber.delta: expected a number above 0, found "0"']),
    ("loss and error: direct", edited(RATE, "loss: hinge\nerror: direct\n"),
     ["11: loss: error: direct has no loss; leave one of both out"]),
    ("smoothing of 1", edited(RATE, "loss: {cross_entropy: {smoothing: 1}}\n"),
     ['11: loss.cross_entropy.smoothing: expected a number from 0 to less than 1, found "1"']),
    ("weights of two classes for one", edited(RATE, "loss: {cross_entropy: {class_weights: [1, 2]}}\n"),
     ["11: loss: class_weights: one weight for each of 1 outputs is expected, found 2"]),
    ("options of another loss", edited(RATE, "loss: {hinge: {smoothing: 0.1}}\n"),
     ["11: loss: expected a loss such as {huber: {delta: 1}}"]),
    ("one of two without a slope", edited(
        "[o]\n    weights: [[0.4]]", "[o, p]\n    activation: [1 - 2*step(z), tanh]\n    weights: [[1], [2]]"
     ).replace("{o: 1}", "{o: 1, p: 1}") + "error: direct\n",
     ["13: error: 1 - 2*step(z) has no slope, and other activations of the last layer have one: error: direct has one rule for the layer"]),
    ("a whole layer for single numbers", "inputs: [[1], [2]]\nlayers: [{type: rnn, neurons: [h], activation: softmax, input_weights: [[1]]"
     ", hidden_weights: [[1]]}]\n",
     ["2: layers[0].activation: softmax takes the whole layer; here every number has its activation by itself"]),
    ("peephole of a candidate", "inputs: [[1], [2]]\nlayers: [{type: lstm, neurons: [h], coupled: true, gates: {"
     + ", ".join(f"{gate}: {{input_weights: [[1]], hidden_weights: [[1]], peephole: [1]}}" for gate in ("input", "candidate", "output"))
     + "}}]\n",
     ["2: layers[0].gates.candidate.peephole: the candidate gate of lstm has no peephole"]),
    ("groups of another size", "inputs: [[[1]], [[2]], [[3]]]\nlayers: [{type: group_norm, groups: 2}]\n",
     ["2: layers[0].groups: 3 channels cannot be parted into 2 groups of the same size"]),
    ("one piece of maxout", "inputs: [1]\nlayers: [{type: maxout, neurons: [h], weights: [[[1]]]}]\n",
     ["2: layers[0].weights: maxout needs at least two pieces for each neuron; with one it is a dense layer"]),
    ("pieces of maxout", "inputs: [1]\nlayers: [{type: maxout, neurons: [h], weights: [[1]]}]\n",
     ["2: layers[0].weights: expected a list for every neuron with a row of weights for each of its pieces, "
      "such as [[[0.1, 0.2], [0.3, -0.1]]]"]),
    ("logits needed", edited("neurons: [o]", "neurons: [o]\n    activation: tanh") + "loss: softmax_cross_entropy\n",
     ["13: loss: softmax_cross_entropy works on net inputs: the last layer must be softmax or identity"]),
    ("rate zero", edited(RATE, "learning_rate: 0\n"), ['11: learning_rate: expected a number above 0, found "0"']),
    ("rate negative", edited(RATE, "learning_rate: -0.1\n"), ['11: learning_rate: expected a number above 0, found "-0.1"']),
    ("rate in words", edited(RATE, "learning_rate: fast\n"), ['11: learning_rate: expected a number, found "fast"']),
    ("misspelt rate", edited(RATE, "learning_rat: 0.5\n"), ['11: learning_rat: unknown key, did you mean "learning_rate"?']),
    ("misspelt optimiser", edited(RATE, "optimizer: adaam\n"), ['11: optimizer: unknown value "adaam", did you mean "adam"?']),
    ("optimiser as a mapping", edited(RATE, "optimizer: {adma: {}}\n"),
     ['11: optimizer.adma: unknown optimiser "adma", did you mean "adam"?']),
    ("a number of another optimiser", edited(RATE, "optimizer: {momentum: {beta1: 0.9}}\n"),
     ["11: optimizer.momentum.beta1: unknown key; known are momentum, dampening"]),
    ("momentum of 1", edited(RATE, "optimizer: {name: momentum, momentum: 1}\n"),
     ['11: optimizer.momentum: expected a number from 0 to less than 1, found "1"']),
    ("clipping twice", edited(RATE, "clipping: {norm: 1, value: 1}\n"), ["11: clipping: give norm or value"]),
    ("misspelt notation", edited(RATE, "notation: mazurr\n"), ['11: notation: unknown value "mazurr", did you mean "mazur"?']),
    ("unknown language", edited(RATE, "language: fr\n"), ['11: language: unknown value "fr"; known are en, zh']),
    ("format version", edited(RATE, "handcalc: 2\n"), ['11: handcalc: format version 1 is expected, found "2"']),
    ("perhaps", edited(RATE, "update: {biases: perhaps}\n"), ['11: update.biases: expected true or false, found "perhaps"']),
    ("unknown parameter", edited(RATE, "update: {frozen: [w1, w22]}\n"),
     ['11: update.frozen[1]: there is no parameter "w22", did you mean "w2"?']),
    ("id of a named weight", edited(RATE, "update: {frozen: ['W1[1,1]']}\n"),
     ['11: update.frozen[0]: there is no parameter "W1[1,1]", it is called "w1"']),
    ("layer without parameters", "inputs: [[1, 2], [3, 4]]\nlayers: [{type: flatten}, {neurons: 1, weights: [[1, 2, 3, 4]]}]\n"
     "update: {frozen: [flatten1, dense1.weight, 'W2[1,5]', b2]}\n",
     ["3: update.frozen[0]: the layer flatten1 has no parameters",
      '3: update.frozen[1]: there is no parameter "dense1.weight", did you mean "dense1.weights"?',
      '3: update.frozen[2]: there is no parameter "W2[1,5]", did you mean "W2[1,4]"?',
      '3: update.frozen[3]: there is no parameter "b2"']),
    ("names of layers", edited("neurons: [h]", "name: dense2\n    neurons: [h]"), ['4: layers[0].name: another layer is called "dense2"']),
    ("layer like a parameter", edited("neurons: [h]", "name: w1\n    neurons: [h]"),
     ['4: layers[0].name: "w1" is the name of an input or a parameter too']),
    ("penalty of nothing", edited(RATE, "regularization: {biases: true}\n"),
     ["11: regularization: give l2 or l1, the λ of the squares or of the absolute values of the weights"]),
    ("penalty without a loss", edited(RATE, "error: direct\nregularization: {l2: 1}\nreport: hinge\n"),
     ["12: regularization: there is no loss that a penalty could be in; give targets and a loss, or take weight_decay",
      "13: report: there is no loss beside which another could be reported"]),
    ("half of |w|", edited(RATE, "regularization: {l1: 1, form: half_mean}\n"),
     ["11: regularization.form: only squares are halved; with l1 alone write mean"]),
    ("report of net inputs", edited(RATE, "report: softmax_cross_entropy\n"),
     ['11: report: "softmax_cross_entropy" is on net inputs; report a loss of outputs, such as cross_entropy']),
    ("name of a penalty", edited("w1", "l2") + "regularization: {l2: 1}\n",
     ['12: regularization: "l2" is the id of a quantity of the loss; choose another name']),
    ("penalty of equations", "given: {a: 1}\nequations: {f: a^2}\nregularization: {l2: 1}\n",
     ["3: regularization: does not go with equations"]),
    ("no epochs", edited(RATE, "training: {epochs: 0}\n"),
     ['11: training.epochs: expected a whole number from 1 to 100000000, found "0"']),
    ("batch size alone", edited(RATE, "training: {batch_size: 2}\n"), ["11: training.batch_size: goes with mode: mini_batch only"]),
    ("two kinds of digits", edited(RATE, "rounding: {decimals: 4, significant: 3}\n"),
     ["11: rounding: give decimals or significant, not both"]),
    ("digits without limit", edited(RATE, "rounding: {decimals: 400}\n"),
     ['11: rounding.decimals: expected a whole number from 0 to 15, found "400"']),
    ("override without digits", edited(RATE, "rounding: {overrides: {'grad.*': 3}}\n"),
     ['11: rounding.overrides.grad.*: expected a mapping (key: value), found "3"']),
    ("convention", edited(RATE, "conventions: {relu_at_zero: 2}\n"),
     ['11: conventions.relu_at_zero: unknown value "2"; known are 0, 1, 0.5']),
    ("updated weights before the error", edited(RATE, RATE + "clipping: {norm: 1}\nconventions: {hidden_error_weights: updated}\n"),
     ["13: conventions.hidden_error_weights: clipping by the norm needs the error before there are updated weights; write old"]),
    ("updated weights of a recurrence", "inputs: [[1], [2]]\ntargets: [1]\nlayers: [{type: rnn, neurons: 1, input_weights: [[1]], "
     "hidden_weights: [[0.5]], returns: last}]\nlearning_rate: 1\nconventions: {hidden_error_weights: updated}\n",
     ["5: conventions.hidden_error_weights: a recurrent layer needs the error before there are updated weights; write old"]),
    ("two answers on biases", edited(RATE, "conventions: {bias_update: false}\nupdate: {biases: true}\n"),
     ["11: conventions.bias_update: update: biases says otherwise; leave one of both out"]),
    ("two reductions", edited(RATE, "sample_reduction: mean\nconventions: {sample_reduction: sum}\n"),
     ["11: sample_reduction: conventions say otherwise; leave one of both out"]),
    ("equations' keys", edited(RATE, "parameters: [a]\nminimize: a\n"),
     ["11: parameters: goes with equations, not with layers", "12: minimize: goes with equations, not with layers"]),
    ("unknown key", edited(RATE, "colour: red\n"), [f"11: colour: unknown key; known are {KEYS}"]),
    # not a problem at all
    ("empty", "", [" the file is empty; `handcalc new` writes one to start from"]),
    ("only comments", "# nothing\n", [" the file is empty; `handcalc new` writes one to start from"]),
    ("only a document start", "---\n", [" the file is empty; `handcalc new` writes one to start from"]),
    ("a list", "- a\n", ["1: expected a mapping (key: value), found […]"]),
    ("a text", "hello\n", ['1: expected a mapping (key: value), found "hello"']),
    ("a number", "5\n", ['1: expected a mapping (key: value), found "5"']),
    ("an empty mapping", "{}", ["1: layers or equations are missing: there is nothing to compute"]),
    ("only a title", "title: x\n", ["1: layers or equations are missing: there is nothing to compute"]),
    ("layers without content", "layers:\n", ["1: layers or equations are missing: there is nothing to compute"]),
    ("layers as a number", "inputs: [1]\nlayers: 5\n", ['2: layers: expected a list [a, b, …], found "5"']),
    ("no layers", "inputs: [1]\nlayers: []\n", ["2: layers: there is no layer"]),
    ("layers that are none", "inputs: [1]\nlayers: [5, null, []]\n",
     ['2: layers[0]: expected a mapping (key: value), found "5"',
      "2: layers[1]: expected a mapping (key: value), found nothing",
      "2: layers[2]: expected a mapping (key: value), found […]"]),
    # not YAML
    ("tab", "inputs:\n\tx: 1\n", ["2: not valid YAML: a tab is used for indentation or after a colon; use spaces"]),
    ("colon in a text", "title: a: b\n",
     ["1: not valid YAML: a colon is not expected here; is the line above complete, or are quotation marks missing?"]),
    ("bracket", "inputs: [1, 2\n", ["1: not valid YAML: the bracket [ is not closed"]),
    ("quotation mark", "title: 'x\n", ["1: not valid YAML: a quotation mark is not closed"]),
    ("indentation", "a: 1\n b: 2\n",
     ["2: not valid YAML: the indentation does not fit the lines above"]),
    ("two documents", "a: 1\n---\nb: 2\n", ["2: not valid YAML: two documents in one file; keep one of them"]),
    ("control character", "title: \0\n", ["1: not valid YAML: a control character; is this a text file?"]),
    ("half a character", 'title: "\\ud800"\n', ["1: half of a surrogate pair is no character"]),
    ("tag", "title: !!python/object/apply:os.system [ls]\n", ['1: tags such as "!!python/object/apply:os.system" are not allowed']),
    ("own tag", "title: !x y\n", ['1: tags such as "!x" are not allowed']),
    ("unknown alias", "title: *a\n", ["1: not valid YAML: found undefined alias 'a'"]),
    ("alias in itself", "inputs: &a [*a]\n", ["1: an alias contains itself"]),
    ("deep", "[" * 60 + "]" * 60, ["1: values are nested more than 40 deep"]),
    ("very deep", "[" * 500, [" values are nested more than 40 deep"]),
    ("merge key", "<<: {inputs: [1]}\nlayers: []\n",
     [f"1: <<: unknown key; known are {KEYS}", "1: inputs are missing: give inputs, samples or data", "2: layers: there is no layer"]),
    # samples
    ("no samples", "samples: []\n" + ONE, ["1: samples: there is no sample"]),
    ("sample without inputs", "samples: [{targets: [1]}]\n" + ONE,
     ["1: samples[0]: inputs are missing"]),
    ("other inputs", "samples:\n  - {inputs: {a: 1}}\n  - {inputs: {b: 1}}\n  - {inputs: [1, 2]}\n" + ONE,
     ["3: samples[1].inputs: every sample needs the same inputs: a, found b",
      "4: samples[2].inputs: every sample needs the same inputs: a, found 2"]),
    ("targets for some", "samples:\n  - {inputs: [1], targets: [1]}\n  - {name: Bob, inputs: [1]}\n" + ONE,
     ["1: samples: targets are missing for Bob; give them for every sample or for none"]),
    ("sample name twice", "samples:\n  - {name: A, inputs: [1]}\n  - {name: A, inputs: [2]}\n" + ONE,
     ['3: samples[1]: the name "A" is there twice; also in line 2']),
    ("sample that is a list", "samples: [[1, 2]]\n" + ONE,
     ["1: samples[0]: expected a mapping (key: value), found […]"]),
    # equations
    ("unknown name", "given: {x: 2}\nequations: {f: x*q}\n", ['2: equations.f: not a formula in x: unknown name "q" (column 3)']),
    ("used before", "given: {x: 2}\nequations: {f: g, g: x}\n",
     ['2: equations.f: not a formula in x: "g" is only defined here or further down (column 1)']),
    ("cycle", "equations: {f: f + 1}\n", ['1: equations.f: not a formula: "f" is only defined here or further down (column 1)']),
    ("given, and no number", "given: {x: 2, y: x}\nequations: {y: 3}\n", ['1: given.y: expected a number, found "x"']),
    ("defined twice", "equations:\n  f: 1\n  f: 2\n", ["3: equations.f: this key is there twice; first in line 2"]),
    ("unknown function", "given: {x: 2}\nequations: {f: quux(x)}\n",
     ['2: equations.f: not a formula in x: unknown name "quux" (column 1)']),
    ("misspelt function", "given: {x: 2}\nequations: {f: sigmiod(x)}\n",
     ['2: equations.f: not a formula in x: unknown name "sigmiod" (column 1), did you mean "sigmoid"?']),
    ("unknown objective", "given: {x: 2}\nequations: {loss: x}\nminimize: lost\n",
     ['3: minimize: there is no equation "lost", did you mean "loss"?']),
    ("unknown given number", "given: {x: 2}\nequations: {f: x}\nminimize: f\nparameters: [y]\n",
     ['4: parameters[0]: there is no given number "y"']),
    ("parameters without objective", "given: {x: 2}\nequations: {f: x}\nparameters: [x]\n",
     ["3: parameters: minimize is missing: name the quantity whose gradients are wanted"]),
    ("rate without parameters", "given: {x: 2}\nequations: {f: x}\nminimize: f\nlearning_rate: 1\n",
     ["4: learning_rate: parameters are missing: name the given numbers that are updated"]),
    ("no equations", "equations: {}\n", ["1: equations: there is no equation"]),
    ("a list of equations", "equations: [a]\n", ["1: equations: expected a mapping (key: value), found […]"]),
    ("nothing on the right", "equations: {f: }\n", ["1: equations.f: expected a text, found nothing"]),
    ("a constant as name", "given: {pi: 3}\nequations: {f: pi}\n",
     ['1: given.pi: expected a letter, then letters, digits and _ (at most 40), and no constant such as pi; found "pi"']),
    ("a name that is none", "equations: {2x: 1}\n",
     ['1: equations.2x: expected a letter, then letters, digits and _ (at most 40), and no constant such as pi; found "2x"']),
    ("the rate's id", "given: {rate: 2}\nequations: {f: rate}\nminimize: f\nparameters: [rate]\nlearning_rate: 1\n",
     ['1: given.rate: "rate" is the id of the learning rate; choose another name']),
    ("layers too", "equations: {f: 1}\nlayers: []\n", ["2: layers: does not go with equations"]),
]
# fmt: on


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(text, wanted, id=name) for name, text, wanted in ROWS])
def test_messages(text: str, wanted: list[str]) -> None:
    assert messages(text) == wanted


def test_the_network_itself_is_right() -> None:
    problem = loads(NETWORK)
    assert len(list(derive(problem).steps())) > 20


def test_all_errors_at_once_in_the_order_of_the_file() -> None:
    text = """\
title: [x]
inputs: {x1: a, x2: 1}
layers:
  - neurons: [h]
    activation: sigmod
    weights: {w1: [x1, g, 0.1], w2: [x3, h, b]}
    threshold: {t: [k, 1]}
learning_rate: 0
rounding: {decimals: x}
notation: foo
"""
    lines = [int(message.split(":")[0]) for message in messages(text)]
    assert lines == sorted(lines)
    assert set(lines) == {1, 2, 5, 6, 7, 8, 9, 10}
    assert len(lines) == 10


def test_an_error_is_told_once() -> None:
    root = read_text("title: x\n", "p.yaml", "")
    for template in ("second", "first", "second"):
        root.fail(template)
    with pytest.raises(ProblemError) as caught:
        root.source.finish()
    assert [str(message) for message in caught.value.messages] == ["p.yaml:1: second", "p.yaml:1: first"]


def test_too_many_errors_are_cut() -> None:
    found = messages("".join(f"key{place}: 1\n" for place in range(150)))
    assert len(found) == ERROR_LIMIT + 1
    assert found[-1] == f" there are more errors; only {ERROR_LIMIT} are shown"


# --- limits ---------------------------------------------------------------------------------------------------------------

# limit, and a file just beyond it when the limit is set to 5 (3 for bytes)
TOO_MUCH: list[tuple[str, str]] = [
    ("bytes", "a: 1\n"),
    ("values", "inputs: [1, 2, 3, 4, 5]"),
    ("layers", "inputs: [1]\nlayers: [" + "{neurons: 1, weights: [[1]]}, " * 6 + "]"),
    ("neurons", "inputs: [1]\nlayers: [{neurons: [a, b, c, d, e, f], weights: [1, 1, 1, 1, 1, 1]}]"),
    ("samples", "samples: [" + "{inputs: [1]}, " * 6 + "]\n" + ONE),
    ("equations", "equations: {" + ", ".join(f"a{place}: 1" for place in range(6)) + "}"),
    ("terms", "given: {x: 1}\nequations: {f: x*x*x*x*x*x}"),
    ("edges", "inputs: [1, 2, 3]\nlayers: [{neurons: [a, b], weights: {w: [x1, a, 1], v: [x2, b, 1]}}]"),
    ("data_bytes", "data: d.csv\ninputs: [a]\n" + ONE),
    ("array_bytes", "inputs: [1, 2]\nlayers: [{neurons: 1, weights: {file: w.npz}}]"),
]


@pytest.mark.parametrize(("name", "text"), TOO_MUCH, ids=[name for name, _ in TOO_MUCH])
def test_limit_says_which_and_how_to_raise_it(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d.csv").write_text("a\n1\n2\n", encoding="utf-8")
    bomb(tmp_path / "w.npz")
    most = 3 if name == "bytes" else 1_000_000 if name == "array_bytes" else 5
    monkeypatch.setenv(raised_by(name), str(most))
    (told,) = messages(text, tmp_path)
    assert str(most) in told
    assert raised_by(name) in told
    monkeypatch.delenv(raised_by(name))
    if name in ("bytes", "values"):
        assert all(str(most) not in message for message in messages(text, tmp_path))
    elif name == "array_bytes":
        assert messages(text, tmp_path)[0].endswith("the array is 1000000, expected 1×2")
    else:
        loads(text, "p.yaml", tmp_path)


def bomb(path: Path) -> None:
    """An archive of 8 MB of zeros, packed into less than 10 kB."""
    numpy.savez_compressed(path, W=numpy.zeros(1_000_000))
    assert path.stat().st_size < 10_000


@pytest.mark.parametrize("value", ["-1", "many", "1e9", "٣", "9" * 50])
def test_limit_that_is_no_number(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(raised_by("layers"), value)
    with pytest.raises(HandcalcError, match="HANDCALC_MAX_LAYERS: expected a whole number, such as 100"):
        limit("layers")
    monkeypatch.setenv(raised_by("layers"), "")
    assert limit("layers") == LIMITS["layers"]


def test_alias_bomb() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1]\n" + "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 4)}]\n" for k in range(1, 40))
    assert messages(bomb) == ["8: more than 50000 values; set HANDCALC_MAX_VALUES to raise the limit"]


# --- files ----------------------------------------------------------------------------------------------------------------


def file_messages(path: Path | str) -> list[str]:
    """The messages for a file that cannot be loaded."""
    with pytest.raises(ProblemError) as caught:
        load(path)
    return [str(message) for message in caught.value.messages]


def test_missing_file(tmp_path: Path) -> None:
    assert file_messages(tmp_path / "none.yaml") == [f"{tmp_path}/none.yaml: there is no such file"]


def test_missing_shipped_problem() -> None:
    assert file_messages("mazur-2-2-3") == [
        'mazur-2-2-3: there is no such file, and no shipped problem of that name, did you mean "mazur-2-2-2"?'
    ]


def test_folder(tmp_path: Path) -> None:
    assert file_messages(tmp_path) == [f"{tmp_path}: this is a folder; give a file"]


def test_no_name() -> None:
    assert file_messages("") == ['"": there is no such file']


def test_long_name() -> None:
    assert file_messages("x/" * 3000) == ["…" + "x/" * 100 + ": cannot be read: File name too long"]


def test_null_in_a_name() -> None:
    assert file_messages("a/b\0c") == ["a/b\\u0000c: cannot be read: this is no name of a file"]


def test_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text(NETWORK, encoding="utf-8")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    assert file_messages(path) == [f"{path}: cannot be read: Permission denied"]


CONTENTS: list[tuple[str, bytes, str]] = [
    ("binary", bytes(range(256)) * 10, ":2: not a text in UTF-8; save it with that encoding"),
    ("UTF-16", NETWORK.encode("utf-16"), ":1: not a text in UTF-8; save it with that encoding"),
    ("GBK", "a: 1\ntitle: 阈值\n".encode("gbk"), ":2: not a text in UTF-8; save it with that encoding"),
    ("Latin-1", "a: 1\nb: 2\ntitle: Übung\n".encode("latin-1"), ":3: not a text in UTF-8; save it with that encoding"),
    ("null bytes", b"a: 1\n\0\0\0\0", ":2: not valid YAML: a control character; is this a text file?"),
    ("BOM only", b"\xef\xbb\xbf", ": the file is empty; `handcalc new` writes one to start from"),
]


@pytest.mark.parametrize(("data", "wanted"), [pytest.param(data, wanted, id=name) for name, data, wanted in CONTENTS])
def test_file_that_is_no_text(data: bytes, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(data)
    assert file_messages(path) == [f"{path}{wanted}"]


def test_100_megabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    with open(path, "wb") as file:
        file.truncate(100_000_000)
    told = "larger than 400000 bytes; put large weights or data into a CSV or NPZ file beside it, or set HANDCALC_MAX_BYTES"
    assert file_messages(path) == [f"{path}: {told}"]


# --- CSV ------------------------------------------------------------------------------------------------------------------

COLUMNS = "data: d.csv\ninputs: [a, b]\ntargets: [y]\nlayers: [{neurons: [o], weights: [[1, 2]]}]\n"

TABLES: list[tuple[str, str, list[str]]] = [
    ("empty", "", ["1: data: d.csv is empty"]),
    ("only a heading", "a,b,y\n", ["1: data: there is no sample"]),
    ("missing column", "a,B,y\n1,2,3\n", ['2: inputs: d.csv has no column "b", did you mean "B"?; it has a, B, y']),
    ("cell missing", "a,b,y\n1,2,3\n1,2\n", ["1: data: d.csv, line 3: 2 cells, expected 3"]),
    ("cell too many", "a,b,y\n1,2,3,4\n", ["1: data: d.csv, line 2: 4 cells, expected 3"]),
    ("empty cell", "a,b,y\n1,,3\n", ['1: data: d.csv, line 2, column "b": the value is missing; give it, or leave the line out']),
    ("word", "a,b,y\n1,x,3\n1,2,3\n", ['1: data: d.csv, line 2, column "b": expected a number, found "x"']),
    ("words", "a,b,y\n1,x,3\n1,z,3\n",
     ['1: data: d.csv, line 2, column "b": expected a number, found "x"; '
      "if these are words, say in data what they stand for: codes: {b: {x: 1, …: 0}}",
      '1: data: d.csv, line 3, column "b": expected a number, found "z"; '
      "if these are words, say in data what they stand for: codes: {b: {z: 1, …: 0}}"]),
    ("two words", "a,b,y\n1,x,3\n1,2,z\n",
     ['1: data: d.csv, line 2, column "b": expected a number, found "x"',
      '1: data: d.csv, line 3, column "y": expected a number, found "z"']),
    ("NaN", "a,b,y\n1,nan,3\n", ['1: data: d.csv, line 2, column "b": the value is missing; give it, or leave the line out']),
    ("too large", "a,b,y\n1,1e400,3\n",
     ['1: data: d.csv, line 2, column "b": a number is 0 or has a size from 1e-308 to 1e308, found "1e400"']),
    ("column twice", "a,a,b\n1,2,3\n", ["1: data: d.csv: a column name is there twice: a, a, b"]),
    ("semicolons", "a;b;y\n1;2;3\n", ['1: data: d.csv: columns are separated by commas, found "a;b;y"']),
    ("quotation mark open", 'a,b,y\n1,"2,3\n', ["1: data: d.csv, line 2: 2 cells, expected 3"]),
    ("control character", "a,b,y\n1,\x1b[31m,3\n", ['1: data: d.csv, line 2, column "b": expected a number, found "\\u001b[31m"']),
    ("a cell of 200 000 characters", "a,b,y\n1,2," + "9" * 200_000, ["1: data: d.csv, line 2: field larger than field limit (131072)"]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "wanted"), [pytest.param(table, wanted, id=name) for name, table, wanted in TABLES])
def test_csv(table: str, wanted: list[str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(table, encoding="utf-8")
    assert messages(COLUMNS, tmp_path) == wanted


def test_csv_that_is_missing(tmp_path: Path) -> None:
    assert messages(COLUMNS, tmp_path) == [f"1: data: {tmp_path}/d.csv: there is no such file"]


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("a,b,y\n1,阈,3\n".encode("gbk"))
    assert messages(COLUMNS, tmp_path) == [f"1: data: {tmp_path}/d.csv:2: not a text in UTF-8; save it with that encoding"]


def test_csv_columns_that_are_no_names(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a b,y\n1,2\n", encoding="utf-8")
    found = messages("data: d.csv\ninputs: [a b]\ntargets: [y, y]\n" + ONE, tmp_path)
    assert found == [
        '2: inputs: a name has letters, digits and _ only (at most 40), found "a b"',
        "3: targets: one target per output is expected: 1 (o), found 2",
    ]


def test_data_and_samples() -> None:
    assert "2: samples: data replaces it; leave one of both out" in messages("data: d.csv\nsamples: []\ninputs: [a]\n" + ONE)


def test_data_without_columns() -> None:
    assert messages("data: d.csv\n" + ONE)[0] == "1: data: inputs are missing: name the columns of the data file"


# --- arrays ---------------------------------------------------------------------------------------------------------------


def text_file(text: str) -> Callable[[Path], object]:
    """Writes a text."""
    return lambda path: path.write_text(text, encoding="utf-8")


def archive(**arrays: Any) -> Callable[[Path], object]:
    """Writes arrays."""
    return lambda path: numpy.savez(path, **arrays)


OBJECTS = numpy.array([[{}, None]], dtype=object)
CANNOT = "cannot be read: it holds no plain numbers, or is no NumPy file"

ARRAYS: list[tuple[str, str, Callable[[Path], object], str]] = [
    ("missing array", "{file: w.npz, array: V}", archive(W=[[1, 2]]), 'w.npz has no array "V"'),
    ("misspelt array", "{file: w.npz, array: weight}", archive(weights=[[1, 2]]), 'w.npz has no array "weight", did you mean "weights"?'),
    ("several arrays", "{file: w.npz}", archive(W1=[[1, 2]], W2=[[1, 2]]), "w.npz has several arrays; name one of W1, W2"),
    ("wrong shape", "{file: w.npz}", archive(W=[[1, 2, 3]]), "the array is 1×3, expected 1×2"),
    ("transposed", "{file: w.npz}", archive(W=[[1], [2]]), "the array is 2×1, expected 1×2"),
    ("single number", "{file: w.npz}", archive(W=3), "the array is a single number, expected 1×2"),
    ("NaN", "{file: w.npz}", archive(W=[[1, float("nan")]]), "w.npz holds something that is no finite number"),
    ("words", "{file: w.npz}", archive(W=[["a", "b"]]), "w.npz holds something that is no finite number"),
    ("complex", "{file: w.npz}", archive(W=[[1j, 2]]), "w.npz holds something that is no finite number"),
    ("pickled objects", "{file: w.npz}", lambda path: numpy.savez(path, W=OBJECTS), "w.npz " + CANNOT),
    ("pickled objects in NPY", "{file: w.npy}", lambda path: numpy.save(path, OBJECTS), "w.npy " + CANNOT),
    ("junk", "{file: w.npz}", text_file("junk"), "w.npz cannot be read: it is damaged, or no NumPy file"),
    (
        "ragged CSV",
        "{file: w.csv}",
        text_file("1,2\n3\n"),
        "w.csv cannot be read: line 2: 1 cell, expected 2",
    ),
    ("CSV with a heading", "{file: w.csv}", text_file("a,b\n1,2\n"), 'w.csv cannot be read: line 1: expected a number, found "a"'),
    ("empty CSV", "{file: w.csv}", text_file("\n"), "w.csv is empty"),
    ("another format", "{file: w.pt}", text_file("x"), "w.pt is no .csv, .txt, .npy or .npz file"),
    ("no name", "{file: }", text_file(""), "the file's name is missing"),
]


@pytest.mark.parametrize(("given", "write", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in ARRAYS])
def test_array(given: str, write: Callable[[Path], object], wanted: str, tmp_path: Path) -> None:
    name = given.removeprefix("{file: ").split(",")[0].rstrip("} ")
    write(tmp_path / (name or "unused"))
    (found,) = messages(f"inputs: [1, 1]\nlayers: [{{neurons: [y], weights: {given}}}]\n", tmp_path)
    assert found.startswith(f"2: layers[0].weights: {wanted}")


# --- evaluation: the first step that has no finite value ------------------------------------------------------------------

STEPS: list[tuple[str, str, str]] = [
    ("exp of 1000", "given: {x: 1000}\nequations: {a: 2*x, f: exp(a)}\n", "f: the number is too large (overflow)"),
    ("a product", "given: {x: 1e300}\nequations: {a: x*x, f: a + 1}\n", "a: the number is too large (overflow)"),
    ("a power tower", "equations: {f: " + "^".join("3" * 20) + "}\n", "f: the number is too large (overflow)"),
    ("division by zero", "given: {x: 2}\nequations: {d: x - 2, f: 1/d}\n", "f: division by zero"),
    ("logarithm of a negative number", "given: {x: -2}\nequations: {f: ln(x)}\n", "f: the function is not defined there"),
    ("root of a negative number", "given: {x: -2}\nequations: {f: sqrt(x)}\n", "f: the function is not defined there"),
    ("broken power of a negative number", "given: {x: -2}\nequations: {f: x^0.5}\n", "f: the function is not defined there"),
    ("activation", edited("sigmoid", "exp(z*10000)"), "out.h: the number is too large (overflow)"),
    ("after an update", edited("sigmoid", "exp(z^2*100)"), "after.out.h: the number is too large (overflow)"),
    ("cross-entropy of 0", edited("bias: 0.5", "activation: relu\n    bias: -5") + "loss: cross_entropy\n",
     "loss.o: the function is not defined there"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(text, wanted, id=name) for name, text, wanted in STEPS])
def test_step_without_a_value(text: str, wanted: str) -> None:
    derivation = derive(loads(text))
    with pytest.raises(EvaluationError) as caught:
        list(derivation.steps())
    assert str(caught.value) == wanted


# --- messages -------------------------------------------------------------------------------------------------------------


def test_message_is_translated_inside_and_out() -> None:
    message = Message("unknown {found}{near}", "p.yaml:1: ", found='"x"', near=Message(', did you mean "{close}"?', close="y"))
    words = {
        "unknown {found}{near}": "未知 {found}{near}",
        ', did you mean "{close}"?': "，是 {close} 吗？",
        '"{text}"': "“{text}”",
    }
    assert message.text(lambda text: words[text]) == "p.yaml:1: 未知 “x”，是 y 吗？"
    assert str(message) == 'p.yaml:1: unknown "x", did you mean "y"?'


def test_message_shows_what_is_hidden() -> None:
    message = Message("found {found} {count}", "a\x1b: ", found="b\u202ec\n", count=3)
    assert str(message) == "a\\u001b: found b\\u202ec\\u000a 3"
    assert printable("naïve 阈值 θ′") == "naïve 阈值 θ′"


def test_error_holds_its_messages() -> None:
    error = ProblemError(Message("one"), Message("two"))
    assert str(error) == "one\ntwo"
    assert [str(message) for message in error.messages] == ["one", "two"]
    assert error.exit_code == 2 and isinstance(error, HandcalcError)


@pytest.mark.parametrize(
    ("found", "known", "wanted"),
    [
        ("sigmod", ["sigmoid", "tanh"], "sigmoid"),
        ("ReLU", ["relu", "tanh"], "relu"),
        ("leaky-relu", ["relu", "leaky_relu"], "leaky_relu"),
        ("learning rate", ["learning_rate"], "learning_rate"),
        ("H1", ["h2", "h1"], "h1"),
        ("grad.b1", ["grad.b4[1]", "grad.b1[1]", "grad.b1[2]"], "grad.b1[1]"),
        ("foo", ["relu", "tanh"], ""),
        ("x" * 100_000, ["relu"], ""),
        ("", ["relu"], ""),
    ],
)
def test_near(found: str, known: list[str], wanted: str) -> None:
    assert str(near(found, known)) == (f', did you mean "{wanted}"?' if wanted else "")


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("HANDCALC_MAX_BYTES", "abc", 'HANDCALC_MAX_BYTES: expected a whole number, such as 400000, found "abc"'),
        ("HANDCALC_MAX_ROWS", "-1", 'HANDCALC_MAX_ROWS: expected a whole number, such as 1000000, found "-1"'),
        ("HANDCALC_MAX_SAMPLES", "1e5", 'HANDCALC_MAX_SAMPLES: expected a whole number, such as 10000, found "1e5"'),
        ("HANDCALC_MAX_BYTE", "5", 'HANDCALC_MAX_BYTE: there is no such limit, did you mean "HANDCALC_MAX_BYTES"?'),
    ],
)
def test_limits_that_mean_nothing(
    variable: str, text: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SystemExit) as ended:
        main(["solve", "mazur-2-2-2"])
    assert ended.value.code == 2 and capsys.readouterr().err.splitlines() == [said]
    monkeypatch.setenv(variable, "")
    assert pytest.raises(SystemExit, main, ["list", "problems"]).value.code == 0

"""An activation by itself, concatenation, tied weights and projected residuals: numbers by hand, and what is refused.

Gradients against PyTorch are in test_models_torch.py, sheets in test_model_mistakes.py.
"""

from __future__ import annotations

import json

import pytest
from small import refusals

from handcalc import derive, load, loads
from handcalc.errors import ProblemError
from handcalc.models import build
from handcalc.training.trainer import Trainer

DENSE = "{neurons: 2, weights: [[1, 2, 3], [4, 5, 6]]}"
MAPS = "inputs: [[1, 2], [3, 4]]\nlayers: [{type: avg_pool, kernel_size: 2}, %s]\n"


def text(layer: str, inputs: str = "[1, 2, 3]") -> str:
    return f"inputs: {inputs}\nlayers: [{DENSE}, {layer}]\n"


def test_numbers_by_hand() -> None:
    beside = derive(loads(text("{type: concatenate, from: [0, 1]}")))
    assert [float(beside.value(f"out2[{place}]")) for place in range(1, 8)] == [14, 32, 1, 2, 3, 14, 32]
    projected = derive(loads(text("{type: residual, from: 0, weights: [[1, 0, 1], [0, 2, 0]], bias: [5, 6]}")))
    assert [float(projected.value(f"out2[{place}]")) for place in (1, 2)] == [14 + 1 + 3 + 5, 32 + 4 + 6]
    turned = derive(loads(text("{type: tied, neurons: 3, from: 1, transposed: true, bias: [1, 2, 3]}")))
    assert [float(turned.value(f"net.o{place}")) for place in (1, 2, 3)] == [14 + 128 + 1, 28 + 160 + 2, 42 + 192 + 3]
    alone = derive(loads(MAPS % "{type: activation, activation: z^2}"))
    assert float(alone.value("out2[1,1]")) == 2.5**2


def test_a_tied_weight_has_one_gradient_and_one_place_in_the_file() -> None:
    problem = load("tied-autoencoder")
    derivation = derive(problem)
    assert [name for name in derivation.updated if derivation.graph[name].kind == "weight"] == ["W1"]
    h1, x1 = float(derivation.value("out.h1")), 0.5
    through = float(derivation.value("grad.net.h1")) * x1, float(derivation.value("grad.net.y1")) * h1
    assert float(derivation.value("grad.W1[1,1]")) == pytest.approx(sum(through), rel=1e-12)
    trainer = Trainer(problem)
    trainer.advance(200)
    assert trainer.loss() < 1e-6 < float(derivation.value("loss"))


def test_the_loss_of_an_activation_on_its_own() -> None:
    """Softmax and cross-entropy in one step need no net inputs of the last layer: they take what comes in."""
    split = f"inputs: [1, 2, 3]\ntargets: [1, 0]\nlayers: [{DENSE}, {{type: activation, activation: softmax}}]\nloss: cross_entropy\n"
    fused = split + "conventions: {softmax_loss: fused}\n"
    assert float(derive(loads(fused)).value("loss")) == pytest.approx(float(derive(loads(split)).value("loss")), rel=1e-12)


# --- branches ---------------------------------------------------------------------------------------------------------

TRUNK = "{name: trunk, neurons: 2, weights: [[1, 2, 3], [4, 5, 6]]}"
GATE = "{neurons: 2, from: 0, weights: [[1, 0, 0], [0, 1, 0]], bias: [0.5, 0]}"


def branches(*layers: str, inputs: str = "[1, 2, 3]") -> str:
    return f"inputs: {inputs}\nlayers: [{', '.join(layers)}]\n"


def test_a_layer_takes_what_another_puts_out() -> None:
    whole = derive(loads(branches(TRUNK, GATE, "{type: multiply, from: trunk}")))
    assert [float(whole.value(f"out3[{place}]")) for place in (1, 2)] == [1.5 * 14, 2 * 32]
    named = derive(loads(branches(TRUNK, GATE, "{type: multiply, from: trunk, input_from: trunk}", "{type: concatenate, from: dense2}")))
    assert [float(named.value(f"out4[{place}]")) for place in range(1, 5)] == [14**2, 32**2, 1.5, 2]
    for number in ("1", "trunk"):
        same = branches(TRUNK, GATE, f"{{type: residual, from: {number}}}")
        assert float(derive(loads(same)).value("out3[1]")) == 15.5


def test_one_network_for_two_inputs() -> None:
    """A Siamese pair: the same weights on two parts of the inputs, one after the other; their gradient is the sum over both."""
    first, twin = "{neurons: 2, weights: [[1, 2], [3, 4]]}", "{type: tied, name: twin, from: 2, neurons: 2, input_from: right}"
    pair = branches("{type: slice, features: [1, 2]}", first, "{type: slice, name: right, from: 0, features: [3, 4]}", twin,
                    "{type: multiply, from: 2}", "{neurons: [y], weights: [[1, 1]]}", inputs="[1, 0, 0, 1]")  # fmt: skip
    found = derive(loads(pair + "targets: [0]\n"))
    assert [float(found.value(f"out5[{place}]")) for place in (1, 2)] == [1 * 2, 3 * 4]
    assert float(found.value("out.y")) == 14
    assert [float(found.value(f"grad.W2[1,{place}]")) for place in (1, 2)] == [14 * 2, 14 * 1]


def test_a_layer_that_is_trained_elsewhere_keeps_its_shape() -> None:
    narrow = "{neurons: 1, weights: [[1, 2, 3]]}"
    again = "{type: tied, from: 2, neurons: 2, input_from: 0}"
    whole = branches(narrow, GATE, again, "{type: concatenate, from: [1, 2]}")
    assert float(derive(loads(whole)).value("out4[1]")) == 1


def test_a_factor_for_every_feature_or_for_all_of_them() -> None:
    image = "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]"
    gates = "{neurons: 2, weights: [[1, 0], [0, 2]]}"
    scaled = "{type: multiply, from: 0}"
    whole = derive(loads(branches("{type: global_avg_pool}", gates, scaled, inputs=image)))  # means 2.5 and 6.5
    assert [float(whole.value(f"out3[{place}]")) for place in ("1,1,1", "1,2,2", "2,1,1", "2,2,2")] == [2.5, 10, 65, 104]
    single = derive(loads(branches("{neurons: 1, weights: [[1, 1]]}", scaled, inputs="[[1, 2], [3, 4]]")))
    assert [float(single.value(f"out2[{place}]")) for place in ("1,1", "1,2", "2,1", "2,2")] == [3, 6, 21, 28]


def test_means_over_tokens_and_slices() -> None:
    tokens = "[[1, 2], [3, 4], [8, 0]]"
    mean = derive(loads(branches("{type: global_avg_pool}", inputs=tokens)))  # of an image: rows and columns
    assert float(mean.value("out1[1]")) == 3
    table = branches("{type: slice, tokens: [1, 3]}", "{type: global_avg_pool}", inputs=tokens)
    assert [float(derive(loads(table)).value(f"out2[{place}]")) for place in (1, 2)] == [4, 2]
    last = branches("{type: slice, tokens: 3}", "{neurons: [y], weights: [[1, 10]]}", inputs=tokens)
    assert float(derive(loads(last)).value("out.y")) == 8
    wide = branches("{type: slice, features: [2, 3]}", "{neurons: [y], weights: [[1, 10]]}", inputs="{a: 1, b: 2, c: 3}")
    assert float(derive(loads(wide)).value("out.y")) == 32


def test_other_shapes() -> None:
    """Row by row, as flatten counts; transposed, the numbers go back to where they came from."""
    shaped = "{type: reshape, shape: [2, 3]}", "{type: transpose}", "{type: flatten}", "{neurons: [y], weights: [[1, 2, 3, 4, 5, 6]]}"
    found = derive(loads(branches(*shaped, inputs="[1, 2, 3, 4, 5, 6]") + "targets: [0]\ninput_gradients: true\n"))
    assert [float(found.value(f"out1[{r},{c}]")) for r in (1, 2) for c in (1, 2, 3)] == [1, 2, 3, 4, 5, 6]
    assert [float(found.value(f"out2[{r},{c}]")) for r in (1, 2, 3) for c in (1, 2)] == [1, 4, 2, 5, 3, 6]
    total = 1 * 1 + 2 * 4 + 3 * 2 + 4 * 5 + 5 * 3 + 6 * 6
    assert float(found.value("out.y")) == total
    assert [float(found.value(f"grad.x{place}")) for place in range(1, 7)] == [total * weight for weight in (1, 3, 5, 2, 4, 6)]
    words = derive(loads(branches("{type: transpose}", "{neurons: [y], weights: [[1, 10]]}", inputs="[[1, 2, 3], [4, 5, 6]]")))
    assert [float(words.value(f"out.y[{place}]")) for place in (1, 2, 3)] == [41, 52, 63]


def test_two_tables_of_words() -> None:
    """The source and the target of a translation in one list of inputs."""
    words = "{type: embedding, weights: [[1], [2], [3]]}"
    other = "{type: embedding, weights: [[10], [20]]}"
    both = branches("{type: slice, tokens: [1, 3]}", words, "{type: slice, tokens: [4, 5], from: 0}", other,
                    "{type: attention, keys_from: 2, scale: false}", inputs="[2, 0, 1, 0, 1]")  # fmt: skip
    found = derive(loads(both))
    assert [float(found.value(f"out2[{place},1]")) for place in (1, 2, 3)] == [3, 1, 2]
    assert [float(found.value(f"out4[{place},1]")) for place in (1, 2)] == [10, 20]
    shares = [2.718281828459045 ** (10 * word) for word in (3, 1, 2)]
    assert float(found.value("attention5[1,1]")) == pytest.approx(shares[0] / sum(shares), rel=1e-12)
    wrong = refusals(both.replace("0, 1]", "0, 2]"))
    assert wrong == ["inputs: an embedding takes numbers of words, whole numbers from 0 to 1; found 2"]


ONE, TWO = "row × column = 1×1", "row × column = 2×2"
REFUSED = [
    (text("{type: concatenate}"), ["layers[1]: the key from is missing"]),
    (
        branches(TRUNK, GATE, "{neurons: 1, from: 1, weights: [[1, 1]]}"),
        ["layers[1]: nothing takes the output of layer 2; only that of the last layer is compared with targets"],
    ),
    (branches(TRUNK, "{type: multiply, from: trunc}"), ['layers[1].from: there is no layer "trunc" above, did you mean "trunk"?']),
    (
        branches("{neurons: 2, from: later, weights: [[1, 1, 1], [1, 1, 1]]}", "{name: later, type: activation, activation: tanh}"),
        ['layers[0].from: layer "later" is not above layer 1; the output of a layer comes in only below it'],
    ),
    (
        branches(TRUNK, "{type: multiply, from: 0}"),
        [
            "layers[1].from: layer 2 (multiply): neuron = 2 times feature = 3 of layer 0: they need the same shape, or one a number for "
            "every feature"
        ],
    ),
    (
        branches(TRUNK, "{type: slice, rows: 1}"),
        ["layers[1].rows: layer 2 (slice) takes rows of what comes in, which has none: neuron = 2"],
    ),
    (branches(TRUNK, "{type: slice}"), ["layers[1]: expected one of tokens | times | features | rows | columns, such as tokens: [1, 3]"]),
    (branches(TRUNK, "{type: slice, features: [2, 1]}"), ["layers[1].features: the first is 2, behind the last, 1"]),
    (
        branches(TRUNK, "{type: embedding, weights: [[1], [2]]}"),
        ["layers[1]: layer 2 (embedding) takes token | feature, but neuron = 2 comes in"],
    ),
    (
        branches(
            "{type: slice, tokens: [1, 2]}",
            "{type: attention, keys_from: 0}",
            "{type: attention, keys_from: trunk}",
            inputs="[[1, 2], [3, 4], [5, 6]]",
        ),
        ['layers[2].keys_from: there is no layer "trunk" above; known are slice1, attention1'],
    ),
    (text("{type: concatenate, from: 2}"), ['layers[1].from: expected a whole number from 0 to 1, found "2"']),
    (
        MAPS % "{type: concatenate, from: 0}",
        [f"layers[1].from: layer 2 (concatenate) puts {TWO} of layer 0 behind {ONE}: only the features may differ"],
    ),
    (
        branches("{type: reshape, shape: [2, 3]}"),
        ["layers[0].shape: layer 1 (reshape): 2×3 are 6 numbers, but 3 come in; choose sizes whose product is 3"],
    ),
    (
        branches("{type: reshape, shape: 3}"),
        ['layers[0].shape: expected [rows, columns] or [channels, rows, columns], found "3"'],
    ),
    (branches("{type: reshape}"), ["layers[0]: the key shape is missing"]),
    (
        branches("{type: reshape, shape: [2, 1]}", inputs="[[1, 2], [3, 4]]"),
        ["layers[0]: layer 1 (reshape) takes a row of numbers, such as the neurons of a dense layer, but token × feature = 2×2 comes in"],
    ),
    (
        branches(TRUNK, "{type: transpose}"),
        ["layers[1]: layer 2 (transpose) takes row × column | token × … | time × …, but neuron = 2 comes in"],
    ),
    (text("{type: activation}"), ["layers[1]: the key activation is missing"]),
    (text("{type: residual, from: 1, bias: [1]}"), ["layers[1].bias: goes with weights only"]),
    (text("{type: tied, neurons: 2}"), ["layers[1]: the key from is missing"]),
    (
        text("{type: tied, neurons: 2, from: 1}"),
        ["layers[1]: the weights of layer 1 are for 2 neurons and 3 inputs here, found 2 and 2"],
    ),
]


@pytest.mark.parametrize(("problem", "wanted"), REFUSED)
def test_what_does_not_fit_is_named(problem: str, wanted: list[str]) -> None:
    assert refusals(problem) == wanted


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([{"type": "flatten"}, {"type": "activation", "activation": "tanh"}], "comes after a flatten layer"),
        ([{"type": "flatten"}, {"type": "reshape", "shape": [1, 4]}], "cannot come after a flatten layer"),
        (
            [{"type": "activation", "activation": "tanh"}, {"type": "tied", "neurons": 2, "from": 1}],
            "needs the weights of a dense or embedding layer",
        ),
    ],
)
def test_what_cannot_be_built_is_named(layers: list[object], said: str) -> None:
    problem = loads(json.dumps({"inputs": [[1, 2], [3, 4]], "layers": layers}))
    with pytest.raises(ProblemError, match=said):
        build(problem)


def test_a_layer_that_is_no_mapping_is_one_error() -> None:
    """The layers after it are read all the same."""
    with pytest.raises(ProblemError) as error:
        loads('inputs: [[1, 2], [3, 4]]\nlayers: ["conv2d", {type: flatten}, {neurons: 1, weights: [[1, 2, 3, 4]]}]\n')
    assert all("layers[0]" in str(message) for message in error.value.messages)

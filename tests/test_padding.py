"""Padding as people write it, sizes that come of it, upsampling, and what is said of windows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handcalc import derive, loads, render
from handcalc.core.evaluation import Evaluation
from handcalc.errors import ProblemError
from handcalc.marking.check import check
from handcalc.models import build

IMAGE = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]
KERNEL = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def values(problem: dict[str, Any], name: str) -> list[float]:
    """The numbers of a quantity."""
    graph = build(loads(json.dumps(problem))).graph
    return [float(Evaluation(graph)[name, place]) for place in graph.positions(name)]


def outputs(layer: dict[str, Any], inputs: Any = IMAGE) -> list[list[float]]:
    """The map that a layer of one channel puts out, row by row."""
    problem = {"inputs": inputs, "layers": [layer]}
    found, width = values(problem, "out1"), loads(json.dumps(problem)).layers[0].axes[-1].size
    return [found[start : start + width] for start in range(0, len(found), width)]


def conv(**keys: Any) -> list[list[float]]:
    return outputs({"type": "conv2d", "weights": KERNEL, **keys})


# --- sides ------------------------------------------------------------------------------------------------------------

BELOW = [[18, 11], [23, 27]]  # one row below and one column on the right; tf.nn.conv2d(…, 2, "SAME")
SPELLINGS: list[Any] = [
    "same", "SAME", "相同", [[0, 1], [0, 1]], [[0, 1]], {"bottom": 1, "right": 1}, {"top": 0, "bottom": 1, "left": 0, "right": 1},
    {"下": 1, "右": 1},
]  # fmt: skip


@pytest.mark.parametrize("padding", SPELLINGS, ids=str)
def test_zeros_on_one_side_can_be_written_in_each_of_these_ways(padding: Any) -> None:
    assert conv(stride=2, padding=padding) == BELOW


def test_zeros_on_the_other_side_are_something_else() -> None:
    assert conv(stride=2, padding={"top": 1, "left": 1}) == [[1 + 6, 3 + 8], [9 + 14, 6 + 11 + 16]]


@pytest.mark.parametrize(
    ("padding", "wanted"), [([2, 0], [0, 0, 1, 2]), ({"left": 2}, [0, 0, 1, 2]), ([[0, 2]], [1, 2, 3, 4]), (0, [1, 2])]
)
def test_a_row_has_left_and_right(padding: Any, wanted: list[float]) -> None:
    """Two zeros on the left make a causal convolution: what comes out sees nothing later."""
    assert outputs({"type": "conv1d", "weights": [1, 0, 0], "padding": padding}, [1, 2, 3, 4]) == [wanted]


def test_pooling_has_sides_too() -> None:
    assert outputs({"type": "max_pool", "kernel_size": 2, "padding": {"top": 1, "left": 1}}, [[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [
        [1, 3],
        [7, 9],
    ]


def test_the_zeros_of_both_sides_are_told() -> None:
    text = render(
        derive(loads(json.dumps({"inputs": IMAGE, "layers": [{"type": "conv2d", "weights": [[1, 1], [1, 1]], "padding": "same"}]})))
    )
    assert "zeros around the input: (0+1)×(0+1)" in text


WRONG = [
    ("conv2d, weights: [[1]], padding: [1, 0, 1, 0]",
     "problem:2: layers[0].padding: four numbers have another order in every library: "
     "write {top: 1, bottom: 0, left: 1, right: 0}"),
    ("conv2d, weights: [[1]], padding: [1, 0, 1]", "problem:2: layers[0].padding: expected one number or two, found 3 entries"),
    ("conv2d, weights: [[1]], padding: [[1, 0, 1], 0]", "problem:2: layers[0].padding[0]: expected [before, after], found 3 entries"),
    ("conv2d, weights: [[1]], padding: {topp: 1}", 'problem:2: layers[0].padding.topp: unknown key, did you mean "top"?'),
    ("conv2d, weights: [[1]], padding: {top: -1}",
     'problem:2: layers[0].padding.top: expected a whole number from 0 to 1000, found "-1"'),
    ("conv_transpose2d, weights: [[1]], output_padding: 1",
     "problem:2: layers[0].output_padding: output_padding must be smaller than the stride"),
    ("upsample", "problem:2: layers[0]: the key scale is missing"),
    ("upsample, scale: 0", 'problem:2: layers[0].scale: expected a whole number from 1 to 1000, found "0"'),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "message"), WRONG, ids=[layer for layer, _ in WRONG])
def test_what_is_wrong_is_said(layer: str, message: str) -> None:
    with pytest.raises(ProblemError) as found:
        loads(f"inputs: [[1, 2], [3, 4]]\nlayers: [{{type: {layer}}}]")
    assert str(found.value).split("\n")[0] == message


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "stride", "kernel"), [(4, 2, 3), (5, 2, 3), (5, 3, 2), (7, 2, 4), (3, 1, 2)])
def test_same_is_the_size_divided_by_the_stride_rounded_up(size: int, stride: int, kernel: int) -> None:
    for kind, wanted in (("conv2d", -(-size // stride)), ("conv_transpose2d", size * stride)):
        layer = {"type": kind, "weights": [[1] * kernel] * kernel, "stride": stride, "padding": "same"}
        found = loads(json.dumps({"inputs": [[1] * size] * size, "layers": [layer]})).layers[0].axes
        assert [axis.size for axis in found[-2:]] == [wanted, wanted]


def test_output_padding_adds_a_row_and_a_column_at_the_end() -> None:
    layer = {"type": "conv_transpose2d", "weights": [[1, 2, 3], [0, 1, 0], [2, 0, 1]], "stride": 2, "padding": 1}
    small, large = (outputs(layer | more, [[1, 2], [3, 4]]) for more in ({}, {"output_padding": 1}))
    assert [row[:3] for row in large[:3]] == small and large == [[1, 0, 2, 0], [6, 18, 8, 14], [3, 0, 4, 0], [0, 11, 0, 4]]


def test_a_row_is_spread_as_well() -> None:
    assert outputs({"type": "conv_transpose1d", "weights": [1, 0.5, -1], "stride": 2}, [1, 2, 3]) == [[1, 0.5, 1, 1, 1, 1.5, -3]]


def test_every_number_becomes_a_block() -> None:
    assert outputs({"type": "upsample", "scale": [1, 2]}, [[1, 2], [3, 4]]) == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert outputs({"type": "上采样", "scale_factor": 2}, [1, 2]) == [[1, 1, 2, 2]]


def test_the_gradient_of_a_number_is_the_sum_over_its_block() -> None:
    problem = {"inputs": [1, 2], "targets": [0, 3, 1, 1], "layers": [{"type": "upsample", "scale": 2}], "input_gradients": True}
    assert values({**problem, "loss": "half_squared_error"}, "grad.x") == [(1 - 0) + (1 - 3), (2 - 1) + (2 - 1)]


# --- what is said -----------------------------------------------------------------------------------------------------


def said(layers: list[Any], inputs: Any = IMAGE, language: str = "en") -> str:
    return str(render(derive(loads(json.dumps({"inputs": inputs, "layers": layers, "language": language})))))


def test_a_header_tells_the_window_from_what_comes_out() -> None:
    text = said([{"type": "conv2d", "weights": KERNEL}, {"type": "max_pool", "kernel_size": [1, 2]}, {"type": "flatten"}])
    assert "Layers: 4×4, convolution (window 3×3) → 1×2×2, max pooling (window 1×2) → 1×2×1, flatten → 2" in " ".join(text.split())


@pytest.mark.parametrize(
    ("layer", "note"),
    [
        ({"type": "conv2d", "weights": KERNEL, "stride": 2}, ["the last 1 row is", "the last 1 column is"]),
        ({"type": "max_pool", "kernel_size": [3, 2]}, ["the last 1 row is"]),
        ({"type": "conv2d", "weights": [[1, 1]], "stride": [3, 1], "dilation": [1, 2]}, []),
        ({"type": "conv2d", "weights": KERNEL, "stride": 2, "padding": 1}, []),
        ({"type": "conv2d", "weights": [[1]], "stride": [1, 3]}, []),
        ({"type": "conv2d", "weights": [[1]], "stride": [1, 2]}, ["the last 1 column is"]),
        ({"type": "conv_transpose2d", "weights": KERNEL, "stride": 2}, []),
    ],
    ids=str,
)
def test_rows_in_no_window_are_noted(layer: dict[str, Any], note: list[str]) -> None:
    found = [line for line in said([layer]).split("\n") if "in no window" in line]
    assert len(found) == len(note) and all(part in line for part, line in zip(note, found))


def test_pooling_in_one_direction_is_called_so() -> None:
    """Rows of numbers are channels there, and not an image."""
    assert outputs({"type": "max_pool1d", "kernel_size": 2}, [[1, 2, 3, 4], [8, 7, 6, 5]]) == [[2, 4], [8, 6]]
    assert outputs({"type": "max_pool", "kernel_size": 2}, [[1, 2, 3, 4], [8, 7, 6, 5]]) == [[8, 6]]
    assert outputs({"type": "average_pooling1d", "kernel_size": 2, "stride": 1}, [1, 2, 4]) == [[1.5, 3]]


# --- what is never the largest ----------------------------------------------------------------------------------------

MASKED = {"inputs": [[1, 2], [3, 4]], "layers": [{"type": "attention", "mask": "causal"}]}


@pytest.mark.parametrize("written", ["-∞", "−∞", "-inf", "-1e9"])
def test_what_is_behind_a_mask_may_be_written_as_minus_infinity(written: str) -> None:
    """The printed number is -10⁹, of which e to the power is 0."""
    (found,) = check(loads(json.dumps(MASKED)), {"masked1[1,2]": written}).answers
    assert found.verdict == "correct"

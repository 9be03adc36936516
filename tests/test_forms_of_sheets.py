"""Sheets in the forms that people hand in, all of them right: what is on them is read, and earns every mark."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from handcalc import loads
from handcalc.marking.answers import read_sheet
from handcalc.marking.check import Checker
from handcalc.marking.lists import list_of
from handcalc.marking.mathtext import without_typesetting
from tests.shipping import shipped

FAMOUS = shipped()["mazur-2-2-2"].read_text("utf-8")
RELU = """
inputs: {x1: 0.5, x2: -1.0}
targets: {o1: 1, o2: 0}
layers:
  - {neurons: [h1, h2, h3], activation: relu, weights: [[0.8, -0.6], [0.4, 0.9], [-0.2, -0.7]], bias: [0.1, 0.2, 0.3]}
  - {neurons: [o1, o2], activation: softmax, weights: [[0.5, -0.3, 0.25], [-0.4, 0.6, 0.35]], bias: [0, 0.1]}
loss: cross_entropy
learning_rate: 0.1
"""
CHAIN = """
inputs: {a0: 0.7}
targets: {a3: 0.3}
layers:
  - {neurons: [a1], activation: sigmoid, weights: {w1: [a0, a1, 1.3]}, bias: {b1: -0.5}}
  - {neurons: [a2], activation: sigmoid, weights: {w2: [a1, a2, -0.9]}, bias: {b2: 0.4}}
  - {neurons: [a3], activation: sigmoid, weights: {w3: [a2, a3, 2.1]}, bias: {b3: -0.6}}
loss: squared_error
learning_rate: 0.1
"""
ONLINE = """
samples: [{inputs: {x1: 0, x2: 1}, targets: [1]}, {inputs: {x1: 1, x2: 1}, targets: [1]}]
layers: [{neurons: [y], activation: sigmoid, weights: {w1: [x1, y, -0.3], w2: [x2, y, 0.2]}, bias: {b: 0.1}}]
loss: binary_cross_entropy
learning_rate: 0.9
training: {mode: online}
"""
LINE = """
samples: [{inputs: {x: 1}, targets: [2.1]}, {inputs: {x: 2}, targets: [3.9]}, {inputs: {x: 3}, targets: [6.2]}]
layers: [{neurons: [y], weights: {w: [x, y, 0.5]}, bias: {b: 0.2}}]
loss: half_squared_error
learning_rate: 0.05
"""
LSTM = """
inputs: [[0.6], [-0.8]]
layers:
  - type: lstm
    neurons: [h]
    initial_state: [0.2]
    initial_cell: [-0.4]
    gates:
      input: {input_weights: [[0.5]], hidden_weights: [[0.3]], bias: [0.1]}
      forget: {input_weights: [[-0.7]], hidden_weights: [[0.2]], bias: [0.9]}
      cell: {input_weights: [[1.1]], hidden_weights: [[-0.6]], bias: [0]}
      output: {input_weights: [[0.4]], hidden_weights: [[0.8]], bias: [-0.2]}
"""
ATTENTION = """
inputs: [[1.0, 0.0], [0.5, 1.0], [-0.4, 0.8]]
layers:
  - {type: attention, query_weights: [[0.6, -0.2], [0.3, 0.9]], key_weights: [[0.5, 0.4], [-0.7, 0.1]],
     value_weights: [[1.0, -0.5], [0.2, 0.8]]}
"""
ADAM = """
given: {x: 1.5, a: 2}
equations: {f: a*x^2 - 3*x}
minimize: f
parameters: [x]
learning_rate: 0.1
optimizer: {adam: {beta1: 0.9, beta2: 0.99, epsilon: 1e-8}}
"""

# what is special about it → problem, answers on it, the sheet
SHEETS: dict[str, tuple[str, int, str]] = {
    # vectors and matrices
    "vectors": (FAMOUS, 4, "net_h = [0.3775, 0.3925]\nout_h = (0.5933 0.5969)^T"),
    "vectors with signs": (FAMOUS, 2, "δ_o = (0.1385, -0.0381)"),
    "a column in LaTeX": (FAMOUS, 2, r"\mathbf{net}_h = \begin{pmatrix} 0.3775 \\ 0.3925 \end{pmatrix}"),
    "what NumPy and PyTorch print": (FAMOUS, 4, "net_h = array([0.3775, 0.3925])\nout_h = tensor([0.5933, 0.5969], grad_fn=<S>)"),
    "a new matrix": (FAMOUS, 4, "W2_new = [[0.3589, 0.4087], [0.5113, 0.5614]]"),
    "a matrix in MATLAB": (FAMOUS, 4, "W2+ = [0.3589 0.4087; 0.5113 0.5614]"),
    "a matrix on lines": (FAMOUS, 4, "dE/dW2 = [[0.0822, 0.0827],\n          [-0.0226, -0.0227]]"),
    "a matrix in LaTeX": (FAMOUS, 4, r"W^{(2)}_{new} = \begin{bmatrix} 0.3589 & 0.4087 \\ 0.5113 & 0.5614 \end{bmatrix}"),
    "two at once": (FAMOUS, 2, "net_h1, net_h2 = 0.3775, 0.3925"),
    "layers by number": (RELU, 10, "z1 = [1.1, -0.5, 0.9]\nh = [1.1, 0, 0.9]\nz2 = [0.775, -0.025]\np = [0.69, 0.31]"),
    "working before a vector": (RELU, 4, "h = relu(z) = (1.1, 0, 0.9)\nL = -ln(0.69) = 0.3711\nE = 0.371101"),
    "gradients": (RELU, 13,
        "dW2 = [[-0.341, 0, -0.279], [0.341, 0, 0.279]]\ndb2 = [-0.31, 0.31]\ndL/dz2 = [-0.31, 0.31]\nδ1 = [-0.279, 0, 0.031]"),
    "a matrix turned": (RELU, 6, "dW1 = [[-0.1395, 0, 0.0155], [0.279, 0, -0.031]]"),
    "queries, keys": (ATTENTION, 12, "Q = [[0.6, 0.3], [0.1, 1.05], [-0.4, 0.6]]\nK =\n0.5 -0.7\n0.65 -0.25\n0.12 0.36"),
    "of one query": (ATTENTION, 3, "q1 = [0.6, 0.3]\nq_21 = 0.1"),
    "of all samples": (LINE, 3, "ŷ = [0.7, 1.2, 1.7]"),
    # tables
    "rows by columns": (FAMOUS, 6,
        "| neuron | net | out | delta |\n|:--|--:|--:|--:|\n| h1 | 0.3775 | 0.5933 | 0.00877 |\n| o1 | 1.1059 | 0.7514 | 0.1385 |"),
    "columns by rows": (FAMOUS, 4, "| | h1 | h2 |\n|---|---|---|\n| net | 0.3775 | 0.3925 |\n| out | 0.5933 | 0.5969 |"),
    "a table between lines": (FAMOUS, 3, "net_h1 = 0.3775\n\n| quantity | value |\n|---|---|\n| net_h2 | 0.3925 |\n\nout_h1 = 0.5933"),
    "old and new": (FAMOUS, 4, "weight,old,gradient,new\nw5,0.40,0.08217,0.3589\nw6,0.45,0.08267,0.4087"),
    "of iterations": (ONLINE, 9, "step,net,y,w1,w2,b\n1,0.3,0.5744,-0.3,0.583,0.483\n2,0.766,0.6827,-0.0144,0.8686,0.7686"),
    "of samples": (LINE, 6, "sample,net,out\n1,0.7,0.7\n2,1.2,1.2\n3,1.7,1.7"),
    "of times": (LSTM, 8,
        "| t | i | f | g | o |\n|---|---|---|---|---|\n| 1 | 0.613 | 0.627 | 0.493 | 0.55 |\n| 2 | 0.4276 | 0.8124 | -0.7148 | 0.3781 |"),
    "a column with formulas": (FAMOUS, 2, "quantity,formula,value\nnet_h1,0.15*0.05+0.2*0.1+0.35,0.3775\nout_h1,sigmoid(net),0.5933"),
    "no heading": (FAMOUS, 2, "net_h1;0,3775\nout_h1;0,5933"),
    "other words": (FAMOUS, 2, "Name;Nina\n\nGröße;Wert\nnet_h1;0,3775\nout_h1;0,5933"),
    "names above": (FAMOUS, 3, "net_h1,out_h1,out_o1\n0.3775,0.5933,0.7514"),
    # lines
    "given numbers": (FAMOUS, 1, "eta = 0.5\nlr = 0.5\ni1 = 0.05\nw1 = 0.15\nt1 = 0.01\nnet_h1 = 0.3775"),
    "a given number miscopied": (FAMOUS, 1, "i1 = 0.05\nw1 = 0.51\nnet_h1 = 0.3775"),
    "in LaTeX": (FAMOUS, 3,
        "\\begin{align*}\nnet_{h1} &= 0.3775 \\\\\n\\frac{\\partial E_{total}}{\\partial w_5} &\\approx 0.0822\n"
        "\\end{align*}\n\\boxed{w_5^{(1)} = 0.3589}"),
    "working on lines": (FAMOUS, 2, "net_h1 = w1*i1 + w2*i2 + b1\n = 0.15*0.05 + 0.2*0.1\n + 0.35 = 0.3775\nout_h1 = σ(0.3775)\n≈ 0.5933"),
    "titles": (FAMOUS, 4,
        "1. Forward pass\nQ1: net_h1 = 0.3775\nHidden layer: out_h1 = 0.5933, out_h2 = 0.5969\nOutput\n------\no1: out = 0.7514"),
    "below a name": (FAMOUS, 3, "h1:\n  net = 0.3775\n  out = 0.5933\no1:\n  out = 0.7514"),
    "in words": (FAMOUS, 3, "The net input of h1 is 0.3775\nSo out_h1 is 0.5933 and therefore out_o1 = 0.7514"),
    "in Chinese": (FAMOUS, 4, "（1）隐藏层：net_h1＝0.3775，\n因为net_h1=0.3775，所以out_h1=0.5933，保留4位小数\n"
        "答：net_o1约等于1.1059\nh2的净输入为0.3925"),
    "new ones in Chinese": (FAMOUS, 3, "w5的新值：0.3589\n更新后的w6=0.4087\nw7更新为0.5113"),
    "remarks": (FAMOUS, 4, "net_h1 = 0.3775  # checked\nout_h1 = 0.5933 [4 d.p.]\nout_o1 = __0.7514__\nout_o2 = [0.7729] // ok"),
    "arrows": (FAMOUS, 3, "w5 ← 0.4 - 0.5*0.0822 = 0.3589\nw6 = 0.45 -> 0.4087\nw7 <- 0.5113"),
    "again": (FAMOUS, 2, "net_h1 = 0.3775\nout_h1 = 0.593270\nnet_h1 = 0.3775\nout(h1) = 0.5933"),
    "samples online": (ONLINE, 6,
        "Sample 1 (x1=0, x2=1):\nnet = 0.3, y = 0.5744\nw2+ = 0.583\nSample 2:\nnet = 0.766, y = 0.6827\nw1 = -0.0144"),
    "times": (LSTM, 6, "t=1: i = 0.613, f = 0.627\nc = 0.0513\nt = 2:\ni = 0.4276\nC̃ = -0.7148\nh = -0.0976"),
    "a notebook": (FAMOUS, 2, '{"cells": [{"cell_type": "markdown", "source": ["net_h1 = 0.3775"]}, '
        '{"cell_type": "code", "source": ["x = 1"],'
        ' "outputs":'
        ' [{"output_type": "stream", "text": ["out_h1 = 0.5933\\n"]}]}], "nbformat": 4}'),
    # names
    "neurons": (FAMOUS, 5, "net(h1) = 0.3775\nh1_out = 0.5933\nσ(net_o1) = 0.7514\nE1 = 0.2748\nNET_h2 = 0.3925"),
    "a chain": (CHAIN, 8,
        "z1 = 0.41\na1 = 0.6011\nz^{(2)} = -0.1410\nδ^3 = 0.1414\ndelta2 = 0.0739\nσ'(z3) = 0.2414\ndC/db3 = 0.1414\nC0 = 0.0858"),
    "layers of one": (CHAIN, 3, "net_2 = -0.1410\nout_2 = 0.4648\ndC/dz1 = -0.0159"),
    "what Adam keeps": (ADAM, 6, "g = 3\nm = 0.3\nv_1 = 0.09\nm^ = 3\n\\hat{v} = 9\nx1 = 1.4"),
}  # fmt: skip


@cache
def checker(problem: str) -> Checker:
    return Checker(loads(problem))


@pytest.mark.parametrize(("problem", "answers", "text"), SHEETS.values(), ids=SHEETS)
def test_a_right_sheet(problem: str, answers: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.csv" if "," in text.split("\n")[0] and "=" not in text and "|" not in text else "a.txt")
    path.write_text(text, "utf-8")
    marking = checker(problem).mark(read_sheet(path))
    spoiled = [(answer.id, answer.given, answer.verdict, str(answer.note)) for answer in marking.answers if answer.marks < answer.worth]
    assert not spoiled
    assert marking.marks == (answers, answers), [answer.id for answer in marking.answers]


WRONG = {  # a sheet with one wrong number, and the step that is wrong
    "in a vector": (FAMOUS, "out_h = [0.5933, 0.6969]", "out.h2"),
    "turned round": (FAMOUS, "out_h = [0.5969, 0.5933]", "out.h1"),
    "in a matrix": (FAMOUS, "W2_new = [[0.3589, 0.4807], [0.5113, 0.5614]]", "new.w6"),
    "in a table": (FAMOUS, "| neuron | net | out |\n|--|--|--|\n| h1 | 0.3775 | 0.5933 |\n| o1 | 1.1095 | 0.7514 |", "net.o1"),
    "a net for an output": (FAMOUS, "net input of h1 = 0.5933", "net.h1"),
    "an error term for an output": (FAMOUS, "net_h1 = 0.3775\nerror of o1 = 0.7514", "loss.o1"),
}


@pytest.mark.parametrize(("problem", "text", "step"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_stays_wrong(problem: str, text: str, step: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text, "utf-8")
    marking = checker(problem).mark(read_sheet(path))
    assert step in [answer.id for answer in marking.answers if answer.marks < answer.worth]


def test_a_list_of_another_length(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("net_h1 = 0.3775\nout_h = [0.5933, 0.5969, 0.2]", "utf-8")
    notes = [str(answer.note) for answer in checker(FAMOUS).mark(read_sheet(path)).answers]
    assert notes == ["None", 'there is no vector or matrix "out_h" of 3 numbers']


def test_only_the_given_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("i1 = 0.05\nw1 = 0.15", "utf-8")
    marking = checker(FAMOUS).mark(read_sheet(path))
    assert marking.marks == (0, 0) and marking.score == 0


def test_pages_of_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Name", "Nina"])
    page = book.create_sheet("Answers")
    for row in (["Forward pass"], ["layer", "neuron", "net", "out"], ["hidden", "h1", 0.3775, 0.5933], [None, "h2", 0.3925, 0.5969], []):
        page.append(row)
    for row in (["Backward pass"], ["", "weight", "gradient", "new"], ["", "w5", 0.0822, 0.3589]):
        page.append(row)
    page.merge_cells("A3:A4")
    book.save(tmp_path / "a.xlsx")
    sheet = read_sheet(tmp_path / "a.xlsx")
    assert sheet.name == "Nina" and checker(FAMOUS).mark(sheet).marks == (6, 6)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("[1, 2]", (2,)), ("(1; 2; 3)", (3,)), ("[[1, 2], [3, 4], [5, 6]]", (3, 2)), ("[1 2; 3 4]^T", (2, 2))]
    + [("0,5; 0,6", (2,)), ("[0,5 -0,6 0,7]", (3,)), ("[0.5,0.6]", (2,)), ("1, 2", (2,))]
    + [(text, ()) for text in ("[1]", "[a, b]", "[[1, 2], [3]]", "1", "", "[", "((", "f(1, 2)", "[1, 2", "2·(1, 2)", "0,5")],
)  # fmt: skip
def test_lists(text: str, shape: tuple[int, ...]) -> None:
    found = list_of(text)
    assert (found.shape if found is not None else ()) == shape


def test_typesetting() -> None:
    assert without_typesetting(r"$\frac{\partial E}{\partial w_5} &= \mathrm{0.5} \cdot \boxed{2} \\$") == "∂E/∂w_5 = 0.5 · 2"
    assert without_typesetting("2**3 = 8") == "2**3 = 8"

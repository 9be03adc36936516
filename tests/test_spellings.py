"""Laws of spellings: every one leads to the same problem, none means two things unsaid, and what is saved has the format's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from shipping import some, thinned

from handcalc.cli import main
from handcalc.core.functions import ACTIVATIONS
from handcalc.core.order import PHASES
from handcalc.deriving import derive
from handcalc.errors import ProblemError
from handcalc.layers import FILES, spellings
from handcalc.layers.activations import SPELLINGS
from handcalc.layers.sections import sections
from handcalc.loading.loader import in_own_words, loads, shipped
from handcalc.loading.saving import with_parameters
from handcalc.problem.punctuation import half_width
from handcalc.problem.spellings import KEYS, PHASE_WORDS, WORDS, Spellings, folded, meanings, of
from handcalc.problem.typos import reasons
from handcalc.problem.words import INITIAL, LOSSES, OPTIMISERS
from handcalc.proof import prove

NETWORK = """\
title: Spelled
inputs: {x1: 0.5, x2: -1}
targets: {y: 1}
layers:
  - neurons: [h]
    activation: tanh
    weights: [[0.3, 0.4]]
    bias: 0.1
  - neurons: [y]
    activation: sigmoid
    weights: {w5: [h, y, 0.5]}
    threshold: 0.2
loss: half_squared_error
learning_rate: 0.5
"""


def words_of(shape: Any) -> Iterator[str]:
    """Every word that a shape allows."""
    for key, value in shape.items() if isinstance(shape, Mapping) else enumerate(shape) if isinstance(shape, list) else ():
        if key == "enum":
            yield from map(str, value)
        else:
            yield from words_of(value)


def keys_of(shape: Any) -> Iterator[tuple[str, ...]]:
    """The keys of every mapping inside a shape."""
    for key, value in shape.items() if isinstance(shape, Mapping) else enumerate(shape) if isinstance(shape, list) else ():
        if key == "properties":
            yield tuple(value)
        yield from keys_of(value)


# Every place where words of a table may stand: its words, and their spellings.
PLACES: list[tuple[str, tuple[str, ...], Spellings]] = [
    ("activations", ACTIVATIONS, SPELLINGS),
    ("losses", tuple(LOSSES), of(LOSSES)),
    ("optimisers", tuple(OPTIMISERS), of(OPTIMISERS)),
    ("rules", tuple(INITIAL), of(INITIAL)),
    ("layer types", tuple(FILES), spellings()),
    ("phases", PHASES, PHASE_WORDS),
    *((f"keys of {name}", tuple(key.key for key in found), KEYS) for name, found in sections().items()),
    *((f"keys in {name}", inside, KEYS) for name, found in sections().items() for key in found for inside in keys_of(key.shape)),
]
VALUES = [
    pytest.param(tuple(map(str, key.shape["enum"])), id=f"{name}.{key.key}")
    for name, found in sections().items()
    for key in found
    if "enum" in key.shape
]
SEVERAL = {  # what is asked back, for it is the name of several losses
    "quadratic", "squaredloss", "l2", "l2loss", "平方和误差", "平方损失", "crossentropyloss", "logloss",
}  # fmt: skip


@pytest.mark.parametrize(("words", "table"), thinned([pytest.param(*row[1:], id=row[0]) for row in PLACES], 4))
def test_spelling_means_one_word(words: tuple[str, ...], table: Spellings) -> None:
    for word in words:
        assert meanings(word, words, table) == (word,)
        for other in table.get(word, ()):
            found = meanings(other, words, table)
            if folded(other) not in SEVERAL and found != (word,):  # a key of this place may have the name that another has elsewhere
                assert found == (folded(other),) or found[0] in (other, other.lower()), (other, found)
        for changed in {word.upper(), word.replace("_", "-"), word.replace("_", " ").title(), word.replace("_", "")}:
            assert meanings(changed, words, table) == (word,)


@pytest.mark.parametrize("words", VALUES)
def test_value_has_one_meaning(words: tuple[str, ...]) -> None:
    for word in words:
        for other in WORDS.get(word, ()):
            assert len(meanings(other, words, WORDS)) == 1


@pytest.mark.parametrize(("words", "table"), [pytest.param(*row[1:], id=row[0]) for row in PLACES[:6]])
def test_spelling_of_a_record_is_no_word_and_means_one(words: tuple[str, ...], table: Spellings) -> None:
    assert set(table) <= set(words)
    own = {folded(word) for word in words}
    for word, others in table.items():
        assert len({folded(other) for other in others}) == len(others), word
        for other in others:
            assert folded(other) not in own, f"{other} is a word of its own"
            assert (len(meanings(other, words, table)) == 1) != (folded(other) in SEVERAL), other


def test_tables_name_words_that_there_are() -> None:
    everywhere = {key for _, found, table in PLACES if table is KEYS for key in found}
    named = {key for table in (SPELLINGS,) for key in table} | {"slope", "alpha", "name"}
    numbers = {"momentum", "rho", "beta1", "beta2", "epsilon", "delta"}
    assert set(KEYS) <= everywhere | named | numbers, set(KEYS) - everywhere - named - numbers
    words = {word for found in sections().values() for key in found for word in words_of(key.shape)} | {"true", "false"}
    assert set(WORDS) <= words | {"all", "last", "old", "new", "causal"}, set(WORDS) - words


def replaced(old: str, new: str) -> str:
    assert old in NETWORK
    return NETWORK.replace(old, new, 1)


REPLACED = [
    *(("activation: tanh", f"activation: {other}", word) for word, found in SPELLINGS.items()
      for other in found if word != "softmax"),
    *(("loss: half_squared_error", f"loss: {other}", word) for word, found in of(LOSSES).items()
      for other in found if folded(other) not in SEVERAL and word != "softmax_cross_entropy"),
    *(("learning_rate: 0.5", f"learning_rate: 0.5\noptimizer: {other}", word)
      for word, found in of(OPTIMISERS).items() for other in found),
    *(("title: Spelled", f"title: Spelled\nnotation: {other}", word)
      for word in ("zhou", "nndl", "dlfs", "d2l") for other in WORDS[word]),
    *((f"{key}: ", f"{other}: ", key) for key in
      ("title", "inputs", "targets", "layers", "neurons", "activation", "weights", "bias", "threshold", "loss", "learning_rate")
      for other in KEYS[key] if f"{key}: " in NETWORK),
]  # fmt: skip


@pytest.mark.parametrize("change", some(REPLACED, REPLACED[::8]))
def test_spelling_leads_to_the_same_problem(change: tuple[str, str, str]) -> None:
    old, new, word = change
    key = old.partition(": ")[0]
    own = old if new.endswith(": ") else "\n".join((*new.split("\n")[:-1], f"{new.split(chr(10))[-1].partition(': ')[0]}: {word}"))
    spelled, meant = loads(replaced(old, new)), loads(replaced(old, own))
    assert spelled == meant, key
    assert loads(in_own_words(replaced(old, new))) == meant
    assert in_own_words(replaced(old, new)) == replaced(old, own)


def test_phases_of_tasks_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    spelled = loads(NETWORK + "tasks: [正向传播, Back-Propagation]\n")
    assert [task.ask for task in spelled.tasks] == ["forward", "backward"]
    texts = []
    for only, notation, lang in (("反向传播", "西瓜书", "中文"), ("backward", "zhou", "zh")):
        with pytest.raises(SystemExit) as ended:
            main(["solve", "mazur-2-2-2", "--only", only, "--notation", notation, "--lang", lang])
        assert ended.value.code == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""


@pytest.mark.parametrize("typed", some(["对率函数", "logistic", "Sigmoid"], ["对率函数"]))
def test_derivatives_by_other_names(typed: str) -> None:
    assert prove(typed).of == "sigmoid"


# --- full-width punctuation ---------------------------------------------------------------------------------------------------

WIDE = """\
标题： 一道题：两问，一图
来源：“自编，2020”   # 注释：不变，一字不改
记号：西瓜书
输入：｛x1：0.5，x2：－１｝
目标：【1】
各层：
　- 神经元：[h]
　　激活函数：双曲正切
　　权重：【【0.3、0。4】】
　　偏置：0.1
　- 神经元：【y】
　　激活函数：对率函数
　　权重：{w5：[h，y，0.5]}
　　阈值：0.2
损失：半平方误差
学习率：０.５
"""


def test_full_width_punctuation_is_read() -> None:
    plain = NETWORK.replace("title: Spelled", "title: 一道题：两问，一图\nsource: 自编，2020\nnotation: zhou")
    assert loads(WIDE) == loads(plain)


@pytest.mark.parametrize(
    "text",
    [
        "title: 甲：乙，丙\n",
        "title: '甲，[乙：丙'\n",
        'title: "【甲】，“乙”"\n',
        "title: |\n  甲：乙，丙\n  【丁】：戊\nsource: x\n",
        "title: 甲\n  乙：丙\nsource: x\n",
        "- title: 甲\n    乙：丙\n",
        "# 注释：甲，乙\ntitle: x # 【丙】，\n",
        "title: “甲” 与 “乙”\n",
        "equations: {f: 'max（x，0）'}\n",
    ],
)
def test_what_is_no_punctuation_of_yaml_stays(text: str) -> None:
    assert half_width(text) == text


def test_functions_with_capitals() -> None:
    assert loads("given: {x: 2}\nequations: {f: Sigmoid(x) + Ln(x)}\n") == loads("given: {x: 2}\nequations: {f: sigmoid(x) + ln(x)}\n")
    with pytest.raises(ProblemError):
        loads("given: {x: 2}\nequations: {f: PI*x}\n")


def test_keys_below_a_comment() -> None:
    wide = "已知：  ＃ 两个数\n  x：2\n  y：3\n方程：# 一个\n  f：x＋y\n"
    assert loads(wide.replace("：#", "： #")) == loads("given: {x: 2, y: 3}\nequations: {f: x + y}\n")


def test_lists_of_full_width() -> None:
    wide = "输入：[1]\n各层：\n　－“神经元”：1\n　　权重：[[－１]]  ＃ 注释\n"
    assert loads(wide) == loads("inputs: [1]\nlayers:\n  - neurons: 1\n    weights: [[-1]]\n")


def test_optimiser_with_its_type() -> None:
    rest = NETWORK.replace("learning_rate", "lr")
    assert loads(rest + "optimizer: {type: SGD with momentum, mu: 0.8}\n") == loads(rest + "optimizer: {momentum: {momentum: 0.8}}\n")


@pytest.mark.parametrize("word", ["decay", "decay_rate", "alpha", "β"])
def test_the_share_of_a_mean_square_by_other_names(word: str) -> None:
    """PyTorch calls it alpha, textbooks β or the decay."""
    own, other = (loads(f"{NETWORK}optimizer: {{rmsprop: {{{key}: 0.9}}}}\n").optimizer for key in ("rho", word))
    assert own == other


def test_formula_in_full_width() -> None:
    wide = loads("已知：{x：2}\n方程：{f：max（x，3）＋x＊2}\n最小化：f\n")
    assert wide == loads("given: {x: 2}\nequations: {f: 'max(x, 3) + x*2'}\nminimize: f\n")
    assert derive(wide)["f"].value == 7


@pytest.mark.parametrize("name", some([*shipped()], ["mazur-2-2-2", "xigua-thresholds"]))
def test_shipped_problem_is_the_same_in_full_width(name: str) -> None:
    text = shipped()[name].read_text("utf-8")
    assert half_width(text) == text
    assert in_own_words(text, str(shipped()[name])) == text


@given(st.text("ab1: ：，,；【】[]{}｛｝“”'\"#＃－- \n　|>&*（）=！", max_size=40))
@law(150)
def test_no_punctuation_ends_in_anything_but_a_message(text: str) -> None:
    assert half_width(text).count("\n") == text.count("\n")
    with suppress(ProblemError):
        loads(text)
    for line in range(1, 6):
        assert all(0 < number <= len(text.splitlines()) for number, _ in reasons(text, line))


def widened(text: str) -> str:
    """The same file as a Chinese keyboard types it: keys and brackets in full width, but in lines with quotation marks or comments."""
    wide = str.maketrans("[]{}", "【】｛｝")
    lines, depth = [], 0
    for line in text.split("\n"):
        opened = line.count("[") + line.count("{") - line.count("]") - line.count("}")
        if not set(line) & set("\"'#|>"):
            key, colon, rest = line.partition(":") if depth == 0 else ("", "", line)
            if rest.strip()[:1] in ("[", "{") or depth:
                rest = re.sub(r":(\s|$)", "：", re.sub(r",\s*", "，", rest)).translate(wide)
            line = key.replace("- ", "－ ") + ("：" + rest.lstrip(" ") if colon else rest)
        depth += opened
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("name", some([*shipped()], ["mazur-2-2-2", "xigua-thresholds", "gomez-lstm", "micrograd-readme"]))
def test_shipped_problem_typed_in_full_width_is_the_same(name: str) -> None:
    path = shipped()[name]
    text = path.read_text("utf-8")
    assert widened(text) != text
    assert loads(widened(text), folder=path.parent) == loads(text, folder=path.parent)


# --- saving -----------------------------------------------------------------------------------------------------------------


def test_saved_file_has_own_words() -> None:
    problem = loads(WIDE)
    graph = derive(problem).graph
    weight = next(quantity.name for quantity in graph if quantity.kind == "weight")
    text = with_parameters(WIDE, problem, graph, {(weight, (0, 1)): 0.75, **_others(graph, weight)})
    assert "learning_rate: " in text and "activation: sigmoid" in text and "0.75" in text
    assert not any(other in text for other in ("学习率", "对率函数", "神经元", "：0", "，x2"))
    assert loads(text).layers[0].weights.get((0, 1)).numerator * 4 == loads(text).layers[0].weights.get((0, 1)).denominator * 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Inputs: [1]\r\nLR: 1 # η\r\n", "inputs: [1]\r\nlearning_rate: 1 # η\r\n"),
        ("loss: 'MSE'  # 😀：\n\"LR\": １\n", "loss: mean_squared_error  # 😀：\nlearning_rate: １\n"),
        ("layers: [{units: 1, act: &f ReLU, w: [[1]]}, {units: 1, act: *f, w: [[1]]}]\n",
         "layers: [{neurons: 1, activation: &f relu, weights: [[1]]}, {neurons: 1, activation: *f, weights: [[1]]}]\n"),
    ],
)  # fmt: skip
def test_other_spellings_are_replaced_where_they_stand(text: str, wanted: str) -> None:
    rest = "inputs: [1]\n" * ("nputs" not in text) + "targets: [1]\n" + "layers: [{neurons: 1, weights: [[1]]}]\n" * ("layers" not in text)
    assert in_own_words(text + rest) == wanted + rest


def _others(graph: Any, weight: str) -> dict[Any, float]:
    return {(weight, (0, 0)): 0.5}


# --- slips that are named -----------------------------------------------------------------------------------------------------

SLIPS = [
    ("a blank is missing", "inputs: {x1:1.0, x2:-2.0}\nlayers: [{neurons: [y], weights: [[1, 2]]}]\n",
     ["1: a blank is missing after the colon: write x1: 1.0"]),
    ("in two mappings", "inputs: {x1:1.0}\ntargets: {y:1}\n",
     ["1: a blank is missing after the colon: write x1: 1.0", "2: a blank is missing after the colon: write y: 1"]),
    ("on a line", "loss:mse\nlearning_rate: 0.1\n", ["1: not valid YAML: a blank is missing after the colon: write loss: mse"]),
    ("in a list of a mapping", "inputs: [1]\nlayers:\n  - neurons: [y]\n    weights: {w1:[x1, y, 0.5], w2:[x2, y, 1]}\n",
     ["4: not valid YAML: a blank is missing after the colon: write w1: [x1, …]"]),
    ("after a dash", "inputs: [1]\nlayers:\n  -neurons: 1\n   weights: [[1]]\n",
     ["3: not valid YAML: a blank is missing after the dash: write - neurons: 1"]),
    ("an indentation", "inputs: [1]\nlayers:\n  - neurons: 1\n     weights: [[1]]\n",
     ["4: not valid YAML: the indentation does not fit the lines above"]),
    ("equations with an equals sign", "given: {x: 1}\nequations:\n  z = 2*x\n  y = z^2\n",
     ["3: a key is followed by a colon, not by =: write z: 2*x"]),
    ("a key of a section", "inputs: [1]\nlayers: [{neurons: 1, weights: [[1]]}]\nEpochs: 5\ndecimals: 4\n",
     ["3: Epochs: unknown key: write training: {epochs: …}", "4: decimals: unknown key: write rounding: {decimals: …}"]),
    ("a key of layers", "inputs: [1]\nlayers: [{neurons: 1, weights: [[1]]}]\n激活函数: relu\n",
     ["3: 激活函数: unknown key: write layers: [{activation: …}]"]),
    ("layers by their types", "inputs: [1]\nlayers:\n  - Linear: {neurons: 1, weights: [[1]]}\n  - Flatten\n",
     ["3: layers[0]: a layer is written with its type as {type: dense, …}",
      "4: layers[1]: a layer is written with its type as {type: flatten, …}"]),
    ("layers that are no list", "inputs: [1]\nlayers:\n  neurons: 1\n",
     ["2: layers: layers are a list: write - before the first key of each layer"]),
    ("an equals sign", "loss: mse\nlearning_rate = 0.1\nupdate: {}\n",
     ["2: not valid YAML: a key is followed by a colon, not by =: write learning_rate: 0.1"]),
    ("a decimal comma", "inputs: {x1: 1,5, x2: 2}\n", ['1: "1,5" is two numbers: write a decimal point']),
    ("a bracket that is open", "inputs: {x1: 1.0\ntargets: [1]\nloss: mse\n", ["1: not valid YAML: the bracket { is not closed"]),
    ("a bracket of the other kind", "inputs: [1, 2}\nloss: mse\n", ["1: not valid YAML: the bracket [ is not closed"]),
    ("a bracket too many", "inputs: [1]]\nloss: mse\n", ["1: not valid YAML: the bracket ] closes nothing"]),
    ("a quotation mark", "title: \"x\ninputs: [1]\nloss: mse\n", ["1: not valid YAML: a quotation mark is not closed"]),
    ("a key without a colon", "inputs: [1]\nlayers\n  - {neurons: 1}\n", ["2: not valid YAML: a colon is missing: write layers:"]),
    ("lines without blanks", "layers: [{neurons: 1, weights: [[1]]}]\ninputs:\n  x1:1.0\n  x2:2\n",
     ["3: a blank is missing after the colon: write x1: 1.0"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in SLIPS])
def test_slip_is_named_in_its_line(text: str, wanted: list[str]) -> None:
    with pytest.raises(ProblemError) as caught:
        loads(text, "p")
    assert [str(message).removeprefix("p:") for message in caught.value.messages] == wanted

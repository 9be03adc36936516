"""Languages: the catalogue is complete, Chinese reports and errors are Chinese, their tables aligned, the wanted language wins."""

from __future__ import annotations

import gettext
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from rich.cells import cell_len

from handcalc import derive, load, loads, render
from handcalc.cli import COMMANDS, group, main
from handcalc.cli.help import Translated
from handcalc.core.order import PHASES
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message
from handcalc.language import CATALOGUES, FOLDER, LANGUAGES, choose, translator, wrapped
from handcalc.loading.loader import shipped
from handcalc.problem.schema import Activation, Problem
from handcalc.render import read
from handcalc.render.options import Options
from handcalc.render.solution import solution

SCRIPT = Path(__file__).parents[1] / ".ci" / "messages.py"
PO = [Path(FOLDER, locale, "LC_MESSAGES", "handcalc.po") for locale in CATALOGUES.values()]
PROBLEMS = sorted(shipped())
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No language of the tester's own; 80 columns; what click says is put back to English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(gettext, "_current_domain", "messages")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command line."""
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    printed = capsys.readouterr()
    return int(end.value.code or 0), printed.out, printed.err


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """.ci/messages.py as a module."""
    if not SCRIPT.exists():
        pytest.skip("not a checkout")
    pytest.importorskip("babel", reason="Babel, which reads the catalogues, is not installed: pip install -e '.[dev]'")
    return module(SCRIPT)


@pytest.fixture(scope="module")
def texts(script: ModuleType) -> dict[str, list[str]]:
    """Every text of the program with the files it is in."""
    found, lost = script.messages()
    assert lost == []
    return found


def module(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("path", PO, ids=lambda path: path.parts[-3])
def test_every_message_is_translated_with_the_same_fields(script: ModuleType, texts: dict[str, list[str]], path: Path) -> None:
    assert [line for _, line in script.wrong(path, texts)] == []


@pytest.mark.parametrize("path", PO, ids=lambda path: path.parts[-3])
def test_the_compiled_catalogue_says_what_the_written_one_says(script: ModuleType, path: Path) -> None:
    written = script.read(path)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    single = {message.id: message.string for message in written if isinstance(message.id, str) and message.id}
    assert len(single) > 1000
    assert {text: compiled.gettext(text) for text in single} == single
    for text in script.COUNTED:
        assert [compiled.ngettext(text, text, count) for count in (1, 2)] == [script.said(written.get(text))] * 2


@pytest.mark.slow
def test_the_compiled_catalogue_is_the_same_every_time(script: ModuleType, texts: dict[str, list[str]]) -> None:
    """In whatever order the texts come, and on whatever day."""
    old = script.read(PO[0])
    assert script.compiled(script.updated(old, texts)) == script.compiled(script.updated(old, dict(reversed(texts.items()))))
    assert b"-Date:" not in script.compiled(script.updated(old, texts))


def test_translations_use_chinese_punctuation(script: ModuleType) -> None:
    """No ASCII comma, semicolon, bracket or question mark after a Chinese character, but in lists such as [a, b]."""
    texts = [script.said(message) for message in script.read(PO[0])]
    wrong = [text for text in texts if re.search("[\u4e00-\u9fff][,;()?!]", re.sub(r"\[.*?\]", "", text))]
    assert not wrong, wrong


SOURCE = {
    "records.py": """
class Rule(Record):
    name: str
    doc: Template = ""

class Message:
    def __init__(self, template: Template, where=""): ...

class Item:
    def fail(self, template: Template, **values): ...

def offer(help: Template = "a default"): ...
""",
    "tables.py": """
TABLE = {"a": "not a text"}
TITLES: dict[str, Template] = {"a": "title a", "b": "title b"}
_PAIRS: tuple[tuple[str, Template], ...] = (("no text", "second of two"), ("neither", "and another"))
RULES = (Rule("no text", "a doc"), Rule("no text", doc="a named doc"))
WELCOME: Template = "welcome"
""",
    "use.py": '''
@click.command(cls=Some)
@click.option("--x", help="an option")
def command(template: Template):
    """One paragraph
    in two lines.

    Another.
    """
    item.fail("first" if found else "second", name="no text")
    name = "by name"
    Message(name)
    Message(template, where="no text")
    raise self.fail("raised {x}")

def other():
    """No help."""
    command("passed")
    offer("an offer")
    translator(choose())("of a translator")
    spelling.translate(TABLE)
    Message(TITLES[key], rule=Message(rule.doc))
    for before, told in _PAIRS:
        gettext(told)
''',
}


def test_texts_are_found_wherever_they_are() -> None:
    found, lost = module(SCRIPT.with_name("texts.py")).collected(SOURCE)
    assert set(found) == {
        "title a", "title b", "second of two", "and another", "a doc", "a named doc", "welcome", "an option", "a default", "an offer",
        "One paragraph in two lines.", "Another.", "first", "second", "by name", "passed", "raised {x}", "of a translator",
    }  # fmt: skip
    assert found["first"] == ["use.py"]
    assert lost == []


@pytest.mark.parametrize(
    "use",
    [
        "Message(TABLE[key])", "gettext(TABLE.get(key, key))", "item.fail(rule.name)", "[translate(text) for text in TABLE]",
        "translate(f'not {found}')", "text = TABLE[key]\nMessage(text)", "def use(text):\n    Message(text)", "Message('a' + 'b')",
        "option('--x', help=TABLE[key])", "lambda text: gettext(text)", "Rule('no text', TABLE[key])",
    ],
)  # fmt: skip
def test_no_text_is_left_out_silently(use: str) -> None:
    """What is handed over from a table, a field or a parameter that is not marked is named."""
    _, lost = module(SCRIPT.with_name("texts.py")).collected({**SOURCE, "new.py": use})
    assert len(lost) == 1
    assert lost[0].startswith("new.py:")


@pytest.fixture
def catalogue(script: ModuleType, tmp_path: Path) -> Path:
    """A small catalogue in which everything is right."""
    path = tmp_path / "handcalc.po"
    path.write_text('msgid ""\nmsgstr "Language: zh_CN\\nContent-Type: text/plain; charset=utf-8\\n"\n', "utf-8")
    made = script.updated(script.read(path), SMALL)
    for text, translation in {"one": "一", "two {x}": "二 {x}", 'three "\n': "三 “\n"}.items():
        made.get(text).string = translation
    path.write_bytes(script.written(made))
    path.with_suffix(".mo").write_bytes(script.compiled(made))
    return path


SMALL = {"one": ["a.py"], "two {x}": ["a.py"], 'three "\n': ["b.py"]}


def test_what_is_wrong_with_a_catalogue_is_named(script: ModuleType, catalogue: Path) -> None:
    def named(texts: dict[str, list[str]]) -> str:
        return "\n".join(f"{'warning' if warning else 'error'} {line}" for warning, line in script.wrong(catalogue, texts))

    assert named(SMALL) == ""
    right = catalogue.read_text("utf-8")
    assert "error" in named({**SMALL, "four": ["c.py"]}) and 'not translated: "four" (c.py)' in named({**SMALL, "four": ["c.py"]})
    assert "not as this script writes it" in named({text: files for text, files in SMALL.items() if text != "one"})
    catalogue.write_text(right.replace("二 {x}", "二 {y}"), "utf-8")
    assert '"二 {y}" has other fields than "two {x}"' in named(SMALL)
    assert "handcalc.mo is older" in named(SMALL)
    catalogue.write_text(right.replace('msgid "one"\nmsgstr "一"', 'msgid "one"\nmsgstr ""'), "utf-8")
    assert 'not translated: "one"' in named(SMALL)


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--check"], 0), (["--check", "--release"], 1)])
def test_who_does_not_know_the_language_marks_what_is_missing(
    arguments: list[str],
    code: int,
    script: ModuleType,
    catalogue: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A fuzzy text is a warning, and English is shown; an error for a release."""
    monkeypatch.setattr(script, "CATALOGUES", [catalogue])
    monkeypatch.setattr(script, "messages", lambda: (SMALL, []))
    catalogue.write_text(catalogue.read_text("utf-8").replace('msgid "one"\nmsgstr "一"', '#, fuzzy\nmsgid "one"\nmsgstr ""'), "utf-8")
    monkeypatch.setattr(sys, "argv", ["messages.py"])
    assert script.main() == 0
    monkeypatch.setattr(sys, "argv", ["messages.py", *arguments])
    assert script.main() == code
    assert 'marked fuzzy: "one" (a.py)' in capsys.readouterr().err
    with catalogue.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("one") == "one"


def messages(item: object) -> Iterator[Message]:
    """The messages in a block of a document."""
    if isinstance(item, Message):
        yield item
    for part in item if isinstance(item, tuple) else vars(item).values() if isinstance(item, Record) else ():
        yield from messages(part)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_text_of_a_report_is_in_the_catalogue(name: str) -> None:
    """Whatever a report asks to be translated has a translation, found by reading the source or not."""
    chinese = translator("zh")
    asked: set[str] = set()

    def translate(text: str) -> str:
        asked.add(text)
        return chinese(text)

    derivation = derive(load(name), iterations=2)
    for detail in ("brief", "full"):
        for block in solution(derivation, read(derivation), Options(detail)):
            for message in messages(block):
                message.text(translate)
    the_same = {"LSTM", "GRU", "{first}", "{options}", "{kind} → {shape}"}
    assert {text for text in asked if chinese(text) == text} <= the_same
    assert "Given" in asked


# --- reports ----------------------------------------------------------------------------------------------------------

# words of formulas and names of functions that stay as they are in Chinese
INTERNATIONAL = {"softmax", "ReLU", "Huber"}
WORD = re.compile(r"(?<![\w^])[A-Za-z]{3,}(?![\w('])")


def english(text: str, problem: Problem) -> set[str]:
    """The words of ASCII letters that are neither names of the problem's nor international."""
    parameters = [
        name for layer in problem.layers for name in (*layer.weight_names.values(), *(layer.bias.names.values() if layer.bias else ()))
    ]
    neurons = [name for layer in problem.layers for name in layer.neurons]
    functions = [activation.name for layer in problem.layers for activation in layer.activations]
    functions += [value.name for layer in problem.layers for value in layer.options.values() if isinstance(value, Activation)]
    samples = [sample.name for sample in problem.samples] + [layer.name for layer in problem.layers]
    names = {*problem.inputs, *neurons, *parameters, *functions, *samples, *problem.given, *(e.name for e in problem.equations)}
    names |= {
        word for layer in problem.layers if layer.type != "dense" for word in (layer.type, "dense", "net", "out", "var", "LSTM", "GRU")
    }
    names |= {"sum"} if any(step.kind == "step" for step in derive(problem).steps()) else set()  # a symbol
    names |= {word for name in (*names, problem.loss.name if problem.loss else "") for word in re.findall(r"[A-Za-z]+", name)}
    return set(WORD.findall(re.sub(r"Σ_\w+|[∂Δ]\w+", " ", text))) - INTERNATIONAL - names


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_chinese_report_has_no_english_sentence(name: str) -> None:
    problem = load(name).replace(title="", title_zh="", source="")
    derivation = derive(problem)
    report = render(derivation, language="zh")
    assert english(report, problem) == set()
    assert len(CHINESE.findall(report)) > 50
    assert {"Given"} <= english(render(derivation), problem), "the test sees no English"


def test_a_chinese_report_reads_like_a_chinese_exercise_book(capsys: pytest.CaptureFixture[str]) -> None:
    _, report, _ = run(capsys, "solve", "xigua-thresholds", "--lang", "zh")
    headings = re.findall(r"^── (\S+) ─", report, re.MULTILINE)
    assert headings == ["已知", "前向传播", "误差", "反向传播", "更新", "更新之后（公式同前）"]
    for line in (
        "2-2-1 网络，激活函数：sigmoid",
        "隐藏层（h1、h2）",
        "输出层（y1）",
        "损失函数：误差平方的一半，对各输出求和。",
        "阈值也更新。",
        "误差用更新前的权重反向传播。",
        "反向传播结束后，所有参数同时更新。",
        "在此记法中，误差项是导数的相反数：δ = −∂E/∂net。",
        "按全精度计算，显示时保留 4 位小数（= 表示精确，≈ 表示近似）；用显示的数复算，末位可能略有出入。",
    ):
        assert "".join(line.split()) in "".join(report.split())


# --- tables -----------------------------------------------------------------------------------------------------------

NUMBER = re.compile(r"[-−]?\d[\d.,/]*(×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|e\d+)?|–|")  # –: a gap
GAP = 3  # blank cells between columns


def cells(line: str) -> str:
    """A line with a second character for every wide one, so that places are cells."""
    wide = "".join(letter + "\0" * (cell_len(letter) - 1) for letter in line if cell_len(letter))
    assert len(wide) == cell_len(line)
    return wide


def tables(report: str) -> list[list[str]]:
    """The tables of a report as lines of cells: heading and rows; those beside each other one by one."""
    lines = [cells(line) for line in report.splitlines()]
    found = []
    for place, line in enumerate(lines[1:], 1):
        rules = [(rule.start(), rule.end()) for rule in re.finditer("─+", line)] if set(line) <= {"─", " "} else []
        below = next((further for further in range(place + 1, len(lines)) if not lines[further]), len(lines))
        for start, end in rules:
            block = [text.ljust(end)[start:end] for text in (lines[place - 1], *lines[place + 1 : below])]
            if " " * GAP not in block[0].strip():
                continue  # a heading
            last = next((row for row, text in enumerate(block[1:], 1) if not text.strip() or set(text.strip()) == {"─"}), len(block))
            last -= last < len(block) and "─" in block[last]  # the next part of a wide table follows without air
            found.append([text for text in block[:last] if not text.startswith("…")])  # …: how many rows are not shown
    return found


def columns(table: list[str]) -> list[tuple[int, int]]:
    """(start, end) of each column: what lies between blank cells all the way down."""
    blank = "".join(" " if all(row[place] == " " for row in table) else "x" for place in range(len(table[0])))
    return [(found.start(), found.end()) for found in re.finditer(rf"x(?:x| {{1,{GAP - 1}}}(?=x))*", blank)]


def assert_aligned(table: list[str]) -> None:
    """As many columns as headings; texts begin in one cell; numbers end in one, or have their points in one."""
    found = columns(table)
    assert len(found) == len(re.split(rf" {{{GAP},}}", table[0].strip())), table
    for start, end in found:
        heading, *column = [row[start:end] for row in table]
        if all(NUMBER.fullmatch(cell.strip()) for cell in column) and heading.replace("\0", "").strip() != "样本":  # names, not numbers
            assert not heading.endswith(" "), table
            ends = {len(cell.rstrip()) for cell in column}
            points = {cell.index(".") if "." in cell else len(cell.rstrip()) for cell in column}
            assert len(ends) == 1 or len(points) == 1, table
        else:
            assert not any(cell.startswith(" ") for cell in (heading, *column)), table


NAMED = """
title: 中文名称
samples:
  - {name: 小明, inputs: {身高: 1.5, 体重: 2}, targets: {性别: 1}}
  - {name: 欧阳娜娜, inputs: {身高: 0.25, 体重: -3}, targets: {性别: 0}}
layers:
  - neurons: [甲, h2]
    activation: tanh
    weights: {权1: [身高, 甲, 0.1], w2: [体重, h2, -0.25]}
    bias: {偏置: 1}
  - {neurons: [性别], activation: sigmoid, weights: [[0.5, 1]]}
learning_rate: 0.1
"""


@pytest.mark.parametrize("name", [*PROBLEMS, "名称"])
def test_columns_under_chinese_headings_are_aligned(name: str) -> None:
    problem = loads(NAMED) if name == "名称" else load(name)
    found = tables(render(derive(problem), language="zh"))
    assert found
    for table in found:
        assert_aligned(table)


def test_a_shifted_column_is_seen() -> None:
    rows = [("参数", "起点", "数值"), ("w1", "x1", "0.5"), ("b1", "全部", "1")]

    def table(width: Callable[[str], int]) -> list[str]:
        """Columns of four, measured in cells or in characters."""
        lines = ["   ".join(text + " " * (4 - width(text)) for text in row) for row in rows]
        return [cells(line).ljust(24) for line in lines]

    assert_aligned(table(cell_len))
    with pytest.raises(AssertionError):
        assert_aligned(table(len))


@pytest.mark.parametrize("width", [12, 20, 39, 80])
def test_chinese_is_broken_between_characters(width: int) -> None:
    text = "按全精度计算，显示时保留 6 位有效数字（= 表示精确，≈ 表示近似）；用 handcalc 显示的数复算，“末位”可能略有出入。"
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert all(cell_len(line) > width - 10 for line in lines[:-1])
    assert not any(line[0] in "，。；）”" or line[-1] in "（“" for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped("words stay whole, whatever their length", 10) == ["words stay", "whole,", "whatever", "their", "length"]
    assert wrapped("", 10) == [""]


# --- errors -----------------------------------------------------------------------------------------------------------

BROKEN = {
    "numbers and names": (
        "inputs: {x1: 0.5, x2: abc}\ntargets: [1, 2]\nlayers:\n  - {neurons: 1, activation: sigmoidd, weights: [[1, 2, 3]]}\nlos: mse\n",
        """\
f:1: inputs.x2: 应为数，而不是“abc”
f:2: targets: 每个输出应有一个目标值：应为 1 个（o1），现有 2 个
f:4: layers[0].activation: 未知的激活函数 “sigmoidd”，是否想写“sigmoid”？
f:4: layers[0].weights: W1 是 1×3，应为 1×2（神经元 1 个，输入 2 个；每行对应一个神经元）
f:5: los: 未知的键，是否想写“loss”？
""",
    ),
    "edges": (
        "inputs: {x1: 1}\nlayers:\n  - neurons: [y]\n    weights:\n      w1: [y, x1, 2]\n      loss: [x1, y, 3]\n    bias: {b: }\n",
        """\
f:5: layers[0].weights.w1[0]: 次序应为 [起点, 终点, 数值]：请写成 [x1, y, 2]
f:6: layers[0].weights.loss: “loss”是总损失的 id，请换一个名称
f:7: layers[0].bias.b: 偏置应为一个数、[终点, 数值] 或 [起点, 终点, 数值]，而不是空值
""",
    ),
    "YAML": ("title: 'x\nlayers: 2\n", "f:1: YAML 格式有误：引号没有闭合\n"),
    "formulas": (
        "given: {x: 2}\nequations: {z: w*x, f: z^}\nminimize: g\nparameters: [y]\n",
        """\
f:2: equations.z: 公式有误（可用的名称：x）：未知的名称“w”（第 1 列）
f:2: equations.f: 公式有误（可用的名称：x、z）：公式不完整（第 3 列）
f:3: minimize: 没有算式 “g”
f:4: parameters[0]: 没有已知数 “y”
""",
    ),
    "settings": (
        "inputs: [1]\nlayers: [{neurons: 1, weights: [[1]]}]\nlearning_rate: -1\nrounding: {decimals: 3, significant: 4}\nlanguage: fr\n",
        """\
f:3: learning_rate: 应为大于 0 的数，而不是“-1”
f:4: rounding: decimals 与 significant 只能给出一个
f:5: language: 未知的值 “fr”；可用的有：en、zh
""",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_errors_in_chinese(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = BROKEN[name]
    path = tmp_path / "f"
    path.write_text(text, "utf-8")
    code, out, err = run(capsys, "solve", str(path), "--lang", "zh")
    assert (code, out, err.replace(str(path), "f")) == (2, "", expected)


def test_a_message_within_a_message_is_translated() -> None:
    with pytest.raises(HandcalcError) as caught:
        loads("inputs: [1]\nlayers: [{neurons: 1, weights: {w1: [x1, o1, 1], w2: [1, 2]}}]")
    assert [message.text(translator("zh")) for message in caught.value.messages] == [
        "problem:2: layers[0].weights.w2: 连接应写成 [起点, 终点, 数值]，而不是2 项"
    ]


# --- which language ---------------------------------------------------------------------------------------------------

PROBLEM = "{}inputs: [1]\nlayers: [{{neurons: 1, weights: [[1]]}}]\n"


@pytest.mark.parametrize(
    "option, own, locale, expected",
    [
        ("", "", {}, "en"),
        ("", "", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("", "", {"LANG": "zh_TW.UTF-8"}, "zh"),
        ("", "", {"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ("", "", {"LC_MESSAGES": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ("", "", {"LC_ALL": "de_DE.UTF-8"}, "en"),
        ("", "zh", {"LC_ALL": "en_US.UTF-8"}, "zh"),
        ("", "en", {"LC_ALL": "zh_CN.UTF-8"}, "en"),
        ("zh", "en", {"LC_ALL": "en_US.UTF-8"}, "zh"),
        ("en", "zh", {"LC_ALL": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_option_beats_the_problem_and_the_problem_the_locale(
    option: str,
    own: str,
    locale: dict[str, str],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "problem.yaml"
    path.write_text(PROBLEM.format(f"language: {own}\n" if own else ""), "utf-8")
    for command in (["solve", str(path)], ["why", str(path), "net.o1"]):
        _, out, _ = run(capsys, *command, *(["--lang", option] if option else []))
        assert ("── 已知 ─" if expected == "zh" else "── Given ─") in out
    assert choose(option, own) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_catalogue(language: str) -> None:
    assert (translator(language)("Given") == "Given") == (language == "en")
    assert translator(language)("no text of the program") == "no text of the program"
    assert translator(language)("") == ""


# --- help -------------------------------------------------------------------------------------------------------------

LINES = [["--help"], [], *([name, "--help"] for name in COMMANDS)]


@pytest.mark.parametrize("arguments", LINES, ids=" ".join)
def test_help_is_in_the_language_of_the_locale(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before, _ = run(capsys, *arguments)
    assert not CHINESE.search(before)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    code, text, _ = run(capsys, *arguments)
    assert code == 0
    assert CHINESE.search(text)
    sentences = re.sub(r"(?m)^ +-.*?(  |$)|\[[^\]]*\]|handcalc.*$|\S+[_./=]\S+", " ", text)
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", sentences), sentences
    assert not re.search("(?m)^ *[，。；：）]", text)
    assert all(cell_len(line) <= 80 for line in text.splitlines() if "|" not in line)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert run(capsys, *arguments)[1] == before


def test_help_follows_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "输出一道题的完整解题过程。" in run(capsys, "solve", "--lang", "zh", "--help")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_translates_its_help(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert isinstance(command, Translated)
    assert isinstance(group, Translated)


def test_the_help_of_only_names_the_phases(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"({', '.join(PHASES)})" in " ".join(run(capsys, "solve", "--help")[1].split())


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["solve"], "错误：缺少参数 “FILE”。"),
        (["solve", "--bogus"], "错误：没有选项 "),
        (["solve", "x", "--detail", "foo"], "错误：“--detail” 的值无效："),
        (["solve", "x", "--decimals", "99"], "错误：“--decimals” 的值无效：99 不在范围 0<=x<=15 之内。"),
        (["solve", "x", "y"], "错误：多余的参数（y）"),
        (["slove"], "错误：没有命令 “slove”，是否想写“solve”？"),
        (["solve", "mazur-2-2-2", "--decimals", "3", "--significant", "3"], "错误：--decimals 与 --significant 只能给出一个"),
        (["solve", "no-such-problem"], "no-such-problem: 没有这个文件，也没有这个名称的自带题目"),
        (["why", "mazur-2-2-2", "w55"], "没有步骤 “w55”，是否想写“w5”？"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_told_in_chinese(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert expected in err.splitlines()[-1]


def test_json_does_not_wait_for_a_catalogue() -> None:
    """Starting up loads no texts, whatever the locale: JSON has none."""
    code = (
        "import gettext, os; os.environ['LC_ALL'] = 'zh_CN.UTF-8'; gettext.GNUTranslations = None; from handcalc.cli import main; "
        "main(['solve', 'mazur-2-2-2', '--format', 'json'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=SCRIPT.parents[1], check=False)
    assert found.returncode == 0, found.stderr


# --- titles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", sorted(shipped()))
def test_shipped_problems_have_a_chinese_title(problem: str) -> None:
    found = load(problem)
    assert CHINESE.search(found.title_zh or found.title) or found.title_zh == found.title, problem


def test_titles_are_in_the_language_of_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    for language, title in (("en", "A step-by-step backpropagation example"), ("zh", "反向传播分步示例")):
        _, report, _ = run(capsys, "solve", "mazur-2-2-2", "--lang", language)
        _, listed, _ = run(capsys, "list", "problems", "--lang", language)
        assert f"══ {title} ═" in report and title in listed
    assert json.loads(run(capsys, "solve", "mazur-2-2-2", "--lang", "zh", "--format", "json")[1])["title"].startswith("A step")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_stands_in_a_document_once(language: str) -> None:
    written = str(render(derive(load("conv-pool-dense")), "markdown", language=language))
    title = "卷积、池化和一个神经元" if language == "zh" else "Convolution, pooling, one neuron"
    assert written.count(title) == 1 and written.startswith(f"# {title}\n")


def test_words_that_depend_on_a_number() -> None:
    """A field with | chooses between words; a translation may go without it."""
    text = "{count} {count:mistake does|mistakes do} not show: {named}"
    assert Message(text, count=1, named="a").text() == "1 mistake does not show: a"
    assert [Message(text, count=count, named="a").text()[:14] for count in (0, 2, 11)] == [
        "0 mistakes do ",
        "2 mistakes do ",
        "11 mistakes do",
    ]
    assert Message(text, count=1, named="a").text(lambda _: "有{count}处：{named}") == "有1处：a"
    assert Message("{share:.2f}, {count:>3}", share=0.5, count=7).text() == "0.50,   7"


def test_no_text_counts_one_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "mazur-2-2-2", "--iterations", "1", "--lang", "en"])
    assert "1 update, 1 epoch." in capsys.readouterr().out

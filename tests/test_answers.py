"""Answer sheets and the marking scheme: every form is read as typed, every mistake ends in an exact message.

A row is a small sheet and what is read from it, or the list of its messages without the file's name.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law

from handcalc.core.expr import Number
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, ProblemError
from handcalc.language import translator
from handcalc.loading.loader import loads
from handcalc.marking.answers import Answer, Sheet, Typed, from_arguments, read_sheet, sheet_in, sheet_of, typed
from handcalc.marking.blank import blank_sheet
from handcalc.marking.check import Checker
from handcalc.problem.limits import LIMITS
from handcalc.problem.schema import MarkingScheme, Task

# --- numbers --------------------------------------------------------------------------------------------------------------

# typed → (spelled plainly, exact value, decimal places, significant digits)
NUMBERS: list[tuple[str, str, str, int | None, int]] = [
    ("0.350", "0.350", "7/20", 3, 3),
    ("12", "12", "12", 0, 2),
    ("1200", "1200", "1200", 0, 4),
    ("-0.3", "-0.3", "-3/10", 1, 1),
    ("+0.3", "0.3", "3/10", 1, 1),
    (" - 0.3 ", "-0.3", "-3/10", 1, 1),
    (".5", ".5", "1/2", 1, 1),
    ("5.", "5.", "5", 0, 1),
    ("0", "0", "0", 0, 0),
    ("0.00", "0.00", "0", 2, 0),
    ("-0.0", "-0.0", "0", 1, 0),
    ("0.0012", "0.0012", "3/2500", 4, 2),
    ("0012", "0012", "12", 0, 2),
    # powers of ten
    ("1.2e-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2E-3", "1.2e-3", "3/2500", 4, 2),
    ("1.20e-3", "1.20e-3", "3/2500", 5, 3),
    ("1.2e3", "1.2e3", "1200", -2, 2),
    ("1.2e+03", "1.2e3", "1200", -2, 2),
    ("1e300", "1e300", str(10**300), -300, 1),
    ("1.2×10^-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2*10^-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2*10**-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2·10^-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2x10^-3", "1.2e-3", "3/2500", 4, 2),
    ("1.2×10⁻³", "1.2e-3", "3/2500", 4, 2),
    ("-1.2 × 10^(-3)", "-1.2e-3", "-3/2500", 4, 2),
    ("1.2×10^−3", "1.2e-3", "3/2500", 4, 2),
    ("1.2×10¹²", "1.2e12", "1200000000000", -11, 2),
    ("approx. 0.35", "0.35", "7/20", 2, 2),
    ("about -2", "-2", "-2", 0, 1),
    ("10^-3", "1e-3", "1/1000", 3, 1),
    ("-10²", "-1e2", "-100", -2, 1),
    # fractions
    ("3/8", "3/8", "3/8", None, 0),
    ("-3/8", "-3/8", "-3/8", None, 0),
    ("6 / 16", "6/16", "3/8", None, 0),
    # other signs and digits
    ("０．３５", "0.35", "7/20", 2, 2),
    ("－０．３５", "-0.35", "-7/20", 2, 2),
    ("＋３／８", "3/8", "3/8", None, 0),
    ("１．２×１０＾（－３）", "1.2e-3", "3/2500", 4, 2),
    ("−0.5", "-0.5", "-1/2", 1, 1),
    ("–0.5", "-0.5", "-1/2", 1, 1),
    ("٠٫٣٥", "0.35", "7/20", 2, 2),
    ("०.३५", "0.35", "7/20", 2, 2),
    ("0,3589", "0.3589", "3589/10000", 4, 4),
    ("０，３５", "0.35", "7/20", 2, 2),
    (",5", ".5", "1/2", 1, 1),
    ("5,", "5.", "5", 0, 1),
    ("1,2e-3", "1.2e-3", "3/2500", 4, 2),
    ("1 1/2", "3/2", "3/2", None, 0),
    ("-1 1/2", "-3/2", "-3/2", None, 0),
    ("½", "1/2", "1/2", None, 0),
    ("1½", "3/2", "3/2", None, 0),
    # percentages
    ("59.33 %", "0.5933", "5933/10000", 4, 4),
    ("59.33%", "0.5933", "5933/10000", 4, 4),
    ("５９％", "0.59", "59/100", 2, 2),
    ("-5 %", "-0.05", "-1/20", 2, 1),
    ("100%", "1.00", "1", 2, 3),
    ("0,5 %", "0.005", "1/200", 3, 1),
    ("1.2e1 %", "0.012e1", "3/25", 2, 2),
    # behind the number
    ("0.3656?", "0.3656", "457/1250", 4, 4),
    ("0.3656 (?)", "0.3656", "457/1250", 4, 4),
    ("≈ 0.37 ??", "0.37", "37/100", 2, 2),
    ("0.12 (rounded)", "0.12", "3/25", 2, 2),
    ("0.12 （约）", "0.12", "3/25", 2, 2),
    ("0.12 (4 d.p.)", "0.12", "3/25", 2, 2),
    ("3/8 (exactly)", "3/8", "3/8", None, 0),
    # before the number
    ("~= 0.3", "0.3", "3/10", 1, 1),
    ("= 0.3", "0.3", "3/10", 1, 1),
    ("≈0.3", "0.3", "3/10", 1, 1),
    ("~ -0.3", "-0.3", "-3/10", 1, 1),
    ("约0.3", "0.3", "3/10", 1, 1),
    ("约等于 0.3", "0.3", "3/10", 1, 1),
    ("\u3000＝０．３\u00a0", "0.3", "3/10", 1, 1),
]


@pytest.mark.parametrize(("text", "plain", "value", "places", "significant"), [pytest.param(*row, id=row[0]) for row in NUMBERS])
def test_number(text: str, plain: str, value: str, places: int | None, significant: int) -> None:
    found = typed(text)
    exact = Fraction(value)
    assert found == Typed(text.strip(), exact.numerator, exact.denominator, places, significant)
    assert found.plain == plain
    assert found.ratio == (exact.numerator, exact.denominator)
    assert found.value == float(exact)


NO_NUMBERS = [
    "", " ", "0,3,5", "1,234.5", "0.3.5", "1.234,5", "abc", "e", "e5", "1e", "1e+", "1e1.5", "nan", "inf", "-inf", "∞", "--3", "+-3", "-",
    ".", ",", "1/0", "1/", "/2", "1/2/3", "1.5/2", "1/-2", "1 2", "1. 5", "0x10", "1_000", "²", "Ⅷ", "1.2×10", "1.2 10^3",
    "1.2×10^", "1.2×10^^3", "1.2×10^-", "1.2×10^(-3", "1.2×10^-3)", "1.2×11^3", "1010^3", "1e301", "1e-301", "1e" + "9" * 90, "10^999",
    "9" * 101, "0." + "1" * 100, "9" * 97 + "e300", "0." + "0" * 90 + "1e-300", "0.3 0.4", "x=0.3", "= = 0.3", "0.3\n0.4",
    "net.h1", "__import__('os')", "9**9**9", "1/2 %", "½%", "%", "?", "0.5%%", "1 1 1/2", "1.5 1/2", "1 1/0", "0.5 (w5)", "0.5(w)",
    "0.5 (w)", "0.5 (2*out)", "0.5 miles", "0.5 ()", "(rounded)", "0.5 (a) (b)", "⅟",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS, ids=lambda text: text[:20])
def test_no_number(text: str) -> None:
    assert typed(text) is None


SCRIPTS = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]
RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
POWERS = ["e{}", "E{}", "×10^{}", " × 10^({})", "*10^{}", "·10^{}", "x10^{}", "＊１０＾{}", "×10 ^ {}", "*10**{}"]


@st.composite
def spelling(draw: st.DrawFn) -> tuple[str, Fraction, int, int]:
    """A number as someone may type it, its value, its decimal places and its significant digits."""
    whole, decimals = draw(st.tuples(st.text("0123456789", max_size=12), st.text("0123456789", max_size=12)).filter(any))
    point = draw(st.sampled_from(".,．，")) if decimals or draw(st.booleans()) else ""
    minus = draw(st.booleans())
    power = draw(st.none() | st.integers(-60, 60))
    text = draw(st.sampled_from("-−–－")) + draw(st.sampled_from(["", " "])) if minus else draw(st.sampled_from(["", "+", "＋"]))
    text += whole + point + decimals
    if power is not None:
        form = draw(st.sampled_from([*POWERS, "×10{}"]))
        text += form.format(str(power).translate(RAISED) if form == "×10{}" else power)
    text = text.translate(str.maketrans(SCRIPTS[0], draw(st.sampled_from(SCRIPTS))))
    text = draw(st.sampled_from(["", "=", "≈ ", "~", "约", "约等于", " "])) + text + draw(st.sampled_from(["", " "]))
    scale = (power or 0) - len(decimals)
    value = Fraction(int(whole + decimals)) * Fraction(10) ** scale * (-1 if minus else 1)
    return text, value, -scale, len((whole + decimals).lstrip("0"))


@given(spelling())
@law(500)
def test_number_is_read_back(spelled: tuple[str, Fraction, int, int]) -> None:
    text, value, places, significant = spelled
    found = typed(text)
    assert found is not None
    assert Fraction(*found.ratio) == value
    assert (found.places, found.significant) == (places, significant)
    assert found.plain.isascii() and Fraction(found.plain) == value
    assert typed(found.plain) == found.replace(text=found.plain)


@given(st.fractions(max_denominator=10**6), st.sampled_from(["/", " / ", "／"]))
def test_fraction_is_read_back(value: Fraction, bar: str) -> None:
    found = typed(f"{value.numerator}{bar}{value.denominator}")
    assert found is not None
    assert found.ratio == (value.numerator, value.denominator)
    assert found.places is None


@given(st.text(max_size=120) | st.text("0123456789.,eE+-/×*^()⁻³10x =约等于", max_size=40))
@law(500)
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = typed(text)
    assert found is None or abs(found.value) < 1e309 and Fraction(found.plain) == Fraction(*found.ratio)


# --- sheets ---------------------------------------------------------------------------------------------------------------

FOUR = Rounding(4, None)

# file's name, its text, the student's name, the rounding, ids with answers, lines
SHEETS: list[tuple[str, str, str, str, Rounding | None, dict[str, str], list[int]]] = [
    ("YAML", "a.yaml", "name: Alice\nproblem: mazur\ntitle: Test\nanswers:\n  net.h1: 0.350\n  w5+: 0,3589\n", "Alice", None,
     {"net.h1": "0.350", "w5+": "0,3589"}, [5, 6]),
    ("YAML: student", "a.yaml", "student: Bob\nanswers: {a: 1}\n", "Bob", None, {"a": "1"}, [2]),
    ("YAML: name before student", "a.yaml", "student: Bob\nname: Alice\nanswers: {a: 1}\n", "Alice", None, {"a": "1"}, [3]),
    ("YAML: rounding", "a.yml", "answers: {a: 1}\nrounding: {decimals: 4, carry: true}\n", "a",
     Rounding(4, None, carry=True), {"a": "1"}, [1]),
    ("YAML: list", "a.yaml",
     "answers:\n  - {id: a, answer: 1}\n  - id: '#2:b'\n    answer: 1e-3\n  - {id: c}\n  - {id: d, answer: }\n", "a",
     None, {"a": "1", "#2:b": "1e-3", "c": "", "d": ""}, [2, 3, 5, 6]),
    ("YAML: blank", "a.yaml", "answers: {a: , b: '', c: ~, d: null, e: ____, f: ' '}\n", "a", None, dict.fromkeys("abcdef", ""), [1] * 6),
    ("YAML: ids only", "a.yaml", "net.h1: 0.350\n'#2:net.h1': 1/3\n∂E/∂w5: 0.08\n", "a", None,
     {"net.h1": "0.350", "#2:net.h1": "1/3", "∂E/∂w5": "0.08"}, [1, 2, 3]),
    ("YAML: words stay words", "a.yaml", "answers: {a: no, b: true, c: 0x10, d: =1+1}\n", "a", None,
     {"a": "no", "b": "true", "c": "0x10", "d": "=1+1"}, [1] * 4),
    ("YAML: blank name", "a.yaml", "name: ____\nanswers: {a: 1}\n", "a", None, {"a": "1"}, [2]),
    ("YAML in a text file", "a.txt", "# mine\nname: Alice\nanswers:\n  a: 1\n", "Alice", None, {"a": "1"}, [4]),
    ("JSON in a text file", "a.txt", '{"answers": {"a": "0.50", "b": null}}\n', "a", None, {"a": "0.50", "b": ""}, [1, 1]),
    ("CSV", "a.csv", "id,answer\nnet.h1,0.350\nw5+,1e-3\n", "a", None, {"net.h1": "0.350", "w5+": "1e-3"}, [2, 3]),
    ("CSV: other columns", "a.csv", "No;Answer;ID;note\n1;0,350;net.h1;?\n2;;o1\n", "a", None, {"net.h1": "0,350", "o1": ""}, [2, 3]),
    ("CSV: tabs", "a.csv", "ID\tANSWER\na\t1,5\n", "a", None, {"a": "1,5"}, [2]),
    ("CSV: Chinese heading", "a.csv", "步骤,答案\nnet.h1,０．３５\n", "a", None, {"net.h1": "０．３５"}, [2]),
    ("CSV: number and id", "a.csv", "编号,答案\nnet.h1,1\n", "a", None, {"net.h1": "1"}, [2]),
    ("CSV: decimal comma", "a.csv", 'id,answer\na,"0,35"\n', "a", None, {"a": "0,35"}, [2]),
    ("CSV: comments", "a.csv", "# name: Alice\n# rounding: 4 decimals\n\nid,answer\n\na,1\n", "Alice", FOUR, {"a": "1"}, [6]),
    ("CSV: comments of a spreadsheet", "a.csv", '# name: Alice,\n"# rounding: 4 decimals, carry",\nid,answer\na,1\n,\n', "Alice",
     Rounding(4, None, carry=True), {"a": "1"}, [4]),
    ("CSV: formula signs", "a.csv", "id,answer\na,'=1+1\nb,'-0.5\nc,'+1\nd,'@x\ne,'x\nf,''=1\n", "a", None,
     {"a": "=1+1", "b": "-0.5", "c": "+1", "d": "@x", "e": "'x", "f": "''=1"}, [2, 3, 4, 5, 6, 7]),
    ("CSV: line break in a cell", "a.csv", 'id,answer,note\na,1,"two\nlines"\nb,2,\n', "a", None, {"a": "1", "b": "2"}, [2, 4]),
    ("CSV: iteration", "a.csv", "id,answer\n#2:net.h1,1\n", "a", None, {"#2:net.h1": "1"}, [2]),
    ("CSV: short and empty rows", "a.csv", "id,answer\na\n,,\nb,1,,\n", "a", None, {"a": "", "b": "1"}, [2, 4]),
    ("CSV in a text file", "a.txt", "# name: Alice\nid;answer\na;0,5\n", "Alice", None, {"a": "0,5"}, [3]),
    ("text", "a.txt", "net.h1 = 0.350\nw5+=0.3589\n∂E/∂w5 =  0.08\n", "a", None,
     {"net.h1": "0.350", "w5+": "0.3589", "∂E/∂w5": "0.08"}, [1, 2, 3]),
    ("text: colon", "a.txt", "net.h1: 0.350\n#2:net.h1: 0.36\n#3:w: a: b\n", "a", None,
     {"net.h1": "0.350", "#2:net.h1": "0.36", "#3:w": "a: b"}, [1, 2, 3]),
    ("text: full width", "a.txt", "net.h1＝０．３５\n＃ 姓名：小明\nnet.h2：－３\n", "小明", None,
     {"net.h1": "０．３５", "net.h2": "－３"}, [1, 3]),
    ("text: blank", "a.txt", "a =\nb = ____\nc: ……\nd = ...\ne = _ _\nf = .5\n", "a", None,
     {"a": "", "b": "", "c": "", "d": "", "e": "", "f": ".5"}, [1, 2, 3, 4, 5, 6]),
    ("text: a sign more", "a.txt", "a = = 0.5\nb = ≈ 0.5\n#2:c = 1\n", "a", None, {"a": "= 0.5", "b": "≈ 0.5", "#2:c": "1"}, [1, 2, 3]),
    ("text: comments", "a.txt", "# Name: Alice Á\n# note: x\n#\n# rounding: 3 significant, carry\n\n  a = 1\n", "Alice Á",
     Rounding(None, 3, carry=True), {"a": "1"}, [6]),
    ("text: cut off", "a.txt", "# rounding: 4 decimals, carry, cut off\na = 1\n", "a",
     Rounding(4, None, True, "truncate"), {"a": "1"}, [2]),
    ("text: modes in any order", "a.txt", "# rounding: 3 significant digits, half to even, carry\na = 1\n", "a",
     Rounding(None, 3, True, "half_even"), {"a": "1"}, [2]),
    ("text: modes in Chinese", "a.txt", "# 取近似值：4 位小数，再代入下一步，直接舍去尾数\na = 1\n", "a",
     Rounding(4, None, True, "truncate"), {"a": "1"}, [2]),
    ("text: comments not filled in", "a.txt", "# name: ______\n# rounding: ____\na = 1\n", "a", None, {"a": "1"}, [3]),
    ("text: formula", "a.txt", "local.h1 = out.h1*(1 - out.h1)\n", "a", None, {"local.h1": "out.h1*(1 - out.h1)"}, [1]),
    ("text: no suffix", "alice.2024", "a = 1\n", "alice", None, {"a": "1"}, [1]),
    ("lists", "a.txt", "- a = -1\n* b = 2.5.\n1. c: 3;\n(2) d = 4，\na) e = 5\n① f = 6。\n", "a", None,
     {"a": "-1", "b": "2.5", "c": "3", "d": "4", "e": "5", "f": "6"}, [1, 2, 3, 4, 5, 6]),
    ("typeset", "a.txt", "$a$ = $1$\n**b** = 2**3 = 8\n`c` = `0.5`\n\\(d = 2 \\cdot 3 = 6\\)\n", "a", None,
     {"a": "1", "b": "2**3 = 8", "c": "0.5", "d": "2 · 3 = 6"}, [1, 2, 3, 4]),
    ("LaTeX fractions", "a.txt", "\\frac{\\partial E}{\\partial w_{5}} \\approx 0.08\nb = \\dfrac{1 - 2}{3}\n", "a", None,
     {"∂E/∂w_{5}": "0.08", "b": "(1 - 2)/3"}, [1, 2]),
    ("Markdown", "a.md", "| step | answer |\n|---|:--:|\n| net.h1 | 0.5 |\n| b | 2 |\n", "a", None, {"net.h1": "0.5", "b": "2"}, [3, 4]),
    ("old Macintosh lines", "a.txt", "a = 1\rb = 2\r", "a", None, {"a": "1", "b": "2"}, [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "name", "rounding", "answers", "lines"), [pytest.param(*row[1:], id=row[0]) for row in SHEETS])
@pytest.mark.parametrize("encoded", ["plain", "BOM", "CRLF"])
def test_sheet(
    file: str, text: str, name: str, rounding: Rounding | None, answers: dict[str, str], lines: list[int], encoded: str, tmp_path: Path
) -> None:
    data = text.replace("\n", "\r\n" if encoded == "CRLF" else "\n").encode("utf-8-sig" if encoded == "BOM" else "utf-8")
    path = tmp_path / file
    path.write_bytes(data)
    wanted = tuple(Answer(id, answer, f"{path}:{line}: ") for (id, answer), line in zip(answers.items(), lines, strict=True))
    assert read_sheet(path) == Sheet(name, wanted, rounding)


@pytest.mark.parametrize(
    ("text", "answers"), [pytest.param(row[2], row[5], id=row[0]) for row in SHEETS if "in a text" in row[0] or row[1] == "a.txt"]
)
def test_sheet_from_standard_input(text: str, answers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, text.encode("utf-8-sig"))
    sheet = read_sheet("-")
    assert {answer.id: answer.text for answer in sheet.answers} == answers
    assert all(answer.where.startswith("stdin:") for answer in sheet.answers)
    assert sheet.name in ("-", "Alice", "Alice Á", "小明")


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Puts bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


EXAMPLES = 'expected "4 decimals" or "3 significant", perhaps with ", carry" or ", cut off", found '
MISSING = ": there is no answer in it; expected lines such as net.h1 = 0.35"

# file's name, its text, its messages
WRONG: list[tuple[str, str, str, list[str]]] = [
    ("empty YAML", "a.yaml", "", [MISSING]),
    ("empty CSV", "a.csv", "\n", [MISSING]),
    ("only comments", "a.txt", "# name: Alice\n", [MISSING]),
    ("only a heading", "a.csv", "id,answer\n", [MISSING]),
    ("no answer in YAML", "a.yaml", "answers: {}\n", [MISSING]),
    ("YAML: nothing but a name", "a.yaml", "name: Alice\nanswers:\n", [":1: answers are missing: give answers: {net.h1: 0.35}"]),
    ("YAML: two mistakes", "a.yaml", "answers: {a: [1], b: 1, c: {d: 1}}\nronding: {}\n",
     [":1: answers.a: expected an answer, found […]", ":1: answers.c: expected an answer, found {…}",
      ':2: ronding: unknown key, did you mean "rounding"?']),
    ("YAML: misspelt answers", "a.yaml", "anwsers:\n  a: 1\n", [':1: anwsers: expected an answer, found {…}, did you mean "answers"?']),
    ("YAML: id twice", "a.yaml", "answers:\n  a: 1\n  a: 2\n", [":3: answers.a: this key is there twice; first in line 2"]),
    ("YAML: list without id", "a.yaml", "answers:\n- {answer: 5}\n- 7\n- {id: a, worth: 1}\n",
     [':2: an id is missing before the answer "5"', ':3: answers[1]: expected a mapping (key: value), found "7"',
      ":4: answers[2].worth: unknown key; known are id, answer, value, printed"]),
    ("YAML: rounding", "a.yaml", "answers: {a: 1}\nrounding: {decimals: 99, carry: maybe}\n",
     [':2: rounding.decimals: expected a whole number from 0 to 15, found "99"',
      ':2: rounding.carry: expected true or false, found "maybe"']),
    ("YAML: a list", "a.yaml", "- a\n- b\n", [":1: expected a mapping (key: value), found […]"]),
    ("YAML: a text", "a.yaml", "hello\n", [':1: expected a mapping (key: value), found "hello"']),
    ("YAML: name as a list", "a.yaml", "name: [a]\nanswers: {a: 1}\n", [":1: name: expected a text, found […]"]),
    ("YAML: tag", "a.yaml", "answers: {a: !!python/none x}\n", [':1: tags such as "!!python/none" are not allowed']),
    ("YAML: bracket open", "a.yaml", "answers: {a: 1\n", [":1: not valid YAML: the bracket { is not closed"]),
    ("CSV: no columns", "a.csv", "word,worth\na,1\n",
     [':1: the column "id" is missing; there are word, worth', ':1: the column "answer" is missing; there are word, worth']),
    ("CSV: misspelt column", "a.csv", "# x: y\nid,answers\na,1\n",
     [':2: the column "answer" is missing, did you mean "answers"?; there are id, answers']),
    ("CSV: decimal comma without quotation marks", "a.csv", "id,answer\na,0,35\n",
     [":2: 3 cells, expected 2; a number with a decimal comma needs quotation marks"]),
    ("CSV: no id", "a.csv", "id,answer\n,1\n", [':2: an id is missing before the answer "1"']),
    ("CSV: quotation mark open", "a.csv", 'id,answer\na,"1\nb,2\n', [":2: not valid CSV: unexpected end of data"]),
    ("CSV: a cell of 200 000 characters", "a.csv", "id,answer\na," + "9" * 200_000,
     [":2: not valid CSV: field larger than field limit (131072)"]),
    ("text: iteration without answer", "a.txt", "#2:net.h1\n", [':1: expected ID = ANSWER, found "#2:net.h1"']),
    ("text: no id", "a.txt", "= 1\n: 2\n", [':1: an id is missing before the answer "1"', ':2: an id is missing before the answer "2"']),
    ("text: neither", "a.txt", "hello world\nb 2 3\n",
     [':1: expected ID = ANSWER, found "hello world"', ':2: expected ID = ANSWER, found "b 2 3"']),
    ("text: rounding and nothing else", "a.txt", "# rounding: 16 decimals\n# rounding: yes\n",
     [f':1: {EXAMPLES}"16 decimals"', f':2: {EXAMPLES}"yes"']),
    ("text: control character", "a.txt", "\x1b[31m\u202ehello\n", [':1: expected ID = ANSWER, found "\\u001b[31m\\u202ehello"']),
]  # fmt: skip


def messages(path: Path | str) -> list[str]:
    """The messages for a sheet that cannot be read, without its name."""
    with pytest.raises(ProblemError) as caught:
        read_sheet(path)
    found = [str(message) for message in caught.value.messages]
    assert all(message.isprintable() for message in found)
    return [message.removeprefix(str(path)) for message in found]


@pytest.mark.parametrize(("file", "text", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in WRONG])
def test_wrong_sheet(file: str, text: str, wanted: list[str], tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8", newline="")
    assert messages(path) == wanted


# file's name, its text, the answers that are read, the messages of the lines that cannot be
BAD_LINES: list[tuple[str, str, str, dict[str, str], list[str]]] = [
    ("YAML: id twice in a list", "a.yaml", "answers:\n- {id: a, answer: 1}\n- {id: a, answer: 2}\n", {"a": "1"},
     [':3: the id "a" is there twice; first in line 2']),
    ("YAML: id with a space around", "a.yaml", "a: 1\n'a ': 2\n", {"a": "1"}, [':2: the id "a" is there twice; first in line 1']),
    ("CSV: id twice", "a.csv", "id,answer\na,1\nb,1\na,2\nb,3\n", {"a": "1", "b": "1"},
     [':4: the id "a" is there twice; first in line 2', ':5: the id "b" is there twice; first in line 3']),
    ("CSV: decimal comma without quotation marks", "a.csv", "id,answer\na,0,35\nb,1\n", {"b": "1"},
     [":2: 3 cells, expected 2; a number with a decimal comma needs quotation marks"]),
    ("CSV: quotation mark open", "a.csv", 'id,answer\nb,2\na,"1\n', {"b": "2"}, [":3: not valid CSV: unexpected end of data"]),
    ("CSV: rounding", "a.csv", "# rounding: 4\nid,answer\na,1\n", {"a": "1"}, [f':1: {EXAMPLES}"4"']),
    ("text: neither", "a.txt", "a = 1\nhello world\nb 2 3\nc 2\n", {"a": "1", "c": "2"},
     [':2: expected ID = ANSWER, found "hello world"', ':3: expected ID = ANSWER, found "b 2 3"']),
    ("text: id twice", "a.txt", "a = 1\n\na: 2\n", {"a": "1"}, [':3: the id "a" is there twice; first in line 1']),
    ("text: no id", "a.txt", "= 1\nb = 2\n", {"b": "2"}, [':1: an id is missing before the answer "1"']),
    ("text: rounding", "a.txt", "# rounding: 16 decimals\n# rounding: 0 significant\n# rounding: 18 significant\n# rounding: yes\na = 1\n",
     {"a": "1"},
     [f':1: {EXAMPLES}"16 decimals"', f':2: {EXAMPLES}"0 significant"', f':3: {EXAMPLES}"18 significant"', f':4: {EXAMPLES}"yes"']),
    ("text: rules and dates", "a.txt", "=====\n12.3.2026\n-----\na = 1\n", {"a": "1"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "answers", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in BAD_LINES])
def test_a_line_that_cannot_be_read_costs_that_line(
    file: str, text: str, answers: dict[str, str], wanted: list[str], tmp_path: Path
) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8", newline="")
    sheet = read_sheet(path)
    assert {answer.id: answer.text for answer in sheet.answers if answer.trouble is None} == answers
    told = [answer.trouble for answer in sheet.answers if answer.trouble is not None]
    assert [str(trouble).removeprefix(str(path)) for trouble in told] == wanted


CONTENTS: list[tuple[str, bytes, str]] = [
    ("no text", b"a = 1\x00\x81\n",
     ": this is no text; save it as text in UTF-8, as CSV, or as an Excel (.xlsx) or Word (.docx) file"),
    ("too large", b"#" * (LIMITS["bytes"] + 1),
     ": larger than 400000 bytes; put large weights or data into a CSV or NPZ file beside it, or set HANDCALC_MAX_BYTES"),
    ("nothing", b"", MISSING),
]  # fmt: skip


@pytest.mark.parametrize(("data", "wanted"), [pytest.param(data, wanted, id=name) for name, data, wanted in CONTENTS])
def test_content_that_is_no_sheet(data: bytes, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert messages(path) == [wanted]
    piped(monkeypatch, data)
    assert messages("-") == ["stdin" + wanted]


def test_sheet_that_is_missing(tmp_path: Path) -> None:
    assert messages(tmp_path / "a.txt") == [": there is no such file"]
    assert messages(tmp_path) == [": this is a folder; give a file"]


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.BytesIO()
    closed.close()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=closed))
    assert messages("-") == ["stdin: cannot be read: standard input is closed"]


@pytest.mark.parametrize(
    ("file", "text"),
    [("a.txt", "a = 1\nb = 2\nc = 3\n"), ("a.csv", "id,answer\na,1\nb,2\nc,3"), ("a.yaml", "answers:\n  a: 1\n  b: 2\n  c: 3\n")],
)
def test_limit(file: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("HANDCALC_MAX_ANSWERS", "2")
    (found,) = messages(path)
    assert found.endswith(": more than 2 answers; set HANDCALC_MAX_ANSWERS to raise the limit")
    monkeypatch.setenv("HANDCALC_MAX_ANSWERS", "3")
    assert len(read_sheet(path).answers) == 3


def test_a_hundred_messages_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello\n" * 10_000, encoding="utf-8")
    assert messages(path)[-1] == ": there are more errors; only 100 are shown"


# --- from arguments and from Python ---------------------------------------------------------------------------------------


def test_arguments() -> None:
    sheet = from_arguments(["w5+=0.3589", " ∂E/∂w5 = out.h1*(1 - out.h1) ", "#2:net.h1＝", "a==1"])
    assert sheet.answers == tuple(
        Answer(id, text, "--answer: ")
        for id, text in [("w5+", "0.3589"), ("∂E/∂w5", "out.h1*(1 - out.h1)"), ("#2:net.h1", ""), ("a", "=1")]
    )
    assert (sheet.name, sheet.rounding) == ("", None)


def test_wrong_arguments() -> None:
    with pytest.raises(ProblemError) as caught:
        from_arguments(["w5", "a=1", "a=2", "=3", "w\x1b"])
    assert [str(message) for message in caught.value.messages] == [
        '--answer: expected ID=VALUE, found "w5"',
        '--answer: the id "a" is there twice',
        '--answer: an id is missing before the answer "3"',
        '--answer: expected ID=VALUE, found "w\\u001b"',
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.350 ", "0.350"), (1, "1"), (0.1, "0.1"), (1e-7, "1e-07"), (None, ""), ("__", ""), (float("nan"), "nan"), (-3.0, "-3.0")],
)
def test_answer_from_python(value: object, text: str) -> None:
    assert sheet_of({"net.h1": value}) == Sheet("", (Answer("net.h1", text, "answers: "),))


def test_float_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    assert sheet_of({"a": numpy.float64(0.1)}).answers[0].text == "0.1"


def test_sheet_from_python() -> None:
    sheet = sheet_of({"name": "Alice", "answers": {"a": 1}, "rounding": {"decimals": 4}})
    assert sheet == Sheet("Alice", (Answer("a", "1", "answers: "),), FOUR)
    assert sheet_of(sheet) == sheet
    assert sheet_of(sheet, Rounding(2)).rounding == Rounding(2)
    assert sheet_of({"answers": {"a": 1}, "rounding": FOUR}).rounding == FOUR
    assert sheet_of({"answers": {"a": 1}, "rounding": FOUR}, Rounding(2)).rounding == Rounding(2)
    assert sheet_of({"answers": "1"}).answers == (Answer("answers", "1", "answers: "),)
    assert sheet_of({}).answers == ()


@pytest.mark.parametrize("answers", [{"a": True}, {"a": [1]}, {1: "a"}, {"a": 1j}, {"answers": {"a": 1}, "colour": 1}])
def test_wrong_use_from_python(answers: Any) -> None:
    with pytest.raises(TypeError):
        sheet_of(answers)


def test_wrong_sheet_from_python() -> None:
    with pytest.raises(ProblemError, match="^rounding:1: decimals: expected a whole number from 0 to 15"):
        sheet_of({"answers": {"a": 1}, "rounding": {"decimals": 99}})
    with pytest.raises(ProblemError, match='^answers: the id "a" is there twice$'):
        sheet_of({"a": 1, "a ": 1})


# --- whatever a sheet holds ---------------------------------------------------------------------------------------------


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    """A sheet of above with a few characters or lines changed, and a suffix."""
    _, file, text, *_ = draw(st.sampled_from([row[:3] for row in SHEETS + [(*row[:3], *[None] * 4) for row in WRONG]]))  # type: ignore[misc]
    text = text[:2000]
    pieces = st.characters() | st.sampled_from(
        ["\n", "\r", "=", ":", "#", '"', "'", ",", "{", "[", "answers:", "id,answer", "# rounding: ", "\0", "\x0b", "\u2028"]
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(pieces) + text[start + draw(st.integers(0, 5)) :]
    return draw(st.sampled_from([file, "a.txt", "a.csv", "a.yaml"])), text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for many sheets."""
    return tmp_path_factory.mktemp("sheets")


@given(mutated() | st.tuples(st.sampled_from(["a.txt", "a.csv", "a.yaml"]), st.text()))
@law(600)
def test_any_text_is_a_sheet_or_an_error(folder: Path, sheet: tuple[str, str]) -> None:
    path = folder / sheet[0]
    path.write_bytes(sheet[1].encode("utf-8", "surrogatepass"))
    try:
        found = read_sheet(path)
    except HandcalcError as error:
        assert error.messages and all(str(message).isprintable() for message in error.messages)
        return
    assert found.answers and all(answer.id == answer.id.strip() != "" or answer.trouble for answer in found.answers)
    for answer in found.answers:
        typed(answer.text)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_arguments_are_a_sheet_or_an_error(pairs: Sequence[str]) -> None:
    try:
        from_arguments(pairs)
    except HandcalcError as error:
        assert error.messages and all(str(message).isprintable() for message in error.messages)


# --- tasks and marking ------------------------------------------------------------------------------------------------------

HALF = Number(1, 2, "0.5")
CIRCUIT = "given: {a: 2}\nequations: {f: a^2}\n"

TASKS: list[tuple[str, str, tuple[Task, ...], MarkingScheme]] = [
    ("none", "", (), MarkingScheme()),
    ("null", "tasks:\n", (), MarkingScheme()),
    ("empty", "tasks: []\n", (), MarkingScheme()),
    ("list", "tasks: [grad.w5, new.*, backward, ' w5+ ']\n",
     (Task("grad.w5", line=3), Task("new.*", line=3), Task("backward", line=3), Task("w5+", line=3)), MarkingScheme()),
    ("list with marks", "tasks:\n- {ask: new.w5, marks: 2, decimals: 4}\n- {ask: [grad.net.o1, grad.net.o2], marks: 1/2}\n- net.h1\n",
     (Task("new.w5", Number(2), 4, None, 4), Task("grad.net.o1", Number(1, 2, "1/2"), line=5),
      Task("grad.net.o2", Number(1, 2, "1/2"), line=5), Task("net.h1", line=6)), MarkingScheme()),
    ("mapping",
     "tasks:\n  ask: [grad.net.*, {ask: new.*, marks: 2}]\n  marks: 3\n  decimals: 4\n"
     "  follow_through: 0.5\n  imprecise: 0\n  rounded: 0.5\n",
     (Task("grad.net.*", Number(3), 4, None, 4), Task("new.*", Number(2), 4, None, 4)), MarkingScheme(HALF, Number(0), HALF)),
    ("digits of its own", "tasks: {ask: [a, {ask: b, significant: 3}], decimals: 4}\n",
     (Task("a", decimals=4, line=3), Task("b", significant=3, line=3)), MarkingScheme()),
    ("one thing", "tasks: {ask: f, marks: 0}\n", (Task("f", Number(0), line=3),), MarkingScheme()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tasks", "marking"), [pytest.param(*row[1:], id=row[0]) for row in TASKS])
def test_tasks(text: str, tasks: tuple[Task, ...], marking: MarkingScheme) -> None:
    problem = loads(CIRCUIT + text)
    assert problem.tasks == tasks
    assert problem.marking == marking


ASK = "ask is missing: give an id, a symbol, a pattern, a phase, or a list of them"
WANTED = "expected an id, a symbol, a pattern or a phase, found "

WRONG_TASKS: list[tuple[str, str, list[str]]] = [
    ("a word", "tasks: f\n", ['3: tasks: expected a list [a, b, …] or a mapping {ask: [a, b], marks: 1}, found "f"']),
    ("nothing asked", "tasks: [a, '', null, [b], {ask: [{ask: c}]}]\n",
     [f'3: tasks[1]: {WANTED}""', f"3: tasks[2]: {WANTED}nothing", f"3: tasks[3]: {WANTED}[…]", f"3: tasks[4].ask[0]: {WANTED}{{…}}"]),
    ("ask forgotten", "tasks:\n  - {marks: 2}\n", [f"4: tasks[0]: {ASK}"]),
    ("ask forgotten in the scheme", "tasks:\n  marks: 2\n", [f"3: tasks: {ASK}"]),
    ("unknown keys", "tasks: {ask: [{ask: a, mark: 2}], carry: 1}\n",
     ['3: tasks.ask[0].mark: unknown key, did you mean "marks"?',
      "3: tasks.carry: unknown key; known are ask, marks, decimals, significant, follow_through, imprecise, rounded, conventions"]),
    ("marks", "tasks:\n- {ask: a, marks: -1}\n- {ask: b, marks: two}\n",
     ['4: tasks[0].marks: expected a number of at least 0, found "-1"', '5: tasks[1].marks: expected a number, found "two"']),
    ("shares", "tasks:\n  ask: a\n  follow_through: 1.01\n  imprecise: -0.1\n  rounded: 50%\n",
     ['5: tasks.follow_through: expected a number from 0 to 1, found "1.01"',
      '6: tasks.imprecise: expected a number from 0 to 1, found "-0.1"',
      '7: tasks.rounded: expected a number, found "50%"']),
    ("digits", "tasks: [{ask: a, decimals: 16}, {ask: b, significant: 0}, {ask: c, decimals: 1, significant: 1}]\n",
     ['3: tasks[0].decimals: expected a whole number from 0 to 15, found "16"',
      '3: tasks[1].significant: expected a whole number from 1 to 17, found "0"', "3: tasks[2]: give decimals or significant, not both"]),
    ("asked twice", "tasks:\n- a\n- {ask: [b, a]}\n- b\n",
     ['5: tasks[1].ask[1]: "a" is asked twice; first in line 4', '6: tasks[2]: "b" is asked twice; first in line 5']),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in WRONG_TASKS])
def test_wrong_tasks(text: str, wanted: list[str]) -> None:
    with pytest.raises(ProblemError) as caught:
        loads(CIRCUIT + text, "p.yaml")
    assert [str(message).removeprefix("p.yaml:") for message in caught.value.messages] == wanted


ON_ONE_LINE = [
    "{}，{}", "{}、{}", "{},{}", "{}  {}", "{}\t{}", "{} and {}", "{}，则{}", "{}，则 {}", "{} → {}", "{} => {}", "{} | {}", "{}和{}",
]  # fmt: skip


@pytest.mark.parametrize("line", ON_ONE_LINE)
def test_several_answers_on_a_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.txt"
    path.write_text(line.format("net_h1=0.375", "W1[1,1]=0.5927"), encoding="utf-8")
    assert [(answer.id, answer.text) for answer in read_sheet(path).answers] == [("net_h1", "0.375"), ("W1[1,1]", "0.5927")]


@pytest.mark.parametrize("heading", ["Iteration 2:", "## Iteration 2", "2nd iteration", "Epoch 2", "第2次迭代：", "第二轮", "迭代 2"])
def test_answers_below_the_heading_of_an_iteration(heading: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.txt"
    path.write_text(f"Iteration 1\nw5+ = 0.3589\n{heading}\nw5+ = 0.3193\n", encoding="utf-8")
    assert [answer.id for answer in read_sheet(path).answers] == ["w5+", "#2:w5+"]


def test_a_formula_first_and_then_its_number(tmp_path: Path) -> None:
    path = tmp_path / "sheet.txt"
    path.write_text("E = 1/2 (t-y)^2\nE = 0.0906\nE = E1 + E2\n", encoding="utf-8")
    assert [(answer.id, answer.text) for answer in read_sheet(path).answers] == [("E", "0.0906")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["text", "csv"])
@pytest.mark.parametrize("ties", ["half_up", "half_even", "truncate"])
def test_a_blank_sheet_declares_the_rounding_of_its_problem(ties: str, form: str, language: str) -> None:
    rounding = Rounding(2, None, True, ties)
    problem = loads("given: {a: 2.675}\nequations: {p: a*1}\n").replace(rounding=rounding)
    sheet = blank_sheet(Checker(problem).desk_for(Sheet("", ())), form, translator(language))
    filled = sheet.replace("p = ", "p = 2.67").replace("\np,", "\np,2.67")
    assert sheet_in(filled.encode(), f"a.{'txt' if form == 'text' else 'csv'}").rounding == rounding

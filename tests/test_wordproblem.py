"""The word problem around an exercise: `text`, with the numbers of each variant in it."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import refusals

from handcalc import derive, load, loads, render
from handcalc.cli import group
from handcalc.errors import ProblemError

HOUSE = """\
title: A flat
inputs: {size: 0.8, age: 0.30}
targets: {price: 0.9}
layers:
  - {neurons: [price], activation: linear, weights: {w1: [size, price, 0.5], w2: [age, price, -0.2]}, bias: {b: 0.1}}
loss: half_squared_error
learning_rate: 0.1
tasks: {decimals: 3, ask: [net.price, loss, grad.net.price, new.w1, new.w2, new.b]}
"""
TEXT = """\
text: |
  It has {size} hundred square metres, is {age} old
  and went for {target.price}; {{Ms. ~#<b>}} begins with {w2}, {eta}.

  What is learnt?
text_zh: 面积 {size}，房龄 {age}
"""
TOLD = "It has 0.8 hundred square metres, is 0.30 old and went for 0.9; {Ms. ~#<b>} begins with -0.2, 0.1."


def words(page: str) -> str:
    """The words of a page, signs and blanks made plain."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", re.sub(r"<(style|script|svg).*?</\1>", "", page, flags=re.DOTALL))).split())


def run(*arguments: str | Path) -> None:
    done = CliRunner().invoke(group, [*map(str, arguments)], standalone_mode=False)
    assert done.exception is None, done.exception


def test_the_numbers_stand_in_the_text() -> None:
    """As they are typed, in both languages, before what is given."""
    derivation = derive(loads(HOUSE + TEXT))
    english, chinese = (" ".join(render(derivation, language=language).split()) for language in ("en", "zh"))
    assert f"{TOLD} What is learnt? ── Given" in english
    assert "面积 0.8，房龄 0.30 ── 已知" in chinese and "What" not in chinese
    for view in ("worksheet", "key"):
        page = words(render(derivation, "html", view=view))
        assert TOLD.replace("-", "−") in page.replace("-", "−")


@pytest.mark.parametrize("format", ["latex", "typst", "markdown", "html"])
def test_every_document_has_it(format: str) -> None:
    assert "What is learnt?" in str(render(derive(loads(HOUSE + TEXT)), format))


def test_without_names_and_in_one_language_only() -> None:
    derivation = derive(loads(HOUSE + "text_zh: 求新的权值。 {{}}\n"))
    for language in ("en", "zh"):
        assert "求新的权值。 {}" in render(derivation, language=language)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("It is {size", 'text: a brace without its other one: "{"; for the letter itself write it twice'),
        ("It is size}", 'text: a brace without its other one: "}"; for the letter itself write it twice'),
    ],
)
def test_braces_that_are_no_pair(text: str, complaint: str) -> None:
    assert refusals(HOUSE + f"text: '{text}'\n") == [complaint]


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("sise", 'text: there is no step "sise", did you mean "size"'),
        ("net.price", 'text: "net.price" is worked out; a text has numbers that are given'),
        ("new.w1", 'text: "new.w1" is worked out; a text has numbers that are given'),
        ("", 'text: there is no step ""'),
        ("size!r:>99", "text: there is no step"),
    ],
)
def test_names_of_no_given_number(name: str, complaint: str) -> None:
    with pytest.raises(ProblemError, match=re.escape(complaint)):
        render(derive(loads(HOUSE + f"text: 'It is {{{name}}}'\n")))


def test_each_variant_has_its_own_numbers(tmp_path: Path) -> None:
    """On the sheet, on the key, and in the question of every platform."""
    (tmp_path / "flat.yaml").write_text(HOUSE + TEXT + "generate: {require: [nice, -visible]}\n", encoding="utf-8")
    run("generate", tmp_path / "flat.yaml", "-n", "2", "--seed", "a", "--sheet", "html", "--key", "txt", "-o", tmp_path / "set")
    run("export", tmp_path / "set", "-o", tmp_path / "quiz.xml")
    run("export", tmp_path / "set", "-o", tmp_path / "quiz.gift")
    quiz = html.unescape((tmp_path / "quiz.xml").read_text(encoding="utf-8"))
    gift = re.sub(r"\\(?=[~#={}:])", "", (tmp_path / "quiz.gift").read_text(encoding="utf-8"))
    told = set()
    for variant in json.loads((tmp_path / "set" / "manifest.json").read_text(encoding="utf-8"))["variants"]:
        folder = tmp_path / "set" / variant["code"]
        problem = load(folder / "problem.yaml")
        size, age = (number.text for number in problem.samples[0].inputs)
        sentence = f"It has {size} hundred square metres, is {age} old and went for "
        told.add(sentence)
        assert sentence in words((folder / "sheet.html").read_text(encoding="utf-8")).replace("−", "-")
        assert sentence in " ".join((folder / "key.txt").read_text(encoding="utf-8").split())
        assert all(sentence in text.replace("−", "-") for text in (quiz, gift))
    assert len(told) == 2


def test_practice_tells_it(tmp_path: Path) -> None:
    (tmp_path / "flat.yaml").write_text(HOUSE + TEXT, encoding="utf-8")
    done = CliRunner().invoke(group, ["practice", str(tmp_path / "flat.yaml"), "--no-state"], input="quit\n", standalone_mode=False)
    assert TOLD in " ".join(done.output.split())

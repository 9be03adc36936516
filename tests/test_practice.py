"""`handcalc practice`: steps asked one by one, hints, the next variant after a slip, boxes; as an engine, and through a pipe."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from shipping import some
from variants import net

from handcalc import check, load
from handcalc.cli import group
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.errors import HandcalcError
from handcalc.exercises import boxes as boxes_module
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.boxes import Box, Boxes, state_path
from handcalc.exercises.generate import Generator
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.practice import DRAWS, Practice, PracticeWishes, due
from handcalc.exercises.practiceround import COMMANDS, VALUE, PracticeRound
from handcalc.exercises.slipsearch import SlipSearch
from handcalc.loading.loader import shipped
from handcalc.marking.answers import read_sheet
from handcalc.marking.definitions import FORMS, Hypothesis, MadeMistake, MistakenBook
from handcalc.marking.mistakes import MISTAKES
from handcalc.render import read
from handcalc.render.blocks import Block
from handcalc.render.formats.terminal import page_on, show

MAZUR = "mazur-2-2-2"
DRAWN = "{weights: {from: -0.9, to: 0.9, step: 0.1, not: [0]}, inputs: {from: 0.1, to: 0.9, step: 0.1}}"
TASKS = 'tasks: {ask: [net.h1, out.h1, net.h2, out.h2, net.y, out.y, loss, "grad.net.*"], decimals: 4}\n'
ROOT = Path(__file__).parents[1]


def practice(file: str = MAZUR, boxes: Boxes | None = None, log: Any = None, **wishes: Any) -> Practice:
    """A session with a fixed seed, of which nothing is kept."""
    return Practice(ExerciseTemplate(file), "a", PracticeWishes(**wishes), boxes or Boxes(None), log)


def started(file: str = MAZUR, boxes: Boxes | None = None, log: Any = None, **wishes: Any) -> PracticeRound:
    """Its first round."""
    return practice(file, boxes, log, **wishes).begin(read)


def text(blocks: Iterable[Block], found: PracticeRound) -> str:
    """Blocks as a terminal shows them."""
    stream = io.StringIO()
    show(blocks, found.reading, str, page_on(stream, plain=True))
    return stream.getvalue()


def said(found: PracticeRound, line: str) -> str:
    """What is said to a line."""
    return text(found.take(line), found)


def right_answer(found: PracticeRound) -> str:
    """The right number of the step that is asked, in the sign of its letter."""
    number = found.step.digits.shown(Worked(found.exercise).answer(found.step.cell))
    if not found.reading.turned(found.step.cell):
        return number
    return number[1:] if number.startswith("-") else f"-{number}"


def all_right(found: PracticeRound) -> None:
    """Every step answered rightly."""
    while not found.over:
        found.take(right_answer(found))


def wrong_number(exercise: Exercise, slug: str) -> Callable[[Cell], float]:
    """The numbers of somebody who makes a mistake wherever it can be made."""
    form = next(form for form in FORMS if form.mistake.slug == slug)
    values = Evaluation(MistakenBook(Worked(exercise).definitions, Hypothesis((MadeMistake(form),))))
    return lambda wanted: float(values[wanted])


def to_the_slip(found: PracticeRound, slug: str) -> str:
    """Right answers as far as the first step that a mistake changes; what the mistake gives there."""
    number, own = wrong_number(found.exercise, slug), Worked(found.exercise)
    while True:
        digits, wanted = found.step.digits, found.step.cell
        if digits.shown(number(wanted)) != digits.shown(own.answer(wanted)):
            return digits.shown(number(wanted))
        found.take(right_answer(found))


# --- steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", some([*shipped()], {MAZUR, "xigua-thresholds", "attention-backward", "mini-batches", "micrograd-readme"}))
def test_right_answers_reach_every_step_of_a_shipped_problem(name: str) -> None:
    """With the first four hints as well, which have no error and never end a step."""
    session = practice(name)
    found = session.begin(read)
    while not found.over:
        step = found.step
        for _ in range(VALUE - 1):
            assert found.take("?")
        assert found.step is step, step.id
        found.take(right_answer(found))
        assert found.results[found.place - 1].ended == "right", step.id
    assert session.succeeded and session.is_over == (session.template.problem.generating is None)


@pytest.mark.parametrize("notation", ["zhou", "mitchell"])
def test_answers_are_in_the_sign_of_the_letter_that_is_printed(notation: str) -> None:
    found = started(only=("grad.net.h1",))
    other = PracticeRound(found.exercise, (found.step.cell,), read(found.exercise.book.derivation, notation), Boxes(None))
    assert "-0.008771" in said(other, "-0.0088") and other.over


def test_a_number_a_formula_working_and_the_name_of_the_step() -> None:
    for line in ("0.3775", "w1*i1 + w2*i2 + b1", "net_h1 = 0.3775", "net.h1=0.3775", "0.15*0.05 + 0.2*0.1 + 0.35 = 0.3775", "０.3775"):
        found = started(only=("net.h1", "out.h1"))
        assert "correct" in said(found, line) and found.step.id == "out.h1", line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("what?", "not a formula"),
        ("= ", "Neither a number nor a formula"),
        ("w99*x1", "not a formula"),
        ("out.h1 = 0.5933", "That is another step; net_h1 is asked"),
        ("1" * 2000, "too long"),
        ("\x1b[31mred\u202e", "not a formula"),
        ("]]>&{}%s\\", "not a formula"),
    ],
)
def test_what_is_no_answer_is_no_try(line: str, expected: str) -> None:
    entries: list[dict[str, Any]] = []
    found = started(log=entries.append, only=("net.h1", "out.h1"))
    shown = said(found, line)
    assert expected in shown and shown.replace("\n", "").isprintable()
    assert not entries and found.results[0].tries == 0 and said(found, "") == ""


def test_what_follows_from_a_wrong_number_that_was_left_is_right() -> None:
    """The sign of a derivative: σ(0.4775) = 0.617157…; the right number is right as well."""
    for answer, verdict in (("0.6172", "follows"), ("0.5933", "correct")):
        found = started(only=("net.h1", "out.h1"))
        assert "wrong" in said(found, "0.4775")
        found.take("skip")
        assert verdict in said(found, answer) and found.over
    found = started(only=("net.h1", "out.h1"))
    found.take("0.4775")
    assert "correct" in said(found, "0.3775") and "wrong" in said(found, "0.6172")  # it was put right


def test_too_few_digits_are_asked_for_once_more() -> None:
    found = started(only=("out.h1", "out.h2"))
    found.take("0.1")
    for answer in ("0.59", "0.5934"):  # one unit of the last digit off
        assert found.step.id == "out.h1"
        said(found, answer)
    assert found.step.id == "out.h2" and found.results[0].ended == "right" and not found.results[0].is_alone


def test_what_is_rounded_on_the_way_ends_a_step() -> None:
    """From a net input of 0.38: σ(0.38) = 0.593873."""
    found = started(only=("net.h1", "out.h1", "out.h2"))
    found.take("0.38")
    found.take("0.38")
    assert "0.593270" in said(found, "0.5939") and found.step.id == "out.h2"


# --- hints ----------------------------------------------------------------------------------------------------------------

LADDER = [
    "out_h1 needs net_h1.",
    "out_j = σ(net_j)",
    "  out_h1 = σ(net_h1)",
    "  net_h1 = 0.15·0.05 + 0.20·0.10 + 0.35\n  out_h1 = σ(net_h1)",
]


def test_rungs_come_in_order_and_the_value_only_after_a_try() -> None:
    found = started()
    assert found.step.id == "out.h1"
    assert [said(found, "?").strip("\n") for _ in range(4)] == LADDER and found.results[0].rung == 4
    assert "Try first" in said(found, "?") and found.step.id == "out.h1" and found.results[0].rung == 4
    found.take("0.5")
    assert "0.593270" in said(found, "？") and found.step.id == "out.h2" and found.results[0].ended == "value"


@pytest.mark.slow
def test_no_value_is_printed_before_it_is_reached() -> None:
    """Nor that of a step between, whatever is skipped; the numbers of all steps, but for those that are given as well."""
    found = started()
    own = Worked(found.exercise)
    given = {"0.01", "0.5"}
    secret = {one: {own.exercise.desk.book.derivation.shown(one).plain, f"{own.number(one):.4f}"} - given for one in found.exercise.cells}
    printed = text([*found.opening(), *found.help()], found)
    for place in range(len(found.steps)):
        for line in ("?????", "why", "0.123" if place % 4 == 0 else "help", "why", "?" if place % 8 == 0 else "skip"):
            printed += "".join(said(found, word) for word in (line if "??" in line else [line]))
        while found.place == place:
            found.take("skip")
    reached = {step.cell for step, result in zip(found.steps, found.results) if result.ended in ("value", "right")}
    assert reached and len(reached) < len(found.steps)
    numbers = {number.lstrip("-") for number in re.findall(r"-?\d+\.\d+", printed)}
    told = {number for one in reached for number in secret[one]}
    leaks = {found.exercise.id(one): shown & numbers - told for one, shown in secret.items() if one not in reached}
    assert not {name: shown for name, shown in leaks.items() if shown}


@pytest.mark.parametrize("most", range(6))
def test_no_more_hints_than_are_wanted(most: int) -> None:
    found = started(hints=most, only=("out.h1", "out.h2"))
    found.take("0.5")
    seen = [said(found, "提示") for _ in range(VALUE)]
    ended = ["There are no more hints." in one for one in seen]
    assert ended == [number > most for number in range(1, VALUE + 1)]
    assert found.results[0].rung == most and found.place == (most == VALUE)


def test_a_step_that_is_only_copied_has_no_numbers_to_put_in(tmp_path: Path) -> None:
    """out = net: numbers put in would be the value."""
    found = started(_written(tmp_path, net(output="linear") + "tasks: {ask: [net.y, out.y]}\n"))
    found.take(right_answer(found))
    value = right_answer(found)
    hints = [said(found, "?") for _ in range(4)]
    assert not any(value in one for one in hints) and "Try first" in hints[3]


def test_the_value_of_a_wrong_formula_is_not_told() -> None:
    """It is made of right numbers that are still to be worked out."""
    found = started(only=("out.h1", "net.o1"))
    assert "wrong" in said(found, "2*net_h1")
    found.take("skip")
    hints = "".join(said(found, "?") for _ in range(4))
    assert "0.755" not in hints and "0.40·out_h1" in hints


def test_why_explains_a_mistake_and_a_right_answer() -> None:
    found = started(only=("net.h1", "out.h1", "out.h2"))
    assert "nothing to explain" in said(found, "why")
    found.take("0.3775")
    assert "0.3775" in said(found, "why")
    shown = said(found, to_the_slip(found, "exponent-sign"))
    assert MISTAKES["exponent-sign"].name in shown
    first = said(found, "why")
    assert all(str(line)[:40] in first for line in MISTAKES["exponent-sign"].explanation_lines) and "0.593" not in first
    found.take("0.9")
    assert "not known" in said(found, "why")


def test_every_word_of_a_command_in_both_languages() -> None:
    assert {"?", "？", "why", "skip", "quit", "help", "提示", "为什么", "跳过", "退出", "帮助"} <= {*COMMANDS}
    found = started()
    assert "skipped" in said(found, " SKIP \r\n") and "skipped" in said(found, "跳过") and found.place == 2
    assert "? is the next hint" in said(found, "帮助")
    found.take("退出")
    assert found.over and found.quit


# --- slips and rounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["hidden-derivative-forgotten", "updated-weights-used", "half-forgotten"])
def test_after_a_slip_the_same_slip_shows_in_the_next_variant(slug: str) -> None:
    """Made again there, it is named again."""
    session = practice()
    for number in (1, 2):
        found = session.begin(read)
        found.take(to_the_slip(found, slug))
        assert found.results[found.place].slips == (slug,), number
        all_right(found)
        assert not session.is_over
    first, second = (Worked(one.exercise).shown for one in session.rounds)
    assert first.keys() == second.keys() and sum(first[one] != second[one] for one in first) > len(first) / 2
    assert MISTAKES[slug].name in " ".join(text(session.rounds[1].opening(), session.rounds[1]).split())
    all_right(session.begin(read))
    assert session.is_over and session.succeeded  # the third round, for the second slip, went well
    assert MISTAKES[slug].name in " ".join(text(session.summary(), session.rounds[0]).split())


def test_the_number_of_a_relu_is_not_said_by_its_argument(tmp_path: Path) -> None:
    """The last hint but one of max(0, 1.3) would be the value."""
    layer = "{neurons: [r], activation: relu, weights: {w: [x1, r, 0.5]}, bias: {b: 0.3}}"
    file = _written(tmp_path, f"inputs: {{x1: 2}}\nlayers: [{layer}]\ntasks: {{ask: [net.r, out.r]}}\nrounding: {{decimals: 4}}\n")
    found = Practice(ExerciseTemplate(file), "a", PracticeWishes(), Boxes(None)).begin(read)
    found.take("1.3")
    said = "".join(text(found.take("?"), found) for _ in range(4))
    assert "1.3" not in said and "net_r" in said


@pytest.mark.slow
def test_draws_that_hide_the_slip_are_passed_over(tmp_path: Path) -> None:
    """Where w2 and w3 are mostly the same number, few draws show that they were exchanged."""
    ranges = "{w2: {choose: [0.3]}, w3: {choose: [0.3, 0.3, 0.3, 0.8]}, w1: keep, w4: keep, w5: keep, w6: keep, inputs: keep, biases: keep}"
    file = _written(tmp_path, net(numbers=ranges, more="tasks: {ask: [net.h1, out.h1, net.h2]}\n") + "  require: []\n  different: 0\n")
    slug = "first-weights-transposed"
    shown, plain = 0, 0
    for seed in "abcd":
        session = Practice(ExerciseTemplate(file), seed, PracticeWishes(focus=slug), Boxes(None))
        found = session.begin(read)
        shown += SlipSearch(Worked(found.exercise)).shows(slug, [step.cell for step in found.steps])
        first = Generator(session.template, seed).variant("1").exercise
        plain += SlipSearch(Worked(first)).shows(slug, [*first.asked])
    assert shown == 4 and plain < 3 < DRAWS


def test_a_template_gives_the_variants_of_generate(tmp_path: Path) -> None:
    file = _written(tmp_path, net(numbers=DRAWN) + "  require: []\n")
    session, generator = practice(file), Generator(ExerciseTemplate(file), "a")
    variants: list[Any] = []
    for number in range(1, 4):
        found = session.begin(read)
        variants.append(generator.variant(str(number), variants))
        assert Worked(found.exercise).shown == Worked(variants[-1].exercise).shown
        assert variants[-1].code in text(found.opening(), found)
        all_right(found)
        assert not session.is_over
    session.begin(read).take("quit")
    assert session.is_over and session.succeeded and len(session.results) == 3 * len(found.steps)


def test_a_file_is_asked_with_its_own_numbers_and_once_if_all_is_right() -> None:
    session = practice(only=("forward",))
    found = session.begin(read)
    assert [step.id for step in found.steps] == ["out.h1", "out.h2", "out.o1", "out.o2"]
    assert right_answer(found) == "0.5933"
    all_right(found)
    assert session.is_over and session.succeeded
    session = practice(only=("forward",))
    found = session.begin(read)
    found.take("skip")
    all_right(found)
    assert not session.is_over and not session.succeeded  # again, with other numbers
    assert right_answer(session.begin(read)) != "0.5933"


def test_a_template_that_keeps_all_its_numbers_is_asked_once(tmp_path: Path) -> None:
    """Whatever `require` says of them: here the output is its target."""
    file = _written(tmp_path, net(x1="0", x2="0", t="0", output="linear", b3="0") + TASKS)
    session = practice(file)
    found = session.begin(read)
    found.take("skip")
    all_right(found)
    assert session.is_over and not session.succeeded


def test_a_file_whose_numbers_cannot_be_nice_goes_on_with_any() -> None:
    """XOR with two rectified units has dead ones and kinks whatever is drawn."""
    session = practice("goodfellow-xor")
    found = session.begin(read)
    found.take("skip")
    all_right(found)
    all_right(session.begin(read))
    assert session.is_over and len(session.rounds) == 2


def test_a_focus_is_a_mistake_or_a_kind_of_step() -> None:
    found = started(focus="grad.net")
    assert [step.id for step in found.steps] == ["grad.net.o1", "grad.net.o2", "grad.net.h1", "grad.net.h2"]
    assert [step.id for step in started(focus="net").steps] == ["net.h1", "net.h2", "net.o1", "net.o2"]  # usually not asked
    session = practice(focus="half-forgotten")
    assert right_answer(session.begin(read)) == "0.5933"  # it shows in the numbers of the file


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"focus": "half-forgoten"}, 'no kind of step "half-forgoten", did you mean "half-forgotten"?; kinds here are net, out,'),
        ({"focus": "half-forgotten", "only": ("forward",)}, "half-forgotten would not show in the steps that are asked"),
        ({"only": ("net.h9",)}, 'no step "net.h9"'),
        ({"only": ("pool.*",)}, 'no step that is asked fits "pool.*"'),
        ({"only": ("w1",)}, 'no step that is asked fits "w1"'),
    ],
)
def test_what_cannot_be_practised_is_said(wishes: dict[str, Any], expected: str) -> None:
    with pytest.raises(HandcalcError, match=re.escape(expected)):
        practice(**wishes)


def test_only_narrows_the_tasks(tmp_path: Path) -> None:
    file = _written(tmp_path, net() + TASKS)
    assert [step.id for step in started(file, only=("net.*", "loss")).steps] == ["net.h1", "net.h2", "net.y", "loss"]
    with pytest.raises(HandcalcError, match="fits"):
        practice(file, only=("new.w1",))  # a step, but no task


# --- boxes ----------------------------------------------------------------------------------------------------------------


def test_boxes_move(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "practice.json"
    days = iter(["2026-01-01", "2026-01-02", *["2026-02-03"] * 9])
    boxes = Boxes(str(path), lambda: next(days))
    boxes.right("net/other")
    boxes.wrong("loss/half-forgotten")
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "handcalc": 1,
        "boxes": {
            "loss/half-forgotten": {"box": 1, "right": 0, "wrong": 1, "last": "2026-01-02"},
            "net/other": {"box": 2, "right": 1, "wrong": 0, "last": "2026-01-01"},
        },
    }
    for _ in range(6):
        boxes.right("net/other")
    assert boxes.all()["net/other"] == Box(5, 7, 0, "2026-02-03") and boxes.weakest() == ["loss/half-forgotten"]
    boxes.wrong("net/other")
    assert boxes.all()["net/other"].box == 1 and boxes.weakest() == ["loss/half-forgotten", "net/other"]
    assert [*path.parent.iterdir()] == [path] and not boxes.warnings


def test_two_sessions_at_once_lose_nothing(tmp_path: Path) -> None:
    first, second = (Boxes(str(tmp_path / "practice.json"), lambda: "2026-01-01") for _ in range(2))
    first.right("a/other")
    second.right("b/other")
    first.right("a/other")
    assert {name: box.box for name, box in Boxes(str(tmp_path / "practice.json")).all().items()} == {"a/other": 3, "b/other": 2}


BOX = '"right": 0, "wrong": 1, "last": "2026-01-02"'
CORRUPT = [
    "", "{", "[]", '{"handcalc": 2, "boxes": {}}', '{"handcalc": 1}', '{"handcalc": 1, "boxes": {"a/b": 3}}',
    f'{{"handcalc": 1, "boxes": {{"a/b": {{"box": 6, {BOX}}}}}}}', f'{{"handcalc": 1, "boxes": {{"a/b": {{"box": true, {BOX}}}}}}}',
    f'{{"handcalc": 1, "boxes": {{"a/b": {{"box": 2, {BOX.replace("2026", "x")}}}}}}}', "[" * 100_000, "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("content", CORRUPT, ids=range(len(CORRUPT)))
def test_a_corrupt_file_is_put_aside_with_one_warning(content: str, tmp_path: Path) -> None:
    path = tmp_path / "practice.json"
    path.write_text(content, encoding="utf-8", errors="surrogatepass")
    boxes = Boxes(str(path), lambda: "2026-01-01")
    assert boxes.all() == {} and len(boxes.warnings) == 1 and "practice.json.bad" in str(boxes.warnings[0])
    assert (tmp_path / "practice.json.bad").read_text(encoding="utf-8", errors="surrogatepass") == content
    boxes.right("net/other")
    assert len(boxes.warnings) == 1 and json.loads(path.read_text(encoding="utf-8"))["boxes"]


def test_where_nothing_can_be_kept_it_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    boxes = Boxes(str(tmp_path / "file" / "practice.json"))
    boxes.right("net/other")
    boxes.right("net/other")
    assert len(boxes.warnings) == 1 and "cannot be written" in str(boxes.warnings[0]) and boxes.all()["net/other"].box == 3
    (tmp_path / "practice.json").mkdir()
    assert len(Boxes(str(tmp_path / "practice.json")).warnings) == 1


def test_the_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/a")
    assert state_path({"XDG_STATE_HOME": "/state"}) == "/state/handcalc/practice.json"
    assert state_path({}) == state_path({"XDG_STATE_HOME": "relative"}) == "/home/a/.local/state/handcalc/practice.json"


def test_slips_and_right_answers_move_boxes_once_a_round() -> None:
    boxes = Boxes(None, lambda: "2026-01-01")
    session = practice(boxes=boxes)
    found = session.begin(read)
    found.take(to_the_slip(found, "hidden-derivative-forgotten"))
    found.take("0.1")
    all_right(found)
    counts = {name: (box.box, box.right, box.wrong) for name, box in boxes.all().items()}
    assert counts == {
        "out/other": (2, 1, 0), "loss/other": (2, 1, 0), "updated/other": (2, 1, 0), "grad.net/other": (1, 2, 1),
        "grad.net/hidden-derivative-forgotten": (1, 0, 1),
    }  # fmt: skip
    all_right(session.begin(read))
    assert boxes.all()["grad.net/hidden-derivative-forgotten"] == Box(2, 1, 1, "2026-01-01")
    assert due(boxes, found.exercise, PracticeWishes()) == "hidden-derivative-forgotten"
    boxes.wrong("out/exponent-sign")
    assert due(boxes, found.exercise, PracticeWishes()) == "exponent-sign"


# --- the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the boxes of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(boxes_module, "today", lambda: "2026-05-06")


def typed(*arguments: str, lines: Iterable[str] | bytes = ()) -> tuple[int, str, str]:
    """Exit code, output and messages of the command with lines as its input."""
    given = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines)
    done = CliRunner().invoke(group, ["practice", *arguments], input=given, standalone_mode=False)
    if isinstance(done.exception, HandcalcError):
        return 2, done.stdout, str(done.exception)
    if done.exception is not None:
        raise done.exception
    return done.return_value or 0, done.stdout, done.stderr


FORWARD = ["0.5933", "0.5969", "0.7514", "0.7729"]
ONLY = (MAZUR, "--only", "forward")


def test_exit_codes(tmp_path: Path) -> None:
    assert typed(*ONLY, lines=FORWARD)[0] == 0
    assert typed(*ONLY, lines=["?", *FORWARD])[0] == 0  # a hint is no shame
    assert typed(*ONLY, lines=["0.1", "why", *FORWARD])[0] == 0
    assert typed(*ONLY, lines=FORWARD[:3])[0] == typed(*ONLY)[0] == typed(*ONLY, lines=["quit"])[0] == 1
    assert typed(*ONLY, lines=["skip", *FORWARD[1:]])[0] == 1
    assert typed(*ONLY, lines=["0.1", *"?????", *FORWARD[1:]])[0] == 1
    assert typed("no-such-problem")[0] == 2 and typed(*ONLY, "--focus", "nothing")[0] == 2
    assert typed(*ONLY, "--log", str(tmp_path))[0] == 2


def test_the_end_of_the_input_is_a_quit_with_the_summary() -> None:
    code, out, _ = typed(*ONLY, lines=b"\xef\xbb\xbf0.5933\r\n\xff\n0.59")
    assert code == 1 and out.rstrip().endswith("Not reached: out_h2, out_o1, out_o2.")
    assert "1 of 4 steps reached, 1 of them at the first try and without a hint." in out


def test_a_slip_is_named_and_asked_again_through_a_pipe() -> None:
    """The same lines as to the engine; the last round ends with the input."""
    slug, lines = "hidden-derivative-forgotten", []
    session = practice(log=lambda entry: lines.append(entry["given"]))
    for _ in range(2):
        found = session.begin(read)
        found.take(to_the_slip(found, slug))
        all_right(found)
    code, out, _ = typed(MAZUR, "--seed", "a", lines=lines)
    assert code == 0 and out.count(f"wrong: {MISTAKES[slug].name}") == 2
    assert re.findall(r"^Round (\d+): (mazur-2-2-2-\w{7}), drawn with the seed a$", out, re.MULTILINE)[0][0] == "2"
    assert out.count("correct") == 2 * 17 and "34 of 34 steps reached, 32 of them at the first try" in out


def test_phases_may_stand_between_commas_and_nothing_is_said_of_other_digits() -> None:
    code, out, _ = typed(MAZUR, "--only", "loss,out.o1", lines=["quit"])
    assert code == 1 and "Step 1 of 2: out_o1 (id out.o1), 4 decimals" in out and "significant" not in out


def test_chinese() -> None:
    code, out, _ = typed(*ONLY, "--lang", "zh", lines=["提示", "0.5933", "０.５９６９", "帮助", "0.1", "为什么", "跳过", "退出"])
    assert code == 1 and out.count("✓ 正确") == 2 and "✗ 错误" in out and "correct" not in out


def test_a_line_without_an_end_is_refused_once() -> None:
    _, out, _ = typed(*ONLY, lines=b"1" * 50_000 + b"\n" + "\n".join(FORWARD).encode())
    assert out.count("The line is too long.") == 1 and "4 of 4 steps reached" in out


def test_the_log_has_a_line_for_each_try(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    typed(*ONLY, "--log", str(log), lines=["?", "0.4067", "nonsense", "?", "0.5933", "跳过"])
    assert [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] == [
        {},
        {"id": "out.h1", "given": "0.4067", "verdict": "mistake", "mistakes": ["exponent-sign"], "rung": 1, "try": 1},
        {"id": "out.h1", "given": "0.5933", "verdict": "correct", "mistakes": [], "rung": 2, "try": 2},
    ]
    problem = Path(_written(tmp_path, net()))
    before = problem.read_text(encoding="utf-8")
    assert typed(str(problem), "--log", str(problem), lines=["0.1"])[0] == 2 and problem.read_text(encoding="utf-8") == before


def test_state_is_kept_unless_it_is_not_wanted(tmp_path: Path) -> None:
    path = tmp_path / "state" / "handcalc" / "practice.json"
    typed(*ONLY, "--no-state", lines=FORWARD)
    assert not path.exists()
    typed(*ONLY, lines=["0.4067", "0.5933", *FORWARD[1:]])
    assert json.loads(path.read_text(encoding="utf-8"))["boxes"] == {
        "out/exponent-sign": {"box": 1, "right": 0, "wrong": 1, "last": "2026-05-06"},
        "out/other": {"box": 2, "right": 2, "wrong": 0, "last": "2026-05-06"},
    }
    _, out, _ = typed(lines=["quit"])  # no file: the mistake that is due
    assert "A step-by-step backpropagation example" in out
    path.write_text("{", encoding="utf-8")
    code, _, err = typed(*ONLY, lines=FORWARD)
    assert code == 0 and err.count("practice.json.bad") == 1 and len(err.splitlines()) == 1
    assert (path.parent / "practice.json.bad").read_text(encoding="utf-8") == "{"


def test_the_session_of_the_documentation() -> None:
    """In docs/exercises.md; > stands before what is typed."""
    page = (ROOT / "docs" / "exercises.md").read_text(encoding="utf-8")
    block = next(part for part in re.findall(r"```text\n(.*?)```", page, re.DOTALL) if part.startswith("$ handcalc practice"))
    command, *lines = [line for line in block.splitlines() if line]
    code, out, _ = typed(*command.split()[3:], lines=[line[2:] for line in lines if line.startswith("> ")])
    shown = [line for line in out.splitlines() if line]
    expected = [line for line in lines if not line.startswith(("> ", "…"))]
    assert shown[shown.index(expected[0]) :] == expected


ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}


def test_ctrl_c_keeps_the_state(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "XDG_STATE_HOME": str(tmp_path)}
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job in the background does not hear it
    command = [sys.executable, "-c", f"{heard}; from handcalc.cli import main; main()", "practice", *ONLY, "--lang", "zh"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        process.stdin.write("提示\n0.5933\n".encode())
        process.stdin.flush()
        while b"out.h2" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    found = json.loads((tmp_path / "handcalc" / "practice.json").read_text(encoding="utf-8"))
    assert [*found["boxes"]] == ["out/other"] and found["boxes"]["out/other"]["right"] == 1


def _written(folder: Path, content: str) -> str:
    path = folder / "net.yaml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_a_log_is_marked_like_a_sheet(tmp_path: Path) -> None:
    """The last try of each step, until the round with other numbers begins."""
    lines = [
        {"id": "net.h1", "given": "0.1", "verdict": "wrong", "mistakes": [], "rung": 0, "try": 1},
        {"id": "net.h1", "given": "0.3775", "verdict": "correct", "mistakes": [], "rung": 0, "try": 2},
        {"id": "out.h1", "given": "0.4067", "verdict": "mistake", "mistakes": ["exponent-sign"], "rung": 1, "try": 1},
        {"id": "net.h1", "given": "9", "verdict": "correct", "mistakes": [], "rung": 0, "try": 1},
    ]
    log = tmp_path / "ann.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    sheet = read_sheet(log)
    assert [(answer.id, answer.text) for answer in sheet.answers] == [("net.h1", "0.3775"), ("out.h1", "0.4067")]
    assert [answer.verdict for answer in check(load("mazur-2-2-2"), sheet).answers] == ["correct", "mistake"]
    log.write_text(json.dumps(lines[0]) + '\n{"id": 1}\n', encoding="utf-8")
    assert sorted(bool(answer.trouble) for answer in read_sheet(log).answers) == [False, True]

"""What must hold of the numbers of an exercise: each rule is broken by a problem that breaks only it, and refused by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from shipping import loaded, some
from variants import SOUND, first, generator, net

from handcalc.core.patterns import fits
from handcalc.errors import HandcalcError, Message, OutputError, ProblemError
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.conditions import RULES, comparison_complaints
from handcalc.exercises.draw import Draws
from handcalc.loading.loader import loads, shipped
from handcalc.problem.comparisons import Comparison, comparison
from handcalc.problem.generating import CONDITIONS, NICE, Requirement

RELU = {"hidden": "relu"}
LINEAR = {"hidden": "identity", "output": "identity"}
KINK = """\
samples: [{inputs: [0.5, 0.3], targets: [0.4]}, {inputs: [0.9, 0.2], targets: [0.8]}]
layers:
  - {neurons: [h], activation: relu, weights: [[0.6, -1]], bias: [0]}
  - {neurons: [y], activation: sigmoid, weights: [[0.7]], bias: [0.25]}
loss: half_squared_error
learning_rate: 0.1
generate:
  numbers: keep
"""
# rule → a template that breaks only it
BROKEN = {
    "no_saturation": net(w1="3.81"),
    "alive": net(w3="-0.83", **RELU),
    "off_kinks": KINK,
    "loss_falls": net(eta="5.1", **LINEAR),
    "readable": net(eta="40"),
    "no_ties": net(x2="0.45", w2="-0.511", **LINEAR),
    "distinct": net(b2="-0.518"),
    "sound": net(w5="0.68"),
}


def test_every_word_has_a_check() -> None:
    assert [*RULES, "visible"] == [*CONDITIONS] and NICE not in CONDITIONS


def test_sound_numbers_break_nothing(tmp_path: Path) -> None:
    for text in (net(), net(**RELU), net(**LINEAR)):
        made = generator(text, tmp_path)
        assert made.broken(first(made)) == []
        assert made.refuses(first(made)) is None


@pytest.mark.parametrize("word", BROKEN)
def test_a_template_that_breaks_one_rule_is_refused_by_its_name(word: str, tmp_path: Path) -> None:
    made = generator(BROKEN[word] + "  tries: 3\n", tmp_path)
    assert made.broken(first(made)) == [word]
    said = f'no variant after \\d+ tr(?:y|ies): "{word}" refused \\d+ \\(.*\\): widen the inputs, ask 5 decimals'
    with pytest.raises(OutputError, match=said):
        made.variant("1")


@pytest.mark.parametrize("word", BROKEN)
def test_a_rule_that_is_switched_off_refuses_nothing(word: str, tmp_path: Path) -> None:
    made = generator(BROKEN[word] + f"  require: [nice, -{word}]\n", tmp_path)
    assert made.refuses(first(made)) is None


@pytest.mark.slow
def test_a_mistake_that_other_numbers_show_is_not_hidden(tmp_path: Path) -> None:
    """Of the draws that break nothing else, some hide a mistake; it is one that a fixed draw shows."""
    numbers = "{inputs: {from: 0.1, to: 0.9, step: 0.1}, weights: {from: -0.3, to: 0.3, step: 0.1, not: [0]}}"
    made = generator(net(numbers=numbers, more="tasks: {ask: [out.y, loss, new.*], decimals: 3}\n"), tmp_path)
    found = (made.worked(made.template.drawn(Draws("a", "1"), attempt)) for attempt in range(60))
    hiding = next(worked for worked in found if made.broken(worked) == ["visible"])
    refused = made.refuses(hiding)
    assert refused is not None and refused.word == "visible" and "is hidden" in str(refused.complaint)


def test_units_may_be_meant_to_be_dead(tmp_path: Path) -> None:
    dead = net(w3="-0.83", **RELU) + "  dead: [h2]\n"
    made = generator(dead, tmp_path)
    assert "alive" not in made.broken(first(made))
    made = generator(net(**RELU) + "  dead: [h2]\n", tmp_path)
    assert made.broken(first(made)) == ["alive"]


def test_a_step_without_a_number_refuses(tmp_path: Path) -> None:
    made = generator("given: {x: -2}\nequations: {y: ln(x)}\nminimize: y\ngenerate: {numbers: keep, tries: 2}\n", tmp_path)
    with pytest.raises(OutputError, match='"solves" refused 1 '):
        made.variant("1")


def test_answers_that_are_one_number_by_their_formulas_are_no_coincidence() -> None:
    """δ = p − t is p where t is 0; the slope of a product is the other factor."""
    for name in ("dlfs-simplenet", "cs231n-add-mul"):
        assert list(RULES["distinct"].complaints(Worked(Exercise(loaded(name))))) == []


@pytest.mark.parametrize("name", some(shipped(), ("mazur-2-2-2", "conv-pool-dense", "gomez-lstm", "adam-logistic")))
def test_rules_can_be_asked_of_every_problem(name: str) -> None:
    worked = Worked(Exercise(loaded(name)))
    assert worked.solves() is None
    for rule in RULES.values():
        for complaint in rule.complaints(worked):
            assert worked.exercise.ids(complaint.cells) and str(complaint.message)


# --- comparisons ------------------------------------------------------------------------------------------------------

READ = [
    ("abs(net.*) <= 2", ("net.*",), "abs(step_1)"),
    ("after.loss < 0.9*loss", ("after.loss", "loss"), "step_1"),
    ("grad.w* > -1", ("grad.w*",), "step_1"),
    ("2*loss*out.h1 >= w1*w2", ("loss", "out.h1", "w1", "w2"), ""),
    ("max(out.h?, new.W1[2,1]) ≠ 0", ("out.h?", "new.W1[2,1]"), ""),
    ("net.h1@Alice*2 < loss*.5", ("net.h1@Alice", "loss"), ""),
    ("#2:loss <= loss", ("#2:loss", "loss"), ""),
    ("*.h1 < 1", ("*.h1",), "step_1"),
    ("δ_o1 > pi/4", ("δ_o1",), "step_1"),
]


@pytest.mark.parametrize(("text", "names", "left"), READ)
def test_comparisons_are_read(text: str, names: tuple[str, ...], left: str) -> None:
    found = comparison(text)
    assert isinstance(found, Comparison) and found.names == names, found


@pytest.mark.parametrize("text", ["abs(net.*", "1 < 2 < 3", "loss", "__import__('os') == 1", "loss < (", "loss.real() < 1", "a < b c"])
def test_what_is_no_comparison_is_refused(text: str) -> None:
    assert isinstance(comparison(text), Message)


def test_brackets_in_patterns_are_those_of_ids() -> None:
    assert fits("W1[2,1]", "W1[2,*]") and not fits("W12", "W1[2]") and fits("net.h1", "net.*")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("abs(net.*) <= 1", True),
        ("abs(net.*) <= 0.3", False),
        ("after.loss < 0.2*loss", False),
        ("after.loss < loss", True),
        ("w1 + w2 < 0", True),
    ],
)
def test_comparisons_hold_for_every_step_that_fits(text: str, holds: bool) -> None:
    found = comparison(text)
    assert isinstance(found, Comparison)
    worked = Worked(Exercise(loads(net())))
    assert (not list(comparison_complaints(worked, Requirement(text, comparison=found)))) is holds


def test_a_comparison_is_asked_of_draws(tmp_path: Path) -> None:
    text = net(numbers="{weights: {from: -0.9, to: 0.9, step: 0.1}}") + '  require: ["out.y > 0.6", "abs(new.b*) < 0.5"]\n'
    made = generator(text, tmp_path)
    for key in "123":
        answers = made.variant(key).answers
        assert answers["out.y"][0] > 0.6 and all(abs(answers[f"new.b{place}"][0]) < 0.5 for place in (1, 2, 3))
    assert set(made.refused) <= {"out.y > 0.6", "abs(new.b*) < 0.5"} and made.refused


def test_names_that_are_none_are_errors_with_their_line(tmp_path: Path) -> None:
    made = generator(net() + '  require: ["net.h9 < 1"]\n', tmp_path)
    with pytest.raises(ProblemError, match=r'net\.yaml:\d+: generate\.require: no step is called "net\.h9"'):
        made.variant("1")
    with pytest.raises(ProblemError, match=r'net\.yaml:\d+: generate\.numbers: no number of the file is called "w9"'):
        generator(net(numbers="{w9: keep}"), tmp_path)


WRONG = [
    ("require: [nicer]", 'or a word, did you mean "nice"?'),
    ("require: ['loss <']", "not a formula"),
    ("numbers: {w1: {from: 2, to: 1, step: 1}}", "the range ends before it begins"),
    ("numbers: {w1: {from: 0, to: 1, step: 1e-9}}", "more than 10000000 numbers in a range"),
    ("numbers: {w1: {from: 0, to: 1}}", "expected {from: 0.1, to: 0.9, step: 0.1}"),
    ("numbers: {w1: {choose: [1], not: [1]}}", "there is no number to choose from"),
    ("number: keep", 'unknown key, did you mean "numbers"?'),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_in_the_section_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(HandcalcError) as error:
        loads(net().split("generate:")[0] + f"generate:\n  {text}\n")
    assert said in str(error.value) and str(error.value).startswith("problem:16: generate")


def test_the_numbers_of_the_tests_are_all_in_the_text() -> None:
    assert all(value in net() for name, value in SOUND.items())

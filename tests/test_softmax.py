"""Softmax in three steps: the powers e^z, their sum, the quotients, each a step with an id; slopes and all numbers stay what they are."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import pytest

from handcalc import check, gradcheck, render
from handcalc.cli import main
from handcalc.core.derivation import Derivation
from handcalc.core.expr import Entry, walk
from handcalc.core.functions import function
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import ProblemError
from handcalc.loading.loader import load, loads, shipped
from handcalc.marking.audit import audit
from handcalc.problem.schema import Problem

NET = (0.35, 0.5, -0.65)
TEXT = """
inputs: [1.0, 0.5]
targets: [0, 1, 0]
layers:
  - neurons: 3
    activation: softmax
    weights: [[0.5, -0.3], [0.2, 0.4], [-0.6, 0.1]]
    bias: [0.0, 0.1, -0.1]
loss: cross_entropy
learning_rate: 0.1
"""
ATTENTION = """
inputs: [[1, 0.5], [-0.5, 2], [0.3, 0.1]]
targets: [[1], [0], [0]]
layers: [{type: attention, query_weights: [[0.4, -0.2]], key_weights: [[0.3, 0.5]], value_weights: [[1, -0.5]], mask: causal}]
loss: half_squared_error
learning_rate: 0.1
"""
TOKENS = """
inputs: [[1, 0.5], [-0.5, 2]]
targets: [[1, 0], [0, 1]]
layers: [{neurons: 2, activation: softmax, weights: [[0.4, -0.2], [0.3, 0.5]]}]
loss: cross_entropy
"""
SHIPPED = ("softmax-cross-entropy", "attention-backward", "two-heads", "label-smoothing")


@pytest.fixture(autouse=True)
def width_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred columns, whatever the terminal of the tests is."""
    monkeypatch.setenv("COLUMNS", "100")


def at_once(problem: Problem) -> Problem:
    """The same problem with softmax in one line."""
    return problem.replace(conventions=problem.conventions.replace(softmax="at_once"))


def lines(derivation: Derivation) -> list[str]:
    """The lines of the solution as plain text; short ones stand beside each other where the page is wide."""
    text = render(derivation, "plain")
    assert isinstance(text, str)
    return [line.strip() for line in re.split(r"\n| {4,}", text)]


def test_the_three_steps_are_there_with_ids() -> None:
    found = derive(loads(TEXT))
    ids = [step.id for step in found.steps() if step.phase == "forward"]
    assert ids == [f"{kind}.o{number}" for kind in ("net", "exp") for number in (1, 2, 3)] + ["sum", "out.o1", "out.o2", "out.o3"]
    powers = [math.exp(z) for z in NET]
    assert [found.value(f"exp.o{number}") for number in (1, 2, 3)] == pytest.approx(powers, rel=1e-15)
    assert found.value("sum") == pytest.approx(sum(powers), rel=1e-15)
    assert found["out.o1"].inputs == (("exp1", (0,)), ("sum1", ()))
    printed = "\n".join(lines(found))  # two short ones may stand beside each other
    assert "exp_o1 = exp(net_o1) = exp(0.35) ~= 1.41907" in printed and "out_o1 = exp_o1/sum ~= 1.41907/3.58983 ~= 0.395302" in printed
    assert "sum = exp_o1 + exp_o2 + exp_o3 ~= 1.41907 + 1.64872 + 0.522046 ~= 3.58983" in printed and "out_j = exp_j/sum" in printed


def test_ids_where_places_have_numbers() -> None:
    """Attention, tokens, samples, two layers; what is called `sum` keeps its id."""
    assert [derive(loads(ATTENTION)).find(name)[0] for name in ("exp1[2,3]", "sum1[3]")] == [("exp1", (1, 2)), ("sum1", (2,))]
    tokens = [step.id for step in derive(loads(TOKENS)).steps() if step.kind == "step"]
    assert tokens == ["exp.o1[1]", "exp.o2[1]", "exp.o1[2]", "exp.o2[2]", "sum1[1]", "sum1[2]"]
    text = TEXT.replace(
        "inputs: [1.0, 0.5]\ntargets: [0, 1, 0]",
        "samples: [{name: Al, inputs: [1, 2], targets: [0, 1, 0]}, {inputs: [2, 1], targets: [1, 0, 0]}]",
    )
    assert derive(loads(text)).value("sum@Al") > 0
    text = TEXT.replace("weights: [[0.5", "weight_names: [[sum, w2], [w3, w4], [w5, w6]]\n    weights: [[0.5")
    named = derive(loads(text))
    assert named["sum"].kind == "weight" and named["sum1"].kind == "step" and named["grad.sum"].kind == "gradient"


def test_the_logarithm_of_the_sum_is_worked_once_too() -> None:
    """In log_softmax and in a loss on net inputs."""
    found = derive(
        loads(TEXT.replace("activation: softmax", "activation: log_softmax").replace("cross_entropy", "negative_log_likelihood"))
    )
    assert "out_o1 = net_o1 - ln(sum) ~= 0.35 - ln(3.58983) ~= -0.928106" in lines(found)
    for text in (TEXT.replace("cross_entropy", "softmax_cross_entropy"), TEXT + "conventions: {softmax_loss: fused}\n"):
        found = derive(loads(text))
        assert any(line.startswith("E_total = ln(sum) - (target_o1*net_o1") for line in lines(found))
        assert found["loss"].inputs[0] == ("sum1", ()) and found.value("loss") == pytest.approx(
            derive(loads(TEXT)).value("loss"), rel=1e-15
        )


@pytest.mark.parametrize("name", SHIPPED)
def test_numbers_and_slopes_are_those_of_one_line(name: str) -> None:
    """Every step of the solution in one line is there, with the same id and number; no gradient has a step on its way."""
    problem = load(shipped()[name])
    ours, before = derive(problem), derive(at_once(problem))
    known = {step.id: step for step in ours.steps()}
    for step in before.steps():
        assert float(known[step.id].value) == pytest.approx(float(step.value), rel=1e-14, abs=1e-16), step.id
        assert known[step.id].phase == "forward" or str(known[step.id].formula) == str(step.formula) or step.phase == "update", step.id
    extra = [step for step in ours.steps() if step.id not in {other.id for other in before.steps()}]
    assert extra and {ours.graph[step.cell[0]].role for step in extra} == {"exp", "sum"}
    assert not any(ours.graph.gradient(quantity.name) for quantity in ours.graph if quantity.kind == "step")


def test_slopes_of_attention_are_in_the_names_of_the_weights() -> None:
    found = derive(loads(ATTENTION))
    slopes = [quantity for quantity in found.graph if quantity.kind in ("path", "gradient")]
    assert not [node for quantity in slopes for formula in quantity.formulas for node in walk(formula) if isinstance(node, Entry)]


def test_programs_of_training_have_no_steps() -> None:
    from handcalc.training.trainer import Trainer

    trainer, other = Trainer(loads(TEXT)), Trainer(at_once(loads(TEXT)))
    trainer.advance(20)
    other.advance(20)
    assert trainer.values() == other.values()


@pytest.mark.parametrize("problem", [TEXT, ATTENTION])
@pytest.mark.parametrize("decimals", [2, 4])
def test_carried_rounding_goes_through_the_steps(problem: str, decimals: int) -> None:
    """Every printed quotient is that of the printed power and sum."""
    found = derive(loads(problem), Rounding(decimals, None, True))
    for step in found.steps():
        if [found.graph[used[0]].role for used in step.inputs] == ["exp", "sum"]:
            above, below = (float(found.shown(used).plain) for used in step.inputs)
            assert abs(float(step.shown.plain) - above / below) <= 0.5 * 10**-decimals + 1e-12


def test_from_large_net_inputs_the_largest_is_subtracted() -> None:
    """Where some e^z cannot be written, or all of them are 0; outputs and loss are those of one line."""
    for bias in ("800, 801, 799", "-800, -801, -900"):
        text = TEXT.replace("bias: [0.0, 0.1, -0.1]", f"bias: [{bias}]")
        found, whole = derive(loads(text)), derive(at_once(loads(text)))
        assert any("the largest z is subtracted" in line for line in lines(found))
        largest = max(found.value(f"net.o{number}") for number in (1, 2, 3))
        assert found.value("max") == largest and found.value("exp.o3") == pytest.approx(
            math.exp(found.value("net.o3") - largest), rel=1e-12
        )
        for name in ("out.o1", "out.o2", "out.o3", "loss", "grad.W1[2,1]"):
            assert found.value(name) == pytest.approx(whole.value(name), rel=1e-12, abs=1e-300), name
    assert "max" not in [step.id for step in derive(loads(TEXT)).steps()]


def test_the_largest_is_subtracted_where_it_is_asked_for() -> None:
    shifted = loads(TEXT.replace("cross_entropy", "softmax_cross_entropy") + "conventions: {softmax: shifted}\n")
    found = lines(derive(shifted))
    assert "max = max(net_o1, net_o2, net_o3) = max(0.35, 0.5, -0.65) = 0.5" in found
    assert "exp_o1 = exp(net_o1 - max) = exp(0.35 - 0.5) ~= 0.860708" in found
    assert "max + ln(sum) - " in " ".join(found)
    answers = {"max": "max(net_o1, net_o2, net_o3)", "exp.o1": "exp(net_o1 - max)", "out.o1": "exp_o1/sum"}
    assert {mark.verdict for mark in check(shifted, answers).answers} == {"correct"}


def test_a_power_that_is_too_large_only_after_the_update() -> None:
    """What is before it is solved all the same: the largest net input is subtracted everywhere."""
    text = TEXT.replace("cross_entropy", "half_squared_error")
    steep = derive(loads(text.replace("learning_rate: 0.1", "learning_rate: 30000")))
    assert max(steep.value(f"after.net.o{place}") for place in (1, 2, 3)) > 710
    assert steep.value("loss") == pytest.approx(derive(loads(text)).value("loss")) and "max" in [step.id for step in steep.steps()]
    assert all(math.isfinite(step.value) for step in steep.steps())


@pytest.mark.parametrize("format", ["plain", "markdown", "html", "latex"])
def test_a_logarithm_that_is_none_only_after_the_update(format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "steep.yaml"
    text = TEXT.replace("learning_rate: 0.1", "learning_rate: 3000").replace("[0, 1, 0]", "[0.1, 0.8, 0.1]")
    path.write_text(text, "utf-8")
    with pytest.raises(SystemExit, match="0"):
        main(["solve", str(path), "--lang", "en", "--format", format])
    said = " ".join(capsys.readouterr().out.split())
    assert "There are no numbers here" in said and "the function is not defined there" in said
    with pytest.raises(SystemExit, match="2"):
        main(["solve", str(path), "--lang", "en", "--iterations", "2"])


def test_a_fraction_has_the_power_of_all_its_digits() -> None:
    power = function("exp").value
    assert power(Fraction(7001, 10)) / power(Fraction(6999, 10)) == pytest.approx(math.exp(0.2), rel=3e-16)


# --- published pages --------------------------------------------------------------------------------------------------

ALONE = "inputs: {inputs}\nlayers: [{{type: activation, activation: softmax}}]\n"
CS231N = """
inputs: {x1: -15, x2: 22, x3: -44, x4: 56}
targets: {a: 0, b: 0, c: 1}
layers:
  - {neurons: [a, b, c], activation: softmax, bias: [0.0, 0.2, -0.3],
     weights: [[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0.0, -0.45, -0.2, 0.03]]}
loss: cross_entropy
"""
PUBLISHED = {
    "Saito, Deep Learning from Scratch, 3.5.1": (
        ALONE.format(inputs=[0.3, 2.9, 4.0]),
        {"exp1[1]": "1.34985881", "exp1[2]": "18.17414537", "exp1[3]": "54.59815003", "sum": "74.1221542102"}
        | {"out1[1]": "0.01821127", "out1[2]": "0.24519181", "out1[3]": "0.73659691"},
    ),
    "Saito, 3.5.2": (
        ALONE.format(inputs=[1010, 1000, 990]),
        {"max": "1010", "out1[1]": "9.99954600e-01", "out1[2]": "4.53978686e-05", "out1[3]": "2.06106005e-09"},
    ),
    "Tom Yeh, AI by Hand": (
        ALONE.format(inputs=[1, 0, -1, 3]),
        {"exp1[1]": "2.718281828459045", "exp1[2]": "1", "exp1[3]": "0.36787944117144233", "sum": "24.171698192818155"},
    ),
    "CS231n notes, linear classification": (
        CS231N,
        {"net.a": "-2.85", "net.b": "0.86", "net.c": "0.28", "exp.a": "0.058", "exp.b": "2.36", "exp.c": "1.32"}
        | {"out.b": "0.631", "out.c": "0.353", "loss": "1.04"},
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_powers_and_sums_are_found(name: str) -> None:
    text, printed = PUBLISHED[name]
    assert {number.id: number.status for number in audit(loads(text), printed).numbers if number.status not in ("exact", "rounded")} == {}


def test_a_published_quotient_of_rounded_powers_is_carried() -> None:
    """CS231n prints 0.058/(0.058 + 2.36 + 1.32) = 0.016; in full precision it is 0.0154."""
    printed = PUBLISHED["CS231n notes, linear classification"][1] | {"out.a": "0.016"}
    found = audit(loads(CS231N), printed)
    assert {number.id: number.status for number in found.numbers if number.status not in ("exact", "rounded")} == {"out.a": "carried"}


# --- marking ----------------------------------------------------------------------------------------------------------


def sheet(powers: list[float], total: float | None = None, outputs: list[float] | None = None, places: int = 4) -> dict[str, str]:
    """Answers to the three steps."""
    whole = sum(powers) if total is None else total
    shown = {f"exp.o{number}": power for number, power in enumerate(powers, 1)} | {"sum": whole}
    shown |= {f"out.o{number}": value for number, value in enumerate(outputs or [power / whole for power in powers], 1)}
    return {name: f"{value:.{places}f}" for name, value in shown.items()}


RIGHT = [math.exp(z) for z in NET]
TWICE = [math.exp(power / sum(RIGHT)) for power in RIGHT]
SLIPS = {
    "ten for e": (
        sheet([10**z for z in NET]),
        {"exp": ("mistake", ("ten-for-e",)), "sum": ("follow_through", ()), "out": ("follow_through", ())},
    ),
    "no power": (sheet([*NET]), {"exp": ("mistake", ("softmax-without-exponent",)), "out": ("follow_through", ())}),
    "wrong sign": (sheet([math.exp(-z) for z in NET]), {"exp": ("mistake", ("softmax-without-exponent",))}),
    "wrong sum": (sheet(RIGHT, 4.1), {"exp": ("correct", ()), "sum": ("wrong", ()), "out": ("follow_through", ())}),
    "no power in the quotient": (
        sheet(RIGHT, None, [z / sum(NET) for z in NET]),
        {"exp": ("correct", ()), "sum": ("correct", ()), "out": ("mistake", ("softmax-without-exponent",))},
    ),
    "twice": (
        sheet(RIGHT, None, [power / sum(TWICE) for power in TWICE]),
        {"sum": ("correct", ()), "out": ("mistake", ("softmax-twice",))},
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_slips_are_found_where_they_happened(name: str) -> None:
    answers, wanted = SLIPS[name]
    for mark in check(loads(TEXT), answers).answers:
        part = mark.id.partition(".")[0]
        if part in wanted:
            assert (mark.verdict, mark.mistakes) == wanted[part], mark.id


def test_powers_of_shifted_net_inputs_are_another_convention() -> None:
    answers = sheet([math.exp(z - max(NET)) for z in NET])
    found = {mark.id: (mark.verdict, mark.conventions) for mark in check(loads(TEXT), answers).answers}
    assert found["exp.o1"][0] == found["sum"][0] == "convention" and found["out.o1"][0] == "correct"


@pytest.mark.parametrize("places", [2, 3, 4])
def test_rounding_on_the_way_is_no_slip_in_steps_or_in_one_line(places: int) -> None:
    """From rounded powers and their sum, and from rounded net inputs at once."""
    powers = [round(math.exp(z), places) for z in NET]
    steps = sheet(powers, places=places)
    assert {mark.verdict for mark in check(loads(TEXT), steps).answers} <= {"correct", "rounded"}
    text = TEXT.replace("[1.0, 0.5]", "[1.037, 0.513]")
    nets = [round(float(derive(loads(text)).value(f"net.o{number}")), places) for number in (1, 2, 3)]
    whole = sum(map(math.exp, nets))
    one_line = {f"net.o{number}": f"{z:.{places}f}" for number, z in enumerate(nets, 1)}
    one_line |= {f"out.o{number}": f"{math.exp(z) / whole:.{places}f}" for number, z in enumerate(nets, 1)}
    assert {mark.verdict for mark in check(loads(text), one_line).answers} <= {"correct", "rounded"}


def test_formulas_in_steps_and_in_one_line_are_right() -> None:
    terms = " + ".join(f"exp(net_o{number})" for number in (1, 2, 3))
    answers = {"exp.o1": "exp(net_o1)", "sum": "exp_o1 + exp_o2 + exp_o3", "out.o1": "exp_o1/sum", "out.o2": f"exp(net_o2)/({terms})"}
    assert {mark.verdict for mark in check(loads(TEXT), answers).answers} == {"correct"}


def test_a_blank_sheet_asks_for_the_steps() -> None:
    from handcalc.marking.desk import Desk

    desk = Desk(loads(TEXT), "", 1)
    assert {desk.book.cell_id(wanted) for wanted in desk.interpreter.default()} >= {"exp.o1", "exp.o2", "exp.o3", "sum"}


def test_every_notation_has_letters_for_the_steps() -> None:
    from handcalc.render.notation import profiles

    found = derive(loads(TEXT))
    for notation in profiles():
        text = render(found, "plain", notation)
        assert isinstance(text, str) and len(re.findall(r"\bexp_\w+ = exp\(", text)) == 4 and "  sum = exp_" in text, notation


def test_a_bracket_of_a_formula_is_explained_once() -> None:
    text = str(render(derive(load(str(shipped()["small-gpt"]))), "plain"))
    before, *after = text.split(" is 1 where that is so, else 0.")
    assert len(after) == 1 and re.findall(r"\[l1' = l1\]", before) == ["[l1' = l1]"] * 2  # in the formula, and as what is explained
    assert not re.search(r"\[\w+' = \w+\]", before.replace("l1", ""))


# --- temperature, and the mean over tokens ----------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", ["2", "0.5", "1"])
def test_a_temperature_divides_the_net_inputs(temperature: str) -> None:
    """exp = e^(z/T); one of 1 is none. The loss of softmax and cross-entropy in one step is the same, and gradients are derivatives."""
    whole = loads(TEXT.replace("softmax", f"{{softmax: {{temperature: {temperature}}}}}"))
    found = derive(whole)
    powers = [math.exp(z / float(temperature)) for z in NET]
    assert [float(found.value(f"exp.o{place}")) for place in (1, 2, 3)] == pytest.approx(powers, rel=1e-12)
    assert float(found.value("out.o2")) == pytest.approx(powers[1] / sum(powers), rel=1e-12)
    assert (whole.layers[0].activations == loads(TEXT).layers[0].activations) == (temperature == "1")
    assert float(found.value("grad.net.o1")) == pytest.approx(powers[0] / sum(powers) / float(temperature), rel=1e-12)
    fused = derive(whole.replace(conventions=whole.conventions.replace(softmax_loss="fused")))
    assert float(fused.value("loss")) == pytest.approx(float(found.value("loss")), rel=1e-12)
    assert (
        gradcheck(whole).ok and check(whole, {step.id: step.shown.plain for step in found.steps() if step.formula is not None}).score == 1
    )


@pytest.mark.parametrize("typed, said", [("0", "above 0"), ("-1", "above 0"), ("hot", "number")])
def test_a_temperature_is_above_zero(typed: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        loads(TEXT.replace("softmax", f"{{softmax: {{temperature: {typed}}}}}"))


@pytest.mark.parametrize("fused", ["", "conventions: {softmax_loss: fused}\n"])
def test_cross_entropy_averaged_over_tokens(fused: str) -> None:
    """As PyTorch's CrossEntropyLoss: Σ over the outputs of a token, the mean over tokens."""
    summed, mean = (derive(loads(TOKENS.replace("loss: ", f"loss: {word}") + fused)) for word in ("", "mean_"))
    assert float(mean.value("loss")) == pytest.approx(float(summed.value("loss")) / 2, rel=1e-12)
    assert float(mean.value("grad.W1[1,1]")) == pytest.approx(float(summed.value("grad.W1[1,1]")) / 2, rel=1e-12)
    sheet = {step.id: step.shown.plain for step in summed.steps() if step.formula is not None}
    marked = check(loads(TOKENS.replace("loss: ", "loss: mean_") + fused), sheet)
    assert {answer.verdict for answer in marked.answers} <= {"correct", "rounded", "convention"}


@pytest.mark.parametrize("typed", ["[0, 1]", "[o1, o2]", "[[1, 0], [0, 1]]"])
def test_classes_of_tokens(typed: str) -> None:
    """The number of the class from 0, or its name, for each token."""
    problem = loads(TOKENS.replace("[[1, 0], [0, 1]]", typed))
    assert problem.samples == loads(TOKENS).samples
    with pytest.raises(ProblemError, match=r"one target per output is expected: 4 \(token × neuron = 2×2\), found 2"):
        loads(TOKENS.replace("[[1, 0], [0, 1]]", "[0, 2]"))

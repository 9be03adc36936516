"""Numerical differentiation: it agrees with the chain rule on every shipped problem, finds a broken gradient, names kinks and
conventions, and says how its error depends on h."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from networks import NETWORKS, Network
from oracles import law
from rich.cells import cell_len
from shipping import EACH, loaded

from handcalc import cli, loads
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Number, Ref, mul
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import ProblemError, UnknownIdError
from handcalc.loading.loader import load, shipped
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render import read
from handcalc.render.blocks import Equation, Put
from handcalc.training.gradcheck import comparing as module
from handcalc.training.gradcheck.comparing import Checked, CheckedGradient, Differentiation, gradcheck
from handcalc.training.gradcheck.report import report


@cache
def study(name: str) -> Differentiation:
    """A problem, six significant digits shown, whatever it says itself."""
    return Differentiation(loaded(name), Rounding())


def _differentiable(name: str) -> bool:
    try:
        study(name)
    except ProblemError:
        return False
    return True


PROBLEMS = [name for name in shipped() if _differentiable(name)]
SMOOTH = ["mazur-2-2-2", "zhou-four-people", "xigua-thresholds", "softmax-cross-entropy", "custom-formulas", "cs231n-neuron"]
NOISY = {"deeplearning-ai-logistic": 1e-7}  # 1 − o of an output near 1 has few digits, and so has its logarithm
every_problem = pytest.mark.parametrize("name", [kind for kind in EACH if kind.values[0] in PROBLEMS])


@cache
def checked(name: str, h: float = 1e-4) -> Checked:
    """A problem with everything that has a gradient worth asking for, inputs included."""
    gradients, omitted = study(name).gradients(inputs=True, limit=0)
    return study(name).check(gradients, h, omitted)


def rows(result: Checked) -> dict[str, CheckedGradient]:
    return {row.id: row for row in result.rows}


def verdicts(text: str, h: float = 1e-4, **options: Any) -> dict[str, str]:
    return {row.id: row.verdict for row in gradcheck(loads(text), h, **options).rows}


# --- the law ------------------------------------------------------------------------------------------------------------


def test_there_are_problems() -> None:
    assert len(PROBLEMS) >= 25 and {*SMOOTH, "micrograd-readme", "hinge-margin", "minimise-x0-x1"} <= {*PROBLEMS}


@every_problem
def test_the_chain_rule_agrees_with_central_differences(name: str) -> None:
    result = checked(name)
    assert result.ok and result.rows and not result.omitted
    for row in result.rows:
        if row.verdict == "kink":
            assert row.kinks
        elif row.verdict == "convention":
            assert row.convention == "hidden_error_weights: updated"
        else:
            assert row.central is not None
            assert math.isclose(row.chain_rule, row.central, rel_tol=1e-6, abs_tol=NOISY.get(name, 1e-9)), row


@every_problem
def test_values_are_those_of_the_whole_graph(name: str) -> None:
    """Working out again only what depends on the moved cell gives what working out everything gives."""
    derivation = study(name).derivation
    for row in checked(name).rows:
        start = float(derivation.evaluation[row.moved])
        replaced = [{**derivation.evaluation.replaced, row.moved: x} for x in (start - row.h, start, start + row.h)]
        assert row.values == tuple(float(Evaluation(derivation.graph, None, known)[row.objective]) for known in replaced)


@every_problem
def test_the_gradients_are_those_of_the_solution(name: str) -> None:
    derivation = derive(load(name))
    for row in checked(name).rows:
        if row.gradient[0] != "grad.x" and not derivation.rounding.carry:
            assert row.chain_rule == float(derivation.value("grad." + row.id))


@law(15)
@given(network=NETWORKS)
def test_random_networks(network: Network) -> None:
    assume(network.margin() > 1e-3)
    result = gradcheck(loads(network.yaml()), limit=6)
    assert [row for row in result.rows if row.verdict != "ok"] == []


@every_problem
def test_the_forward_error_shrinks_with_h(name: str) -> None:
    """About tenfold from h to h/10, where it is not round-off."""
    steps = [1e-3, 1e-4, 1e-5]
    for one in zip(*(checked(name, h).rows for h in steps)):
        if any(row.verdict != "ok" or row.forward is None for row in one):
            continue
        errors = [abs((row.forward or 0) - row.chain_rule) for row in one]
        if errors[-1] > max(row_noise(one[-1]), 10 * NOISY.get(name, 0)):
            assert 5 < errors[0] / errors[1] < 20 and 5 < errors[1] / errors[2] < 20, one[0].id


def row_noise(row: CheckedGradient) -> float:
    """An error that may be round-off, or the next term of the series."""
    assert row.values is not None
    return max(1e-8 * max(1.0, *map(abs, row.values)), 1e-5 * abs(row.chain_rule))


def test_the_error_of_a_central_difference_is_of_second_order() -> None:
    coarse, fine = (rows(checked("mazur-2-2-2", h))["w5"].difference for h in (1e-2, 1e-3))
    assert coarse is not None and fine is not None and 90 < coarse / fine < 110


# --- a gradient that is wrong --------------------------------------------------------------------------------------------


def broken(name: str, gradient: str, factor: Number) -> Differentiation:
    """A problem one of whose gradients was redefined."""
    found = Differentiation(load(name))
    quantity = found.derivation.graph[gradient]
    definition: Expr = quantity.definition or Number(0)
    found.derivation.graph.redefine(quantity.replace(definition=mul(factor, definition)))
    found.derivation.evaluation.values.clear()  # some were needed to see whether softmax can be worked in steps
    return found


@pytest.mark.parametrize("name", SMOOTH[:5])
@pytest.mark.parametrize("factor", [Number(-1), Number(2), Number(9, 10)])
def test_a_broken_gradient_is_found(name: str, factor: Number) -> None:
    last = f"grad.W{len(load(name).layers)}"
    found = broken(name, last, factor)
    result = found.check(found.gradients()[0])
    assert not result.ok
    for row in result.rows:
        assert row.verdict == ("wrong" if row.gradient[0] == last else "ok"), row.id


def test_an_error_further_back_is_found_in_what_depends_on_it() -> None:
    found = broken("mazur-2-2-2", "grad.out1", Number(3, 2))
    result = rows(found.check(found.gradients()[0]))
    assert {name for name, row in result.items() if row.verdict == "wrong"} == {"w1", "w2", "w3", "w4"}


def test_a_small_error_is_suspicious() -> None:
    found = broken("mazur-2-2-2", "grad.W2", Number(100_003, 100_000))
    result = found.check([("grad.W2", (0, 0))])
    assert (result.rows[0].verdict, result.ok) == ("suspicious", False)


def test_a_kink_nearby_does_not_hide_a_wrong_gradient() -> None:
    text = "given: {x: 0.00003}\nequations: {f: 2*relu(x)}\nminimize: f"
    good, bad = Differentiation(loads(text)), Differentiation(loads(text))
    quantity = bad.derivation.graph["grad.x"]
    bad.derivation.graph.redefine(quantity.replace(definition=Number(3)))
    assert good.check(good.gradients()[0]).rows[0].verdict == "kink"
    row = bad.check(bad.gradients()[0]).rows[0]
    assert row.verdict == "wrong" and not row.kinks


# --- kinks --------------------------------------------------------------------------------------------------------------

AT_ZERO = """
    inputs: {x1: 1, x2: 2}
    targets: {o: 1}
    layers:
      - neurons: [h1, h2]
        activation: ACTIVATION
        weights: {w1: [x1, h1, 1], w2: [x2, h1, -0.5], w3: [x1, h2, 0.3], w4: [x2, h2, 0.4]}
      - neurons: [o]
        activation: identity
        weights: {w5: [h1, o, 0.5], w6: [h2, o, 0.25]}
    loss: half_squared_error
    learning_rate: 0.1
"""


@pytest.mark.parametrize("activation", ["relu", "{leaky_relu: {slope: 0.1}}", "{elu: {alpha: 0.5}}", "abs(z)", "max(0, z)", "step"])
def test_a_net_input_at_a_kink_is_named(activation: str) -> None:
    result = rows(gradcheck(loads(AT_ZERO.replace("ACTIVATION", activation))))
    assert {name: row.verdict for name, row in result.items()} == {
        **dict.fromkeys(("w1", "w2"), "kink"),
        **dict.fromkeys(("w3", "w4", "w5", "w6"), "ok"),
    }
    (kink,) = result["w1"].kinks
    assert kink.touched and Ref("net1", (0,)) in (kink.left, kink.right)


def test_what_is_not_differentiable_is_said_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "zero.yaml"
    path.write_text(AT_ZERO.replace("ACTIVATION", "relu"))
    code, out, _ = run(capsys, str(path))
    assert code == 0
    assert "∂E/∂w1, ∂E/∂w2: net_h1 = 0, where ReLU has a kink: there is no derivative" in one_line(out)
    assert "relu_at_zero: 0" in out and "4 of 6 gradients agree" in out


@pytest.mark.parametrize("convention", ["0", "0.5", "1"])
def test_a_kink_is_one_under_every_convention(convention: str) -> None:
    """Half the slope is what a central difference gives, yet there is no derivative."""
    text = AT_ZERO.replace("ACTIVATION", "relu") + f"    conventions: {{relu_at_zero: {convention}}}"
    row = rows(gradcheck(loads(text)))["w1"]
    assert row.verdict == "kink" and row.chain_rule == pytest.approx(float(convention) * -0.3625)


def test_a_kink_that_does_not_matter_is_none() -> None:
    text = AT_ZERO.replace("ACTIVATION", "relu").replace("[h1, o, 0.5]", "[h1, o, 0]")
    assert set(verdicts(text).values()) == {"ok"}
    smooth = "given: {x: 0}\nequations: {f: 3*x + x/(1 + abs(x))}\nminimize: f"
    assert verdicts(smooth) == {"x": "ok"}


def test_a_kink_within_h_is_passed_and_a_smaller_h_tells() -> None:
    result = rows(gradcheck(loads("given: {x: 0.00003, y: -0.00004}\nequations: {f: 2*relu(x) + abs(y)*x}\nminimize: f")))
    assert [result[name].verdict for name in "xy"] == ["kink", "kink"]
    assert result["x"].clear == pytest.approx(1e-5) and not result["x"].kinks[0].touched
    assert rows(gradcheck(loads("given: {x: 0.00003}\nequations: {f: 2*relu(x)}\nminimize: f"), 1e-6))["x"].verdict == "ok"


def test_ties_of_the_larger_and_the_corner_of_hinge() -> None:
    ties = 'given: {a: 2, b: 0.5, c: 7}\nequations: {f: "max(a, 4*b) + min(c, 7) + c"}\nminimize: f'
    assert verdicts(ties) == dict.fromkeys("abc", "kink")
    corner = """
        inputs: {x: 2}
        targets: {o: 1}
        layers: [{neurons: [o], activation: identity, weights: {w: [x, o, 0.5]}, bias: {b: 0}}]
        loss: hinge"""
    result = rows(gradcheck(loads(corner)))
    assert [row.verdict for row in result.values()] == ["kink", "kink"] and result["w"].kinks[0].step[0] == "loss_term"


# --- conventions that are no derivatives ----------------------------------------------------------------------------------


def test_updated_weights_are_a_convention_and_no_mistake() -> None:
    result = rows(checked("mazur-updated-weights"))
    expected = {**dict.fromkeys(("w1", "w2", "w3", "w4", "i1", "i2"), "convention"), **dict.fromkeys(("w5", "w6", "w7", "w8"), "ok")}
    assert {name: row.verdict for name, row in result.items()} == expected


@pytest.mark.parametrize("name", ["fausett-2-2-1", "perceptron-or"])
def test_without_a_loss_there_is_nothing_to_differentiate(name: str) -> None:
    with pytest.raises(ProblemError, match="error: direct has no loss to differentiate"):
        gradcheck(load(name))


def test_a_forward_pass_has_nothing_to_differentiate() -> None:
    with pytest.raises(ProblemError, match="a loss and targets, or minimize, are needed"):
        gradcheck(load("zhou-feedforward"))


# --- which gradients --------------------------------------------------------------------------------------------------------


def test_trained_parameters_are_checked() -> None:
    assert [*rows(gradcheck(load("mazur-2-2-2")))] == [f"w{number}" for number in range(1, 9)]
    assert [*rows(gradcheck(load("grokking-frozen-weight")))] == ["w1", "w2"]
    assert [*rows(gradcheck(load("ng-relu-1-1-1")))] == ["w1", "b1", "w2", "b2"]  # no learning rate: all of them


def test_givens_and_inputs() -> None:
    assert [*rows(gradcheck(load("cs231n-add-mul"), inputs=True))] == ["x", "y", "z"]
    assert [*rows(gradcheck(load("zhou-alice"), inputs=True))][-2:] == ["x1", "x2"]
    constant = loads("given: {x: 1, y: 2}\nequations: {f: 2*x}\nminimize: f")
    assert [*rows(gradcheck(constant))] == ["x"]


def test_anything_with_a_gradient_can_be_asked() -> None:
    wanted = ("grad.w5", "b1", "net.h1", "δ_o1", "new.w7", "delta.w8", "i1")
    result = gradcheck(load("mazur-2-2-2"), only=wanted)
    assert [row.id for row in result.rows] == ["w5", "b1", "net.h1", "net.o1", "w7", "w8", "i1"] and result.ok
    own = gradcheck(load("zhou-four-people"), only=("grad.w1@Bob", "out.h2@Diana", "w1"))
    assert [row.id for row in own.rows] == ["w1@Bob", "out.h2@Diana", "w1"] and own.ok
    assert [row.objective for row in own.rows] == [("loss@", (1,)), ("loss@", (3,)), ("loss", ())]


@pytest.mark.parametrize("wanted", ["w99", "rate", "after.loss", "path.o1.h1", "target.o1", "local.out.o1"])
def test_what_has_none_cannot(wanted: str) -> None:
    with pytest.raises(UnknownIdError):
        gradcheck(load("mazur-2-2-2"), only=(wanted,))


def test_rows_of_a_large_matrix_are_left_out() -> None:
    result = gradcheck(load("shared-bias-2-3-2"), limit=2)
    assert [row.id for row in result.rows] == ["w1", "w2", "b1", "w7", "w8", "b2"] and result.omitted == 8


def test_online_training_checks_the_first_update() -> None:
    text = """
        samples: [{name: A, inputs: [1, -1], targets: [1]}, {name: B, inputs: [0, 2], targets: [0]}]
        layers: [{neurons: 1, activation: tanh, weights: [[-0.6, 0.7]], bias: 0.8}]
        loss: half_squared_error
        learning_rate: 0.25
        training: {mode: online}
    """
    result = gradcheck(loads(text), inputs=True)
    assert result.ok and result.rows[0].chain_rule == float(derive(loads(text)).value("grad.W1[1,1]"))


def test_carried_rounding_is_left_out() -> None:
    text = shipped()["mazur-2-2-2"].read_text() + "\nrounding: {decimals: 2, carry: true}\n"
    assert gradcheck(loads(text)).rows == gradcheck(load("mazur-2-2-2")).rows


# --- h ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [0, -1e-4, math.inf, math.nan])
def test_h_must_be_positive(h: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        gradcheck(load("mazur-2-2-2"), h)


def test_an_h_that_tells_nothing() -> None:
    """A tiny h leaves round-off only; a huge one is helped by a smaller."""
    tiny, huge = (rows(gradcheck(load("mazur-2-2-2"), h, only=("w1", "w5"))) for h in (1e-14, 5))
    assert tiny["w1"].verdict == "suspicious" and tiny["w1"].note is not None
    assert huge["w5"].verdict == "ok" and huge["w5"].clear == pytest.approx(0.05)
    none = gradcheck(load("mazur-2-2-2"), 1e-18, only=("w5",)).rows[0]
    assert (none.verdict, none.central) == ("suspicious", None) and "too small beside w5" in str(none.note)


def test_where_the_loss_has_no_value_h_is_made_smaller() -> None:
    row = gradcheck(loads("given: {k: 0.00005}\nequations: {f: ln(k)}\nminimize: f")).rows[0]
    assert (row.verdict, row.h < 1e-5) == ("ok", True) and "not defined" in str(row.reason)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_best_h_of_a_central_difference(name: str) -> None:
    result = study(name)
    for gradient in result.gradients()[0]:
        sweep = result.sweep(gradient)
        if sweep.truncated(2):
            assert 1e-7 <= sweep.best(2)[0] <= 1e-3
            assert sweep.best(1)[0] < sweep.best(2)[0] * 1.01 and sweep.best(1)[1] > sweep.best(2)[1]
    assert result.sweep(result.gradients()[0][0]).truncated(1)


def test_the_error_against_h_is_a_v() -> None:
    points = study("mazur-2-2-2").sweep(("grad.W2", (0, 0))).points
    assert [h for h, *_ in points] == [float(f"1e-{places}") for places in range(1, 14)]
    forward, central = ([point[kind] or 0 for point in points] for kind in (1, 2))
    assert forward[:6] == sorted(forward[:6], reverse=True) and central[:4] == sorted(central[:4], reverse=True)
    assert forward[-1] > 1e3 * min(forward) and central[-1] > 1e3 * min(central)


def test_parabolas_and_straight_lines_have_no_truncation() -> None:
    parabola = study("minimise-x0-x1").sweep(("grad.x0", ()))
    line = study("cs231n-add-mul").sweep(("grad.x", ()))
    assert [parabola.truncated(1), parabola.truncated(2)] == [True, False]
    assert [line.truncated(1), line.truncated(2)] == [False, False]


# --- what is printed ------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors of `handcalc gradcheck …`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setenv("LC_ALL", "C.UTF-8")
        with pytest.raises(SystemExit) as ended:
            cli.main(["gradcheck", *([] if "--lang" in arguments else ["--lang", "en"]), *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


def one_line(text: str) -> str:
    return " ".join(text.split())


@every_problem
def test_everything_fits_into_80_columns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, name, "--sweep", "--tangent", checked(name).rows[-1].id)
    assert (code, err) == (0, "") and "Tangent line" in out
    assert [line for line in out.splitlines() if cell_len(line) > 80] == []


@pytest.mark.parametrize("name", ["mazur-2-2-2", "minimise-x0-x1", "cs231n-add-mul", "mazur-updated-weights"])
def test_plain_is_ascii(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, name, "--sweep", "--tangent", checked(name).rows[0].id, "--format", "plain")
    assert out.replace(load(name).title, "").isascii() and "Tangent line" in out


@pytest.mark.parametrize("notation", NOTATION_NAMES)
@pytest.mark.parametrize("name", ["zhou-four-people", "xigua-thresholds", "per-connection-bias-2-3-1", "minimise-x0-x1"])
def test_the_worked_line_holds_in_every_notation(name: str, notation: str) -> None:
    """(E(w + h) − E(w − h))/(2h) with the printed numbers is the printed result, whatever the letter stands for."""
    found = study(name)
    for gradient in (*found.gradients()[0], *((("grad.net1", (0,)),) if name.startswith("xigua") else ())):
        result = found.check([gradient])
        reading = read(found.derivation, notation)
        line = next(block for block in report(result, reading) if isinstance(block, Equation))
        put, digits = line.right[1][1], line.right[2][1]
        assert isinstance(put, Put)
        values = {Ref(*cell): float(shown.value) for cell, shown in put.numbers.items()}
        known = Evaluation(found.derivation.graph, None, {(ref.quantity, ref.indices): value for ref, value in values.items()})  # type: ignore[misc]
        got = float(known.of(put.expr))
        assert got == pytest.approx(digits.number.value, rel=1e-5)  # type: ignore[union-attr]
        assert got == pytest.approx(reading.shown(gradient).value, rel=1e-2)


def test_a_worked_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "mazur-2-2-2", "--only", "w5", "--decimals", "4")
    text = one_line(out)
    assert code == 0
    assert "∂E/∂w5 ≈ (E_total(w5 + h) - E_total(w5 - h))/(2h) ≈ (0.298379325403 - 0.298362891995)/(2·0.0001) ≈ 0.0822" in text
    assert "forward = (E_total(w5 + h) - E_total(w5))/h" in text and "The gradient agrees" in text


def test_a_tangent_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "minimise-x0-x1", "--tangent", "x0", "--tangent", "x1")
    assert "y = f'(a)·(x0 - a) + f(a) = -6·(x0 + 3.0) + 25 = -6·x0 + 7" in out
    assert "y = f'(a)·(x1 - a) + f(a) = 8·(x1 - 4.0) + 25 = 8·x1 - 7" in out
    _, out, _ = run(capsys, "mazur-2-2-2", "--tangent", "w1")
    assert "≈ 0.000438568·(w1 - 0.15) + 0.298371 ≈ 0.000438568·w1 + 0.298305" in one_line(out)


def test_tangents_touch_in_every_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """θ = −b: the slope along θ is that of the loss against θ."""
    _, out, _ = run(capsys, "zhou-alice", "--tangent", "b3", "--notation", "negnevitsky")
    slope = next(line.split("≈")[1] for line in out.splitlines() if "'(a) ≈" in line)
    shown = rows(checked("zhou-alice"))["b3"].chain_rule
    assert float(slope) == pytest.approx(-shown, rel=1e-4)


def test_there_is_no_tangent_at_a_kink(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "corner.yaml"
    path.write_text("given: {x: 0}\nequations: {f: relu(x) + 2*x}\nminimize: f\n")
    _, out, _ = run(capsys, str(path), "--tangent", "x", "--sweep")
    assert "from the left ≈ 2.00000" in out and "from the right ≈ 3.00000" in out and "no h makes the error small" in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "zhou-four-people", "--format", "json")
    found = json.loads(out)
    assert code == 0 and {*found} == {"h", "ok", "rows"} and (found["h"], found["ok"]) == (1e-4, True)
    assert [row["id"] for row in found["rows"]] == ["w1", "w2", "w3", "w4", "b1", "b2", "w5", "w6", "b3"]
    for row, expected in zip(found["rows"], gradcheck(load("zhou-four-people")).rows):
        assert {*row} == {"id", "chain_rule", "central", "forward", "backward", "relative_error", "verdict"}
        assert [row[key] for key in row] == [getattr(expected, key) for key in row]
    code, out, _ = run(capsys, "softmax-cross-entropy", "--format", "json", "--only", "W1[2,1]", "--sweep", "b1[2]", "--tangent", "b1[2]")
    found = json.loads(out)
    assert [row["id"] for row in found["rows"]] == ["W1[2,1]", "b1[2]"]
    assert found["sweep"]["id"] == "b1[2]" and len(found["sweep"]["points"]) == 13 and 1e-7 <= found["sweep"]["best_central"] <= 1e-3
    assert {*found["tangents"][0]} == {"id", "at", "value", "slope"}
    _, out, _ = run(capsys, "mazur-updated-weights", "--format", "json", "--rows", "1")
    found = json.loads(out)
    assert found["omitted"] == 6 and "hidden_error_weights: updated" in found["rows"][0]["note"]


def test_exit_codes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(capsys, "mazur-2-2-2")[0] == 0
    for wrong in (
        ("fausett-2-2-1",),
        ("no-such-file",),
        ("mazur-2-2-2", "--only", "w99"),
        ("mazur-2-2-2", "--h", "0"),
        ("mazur-2-2-2", "--h", "nan"),
    ):
        code, out, err = run(capsys, *wrong)
        assert (code, out) == (2, "") and err, wrong
    bad = broken("mazur-2-2-2", "grad.W2", Number(2))
    monkeypatch.setattr(module, "derive", lambda *_, **__: bad.derivation)
    code, out, _ = run(capsys, "mazur-2-2-2")
    assert code == 1 and "4 of 8 gradients are not confirmed: w5, w6, w7, w8." in out
    code, out, _ = run(capsys, "mazur-2-2-2", "--format", "json")
    assert code == 1 and json.loads(out)["ok"] is False


def test_a_report_goes_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "check.txt"
    assert run(capsys, "mazur-2-2-2", "-o", str(path))[0] == 0 and "∂E/∂w8" in path.read_text("utf-8")
    assert run(capsys, "mazur-2-2-2", "-o", str(path))[0] == 2
    assert run(capsys, "mazur-2-2-2", "-o", str(path), "--force", "--format", "json")[0] == 0 and json.loads(path.read_text())["ok"]


def test_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "shared-bias-2-3-2", "--rows", "2")
    assert "8 more are not checked; --rows 0 checks all" in out


def test_hostile_names_stay_visible(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text('title: "a\\u001b[31m\\u202eb"\ngiven: {x: 1}\nequations: {f: x^2}\nminimize: f\n', "utf-8")
    _, out, _ = run(capsys, str(path))
    assert "\x1b" not in out and "\u202e" not in out and "\\u001b" in out


def test_truncated_layers_have_no_derivative_on_purpose() -> None:
    """The error of truncated back-propagation through time does not come all the way back."""
    problem = loads("""
inputs: [[1], [0.5], [0.25]]
targets: [0.3]
layers:
  - {type: rnn, neurons: [h], input_weights: [[0.5]], hidden_weights: [[0.8]], returns: last, truncate: 1}
learning_rate: 0.1
""")
    found = gradcheck(problem)
    assert {row.verdict for row in found.rows if "W" in row.id} == {"convention"}
    assert {row.convention for row in found.rows if "W" in row.id} == {"truncate: 1"}

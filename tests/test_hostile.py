"""Whatever files hold, a command says what is wrong with them, soon and with little memory (hostile.py makes the files)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import hostile
import numpy
import pytest

from handcalc.cli import main
from handcalc.deriving import derive
from handcalc.errors import HandcalcError, ProblemError
from handcalc.exercises.asked import AskedDigits, Exercise, Worked
from handcalc.exercises.draw import Draws
from handcalc.exercises.intervals import accepted
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.loading.loader import loads
from handcalc.marking.answers import sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.check import Checker
from handcalc.marking.follow import unit
from handcalc.marking.slips import coincidence
from handcalc.marking.typed import Typed
from handcalc.render import render
from handcalc.render.formats.sidebyside import NarrowTable

QUICK, SLOW = {"problems": 8, "data": 6, "sheets": 4}, {"problems": 400, "data": 100, "sheets": 60}


def try_all(kind: str, count: int, seed: int, folder: Path) -> None:
    failures = []
    for case in hostile.cases(kind, count, seed):
        (folder / case.name).mkdir()
        found = hostile.trial(case, folder / case.name)
        if found.failure:
            failures.append(f"{case.name}: {' '.join(case.command)}: {found.failure}: {found.said}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_some_hostile_files(kind: str, tmp_path: Path) -> None:
    try_all(kind, QUICK[kind], 1, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", hostile.KINDS)
def test_many_hostile_files(kind: str, tmp_path: Path) -> None:
    try_all(kind, SLOW[kind], 2, tmp_path)


def test_the_same_seed_makes_the_same_files() -> None:
    one, two, other = ([*hostile.cases("problems", 4, seed)] for seed in (1, 1, 2))
    assert one == two != other


def test_what_fails_is_seen(tmp_path: Path) -> None:
    """A command that ends in an error of its own, takes too long or too much."""
    assert hostile.Outcome(3, 0, 0, "").failure and hostile.Outcome(-9, 0, 0, "").failure
    assert hostile.Outcome(0, 21, 0, "").failure and hostile.Outcome(0, 1, 2 << 30, "").failure
    assert not hostile.Outcome(2, 1, 1, "").failure
    assert hostile.trial(hostile.Case("x", {}, ("solve", "nothing.yaml")), tmp_path).code == 2
    assert "nothing.yaml" in hostile.trial(hostile.Case("x", {}, ("solve", "nothing.yaml")), tmp_path).said


# --- found once -----------------------------------------------------------------------------------------------------------------

LAYERS = "inputs: [1, 2]\nlayers: [{neurons: 1, weights: %s}]\n"


def refused(text: str, folder: Path | None = None) -> str:
    with pytest.raises(ProblemError) as error:
        loads(text, "p.yaml", folder)
    return str(error.value)


def test_drawn_numbers_that_are_too_large() -> None:
    said = refused(LAYERS % "{random: normal, seed: 1, scale: 1e308}")
    assert said == "p.yaml:2: layers[0].weights.scale: a number that is drawn is too large; give a smaller scale"


def test_numbers_of_words_with_decimals() -> None:
    """1.0 is the word 1."""
    text = "inputs: [%s]\ntargets: [[1, 0]]\nlayers: [{type: embedding, weights: [[0.1, 0.2], [0.3, 0.4]]}]\n"
    one, other = (derive(loads(text % word + "loss: half_squared_error\nlearning_rate: 0.1\n")) for word in ("1", "1.0"))
    assert one.value("loss") == other.value("loss") and render(other, "svg")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (numpy.array([["1e4000", "1"]]).astype(numpy.longdouble), "a.npy holds something that is no finite number"),
        (numpy.zeros(2, dtype=[("a", "f8")]), "a.npy holds something that is no finite number"),
        (numpy.array([[{}, None]], dtype=object), "a.npy cannot be read: it holds no plain numbers, or is no NumPy file"),
    ],
    ids=["long double", "fields", "objects"],
)
def test_arrays_of_other_things(array: numpy.ndarray, said: str, tmp_path: Path) -> None:  # type: ignore[type-arg]
    numpy.save(tmp_path / "a.npy", array)
    assert said in refused(LAYERS % "{file: a.npy}", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"(1, 2)", b"(9, 2)", "its end is missing"),
        (b"(1, 2), }        ", b"(999999999999,), }", "larger than 500000000 bytes"),
        (b"(1, 2)", b"(1, a)", "it holds no plain numbers"),
        (b"(1, 2)", b"(-1,2)", "it is damaged"),
        (b"'<f8'", b"'<q8'", "it holds no plain numbers"),
    ],
)
def test_heads_of_arrays_that_lie(old: bytes, new: bytes, said: str, tmp_path: Path) -> None:
    numpy.save(tmp_path / "a.npy", numpy.ones((1, 2)))
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(old, new))
    assert said in refused(LAYERS % "{file: a.npy}", tmp_path)


def test_an_archive_without_rows(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "z.npz", X=numpy.zeros((0, 2)), T=numpy.zeros((0, 1)))
    text = "data: {file: z.npz, inputs: X, targets: T}\nlayers: [{neurons: 1, weights: [[1, 2]]}]\nloss: half_squared_error\n"
    assert "z.npz is empty" in refused(text, tmp_path)


def test_limits_are_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDCALC_MAX_DRAWN", "1")
    assert "more than 1 numbers to draw; put them into an NPZ file, or set HANDCALC_MAX_DRAWN" in refused(
        LAYERS % "{random: normal, seed: 1}"
    )


@pytest.mark.slow
def test_large_solutions_name_their_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HANDCALC_MAX_WORKED", "1000")
    numpy.save(tmp_path / "w.npy", numpy.ones((1000, 500)))
    inputs = ", ".join(["1"] * 500)
    derivation = derive(loads(f"inputs: [{inputs}]\nlayers: [{{neurons: 1000, weights: {{file: w.npy}}}}]\n", "p.yaml", tmp_path))
    with pytest.raises(HandcalcError, match="500000 numbers of one kind are too many.*HANDCALC_MAX_WORKED"):
        derivation.value("net.o1")


def test_published_numbers_that_cannot_be_read() -> None:
    found = audit(loads((hostile.shipped()["mazur-2-2-2"]).read_text("utf-8")), {"new.w1": "x", "loss": "0,3,4", "out.o1": "0.75"})
    assert len(found.numbers) == 3


def test_the_last_digit_of_a_tiny_number_is_something() -> None:
    assert unit(Typed("1e-320", 1, 10**320, 330, 1)) > 0 and unit(Typed("1/…", 1, 10**320, None, 0)) > 0


def test_many_unknown_ids_are_not_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first of a sheet; the next sheet begins anew."""
    checker = Checker(loads((hostile.shipped()["mazur-2-2-2"]).read_text("utf-8")))
    for _ in range(2):
        marked = checker.mark(sheet_of({f"net.g{place}": "1" for place in range(150)}))
        hinted = ["did you mean" in str(one.note or "") for one in marked.answers if one.id.startswith("net.g")]
        assert hinted == [True] * 100 + [False] * 50


def test_the_width_of_a_table_is_measured_once() -> None:
    """A table of thousands of lines is as wide as its longest: each line asks."""
    assert "cached_property" in type(NarrowTable.__dict__["width"]).__name__


@pytest.mark.slow
def test_a_word_among_thousands_of_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from handcalc.render.lookup import ALL_SEARCHED_CELLS

    rows = "".join("0.1,1\n" for _ in range(ALL_SEARCHED_CELLS // 8))
    (tmp_path / "d.csv").write_text("a,t\n" + rows)
    text = "data: d.csv\ninputs: [a]\ntargets: [t]\nlayers: [{neurons: [o1], activation: sigmoid, weights: [[0.5]]}]\nlearning_rate: 0.1\n"
    (tmp_path / "p.yaml").write_text(text + "loss: half_squared_error\n")
    with pytest.raises(SystemExit) as ended:
        main(["solve", str(tmp_path / "p.yaml"), "--only", "net.o1"])
    assert ended.value.code == 2 and "did you mean" in capsys.readouterr().err
    searched = derive(loads(text + "loss: half_squared_error\n", "p.yaml", tmp_path))
    from handcalc.render import read

    assert len(read(searched).lookup._searched) <= ALL_SEARCHED_CELLS < sum(quantity.size for quantity in searched.graph)


def test_thousands_of_times_are_sorted_once() -> None:
    times = 300
    row = ", ".join(["[0.5]"] * times)
    layer = "{type: rnn, neurons: 1, input_weights: [[0.5]], hidden_weights: [[0.3]], bias: [0.1]}"
    derivation = derive(loads(f"inputs: [{row}]\ntargets: [{row}]\nlayers: [{layer}]\nloss: half_squared_error\nlearning_rate: 0.1\n"))
    groups = [group for group in derivation.groups() if group.time is not None]
    of_net = [group for group in groups if group.quantity.name == "net1"]
    assert [[*derivation.places(group)] for group in of_net] == [[], *([(time, 0)] for time in range(times))]  # nothing at time 0
    assert all(group.holds(place) for group in groups for place in derivation.places(group))


# --- found once: numbers at the end of what there is -----------------------------------------------------------------------------


def asks(digits: AskedDigits, value: float) -> tuple[float, float, bool]:
    return digits.value(value), digits.unit(value), digits.is_tie(value)


@pytest.mark.parametrize("digits", [AskedDigits(4, None), AskedDigits(15, None), AskedDigits(None, 1), AskedDigits(None, 6)])
@pytest.mark.parametrize("value", [1e308, -1.797e308, 5e-324, 1e-320, 0.0])
def test_digits_of_numbers_at_the_end(digits: AskedDigits, value: float) -> None:
    shown, unit, tie = asks(digits, value)
    assert unit >= 0 and not tie and (shown == pytest.approx(value, rel=0.2, abs=unit) or abs(shown) == float("inf"))


def test_what_may_be_answered_of_large_numbers() -> None:
    """The bounds of 10³⁰⁸ to four decimals have 320 digits."""
    text = "inputs: [1e308]\nlayers: [{neurons: [y], activation: identity, weights: [[0.5]]}]\n"
    worked = Worked(Exercise(loads(text)), {})
    ((wanted, digits), *_) = worked.exercise.asked.items()
    assert accepted(worked, wanted, digits).has(Decimal(5) * 10**307)


def test_a_place_outside_of_weights_is_no_parameter() -> None:
    """After times, a layer has weights for the features of each, not for all of them."""
    rnn = "{type: rnn, neurons: [h], input_weights: [[1]], hidden_weights: [[1]]}"
    said = refused(f"inputs: [[1], [2]]\nlayers: [{rnn}, {{neurons: [y], weights: [[2]]}}]\nupdate: {{frozen: ['W2[1,2]']}}\n")
    assert 'there is no parameter "W2[1,2]"' in said


@pytest.mark.parametrize("far", ["1e308", "1e-320"])
def test_deviations_that_are_no_numbers(far: str) -> None:
    said = refused(f"samples: [{{inputs: [{far}]}}, {{inputs: [0]}}]\nstandardize: sample\nlayers: [{{neurons: 1, weights: [[1]]}}]\n")
    assert "the standard deviation is too large or too small for a computer's numbers" in said


@pytest.mark.parametrize("number", ["1e308", "-1e308"])
def test_sheets_whose_numbers_are_too_large_to_go_on_with(number: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The student's own numbers make a number that there is not: the right one stays that of the solution."""
    (tmp_path / "s.txt").write_text(
        "".join(f"{name} = {number}\n" for name in ("net.h1", "out.h1", "out.h2", "w5", "w6", "net.o1", "loss"))
    )
    with pytest.raises(SystemExit) as ended:
        main(["check", "mazur-2-2-2", str(tmp_path / "s.txt")])
    assert ended.value.code == 1 and "net_o1" in capsys.readouterr().out


def test_numbers_of_very_different_sizes_are_not_drawn_from_one_another(tmp_path: Path) -> None:
    """From 5·10⁻³²⁴ to 10³⁰⁸ there are numbers with more digits than a problem may have."""
    (tmp_path / "p.yaml").write_text("inputs: [0.5, 0.1]\nlayers: [{neurons: [y], activation: identity, weights: [[1e308, 5e-324]]}]\n")
    template = ExerciseTemplate(str(tmp_path / "p.yaml"))
    numbers = template.drawn(Draws("a", "1"), 0)
    assert template.cells(numbers) and {"1e308", "5e-324"} <= {*numbers.values()}


def test_an_audit_of_a_weight_that_nothing_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("inputs: [2]\nlayers: [{neurons: [y], activation: sigmoid, weights: {w1: [x1, y, 0]}}]\nlearning_rate: 0.5\n")
    for number in ("new.w1=0", "new.w1=0.3", "new.w1=x"):
        with pytest.raises(SystemExit):
            main(["audit", str(path), "--number", number])
        assert "new.w1" in capsys.readouterr().out


def test_standardised_samples_of_different_lengths() -> None:
    said = refused("samples: [{inputs: [1, 2]}, {inputs: [3]}]\nstandardize: sample\nlayers: [{neurons: 1, weights: [[1, 1]]}]\n")
    assert "samples[1].inputs" in said and "standardize" not in said


def test_a_chance_has_a_logarithm() -> None:
    """However far off a number is, and however many digits it has."""
    for typed in (Typed("1e308", 10**308, 1, 0, 1), Typed("5e-324", 5, 10**324, 324, 1)):
        assert 0 < coincidence(typed, 0.1, 5e-324) <= 1 and 0 < coincidence(typed, 0.1, 1e308) <= 1


def test_gates_whose_weights_cannot_be_read() -> None:
    said = refused("layers: [{type: lstm, neurons: [h], initial_cell: [0.3], hidden_weights: 0.001}]\n")
    assert "inputs" in said

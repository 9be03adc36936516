"""Whatever a problem file holds, it ends in a worked solution or in a HandcalcError, and soon."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipping import thinned

from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.deriving import derive
from handcalc.errors import HandcalcError
from handcalc.layers.sections import sections
from handcalc.loading.loader import load, loads, shipped
from handcalc.problem.words import LOSSES

TEXTS = [path.read_text(encoding="utf-8") for path in shipped().values()]
LINES = sorted({line for text in TEXTS for line in text.splitlines()})

quick = settings(max_examples=100, derandomize=True, database=None, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=5000, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck))

# Values that broke something once, or might.
VALUES = [
    "", "0", "-0", "-1", "0.10", ".5", "1e-3", "1e308", "-1e308", "1e-300", "1e400", ".nan", "-.inf", "1/3", "1/0", "0x10", "1_000",
    "１２", "0,5", "10000000000", "1000", "50", "2", "null", "~", "[]", "{}", "[1, 2]", "[[1]]", "[[1, 2], [3, 4]]", "{a: 1}",
    "{h1: 1}", "true", "no", "'", '"', "|", ">", "&a x", "*a", "!!python/none x", "# x", "x: y", "- x", "a b", "h1", "o1", "x1", "w1",
    "b1", "loss", "rate", "net.h1", "\u202e", "W1[1,1]", "softmax", "step", "sign", "tanh", "relu", "[softmax, tanh]",
    "{leaky_relu: {slope: -1}}", "{elu: {alpha: 0}}", "z^z", "exp(exp(z))", "1/z", "ln(z)", "z*(z)", "sqrt(z)", "(o - t)^3",
    "ln(o)/t", "abs(o)", "o^o", "huber", "{huber: {delta: 0.5}}", "hinge", "direct", "softmax_cross_entropy", "cross_entropy",
    "online", "mini_batch", "{exact: true}", "{carry: true, decimals: 0}", "{decimals: 15}", "{significant: 1}",
    "{ties: truncate, carry: true}", "{frozen: [w1]}", "{biases: false}", "{relu_at_zero: 1, max_ties: split}",
    "{hidden_error_weights: updated}", "{softmax_loss: fused}", "{file: x.npz}", "(" * 40, "2^2^2^2^2^2", "(1 + x",
]  # fmt: skip


def outcome(text: str) -> str:
    """What becomes of a text: solved, or the error's name. Any other exception is a failure."""
    try:
        problem = loads(text)
    except HandcalcError as error:
        return checked(error)
    try:
        derivation = derive(problem, iterations=2)
        rounds = [(number, own := derivation.at(number), own.groups()) for number in (1, 2)]  # each may have samples of its own
    except HandcalcError as error:
        return checked(error)
    result = "solved"
    for iteration, own, groups in rounds:
        cells = ((group.quantity.name, place) for group in groups for place in own.graph.positions(group.quantity.name))
        for cell in islice(cells, 500):
            try:
                own.step(cell, iteration)
            except HandcalcError as error:
                result = checked(error)
    return result


def checked(error: HandcalcError) -> str:
    """The error's name; its messages are there, on one line each, printable, and without an unfilled place."""
    assert error.messages
    for message in error.messages:
        assert str(message).isprintable(), str(message)
    return type(error).__name__


# --- mutated problems ---------------------------------------------------------------------------------------------------


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped problem with a few lines, values or characters changed."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        kind = draw(st.sampled_from(["value", "value", "value", "entry", "line", "delete", "repeat", "character", "indent"]))
        if kind == "value" and ":" in line:
            lines[place] = line.split(":", 1)[0] + ": " + draw(st.sampled_from(VALUES))
        elif kind == "entry" and "," in line:
            parts = line.split(",")
            parts[draw(st.integers(0, len(parts) - 1))] = draw(st.sampled_from(VALUES))
            lines[place] = ",".join(parts)
        elif kind == "line":
            lines[place] = draw(st.sampled_from(LINES))
        elif kind == "delete" and len(lines) > 1:
            del lines[place]
        elif kind == "repeat":
            lines.insert(place, line)
        elif kind == "character" and line:
            column = draw(st.integers(0, len(line) - 1))
            lines[place] = line[:column] + draw(st.characters()) + line[column + 1 :]
        elif kind == "indent":
            lines[place] = " " * draw(st.integers(0, 6)) + line.lstrip()
    return "\n".join(lines) + "\n"


# --- problems made up from the schema's keys ----------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-10, 10, width=16), st.sampled_from([0.1, 0.5, 40, -700, 1e300, "1/3", "1e-9", "-.50"]))
NAMES = st.sampled_from(["x1", "x2", "h1", "o1", "y", "w1", "b1", "a", "f", "loss", "rate", "3", "θ1", "a b", "z"])
SCALARS = st.one_of(NUMBERS, NAMES, st.sampled_from(VALUES), st.none(), st.booleans())
VALUE = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)), max_leaves=8)
FORMS = ["{0} + {1}", "{0}*{1}", "{0}/{1}", "{0}^{1}", "{0}^2", "-{0}", "2", "{0} - {0}", "max({0}, {1})", "{0}²·{1}"]
FORMS += [f"{name}({{0}})" for name, record in FUNCTIONS.items() if len(record.arguments) == 1 and not record.family]
IN_Z = ["z/(1 + abs(z))", "exp(z)", "z^3", "1/z", "ln(z)", "max(0, z)", "z^z", "sqrt(z)", "z/2 + 1"]
IN_O_T = ["(o - t)^4", "abs(o - t)", "-t*ln(o)", "o/t", "exp(o)", "max(o, t)", "sqrt(o - t)"]
SETTINGS: dict[str, list[object]] = {
    "rounding": [
        {"exact": True},
        {"exact": True, "carry": True},
        {"decimals": 4, "carry": True},
        {"decimals": 0},
        {"significant": 2, "carry": True, "ties": "truncate"},
        {"overrides": {"grad.*": {"decimals": 1}, "*": {"significant": 9}}, "carry": True},
    ],
    "conventions": [
        {"hidden_error_weights": "updated"},
        {"relu_at_zero": 0.5, "max_ties": "split"},
        {"softmax_loss": "fused"},
        {"bias_update": False},
    ],
    "update": [{"biases": False}, {"frozen": ["W1[1,1]"]}, {"frozen": ["b1"]}, {"frozen": ["p0"]}],
    "training": [{"mode": "online"}, {"epochs": 3, "stop": {"loss": 0.1}}],
    "title": ["x", "[bold]", "\u202e", 5],
}


@st.composite
def network(draw: st.DrawFn) -> dict[str, object]:
    """A network whose shapes fit: every form of weights and biases, every activation and loss, hard numbers too."""
    sizes = draw(st.lists(st.integers(1, 2), min_size=2, max_size=3))
    numbers = draw(st.sampled_from([st.integers(-2, 2), st.floats(-2, 2, width=16), NUMBERS]))
    names = [[f"n{layer}{place}" for place in range(size)] for layer, size in enumerate(sizes)]
    layers: list[dict[str, object]] = []
    for layer, (before, own) in enumerate(zip(names, names[1:])):
        rows = [[draw(numbers) for _ in before] for _ in own]
        edges = {
            f"w{layer}{to}{place}": [before[place], name, rows[to][place]] for to, name in enumerate(own) for place in range(len(before))
        }
        activation = draw(st.one_of(st.sampled_from(ACTIVATIONS), st.sampled_from(IN_Z)))
        bias = [None, draw(numbers), {f"p{layer}": draw(numbers)}, [draw(numbers) for _ in own], {f"q{layer}": [own[0], draw(numbers)]}]
        key = draw(st.sampled_from(["bias", "threshold"]))
        weights = draw(st.sampled_from([rows, edges]))
        layers.append({"neurons": own, "activation": activation, "weights": weights, key: draw(st.sampled_from(bias))})
    tree: dict[str, object] = {"layers": layers, "learning_rate": 0.5}
    samples: list[dict[str, object]] = []
    for _ in range(draw(st.integers(1, 3))):
        samples.append({"inputs": {name: draw(numbers) for name in names[0]}, "targets": [draw(numbers) for _ in names[-1]]})
    tree |= samples[0] if len(samples) == 1 else {"samples": samples}
    tree |= draw(st.sampled_from([{}, {"error": "direct"}, *({"loss": loss} for loss in (*LOSSES, *IN_O_T))]))
    return tree


@st.composite
def equations(draw: st.DrawFn) -> dict[str, object]:
    """Equations over numbers given and defined before."""
    given_numbers = {name: draw(NUMBERS) for name in ("a", "b")}
    known, defined = list(given_numbers), {}
    for place in range(draw(st.integers(1, 4))):
        left, right = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        known.append(f"q{place}")
        defined[f"q{place}"] = draw(st.sampled_from(FORMS)).format(left, right)
    return {"given": given_numbers, "equations": defined, "minimize": known[-1], "parameters": ["a", "b"], "learning_rate": 0.1}


def spoil(draw: st.DrawFn, tree: object) -> object:
    """The tree with one value somewhere replaced."""
    if isinstance(tree, dict) and tree and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(list(tree)))
        return {**tree, key: spoil(draw, tree[key])}
    if isinstance(tree, list) and tree and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(tree) - 1))
        return [*tree[:place], spoil(draw, tree[place]), *tree[place + 1 :]]
    return draw(VALUE)


@st.composite
def made_up(draw: st.DrawFn) -> str:
    """A problem from the schema's keys, right or with something wrong in it. JSON is YAML."""
    tree = draw(st.one_of(network(), equations()))
    for key in draw(st.lists(st.sampled_from(list(SETTINGS)), max_size=2, unique=True)):
        tree[key] = draw(st.sampled_from(SETTINGS[key]))
    if draw(st.integers(0, 3)) == 3:
        tree[draw(st.sampled_from([field.key for field in sections()["problem"]]))] = draw(VALUE)
    spoilt = spoil(draw, tree) if draw(st.integers(0, 2)) == 2 else tree
    return json.dumps(spoilt, ensure_ascii=False)


BYTES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(":-[]{},&*!|>'\"#% \n\taé1", max_size=80).map(str.encode),
)


def from_bytes(data: bytes, folder: Path) -> str:
    """What becomes of a file with these bytes."""
    file = folder / "fuzz.yaml"
    file.write_bytes(data)
    try:
        load(file)
    except HandcalcError as error:
        return checked(error)
    return "solved"


# --- tests ----------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [mutated(), made_up()], ids=["mutated", "made up"])
def test_problem(strategy: st.SearchStrategy[str]) -> None:
    """Solved or refused; the strategies are no use if everything is refused, or nothing."""
    found = dict.fromkeys(("solved", "ProblemError", "EvaluationError"), 0)

    @quick
    @given(strategy)
    def collect(text: str) -> None:
        found[outcome(text)] += 1

    collect()
    assert found["solved"] >= 10 and found["ProblemError"] >= 10, found


@quick
@given(data=BYTES)
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assert from_bytes(data, tmp_path_factory.getbasetemp()) in ("solved", "ProblemError")


@pytest.mark.slow
@thorough
@given(mutated())
def test_many_mutated_problems(text: str) -> None:
    assert outcome(text) in ("solved", "ProblemError", "EvaluationError")


@pytest.mark.slow
@thorough
@given(made_up())
def test_many_made_up_problems(text: str) -> None:
    assert outcome(text) in ("solved", "ProblemError", "EvaluationError")


@pytest.mark.slow
@thorough
@given(data=BYTES)
def test_many_random_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    assert from_bytes(data, tmp_path_factory.getbasetemp()) in ("solved", "ProblemError")


# Files made to take long: (name, text, seconds it may take)
def chain(count: int) -> str:
    """Layers of one neuron each."""
    return "layers:\n" + "".join(f"  - {{neurons: [n{place}], activation: tanh, weights: [[0.5]]}}\n" for place in range(count))


def doubled(count: int, times: int) -> str:
    """Aliases of aliases."""
    first = f"a0: &a0 [{', '.join('1' * times)}]\n"
    return first + "".join(f"a{place}: &a{place} [{', '.join([f'*a{place - 1}'] * times)}]\n" for place in range(1, count))


SLOW_FILES = [
    ("a hundred layers", "inputs: {x: 0.5}\ntargets: [1]\nlearning_rate: 0.1\n" + chain(100)),
    ("500 layers", "inputs: {x: 0.5}\n" + chain(500)),
    ("1000 open brackets", "[" * 1000),
    ("400 unknown keys", "".join(f"key{place}: 1\n" for place in range(400))),
    ("3000 layers", "inputs: {x: 0.5}\n" + chain(3000)),
    ("300 equations", "given: {a0: 1}\nequations:\n" + "".join(f"  a{k + 1}: a{k}/2 + a{k}\n" for k in range(300)) + "minimize: a300\n"),
    ("3000 samples", "samples:\n" + "- {inputs: [1], targets: [2]}\n" * 3000 + "layers: [{neurons: 1, weights: [[3]]}]\n"),
    ("open brackets", "[" * 100_000),
    ("alias bomb", doubled(30, 8)),
    ("unknown keys", "".join(f"key{place}: 1\n" for place in range(4000))),
    ("edges that are one", "inputs: [1]\nlayers: [{neurons: [y], weights: {" + ", ".join(f"w{k}: [x1, y, 1]" for k in range(3000)) + "}}]"),
    ("large layers by count", "inputs: [1]\nlayers: [" + ", ".join(["{neurons: 5000, weights: {w: [a, b, 1]}}"] * 90) + "]"),
    ("a row of numbers", "inputs: [" + "0.123, " * 15_000 + "]\nlayers: [{neurons: 1, weights: [[1]]}]"),
    ("powers of powers", "given: {x: 3}\nequations: {f: " + "^".join("x" * 25) + "}\nminimize: f\n"),
]


@pytest.mark.parametrize("text", thinned([pytest.param(text, id=name) for name, text in SLOW_FILES], 8))
def test_bounded_time(text: str) -> None:
    started = time.process_time()  # what others do with the computer does not count
    assert outcome(text) in ("solved", "ProblemError", "EvaluationError")
    assert time.process_time() - started < 20


# What the fuzz found once, each in its smallest form.
EXACT = "rounding: {exact: true}\n"
CARRY = "rounding: {exact: true, carry: true}\n"
SQUARES = ", ".join(f"a{place + 1}: a{place}^2" for place in range(40))
FOUND = [
    ("0/0 in a contribution", "given: {a: 0}\nequations: {b: a/a, f: step(b)}\nminimize: f\n", "EvaluationError"),
    ("log2(0) in a contribution", "given: {a: 0}\nequations: {b: log2(a), f: step(b)}\nminimize: f\n", "EvaluationError"),
    ("squares of squares", EXACT + "given: {a0: 3}\nequations: {" + SQUARES + "}\n", "EvaluationError"),
    ("a fraction too large for exp", EXACT + "given: {a: 1e300}\nequations: {b: a*a, f: exp(b)}\n", "EvaluationError"),
    ("a large power", EXACT + "given: {x: 2}\nequations: {f: x^100000000}\n", "EvaluationError"),
    ("a fraction to its own power", EXACT + "given: {x: 1e300}\nequations: {f: x^x}\n", "EvaluationError"),
    ("a broken power of a large fraction", EXACT + "given: {x: 1e300}\nequations: {f: (x*x)^0.5}\n", "EvaluationError"),
    ("carrying a large fraction", CARRY + "given: {a: 1e300}\nequations: {f: a^2, g: f + 1}\n", "EvaluationError"),
    ("rounded up beyond the largest number",
     "rounding: {carry: true, significant: 1}\ngiven: {a: 1.79e308}\nequations: {f: a*1, g: f*1}\n",
     "EvaluationError"),
    ("a product of 1000 factors", "given: {x: 1}\nequations: {f: " + "*".join(["x"] * 1000) + "}\nminimize: f\n", "ProblemError"),
    ("a sum of 99 squares", "given: {x: 1}\nequations: {f: " + "+".join(["x²"] * 99) + "}\nminimize: f\n", "solved"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(text, wanted, id=name) for name, text, wanted in FOUND])
def test_found_once(text: str, wanted: str) -> None:
    assert outcome(text) == wanted

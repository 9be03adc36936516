"""Every form of the file format that is right, and what it is read as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from handcalc.core import formula
from handcalc.core.expr import Call, Expr, Number, Ref, number
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.language import translator
from handcalc.loading.loader import load, loads, shipped
from handcalc.problem.names import is_parameter
from handcalc.problem.reader import is_name, is_quantity_name, literal
from handcalc.problem.schema import Layer, Loss, Problem
from handcalc.problem.words import FUSED, LOSSES
from handcalc.proof.rules import tidied
from handcalc.render import render


def parsed(text: str) -> Expr:
    """A formula over any names."""
    return formula.parse(text, formula.any_name)


def ids(problem: Problem) -> list[str]:
    """The ids of all steps."""
    return [step.id for step in derive(problem).steps()]


def network(layer: str, more: str = "") -> str:
    """A network 2-2 with one layer."""
    return f"inputs: {{x1: 0.5, x2: -1}}\nlayers:\n  - {{neurons: [h1, h2], {layer}}}\n{more}"


def first_layer(text: str) -> Layer:
    """The first layer of a problem."""
    return loads(text).layers[0]


def rows(layer: Layer) -> list[list[str | None]]:
    """Typed digits of the weights, by neuron and input; None where there is no edge."""
    cells = [[layer.weights.get((to, source)) for source in range(2)] for to in range(len(layer.neurons))]
    return [[value and (value.text or str(value.numerator)) for value in row] for row in cells]


# --- weights ----------------------------------------------------------------------------------------------------------------

WEIGHTS = [
    ("named edges", "weights: {w1: [x1, h1, 0.10], w2: [x2, h1, .2], w3: [x1, h2, 3], w4: [x2, h2, 4e-1]}", True),
    ("named edges in any order", "weights: {w4: [x2, h2, 4e-1], w1: [x1, h1, 0.10], w3: [x1, h2, 3], w2: [x2, h1, .2]}", True),
    ("a matrix", "weights: [[0.10, .2], [3, 4e-1]]", False),
    ("a matrix by inputs", "weights: [[0.10, 3], [.2, 4e-1]], weight_rows: inputs", False),
    ("a matrix by neurons", "weights: [[0.10, .2], [3, 4e-1]], weight_rows: neurons", False),
    ("a matrix with names", "weights: [[0.10, .2], [3, 4e-1]], weight_names: [[w1, w2], [w3, w4]]", True),
    ("names by inputs", "weights: [[0.10, 3], [.2, 4e-1]], weight_rows: inputs, weight_names: [[w1, w3], [w2, w4]]", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "named"), [pytest.param(text, named, id=name) for name, text, named in WEIGHTS])
def test_weights(text: str, named: bool) -> None:
    layer = first_layer(network(text))
    assert rows(layer) == [["0.10", ".2"], ["3", "4e-1"]]
    assert layer.weight_names == ({(0, 0): "w1", (0, 1): "w2", (1, 0): "w3", (1, 1): "w4"} if named else {})


def test_missing_edges_are_no_weights() -> None:
    layer = first_layer(network("weights: {w1: [x1, h1, 1], w4: [x2, h2, 4]}"))
    assert rows(layer) == [["1", None], [None, "4"]]
    assert "grad.w1" not in ids(loads(network("weights: {w1: [x1, h1, 1], w4: [x2, h2, 4]}")))


@pytest.mark.parametrize(
    ("inputs", "layer", "wanted"),
    [
        ("[1, 2]", "neurons: 1, weights: [3, 4]", {(0, 0): 3, (0, 1): 4}),
        ("[1, 2]", "neurons: 1, weights: [3, 4], weight_rows: inputs", {(0, 0): 3, (0, 1): 4}),
        ("[1]", "neurons: 2, weights: [3, 4]", {(0, 0): 3, (1, 0): 4}),
        ("[1]", "neurons: 2, weights: [3, 4], weight_rows: inputs", {(0, 0): 3, (1, 0): 4}),
        ("[1]", "neurons: 1, weights: [3]", {(0, 0): 3}),
    ],
)
def test_plain_list_is_the_only_row_or_column(inputs: str, layer: str, wanted: dict[tuple[int, int], int]) -> None:
    read = first_layer(f"inputs: {inputs}\nlayers: [{{{layer}}}]\n")
    assert {place: read.weights.get(place) for place in wanted} == {place: Number(value) for place, value in wanted.items()}


# --- biases -----------------------------------------------------------------------------------------------------------------

BIASES: list[tuple[str, str, str, dict[tuple[int, ...], str], dict[tuple[int, ...], str]]] = [
    ("shared", "0.30", "shared", {(): "0.30"}, {}),
    ("shared and named", "{b: 0.30}", "shared", {(): "0.30"}, {(): "b"}),
    ("per neuron", "[0.1, -.2]", "neuron", {(0,): "0.1", (1,): "-.2"}, {}),
    ("named per neuron", "{b2: [h2, 2.0], b1: [h1, 1e-3]}", "neuron", {(0,): "1e-3", (1,): "2.0"}, {(0,): "b1", (1,): "b2"}),
    ("of one neuron only", "{b2: [h2, 2.0]}", "neuron", {(1,): "2.0"}, {(1,): "b2"}),
    ("per connection", "{b1: [x1, h1, 0.5], b2: [x2, h1, .5]}", "connection", {(0, 0): "0.5", (0, 1): ".5"}, {(0, 0): "b1", (0, 1): "b2"}),
]  # fmt: skip


@pytest.mark.parametrize("key", ["bias", "threshold"])
@pytest.mark.parametrize(("given", "form", "values", "names"), [pytest.param(*row[1:], id=row[0]) for row in BIASES])
def test_biases(key: str, given: str, form: str, values: dict[tuple[int, ...], str], names: dict[tuple[int, ...], str]) -> None:
    bias = first_layer(network(f"weights: [[1, 2], [3, 4]], {key}: {given}")).bias
    assert bias is not None
    assert (bias.form, bias.threshold, dict(bias.names)) == (form, key == "threshold", names)
    assert {place: bias.get(place).text for place in values} == values  # type: ignore[union-attr]
    assert bias.get((7,)) is None


@pytest.mark.parametrize("text", ["", "bias: null", "bias: ", "threshold: ~"])
def test_no_bias(text: str) -> None:
    assert first_layer(network(f"weights: [[1, 2], [3, 4]], {text}")).bias is None


def test_threshold_is_subtracted() -> None:
    text = "inputs: [1]\nlayers: [{neurons: [y], weights: [[2]], %s: 0.5}]\n"
    assert derive(loads(text % "bias")).value("net.y") == 2.5
    assert derive(loads(text % "threshold")).value("net.y") == 1.5


def test_an_input_may_be_called_file() -> None:
    problem = loads(
        "inputs: {file: 2, array: 3}\nlayers: [{neurons: [y], weights: {file: [file, y, 1], w: [array, y, 2]}, bias: {b: 0.5}}]\n".replace(
            "{file: [", "{v: ["
        )
    )
    assert problem.inputs == ("file", "array")
    assert derive(problem).value("net.y") == 8.5


# --- neurons ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        (["neurons: 2, weights: [[1], [1]]"], [("o1", "o2")]),
        (["neurons: 2, weights: [[1], [1]]", "neurons: 1, weights: [[1, 1]]"], [("h1", "h2"), ("o1",)]),
        (
            ["neurons: 2, weights: [1, 1]", "neurons: 1, weights: [1, 1]", "neurons: 1, weights: [1]"],
            [("h1_1", "h1_2"), ("h2_1",), ("o1",)],
        ),
        (["neurons: [3, θ3, z', 隐]", "neurons: １"], [("3", "θ3", "z'", "隐"), ("o1",)]),
    ],
)
def test_names_of_neurons(layers: list[str], wanted: list[tuple[str, ...]]) -> None:
    filled = [layer if "weights" in layer else layer + ", weights: " + ("[1, 1, 1, 1]") for layer in layers]
    problem = loads("inputs: [1]\nlayers:\n" + "".join(f"  - {{{layer}}}\n" for layer in filled))
    assert [layer.neurons for layer in problem.layers] == wanted


def test_an_input_and_an_output_may_share_a_name() -> None:
    """As in an autoencoder: their ids differ."""
    text = "inputs: {a: 1, b: 2}\ntargets: {a: 1, b: 2}\nlayers:\n  - {neurons: [h], weights: {w1: [a, h, 1], w2: [b, h, 2]}}\n"
    problem = loads(text + "  - {neurons: [a, b], weights: {v1: [h, a, 3], v2: [h, b, 4]}}\nlearning_rate: 1\n")
    found = ids(problem)
    assert len(found) == len(set(found))
    assert derive(problem).value("a") == 1 and derive(problem).value("out.a") == 15


HOSTILE_NAMES = ["loss", "rate", "net", "grad", "w1", "b1", "after", "3", "forward"]


def test_neurons_with_names_of_other_ids() -> None:
    """A neuron's id has a prefix, so that it may be called anything; every id stays its own."""
    for name in HOSTILE_NAMES:
        first = f"{{neurons: [{name}], weights: {{w1: [x1, {name}, 1]}}, bias: 1, activation: tanh}}"
        second = f"{{neurons: [o], weights: {{w2: [{name}, o, 1]}}, bias: 2}}"
        problem = loads(f"inputs: {{x1: 1}}\ntargets: [2]\nlayers: [{first}, {second}]\nlearning_rate: 1\n")
        found = ids(problem)
        assert len(found) == len(set(found)), name
        derivation = derive(problem)
        assert all(derivation[step].id == step for step in found), name


def test_equations_with_names_of_other_ids() -> None:
    for name in ("loss", "rate", "net", "grad", "after", "delta", "exp", "max", "W1", "x", "t", "err", "local", "path"):
        found = ids(loads(f"given: {{a: 2}}\nequations: {{{name}: a^2, f: {name} + a}}\nminimize: f\n"))
        assert len(found) == len(set(found)), name


# --- activations ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_by_name(name: str) -> None:
    (activation,) = first_layer(network(f"weights: [[1, 2], [3, 4]], activation: {name}")).activations
    assert activation.name == name
    record = FUNCTIONS[name]
    if record.family:
        assert activation.formula is None
    elif name == "identity":
        assert activation.formula == Ref("z")
    else:
        assert activation.formula == Call(name, (Ref("z"), *map(number, record.defaults)))


OPTIONS = [
    ("{leaky_relu: {slope: 0.20}}", Call("leaky_relu", (Ref("z"), Number(1, 5, "0.20")))),
    ("{leaky_relu: {}}", Call("leaky_relu", (Ref("z"), Number(1, 100, "0.01")))),
    ("{leaky_relu: null}", Call("leaky_relu", (Ref("z"), Number(1, 100, "0.01")))),
    ("{elu: {alpha: 1}}", Call("elu", (Ref("z"), Number(1)))),
    ("{elu: {alpha: 1.5}}", Call("elu", (Ref("z"), Number(3, 2, "1.5")))),
    ("{sigmoid: {}}", Call("sigmoid", (Ref("z"),))),
    ("z/(1 + abs(z))", parsed("z/(1 + abs(z))")),
    ("'max(0, z)'", parsed("max(0, z)")),
    ("z", Ref("z")),
    ("2·z²", parsed("2*z^2")),
    ("(exp(z) − exp(−z))/2", parsed("(exp(z) - exp(-z))/2")),
]


@pytest.mark.parametrize(("text", "wanted"), OPTIONS)
def test_activation_with_options_or_as_formula(text: str, wanted: Expr) -> None:
    (activation,) = first_layer(network(f"weights: [[1, 2], [3, 4]], activation: {text}")).activations
    assert activation.formula == wanted


def test_activation_per_neuron() -> None:
    layer = first_layer(network("weights: [[1, 2], [3, 4]], activation: [z^3, {elu: {alpha: 2}}]"))
    assert [activation.formula for activation in layer.activations] == [parsed("z^3"), Call("elu", (Ref("z"), Number(2)))]


@pytest.mark.parametrize("text", ["[softmax, softmax]", "softmax", "[softmax]"])
def test_softmax_is_one_activation(text: str) -> None:
    neurons = "neurons: 1, weights: [1]" if text == "[softmax]" else "neurons: 2, weights: [1, 2]"
    layer = first_layer(f"inputs: [1]\nlayers: [{{{neurons}, activation: {text}}}]\n")
    assert [activation.name for activation in layer.activations] == ["softmax"]


def test_no_activation_is_identity() -> None:
    assert [a.name for a in first_layer(network("weights: [[1, 2], [3, 4]]")).activations] == ["identity"]


# --- losses -----------------------------------------------------------------------------------------------------------------

TARGETS = "targets: [0.5, 1]\n"


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.form == "terms"])
def test_loss_by_name(name: str) -> None:
    problem = loads(network("weights: [[1, 2], [3, 4]], activation: sigmoid", TARGETS + f"loss: {name}\n"))
    term = parsed(LOSSES[name].usual)
    known = LOSSES[name]
    assert problem.loss is not None
    same = [Loss(name, "terms", same, known.mean, placewise=known.placewise) for same in (term, tidied(term))]
    assert problem.loss.replace(sums=()) in same
    assert (derive(problem).value("loss") > 0) == ("negative_log_likelihood" not in name)  # whose outputs are to be logarithms


@pytest.mark.parametrize("entry", ["activation: max(0, z)", "activation: [max(0, z)]", "activation: [ max( 0 , z ) ]"])
def test_a_comma_in_a_formula_between_brackets(entry: str) -> None:
    """YAML parts it there; where a round bracket is open, it belongs together."""
    layer = loads(f"inputs: [1]\ntargets: [1]\nlayers: [{{neurons: 1, {entry}, weights: [[2]]}}]\n").layers[0]
    assert layer.activations[0].formula == parsed("max(0, z)")
    equations = loads("given: {a: 1, b: 2}\nequations: {L: max(0, a - b) + max(0, b, a), M: L*2}\nminimize: M\n").equations
    assert [equation.formula for equation in equations] == [parsed(text) for text in ("max(0, a - b) + max(0, b, a)", "L*2")]


def test_a_target_may_be_the_name_of_its_class() -> None:
    layer = "{neurons: [cat, dog, ship], activation: softmax, weights: [[1], [2], [3]]}"
    text = f"inputs: [1]\ntargets: dog\nlayers: [{layer}]\nloss: cross_entropy\n"
    assert [target.numerator for target in loads(text).samples[0].targets or ()] == [0, 1, 0]


@pytest.mark.parametrize("name", LOSSES)
def test_reports_call_a_loss_by_its_title(name: str) -> None:
    activation = "softmax" if LOSSES[name].form == "fused" else "sigmoid"
    problem = loads(network(f"weights: [[1, 2], [3, 4]], activation: {activation}", f"targets: [0, 1]\nloss: {name}\n"))
    for language, title in (("en", LOSSES[name].title), ("zh", translator("zh")(LOSSES[name].title))):
        assert title in str(render(derive(problem), "markdown", language=language))
    assert translator("zh")(LOSSES[name].title) != LOSSES[name].title


def test_reports_call_a_typed_loss_by_its_formula() -> None:
    problem = loads(network("weights: [[1, 2], [3, 4]]", "targets: [0, 1]\nloss: (o - t)^4\n"))
    assert "Loss: (o - t)^4." in str(render(derive(problem), "plain"))


def test_softmax_cross_entropy_works_on_net_inputs() -> None:
    """A softmax layer, or as in PyTorch an identity layer that the loss applies softmax to: the same numbers."""
    values = []
    for activation in ("softmax", "identity"):
        problem = loads(network(f"weights: [[1, 2], [3, 4]], activation: {activation}", f"targets: [0, 1]\nloss: {FUSED}\n"))
        assert problem.loss == Loss(FUSED, "fused")
        assert [a.name for a in problem.layers[-1].activations] == ["softmax"]
        values.append(derive(problem).value("loss"))
    assert values[0] == values[1]


LOSS_FORMS: list[tuple[str, Expr | None]] = [
    ("{huber: {delta: 1}}", parsed("huber(t - o, 1)")),
    ("{huber: {delta: 0.50}}", Call("huber", (parsed("t - o"), Number(1, 2, "0.50")))),
    ("{huber: {}}", parsed("huber(t - o, 1)")),
    ("huber", parsed("huber(t - o, 1)")),
    ("(o - t)^4", parsed("(o - t)^4")),
    ("'max(0, 1 - t*o)²'", parsed("max(0, 1 - t*o)^2")),
    ("o", Ref("o")),
]


@pytest.mark.parametrize(("text", "wanted"), LOSS_FORMS)
def test_loss_with_an_option_or_as_formula(text: str, wanted: Expr) -> None:
    problem = loads(network("weights: [[1, 2], [3, 4]]", TARGETS + f"loss: {text}\n"))
    assert problem.loss is not None and problem.loss.form == "terms"
    assert problem.loss.term == wanted


def test_default_loss_and_none() -> None:
    with_targets, forward_only = (loads(network("weights: [[1, 2], [3, 4]]", more)) for more in (TARGETS, ""))
    assert with_targets.loss is not None and with_targets.loss.name == "half_squared_error"
    assert forward_only.loss is None and forward_only.samples[0].targets is None
    assert not any(step.startswith(("grad", "loss")) for step in ids(forward_only))


def test_error_direct() -> None:
    problem = loads(network("weights: [[1, 2], [3, 4]]", TARGETS + "error: direct\n"))
    assert problem.loss == Loss("direct", "direct")
    assert "err.h1" in ids(problem) and "loss" not in ids(problem)


# --- inputs, targets, samples -----------------------------------------------------------------------------------------------

LAYER = "layers: [{neurons: [y, z], weights: [[1, 2], [3, 4]]}]\n"


def test_inputs_as_a_list_are_numbered() -> None:
    problem = loads("inputs: [0.5, -1]\n" + LAYER)
    assert problem.inputs == ("x1", "x2")
    assert problem.samples[0].inputs == (Number(1, 2, "0.5"), Number(-1))


@pytest.mark.parametrize("text", ["targets: [7, 8]", "targets: {z: 8, y: 7}"])
def test_targets_by_order_or_name(text: str) -> None:
    assert loads(f"inputs: [1, 2]\n{text}\n{LAYER}").samples[0].targets == (Number(7), Number(8))


def test_single_target_is_a_number() -> None:
    problem = loads("inputs: [1]\ntargets: 0.50\nlayers: [{neurons: 1, weights: [2]}]\n")
    assert problem.samples[0].targets == (Number(1, 2, "0.50"),)


SAMPLES = [
    ("mappings", "[{name: A, inputs: {p: 1, q: 2}, targets: {y: 3, z: 4}}, {name: B, inputs: {q: 6, p: 5}, targets: {z: 8, y: 7}}]",
     ("p", "q"), ("A", "B")),
    ("lists", "[{inputs: [1, 2], targets: [3, 4]}, {inputs: [5, 6], targets: [7, 8]}]", ("x1", "x2"), ("1", "2")),
    ("a mapping, then a list", "[{inputs: {p: 1, q: 2}, targets: [3, 4]}, {name: Bob, inputs: [5, 6], targets: [7, 8]}]",
     ("p", "q"), ("1", "Bob")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "inputs", "names"), [pytest.param(*row[1:], id=row[0]) for row in SAMPLES])
def test_samples(text: str, inputs: tuple[str, ...], names: tuple[str, ...]) -> None:
    problem = loads(f"samples: {text}\n{LAYER}")
    assert problem.inputs == inputs
    assert tuple(sample.name for sample in problem.samples) == names
    numbers = [(sample.inputs, sample.targets) for sample in problem.samples]
    assert numbers == [((Number(1), Number(2)), (Number(3), Number(4))), ((Number(5), Number(6)), (Number(7), Number(8)))]


def test_samples_without_targets() -> None:
    problem = loads("samples: [{inputs: [1, 2]}, {inputs: [3, 4]}]\n" + LAYER)
    assert [sample.targets for sample in problem.samples] == [None, None]
    assert "net.y@2" in ids(problem)


# --- data and arrays from files -----------------------------------------------------------------------------------------------

TABLES = [
    ("plain", "a,b,y,z\n1,0.20,3,4\n5,6,7,8\n"),
    ("BOM and CRLF", "\ufeffa,b,y,z\r\n1,0.20,3,4\r\n5,6,7,8\r\n"),
    ("quoted", '"a","b","y","z"\n"1","0.20","3","4"\n5,6,7,8\n'),
    ("other columns, any order", "id,z,y,b,a\n9,4,3,0.20,1\n9,8,7,6,5\n"),
    ("spaces and empty lines", " a , b,y,z\n\n 1 , 0.20 ,3,4\n,,,\n5,6,7,8\n\n"),
    ("full-width digits", "a,b,y,z\n１,０.２０,3,4\n5,6,7,8\n"),
]


@pytest.mark.parametrize("table", [pytest.param(table, id=name) for name, table in TABLES])
def test_csv(table: str, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(table, encoding="utf-8", newline="")
    problem = loads("data: d.csv\ninputs: [a, b]\ntargets: [y, z]\n" + LAYER, folder=tmp_path)
    assert problem.inputs == ("a", "b")
    assert problem.samples[0].inputs == (Number(1), Number(1, 5, "0.20"))
    assert [sample.targets for sample in problem.samples] == [(Number(3), Number(4)), (Number(7), Number(8))]
    assert [sample.name for sample in problem.samples] == ["1", "2"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(["Alice", "Bob"], ["Alice", "Bob"]), (["A", "A"], ["1", "2"]), (["A B", "C"], ["1", "2"]), (["", "C"], ["1", "2"])],
)
def test_csv_names_of_samples(names: list[str], wanted: list[str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("name,a,b\n" + "".join(f"{name},1,2\n" for name in names), encoding="utf-8")
    problem = loads("data: d.csv\ninputs: [a, b]\n" + LAYER, folder=tmp_path)
    assert [sample.name for sample in problem.samples] == wanted
    assert problem.samples[0].targets is None


def test_arrays_from_files(tmp_path: Path) -> None:
    """Weights, biases and inputs from NPZ, NPY and CSV, either way round: the same network."""
    weights = numpy.array([[1.5, 2.0, -3.25], [0.1, 0.2, 0.3]])
    numpy.savez(tmp_path / "net.npz", W=weights, V=weights.T, b=numpy.array([[1.0], [2.0]]))
    numpy.savez(tmp_path / "one.npz", weights)
    numpy.save(tmp_path / "w.npy", weights)
    (tmp_path / "w.csv").write_text("# from a spreadsheet\n1.5,2.0,-3.25\n0.1,0.2,0.3\n", encoding="utf-8")
    (tmp_path / "x.csv").write_text("0.5,1,2\n", encoding="utf-8")
    forms = [
        "{file: net.npz, array: W}",
        "{file: net.npz, array: V}, weight_rows: inputs",
        "{file: one.npz}",
        "{file: w.npy}",
        "{file: w.csv}",
    ]
    for form in forms:
        text = f"inputs: {{file: x.csv}}\nlayers: [{{neurons: 2, weights: {form}, bias: {{file: net.npz, array: b}}}}]\n"
        problem = loads(text, folder=tmp_path)
        assert problem.inputs == ("x1", "x2", "x3")
        assert [problem.layers[0].weights.get((1, place)) for place in range(3)] == [Number(1, 10), Number(1, 5), Number(3, 10)]
        assert derive(problem).value("net.o1") == 0.75 + 2 - 6.5 + 1, form


def test_names_for_weights_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("1,2\n", encoding="utf-8")
    text = "inputs: [1, 2]\nlayers: [{neurons: 1, weights: {file: w.csv}, weight_names: [v1, v2]}]\ntargets: [1]\n"
    assert "grad.v2" in ids(loads(text, folder=tmp_path))


# --- numbers and words as typed ---------------------------------------------------------------------------------------------

TYPED: list[tuple[str, Any, str]] = [
    ("0.10", (1, 10), "0.10"),
    ("1e-3", (1, 1000), "1e-3"),
    ("1E+3", (1000, 1), "1E+3"),
    (".5", (1, 2), ".5"),
    ("5.", (5, 1), "5."),
    ("+3.0", (3, 1), "3.0"),
    ("-0.50", (-1, 2), "-0.50"),
    ("007", (7, 1), "007"),
    ("3/8", (3, 8), "3/8"),
    ("-1/4", (-1, 4), "-1/4"),
    ("－１．５０", (-3, 2), "-1.50"),
    ("−2.0", (-2, 1), "-2.0"),
    (" 2.5 ", (5, 2), "2.5"),
    ("1e308", (10**308, 1), "1e308"),
    ("0.1234567890123456789", (1234567890123456789, 10**19), "0.1234567890123456789"),
]


@pytest.mark.parametrize(("text", "ratio", "digits"), TYPED)
def test_typed_digits_are_kept(text: str, ratio: tuple[int, int], digits: str) -> None:
    found = literal(text)
    assert isinstance(found, Number)
    assert (found.numerator, found.denominator, found.text) == (*ratio, digits)
    problem = loads(f"inputs: {{x: '{text}'}}\nlayers: [{{neurons: [y], weights: [['{text}']]}}]\n")
    assert derive(problem)["x"].shown.digits == digits
    assert derive(problem)["W1[1,1]"].shown.digits == digits


def test_whole_numbers_have_no_spelling_of_their_own() -> None:
    assert literal("3") == Number(3)
    assert literal("-12") == Number(-12)


def test_yaml_is_version_1_2() -> None:
    """`no`, `on` and `y` are words, 1e-3 is a number, 010 is ten."""
    layer = "layers: [{neurons: [on, off], weights: [[1, 2], [3, 4]]}]\n"
    problem = loads("title: no\ninputs: {y: 1e-3, n: 010}\ntargets: {on: 1, off: 2}\n" + layer)
    assert problem.title == "no" and problem.inputs == ("y", "n") and problem.layers[0].neurons == ("on", "off")
    assert problem.samples[0].inputs == (Number(1, 1000, "1e-3"), Number(10, 1, "010"))


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_true_and_false(word: str) -> None:
    assert loads(network("weights: [[1, 2], [3, 4]]", f"rounding: {{carry: {word}}}\n")).rounding == Rounding(carry=True)


def test_comments_anchors_and_line_ends() -> None:
    text = "\ufeff# a comment\r\ninputs: &in [1, 2]\r\ntargets: *in\r\nlayers:\r\n- neurons: [y, z] # two\r\n  weights: [*in, *in]\r\n"
    problem = loads(text)
    assert problem.samples[0].inputs == problem.samples[0].targets == (Number(1), Number(2))


def test_empty_values_are_left_out() -> None:
    problem = loads(network("weights: [[1, 2], [3, 4]]", "title:\nlearning_rate: ~\nrounding: null\nloss:\nupdate: {frozen: }\n"))
    assert (problem.title, problem.learning_rate, problem.rounding, problem.loss, problem.frozen) == ("", None, None, None, frozenset())


@pytest.mark.parametrize("name", ["h1", "3", "θ3", "w_1", "h'", "h′", "输入", "x" * 40, "_"])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", " ", "a b", "a.b", "a-b", "a,b", "'", "a·b", "a\n", "\u202ea", "x" * 41, "[x]", "1.5", "@a", "a@b"])
def test_texts_that_are_no_names(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    ("name", "wanted"), [("x", True), ("x'", True), ("exp", True), ("pi", False), ("3x", False), ("3", False), ("a'b", False), ("θ", True)]
)
def test_names_in_formulas(name: str, wanted: bool) -> None:
    assert is_quantity_name(name) is wanted


# --- equations --------------------------------------------------------------------------------------------------------------


def test_equations() -> None:
    text = "given: {x: 2, w: -1.50, b: 1/2}\nequations: {z: w*x + b, f: sigmoid(z), c: 3}\n"
    problem = loads(text + "minimize: f\nparameters: [w, b]\nlearning_rate: 0.1\n")
    assert problem.given == {"x": Number(2), "w": Number(-3, 2, "-1.50"), "b": Number(1, 2, "1/2")}
    assert [(equation.name, equation.formula) for equation in problem.equations] == [
        ("z", parsed("w*x + b")),
        ("f", parsed("sigmoid(z)")),
        ("c", Number(3)),
    ]
    assert (problem.minimize, problem.parameters) == ("f", ("w", "b"))
    assert {"grad.w", "new.b", "after.f"} <= set(ids(problem))
    assert "new.x" not in ids(problem)


def test_equations_need_nothing_given() -> None:
    assert derive(loads("equations: {f: 1 + 1}\n")).value("f") == 2


# --- what is trained, rounding, conventions -----------------------------------------------------------------------------------

LEARNING = TARGETS + "learning_rate: 0.5\n"


@pytest.mark.parametrize(
    ("layer", "frozen", "gone"),
    [
        ("weights: [[1, 2], [3, 4]], bias: 1", "W1[2,1]", None),
        ("weights: [[1, 2], [3, 4]], bias: 1", "b1", "new.b1"),
        ("weights: [[1, 2], [3, 4]], bias: [1, 2]", "b1[2]", None),
        ("weights: [[1, 2], [3, 4]], weight_names: [[p, q], [r, s]], bias: {t: 1}", "q", None),
        ("weights: [[1, 2], [3, 4]], bias: {t: 1}", "t", "new.t"),
    ],
)
def test_frozen(layer: str, frozen: str, gone: str | None) -> None:
    problem = loads(network(layer, LEARNING + f"update: {{frozen: ['{frozen}']}}\n"))
    assert problem.frozen == {frozen}
    derivation = derive(problem)
    if gone:
        assert gone not in ids(problem)
    else:
        assert derivation.value(f"new.{frozen}") == derivation.value(frozen)
        assert derivation.value(f"grad.{frozen}") != 0


@pytest.mark.parametrize(
    ("layer", "name", "wanted"),
    [
        ("bias: 1", "W1[2,2]", True),
        ("bias: 1", "W1[3,1]", False),
        ("bias: 1", "W1[1,3]", False),
        ("bias: 1", "W2[1,1]", False),
        ("bias: 1", "W1[0,1]", False),
        ("bias: 1", "W01[1,1]", False),
        ("bias: 1", "W1[1]", False),
        ("bias: 1", "b1", True),
        ("bias: 1", "b1[1]", False),
        ("bias: [1, 2]", "b1[1]", True),
        ("bias: [1, 2]", "b1", False),
        ("bias: [1, 2]", "b1[3]", False),
        ("bias: {c: [h2, 1]}", "c", True),
        ("bias: {c: [h2, 1]}", "b1[2]", False),
        ("bias: {c: [h2, 1]}", "b1[1]", False),
        ("bias: {c: 1}", "b1", False),
        ("", "b1", False),
    ],
)
def test_ids_of_parameters(layer: str, name: str, wanted: bool) -> None:
    """As the steps call them, so that `frozen` never names something that is not there."""
    problem = loads(network(f"weights: [[1, 2], [3, 4]], {layer}"))
    assert is_parameter(name, problem) is wanted
    assert (name in ids(problem)) is wanted


@pytest.mark.parametrize("text", ["update: {biases: false}", "conventions: {bias_update: false}"])
def test_biases_that_are_not_trained(text: str) -> None:
    found = ids(loads(network("weights: [[1, 2], [3, 4]], bias: {b: 1}", LEARNING + text + "\n")))
    assert "new.b" not in found and "new.W1[1,1]" in found


ROUNDINGS: list[tuple[str, Rounding]] = [
    ("{decimals: 4}", Rounding(4, None)),
    ("{significant: 3}", Rounding(None, 3)),
    ("{}", Rounding(None, 6)),
    ("{carry: true}", Rounding(None, 6, carry=True)),
    ("{decimals: 0, ties: half_even}", Rounding(0, None, ties="half_even")),
    ("{exact: true}", Rounding(None, 6, exact=True)),
    ("{decimals: 4, overrides: {'grad.*': {significant: 3}, loss: {decimals: 9}}}",
     Rounding(4, None, overrides=(("grad.*", None, 3), ("loss", 9, None)))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), ROUNDINGS)
def test_rounding(text: str, wanted: Rounding) -> None:
    assert loads(network("weights: [[1, 2], [3, 4]]", f"rounding: {text}\n")).rounding == wanted


def test_training() -> None:
    training = loads(
        network("weights: [[1, 2], [3, 4]]", "training: {mode: online, epochs: 20, order: shuffled, stop: {loss: 1e-3}}\n")
    ).training
    assert (training.mode, training.epochs, training.order, training.stop_loss) == ("online", 20, "shuffled", Number(1, 1000, "1e-3"))


@pytest.mark.parametrize(
    "text", ["sample_reduction: sum", "conventions: {sample_reduction: sum}", "sample_reduction: sum\nconventions: {sample_reduction: sum}"]
)
def test_sample_reduction(text: str) -> None:
    assert loads(network("weights: [[1, 2], [3, 4]]", text + "\n")).conventions.sample_reduction == "sum"


# --- shipped problems -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_shipped_problem(name: str) -> None:
    """Loads by its name and by its path, has a title and a source, and every step has a value and an id of its own."""
    problem = load(name)
    assert problem.replace(path="") == load(shipped()[name]).replace(path="")
    assert problem.title and problem.source
    found = ids(problem)
    assert found and len(found) == len(set(found))


def test_a_file_in_the_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load("mazur-2-2-2").title == "A step-by-step backpropagation example"
    (tmp_path / "mazur-2-2-2").write_text("title: mine\nequations: {f: 1}\n", encoding="utf-8")
    assert load("mazur-2-2-2").title == "mine"

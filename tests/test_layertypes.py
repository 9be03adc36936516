"""Records of layer types: every word has one, nothing missing is passed over, and a new type needs nothing but its record."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from handcalc import check, derive, gradcheck, loads, render
from handcalc.core.expr import ZERO, Ref, add, call, mul
from handcalc.core.index import ROLES
from handcalc.core.quantity import Letter
from handcalc.errors import ProblemError
from handcalc.layers import FILES, _types, layer_type, layer_types
from handcalc.layers.layertype import ARRAY, LayerOption, LayerType
from handcalc.layers.sections import json_schema
from handcalc.layers.site import Site
from handcalc.loading.saving import with_parameters
from handcalc.models import build
from handcalc.problem.fields import choices
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, names_of, unnamed
from handcalc.render.notation import profiles
from handcalc.training.train import Trainer

# --- the records ------------------------------------------------------------------------------------------------------


def test_every_word_has_its_record_and_every_record_its_word() -> None:
    assert [one.word for one in layer_types()] == [*FILES]
    listed = {one.word for file in FILES.values() for one in import_module(f"handcalc.layers.{file}").TYPES}
    assert listed == FILES.keys()


@pytest.mark.parametrize("kind", layer_types(), ids=lambda kind: kind.word)
def test_records_are_complete(kind: LayerType) -> None:
    names = [key for key, *_ in kind.rows]
    assert names[0] == "type" and len({*names}) == len(names)
    assert all(text and shape for _, shape, text, _ in kind.rows)
    assert kind.first and all(len(roles) >= number for number, roles in enumerate(kind.first, 1))
    assert {role for roles in (*kind.takes, *kind.first) for role in roles} <= {*ROLES, ""}
    told = {(said.convention, said.value) for said in kind.conventions}
    assert told == {(name, value) for name, _ in told for value in choices("conventions", name)}


def test_a_word_without_a_record_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError, match="conv9d"):
        layer_type("conv9d")
    monkeypatch.setitem(FILES, "conv9d", "maps")
    with pytest.raises(KeyError, match=r"maps\.py has no record of the layer type conv9d"):
        layer_type("conv9d")


def test_a_choice_without_words_is_named() -> None:
    with pytest.raises(KeyError, match="mode has no words for test"):
        LayerOption("mode", "mean and variance").choice("test")


def test_dense_layers_load_no_other_file() -> None:
    others = sorted({f"handcalc.layers.{file}" for file in FILES.values()} - {"handcalc.layers.dense"})
    script = (
        f"import sys, handcalc; handcalc.derive(handcalc.load('mazur-2-2-2')); print([name for name in {others} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert found.stdout.strip() == "[]"


# --- a new type -------------------------------------------------------------------------------------------------------


def read_leaking(incoming: Incoming) -> Layer | None:
    slope = incoming.needed("slope", "weight", (incoming.axes[-1].replace(labels=()),), "slope")
    axes = unnamed(incoming.axes)
    return Layer(names_of(axes), type="leaking", axes=axes, tensors=(slope,)) if slope else None


def add_leaking(site: Site) -> Ref:
    """max(0, x) + a·min(0, x)."""
    slope = site.parameter("weight", "slope", site.outgoing[-1])
    return site.output((*site.batch, *site.outgoing), add(call("max", ZERO, site.source), mul(slope, call("min", ZERO, site.source))))


LEAKING = LayerType(
    "leaking",
    "parametric ReLU",
    (("slope", ARRAY, "slope of every feature below 0", "[0.25]"),),
    read_leaking,
    add_leaking,
    letters={"slope": Letter("a")},
)
TEXT = """\
inputs: [0.5, -1]
targets: [0.3, 0.6]
layers:
  - {neurons: 2, weights: [[0.4, 0.8], [-0.3, 0.9]], bias: [0.1, 0.2]}
  - {type: leaking, slope: [0.25, 0.1]}  # both sums are below 0
  - {neurons: 2, activation: sigmoid, weights: [[0.5, -0.4], [0.3, 0.2]]}
learning_rate: 0.5
"""


@pytest.fixture
def leaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that the program does not have: a record, and a line for it."""
    monkeypatch.setitem(FILES, "leaking", "leaking")
    monkeypatch.setitem(_types, "leaking", LEAKING)


@pytest.mark.usefixtures("leaking")
def test_a_new_type_is_worked_out() -> None:
    derivation = derive(loads(TEXT))
    assert [float(derivation.value(f"out2[{place}]")) for place in (1, 2)] == pytest.approx([-0.5 * 0.25, -0.85 * 0.1])
    assert gradcheck(loads(TEXT)).ok
    key = {step.id: step.shown.plain for step in derivation.steps() if step.formula is not None}
    assert "grad.Wslope2[1]" in key and check(loads(TEXT), key).score == 1
    for notation in profiles():
        text = render(derivation, "plain", notation=notation)
        assert "Layer 2: parametric ReLU" in text
    assert "leaking" in json_schema()["$defs"]


@pytest.mark.usefixtures("leaking")
def test_a_new_type_is_saved() -> None:
    """Every parameter, also under a key that no other type has."""
    trainer = Trainer(loads(TEXT))
    trainer.advance(5)
    text = with_parameters(TEXT, trainer.problem, trainer.whole.graph, trainer.values())
    assert "slope: [0.25, 0.1]" not in text and "# both sums are below 0" in text
    assert Trainer(loads(text)).parameters() == trainer.parameters() != Trainer(loads(TEXT)).parameters()


@pytest.mark.usefixtures("leaking")
def test_keys_of_a_new_type_are_checked() -> None:
    with pytest.raises(ProblemError, match="slopes: unknown key"):
        loads(TEXT.replace("slope:", "slopes:"))


@pytest.mark.usefixtures("leaking")
def test_a_part_without_a_letter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def add_part(site: Site) -> Ref:
        return site.output((*site.batch, *site.outgoing), site.part("bent", site.outgoing, site.source))

    monkeypatch.setitem(_types, "leaking", LEAKING.replace(build=add_part))
    with pytest.raises(KeyError, match="the layer type leaking has no letter for its part bent"):
        build(loads(TEXT))


@pytest.mark.usefixtures("leaking")
def test_a_parameter_without_a_key_is_named() -> None:
    """It would keep its old value in the file."""
    problem = loads(TEXT)
    layers = [layer.replace(tensors=tuple(tensor.replace(key="") for tensor in layer.tensors)) for layer in problem.layers]
    trainer = Trainer(problem.replace(layers=tuple(layers)))
    trainer.advance(1)
    with pytest.raises(KeyError, match=r"Wslope2 of layer 2 \(leaking\) cannot be saved"):
        with_parameters(TEXT, trainer.problem, trainer.whole.graph, trainer.values())

"""The file format as data: every key is documented and read, and the JSON Schema agrees with the loader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from shipping import thinned

from handcalc.core.expr import Number
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, ProblemError
from handcalc.layers import FILES
from handcalc.layers.sections import json_schema, sections
from handcalc.loading.loader import load, loads, shipped
from handcalc.problem.fields import NOTATION_NAMES, choices
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Conventions, Problem
from handcalc.problem.values import Key
from handcalc.problem.words import LOSSES, OPTIMISERS

DOCS = Path(__file__).parents[1] / "docs"
SCHEMA = json_schema()
SECTIONS = sections()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
KEYS = [pytest.param(section, key, id=f"{section}.{key.key}") for section, found in SECTIONS.items() for key in found]
PROBLEMS = [pytest.param(path, id=name) for name, path in shipped().items()]


def keys(section: str) -> tuple[str, ...]:
    """The keys of a section."""
    return tuple(key.key for key in SECTIONS[section])


def plain(text: str) -> Any:
    """A YAML text as Python values."""
    return YAML(typ="safe", pure=True).load(text)


def messages(tree: Any) -> list[str]:
    """What the JSON Schema says against a tree."""
    return [error.message for error in VALIDATOR.iter_errors(tree)]


# --- the schema -----------------------------------------------------------------------------------------------------------


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", thinned(PROBLEMS, 5))
def test_shipped_problem_validates(path: Path) -> None:
    assert messages(plain(path.read_text(encoding="utf-8"))) == []


# Trees that the schema must refuse, as the loader does.
WRONG = [
    "layer: []",
    "layers: {a: 1}",
    "layers: [{nuerons: 2}]",
    "layers: [{neurons: 0}]",
    "layers: [{weights: {w1: [a, b]}}]",
    "layers: [{weight_rows: outputs}]",
    "layers: [{bias: {b1: [h1]}}]",
    "notation: mazurr",
    "error: indirect",
    "handcalc: 2",
    "update: {biases: maybe}",
    "training: {batch_size: 0}",
    "training: {stop: {accuracy: 1}}",
    "training: {stop: {change: 1, patience: 0}}",
    "rounding: {decimals: 16}",
    "rounding: {overrides: {loss: {decimals: 1, significant: 2}}}",
    "conventions: {relu_at_zero: 2}",
    "samples: [{input: [1]}]",
    "data: [a.csv]",
    "data: {path: a.csv}",
    "test: {share: 2}",
    "targets: {classes: [a]}",
    "schedule: {per: round}",
    "schedule: {step: 5}",
    "layers: [{neurons: 1, weights: {random: normal}}]",
    "layers: [{neurons: 1, weights: {random: cauchy, seed: 1}}]",
    "inputs: 5",
    "equations: [a]",
    "tasks: loss",
    "tasks: [[a]]",
    "tasks: [{asks: a}]",
    "tasks: [{ask: a, marks: -1}]",
    "tasks: {ask: [{ask: [[a]]}]}",
    "tasks: {ask: a, decimals: 16}",
    "tasks: {ask: a, imprecise: 1.5}",
    "generate: {numbers: draw}",
    "generate: {numbers: {w: drawn}}",
    "generate: {numbers: {w: {from: 1, to: 2}}}",
    "generate: {numbers: {w: {choose: []}}}",
    "generate: {numbers: {w: {choose: [1], step: 1}}}",
    "generate: {require: {nice: true}}",
    "generate: {tries: 0}",
    "generate: {different: 2}",
]


@pytest.mark.parametrize("text", WRONG)
def test_wrong_tree_is_refused_by_schema_and_loader(text: str) -> None:
    assert messages(plain(text))
    with pytest.raises(ProblemError):
        loads(text)


def test_conventions_may_be_typed_as_numbers() -> None:
    assert messages(plain("conventions: {relu_at_zero: 0.5}")) == []
    assert messages(plain("conventions: {relu_at_zero: '0.5'}")) == []
    assert messages(plain("handcalc: 1")) == []


def described(tree: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that the schema has anywhere, with what it says of it."""
    if isinstance(tree, list):
        for part in tree:
            yield from described(part)
    elif isinstance(tree, dict):
        yield from tree.get("properties", {}).items()
        for name, part in tree.items():
            yield from described(list(part.values()) if name in ("properties", "$defs") else part)


def test_every_key_is_described_in_the_language_asked_for() -> None:
    found = list(described(json_schema(lambda text: f"<{text}>")))
    assert len(found) > 500
    assert not [name for name, key in found if not key.get("description", "").startswith("<")]


def test_examples_are_what_may_be_typed() -> None:
    """Editors offer them as they are: a list, not a text with brackets."""
    found = list(described(SCHEMA))
    shown = [(name, shape, example) for name, shape in found for example in shape.get("examples", ())]
    assert len(shown) > 250
    for name, shape, example in shown:
        errors = [*jsonschema.Draft202012Validator({**shape, "$defs": SCHEMA["$defs"]}).iter_errors(example)]
        assert not errors, f"{name}: {errors[0].message}"
    assert SCHEMA["properties"]["inputs"]["examples"] == [{"i1": 0.05, "i2": 0.1}]


@pytest.mark.parametrize(
    ("section", "name", "words"), [("problem", "loss", LOSSES), ("lstm", "activation", ACTIVATIONS), ("layer", "activation", ACTIVATIONS)]
)
def test_words_are_offered_where_formulas_may_stand_too(section: str, name: str, words: Mapping[str, Any]) -> None:
    shape = (SCHEMA if section == "problem" else SCHEMA["$defs"][section])["properties"][name]
    assert {"enum": [*words]} in shape["anyOf"] and {"type": "string"} in shape["anyOf"]


SMALL = """
samples: [{inputs: [1, 2], targets: [1]}, {inputs: [0, 1], targets: [0]}]
layers: [{neurons: [o], weights: [[0.1, 0.2]], bias: [0.3]}]
loss: half_squared_error
learning_rate: 0.1
"""
IN_PLACE = {"tasks": {"ask": "loss"}, "regularization": {"l2": 0.1}, "training": {}, "rounding": {}, "conventions": {}, "update": {}}
USUAL = [
    pytest.param(section, name, key["default"], id=f"{section}.{name}")
    for section in ("problem", *IN_PLACE)
    for name, key in (SCHEMA if section == "problem" else SCHEMA["$defs"][section])["properties"].items()
    if "default" in key
]


def as_worth(record: Any) -> str:
    """A record with its numbers however they were typed."""
    return re.sub(r", text='[^']*'", "", repr(record))


@pytest.mark.parametrize(("section", "name", "value"), USUAL)
def test_a_default_is_what_is_there_without_it(section: str, name: str, value: Any) -> None:
    entry = {name: value} if section == "problem" else {section: IN_PLACE[section] | {name: value}}
    plain = {} if section == "problem" or not IN_PLACE[section] else {section: IN_PLACE[section]}
    found, usual = (loads(SMALL + "".join(f"{key}: {json.dumps(part)}\n" for key, part in tree.items())) for tree in (entry, plain))
    assert as_worth(found.replace(rounding=None, tasks=())) == as_worth(usual.replace(rounding=None, tasks=()))
    assert (found.rounding or Rounding()) == (usual.rounding or Rounding())


@pytest.mark.parametrize("word", OPTIMISERS)
def test_defaults_of_optimisers(word: str) -> None:
    numbers = next(part for part in SCHEMA["properties"]["optimizer"]["anyOf"] if word in part.get("properties", {}))
    usual = {name: key["default"] for name, key in numbers["properties"][word]["anyOf"][0].get("properties", {}).items()}
    typed, plain = (loads(f"{SMALL}optimizer: {json.dumps(one)}\n").optimizer for one in ({word: usual or None}, word))
    assert as_worth(typed) == as_worth(plain)


# --- the table of keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "key"), thinned(KEYS, 10))
def test_key_is_documented(section: str, key: Key) -> None:
    assert key.doc.strip() and not key.doc.endswith(".")
    assert key.shape


def test_keys_are_there_once() -> None:
    for section, fields in SECTIONS.items():
        assert len({field.key for field in fields}) == len(fields), section


def test_every_section_is_part_of_the_schema() -> None:
    definitions = {name for name in SECTIONS if name != "problem"}
    assert set(SCHEMA["$defs"]) == definitions == set(references(SCHEMA))


def references(tree: Any) -> Iterator[str]:
    """Every section a schema refers to."""
    for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ():
        if key == "$ref":
            yield value.removeprefix("#/$defs/")
        else:
            yield from references(value)


def test_notations_have_a_profile() -> None:
    folder = Path(__file__).parents[1] / "handcalc" / "render" / "notations"
    assert {path.stem for path in folder.iterdir() if path.stem in NOTATION_NAMES} == set(NOTATION_NAMES)


def properties(tree: Any) -> Iterator[str]:
    """The keys of every mapping in the schema."""
    for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ():
        if key == "properties":
            yield from value
        yield from properties(value)


def test_every_key_that_is_accepted_is_in_the_schema_and_in_the_documentation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also those inside others: numbers of optimisers, of losses, of random weights."""
    accepted: set[str] = set()
    section = FileNode.section

    def noted(node: FileNode, allowed: Iterable[str], *others: Any) -> dict[str, FileNode]:
        known = tuple(allowed)
        accepted.update(known)
        return section(node, known, *others)

    monkeypatch.setattr(FileNode, "section", noted)
    (tmp_path / "people.csv").write_text("a\n7\n", encoding="utf-8")
    for _, text, *_ in READ:
        with suppress(ProblemError):
            loads(text, folder=tmp_path)
    for name in OPTIMISERS:
        loads(RATED + f"optimizer: {{{name}: {{}}}}\n")
    for path in shipped().values():
        load(path)
    inside = set(properties(SCHEMA))
    numbers = {key for name in ACTIVATIONS for key in FUNCTIONS[name].arguments[1:]}  # of activations, whose shape is any mapping
    assert len(accepted) > 80 and accepted - numbers <= inside
    pages = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md") if page.stem not in ("architecture", "mistakes.in", "mistakes"))
    written = "\n".join(re.findall(r"`[^`]*`|```.*?```", pages, re.DOTALL))
    assert [key for key in sorted(inside | accepted) if not re.search(rf"(?<!\w){re.escape(key)}(?!\w)", written)] == []


def test_title_and_source_are_texts() -> None:
    for key in ("title", "source"):
        assert messages({key: "A book"}) == [] and messages({key: 7}) != []


# A problem that uses a key, and what that key changes in it: (section.key, problem, what is read).
NETWORK = "inputs: {x: 0.5}\ntargets: {y: 1}\nlayers: [{neurons: [y], weights: {w: [x, y, 2]}, bias: {b: 1}}]\n"
EQUATIONS = "given: {a: 2}\nequations: {f: a^2}\n"
TWO = "samples: [{name: A, inputs: [1], targets: [2]}, {name: B, inputs: [3], targets: [4]}]\nlayers: [{neurons: [y], weights: [[2]]}]\n"
RATED = NETWORK + "learning_rate: 0.5\n"
ONE_LAYER = "layers: [{neurons: 1, weights: [[1]]}]\n"
FILE = "data: {file: people.csv%s}\nlayers: [{neurons: [y], weights: [[2]]}]\n"


def layer(text: str) -> str:
    """A network of one layer with two inputs."""
    return "inputs: [1, 2]\nlayers: [{" + text + "}]\n"


def convention(key: str) -> tuple[str, str, Any, Any]:
    """The row of a convention: its last value, which is not the default."""
    value: Any = (choices("conventions", key) or (not getattr(Conventions(), key),))[-1]
    return f"conventions.{key}", TWO + f"conventions: {{{key}: {str(value).lower()}}}\n", lambda p: getattr(p.conventions, key), value


READ: list[tuple[str, str, Any, Any]] = [
    ("problem.handcalc", NETWORK + "handcalc: 1\n", lambda p: p.inputs, ("x",)),
    ("problem.title", NETWORK + "title: A title\n", lambda p: p.title, "A title"),
    ("problem.title_zh", NETWORK + "title: A title\ntitle_zh: 标题一\n", lambda p: p.title_zh, "标题一"),
    ("problem.text", NETWORK + "text: 'It is {i1}'\n", lambda p: p.text, "It is {i1}"),
    ("problem.text_zh", NETWORK + "text_zh: 一\n", lambda p: p.text_zh, "一"),
    ("problem.source", NETWORK + "source: A book\n", lambda p: p.source, "A book"),
    ("problem.notation", NETWORK + "notation: zhou\n", lambda p: p.notation, "zhou"),
    ("problem.language", NETWORK + "language: zh\n", lambda p: p.language, "zh"),
    ("problem.inputs", NETWORK, lambda p: p.samples[0].inputs, (Number(1, 2, "0.5"),)),
    ("problem.input_shape", "inputs: [1, 2, 3, 4]\ninput_shape: [2, 2]\nlayers: [{type: flatten}]\n",
     lambda p: [axis.size for axis in p.axes], [2, 2]),
    ("problem.targets", NETWORK, lambda p: p.samples[0].targets, (Number(1),)),
    ("problem.samples", TWO, lambda p: [s.inputs[0] for s in p.samples], [Number(1), Number(3)]),
    ("problem.data", "data: people.csv\ninputs: [a]\n" + TWO.split("\n")[1], lambda p: p.samples[0].inputs, (Number(7),)),
    ("problem.test", TWO + "test: 0.5\n", lambda p: len(p.test), 1),
    ("problem.layers", NETWORK, lambda p: len(p.layers), 1),
    ("problem.loss", NETWORK + "loss: hinge\n", lambda p: p.loss.name, "hinge"),
    ("problem.error", NETWORK + "error: direct\n", lambda p: p.loss.form, "direct"),
    ("problem.input_gradients", NETWORK + "input_gradients: true\n", lambda p: p.input_gradients, True),
    ("problem.learning_rate", NETWORK + "learning_rate: 0.10\n", lambda p: p.learning_rate.text, "0.10"),
    ("problem.schedule", RATED + "schedule: rate/(1 + t)\n", lambda p: (p.schedule.name, p.schedule.updates), ("formula", 1)),
    ("problem.optimizer", NETWORK + "optimizer: {adam: {beta1: 0.8}}\n",
     lambda p: (p.optimizer.name, p.optimizer.numbers["beta1"].text, p.optimizer.numbers["beta2"].text), ("adam", "0.8", "0.999")),
    ("problem.report", NETWORK + "report: hinge\n", lambda p: p.reported.name, "hinge"),
    ("problem.regularization", NETWORK + "regularization: {l2: 0.10}\n", lambda p: p.regularization.l2.text, "0.10"),
    ("problem.weight_decay", NETWORK + "weight_decay: 0.01\n", lambda p: p.optimizer.numbers["weight_decay"].text, "0.01"),
    ("problem.clipping", NETWORK + "clipping: {norm: 1}\n", lambda p: p.optimizer.numbers["clip_norm"].numerator, 1),
    ("problem.update", NETWORK + "update: {biases: false}\n", lambda p: p.trained_biases, False),
    ("problem.training", TWO + "training: {mode: online}\n", lambda p: p.training.mode, "online"),
    ("problem.sample_reduction", TWO + "sample_reduction: sum\n", lambda p: p.conventions.sample_reduction, "sum"),
    ("problem.given", EQUATIONS, lambda p: p.given, {"a": Number(2)}),
    ("problem.equations", EQUATIONS, lambda p: [e.name for e in p.equations], ["f"]),
    ("problem.minimize", EQUATIONS + "minimize: f\n", lambda p: p.minimize, "f"),
    ("problem.parameters", EQUATIONS + "minimize: f\nparameters: [a]\n", lambda p: p.parameters, ("a",)),
    ("problem.rounding", NETWORK + "rounding: {decimals: 4}\n", lambda p: p.rounding.decimals, 4),
    ("problem.conventions", NETWORK + "conventions: {max_ties: split}\n", lambda p: p.conventions.max_ties, "split"),
    ("problem.generate", NETWORK + "generate: {tries: 9}\n", lambda p: p.generating.tries, 9),
    ("problem.tasks", NETWORK + "tasks: [grad.w]\n", lambda p: [task.ask for task in p.tasks], ["grad.w"]),
    ("sample.name", TWO, lambda p: [s.name for s in p.samples], ["A", "B"]),
    ("sample.inputs", TWO, lambda p: p.samples[1].inputs, (Number(3),)),
    ("sample.targets", TWO, lambda p: p.samples[1].targets, (Number(4),)),
    ("data.file", FILE % "" + "inputs: [a]\n", lambda p: p.samples[0].inputs, (Number(7),)),
    ("data.inputs", FILE % ", inputs: a", lambda p: p.samples[0].inputs, (Number(7),)),
    ("data.targets", FILE % ", inputs: a, targets: [a]", lambda p: p.samples[0].targets, (Number(7),)),
    ("data.scale", FILE % ", inputs: a, scale: 2", lambda p: p.samples[0].inputs, (Number(7, 2),)),
    ("data.codes", FILE % ", inputs: a, codes: {a: {7: 3}}", lambda p: p.samples[0].inputs, (Number(3),)),
    ("problem.standardize", TWO + "standardize: sample\n", lambda p: p.standard.unbiased, True),
    ("test.share", TWO + "test: {share: 0.5}\n", lambda p: (len(p.samples), len(p.test)), (1, 1)),
    ("test.seed", TWO + "test: {share: 0.5, seed: 2}\n", lambda p: [s.name for s in p.test], ["B"]),
    ("test.file", FILE % ", inputs: a, targets: a" + "test: {file: people.csv}\n", lambda p: len(p.test), 1),
    ("test.inputs", FILE % ", inputs: a, targets: a" + "test: {inputs: [a]}\n", lambda p: p.test[0].inputs, (Number(7),)),
    ("test.targets", FILE % ", inputs: a" + "test: {targets: [a]}\n", lambda p: p.test[0].targets, (Number(7),)),
    *((f"schedule.{key}", RATED + f"schedule: {{{key}: {text}}}\n", lambda p: p.schedule.name, key)
      for key, text in (("step", "{every: 3}"), ("exponential", "{factor: 0.5}"), ("inverse_time", "{decay: 1}"),
                        ("cosine", "{iterations: 9}"), ("linear", "{iterations: 9}"), ("formula", "rate/2"))),
    ("schedule.per", TWO + "learning_rate: 1\ntraining: {mode: online}\nschedule: {exponential: {factor: 0.5}, per: epoch}\n",
     lambda p: p.schedule.updates, 2),
    ("layer.type", layer("type: dense, neurons: 1, weights: [[1, 2]]"), lambda p: p.layers[0].type, "dense"),
    ("layer.neurons", layer("neurons: [y], weights: [[1, 2]]"), lambda p: p.layers[0].neurons, ("y",)),
    ("layer.activation", layer("neurons: 1, activation: tanh, weights: [[1, 2]]"), lambda p: p.layers[0].activations[0].name, "tanh"),
    ("layer.weights", layer("neurons: 1, weights: [[1, 2]]"), lambda p: p.layers[0].weights.get((0, 1)), Number(2)),
    ("layer.weight_names", layer("neurons: 1, weights: [[1, 2]], weight_names: [[u, v]]"), lambda p: p.layers[0].weight_names[0, 1], "v"),
    ("layer.weight_rows", layer("neurons: 1, weights: [[1], [2]], weight_rows: inputs"),
     lambda p: p.layers[0].weights.get((0, 1)), Number(2)),
    ("layer.bias", NETWORK, lambda p: p.layers[0].bias.names, {(): "b"}),
    ("layer.threshold", layer("neurons: 1, weights: [[1, 2]], threshold: 3"), lambda p: p.layers[0].bias.threshold, True),
    ("layer.name", layer("name: first, neurons: 1, weights: [[1, 2]]"), lambda p: p.layers[0].name, "first"),
    ("layer.from", "inputs: [3, 5]\nlayers:\n- {neurons: 2, weights: [[1, 2], [3, 4]]}\n"
     "- {neurons: 2, weights: [[1, 2], [3, 4]], from: 0}\n- {type: multiply, from: 1}\n", lambda p: p.layers[1].taken(2), (0,)),
    *((f"regularization.{key}", NETWORK + f"regularization: {{l2: 1, {key}: {typed}}}\n".replace("l2: 1, l2", "l2"),
       lambda p, key=key: getattr(p.regularization, key), wanted)
      for key, typed, wanted in (("l2", "2", Number(2)), ("l1", "3", Number(3)), ("form", "half_mean", "half_mean"),
                                 ("biases", "true", True))),
    ("update.biases", NETWORK + "update: {biases: false}\n", lambda p: p.trained_biases, False),
    ("update.frozen", NETWORK + "update: {frozen: [w]}\n", lambda p: p.frozen, {"w"}),
    ("clipping.norm", NETWORK + "clipping: {norm: 2.5}\n", lambda p: p.optimizer.numbers["clip_norm"].text, "2.5"),
    ("clipping.value", NETWORK + "clipping: {value: 0.5}\n", lambda p: p.optimizer.numbers["clip_value"].text, "0.5"),
    ("training.mode", TWO + "training: {mode: online}\n", lambda p: p.training.mode, "online"),
    ("training.batch_size", TWO + "training: {mode: mini_batch, batch_size: 2}\n", lambda p: p.training.batch_size, 2),
    ("training.epochs", TWO + "training: {epochs: 20}\n", lambda p: p.training.epochs, 20),
    ("training.order", TWO + "training: {order: shuffled}\n", lambda p: p.training.order, "shuffled"),
    ("training.seed", TWO + "training: {seed: 7}\n", lambda p: p.training.seed, 7),
    ("training.stop", TWO + "training: {stop: {loss: 1e-3}}\n", lambda p: p.training.stop_loss.text, "1e-3"),
    ("rounding.decimals", NETWORK + "rounding: {decimals: 3}\n", lambda p: p.rounding.decimals, 3),
    ("rounding.significant", NETWORK + "rounding: {significant: 3}\n", lambda p: p.rounding.significant, 3),
    ("rounding.carry", NETWORK + "rounding: {carry: true}\n", lambda p: p.rounding.carry, True),
    ("rounding.ties", NETWORK + "rounding: {ties: truncate}\n", lambda p: p.rounding.ties, "truncate"),
    ("rounding.overrides", NETWORK + "rounding: {overrides: {loss: {decimals: 9}}}\n",
     lambda p: p.rounding.overrides, (("loss", 9, None),)),
    ("rounding.exact", NETWORK + "rounding: {exact: true}\n", lambda p: p.rounding.exact, True),
    ("tasks.ask", NETWORK + "tasks: {ask: w}\n", lambda p: p.tasks[0].ask, "w"),
    *((f"tasks.{key}", NETWORK + f"tasks: {{ask: [{{ask: w}}, b], {key}: {value}}}\n", lambda p, key=key: getattr(p.tasks[1], key), wanted)
      for key, value, wanted in (("marks", "3", Number(3)), ("decimals", "4", 4), ("significant", "5", 5))),
    *((f"tasks.{key}", NETWORK + f"tasks: {{ask: w, {key}: 0.25}}\n", lambda p, key=key: getattr(p.marking, key).text, "0.25")
      for key in ("follow_through", "imprecise", "rounded")),
    ("tasks.conventions", NETWORK + "tasks: {ask: w, conventions: deny}\n", lambda p: p.marking.conventions, "deny"),
    ("task.ask", NETWORK + "tasks: [{ask: [w, b]}]\n", lambda p: [task.ask for task in p.tasks], ["w", "b"]),
    *((f"task.{key}", NETWORK + f"tasks: [{{ask: w, {key}: {value}}}]\n", lambda p, key=key: getattr(p.tasks[0], key), wanted)
      for key, value, wanted in (("marks", "1/3", Number(1, 3, "1/3")), ("decimals", "4", 4), ("significant", "5", 5))),
    ("generate.numbers", NETWORK + "generate: {numbers: {w: {from: -0.9, to: 0.9, step: 0.1, not: [0]}}}\n",
     lambda p: [(one.name, one.how, one.numbers[2].text, one.excluded) for one in p.generating.ranges],
     [("w", "range", "0.1", (Number(0),))]),
    ("generate.require", NETWORK + "generate: {require: [nice, -no_ties, 'abs(net.*) <= 2']}\n",
     lambda p: [(one.word, one.off, one.comparison is None) for one in p.generating.require],
     [("nice", False, True), ("no_ties", True, True), ("", False, False)]),
    ("generate.dead", NETWORK + "generate: {dead: [y]}\n", lambda p: p.generating.dead, ("y",)),
    ("generate.different", NETWORK + "generate: {different: 0.5}\n", lambda p: p.generating.different.text, "0.5"),
    ("generate.tries", NETWORK + "generate: {tries: 20}\n", lambda p: p.generating.tries, 20),
    ("conventions.bias_update", NETWORK + "conventions: {bias_update: false}\n", lambda p: p.trained_biases, False),
    *(convention(key) for key in keys("conventions")[1:]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "text", "read", "wanted"), thinned([pytest.param(*row, id=row[0]) for row in READ], 4))
def test_key_is_read(key: str, text: str, read: Any, wanted: Any, tmp_path: Path) -> None:
    """Each key changes what is loaded; one that is known but not supported yet is refused by name."""
    (tmp_path / "people.csv").write_text("a\n7\n", encoding="utf-8")
    section, _, name = key.partition(".")
    assert f"{name}:" in text
    if read is str:
        with pytest.raises(HandcalcError, match=wanted):
            loads(text)
        return
    problem: Problem = loads(text, folder=tmp_path)
    assert read(problem) == wanted
    assert messages(plain(text)) == []


def test_every_key_has_a_row() -> None:
    """But keys of layers that are not dense: they have tests of their own."""
    wanted = [f"{section}.{field.key}" for section, fields in SECTIONS.items() if section not in {*FILES, "gate"} for field in fields]
    assert sorted(row[0] for row in READ) == sorted(wanted)


@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_keys_are_refused(section: str) -> None:
    inside = {
        "problem": "colour: 1",
        "sample": "samples: [{colour: 1}]\nlayers: []",
        "layer": "layers: [{colour: 1}]",
        "task": "tasks: [{colour: 1}]",
        "gate": "inputs: [[1]]\nlayers: [{type: lstm, neurons: 1, gates: {input: {colour: 1}}}]",
        **{name: f"inputs: [[1]]\nlayers: [{{type: {name}, colour: 1}}]" for name in FILES if name != "dense"},
        **{name: f"{name}: {{colour: 1}}\n{ONE_LAYER}" for name in ("data", "test", "schedule", "regularization")},
    }.get(section, f"{section}: {{colour: 1}}")
    with pytest.raises(ProblemError, match="colour: unknown key"):
        loads(inside)

"""What cells have in common (render/frames.py) is what each of them says by itself."""

from __future__ import annotations

from itertools import product

import pytest
from generalgraphs import general_graph
from shipping import EACH, solved, some

from handcalc.core.chainrule import add_gradients
from handcalc.core.derivation import Derivation, Step
from handcalc.core.expr import Expr, Ref, rewrite
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.errors import EvaluationError
from handcalc.loading.loader import loads
from handcalc.render import read, reading, render
from handcalc.render.dialects import PLAIN
from handcalc.render.formats import jsonform, jsonsteps, templates
from handcalc.render.frames import Frames
from handcalc.render.notation import profiles
from handcalc.render.report import LONGEST_SUM


def filled(formula: Expr, cells: list[Cell]) -> Expr:
    """The formula of a frame with cells for their numbers."""
    return rewrite(formula, lambda node: Ref(*cells[node.places[0]]) if isinstance(node, Ref) else None)


def check(graph: Graph) -> int:
    """Frames of all cells are their formulas, and what they use; how many cells share theirs with others."""
    frames, met, count = Frames(graph), set[int](), 0
    for quantity in graph:
        if frames.whole(quantity.name):
            assert all(graph.present(quantity.name, place) for place in product(*(axis.places for axis in quantity.axes))), quantity.name
        for place in graph.positions(quantity.name):
            wanted = quantity.name, place
            if quantity.definition is not None and graph.given_value(wanted) is None:
                framed = frames.of(wanted)
                assert framed is not None, wanted
                frame, cells = framed
                assert filled(frame.formula, cells) == graph.instance(wanted), wanted
                assert frames.uses(wanted) == graph.uses(wanted), wanted
                met.add(id(frame))
                count += 1
    return count - len(met)


@pytest.mark.parametrize("name", EACH)
def test_frames_are_formulas(name: str) -> None:
    check(solved(name).graph)


def check_seeds(seeds: range) -> int:
    """The same of general graphs: windows that move by two, places that are missing, brackets."""
    shared = 0
    for seed in seeds:
        graph = general_graph(seed)
        add_gradients(graph, "loss")
        shared += check(graph)
    return shared


def test_frames_of_general_graphs() -> None:
    assert check_seeds(range(20)) > 100


@pytest.mark.slow
def test_frames_of_many_general_graphs() -> None:
    assert check_seeds(range(2000, 2300)) > 1500


WINDOWS = """
inputs: [[0.5, -0.25, 1, 0.1], [2, 0.75, -1.5, 0.2], [0.3, 0.4, 0.5, -0.6], [1, 2, 3, 4]]
targets: [1, 0]
layers:
  - type: conv2d
    weights: [[[0.1, -0.2, 0.3], [0.4, 0.5, -0.6], [0.7, 0.8, 0.9]], [[1, 0, -1], [0.25, 0.5, -2], [1, -1, 1]]]
    padding: 1
    bias: [0.1, -0.2]
    activation: relu
  - {type: max_pool, kernel_size: 2}
  - {type: flatten}
  - {neurons: 2, weights: [[0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 0.8], [0.9, -0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7]], bias: zeros}
loss: softmax_cross_entropy
learning_rate: 0.1
"""


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """All problems are taken to have many cells."""
    monkeypatch.setattr(reading, "MANY", 0)
    monkeypatch.setattr(templates, "FEW", 0)


def as_steps(derivation: Derivation, notation: str = "") -> str:
    """JSON that is made of steps, not of templates."""
    return jsonform.dumps(jsonform.solution(derivation, read(derivation, notation, PLAIN, longest=LONGEST_SUM), all_steps(derivation)))


def all_steps(derivation: Derivation) -> list[Step]:
    return [step for number in range(1, derivation.iterations + 1) for step in derivation.steps(number)]


@pytest.mark.parametrize("name", EACH)
def test_templates_give_the_text_of_steps(name: str, many: None) -> None:
    assert render(solved(name), "json") == as_steps(solved(name))


@pytest.mark.parametrize("notation", some(profiles(), ["mazur"]))
def test_templates_of_windows(notation: str, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows with padding, sums over few and many places, two updates; nearly all steps are made of templates."""
    derivation, made = derive(loads(WINDOWS), iterations=2), list[bool]()
    line = jsonsteps.StepLines.line

    def counted(lines: jsonsteps.StepLines, wanted: Cell) -> str:
        text = line(lines, wanted)
        made.append(text != "")
        return text

    monkeypatch.setattr(jsonsteps.StepLines, "line", counted)
    assert render(derivation, "json", notation) == as_steps(derivation, notation)
    assert sum(made) > 0.9 * len(made) or not read(derivation, notation).framed


def test_a_step_without_a_value_is_named_as_ever(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = loads("given: {x: -2, a: 0}\nequations: {y: x*3, z: ln(y), f: z + 1/a}\nminimize: f\nparameters: [x]\nlearning_rate: 0.1")
    said = []
    for most in (0, 10**6):
        monkeypatch.setattr(reading, "MANY", most)
        with pytest.raises(EvaluationError) as caught:
            render(derive(problem), "json")
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "z" in said[0]

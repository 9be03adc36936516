"""Notebooks: valid for Jupyter, and their code computes what the solution says, in every problem and every rounding."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import re
from html import unescape
from typing import Any

import pytest
from exports import HOSTILE, derivation, formulas, hostile_problem, sources, written
from markdown_it import MarkdownIt
from shipping import EACH, KINDS, some

from handcalc.core.derivation import Derivation
from handcalc.core.functions import FUNCTIONS
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import EvaluationError, printable
from handcalc.loading.loader import loads, shipped
from handcalc.render.formats.notebook import STEPS_LIMIT, program
from handcalc.render.formats.python import BUILT_IN, BY_CASES, IN_MATH, Program, TooLongError, identifier
from handcalc.render.report import Chapter, Style, dialect_of
from handcalc.render.views import VIEWS

CARRY = Rounding(decimals=4, significant=None, carry=True)
ROUNDINGS = {
    "exact": Rounding(exact=True),
    "carry-4": CARRY,
    "carry-3-significant": Rounding(significant=3, carry=True, ties="half_even"),
    "carry-overrides": Rounding(
        significant=5, carry=True, ties="truncate", overrides=(("net.*", 2, None), ("grad.*", None, 3), ("new.*", 3, None))
    ),
    "carry-decimals-overrides": Rounding(decimals=5, significant=None, carry=True, overrides=(("out.*", 2, None),)),
}
QUICK = ("exact", "carry-4")  # the others are slow

Notebook = dict[str, Any]


def notebook(*derivations: Derivation, language: str = "en", **style: Any) -> Notebook:
    """The notebook of solutions, without drawings if nothing else is said: they take the most time."""
    found = json.loads(written(derivations, "notebook", language, **{"pictures": False, **style}))
    assert isinstance(found, dict)
    return found


def code(found: Notebook) -> list[Notebook]:
    return [cell for cell in found["cells"] if cell["cell_type"] == "code"]


def source(cell: Notebook) -> str:
    return "".join(cell["source"])


def output(cell: Notebook) -> str:
    return "".join("".join(part["text"]) for part in cell["outputs"])


def run(found: Notebook) -> dict[str, Any]:
    """The variables after all cells have run, one after the other; each prints what it is said to print."""
    variables: dict[str, Any] = {}
    for count, cell in enumerate(code(found), 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(source(cell), variables)
        assert printed.getvalue() == output(cell)
        assert cell["execution_count"] == count
    return variables


def check(found: Derivation, variables: dict[str, Any]) -> None:
    """Every step's variable has the value that the solution has; in carry mode, exactly the number that is shown."""
    names = Program(found, [(step.cell, step.iteration) for round in range(1, found.iterations + 1) for step in found.steps(round)])
    for iteration in range(1, found.iterations + 1):
        for step in found.steps(iteration):
            value = variables[names.name((step.cell, iteration))]
            if found.rounding.carry and step.formula is not None:
                assert value == found.iteration(iteration).evaluation[step.cell], step.id
                assert float(value) == pytest.approx(step.shown.value, rel=1e-15), step.id
            else:
                used = [abs(float(found.iteration(iteration).evaluation[cell])) for cell in step.inputs]
                assert float(value) == pytest.approx(float(step.value), rel=1e-12, abs=1e-15 * max([1.0, *used])), step.id


# --- what the code computes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH)
def test_the_code_computes_the_solution(problem: str) -> None:
    found = derivation(problem, 2)
    check(found, run(notebook(found)))


@pytest.mark.parametrize("rounding", some(ROUNDINGS, QUICK))
@pytest.mark.parametrize("problem", some(shipped(), KINDS[::4]))
def test_the_code_rounds_as_the_solution_does(problem: str, rounding: str) -> None:
    found = derivation(problem, 1 if rounding in QUICK else 2, ROUNDINGS[rounding])
    try:
        for iteration in range(1, found.iterations + 1):
            list(found.steps(iteration))
    except EvaluationError as error:
        assert problem == "deeplearning-ai-logistic" and "loss.a@" in str(error)  # ln(1 − 1.000) in few digits
        return
    check(found, run(notebook(found)))


def test_a_tie_is_rounded_as_on_paper() -> None:
    """0.15 · 0.5 + 0.1 is 0.175, which binary fractions miss."""
    text = "given: {a: 0.15, b: 0.5, c: 0.1}\nequations: {y: a*b + c}\nminimize: y\nparameters: [a]\n"
    found = derive(loads(text, "tie"), Rounding(decimals=2, significant=None, carry=True))
    assert float(run(notebook(found))["y"]) == 0.18


PLAIN = [name for name, record in FUNCTIONS.items() if not record.family]


@pytest.mark.parametrize("name", some(PLAIN, PLAIN[::3]))
def test_functions_are_as_the_table_has_them(name: str) -> None:
    """At both ends of the safe range, between, and at each kink."""
    record = FUNCTIONS[name]
    low, high = record.safe
    for x in (low, (low + high) / 2 + 0.1, high, *record.kinks):
        others = dict(zip(("c", "d"), (0.25, 0.5)))
        call = f"{name}({', '.join(('x', *others)[: len(record.arguments)])})" if record.arguments else f"{name} + x"
        given = ", ".join(f"{letter}: {value}" for letter, value in {"x": x, **others}.items())
        found = derive(loads(f'given: {{{given}}}\nequations: {{y: "{call}"}}\nminimize: y\nparameters: [x]\n', name))
        text = written(found, "notebook", pictures=False)
        assert "put in" not in text
        check(found, run(json.loads(text)))
    assert (name in IN_MATH) + (name in BUILT_IN) + (name in BY_CASES) + bool(record.definition) >= 1


@pytest.mark.parametrize("problem", EACH)
def test_no_number_of_a_shipped_problem_is_put_in(problem: str) -> None:
    assert "put in" not in written(derivation(problem, 2), "notebook", pictures=False)


@pytest.mark.parametrize(
    "activation, bias, result",
    [("sigmoid", -800, 0.0), ("softmax", 800, 1.0), ("softplus", -40, math.exp(-40)), ("softplus", 800, 800.0)],
)
def test_what_floats_cannot_compute_is_put_in(activation: str, bias: int, result: float) -> None:
    """e^800 has no float; 1 + e^(-40) is 1."""
    weights = f"neurons: 2, activation: {activation}, weights: [[0], [0]], bias: [{bias}, 0]"
    found = derive(loads(f"inputs: [1]\ntargets: [1, 0]\nlayers:\n  - {{{weights}}}\nloss: squared_error\nlearning_rate: 1\n", "far"))
    variables = run(notebook(found))
    check(found, variables)
    assert variables["out_o1"] == pytest.approx(result, rel=1e-12, abs=0)


@pytest.mark.parametrize("only, told", [("grad.w1", {"grad_w1"}), ("update", {"delta_w1", "new_w8", "after_loss"}), ("given", set())])
def test_what_is_wanted_is_told_and_all_it_needs_computed(only: str, told: set[str]) -> None:
    found = notebook(derivation("mazur-2-2-2"), only=(only,))
    variables = run(found)
    printed = {line.split(" = ")[0] for cell in code(found) for line in output(cell).splitlines()}
    assert told <= printed <= {*variables} and "net_h1" not in printed and ("net_h1" in variables) == bool(told) and "w1" in variables


# --- names ------------------------------------------------------------------------------------------------------------

NAMES = {
    "net.h1": "net_h1",
    "W1[2,1]": "W1_2_1",
    "grad.out.o1": "grad_out_o1",
    "net.h1@Alice": "net_h1_Alice",
    "θ3": "theta3",
    "3": "input_3",
    "_x": "x",
    "lambda": "lambda_",
    "exp": "exp_",
    "show": "show_",
    "权重": "input",
    "net.隐1": "net_1",
    "__import__('os')": "import_os",
    "a\n'''; import os": "a_import_os",
    "net_h1'": "net_h1",
    "ＡＢ": "input",
    "²": "input",
}


@pytest.mark.parametrize("text", NAMES)
def test_identifiers(text: str) -> None:
    assert identifier(text, "input", ()) == NAMES[text]


def test_identifiers_are_different() -> None:
    taken: list[str] = []
    for text in ("a.b", "a_b", "a b", "exp", "exp_", "a_b_2"):
        taken.append(identifier(text, "input", taken))
    assert taken == ["a_b", "a_b_2", "a_b_3", "exp_", "exp_2", "a_b_2_2"]


NASTY = (
    "lambda", "None", "import", "exp_", "show", "print", "rounded", "Fraction", "__import__", "In", "globals", "str", "权重", "偏置", "ŷ",
    "θ", "x'", "x", "_", "_1", "e", "pi2", "ª", "ﬁ", "a__2", "a",
)  # fmt: skip


@pytest.mark.parametrize("rounding", [None, CARRY])
def test_names_that_mean_something_else(rounding: Rounding | None) -> None:
    """A name is never taken for a keyword, a function of the code, or another name; code is ASCII."""
    names = [name for name in NASTY if all(letter.isalnum() or letter in "_'" for letter in name)]
    given = ", ".join(f"{json.dumps(name)}: {number}.5" for number, name in enumerate(names))
    problem = (
        f"given: {{{given}}}\nequations: {{sum1: {json.dumps(' + '.join(names))}, y: sum1*sum1 + exp(a)}}\nminimize: y\nparameters: [a]\n"
    )
    found = derive(loads(problem, "nasty"), rounding)
    cells = notebook(found)
    assert all(source(cell).isascii() for cell in code(cells)) and len(names) > 20
    check(found, run(cells))


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_no_text_of_a_user_is_in_the_code(text: str) -> None:
    usual, found = (notebook(hostile_problem(title)) for title in ("harmless", text))
    assert [source(cell) for cell in code(found)] == [source(cell) for cell in code(usual)]


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_texts_are_text(text: str) -> None:
    """Read as Markdown, the title is the text; nothing in it begins a formula or an element, whoever reads it."""
    found = notebook(hostile_problem(text), hostile_problem("other"))
    texts = [source(cell) for cell in found["cells"] if cell["cell_type"] == "markdown"]
    heading = next(line for line in texts[1].split("\n") if line.startswith("# "))
    inside = next(token.children or [] for token in MarkdownIt().parse(heading) if token.type == "inline")
    assert unescape("".join(part.content for part in inside if part.type != "html_inline")) == printable(text).strip()
    assert {part.content for part in inside if part.type == "html_inline"} <= {"<span>", "</span>"}
    rest = re.sub(r"\$\$\n.*?\n\$\$|<span>\\[\\$]</span>", "", "\n".join(texts), flags=re.DOTALL)
    rest = re.sub(r"(?<=\| )\$[^$\n]*\$(?= \|)", "", rest)
    rest = re.sub(r"^\$[^$\n]*\$: before \$[^$\n]*\$, after \$[^$\n]*\$$", "", rest, flags=re.MULTILINE)
    assert "$" not in rest and "\\\\" not in rest


# --- what the file is -------------------------------------------------------------------------------------------------


def valid(found: Notebook) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.from_dict(found))
    ids = [cell["id"] for cell in found["cells"]]
    assert len({*ids}) == len(ids) and found["nbformat"] == 4 and found["nbformat_minor"] == 5


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("problem", ["mazur-2-2-2", "zhou-four-people", "micrograd-readme", "chinese-homework"])
def test_notebooks_are_valid(problem: str, view: str) -> None:
    valid(notebook(derivation(problem), language="zh", view=view, pictures=True))


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("problem", EACH)
def test_all_notebooks_are_valid(problem: str, view: str) -> None:
    valid(notebook(derivation(problem, 2), view=view, form="both", detail="full", pictures=True))


def test_a_formula_has_its_number_in_the_code() -> None:
    text = written(derivation("mazur-2-2-2"), "notebook", pictures=False)
    cells = json.loads(text)["cells"]
    assert "net_h2 = w3*i1 + w4*i2 + b1  # (2)\n" in "".join(map(source, cells))
    numbers = [int(found) for cell in cells if cell["cell_type"] == "code" for found in re.findall(r"# \((\d+)\)", source(cell))]
    tags = [int(found) for formula in formulas("notebook", text) for found in re.findall(r"\\tag\{(\d+)\}", formula)]
    assert sorted(numbers) == tags == list(range(1, len(tags) + 1))


def test_a_line_in_the_other_sign_is_called_so() -> None:
    """In this notation, g stands for the negative of the derivative, which is what the id means."""
    text = "\n".join(map(source, code(notebook(derivation("xigua-thresholds")))))
    assert "grad_net_y1 = grad_out_y1*local_out_y1  # -(11)\n" in text and "grad_out_y1 = out_y1 - target_y1  # (9)\n" in text


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "key"])
@pytest.mark.parametrize("problem", some(shipped(), KINDS[::5]))
def test_the_code_of_a_worksheet_is_to_be_filled_in(problem: str, view: str) -> None:
    found = derivation(problem, 2)
    cells = code(notebook(found, view=view))
    key = Program(found, [(step.cell, step.iteration) for round in (1, 2) for step in found.steps(round)])
    text = "\n".join(map(source, cells))
    for step in key.steps:
        line = re.escape(key.name(step)) + (r" = \.\.\.(  # -?\(\d+\))?" if key.computed(step) else r" = [-+\w./]+")
        assert re.search(f"^{line}$", text, re.MULTILINE), key.name(step)
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    variables: dict[str, Any] = {}
    exec(text, variables)


def test_several_problems() -> None:
    """A list that leads to each; nothing of one problem is used by another."""
    problems = [derivation(name) for name in ("mazur-2-2-2", "zhou-four-people", "mazur-2-2-2", "micrograd-readme")]
    found = notebook(*problems)
    valid(found)
    links = re.findall(r"^- \[.*\]\(#(.*)\)$", source(found["cells"][0]), re.MULTILINE)
    texts = [source(cell) for cell in found["cells"]]
    assert len(links) == 4 and all(sum(f'<a id="{link}"></a>' in text for text in texts) == 1 for link in links)
    run(found)
    starts = [place for place, text in enumerate(texts) if text.startswith("<a id")] + [len(texts)]
    for problem, start, end in zip(problems, starts, starts[1:]):
        cells = [{**cell} for cell in found["cells"][start:end]]
        for count, cell in enumerate(code({"cells": cells}), 1):
            cell["execution_count"] = count
        check(problem, run({"cells": cells}))


def test_drawings_are_images() -> None:
    text = written(derivation("mazur-2-2-2"), "notebook", "zh")
    images = re.findall(r'^<img alt="(.*)" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)">$', sources("notebook", text), re.MULTILINE)
    assert len(images) == 2
    for _, data in images:
        assert base64.b64decode(data).decode("utf-8").startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_a_large_network_has_no_code() -> None:
    def row(value: float, count: int) -> str:
        return f"[{', '.join([str(value)] * count)}]"

    layers = [
        f"{{neurons: 40, activation: tanh, weights: [{', '.join([row(0.1, 60)] * 40)}]}}",
        f"{{neurons: 1, activation: identity, weights: [{row(0.1, 40)}]}}",
    ]
    text = f"inputs: {row(0.5, 60)}\ntargets: [1]\nlayers: [{', '.join(layers)}]\nloss: squared_error\nlearning_rate: 1\n"
    found = derive(loads(text, "large"))
    assert program(Chapter(found, dialect_of("notebook"), Style())) is None
    cells = notebook(found)
    assert not code(cells) and f"more than {STEPS_LIMIT} steps" in source(cells["cells"][-1])
    one = notebook(found, only=("net.h1",))
    assert run(one)["net_h1"] == pytest.approx(3) and all(len(line) <= 100 for cell in code(one) for line in source(cell).split("\n"))
    with pytest.raises(TooLongError):
        Program(found, [(("net1", (0,)), 1)], most=50)


def test_it_is_in_chinese() -> None:
    text = sources("notebook", written(derivation("mazur-2-2-2"), "notebook", "zh", pictures=False))
    assert "前向传播" in text and "Forward" not in text


# --- Jupyter ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("problem", ["mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy"])
def test_jupyter_prints_the_same(problem: str) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    found = notebook(derivation(problem, 2, CARRY if problem == "zhou-four-people" else None))
    executed = nbclient.NotebookClient(nbformat.reads(json.dumps(found), 4), timeout=120, kernel_name="python3").execute()
    assert [output(cell) for cell in code(executed)] == [output(cell) for cell in code(found)]
    assert [cell["execution_count"] for cell in code(executed)] == [cell["execution_count"] for cell in code(found)]

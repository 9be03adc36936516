"""Names mean nothing: whatever quantities are called, everything that is worked out, marked, trained and printed is the same."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from opaque import METHODS, WORDS, renaming
from shipping import loaded, solved, some, thinned

from handcalc.cli import group
from handcalc.core.graph import Graph
from handcalc.loading.loader import shipped

EQUATIONS = [name for name in shipped() if loaded(name).equations]


def printed(problem: str, folder: Path) -> list[str]:
    """What the commands say of a problem: the solution in several formats, the check of a wrong sheet, training, saving."""
    steps = json.loads(output(["solve", problem, "--format", "json"]))["steps"]
    answers = {step["id"]: step["shown"] for step in steps if step["phase"] != "given"}
    answers[next(iter(answers))] = "17.25"
    sheet = folder / "sheet.yaml"
    sheet.write_text(json.dumps({"answers": answers}, ensure_ascii=False), encoding="utf-8")
    saved = folder / "saved.yaml"
    commands = [
        ["solve", problem, "--format", "json"],
        ["solve", problem, "--format", "plain", "--form", "both", "--detail", "full", "--picture"],
        ["solve", problem, "--format", "html", "--notation", "zhou"],
        ["solve", problem, "--format", "latex", "--iterations", "2"],
        ["solve", problem, "--format", "notebook"],
        ["check", problem, str(sheet), "--format", "json"],
        ["check", problem, str(sheet), "--format", "plain", "--notation", "bishop"],
        ["audit", problem, str(sheet), "--format", "json"],
        ["check", problem, "--blank"],
        ["gradcheck", problem, "--format", "json"],
        ["train", problem, "--iterations", "5", "--format", "json", "--save", str(saved), "--force"],
    ]
    found = [output(command) for command in commands]
    return [*found, saved.read_text(encoding="utf-8") if saved.exists() else ""]


def output(arguments: list[str]) -> str:
    """What a command prints; an error of a user's, in words; any other error goes on."""
    from handcalc.errors import HandcalcError

    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    if isinstance(done.exception, HandcalcError):
        return "\n".join(map(str, done.exception.messages))
    if done.exception is not None:
        raise done.exception
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("problem", some(shipped(), ("xigua-thresholds",)))
def test_a_network_is_the_same_whatever_its_quantities_are_called(problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = printed(problem, tmp_path)
    renaming(monkeypatch)
    assert printed(problem, tmp_path) == expected


# --- variables of equations are called what the user likes -------------------------------------------------------------

AWKWARD = [
    *(word for word in WORDS if re.fullmatch(r"\w+", word) and word not in ("x", "t")),
    "out",
    "net1",
    "grad",
    "delta_w",
    "new",
    "bias",
]


def renamed_text(problem: str) -> tuple[str, dict[str, str]]:
    """The file of an equations problem with awkward names, and old → new."""
    text = shipped()[problem].read_text(encoding="utf-8")
    known = loaded(problem)
    names = [*known.given, *(equation.name for equation in known.equations)]
    new = dict(zip(names, [*AWKWARD, *(f"W{number}x" for number in range(len(names)))]))
    body = re.sub(r"(?m)^(title|source|notation|#).*$", "", text)
    word = r"(?<![\w.])(?P<of>(grad2?|new)\.)?(?P<name>[^\W\d]\w*)"
    return re.sub(word, lambda found: (found["of"] or "") + new.get(found["name"], found["name"]), body), new


@pytest.mark.parametrize("problem", some(EQUATIONS, EQUATIONS[:4]))
def test_equations_are_the_same_whatever_their_variables_are_called(problem: str, tmp_path: Path) -> None:
    text, names = renamed_text(problem)
    path = tmp_path / "renamed.yaml"
    path.write_text(text, encoding="utf-8")
    old = json.loads(output(["solve", problem, "--format", "json"]))["steps"]
    new = json.loads(output(["solve", str(path), "--format", "json"]))["steps"]

    def called(text: str) -> str:
        return re.sub(r"(?<!\w)[^\W\d]\w*", lambda found: names.get(found[0], found[0]), text)

    def bare(steps: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return [(step["id"], step["phase"], step["value"], step["shown"], step["inputs"]) for step in steps]

    assert [(called(id), *rest, list(map(called, inputs))) for id, *rest, inputs in bare(old)] == [(*rest, i) for *rest, i in bare(new)]
    for command in (["train", "--iterations", "5", "--format", "json"], ["gradcheck", "--format", "json"]):
        files = map(str, (shipped()[problem], path))
        before, after = (output([command[0], file, *command[1:]]).replace(file, "its file").replace("@", "") for file in files)
        assert after == (called(before) if before.startswith("{") else before)  # else: why there is nothing to train


# --- and it gave wrong numbers ----------------------------------------------------------------------------------------


def steps_of(text: str, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return {step["id"]: step["value"] for step in json.loads(output(["solve", str(path), "--format", "json"]))["steps"]}


def test_a_variable_called_held_has_a_gradient(tmp_path: Path) -> None:
    text = "given: {x: 2, w: 4}\nequations: {held_y: w*x, f: held_y^2}\nminimize: f\nparameters: [w]\nlearning_rate: 0.1\n"
    found = steps_of(text, tmp_path)
    assert (found["grad.w"], found["new.w"]) == (32, pytest.approx(0.8))


def test_a_parameter_called_held_is_trained(tmp_path: Path) -> None:
    text = "given: {x: 2, held_w: 4}\nequations: {f: (held_w*x)^2}\nminimize: f\nparameters: [held_w]\nlearning_rate: 0.1\n"
    assert steps_of(text, tmp_path)["new.held_w"] == pytest.approx(4 - 0.1 * 32)


def test_slopes_of_variables_called_loss_are_steps(tmp_path: Path) -> None:
    text = (
        "given: {x: 2, w: 3, t: 5, lam: 0.1}\n"
        "equations: {loss_fit: (w*x - t)^2, loss_reg: lam*w^2, total: loss_fit + loss_reg}\n"
        "minimize: total\nparameters: [w]\nlearning_rate: 0.1\n"
    )
    found = steps_of(text, tmp_path)
    assert (found["grad.loss_fit"], found["grad.loss_reg"], found["grad.w"]) == (1, 1, pytest.approx(4.6))


def test_steps_keep_their_order_whatever_variables_are_called(tmp_path: Path) -> None:
    def order(first: str, second: str) -> list[str]:
        given = f"given: {{x: 2, {first}: 3, {second}: 0.5}}\n"
        found = steps_of(given + f"equations: {{f: ({first}*x + {second})^2}}\nminimize: f\n", tmp_path)
        return [re.sub(rf"\b{second}\b", "2", re.sub(rf"\b{first}\b", "1", id)) for id in found]

    assert order("Width", "bias") == order("a", "c") == order("bias", "Width")


# --- and nobody reads them --------------------------------------------------------------------------------------------

PACKAGE = Path(__file__).parents[1] / "handcalc"
IDS = PACKAGE / "core" / "graph.py"  # where ids are made and found
NAMES = re.compile(r"(^|[._\])])(quantity|parameter|consumer|base|ref|reference|node|name)\.(name|quantity|prefix)$|\.quantity$|\.prefix$")


def looks(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, code) of every string method, slice or comparison with a literal on the name of a quantity."""
    for node in ast.walk(tree):
        inside: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            inside = node.func.value
        elif isinstance(node, ast.Subscript):
            inside = node.value
        elif isinstance(node, ast.Compare) and any(
            isinstance(side, ast.Constant) and isinstance(side.value, str) for side in node.comparators
        ):
            inside = node.left
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In) and isinstance(node.left, ast.Constant):
            inside = node.comparators[0]
        if inside is not None and NAMES.search(ast.unparse(inside)):
            yield node.lineno, ast.unparse(node)


@pytest.mark.parametrize("path", thinned([path for path in sorted(PACKAGE.rglob("*.py")) if path != IDS], 5), ids=lambda path: path.stem)
def test_no_name_of_a_quantity_is_looked_into(path: Path) -> None:
    assert [f"{path.name}:{line}: {code}" for line, code in looks(ast.parse(path.read_text("utf-8")))] == []


def test_looks_into_names_are_found() -> None:
    code = "quantity.name.startswith('W')\nref.quantity[1:]\nself.graph[a].prefix == 'new'\n'@' in quantity.name\nsheet.name.strip()\n"
    assert [line for line, _ in looks(ast.parse(code))] == [1, 2, 3, 4]


def test_relations_do_not_come_from_names() -> None:
    graph: Graph = solved("mazur-2-2-2").graph
    weights = graph.in_layer(2, "weight")
    assert graph[graph.gradient(weights)].kind == "gradient" and graph[graph.change(weights)].kind == "change"
    assert graph.gradient("there is none") == graph.in_layer(9, "net") == ""

"""The recipes of docs/architecture.md, done: what the page says is added to a copy of the program, and its own laws find it there.

A recipe is a heading below "How to add"; its blocks begin with a comment that says the file and the place. What has texts for users is
translated as the page says. A recipe may touch so many files, tests included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
NEEDED = ("handcalc", "problems", "tests", ".ci", "pyproject.toml")
CHINESE = Path("handcalc/locale/zh_CN/LC_MESSAGES/handcalc.po")
FILES = 3  # of a recipe
BLOCK = re.compile(r"^```\w+\n# ([^,\n]+), (new|before|after|in place of)(?:: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Addition(NamedTuple):
    """One block: the file it goes into, how it stands to a place (new, before, after, in place of), the place, the text."""

    file: str
    how: str
    place: str
    text: str


def recipes(page: str) -> dict[str, list[Addition]]:
    """Recipe → its blocks."""
    found: dict[str, list[Addition]] = {}
    for section in re.split(r"^### ", page.partition("\n## How to add\n")[2].partition("\n## ")[0], flags=re.MULTILINE)[1:]:
        title, _, rest = section.partition("\n")
        blocks = re.findall(
            r"^```\w+\n# ([^,\n]+), (new|before|after|in place of)(?:: ([^\n]+))?\n(.*?)^```$", rest, re.DOTALL | re.MULTILINE
        )
        assert len(blocks) == rest.count("\n```") / 2, f"{title}: a block without a file and a place"
        if blocks:
            found[title] = [Addition(*block) for block in blocks]
    return found


def add(addition: Addition, folder: Path) -> None:
    """Do what one block says; a function has two empty lines after it."""
    path = folder / addition.file
    if addition.how == "new":
        assert not path.exists(), f"{addition.file} is there already"
        path.write_text(addition.text, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.lstrip().startswith(addition.place)]
    assert len(places) == 1, f"{addition.file} has {len(places)} lines that begin with {addition.place}"
    start, end = places[0] + (addition.how == "after"), places[0] + (addition.how != "before")
    lines[start:end] = [addition.text, "\n\n" * addition.text.startswith("def ")]
    path.write_text("".join(lines), "utf-8")


RECIPES = recipes(PAGE.read_text("utf-8"))


class Copy:
    """A copy of the program in which a recipe was done."""

    def __init__(self, folder: Path, recipe: str) -> None:
        self.folder = folder
        for name in NEEDED:
            whole = ROOT / name
            if whole.is_dir():
                shutil.copytree(whole, folder / name, ignore=shutil.ignore_patterns("golden", "*.pyc.*"))
            else:
                shutil.copy2(whole, folder / name)
        for addition in RECIPES[recipe]:
            add(addition, folder)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What Python answers to arguments, with the copy as the program."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "LC_ALL": "C.UTF-8"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def handcalc(self, *arguments: str, code: int = 0) -> str:
        """What a command answers."""
        return self.run("-m", "handcalc", *arguments, code=code)

    def passed(self, *arguments: str) -> int:
        """How many tests pass; all that are chosen must."""
        answer = self.run("-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-m", "", *arguments)
        found = re.search(r"(\d+) passed", answer)
        assert found and " skipped" not in answer, answer
        return int(found[1])

    def write(self, text: str, name: str = "own.yaml") -> str:
        """A problem file."""
        (self.folder / name).write_text(text, "utf-8")
        return name

    def steps(self, problem: str) -> dict[str, str]:
        """id → printed number of everything that is worked out."""
        steps = json.loads(self.handcalc("solve", problem, "--format", "json"))["steps"]
        return {step["id"]: step["shown"] for step in steps if step["formula"] is not None}

    def marked(self, problem: str, answers: dict[str, str], code: int = 0) -> str:
        """What check says to a sheet."""
        sheet = self.write("".join(f"{wanted} = {number}\n" for wanted, number in answers.items()), "sheet.txt")
        return self.handcalc("check", problem, sheet, code=code)

    def work(self, text: str) -> dict[str, str]:
        """Every command on a problem that uses what was added: the key is right, gradients are, training is saved and lessens the loss."""
        problem = self.write(text)
        key = self.steps(problem)
        self.marked(problem, key)
        self.handcalc("gradcheck", problem)
        self.handcalc("train", problem, "--iterations", "5", "--save", "trained.yaml")
        assert 0 < float(self.steps("trained.yaml")["loss"]) < float(key["loss"])
        self.handcalc("export", problem, "-o", "own.md", "-o", "own.ipynb", "-o", "own.html")
        return key

    def translate(self, chinese: dict[str, str]) -> None:
        """New texts are found, named until they are translated, and then Chinese."""
        pytest.importorskip("babel")
        complaints = self.run(".ci/messages.py", code=1)
        assert all(text.split("\n")[0] in complaints for text in chinese), complaints
        catalogue = self.folder / CHINESE
        text = catalogue.read_text("utf-8")
        for english, translated in chinese.items():
            entry = f"\nmsgid {quoted(english)}\nmsgstr "
            assert text.count(f'{entry}""\n') == 1, english
            text = text.replace(f'{entry}""\n', f"{entry}{quoted(translated)}\n")
        catalogue.write_text(text, "utf-8")
        self.run(".ci/messages.py")
        self.run(".ci/messages.py", "--check")


def quoted(text: str) -> str:
    """A text as catalogues write it."""
    lines = [json.dumps(line, ensure_ascii=False) for line in text.splitlines(keepends=True)]
    return lines[0] if len(lines) == 1 else "\n".join(['""', *lines])


# --- one of each ----------------------------------------------------------------------------------------------------------

NETWORK = """
inputs: {{a: 0.5, b: -1.2}}
targets: {{y: 0.3}}
layers:
  - {{neurons: [h, k], {hidden}weights: [[0.4, -0.3], [0.6, 0.2]], bias: [0.1, -0.2]}}
{between}
  - {{neurons: [y], weights: [[0.7, -0.5]], bias: [0.2]}}
loss: {loss}
learning_rate: 0.5
"""


def network(hidden: str = "", between: str = "", loss: str = "half_squared_error") -> str:
    """A problem of two dense layers."""
    return NETWORK.format(hidden=hidden and f"activation: {hidden}, ", between=between, loss=loss)


@pytest.mark.slow
def test_an_activation(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "An activation")
    copy.translate({"z with a bend at 0": "在 0 处弯折的 z"})
    key = copy.work(network("bent_identity"))
    assert key["out.h"] == "0.759083"
    assert copy.passed("tests/test_functions.py", "-k", "bent_identity") == 6
    assert copy.passed("tests/test_problem_forms.py", "tests/test_cli.py", "-k", "bent_identity or test_list") > 2
    assert copy.passed("tests/test_derive.py", "-k", "bent_identity or every_name") > 3
    assert "bent_identity" in copy.handcalc("derive", "bent_identity", "--format", "plain")


@pytest.mark.slow
def test_a_loss(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "A loss")
    copy.translate({"Cauchy loss, summed over the outputs": "柯西损失，对各输出求和"})
    copy.work(network(loss="cauchy"))
    assert copy.passed("tests/test_problem_forms.py", "-k", "cauchy") == 2
    assert copy.passed("tests/test_derive.py", "-k", "cauchy or results_are or every_name") > 4


@pytest.mark.slow
def test_a_layer_type(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "A layer type")
    copy.translate({"trained factor": "可训练系数", "factor of every feature; trained": "每个特征的系数；可训练"})
    key = copy.work(network(between="  - {type: layer_scale, factor: [0.25, 0.1]}"))
    assert {"grad.Wfactor2[1]", "new.Wfactor2[2]"} <= {*key}
    assert "factor:" in (tmp_path / "trained.yaml").read_text("utf-8")
    assert copy.passed("tests/test_models.py", "-k", "layer_scale or every_type") == 3
    assert copy.passed("tests/test_layertypes.py", "tests/test_saving_layers.py", "-k", "layer_scale") == 3
    pytest.importorskip("torch")
    assert copy.passed("tests/test_models_torch.py", "-k", "layer_scale or every_type") == 2


@pytest.mark.slow
def test_a_notation(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "A notation")
    problem = copy.write("notation: own\n" + network("tanh"))
    assert "z^[1]_1 = " in copy.handcalc("solve", problem, "--format", "plain")
    assert copy.passed("tests/test_schema.py", "-k", "notation") > 1


@pytest.mark.slow
def test_a_notation_in_every_law(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "A notation")
    copy.work("notation: own\n" + network("tanh"))
    assert copy.passed("tests/test_laws.py", "tests/test_cli.py", "-k", "own or test_list") > 3


@pytest.mark.slow
def test_an_output_format(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "An output format")
    problem = copy.write(network("sigmoid"))
    copy.handcalc("export", problem, "-o", "own.adoc")
    assert "\n[latexmath]\n++++\n\\eta = 0.5\n++++\n" in (tmp_path / "own.adoc").read_text("utf-8")
    assert copy.passed("tests/test_export_laws.py", "-k", "(asciidoc and (mazur or given)) or every_document or same_bytes") > 20


@pytest.mark.slow
def test_a_mistake(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "A mistake")
    name = "The decimal point of the learning rate is shifted"
    copy.translate({
        name: "学习率的小数点错位",
        "A tenth of the learning rate was used.\nCompare it with the exercise, digit by digit.": "用了学习率的十分之一。\n请逐位核对题目。",
    })  # fmt: skip
    problem = copy.write(network("sigmoid"))
    key = copy.work(network("sigmoid"))
    wrong = {wanted: float(number) for wanted, number in key.items()}
    given = {"new.W2[1,1]": 0.7, "new.W2[1,2]": -0.5}
    answers = {wanted: f"{before + 0.1 * (wrong[wanted] - before):.6f}" for wanted, before in given.items()}
    assert name in copy.marked(problem, answers, code=1)
    assert copy.passed("tests/test_mistakes.py", "-k", "rate-shifted or every_mistake or every_form or is_offered") > 5
    assert copy.passed("tests/test_check_laws.py", "-k", "(made_everywhere_is_named and mazur-2-2-2) or named_somewhere") == 2


# --- the page says what is tested -----------------------------------------------------------------------------------------


def test_every_recipe_is_done_and_small() -> None:
    assert [*RECIPES] == ["An activation", "A loss", "A layer type", "A notation", "An output format", "A mistake"]
    for recipe, additions in RECIPES.items():
        files = {addition.file for addition in additions}
        assert len(files) <= FILES, recipe


def test_what_a_block_says_is_done(tmp_path: Path) -> None:
    page = """
## How to add

### A line

```py
# a.txt, after: two
2.5
```

```py
# a.txt, in place of: three
3
```

### Nothing

## Else
"""
    (tmp_path / "a.txt").write_text("one\n  two\nthree\n", "utf-8")
    (found,) = recipes(page).values()
    for addition in found:
        add(addition, tmp_path)
    assert (tmp_path / "a.txt").read_text("utf-8") == "one\n  two\n2.5\n3\n"
    with pytest.raises(AssertionError, match="0 lines"):
        add(found[1], tmp_path)
    with pytest.raises(AssertionError, match="without a file"):
        recipes(page.replace("# a.txt, after: two\n", ""))

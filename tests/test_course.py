"""The course: nine exercises from one neuron to attention, in English and in Chinese, as templates with tasks and marks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from shipping import some

from handcalc.cli import group
from handcalc.errors import HandcalcError, OutputError
from handcalc.exercises.handedout import HandedOut
from handcalc.exercises.lint import as_json, lint
from handcalc.exercises.manifest import problem_files, templates_of, verify
from handcalc.exercises.quizsources import manifests_of, sources_of
from handcalc.loading.loader import load
from handcalc.problem.files import shipped_folder

COURSE, CHINESE = (templates_of(name) for name in ("course", "course-zh"))
EXERCISES = {Path(path).stem: path for path in COURSE}


def test_the_path() -> None:
    assert [*EXERCISES] == [
        "01-neuron", "02-layer", "03-forward-and-error", "04-backpropagation", "05-softmax", "06-batch", "07-convolution", "08-recurrence",
        "09-attention",
    ]  # fmt: skip
    for path in COURSE:
        found = load(path)
        assert found.tasks and found.generating and found.title.startswith(f"{int(Path(path).stem[:2])}. ")


def test_the_chinese_course_is_the_same() -> None:
    """But for titles, texts, comments and language."""

    def bare(path: str) -> str:
        text = Path(path).read_text(encoding="utf-8")
        return re.sub(r"(?m)^(title|text|source|language): .*\n| *#.*$", "", text)

    assert [Path(path).name for path in COURSE] == [Path(path).name for path in CHINESE]
    for one, other in zip(COURSE, CHINESE):
        assert bare(one) == bare(other)
        assert load(other).language == "zh" and re.search("[一-龥]", load(other).title)


@pytest.mark.parametrize("name", some(EXERCISES, ("01-neuron", "06-batch")))
def test_no_mistake_is_hidden(name: str) -> None:
    assert not as_json(lint(load(EXERCISES[name])))["hidden"]


def generate(*arguments: str) -> str:
    done = CliRunner().invoke(group, ["generate", *arguments], standalone_mode=False, catch_exceptions=False)
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_thirty_variants(name: str, tmp_path: Path) -> None:
    generate(EXERCISES[name], "-n", "30", "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(tmp_path / "set"))
    assert len(json.loads((tmp_path / "set" / "manifest.json").read_text("utf-8"))["variants"]) == 30


def test_an_exercise_of_a_course_has_a_name(tmp_path: Path) -> None:
    """With it a set is the same wherever it is written, and is found again."""
    for folder in ("set", "further/down/set"):
        generate("course/01-neuron", "-n", "1", "--seed", "a", "--sheet", "txt", "-o", str(tmp_path / folder))
    one, other = ((tmp_path / folder / "manifest.json").read_bytes() for folder in ("set", "further/down/set"))
    assert one == other and json.loads(one)["template"]["file"] == "course/01-neuron"
    assert verify(str(tmp_path / "set")) == [] == verify(str(tmp_path / "set" / "manifest.json"))


def test_templates_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "a.yml"):
        (tmp_path / name).write_bytes((Path(shipped_folder()) / "course" / "01-neuron.yaml").read_bytes())
    with pytest.raises(OutputError, match="two templates are called a"):
        generate(str(tmp_path), "-n", "1", "-o", str(tmp_path / "set"))


def test_a_sheet_as_text(tmp_path: Path) -> None:
    """Names as they are written; what each blank is worth, where not all are worth the same; one drawing."""
    (tmp_path / "list.csv").write_text("id,name\n18,王芳\n", encoding="utf-8")
    generate("course/04-backpropagation", "--students", str(tmp_path / "list.csv"), "--sheet", "txt", "-o", str(tmp_path / "set"))
    (sheet,) = (path.read_text(encoding="utf-8") for path in (tmp_path / "set").glob("*/sheet.txt"))
    assert "王芳" in sheet.splitlines()[0] and sheet.count("Output layer (o1, o2)\n  h1 ──") == 1
    assert re.search(r"\(7\) +\[1\] +out_o1 = _", sheet) and re.search(r"\(32\) +\[3\] +δ_h1 = _", sheet)


def test_a_folder_of_templates_gives_a_set_for_each(tmp_path: Path) -> None:
    for name in ("01-neuron.yaml", "02-layer.yaml"):
        (tmp_path / name).write_bytes((Path(shipped_folder()) / "course" / name).read_bytes())
    (tmp_path / "list.csv").write_text("id,name\n17,Ann\n18,王芳\n", encoding="utf-8")
    said = generate(str(tmp_path), "--students", str(tmp_path / "list.csv"), "--seed", "a", "--sheet", "txt", "-o", str(tmp_path / "set"))
    assert said.count("variants written: 2") == 2
    for name in ("01-neuron", "02-layer"):
        manifest = tmp_path / "set" / name / "manifest.json"
        assert [one["student"]["id"] for one in json.loads(manifest.read_text("utf-8"))["variants"]] == ["17", "18"]
        assert verify(str(manifest)) == []


def test_a_folder_of_sets_is_taken_as_a_whole(tmp_path: Path) -> None:
    """What generate writes for a course can be linted, verified and exported at once; results belong to one of its sets."""
    for name in ("01-neuron", "02-layer"):
        generate(f"course/{name}", "-n", "1", "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(tmp_path / "made" / name))
    made = str(tmp_path / "made")
    found = problem_files(made)
    assert [Path(path).parts[-3] for path in found] == ["01-neuron", "02-layer"]
    assert [source.group for source in sources_of([made])] == ["01-neuron", "02-layer"] and len(manifests_of(made)) == 2
    assert verify(made) == []
    Path(found[1]).write_text(Path(found[1]).read_text("utf-8").replace("title:", "title: "), encoding="utf-8")
    assert verify(made) == [Path(found[1]).parts[-2]]
    for call, said in (
        (lambda: verify(made, found[0]), "--template is for one set of variants; these are 2"),
        (lambda: HandedOut.of(made), r"but sets of variants; name one of them, such as .*01-neuron$"),
        (lambda: templates_of(made), "there are no problem files"),
    ):
        with pytest.raises(HandcalcError, match=said):
            call()
    (tmp_path / "made" / "own.yaml").write_text(Path(found[0]).read_text("utf-8"), encoding="utf-8")
    assert [Path(path).name for path in problem_files(made)] == ["own.yaml"] and manifests_of(made) == []

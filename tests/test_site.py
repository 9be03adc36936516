"""The site without a browser: its files, the same bytes every time, what is said where something is missing, commands that are captured."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sites import imitation, modules

from handcalc.cli import captured, main
from handcalc.disk.reading import names_in
from handcalc.errors import HandcalcError
from handcalc.language import LANGUAGES, translator
from handcalc.loading.loader import shipped
from handcalc.render.formats.page import asset
from handcalc.site import building, provided
from handcalc.site.packages import wheels
from handcalc.site.texts import TEXTS, texts

STATIC = Path(building.STATIC)


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No packages of npm but those that a test makes."""
    monkeypatch.delenv("HANDCALC_NODE_MODULES", raising=False)
    monkeypatch.chdir(tmp_path)
    yield


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as error:
        main([*arguments])
    return int(str(error.value.code))


def made(folder: Path) -> dict[str, bytes]:
    """The files of a site."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def editor(folder: Path) -> None:
    """Packages that look like CodeMirror's."""
    for name in (*provided.EDITOR, "crelt"):
        package = folder / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"module": "index.js", "exports": {"import": "./index.js"}}))
        (package / "index.js").write_text("import crelt from 'crelt';\n// nothing from 'elsewhere'\nexport * from 'crelt';\n")


def test_the_files_are_there_and_the_same_every_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editor(modules(tmp_path))
    assert ended("site", "-o", "one", "--lang", "en") == 0 and re.match(r"Site: \d+ files, \d", capsys.readouterr().err)
    assert ended("site", "-o", "two", "--pyodide", "node_modules/pyodide") == 0
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    assert one == two
    parts = {
        "index.html",
        "site.js",
        "site.css",
        "page.js",
        "page.css",
        "steps.js",
        "functions.js",
        "live.js",
        "worker.js",
        "service.js",
        "editor.js",
        "schema.json",
        "icon.svg",
    }
    assert parts <= {*one} and {f"pyodide/{name}" for name in provided.PYODIDE_FILES} <= {*one}
    assert one["codemirror/crelt.js"] == b"import crelt from './crelt.js';\n// nothing from 'elsewhere'\nexport * from './crelt.js';\n"
    assert all({*problem["titles"]} == {"en", "zh"} for problem in json.loads(one["gallery.json"]))
    assert {problem["name"] for problem in json.loads(one["gallery.json"])} == {*shipped()}
    assert {f"packages/{name}" for name in wheels()} == {*json.loads(one["packages.json"])} <= {*one}


def test_the_service_knows_every_file(tmp_path: Path) -> None:
    files = building.site(str(imitation(tmp_path / "python")), "en")
    service = str(files["service.js"])
    listed = json.loads(re.search(r"FILES = (\[.*?\]);", service, re.DOTALL)[1])  # type: ignore[index]
    assert {*listed} == {"./", *files} - {"index.html", "service.js"}
    other = building.site(str(tmp_path / "python"), "zh")
    name = re.compile(r'SITE = "(handcalc-[0-9a-f]{16})"')
    assert name.search(service)[1] != name.search(str(other["service.js"]))[1]  # type: ignore[index]


def test_without_codemirror_there_is_a_plain_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modules(tmp_path)
    assert ended("site", "-o", "site", "--lang", "en") == 0
    assert "plain field; to have it, type: npm install pyodide@" in capsys.readouterr().err
    assert "editor.js" not in made(tmp_path / "site") and "editor.js" not in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("site", "-o", "site") == 2
    assert f"Pyodide is not here; type: npm install pyodide@{provided.PYODIDE} codemirror@6" in capsys.readouterr().err
    modules(tmp_path, "0.1.0")
    assert ended("site", "-o", "site") == 2
    assert f"this is Pyodide 0.1.0, and {provided.PYODIDE} is needed; type: npm install" in capsys.readouterr().err
    assert ended("site", "-o", "site", "--pyodide", "nowhere") == 2 and "nowhere: this is no folder" in capsys.readouterr().err
    (tmp_path / "node_modules" / "pyodide" / "pyodide.asm.wasm").unlink()
    assert ended("site", "-o", "site", "--pyodide", "node_modules/pyodide") == 2
    assert "this is no copy of Pyodide: pyodide.asm.wasm are missing" in capsys.readouterr().err
    assert ended("site") == 2 and "say where with -o FOLDER" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_nothing_is_overwritten_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modules(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "own.txt").write_text("mine")
    assert ended("site", "-o", "site") == 2 and "the folder exists; use --force" in capsys.readouterr().err
    assert [*made(tmp_path / "site")] == ["own.txt"]
    assert ended("site", "-o", "site", "--force") == 0
    assert made(tmp_path / "site")["own.txt"] == b"mine" and (tmp_path / "site" / "index.html").exists()


def test_packages_of_npm_are_found_as_node_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = modules(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert provided.node_modules() == str(found)
    monkeypatch.setenv("HANDCALC_NODE_MODULES", str(tmp_path / "a"))
    assert provided.node_modules() == str(tmp_path / "a")
    with pytest.raises(HandcalcError, match="Pyodide is not here"):
        provided.pyodide()


@pytest.mark.slow
def test_wheels_hold_what_runs(tmp_path: Path) -> None:
    """A Python that has nothing else marks an answer with them."""
    assert wheels.__wrapped__() == wheels(), "the same bytes every time"
    for content in wheels().values():
        with ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None and not [name for name in archive.namelist() if name.endswith((".pyc", ".so"))]
            archive.extractall(tmp_path / "packages")
    script = (
        "import sys; sys.path = [path for path in sys.path if 'site-packages' not in path]\n"
        f"sys.path.insert(0, {str(tmp_path / 'packages')!r})\n"
        "from handcalc.cli import captured\ncaptured.settle_in('work')\n"
        'print(captured.answer(\'{"arguments": ["check", "mazur-2-2-2", "--answer", "new.w5=0.4411"], "files": {}}\'))'
    )
    found = subprocess.run([sys.executable, "-S", "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    answer = json.loads(found.stdout)
    assert answer["code"] == 1 and "The gradient is added in the update" in answer["out"]
    assert (tmp_path / "work" / "xigua-3.0.csv").exists()


# --- the page -----------------------------------------------------------------------------------------------------------------------


def test_the_page_runs_nothing_but_its_own_files() -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*(src=|application/json))|<style|\son\w+=|\sstyle=", page)
    assert "'unsafe-inline'" not in building.POLICY and "'unsafe-eval'" not in building.POLICY
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//\w+\.\w+/|\beval\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), path


def test_scripts_of_the_page_share_no_name() -> None:
    """They are in one scope: what two of them declare is an error in the browser."""
    names = re.findall(r'<script src="(\w+\.js)">', (STATIC / "index.html").read_text("utf-8"))
    texts = [asset(name) if name in ("numbers.js", "rounds.js", "maps.js", "live.js", "page.js") else _own(name) for name in names]
    declared = [name for text in texts for name in re.findall(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", text, re.MULTILINE)]
    assert len(names) == 8 and len(declared) == len(set(declared)) > 100


def _own(name: str) -> str:
    return building.functions() if name == "functions.js" else (STATIC / name).read_text("utf-8")


def test_every_text_of_the_page_is_in_the_table() -> None:
    page, script = ((STATIC / name).read_text("utf-8") for name in ("index.html", "site.js"))
    used = {*re.findall(r'data-(?:text|name)="([\w-]+)"', page), *re.findall(r'\b(?:text|say|begin|again)\("([\w-]+)"', script)}
    assert used <= {*TEXTS}
    stages = {"unpacking", "ready", "broken", "offline", "linked", "unlinked", "scripts"}
    assert {*TEXTS} <= used | stages
    assert all({*texts(translator(language))} == {*TEXTS} for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_place_of_the_page_is_left_open(language: str) -> None:
    page = building._page(language, True)
    html = page[: page.index('<script type="application/json"')]
    assert not re.findall(r"\{[a-z-]+\}", html)


# --- captured commands --------------------------------------------------------------------------------------------------------------


def asked(**request: Any) -> dict[str, Any]:
    """An answer to a request."""
    found: dict[str, Any] = json.loads(captured.answer(json.dumps(request)))
    return found


def test_commands_are_captured() -> None:
    captured.settle_in("work")
    problem = {"problem.yaml": "inputs: [1]\nlayers: [{neurons: [y], weights: [[2]]}]\n"}
    found = asked(arguments=["solve", "problem.yaml", "--format", "markdown", "--only", "forward"], files=problem)
    assert found["code"] == 0 and found["err"] == "" and "1 \\cdot" in found["out"] or "2" in found["out"]
    assert asked(arguments=["solve", "problem.yaml", "--frmat"], files={})["code"] == 2
    found = asked(arguments=["solve", "problem.yaml", "--format", "markdown", "-o", "{output}/a.md"], files={})
    assert "a.md" in found["files"] and b64decode(found["files"]["a.md"]).startswith(b"#")
    again = asked(arguments=["solve", "problem.yaml", "--format", "json", "-o", "{output}/a.json"], files={})
    assert [*again["files"]] == ["a.json"] and sys.stdout is not None


def test_sheets_of_a_class_are_marked() -> None:
    captured.settle_in("work")
    sheets = {f"sheets-1/{name}.txt": b64encode(f"net.h1 = {value}".encode()).decode() for name, value in (("Ann", 0.3775), ("Bo", 0.9))}
    arguments = ["check", "mazur-2-2-2", "--jobs", "1", "--lang", "en", "--format", "json", *sheets]
    found = asked(arguments=arguments, files={}, sheets=sheets)
    assert found["code"] == 1 and "Ann" in found["out"] and "Bo" in found["out"]


def test_faults_have_lines() -> None:
    wrong = "inputs: [1]\nlayer: 3\nlayers: [{neurons: 1, weights: [[2]], activation: sigmod}]\n"
    found = asked(problem=wrong, language="en")["faults"]
    assert [line.split(": ")[0] for line in found] == ["problem.yaml:2", "problem.yaml:3"]
    assert asked(problem="inputs: [1]\nlayers: [{neurons: [y], weights: [[2]]}]\n", language="zh")["faults"] == []


def test_what_a_problem_says_is_no_file_of_ours(tmp_path: Path) -> None:
    captured.settle_in("work")
    (tmp_path / "secret.csv").write_text("1,2\n")
    problem = {"problem.yaml": "inputs: [1, 2]\nlayers: [{neurons: 1, weights: {file: ../secret.csv}}]\n"}
    found = asked(arguments=["solve", "problem.yaml", "--safe"], files=problem)
    assert found["code"] == 2 and "outside the folder" in found["err"]
    assert "output" not in " ".join(names_in("."))


def test_a_library_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert ended("derive", "sigmoid", "--lang", "en") == 2
    assert capsys.readouterr().err.startswith("this needs sympy")


def test_why_as_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert ended("why", "mazur-2-2-2", "w5", "--format", "html") == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert ended("why", "mazur-2-2-2", "w5", "-o", "w5.md") == 0 and "\\eta" in (tmp_path / "w5.md").read_text("utf-8")

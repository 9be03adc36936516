"""The shape of the program: imports in one direction, heavy libraries only where they are used, files of bounded size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import handcalc

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "handcalc"
MODULES = sorted(PACKAGE.rglob("*.py"))
FILE_LIMIT = 400  # lines of a file
CORE_LIMIT = 2600  # lines of code in core/: not blank, no comments, no docstrings

# The order of the rooms; a room imports those before it only.
ROOMS = (
    "errors", "disk", "language", "processes", "cluster", "showing", "stages",
    "core", "render", "problem", "layers", "loading", "models", "arrays",
    "deriving", "training", "proof", "marking", "exercises", "bridges",
    "site", "cli", "notebooks",
)  # fmt: skip
NOT = {
    "core": {"disk", "language", "processes", "cluster", "stages"},
    "problem": {"render"},
    "layers": {"render"},
    "loading": {"render"},
}  # though they come before it
MAY_IMPORT = {room: set(ROOMS[:place]) - NOT.get(room, set()) for place, room in enumerate(ROOMS)}
TOP = ("__init__", "__main__", "testing")  # the public names and `python -m handcalc` may reach everything, lazily
LAZY = ("sympy", "numpy", "typst")  # half a second each: only inside functions
NOT_IN_CORE = ("sympy", "numpy", "rich", "click", "yaml", "ruamel")


def name(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def stage(path: Path) -> str:
    """The first part of a module's path: core, render, deriving …"""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import; `from handcalc import x` and relative imports are spelled out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            if node.module == "handcalc":
                yield from ((node.lineno, f"handcalc.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def at_import_time(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not those in functions, nor under `if TYPE_CHECKING`."""
    pending = list(ast.iter_child_nodes(tree))
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        pending.extend(ast.iter_child_nodes(node))


def module(path: Path) -> str:
    """A file as imports name it, without the package: core.expr; render for render/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, modules: Collection[str]) -> set[str]:
    """The files of the package that a file imports, wherever the import stands: at its top, in functions, for types only."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("handcalc.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("handcalc"):
            folder = (node.module or "").removeprefix("handcalc").removeprefix(".")
            for alias in node.names:
                file = f"{folder}.{alias.name}".removeprefix(".")
                found.add(file if file in modules else folder)
    return found & {*modules}


def circles(uses: Mapping[str, Iterable[str]]) -> set[tuple[str, ...]]:
    """The groups of files of which each comes back to itself through the others."""
    left = {start: {*found} for start, found in uses.items()}
    while ends := {start for start, found in left.items() if not found & left.keys()}:  # they lead nowhere, so to no circle
        left = {start: found - ends for start, found in left.items() if start not in ends}
    reached = {start: found & left.keys() for start, found in left.items()}
    for between in reached:  # Warshall: ways through one file more
        for start, found in reached.items():
            if between in found:
                reached[start] = found | reached[between]
    return {tuple(sorted(other for other in found if start in reached[other])) for start, found in reached.items() if start in found}


def public_classes(tree: ast.Module) -> Iterator[str]:
    """The names of the classes of a file that others may use."""
    yield from (node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def filled_lines(path: Path) -> int:
    """Lines of code: not blank, no comments, no docstrings."""
    documented = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            documented.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and not line.lstrip().startswith("#") and number not in documented)


# --- the rules --------------------------------------------------------------------------------------------------------


def test_there_are_modules() -> None:
    assert {"core", "problem", "models", "deriving", "errors"} <= {stage(path) for path in MODULES}


@pytest.mark.slow
def test_imports_go_in_one_direction() -> None:
    unknown = {own for path in MODULES if (own := stage(path)) not in (*TOP, *MAY_IMPORT)}
    assert not unknown, f"rooms that the table does not know; add them with what they may import: {unknown}"
    wrong = [
        f"{name(path)}:{line}: {own} imports {module}; it may import {', '.join(sorted(allowed))}"
        for path in MODULES
        if (own := stage(path)) not in TOP
        for allowed in [MAY_IMPORT[own] | {own}]
        for line, module in imports(parsed(path))
        if module.split(".")[0] == "handcalc" and (module.split(".")[1:2] or ["everything"])[0] not in allowed | {"__version__"}
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_imports_another_in_a_circle() -> None:
    """Nor inside functions, nor for types only."""
    modules = {module(path): path for path in MODULES}
    found = circles({name: imported(parsed(path), modules) for name, path in modules.items()})
    assert not found, f"files that import each other: {sorted(found)}"


def test_every_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for found in public_classes(parsed(path)):
            places.setdefault(found, []).append(name(path))
    assert not {found: files for found, files in places.items() if len(files) > 1}


def in_core() -> Iterator[str]:
    """file:line: module of every import in the core."""
    for path in MODULES:
        if stage(path) == "core":
            yield from (f"{name(path)}:{line}: {module}" for line, module in imports(parsed(path)))


def test_core_knows_no_libraries() -> None:
    wrong = [found for found in in_core() if found.split(": ")[1].split(".")[0] in NOT_IN_CORE]
    assert not wrong, "\n".join(wrong)


def test_core_uses_the_standard_library_only() -> None:
    known = sys.stdlib_module_names | {"handcalc"}
    wrong = [found for found in in_core() if found.split(": ")[1].split(".")[0] not in known]
    assert not wrong, "\n".join(wrong)
    assert any(found.endswith(": math") for found in in_core())


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    tops = [(path, *found) for path in MODULES for node in at_import_time(parsed(path)) for found in imports(node)]
    wrong = [f"{name(path)}:{line}: {module} at import time" for path, line, module in tops if module.split(".")[0] in LAZY]
    assert tops and not wrong, "\n".join(wrong)


def test_files_are_short() -> None:
    sizes = {name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert not [f"{file} has {lines} lines, {FILE_LIMIT} at most" for file, lines in sizes.items() if lines > FILE_LIMIT]


def test_core_is_small() -> None:
    sizes = {name(path): filled_lines(path) for path in MODULES if stage(path) == "core"}
    assert sum(sizes.values()) <= CORE_LIMIT, f"core has {sum(sizes.values())} lines, {CORE_LIMIT} at most: {sizes}"


def test_modules_say_what_they_are() -> None:
    assert not [f"{name(path)} has no docstring" for path in MODULES if path.stat().st_size and not ast.get_docstring(parsed(path))]


def named_files(text: str) -> set[str]:
    """The files that a text names, but for patterns such as *.py."""
    found: set[str] = set(
        re.findall(r"(?<![\w/.{-])(?:\.ci/)?\w[\w/-]*\.(?:in\.)?(?:py|md|txt|po|toml)\b", re.sub(r"https?://\S+", "", text))
    )
    return found


def test_files_that_documents_name_exist() -> None:
    """From handcalc/ on or from the top; what stands in examples is not meant."""
    assert "marking/check.py" in named_files((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.in.md"), ROOT / "docs" / "architecture.md"):
        text = re.sub(r"^```.*?^```$|^    .*?$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        missing = {
            file for file in named_files(text) if "/" in file and not any((top / file).exists() for top in (ROOT, PACKAGE, page.parent))
        }
        assert not missing, f"{page.name} names {missing}"


def test_files_that_a_docstring_names_exist() -> None:
    """From handcalc/ on, from the top, or beside the file."""
    missing: dict[str, list[str]] = {}
    for path in MODULES:
        files = named_files(ast.get_docstring(parsed(path)) or "")
        folders = (ROOT, PACKAGE, path.parent, ROOT / "tests")
        unknown = [file for file in files if file.endswith(".py") and not any((folder / file).exists() for folder in folders)]
        if unknown:
            missing[str(path)] = unknown
    assert not missing


def test_importing_handcalc_is_cheap() -> None:
    """`import handcalc` and the core load none of the libraries."""
    heavy = {*LAZY, *NOT_IN_CORE}
    script = f"import sys, handcalc, handcalc.core.derivation; print(sorted({heavy} & {{*sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert found.stdout.strip() == "[]"


PUBLIC = """
import handcalc.deriving, handcalc.render.reading
import handcalc.render.blocks as blocks
import handcalc
assert handcalc.render.blocks is blocks
derivation = handcalc.derive(handcalc.load("mazur-2-2-2"))
assert handcalc.render(derivation, "plain") == handcalc.render.render(derivation, format="plain")
from handcalc import derive, render
assert render is handcalc.render and derive is handcalc.derive
"""


def test_public_functions_stay_what_they_are_whatever_is_imported() -> None:
    subprocess.run([sys.executable, "-c", PUBLIC], cwd=PACKAGE.parent, check=True)
    files = {path.stem for path in PACKAGE.iterdir()}
    assert files & {name for name in handcalc.__all__ if name.islower()} == {"render"}


# --- the helpers can find something -------------------------------------------------------------------------------------

SAMPLE = '''"""Docstring."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

import handcalc.core.expr
from handcalc import render


def late():
    """Says."""
    import sympy.abc  # comment

    return sympy


class Early:
    # comment
    from typst import x
'''


def test_every_import_is_found() -> None:
    assert sorted(module for _, module in imports(ast.parse(SAMPLE))) == [
        "handcalc.core.expr",
        "handcalc.render",
        "numpy",
        "sympy.abc",
        "typing",
        "typst",
    ]


def test_imports_in_functions_are_late() -> None:
    found = {module for node in at_import_time(ast.parse(SAMPLE)) for _, module in imports(node)}
    assert found == {"typing", "handcalc.core.expr", "handcalc.render", "typst"}


def test_circles_are_found() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": ["f"], "f": ["e", "d"], "g": []}) == {("a", "b", "c"), ("e", "f")}
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == set()


def test_imports_of_files_are_found() -> None:
    modules = ("core.expr", "render", "render.report", "core")
    assert imported(ast.parse(SAMPLE), modules) == {"core.expr", "render"}
    late = "def late():\n    from handcalc.render import report\n\nif TYPE_CHECKING:\n    from handcalc.core.expr import Expr\n"
    assert imported(ast.parse(late), modules) == {"render.report", "core.expr"}


def test_named_files_are_found() -> None:
    text = "(layers/dense.py), `.ci/docs.py`: **a.md** https://x.org/b.py *.in.md handcalc/locale/zh_CN/handcalc.po docs/c.in.md {x}.py"
    assert named_files(text) == {
        "layers/dense.py", ".ci/docs.py", "a.md", "handcalc/locale/zh_CN/handcalc.po", "docs/c.in.md",
    }  # fmt: skip


def test_public_classes_are_found() -> None:
    assert [*public_classes(ast.parse(SAMPLE + "\n\nclass _Own:\n    pass\n"))] == ["Early"]


def test_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text("a = 1\n\n    \nb = 2\n", "utf-8")
    assert filled_lines(path) == 2

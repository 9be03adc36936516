"""The shape of the program: imports in one direction, heavy libraries only where they are used, files of bounded size."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "handcalc"
MODULES = sorted(PACKAGE.rglob("*.py"))
FILE_LIMIT = 400  # lines of a file
CORE_LIMIT = 1940  # lines of code in core/: not blank, no comments, no docstrings

# The order of the rooms; a room imports those before it only.
ROOMS = (
    "errors", "language", "core", "problem", "layers", "loading", "models", "derive", "arrays", "render", "training", "proof", "marking",
    "cli",
)  # fmt: skip
NOT = {"core": {"language"}, "render": {"problem", "layers", "loading", "models", "derive", "arrays"}}  # though they come before it
MAY_IMPORT = {room: set(ROOMS[:place]) - NOT.get(room, set()) for place, room in enumerate(ROOMS)}
TOP = ("__init__", "__main__")  # the public names and `python -m handcalc` may reach everything, lazily
LAZY = ("sympy", "numpy", "typst")  # half a second each: only inside functions
NOT_IN_CORE = ("sympy", "numpy", "rich", "click", "yaml", "ruamel")


def name(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def stage(path: Path) -> str:
    """The first part of a module's path: core, render, derive …"""
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
    assert {"core", "problem", "models", "derive", "errors"} <= {stage(path) for path in MODULES}


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


def test_importing_handcalc_is_cheap() -> None:
    """`import handcalc` and the core load none of the libraries."""
    heavy = {*LAZY, *NOT_IN_CORE}
    script = f"import sys, handcalc, handcalc.core.derivation; print(sorted({heavy} & {{*sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert found.stdout.strip() == "[]"


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


def test_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text("a = 1\n\n    \nb = 2\n", "utf-8")
    assert filled_lines(path) == 2

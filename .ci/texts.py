"""Texts for users in the program's source, found by reading it: `collected()`. What is no literal must be marked, or it is an error.

- `Template` in an annotation says that a text for users stands there: in a table (`_TITLES: dict[str, Template] = {…}`), in a field
  of a record (`doc: Template`), in a parameter (`template: Template`): then every call of it hands one over. gettext, the help of
  options and the docstrings of commands are known.
- What is handed over may be a literal, a conditional of literals, a name that a literal is assigned to, or an entry of what is marked.
  Anything else is among the lost, which are errors: no table of texts can be forgotten silently.

Babel's own extractor sees literals in calls only, and joins the two of a conditional.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GETTEXT = ("translate", "gettext", "translator()")  # translator() is a call of what it answers
FUNCTIONS = (ast.FunctionDef, ast.Lambda)


def collected(files: dict[str, str] | None = None) -> tuple[dict[str, list[str]], list[str]]:
    """The texts with the files they are in, file by file in the order of the alphabet; and the lost places, a line for each."""
    if files is None:
        files = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted((ROOT / "handcalc").rglob("*.py"))}
    trees = {name: ast.parse(text) for name, text in files.items()}
    marks = Marks(list(trees.values()))
    found: dict[str, list[str]] = {}
    lost: list[str] = []
    for name, tree in trees.items():
        reader = Reader(tree, marks)
        for text in sorted(reader.texts() - {""}):
            found.setdefault(text, []).append(name)
        lost += [
            f"{name}:{node.lineno}: where does this text stand? Mark it there as Template: {ast.unparse(node)}" for node in reader.lost
        ]
    return found, lost


class Marks:
    """What is marked anywhere: tables, fields, and for each function and record the places and names of its texts.

    Names that begin with _, and classes, mean those of the same file first.
    """

    def __init__(self, trees: list[ast.Module]) -> None:
        self.tables: set[str] = set()
        self.fields = {"help", "template"}
        self.calls = {name: [(0, "")] for name in GETTEXT}
        self.own: dict[ast.Module, dict[str, list[tuple[int, str]]]] = {tree: {} for tree in trees}
        for tree in trees:
            self.tables |= {name for name, annotation in annotated(tree.body) if marked(annotation)}
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    first = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
                    self._note(tree, node.name, parameters(first[0]) if first else annotated(node.body))
                    self.fields |= {name for name, annotation in annotated(node.body) if marked(annotation)}
                elif isinstance(node, ast.FunctionDef) and node.name != "__init__" and any(marked(kind) for _, kind in parameters(node)):
                    self._note(tree, node.name, parameters(node))

    def _note(self, tree: ast.Module, name: str, given: list[tuple[str, ast.expr | None]]) -> None:
        places = [(place, own) for place, (own, annotation) in enumerate(given) if marked(annotation)]
        self.own[tree][name] = places
        if places and not name.startswith("_"):
            self.calls[name] = places


class Reader:
    """The texts of one file, and the calls that hand over what cannot be followed."""

    def __init__(self, tree: ast.Module, marks: Marks) -> None:
        self.tree = tree
        self.marks = marks
        self.calls = {**marks.calls, **marks.own[tree]}
        self.lost: list[ast.Call] = []
        self.above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def texts(self) -> set[str]:
        """The texts that stand here."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.AnnAssign) and node.value and marked(node.annotation):
                found.update(entries(node.annotation, node.value))
            elif isinstance(node, ast.FunctionDef) and any(called(mark) in ("command", "group") for mark in node.decorator_list):
                found.update(" ".join(part.split("\n")) for part in cleandoc(ast.get_docstring(node) or "").split("\n\n"))
            elif isinstance(node, ast.Call):
                for argument in self._handed(node):
                    texts = self._followed(argument)
                    found.update(texts or ())
                    self.lost += [node] if texts is None else []
            elif isinstance(node, ast.FunctionDef):
                found.update(text for value in defaults(node) for text in literals(value))
        return found

    def _handed(self, node: ast.Call) -> Iterator[ast.expr]:
        """The arguments of a call that are texts for users. (str.translate takes something else.)"""
        yield from (part.value for part in node.keywords if part.arg == "help")
        for place, name in self.calls.get(called(node), ()):
            named = [part.value for part in node.keywords if part.arg == name]
            for given in named or node.args[place : place + 1]:
                if literals(given) or not (isinstance(node.func, ast.Attribute) and node.func.attr == "translate"):
                    yield given

    def _followed(self, node: ast.expr) -> list[str] | None:
        """The literals that are handed over; none, where they are found elsewhere; None, where that cannot be seen."""
        if literals(node):
            return literals(node)
        if isinstance(node, ast.Name):
            return self._named(node)
        if isinstance(node, ast.Attribute):
            return [] if node.attr in self.marks.fields else None
        translated = isinstance(node, ast.Call) and called(node) == "text"
        return [] if translated or self._in_table(node) else None

    def _in_table(self, node: ast.AST) -> bool:
        """Whether this is a table that is marked, or something in it."""
        while isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self.marks.tables

    def _named(self, node: ast.Name) -> list[str] | None:
        """As `_followed`, for a name."""
        scope: ast.AST = node
        while scope in self.above:
            scope = self.above[scope]
            if isinstance(scope, FUNCTIONS) and node.id in dict(parameters(scope)):
                return [] if marked(dict(parameters(scope))[node.id]) else None
            values = list(assigned(scope, node.id)) if isinstance(scope, (*FUNCTIONS, ast.Module)) else []
            if values:
                texts = [text for value in values for text in literals(value)]
                return texts if texts or any(map(self._in_table, values)) else None
        return [] if self._in_table(node) else None


# --- parts of the syntax ------------------------------------------------------------------------------------------------


def marked(annotation: ast.expr | None) -> bool:
    """Whether there is a text for users in what is annotated."""
    return annotation is not None and any(isinstance(node, ast.Name) and node.id == "Template" for node in ast.walk(annotation))


def annotated(body: list[ast.stmt]) -> list[tuple[str, ast.expr | None]]:
    """The names with annotations among statements."""
    return [(node.target.id, node.annotation) for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]


def parameters(node: ast.AST) -> list[tuple[str, ast.expr | None]]:
    """The parameters of a function, and their annotations."""
    assert isinstance(node, FUNCTIONS)
    return [(part.arg, part.annotation) for part in (*node.args.args, *node.args.kwonlyargs) if part.arg != "self"]


def defaults(node: ast.FunctionDef) -> Iterator[ast.expr]:
    """What parameters that are texts are, if not given."""
    for part, value in zip(node.args.args[::-1], node.args.defaults[::-1]):
        if marked(part.annotation):
            yield value


def entries(annotation: ast.expr, value: ast.expr) -> Iterator[str]:
    """The texts of a value: where its annotation has Template."""
    if isinstance(annotation, ast.Name) and annotation.id == "Template":
        yield from literals(value)
    elif isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        kinds = annotation.slice.elts
        if isinstance(value, ast.Dict):
            yield from (text for part in value.values for text in entries(kinds[1], part))
        elif isinstance(value, ast.Tuple):
            alike = isinstance(kinds[-1], ast.Constant)  # tuple[…, ...]
            yield from (text for place, part in enumerate(value.elts) for text in entries(kinds[0 if alike else place], part))


def literals(node: ast.expr) -> list[str]:
    """A literal text, or the two of a conditional expression."""
    if isinstance(node, ast.IfExp):
        return [*literals(node.body), *literals(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def called(node: ast.expr) -> str:
    """The last part of the name of what is called."""
    function = node.func if isinstance(node, ast.Call) else node
    if isinstance(function, ast.Call):
        return f"{called(function)}()"
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """What is assigned to a name in a scope, or gone through with it in a loop."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            targets, value = [node.target], node.value
        elif isinstance(node, (ast.For, ast.comprehension)):
            targets, value = [node.target], node.iter
        else:
            continue
        if value is not None and any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
            yield value

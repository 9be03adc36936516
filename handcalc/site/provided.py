"""What npm packages provide for the site: Pyodide, and the modules of CodeMirror.

- `pyodide(folder)` are the files of Pyodide, from a folder that is named, else from where `npm install` has put it.
- `codemirror()` are the modules of the editor, whose imports lead to the files beside them; none where it is not installed.
- `licences(…)` are the licences of packages that are copied.

npm's packages are looked for as Node does: in node_modules here, then in the folders above; or in the folder that the environment
variable HANDCALC_NODE_MODULES names.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from handcalc.disk.reading import contents, names_in, reason
from handcalc.errors import HandcalcError, Message

PYODIDE = "314.0.7"  # Python 3.14
INSTALL = f"npm install pyodide@{PYODIDE} codemirror@6 @codemirror/lang-yaml@6"
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
EDITOR = (
    "@codemirror/autocomplete", "@codemirror/commands", "@codemirror/lang-yaml", "@codemirror/language", "@codemirror/lint",
    "@codemirror/state", "@codemirror/view",
)  # fmt: skip
LARGEST = 64_000_000  # bytes of a file that is copied
_IMPORT = re.compile(r"""^((?:import|export)\b[^;'"]*?\bfrom\s*|import\s*)(["'])([^"'\n]+)\2""", re.MULTILINE)


def node_modules() -> str | None:
    """Where npm has put packages; None where it has nowhere."""
    named = os.environ.get("HANDCALC_NODE_MODULES")
    if named:
        return named
    folder = os.getcwd()
    while True:
        found = os.path.join(folder, "node_modules")
        if os.path.isdir(found):
            return found
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)


def pyodide(folder: str | None = None) -> dict[str, bytes]:
    """The files of Pyodide by their names. Raises HandcalcError that says what to type."""
    if folder is None:
        folder = os.path.join(node_modules() or "node_modules", "pyodide")
        if not os.path.isdir(folder):
            raise HandcalcError(Message("Pyodide is not here; type: {line}", line=INSTALL))
        version = _about(folder).get("version")
        if version != PYODIDE:
            raise HandcalcError(
                Message("this is Pyodide {found}, and {wanted} is needed; type: {line}", found=str(version), wanted=PYODIDE, line=INSTALL)
            )
    elif not os.path.isdir(folder):
        raise HandcalcError(Message("this is no folder", f"{folder}: "))
    missing = [name for name in PYODIDE_FILES if not os.path.isfile(os.path.join(folder, name))]
    if missing:
        raise HandcalcError(Message("this is no copy of Pyodide: {names} are missing", f"{folder}: ", names=", ".join(missing)))
    return {name: _content(os.path.join(folder, name)) for name in PYODIDE_FILES}


def codemirror() -> dict[str, bytes]:
    """The modules of the editor by their names; none where a part of it is not installed."""
    folder = node_modules()
    files: dict[str, bytes] = {}
    pending = list(EDITOR)
    for package in pending:
        entry = _entry(folder, package) if folder else None
        if entry is None:
            return {}
        text = _content(entry).decode("utf-8")
        pending += sorted({found[3] for found in _IMPORT.finditer(text)} - {*pending})
        files[file_name(package)] = _IMPORT.sub(lambda found: f"{found[1]}{found[2]}./{file_name(found[3])}{found[2]}", text).encode()
    return dict(sorted(files.items()))


def file_name(package: str) -> str:
    """The file that a package becomes: codemirror-state.js for @codemirror/state."""
    return package.removeprefix("@").replace("/", "-") + ".js"


def licences(*modules: str) -> Iterator[tuple[str, str]]:
    """(package, licence) of packages of npm that have one."""
    for package in modules:
        folder = os.path.join(node_modules() or "", package)
        for name in names_in(folder) if os.path.isdir(folder) else ():
            if name.upper().startswith("LICEN"):
                yield package, _content(os.path.join(folder, name)).decode("utf-8", "replace")


def _entry(folder: str, package: str) -> str | None:
    """The module that an import of a package means."""
    about = _about(os.path.join(folder, package))
    exported = about.get("exports")
    exported = exported.get(".", exported) if isinstance(exported, dict) else exported
    named = exported.get("import") if isinstance(exported, dict) else exported
    path = os.path.join(folder, package, str(named or about.get("module") or about.get("main") or ""))
    return path if os.path.isfile(path) else None


def _about(folder: str) -> dict[str, Any]:
    """What a package says of itself."""
    path = os.path.join(folder, "package.json")
    if not os.path.isfile(path):
        return {}
    try:
        found = json.loads(_content(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _content(path: str) -> bytes:
    try:
        return contents(path, LARGEST)
    except (OSError, ValueError) as error:
        raise HandcalcError(Message("cannot be read: {reason}", f"{path}: ", reason=reason(error))) from None

"""The catalogues of texts: `python .ci/messages.py` brings them up to date, `… --check` only says what is wrong.

- Texts for users are English templates in the program. They are found by reading its source, never by running it:
  arguments of `CALLS`, tables named in `TABLES`, the docstrings of commands, and `CLICK`, what click itself says.
- handcalc/locale/*/LC_MESSAGES/handcalc.po has their translations, made by hand. New templates are added with an empty
  translation, unused ones dropped; handcalc.mo, which the program reads, is made from it, the same bytes every time.

Write a template as a literal where it is used; a name is followed to what its file assigns or passes to it. To add a
language, copy a folder of handcalc/locale without its translations, and name it in handcalc/language.py.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "handcalc"
CATALOGUES = sorted(PACKAGE.glob("locale/*/LC_MESSAGES/handcalc.po"))

# call → the place and the keyword of its argument that is a text for users
CALLS: dict[str, tuple[int, str]] = {
    "Message": (0, ""),
    "fail": (0, ""),
    "bad": (1, ""),
    "FormulaError": (0, ""),
    "translate": (0, ""),
    "gettext": (0, ""),
    "option": (99, "help"),
    "version_option": (99, "help"),
    "Function": (5, "doc"),
    "Field": (2, "doc"),
}

# call → the places of its arguments that are texts for users
RECORDS = {"Mistake": (1, 2)}

# tables whose entries are texts, or end with one
TABLES = (
    "COMMANDS", "KIND_TITLES", "_DETAILS", "WELCOME", "WHAT", "RESERVED", "_LOSS_NAMES", "_REASONS", "_TITLES", "_LABELS",
    "_PRACTICE", "_WHY", "_VALUES", "AXES",
)  # fmt: skip

# what click says, in the wording of its versions 8.1 to 8.5
CLICK = (
    "Usage:",
    "Options",
    "Show this message and exit.",
    "default: {default}",
    "required",
    "Error: {message}",
    "Error: invalid input",
    "Aborted!",
    "Try '{command} {option}' for help.",
    "Missing argument",
    "Missing option",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "No such option {name!r}.",
    "No such option: {name}",
    "Option {name!r} does not take a value.",
)

# what click says with a form of its own for several; the languages here have one form for both
COUNTED = (
    "{value!r} is not {choice}.",
    "Did you mean {possibility}?",
    "Option {name!r} requires an argument.",
    "Got unexpected extra argument ({args})",
)

# --- finding ----------------------------------------------------------------------------------------------------------


def collected() -> dict[str, list[str]]:
    """Every text for users with the files it is in: file by file, in the order of the alphabet."""
    found: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for text in sorted({text for node in ast.walk(tree) for text in _texts(node, tree)} - {""}):
            found.setdefault(text, []).append(path.relative_to(ROOT).as_posix())
    for text in (*CLICK, *COUNTED):
        found.setdefault(text, []).append("click")
    return found


def _texts(node: ast.AST, tree: ast.Module) -> Iterator[str]:
    """The texts that begin at a node: of a call, of a table, or of the help of a command."""
    if isinstance(node, ast.Call):
        argument = _argument(node)
        for place in RECORDS.get(_called(node), ()):
            yield from _literals(node.args[place])
        if isinstance(argument, ast.Name):
            for value in _named(argument.id, tree):
                yield from _literals(value)
        elif argument is not None:
            yield from _literals(argument)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value and any(isinstance(target, ast.Name) and target.id in TABLES for target in targets):
            yield from _entries(node.value)
    elif isinstance(node, ast.FunctionDef) and any(_called(decorator) in ("command", "group") for decorator in node.decorator_list):
        yield from (" ".join(paragraph.split("\n")) for paragraph in cleandoc(ast.get_docstring(node) or "").split("\n\n"))


def _called(node: ast.expr) -> str:
    """The last part of the name of what is called."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _argument(node: ast.Call) -> ast.expr | None:
    place, keyword = CALLS.get(_called(node), (99, ""))
    named = [argument.value for argument in node.keywords if keyword and argument.arg == keyword]
    return named[0] if named else node.args[place] if place < len(node.args) else None


def _named(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """What a file assigns to a name, or passes to its functions' parameter of that name."""
    places: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
            yield node.value
        elif isinstance(node, ast.FunctionDef):
            parameters = [parameter.arg for parameter in node.args.args if parameter.arg != "self"]
            places |= {node.name: parameters.index(name)} if name in parameters else {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and places.get(_called(node), 99) < len(node.args):
            yield node.args[places[_called(node)]]


def _literals(node: ast.expr) -> Iterator[str]:
    """A literal text, or the two of a conditional expression."""
    if isinstance(node, ast.IfExp):
        yield from (*_literals(node.body), *_literals(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _entries(node: ast.expr) -> Iterator[str]:
    """The texts of a table: itself, or of every entry the last."""
    for entry in node.values if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Tuple) else [node]:
        yield from _literals(entry.elts[-1] if isinstance(entry, ast.Tuple) else entry)


# --- catalogues: PO, for people ---------------------------------------------------------------------------------------

_LINE = re.compile(r'(?:(msgid|msgstr)\s+)?(".*")\s*$')


def read(path: Path) -> dict[str, str]:
    """The translations in a PO file; that of "" is its header. One marked fuzzy counts as missing."""
    found: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", path.read_text("utf-8")):
        parts = {"msgid": "", "msgstr": ""}
        key = ""
        for line in block.splitlines():
            match = _LINE.match(line)
            if match:
                key = match[1] or key
                parts[key] += ast.literal_eval(match[2])
        fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE)
        if key:
            found[parts["msgid"]] = "" if fuzzy else parts["msgstr"]
    return found


def written(translations: dict[str, str], messages: dict[str, list[str]]) -> str:
    """The text of a PO file: every message with the files it is in and its translation, if there is one."""
    blocks = []
    for text, files in {"": [], **messages}.items():
        references = "".join(f"#: {file}\n" for file in files)
        blocks.append(f"{references}msgid {_quoted(text)}\nmsgstr {_quoted(translations.get(text, ''))}\n")
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    """A text in quotation marks, each of its lines on one of its own."""
    lines = [line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for line in text.splitlines(keepends=True)]
    return "\n".join(f'"{line}"' for line in (lines if len(lines) == 1 else ["", *lines]))


# --- catalogues: MO, for the program ----------------------------------------------------------------------------------


def compiled(translations: dict[str, str]) -> bytes:
    """The bytes of an MO file: two tables of (length, place), one of the templates in order, one of their translations."""
    entries = {text: translation for text, translation in translations.items() if translation}
    entries |= {f"{text}\0{text}": f"{entries[text]}\0{entries[text]}" for text in COUNTED if text in entries}
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    start = 28
    place = start + 16 * len(pairs)
    tables: list[bytes] = []
    for texts in zip(*pairs):
        for text in texts:
            tables.append(struct.pack("<2I", len(text), place))
            place += len(text) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), start, start + 8 * len(pairs), 0, 0)
    return head + b"".join(tables) + b"".join(text + b"\0" for texts in zip(*pairs) for text in texts)


# --- checking ---------------------------------------------------------------------------------------------------------


def fields(text: str) -> list[str]:
    """What stands in braces, and click's %(…)s: a translation must have the same."""
    return sorted(re.findall(r"\{[^{}]*\}|%\(\w+\)s", text))


def wrong(path: Path, messages: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong with a PO file and the MO file beside it."""
    name = "/".join(path.parts[-4:])
    translations = read(path)
    for text, files in messages.items():
        translation = translations.get(text, "")
        if not translation:
            yield f'{name}: not translated: "{text}" ({", ".join(files)})'
        elif fields(translation) != fields(text):
            yield f'{name}: "{translation}" has other fields than "{text}"'
    yield from (f'{name}: not used any more: "{text}"' for text in translations if text and text not in messages)
    if path.read_text("utf-8") != written(translations, messages):
        yield f"{name} is not as this script writes it: run python .ci/messages.py"
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(translations):
        yield f"{binary.name} is older than {name}: run python .ci/messages.py"


def main() -> int:
    """Write the catalogues, then say what is left to do; with --check, only say what is wrong."""
    messages = collected()
    found: list[str] = []
    for path in CATALOGUES:
        if sys.argv[1:] != ["--check"]:
            path.write_text(written(read(path), messages), "utf-8")
            path.with_suffix(".mo").write_bytes(compiled(read(path)))
        found += wrong(path, messages)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

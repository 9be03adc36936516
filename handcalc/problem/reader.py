"""YAML 1.2 with positions: a tree of `Item`s that know their line and path, and a list that collects all errors.

- `read(path)` gives the root item of a file; `read_text` of a text.
- `Item.mapping / sequence / text / number / choice …` read one shape each; what is wrong is added to the file's
  errors, and None is answered, so that one run reports everything.

Scalars stay the text that was typed: 0.10 keeps its digits, `no` is a word, 1e-3 a number. No tag is ever followed,
nothing is constructed; size, depth and aliases are bounded.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from handcalc.core import formula
from handcalc.core.expr import Expr, Number, Ref, number
from handcalc.core.functions import FUNCTIONS
from handcalc.errors import Message, ProblemError

SIZE_LIMIT = 400_000  # bytes of a problem file; larger data belong into a CSV or NPZ file beside it
NODE_LIMIT = 50_000  # values, aliases counted as often as they are used
DEPTH_LIMIT = 40

_PLAIN = str.maketrans("０１２３４５６７８９．－＋−", "0123456789.-+-")


class Source:
    """One file being read: its name as printed, and the errors found so far."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.errors: list[tuple[int, Message]] = []

    def finish(self) -> None:
        """Raise ProblemError with every error found, in the order of the file."""
        if self.errors:
            ordered = sorted(self.errors, key=lambda entry: entry[0])
            raise ProblemError(*dict.fromkeys(message for _, message in ordered))


class Item:
    """A value of the file with its line and path."""

    def __init__(self, node: Any, path: str, source: Source) -> None:
        self.node = node
        self.path = path
        self.source = source

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def kind(self) -> str:
        """mapping, sequence, text or null."""
        if isinstance(self.node.value, str):
            return "null" if self.node.tag.endswith(":null") else "text"
        return "mapping" if self.node.id == "mapping" else "sequence"

    def fail(self, template: str, **values: Any) -> None:
        """Add an error at this place."""
        path = f"{self.path}: " if self.path else ""
        self.source.errors.append((self.line, Message(template, f"{self.source.name}:{self.line}: {path}", **values)))

    # --- shapes ---

    def mapping(self) -> dict[str, Item] | None:
        """Keys and values; an error where it is no mapping or a key is there twice."""
        if self.kind != "mapping":
            self.fail("expected a mapping (key: value), found {found}", found=self.shown)
            return None
        result: dict[str, Item] = {}
        for key, value in self.node.value:
            if not isinstance(key.value, str):
                self.fail("a key must be a word")
                continue
            item = Item(value, f"{self.path}.{key.value}" if self.path else key.value, self.source)
            if key.value in result:
                Item(key, item.path, self.source).fail("this key is there twice")
            result[key.value] = item
        return result

    def section(self, allowed: Iterable[str]) -> dict[str, Item]:
        """A mapping with known keys only; unknown ones are errors with a near match."""
        found = self.mapping()
        if found is None:
            return {}
        known = tuple(allowed)
        for key, item in found.items():
            if key not in known:
                item.fail("unknown key{near}; known are {known}", near=near(key, known), known=", ".join(known))
        return {key: item for key, item in found.items() if key in known and item.kind != "null"}

    def sequence(self) -> list[Item] | None:
        """The entries of a list."""
        if self.kind != "sequence":
            self.fail("expected a list [a, b, …], found {found}", found=self.shown)
            return None
        return [Item(node, f"{self.path}[{place}]", self.source) for place, node in enumerate(self.node.value)]

    def text(self) -> str | None:
        """A text or number as typed."""
        if self.kind != "text":
            self.fail("expected a text, found {found}", found=self.shown)
            return None
        value: str = self.node.value
        return value

    def name(self) -> str | None:
        """A name: letters, digits, _ and ' (of any script), at most 40."""
        value = self.text()
        if value is not None and not is_name(value):
            self.fail("a name has letters, digits and _ only (at most 40), found {found}", found=self.shown)
            return None
        return value

    def number(self) -> Number | None:
        """A number with its typed digits."""
        value = self.text()
        if value is None:
            return None
        try:
            return number(value.translate(_PLAIN))
        except ValueError:
            self.fail("expected a number, found {found}", found=self.shown)
            return None

    def whole(self, least: int, most: int) -> int | None:
        """A whole number from least to most."""
        value = self.text()
        if value is not None and value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most:
            return int(value)
        if value is not None:
            self.fail("expected a whole number from {least} to {most}, found {found}", least=least, most=most, found=self.shown)
        return None

    def flag(self) -> bool | None:
        """true or false."""
        value = self.text()
        if value in ("true", "True", "false", "False"):
            return value.lower() == "true"
        if value is not None:
            self.fail("expected true or false, found {found}", found=self.shown)
        return None

    def choice(self, values: Iterable[str]) -> str | None:
        """One of some words."""
        value, known = self.text(), tuple(values)
        if value is None or value in known:
            return value
        self.fail("unknown value {found}{near}; known are {known}", found=self.shown, near=near(value, known), known=", ".join(known))
        return None

    def formula(self, names: Collection[str]) -> Expr | None:
        """A formula the user typed, over some names."""
        text = self.text()
        if text is None:
            return None
        try:
            return formula.parse(text, lambda name: Ref(name) if name in names else None)
        except formula.FormulaError as error:
            word = str(error.values.get("found", "")) if error.template.startswith("unknown name") else ""
            self.fail(
                "not a formula in {names}: {reason} (column {column}){near}",
                names=", ".join(sorted(names)[:12]),
                reason=Message(error.template, **error.values),
                column=error.column,
                near=near(word, [*names, *FUNCTIONS]) if word else "",
            )
            return None

    @property
    def shown(self) -> str:
        """The value for an error message: short, on one line."""
        if self.kind in ("mapping", "sequence"):
            return "{…}" if self.kind == "mapping" else "[…]"
        value = printable(self.node.value)
        return "nothing" if self.kind == "null" else f'"{value[:40]}…"' if len(value) > 41 else f'"{value}"'


def printable(text: str) -> str:
    """Text with control characters and direction marks made visible."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def is_name(text: str) -> bool:
    """Whether a text can name a neuron, a parameter or a quantity."""
    plain = text.replace("'", "").replace("′", "")
    return 0 < len(text) <= 40 and ("_" + plain).isidentifier()


def near(found: str, known: Iterable[str]) -> Message | str:
    """', did you mean "…"?' where something similar is known."""
    import difflib

    close = difflib.get_close_matches(found, list(known), 1, 0.6)
    return Message(', did you mean "{close}"?', close=close[0]) if close else ""


# --- files ------------------------------------------------------------------------------------------------------------


def shown_path(path: Path) -> str:
    """A path as printed in messages."""
    return printable(str(path))


def read(path: Path) -> Item:
    """The root item of a YAML file. Raises ProblemError where the file is missing, too large or no YAML."""
    name = shown_path(path)
    return read_text(read_bytes(path, name), name, path.parent)


def read_bytes(path: Path, name: str, limit: int = SIZE_LIMIT) -> str:
    """The text of a file. Raises ProblemError with the reason and what to do."""
    where = f"{name}: "
    try:
        if path.is_dir():
            raise ProblemError(Message("this is a folder; give a file", where))
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise ProblemError(Message("there is no such file", where)) from None
    except (OSError, ValueError) as error:
        raise ProblemError(Message("cannot be read: {reason}", where, reason=getattr(error, "strerror", None) or str(error))) from None
    if len(data) > limit:
        message = "larger than {limit} bytes; put large weights or data into a CSV or NPZ file and name it in the problem"
        raise ProblemError(Message(message, where, limit=limit))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(Message("not a text in UTF-8", f"{name}:{line}: ")) from None


def read_text(text: str, name: str, folder: Path) -> Item:
    """The root item of a YAML text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root = YAML(typ="safe", pure=True).compose(text)
        if root is not None:
            _measure(root, {}, set())
    except RecursionError:
        raise ProblemError(Message("nested more than {limit} deep", f"{name}: ", limit=DEPTH_LIMIT)) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ProblemError(Message("not valid YAML: {reason}", f"{name}:{line}: ", reason=printable(str(error.problem or error.context)))) from None
    except _TooLarge:
        raise ProblemError(Message("more than {limit} values", f"{name}: ", limit=NODE_LIMIT)) from None
    except (YAMLError, ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError, NotImplementedError) as error:
        reason = printable(str(error).split("\n")[0])[:100]
        raise ProblemError(Message("not valid YAML: {reason}", f"{name}:1: ", reason=reason)) from None
    if root is None:
        raise ProblemError(Message("the file is empty; `handcalc new` writes one to start from", f"{name}: "))
    return Item(root, "", Source(name, folder))


class _TooLarge(Exception):
    """More values than NODE_LIMIT, aliases counted."""


def _measure(node: Any, known: dict[int, int], open_nodes: set[int], depth: int = 0) -> int:
    """Number of values below a node, aliases counted each time. Raises for bombs, deep nesting and loops."""
    if isinstance(node.value, str):
        return 1
    if id(node) in known:
        return known[id(node)]
    if depth > DEPTH_LIMIT or id(node) in open_nodes:
        raise RecursionError
    open_nodes.add(id(node))
    size = 1
    for entry in node.value:
        for inner in entry if isinstance(entry, tuple) else (entry,):
            size += _measure(inner, known, open_nodes, depth + 1)
            if size > NODE_LIMIT:
                raise _TooLarge
    open_nodes.discard(id(node))
    known[id(node)] = size
    return size


def file_name(path: str | os.PathLike[str]) -> Path:
    """A path the user typed."""
    return Path(os.fspath(path))

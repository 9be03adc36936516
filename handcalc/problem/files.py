"""From a file to its root item: bytes → text → YAML 1.2 nodes, with every limit checked on the way. Full-width punctuation is read.

- `read(path)` gives the root item of a file, `read_text(text, …)` of a text, `read_bytes(path, …)` the text of a file,
  `decoded(data, …)` the text in bytes, `standard_input(…)` what is piped in; `shown_path` is a path as printed.

No tag is ever followed and nothing is constructed; size, depth and aliases are bounded.
"""

from __future__ import annotations

import os
from typing import Any

from handcalc.disk import reading
from handcalc.errors import Message, ProblemError, Template
from handcalc.problem.limits import DEPTH_LIMIT, limit, raised_by
from handcalc.problem.punctuation import half_width
from handcalc.problem.reader import FileNode, Source, quoted
from handcalc.problem.typos import joined, reasons, rejoin

PATH_LENGTH = 200
_PLAIN_TAGS = frozenset(
    "tag:yaml.org,2002:" + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
)


def read(path: str) -> FileNode:
    """The root item of a YAML file. Raises ProblemError where the file is missing, too large or no YAML."""
    return read_text(read_bytes(path), shown_path(path), os.path.dirname(path))


def shown_path(path: str) -> str:
    """A path for messages; of a very long one only the end."""
    return (path or '""') if len(path) <= PATH_LENGTH else "…" + path[-PATH_LENGTH:]


def read_bytes(path: str, kind: str = "bytes", typed: bool = True) -> str:
    """The text of a file, at most limit(kind) bytes. Raises ProblemError with the reason and what to do."""
    return decoded(contents(path, kind, typed), shown_path(path), kind)


def contents(path: str, kind: str = "bytes", typed: bool = True) -> bytes:
    """What is in a file, at most limit(kind) bytes. typed: the user names it, no other file. Raises ProblemError with the reason and
    what to do."""
    name = shown_path(path)
    try:
        data = reading.contents(path, limit(kind), typed)
    except FileNotFoundError:
        raise ProblemError(Message("there is no such file", f"{name}: ")) from None
    except reading.NoFileError as error:
        raise ProblemError(Message("{reason}", f"{name}: ", reason=error.message)) from None
    except (OSError, ValueError) as error:
        raise ProblemError(Message("cannot be read: {reason}", f"{name}: ", reason=reading.reason(error))) from None
    check_size(data, name, kind)
    return data


def standard_input(kind: str = "bytes") -> bytes:
    """What is piped in, at most limit(kind) bytes. Raises ProblemError."""
    try:
        data = reading.standard_input(limit(kind))
    except (OSError, ValueError, AttributeError) as error:
        raise ProblemError(Message("cannot be read: {reason}", "stdin: ", reason=reading.reason(error))) from None
    check_size(data, "stdin", kind)
    return data


def check_size(data: bytes, name: str, kind: str = "bytes") -> None:
    """An error where there are more than limit(kind) bytes. Raises ProblemError."""
    if len(data) > limit(kind):
        template = "larger than {limit} bytes; put large weights or data into a CSV or NPZ file beside it, or set {variable}"
        if kind != "bytes":
            template = "larger than {limit} bytes; set {variable} to raise the limit"
        raise ProblemError(Message(template, f"{name}: ", limit=limit(kind), variable=raised_by(kind)))


def decoded(data: bytes, name: str, kind: str = "bytes") -> str:
    """The text in UTF-8 bytes, at most limit(kind) of them. Raises ProblemError with the reason and what to do."""
    check_size(data, name, kind)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(Message("not a text in UTF-8; save it with that encoding", f"{name}:{line}: ")) from None


def read_text(text: str, name: str, folder: str | None) -> FileNode:
    """The root item of a YAML text. Raises ProblemError where it is no YAML, empty, too large, or has tags or loops."""
    if len(text) > limit("bytes"):
        message = "larger than {limit} bytes; put large weights or data into a CSV or NPZ file beside it, or set {variable}"
        raise ProblemError(Message(message, f"{name}: ", limit=limit("bytes"), variable=raised_by("bytes")))
    source = Source(name, folder)
    root = _composed(half_width(text), name)
    if root is None or root.tag.endswith(":null"):
        raise ProblemError(Message("the file is empty; `handcalc new` writes one to start from", f"{name}: "))
    _Bounds(source).measure(root)
    source.finish()
    return FileNode(root, "", source)


def _composed(text: str, name: str) -> Any:
    """The root node. Raises ProblemError with the line where the text is no YAML."""
    import warnings

    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    from handcalc.problem.yamlreader import compose

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor used twice is legal
            return compose(text)
    except RecursionError:
        raise ProblemError(Message("values are nested more than {limit} deep", f"{name}: ", limit=DEPTH_LIMIT)) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = str(error.problem or error.context)
        found = reasons(text, line) if any(part in said for part in _PUNCTUATION) else []
        if found:
            raise ProblemError(*(Message("not valid YAML: {reason}", f"{name}:{number}: ", reason=one) for number, one in found)) from None
        raise ProblemError(_reason(said, f"{name}:{line}: ")) from None
    except (YAMLError, ValueError, AttributeError, TypeError, IndexError, KeyError, AssertionError, NotImplementedError) as error:
        before = text[: getattr(error, "position", 0)]
        raise ProblemError(_reason(str(error).split("\n")[0][:100], f"{name}:{before.count(chr(10)) + 1}: ")) from None


# What the YAML reader says → what to tell the user.
_REASONS: tuple[tuple[str, Template], ...] = (
    ("found another document", "two documents in one file; keep one of them"),
    (r"'\t'", "a tab is used for indentation or after a colon; use spaces"),
    ("special characters are not allowed", "a control character; is this a text file?"),
    ("mapping values are not allowed", "a colon is not expected here; is the line above complete, or are quotation marks missing?"),
    ("could not find expected ':'", "a colon is missing, or the indentation is wrong"),
    ("but found '<stream end>'", "a bracket is not closed"),
    ("unexpected end of stream", "a quotation mark is not closed"),
    ("expected ',' or", "a comma or a closing bracket is missing"),
    ("expected <block end>", "the indentation does not fit the lines above"),
)  # fmt: skip


# Where what is wrong may stand in another line than the YAML reader says.
_PUNCTUATION = ("mapping values are not", "could not find expected ':'", "but found", "expected ',' or", "expected <block end>",
                "unexpected end of stream")  # fmt: skip


def _reason(said: str, where: str) -> Message:
    for part, told in _REASONS:
        if part in said:
            return Message("not valid YAML: {reason}", where, reason=Message(told))
    return Message("not valid YAML: {reason}", where, reason=said)


class _Bounds:
    """One walk over the nodes: counts values (aliases each time), and refuses tags, loops, deep nesting and half characters."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sizes: dict[int, int] = {}
        self.open_nodes: set[int] = set()
        self.most = limit("values")

    def measure(self, node: Any, depth: int = 0) -> int:
        """Number of values below a node. Raises ProblemError where there are too many, too deep or in a loop."""
        if id(node) in self.sizes:
            return self.sizes[id(node)]
        item = FileNode(node, "", self.source)
        if node.tag not in _PLAIN_TAGS:
            item.fail("tags such as {found} are not allowed", found=quoted(node.tag.replace("tag:yaml.org,2002:", "!!")))
        size = 1
        if isinstance(node.value, str):
            if any("\ud800" <= letter <= "\udfff" for letter in node.value):
                item.fail("half of a surrogate pair is no character")
        else:
            if id(node) in self.open_nodes or depth > DEPTH_LIMIT:
                looped = id(node) in self.open_nodes
                item.fail("an alias contains itself" if looped else "values are nested more than {limit} deep", limit=DEPTH_LIMIT)
                self.source.finish()
            self.open_nodes.add(id(node))
            if node.flow_style:
                rejoin(node)
            slip = joined(node.value) if node.id == "mapping" else None
            if slip:
                FileNode(node, "", self.source, slip[0]).fail(slip[1].template, **slip[1].values)
            for entry in node.value:
                for inner in entry if isinstance(entry, tuple) else (entry,):
                    size += self.measure(inner, depth + 1)
                if size > self.most:
                    item.fail("more than {limit} values; set {variable} to raise the limit", limit=self.most, variable=raised_by("values"))
                    self.source.finish()
            self.open_nodes.discard(id(node))
        self.sizes[id(node)] = size
        return size


def shipped_folder() -> str:
    """Where the shipped problems are: in the package, or in a checkout beside it."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    inside = os.path.join(package, "problems")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), "problems")

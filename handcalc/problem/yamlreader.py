"""YAML 1.2 text → nodes, every scalar as the text that was typed.

- `compose(text)` is the root node. Raises the errors of ruamel.yaml.

Only null is told from text: numbers and truth values are read by the key that expects them, and their patterns would only cost start-up
time. A list of numbers in one line, `[0.15, 0.20]`, is one token for the scanner, for most of a large file are weights; its nodes are
those that its parts would have become.
"""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import StringMark
from ruamel.yaml.nodes import ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tag import Tag
from ruamel.yaml.tokens import ScalarToken

_NULL = Tag(suffix="tag:yaml.org,2002:null")
_NULLS = ("", "~", "null", "Null", "NULL")
_NUMBER = r"[-+]?\.?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?"
_LIST = re.compile(rf"\[ *{_NUMBER}(?: *, *{_NUMBER})* *\]")
_PARTS = re.compile(_NUMBER)


def compose(text: str) -> Any:
    """The root node of a text, None where it is empty."""
    reader = YAML(typ="safe", pure=True)
    reader.Resolver = _Words
    reader.Scanner = _Scanner
    reader.Composer = _Composer
    return reader.compose(text)


class _Words(VersionedResolver):
    """Tells only null from text."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode:
            return _NULL if implicit[0] and value in _NULLS else self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)


class _Numbers(list[ScalarNode]):
    """The value of a token that is a list of numbers."""


class _Scanner(Scanner):
    def fetch_flow_sequence_start(self) -> None:
        reader = self.reader
        found = _LIST.match(reader.buffer, reader.pointer)
        if found is None:
            super().fetch_flow_sequence_start()
            return
        self.save_possible_simple_key()
        self.allow_simple_key = False
        start = reader.get_mark()
        length = found.end() - found.start()
        reader.pointer, reader.index, reader.column = found.end(), start.index + length, start.column + length  # as forward() does
        numbers = _Numbers(_number(start, part) for part in _PARTS.finditer(found[0]))
        self.tokens.append(ScalarToken(numbers, True, start, reader.get_mark()))


def _number(start: Any, part: re.Match[str]) -> ScalarNode:
    """The node of a number in a list that starts at a mark."""
    first, last = (_mark(start, place) for place in part.span())
    return ScalarNode(_Words.DEFAULT_SCALAR_TAG, part[0], first, last)


def _mark(start: Any, further: int) -> Any:
    """A mark further in the same line."""
    return StringMark(start.name, start.index + further, start.line, start.column + further, start.buffer, start.pointer + further)


class _Composer(Composer):
    def compose_scalar_node(self, anchor: Any) -> Any:
        event = self.parser.peek_event()
        if not isinstance(event.value, _Numbers):
            return super().compose_scalar_node(anchor)
        self.parser.get_event()
        tag = event.ctag
        if tag is None or str(tag) == "!":
            tag = self.resolver.resolve(SequenceNode, None, event.implicit)
        node = SequenceNode(tag, [*event.value], event.start_mark, event.end_mark, flow_style=True, anchor=anchor)
        if anchor is not None:
            self.anchors[anchor] = node
        return node

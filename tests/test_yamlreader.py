"""Lists of numbers are read in one go: the nodes, their places in the text and the errors are those of the YAML reader itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from handcalc.problem import yamlreader

PARTS = ("[", "]", "[1, 2]", "[0.15 ,-2e-3]", "[ +.5,1e5 ]", ", ", ",", ": ", ":", " ", "\n", "- ", "a", "&x ", "*x", "!!str ",
         "! ", "1", "-1", "1.2.3", "{", "}", "#", " # c", '"', "'", "? ", "|\n", "\t", "---\n", "~", "1e", "[1\n,2]",
         "\r\n", "é", "[1, a]", "[1 2]", "[]", "[-]", "[1,]")  # fmt: skip
LISTS = (
    "[1, 2]", "a: [1, -2.5e-3, .5]", "[[1,2],[3 , 4]]", "[1, 2]: x", "- [1]\n- [ +1 ]", "a: &x [1, 2]\nb: *x", "a: !!str [1]", "a: ! [1]",
    "{a: [1], b: [2]}", "[1.2.3, 1e5]", "é: [1, 2] # c", "a:\r\n  [1, 2]\r\n", "? [1, 2]\n: 3", "a: [1, 2]]", "a: [1, 2] 3",
    "[1, 2][3]", "a: [1, 2", "a: [1 2]", "[1,\n 2]", "a: [1]: 2",
)  # fmt: skip


def plain() -> Any:
    """The reader as it comes, with the tags that are told apart here."""
    reader = YAML(typ="safe", pure=True)
    reader.Resolver = yamlreader._Words
    return reader


def told(node: Any) -> Any:
    """All that is known of a node."""
    if node is None:
        return None
    value = (
        node.value
        if isinstance(node.value, str)
        else [[*map(told, part)] if isinstance(part, tuple) else told(part) for part in node.value]
    )
    marks = [(mark.index, mark.line, mark.column, mark.pointer) for mark in (node.start_mark, node.end_mark)]
    return type(node).__name__, str(node.tag), value, marks, node.anchor, getattr(node, "flow_style", None), getattr(node, "style", None)


def outcome(compose: Any, text: str) -> Any:
    try:
        return told(compose(text))
    except (YAMLError, ValueError, AttributeError, TypeError, IndexError, AssertionError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        return type(error), mark and (mark.line, mark.column)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", LISTS)
def test_lists_are_what_they_were(text: str) -> None:
    assert outcome(yamlreader.compose, text) == outcome(plain().compose, text)


@pytest.mark.filterwarnings("ignore")
@law(300)
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_texts_are_what_they_were(text: str) -> None:
    assert outcome(yamlreader.compose, text) == outcome(plain().compose, text)


def test_a_list_of_numbers_is_one_token() -> None:
    found: list[str] = []

    class Counted(yamlreader._Scanner):
        def scan_plain(self) -> Any:
            found.append(self.reader.prefix(1))
            return super().scan_plain()

    reader = plain()
    reader.Scanner, reader.Composer = Counted, yamlreader._Composer
    assert len(reader.compose(f"a: [{', '.join(['0.5'] * 1000)}]").value[0][1].value) == 1000 and found == ["a"]

"""Reading pages back: the elements and texts of HTML, what its script reads, the numbers in formulas and drawings.

- `Page(text).root` is the tree of a page; what is not nested or closed as it should be is an error.
- `data_of(page)` is the object of its script, `number_in(element)` a number as the JSON spells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "input"}


class Element:
    """An element of a page: tag, attributes, elements and texts inside."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.inside: list[Element | str] = []

    def __iter__(self) -> Iterator[Element]:
        """Itself and everything in it, in order."""
        return iter(self.everything)

    @cached_property
    def everything(self) -> list[Element]:
        """What is gone through; listed once, for a page is asked about hundreds of times and never changes."""
        found, pending = [], [self]
        while pending:
            current = pending.pop()
            found.append(current)
            pending.extend(part for part in reversed(current.inside) if isinstance(part, Element))
        return found

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Elements with a tag, and with words in attributes (class_ for class, data_x for data-x; "" for any)."""
        names = {name.rstrip("_").replace("_", "-"): word for name, word in attributes.items()}
        return [
            found
            for found in self.everything
            if (not tag or tag == found.tag)
            and all(name in found.attributes and (not word or word in found.attributes[name].split()) for name, word in names.items())
        ]

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)


class Page(HTMLParser):
    """Reads a page as a browser does; what is not nested or closed as it should be is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], [element.tag for element in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def data_of(found: Element) -> dict[str, Any]:
    """The object that the script of a page reads."""
    (script,) = found.all("script", class_="data")
    loaded: dict[str, Any] = json.loads(script.text)
    return loaded


def number_in(element: Element) -> str:
    """The number in a formula or in a drawing, as the JSON spells it."""
    fraction = element.all("mfrac")
    if fraction:
        above, below = (part.text for part in fraction[0].inside if isinstance(part, Element))
        return element.text.replace(fraction[0].text, f"{above}/{below}").replace("−", "-")
    plain = element.text.replace("−", "-").replace("×10", "e")
    return plain.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))

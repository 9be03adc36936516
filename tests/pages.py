"""Reading pages back: the elements and texts of HTML, what its script reads, the numbers in formulas and drawings.

- `Page(text).root` is the tree of a page, with the lines that its script makes; what is not nested or closed as it should be is an error.
- `data_of(page)` is the object of its script, `number_in(element)` a number as the JSON spells it.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cached_property
from html import unescape
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
    """Reads a page as a browser does; what is not nested or closed as it should be is an error. packed: as it is without scripts."""

    def __init__(self, text: str, packed: bool = False) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text if packed else opened(text))
        self.close()
        assert self.open == [self.root], [element.tag for element in self.open]
        for chapter in self.root.all("article", class_="chapter"):
            _unpack(chapter)
        self.root.__dict__.pop("everything", None)

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


def opened(text: str) -> str:
    """A page as its script opens it: the text of a long chapter, and what is read, in the place of the same text in letters."""
    place = re.compile(
        r'<div class="text plain">.*?\n</div>\n(</div>\n.*?)<script type="text/plain" class="packed">([^<]*)</script>\n', re.DOTALL
    )

    def chapter(found: re.Match[str]) -> str:
        inside, data = zlib.decompress(b64decode(found[2])).decode().rsplit("</div>\n", 1)
        return f"{inside}</div>\n{found[1]}{data}"

    return place.sub(chapter, text)


def _unpack(chapter: Element) -> None:
    """The lines that only explanations show (page/lean.py), in a template at the end, as the script has them."""
    found = [part for part in chapter.inside if isinstance(part, Element) and part.attributes.get("class") == "data"]
    hidden = json.loads(found[0].text).get("hidden") if found else None
    if hidden is None or chapter.all("template"):
        return
    lines = {line.attributes["data-step"]: line for line in reversed(chapter.all("div", class_="step"))}
    template = Element("template", {"class": "more"})
    template.inside.extend(unpacked(hidden, lines))
    chapter.inside.append(template)
    chapter.__dict__.pop("everything", None)


def unpacked(hidden: dict[str, Any], lines: dict[str, Element]) -> list[Element]:
    """Lines of examples and of what differs from them; lines: those of the page, by their ids."""
    found = []
    for line in hidden["lines"]:
        kind, *own = line.split("\t")
        known = hidden["like"][int(kind)]
        made = _line(known[0], hidden["tags"]) if isinstance(known, list) else deepcopy(lines[known])
        made.attributes.pop("id", None)
        numbered = any(isinstance(part, Element) and part.attributes.get("class") == "place" for part in made.inside)
        made.inside = made.inside[2:] if numbered else made.inside  # with the space behind it
        pieces = list(_pieces(made))
        for places, text in zip(hidden["at"][int(kind)], own):
            for place in places if isinstance(places, list) else [places]:
                pieces[place](unescape(text))
        found.append(made)
    return found


def _line(spelled: str, tags: list[str]) -> Element:
    """A line whose tags are spelled {number id| and }."""
    open_tags: list[str] = []

    def tag(found: re.Match[str]) -> str:
        if found[1] is None:
            return f"</{open_tags.pop()}>"
        spelled_out = tags[int(found[1])].replace("\t", found[2] or "")
        open_tags.append(spelled_out.split(" ")[0])
        return f"<{spelled_out}>"

    (line,) = (part for part in Page(re.sub(r"\{(\d+)(?: ([^|]*))?\||\}", tag, spelled)).root.inside if isinstance(part, Element))
    return line


def _pieces(line: Element) -> Iterator[Callable[[str], None]]:
    """What writes each id and each text of a line."""
    for name in ("data-step", "data-cell"):
        if name in line.attributes:
            yield lambda text, name=name: line.attributes.__setitem__(name, text)  # type: ignore[misc]
    for place, part in enumerate(line.inside):
        if isinstance(part, Element):
            yield from _pieces(part)
        elif part.strip():
            yield lambda text, place=place: line.inside.__setitem__(place, text)  # type: ignore[misc]


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

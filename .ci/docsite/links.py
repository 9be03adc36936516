"""The links of a built site: `wrong(folder)` says which lead nowhere, and what a page would load from another host."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_NOT_LOADED = {"canonical", "alternate", "prev", "next"}  # links that only say something
_OUTSIDE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)  # in style sheets


class _Page(HTMLParser):
    """The anchors of a page, where it links to, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors = {"", "top"}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        target = values.get(_LOADED.get(tag, "href"))
        if target is None or values.get("rel") in _NOT_LOADED and urlsplit(target).netloc:
            return
        (self.loads if tag in _LOADED else self.links).append(target)


@cache
def _page(path: Path) -> _Page:
    return _Page(path)


def wrong(folder: Path) -> Iterator[str]:
    """A line for every link of the pages in a folder that has no target there, and for all that is loaded from elsewhere."""
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        page = _page(path)
        for target in {*page.links, *page.loads}:
            parts = urlsplit(target)
            if parts.scheme in ("data", "mailto", "javascript"):
                continue
            if parts.scheme or parts.netloc:
                if target in page.loads:
                    yield f"{name} loads {target}"
            elif problem := _missing(folder, path, unquote(parts.path), unquote(parts.fragment)):
                yield f"{name} links to {target}: {problem}"
    for path in sorted(folder.rglob("*.css")):
        yield from (f"{path.relative_to(folder).as_posix()} loads {found}" for found in _OUTSIDE.findall(path.read_text("utf-8")))


def _missing(folder: Path, path: Path, target: str, anchor: str) -> str:
    """What is wrong with a link within the site; nothing if it is well."""
    found = Path(os.path.normpath(folder / target.lstrip("/") if target.startswith("/") else path.parent / target)) if target else path
    if not found.is_relative_to(folder):
        return "outside of the site"
    if found.is_dir():
        found /= "index.html"
    if not found.is_file():
        return "no such file"
    if found.suffix == ".html" and anchor not in _page(found).anchors:
        return "no such place on the page"
    return ""

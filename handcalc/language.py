"""Languages: every text for users goes through a gettext catalogue; English is the source, Chinese the first other.

- `translator(language)` answers the function that translates a template; `choose(…)` the language to use.
- `wrapped(text, width)` breaks a text into lines, between any two characters where it is Chinese.

The catalogues are made by .ci/messages.py.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from handcalc.errors import Message, Template, printable

LANGUAGES = ("en", "zh")
CATALOGUES = {"zh": "zh_CN"}
FOLDER = os.path.join(os.path.dirname(__file__), "locale")

Translate = Callable[[str], str]


class Bilingual(Message):
    """A text of a user's in English and in Chinese."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.chinese = chinese

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bilingual) and (self.template, self.chinese) == (other.template, other.chinese)

    def __hash__(self) -> int:
        return hash((self.template, self.chinese))

    def text(self, translate: Translate = str) -> str:
        """The text in the language of `translate`."""
        return printable(self.template if is_english(translate) else self.chinese)


class BilingualTemplate(Bilingual):
    """The same with places to fill."""

    def __init__(self, english: str, chinese: str, values: Mapping[str, Any]) -> None:
        super().__init__(english, chinese)
        self.values = dict(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BilingualTemplate) and super().__eq__(other) and self.values == other.values

    def __hash__(self) -> int:
        return super().__hash__()

    def text(self, translate: Translate = str) -> str:
        """The text in the language of `translate`."""
        return super().text(translate).format(**self.values)


def title_in(translate: Translate, title: str, chinese: str) -> str:
    """A title in the language of `translate`; chinese: what it is in Chinese, if it is another."""
    return title or chinese if is_english(translate) else chinese or title


@cache
def translator(language: str) -> Translate:
    """The function from an English template to the template in a language."""
    if language not in CATALOGUES:
        return str
    catalogue = gettext.translation("handcalc", FOLDER, [CATALOGUES[language]], fallback=True)

    def translate(text: Template) -> str:
        return catalogue.gettext(text) if text else text

    return translate


def is_english(translate: Translate) -> bool:
    """Whether a translator leaves the templates as they are."""
    return translate is str


def choose(*wanted: str | None) -> str:
    """The first language given; else the locale's; else English."""
    for language in wanted:
        if language in LANGUAGES:
            return language
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


_OPENING, _CLOSING = "（《“‘「【", "，。；：、！？）》”’」】…"
_WIDE = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60"


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns. Words stay whole; wide characters may be parted, but not from their punctuation."""
    import re
    from unicodedata import east_asian_width

    lines, line, used = [], "", 0
    for unit in re.findall(rf"[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[{_CLOSING}]*\s*", text):
        columns = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in unit.rstrip())
        if line and used + columns > width:
            lines.append(line.rstrip())
            line, used = "", 0
        line += unit
        used += columns + len(unit) - len(unit.rstrip())
    return [*lines, line.rstrip()]


# --- names between braces -----------------------------------------------------------------------------------------------

WORDS, NAME, UNPAIRED = "words", "name", "unpaired"
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """(what it is, the text of it), one after the other; {{ and }} are braces."""
    at = 0
    for found in _BRACES.finditer(text):
        if found.start() > at:
            yield WORDS, text[at : found.start()]
        if found[1] is not None:
            yield NAME, found[1].strip()
        else:
            yield (WORDS, found[0][0]) if len(found[0]) > 1 else (UNPAIRED, found[0])
        at = found.end()
    if at < len(text):
        yield WORDS, text[at:]

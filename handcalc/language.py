"""Languages: every text for users goes through a gettext catalogue; English is the source, Chinese the first other.

- `translator(language)` answers the function that translates a template; `choose(…)` the language to use.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from functools import cache

LANGUAGES = ("en", "zh")
_CATALOGUES = {"zh": "zh_CN"}

Translate = Callable[[str], str]


@cache
def translator(language: str) -> Translate:
    """The function from an English template to the template in a language."""
    if language not in _CATALOGUES:
        return str
    folder = os.path.join(os.path.dirname(__file__), "locale")
    catalogue = gettext.translation("handcalc", folder, [_CATALOGUES[language]], fallback=True)
    return lambda text: catalogue.gettext(text) if text else text


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

"""Fonts of printed reports: which families have Chinese letters, and whether this computer has one of them.

- `families(text)` are the families to look for, best first, where a text has Chinese letters.
- `by_script(text)` are the parts of a text that need another font each.
- `installed(text)` are the fonts to set a text with; it raises OutputError where there are none for its letters. They are those of
  the computer (as fontconfig says, FONTCONFIG_FILE) and, as for Typst itself, of the folders in TYPST_FONT_PATHS;
  TYPST_IGNORE_SYSTEM_FONTS leaves these folders only.

To add a family, add it to `CHINESE`, by the name it has in the font file.
"""

from __future__ import annotations

import os
import re
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from handcalc.errors import Message, OutputError

if TYPE_CHECKING:
    from typst import Fonts

# family → where it comes from; serif faces first, as in books
CHINESE = {
    "Noto Serif CJK SC": "Linux, fonts-noto-cjk",
    "Source Han Serif SC": "Adobe",
    "Source Han Serif CN": "Adobe, smaller edition",
    "Noto Serif SC": "Google Fonts",
    "Songti SC": "macOS",
    "STSong": "macOS, older",
    "SimSun": "Windows",
    "NSimSun": "Windows",
    "AR PL UMing CN": "Linux, fonts-arphic-uming",
    "AR PL SungtiL GB": "Linux, fonts-arphic-gbsn00lp",
    "Noto Sans CJK SC": "Linux, fonts-noto-cjk",
    "Source Han Sans SC": "Adobe",
    "Source Han Sans CN": "Adobe, smaller edition",
    "Noto Sans SC": "Google Fonts",
    "PingFang SC": "macOS",
    "Heiti SC": "macOS, older",
    "Microsoft YaHei": "Windows",
    "SimHei": "Windows",
    "WenQuanYi Zen Hei": "Linux, fonts-wqy-zenhei",
    "WenQuanYi Micro Hei": "Linux, fonts-wqy-microhei",
    "Droid Sans Fallback": "Linux, fonts-droid-fallback",
}

_CHINESE_LETTERS = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")


def has_chinese(text: str) -> bool:
    """Whether a text has letters of the scripts that stand in Chinese fonts: also kana, hangul and wide signs."""
    return bool(_CHINESE_LETTERS.search(text))


def by_script(text: str) -> list[str]:
    """The parts of a text that stand in Chinese fonts, and those between them."""
    return ["".join(letters) for _, letters in groupby(text, has_chinese)]


def families(text: str) -> tuple[str, ...]:
    """Families with the Chinese letters of a text, best first; none if it has no such letters."""
    return tuple(CHINESE) if has_chinese(text) else ()


def installed(text: str) -> Fonts:
    """All fonts of this computer. Raises OutputError if a text has Chinese letters and none of the families is there."""
    fonts = _all()
    if has_chinese(text) and not any(font.family in CHINESE for font in fonts.fonts()):
        raise OutputError(
            Message(
                "this report has Chinese letters, and no font for them was found; install one, for example {package} "
                "(Debian, Ubuntu) or Noto Serif SC (fonts.google.com); Windows and macOS come with one",
                package="fonts-noto-cjk",
            )
        )
    return fonts


@cache
def _all() -> Fonts:
    """Looked for once: half a second where there are many."""
    from typst import Fonts

    folders = [folder for folder in os.environ.get("TYPST_FONT_PATHS", "").split(os.pathsep) if folder]
    return Fonts(include_system_fonts=not os.environ.get("TYPST_IGNORE_SYSTEM_FONTS"), font_paths=folders)

"""Typst source → PDF, and a drawing → PNG, with the `typst` package: no network, no files, the same bytes every time.

- `pdf(source)` is tagged as PDF/UA-1 asks, so that it can be read aloud; a letter that no font has is an error there.
- `forget()` gives back the memory that it took.
- `png(svg)` is a picture for formats that know no SVG.
- `need(format, extra)` says whether the package is there.

The fonts of the computer are looked for only where those in the package are not enough.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from handcalc.errors import Message, OutputError
from handcalc.render.formats.fonts import has_chinese, installed
from handcalc.render.formats.typstmath import string
from handcalc.stages import TYPESET, stage

if TYPE_CHECKING:
    from typst import Fonts

STANDARD = "ua-1"
KEPT = 11  # documents for which Typst remembers how it set another one
RESOLUTION = 220  # points per inch of a PNG


def pdf(source: str) -> bytes:
    """A document. Raises OutputError where no font has its letters."""
    from typst import TypstError

    if not has_chinese(source):
        try:
            return _compiled(source, pdf_standards=[STANDARD], ignore_system_fonts=True)
        except TypstError:
            pass  # a letter that the fonts of the package do not have
    fonts = installed(source)
    try:
        return _compiled(source, pdf_standards=[STANDARD], font_paths=fonts)
    except TypstError as error:
        untagged = _compiled(source, font_paths=fonts)  # if this fails too, the source is wrong, and not the fonts
        found = re.search('text `"(.*?)"`', error.message)
        if found is None:
            return untagged  # a document that cannot be tagged is still one to print
        raise OutputError(Message('no font on this computer has the letters "{letters}"; install one', letters=found[1])) from None


def forget() -> None:
    """Makes Typst forget what it has set: it does so after some others, be they empty. The C library of Linux keeps that for itself."""
    for _ in range(KEPT):
        _compiled("", font_paths=_own_fonts())
    if sys.platform == "linux":
        import ctypes

        getattr(ctypes.CDLL(None), "malloc_trim", int)(0)


@cache
def _own_fonts() -> Fonts:
    from typst import Fonts

    return Fonts(include_system_fonts=False)


def need(format: str, extra: str) -> None:
    """Raises OutputError where the package is missing, naming what to install for a format."""
    try:
        import typst  # noqa: F401
    except ImportError as error:
        if error.name != "typst":
            raise
        text = "{format} needs a library that is not installed: pip install 'handcalc[{extra}]'"
        raise OutputError(Message(text, format=format, extra=extra)) from None


def png(svg: str, resolution: int = RESOLUTION) -> bytes:
    """A drawing, with so many points per inch (an inch is 96 units of SVG). Raises OutputError where no font has its Chinese letters."""
    source = f'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes({string(svg)}), format: "svg")\n'
    fonts: dict[str, Any] = {"font_paths": installed(svg)} if has_chinese(svg) else {"ignore_system_fonts": True}
    return _compiled(source, format="png", ppi=resolution, **fonts)


def _compiled(source: str, **options: Any) -> bytes:
    """What Typst makes of a source that may read nothing: its root is an empty folder."""
    from tempfile import TemporaryDirectory

    import typst

    with TemporaryDirectory(prefix="handcalc-") as empty, stage(TYPESET):
        result: bytes = typst.compile(source.encode(), root=empty, **options)
    return result

"""The style of a page: its font of formulas, the colours of its drawings, page.css.

- `stylesheet()` is the text; nothing in it is loaded from anywhere.

The font is a part of STIX Two Math, under the SIL Open Font License (OFL.txt beside it); .ci/mathfont.py makes it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache

from handcalc.disk.reading import our_bytes
from handcalc.render.formats.page import FOLDER, asset
from handcalc.render.formats.page.drawings import looks

FONT = "math.woff2"
FONT_FACE = '@font-face {{ font-family: "handcalc Math"; src: url(data:font/woff2;base64,{font}) format("woff2"); }}\n'


@cache
def stylesheet() -> str:
    """The style of a page."""
    return FONT_FACE.format(font=b64encode(our_bytes(FOLDER, FONT)).decode()) + looks() + asset("page.css")

"""Names as people spell them: one plain form for every way to write the same name.

- `plain(text)` is that form: `δ_o1`, `delta_{o1}` and `delta o1` are all `deltao1`.
- `forms(text)` are the plain forms a text may have, the likeliest first: `w5_new`, `new w5` and `w5'` may be `w5+`.

To read another way to write an updated number, add it to `_NEW_BEFORE` or `_NEW_BEHIND`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

from handcalc.render.dialects import GREEK

_LETTERS = str.maketrans(GREEK | {"∆": "Delta", "−": "-", "–": "-", "′": "'", "’": "'", "\u0302": "hat", "\u0303": "tilde", "＂": '"'})
_DROPPED = re.compile(r"[\s_{}^\\.]")
_HAT_BEHIND = re.compile(r"(?<=^[A-Za-z])\^(?=$|_)")  # m^ for m̂
_NEW = r"(?:new|updated|neue?r?|nouveau|nuevo|更新后|新)"
_ALONG = r"(\[[^\[\]]*\]|@.*)?"  # the sample and the time behind a name
_NEW_BEFORE = re.compile(rf"{_NEW}(?:[\s._]+|的|(?<=[新后]))(.+?){_ALONG}", re.IGNORECASE)
_NEW_BEHIND = re.compile(
    rf"(.+?)(?:[\s.,_^{{(（]+{_NEW}[)）}}]*|的?新值?|更新[后为]?|\^?['′’]|\^\{{?\+\}}?|\^?\*|\^?\{{?\((?:[tkn]\s*\+\s*1|new)\)\}}?){_ALONG}",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"(?:\(\d{1,4}\)|\d{1,4}[.)]\s|[-•*]\s)\s*(?=\S)")


def plain(text: str) -> str:
    """The plain form of a name: Greek letters by name, indices and powers on the line, no spaces, dots or underscores."""
    text = _HAT_BEHIND.sub("hat", text)
    return _DROPPED.sub("", normalize("NFC", normalize("NFKC", text)).translate(_LETTERS))


def forms(text: str) -> Iterator[str]:
    """The plain forms of what may be meant by a text, the likeliest first."""
    yield plain(text)
    if first := re.fullmatch(r"([wvubθW][^^()]*)\^?\{?\(1\)\}?", normalize("NFKC", text)):
        yield plain(f"{first[1]}+")
    found = _NEW_BEFORE.fullmatch(text) or _NEW_BEHIND.fullmatch(text)
    if found is not None:
        yield plain(f"{found[1]}+{found[2] or ''}")


def without_list_mark(text: str) -> str:
    """A name without the number or dash of a list before it: (12) net_h1."""
    return _LIST_MARK.sub("", text, count=1) if _LIST_MARK.match(text) else text

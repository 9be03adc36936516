"""The texts of the page, each under the name that static/index.html and static/site.js call it by.

- `texts(translate)` are all of them in a language.

To add one, add it to `TEXTS`; the element with data-text="name" shows it, and `text("name")` in site.js is it.
"""

from __future__ import annotations

from handcalc.errors import Template
from handcalc.language import Translate

TEXTS: dict[str, Template] = {
    "about": "Neural-network arithmetic worked out as on paper, here in your browser. What you type stays on your machine.",
    "language": "Language",
    "theme": "Light or dark",
    "skip": "Skip to the result",
    "problem": "Problem",
    "example": "Example",
    "choose": "choose one …",
    "open": "Open a file",
    "editor": "The problem as YAML",
    "faults": "What is wrong with the problem",
    "line": "Line {number}",
    "options": "How it is worked",
    "notation": "Notation",
    "own": "as in the problem",
    "decimals": "Decimals",
    "detail": "Detail",
    "brief": "brief",
    "normal": "normal",
    "full": "full",
    "form": "Formulas",
    "scalar": "number by number",
    "matrix": "matrices",
    "both": "both",
    "carry": "Round each result before it is used again",
    "solve": "Solve",
    "worksheet": "Worksheet",
    "link": "Copy a link",
    "linked": "The link is copied: whoever opens it sees this problem solved.",
    "unlinked": "The link is in the address line.",
    "long-link": "The problem is too long for a link; save it as a file.",
    "save": "Save",
    "check": "Check answers",
    "answers": "Answers, one a line",
    "answers-hint": "Such as net.h1 = 0.3775; a number or a formula.",
    "blank": "Empty sheet",
    "sheets": "Open sheets",
    "mark": "Check",
    "why": "Where a number comes from",
    "step": "Step or symbol",
    "explain": "Explain",
    "download": "Download",
    "format": "Format",
    "result": "Result",
    "waiting": "The result stands here. Choose an example, or type a problem, and press Solve.",
    "loading": "Python is loading …",
    "unpacking": "handcalc is unpacked …",
    "ready": "Ready",
    "offline": "Ready, also without a network",
    "working": "Working …",
    "done": "Done in {seconds} s",
    "stop": "Stop",
    "stopped": "Stopped; Python starts again …",
    "ended": "Python has ended; it starts again …",
    "broken": "Python cannot be started here: {reason}",
    "bad-link": "This link holds no problem.",
    "scripts": "This page needs JavaScript: it is what runs Python here.",
    "from-file": "This page is to be opened from a web server, not as a file. In its folder, type: python3 -m http.server",
}


def texts(translate: Translate) -> dict[str, str]:
    """Every text in a language, by its name."""
    return {name: translate(text) for name, text in TEXTS.items()}

"""What a page is made of besides its blocks: page.css, page.js, formulas in MathML, and the data its script reads.

- `asset(name)` is the text of a file beside this one.
- mathml.py spells items, equations, matrices and tables; data.py prepares what stepping, why and decimals need.
"""

from __future__ import annotations

import os

from handcalc.disk.reading import our_text

FOLDER = os.path.dirname(__file__)


def asset(name: str) -> str:
    """The text of page.css or page.js."""
    return our_text(FOLDER, name)

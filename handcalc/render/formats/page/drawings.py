"""Drawings in a page: their colours are written once, in its style, and not in every element.

- `bare(drawing)` is the SVG of a drawing without what `looks()` says, rules that page.css changes where the page is dark.
"""

from __future__ import annotations

import re

from handcalc.render.diagram.looks import LINES, NODES, PAPER, SECOND, SQUARES

_COLOURED = r' class="(?:shape|line|head|halo|number gradient|gradient)"[^>]*?|<g class="cell [^>]*><rect[^>]*?'
_LOOK = re.compile(f'({_COLOURED})((?: (?:fill|stroke|stroke-width)="[^"]*")+)')
_THIN = ' stroke-width="1.1"'  # of most lines


def looks() -> str:
    """The colours of drawings (looks.py) as rules of a style sheet."""
    rules = {
        ".shape": "stroke-width:1.5",
        ".line": f"fill:none;stroke:{LINES}",
        ".head": f"fill:{LINES}",
        ".halo": f"fill:{PAPER}",
        ".gradient": f"fill:{SECOND}",
    }
    rules |= {f".{node.kind} .shape": f"fill:{node.paper};stroke:{node.line}" for node in NODES.values()}
    drawn = "".join(f".handcalc-diagram {name}{{{style}}}\n" for name, style in rules.items())
    return drawn + "".join(f".{square.kind} > rect{{fill:{square.paper};stroke:{square.line}}}\n" for square in SQUARES.values())


def bare(drawing: str) -> str:
    """A drawing that is coloured by the style of its page; lines of another width keep it."""
    drawing = _LOOK.sub(lambda found: found[1] + "".join(re.findall(r' stroke-width="(?!1\.)[^"]*"', found[2])), drawing)
    return drawing.replace('<g text-anchor="middle"', f'<g text-anchor="middle"{_THIN}', 1)

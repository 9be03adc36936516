"""Where a formula too wide for a line is broken: `pieces(text, width)`.

In as few brackets as can be: before + or −, else beside ·, else behind a comma; as late as there is room for.
"""

from __future__ import annotations

from handcalc.render.formats.styled import cell_len


def pieces(text: str, width: int) -> list[str]:
    """A formula in lines; in one, where it fits or has no place to break. The lines below the first are two columns narrower."""
    result: list[str] = []
    while cell_len(text) > width:
        place = _best_place(text, width)
        if not place:
            break
        result.append(text[:place].rstrip())
        text, width = text[place:].lstrip(), width - 2 * (len(result) == 1)
    return [*result, text]


def _best_place(text: str, width: int) -> int:
    """The cheapest place that there is room for, the last of them; the first place of all, if there is room for none; 0: no place."""
    depth, best = 0, (99.0, 0)
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        cost = _cost(text, place)
        if cost is None:
            continue
        if cell_len(text[:place].rstrip()) > width:
            return -best[1] or place
        best = min(best, (depth + cost, -place))
    return -best[1]


def _cost(text: str, place: int) -> float | None:
    """What it costs to break at a place, in brackets; None where nothing can be broken."""
    behind = text[place : place + 3]
    if behind in (" + ", " - "):
        return 0.0
    if behind in (" · ", " * ") or place and text[place - 1] in "·*" and behind[:1] != " ":
        return 0.5
    return 0.75 if text[max(place - 2, 0) : place] == ", " else None

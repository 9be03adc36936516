"""Where in a problem file something stands, for messages about what was computed from it.

- `line_of(path, …)` is the line of an equation, of a layer, or of a key.
"""

from __future__ import annotations

from handcalc.errors import ProblemError
from handcalc.loading.directions import in_both
from handcalc.problem.files import read
from handcalc.problem.reader import FileNode


def line_of(path: str, equation: str = "", layer: int = 0, keys: tuple[str, ...] = ()) -> int | None:
    """The line of the equation of this name, of this layer (from 1), or of the first of some keys that is there; None where the file
    does not have it, or is no file any more."""
    try:
        root = read(path)
    except ProblemError:
        return None
    item = _found(root, equation, layer) or next(filter(None, map(root.entry, keys)), None)
    return item.place[0] if item else None


def _found(root: FileNode, equation: str, layer: int) -> FileNode | None:
    equations, layers = root.entry("equations"), root.entry("layers")
    if equations is not None and equations.kind == "mapping":
        return (equations.mapping() or {}).get(equation)
    entries, _ = in_both((layers.sequence() or []) if layers is not None and layers.kind == "sequence" else [])
    return entries[layer - 1] if 0 < layer <= len(entries) else None

"""Reading `rounding:`, of a problem or of an answer sheet: `rounding(item)`; and the digits that a task wants: `digits`."""

from __future__ import annotations

from handcalc.core.rounding import DEFAULT_SIGNIFICANT, Rounding
from handcalc.problem.fields import DIGITS, read_section
from handcalc.problem.reader import FileNode
from handcalc.problem.values import Section, read_entries


def rounding(item: FileNode) -> Rounding:
    """The `rounding:` of a problem or of an answer sheet."""
    part = read_section(item, "rounding")
    decimals, significant = digits(item, part)
    overrides = []
    for pattern, entry in (part["overrides"].mapping() or {}).items() if "overrides" in part else ():
        inner = read_entries(entry, DIGITS["properties"])
        if entry.kind == "mapping" and not inner:
            entry.fail("give decimals or significant")
        overrides.append((pattern, *digits(entry, inner)))
    return Rounding(
        decimals,
        significant or (DEFAULT_SIGNIFICANT if decimals is None else None),
        overrides=tuple(overrides),
        **part.read(("carry", "ties", "exact")),
    )


def override_places(item: FileNode) -> tuple[str, ...]:
    """Line and key of every entry of `overrides:`, for what is wrong with it as soon as there is a graph."""
    entry = item.entry("overrides")
    if entry is None or entry.kind != "mapping":
        return ()
    return tuple(f":{int(key.start_mark.line) + 1}: {entry.path}.{key.value}: " for key, _ in entry.node.value)


def digits(item: FileNode, part: Section) -> tuple[int | None, int | None]:
    """(decimals, significant), at least one of them None."""
    if "decimals" in part and "significant" in part:
        item.fail("give decimals or significant, not both")
    return part.value("decimals"), part.value("significant") if "decimals" not in part else None

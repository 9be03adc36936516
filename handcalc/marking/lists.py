"""Vectors and matrices as people type them: `list_of(text)` is a `NumberList`, or None.

Read are `[0.2, 0.5]`, `(0.2, 0.5)`, `[[1, 0], [0, 1]]`, `[1 0; 0 1]`, what NumPy and PyTorch print, and numbers between commas; working may
stand before it, as in `W·x + b = [0.2, 0.5]`.
"""

from __future__ import annotations

import re

from handcalc.core.record import Record
from handcalc.marking.typed import typed

LONGEST = 20_000  # letters of a list that is read
_CALLED = re.compile(r"(?:np\.|numpy\.|torch\.)?(?:array|tensor|matrix|Matrix)\((.*)\)", re.DOTALL)
_BEHIND = re.compile(r",\s*(?:dtype|grad_fn|device|requires_grad)\s*=.*$", re.DOTALL)
_TRANSPOSED = re.compile(r"(?<=[\])])\s*(?:\^\{?\s*(?:T|⊤|\\top|\\mathsf\{?T)\s*\}*|ᵀ|'|\.T)$")
_SEPARATOR = r"(?:\s*[,，、;；]\s*|\s+)"


_COMMAS = re.compile(r"[-+−]?[0-9]+,[0-9]+(?:(?:\s*[;；、]\s*|\s+)[-+−]?[0-9]+,[0-9]+)+")  # 0,5; 0,6


class NumberList(Record):
    """Numbers in rows, as typed. shape: how many, or rows and columns."""

    shape: tuple[int, ...]
    cells: tuple[str, ...]


def list_of(text: str) -> NumberList | None:
    """The numbers of a text, behind its last sign; None where it is no list of two or more."""
    if len(text) > LONGEST:
        return None
    plain = _last(text)
    plain = _BEHIND.sub("", plain)
    called = _CALLED.fullmatch(plain + ")" * (plain.count("(") - plain.count(")")))
    plain = _BEHIND.sub("", called[1]).strip() if called else plain
    turned = _TRANSPOSED.search(plain) is not None
    plain = _TRANSPOSED.sub("", plain).strip()
    rows = _rows(plain)
    if not rows or len({*map(len, rows)}) > 1 or len(rows) * len(rows[0]) < 2 or not all(typed(cell) for row in rows for cell in row):
        return None
    if turned:
        rows = [list(column) for column in zip(*rows)]
    cells = tuple(cell for row in rows for cell in row)
    return NumberList((len(cells),) if 1 in (len(rows), len(rows[0])) else (len(rows), len(rows[0])), cells)


def _last(text: str) -> str:
    """What stands behind the last sign that is in no bracket of a list."""
    plain, depth, start = text.strip().rstrip(".。;；，,"), 0, 0
    for place, letter in enumerate(plain):
        depth += (letter in "[{") - (letter in "]}")
        if (
            letter in "=≈≃≅←＝"
            and depth <= 0
            and not re.match(r"\s*<", plain[place + 1 :])
            and not re.search(r"(?:grad_fn|dtype|device)$", plain[:place])
        ):
            start = place + 1
    return plain[start:].strip()


def _rows(text: str) -> list[list[str]]:
    """The rows of a list."""
    if _COMMAS.fullmatch(text.strip("[](){}（） ")):
        text = text.replace(",", ".")
    pairs = {"[": "]", "(": ")", "{": "}", "（": "）"}
    inside = text
    if inside[:1] in pairs and inside.endswith(pairs[inside[0]]):
        inside = inside[1:-1].strip()
        inner = re.findall(r"[\[(（{]([^\[\](){}（）]*)[\])）}]", inside)
        if inner and not re.sub(r"[\[(（{][^\[\](){}（）]*[\])）}]|[\s,，;；]", "", inside):
            return [_cells(row) for row in inner]
        return [_cells(row) for row in re.split(r"[;；]", inside) if row.strip()]
    if ";" in inside or re.search(r"[0-9],\s", inside):
        return [_cells(row) for row in inside.split(";") if row.strip()]
    return []


def _cells(row: str) -> list[str]:
    return [cell for cell in re.split(_SEPARATOR, row.strip()) if cell]
